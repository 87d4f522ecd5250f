//! `handover holds`: the conflict queue.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Subcommand;
use handover_engine::{Pass, Report, Selection};
use handover_model::{Answer, Cause, FieldName, FlowName, Hold, RecordId, Value, Wins};
use handover_store::{Commit, Entry, GivenAnswer, HeldRow, HoldFilter, Item, Store};
use serde_json::{Value as Json, json};

use super::output::{held_exit, plural, table};
use super::progress::Progress;
use super::queue::{self, Queue};
use super::run::{objects_json, stop_on_request};
use super::session::Session;
use super::{Done, Global, Output, answers, care, failure, plain, report, sheet};
use crate::config;
use crate::kept::Recipients;
use crate::problem::{Exit, Problem};

/// Options of `holds`.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  handover holds                                                     groups by cause
  handover holds list untranslated:deal_stages:17                    the records of a group
  handover holds answer untranslated:deal_stages:17 --translate 90125
  handover holds answer unknown_user:7 --assign ben@example.com
  handover holds answer persons/42 --choose 30117
  handover holds answer persons/43 --skip --comment \"test record\"
  handover holds report persons/44 --text \"the number is a fax\" --owner Ben
  handover holds give unknown_user:7 --to Ben
  handover holds export queue.csv     edit the columns answer, value, comment, then
  handover holds import queue.csv"
)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// The records of a group, or of all
    #[command(after_help = "Examples:\n  handover holds list\n  handover holds list unknown_user:7 --json")]
    List {
        /// The group, as `holds` shows it
        group: Option<String>,
    },
    /// One record with everything known about it
    #[command(after_help = "Example:\n  handover holds show persons/42")]
    Show {
        /// FLOW/ID
        record: String,
    },
    /// Answer a group or one record; only those records and what waits for them are processed then
    Answer(AnswerOptions),
    /// Say that a record is wrong: that waits in the queue, in somebody's care; the record is carried on, or stopped
    Report(report::Report),
    /// Put a group or one record into somebody's care
    Give(care::Give),
    /// Write the queue to a CSV file, to be answered in a spreadsheet
    #[command(after_help = "Example:\n  handover holds export queue.csv")]
    Export {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        to: Recipients,
    },
    /// Take the answers from such a file
    #[command(
        after_help = "Example:\n  handover holds import queue.csv --reviewer \"Ana Silva\"\n\nRows without an answer stay as they are. When one answer cannot be carried out, none is taken."
    )]
    Import {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        how: How,
    },
}

/// Who answers, why, and when it takes effect.
#[derive(clap::Args)]
pub(super) struct How {
    /// Who answers (written into the ledger)
    #[arg(long, env = "HANDOVER_REVIEWER", default_value = "")]
    pub(super) reviewer: String,
    /// Why (written into the ledger)
    #[arg(long, default_value = "")]
    pub(super) comment: String,
    /// Record the answers only; the next run carries them out
    #[arg(long)]
    pub(super) later: bool,
}

#[derive(clap::Args)]
#[command(after_help = "Examples:
  handover holds answer untranslated:deal_stages:17 --translate 90125
  handover holds answer unknown_user:7 --assign ben@example.com --reviewer \"Ana Silva\"
  handover holds answer \"invalid:email:not an e-mail address that the target takes\" --skip
  handover holds answer persons/42 --edit email=ana@example.com
  handover holds answer persons/43 --choose 30117 --later
  handover holds answer conflict:phone --take source
  handover holds answer persons/44 --close --comment \"it was; corrected in Pipedrive\"

`handover holds show FLOW/ID` names the answers that fit a record.")]
struct AnswerOptions {
    /// A group, or FLOW/ID
    which: String,
    #[command(flatten)]
    answer: AnswerWord,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct AnswerWord {
    /// Translate the value to this target value (a row is added to the table)
    #[arg(long, value_name = "TARGET VALUE")]
    translate: Option<String>,
    /// Give the source user's records to this target user (a row is added to translations/users.csv)
    #[arg(long, value_name = "E-MAIL")]
    assign: Option<String>,
    /// This target record is the counterpart
    #[arg(long, value_name = "TARGET ID")]
    choose: Option<String>,
    /// None of the candidates: create a new record
    #[arg(long)]
    create: bool,
    /// Use this value for a target field
    #[arg(long, value_name = "FIELD=VALUE")]
    edit: Option<String>,
    /// Merge into the target record of another source record
    #[arg(long, value_name = "SOURCE ID")]
    merge_into: Option<String>,
    /// Of a field that both sides changed: whose value is right
    #[arg(long, value_name = "SIDE", value_parser = ["source", "target"])]
    take: Option<String>,
    /// It was deleted: delete its counterpart too
    #[arg(long)]
    delete: bool,
    /// It was merged: merge the counterparts too
    #[arg(long)]
    merge: bool,
    /// It was deleted or merged: leave its counterpart as it is
    #[arg(long)]
    keep: bool,
    /// Leave the record out
    #[arg(long)]
    skip: bool,
    /// Accept that it stays held: the migration can be complete without it
    #[arg(long)]
    accept: bool,
    /// Judge it again: what stood in the way was mended
    #[arg(long)]
    retry: bool,
    /// What was reported is dealt with
    #[arg(long)]
    close: bool,
}

/// Runs the command.
pub(crate) async fn run(global: &Global, options: &Options, output: &Output) -> Done {
    let session = Session::open(&global.project)?;
    match &options.action {
        None => groups(&session, output).await,
        Some(Action::List { group }) => list(&session, group.as_deref(), output).await,
        Some(Action::Show { record }) => show(&session, record, output).await,
        Some(Action::Answer(answer)) => {
            let word = word(&answer.answer)?;
            answer_command(&session, global, &answer.which, &word, &answer.how, output).await
        }
        Some(Action::Report(filed)) => report::file(&session, filed, output).await,
        Some(Action::Give(given)) => care::give(&session, given, output).await,
        Some(Action::Export { file, to }) => sheet::export(&session, file, to, output).await,
        Some(Action::Import { file, how }) => sheet::import(&session, global, file, how, output).await,
    }
}

async fn groups(session: &Session, output: &Output) -> Done {
    let store = session.store_reading().await?;
    let queue = Queue::of(&store).await?;
    output.value(&json!({"holds": queue.json()}));
    if queue.groups.is_empty() {
        output.say("Nothing is held.");
    } else {
        output.say(&queue.table());
    }
    Ok(queue.exit())
}

async fn list(session: &Session, group: Option<&str>, output: &Output) -> Done {
    let store = session.store_reading().await?;
    let filter = HoldFilter { group: group.map(str::to_owned), ..HoldFilter::default() };
    let rows = queue::rows(&store, &filter).await?;
    if let Some(group) = group.filter(|_| rows.is_empty()) {
        return Err(vec![not_held(group)]);
    }
    output.value(&json!({"holds": rows.iter().map(held_json).collect::<Vec<_>>()}));
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|(row, accepted)| {
            let accepted = if *accepted { "accepted" } else { "" };
            vec![
                format!("{}/{}", row.hold.flow, row.hold.record),
                row.hold.title.clone(),
                accepted.to_owned(),
                row.owner.clone().unwrap_or_default(),
                row.hold.cause.sentence(),
            ]
        })
        .collect();
    if lines.is_empty() {
        output.say("Nothing is held.");
    } else {
        output.say(&table(&["record", "title", "", "in the care of", "why"], &lines));
    }
    Ok(held_exit(rows.iter().filter(|(_, accepted)| !accepted).count() as u64))
}

pub(super) fn not_held(which: &str) -> Problem {
    Problem::new("not_held", format!("nothing is held as `{which}`")).hint("`handover holds` lists the groups")
}

pub(crate) fn held_json((row, accepted): &(HeldRow, bool)) -> Json {
    json!({
        "flow": row.hold.flow,
        "object": row.hold.object,
        "record": row.hold.record,
        "title": row.hold.title,
        "group": row.hold.cause.group(),
        "cause": plain::cause(&row.hold.cause),
        "why": row.hold.cause.sentence(),
        "value": row.hold.value.as_ref().map(plain::value),
        "owner": row.owner,
        "accepted": accepted,
    })
}

/// `FLOW/ID` in its parts.
pub(crate) fn record_name(text: &str) -> Result<(FlowName, RecordId), Vec<Problem>> {
    match text.split_once('/') {
        Some((flow, id)) if !flow.is_empty() && !id.is_empty() => Ok((FlowName::from(flow), RecordId::from(id))),
        _ => Err(vec![
            Problem::new("record_name", format!("`{text}` does not name a record"))
                .hint("a record is named FLOW/ID: persons/42"),
        ]),
    }
}

/// The holds that a group or FLOW/ID names.
pub(super) fn filter_of(which: &str) -> Result<HoldFilter, Vec<Problem>> {
    if !which.contains('/') || which.contains(':') {
        return Ok(HoldFilter { group: Some(which.to_owned()), ..HoldFilter::default() });
    }
    let (flow, record) = record_name(which)?;
    Ok(HoldFilter { flow: Some(flow), record: Some(record), ..HoldFilter::default() })
}

async fn show(session: &Session, record: &str, output: &Output) -> Done {
    let store = session.store_reading().await?;
    let (flow, id) = record_name(record)?;
    let filter = HoldFilter { flow: Some(flow.clone()), record: Some(id.clone()), ..HoldFilter::default() };
    let rows = queue::rows(&store, &filter).await?;
    let children =
        store.children(&flow, std::slice::from_ref(&id)).await.map_err(|error| vec![failure::store(&error)])?;
    let waiting: Vec<String> = children.iter().map(|child| format!("{}/{}", child.flow, child.record)).collect();
    output.value(&json!({"holds": rows.iter().map(held_json).collect::<Vec<_>>(), "waiting": waiting}));
    if rows.is_empty() {
        output.say(&format!("{record} is not held."));
        return Ok(Exit::Done);
    }
    for (row, accepted) in &rows {
        let accepted = if *accepted { " (accepted)" } else { "" };
        output.say(&format!(
            "{record}  {}\n  held since {}{accepted}: {}",
            row.hold.title,
            plain::moment(row.since),
            row.hold.cause.sentence()
        ));
        if let Some(owner) = &row.owner {
            output.say(&format!("  in the care of {owner}"));
        }
        if let Some(value) = &row.hold.value {
            output.say(&format!("  value: {}", value.display()));
        }
        if let Cause::Conflict { there, .. } = &row.hold.cause {
            output.say(&format!("  value in the target: {}", there.display()));
        }
        for candidate in row.hold.cause.candidates() {
            let filled = candidate.shown.iter().filter(|(_, value)| !value.is_blank());
            let shown: Vec<String> = filled.map(|(field, value)| format!("{field}: {}", value.display())).collect();
            let (target, key) = (&candidate.target, &candidate.key);
            output.say(&match row.hold.cause {
                Cause::SourceDeleted { .. } | Cause::SourceMerged { .. } => {
                    format!("  {key} {target}: {}", shown.join("; "))
                }
                _ => format!("  candidate {target} by {key}: {}", shown.join("; ")),
            });
        }
        output.say(&format!("  answer: {}", answers::fitting(&row.hold.cause)));
    }
    if !waiting.is_empty() {
        let wait = if waiting.len() == 1 { "waits" } else { "wait" };
        output.say(&format!("  {} {wait} for it: {}", plural(waiting.len() as u64, "record"), waiting.join(", ")));
    }
    Ok(held_exit(rows.iter().filter(|(_, accepted)| !accepted).count() as u64))
}

fn word(options: &AnswerWord) -> Result<Answer, Vec<Problem>> {
    let target = |id: &String| RecordId::from(id.as_str());
    Ok(match options {
        AnswerWord { translate: Some(to), .. } => Answer::Translate { to: to.clone() },
        AnswerWord { assign: Some(to), .. } => Answer::Assign { to: to.clone() },
        AnswerWord { choose: Some(id), .. } => Answer::Choose { target: target(id) },
        AnswerWord { merge_into: Some(id), .. } => Answer::MergeInto { record: target(id) },
        AnswerWord { edit: Some(edit), .. } => edited(edit)?,
        AnswerWord { take: Some(side), .. } => taken(side),
        AnswerWord { create: true, .. } => Answer::Create,
        AnswerWord { delete: true, .. } => Answer::Delete,
        AnswerWord { merge: true, .. } => Answer::Merge,
        AnswerWord { keep: true, .. } => Answer::Keep,
        AnswerWord { skip: true, .. } => Answer::Skip,
        AnswerWord { accept: true, .. } => Answer::Accept,
        AnswerWord { close: true, .. } => Answer::Close,
        AnswerWord { .. } => Answer::Retry,
    })
}

/// Whose value is taken; of which conflict is said by the hold that is answered.
pub(crate) fn taken(side: &str) -> Answer {
    let wins = if side == "source" { Wins::Source } else { Wins::Target };
    Answer::Take { field: FieldName::from(""), wins, mark: String::new() }
}

/// The answer as it is given to this very hold.
fn given_to(hold: &Hold, answer: &Answer) -> Answer {
    match (answer, &hold.cause) {
        (Answer::Take { wins, .. }, Cause::Conflict { field, mark, .. }) => {
            Answer::Take { field: field.clone(), wins: *wins, mark: mark.clone() }
        }
        (Answer::Edit { field, value, .. }, cause) if cause.field() == Some(field) => {
            Answer::Edit { field: field.clone(), value: value.clone(), of: hold.value.clone().map(Box::new) }
        }
        (answer, _) => answer.clone(),
    }
}

/// `FIELD=VALUE` as an answer.
pub(super) fn edited(text: &str) -> Result<Answer, Vec<Problem>> {
    match text.split_once('=') {
        Some((field, value)) => {
            Ok(Answer::Edit { field: FieldName::from(field.trim()), value: Value::text(value), of: None })
        }
        None => {
            Err(vec![Problem::new("edit", "an edit names a field and its value").hint("--edit email=ana@example.com")])
        }
    }
}

async fn answer_command(
    session: &Session,
    global: &Global,
    which: &str,
    answer: &Answer,
    how: &How,
    output: &Output,
) -> Done {
    let store = session.store().await?;
    let outcome = answer_held(session, global, &store, (which, answer), how, output).await;
    let outcome = session.spent(&store, outcome).await;
    let outcome = Session::closed(store, outcome).await?;
    outcome.say(output);
    Ok(outcome.queue.exit())
}

async fn answer_held(
    session: &Session,
    global: &Global,
    store: &Store,
    (which, answer): (&str, &Answer),
    how: &How,
    output: &Output,
) -> Result<Answered, Vec<Problem>> {
    let mut rows = queue::rows(store, &filter_of(which)?).await?;
    if rows.is_empty() {
        return Err(vec![not_held(which)]);
    }
    // What people report has an answer of its own: the others are not meant for it.
    let is_meant = |row: &HeldRow| report::is_report(row) == (*answer == Answer::Close);
    if rows.iter().any(|(row, _)| is_meant(row)) {
        rows.retain(|(row, _)| is_meant(row));
    }
    let given: Vec<(HeldRow, Answer, String)> =
        rows.into_iter().map(|(row, _)| (row, answer.clone(), how.comment.clone())).collect();
    carry_answers(session, global, store.clone(), given, how.reviewer.clone(), how.later, output).await
}

/// What answering brought about.
pub(crate) struct Answered {
    pub(crate) answered: u64,
    pub(crate) report: Option<Report>,
    pub(crate) queue: Queue,
}

impl Answered {
    /// Tells it to people or as JSON.
    pub(super) fn say(&self, output: &Output) {
        output.value(&json!({
            "answered": self.answered,
            "objects": self.report.as_ref().map(objects_json),
            "holds": self.queue.json(),
        }));
        output.say(&format!("{} answered.", plural(self.answered, "hold")));
        if let Some(report) = &self.report {
            output.say(&super::run::objects_table(report));
        }
        if !self.queue.groups.is_empty() {
            output.say("\nStill held:");
            output.say(&self.queue.table());
        }
    }
}

/// Records answers, extends the tables, and carries out those records and what waits for them.
pub(crate) async fn carry_answers(
    session: &Session,
    global: &Global,
    store: Store,
    given: Vec<(HeldRow, Answer, String)>,
    reviewer: String,
    later: bool,
    output: &Output,
) -> Result<Answered, Vec<Problem>> {
    let failed = |error: handover_store::Error| vec![failure::store(&error)];
    session.bind(&store).await?;
    answers::check(session, &store, &given).await?;
    answers::extend_tables(session, &given)?;
    let mut commit = Commit { at: session.clock.now(), ..Commit::default() };
    let mut wanted: BTreeMap<FlowName, BTreeSet<RecordId>> = BTreeMap::new();
    let mut entries: BTreeMap<FlowName, Entry> = BTreeMap::new();
    for (row, answer, comment) in &given {
        let hold = &row.hold;
        let answer = &given_to(hold, answer);
        if *answer == Answer::Close {
            commit.closed.push((hold.flow.clone(), hold.record.clone()));
            if matches!(hold.cause, Cause::Reported { stop: true, .. }) {
                // What was stopped is looked at on both sides, as it is then.
                commit.kept.push(handover_engine::looked_at_anew(&hold.flow));
            }
        } else {
            wanted.entry(hold.flow.clone()).or_default().insert(hold.record.clone());
            commit.answers.push(GivenAnswer {
                flow: hold.flow.clone(),
                record: hold.record.clone(),
                answer: answer.clone(),
                reviewer: reviewer.clone(),
                comment: comment.clone(),
            });
        }
        let entry = entries.entry(hold.flow.clone()).or_insert_with(|| Entry {
            kind: "answered".to_owned(),
            flow: Some(hold.flow.clone()),
            note: json!({"reviewer": reviewer}),
            items: Vec::new(),
        });
        let values = json!({"answer": answer, "cause": hold.cause, "reviewer": reviewer, "comment": comment});
        entry.items.push(Item { record: hold.record.clone(), values: values.into() });
    }
    commit.entries = entries.into_values().collect();
    store.commit(commit).await.map_err(failed)?;
    let report =
        if later || wanted.is_empty() { None } else { Some(process(global, &store, wanted, output, session).await?) };
    let queue = Queue::of(&store).await?;
    Ok(Answered { answered: given.len() as u64, report, queue })
}

/// Processes only these records and the children that wait for them, under the project as it is now.
async fn process(
    global: &Global,
    store: &Store,
    wanted: BTreeMap<FlowName, BTreeSet<RecordId>>,
    output: &Output,
    session: &Session,
) -> Result<Report, Vec<Problem>> {
    let project = config::Project::load(&global.project)?;
    let sources = &project.sources;
    let setup = session.setup(session.engine_project_of(&project, session.systems.clone())).await?;
    let place = session.workplace(store.clone(), Progress::watch(output.telling(), &session.systems));
    let pass = Pass::begin(setup, &place, "release", stop_on_request(output))
        .await
        .map_err(|error| failure::engine(&error, sources))?;
    let report = pass.run(&Selection::Only(wanted)).await.map_err(|error| failure::engine(&error, sources))?;
    session.close().map_err(|problem| vec![problem])?;
    Ok(report)
}

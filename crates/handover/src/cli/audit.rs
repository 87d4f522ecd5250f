//! `handover audit`: the ledger.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Subcommand;
use handover_model::{FlowName, From, RecordId, Rule};
use handover_store::{Error, Store, Told};
use serde_json::{Value as Json, json};

use super::holds::record_name;
use super::output::{count, plural};
use super::session::Session;
use super::{Done, Global, Output, failure, plain};
use crate::kept::{Recipients, Sealed};
use crate::problem::{Exit, Problem};

/// Options of `audit`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handover audit verify
  handover audit show persons/42
  handover audit export --format csv --out ledger.csv
  handover audit export --out ledger.jsonl.age --encrypt-to age1...
  handover audit erase persons/42 --who \"Ana Silva\" --reason \"request of 2026-11-03\"")]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Check the hash chain; name the first broken row
    Verify,
    /// Tell one record's story in plain words
    Show {
        /// FLOW/ID of the source record
        record: String,
    },
    /// Write the whole ledger out
    Export {
        /// jsonl or csv
        #[arg(long, value_parser = ["jsonl", "csv"], default_value = "jsonl")]
        format: String,
        /// The file; standard output when absent
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        to: Recipients,
    },
    /// Erase a person's values from ledger, staging and queue; the chain still verifies
    Erase {
        /// FLOW/ID of the source record
        record: String,
        /// Who asked for it (no personal data of the erased)
        #[arg(long)]
        who: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// Runs the command.
pub(crate) async fn run(global: &Global, options: &Options, output: &Output) -> Done {
    let session = Session::open(&global.project)?;
    match &options.action {
        Action::Verify => verify(&session, output).await,
        Action::Show { record } => show(&session, record, output).await,
        Action::Export { format, out, to } => export(&session, format, out.as_deref(), to, output).await,
        Action::Erase { record, who, reason } => erase(&session, record, who, reason, output).await,
    }
}

async fn verify(session: &Session, output: &Output) -> Done {
    let store = session.store_reading().await?;
    match store.verify(|_, _| {}).await {
        Ok(verified) => {
            output.value(&json!({"entries": verified.entries, "items": verified.items, "erased": verified.erased}));
            output.say(&format!(
                "The ledger is whole: {} rows, {} records told of, {} erased.",
                count(verified.entries),
                count(verified.items),
                count(verified.erased)
            ));
            Ok(Exit::Done)
        }
        Err(error @ Error::Broken { .. }) => Err(vec![
            failure::store(&error)
                .exit(Exit::Guard)
                .state("the rows before it are as they were written")
                .hint("compare with a backup of the state; rows after it prove nothing until then"),
        ]),
        Err(error) => Err(vec![failure::store(&error)]),
    }
}

async fn show(session: &Session, record: &str, output: &Output) -> Done {
    let store = session.store_reading().await?;
    let (flow, id) = record_name(record)?;
    let story = store.story(&flow, &id).await.map_err(|error| vec![failure::store(&error)])?;
    if story.is_empty() {
        return Err(vec![
            Problem::new("no_story", format!("the ledger tells nothing of {record}"))
                .hint("a record is named FLOW/ID, with the id that the source gives it"),
        ]);
    }
    output.value(&json!({"record": record, "story": story.iter().map(told_json).collect::<Vec<_>>()}));
    let rules = rules(&store, &flow, &story).await?;
    for told in &story {
        output.say(&tell(told, &id, rules.get(&told.pass)));
    }
    Ok(Exit::Done)
}

fn told_json(told: &Told) -> Json {
    json!({
        "seq": told.seq,
        "at": told.at.to_string(),
        "pass": told.pass,
        "kind": told.kind,
        "flow": told.flow,
        "note": told.note,
        "values": told.values,
        "erased": told.values.is_none(),
    })
}

/// One ledger row in plain words.
pub(super) fn tell(told: &Told, record: &RecordId, rules: Option<&Vec<Rule>>) -> String {
    let Some(values) = &told.values else {
        return format!("{}  row {}: {} (its values were erased)", plain::moment(told.at), told.seq, told.kind);
    };
    let mut text = format!("{}  row {}, pass {}: ", plain::moment(told.at), told.seq, told.pass);
    match told.kind.as_str() {
        "decided" => {
            let mode = told.note["mode"].as_str().unwrap_or("write");
            text.push_str(&format!("{record} was read and judged: {mode}"));
            if let Some(by) = values["match"].as_str() {
                text.push_str(&format!(", found in the target by {by}"));
            }
            text.push_str("\n  read from the source:");
            list(&mut text, &values["source"], None, None);
            text.push_str("\n  sent to the target:");
            list(&mut text, &values["write"], Some(&values["before"]), rules);
            if let Some(left_out) = values["links_left_out"].as_array() {
                for link in left_out {
                    text.push_str(&format!("\n  link left out: {}", link.as_str().unwrap_or_default()));
                }
            }
        }
        "confirmed" => text.push_str(&format!(
            "the target confirmed: {} as {}",
            values["outcome"].as_str().unwrap_or_default(),
            values["target"].as_str().unwrap_or_default()
        )),
        "held" => tell_held(&mut text, values),
        "unchanged" => tell_unchanged(&mut text, values),
        "skipped" => text.push_str("left out, as somebody answered"),
        "merged" => tell_merged(&mut text, values),
        "answered" => {
            text.push_str(&format!(
                "{} answered: {}",
                who(values, "reviewer"),
                serde_json::from_value(values["answer"].clone())
                    .map_or_else(|_| values["answer"].to_string(), |answer| plain::answer(&answer))
            ));
            if let Some(comment) = values["comment"].as_str().filter(|comment| !comment.is_empty()) {
                text.push_str(&format!(" ({comment})"));
            }
        }
        "given" => text.push_str(&format!(
            "{} puts it into {} care",
            who(values, "reviewer"),
            plain::whose(values["owner"].as_str())
        )),
        "reported" => text.push_str(&format!("{} says that it is wrong: {}", who(values, "by"), word(values, "text"))),
        "differs" | "agrees" => {
            let again = if told.kind == "differs" { "differ on both sides" } else { "agree again" };
            let fields = values["fields"].as_array().into_iter().flatten().filter_map(Json::as_str);
            text.push_str(&format!("looked at again: {} {again}", fields.collect::<Vec<_>>().join(", ")));
        }
        "linked" => text.push_str(&format!(
            "linked: {} to {}",
            values["field"].as_str().unwrap_or_default(),
            values["to"].as_str().unwrap_or_default()
        )),
        "overtaken" => {
            text.push_str("the write was interrupted, and the record was changed meanwhile: it is judged again")
        }
        "erased" => text.push_str(&format!(
            "the values before this row were erased; asked for by {}: {}",
            told.note["who"].as_str().unwrap_or_default(),
            told.note["why"].as_str().unwrap_or_default()
        )),
        _ if tell_vanished(&mut text, told, values) => {}
        kind => text.push_str(&format!("{kind} {values}")),
    }
    text
}

/// A record that shares the counterpart of another one.
fn tell_merged(text: &mut String, values: &Json) {
    let of = Some(word(values, "merged_into")).filter(|of| !of.is_empty()).unwrap_or("another record");
    text.push_str(&format!("it has the counterpart {} of {of} too", word(values, "target")));
}

/// A record of which nothing was to be written.
fn tell_unchanged(text: &mut String, values: &Json) {
    match (word(values, "scope"), word(values, "target")) {
        ("left", _) => {
            text.push_str("the mapping's condition does not hold for it any more: nothing of it is carried");
        }
        (_, target) => text.push_str(&format!("nothing is to be written to {target}")),
    }
    if values["causes"].is_array() {
        text.push_str("; ");
        tell_held(text, values);
    }
}

/// Why a record was held.
fn tell_held(text: &mut String, values: &Json) {
    text.push_str("held:");
    for cause in values["causes"].as_array().into_iter().flatten() {
        match serde_json::from_value::<handover_model::Cause>(cause.clone()) {
            Ok(cause) => text.push_str(&format!("\n  {}", cause.sentence())),
            Err(_) => text.push_str(&format!("\n  {cause}")),
        }
    }
}

/// A ledger row about a record that vanished; whether it is one.
fn tell_vanished(text: &mut String, told: &Told, values: &Json) -> bool {
    match told.kind.as_str() {
        "vanished" => text.push_str(&format!("missed in the {}: {}", word(values, "side"), word(values, "record"))),
        "returned" if values["way_back"].is_string() => {
            text.push_str(&format!("what changed in the target went back: {}", word(values, "way_back")))
        }
        "returned" => {
            text.push_str(&format!("there again in the {}: {}", word(values, "side"), word(values, "record")))
        }
        "followed" => text.push_str(&format!(
            "{} of the {} is part of {} now",
            word(values, "record"),
            word(values, "side"),
            word(values, "into")
        )),
        "removing" => {
            let how = told.note["how"].as_str().unwrap_or_default();
            text.push_str(&format!("its counterpart {} is about to be {}", word(values, "record"), removed(how)));
            if let Some(into) = values["into"].as_str() {
                text.push_str(&format!(" into {into}"));
            }
            text.push_str("\n  it said until then:");
            list(text, &values["before"], None, None);
        }
        "removed" => match (values["how"].as_str().unwrap_or_default(), word(values, "record")) {
            ("nothing", _) => text.push_str("no counterpart is left of it"),
            (how, record) => text.push_str(&format!("its counterpart {record} was {}", removed(how))),
        },
        "kept" => text.push_str(&format!("its counterpart {} stays as it is", word(values, "record"))),
        _ => return false,
    }
    true
}

fn word<'v>(values: &'v Json, name: &str) -> &'v str {
    values[name].as_str().unwrap_or_default()
}

/// Who did it, as far as they said.
fn who<'v>(values: &'v Json, name: &str) -> &'v str {
    Some(word(values, name)).filter(|who| !who.is_empty()).unwrap_or("somebody")
}

fn removed(how: &str) -> &str {
    match how {
        "delete" => "deleted",
        "mark" => "marked",
        "merge" => "merged",
        how => how,
    }
}

/// Fields with their values, blank ones left out; of a write what was there before, and the rule.
fn list(text: &mut String, values: &Json, before: Option<&Json>, rules: Option<&Vec<Rule>>) {
    let show = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for (name, value) in values.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        text.push_str(&format!("\n    {name}: {}", show(value)));
        if let Some(was) = before.map(|before| &before[name]).filter(|was| !was.is_null()) {
            text.push_str(&format!(" (was {})", show(was)));
        }
        if let Some(rule) = rules.and_then(|rules| rules.iter().find(|rule| rule.target == **name)) {
            text.push_str(&format!("  <- {}", rule_in_words(rule)));
        }
    }
}

/// `phones -> primary -> phone`, `stage_id -> deal_stages.csv`.
pub(super) fn rule_in_words(rule: &Rule) -> String {
    let mut words = vec![match &rule.from {
        From::Fields(fields) => fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "),
        From::Expression(_) => format!("the expression in {}", rule.place),
        From::Constant(_) => "the same for all".to_owned(),
    }];
    words.extend(rule.steps.iter().map(|step| step.name.clone()));
    words.extend(rule.table.iter().map(|table| format!("{table}.csv")));
    words.join(" -> ")
}

/// The flow's rules as they were in force in the passes that the story tells of.
pub(super) async fn rules(
    store: &Store,
    flow: &FlowName,
    story: &[Told],
) -> Result<BTreeMap<i64, Vec<Rule>>, Vec<Problem>> {
    let mut found = BTreeMap::new();
    for told in story {
        if found.contains_key(&told.pass) {
            continue;
        }
        let begun = store.pass_begun(told.pass).await.map_err(|error| vec![failure::store(&error)])?;
        let Some(entry) = begun else { continue };
        let rules = serde_json::from_value(entry.note["rules"][flow.as_str()].clone()).unwrap_or_default();
        found.insert(told.pass, rules);
    }
    Ok(found)
}

async fn export(
    session: &Session,
    format: &str,
    out: Option<&std::path::Path>,
    to: &Recipients,
    output: &Output,
) -> Done {
    let store = session.store_reading().await?;
    let failed = |error: std::io::Error| vec![unwritten(&error)];
    let mut target = to.open(out, &|error| unwritten(error)).map_err(|problem| vec![problem])?;
    let rows = if format == "csv" {
        export_csv(&store, &mut target).await?
    } else {
        export_lines(&store, &mut target).await?
    };
    target.finish().map_err(failed)?;
    if let Some(file) = out {
        output.note(&format!("{} rows written to {}", count(rows), file.display()));
    }
    Ok(Exit::Done)
}

fn unwritten(error: &(dyn std::error::Error + 'static)) -> Problem {
    Problem::new("export", "the ledger could not be written out")
        .because(error)
        .state("the ledger itself is as it was")
        .hint("give `--out` a file in a folder that exists and has room")
}

async fn export_lines(store: &Store, target: &mut Sealed) -> Result<u64, Vec<Problem>> {
    let failed = |error: std::io::Error| vec![unwritten(&error)];
    let (mut after, mut rows) = (0, 0);
    loop {
        let page = store.entries(after, 500).await.map_err(|error| vec![failure::store(&error)])?;
        let Some(last) = page.last() else { return Ok(rows) };
        after = last.seq;
        for entry in page {
            rows += 1;
            let items: Vec<Json> =
                entry.items.iter().map(|(record, values)| json!({"record": record, "values": values})).collect();
            let line = json!({"seq": entry.seq, "writer": entry.writer, "at": entry.at.to_string(), "pass": entry.pass, "kind": entry.kind, "flow": entry.flow, "note": entry.note, "hash": entry.hash, "items": items});
            writeln!(target, "{line}").map_err(failed)?;
        }
    }
}

async fn export_csv(store: &Store, target: &mut Sealed) -> Result<u64, Vec<Problem>> {
    let failed = |error: csv::Error| vec![unwritten(&error)];
    let mut writer = csv::Writer::from_writer(target);
    writer
        .write_record(["seq", "writer", "at", "pass", "kind", "flow", "record", "values", "note", "hash"])
        .map_err(failed)?;
    let (mut after, mut rows) = (0, 0);
    loop {
        let page = store.entries(after, 500).await.map_err(|error| vec![failure::store(&error)])?;
        let Some(last) = page.last() else {
            writer.flush().map_err(|error| failed(error.into()))?;
            return Ok(rows);
        };
        after = last.seq;
        for entry in page {
            for (record, values) in &entry.items {
                rows += 1;
                let values = values.as_ref().map(ToString::to_string).unwrap_or_default();
                let flow = entry.flow.as_ref().map(ToString::to_string).unwrap_or_default();
                writer
                    .write_record([
                        entry.seq.to_string(),
                        entry.writer.to_string(),
                        entry.at.to_string(),
                        entry.pass.to_string(),
                        entry.kind.clone(),
                        flow,
                        record.to_string(),
                        values,
                        entry.note.to_string(),
                        entry.hash.clone(),
                    ])
                    .map_err(failed)?;
            }
        }
    }
}

async fn erase(session: &Session, record: &str, who: &str, reason: &str, output: &Output) -> Done {
    let store = session.store().await?;
    let (flow, id) = record_name(record)?;
    let erased =
        store.erase(&flow, &id, session.clock.now(), who, reason).await.map_err(|error| vec![failure::store(&error)]);
    let erased = Session::closed(store, erased).await?;
    output.value(&json!({"record": record, "erased": erased}));
    output.say(&match erased {
        0 => format!("The ledger tells no values of {record}; staging and queue have none either now."),
        _ => format!("The values of {record} were erased from {} of the ledger and from staging and queue. The chain still verifies.", plural(erased, "row")),
    });
    output.say("The records in the CRMs themselves are not touched.");
    Ok(Exit::Done)
}

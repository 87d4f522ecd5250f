//! `handover verify`: reads both systems anew and compares everything.

use std::io::Write as _;
use std::path::PathBuf;

use askama::Template;
use handover_engine::verify::{FlowVerified, ObjectVerified, Total, Verification, verify};
use handover_model::FlowName;
use handover_store::Store;
use serde_json::json;

use super::output::{count, plural, table};
use super::progress::Progress;
use super::session::Session;
use super::{Done, Global, Output, failure};
use crate::kept::Recipients;
use crate::problem::{Exit, Problem};

/// Options of `verify`.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  handover verify\n  handover verify --html report.html    a page to read, print and file\n  handover verify --html report.html.age --encrypt-to age1...\n\nExit code 4 when anything differs."
)]
pub(crate) struct Options {
    /// Write the report as one self-contained HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    to: Recipients,
}

/// The report as a page. It brings everything along and forbids the browser to load anything.
#[derive(Template)]
#[template(path = "verify.html")]
struct Page<'a> {
    project: &'a str,
    at: String,
    verdict: String,
    found: &'a Verification,
    /// By object: in the source, read, and the outcomes.
    objects: Vec<(String, Vec<String>)>,
    /// By flow: what was compared.
    flows: Vec<(String, Vec<String>)>,
    agreeing: String,
    /// By flow, in the order of the flows.
    totals: Vec<(&'a FlowName, Vec<&'a Total>)>,
}

impl<'a> Page<'a> {
    fn of(project: &'a str, at: String, found: &'a Verification) -> Self {
        let held: u64 = found.objects.iter().map(|object| object.counts.held).sum();
        let differ = match found.differences.len() as u64 {
            0 => "Nothing differs.".to_owned(),
            many => format!("{}.", plural(many, "difference")),
        };
        let wait = match held {
            0 => String::new(),
            1 => " 1 record is held and waits for an answer.".to_owned(),
            many => format!(" {} records are held and wait for an answer.", count(many)),
        };
        let mut totals: Vec<(&FlowName, Vec<&Total>)> = Vec::new();
        for total in &found.totals {
            match totals.last_mut().filter(|(flow, _)| **flow == total.flow) {
                Some((_, group)) => group.push(total),
                None => totals.push((&total.flow, vec![total])),
            }
        }
        Self {
            project,
            at,
            verdict: differ + &wait,
            found,
            objects: found.objects.iter().map(object_row).collect(),
            flows: found.flows.iter().map(flow_row).collect(),
            agreeing: agreeing(found),
            totals,
        }
    }
}

impl Page<'_> {
    /// A number with commas; anything else as it is.
    #[expect(clippy::unused_self, reason = "the template calls it")]
    fn grouped(&self, text: &str) -> String {
        let (whole, rest) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
        let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
        match (digits.parse::<u64>(), rest) {
            (Ok(number), None) => format!("{sign}{}", count(number)),
            (Ok(number), Some(rest)) => format!("{sign}{}.{rest}", count(number)),
            (Err(_), _) => text.to_owned(),
        }
    }
}

fn object_row(object: &ObjectVerified) -> (String, Vec<String>) {
    let counts = &object.counts;
    let numbers = [
        object.in_source,
        counts.read,
        counts.created,
        counts.updated,
        counts.unchanged,
        counts.merged,
        counts.held,
        counts.skipped,
        counts.excluded,
        counts.pending,
    ];
    (format!("{}.{}", object.system, object.object), numbers.map(count).to_vec())
}

fn flow_row(flow: &FlowVerified) -> (String, Vec<String>) {
    let numbers = [flow.records, flow.fields, flow.links, flow.files, flow.changed_since];
    (flow.flow.to_string(), numbers.map(count).to_vec())
}

fn agreeing(found: &Verification) -> String {
    let agreeing = found.totals.iter().filter(|total| total.agrees).count();
    let (agreeing, all) = (count(agreeing as u64), count(found.totals.len() as u64));
    format!("{agreeing} of {all} totals agree (fill rates, sums by currency, dates, distributions).")
}

/// Runs the command.
pub(crate) async fn run(global: &Global, options: &Options, output: &Output) -> Done {
    options.to.check(options.html.as_deref()).map_err(|problem| vec![problem])?;
    let session = Session::open(&global.project)?;
    let found = compare(&session, output).await?;
    if let Some(file) = &options.html {
        write_page(&session, &found, file, &options.to)?;
    }
    output.value(&json!({"verify": summary(&found), "report": found}));
    say(&found, output);
    session.close().map_err(|problem| vec![problem])?;
    Ok(if found.differences.is_empty() { Exit::Done } else { Exit::Guard })
}

/// Verifies the project's state against both systems.
pub(crate) async fn compare(session: &Session, output: &Output) -> Result<Verification, Vec<Problem>> {
    let store = session.store().await?;
    let found = compared(session, &store, output).await;
    let found = session.spent(&store, found).await;
    Session::closed(store, found).await
}

async fn compared(session: &Session, store: &Store, output: &Output) -> Result<Verification, Vec<Problem>> {
    session.bind(store).await?;
    let setup = session.setup(session.engine_project(session.systems.clone())).await?;
    let place = session.workplace(store.clone(), Progress::watch(output.telling(), &session.systems));
    verify(setup, &place).await.map_err(|error| failure::engine(&error, &session.project.sources))
}

/// Writes the report as a page.
pub(crate) fn write_page(
    session: &Session,
    found: &Verification,
    file: &std::path::Path,
    to: &Recipients,
) -> Result<(), Vec<Problem>> {
    let at = session.clock.now().strftime("%-d %B %Y, %H:%M UTC").to_string();
    let page = Page::of(&session.project.name, at, found);
    let text =
        page.render().map_err(|error| vec![Problem::ours("report", "the report could not be made").because(&error)])?;
    let unwritten = |error: &std::io::Error| {
        Problem::new("report", format!("{} could not be written", file.display()))
            .because(error)
            .state("both systems were compared; nothing was changed")
            .hint("give `--html` a file in a folder that exists and has room")
    };
    let mut sealed = to.open(Some(file), &unwritten).map_err(|problem| vec![problem])?;
    sealed.write_all(text.as_bytes()).and_then(|()| sealed.finish()).map_err(|error| vec![unwritten(&error)])
}

/// The sums of a verification.
pub(crate) fn summary(found: &Verification) -> serde_json::Value {
    let sum = |of: fn(&FlowVerified) -> u64| found.flows.iter().map(of).sum::<u64>();
    json!({
        "records": sum(|flow| flow.records),
        "fields": sum(|flow| flow.fields),
        "links": sum(|flow| flow.links),
        "files": sum(|flow| flow.files),
        "differences": found.differences.len(),
    })
}

/// The verification for people.
pub(crate) fn say(found: &Verification, output: &Output) {
    let rows: Vec<Vec<String>> = found
        .flows
        .iter()
        .map(|flow| {
            let (name, numbers) = flow_row(flow);
            std::iter::once(name).chain(numbers).collect()
        })
        .collect();
    output.say(&table(&["flow", "records", "fields", "links", "files", "changed since"], &rows));
    output.say(&format!("\n{}", agreeing(found)));
    if found.differences.is_empty() {
        output.say("Nothing differs.");
        return;
    }
    output.say(&format!("{} found:\n", plural(found.differences.len() as u64, "difference")));
    let lines: Vec<Vec<String>> = found
        .differences
        .iter()
        .map(|difference| {
            let id =
                |id: &Option<handover_model::RecordId>| id.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
            vec![
                difference.kind.clone(),
                difference.flow.to_string(),
                id(&difference.source),
                id(&difference.target),
                difference.field.as_ref().map(ToString::to_string).unwrap_or_default(),
                short(&difference.expected),
                short(&difference.actual),
            ]
        })
        .collect();
    output.say(&table(&["kind", "flow", "source", "target", "field", "expected", "is"], &lines));
}

fn short(text: &str) -> String {
    let line = text.replace(['\n', '\r'], " ");
    if line.chars().count() <= 60 { line } else { format!("{}...", line.chars().take(57).collect::<String>()) }
}

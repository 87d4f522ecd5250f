//! `handover verify`: reads both systems anew and compares everything.

use std::path::PathBuf;

use askama::Template;
use handover_engine::verify::{Verification, verify};
use handover_store::Store;
use serde_json::json;

use super::output::{count, plural, table};
use super::progress::Progress;
use super::session::Session;
use super::{Done, Global, Output, failure};
use crate::problem::{Exit, Problem};

/// Options of `verify`.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  handover verify\n  handover verify --html report.html    a page to read, print and file\n\nExit code 4 when anything differs."
)]
pub(crate) struct Options {
    /// Write the report as one self-contained HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// The report as a page.
#[derive(Template)]
#[template(path = "verify.html")]
struct Page<'a> {
    project: &'a str,
    at: String,
    found: &'a Verification,
    held: u64,
}

/// Runs the command.
pub(crate) async fn run(global: &Global, options: &Options, output: &Output) -> Done {
    let session = Session::open(&global.project)?;
    let found = compare(&session, output).await?;
    if let Some(file) = &options.html {
        write_page(&session, &found, file)?;
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
    Session::closed(store, found).await
}

async fn compared(session: &Session, store: &Store, output: &Output) -> Result<Verification, Vec<Problem>> {
    session.bind(store).await?;
    let setup = session.setup(session.engine_project(session.systems.clone())).await?;
    let place = session.workplace(store.clone(), Progress::watch(output.shows_progress(), &session.systems));
    verify(setup, &place).await.map_err(|error| failure::engine(&error, &session.project.sources))
}

/// Writes the report as a page.
pub(crate) fn write_page(session: &Session, found: &Verification, file: &std::path::Path) -> Result<(), Vec<Problem>> {
    let held = found.objects.iter().map(|object| object.counts.held).sum();
    let page = Page {
        project: &session.project.name,
        at: session.clock.now().strftime("%-d %B %Y, %H:%M UTC").to_string(),
        found,
        held,
    };
    let text =
        page.render().map_err(|error| vec![Problem::ours("report", "the report could not be made").because(&error)])?;
    std::fs::write(file, text).map_err(|error| {
        vec![Problem::new("report", format!("{} could not be written", file.display())).because(&error)]
    })
}

/// The sums of a verification.
pub(crate) fn summary(found: &Verification) -> serde_json::Value {
    let sum = |of: fn(&handover_engine::verify::FlowVerified) -> u64| found.flows.iter().map(of).sum::<u64>();
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
            vec![
                flow.flow.to_string(),
                count(flow.records),
                count(flow.fields),
                count(flow.links),
                count(flow.files),
                count(flow.changed_since),
            ]
        })
        .collect();
    output.say(&table(&["flow", "records", "fields", "links", "files", "changed since"], &rows));
    let agreeing = found.totals.iter().filter(|total| total.agrees).count();
    output.say(&format!(
        "\n{} of {} totals agree (fill rates, sums by currency, dates, distributions).",
        count(agreeing as u64),
        count(found.totals.len() as u64)
    ));
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

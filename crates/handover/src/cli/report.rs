//! `handover holds report`: a person says that a record is wrong.
//!
//! Invariants:
//! - A report stays until somebody closes it. It keeps nothing from being carried, unless it stops the record: then
//!   the record waits, both ways, as one does whose cohort has not begun.
//! - What was said is a value like others: in the queue and in the ledger's values, where erasing finds it.

use handover_model::{Cause, FlowName, Hold, RecordId, Value};
use handover_store::{CohortRow, Commit, Entry, HeldRow, Item, Store};
use serde_json::json;

use super::session::Session;
use super::{Done, Output, audit, failure, record};
use crate::problem::{Exit, Problem};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  handover holds report persons/42 --text \"the number is a fax\" --owner Ben
  handover holds report ana@example.com --text \"she left the company\" --reviewer \"Ana Silva\"
  handover holds report persons/42 --text \"two people in one record\" --stop

The record is carried on as before; with --stop nothing of it is, in its flow, until the report is closed.
`handover holds answer FLOW/ID --close` ends the report; the next pass carries what was stopped, as it is then.")]
pub(super) struct Report {
    /// FLOW/ID, or an id, an e-mail address or a name that only one customer has
    record: String,
    /// What is wrong
    #[arg(long)]
    text: String,
    /// Carry nothing of the record, either way, until the report is closed
    #[arg(long)]
    stop: bool,
    /// Who looks into it
    #[arg(long)]
    owner: Option<String>,
    /// Who says so (written into the ledger)
    #[arg(long, env = "HANDOVER_REVIEWER", default_value = "")]
    reviewer: String,
}

/// Whether a hold is what a person reported.
pub(super) fn is_report(row: &HeldRow) -> bool {
    matches!(row.hold.cause, Cause::Reported { .. })
}

/// The place of a record that waits from now on, in the cohort in which it is.
async fn waiting(store: &Store, flow: &FlowName, id: &RecordId) -> Result<CohortRow, handover_store::Error> {
    let ids = std::slice::from_ref(id);
    if let Some(had) = store.cohorts_of(flow, ids).await?.remove(id) {
        return Ok(CohortRow { waits: true, ..had });
    }
    let block = store.rows(flow, ids).await?.get(id).map_or(0, |row| row.block);
    Ok(CohortRow { flow: flow.clone(), record: id.clone(), cohort: None, waits: true, block })
}

/// Files a report and tells the record's story.
pub(super) async fn file(session: &Session, report: &Report, output: &Output) -> Done {
    if report.text.trim().is_empty() {
        return Err(vec![Problem::new("report", "the report says nothing").hint("--text \"what is wrong\"")]);
    }
    let failed = |error: handover_store::Error| vec![failure::store(&error)];
    let store = session.store().await?;
    let filed = async {
        let found = record::one(session, &store, &report.record, None).await?;
        // Who names a flow means its record; else the first flow that carries the customer.
        let named = found.rows.iter().find(|(flow, id)| report.record == format!("{flow}/{id}"));
        let Some((flow, id)) = named.or(found.rows.first()).cloned() else {
            return Err(vec![record::unknown()]);
        };
        if report.stop && handover_engine::forth_of(&flow).is_some() {
            return Err(vec![
                Problem::new("report", format!("{flow}/{id} goes back by itself: it cannot be stopped"))
                    .state("nothing was reported")
                    .hint("report it without --stop"),
            ]);
        }
        let title = record::title_of(&store, &found).await?;
        let at = session.clock.now();
        let (by, owner) = (report.reviewer.clone(), report.owner.clone());
        let object = session.project.flow(&flow).map(|flow| flow.source.object.clone());
        let hold = Hold {
            flow: flow.clone(),
            object: object.unwrap_or_else(|| found.start.1.clone()),
            record: id.clone(),
            title,
            cause: Cause::Reported { at, by: by.clone(), owner: owner.clone(), stop: report.stop },
            value: Some(Value::text(&report.text)),
            announced: true,
        };
        let values = json!({"text": report.text, "by": by, "owner": owner, "stop": report.stop}).into();
        let entry = Entry {
            kind: "reported".to_owned(),
            flow: Some(flow.clone()),
            note: json!({}),
            items: vec![Item { record: id.clone(), values }],
        };
        let cohorts = if report.stop { vec![waiting(&store, &flow, &id).await.map_err(failed)?] } else { Vec::new() };
        let commit = Commit { at, holds: vec![hold], entries: vec![entry], cohorts, ..Commit::default() };
        store.commit(commit).await.map_err(failed)?;
        let story = store.story(&flow, &id).await.map_err(failed)?;
        let rules = audit::rules(&store, &flow, &story).await?;
        let lines: Vec<String> = story.iter().map(|told| audit::tell(told, &id, rules.get(&told.pass))).collect();
        Ok((format!("{flow}/{id}"), lines))
    };
    let filed = filed.await;
    let (name, story) = Session::closed(store, filed).await?;
    output.value(&json!({"record": name, "owner": report.owner, "stop": report.stop, "story": story}));
    let care = report.owner.as_ref().map_or_else(|| "nobody's care yet".to_owned(), |owner| format!("{owner}'s care"));
    let carried = if report.stop { "nothing of it is carried until then" } else { "it is carried on as before" };
    output.say(&format!("{name} is reported, in {care}; {carried}. Its story so far:\n"));
    story.iter().for_each(|line| output.say(line));
    output.say(&format!("\nWhen it is dealt with: `handover holds answer {name} --close --comment \"...\"`"));
    Ok(Exit::Done)
}

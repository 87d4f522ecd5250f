//! `handover holds report`: a person says that a record is wrong.
//!
//! Invariants:
//! - A report keeps nothing from being carried, and stays until somebody closes it.
//! - What was said is a value like others: in the queue and in the ledger's values, where erasing finds it.

use handover_model::{Cause, Hold, Value};
use handover_store::{Commit, Entry, HeldRow, Item};
use serde_json::json;

use super::session::Session;
use super::{Done, Output, audit, failure, record};
use crate::problem::{Exit, Problem};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  handover holds report persons/42 --text \"the number is a fax\" --owner Ben
  handover holds report ana@example.com --text \"she left the company\" --reviewer \"Ana Silva\"

The record is carried on as before. `handover holds answer FLOW/ID --close` ends the report.")]
pub(super) struct Report {
    /// FLOW/ID, or an id, an e-mail address or a name that only one customer has
    record: String,
    /// What is wrong
    #[arg(long)]
    text: String,
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
        let title = record::title_of(&store, &found).await?;
        let at = session.clock.now();
        let (by, owner) = (report.reviewer.clone(), report.owner.clone());
        let object = session.project.flow(&flow).map(|flow| flow.source.object.clone());
        let hold = Hold {
            flow: flow.clone(),
            object: object.unwrap_or_else(|| found.start.1.clone()),
            record: id.clone(),
            title,
            cause: Cause::Reported { at, by: by.clone(), owner: owner.clone() },
            value: Some(Value::text(&report.text)),
            announced: true,
        };
        let values = json!({"text": report.text, "by": by, "owner": owner}).into();
        let entry = Entry {
            kind: "reported".to_owned(),
            flow: Some(flow.clone()),
            note: json!({}),
            items: vec![Item { record: id.clone(), values }],
        };
        let commit = Commit { at, holds: vec![hold], entries: vec![entry], ..Commit::default() };
        store.commit(commit).await.map_err(failed)?;
        let story = store.story(&flow, &id).await.map_err(failed)?;
        let rules = audit::rules(&store, &flow, &story).await?;
        let lines: Vec<String> = story.iter().map(|told| audit::tell(told, &id, rules.get(&told.pass))).collect();
        Ok((format!("{flow}/{id}"), lines))
    };
    let filed = filed.await;
    let (name, story) = Session::closed(store, filed).await?;
    output.value(&json!({"record": name, "owner": report.owner, "story": story}));
    let care = report.owner.as_ref().map_or_else(|| "nobody's care yet".to_owned(), |owner| format!("{owner}'s care"));
    output.say(&format!("{name} is reported, in {care}; it is carried on as before. Its story so far:\n"));
    story.iter().for_each(|line| output.say(line));
    output.say(&format!("\nWhen it is dealt with: `handover holds answer {name} --close --comment \"...\"`"));
    Ok(Exit::Done)
}

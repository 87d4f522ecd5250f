//! `handover holds give`: who looks into what is held.

use std::collections::BTreeMap;

use handover_model::FlowName;
use handover_store::{Cared, Commit, Entry, Item, Store};
use serde_json::json;

use super::holds::{filter_of, not_held};
use super::output::plural;
use super::queue::{self, Queue};
use super::session::Session;
use super::{Done, Output, failure, plain};
use crate::problem::Problem;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  handover holds give untranslated:deal_stages:17 --to Ben
  handover holds give persons/42 --to ben@example.com --reviewer \"Ana Silva\"
  handover holds give persons/42 --to-nobody

It is theirs for as long as it is held for the same reason; the records go on being held, or carried, as before.")]
pub(super) struct Give {
    /// A group, or FLOW/ID
    which: String,
    /// Who looks into it
    #[arg(long, value_name = "WHO", required_unless_present = "to_nobody", conflicts_with = "to_nobody")]
    to: Option<String>,
    /// Nobody looks into it any more
    #[arg(long)]
    to_nobody: bool,
    /// Who says so (written into the ledger)
    #[arg(long, env = "HANDOVER_REVIEWER", default_value = "")]
    reviewer: String,
}

/// Puts what is held into somebody's care.
pub(super) async fn give(session: &Session, given: &Give, output: &Output) -> Done {
    if given.to.as_ref().is_some_and(|to| to.trim().is_empty()) {
        return Err(vec![Problem::new("owner", "`--to` names nobody").hint("--to Ben, or --to-nobody")]);
    }
    let store = session.store().await?;
    let done = care(session, &store, given).await;
    let (records, queue) = Session::closed(store, done).await?;
    output.value(&json!({"records": records, "owner": given.to, "holds": queue.json()}));
    let whose = plain::whose(given.to.as_deref());
    let are = if records == 1 { "is" } else { "are" };
    output.say(&format!("{} {are} in {whose} care.", plural(records, "record")));
    Ok(queue.exit())
}

async fn care(session: &Session, store: &Store, given: &Give) -> Result<(u64, Queue), Vec<Problem>> {
    session.bind(store).await?;
    let rows = queue::rows(store, &filter_of(&given.which)?).await?;
    if rows.is_empty() {
        return Err(vec![not_held(&given.which)]);
    }
    let mut items: BTreeMap<FlowName, BTreeMap<_, Item>> = BTreeMap::new();
    for (row, _) in &rows {
        let record = row.hold.record.clone();
        let values = json!({"owner": given.to, "before": row.owner, "reviewer": given.reviewer}).into();
        items.entry(row.hold.flow.clone()).or_default().insert(record.clone(), Item { record, values });
    }
    let records = items.values().map(BTreeMap::len).sum::<usize>() as u64;
    let mut commit = Commit { at: session.clock.now(), ..Commit::default() };
    for (flow, items) in items {
        let records = items.keys().cloned().collect();
        commit.cared.push(Cared { flow: flow.clone(), records, owner: given.to.clone() });
        commit.entries.push(Entry {
            kind: "given".to_owned(),
            flow: Some(flow),
            note: json!({"reviewer": given.reviewer}),
            items: items.into_values().collect(),
        });
    }
    store.commit(commit).await.map_err(|error| vec![failure::store(&error)])?;
    Ok((records, Queue::of(store).await?))
}

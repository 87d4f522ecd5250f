//! The conflict queue as a whole: its groups, and which of its records people have accepted.
//!
//! Invariant: a record is accepted while the last answer to it is `accept` and was given after the newest
//! of its causes appeared; a new cause opens it again. An accepted record stays in the queue.

use std::collections::{BTreeMap, BTreeSet};

use handover_model::{Answer, FlowName, RecordId};
use handover_store::{HeldRow, HoldCursor, HoldFilter, HoldGroup, Pass, Store};
use serde_json::{Value as Json, json};

use super::output::{count, held_exit, plural, table};
use super::{Output, failure};
use crate::problem::{Exit, Problem};

/// A record of a flow.
type Name = (FlowName, RecordId);

/// The queue.
pub(crate) struct Queue {
    pub(crate) groups: Vec<HoldGroup>,
    /// By flow and group: accepted records.
    accepted_in: BTreeMap<(FlowName, String), u64>,
    /// Records that nobody has accepted.
    open: u64,
    /// Accepted records.
    accepted: u64,
}

impl Queue {
    /// Reads the queue of a state.
    pub(crate) async fn of(store: &Store) -> Result<Self, Vec<Problem>> {
        let groups = store.hold_groups().await.map_err(|error| vec![failure::store(&error)])?;
        let mut open: BTreeSet<Name> = BTreeSet::new();
        let mut accepted: BTreeMap<Name, BTreeSet<String>> = BTreeMap::new();
        let mut after: Option<HoldCursor> = None;
        loop {
            let page = page(store, &HoldFilter::default(), after.as_ref()).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.cursor.clone());
            for (row, is_accepted) in page {
                let name = (row.hold.flow.clone(), row.hold.record.clone());
                if is_accepted {
                    accepted.entry(name).or_default().insert(row.hold.cause.group());
                } else {
                    open.insert(name);
                }
            }
        }
        accepted.retain(|name, _| !open.contains(name));
        let mut accepted_in = BTreeMap::new();
        for ((flow, _), groups) in &accepted {
            for group in groups {
                *accepted_in.entry((flow.clone(), group.clone())).or_default() += 1;
            }
        }
        Ok(Self { groups, accepted_in, open: open.len() as u64, accepted: accepted.len() as u64 })
    }

    /// Records that nobody has accepted.
    pub(crate) fn open(&self) -> u64 {
        self.open
    }

    /// Whether every held record was accepted by name.
    pub(crate) fn is_settled(&self) -> bool {
        self.open == 0
    }

    /// The exit code that the queue asks for.
    pub(crate) fn exit(&self) -> Exit {
        held_exit(self.open)
    }

    fn accepted(&self, group: &HoldGroup) -> u64 {
        self.accepted_in.get(&(group.flow.clone(), group.group.clone())).copied().unwrap_or(0)
    }

    /// The groups: `[{object, flow, cause, group, count, accepted, waiting, why}]`.
    pub(crate) fn json(&self) -> Json {
        self.groups
            .iter()
            .map(|group| {
                json!({
                    "object": group.object,
                    "flow": group.flow,
                    "cause": group.cause,
                    "group": group.group,
                    "count": group.count,
                    "accepted": self.accepted(group),
                    "waiting": group.waiting,
                    "why": group.sample.cause.sentence(),
                })
            })
            .collect()
    }

    /// The groups for people.
    pub(crate) fn table(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .groups
            .iter()
            .map(|group| {
                vec![
                    group.flow.to_string(),
                    count(group.count),
                    count(self.accepted(group)),
                    count(group.waiting),
                    group.group.clone(),
                    group.sample.cause.sentence(),
                ]
            })
            .collect();
        table(&["flow", "records", "accepted", "waiting", "group", "why"], &rows)
    }

    /// Says what is held and what to do about it.
    pub(crate) fn say(&self, output: &Output) {
        if self.groups.is_empty() {
            output.say("\nNothing is held.");
            return;
        }
        let total = self.open + self.accepted;
        let are = if total == 1 { "is" } else { "are" };
        let accepted = match self.accepted {
            0 => String::new(),
            accepted => format!(", {} of them accepted", count(accepted)),
        };
        output.say(&format!("\n{} {are} held{accepted}:\n", plural(total, "record")));
        output.say(&self.table());
        if !self.is_settled() {
            output.say("\nAnswer a group: `handover holds answer \"GROUP\" ...` (see `handover holds answer --help`).");
        }
    }
}

/// Every held row of a filter, and whether it is accepted.
pub(crate) async fn rows(store: &Store, filter: &HoldFilter) -> Result<Vec<(HeldRow, bool)>, Vec<Problem>> {
    let mut all: Vec<(HeldRow, bool)> = Vec::new();
    let mut after: Option<HoldCursor> = None;
    loop {
        let page = page(store, filter, after.as_ref()).await?;
        let Some((last, _)) = page.last() else { return Ok(all) };
        after = Some(last.cursor.clone());
        all.extend(page);
    }
}

async fn page(
    store: &Store,
    filter: &HoldFilter,
    after: Option<&HoldCursor>,
) -> Result<Vec<(HeldRow, bool)>, Vec<Problem>> {
    let failed = |error: handover_store::Error| vec![failure::store(&error)];
    let rows = store.holds_page(filter, after, 1000).await.map_err(failed)?;
    let mut asked: BTreeMap<FlowName, Vec<RecordId>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.answered) {
        asked.entry(row.hold.flow.clone()).or_default().push(row.hold.record.clone());
    }
    let mut accepted: BTreeSet<Name> = BTreeSet::new();
    for (flow, records) in asked {
        for (record, answers) in store.answers(&flow, &records).await.map_err(failed)? {
            if answers.last().is_some_and(|given| given.answer == Answer::Accept) {
                accepted.insert((flow.clone(), record));
            }
        }
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let is_accepted = row.answered && accepted.contains(&(row.hold.flow.clone(), row.hold.record.clone()));
            (row, is_accepted)
        })
        .collect())
}

/// The last pass that was to carry everything; passes that release single records do not count.
pub(crate) fn last_run(passes: &[Pass]) -> Option<&Pass> {
    passes.iter().rev().find(|pass| pass.kind.starts_with("run"))
}

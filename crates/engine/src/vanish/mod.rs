//! Records that vanish from one side of a flow: deleted, merged into another record, and coming back.
//!
//! A vanished record is noticed (`look`), its crosswalk row follows a merge (`follow`), and what is due of the others
//! (`due`) is carried out (`carry`, `merging`) or asked (`asking`). Both sides of a flow go the same way.
//!
//! Invariants:
//! - Before anything is decided of a vanished record it is asked for by its id, in the pass that decides: what is
//!   there again leaves the list, what became another record is a merge. When it cannot be asked for, nothing is
//!   decided.
//! - A deletion is carried in a later pass than the one that noticed it, at the earliest.
//! - Nothing is carried out above the guard, nor when its number cannot be told.
//! - The intent and what the counterpart said are durable before anything is deleted or merged. A delete is sent
//!   again, a merge never without looking first.

mod asking;
mod carry;
mod due;
mod feed;
mod follow;
mod look;
mod merging;
mod sweep;
mod traces;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handover_connect::{FaultKind, ObjectCapabilities};
use handover_model::{Cause, End, FieldName, FlowName, Kind, Outcome, RecordId, Side};
use handover_store::{Commit, RecordRow};
use serde::Serialize;

use crate::Error;
use crate::pass::Pass;
use crate::setup::Ready;

pub(crate) use asking::candidate;
pub(crate) use due::Answers;
pub(crate) use merging::{MERGE, REMOVE};

/// What a pass did about records that vanished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Vanishings {
    /// Records that were found to be gone.
    pub noticed: u64,
    /// Records that were gone and are there again.
    pub returned: u64,
    /// Records that became another one.
    pub followed: u64,
    /// Questions put to people.
    pub asked: u64,
    /// Counterparts that were deleted.
    pub deleted: u64,
    /// Counterparts that were marked.
    pub marked: u64,
    /// Counterparts that were merged.
    pub merged: u64,
    /// Counterparts that stay as they are.
    pub kept: u64,
}

/// Why nothing was carried out of what vanished in a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tripped {
    /// The flow.
    pub flow: FlowName,
    /// How many deletions and merges were due, or how many links were to be taken away.
    pub due: u64,
    /// How many a pass may carry out.
    pub allowed: u64,
    /// Whether it is about links.
    pub links: bool,
}

/// What a record is that was asked for by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    /// It is there.
    Live,
    /// It is part of this record now.
    Became(RecordId),
    /// It is gone, and nothing tells where to.
    Gone,
}

impl Pass {
    pub(crate) fn vanishings(&self) -> std::sync::MutexGuard<'_, Vanishings> {
        self.vanishings.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The flows that have an object on one of their sides.
    fn places(&self, end: &End) -> Vec<(Arc<Ready>, Side)> {
        let of = |ready: &Arc<Ready>| Side::ALL.map(|side| (ready.clone(), side));
        self.setup.flows.iter().flat_map(of).filter(|(ready, side)| ready.flow.end(*side) == end).collect()
    }

    /// What can be done with an object.
    fn can(&self, end: &End) -> Result<Option<ObjectCapabilities>, Error> {
        let system = self.setup.project.system(&end.system)?;
        Ok(system.capabilities().object(end.object.as_str()).cloned())
    }

    /// The field that names what was merged into a record, if the object has it.
    pub(crate) fn merge_marks(&self, end: &End) -> Result<Option<FieldName>, Error> {
        let Some(name) = self.can(end)?.and_then(|can| can.merge_marks) else { return Ok(None) };
        let schema = self.places(end).into_iter().next().map(|(ready, side)| match side {
            Side::Source => ready.source.field(name).is_some(),
            Side::Target => ready.target.field(name).is_some(),
        });
        Ok((schema == Some(true)).then(|| FieldName::from(name)))
    }

    /// Asks for records by their ids: the evidence without which nothing is decided.
    async fn sought(&self, end: &End, ids: &[RecordId]) -> Result<BTreeMap<RecordId, Found>, Error> {
        let Some(can) = self.can(end)? else { return Ok(BTreeMap::new()) };
        let batch = usize::try_from(can.fetch_batch).unwrap_or(1).max(1);
        let mut all = BTreeMap::new();
        for chunk in ids.chunks(batch) {
            let there = match self.there(end, chunk).await {
                Ok(there) => there,
                // Where nothing can be merged the list that lacks it is evidence enough.
                Err(Error::System { fault, .. })
                    if fault.kind == FaultKind::Unsupported && can.merge_charges.is_none() =>
                {
                    BTreeSet::new()
                }
                Err(error) => return Err(error),
            };
            let strangers = there.iter().any(|id| !chunk.contains(id));
            for id in chunk {
                let found = if there.contains(id) {
                    Found::Live
                } else if strangers {
                    // One at a time it is certain which of them it became.
                    let one = self.there(end, std::slice::from_ref(id)).await?;
                    one.into_iter()
                        .next()
                        .map_or(Found::Gone, |now| if now == *id { Found::Live } else { Found::Became(now) })
                } else {
                    Found::Gone
                };
                all.insert(id.clone(), found);
            }
        }
        Ok(all)
    }

    /// The ids of the live records that a fetch by these ids brings.
    async fn there(&self, end: &End, ids: &[RecordId]) -> Result<BTreeSet<RecordId>, Error> {
        let system = self.setup.project.system(&end.system)?;
        let found = system.fetch(&end.object, &Arc::from([]), ids).await;
        let found = found.map_err(|fault| Error::system(&end.system, fault))?;
        Ok(found.into_iter().filter(|record| !record.gone).map(|record| record.id).collect())
    }

    /// Takes the questions of this module off a record; its other holds stay.
    async fn unask(&self, commit: &mut Commit, ready: &Ready, source: &RecordId) -> Result<(), Error> {
        let holds = self.place.store.holds_of(&ready.flow.name, source).await?;
        if holds.iter().any(|hold| is_ours(&hold.cause)) {
            commit.released.push((ready.flow.name.clone(), source.clone()));
            commit.holds.extend(holds.into_iter().filter(|hold| !is_ours(&hold.cause)));
        }
        Ok(())
    }
}

/// Whether a hold is a question about a record that vanished.
fn is_ours(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::SourceDeleted { .. }
            | Cause::SourceMerged { .. }
            | Cause::TargetMerged { .. }
            | Cause::TargetGone { .. }
    )
}

/// Whether a field points to other records.
fn is_link(kind: &Kind) -> bool {
    matches!(kind, Kind::Reference { .. })
}

/// A record without its pair, and without links that wait; its identity stays, for the day when it comes again.
fn unpair(commit: &mut Commit, flow: &FlowName, row: &RecordRow, outcome: Outcome) {
    let (target, digest, base, mapped, last_entry) = (None, None, None, None, None);
    commit.rows.push(RecordRow { outcome, target, digest, base, mapped, last_entry, ..row.clone() });
    commit.relinked.push((flow.clone(), row.record.clone()));
}

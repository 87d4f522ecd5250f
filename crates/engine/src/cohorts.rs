//! Cohorts: which of a flow's records wait for their date, and whose the others are.
//!
//! Invariants:
//! - Dates are compared with the time at which the pass began, never with the time now.
//! - What waits is looked at again by the first pass that begins after its date, whether it was changed or not; that
//!   it was is noted after all of it is settled.
//! - A record whose cohort the filters cannot tell stays in the one that it was in.
//! - What a person's report stops waits like a record whose cohort has not begun, whatever cohort it is in, until the
//!   report is closed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use handover_model::{Cohort, CohortName, FlowName, Record, RecordId, Side};
use handover_store::{CohortRow, Fate, Item, Vanished};
use serde_json::json;

use crate::Error;
use crate::decide::{Look, Staged};
use crate::pairing::Pairing;
use crate::pass::Pass;
use crate::setup::Ready;
use crate::writer::Writer;

/// What its cohort means for a record in this pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// The cohort, of a record that is in one.
    pub(crate) cohort: Option<CohortName>,
    /// Whether it has not begun, or a report stops the record: nothing of it is carried.
    pub(crate) waits: bool,
    /// Whether it has moved: what the source owned of the record is the target's.
    pub(crate) moved: bool,
    /// Why its cohort cannot be told, in a sentence without values.
    pub(crate) untold: Option<String>,
}

/// Places of records that are to be made durable, each with the one that it takes the place of.
#[derive(Default)]
pub(crate) struct Placed(Vec<(CohortRow, Option<CohortRow>)>);

/// Records that are looked at together.
const AT_ONCE: usize = 500;

/// Stands where the dates were that a flow's waiting records were judged by: some of them may wait no longer.
const DUE: &str = "due";

/// What is to be kept when a report that stopped a record of a flow is closed: the next pass looks at what waits.
pub fn looked_at_anew(flow: &FlowName) -> (String, String) {
    (judged_by(flow), DUE.to_owned())
}

/// Under which name the state keeps by which dates a flow's waiting records were judged last.
fn judged_by(flow: &FlowName) -> String {
    format!("cohorts {flow}")
}

impl Pass {
    /// Tells of each record which cohort it is in. An older copy of a record that waits says nothing anew, nor does one
    /// that comes once more because the project's files changed: the latest speaks for the record.
    pub(crate) async fn place(&self, ready: &Ready, staged: &mut [Staged], look: Look) -> Result<Placed, Error> {
        if !self.has_cohorts || ready.forth.is_some() {
            return Ok(Placed::default());
        }
        let ids: Vec<RecordId> = staged.iter().map(|one| one.record.id.clone()).collect();
        let mut known = self.place.store.cohorts_of(&ready.flow.name, &ids).await?;
        let stopped = self.place.store.stopped_among(&ready.flow.name, &ids).await?;
        let mut followed =
            if ready.program.has_cohorts() { HashMap::new() } else { self.followed(ready, staged).await? };
        let mut placed = Placed::default();
        for one in staged {
            let had = known.remove(&one.record.id);
            if had.as_ref().is_some_and(|had| one.block < had.block && (had.waits || look == Look::New)) {
                one.standing.waits = true;
                continue;
            }
            let told = match ready.program.in_scope(&one.record) {
                Ok(false) => Ok(None),
                _ if ready.program.has_cohorts() => ready.program.cohort(&one.record).map(|name| name.cloned()),
                _ => Ok(followed.remove(&one.record.id)),
            };
            let (cohort, untold) = match (told, &had) {
                (Ok(cohort), _) => (cohort, None),
                (Err(_), Some(had)) => (had.cohort.clone(), None),
                (Err(message), None) => (None, Some(message)),
            };
            one.standing = Standing { untold, ..self.standing(cohort.as_ref()) };
            one.standing.waits |= stopped.contains(&one.record.id);
            let block = had.as_ref().map_or(one.block, |had| had.block.max(one.block));
            let (flow, record) = (ready.flow.name.clone(), one.record.id.clone());
            let row = CohortRow { flow, record, cohort, waits: one.standing.waits, block };
            let is_news = match &had {
                Some(had) if row.waits => *had != row,
                Some(had) => (&had.cohort, had.waits) != (&row.cohort, false),
                None => row.cohort.is_some() || row.waits,
            };
            if is_news {
                placed.0.push((row, had));
            }
        }
        Ok(placed)
    }

    /// What a cohort means for its records in this pass. One that the project does not have any more means nothing.
    pub(crate) fn standing(&self, cohort: Option<&CohortName>) -> Standing {
        let Some(known) = self.setup.project.cohorts.iter().find(|known| Some(&known.name) == cohort) else {
            return Standing::default();
        };
        let (waits, moved) = (!known.has_begun(self.dated), known.has_moved(self.dated));
        Standing { cohort: Some(known.name.clone()), waits, moved, untold: None }
    }

    /// The cohorts of some records, as they were told last.
    pub(crate) async fn standings(
        &self,
        ready: &Ready,
        ids: &[RecordId],
    ) -> Result<HashMap<RecordId, Standing>, Error> {
        if !self.has_cohorts {
            return Ok(HashMap::new());
        }
        let rows = self.place.store.cohorts_of(&ready.flow.name, ids).await?;
        let stopped = self.place.store.stopped_among(&ready.flow.name, ids).await?;
        let standing = |row: CohortRow| {
            let mut standing = self.standing(row.cohort.as_ref());
            standing.waits |= stopped.contains(&row.record);
            (row.record, standing)
        };
        Ok(rows.into_values().map(standing).collect())
    }

    /// Of records of a flow that no filter speaks of the cohort of their parents: of the first that is in one, in the
    /// order of the rules.
    async fn followed(&self, ready: &Ready, staged: &[Staged]) -> Result<HashMap<RecordId, CohortName>, Error> {
        let mut found: HashMap<RecordId, CohortName> = HashMap::new();
        for (rule, link) in &ready.links {
            if link.deferred || link.flow == ready.flow.name {
                continue;
            }
            let open = staged.iter().filter(|one| !found.contains_key(&one.record.id));
            let links: Vec<(RecordId, Vec<RecordId>)> = open
                .map(|one| {
                    let parents = ready.program.links_of(*rule, &one.record).into_iter().map(RecordId::from);
                    (one.record.id.clone(), parents.collect())
                })
                .collect();
            let mut parents: Vec<RecordId> = links.iter().flat_map(|(_, parents)| parents.clone()).collect();
            parents.sort();
            parents.dedup();
            let rows = self.place.store.cohorts_of(&link.flow, &parents).await?;
            for (record, parents) in links {
                let cohort = parents.iter().find_map(|parent| rows.get(parent)?.cohort.clone());
                found.extend(cohort.map(|cohort| (record, cohort)));
            }
        }
        Ok(found)
    }

    /// Makes places durable. Where a record waits no longer, what follows it is to be looked at too.
    pub(crate) async fn keep_places(&self, ready: &Ready, Placed(placed): Placed) -> Result<(), Error> {
        if placed.is_empty() {
            return Ok(());
        }
        let mut commit = self.commit();
        let mut entry = self.entry("cohort", ready);
        let mut wakes = false;
        for (row, had) in placed {
            if let Some(had) = had.filter(|had| (&had.cohort, had.waits) != (&row.cohort, row.waits)) {
                let values = json!({"was": had.cohort, "cohort": row.cohort, "waits": row.waits});
                entry.items.push(Item { record: row.record.clone(), values: values.into() });
                wakes |= had.waits && !row.waits;
            }
            commit.cohorts.push(row);
        }
        if !entry.items.is_empty() {
            commit.entries.push(entry);
        }
        if wakes {
            let follow = |other: &&Arc<Ready>| {
                !other.program.has_cohorts() && other.links.values().any(|link| link.flow == ready.flow.name)
            };
            let followers = self.setup.flows.iter().filter(follow);
            commit.kept.extend(followers.map(|other| (judged_by(&other.flow.name), DUE.to_owned())));
        }
        self.place.store.commit(commit).await?;
        Ok(())
    }

    /// By which dates waiting records are judged in this pass.
    fn dates(&self) -> String {
        let cohorts = &self.setup.project.cohorts;
        let begun = cohorts.iter().filter(|cohort| cohort.has_begun(self.dated)).map(|cohort| cohort.name.as_str());
        format!("{} {}", self.setup.project.snapshot, begun.collect::<Vec<_>>().join(","))
    }

    /// Before a project's cohorts are first judged: whatever waits from now on was judged by these dates, until
    /// others count.
    pub(crate) async fn begin_cohorts(&self) -> Result<(), Error> {
        if !self.has_cohorts {
            return Ok(());
        }
        let mut kept = Vec::new();
        for ready in &self.setup.flows {
            let name = judged_by(&ready.flow.name);
            if self.place.store.kept(&name).await?.is_none() {
                kept.push((name, self.dates()));
            }
        }
        if !kept.is_empty() {
            self.place.store.commit(handover_store::Commit { kept, ..self.commit() }).await?;
        }
        Ok(())
    }

    /// Carries what waited for its cohort and waits no longer; gives the records that have a counterpart then.
    pub(crate) async fn carry_due(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        pairing: &Pairing,
    ) -> Result<Vec<RecordId>, Error> {
        let mut paired = Vec::new();
        if !self.has_cohorts {
            return Ok(paired);
        }
        let (name, dates) = (judged_by(&ready.flow.name), self.dates());
        let before = self.place.store.kept(&name).await?;
        if before.as_ref() == Some(&dates) {
            return Ok(paired);
        }
        // Under other project files, or other parents, records may be in other cohorts.
        let snapshot = &self.setup.project.snapshot;
        let anew = before.and_then(|before| Some(before.split_once(' ')?.0 != snapshot)).unwrap_or(true);
        let (mut after, mut refreshed) = (None, false);
        loop {
            self.go_on()?;
            let mut page = self.place.store.cohort_waiting(&ready.flow.name, after.as_ref(), AT_ONCE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.record.clone());
            let ids: Vec<RecordId> = page.iter().map(|row| row.record.clone()).collect();
            let stopped = self.place.store.stopped_among(&ready.flow.name, &ids).await?;
            page.retain(|row| !stopped.contains(&row.record));
            page.retain(|row| anew || !self.standing(row.cohort.as_ref()).waits);
            let due = if anew { self.still_waiting(ready, page).await? } else { page };
            if due.is_empty() {
                continue;
            }
            if !refreshed {
                self.refresh_target(ready, pairing).await?;
                refreshed = true;
            }
            paired.extend(self.carry_waiting(ready, pairing, due).await?);
        }
        let commit = handover_store::Commit { kept: vec![(name, dates)], ..self.commit() };
        self.place.store.commit(commit).await?;
        Ok(paired)
    }

    /// Of records that waited those that wait no longer, as far as their staged copies tell; the others' places are
    /// kept.
    async fn still_waiting(&self, ready: &Ready, rows: Vec<CohortRow>) -> Result<Vec<CohortRow>, Error> {
        let places = rows.iter().map(|row| (row.record.clone(), row.block));
        let mut copies = self.staged_copies(ready, places).await?;
        let mut placed = self.place(ready, &mut copies, Look::Due).await?;
        let waiting: HashSet<RecordId> =
            copies.into_iter().filter(|copy| copy.standing.waits).map(|copy| copy.record.id).collect();
        placed.0.retain(|(row, _)| row.waits);
        self.keep_places(ready, placed).await?;
        Ok(rows.into_iter().filter(|row| !waiting.contains(&row.record)).collect())
    }

    /// Carries records that waited, as they are now; gives those that have a counterpart then.
    async fn carry_waiting(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        due: Vec<CohortRow>,
    ) -> Result<Vec<RecordId>, Error> {
        let staged = self.as_they_are(ready, &due).await?;
        let there: HashSet<RecordId> = staged.iter().map(|one| one.record.id.clone()).collect();
        let mut opened = self.open(ready, staged, Look::Due).await?;
        // They wait in the state until they are settled: whoever dies before finds them there.
        let mut placed = std::mem::take(&mut opened.placed);
        let mut writer = Writer::of_records(self, ready)?;
        let judged = self.judge_and_write(ready, pairing, opened, &mut writer).await;
        writer.end(judged).await?;
        let ids: Vec<RecordId> = due.iter().map(|row| row.record.clone()).collect();
        let rows = self.place.store.rows(&ready.flow.name, &ids).await?;
        // What is gone meanwhile waits for nothing.
        let gone: Vec<CohortRow> = due.into_iter().filter(|row| !there.contains(&row.record)).collect();
        self.never_carried(ready, gone.iter().map(|row| &row.record).filter(|id| !rows.contains_key(*id))).await?;
        let none = |had: CohortRow| (CohortRow { cohort: None, waits: false, ..had.clone() }, Some(had));
        placed.0.extend(gone.into_iter().map(none));
        self.keep_places(ready, placed).await?;
        Ok(rows.into_values().filter(|row| row.outcome.is_paired()).map(|row| row.record).collect())
    }

    /// Records that are gone and were never carried. What points to them is judged without them from now on; when one
    /// comes again, it is linked as with whatever comes again.
    async fn never_carried(&self, ready: &Ready, gone: impl Iterator<Item = &RecordId>) -> Result<(), Error> {
        let mut commit = self.commit();
        let missed = |record: &RecordId| Vanished {
            fate: Fate::Deleted,
            ..self.vanished_now(&ready.flow.name, Side::Source, record, record)
        };
        commit.vanished = gone.map(missed).collect();
        if !commit.vanished.is_empty() {
            self.place.store.commit(commit).await?;
        }
        Ok(())
    }

    /// Records that waited, read anew: they may be gone. Of an object that is read through others the staged copies.
    async fn as_they_are(&self, ready: &Ready, due: &[CohortRow]) -> Result<Vec<Staged>, Error> {
        let end = &ready.flow.source;
        let system = self.setup.project.system(&end.system)?;
        if system.capabilities().object(end.object.as_str()).is_some_and(|object| !object.through.is_empty()) {
            return self.staged_copies(ready, due.iter().map(|row| (row.record.clone(), row.block))).await;
        }
        let blocks: HashMap<&RecordId, i64> = due.iter().map(|row| (&row.record, row.block)).collect();
        let ids: Vec<RecordId> = due.iter().map(|row| row.record.clone()).collect();
        let now = self.read_now(&self.reading_of(end), &ids).await?;
        // An id that was merged away brings the record that it became.
        let block = |record: &Record| blocks.get(&record.id).copied();
        Ok(now.into_iter().filter_map(|record| block(&record).map(|block| Staged::new(record, block))).collect())
    }

    /// What stands in the ledger of the cohorts when a pass begins.
    pub(crate) fn told_cohorts(&self) -> serde_json::Value {
        let told = |cohort: &Cohort| {
            let word = match (cohort.has_begun(self.dated), cohort.has_moved(self.dated)) {
                (_, true) => "moved",
                (true, false) => "begun",
                (false, false) => "waits",
            };
            (cohort.name.to_string(), json!(word))
        };
        self.setup.project.cohorts.iter().map(told).collect::<serde_json::Map<_, _>>().into()
    }
}

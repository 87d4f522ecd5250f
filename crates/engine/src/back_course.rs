//! The course of a way back: what was read of the target's changes is worked off block by block. Records that are
//! paired are merged with their source; new ones are matched, created in the source, or held, like any others.
//!
//! Invariants:
//! - What stood in the target before the first load began and was not changed since stays where it is, until something
//!   that goes back leads to it.
//! - What is written is judged from both records as they are now, never from an older copy.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use handover_model::{Outcome, Record, RecordId};
use handover_store::{Commit, RecordRow, Worked};
use jiff::Timestamp;

use crate::Error;
use crate::back::Back;
use crate::change::Again;
use crate::decide::{Look, Opened, Staged};
use crate::new_pairs::owes;
use crate::pairing::Pairing;
use crate::pass::{Pass, locked};
use crate::setup::Ready;
use crate::verdict::target_changed;
use crate::watermark::later;
use crate::writer::Writer;

/// Records that are judged at once.
pub(crate) const AT_ONCE: usize = 500;

impl Pass {
    /// Works off the target's changes; gives the new records of the target that have a counterpart then.
    pub(crate) async fn staged_returns(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        back: &Back,
        pairing: &Pairing,
    ) -> Result<Vec<RecordId>, Error> {
        let (end, snapshot) = (&ready.flow.target, &self.setup.project.snapshot);
        let Some(extraction) = self.place.store.extraction(&end.system, &end.object).await? else {
            return Ok(Vec::new());
        };
        let name = &back.ready.flow.name;
        let worked = self.place.store.worked(name, snapshot).await?.min(extraction.blocks);
        let fresh = locked(&self.fresh).get(end).copied().unwrap_or(i64::MAX);
        // By the target's own clock.
        let since = later(self.first_began().await?, self.ahead(&end.system));
        let mut paired = Vec::new();
        for number in worked..extraction.blocks {
            self.go_on()?;
            let records = self.place.store.block_once(&end.system, &end.object, number).await?;
            self.follow_merged(end, &records).await?;
            for some in records.chunks(AT_ONCE) {
                let new = self.returned_records(ready, some, number >= fresh, since).await?;
                paired.extend(self.carry_new((ready, back), pairing, new, number).await?);
            }
            let row = Worked { flow: name.clone(), snapshot: snapshot.clone(), blocks: number + 1 };
            self.place.store.commit(Commit { worked: vec![row], ..self.commit() }).await?;
        }
        Ok(paired)
    }

    /// Some records of the target, by their ids: pairs are merged, the others go the way of new records; gives those
    /// that are settled now.
    pub(crate) async fn some_returns(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        back: &Back,
        ids: &BTreeSet<RecordId>,
    ) -> Result<Vec<RecordId>, Error> {
        let all: Vec<RecordId> = ids.iter().cloned().collect();
        let sources = self.place.store.sources_of_flow(&ready.flow.name, &all).await?;
        let (paired, alone): (Vec<_>, Vec<_>) = all.into_iter().partition(|id| sources.contains_key(id));
        let rows = self.rows_of(ready, sources.values()).await?;
        let mut now = if paired.is_empty() { Vec::new() } else { self.targets_now(ready, &paired).await? };
        now.retain(|record| sources.contains_key(&record.id));
        self.merge_changed(ready, now, &sources, rows).await?;
        let pairing = Pairing::of(&back.ready.flow, &back.ready.target);
        let settled = self.some_records(&back.ready, &pairing, &alone.into_iter().collect()).await?;
        if !settled.is_empty() {
            let there = self.targets_now(ready, &settled).await?;
            self.carry_owed(ready, there).await?;
        }
        Ok(settled)
    }

    /// When the first load began: what the target had before is its own.
    async fn first_began(&self) -> Result<Timestamp, Error> {
        let first = self.place.store.first_pass().await?;
        Ok(first.map_or_else(|| self.place.clock.now(), |pass| pass.began))
    }

    /// Merges the paired ones of these records with their sources; gives those that are new.
    async fn returned_records(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        records: &[Record],
        fresh: bool,
        since: Timestamp,
    ) -> Result<Vec<Record>, Error> {
        let ids: Vec<RecordId> = records.iter().map(|record| record.id.clone()).collect();
        let sources = self.place.store.sources_of_flow(&ready.flow.name, &ids).await?;
        let rows = self.rows_of(ready, sources.values()).await?;
        let (elsewhere, brought) = self.brought_by_others(ready, &ids).await?;
        let later = |record: &Record| record.modified.is_some_and(|modified| modified >= since);
        let moved = |row: &RecordRow, record: &Record| target_changed(ready, row, record) || owes(ready, row);
        let (mut changed, mut old, mut new) = (Vec::new(), Vec::new(), Vec::new());
        for record in records.iter().filter(|record| !record.gone) {
            match sources.get(&record.id).and_then(|source| rows.get(source)) {
                Some(row) if row.outcome == Outcome::Merged => {}
                // A list may still show what the record said before we wrote it.
                Some(row) if moved(row, record) && fresh && !self.lately_written(row) => changed.push(record.clone()),
                Some(row) if moved(row, record) => old.push(record.clone()),
                Some(_) => {}
                None if elsewhere.contains(&record.id) => {}
                None if !(later(record) || brought.contains(&record.id)) => {}
                None => new.push(record.clone()),
            }
        }
        let mut now = self.as_now(ready, old).await?;
        now.retain(|record| sources.get(&record.id).and_then(|id| rows.get(id)).is_some_and(|row| moved(row, record)));
        changed.append(&mut now);
        if !fresh {
            new = self.as_now(ready, new).await?;
        }
        self.merge_changed(ready, changed, &sources, rows).await?;
        Ok(new)
    }

    /// Of these target records those that came of another object of the source's own system, which has them already,
    /// and those that other systems brought.
    pub(crate) async fn brought_by_others(
        &self,
        ready: &Ready,
        ids: &[RecordId],
    ) -> Result<(HashSet<RecordId>, HashSet<RecordId>), Error> {
        let (mut elsewhere, mut brought) = (HashSet::new(), HashSet::new());
        let (target, home) = (&ready.flow.target, &ready.flow.source.system);
        for other in self.setup.meeting(ready, target).map(|other| &other.flow).filter(|other| other.target == *target)
        {
            let rows = self.place.store.rows_with_targets(&other.name, ids).await?;
            let rows = rows.into_iter().filter(|row| other.source.system == *home || row.outcome == Outcome::Created);
            let found = if other.source.system == *home { &mut elsewhere } else { &mut brought };
            found.extend(rows.filter_map(|row| row.target));
        }
        Ok((elsewhere, brought))
    }

    /// Of rows of a way back, the records that are no pair any more: which there are, the flow's own rows tell.
    pub(crate) async fn parted(
        &self,
        ready: &Ready,
        rows: impl Iterator<Item = &RecordRow>,
    ) -> Result<HashSet<RecordId>, Error> {
        let Some(forth) = &ready.forth else { return Ok(HashSet::new()) };
        let were = rows.filter(|row| row.outcome.is_paired() && row.target.is_none());
        let were: Vec<RecordId> = were.map(|row| row.record.clone()).collect();
        let paired = self.place.store.sources_of_flow(forth, &were).await?;
        Ok(were.into_iter().filter(|record| !paired.contains_key(record)).collect())
    }

    /// Whether we wrote a pair in this pass or shortly before it began.
    fn lately_written(&self, row: &RecordRow) -> bool {
        let since = self.began - self.setup.project.policies.settle;
        row.written.is_some_and(|written| written >= since)
    }

    async fn rows_of(
        &self,
        ready: &Ready,
        sources: impl Iterator<Item = &RecordId>,
    ) -> Result<HashMap<RecordId, RecordRow>, Error> {
        let ids: Vec<RecordId> = sources.cloned().collect();
        Ok(self.place.store.rows(&ready.flow.name, &ids).await?)
    }

    /// Target records as they are now; those that are gone are left to the search for what vanished.
    async fn as_now(&self, ready: &Ready, records: Vec<Record>) -> Result<Vec<Record>, Error> {
        if records.is_empty() {
            return Ok(records);
        }
        let ids: Vec<RecordId> = records.into_iter().map(|record| record.id).collect();
        let wanted: BTreeSet<&RecordId> = ids.iter().collect();
        let mut now = self.targets_now(ready, &ids).await?;
        // An id that was merged away brings the record that it became.
        now.retain(|record| wanted.contains(&record.id));
        Ok(now)
    }

    /// Merges target records that changed with their sources as they are now.
    async fn merge_changed(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        changed: Vec<Record>,
        sources: &HashMap<RecordId, RecordId>,
        mut rows: HashMap<RecordId, RecordRow>,
    ) -> Result<(), Error> {
        if changed.is_empty() {
            return Ok(());
        }
        let ids: Vec<RecordId> = changed.iter().filter_map(|record| sources.get(&record.id).cloned()).collect();
        let mut now = self.sources_now(ready, &ids).await?;
        let mut answers = self.place.store.answers(&ready.flow.name, &ids).await?;
        let mut staged = Vec::new();
        let mut pairs = Vec::new();
        for there in changed {
            let Some(id) = sources.get(&there.id) else { continue };
            let (Some(record), Some(row)) = (now.remove(id), rows.remove(id)) else { continue };
            staged.push(Staged::new(record, row.block));
            pairs.push((row, there));
        }
        let placed = self.place(ready, &mut staged, Look::Again).await?;
        let mut again = Vec::new();
        for (staged, (row, there)) in staged.into_iter().zip(pairs) {
            let mapped = ready.program.apply(&staged.record);
            let answers = answers.remove(&staged.record.id).unwrap_or_default();
            again.push(Again { staged, row, mapped, answers, there: Some(there), due: false });
        }
        let mut writer = Writer::of_records(self, ready)?;
        let opened = Opened::again(again, placed);
        let pairing = Pairing::of(&ready.flow, &ready.target);
        let judged = self.judge_and_write(ready, &pairing, opened, &mut writer).await;
        writer.end(judged).await
    }

    /// Records that only the target has go the way of all new records; gives those that are paired then.
    pub(crate) async fn carry_new(
        self: &Arc<Self>,
        (ready, back): (&Arc<Ready>, &Back),
        pairing: &Pairing,
        new: Vec<Record>,
        block: i64,
    ) -> Result<Vec<RecordId>, Error> {
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let name = &back.ready.flow.name;
        let ids: Vec<RecordId> = new.iter().map(|record| record.id.clone()).collect();
        locked(&self.carrying).extend(ids.iter().map(|id| (name.clone(), id.clone())));
        let staged = new.iter().map(|record| Staged::new(record.clone(), block)).collect();
        let mut writer = Writer::of_records(self, &back.ready)?;
        let judged = async {
            self.carry_along_of_new(back, &new).await?;
            let opened = self.open(&back.ready, staged, Look::New).await?;
            self.judge_and_write(&back.ready, pairing, opened, &mut writer).await
        };
        let judged = judged.await;
        let ended = writer.end(judged).await;
        locked(&self.carrying).retain(|(flow, id)| flow != name || !ids.contains(id));
        ended?;
        self.carry_owed(ready, new).await?;
        let rows = self.place.store.rows(name, &ids).await?;
        Ok(rows.into_values().filter(|row| row.outcome.is_paired()).map(|row| row.record).collect())
    }

    /// Of these records of the target those that a source record was found for get what it still gives them. What was
    /// held of that one before it had a counterpart is judged again.
    async fn carry_owed(self: &Arc<Self>, ready: &Arc<Ready>, mut there: Vec<Record>) -> Result<(), Error> {
        let ids: Vec<RecordId> = there.iter().map(|record| record.id.clone()).collect();
        let sources = self.place.store.sources_of_flow(&ready.flow.name, &ids).await?;
        let rows = self.rows_of(ready, sources.values()).await?;
        let held: Vec<RecordId> = rows.keys().cloned().collect();
        let held = self.place.store.held_among(&ready.flow.name, &held).await?;
        let wants = |row: &RecordRow| owes(ready, row) || held.contains(&row.record);
        there.retain(|record| sources.get(&record.id).and_then(|id| rows.get(id)).is_some_and(wants));
        self.merge_changed(ready, there, &sources, rows).await
    }
}

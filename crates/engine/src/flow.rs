//! A flow at work: its staged records are judged block by block; what is to be written goes to the writer,
//! the rest is settled at once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use handover_model::{End, FlowName, Outcome, Record, RecordId};
use handover_store::{Entry, Store};
use tokio::task::{JoinError, JoinSet};

use crate::Error;
use crate::case::Case;
use crate::decide::{Decision, Judged, Look, Opened, Staged};
use crate::extract::Reading;
use crate::pairing::Pairing;
use crate::pass::{Pass, locked};
use crate::setup::Ready;
use crate::write::{Outgoing, push_row, relink};
use crate::writer::Writer;

/// By the marks of records that stand in several blocks: the last of these.
type Again = Arc<HashMap<u64, i64>>;

/// Records that are looked at again at once.
const AGAIN: usize = 500;

impl Pass {
    /// Every staged record of the flow's source object that was not worked through; with `again` those of the others
    /// that are held or pending too.
    pub(crate) async fn whole_flow(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        again: bool,
    ) -> Result<(), Error> {
        let source = &ready.flow.source;
        let Some(extraction) = self.place.store.extraction(&source.system, &source.object).await? else {
            return Ok(());
        };
        let worked = self.place.store.worked(&ready.flow.name, &self.setup.project.snapshot).await?;
        let worked = worked.min(extraction.blocks);
        // Blocks are pages of one size but for the last.
        let done = u64::try_from(extraction.records * worked / extraction.blocks.max(1)).unwrap_or(0);
        let mut writer = Writer::of_flow(self, ready, worked, u64::try_from(extraction.records).unwrap_or(0))?;
        let mut ahead = JoinSet::new();
        let judged = async {
            if again {
                self.unsettled(ready, pairing, worked, &mut writer).await?;
            }
            self.blocks(ready, pairing, worked..extraction.blocks, done, &mut ahead, &mut writer).await
        };
        let judged = judged.await;
        ahead.shutdown().await;
        writer.end(judged).await
    }

    /// What was staged of the flow's source object and not worked through: gives the records that have a
    /// counterpart then.
    pub(crate) async fn staged_changes(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        pairing: &Pairing,
    ) -> Result<Vec<RecordId>, Error> {
        let source = &ready.flow.source;
        let Some(extraction) = self.place.store.extraction(&source.system, &source.object).await? else {
            return Ok(Vec::new());
        };
        let worked = self.place.store.worked(&ready.flow.name, &self.setup.project.snapshot).await?;
        if worked >= extraction.blocks {
            return Ok(Vec::new());
        }
        self.follow_staged(ready, worked..extraction.blocks).await?;
        self.refresh_target(ready, pairing).await?;
        self.whole_flow(ready, pairing, false).await?;
        let mut paired = Vec::new();
        for number in worked..extraction.blocks {
            let records = self.place.store.block_once(&source.system, &source.object, number).await?;
            let ids: Vec<RecordId> = records.into_iter().map(|record| record.id).collect();
            let rows = self.place.store.rows(&ready.flow.name, &ids).await?;
            paired.extend(rows.into_values().filter(|row| row.outcome.is_paired()).map(|row| row.record));
        }
        Ok(paired)
    }

    /// Reads a block of the flow's source object and maps its records: what can be done beside the judging of the
    /// block before. The number of its records comes first.
    async fn block_of(self: Arc<Self>, ready: Arc<Ready>, number: i64, again: Again) -> Result<(u64, Opened), Error> {
        let source = &ready.flow.source;
        let mut records = self.place.store.block_once(&source.system, &source.object, number).await?;
        let read = records.len() as u64;
        // Two copies of a record must not both be judged before the first write of it is settled.
        if !again.is_empty() {
            records.retain(|record| again.get(&Store::mark_of(&record.id)).is_none_or(|last| *last == number));
        }
        let staged = records.into_iter().map(|record| Staged::new(record, number)).collect();
        Ok((read, self.open(&ready, staged, Look::New).await?))
    }

    /// What came more than once in these blocks, and which of them has it last: changes come from several lists, and
    /// what other flows read while this one did not work stands in several blocks. A first reading has each once.
    async fn staged_again(&self, ready: &Ready, blocks: std::ops::Range<i64>) -> Result<Again, Error> {
        let source = &ready.flow.source;
        let is_first = blocks.start == 0 && self.setup.meeting(ready, source).next().is_none();
        if is_first || blocks.end - blocks.start < 2 {
            return Ok(Again::default());
        }
        Ok(Arc::new(self.place.store.staged_twice(&source.system, &source.object, blocks).await?))
    }

    /// Judges blocks. While one is judged the next one is read and mapped.
    async fn blocks(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        blocks: std::ops::Range<i64>,
        mut done: u64,
        ahead: &mut JoinSet<Result<(u64, Opened), Error>>,
        writer: &mut Writer,
    ) -> Result<(), Error> {
        let end = blocks.end;
        let again = self.staged_again(ready, blocks.clone()).await?;
        for number in blocks {
            self.go_on()?;
            let (records, opened) = match ahead.join_next().await {
                Some(read) => read.map_err(ended)??,
                None => self.clone().block_of(ready.clone(), number, again.clone()).await?,
            };
            if number + 1 < end {
                ahead.spawn(self.clone().block_of(ready.clone(), number + 1, again.clone()));
            }
            done += records;
            self.judge_and_write(ready, pairing, opened, writer).await?;
            writer.reached(number + 1, done).await?;
        }
        Ok(())
    }

    /// Of blocks that were worked through, the records that are not settled: they are judged again.
    async fn unsettled(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        worked: i64,
        writer: &mut Writer,
    ) -> Result<(), Error> {
        if worked == 0 {
            return Ok(());
        }
        for outcome in [Outcome::Held, Outcome::Pending] {
            let mut after = None;
            loop {
                self.go_on()?;
                let rows = self.place.store.rows_page(&ready.flow.name, Some(outcome), after.as_ref(), AGAIN).await?;
                let Some(last) = rows.last() else { break };
                after = Some(last.record.clone());
                let ids: Vec<RecordId> =
                    rows.into_iter().filter(|row| row.block < worked).map(|row| row.record).collect();
                self.some_again(ready, pairing, (&ids, Look::Again), writer).await?;
            }
        }
        Ok(())
    }

    /// Some records, by their ids; gives those that have a counterpart now or are left out.
    pub(crate) async fn some_records(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        ids: &BTreeSet<RecordId>,
    ) -> Result<Vec<RecordId>, Error> {
        self.looked_at(ready, pairing, ids, Look::Again).await
    }

    /// Some records, by their ids, looked at in this way; gives those that have a counterpart now or are left out.
    pub(crate) async fn looked_at(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        ids: &BTreeSet<RecordId>,
        look: Look,
    ) -> Result<Vec<RecordId>, Error> {
        let ids: Vec<RecordId> = ids.iter().cloned().collect();
        let mut writer = Writer::of_records(self, ready)?;
        let judged = self.some_again(ready, pairing, (&ids, look), &mut writer).await;
        writer.end(judged).await?;
        let mut settled = Vec::new();
        for chunk in ids.chunks(AGAIN) {
            let rows = self.place.store.rows(&ready.flow.name, chunk).await?;
            settled.extend(
                rows.into_values()
                    .filter(|row| !matches!(row.outcome, Outcome::Held | Outcome::Pending))
                    .map(|row| row.record),
            );
        }
        Ok(settled)
    }

    /// Judges some records again and hands them to the writer.
    async fn some_again(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        (ids, look): (&[RecordId], Look),
        writer: &mut Writer,
    ) -> Result<(), Error> {
        let source = &ready.flow.source;
        for chunk in ids.chunks(AGAIN) {
            let rows = self.place.store.rows(&ready.flow.name, chunk).await?;
            if ready.back.is_some() || ready.forth.is_some() {
                // What lives on both sides is judged as it is now.
                let now = self.read_now(&self.reading_of(source), chunk).await?;
                let staged = now.into_iter().filter_map(|record| {
                    let block = rows.get(&record.id)?.block;
                    Some(Staged::new(record, block))
                });
                let opened = self.open(ready, staged.collect(), look).await?;
                self.judge_and_write(ready, pairing, opened, writer).await?;
                continue;
            }
            let places = rows.into_values().map(|row| (row.record, row.block));
            let staged = self.staged_copies(ready, places).await?;
            let opened = self.open(ready, staged, look).await?;
            self.judge_and_write(ready, pairing, opened, writer).await?;
        }
        Ok(())
    }

    /// Records as they were staged, by the blocks in which they stand.
    pub(crate) async fn staged_copies(
        &self,
        ready: &Ready,
        places: impl Iterator<Item = (RecordId, i64)>,
    ) -> Result<Vec<Staged>, Error> {
        let source = &ready.flow.source;
        let mut blocks: BTreeMap<i64, HashSet<RecordId>> = BTreeMap::new();
        for (record, block) in places {
            blocks.entry(block).or_default().insert(record);
        }
        let mut staged = Vec::new();
        for (number, wanted) in blocks {
            let records = self.place.store.block(&source.system, &source.object, number).await?;
            let those = records.iter().filter(|record| wanted.contains(&record.id));
            staged.extend(those.map(|record| Staged::new(record.clone(), number)));
        }
        Ok(staged)
    }

    /// Children that were held only because these parents were.
    pub(crate) async fn wake_children(
        &self,
        flow: &FlowName,
        parents: &[RecordId],
        wanted: &mut BTreeMap<FlowName, BTreeSet<RecordId>>,
    ) -> Result<(), Error> {
        for chunk in parents.chunks(AGAIN) {
            for child in self.place.store.children(flow, chunk).await? {
                wanted.entry(child.flow).or_default().insert(child.record);
            }
        }
        Ok(())
    }

    /// Judges records, commits what needs no write, hands the rest to the writer.
    pub(crate) async fn judge_and_write(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        opened: Opened,
        writer: &mut Writer,
    ) -> Result<(), Error> {
        let mut opened = opened;
        self.keep_places(ready, std::mem::take(&mut opened.placed)).await?;
        let judged = self.judge(ready, pairing, opened).await?;
        let mut settled = Vec::new();
        for one in judged {
            match one.decision {
                Decision::Create(_) | Decision::Update(..) => writer.push(Outgoing::of(one)),
                Decision::Hold(_) | Decision::Skip | Decision::Merge(_) | Decision::Unchanged(_) => settled.push(one),
            }
        }
        self.commit_settled(ready, settled).await?;
        writer.send_full().await
    }

    /// Commits decisions that need no write.
    pub(crate) async fn commit_settled(&self, ready: &Arc<Ready>, settled: Vec<Judged>) -> Result<(), Error> {
        if settled.is_empty() {
            return Ok(());
        }
        let mut identities = self.identities_for(settled.iter().map(|one| one.identity)).await?;
        let mut commit = self.commit();
        let mut entries: HashMap<&'static str, Entry> = HashMap::new();
        for mut one in settled {
            let (kind, outcome, target) = match &one.decision {
                Decision::Hold(_) => ("held", Outcome::Held, None),
                Decision::Skip => ("skipped", Outcome::Skipped, None),
                Decision::Merge(target) => ("merged", Outcome::Merged, Some(target.clone())),
                Decision::Unchanged(target) => ("unchanged", Outcome::Unchanged, Some(target.clone())),
                Decision::Create(_) | Decision::Update(..) => continue,
            };
            let mut values = std::mem::take(&mut one.trail);
            let identity = one.identity.or_else(|| identities.pop());
            let became = if one.holds.is_empty() { outcome } else { Outcome::Held };
            // What was held already is no news.
            if became != Outcome::Held || !one.was_held {
                self.did().add(became, 1);
            }
            // What was created stays created, whatever came again.
            let outcome = one.before.as_ref().map_or(outcome, |before| before.outcome);
            commit.released.push((ready.flow.name.clone(), one.record.clone()));
            // Both ways' holds of a pair are judged together.
            commit.released.extend(target.as_ref().and_then(|target| ready.held_back(target)));
            if let Decision::Hold(holds) = &one.decision {
                values.tell(ready, "causes", &holds.iter().map(|hold| &hold.cause).collect::<Vec<_>>());
                let mut threshold = self.threshold();
                let unannounced = !one.was_held && holds.iter().any(|hold| !threshold.was_told(hold));
                threshold.note(unannounced);
                drop(threshold);
                commit.holds.extend(holds.iter().cloned());
            } else {
                self.threshold().note(false);
            }
            if !one.holds.is_empty() {
                values.tell(ready, "causes", &one.holds.iter().map(|hold| &hold.cause).collect::<Vec<_>>());
                commit.holds.append(&mut one.holds);
            }
            if let Some(target) = &target {
                values.text(ready, "target", target.as_str());
                values.fields(ready, "mapped", one.mapped.iter());
            }
            relink(&mut commit, ready, &one.record, one.was_held || one.before.is_some());
            commit.links.extend(one.links.iter().cloned());
            entries
                .entry(kind)
                .or_insert_with(|| self.entry(kind, ready))
                .items
                .push(handover_store::Item { record: one.record.clone(), values: values.end(ready) });
            push_row(&mut commit, ready, &Case::of(&one), outcome, identity, target);
        }
        commit.entries.extend(entries.into_values());
        self.place.store.commit(commit).await?;
        self.threshold().check(&ready.flow.name)
    }

    /// As many new identities as there are records without one.
    pub(crate) async fn identities_for(&self, have: impl Iterator<Item = Option<i64>>) -> Result<Vec<i64>, Error> {
        /// Identities that are reserved at once: a reservation is a durable step.
        const RESERVED: i64 = 10_000;
        let number = i64::try_from(have.filter(Option::is_none).count()).unwrap_or(i64::MAX);
        if number == 0 {
            return Ok(Vec::new());
        }
        // Held over the reservation: judging and writing both ask.
        let mut spare = self.spare.lock().await;
        if spare.end - spare.start < number {
            let taken = number.max(RESERVED);
            let first = self.place.store.reserve_identities(usize::try_from(taken).unwrap_or(usize::MAX)).await?;
            *spare = first..first.saturating_add(taken);
        }
        let first = spare.start;
        spare.start = first.saturating_add(number);
        Ok((first..spare.start).rev().collect())
    }

    /// What is read of the target before a flow works: records among which there is something to be found.
    pub(crate) async fn read_target(&self, ready: &Arc<Ready>, pairing: &Pairing) -> Result<(), Error> {
        if !pairing.target.is_empty() {
            self.extract(&self.reading_of(&ready.flow.target), false).await?;
        }
        Ok(())
    }

    /// The same for records that came later: what the target has got since is among them.
    pub(crate) async fn refresh_target(&self, ready: &Arc<Ready>, pairing: &Pairing) -> Result<(), Error> {
        if pairing.target.is_empty() {
            return Ok(());
        }
        self.read_newly(&self.reading_of(&ready.flow.target)).await
    }

    /// Reads what changed of an object, once in a pass; all of it when it was not read before.
    pub(crate) async fn read_newly(&self, reading: &Reading) -> Result<(), Error> {
        let end = End { system: reading.system.clone(), object: reading.object.clone() };
        if locked(&self.fresh).contains_key(&end) {
            return Ok(());
        }
        let before = self.place.store.extraction(&end.system, &end.object).await?.map_or(0, |state| state.blocks);
        self.extract(reading, false).await?;
        self.read_changes(reading).await?;
        locked(&self.fresh).insert(end, before);
        Ok(())
    }

    /// Records as they are now, with all that a reading brings; those that are gone are not among them.
    pub(crate) async fn read_now(&self, reading: &Reading, ids: &[RecordId]) -> Result<Vec<Record>, Error> {
        let system = self.setup.project.system(&reading.system)?;
        let fault = |fault| Error::system(&reading.system, fault);
        let mut records = vec![system.fetch(&reading.object, &reading.fields, ids).await.map_err(fault)?];
        reading.enrich(system.as_ref(), &mut records).await.map_err(fault)?;
        Ok(records.into_iter().flatten().filter(|record| !record.gone).collect())
    }
}

/// A task that panicked goes on doing so here; one that was ended was ended with the pass.
pub(crate) fn ended(error: JoinError) -> Error {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Error::Stopped,
    }
}

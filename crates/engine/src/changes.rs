//! Reading what changed: further blocks behind those that a backfill staged, up to a watermark.
//!
//! Invariants:
//! - What an earlier process staged is carried before more is read, so that no record waits twice.
//! - The watermark moves when its reading has come to the end, and not before: a reading that was cut off is
//!   done again.

use std::collections::HashSet;

use foldhash::HashSet as Marks;
use handover_connect::{Cursor, Read, Which};
use handover_model::{Record, RecordId};
use handover_store::{Commit, Extraction, Store, Watermark as Row};
use jiff::SignedDuration;

use crate::Error;
use crate::extract::Reading;
use crate::pass::Pass;
use crate::watermark::{Clocks, Seen, Watermark};

/// What a reading of changes brought.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The records that are new or different, in the order in which they came.
    pub(crate) records: Vec<RecordId>,
}

impl Pass {
    /// Reads what changed of an object since its watermark. An object of which there is no list of changes is
    /// listed whole; what is the same as before is left aside.
    pub(crate) async fn read_changes(&self, reading: &Reading) -> Result<Changes, Error> {
        let system = self.setup.project.system(&reading.system)?.clone();
        let fault = |fault| Error::system(&reading.system, fault);
        let Some(mut state) = self.place.store.extraction(&reading.system, &reading.object).await? else {
            return Ok(Changes::default());
        };
        let clocks = self.clocks();
        let known = self.place.store.watermark(&reading.system, &reading.object).await?;
        let mark = known.as_ref().map_or_else(|| Watermark::since_whole_reading(state.began, &clocks), watermark);
        let lists = system.capabilities().object(reading.object.as_str()).is_some_and(|object| object.lists_since);
        let (object, fields) = (reading.object.clone(), reading.fields.clone());
        let read = Read { object, fields, which: Which::Live, since: lists.then(|| mark.since(&clocks)) };
        let before: Marks<u64> = known.iter().flat_map(|known| &known.seen).copied().collect();
        let mut seen = Seen { began: self.place.clock.now(), latest: None, unfinished: None };
        let mut now: Vec<u64> = Vec::new();
        let mut came: HashSet<RecordId> = HashSet::new();
        let mut changes = Changes::default();
        let mut gathered: Vec<Vec<Record>> = Vec::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            self.go_on()?;
            let page = system.page(&read, cursor.as_ref()).await.map_err(fault)?;
            seen.latest = seen.latest.max(page.records.iter().filter_map(|record| record.modified).max());
            let mut records = Vec::new();
            for record in page.records.into_iter().filter(|record| !record.gone) {
                // Of a record that changed while the list was read the first copy counts: the next reading sees
                // the other.
                if !came.insert(record.id.clone()) {
                    continue;
                }
                let mark = content(&record);
                now.push(mark);
                if !before.contains(&mark) {
                    records.push(record);
                }
            }
            gathered.push(records);
            cursor = page.next;
            if cursor.is_some() && reading.takes_another(&gathered) {
                continue;
            }
            reading.enrich(system.as_ref(), &mut gathered).await.map_err(fault)?;
            changes.records.extend(gathered.iter().flatten().map(|record| record.id.clone()));
            self.stage_changes(reading, &mut state, &mut gathered).await?;
            if cursor.is_none() {
                break;
            }
        }
        now.sort_unstable();
        let mark = mark.behind(&seen, &clocks);
        let row = Row {
            system: reading.system.clone(),
            object: reading.object.clone(),
            at: mark.at,
            reached: mark.reached,
            closed: mark.closed,
            seen: now,
        };
        if known.as_ref() != Some(&row) {
            let spent = self.newly_spent();
            self.place.store.commit(Commit { watermarks: vec![row], spent, ..self.commit() }).await?;
        }
        Ok(changes)
    }

    /// Pages of changed records as further blocks. Records that were not staged before add to the number read.
    async fn stage_changes(
        &self,
        reading: &Reading,
        state: &mut Extraction,
        gathered: &mut Vec<Vec<Record>>,
    ) -> Result<(), Error> {
        if gathered.iter().all(Vec::is_empty) {
            gathered.clear();
            return Ok(());
        }
        let staged = self.place.store.staged_marks(&state.system, &state.object).await?;
        let fresh = gathered.iter().flatten().filter(|record| !staged.contains(&Store::mark_of(&record.id))).count();
        let records = state.records;
        let mut commit = self.staging(reading, state, gathered.drain(..));
        state.records = records + i64::try_from(fresh).unwrap_or(i64::MAX);
        state.told = None;
        commit.extractions = vec![state.clone()];
        self.place.store.commit(commit).await?;
        Ok(())
    }

    /// What is taken for granted of a system's clock.
    fn clocks(&self) -> Clocks {
        Clocks {
            overlap: self.setup.project.policies.overlap,
            // Whole seconds, as the coarsest of the platforms has them.
            tick: SignedDuration::from_secs(1),
            ahead: SignedDuration::ZERO,
        }
    }
}

fn watermark(row: &Row) -> Watermark {
    Watermark { at: row.at, reached: row.reached, closed: row.closed }
}

/// A mark of a record with all its values: eight bytes of which nobody gains by making two equal.
fn content(record: &Record) -> u64 {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(record.id.as_str().as_bytes());
    for (name, value) in record.fields.iter() {
        bytes.push(0);
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.push(0);
        value.write_down(&mut bytes);
    }
    twox_hash::XxHash3_64::oneshot(&bytes)
}

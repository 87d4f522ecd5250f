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
use crate::planted::Planted;
use crate::watermark::{Clocks, Seen, Watermark};

/// Marks of all ids that were staged.
type Staged = HashSet<u64>;

impl Pass {
    /// Reads what changed of an object since its watermark. An object of which there is no list of changes is
    /// listed whole; what is the same as before is left aside.
    pub(crate) async fn read_changes(&self, reading: &Reading) -> Result<(), Error> {
        let system = self.setup.project.system(&reading.system)?.clone();
        let fault = |fault| Error::system(&reading.system, fault);
        let Some(mut state) = self.place.store.extraction(&reading.system, &reading.object).await? else {
            return Ok(());
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
        let mut staged: Option<Staged> = None;
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
                if !before.contains(&mark) && !(self.errs(Planted::ChangeDropped) && mark % 16 == 0) {
                    records.push(record);
                }
            }
            gathered.push(records);
            cursor = page.next;
            if cursor.is_some() && reading.takes_another(&gathered) {
                continue;
            }
            reading.enrich(system.as_ref(), &mut gathered).await.map_err(fault)?;
            if gathered.iter().any(|page| !page.is_empty()) {
                // Read once, and only where something changed: it stands for all records of the object.
                let known = match staged.take() {
                    Some(known) => known,
                    None => self.place.store.staged_marks(&reading.system, &reading.object).await?,
                };
                staged = Some(self.stage_changes(reading, &mut state, gathered.drain(..), known).await?);
            }
            gathered.clear();
            if cursor.is_none() {
                break;
            }
        }
        now.sort_unstable();
        let mut mark = mark.behind(&seen, &clocks);
        if self.errs(Planted::WatermarkTooFar) {
            mark = Watermark { at: seen.began, reached: seen.began, closed: true };
        }
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
        Ok(())
    }

    /// Pages of changed records as further blocks. Records that were not staged before add to the number read;
    /// gives what is staged then.
    async fn stage_changes(
        &self,
        reading: &Reading,
        state: &mut Extraction,
        pages: impl Iterator<Item = Vec<Record>>,
        mut staged: Staged,
    ) -> Result<Staged, Error> {
        let (records, known) = (state.records, staged.len());
        let pages = pages.inspect(|page| staged.extend(page.iter().map(|record| Store::mark_of(&record.id))));
        let mut commit = self.staging(reading, state, pages);
        state.records = records + i64::try_from(staged.len() - known).unwrap_or(i64::MAX);
        state.told = None;
        commit.extractions = vec![state.clone()];
        self.place.store.commit(commit).await?;
        Ok(staged)
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

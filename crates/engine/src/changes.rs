//! Reading what changed: further blocks behind those that a backfill staged, up to a watermark.
//!
//! Invariants:
//! - What an earlier process staged is carried before more is read, so that no record waits twice.
//! - The watermark moves when its reading has come to the end, and not before: a reading that was cut off is
//!   done again.
//! - Watermarks are times of the system's clock. Whoever's clock was set, changes are looked for where they may
//!   be stamped then; a watermark from a future that nobody can explain is not believed.

use std::collections::HashSet;

use foldhash::HashSet as Marks;
use handover_connect::{Cursor, Read, Which};
use handover_model::{Finding, Record, RecordId, SystemName, Weight};
use handover_store::{Commit, Extraction, Store, Watermark as Row};
use jiff::{SignedDuration, Timestamp};

use crate::Error;
use crate::extract::Reading;
use crate::pass::Pass;
use crate::planted::Planted;
use crate::three_way::TOLERANCE;
use crate::watermark::{Ahead, Clocks, Seen, Watermark, later};

/// Marks of all ids that were staged.
type Staged = HashSet<u64>;

impl Pass {
    /// Reads what changed of an object since its watermark. An object of which there is no list of changes is
    /// listed whole; what is the same as before is left aside.
    pub(crate) async fn read_changes(&self, reading: &Reading) -> Result<(), Error> {
        self.read_behind(reading, false).await
    }

    /// Reads all of an object that was read whole before, as if all of it had changed.
    pub(crate) async fn read_whole_again(&self, reading: &Reading) -> Result<(), Error> {
        self.read_behind(reading, true).await
    }

    async fn read_behind(&self, reading: &Reading, whole: bool) -> Result<(), Error> {
        let system = self.setup.project.system(&reading.system)?.clone();
        let fault = |fault| Error::system(&reading.system, fault);
        let Some(mut state) = self.place.store.extraction(&reading.system, &reading.object).await? else {
            return Ok(());
        };
        let clocks = self.clocks();
        let known = self.place.store.watermark(&reading.system, &reading.object).await?;
        let (mark, ahead, began) = self.begin_from(reading, &state, known.as_ref(), &clocks);
        let lists = system.capabilities().object(reading.object.as_str()).is_some_and(|object| object.lists_since);
        let (object, fields) = (reading.object.clone(), reading.fields.clone());
        let read = Read { object, fields, which: Which::Live, since: (lists && !whole).then(|| mark.since(&clocks)) };
        let before: Marks<u64> = known.iter().filter(|_| !whole).flat_map(|known| &known.seen).copied().collect();
        let mut seen = Seen { began, latest: None, unfinished: None };
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
                if !(before.contains(&mark) || self.errs(Planted::ChangeDropped) && mark.is_multiple_of(16)) {
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
        let row = row(reading, mark, ahead, now);
        if whole || known.as_ref() != Some(&row) {
            let spent = self.newly_spent();
            let kept = if whole { vec![reading.told_fields()] } else { Vec::new() };
            self.place.store.commit(Commit { watermarks: vec![row], kept, spent, ..self.commit() }).await?;
        }
        Ok(())
    }

    /// Pages of changed records as further blocks. Records that were not staged before add to the number read;
    /// gives what is staged then.
    pub(crate) async fn stage_changes(
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
    pub(crate) fn clocks(&self) -> Clocks {
        Clocks {
            overlap: self.setup.project.policies.overlap,
            // Whole seconds, as the coarsest of the platforms has them.
            tick: SignedDuration::from_secs(1),
        }
    }

    /// The watermark that a reading of changes goes on from behind a reading of the whole, how far the system's clock
    /// counts as ahead of ours, and the moment by that clock.
    fn begin_from(
        &self,
        reading: &Reading,
        state: &Extraction,
        known: Option<&Row>,
        clocks: &Clocks,
    ) -> (Watermark, Ahead, Timestamp) {
        let whole = Watermark::since_whole_reading(state.began);
        let (mark, noted) = known
            .map_or((whole, Ahead::of(state.ahead)), |row| (watermark(row), Ahead { by: row.ahead, set: row.set }));
        let ours = self.place.clock.now();
        let ahead = noted.now(whole_seconds(self.ahead(&reading.system)), ours, &mark, clocks);
        let now = later(ours, ahead.by);
        let mark = mark.under(noted.by.saturating_sub(ahead.by), now, clocks).unwrap_or_else(|| {
            let (system, object) = (&reading.system, &reading.object);
            let from = whole.under(SignedDuration::ZERO, now, clocks);
            let again = if from.is_some() { "what changed since it was read whole" } else { "all of it" };
            self.notice(
                Finding::new(
                    Weight::Warning,
                    "watermark_in_the_future",
                    format!("the state has read `{system}.{object}` further than `{system}`'s clock has come"),
                )
                .hint(format!("{again} is read again; what is the same is recognised, nothing is written twice")),
            );
            from.unwrap_or_else(|| Watermark::since_whole_reading(Timestamp::UNIX_EPOCH))
        });
        (mark, ahead, now)
    }

    /// How far a system's clock is ahead of ours, as far as is known.
    pub(crate) fn ahead(&self, system: &SystemName) -> SignedDuration {
        let told = self.setup.project.systems.get(system).and_then(|system| system.clock_ahead());
        told.unwrap_or(SignedDuration::ZERO)
    }

    /// The time now by a system's clock.
    pub(crate) fn time_of(&self, system: &SystemName) -> Timestamp {
        later(self.place.clock.now(), self.ahead(system))
    }

    /// Tells of clocks that are far apart, or that were set since the last pass.
    pub(crate) async fn compare_clocks(&self) -> Result<(), Error> {
        let mut told: Vec<SystemName> = Vec::new();
        for (system, object) in self.setup.sources() {
            if told.contains(&system) {
                continue;
            }
            let ahead = self.ahead(&system);
            if ahead.abs() >= FAR_APART {
                let side = if ahead.is_negative() { "behind" } else { "ahead of" };
                let message = format!("the clock of `{system}` is {:#} {side} this machine's", minutes(ahead));
                self.notice(Finding::new(Weight::Warning, "clocks_far_apart", message).hint(
                    "changes are read by the system's own clock, so nothing is missed; look which of the two is wrong",
                ));
            }
            let Some(known) = self.place.store.watermark(&system, &object).await? else { continue };
            let moved = ahead.saturating_sub(known.ahead);
            // Once: a clock that was set forward is noted at once and counts later.
            if moved.abs() > TOLERANCE && known.set.is_none() {
                let message = format!(
                    "the clock of `{system}` or this machine's was set by {:#} since the last pass",
                    minutes(moved)
                );
                let hint = "what may have been stamped with another time is read again; nothing is written twice";
                self.notice(Finding::new(Weight::Warning, "clock_was_set", message).hint(hint));
            }
            told.push(system);
        }
        Ok(())
    }
}

/// A clock that is so far from ours deserves a look: it shows local time, or is wrong.
const FAR_APART: SignedDuration = SignedDuration::from_hours(2);

/// A difference as people say it.
fn minutes(time: SignedDuration) -> SignedDuration {
    SignedDuration::from_mins((time.abs().as_secs() + 30) / 60)
}

/// How far ahead a clock is, as it is noted.
pub(crate) fn whole_seconds(ahead: SignedDuration) -> SignedDuration {
    SignedDuration::from_secs(ahead.as_secs())
}

fn row(reading: &Reading, mark: Watermark, ahead: Ahead, seen: Vec<u64>) -> Row {
    let (Watermark { at, reached, closed }, Ahead { by: ahead, set }) = (mark, ahead);
    Row { system: reading.system.clone(), object: reading.object.clone(), at, reached, closed, ahead, set, seen }
}

fn watermark(row: &Row) -> Watermark {
    Watermark { at: row.at, reached: row.reached, closed: row.closed }
}

/// A mark of a record with all its values and the time of its change: eight bytes of which nobody gains by making two
/// equal. The values alone would hide a record that says again what it said before we wrote it; the time alone an edit
/// within its tick.
fn content(record: &Record) -> u64 {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(record.id.as_str().as_bytes());
    if let Some(modified) = record.modified {
        bytes.extend_from_slice(&modified.as_nanosecond().to_le_bytes());
    }
    for (name, value) in record.fields.iter() {
        bytes.push(0);
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.push(0);
        value.write_down(&mut bytes);
    }
    twox_hash::XxHash3_64::oneshot(&bytes)
}

//! Noticing what vanished: by the platform's list of deleted records, by what records say was merged into them, by what
//! is told since an earlier reading (see `feed`), and where there is no such list by a sweep of all ids (see `sweep`).
//!
//! Invariants:
//! - How far was looked is noted after what was found.
//! - A list of deleted records that took many pages is not read again at once: no platform filters it by the date of
//!   the deletion, so a page a minute is what looking may cost.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use handover_connect::{Cursor, Read, Which};
use handover_model::{End, FieldName, FlowName, Outcome, Record, RecordId, Side};
use handover_store::{Fate, Item, Lookout, RecordRow, Vanished};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Found;
use crate::Error;
use crate::pass::Pass;
use crate::setup::Ready;
use crate::watermark::{Seen, Watermark};

const DELETED: &str = "deleted";
const MERGED: &str = "merged";

/// By then a list of deleted records shows a deletion.
const LISTED_BY: SignedDuration = SignedDuration::from_hours(24);

impl Pass {
    /// Looks for records of an object that vanished since it was looked last, and makes durable what it finds.
    pub(crate) async fn look_for_vanished(self: &Arc<Self>, end: &End) -> Result<(), Error> {
        let places = self.places(end);
        let Some(can) = self.can(end)?.filter(|can| can.through.is_empty()) else { return Ok(()) };
        let Some(began) = self.first_read(&places).await? else { return Ok(()) };
        let mut missing = Vec::new();
        let mut lookouts = Vec::new();
        // What a source says of merges stands in the records that are carried.
        if let Some(marks) = self.merge_marks(end)?.filter(|_| places.iter().any(|(_, side)| *side == Side::Target)) {
            let fields: Arc<[FieldName]> = Arc::from([marks.clone()]);
            let read = Read { object: end.object.clone(), fields, which: Which::Live, since: None };
            let ids = &mut missing;
            let take = |page: Vec<Record>| page.iter().for_each(|record| ids.extend(merged_into(record, &marks)));
            lookouts.extend(self.look_through(end, MERGED, read, began, take).await?);
        }
        if can.lists_deleted {
            let read = Read { object: end.object.clone(), fields: Arc::from([]), which: Which::Deleted, since: None };
            let (ids, mut was_read) = (&mut missing, false);
            let take = |page: Vec<Record>| {
                was_read = true;
                ids.extend(page.into_iter().map(|record| record.id));
            };
            lookouts.extend(self.look_through(end, DELETED, read, began, take).await?);
            if was_read {
                let listed: HashSet<&RecordId> = missing.iter().collect();
                self.stage_returned(end, &places, |id| !listed.contains(id), true).await?;
            }
        }
        let mut followed = self.follow_feed(end, &places, &can, &mut missing).await?;
        let sweep = self.sweep_of(end, &places, &can);
        let every = self.setup.project.policies.sweep.saturating_mul(sweep.rest(followed.suffices()));
        if sweep.has_something_to_find() && (followed.lost || self.is_due(end, began, every).await?) {
            lookouts.push(self.sweep(end, &places, &sweep, &mut missing).await?);
            followed.swept();
        }
        self.notice_missing(end, &places, &missing).await?;
        let kept: Vec<(String, String)> = followed.news(end).into_iter().collect();
        if !(lookouts.is_empty() && kept.is_empty()) {
            let spent = self.newly_spent();
            let commit = handover_store::Commit { lookouts, kept, spent, ..self.commit() };
            self.place.store.commit(commit).await?;
        }
        Ok(())
    }

    /// Records that were gone and may be there again, as a list tells: those that are go the way of everything that
    /// changed, since not every platform takes a restored record for a changed one. Where the list is one of what was
    /// deleted, and in no other case, the others are gone `for_good` and asked for no more.
    pub(super) async fn stage_returned(
        self: &Arc<Self>,
        end: &End,
        places: &[(Arc<Ready>, Side)],
        may_be_there: impl Fn(&RecordId) -> bool,
        for_good: bool,
    ) -> Result<(), Error> {
        let mut missed: BTreeMap<RecordId, Vec<(bool, Vanished)>> = BTreeMap::new();
        for (ready, side) in places {
            let flow = &ready.flow.name;
            // Who is waited for is asked for anyhow.
            let own = self.place.store.vanished(flow, *side, false).await?.into_iter();
            let own = own.filter(|gone| gone.fate > Fate::Asked).map(|gone| (gone.record.clone(), (true, gone)));
            let with_it = self.place.store.vanished(flow, side.opposite(), false).await?.into_iter();
            let with_it = with_it.filter(|gone| gone.fate == Fate::Deleted);
            let with_it = with_it.filter_map(|gone| Some((gone.counterpart.clone()?, (false, gone))));
            for (id, gone) in own.chain(with_it).filter(|(id, _)| may_be_there(id)) {
                missed.entry(id).or_default().push(gone);
            }
        }
        if missed.is_empty() {
            return Ok(());
        }
        let ids: Vec<RecordId> = missed.keys().cloned().collect();
        let mut found = self.sought(end, &ids).await?;
        found.retain(|_, found| *found != Found::Gone);
        let mut commit = self.commit();
        let mut kept: BTreeMap<FlowName, Vec<Vanished>> = BTreeMap::new();
        for (id, all) in missed {
            let is_there = found.contains_key(&id);
            for (is_own, gone) in all {
                match is_there {
                    false if !for_good || commit.at.duration_since(gone.since) <= LISTED_BY => {}
                    // The judging of what is staged takes note of it.
                    true if is_own && gone.side == Side::Source => {}
                    true if is_own && gone.fate == Fate::Kept => {
                        kept.entry(gone.flow.clone()).or_default().push(gone);
                    }
                    _ if is_own => {
                        // What went with it may come again all the same: as no pair's where this one has another
                        // counterpart by then.
                        let other = gone.counterpart.clone().filter(|_| gone.fate == Fate::Deleted);
                        let source = if is_there { "".into() } else { gone.source.clone() };
                        commit.vanished.extend(other.map(|record| Vanished {
                            side: gone.side.opposite(),
                            record,
                            source,
                            counterpart: None,
                            ..gone.clone()
                        }));
                        commit.returned.push((gone.flow, gone.side, gone.record));
                    }
                    _ => commit.vanished.push(Vanished { counterpart: None, ..gone }),
                }
            }
        }
        self.place.store.commit(commit).await?;
        for (ready, _) in places.iter().filter(|(_, side)| *side == Side::Target) {
            if let Some(back) = kept.get(&ready.flow.name) {
                self.counterparts_again(ready, back).await?;
            }
        }
        let live: BTreeSet<RecordId> = found.into_keys().collect();
        let Some(state) = self.place.store.extraction(&end.system, &end.object).await? else { return Ok(()) };
        self.stage_now(&self.reading_of(end), state, &live.iter().cloned().collect::<Vec<_>>()).await?;
        for (ready, side) in places {
            self.stage_pointing_again(ready, *side, &live).await?;
        }
        Ok(())
    }

    /// When the first reading of the sources began whose records these flows carry.
    async fn first_read(&self, places: &[(Arc<Ready>, Side)]) -> Result<Option<Timestamp>, Error> {
        let mut first = None;
        for (ready, _) in places {
            let source = &ready.flow.source;
            let read = self.place.store.extraction(&source.system, &source.object).await?;
            let began = read.filter(|read| read.complete).map(|read| read.began);
            first = [first, began].into_iter().flatten().min();
        }
        Ok(first)
    }

    /// Reads a list since its watermark and gives the watermark behind it; none when it is too early.
    async fn look_through(
        &self,
        end: &End,
        list: &str,
        mut read: Read,
        began: Timestamp,
        mut take: impl FnMut(Vec<Record>),
    ) -> Result<Option<Lookout>, Error> {
        let clocks = self.clocks();
        let known = self.place.store.lookout(&end.system, &end.object, list).await?;
        let (now, there) = (self.place.clock.now(), self.time_of(&end.system));
        if known.as_ref().is_some_and(|known| list == DELETED && now < rested(known)) {
            return Ok(None);
        }
        let whole = Watermark::since_whole_reading(began);
        let mark = known
            .as_ref()
            .map_or_else(|| whole, |known| Watermark { at: known.at, reached: known.reached, closed: known.closed });
        let mark = mark.under(SignedDuration::ZERO, there, &clocks).unwrap_or(whole);
        // Deleted records are listed whole: when a deletion is stamped, and by which clock, is of no account then.
        read.since = (list != DELETED).then(|| mark.since(&clocks));
        let mut seen = Seen { began: there, latest: None, unfinished: None };
        let pages = self
            .each_page(end, &read, |records| {
                seen.latest = seen.latest.max(records.iter().filter_map(|record| record.modified).max());
                take(records);
            })
            .await?;
        let Watermark { at, reached, closed } = mark.behind(&seen, &clocks);
        let (system, object, list) = (end.system.clone(), end.object.clone(), list.to_owned());
        let row = Lookout { system, object, list, at, reached, closed, looked: now, pages };
        // When a list of one page was read last is of no use to anybody.
        let is_news = |known: Lookout| known.pages > 1 || Lookout { looked: now, ..known } != row;
        Ok(if known.is_none_or(is_news) { Some(row) } else { None })
    }

    /// Reads a list to its end; gives the number of its pages.
    pub(super) async fn each_page(
        &self,
        end: &End,
        read: &Read,
        mut take: impl FnMut(Vec<Record>),
    ) -> Result<u64, Error> {
        let system = self.setup.project.system(&end.system)?;
        let mut cursor: Option<Cursor> = None;
        let mut pages = 0;
        loop {
            self.go_on()?;
            let page = system.page(read, cursor.as_ref()).await.map_err(|fault| Error::system(&end.system, fault))?;
            pages += 1;
            take(page.records);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(pages);
            }
        }
    }

    /// Of these records those that flows know and that are gone: merges are followed, the others are noted. Of several
    /// that became one, the first is preferred.
    pub(super) async fn notice_missing(
        &self,
        end: &End,
        places: &[(Arc<Ready>, Side)],
        ids: &[RecordId],
    ) -> Result<(), Error> {
        let mut known: BTreeMap<RecordId, Vec<(usize, RecordId)>> = BTreeMap::new();
        for (at, (ready, side)) in places.iter().enumerate() {
            let noted = self.place.store.vanished_among(&ready.flow.name, *side, ids).await?;
            // Of a pair that ended it may have come again, and be another one's.
            let noted = noted.into_iter().filter(|gone| gone.fate != Fate::Deleted);
            let noted: HashSet<RecordId> = noted.map(|gone| gone.record).collect();
            for row in self.rows_on(ready, *side, ids).await? {
                if let Some(id) = on(&row, *side).filter(|id| !noted.contains(*id)) {
                    known.entry(id.clone()).or_default().push((at, row.record.clone()));
                }
            }
        }
        let alone = self.held_alone(places, ids).await?;
        let wanted: BTreeSet<&RecordId> = known.keys().chain(alone.iter().map(|row| &row.record)).collect();
        let wanted: Vec<RecordId> = wanted.into_iter().cloned().collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut merged: BTreeMap<RecordId, Vec<RecordId>> = BTreeMap::new();
        let mut commit = self.commit();
        let mut found = self.sought(end, &wanted).await?;
        for row in alone.into_iter().filter(|row| found.get(&row.record) != Some(&Found::Live)) {
            commit.released.push((row.flow.clone(), row.record.clone()));
            commit.rows.push(RecordRow { outcome: Outcome::Excluded, digest: None, last_entry: None, ..row });
        }
        for id in ids {
            let Some(found) = found.remove(id) else { continue };
            let id = id.clone();
            match found {
                Found::Live => {}
                Found::Became(now) => merged.entry(now).or_default().push(id),
                Found::Gone => {
                    for (at, source) in known.remove(&id).unwrap_or_default() {
                        let (ready, side) = &places[at];
                        let values = json!({"side": side.word(), "record": id.as_str()});
                        let mut entry = self.entry("vanished", ready);
                        entry.items.push(Item { record: source.clone(), values: values.into() });
                        commit.entries.push(entry);
                        commit.vanished.push(self.vanished_now(&ready.flow.name, *side, &id, &source));
                        self.vanishings().noticed += 1;
                    }
                }
            }
        }
        for (into, olds) in merged {
            self.became(end, &into, &olds, &mut commit).await?;
        }
        let gone = commit.vanished.iter().filter(|gone| gone.side == Side::Source);
        let gone: BTreeSet<RecordId> = gone.map(|gone| gone.record.clone()).collect();
        self.place.store.commit(commit).await?;
        // Where nothing tells of a merge it may have moved what pointed to the record, and told nothing of that either.
        let can = self.setup.project.system(&end.system)?.capabilities().object(end.object.as_str()).cloned();
        if can.is_some_and(|can| can.people_merge && can.bin_is_quiet) {
            self.stage_pointing(places, &gone).await?;
        }
        Ok(())
    }

    /// Those of these records of a target that are held on their way back, and have no counterpart.
    async fn held_alone(&self, places: &[(Arc<Ready>, Side)], ids: &[RecordId]) -> Result<Vec<RecordRow>, Error> {
        let mut held = Vec::new();
        let backs =
            places.iter().filter(|(_, side)| *side == Side::Target).filter_map(|(ready, _)| ready.back.as_ref());
        for back in backs {
            let rows = self.place.store.rows(&back.ready.flow.name, ids).await?;
            held.extend(rows.into_values().filter(|row| row.outcome == Outcome::Held));
        }
        Ok(held)
    }

    /// Of pairs of which one record seems to be missing: whichever it is goes the way of everything that vanished.
    pub(crate) async fn miss(&self, ready: &Ready, sources: &[RecordId]) -> Result<(), Error> {
        let rows = self.place.store.rows(&ready.flow.name, sources).await?;
        let targets: Vec<RecordId> = rows.into_values().filter_map(|row| row.target).collect();
        for (end, ids) in [(&ready.flow.source, sources), (&ready.flow.target, targets.as_slice())] {
            self.notice_missing(end, &self.places(end), ids).await?;
        }
        Ok(())
    }

    /// A record of a pair that is missed from now on; nothing is decided yet.
    pub(crate) fn vanished_now(&self, flow: &FlowName, side: Side, record: &RecordId, source: &RecordId) -> Vanished {
        let since = (self.id, self.place.clock.now());
        Vanished::missed(flow.clone(), side, record.clone(), source.clone(), since)
    }

    /// The rows of a flow that have one of these ids on a side.
    pub(super) async fn rows_on(&self, ready: &Ready, side: Side, ids: &[RecordId]) -> Result<Vec<RecordRow>, Error> {
        Ok(match side {
            Side::Source => self.place.store.rows(&ready.flow.name, ids).await?.into_values().collect(),
            Side::Target => self.place.store.rows_with_targets(&ready.flow.name, ids).await?,
        })
    }
}

/// The record that a row speaks of on a side: none of what was merged into another one or left out.
pub(super) fn on(row: &RecordRow, side: Side) -> Option<&RecordId> {
    match (row.outcome, side) {
        (Outcome::Merged | Outcome::Skipped | Outcome::Excluded, _) => None,
        (_, Side::Source) => Some(&row.record),
        (_, Side::Target) => row.target.as_ref(),
    }
}

/// What a record says was merged into it.
pub(super) fn merged_into(record: &Record, marks: &FieldName) -> Vec<RecordId> {
    let Some(value) = record.fields.get(marks.as_str()) else { return Vec::new() };
    let parts = value.ids().into_iter().flat_map(|text| text.split([';', ',']));
    // Some platforms write more than the id: `45678:1762070400000`.
    let ids = parts.map(|part| part.split(':').next().unwrap_or_default().trim());
    ids.filter(|id| !id.is_empty()).map(RecordId::from).filter(|id| *id != record.id).collect()
}

/// When a list that no date filters may be read again: a minute later for each page but the first.
fn rested(known: &Lookout) -> Timestamp {
    let minutes = i64::try_from(known.pages.saturating_sub(1)).unwrap_or(i64::MAX).min(7 * 24 * 60);
    known.looked.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(known.looked)
}

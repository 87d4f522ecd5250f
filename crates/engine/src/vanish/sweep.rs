//! The sweep: a list of all records of an object, now and then, that finds what no reading of changes can: records
//! that vanished where the platform has no list of those, and links that changed where the platform does not touch
//! the record for it.
//!
//! Invariants:
//! - What a sweep finds goes the way of everything else: records are missed, or staged as changed.
//! - Memory stays small: of each record two marks are kept.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use handover_connect::{ObjectCapabilities, Read, Which};
use handover_model::{End, FieldName, Kind, ReadCost, Record, RecordId, Schema, Side};
use handover_store::{Fate, Lookout, Store, Vanished};
use jiff::{SignedDuration, Timestamp};

use super::look::on;
use crate::Error;
use crate::extract::Reading;
use crate::pass::Pass;
use crate::setup::Ready;

/// The lookout's name for a list of all records.
const WHOLE: &str = "whole";

/// Rows that are looked at together.
const ROWS: usize = 500;

/// Of what is read at one call for each record, a sweep reads this part.
const PARTS: u64 = 7;

/// What a sweep of an object looks for.
pub(super) struct Sweep {
    /// Whether records that are gone are found by it alone.
    vanished: bool,
    /// Link fields whose changes do not touch their record, as lists and calls for many records bring them,
    links: Option<Reading>,
    /// and those that cost a call for each record.
    dear: Vec<FieldName>,
}

impl Sweep {
    /// So many times rarer is a sweep of an object where a feed suffices, which tells neither of records that we may not
    /// read any more nor again of those that nobody knew yet. Links are told by no feed.
    pub(super) fn rest(&self, feed_suffices: bool) -> i32 {
        if feed_suffices && self.links.is_none() && self.dear.is_empty() { 7 } else { 1 }
    }

    pub(super) fn has_something_to_find(&self) -> bool {
        self.vanished || self.links.is_some() || !self.dear.is_empty()
    }
}

/// The links of all records of an object as they are now, and as they were staged: by the mark of the id.
type Marks = HashMap<u64, u64>;

impl Pass {
    /// What a sweep of an object has to look for.
    pub(super) fn sweep_of(&self, end: &End, places: &[(Arc<Ready>, Side)], can: &ObjectCapabilities) -> Sweep {
        let vanished = !can.lists_deleted || (can.people_merge && can.bin_is_quiet);
        let mut sweep = Sweep { vanished, links: None, dear: Vec::new() };
        let mut names: BTreeSet<FieldName> = BTreeSet::new();
        let mut schema: Option<&Schema> = None;
        for (ready, side) in places.iter().filter(|_| !can.links_touch) {
            let (described, read) = match (side, &ready.back) {
                (Side::Source, _) => (&ready.source, &ready.program),
                (Side::Target, Some(back)) => (&ready.target, &back.ready.program),
                (Side::Target, None) => continue,
            };
            let is_link = |name: &FieldName| {
                matches!(described.field(name.as_str()).map(|field| &field.kind), Some(Kind::Reference { .. }))
            };
            names.extend(read.source_fields().into_iter().filter(is_link));
            schema = Some(described);
        }
        let Some(schema) = schema else { return sweep };
        let is_dear = |name: &FieldName| {
            let read = schema.field(name.as_str()).map(|field| &field.read);
            matches!(read, Some(ReadCost::Extra { per_call: 0 | 1, only_above: None, .. }))
        };
        let (dear, cheap): (Vec<_>, Vec<_>) = names.into_iter().partition(is_dear);
        sweep.dear = dear;
        if !cheap.is_empty() {
            sweep.links = Some(Reading::new(schema, end.system.clone(), cheap.into_iter().collect(), Vec::new()));
        }
        sweep
    }

    /// Whether a sweep is due: the last one, or the first reading of all, is as old as it may get.
    pub(super) async fn is_due(&self, end: &End, began: Timestamp, every: SignedDuration) -> Result<bool, Error> {
        let known = self.place.store.lookout(&end.system, &end.object, WHOLE).await?;
        let last = known.map_or(began, |known| known.looked);
        Ok(self.place.clock.now().duration_since(last) >= every)
    }

    /// Lists all records of an object: adds those that are missing, takes note of those that are there again, and
    /// stages those whose links changed.
    pub(super) async fn sweep(
        self: &Arc<Self>,
        end: &End,
        places: &[(Arc<Ready>, Side)],
        sweep: &Sweep,
        missing: &mut Vec<RecordId>,
    ) -> Result<Lookout, Error> {
        let looked = self.place.clock.now();
        let part = u64::try_from(looked.as_second() / self.setup.project.policies.sweep.as_secs().max(1)).unwrap_or(0);
        let (now, pages) = self.links_now(end, sweep, part % PARTS).await?;
        for (ready, side) in places.iter().filter(|_| sweep.vanished) {
            missing.extend(self.known(ready, *side, |id| !now.contains_key(&Store::mark_of(id))).await?);
        }
        if sweep.vanished {
            self.there_again(end, places, |id| now.contains_key(&Store::mark_of(id))).await?;
        }
        if sweep.links.is_some() || !sweep.dear.is_empty() {
            self.stage_relinked(end, places, sweep, (&now, part % PARTS)).await?;
        }
        let (system, object) = (end.system.clone(), end.object.clone());
        let list = WHOLE.to_owned();
        Ok(Lookout { system, object, list, at: looked, reached: looked, closed: true, looked, pages })
    }

    /// Takes note of those of the missed records that a list of live ones brings.
    pub(super) async fn there_again(
        self: &Arc<Self>,
        end: &End,
        places: &[(Arc<Ready>, Side)],
        is_there: impl Fn(&RecordId) -> bool,
    ) -> Result<(), Error> {
        for (ready, side) in places {
            let back = self.place.store.vanished(&ready.flow.name, *side, false).await?;
            // Counterparts that are waited for are asked for at the end of the pass, whatever a list says.
            let waits = |gone: &Vanished| *side == Side::Target && matches!(gone.fate, Fate::Pending | Fate::Asked);
            let is_live = |gone: &Vanished| gone.fate <= Fate::Asked && !waits(gone) && is_there(&gone.record);
            self.seen_again(ready, *side, &back.into_iter().filter(is_live).collect::<Vec<_>>()).await?;
        }
        self.stage_returned(end, places, is_there, false).await
    }

    /// All live records with a mark of their links, and the pages that they came on.
    async fn links_now(&self, end: &End, sweep: &Sweep, part: u64) -> Result<(Marks, u64), Error> {
        let system = self.setup.project.system(&end.system)?.clone();
        let fault = |fault| Error::system(&end.system, fault);
        let fields = sweep.links.as_ref().map_or_else(|| Arc::from([]), |reading| reading.fields.clone());
        let read = Read { object: end.object.clone(), fields, which: Which::Live, since: None };
        let mut now = Marks::new();
        let mut pages = 0;
        let mut gathered: Vec<Vec<Record>> = Vec::new();
        let mut cursor = None;
        loop {
            self.go_on()?;
            let page = system.page(&read, cursor.as_ref()).await.map_err(fault)?;
            pages += 1;
            gathered.push(page.records.into_iter().filter(|record| !record.gone).collect());
            cursor = page.next;
            if let Some(links) = &sweep.links {
                if cursor.is_some() && links.takes_another(&gathered) {
                    continue;
                }
                links.enrich(system.as_ref(), &mut gathered).await.map_err(fault)?;
            }
            for name in &sweep.dear {
                let in_turn = gathered.iter().flatten().filter(|record| is_in_turn(&record.id, part));
                let ids: Vec<RecordId> = in_turn.map(|record| record.id.clone()).collect();
                let found = system.enrich(&end.object, name, &ids).await.map_err(fault)?;
                let mut found: HashMap<RecordId, Record> =
                    found.into_iter().map(|record| (record.id.clone(), record)).collect();
                for record in gathered.iter_mut().flatten() {
                    let value = found.remove(&record.id).and_then(|mut found| found.fields.remove(name.as_str()));
                    value.into_iter().for_each(|value| record.fields.set(name.clone(), value));
                }
            }
            let marks = gathered.drain(..).flatten();
            now.extend(marks.map(|record| (Store::mark_of(&record.id), links_of(&record, sweep, part))));
            if cursor.is_none() {
                return Ok((now, pages));
            }
        }
    }

    /// Those of the records that a flow has on a side.
    async fn known(
        &self,
        ready: &Ready,
        side: Side,
        wanted: impl Fn(&RecordId) -> bool,
    ) -> Result<Vec<RecordId>, Error> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let rows = self.place.store.rows_page(&ready.flow.name, None, after.as_ref(), ROWS).await?;
            let Some(last) = rows.last() else { return Ok(found) };
            after = Some(last.record.clone());
            found.extend(rows.iter().filter_map(|row| on(row, side)).filter(|id| wanted(id)).cloned());
        }
    }

    /// Records whose links are not those that were staged of them are read and staged as changed.
    async fn stage_relinked(
        &self,
        end: &End,
        places: &[(Arc<Ready>, Side)],
        sweep: &Sweep,
        (now, part): (&Marks, u64),
    ) -> Result<(), Error> {
        let Some(state) = self.place.store.extraction(&end.system, &end.object).await? else { return Ok(()) };
        let mut staged = Marks::new();
        for number in 0..state.blocks {
            self.go_on()?;
            let records = self.place.store.block_once(&end.system, &end.object, number).await?;
            staged.extend(records.iter().map(|record| (Store::mark_of(&record.id), links_of(record, sweep, part))));
        }
        let changed = |id: &RecordId| {
            let mark = Store::mark_of(id);
            staged.get(&mark).is_some_and(|then| now.get(&mark).is_some_and(|now| now != then))
        };
        let mut wanted: BTreeSet<RecordId> = BTreeSet::new();
        for (ready, side) in places {
            wanted.extend(self.known(ready, *side, changed).await?);
        }
        self.stage_now(&self.reading_of(end), state, &wanted.into_iter().collect::<Vec<_>>()).await
    }
}

/// Whether what is dear to read of a record is read in this sweep.
fn is_in_turn(id: &RecordId, part: u64) -> bool {
    Store::mark_of(id) % PARTS == part
}

/// A mark of a record's links, those that a sweep reads of it.
fn links_of(record: &Record, sweep: &Sweep, part: u64) -> u64 {
    let mut bytes = Vec::new();
    let cheap = sweep.links.iter().flat_map(Reading::names);
    for name in cheap.chain(sweep.dear.iter().filter(|_| is_in_turn(&record.id, part))) {
        bytes.push(0);
        let mut ids = record.fields.get(name.as_str()).map(handover_model::Value::ids).unwrap_or_default();
        ids.sort_unstable();
        ids.into_iter().for_each(|id| {
            bytes.extend_from_slice(id.as_bytes());
            bytes.push(1);
        });
    }
    twox_hash::XxHash3_64::oneshot(&bytes)
}

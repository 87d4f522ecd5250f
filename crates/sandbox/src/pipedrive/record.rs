//! Records and tables: sparse rows by id, with the indexes that make a page cost a page.
//!
//! A record holds only what differs from its kind's defaults, under static keys, so that millions of
//! them fit into memory. A table indexes the time of the last change, the time of creation, and the
//! links named by its kind; every row goes in and out through [`Table::put`], so that no index lags.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use serde_json::Value as Json;

use super::time::Seconds;

static NULL: Json = Json::Null;

/// One record of any kind.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) id: u64,
    pub(super) added: Seconds,
    /// None for old records that were never updated (sheet: section 4 \[obs\]).
    pub(super) updated: Option<Seconds>,
    /// When it was deleted.
    pub(super) deleted: Option<Seconds>,
    fields: Vec<(&'static str, Json)>,
    custom: Vec<(Arc<str>, Json)>,
}

impl Record {
    pub(super) fn new(id: u64, now: Seconds) -> Self {
        Self { id, added: now, updated: Some(now), deleted: None, fields: Vec::new(), custom: Vec::new() }
    }

    /// The value of a system field; null when unset.
    pub(super) fn get(&self, key: &str) -> &Json {
        self.fields.iter().find(|(name, _)| *name == key).map_or(&NULL, |(_, value)| value)
    }

    /// Sets a system field; null unsets it.
    pub(super) fn set(&mut self, key: &'static str, value: Json) {
        let at = self.fields.iter().position(|(name, _)| *name == key);
        match (at, value.is_null()) {
            (Some(at), true) => {
                self.fields.remove(at);
            }
            (Some(at), false) => {
                if let Some(slot) = self.fields.get_mut(at) {
                    slot.1 = value;
                }
            }
            (None, true) => {}
            (None, false) => {
                self.fields.reserve_exact(1);
                self.fields.push((key, value));
            }
        }
    }

    pub(super) fn id_of(&self, key: &str) -> Option<u64> {
        self.get(key).as_u64()
    }

    pub(super) fn text(&self, key: &str) -> &str {
        self.get(key).as_str().unwrap_or_default()
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.get(key).as_bool().unwrap_or_default()
    }

    /// The value of a custom field; null when unset.
    pub(super) fn custom(&self, code: &str) -> &Json {
        self.custom.iter().find(|(name, _)| &**name == code).map_or(&NULL, |(_, value)| value)
    }

    /// Sets a custom field; null unsets it.
    pub(super) fn set_custom(&mut self, code: &Arc<str>, value: Json) {
        self.custom.retain(|(name, _)| name != code);
        if !value.is_null() {
            self.custom.reserve_exact(1);
            self.custom.push((Arc::clone(code), value));
        }
    }

    pub(super) fn customs(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.custom.iter().map(|(code, value)| (&**code, value))
    }

    /// The time that orders and filters by change.
    pub(super) fn changed(&self) -> Seconds {
        self.updated.unwrap_or(self.added)
    }
}

/// What a walk over a table is ordered by. Ties are broken by the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Id,
    Updated,
    Added,
}

/// A walk: its order, its direction and the row after which it goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    pub(super) order: Order,
    pub(super) descending: bool,
    pub(super) after: Option<(i64, u64)>,
    /// Only rows changed at this time or later.
    pub(super) since: Option<Seconds>,
    /// Only rows changed before this time.
    pub(super) until: Option<Seconds>,
}

/// The rows of one kind.
#[derive(Debug)]
pub(super) struct Table {
    rows: BTreeMap<u64, Record>,
    next: u64,
    by_update: BTreeSet<(Seconds, u64)>,
    by_add: BTreeSet<(Seconds, u64)>,
    deleted: BTreeSet<(Seconds, u64)>,
    link_keys: &'static [&'static str],
    links: BTreeMap<(&'static str, u64), BTreeSet<u64>>,
}

type Rows<'a> = Box<dyn Iterator<Item = &'a Record> + 'a>;

/// Up to so many changed rows are collected and sorted; beyond, the whole order is walked.
const FEW: usize = 2_000;

impl Table {
    pub(super) fn new(link_keys: &'static [&'static str]) -> Self {
        Self {
            rows: BTreeMap::new(),
            next: 1,
            by_update: BTreeSet::new(),
            by_add: BTreeSet::new(),
            deleted: BTreeSet::new(),
            link_keys,
            links: BTreeMap::new(),
        }
    }

    /// The id that the next new record gets.
    pub(super) fn next_id(&mut self) -> u64 {
        let id = self.next;
        self.next += 1;
        id
    }

    pub(super) fn peek_next(&self) -> u64 {
        self.next
    }

    pub(super) fn raise_next(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    /// The record, also when it is deleted.
    pub(super) fn get(&self, id: u64) -> Option<&Record> {
        self.rows.get(&id)
    }

    /// The record unless it is deleted.
    pub(super) fn live(&self, id: u64) -> Option<&Record> {
        self.rows.get(&id).filter(|record| record.deleted.is_none())
    }

    /// All rows by id, deleted ones included.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.rows.values()
    }

    /// Puts a record in, in place of the one with its id.
    pub(super) fn put(&mut self, record: Record) {
        self.take(record.id);
        self.raise_next(record.id + 1);
        self.by_update.insert((record.changed(), record.id));
        self.by_add.insert((record.added, record.id));
        if let Some(at) = record.deleted {
            self.deleted.insert((at, record.id));
        }
        for (key, parent) in self.parents(&record) {
            self.links.entry((key, parent)).or_default().insert(record.id);
        }
        self.rows.insert(record.id, record);
    }

    /// Takes a record out for good.
    pub(super) fn take(&mut self, id: u64) -> Option<Record> {
        let record = self.rows.remove(&id)?;
        self.by_update.remove(&(record.changed(), id));
        self.by_add.remove(&(record.added, id));
        if let Some(at) = record.deleted {
            self.deleted.remove(&(at, id));
        }
        for link in self.parents(&record) {
            if let Some(children) = self.links.get_mut(&link) {
                children.remove(&id);
                if children.is_empty() {
                    self.links.remove(&link);
                }
            }
        }
        Some(record)
    }

    fn parents(&self, record: &Record) -> Vec<(&'static str, u64)> {
        let mut parents: Vec<_> = self.link_keys.iter().filter_map(|key| Some((*key, record.id_of(key)?))).collect();
        if self.link_keys.contains(&"person_id") {
            let more = record.get("participants").as_array().into_iter().flatten();
            parents.extend(more.filter_map(|one| Some(("person_id", one.get("person_id")?.as_u64()?))));
        }
        parents.sort_unstable();
        parents.dedup();
        parents
    }

    /// Ids of the rows that link to a parent, in order; deleted ones included.
    pub(super) fn children(&self, key: &'static str, parent: u64) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.links.get(&(key, parent)).into_iter().flatten().copied()
    }

    /// Living rows that link to a parent.
    pub(super) fn live_children(&self, key: &'static str, parent: u64) -> impl Iterator<Item = &Record> {
        self.children(key, parent).filter_map(|id| self.live(id))
    }

    /// Whether an index covers this link.
    pub(super) fn indexes(&self, key: &str) -> Option<&'static str> {
        self.link_keys.iter().find(|name| **name == key).copied()
    }

    /// Ids that were deleted before this time.
    pub(super) fn deleted_before(&self, at: Seconds) -> Vec<u64> {
        self.deleted.range(..(at, 0)).map(|(_, id)| *id).collect()
    }

    /// Ids of deleted rows, the oldest deletion first.
    pub(super) fn deleted_ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.deleted.iter().map(|(_, id)| *id)
    }

    /// Rows in the walk's order, deleted ones included, each page costing about a page.
    pub(super) fn walk(&self, walk: Walk) -> Rows<'_> {
        let windowed = walk.since.is_some() || walk.until.is_some();
        if windowed && walk.order != Order::Updated {
            let window = (
                Bound::Included((walk.since.unwrap_or(i64::MIN), 0)),
                walk.until.map_or(Bound::Unbounded, |until| Bound::Excluded((until, 0))),
            );
            if walk.since.zip(walk.until).is_some_and(|(since, until)| since >= until) {
                return Box::new(std::iter::empty());
            }
            let few: Vec<u64> = self.by_update.range(window).take(FEW + 1).map(|(_, id)| *id).collect();
            if few.len() <= FEW {
                return self.walk_ids(few, walk);
            }
        }
        let inside = move |record: &&Record| {
            walk.since.is_none_or(|since| record.changed() >= since)
                && walk.until.is_none_or(|until| record.changed() < until)
        };
        Box::new(self.ordered(walk).filter(inside))
    }

    /// These rows in the walk's order.
    pub(super) fn walk_ids(&self, ids: Vec<u64>, walk: Walk) -> Rows<'_> {
        let mut rows: Vec<&Record> = ids.into_iter().filter_map(|id| self.rows.get(&id)).collect();
        let place = move |record: &Record| position(record, walk.order);
        rows.retain(|record| {
            walk.since.is_none_or(|since| record.changed() >= since)
                && walk.until.is_none_or(|until| record.changed() < until)
        });
        rows.sort_unstable_by_key(|record| place(record));
        if walk.descending {
            rows.reverse();
        }
        Box::new(rows.into_iter().filter(move |record| match walk.after {
            None => true,
            Some(after) if walk.descending => place(record) < after,
            Some(after) => place(record) > after,
        }))
    }

    fn ordered(&self, walk: Walk) -> Rows<'_> {
        let row = |id: u64| self.rows.get(&id);
        if walk.order == Order::Id {
            let after = walk.after.map(|(_, id)| id);
            return if walk.descending {
                let end = after.map_or(Bound::Unbounded, Bound::Excluded);
                Box::new(self.rows.range((Bound::Unbounded, end)).rev().map(|(_, record)| record))
            } else {
                let start = after.map_or(Bound::Unbounded, Bound::Excluded);
                Box::new(self.rows.range((start, Bound::Unbounded)).map(|(_, record)| record))
            };
        }
        let updated = walk.order == Order::Updated;
        let index = if updated { &self.by_update } else { &self.by_add };
        let low = walk.since.filter(|_| updated).map(|since| (since, 0));
        let high = walk.until.filter(|_| updated).map(|until| (until, 0));
        let mut start = low.map_or(Bound::Unbounded, Bound::Included);
        let mut end = high.map_or(Bound::Unbounded, Bound::Excluded);
        if let Some(after) = walk.after {
            if walk.descending && high.is_none_or(|high| after < high) {
                end = Bound::Excluded(after);
            } else if !walk.descending && low.is_none_or(|low| after >= low) {
                start = Bound::Excluded(after);
            }
        }
        if is_empty_range(start, end) {
            return Box::new(std::iter::empty());
        }
        let range = index.range((start, end));
        if walk.descending {
            Box::new(range.rev().filter_map(move |(_, id)| row(*id)))
        } else {
            Box::new(range.filter_map(move |(_, id)| row(*id)))
        }
    }
}

/// Where a record stands in an order.
pub(super) fn position(record: &Record, order: Order) -> (i64, u64) {
    match order {
        Order::Id => (0, record.id),
        Order::Updated => (record.changed(), record.id),
        Order::Added => (record.added, record.id),
    }
}

/// Whether `range` would panic or yield nothing.
fn is_empty_range(start: Bound<(i64, u64)>, end: Bound<(i64, u64)>) -> bool {
    let (Bound::Included(low) | Bound::Excluded(low)) = start else { return false };
    let (Bound::Included(high) | Bound::Excluded(high)) = end else { return false };
    low >= high
}

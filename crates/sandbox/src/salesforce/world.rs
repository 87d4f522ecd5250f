//! The world of one organization: records with their indexes, and what undoes a write.
//!
//! Invariants: every change of a record passes [`World::put`], so that no index can miss it; what a request
//! did can be taken back to a [`Mark`], the numbers it drew included; nothing depends on anything but the
//! world, its seed and the requests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value as Json;

use super::access::Access;
use super::bulk::Jobs;
use super::instant::Seconds;
use super::org::Org;
use super::rules::Rules;
use super::schema::{Field, Kind, Object, Schema};
use super::settings::Settings;
use super::world_file::Specs;
use super::{id, instant};
use crate::drawn;
use crate::journal::{Action, Change};

/// The values of a record that are not null, by field.
pub(super) type Record = BTreeMap<String, Json>;

/// The records of an object, deleted ones included.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rows: BTreeMap<String, Record>,
    /// Ids by field and value.
    index: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

/// A deleted record in the recycle bin.
#[derive(Clone, Debug)]
pub(super) struct Binned {
    pub(super) object: String,
    pub(super) at: Seconds,
    /// The record whose deletion took this one along; its own id where it was deleted itself.
    pub(super) root: String,
    /// Lookups that were cleared with it: object, id, field.
    pub(super) cleared: Vec<(String, String, String)>,
}

enum Undo {
    Row { object: String, id: String, before: Option<Record> },
    Next { name: String, before: Option<u64> },
    Bin { id: String, before: Option<Binned> },
    Gone { object: String },
}

impl std::fmt::Debug for Undo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Undo")
    }
}

/// A point to which a request can be taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    undo: usize,
    changes: usize,
}

/// Everything that the organization holds.
#[derive(Debug)]
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) org: Org,
    pub(super) settings: Settings,
    pub(super) schema: Schema,
    pub(super) rules: Rules,
    pub(super) access: Access,
    pub(super) jobs: Jobs,
    tables: BTreeMap<String, Table>,
    pub(super) next: BTreeMap<String, u64>,
    pub(super) bin: BTreeMap<String, Binned>,
    /// No record has been in the bin since before then.
    binned_since: Seconds,
    /// Deletions by object, in order: for the feed of deleted ids.
    pub(super) gone: BTreeMap<String, VecDeque<(Seconds, String)>>,
    /// Objects and fields beside the standard ones, as world files say them.
    pub(super) specs: Specs,
    /// When the schema was changed last.
    schema_at: Seconds,
    pub(super) changes: Vec<Change>,
    undo: Vec<Undo>,
}

impl World {
    /// An organization without schema and records.
    pub(super) fn blank(seed: u64) -> Self {
        Self {
            seed,
            org: Org::default(),
            settings: Settings::default(),
            schema: Schema::default(),
            rules: Rules::default(),
            access: Access::default(),
            jobs: Jobs::default(),
            tables: BTreeMap::new(),
            next: BTreeMap::new(),
            bin: BTreeMap::new(),
            binned_since: Seconds::MAX,
            gone: BTreeMap::new(),
            specs: Specs::default(),
            schema_at: 0,
            changes: Vec::new(),
            undo: Vec::new(),
        }
    }

    /// When the schema was changed last.
    pub(super) fn schema_changed(&self) -> Seconds {
        self.schema_at
    }

    pub(super) fn set_schema_changed(&mut self, at: Seconds) {
        self.schema_at = at;
    }

    pub(super) fn rows(&self, object: &str) -> impl DoubleEndedIterator<Item = (&String, &Record)> {
        self.tables.get(object).into_iter().flat_map(|table| table.rows.iter())
    }

    /// Records whose ids come after this one.
    pub(super) fn rows_after<'a>(
        &'a self,
        object: &str,
        id: &str,
    ) -> Box<dyn Iterator<Item = (&'a String, &'a Record)> + 'a> {
        use std::ops::Bound;
        match self.tables.get(object) {
            Some(table) => Box::new(table.rows.range((Bound::Excluded(id.to_owned()), Bound::Unbounded))),
            None => Box::new(std::iter::empty()),
        }
    }

    /// Ids whose `SystemModstamp` is this one or later, in its order.
    pub(super) fn stamped_since(&self, object: &str, stamp: &str) -> Vec<String> {
        let index = self.tables.get(object).and_then(|table| table.index.get("SystemModstamp"));
        index
            .map(|index| index.range(stamp.to_lowercase()..).flat_map(|(_, ids)| ids.iter().cloned()).collect())
            .unwrap_or_default()
    }

    /// A record, deleted or not.
    pub(super) fn get(&self, object: &str, id: &str) -> Option<&Record> {
        self.tables.get(object)?.rows.get(id)
    }

    /// A record that is not deleted.
    pub(super) fn live(&self, object: &str, id: &str) -> Option<&Record> {
        self.get(object, id).filter(|record| !is_deleted(record))
    }

    /// The object and the record of an id.
    pub(super) fn find(&self, id: &str) -> Option<(&Object, &Record)> {
        let object = self.schema.of_id(id)?;
        Some((object, self.get(&object.name, id)?))
    }

    /// Ids of the records, deleted ones included, that have this value in an indexed field.
    pub(super) fn by_value(&self, object: &str, field: &Field, value: &Json) -> Vec<String> {
        let index = self.tables.get(object).and_then(|table| table.index.get(&field.name));
        let found = key(field, value).and_then(|key| index?.get(&key));
        found.map(|ids| ids.iter().cloned().collect()).unwrap_or_default()
    }

    /// The same without the deleted ones.
    pub(super) fn live_by_value(&self, object: &str, field: &Field, value: &Json) -> Vec<String> {
        let mut ids = self.by_value(object, field, value);
        ids.retain(|id| self.live(object, id).is_some());
        ids
    }

    /// Ids of the living records whose lookup points to a record.
    pub(super) fn pointing(&self, object: &str, lookup: &str, id: &str) -> Vec<String> {
        let field = self.schema.object(object).and_then(|object| object.any_field(lookup));
        field.map(|field| self.live_by_value(object, field, &Json::String(id.to_owned()))).unwrap_or_default()
    }

    /// Writes or removes a record.
    pub(super) fn put(&mut self, object: &str, id: &str, record: Option<Record>) {
        let Self { schema, tables, undo, .. } = self;
        let fields = schema.object(object).map(|object| object.fields.as_slice()).unwrap_or_default();
        let table = tables.entry(object.to_owned()).or_default();
        let before = swap(table, fields, id, record);
        undo.push(Undo::Row { object: object.to_owned(), id: id.to_owned(), before });
    }

    /// Indexes an object's records anew, after its fields have changed.
    pub(super) fn reindex(&mut self, object: &str) {
        let Self { schema, tables, .. } = self;
        let fields = schema.object(object).map(|object| object.fields.as_slice()).unwrap_or_default();
        if let Some(table) = tables.get_mut(object) {
            table.index.clear();
            for (id, record) in std::mem::take(&mut table.rows) {
                swap(table, fields, &id, Some(record));
            }
        }
    }

    /// The next number of a counter, from 1.
    pub(super) fn draw(&mut self, name: &str) -> u64 {
        let before = self.next.get(name).copied();
        self.undo.push(Undo::Next { name: name.to_owned(), before });
        let next = before.unwrap_or(0) + 1;
        self.next.insert(name.to_owned(), next);
        next
    }

    /// A new id of an object.
    pub(super) fn mint(&mut self, prefix: &str) -> String {
        loop {
            let n = self.draw(prefix);
            let id = id::mint(prefix, n);
            if self.find(&id).is_none() {
                return id;
            }
        }
    }

    /// So many letters that depend on the seed and on how often was drawn for this purpose.
    pub(super) fn draw_token(&mut self, purpose: &str, letters: usize) -> String {
        let number = self.draw(purpose);
        drawn::hex(self.seed, purpose, number, letters).to_uppercase()
    }

    /// Puts a record into the bin, or takes it out.
    pub(super) fn set_bin(&mut self, id: &str, binned: Option<Binned>) {
        let before = match binned {
            Some(binned) => {
                self.binned_since = self.binned_since.min(binned.at);
                self.bin.insert(id.to_owned(), binned)
            }
            None => self.bin.remove(id),
        };
        self.undo.push(Undo::Bin { id: id.to_owned(), before });
    }

    /// Notes a deletion for the feed.
    pub(super) fn note_gone(&mut self, object: &str, id: &str, at: Seconds) {
        self.gone.entry(object.to_owned()).or_default().push_back((at, id.to_owned()));
        self.undo.push(Undo::Gone { object: object.to_owned() });
    }

    /// Records a change for the journal: fields that differ between the two states.
    pub(super) fn log(
        &mut self,
        action: Action,
        object: &str,
        id: &str,
        before: Option<&Record>,
        after: Option<&Record>,
    ) {
        let mut change = Change::new(object, id, action);
        let empty = Record::new();
        let (before, after) = (before.unwrap_or(&empty), after.unwrap_or(&empty));
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            let (old, new) = (before.get(name), after.get(name));
            if old != new {
                change
                    .fields
                    .insert(name.clone(), (old.cloned().unwrap_or(Json::Null), new.cloned().unwrap_or(Json::Null)));
            }
        }
        self.changes.push(change);
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { undo: self.undo.len(), changes: self.changes.len() }
    }

    /// Takes everything back that came after the mark.
    pub(super) fn rollback(&mut self, mark: Mark) {
        while self.undo.len() > mark.undo {
            match self.undo.pop() {
                Some(Undo::Row { object, id, before }) => {
                    let fields = self.schema.object(&object).map(|object| object.fields.as_slice()).unwrap_or_default();
                    swap(self.tables.entry(object.clone()).or_default(), fields, &id, before);
                }
                Some(Undo::Next { name, before: Some(before) }) => {
                    self.next.insert(name, before);
                }
                Some(Undo::Next { name, before: None }) => {
                    self.next.remove(&name);
                }
                Some(Undo::Bin { id, before: Some(before) }) => {
                    self.bin.insert(id, before);
                }
                Some(Undo::Bin { id, before: None }) => {
                    self.bin.remove(&id);
                }
                Some(Undo::Gone { object }) => {
                    self.gone.entry(object).or_default().pop_back();
                }
                None => break,
            }
        }
        self.changes.truncate(mark.changes);
    }

    /// Ends a request: nothing of it can be taken back any more.
    pub(super) fn settle(&mut self) -> Vec<Change> {
        self.undo.clear();
        std::mem::take(&mut self.changes)
    }

    /// Removes for good what has been in the bin too long.
    pub(super) fn purge(&mut self, at: Seconds) {
        let limit = at - self.settings.bin_days * 86_400;
        if self.binned_since >= limit {
            return;
        }
        let due: Vec<(String, String)> = self
            .bin
            .iter()
            .filter(|(_, binned)| binned.at < limit)
            .map(|(id, binned)| (binned.object.clone(), id.clone()))
            .collect();
        for (object, id) in due {
            self.put(&object, &id, None);
            self.set_bin(&id, None);
            self.log(Action::Purged, &object, &id, None, None);
        }
        self.binned_since = self.bin.values().map(|binned| binned.at).min().unwrap_or(Seconds::MAX);
    }

    pub(super) fn is_active_user(&self, user: &str) -> bool {
        self.live("User", user).is_some_and(|user| user.get("IsActive") == Some(&Json::Bool(true)))
    }
}

/// Whether a record is in the bin.
pub(super) fn is_deleted(record: &Record) -> bool {
    record.get("IsDeleted") == Some(&Json::Bool(true))
}

/// A text of a record.
pub(super) fn text<'a>(record: &'a Record, field: &str) -> &'a str {
    record.get(field).and_then(Json::as_str).unwrap_or("")
}

/// A stamp of a record in seconds.
pub(super) fn seconds(record: &Record, field: &str) -> Seconds {
    instant::read(text(record, field)).unwrap_or(0)
}

/// The key under which a value is found: texts without case unless the field says so.
fn key(field: &Field, value: &Json) -> Option<String> {
    match value {
        Json::String(text) if field.kind == Kind::Reference || field.case_sensitive => Some(text.clone()),
        Json::String(text) => Some(text.to_lowercase()),
        Json::Number(number) => number.as_f64().map(|number| format!("{number}")),
        _ => None,
    }
}

fn swap(table: &mut Table, fields: &[Field], id: &str, record: Option<Record>) -> Option<Record> {
    let Table { rows, index } = table;
    for field in fields.iter().filter(|field| field.indexed() || field.name == "SystemModstamp") {
        let old = rows.get(id).and_then(|record| record.get(&field.name)).and_then(|value| key(field, value));
        let new = record.as_ref().and_then(|record| record.get(&field.name)).and_then(|value| key(field, value));
        if old == new {
            continue;
        }
        let index = index.entry(field.name.clone()).or_default();
        if let Some(old) = old
            && let Some(ids) = index.get_mut(&old)
        {
            ids.remove(id);
            if ids.is_empty() {
                index.remove(&old);
            }
        }
        if let Some(new) = new {
            index.entry(new).or_default().insert(id.to_owned());
        }
    }
    match record {
        Some(record) => rows.insert(id.to_owned(), record),
        None => rows.remove(id),
    }
}

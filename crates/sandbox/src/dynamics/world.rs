//! The world of one environment: rows with their indexes and versions, and what undoes a write.
//!
//! A row holds its columns that are not null, by logical name; a lookup is held as `table/id`. Every change of a row
//! passes [`World::put`], which stamps the next version of the whole environment on it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::access::{Access, Org};
use super::fold::fold;
use super::guid;
use super::instant::Seconds;
use super::relations::Schema;
use super::schema::{Attribute, Entity};
use super::settings::Settings;
use super::world_file::Specs;
use crate::drawn;
use crate::journal::{Action, Change};

/// The columns of a row that are not null, by logical name.
pub(super) type Record = BTreeMap<String, Json>;

/// The rows of a table.
#[derive(Debug, Default)]
struct Table {
    rows: BTreeMap<String, Record>,
    /// Ids by column and value.
    index: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    versions: BTreeMap<u64, String>,
}

/// A row that was deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gone {
    pub(super) version: u64,
    pub(super) at: Seconds,
    pub(super) id: String,
    /// What it was, for whoever brings it back.
    pub(super) row: Record,
    /// Lookups to it that were cleared: table, id, column.
    #[serde(default)]
    pub(super) cleared: Vec<(String, String, String)>,
    /// The row whose deletion took this one along.
    pub(super) root: String,
}

enum Undo {
    Row { table: String, id: String, before: Option<Record> },
    Next { name: String, before: Option<u64> },
    Gone { table: String },
    Taken { table: String, at: usize, gone: Gone },
}

/// A point to which a request can be taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    undo: usize,
    changes: usize,
}

/// Everything that the environment holds.
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) org: Org,
    pub(super) settings: Settings,
    pub(super) schema: Schema,
    pub(super) access: Access,
    tables: BTreeMap<String, Table>,
    pub(super) next: BTreeMap<String, u64>,
    pub(super) gone: BTreeMap<String, VecDeque<Gone>>,
    /// Tables, columns, keys and rules beside the standard ones.
    pub(super) specs: Specs,
    changes: Vec<Change>,
    undo: Vec<Undo>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

const VERSION: &str = "version";

impl World {
    /// An environment without schema and rows.
    pub(super) fn blank(seed: u64) -> Self {
        Self {
            seed,
            org: Org::default(),
            settings: Settings::default(),
            schema: Schema::default(),
            access: Access::default(),
            tables: BTreeMap::new(),
            next: BTreeMap::from([(VERSION.to_owned(), 1_000_000)]),
            gone: BTreeMap::new(),
            specs: Specs::default(),
            changes: Vec::new(),
            undo: Vec::new(),
        }
    }

    pub(super) fn entity(&self, name: &str) -> Option<Arc<Entity>> {
        self.schema.entity(name).cloned()
    }

    /// Tables whose rows a table shows: of `activitypointer`, all activities.
    fn sources(&self, entity: &Entity) -> Vec<String> {
        if entity.name == "activitypointer" {
            self.schema.activities().map(|activity| activity.name.clone()).collect()
        } else {
            vec![entity.name.clone()]
        }
    }

    /// All rows of a table, in order of ids.
    pub(super) fn scan(&self, entity: &Entity) -> Vec<(&str, &Record)> {
        let mut rows: Vec<(&str, &Record)> = Vec::new();
        for table in self.sources(entity) {
            rows.extend(self.rows(&table).map(|(id, row)| (id.as_str(), row)));
        }
        if entity.name == "activitypointer" {
            rows.sort_by_key(|(id, _)| *id);
        }
        rows
    }

    pub(super) fn rows(&self, table: &str) -> impl DoubleEndedIterator<Item = (&String, &Record)> {
        self.tables.get(table).into_iter().flat_map(|table| table.rows.iter())
    }

    pub(super) fn get(&self, table: &str, id: &str) -> Option<&Record> {
        if table == "activitypointer" {
            return self.schema.activities().find_map(|activity| self.tables.get(&activity.name)?.rows.get(id));
        }
        self.tables.get(table)?.rows.get(id)
    }

    /// Rows that changed after a version, in order of their changes.
    pub(super) fn changed_since(&self, entity: &Entity, version: u64) -> Vec<(u64, &str, &Record)> {
        let mut found = Vec::new();
        for name in self.sources(entity) {
            let Some(table) = self.tables.get(&name) else { continue };
            for (version, id) in table.versions.range(version + 1..) {
                found.extend(table.rows.get(id).map(|row| (*version, id.as_str(), row)));
            }
        }
        found.sort_by_key(|(version, ..)| *version);
        found
    }

    /// Rows that were deleted after a version and are still gone.
    pub(super) fn gone_since(&self, entity: &Entity, version: u64) -> Vec<(u64, String)> {
        let mut found = BTreeMap::new();
        for name in self.sources(entity) {
            for gone in self.gone.get(&name).into_iter().flatten().filter(|gone| gone.version > version) {
                if self.get(&name, &gone.id).is_none() {
                    found.insert(gone.id.clone(), gone.version);
                }
            }
        }
        let mut list: Vec<(u64, String)> = found.into_iter().map(|(id, version)| (version, id)).collect();
        list.sort_unstable();
        list
    }

    /// The first enabled user who is a person, or who is an app.
    pub(super) fn first_user(&self, app: bool) -> Option<String> {
        let mut users = self.rows("systemuser");
        let found = users.find(|(_, row)| row.contains_key("applicationid") == app && !flag(row, "isdisabled"));
        found.map(|(id, _)| id.clone())
    }

    /// The version of the last change.
    pub(super) fn version(&self) -> u64 {
        self.next.get(VERSION).copied().unwrap_or(0)
    }

    /// Ids of the rows that have this value in an indexed column.
    pub(super) fn by_value(&self, table: &str, column: &str, value: &Json) -> Vec<String> {
        let accents = self.settings.accent_insensitive;
        let index = self.tables.get(table).and_then(|table| table.index.get(column));
        let found = index_key(value, accents).and_then(|key| index?.get(&key));
        found.map(|ids| ids.iter().cloned().collect()).unwrap_or_default()
    }

    /// Ids of the rows whose lookup points to a row.
    pub(super) fn pointing(&self, table: &str, column: &str, target: &str, id: &str) -> Vec<String> {
        let value = reference(target, id);
        if table != "activitypointer" {
            return self.by_value(table, column, &value);
        }
        self.schema.activities().flat_map(|activity| self.by_value(&activity.name, column, &value)).collect()
    }

    /// Writes a row under the next version, or removes it.
    pub(super) fn put(&mut self, table: &str, id: &str, row: Option<Record>) {
        let version = self.draw(VERSION);
        let row = row.map(|mut row| {
            row.insert("versionnumber".to_owned(), json!(version));
            row
        });
        self.set(table, id, row);
    }

    /// Writes a row as it is.
    pub(super) fn set(&mut self, table: &str, id: &str, row: Option<Record>) {
        let Self { schema, tables, undo, settings, .. } = self;
        let columns = schema.entity(table).map(|entity| indexed(entity)).unwrap_or_default();
        let into = tables.entry(table.to_owned()).or_default();
        let before = swap(into, &columns, id, row, settings.accent_insensitive);
        undo.push(Undo::Row { table: table.to_owned(), id: id.to_owned(), before });
    }

    /// Indexes a table's rows anew, after its columns or keys have changed.
    pub(super) fn reindex(&mut self, table: &str) {
        let Self { schema, tables, settings, .. } = self;
        let columns = schema.entity(table).map(|entity| indexed(entity)).unwrap_or_default();
        if let Some(table) = tables.get_mut(table) {
            table.index.clear();
            table.versions.clear();
            for (id, row) in std::mem::take(&mut table.rows) {
                swap(table, &columns, &id, Some(row), settings.accent_insensitive);
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

    /// A new id for a row of a table.
    pub(super) fn mint(&mut self, table: &str) -> String {
        loop {
            let number = self.draw(table);
            let id = guid::mint(self.seed, table, number);
            if self.get(table, &id).is_none() {
                return id;
            }
        }
    }

    /// So many letters that depend on the seed and on how often was drawn for this purpose.
    pub(super) fn draw_token(&mut self, purpose: &str, letters: usize) -> String {
        let number = self.draw(purpose);
        drawn::hex(self.seed, purpose, number, letters)
    }

    /// Removes a row and remembers it.
    pub(super) fn bury(
        &mut self,
        table: &str,
        id: &str,
        at: Seconds,
        root: &str,
        cleared: Vec<(String, String, String)>,
    ) {
        let Some(row) = self.get(table, id).cloned() else { return };
        self.put(table, id, None);
        let gone = Gone { version: self.version(), at, id: id.to_owned(), row, cleared, root: root.to_owned() };
        self.gone.entry(table.to_owned()).or_default().push_back(gone);
        self.undo.push(Undo::Gone { table: table.to_owned() });
    }

    /// Takes a deleted row out of what is remembered.
    pub(super) fn unbury(&mut self, table: &str, id: &str) -> Option<Gone> {
        let list = self.gone.get_mut(table)?;
        let at = list.iter().rposition(|gone| gone.id == id)?;
        let gone = list.remove(at)?;
        self.undo.push(Undo::Taken { table: table.to_owned(), at, gone: gone.clone() });
        Some(gone)
    }

    /// Records a change for the journal: columns that differ between the two states.
    pub(super) fn log(
        &mut self,
        action: Action,
        table: &str,
        id: &str,
        before: Option<&Record>,
        after: Option<&Record>,
    ) {
        let mut change = Change::new(table, id, action);
        let empty = Record::new();
        let (before, after) = (before.unwrap_or(&empty), after.unwrap_or(&empty));
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names.into_iter().filter(|name| *name != "versionnumber") {
            let (old, new) = (before.get(name), after.get(name));
            if old != new {
                let value = |one: Option<&Json>| one.cloned().unwrap_or(Json::Null);
                change.fields.insert(name.clone(), (value(old), value(new)));
            }
        }
        self.changes.push(change);
    }

    pub(super) fn note(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { undo: self.undo.len(), changes: self.changes.len() }
    }

    /// Takes everything back that came after the mark.
    pub(super) fn rollback(&mut self, mark: Mark) {
        while self.undo.len() > mark.undo {
            let Some(undo) = self.undo.pop() else { break };
            self.take_back(undo);
        }
        self.changes.truncate(mark.changes);
    }

    fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Row { table, id, before } => {
                let columns = self.schema.entity(&table).map(|entity| indexed(entity)).unwrap_or_default();
                let into = self.tables.entry(table).or_default();
                swap(into, &columns, &id, before, self.settings.accent_insensitive);
            }
            Undo::Next { name, before: Some(before) } => drop(self.next.insert(name, before)),
            Undo::Next { name, before: None } => drop(self.next.remove(&name)),
            Undo::Gone { table } => drop(self.gone.entry(table).or_default().pop_back()),
            Undo::Taken { table, at, gone } => self.gone.entry(table).or_default().insert(at, gone),
        }
    }

    /// Ends a request: nothing of it can be taken back any more.
    pub(super) fn settle(&mut self) -> Vec<Change> {
        self.undo.clear();
        std::mem::take(&mut self.changes)
    }

    /// How many rows were written by the request so far.
    pub(super) fn written(&self) -> u64 {
        u64::try_from(self.changes.len()).unwrap_or(u64::MAX)
    }
}

/// A lookup's value.
pub(super) fn reference(table: &str, id: &str) -> Json {
    Json::String(format!("{table}/{id}"))
}

/// Table and id of a lookup's value.
pub(super) fn referred(value: &Json) -> Option<(&str, &str)> {
    value.as_str()?.split_once('/')
}

/// Table and id to which a row's lookup points.
pub(super) fn points<'a>(row: &'a Record, column: &str) -> Option<(&'a str, &'a str)> {
    referred(row.get(column)?)
}

/// A text of a row.
pub(super) fn text<'a>(row: &'a Record, column: &str) -> &'a str {
    row.get(column).and_then(Json::as_str).unwrap_or("")
}

pub(super) fn number(row: &Record, column: &str) -> Option<f64> {
    row.get(column).and_then(Json::as_f64)
}

pub(super) fn flag(row: &Record, column: &str) -> bool {
    row.get(column) == Some(&Json::Bool(true))
}

fn indexed(entity: &Entity) -> Vec<String> {
    let columns = entity.attributes.iter().filter(|attribute| entity.indexed(attribute));
    columns.map(|attribute: &Attribute| attribute.name.clone()).collect()
}

/// The key under which a value is found.
fn index_key(value: &Json, accents: bool) -> Option<String> {
    match value {
        Json::String(text) => Some(fold(text, accents)),
        Json::Number(number) => number.as_f64().map(|number| format!("{number}")),
        Json::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn version_of(row: &Record) -> Option<u64> {
    row.get("versionnumber").and_then(Json::as_u64)
}

fn swap(table: &mut Table, columns: &[String], id: &str, row: Option<Record>, accents: bool) -> Option<Record> {
    let Table { rows, index, versions } = table;
    for column in columns {
        let old = rows.get(id).and_then(|row| row.get(column)).and_then(|value| index_key(value, accents));
        let new = row.as_ref().and_then(|row| row.get(column)).and_then(|value| index_key(value, accents));
        if old == new {
            continue;
        }
        let index = index.entry(column.clone()).or_default();
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
    let version = row.as_ref().and_then(version_of);
    let before = match row {
        Some(row) => rows.insert(id.to_owned(), row),
        None => rows.remove(id),
    };
    if let Some(old) = before.as_ref().and_then(version_of) {
        versions.remove(&old);
    }
    if let Some(version) = version {
        versions.insert(version, id.to_owned());
    }
    before
}

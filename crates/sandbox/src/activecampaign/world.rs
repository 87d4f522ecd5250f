//! The world of one account: everything that a world file holds, and the indexes over it.
//!
//! Invariants: ids grow and are never given twice; nothing depends on anything but the world, its seed and the
//! requests.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::account::{Account, Settings};
use super::kind::{Form, Kind};
use super::time::Seconds;
use crate::drawn;

/// A custom value of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) id: u64,
    pub(super) value: Json,
    pub(super) currency: Option<String>,
    pub(super) created: Seconds,
    pub(super) updated: Seconds,
}

/// A row of a collection. Keys without a value are left out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) id: u64,
    pub(super) created: Seconds,
    pub(super) updated: Seconds,
    pub(super) deleted: Option<Seconds>,
    pub(super) values: BTreeMap<&'static str, Json>,
    /// Custom values by the id of their field.
    pub(super) cells: BTreeMap<u64, Cell>,
}

impl Row {
    pub(super) fn new(id: u64, at: Seconds) -> Self {
        Self { id, created: at, updated: at, deleted: None, values: BTreeMap::new(), cells: BTreeMap::new() }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Json> {
        self.values.get(key)
    }

    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.get(key).and_then(Json::as_u64)
    }

    pub(super) fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Json::as_str).unwrap_or_default()
    }

    pub(super) fn set(&mut self, key: &'static str, value: Option<Json>) {
        match value {
            Some(value) => self.values.insert(key, value),
            None => self.values.remove(key),
        };
    }

    pub(super) fn is_live(&self) -> bool {
        self.deleted.is_none()
    }
}

#[derive(Debug)]
struct Table {
    rows: BTreeMap<u64, Row>,
    next: u64,
}

/// Records of custom objects, and bulk imports.
#[derive(Debug, Default)]
pub(super) struct Extras {
    /// Schemas of custom objects, by id.
    pub(super) schemas: BTreeMap<String, Map<String, Json>>,
    /// Their records, by schema and id.
    pub(super) objects: BTreeMap<(String, String), Map<String, Json>>,
    /// What became of bulk imports, by batch.
    pub(super) imports: BTreeMap<String, Json>,
    /// When contacts were imported one by one and in batches, in milliseconds.
    pub(super) imported: Vec<(i64, bool)>,
}

/// Everything that the account holds.
#[derive(Debug)]
pub(super) struct World {
    pub(super) seed: u64,
    /// How many ids were drawn that are no numbers.
    pub(super) drawn: u64,
    pub(super) account: Account,
    pub(super) settings: Settings,
    tables: BTreeMap<Kind, Table>,
    /// Rows by what they point to: collection, key (or the type of a `relid`), id.
    refs: BTreeMap<(Kind, &'static str, u64), BTreeSet<u64>>,
    unique: BTreeMap<(Kind, &'static str, String), u64>,
    /// The next ids of custom values, by the collection that has them.
    pub(super) next_cell: BTreeMap<Kind, u64>,
    pub(super) extras: Extras,
}

impl World {
    /// An account without anything.
    pub(super) fn blank(seed: u64) -> Self {
        Self {
            seed,
            drawn: 0,
            account: Account::default(),
            settings: Settings::default(),
            tables: Kind::all().map(|kind| (kind, Table { rows: BTreeMap::new(), next: 1 })).collect(),
            refs: BTreeMap::new(),
            unique: BTreeMap::new(),
            next_cell: BTreeMap::new(),
            extras: Extras::default(),
        }
    }

    fn table(&mut self, kind: Kind) -> &mut Table {
        self.tables.entry(kind).or_insert_with(|| Table { rows: BTreeMap::new(), next: 1 })
    }

    /// All rows, deleted ones too, in order of ids.
    pub(super) fn all(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Row> {
        self.tables.get(&kind).into_iter().flat_map(|table| table.rows.values())
    }

    /// The live rows, in order of ids.
    pub(super) fn live(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Row> {
        self.all(kind).filter(|row| row.is_live())
    }

    /// Rows behind an id.
    pub(super) fn behind(&self, kind: Kind, id: u64) -> impl Iterator<Item = &Row> {
        let from = (std::ops::Bound::Excluded(id), std::ops::Bound::Unbounded);
        self.tables.get(&kind).into_iter().flat_map(move |table| table.rows.range(from).map(|(_, row)| row))
    }

    /// A live row.
    pub(super) fn get(&self, kind: Kind, id: u64) -> Option<&Row> {
        self.any(kind, id).filter(|row| row.is_live())
    }

    /// A row, a deleted one too.
    pub(super) fn any(&self, kind: Kind, id: u64) -> Option<&Row> {
        self.tables.get(&kind)?.rows.get(&id)
    }

    /// The live rows that point to an id by a key, in order of ids.
    pub(super) fn pointing<'w>(&'w self, kind: Kind, key: &'static str, to: u64) -> impl Iterator<Item = &'w Row> {
        self.refs.get(&(kind, key, to)).into_iter().flatten().filter_map(move |id| self.get(kind, *id))
    }

    /// The live row with this unique text.
    pub(super) fn with(&self, kind: Kind, key: &'static str, text: &str) -> Option<u64> {
        self.unique.get(&(kind, key, text.trim().to_lowercase())).copied()
    }

    /// The id that the next row gets.
    pub(super) fn next_id(&self, kind: Kind) -> u64 {
        self.tables.get(&kind).map_or(1, |table| table.next)
    }

    /// Keeps ids from being given twice.
    pub(super) fn raise_next(&mut self, kind: Kind, next: u64) {
        let table = self.table(kind);
        table.next = table.next.max(next);
    }

    /// The id of a new custom value.
    pub(super) fn next_cell(&mut self, kind: Kind) -> u64 {
        let next = self.next_cell.entry(kind).or_insert(1);
        *next += 1;
        *next - 1
    }

    /// Puts a row into its collection, in place of what was there.
    pub(super) fn put(&mut self, kind: Kind, row: Row) {
        if let Some(before) = self.any(kind, row.id).cloned() {
            self.index(kind, &before, false);
        }
        if row.is_live() {
            self.index(kind, &row, true);
        }
        self.raise_next(kind, row.id + 1);
        self.table(kind).rows.insert(row.id, row);
    }

    fn index(&mut self, kind: Kind, row: &Row, is_there: bool) {
        for key in kind.shape().keys {
            let Some(value) = row.get(key.name) else { continue };
            if let (Form::Id(_), Some(to)) = (key.form, value.as_u64()) {
                self.refer((kind, key.name, to), row.id, is_there);
            }
            if let (true, Some(text)) = (key.is_unique, value.as_str()) {
                let place = (kind, key.name, text.trim().to_lowercase());
                if is_there {
                    self.unique.insert(place, row.id);
                } else if self.unique.get(&place) == Some(&row.id) {
                    self.unique.remove(&place);
                }
            }
        }
        if let (Some(to), Some(by)) = (row.number("relid"), related(row.text("reltype"))) {
            self.refer((kind, by.1, to), row.id, is_there);
        }
    }

    fn refer(&mut self, place: (Kind, &'static str, u64), id: u64, is_there: bool) {
        let ids = self.refs.entry(place).or_default();
        if is_there {
            ids.insert(id);
        } else {
            ids.remove(&id);
        }
    }

    /// So many hex digits that depend on the seed and on how much was drawn before.
    pub(super) fn draw(&mut self, purpose: &str, digits: usize) -> String {
        self.drawn += 1;
        drawn::hex(self.seed, purpose, self.drawn, digits)
    }

    /// A UUID from the same source.
    pub(super) fn draw_uuid(&mut self, purpose: &str) -> String {
        let bits = u128::from_str_radix(&self.draw(purpose, 32), 16).unwrap_or_default();
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
    }
}

/// What a note or a task hangs on: by the word of `reltype`.
pub(super) fn related(reltype: &str) -> Option<(Kind, &'static str)> {
    Some(match reltype {
        "Subscriber" => (Kind::Contact, "Subscriber"),
        "Deal" => (Kind::Deal, "Deal"),
        "DealTask" => (Kind::Task, "DealTask"),
        "CustomerAccount" => (Kind::Account, "CustomerAccount"),
        _ => return None,
    })
}

//! The world of one organization: records with their indexes, the recycle bin, and what hangs between records.
//!
//! Invariants: every change of a record passes [`World::put`] or [`World::take`], so that no index, no journal, no
//! delayed search and no notification can miss it; nothing depends on anything but the world, its seed and the
//! requests.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::access::Access;
use super::bulk::Job;
use super::files::Stored;
use super::instant::{self, Seconds};
use super::org::{Org, User};
use super::schema::{Field, Kind, Module};
use super::settings::Settings;
use super::tags::TagName;
use super::watch::Channel;
use crate::drawn;
use crate::journal::{Action, Change};

/// An id: up to 19 digits, one space for everything of an organization.
pub(super) type Id = u64;

/// Ids of modules, fields, layouts and other settings come after this one.
pub(super) const META: Id = 554_023_000_000_000_000;

/// Ids of records come after this one.
pub(super) const RECORDS: Id = META + 1_000_000;

/// Values by field, without those that are null. Lookups are ids as texts, times are in UTC, files and tags are
/// ids.
pub(super) type Values = BTreeMap<String, Json>;

/// A record.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) id: Id,
    pub(super) created: Seconds,
    pub(super) modified: Seconds,
    pub(super) created_by: Id,
    pub(super) modified_by: Id,
    pub(super) values: Values,
}

impl Row {
    pub(super) fn text(&self, field: &str) -> &str {
        self.values.get(field).and_then(Json::as_str).unwrap_or("")
    }

    /// The id in a lookup.
    pub(super) fn target(&self, field: &str) -> Option<Id> {
        self.text(field).parse().ok()
    }

    pub(super) fn set(&mut self, field: &str, value: Option<Json>) {
        match value {
            Some(value) if !value.is_null() => drop(self.values.insert(field.to_owned(), value)),
            _ => drop(self.values.remove(field)),
        }
    }

    pub(super) fn is(&self, flag: &str) -> bool {
        self.values.get(flag) == Some(&Json::Bool(true))
    }
}

/// The living records of a module.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) rows: BTreeMap<Id, Row>,
    pub(super) modified: BTreeSet<(Seconds, Id)>,
    index: BTreeMap<String, BTreeMap<String, BTreeSet<Id>>>,
}

/// A deleted record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Binned {
    pub(super) module: String,
    pub(super) row: Row,
    pub(super) at: Seconds,
    pub(super) by: Id,
    /// The record whose deletion took this one along; its own id where it was deleted itself.
    pub(super) root: Id,
    /// It cannot come back.
    pub(super) permanent: bool,
    /// The feed of deleted records tells of it.
    pub(super) told: bool,
}

/// Something that subscribers may hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Happened {
    pub(super) module: String,
    pub(super) id: Id,
    pub(super) action: Action,
    pub(super) fields: Vec<String>,
    /// The module and the id of the record that it hangs on.
    pub(super) parent: Option<(String, Id)>,
}

/// What the search still sees of a record that changed a moment ago.
#[derive(Clone, Debug)]
struct Stale {
    module: String,
    since: Seconds,
    before: Option<Row>,
}

/// Everything that the organization holds.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) org: Org,
    pub(super) settings: Settings,
    pub(super) access: Access,
    pub(super) users: BTreeMap<Id, User>,
    pub(super) modules: Vec<Module>,
    pub(super) tables: BTreeMap<String, Table>,
    pub(super) bin: BTreeMap<Id, Binned>,
    /// Records that are linked on both sides, the smaller id first.
    pub(super) links: BTreeSet<(Id, Id)>,
    /// Contacts of deals with their roles.
    pub(super) roles: BTreeMap<(Id, Id), Option<Id>>,
    /// The roles that contacts may have, in order.
    pub(super) role_names: Vec<RoleName>,
    pub(super) tags: BTreeMap<String, Vec<TagName>>,
    pub(super) files: BTreeMap<String, Stored>,
    pub(super) channels: BTreeMap<String, Channel>,
    pub(super) jobs: BTreeMap<Id, Job>,
    pub(super) next: BTreeMap<String, u64>,
    /// What the request does is kept from subscribers.
    pub(super) hushed: bool,
    /// When the request that is being answered came.
    pub(super) now: Seconds,
    stale: BTreeMap<Id, Stale>,
    pub(super) changes: Vec<Change>,
    pub(super) happened: Vec<Happened>,
}

/// A role that contacts may have in deals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RoleName {
    pub(super) id: Id,
    pub(super) name: String,
}

impl World {
    /// An organization without schema and records.
    pub(super) fn blank(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    pub(super) fn module(&self, name: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.api_name == name)
    }

    pub(super) fn module_mut(&mut self, name: &str) -> Option<&mut Module> {
        self.modules.iter_mut().find(|module| module.api_name == name)
    }

    /// Begins a request: what waited too long in the bin is gone, what changed long ago is found.
    pub(super) fn begin(&mut self, at: Seconds) {
        self.now = at;
        let lag = self.settings.search_lag_s.max(self.settings.coql_lag_s);
        self.stale.retain(|_, stale| stale.since + lag > at);
        // 60 days in the bin, and 120 in the feed (sheet: section 4).
        let old: Vec<Id> = self.bin.iter().filter(|(_, one)| one.at + 60 * 86_400 < at).map(|(id, _)| *id).collect();
        for id in old {
            if let Some(binned) = self.bin.get_mut(&id).filter(|binned| !binned.permanent) {
                binned.permanent = true;
                let module = binned.module.clone();
                self.changes.push(Change::new(module, id, Action::Purged));
            }
        }
        self.bin.retain(|_, one| one.at + 120 * 86_400 >= at);
    }

    /// Ends a request.
    pub(super) fn settle(&mut self) -> Vec<Change> {
        self.happened.clear();
        std::mem::take(&mut self.changes)
    }

    pub(super) fn rows(&self, module: &str) -> impl DoubleEndedIterator<Item = &Row> {
        self.tables.get(module).into_iter().flat_map(|table| table.rows.values())
    }

    pub(super) fn get(&self, module: &str, id: Id) -> Option<&Row> {
        self.tables.get(module)?.rows.get(&id)
    }

    /// The module and the record of an id, if it lives.
    pub(super) fn find(&self, id: Id) -> Option<(&str, &Row)> {
        self.tables.iter().find_map(|(module, table)| table.rows.get(&id).map(|row| (module.as_str(), row)))
    }

    /// Ids of records with this value in an indexed field.
    pub(super) fn by_value(&self, module: &str, field: &Field, value: &Json) -> Vec<Id> {
        let index = self.tables.get(module).and_then(|table| table.index.get(&field.api_name));
        let found = key(field, value).and_then(|key| index?.get(&key));
        found.map(|ids| ids.iter().copied().collect()).unwrap_or_default()
    }

    /// Ids of records whose lookup points to a record.
    pub(super) fn pointing(&self, module: &str, lookup: &str, id: Id) -> Vec<Id> {
        let field = self.module(module).and_then(|module| module.field(lookup));
        field.map(|field| self.by_value(module, field, &Json::String(id.to_string()))).unwrap_or_default()
    }

    /// Records as a search sees them that lags behind by so many seconds.
    pub(super) fn seen(&self, module: &str, lag: Seconds) -> Vec<&Row> {
        let in_window = |id: &Id| self.stale.get(id).filter(|stale| stale.since + lag > self.now);
        let mut seen: Vec<&Row> = self
            .rows(module)
            .filter_map(|row| in_window(&row.id).map_or(Some(row), |stale| stale.before.as_ref()))
            .collect();
        for (id, stale) in &self.stale {
            let gone = stale.module == module && stale.since + lag > self.now && self.get(module, *id).is_none();
            seen.extend(stale.before.as_ref().filter(|_| gone));
        }
        seen
    }

    /// Writes a record.
    pub(super) fn put(&mut self, module: &str, row: Row, action: Action) {
        let (id, before) = (row.id, self.get(module, row.id).cloned());
        self.remember(module, id, before.as_ref());
        let fields = self.log(module, id, action, before.as_ref(), Some(&row));
        let parent = hangs_on(&row);
        self.swap(module, id, Some(row));
        self.happened.push(Happened { module: module.to_owned(), id, action, fields, parent });
    }

    /// Takes a record away.
    pub(super) fn take(&mut self, module: &str, id: Id, action: Action) -> Option<Row> {
        let before = self.get(module, id).cloned()?;
        self.remember(module, id, Some(&before));
        self.log(module, id, action, Some(&before), None);
        self.swap(module, id, None);
        let (module, parent) = (module.to_owned(), hangs_on(&before));
        self.happened.push(Happened { module, id, action, fields: Vec::new(), parent });
        Some(before)
    }

    /// Writes a record that was there before anything happened.
    pub(super) fn load(&mut self, module: &str, row: Row) {
        self.swap(module, row.id, Some(row));
    }

    fn remember(&mut self, module: &str, id: Id, before: Option<&Row>) {
        if self.settings.search_lag_s.max(self.settings.coql_lag_s) > 0 {
            let (since, module) = (self.now, module.to_owned());
            self.stale.entry(id).or_insert_with(|| Stale { module, since, before: before.cloned() });
        }
    }

    fn log(&mut self, module: &str, id: Id, action: Action, before: Option<&Row>, after: Option<&Row>) -> Vec<String> {
        let mut change = Change::new(module, id, action);
        let empty = Values::new();
        let before = before.map_or(&empty, |row| &row.values);
        let after = after.map_or(&empty, |row| &row.values);
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            let (old, new) = (before.get(name), after.get(name));
            if old != new {
                let pair = (old.cloned().unwrap_or(Json::Null), new.cloned().unwrap_or(Json::Null));
                change.fields.insert(name.clone(), pair);
            }
        }
        let fields = change.fields.keys().cloned().collect();
        self.changes.push(change);
        fields
    }

    fn swap(&mut self, module: &str, id: Id, row: Option<Row>) {
        let Self { modules, tables, .. } = self;
        let shape = modules.iter().find(|one| one.api_name == module);
        let table = tables.entry(module.to_owned()).or_default();
        let before = match row {
            Some(row) => {
                table.modified.insert((row.modified, id));
                table.rows.insert(id, row)
            }
            None => table.rows.remove(&id),
        };
        let after = table.rows.get(&id);
        if let Some(before) = before.as_ref().filter(|old| after.is_none_or(|new| new.modified != old.modified)) {
            table.modified.remove(&(before.modified, id));
        }
        for field in shape.into_iter().flat_map(|shape| shape.fields.iter().filter(|field| shape.indexes(field))) {
            let of =
                |row: Option<&Row>| row.and_then(|row| row.values.get(&field.api_name)).and_then(|v| key(field, v));
            let (old, new) = (of(before.as_ref()), of(after));
            if old == new {
                continue;
            }
            let index = table.index.entry(field.api_name.clone()).or_default();
            if let Some(old) = old
                && let Some(ids) = index.get_mut(&old)
            {
                ids.remove(&id);
                if ids.is_empty() {
                    index.remove(&old);
                }
            }
            if let Some(new) = new {
                index.entry(new).or_default().insert(id);
            }
        }
    }

    /// Indexes a module's records anew, after its fields have changed.
    pub(super) fn reindex(&mut self, module: &str) {
        if let Some(table) = self.tables.get_mut(module) {
            table.index.clear();
            for (id, row) in std::mem::take(&mut table.rows) {
                self.swap(module, id, Some(row));
            }
        }
    }

    /// The next number of a counter, from 1.
    pub(super) fn draw(&mut self, name: &str) -> u64 {
        let next = self.next.entry(name.to_owned()).or_default();
        *next += 1;
        *next
    }

    /// A new id of a record.
    pub(super) fn mint(&mut self) -> Id {
        RECORDS + self.draw("record")
    }

    /// A new id of a setting, beyond those of the catalogue.
    pub(super) fn mint_meta(&mut self) -> Id {
        META + 500_000 + self.draw("setting")
    }

    /// So many letters that depend on the seed and on how often was drawn for this purpose.
    pub(super) fn draw_token(&mut self, purpose: &str, letters: usize) -> String {
        let number = self.draw(purpose);
        drawn::hex(self.seed, purpose, number, letters)
    }

    pub(super) fn is_active_user(&self, id: Id) -> bool {
        self.users.get(&id).is_some_and(User::is_active)
    }

    /// Whether a lookup's target is there.
    pub(super) fn is_live(&self, row: &Row, field: &Field, id: Id) -> bool {
        match (field.data_type, field.module.as_deref()) {
            (Kind::Ownerlookup | Kind::Userlookup, _) => self.users.contains_key(&id),
            (_, Some("se_module")) => self.get(row.text("$se_module"), id).is_some(),
            // A lead may stand where a contact does (sheet: section 5, activities).
            (_, Some(module)) => self.get(module, id).is_some(),
            _ => false,
        }
    }

    /// What a record says in a field: kept values, the stamps, and null where a lookup's target is gone.
    pub(super) fn value(&self, row: &Row, field: &Field) -> Json {
        let stamp = |at: Seconds| Json::String(instant::kept(at));
        match field.api_name.as_str() {
            "id" => return Json::String(row.id.to_string()),
            "Created_Time" => return stamp(row.created),
            "Modified_Time" => return stamp(row.modified),
            "Created_By" => return Json::String(row.created_by.to_string()),
            "Modified_By" => return Json::String(row.modified_by.to_string()),
            _ => {}
        }
        let value = row.values.get(&field.api_name).cloned().unwrap_or_default();
        let target = field.data_type.points().then(|| value.as_str().and_then(|id| id.parse().ok())).flatten();
        match target {
            Some(id) if !self.is_live(row, field, id) => Json::Null,
            _ => value,
        }
    }
}

/// The record that a note, an attachment or an activity hangs on.
fn hangs_on(row: &Row) -> Option<(String, Id)> {
    let id = row.target("Parent_Id").or_else(|| row.target("What_Id"))?;
    Some((row.text("$se_module").to_owned(), id))
}

/// The key under which a value is found: texts without case unless the field says so.
fn key(field: &Field, value: &Json) -> Option<String> {
    match value {
        Json::String(text) if field.case_sensitive => Some(text.clone()),
        Json::String(text) => Some(text.to_lowercase()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

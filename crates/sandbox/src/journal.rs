//! What happened: every request and every change of state, for whoever judges a test.
//!
//! A judge never asks the client what it did. It asks the journal: which records were created, by
//! which key they would be duplicates, which answers were lost although their request was applied.
//!
//! [`Keep::Counts`] keeps sums instead of entries, so that a run over millions of records fits into
//! memory; the sums are kept in both modes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::Request;
use crate::faults::path_matches;

/// How much the journal keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Every entry with every changed value.
    #[default]
    Full,
    /// Only sums: requests by route and status, changes by object and action.
    Counts,
}

/// What became of a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivered {
    /// It arrived whole.
    #[default]
    Whole,
    /// It was cut in the middle of its body.
    Cut,
    /// It never came.
    Lost,
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It came into being.
    Created,
    /// Some of its fields changed.
    Updated,
    /// It was deleted or archived.
    Deleted,
    /// It came back from deletion.
    Restored,
    /// It was merged into another record; `fields` names it under `merged_into`.
    Merged,
    /// A link between two records came into being.
    Linked,
    /// A link between two records was taken away.
    Unlinked,
    /// It was removed for good.
    Purged,
}

/// One change of state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The object, in the platform's singular or plural as its own paths say it.
    pub object: String,
    /// The record's id; for links an id that the platform's module documents.
    pub id: String,
    /// What happened.
    pub action: Action,
    /// Changed fields: value before, value after. `null` before on creation.
    #[serde(default)]
    pub fields: BTreeMap<String, (Json, Json)>,
}

impl Change {
    /// A change without fields.
    pub fn new(object: impl Into<String>, id: impl ToString, action: Action) -> Self {
        Self { object: object.into(), id: id.to_string(), action, fields: BTreeMap::new() }
    }

    /// The same change with one more field.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, before: Json, after: Json) -> Self {
        self.fields.insert(field.into(), (before, after));
        self
    }
}

/// One request, or one disturbance (whose method is `DISTURB`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place, from 1.
    pub n: u64,
    /// When it was handled.
    pub at: Timestamp,
    /// The HTTP method.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// BLAKE3 of the request body, the first 16 hex digits.
    pub body_hash: String,
    /// Bytes of the request body.
    pub body_size: usize,
    /// The status that the client was sent; none when the answer was lost.
    pub status: Option<u16>,
    /// The status that the platform gave, also when a fault hid it; none when it was not asked.
    pub applied_status: Option<u16>,
    /// What became of the reply.
    pub delivered: Delivered,
    /// The fault rule that fired.
    pub rule: Option<String>,
    /// What the request cost in the platform's own units.
    pub cost: u64,
    /// Every change of state that it brought.
    pub changes: Vec<Change>,
}

impl Entry {
    /// An entry for a request that nothing has happened to yet.
    pub fn of(request: &Request, now: Timestamp) -> Self {
        Self {
            n: 0,
            at: now,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            body_hash: blake3::hash(&request.body).to_hex().as_str().chars().take(16).collect(),
            body_size: request.body.len(),
            status: None,
            applied_status: None,
            delivered: Delivered::Whole,
            rule: None,
            cost: 0,
            changes: Vec::new(),
        }
    }
}

/// Every request and every change of state so far.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    keep: Keep,
    count: u64,
    cost: u64,
    entries: Vec<Entry>,
    routes: BTreeMap<(String, String, Option<u16>), u64>,
    changes: BTreeMap<(String, Action), u64>,
}

impl Journal {
    /// An empty journal that keeps so much.
    pub fn keeping(keep: Keep) -> Self {
        Self { keep, ..Self::default() }
    }

    /// Appends an entry and gives it its number.
    pub fn push(&mut self, mut entry: Entry) {
        self.count += 1;
        self.cost += entry.cost;
        entry.n = self.count;
        let route = (entry.method.clone(), shape(&entry.path), entry.status);
        *self.routes.entry(route).or_default() += 1;
        for change in &entry.changes {
            *self.changes.entry((change.object.clone(), change.action)).or_default() += 1;
        }
        if self.keep == Keep::Full {
            self.entries.push(entry);
        }
    }

    /// Appends changes that no request asked for.
    pub fn push_disturbance(&mut self, now: Timestamp, changes: Vec<Change>) {
        let request = Request::new("DISTURB", "/");
        let mut entry = Entry::of(&request, now);
        entry.changes = changes;
        self.push(entry);
    }

    /// The entries in order; empty under [`Keep::Counts`].
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many entries there were, in both modes.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// What all requests cost together.
    pub fn cost(&self) -> u64 {
        self.cost
    }

    /// Changes of one object, in order. Needs [`Keep::Full`].
    pub fn changes<'a>(&'a self, object: &'a str) -> impl Iterator<Item = &'a Change> {
        self.entries.iter().flat_map(|entry| &entry.changes).filter(move |change| change.object == object)
    }

    /// Changes of one record, in order. Needs [`Keep::Full`].
    pub fn changes_of<'a>(&'a self, object: &'a str, id: &'a str) -> impl Iterator<Item = &'a Change> {
        self.changes(object).filter(move |change| change.id == id)
    }

    /// How many changes of this kind an object saw, in both modes.
    pub fn count(&self, object: &str, action: Action) -> u64 {
        self.changes.get(&(object.to_owned(), action)).copied().unwrap_or_default()
    }

    /// Ids of created records by the value of a field (as JSON text): more than one id is a duplicate.
    /// Records without the field are left out. Needs [`Keep::Full`].
    pub fn created_by(&self, object: &str, field: &str) -> BTreeMap<String, Vec<String>> {
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for change in self.changes(object).filter(|change| change.action == Action::Created) {
            if let Some((_, value)) = change.fields.get(field).filter(|(_, value)| !value.is_null()) {
                groups.entry(value.to_string()).or_default().push(change.id.clone());
            }
        }
        groups
    }

    /// Entries whose method and path fit (an empty method fits all). Needs [`Keep::Full`].
    pub fn requests<'a>(&'a self, method: &'a str, glob: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| {
            (method.is_empty() || entry.method.eq_ignore_ascii_case(method)) && path_matches(glob, &entry.path)
        })
    }

    /// Requests by method, path with `*` for ids, and status sent (none: lost), in both modes.
    pub fn routes(&self) -> &BTreeMap<(String, String, Option<u16>), u64> {
        &self.routes
    }

    /// How many requests were answered with this status, in both modes.
    pub fn answered(&self, status: u16) -> u64 {
        self.routes.iter().filter(|((_, _, sent), _)| *sent == Some(status)).map(|(_, count)| count).sum()
    }

    /// How many requests were refused with 429, in both modes.
    pub fn limited(&self) -> u64 {
        self.answered(429)
    }

    /// Requests that were applied although the client never got their answer. Needs [`Keep::Full`].
    pub fn lost_after_commit(&self) -> impl Iterator<Item = &Entry> {
        let applied = |change: &Change| change.action != Action::Purged;
        self.entries
            .iter()
            .filter(move |entry| entry.changes.iter().any(applied) && entry.status != entry.applied_status)
    }

    /// The entries as JSON Lines; under [`Keep::Counts`] one line with the sums.
    pub fn to_json_lines(&self) -> String {
        let mut text = String::new();
        for entry in &self.entries {
            text.push_str(&serde_json::to_string(entry).unwrap_or_default());
            text.push('\n');
        }
        if self.keep == Keep::Counts {
            text.push_str(&self.sums().to_string());
            text.push('\n');
        }
        text
    }

    /// The sums: `{requests, cost, routes: [..], changes: [..]}`.
    pub fn sums(&self) -> Json {
        let routes: Vec<Json> = self
            .routes
            .iter()
            .map(|((method, path, status), count)| {
                serde_json::json!({"method": method, "path": path, "status": status, "count": count})
            })
            .collect();
        let changes: Vec<Json> = self
            .changes
            .iter()
            .map(|((object, action), count)| serde_json::json!({"object": object, "action": action, "count": count}))
            .collect();
        serde_json::json!({"requests": self.count, "cost": self.cost, "routes": routes, "changes": changes})
    }
}

/// A path with `*` for segments that name a record: digits, UUIDs and long hex codes.
fn shape(path: &str) -> String {
    let name = |segment: &str| {
        let digits = !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit());
        let code = segment.len() >= 32 && segment.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        if digits || code { "*".to_owned() } else { segment.to_owned() }
    };
    path.split('/').map(name).collect::<Vec<_>>().join("/")
}

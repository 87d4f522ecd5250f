//! One record with its history, and the table of all records of a kind with its indexes.
//!
//! Invariants: every change of a record goes through [`Table::replace`], so that the indexes (unique
//! values, e-mail addresses, time of change) always agree with the records; an archived record stands
//! in no index. A record that was merged away or erased is not in the table; merged ids resolve
//! through `aliases`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::property::PropIx;

/// Who made a change (sheet: HubSpot section 2.1 \[spec\], sourceType).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An app through the API: its id.
    Integration(u32),
    /// A person in the user interface: their user id.
    User(u64),
    /// A workflow: its id.
    Automation(u64),
    /// A merge.
    Merge,
    /// HubSpot itself.
    System,
    /// There before the sandbox started.
    Import,
}

impl Source {
    /// `sourceType` and `sourceId`.
    pub(crate) fn names(&self) -> (&'static str, String) {
        match self {
            Self::Integration(app) => ("INTEGRATION", app.to_string()),
            Self::User(user) => ("CRM_UI", format!("userId:{user}")),
            Self::Automation(id) => ("AUTOMATION_PLATFORM", format!("workflowId:{id}")),
            Self::Merge => ("MERGE_OBJECTS", "merge".to_owned()),
            Self::System => ("CALCULATED", "calculated".to_owned()),
            Self::Import => ("IMPORT", "import".to_owned()),
        }
    }

    /// The inverse of [`Source::names`].
    pub(crate) fn parse(kind: &str, id: &str) -> Self {
        let number = || id.rsplit(':').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        match kind {
            "INTEGRATION" | "API" => Self::Integration(u32::try_from(number()).unwrap_or(0)),
            "CRM_UI" => Self::User(number()),
            "AUTOMATION_PLATFORM" => Self::Automation(number()),
            "MERGE_OBJECTS" => Self::Merge,
            "CALCULATED" => Self::System,
            _ => Self::Import,
        }
    }
}

/// A value that a property took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) property: PropIx,
    pub(crate) value: Option<Box<str>>,
    pub(crate) at: i64,
    pub(crate) source: Source,
}

/// One record. Values stand sorted by property; an absent property has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) id: u64,
    values: Vec<(PropIx, Box<str>)>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) archived_at: Option<i64>,
    /// Changes after creation, oldest first. A property that never changed has no entry: its only
    /// version is the present value at `created_at`.
    pub(crate) history: Vec<Past>,
    /// Who created it.
    pub(crate) origin: Source,
}

impl Record {
    /// A record without values.
    pub(crate) fn new(id: u64, at: i64, origin: Source) -> Self {
        Self { id, values: Vec::new(), created_at: at, updated_at: at, archived_at: None, history: Vec::new(), origin }
    }

    /// The value of a property.
    pub(crate) fn value(&self, property: PropIx) -> Option<&str> {
        let at = self.values.binary_search_by_key(&property, |(ix, _)| *ix).ok()?;
        self.values.get(at).map(|(_, value)| &**value)
    }

    /// Every value.
    pub(crate) fn values(&self) -> impl Iterator<Item = (PropIx, &str)> {
        self.values.iter().map(|(ix, value)| (*ix, &**value))
    }

    /// Sets or clears a value without history.
    pub(crate) fn put(&mut self, property: PropIx, value: Option<Box<str>>) {
        match (self.values.binary_search_by_key(&property, |(ix, _)| *ix), value) {
            (Ok(at), Some(value)) => {
                if let Some(slot) = self.values.get_mut(at) {
                    slot.1 = value;
                }
            }
            (Ok(at), None) => {
                self.values.remove(at);
            }
            (Err(at), Some(value)) => self.values.insert(at, (property, value)),
            (Err(_), None) => {}
        }
    }

    /// Sets or clears a value and remembers it; `false` when it was so already.
    pub(crate) fn change(&mut self, property: PropIx, value: Option<Box<str>>, at: i64, source: &Source) -> bool {
        if self.value(property) == value.as_deref() {
            return false;
        }
        if !self.history.iter().any(|past| past.property == property)
            && let Some(first) = self.value(property)
        {
            let first = Past { property, value: Some(first.into()), at: self.created_at, source: self.origin.clone() };
            self.history.push(first);
        }
        self.history.push(Past { property, value: value.clone(), at, source: source.clone() });
        self.put(property, value);
        true
    }

    /// The versions of a property, newest first.
    pub(crate) fn versions(&self, property: PropIx) -> Vec<Past> {
        let mut versions: Vec<Past> =
            self.history.iter().rev().filter(|past| past.property == property).cloned().collect();
        if versions.is_empty()
            && let Some(value) = self.value(property)
        {
            versions.push(Past {
                property,
                value: Some(value.into()),
                at: self.created_at,
                source: self.origin.clone(),
            });
        }
        versions
    }
}

/// What of a kind's schema the indexes need to know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    /// Properties with unique values.
    pub(crate) unique: Vec<PropIx>,
    /// Contacts: `email` and `hs_additional_emails`.
    pub(crate) email: Option<(PropIx, PropIx)>,
}

/// Every record of a kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    records: BTreeMap<u64, Record>,
    /// The id of the next record.
    pub(crate) next_id: u64,
    /// Ids that were merged away, to the id that lives on.
    pub(crate) aliases: BTreeMap<u64, u64>,
    by_unique: HashMap<(PropIx, Box<str>), u64>,
    by_email: HashMap<Box<str>, u64>,
    by_modified: BTreeSet<(i64, u64)>,
    /// Versions that search still sees: for each record, when it was written and what it was before.
    pending: BTreeMap<u64, Vec<(i64, Option<Record>)>>,
}

impl Table {
    /// An empty table; ids of kinds begin in different places, so that mixing them up shows.
    pub(crate) fn of_kind(kind: u16) -> Self {
        Self { next_id: 10_001 + u64::from(kind) * 1_000, ..Self::default() }
    }

    /// A record by its present id, archived ones included.
    pub(crate) fn get(&self, id: u64) -> Option<&Record> {
        self.records.get(&id)
    }

    /// The id under which `id` lives on after merges.
    pub(crate) fn resolve(&self, mut id: u64) -> u64 {
        let mut hops = 0;
        while let Some(&next) = self.aliases.get(&id) {
            hops += 1;
            if hops > self.aliases.len() {
                break;
            }
            id = next;
        }
        id
    }

    /// A record that is not archived, by present or merged id.
    pub(crate) fn live(&self, id: u64) -> Option<&Record> {
        self.get(self.resolve(id)).filter(|r| r.archived_at.is_none())
    }

    /// All records from `from` on, by id.
    pub(crate) fn from(&self, from: u64) -> impl Iterator<Item = &Record> {
        self.records.range(from..).map(|(_, r)| r)
    }

    /// How many there are, archived ones included.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Live records changed at or after `from` (epoch ms).
    pub(crate) fn modified_from(&self, from: i64) -> impl Iterator<Item = &Record> {
        self.by_modified.range((from, 0)..).filter_map(|(_, id)| self.records.get(id))
    }

    /// The live record with this value of a unique property.
    pub(crate) fn by_unique(&self, property: PropIx, value: &str) -> Option<u64> {
        self.by_unique.get(&(property, value.to_lowercase().into_boxed_str())).copied()
    }

    /// The live contact with this address, primary or additional.
    pub(crate) fn by_email(&self, email: &str) -> Option<u64> {
        self.by_email.get(email.trim().to_lowercase().as_str()).copied()
    }

    /// Takes the next id.
    pub(crate) fn take_id(&mut self, step: u64) -> u64 {
        let id = self.next_id;
        self.next_id = self.next_id.saturating_add(step.max(1));
        id
    }

    /// Puts `record` in the place of `id` (or removes it) and keeps the indexes; gives what was there.
    pub(crate) fn replace(&mut self, id: u64, record: Option<Record>, keys: &Keys) -> Option<Record> {
        let before = self.records.remove(&id);
        if let Some(before) = before.as_ref().filter(|r| r.archived_at.is_none()) {
            for key in unique_keys(before, keys) {
                self.by_unique.remove(&key);
            }
            for address in addresses(before, keys) {
                self.by_email.remove(&address);
            }
            self.by_modified.remove(&(before.updated_at, id));
        }
        if let Some(record) = record {
            if record.archived_at.is_none() {
                for key in unique_keys(&record, keys) {
                    self.by_unique.insert(key, id);
                }
                for address in addresses(&record, keys) {
                    self.by_email.insert(address, id);
                }
                self.by_modified.insert((record.updated_at, id));
            }
            self.records.insert(id, record);
            if self.next_id <= id {
                self.next_id = id.saturating_add(1);
            }
        }
        before
    }

    /// Keeps what search sees of `id` until the write at `at` has reached the index.
    pub(crate) fn delay(&mut self, id: u64, at: i64, before: Option<Record>) {
        self.pending.entry(id).or_default().push((at, before));
    }

    /// Takes back the newest [`Table::delay`] of `id`.
    pub(crate) fn undelay(&mut self, id: u64) {
        if let Some(versions) = self.pending.get_mut(&id) {
            versions.pop();
            if versions.is_empty() {
                self.pending.remove(&id);
            }
        }
    }

    /// Forgets delayed versions whose write reached the index before `horizon` (epoch ms).
    pub(crate) fn settle(&mut self, horizon: i64) {
        self.pending.retain(|_, versions| {
            versions.retain(|(at, _)| *at > horizon);
            !versions.is_empty()
        });
    }

    /// Ids whose newest write has not reached the index.
    pub(crate) fn delayed(&self) -> impl Iterator<Item = u64> {
        self.pending.keys().copied()
    }

    /// Whether search sees an older version of `id`; inside, that version (`None`: not there yet).
    pub(crate) fn seen_by_search(&self, id: u64) -> Option<Option<&Record>> {
        self.pending.get(&id).and_then(|versions| versions.first()).map(|(_, before)| before.as_ref())
    }
}

fn unique_keys(record: &Record, keys: &Keys) -> Vec<(PropIx, Box<str>)> {
    keys.unique.iter().filter_map(|&ix| record.value(ix).map(|v| (ix, v.to_lowercase().into_boxed_str()))).collect()
}

fn addresses(record: &Record, keys: &Keys) -> Vec<Box<str>> {
    let Some((email, additional)) = keys.email else { return Vec::new() };
    let primary = record.value(email).into_iter();
    let more = record.value(additional).unwrap_or("").split(';');
    primary.chain(more).map(|a| a.trim().to_lowercase().into_boxed_str()).filter(|a| !a.is_empty()).collect()
}

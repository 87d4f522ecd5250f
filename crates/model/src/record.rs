//! A record as it was read, and the values of a record to be written.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{FieldName, RecordId, Value};

/// Fields with their values, sorted by name, each name once.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fields(Vec<(FieldName, Value)>);

impl Fields {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// No fields, with room for so many.
    pub fn with_capacity(number: usize) -> Self {
        Self(Vec::with_capacity(number))
    }

    /// The value of a field; `None` when it is absent.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self.0.binary_search_by(|(have, _)| have.as_str().cmp(name)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The value of a field that probably stands at this place: one comparison where it does.
    pub fn get_near(&self, place: usize, name: &str) -> Option<&Value> {
        match self.0.get(place) {
            Some((have, value)) if have.as_str() == name => Some(value),
            _ => self.get(name),
        }
    }

    /// Sets a field, replacing what was there.
    pub fn set(&mut self, name: FieldName, value: Value) {
        // Readers deliver fields mostly in order, so appending is the common case.
        if self.0.last().is_none_or(|(last, _)| *last < name) {
            self.0.push((name, value));
            return;
        }
        match self.0.binary_search_by(|(have, _)| have.cmp(&name)) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.0.binary_search_by(|(have, _)| have.as_str().cmp(name)).ok()?;
        Some(self.0.remove(at).1)
    }

    /// The fields in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&FieldName, &Value)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(FieldName, Value)> for Fields {
    fn from_iter<I: IntoIterator<Item = (FieldName, Value)>>(pairs: I) -> Self {
        let mut fields = Self::new();
        for (name, value) in pairs {
            fields.set(name, value);
        }
        fields
    }
}

impl IntoIterator for Fields {
    type Item = (FieldName, Value);
    type IntoIter = std::vec::IntoIter<(FieldName, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Names only: values are the customer's data.
impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// A record as a system gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its id in that system and object.
    pub id: RecordId,
    /// What was read of it. The id is not among the fields unless the platform has it as one.
    pub fields: Fields,
    /// When the system says it was last modified.
    pub modified: Option<Timestamp>,
    /// True when the system still knows it but lists it as deleted or archived away.
    pub gone: bool,
}

/// The bytes of a file, staged on disk so that they stream and never stand in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Where the bytes are staged.
    pub path: PathBuf,
    /// Their number.
    pub bytes: u64,
    /// Their BLAKE3 hash, hex: what `verify` compares.
    pub blake3: String,
}

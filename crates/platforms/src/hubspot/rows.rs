//! A page of a plain list, read from its bytes at once: only what is asked for becomes a value.
//!
//! Invariant: a page that is not plain (a form that is not the documented one, a record without an id) is no
//! page here; the caller then looks at the whole answer as a tree and says what is wrong. So a page is whole
//! or it is none.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use handover_model::{FieldName, Fields, Kind, Record, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Value as Json, json};

use super::json::id_text;
use super::reading::{Reading, Stamps};
use super::values;
use crate::keys::Keys;

/// A page.
pub(super) struct Page {
    /// The records, with what is told of their links.
    pub(super) rows: Vec<(Record, Json)>,
    /// Where the next page begins.
    pub(super) after: Option<String>,
}

/// A page of records; `None` when the answer is not a plain page.
pub(super) fn page(reading: &Reading<'_>, body: &[u8]) -> Option<Page> {
    // Checked once for the whole, and not again for each text.
    let text = std::str::from_utf8(body).ok()?;
    let mut json = serde_json::Deserializer::from_str(text);
    let columns = Columns::of(reading);
    let page = Body(&mut Parser::new(reading, &columns)).deserialize(&mut json).ok()?;
    json.end().ok()?;
    Some(page)
}

/// The properties asked for, in order of their names, with the kinds of those that are known.
struct Columns<'r>(Vec<(FieldName, Option<&'r Kind>)>);

impl<'r> Columns<'r> {
    fn of(reading: &'r Reading<'_>) -> Self {
        let mut names = reading.properties();
        names.sort_unstable();
        names.dedup();
        Self(names.into_iter().map(|name| (FieldName::from(name), reading.kind(name))).collect())
    }
}

/// What a property is for: the column that it is, and whether it tells when the record was modified.
#[derive(Clone, Copy, Default)]
struct Found {
    column: Option<usize>,
    is_modified: bool,
}

/// What a page is read with.
struct Parser<'r> {
    columns: &'r Columns<'r>,
    keys: Keys<'r, Found>,
    /// The values of a record, by column.
    values: Vec<Option<Value>>,
}

impl<'r> Parser<'r> {
    fn new(reading: &Reading<'_>, columns: &'r Columns<'r>) -> Self {
        let mut known: HashMap<&str, Found> = HashMap::new();
        for (at, (name, _)) in columns.0.iter().enumerate() {
            known.entry(name.as_str()).or_default().column = Some(at);
        }
        known.entry(reading.object.modified).or_default().is_modified = true;
        let mut values = Vec::new();
        values.resize_with(columns.0.len(), || None);
        Self { columns, keys: Keys::new(known), values }
    }

    /// The fields that were read.
    fn fields(&mut self) -> Fields {
        let mut fields = Fields::with_capacity(self.values.len());
        for ((name, kind), value) in self.columns.0.iter().zip(&mut self.values) {
            match (value.take(), kind) {
                (Some(value), _) => fields.set(name.clone(), value),
                // An empty property comes as null or does not come (sheet: HubSpot section 2.1 [obs, doc]).
                (None, Some(_)) => fields.set(name.clone(), Value::Null),
                (None, None) => {}
            }
        }
        fields
    }
}

/// The answer.
struct Body<'p, 'r>(&'p mut Parser<'r>);

impl<'de> DeserializeSeed<'de> for Body<'_, '_> {
    type Value = Page;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Page, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Body<'_, '_> {
    type Value = Page;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page, A::Error> {
        let mut rows = None;
        let mut paging = Json::Null;
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match &*key {
                "results" if rows.is_none() => rows = Some(map.next_value_seed(Results(self.0))?),
                "results" => return Err(A::Error::duplicate_field("results")),
                "paging" => paging = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let rows = rows.ok_or_else(|| A::Error::missing_field("results"))?;
        Ok(Page { rows, after: paging.pointer("/next/after").and_then(id_text) })
    }
}

/// The records.
struct Results<'p, 'r>(&'p mut Parser<'r>);

impl<'de> DeserializeSeed<'de> for Results<'_, '_> {
    type Value = Vec<(Record, Json)>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Vec<(Record, Json)>, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Results<'_, '_> {
    type Value = Vec<(Record, Json)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Vec<(Record, Json)>, A::Error> {
        let mut all = Vec::new();
        while let Some(row) = rows.next_element_seed(OneRow(self.0))? {
            all.push(row);
        }
        Ok(all)
    }
}

/// One record.
struct OneRow<'p, 'r>(&'p mut Parser<'r>);

impl<'de> DeserializeSeed<'de> for OneRow<'_, '_> {
    type Value = (Record, Json);

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(Record, Json), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneRow<'_, '_> {
    type Value = (Record, Json);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(Record, Json), A::Error> {
        let mut stamps = Stamps::default();
        let (mut id, mut links, mut has_properties) = (None, Json::Null, false);
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match &*key {
                "id" => id = id_text(&map.next_value()?),
                "properties" if !has_properties => {
                    has_properties = true;
                    stamps.modified = map.next_value_seed(Properties(self.0))?;
                }
                "properties" => return Err(A::Error::duplicate_field("properties")),
                "updatedAt" => stamps.updated = values::instant_of(&map.next_value()?),
                "archivedAt" => stamps.archived = values::instant_of(&map.next_value()?),
                "archived" => stamps.is_archived = map.next_value::<Json>()?.as_bool().unwrap_or(false),
                "associations" => links = json!({ "associations": map.next_value::<Json>()? }),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match id {
            Some(id) if has_properties => Ok((stamps.record(id, self.0.fields()), links)),
            _ => Err(A::Error::custom("a record without an id or properties")),
        }
    }
}

/// A record's properties; gives when the record was modified, as one of them tells.
struct Properties<'p, 'r>(&'p mut Parser<'r>);

impl<'de> DeserializeSeed<'de> for Properties<'_, '_> {
    type Value = Option<jiff::Timestamp>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Option<jiff::Timestamp>, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Properties<'_, '_> {
    type Value = Option<jiff::Timestamp>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("properties")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut modified = None;
        let mut at = 0;
        while let Some(found) = map.next_key_seed(self.0.keys.at(at))? {
            at += 1;
            let Some(found) = found else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let column = found.column.and_then(|column| Some((column, self.0.columns.0.get(column)?.1)));
            let value = if found.is_modified {
                let json: Json = map.next_value()?;
                modified = values::instant_of(&json);
                column.map(|(at, kind)| (at, values::read(kind, &json)))
            } else {
                let kind = column.and_then(|(_, kind)| kind);
                let value = map.next_value_seed(OfKind(kind))?;
                column.map(|(at, _)| (at, value))
            };
            if let Some((at, value)) = value
                && let Some(place) = self.0.values.get_mut(at)
            {
                *place = Some(value);
            }
        }
        Ok(modified)
    }
}

/// A value of a kind.
struct OfKind<'r>(Option<&'r Kind>);

impl<'de> DeserializeSeed<'de> for OfKind<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfKind<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(values::read(self.0, &flag.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(values::read(self.0, &number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(values::read(self.0, &number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(values::read(self.0, &number.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(values::read_text(self.0, text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }
}

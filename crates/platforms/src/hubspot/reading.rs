//! One read: which properties and links it wants, and records out of the API's objects.

use std::sync::Arc;

use handover_connect::{Fault, Operation, Refusal};
use handover_model::{FieldName, Fields, Kind, Record, Schema, Value};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::associations::{self, Association};
use super::json::{flag_at, id_text, items, text_at};
use super::objects::{Family, Object, object};
use super::values;

/// The note's list of files.
pub(super) const ATTACHED: &str = "hs_attachment_ids";
/// The longest list of property names that goes into a query, in characters as sent. A query of 5,116
/// characters was seen to pass, and 414 exists (sheet: HubSpot section 4 \[obs, doc\]).
const LONGEST_QUERY: usize = 5_000;

/// What a read operation wants.
pub(super) struct Reading<'a> {
    /// The object asked for.
    pub(super) object: Object<'a>,
    /// The fields asked for.
    fields: &'a [FieldName],
    /// The field types, once they were learnt.
    schema: Option<Arc<Schema>>,
}

impl<'a> Reading<'a> {
    /// What an operation that yields records wants.
    pub(super) fn of(operation: &'a Operation, schema: Option<Arc<Schema>>) -> Result<Self, Refusal> {
        let (name, fields) = operation.wanted().ok_or_else(|| Refusal::unsupported("it yields no records"))?;
        Ok(Self { object: object(name.as_str())?, fields, schema })
    }

    /// The properties to ask for.
    pub(super) fn properties(&self) -> Vec<&str> {
        let own = self.fields.iter().map(FieldName::as_str).filter(|name| !associations::is_link(name));
        match self.object.family {
            Family::Attachment => {
                own.filter(|name| !matches!(*name, "name" | "size")).chain(std::iter::once(ATTACHED)).collect()
            }
            Family::Record | Family::Activity | Family::Item | Family::File => own.collect(),
        }
    }

    /// The link fields to fill.
    pub(super) fn links(&self) -> impl Iterator<Item = Association<'a>> + use<'a> {
        let (source, fields) = (self.object.source().name, self.fields);
        fields.iter().filter_map(move |field| associations::named(source, field.as_str()))
    }

    /// The objects that the link fields point to, each once.
    pub(super) fn linked_objects(&self) -> Vec<&'a str> {
        let mut objects: Vec<&str> = self.links().map(|link| link.to).collect();
        objects.sort_unstable();
        objects.dedup();
        objects
    }

    /// Whether the field was asked for.
    pub(super) fn wants(&self, field: &str) -> bool {
        self.fields.iter().any(|have| have == field)
    }

    /// Whether the names of the properties are too long for a query.
    pub(super) fn is_wide(&self) -> bool {
        // A comma takes three characters as sent.
        self.properties().iter().map(|name| name.len() + 3).sum::<usize>() > LONGEST_QUERY
    }

    /// A record with the properties asked for.
    pub(super) fn record(&self, raw: &Json) -> Result<Record, Fault> {
        let id = raw.get("id").and_then(id_text).ok_or_else(|| Fault::malformed("a record has no id"))?;
        let properties = raw.get("properties").unwrap_or(&Json::Null);
        let mut fields = Fields::new();
        for name in self.properties() {
            let known = self.kind(name);
            match (properties.get(name), known) {
                (Some(value), _) => fields.set(name.into(), values::read(known, value)),
                // An empty property comes as null or does not come (sheet: HubSpot section 2.1 [obs, doc]).
                (None, Some(_)) => fields.set(name.into(), Value::Null),
                (None, None) => {}
            }
        }
        let stamps = Stamps {
            modified: properties.get(self.object.modified).and_then(values::instant_of),
            updated: raw.get("updatedAt").and_then(values::instant_of),
            archived: archived_at(raw),
            is_archived: flag_at(raw, "archived"),
        };
        Ok(stamps.record(id, fields))
    }

    /// The kind of a property, once it was learnt.
    pub(super) fn kind(&self, name: &str) -> Option<&Kind> {
        self.schema.as_ref().and_then(|schema| schema.field(name)).map(|field| &field.kind)
    }

    /// Fills the plain link fields from the links that a list brings. Gives the objects whose links go on
    /// on further pages.
    pub(super) fn fill_listed(&self, record: &mut Record, raw: &Json) -> Vec<&'a str> {
        let mut unfinished = Vec::new();
        for link in self.links().filter(|link| link.listed) {
            let listed = raw.get("associations").and_then(|all| all.get(link.to)).unwrap_or(&Json::Null);
            // One entry for each type of the link: the same record stands there several times.
            let ids = items(listed, "results").iter().filter_map(|entry| entry.get("id").and_then(id_text)).collect();
            link.add(record, ids);
            if super::json::after(listed).is_some() {
                unfinished.push(link.to);
            }
        }
        unfinished
    }
}

/// What an object tells of its changes.
#[derive(Default)]
pub(super) struct Stamps {
    /// As the property for it has it.
    pub(super) modified: Option<Timestamp>,
    /// As the object itself has it.
    pub(super) updated: Option<Timestamp>,
    pub(super) archived: Option<Timestamp>,
    pub(super) is_archived: bool,
}

impl Stamps {
    /// The record with these fields.
    pub(super) fn record(self, id: String, fields: Fields) -> Record {
        let changed = self.modified.or(self.updated);
        let modified = if self.is_archived { changed.max(self.archived) } else { changed };
        Record { id: id.into(), fields, modified, gone: self.is_archived }
    }
}

/// When a record was made.
pub(super) fn created(raw: &Json) -> Option<Timestamp> {
    text_at(raw, "createdAt").and_then(values::read_instant)
}

/// When a record was archived.
pub(super) fn archived_at(raw: &Json) -> Option<Timestamp> {
    text_at(raw, "archivedAt").and_then(values::read_instant)
}

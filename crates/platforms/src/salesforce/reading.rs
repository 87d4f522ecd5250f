//! One read: which columns it wants, and records out of rows.

use std::sync::Arc;

use handover_connect::{Fault, Operation, Refusal};
use handover_model::{FieldName, Fields, Kind, Record, Schema, Value};

use super::ids;
use super::links::{self, Junction};
use super::objects::{MODIFIED, OBJECTS, Object, object};
use super::{notes, prices};

/// What a read operation wants.
pub(super) struct Reading<'a> {
    /// The object.
    pub(super) object: Object<'a>,
    /// The fields asked for.
    pub(super) fields: &'a [FieldName],
    /// The field types, once they were learnt.
    pub(super) schema: Option<Arc<Schema>>,
}

impl<'a> Reading<'a> {
    /// What an operation that yields records wants.
    pub(super) fn of(operation: &'a Operation, schema: Option<Arc<Schema>>) -> Result<Self, Refusal> {
        let (name, fields) = operation.wanted().ok_or_else(|| Refusal::unsupported("it yields no records"))?;
        Ok(Self { object: object(name.as_str())?, fields, schema })
    }

    /// The fields that come with a record.
    fn listed(&self) -> impl Iterator<Item = &'a str> {
        let object = self.object.name;
        let apart = move |name: &&str| {
            !Junction::is_field(object, name) && !notes::is_body(object, name) && !prices::is_field(object, name)
        };
        self.fields.iter().map(FieldName::as_str).filter(apart)
    }

    /// The field of the prices, where it is asked for.
    pub(super) fn prices(&self) -> Option<&'a str> {
        self.fields.iter().map(FieldName::as_str).find(|name| prices::is_field(self.object.name, name))
    }

    /// The columns to ask for, each once, beside the id.
    pub(super) fn columns(&self) -> Vec<&'a str> {
        let mut columns: Vec<&str> = self.listed().map(|name| part_of(name).0).chain([MODIFIED]).collect();
        columns.sort_unstable();
        columns.dedup();
        columns.retain(|name| *name != "Id");
        columns
    }

    /// Whether accounts may be persons.
    pub(super) fn has_person_accounts(&self) -> bool {
        self.schema.as_ref().is_some_and(|schema| schema.field("IsPersonAccount").is_some())
    }

    fn kind(&self, name: &str) -> Option<&Kind> {
        self.schema.as_ref().and_then(|schema| schema.field(name)).map(|field| &field.kind)
    }

    /// Whether text alone says what the values of a record are: the type of every field that comes with it is known, and
    /// nothing comes but fields.
    pub(super) fn is_typed(&self) -> bool {
        self.prices().is_none() && self.listed().all(|name| self.kind(name).is_some())
    }

    /// A record with the fields asked for.
    pub(super) fn record(&self, row: &impl Cells) -> Result<Record, Fault> {
        let id = row.value("Id", Some(&ID)).and_then(|id| id.as_text().map(str::to_owned));
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| Fault::malformed("a record has no id"))?;
        let mut fields = Fields::with_capacity(self.fields.len());
        for name in self.listed() {
            let (column, part) = part_of(name);
            // Columns that are asked for come, null or not (sheet: Salesforce section 2).
            let value = match part {
                None => row.value(column, self.kind(name)),
                Some(to) => row.value(column, Some(&ID)).map(|value| pointed_to(to, value)),
            };
            if let Some(value) = value {
                fields.set(name.into(), value);
            }
        }
        let prices = match self.prices() {
            Some(name) => prices::read(name, row)?.map(|(value, newest)| (name, value, newest)),
            None => None,
        };
        let modified = match row.value(MODIFIED, Some(&Kind::DateTime)) {
            Some(Value::DateTime(at)) => Some(at),
            _ => None,
        };
        let modified = match prices {
            Some((name, value, newest)) => {
                fields.set(name.into(), value);
                modified.max(newest)
            }
            None => modified,
        };
        let gone = row.value("IsDeleted", Some(&Kind::Bool)) == Some(Value::Bool(true));
        Ok(Record { id: id.into(), fields, modified, gone })
    }

    /// The junction whose links an extra read asks for.
    pub(super) fn junction(&self) -> Option<&'static Junction> {
        links::junction(self.object.name, self.fields.first()?.as_str())
    }
}

/// Ids are text.
const ID: Kind = Kind::Opaque;

/// One row as it came: JSON of a query's page, CSV of a job's result.
pub(super) trait Cells {
    /// The value of a column, read as one of this kind; `None` where there is no such column.
    fn value(&self, column: &str, kind: Option<&Kind>) -> Option<Value>;

    /// The JSON that stands in a column; `None` where it is no JSON.
    fn raw(&self, column: &str) -> Option<&str>;
}

/// The column of a field, and the object that it points to where the column can point to several: `WhatId` and
/// `Account` of `WhatId.Account`.
pub(super) fn part_of(field: &str) -> (&str, Option<&str>) {
    field.split_once('.').map_or((field, None), |(column, to)| (column, Some(to)))
}

/// The id, if it is one of the object's: the beginnings of ids tell (sheet: Salesforce section 2).
fn pointed_to(to: &str, value: Value) -> Value {
    let is_one = value.as_text().is_some_and(|id| is_of(id, to));
    if is_one { value } else { Value::Null }
}

/// Whether an id is one of this object's records.
pub(super) fn is_of(id: &str, object: &str) -> bool {
    let prefix = OBJECTS.iter().find(|known| known.name == object).map_or("", |known| known.prefix);
    !prefix.is_empty() && ids::short(id).starts_with(prefix)
}

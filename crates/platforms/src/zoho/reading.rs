//! One read: which columns it wants, and records out of rows.

use std::sync::Arc;

use handover_connect::{Fault, Operation, Refusal};
use handover_model::{Field, FieldName, Fields, Kind, ReadCost, Record, RecordId, Schema, Value};

use super::archive::Line;
use super::coql::NAMES;
use super::objects::{CONVERTED, Family, LEADS, MODIFIED, Object, SE_MODULE, is_id, object};
use super::rows::{Row, text};
use super::values;

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

    fn known(&self, name: &str) -> Option<&Field> {
        self.schema.as_ref().and_then(|schema| schema.field(name))
    }

    fn is_listed(&self, name: &str) -> bool {
        self.known(name).is_none_or(|field| matches!(field.read, ReadCost::Listed))
    }

    /// The columns to ask for, each once, beside the id and the time of the last change.
    fn columns(&self) -> Vec<&'a str> {
        let mut columns: Vec<&str> = Vec::with_capacity(self.fields.len());
        for name in self.fields.iter().map(FieldName::as_str).filter(|name| self.is_listed(name)) {
            let (column, _) = part_of(name);
            columns.push(column);
            if self.object.several() == Some(column) && self.object.family == Family::Activity {
                columns.push(SE_MODULE);
            }
        }
        columns.sort_unstable();
        columns.dedup();
        columns.retain(|name| *name != "id" && *name != MODIFIED);
        columns
    }

    /// The columns of a request, in parts, since a request names at most fifty. Each part begins with the time of the last
    /// change.
    pub(super) fn parts(&self) -> Vec<Vec<&'a str>> {
        let mut parts: Vec<Vec<&str>> = self.columns().chunks(NAMES - 2).map(<[&str]>::to_vec).collect();
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        for part in &mut parts {
            part.insert(0, MODIFIED);
        }
        parts
    }

    /// The columns of a job, if text says all that is asked for: fields whose types are known, and of leads whether they
    /// were converted, since the sheet does not say whether jobs bring those, as lists do not.
    pub(super) fn columns_of_job(&self) -> Option<Vec<&'a str>> {
        let mut asked = self.fields.iter().map(FieldName::as_str).filter(|name| self.is_listed(name));
        let is_cell = |name: &str| self.known(name).is_some_and(|field| values::is_cell(&field.kind));
        if self.object.family != Family::Plain || !asked.all(|name| name == "id" || is_cell(name)) {
            return None;
        }
        let mut columns = vec![MODIFIED];
        columns.extend(self.columns());
        if self.object.name == LEADS {
            if !self.known(CONVERTED).is_some_and(|field| field.kind == Kind::Bool) {
                return None;
            }
            columns.extend(Some(CONVERTED).filter(|name| !columns.contains(name)));
        }
        Some(columns)
    }

    /// A record out of a job's result, `None` of one that lists do not bring.
    ///
    /// # Errors
    /// In words, when a cell is missing or does not read as its field's type.
    pub(super) fn record_of(&self, line: &Line<'_>) -> Result<Option<Record>, String> {
        let cell = |name: &str, kind: Option<&Kind>| {
            let cell = line.cell(name).ok_or_else(|| format!("the result lacks the column `{name}`"))?;
            let value = kind.map_or(Some(cell.into()), |kind| values::read_cell(kind, cell));
            value.ok_or_else(|| format!("a cell of `{name}` does not read as the field's type"))
        };
        if self.object.name == LEADS && cell(CONVERTED, Some(&Kind::Bool))? == Value::Bool(true) {
            return Ok(None);
        }
        let id = cell("id", None)?.as_text().filter(|id| is_id(id)).map(RecordId::from);
        let id = id.ok_or("a row of the result has no id")?;
        let Value::DateTime(modified) = cell(MODIFIED, Some(&Kind::DateTime))? else {
            return Err("a row of the result does not say when it was changed".to_owned());
        };
        let mut fields = Fields::with_capacity(self.fields.len());
        for name in self.fields.iter().filter(|name| self.is_listed(name.as_str())) {
            let kind = self.known(name.as_str()).map(|field| &field.kind);
            fields.set(name.clone(), cell(name.as_str(), kind)?);
        }
        Ok(Some(Record { id, fields, modified: Some(modified), gone: false }))
    }

    /// A record with the listed fields asked for.
    pub(super) fn record(&self, row: &Row) -> Result<Record, Fault> {
        let id = text(row, "id").ok_or_else(|| Fault::malformed("a record has no id"))?;
        self.record_as(id.into(), row)
    }

    /// The same under another id.
    pub(super) fn record_as(&self, id: RecordId, row: &Row) -> Result<Record, Fault> {
        let mut fields = Fields::with_capacity(self.fields.len());
        for name in self.fields.iter().filter(|name| self.is_listed(name.as_str())) {
            if let Some(value) = self.value(name.as_str(), row) {
                fields.set(name.clone(), value);
            }
        }
        let modified = text(row, MODIFIED).and_then(|text| values::read_instant(&text));
        Ok(Record { id, fields, modified, gone: false })
    }

    /// A field's value; `None` when the row does not have it.
    pub(super) fn value(&self, name: &str, row: &Row) -> Option<Value> {
        let (column, part) = part_of(name);
        let raw = row.get(column)?.get();
        let known = self.known(name).map(|field| &field.kind);
        let Some(part) = part else {
            let shows = self.object.several() == Some(column);
            return Some(values::read(if shows { None } else { known }, raw));
        };
        let is_one = module_of(row, raw).is_some_and(|module| module == part);
        Some(if is_one { values::read(Some(&Kind::User), raw) } else { Value::Null })
    }
}

/// The module of the record that a row's pointer leads to: beside it, or in it (sheet: Zoho section 2).
fn module_of(row: &Row, pointer: &str) -> Option<String> {
    let inside = || {
        let pointer = serde_json::from_str::<serde_json::Value>(pointer).ok()?;
        pointer.pointer("/module/api_name")?.as_str().map(str::to_owned)
    };
    text(row, SE_MODULE).or_else(inside)
}

/// The column of a field, and the module that it points to where the column can point to several: `What_Id` and
/// `Deals` of `What_Id.Deals`.
pub(super) fn part_of(field: &str) -> (&str, Option<&str>) {
    field.split_once('.').map_or((field, None), |(column, to)| (column, Some(to)))
}

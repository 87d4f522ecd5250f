//! Rows into records: which fields are wanted and where they stand, found once for a page.

use handover_connect::{Fault, FaultKind, Refusal, Reply};
use handover_model::{FieldName, Fields, Record, Value};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::decode::odd;
use super::encode::listed;
use super::form::{Form, id_text, instant};
use super::known::Known;
use super::object::Object;
use super::rows::{self, Page, Row};
use super::{faults, flat, mail};

/// The people of a deal, the main person among them.
const PARTICIPANTS: &str = "participants";

/// What every row tells, whichever fields are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    Id,
    Updated,
    Added,
    Deleted,
    Active,
    Archived,
    Participants,
    Person,
}

impl Special {
    pub(super) const ALL: [Self; 8] = [
        Self::Id,
        Self::Updated,
        Self::Added,
        Self::Deleted,
        Self::Active,
        Self::Archived,
        Self::Participants,
        Self::Person,
    ];

    /// Where it stands.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Updated => "update_time",
            Self::Added => "add_time",
            Self::Deleted => "is_deleted",
            Self::Active => "active_flag",
            Self::Archived => "is_archived",
            Self::Participants => "participants_count",
            Self::Person => "person_id",
        }
    }
}

/// What a row told of it.
#[derive(Debug, Default)]
pub(super) struct Told {
    id: Option<String>,
    updated: Option<Timestamp>,
    added: Option<Timestamp>,
    is_deleted: bool,
    is_inactive: bool,
    is_archived: bool,
    participants: Option<u64>,
    person: Option<String>,
}

impl Told {
    /// The same of a text.
    pub(super) fn take_text(&mut self, what: Special, text: &str) {
        match what {
            Special::Updated => self.updated = instant(text),
            Special::Added => self.added = instant(text),
            _ => self.take(what, &Json::from(text)),
        }
    }

    pub(super) fn take(&mut self, what: Special, json: &Json) {
        let time = || json.as_str().and_then(instant);
        match what {
            Special::Id => self.id = id_text(json),
            Special::Updated => self.updated = time(),
            Special::Added => self.added = time(),
            Special::Deleted => self.is_deleted = json.as_bool() == Some(true),
            Special::Active => self.is_inactive = json.as_bool() == Some(false),
            Special::Archived => self.is_archived = json.as_bool() == Some(true),
            Special::Participants => self.participants = json.as_u64(),
            Special::Person => self.person = id_text(json),
        }
    }
}

/// Reads records of one object, with the fields wanted and no others.
pub(super) struct Reader {
    pub(super) object: Object,
    /// In order of their names.
    pub(super) columns: Vec<Column>,
    /// Whether the participants of deals are wanted, which a list tells for some deals only.
    participants: bool,
}

impl Reader {
    pub(super) fn new(known: &Known, object: Object, wanted: &[FieldName]) -> Result<Self, Fault> {
        let column = |name| Column::of(known, object, name);
        let columns = listed(known, object, wanted).and_then(|names| names.into_iter().map(column).collect());
        let participants = object == Object::Deals && wanted.iter().any(|name| *name == PARTICIPANTS);
        Ok(Self { object, columns: columns.map_err(odd)?, participants })
    }

    /// A page of v2's records.
    pub(super) fn page(&self, reply: &Reply) -> Result<Page, Fault> {
        if let Some(page) = rows::page(self, reply.status, &reply.body) {
            return Ok(page);
        }
        let body = faults::check(reply)?;
        let row = |row: &Json| {
            let is_archived = row.get("is_archived").and_then(Json::as_bool) == Some(true);
            Ok(Row { record: self.record(row)?, is_archived })
        };
        let rows = super::decode::rows(&body).iter().map(row).collect::<Result<_, Fault>>()?;
        Ok(Page { rows, next: super::decode::next_cursor(&body) })
    }

    pub(super) fn records(&self, rows: &[Json]) -> Result<Vec<Record>, Fault> {
        rows.iter().map(|row| self.record(row)).collect()
    }

    /// Those modified at or after a time, where the list itself has no such filter.
    pub(super) fn since(&self, rows: Vec<&Json>, since: Option<Timestamp>) -> Result<Vec<Record>, Fault> {
        let mut records = rows.into_iter().map(|row| self.record(row)).collect::<Result<Vec<_>, _>>()?;
        if let Some(since) = since {
            let since = since.as_second();
            records.retain(|record| record.modified.is_none_or(|modified| modified.as_second() >= since));
        }
        Ok(records)
    }

    /// One record asked for by its id; one that does not exist is no record and no fault.
    pub(super) fn one(&self, reply: &Reply) -> Result<Vec<Record>, Fault> {
        match faults::check(reply) {
            Ok(body) => {
                let data = body.get("data").ok_or_else(|| Fault::malformed("the answer has no record"))?;
                if self.object == Object::MailMessages {
                    let names: Vec<FieldName> = self.columns.iter().map(|column| column.name.clone()).collect();
                    return Ok(vec![mail::record(self, &names, data, None)?]);
                }
                Ok(vec![self.record(data)?])
            }
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(Vec::new()),
            Err(fault) => Err(fault),
        }
    }

    pub(super) fn record(&self, row: &Json) -> Result<Record, Fault> {
        let mut told = Told::default();
        for special in Special::ALL {
            told.take(special, row.get(special.key()).unwrap_or(&Json::Null));
        }
        let mut fields = Fields::with_capacity(self.columns.len());
        for column in &self.columns {
            if let Some(value) = self.value(row, column) {
                fields.set(column.name.clone(), value);
            }
        }
        self.finish(told, fields).map(|row| row.record)
    }

    /// A record of its fields and of what every record tells.
    pub(super) fn finish(&self, told: Told, mut fields: Fields) -> Result<Row, Fault> {
        let id = told.id.ok_or_else(|| Fault::malformed("a record without an id"))?;
        if self.participants {
            // The participants of a deal as far as a list tells them: nobody, or the main person alone. With
            // more, or with one who is not the main person, a call of its own tells (sheet: section 2.1 [code]).
            let only = match (told.participants, told.person) {
                (Some(0), _) => Some(Value::List(Vec::new())),
                (Some(1), Some(id)) => Some(Value::List(vec![Value::Text(id)])),
                _ => None,
            };
            if let Some(only) = only {
                fields.set(FieldName::from(PARTICIPANTS), only);
            }
        }
        let record = Record {
            id: id.into(),
            fields,
            // Records that were never touched again may have no update time (sheet: section 4 [obs]).
            modified: told.updated.or(told.added),
            gone: told.is_deleted || told.is_inactive,
        };
        Ok(Row { record, is_archived: told.is_archived })
    }

    fn value(&self, row: &Json, column: &Column) -> Option<Value> {
        let part = column.part.as_deref();
        if column.is_custom && self.object == Object::Leads {
            return Some(column.form.read(&flat::read(row, &column.base, part, column.form)));
        }
        let whole = if column.is_custom {
            // Whether unset custom fields are null or left out is not established (sheet: section 4
            // [unsure]); both are read and empty.
            row.get("custom_fields")?.get(&column.base).unwrap_or(&Json::Null)
        } else {
            row.get(&column.base)?
        };
        Some(column.read(whole))
    }
}

/// Where a field stands in the rows of a page, found once for all of them.
pub(super) struct Column {
    pub(super) name: FieldName,
    pub(super) base: String,
    pub(super) part: Option<String>,
    pub(super) form: Form,
    pub(super) is_custom: bool,
}

impl Column {
    fn of(known: &Known, object: Object, name: FieldName) -> Result<Self, Refusal> {
        let spot = known.spot(object, name.as_str())?;
        let (base, part) = (spot.base.to_owned(), spot.part.map(str::to_owned));
        let (form, is_custom) = (spot.form, spot.is_custom());
        // The page's own: a name that all pages share would be counted by several processors at once.
        Ok(Self { name: FieldName::from(name.as_str()), base, part, form, is_custom })
    }

    /// The value out of what stands under the base.
    pub(super) fn read(&self, whole: &Json) -> Value {
        let json = match self.part.as_deref() {
            None => whole,
            Some(part) => match whole {
                Json::Object(parts) => parts.get(part).unwrap_or(&Json::Null),
                Json::Null => &Json::Null,
                // An address as one line, as v1 and search have it.
                line if part == "value" => line,
                _ => &Json::Null,
            },
        };
        blank_to_null(self.form, self.form.read(json))
    }
}

/// A list without entries in a custom field is an empty field; texts stay as they are.
pub(super) fn blank_to_null(form: Form, value: Value) -> Value {
    match (&value, form) {
        (Value::List(items), Form::Ids) if items.is_empty() => Value::Null,
        _ => value,
    }
}

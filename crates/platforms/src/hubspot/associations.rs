//! Links between records: the one table of type ids, and the fields made of them.
//!
//! - A link has a direction, and each direction its own type id (sheet: HubSpot section 5.6 \[doc\]):
//!   contact to company is 279, company to contact 280. Only the direction in which a field points
//!   stands here.
//! - Type 1 instead of 279 makes a company the contact's *primary* one (sheet: HubSpot section 5.6
//!   \[doc\]); so the primary company is a field of its own, and the plain field never touches it.
//! - A read of the plain field gives every linked record whatever the labels of the links.

use handover_model::{Field, Kind, ReadCost, Record, Value, Writable};
use serde_json::{Value as Json, json};

use super::json::{id_text, items, text_at};
use super::objects::{self, Family, is_own};

/// A reference field that is made of links.
#[derive(Clone, Copy, Debug)]
pub(super) struct Association<'n> {
    /// The object that has the field.
    pub(super) from: &'n str,
    /// The field.
    pub(super) field: &'n str,
    /// The object pointed to.
    pub(super) to: &'n str,
    /// What users read.
    pub(super) label: &'n str,
    /// The type id that is written; none where the plain link is the portal's own.
    pub(super) type_id: u64,
    /// Whether the field gathers all links to the object, or only those of the type.
    pub(super) all: bool,
    /// Whether lists bring these links.
    pub(super) listed: bool,
}

/// Inputs of one v4 batch read (sheet: HubSpot section 5.1 \[doc\]).
pub(super) const READ_BATCH: u32 = 1_000;
/// Inputs of one v4 batch create (sheet: HubSpot section 5.1 \[doc\]).
pub(super) const WRITE_BATCH: u32 = 2_000;
/// Inputs of one v4 batch archive (sheet: HubSpot section 5.1 \[doc\]).
pub(super) const ARCHIVE_BATCH: usize = 100;

/// Every type id in use (sheet: HubSpot section 5.6 \[code, doc\]).
pub(super) const ASSOCIATIONS: [Association<'static>; 31] = [
    all("contacts", "associations.companies", "companies", "Companies", 279),
    one("contacts", "associations.primary_company", "companies", "Primary company", 1),
    one("companies", "associations.parent_company", "companies", "Parent company", 14),
    all("deals", "associations.contacts", "contacts", "Contacts", 3),
    all("deals", "associations.companies", "companies", "Companies", 341),
    one("deals", "associations.primary_company", "companies", "Primary company", 5),
    all("line_items", "associations.deals", "deals", "Deals", 20),
    all("tickets", "associations.contacts", "contacts", "Contacts", 16),
    all("tickets", "associations.companies", "companies", "Companies", 339),
    one("tickets", "associations.primary_company", "companies", "Primary company", 26),
    all("tickets", "associations.deals", "deals", "Deals", 28),
    all("notes", "associations.contacts", "contacts", "Contacts", 202),
    all("notes", "associations.companies", "companies", "Companies", 190),
    all("notes", "associations.deals", "deals", "Deals", 214),
    all("notes", "associations.tickets", "tickets", "Tickets", 228),
    all("calls", "associations.contacts", "contacts", "Contacts", 194),
    all("calls", "associations.companies", "companies", "Companies", 182),
    all("calls", "associations.deals", "deals", "Deals", 206),
    all("calls", "associations.tickets", "tickets", "Tickets", 220),
    all("emails", "associations.contacts", "contacts", "Contacts", 198),
    all("emails", "associations.companies", "companies", "Companies", 186),
    all("emails", "associations.deals", "deals", "Deals", 210),
    all("emails", "associations.tickets", "tickets", "Tickets", 224),
    all("meetings", "associations.contacts", "contacts", "Contacts", 200),
    all("meetings", "associations.companies", "companies", "Companies", 188),
    all("meetings", "associations.deals", "deals", "Deals", 212),
    all("meetings", "associations.tickets", "tickets", "Tickets", 226),
    all("tasks", "associations.contacts", "contacts", "Contacts", 204),
    all("tasks", "associations.companies", "companies", "Companies", 192),
    all("tasks", "associations.deals", "deals", "Deals", 216),
    all("tasks", "associations.tickets", "tickets", "Tickets", 230),
];

const fn all(
    from: &'static str,
    field: &'static str,
    to: &'static str,
    label: &'static str,
    type_id: u64,
) -> Association<'static> {
    Association { from, field, to, label, type_id, all: true, listed: true }
}

const fn one(
    from: &'static str,
    field: &'static str,
    to: &'static str,
    label: &'static str,
    type_id: u64,
) -> Association<'static> {
    Association { from, field, to, label, type_id, all: false, listed: false }
}

/// The link fields of one of HubSpot's own objects.
pub(super) fn of(object: &str) -> impl Iterator<Item = &'static Association<'static>> {
    ASSOCIATIONS.iter().filter(move |association| association.from == object)
}

/// The link field of a name.
pub(super) fn named<'n>(object: &'n str, field: &'n str) -> Option<Association<'n>> {
    if is_own(object) {
        return own(object, field);
    }
    of(object).find(|association| association.field == field).copied()
}

/// The field of the links from a portal's own object to another one: the plain ones, whose types are the portal's. By
/// which name lists would bring them is not certain, so they are read by themselves (sheet: HubSpot section 4 \[unsure\]).
fn own<'n>(from: &'n str, field: &'n str) -> Option<Association<'n>> {
    let to = field.strip_prefix(LINK)?;
    let known = objects::known(to).filter(|object| object.family == Family::Record);
    let label = known.map_or(to, |object| object.label);
    (known.is_some() || is_own(to)).then_some(Association {
        from,
        field,
        to,
        label,
        type_id: 0,
        all: true,
        listed: false,
    })
}

/// How the names of link fields begin.
const LINK: &str = "associations.";

/// The name of the field with the links to an object.
pub(super) fn field_to(object: &str) -> String {
    format!("{LINK}{object}")
}

/// Whether a field's name is that of a link field.
pub(super) fn is_link(field: &str) -> bool {
    field.starts_with(LINK)
}

impl Association<'_> {
    /// The field as the schema shows it.
    pub(super) fn field(&self) -> Field {
        Field {
            name: self.field.into(),
            label: self.label.to_owned(),
            kind: Kind::Reference { object: self.to.into(), many: self.all },
            required: self.is_fixed(),
            writable: if self.is_fixed() { Writable::OnCreate } else { Writable::Always },
            unique: false,
            custom: false,
            // Lists tell which records are linked but not dependably by which type, so the primary
            // company and the parent need the v4 read (sheet: HubSpot section 4 [doc, obs]).
            read: if self.listed {
                ReadCost::Listed
            } else {
                ReadCost::Extra { per_call: READ_BATCH, opt_in: false, only_above: None }
            },
            blank_is_zero: false,
        }
    }

    /// Whether the link is made with the record and stays: a line item has one parent for all its life (sheet:
    /// HubSpot section 9, trap 15). HubSpot takes one without, which nobody would ever see.
    pub(super) fn is_fixed(&self) -> bool {
        self.from == "line_items"
    }

    /// The type, as requests write it.
    pub(super) fn spec(&self) -> Json {
        json!({ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": self.type_id })
    }

    /// Whether one result of a v4 read belongs to this field. The first result is not the primary one
    /// (sheet: HubSpot section 5.6 \[doc, obs\]): the type decides.
    fn takes(&self, result: &Json) -> bool {
        self.all
            || items(result, "associationTypes").iter().any(|kind| {
                text_at(kind, "category") == Some("HUBSPOT_DEFINED")
                    && kind.get("typeId").and_then(Json::as_u64) == Some(self.type_id)
            })
    }

    /// Puts the linked records of one v4 result into the record's field.
    pub(super) fn fill(&self, record: &mut Record, to: &[Json]) {
        let ids = to.iter().filter(|result| self.takes(result)).filter_map(|result| id_text(result.get("toObjectId")?));
        self.add(record, ids.collect());
    }

    /// Adds ids to the record's field. In the order of the ids, each once: replies promise no order, and
    /// a link in another place is not a change.
    pub(super) fn add(&self, record: &mut Record, ids: Vec<String>) {
        let had: Vec<String> = record
            .fields
            .get(self.field)
            .map(|value| value.ids().into_iter().map(str::to_owned).collect())
            .unwrap_or_default();
        let mut ids: Vec<String> = had.into_iter().chain(ids).collect();
        ids.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        ids.dedup();
        let value = match (self.all, ids.is_empty()) {
            (_, true) => Value::Null,
            (true, false) => Value::List(ids.into_iter().map(Value::Text).collect()),
            (false, false) => ids.into_iter().next().map_or(Value::Null, Value::Text),
        };
        record.fields.set(self.field.into(), value);
    }
}

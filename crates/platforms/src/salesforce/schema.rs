//! Field definitions out of an object's description (sheet: Salesforce section 3 \[fixture\]).
//!
//! - A description shows what *this user* may see: a field that is missing may exist.
//! - A field is required when it can be set, cannot be empty and is not filled by the platform. What only a page asks
//!   for is not asked of programs.
//! - Original dates, authors and the like can be set where the description says so: where the organization allows it
//!   to this user (section 5.6).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use handover_connect::{Fault, Method, Reply, Request, Step};
use handover_model::{Choice, Field, FieldName, Kind, ObjectName, ReadCost, Schema, Writable};
use serde_json::Value as Json;

use super::capabilities::CALL;
use super::links::Junction;
use super::objects::{DATA, Family, LINE, OBJECTS, Object, is_custom};
use super::{before, faults, files, notes, prices};
use crate::json::{body, flag_at, items, text_at};

/// The objects that users and queues are.
const OWNERS: [&str; 3] = ["User", "Group", "Calendar"];

/// The request for the list of objects.
pub(super) fn objects() -> Request {
    Request::new(Method::Get, format!("{DATA}/sobjects"), &CALL)
}

/// The objects that the customer made: those whose records can be read and written like any other.
pub(super) fn objects_told(reply: &Reply) -> Result<Step, Fault> {
    faults::check(reply, false)?;
    let body = body(reply)?;
    let is_meant = |object: &&Json| {
        flag_at(object, "custom")
            && flag_at(object, "queryable")
            && !flag_at(object, "customSetting")
            && !flag_at(object, "deprecatedAndHidden")
    };
    let names = items(&body, "sobjects").iter().filter(is_meant).filter_map(|object| text_at(object, "name"));
    let mut names: Vec<ObjectName> = names.filter(|name| is_custom(name)).map(ObjectName::from).collect();
    names.sort_unstable();
    Ok(Step::Objects(names))
}

/// The request that describes an object.
pub(super) fn describe(object: &Object<'_>) -> Request {
    Request::new(Method::Get, format!("{DATA}/sobjects/{}/describe", object.name), &CALL)
}

/// What the reply says of the object.
pub(super) fn described(object: &Object<'_>, reply: &Reply) -> Result<Step, Fault> {
    faults::check(reply, false)?;
    let body = body(reply)?;
    let mut fields: Vec<Field> = Vec::new();
    for raw in items(&body, "fields").iter().filter(|raw| !flag_at(raw, "deprecatedAndHidden")) {
        fields.extend(fields_of(object, raw, &body));
    }
    if fields.is_empty() {
        return Err(Fault::malformed("the description has no fields"));
    }
    if object.name == LINE {
        fields.iter_mut().for_each(as_of_line);
    }
    fields.extend(prices::field(object.name, &fields));
    fields.extend(Junction::of(object.name).map(Junction::field));
    fields.extend(notes::field(object));
    let label = text_at(&body, "labelPlural").or_else(|| text_at(&body, "label")).filter(|label| !label.is_empty());
    Ok(Step::Schema(Schema {
        object: object.name.into(),
        label: label.unwrap_or(object.name).to_owned(),
        fields,
        name: named(items(&body, "fields")),
        content: files::bytes_of(object.family).is_some(),
        own: BTreeMap::new(),
    }))
}

/// A field of a line as it is written: the product says by which row of the price book it is sold, and stays.
fn as_of_line(field: &mut Field) {
    match field.name.as_str() {
        before::ENTRY => (field.writable, field.required) = (Writable::Never, false),
        before::OF_PRODUCT => (field.writable, field.required) = (Writable::OnCreate, true),
        // It is that of the opportunity, whatever the description says (object reference: OpportunityLineItem).
        prices::CURRENCY => field.writable = Writable::Never,
        _ => {}
    }
}

/// The field that the description marks as the name.
fn named(fields: &[Json]) -> Option<FieldName> {
    let named = fields.iter().find(|raw| flag_at(raw, "nameField"))?;
    text_at(named, "name").map(FieldName::from)
}

/// A field; several for one that can point to several objects; none for what is no value by itself.
fn fields_of(object: &Object<'_>, raw: &Json, description: &Json) -> Vec<Field> {
    let Some(name) = text_at(raw, "name").filter(|name| super::objects::is_name(name)) else { return Vec::new() };
    let label = text_at(raw, "label").filter(|label| !label.is_empty()).unwrap_or(name);
    let (create, update) = (flag_at(raw, "createable"), flag_at(raw, "updateable"));
    let writable = match (object.family, create, update) {
        (Family::Attachment, ..) | (_, false, _) => Writable::Never,
        // Versions of files are made and not changed.
        (Family::File, ..) | (_, true, false) => Writable::OnCreate,
        (_, true, true) => Writable::Always,
    };
    let is_needed = create && !flag_at(raw, "nillable") && !flag_at(raw, "defaultedOnCreate");
    let is_flag = text_at(raw, "type") == Some("boolean");
    let field = |name: &str, label: &str, kind: Kind| Field {
        name: name.into(),
        label: label.to_owned(),
        kind,
        required: is_needed && !is_flag && writable != Writable::Never,
        writable,
        unique: flag_at(raw, "unique"),
        custom: flag_at(raw, "custom"),
        read: ReadCost::Listed,
        blank_is_zero: false,
    };
    match kind(name, raw, description) {
        None => Vec::new(),
        Some(Target::One(kind)) => vec![field(name, label, kind)],
        // One of several cannot be asked of each, so none of them is required.
        Some(Target::Several(objects)) => {
            let shown = Field { writable: Writable::Never, required: false, ..field(name, label, Kind::Opaque) };
            let part = |to: &&str| Field {
                required: false,
                ..field(
                    &format!("{name}.{to}"),
                    &format!("{label}: {to}"),
                    Kind::Reference { object: (*to).into(), many: false },
                )
            };
            std::iter::once(shown).chain(objects.iter().map(part)).collect()
        }
    }
}

/// What a field holds.
enum Target {
    One(Kind),
    /// Records of several objects.
    Several(Vec<&'static str>),
}

fn kind(name: &str, raw: &Json, description: &Json) -> Option<Target> {
    let text = |html: bool| {
        let length = raw.get("length").and_then(Json::as_u64).and_then(|length| u32::try_from(length).ok());
        Kind::Text { max: length.filter(|length| *length > 0), html }
    };
    Some(Target::One(match text_at(raw, "type").unwrap_or_default() {
        // Compounds are read by their parts; bytes are no value.
        "address" | "location" | "complexvalue" | "base64" | "anyType" => return None,
        "reference" => return Some(reference(name, raw, description)),
        "picklist" if name == "CurrencyIsoCode" => Kind::Currency,
        "picklist" => choices(raw, false),
        "multipicklist" => choices(raw, true),
        "boolean" => Kind::Bool,
        "int" | "long" | "double" | "currency" | "percent" => Kind::Number,
        "date" => Kind::Date,
        "datetime" => Kind::DateTime,
        "time" => Kind::Time,
        "email" => Kind::Email { many: false },
        "phone" => Kind::Phone { many: false },
        "textarea" => text(text_at(raw, "extraTypeInfo") == Some("richtextarea") || flag_at(raw, "htmlFormatted")),
        // A combobox takes any text beside those that it proposes.
        "string" | "id" | "url" | "combobox" | "encryptedstring" => text(false),
        _ => Kind::Opaque,
    }))
}

/// A reference, by the objects that it can point to.
fn reference(name: &str, raw: &Json, description: &Json) -> Target {
    let all: Vec<&str> = items(raw, "referenceTo").iter().filter_map(Json::as_str).collect();
    if !all.is_empty() && all.iter().all(|to| OWNERS.contains(to)) {
        return Target::One(Kind::User);
    }
    if name == "RecordTypeId" {
        return Target::One(record_types(description));
    }
    let known: Vec<&'static str> =
        OBJECTS.iter().filter(|object| all.contains(&object.name)).map(|object| object.name).collect();
    Target::One(match (&*all, &*known) {
        ([_], [to]) => Kind::Reference { object: (*to).into(), many: false },
        ([to], []) if is_custom(to) => Kind::Reference { object: (*to).into(), many: false },
        (_, [_, ..]) => return Target::Several(known),
        _ => Kind::Opaque,
    })
}

/// Record types as choices: their ids differ between organizations, their names are told (sheet: Salesforce
/// section 9). The master is none of one's own.
fn record_types(description: &Json) -> Kind {
    // One that the user's profile does not allow would be refused.
    let is_open = |info: &&Json| info.get("available").and_then(Json::as_bool) != Some(false);
    let own = items(description, "recordTypeInfos").iter();
    let own = own.filter(|info| flag_at(info, "active") && !flag_at(info, "master")).filter(is_open);
    let options: Vec<Choice> = own
        .filter_map(|info| {
            let value = text_at(info, "recordTypeId")?.to_owned();
            let label = text_at(info, "name").or_else(|| text_at(info, "developerName"))?.to_owned();
            Some(Choice { value, label, within: None })
        })
        .collect();
    if options.is_empty() { Kind::Opaque } else { Kind::Choice { options: options.into(), many: false } }
}

/// The active values. Others may still stand in old records, and are not accepted in new ones.
fn choices(raw: &Json, many: bool) -> Kind {
    let mut options: Vec<Choice> = Vec::new();
    // There may be thousands.
    let mut seen = HashSet::new();
    for entry in items(raw, "picklistValues").iter().filter(|entry| flag_at(entry, "active")) {
        let Some(value) = text_at(entry, "value").filter(|value| !value.is_empty()) else { continue };
        if !seen.insert(value) {
            continue;
        }
        let label = text_at(entry, "label").filter(|label| !label.is_empty()).unwrap_or(value);
        options.push(Choice { value: value.to_owned(), label: label.to_owned(), within: None });
    }
    Kind::Choice { options: Arc::from(options), many }
}

/// A field of a description, for whoever made it.
pub(super) fn field_named(object: &Object<'_>, name: &str, reply: &Reply) -> Result<Option<Field>, Fault> {
    match described(object, reply)? {
        Step::Schema(schema) => Ok(schema.field(name).cloned()),
        _ => Ok(None),
    }
}

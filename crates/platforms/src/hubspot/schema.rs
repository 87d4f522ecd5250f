//! Field definitions: from HubSpot's properties to fields, and the other way for new ones.
//!
//! - `type` decides what a property holds, not `fieldType`: a datetime also has the field type `date`
//!   (sheet: HubSpot section 3 \[obs, doc\]).
//! - All ids are text, whatever their type says (`hs_object_id` is typed number; section 3 \[obs\]).
//! - A property can be written when `modificationMetadata.readOnlyValue` is false (section 3 \[doc\]).

use std::sync::Arc;

use handover_connect::{Fault, FaultKind, Method, Refusal, Reply, Request, Step};
use handover_model::{Choice, Field, FieldName, Kind, ObjectName, ReadCost, Schema, Writable};
use serde_json::{Value as Json, json};

use super::capabilities::CALL;
use super::json::{body, flag_at, items, results, text_at, text_or_empty};
use super::objects::{Family, OBJECTS, Object, TICKETS, is_own, object, path};
use super::place::Place;
use super::{associations, faults, files};
use crate::marks::Mark;

/// The longest text of a property, in characters (sheet: HubSpot section 3 \[doc\]).
const LONGEST_TEXT: u32 = 65_536;

/// The request that describes an object, or the part of it that `place` says.
pub(super) fn describe(object: Object<'_>, place: Option<&Place>) -> Request {
    match (place, object.family) {
        (Some(Place::Pipelines(_)), _) => {
            Request::new(Method::Get, format!("{}/{}", path::PIPELINES, object.name), &CALL)
        }
        (Some(Place::Own(_)), _) => Request::new(Method::Get, path::SCHEMAS, &CALL),
        (Some(Place::Dispositions(_)), _) => Request::new(Method::Get, path::DISPOSITIONS, &CALL),
        // Files have no definitions; a list of one tells whether the scope is there.
        (_, Family::File) => {
            Request::new(Method::Get, format!("{}/search", path::FILES), &CALL).with_query("limit", "1")
        }
        (_, Family::Record | Family::Activity | Family::Item | Family::Attachment) => {
            Request::new(Method::Get, format!("{}/{}", path::PROPERTIES, object.source().name), &CALL)
        }
    }
}

/// The objects that the portal made, by the names under which paths know them (sheet: HubSpot section 2.8 \[spec\]).
pub(super) fn objects_told(reply: &Reply) -> Result<Step, Fault> {
    let body = body(reply)?;
    let names = results(&body)?.iter().filter_map(|object| text_at(object, "fullyQualifiedName"));
    Ok(Step::Objects(names.map(ObjectName::from).collect()))
}

/// What the reply says of the object.
pub(super) fn described(object: Object<'_>, place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    match place {
        Some(Place::Pipelines(schema)) => Ok(Step::Schema(with_pipelines(schema, results(&body(reply)?)?))),
        Some(Place::Own(schema)) => Ok(Step::Schema(with_own(schema, results(&body(reply)?)?)?)),
        Some(Place::Dispositions(schema)) => {
            let body = body(reply)?;
            let list = body.as_array().map_or_else(|| items(&body, "results"), Vec::as_slice);
            Ok(Step::Schema(with_dispositions(schema, list)))
        }
        _ => {
            let body = body(reply)?;
            let properties = results(&body)?;
            Ok(match object.family {
                Family::File => Step::Schema(files::file_schema(object)),
                Family::Attachment => Step::Schema(files::attachment_schema(object)),
                Family::Record | Family::Activity | Family::Item => {
                    let fields = properties
                        .iter()
                        .filter(|property| !flag_at(property, "archived"))
                        .filter_map(|property| field(&object, property))
                        .chain(associations::of(object.name).map(associations::Association::field))
                        .collect();
                    let schema = Schema {
                        object: object.name.into(),
                        label: object.label.to_owned(),
                        fields,
                        name: None,
                        content: false,
                        own: std::collections::BTreeMap::new(),
                    };
                    finish(object, schema)
                }
            })
        }
    }
}

/// Asks for what the properties do not tell.
fn finish(object: Object<'_>, schema: Schema) -> Step {
    let lacks_options = |name: &str| {
        schema
            .field(name)
            .is_some_and(|field| matches!(&field.kind, Kind::Choice { options, .. } if options.is_empty()))
    };
    match object.name {
        name if is_own(name) => Place::Own(schema).then(),
        "deals" | TICKETS => Place::Pipelines(schema).then(),
        "calls" if lacks_options("hs_call_disposition") => Place::Dispositions(schema).then(),
        _ => Step::Schema(schema),
    }
}

/// A property as a field; `None` without a name.
fn field(object: &Object<'_>, property: &Json) -> Option<Field> {
    let name = text_at(property, "name")?;
    let read_only = property.pointer("/modificationMetadata/readOnlyValue").and_then(Json::as_bool).unwrap_or(false);
    let is_email = object.name == "contacts" && matches!(name, "email" | "hs_additional_emails");
    Some(Field {
        name: name.into(),
        label: text_at(property, "label").unwrap_or(name).to_owned(),
        kind: kind(object, name, property),
        required: object.required.contains(&name),
        writable: if read_only { Writable::Never } else { Writable::Always },
        // Addresses are unique over both properties without saying so (section 9, trap 1 [doc]).
        unique: flag_at(property, "hasUniqueValue") || is_email,
        custom: !flag_at(property, "hubspotDefined"),
        read: ReadCost::Listed,
        blank_is_zero: false,
    })
}

fn kind(object: &Object<'_>, name: &str, property: &Json) -> Kind {
    let field_type = text_at(property, "fieldType").unwrap_or_default();
    let many = field_type == "checkbox";
    match name {
        "email" if object.name == "contacts" => return Kind::Email { many: false },
        "hs_additional_emails" => return Kind::Email { many: true },
        "hs_attachment_ids" => return Kind::Reference { object: "files".into(), many: true },
        "deal_currency_code" => return Kind::Currency,
        "hs_object_id" => return text(false),
        // An id, typed number, without a word of what it refers to (sheet: HubSpot section 9, trap 15).
        "hs_product_id" if object.name == "line_items" => {
            return Kind::Reference { object: "products".into(), many: false };
        }
        "hs_line_item_currency_code" => return Kind::Currency,
        _ => {}
    }
    match (text_at(property, "referencedObjectType"), text_at(property, "type").unwrap_or_default()) {
        (Some("OWNER"), _) if many => Kind::Opaque,
        (Some("OWNER"), _) => Kind::User,
        // An id, typed number (section 3 [obs]).
        (Some("COMPANY"), "number") => Kind::Reference { object: "companies".into(), many: false },
        (Some("CONTACT"), "number") => Kind::Reference { object: "contacts".into(), many: false },
        (Some("DEAL"), "number") => Kind::Reference { object: "deals".into(), many: false },
        (Some(_), "number") => text(false),
        (_, "enumeration") => Kind::Choice { options: options(property), many },
        (_, "bool") => Kind::Bool,
        (_, "number") => Kind::Number,
        (_, "date") => Kind::Date,
        (_, "datetime") => Kind::DateTime,
        (_, "phone_number") => Kind::Phone { many: false },
        (_, "string") if field_type == "phonenumber" => Kind::Phone { many: false },
        (_, "string") => text(field_type == "html" || object.html.contains(&name)),
        _ => Kind::Opaque,
    }
}

fn text(html: bool) -> Kind {
    Kind::Text { max: Some(LONGEST_TEXT), html }
}

fn options(property: &Json) -> Arc<[Choice]> {
    // Hidden ones too: records may still carry them.
    items(property, "options").iter().map(|option| choice(option, "value", None)).collect()
}

fn choice(json: &Json, value: &str, within: Option<&str>) -> Choice {
    Choice { value: text_or_empty(json, value), label: text_or_empty(json, "label"), within: within.map(str::to_owned) }
}

/// What the portal says of its own object: its label, its name, what must be given, what it may be linked to (sheet:
/// HubSpot section 2.8 \[spec\]).
fn with_own(mut schema: Schema, all: &[Json]) -> Result<Schema, Fault> {
    let named = |own: &&Json| text_at(own, "fullyQualifiedName") == Some(schema.object.as_str());
    let own =
        all.iter().find(named).ok_or_else(|| Fault::new(FaultKind::NotFound, "no_such_object", "no such object"))?;
    if let Some(label) = own.pointer("/labels/plural").and_then(Json::as_str).filter(|label| !label.is_empty()) {
        label.clone_into(&mut schema.label);
    }
    schema.name = text_at(own, "primaryDisplayProperty").map(FieldName::from);
    let required =
        |name: &FieldName| items(own, "requiredProperties").iter().any(|one| one.as_str() == Some(name.as_str()));
    for field in schema.fields.iter_mut().filter(|field| field.writable != Writable::Never) {
        field.required = required(&field.name);
    }
    // The name comes with its object.
    for field in schema.fields.iter_mut().filter(|field| schema.name.as_ref() == Some(&field.name)) {
        field.custom = false;
    }
    let mut seen: Vec<&str> = Vec::new();
    let ends = items(own, "associations").iter().filter_map(|one| text_at(one, "toObjectTypeId"));
    for id in ends.filter(|id| Some(*id) != text_at(own, "objectTypeId")) {
        // What is deleted, or not carried, has no field.
        let known = OBJECTS.iter().find(|object| object.type_id == id && object.family == Family::Record);
        let other = all.iter().find(|other| text_at(other, "objectTypeId") == Some(id));
        let name = known.map(|object| object.name).or_else(|| text_at(other?, "fullyQualifiedName"));
        let label = other.and_then(|other| other.pointer("/labels/plural")?.as_str());
        let Some(name) = name.filter(|name| !seen.contains(name)) else { continue };
        seen.push(name);
        if let Some(link) = associations::named(schema.object.as_str(), &associations::field_to(name)) {
            schema.fields.push(Field { label: label.unwrap_or(link.label).to_owned(), ..link.field() });
        }
    }
    Ok(schema)
}

/// Pipelines and stages have ids of their own in every portal (sheet: HubSpot section 2.6 \[spec\]).
fn with_pipelines(mut schema: Schema, pipelines: &[Json]) -> Schema {
    let live: Vec<&Json> = pipelines.iter().filter(|pipeline| !flag_at(pipeline, "archived")).collect();
    let all: Arc<[Choice]> = live.iter().map(|pipeline| choice(pipeline, "id", None)).collect();
    let mut stages = Vec::new();
    for pipeline in &live {
        let (id, label) = (text_or_empty(pipeline, "id"), text_or_empty(pipeline, "label"));
        for stage in items(pipeline, "stages").iter().filter(|stage| !flag_at(stage, "archived")) {
            let own = choice(stage, "id", Some(&id));
            stages.push(Choice { label: format!("{label}: {}", own.label), ..own });
        }
    }
    // Tickets have other names for them (sheet: HubSpot section 2.3 [doc]).
    let [pipeline, stage] =
        if schema.object == *TICKETS { ["hs_pipeline", "hs_pipeline_stage"] } else { ["pipeline", "dealstage"] };
    set_options(&mut schema, pipeline, all);
    set_options(&mut schema, stage, stages.into());
    schema
}

fn with_dispositions(mut schema: Schema, list: &[Json]) -> Schema {
    let live = list.iter().filter(|entry| !flag_at(entry, "deleted"));
    set_options(&mut schema, "hs_call_disposition", live.map(|entry| choice(entry, "id", None)).collect());
    schema
}

fn set_options(schema: &mut Schema, name: &str, options: Arc<[Choice]>) {
    if let Some(field) = schema.fields.iter_mut().find(|field| field.name == *name) {
        field.kind = Kind::Choice { options, many: false };
    }
}

/// The request that makes a property, or a step on the way to it.
pub(super) fn create_field(object: &str, wish: &Field, place: Option<&Place>) -> Result<Request, Refusal> {
    let object = self::object(object)?;
    if !object.is_crm() {
        return Err(Refusal::unsupported(format!("HubSpot's {} take no fields of one's own", object.name)));
    }
    let properties = format!("{}/{}", path::PROPERTIES, object.name);
    let group = match (place, object.group) {
        (Some(Place::Existing), _) => {
            return Ok(Request::new(Method::Get, format!("{properties}/{}", property_name(wish)?), &CALL));
        }
        (Some(Place::NoGroup), _) => {
            let body = json!({ "name": "handover", "label": "Handover", "displayOrder": -1 });
            return Ok(Request::new(Method::Post, format!("{properties}/groups"), &CALL)
                .with_json(body.to_string().into_bytes()));
        }
        (Some(Place::Group(group)), _) => group.as_str(),
        (_, Some(group)) => group,
        (_, None) => return Ok(Request::new(Method::Get, format!("{properties}/groups"), &CALL)),
    };
    Ok(Request::new(Method::Post, properties, &CALL).with_json(definition(wish, group)?.to_string().into_bytes()))
}

/// What became of a new property.
pub(super) fn field_created(object: &str, wish: &Field, place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    let object = self::object(object).map_err(Fault::from)?;
    let made = (200..300).contains(&reply.status);
    if !made {
        let fault = faults::of_reply(reply, false);
        // The name is taken, perhaps by this very request, whose answer was lost: look (section 3 [obs]).
        let taken = fault.kind == FaultKind::Conflict && !matches!(place, Some(Place::Existing));
        return if taken { Ok(Place::Existing.then()) } else { Err(fault) };
    }
    let body = body(reply)?;
    match (&place, object.group) {
        (None, None) => {
            let group = items(&body, "results").iter().find(|group| !flag_at(group, "archived"));
            Ok(match group.and_then(|group| text_at(group, "name")) {
                Some(name) => Place::Group(name.to_owned()).then(),
                None => Place::NoGroup.then(),
            })
        }
        (Some(Place::NoGroup), _) => Ok(Place::Group("handover".to_owned()).then()),
        (place, _) => {
            let field = field(&object, &body).ok_or_else(|| Fault::malformed("the new property has no name"))?;
            let other = std::mem::discriminant(&field.kind) != std::mem::discriminant(&wish.kind)
                || field.unique != wish.unique;
            if matches!(place, Some(Place::Existing)) && other {
                let message = format!("there is a property `{}` of another type", field.name);
                return Err(Fault::new(FaultKind::Conflict, "OBJECT_ALREADY_EXISTS", message).with_field(field.name));
            }
            Ok(Step::Field(field))
        }
    }
}

/// A property's definition (sheet: HubSpot section 3 \[doc\]).
fn definition(wish: &Field, group: &str) -> Result<Json, Refusal> {
    let (kind, field_type) = match &wish.kind {
        Kind::Text { html: true, .. } => ("string", "html"),
        Kind::Text { html: false, .. } if wish.unique => ("string", "text"),
        Kind::Text { html: false, max } if max.is_some_and(|max| max <= 255) => ("string", "text"),
        Kind::Text { html: false, .. } | Kind::Opaque => ("string", "textarea"),
        Kind::Bool => ("bool", "booleancheckbox"),
        Kind::Number => ("number", "number"),
        Kind::Date => ("date", "date"),
        Kind::DateTime => ("datetime", "date"),
        Kind::Choice { many: true, .. } => ("enumeration", "checkbox"),
        Kind::Choice { many: false, .. } | Kind::User => ("enumeration", "select"),
        Kind::Phone { many: false } => ("string", "phonenumber"),
        Kind::Time | Kind::Currency | Kind::Email { .. } | Kind::Phone { many: true } => ("string", "text"),
        Kind::Reference { .. } => {
            return Err(Refusal::unsupported("in HubSpot a link is an association, not a property"));
        }
    };
    let mut body = json!({
        "groupName": group,
        "name": property_name(wish)?,
        "label": wish.label,
        "type": kind,
        "fieldType": field_type,
        "hasUniqueValue": wish.unique,
    });
    let option = |at: usize, label: &str, value: &str| json!({ "label": label, "value": value, "displayOrder": at, "hidden": false });
    match &wish.kind {
        Kind::Choice { options, .. } => {
            body["options"] =
                options.iter().enumerate().map(|(at, choice)| option(at, &choice.label, &choice.value)).collect();
        }
        Kind::Bool => body["options"] = json!([option(0, "Yes", "true"), option(1, "No", "false")]),
        // Owners fill the list of options by themselves (section 3 [obs]).
        Kind::User => {
            body["options"] = json!([]);
            body["externalOptions"] = json!(true);
            body["referencedObjectType"] = json!("OWNER");
        }
        _ => {}
    }
    Ok(body)
}

/// A wished name in HubSpot's form: lower case letters, digits and underscores, a letter first.
fn property_name(wish: &Field) -> Result<String, Refusal> {
    let mut name = String::new();
    for c in wish.name.as_str().chars().flat_map(char::to_lowercase) {
        let plain = if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' };
        if plain != '_' || !name.is_empty() && !name.ends_with('_') {
            name.push(plain);
        }
    }
    let name = name.trim_end_matches('_');
    match name.chars().next() {
        Some(first) if first.is_ascii_lowercase() => Ok(name.to_owned()),
        Some(_) => Ok(format!("p_{name}")),
        None => {
            Err(Refusal::unsupported(format!("`{}` has no letter that a property's name could be made of", wish.name)))
        }
    }
}

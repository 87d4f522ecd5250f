//! New fields of a customer's (sheet: Salesforce section 3 \[doc, in part unsure\]).
//!
//! A field is made by the tooling interface. Who may see it is a matter of its own, so the object is described
//! afterwards: a field that this user cannot see is made, and of no use until somebody grants it.

use handover_connect::{Fault, FaultKind, Method, Refusal, Reply, Request, Step};
use handover_model::{Field, Kind};
use serde_json::{Value as Json, json};

use super::encode::with_body;
use super::objects::{CUSTOM, DATA, Family, Object};
use super::place::Place;
use super::{faults, schema};
use crate::marks::Mark;

/// The longest plain text of one line (sheet: Salesforce section 3).
const LONGEST_TEXT: u32 = 255;
/// The longest text of several lines that fields of this kind may have.
const LONGEST_AREA: u32 = 131_072;

/// The request that makes a field, or looks whether it is there.
pub(super) fn create(object: &Object<'_>, wish: &Field, place: Option<&Place>) -> Result<Request, Refusal> {
    if object.archives {
        // The fields of tasks and events are those of an object above both, of which the sheet says nothing.
        return Err(Refusal::unsupported(format!(
            "fields of {} are made for all activities, in the setup",
            object.name
        )));
    }
    if object.family != Family::Plain || matches!(object.name, "Note" | "OpportunityContactRole") {
        return Err(Refusal::unsupported(format!("Salesforce's {} take no fields of one's own", object.name)));
    }
    let metadata = definition(wish)?;
    if place.is_some() {
        return Ok(schema::describe(object));
    }
    let body = json!({ "FullName": format!("{}.{}", object.name, field_name(wish)?), "Metadata": metadata });
    Ok(with_body(Method::Post, format!("{DATA}/tooling/sobjects/CustomField"), body.to_string().into_bytes()))
}

/// What became of a new field.
pub(super) fn created(object: &Object<'_>, wish: &Field, place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    let Some(place) = place else {
        return match faults::check(reply, false) {
            Ok(()) => Ok(Place::Made.then()),
            // The name is taken, perhaps by this very request, whose answer was lost: look.
            Err(fault) if fault.kind == FaultKind::Conflict => Ok(Place::Existing.then()),
            Err(fault) => Err(fault),
        };
    };
    let name = field_name(wish).map_err(Fault::from)?;
    let Some(field) = schema::field_named(object, &name, reply)? else {
        let message = format!("the field `{name}` is there, but this user may not see it: grant access to it");
        return Err(Fault::new(FaultKind::Denied, "field_not_visible", message).with_field(name));
    };
    let other =
        std::mem::discriminant(&field.kind) != std::mem::discriminant(&wish.kind) || field.unique != wish.unique;
    if matches!(place, Place::Existing) && other {
        let message = format!("there is a field `{name}` of another type");
        return Err(Fault::new(FaultKind::Conflict, "DUPLICATE_DEVELOPER_NAME", message).with_field(name));
    }
    Ok(Step::Field(field))
}

/// A field's definition.
fn definition(wish: &Field) -> Result<Json, Refusal> {
    let text = |length: u32| json!({ "type": "Text", "length": length });
    let mut definition = match &wish.kind {
        Kind::Text { html: true, max } => json!({ "type": "Html", "length": area(*max), "visibleLines": 25 }),
        Kind::Text { html: false, max } if wish.unique || max.is_some_and(|max| max <= LONGEST_TEXT) => {
            text(max.unwrap_or(LONGEST_TEXT).clamp(1, LONGEST_TEXT))
        }
        Kind::Text { html: false, max } => json!({ "type": "LongTextArea", "length": area(*max), "visibleLines": 3 }),
        Kind::Opaque => text(LONGEST_TEXT),
        Kind::Bool => json!({ "type": "Checkbox", "defaultValue": "false" }),
        Kind::Number => json!({ "type": "Number", "precision": 18, "scale": 4 }),
        Kind::Date => json!({ "type": "Date" }),
        Kind::DateTime => json!({ "type": "DateTime" }),
        Kind::Time => json!({ "type": "Time" }),
        Kind::Email { many: false } => json!({ "type": "Email" }),
        Kind::Phone { many: false } => json!({ "type": "Phone" }),
        Kind::Currency => text(3),
        Kind::Email { many: true } | Kind::Phone { many: true } => text(LONGEST_TEXT),
        Kind::Choice { options, many } => {
            let values: Vec<Json> = options
                .iter()
                .map(|option| json!({ "fullName": option.value, "label": option.label, "default": false }))
                .collect();
            let mut choice = json!({
                "type": if *many { "MultiselectPicklist" } else { "Picklist" },
                "valueSet": { "restricted": true, "valueSetDefinition": { "sorted": false, "value": values } },
            });
            if *many {
                choice["visibleLines"] = json!(4);
            }
            choice
        }
        Kind::User => json!({ "type": "Lookup", "referenceTo": "User", "relationshipName": relation(wish)? }),
        Kind::Reference { object, many: false } => {
            json!({ "type": "Lookup", "referenceTo": object, "relationshipName": relation(wish)? })
        }
        Kind::Reference { many: true, .. } => {
            return Err(Refusal::unsupported(
                "in Salesforce a field points to one record: several are rows of their own",
            ));
        }
    };
    definition["label"] = json!(wish.label.chars().take(40).collect::<String>());
    if wish.unique {
        definition["unique"] = json!(true);
        definition["externalId"] = json!(true);
        if definition["type"] == "Text" {
            definition["caseSensitive"] = json!(true);
        }
    }
    Ok(definition)
}

fn area(max: Option<u32>) -> u32 {
    // The shortest that there is has 256 characters.
    max.unwrap_or(32_768).clamp(256, LONGEST_AREA)
}

fn relation(wish: &Field) -> Result<String, Refusal> {
    Ok(field_name(wish)?.trim_end_matches(CUSTOM).to_owned())
}

/// A wished name in Salesforce's form: letters, digits and single underscores, a letter first, the ending of customers'
/// fields.
fn field_name(wish: &Field) -> Result<String, Refusal> {
    let mut name = String::new();
    for c in wish.name.as_str().trim_end_matches(CUSTOM).chars() {
        let plain = if c.is_ascii_alphanumeric() { c } else { '_' };
        if plain != '_' || !name.is_empty() && !name.ends_with('_') {
            name.push(plain);
        }
    }
    let name = name.trim_end_matches('_');
    let name: String = match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => name.to_owned(),
        Some(_) => format!("X{name}"),
        None => {
            let why = format!("`{}` has no letter that a field's name could be made of", wish.name);
            return Err(Refusal::unsupported(why));
        }
    };
    // Forty characters, as an application asks for.
    let name: String = name.chars().take(40).collect();
    Ok(format!("{}{CUSTOM}", name.trim_end_matches('_')))
}

//! New fields of a customer's (sheet: Zoho section 3 \[spec\]).
//!
//! The API's name of a field comes of its label: the module is described afterwards, and the field is the one with the
//! id that was told.

use handover_connect::{Fault, FaultKind, Method, Refusal, Reply, Request, Step};
use handover_model::{Field, Kind};
use serde_json::{Value as Json, json};

use super::capabilities::CALL;
use super::faults;
use super::json::{body, items, text_at};
use super::objects::{API, Family, Object};
use super::place::{Described, Place};
use super::schema;
use crate::marks::Mark;

/// The longest text of one line.
const LONGEST_TEXT: u32 = 255;
/// The longest label.
const LONGEST_LABEL: usize = 50;

/// The request that makes a field, or looks what it is called.
pub(super) fn create(object: &Object<'_>, wish: &Field, place: Option<&Place>) -> Result<Request, Refusal> {
    if matches!(object.family, Family::Note | Family::Attachment) {
        return Err(Refusal::unsupported(format!("Zoho's {} take no fields of one's own", object.name)));
    }
    if !object.writes {
        return Err(Refusal::unsupported(format!("Zoho's {} are read only here", object.name)));
    }
    let definition = definition(wish)?;
    if place.is_some() {
        return Ok(schema::describe(object, None));
    }
    let body = json!({ "fields": [definition] });
    Ok(Request::new(Method::Post, format!("{API}/settings/fields"), &CALL)
        .with_query("module", object.name)
        .with_json(body.to_string().into_bytes()))
}

/// What became of a new field.
pub(super) fn created(object: &Object<'_>, wish: &Field, place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    let Some(place) = place else { return made(reply) };
    faults::check(reply)?;
    let told = body(reply)?;
    let label = label_of(wish);
    let is_meant = |raw: &&Json| match &place {
        Place::Made(id) => text_at(raw, "id") == Some(id.as_str()),
        _ => text_at(raw, "field_label").is_some_and(|have| have.eq_ignore_ascii_case(&label)),
    };
    let name = items(&told, "fields").iter().find(is_meant).and_then(|raw| text_at(raw, "api_name")).map(str::to_owned);
    let described = Described { fields: told, ..Described::default() };
    let field = name.and_then(|name| schema::field_named(object, &name, &described));
    let field = field.ok_or_else(|| {
        let message = format!("the field `{label}` is there, but this user may not see it: grant access to it");
        Fault::new(FaultKind::Denied, "field_not_visible", message)
    })?;
    let other =
        std::mem::discriminant(&field.kind) != std::mem::discriminant(&wish.kind) || field.unique != wish.unique;
    if matches!(place, Place::Existing) && (other || !field.custom) {
        let message = format!("there is a field `{label}` of another type");
        return Err(Fault::new(FaultKind::Conflict, "DUPLICATE_DATA", message).with_field(field.name));
    }
    Ok(Step::Field(field))
}

fn made(reply: &Reply) -> Result<Step, Fault> {
    let told = body(reply)?;
    let Some(row) = items(&told, "fields").first() else {
        faults::check(reply)?;
        return Err(Fault::malformed("the answer says nothing of the field"));
    };
    match faults::of_row(row) {
        None => match row.pointer("/details/id").and_then(Json::as_str) {
            Some(id) => Ok(Place::Made(id.to_owned()).then()),
            None => Err(Fault::malformed("the new field has no id")),
        },
        // The label is taken, perhaps by this very request, whose answer was lost: look.
        Some(fault) if fault.kind == FaultKind::Conflict => Ok(Place::Existing.then()),
        Some(fault) => Err(fault.with_status(reply.status)),
    }
}

/// A field's definition.
fn definition(wish: &Field) -> Result<Json, Refusal> {
    let text =
        |max: Option<u32>| json!({ "data_type": "text", "length": max.unwrap_or(LONGEST_TEXT).clamp(1, LONGEST_TEXT) });
    let area = |kind: &str| json!({ "data_type": "textarea", "textarea": { "type": kind } });
    let mut definition = match &wish.kind {
        Kind::Text { html: true, .. } => area("rich_text"),
        Kind::Text { html: false, max } if wish.unique || max.is_some_and(|max| max <= LONGEST_TEXT) => text(*max),
        Kind::Text { html: false, .. } => area("large"),
        // Times of day have no type of their own.
        Kind::Opaque | Kind::Time | Kind::Currency | Kind::Email { many: true } | Kind::Phone { many: true } => {
            text(None)
        }
        Kind::Bool => json!({ "data_type": "boolean" }),
        Kind::Number => json!({ "data_type": "double", "length": 16, "decimal_place": 4 }),
        Kind::Date => json!({ "data_type": "date" }),
        Kind::DateTime => json!({ "data_type": "datetime" }),
        Kind::Email { many: false } => json!({ "data_type": "email" }),
        Kind::Phone { many: false } => json!({ "data_type": "phone" }),
        Kind::Choice { options, many } => {
            let values: Vec<Json> = options
                .iter()
                .map(|option| json!({ "display_value": option.label, "actual_value": option.value }))
                .collect();
            json!({ "data_type": if *many { "multiselectpicklist" } else { "picklist" }, "pick_list_values": values })
        }
        Kind::User => json!({ "data_type": "userlookup" }),
        Kind::Reference { object, many: false } => {
            json!({ "data_type": "lookup", "lookup": { "module": { "api_name": object },
                "display_label": label_of(wish) } })
        }
        Kind::Reference { many: true, .. } => {
            return Err(Refusal::unsupported(
                "in Zoho a field that points to several records needs a module of its own between them",
            ));
        }
    };
    let label = label_of(wish);
    if !label.chars().any(|c| c.is_ascii_alphanumeric()) {
        return Err(Refusal::unsupported(format!("`{label}` has no letter that a field's name could be made of")));
    }
    definition["field_label"] = json!(label);
    if wish.unique {
        // Keys of other systems may differ in case alone.
        definition["unique"] = json!({ "case_sensitive": true });
    }
    Ok(definition)
}

fn label_of(wish: &Field) -> String {
    let label: String = wish.label.trim().chars().take(LONGEST_LABEL).collect();
    label.trim_end().to_owned()
}

//! What a body wants to write: its keys against the schema, its values against the fields, parents named by
//! their external ids looked up.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::refusal::Fault;
use super::schema::{Field, Kind, Object};
use super::values;
use super::world::World;

/// What a write is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Create,
    Update,
}

/// The values of a body by field; null clears.
pub(super) type Draft = BTreeMap<String, Json>;

/// Reads the body of a record. Unknown fields and values of a wrong type are faults of the whole request.
pub(super) fn read(world: &World, object: &Object, body: &Map<String, Json>, purpose: Purpose) -> Result<Draft, Fault> {
    let mut draft = Draft::new();
    let mut closed: Vec<&str> = Vec::new();
    for (key, value) in body {
        if key == "attributes" {
            continue;
        }
        if let Some(field) = object.field(key) {
            if field.name == "Id" {
                return Err(id_in_body(purpose));
            }
            let open = if purpose == Purpose::Create { field.createable } else { field.updateable };
            if !open {
                closed.push(&field.name);
                continue;
            }
            draft.insert(field.name.clone(), values::judge(world, object, field, value)?);
        } else if let Some(field) = object.lookup(key) {
            let open = if purpose == Purpose::Create { field.createable } else { field.updateable };
            if !open {
                closed.push(&field.name);
                continue;
            }
            draft.insert(field.name.clone(), parent(world, object, field, key, value)?);
        } else {
            return Err(Fault::no_column(key, &object.name));
        }
    }
    if !closed.is_empty() {
        let message = format!(
            "Unable to create/update fields: {}. Please check the security settings of this field and verify that it \
             is read/write for your profile or permission set.",
            closed.join(", ")
        );
        return Err(Fault::row("INVALID_FIELD_FOR_INSERT_UPDATE", message, &closed));
    }
    Ok(draft)
}

fn id_in_body(purpose: Purpose) -> Fault {
    match purpose {
        Purpose::Create => {
            Fault::row("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", &["Id"])
        }
        Purpose::Update => Fault::new("INVALID_FIELD", "The Id field should not be specified in the sobject data."),
    }
}

/// `{"Account": {"Src_Id__c": "A-1"}}` (sheet: section 5.4 \[doc\]).
fn parent(world: &World, object: &Object, field: &Field, key: &str, value: &Json) -> Result<Json, Fault> {
    let Some(map) = value.as_object() else {
        return if value.is_null() { Ok(Json::Null) } else { Err(Fault::no_column(key, &object.name)) };
    };
    let named = map.get("attributes").and_then(|attributes| attributes.get("type")).and_then(Json::as_str);
    let target = match (named, field.targets.as_slice()) {
        (Some(named), targets) => targets.iter().find(|target| target.object.eq_ignore_ascii_case(named)),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let target = target.and_then(|target| world.schema.object(&target.object)).ok_or_else(|| {
        Fault::new("INVALID_FIELD", format!("The type of the related record must be given for {key}"))
    })?;
    let mut keys = map.iter().filter(|(name, _)| *name != "attributes");
    let (Some((name, value)), None) = (keys.next(), keys.next()) else {
        return Err(Fault::new("INVALID_FIELD", format!("Exactly one external ID field must be given for {key}")));
    };
    by_key(world, target, name, value).map(Json::String)
}

/// The record that an external id names.
pub(super) fn by_key(world: &World, target: &Object, name: &str, value: &Json) -> Result<String, Fault> {
    let field = target.field(name).filter(|field| field.external_id || field.id_lookup);
    let field = field.ok_or_else(|| {
        let message = format!("{name} is not an External ID or indexed field for {}", target.name);
        Fault::new("INVALID_FIELD", message)
    })?;
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let found = keyed(world, target, field, value);
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let message = format!(
                "Foreign key external ID: {} not found for field {} in entity {}",
                shown.to_lowercase(),
                field.name,
                target.name
            );
            Err(Fault::new("INVALID_FIELD", message))
        }
        _ => {
            let message = format!("More than one record found for external id field: {found:?}");
            Err(Fault::new("INVALID_FIELD", message))
        }
    }
}

/// The living records that a key means.
pub(super) fn keyed(world: &World, object: &Object, field: &Field, value: &Json) -> Vec<String> {
    if field.kind == Kind::Id {
        let id = value.as_str().and_then(super::id::parse);
        return id.into_iter().filter(|id| world.live(&object.name, id).is_some()).collect();
    }
    let value = match value {
        Json::String(text) => values::from_text(field, text),
        other => other.clone(),
    };
    world.live_by_value(&object.name, field, &value)
}

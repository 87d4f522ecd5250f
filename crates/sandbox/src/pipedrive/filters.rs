//! Saved filters: a lookup by a field over the primary lists (sheet: Pipedrive section 5 \[spec\]).
//!
//! Conditions are `{"glue": "and|or", "conditions": [..]}` or `{"object", "field_id", "operator": "=",
//! "value"}`. Only equality is in the sandbox; other operators are refused.

use serde_json::{Value as Json, json};

use super::call::{Call, item_change};
use super::defaults::object;
use super::kind::Kind;
use super::record::Record;
use super::refusal::{Answer, Refusal, one};
use super::render;
use super::time;
use super::world::{Item, World};
use crate::journal::{Action, Change};

/// Conditions that one filter may have.
const MOST: usize = 16;

/// The filter of this id for this kind.
pub(super) fn find(world: &World, kind: Kind, id: u64) -> Result<&Item, Refusal> {
    let filter = world.filters.get(&id).filter(|filter| type_of(filter) == Some(kind));
    filter.ok_or_else(|| Refusal::key("filter_id", format!("Filter {id} does not exist")))
}

fn type_of(filter: &Item) -> Option<Kind> {
    match filter.get("type")?.as_str()? {
        "deals" => Some(Kind::Deal),
        "people" => Some(Kind::Person),
        "org" => Some(Kind::Organization),
        "products" => Some(Kind::Product),
        "activity" => Some(Kind::Activity),
        "leads" => Some(Kind::Lead),
        _ => None,
    }
}

/// Whether a record fits a filter.
pub(super) fn fits(world: &World, kind: Kind, record: &Record, filter: &Item) -> bool {
    filter.get("conditions").is_none_or(|conditions| holds(world, kind, record, conditions))
}

fn holds(world: &World, kind: Kind, record: &Record, condition: &Json) -> bool {
    if let Some(list) = condition.get("conditions").and_then(Json::as_array) {
        let mut list = list.iter().filter(|one| !one.is_null()).peekable();
        let any = condition.get("glue") == Some(&json!("or"));
        return if any {
            list.peek().is_none() || list.any(|one| holds(world, kind, record, one))
        } else {
            list.all(|one| holds(world, kind, record, one))
        };
    }
    let wanted = condition.get("value").cloned().unwrap_or_default();
    let Some(field) = condition.get("field_id").and_then(|id| field_of(world, kind, id)) else { return false };
    let value = match world.fields(kind).get_custom(&field) {
        Some(_) => record.custom(&field).clone(),
        None => kind.key(&field).map_or(Json::Null, |key| render::value_of(world, record, key)),
    };
    let value = value.get("value").cloned().unwrap_or(value);
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_lowercase);
    !value.is_null() && text(&value) == text(&wanted)
}

/// A field's code by its v1 id or its code.
fn field_of(world: &World, kind: Kind, id: &Json) -> Option<String> {
    let wanted = id.as_u64().or_else(|| id.as_str()?.parse().ok());
    let by_id = world.fields(kind).custom().find(|field| Some(field.id) == wanted).map(|field| field.code.to_string());
    by_id.or_else(|| world.fields(kind).get(id.as_str()?).map(|field| field.code.to_string()))
}

fn check(conditions: &Json, left: &mut usize) -> Result<(), Refusal> {
    for one in conditions.get("conditions").and_then(Json::as_array).into_iter().flatten().filter(|one| !one.is_null())
    {
        if one.get("conditions").is_some() {
            check(one, left)?;
            continue;
        }
        *left = left.checked_sub(1).ok_or_else(|| Refusal::bad("Filter has too many conditions"))?;
        if one.get("operator") != Some(&json!("=")) {
            return Err(Refusal::bad("Filter operator is not supported"));
        }
    }
    Ok(())
}

/// `GET /v1/filters`.
pub(super) fn list(world: &mut World, _call: &mut Call<'_>) -> Answer {
    Ok(one(200, world.filters.values().cloned().collect()))
}

/// `GET /v1/filters/{id}`.
pub(super) fn get(world: &mut World, call: &mut Call<'_>) -> Answer {
    let filter = world.filters.get(&call.id(0)?).ok_or_else(Refusal::not_found)?;
    Ok(one(200, Json::Object(filter.clone())))
}

/// `POST /v1/filters`.
pub(super) fn create(world: &mut World, call: &mut Call<'_>) -> Answer {
    let body = call.v1_body()?;
    let filter = object(json!({
        "name": body.get("name"), "type": body.get("type"), "conditions": body.get("conditions"),
        "active_flag": true, "user_id": call.actor.user, "visible_to": "1",
        "add_time": time::v1(call.at), "update_time": null,
    }));
    if type_of(&filter).is_none() || filter.get("name").is_none_or(Json::is_null) {
        return Err(Refusal::bad("Bad request: name and type are required"));
    }
    check(filter.get("conditions").unwrap_or(&Json::Null), &mut MOST.clone())?;
    let id = world.next_id("filter");
    let mut filter = filter;
    filter.insert("id".to_owned(), json!(id));
    call.changed(item_change("filter", id, None, &filter));
    world.filters.insert(id, filter);
    Ok(one(200, json!({"id": id})))
}

/// `DELETE /v1/filters/{id}`.
pub(super) fn delete(world: &mut World, call: &mut Call<'_>) -> Answer {
    let id = call.id(0)?;
    world.filters.remove(&id).ok_or_else(Refusal::not_found)?;
    call.changed(Change::new("filter", id, Action::Deleted));
    Ok(one(200, json!({"id": id})))
}

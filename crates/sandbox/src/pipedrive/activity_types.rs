//! Activity types, v1. Activities name them by `key_string` (sheet: Pipedrive section 9 trap 16).

use serde_json::{Value as Json, json};

use super::call::{Call, item_change};
use super::defaults::object;
use super::refusal::{Answer, Refusal, one};
use super::time;
use super::world::World;
use crate::journal::{Action, Change};

fn refuse_others(call: &Call<'_>) -> Result<(), Refusal> {
    if call.actor.admin { Ok(()) } else { Err(Refusal::forbidden("User has no permission to manage activity types")) }
}

/// `GET /v1/activityTypes`.
pub(super) fn list(world: &mut World, _call: &mut Call<'_>) -> Answer {
    Ok(one(200, world.activity_types.values().cloned().collect()))
}

/// `POST /v1/activityTypes`.
pub(super) fn create(world: &mut World, call: &mut Call<'_>) -> Answer {
    refuse_others(call)?;
    let body = call.v1_body()?;
    let text = |key: &str| body.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    let (Some(name), Some(icon)) = (text("name"), text("icon_key")) else {
        return Err(Refusal::bad("Bad request: name and icon_key are required"));
    };
    let key: String = name.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let taken = |item: &super::world::Item| {
        item.get("key_string") == Some(&json!(key)) || item.get("name") == Some(&json!(name))
    };
    if world.activity_types.values().any(taken) {
        return Err(Refusal::bad("Activity type with this name already exists"));
    }
    let id = world.next_id("activity_type");
    let item = object(json!({
        "id": id, "order_nr": id, "name": name, "key_string": key, "icon_key": icon, "active_flag": true,
        "color": body.get("color"), "is_custom_flag": true, "add_time": time::v1(call.at), "update_time": null,
    }));
    call.changed(item_change("activity_type", id, None, &item));
    world.activity_types.insert(id, item.clone());
    Ok(one(201, Json::Object(item)))
}

/// `PUT /v1/activityTypes/{id}`: the key stays.
pub(super) fn update(world: &mut World, call: &mut Call<'_>) -> Answer {
    refuse_others(call)?;
    let id = call.id(0)?;
    let body = call.v1_body()?;
    let before = world.activity_types.get(&id).ok_or_else(Refusal::not_found)?.clone();
    let mut item = before.clone();
    item.extend(body.into_iter().filter(|(key, _)| matches!(key.as_str(), "name" | "icon_key" | "color" | "order_nr")));
    item.insert("update_time".to_owned(), json!(time::v1(call.at)));
    call.changed(item_change("activity_type", id, Some(&before), &item));
    world.activity_types.insert(id, item.clone());
    Ok(one(200, Json::Object(item)))
}

/// `DELETE /v1/activityTypes/{id}`: inactive from now on.
pub(super) fn delete(world: &mut World, call: &mut Call<'_>) -> Answer {
    refuse_others(call)?;
    let id = call.id(0)?;
    let item = world.activity_types.get_mut(&id).ok_or_else(Refusal::not_found)?;
    item.insert("active_flag".to_owned(), json!(false));
    let item = Json::Object(item.clone());
    call.changed(Change::new("activity_type", id, Action::Deleted));
    Ok(one(200, item))
}

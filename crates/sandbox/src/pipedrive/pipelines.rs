//! Pipelines and stages in v2. Their order is not writable: create them in order (sheet: Pipedrive
//! section 2.1).

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::call::{Call, item_change};
use super::custom::{self, expected};
use super::defaults::object;
use super::page::{plain_cursor, read_plain_cursor, v2_limit};
use super::refusal::{Answer, Refusal, one, page};
use super::time;
use super::webhooks;
use super::world::{Item, World};
use crate::journal::{Action, Change};

fn is_stage(call: &Call<'_>) -> bool {
    call.request.path.contains("/v2/stages")
}

fn items(world: &World, stage: bool) -> &BTreeMap<u64, Item> {
    if stage { &world.stages } else { &world.pipelines }
}

fn items_mut(world: &mut World, stage: bool) -> &mut BTreeMap<u64, Item> {
    if stage { &mut world.stages } else { &mut world.pipelines }
}

fn name_of(stage: bool) -> &'static str {
    if stage { "stage" } else { "pipeline" }
}

fn alive(item: &Item) -> bool {
    item.get("is_deleted") != Some(&json!(true))
}

/// `GET /api/v2/pipelines`, `GET /api/v2/stages`.
pub(super) fn list(world: &mut World, call: &mut Call<'_>) -> Answer {
    let stage = is_stage(call);
    let known: &[&str] = if stage {
        &["pipeline_id", "sort_by", "sort_direction", "limit", "cursor"]
    } else {
        &["sort_by", "sort_direction", "limit", "cursor"]
    };
    call.only_params(known)?;
    let pipeline = call.int_param("pipeline_id")?;
    let (limit, at) = (v2_limit(call)?, read_plain_cursor(call)?);
    let mut rows: Vec<&Item> = items(world, stage)
        .values()
        .filter(|item| alive(item))
        .filter(|item| pipeline.is_none_or(|id| item.get("pipeline_id") == Some(&json!(id))))
        .collect();
    let number = |item: &Item, key: &str| item.get(key).and_then(Json::as_u64).unwrap_or_default();
    match call.param("sort_by") {
        None | Some("id") => {}
        Some("order_nr") if stage => {
            rows.sort_by_key(|item| (number(item, "pipeline_id"), number(item, "order_nr")));
        }
        Some(key @ ("update_time" | "add_time")) => {
            rows.sort_by_key(|item| item.get(key).and_then(Json::as_str).unwrap_or_default().to_owned());
        }
        Some(other) => return Err(Refusal::key("sort_by", format!("Invalid enum value, received '{other}'"))),
    }
    if call.param("sort_direction") == Some("desc") {
        rows.reverse();
    }
    let data: Vec<Json> = rows.iter().skip(at).take(limit).map(|item| Json::Object((*item).clone())).collect();
    let next = (rows.len() > at + limit).then(|| plain_cursor(at + limit));
    Ok(page(data, next))
}

/// `GET /api/v2/pipelines/{id}`, `GET /api/v2/stages/{id}`.
pub(super) fn get(world: &mut World, call: &mut Call<'_>) -> Answer {
    let item = items(world, is_stage(call)).get(&call.id(0)?).ok_or_else(Refusal::not_found)?;
    Ok(one(200, Json::Object(item.clone())))
}

fn draft(world: &World, stage: bool, body: &Map<String, Json>, creating: bool) -> Result<(), Refusal> {
    let mut complaints = Vec::new();
    for (name, value) in body {
        let checked = match name.as_str() {
            "name" => custom::text(value, 255).map(|_| ()),
            "is_deal_probability_enabled" if !stage => boolean(value),
            "is_deal_rot_enabled" if stage => boolean(value),
            "deal_probability" if stage => match value.as_u64() {
                Some(0..=100) => Ok(()),
                Some(_) => Err("Number must be between 0 and 100".to_owned()),
                None => Err(expected("number", value)),
            },
            "days_to_rotten" if stage && (value.is_null() || value.is_u64()) => Ok(()),
            "days_to_rotten" if stage => Err(expected("number", value)),
            "pipeline_id" if stage => match value.as_u64() {
                Some(id) if world.pipelines.get(&id).is_some_and(alive) => Ok(()),
                Some(id) => Err(format!("Pipeline {id} does not exist")),
                None => Err(expected("number", value)),
            },
            _ => Err(format!("Parameter '{name}' is not allowed for this request")),
        };
        complaints.extend(checked.err().map(|why| (name.clone(), why)));
    }
    let needed: &[&str] = if stage { &["name", "pipeline_id"] } else { &["name"] };
    for name in needed.iter().filter(|name| creating && !body.contains_key(**name)) {
        complaints.push(((*name).to_owned(), "Required".to_owned()));
    }
    if complaints.is_empty() { Ok(()) } else { Err(Refusal::schema(&complaints)) }
}

fn boolean(value: &Json) -> Result<(), String> {
    value.is_boolean().then_some(()).ok_or_else(|| expected("boolean", value))
}

fn refuse_others(call: &Call<'_>) -> Result<(), Refusal> {
    if call.actor.admin { Ok(()) } else { Err(Refusal::forbidden("User has no permission to do this")) }
}

/// `POST /api/v2/pipelines`, `POST /api/v2/stages`.
pub(super) fn create(world: &mut World, call: &mut Call<'_>) -> Answer {
    refuse_others(call)?;
    let stage = is_stage(call);
    let body = call.body()?;
    draft(world, stage, &body, true)?;
    let pipeline = body.get("pipeline_id").cloned();
    let order = items(world, stage).values().filter(|item| item.get("pipeline_id") == pipeline.as_ref()).count() + 1;
    let id = world.next_id(name_of(stage));
    let unset = if stage {
        json!({"id": id, "order_nr": order, "is_deleted": false, "deal_probability": 100, "is_deal_rot_enabled": false, "days_to_rotten": null})
    } else {
        json!({"id": id, "order_nr": order, "is_deleted": false, "is_deal_probability_enabled": false})
    };
    let mut item = object(unset);
    item.extend(body);
    item.insert("add_time".to_owned(), json!(time::v2(call.at)));
    item.insert("update_time".to_owned(), Json::Null);
    call.changed(item_change(name_of(stage), id, None, &item));
    webhooks::announce_item(world, call, name_of(stage), "create", id, None, Some(&item));
    items_mut(world, stage).insert(id, item.clone());
    Ok(one(if world.settings.create_with_200 { 200 } else { 201 }, Json::Object(item)))
}

/// `PATCH /api/v2/pipelines/{id}`, `PATCH /api/v2/stages/{id}`.
pub(super) fn update(world: &mut World, call: &mut Call<'_>) -> Answer {
    refuse_others(call)?;
    let stage = is_stage(call);
    let id = call.id(0)?;
    let before = items(world, stage).get(&id).filter(|item| alive(item)).ok_or_else(Refusal::not_found)?.clone();
    let body = call.body()?;
    draft(world, stage, &body, false)?;
    let mut item = before.clone();
    item.extend(body);
    item.insert("update_time".to_owned(), json!(time::v2(call.at)));
    call.changed(item_change(name_of(stage), id, Some(&before), &item));
    webhooks::announce_item(world, call, name_of(stage), "change", id, Some(&before), Some(&item));
    items_mut(world, stage).insert(id, item.clone());
    Ok(one(200, Json::Object(item)))
}

/// `DELETE /api/v2/pipelines/{id}`, `DELETE /api/v2/stages/{id}`: marks as deleted.
pub(super) fn delete(world: &mut World, call: &mut Call<'_>) -> Answer {
    refuse_others(call)?;
    let stage = is_stage(call);
    let id = call.id(0)?;
    let item = items_mut(world, stage).get_mut(&id).filter(|item| alive(item)).ok_or_else(Refusal::not_found)?;
    let before = item.clone();
    item.insert("is_deleted".to_owned(), json!(true));
    item.insert("update_time".to_owned(), json!(time::v2(call.at)));
    call.changed(Change::new(name_of(stage), id, Action::Deleted));
    webhooks::announce_item(world, call, name_of(stage), "delete", id, Some(&before), None);
    Ok(one(200, json!({"id": id})))
}

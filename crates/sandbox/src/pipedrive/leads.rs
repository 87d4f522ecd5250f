//! Leads and their labels, v1: UUIDs, flat custom fields of deals, a person or an organization
//! (sheet: Pipedrive sections 2.1 and 9 trap 14).

use serde_json::{Map, Value as Json, json};

use super::call::{Call, Commit, commit, item_change, sees};
use super::custom;
use super::defaults::object;
use super::kind::{Access, Kind};
use super::objects::{deleted_v1, remove};
use super::page::offsets;
use super::record::{Order, Record, Walk};
use super::refusal::{Answer, Refusal, offset_page, one};
use super::time;
use super::validate;
use super::world::World;
use crate::journal::{Action, Change};

/// The v1 shape; unset custom fields are omitted.
pub(super) fn shape(world: &World, lead: &Record) -> Map<String, Json> {
    let millis = |at: i64| json!(time::v2(at).replace('Z', ".000Z"));
    let mut map = Map::new();
    map.insert("id".to_owned(), lead.get("uuid").clone());
    for key in Kind::Lead.keys().iter().filter(|key| key.name != "uuid") {
        let value = lead.get(key.name).clone();
        map.insert(key.name.to_owned(), if value.is_null() { key.unset.value() } else { value });
    }
    let level = lead.id_of("visible_to").unwrap_or(world.default_visible_to());
    map.insert("visible_to".to_owned(), json!(level.to_string()));
    map.insert("add_time".to_owned(), millis(lead.added));
    map.insert("update_time".to_owned(), lead.updated.map_or(Json::Null, millis));
    for field in world.fields(Kind::Lead).custom() {
        let value = lead.custom(&field.code);
        if !value.is_null() {
            custom::flat(field, value, &mut map);
        }
    }
    map
}

/// `GET /v1/leads`.
pub(super) fn list(world: &mut World, call: &mut Call<'_>) -> Answer {
    list_of(world, call, false)
}

/// `GET /v1/leads/archived`.
pub(super) fn list_archived(world: &mut World, call: &mut Call<'_>) -> Answer {
    if call.param("updated_since").is_some() {
        return Err(Refusal::bad("updated_since is not allowed"));
    }
    list_of(world, call, true)
}

fn list_of(world: &World, call: &Call<'_>, archived: bool) -> Answer {
    let (start, limit) = offsets(call)?;
    let since = match call.param("updated_since") {
        None => None,
        Some(text) => Some(time::read_v2(text).ok_or_else(|| Refusal::bad("updated_since is not a valid datetime"))?),
    };
    let mut equal = Vec::new();
    for key in ["owner_id", "person_id", "organization_id"] {
        if let Some(id) = call.int_param(key)? {
            equal.push((key, json!(id)));
        }
    }
    let order = if since.is_some() { Order::Updated } else { Order::Id };
    let walk = Walk { order, descending: false, after: None, since, until: None };
    let mut found = world
        .table(Kind::Lead)
        .walk(walk)
        .filter(|lead| lead.deleted.is_none() && lead.flag("is_archived") == archived)
        .filter(|lead| equal.iter().all(|(key, value)| lead.get(key) == value))
        .filter(|lead| sees(world, &call.actor, Kind::Lead, lead))
        .skip(start);
    let data: Vec<Json> = found.by_ref().take(limit).map(|lead| Json::Object(shape(world, lead))).collect();
    let more = found.next().is_some();
    Ok(offset_page(data, start, limit, more))
}

fn find<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Record, Refusal> {
    let row = world.leads_by_uuid.get(call.part(0)).and_then(|row| world.table(Kind::Lead).live(*row));
    let lead = row.ok_or_else(Refusal::not_found)?;
    if sees(world, &call.actor, Kind::Lead, lead) { Ok(lead) } else { Err(Refusal::not_found()) }
}

/// `GET /v1/leads/{id}`.
pub(super) fn get(world: &mut World, call: &mut Call<'_>) -> Answer {
    Ok(one(200, Json::Object(shape(world, find(world, call)?))))
}

fn apply(world: &World, body: &Map<String, Json>, lead: &mut Record, creating: bool) -> Result<(), Refusal> {
    let wrong = |key: &str, why: String| Refusal::bad(&format!("{key}: {why}"));
    for (name, value) in body {
        let key =
            Kind::Lead.key(name).filter(|key| key.access != Access::Read && (creating || key.access != Access::Create));
        let Some(key) = key else {
            let known = world.fields(Kind::Lead).custom().any(|field| name.starts_with(&*field.code));
            if known {
                continue;
            }
            return Err(Refusal::bad(&format!("Parameter '{name}' is not allowed for this request")));
        };
        let value = match key.name {
            "value" => amount(world, value).map_err(|why| wrong(name, why))?,
            "label_ids" => known_labels(world, value).map_err(|why| wrong(name, why))?,
            // Leads write visible_to as text.
            "visible_to" => {
                let number =
                    value.as_str().and_then(|text| text.parse::<u64>().ok()).map_or(value.clone(), |n| json!(n));
                validate::value_of(world, Kind::Lead, key, &number).map_err(|why| wrong(name, why))?
            }
            _ => validate::value_of(world, Kind::Lead, key, value).map_err(|why| wrong(name, why))?,
        };
        lead.set(key.name, if value == key.unset.value() { Json::Null } else { value });
    }
    for field in world.fields(Kind::Lead).custom() {
        if let Some(value) = custom::unflat(field, body) {
            let value = custom::check(world, field, &value).map_err(|why| wrong(&field.code, why))?;
            lead.set_custom(&field.code, value);
        }
    }
    if lead.get("person_id").is_null() && lead.get("organization_id").is_null() {
        return Err(Refusal::bad("A lead must be linked to a person or an organization"));
    }
    Ok(())
}

/// `{amount, currency}`, both needed (sheet: section 9 trap 11).
fn amount(world: &World, value: &Json) -> Result<Json, String> {
    if value.is_null() {
        return Ok(Json::Null);
    }
    let map = value.as_object().ok_or_else(|| custom::expected("object", value))?;
    let amount = map.get("amount").ok_or("amount is required")?;
    custom::number(amount)?;
    let currency = world.check_currency(map.get("currency").ok_or("currency is required")?)?;
    Ok(json!({"amount": amount, "currency": currency}))
}

fn known_labels(world: &World, value: &Json) -> Result<Json, String> {
    let list = value.as_array().ok_or_else(|| custom::expected("array", value))?;
    let unknown = list.iter().find(|one| !one.as_str().is_some_and(|uuid| world.lead_labels.contains_key(uuid)));
    unknown.map_or_else(|| Ok(value.clone()), |one| Err(format!("label {one} does not exist")))
}

/// `POST /v1/leads`.
pub(super) fn create(world: &mut World, call: &mut Call<'_>) -> Answer {
    let body = call.v1_body()?;
    if body.get("title").and_then(Json::as_str).is_none_or(|title| title.trim().is_empty()) {
        return Err(Refusal::bad("title is required"));
    }
    let id = world.table(Kind::Lead).peek_next();
    let mut lead = Record::new(id, call.at);
    lead.set("owner_id", json!(call.actor.user));
    lead.set("creator_id", json!(call.actor.user));
    lead.set("source_name", json!("API"));
    lead.set("origin", json!("API"));
    lead.set("visible_to", json!(world.default_visible_to()));
    apply(world, &body, &mut lead, true)?;
    let uuid = world.draw_uuid("lead");
    lead.set("uuid", json!(uuid));
    world.leads_by_uuid.insert(uuid, id);
    commit(world, call, Commit { kind: Kind::Lead, before: None, after: lead, action: Action::Created, merged: None });
    let lead = world.table(Kind::Lead).get(id).ok_or_else(Refusal::not_found)?;
    Ok(one(201, Json::Object(shape(world, lead))))
}

/// `PATCH /v1/leads/{id}`.
pub(super) fn update(world: &mut World, call: &mut Call<'_>) -> Answer {
    let before = find(world, call)?.clone();
    let mut lead = before.clone();
    apply(world, &call.v1_body()?, &mut lead, false)?;
    lead.updated = Some(call.at);
    let id = lead.id;
    commit(
        world,
        call,
        Commit { kind: Kind::Lead, before: Some(before), after: lead, action: Action::Updated, merged: None },
    );
    let lead = world.table(Kind::Lead).get(id).ok_or_else(Refusal::not_found)?;
    Ok(one(200, Json::Object(shape(world, lead))))
}

/// `DELETE /v1/leads/{id}`.
pub(super) fn delete(world: &mut World, call: &mut Call<'_>) -> Answer {
    let id = find(world, call)?.id;
    remove(world, call, Kind::Lead, id)?;
    Ok(deleted_v1(&json!(call.part(0))))
}

/// `GET /v1/leadLabels`.
pub(super) fn labels(world: &mut World, _call: &mut Call<'_>) -> Answer {
    Ok(one(200, world.lead_labels.values().cloned().collect()))
}

fn label_parts(body: &Map<String, Json>) -> Result<(), Refusal> {
    const COLORS: [&str; 8] = ["blue", "brown", "dark-gray", "gray", "green", "orange", "purple", "red"];
    let color = body.get("color").and_then(Json::as_str);
    if color.is_some_and(|color| !COLORS.contains(&color) && color != "yellow") {
        return Err(Refusal::bad("color is not allowed"));
    }
    match body.get("name").map(|name| name.as_str().is_some_and(|name| !name.is_empty())) {
        Some(false) => Err(Refusal::bad("name is required")),
        _ => Ok(()),
    }
}

/// `POST /v1/leadLabels`.
pub(super) fn add_label(world: &mut World, call: &mut Call<'_>) -> Answer {
    let body = call.v1_body()?;
    label_parts(&body)?;
    let (Some(name), Some(color)) = (body.get("name"), body.get("color")) else {
        return Err(Refusal::bad("name and color are required"));
    };
    let at = time::millis(call.now);
    let id = world.draw_uuid("lead label");
    let label = object(json!({"id": id, "name": name, "color": color, "add_time": at, "update_time": at}));
    call.changed(item_change("lead_label", &id, None, &label));
    world.lead_labels.insert(id, label.clone());
    Ok(one(201, Json::Object(label)))
}

/// `PATCH /v1/leadLabels/{id}`.
pub(super) fn update_label(world: &mut World, call: &mut Call<'_>) -> Answer {
    let body = call.v1_body()?;
    label_parts(&body)?;
    let before = world.lead_labels.get(call.part(0)).ok_or_else(Refusal::not_found)?.clone();
    let mut label = before.clone();
    label.extend(body.into_iter().filter(|(key, _)| matches!(key.as_str(), "name" | "color")));
    label.insert("update_time".to_owned(), json!(time::millis(call.now)));
    call.changed(item_change("lead_label", call.part(0).to_owned(), Some(&before), &label));
    world.lead_labels.insert(call.part(0).to_owned(), label.clone());
    Ok(one(200, Json::Object(label)))
}

/// `DELETE /v1/leadLabels/{id}`.
pub(super) fn delete_label(world: &mut World, call: &mut Call<'_>) -> Answer {
    let id = call.part(0).to_owned();
    world.lead_labels.remove(&id).ok_or_else(Refusal::not_found)?;
    call.changed(Change::new("lead_label", &id, Action::Deleted));
    Ok(one(200, json!({"id": id})))
}

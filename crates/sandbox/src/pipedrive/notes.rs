//! Notes, still v1: one parent is required, `add_time` is settable, HTML is sanitised (sheet: Pipedrive
//! sections 2.1, 5 and 9 trap 8).

use serde_json::{Map, Value as Json, json};

use super::call::{Call, Commit, commit, sees};
use super::html::sanitise;
use super::kind::{Form, Kind};
use super::objects::{deleted_v1, remove};
use super::page::offsets;
use super::record::{Order, Record, Walk};
use super::refusal::{Answer, Refusal, offset_page, one};
use super::time;
use super::validate;
use super::world::World;
use crate::journal::Action;

const PARENTS: [&str; 6] = ["deal_id", "person_id", "org_id", "lead_id", "project_id", "task_id"];

/// The v1 shape. `reader` is who reads it, 0 for a webhook.
pub(super) fn shape(world: &World, reader: u64, note: &Record) -> Map<String, Json> {
    let mut map = Map::new();
    map.insert("id".to_owned(), json!(note.id));
    map.insert("active_flag".to_owned(), json!(note.deleted.is_none()));
    map.insert("add_time".to_owned(), json!(time::v1(note.added)));
    map.insert("update_time".to_owned(), json!(note.updated.map(time::v1)));
    for key in Kind::Note.keys() {
        let value = note.get(key.name).clone();
        map.insert(key.name.to_owned(), if value.is_null() { key.unset.value() } else { value });
    }
    let named = |kind: Kind, key: &str, name: &str| {
        let parent = note.id_of(key).and_then(|id| world.table(kind).get(id));
        parent.map_or(Json::Null, |parent| json!({name: parent.text(name)}))
    };
    map.insert("deal".to_owned(), named(Kind::Deal, "deal_id", "title"));
    map.insert("person".to_owned(), named(Kind::Person, "person_id", "name"));
    map.insert("organization".to_owned(), named(Kind::Organization, "org_id", "name"));
    let author = note.id_of("user_id").unwrap_or_default();
    let user = world.users.get(&author).map_or(Json::Null, |user| {
        json!({"name": user.get("name"), "email": user.get("email"), "icon_url": null, "is_you": author == reader})
    });
    map.insert("user".to_owned(), user);
    map
}

/// `GET /v1/notes`.
pub(super) fn list(world: &mut World, call: &mut Call<'_>) -> Answer {
    let world = &*world;
    let (start, limit) = offsets(call)?;
    let (order, descending) = sorting(call)?;
    let since = match call.param("updated_since") {
        None => None,
        Some(text) => Some(time::read_v2(text).ok_or_else(|| Refusal::bad("updated_since is not a valid datetime"))?),
    };
    let date = |name: &str| call.param(name).and_then(time::read_any);
    let (from, until) = (date("start_date"), date("end_date").map(|day| day + 86_400));
    let mut equal = Vec::new();
    for key in ["deal_id", "person_id", "org_id", "user_id"] {
        if let Some(id) = call.param(key) {
            let id: u64 = id.parse().map_err(|_| Refusal::bad(&format!("Parameter '{key}' must be a number")))?;
            equal.push((key, json!(id)));
        }
    }
    if let Some(lead) = call.param("lead_id") {
        equal.push(("lead_id", json!(lead)));
    }
    let flags = ["pinned_to_deal_flag", "pinned_to_person_flag", "pinned_to_organization_flag", "pinned_to_lead_flag"];
    for key in flags {
        if let Some(flag) = call.bool_param(key)? {
            equal.push((key, json!(flag)));
        }
    }
    let table = world.table(Kind::Note);
    let walk = Walk { order, descending, after: None, since, until: None };
    let parent = equal.iter().find_map(|(key, value)| Some((table.indexes(key)?, value.as_u64()?)));
    let rows = match parent {
        Some((key, id)) => table.walk_ids(table.children(key, id).collect(), walk),
        None => table.walk(walk),
    };
    let is = |note: &Record, key: &str, value: &Json| match value {
        Json::Bool(flag) => note.flag(key) == *flag,
        value => note.get(key) == value,
    };
    let mut found = rows
        .filter(|note| note.deleted.is_none() && equal.iter().all(|(key, value)| is(note, key, value)))
        .filter(|note| from.is_none_or(|from| note.added >= from) && until.is_none_or(|until| note.added < until))
        .filter(|note| sees(world, &call.actor, Kind::Note, note))
        .skip(start);
    let data: Vec<Json> =
        found.by_ref().take(limit).map(|note| Json::Object(shape(world, call.actor.user, note))).collect();
    let more = found.next().is_some();
    Ok(offset_page(data, start, limit, more))
}

/// `sort=add_time DESC`: the first of the listed keys decides here.
fn sorting(call: &Call<'_>) -> Result<(Order, bool), Refusal> {
    let Some(text) = call.param("sort") else { return Ok((Order::Id, false)) };
    let first = text.split(',').next().unwrap_or_default().trim();
    let (name, direction) = first.split_once(' ').unwrap_or((first, "ASC"));
    let order = match name {
        "id" => Order::Id,
        "update_time" => Order::Updated,
        "add_time" => Order::Added,
        _ => return Err(Refusal::bad("Parameter 'sort' is not supported")),
    };
    Ok((order, direction.eq_ignore_ascii_case("desc")))
}

fn find<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Record, Refusal> {
    let note = world.table(Kind::Note).live(call.id(0)?).ok_or_else(Refusal::not_found)?;
    if sees(world, &call.actor, Kind::Note, note) { Ok(note) } else { Err(Refusal::not_found()) }
}

/// `GET /v1/notes/{id}`.
pub(super) fn get(world: &mut World, call: &mut Call<'_>) -> Answer {
    let note = find(world, call)?;
    Ok(one(200, Json::Object(shape(world, call.actor.user, note))))
}

/// v1 takes the text of a number and 0 or 1 for flags; unknown keys are ignored.
fn apply(world: &World, call: &Call<'_>, body: &Map<String, Json>, note: &mut Record) -> Result<(), Refusal> {
    for key in Kind::Note.keys() {
        let Some(value) = body.get(key.name) else { continue };
        let value = match (key.form, value) {
            (Form::Bool, Json::Number(_) | Json::String(_)) => match value.to_string().trim_matches('"') {
                "0" => json!(false),
                "1" => json!(true),
                _ => return Err(Refusal::bad(&format!("{} must be 0 or 1", key.name))),
            },
            (Form::Html | Form::Lead, value) => value.clone(),
            (_, Json::String(text)) => text.parse::<u64>().map_or_else(|_| json!(text), |id| json!(id)),
            (_, value) => value.clone(),
        };
        match key.name {
            "last_update_user_id" => continue,
            "content" => {
                note.set("content", content(world, &value)?);
                continue;
            }
            "user_id" if value.as_u64() != Some(call.actor.user) && !call.actor.admin => {
                return Err(Refusal::forbidden("Only an admin can set the author of a note"));
            }
            _ => {}
        }
        let value = validate::value_of(world, Kind::Note, key, &value)
            .map_err(|why| Refusal::bad(&format!("{}: {why}", key.name)))?;
        note.set(key.name, if value == key.unset.value() { Json::Null } else { value });
    }
    if let Some(at) = body.get("add_time").filter(|at| !at.is_null()) {
        let at = at.as_str().and_then(time::read_v1);
        note.added = at.ok_or_else(|| Refusal::bad("add_time must be in format YYYY-MM-DD HH:MM:SS"))?;
    }
    if PARENTS.iter().all(|parent| note.get(parent).is_null()) {
        return Err(Refusal::bad(
            "One of the following fields is required: deal_id, person_id, org_id, lead_id, project_id, task_id",
        ));
    }
    let pins = [
        ("pinned_to_deal_flag", "deal_id"),
        ("pinned_to_person_flag", "person_id"),
        ("pinned_to_organization_flag", "org_id"),
        ("pinned_to_lead_flag", "lead_id"),
        ("pinned_to_project_flag", "project_id"),
    ];
    match pins.iter().find(|(flag, parent)| note.flag(flag) && note.get(parent).is_null()) {
        Some((flag, parent)) => Err(Refusal::bad(&format!("{flag} needs {parent}"))),
        None => Ok(()),
    }
}

fn content(world: &World, value: &Json) -> Result<Json, Refusal> {
    let text = value.as_str().filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| Refusal::bad("Note content must not be empty"))?;
    if text.len() > world.settings.note_max_bytes {
        let error = format!("Note content is too long, at most {} bytes are allowed", world.settings.note_max_bytes);
        return Err(Refusal::bad(&error));
    }
    Ok(json!(sanitise(text, world.settings.keep_html_comments)))
}

/// `POST /v1/notes`.
pub(super) fn create(world: &mut World, call: &mut Call<'_>) -> Answer {
    let body = call.v1_body()?;
    if body.get("content").is_none_or(Json::is_null) {
        return Err(Refusal::bad("Note content must not be empty"));
    }
    let id = world.table(Kind::Note).peek_next();
    let mut note = Record::new(id, call.at);
    note.set("user_id", json!(call.actor.user));
    apply(world, call, &body, &mut note)?;
    note.set("last_update_user_id", Json::Null);
    commit(world, call, Commit { kind: Kind::Note, before: None, after: note, action: Action::Created, merged: None });
    let note = world.table(Kind::Note).get(id).ok_or_else(Refusal::not_found)?;
    Ok(one(if world.settings.create_with_200 { 200 } else { 201 }, Json::Object(shape(world, call.actor.user, note))))
}

/// `PUT /v1/notes/{id}`.
pub(super) fn update(world: &mut World, call: &mut Call<'_>) -> Answer {
    let before = find(world, call)?.clone();
    let body = call.v1_body()?;
    let mut note = before.clone();
    apply(world, call, &body, &mut note)?;
    note.set("last_update_user_id", json!(call.actor.user));
    note.updated = Some(call.at);
    let id = note.id;
    commit(
        world,
        call,
        Commit { kind: Kind::Note, before: Some(before), after: note, action: Action::Updated, merged: None },
    );
    let note = world.table(Kind::Note).get(id).ok_or_else(Refusal::not_found)?;
    Ok(one(200, Json::Object(shape(world, call.actor.user, note))))
}

/// `DELETE /v1/notes/{id}`.
pub(super) fn delete(world: &mut World, call: &mut Call<'_>) -> Answer {
    let id = call.id(0)?;
    remove(world, call, Kind::Note, id)?;
    Ok(deleted_v1(&json!(id)))
}

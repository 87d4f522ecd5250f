//! `*Fields` in v2 and v1: discovery, creation, options, deletion (sheet: Pipedrive section 3).

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::custom::{self, expected};
use super::kind::Kind;
use super::page::{offsets, plain_cursor, read_plain_cursor, v2_limit};
use super::refusal::{Answer, Refusal, offset_page, one, page};
use super::schema::{CREATABLE, Choice, Field};
use super::world::World;
use crate::journal::{Action, Change};

/// The kind whose fields the path names.
fn kind_of(call: &Call<'_>) -> Result<Kind, Refusal> {
    let mut parts = call.request.path.split('/').skip_while(|part| !matches!(*part, "v1" | "v2"));
    let name = parts.nth(1).and_then(|part| part.strip_suffix("Fields"));
    name.and_then(Kind::of_name).ok_or_else(Refusal::not_found)
}

fn includes<'a>(call: &Call<'a>) -> Result<Vec<&'a str>, Refusal> {
    let list: Vec<&str> =
        call.param("include_fields").unwrap_or_default().split(',').filter(|s| !s.is_empty()).collect();
    let known = ["ui_visibility", "important_fields", "required_fields"];
    match list.iter().find(|name| !known.contains(name)) {
        Some(unknown) => Err(Refusal::key("include_fields", format!("Invalid enum value, received '{unknown}'"))),
        None => Ok(list),
    }
}

/// The fields that the account has: those of contact sync and of Campaigns stand in the list only with
/// them (vendor's specification of `POST /persons`: "don't exist by default").
fn shown(world: &World, kind: Kind) -> Vec<&Field> {
    let offered = |code: &str| kind.key(code).is_none_or(|key| world.settings.offers(key.access));
    world.fields(kind).live().filter(|field| field.custom || offered(&field.code)).collect()
}

/// `GET /api/v2/{kind}Fields`.
pub(super) fn list(world: &mut World, call: &mut Call<'_>) -> Answer {
    let kind = kind_of(call)?;
    call.only_params(&["limit", "cursor", "include_fields"])?;
    let (limit, at, include) = (v2_limit(call)?, read_plain_cursor(call)?, includes(call)?);
    let fields = shown(world, kind);
    let data = fields.iter().skip(at).take(limit).map(|field| field.v2(&include)).collect();
    Ok(page(data, (fields.len() > at + limit).then(|| plain_cursor(at + limit))))
}

/// `GET /v1/{kind}Fields`.
pub(super) fn list_v1(world: &mut World, call: &mut Call<'_>) -> Answer {
    let kind = kind_of(call)?;
    let (start, limit) = offsets(call)?;
    let fields = shown(world, kind);
    let data = fields.iter().skip(start).take(limit).map(|field| field.v1()).collect();
    Ok(offset_page(data, start, limit, fields.len() > start + limit))
}

/// `GET /api/v2/{kind}Fields/{code}`.
pub(super) fn get(world: &mut World, call: &mut Call<'_>) -> Answer {
    let kind = kind_of(call)?;
    call.only_params(&["include_fields"])?;
    let field = shown(world, kind).into_iter().find(|field| &*field.code == call.part(0));
    Ok(one(200, field.ok_or_else(Refusal::not_found)?.v2(&includes(call)?)))
}

fn refuse_others(call: &Call<'_>) -> Result<(), Refusal> {
    if call.actor.admin { Ok(()) } else { Err(Refusal::forbidden("User has no permission to manage fields")) }
}

fn extra_of(body: &Map<String, Json>) -> Map<String, Json> {
    let parts = ["ui_visibility", "important_fields", "required_fields"];
    parts.into_iter().filter_map(|key| Some((key.to_owned(), body.get(key)?.clone()))).collect()
}

/// `POST /api/v2/{kind}Fields`.
pub(super) fn create(world: &mut World, call: &mut Call<'_>) -> Answer {
    refuse_others(call)?;
    let kind = kind_of(call)?;
    let body = call.body()?;
    let known =
        ["field_name", "field_type", "options", "description", "ui_visibility", "important_fields", "required_fields"];
    let mut complaints = unknown_keys(&body, &known);
    let name = body.get("field_name").and_then(Json::as_str).unwrap_or_default();
    if name.trim().is_empty() || name.chars().count() > 255 {
        complaints.push(("field_name".to_owned(), "Required".to_owned()));
    }
    let form = body.get("field_type").and_then(Json::as_str).unwrap_or_default();
    if !CREATABLE.contains(&form) {
        complaints.push(("field_type".to_owned(), format!("Invalid enum value, received '{form}'")));
    }
    let chooses = matches!(form, "enum" | "set");
    let labels = match body.get("options") {
        None => Vec::new(),
        Some(_) if !chooses => {
            complaints.push(("options".to_owned(), "Options are allowed for enum and set fields only".to_owned()));
            Vec::new()
        }
        Some(options) => labels_of(options, &mut complaints),
    };
    if chooses && !body.contains_key("options") {
        complaints.push(("options".to_owned(), "Required".to_owned()));
    }
    if !complaints.is_empty() {
        return Err(Refusal::schema(&complaints));
    }
    refuse_many(world, labels.len())?;
    let most = world.settings.custom_fields_limit;
    let have: usize = Kind::V2.iter().map(|kind| world.fields(*kind).custom().count()).sum();
    if most.is_some_and(|most| have as u64 >= most) {
        return Err(Refusal::capped(
            "Couldn't add the field. Custom fields limit reached.",
            "feature_capping_custom_fields_limit",
        ));
    }
    let options = labels.into_iter().map(|label| choice(world, label)).collect();
    let field = Field {
        id: world.next_id("field"),
        code: Arc::from(world.draw_hex("field", 40)),
        name: name.to_owned(),
        form: form.to_owned(),
        description: body.get("description").and_then(Json::as_str).unwrap_or_default().to_owned(),
        options,
        custom: true,
        deleted: false,
        on_request: false,
        added: call.at,
        extra: extra_of(&body),
    };
    let change = Change::new(format!("{}_field", kind.name()), &field.code, Action::Created);
    call.changed(change.with("field_name", Json::Null, json!(field.name)).with(
        "field_type",
        Json::Null,
        json!(field.form),
    ));
    let shown = field.v2(&[]);
    world.fields_mut(kind).push(field);
    Ok(one(if world.settings.create_with_200 { 200 } else { 201 }, shown))
}

fn unknown_keys(body: &Map<String, Json>, known: &[&str]) -> Vec<(String, String)> {
    let unknown = body.keys().filter(|key| !known.contains(&key.as_str()));
    unknown.map(|key| (key.clone(), format!("Parameter '{key}' is not allowed for this request"))).collect()
}

fn labels_of(options: &Json, complaints: &mut Vec<(String, String)>) -> Vec<String> {
    let Some(list) = options.as_array().filter(|list| !list.is_empty()) else {
        complaints.push(("options".to_owned(), "Array must contain at least 1 element(s)".to_owned()));
        return Vec::new();
    };
    let mut labels: Vec<String> = Vec::new();
    for one in list {
        match one.get("label").and_then(Json::as_str) {
            Some(label) if labels.iter().any(|known| known == label) => {
                complaints.push(("options".to_owned(), format!("Duplicate label '{label}'")));
            }
            Some(label) if !label.is_empty() => labels.push(label.to_owned()),
            _ => complaints.push(("options".to_owned(), "label: Required".to_owned())),
        }
    }
    labels
}

fn choice(world: &mut World, label: String) -> Choice {
    Choice { id: world.next_id("option"), label, color: None }
}

fn refuse_many(world: &World, count: usize) -> Result<(), Refusal> {
    match world.settings.options_limit {
        Some(most) if count > most => Err(Refusal::forbidden("You've reached the options limit of this field")),
        _ => Ok(()),
    }
}

/// A custom field for writing; system fields are not.
fn custom_field(world: &World, call: &Call<'_>, kind: Kind) -> Result<(), Refusal> {
    match world.fields(kind).get(call.part(0)) {
        None => Err(Refusal::not_found()),
        Some(field) if !field.custom => Err(Refusal::forbidden("System fields cannot be changed")),
        Some(_) => Ok(()),
    }
}

/// `PATCH /api/v2/{kind}Fields/{code}`.
pub(super) fn update(world: &mut World, call: &mut Call<'_>) -> Answer {
    refuse_others(call)?;
    let kind = kind_of(call)?;
    custom_field(world, call, kind)?;
    let body = call.body()?;
    let known = ["field_name", "description", "ui_visibility", "important_fields", "required_fields"];
    let mut complaints = unknown_keys(&body, &known);
    for name in ["field_name", "description"] {
        if let Some(value) = body.get(name) {
            complaints.extend(custom::text(value, 255).err().map(|why| (name.to_owned(), why)));
        }
    }
    if !complaints.is_empty() {
        return Err(Refusal::schema(&complaints));
    }
    let field = world.fields_mut(kind).get_mut(call.part(0)).ok_or_else(Refusal::not_found)?;
    let mut change = Change::new(format!("{}_field", kind.name()), &field.code, Action::Updated);
    if let Some(name) = body.get("field_name").and_then(Json::as_str) {
        change = change.with("field_name", json!(field.name), json!(name));
        field.name = name.to_owned();
    }
    if let Some(text) = body.get("description").and_then(Json::as_str) {
        field.description = text.to_owned();
    }
    field.extra.extend(extra_of(&body));
    call.changed(change);
    Ok(one(200, field.v2(&[])))
}

/// `DELETE /api/v2/{kind}Fields/{code}`: marked as deleted; writes with its code fail from now on.
pub(super) fn delete(world: &mut World, call: &mut Call<'_>) -> Answer {
    refuse_others(call)?;
    let kind = kind_of(call)?;
    custom_field(world, call, kind)?;
    let field = world.fields_mut(kind).get_mut(call.part(0)).ok_or_else(Refusal::not_found)?;
    field.deleted = true;
    let shown = field.v2(&[]);
    let change = Change::new(format!("{}_field", kind.name()), call.part(0), Action::Deleted);
    call.changed(change);
    Ok(one(200, shown))
}

/// The array of an options body.
fn option_list(call: &Call<'_>) -> Result<Vec<Json>, Refusal> {
    let body: Json =
        serde_json::from_slice(&call.request.body).map_err(|_| Refusal::bad("Request body is not valid JSON"))?;
    match body {
        Json::Array(list) if !list.is_empty() => Ok(list),
        Json::Array(_) => Err(Refusal::key("body", "Array must contain at least 1 element(s)")),
        other => Err(Refusal::key("body", expected("array", &other))),
    }
}

/// The field whose options the path names.
fn options_field<'w>(world: &'w World, call: &Call<'_>, kind: Kind) -> Result<&'w Field, Refusal> {
    let field = world.fields(kind).get(call.part(0)).ok_or_else(Refusal::not_found)?;
    if field.takes_options() { Ok(field) } else { Err(Refusal::key("field_code", "Field has no options")) }
}

/// `POST /api/v2/{kind}Fields/{code}/options`: all or none.
pub(super) fn add_options(world: &mut World, call: &mut Call<'_>) -> Answer {
    refuse_others(call)?;
    let kind = kind_of(call)?;
    let field = options_field(world, call, kind)?;
    let mut complaints = Vec::new();
    let labels = labels_of(&Json::Array(option_list(call)?), &mut complaints);
    for label in &labels {
        if field.options.iter().any(|option| option.label == *label) {
            complaints.push(("label".to_owned(), format!("Option '{label}' already exists")));
        }
    }
    let count = field.options.len() + labels.len();
    if !complaints.is_empty() {
        return Err(Refusal::schema(&complaints));
    }
    refuse_many(world, count)?;
    let new: Vec<Choice> = labels.into_iter().map(|label| choice(world, label)).collect();
    let data: Json = new.iter().map(|one| json!({"id": one.id, "label": one.label})).collect();
    for one in &new {
        let change = Change::new("field_option", format!("{}/{}", call.part(0), one.id), Action::Created);
        call.changed(change.with("label", Json::Null, json!(one.label)));
    }
    if let Some(field) = world.fields_mut(kind).get_mut(call.part(0)) {
        field.options.extend(new);
    }
    Ok(one(200, data))
}

/// `PATCH /api/v2/{kind}Fields/{code}/options`: `[{id, label}]`, all or none.
pub(super) fn rename_options(world: &mut World, call: &mut Call<'_>) -> Answer {
    refuse_others(call)?;
    let kind = kind_of(call)?;
    let field = options_field(world, call, kind)?;
    let mut renames = Vec::new();
    for one in option_list(call)? {
        let id = one.get("id").and_then(Json::as_u64).filter(|id| field.has_option(*id));
        let label = one.get("label").and_then(Json::as_str);
        match (id, label) {
            (Some(id), Some(label)) => renames.push((id, label.to_owned())),
            _ => return Err(Refusal::key("id", "Option does not exist or label is missing")),
        }
    }
    let mut data = Vec::new();
    let mut changes = Vec::new();
    if let Some(field) = world.fields_mut(kind).get_mut(call.part(0)) {
        for (id, label) in renames {
            if let Some(option) = field.options.iter_mut().find(|option| option.id == id) {
                let change = Change::new("field_option", format!("{}/{id}", field.code), Action::Updated);
                changes.push(change.with("label", json!(option.label), json!(label)));
                option.label = label;
                data.push(json!({"id": id, "label": option.label}));
            }
        }
    }
    call.changes.extend(changes);
    Ok(one(200, Json::Array(data)))
}

/// `DELETE /api/v2/{kind}Fields/{code}/options`: `[{id}]`, all or none.
pub(super) fn delete_options(world: &mut World, call: &mut Call<'_>) -> Answer {
    refuse_others(call)?;
    let kind = kind_of(call)?;
    let field = options_field(world, call, kind)?;
    let ids: Vec<u64> = option_list(call)?.iter().filter_map(|one| one.get("id")?.as_u64()).collect();
    if ids.is_empty() || ids.iter().any(|id| !field.has_option(*id)) {
        return Err(Refusal::key("id", "Option does not exist"));
    }
    if let Some(field) = world.fields_mut(kind).get_mut(call.part(0)) {
        field.options.retain(|option| !ids.contains(&option.id));
    }
    for id in &ids {
        let change = Change::new("field_option", format!("{}/{id}", call.part(0)), Action::Deleted);
        call.changed(change);
    }
    Ok(one(200, ids.iter().map(|id| json!({"id": id})).collect()))
}

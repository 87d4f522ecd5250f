//! Strict validation of v2 bodies: known keys, exact types, existing references.
//!
//! All complaints of a body are collected, as v2 does: `Validation failed: <key>: <why>; ...`
//! (sheet: Pipedrive sections 0b, 7 and 9 \[doc, obs\]).

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::custom::{self, expected};
use super::kind::{Access, Form, Key, Kind};
use super::refusal::Refusal;
use super::time;
use super::world::World;

/// What a body sets, checked.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) fields: Vec<(&'static Key, Json)>,
    pub(super) custom: Vec<(Arc<str>, Json)>,
}

impl Draft {
    /// What the body says about a key; none when it says nothing.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        self.fields.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }
}

/// Checks a body for a record of this kind.
pub(super) fn body(
    world: &World,
    kind: Kind,
    body: &Map<String, Json>,
    creating: bool,
    extra: &[&str],
) -> Result<Draft, Refusal> {
    let mut draft = Draft::default();
    let mut complaints = Vec::new();
    for (name, value) in body {
        if name == "custom_fields" && kind.has_custom() {
            check_custom(world, kind, value, &mut draft, &mut complaints);
            continue;
        }
        if extra.contains(&name.as_str()) {
            continue;
        }
        match kind.key(name) {
            Some(key) if key.access == Access::Sync && !world.settings.contact_sync => {
                return Err(Refusal::forbidden(&format!(
                    "Contact sync is not enabled for this company, '{name}' cannot be set"
                )));
            }
            Some(key)
                if world.settings.offers(key.access)
                    && key.access != Access::Read
                    && (creating || key.access != Access::Create) =>
            {
                match value_of(world, kind, key, value) {
                    Ok(value) => draft.fields.push((key, value)),
                    Err(why) => complaints.push((name.clone(), why)),
                }
            }
            _ => complaints.push((name.clone(), format!("Parameter '{name}' is not allowed for this request"))),
        }
    }
    if complaints.is_empty() { Ok(draft) } else { Err(Refusal::schema(&complaints)) }
}

fn check_custom(world: &World, kind: Kind, value: &Json, draft: &mut Draft, complaints: &mut Vec<(String, String)>) {
    let Some(map) = value.as_object() else {
        complaints.push(("custom_fields".to_owned(), expected("object", value)));
        return;
    };
    for (code, value) in map {
        match world.fields(kind).get_custom(code) {
            None => complaints.push((code.clone(), format!("Parameter '{code}' is not allowed for this request"))),
            Some(field) => match custom::check(world, field, value) {
                Ok(value) => draft.custom.push((Arc::clone(&field.code), value)),
                Err(why) => complaints.push((code.clone(), why)),
            },
        }
    }
}

/// Checks one value against its key.
pub(super) fn value_of(world: &World, kind: Kind, key: &Key, value: &Json) -> Result<Json, String> {
    if value.is_null() {
        return nullable(key).then_some(Json::Null).ok_or_else(|| expected(form_name(key.form), value));
    }
    match key.form {
        Form::Text(most) => custom::text(value, most),
        Form::Html => html(world, value),
        Form::Int | Form::Absent => whole(value).and_then(|n| match key.form {
            Form::Absent => Err(format!("{} {n} does not exist", key.name.trim_end_matches("_id"))),
            _ => Ok(value.clone()),
        }),
        Form::Number => custom::number(value),
        Form::Bool => value.is_boolean().then(|| value.clone()).ok_or_else(|| expected("boolean", value)),
        Form::Instant => instant(value, time::read_v2),
        Form::ArchiveInstant => instant(value, time::read_v1),
        Form::Date => custom::date(value),
        Form::Clock => clock(value),
        Form::Currency => world.check_currency(value),
        Form::User => user(world, value),
        Form::Link(to) => link(world, to, value),
        Form::Lead => lead(world, value),
        Form::Pipeline => item(value, "Pipeline", |id| world.pipelines.get(&id)),
        Form::Stage => item(value, "Stage", |id| world.stages.get(&id)),
        Form::Choice(choices) => chosen(choices, value),
        Form::Options => labels(world, kind, key, value),
        Form::Option => option(world, kind, key, value),
        Form::Visible => visible(value),
        Form::Contacts => contacts(value),
        Form::Address => custom::address(value),
        Form::Participants => participants(world, value),
        Form::Attendees => attendees(world, value),
        Form::ActivityType => activity_type(world, value),
        Form::Prices => prices(world, value),
    }
}

/// Keys that must have a value when they are sent.
fn nullable(key: &Key) -> bool {
    !matches!(key.name, "title" | "name" | "subject" | "type" | "status" | "owner_id" | "stage_id" | "pipeline_id")
        && !matches!(key.form, Form::Bool | Form::Options | Form::Contacts | Form::Participants | Form::Visible)
}

fn form_name(form: Form) -> &'static str {
    match form {
        Form::Bool => "boolean",
        Form::Options | Form::Contacts | Form::Participants | Form::Attendees | Form::Prices => "array",
        Form::User | Form::Stage | Form::Pipeline | Form::Visible | Form::Int | Form::Number => "number",
        _ => "string",
    }
}

fn whole(value: &Json) -> Result<i64, String> {
    value.as_i64().ok_or_else(|| expected("integer", value))
}

fn id(value: &Json) -> Result<u64, String> {
    value.as_u64().ok_or_else(|| expected("number", value))
}

fn html(world: &World, value: &Json) -> Result<Json, String> {
    let text = value.as_str().ok_or_else(|| expected("string", value))?;
    if text.len() > world.settings.note_max_bytes {
        return Err(format!("Content must be at most {} bytes", world.settings.note_max_bytes));
    }
    Ok(json!(super::html::sanitise(text, world.settings.keep_html_comments)))
}

fn instant(value: &Json, read: fn(&str) -> Option<i64>) -> Result<Json, String> {
    let text = value.as_str().ok_or_else(|| expected("string", value))?;
    read(text).map(|at| json!(time::v2(at))).ok_or_else(|| "not a valid datetime".to_owned())
}

fn clock(value: &Json) -> Result<Json, String> {
    let text = value.as_str().ok_or_else(|| expected("string", value))?;
    match (time::is_clock(text), text.len()) {
        (true, 5) => Ok(json!(format!("{text}:00"))),
        (true, _) => Ok(value.clone()),
        (false, _) => Err("not a valid time".to_owned()),
    }
}

/// A user who may own a record.
fn user(world: &World, value: &Json) -> Result<Json, String> {
    let id = id(value)?;
    if !world.users.contains_key(&id) {
        return Err(format!("User {id} does not exist"));
    }
    if !world.is_active(id) && !world.settings.inactive_owners {
        return Err(format!("User {id} is not active"));
    }
    Ok(value.clone())
}

fn link(world: &World, kind: Kind, value: &Json) -> Result<Json, String> {
    let id = id(value)?;
    match world.table(kind).live(id) {
        Some(_) => Ok(value.clone()),
        None => Err(format!("{} {id} does not exist", kind.name())),
    }
}

fn lead(world: &World, value: &Json) -> Result<Json, String> {
    let uuid = value.as_str().ok_or_else(|| expected("string", value))?;
    if world.leads_by_uuid.contains_key(uuid) { Ok(value.clone()) } else { Err(format!("lead {uuid} does not exist")) }
}

fn item<'w>(value: &Json, what: &str, get: impl Fn(u64) -> Option<&'w Map<String, Json>>) -> Result<Json, String> {
    let id = id(value)?;
    match get(id) {
        Some(item) if item.get("is_deleted") != Some(&json!(true)) => Ok(value.clone()),
        _ => Err(format!("{what} {id} does not exist")),
    }
}

fn chosen(choices: &[&str], value: &Json) -> Result<Json, String> {
    let text = value.as_str().ok_or_else(|| expected("string", value))?;
    if choices.contains(&text) {
        return Ok(value.clone());
    }
    let listed: Vec<String> = choices.iter().map(|choice| format!("'{choice}'")).collect();
    Err(format!("Invalid enum value. Expected {}, received '{text}'", listed.join(" | ")))
}

fn labels(world: &World, kind: Kind, key: &Key, value: &Json) -> Result<Json, String> {
    let list = value.as_array().ok_or_else(|| expected("array", value))?;
    let field = world.fields(kind).get(key.name);
    for one in list {
        let id = id(one)?;
        if !field.is_some_and(|field| field.has_option(id)) {
            return Err(format!("Option {id} does not exist"));
        }
    }
    if kind == Kind::Deal && world.settings.deal_labels_limit.is_some_and(|most| list.len() > most) {
        return Err("Too many labels".to_owned());
    }
    Ok(value.clone())
}

fn option(world: &World, kind: Kind, key: &Key, value: &Json) -> Result<Json, String> {
    let id = id(value)?;
    match world.fields(kind).get(key.name) {
        Some(field) if field.has_option(id) => Ok(value.clone()),
        _ => Err(format!("Option {id} does not exist")),
    }
}

fn visible(value: &Json) -> Result<Json, String> {
    match value.as_u64() {
        Some(1 | 3 | 5 | 7) => Ok(value.clone()),
        Some(other) => Err(format!("Invalid value {other}, expected 1, 3, 5 or 7")),
        None => Err(expected("number", value)),
    }
}

/// Contact details: the label defaults to `work`, the first is primary when none is.
fn contacts(value: &Json) -> Result<Json, String> {
    let list = value.as_array().ok_or_else(|| expected("array", value))?;
    let mut whole = Vec::with_capacity(list.len());
    let has_primary = list.iter().any(|one| one.get("primary") == Some(&json!(true)));
    for (index, one) in list.iter().enumerate() {
        let map = one.as_object().ok_or_else(|| format!("{index}: {}", expected("object", one)))?;
        if let Some(key) = map.keys().find(|key| !matches!(key.as_str(), "value" | "primary" | "label")) {
            return Err(format!("{index}: Parameter '{key}' is not allowed for this request"));
        }
        let text = map.get("value").ok_or_else(|| format!("{index}.value: Required"))?;
        custom::text(text, 255).map_err(|why| format!("{index}.value: {why}"))?;
        let primary = match map.get("primary") {
            None => !has_primary && index == 0,
            Some(Json::Bool(primary)) => *primary || (!has_primary && index == 0),
            Some(other) => return Err(format!("{index}.primary: {}", expected("boolean", other))),
        };
        let label = match map.get("label") {
            None | Some(Json::Null) => json!("work"),
            Some(label) => custom::text(label, 255).map_err(|why| format!("{index}.label: {why}"))?,
        };
        whole.push(json!({"value": text, "primary": primary, "label": label}));
    }
    Ok(Json::Array(whole))
}

fn participants(world: &World, value: &Json) -> Result<Json, String> {
    let list = value.as_array().ok_or_else(|| expected("array", value))?;
    let has_primary = list.iter().any(|one| one.get("primary") == Some(&json!(true)));
    let mut whole = Vec::with_capacity(list.len());
    for (index, one) in list.iter().enumerate() {
        let map = one.as_object().ok_or_else(|| format!("{index}: {}", expected("object", one)))?;
        if let Some(key) = map.keys().find(|key| !matches!(key.as_str(), "person_id" | "primary")) {
            return Err(format!("{index}: Parameter '{key}' is not allowed for this request"));
        }
        let person = map.get("person_id").ok_or_else(|| format!("{index}.person_id: Required"))?;
        link(world, Kind::Person, person).map_err(|why| format!("{index}.person_id: {why}"))?;
        let primary = match map.get("primary") {
            Some(Json::Bool(primary)) => *primary,
            None => !has_primary && index == 0,
            Some(other) => return Err(format!("{index}.primary: {}", expected("boolean", other))),
        };
        whole.push(json!({"person_id": person, "primary": primary}));
    }
    Ok(Json::Array(whole))
}

fn attendees(world: &World, value: &Json) -> Result<Json, String> {
    const KEYS: [&str; 6] = ["email", "name", "status", "is_organizer", "person_id", "user_id"];
    let list = value.as_array().ok_or_else(|| expected("array", value))?;
    for (index, one) in list.iter().enumerate() {
        let map = one.as_object().ok_or_else(|| format!("{index}: {}", expected("object", one)))?;
        if let Some(key) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(format!("{index}: Parameter '{key}' is not allowed for this request"));
        }
        let email = map.get("email").ok_or_else(|| format!("{index}.email: Required"))?;
        custom::text(email, 255).map_err(|why| format!("{index}.email: {why}"))?;
        if let Some(person) = map.get("person_id").filter(|person| !person.is_null()) {
            link(world, Kind::Person, person).map_err(|why| format!("{index}.person_id: {why}"))?;
        }
    }
    Ok(value.clone())
}

/// An activity type is named by its `key_string` (sheet: section 9 trap 16).
fn activity_type(world: &World, value: &Json) -> Result<Json, String> {
    let text = value.as_str().ok_or_else(|| expected("string", value))?;
    let known = world.activity_types.values().any(|one| {
        one.get("key_string").and_then(Json::as_str) == Some(text) && one.get("active_flag") != Some(&json!(false))
    });
    if known { Ok(value.clone()) } else { Err(format!("Activity type '{text}' does not exist")) }
}

fn prices(world: &World, value: &Json) -> Result<Json, String> {
    const KEYS: [&str; 5] = ["currency", "price", "cost", "direct_cost", "notes"];
    let list = value.as_array().ok_or_else(|| expected("array", value))?;
    for (index, one) in list.iter().enumerate() {
        let map = one.as_object().ok_or_else(|| format!("{index}: {}", expected("object", one)))?;
        if let Some(key) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(format!("{index}: Parameter '{key}' is not allowed for this request"));
        }
        let currency = map.get("currency").ok_or_else(|| format!("{index}.currency: Required"))?;
        world.check_currency(currency).map_err(|why| format!("{index}.currency: {why}"))?;
        for part in ["price", "cost", "direct_cost"] {
            if let Some(amount) = map.get(part).filter(|amount| !amount.is_null()) {
                custom::number(amount).map_err(|why| format!("{index}.{part}: {why}"))?;
            }
        }
    }
    Ok(value.clone())
}

/// Refuses a body without one of these keys.
pub(super) fn required(call: &Call<'_>, body: &Map<String, Json>, names: &[&str]) -> Result<(), Refusal> {
    let blank = |name: &&&str| match body.get(**name) {
        None | Some(Json::Null) => true,
        Some(Json::String(text)) => text.trim().is_empty() && call.request.method == "POST",
        Some(_) => false,
    };
    let missing: Vec<_> = names.iter().filter(blank).map(|name| ((*name).to_owned(), "Required".to_owned())).collect();
    if missing.is_empty() { Ok(()) } else { Err(Refusal::schema(&missing)) }
}

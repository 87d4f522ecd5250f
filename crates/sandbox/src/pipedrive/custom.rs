//! Values of custom fields: v2's shapes, read and written alike; webhooks' typed shapes; leads' flat
//! ones (sheet: Pipedrive sections 3 and 8 \[doc\]).

use serde_json::{Map, Value as Json, json};

use super::kind::Kind;
use super::schema::{ADDRESS_PARTS, Field};
use super::time;
use super::world::World;

/// Checks a v2 value against its field and completes it; the error is v2's complaint.
pub(super) fn check(world: &World, field: &Field, value: &Json) -> Result<Json, String> {
    if value.is_null() {
        return Ok(Json::Null);
    }
    match field.form.as_str() {
        "varchar" | "varchar_auto" | "phone" => text(value, 255),
        "text" => text(value, 65_535),
        "double" => number(value),
        "int" => value.as_i64().map(|n| json!(n)).ok_or_else(|| expected("integer", value)),
        "monetary" => monetary(world, value),
        "enum" => choice(field, value),
        "set" => choices(field, value),
        "user" => record_id(value, |id| world.users.contains_key(&id), "User"),
        "org" => record_id(value, |id| world.table(Kind::Organization).live(id).is_some(), "Organization"),
        "people" => record_id(value, |id| world.table(Kind::Person).live(id).is_some(), "Person"),
        "date" => date(value),
        "daterange" => range(value, &["value", "until"], time::is_date, "date"),
        "time" => range(value, &["value", "timezone_name"], time::is_clock, "time"),
        "timerange" => range(value, &["value", "until", "timezone_name"], time::is_clock, "time"),
        "address" => address(value),
        other => Err(format!("Fields of type {other} cannot be written")),
    }
}

/// `Expected string, received number`.
pub(super) fn expected(what: &str, value: &Json) -> String {
    let received = match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    };
    format!("Expected {what}, received {received}")
}

/// Text of at most so many characters.
pub(super) fn text(value: &Json, most: usize) -> Result<Json, String> {
    let text = value.as_str().ok_or_else(|| expected("string", value))?;
    if text.chars().count() > most {
        return Err(format!("String must contain at most {most} character(s)"));
    }
    Ok(value.clone())
}

/// A JSON number; text that looks like one is refused.
pub(super) fn number(value: &Json) -> Result<Json, String> {
    if value.is_number() { Ok(value.clone()) } else { Err(expected("number", value)) }
}

/// A date.
pub(super) fn date(value: &Json) -> Result<Json, String> {
    let text = value.as_str().ok_or_else(|| expected("string", value))?;
    if time::is_date(text) { Ok(value.clone()) } else { Err("not a valid date".to_owned()) }
}

/// An address: `value` and parts, none of them required (vendor's specification of `POST /organizations`);
/// what is left out becomes null.
pub(super) fn address(value: &Json) -> Result<Json, String> {
    let map = value.as_object().ok_or_else(|| expected("object", value))?;
    let mut whole = Map::new();
    for name in std::iter::once("value").chain(ADDRESS_PARTS) {
        let part = map.get(name).cloned().unwrap_or_default();
        if !part.is_null() {
            text(&part, 255).map_err(|why| format!("{name}: {why}"))?;
        }
        whole.insert(name.to_owned(), part);
    }
    only(map, |key| whole.contains_key(key))?;
    Ok(Json::Object(whole))
}

fn only(map: &Map<String, Json>, known: impl Fn(&str) -> bool) -> Result<(), String> {
    match map.keys().find(|key| !known(key)) {
        Some(key) => Err(format!("Parameter '{key}' is not allowed for this request")),
        None => Ok(()),
    }
}

fn monetary(world: &World, value: &Json) -> Result<Json, String> {
    let map = value.as_object().ok_or_else(|| expected("object", value))?;
    only(map, |key| matches!(key, "value" | "currency"))?;
    let amount = map.get("value").ok_or("value: Required")?;
    number(amount).map_err(|why| format!("value: {why}"))?;
    let currency = match map.get("currency") {
        None | Some(Json::Null) => json!(world.account.default_currency),
        Some(code) => world.check_currency(code).map_err(|why| format!("currency: {why}"))?,
    };
    Ok(json!({"value": amount, "currency": currency}))
}

fn choice(field: &Field, value: &Json) -> Result<Json, String> {
    let id = value.as_u64().ok_or_else(|| expected("number", value))?;
    if field.has_option(id) { Ok(value.clone()) } else { Err(format!("Option {id} does not exist")) }
}

/// Option ids; an empty list is an error, null clears (sheet: section 3 \[doc\]).
fn choices(field: &Field, value: &Json) -> Result<Json, String> {
    let list = value.as_array().ok_or_else(|| expected("array", value))?;
    if list.is_empty() {
        return Err("Array must contain at least 1 element(s)".to_owned());
    }
    let mut ids: Vec<Json> = Vec::new();
    for one in list {
        let one = choice(field, one)?;
        if !ids.contains(&one) {
            ids.push(one);
        }
    }
    Ok(Json::Array(ids))
}

fn record_id(value: &Json, exists: impl Fn(u64) -> bool, what: &str) -> Result<Json, String> {
    let id = value.as_u64().ok_or_else(|| expected("number", value))?;
    if exists(id) { Ok(value.clone()) } else { Err(format!("{what} {id} does not exist")) }
}

/// `{value, until?, timezone_name?}`: both ends of a range are needed, the zone is not.
fn range(value: &Json, keys: &[&str], fits: fn(&str) -> bool, what: &str) -> Result<Json, String> {
    let map = value.as_object().ok_or_else(|| expected("object", value))?;
    only(map, |key| keys.contains(&key))?;
    let mut whole = Map::new();
    for key in keys {
        let part = map.get(*key).cloned().unwrap_or_default();
        match part.as_str() {
            Some(text) if *key == "timezone_name" || fits(text) => {}
            Some(_) => return Err(format!("{key}: not a valid {what}")),
            None if part.is_null() && *key == "timezone_name" => {}
            None if part.is_null() => return Err(format!("{key}: Required")),
            None => return Err(format!("{key}: {}", expected("string", &part))),
        }
        whole.insert((*key).to_owned(), part);
    }
    Ok(Json::Object(whole))
}

/// The typed shape of webhooks.
pub(super) fn typed(field: &Field, value: &Json) -> Json {
    if value.is_null() {
        return Json::Null;
    }
    let mut map = Map::new();
    map.insert("type".to_owned(), json!(field.form));
    match field.form.as_str() {
        "enum" | "user" | "org" | "people" => {
            map.insert("id".to_owned(), value.clone());
        }
        "set" => {
            let ids = value.as_array().into_iter().flatten().map(|id| json!({"id": id})).collect();
            map.insert("values".to_owned(), ids);
        }
        "daterange" | "timerange" => {
            let mut parts = value.as_object().cloned().unwrap_or_default();
            map.insert("from".to_owned(), parts.remove("value").unwrap_or_default());
            map.append(&mut parts);
        }
        _ => match value.as_object() {
            Some(parts) => map.append(&mut parts.clone()),
            None => {
                map.insert("value".to_owned(), value.clone());
            }
        },
    }
    Json::Object(map)
}

/// The flat keys of v1 and leads: `hash`, `hash_currency`, `hash_until`, ...
pub(super) fn flat(field: &Field, value: &Json, into: &mut Map<String, Json>) {
    let code = field.code.to_string();
    match (field.form.as_str(), value) {
        ("enum", Json::Number(id)) => {
            into.insert(code, json!(id.to_string()));
        }
        ("set", Json::Array(ids)) => {
            let ids: Vec<String> = ids.iter().map(Json::to_string).collect();
            into.insert(code, json!(ids.join(",")));
        }
        (_, Json::Object(parts)) => {
            for (part, value) in parts {
                let key = match part.as_str() {
                    "value" => code.clone(),
                    "timezone_name" => format!("{code}_timezone_id"),
                    part => format!("{code}_{part}"),
                };
                into.insert(key, value.clone());
            }
        }
        _ => {
            into.insert(code, value.clone());
        }
    }
}

/// Reads the flat keys of a field back into v2's shape; none when the body has none of them.
pub(super) fn unflat(field: &Field, body: &Map<String, Json>) -> Option<Json> {
    let main = body.get(&*field.code)?;
    let part = |name: &str| body.get(&format!("{}_{name}", field.code)).cloned().unwrap_or_default();
    Some(match (field.form.as_str(), main) {
        (_, Json::Null) => Json::Null,
        ("enum", Json::String(id)) => id.parse::<u64>().map_or_else(|_| main.clone(), |id| json!(id)),
        ("set", Json::String(ids)) => {
            ids.split(',').map(|id| id.trim().parse::<u64>().map_or_else(|_| json!(id), |id| json!(id))).collect()
        }
        ("monetary", _) => json!({"value": main, "currency": part("currency")}),
        ("daterange", _) => json!({"value": main, "until": part("until")}),
        ("time", _) => json!({"value": main, "timezone_name": part("timezone_id")}),
        ("timerange", _) => json!({"value": main, "until": part("until"), "timezone_name": part("timezone_id")}),
        ("address", _) => {
            let mut map = Map::new();
            map.insert("value".to_owned(), main.clone());
            map.extend(ADDRESS_PARTS.into_iter().map(|name| (name.to_owned(), part(name))));
            Json::Object(map)
        }
        _ => main.clone(),
    })
}

//! Custom fields of leads: v1's flat keys beside the record's own (sheet: Pipedrive section 3 \[doc\]):
//! `hash`, `hash_currency`, `hash_until`, `hash_timezone_id`, `hash_{address part}`; a choice is the text
//! `"123"`, several are `"1,2"`. Unset ones are left out.

use serde_json::{Map, Value as Json, json};

use super::form::Form;

/// The value of a custom field, or of a part of it, in a lead; null when it is unset.
pub(super) fn read(lead: &Json, base: &str, part: Option<&str>, form: Form) -> Json {
    let key = match part {
        None | Some("value") => base.to_owned(),
        Some("timezone_name") => format!("{base}_timezone_id"),
        Some(part) => format!("{base}_{part}"),
    };
    match (lead.get(&key), form) {
        (Some(Json::String(ids)), Form::Ids) if ids.is_empty() => Json::Null,
        (Some(Json::String(ids)), Form::Ids) => ids.split(',').map(|id| json!(id.trim())).collect(),
        (Some(value), _) => value.clone(),
        (None, _) => Json::Null,
    }
}

/// Puts v2-shaped custom values into a lead's body.
pub(super) fn into_body(custom: &Map<String, Json>, body: &mut Map<String, Json>) {
    for (base, value) in custom {
        match value {
            Json::Object(parts) => {
                for (part, value) in parts {
                    let key = match part.as_str() {
                        "value" => base.clone(),
                        "timezone_name" => format!("{base}_timezone_id"),
                        part => format!("{base}_{part}"),
                    };
                    body.insert(key, value.clone());
                }
            }
            Json::Array(ids) => {
                let ids: Vec<String> = ids.iter().map(Json::to_string).collect();
                body.insert(base.clone(), json!(ids.join(",")));
            }
            value => drop(body.insert(base.clone(), value.clone())),
        }
    }
}

//! Whether a value fits its property, and how it is stored.
//!
//! Codes and sentences follow the sheet (HubSpot sections 7 and 9 \[code/doc\]); where it gives only the
//! code, the sentence is ours.

use serde_json::Value as Json;

use super::instant;
use super::kinds::{self, Kind};
use super::property::{Choice, Property, ValueType};
use super::refusal::{BadValue, Refusal};
use super::world::World;

/// The longest string (sheet: section 9, trap 8 \[doc\]).
const MAX_CHARACTERS: usize = 65_536;

/// A value ready to be stored; `None` clears.
pub(crate) type Stored = Option<Box<str>>;

/// Reads one JSON value as text: strings, and by setting other scalars too.
pub(crate) fn text(world: &World, name: &str, value: &Json) -> Result<String, Refusal> {
    let lenient = world.settings.accept_json_scalars;
    match value {
        Json::String(text) => Ok(text.clone()),
        Json::Null if lenient => Ok(String::new()),
        Json::Number(number) if lenient => Ok(number.to_string()),
        Json::Bool(bool) if lenient => Ok(bool.to_string()),
        other => Err(Refusal::json(&format!(
            "Cannot deserialize value of type `java.lang.String` from {} (property \"{name}\")",
            shape(other)
        ))),
    }
}

/// The name of a JSON value's shape in error sentences.
pub(crate) fn shape(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "Boolean value",
        Json::Number(_) => "Number value",
        Json::String(_) => "String value",
        Json::Array(_) => "Array value",
        Json::Object(_) => "Object value",
    }
}

/// Checks a value and brings it into its stored form. `current` is what the record holds now.
pub(crate) fn check(
    world: &World,
    kind: Kind,
    property: &Property,
    given: &str,
    current: Option<&str>,
) -> Result<Stored, BadValue> {
    if given.is_empty() {
        return Ok(None);
    }
    let bad = |code: &'static str, message: String| BadValue { name: property.name.clone(), code, message };
    match property.value_type {
        ValueType::Text | ValueType::PhoneNumber | ValueType::Internal => text_value(kind, property, given),
        ValueType::Number => {
            if is_number(given) {
                Ok(Some(given.into()))
            } else {
                Err(bad("INVALID_INTEGER", format!("{given} was not a valid number.")))
            }
        }
        ValueType::Bool => match given {
            "true" | "false" => Ok(Some(given.into())),
            _ => Err(bad("INVALID_OPTION", format!("{given} was not one of the allowed options: [true, false]"))),
        },
        ValueType::Date => date(property, given),
        ValueType::DateTime => match instant::parse(given) {
            Some(ms) => Ok(Some(instant::iso(ms).into())),
            None => Err(bad("INVALID_DATE", format!("{given} was not a valid date time."))),
        },
        ValueType::Enumeration => enumeration(world, kind, property, given, current),
    }
}

fn text_value(kind: Kind, property: &Property, given: &str) -> Result<Stored, BadValue> {
    let bad = |code: &'static str, message: String| BadValue { name: property.name.clone(), code, message };
    let length = given.chars().count();
    if length > MAX_CHARACTERS {
        return Err(bad(
            "PROPERTY_VALUE_TOO_LONG",
            format!("Property value is {length} characters long; the maximum is {MAX_CHARACTERS}."),
        ));
    }
    if kind == kinds::CONTACTS && property.name == "email" {
        let address = given.trim().to_lowercase();
        if !is_email(&address) {
            return Err(bad("INVALID_EMAIL", format!("Email address {given} is invalid")));
        }
        return Ok(Some(address.into()));
    }
    Ok(Some(given.into()))
}

fn date(property: &Property, given: &str) -> Result<Stored, BadValue> {
    let bad = |message: String| BadValue { name: property.name.clone(), code: "INVALID_DATE", message };
    if instant::midnight(given).is_some() {
        return Ok(Some(given.into()));
    }
    let Ok(ms) = given.parse::<i64>() else {
        return Err(bad(format!("{given} was not a valid date.")));
    };
    if ms.rem_euclid(instant::DAY_MS) != 0 {
        let iso = instant::iso(ms);
        let time = iso.get(11..23).unwrap_or("");
        return Err(bad(format!("{given} is at {time} UTC, not midnight!")));
    }
    match instant::day(ms) {
        Some(day) => Ok(Some(day.to_string().into())),
        None => Err(bad(format!("{given} was not a valid date."))),
    }
}

/// Digits with at most one decimal point and a sign (sheet: section 9, trap 8 \[doc\]).
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let mut points = 0;
    let plain = digits.bytes().all(|b| {
        if b == b'.' {
            points += 1;
        }
        b.is_ascii_digit() || b == b'.'
    });
    plain && points <= 1 && digits.bytes().any(|b| b.is_ascii_digit())
}

/// A syntax check as mail systems agree on it: one `@`, an atom before, a dotted domain behind.
pub(crate) fn is_email(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let local_ok = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c));
    let labels: Vec<&str> = domain.split('.').collect();
    let domain_ok = labels.len() >= 2
        && labels.iter().all(|l| {
            !l.is_empty()
                && l.len() <= 63
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
        && labels.last().is_some_and(|top| top.chars().count() >= 2 && !top.chars().all(|c| c.is_ascii_digit()));
    local_ok && domain_ok
}

fn enumeration(
    world: &World,
    kind: Kind,
    property: &Property,
    given: &str,
    current: Option<&str>,
) -> Result<Stored, BadValue> {
    let bad = |code: &'static str, message: String| BadValue { name: property.name.clone(), code, message };
    if property.referenced.as_deref() == Some("OWNER") {
        let known = world.owners.iter().any(|o| o.id == given && !o.archived);
        return if known {
            Ok(Some(given.into()))
        } else {
            Err(bad("INVALID_OWNER_ID", format!("Owner {given} does not exist")))
        };
    }
    if property.name == "hs_attachment_ids" {
        let missing = parts(given).find(|id| id.parse().ok().is_none_or(|id: u64| !world.files.contains_key(&id)));
        return match missing {
            None => Ok(Some(given.into())),
            Some(id) => Err(bad("INVALID_OPTION", format!("File {id} does not exist"))),
        };
    }
    if kind == kinds::CONTACTS && property.name == "hs_additional_emails" {
        let given = given.to_lowercase();
        return match parts(&given).find(|address| !is_email(address)) {
            None => Ok(Some(given.as_str().into())),
            Some(address) => Err(bad("INVALID_EMAIL", format!("Email address {address} is invalid"))),
        };
    }
    let derived = world.derived_options(kind, &property.name);
    let options: &[Choice] = derived.as_deref().unwrap_or(&property.options);
    let open = property.external_options && derived.is_none();
    let check_one = |value: &str| {
        if open || options.iter().any(|o| o.value == value) {
            return Ok(());
        }
        let allowed: Vec<&str> = options.iter().map(|o| o.value.as_str()).collect();
        Err(bad("INVALID_OPTION", format!("{value} was not one of the allowed options: [{}]", allowed.join(", "))))
    };
    if !property.is_multiple() {
        check_one(given)?;
        return Ok(Some(given.into()));
    }
    // A leading ";" appends to what is there (sheet: section 9, trap 5 [doc]).
    let (append, given) = given.strip_prefix(';').map_or((false, given), |rest| (true, rest));
    let mut all: Vec<&str> = if append { current.map(|c| parts(c).collect()).unwrap_or_default() } else { Vec::new() };
    for value in parts(given) {
        check_one(value)?;
        if !all.contains(&value) {
            all.push(value);
        }
    }
    Ok(if all.is_empty() { None } else { Some(all.join(";").into()) })
}

/// The values of a multi-select: separated by `;`, without spaces around it (a space is part of the value).
fn parts(list: &str) -> impl Iterator<Item = &str> {
    list.split(';').filter(|part| !part.is_empty())
}

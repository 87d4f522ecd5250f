//! Values in HubSpot's notation: every property value is a string or null, numbers and flags too
//! (sheet: HubSpot section 2.1 \[obs, spec\]).

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::values::read_number;
use handover_model::{Kind, Value, date_text, number_text};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

/// What separates several values, without spaces (sheet: HubSpot section 9, trap 5 \[doc\]).
const SEPARATOR: char = ';';

/// A property's value as a value of `kind`. What does not read as its kind stays text: a value that was
/// stored before the property changed its type is still the customer's.
pub(super) fn read(kind: Option<&Kind>, value: &Json) -> Value {
    match value {
        Json::String(text) => read_text(kind, text),
        Json::Number(number) => read_text(kind, &number.to_string()),
        Json::Bool(flag) => read_text(kind, &flag.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => Value::Null,
    }
}

/// The same of a text, as nearly every value stands.
pub(super) fn read_text(kind: Option<&Kind>, text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    let parsed = match kind {
        Some(Kind::Bool) => read_flag(text).map(Value::Bool),
        Some(Kind::Number) => read_number(text).map(Value::Number),
        Some(Kind::Date) => read_date(text).map(Value::Date),
        Some(Kind::DateTime) => read_instant(text).map(Value::DateTime),
        Some(Kind::Choice { many: true, .. } | Kind::Reference { many: true, .. }) => {
            Some(Value::List(parts(text).map(Value::from).collect()))
        }
        Some(Kind::Email { many: true } | Kind::Phone { many: true }) => {
            Some(Value::List(parts(text).map(labelled).collect()))
        }
        _ => None,
    };
    parsed.unwrap_or_else(|| text.into())
}

/// A value as a property takes it; the empty string clears (sheet: HubSpot section 2.2 \[spec\]).
pub(super) fn write(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        // Digits and at most one point (sheet: HubSpot section 9, trap 8 [doc]).
        Value::Number(number) => number_text(*number),
        Value::Text(text) => text.clone(),
        // A day must stand so, or as milliseconds of exactly midnight UTC (trap 7 [doc]).
        Value::Date(date) => date_text(*date),
        Value::DateTime(instant) => instant_text(*instant),
        Value::Time(time) => time.to_string(),
        // Blank parts are left out: a leading separator would append to what is there instead of
        // replacing it (trap 5 [doc]).
        Value::List(items) => {
            items.iter().map(write).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(&SEPARATOR.to_string())
        }
        Value::Map(fields) => fields.get("value").map(write).unwrap_or_default(),
    }
}

/// The same without a copy of what stands as text already.
pub(super) fn written(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Text(text) => Cow::Borrowed(text),
        other => Cow::Owned(write(other)),
    }
}

/// An instant as the API writes it: UTC, milliseconds.
pub(super) fn instant_text(instant: Timestamp) -> String {
    instant.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// An instant, in ISO form or as milliseconds since 1970.
pub(super) fn read_instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| Timestamp::from_millisecond(text.parse().ok()?).ok())
}

/// An instant where one stands as text.
pub(super) fn instant_of(json: &Json) -> Option<Timestamp> {
    json.as_str().and_then(read_instant)
}

/// The parts of a value with several.
pub(super) fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(SEPARATOR).map(str::trim).filter(|part| !part.is_empty())
}

fn read_flag(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn read_date(text: &str) -> Option<Date> {
    text.parse().ok().or_else(|| Some(read_instant(text)?.to_zoned(TimeZone::UTC).date()))
}

fn labelled(part: &str) -> Value {
    Value::Map(BTreeMap::from([
        ("value".to_owned(), Value::from(part)),
        ("label".to_owned(), Value::Null),
        ("primary".to_owned(), Value::Bool(false)),
    ]))
}

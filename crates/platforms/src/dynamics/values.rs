//! Values in Dataverse's notation (sheet: Dynamics section 2): JSON of the column's own type, choices as their numbers,
//! several choices as one text with commas.
//!
//! Numbers are read from the text that stands in the answer: a binary fraction would lose digits of large sums.

use crate::json::quoted;
use crate::values::read_number;
use handover_model::{Kind, Value, date_text, number_text};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What separates several choices.
const SEPARATOR: char = ',';

/// A value as it stands in an answer, as a value of `kind`. What does not read as its kind stays text.
pub(super) fn read(kind: Option<&Kind>, json: &str) -> Value {
    match json.as_bytes().first() {
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'"') => match serde_json::from_str::<String>(json) {
            Ok(text) => read_text(kind, text),
            Err(_) => Value::Null,
        },
        // Choices are numbers there and names of options here.
        Some(b'-' | b'0'..=b'9') if matches!(kind, Some(Kind::Choice { .. })) => json.into(),
        Some(b'-' | b'0'..=b'9') => read_number(json).map_or_else(|| json.into(), Value::Number),
        _ => Value::Null,
    }
}

fn read_text(kind: Option<&Kind>, text: String) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    let parsed = match kind {
        Some(Kind::Number) => read_number(&text).map(Value::Number),
        Some(Kind::Date) => text.get(..10).and_then(|day| day.parse::<Date>().ok()).map(Value::Date),
        Some(Kind::DateTime) => read_instant(&text).map(Value::DateTime),
        Some(Kind::Choice { many: true, .. }) => {
            let parts = text.split(SEPARATOR).map(str::trim).filter(|part| !part.is_empty());
            Some(Value::List(parts.map(Value::from).collect()))
        }
        _ => None,
    };
    parsed.unwrap_or(Value::Text(text))
}

/// An instant: `2016-09-24T22:34:43Z`.
pub(super) fn read_instant(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A value as JSON text, for a column of `kind`.
///
/// # Errors
/// In words, without the value.
pub(super) fn write(kind: &Kind, value: &Value) -> Result<String, &'static str> {
    Ok(match (kind, value) {
        (_, Value::Null) => "null".to_owned(),
        (Kind::Choice { many: true, .. }, value) => {
            let chosen = value.ids();
            if chosen.iter().any(|one| one.contains(SEPARATOR)) {
                return Err("one of several choices has a comma, which would make two of it");
            }
            if chosen.is_empty() { "null".to_owned() } else { quoted(&chosen.join(",")) }
        }
        (Kind::Choice { .. }, value) if value.is_blank() => "null".to_owned(),
        (Kind::Choice { .. }, value) => {
            let text = value.display();
            // What is no number is no option: the platform says so, of its row alone.
            if text.parse::<i64>().is_ok() { text } else { quoted(&text) }
        }
        (_, Value::Bool(flag)) => flag.to_string(),
        (_, Value::Number(number)) => number_text(*number),
        (_, Value::Map(parts)) => return parts.get("value").map_or(Ok("null".to_owned()), |value| write(kind, value)),
        (_, value) => quoted(&plain(value)),
    })
}

/// A value as text without quotes: a key, a day.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Date(date) => date_text(*date),
        Value::DateTime(instant) => instant.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        other => other.display(),
    }
}

//! Values in Salesforce's notation (sheet: Salesforce section 2): JSON of the field's own type, several choices
//! as one text with semicolons.
//!
//! Numbers are read from the text that stands in the answer: a binary fraction would lose digits of large sums.

use crate::json::quoted;
use crate::values::read_number;
use handover_model::{Kind, Value, date_text, number_text};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// What separates several values (sheet: Salesforce section 9).
const SEPARATOR: char = ';';

/// A value as it stands in an answer, as a value of `kind`. What does not read as its kind stays text.
pub(super) fn read(kind: Option<&Kind>, json: &str) -> Value {
    match json.as_bytes().first() {
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'"') => match serde_json::from_str::<String>(json) {
            Ok(text) => read_text(kind, text),
            Err(_) => Value::Null,
        },
        Some(b'-' | b'0'..=b'9') => read_number(json).map_or_else(|| json.into(), Value::Number),
        // Null, a compound of fields that are read by themselves, a parent.
        _ => Value::Null,
    }
}

/// A value as it stands in a cell of a job's result: text of its kind, nothing where it is null (sheet: Salesforce
/// section 4 \[doc\]). What does not read as its kind stays text, as in an answer.
pub(super) fn read_cell(kind: Option<&Kind>, text: &str) -> Value {
    match (kind, text) {
        (Some(Kind::Bool), "true") => Value::Bool(true),
        (Some(Kind::Bool), "false") => Value::Bool(false),
        _ => read_text(kind, text.to_owned()),
    }
}

fn read_text(kind: Option<&Kind>, text: String) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    let parsed = match kind {
        Some(Kind::Number) => read_number(&text).map(Value::Number),
        Some(Kind::Date) => text.parse::<Date>().ok().map(Value::Date),
        Some(Kind::DateTime) => read_instant(&text).map(Value::DateTime),
        Some(Kind::Time) => read_time(&text).map(Value::Time),
        Some(Kind::Choice { many: true, .. }) => Some(Value::List(parts(&text).map(Value::from).collect())),
        _ => None,
    };
    parsed.unwrap_or(Value::Text(text))
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(SEPARATOR).map(str::trim).filter(|part| !part.is_empty())
}

/// An instant: `2013-05-07T22:07:19.000+0000`.
pub(super) fn read_instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let at = text.len().checked_sub(2)?;
        format!("{}:{}", text.get(..at)?, text.get(at..)?).parse().ok()
    })
}

/// A time of day: `HH:mm:ss.SSSZ`.
fn read_time(text: &str) -> Option<Time> {
    text.trim_end_matches('Z').parse().ok()
}

/// A value as a body has it, in JSON.
///
/// # Errors
/// In words, when the platform could not tell it from another value.
pub(super) fn write(value: &Value) -> Result<String, &'static str> {
    Ok(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number_text(*number),
        Value::List(items) => {
            let mut joined = String::new();
            for item in items.iter().filter(|item| !item.is_blank()) {
                let part = item.display();
                if part.contains(SEPARATOR) {
                    return Err("one of several choices has a semicolon, which would make two of it");
                }
                if !joined.is_empty() {
                    joined.push(SEPARATOR);
                }
                joined.push_str(&part);
            }
            if joined.is_empty() { "null".to_owned() } else { quoted(&joined) }
        }
        Value::Map(parts) => return parts.get("value").map_or(Ok("null".to_owned()), write),
        text => quoted(&plain(text)),
    })
}

/// A value as text without quotes: a key, a day.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Date(date) => date_text(*date),
        Value::DateTime(instant) => instant.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        Value::Time(time) => time.strftime("%H:%M:%S%.3fZ").to_string(),
        other => other.display(),
    }
}

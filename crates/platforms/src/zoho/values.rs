//! Values in Zoho's notation (sheet: Zoho sections 3, 5): JSON of the field's own type, lookups and users as objects
//! with an id, several choices as a list.
//!
//! - Numbers are read from the text that stands in the answer: a binary fraction would lose digits of large sums.
//! - Times come back in the zone of the user who asks (trap 9); they are instants here.
//! - Choices are kept by their actual values; where an answer shows what users read instead (trap 4), the actual value
//!   is put in its place.

use handover_model::{Choice, Kind, Value, date_text, number_text};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value as Json;

use super::coql::instant;
use super::objects::is_id;
use super::phone;
use crate::json::quoted;
use crate::values::{fits, read_number};

/// What the application shows for no choice (sheet: Zoho trap 8).
pub(super) const NONE: &str = "-None-";
/// What separates several choices where they come as one text.
const SEPARATOR: char = ';';
/// What may separate them in a cell of a job's result.
const SEPARATORS: [char; 2] = [SEPARATOR, ','];

/// A value as it stands in an answer, as a value of `kind`. What does not read as its kind stays text.
pub(super) fn read(kind: Option<&Kind>, json: &str) -> Value {
    match json.as_bytes().first() {
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'-' | b'0'..=b'9') => match read_number(json) {
            // Long whole numbers are texts here.
            Some(_) if matches!(kind, Some(Kind::Text { .. } | Kind::Opaque)) => json.into(),
            Some(number) => Value::Number(number),
            None => json.into(),
        },
        Some(b'"') => serde_json::from_str::<String>(json).map_or(Value::Null, |text| read_text(kind, text)),
        Some(b'{' | b'[') => serde_json::from_str::<Json>(json).map_or(Value::Null, |json| read_parts(kind, &json)),
        _ => Value::Null,
    }
}

/// Whether text in a cell of a job's result says all that a field's value is: the parts of what only Zoho reads it does
/// not, nor where one of several choices ends that has a separator in it.
pub(super) fn is_cell(kind: &Kind) -> bool {
    match kind {
        Kind::Opaque | Kind::Reference { many: true, .. } => false,
        Kind::Choice { options, many: true } => {
            options.iter().all(|one| !one.value.contains(SEPARATORS) && !one.label.contains(SEPARATORS))
        }
        _ => true,
    }
}

/// A value as it stands in a cell of a job's result, nothing where it is null; `None` when it does not read as its kind.
/// Lookups are bare ids, several choices one text (sheet: Zoho section 4 \[doc\]).
pub(super) fn read_cell(kind: &Kind, cell: &str) -> Option<Value> {
    if cell.is_empty() {
        return Some(Value::Null);
    }
    match kind {
        Kind::Bool => {
            let is = |word: &str| cell.eq_ignore_ascii_case(word);
            (is("true") || is("false")).then(|| Value::Bool(is("true")))
        }
        Kind::User | Kind::Reference { .. } => is_id(cell).then(|| cell.into()),
        Kind::Choice { options, many: true } => choices_of(options, cell).map(|parts| several(Some(kind), parts)),
        kind => Some(read_text(Some(kind), cell.to_owned())).filter(|value| fits(kind, value)),
    }
}

/// The choices in a cell. The sheet parts them by semicolons, other public readers of results by commas: so only what is
/// offered is believed to be one of several.
fn choices_of<'c>(options: &[Choice], cell: &'c str) -> Option<std::vec::IntoIter<&'c str>> {
    let is_offered = |part: &&str| options.iter().any(|one| one.value == **part || one.label == **part);
    let parts = |separator: char| cell.split(separator).map(str::trim).collect::<Vec<_>>();
    if !cell.contains(SEPARATORS) {
        return Some(vec![cell.trim()].into_iter());
    }
    let all = SEPARATORS.into_iter().map(parts).find(|parts| parts.iter().all(is_offered))?;
    Some(all.into_iter())
}

fn read_text(kind: Option<&Kind>, text: String) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    let parsed = match kind {
        Some(Kind::Number) => read_number(&text).map(Value::Number),
        Some(Kind::Bool) => text.parse().ok().map(Value::Bool),
        Some(Kind::Date) => text.parse::<Date>().ok().map(Value::Date),
        Some(Kind::DateTime) => read_instant(&text).map(Value::DateTime),
        Some(Kind::Choice { many: true, .. }) => {
            Some(several(kind, text.split(SEPARATOR).map(str::trim).filter(|part| !part.is_empty())))
        }
        Some(Kind::Choice { many: false, .. }) => Some(choice(kind, &text)),
        _ => None,
    };
    parsed.unwrap_or(Value::Text(text))
}

/// Objects and lists: the ids in them, or the names where there are none.
fn read_parts(kind: Option<&Kind>, json: &Json) -> Value {
    match (kind, json) {
        (Some(Kind::Opaque), _) => whole(json),
        (Some(Kind::Choice { many: true, .. }), Json::Array(items)) => {
            several(kind, items.iter().filter_map(Json::as_str))
        }
        (Some(Kind::Choice { many: false, .. }), Json::Object(parts)) => {
            let name = ["name", "id"].into_iter().find_map(|part| parts.get(part).and_then(Json::as_str));
            name.map_or(Value::Null, |name| choice(kind, name))
        }
        (Some(Kind::Reference { many: true, .. }), Json::Array(items)) => {
            // A row of a linking module has an id of its own beside the record that it leads to.
            let far = |item: &Json| item.as_object().and_then(|row| row.values().find_map(id_of));
            Value::List(items.iter().filter_map(far).map(Value::from).collect())
        }
        (_, Json::Object(_)) => id_of(json).map_or(Value::Null, Value::from),
        (_, Json::Array(items)) => Value::List(items.iter().map(whole).collect()),
        _ => Value::Null,
    }
}

fn id_of(json: &Json) -> Option<String> {
    json.get("id").and_then(Json::as_str).filter(|id| !id.is_empty()).map(str::to_owned)
}

/// Something that only Zoho reads, with all its parts.
fn whole(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => read_number(&number.to_string()).map_or(Value::Null, Value::Number),
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Value::List(items.iter().map(whole).collect()),
        Json::Object(parts) => Value::Map(parts.iter().map(|(name, part)| (name.clone(), whole(part))).collect()),
    }
}

fn several<'t>(kind: Option<&Kind>, texts: impl Iterator<Item = &'t str>) -> Value {
    Value::List(texts.map(|text| choice(kind, text)).filter(|value| *value != Value::Null).collect())
}

/// The actual value of a choice.
fn choice(kind: Option<&Kind>, text: &str) -> Value {
    if text == NONE {
        return Value::Null;
    }
    let Some(Kind::Choice { options, .. }) = kind else { return text.into() };
    let shown = || options.iter().find(|option| option.label == text).map(|option| option.value.as_str());
    let is_actual = options.iter().any(|option| option.value == text);
    if is_actual { text.into() } else { shown().unwrap_or(text).into() }
}

/// An instant: `2026-05-14T12:53:58+03:00`.
pub(super) fn read_instant(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A value as a body has it, in JSON.
///
/// # Errors
/// In words, when a record cannot have it.
pub(super) fn write(kind: Option<&Kind>, value: &Value) -> Result<String, &'static str> {
    Ok(match (kind, value) {
        (_, Value::Null) => "null".to_owned(),
        (Some(Kind::User | Kind::Reference { many: false, .. }), value) if value.is_blank() => "null".to_owned(),
        (Some(Kind::User | Kind::Reference { many: false, .. }), value) => pointer(&value.display()),
        (Some(Kind::Choice { many: true, .. }), value) => {
            let items = match value {
                Value::List(items) => items.iter().filter(|item| !item.is_blank()).map(Value::display).collect(),
                value if value.is_blank() => Vec::new(),
                value => vec![value.display()],
            };
            if items.is_empty() { "null".to_owned() } else { Json::from(items).to_string() }
        }
        (_, Value::Bool(flag)) => flag.to_string(),
        (Some(Kind::Text { .. }), Value::Number(number)) => quoted(&number_text(*number)),
        (_, Value::Number(number)) => number_text(*number),
        (_, Value::List(_) | Value::Map(_)) => return Err("a list is no value of this field"),
        (_, value) if value.is_blank() => "null".to_owned(),
        (Some(Kind::Phone { .. }), value) => quoted(&phone::written(&plain(value))),
        (_, value) => quoted(&plain(value)),
    })
}

/// What points to a record or user.
pub(super) fn pointer(id: &str) -> String {
    format!("{{\"id\":{}}}", quoted(id))
}

/// A value as text without quotes: a key, a day.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Date(date) => date_text(*date),
        Value::DateTime(at) => instant(*at),
        other => other.display(),
    }
}

//! How one value stands in JSON, read and written.
//!
//! Invariant: reading loses nothing. What does not look as documented is carried as text, so that the
//! validation of the flow sees it, and never becomes empty.

use std::collections::BTreeMap;

use handover_model::{Kind, Value};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value as Json, json};

use super::prices;

/// How a value stands in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Text.
    Text,
    /// A number; v2 refuses numbers in quotes (sheet: Pipedrive section 9 trap 5).
    Number,
    /// True or false; v2 refuses 0 and 1 (trap 5).
    Bool,
    /// True or false as v1 writes it: 0 or 1 (sheet: section 0b \[doc\]).
    Flag,
    /// An instant, RFC 3339 (v2).
    Instant,
    /// An instant, `YYYY-MM-DD HH:MM:SS` in UTC (v1, and `archive_time` of v2: sheet section 5 \[spec\]).
    Stamp,
    /// A day.
    Date,
    /// A time of day, `HH:MM:SS`.
    Clock,
    /// A numeric id: of an option, a user, a record.
    Id,
    /// Numeric ids.
    Ids,
    /// A numeric id that v1 writes as text (`visible_to` of leads: sheet section 5 \[spec\]).
    TextId,
    /// Ids that are text (labels of leads).
    Words,
    /// `[{"value", "primary", "label"}]`.
    Contacts,
    /// `[{"person_id", "primary"}]`.
    Participants,
    /// `[{"email_address", "name", ..}]`: the parties of an e-mail, read as addresses with names.
    Parties,
    /// `[{"currency", "price", "cost", "direct_cost"}]`: a product's prices, as a map from currency to amounts.
    Prices,
    /// Carried as it is.
    Opaque,
}

impl Form {
    /// The form of a custom field's value, or of a part of it, in v2 (sheet: section 3 \[doc\]).
    pub(super) fn of_custom(kind: &Kind) -> Self {
        match kind {
            Kind::Text { .. } | Kind::Currency | Kind::Email { many: false } | Kind::Phone { many: false } => {
                Self::Text
            }
            Kind::Email { many: true } | Kind::Phone { many: true } => Self::Contacts,
            Kind::Bool => Self::Bool,
            Kind::Number => Self::Number,
            Kind::Date => Self::Date,
            Kind::DateTime => Self::Instant,
            Kind::Time => Self::Clock,
            Kind::Choice { many: true, .. } | Kind::Reference { many: true, .. } => Self::Ids,
            Kind::Choice { .. } | Kind::User | Kind::Reference { .. } => Self::Id,
            Kind::Opaque => Self::Opaque,
        }
    }

    /// Reads a value.
    pub(super) fn read(self, json: &Json) -> Value {
        match json {
            Json::Null => return Value::Null,
            Json::String(text) => return self.read_text(text),
            _ => {}
        }
        match self {
            Self::Text | Self::TextId | Self::Date | Self::Clock | Self::Instant | Self::Stamp => text(json),
            Self::Id => id(json),
            Self::Number => number(json).unwrap_or_else(|| text(json)),
            Self::Bool | Self::Flag => flag(json).map_or_else(|| text(json), Value::Bool),
            Self::Ids | Self::Words => list(json, id),
            Self::Participants => participants(json),
            Self::Contacts => list(json, opaque),
            Self::Parties => list(json, party),
            Self::Prices => prices::read(json),
            Self::Opaque => opaque(json),
        }
    }

    /// Reads a value that stands as text.
    pub(super) fn read_text(self, text: &str) -> Value {
        let or_text = |value: Option<Value>| value.unwrap_or_else(|| text.into());
        match self {
            Self::Text | Self::TextId | Self::Prices | Self::Opaque => text.into(),
            Self::Id => word(text),
            Self::Number => or_text(decimal(text).map(Value::Number)),
            Self::Bool | Self::Flag => or_text(flag_word(text).map(Value::Bool)),
            // v1 writes an unset text-like value as "" in places.
            Self::Instant | Self::Stamp | Self::Date | Self::Clock if text.is_empty() => Value::Null,
            Self::Instant | Self::Stamp => or_text(instant(text).map(Value::DateTime)),
            Self::Date => or_text(day(text).map(Value::Date)),
            Self::Clock => or_text(clock(text).map(Value::Time)),
            Self::Ids | Self::Words => Value::List(vec![word(text)]),
            Self::Participants => Value::List(Vec::new()),
            Self::Contacts => Value::List(vec![text.into()]),
            Self::Parties => Value::List(vec![party(&Json::Null)]),
        }
    }

    /// Reads a value that stands as a number.
    pub(super) fn read_number(self, number: Number) -> Value {
        if self == Self::Number
            && let Some(number) = exact(&number)
        {
            return Value::Number(number);
        }
        match number.as_u64() {
            Some(id) if self == Self::Id => Value::Text(id.to_string()),
            _ => self.read(&Json::Number(number)),
        }
    }

    /// Writes a value.
    ///
    /// # Errors
    /// The word for what was expected.
    pub(super) fn write(self, value: &Value) -> Result<Json, &'static str> {
        match (self, value) {
            // An empty list of contacts or labels is a list; only sets of custom fields refuse it, and
            // their writer says null (sheet: section 3 [doc]).
            (Self::Contacts | Self::Ids | Self::Words | Self::Participants | Self::Prices, Value::Null) => {
                Ok(json!([]))
            }
            (_, Value::Null) => Ok(Json::Null),
            (Self::Text, Value::Text(text)) => Ok(json!(text)),
            (Self::Text, Value::Number(number)) => Ok(json!(number.normalize().to_string())),
            (Self::Text, Value::Time(_) | Value::Date(_) | Value::DateTime(_)) => Ok(json!(value.display())),
            (Self::Text, _) => Err("text"),
            (Self::Number, Value::Number(number)) => number_json(*number),
            (Self::Number, _) => Err("a number"),
            (Self::Bool, Value::Bool(flag)) => Ok(json!(flag)),
            (Self::Flag, Value::Bool(flag)) => Ok(json!(u8::from(*flag))),
            (Self::Bool | Self::Flag, _) => Err("yes or no"),
            (Self::Instant, Value::DateTime(at)) => Ok(json!(rfc3339(*at))),
            (Self::Stamp, Value::DateTime(at)) => Ok(json!(floor(*at).strftime("%Y-%m-%d %H:%M:%S").to_string())),
            (Self::Instant | Self::Stamp, _) => Err("a date and time"),
            (Self::Date, Value::Date(date)) => Ok(json!(date.to_string())),
            (Self::Date, _) => Err("a date"),
            (Self::Clock, Value::Time(time)) => Ok(json!(time.strftime("%H:%M:%S").to_string())),
            (Self::Clock, _) => Err("a time of day"),
            (Self::Id, Value::Text(id)) => id_json(id),
            (Self::Id, Value::Number(number)) => id_json(&number.normalize().to_string()),
            (Self::Id, _) => Err("an id"),
            (Self::TextId, Value::Text(id)) => Ok(json!(id)),
            (Self::TextId, _) => Err("an id"),
            (Self::Ids, value) => ids(value)?.into_iter().map(id_json).collect(),
            (Self::Words, value) => Ok(json!(ids(value)?)),
            (Self::Participants, value) => participants_json(&ids(value)?),
            (Self::Contacts, value) => contacts(value),
            (Self::Prices, value) => prices::write(value),
            // Mail is read only.
            (Self::Parties | Self::Opaque, value) => Ok(plain(value)),
        }
    }
}

/// The participants of an activity, the first of them the main person (sheet: section 2.1 \[doc\]).
pub(super) fn participants_json(ids: &[&str]) -> Result<Json, &'static str> {
    let mut list: Vec<Json> = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        list.push(json!({"person_id": id_json(id)?, "primary": at == 0}));
    }
    Ok(Json::Array(list))
}

/// An id as v1 and v2 have it in many places: a number, a text, or an object around one (v1 puts
/// persons and organizations as `{"value": 1598, "name": ..}`; vendor's specification).
pub(super) fn id_text(json: &Json) -> Option<String> {
    match json {
        Json::Number(number) => Some(number.to_string()),
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Object(map) => {
            map.get("value").or_else(|| map.get("id")).or_else(|| map.get("person_id")).and_then(id_text)
        }
        _ => None,
    }
}

/// An instant in either version's notation; a v1 time is UTC.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    if let Some(instant) = plain_instant(text.as_bytes()) {
        return Some(instant);
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let civil = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// RFC 3339 in whole seconds: fractions are refused in `updated_since` (sheet: section 4 \[obs\]).
pub(super) fn rfc3339(at: Timestamp) -> String {
    floor(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn floor(at: Timestamp) -> Timestamp {
    at.round(TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Floor)).unwrap_or(at)
}

fn text(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::String(text) => Value::Text(text.clone()),
        Json::Number(_) | Json::Bool(_) => Value::Text(json.to_string()),
        Json::Array(_) | Json::Object(_) => opaque(json),
    }
}

fn id(json: &Json) -> Value {
    id_text(json).map_or(Value::Null, Value::Text)
}

/// An id that stands as text.
fn word(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

pub(super) fn number(json: &Json) -> Option<Value> {
    match json {
        Json::Number(number) => exact(number).map(Value::Number),
        Json::String(text) => decimal(text).map(Value::Number),
        _ => None,
    }
}

/// A number as the decimal that its shortest text is.
fn exact(number: &Number) -> Option<Decimal> {
    if let Some(whole) = number.as_u64() {
        return Some(whole.into());
    }
    if let Some(whole) = number.as_i64() {
        return Some(whole.into());
    }
    number.as_f64().and_then(few_digits).or_else(|| decimal(&number.to_string()))
}

/// A double of at most 15 digits, a few of them decimals. Two such numbers are never one double, so the one
/// that is found here is what the shortest text says.
fn few_digits(double: f64) -> Option<Decimal> {
    const MOST: f64 = 1e15;
    let mut power = 1.0;
    for scale in 0..=6 {
        let whole = (double * power).round();
        if whole.abs() >= MOST {
            return None;
        }
        if whole != 0.0 && whole / power == double {
            return Some(Decimal::new(whole as i64, scale));
        }
        power *= 10.0;
    }
    None
}

fn decimal(text: &str) -> Option<Decimal> {
    let number = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text)).ok()?;
    Some(number.normalize())
}

fn flag(json: &Json) -> Option<bool> {
    match json {
        Json::Bool(flag) => Some(*flag),
        Json::Number(number) => number.as_u64().map(|number| number != 0),
        Json::String(text) => flag_word(text),
        _ => None,
    }
}

fn flag_word(text: &str) -> Option<bool> {
    match text {
        "0" | "false" => Some(false),
        "1" | "true" => Some(true),
        _ => None,
    }
}

fn day(text: &str) -> Option<Date> {
    plain_day(text.as_bytes()).or_else(|| text.parse().ok())
}

/// `YYYY-MM-DD`, the form in which nearly all days come.
fn plain_day(text: &[u8]) -> Option<Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    let year = number_of(&[y1, y2, y3, y4])?;
    let (month, day) = (number_of(&[m1, m2])?, number_of(&[d1, d2])?);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// `YYYY-MM-DDTHH:MM:SSZ`, the form in which nearly all of v2's instants come.
fn plain_instant(text: &[u8]) -> Option<Timestamp> {
    let (day, time) = text.split_at_checked(10)?;
    let [b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'Z'] = *time else { return None };
    let part = |digits: [u8; 2]| i8::try_from(number_of(&digits)?).ok();
    let time = Time::new(part([h1, h2])?, part([m1, m2])?, part([s1, s2])?, 0).ok()?;
    TimeZone::UTC.to_timestamp(plain_day(day)?.to_datetime(time)).ok()
}

/// A few digits as a number.
fn number_of(digits: &[u8]) -> Option<i16> {
    let mut number = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i16::from(digit - b'0');
    }
    Some(number)
}

fn clock(text: &str) -> Option<Time> {
    Time::strptime("%H:%M:%S", text).or_else(|_| Time::strptime("%H:%M", text)).ok()
}

fn list(json: &Json, one: impl Fn(&Json) -> Value) -> Value {
    match json {
        Json::Array(items) => Value::List(items.iter().map(one).collect()),
        other => Value::List(vec![one(other)]),
    }
}

fn participants(json: &Json) -> Value {
    let mut people: Vec<(bool, Value)> = json
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| {
            let person = id_text(one.get("person_id")?)?;
            let primary = one.get("primary").and_then(Json::as_bool).unwrap_or(false);
            Some((!primary, Value::Text(person)))
        })
        .collect();
    people.sort_by_key(|(not_primary, _)| *not_primary);
    Value::List(people.into_iter().map(|(_, person)| person).collect())
}

/// A party as an entry of an e-mail list: the address, and the name in the label's place.
fn party(json: &Json) -> Value {
    let part = |name: &str| json.get(name).filter(|part| !part.is_null()).map_or(Value::Null, text);
    let parts = [("value", part("email_address")), ("label", part("name"))];
    Value::Map(parts.into_iter().map(|(name, part)| (name.to_owned(), part)).collect())
}

fn opaque(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(_) => number(json).unwrap_or_else(|| Value::Text(json.to_string())),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(opaque).collect()),
        Json::Object(map) => Value::Map(map.iter().map(|(name, part)| (name.clone(), opaque(part))).collect()),
    }
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => json!(flag),
        Value::Number(number) => number_json(*number).unwrap_or(Json::Null),
        Value::Text(text) => json!(text),
        Value::Date(_) | Value::DateTime(_) | Value::Time(_) => json!(value.display()),
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Map(parts) => Json::Object(parts.iter().map(|(name, part)| (name.clone(), plain(part))).collect()),
    }
}

/// Pipedrive's numbers are doubles, so a double carries all that it can keep.
pub(super) fn number_json(number: Decimal) -> Result<Json, &'static str> {
    let text = number.normalize().to_string();
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(json!(whole));
    }
    text.parse::<f64>().ok().and_then(Number::from_f64).map(Json::Number).ok_or("a number")
}

fn id_json(id: &str) -> Result<Json, &'static str> {
    if id.is_empty() {
        return Ok(Json::Null);
    }
    id.parse::<u64>().map(|id| json!(id)).map_err(|_| "a whole number as id")
}

fn ids(value: &Value) -> Result<Vec<&str>, &'static str> {
    match value {
        Value::Text(_) => Ok(value.ids()),
        Value::List(items) => items.iter().map(|item| item.as_text().ok_or("ids")).collect(),
        _ => Err("ids"),
    }
}

/// The whole list is replaced on every write; only `value` is required of an entry, the first becomes
/// primary when none is (sheet: section 5 [P1]).
fn contacts(value: &Value) -> Result<Json, &'static str> {
    let items = match value {
        Value::List(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut list = Vec::new();
    for item in items {
        match item {
            Value::Text(text) if text.is_empty() => {}
            Value::Text(text) => list.push(json!({"value": text})),
            Value::Map(parts) => list.push(contact(parts)),
            _ => return Err("addresses or numbers"),
        }
    }
    Ok(Json::Array(list))
}

fn contact(parts: &BTreeMap<String, Value>) -> Json {
    let mut map = Map::new();
    for name in ["value", "label", "primary"] {
        match parts.get(name) {
            Some(Value::Text(text)) => drop(map.insert(name.to_owned(), json!(text))),
            Some(Value::Bool(flag)) => drop(map.insert(name.to_owned(), json!(flag))),
            _ => {}
        }
    }
    Json::Object(map)
}

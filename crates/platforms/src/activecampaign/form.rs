//! How one value stands in JSON, read and written.
//!
//! Numbers and ids come as texts or numbers, and `""`, `"0"` of an id and null all mean none (sheet: ActiveCampaign
//! section 2, section 9 trap 9). Reading loses nothing: what does not look as documented is carried as text.

use handover_model::{Kind, Value};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

/// How a value stands in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Text; the empty one wipes (section 5 \[code\]).
    Text,
    /// An id, or an option that is a number.
    Id,
    /// Ids, gathered by the dialect itself.
    TextIds,
    /// A whole number.
    Number,
    /// A number as text, as custom values have it.
    Decimal,
    /// Money in hundredths, whatever the currency (section 9 trap 4).
    Cents,
    /// A currency, in lower case.
    Currency,
    /// `0` or `1`.
    Flag,
    /// An instant, ISO 8601 with an offset.
    Instant,
    /// A day.
    Date,
    /// Options of a contact's field: `||a||b||`.
    Pipes,
    /// Options of a deal's or account's field: an array.
    Array,
    /// Carried as it is.
    Opaque,
}

impl Form {
    /// The form of a custom value (section 5, encodings); `pipes` for contacts.
    pub(super) fn of_custom(kind: &Kind, pipes: bool) -> Self {
        match kind {
            Kind::Choice { many: true, .. } if pipes => Self::Pipes,
            Kind::Choice { many: true, .. } => Self::Array,
            Kind::Number => Self::Decimal,
            Kind::Date => Self::Date,
            Kind::DateTime => Self::Instant,
            Kind::Bool => Self::Flag,
            Kind::Opaque => Self::Opaque,
            Kind::Text { .. }
            | Kind::Time
            | Kind::Choice { .. }
            | Kind::User
            | Kind::Reference { .. }
            | Kind::Email { .. }
            | Kind::Phone { .. }
            | Kind::Currency => Self::Text,
        }
    }

    /// Reads a value.
    pub(super) fn read(self, json: &Json) -> Value {
        let text = match json {
            Json::Null => return Value::Null,
            Json::String(text) if text.is_empty() => return Value::Null,
            Json::String(text) => text.clone(),
            Json::Number(_) | Json::Bool(_) => json.to_string(),
            Json::Array(items) => return Value::List(items.iter().filter_map(word).map(Value::Text).collect()),
            Json::Object(_) => return Value::Text(json.to_string()),
        };
        let or_text = |value: Option<Value>| value.unwrap_or_else(|| Value::Text(text.clone()));
        match self {
            Self::Text | Self::Opaque => Value::Text(text),
            // 0 is a status and no record; the reader knows which it is.
            Self::Id | Self::TextIds => Value::Text(text),
            Self::Number | Self::Decimal => or_text(decimal(&text).map(Value::Number)),
            Self::Cents => {
                or_text(decimal(&text).map(|cents| Value::Number((cents / Decimal::ONE_HUNDRED).normalize())))
            }
            Self::Currency => Value::Text(text.to_uppercase()),
            Self::Flag => match text.as_str() {
                "0" | "false" => Value::Bool(false),
                "1" | "true" => Value::Bool(true),
                _ => Value::Text(text),
            },
            // Unset times are zeros in places (recorded contact of 2021).
            Self::Instant | Self::Date if text.starts_with("0000-00-00") => Value::Null,
            Self::Instant => or_text(instant(&text).map(Value::DateTime)),
            Self::Date => or_text(day(&text).map(Value::Date)),
            Self::Pipes | Self::Array => {
                Value::List(text.split("||").filter(|part| !part.is_empty()).map(Value::from).collect())
            }
        }
    }

    /// Writes a value.
    ///
    /// # Errors
    /// The word for what was expected.
    pub(super) fn write(self, value: &Value) -> Result<Json, &'static str> {
        match (self, value) {
            (Self::Text | Self::Decimal | Self::Date | Self::Instant | Self::Pipes | Self::Currency, Value::Null) => {
                Ok(json!(""))
            }
            (_, Value::Null) => Ok(Json::Null),
            (Self::Text | Self::Opaque, Value::Text(text)) => Ok(json!(text)),
            (
                Self::Text | Self::Opaque,
                Value::Number(_) | Value::Date(_) | Value::DateTime(_) | Value::Time(_) | Value::Bool(_),
            ) => Ok(json!(value.display())),
            (Self::Text | Self::Opaque, _) => Err("text"),
            (Self::Id, Value::Text(id)) => id_json(id),
            (Self::Id, _) => Err("an id"),
            (Self::TextIds, _) => Err("links in calls of their own"),
            (Self::Number, Value::Number(number)) => whole(*number).ok_or("a whole number"),
            (Self::Number, _) => Err("a whole number"),
            (Self::Decimal, Value::Number(number)) => Ok(json!(number.normalize().to_string())),
            (Self::Decimal, _) => Err("a number"),
            (Self::Cents, Value::Number(number)) => {
                whole(*number * Decimal::ONE_HUNDRED).ok_or("an amount with two decimals at most")
            }
            (Self::Cents, _) => Err("an amount"),
            (Self::Currency, Value::Text(code)) => Ok(json!(code.to_lowercase())),
            (Self::Currency, _) => Err("a currency"),
            (Self::Flag, Value::Bool(flag)) => Ok(json!(u8::from(*flag))),
            (Self::Flag, _) => Err("yes or no"),
            (Self::Instant, Value::DateTime(at)) => Ok(json!(iso(*at))),
            (Self::Instant, _) => Err("a date and time"),
            (Self::Date, Value::Date(date)) => Ok(json!(date.to_string())),
            (Self::Date, _) => Err("a date"),
            (Self::Pipes, value) => {
                let options = texts(value)?;
                Ok(if options.is_empty() { json!("") } else { json!(format!("||{}||", options.join("||"))) })
            }
            (Self::Array, value) => Ok(json!(texts(value)?)),
        }
    }
}

/// An id as text; `"0"`, `""` and null are none (section 9 trap 9).
pub(super) fn id_text(json: &Json) -> Option<String> {
    word(json).filter(|id| id != "0")
}

/// A text or a number as text.
pub(super) fn word(json: &Json) -> Option<String> {
    match json {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A number that comes as a number or as a text.
pub(super) fn count(json: &Json) -> Option<u64> {
    word(json)?.parse().ok()
}

/// An instant. Without an offset it is taken as UTC (section 4, time trap).
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let civil = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// ISO 8601 in whole seconds.
pub(super) fn iso(at: Timestamp) -> String {
    let floor = at.round(TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Floor)).unwrap_or(at);
    floor.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

fn day(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

fn decimal(text: &str) -> Option<Decimal> {
    let number = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text)).ok()?;
    Some(number.normalize())
}

fn whole(number: Decimal) -> Option<Json> {
    let number = number.normalize();
    if number.scale() > 0 { None } else { i64::try_from(number).ok().map(|number| json!(number)) }
}

fn id_json(id: &str) -> Result<Json, &'static str> {
    if id.is_empty() {
        return Ok(Json::Null);
    }
    if id.bytes().all(|byte| byte.is_ascii_digit()) { Ok(json!(id)) } else { Err("a whole number as id") }
}

fn texts(value: &Value) -> Result<Vec<&str>, &'static str> {
    match value {
        Value::Text(text) if text.is_empty() => Ok(Vec::new()),
        Value::Text(text) => Ok(vec![text]),
        Value::List(items) => items.iter().map(|item| item.as_text().ok_or("options")).collect(),
        _ => Err("options"),
    }
}

//! Days, instants and durations. No clock and no time zone: what has no zone is UTC, and says so.

use handover_model::Value;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::super::registry::{Back, Failure, Function, Place, Type};
use super::{USUAL, optional, required, text_at, value, value_at, word};

const ORDER: super::Parameter = word(
    "order",
    &["day_month", "month_day"],
    "Whether `03/04/2026` is 3 April (`day_month`) or March 4 (`month_day`); such dates are refused when it is not given.",
);
const FORMAT: super::Parameter =
    optional("format", Type::Text, "The form in strftime notation, `%d.%m.%Y`; ISO 8601 when it is not given.");

pub(super) static ALL: &[Function] = &[
    Function {
        name: "date",
        doc: "Reads a day out of text, or takes the day (in UTC) of an instant.",
        parameters: &[value(Type::Any, "The value."), FORMAT, ORDER],
        gives: Type::Text,
        fallible: true,
        example: r#"date!("31.01.2026", "%d.%m.%Y")"#,
        result: "2026-01-31",
        run: date,
        back: Back::Same,
        ..USUAL
    },
    Function {
        name: "datetime",
        doc: "Reads an instant out of text; without a zone it is UTC, a day alone is its midnight in UTC.",
        parameters: &[value(Type::Any, "The value."), FORMAT],
        gives: Type::DateTime,
        fallible: true,
        example: r#"datetime!("2026-01-31 14:30:00")"#,
        result: "2026-01-31T14:30:00Z",
        run: datetime,
        back: Back::Same,
        ..USUAL
    },
    Function {
        name: "format_date",
        doc: "Writes a day or an instant (in UTC) in a form of your choice.",
        parameters: &[
            value(Type::Any, "The day or instant."),
            required("format", Type::Text, "The form in strftime notation."),
        ],
        fallible: true,
        example: r#"format_date!("2026-01-31", "%d.%m.%Y")"#,
        result: "31.01.2026",
        run: |arguments| {
            let instant = instant_of(value_at(arguments, 0)).ok_or(NOT_INSTANT)?;
            let civil = instant.to_zoned(TimeZone::UTC);
            strtime::format(text_at(arguments, 1), &civil).map(Value::from).map_err(|_| "the format cannot be used")
        },
        ..USUAL
    },
    Function {
        name: "at",
        doc: "Puts a day and a time of day together to an instant in UTC; without a time it is midnight.",
        parameters: &[
            value(Type::Any, "The day."),
            optional("time", Type::Any, "The time of day, `14:30` or `14:30:00`."),
        ],
        gives: Type::DateTime,
        fallible: true,
        place: Place::Expressions,
        example: r#"at!("2026-01-31", "14:30")"#,
        result: "2026-01-31T14:30:00Z",
        run: |arguments| {
            let day = date_of(value_at(arguments, 0)).ok_or(NOT_DAY)?;
            let time = match arguments.get(1) {
                Some(value) if !value.is_blank() => time_of(value).ok_or("not a time of day")?,
                _ => Time::midnight(),
            };
            utc(day.to_datetime(time)).map(Value::DateTime).ok_or(NOT_INSTANT)
        },
        ..USUAL
    },
    Function {
        name: "add_duration",
        doc: "The instant that lies a duration after another: when a meeting ends.",
        parameters: &[
            value(Type::Any, "The instant."),
            optional(
                "duration",
                Type::Any,
                "The duration, `01:30` (hours and minutes) or `01:30:00`; none when it is blank.",
            ),
        ],
        gives: Type::DateTime,
        fallible: true,
        place: Place::Expressions,
        example: r#"add_duration!("2026-01-31T14:30:00Z", "01:30")"#,
        result: "2026-01-31T16:00:00Z",
        run: |arguments| {
            let instant = instant_of(value_at(arguments, 0)).ok_or(NOT_INSTANT)?;
            let duration = match arguments.get(1) {
                Some(value) if !value.is_blank() => duration_of(value).ok_or(NOT_DURATION)?,
                _ => SignedDuration::ZERO,
            };
            instant.checked_add(duration).map(Value::DateTime).map_err(|_| "the instant is out of range")
        },
        ..USUAL
    },
    Function {
        name: "duration",
        doc: "A number of milliseconds as a duration in hours, minutes and seconds.",
        parameters: &[value(Type::Any, "The number of milliseconds; not less than none.")],
        fallible: true,
        example: "duration!(5400000)",
        result: "01:30:00",
        run: |arguments| {
            let Some(Value::Number(ms)) = arguments.first() else { return Err(NOT_MILLISECONDS) };
            let ms = i64::try_from(ms.round()).map_err(|_| NOT_MILLISECONDS)?;
            written(SignedDuration::from_millis(ms)).ok_or(NOT_MILLISECONDS)
        },
        ..USUAL
    },
    Function {
        name: "duration_between",
        doc: "The duration between two instants: how long a meeting lasts.",
        parameters: &[
            value(Type::Any, "The instant at which it begins."),
            required("until", Type::Any, "The instant at which it ends."),
        ],
        fallible: true,
        place: Place::Expressions,
        example: r#"duration_between!("2026-01-31T14:30:00Z", "2026-01-31T16:00:00Z")"#,
        result: "01:30:00",
        run: |arguments| {
            let [begin, end] = [0, 1].map(|at| instant_of(value_at(arguments, at)));
            let (begin, end) = begin.zip(end).ok_or(NOT_INSTANT)?;
            written(end.duration_since(begin)).ok_or("it ends before it begins")
        },
        ..USUAL
    },
    Function {
        name: "duration_ms",
        doc: "A duration in milliseconds.",
        parameters: &[value(Type::Any, "The duration, `01:30` (hours and minutes) or `01:30:00`.")],
        gives: Type::Number,
        fallible: true,
        example: r#"duration_ms!("01:30")"#,
        result: "5400000",
        run: |arguments| {
            let duration = duration_of(value_at(arguments, 0)).ok_or(NOT_DURATION)?;
            let ms = i64::try_from(duration.as_millis()).map_err(|_| "the duration is out of range")?;
            Ok(ms.into())
        },
        ..USUAL
    },
];

const NOT_DAY: Failure = "not a day";
const NOT_INSTANT: Failure = "not a date and time";
const NOT_MILLISECONDS: Failure = "not a number of milliseconds";
const NOT_DURATION: Failure = "not a duration like `01:30`";

fn date(arguments: &[Value]) -> Result<Value, Failure> {
    let value = value_at(arguments, 0);
    let format = text_at(arguments, 1);
    if let (false, Value::Text(text)) = (format.is_empty(), value) {
        let read = strtime::parse(format.as_str(), text.trim()).and_then(|parts| parts.to_date());
        return read.map(Value::Date).map_err(|_| "not a day in the given format");
    }
    if let Some(day) = date_of(value) {
        return Ok(Value::Date(day));
    }
    let month_first = match text_at(arguments, 2).as_str() {
        "day_month" => Some(false),
        "month_day" => Some(true),
        _ => None,
    };
    value.as_text().and_then(|text| numeric_date(text, month_first)).map(Value::Date).ok_or(NOT_DAY)
}

/// `31.01.2026`, `1/31/2026`; where both orders are possible the caller must know.
fn numeric_date(text: &str, month_first: Option<bool>) -> Option<Date> {
    let mut parts = text.trim().split(['.', '/', '-']);
    let (a, b, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let (a, b, year): (i8, i8, i16) = (a.parse().ok()?, b.parse().ok()?, year.parse().ok()?);
    let told = match (a > 12, b > 12 || a == b) {
        (true, _) => Some(false),
        (false, true) => Some(true),
        (false, false) => None,
    };
    let month_first = month_first.or(told)?;
    let (month, day) = if month_first { (a, b) } else { (b, a) };
    Date::new(year, month, day).ok()
}

fn datetime(arguments: &[Value]) -> Result<Value, Failure> {
    let value = value_at(arguments, 0);
    let format = text_at(arguments, 1);
    if let (false, Value::Text(text)) = (format.is_empty(), value) {
        let parts =
            strtime::parse(format.as_str(), text.trim()).map_err(|_| "not a date and time in the given format")?;
        let instant = parts.to_timestamp().ok();
        let instant = instant.or_else(|| parts.to_datetime().ok().and_then(utc));
        let instant = instant.or_else(|| parts.to_date().ok().and_then(midnight));
        return instant.map(Value::DateTime).ok_or("the format names no day");
    }
    instant_of(value).map(Value::DateTime).ok_or(NOT_INSTANT)
}

fn utc(civil: DateTime) -> Option<Timestamp> {
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// The beginning of a day in UTC.
pub(crate) fn midnight(day: Date) -> Option<Timestamp> {
    utc(day.to_datetime(Time::midnight()))
}

/// A day: as it stands, of an instant in UTC, out of ISO 8601 text.
pub(crate) fn date_of(value: &Value) -> Option<Date> {
    match value {
        Value::Date(day) => Some(*day),
        Value::DateTime(instant) => Some(instant.to_zoned(TimeZone::UTC).date()),
        Value::Text(text) => {
            let text = text.trim();
            if text.len() <= 10 {
                text.parse().ok()
            } else {
                instant_in(text).map(|at| at.to_zoned(TimeZone::UTC).date())
            }
        }
        _ => None,
    }
}

/// An instant: as it stands, midnight in UTC of a day, out of ISO 8601 text (UTC without a zone).
pub(crate) fn instant_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::DateTime(instant) => Some(*instant),
        Value::Date(day) => midnight(*day),
        Value::Text(text) => instant_in(text.trim()),
        _ => None,
    }
}

fn instant_in(text: &str) -> Option<Timestamp> {
    if text.len() <= 10 {
        return text.parse().ok().and_then(midnight);
    }
    text.parse().ok().or_else(|| text.parse().ok().and_then(utc))
}

/// A time of day: as it stands, out of text, of an instant in UTC.
pub(crate) fn time_of(value: &Value) -> Option<Time> {
    match value {
        Value::Time(time) => Some(*time),
        Value::DateTime(instant) => Some(instant.to_zoned(TimeZone::UTC).time()),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A duration as [`duration_of`] reads it; `None` where it is negative.
fn written(duration: SignedDuration) -> Option<Value> {
    let seconds = u64::try_from(duration.as_secs()).ok().filter(|_| !duration.is_negative())?;
    Some(format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60).into())
}

/// `HH:MM` or `HH:MM:SS`; hours may exceed a day. A time of day is the duration since midnight: platforms
/// deliver durations in that form.
fn duration_of(value: &Value) -> Option<SignedDuration> {
    let text = match value {
        Value::Time(time) => return Some(time.duration_since(Time::midnight())),
        Value::Text(text) => text.trim(),
        _ => return None,
    };
    let mut parts = text.split(':');
    let (hours, minutes) = (parts.next()?, parts.next()?);
    let seconds = parts.next().unwrap_or("0");
    if parts.next().is_some() {
        return None;
    }
    let (hours, minutes, seconds): (u32, u32, u32) =
        (hours.parse().ok()?, minutes.parse().ok()?, seconds.parse().ok()?);
    (minutes < 60 && seconds < 60)
        .then(|| SignedDuration::from_secs(i64::from(hours) * 3600 + i64::from(minutes) * 60 + i64::from(seconds)))
}

//! Cells as values, and values as cells.

use handover_model::Value;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::{DateOrder, Decimals, Form};

/// A cell in a column's form; blank cells are null. What does not fit the form stays text, so that
/// whoever validates it sees it.
pub(crate) fn value(cell: &str, form: Form) -> Value {
    let text = cell.trim();
    if text.is_empty() {
        return Value::Null;
    }
    let read = match form {
        Form::Text => None,
        Form::Bool => flag(text).map(Value::Bool),
        Form::Number(decimals) => number(text, decimals).map(Value::Number),
        Form::Date(order) => date(text, order).map(Value::Date),
        Form::DateTime(order) => instant(text, order).map(Value::DateTime),
    };
    read.unwrap_or_else(|| Value::Text(cell.to_owned()))
}

/// A value as a cell: numbers plain, instants in UTC, several values with `; ` between them.
pub(crate) fn cell(value: &Value) -> String {
    match value {
        Value::List(items) => {
            items.iter().filter(|item| !item.is_blank()).map(Value::display).collect::<Vec<_>>().join("; ")
        }
        other => other.display(),
    }
}

pub(crate) fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// Digits in groups of three, decimals behind the separator. A leading zero or plus, or more digits than
/// any amount has, belong to codes and phone numbers: no number.
pub(crate) fn number(text: &str, decimals: Decimals) -> Option<Decimal> {
    let (group, point) = match decimals {
        Decimals::Point => (',', '.'),
        Decimals::Comma => ('.', ','),
    };
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let (whole, part) = match digits.split_once(point) {
        Some((whole, part)) => (whole, Some(part)),
        None => (digits, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(group);
    let head = groups.next()?;
    let grouped = whole.contains(group);
    if !is_digits(head) || grouped && head.len() > 3 || !groups.all(|group| group.len() == 3 && is_digits(group)) {
        return None;
    }
    if head.len() > 1 && head.starts_with('0') || grouped && head == "0" || whole.len() > 18 {
        return None;
    }
    if part.is_some_and(|part| !is_digits(part) || part.len() > 9) {
        return None;
    }
    let plain: String = whole.chars().filter(|c| *c != group).collect();
    format!("{sign}{plain}{}", part.map(|part| format!(".{part}")).unwrap_or_default()).parse().ok()
}

/// A day with its parts in this order, four digits of the year, `-`, `/` or `.` between them.
pub(crate) fn date(text: &str, order: DateOrder) -> Option<Date> {
    let separator = text.chars().find(|c| matches!(c, '-' | '/' | '.'))?;
    let parts: Vec<&str> = text.split(separator).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    let (year, month, day) = match order {
        DateOrder::YearFirst => (first, second, third),
        DateOrder::DayFirst => (third, second, first),
        DateOrder::MonthFirst => (third, first, second),
    };
    let is = |text: &str, least: usize, most: usize| {
        (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is(year, 4, 4) || !is(month, 1, 2) || !is(day, 1, 2) {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// A day and a time; UTC unless an offset stands behind it.
pub(crate) fn instant(text: &str, order: DateOrder) -> Option<Timestamp> {
    let (day, clock) = text.split_once(['T', ' '])?;
    let day = date(day, order)?;
    let clock = clock.trim();
    let (clock, offset) = match clock.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, "+00:00"),
        None => match clock.rfind(['+', '-']).and_then(|at| clock.split_at_checked(at)) {
            Some((clock, offset)) => (clock, offset),
            None => (clock, "+00:00"),
        },
    };
    let time = time(clock.trim())?;
    let civil = DateTime::from_parts(day, time);
    if offset == "+00:00" {
        return Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp());
    }
    format!("{civil}{offset}").parse().ok()
}

fn time(text: &str) -> Option<Time> {
    // `9:30` is written too.
    let text = if text.find(':') == Some(1) { format!("0{text}") } else { text.to_owned() };
    Time::strptime("%H:%M:%S%.f", &text).or_else(|_| Time::strptime("%H:%M", &text)).ok()
}

//! One value of one field.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A field's value, free of any platform's notation.
///
/// Choices, users and references are [`Value::Text`] (the option's, user's or record's id), several of
/// them a [`Value::List`]. Money is two fields, amount and currency.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Value {
    /// Read, and empty.
    Null,
    /// True or false.
    Bool(bool),
    /// An exact number.
    Number(Decimal),
    /// Text, or the id of an option, a user, a record.
    Text(String),
    /// A day without a zone.
    Date(Date),
    /// An instant.
    DateTime(Timestamp),
    /// A time of day without a zone.
    Time(Time),
    /// Several values, in order.
    List(Vec<Value>),
    /// A structured value: an e-mail address with its label.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// A text value.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Null, the empty text and the empty list: what counts as blank in a field. An e-mail or phone entry is
    /// blank when its `value` is, whatever its label says.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => is_blank_text(text),
            Self::List(items) => items.iter().all(Self::is_blank),
            Self::Map(parts) => match parts.get("value") {
                Some(value) => value.is_blank(),
                None => parts.values().all(Self::is_blank),
            },
            Self::Bool(_) | Self::Number(_) | Self::Date(_) | Self::DateTime(_) | Self::Time(_) => false,
        }
    }

    /// The ids in a reference, choice or user field: none, one or several.
    pub fn ids(&self) -> Vec<&str> {
        match self {
            Self::Text(text) if !text.is_empty() => vec![text],
            Self::List(items) => items.iter().filter_map(Self::as_text).collect(),
            _ => Vec::new(),
        }
    }

    /// The value as a person reads it: numbers without trailing zeros, lists with commas.
    pub fn display(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(flag) => flag.to_string(),
            Self::Number(number) => number_text(*number),
            Self::Text(text) => text.clone(),
            Self::Date(date) => date_text(*date),
            Self::DateTime(instant) => instant.to_string(),
            Self::Time(time) => time.to_string(),
            Self::List(items) => items.iter().map(Self::display).collect::<Vec<_>>().join(", "),
            Self::Map(parts) => match parts.get("value") {
                Some(value) => value.display(),
                None => parts.iter().map(|(k, v)| format!("{k}: {}", v.display())).collect::<Vec<_>>().join("; "),
            },
        }
    }

    /// Writes the value down so that equal values (1 and 1.0 too) give equal bytes and unequal ones do not
    /// run into each other. For hashing: marks of values are kept in states, so this form never changes.
    pub fn write_down(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.push(b'0'),
            Self::Bool(flag) => out.push(if *flag { b't' } else { b'f' }),
            Self::Text(text) => tagged(out, b's', text),
            Self::Number(number) => {
                let mut room = [0; 40];
                tagged(out, b'n', digits(*number, &mut room));
            }
            Self::Date(date) => {
                out.push(b'd');
                out.extend_from_slice(&date.year().to_le_bytes());
                out.extend_from_slice(&[date.month().cast_unsigned(), date.day().cast_unsigned()]);
            }
            Self::DateTime(instant) => {
                out.push(b'i');
                out.extend_from_slice(&instant.as_nanosecond().to_le_bytes());
            }
            Self::Time(time) => tagged(out, b'c', &time.to_string()),
            Self::List(items) => {
                out.push(b'l');
                out.extend_from_slice(&(items.len() as u64).to_le_bytes());
                items.iter().for_each(|item| item.write_down(out));
            }
            Self::Map(parts) => {
                out.push(b'm');
                out.extend_from_slice(&(parts.len() as u64).to_le_bytes());
                for (name, part) in parts {
                    tagged(out, b'k', name);
                    part.write_down(out);
                }
            }
        }
    }
}

/// A text behind its tag and its length.
fn tagged(out: &mut Vec<u8>, tag: u8, text: &str) {
    out.push(tag);
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// A number in plain notation without trailing zeros.
pub fn number_text(number: Decimal) -> String {
    digits(number, &mut [0; 40]).to_owned()
}

/// A day as `YYYY-MM-DD`.
pub fn date_text(date: Date) -> String {
    let (year, month, day) = (date.year(), date.month(), date.day());
    let Ok(year) = u16::try_from(year) else { return date.to_string() };
    let mut text = *b"0000-00-00";
    let parts = [(0, year / 100), (2, year % 100), (5, month.unsigned_abs().into()), (8, day.unsigned_abs().into())];
    for (at, part) in parts {
        if let Some(place) = text.get_mut(at..at + 2) {
            // Two digits, each below ten.
            place.copy_from_slice(&[b'0' + (part / 10) as u8, b'0' + (part % 10) as u8]);
        }
    }
    std::str::from_utf8(&text).map_or_else(|_| date.to_string(), str::to_owned)
}

/// The digits of a number, in plain notation without trailing zeros: 29, a point and a sign at most.
fn digits(number: Decimal, room: &mut [u8; 40]) -> &str {
    let Ok(mut whole) = u64::try_from(number.mantissa().unsigned_abs()) else {
        let mut written = Room(room, 0);
        // What does not fit into the room is no decimal.
        let _ = write!(written, "{}", number.normalize());
        let Room(room, end) = written;
        return room.get(..end).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default();
    };
    let mut decimals = number.scale();
    while decimals > 0 && whole.is_multiple_of(10) {
        whole /= 10;
        decimals -= 1;
    }
    let is_negative = number.is_sign_negative() && whole != 0;
    let mut at = room.len();
    let mut put = |byte: u8| {
        at = at.saturating_sub(1);
        if let Some(place) = room.get_mut(at) {
            *place = byte;
        }
    };
    let mut left = decimals;
    loop {
        put(b'0' + (whole % 10) as u8);
        whole /= 10;
        if left > 0 {
            left -= 1;
            if left == 0 {
                put(b'.');
                // A digit stands before the point.
                continue;
            }
        }
        if whole == 0 && left == 0 {
            break;
        }
    }
    if is_negative {
        put(b'-');
    }
    room.get(at..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
}

/// Room that a number is written into.
struct Room<'r>(&'r mut [u8; 40], usize);

impl fmt::Write for Room<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.0.get_mut(self.1..self.1 + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.1 += text.len();
        Ok(())
    }
}

fn is_blank_text(text: &str) -> bool {
    match text.as_bytes().first() {
        None => true,
        // Nearly every text begins with a letter or a digit.
        Some(first) if first.is_ascii_graphic() => false,
        Some(_) => text.trim().is_empty(),
    }
}

/// Values are the customer's data: they never enter logs or panics by accident.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Null => "Null",
            Self::Bool(_) => "Bool(..)",
            Self::Number(_) => "Number(..)",
            Self::Text(_) => "Text(..)",
            Self::Date(_) => "Date(..)",
            Self::DateTime(_) => "DateTime(..)",
            Self::Time(_) => "Time(..)",
            Self::List(items) => return write!(f, "List({} items)", items.len()),
            Self::Map(parts) => return write!(f, "Map({} parts)", parts.len()),
        };
        f.write_str(kind)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_days_are_written_as_their_types_do() {
        let numbers = ["0", "-0.00", "5", "-5", "0.05", "-0.050", "10", "1000", "1234.5", "1234.50", "0.1000", "12.01"];
        let long = ["18446744073709551615", "18446744073709551616", "-79228162514264337593543950335"];
        let small = ["0.0000000000000000000000000001", "7.9228162514264337593543950335", "-1.8446744073709551615"];
        for text in numbers.into_iter().chain(long).chain(small) {
            let number: Decimal = text.parse().unwrap();
            assert_eq!(number_text(number), number.normalize().to_string(), "{text}");
        }
        for text in ["2026-11-02", "0000-01-01", "-009999-01-01", "9999-12-31", "0987-06-05"] {
            let date: Date = text.parse().unwrap();
            assert_eq!(date_text(date), date.to_string());
        }
    }

    #[test]
    fn blank_is_what_has_nothing_but_white_space() {
        for (text, blank) in [("", true), (" \t\n", true), ("\u{a0}", true), ("a", false), (" a", false), ("ü", false)]
        {
            assert_eq!(Value::from(text).is_blank(), blank, "{text:?}");
        }
    }
}

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
            Self::Text(text) => text.trim().is_empty(),
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
            Self::Number(number) => number.normalize().to_string(),
            Self::Text(text) => text.clone(),
            Self::Date(date) => date.to_string(),
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
                let mut digits = Digits([0; 40], 0);
                // What does not fit into the digits' room is no decimal.
                let _ = write!(digits, "{}", number.normalize());
                tagged(out, b'n', digits.as_str());
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

/// Room for the digits of a decimal: 29, a point and a sign.
struct Digits([u8; 40], usize);

impl Digits {
    fn as_str(&self) -> &str {
        self.0.get(..self.1).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
    }
}

impl fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.0.get_mut(self.1..self.1 + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.1 += text.len();
        Ok(())
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

//! One value of one field.

use std::collections::BTreeMap;
use std::fmt;

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

    /// Feeds the value to a hasher so that equal values (1 and 1.0 too) give equal bytes and unequal
    /// ones do not run into each other.
    pub fn digest_into(&self, hasher: &mut blake3::Hasher) {
        match self {
            Self::Null => drop(hasher.update(b"0")),
            Self::Bool(flag) => drop(hasher.update(if *flag { b"t" } else { b"f" })),
            Self::Number(number) => digest_part(hasher, b'n', number.normalize().to_string().as_bytes()),
            Self::Text(text) => digest_part(hasher, b's', text.as_bytes()),
            Self::Date(date) => digest_part(hasher, b'd', date.to_string().as_bytes()),
            Self::DateTime(instant) => digest_part(hasher, b'i', &instant.as_nanosecond().to_le_bytes()),
            Self::Time(time) => digest_part(hasher, b'c', time.to_string().as_bytes()),
            Self::List(items) => {
                digest_part(hasher, b'l', &(items.len() as u64).to_le_bytes());
                for item in items {
                    item.digest_into(hasher);
                }
            }
            Self::Map(parts) => {
                digest_part(hasher, b'm', &(parts.len() as u64).to_le_bytes());
                for (name, part) in parts {
                    digest_part(hasher, b'k', name.as_bytes());
                    part.digest_into(hasher);
                }
            }
        }
    }
}

/// One tagged, length-prefixed part of a digest.
pub(crate) fn digest_part(hasher: &mut blake3::Hasher, tag: u8, bytes: &[u8]) {
    hasher.update(&[tag]);
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
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

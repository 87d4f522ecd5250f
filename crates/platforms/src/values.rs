//! What values are everywhere, whatever a platform's notation.

use handover_model::{Kind, Value};
use rust_decimal::Decimal;

/// Whether a value is of the type that a field of this kind takes. What a text may be, an id too, is the platform's to
/// say, of its row alone.
pub(crate) fn fits(kind: &Kind, value: &Value) -> bool {
    value.is_blank()
        || match kind {
            Kind::Bool => matches!(value, Value::Bool(_)),
            Kind::Number => matches!(value, Value::Number(_)),
            Kind::Date => matches!(value, Value::Date(_)),
            Kind::DateTime => matches!(value, Value::DateTime(_)),
            Kind::Time => matches!(value, Value::Time(_)),
            _ => true,
        }
}

/// A number from its digits, with an exponent or without: a binary fraction would lose digits of large sums.
pub(crate) fn read_number(text: &str) -> Option<Decimal> {
    text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
}

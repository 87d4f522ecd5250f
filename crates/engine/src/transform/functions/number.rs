//! Numbers and yes/no values.

use std::str::FromStr;

use handover_model::Value;
use rust_decimal::{Decimal, RoundingStrategy};

use super::super::registry::{Back, Failure, Function, Type};
use super::{USUAL, count_at, items, optional, text_or, value, value_at, word};

pub(super) static ALL: &[Function] = &[
    Function {
        name: "number",
        doc: "Reads a number out of text: currency signs, blanks and thousands separators go.",
        parameters: &[
            value(Type::Any, "The text."),
            word("decimal", &[".", ","], "What separates the decimals; `.` when it is not given."),
        ],
        gives: Type::Number,
        fallible: true,
        example: r#"number!("1.234,50 €", ",")"#,
        result: "1234.5",
        run: |arguments| number(value_at(arguments, 0), &text_or(arguments, 1, ".")),
        back: Back::Same,
        ..USUAL
    },
    Function {
        name: "round",
        doc: "Rounds to so many decimals, halves away from zero.",
        parameters: &[
            value(Type::Number, "The number."),
            optional("digits", Type::Number, "How many decimals stay; none when it is not given."),
        ],
        gives: Type::Number,
        fallible: true,
        example: "round!(2.345, 2)",
        result: "2.35",
        run: |arguments| {
            let number = number_of(value_at(arguments, 0)).ok_or("not a number")?;
            let digits = u32::try_from(count_at(arguments, 1).unwrap_or(0)).unwrap_or(28).min(28);
            Ok(Value::Number(number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)))
        },
        back: Back::Same,
        ..USUAL
    },
    Function {
        name: "bool",
        doc: "Reads yes and no: `yes`, `true`, `1`, `on`, `y`, `x` and their opposites, or the words given.",
        parameters: &[
            value(Type::Any, "The value."),
            optional("true", Type::List, "Words that mean yes."),
            optional("false", Type::List, "Words that mean no."),
        ],
        gives: Type::Bool,
        fallible: true,
        example: r#"bool!("ja", ["ja"], ["nein"])"#,
        result: "true",
        run: flag,
        back: Back::Same,
        ..USUAL
    },
];

/// A number as it stands; text in plain notation only (`-12.50`).
pub(crate) fn number_of(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Bool(flag) => Some(Decimal::from(u8::from(*flag))),
        Value::Text(text) => {
            let text = text.trim();
            let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
            if !plain || !text.bytes().any(|b| b.is_ascii_digit()) {
                return None;
            }
            Decimal::from_str(text).ok().or_else(|| Decimal::from_scientific(text).ok())
        }
        _ => None,
    }
}

/// Yes or no, as systems commonly write it.
pub(crate) fn flag_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) if number.is_zero() => Some(false),
        Value::Number(number) if *number == Decimal::ONE => Some(true),
        Value::Text(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "y" | "1" | "on" | "x" => Some(true),
            "false" | "no" | "n" | "0" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn flag(arguments: &[Value]) -> Result<Value, Failure> {
    let value = value_at(arguments, 0);
    let word = value.display();
    let is_one_of = |at| items(arguments.get(at)).iter().any(|have| same(&have.display(), &word));
    if is_one_of(1) {
        return Ok(true.into());
    }
    if is_one_of(2) {
        return Ok(false.into());
    }
    flag_of(value).map(Value::Bool).ok_or("neither a word for yes nor one for no")
}

fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

fn number(value: &Value, decimal: &str) -> Result<Value, Failure> {
    const NOT: Failure = "not a number";
    let text = match value {
        Value::Text(text) => text.as_str(),
        other => return number_of(other).map(Value::Number).ok_or(NOT),
    };
    let (point, thousands) = if decimal == "," { (',', '.') } else { ('.', ',') };
    let mut plain = String::with_capacity(text.len());
    // Accountants write -12 as (12) or 12-.
    let trimmed = text.trim();
    let negative = trimmed.starts_with('(') && trimmed.ends_with(')') || trimmed.ends_with('-');
    for letter in trimmed.chars() {
        match letter {
            '0'..='9' => plain.push(letter),
            _ if letter == point => plain.push('.'),
            '-' | '\u{2212}' if plain.is_empty() => plain.push('-'),
            _ if letter == thousands
                || letter.is_whitespace()
                || matches!(letter, '\'' | '’' | '(' | ')' | '-' | '+') => {}
            _ if is_unit(letter) => {}
            _ => return Err(NOT),
        }
    }
    if negative && !plain.starts_with('-') {
        plain.insert(0, '-');
    }
    if !well_grouped(trimmed, thousands, point) || !plain.bytes().any(|b| b.is_ascii_digit()) {
        return Err(NOT);
    }
    Decimal::from_str(&plain).map(Value::Number).map_err(|_| NOT)
}

/// Currency signs, percent and letters of currency codes may stand around a number.
fn is_unit(letter: char) -> bool {
    matches!(letter, '€' | '$' | '£' | '¥' | '₹' | '%' | '₽' | '₩') || letter.is_ascii_uppercase()
}

/// Three digits stand behind each thousands separator: `1,50` with the decimal `.` is a mistake, not 150.
fn well_grouped(text: &str, thousands: char, point: char) -> bool {
    let whole = text.split(point).next().unwrap_or_default();
    let mut groups = whole.split(thousands);
    groups.next();
    groups.all(|group| group.chars().filter(char::is_ascii_digit).count() == 3)
}

//! Values of every kind from a seed that is printed, and how they are compared.

use std::collections::BTreeMap;

use handover_model::{Field, Kind, Value};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use rust_decimal::Decimal;

use super::subject::{MARK, Object, Subject};

/// A row of numbers that depends on its seed alone (SplitMix64).
pub(super) struct Dice(u64);

impl Dice {
    /// The seed of this run: `SEED` of the environment, else always the same. It is printed.
    pub(super) fn new() -> Self {
        let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_302);
        eprintln!("SEED={seed}");
        Self(seed)
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// One of several.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[usize::try_from(self.below(items.len() as u64)).unwrap()]
    }

    fn text(&mut self) -> String {
        const PIECES: &[&str] = &["a", "Z", "7", " ", "ü", "ß", "é", "λ", "Ж", "中", "🙂", "'", "\"", "&", "<", ", "];
        let mut text = MARK.to_owned();
        for _ in 0..self.below(9) {
            let piece: &&str = self.pick(PIECES);
            text.push_str(piece);
        }
        // Spaces at the ends are what forms trim.
        text.push('.');
        text
    }

    fn date(&mut self) -> Date {
        let days = i32::try_from(self.below(80 * 365)).unwrap();
        Date::constant(1960, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap()
    }
}

/// A value that the field takes; `None` for those that are carried as they are, or that have no options.
pub(super) fn value(subject: &dyn Subject, object: &Object, field: &Field, dice: &mut Dice) -> Option<Value> {
    if let Some(value) = subject.value(object, field.name.as_str(), dice) {
        return Some(value);
    }
    Some(match &field.kind {
        Kind::Text { html: true, .. } => {
            let word = dice.below(1_000_000);
            Value::from(format!("<p>{MARK} <b>{word}</b> &amp; ü</p>"))
        }
        Kind::Text { .. } if field.unique => Value::from(format!("{MARK} {}", dice.next())),
        Kind::Text { max: Some(max), .. } if *max < 24 => Value::from(dice.below(10).to_string()),
        Kind::Text { max: Some(max), .. } if !field.name.as_str().contains('.') && dice.below(3) == 0 => {
            // As long as it may be; very long ones a little less, for the sake of time.
            let text = dice.text();
            // Some count characters, some what UTF-16 makes of them.
            let rest = (*max).min(5_000) as usize - text.encode_utf16().count();
            Value::from(format!("{text}{}", "ö".repeat(rest)))
        }
        Kind::Text { .. } => Value::from(dice.text()),
        Kind::Bool => Value::Bool(dice.below(2) == 1),
        Kind::Number => {
            let scale = u32::try_from(dice.below(4)).unwrap();
            let number = i64::try_from(dice.below(1_000_000_000)).unwrap();
            Value::Number(Decimal::new(number, scale).normalize())
        }
        Kind::Date => Value::Date(dice.date()),
        Kind::DateTime => {
            let second = 946_684_800 + i64::try_from(dice.below(800_000_000)).unwrap();
            Value::DateTime(Timestamp::from_second(second).unwrap())
        }
        Kind::Time => {
            let mut part = |end| i8::try_from(dice.below(end)).unwrap();
            Value::Time(Time::new(part(24), part(60), part(60), 0).unwrap())
        }
        Kind::Choice { options, .. } if options.is_empty() => return None,
        Kind::Choice { options, many: false } => Value::from(dice.pick(options).value.as_str()),
        Kind::Choice { options, many: true } => {
            let mut chosen: Vec<Value> = options
                .iter()
                .filter(|_| dice.below(2) == 1)
                .map(|option| Value::from(option.value.as_str()))
                .collect();
            if chosen.is_empty() {
                chosen.push(Value::from(options[0].value.as_str()));
            }
            Value::List(chosen)
        }
        Kind::User => Value::from(subject.user()),
        Kind::Reference { object, many } => {
            let id = |n| Value::from(subject.id(object.as_str(), n).as_str());
            if *many { Value::List(vec![id(1), id(2)]) } else { id(1 + dice.below(2)) }
        }
        Kind::Email { many } => contacts(*many, |n| format!("{}.{n}@zq7.example", dice.below(u64::MAX))),
        Kind::Phone { many } => contacts(*many, |n| format!("+49 30 {}{n}", dice.below(1_000_000))),
        Kind::Currency => Value::from(*dice.pick(&["EUR", "USD"])),
        Kind::Opaque => return None,
    })
}

fn contacts(many: bool, mut one: impl FnMut(u32) -> String) -> Value {
    if !many {
        return Value::from(one(0));
    }
    let mut entry = |n: u32, label: &str, primary: bool| {
        let parts = [("value", Value::from(one(n))), ("label", label.into()), ("primary", primary.into())];
        Value::Map(parts.into_iter().map(|(name, part)| (name.to_owned(), part)).collect::<BTreeMap<_, _>>())
    };
    Value::List(vec![entry(1, "work", true), entry(2, "home", false)])
}

/// Whether what came back is what was written. A label that the platform does not have is no difference.
pub(super) fn same(written: &Value, back: &Value) -> bool {
    match (written, back) {
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            let has_labels = b.get("label").is_some_and(|label| *label != Value::Null);
            a.get("value") == b.get("value") && (!has_labels || a == b)
        }
        (a, b) => a == b,
    }
}

/// Whether a value is of the form that its field's kind promises.
pub(super) fn fits(kind: &Kind, value: &Value) -> bool {
    let texts =
        |value: &Value| matches!(value, Value::List(items) if items.iter().all(|item| item.as_text().is_some()));
    let knows = |options: &[handover_model::Choice], value: &Value| {
        value.ids().iter().all(|id| options.iter().any(|option| option.value == *id))
    };
    match (kind, value) {
        (_, Value::Null) | (Kind::Opaque, _) => true,
        (Kind::Choice { options, many: false }, Value::Text(_)) => options.is_empty() || knows(options, value),
        (Kind::Choice { options, many: true }, Value::List(_)) => options.is_empty() || knows(options, value),
        (Kind::Reference { many: true, .. }, value) => texts(value),
        (Kind::Email { many: true } | Kind::Phone { many: true }, Value::List(items)) => {
            items.iter().all(|item| matches!(item, Value::Map(parts) if parts.contains_key("value")))
        }
        (
            Kind::Text { .. }
            | Kind::User
            | Kind::Currency
            | Kind::Reference { many: false, .. }
            | Kind::Email { many: false }
            | Kind::Phone { many: false },
            Value::Text(_),
        )
        | (Kind::Bool, Value::Bool(_))
        | (Kind::Number, Value::Number(_))
        | (Kind::Date, Value::Date(_))
        | (Kind::DateTime, Value::DateTime(_))
        | (Kind::Time, Value::Time(_)) => true,
        _ => false,
    }
}

//! Bases: the last settled value of a field, kept as eight bytes.
//!
//! Values are marked in their settled form, so that reading back what was written gives the same mark.

use std::borrow::Cow;
use std::fmt::Write as _;

use handover_model::{FieldName, Fields, Kind, Schema, Value};

use crate::merge::settled_form;

const ENTRY: usize = 16;

/// The base of a record: a mark for each field.
pub(crate) fn encode(schema: &Schema, fields: &Fields) -> Vec<u8> {
    let mut base = Vec::with_capacity(fields.len() * ENTRY);
    let mut part = Vec::with_capacity(256);
    for (name, value) in fields.iter() {
        base.extend_from_slice(&first_eight(name.as_str().as_bytes()));
        base.extend_from_slice(&marked(&mut part, schema.field(name.as_str()).map(|field| &field.kind), value));
    }
    base
}

/// The mark that a base has for a field.
pub(crate) fn settled(base: &[u8], name: &FieldName) -> Option<[u8; 8]> {
    let wanted = first_eight(name.as_str().as_bytes());
    base.chunks_exact(ENTRY).find(|entry| entry[..8] == wanted).and_then(|entry| entry[8..].try_into().ok())
}

/// The mark of a value.
pub(crate) fn mark(kind: Option<&Kind>, value: &Value) -> [u8; 8] {
    marked(&mut Vec::new(), kind, value)
}

/// The mark of a value, written down in `part` first: hashing one short text costs a third of what hashing
/// its parts one after the other does, and every field of every record comes by here.
fn marked(part: &mut Vec<u8>, kind: Option<&Kind>, value: &Value) -> [u8; 8] {
    part.clear();
    let settled = match value {
        Value::Text(text)
            if text.trim().len() == text.len() && !text.is_empty() && !matches!(kind, Some(Kind::Email { .. })) =>
        {
            Cow::Borrowed(value)
        }
        Value::Number(_) | Value::Date(_) | Value::DateTime(_) | Value::Time(_) | Value::Bool(_) => {
            Cow::Borrowed(value)
        }
        other => Cow::Owned(settled_form(kind, other)),
    };
    write_down(part, &settled);
    first_eight(part)
}

/// A value so that equal ones (1 and 1.0 too) give equal bytes and others do not run into each other.
fn write_down(out: &mut Vec<u8>, value: &Value) {
    let text = |out: &mut Vec<u8>, tag: u8, text: &str| {
        out.push(tag);
        out.extend_from_slice(&(text.len() as u64).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    };
    match value {
        Value::Null => out.push(b'0'),
        Value::Bool(flag) => out.push(if *flag { b't' } else { b'f' }),
        Value::Text(found) => text(out, b's', found),
        Value::Number(number) => {
            let mut digits = Digits([0; 40], 0);
            // What does not fit into the digits' room is no decimal.
            let _ = write!(digits, "{}", number.normalize());
            text(out, b'n', digits.as_str());
        }
        Value::Date(date) => {
            out.push(b'd');
            out.extend_from_slice(&date.year().to_le_bytes());
            out.extend_from_slice(&[date.month().cast_unsigned(), date.day().cast_unsigned()]);
        }
        Value::DateTime(instant) => {
            out.push(b'i');
            out.extend_from_slice(&instant.as_nanosecond().to_le_bytes());
        }
        Value::Time(time) => text(out, b'c', &time.to_string()),
        Value::List(items) => {
            out.push(b'l');
            out.extend_from_slice(&(items.len() as u64).to_le_bytes());
            items.iter().for_each(|item| write_down(out, item));
        }
        Value::Map(parts) => {
            out.push(b'm');
            out.extend_from_slice(&(parts.len() as u64).to_le_bytes());
            for (name, part) in parts {
                text(out, b'k', name);
                write_down(out, part);
            }
        }
    }
}

/// Room for the digits of a decimal: 29, a point and a sign.
struct Digits([u8; 40], usize);

impl Digits {
    fn as_str(&self) -> &str {
        self.0.get(..self.1).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
    }
}

impl std::fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.0.get_mut(self.1..self.1 + text.len()).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.1 += text.len();
        Ok(())
    }
}

fn first_eight(bytes: &[u8]) -> [u8; 8] {
    let mut mark = [0; 8];
    mark.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    mark
}

#[cfg(test)]
mod tests {
    use handover_model::{Kind, Value};

    use super::mark;

    /// Values of one row have one mark, and no two rows share one.
    #[test]
    fn equal_in_their_settled_form_and_only_then() {
        let text = Some(Kind::Text { max: None, html: false });
        let email = Some(Kind::Email { many: false });
        let list = |items: &[&str]| Value::List(items.iter().map(|item| Value::from(*item)).collect());
        let number = |digits: &str| Value::Number(digits.parse().unwrap());
        let rows: Vec<(Option<Kind>, Vec<Value>)> = vec![
            (text.clone(), vec!["a b".into(), " a b ".into(), list(&["a b"])]),
            (text.clone(), vec!["A b".into()]),
            (text.clone(), vec![Value::Null, "".into(), "  ".into(), list(&[])]),
            (email, vec!["x@Y.z".into(), " X@y.z".into()]),
            (text.clone(), vec![list(&["one", "two"]), list(&["two", "one"])]),
            (text.clone(), vec![list(&["onetwo", ""])]),
            (None, vec![number("1"), number("1.0"), number("1.000")]),
            (None, vec![number("-79228162514264337593543950335")]),
            (None, vec![number("-7922816251426433759354395033.5")]),
            (None, vec!["1".into()]),
            (None, vec![Value::Bool(true)]),
            (None, vec![Value::Date("2026-11-02".parse().unwrap())]),
            (None, vec![Value::Date("2026-11-20".parse().unwrap())]),
        ];
        let marks: Vec<Vec<[u8; 8]>> =
            rows.iter().map(|(kind, values)| values.iter().map(|value| mark(kind.as_ref(), value)).collect()).collect();
        for (at, row) in marks.iter().enumerate() {
            assert!(row.iter().all(|one| *one == row[0]), "row {at}");
            assert!(marks[..at].iter().all(|other| other[0] != row[0]), "row {at}");
        }
    }
}

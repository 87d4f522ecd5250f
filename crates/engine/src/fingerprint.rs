//! Recognising what a lost write made: by the source key, or where the platform has no field for one, by
//! the values that were written.

use handover_connect::Write;
use handover_model::{Kind, Record, Value};

use crate::setup::Ready;

/// Whether `candidate` is what `write` made.
pub(crate) fn is_of(ready: &Ready, candidate: &Record, write: &Write, key: &str) -> bool {
    if let Some(field) = &ready.flow.key {
        return candidate.fields.get(field.as_str()).and_then(Value::as_text) == Some(key);
    }
    let mut compared = 0;
    for (name, value) in write.fields.iter() {
        let kind = ready.target.field(name.as_str()).map(|field| &field.kind);
        let Some(have) = candidate.fields.get(name.as_str()) else { continue };
        if value.is_blank() {
            continue;
        }
        if !alike(kind, value, have) {
            return false;
        }
        compared += 1;
    }
    compared > 0
}

/// Equal but for what platforms change by themselves: HTML is cleaned, blanks are trimmed, case of
/// addresses, order of lists.
fn alike(kind: Option<&Kind>, value: &Value, have: &Value) -> bool {
    match (value, have) {
        (Value::Text(one), Value::Text(other)) if matches!(kind, Some(Kind::Text { .. })) => letters(one) == letters(other),
        _ => crate::merge::same(kind, value, have),
    }
}

/// The letters and digits outside of tags.
fn letters(text: &str) -> String {
    let mut inside = false;
    let decoded = html_escape::decode_html_entities(text);
    decoded
        .chars()
        .filter(|letter| {
            match letter {
                '<' => inside = true,
                '>' => inside = false,
                _ => return !inside && letter.is_alphanumeric(),
            }
            false
        })
        .flat_map(char::to_lowercase)
        .collect()
}

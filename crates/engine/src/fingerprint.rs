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
        let Some(have) = candidate.fields.get(name.as_str()) else { continue };
        if value.is_blank() {
            continue;
        }
        let html = matches!(ready.target.field(name.as_str()).map(|field| &field.kind), Some(Kind::Text { .. }));
        if !alike(value, have, html) {
            return false;
        }
        compared += 1;
    }
    compared > 0
}

/// Equal but for what platforms change by themselves: HTML is cleaned, blanks are trimmed, case of
/// addresses, order of lists.
fn alike(value: &Value, have: &Value, text: bool) -> bool {
    match (value, have) {
        (Value::Text(one), Value::Text(other)) if text => letters(one) == letters(other),
        _ => crate::merge::same(value, have),
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

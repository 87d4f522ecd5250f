//! Comparable keys: what makes two values of two systems the same for matching.
//!
//! Keys are for comparing, never for writing. What cannot be read as its kind gives no key, so that it
//! matches nothing.

use handover_model::{MatchKind, Value};
use unicode_normalization::UnicodeNormalization;

use super::functions::{PhoneForm, email_form, host, phone_form, region_of};

/// The comparable keys of a value: several for a list of e-mails, none for a blank or what is no phone
/// number. `region` (ISO 3166 alpha-2) is where phone numbers without a country code stand. Each key once,
/// in the value's order.
pub fn keys(kind: MatchKind, value: &Value, region: Option<&str>) -> Vec<String> {
    let mut out = Vec::new();
    collect(kind, value, region, &mut out);
    out
}

fn collect(kind: MatchKind, value: &Value, region: Option<&str>, out: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::List(items) => items.iter().for_each(|item| collect(kind, item, region, out)),
        Value::Map(parts) => {
            if let Some(value) = parts.get("value") {
                collect(kind, value, region, out);
            }
        }
        Value::Text(text) => text_keys(kind, text, region, out),
        other => text_keys(kind, &other.display(), region, out),
    }
}

fn text_keys(kind: MatchKind, text: &str, region: Option<&str>, out: &mut Vec<String>) {
    // Platforms write several values into one text field: `a@x.example;b@x.example`.
    let several = matches!(kind, MatchKind::Email | MatchKind::Phone | MatchKind::Domain) && text.contains(';');
    let parts = if several { text.split(';') } else { text.split('\0') };
    for part in parts {
        if let Some(key) = key(kind, part, region).filter(|key| !key.is_empty() && !out.contains(key)) {
            out.push(key);
        }
    }
}

fn key(kind: MatchKind, text: &str, region: Option<&str>) -> Option<String> {
    match kind {
        MatchKind::ExternalId => Some(text.trim().to_owned()),
        MatchKind::Email => Some(email_form(text).to_lowercase()).filter(|key| key.contains('@')),
        MatchKind::Phone => phone_key(text, region),
        MatchKind::Domain => host(text),
        MatchKind::Text => Some(folded(text)),
    }
}

/// A phone number in its international form without extension; `None` for what is no possible number.
pub fn phone_key(text: &str, region: Option<&str>) -> Option<String> {
    // Most texts without enough digits need no parser.
    if text.chars().filter(|letter| letter.is_numeric()).count() < 3 {
        return None;
    }
    phone_form(text, region.and_then(region_of), PhoneForm::Key)
}

/// Text in Unicode's compatibility form, without case, with single blanks.
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    for letter in text.nfkc().flat_map(char::to_lowercase).nfkc() {
        if letter.is_whitespace() {
            blank = true;
            continue;
        }
        if blank && !out.is_empty() {
            out.push(' ');
        }
        blank = false;
        match letter {
            // Full case folding in the two places where lower case is not enough.
            'ß' => out.push_str("ss"),
            'ς' => out.push('σ'),
            other => out.push(other),
        }
    }
    out
}

//! What a target field takes: form and length. Rules are sentences without values.

use std::borrow::Cow;

use handover_model::{Kind, Value};

/// The rule that a value breaks, in words.
pub(crate) type Broken = Cow<'static, str>;

/// Whether a value that has the kind's form can be written to a field of that kind.
pub(crate) fn validate(kind: &Kind, value: &Value) -> Result<(), Broken> {
    match (kind, value) {
        (Kind::Text { max: Some(max), .. }, Value::Text(text)) => within(text, *max),
        (Kind::Email { .. }, value) => each_text(value, |text| {
            if is_email(text) { Ok(()) } else { Err("not an e-mail address that the target takes".into()) }
        }),
        _ => Ok(()),
    }
}

fn within(text: &str, max: u32) -> Result<(), Broken> {
    // Bytes are an upper bound of characters, and counting bytes is free.
    let max_chars = usize::try_from(max).unwrap_or(usize::MAX);
    if text.len() <= max_chars || text.chars().count() <= max_chars {
        Ok(())
    } else {
        Err(format!("longer than {max} characters").into())
    }
}

fn each_text(value: &Value, check: fn(&str) -> Result<(), Broken>) -> Result<(), Broken> {
    match value {
        Value::Text(text) => check(text),
        Value::List(items) => items.iter().try_for_each(|item| each_text(item, check)),
        Value::Map(parts) => parts.get("value").map_or(Ok(()), |value| each_text(value, check)),
        _ => Ok(()),
    }
}

/// Whether CRMs take it as an e-mail address: one `@`, a domain with a dot, no dot at the wrong place, no
/// blanks, quotes or comments. Stricter than the mail standards, as HubSpot is (`INVALID_EMAIL`).
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    is_local(local) && is_domain(domain) && text.len() <= 254
}

fn is_local(local: &str) -> bool {
    let plain = |letter: char| letter.is_alphanumeric() || is_mark(letter) || "!#$%&'*+-/=?^_`{|}~.".contains(letter);
    !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && !local.starts_with(is_mark)
        && local.chars().all(plain)
}

fn is_domain(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    let top = labels.last().copied().unwrap_or_default();
    labels.len() >= 2
        && domain.len() <= 253
        && labels.iter().all(|label| is_label(label))
        && top.chars().count() >= 2
        && (is_encoded(top) || top.chars().all(|letter| letter.is_alphabetic() || is_mark(letter)))
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.chars().count() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && !label.starts_with(is_mark)
        // `ab--` is reserved, but for the encoded international names.
        && (label.get(2..4) != Some("--") || is_encoded(label))
        && label.chars().all(|letter| letter.is_alphabetic() || letter.is_ascii_digit() || letter == '-' || is_mark(letter))
}

/// An international name in its ASCII form.
fn is_encoded(label: &str) -> bool {
    label.len() > 5 && label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
}

/// A combining mark: part of a letter in some scripts.
fn is_mark(letter: char) -> bool {
    !letter.is_ascii() && unicode_normalization::char::is_combining_mark(letter)
}

//! What a refusal or a broken answer means: one table of statuses and codes.
//!
//! Statuses, codes and bodies as in the sheet (Pipedrive section 7 \[doc, obs, spec\]); the two kinds of
//! limit as in section 6.

use handover_connect::{Fault, FaultKind, Limited, Reply};
use serde_json::Value as Json;

use super::object::{BURST, DAILY};

/// Seconds to stay away after the Cloudflare page, which follows when limits were ignored (sheet:
/// section 6 \[doc\]; the length is not documented, so it is generous).
const BLOCKED_MS: u64 = 90_000;
/// The burst's span, waited out when the reply does not say how long (sheet: section 6 \[doc\]).
const BURST_MS: u64 = 2_000;

/// The reply's JSON when it tells of success.
///
/// # Errors
/// The fault that it tells of.
pub(super) fn check(reply: &Reply) -> Result<Json, Fault> {
    let body = serde_json::from_slice::<Json>(&reply.body).ok().filter(Json::is_object);
    if (200..300).contains(&reply.status) {
        return match body {
            // A success that says otherwise is a failure (sheet: section 7).
            Some(body) if body.get("success") == Some(&Json::Bool(false)) => Err(told(reply, &body)),
            Some(body) => Ok(body),
            None => Err(stamped(reply, Fault::malformed("the answer is not the JSON that the API promises"))),
        };
    }
    Err(match body {
        Some(body) => told(reply, &body),
        None => unreadable(reply),
    })
}

/// Takes the values of a write out of a fault's message: a platform may quote what it refuses.
pub(super) fn without_values(mut fault: Fault, values: &[String]) -> Fault {
    let mut values: Vec<&String> = values.iter().filter(|value| !value.is_empty()).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    for value in values {
        if value.chars().count() > 3 {
            fault.message = fault.message.replace(value.as_str(), "…");
        } else {
            fault.message = without_word(&fault.message, value);
        }
    }
    fault
}

/// What a status means where no code says more.
fn kind_of(status: u16) -> FaultKind {
    match status {
        401 => FaultKind::Auth,
        // Company not open; plan's ceiling or missing right; feature not enabled.
        402 | 403 | 415 => FaultKind::Denied,
        404 | 410 => FaultKind::NotFound,
        405 | 501 => FaultKind::Unsupported,
        409 => FaultKind::Conflict,
        408 | 500 | 502 | 503 | 504 => FaultKind::Unavailable,
        429 => FaultKind::Limited,
        400..=499 => FaultKind::Invalid,
        500..=599 => FaultKind::Unavailable,
        _ => FaultKind::Malformed,
    }
}

/// A fault that the API tells in JSON.
fn told(reply: &Reply, body: &Json) -> Fault {
    let text = |name: &str| body.get(name).and_then(Json::as_str);
    let said = text("error").or_else(|| text("message")).unwrap_or("no reason given");
    let number = body.get("errorCode").and_then(Json::as_u64).and_then(|number| u16::try_from(number).ok());
    let status = if (200..300).contains(&reply.status) { number.unwrap_or(reply.status) } else { reply.status };
    let code = text("code").map_or_else(|| status.to_string(), ToOwned::to_owned);
    let kind = match code.as_str() {
        "ERR_SCHEMA_VALIDATION_FAILED" => FaultKind::Invalid,
        code if code.starts_with("feature_capping_") => FaultKind::Denied,
        _ => kind_of(status),
    };
    let mut fault = Fault::new(kind, code, cleaned(said));
    if let Some(field) = field_of(said) {
        fault = fault.with_field(field);
    }
    if kind == FaultKind::Limited {
        fault.detail.limited = Some(limited(reply));
    }
    stamped(reply, fault)
}

/// An answer that is not JSON.
fn unreadable(reply: &Reply) -> Fault {
    let fault = match reply.status {
        403 if is_html(reply) => {
            let mut fault =
                Fault::new(FaultKind::Limited, "403", "the API's gateway keeps this client out for a while");
            fault.detail.limited = Some(Limited {
                limit: BURST,
                daily: false,
                until: None,
                wait_ms: Some(asked_ms(reply).unwrap_or(0).max(BLOCKED_MS)),
            });
            fault
        }
        429 => {
            let mut fault = Fault::new(FaultKind::Limited, "429", "too many requests");
            fault.detail.limited = Some(limited(reply));
            fault
        }
        // The web server's own page: this path does not exist, which says nothing about a record
        // (sheet: section 7, the HTML answer of unknown v2 paths).
        404 if is_html(reply) => Fault::malformed("the answer is a web page in place of JSON"),
        status => {
            Fault::new(kind_of(status), status.to_string(), format!("the answer has the status {status} and no reason"))
        }
    };
    stamped(reply, fault)
}

/// Burst and day share a status. The day is over when the token header says 0, or when the burst still
/// has room (sheet: section 6).
fn limited(reply: &Reply) -> Limited {
    let number = |name: &str| reply.header(name).and_then(|value| value.trim().parse::<i64>().ok());
    let tokens = number("x-daily-ratelimit-token-remaining");
    let room = number("x-ratelimit-remaining");
    let daily = match (tokens, room) {
        (Some(tokens), _) if tokens <= 0 => true,
        (_, Some(room)) => room > 0,
        _ => false,
    };
    if daily {
        Limited { limit: DAILY, daily, until: None, wait_ms: None }
    } else {
        Limited { limit: BURST, daily, until: None, wait_ms: Some(asked_ms(reply).unwrap_or(BURST_MS)) }
    }
}

/// How long the reply asks to wait. `x-ratelimit-reset` is in seconds in practice; `Retry-After` is not
/// documented and believed when it comes (sheet: section 6).
fn asked_ms(reply: &Reply) -> Option<u64> {
    let seconds = |name: &str| reply.header(name).and_then(|value| value.trim().parse::<u64>().ok());
    let asked = seconds("retry-after").or_else(|| seconds("x-ratelimit-reset"))?;
    Some(asked.saturating_mul(1_000))
}

fn is_html(reply: &Reply) -> bool {
    let start = reply.body.iter().find(|byte| !byte.is_ascii_whitespace());
    reply.header("content-type").is_some_and(|kind| kind.contains("html")) || start == Some(&b'<')
}

fn stamped(reply: &Reply, fault: Fault) -> Fault {
    let mut fault = fault.with_status(reply.status);
    fault.detail.request_id = reply.header("x-correlation-id").map(ToOwned::to_owned);
    fault
}

/// The field that a validation error names: a custom field's code anywhere (sheet: section 7, since
/// 2026-05-21), else the key after `Validation failed:`.
fn field_of(said: &str) -> Option<String> {
    let code = said.split(|c: char| !c.is_ascii_alphanumeric()).find(|word| is_code(word));
    if let Some(code) = code {
        return Some(code.to_owned());
    }
    // v1 begins with the key, v2 says so before.
    let (key, _) = said.strip_prefix("Validation failed: ").unwrap_or(said).split_once(':')?;
    let key = key.trim();
    is_name(key).then(|| key.to_owned())
}

/// Whether a word is a custom field's code: 40 hex digits.
pub(super) fn is_code(word: &str) -> bool {
    word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.'))
}

/// The sentence without what may be a value: quoted text that is no name of a field, and addresses.
fn cleaned(said: &str) -> String {
    let mut clean = String::with_capacity(said.len());
    let mut rest = said;
    while let Some(at) = rest.find(['\'', '"', '`']) {
        let (before, quoted) = rest.split_at(at);
        let quote = &quoted[..1];
        clean.push_str(before);
        // An apostrophe within a word opens nothing: "Couldn't".
        let opens = !before.ends_with(|c: char| c.is_alphanumeric());
        match quoted[1..].find(quote).filter(|_| opens) {
            Some(end) => {
                let inside = &quoted[1..=end];
                clean.push_str(quote);
                clean.push_str(if is_name(inside) && inside.contains(|c: char| c.is_ascii_alphabetic()) {
                    inside
                } else {
                    "…"
                });
                clean.push_str(quote);
                rest = &quoted[end + 2..];
            }
            None => {
                clean.push_str(quote);
                rest = &quoted[1..];
            }
        }
    }
    clean.push_str(rest);
    let words: Vec<&str> = clean.split(' ').map(|word| if word.contains('@') { "…" } else { word }).collect();
    let sentence = words.join(" ");
    match sentence.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &sentence[..end]),
        None => sentence,
    }
}

/// A short value is taken out only where it stands as a word of its own.
fn without_word(sentence: &str, word: &str) -> String {
    let parts: Vec<&str> = sentence.split_inclusive(|c: char| !c.is_alphanumeric()).collect();
    let mut clean = String::with_capacity(sentence.len());
    for part in parts {
        let bare = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        if bare == word {
            clean.push('…');
            clean.push_str(&part[bare.len()..]);
        } else {
            clean.push_str(part);
        }
    }
    clean
}

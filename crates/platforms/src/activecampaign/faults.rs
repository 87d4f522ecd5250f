//! What a refusal or a broken answer means (sheet: ActiveCampaign section 7).
//!
//! - A bare `{"message": "Forbidden"}` is a wrong key, and at times nothing at all: it is asked about again before it
//!   is believed (section 1 \[code\]).
//! - `errors` is a list of objects with any of title, detail, code and source, or one text, or a list of texts.
//! - A message that may repeat a value is cut down to what is no value.

use handover_connect::{Fault, FaultKind, Limited, Reply};
use serde_json::Value as Json;

use super::form::word;
use super::object::BURST;

/// How long a full second is waited for when the reply does not say (section 6).
const BURST_MS: u64 = 1_000;
/// How long a message may be, in characters.
const LONGEST: usize = 300;

/// The reply's JSON when it tells of success: an object, or the list that some deletions answer with.
///
/// # Errors
/// The fault that it tells of.
pub(super) fn check(reply: &Reply) -> Result<Json, Fault> {
    let body = serde_json::from_slice::<Json>(&reply.body).ok().filter(|body| body.is_object() || body.is_array());
    if (200..300).contains(&reply.status) {
        return body.ok_or_else(|| {
            Fault::malformed("the answer is not the JSON that the API promises").with_status(reply.status)
        });
    }
    let mut fault = match body {
        Some(body) => told(reply, &body),
        None => unreadable(reply),
    };
    if fault.kind == FaultKind::Limited {
        let asked = reply.header("retry-after").and_then(|value| value.trim().parse::<u64>().ok());
        let wait_ms = Some(asked.map_or(BURST_MS, |seconds| seconds.saturating_mul(1_000)));
        fault.detail.limited = Some(Limited { limit: BURST, daily: false, until: None, wait_ms });
    }
    Err(fault.with_status(reply.status))
}

/// What a status means where no code says more.
fn kind_of(status: u16) -> FaultKind {
    match status {
        401 => FaultKind::Auth,
        402 | 403 => FaultKind::Denied,
        404 | 410 => FaultKind::NotFound,
        405 | 501 => FaultKind::Unsupported,
        409 => FaultKind::Conflict,
        408 => FaultKind::Unavailable,
        429 => FaultKind::Limited,
        400..=499 => FaultKind::Invalid,
        500..=599 => FaultKind::Unavailable,
        _ => FaultKind::Malformed,
    }
}

/// One error of a list.
struct Said<'b> {
    text: String,
    code: Option<String>,
    pointer: Option<&'b str>,
}

fn said(error: &Json) -> Said<'_> {
    let part = |name: &str| error.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
    let text = match error {
        Json::String(text) => text.clone(),
        _ => [part("title"), part("detail")].into_iter().flatten().collect::<Vec<_>>().join(": "),
    };
    let pointer = error.pointer("/source/pointer").and_then(Json::as_str);
    Said { text, code: error.get("code").and_then(word), pointer }
}

/// A fault that the API tells in JSON.
fn told(reply: &Reply, body: &Json) -> Fault {
    let errors = body.get("errors");
    let first = match errors {
        Some(Json::Array(list)) => list.first(),
        Some(Json::Null) | None => None,
        Some(one) => Some(one),
    };
    let said = first.map(said);
    let message = body.get("message").and_then(Json::as_str).unwrap_or_default();
    let text = said.as_ref().map_or(message, |said| &said.text);
    let code = said.as_ref().and_then(|said| said.code.clone()).unwrap_or_else(|| reply.status.to_string());
    let kind = match code.as_str() {
        "duplicate" => FaultKind::Conflict,
        // A 400 that may be tried again (section 5 [spec]); some tell it with a 403 (section 6 [code]).
        _ if text.to_lowercase().contains("rate limit exceeded") => FaultKind::Limited,
        _ if reply.status == 403 && said.is_none() => FaultKind::Auth,
        _ => kind_of(reply.status),
    };
    let text = if text.is_empty() { "no reason given" } else { text };
    let mut fault = Fault::new(kind, code, cleaned(text));
    fault.detail.passing = reply.status == 403 && kind == FaultKind::Auth;
    if let Some(key) = said.and_then(|said| said.pointer).and_then(|pointer| pointer.strip_prefix("/data/attributes/"))
    {
        fault = fault.with_field(key);
    }
    fault
}

/// An answer that is not JSON: pages of the edge (section 7).
fn unreadable(reply: &Reply) -> Fault {
    match reply.status {
        404 => Fault::malformed("the answer is a web page in place of JSON"),
        403 => Fault::new(FaultKind::Limited, "403", "the API's gateway keeps this client out for a while"),
        status => {
            Fault::new(kind_of(status), status.to_string(), format!("the answer has the status {status} and no reason"))
        }
    }
}

/// Takes the values of a write out of a fault's message: the API quotes what it refuses.
pub(super) fn without_values(mut fault: Fault, values: &[String]) -> Fault {
    let mut values: Vec<&String> = values.iter().filter(|value| !value.trim().is_empty()).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    for value in values {
        if value.chars().count() > 3 {
            fault.message = fault.message.replace(value.as_str(), "…");
        } else {
            let words: Vec<&str> =
                fault.message.split(' ').map(|word| if word == value { "…" } else { word }).collect();
            fault.message = words.join(" ");
        }
    }
    fault
}

/// The text within the first pair of backticks, and the one within the last: value and type of a refused custom
/// value (section 5 \[spec\]).
pub(super) fn refused_value(reply: &Reply) -> Option<(String, String)> {
    let body: Json = serde_json::from_slice(&reply.body).ok()?;
    let text = body.pointer("/errors/0/detail").and_then(Json::as_str)?;
    let rest = text.strip_prefix("The custom field value `")?;
    let (value, kind) = rest.rsplit_once("` could not be saved to the custom field of type `")?;
    Some((value.to_owned(), kind.split('`').next()?.to_owned()))
}

/// The sentence without what may be a value: quoted text, and addresses.
fn cleaned(said: &str) -> String {
    let mut clean = String::new();
    let mut rest = said;
    while let Some(at) = rest.find(['`', '"', '\'']) {
        let (before, quoted) = rest.split_at(at);
        let mut inner = quoted.chars();
        let quote = inner.next().unwrap_or('`');
        let inner = inner.as_str();
        clean.push_str(before);
        clean.push(quote);
        // An apostrophe within a word opens nothing.
        let opens = !before.ends_with(char::is_alphanumeric);
        match inner.find(quote).filter(|_| opens) {
            Some(end) => {
                clean.push('…');
                clean.push(quote);
                rest = inner.get(end + quote.len_utf8()..).unwrap_or_default();
            }
            None => rest = inner,
        }
    }
    clean.push_str(rest);
    let words: Vec<&str> = clean.split(' ').map(|word| if word.contains('@') { "…" } else { word }).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

//! What HubSpot's refusals mean: one table from its words to decisions, one from statuses.
//!
//! - The words stand in four places (detail code, sub-category, category, a plain `status`), none of
//!   them always present (sheet: HubSpot section 7 \[doc\]); the most precise one that is known decides.
//! - Statuses that say "not now" win over every word.
//! - Messages can hold the customer's values (the JSON inside "Property values were not valid"): for
//!   writes a message is built from codes and property names, unless its form is known to be harmless.

use std::collections::HashSet;

use handover_connect::{Fault, FaultKind, Limited, Reply};
use serde_json::Value as Json;

use super::json::{id_text, items, text_at};

/// HubSpot's words (sheet: HubSpot sections 1, 2.2, 3, 4, 7 \[doc, obs, code\]).
const WORDS: [(&str, FaultKind); 24] = [
    ("CONFLICTING_UNIQUE_VALUE", FaultKind::Conflict),
    ("PROPERTY_DOESNT_EXIST", FaultKind::Invalid),
    ("READ_ONLY_VALUE", FaultKind::Invalid),
    ("INVALID_INTEGER", FaultKind::Invalid),
    ("INVALID_OPTION", FaultKind::Invalid),
    ("INVALID_EMAIL", FaultKind::Invalid),
    ("INVALID_DATE", FaultKind::Invalid),
    ("MISSING_REQUIRED_PROPERTY", FaultKind::Invalid),
    ("MISSING_CONDITIONAL_REQUIRED_PROPERTY", FaultKind::Invalid),
    ("Properties.PROPERTY_WITH_NAME_EXISTS", FaultKind::Conflict),
    ("crm.associations.INVALID_ASSOCIATION_TYPE", FaultKind::Invalid),
    ("crm.associations.NO_ASSOCIATIONS_FOUND", FaultKind::NotFound),
    ("crm.associations.FROM_OBJECT_NOT_FOUND", FaultKind::NotFound),
    ("EXPIRED_AUTHENTICATION", FaultKind::Auth),
    ("INVALID_AUTHENTICATION", FaultKind::Auth),
    ("BAD_REFRESH_TOKEN", FaultKind::Auth),
    ("MISSING_SCOPES", FaultKind::Denied),
    ("OBJECT_NOT_FOUND", FaultKind::NotFound),
    ("CONFLICT", FaultKind::Conflict),
    ("OBJECT_ALREADY_EXISTS", FaultKind::Conflict),
    ("RATE_LIMITS", FaultKind::Limited),
    ("RATE_LIMIT", FaultKind::Limited),
    ("VALIDATION_ERROR", FaultKind::Invalid),
    ("INTERNAL_ERROR", FaultKind::Unavailable),
];

/// Messages that name no value: of a property, a scope, an id at most.
const HARMLESS: [&str; 12] = [
    "Contact already exists. Existing ID",
    "You have reached your",
    "Authentication credentials not found",
    "The OAuth token used to make this call expired",
    "missing or invalid refresh token",
    "Unable to perform update/upsert by non-unique",
    "A property named",
    "No company is associated with",
    "No contact is associated with",
    "No deal is associated with",
    "resource not found",
    "Cannot have more than",
];

/// How long a message may be, in characters.
const LONGEST: usize = 300;

/// What a status says by itself (sheet: HubSpot section 7 \[doc\]).
fn by_status(status: u16) -> FaultKind {
    match status {
        401 => FaultKind::Auth,
        402 | 403 => FaultKind::Denied,
        404 | 410 => FaultKind::NotFound,
        405 | 501 => FaultKind::Unsupported,
        409 => FaultKind::Conflict,
        // Locked under heavy writes; account moving between data centres; too early.
        408 | 423 | 425 | 477 => FaultKind::Unavailable,
        429 => FaultKind::Limited,
        400..=499 => FaultKind::Invalid,
        500..=599 => FaultKind::Unavailable,
        _ => FaultKind::Malformed,
    }
}

/// Whether the status decides whatever the body says.
fn status_decides(status: u16) -> bool {
    matches!(status, 408 | 423 | 425 | 429 | 477 | 500..=599)
}

/// The fault of a whole reply. `values` tells whether the request carried the customer's values, which
/// the message may then repeat.
pub(super) fn of_reply(reply: &Reply, values: bool) -> Fault {
    let body = serde_json::from_slice::<Json>(&reply.body).unwrap_or(Json::Null);
    // The error stands bare or wrapped in an array (sheet: HubSpot section 1 [code]).
    let error = body.as_array().and_then(|errors| errors.first()).unwrap_or(&body);
    let mut fault = read(error, reply, values);
    if status_decides(reply.status) || matches!(reply.status, 401 | 403) || fault.kind == FaultKind::Malformed {
        fault.kind = by_status(reply.status);
    }
    if fault.code.is_empty() {
        fault.code = reply.status.to_string();
    }
    if fault.message.is_empty() {
        fault.message = format!("HubSpot answered with status {}", reply.status);
    }
    fault.detail.limited = limited(error, reply);
    fault
}

/// The fault of one row of a batch.
pub(super) fn of_row(error: &Json, reply: &Reply) -> Fault {
    let mut fault = read(error, reply, true);
    if fault.kind == FaultKind::Malformed {
        // A row error without a word that is known was still refused by the row's own validation.
        fault.kind = FaultKind::Invalid;
    }
    if fault.code.is_empty() {
        fault.code = "error".to_owned();
    }
    if fault.message.is_empty() {
        fault.message = format!("HubSpot refused the record: {}", fault.code);
    }
    if fault.kind == FaultKind::Limited {
        fault.detail.limited = Some(Limited { limit: "", daily: false, until: None, wait_ms: None });
    }
    fault
}

fn read(error: &Json, reply: &Reply, values: bool) -> Fault {
    let embedded = embedded(error);
    let details: Vec<&Json> = items(error, "errors").iter().chain(&embedded).collect();
    let words: Vec<&str> = details
        .iter()
        .flat_map(|detail| ["code", "error"].into_iter().filter_map(|name| text_at(detail, name)))
        .chain(
            ["subCategory", "category", "errorType", "status"]
                .into_iter()
                .filter_map(|name| text_at(error, name))
                .filter(|word| *word != "error"),
        )
        .collect();
    let known = words.iter().find_map(|word| WORDS.iter().find(|(have, _)| have == word));
    let kind = known.map_or(FaultKind::Malformed, |(_, kind)| *kind);
    let code = known.map(|(word, _)| *word).or_else(|| words.first().copied()).unwrap_or_default();
    let mut fault = Fault::new(kind, code, message(error, &details, code, values)).with_status(reply.status);
    fault.field = property(error).or_else(|| details.iter().find_map(|detail| property(detail))).map(Into::into);
    fault.detail.request_id = text_at(error, "correlationId")
        .or_else(|| reply.header("x-hubspot-correlation-id"))
        .or_else(|| reply.header("x-request-id"))
        .map(str::to_owned);
    if kind == FaultKind::Conflict {
        fault.detail.clashing =
            std::iter::once(error).chain(details).filter_map(|at| text_at(at, "message")).flat_map(ids).collect();
        fault.detail.clashing.dedup();
    }
    fault
}

/// The list inside "Property values were not valid: [{..}]" (sheet: HubSpot section 7 \[doc\]).
fn embedded(error: &Json) -> Vec<Json> {
    let Some(message) = text_at(error, "message") else { return Vec::new() };
    let Some((_, list)) = message.split_once("Property values were not valid: ") else { return Vec::new() };
    serde_json::from_str(list).unwrap_or_default()
}

/// The property that an error is about.
fn property(error: &Json) -> Option<String> {
    let context = error.pointer("/context/propertyName/0").and_then(Json::as_str);
    // Of the embedded form only, where `name` is the property's.
    let own = error.get("isValid").and(text_at(error, "name"));
    context.or(own).map(str::to_owned)
}

fn message(error: &Json, details: &[&Json], code: &str, values: bool) -> String {
    let scopes: Vec<&str> = details
        .iter()
        .filter_map(|detail| detail.pointer("/context/requiredGranularScopes")?.as_array())
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    if !scopes.is_empty() {
        return format!("the app lacks one of the scopes {}", scopes.join(", "));
    }
    let text = text_at(error, "message").unwrap_or_default();
    if HARMLESS.iter().any(|start| text.starts_with(start)) || !values && details.is_empty() {
        return text.chars().take(LONGEST).collect();
    }
    let named: Vec<String> = details
        .iter()
        .map(|detail| {
            let word = text_at(detail, "code").or_else(|| text_at(detail, "error")).unwrap_or("refused");
            property(detail).map_or_else(|| word.to_owned(), |name| format!("property `{name}`: {word}"))
        })
        .collect();
    // The list stands in the message and beside it.
    let mut told = HashSet::new();
    let named: Vec<String> = named.into_iter().filter(|line| told.insert(line.clone())).collect();
    match (named.is_empty(), property(error)) {
        (false, _) => named.join(", "),
        (true, Some(name)) => format!("property `{name}`: {code}"),
        (true, None) if code.is_empty() => String::new(),
        (true, None) => format!("HubSpot refused it: {code}"),
    }
}

/// The record ids that a message about a clash names: "Existing ID: 123" (sheet: HubSpot section 7
/// \[code\]), "with ID 123", "123 already has that value" \[obs\]. There is no field for them.
fn ids(message: &str) -> Vec<String> {
    let words: Vec<&str> =
        message.split(|c: char| c.is_whitespace() || c == ':').filter(|word| !word.is_empty()).collect();
    let digits = |word: &str| {
        let digits = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.to_owned())
    };
    (0..words.len())
        .filter_map(|at| {
            let before = at.checked_sub(1).and_then(|before| words.get(before)).copied().unwrap_or_default();
            let after = words.get(at + 1).copied().unwrap_or_default();
            let named = before.trim_matches('.').eq_ignore_ascii_case("id") || after == "already";
            digits(words.get(at)?).filter(|_| named)
        })
        .collect()
}

/// Which limit was met and how long to wait (sheet: HubSpot section 6 \[doc, code\]).
fn limited(error: &Json, reply: &Reply) -> Option<Limited> {
    let told: Option<u64> = reply.header("retry-after").and_then(|text| text.trim().parse().ok());
    match reply.status {
        // The lock lasts two seconds (sheet: HubSpot section 7 [doc]).
        423 => Some(Limited { limit: "", daily: false, until: None, wait_ms: Some(2_000) }),
        // Here, and only here, the header's unit is documented: seconds, up to a day's worth.
        477 => Some(Limited { limit: "", daily: false, until: None, wait_ms: told.map(|s| s.saturating_mul(1_000)) }),
        429 => {
            let policy = text_at(error, "policyName").unwrap_or_default();
            let message = text_at(error, "message").unwrap_or_default();
            let says = |name: &str, part: &str| policy == name || policy.is_empty() && message.contains(part);
            let (limit, daily, wait_ms) = if says("DAILY", "daily") {
                ("daily", true, None)
            } else if says("TEN_SECONDLY_ROLLING", "ten_secondly") {
                ("burst", false, Some(10_000))
            } else if says("SECONDLY", "secondly") {
                ("search", false, Some(1_000))
            } else {
                ("", false, Some(10_000))
            };
            // Not documented for a 429 and of doubtful unit: a small number is taken for seconds.
            let told = told.map(|n| if n < 1_000 { n.saturating_mul(1_000) } else { n });
            let wait_ms = if daily { None } else { wait_ms.max(told) };
            Some(Limited { limit, daily, until: None, wait_ms })
        }
        _ => None,
    }
}

/// Whether an error row says only that something is not there.
pub(super) fn is_absence(error: &Json) -> bool {
    text_at(error, "category") == Some("OBJECT_NOT_FOUND")
        || text_at(error, "subCategory")
            .is_some_and(|word| word.ends_with("NO_ASSOCIATIONS_FOUND") || word.ends_with("FROM_OBJECT_NOT_FOUND"))
}

/// The first error of a batch read that is more than an absence: the read is not whole then.
pub(super) fn failed_read(body: &Json, reply: &Reply) -> Option<Fault> {
    items(body, "errors").iter().find(|error| !is_absence(error)).map(|error| of_row(error, reply))
}

/// The id of a record in an error's context, where there is no trace: `ids`, `id`.
pub(super) fn context_id(error: &Json) -> Option<String> {
    ["/context/ids/0", "/context/id/0", "/context/objectId/0"].iter().find_map(|at| error.pointer(at).and_then(id_text))
}

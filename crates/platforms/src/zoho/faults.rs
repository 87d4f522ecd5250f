//! What Zoho's refusals mean: one table from its codes to decisions, one from statuses.
//!
//! - A refusal is an object with `code`, `details`, `message`; a row's stands in the list of rows (sheet: Zoho section
//!   7). The token endpoint's is an object with `error`, often under status 200 (section 1).
//! - Statuses of batches are not certain (section 5 \[unsure\]): codes decide, statuses only where there is none.
//! - Messages are the vendor's own words and name no value; they are repeated for codes that are known, and made here
//!   from the details' names for others.

use handover_connect::{Fault, FaultKind, Limited, Reply};
use serde_json::Value as Json;

use super::capabilities::DAILY;
use super::json::{items, text_at};

/// Zoho's codes (sheet: Zoho sections 1, 4, 5, 7 \[doc, spec\]). Those of broken data that are not here are invalid by
/// their status, or their row.
const CODES: [(&str, FaultKind); 62] = [
    ("INVALID_TOKEN", FaultKind::Auth),
    ("AUTHENTICATION_FAILURE", FaultKind::Auth),
    ("INVALID_HOST", FaultKind::Auth),
    ("invalid_code", FaultKind::Auth),
    ("invalid_client", FaultKind::Auth),
    ("invalid_client_secret", FaultKind::Auth),
    ("invalid_redirect_uri", FaultKind::Auth),
    ("general_error", FaultKind::Auth),
    ("Access Denied", FaultKind::Limited),
    ("TOO_MANY_REQUESTS", FaultKind::Limited),
    ("OAUTH_SCOPE_MISMATCH", FaultKind::Denied),
    ("NO_PERMISSION", FaultKind::Denied),
    ("AUTHORIZATION_FAILED", FaultKind::Denied),
    ("NOT_SUPPORTED", FaultKind::Denied),
    ("FEATURE_NOT_ENABLED", FaultKind::Denied),
    ("FEATURE_NOT_SUPPORTED", FaultKind::Denied),
    ("NOT_ALLOWED", FaultKind::Denied),
    ("NOT_APPROVED", FaultKind::Denied),
    ("RECORD_IN_BLUEPRINT", FaultKind::Denied),
    ("ID_ALREADY_CONVERTED", FaultKind::Denied),
    ("CANNOT_PERFORM_ACTION", FaultKind::Denied),
    ("STORAGE_SPACE_EXCEEDED", FaultKind::Denied),
    ("PAGINATION_LIMIT_EXCEEDED", FaultKind::Denied),
    ("INVALID_MODULE", FaultKind::NotFound),
    ("INVALID_URL_PATTERN", FaultKind::NotFound),
    ("NO_DATA", FaultKind::NotFound),
    ("NO_CONTENT", FaultKind::NotFound),
    ("RESOURCE_NOT_FOUND", FaultKind::NotFound),
    ("DUPLICATE_DATA", FaultKind::Conflict),
    ("ALREADY_MODIFIED", FaultKind::Conflict),
    ("DEPENDENT_RECORD_EXISTS", FaultKind::Conflict),
    ("RECORD_LOCKED", FaultKind::Denied),
    ("INTERNAL_ERROR", FaultKind::Unavailable),
    ("INTERNAL_SERVER_ERROR", FaultKind::Unavailable),
    ("INVALID_DATA", FaultKind::Invalid),
    ("MANDATORY_NOT_FOUND", FaultKind::Invalid),
    ("PATTERN_NOT_MATCHED", FaultKind::Invalid),
    ("UNABLE_TO_PARSE_DATA_TYPE", FaultKind::Invalid),
    ("MAPPING_MISMATCH", FaultKind::Invalid),
    ("DEPENDENT_FIELD_MISSING", FaultKind::Invalid),
    ("DEPENDENT_MISMATCH", FaultKind::Invalid),
    ("EXPECTED_FIELD_MISSING", FaultKind::Invalid),
    ("REQUIRED_PARAM_MISSING", FaultKind::Invalid),
    ("LIMIT_EXCEEDED", FaultKind::Invalid),
    ("LIMIT_REACHED", FaultKind::Invalid),
    ("FILE_SIZE_MORE_THAN_ALLOWED_SIZE", FaultKind::Invalid),
    ("VIRUS_DETECTED", FaultKind::Invalid),
    ("SYNTAX_ERROR", FaultKind::Invalid),
    ("INVALID_QUERY", FaultKind::Invalid),
    ("EXPIRED_VALUE", FaultKind::Invalid),
    ("TOKEN_BOUND_DATA_MISMATCH", FaultKind::Invalid),
    ("DISCRETE_PAGINATION_LIMIT_EXCEEDED", FaultKind::Invalid),
    ("AMBIGUITY_DURING_PROCESSING", FaultKind::Invalid),
    ("AMBIGUITY_DURING_CREATION", FaultKind::Invalid),
    ("MULTIPLE_OR_MULTI_ERRORS", FaultKind::Invalid),
    ("INVALID_REQUEST", FaultKind::Invalid),
    ("NOT_SUBSCRIBED", FaultKind::NotFound),
    ("ALREADY_SCHEDULED", FaultKind::Conflict),
    ("DUPLICATE_LINKING_DATA", FaultKind::Conflict),
    ("INVALID_REQUEST_METHOD", FaultKind::Unsupported),
    ("API_VERSION_NOT_SUPPORTED", FaultKind::Unsupported),
    ("UNABLE_TO_PARSE_REQUEST", FaultKind::Invalid),
];

/// How long is waited when too many requests are under way at once, in milliseconds: the platform names no time (sheet:
/// Zoho section 6).
const CROWDED_MS: u64 = 5_000;
/// How long is waited when too many tokens were bought: the window has ten minutes (sheet: Zoho section 1 \[doc\]).
const TOKENS_MS: u64 = 60_000;
/// How long a message may be, in characters.
const LONGEST: usize = 200;

/// What a status says by itself (sheet: Zoho section 7).
fn by_status(status: u16) -> FaultKind {
    match status {
        401 => FaultKind::Auth,
        403 => FaultKind::Denied,
        404 => FaultKind::NotFound,
        405 | 410 | 501 => FaultKind::Unsupported,
        409 | 412 => FaultKind::Conflict,
        408 => FaultKind::Unavailable,
        429 => FaultKind::Limited,
        400..=499 => FaultKind::Invalid,
        500..=599 => FaultKind::Unavailable,
        _ => FaultKind::Malformed,
    }
}

/// Passes replies that are no refusal.
pub(super) fn check(reply: &Reply) -> Result<(), Fault> {
    if (200..300).contains(&reply.status) { Ok(()) } else { Err(of_reply(reply)) }
}

/// The fault of a whole reply.
pub(super) fn of_reply(reply: &Reply) -> Fault {
    let body = serde_json::from_slice::<Json>(&reply.body).unwrap_or(Json::Null);
    let error =
        ["data", "fields", "merge", "watch"].into_iter().find_map(|list| items(&body, list).first()).unwrap_or(&body);
    let mut fault = read(error).with_status(reply.status);
    // What an edge before the platform answers has no code; a failure of the platform's is one whatever its code.
    if fault.kind == FaultKind::Malformed || reply.status >= 500 {
        fault.kind = by_status(reply.status);
    }
    if reply.status == 429 {
        fault.kind = FaultKind::Limited;
    }
    if fault.code.is_empty() {
        fault.code = reply.status.to_string();
    }
    if fault.message.is_empty() {
        fault.message = format!("Zoho answered with status {}", reply.status);
    }
    if fault.kind == FaultKind::Limited {
        fault.detail.limited = Some(limited(error, reply));
    }
    fault
}

/// The fault of one row of a batch; `None` when the row was carried out.
pub(super) fn of_row(row: &Json) -> Option<Fault> {
    let code = text_at(row, "code").unwrap_or_default();
    if code == "SUCCESS" || code.is_empty() && text_at(row, "status") == Some("success") {
        return None;
    }
    let mut fault = read(row);
    if fault.kind == FaultKind::Malformed && !fault.code.is_empty() {
        // A code that is not known was still an answer about this row.
        fault.kind = FaultKind::Invalid;
    }
    if fault.code.is_empty() {
        fault.code = "error".to_owned();
        fault.message = "the row was neither carried out nor refused with a reason".to_owned();
    }
    Some(fault)
}

/// The limit that was met: one code for credits and for requests under way at once, and no time to wait (sheet: Zoho
/// section 6 \[unsure\]). Spent credits are no matter of seconds.
fn limited(error: &Json, reply: &Reply) -> Limited {
    let message = text_at(error, "message").unwrap_or_default().to_ascii_lowercase();
    let is_spent = reply.header("x-api-credits-remaining").is_some_and(|left| left.trim() == "0");
    let daily = is_spent || message.contains("credit");
    let told = reply.header("retry-after").and_then(|text| text.trim().parse::<u64>().ok());
    let usual = if error.get("error").is_some() { TOKENS_MS } else { CROWDED_MS };
    let wait_ms = told.map_or(usual, |seconds| seconds.saturating_mul(1_000));
    Limited { limit: if daily { DAILY } else { "" }, daily, until: None, wait_ms: (!daily).then_some(wait_ms) }
}

fn read(error: &Json) -> Fault {
    let details = error.get("details").unwrap_or(&Json::Null);
    // Several errors of one row: the first decides.
    if let Some(first) = items(details, "errors").first().filter(|first| text_at(first, "code").is_some()) {
        return read(first);
    }
    let code = text_at(error, "code").or_else(|| text_at(error, "error")).unwrap_or_default();
    let known = CODES.iter().find(|(name, _)| *name == code);
    let mut fault = Fault::new(known.map_or(FaultKind::Malformed, |(_, kind)| *kind), short(code), String::new());
    fault.field = text_at(details, "api_name").filter(|name| super::objects::is_name(name)).map(Into::into);
    let said = text_at(error, "message").or_else(|| text_at(error, "error_description")).filter(|_| known.is_some());
    let words = said.map_or_else(|| code.to_owned(), short);
    fault.message = match &fault.field {
        _ if code.is_empty() => String::new(),
        Some(field) => format!("`{field}`: {words}{}", asked(details)),
        None => format!("{words}{}", asked(details)),
    };
    if code == "NOT_SUPPORTED" {
        fault.message.push_str(": only administrators are shown all records of some modules (Notes)");
    }
    if fault.kind == FaultKind::Conflict {
        let ids = [details.get("id"), details.pointer("/duplicate_record/id")];
        fault.detail.clashing = ids.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect();
        fault.detail.clashing.dedup();
    }
    fault
}

/// What was asked for instead, as the details name it.
fn asked(details: &Json) -> String {
    let mut asked = String::new();
    if let Some(expected) = text_at(details, "expected_data_type") {
        asked.push_str(&format!(" (expected: {})", short(expected)));
    }
    for (name, word) in [("maximum_length", "at most"), ("limit", "the limit is")] {
        if let Some(most) = details.get(name).and_then(Json::as_u64) {
            asked.push_str(&format!(" ({word} {most})"));
        }
    }
    if let Some(name) = text_at(details, "param_name") {
        asked.push_str(&format!(" (parameter `{}`)", short(name)));
    }
    asked
}

fn short(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

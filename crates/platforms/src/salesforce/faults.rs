//! What Salesforce's refusals mean: one table from its codes to decisions, one from statuses.
//!
//! - A refusal is an array of objects with `errorCode`, a row's of a collection one with `statusCode`, the token
//!   endpoint's an object with `error` (sheet: Salesforce section 7). The first error decides.
//! - Messages may hold the customer's values ("invalid email address: ..."): one is repeated only for codes whose
//!   messages are known to name fields and ids alone, or were written by an administrator.

use handover_connect::{Fault, FaultKind, Limited, Reply};
use serde_json::{Value as Json, json};

use super::capabilities::DAILY;
use super::ids::is_id;
use crate::json::{items, text_at};

/// What is known of a code.
struct Code {
    name: &'static str,
    kind: FaultKind,
    /// Whether its message holds no value.
    harmless: bool,
}

const fn told(name: &'static str, kind: FaultKind) -> Code {
    Code { name, kind, harmless: true }
}

const fn kept(name: &'static str, kind: FaultKind) -> Code {
    Code { name, kind, harmless: false }
}

/// Salesforce's codes (sheet: Salesforce sections 1, 4, 5, 7 \[doc, spec, fixture\]). Those of broken data that
/// are not here are invalid by their status.
const CODES: [Code; 67] = [
    told("INVALID_SESSION_ID", FaultKind::Auth),
    told("invalid_grant", FaultKind::Auth),
    told("invalid_client", FaultKind::Auth),
    told("invalid_client_id", FaultKind::Auth),
    told("inactive_user", FaultKind::Auth),
    told("inactive_org", FaultKind::Auth),
    told("rate_limit_exceeded", FaultKind::Limited),
    told("REQUEST_LIMIT_EXCEEDED", FaultKind::Limited),
    told("EXCEEDEDQUOTA", FaultKind::Limited),
    told("TOO_MANY_APEX_REQUESTS", FaultKind::Unavailable),
    told("UNABLE_TO_LOCK_ROW", FaultKind::Unavailable),
    told("SERVER_UNAVAILABLE", FaultKind::Unavailable),
    told("QUERY_TIMEOUT", FaultKind::Unavailable),
    told("REQUEST_RUNNING_TOO_LONG", FaultKind::Unavailable),
    kept("UNKNOWN_EXCEPTION", FaultKind::Unavailable),
    told("INVALID_QUERY_LOCATOR", FaultKind::NotFound),
    told("API_DISABLED_FOR_ORG", FaultKind::Denied),
    told("API_CURRENTLY_DISABLED", FaultKind::Denied),
    told("INSUFFICIENT_ACCESS", FaultKind::Denied),
    told("INSUFFICIENT_ACCESS_OR_READONLY", FaultKind::Denied),
    told("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", FaultKind::Denied),
    told("CANNOT_UPDATE_CONVERTED_LEAD", FaultKind::Denied),
    told("ENTITY_IS_LOCKED", FaultKind::Denied),
    told("STORAGE_LIMIT_EXCEEDED", FaultKind::Denied),
    told("INVALID_TYPE", FaultKind::Denied),
    told("NOT_FOUND", FaultKind::NotFound),
    told("ENTITY_IS_DELETED", FaultKind::NotFound),
    told("DUPLICATE_VALUE", FaultKind::Conflict),
    told("DUPLICATES_DETECTED", FaultKind::Conflict),
    told("DUPLICATE_DEVELOPER_NAME", FaultKind::Conflict),
    told("DUPLICATE_EXTERNAL_ID", FaultKind::Conflict),
    told("ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", FaultKind::Conflict),
    told("DELETE_FAILED", FaultKind::Conflict),
    told("DEPENDENCY_EXISTS", FaultKind::Conflict),
    told("REQUIRED_FIELD_MISSING", FaultKind::Invalid),
    told("FIELD_CUSTOM_VALIDATION_EXCEPTION", FaultKind::Invalid),
    told("FIELD_FILTER_VALIDATION_EXCEPTION", FaultKind::Invalid),
    told("INVALID_FIELD_FOR_INSERT_UPDATE", FaultKind::Invalid),
    told("STANDARD_PRICE_NOT_DEFINED", FaultKind::Invalid),
    told("INACTIVE_OWNER_OR_USER", FaultKind::Invalid),
    told("OP_WITH_INVALID_USER_TYPE_EXCEPTION", FaultKind::Invalid),
    told("MIXED_DML_OPERATION", FaultKind::Invalid),
    told("PROCESSING_HALTED", FaultKind::Invalid),
    told("ALL_OR_NONE_OPERATION_ROLLED_BACK", FaultKind::Invalid),
    told("CANNOT_EXECUTE_FLOW_TRIGGER", FaultKind::Invalid),
    kept("INVALID_FIELD", FaultKind::Invalid),
    kept("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", FaultKind::Invalid),
    kept("STRING_TOO_LONG", FaultKind::Invalid),
    kept("NUMBER_OUTSIDE_VALID_RANGE", FaultKind::Invalid),
    kept("INVALID_EMAIL_ADDRESS", FaultKind::Invalid),
    kept("INVALID_CROSS_REFERENCE_KEY", FaultKind::Invalid),
    kept("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", FaultKind::Invalid),
    kept("FIELD_INTEGRITY_EXCEPTION", FaultKind::Invalid),
    kept("INVALID_TYPE_ON_FIELD_IN_RECORD", FaultKind::Invalid),
    kept("MALFORMED_ID", FaultKind::Invalid),
    kept("MALFORMED_QUERY", FaultKind::Invalid),
    kept("INVALID_QUERY_FILTER_OPERATOR", FaultKind::Invalid),
    kept("JSON_PARSER_ERROR", FaultKind::Invalid),
    kept("INVALID_INPUT", FaultKind::Invalid),
    kept("OPERATION_TOO_LARGE", FaultKind::Invalid),
    kept("EXCEEDED_ID_LIMIT", FaultKind::Invalid),
    kept("INVALIDJOB", FaultKind::Invalid),
    kept("INVALIDJOBSTATE", FaultKind::Invalid),
    kept("INVALIDBATCH", FaultKind::Invalid),
    kept("METHOD_NOT_ALLOWED", FaultKind::Unsupported),
    kept("UNSUPPORTED_API_VERSION", FaultKind::Unsupported),
    told("UNSUPPORTED_GRANT_TYPE", FaultKind::Auth),
];

/// How long is waited when too many requests are under way at once, in milliseconds.
const CROWDED_MS: u64 = 5_000;
/// How long a message may be, in characters.
const LONGEST: usize = 300;

/// What a status says by itself (sheet: Salesforce section 7 \[doc\]).
fn by_status(status: u16) -> FaultKind {
    match status {
        401 => FaultKind::Auth,
        403 => FaultKind::Denied,
        404 => FaultKind::NotFound,
        // A retired version of the API; a verb that is not there.
        405 | 410 | 501 => FaultKind::Unsupported,
        // Several records have the key; somebody else was faster.
        300 | 409 | 412 => FaultKind::Conflict,
        // The organization is being moved.
        408 | 420 => FaultKind::Unavailable,
        429 => FaultKind::Limited,
        400..=499 => FaultKind::Invalid,
        500..=599 => FaultKind::Unavailable,
        _ => FaultKind::Malformed,
    }
}

/// Passes replies that are no refusal. `values` tells whether the request carried the customer's values.
pub(super) fn check(reply: &Reply, values: bool) -> Result<(), Fault> {
    if (200..300).contains(&reply.status) { Ok(()) } else { Err(of_reply(reply, values)) }
}

/// The fault of a whole reply.
pub(super) fn of_reply(reply: &Reply, values: bool) -> Fault {
    let body = serde_json::from_slice::<Json>(&reply.body).unwrap_or(Json::Null);
    let error = body.as_array().and_then(|errors| errors.first()).unwrap_or(&body);
    let mut fault = read(error, values).with_status(reply.status);
    let decides = matches!(reply.status, 500..=599) || reply.status == 401;
    if decides || fault.kind == FaultKind::Malformed {
        fault.kind = by_status(reply.status);
    }
    if fault.code.is_empty() {
        fault.code = reply.status.to_string();
    }
    if fault.message.is_empty() {
        fault.message = format!("Salesforce answered with status {}", reply.status);
    }
    if fault.kind == FaultKind::Limited {
        fault.detail.limited = Some(limited(error, reply.header("retry-after")));
    }
    fault
}

/// The fault of one row of a collection; `None` when the row was carried out.
pub(super) fn of_row(row: &Json) -> Option<Fault> {
    if row.get("success").and_then(Json::as_bool) == Some(true) {
        return None;
    }
    let error = items(row, "errors").first().unwrap_or(&Json::Null);
    let mut fault = read(error, true);
    if fault.kind == FaultKind::Malformed {
        // A code that is not known was still an answer about this row.
        let is_answer = !fault.code.is_empty();
        fault.kind = if is_answer { FaultKind::Invalid } else { FaultKind::Malformed };
    }
    if fault.code.is_empty() {
        fault.code = "error".to_owned();
        fault.message = "the row was neither carried out nor refused with a reason".to_owned();
    }
    if fault.kind == FaultKind::Limited {
        fault.detail.limited = Some(limited(error, None));
    }
    if fault.code == "DUPLICATES_DETECTED" {
        fault.detail.clashing = duplicates(error);
    }
    Some(fault)
}

/// The fault of a row of a job: `CODE:message:fields --` (sheet: Salesforce section 5.5 \[doc\]). Of several the first
/// one decides, as everywhere. A message may have colons and dashes of its own, so that names of fields end it.
pub(super) fn of_cell(text: &str) -> Fault {
    let (code, rest) = text.split_once(':').unwrap_or((text, ""));
    let is_list = |names: &str| names.split(',').all(|name| name.is_empty() || super::objects::is_name(name.trim()));
    let ends = rest.match_indices("--").filter(|(at, _)| rest.get(at + 2..).is_some_and(is_end_of_error));
    let told = ends.filter_map(|(at, _)| rest.get(..at)?.trim_end().rsplit_once(':')).find(|(_, names)| is_list(names));
    let (message, names) = told.unwrap_or((rest, ""));
    let fields: Vec<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let error = json!({"statusCode": code.trim(), "message": message, "fields": fields});
    of_row(&json!({"success": false, "errors": [error]}))
        .unwrap_or_else(|| Fault::malformed("the row was refused without a reason"))
}

/// Whether what stands behind two dashes is nothing, or another error.
fn is_end_of_error(behind: &str) -> bool {
    let next = behind.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ';' | ','));
    let is_code = |code: &str| !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    next.is_empty() || next.split_once(':').is_some_and(|(code, _)| is_code(code))
}

/// The limit that was met. The platform says how long to wait nowhere, an edge before it may; and a day's allowance is
/// no matter of seconds (sheet: Salesforce section 6): only what names requests under way at once passes soon.
fn limited(error: &Json, told: Option<&str>) -> Limited {
    let message = text_at(error, "message").unwrap_or_default().to_ascii_lowercase();
    let passes = message.contains("concurrent") || text_at(error, "error").is_some() || error.is_null();
    let told = told.and_then(|text| text.trim().parse::<u64>().ok()).map(|seconds| seconds.saturating_mul(1_000));
    Limited {
        limit: if passes { "" } else { DAILY },
        daily: !passes,
        until: None,
        wait_ms: passes.then(|| told.unwrap_or(CROWDED_MS)),
    }
}

fn read(error: &Json, values: bool) -> Fault {
    let code = ["errorCode", "statusCode", "error"].into_iter().find_map(|name| text_at(error, name));
    let code = code.unwrap_or_default();
    let text = text_at(error, "message").or_else(|| text_at(error, "error_description")).unwrap_or_default();
    let known = CODES.iter().find(|known| known.name.eq_ignore_ascii_case(code));
    let mut kind = known.map_or(FaultKind::Malformed, |known| known.kind);
    // A trigger or a flow that met a lock says so inside its own failure (sheet: Salesforce section 7).
    if code == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" && text.contains("UNABLE_TO_LOCK_ROW") {
        kind = FaultKind::Unavailable;
    }
    let field = field_of(error, text);
    let harmless = known.is_some_and(|known| known.harmless)
        || is_harmless(text)
        || known.is_some() && !values && code == "INVALID_FIELD";
    let message = match (&field, code) {
        (Some(field), "INVALID_CROSS_REFERENCE_KEY") if field == "RecordTypeId" => {
            "`RecordTypeId`: the user's profile does not allow the record type, or there is none of this id".to_owned()
        }
        (_, "INVALID_TYPE") => {
            format!("the user may not see the object, or there is none of this name: {}", short(text))
        }
        _ if harmless && !text.is_empty() => short(text),
        (Some(field), _) => format!("`{field}`: {code}"),
        (None, "") => String::new(),
        (None, code) => format!("Salesforce refused it: {code}"),
    };
    let mut fault = Fault::new(kind, code, message);
    fault.field = field.map(Into::into);
    if kind == FaultKind::Conflict {
        fault.detail.clashing = named_ids(text);
    }
    fault
}

/// Messages of codes with several, without a value. Where states and countries are lists, a refusal names the field's
/// label alone (sheet: Salesforce section 9 \[doc\]).
fn is_harmless(text: &str) -> bool {
    text.contains("No such column '") && !text.contains("Foreign key")
        || text.starts_with("There's a problem with this country")
        || text.starts_with("There's a problem with this state")
}

/// A message in one line, not too long.
pub(super) fn short(text: &str) -> String {
    // Messages about queries begin with the query's lines.
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

/// The field that an error is about.
fn field_of(error: &Json, text: &str) -> Option<String> {
    if let Some(field) = items(error, "fields").first().and_then(Json::as_str) {
        return Some(field.to_owned());
    }
    let between = |start: &str, end: &[char]| {
        let (_, rest) = text.split_once(start)?;
        let name = rest.split(end).next()?.trim();
        super::objects::is_name(name).then(|| name.to_owned())
    };
    between("No such column '", &['\''])
        .or_else(|| between("Required fields are missing: [", &[']', ',']))
        .or_else(|| between("Unable to create/update fields: ", &['.', ',']))
}

/// The records that a message names: "duplicates value on record with id: 003..." (sheet: Salesforce section 7).
fn named_ids(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    // Words may be as long as ids; these have digits.
    let has_digit = |word: &&str| word.bytes().any(|byte| byte.is_ascii_digit());
    words.filter(|word| is_id(word)).filter(has_digit).map(str::to_owned).collect()
}

/// The records that a duplicate rule found, where it tells them (sheet: Salesforce section 7 \[unsure\]).
fn duplicates(error: &Json) -> Vec<String> {
    let result = error.get("duplicateResult").unwrap_or(&Json::Null);
    let found = items(result, "matchResults").iter().flat_map(|found| items(found, "matchRecords"));
    found.filter_map(|one| one.pointer("/record/Id")?.as_str()).map(str::to_owned).collect()
}

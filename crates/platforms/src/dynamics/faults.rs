//! What Dataverse's refusals mean: one table from its codes to decisions, one from statuses.
//!
//! - A refusal is an object with `error`, in it `code` and `message`; the OData layer's codes are `0x0`, empty or its
//!   own (sheet: Dynamics section 7 \[unsure\]), so that what it found is read from its words.
//! - Messages may hold the customer's values ("the value 99 of ..."), and plug-ins say what they like: no message is
//!   repeated. What is told are the table's words, the field, and the privilege that is missing.

use handover_connect::{Fault, FaultKind, Limited, Reply};
use serde_json::Value as Json;

use super::capabilities::REQUESTS;
use super::guid::is_guid;
use crate::json::{items, text_at};

/// What is known of a code: what it is, and in words.
type Code = (&'static str, FaultKind, &'static str);

/// A user whose owner or licence stands in the way.
const OWNERS: [&str; 3] = ["0x80040225", "0x8004d24b", "0x80042f09"];
/// What a plug-in of the environment refused.
const ABORTED: &str = "0x80040265";

/// Dataverse's codes (sections 1, 4, 5, 6, 7 \[doc, ERR\]). Those of broken data that are not here are decided by their
/// status.
const CODES: [Code; 45] = [
    ("0x80072322", FaultKind::Limited, "too many requests within five minutes"),
    ("0x80072321", FaultKind::Limited, "too much execution time within five minutes"),
    ("0x80072326", FaultKind::Limited, "too many requests at once"),
    ("0x8005f103", FaultKind::Limited, "too many requests"),
    ("0x80044151", FaultKind::Unavailable, "the database took too long"),
    ("0x80044150", FaultKind::Unavailable, "the database failed"),
    ("0x80040216", FaultKind::Unavailable, "an unexpected error of the platform"),
    ("0x80071151", FaultKind::Unavailable, "another customization is under way"),
    ("0x8005f101", FaultKind::Auth, "the token is not accepted"),
    ("0x80072560", FaultKind::Denied, "the user is not a member of the organization"),
    ("0x80041d1f", FaultKind::Denied, "the user to act for is not there or disabled"),
    ("0x80040220", FaultKind::Denied, "a privilege is missing"),
    ("0x80040256", FaultKind::Denied, "a privilege is missing"),
    ("0x80048405", FaultKind::Denied, "a privilege is missing"),
    ("0x8004f507", FaultKind::Denied, "a privilege on a secured column is missing"),
    ("0x8004d24b", FaultKind::Denied, "the user has no licence"),
    ("0x80042f09", FaultKind::Denied, "the user has no security role"),
    ("0x80040225", FaultKind::Denied, "the user is disabled"),
    ("0x80040217", FaultKind::NotFound, "the record does not exist"),
    ("0x80060891", FaultKind::NotFound, "no record has the key"),
    ("0x80040237", FaultKind::Conflict, "there is such a record already"),
    ("0x80060892", FaultKind::Conflict, "another record has the same key"),
    ("0x80040333", FaultKind::Conflict, "a duplicate rule found another record"),
    ("0x80060882", FaultKind::Conflict, "the record was changed meanwhile"),
    ("0x80060883", FaultKind::Invalid, "the version of the record was not given"),
    ("0x80044153", FaultKind::Conflict, "the name is taken"),
    ("0x80060890", FaultKind::Conflict, "the name is taken"),
    (ABORTED, FaultKind::Invalid, "a plug-in of the environment refused it"),
    ("0x80044331", FaultKind::Invalid, "the text is too long"),
    ("0x8004431a", FaultKind::Invalid, "it is none of the choices"),
    ("0x8004432f", FaultKind::Invalid, "the number is out of bounds"),
    ("0x80044330", FaultKind::Invalid, "the number is out of bounds"),
    ("0x80048408", FaultKind::Invalid, "the status does not fit the state"),
    ("0x80048d0f", FaultKind::Invalid, "the record is closed: it can be changed once it was opened again"),
    ("0x80040203", FaultKind::Invalid, "a value is missing or not accepted"),
    ("0x8005f100", FaultKind::Invalid, "the request is not accepted"),
    ("0x80048d19", FaultKind::Invalid, "the values do not fit the table"),
    ("0x80040227", FaultKind::Invalid, "other records need it"),
    ("0x80040231", FaultKind::Invalid, "the request is not accepted"),
    ("0x80040507", FaultKind::Invalid, "it would be above itself"),
    ("0x80044363", FaultKind::Invalid, "the definition is not accepted"),
    ("0x8004430d", FaultKind::Invalid, "the condition is too long"),
    ("0x80044352", FaultKind::NotFound, "the token of the earlier reading counts no more"),
    ("0x80040800", FaultKind::Unsupported, "the table does not take this"),
    ("0x80072491", FaultKind::Unsupported, "the table's changes are not tracked"),
];

/// How long is waited when a limit was met and nothing is said, in milliseconds: the window is five minutes, and what
/// was asked first leaves it first.
const CROWDED_MS: u64 = 10_000;

/// What a status says by itself (section 7 \[doc\]).
fn by_status(status: u16) -> FaultKind {
    match status {
        401 => FaultKind::Auth,
        403 => FaultKind::Denied,
        404 => FaultKind::NotFound,
        405 | 501 => FaultKind::Unsupported,
        408 => FaultKind::Unavailable,
        409 | 412 => FaultKind::Conflict,
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

/// The fault of a reply, whole or part of a batch.
pub(super) fn of_reply(reply: &Reply) -> Fault {
    let body = serde_json::from_slice::<Json>(&reply.body).unwrap_or(Json::Null);
    let error = body.get("error").unwrap_or(&Json::Null);
    let (code, text) = (text_at(error, "code").unwrap_or_default(), text_at(error, "message").unwrap_or_default());
    let known = CODES.iter().find(|(name, ..)| name.eq_ignore_ascii_case(code));
    // Gateways and tokens are decided by their status, whatever else is said.
    let decides = matches!(reply.status, 401 | 429 | 502..=504);
    let kind = known.filter(|_| !decides).map_or_else(|| by_status(reply.status), |(_, kind, _)| *kind);
    let field = field_of(text);
    let words = match (known, privilege(text)) {
        (_, Some(privilege)) => format!("the privilege {privilege} is missing"),
        (Some((.., words)), None) => (*words).to_owned(),
        (None, None) => unknown(reply.status, text),
    };
    let message = field.as_ref().map_or(words.clone(), |field| format!("`{field}`: {words}"));
    let code = if code.is_empty() { reply.status.to_string() } else { code.to_owned() };
    let mut fault = Fault::new(kind, code, message).with_status(reply.status);
    fault.field = field.map(Into::into);
    fault.detail.request_id =
        ["x-ms-service-request-id", "req_id"].into_iter().find_map(|name| reply.header(name)).map(str::to_owned);
    if kind == FaultKind::Limited {
        fault.detail.limited = Some(limited(&fault.code, reply.header("retry-after")));
    }
    fault
}

/// What is said of a refusal whose code is not in the table.
fn unknown(status: u16, text: &str) -> String {
    // What the OData layer says of names holds no value.
    if text.starts_with("Resource not found for the segment '") {
        return "there is no such table or action".to_owned();
    }
    if text.starts_with("Could not find a property named '") {
        return "there is no such column".to_owned();
    }
    format!("Dynamics answered with status {status}")
}

/// The limit that was met (section 6 \[doc\]). What is said of the time stands in a header alone.
fn limited(code: &str, told: Option<&str>) -> Limited {
    let told = told.and_then(|text| text.trim().parse::<u64>().ok()).map(|seconds| seconds.saturating_mul(1_000));
    let is_requests = code.eq_ignore_ascii_case("0x80072322");
    Limited {
        limit: if is_requests { REQUESTS } else { "" },
        daily: false,
        until: None,
        wait_ms: Some(told.unwrap_or(CROWDED_MS)),
    }
}

/// The fault of the token endpoint: `{"error", "error_codes": [7000215], ...}` (section 1 \[unsure\]).
pub(super) fn of_token(reply: &Reply) -> Fault {
    let body = serde_json::from_slice::<Json>(&reply.body).unwrap_or(Json::Null);
    let code = text_at(&body, "error").unwrap_or_default();
    let number = items(&body, "error_codes").first().and_then(Json::as_u64);
    let words = match number {
        Some(7_000_215) => "the app's secret is wrong",
        Some(7_000_222) => "the app's secret has ended",
        Some(700_016) => "the app is not in the tenant",
        Some(90_002) => "there is no such tenant",
        Some(50_076) => "the user must prove who it is a second time",
        Some(700_082) => "the refresh token has ended",
        Some(70_008) => "the code or the refresh token has ended, or was used",
        Some(70_016) => "the person has not agreed yet",
        Some(70_018) => "the person did not agree",
        Some(70_020) => "the code has ended before the person agreed",
        Some(500_112) => "the redirect address is not the one that the code was asked for with",
        Some(7_000_218) => "the app needs its secret",
        Some(500_011) => "the environment's address is not one of the tenant's",
        _ => "Entra ID gave no token",
    };
    let number = number.map(|number| format!(" (AADSTS{number})")).unwrap_or_default();
    let code = if code.is_empty() { reply.status.to_string() } else { code.to_owned() };
    let mut fault = Fault::new(by_status(reply.status), code, format!("{words}{number}")).with_status(reply.status);
    if fault.kind == FaultKind::Limited {
        fault.detail.limited = Some(limited("", reply.header("retry-after")));
    }
    fault
}

/// The privilege that a refusal names: `... is missing prvReadAccount privilege ...` (section 7).
fn privilege(text: &str) -> Option<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.into_iter().find(|word| word.len() > 3 && word.starts_with("prv"))
}

/// The column or the navigation property that a refusal is about, where its words name one.
fn field_of(text: &str) -> Option<String> {
    let between = |start: &str| {
        let (_, rest) = text.split_once(start)?;
        let name = rest.split('\'').next()?.trim_end_matches("@odata.bind");
        super::objects::is_name(name).then(|| name.to_owned())
    };
    // The value stands before the column in the first of them: the column is what follows.
    (text.contains("on record of type").then(|| between(" of '")).flatten())
        .or_else(|| between("length of the '"))
        .or_else(|| between("Required field '"))
        .or_else(|| between("undeclared property '"))
        .or_else(|| between("The property '"))
        .or_else(|| between("The navigation property '"))
        .or_else(|| between("Cannot convert the value of '"))
        .or_else(|| between("The value of '"))
        .or_else(|| between("Could not find a property named '"))
}

/// The record that a refusal says is not there: `account With Id = <guid> Does Not Exist` (section 7).
pub(super) fn absent_id(reply: &Reply) -> Option<String> {
    let body = serde_json::from_slice::<Json>(&reply.body).ok()?;
    let text = body.pointer("/error/message")?.as_str()?;
    let (_, rest) = text.split_once(" With Id = ")?;
    let id = rest.split_whitespace().next()?.to_ascii_lowercase();
    is_guid(&id).then_some(id)
}

/// Whether a refusal is about who shall own the record (section 5.6 \[unsure\]): a matter of that row alone.
pub(super) fn is_about_owner(fault: &Fault) -> bool {
    OWNERS.iter().any(|code| fault.code.eq_ignore_ascii_case(code))
}

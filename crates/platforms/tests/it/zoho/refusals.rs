//! What refusals mean.

use std::sync::Arc;

use handover_connect::{Dialect as _, Fault, FaultKind, Operation, Read, Reply, Which};
use handover_platforms::zoho::Zoho;
use serde_json::{Value as Json, json};

fn reply(status: u16, body: &Json) -> Reply {
    Reply { status, headers: Vec::new(), body: body.to_string().into_bytes(), sunk: None }
}

fn list() -> Operation {
    Operation::List(Read { object: "Contacts".into(), fields: Arc::new([]), which: Which::Live, since: None })
}

fn fault(operation: &Operation, reply: &Reply) -> Fault {
    Zoho::new().decode(operation, None, reply).unwrap_err()
}

fn error(code: &str, message: &str, details: Json) -> Json {
    json!({"code": code, "details": details, "message": message, "status": "error"})
}

#[test]
fn codes_decide() {
    for (status, code, kind) in [
        (401, "INVALID_TOKEN", FaultKind::Auth),
        (401, "AUTHENTICATION_FAILURE", FaultKind::Auth),
        (401, "OAUTH_SCOPE_MISMATCH", FaultKind::Denied),
        (400, "INVALID_HOST", FaultKind::Auth),
        (403, "NO_PERMISSION", FaultKind::Denied),
        (400, "NOT_SUPPORTED", FaultKind::Denied),
        (400, "FEATURE_NOT_ENABLED", FaultKind::Denied),
        (400, "INVALID_MODULE", FaultKind::NotFound),
        (404, "INVALID_URL_PATTERN", FaultKind::NotFound),
        (400, "LIMIT_EXCEEDED", FaultKind::Invalid),
        (400, "DUPLICATE_DATA", FaultKind::Conflict),
        (202, "MANDATORY_NOT_FOUND", FaultKind::Malformed),
        (412, "ALREADY_MODIFIED", FaultKind::Conflict),
        (429, "TOO_MANY_REQUESTS", FaultKind::Limited),
        (500, "INTERNAL_ERROR", FaultKind::Unavailable),
        (503, "INVALID_DATA", FaultKind::Unavailable),
        (400, "SOMETHING_NEW", FaultKind::Invalid),
    ] {
        // A list of rows in no form of a list is no answer, whatever its status.
        if status >= 300 {
            let fault = fault(&list(), &reply(status, &error(code, "said", json!({}))));
            assert_eq!((fault.kind, &*fault.code, fault.status), (kind, code, status));
        }
    }
    let html = Reply { status: 502, headers: Vec::new(), body: b"<html>".to_vec(), sunk: None };
    assert_eq!(fault(&list(), &html).kind, FaultKind::Unavailable);
}

#[test]
fn a_missing_scope_is_named() {
    let body = error("OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL", json!({}));
    let said = |operation: &Operation| fault(operation, &reply(401, &body)).message;
    assert!(said(&list()).contains("ZohoCRM.modules.contacts.READ, ZohoCRM.coql.READ"));
    assert!(said(&Operation::Describe("Deals".into())).contains("ZohoCRM.settings.modules.READ"));
    assert!(said(&Operation::Users).contains("ZohoCRM.users.READ"));
    assert!(
        said(&Operation::Delete { object: "Ships".into(), ids: vec!["1".into()] }).contains("modules.custom.DELETE")
    );
}

#[test]
fn credits_are_a_matter_of_a_day_and_crowds_are_not() {
    let limited = |message: &str, headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let reply = Reply { headers, ..reply(429, &error("TOO_MANY_REQUESTS", message, json!({}))) };
        let fault = fault(&list(), &reply);
        assert_eq!(fault.kind, FaultKind::Limited);
        let limited = fault.detail.limited.unwrap();
        (limited.daily, limited.wait_ms)
    };
    assert_eq!(limited("The number of concurrent calls has exceeded the limit", &[]), (false, Some(5_000)));
    assert_eq!(limited("You have exceeded the maximum number of API credits", &[]), (true, None));
    assert_eq!(limited("too many", &[("x-api-credits-remaining", "0")]), (true, None));
    assert_eq!(limited("too many", &[("retry-after", "7")]), (false, Some(7_000)));
    let told =
        Reply { headers: vec![("x-api-credits-remaining".to_owned(), "2400".to_owned())], ..reply(200, &json!({})) };
    assert_eq!(Zoho::new().limits_told(&told), [("daily", None, Some(2_400))]);
    assert_eq!(Zoho::new().limits_told(&reply(200, &json!({}))), []);
}

#[test]
fn the_token_endpoint_refuses_under_any_status() {
    for status in [200, 400, 401] {
        for code in ["invalid_code", "invalid_client", "invalid_client_secret", "general_error"] {
            let fault = fault(&Operation::Refresh, &reply(status, &json!({"error": code})));
            assert_eq!((fault.kind, &*fault.code), (FaultKind::Auth, code));
        }
    }
    let throttle = json!({"error_description": "You have made too many requests continuously. Please try again after \
        some time.", "error": "Access Denied", "status": "failure"});
    let fault = fault(&Operation::Refresh, &reply(400, &throttle));
    assert_eq!((fault.kind, fault.detail.limited.unwrap().wait_ms), (FaultKind::Limited, Some(60_000)));
}

#[test]
fn messages_name_fields_and_bounds_and_no_values() {
    let details = json!({"expected_data_type": "email", "api_name": "Email", "json_path": "$.data[0].Email",
        "maximum_length": 100, "given": "secret@x.example"});
    let told = fault(&list(), &reply(400, &json!({"data": [error("INVALID_DATA", "invalid data", details)]})));
    assert_eq!(told.to_string(), "`Email`: invalid data (expected: email) (at most 100) (INVALID_DATA)");
    let nested = json!({"errors": [error("MANDATORY_NOT_FOUND", "required field not found", json!({"api_name": "Stage"})),
        error("INVALID_DATA", "invalid data", json!({"api_name": "Amount"}))]});
    let told = fault(&list(), &reply(400, &error("MULTIPLE_OR_MULTI_ERRORS", "several", nested)));
    assert_eq!((&*told.code, told.field.unwrap().as_str()), ("MANDATORY_NOT_FOUND", "Stage"));
    // Of a code that nobody knows the words are not repeated.
    let told = fault(&list(), &reply(400, &error("SOMETHING_NEW", "secret@x.example is odd", json!({}))));
    assert!(!told.to_string().contains("secret"), "{told}");
}

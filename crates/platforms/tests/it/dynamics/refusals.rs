//! What refusals mean, and that they repeat no value.

use handover_connect::{Dialect as _, Fault, FaultKind, Operation, Read, Reply, Which};
use handover_platforms::dynamics::Dynamics;
use serde_json::json;

fn fault(status: u16, code: &str, message: &str, headers: &[(&str, &str)]) -> Fault {
    let body = json!({"error": {"code": code, "message": message}}).to_string();
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let reply = Reply { status, headers, body: body.into_bytes(), sunk: None };
    let read = Read { object: "account".into(), fields: [].into(), which: Which::Live, since: None };
    Dynamics::new().decode(&Operation::List(read), None, &reply).unwrap_err()
}

#[test]
fn statuses_and_codes_decide() {
    let all = [
        (401, "", FaultKind::Auth),
        (403, "0x80040220", FaultKind::Denied),
        (403, "0x80072560", FaultKind::Denied),
        (404, "0x80040217", FaultKind::NotFound),
        (404, "0x80060891", FaultKind::NotFound),
        (404, "0x0", FaultKind::NotFound),
        (405, "0x80040227", FaultKind::Invalid),
        (405, "0x80060888", FaultKind::Unsupported),
        (412, "0x80040237", FaultKind::Conflict),
        (412, "0x80060892", FaultKind::Conflict),
        (412, "0x80060882", FaultKind::Conflict),
        // Older documentation says 500 (sheet: section 7).
        (500, "0x80040333", FaultKind::Conflict),
        (400, "0x80040265", FaultKind::Invalid),
        (400, "0x80044331", FaultKind::Invalid),
        (400, "0x80048d0f", FaultKind::Invalid),
        (400, "", FaultKind::Invalid),
        (413, "", FaultKind::Invalid),
        (500, "0x80044151", FaultKind::Unavailable),
        (500, "0x8badf00d", FaultKind::Unavailable),
        (503, "0x80040237", FaultKind::Unavailable),
        (501, "", FaultKind::Unsupported),
    ];
    for (status, code, kind) in all {
        let fault = fault(status, code, "", &[]);
        assert_eq!((fault.kind, fault.status), (kind, status), "{status} {code}");
    }
}

#[test]
fn limits_say_how_long() {
    for (code, limit) in [("0x80072322", "requests"), ("0x80072321", ""), ("0x80072326", "")] {
        let told = fault(429, code, "Number of requests exceeded the limit.", &[("retry-after", "42")]);
        let limited = told.detail.limited.clone().unwrap();
        assert_eq!((told.kind, limited.limit, limited.wait_ms), (FaultKind::Limited, limit, Some(42_000)));
        assert!(!told.is_daily_limit());
    }
    // A body that is not there says as much (sheet: section 6 [unsure]).
    let bare = fault(429, "", "", &[]);
    assert!(bare.kind == FaultKind::Limited && bare.detail.limited.unwrap().wait_ms.is_some());
}

#[test]
fn what_is_missing_is_named_and_no_value() {
    let privilege = "Principal user (Id=1, type=8) is missing prvReadAccount privilege (Id=2) on OTC=1 for 'Zq7'.";
    let denied = fault(403, "0x80040220", privilege, &[("x-ms-service-request-id", "r-1")]);
    assert_eq!(denied.message, "the privilege prvReadAccount is missing");
    assert_eq!(denied.detail.request_id.as_deref(), Some("r-1"));
    let named = [
        (
            "A validation error occurred. The value Zq7 of 'industrycode' on record of type 'account' is outside the valid range.",
            "industrycode",
        ),
        (
            "A validation error occurred. The length of the 'name' attribute of the 'account' entity exceeded the maximum allowed length of '160'.",
            "name",
        ),
        ("Required field 'scheduledend' of entity 'appointment' is missing.", "scheduledend"),
        (
            "Error identified in Payload: An undeclared property 'newProject' which only has property annotations",
            "newProject",
        ),
        ("Could not find a property named 'foo' on type 'Microsoft.Dynamics.CRM.account'.", "foo"),
    ];
    for (message, field) in named {
        let fault = fault(400, "0x80040203", message, &[]);
        assert_eq!(fault.field.as_ref().map(|field| field.as_str()), Some(field), "{message}");
        assert!(!fault.message.contains("Zq7"));
    }
    // What a plug-in says may be anything.
    let aborted = fault(400, "0x80040265", "Zq7 is not allowed for you, Ana", &[]);
    assert_eq!(aborted.message, "a plug-in of the environment refused it");
}

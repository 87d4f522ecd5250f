//! Faults, credentials, limits.

use handover_connect::{
    Body, Credentials, Dialect as _, FaultKind, Host, Method, Operation, Reply, Request, Step, WriteMode,
};
use handover_platforms::hubspot::HubSpot;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value as Json, json};

use super::{batch, list, reply};

fn fault(reply: &Reply) -> handover_connect::Fault {
    HubSpot::new().decode(&list("contacts", &[]), None, reply).unwrap_err()
}

#[test]
fn every_refusal_is_a_decision() {
    let category = |word: &str| json!({ "status": "error", "message": "m", "category": word, "correlationId": "c-1" });
    let cases: Vec<(u16, Json, FaultKind)> = vec![
        (400, category("VALIDATION_ERROR"), FaultKind::Invalid),
        (401, category("EXPIRED_AUTHENTICATION"), FaultKind::Auth),
        (401, json!([category("EXPIRED_AUTHENTICATION")]), FaultKind::Auth),
        (401, category("INVALID_AUTHENTICATION"), FaultKind::Auth),
        (403, category("MISSING_SCOPES"), FaultKind::Denied),
        (404, category("OBJECT_NOT_FOUND"), FaultKind::NotFound),
        (404, json!({ "status": "error", "message": "resource not found" }), FaultKind::NotFound),
        (409, category("CONFLICT"), FaultKind::Conflict),
        (414, json!("too long"), FaultKind::Invalid),
        (423, category("VALIDATION_ERROR"), FaultKind::Unavailable),
        (429, category("RATE_LIMITS"), FaultKind::Limited),
        (477, json!({}), FaultKind::Unavailable),
        (500, category("VALIDATION_ERROR"), FaultKind::Unavailable),
        (502, json!("bad gateway"), FaultKind::Unavailable),
        (525, json!({}), FaultKind::Unavailable),
    ];
    for (status, body, kind) in cases {
        assert_eq!(fault(&reply(status, &body)).kind, kind, "{status} {body}");
    }
    assert_eq!(fault(&reply(400, &category("VALIDATION_ERROR"))).detail.request_id.as_deref(), Some("c-1"));
    let html = Reply { status: 404, headers: Vec::new(), body: b"<html>404</html>".to_vec(), sunk: None };
    assert_eq!(fault(&html).kind, FaultKind::NotFound);
    let broken = Reply { status: 200, headers: Vec::new(), body: b"{\"results\": [".to_vec(), sunk: None };
    assert_eq!(fault(&broken).kind, FaultKind::Malformed);
}

#[test]
fn limits_are_told_apart_by_policy() {
    let policy = |name: &str| json!({ "status": "error", "message": "You have reached your limit.", "errorType": "RATE_LIMIT", "policyName": name });
    let cases = [
        (policy("TEN_SECONDLY_ROLLING"), "burst", false, Some(10_000)),
        (policy("SECONDLY"), "search", false, Some(1_000)),
        (policy("DAILY"), "daily", true, None),
        (json!({ "message": "You have reached your daily limit." }), "daily", true, None),
        (json!({ "message": "You have reached your secondly limit." }), "search", false, Some(1_000)),
        (json!({ "message": "You have reached your ten_secondly_rolling limit." }), "burst", false, Some(10_000)),
        (json!({}), "", false, Some(10_000)),
    ];
    for (body, limit, daily, wait_ms) in cases {
        let limited = fault(&reply(429, &body)).detail.limited.unwrap();
        assert_eq!((limited.limit, limited.daily, limited.wait_ms), (limit, daily, wait_ms), "{body}");
    }
    let mut moving = reply(477, &json!({}));
    moving.headers.push(("retry-after".into(), "7200".into()));
    assert_eq!(fault(&moving).detail.limited.unwrap().wait_ms, Some(7_200_000));
    assert_eq!(fault(&reply(423, &json!({}))).detail.limited.unwrap().wait_ms, Some(2_000));
}

#[test]
fn a_message_about_a_write_repeats_no_value() {
    let secret = "ana@secret.example";
    let operation =
        Operation::Write(batch("contacts", WriteMode::Update, &[("t", Some("5"), &[("email", secret.into())])]));
    let embedded = format!(
        "Property values were not valid: [{{\"isValid\":false,\"message\":\"Email address {secret} is invalid\",\"error\":\"INVALID_EMAIL\",\"name\":\"email\",\"localizedErrorMessage\":\"{secret}\"}}]"
    );
    let bodies = [
        json!({ "status": "error", "message": embedded, "category": "VALIDATION_ERROR" }),
        json!({ "status": "error", "message": format!("{secret} is bad"), "category": "VALIDATION_ERROR",
                "errors": [{ "message": format!("{secret}!"), "code": "INVALID_EMAIL", "context": { "propertyName": ["email"] } }] }),
    ];
    for body in bodies {
        let step = HubSpot::new().decode(&operation, None, &reply(400, &body)).unwrap();
        let Step::Written(written) = step else { panic!() };
        let handover_connect::WriteOutcome::Refused(fault) = &written[0].outcome else { panic!() };
        assert!(!format!("{fault:?}").contains("secret"), "{fault}");
        assert_eq!(fault.code, "INVALID_EMAIL");
        assert_eq!(fault.field, Some("email".into()));
    }
    let odd = json!({ "status": "error", "message": format!("{secret} is bad"), "category": "VALIDATION_ERROR" });
    let step = HubSpot::new().decode(&operation, None, &reply(400, &odd)).unwrap();
    assert!(!format!("{step:?}").contains("secret"));
}

#[test]
fn missing_scopes_are_named() {
    let body = json!({ "status": "error", "category": "MISSING_SCOPES", "message": "This app hasn't been granted all required scopes",
        "errors": [{ "message": "m", "context": { "requiredGranularScopes": ["crm.objects.deals.read", "crm.objects.deals.write"] } }] });
    let fault = fault(&reply(403, &body));
    assert!(fault.message.contains("crm.objects.deals.read, crm.objects.deals.write"), "{fault}");
}

fn oauth() -> Credentials {
    Credentials::Oauth {
        client_id: "id".into(),
        client_secret: Some(SecretString::from("cs")),
        refresh_token: SecretString::from("rt"),
        access: Some((SecretString::from("at"), Timestamp::UNIX_EPOCH)),
    }
}

#[test]
fn tokens_are_carried_and_renewed() {
    let dialect = HubSpot::new();
    let mut request = Request::new(Method::Get, "/crm/v3/owners", &[]);
    dialect.authorize(&mut request, &oauth());
    assert_eq!(request.headers, [("authorization".to_owned(), "Bearer at".to_owned())]);

    let mut request = dialect.encode(&Operation::Refresh, None).unwrap();
    dialect.authorize(&mut request, &oauth());
    assert_eq!((&request.host, request.path.as_str()), (&Host::Oauth, "/oauth/v1/token"));
    assert!(request.headers.is_empty());
    let Body::Form(form) = &request.body else { panic!("no form") };
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        form,
        [("grant_type", "refresh_token"), ("client_id", "id"), ("client_secret", "cs"), ("refresh_token", "rt")]
    );

    let good = reply(
        200,
        &json!({ "access_token": "new", "refresh_token": "rt2", "expires_in": 1800, "token_type": "bearer" }),
    );
    let Step::Token(token) = dialect.decode(&Operation::Refresh, None, &good).unwrap() else { panic!() };
    assert_eq!((token.access.expose_secret(), token.expires_in), ("new", 1_800));
    assert_eq!(token.refresh.unwrap().expose_secret(), "rt2");
    let bad = reply(400, &json!({ "status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token" }));
    let fault = dialect.decode(&Operation::Refresh, None, &bad).unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Auth, "BAD_REFRESH_TOKEN"));
}

#[test]
fn headers_tell_the_limits() {
    let mut told = reply(200, &json!({}));
    for (name, value) in [
        ("x-hubspot-ratelimit-daily", "625000"),
        ("x-hubspot-ratelimit-daily-remaining", "624990"),
        ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
        ("x-hubspot-ratelimit-max", "190"),
        ("x-hubspot-ratelimit-remaining", "188"),
    ] {
        told.headers.push((name.into(), value.into()));
    }
    assert_eq!(
        HubSpot::new().limits_told(&told),
        [("daily", Some(625_000), Some(624_990)), ("burst", Some(190), Some(188))]
    );
    assert!(HubSpot::new().limits_told(&reply(200, &json!({}))).is_empty());
}

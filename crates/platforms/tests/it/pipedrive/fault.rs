//! Faults, limits, credentials.

use super::*;
use handover_connect::{Credentials, FaultKind, Host};
use secrecy::{ExposeSecret as _, SecretString};

fn html(status: u16) -> Reply {
    Reply {
        status,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: b"<!DOCTYPE html><html></html>".to_vec(),
        sunk: None,
    }
}

fn with(mut reply: Reply, headers: &[(&str, &str)]) -> Reply {
    reply.headers.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    reply
}

#[test]
fn statuses_and_codes_are_decisions() {
    let dialect = Pipedrive::new();
    let json = |status: u16, body: Json| reply(status, &body);
    let error = |status: u16| json(status, json!({"success": false, "error": "no", "error_info": "see", "data": null}));
    for (reply, kind, code) in [
        (error(400), FaultKind::Invalid, "400"),
        (error(401), FaultKind::Auth, "401"),
        (error(402), FaultKind::Denied, "402"),
        (
            json(
                403,
                json!({"success": false, "error": "Open deals limit reached.", "code": "feature_capping_deals_limit"}),
            ),
            FaultKind::Denied,
            "feature_capping_deals_limit",
        ),
        (error(404), FaultKind::NotFound, "404"),
        (error(405), FaultKind::Unsupported, "405"),
        (error(410), FaultKind::NotFound, "410"),
        (error(415), FaultKind::Denied, "415"),
        (error(422), FaultKind::Invalid, "422"),
        (error(500), FaultKind::Unavailable, "500"),
        (error(503), FaultKind::Unavailable, "503"),
        (html(502), FaultKind::Unavailable, "502"),
        (html(200), FaultKind::Malformed, "malformed"),
        (html(404), FaultKind::Malformed, "malformed"),
        (json(200, json!({"success": false, "error": "no", "errorCode": 400})), FaultKind::Invalid, "400"),
        (json(200, json!({"success": false, "error": "no"})), FaultKind::Malformed, "200"),
        (json(200, json!([1])), FaultKind::Malformed, "malformed"),
    ] {
        let fault = fault(&dialect, &Operation::Users, &reply);
        assert_eq!((fault.kind, fault.code.as_str(), fault.status), (kind, code, reply.status));
    }
}

#[test]
fn a_burst_passes_and_a_day_does_not() {
    let dialect = Pipedrive::new();
    let body = json!({"success": false, "error": "Rate limit exceeded", "errorCode": 429});
    for (headers, daily, wait) in [
        (&[][..], false, Some(2_000)),
        (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "3")], false, Some(3_000)),
        (&[("x-ratelimit-remaining", "0"), ("retry-after", "7")], false, Some(7_000)),
        (&[("x-ratelimit-remaining", "39")], true, None),
        (&[("x-daily-ratelimit-token-remaining", "0"), ("x-ratelimit-remaining", "0")], true, None),
        (&[("x-daily-ratelimit-token-remaining", "900"), ("x-ratelimit-remaining", "0")], false, Some(2_000)),
    ] {
        let fault = fault(&dialect, &Operation::Users, &with(reply(429, &body), headers));
        let limited = fault.detail.limited.unwrap();
        assert_eq!((fault.kind, limited.daily, limited.wait_ms), (FaultKind::Limited, daily, wait), "{headers:?}");
    }
    let blocked = fault(&dialect, &Operation::Users, &html(403));
    let limited = blocked.detail.limited.unwrap();
    assert_eq!(blocked.kind, FaultKind::Limited);
    assert!(!limited.daily && limited.wait_ms.unwrap() >= 60_000);
}

#[test]
fn headers_tell_the_limits() {
    let dialect = Pipedrive::new();
    let told = dialect.limits_told(&with(
        ok(json!([])),
        &[
            ("x-ratelimit-limit", "80"),
            ("x-ratelimit-remaining", "79"),
            ("x-daily-ratelimit-token-limit", "1170000"),
            ("x-daily-ratelimit-token-remaining", "1068620"),
        ],
    ));
    assert_eq!(told, [("burst", Some(80), Some(79)), ("daily", Some(1_170_000), Some(1_068_620))]);
    assert!(dialect.limits_told(&ok(json!([]))).is_empty());
}

#[test]
fn messages_lose_what_they_quote() {
    let dialect = Pipedrive::new();
    for (said, message, field) in [
        (
            "Validation failed: owner: Parameter 'owner' is not allowed for this request",
            "Validation failed: owner: Parameter 'owner' is not allowed for this request",
            Some("owner"),
        ),
        ("Couldn't add 'Ana Example' <ana@x.test>", "Couldn't add '…' …", None),
        ("Value \"Acme Ltd.\" is taken", "Value \"…\" is taken", None),
    ] {
        let fault = fault(&dialect, &Operation::Users, &reply(400, &json!({"success": false, "error": said})));
        assert_eq!(fault.message, message);
        assert_eq!(fault.field.as_ref().map(|field| field.as_str()), field);
    }
}

#[test]
fn credentials_go_where_each_kind_belongs() {
    let dialect = Pipedrive::new();
    let header = |request: &Request, name: &str| {
        request.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.clone())
    };
    let mut request = dialect.encode(&Operation::Users, None).unwrap();
    dialect.authorize(&mut request, &Credentials::Token(SecretString::from("K")));
    assert_eq!(header(&request, "x-api-token").as_deref(), Some("K"));
    let oauth = Credentials::Oauth {
        client_id: "app".to_owned(),
        client_secret: Some(SecretString::from("s")),
        refresh_token: SecretString::from("1:1:r"),
        access: Some((SecretString::from("v1u:a"), jiff::Timestamp::MAX)),
    };
    let mut request = dialect.encode(&Operation::Users, None).unwrap();
    dialect.authorize(&mut request, &oauth);
    assert_eq!(header(&request, "authorization").as_deref(), Some("Bearer v1u:a"));
    let mut request = dialect.encode(&Operation::Refresh, None).unwrap();
    dialect.authorize(&mut request, &oauth);
    assert_eq!(request.host, Host::Oauth);
    assert_eq!(header(&request, "authorization").as_deref(), Some("Basic YXBwOnM="));
    assert_eq!(
        line(&request),
        r#"POST /oauth/token form [("grant_type", "refresh_token"), ("refresh_token", "1:1:r")]"#
    );
    let answer = reply(
        200,
        &json!({"access_token": "v1u:b", "token_type": "Bearer", "expires_in": 3599,
        "refresh_token": "1:1:n", "scope": "base", "api_domain": "https://c.pipedrive.com"}),
    );
    let Step::Token(token) = dialect.decode(&Operation::Refresh, None, &answer).unwrap() else { panic!("no token") };
    assert_eq!((token.access.expose_secret(), token.expires_in), ("v1u:b", 3_599));
    assert_eq!(token.api_base.as_deref(), Some("https://c.pipedrive.com"));
    assert!(token.refresh.is_some());
    let dead = reply(400, &json!({"success": false, "message": "Invalid grant: refresh_token is invalid"}));
    assert_eq!(fault(&dialect, &Operation::Refresh, &dead).kind, FaultKind::Auth);
}

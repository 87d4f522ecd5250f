//! Tokens: how they are had, and what a wrong one gets.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use handover_sandbox::{Reply, Request};
use serde_json::{Value as Json, json};

use super::{Org, START, refused};

fn org() -> Org {
    Org::of(json!({
        "apps": [{"client_id": "app", "client_secret": "shh", "run_as": "admin@sandbox.example",
            "preauthorised": ["admin@sandbox.example"], "refresh_tokens": {"first": "admin@sandbox.example"}}],
        "passwords": {"admin@sandbox.example": "word+token"}}))
}

fn form(org: &mut Org, pairs: &str) -> Reply {
    let mut request = Request::new("POST", "/services/oauth2/token")
        .with_header("content-type", "application/x-www-form-urlencoded")
        .with_header("host", "127.0.0.1:8080");
    request.body = pairs.as_bytes().to_vec();
    org.send(&request)
}

fn granted(org: &mut Org, pairs: &str) -> Json {
    let reply = form(org, pairs);
    let body = reply.body_json();
    assert_eq!(reply.status, 200, "{body}");
    body
}

fn assertion(claims: &Json) -> String {
    let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
    let token = format!("{}.{}.c2ln", part(&json!({"alg": "RS256"})), part(claims));
    format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={token}")
}

fn claims(exp: i64) -> Json {
    json!({"iss": "app", "sub": "admin@sandbox.example", "aud": "https://test.salesforce.com", "exp": exp})
}

#[test]
fn every_flow_gives_a_session() {
    let mut org = org();
    for pairs in [
        "grant_type=refresh_token&refresh_token=first&client_id=app&client_secret=shh",
        "grant_type=refresh_token&refresh_token=first&client_id=app",
        "grant_type=password&client_id=app&client_secret=shh&username=admin%40sandbox.example&password=word%2Btoken",
        "grant_type=client_credentials&client_id=app&client_secret=shh",
        &assertion(&claims(START + 120)),
    ] {
        let body = granted(&mut org, pairs);
        assert_eq!(body["instance_url"], "http://127.0.0.1:8080");
        assert_eq!(body["issued_at"], (START * 1_000).to_string());
        assert!(body.get("expires_in").is_none());
        let (_, ids) = body["id"].as_str().unwrap().split_once("/id/").unwrap();
        assert!(ids.starts_with("00D") && ids.contains("/005"), "{ids}");
        org.token = body["access_token"].as_str().unwrap().to_owned();
        let info = org.get("/services/oauth2/userinfo");
        assert_eq!(info["preferred_username"], "admin@sandbox.example");
        assert!(ids.starts_with(info["organization_id"].as_str().unwrap()));
        assert_eq!(org.get(&format!("/id/{ids}"))["user_id"], info["user_id"]);
    }
}

#[test]
fn a_browser_brings_a_code_that_is_bound_to_its_verifier() {
    let mut org = org();
    // The verifier "verifier" under S256.
    let challenge = "iMnq5o6zALKXGivsnlom_0F5_WYda32GHkxlV7mq7hQ";
    let request = org.request("GET", &format!(
        "/services/oauth2/authorize?response_type=code&client_id=app&redirect_uri=http%3A%2F%2Flocalhost%2Fcb&state=s&code_challenge={challenge}"
    ));
    let back = org.send(&request).header("location").unwrap().to_owned();
    let code = back.strip_prefix("http://localhost/cb?code=").unwrap().strip_suffix("&state=s").unwrap().to_owned();
    let pairs = |verifier: &str| {
        format!(
            "grant_type=authorization_code&code={code}&client_id=app&redirect_uri=http%3A%2F%2Flocalhost%2Fcb&code_verifier={verifier}"
        )
    };
    assert_eq!(form(&mut org, &pairs("wrong")).body_json()["error"], "invalid_grant");
    let body = granted(&mut org, &pairs("verifier"));
    let fresh = body["refresh_token"].as_str().unwrap().to_owned();
    granted(&mut org, &format!("grant_type=refresh_token&refresh_token={fresh}&client_id=app"));
    assert_eq!(form(&mut org, &pairs("verifier")).body_json()["error_description"], "expired authorization code");
}

#[test]
fn what_is_wrong_with_a_grant_is_said() {
    let mut org = org();
    let late = assertion(&claims(START - 1));
    let far = assertion(&claims(START + 3_600));
    let stranger =
        assertion(&json!({"iss": "app", "sub": "x", "aud": "https://test.salesforce.com", "exp": START + 60}));
    for (pairs, error) in [
        ("grant_type=refresh_token&refresh_token=other&client_id=app", "invalid_grant"),
        ("grant_type=refresh_token&refresh_token=first&client_id=other", "invalid_client_id"),
        ("grant_type=refresh_token&refresh_token=first&client_id=app&client_secret=wrong", "invalid_client"),
        (
            "grant_type=password&client_id=app&client_secret=shh&username=admin%40sandbox.example&password=x",
            "invalid_grant",
        ),
        ("grant_type=magic&client_id=app", "unsupported_grant_type"),
        (late.as_str(), "invalid_grant"),
        (far.as_str(), "invalid_grant"),
        (stranger.as_str(), "invalid_grant"),
    ] {
        let reply = form(&mut org, pairs);
        assert_eq!((reply.status, reply.body_json()["error"].as_str()), (400, Some(error)), "{pairs}");
    }
}

#[test]
fn a_session_ends_when_it_is_not_used_and_a_rotated_token_dies() {
    let mut org = Org::of(json!({"settings": {"session_s": 600, "rotate_refresh_tokens": true},
        "apps": [{"client_id": "app", "client_secret": "shh", "refresh_tokens": {"first": "admin@sandbox.example"}}]}));
    let body = granted(&mut org, "grant_type=refresh_token&refresh_token=first&client_id=app");
    let second = body["refresh_token"].as_str().unwrap().to_owned();
    let used = form(&mut org, "grant_type=refresh_token&refresh_token=first&client_id=app");
    assert_eq!(used.body_json()["error_description"], "expired access/refresh token");
    org.token = body["access_token"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        org.wait(500);
        org.get("limits");
    }
    org.wait(601);
    let told = org.call("GET", "limits", None);
    assert_eq!(told, (401, json!([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])));
    granted(&mut org, &format!("grant_type=refresh_token&refresh_token={second}&client_id=app"));
}

#[test]
fn versions_need_no_token_and_have_an_age() {
    let mut org = Org::new();
    let reply = org.send(&Request::new("GET", "/services/data"));
    let versions = reply.body_json();
    assert_eq!(versions[0], json!({"label": "Summer '14", "url": "/services/data/v31.0", "version": "31.0"}));
    assert_eq!(versions[35], json!({"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"}));
    refused(org.call("GET", "/services/data/v20.0/limits", None), 410, "UNSUPPORTED_API_VERSION");
    refused(org.call("GET", "/services/data/v67.0/limits", None), 404, "NOT_FOUND");
    let nobody = org.send(&Request::new("GET", "/services/data/v66.0/limits"));
    assert_eq!(nobody.status, 401);
}

#[test]
fn soap_logs_in_too() {
    let mut org = org();
    let envelope = |password: &str| {
        format!(
            "<?xml version=\"1.0\"?><se:Envelope xmlns:se=\"http://schemas.xmlsoap.org/soap/envelope/\"><se:Header/><se:Body>\
            <login xmlns=\"urn:partner.soap.sforce.com\"><username>admin@sandbox.example</username>\
            <password>{password}</password></login></se:Body></se:Envelope>"
        )
    };
    let mut request = Request::new("POST", "/services/Soap/u/66.0")
        .with_header("host", "127.0.0.1:8080")
        .with_header("soapaction", "login");
    request.body = envelope("word+token").into_bytes();
    let text = String::from_utf8(org.send(&request).body).unwrap();
    let (_, rest) = text.split_once("<sessionId>").unwrap();
    org.token = rest.split_once('<').unwrap().0.to_owned();
    org.get("limits");
    assert!(text.contains("<userInfo><organizationId>00D"), "{text}");
    request.body = envelope("wrong").into_bytes();
    let reply = org.send(&request);
    assert_eq!(reply.status, 500);
    let text = String::from_utf8(reply.body).unwrap();
    assert!(text.contains("<faultstring>INVALID_LOGIN: Invalid username"), "{text}");
    assert!(
        text.contains("<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode><sf:exceptionMessage>Invalid user"),
        "{text}"
    );
}

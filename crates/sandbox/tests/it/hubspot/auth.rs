//! Checklist 12: tokens, scopes, OAuth.

use handover_sandbox::Request;
use serde_json::{Value as Json, json};

use super::{Client, body, refused};

fn form(client: &mut Client, path: &str, fields: &[(&str, &str)]) -> (u16, Json) {
    let text: Vec<String> = fields.iter().map(|(k, v)| format!("{k}={}", v.replace('@', "%40"))).collect();
    let mut request = Request::new("POST", path).with_header("content-type", "application/x-www-form-urlencoded");
    request.body = text.join("&").into_bytes();
    body(&client.send(&request))
}

fn oauth_portal() -> Client {
    Client::over(json!({"platform": "hubspot", "oauth_apps": [{"client_id": "id", "client_secret": "se cret",
        "scopes": ["oauth", "crm.objects.contacts.read"], "refresh_token": "r1", "code": "c1", "app": 9}]}))
}

const REFRESH: [(&str, &str); 4] =
    [("grant_type", "refresh_token"), ("client_id", "id"), ("client_secret", "se+cret"), ("refresh_token", "r1")];

#[test]
fn without_a_token_or_with_a_wrong_one() {
    let mut client = Client::new();
    let reply = body(&client.send(&Request::new("GET", "/crm/v3/objects/contacts")));
    assert!(refused(reply, 401, "INVALID_AUTHENTICATION").starts_with("Authentication credentials not found"));
    client.token = "wrong".into();
    let reply = client.get("/crm/v3/objects/contacts");
    assert_eq!(reply.1["context"], json!({"expire time": ["1970-01-01T00:00:00.000Z"]}));
    let message = refused(reply, 401, "EXPIRED_AUTHENTICATION");
    assert_eq!(message, "The OAuth token used to make this call expired 20777 day(s) ago.");
}

#[test]
fn no_app_was_granted_what_the_sandbox_leaves_out() {
    let mut client = Client::new();
    let (status, body) = client.get("/crm/v3/properties/goal_targets");
    assert_eq!(body["errors"][0]["context"]["requiredGranularScopes"], json!(["crm.objects.goals.read"]));
    refused((status, body), 403, "MISSING_SCOPES");
    refused(client.get("/crm/v3/properties/goats"), 400, "VALIDATION_ERROR");
}

#[test]
fn scopes_are_enforced_per_route() {
    let mut client = Client::over(json!({"platform": "hubspot", "tokens": [{"token": "t", "app": 1,
        "scopes": ["crm.objects.contacts.read", "crm.objects.deals.write", "crm.schemas.deals.read"]}]}));
    let cases: [(&str, &str, Option<&str>); 18] = [
        ("GET", "/crm/v3/objects/contacts", None),
        ("POST", "/crm/v3/objects/contacts/search", None),
        ("POST", "/crm/v3/objects/contacts/batch/read", None),
        ("POST", "/crm/v3/objects/contacts", Some("crm.objects.contacts.write")),
        ("POST", "/crm/v3/objects/contacts/batch/create", Some("crm.objects.contacts.write")),
        ("GET", "/crm/v3/objects/notes", None),
        ("GET", "/crm/v3/objects/emails", Some("sales-email-read")),
        ("GET", "/crm/v3/objects/tickets", Some("tickets")),
        ("GET", "/crm/v3/objects/deals", Some("crm.objects.deals.read")),
        ("GET", "/crm/v3/properties/deals", None),
        ("POST", "/crm/v3/properties/deals", Some("crm.schemas.deals.write")),
        ("GET", "/crm/v3/pipelines/deals", None),
        ("GET", "/crm/v3/owners", Some("crm.objects.owners.read")),
        ("GET", "/files/v3/files/1", Some("files")),
        ("GET", "/automation/v4/flows", Some("automation")),
        ("POST", "/crm/v4/associations/contacts/companies/batch/read", Some("crm.objects.companies.read")),
        ("PUT", "/crm/v4/objects/deals/1/associations/default/contacts/1", Some("crm.objects.contacts.write")),
        ("GET", "/account-info/v3/details", None),
    ];
    for (method, path, missing) in cases {
        let request = client.request(method, path).with_json(&json!({"inputs": []}));
        let (status, body) = body(&client.send(&request));
        match missing {
            None => assert_ne!(status, 403, "{method} {path}: {body}"),
            Some(scope) => {
                assert_eq!(body["errors"][0]["context"]["requiredGranularScopes"][0], scope, "{method} {path}");
                assert_eq!(body["links"]["scopes"], "https://developers.hubspot.com/scopes");
                refused((status, body), 403, "MISSING_SCOPES");
            }
        }
    }
}

#[test]
fn refreshing_gives_thirty_minutes() {
    for path in ["/oauth/v1/token", "/oauth/v3/token", "/oauth/2026-03/token"] {
        let mut client = oauth_portal();
        let (status, grant) = form(&mut client, path, &REFRESH);
        assert_eq!(
            (status, &grant["expires_in"], &grant["token_type"]),
            (200, &json!(1_800), &json!("bearer")),
            "{path}"
        );
        assert_eq!((&grant["refresh_token"], &grant["token_use"]), (&json!("r1"), &json!("access_token")));
        client.token = grant["access_token"].as_str().unwrap().to_owned();
        assert_eq!(client.get("/crm/v3/objects/contacts").0, 200);
        client.now += 1_799_000;
        let reply = client.get("/crm/v3/objects/contacts");
        assert_eq!(
            refused(reply, 401, "EXPIRED_AUTHENTICATION"),
            "The OAuth token used to make this call expired 1 second(s) ago."
        );
        let (_, again) = form(&mut client, path, &REFRESH);
        client.token = again["access_token"].as_str().unwrap().to_owned();
        assert_eq!(client.get("/crm/v3/objects/contacts").0, 200);
    }
}

#[test]
fn a_wrong_grant_says_what_is_wrong() {
    let mut client = oauth_portal();
    let with = |name: &str, value: &'static str| REFRESH.map(|(k, v)| if k == name { (k, value) } else { (k, v) });
    for (fields, status) in [
        (with("refresh_token", "r2"), "BAD_REFRESH_TOKEN"),
        (with("client_id", "x"), "BAD_CLIENT_ID"),
        (with("client_secret", "x"), "BAD_CLIENT_SECRET"),
        (with("grant_type", "password"), "BAD_GRANT_TYPE"),
    ] {
        let (http, body) = form(&mut client, "/oauth/v1/token", &fields);
        assert_eq!((http, body["status"].as_str()), (400, Some(status)), "{body}");
        if status == "BAD_REFRESH_TOKEN" {
            assert_eq!(body["message"], "missing or invalid refresh token");
        }
    }
}

#[test]
fn a_code_is_good_once() {
    let mut client = oauth_portal();
    let code = [
        ("grant_type", "authorization_code"),
        ("client_id", "id"),
        ("client_secret", "se+cret"),
        ("redirect_uri", "http://localhost/"),
        ("code", "c1"),
    ];
    let (status, grant) = form(&mut client, "/oauth/v1/token", &code);
    assert_eq!((status, &grant["refresh_token"]), (200, &json!("r1")));
    assert_eq!(form(&mut client, "/oauth/v1/token", &code).1["status"], "BAD_AUTH_CODE");
}

#[test]
fn a_browser_comes_back_with_a_code_or_without_one() {
    let page = Request::new("GET", "/oauth/authorize")
        .with_param("client_id", "id")
        .with_param("redirect_uri", "http://localhost/back?a=b")
        .with_param("scope", "oauth")
        .with_param("state", "s-1");
    let mut client = oauth_portal();
    let reply = client.send(&page);
    let back = reply.header("location").unwrap().strip_prefix("http://localhost/back?a=b&code=").unwrap().to_owned();
    let code = back.strip_suffix("&state=s-1").unwrap();
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", "id"),
        ("client_secret", "se+cret"),
        ("redirect_uri", "http://localhost/back"),
        ("code", code),
    ];
    assert_eq!(form(&mut client, "/oauth/v1/token", &exchange).0, 200);
    let unknown = client.send(&Request::new("GET", "/oauth/authorize").with_param("client_id", "x"));
    assert_eq!((unknown.status, unknown.header("location")), (400, None), "nobody is sent anywhere for an unknown app");
}

#[test]
fn introspection_and_revocation() {
    let mut client = oauth_portal();
    let (_, grant) = form(&mut client, "/oauth/v1/token", &REFRESH);
    let token = grant["access_token"].as_str().unwrap().to_owned();
    let (status, known) = body(&client.send(&Request::new("GET", &format!("/oauth/v1/access-tokens/{token}"))));
    assert_eq!((status, &known["app_id"], &known["token_type"]), (200, &json!(9), &json!("access")));
    let fields = [("client_id", "id"), ("client_secret", "se+cret"), ("token", token.as_str())];
    assert_eq!(form(&mut client, "/oauth/v3/token/introspect", &fields).1["active"], true);
    assert_eq!(client.send(&Request::new("DELETE", "/oauth/v1/refresh-tokens/r1")).status, 204);
    assert_eq!(form(&mut client, "/oauth/v1/token", &REFRESH).1["status"], "BAD_REFRESH_TOKEN");
    client.token = token;
    assert_eq!(client.get("/crm/v3/objects/contacts").0, 200, "issued tokens stay valid");
}

#[test]
fn oauth_apps_have_their_own_limit_and_no_daily_headers() {
    let mut client = oauth_portal();
    let (_, grant) = form(&mut client, "/oauth/v1/token", &REFRESH);
    client.token = grant["access_token"].as_str().unwrap().to_owned();
    client.step = 1;
    for _ in 0..110 {
        let request = client.request("GET", "/crm/v3/objects/contacts");
        let reply = client.send(&request);
        assert_eq!(reply.status, 200);
        assert!(!reply.headers.iter().any(|(name, _)| name.contains("daily")));
    }
    assert_eq!(client.get("/crm/v3/objects/contacts").0, 429);
}

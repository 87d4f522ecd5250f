//! Tokens, users, and who acts for whom.

use handover_sandbox::{Reply, Request};
use serde_json::{Value as Json, json};

use super::{Org, refused};

const SCOPE: &str = "https://sandbox.crm.dynamics.com/.default";

/// What the login host says to a form.
fn token(org: &mut Org, tenant: &str, pairs: &[(&str, &str)]) -> Reply {
    let mut request = Request::new("POST", &format!("/{tenant}/oauth2/v2.0/token"))
        .with_header("content-type", "application/x-www-form-urlencoded")
        .with_header("host", "127.0.0.1:8080");
    let form: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", value.replace('+', "%2B"))).collect();
    request.body = form.join("&").into_bytes();
    org.send(&request)
}

struct App {
    id: String,
    secret: String,
    tenant: String,
}

fn app(org: &Org) -> App {
    let credentials = org.sandbox.platform().credentials();
    let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
    App { id: text("client_id"), secret: text("client_secret"), tenant: text("tenant_id") }
}

#[test]
fn an_app_gets_a_token_that_ends() {
    let mut org = Org::new();
    let App { id, secret, tenant } = app(&org);
    let form =
        [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret), ("scope", SCOPE)];
    let body = token(&mut org, &tenant, &form).body_json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3599)));
    assert_eq!(body["refresh_token"], Json::Null, "an app asks again");
    org.token = body["access_token"].as_str().unwrap().to_owned();
    let who = org.get("WhoAmI");
    assert!(who["@odata.context"].as_str().unwrap().ends_with("#Microsoft.Dynamics.CRM.WhoAmIResponse"));
    assert!(who["UserId"].is_string() && who["OrganizationId"].is_string() && who["BusinessUnitId"].is_string());
    org.wait(3_600);
    let late = org.ask("GET", "WhoAmI", &[], None);
    assert_eq!(late.status, 401);
    assert!(
        late.header("www-authenticate")
            .unwrap()
            .contains(&format!("authorization_uri=https://login.microsoftonline.com/{tenant}/"))
    );
    org.token.clear();
    assert_eq!(org.ask("GET", "accounts", &[], None).status, 401);
}

#[test]
fn addresses_are_those_by_which_the_client_came() {
    let mut org = Org::new();
    let tenant = app(&org).tenant;
    let mut doors = |host: &str| {
        let discovery = Request::new("GET", &format!("/{tenant}/v2.0/.well-known/openid-configuration"));
        let body = org.send(&discovery.with_header("host", host)).body_json();
        assert_eq!(body["issuer"], format!("https://login.microsoftonline.com/{tenant}/v2.0"));
        body["token_endpoint"].as_str().unwrap().to_owned()
    };
    assert_eq!(doors("127.0.0.1:8080"), format!("http://127.0.0.1:8080/{tenant}/oauth2/v2.0/token"));
    let public = "login.microsoftonline.com";
    assert_eq!(doors(public), format!("https://{public}/{tenant}/oauth2/v2.0/token"));
    let mut context = |host: &str| {
        let ask = Request::new("GET", "/api/data/v9.2/WhoAmI").with_header("host", host);
        let ask = ask.with_header("authorization", format!("Bearer {}", org.token));
        org.send(&ask).body_json()["@odata.context"].as_str().unwrap().to_owned()
    };
    assert!(context("127.0.0.1:8080").starts_with("http://127.0.0.1:8080/api/data/"));
    assert!(context("sandbox.crm.dynamics.com").starts_with("https://sandbox.crm.dynamics.com/api/data/"));
}

#[test]
fn the_login_host_refuses_in_its_own_words() {
    let mut org = Org::new();
    let App { id, secret, tenant } = app(&org);
    let base =
        [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret), ("scope", SCOPE)];
    let with = |name: &str, value: &'static str| base.map(|(key, old)| (key, if key == name { value } else { old }));
    let cases = [
        (&*tenant, with("client_secret", "wrong"), 401, "invalid_client", 7_000_215),
        (&*tenant, with("client_id", "none"), 400, "unauthorized_client", 700_016),
        (&*tenant, with("scope", "https://other.crm.dynamics.com/.default"), 400, "invalid_resource", 500_011),
        (
            &*tenant,
            with("scope", "https://sandbox.crm.dynamics.com/user_impersonation"),
            400,
            "invalid_scope",
            1_002_012,
        ),
        (&*tenant, with("grant_type", "password"), 400, "unsupported_grant_type", 70_003),
        ("other", base, 400, "invalid_request", 90_002),
    ];
    for (tenant, form, status, error, code) in cases {
        let reply = token(&mut org, tenant, &form);
        let body = reply.body_json();
        assert_eq!(
            (reply.status, &body["error"], &body["error_codes"]),
            (status, &json!(error), &json!([code])),
            "{body}"
        );
        assert!(body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{code}: ")), "{body}");
    }
    // The slash of the environment's address may be there twice, and its own address may be the one here.
    for scope in ["https://sandbox.crm.dynamics.com//.default", "http://127.0.0.1:8080/.default"] {
        assert_eq!(token(&mut org, &tenant, &with("scope", scope)).status, 200, "{scope}");
    }
}

#[test]
fn a_person_agrees_once_and_is_asked_no_more() {
    let mut org = Org::new();
    let App { id, secret, tenant } = app(&org);
    let scope = "https://sandbox.crm.dynamics.com/user_impersonation offline_access";
    let page = Request::new("GET", &format!("/{tenant}/oauth2/v2.0/authorize"))
        .with_param("response_type", "code")
        .with_param("client_id", &*id)
        .with_param("redirect_uri", "http://localhost/back")
        .with_param("state", "s1")
        .with_param("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
        .with_param("code_challenge_method", "S256");
    let place = org.send(&page).header("location").unwrap().to_owned();
    let code = place.strip_prefix("http://localhost/back?code=").unwrap().strip_suffix("&state=s1").unwrap();
    let exchange = |verifier: &'static str| {
        [
            ("grant_type", "authorization_code"),
            ("client_id", &*id),
            ("code", code),
            ("redirect_uri", "http://localhost/back"),
            ("code_verifier", verifier),
            ("scope", scope),
        ]
    };
    assert_eq!(token(&mut org, "organizations", &exchange("wrong")).body_json()["error"], "invalid_grant");
    let body = token(&mut org, "organizations", &exchange("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).body_json();
    let refresh = body["refresh_token"].as_str().unwrap().to_owned();
    let again = [
        ("grant_type", "refresh_token"),
        ("client_id", &*id),
        ("client_secret", &*secret),
        ("refresh_token", &*refresh),
        ("scope", scope),
    ];
    let renewed = token(&mut org, &tenant, &again).body_json();
    assert_ne!(renewed["refresh_token"], json!(refresh), "a new one comes back");
    let user = org.me();
    org.token = renewed["access_token"].as_str().unwrap().to_owned();
    assert_ne!(org.me(), user, "a person, not the app's user");
    let used = token(&mut org, &tenant, &exchange("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).body_json();
    assert_eq!(used["error_codes"], json!([70_008]));
}

#[test]
fn a_device_waits_for_its_person() {
    let mut org = Org::with(json!({"device_pending_s": 20}));
    let App { id, tenant, .. } = app(&org);
    let mut request = Request::new("POST", &format!("/{tenant}/oauth2/v2.0/devicecode"));
    request.body = format!("client_id={id}&scope=https://sandbox.crm.dynamics.com/.default").into_bytes();
    let body = org.send(&request).body_json();
    let device = body["device_code"].as_str().unwrap().to_owned();
    let poll = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", &*id),
        ("device_code", &*device),
    ];
    assert_eq!(token(&mut org, &tenant, &poll).body_json()["error"], "authorization_pending");
    org.wait(20);
    assert_eq!(token(&mut org, &tenant, &poll).status, 200);
}

#[test]
fn the_environment_must_know_the_app() {
    let apps = json!([{"client_id": "lost", "client_secret": "s"}]);
    for status in [401, 403] {
        let mut org = Org::of(json!({"apps": apps, "settings": {"unknown_user_status": status}}));
        let form =
            [("grant_type", "client_credentials"), ("client_id", "lost"), ("client_secret", "s"), ("scope", SCOPE)];
        let body = token(&mut org, "sandbox.onmicrosoft.com", &form).body_json();
        org.token = body["access_token"].as_str().unwrap().to_owned();
        refused(org.call("GET", "WhoAmI", None), status, "0x80072560");
    }
}

#[test]
fn one_user_acts_for_another() {
    let mut org = Org::new();
    let app = org.me();
    let person = org.rows("systemusers?$filter=accessmode ne 4")[0].clone();
    let (id, object) =
        (person["systemuserid"].as_str().unwrap(), person["azureactivedirectoryobjectid"].as_str().unwrap());
    for (name, value) in [("callerobjectid", object), ("mscrmcallerid", id)] {
        let made = org.ask(
            "POST",
            "accounts",
            &[(name, value), ("prefer", "return=representation")],
            Some(&json!({"name": "A"})),
        );
        let row = made.body_json();
        assert_eq!((&row["_createdby_value"], &row["_createdonbehalfby_value"]), (&json!(id), &json!(app)), "{row}");
        assert_eq!(row["_ownerid_value"], json!(id));
    }
    assert_eq!(org.ask("GET", "accounts", &[("mscrmcallerid", super::NOWHERE)], None).status, 403);
    let mut strict = Org::with(json!({"act_on_behalf": false}));
    let reply = strict.ask("GET", "accounts", &[("mscrmcallerid", id)], None);
    refused((reply.status, reply.body_json()), 403, "0x80040220");
    let reply =
        strict.ask("POST", "accounts", &[("mscrm.bypasscustompluginexecution", "true")], Some(&json!({"name": "A"})));
    refused((reply.status, reply.body_json()), 403, "0x80040220");
}

//! Data centres, codes, tokens, scopes (sheet: section 1).

use handover_sandbox::Request;
use serde_json::{Value as Json, json};

use super::{Org, denied};

fn tokens(org: &mut Org, form: &str) -> (u16, Json) {
    let mut request = Request::new("POST", "/oauth/v2/token").with_header("host", "127.0.0.1:8080");
    request.body = form.as_bytes().to_vec();
    let reply = org.send(&request);
    (reply.status, reply.body_json())
}

fn client(org: &Org) -> (String, String) {
    let credentials = org.sandbox.platform().credentials();
    let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
    let pair = format!("client_id={}&client_secret={}", text("client_id"), text("client_secret"));
    (pair, text("refresh_token"))
}

/// Agrees in the browser; gives the code.
fn agree(org: &mut Org, more: &str) -> String {
    let credentials = org.sandbox.platform().credentials();
    let id = credentials["client_id"].as_str().unwrap().to_owned();
    let query = format!("response_type=code&client_id={id}&scope=ZohoCRM.modules.ALL&redirect_uri=http://x/cb{more}");
    let request = org.request("GET", &format!("/oauth/v2/auth?{query}"));
    let reply = org.send(&request);
    let location = reply.header("location").unwrap().to_owned();
    assert!(location.contains("&location=us&accounts-server=http%3A%2F%2F127.0.0.1"), "{location}");
    location.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

#[test]
fn a_code_becomes_tokens_once() {
    let mut org = Org::new();
    let (pair, _) = client(&org);
    let code = agree(&mut org, "&access_type=offline&prompt=consent");
    let form = format!("grant_type=authorization_code&{pair}&redirect_uri=http://x/cb&code={code}");
    let (status, body) = tokens(&mut org, &form);
    assert_eq!((status, &body["token_type"], &body["expires_in"]), (200, &json!("Bearer"), &json!(3600)), "{body}");
    assert_eq!(body["api_domain"], "http://127.0.0.1:8080");
    assert!(body["refresh_token"].is_string());
    assert_eq!(tokens(&mut org, &form), (200, json!({"error": "invalid_code"})));
}

#[test]
fn without_offline_or_a_new_consent_there_is_no_refresh_token() {
    let mut org = Org::new();
    let (pair, _) = client(&org);
    for (more, wanted) in [("", false), ("&access_type=offline", false), ("&access_type=offline&prompt=consent", true)]
    {
        let code = agree(&mut org, more);
        let form = format!("grant_type=authorization_code&{pair}&redirect_uri=http://x/cb&code={code}");
        assert_eq!(tokens(&mut org, &form).1["refresh_token"].is_string(), wanted, "{more}");
    }
}

#[test]
fn an_access_token_lives_an_hour_and_is_renewed() {
    let mut org = Org::new();
    let (pair, refresh) = client(&org);
    let form = format!("grant_type=refresh_token&{pair}&refresh_token={refresh}");
    let (_, body) = tokens(&mut org, &form);
    assert!(body.get("refresh_token").is_none(), "a refresh gives no refresh token: {body}");
    org.token = body["access_token"].as_str().unwrap().to_owned();
    org.wait(3_599);
    org.get("users");
    org.wait(1);
    let details = org.call("GET", "users", None);
    assert_eq!(details.1["message"], "invalid oauth token");
    denied(details, 401, "INVALID_TOKEN");
    // Another instance may not take the header of the token type.
    let mut request = org.request("GET", "users");
    request.headers.retain(|(name, _)| name != "authorization");
    let bearer = request.with_header("authorization", format!("Bearer {}", org.token));
    assert_eq!(org.send(&bearer).body_json()["code"], "AUTHENTICATION_FAILURE");
}

#[test]
fn refusals_of_the_accounts_server_come_under_200() {
    let mut org = Org::new();
    let (pair, refresh) = client(&org);
    let id = pair.split('&').next().unwrap().to_owned();
    for (form, wanted) in [
        (format!("grant_type=refresh_token&{pair}&refresh_token=x"), "invalid_code"),
        (format!("grant_type=refresh_token&client_id=x&client_secret=y&refresh_token={refresh}"), "invalid_client"),
        (format!("grant_type=refresh_token&{id}&client_secret=y&refresh_token={refresh}"), "invalid_client_secret"),
        (format!("grant_type=password&{pair}"), "general_error"),
    ] {
        assert_eq!(tokens(&mut org, &form), (200, json!({"error": wanted})), "{form}");
    }
}

#[test]
fn ten_tokens_in_ten_minutes_and_fifteen_at_once() {
    let mut org = Org::new();
    let (pair, refresh) = client(&org);
    let form = format!("grant_type=refresh_token&{pair}&refresh_token={refresh}");
    let mut all = Vec::new();
    for _ in 0..10 {
        all.push(tokens(&mut org, &form).1["access_token"].as_str().unwrap().to_owned());
    }
    let (status, body) = tokens(&mut org, &form);
    assert_eq!((status, &body["error"], &body["status"]), (400, &json!("Access Denied"), &json!("failure")));
    org.wait(601);
    for _ in 0..6 {
        all.push(tokens(&mut org, &form).1["access_token"].as_str().unwrap().to_owned());
    }
    let mut works = |token: &String| {
        org.token.clone_from(token);
        org.call("GET", "users", None).0 == 200
    };
    assert!(!works(&all[0]), "the sixteenth ends the oldest");
    assert!(works(&all[1]) && works(&all[15]));
}

#[test]
fn a_revoked_refresh_token_takes_its_access_tokens_along() {
    let mut org = Org::new();
    let (pair, refresh) = client(&org);
    let form = format!("grant_type=refresh_token&{pair}&refresh_token={refresh}");
    org.token = tokens(&mut org, &form).1["access_token"].as_str().unwrap().to_owned();
    let request = org.request("POST", &format!("/oauth/v2/token/revoke?token={refresh}"));
    assert_eq!(org.send(&request).status, 200);
    denied(org.call("GET", "users", None), 401, "INVALID_TOKEN");
    assert_eq!(tokens(&mut org, &form).1, json!({"error": "invalid_code"}));
}

#[test]
fn scopes_reach_as_far_as_they_say() {
    let access =
        |scope: &str| json!({"access": {"tokens": {"t": {"user": 554_023_000_000_300_001_u64, "scope": scope}}}});
    let lead = json!({"data": [{"Last_Name": "x"}]});
    for (scope, method, path, wanted) in [
        ("ZohoCRM.modules.ALL", "POST", "Leads", 201),
        ("ZohoCRM.modules.leads.CREATE", "POST", "Leads", 201),
        ("ZohoCRM.modules.leads.WRITE", "POST", "Leads", 201),
        ("ZohoCRM.modules.leads.READ", "POST", "Leads", 401),
        ("ZohoCRM.modules.contacts.ALL", "POST", "Leads", 401),
        ("ZohoCRM.modules.leads.READ,ZohoCRM.users.READ", "GET", "Leads?fields=id", 204),
        ("ZohoCRM.modules.salesorders.READ", "GET", "Sales_Orders?fields=id", 204),
        ("ZohoCRM.settings.ALL", "GET", "settings/modules", 200),
        ("ZohoCRM.settings.fields.READ", "GET", "settings/modules", 401),
        ("ZohoCRM.settings.fields.READ", "GET", "settings/fields?module=Leads", 200),
        ("ZohoCRM.modules.ALL", "GET", "org", 401),
        ("ZohoCRM.modules.ALL", "GET", "/crm/bulk/v8/read/7", 401),
        ("ZohoCRM.modules.ALL", "GET", "actions/watch", 401),
    ] {
        let mut org = Org::of(access(scope));
        let (status, body) = org.call(method, path, (method == "POST").then_some(&lead));
        assert_eq!(status, wanted, "{scope} {method} {path}: {body}");
        if wanted == 401 {
            assert_eq!(body["code"], "OAUTH_SCOPE_MISMATCH");
        }
    }
}

#[test]
fn a_token_is_good_on_its_own_host_alone() {
    for (invalid_host, status, code) in [(true, 400, "INVALID_HOST"), (false, 401, "INVALID_TOKEN")] {
        let mut org = Org::with(&json!({"api_host": "eu.localhost", "invalid_host": invalid_host}));
        denied(org.call("GET", "users", None), status, code);
        let mut request = org.request("GET", "users");
        request.headers.retain(|(name, _)| name != "host");
        assert_eq!(org.send(&request.with_header("host", "eu.localhost")).status, 200);
    }
    let mut org = Org::new();
    assert_eq!(org.get("/oauth/serverinfo")["locations"]["ca"], "https://accounts.zohocloud.ca");
}

//! Budgets, headers, the wall, tokens and OAuth.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handover_sandbox::faults::{Fault, FaultPlan, LimitScope, Rule, When};
use handover_sandbox::{Reply, Request};
use serde_json::{Value, json};

use crate::pipedrive::Account;

fn limited(plan: &str, settings: Value) -> Account {
    let mut all = json!({"limits": true});
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    Account::of(json!({"account": {"plan": plan, "seats": 1}, "settings": all}))
}

#[test]
fn requests_cost_what_the_table_says() {
    let mut account = Account::empty();
    account.post("/api/v2/deals", &json!({"title": "T"}));
    account.post("/api/v2/persons", &json!({"name": "P"}));
    let costs = [
        ("GET", "/api/v2/deals", 10),
        ("GET", "/api/v2/deals/archived", 20),
        ("GET", "/api/v2/deals/1", 1),
        ("PATCH", "/api/v2/deals/1", 5),
        ("DELETE", "/api/v2/persons/1", 3),
        ("GET", "/api/v2/persons/search?term=ab", 20),
        ("GET", "/api/v2/pipelines", 5),
        ("GET", "/v1/leads", 20),
        ("GET", "/v1/leads/archived", 40),
        ("GET", "/v1/notes", 20),
        ("GET", "/v1/users", 20),
        ("GET", "/v1/users/me", 2),
        ("GET", "/v1/users/find?term=ada", 40),
        ("GET", "/v1/webhooks", 10),
        ("GET", "/v1/deals/1/participants", 10),
        ("GET", "/api/v2/dealFields", 10),
        ("GET", "/v1/dealFields", 20),
        ("POST", "/api/v2/deals/1/products/bulk", 25),
        ("PUT", "/v1/deals/1/merge", 40),
    ];
    for (method, path, cost) in costs {
        account.handle(method, path, Some(&json!({})));
        assert_eq!(account.sandbox.journal().entries().last().unwrap().cost, cost, "{method} {path}");
    }
}

#[test]
fn the_headers_count_down() {
    let mut account = limited("growth", json!({}));
    let reply = account.call("GET", "/api/v2/deals", None);
    let header = |reply: &Reply, name: &str| reply.header(name).unwrap().parse::<u64>().unwrap();
    assert_eq!((header(&reply, "x-ratelimit-limit"), header(&reply, "x-ratelimit-remaining")), (40, 39));
    assert_eq!(header(&reply, "x-daily-ratelimit-token-limit"), 60_000);
    assert_eq!(header(&reply, "x-daily-ratelimit-token-remaining"), 59_990);
    account.wait(2);
    let reply = account.call("GET", "/api/v2/deals/9", None);
    assert_eq!((reply.status, header(&reply, "x-ratelimit-remaining")), (404, 39));
    assert_eq!(header(&reply, "x-daily-ratelimit-token-remaining"), 59_989);
}

#[test]
fn the_burst_window_rolls() {
    let mut account = limited("lite", json!({}));
    for _ in 0..20 {
        account.get("/v1/users/me");
    }
    let reply = account.call("GET", "/v1/users/me", None);
    assert_eq!(reply.status, 429);
    assert_eq!(reply.header("x-ratelimit-remaining"), Some("0"));
    assert_eq!(reply.header("retry-after"), None);
    assert_eq!(reply.body_json()["errorCode"], 429);
    // The other token has its own window.
    account.token = "seller-token".to_owned();
    account.get("/v1/users/me");
    account.token = "admin-token".to_owned();
    account.wait(2);
    account.get("/v1/users/me");
    assert_eq!(account.sandbox.journal().limited(), 1);
}

#[test]
fn search_has_its_own_limit() {
    let mut account = limited("ultimate", json!({}));
    for _ in 0..10 {
        account.get("/api/v2/itemSearch?term=ab");
    }
    let reply = account.call("GET", "/api/v2/itemSearch?term=ab", None);
    assert_eq!(reply.status, 429);
    assert_ne!(reply.header("x-ratelimit-remaining"), Some("0"));
    account.get("/api/v2/deals");
    account.wait(2);
    account.get("/api/v2/itemSearch?term=ab");
}

#[test]
fn an_invented_refusal_tells_the_true_day() {
    let told = |scope: LimitScope| {
        let mut account = limited("growth", json!({}));
        let when = When { nth: Some(2), ..When::default() };
        let fault = Fault::Limited { scope, retry_after_s: None };
        account.sandbox.set_faults(FaultPlan::new(1, vec![Rule { name: None, when, fault }]));
        account.get("/api/v2/deals");
        let reply = account.call("GET", "/api/v2/deals", None);
        assert_eq!(reply.status, 429);
        let names = ["x-ratelimit-limit", "x-daily-ratelimit-token-limit", "x-daily-ratelimit-token-remaining"];
        names.map(|name| reply.header(name).unwrap().parse::<u64>().unwrap())
    };
    assert_eq!(told(LimitScope::Burst), [40, 60_000, 59_990]);
    assert_eq!(told(LimitScope::Daily), [40, 60_000, 0]);
}

#[test]
fn the_daily_budget_ends_at_midnight() {
    let mut account = limited("growth", json!({"daily_budget": 25}));
    account.get("/api/v2/deals");
    account.get("/api/v2/deals");
    let reply = account.call("GET", "/api/v2/deals", None);
    assert_eq!(reply.status, 429);
    assert_eq!(reply.header("x-daily-ratelimit-token-remaining"), Some("5"));
    assert_ne!(reply.header("x-ratelimit-remaining"), Some("0"));
    account.call("GET", "/api/v2/deals/1", None);
    account.now = "2026-03-03T00:00:00Z".parse().unwrap();
    account.get("/api/v2/deals");
}

#[test]
fn who_ignores_the_limit_meets_the_wall() {
    let mut account = limited("lite", json!({"abuse_after": 3}));
    for _ in 0..20 {
        account.get("/v1/users/me");
    }
    for _ in 0..3 {
        assert_eq!(account.call("GET", "/v1/users/me", None).status, 429);
    }
    let reply = account.call("GET", "/v1/users/me", None);
    assert_eq!((reply.status, reply.header("content-type").unwrap()), (403, "text/html; charset=utf-8"));
    account.wait(10);
    assert_eq!(account.call("GET", "/v1/users/me", None).status, 403);
    account.wait(51);
    account.get("/v1/users/me");
}

#[test]
fn limits_can_be_switched_off() {
    let mut account = limited("lite", json!({}));
    account.sandbox.platform_mut().set_limits(false);
    for _ in 0..100 {
        account.get("/v1/users/me");
    }
}

fn token(account: &mut Account, form: &str, secret: &str) -> Reply {
    let mut request = Request::new("POST", "/oauth/token")
        .with_header("host", "127.0.0.1:9999")
        .with_header("authorization", format!("Basic {}", STANDARD.encode(secret)))
        .with_header("content-type", "application/x-www-form-urlencoded");
    request.body = form.as_bytes().to_vec();
    account.sandbox.handle(&request, account.now).reply().unwrap().clone()
}

fn bearer(account: &mut Account, access: &str, method: &str, path: &str, body: Option<&Value>) -> Reply {
    let mut request = Request::new(method, path).with_header("authorization", format!("Bearer {access}"));
    if let Some(body) = body {
        request = request.with_json(body);
    }
    account.sandbox.handle(&request, account.now).reply().unwrap().clone()
}

#[test]
fn oauth_tokens_expire_and_refresh_once() {
    let mut account = Account::of(json!({"account": {"oauth_clients": [
        {"client_id": "app", "client_secret": "shh", "scopes": ["base", "deals:read"], "refresh_token": "first"}]}}));
    let refresh = |refresh: &str| format!("grant_type=refresh_token&refresh_token={refresh}");
    let reply = token(&mut account, &refresh("first"), "app:wrong");
    assert_eq!((reply.status, reply.body_json()["message"].clone()), (400, json!("Invalid client: client is invalid")));
    assert_eq!(token(&mut account, "refresh_token=first", "app:shh").status, 400);
    let granted = token(&mut account, &refresh("first"), "app:shh").body_json();
    assert_eq!((&granted["api_domain"], &granted["expires_in"]), (&json!("http://127.0.0.1:9999"), &json!(3_599)));
    assert_eq!((&granted["token_type"], &granted["scope"]), (&json!("Bearer"), &json!("base deals:read")));
    let access = granted["access_token"].as_str().unwrap().to_owned();
    assert!(access.len() > 300);
    assert_eq!(bearer(&mut account, &access, "GET", "/api/v2/deals", None).status, 200);
    // Scopes: reading deals is all it may.
    assert_eq!(bearer(&mut account, &access, "GET", "/api/v2/persons", None).status, 403);
    assert_eq!(bearer(&mut account, &access, "POST", "/api/v2/deals", Some(&json!({"title": "T"}))).status, 403);
    // A refresh token works once.
    let again = token(&mut account, &refresh("first"), "app:shh");
    assert_eq!(again.body_json()["message"], "Invalid grant: refresh_token is invalid");
    account.wait(3_599);
    assert_eq!(bearer(&mut account, &access, "GET", "/api/v2/deals", None).status, 401);
    let second = granted["refresh_token"].as_str().unwrap().to_owned();
    let granted = token(&mut account, &refresh(&second), "app:shh").body_json();
    let third = granted["refresh_token"].as_str().unwrap().to_owned();
    account.wait(60 * 86_400);
    assert_eq!(token(&mut account, &refresh(&third), "app:shh").status, 400);
}

#[test]
fn a_code_is_valid_for_five_minutes() {
    let mut account = Account::of(json!({"account": {"oauth_clients": [
        {"client_id": "app", "client_secret": "shh", "scopes": ["base"]}]}}));
    let code = |account: &mut Account| {
        let reply =
            account.call("GET", "/oauth/authorize?client_id=app&redirect_uri=http://127.0.0.1/cb&state=s", None);
        assert_eq!(reply.status, 302);
        let location = reply.header("location").unwrap().to_owned();
        location.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
    };
    let first = code(&mut account);
    let form = |code: &str| format!("grant_type=authorization_code&code={code}&redirect_uri=http://127.0.0.1/cb");
    let granted = token(&mut account, &form(&first), "app:shh");
    assert_eq!(granted.status, 200);
    assert_eq!(token(&mut account, &form(&first), "app:shh").status, 400);
    let second = code(&mut account);
    account.wait(300);
    let late = token(&mut account, &form(&second), "app:shh");
    assert_eq!(late.body_json()["message"], "Invalid grant: authorization_code has expired");
    // Revoking the refresh token ends the access token as well.
    let access = granted.body_json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(bearer(&mut account, &access, "GET", "/v1/users/me", None).status, 200);
    let mut revoke = Request::new("POST", "/oauth/revoke")
        .with_header("authorization", format!("Basic {}", STANDARD.encode("app:shh")));
    revoke.body = format!("token={}", granted.body_json()["refresh_token"].as_str().unwrap()).into_bytes();
    assert_eq!(account.sandbox.handle(&revoke, account.now).reply().unwrap().status, 200);
    assert_eq!(bearer(&mut account, &access, "GET", "/v1/users/me", None).status, 401);
}

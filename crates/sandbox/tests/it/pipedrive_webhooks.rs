//! Webhook events: typed fields, merges, visibility, retries and the ban.

use handover_sandbox::Event;
use handover_sandbox::faults::{DisturbAction, Disturbance, Fault, FaultPlan, Rule, When, Which};
use serde_json::{Value, json};

use crate::pipedrive::Account;

fn subscribed(action: &str, object: &str) -> Account {
    let code = "a".repeat(40);
    let mut account = Account::of(json!({"deal_fields": [
        {"field_code": code, "field_name": "Kind", "field_type": "enum", "options": [{"id": 17, "label": "X"}]},
        {"field_code": "b".repeat(40), "field_name": "When", "field_type": "daterange"}]}));
    let body = json!({"subscription_url": "http://127.0.0.1:1/hook", "event_action": action, "event_object": object, "name": "h",
        "http_auth_user": "u", "http_auth_password": "p"});
    let hook = account.post("/v1/webhooks", &body);
    assert!(hook.get("http_auth_password").is_none());
    account
}

fn events(account: &mut Account, method: &str, path: &str, body: &Value) -> Vec<Event> {
    account.handle(method, path, Some(body)).events
}

#[test]
fn events_speak_in_types() {
    let mut account = subscribed("*", "deal");
    let custom = json!({"a".repeat(40): 17, "b".repeat(40): {"value": "2026-01-01", "until": "2026-01-02"}});
    let created = events(&mut account, "POST", "/api/v2/deals", &json!({"title": "T", "custom_fields": custom}));
    let event = &created[0];
    assert_eq!(event.url, "http://127.0.0.1:1/hook");
    assert!(event.headers.contains(&("authorization".into(), "Basic dTpw".into())));
    let meta = &event.body["meta"];
    assert_eq!((&meta["action"], &meta["entity"], &meta["entity_id"]), (&json!("create"), &json!("deal"), &json!("1")));
    assert_eq!((&meta["version"], &meta["attempt"], &meta["change_source"]), (&json!("2.0"), &json!(1), &json!("api")));
    assert_eq!(event.body["data"]["custom_fields"]["a".repeat(40)], json!({"type": "enum", "id": 17}));
    let range = json!({"type": "daterange", "from": "2026-01-01", "until": "2026-01-02"});
    assert_eq!(event.body["data"]["custom_fields"]["b".repeat(40)], range);
    assert_eq!(event.body["data"]["visible_to"], "3");
    assert_eq!(event.body["previous"], Value::Null);
    account.wait(1);
    let changed = events(
        &mut account,
        "PATCH",
        "/api/v2/deals/1",
        &json!({"title": "U", "custom_fields": {"a".repeat(40): null}}),
    );
    let previous = &changed[0].body["previous"];
    assert_eq!((&previous["title"], &previous["custom_fields"]["a".repeat(40)]["id"]), (&json!("T"), &json!(17)));
    assert!(previous.get("value").is_none());
    let gone = events(&mut account, "DELETE", "/api/v2/deals/1", &json!({}));
    assert_eq!((&gone[0].body["data"], &gone[0].body["previous"]["title"]), (&Value::Null, &json!("U")));
}

#[test]
fn a_merge_is_two_events() {
    let mut account = subscribed("*", "person");
    for name in ["A", "B"] {
        account.post("/api/v2/persons", &json!({"name": name}));
    }
    let merged = events(&mut account, "PUT", "/v1/persons/1/merge", &json!({"merge_with_id": 2}));
    let told: Vec<_> = merged
        .iter()
        .map(|e| (&e.body["meta"]["action"], &e.body["meta"]["merged_to_id"], &e.body["meta"]["merged_from_id"]))
        .collect();
    assert_eq!(told, [(&json!("delete"), &json!("2"), &Value::Null), (&json!("change"), &Value::Null, &json!("1"))]);
}

#[test]
fn subscriptions_are_checked() {
    let mut account = Account::empty();
    let body =
        json!({"subscription_url": "http://example.com/h", "event_action": "*", "event_object": "*", "name": "h"});
    let reply = account.call("POST", "/v1/webhooks", Some(&body));
    assert_eq!(reply.status, 400);
    let words =
        json!({"status": "error", "success": false, "errors": {"subscription_url": ["invalid or non-reachable URL"]}});
    assert_eq!(reply.body_json(), words);
    let body = json!({"subscription_url": "https://example.com/h", "event_action": "create", "event_object": "person", "name": "h"});
    for _ in 0..40 {
        account.post("/v1/webhooks", &body);
    }
    assert_eq!(account.call("POST", "/v1/webhooks", Some(&body)).status, 422);
    assert!(events(&mut account, "POST", "/api/v2/deals", &json!({"title": "T"})).is_empty());
    assert_eq!(events(&mut account, "POST", "/api/v2/persons", &json!({"name": "T"})).len(), 40);
}

#[test]
fn failing_receivers_are_retried_then_banned_then_dropped() {
    let mut account = subscribed("create", "person");
    let event = events(&mut account, "POST", "/api/v2/persons", &json!({"name": "A"})).remove(0);
    let mut waits = Vec::new();
    let mut attempt = event.clone();
    for n in 1..=4 {
        assert_eq!(attempt.body["meta"]["attempt"], n);
        let Some(retry) = account.sandbox.platform_mut().delivered(&attempt, n, Some(500), account.now) else { break };
        waits.push(retry.after_ms);
        attempt = retry.event;
    }
    assert_eq!(waits, [3_000, 30_000, 150_000]);
    for _ in 0..9 {
        account.sandbox.platform_mut().delivered(&event, 1, None, account.now);
    }
    assert!(events(&mut account, "POST", "/api/v2/persons", &json!({"name": "B"})).is_empty());
    account.wait(30 * 60);
    assert_eq!(events(&mut account, "POST", "/api/v2/persons", &json!({"name": "C"})).len(), 1);
    account.wait(3 * 86_400);
    account.sandbox.platform_mut().delivered(&event, 1, None, account.now);
    assert_eq!(account.get("/v1/webhooks")["data"], json!([]));
}

#[test]
fn subscribing_changes_no_ids() {
    let plain = Account::empty().post("/api/v2/dealFields", &json!({"field_name": "F", "field_type": "text"}));
    let mut heard = Account::empty();
    let body =
        json!({"subscription_url": "https://example.com/h", "event_action": "*", "event_object": "*", "name": "h"});
    heard.post("/v1/webhooks", &body);
    heard.post("/api/v2/persons", &json!({"name": "A"}));
    let field = heard.post("/api/v2/dealFields", &json!({"field_name": "F", "field_type": "text"}));
    assert_eq!(field["field_code"], plain["field_code"]);
}

#[test]
fn what_users_do_is_told_as_well() {
    let mut account = subscribed("change", "person");
    account.post("/api/v2/persons", &json!({"name": "A"}));
    let action = DisturbAction::Change { field: "name".into(), value: json!("B") };
    let disturbance = Disturbance { object: "person".into(), which: Which::default(), action };
    let told = account.sandbox.disturb(&disturbance, account.now);
    assert_eq!(told[0].body["meta"]["change_source"], "app");
    assert_eq!((&told[0].body["data"]["name"], &told[0].body["previous"]["name"]), (&json!("B"), &json!("A")));
    // Through a fault plan they come with the answer of the request that set them off.
    let fault = Fault::Disturb { disturbance, before: true };
    account.sandbox.set_faults(FaultPlan::new(0, vec![Rule { name: None, when: When::default(), fault }]));
    assert_eq!(account.handle("GET", "/api/v2/persons", None).events.len(), 1);
}

//! Keys, limits, pages, webhooks.

use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use serde_json::{Value, json};

use super::{Account, refusal};

#[test]
fn only_with_a_key_and_within_its_rights() {
    let mut account = Account::of(json!({"account": {"api_keys": [
        {"key": "all", "user_id": 1}, {"key": "few", "user_id": 1, "hidden": ["deals"]}]}}));
    assert_eq!(account.send("GET", "contacts", None, 403), json!({"message": "Forbidden"}));
    account.key = "few".to_owned();
    account.get("contacts");
    assert_eq!(account.send("GET", "deals", None, 403)["errors"][0]["title"], "Forbidden");
    account.key = "all".to_owned();
    assert_eq!(account.get("users/me")["user"]["id"], "1");
    assert_eq!(account.get("users/email/ada%40sandbox.example")["user"]["username"], "admin");
}

#[test]
fn five_requests_in_a_second() {
    let mut account = Account::of(json!({"settings": {"limits": true}}));
    for left in ["4", "3", "2", "1", "0"] {
        let reply = account.call("GET", "contacts", None);
        assert_eq!((reply.status, reply.header("ratelimit-remaining")), (200, Some(left)));
    }
    let reply = account.call("GET", "contacts", None);
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("1")));
    account.wait(1);
    account.get("contacts");
}

#[test]
fn pages_are_cut_and_contacts_are_read_behind_an_id() {
    let contacts: Vec<Value> = (1..=130).map(|id| json!({"id": id, "email": format!("c{id}@x.example")})).collect();
    let mut account = Account::of(json!({"contacts": contacts}));
    assert_eq!(account.get("contacts")["contacts"].as_array().unwrap().len(), 20);
    let first = account.get("contacts?orders[id]=ASC&id_greater=0&limit=500");
    assert_eq!((first["contacts"].as_array().unwrap().len(), &first["meta"]["total"]), (100, &json!("130")));
    let rest = account.get("contacts?orders[id]=ASC&id_greater=100&limit=100");
    assert_eq!((rest["contacts"].as_array().unwrap().len(), &rest["contacts"][0]["id"]), (30, &json!("101")));
    let some = account.get("contacts?ids[]=3&ids[]=999&ids[]=5");
    assert_eq!(some["contacts"].as_array().unwrap().len(), 2);
    assert_eq!(account.get("deals")["meta"]["total"], 0, "a number for deals");
}

#[test]
fn filters_by_time_lag_and_begin_at_the_instant() {
    let mut account = Account::of(json!({"settings": {"lag_s": 5}}));
    let since = "contacts?filters[updated_after]=2026-03-02T04:00:00-06:00";
    account.post("contacts", &json!({"contact": {"email": "a@x.example"}}));
    assert_eq!(account.get(since)["meta"]["total"], "0");
    account.wait(5);
    assert_eq!(account.get(since)["meta"]["total"], "1");
    assert_eq!(account.get("contacts?filters[updated_after]=2026-03-02T10:00:01Z")["meta"]["total"], "0");
    assert_eq!(account.get("contacts?email=A@x.example")["meta"]["total"], "1");
}

#[test]
fn webhooks_are_forms_and_tell_no_deletions() {
    let mut account = Account::empty();
    let hook = |events: Value, url: &str| json!({"webhook": {"name": "N", "url": url, "events": events, "sources": ["api", "admin"]}});
    let told = account.refused("POST", "webhooks", Some(&hook(json!(["update"]), "http://x.example/")), 422);
    assert_eq!(refusal(&told), ("field_invalid", "url"));
    account.refused("POST", "webhooks", Some(&hook(json!(["contact_delete"]), "https://x.example/")), 422);
    account.post("webhooks", &hook(json!(["update", "deal_add"]), "https://x.example/h"));
    let id = account.post("contacts", &json!({"contact": {"email": "a@x.example", "firstName": "Jö & Co"}}));
    let id = id["contact"]["id"].as_str().unwrap().to_owned();
    let handled = account.handle("PUT", &format!("contacts/{id}"), Some(&json!({"contact": {"phone": "1"}})));
    let body = handled.events[0].body.as_str().unwrap();
    let pairs = handover_sandbox::http::read_pairs(body);
    let of = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(
        (of("type"), of("contact[id]"), of("contact[first_name]")),
        (Some("update"), Some("1"), Some("Jö & Co"))
    );
    assert_eq!(of("initiated_from"), Some("api"));
    assert!(body.contains("contact[id]=1"), "brackets stand as PHP writes them: {body}");
    assert_eq!(account.handle("DELETE", &format!("contacts/{id}"), None).events, vec![]);
    let create = DisturbAction::Create { fields: json!({"title": "D", "value": 100, "currency": "usd", "contact": 1}) };
    let now = account.now;
    let none =
        account.sandbox.disturb(&Disturbance { object: "deal".into(), which: Which::Nth(0), action: create }, now);
    assert!(none.is_empty(), "a deal of nobody is not made");
}

#[test]
fn bulk_imports_are_limited_by_the_minute() {
    let mut account = Account::of(json!({"settings": {"limits": true, "per_second": 1000}}));
    let body =
        json!({"contacts": [{"email": "a@x.example", "first_name": "A", "tags": ["t"], "customer_acct_name": "Acme"}]});
    let told = account.send("POST", "import/bulk_import", Some(&body), 200);
    assert_eq!((&told["Success"], &told["queued_contacts"]), (&json!(1), &json!(1)));
    let info = account.get(&format!("import/info?batchId={}", told["batchId"].as_str().unwrap()));
    assert_eq!((&info["status"], &info["success"]), (&json!("completed"), &json!(["1"])));
    assert_eq!(account.get("contacts/1")["accountContacts"][0]["account"], "1");
    let bad = json!({"contacts": [{"email": "a@x.example"}, {"email": "none"}]});
    let told = account.refused("POST", "import/bulk_import", Some(&bad), 400);
    assert_eq!((&told["success"], &told["failureReasons"][0]["contact"]), (&json!(0), &json!(1)));
    for _ in 1..20 {
        account.send("POST", "import/bulk_import", Some(&body), 200);
    }
    let told = account.refused("POST", "import/bulk_import", Some(&body), 400);
    assert_eq!(told["message"], "Rate limit exceeded.");
    account.send("GET", "import/info", None, 400);
}

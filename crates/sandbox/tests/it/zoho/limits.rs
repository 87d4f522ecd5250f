//! Credits and requests in flight (sheet: section 6).

use serde_json::{Value as Json, json};

use super::{Org, denied};

#[test]
fn credits_are_counted_over_a_day() {
    let mut org = Org::with(&json!({"credits": 30}));
    let data: Vec<Json> = (0..100).map(|_| json!({"Last_Name": "x"})).collect();
    let request = org.request("POST", "Leads").with_json(&json!({"data": data}));
    assert_eq!(org.send(&request).header("x-api-credits-remaining"), None);
    let reply = org.send(&request);
    assert_eq!(reply.header("x-api-credits-remaining"), Some("10"));
    org.send(&request);
    let refused = org.call("GET", "users", None);
    assert_eq!(refused.1["status"], "error");
    denied(refused, 429, "TOO_MANY_REQUESTS");
    org.wait(86_400);
    org.get("users");
}

#[test]
fn the_edition_decides_how_many() {
    for (edition, status) in [("free", 429), ("ultimate", 200)] {
        let mut org = Org::of(json!({"org": {"edition": edition}}));
        for _ in 0..10 {
            let body = json!({"modules": [{"plural_label": "x"}]});
            org.call("POST", "settings/modules", Some(&body));
        }
        assert_eq!(org.call("GET", "users", None).0, status, "{edition}");
    }
}

#[test]
fn requests_in_flight_are_limited() {
    let mut org = Org::with(&json!({"request_ms": 2_000}));
    let data: Vec<Json> = (0..11).map(|_| json!({"Last_Name": "x"})).collect();
    let heavy = json!({"data": data});
    for _ in 0..10 {
        org.post("Leads", &heavy, 201);
    }
    denied(org.call("POST", "Leads", Some(&heavy)), 429, "TOO_MANY_REQUESTS");
    for _ in 0..10 {
        org.get("users");
    }
    denied(org.call("GET", "users", None), 429, "TOO_MANY_REQUESTS");
    org.wait(2);
    org.get("users");
}

//! Webhook deliveries, as the sandbox sends them and as nobody should.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handover_connect::{Delivery, Dialect as _, Event, Fault, FaultKind, Happened};
use handover_platforms::activecampaign::ActiveCampaign;
use handover_sandbox::Sandbox;
use serde_json::json;

const SECRET: &str = "hook:s3cret";

fn raw(address: &str, basic: Option<&str>, body: &[u8]) -> Result<Vec<Event>, Fault> {
    let headers: Vec<(String, String)> = basic
        .map(|pair| ("authorization".to_owned(), format!("Basic {}", STANDARD.encode(pair))))
        .into_iter()
        .collect();
    let at = "2026-03-02T10:00:00Z".parse().unwrap();
    ActiveCampaign::new().events(&Delivery { method: "POST", address, headers: &headers, body, secret: SECRET, at })
}

#[test]
fn what_the_sandbox_sends_is_read() {
    let world = json!({"contacts": [{"id": 7, "email": "a@x.example"}], "webhooks": [{"id": 1, "name": "h",
        "url": "https://hooks.example/ac", "events": ["update", "deal_add", "account_add", "subscriber_note"],
        "sources": ["api"]}]});
    let account = handover_sandbox::activecampaign::ActiveCampaign::from_world(world, 1).unwrap();
    let mut sandbox = Sandbox::new(Box::new(account));
    let mut send = |method: &str, path: &str, body: serde_json::Value| {
        let request = handover_sandbox::Request::new(method, &format!("/api/3/{path}"));
        let request = request.with_header("api-token", "sandbox-key").with_json(&body);
        let handled = sandbox.handle(&request, "2026-03-02T10:00:00Z".parse().unwrap());
        assert!(handled.reply().unwrap().status < 300);
        let sent = handled.events[0].body.as_str().unwrap().to_owned();
        raw("https://hooks.example/ac", Some(SECRET), sent.as_bytes()).unwrap().remove(0)
    };
    let event = send("PUT", "contacts/7", json!({"contact": {"firstName": "Ü & Co"}}));
    assert_eq!((event.object.as_str(), event.record.as_str(), &event.what), ("contacts", "7", &Happened::Changed));
    assert_eq!((event.account.as_str(), event.at.to_string().as_str()), ("", "2026-03-02T10:00:00Z"));
    let event = send("POST", "accounts", json!({"account": {"name": "Acme"}}));
    assert_eq!((event.object.as_str(), event.record.as_str(), &event.what), ("accounts", "1", &Happened::Created));
    let event = send("POST", "notes", json!({"note": {"note": "x", "relid": 7, "reltype": "Subscriber"}}));
    assert_eq!((event.object.as_str(), event.record.as_str()), ("notes", "1"));
}

#[test]
fn only_who_knows_the_secret_is_heard() {
    let body = b"type=update&date_time=2026-03-02T04:00:00-06:00&contact[id]=7";
    let plain = "https://hooks.example/ac";
    for (address, basic) in [
        (plain, None),
        (plain, Some("hook:other")),
        ("https://hooks.example/ac?key=hook:other", None),
        ("https://hooks.example/ac?token=hook:s3cret", None),
    ] {
        assert_eq!(raw(address, basic, body).unwrap_err().kind, FaultKind::Auth, "{address}");
    }
    assert_eq!(raw(plain, Some(SECRET), body).unwrap().len(), 1);
    assert_eq!(raw("https://hooks.example/ac?key=hook%3As3cret", None, body).unwrap().len(), 1);
}

#[test]
fn what_is_no_event_is_passed_over_or_malformed() {
    let told = |body: &str| raw("https://h.example/?key=hook:s3cret", None, body.as_bytes());
    assert!(told("type=open&contact[id]=7").unwrap().is_empty(), "nothing that a record shows");
    assert!(told("type=deal_note_add&date_time=2026-03-02T04:00:00-06:00&deal[id]=1").unwrap().is_empty());
    for body in
        ["", "type=update", "type=update&contact[id]=x%", "type=update&contact[id]=7", "%ff=&type=deal_add&deal[id]=1"]
    {
        assert_eq!(told(body).unwrap_err().kind, FaultKind::Malformed, "{body}");
    }
    assert_eq!(raw("https://h.example/?key=hook:s3cret", None, &[0xff, 0xfe]).unwrap_err().kind, FaultKind::Malformed);
    let first = told("type=update&date_time=2026-03-02T04:00:00-06:00&contact[id]=7&contact[phone]=1").unwrap();
    let again = told("type=update&date_time=2026-03-02T04:00:00-06:00&contact[id]=7&contact[phone]=1").unwrap();
    let other = told("type=update&date_time=2026-03-02T04:00:00-06:00&contact[id]=7&contact[phone]=2").unwrap();
    assert!(first[0].id == again[0].id && first[0].id != other[0].id);
}

//! Checklist 14: webhook deliveries and their signatures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handover_sandbox::Event;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::Client;

const URL: &str = "https://hooks.example/hubspot?x=1";

fn portal(settings: Json, subscriptions: Json) -> Client {
    Client::over(json!({"platform": "hubspot", "settings": settings, "account": {"portalId": 33},
        "webhooks": [{"appId": 5, "targetUrl": URL, "clientSecret": "s3", "subscriptions": subscriptions}]}))
}

fn header<'a>(event: &'a Event, name: &str) -> &'a str {
    event.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap()
}

#[test]
fn changes_are_delivered_signed() {
    let mut client = portal(
        json!({}),
        json!([{"id": 1, "eventType": "contact.creation"}, {"id": 2, "eventType": "contact.propertyChange", "propertyName": "city"},
            {"id": 3, "eventType": "contact.deletion"}, {"id": 4, "eventType": "contact.deletion", "active": false}]),
    );
    let id = client.create("contacts", json!({"email": "a@b.co"}));
    client.patch(&format!("/crm/v3/objects/contacts/{id}"), json!({"properties": {"city": "Ulm", "phone": "1"}}));
    client.delete(&format!("/crm/v3/objects/contacts/{id}"));
    let kinds: Vec<&Json> =
        client.events.iter().flat_map(|e| e.body.as_array().unwrap()).map(|e| &e["subscriptionType"]).collect();
    assert_eq!(kinds, ["contact.creation", "contact.propertyChange", "contact.deletion"]);
    let event = &client.events[1];
    let one = &event.body[0];
    assert_eq!(
        (&one["objectId"], &one["propertyName"], &one["propertyValue"]),
        (&json!(id.parse::<u64>().unwrap()), &json!("city"), &json!("Ulm"))
    );
    assert_eq!((&one["portalId"], &one["appId"], &one["attemptNumber"]), (&json!(33), &json!(5), &json!(0)));
    assert_eq!((&one["occurredAt"], &one["changeSource"]), (&json!(super::START + 2_000), &json!("INTEGRATION")));
    let text = event.body.to_string();
    let at = header(event, "x-hubspot-request-timestamp");
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3").unwrap();
    mac.update(format!("POST{URL}{text}{at}").as_bytes());
    assert_eq!(header(event, "x-hubspot-signature-v3"), STANDARD.encode(mac.finalize().into_bytes()));
    let v1: String = Sha256::digest(format!("s3{text}").as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        (header(event, "x-hubspot-signature"), header(event, "x-hubspot-signature-version")),
        (v1.as_str(), "v1")
    );
}

#[test]
fn some_escapes_of_the_address_are_decoded_before_it_is_signed() {
    let url = "https://hooks.example/a%2Fb?x=%3a%20%7E%40";
    let mut client = Client::over(json!({"platform": "hubspot", "webhooks": [{"appId": 5, "targetUrl": url,
        "clientSecret": "s3", "subscriptions": [{"id": 1, "eventType": "contact.creation"}]}]}));
    client.create("contacts", json!({"email": "a@b.co"}));
    let event = &client.events[0];
    let (text, at) = (event.body.to_string(), header(event, "x-hubspot-request-timestamp"));
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3").unwrap();
    mac.update(format!("POSThttps://hooks.example/a/b?x=:%20%7E@{text}{at}").as_bytes());
    assert_eq!(header(event, "x-hubspot-signature-v3"), STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(event.url, url);
}

#[test]
fn arrays_hold_up_to_a_hundred_and_may_repeat_out_of_order() {
    let subscriptions = json!([{"id": 1, "eventType": "contact.creation"},
        {"id": 2, "eventType": "contact.propertyChange", "propertyName": "email"}]);
    let mut client = portal(json!({"webhook_repeats": 1, "webhook_shuffle": true}), subscriptions);
    let inputs: Vec<Json> = (0..60).map(|n| json!({"properties": {"email": format!("c{n}@b.co")}})).collect();
    client.post("/crm/v3/objects/contacts/batch/create", json!({"inputs": inputs}));
    let sizes: Vec<usize> = client.events.iter().map(|e| e.body.as_array().unwrap().len()).collect();
    assert_eq!(sizes, [100, 100, 20, 20]);
    assert_eq!(
        (&client.events[0].body[0]["attemptNumber"], &client.events[1].body[0]["attemptNumber"]),
        (&json!(0), &json!(1))
    );
    let ids: Vec<u64> =
        client.events[0].body.as_array().unwrap().iter().map(|e| e["objectId"].as_u64().unwrap()).collect();
    assert!(!ids.is_sorted(), "out of order");
}

#[test]
fn a_failed_delivery_is_tried_again_with_its_number() {
    let mut client = portal(json!({}), json!([{"id": 1, "eventType": "contact.creation"}]));
    client.create("contacts", json!({"email": "a@b.co"}));
    let event = client.events[0].clone();
    let now = Timestamp::from_millisecond(client.now).unwrap();
    let platform = client.sandbox.platform_mut();
    assert_eq!(platform.delivered(&event, 1, Some(204), now), None);
    let retry = platform.delivered(&event, 1, Some(500), now).unwrap();
    assert_eq!((retry.after_ms, &retry.event.body[0]["attemptNumber"]), (30_000, &json!(1)));
    assert_ne!(header(&retry.event, "x-hubspot-signature-v3"), header(&event, "x-hubspot-signature-v3"));
    assert_eq!(platform.delivered(&event, 2, None, now).unwrap().event.body[0]["attemptNumber"], 2);
    assert!(platform.delivered(&event, 11, None, now).is_none(), "ten retries");
}

#[test]
fn merges_and_associations_are_told() {
    let mut client = portal(
        json!({}),
        json!([{"id": 1, "eventType": "contact.merge"},
        {"id": 2, "eventType": "contact.associationChange"}, {"id": 3, "eventType": "object.creation", "objectTypeId": "0-46"}]),
    );
    let a = client.create("contacts", json!({"email": "a@b.co"}));
    let b = client.create("contacts", json!({"email": "b@b.co"}));
    let company = client.create("companies", json!({"name": "C"}));
    client.put(&format!("/crm/v4/objects/contacts/{a}/associations/default/companies/{company}"), json!({}));
    client.post("/crm/v3/objects/contacts/merge", json!({"primaryObjectId": a, "objectIdToMerge": b}));
    client.create("notes", json!({"hs_timestamp": "2020-01-01T00:00:00Z"}));
    let events: Vec<&Json> = client.events.iter().map(|e| &e.body[0]).collect();
    assert_eq!(events[0]["associationType"], "CONTACT_TO_COMPANY");
    assert_eq!(
        (&events[0]["toObjectId"], &events[0]["associationRemoved"]),
        (&json!(company.parse::<u64>().unwrap()), &json!(false))
    );
    assert_eq!(events[1]["mergedObjectIds"], json!([b.parse::<u64>().unwrap()]));
    assert!(events[1]["newObjectId"].is_u64());
    assert_eq!(events[2]["objectTypeId"], "0-46");
}

#[test]
fn subscriptions_over_the_api() {
    let mut client = Client::new();
    let base = "/webhooks/v3/77/subscriptions";
    let (status, made) = client.post(base, json!({"eventType": "contact.creation", "active": true}));
    assert_eq!(status, 201, "{made}");
    let path = format!("{base}/{}", made["id"].as_str().unwrap());
    assert_eq!(client.put("/webhooks/v3/77/settings", json!({"targetUrl": URL})).0, 200);
    client.create("contacts", json!({"email": "a@b.co"}));
    assert_eq!(client.events.len(), 1);
    assert_eq!(client.patch(&path, json!({"active": false})).1["active"], false);
    client.create("contacts", json!({"email": "b@b.co"}));
    assert_eq!(client.events.len(), 1);
    assert_eq!(client.delete(&path).0, 204);
    assert_eq!(client.get(base).1["results"], json!([]));
}

//! Webhook deliveries, as the sandbox sends them and as nobody should.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handover_connect::{Delivery, Dialect as _, Event, Fault, FaultKind, Happened};
use handover_platforms::hubspot::HubSpot;
use handover_sandbox::hubspot::Hubspot;
use handover_sandbox::{Event as Sent, Request, Sandbox};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

/// With escapes that are decoded before signing, one that is not, and one that is none.
const URL: &str = "https://hooks.example/in%2Fhubspot?to=a%3ab%20c%&x=%2C";
const SECRET: &str = "s3cret";

fn start() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

/// A portal that tells everything that there is to tell.
struct Portal {
    sandbox: Sandbox,
    sent: Vec<Sent>,
}

impl Portal {
    fn of(settings: Json) -> Self {
        let kinds = ["creation", "deletion", "merge", "associationChange", "privacyDeletion"];
        let named = ["contact", "company", "deal"];
        let mut subscriptions: Vec<Json> = named
            .iter()
            .flat_map(|object| kinds.iter().map(move |kind| json!({"eventType": format!("{object}.{kind}")})))
            .chain([
                json!({"eventType": "contact.propertyChange", "propertyName": "city"}),
                json!({"eventType": "object.creation", "objectTypeId": "0-46"}),
                json!({"eventType": "object.associationChange", "objectTypeId": "0-46"}),
                json!({"eventType": "object.creation", "objectTypeId": "0-18"}),
            ])
            .collect();
        for (n, subscription) in subscriptions.iter_mut().enumerate() {
            subscription["id"] = json!(n + 1);
        }
        let world = json!({"platform": "hubspot", "settings": settings, "account": {"portalId": 33},
            "tokens": [{"token": "pat-test", "scopes": "all", "app": 1}],
            "webhooks": [{"appId": 5, "targetUrl": URL, "clientSecret": SECRET, "subscriptions": subscriptions}]});
        Self { sandbox: Sandbox::new(Box::new(Hubspot::from_world(world, 7).unwrap())), sent: Vec::new() }
    }

    /// Sends a request; gives the id of what came back and keeps what was delivered.
    fn send(&mut self, method: &str, path: &str, body: &Json) -> String {
        let request = Request::new(method, path).with_header("authorization", "Bearer pat-test").with_json(body);
        let handled = self.sandbox.handle(&request, start());
        self.sent.extend(handled.events);
        let handover_sandbox::Delivery::Whole(reply) = handled.delivery else { panic!("no reply") };
        assert!(reply.status < 300, "{}", String::from_utf8_lossy(&reply.body));
        let body: Json = serde_json::from_slice(&reply.body).unwrap_or_default();
        body["id"].as_str().unwrap_or_default().to_owned()
    }

    fn make(&mut self, object: &str, properties: Json) -> String {
        self.send("POST", &format!("/crm/v3/objects/{object}"), &json!({"properties": properties}))
    }

    /// What was delivered since the last call, read by the dialect.
    fn told(&mut self) -> Vec<Event> {
        let sent = std::mem::take(&mut self.sent);
        sent.iter().flat_map(|sent| told(&sent.headers, &sent.body, 1).unwrap()).collect()
    }
}

/// What the dialect makes of a delivery that arrives so many seconds later.
fn told(headers: &[(String, String)], body: &Json, seconds: i64) -> Result<Vec<Event>, Fault> {
    raw(headers, body.to_string().as_bytes(), URL, SECRET, seconds)
}

fn raw(
    headers: &[(String, String)],
    body: &[u8],
    address: &str,
    secret: &str,
    seconds: i64,
) -> Result<Vec<Event>, Fault> {
    let at = start().checked_add(SignedDuration::from_secs(seconds)).unwrap();
    HubSpot::new().events(&Delivery { method: "POST", address, headers, body, secret, at })
}

fn refused(result: Result<Vec<Event>, Fault>, kind: FaultKind) -> Fault {
    let fault = result.unwrap_err();
    assert_eq!(fault.kind, kind, "{fault}");
    assert!(!fault.to_string().contains(SECRET));
    fault
}

/// Object, record and what happened.
fn short(events: &[Event]) -> Vec<(String, String, Happened)> {
    events.iter().map(|event| (event.object.to_string(), event.record.to_string(), event.what.clone())).collect()
}

fn header(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Headers of the third signature.
fn third(body: &[u8], address: &str, seconds: i64) -> Vec<(String, String)> {
    let sent = (start().as_millisecond() + seconds * 1_000).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("POST{address}").as_bytes());
    mac.update(body);
    mac.update(sent.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    vec![header("x-hubspot-signature-v3", signature), header("x-hubspot-request-timestamp", sent)]
}

/// Headers of the first or second signature.
fn older(version: &str, body: &[u8]) -> Vec<(String, String)> {
    let over = if version == "v2" { format!("{SECRET}POST{URL}") } else { SECRET.to_owned() };
    let signature = hex(&Sha256::digest([over.as_bytes(), body].concat()));
    vec![header("x-hubspot-signature", signature), header("x-hubspot-signature-version", version)]
}

#[test]
fn what_happens_to_records_is_told() {
    let mut portal = Portal::of(json!({}));
    let id = portal.make("contacts", json!({"email": "a@b.co"}));
    assert_eq!(short(&portal.told()), [("contacts".into(), id.clone(), Happened::Created)]);
    portal.send("PATCH", &format!("/crm/v3/objects/contacts/{id}"), &json!({"properties": {"city": "Ulm"}}));
    let events = portal.told();
    assert_eq!(short(&events), [("contacts".into(), id.clone(), Happened::Changed)]);
    assert_eq!((events[0].account.as_str(), events[0].at), ("33", start()));
    assert!(!events[0].id.contains("Ulm"), "no value");
    let note = portal.make("notes", json!({"hs_timestamp": "2020-01-01T00:00:00Z"}));
    assert_eq!(short(&portal.told()), [("notes".into(), note.clone(), Happened::Created)]);
    portal.send("PUT", &format!("/crm/v4/objects/notes/{note}/associations/default/contacts/{id}"), &json!({}));
    let both = [("notes".into(), note, Happened::Changed), ("contacts".into(), id.clone(), Happened::Changed)];
    assert_eq!(short(&portal.told()), both);
    portal.send("DELETE", &format!("/crm/v3/objects/contacts/{id}"), &json!({}));
    assert_eq!(short(&portal.told()), [("contacts".into(), id, Happened::Deleted)]);
    // Objects that this dialect does not know are passed over.
    let message = json!({"hs_timestamp": "2020-01-01T00:00:00Z", "hs_communication_channel_type": "SMS"});
    portal.make("communications", message);
    assert_eq!(portal.sent.len(), 1);
    assert_eq!(portal.told(), []);
}

/// What it asks to be registered is what it can read.
#[test]
fn what_is_to_be_registered() {
    let fields: Vec<_> = ["lastname", "associations.companies"].map(Into::into).into();
    let of = |object: &str| HubSpot::new().subscriptions(&object.into(), &fields);
    let verbs = ["creation", "deletion", "restore", "merge", "associationChange", "propertyChange of lastname"];
    assert_eq!(of("contacts"), verbs.map(|verb| format!("contact.{verb}")));
    assert_eq!(of("companies")[0], "company.creation");
    assert_eq!(of("notes")[..2], ["creation", "deletion"].map(|verb| format!("object.{verb} with objectTypeId 0-46")));
    assert_eq!(of("files"), Vec::<String>::new());
    assert_eq!(of("nothing"), Vec::<String>::new());
}

#[test]
fn merges_name_the_record_that_lives_on() {
    for keeps in [false, true] {
        let mut portal = Portal::of(json!({"preserve_primary_on_merge": keeps}));
        let (a, b) = (portal.make("companies", json!({"name": "A"})), portal.make("companies", json!({"name": "B"})));
        portal.told();
        let body = json!({"primaryObjectId": a, "objectIdToMerge": b});
        let survivor = portal.send("POST", "/crm/v3/objects/companies/merge", &body);
        let into = Happened::MergedInto(survivor.as_str().into());
        let mut expected = vec![("companies".to_owned(), b, into.clone())];
        if keeps {
            assert_eq!(survivor, a);
        } else {
            expected.push(("companies".to_owned(), a, into));
        }
        let events = portal.told();
        assert_eq!(short(&events), expected);
        assert!(events.iter().all(|event| events.iter().filter(|other| other.id == event.id).count() == 1));
    }
}

#[test]
fn what_is_delivered_again_is_the_same_event() {
    let mut portal = Portal::of(json!({"webhook_repeats": 2, "webhook_shuffle": true}));
    let inputs: Vec<Json> =
        (0..60).map(|n| json!({"properties": {"email": format!("c{n}@b.co"), "city": "Ulm"}})).collect();
    portal.send("POST", "/crm/v3/objects/contacts/batch/create", &json!({"inputs": inputs}));
    let ids: Vec<String> = portal.told().into_iter().map(|event| event.id).collect();
    let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (360, 120));
    // Two values of one property at one time are two events, and so are two links.
    let change = |value: &str| {
        json!({"subscriptionId": 1, "portalId": 33, "occurredAt": 5, "subscriptionType": "contact.propertyChange",
            "objectId": 7, "propertyName": "city", "propertyValue": value, "eventId": 1, "attemptNumber": 0})
    };
    let link = |to: u64, removed: bool| {
        json!({"subscriptionId": 2, "portalId": 33, "occurredAt": 5, "subscriptionType": "deal.associationChange",
            "associationType": "DEAL_TO_COMPANY", "fromObjectId": 7, "toObjectId": to, "associationRemoved": removed})
    };
    let body = json!([change("Ulm"), change("Bonn"), link(8, false), link(9, false), link(8, true)]);
    let events = told(&third(body.to_string().as_bytes(), &clear(), 0), &body, 0).unwrap();
    let distinct: std::collections::BTreeSet<&String> = events.iter().map(|event| &event.id).collect();
    assert_eq!((events.len(), distinct.len()), (8, 8));
}

/// The address as it is signed.
fn clear() -> String {
    "https://hooks.example/in/hubspot?to=a:b%20c%&x=,".to_owned()
}

#[test]
fn restored_and_erased_and_unknown_kinds() {
    let event = |kind: &str, name: &str| json!({name: kind, "objectId": 7, "portalId": 33, "subscriptionId": 1, "occurredAt": 1_462_216_307_945_u64});
    let body = json!([
        event("deal.restore", "subscriptionType"),
        event("contact.privacyDeletion", "eventType"),
        event("contact.somethingNew", "subscriptionType"),
        event("conversation.newMessage", "subscriptionType"),
        event("nothing", "subscriptionType"),
        event("object.creation", "subscriptionType"),
    ]);
    let events = told(&third(body.to_string().as_bytes(), &clear(), 0), &body, 0).unwrap();
    let expected =
        [("deals".into(), "7".into(), Happened::Restored), ("contacts".into(), "7".into(), Happened::Deleted)];
    assert_eq!(short(&events), expected);
    assert_eq!(events[0].at, "2016-05-02T19:11:47.945Z".parse().unwrap());
}

#[test]
fn only_what_is_signed_and_fresh_is_read() {
    let body = json!([]);
    let text = body.to_string();
    let bytes = text.as_bytes();
    let good = third(bytes, &clear(), 0);
    assert_eq!(told(&good, &body, 300), Ok(Vec::new()), "five minutes are allowed");
    refused(told(&good, &body, 301), FaultKind::Auth);
    refused(told(&third(bytes, URL, 0), &body, 0), FaultKind::Auth);
    refused(raw(&good, b"[ ]", URL, SECRET, 0), FaultKind::Auth);
    refused(raw(&good, bytes, &format!("{URL}&more=1"), SECRET, 0), FaultKind::Auth);
    refused(raw(&good, bytes, URL, "another", 0), FaultKind::Auth);
    refused(raw(&good[..1], bytes, URL, SECRET, 0), FaultKind::Auth);
    refused(raw(&[], bytes, URL, SECRET, 0), FaultKind::Auth);
    let method = Delivery { method: "PUT", address: URL, headers: &good, body: bytes, secret: SECRET, at: start() };
    refused(HubSpot::new().events(&method), FaultKind::Auth);
    // The older ones count where the third is absent, and nowhere else.
    for version in ["v1", "v2"] {
        assert_eq!(told(&older(version, bytes), &body, 99_999), Ok(Vec::new()), "{version}");
        refused(raw(&older(version, bytes), b"[1]", URL, SECRET, 0), FaultKind::Auth);
        let mut mixed = older(version, bytes);
        mixed.push(header("x-hubspot-signature-v3", "AAAA"));
        mixed.push(good[1].clone());
        refused(told(&mixed, &body, 0), FaultKind::Auth);
    }
    assert_eq!(told(&older("v1", bytes)[..1], &body, 0), Ok(Vec::new()));
    refused(told(&older("v9", bytes), &body, 0), FaultKind::Auth);
    // Anybody could sign with no secret at all.
    let unsigned = vec![header("x-hubspot-signature", hex(&Sha256::digest(bytes)))];
    refused(raw(&unsigned, bytes, URL, "", 0), FaultKind::Auth);
}

/// Signatures that the vendor's client (`@hubspot/api-client` 13.5.0, its own tests included) takes for valid.
#[test]
fn signatures_are_the_vendors() {
    let secret = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
    let address = "https://www.example.com/webhook_uri";
    let body = r#"[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]"#;
    let signed = |signature: &str, version: &str| {
        vec![header("x-hubspot-signature", signature), header("x-hubspot-signature-version", version)]
    };
    let first = signed("232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de", "v1");
    let events = raw(&first, body.as_bytes(), address, secret, 0).unwrap();
    assert_eq!(short(&events), [("contacts".into(), "123".into(), Happened::Created)]);
    // Signed as it should be, though no list of events.
    let second = signed("9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900", "v2");
    refused(raw(&second, br#"{"example_field":"example_value"}"#, address, secret, 0), FaultKind::Malformed);
    let third = [
        header("x-hubspot-signature-v3", "F1OlXp12a/BNZJkt1pmEsRYfZB39RQWXdBCTrVjyKRI="),
        header("x-hubspot-request-timestamp", "1772438400000"),
    ];
    assert_eq!(raw(&third, b"[]", &format!("{address}?a=b"), secret, 0), Ok(Vec::new()));
}

#[test]
fn bodies_that_are_not_theirs_are_malformed() {
    let event = json!({"subscriptionType": "contact.creation", "objectId": 7, "portalId": 33, "occurredAt": 5});
    for missing in ["subscriptionType", "objectId", "portalId", "occurredAt"] {
        let mut event = event.clone();
        event.as_object_mut().unwrap().remove(missing);
        let body = json!([event]);
        refused(told(&third(body.to_string().as_bytes(), &clear(), 0), &body, 0), FaultKind::Malformed);
    }
    for text in ["", "{}", "7", "[7]", "[[]]", "\"kept private\"", "[{\"kept private\": }]", "\u{feff}[]"] {
        let headers = third(text.as_bytes(), &clear(), 0);
        let fault = refused(raw(&headers, text.as_bytes(), URL, SECRET, 0), FaultKind::Malformed);
        assert!(!fault.to_string().contains("private"), "{fault}");
    }
}

/// JSON that looks like events in part.
fn events_like() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[a-zA-Z._0-9-]{0,12}".prop_map(Json::from),
        Just(json!("contact.merge")),
        Just(json!("deal.associationChange")),
        Just(json!("object.creation")),
        Just(json!("_TO_")),
    ];
    let names = prop_oneof![
        Just("subscriptionType".to_owned()),
        Just("objectId".to_owned()),
        Just("occurredAt".to_owned()),
        Just("portalId".to_owned()),
        Just("mergedObjectIds".to_owned()),
        Just("primaryObjectId".to_owned()),
        Just("associationType".to_owned()),
        Just("objectTypeId".to_owned()),
        "[a-z]{1,4}",
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            proptest::collection::btree_map(names.clone(), inner, 0..9)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_are_too_much(body: Vec<u8>, address: String, secret: String, seconds in -9_999_999_i64..9_999_999,
        values in proptest::collection::vec(any::<String>(), 4)) {
        let names = ["x-hubspot-signature-v3", "x-hubspot-request-timestamp", "x-hubspot-signature", "x-hubspot-signature-version"];
        let headers: Vec<_> = names.into_iter().zip(values).map(|(name, value)| header(name, value)).collect();
        for headers in [&headers[..], &headers[1..], &headers[2..3], &[]] {
            refused(raw(headers, &body, &address, &secret, seconds), FaultKind::Auth);
        }
    }

    #[test]
    fn signed_bytes_are_read_or_malformed(body: Vec<u8>) {
        if let Err(fault) = raw(&older("v1", &body), &body, URL, SECRET, 0) {
            assert_eq!(fault.kind, FaultKind::Malformed);
        }
    }

    #[test]
    fn signed_json_is_read_or_malformed(body in events_like()) {
        if let Err(fault) = told(&third(body.to_string().as_bytes(), &clear(), 0), &body, 0) {
            assert_eq!(fault.kind, FaultKind::Malformed);
        }
    }

    #[test]
    fn no_changed_bit_passes(at in 0_usize..200, bit in 0_u8..8) {
        let body = json!([{"subscriptionType": "contact.creation", "objectId": 7, "portalId": 33, "occurredAt": 5}]);
        let good = body.to_string().into_bytes();
        let headers = third(&good, &clear(), 0);
        let mut changed = good.clone();
        let at = at % changed.len();
        changed[at] ^= 1 << bit;
        refused(raw(&headers, &changed, URL, SECRET, 0), FaultKind::Auth);
    }
}

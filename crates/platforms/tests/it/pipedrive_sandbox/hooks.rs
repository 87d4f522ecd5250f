//! Webhook deliveries, as the sandbox sends them and as nobody should.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handover_connect::{Delivery, Dialect as _, Event, Fault, Happened};
use handover_sandbox::faults::{DisturbAction, Disturbance, Which as Place};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::*;

const SECRET: &str = "hook:s3cret:with colon";

/// An account with webhooks for everything, and what it delivered.
struct Account {
    sandbox: Sandbox,
    now: jiff::Timestamp,
}

impl Account {
    fn new() -> Self {
        let platform = handover_sandbox::pipedrive::Pipedrive::from_world(world(), SEED).unwrap();
        let mut account =
            Self { sandbox: Sandbox::new(Box::new(platform)), now: "2024-01-10T12:00:00Z".parse().unwrap() };
        let (user, password) = SECRET.split_once(':').unwrap();
        account.send(
            "POST",
            "/v1/webhooks",
            &json!({"subscription_url": "https://hooks.example/p", "event_action": "*",
            "event_object": "*", "name": "h", "http_auth_user": user, "http_auth_password": password}),
        );
        account
    }

    /// Sends a request; gives what was delivered, read by the dialect.
    fn send(&mut self, method: &str, path: &str, body: &Json) -> Vec<Event> {
        let request = handover_sandbox::Request::new(method, path).with_header("x-api-token", "api").with_json(body);
        let handled = self.sandbox.handle(&request, self.now);
        let handover_sandbox::Delivery::Whole(reply) = handled.delivery else { panic!("no reply") };
        assert!(reply.status < 300, "{}", String::from_utf8_lossy(&reply.body));
        handled.events.iter().flat_map(|sent| told(&sent.headers, &sent.body).unwrap()).collect()
    }
}

fn told(headers: &[(String, String)], body: &Json) -> Result<Vec<Event>, Fault> {
    raw(headers, body.to_string().as_bytes(), SECRET)
}

fn raw(headers: &[(String, String)], body: &[u8], secret: &str) -> Result<Vec<Event>, Fault> {
    let at = "2024-01-10T12:00:01Z".parse().unwrap();
    Pipedrive::new().events(&Delivery { method: "POST", address: "https://hooks.example/p", headers, body, secret, at })
}

fn basic(pair: &str) -> Vec<(String, String)> {
    vec![("authorization".to_owned(), format!("Basic {}", STANDARD.encode(pair)))]
}

fn short(events: &[Event]) -> Vec<(&str, &str, &Happened)> {
    events.iter().map(|event| (event.object.as_str(), event.record.as_str(), &event.what)).collect()
}

fn refused(result: Result<Vec<Event>, Fault>, kind: FaultKind) {
    let fault = result.unwrap_err();
    assert_eq!(fault.kind, kind, "{fault}");
    assert!(!fault.to_string().contains("s3cret"));
}

/// What it asks to be registered is what it can read.
#[test]
fn what_is_to_be_registered() {
    let of = |object: &str| Pipedrive::new().subscriptions(&object.into(), &[]);
    assert_eq!(of("persons"), ["event_object=person event_action=*"]);
    assert_eq!(of("activities"), ["event_object=activity event_action=*"]);
    // Files have no events.
    assert_eq!(of("files"), Vec::<String>::new());
    assert_eq!(of("nothing"), Vec::<String>::new());
}

#[test]
fn what_happens_to_records_is_told() {
    let mut account = Account::new();
    let made = account.send("POST", "/api/v2/persons", &json!({"name": "New"}));
    assert_eq!(short(&made), [("persons", "4", &Happened::Created)]);
    assert_eq!((made[0].at, made[0].account.is_empty(), made[0].id.len()), (account.now, false, 36));
    let changed = account.send("PATCH", "/api/v2/persons/4", &json!({"name": "Newer"}));
    assert_eq!(short(&changed), [("persons", "4", &Happened::Changed)]);
    assert_ne!(changed[0].id, made[0].id);
    let gone = account.send("DELETE", "/api/v2/persons/4", &json!({}));
    assert_eq!(short(&gone), [("persons", "4", &Happened::Deleted)]);
    let lead = account.send("POST", "/v1/leads", &json!({"title": "L", "person_id": 1}));
    assert!(lead[0].object == *"leads" && lead[0].record.as_str().len() == 36, "{lead:?}");
    let note = account.send("POST", "/v1/notes", &json!({"content": "N", "deal_id": 1}));
    assert!(note.iter().any(|event| event.object == *"notes" && event.what == Happened::Created), "{note:?}");
    // What is no record of ours is passed over.
    assert_eq!(account.send("POST", "/api/v2/pipelines", &json!({"name": "P"})), []);
    let action = DisturbAction::Change { field: "name".into(), value: json!("By a person") };
    let disturbance = Disturbance { object: "person".into(), which: Place::Id("1".into()), action };
    let by_person = account.sandbox.disturb(&disturbance, account.now);
    assert_eq!(
        short(&told(&by_person[0].headers, &by_person[0].body).unwrap()),
        [("persons", "1", &Happened::Changed)]
    );
    // The second attempt is the same event.
    let retry = account.sandbox.platform_mut().delivered(&by_person[0], 1, Some(500), account.now).unwrap().event;
    assert_ne!(retry.body, by_person[0].body);
    assert_eq!(told(&retry.headers, &retry.body), told(&by_person[0].headers, &by_person[0].body));
}

#[test]
fn a_merge_names_the_record_that_lives_on() {
    let mut account = Account::new();
    let merged = account.send("PUT", "/v1/persons/3/merge", &json!({"merge_with_id": 2}));
    let into = Happened::MergedInto("2".into());
    assert_eq!(short(&merged)[..2], [("persons", "3", &into), ("persons", "2", &Happened::Changed)]);
}

/// A delivery of webhooks v1.
fn first(action: &str, object: &str, current: &Json) -> Json {
    json!({"v": 1, "event": format!("{action}.{object}"), "retry": 0, "previous": null, "current": current,
        "meta": {"v": 1, "action": action, "object": object, "id": 7, "company_id": 5, "timestamp": 1_523_440_213}})
}

#[test]
fn the_first_version_is_read_too() {
    let of = |body: &Json| told(&basic(SECRET), body).unwrap();
    let added = of(&first("added", "deal", &json!({"title": "kept private"})));
    assert_eq!(short(&added), [("deals", "7", &Happened::Created)]);
    assert_eq!((added[0].account.as_str(), added[0].at.as_second()), ("5", 1_523_440_213));
    assert!(!added[0].id.contains("private"));
    for (action, what) in
        [("updated", Happened::Changed), ("merged", Happened::Changed), ("deleted", Happened::Deleted)]
    {
        assert_eq!(short(&of(&first(action, "activity", &Json::Null))), [("activities", "7", &what)]);
    }
    for body in [
        first("added", "stage", &Json::Null),
        first("danced", "deal", &Json::Null),
        first("added", "file", &Json::Null),
    ] {
        assert_eq!(of(&body), []);
    }
    // Two changes within a second are two events, a repeated delivery is one.
    let (one, two) = (first("updated", "deal", &json!({"value": 1})), first("updated", "deal", &json!({"value": 2})));
    assert_ne!(of(&one)[0].id, of(&two)[0].id);
    let mut again = one.clone();
    again["retry"] = json!(1);
    assert_eq!(of(&one), of(&again));
}

#[test]
fn only_who_knows_the_password_is_heard() {
    let body = first("added", "deal", &Json::Null);
    assert!(told(&basic(SECRET), &body).is_ok());
    let mut lower = basic(SECRET);
    lower[0].1 = lower[0].1.replacen("Basic", "basic", 1);
    assert!(told(&lower, &body).is_ok());
    for wrong in ["", ":", "hook:", "hook:s3cret", "hook:s3cret:with colon ", "other:s3cret:with colon"] {
        refused(told(&basic(wrong), &body), FaultKind::Auth);
    }
    let bearer = vec![("authorization".to_owned(), format!("Bearer {}", STANDARD.encode(SECRET)))];
    let plain = vec![("authorization".to_owned(), format!("Basic {SECRET}"))];
    for headers in [bearer, plain, Vec::new(), vec![("authorization".to_owned(), "Basic".to_owned())]] {
        refused(told(&headers, &body), FaultKind::Auth);
    }
    for nothing in ["", ":"] {
        refused(raw(&basic(nothing), body.to_string().as_bytes(), nothing), FaultKind::Auth);
        refused(raw(&[], body.to_string().as_bytes(), nothing), FaultKind::Auth);
    }
}

#[test]
fn bodies_that_are_not_theirs_are_malformed() {
    for text in ["", "[]", "7", "{}", "{\"meta\": 7}", "{\"meta\": {}}", "{\"kept private\": }"] {
        refused(raw(&basic(SECRET), text.as_bytes(), SECRET), FaultKind::Malformed);
    }
    let second = json!({"action": "delete", "entity": "deal", "entity_id": "8", "id": "u", "company_id": "5",
        "timestamp": "2022-11-24T15:28:13.375Z"});
    assert_eq!(told(&basic(SECRET), &json!({"meta": second})).unwrap().len(), 1);
    for missing in ["action", "entity", "entity_id", "id", "company_id", "timestamp"] {
        let mut meta = second.clone();
        meta.as_object_mut().unwrap().remove(missing);
        refused(told(&basic(SECRET), &json!({"meta": meta})), FaultKind::Malformed);
    }
}

/// JSON that looks like a delivery in part.
fn like_theirs() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[a-zA-Z._0-9-]{0,12}".prop_map(Json::from),
        Just(json!("delete")),
        Just(json!("updated")),
        Just(json!("deal")),
        Just(json!("2022-11-24T15:28:13.375Z")),
    ];
    let names = prop_oneof![
        Just("meta"),
        Just("action"),
        Just("entity"),
        Just("object"),
        Just("id"),
        Just("entity_id"),
        Just("timestamp"),
        Just("company_id"),
        Just("merged_to_id"),
        Just("current"),
    ];
    leaf.prop_recursive(3, 40, 9, move |inner| {
        proptest::collection::btree_map(names.clone(), inner, 0..9)
            .prop_map(|map| Json::Object(map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
    })
}

proptest! {
    #[test]
    fn no_bytes_are_too_much(body: Vec<u8>, secret: String, value: String) {
        let headers = vec![("authorization".to_owned(), value)];
        refused(raw(&headers, &body, &secret), FaultKind::Auth);
    }

    #[test]
    fn known_senders_are_read_or_malformed(body: Vec<u8>, json in like_theirs(), meta in like_theirs()) {
        for body in [body, json.to_string().into_bytes(), json!({"meta": meta, "current": json}).to_string().into_bytes()] {
            if let Err(fault) = raw(&basic(SECRET), &body, SECRET) {
                assert_eq!(fault.kind, FaultKind::Malformed);
            }
        }
    }
}

//! Webhook deliveries, as the vendor documents them and as nobody should send them.

use handover_connect::{Delivery, Dialect as _, Event, Happened};
use handover_platforms::dynamics::Dynamics;

use super::*;

const KEY: &str = "k&y of ours";
const ORGANIZATION: &str = "0000000b-0000-4000-8000-000000000001";

fn body(message: &str, table: &str, record: &str) -> Json {
    json!({"MessageName": message, "PrimaryEntityName": table, "PrimaryEntityId": record, "Stage": 40, "Mode": 1,
        "OperationCreatedOn": "/Date(1772445600000+0000)/", "OrganizationId": ORGANIZATION, "RequestId": id(900),
        "InputParameters": [{"key": "Target", "value": {"LogicalName": table, "Id": record, "Attributes": []}}]})
}

fn told(address: &str, headers: &[(String, String)], body: &[u8], secret: &str) -> Result<Vec<Event>, Fault> {
    let at = "2026-03-02T10:00:01Z".parse().unwrap();
    Dynamics::new().events(&Delivery { method: "POST", address, headers, body, secret, at })
}

fn read(body: &Json) -> Vec<Event> {
    told("https://h.example/hooks/old?code=k%26y+of+ours", &[], body.to_string().as_bytes(), KEY).unwrap()
}

fn short(events: &[Event]) -> Vec<(&str, &str, &Happened)> {
    events.iter().map(|event| (event.object.as_str(), event.record.as_str(), &event.what)).collect()
}

#[test]
fn what_is_to_be_registered() {
    let of = |object: &str| Dynamics::new().subscriptions(&object.into(), &[]);
    assert_eq!(of("account"), ["account: Create, Update, Delete, Merge (asynchronous, post-operation)"]);
    assert_eq!(of("annotation.document"), ["annotation: Create, Update, Delete (asynchronous, post-operation)"]);
    assert_eq!(of("new_ship"), ["new_ship: Create, Update, Delete (asynchronous, post-operation)"]);
}

#[test]
fn what_happens_to_records_is_told() {
    let record = id(7);
    for (message, what) in [
        ("Create", Happened::Created),
        ("Update", Happened::Changed),
        ("SetState", Happened::Changed),
        ("Merge", Happened::Changed),
        ("Delete", Happened::Deleted),
    ] {
        assert_eq!(short(&read(&body(message, "account", &record))), [("account", record.as_str(), &what)]);
    }
    let event = read(&body("Update", "new_ship", &record.to_uppercase())).remove(0);
    assert_eq!((event.record.as_str(), event.account.as_str()), (record.as_str(), ORGANIZATION));
    assert_eq!(event.at.to_string(), "2026-03-02T10:00:00Z");
    // The table holds notes and files.
    let both = read(&body("Create", "annotation", &record));
    assert_eq!(both.iter().map(|one| one.object.as_str()).collect::<Vec<_>>(), ["annotation", "annotation.document"]);
    assert_ne!(both[0].id, both[1].id);
    // Large ones come without their parameters; those of other messages are passed over.
    let mut large = body("Update", "account", &record);
    large.as_object_mut().unwrap().remove("InputParameters");
    assert_eq!(read(&large).len(), 1);
    assert_eq!(read(&body("GrantAccess", "account", &record)), []);
    let mut several = body("UpdateMultiple", "account", "00000000-0000-0000-0000-000000000000");
    several["InputParameters"] = json!([{"key": "Targets", "value": {"EntityName": "account",
        "Entities": [{"LogicalName": "account", "Id": id(1)}, {"LogicalName": "account", "Id": id(2)}]}}]);
    assert_eq!(read(&several).iter().map(|one| one.record.to_string()).collect::<Vec<_>>(), [id(1), id(2)]);
}

#[test]
fn only_who_knows_the_key_is_heard() {
    let text = body("Update", "account", &id(7)).to_string();
    let header = |value: &str| vec![("x-ours".to_owned(), value.to_owned())];
    let plain = "https://h.example/hooks/old";
    assert_eq!(told(plain, &header(KEY), text.as_bytes(), KEY).unwrap().len(), 1);
    for (address, headers, secret) in [
        (plain, header("another"), KEY),
        (plain, Vec::new(), KEY),
        ("https://h.example/hooks/old?code=k", Vec::new(), KEY),
        ("https://h.example/hooks/old?code=", header(""), ""),
    ] {
        let fault = told(address, &headers, text.as_bytes(), secret).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Auth, "{address}");
        assert!(!fault.to_string().contains("k&y"));
    }
    for broken in ["", "{", "{}", &text.replace("/Date(", "/Day("), &text.replace(&id(7), "7")] {
        assert_eq!(
            told(plain, &header(KEY), broken.as_bytes(), KEY).unwrap_err().kind,
            FaultKind::Malformed,
            "{broken}"
        );
    }
}

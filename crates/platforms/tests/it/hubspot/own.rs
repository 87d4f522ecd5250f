//! Objects that a portal made.

use handover_connect::{
    Connector as _, Credentials, Dialect as _, FaultKind, Link, LinkBatch, Operation, Step, WriteMode,
};
use handover_model::{Kind, ReadCost, Value};
use handover_platforms::hubspot::HubSpot;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::live::{Portal, applied, text};
use super::{batch, ids, list, play, reply};

const CARS: &str = "p77_car";
const TRIPS: &str = "p77_trip";

fn portal() -> Portal {
    let property = |name: &str, unique: bool| {
        json!({"name": name, "label": name, "type": "string", "fieldType": "text",
            "groupName": "custom_object_information", "hasUniqueValue": unique})
    };
    let world = json!({
        "platform": "hubspot",
        "account": {"portalId": 77},
        "tokens": [{"token": "pat-test", "scopes": "all", "app": 1}],
        "custom_objects": [
            {"objectTypeId": "2-7", "name": "car", "plural": "cars", "pluralLabel": "Our cars",
             "primaryDisplayProperty": "plate", "requiredProperties": ["plate"]},
            {"objectTypeId": "2-8", "name": "trip", "plural": "trips"},
        ],
        "properties": {"cars": [property("plate", false), property("src_key", true)], "trips": [property("to", false)]},
        "objects": {"contacts": [{"id": "5", "properties": {"lastname": "L"}}],
            "trips": [{"id": "9", "properties": {"to": "Ulm"}}]},
    });
    Portal::over(world, Credentials::Token(SecretString::from("pat-test")))
}

#[tokio::test]
async fn they_are_told_and_described() {
    let portal = portal();
    let told = portal.driver.custom_objects().await.unwrap();
    assert_eq!(told.iter().map(|name| name.as_str()).collect::<Vec<_>>(), [CARS, TRIPS]);
    let cars = portal.driver.describe(&CARS.into()).await.unwrap();
    assert_eq!((cars.label.as_str(), cars.name.as_ref().unwrap().as_str()), ("Our cars", "plate"));
    let required: Vec<&str> =
        cars.fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
    assert_eq!(required, ["plate"]);
    assert!(cars.field("src_key").unwrap().unique && !cars.field("plate").unwrap().custom);
    let mut links: Vec<(&str, &str)> = Vec::new();
    for field in &cars.fields {
        if let Kind::Reference { object, many: true } = &field.kind {
            assert!(matches!(field.read, ReadCost::Extra { opt_in: false, .. }), "{}", field.name);
            links.push((field.name.as_str(), object.as_str()));
        }
    }
    // Which of two cars is meant cannot be said, so they have no field for each other.
    let all = ["contacts", "companies", "deals", "tickets", TRIPS];
    assert_eq!(links.len(), all.len(), "{links:?}");
    assert!(all.iter().all(|to| links.contains(&(format!("associations.{to}").as_str(), to))), "{links:?}");
    let gone = portal.driver.describe(&"p77_ship".into()).await.unwrap_err();
    assert_eq!(gone.kind, FaultKind::Invalid, "{gone:?}");
}

#[tokio::test]
async fn they_are_written_linked_and_read() {
    let portal = portal();
    portal.driver.describe(&CARS.into()).await.unwrap();
    let row: &[(&str, Value)] = &[("plate", "UL-1".into()), ("src_key", "old:cars:1".into())];
    let upsert = batch(CARS, WriteMode::Upsert { key: "src_key".into() }, &[("t", None, row)]);
    let id = applied(&portal.write(&upsert).await, "t");
    assert_eq!(applied(&portal.write(&upsert).await, "t"), id, "again is the same record");
    let links = |to: &str, other: &str| LinkBatch {
        object: CARS.into(),
        field: format!("associations.{to}").as_str().into(),
        to_object: to.into(),
        links: [Link { from: id.clone(), to: other.into() }].into(),
    };
    for (to, other) in [("contacts", "5"), (TRIPS, "9")] {
        let outcomes = portal.driver.link(&links(to, other)).await.unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()), "{outcomes:?}");
    }
    let trips = format!("associations.{TRIPS}");
    let fields = ["plate", "associations.contacts", trips.as_str()];
    for since in [None, Some("2020-01-01T00:00:00Z".parse().unwrap())] {
        let read = portal.list(CARS, &["plate"], since).await;
        assert_eq!(read.iter().filter_map(|record| text(record, "plate")).collect::<Vec<_>>(), ["UL-1"], "{since:?}");
    }
    let one = |text: &str| Value::List(vec![text.into()]);
    let linked = |record: &handover_model::Record| {
        [&fields[1], &fields[2]].map(|field| record.fields.get(field).cloned().unwrap_or(Value::Null))
    };
    let wanted: std::sync::Arc<[handover_model::FieldName]> = super::names(&fields);
    let fetched = portal.driver.fetch(&CARS.into(), &wanted, std::slice::from_ref(&id)).await.unwrap();
    assert_eq!(linked(&fetched[0]), [one("5"), one("9")]);
    let enriched = portal.driver.enrich(&CARS.into(), &trips.as_str().into(), std::slice::from_ref(&id)).await.unwrap();
    assert_eq!(enriched[0].fields.get(trips.as_str()), Some(&one("9")));
    portal.driver.unlink(&links("contacts", "5")).await.unwrap();
    let fetched = portal.driver.fetch(&CARS.into(), &wanted, &[id]).await.unwrap();
    assert_eq!(linked(&fetched[0]), [Value::Null, one("9")]);
}

#[test]
fn what_is_not_certain_is_not_done() {
    let dialect = HubSpot::new();
    let merge = Operation::Merge { object: CARS.into(), survivor: "1".into(), other: "2".into() };
    assert!(dialect.encode(&merge, None).is_err());
    let delete = |object: &str| Operation::Delete { object: object.into(), ids: ids(&["1"]) };
    assert!(dialect.encode(&delete(CARS), None).is_ok());
    // A name stands in a path.
    for name in ["p77_", "p_car", "77_car", "p77_a/b", "p77_../deals", "p77_car?x", "2-7", "leads", "quotes"] {
        assert!(dialect.encode(&delete(name), None).is_err(), "{name}");
    }
    // The links of a list may stand there under any name: they are asked for by themselves.
    let operation = list(CARS, &["associations.contacts"]);
    let request = dialect.encode(&operation, None).unwrap();
    assert!(request.query.iter().all(|(name, _)| name != "associations"), "{:?}", request.query);
    let page: Json = json!({"results": [{"id": "1", "properties": {}}]});
    let (_, step) = play(&dialect, &operation, &[reply(200, &page)]);
    assert!(matches!(step.unwrap(), Step::Page { records, next: None } if records.len() == 1));
}

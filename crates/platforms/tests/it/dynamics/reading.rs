//! Pages, numbers, merged records, pairs.

use handover_connect::{Clock as _, Connector as _, FaultKind, Read, Which};
use handover_model::Value;
use handover_sandbox::faults::DisturbAction;
use serde_json::{Value as Json, json};

use super::{Stage, id, names, value};

fn accounts(count: u64) -> Json {
    let rows: Vec<Json> = (1..=count).map(|n| json!({"accountid": id(n), "name": format!("A{n}")})).collect();
    json!({"records": {"account": rows}})
}

#[tokio::test]
async fn more_than_five_thousand_are_counted_page_by_page() {
    let stage = Stage::of(accounts(7_001), &["account"]).await;
    stage.upset("account", &id(7), DisturbAction::Merge { into: id(8) });
    let before = stage.sent();
    assert_eq!(stage.driver.count(&"account".into()).await.unwrap(), Some(7_000));
    assert_eq!(stage.sent() - before, 3);
}

#[tokio::test]
async fn a_next_page_is_asked_for_where_everything_is() {
    let stage = Stage::of(accounts(5_003), &["account"]).await;
    let read = Read { object: "account".into(), fields: names(&["name"]), which: Which::Live, since: None };
    let first = stage.driver.page(&read, None).await.unwrap();
    let cursor = first.next.unwrap();
    assert!(!cursor.0.contains("sandbox.test"), "a link's host is not believed: {}", cursor.0);
    let second = stage.driver.page(&read, Some(&cursor)).await.unwrap();
    assert_eq!((first.records.len(), second.records.len(), second.next.is_none()), (5_000, 3, true));
}

#[tokio::test]
async fn who_was_merged_twice_is_found_in_the_end() {
    let stage = Stage::of(accounts(4), &["account"]).await;
    stage.upset("account", &id(1), DisturbAction::Merge { into: id(2) });
    stage.upset("account", &id(2), DisturbAction::Merge { into: id(3) });
    let ids = [id(1).as_str().into(), id(4).as_str().into()];
    let found = stage.driver.fetch(&"account".into(), &names(&["name"]), &ids).await.unwrap();
    let mut found: Vec<String> = found.iter().map(|record| record.id.to_string()).collect();
    found.sort();
    assert_eq!(found, [id(3), id(4)]);
    // Both are gone from the list, and stand in it for nobody.
    assert_eq!(stage.list("account", &["name"]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn deleted_records_are_not_listed_and_what_changed_is() {
    let stage = Stage::of(accounts(3), &["account"]).await;
    let at = stage.clock.now();
    stage.upset("account", &id(2), DisturbAction::Touch);
    let read = |which, since| Read { object: "account".into(), fields: names(&["name"]), which, since };
    let changed = stage.driver.page(&read(Which::Live, Some(at)), None).await.unwrap().records;
    assert_eq!(changed.iter().map(|record| record.id.to_string()).collect::<Vec<_>>(), [id(2)]);
    let fault = stage.driver.page(&read(Which::Deleted, None), None).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unsupported);
}

#[tokio::test]
async fn who_takes_part_in_an_activity_is_told_by_part_and_table() {
    let records = json!({"records": {
        "account": [{"accountid": id(1), "name": "A"}],
        "contact": [{"contactid": id(2), "lastname": "B"}, {"contactid": id(3), "lastname": "C"}],
    }});
    let stage = Stage::of(records, &["email"]).await;
    let party = |of: &str, id: &str, part: u8| {
        let mut party = json!({"participationtypemask": part});
        party[format!("partyid_{of}@odata.bind")] = json!(format!("/{of}s({id})"));
        party
    };
    let parties = [party("contact", &id(2), 1), party("contact", &id(3), 2), party("account", &id(1), 2)];
    let fields = json!({"activityid": id(9), "subject": "M", "email_activity_parties": parties});
    stage.upset("email", "", DisturbAction::Create { fields });
    for (field, who) in [
        ("from.contact", vec![id(2)]),
        ("to.contact", vec![id(3)]),
        ("to.account", vec![id(1)]),
        ("cc.contact", vec![]),
    ] {
        let read = stage.driver.enrich(&"email".into(), &field.into(), &[id(9).as_str().into()]).await.unwrap();
        let who = who.iter().map(|id| Value::from(id.as_str())).collect();
        assert_eq!(value(&read[0], field), &Value::List(who), "{field}");
    }
}

#[tokio::test]
async fn pairs_have_pages_of_their_own() {
    let contacts: Vec<Json> = (1..=5).map(|n| json!({"contactid": id(n), "lastname": format!("C{n}")})).collect();
    let ship = json!({"new_shipid": id(50), "new_name": "S"});
    let world = json!({
        "settings": {"page_rows": 2},
        "tables": [{"schema_name": "new_Ship"}],
        "pairs": [{"schema_name": "new_ship_contact", "one": "new_ship", "two": "contact"}],
        "records": {"contact": contacts, "new_ship": [ship]},
    });
    let stage = Stage::of(world, &["new_ship", "contact"]).await;
    let link = |n: u64| handover_connect::Link { from: id(50).as_str().into(), to: id(n).as_str().into() };
    let links = handover_connect::LinkBatch {
        object: "new_ship".into(),
        field: "new_ship_contact".into(),
        to_object: "contact".into(),
        links: (1..=5).map(link).collect(),
    };
    assert!(stage.driver.link(&links).await.unwrap().iter().all(|outcome| outcome.result.is_ok()));
    let field = "new_ship_contact".into();
    let read = stage.driver.enrich(&"new_ship".into(), &field, &[id(50).as_str().into()]).await.unwrap();
    let Value::List(found) = value(&read[0], "new_ship_contact") else { panic!() };
    assert_eq!(found.len(), 5);
    // And from the other end.
    let read = stage.driver.enrich(&"contact".into(), &field, &[id(3).as_str().into()]).await.unwrap();
    assert_eq!(value(&read[0], "new_ship_contact"), &Value::List(vec![id(50).as_str().into()]));
}

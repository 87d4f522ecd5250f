//! Changelogs, deletions and merges.

use handover_connect::{Author, Change, Dialect as _, FaultKind, Operation, Step, WriteOutcome};
use handover_platforms::pipedrive::Pipedrive;
use serde_json::{Value as Json, json};

use super::{encoded, names, ok, reply, then};

fn history(object: &str, fields: &[&str]) -> Operation {
    Operation::History { object: object.into(), fields: names(fields), ids: vec!["7".into()] }
}

fn entry(key: &str, second: u32, source: &str) -> Json {
    json!({"field_key": key, "old_value": "a", "new_value": "b", "actor_user_id": 9,
        "time": format!("2026-01-01 10:00:{second:02}"), "change_source": source})
}

fn log(entries: &[Json], next: Option<&str>) -> handover_connect::Reply {
    reply(200, &json!({"success": true, "data": entries, "additional_data": {"next_cursor": next}}))
}

fn told(step: Step) -> Vec<Change> {
    match step {
        Step::History(changes) => changes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_log_is_read_until_every_field_was_seen() {
    let dialect = Pipedrive::new();
    let operation = history("deals", &["title", "owner_id", "participants"]);
    assert_eq!(encoded(&dialect, &operation, None), "GET /v1/deals/7/changelog?limit=500");
    let first = log(&[entry("title", 9, "app"), entry("title", 8, "api"), entry("value", 7, "api")], Some("c2"));
    let cursor = then(&dialect, &operation, None, &first);
    assert_eq!(encoded(&dialect, &operation, Some(&cursor)), "GET /v1/deals/7/changelog?limit=500&cursor=c2");
    // All that has a history was seen: what comes after it is not read.
    let second = log(&[entry("owner_id", 6, "api"), entry("title", 5, "api")], Some("c3"));
    let changes = told(dialect.decode(&operation, Some(&cursor), &second).unwrap());
    let shown: Vec<(&str, String, &Author)> =
        changes.iter().map(|change| (change.field.as_str(), change.at.to_string(), &change.by)).collect();
    let (person, program) = (Author::Person(Some("9".into())), Author::Program(Some("9".into())));
    let expected =
        [("title", "2026-01-01T10:00:09Z".into(), &person), ("owner_id", "2026-01-01T10:00:06Z".into(), &program)];
    assert_eq!(shown, expected);
    assert!(changes.iter().all(|change| change.record == *"7"));
    // At the end of the log some fields have no change.
    let changes = told(dialect.decode(&operation, None, &log(&[entry("title", 9, "app")], None)).unwrap());
    assert_eq!(changes.len(), 1);
    // A cursor that does not move on is the end too.
    let changes = told(dialect.decode(&operation, Some(&cursor), &log(&[], Some("c2"))).unwrap());
    assert_eq!(changes.len(), 1);
    let gone = reply(404, &json!({"success": false, "error": "Entity was not found"}));
    assert_eq!(told(dialect.decode(&operation, None, &gone).unwrap()), []);
    let down = reply(500, &json!({"success": false, "error": "x"}));
    assert_eq!(dialect.decode(&operation, None, &down).unwrap_err().kind, FaultKind::Unavailable);
}

#[test]
fn keys_of_the_log_are_ours_in_both_notations() {
    let hash = "a".repeat(40);
    let (amount, currency, zone) =
        (format!("{hash}.value"), format!("{hash}.currency"), format!("{hash}.timezone_name"));
    let cases: [(&str, &str, bool); 14] = [
        ("address", "address.locality", true),
        ("address_locality", "address.locality", true),
        ("address_country", "address.locality", false),
        ("address_locality", "address.country", false),
        ("email", "emails", true),
        ("emails", "emails", true),
        ("phone", "emails", false),
        ("label", "label_ids", true),
        ("name", "name", true),
        ("name", "first_name", false),
        (&hash, &amount, true),
        (&format!("{hash}_currency"), &currency, true),
        (&format!("{hash}_currency"), &amount, false),
        (&format!("{hash}_timezone_id"), &zone, true),
    ];
    for (key, field, fits) in cases {
        let object = if field.starts_with("address") { "organizations" } else { "persons" };
        let operation = history(object, &[field]);
        let step = Pipedrive::new().decode(&operation, None, &log(&[entry(key, 1, "app")], None)).unwrap();
        assert_eq!(told(step).len(), usize::from(fits), "{key} for {field}");
    }
}

#[test]
fn who_made_a_change() {
    for (source, author) in [
        (json!("app"), Author::Person(Some("9".into()))),
        (json!("api"), Author::Program(Some("9".into()))),
        (json!("workflow_automation"), Author::Platform),
        (json!("Automation"), Author::Platform),
        (json!("import"), Author::Unknown),
        (Json::Null, Author::Unknown),
    ] {
        let mut one = entry("title", 1, "");
        one["change_source"] = source;
        let changes = told(Pipedrive::new().decode(&history("deals", &["title"]), None, &log(&[one], None)).unwrap());
        assert_eq!(changes[0].by, author);
    }
    // Entries without key or time are nobody's.
    let odd = log(&[json!({}), json!(7), json!({"field_key": "title", "time": "yesterday"})], None);
    assert_eq!(told(Pipedrive::new().decode(&history("deals", &["title"]), None, &odd).unwrap()), []);
}

#[test]
fn what_has_no_history() {
    for (object, fields) in [("notes", "content"), ("leads", "title"), ("deals", "participants")] {
        let refusal = Pipedrive::new().encode(&history(object, &[fields]), None).unwrap_err();
        assert_eq!(refusal.kind, FaultKind::Unsupported, "{object}");
    }
}

#[test]
fn deletions_and_merges_as_they_are_sent() {
    let dialect = Pipedrive::new();
    let delete = |object: &str, id: &str| Operation::Delete { object: object.into(), ids: vec![id.into()] };
    let lines: Vec<String> = ["deals", "persons", "organizations", "activities", "products", "leads", "notes", "files"]
        .into_iter()
        .map(|object| {
            let request = dialect.encode(&delete(object, "7"), None).unwrap();
            assert!(request.idempotent);
            format!("{} {}", super::line(&request), request.charges[1].amount)
        })
        .collect();
    let expected = [
        "DELETE /api/v2/deals/7 3",
        "DELETE /api/v2/persons/7 3",
        "DELETE /api/v2/organizations/7 3",
        "DELETE /api/v2/activities/7 3",
        "DELETE /api/v2/products/7 3",
        "DELETE /v1/leads/7 6",
        "DELETE /v1/notes/7 6",
        "DELETE /v1/files/7 6",
    ];
    assert_eq!(lines, expected);
    let merge = Operation::Merge { object: "persons".into(), survivor: "1".into(), other: "2".into() };
    let request = dialect.encode(&merge, None).unwrap();
    assert_eq!(super::line(&request), "PUT /v1/persons/2/merge {\"merge_with_id\":1}");
    assert!(!request.idempotent && request.charges[1].amount == 40);
    let outcome = |operation: &Operation, reply: &handover_connect::Reply| match dialect.decode(operation, None, reply)
    {
        Ok(Step::Written(mut written)) => written.remove(0).outcome,
        other => panic!("{other:?}"),
    };
    let merged = outcome(&merge, &ok(json!({"id": 1, "merge_what_id": 2})));
    assert!(matches!(merged, WriteOutcome::Applied { id, .. } if id == "1"));
    for status in [404, 410] {
        let told = reply(status, &json!({"success": false, "error": "Entity was not found"}));
        assert!(matches!(outcome(&delete("deals", "7"), &told), WriteOutcome::Applied { .. }), "{status}");
        assert!(matches!(outcome(&merge, &told), WriteOutcome::Refused(_)), "{status}");
    }
    // A page of the web server says nothing about a record.
    let html = handover_connect::Reply {
        status: 404,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: b"<html>".to_vec(),
        sunk: None,
    };
    assert_eq!(dialect.decode(&delete("deals", "7"), None, &html).unwrap_err().kind, FaultKind::Malformed);
}

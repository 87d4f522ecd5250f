//! Writes: strict JSON types, structured values whole, outcomes.

use super::*;
use handover_connect::{FaultKind, WriteOutcome, Written};
use handover_model::Content;
use rust_decimal::Decimal;

fn number(text: &str) -> Value {
    Value::Number(text.parse::<Decimal>().unwrap())
}

fn outcome(dialect: &Pipedrive, operation: &Operation, cursor: Option<&Cursor>, reply: &Reply) -> WriteOutcome {
    match dialect.decode(operation, cursor, reply).unwrap() {
        Step::Written(mut written) => {
            let Written { trace, outcome } = written.remove(0);
            assert_eq!(trace.as_str(), "t");
            outcome
        }
        step => panic!("not written: {step:?}"),
    }
}

#[test]
fn a_deal_is_created_with_the_types_that_v2_wants() {
    let dialect = learned();
    let part = |letter: char, part: &str| format!("{}.{part}", code(letter));
    let ids = Value::List(vec!["7".into(), "8".into()]);
    let operation = create(
        "deals",
        &[
            ("title", "T".into()),
            ("value", number("200.50")),
            ("org_id", "12".into()),
            ("status", "lost".into()),
            ("lost_time", Value::DateTime("2023-01-02T03:04:05.9Z".parse().unwrap())),
            ("lost_reason", "price".into()),
            ("is_archived", true.into()),
            ("archive_time", Value::DateTime("2023-02-02T03:04:05Z".parse().unwrap())),
            ("label_ids", Value::List(vec!["41".into()])),
            ("probability", Value::Null),
            (&code('c'), "2".into()),
            (&code('d'), ids),
            (&code('e'), number("5.0")),
            (&part('b', "value"), number("500")),
            (&part('b', "currency"), "USD".into()),
            (&part('f', "value"), Value::Date("2024-01-01".parse().unwrap())),
            (&part('f', "until"), Value::Date("2024-12-31".parse().unwrap())),
            (&part('0', "value"), Value::Time("09:00:00".parse().unwrap())),
            (&part('0', "timezone_name"), "Europe/London".into()),
            (&part('1', "locality"), "Bonn".into()),
            (&part('1', "route"), "Main St".into()),
            (&part('1', "street_number"), "5".into()),
            (&code('2'), "1".into()),
        ],
    );
    let request = dialect.encode(&operation, None).unwrap();
    assert_eq!((request.path.as_str(), request.idempotent), ("/api/v2/deals", false));
    let site = json!({"value": "Main St 5, Bonn", "country": null, "admin_area_level_1": null, "admin_area_level_2": null,
        "locality": "Bonn", "sublocality": null, "route": "Main St", "street_number": "5", "subpremise": null,
        "postal_code": null});
    assert_eq!(
        body(&dialect, &operation, None),
        json!({
            "title": "T", "value": 200.5, "org_id": 12, "status": "lost", "lost_time": "2023-01-02T03:04:05Z",
            "lost_reason": "price", "is_archived": true, "archive_time": "2023-02-02 03:04:05", "label_ids": [41],
            "custom_fields": {
                code('c'): 2, code('d'): [7, 8], code('e'): 5, code('b'): {"value": 500, "currency": "USD"},
                code('f'): {"value": "2024-01-01", "until": "2024-12-31"},
                code('0'): {"value": "09:00:00", "timezone_name": "Europe/London"}, code('1'): site, code('2'): 1,
            },
        })
    );
    let made = reply(201, &json!({"success": true, "data": {"id": 77, "title": "T"}}));
    let WriteOutcome::Applied { id, created: Some(true) } = outcome(&dialect, &operation, None, &made) else {
        panic!("not applied")
    };
    assert_eq!(id.as_str(), "77");
}

#[test]
fn clearing_says_null_and_never_an_empty_set() {
    let dialect = learned();
    let money = [format!("{}.value", code('b')), format!("{}.currency", code('b'))];
    let operation = update(
        "deals",
        "5",
        &[
            (&code('d'), Value::List(Vec::new())),
            (&code('c'), Value::Null),
            (&money[0], Value::Null),
            (&money[1], "USD".into()),
            ("label_ids", Value::Null),
            ("org_id", Value::Null),
        ],
    );
    let request = dialect.encode(&operation, None).unwrap();
    assert!(request.idempotent);
    assert_eq!(
        body(&dialect, &operation, None),
        json!({"label_ids": [], "org_id": null, "custom_fields": {code('d'): null, code('c'): null, code('b'): null}})
    );
}

#[test]
fn an_update_of_one_part_keeps_the_others() {
    let dialect = learned();
    let operation = update("organizations", "3", &[("address.locality", "Bonn".into())]);
    assert_eq!(encoded(&dialect, &operation, None), "GET /api/v2/organizations/3");
    let was = ok(json!({"id": 3, "address": {"value": "Main St 5, Ulm", "route": "Main St", "locality": "Ulm"}}));
    let cursor = then(&dialect, &operation, None, &was);
    let sent = body(&dialect, &operation, Some(&cursor));
    assert_eq!(sent.pointer("/address/route"), Some(&json!("Main St")));
    assert_eq!(sent.pointer("/address/locality"), Some(&json!("Bonn")));
    assert_eq!(sent.pointer("/address/country"), Some(&Json::Null));
    let until = format!("{}.until", code('f'));
    let operation = update("deals", "4", &[(&until, Value::Date("2025-01-01".parse().unwrap()))]);
    let was = ok(json!({"id": 4, "custom_fields": {code('f'): {"value": "2024-01-01", "until": "2024-02-01"}}}));
    let cursor = then(&dialect, &operation, None, &was);
    assert_eq!(
        body(&dialect, &operation, Some(&cursor)),
        json!({"custom_fields": {code('f'): {"value": "2024-01-01", "until": "2025-01-01"}}})
    );
}

#[test]
fn the_person_of_an_activity_is_its_primary_participant() {
    let dialect = Pipedrive::new();
    let operation = create(
        "activities",
        &[
            ("subject", "Call".into()),
            ("person_id", "6".into()),
            ("participants", Value::List(vec!["7".into(), "6".into()])),
            ("due_time", Value::Time("15:00:00".parse().unwrap())),
            ("duration", "26:30:00".into()),
            ("location.value", "Main St".into()),
        ],
    );
    let sent = body(&dialect, &operation, None);
    assert_eq!(sent["participants"], json!([{"person_id": 6, "primary": true}, {"person_id": 7, "primary": false}]));
    assert_eq!((&sent["due_time"], &sent["duration"]), (&json!("15:00:00"), &json!("26:30:00")));
    assert_eq!(sent.pointer("/location/value"), Some(&json!("Main St")));
    assert!(sent.get("person_id").is_none());
    // Another main person keeps the other participants, which are read first.
    let operation = update("activities", "9", &[("person_id", "8".into())]);
    assert_eq!(encoded(&dialect, &operation, None), "GET /api/v2/activities/9");
    let was =
        ok(json!({"id": 9, "participants": [{"person_id": 7, "primary": false}, {"person_id": 6, "primary": true}]}));
    let cursor = then(&dialect, &operation, None, &was);
    let people: Vec<Json> =
        [(8, true), (6, false), (7, false)].map(|(id, primary)| json!({"person_id": id, "primary": primary})).to_vec();
    assert_eq!(body(&dialect, &operation, Some(&cursor)), json!({"participants": people}));
    let (records, _) = page(
        &dialect,
        &list("activities", &["participants", "person_id"]),
        None,
        &ok(json!([
        {"id": 9, "person_id": 6, "participants": [{"person_id": 7, "primary": false}, {"person_id": 6, "primary": true}]}])),
    );
    assert_eq!((shown(&records[0], "participants"), shown(&records[0], "person_id")), ("6, 7".into(), "6".into()));
}

#[test]
fn contacts_are_lists_and_notes_are_put() {
    let dialect = Pipedrive::new();
    let mail = Value::Map(
        [
            ("value".to_owned(), "a@x.test".into()),
            ("label".to_owned(), "home".into()),
            ("primary".to_owned(), true.into()),
        ]
        .into(),
    );
    let operation = create(
        "persons",
        &[
            ("name", "Ana".into()),
            ("emails", Value::List(vec![mail])),
            ("phones", "12345".into()),
            ("add_time", Value::DateTime("2019-01-02T03:04:05Z".parse().unwrap())),
        ],
    );
    assert_eq!(
        body(&dialect, &operation, None),
        json!({"name": "Ana", "add_time": "2019-01-02T03:04:05Z",
        "emails": [{"value": "a@x.test", "label": "home", "primary": true}], "phones": [{"value": "12345"}]})
    );
    let operation = update(
        "notes",
        "3",
        &[
            ("content", "<p>x</p>".into()),
            ("pinned_to_deal_flag", true.into()),
            ("add_time", Value::DateTime("2019-01-02T03:04:05Z".parse().unwrap())),
        ],
    );
    assert_eq!(
        encoded(&dialect, &operation, None),
        r#"PUT /v1/notes/3 {"add_time":"2019-01-02 03:04:05","content":"<p>x</p>","pinned_to_deal_flag":1}"#
    );
}

#[test]
fn what_cannot_be_written_is_refused_and_nothing_is_sent() {
    let dialect = Pipedrive::new();
    for (operation, expected) in [
        (create("persons", &[("first_name", "A".into())]), "refused: `first_name` cannot be written"),
        (update("persons", "1", &[("add_time", Value::Null)]), "refused: `add_time` can be written on creation only"),
        (create("deals", &[("participants", Value::Null)]), "refused: `participants` is written by adding links"),
        (create("deals", &[("value", "5".into())]), "refused: `value` of `deals` takes a number"),
        (create("deals", &[("org_id", "x".into())]), "refused: `org_id` of `deals` takes a whole number as id"),
        (
            Operation::Write(batch("deals", WriteMode::Upsert { key: "x".into() }, None, &[])),
            "refused: Pipedrive has no upsert",
        ),
        (create("files", &[]), "refused: a file needs its bytes"),
    ] {
        assert_eq!(encoded(&dialect, &operation, None), expected);
    }
}

#[test]
fn a_file_is_uploaded_with_its_parents_and_described_afterwards() {
    let dialect = Pipedrive::new();
    let Operation::Write(mut whole) = create(
        "files",
        &[
            ("name", "offer.pdf".into()),
            ("deal_id", "5".into()),
            ("person_id", Value::Null),
            ("description", "Signed".into()),
        ],
    ) else {
        panic!("no write")
    };
    let mut write = whole.writes[0].clone();
    write.content = Some(Content { path: "/staged/blob".into(), bytes: 12, blake3: String::new() });
    whole.writes = vec![write].into();
    let operation = Operation::Write(whole);
    assert_eq!(encoded(&dialect, &operation, None), "POST /v1/files multipart deal_id=5 file=<offer.pdf, 12 bytes>");
    let made = reply(201, &json!({"success": true, "data": {"id": 123, "name": "offer.pdf"}}));
    let cursor = then(&dialect, &operation, None, &made);
    assert_eq!(
        encoded(&dialect, &operation, Some(&cursor)),
        r#"PUT /v1/files/123 form [("description", "Signed"), ("name", "offer.pdf")]"#
    );
    let done = outcome(&dialect, &operation, Some(&cursor), &ok(json!({"id": 123})));
    assert!(matches!(done, WriteOutcome::Applied { created: Some(true), .. }));
}

#[test]
fn a_refusal_names_the_field_and_no_value() {
    let dialect = learned();
    let operation = create("deals", &[("title", "Secret Deal".into()), (&code('c'), "17".into())]);
    let said = format!("Validation failed: {}: Option 17 does not exist in 'Secret Deal'", code('c'));
    let refused = reply(400, &json!({"success": false, "error": said, "code": "ERR_SCHEMA_VALIDATION_FAILED"}));
    let WriteOutcome::Refused(fault) = outcome(&dialect, &operation, None, &refused) else { panic!("not refused") };
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Invalid, "ERR_SCHEMA_VALIDATION_FAILED"));
    assert_eq!(fault.field.unwrap(), code('c').as_str());
    assert!(!fault.message.contains("17") && !fault.message.contains("Secret"), "{}", fault.message);
    // A structured value is named as a whole; the field is the part that was written.
    let operation = update("organizations", "1", &[]);
    assert_eq!(body(&dialect, &operation, None), json!({}));
    let address = create("organizations", &[("name", "N".into()), ("address.country", "X".into())]);
    let refused = reply(400, &json!({"success": false, "error": "Validation failed: address: value: Required"}));
    let WriteOutcome::Refused(fault) = outcome(&dialect, &address, None, &refused) else { panic!("not refused") };
    assert_eq!(fault.field.unwrap().as_str(), "address.country");
    // A closed company is no matter of this record.
    let closed = reply(402, &json!({"success": false, "error": "Company account is not open"}));
    assert_eq!(dialect.decode(&address, None, &closed).unwrap_err().kind, FaultKind::Denied);
    let operation = create("deals", &[("title", "Secret Deal".into())]);
    // An answer without a record tells nothing certain.
    assert_eq!(dialect.decode(&operation, None, &ok(Json::Null)).unwrap_err().kind, FaultKind::Malformed);
}

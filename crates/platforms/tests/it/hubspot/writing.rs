//! Creates, updates, upserts, links, uploads.

use std::collections::BTreeMap;

use handover_connect::{
    Body, Dialect as _, FaultKind, Link, LinkBatch, Operation, Part, Step, Write, WriteBatch, WriteMode, WriteOutcome,
    Written,
};
use handover_model::{Content, Value};
use handover_platforms::hubspot::HubSpot;
use jiff::civil::date;
use serde_json::{Value as Json, json};

use super::{Row, batch, fields, json_of, play, reply};

fn outcomes(batch: WriteBatch, status: u16, body: &Json) -> BTreeMap<String, WriteOutcome> {
    let Step::Written(written) = play(&HubSpot::new(), &Operation::Write(batch), &[reply(status, body)]).1.unwrap()
    else {
        panic!()
    };
    written.into_iter().map(|Written { trace, outcome }| (trace.to_string(), outcome)).collect()
}

fn id_of(outcome: &WriteOutcome) -> &str {
    match outcome {
        WriteOutcome::Applied { id, .. } => id.as_str(),
        other => panic!("not applied: {other:?}"),
    }
}

#[test]
fn values_are_written_in_hubspots_notation() {
    let number = |text: &str| Value::Number(text.parse().unwrap());
    let batch = batch(
        "contacts",
        WriteMode::Update,
        &[(
            "t",
            Some("5"),
            &[
                ("bool", true.into()),
                ("cleared", Value::Null),
                ("day", Value::Date(date(2024, 2, 9))),
                ("emails", Value::List(vec![Value::Map([("value".to_owned(), "b@c.example".into())].into())])),
                ("many", Value::List(vec!["".into(), "a".into(), "b".into()])),
                ("number", number("1200.50")),
                ("time", Value::DateTime("2024-01-01T01:02:03.4567Z".parse().unwrap())),
            ],
        )],
    );
    let request = HubSpot::new().encode(&Operation::Write(batch), None).unwrap();
    assert!(request.idempotent);
    assert_eq!(request.path, "/crm/v3/objects/contacts/batch/update");
    assert_eq!(
        json_of(&request)["inputs"][0],
        json!({ "id": "5", "objectWriteTraceId": "t", "properties": {
        "bool": "true", "cleared": "", "day": "2024-02-09", "emails": "b@c.example", "many": "a;b", "number": "1200.5",
        "time": "2024-01-01T01:02:03.456Z",
    } })
    );
}

#[test]
fn upserts_carry_their_key_and_are_joined_by_trace_in_any_order() {
    let key = || WriteMode::Upsert { key: "src_key".into() };
    let rows: [Row<'_>; 3] = [
        ("r1", None, &[("src_key", "old:1".into()), ("name", "A".into())]),
        ("r2", None, &[("src_key", "old:2".into())]),
        ("r3", None, &[("src_key", "old:3".into())]),
    ];
    let request = HubSpot::new().encode(&Operation::Write(batch("companies", key(), &rows)), None).unwrap();
    assert!(request.idempotent);
    assert_eq!(
        json_of(&request)["inputs"][0],
        json!({ "id": "old:1", "idProperty": "src_key", "objectWriteTraceId": "r1",
        "properties": { "src_key": "old:1", "name": "A" } })
    );
    let body = json!({ "status": "COMPLETE", "results": [
        { "id": "93", "objectWriteTraceId": "r3", "new": false, "properties": {} },
        { "id": "91", "new": true, "properties": { "src_key": "old:1" } },
    ], "numErrors": 1, "errors": [{ "status": "error", "category": "VALIDATION_ERROR", "message": "x",
        "errors": [{ "code": "INVALID_OPTION", "context": { "propertyName": ["industry"] } }], "context": { "objectWriteTraceId": ["r2"] } }] });
    let outcomes = outcomes(batch("companies", key(), &rows), 207, &body);
    assert!(matches!(&outcomes["r1"], WriteOutcome::Applied { created: Some(true), .. }));
    assert_eq!((id_of(&outcomes["r1"]), id_of(&outcomes["r3"])), ("91", "93"));
    let WriteOutcome::Refused(fault) = &outcomes["r2"] else { panic!() };
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Invalid, "INVALID_OPTION"));
    assert_eq!(fault.field, Some("industry".into()));
}

#[test]
fn what_the_answer_does_not_mention_is_unknown() {
    let rows: [Row<'_>; 2] = [("r1", Some("5"), &[]), ("r2", Some("6"), &[])];
    let body = json!({ "status": "COMPLETE", "results": [{ "id": "6", "properties": {} }] });
    let outcomes = outcomes(batch("deals", WriteMode::Update, &rows), 200, &body);
    assert!(matches!(outcomes["r1"], WriteOutcome::Unknown(_)));
    assert_eq!(id_of(&outcomes["r2"]), "6");
}

#[test]
fn a_create_refused_as_a_whole_may_have_landed_unless_it_was_one_row() {
    let create = || WriteMode::Create { key: None };
    let conflict =
        json!({ "status": "error", "category": "CONFLICT", "message": "Contact already exists. Existing ID: 123" });
    let two: [Row<'_>; 2] = [("r1", None, &[]), ("r2", None, &[])];
    for outcome in outcomes(batch("contacts", create(), &two), 409, &conflict).into_values() {
        assert!(matches!(outcome, WriteOutcome::Unknown(_)));
    }
    let one = outcomes(batch("contacts", create(), &two[..1]), 409, &conflict);
    let WriteOutcome::Refused(fault) = &one["r1"] else { panic!() };
    assert_eq!((fault.kind, &fault.detail.clashing[..]), (FaultKind::Conflict, &["123".to_owned()][..]));
    // An update may be sent again, so the batch comes back to be halved.
    let updates: [Row<'_>; 2] = [("r1", Some("1"), &[]), ("r2", Some("2"), &[])];
    let operation = Operation::Write(batch("contacts", WriteMode::Update, &updates));
    let fault =
        play(&HubSpot::new(), &operation, &[reply(400, &json!({ "category": "VALIDATION_ERROR" }))]).1.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Invalid);
    // A refusal for everybody is no row's.
    let operation = Operation::Write(batch("contacts", create(), &two));
    let fault =
        play(&HubSpot::new(), &operation, &[reply(403, &json!({ "category": "MISSING_SCOPES" }))]).1.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Denied);
}

#[test]
fn activities_are_created_with_their_links() {
    let rows: [Row<'_>; 1] = [(
        "r1",
        None,
        &[
            ("hs_note_body", "<p>x</p>".into()),
            ("hs_attachment_ids", Value::List(vec!["8".into(), "9".into()])),
            ("associations.contacts", Value::List(vec!["4".into()])),
            ("associations.deals", Value::List(vec!["7".into()])),
        ],
    )];
    let operation = Operation::Write(batch("notes", WriteMode::Create { key: None }, &rows));
    let request = HubSpot::new().encode(&operation, None).unwrap();
    assert!(!request.idempotent);
    let kind = |id: u64| json!([{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": id }]);
    assert_eq!(
        json_of(&request)["inputs"][0],
        json!({ "objectWriteTraceId": "r1",
        "properties": { "hs_note_body": "<p>x</p>", "hs_attachment_ids": "8;9" },
        "associations": [{ "to": { "id": "4" }, "types": kind(202) }, { "to": { "id": "7" }, "types": kind(214) }] })
    );
}

#[test]
fn what_would_go_wrong_is_refused_before_it_is_sent() {
    let linked: &[(&str, Value)] = &[("associations.contacts", "4".into())];
    let key: &[(&str, Value)] = &[("k", "1".into())];
    let upsert = || WriteMode::Upsert { key: "k".into() };
    let cases = [
        batch("notes", WriteMode::Update, &[("r", Some("1"), linked)]),
        batch("notes", WriteMode::Update, &[("r", None, &[])]),
        batch("contacts", upsert(), &[("r", None, &[])]),
        batch("contacts", upsert(), &[("r1", None, key), ("r2", None, key)]),
        batch("attachments", WriteMode::Create { key: None }, &[("r", None, &[])]),
        batch("files", WriteMode::Create { key: None }, &[("r", None, &[])]),
    ];
    for case in cases {
        assert!(HubSpot::new().encode(&Operation::Write(case.clone()), None).is_err(), "{case:?}");
    }
}

fn links(field: &str, from: &str, to_object: &str, pairs: &[(&str, &str)]) -> LinkBatch {
    let links = pairs.iter().map(|(from, to)| Link { from: (*from).into(), to: (*to).into() }).collect();
    LinkBatch { object: from.into(), field: field.into(), to_object: to_object.into(), links }
}

#[test]
fn plain_links_leave_labels_alone_and_fail_one_by_one() {
    let batch = links("associations.contacts", "deals", "contacts", &[("1", "7"), ("2", "7"), ("3", "7"), ("4", "8")]);
    let row = |from: &str| json!({ "from": { "id": from }, "to": { "id": "7" }, "associationSpec": {} });
    let missing = |context: Json| json!({ "status": "error", "category": "OBJECT_NOT_FOUND", "message": "m", "context": context });
    let body = json!({ "status": "COMPLETE", "results": [row("2")], "numErrors": 2, "errors": [
        missing(json!({ "fromObjectId": ["1"] })), missing(json!({ "toObjectId": ["8"] })),
    ] });
    let (requests, step) = play(&HubSpot::new(), &Operation::Link(batch), &[reply(207, &body)]);
    assert!(requests[0].idempotent);
    assert_eq!(requests[0].path, "/crm/v4/associations/deals/contacts/batch/associate/default");
    assert_eq!(json_of(&requests[0])["inputs"][0], json!({ "from": { "id": "1" }, "to": { "id": "7" } }));
    let Step::Linked(outcomes) = step.unwrap() else { panic!() };
    let kind = |at: usize| outcomes[at].result.as_ref().map_err(|fault| fault.kind);
    assert_eq!(kind(0), Err(FaultKind::NotFound));
    assert_eq!(kind(1), Ok(&()));
    assert_eq!(kind(2), Err(FaultKind::Malformed), "not mentioned is not made");
    assert_eq!(kind(3), Err(FaultKind::NotFound));
}

#[test]
fn a_typed_link_is_written_together_with_the_labels_that_are_there() {
    let batch = links("associations.primary_company", "contacts", "companies", &[("1", "7"), ("2", "8")]);
    let had = json!({ "status": "COMPLETE", "results": [{ "from": { "id": "1" }, "to": [
        { "toObjectId": 7, "associationTypes": [
            { "category": "HUBSPOT_DEFINED", "typeId": 279, "label": null }, { "category": "USER_DEFINED", "typeId": 36, "label": "Billing" },
        ] },
        { "toObjectId": 8, "associationTypes": [{ "category": "USER_DEFINED", "typeId": 37, "label": "Other pair" }] },
    ] }], "numErrors": 1, "errors": [{ "status": "error", "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND", "context": { "fromObjectId": ["2"] } }] });
    let made = json!({ "status": "COMPLETE", "results": [
        { "fromObjectTypeId": "0-1", "fromObjectId": 2, "toObjectTypeId": "0-2", "toObjectId": 8, "labels": ["Primary"] },
        { "fromObjectTypeId": "0-1", "fromObjectId": 1, "toObjectTypeId": "0-2", "toObjectId": 7, "labels": ["Primary", "Billing"] },
    ] });
    let (requests, step) = play(&HubSpot::new(), &Operation::Link(batch), &[reply(207, &had), reply(201, &made)]);
    assert_eq!(requests[0].path, "/crm/v4/associations/contacts/companies/batch/read");
    assert_eq!(requests[1].path, "/crm/v4/associations/contacts/companies/batch/create");
    let own = json!({ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1 });
    assert_eq!(
        json_of(&requests[1])["inputs"],
        json!([
            { "from": { "id": "1" }, "to": { "id": "7" }, "types": [own,
                { "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279 },
                { "associationCategory": "USER_DEFINED", "associationTypeId": 36 }] },
            { "from": { "id": "2" }, "to": { "id": "8" }, "types": [own] },
        ])
    );
    let Step::Linked(outcomes) = step.unwrap() else { panic!() };
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()));
}

#[test]
fn every_link_field_has_its_documented_type() {
    let cases = [
        ("contacts", "associations.companies", 279),
        ("contacts", "associations.primary_company", 1),
        ("companies", "associations.parent_company", 14),
        ("deals", "associations.contacts", 3),
        ("deals", "associations.companies", 341),
        ("deals", "associations.primary_company", 5),
        ("notes", "associations.contacts", 202),
        ("notes", "associations.companies", 190),
        ("notes", "associations.deals", 214),
        ("calls", "associations.contacts", 194),
        ("calls", "associations.companies", 182),
        ("calls", "associations.deals", 206),
        ("emails", "associations.contacts", 198),
        ("emails", "associations.companies", 186),
        ("emails", "associations.deals", 210),
        ("meetings", "associations.contacts", 200),
        ("meetings", "associations.companies", 188),
        ("meetings", "associations.deals", 212),
        ("tasks", "associations.contacts", 204),
        ("tasks", "associations.companies", 192),
        ("tasks", "associations.deals", 216),
        ("tickets", "associations.contacts", 16),
        ("tickets", "associations.companies", 339),
        ("tickets", "associations.primary_company", 26),
        ("tickets", "associations.deals", 28),
        ("notes", "associations.tickets", 228),
        ("calls", "associations.tickets", 220),
        ("emails", "associations.tickets", 224),
        ("meetings", "associations.tickets", 226),
        ("tasks", "associations.tickets", 230),
    ];
    for (object, field, id) in cases {
        let create = batch(object, WriteMode::Create { key: None }, &[("t", None, &[(field, "2".into())])]);
        let request = HubSpot::new().encode(&Operation::Write(create), None).unwrap();
        let types = &json_of(&request)["inputs"][0]["associations"][0]["types"];
        assert_eq!(types[0]["associationTypeId"], id, "{object}.{field}");
    }
    let quotes = links("associations.quotes", "deals", "quotes", &[]);
    assert!(HubSpot::new().encode(&Operation::Link(quotes), None).is_err());
}

#[test]
fn a_file_is_uploaded_in_private() {
    let write = Write {
        trace: "f".into(),
        id: None,
        fields: fields(&[("folderPath", "/old/12".into()), ("name", "offer.pdf".into())]).into(),
        content: Some(Content { path: "/tmp/staged".into(), bytes: 12, blake3: String::new() }),
    };
    let batch = WriteBatch { object: "files".into(), mode: WriteMode::Create { key: None }, writes: [write].into() };
    let (requests, step) = play(&HubSpot::new(), &Operation::Write(batch), &[reply(201, &json!({ "id": "8" }))]);
    assert!(!requests[0].idempotent);
    let Body::Multipart(parts) = &requests[0].body else { panic!() };
    let text = |wanted: &str| {
        parts.iter().find_map(|part| match part {
            Part::Text { name, value } if name == wanted => Some(value.as_str()),
            _ => None,
        })
    };
    assert_eq!(text("folderPath"), Some("/old/12"));
    assert_eq!(text("fileName"), Some("offer.pdf"));
    assert_eq!(text("options"), Some(r#"{"access":"PRIVATE"}"#));
    assert!(parts.iter().any(|part| matches!(part, Part::File { name, bytes: 12, .. } if name == "file")));
    let Step::Written(written) = step.unwrap() else { panic!() };
    assert_eq!(id_of(&written[0].outcome), "8");
}

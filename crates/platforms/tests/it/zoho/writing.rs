//! Batches, their statuses, upserts beside other unique fields, new fields.

use handover_connect::{Connector as _, FaultKind, WriteMode, WriteOutcome};
use handover_model::{Choice, Field, Kind, ReadCost, Value, Writable};
use serde_json::{Value as Json, json};

use super::{Stage, batch, refusal, shown};

fn unique() -> Json {
    json!({"fields": {"Contacts": [
            {"api_name": "Key", "data_type": "text", "length": 100, "unique": true, "case_sensitive": true},
            {"api_name": "Email", "data_type": "email", "unique": true}]},
        "records": {"Contacts": [{"id": 1, "Last_Name": "Theirs", "Email": "a@x.example"},
            {"id": 2, "Last_Name": "Ours", "Key": "k2"}]}})
}

#[tokio::test]
async fn an_upsert_changes_no_record_that_another_unique_field_finds() {
    let stage = Stage::of(unique());
    stage.schema("Contacts").await;
    let upsert = || WriteMode::Upsert { key: "Key".into() };
    let rows: [(&str, &[(&str, Value)]); 3] = [
        ("", &[("Last_Name", "x".into()), ("Key", "k1".into()), ("Email", "a@x.example".into())]),
        ("", &[("Last_Name", "y".into()), ("Key", "k2".into()), ("Email", "b@x.example".into())]),
        ("", &[("Last_Name", "z".into()), ("Key", "k3".into()), ("Email", "c@x.example".into())]),
    ];
    for again in [false, true] {
        let before = stage.sent();
        let outcomes = stage.write("Contacts", upsert(), &rows).await;
        assert_eq!(refusal(&outcomes[0]), (FaultKind::Conflict, "DUPLICATE_DATA", Some("Email")));
        assert!(matches!(&outcomes[1], WriteOutcome::Applied { id, created: Some(false) } if *id == *"2"));
        assert!(matches!(&outcomes[2], WriteOutcome::Applied { created, .. } if *created == Some(!again)));
        assert_eq!(stage.sent() - before, 3, "an insertion, whose the other record is, and the changes");
    }
    let records = stage.list("Contacts", &["Last_Name"]).await;
    let mut last: Vec<String> = records.iter().map(|record| shown(record, "Last_Name")).collect();
    last.sort_unstable();
    assert_eq!(last, ["Theirs", "y", "z"]);
    // Where the rows fill no other unique field, one request does.
    let before = stage.sent();
    let outcomes = stage.write("Contacts", upsert(), &[("", &[("Last_Name", "w".into()), ("Key", "k2".into())])]).await;
    assert!(matches!(&outcomes[0], WriteOutcome::Applied { id, created: Some(false) } if *id == *"2"));
    assert_eq!(stage.sent() - before, 1);
}

#[tokio::test]
async fn statuses_of_batches_are_not_believed() {
    for (mixed, failed) in [(207, 400), (200, 202), (202, 200), (400, 400)] {
        let mut world = unique();
        world["settings"] = json!({"mixed_status": mixed, "failed_status": failed});
        let stage = Stage::of(world);
        stage.schema("Contacts").await;
        let create = || WriteMode::Create { key: None };
        let bad: &[(&str, Value)] = &[("Last_Name", "x".into()), ("Phone", "no phone !".into())];
        let rows = [("", bad), ("", &[("First_Name", "x".into())]), ("", &[("Last_Name", "good".into())])];
        let outcomes = stage.write("Contacts", create(), &rows).await;
        assert_eq!(refusal(&outcomes[0]), (FaultKind::Invalid, "INVALID_DATA", Some("Phone")));
        assert_eq!(refusal(&outcomes[1]), (FaultKind::Invalid, "MANDATORY_NOT_FOUND", Some("Last_Name")));
        assert!(matches!(&outcomes[2], WriteOutcome::Applied { .. }), "{mixed}: {outcomes:?}");
        let outcomes = stage.write("Contacts", create(), &rows[..2]).await;
        assert!(outcomes.iter().all(|outcome| refusal(outcome).0 == FaultKind::Invalid), "{failed}");
        let taken: &[(&str, Value)] = &[("Last_Name", "x".into()), ("Email", "a@x.example".into())];
        let outcomes = stage.write("Contacts", create(), &[("", taken)]).await;
        let WriteOutcome::Refused(fault) = &outcomes[0] else { panic!("{outcomes:?}") };
        assert_eq!((fault.kind, fault.detail.clashing.as_slice()), (FaultKind::Conflict, ["1".to_owned()].as_slice()));
        assert!(!fault.to_string().contains("x.example"));
    }
}

#[tokio::test]
async fn stage_and_pipeline_must_belong_together() {
    let stage = Stage::of(json!({"layouts": {"Deals": [{"name": "Standard", "pipelines": [
        {"display": "Sales", "stages": ["Qualification"]}, {"display": "Repair", "stages": ["Needs Analysis"]}]}]}}));
    stage.schema("Deals").await;
    let deal = |pipeline: &str, at: &str| -> Vec<(&'static str, Value)> {
        vec![("Deal_Name", "D".into()), ("Pipeline", pipeline.into()), ("Stage", at.into())]
    };
    let create = || WriteMode::Create { key: None };
    let outcomes = stage.write("Deals", create(), &[("", &deal("Sales", "Needs Analysis"))]).await;
    assert_eq!(refusal(&outcomes[0]), (FaultKind::Invalid, "MAPPING_MISMATCH", Some("Stage")));
    stage.create("Deals", &deal("Repair", "Needs Analysis")).await;
}

#[tokio::test]
async fn nothing_is_sent_that_would_be_passed_by_in_silence() {
    let stage = Stage::of(unique());
    stage.schema("Contacts").await;
    stage.schema("Quotes").await;
    let before = stage.sent();
    let cases: [(&str, WriteMode, &str, Value, FaultKind); 5] = [
        ("Contacts", WriteMode::Create { key: None }, "Nothing", "x".into(), FaultKind::Unsupported),
        ("Contacts", WriteMode::Create { key: None }, "Created_Time", "x".into(), FaultKind::Unsupported),
        ("Contacts", WriteMode::Create { key: None }, "Date_of_Birth", "x".into(), FaultKind::Invalid),
        ("Contacts", WriteMode::Upsert { key: "Key".into() }, "Last_Name", "x".into(), FaultKind::Invalid),
        ("Quotes", WriteMode::Create { key: None }, "Subject", "x".into(), FaultKind::Unsupported),
    ];
    for (object, mode, field, value, kind) in cases {
        let row: &[(&str, Value)] = &[(field, value)];
        let fault = stage.driver.write(&batch(object, mode, &[("", row)])).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{field}: {fault}");
    }
    assert_eq!(stage.sent(), before);
}

#[tokio::test]
async fn new_fields_are_found_by_the_name_that_the_platform_gave() {
    let stage = Stage::of(json!({}));
    let wish = |label: &str, kind: Kind, unique: bool| Field {
        name: "wish".into(),
        label: label.to_owned(),
        kind,
        required: false,
        writable: Writable::Always,
        unique,
        custom: true,
        read: ReadCost::Listed,
        blank_is_zero: false,
    };
    let text = || Kind::Text { max: Some(80), html: false };
    let object = "Accounts".into();
    let key = stage.driver.create_field(&object, &wish("Source key", text(), true)).await.unwrap();
    assert!(key.unique && key.custom && key.name == *"Source_key", "{key:?}");
    // Its answer may have been lost: it is there, and is what was wanted.
    assert_eq!(stage.driver.create_field(&object, &wish("Source key", text(), true)).await.unwrap(), key);
    let fault = stage.driver.create_field(&object, &wish("Source key", Kind::Date, false)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict);
    let option = |value: &str, label: &str| Choice { value: value.to_owned(), label: label.to_owned(), within: None };
    let options = vec![option("a", "Alpha"), option("b", "Beta")];
    let choice = Kind::Choice { options: options.into(), many: false };
    let made = stage.driver.create_field(&object, &wish("Rank", choice.clone(), false)).await.unwrap();
    assert_eq!(made.kind, choice);
    for kind in [
        Kind::Number,
        Kind::Bool,
        Kind::DateTime,
        Kind::Text { max: None, html: true },
        Kind::Text { max: None, html: false },
    ] {
        let label = format!("A {}", kind.word());
        let made = stage.driver.create_field(&object, &wish(&label, kind.clone(), false)).await.unwrap();
        assert_eq!(std::mem::discriminant(&made.kind), std::mem::discriminant(&kind), "{made:?}");
    }
    // Two unique fields are all that a module may have; a note has none of its own.
    stage.driver.create_field(&object, &wish("Second", text(), true)).await.unwrap();
    let fault = stage.driver.create_field(&object, &wish("Third", text(), true)).await.unwrap_err();
    assert_eq!((fault.kind, &*fault.code), (FaultKind::Invalid, "LIMIT_EXCEEDED"));
    let fault = stage.driver.create_field(&"Notes".into(), &wish("X", text(), false)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unsupported);
}

/// The sandbox refuses what the vendor's pattern does; the digits are what the caller gave.
#[tokio::test]
async fn phone_numbers_are_parted_as_zoho_takes_them() {
    let stage = Stage::of(json!({}));
    stage.schema("Contacts").await;
    let said = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let forms = [
        ("+49 30 901820-17", "+49 30 901820-17"),
        ("030/901820-17", "030 901820-17"),
        ("+49 (0)30 / 901820 - 17", "+49 (0)30 901820 17"),
        ("+49 ( 0 ) 30–901820", "+49 (0) 30 901820"),
        ("(030) 901820, 17", "(030) 901820 17"),
        ("(030)-901820,17", "(030)-901820,17"),
        ("030 (9018 20", "030 9018 20"),
        ("0 30\u{a0}90.18..20", "0 30 90.18 20"),
        ("+ 49.30.901820 x17 ", "+49.30.901820 x17"),
        ("00 49 - (30) - 901820", "00 49 (30) 901820"),
        ("tel: +49 30 901820.", "tel 49 30 901820"),
    ];
    for (given, wanted) in forms {
        let id = stage.create("Contacts", &[("Last_Name", "w".into()), ("Phone", given.into())]).await;
        let records = stage.fetch("Contacts", &["Phone"], &[id.as_str()]).await;
        let have = records[0].fields.get("Phone").unwrap().display();
        assert_eq!((have.as_str(), said(&have)), (wanted, said(given)), "{given}");
    }
}

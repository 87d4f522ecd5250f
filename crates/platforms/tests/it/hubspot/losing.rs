//! Lost answers, refusals of whole batches, limits, files: through the driver, against the sandbox.

use std::collections::BTreeSet;

use handover_connect::{Clock as _, Connector as _, FaultKind, Write, WriteBatch, WriteMode, WriteOutcome};
use handover_model::{Content, Record, RecordId, Value};
use jiff::SignedDuration;
use serde_json::json;

use super::live::{applied, contacts, portal, text, upsert};
use super::{Row, batch, names};

fn upload(path: &std::path::Path, bytes: u64) -> WriteBatch {
    let write = Write {
        trace: "f".into(),
        id: None,
        fields: super::fields(&[("folderPath", "/from old".into()), ("name", "offer 1.pdf".into())]).into(),
        content: Some(Content { path: path.to_owned(), bytes, blake3: String::new() }),
    };
    WriteBatch { object: "files".into(), mode: WriteMode::Create { key: None }, writes: [write].into() }
}

#[tokio::test]
async fn a_note_whose_answer_was_lost_is_found_at_its_parent_and_by_its_key() {
    let mut world = contacts(1);
    world["settings"] = json!({ "search_lag_ms": 60_000 });
    let portal = portal(&world);
    portal.driver.describe(&"notes".into()).await.unwrap();
    let at = Value::DateTime("2020-01-02T03:04:05Z".parse().unwrap());
    let rows: [Row<'_>; 2] = [
        (
            "r1",
            None,
            &[
                ("src_key", "old:1".into()),
                ("hs_timestamp", at.clone()),
                ("hs_note_body", "<p>a</p>".into()),
                ("associations.contacts", Value::List(vec!["1".into()])),
            ],
        ),
        ("r2", None, &[("src_key", "Old:2".into()), ("hs_timestamp", at), ("hs_note_body", "b".into())]),
    ];
    let notes = batch("notes", WriteMode::Create { key: Some("src_key".into()) }, &rows);
    portal.faults(&json!([{ "when": { "path": "/crm/v3/objects/notes/batch/create", "nth": 1 }, "fault": { "kind": "lost_after", "status": 502 } }]));
    let since = portal.clock.now();
    let written = portal.write(&notes).await;
    assert!(written.iter().all(|written| matches!(written.outcome, WriteOutcome::Unknown(_))), "{written:?}");
    portal.clock.set(since.checked_add(SignedDuration::from_secs(90)).unwrap());
    let found = portal.driver.candidates(&notes, &names(&["src_key", "associations.contacts"]), since).await.unwrap();
    let by_key = |key: &str| found.iter().find(|record| text(record, "src_key") == Some(key)).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(by_key("old:1").fields.get("associations.contacts").unwrap().ids(), ["1"]);
    assert!(by_key("Old:2").fields.get("associations.contacts") == Some(&Value::Null));
    assert_eq!(portal.list("notes", &["src_key"], None).await.len(), 2, "not sent twice");
}

#[tokio::test]
async fn a_contact_whose_answer_was_lost_is_read_back_by_its_key() {
    let portal = portal(&json!({}));
    let rows: [Row<'_>; 2] = [
        ("r1", None, &[("src_key", "old:1".into()), ("firstname", "A".into())]),
        ("r2", None, &[("src_key", "old:2".into()), ("firstname", "B".into())]),
    ];
    let create = batch("contacts", WriteMode::Create { key: Some("src_key".into()) }, &rows);
    portal.faults(&json!([{ "when": { "path": "/crm/v3/objects/contacts/batch/create" }, "fault": { "kind": "half_batch", "apply_only": 1 } }]));
    let since = portal.clock.now();
    let written = portal.write(&create).await;
    assert!(written.iter().all(|written| matches!(written.outcome, WriteOutcome::Unknown(_))), "{written:?}");
    let found = portal.driver.candidates(&create, &names(&["src_key"]), since).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(text(&found[0], "src_key"), Some("old:1"));
}

#[tokio::test]
async fn limits_are_kept_and_a_refusal_is_waited_out() {
    let portal = portal(&contacts(3));
    portal.faults(&json!([
        { "when": { "path": "/crm/v3/objects/contacts", "nth": 1 }, "fault": { "kind": "limited" } },
        { "when": { "path": "/crm/v3/objects/contacts", "nth": 3 }, "fault": { "kind": "unavailable", "status": 503 } },
    ]));
    let begun = portal.clock.now();
    assert_eq!(portal.list("contacts", &["firstname"], None).await.len(), 3);
    assert!(portal.clock.now() > begun, "it waited");
    assert_eq!(portal.driver.spent().limited, 1);
    assert_eq!(portal.list("contacts", &["firstname"], None).await.len(), 3);
    // More searches than five a second, without one refusal.
    for _ in 0..20 {
        portal.driver.count(&"contacts".into()).await.unwrap();
    }
    assert_eq!(portal.driver.spent().limited, 1);
}

#[tokio::test]
async fn files_go_up_hang_on_notes_and_come_down_whole() {
    let mut world = contacts(1);
    world["objects"]["notes"] =
        json!([{ "id": "5", "properties": { "hs_timestamp": "2020-01-01T00:00:00Z", "hs_note_body": "bare" } }]);
    let portal = portal(&world);
    for object in ["files", "notes", "attachments"] {
        portal.driver.describe(&object.into()).await.unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let staged = dir.path().join("staged");
    std::fs::write(&staged, b"%PDF bytes").unwrap();
    let upload = upload(&staged, 10);
    portal.faults(&json!([{ "when": { "method": "POST", "path": "/files/v3/files", "nth": 1 }, "fault": { "kind": "lost_after" } }]));
    let since = portal.clock.now();
    let written = portal.write(&upload).await;
    assert!(matches!(written[0].outcome, WriteOutcome::Unknown(_)), "{written:?}");
    let found = portal.driver.candidates(&upload, &names(&["name", "size", "folderPath"]), since).await.unwrap();
    assert_eq!(found.len(), 1, "the upload was not sent twice");
    assert_eq!((text(&found[0], "name"), text(&found[0], "folderPath")), (Some("offer 1.pdf"), Some("/from old")));
    let file = found[0].id.clone();

    let note = batch(
        "notes",
        WriteMode::Create { key: None },
        &[(
            "n",
            None,
            &[
                ("hs_timestamp", Value::DateTime("2020-01-02T03:04:05Z".parse().unwrap())),
                ("hs_note_body", "<p>with a file</p>".into()),
                ("hs_attachment_ids", Value::List(vec![file.as_str().into()])),
                ("associations.contacts", Value::List(vec!["1".into()])),
            ],
        )],
    );
    let note = applied(&portal.write(&note).await, "n");
    let fields = ["name", "size", "hs_timestamp", "associations.contacts"];
    let listed = portal.list("attachments", &fields, None).await;
    assert_eq!(listed.len(), 1);
    let attachment = &listed[0];
    assert_eq!(attachment.id, format!("{note}:{file}").as_str());
    assert_eq!(text(attachment, "name"), Some("offer 1.pdf"));
    assert!(attachment.fields.get("size") == Some(&Value::Number(10.into())));
    assert_eq!(attachment.fields.get("associations.contacts").unwrap().ids(), ["1"]);
    assert!(matches!(attachment.fields.get("hs_timestamp"), Some(Value::DateTime(_))));
    let changed = portal.list("attachments", &fields, Some(since)).await;
    assert!(changed == listed);
    let fetched = portal
        .driver
        .fetch(&"attachments".into(), &names(&fields), std::slice::from_ref(&attachment.id))
        .await
        .unwrap();
    assert!(fetched == listed);

    let to = dir.path().join("down");
    let content = portal.driver.download(&"attachments".into(), &attachment.id, &to).await.unwrap();
    assert_eq!((content.bytes, std::fs::read(&to).unwrap().as_slice()), (10, b"%PDF bytes".as_slice()));
    assert_eq!(portal.list("files", &["name"], None).await.len(), 1);
    assert_eq!(portal.driver.fetch(&"files".into(), &names(&["size"]), &[file, "404".into()]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_batch_refused_as_a_whole_may_have_landed_in_part() {
    let mut world = contacts(1);
    world["settings"] = json!({ "batch_row_errors": "whole", "partial_write_on_refusal": true });
    let portal = portal(&world);
    let rows: [Row<'_>; 3] = [
        ("r1", None, &[("src_key", "old:1".into()), ("firstname", "A".into())]),
        ("r2", None, &[("src_key", "old:2".into()), ("email", "no address".into())]),
        ("r3", None, &[("src_key", "old:3".into()), ("firstname", "C".into())]),
    ];
    // An upsert is given back to be sent again in halves, which does no harm to the rows that landed.
    let fault = portal.driver.write(&batch("contacts", upsert(), &rows)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Invalid);
    applied(&portal.write(&batch("contacts", upsert(), &rows[..1])).await, "r1");
    let alone = portal.write(&batch("contacts", upsert(), &rows[1..2])).await;
    assert!(
        matches!(&alone[0].outcome, WriteOutcome::Refused(fault) if fault.field == Some("email".into())),
        "{alone:?}"
    );
    applied(&portal.write(&batch("contacts", upsert(), &rows[2..])).await, "r3");
    assert_eq!(portal.list("contacts", &["src_key"], None).await.len(), 3);
}

#[tokio::test]
async fn a_locked_object_is_waited_for() {
    let mut world = contacts(9);
    world["settings"] = json!({ "lock_writes_per_second": 3 });
    let portal = portal(&world);
    for id in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        let update = batch("contacts", WriteMode::Update, &[("u", Some(id), &[("firstname", "x".into())])]);
        applied(&portal.write(&update).await, "u");
    }
    assert!(portal.driver.spent().waited_ms >= 2_000, "{:?}", portal.driver.spent());
}

#[tokio::test]
async fn records_without_a_key_are_looked_for_among_those_made_since() {
    let portal = portal(&contacts(2));
    portal.clock.set(portal.clock.now().checked_add(SignedDuration::from_hours(9)).unwrap());
    let create = batch("contacts", WriteMode::Create { key: None }, &[("r", None, &[("firstname", "New".into())])]);
    let since = portal.clock.now();
    let id = applied(&portal.write(&create).await, "r");
    let found = portal.driver.candidates(&create, &names(&["firstname"]), since).await.unwrap();
    assert!(found.iter().any(|record| record.id == id));
    assert!(found.iter().all(|record| record.id != "1"), "made long before");
}

#[tokio::test]
async fn a_merged_contact_is_fetched_under_the_id_that_it_has_now() {
    let portal = portal(&contacts(3));
    portal.post("/crm/v3/objects/contacts/merge", &json!({ "primaryObjectId": "1", "objectIdToMerge": "2" }));
    let wanted: Vec<RecordId> = ["1", "2", "3"].iter().map(|id| RecordId::from(*id)).collect();
    let fetched = portal.driver.fetch(&"contacts".into(), &names(&["firstname"]), &wanted).await.unwrap();
    assert_eq!(fetched.len(), 2, "one survivor for two ids, and the third");
    assert!(fetched.iter().all(|record| record.id != "1" && record.id != "2"));
    let listed = portal.list("contacts", &["firstname"], None).await;
    let ids = |records: &[Record]| records.iter().map(|record| record.id.clone()).collect::<BTreeSet<_>>();
    assert_eq!(ids(&listed), ids(&fetched));
}

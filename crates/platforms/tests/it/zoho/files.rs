//! Attachments, which are read through the records that they hang on.

use handover_connect::{Connector as _, FaultKind, Operation, Write, WriteBatch, WriteMode, WriteOutcome};
use handover_model::{Content, FieldName, Fields, RecordId, Value};
use serde_json::json;

use super::{Stage, names, shown};

fn stage() -> Stage {
    Stage::of(json!({"records": {
        "Accounts": [{"id": 1, "Account_Name": "A"}, {"id": 2, "Account_Name": "B"}],
        "Deals": [{"id": 11, "Deal_Name": "D", "Stage": "Qualification", "Closing_Date": "2026-01-01"}],
        "Tasks": [{"id": 21, "Subject": "T"}],
    }}))
}

fn upload(folder: &std::path::Path, name: &str, parent: &str, id: &str, bytes: &[u8]) -> WriteBatch {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    let content = Content { path, bytes: bytes.len() as u64, blake3: blake3::hash(bytes).to_hex().to_string() };
    let fields: Fields = [("File_Name", Value::from(name)), (parent, id.into())]
        .into_iter()
        .map(|(name, value)| (FieldName::from(name), value))
        .collect();
    let write = Write { trace: "t".into(), id: None, fields: fields.into(), content: Some(content) };
    WriteBatch { object: "Attachments".into(), mode: WriteMode::Create { key: None }, writes: [write].into() }
}

#[tokio::test]
async fn files_go_up_and_down_through_their_records() {
    let stage = stage();
    let schema = stage.schema("Attachments").await;
    assert!(schema.content && schema.field("Parent_Id.Deals").is_some());
    let folder = tempfile::tempdir().unwrap();
    let mut ids: Vec<RecordId> = Vec::new();
    for (name, parent, id, bytes) in [
        ("a.txt", "Parent_Id.Accounts", "1", b"first".as_slice()),
        ("b.txt", "Parent_Id.Accounts", "1", b"second"),
        ("c.txt", "Parent_Id.Deals", "11", b"third"),
        ("d.txt", "Parent_Id.Tasks", "21", b"fourth"),
    ] {
        let written = stage.driver.write(&upload(folder.path(), name, parent, id, bytes)).await.unwrap();
        let WriteOutcome::Applied { id, created: Some(true) } = &written[0].outcome else { panic!("{written:?}") };
        ids.push(id.clone());
    }
    assert!(ids[2].as_str().starts_with("Deals.11."));
    let fields = ["File_Name", "Parent_Id", "Parent_Id.Accounts", "Parent_Id.Deals"];
    let all = stage.list("Attachments", &fields).await;
    let mut told: Vec<Vec<String>> = all.iter().map(|one| fields.map(|field| shown(one, field)).to_vec()).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [["a.txt", "1", "1", ""], ["b.txt", "1", "1", ""], ["c.txt", "11", "", "11"], ["d.txt", "21", "", ""]]
    );
    // By its id, and among what an upload whose answer was lost may have made.
    let one = stage.fetch("Attachments", &["File_Name"], &[ids[1].as_str()]).await;
    assert_eq!((one.len(), shown(&one[0], "File_Name")), (1, "b.txt".to_owned()));
    let lost = upload(folder.path(), "b.txt", "Parent_Id.Accounts", "1", b"second");
    let since = "2026-03-02T09:00:00Z".parse().unwrap();
    let found = stage.driver.candidates(&lost, &names(&["File_Name"]), since).await.unwrap();
    assert!(found.len() == 2 && found.iter().any(|one| one.id == ids[1]));
    let to = folder.path().join("down");
    stage.driver.download(&"Attachments".into(), &ids[3], &to).await.unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), b"fourth");
    // Gone, and gone again.
    for _ in 0..2 {
        let gone = stage.driver.delete(&"Attachments".into(), &ids[3..]).await.unwrap();
        assert!(matches!(&gone[0].outcome, WriteOutcome::Applied { .. }), "{gone:?}");
    }
    let fault = stage.driver.download(&"Attachments".into(), &ids[3], &to).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
    assert_eq!(stage.list("Attachments", &["File_Name"]).await.len(), 3);
}

#[tokio::test]
async fn an_attachment_needs_bytes_a_name_and_one_record() {
    let stage = stage();
    let folder = tempfile::tempdir().unwrap();
    let good = upload(folder.path(), "a.txt", "Parent_Id.Accounts", "1", b"x");
    let with = |change: &dyn Fn(&mut Write)| {
        let mut write = good.writes[0].clone();
        change(&mut write);
        WriteBatch { writes: [write].into(), ..good.clone() }
    };
    let fields = |pairs: &[(&str, &str)]| -> Fields {
        pairs.iter().map(|(name, value)| (FieldName::from(*name), Value::from(*value))).collect()
    };
    let name = ("File_Name", "a.txt");
    let bad = [
        with(&|write| write.content = None),
        with(&|write| write.fields = fields(&[name]).into()),
        with(&|write| write.fields = fields(&[("Parent_Id.Accounts", "1")]).into()),
        with(&|write| write.fields = fields(&[name, ("Parent_Id.Accounts", "1"), ("Parent_Id.Deals", "11")]).into()),
        with(&|write| write.fields = fields(&[name, ("Parent_Id.Accounts", "1/../2")]).into()),
        with(&|write| write.fields = fields(&[name, ("Parent_Id.Accounts", "1"), ("Owner", "3")]).into()),
        with(&|write| write.content.as_mut().unwrap().bytes = 21 << 20),
    ];
    let before = stage.sent();
    for batch in &bad {
        let fault = stage.driver.write(batch).await.unwrap_err();
        assert!(matches!(fault.kind, FaultKind::Invalid | FaultKind::Unsupported), "{fault}");
    }
    let dialect = handover_platforms::dialect("zoho").unwrap();
    for id in ["1", "Accounts.1", "Accounts.1.2.3", "Users.1.2", "Accounts.1.../2"] {
        let operation =
            Operation::Download { object: "Attachments".into(), id: id.into(), to: folder.path().join("x") };
        assert!(dialect.encode(&operation, None).is_err(), "{id}");
    }
    assert_eq!(stage.sent(), before);
}

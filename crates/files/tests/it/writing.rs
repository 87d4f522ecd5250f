//! Rows written: appended, changed, never twice, never half.

use std::sync::Arc;

use handover_connect::{Connector, Delivery, FaultKind, Link, LinkBatch, WriteMode};
use handover_files::ObjectSettings;
use handover_model::{Content, Field, FieldName, Kind, ObjectName, ReadCost, RecordId, Value, Writable};

use super::folder::{Folder, batch, outcomes, text, upsert, write};

fn column(name: &str) -> Field {
    Field {
        name: name.into(),
        label: name.to_owned(),
        kind: Kind::Text { max: None, html: false },
        required: false,
        writable: Writable::Always,
        unique: false,
        custom: true,
        read: ReadCost::Listed,
        blank_is_zero: false,
    }
}

fn keyed() -> ObjectSettings {
    ObjectSettings { id: Some("key".into()), ..ObjectSettings::default() }
}

#[tokio::test]
async fn an_object_is_made_of_its_fields_and_filled() {
    let folder = Folder::new(&[]).with("contacts", keyed());
    let connector = folder.open();
    for name in ["name", "note", "name"] {
        connector.create_field(&"contacts".into(), &column(name)).await.unwrap();
    }
    assert_eq!(folder.text("contacts.csv"), "key,name,note\n");
    let writes = vec![
        write("t1", &[("key", "old:persons:1"), ("name", "Ana, Ltd"), ("note", "a \"b\"\nc")]),
        write("t2", &[("key", "old:persons:2"), ("name", "Ben")]),
    ];
    let written = connector.write(&upsert("contacts", "key", writes.clone())).await.unwrap();
    assert_eq!(outcomes(&written), ["old:persons:1 created", "old:persons:2 created"]);
    let after = folder.text("contacts.csv");
    assert_eq!(after, "key,name,note\nold:persons:1,\"Ana, Ltd\",\"a \"\"b\"\"\nc\"\nold:persons:2,Ben,\n");

    // Sent again, by this process and by another one: nothing twice.
    let written = connector.write(&upsert("contacts", "key", writes.clone())).await.unwrap();
    assert_eq!(outcomes(&written), ["old:persons:1 changed", "old:persons:2 changed"]);
    folder.open().write(&upsert("contacts", "key", writes)).await.unwrap();
    assert_eq!(folder.text("contacts.csv"), after);
    assert_eq!(connector.count(&"contacts".into()).await.unwrap(), Some(2));
    assert_eq!(folder.names(), ["contacts.csv"], "nothing is left beside the file");
}

#[tokio::test]
async fn updates_change_their_cells_and_no_others() {
    let folder = Folder::new(&[("contacts.csv", b"key;name;note\r\n1;\"A;B\";x\r\n2;C;y")]).with("contacts", keyed());
    let connector = folder.open();
    let mut first = write("t1", &[("note", "new")]);
    first.id = Some("1".into());
    let mut gone = write("t2", &[("note", "new")]);
    gone.id = Some("9".into());
    let written = connector.write(&batch("contacts", WriteMode::Update, vec![first, gone])).await.unwrap();
    assert_eq!(outcomes(&written), ["1 changed", "refused: not_found"]);
    let records = folder.all("contacts").await.unwrap();
    assert_eq!((text(&records[0], "name"), text(&records[0], "note")), ("A;B", "new"));
    assert_eq!((text(&records[1], "name"), text(&records[1], "note")), ("C", "y"));
    let mut clear = write("t3", &[]);
    clear.id = Some("2".into());
    std::sync::Arc::make_mut(&mut clear.fields).set("note".into(), Value::Null);
    connector.write(&batch("contacts", WriteMode::Update, vec![clear])).await.unwrap();
    assert_eq!(folder.all("contacts").await.unwrap()[1].fields.get("note"), Some(&Value::Null));
}

#[tokio::test]
async fn one_bad_row_does_not_take_the_others_with_it() {
    let folder = Folder::new(&[("contacts.csv", b"key,name\n1,A")]).with("contacts", keyed());
    let writes = vec![
        write("a", &[("key", "2"), ("name", "B")]),
        write("b", &[("name", "no key")]),
        write("c", &[("key", "3"), ("colour", "red")]),
        write("d", &[("key", "2"), ("name", "again")]),
        write("e", &[("key", "4")]),
    ];
    let written = folder.open().write(&upsert("contacts", "key", writes)).await.unwrap();
    let traces: Vec<_> = written.iter().map(|written| written.trace.to_string()).collect();
    assert_eq!(traces, ["a", "b", "c", "d", "e"]);
    assert_eq!(
        outcomes(&written),
        ["2 created", "refused: no_key", "refused: no_column", "refused: duplicate_key", "4 created"]
    );
    assert_eq!(folder.text("contacts.csv"), "key,name\n1,A\n2,B\n4,\n", "a last line without an end stays whole");
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_write_leaves_no_trace() {
    let whole = "key,name\n1,A\n";
    let folder = Folder::new(&[
        ("contacts.csv", format!("{whole}2,B\n3,ha").as_bytes()),
        (".contacts.csv.writing", format!("{};", whole.len()).as_bytes()),
    ])
    .with("contacts", keyed());
    let connector = folder.open();
    assert_eq!(folder.text("contacts.csv"), whole);
    let batch = upsert("contacts", "key", vec![write("t", &[("key", "2"), ("name", "B")])]);
    let fields: Arc<[_]> = ["key".into()].into();
    let found = connector.candidates(&batch, &fields, jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(found.len(), 0, "so it is sent again");
    connector.write(&batch).await.unwrap();
    let found = connector.candidates(&batch, &fields, jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(found[0].id.as_str(), "2");
    assert_eq!(folder.text("contacts.csv"), "key,name\n1,A\n2,B\n");

    // Half a note: the crash came before anything was appended.
    std::fs::write(folder.path(".contacts.csv.writing"), "1").unwrap();
    folder.open();
    assert_eq!(folder.text("contacts.csv"), "key,name\n1,A\n2,B\n");
}

#[tokio::test]
async fn a_file_in_another_encoding_becomes_utf8() {
    let folder = Folder::new(&[("contacts.csv", b"key,name\n1,M\xfcller\n2,Fran\xe7ois\n3,Se\xf1or\n")])
        .with("contacts", keyed());
    let batch = upsert("contacts", "key", vec![write("t", &[("key", "4"), ("name", "客户")])]);
    assert_eq!(outcomes(&folder.open().write(&batch).await.unwrap()), ["4 created"]);
    assert_eq!(folder.text("contacts.csv"), "key,name\n1,Müller\n2,François\n3,Señor\n4,客户\n");
}

#[tokio::test]
async fn bytes_go_into_the_folder_under_a_name_of_their_own() {
    let own = ObjectSettings { id: Some("key".into()), content: Some("path".into()), ..ObjectSettings::default() };
    let folder = Folder::new(&[("files.csv", b"key,name,path\n")]).with("files", own);
    let staged = folder.path("staged.bin");
    std::fs::write(&staged, b"bytes").unwrap();
    let mut file = write("old:files:7", &[("key", "old:files:7"), ("name", "../../etc/offer 1.pdf")]);
    file.content = Some(Content { path: staged, bytes: 5, blake3: blake3::hash(b"bytes").to_hex().to_string() });
    let connector = folder.open();
    connector.write(&upsert("files", "key", vec![file.clone()])).await.unwrap();
    connector.write(&upsert("files", "key", vec![file])).await.unwrap();
    let stored: Vec<_> = std::fs::read_dir(folder.path("files.files")).unwrap().collect();
    assert_eq!(stored.len(), 1, "the same file again is the same file");
    let to = folder.path("back.bin");
    let content = connector.download(&"files".into(), &"old:files:7".into(), &to).await.unwrap();
    assert_eq!(content.bytes, 5);
    assert_eq!(std::fs::read(&to).unwrap(), b"bytes");
}

#[tokio::test]
async fn rows_without_a_key_are_numbered() {
    let folder = Folder::new(&[("notes.csv", b"text\na\n")]);
    let connector = folder.open();
    for (note, outcome) in [("b", "2 created"), ("c", "3 created")] {
        let batch = batch("notes", WriteMode::Create { key: None }, vec![write("t", &[("text", note)])]);
        assert_eq!(outcomes(&connector.write(&batch).await.unwrap()), [outcome]);
    }
    assert_eq!(folder.text("notes.csv"), "text\na\nb\nc\n");
}

#[tokio::test]
async fn rows_are_not_taken_out_and_nothing_is_told_of_the_past() {
    let folder = Folder::new(&[("accounts.csv", b"id,name\n1,A\n2,B\n")]);
    let (connector, before) = (folder.open(), folder.text("accounts.csv"));
    let (object, ids) = (ObjectName::from("accounts"), [RecordId::from("1"), RecordId::from("2")]);
    let links = [Link { from: ids[0].clone(), to: ids[1].clone() }].into();
    let batch = LinkBatch { object: object.clone(), field: "name".into(), to_object: object.clone(), links };
    let delivery = Delivery {
        method: "POST",
        address: "https://hooks.example/",
        headers: &[],
        body: b"[]",
        secret: "s",
        at: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    let refusals = [
        connector.unlink(&batch).await.err(),
        connector.delete(&object, &ids).await.err(),
        connector.merge(&object, &ids[0], &ids[1]).await.err(),
        connector.history(&object, &Arc::from([FieldName::from("name")]), &ids).await.err(),
        connector.events(&delivery).err(),
    ];
    assert!(refusals.iter().all(|fault| fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::Unsupported)));
    assert_eq!(folder.text("accounts.csv"), before);
    let can = connector.capabilities().object("accounts").unwrap();
    assert!(can.delete_batch == 0 && can.merge_charges.is_none() && can.history_batch == 0);
}

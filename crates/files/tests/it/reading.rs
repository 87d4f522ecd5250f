//! Rows as records.

use handover_connect::{Connector, Cursor, Read, Which};
use handover_files::{ObjectSettings, Reference};
use handover_model::{Kind, Value};

use super::folder::{Folder, text};

#[tokio::test]
async fn every_encoding_gives_the_same_text() {
    let plain = "name,city\nMüller & Söhne,Köln\n客户,\n";
    let latin = "name,city\nMüller & Söhne,Köln\nFrançois Señor,Århus\nJosé Nuñez,Málaga\n";
    let western = encoding_rs::WINDOWS_1252.encode(latin).0.into_owned();
    let utf16 =
        |mark: &str| -> Vec<u8> { (mark.to_owned() + plain).encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let utf16_be: Vec<u8> = ("\u{feff}".to_owned() + plain).encode_utf16().flat_map(u16::to_be_bytes).collect();
    let cases: [(&str, Vec<u8>); 6] = [
        ("utf-8", plain.into()),
        ("utf-8", format!("\u{feff}{plain}").into()),
        ("utf-16le", utf16("\u{feff}")),
        ("utf-16le", utf16("")),
        ("utf-16be", utf16_be),
        ("windows-1252", western),
    ];
    for (encoding, bytes) in cases {
        let folder = Folder::new(&[("people.csv", &bytes)]);
        let records = folder.all("people").await.unwrap();
        assert_eq!(text(&records[0], "name"), "Müller & Söhne", "{encoding}");
        assert_eq!(text(&records[0], "city"), "Köln", "{encoding}");
        let inferred = folder.open().inferred(&"people".into()).unwrap();
        assert_eq!(inferred[0].what, encoding);
    }
}

#[tokio::test]
async fn delimiters_quotes_and_line_ends() {
    for (word, text_of) in [
        ("comma", "name,note\r\n\"Acme, Ltd\",\"two\nlines\"\r\n\r\nB,\"a \"\"b\"\"\"\r\n"),
        ("semicolon", "name;note\n\"Acme, Ltd\";\"two\nlines\"\nB;\"a \"\"b\"\"\""),
        ("tab", "name\tnote\nAcme, Ltd\t\"two\nlines\"\nB\t\"a \"\"b\"\"\"\n"),
        ("vertical bar", "name|note\nAcme, Ltd|\"two\nlines\"\nB|\"a \"\"b\"\"\"\n"),
    ] {
        let folder = Folder::new(&[("notes.csv", text_of.as_bytes())]);
        let records = folder.all("notes").await.unwrap();
        assert_eq!(records.len(), 2, "{word}");
        assert_eq!((text(&records[0], "name"), text(&records[0], "note")), ("Acme, Ltd", "two\nlines"), "{word}");
        assert_eq!(text(&records[1], "note"), "a \"b\"", "{word}");
        assert_eq!(folder.open().inferred(&"notes".into()).unwrap()[1].what, word);
    }
}

#[tokio::test]
async fn ids_are_a_column_or_the_number_of_the_row() {
    let bytes = b"account,name\n 00042 ,A\n43,B\n".as_slice();
    let ids = |records: Vec<handover_model::Record>| {
        records.into_iter().map(|record| record.id.to_string()).collect::<Vec<_>>()
    };
    let folder = Folder::new(&[("accounts.csv", bytes)]);
    assert_eq!(ids(folder.all("accounts").await.unwrap()), ["1", "2"]);
    let folder = folder.with("accounts", ObjectSettings { id: Some("account".into()), ..ObjectSettings::default() });
    assert_eq!(ids(folder.all("accounts").await.unwrap()), ["00042", "43"]);
}

#[tokio::test]
async fn references_go_through_the_column_that_they_name() {
    let own = ObjectSettings {
        references: [("account".into(), Reference { object: "accounts".into(), by: Some("account".into()) })].into(),
        ..ObjectSettings::default()
    };
    let folder = Folder::new(&[
        ("accounts.csv", b"id,account\n1,Acme\n2,Bolt\n3,Twin\n4,Twin\n"),
        ("sales_pipeline.csv", b"deal,account\nx,Bolt\ny, Acme \nz,Nobody\nv,Twin\nw,\n"),
    ])
    .with("sales_pipeline", own)
    .with("accounts", ObjectSettings { id: Some("id".into()), ..ObjectSettings::default() });
    let records = folder.all("sales_pipeline").await.unwrap();
    let accounts: Vec<_> = records.iter().map(|record| text(record, "account")).collect();
    assert_eq!(accounts, ["2", "1", "Nobody", "Twin", ""], "what points nowhere or to several stays as it is");
    assert_eq!(records[4].fields.get("account"), Some(&Value::Null));
    let schema = folder.open().describe(&"sales_pipeline".into()).await.unwrap();
    assert_eq!(schema.field("account").unwrap().kind, Kind::Reference { object: "accounts".into(), many: false });
}

#[tokio::test]
async fn only_the_fields_asked_for_are_read() {
    let folder = Folder::new(&[("people.csv", b"a,b,c\n1,x,\n")]);
    let fields: std::sync::Arc<[_]> = ["c".into(), "b".into()].into();
    let read = Read { object: "people".into(), fields: fields.clone(), which: Which::Live, since: None };
    let connector = folder.open();
    let page = connector.page(&read, None).await.unwrap();
    let names: Vec<_> = page.records[0].fields.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["b", "c"]);
    assert_eq!(connector.count(&"people".into()).await.unwrap(), Some(1));
    let fetched = connector.fetch(&"people".into(), &fields, &["1".into(), "7".into()]).await.unwrap();
    assert_eq!(fetched.len(), 1, "what does not exist is not among the results");
    let deleted = Read { which: Which::Deleted, ..read.clone() };
    assert_eq!(connector.page(&deleted, None).await.unwrap_err().kind, handover_connect::FaultKind::Unsupported);
    let bad = Cursor("elsewhere".to_owned());
    assert!(connector.page(&read, Some(&bad)).await.is_err());
}

#[tokio::test]
async fn many_pages_yield_each_row_once_even_when_rows_are_added() {
    let mut bytes = "id,name\n".to_owned();
    for number in 0..2_500 {
        bytes.push_str(&format!("{number},n{number}\n"));
    }
    let folder = Folder::new(&[("people.csv", bytes.as_bytes())]);
    let connector = folder.open();
    let read = Read { object: "people".into(), fields: ["id".into()].into(), which: Which::Live, since: None };
    let first = connector.page(&read, None).await.unwrap();
    assert_eq!((first.records.len(), first.next.clone()), (1_000, Some(Cursor("1000".to_owned()))));
    bytes.push_str("2500,n2500\n");
    std::fs::write(folder.path("people.csv"), &bytes).unwrap();
    // Another process goes on from the stored cursor.
    let mut seen = first.records.len();
    let connector = folder.open();
    let mut cursor = first.next;
    while let Some(place) = cursor {
        let page = connector.page(&read, Some(&place)).await.unwrap();
        assert_eq!(page.records[0].id.as_str(), (seen + 1).to_string());
        seen += page.records.len();
        cursor = page.next;
    }
    assert_eq!(seen, 2_501);
}

#[tokio::test]
async fn users_come_from_a_file() {
    let mut folder = Folder::new(&[
        ("people.csv", b"Email,Name,Active\nana@x.example,Ana,yes\nben@x.example,,no\n"),
        ("accounts.csv", b"a\n1\n"),
    ]);
    assert_eq!(folder.open().users().await.unwrap(), []);
    folder.settings.users = Some("people".into());
    let users = folder.open().users().await.unwrap();
    assert_eq!((users[0].id.as_str(), users[0].name.as_str(), users[0].active), ("ana@x.example", "Ana", true));
    assert_eq!((users[1].name.as_str(), users[1].active), ("ben@x.example", false));
    folder.settings.users = Some("accounts".into());
    let fault = folder.open().users().await.unwrap_err();
    assert_eq!(fault.message, "accounts.csv has no column `email`");
}

#[tokio::test]
async fn files_are_read_and_nothing_outside_of_the_folder() {
    let own = ObjectSettings { content: Some("path".into()), ..ObjectSettings::default() };
    let folder = Folder::new(&[("files.csv", b"name,path\na,docs\\a.txt\nb,../secret\nc,/etc/hostname\nd,\ne,link\n")])
        .with("files", own);
    std::fs::create_dir(folder.path("docs")).unwrap();
    std::fs::write(folder.path("docs/a.txt"), "bytes").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.path("link")).unwrap();
    let connector = folder.open();
    assert!(connector.describe(&"files".into()).await.unwrap().content);
    let to = folder.path("out");
    let content = connector.download(&"files".into(), &"1".into(), &to).await.unwrap();
    assert_eq!((content.bytes, std::fs::read_to_string(&to).unwrap().as_str()), (5, "bytes"));
    assert_eq!(content.blake3, blake3::hash(b"bytes").to_hex().to_string());
    for row in ["2", "3", "4", "5", "9"] {
        let fault = connector.download(&"files".into(), &row.into(), &to).await.unwrap_err();
        assert!(fault.message.starts_with("files.csv: the row"), "{}", fault.message);
    }
}

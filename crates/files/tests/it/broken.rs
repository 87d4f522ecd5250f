//! Files that cannot be read, and what their owner is told.

use handover_files::{ObjectSettings, Reference};

use super::folder::Folder;

async fn error(bytes: &[u8]) -> String {
    Folder::new(&[("accounts.csv", bytes)]).error("accounts").await
}

#[tokio::test]
async fn every_error_names_file_and_line() {
    let ragged: String = (0..30).map(|number| if number % 2 == 0 { "a,b\n" } else { "a,b,c\n" }).collect();
    let id = |bytes: &[u8]| {
        let own = ObjectSettings { id: Some("id".into()), ..ObjectSettings::default() };
        Folder::new(&[("accounts.csv", bytes)]).with("accounts", own)
    };
    let shown = [
        ("ragged", error(b"a,b\n1,2\n3\n4,5\n").await),
        ("many ragged", error(ragged.as_bytes()).await),
        ("NUL", error(b"a,b\n1,2\n3,\x004\n").await),
        ("empty", error(b"").await),
        ("blank header", error(b"a,,c\n1,2,3\n").await),
        ("double header", error(b"a,b,a\n1,2,3\n").await),
        ("no such file", Folder::new(&[]).error("accounts").await),
        ("duplicate id", id(b"id,x\n1,a\n2,b\n 1,c\n").error("accounts").await),
        ("blank id", id(b"id,x\n1,a\n,b\n,c\n").error("accounts").await),
        ("no id column", id(b"x,y\n1,a\n").error("accounts").await),
    ];
    let shown: Vec<String> = shown.iter().map(|(what, text)| format!("{what}: {text}")).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[tokio::test]
async fn an_unknown_reference_column_is_named() {
    let own = ObjectSettings {
        references: [("to".into(), Reference { object: "accounts".into(), by: Some("nme".into()) })].into(),
        ..ObjectSettings::default()
    };
    let folder = Folder::new(&[("deals.csv", b"to\nA\n"), ("accounts.csv", b"name\nA\n")]).with("deals", own);
    assert_eq!(folder.error("deals").await, "NotFound: accounts.csv has no column `nme` (not_found)");
}

#[tokio::test]
async fn bytes_that_are_not_the_configured_encoding() {
    let mut folder = Folder::new(&[("accounts.csv", b"name\nok\nM\xfcller\n")]);
    folder.settings.encoding = Some("utf-8".to_owned());
    insta::assert_snapshot!(
        folder.error("accounts").await,
        @"Malformed: accounts.csv, line 3: bytes that are no UTF-8; set the right `encoding` for the system (csv)"
    );
}

#[tokio::test]
async fn a_cell_that_is_too_large_and_a_quote_that_never_ends() {
    let mut large = b"name,note\na,b\nc,\"".to_vec();
    large.resize(large.len() + 11 * 1024 * 1024, b'x');
    large.extend_from_slice(b"\"\n");
    insta::assert_snapshot!(
        error(&large).await,
        @"Malformed: accounts.csv, line 3: the cell in column `note` is larger than 10 MB (csv)"
    );
    let mut endless = b"name,note\na,b\nc,\"".to_vec();
    endless.resize(endless.len() + 40 * 1024 * 1024, b'x');
    insta::assert_snapshot!(
        error(&endless).await,
        @"Malformed: accounts.csv, line 3: the record that begins here is larger than 32 MB: is a closing double quote missing? (csv)"
    );
}

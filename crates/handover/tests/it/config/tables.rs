//! Translation tables as spreadsheets leave them, and the row that answers a hold.

use handover::config::append_row;

use super::folder::Folder;

const TABLE: &str = "translations/deal_stages.csv";

fn rows(folder: &Folder) -> Vec<(String, String)> {
    let project = folder.load().unwrap_or_else(|text| panic!("{text}"));
    let rows = &project.tables["deal_stages"].rows;
    rows.iter().map(|(from, row)| (from.clone(), row.to.clone())).collect()
}

fn written(bytes: &[u8]) -> Folder {
    let folder = Folder::sample();
    folder.write(TABLE, bytes);
    folder
}

#[test]
fn what_spreadsheets_write_is_read() {
    let wanted = [("Größe".to_owned(), "a, b".to_owned()), ("x".to_owned(), "y".to_owned())];
    let cases: [&[u8]; 5] = [
        "from,to\nGröße,\"a, b\"\nx,y\n".as_bytes(),
        "\u{feff}from,to\r\nGröße,\"a, b\"\r\n\r\nx,y\r\n".as_bytes(),
        b"from;to;comment\r\nGr\xf6\xdfe;a, b;\r\nx;y;\r\n",
        "To\tFrom\tmine\na, b\tGröße\t1\ny\tx\t2".as_bytes(),
        "from,to\nGröße,\"a, b\"\nx,y\n,\nundecided,\n".as_bytes(),
    ];
    for (index, bytes) in cases.iter().enumerate() {
        assert_eq!(rows(&written(bytes)), wanted, "case {index}");
    }
    let utf16: Vec<u8> =
        "\u{feff}from\tto\r\nGröße\ta, b\r\nx\ty\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(rows(&written(&utf16)), wanted, "UTF-16");
}

#[test]
fn the_place_of_a_row_is_its_line() {
    let folder = written(b"from,to\n\"two\nlines\",a\nx,y\n");
    let project = folder.load().unwrap();
    assert_eq!(project.tables["deal_stages"].rows["x"].place.to_string(), "translations/deal_stages.csv:4:1");
}

#[test]
fn a_duplicate_names_both_lines() {
    insta::assert_snapshot!(written(b"from,to\n7,a\n8,b\n7,c\n").load().unwrap_err());
}

#[test]
fn ragged_rows_and_missing_columns_are_refused() {
    insta::assert_snapshot!(written(b"from,to\n7,a,b\n8\n9,c\n").load().unwrap_err());
    insta::assert_snapshot!(written(b"source,target\n7,a\n").load().unwrap_err());
    insta::assert_snapshot!(written(b"").load().unwrap_err());
    insta::assert_snapshot!(written(b"from,to\n,a\n").load().unwrap_err());
}

/// Spreadsheets end lines in two characters: the place is the same.
#[test]
fn a_row_has_the_same_place_whatever_ends_the_lines() {
    let told = |text: &[u8]| written(text).load().unwrap_err();
    let lines = told(b"from,to\n7,a\n8,b\n9\n");
    assert!(lines.contains("translations/deal_stages.csv:4"), "{lines}");
    assert_eq!(told(b"from,to\r\n7,a\r\n8,b\r\n9\r\n"), lines);
}

#[test]
fn cells_that_no_spreadsheet_writes_are_refused_without_being_shown() {
    insta::assert_snapshot!(written(b"from,to\n7,a\n8,b\0c\n").load().unwrap_err());
    let told = written(format!("from,to\n7,a\n8,{}\n", "x".repeat(11 << 20)).as_bytes()).load().unwrap_err();
    assert!(told.contains("translations/deal_stages.csv:3") && told.contains("larger than 64 kB"), "{:.1000}", told);
    assert!(told.len() < 1000, "{} bytes are shown", told.len());
    // A quote that is never closed swallows the rest of the file.
    let rest = "9,c\n".repeat(50_000);
    let told = written(format!("from,to\n7,a\n8,\"b\n{rest}").as_bytes()).load().unwrap_err();
    assert!(told.contains("closing double quote"), "{:.1000}", told);
}

/// Appends `9 -> ä, "b"` and gives the bytes that were added; the old ones must be untouched.
fn added(old: &[u8]) -> Vec<u8> {
    let folder = written(old);
    append_row(folder.root(), "deal_stages", "9", "ä, \"b\"", "by Ana").unwrap();
    let new = folder.read(TABLE);
    assert_eq!(&new[..old.len()], old);
    assert!(rows(&folder).contains(&("9".to_owned(), "ä, \"b\"".to_owned())));
    let mut files: Vec<_> =
        std::fs::read_dir(folder.path("translations")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["deal_stages.csv"], "no temporary file stays");
    new[old.len()..].to_vec()
}

#[test]
fn a_row_is_appended_in_the_file_s_own_form() {
    assert_eq!(added(b"from,to\n7,a\n"), "9,\"ä, \"\"b\"\"\"\n".as_bytes());
    assert_eq!(added(b"from,to\r\n7,a"), "\r\n9,\"ä, \"\"b\"\"\"\r\n".as_bytes());
    assert_eq!(added(b"to;from;comment;mine\n\xe4;1;;\n"), b"\"\xe4, \"\"b\"\"\";9;by Ana;\n");
}

#[test]
fn what_an_encoding_cannot_say_makes_the_file_utf8() {
    let folder = written(b"from,to\n\xe4,x\n");
    append_row(folder.root(), "deal_stages", "9", "客户", "").unwrap();
    assert_eq!(folder.read(TABLE), "\u{feff}from,to\nä,x\n9,客户\n".as_bytes());
}

#[test]
fn appending_makes_the_table_or_agrees_or_refuses() {
    let folder = Folder::sample();
    append_row(folder.root(), "users", "ana@old.example", "ana@new.example", "").unwrap();
    assert_eq!(folder.read("translations/users.csv"), b"from,to,comment\nana@old.example,ana@new.example,\n");
    append_row(folder.root(), "users", "ana@old.example", "ana@new.example", "").unwrap();
    assert_eq!(folder.read("translations/users.csv"), b"from,to,comment\nana@old.example,ana@new.example,\n");
    let problem = append_row(folder.root(), "users", "ana@old.example", "ben@new.example", "").unwrap_err();
    insta::assert_snapshot!(problem.render(false));
}

//! What the values of a whole column tell.

use handover_files::{Form, ObjectSettings};
use handover_model::{Kind, Value};

use super::folder::Folder;

/// The form found out for a column of these cells, and why.
fn form(cells: &[&str]) -> (String, String) {
    let text = format!("x,y\n{}\n", cells.iter().map(|cell| format!("\"{cell}\",z")).collect::<Vec<_>>().join("\n"));
    let folder = Folder::new(&[("t.csv", text.as_bytes())]);
    let inferred = folder.open().inferred(&"t".into()).unwrap();
    let column = inferred.iter().find(|found| found.column.as_ref().is_some_and(|column| *column == "x")).unwrap();
    (column.what.clone(), column.evidence.clone())
}

#[test]
fn forms_with_their_evidence() {
    let cases: [(&[&str], &str); 22] = [
        (&["a", "b"], "text"),
        (&["", " "], "text"),
        (&["1", "22", "-3"], "1,234.56"),
        (&["1", "", "2.5"], "1,234.56"),
        (&["1,234.50", "7"], "1,234.56"),
        (&["1.234,50", "7"], "1.234,56"),
        (&["1,5", "2,25"], "1.234,56"),
        (&["1.234", "5.678"], "text"),
        (&["01067", "12345"], "text"),
        (&["+49 30 1234", "123"], "text"),
        (&["12345678901234567890"], "text"),
        (&["yes", "No"], "yes/no"),
        (&["2024-01-31", "2024-2-1"], "y-m-d"),
        (&["31/12/2024", "01/02/2024"], "d/m/y"),
        (&["12/31/2024", "01/02/2024"], "m/d/y"),
        (&["01.02.2024", "03.04.2024"], "text"),
        (&["31.12.2024", "12/31/2024"], "text"),
        (&["2024-01-31 10:00", "2024-01-31T10:00:05Z"], "y-m-d time"),
        (&["31.01.2024 9:30"], "d/m/y time"),
        (&["01/02/2024 10:00"], "text"),
        (&["2024-02-30"], "text"),
        (&["31/12/24"], "text"),
    ];
    let shown: Vec<String> = cases
        .iter()
        .map(|(cells, wanted)| {
            let (what, why) = form(cells);
            assert_eq!(what, *wanted, "{cells:?}: {why}");
            format!("{}: {what}: {why}", cells.join(" | "))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn the_last_row_counts_as_much_as_the_first() {
    let mut cells = vec!["01/02/2024"; 5_000];
    assert_eq!(form(&cells).0, "text");
    cells.push("13/02/2024");
    assert_eq!(form(&cells), ("d/m/y".to_owned(), "line 5002 can only be read with the day first".to_owned()));
    cells.push("n/a");
    assert_eq!(form(&cells).0, "text");
}

#[tokio::test]
async fn values_take_the_columns_form_and_the_project_decides_what_is_ambiguous() {
    let bytes = b"day,amount,at,flag,code\n01/02/2024,\"1.234\",2024-01-31 10:00+02:00,yes,007\n,,,,\n";
    let folder = Folder::new(&[("t.csv", bytes.as_slice())]);
    let records = folder.all("t").await.unwrap();
    assert_eq!(records[0].fields.get("day"), Some(&Value::from("01/02/2024")), "ambiguous: text");
    assert_eq!(records[0].fields.get("at"), Some(&Value::DateTime("2024-01-31T08:00:00Z".parse().unwrap())));
    assert_eq!(records[0].fields.get("flag"), Some(&Value::Bool(true)));
    assert_eq!(records[0].fields.get("code"), Some(&Value::from("007")));
    assert!(records[1].fields.iter().all(|(_, value)| *value == Value::Null));

    let columns = [("day", "m/d/y"), ("amount", "1.234,56"), ("code", "1,234.56")];
    let columns = columns.map(|(name, word)| (name.into(), Form::from_word(word).unwrap())).into();
    let folder = folder.with("t", ObjectSettings { columns, ..ObjectSettings::default() });
    let records = folder.all("t").await.unwrap();
    assert_eq!(records[0].fields.get("day"), Some(&Value::Date("2024-01-02".parse().unwrap())));
    assert_eq!(records[0].fields.get("amount"), Some(&Value::from(1_234)));
    assert_eq!(records[0].fields.get("code"), Some(&Value::from("007")), "what does not fit stays text");
    let schema = handover_connect::Connector::describe(&folder.open(), &"t".into()).await.unwrap();
    assert_eq!(schema.field("day").unwrap().kind, Kind::Date);
}

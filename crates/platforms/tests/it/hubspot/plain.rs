//! Pages and answers to batches are read from their bytes at once, or as a tree when they are odd: both ways
//! give the same.

use handover_connect::{Dialect as _, Operation, Reply, Step, WriteMode};
use serde_json::{Value as Json, json};

use super::{batch, list, page, property, taught};

fn raw(body: &str) -> Reply {
    Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec(), sunk: None }
}

fn odd_values() -> Json {
    json!([null, true, false, 0, 1.5, "", "x", "1.50", "1e3", "n/a", "true", "2024-02-29", "2023-02-29", "1704067200000",
        "2024-01-01T00:00:00.123Z", "a;b; ;c", "ü \" \\ \n", [], ["a"], {}, {"value": "x"}])
}

const KINDS: [(&str, &str, &str); 6] = [
    ("a_text", "string", "text"),
    ("a_number", "number", "number"),
    ("a_flag", "bool", "booleancheckbox"),
    ("a_day", "date", "date"),
    ("many", "enumeration", "checkbox"),
    ("lastmodifieddate", "datetime", "date"),
];

#[test]
fn both_ways_of_reading_a_page_give_the_same() {
    let known = KINDS.map(|(name, kind, field)| property(name, kind, field, &json!({})));
    let dialect = taught("contacts", &known);
    let mut rows = Vec::new();
    for (at, value) in odd_values().as_array().unwrap().iter().enumerate() {
        let mut properties = json!({"unheard": value, "ignored": value});
        for (name, ..) in KINDS {
            properties[name] = value.clone();
        }
        let mut row = json!({"id": (at + 1).to_string(), "properties": properties, "ignored": value});
        for name in ["updatedAt", "archivedAt", "archived", "associations"] {
            row[name] = value.clone();
        }
        rows.push(row);
    }
    let links = json!({"companies": {"results": [{"id": "7", "type": "x"}, {"id": "7", "type": "y"}, {"id": 8}]}});
    rows.push(json!({"id": 5000, "properties": {}, "associations": links, "updatedAt": "2024-05-01T00:00:00Z"}));
    let text = Json::from(rows).to_string();
    let wanted =
        ["a_text", "a_number", "a_flag", "a_day", "many", "lastmodifieddate", "unheard", "associations.companies"];
    for wanted in [&wanted[..], &wanted[..5]] {
        let operation = list("contacts", wanted);
        let paging = r#""paging":{"next":{"after":"x"}}"#;
        let plain = dialect.decode(&operation, None, &raw(&format!(r#"{{"results":{text},{paging}}}"#)));
        // A key that stands twice is not plain; the tree takes the last.
        let odd = dialect.decode(&operation, None, &raw(&format!(r#"{{"results":[],"results":{text},{paging}}}"#)));
        let (plain, odd) = (page(plain), page(odd));
        assert_eq!(plain.1, odd.1);
        assert_eq!(plain.0.len(), odd.0.len());
        for (plain, odd) in plain.0.iter().zip(&odd.0) {
            assert!(plain == odd, "record {}: {:?} and {:?}", plain.id, plain.fields, odd.fields);
        }
    }
}

#[test]
fn half_a_page_is_no_page() {
    let dialect = taught("contacts", &[property("a_text", "string", "text", &json!({}))]);
    let operation = list("contacts", &["a_text"]);
    let row = |id: u32| json!({"id": id.to_string(), "properties": {"a_text": "é", "b": [1.5]}, "archived": false});
    let whole = json!({"paging": {"next": {"after": "x"}}, "results": [row(1), row(2)]}).to_string();
    assert_eq!(page(dialect.decode(&operation, None, &raw(&whole))).0.len(), 2);
    for (end, _) in whole.char_indices() {
        assert!(dialect.decode(&operation, None, &raw(&whole[..end])).is_err(), "cut off at {end}");
    }
    assert!(dialect.decode(&operation, None, &raw(&whole.replacen("\"id\":\"2\"", "\"no\":\"2\"", 1))).is_err());
}

#[test]
fn both_ways_of_reading_a_batchs_answer_give_the_same() {
    let dialect = taught("contacts", &[property("k", "string", "text", &json!({"hasUniqueValue": true}))]);
    let key = |value: &str| [("k", value.into())];
    let (one, two) = (key("A"), key("B"));
    let upsert = batch("contacts", WriteMode::Upsert { key: "k".into() }, &[("a", None, &one), ("b", None, &two)]);
    let operation = Operation::Write(upsert);
    let told = |results: &str, rest: &str| match dialect.decode(
        &operation,
        None,
        &raw(&format!(r#"{{{rest}"results":[{results}]}}"#)),
    ) {
        Ok(Step::Written(written)) => written.iter().map(|one| format!("{} {:?}", one.trace, one.outcome)).collect(),
        other => vec![format!("{other:?}")],
    };
    let row = |id: &str, trace: &str, new: &str| {
        format!(r#"{{"id":{id},"objectWriteTraceId":{trace},"new":{new},"properties":{{"k":"a"}}}}"#)
    };
    let (first, second) = (row("\"1\"", "\"a\"", "true"), row("\"2\"", "\"b\"", "false"));
    let cases = [
        format!("{first},{second}"),
        format!("{second},{first}"),
        first.clone(),
        format!("{first},{first}"),
        format!("{first},{}", row("\"2\"", "\"c\"", "true")),
        format!("{first},{}", row("\"\"", "\"b\"", "true")),
        format!("{first},{}", row("2", "\"b\"", "\"x\"")),
        format!("{},{second}", row("\"1\"", "null", "true")),
    ];
    for case in cases {
        // A key that stands twice is not plain; the tree takes the last.
        assert_eq!(told(&case, ""), told(&case, r#""results":[],"#), "{case}");
        assert_eq!(told(&case, r#""errors":[],"#), told(&case, r#""errors":[],"results":[],"#), "{case}");
    }
    let failed = r#""errors":[{"category":"VALIDATION_ERROR","context":{"objectWriteTraceId":["b"]}}],"#;
    assert!(told(&first, failed)[1].contains("Refused"));
    assert!(told(&format!("{first},{second}"), failed)[0].contains("Applied"));
    let text = format!(r#"{{"results":[{first},{second}]}}"#);
    for end in 0..text.len() {
        assert!(dialect.decode(&operation, None, &raw(&text[..end])).is_err(), "cut off at {end}");
    }
}

//! A page is read from its bytes at once, or as a tree when it is odd: both ways give the same records.

use super::*;

/// Values as nobody wants them, and as they usually are.
fn odd_values() -> Vec<Json> {
    let numbers = json!([
        0,
        7,
        -7,
        1.5,
        -0.0,
        0.1,
        1e21,
        123456.789,
        1.0,
        1e-7,
        0.30000000000000004,
        9007199254740993_u64,
        u64::MAX
    ]);
    let texts = json!([
        "",
        " ",
        "x",
        "0",
        "1",
        "true",
        "12.50",
        "1e3",
        "2024-02-29",
        "2023-02-29",
        "2024-02-29T10:11:12Z",
        "2024-02-29T10:11:60Z",
        "2024-02-29 10:11:12",
        "24:00:00",
        "10:11:12",
        "10:11",
        "ü \" \\ \n \u{1f600}"
    ]);
    let rest = json!([null, true, false, [], {}, [1, "2", null, [3]], {"value": 5, "currency": "EUR", "locality": "Bonn"},
        {"id": 9}, {"value": null}, [{"value": "a@b.example", "primary": true, "label": "work"}, {"value": 1.50}]]);
    [numbers, texts, rest].into_iter().flat_map(|list| list.as_array().unwrap().clone()).collect()
}

fn wanted() -> Vec<String> {
    let parts = [("b", "value"), ("b", "currency"), ("1", "value"), ("1", "locality")];
    let parts = parts.map(|(letter, part)| format!("{}.{part}", letter.repeat(40)));
    let custom = ['a', 'c', 'd', 'e', '2', '3', '4'].map(code);
    let system = ["title", "value", "label_ids", "add_time", "person_id", "expected_close_date", "participants"];
    system.into_iter().map(str::to_owned).chain(parts).chain(custom).collect()
}

/// A row in which every field has this value.
fn row(id: usize, value: &Json) -> Json {
    let mut row = json!({"id": id, "ignored": value, "custom_fields": {"ignored": value}});
    for name in wanted().iter().map(|name| name.split('.').next().unwrap()) {
        let place = if name.len() == 40 { &mut row["custom_fields"] } else { &mut row };
        place[name] = value.clone();
    }
    for name in ["update_time", "is_deleted", "is_archived", "participants_count"] {
        row[name] = value.clone();
    }
    row
}

fn raw(body: String) -> Reply {
    Reply { status: 200, headers: Vec::new(), body: body.into_bytes(), sunk: None }
}

#[test]
fn both_ways_of_reading_a_page_give_the_same() {
    let dialect = learned();
    let wanted = wanted();
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let operation = list("deals", &wanted);
    let rows: Vec<Json> = odd_values().iter().enumerate().map(|(at, value)| row(at + 1, value)).collect();
    let mut more = vec![json!({"id": "a", "custom_fields": null, "x": 1}), json!({"id": {"value": 5}, "title": "T"})];
    more.extend(rows);
    let text = Json::from(more).to_string();
    let plain = raw(format!(r#"{{"success":true,"data":{text},"additional_data":{{"next_cursor":"n"}}}}"#));
    // A key that stands twice is not plain; the tree takes the last.
    let odd = raw(format!(r#"{{"data":[],"data":{text},"additional_data":{{"next_cursor":"n"}}}}"#));
    let (plain, odd) = (page(&dialect, &operation, None, &plain), page(&dialect, &operation, None, &odd));
    assert_eq!(plain.1, odd.1);
    assert_eq!(plain.0.len(), odd.0.len());
    for (plain, odd) in plain.0.iter().zip(&odd.0) {
        assert!(plain == odd, "record {}: {:?} and {:?}", plain.id, plain.fields, odd.fields);
        let same = plain.fields.iter().zip(odd.fields.iter()).all(|(a, b)| a.1.display() == b.1.display());
        assert!(same, "record {}", plain.id);
    }
}

#[test]
fn half_a_page_is_no_page() {
    let dialect = learned();
    let operation = list("deals", &["title", "value", &code('a')]);
    let rows = json!([row(1, &json!("é")), row(2, &json!({"value": 1.5}))]);
    let whole = json!({"success": true, "data": rows, "additional_data": {"next_cursor": null}}).to_string();
    let decode = |body: &[u8]| {
        let reply = Reply { status: 200, headers: Vec::new(), body: body.to_vec(), sunk: None };
        dialect.decode(&operation, None, &reply)
    };
    assert!(decode(whole.as_bytes()).is_ok());
    for end in 0..whole.len() {
        assert!(decode(&whole.as_bytes()[..end]).is_err(), "cut off at {end}");
    }
    assert!(decode(format!("{whole}x").as_bytes()).is_err());
    let refused = whole.replacen("true", "false", 1);
    assert!(decode(refused.as_bytes()).is_err());
    let nameless = whole.replacen("\"id\":2", "\"no\":2", 1);
    assert!(nameless != whole && decode(nameless.as_bytes()).is_err());
}

//! `/composite/sobjects`: rows judged one by one, in order.

use handover_sandbox::faults::{Fault, FaultPlan, Rule, When};
use serde_json::{Value as Json, json};

use super::{Org, refused};

fn row(kind: &str, mut fields: Json) -> Json {
    fields["attributes"] = json!({"type": kind});
    fields
}

#[test]
fn good_rows_are_written_and_bad_ones_told() {
    let mut org = Org::keyed();
    let records =
        json!([row("Account", json!({"Name": "A"})), row("Contact", json!({})), row("Account", json!({"Name": "B"}))]);
    let results = org.post("composite/sobjects", &json!({"allOrNone": false, "records": records}), 200);
    assert_eq!(results[0]["success"], true);
    assert_eq!(
        results[1],
        json!({"success": false, "errors": [{"statusCode": "REQUIRED_FIELD_MISSING",
        "message": "Required fields are missing: [LastName]", "fields": ["LastName"]}]})
    );
    assert_eq!(results[2]["success"], true);
    let whole = org.post("composite/sobjects", &json!({"allOrNone": true, "records": records}), 200);
    assert_eq!(whole[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!(whole[1]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING");
    assert!(whole[0].get("id").is_none());
    assert_eq!(org.query("SELECT Id FROM Account").len(), 2);
    let id = results[0]["id"].as_str().unwrap().to_owned();
    let updates = json!([
        row("Account", json!({"id": id, "Site": "x"})),
        row("Account", json!({"id": id, "Site": "y"})),
        row("Account", json!({"Id": "001Hs0000zzzzzz", "Site": "x"}))
    ]);
    let results = org.patch("composite/sobjects", &json!({"records": updates}), 200);
    assert_eq!(results[0], json!({"id": id, "success": true, "errors": []}));
    assert_eq!(results[1]["errors"][0]["statusCode"], "DUPLICATE_VALUE");
    assert_eq!(results[2]["errors"][0]["statusCode"], "INVALID_CROSS_REFERENCE_KEY");
}

#[test]
fn an_upsert_says_what_it_created() {
    let mut org = Org::keyed();
    let rows = |names: &[(&str, &str)]| -> Json {
        let rows: Vec<Json> =
            names.iter().map(|(key, name)| row("Account", json!({"Src_Id__c": key, "Name": name}))).collect();
        json!({"records": rows})
    };
    let path = "composite/sobjects/Account/Src_Id__c";
    let first = org.patch(path, &rows(&[("A", "a"), ("B", "b")]), 200);
    assert_eq!((&first[0]["created"], &first[1]["created"]), (&json!(true), &json!(true)));
    let second = org.patch(path, &rows(&[("a", "a2"), ("C", "c"), ("c", "c2"), ("", "none")]), 200);
    assert_eq!((&second[0]["created"], &second[0]["id"]), (&json!(false), &first[0]["id"]));
    assert_eq!(second[1]["created"], true);
    assert_eq!(second[2]["errors"][0]["statusCode"], "DUPLICATE_VALUE");
    assert_eq!(second[3]["errors"][0]["statusCode"], "MISSING_ARGUMENT");
    refused(org.call("PATCH", "composite/sobjects/Account/Site", Some(&rows(&[]))), 404, "NOT_FOUND");
}

#[test]
fn ids_are_read_and_deleted_in_lists() {
    let mut org = Org::new();
    let (a, b) = (org.create("Account", &json!({"Name": "A"})), org.create("Account", &json!({"Name": "B"})));
    let read =
        org.post("composite/sobjects/Account", &json!({"ids": [b, "001Hs0000zzzzzz", a], "fields": ["Name"]}), 200);
    assert_eq!((&read[0]["Name"], &read[1], &read[2]["Name"]), (&json!("B"), &Json::Null, &json!("A")));
    let gone = org.call("DELETE", &format!("composite/sobjects?ids={a},{a}&allOrNone=false"), None).1;
    assert_eq!((&gone[0]["success"], &gone[1]["errors"][0]["statusCode"]), (&json!(true), &json!("ENTITY_IS_DELETED")));
    let kept = org.call("DELETE", &format!("composite/sobjects?ids={b},{a}&allOrNone=true"), None).1;
    assert_eq!(kept[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!(org.query("SELECT Id FROM Account").len(), 1);
}

#[test]
fn lists_have_limits() {
    let mut org = Org::new();
    let many: Vec<Json> = (0..201).map(|n| row("Account", json!({"Name": n.to_string()}))).collect();
    refused(org.call("POST", "composite/sobjects", Some(&json!({"records": many}))), 400, "EXCEEDED_ID_LIMIT");
    let mixed: Vec<Json> =
        (0..11)
            .map(|n| {
                if n % 2 == 0 { row("Account", json!({"Name": "x"})) } else { row("Contact", json!({"LastName": "x"})) }
            })
            .collect();
    refused(org.call("POST", "composite/sobjects", Some(&json!({"records": mixed}))), 400, "INVALID_FIELD");
    assert_eq!(org.query("SELECT Id FROM Account").len(), 0);
}

#[test]
fn an_unknown_field_stops_the_list_or_its_row() {
    let records =
        json!({"records": [row("Account", json!({"Name": "A"})), row("Account", json!({"Name": "B", "foo": 1}))]});
    let mut org = Org::new();
    let told = refused(org.call("POST", "composite/sobjects", Some(&records)), 400, "INVALID_FIELD");
    assert_eq!(told, "No such column 'foo' on sobject of type Account");
    assert_eq!(org.query("SELECT Id FROM Account").len(), 0);
    let mut org = Org::of(json!({"settings": {"collection_parse_errors": "row"}}));
    let results = org.post("composite/sobjects", &records, 200);
    assert_eq!(
        (&results[0]["success"], &results[1]["errors"][0]["statusCode"]),
        (&json!(true), &json!("INVALID_FIELD"))
    );
}

#[test]
fn a_fault_can_apply_half_a_list() {
    let mut org = Org::new();
    let fault = Fault::HalfBatch { apply_only: 1, status: Some(503) };
    org.sandbox.set_faults(FaultPlan::new(
        1,
        vec![Rule { name: None, when: When { nth: Some(1), ..When::default() }, fault }],
    ));
    let records = json!({"records": [row("Account", json!({"Name": "A"})), row("Account", json!({"Name": "B"}))]});
    assert_eq!(org.call("POST", "composite/sobjects", Some(&records)).0, 503);
    assert_eq!(org.texts("Name", "SELECT Name FROM Account"), ["A"]);
}

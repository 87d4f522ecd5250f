//! Checklist 5 and 6: batches, partial failure, upsert.

use handover_sandbox::faults::FaultPlan;
use serde_json::{Value as Json, json};

use super::{Client, ids, refused};

const CREATE: &str = "/crm/v3/objects/contacts/batch/create";

fn contact(email: &str, trace: Option<&str>) -> Json {
    let mut input = json!({"properties": {"email": email}});
    if let Some(trace) = trace {
        input["objectWriteTraceId"] = trace.into();
    }
    input
}

fn count(client: &mut Client) -> usize {
    client.get("/crm/v3/objects/contacts?limit=100").1["results"].as_array().unwrap().len()
}

#[test]
fn more_than_a_hundred_inputs_are_refused() {
    let mut client = Client::new();
    for (verb, input) in [
        ("read", json!({"id": "1"})),
        ("create", json!({"properties": {"lastname": "L"}})),
        ("update", json!({"id": "1", "properties": {}})),
        ("upsert", json!({"id": "1", "properties": {}})),
        ("archive", json!({"id": "1"})),
    ] {
        let reply = client.post(&format!("/crm/v3/objects/contacts/batch/{verb}"), json!({"inputs": vec![input; 101]}));
        refused(reply, 400, "VALIDATION_ERROR");
    }
    refused(client.post(CREATE, json!({})), 400, "VALIDATION_ERROR");
    assert_eq!(count(&mut client), 0);
}

#[test]
fn without_trace_ids_the_first_bad_row_fails_the_request() {
    let mut client = Client::new();
    let first = client.create("contacts", json!({"email": "one@b.co"}));
    let inputs = json!({"inputs": [contact("two@b.co", None), contact("one@b.co", None), contact("x", None)]});
    let message = refused(client.post(CREATE, inputs), 409, "CONFLICT");
    assert_eq!(message, format!("Contact already exists. Existing ID: {first}"));
    assert_eq!(count(&mut client), 1, "nothing of it was written");
    let mut other = Client::new();
    other.create("contacts", json!({"email": "one@b.co"}));
    let next = json!({"email": "next@b.co"});
    assert_eq!(client.create("contacts", next.clone()), other.create("contacts", next), "nor an id drawn");
}

#[test]
fn by_setting_a_refused_batch_leaves_rows_written() {
    let mut client = Client::with(json!({"partial_write_on_refusal": true}));
    client.create("contacts", json!({"email": "one@b.co"}));
    let inputs = json!({"inputs": [contact("two@b.co", None), contact("one@b.co", None), contact("three@b.co", None)]});
    refused(client.post(CREATE, inputs), 409, "CONFLICT");
    assert_eq!(count(&mut client), 2, "the row before the bad one stands");
}

#[test]
fn with_trace_ids_bad_rows_stand_in_a_207() {
    let mut client = Client::new();
    let first = client.create("contacts", json!({"email": "one@b.co"}));
    let inputs = json!({"inputs": [contact("two@b.co", Some("r1")), contact("one@b.co", Some("r2")),
        contact("bad", Some("r3")), contact("three@b.co", Some("r4"))]});
    let (status, body) = client.post(CREATE, inputs);
    assert_eq!((status, &body["status"], &body["numErrors"]), (207, &json!("COMPLETE"), &json!(2)));
    let traces: Vec<&Json> = body["results"].as_array().unwrap().iter().map(|r| &r["objectWriteTraceId"]).collect();
    assert!(traces.len() == 2 && traces.contains(&&json!("r1")) && traces.contains(&&json!("r4")));
    let errors = body["errors"].as_array().unwrap();
    assert_eq!(errors[0]["context"]["objectWriteTraceId"], json!(["r2"]));
    assert_eq!(
        (&errors[0]["category"], &errors[0]["message"]),
        (&json!("CONFLICT"), &json!(format!("Contact already exists. Existing ID: {first}")))
    );
    assert_eq!(errors[1]["context"]["objectWriteTraceId"], json!(["r3"]));
    assert_eq!(errors[1]["errors"][0]["code"], "INVALID_EMAIL");
    let twice = json!({"inputs": [contact("a@b.co", Some("x")), contact("b@b.co", Some("x"))]});
    refused(client.post(CREATE, twice), 400, "VALIDATION_ERROR");
}

#[test]
fn results_stand_in_another_order_than_the_inputs() {
    let emails: Vec<String> = (0..20).map(|n| format!("c{n}@b.co")).collect();
    let order = |client: &mut Client| -> Vec<String> {
        let inputs: Vec<Json> = emails.iter().map(|e| contact(e, None)).collect();
        let (status, body) = client.post(CREATE, json!({"inputs": inputs}));
        assert_eq!(status, 201);
        let email = |r: &Json| r["properties"]["email"].as_str().unwrap().to_owned();
        body["results"].as_array().unwrap().iter().map(email).collect()
    };
    let shuffled = order(&mut Client::new());
    assert_ne!(shuffled, emails);
    assert_eq!(shuffled, order(&mut Client::new()), "but always in the same");
    assert_eq!(order(&mut Client::with(json!({"shuffle_results": false}))), emails);
}

#[test]
fn a_batch_read_names_the_missing() {
    let mut client = Client::new();
    let id = client.create("contacts", json!({"email": "one@b.co"}));
    let read = "/crm/v3/objects/contacts/batch/read";
    let (status, body) = client.post(read, json!({"properties": ["email"], "inputs": [{"id": id}, {"id": "5"}]}));
    assert_eq!((status, &body["numErrors"]), (207, &json!(1)));
    assert_eq!(body["errors"][0]["category"], "OBJECT_NOT_FOUND");
    assert_eq!(body["errors"][0]["context"]["ids"], json!(["5"]));
    let by_email = json!({"properties": [], "idProperty": "email", "inputs": [{"id": "ONE@b.co"}]});
    let (status, body) = client.post(read, by_email);
    assert_eq!((status, ids(&body)), (200, vec![id.clone()]));
    client.delete(&format!("/crm/v3/objects/contacts/{id}"));
    let (status, body) = client.post(&format!("{read}?archived=true"), json!({"inputs": [{"id": id}]}));
    assert_eq!((status, &body["results"][0]["archived"]), (200, &json!(true)));
}

#[test]
fn batch_update_reports_missing_records_by_row() {
    let mut client = Client::new();
    let id = client.create("contacts", json!({"email": "one@b.co"}));
    let update = "/crm/v3/objects/contacts/batch/update";
    let (status, body) = client.post(
        update,
        json!({"inputs": [{"id": id, "properties": {"city": "Ulm"}}, {"id": "5", "properties": {"city": "Ulm"}}]}),
    );
    assert_eq!((status, ids(&body)), (207, vec![id.clone()]));
    assert_eq!(body["errors"][0]["context"]["ids"], json!(["5"]));
    let bad = json!({"inputs": [{"id": id, "properties": {"city": "Bonn"}}, {"id": id.clone() + "0", "properties": {"x": "1"}}]});
    client.post(update, bad);
    let by_email = json!({"inputs": [{"id": "one@b.co", "idProperty": "email", "properties": {"city": "Kiel"}}]});
    refused(client.post(update, by_email), 400, "VALIDATION_ERROR");
}

#[test]
fn refused_rows_of_an_update_fail_all_unless_traced() {
    let mut client = Client::new();
    let a = client.create("contacts", json!({"email": "a@b.co"}));
    let b = client.create("contacts", json!({"email": "b@b.co"}));
    let update = "/crm/v3/objects/contacts/batch/update";
    let rows = |traced: bool| {
        let mut rows =
            json!({"inputs": [{"id": a, "properties": {"city": "Ulm"}}, {"id": b, "properties": {"nope": "1"}}]});
        if traced {
            rows["inputs"][0]["objectWriteTraceId"] = "1".into();
            rows["inputs"][1]["objectWriteTraceId"] = "2".into();
        }
        rows
    };
    refused(client.post(update, rows(false)), 400, "VALIDATION_ERROR");
    assert_eq!(client.value("contacts", &a, "city"), Json::Null, "undone");
    let (status, body) = client.post(update, rows(true));
    assert_eq!((status, ids(&body)), (207, vec![a]));
    assert_eq!(body["errors"][0]["context"]["objectWriteTraceId"], json!(["2"]));
    let mut by_row = Client::with(json!({"batch_row_errors": "rows"}));
    let a = by_row.create("contacts", json!({"email": "a@b.co"}));
    let rows = json!({"inputs": [{"id": a, "properties": {"city": "Ulm"}}, {"id": a.clone() + "1", "properties": {}}]});
    assert_eq!(by_row.post(update, rows).0, 207);
}

#[test]
fn upsert_creates_or_updates_by_a_unique_key() {
    let mut client = Client::new();
    let property = json!({"name": "src_key", "label": "K", "type": "string", "fieldType": "text",
        "groupName": "dealinformation", "hasUniqueValue": true});
    assert_eq!(client.post("/crm/v3/properties/deals", property).0, 201);
    let row = |key: &str, name: &str| {
        json!({"id": key, "idProperty": "src_key", "objectWriteTraceId": key,
            "properties": {"dealname": name, "dealstage": "closedwon"}})
    };
    let upsert = "/crm/v3/objects/deals/batch/upsert";
    let (status, body) = client.post(upsert, json!({"inputs": [row("k1", "One"), row("k2", "Two")]}));
    assert_eq!(status, 200, "{body}");
    assert!(body["results"].as_array().unwrap().iter().all(|r| r["new"] == true));
    let made = ids(&body);
    let (_, body) = client.post(upsert, json!({"inputs": [row("k1", "One again"), row("k3", "Three")]}));
    let news: Vec<(&Json, &Json)> =
        body["results"].as_array().unwrap().iter().map(|r| (&r["objectWriteTraceId"], &r["new"])).collect();
    assert!(news.contains(&(&json!("k1"), &json!(false))) && news.contains(&(&json!("k3"), &json!(true))));
    let (_, found) = client.get("/crm/v3/objects/deals/k1?idProperty=src_key&properties=dealname,src_key");
    assert_eq!(
        (&found["properties"]["dealname"], &found["properties"]["src_key"]),
        (&json!("One again"), &json!("k1"))
    );
    assert!(made.contains(&found["id"].as_str().unwrap().to_owned()));
    let taken = json!({"properties": {"dealname": "D", "dealstage": "closedwon", "src_key": "K2"}});
    let reply = client.post("/crm/v3/objects/deals", taken);
    assert_eq!(reply.1["errors"][0]["code"], "CONFLICTING_UNIQUE_VALUE");
    refused(reply, 400, "VALIDATION_ERROR");
}

#[test]
fn upsert_by_a_property_that_is_not_unique_is_refused_word_for_word() {
    let mut client = Client::new();
    for (object, kind, name) in
        [("companies", "0-2", "domain"), ("deals", "0-3", "dealname"), ("contacts", "0-1", "hs_object_id")]
    {
        let inputs = json!({"inputs": [{"id": "x", "idProperty": name, "properties": {}}]});
        let message =
            refused(client.post(&format!("/crm/v3/objects/{object}/batch/upsert"), inputs), 400, "VALIDATION_ERROR");
        assert_eq!(message, format!("Unable to perform update/upsert by non-unique {kind} property {name}"));
    }
}

#[test]
fn two_inputs_for_one_record_are_an_error_or_the_last_wins() {
    let rows = json!({"inputs": [
        {"id": "a@b.co", "idProperty": "email", "properties": {"city": "Ulm"}},
        {"id": "A@b.co", "idProperty": "email", "properties": {"city": "Bonn"}}]});
    let upsert = "/crm/v3/objects/contacts/batch/upsert";
    refused(Client::new().post(upsert, rows.clone()), 400, "VALIDATION_ERROR");
    let mut lenient = Client::with(json!({"duplicates_in_batch": "last_wins"}));
    let (status, body) = lenient.post(upsert, rows);
    assert_eq!(status, 200, "{body}");
    assert_eq!(count(&mut lenient), 1);
    let id = ids(&body)[0].clone();
    assert_eq!(lenient.value("contacts", &id, "city"), "Bonn");
}

#[test]
fn half_a_batch_is_applied_when_the_answer_is_lost() {
    let mut client = Client::new();
    let plan = json!({"rules": [{"when": {"path": "/crm/v3/objects/contacts/batch/create", "nth": 1},
        "fault": {"kind": "half_batch", "apply_only": 2, "status": 502}}]});
    client.sandbox.set_faults(FaultPlan::from_json(&plan.to_string()).unwrap());
    let inputs: Vec<Json> = (0..5).map(|n| contact(&format!("c{n}@b.co"), None)).collect();
    assert_eq!(client.post(CREATE, json!({"inputs": inputs})).0, 502);
    assert_eq!(count(&mut client), 2);
}

#[test]
fn batch_archive_is_silent_about_the_missing() {
    let mut client = Client::new();
    let id = client.create("contacts", json!({"email": "one@b.co"}));
    let (status, _) =
        client.post("/crm/v3/objects/contacts/batch/archive", json!({"inputs": [{"id": id}, {"id": "77"}]}));
    assert_eq!((status, count(&mut client)), (204, 0));
}

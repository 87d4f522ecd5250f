//! Insert, update, upsert, get (sheet: sections 2 and 5).

use serde_json::{Value as Json, json};

use super::{Org, START, denied};

#[test]
fn a_record_is_made_read_changed_and_deleted() {
    let mut org = Org::new();
    let reply =
        org.post("Contacts", &json!({"data": [{"Last_Name": "Rao", "First_Name": "Ada", "Email": "a@x.io"}]}), 201);
    let item = &reply["data"][0];
    assert_eq!(
        (&item["code"], &item["message"], &item["status"]),
        (&json!("SUCCESS"), &json!("record added"), &json!("success"))
    );
    assert_eq!(item["details"]["Created_Time"], "2026-11-20T12:00:00+03:00");
    assert_eq!(item["details"]["Created_By"]["name"], "Ada Admin");
    let id = item["details"]["id"].as_str().unwrap().to_owned();
    let record = org.record("Contacts", &id);
    assert_eq!(
        (&record["Full_Name"], &record["Phone"], &record["$editable"]),
        (&json!("Ada Rao"), &Json::Null, &json!(true))
    );
    assert_eq!(record["Owner"]["email"], "ada@example.com");
    assert_eq!(
        (&record["Tag"], &record["Email_Opt_Out"], &record["Locked__s"]),
        (&json!([]), &json!(false), &json!(false))
    );
    org.wait(5);
    org.update("Contacts", &id, &json!({"Phone": "+49 30 1234", "First_Name": null}));
    let record = org.record("Contacts", &id);
    assert_eq!((&record["Full_Name"], &record["Phone"]), (&json!("Rao"), &json!("+49 30 1234")));
    assert_eq!(
        (&record["Modified_Time"], &record["Created_Time"]),
        (&json!("2026-11-20T12:00:05+03:00"), &json!("2026-11-20T12:00:00+03:00"))
    );
    org.delete("Contacts", &id);
    org.empty(&format!("Contacts/{id}"));
    let (status, body) = org.call("DELETE", &format!("Contacts/{id}"), None);
    assert_eq!((status, &body["data"][0]["message"]), (400, &json!("the id given seems to be invalid")));
}

#[test]
fn each_record_of_a_batch_has_its_own_result() {
    let mut org = Org::keyed();
    org.create("Contacts", &json!({"Last_Name": "Old", "Source_Id": "a-1"}));
    let batch = json!({"data": [{"Last_Name": "New", "Source_Id": "a-2"}, {"First_Name": "Nobody"}, {"Last_Name": "Twin", "Source_Id": "A-1"}]});
    let reply = org.post("Contacts", &batch, 207);
    let codes: Vec<&Json> = reply["data"].as_array().unwrap().iter().map(|item| &item["code"]).collect();
    assert_eq!(codes, ["SUCCESS", "MANDATORY_NOT_FOUND", "DUPLICATE_DATA"]);
    assert_eq!(reply["data"][1]["details"], json!({"api_name": "Last_Name", "json_path": "$.data[1].Last_Name"}));
    let twin = &reply["data"][2]["details"];
    assert_eq!(
        (&twin["api_name"], &twin["duplicate_record"]["module"]["api_name"]),
        (&json!("Source_Id"), &json!("Contacts"))
    );
    assert_eq!(twin["id"], twin["duplicate_record"]["id"]);
    let mut other = Org::with(&json!({"mixed_status": 200, "failed_status": 202}));
    assert_eq!(other.post("Contacts", &json!({"data": [{"Last_Name": "x"}, {}]}), 200)["data"][1]["status"], "error");
    other.post("Contacts", &json!({"data": [{}]}), 202);
}

#[test]
fn a_batch_has_between_one_and_a_hundred_records() {
    let mut org = Org::new();
    let many: Vec<Json> = (0..101).map(|_| json!({"Last_Name": "x"})).collect();
    denied(org.call("POST", "Leads", Some(&json!({"data": many}))), 400, "LIMIT_EXCEEDED");
    denied(org.call("POST", "Leads", Some(&json!({"data": []}))), 400, "MANDATORY_NOT_FOUND");
    denied(org.call("POST", "Leads", Some(&json!({"leads": []}))), 400, "MANDATORY_NOT_FOUND");
    denied(org.call("POST", "Leads", None), 400, "INVALID_DATA");
    denied(
        org.call("POST", "Leads", Some(&json!({"data": [{"Last_Name": "x"}], "trigger": ["all"]}))),
        400,
        "INVALID_DATA",
    );
    assert_eq!(
        org.post("Leads", &json!({"data": many[..100], "trigger": []}), 201)["data"].as_array().unwrap().len(),
        100
    );
}

#[test]
fn an_upsert_finds_by_the_named_key_then_by_the_other_unique_ones() {
    let mut org = Org::keyed();
    let upsert = |org: &mut Org, module: &str, fields: Json, keys: Option<Json>| {
        let mut body = json!({"data": [fields], "trigger": []});
        if let Some(keys) = keys {
            body["duplicate_check_fields"] = keys;
        }
        org.post(&format!("{module}/upsert"), &body, 200)["data"][0].clone()
    };
    let first =
        upsert(&mut org, "Accounts", json!({"Account_Name": "Acme", "Source_Id": "1"}), Some(json!(["Source_Id"])));
    assert_eq!(
        (&first["action"], &first["duplicate_field"], &first["message"]),
        (&json!("insert"), &Json::Null, &json!("record added"))
    );
    let again =
        upsert(&mut org, "Accounts", json!({"Account_Name": "Acme Ltd", "Source_Id": "1"}), Some(json!(["Source_Id"])));
    assert_eq!((&again["action"], &again["duplicate_field"]), (&json!("update"), &json!("Source_Id")));
    assert_eq!(again["details"]["id"], first["details"]["id"]);
    // Another source with the same name is another account when the key is named, and the same one when it is not.
    let other =
        upsert(&mut org, "Accounts", json!({"Account_Name": "Acme Ltd", "Source_Id": "2"}), Some(json!(["Source_Id"])));
    assert_eq!(other["action"], "insert");
    org.wait(1);
    let lost = upsert(&mut org, "Accounts", json!({"Account_Name": "acme ltd", "Source_Id": "3"}), None);
    assert_eq!((&lost["action"], &lost["duplicate_field"]), (&json!("update"), &json!("Account_Name")));
    // Deals of the same name are merged the same way.
    let deal = json!({"Deal_Name": "Big", "Stage": "Qualification", "Closing_Date": "2026-12-01"});
    assert_eq!(upsert(&mut org, "Deals", deal.clone(), None)["action"], "insert");
    assert_eq!(upsert(&mut org, "Deals", deal, None)["action"], "update");
    let body = json!({"data": [{"Subject": "x"}]});
    denied(org.call("POST", "Tasks/upsert", Some(&body)), 400, "NOT_SUPPORTED");
    let body = json!({"data": [{"Last_Name": "x"}], "duplicate_check_fields": ["City"]});
    denied(org.call("POST", "Leads/upsert", Some(&body)), 400, "INVALID_DATA");
}

#[test]
fn several_records_that_fit_an_upsert() {
    for (many, wanted) in [("newest", "update"), ("refused", "DUPLICATE_DATA")] {
        let mut org = Org::with(&json!({"many_matches": many}));
        org.create("Leads", &json!({"Last_Name": "One", "Email": "a@x.io"}));
        org.wait(1);
        let newer = org.create("Leads", &json!({"Last_Name": "Two", "Email": "A@x.io"}));
        let (_, reply) =
            org.call("POST", "Leads/upsert", Some(&json!({"data": [{"Last_Name": "Three", "Email": "a@x.io"}]})));
        let item = &reply["data"][0];
        if many == "newest" {
            assert_eq!((&item["action"], &item["details"]["id"]), (&json!(wanted), &json!(newer)));
        } else {
            assert_eq!(item["code"], wanted);
        }
    }
}

#[test]
fn external_ids_stand_where_ids_do() {
    let mut org = Org::keyed();
    org.create("Accounts", &json!({"Account_Name": "Acme", "Source_Id": "a-17"}));
    org.header("x-external", "Contacts.Source_Id,Contacts.Account_Name.Source_Id");
    let id =
        org.create("Contacts", &json!({"Last_Name": "Lee", "Source_Id": "c-1", "Account_Name": {"Source_Id": "a-17"}}));
    let record = org.record("Contacts", "c-1");
    assert_eq!((&record["id"], &record["Account_Name"]["name"]), (&json!(id), &json!("Acme")));
    assert_eq!(org.texts("Last_Name", "Contacts?ids=c-1,c-9&fields=Last_Name"), ["Lee"]);
    org.put("Contacts", &json!({"data": [{"Source_Id": "c-1", "Last_Name": "Li"}]}), 200);
    assert_eq!(org.record("Contacts", "c-1")["Last_Name"], "Li");
    org.delete("Contacts", "c-1");
    org.empty("Contacts/c-1");
}

#[test]
fn a_record_that_was_modified_meanwhile_is_left_alone() {
    let mut org = Org::new();
    let id = org.create("Leads", &json!({"Last_Name": "x"}));
    org.wait(10);
    org.update("Leads", &id, &json!({"City": "Rome"}));
    org.header("if-unmodified-since", "2026-11-20T12:00:05+03:00");
    let reply = org.put(&format!("Leads/{id}"), &json!({"data": [{"City": "Oslo"}]}), 412);
    assert_eq!(reply["data"][0]["code"], "ALREADY_MODIFIED");
    org.headers.clear();
    assert_eq!(org.record("Leads", &id)["City"], "Rome");
    org.header("if-unmodified-since", "2026-11-20T12:00:10+03:00");
    org.update("Leads", &id, &json!({"City": "Oslo"}));
    assert_eq!(org.now, START + 10);
}

#[test]
fn an_id_that_is_not_there() {
    for (how, status, code) in [
        ("no_content", 204, None),
        ("invalid_data", 404, Some("INVALID_DATA")),
        ("invalid_url", 404, Some("INVALID_URL_PATTERN")),
    ] {
        let mut org = Org::with(&json!({"not_found": how}));
        let (found, body) = org.call("GET", "Leads/554023000009999999", None);
        assert_eq!((found, body["code"].as_str()), (status, code), "{how}");
    }
}

#[test]
fn what_cannot_be_written_is_passed_over_or_refused() {
    let fields =
        json!({"Last_Name": "x", "Created_Time": "2020-01-01T00:00:00+00:00", "Colour": "red", "Full_Name": "y"});
    let mut org = Org::new();
    let id = org.create("Leads", &fields);
    let record = org.record("Leads", &id);
    assert_eq!((&record["Created_Time"], &record["Full_Name"]), (&json!("2026-11-20T12:00:00+03:00"), &json!("x")));
    let mut strict = Org::with(&json!({"unwritable": "refused"}));
    assert_eq!(strict.refused("Leads", &fields).0, "INVALID_DATA");
    assert_eq!(strict.refused("Leads", &json!({"Last_Name": "x", "Colour": "red"})).1["api_name"], "Colour");
}

#[test]
fn owners_are_active_users() {
    let users = json!([{"id": 1, "last_name": "Boss", "email": "b@x.io", "admin": true},
        {"id": 2, "last_name": "Gone", "email": "g@x.io", "status": "inactive"}]);
    let mut org = Org::of(json!({"users": users}));
    assert_eq!(org.refused("Leads", &json!({"Last_Name": "x", "Owner": {"id": "2"}})).0, "INVALID_DATA");
    let id = org.create("Leads", &json!({"Last_Name": "x", "Owner": {"id": "1"}}));
    assert_eq!(org.record("Leads", &id)["Owner"], json!({"id": "1", "name": "Boss", "email": "b@x.io"}));
    let all = org.get("users?type=AllUsers");
    assert_eq!(all["users"].as_array().unwrap().len(), 2);
    assert_eq!(org.get("users?type=DeactiveUsers")["users"][0]["status"], "inactive");
}

#[test]
fn old_versions_speak_otherwise() {
    let mut org = Org::new();
    org.create("Leads", &json!({"Last_Name": "x"}));
    let all = org.get("/crm/v2/Leads");
    assert!(all["data"][0].get("Company").is_some() && all["info"].get("next_page_token").is_none());
    denied(org.call("GET", "/crm/v3/Leads", None), 400, "REQUIRED_PARAM_MISSING");
    let reply = org.post("/crm/v2/Leads", &json!({"data": [{"Last_Name": "y"}]}), 201);
    assert!(reply["data"][0]["details"].get("$approval_state").is_none());
    let (status, body) = org.call("GET", "/crm/v9/Leads?fields=id", None);
    assert_eq!((status, &body["code"]), (404, &json!("INVALID_URL_PATTERN")));
    denied(org.call("GET", "Activities?fields=id", None), 400, "INVALID_MODULE");
    denied(org.call("PATCH", "Leads", None), 405, "INVALID_REQUEST_METHOD");
}

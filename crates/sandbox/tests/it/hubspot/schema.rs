//! Property definitions, groups, limits, validation rules.

use serde_json::{Value as Json, json};

use super::{Client, refused};

const CONTACTS: &str = "/crm/v3/properties/contacts";

fn text(name: &str) -> Json {
    json!({"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": "contactinformation"})
}

fn colour() -> Json {
    json!({"name": "colour", "label": "Colour", "type": "enumeration", "fieldType": "select",
        "groupName": "contactinformation", "options": [
            {"label": "Red", "value": "red", "displayOrder": 0, "hidden": false},
            {"label": "Blue", "value": "blue", "displayOrder": 1, "hidden": false}]})
}

#[test]
fn a_new_portal_has_hubspots_properties() {
    let mut client = Client::new();
    for (object, least, name, kind, field) in [
        ("contacts", 100, "lifecyclestage", "enumeration", "radio"),
        ("companies", 60, "industry", "enumeration", "select"),
        ("deals", 60, "amount", "number", "number"),
        ("tickets", 40, "hs_pipeline_stage", "enumeration", "select"),
        ("notes", 30, "hs_note_body", "string", "html"),
        ("calls", 40, "hs_call_direction", "enumeration", "select"),
        ("meetings", 40, "hs_meeting_outcome", "enumeration", "select"),
        ("tasks", 40, "hs_task_status", "enumeration", "select"),
        ("emails", 50, "hs_email_headers", "string", "textarea"),
        ("products", 40, "price", "number", "number"),
        ("line_items", 40, "quantity", "number", "number"),
    ] {
        let (_, body) = client.get(&format!("/crm/v3/properties/{object}"));
        let all = body["results"].as_array().unwrap();
        assert!(all.len() >= least, "{object}: {}", all.len());
        let one = all.iter().find(|p| p["name"] == name).unwrap();
        assert_eq!((&one["type"], &one["fieldType"]), (&json!(kind), &json!(field)), "{object}.{name}");
        let owner = all.iter().find(|p| p["name"] == "hubspot_owner_id").unwrap();
        assert_eq!(
            (&owner["options"], &owner["referencedObjectType"], &owner["externalOptions"]),
            (&json!([]), &json!("OWNER"), &json!(true))
        );
        let id = all.iter().find(|p| p["name"] == "hs_object_id").unwrap();
        assert_eq!((&id["type"], &id["modificationMetadata"]["readOnlyValue"]), (&json!("number"), &json!(true)));
    }
    let created = |client: &mut Client, object: &str| {
        client.get(&format!("/crm/v3/properties/{object}/createdate")).1["modificationMetadata"]["readOnlyValue"]
            .clone()
    };
    assert_eq!(
        [created(&mut client, "contacts"), created(&mut client, "companies"), created(&mut client, "deals")],
        [json!(true), json!(true), json!(false)]
    );
    let mut open = Client::with(json!({"createdate_writable": {"contacts": true, "deals": false}}));
    assert_eq!([created(&mut open, "contacts"), created(&mut open, "deals")], [json!(false), json!(true)]);
    let id = open.create("contacts", json!({"lastname": "L", "createdate": "2020-01-01T00:00:00Z"}));
    assert_eq!(open.value("contacts", &id, "createdate"), "2020-01-01T00:00:00.000Z");
}

#[test]
fn creating_a_property_and_its_name_again() {
    let mut client = Client::new();
    let request = client.request("POST", CONTACTS).with_json(&text("src_key"));
    let reply = client.send(&request);
    assert_eq!(reply.status, 201);
    assert!(reply.headers.iter().any(|(name, value)| name == "location" && value.ends_with("/contacts/src_key")));
    let reply = client.post(CONTACTS, text("src_key"));
    assert_eq!(reply.1["subCategory"], "Properties.PROPERTY_WITH_NAME_EXISTS");
    assert_eq!(refused(reply, 409, "OBJECT_ALREADY_EXISTS"), "A property named 'src_key' already exists.");
    refused(client.get(&format!("{CONTACTS}/nope")), 404, "OBJECT_NOT_FOUND");
    let bad = |change: &str, value: Json| {
        let mut property = text("other");
        property[change] = value;
        property
    };
    for property in [
        bad("name", json!("Upper")),
        bad("name", json!("hs_mine")),
        bad("type", json!("json")),
        bad("fieldType", json!("number")),
        bad("groupName", json!("nowhere")),
        bad("label", json!("")),
        json!({"name": "e", "label": "E", "type": "enumeration", "fieldType": "select", "groupName": "contactinformation"}),
    ] {
        refused(client.post(CONTACTS, property), 400, "VALIDATION_ERROR");
    }
}

#[test]
fn an_archived_property_comes_back_by_its_name() {
    let mut client = Client::new();
    client.post(CONTACTS, text("src_key"));
    let id = client.create("contacts", json!({"lastname": "L", "src_key": "k"}));
    assert_eq!(client.delete(&format!("{CONTACTS}/src_key")).0, 204);
    refused(client.get(&format!("{CONTACTS}/src_key")), 404, "OBJECT_NOT_FOUND");
    let (_, archived) = client.get(&format!("{CONTACTS}?archived=true"));
    assert_eq!(archived["results"][0]["name"], "src_key");
    let write = json!({"properties": {"src_key": "x"}});
    refused(client.patch(&format!("/crm/v3/objects/contacts/{id}"), write), 400, "VALIDATION_ERROR");
    let (status, again) = client.post(CONTACTS, text("src_key"));
    assert_eq!((status, &again["createdAt"]), (201, &json!("2026-11-20T09:00:01.000Z")), "the old time of creation");
    assert_eq!(client.value("contacts", &id, "src_key"), "k");
    refused(client.delete(&format!("{CONTACTS}/email")), 400, "VALIDATION_ERROR");
}

#[test]
fn a_patch_replaces_the_options() {
    let mut client = Client::new();
    client.post(CONTACTS, colour());
    let path = format!("{CONTACTS}/colour");
    let (status, body) = client.patch(&path, json!({"label": "Tint"}));
    assert_eq!((status, body["options"].as_array().unwrap().len()), (200, 2));
    let green = json!({"options": [{"label": "Red", "value": "red", "displayOrder": 0, "hidden": false},
        {"label": "Green", "value": "green", "displayOrder": 1, "hidden": false}]});
    client.patch(&path, green);
    let (_, body) = client.get(&path);
    let values: Vec<&Json> = body["options"].as_array().unwrap().iter().map(|o| &o["value"]).collect();
    assert_eq!(values, ["red", "green"]);
    assert_eq!(body["label"], "Tint");
    let set = |value: &str| json!({"properties": {"lastname": "L", "colour": value}});
    assert_eq!(client.post("/crm/v3/objects/contacts", set("green")).0, 201);
    let reply = client.post("/crm/v3/objects/contacts", set("blue"));
    assert_eq!(reply.1["errors"][0]["message"], "blue was not one of the allowed options: [red, green]");
    assert_eq!(client.patch(&path, json!({"hasUniqueValue": true})).1["hasUniqueValue"], false);
    let status_options = json!({"options": [{"label": "Mine", "value": "MINE", "displayOrder": 0, "hidden": false}]});
    assert_eq!(client.patch(&format!("{CONTACTS}/hs_lead_status"), status_options).0, 200);
    refused(client.patch(&format!("{CONTACTS}/hs_lead_status"), json!({"label": "x"})), 400, "VALIDATION_ERROR");
    let twice = json!({"options": [{"label": "A", "value": "a"}, {"label": "B", "value": "a"}]});
    refused(client.patch(&path, twice), 400, "VALIDATION_ERROR");
}

#[test]
fn ten_unique_properties_and_the_limit_of_all() {
    let mut client = Client::with(json!({"custom_property_limit": 12}));
    let unique = |n: usize| {
        let mut property = text(&format!("key_{n}"));
        property["hasUniqueValue"] = true.into();
        property
    };
    for n in 0..10 {
        assert_eq!(client.post(CONTACTS, unique(n)).0, 201);
    }
    refused(client.post(CONTACTS, unique(10)), 400, "VALIDATION_ERROR");
    assert_eq!(client.post(CONTACTS, text("a")).0, 201);
    assert_eq!(client.post(CONTACTS, text("b")).0, 201);
    refused(client.post(CONTACTS, text("c")), 400, "VALIDATION_ERROR");
    let (_, limits) = client.get("/crm/v3/limits/custom-properties");
    let contacts = limits["byObjectType"].as_array().unwrap().iter().find(|r| r["objectTypeId"] == "0-1").unwrap();
    assert_eq!((&contacts["limit"], &contacts["usage"], &limits["overallUsage"]), (&json!(12), &json!(12), &json!(12)));
    let mut note = unique(1);
    note["groupName"] = "note".into();
    refused(client.post("/crm/v3/properties/notes", note.clone()), 400, "VALIDATION_ERROR");
    assert_eq!(Client::with(json!({"unique_on_activities": true})).post("/crm/v3/properties/notes", note).0, 201);
    let mut product = unique(1);
    product["groupName"] = "productinformation".into();
    refused(client.post("/crm/v3/properties/products", product), 400, "VALIDATION_ERROR");
}

#[test]
fn batches_of_properties() {
    let mut client = Client::new();
    let (status, body) =
        client.post(&format!("{CONTACTS}/batch/create"), json!({"inputs": [text("a"), text("email")]}));
    assert_eq!((status, &body["results"][0]["name"], &body["numErrors"]), (207, &json!("a"), &json!(1)));
    let (status, body) = client.post(
        &format!("{CONTACTS}/batch/read"),
        json!({"archived": false, "inputs": [{"name": "a"}, {"name": "zzz"}]}),
    );
    assert_eq!((status, body["results"].as_array().unwrap().len()), (207, 1));
    assert_eq!(client.post(&format!("{CONTACTS}/batch/archive"), json!({"inputs": [{"name": "a"}]})).0, 204);
}

#[test]
fn groups_come_and_go() {
    let mut client = Client::new();
    let groups = format!("{CONTACTS}/groups");
    let (status, _) = client.post(&groups, json!({"name": "mine", "label": "Mine"}));
    assert_eq!(status, 201);
    refused(client.post(&groups, json!({"name": "mine", "label": "Mine"})), 409, "OBJECT_ALREADY_EXISTS");
    let mut property = text("a");
    property["groupName"] = "mine".into();
    client.post(CONTACTS, property);
    let reply = client.delete(&format!("{groups}/mine"));
    let nested: Json = serde_json::from_str(reply.1["message"].as_str().unwrap()).unwrap();
    assert_eq!(nested["errors"][0]["code"], "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES");
    refused(reply, 400, "VALIDATION_ERROR");
    client.delete(&format!("{CONTACTS}/a"));
    assert_eq!(client.patch(&format!("{groups}/mine"), json!({"label": "Ours"})).1["label"], "Ours");
    assert_eq!(client.delete(&format!("{groups}/mine")).0, 204);
    let (_, all) = client.get(&groups);
    assert!(all["results"].as_array().unwrap().iter().any(|g| g["name"] == "contactinformation"));
}

#[test]
fn portal_rules_hold_from_2026_09_on() {
    let mut client = Client::over(json!({"platform": "hubspot",
        "settings": {"required_properties": {"contacts": ["phone"]}},
        "property_validations": {"contacts": [{"propertyName": "phone", "ruleType": "MIN_LENGTH", "ruleArguments": ["5"]}]}}));
    let contact = |phone: &str| json!({"properties": {"lastname": "L", "phone": phone}});
    assert_eq!(client.post("/crm/v3/objects/contacts", contact("1")).0, 201);
    assert_eq!(client.post("/crm/objects/2026-03/contacts", contact("")).0, 201);
    let reply = client.post("/crm/objects/2026-09/contacts", contact(""));
    assert_eq!(reply.1["errors"][0]["code"], "MISSING_REQUIRED_PROPERTY");
    refused(reply, 400, "VALIDATION_ERROR");
    refused(client.post("/crm/objects/2026-09/contacts", contact("1")), 400, "VALIDATION_ERROR");
    assert_eq!(client.post("/crm/objects/2026-09/contacts", contact("12345")).0, 201);
    let (_, rules) = client.get("/crm/v3/property-validations/0-1");
    assert_eq!(rules["results"][0]["ruleType"], "MIN_LENGTH");
}

#[test]
fn the_account_tells_its_details() {
    let mut client =
        Client::over(json!({"platform": "hubspot", "account": {"portalId": 33, "timeZone": "Asia/Kolkata",
        "companyCurrency": "INR", "additionalCurrencies": ["USD"], "uiDomain": "app.hubspot.com"}}));
    let (_, body) = client.get("/account-info/v3/details");
    assert_eq!(
        (&body["portalId"], &body["utcOffset"], &body["utcOffsetMilliseconds"]),
        (&json!(33), &json!("+05:30"), &json!(19_800_000))
    );
    let (_, currency) = client.get("/crm/v3/properties/deals/deal_currency_code");
    let values: Vec<&Json> = currency["options"].as_array().unwrap().iter().map(|o| &o["value"]).collect();
    assert_eq!(values, ["INR", "USD"]);
}

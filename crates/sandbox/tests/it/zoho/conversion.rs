//! Converting leads, and changes of many records at once (sheet: section 2; trap 7).

use serde_json::{Value as Json, json};

use super::{Org, denied};

#[test]
fn a_lead_becomes_a_contact_an_account_and_a_deal() {
    let mut org = Org::new();
    let lead = org.create(
        "Leads",
        &json!({"Last_Name": "Lee", "First_Name": "Bo", "Company": "Acme", "City": "Rome", "Email": "b@x.io"}),
    );
    org.post(&format!("Leads/{lead}/Notes"), &json!({"data": [{"Note_Content": "c"}]}), 201);
    let task = org.create("Tasks", &json!({"Subject": "x", "What_Id": {"id": lead}, "$se_module": "Leads"}));
    let deal = json!({"Deal_Name": "First", "Stage": "Qualification", "Closing_Date": "2026-12-01"});
    let before = org.sandbox.journal().cost();
    let body = org.post(&format!("Leads/{lead}/actions/convert"), &json!({"data": [{"Deals": deal}]}), 200);
    assert_eq!(org.sandbox.journal().cost() - before, 5);
    let details = &body["data"][0]["details"];
    let id = |module: &str| details[module]["id"].as_str().unwrap().to_owned();
    assert_eq!((&details["Contacts"]["name"], &details["Accounts"]["name"]), (&json!("Bo Lee"), &json!("Acme")));
    let contact = org.record("Contacts", &id("Contacts"));
    assert_eq!((&contact["Mailing_City"], &contact["Account_Name"]["name"]), (&json!("Rome"), &json!("Acme")));
    assert_eq!(org.record("Deals", &id("Deals"))["Contact_Name"]["name"], "Bo Lee");
    assert_eq!(org.texts("Note_Content", &format!("Contacts/{}/Notes?fields=Note_Content", id("Contacts"))), ["c"]);
    assert_eq!(org.record("Tasks", &task)["Who_Id"]["name"], "Bo Lee");
    // The lead is out of sight, and cannot be written any more.
    org.empty("Leads?fields=Last_Name");
    assert_eq!(org.texts("Last_Name", "Leads?fields=Last_Name&converted=both"), ["Lee"]);
    assert_eq!(org.texts("Last_Name", "Leads?fields=Last_Name&converted=true"), ["Lee"]);
    assert_eq!(org.record("Leads", &lead)["$converted"], true);
    let reply = org.put(&format!("Leads/{lead}"), &json!({"data": [{"City": "Oslo"}]}), 400);
    assert_eq!(reply["data"][0]["code"], "ID_ALREADY_CONVERTED");
    denied(
        org.call("POST", &format!("Leads/{lead}/actions/convert"), Some(&json!({"data": [{}]}))),
        400,
        "ID_ALREADY_CONVERTED",
    );
    org.empty("Leads/deleted?type=all");
}

#[test]
fn a_refused_conversion_leaves_everything_as_it_was() {
    let mut org = Org::with(&json!({"converted_in_feed": true}));
    let lead = org.create("Leads", &json!({"Last_Name": "Lee", "Company": "Acme"}));
    let path = format!("Leads/{lead}/actions/convert");
    denied(
        org.call("POST", &path, Some(&json!({"data": [{"Deals": {"Deal_Name": "x"}}]}))),
        400,
        "MANDATORY_NOT_FOUND",
    );
    denied(org.call("POST", &path, Some(&json!({"data": [{"Accounts": {"id": "7"}}]}))), 400, "INVALID_DATA");
    org.empty("Accounts?fields=id");
    let account = org.create("Accounts", &json!({"Account_Name": "Known"}));
    let body = org.post(
        "/crm/v2/Leads/LEAD/actions/convert".replace("LEAD", &lead).as_str(),
        &json!({"data": [{"Accounts": {"id": account}}]}),
        200,
    );
    assert_eq!((&body["data"][0]["Accounts"], &body["data"][0]["Deals"]), (&json!(account), &Json::Null));
    assert_eq!(org.texts("id", "Leads/deleted?type=permanent"), [lead]);
}

#[test]
fn owners_and_values_of_many_records() {
    let users = json!([{"id": 1, "last_name": "One", "admin": true}, {"id": 2, "last_name": "Two"}]);
    let picks = json!([{"actual": "red"}, {"actual": "blue"}]);
    let mut org = Org::of(
        json!({"users": users, "fields": {"Leads": [{"api_name": "Colours", "data_type": "multiselectpicklist", "picks": picks}]}}),
    );
    let one = org.create("Leads", &json!({"Last_Name": "a", "Colours": ["red"]}));
    let two = org.create("Leads", &json!({"Last_Name": "b"}));
    let body = json!({"ids": [one, two], "owner": {"id": "2"}, "notify": false});
    org.post("Leads/actions/change_owner", &body, 200);
    assert_eq!(org.record("Leads", &one)["Owner"]["name"], "Two");
    let body = json!({"data": [{"Colours": ["blue"], "City": "Rome"}], "ids": [one, two, "7"], "over_write": false});
    let reply = org.post("Leads/actions/mass_update", &body, 207);
    assert_eq!(reply["data"][2]["code"], "INVALID_DATA");
    assert_eq!(org.record("Leads", &one)["Colours"], json!(["red", "blue"]));
    denied(
        org.call("POST", "Leads/actions/change_owner", Some(&json!({"ids": [one], "owner": {"id": "9"}}))),
        400,
        "INVALID_DATA",
    );
    let many: Vec<String> = (0..501).map(|n| n.to_string()).collect();
    denied(
        org.call("POST", "Leads/actions/change_owner", Some(&json!({"ids": many, "owner": {"id": "1"}}))),
        400,
        "LIMIT_EXCEEDED",
    );
    let copy = org.post(&format!("Leads/{one}/actions/clone"), &json!({}), 201)["data"][0]["details"]["id"].clone();
    assert_eq!(org.record("Leads", copy.as_str().unwrap())["City"], "Rome");
}

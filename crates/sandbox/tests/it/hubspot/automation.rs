//! Checklist 13: what happens by itself; the list of workflows.

use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_sandbox::journal::Action;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::{Client, refused};

#[test]
fn a_workflow_answers_to_a_write() {
    let mut client = Client::with(json!({"rules": [
        {"object": "contacts", "on": "email", "set": "hs_lead_status", "to": "NEW", "after_ms": 5_000},
        {"object": "contacts", "on": "city", "set": "state", "to": "of {value}"}]}));
    let id = client.create("contacts", json!({"email": "a@b.co"}));
    assert_eq!(client.value("contacts", &id, "hs_lead_status"), Json::Null);
    client.now += 5_000;
    assert_eq!(client.value("contacts", &id, "hs_lead_status"), "NEW");
    let (_, record) = client.get(&format!("/crm/v3/objects/contacts/{id}?propertiesWithHistory=hs_lead_status"));
    let change = &record["propertiesWithHistory"]["hs_lead_status"][0];
    assert_eq!(
        (&change["sourceType"], &change["timestamp"]),
        (&json!("AUTOMATION_PLATFORM"), &json!("2026-11-20T09:00:06.000Z"))
    );
    assert_eq!(record["updatedAt"], "2026-11-20T09:00:06.000Z", "an echo in the delta");
    client.patch(&format!("/crm/v3/objects/contacts/{id}"), json!({"properties": {"city": "Ulm"}}));
    assert_eq!(client.value("contacts", &id, "state"), "of Ulm");
}

#[test]
fn companies_are_made_from_domains_when_switched_on() {
    let mut client = Client::with(json!({"auto_associate_companies": true}));
    let a = client.create("contacts", json!({"email": "a@firm.example"}));
    let b = client.create("contacts", json!({"email": "b@firm.example"}));
    let free = client.create("contacts", json!({"email": "b@gmail.com"}));
    client.now += 10_000;
    let (_, companies) = client.get("/crm/v3/objects/companies");
    assert_eq!(
        (companies["results"].as_array().unwrap().len(), &companies["results"][0]["properties"]["domain"]),
        (1, &json!("firm.example"))
    );
    let company = companies["results"][0]["id"].clone();
    assert_eq!(client.value("contacts", &a, "associatedcompanyid"), company);
    assert_eq!(client.value("contacts", &b, "associatedcompanyid"), company);
    assert_eq!(client.value("contacts", &free, "associatedcompanyid"), Json::Null);
    let mut off = Client::new();
    off.create("contacts", json!({"email": "a@firm.example"}));
    off.now += 10_000;
    assert_eq!(off.get("/crm/v3/objects/companies").1["results"], json!([]));
}

#[test]
fn workflows_are_listed_and_switched() {
    let mut client = Client::over(json!({"platform": "hubspot", "workflows": [
        {"id": 10, "name": "Welcome", "type": "DRIP_DELAY", "enabled": true, "insertedAt": 1_348_564_640_837_u64},
        {"id": 11, "name": "Deals", "objectTypeId": "0-3", "enabled": false}]}));
    let (_, v3) = client.get("/automation/v3/workflows");
    assert_eq!(v3["workflows"].as_array().unwrap().len(), 1, "v3 knows contact workflows only");
    assert_eq!((&v3["workflows"][0]["id"], &v3["workflows"][0]["enabled"]), (&json!(10), &json!(true)));
    let (_, v4) = client.get("/automation/v4/flows?limit=1");
    assert_eq!(
        (&v4["results"][0]["id"], &v4["results"][0]["flowType"], &v4["paging"]["next"]["after"]),
        (&json!("10"), &json!("WORKFLOW"), &json!("1"))
    );
    let (_, deal) = client.get("/automation/v4/flows/11");
    assert_eq!(
        (&deal["objectTypeId"], &deal["isEnabled"], &deal["revisionId"]),
        (&json!("0-3"), &json!(false), &json!("1"))
    );
    let on = json!({"revisionId": "1", "isEnabled": true});
    assert_eq!(client.put("/automation/v4/flows/11", on.clone()).1["isEnabled"], true);
    refused(client.put("/automation/v4/flows/11", on), 400, "VALIDATION_ERROR");
    refused(client.get("/automation/v4/flows/12"), 404, "OBJECT_NOT_FOUND");
}

#[test]
fn the_world_changes_behind_the_clients_back() {
    let mut client = Client::new();
    let ids: Vec<String> = (0..3).map(|n| client.create("contacts", json!({"email": format!("c{n}@b.co")}))).collect();
    let now = Timestamp::from_millisecond(client.now + 500).unwrap();
    let mut disturb = |which: Which, action: DisturbAction| {
        client.sandbox.disturb(&Disturbance { object: "contacts".into(), which, action }, now);
    };
    disturb(Which::Nth(0), DisturbAction::Change { field: "city".into(), value: json!("Ulm") });
    disturb(Which::Id(ids[1].clone()), DisturbAction::Delete);
    disturb(Which::Nth(1), DisturbAction::Merge { into: ids[0].clone() });
    disturb(Which::Nth(0), DisturbAction::Create { fields: json!({"email": "new@b.co"}) });
    disturb(Which::Nth(0), DisturbAction::Touch);
    let (_, record) = client.get(&format!("/crm/v3/objects/contacts/{}?propertiesWithHistory=city", ids[2]));
    assert_eq!(record["properties"]["city"], "Ulm");
    assert_eq!(record["propertiesWithHistory"]["city"][0]["sourceType"], "CRM_UI");
    assert_eq!(record["propertiesWithHistory"]["city"][0]["sourceId"], "userId:46879917");
    assert_eq!(client.get("/crm/v3/objects/contacts").1["results"].as_array().unwrap().len(), 2);
    assert_eq!(client.get(&format!("/crm/v3/objects/contacts/{}", ids[1])).0, 404);
}

#[test]
fn people_bring_records_back_and_link_them() {
    let mut client = Client::new();
    let contact = client.create("contacts", json!({"email": "a@b.co"}));
    let company = client.create("companies", json!({"name": "Acme"}));
    let now = Timestamp::from_millisecond(client.now + 500).unwrap();
    let mut disturb = |action: DisturbAction| {
        let which = Which::Id(contact.clone());
        client.sandbox.disturb(&Disturbance { object: "contacts".into(), which, action }, now);
        let last = client.sandbox.journal().entries().last().unwrap();
        last.changes.iter().map(|change| change.action).collect::<Vec<_>>()
    };
    let (object, to) = ("companies".to_owned(), company);
    let link = || DisturbAction::Link { object: object.clone(), to: to.clone() };
    assert_eq!(disturb(link()), [Action::Linked]);
    assert_eq!(disturb(DisturbAction::Unlink { object: object.clone(), to: to.clone() }), [Action::Unlinked]);
    assert_eq!(disturb(DisturbAction::Restore), [], "it is there");
    assert_eq!(disturb(DisturbAction::Delete), [Action::Deleted]);
    assert_eq!(disturb(link()), [], "it is gone");
    assert_eq!(disturb(DisturbAction::Restore), [Action::Restored]);
    assert_eq!(client.get(&format!("/crm/v3/objects/contacts/{contact}")).0, 200);
}

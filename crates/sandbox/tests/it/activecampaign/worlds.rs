//! World files, disturbances, custom objects.

use handover_sandbox::activecampaign::ActiveCampaign;
use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_sandbox::journal::Action;
use serde_json::json;

use super::Account;

#[test]
fn a_world_that_was_told_is_the_same_world() {
    let mut account = Account::empty();
    account.post("fields", &json!({"field": {"type": "text", "title": "T"}}));
    let contact = json!({"contact": {"email": "a@x.example", "fieldValues": [{"field": 1, "value": "v"}]}});
    account.post("contacts", &contact);
    account.post("contacts", &json!({"contact": {"email": "b@x.example"}}));
    account.send("DELETE", "contacts/2", None, 200);
    let world = account.sandbox.platform().world();
    let again = ActiveCampaign::from_world(world.clone(), 1).unwrap();
    assert_eq!(handover_sandbox::Platform::world(&again), world);
    let mut account = Account::of(world);
    assert_eq!(account.get("contacts/1")["fieldValues"][0]["value"], "v");
    assert_eq!(account.post("contacts", &json!({"contact": {"email": "c@x.example"}}))["contact"]["id"], "3");
}

#[test]
fn the_sample_company_is_as_strict_as_everything_else() {
    let scale = handover_sandbox::sample::Scale::small;
    let company = handover_sandbox::sample::company_in("activecampaign", 3, scale()).unwrap();
    assert_eq!(
        Some(company.clone()),
        handover_sandbox::sample::company_in("activecampaign", 3, scale()),
        "same seed, same bytes"
    );
    let key = company["account"]["api_keys"][0]["key"].as_str().unwrap().to_owned();
    let mut account = Account::of(company.clone());
    account.key = key;
    // Every record that stands there would be taken again by the API: sent back as it is, it changes nothing.
    for (list, one, stamp) in [
        ("accounts", "account", "updatedTimestamp"),
        ("contacts", "contact", "udate"),
        ("deals", "deal", "mdate"),
        ("dealTasks", "dealTask", "udate"),
        ("notes", "note", "mdate"),
    ] {
        let rows = company[list].as_array().unwrap();
        assert!(!rows.is_empty(), "{list}");
        for row in rows {
            let path = format!("{list}/{}", row["id"]);
            let before = account.get(&path)[one][stamp].clone();
            account.send("PUT", &path, Some(&json!({ one: row })), 200);
            assert_eq!(account.get(&path)[one][stamp], before, "{path} was not what the API keeps");
        }
    }
}

#[test]
fn a_file_that_is_none_says_why() {
    let load = |world| ActiveCampaign::from_world(world, 1).unwrap_err().to_string();
    assert!(load(json!({"platform": "hubspot"})).contains("another platform"));
    assert!(load(json!({"people": []})).contains("people"));
    assert!(load(json!({"contacts": [{"emial": "x"}]})).contains("emial"));
}

#[test]
fn people_change_things_too() {
    let mut account =
        Account::of(json!({"contacts": [{"id": 1, "email": "a@x.example"}, {"id": 2, "email": "b@x.example"}],
        "accounts": [{"id": 1, "name": "Acme"}]}));
    let mut act = |which: &str, action| {
        let now = account.now;
        account.sandbox.disturb(&Disturbance { object: "contact".into(), which: Which::Id(which.into()), action }, now);
    };
    act("1", DisturbAction::Change { field: "firstName".into(), value: json!("Ann") });
    act("1", DisturbAction::Link { object: "accounts".into(), to: "1".into() });
    act("2", DisturbAction::Merge { into: "1".into() });
    act("2", DisturbAction::Restore);
    act("2", DisturbAction::Delete);
    assert_eq!(account.get("contacts/1")["contact"]["firstName"], "Ann");
    assert_eq!(account.get("contacts/1")["accountContacts"][0]["account"], "1");
    account.send("GET", "contacts/2", None, 404);
    assert_eq!(account.sandbox.journal().count("contact", Action::Deleted), 2);
}

#[test]
fn custom_objects_are_upserted_by_their_external_id() {
    let mut account = Account::empty();
    let schema = account.post("customObjects/schemas", &json!({"schema": {"slug": "car", "fields": []}}));
    let path = format!("customObjects/records/{}", schema["schema"]["id"].as_str().unwrap());
    let record = |name: &str| json!({"record": {"externalId": "e-1", "fields": [{"id": "name", "value": name}]}});
    let made = account.send("POST", &path, Some(&record("A")), 201);
    let again = account.send("POST", &path, Some(&record("B")), 200);
    assert_eq!(made["record"]["id"], again["record"]["id"]);
    assert_eq!(account.get(&format!("{path}/external/e-1"))["record"]["fields"][0]["value"], "B");
    assert_eq!(account.get(&path)["meta"]["total"], 1);
    account.send("DELETE", &format!("{path}/external/e-1"), None, 200);
    assert_eq!(account.get(&path)["meta"]["total"], 0);
}

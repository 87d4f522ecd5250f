//! World files, folders, and the same requests twice.

use handover_sandbox::salesforce::{Salesforce, WorldError};
use handover_sandbox::{Platform, persist};
use serde_json::{Value as Json, json};

use super::{Org, keys};

/// A bit of everything that changes state.
fn live(org: &mut Org) {
    let account = org.create("Account", &json!({"Name": "Acme", "Src_Id__c": "A"}));
    let contact = org.create("Contact", &json!({"LastName": "Lee", "AccountId": account}));
    let deal =
        org.create("Opportunity", &json!({"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-01"}));
    org.create("OpportunityContactRole", &json!({"OpportunityId": deal, "ContactId": contact, "IsPrimary": true}));
    org.create(
        "ContentVersion",
        &json!({"PathOnClient": "a.txt", "VersionData": "aGk=", "FirstPublishLocationId": account}),
    );
    org.wait(30);
    org.patch("sobjects/Account/Src_Id__c/a", &json!({"Site": "x"}), 200);
    org.delete("Contact", &contact);
    let field = json!({"FullName": "Account.Late__c", "Metadata": {"type": "Text", "length": 20}});
    org.post("tooling/sobjects/CustomField", &field, 201);
    let job = org.post("jobs/ingest", &json!({"object": "Account", "operation": "insert"}), 200);
    let mut upload = org
        .request("PUT", &format!("/{}", job["contentUrl"].as_str().unwrap()))
        .with_header("content-type", "text/csv");
    upload.body = b"Name\nBulk\n".to_vec();
    org.send(&upload);
    org.patch(&format!("jobs/ingest/{}", job["id"].as_str().unwrap()), &json!({"state": "UploadComplete"}), 200);
    org.wait(60);
    org.create("Lead", &json!({"LastName": "Last", "Company": "One"}));
}

#[test]
fn a_world_file_loads_to_the_same_world() {
    let mut org = Org::keyed();
    live(&mut org);
    let world = org.sandbox.platform().world();
    let again = Salesforce::from_world(world.clone(), 99).unwrap();
    assert_eq!(again.world(), world);
    assert_eq!(world["records"]["Account"].as_array().unwrap().len(), 2, "the bulk job's row is in it");
}

#[test]
fn the_same_requests_give_the_same_world() {
    let (mut one, mut two) = (Org::keyed(), Org::keyed());
    live(&mut one);
    live(&mut two);
    assert_eq!(one.sandbox.platform().world(), two.sandbox.platform().world());
    assert_eq!(one.sandbox.journal().to_json_lines(), two.sandbox.journal().to_json_lines());
}

#[test]
fn what_was_answered_survives_a_kill() {
    let boxed =
        |world: Json| -> Result<Box<dyn Platform>, WorldError> { Ok(Box::new(Salesforce::from_world(world, 7)?)) };
    let dir = tempfile::tempdir().unwrap();
    let open = || persist::open(dir.path(), || boxed(json!({"fields": keys()})), boxed).unwrap();
    let mut org = Org::keyed();
    org.sandbox = open();
    live(&mut org);
    let before = org.sandbox.platform().world();
    drop(org);
    assert_eq!(open().platform().world(), before);
}

#[test]
fn a_world_that_does_not_fit_together_is_refused() {
    for world in [
        json!({"colour": 1}),
        json!({"records": {"Person": []}}),
        json!({"records": {"Account": [{"Name": "x", "Colour": 1}]}}),
        json!({"records": {"Account": [{"Id": "003Hs00000000001", "Name": "x"}]}}),
        json!({"records": {"Account": [{"Id": "001Hs0000000001", "Name": "x"}, {"Id": "001Hs0000000001", "Name": "x"}]}}),
        json!({"objects": [{"name": "Invoice"}]}),
        json!({"fields": {"Account": [{"name": "P__c", "type": "reference", "reference_to": ["None__c"]}]}}),
        json!({"fields": {"Account": [{"name": "P__c", "type": "colour"}]}}),
        json!({"validation_rules": [{"object": "Account", "name": "r", "when": "Colour = 1", "message": "m"}]}),
        json!({"duplicate_rules": [{"object": "Account", "name": "r", "fields": ["Colour"]}]}),
    ] {
        assert!(Salesforce::from_world(world.clone(), 1).is_err(), "{world}");
    }
}

//! Checklist 10: merging.

use handover_sandbox::journal::Action;
use serde_json::{Value as Json, json};

use super::{Client, refused};

fn pair(settings: Json) -> Client {
    Client::over(json!({"platform": "hubspot", "settings": settings,
        "objects": {
            "contacts": [
                {"id": "1", "properties": {"email": "one@b.co", "city": "Ulm"}},
                {"id": "2", "properties": {"email": "two@b.co", "hs_additional_emails": "three@b.co", "phone": "5", "city": "Bonn"}}],
            "companies": [{"id": "8", "properties": {"name": "A"}}, {"id": "9", "properties": {"name": "B"}}]},
        "associations": [
            {"fromType": "contacts", "fromId": "1", "toType": "companies", "toId": "8",
                "types": [{"category": "HUBSPOT_DEFINED", "typeId": 1}]},
            {"fromType": "contacts", "fromId": "2", "toType": "companies", "toId": "9",
                "types": [{"category": "HUBSPOT_DEFINED", "typeId": 1}]}]}))
}

fn merge(client: &mut Client) -> (u16, Json) {
    client.post("/crm/v3/objects/contacts/merge", json!({"primaryObjectId": "1", "objectIdToMerge": "2"}))
}

#[test]
fn a_merge_makes_a_new_id_to_which_the_old_ones_lead() {
    let mut client = pair(json!({}));
    let (status, body) = merge(&mut client);
    assert_eq!(status, 200, "{body}");
    let id = body["id"].as_str().unwrap().to_owned();
    assert!(id != "1" && id != "2");
    for old in ["1", "2", id.as_str()] {
        let path = "properties=city,phone,hs_additional_emails,hs_merged_object_ids,email";
        let (status, record) = client.get(&format!("/crm/v3/objects/contacts/{old}?{path}"));
        assert_eq!((status, record["id"].as_str()), (200, Some(id.as_str())), "{old}");
        let p = &record["properties"];
        assert_eq!((&p["city"], &p["phone"], &p["email"]), (&json!("Ulm"), &json!("5"), &json!("one@b.co")));
        assert_eq!(p["hs_additional_emails"], "three@b.co;two@b.co");
        assert_eq!(p["hs_merged_object_ids"], "1;2");
    }
    let (_, links) = client.get(&format!("/crm/v4/objects/contacts/{id}/associations/companies"));
    let primaries = |n: usize| links["results"][n]["associationTypes"].as_array().unwrap().len();
    assert_eq!((links["results"].as_array().unwrap().len(), primaries(0), primaries(1)), (2, 2, 1));
    let reply = client.post("/crm/v3/objects/contacts", json!({"properties": {"email": "two@b.co"}}));
    assert_eq!(refused(reply, 409, "CONFLICT"), format!("Contact already exists. Existing ID: {id}"));
    let read = json!({"inputs": [{"id": "1"}, {"id": "2"}], "properties": []});
    let (_, body) = client.post("/crm/v3/objects/contacts/batch/read", read);
    assert_eq!(super::ids(&body), std::slice::from_ref(&id), "both ids are one record");
    assert_eq!(client.sandbox.journal().count("contacts", Action::Merged), 2);
    let (status, _) = client.patch("/crm/v3/objects/contacts/2", json!({"properties": {"city": "Kiel"}}));
    assert_eq!(status, 200, "old ids still take writes");
    assert_eq!(client.value("contacts", &id, "city"), "Kiel");
}

#[test]
fn by_setting_the_primary_keeps_its_id() {
    let mut client = pair(json!({"preserve_primary_on_merge": true}));
    let (_, body) = merge(&mut client);
    assert_eq!(body["id"], "1");
    let (_, record) = client.get("/crm/v3/objects/contacts/2?properties=hs_merged_object_ids");
    assert_eq!((&record["id"], &record["properties"]["hs_merged_object_ids"]), (&json!("1"), &json!("2")));
    assert_eq!(super::ids(&client.get("/crm/v3/objects/contacts").1), ["1"]);
}

#[test]
fn what_cannot_be_merged() {
    let mut client = pair(json!({"merge_identities": 4}));
    refused(merge(&mut client), 400, "VALIDATION_ERROR");
    let mut client = pair(json!({"merge_identities": 4, "merge_limit_status": 414}));
    assert_eq!(refused(merge(&mut client), 414, "VALIDATION_ERROR"), "Cannot have more than 4 identities on a profile");
    let same = json!({"primaryObjectId": "1", "objectIdToMerge": "1"});
    refused(client.post("/crm/v3/objects/contacts/merge", same), 400, "VALIDATION_ERROR");
    let missing = json!({"primaryObjectId": "1", "objectIdToMerge": "77"});
    refused(client.post("/crm/v3/objects/contacts/merge", missing), 404, "OBJECT_NOT_FOUND");
    let (status, _) =
        client.post("/crm/v3/objects/companies/merge", json!({"primaryObjectId": "8", "objectIdToMerge": "9"}));
    assert_eq!(status, 200);
}

//! Checklist 9: primary, labels, directions, batches.

use serde_json::{Value as Json, json};

use super::{Client, refused};

struct Setting {
    client: Client,
    contact: String,
    companies: Vec<String>,
}

fn setting(settings: Json) -> Setting {
    let mut client = Client::with(settings);
    let contact = client.create("contacts", json!({"email": "a@b.co"}));
    let companies = (0..3).map(|n| client.create("companies", json!({"name": format!("C{n}")}))).collect();
    Setting { client, contact, companies }
}

impl Setting {
    /// The types of the pair contact to company n, as (category initial, id, label).
    fn types(&mut self, company: usize) -> Vec<(u64, Json)> {
        let path = format!("/crm/v4/objects/contacts/{}/associations/companies", self.contact);
        let (_, body) = self.client.get(&path);
        let wanted: u64 = self.companies[company].parse().unwrap();
        let pair = body["results"].as_array().unwrap().iter().find(|r| r["toObjectId"] == wanted);
        let types = pair.map(|p| p["associationTypes"].as_array().unwrap().clone()).unwrap_or_default();
        types.iter().map(|t| (t["typeId"].as_u64().unwrap(), t["label"].clone())).collect()
    }

    fn put(&mut self, company: usize, types: Json) -> (u16, Json) {
        let path =
            format!("/crm/v4/objects/contacts/{}/associations/companies/{}", self.contact, self.companies[company]);
        self.client.put(&path, types)
    }
}

fn spec(id: u64) -> Json {
    json!({"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": id})
}

#[test]
fn a_default_association_stands_both_ways() {
    let mut s = setting(json!({"first_company_is_primary": false}));
    let path = format!("/crm/v4/objects/contacts/{}/associations/default/companies/{}", s.contact, s.companies[0]);
    let (status, body) = s.client.put(&path, json!({}));
    assert_eq!((status, body["results"].as_array().unwrap().len()), (200, 2), "{body}");
    assert_eq!(s.types(0), [(279, Json::Null)]);
    let back = format!("/crm/v4/objects/companies/{}/associations/contacts", s.companies[0]);
    let (_, body) = s.client.get(&back);
    assert_eq!(body["results"][0]["toObjectId"], s.contact.parse::<u64>().unwrap(), "a number");
    assert_eq!(body["results"][0]["associationTypes"][0]["typeId"], 280);
    let again = s.client.put(&path, json!({}));
    assert_eq!(again.0, 200);
    assert_eq!(s.client.delete(&path.replace("/default", "")).0, 204);
    assert!(s.types(0).is_empty());
    assert_eq!(s.client.get(&back).1["results"], json!([]));
}

#[test]
fn there_is_at_most_one_primary() {
    let mut s = setting(json!({"first_company_is_primary": false}));
    assert_eq!(s.put(0, json!([spec(1)])).0, 201);
    assert_eq!(s.types(0), [(1, json!("Primary")), (279, Json::Null)], "primary brings the plain type");
    s.put(1, json!([spec(1)]));
    assert_eq!((s.types(0), s.types(1).len()), (vec![(279, Json::Null)], 2));
    let contact = s.contact.clone();
    assert_eq!(s.client.value("contacts", &contact, "associatedcompanyid"), json!(s.companies[1]));
}

#[test]
fn the_first_company_becomes_primary_by_itself() {
    let mut s = setting(json!({}));
    s.put(0, json!([spec(279)]));
    s.put(1, json!([spec(279)]));
    assert_eq!((s.types(0).len(), s.types(1).len()), (2, 1));
}

#[test]
fn a_type_of_the_other_direction_is_refused() {
    let mut s = setting(json!({}));
    for wrong in [280, 2, 202, 3] {
        let reply = s.put(0, json!([spec(wrong)]));
        assert_eq!(reply.1["subCategory"], "crm.associations.INVALID_ASSOCIATION_TYPE");
        refused(reply, 400, "VALIDATION_ERROR");
    }
    let note = json!({"properties": {"hs_timestamp": "1795165200000"},
        "associations": [{"to": {"id": s.contact}, "types": [spec(201)]}]});
    refused(s.client.post("/crm/v3/objects/notes", note.clone()), 400, "VALIDATION_ERROR");
    let mut right = note;
    right["associations"][0]["types"] = json!([spec(202)]);
    let (status, made) = s.client.post("/crm/v3/objects/notes", right);
    assert_eq!(status, 201, "{made}");
    let path = format!("/crm/v3/objects/notes/{}?associations=contacts", made["id"].as_str().unwrap());
    let (_, note) = s.client.get(&path);
    assert_eq!(note["associations"]["contacts"]["results"], json!([{"id": s.contact, "type": "note_to_contact"}]));
    let missing = format!("/crm/v4/objects/contacts/{}/associations/companies/99", s.contact);
    let reply = s.client.put(&missing, json!([spec(279)]));
    refused(reply, 404, "OBJECT_NOT_FOUND");
    let none = format!("/crm/v4/objects/products/1/associations/companies/{}", s.companies[0]);
    refused(s.client.put(&none, json!([spec(279)])), 404, "OBJECT_NOT_FOUND");
}

#[test]
fn writing_labels_replaces_them() {
    let mut s = setting(json!({}));
    let labels = "/crm/v4/associations/contacts/companies/labels";
    let (status, made) =
        s.client.post(labels, json!({"label": "Adviser", "name": "adviser", "inverseLabel": "Advised by"}));
    assert_eq!((status, made["results"].as_array().unwrap().len()), (200, 2));
    let (_, second) = s.client.post(labels, json!({"label": "Partner", "name": "partner"}));
    let id = |made: &Json| made["results"][0]["typeId"].as_u64().unwrap();
    let (adviser, partner) = (id(&made), id(&second));
    let user = |id: u64| json!({"associationCategory": "USER_DEFINED", "associationTypeId": id});
    s.put(0, json!([user(adviser), spec(1)]));
    assert_eq!(s.types(0).len(), 3);
    let (_, written) = s.put(0, json!([user(partner)]));
    assert_eq!(written["labels"], json!(["Partner"]));
    assert_eq!(s.types(0), [(279, Json::Null), (partner, json!("Partner"))], "also the primary is gone");
    let back = format!("/crm/v4/objects/companies/{}/associations/contacts", s.companies[0]);
    assert_eq!(s.client.get(&back).1["results"][0]["associationTypes"].as_array().unwrap().len(), 2);
    let pair =
        |types: Json| json!({"inputs": [{"from": {"id": s.contact}, "to": {"id": s.companies[0]}, "types": types}]});
    let (label, whole) = (pair(json!([user(partner)])), pair(json!([spec(279)])));
    let archive = "/crm/v4/associations/contacts/companies/batch/labels/archive";
    assert_eq!(s.client.post(archive, label).0, 204);
    assert_eq!(s.types(0), [(279, Json::Null)]);
    assert_eq!(s.client.post(archive, whole).0, 204);
    assert!(s.types(0).is_empty(), "the plain type takes the pair");
    let (_, listed) = s.client.get(labels);
    assert_eq!(listed["results"].as_array().unwrap().len(), 4);
    assert_eq!(s.client.put(labels, json!({"associationTypeId": partner, "label": "Friend"})).0, 204);
    refused(s.client.post(labels, json!({"label": "Adviser", "name": "x"})), 409, "OBJECT_ALREADY_EXISTS");

    let mut kept = setting(json!({"label_write_drops_primary": false}));
    let (_, made) = kept.client.post(labels, json!({"label": "Adviser", "name": "adviser"}));
    kept.put(0, json!([spec(1)]));
    kept.put(0, json!([user(id(&made))]));
    assert_eq!(kept.types(0).len(), 3);
}

#[test]
fn records_without_links_are_207() {
    let mut s = setting(json!({}));
    s.put(1, json!([spec(279)]));
    let other = s.client.create("contacts", json!({"email": "c@b.co"}));
    let read = "/crm/v4/associations/contacts/companies/batch/read";
    let (status, body) = s.client.post(read, json!({"inputs": [{"id": s.contact}, {"id": other}]}));
    assert_eq!((status, &body["status"], &body["numErrors"]), (207, &json!("COMPLETE"), &json!(1)));
    assert_eq!(body["results"][0]["from"]["id"], json!(s.contact));
    assert!(body["results"][0]["to"][0]["toObjectId"].is_u64());
    let error = &body["errors"][0];
    assert_eq!(error["subCategory"], "crm.associations.NO_ASSOCIATIONS_FOUND");
    assert_eq!(error["message"], json!(format!("No company is associated with contact {other}.")));
    assert_eq!(
        error["context"],
        json!({"fromObjectId": [other], "fromObjectType": ["contact"], "toObjectType": ["company"]})
    );
}

#[test]
fn batches_write_and_take_links() {
    let mut s = setting(json!({"first_company_is_primary": false}));
    let base = "/crm/v4/associations/contacts/companies/batch";
    let input = |company: &str, id: u64| json!({"from": {"id": s.contact}, "to": {"id": company}, "types": [spec(id)]});
    let good = input(&s.companies[0], 279);
    let bad = [input("99", 279), input(&s.companies[1], 280)];
    let (status, body) = s.client.post(&format!("{base}/create"), json!({"inputs": [good, bad[0], bad[1]]}));
    assert_eq!((status, &body["numErrors"]), (207, &json!(2)), "{body}");
    assert_eq!(body["results"][0]["fromObjectTypeId"], "0-1");
    let default = json!({"inputs": [{"from": {"id": s.contact}, "to": {"id": s.companies[2]}}]});
    assert_eq!(s.client.post(&format!("{base}/associate/default"), default).0, 200);
    assert_eq!((s.types(0).len(), s.types(1).len(), s.types(2).len()), (1, 0, 1));
    let archive =
        json!({"inputs": [{"from": {"id": s.contact}, "to": [{"id": s.companies[0]}, {"id": s.companies[2]}]}]});
    assert_eq!(s.client.post(&format!("{base}/archive"), archive).0, 204);
    assert_eq!((s.types(0).len(), s.types(2).len()), (0, 0));
    for (verb, limit) in [("create", 2_000), ("read", 1_000), ("archive", 100)] {
        let inputs = vec![json!({"id": "1"}); limit + 1];
        refused(s.client.post(&format!("{base}/{verb}"), json!({"inputs": inputs})), 400, "VALIDATION_ERROR");
    }
}

#[test]
fn pages_of_links_hold_five_hundred() {
    let contacts: Vec<Json> =
        (1..=700).map(|id: u64| json!({"id": id.to_string(), "properties": {"lastname": "L"}})).collect();
    let links: Vec<Json> = (1..=700)
        .map(|id: u64| json!({"fromType": "contacts", "fromId": id, "toType": "companies", "toId": "9"}))
        .collect();
    let mut client = Client::over(json!({"platform": "hubspot", "associations": links,
        "objects": {"contacts": contacts, "companies": [{"id": "9", "properties": {"name": "C"}}]}}));
    let path = "/crm/v4/objects/companies/9/associations/contacts";
    let (_, page) = client.get(path);
    assert_eq!((page["results"].as_array().unwrap().len(), &page["paging"]["next"]["after"]), (500, &json!("501")));
    let (_, rest) = client.get(&format!("{path}?after=501"));
    assert_eq!((rest["results"].as_array().unwrap().len(), rest.get("paging")), (200, None));
    refused(client.get(&format!("{path}?limit=501")), 400, "VALIDATION_ERROR");
    let read = "/crm/v4/associations/companies/contacts/batch/read";
    let (_, first) = client.post(read, json!({"inputs": [{"id": "9"}]}));
    let after = first["results"][0]["paging"]["next"]["after"].clone();
    let (_, second) = client.post(read, json!({"inputs": [{"id": "9", "after": after}]}));
    assert_eq!(second["results"][0]["to"].as_array().unwrap().len(), 200);
    let (_, company) =
        client.get("/crm/v3/objects/companies/9?associations=contacts&properties=num_associated_contacts");
    assert_eq!(company["properties"]["num_associated_contacts"], "700");
    assert!(company["associations"]["contacts"]["paging"]["next"]["after"].is_string());
}

#[test]
fn parents_and_children_of_a_kind() {
    let mut s = setting(json!({}));
    let path = format!("/crm/v4/objects/companies/{}/associations/companies/{}", s.companies[0], s.companies[1]);
    assert_eq!(s.client.put(&path, json!([spec(13)])).0, 201);
    let back = format!("/crm/v4/objects/companies/{}/associations/companies", s.companies[1]);
    let (_, body) = s.client.get(&back);
    let types: Vec<&Json> =
        body["results"][0]["associationTypes"].as_array().unwrap().iter().map(|t| &t["typeId"]).collect();
    assert_eq!(types, [&json!(14), &json!(450)]);
    let own = format!("/crm/v4/objects/companies/{0}/associations/companies/{0}", s.companies[0]);
    refused(s.client.put(&own, json!([spec(450)])), 400, "VALIDATION_ERROR");
}

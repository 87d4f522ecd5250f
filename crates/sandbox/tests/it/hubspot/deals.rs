//! Stages belong to pipelines; pipelines and owners over the API.

use serde_json::{Value as Json, json};

use super::{Client, refused};

fn second_pipeline(client: &mut Client) -> (String, String) {
    let (status, body) = client.post(
        "/crm/v3/pipelines/deals",
        json!({"label": "Partners", "displayOrder": 1, "stages": [
            {"label": "Start", "displayOrder": 0, "metadata": {"probability": "0.1"}},
            {"label": "Won", "displayOrder": 1, "metadata": {"probability": "1.0"}}]}),
    );
    assert_eq!(status, 201, "{body}");
    assert_eq!(body["stages"][1]["metadata"], json!({"isClosed": "true", "probability": "1.0"}));
    (body["id"].as_str().unwrap().to_owned(), body["stages"][0]["id"].as_str().unwrap().to_owned())
}

#[test]
fn a_new_portal_has_the_default_pipeline() {
    let mut client = Client::new();
    let (_, body) = client.get("/crm/v3/pipelines/deals");
    assert_eq!(body["results"][0]["id"], "default");
    assert_eq!(body["results"][0]["createdAt"], "1970-01-01T00:00:00.000Z");
    assert_eq!(body["results"][0]["stages"].as_array().unwrap().len(), 7);
    let stage = &body["results"][0]["stages"][0];
    assert_eq!(
        (stage["id"].as_str(), &stage["metadata"]["probability"]),
        (Some("appointmentscheduled"), &json!("0.2"))
    );
    let (_, tickets) = client.get("/crm/v3/pipelines/tickets/0/stages");
    assert_eq!(tickets["results"][3]["metadata"]["ticketState"], "CLOSED");
}

#[test]
fn a_stage_must_belong_to_its_pipeline() {
    let mut client = Client::new();
    let (pipeline, stage) = second_pipeline(&mut client);
    let deal = |pipeline: &str, stage: &str| json!({"properties": {"dealname": "D", "pipeline": pipeline, "dealstage": stage}});
    let path = "/crm/v3/objects/deals";
    refused(client.post(path, deal("default", &stage)), 400, "VALIDATION_ERROR");
    let (status, body) = client.post(path, deal(&pipeline, &stage));
    assert_eq!(status, 201);
    let id = body["id"].as_str().unwrap();
    let moved = client.patch(&format!("{path}/{id}"), json!({"properties": {"pipeline": "default"}}));
    refused(moved, 400, "VALIDATION_ERROR");
    let both = json!({"properties": {"pipeline": "default", "dealstage": "closedwon"}});
    assert_eq!(client.patch(&format!("{path}/{id}"), both).0, 200);
    assert_eq!(client.value("deals", id, "hs_is_closed_won"), "true");
    let (_, options) = client.get("/crm/v3/properties/deals/dealstage");
    assert_eq!(options["options"].as_array().unwrap().len(), 9, "the stages of both pipelines");
}

#[test]
fn the_pipeline_defaults_and_the_currency_is_the_companys() {
    let mut client = Client::new();
    let id = client.create("deals", json!({"dealname": "D", "dealstage": "closedlost"}));
    assert_eq!(client.value("deals", &id, "pipeline"), "default");
    assert_eq!(client.value("deals", &id, "deal_currency_code"), "EUR");
    let dated = client
        .create("deals", json!({"dealname": "D", "dealstage": "closedlost", "createdate": "2020-01-01T00:00:00Z"}));
    assert_eq!(client.value("deals", &dated, "createdate"), "2020-01-01T00:00:00.000Z");
}

#[test]
fn stages_and_pipelines_change_and_go() {
    let mut client = Client::new();
    let (pipeline, stage) = second_pipeline(&mut client);
    let stages = format!("/crm/v3/pipelines/deals/{pipeline}/stages");
    let (status, made) =
        client.post(&stages, json!({"label": "Middle", "displayOrder": 1, "metadata": {"probability": "0.5"}}));
    assert_eq!(status, 201);
    let no_probability = client.post(&stages, json!({"label": "X", "displayOrder": 1, "metadata": {}}));
    refused(no_probability, 400, "VALIDATION_ERROR");
    refused(
        client.post(&stages, json!({"label": "Middle", "displayOrder": 1, "metadata": {"probability": "0.5"}})),
        409,
        "OBJECT_ALREADY_EXISTS",
    );
    let made = format!("{stages}/{}", made["id"].as_str().unwrap());
    let (_, changed) = client.patch(&made, json!({"label": "Later"}));
    assert_eq!(changed["label"], "Later");
    assert_eq!(client.delete(&made).0, 204);
    client.create("deals", json!({"dealname": "D", "pipeline": pipeline, "dealstage": stage}));
    refused(client.delete(&format!("{stages}/{stage}")), 400, "VALIDATION_ERROR");
    let path = format!("/crm/v3/pipelines/deals/{pipeline}");
    refused(client.delete(&format!("{path}?validateReferencesBeforeDelete=true")), 400, "VALIDATION_ERROR");
    assert_eq!(client.delete(&path).0, 204);
    refused(client.get(&path), 404, "OBJECT_NOT_FOUND");
}

#[test]
fn owners_are_paged_and_archived_ones_apart() {
    let owners: Vec<Json> = (1..=5)
        .map(|n| json!({"id": n.to_string(), "email": format!("o{n}@b.co"), "userId": n + 100, "archived": n == 5}))
        .collect();
    let mut client = Client::over(json!({"platform": "hubspot", "owners": owners}));
    let (_, page) = client.get("/crm/v3/owners?limit=3");
    assert_eq!(page["results"].as_array().unwrap().len(), 3);
    assert_eq!(page["paging"]["next"]["after"], "4");
    let (_, rest) = client.get("/crm/v3/owners?limit=3&after=4");
    assert_eq!((super::ids(&rest), rest.get("paging")), (vec!["4".to_owned()], None));
    let (_, gone) = client.get("/crm/v3/owners?archived=true");
    assert_eq!(super::ids(&gone), ["5"]);
    assert!(gone["results"][0].get("archivedAt").is_none());
    assert_eq!(super::ids(&client.get("/crm/v3/owners?email=O2@b.co").1), ["2"]);
    assert_eq!(client.get("/crm/v3/owners/103?idProperty=userId").1["id"], "3");
    refused(client.get("/crm/v3/owners/5"), 404, "OBJECT_NOT_FOUND");
    let reply =
        client.post("/crm/v3/objects/contacts", json!({"properties": {"lastname": "L", "hubspot_owner_id": "5"}}));
    refused(reply, 400, "VALIDATION_ERROR");
}

//! Checklist 1 to 3: paths, shapes, lists; create, update, archive.

use serde_json::{Value as Json, json};

use super::{Client, refused};

#[test]
fn plural_names_type_ids_and_dated_paths_are_one() {
    let mut client = Client::new();
    let id = client.create("contacts", json!({"email": "a@b.co"}));
    let paths = [
        "/crm/v3/objects/contacts",
        "/crm/v3/objects/contact",
        "/crm/v3/objects/0-1",
        "/crm/objects/2026-03/contacts",
        "/crm/objects/2026-09/0-1",
    ];
    for path in paths {
        let (status, body) = client.get(&format!("{path}/{id}"));
        assert_eq!((status, body["id"].as_str()), (200, Some(id.as_str())), "{path}");
    }
    for path in [
        "/crm/properties/2026-03/contacts/email",
        "/crm/pipelines/2026-09/deals",
        "/crm/owners/2026-03",
        "/account-info/2026-09/details",
        "/crm-object-schemas/2026-09/schemas",
        "/crm/limits/2026-03/custom-properties",
        "/crm/associations/2026-09/contacts/companies/labels",
    ] {
        assert_eq!(client.get(path).0, 200, "{path}");
    }
    let path = format!("/crm/objects/2026-09/contacts/{id}/associations/companies");
    assert_eq!(client.get(&path), (200, json!({"results": []})));
    refused(client.get("/crm/v3/objects/gadgets"), 400, "VALIDATION_ERROR");
    refused(client.get("/crm/v3/nothing/here"), 404, "OBJECT_NOT_FOUND");
}

#[test]
fn values_are_strings_or_null_and_ids_strings() {
    let mut client = Client::new();
    let id = client.create("deals", json!({"dealname": "D", "amount": "12.50", "dealstage": "contractsent"}));
    let (_, deal) = client.get(&format!("/crm/v3/objects/deals/{id}?properties=amount,hs_next_step,nonsense"));
    assert_eq!(deal["id"], Json::String(id.clone()));
    assert_eq!(
        deal["properties"],
        json!({"amount": "12.50", "hs_next_step": null, "hs_object_id": id,
            "createdate": "2026-11-20T09:00:01.000Z", "hs_lastmodifieddate": "2026-11-20T09:00:01.000Z"})
    );
    let contact = client.create("contacts", json!({"lastname": "L"}));
    let (_, contact) = client.get(&format!("/crm/v3/objects/contacts/{contact}"));
    assert!(contact["properties"]["lastmodifieddate"].is_string());
    assert_eq!(contact["properties"]["email"], Json::Null);
    assert_eq!(contact["archived"], false);

    let mut absent = Client::with(json!({"empty_as_null": false}));
    let id = absent.create("contacts", json!({"lastname": "L"}));
    let (_, contact) = absent.get(&format!("/crm/v3/objects/contacts/{id}?properties=email"));
    assert!(contact["properties"].get("email").is_none());
}

#[test]
fn a_list_pages_by_the_id_of_the_next_record() {
    let mut client = Client::new();
    let all: Vec<String> =
        (0..25).map(|n| client.create("companies", json!({"name": format!("Company {n}")}))).collect();
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let (status, page) = client.get(&format!("/crm/v3/objects/companies?limit=10{after}"));
        assert_eq!(status, 200);
        seen.extend(page["results"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["paging"]["next"]["after"].as_str() else { break };
        assert_eq!(Some(&next.to_owned()), all.get(seen.len()), "after is the next record");
        assert!(page["paging"]["next"]["link"].as_str().unwrap().contains(&format!("after={next}")));
        after = format!("&after={next}");
    }
    assert_eq!(seen, all);
    assert_eq!(client.get("/crm/v3/objects/companies").1["results"].as_array().unwrap().len(), 10);
}

#[test]
fn limits_of_a_list_are_refused_above() {
    let mut client = Client::new();
    refused(client.get("/crm/v3/objects/contacts?limit=101"), 400, "VALIDATION_ERROR");
    refused(client.get("/crm/v3/objects/contacts?limit=51&propertiesWithHistory=email"), 400, "VALIDATION_ERROR");
    refused(client.get("/crm/v3/objects/contacts?limit=0"), 400, "VALIDATION_ERROR");
    refused(client.get("/crm/v3/objects/contacts?after=x"), 400, "VALIDATION_ERROR");
    assert_eq!(client.get(&format!("/crm/v3/objects/contacts?properties={}", "x".repeat(5_116))).0, 200);
    assert_eq!(client.get(&format!("/crm/v3/objects/contacts?properties={}", "x".repeat(8_200))).0, 414);
    assert_eq!(client.get("/crm/v3/objects/contacts?limit=100").0, 200);
    assert_eq!(client.get("/crm/v3/objects/contacts?limit=50&propertiesWithHistory=email").0, 200);
}

#[test]
fn archived_records_stand_in_their_own_list() {
    let mut client = Client::new();
    let id = client.create("contacts", json!({"email": "a@b.co"}));
    let stays = client.create("contacts", json!({"email": "c@b.co"}));
    assert_eq!(client.delete(&format!("/crm/v3/objects/contacts/{id}")).0, 204);
    assert_eq!(client.delete(&format!("/crm/v3/objects/contacts/{id}")).0, 204, "again");
    refused(client.get(&format!("/crm/v3/objects/contacts/{id}")), 404, "OBJECT_NOT_FOUND");
    let (status, gone) = client.get(&format!("/crm/v3/objects/contacts/{id}?archived=true"));
    assert_eq!((status, gone["archived"].as_bool()), (200, Some(true)));
    assert!(gone["archivedAt"].is_string());
    assert_eq!(super::ids(&client.get("/crm/v3/objects/contacts?archived=true").1), [id]);
    assert_eq!(super::ids(&client.get("/crm/v3/objects/contacts").1), [stays]);
    let (status, again) = client.post("/crm/v3/objects/contacts", json!({"properties": {"email": "a@b.co"}}));
    assert_eq!(status, 201, "the address is free again: {again}");
}

#[test]
fn an_update_clears_with_empty_text_and_returns_what_it_wrote() {
    let mut client = Client::new();
    let id = client.create("contacts", json!({"email": "A@B.co", "phone": "1"}));
    let path = format!("/crm/v3/objects/contacts/{id}");
    let (status, body) = client.patch(&path, json!({"properties": {"phone": "", "jobtitle": "CTO"}}));
    assert_eq!(status, 200);
    assert_eq!((&body["properties"]["phone"], &body["properties"]["jobtitle"]), (&Json::Null, &json!("CTO")));
    assert_eq!(body["properties"]["email"], "a@b.co", "addresses are stored in lower case");
    refused(client.patch("/crm/v3/objects/contacts/999", json!({"properties": {}})), 404, "OBJECT_NOT_FOUND");
    let (status, _) =
        client.patch("/crm/v3/objects/contacts/a@b.co?idProperty=email", json!({"properties": {"city": "Ulm"}}));
    assert_eq!(status, 200);
    assert_eq!(client.value("contacts", &id, "city"), "Ulm");
    refused(client.get("/crm/v3/objects/contacts/Ulm?idProperty=city"), 400, "VALIDATION_ERROR");
}

#[test]
fn history_holds_real_changes_with_their_source() {
    let mut client = Client::with(json!({"touch_on_equal_write": false}));
    let id = client.create("contacts", json!({"email": "a@b.co", "city": "Ulm"}));
    let path = format!("/crm/v3/objects/contacts/{id}");
    for city in ["Ulm", "Bonn", "Bonn"] {
        client.patch(&path, json!({"properties": {"city": city}}));
    }
    let (_, body) = client.get(&format!("{path}?propertiesWithHistory=city"));
    let city = body["propertiesWithHistory"]["city"].as_array().unwrap();
    let values: Vec<&str> = city.iter().map(|v| v["value"].as_str().unwrap()).collect();
    assert_eq!(values, ["Bonn", "Ulm"]);
    assert_eq!(city[0]["sourceType"], "INTEGRATION");
    assert_eq!(city[0]["timestamp"], "2026-11-20T09:00:03.000Z");
    assert_eq!(body["updatedAt"], "2026-11-20T09:00:03.000Z", "an equal write moves nothing here");
}

#[test]
fn required_properties_of_a_create() {
    let mut client = Client::new();
    let cases: [(&str, Json, &str); 9] = [
        ("contacts", json!({"phone": "1"}), "email"),
        ("companies", json!({"city": "Ulm"}), "name"),
        ("deals", json!({"dealname": "D"}), "dealstage"),
        ("tickets", json!({"subject": "S", "hs_pipeline": "0"}), "hs_pipeline_stage"),
        ("notes", json!({"hs_note_body": "x"}), "hs_timestamp"),
        ("tasks", json!({"hs_task_subject": "x"}), "hs_timestamp"),
        ("emails", json!({"hs_timestamp": "1795165200000"}), "hs_email_direction"),
        ("communications", json!({"hs_timestamp": "1795165200000"}), "hs_communication_channel_type"),
        ("products", json!({"price": "1"}), "name"),
    ];
    for (object, properties, missing) in cases {
        let reply = client.post(&format!("/crm/v3/objects/{object}"), json!({"properties": properties}));
        assert_eq!(reply.1["errors"][0]["code"], "MISSING_REQUIRED_PROPERTY", "{object}");
        assert!(refused(reply, 400, "VALIDATION_ERROR").contains(missing), "{object}");
    }
    client.create("line_items", json!({}));
    let meeting = client.create("meetings", json!({"hs_meeting_start_time": "2026-01-02T03:04:05Z"}));
    assert_eq!(client.value("meetings", &meeting, "hs_timestamp"), "2026-01-02T03:04:05.000Z");
    refused(
        client.post("/crm/v3/objects/leads", json!({"properties": {"hs_lead_name": "L"}})),
        400,
        "VALIDATION_ERROR",
    );
}

#[test]
fn gdpr_delete_leaves_nothing() {
    let mut client = Client::new();
    let id = client.create("contacts", json!({"email": "a@b.co"}));
    let (status, _) =
        client.post("/crm/v3/objects/contacts/gdpr-delete", json!({"objectId": "a@b.co", "idProperty": "email"}));
    assert_eq!(status, 204);
    refused(client.get(&format!("/crm/v3/objects/contacts/{id}?archived=true")), 404, "OBJECT_NOT_FOUND");
    let next = client.create("contacts", json!({"email": "a@b.co"}));
    assert_ne!(next, id);
}

#[test]
fn bodies_that_do_not_parse_are_refused() {
    let mut client = Client::new();
    let mut request =
        client.request("POST", "/crm/v3/objects/contacts").with_header("content-type", "application/json");
    request.body = b"{\"properties\": ".to_vec();
    let message = refused(super::body(&client.send(&request)), 400, "VALIDATION_ERROR");
    assert!(message.starts_with("Invalid input JSON on line 1, column "), "{message}");
    let mut plain = client.request("POST", "/crm/v3/objects/contacts");
    plain.body = b"{}".to_vec();
    assert_eq!(client.send(&plain).status, 415);
    refused(client.post("/crm/v3/objects/contacts", json!({"email": "a@b.co"})), 400, "VALIDATION_ERROR");
}

//! World files: round trips, determinism, replay, the sample company.

use handover_sandbox::hubspot::{Hubspot, WorldError};
use handover_sandbox::{Platform, Request, Sandbox, persist, sample};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::{Client, START};

/// Requests of every sort, the same each time.
fn play(client: &mut Client) {
    client.post(
        "/crm/v3/properties/contacts",
        json!({"name": "src_key", "label": "K", "type": "string",
        "fieldType": "text", "groupName": "contactinformation", "hasUniqueValue": true}),
    );
    let inputs: Vec<Json> = (0..9)
        .map(|n| json!({"id": n.to_string(), "idProperty": "src_key", "properties": {"email": format!("c{n}@b.co")}}))
        .collect();
    let (_, made) = client.post("/crm/v3/objects/contacts/batch/upsert", json!({"inputs": inputs}));
    let ids = super::ids(&made);
    let company = client.create("companies", json!({"name": "C", "domain": "b.co"}));
    client.put(&format!("/crm/v4/objects/contacts/{}/associations/default/companies/{company}", ids[0]), json!({}));
    client.post("/crm/v4/associations/contacts/companies/labels", json!({"label": "L", "name": "l"}));
    client.patch(&format!("/crm/v3/objects/contacts/{}", ids[1]), json!({"properties": {"city": "Ulm"}}));
    client.patch(&format!("/crm/v3/objects/contacts/{}", ids[1]), json!({"properties": {"city": "Bonn"}}));
    client.post("/crm/v3/objects/contacts/merge", json!({"primaryObjectId": ids[0], "objectIdToMerge": ids[2]}));
    client.delete(&format!("/crm/v3/objects/contacts/{}", ids[3]));
    client.post("/crm/v3/objects/contacts/gdpr-delete", json!({"objectId": ids[4]}));
    client.post("/crm/v3/objects/contacts/search", json!({}));
    client.get("/crm/v3/objects/contacts?limit=5");
    client.post("/crm/v3/objects/contacts", json!({"properties": {"email": "c1@b.co"}}));
}

#[test]
fn the_same_requests_give_the_same_bytes() {
    let run = || {
        let mut client = Client::with(json!({"search_lag_ms": 500}));
        play(&mut client);
        let request = client.request("POST", "/crm/v3/objects/contacts/search").with_json(&json!({"limit": 100}));
        (client.send(&request), client.sandbox.platform().world())
    };
    assert_eq!(run(), run());
}

#[test]
fn a_dump_loads_to_the_same_world_and_goes_on_alike() {
    let mut client = Client::with(json!({"rules": [
        {"object": "contacts", "on": "email", "set": "hs_lead_status", "to": "NEW", "after_ms": 60_000}]}));
    play(&mut client);
    let dump = client.sandbox.platform().world();
    let again = Hubspot::from_world(dump.clone(), 7).unwrap();
    assert_eq!(again.world(), dump);
    let mut other = Client::over(dump);
    other.now = client.now;
    assert_eq!(other.token, client.token);
    for c in [&mut client, &mut other] {
        c.now += 120_000;
    }
    let request =
        client.request("POST", "/crm/v3/objects/contacts").with_json(&json!({"properties": {"email": "z@b.co"}}));
    assert_eq!(client.send(&request), other.send(&request));
    assert_eq!(client.sandbox.platform().world(), other.sandbox.platform().world());
}

#[test]
fn a_folder_replays_to_the_same_world() {
    let dir = std::env::temp_dir().join(format!("handover-hubspot-{}", std::process::id()));
    let fresh = || Ok::<Box<dyn Platform>, WorldError>(Box::new(Hubspot::empty(7)));
    let load = |world: Json| Ok::<Box<dyn Platform>, WorldError>(Box::new(Hubspot::from_world(world, 7)?));
    let sandbox = persist::open(&dir, fresh, load).unwrap();
    let token = sandbox.platform().credentials()["token"].as_str().unwrap().to_owned();
    let mut client = Client { sandbox, token, now: START, step: 1_000, events: vec![] };
    play(&mut client);
    let before = without_requests(client.sandbox.platform().world());
    drop(client);
    let again = persist::open(&dir, fresh, load).unwrap();
    assert_eq!(without_requests(again.platform().world()), before);
    std::fs::remove_dir_all(&dir).unwrap();
}

/// Reads are not replayed, so the counts of requests differ.
fn without_requests(mut world: Json) -> Json {
    world.as_object_mut().unwrap().remove("day");
    world["counters"].as_object_mut().unwrap().remove("requests");
    world
}

#[test]
fn worlds_that_cannot_be() {
    let load = |world: Json| Hubspot::from_world(world, 1).err().map(|e| e.to_string()).unwrap_or_default();
    let contact = |id: &str, properties: Json| json!({"id": id, "properties": properties});
    let world = |contacts: Json| json!({"platform": "hubspot", "objects": {"contacts": contacts}});
    assert!(load(json!({"platform": "pipedrive"})).contains("pipedrive"));
    assert!(load(json!({"platform": "hubspot", "nonsense": 1})).contains("failed reading"));
    assert!(load(json!({"platform": "hubspot", "objects": {"gadgets": []}})).contains("gadgets"));
    assert!(load(world(json!([contact("1", json!({"nope": "x"}))]))).contains("unknown property nope"));
    assert!(load(world(json!([contact("x", json!({}))]))).contains("no numeric id"));
    assert!(load(world(json!([contact("1", json!({})), contact("1", json!({}))]))).contains("twice"));
    let twins = json!([contact("1", json!({"email": "a@b.co"})), contact("2", json!({"email": "A@b.co"}))]);
    assert!(load(world(twins)).contains("e-mail"));
    let link = json!({"platform": "hubspot", "associations":
        [{"fromType": "contacts", "fromId": "1", "toType": "companies", "toId": "2"}]});
    assert!(load(link).contains("does not exist"));
}

#[test]
fn custom_objects_have_their_routes() {
    let mut client = Client::over(json!({"platform": "hubspot",
        "custom_objects": [{"objectTypeId": "2-77", "name": "car", "plural": "cars", "requiredProperties": ["plate"]}],
        "properties": {"cars": [{"name": "plate", "label": "Plate", "type": "string", "fieldType": "text",
            "groupName": "custom_object_information", "hasUniqueValue": true}]}}));
    let (status, _) = client.post("/crm/v3/objects/2-77", json!({"properties": {}}));
    assert_eq!(status, 400);
    let car = client.create("cars", json!({"plate": "UL-1"}));
    let contact = client.create("contacts", json!({"lastname": "L"}));
    assert_eq!(
        client.put(&format!("/crm/v4/objects/cars/{car}/associations/default/contacts/{contact}"), json!({})).0,
        200
    );
    let (_, schemas) = client.get("/crm-object-schemas/v3/schemas");
    let schema = &schemas["results"][0];
    assert_eq!((&schema["objectTypeId"], &schema["labels"]["plural"]), (&json!("2-77"), &json!("cars")));
    let name = schema["fullyQualifiedName"].as_str().unwrap();
    assert_eq!(client.get(&format!("/crm/v3/objects/{name}/{car}")).0, 200);
    let leads_to = |id: &str| {
        let associations = schema["associations"].as_array().unwrap().iter();
        associations.filter(|one| one["fromObjectTypeId"] == "2-77" && one["toObjectTypeId"] == id).count()
    };
    assert_eq!((leads_to("0-1"), leads_to("0-2"), leads_to("2-99")), (1, 1, 0));
    let dump = client.sandbox.platform().world();
    assert_eq!(Hubspot::from_world(dump.clone(), 7).unwrap().world(), dump);
}

#[test]
fn the_sample_company_stands_in_the_portal() {
    let seed = sample_seed();
    let company = sample::hubspot_company(seed);
    let hub = Hubspot::from_world(company.hubspot, seed).unwrap();
    let token = hub.credentials()["token"].as_str().unwrap().to_owned();
    let mut client = Client { sandbox: Sandbox::new(Box::new(hub)), token, now: START, step: 1_000, events: vec![] };
    let (status, body) = client.post("/crm/v3/objects/deals/search", json!({"limit": 1}));
    assert_eq!((status, &body["total"]), (200, &json!(1_800)), "seed {seed}");
}

fn sample_seed() -> u64 {
    crate::sample::SEEDS[0]
}

#[test]
fn a_record_among_many_is_found_by_its_address() {
    let records: Vec<Json> = (1..=200_000_u64)
        .map(|id| json!({"id": id.to_string(), "properties": {"email": format!("c{id}@b.co"), "lastname": "L"}}))
        .collect();
    let hub = Hubspot::from_world(json!({"platform": "hubspot", "objects": {"contacts": records}}), 1).unwrap();
    let token = hub.credentials()["token"].as_str().unwrap().to_owned();
    let mut sandbox = Sandbox::new(Box::new(hub));
    let request = Request::new("GET", "/crm/v3/objects/contacts/c199999@b.co")
        .with_param("idProperty", "email")
        .with_header("authorization", format!("Bearer {token}"));
    let handled = sandbox.handle(&request, Timestamp::from_millisecond(START).unwrap());
    assert!(matches!(handled.delivery, handover_sandbox::Delivery::Whole(reply) if reply.status == 200));
}

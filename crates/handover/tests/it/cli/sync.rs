//! `handover sync`: what people change in the old system after the load.

use serde_json::json;

use super::{Play, made_of, record};

/// Later than anything that the demo's clock has seen.
const LATER: &str = "2026-11-02T09:30:00Z";

#[test]
fn before_the_load_it_says_what_to_do() {
    let play = Play::forth();
    let told = play.does(&["sync", "--once"]).ends(1);
    assert!(told.err.contains("the first load has not come to its end"), "{}", told.err);
    assert!(told.err.contains("handover run"), "{}", told.err);
}

#[test]
fn changes_are_carried_once() {
    let play = Play::ran();
    let did = || {
        let told = play.does(&["sync", "--once", "--json"]).ends(3).json();
        let did = &told["did"];
        (did["created"].as_u64().unwrap(), did["updated"].as_u64().unwrap(), did["held"].as_u64().unwrap())
    };
    assert_eq!(did(), (0, 0, 0), "nothing changed");
    let carried = play.world("new")["objects"]["contacts"].clone();
    let key = |record: &serde_json::Value| record["properties"]["handover_source_key"].as_str().map(str::to_owned);
    let id: u64 =
        carried.as_array().unwrap().iter().find_map(key).unwrap().rsplit(':').next().unwrap().parse().unwrap();
    play.disturb("old", |world| {
        let person = record(world, "persons", id);
        // First and last name are parts of it.
        person["name"] = json!("Somebody Renamed");
        (person["first_name"], person["last_name"]) = (json!("Somebody"), json!("Renamed"));
        person["update_time"] = json!(LATER);
        let mut fresh = person.clone();
        fresh["id"] = json!(990_001);
        fresh["emails"] = json!([{"label": "work", "primary": true, "value": "newly.come@acme.example"}]);
        fresh["phones"] = json!([]);
        world["persons"].as_array_mut().unwrap().push(fresh);
    });
    assert_eq!(did(), (1, 1, 0));
    let mut world = play.world("new");
    assert_eq!(made_of(&mut world, "contacts", &format!("old:persons:{id}"))["properties"]["lastname"], "Renamed");
    assert_eq!(made_of(&mut world, "contacts", "old:persons:990001")["properties"]["email"], "newly.come@acme.example");
    assert_eq!(did(), (0, 0, 0), "it stopped changing");
    play.does(&["verify"]).ends(0);
    play.does(&["audit", "verify"]).ends(0);
}

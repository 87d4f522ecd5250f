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

/// People of the old system that have a counterpart, deleted there.
fn delete_people(play: &Play, number: usize) -> Vec<u64> {
    let carried = play.world("new")["objects"]["contacts"].clone();
    let key = |record: &serde_json::Value| record["properties"]["handover_source_key"].as_str().map(str::to_owned);
    let keys = carried.as_array().unwrap().iter().filter_map(key);
    let ids: Vec<u64> = keys.filter_map(|key| key.strip_prefix("old:persons:")?.parse().ok()).take(number).collect();
    play.disturb("old", |world| {
        for id in &ids {
            record(world, "persons", *id)["is_deleted"] = json!(true);
        }
    });
    ids
}

/// Missed, asked about, answered, deleted; the guard and the word that lets it through.
#[test]
fn deletions_are_asked_about_and_guarded() {
    let play = Play::ran();
    // The demo's clock stands still: a list of ids is never too old.
    play.edit("handover.yaml", "policies:", "policies:\n  sweep: 1ms\n  delete_guard: {count: 1, share: 100%}");
    play.does(&["sync", "--once"]).ends(3);
    let ids = delete_people(&play, 2);
    let vanished = |told: &serde_json::Value, what: &str| told["vanished"][what].as_u64().unwrap();
    assert_eq!(vanished(&play.does(&["sync", "--once", "--json"]).ends(3).json(), "noticed"), 2);
    let told = play.does(&["sync", "--once"]).ends(4);
    assert!(told.err.contains("handover sync --once --confirm-deletes persons=2"), "{}", told.err);
    let told = play.does(&["sync", "--once", "--confirm-deletes", "nobody=2"]).ends(1);
    assert!(told.err.contains("the project has no flow `nobody`"), "{}", told.err);
    let told = play.does(&["sync", "--once", "--confirm-deletes", "persons=2", "--json"]).ends(3).json();
    assert_eq!(vanished(&told, "asked"), 2);
    let person = format!("persons/{}", ids[0]);
    let shown = play.does(&["holds", "show", &person]).ends(3).out;
    assert!(shown.contains("counterpart") && shown.contains("--delete, --keep"), "{shown}");
    let told = play.does(&["holds", "answer", &person, "--merge"]).ends(1);
    assert!(told.err.contains("this answer does not fit"), "{}", told.err);
    play.does(&["holds", "answer", &person, "--delete", "--reviewer", "Ana Silva"]).ends(3);
    play.does(&["holds", "answer", &format!("persons/{}", ids[1]), "--keep"]).ends(3);
    let key = format!("old:persons:{}", ids[0]);
    let left = play.world("new")["objects"]["contacts"].clone();
    let archived = |record: &serde_json::Value| record["archivedAt"].is_string() || record["archived"] == true;
    let is_live =
        |record: &&serde_json::Value| record["properties"]["handover_source_key"] == *key && !archived(record);
    assert_eq!(left.as_array().unwrap().iter().filter(is_live).count(), 0);
    let story = play.does(&["audit", "show", &person]).ends(0).out;
    for words in ["missed in the source", "Ana Silva answered: delete", "is about to be deleted", "was deleted"] {
        assert!(story.contains(words), "{words}: {story}");
    }
    assert!(!play.does(&["holds", "--json"]).json()["holds"].to_string().contains("source_deleted"));
}

/// What no list tells is looked for on request, shown, and carried on request.
#[test]
fn pairs_are_looked_at_again_and_repaired() {
    let play = Play::ran();
    // The demo's clock stands still but for what requests take.
    play.edit("handover.yaml", "policies:", "policies:\n  reconcile: {lag: 1ms}");
    let first = play.does(&["sync", "--once", "--reconcile", "--json"]).ends(3).json();
    let of = |told: &serde_json::Value, flow: &str| {
        told["reconciled"].as_array().unwrap().iter().find(|one| one["flow"] == flow).unwrap().clone()
    };
    assert!(of(&first, "persons")["pairs"].as_u64().unwrap() > 2, "{first}");
    assert!(first["reconciled"].as_array().unwrap().iter().all(|one| one["open"] == json!({})), "{first}");
    let carried = play.world("new")["objects"]["contacts"].clone();
    let key = |record: &serde_json::Value| {
        record["properties"]["handover_source_key"].as_str()?.strip_prefix("old:persons:")?.parse::<u64>().ok()
    };
    let id = carried.as_array().unwrap().iter().find_map(key).unwrap();
    play.disturb("old", |world| record(world, "persons", id)["name"] = json!("Unseen Renamed"));
    let told = play.does(&["sync", "--once", "--reconcile", "--json"]).ends(3).json();
    assert_eq!(of(&told, "persons")["open"], json!({}), "suspected");
    let told = play.does(&["sync", "--once", "--json"]).ends(3).json();
    assert_eq!((&of(&told, "persons")["counted"], &of(&told, "persons")["sent"]), (&json!(2), &json!(0)), "both names");
    let told = play.does(&["status", "--json"]).json();
    let person = &told["reconciled"]["persons"];
    assert_eq!((&person["open"]["lastname"], &person["counted"]), (&json!(1), &json!(2)), "{person}");
    assert_eq!(person["differences"][0]["record"], json!(id.to_string()));
    assert!(person["whole"].is_string() && person["share"].is_number(), "{person}");
    let shown = play.does(&["status"]).out;
    assert!(shown.contains("2 differences (firstname 1, lastname 1)"), "{shown}");
    let told = play.does(&["sync", "--once", "--repair"]).ends(3);
    assert!(told.err.contains("1 record carried") || told.out.contains("1 record carried"), "{}{}", told.out, told.err);
    let mut world = play.world("new");
    assert_eq!(made_of(&mut world, "contacts", &format!("old:persons:{id}"))["properties"]["lastname"], "Renamed");
    let told = play.does(&["sync", "--once", "--repair", "--json"]).ends(3).json();
    assert_eq!((&of(&told, "persons")["open"], &of(&told, "persons")["sent"]), (&json!({}), &json!(0)));
    let story = play.does(&["audit", "show", &format!("persons/{id}")]).ends(0).out;
    for words in ["firstname, lastname differ on both sides", "firstname, lastname agree again"] {
        assert!(story.contains(words), "{words}: {story}");
    }
}

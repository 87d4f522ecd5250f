//! Both systems in use, at the terminal: a conflict is shown with both values, and one answer settles it.

use serde_json::{Value as Json, json};

use super::{Play, made_of, record};

/// Later than anything that the demo's clock has seen.
const LATER: &str = "2026-11-02T09:30:00Z";

/// A project of which the organizations go both ways, and one that is in both systems: its id in the old one.
fn both_ways() -> (Play, u64) {
    let play = Play::ran();
    play.edit("mappings/organizations.yaml", "direction: one_way", "direction: both_ways");
    let carried = play.world("new")["objects"]["companies"].clone();
    let key = |record: &Json| record["properties"]["handover_source_key"].as_str().map(str::to_owned);
    let ids = carried.as_array().unwrap().iter().filter_map(key).map(|key| key.rsplit(':').next().unwrap().to_owned());
    // The load holds some of them: of another one a hold is news.
    let held = play.does(&["holds", "list", "--json"]).ends(3).json()["holds"].clone();
    let is_held = |id: &String| held.as_array().unwrap().iter().any(|hold| hold["record"] == **id);
    let id = ids.into_iter().find(|id| !is_held(id)).unwrap();
    (play, id.parse().unwrap())
}

fn rename_in_old(play: &Play, id: u64, name: &str) {
    play.disturb("old", |world| {
        let organization = record(world, "organizations", id);
        (organization["name"], organization["update_time"]) = (json!(name), json!(LATER));
    });
}

fn rename_in_new(play: &Play, id: u64, name: &str) {
    play.disturb("new", |world| {
        let company = made_of(world, "companies", &format!("old:organizations:{id}"));
        (company["properties"]["name"], company["updatedAt"]) = (json!(name), json!("2026-11-02T09:30:00.000Z"));
        company["properties"]["hs_lastmodifieddate"] = json!("2026-11-02T09:30:00.000Z");
    });
}

/// It is later than the time in which a platform may still be changing what was written.
fn a_while_passes(play: &Play) {
    std::fs::write(play.dir().join("sandbox").join("clock"), "2026-11-02T09:31:00Z").unwrap();
}

fn names(play: &Play, id: u64) -> [String; 2] {
    let (mut old, mut new) = (play.world("old"), play.world("new"));
    let text = |name: &Json| name.as_str().unwrap().to_owned();
    let there = &made_of(&mut new, "companies", &format!("old:organizations:{id}"))["properties"]["name"];
    [text(&record(&mut old, "organizations", id)["name"]), text(there)]
}

#[test]
fn a_conflict_is_shown_with_both_values_and_answered_once() {
    let (play, id) = both_ways();
    play.does(&["sync", "--once"]).ends(3);
    a_while_passes(&play);
    rename_in_old(&play, id, "Renamed GmbH");
    rename_in_new(&play, id, "Otherwise Renamed");
    let told = play.does(&["sync", "--once", "--json"]).ends(3).json();
    assert_eq!((&told["did"]["updated"], &told["did"]["held"]), (&json!(0), &json!(1)), "{told}");
    let shown = play.does(&["holds", "show", &format!("organizations/{id}")]).ends(3);
    for part in
        ["`name` was changed on both sides", "Renamed GmbH", "Otherwise Renamed", "--take source, --take target"]
    {
        assert!(shown.out.contains(part), "{part} is missing in {}", shown.out);
    }
    play.does(&["holds", "answer", "conflict:name", "--take", "target", "--reviewer", "Ana"]).ends(3);
    assert_eq!(names(&play, id), ["Otherwise Renamed", "Otherwise Renamed"]);
    play.does(&["holds", "show", &format!("organizations/{id}")]).ends(0);
    let quiet = play.does(&["sync", "--once", "--json"]).ends(3).json();
    assert_eq!((&quiet["did"]["updated"], &quiet["did"]["held"]), (&json!(0), &json!(0)), "{quiet}");
    play.does(&["verify"]).ends(0);
    play.does(&["audit", "verify"]).ends(0);
    let story = play.does(&["audit", "show", &format!("organizations/{id}")]).ends(0);
    assert!(story.out.contains("Otherwise Renamed") && story.out.contains("Ana"), "{}", story.out);
}

#[test]
fn the_owner_wins() {
    let (play, id) = both_ways();
    play.edit("mappings/organizations.yaml", "direction: both_ways", "owner: source\ndirection: both_ways");
    play.does(&["sync", "--once"]).ends(3);
    a_while_passes(&play);
    let [before, _] = names(&play, id);
    rename_in_new(&play, id, "Otherwise Renamed");
    play.does(&["sync", "--once"]).ends(3);
    assert_eq!(names(&play, id), [before.clone(), before]);
    let story = play.does(&["audit", "show", &format!("organizations/{id}")]).ends(0);
    assert!(story.out.contains("Otherwise Renamed"), "what was overwritten is told: {}", story.out);
}

#[test]
fn keys_without_effect_are_refused() {
    let play = Play::forth();
    play.edit("mappings/organizations.yaml", "direction: one_way", "owner: source\ndirection: one_way");
    let told = play.does(&["check"]).ends(1);
    assert!(told.err.contains("`owner` has no effect in a flow that goes one way"), "{}", told.err);
    assert!(told.err.contains("mappings/organizations.yaml:"), "{}", told.err);
}

//! Cohorts at the terminal: what `check`, `plan` and `status` say of them, and an edit that came after the move.

use serde_json::{Value as Json, json};

use super::{Play, Told, made_of, record};

const COHORTS: &str = r#"
time_zone: Europe/Berlin
kill_date: 2026-12-01
cohorts:
  - {name: north, where: {organizations: '.id == "2" || .id == "8"'}, begins: 2026-11-05, moves: 2026-11-12}
  - {name: nobody, where: {organizations: '.name == "Nobody"'}}
"#;

fn it_is(play: &Play, time: &str) {
    std::fs::write(play.dir().join("sandbox").join("clock"), time).unwrap();
}

fn rename(play: &Play, name: &str, at: &str) {
    play.disturb("old", |world| {
        let organization = record(world, "organizations", 2);
        (organization["name"], organization["update_time"]) = (json!(name), json!(at));
    });
}

fn name_there(play: &Play) -> Json {
    let mut new = play.world("new");
    made_of(&mut new, "companies", "old:organizations:2")["properties"]["name"].clone()
}

/// What a cohort has of the organizations: records, carried, waiting.
fn organizations(told: &Told) -> [Json; 3] {
    let one = &told.json()["cohorts"][0]["flows"]["organizations"];
    ["records", "paired", "waiting"].map(|what| one[what].clone())
}

#[test]
fn cohorts_are_planned_carried_and_shown() {
    let play = Play::forth();
    play.append("handover.yaml", COHORTS);
    let checked = play.does(&["check"]).ends(0);
    assert!(checked.err.contains("no record of `organizations` is in the cohort `nobody`"), "{}", checked.err);
    assert!(
        !checked.err.contains("in the cohort `north`") && checked.err.contains("handover.yaml:"),
        "{}",
        checked.err
    );

    let planned = play.does(&["plan", "--json"]).ends(0);
    assert_eq!(organizations(&planned), [json!(2), json!(0), json!(2)]);
    let passing = &planned.json()["cohorts"][0]["flows"]["organizations"]["fields_that_change_owner"];
    assert!(passing.as_u64() > Some(10), "{passing}");
    let ahead = play.does(&["plan", "--as-of", "2026-11-05", "--json"]).ends(0);
    assert_eq!(organizations(&ahead), [json!(2), json!(2), json!(0)]);
    assert_eq!(ahead.json()["objects"]["organizations"]["excluded"], 0);
    assert!(play.does(&["plan", "--as-of", "soon"]).ends(1).err.contains("`--as-of` wants a date"));
    let said = play.does(&["plan"]).ends(0).out;
    assert!(said.contains("fields that change owner") && said.contains("2026-11-05 (3 days to go)"), "{said}");

    let coming = |more: &[&str]| play.does(&[&["plan", "--cohort", "north", "--json"], more].concat()).ends(0).json();
    let told = coming(&[]);
    let about = &told["cohort"]["flows"]["organizations"];
    assert_eq!((&told["cohort"]["as_of"], &told["cohort"]["state"]), (&json!("2026-11-12"), &json!("moved")));
    assert_eq!([&about["records"], &about["carried_now"], &about["carried"]], [2, 0, 2]);
    assert!(about["fields_that_change_owner"].as_array().unwrap().contains(&json!("name")), "{about}");
    let begun = coming(&["--as-of", "2026-11-05"]);
    assert_eq!(begun["cohort"]["flows"]["organizations"]["fields_that_change_owner"], json!([]));
    let said = play.does(&["plan", "--cohort", "north"]).ends(0).out;
    assert!(said.contains("The cohort `north` on 2026-11-12: its records are the target's."), "{said}");
    assert!(play.does(&["plan", "--cohort", "south"]).ends(1).err.contains("it has north"));

    play.does(&["run"]).ends(3);
    let said = play.does(&["status"]).ends(3).out;
    assert!(said.contains("2026-11-12 (10 days to go)") && said.contains("Kill date: 2026-12-01 (29 days"), "{said}");
    it_is(&play, "2026-11-05T08:00:00Z");
    play.does(&["sync", "--once"]).ends(3);
    let begun = play.does(&["status", "--json"]).ends(3);
    assert_eq!(organizations(&begun), [json!(2), json!(2), json!(0)]);
    assert_eq!(begun.json()["cohorts"][0]["state"], "begun");
    play.does(&["verify"]).ends(0);

    it_is(&play, "2026-11-13T08:00:00Z");
    let before = name_there(&play);
    for (at, side, left) in
        [("2026-11-13T07:00:00Z", "target", &before), ("2026-11-13T09:00:00Z", "source", &json!("Once more"))]
    {
        rename(&play, if side == "target" { "Out of habit" } else { "Once more" }, at);
        it_is(&play, "2026-11-13T09:30:00Z");
        play.does(&["sync", "--once"]).ends(3);
        assert_eq!(name_there(&play), before, "asked, not carried");
        let shown = play.does(&["holds", "show", "organizations/2"]).ends(3).out;
        assert!(shown.contains("after its cohort `north` had moved"), "{shown}");
        play.does(&["holds", "answer", "organizations/2", "--take", side, "--reviewer", "Ana"]).ends(3);
        assert_eq!(name_there(&play), *left);
        play.does(&["holds", "show", "organizations/2"]).ends(0);
    }
    play.does(&["verify"]).ends(0);
    play.does(&["audit", "verify"]).ends(0);
}

/// What waits is judged anew when the project's files change: by another filter, or by none at all.
#[test]
fn edited_filters_count_for_what_waits() {
    let play = Play::forth();
    play.append("handover.yaml", COHORTS);
    play.does(&["run"]).ends(3);
    assert_eq!(organizations(&play.does(&["status", "--json"]).ends(3)), [json!(2), json!(0), json!(2)]);
    play.edit("handover.yaml", ".id == \"2\" || .id == \"8\"", ".id == \"8\"");
    let told = play.does(&["sync", "--once", "--json"]).ends(3).json();
    assert!(told["did"]["created"].as_u64() > Some(1), "with what follows it: {told}");
    name_there(&play);
    assert_eq!(organizations(&play.does(&["status", "--json"]).ends(3)), [json!(1), json!(0), json!(1)]);
    let project = play.read("handover.yaml");
    let (without, _) = project.split_once("\ntime_zone:").unwrap();
    std::fs::write(play.dir().join("handover.yaml"), without).unwrap();
    let told = play.does(&["sync", "--once", "--json"]).ends(3).json();
    assert_eq!(told["objects"]["organizations"]["excluded"], 0, "{told}");
    made_of(&mut play.world("new"), "companies", "old:organizations:8");
    let quiet = play.does(&["sync", "--once", "--json"]).ends(3).json();
    assert_eq!(quiet["did"]["created"], 0, "{quiet}");
    play.does(&["verify"]).ends(0);
}

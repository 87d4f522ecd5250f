//! Planted faults: each is found, with its kind and its ids, and nothing else is.

use serde_json::{Value as Json, json};

use super::{Play, Told, made_of};

/// What verify found: kind, flow, source, target, field.
fn differences(told: &Told) -> Vec<[String; 5]> {
    let report = told.json();
    let text = |value: &Json| value.as_str().unwrap_or("-").to_owned();
    report["report"]["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| ["kind", "flow", "source", "target", "field"].map(|name| text(&one[name])))
        .collect()
}

/// Plants a fault in the target's world after a run; gives what verify found.
fn planted<T>(fault: impl FnOnce(&mut Json) -> T) -> (T, Vec<[String; 5]>) {
    let play = Play::ran();
    let planted = play.disturb("new", fault);
    let told = play.does(&["verify", "--json"]).ends(4);
    (planted, differences(&told))
}

fn id(record: &Json) -> String {
    record["id"].as_str().unwrap().to_owned()
}

fn row(parts: [&str; 5]) -> [String; 5] {
    parts.map(str::to_owned)
}

#[test]
fn nothing_differs_after_a_run() {
    for (play, code) in [(Play::forth(), 3), (Play::back(), 3)] {
        play.does(&["run"]).ends(code);
        let told = play.does(&["verify", "--json"]).ends(0);
        assert_eq!(differences(&told), Vec::<[String; 5]>::new());
        let sums = &told.json()["verify"];
        for (what, least) in [("records", 100), ("fields", 1000), ("links", 100), ("files", 1)] {
            assert!(sums[what].as_u64().unwrap() >= least, "{what}: {sums}");
        }
    }
}

#[test]
fn a_wrong_value() {
    let (target, found) = planted(|world| {
        let deal = made_of(world, "deals", "old:deals:1");
        deal["properties"]["dealname"] = json!("Something else");
        id(deal)
    });
    assert_eq!(found, [row(["value", "deals", "1", &target, "dealname"])]);
}

#[test]
fn a_value_that_is_gone() {
    let (target, found) = planted(|world| {
        let contact = made_of(world, "contacts", "old:persons:1");
        contact["properties"].as_object_mut().unwrap().remove("phone").unwrap();
        id(contact)
    });
    assert!(found.contains(&row(["value", "persons", "1", &target, "phone"])), "{found:?}");
    assert!(found.iter().all(|one| one[0] == "value" || one[0] == "total"), "{found:?}");
}

#[test]
fn a_missing_link() {
    let (target, found) = planted(|world| {
        let deal = id(made_of(world, "deals", "old:deals:1"));
        let links = world["associations"].as_array_mut().unwrap();
        let before = links.len();
        links.retain(|link| !(link["fromType"] == "deals" && link["fromId"] == *deal && link["toType"] == "companies"));
        links.retain(|link| !(link["toType"] == "deals" && link["toId"] == *deal && link["fromType"] == "companies"));
        assert_eq!(before - links.len(), 1);
        deal
    });
    assert_eq!(found, [row(["missing_link", "deals", "1", &target, "associations.primary_company"])]);
}

#[test]
fn an_extra_link() {
    let (target, found) = planted(|world| {
        let note = id(made_of(world, "notes", "old:notes:1"));
        let deal = id(made_of(world, "deals", "old:deals:1"));
        let link = json!({
            "fromType": "deals", "fromId": deal, "toType": "notes", "toId": note,
            "types": [{"category": "HUBSPOT_DEFINED", "typeId": 213}],
        });
        world["associations"].as_array_mut().unwrap().push(link);
        note
    });
    assert_eq!(found, [row(["extra_link", "notes", "1", &target, "associations.deals"])]);
}

/// The main person of a deal takes part in it by itself; anybody else does not.
#[test]
fn an_extra_participant() {
    let play = Play::back();
    play.does(&["run"]).ends(3);
    let deal = play.disturb("new", |world| {
        let deal = world["deals"].as_array().unwrap().iter().find(|deal| !deal["person_id"].is_null()).unwrap();
        let (deal, main) = (deal["id"].clone(), deal["person_id"].clone());
        let takes_part = |person: &Json| {
            let mut rows = world["deal_participants"].as_array().unwrap().iter();
            rows.any(|row| row["deal_id"] == deal && row["person_id"] == *person)
        };
        let mut persons = world["persons"].as_array().unwrap().iter().map(|person| person["id"].clone());
        let other = persons.find(|person| *person != main && !takes_part(person)).unwrap();
        world["deal_participants"].as_array_mut().unwrap().push(json!({"deal_id": deal, "person_id": other}));
        deal.to_string()
    });
    let found = differences(&play.does(&["verify", "--json"]).ends(4));
    assert_eq!(
        found.iter().map(|one| [&one[0], &one[3], &one[4]]).collect::<Vec<_>>(),
        [["extra_link", &deal, "participants"]]
    );
}

#[test]
fn two_files_that_changed_places() {
    let (_, found) = planted(|world| {
        let files = world["files"].as_array_mut().unwrap();
        let [one, other, ..] = files.as_mut_slice() else { panic!("two files") };
        std::mem::swap(&mut one["content_base64"], &mut other["content_base64"]);
    });
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found.iter().all(|one| one[0] == "file" && one[1] == "files" && one[2] != "-" && one[3] != "-"),
        "{found:?}"
    );
}

#[test]
fn a_second_record_with_the_same_source_key() {
    let (twin, found) = planted(|world| {
        let mut twin = made_of(world, "companies", "old:organizations:2").clone();
        twin["id"] = json!("51999999999");
        world["objects"]["companies"].as_array_mut().unwrap().push(twin.clone());
        id(&twin)
    });
    assert_eq!(found, [row(["duplicate", "organizations", "2", &twin, "-"])]);
}

#[test]
fn a_record_of_ours_that_the_state_does_not_know() {
    let (stray, found) = planted(|world| {
        let mut stray = made_of(world, "companies", "old:organizations:2").clone();
        stray["id"] = json!("51999999999");
        stray["properties"]["handover_source_key"] = json!("old:organizations:4711");
        world["objects"]["companies"].as_array_mut().unwrap().push(stray.clone());
        id(&stray)
    });
    assert_eq!(found, [row(["unknown_record", "organizations", "4711", &stray, "-"])]);
}

#[test]
fn a_deleted_record() {
    let (target, found) = planted(|world| {
        let target = id(made_of(world, "notes", "old:notes:1"));
        world["objects"]["notes"].as_array_mut().unwrap().retain(|note| note["id"] != *target);
        world["associations"]
            .as_array_mut()
            .unwrap()
            .retain(|link| link["toId"] != *target && link["fromId"] != *target);
        target
    });
    assert_eq!(found, [row(["missing_record", "notes", "1", &target, "-"])]);
}

#[test]
fn a_source_that_changed_since_is_no_difference() {
    let play = Play::ran();
    play.disturb("old", |world| super::record(world, "deals", 1)["title"] = json!("Renamed since"));
    let told = play.does(&["verify", "--json"]).ends(0);
    let flows = told.json()["report"]["flows"].clone();
    let deals = flows.as_array().unwrap().iter().find(|flow| flow["flow"] == "deals").unwrap();
    assert_eq!(deals["changed_since"], 1);
}

#[test]
fn a_source_record_that_nobody_carried() {
    let play = Play::ran();
    play.disturb("old", |world| {
        let mut note = super::record(world, "notes", 1).clone();
        note["id"] = json!(900_001);
        world["notes"].as_array_mut().unwrap().push(note);
    });
    let told = play.does(&["verify", "--json"]).ends(4);
    assert_eq!(differences(&told), [row(["not_carried", "notes", "900001", "-", "-"])]);
}

/// The totals that disagree, as `field: what`.
fn totals(play: &Play) -> Vec<String> {
    play.does(&["run"]).ends(3);
    let told = play.does(&["verify", "--json"]).ends(4);
    let found = told.json()["report"]["differences"].clone();
    let found = found.as_array().unwrap();
    assert!(found.iter().all(|one| one["kind"] == "total"), "{found:?}");
    let what = |one: &Json| one["expected"].as_str().unwrap().split(':').next().unwrap().to_owned();
    found.iter().map(|one| format!("{}: {}", one["field"].as_str().unwrap(), what(one))).collect()
}

#[test]
fn a_rule_that_multiplies_by_a_hundred_shows_in_the_sums() {
    let play = Play::forth();
    play.edit("mappings/deals.yaml", "  amount: value\n", "  amount: {expr: '(.value * 100) ?? null'}\n");
    let found = totals(&play);
    assert!(found.iter().any(|one| one == "amount: sum EUR"), "{found:?}");
    assert!(found.iter().all(|one| one.starts_with("amount: sum")), "{found:?}");
}

#[test]
fn a_rule_that_exchanges_day_and_month_shows_in_the_months() {
    let play = Play::forth();
    let rule =
        "  go_live: {from: c057d60ab60706ac957515e4c9869aedafbf843e, steps: [{format_date: {format: '%Y-%d-%m'}}]}\n";
    // Days that are no months would only be held.
    play.disturb("old", |world| {
        for deal in world["deals"].as_array_mut().unwrap() {
            deal["custom_fields"]["c057d60ab60706ac957515e4c9869aedafbf843e"] = json!("2026-03-05");
        }
    });
    play.edit("mappings/deals.yaml", "  go_live: c057d60ab60706ac957515e4c9869aedafbf843e  # Go-live\n", rule);
    let found = totals(&play);
    assert!(found.contains(&"go_live: by month".to_owned()), "{found:?}");
}

/// Plan and run agree on every count and every hold, apart from files whose bytes are gone.
#[test]
fn the_plan_is_the_run() {
    for play in [Play::forth(), Play::back()] {
        let planned = play.does(&["plan", "--json"]).ends(0).json();
        let ran = play.does(&["run", "--json"]).ends(3).json();
        assert_eq!(without_files(&planned), without_files(&ran));
    }
}

/// Objects and holds, without what only the bytes can tell.
fn without_files(told: &Json) -> (Json, Vec<Json>) {
    let mut objects = told["objects"].clone();
    objects.as_object_mut().unwrap().remove("files");
    let of_files = |hold: &&Json| ["files", "file_notes"].iter().any(|flow| hold["flow"] == *flow);
    let holds = told["holds"].as_array().unwrap().iter().filter(|hold| !of_files(hold)).cloned().collect();
    (objects, holds)
}

//! Updates of which the target refuses one field: the others arrive, the refused one is held with the platform's
//! reason, and counts as changed until it is carried.

use std::collections::BTreeSet;

use handover_engine::Selection;
use handover_sandbox::faults::{DisturbAction, Disturbance, Fault, FaultPlan, Rule, When, Which};
use handover_store::Moment;
use serde_json::{Value as Json, json};

use crate::rig::{Around, Death, Ended, Ground, Orders, Scene, Way, on_threads};

/// What the test has to know of a platform.
struct Names {
    object: &'static str,
    records: &'static str,
    sector: &'static str,
    lines: &'static str,
}

fn names(platform: &str) -> Names {
    match platform {
        "pipedrive" => Names {
            object: "organization",
            records: "/organizations",
            sector: "2e7a1c43d9e53d1dd893f7e6517e5502dc2cfcb4",
            lines: "6278e0dd2469b848095f1c76da92933f8ba35914",
        },
        _ => Names {
            object: "companies",
            records: "/objects/companies",
            sector: "industry_sector",
            lines: "product_lines",
        },
    }
}

/// The options of a field, by its label.
fn options<'w>(world: &'w mut Json, label: &str) -> &'w mut Vec<Json> {
    let platform =
        if world.get("organization_fields").is_some() { "/organization_fields" } else { "/properties/companies" };
    let fields = world.pointer_mut(platform).unwrap().as_array_mut().unwrap();
    let field = fields.iter_mut().find(|field| field["label"] == label || field["field_name"] == label).unwrap();
    field["options"].as_array_mut().unwrap()
}

/// The id of an option in Pipedrive, its value in HubSpot.
fn option(world: &Json, field: &str, label: &str) -> Json {
    let mut world = world.clone();
    let option = options(&mut world, field).iter().find(|option| option["label"] == label).unwrap().clone();
    if option["id"].is_null() { option["value"].clone() } else { option["id"].clone() }
}

/// Companies of the old system that were carried, and of which nothing is held.
fn carried(ground: &Ground<'_>) -> Vec<String> {
    let end = ground.end();
    let flow = flow(ground.scene.way());
    let records = ground.scene.old.pointer(names(ground.scene.platforms[0]).records).unwrap();
    let ids = records.as_array().unwrap().iter().map(id);
    let is_made = |id: &String| end.state.keys().any(|line| line.starts_with(&format!("{flow} {id} Created")));
    ids.filter(|id| is_made(id) && !end.held.iter().any(|(object, held)| object == flow && held == id)).collect()
}

fn flow(way: Way) -> &'static str {
    if way == Way::ToHubspot { "organizations" } else { "companies" }
}

fn id(record: &Json) -> String {
    record["id"].as_str().map_or_else(|| record["id"].to_string(), str::to_owned)
}

/// A load, and an account of the target in which somebody deleted two options since.
fn loaded(way: Way) -> (Ground<'static>, Vec<String>) {
    let mut ground = Ground::new(Scene::of(way));
    ground.finish().unwrap();
    let carried = carried(&ground);
    strike(&mut ground);
    (ground, carried)
}

const STRUCK: [(&str, &str); 2] = [("Industry sector", "Energy"), ("Product lines", "Training")];

/// Two options are deleted, of which no record makes use.
fn strike(ground: &mut Ground<'_>) {
    ground.change("new", |world| {
        for (field, label) in STRUCK {
            options(world, field).retain(|option| option["label"] != label);
        }
    });
}

/// Renames a company of the old system and, if it is told so, gives it options that the new one lacks.
fn work(ground: &mut Ground<'_>, record: &str, refused: &[&str]) {
    let platform = ground.scene.platforms[0];
    let names = names(platform);
    let change = |field: &str, value: Json| Disturbance {
        object: names.object.to_owned(),
        which: Which::Id(record.to_owned()),
        action: DisturbAction::Change { field: field.to_owned(), value },
    };
    let mut changes = vec![change("name", json!(format!("Renamed {record} of {}", refused.len())))];
    for label in refused {
        let value = option(&ground.scene.old, label, STRUCK.iter().find(|(field, _)| field == label).unwrap().1);
        let (field, value) = match *label {
            "Industry sector" => (names.sector, value),
            _ if platform == "pipedrive" => (names.lines, json!([value])),
            _ => (names.lines, value),
        };
        changes.push(change(field, value));
    }
    ground.disturb(0, &changes);
}

fn changes() -> Orders {
    Orders { selection: Some(Selection::Changes), verify: true, ..Orders::default() }
}

/// A pass over what changed; how many records it updated, and what is held of organizations behind it.
fn pass(ground: &mut Ground<'_>, orders: &Orders) -> (u64, u64) {
    match ground.live_with(Death::No, orders) {
        Ended::Finished(report) => (report.did.updated, held(ground)),
        ended => panic!("{ended:?}"),
    }
}

fn held(ground: &Ground<'_>) -> u64 {
    let flow = flow(ground.scene.way());
    ground.end().held.iter().filter(|(object, _)| object == flow).count() as u64
}

#[test]
fn a_refused_field_is_held_and_the_others_arrive() {
    for way in [Way::ToHubspot, Way::ToPipedrive] {
        let (mut ground, ids) = loaded(way);
        let before = held(&ground);
        work(&mut ground, &ids[0], &["Industry sector"]);
        assert_eq!(pass(&mut ground, &changes()), (1, before + 1), "{way:?}: one field");
        assert_eq!(ground.differences, Vec::<String>::new());
        let quiet = pass(&mut ground, &changes());
        assert_eq!(quiet, (0, before + 1), "{way:?}: it is not tried again and again");
        work(&mut ground, &ids[1], &["Industry sector", "Product lines"]);
        assert_eq!(pass(&mut ground, &changes()), (1, before + 2), "{way:?}: one after the other");
        // The options come back, and the next change of the records brings what was held.
        let options_of = ground.scene.new.clone();
        ground.change("new", |world| {
            for (field, _) in STRUCK {
                *options(world, field) = options(&mut options_of.clone(), field).clone();
            }
        });
        work(&mut ground, &ids[0], &[]);
        work(&mut ground, &ids[1], &[]);
        assert_eq!(pass(&mut ground, &changes()), (2, before), "{way:?}: carried once it can be");
        assert_eq!(ground.differences, Vec::<String>::new());
    }
}

/// A write that consists of nothing else is refused as it is.
#[test]
fn nothing_is_sent_without_fields() {
    for way in [Way::ToHubspot, Way::ToPipedrive] {
        let (mut ground, ids) = loaded(way);
        let before = held(&ground);
        work(&mut ground, &ids[0], &[]);
        assert_eq!(pass(&mut ground, &changes()), (1, before));
        // The name is what it was: only the options change.
        work(&mut ground, &ids[0], &["Industry sector", "Product lines"]);
        let name = json!(format!("Renamed {} of 0", ids[0]));
        let names = names(way.platforms()[0]);
        let which = Which::Id(ids[0].clone());
        let action = DisturbAction::Change { field: "name".to_owned(), value: name };
        ground.disturb(0, &[Disturbance { object: names.object.to_owned(), which, action }]);
        assert_eq!(pass(&mut ground, &changes()), (0, before + 1), "{way:?}");
        assert_eq!(ground.differences, Vec::<String>::new());
    }
}

/// A batch of which some rows are refused: each row goes on by itself.
#[test]
fn rows_of_a_batch() {
    for rows in ["rows", "whole"] {
        let (mut ground, ids) = loaded(Way::ToHubspot);
        ground.change("new", |world| world["settings"]["batch_row_errors"] = json!(rows));
        let before = held(&ground);
        for (nth, refused) in [(0, &["Industry sector"][..]), (1, &["Product lines", "Industry sector"]), (2, &[])] {
            work(&mut ground, &ids[nth], refused);
        }
        assert_eq!(pass(&mut ground, &changes()), (3, before + 2), "{rows}");
        assert_eq!(ground.differences, Vec::<String>::new());
    }
}

/// Answers that are lost and processes that die anywhere in between change nothing about the end.
#[test]
fn a_refused_field_with_lost_answers_and_deaths() {
    for way in [Way::ToHubspot, Way::ToPipedrive] {
        let (mut begun, ids) = loaded(way);
        work(&mut begun, &ids[0], &["Industry sector"]);
        work(&mut begun, &ids[1], &["Product lines", "Industry sector"]);
        let mut whole = begun.copy();
        pass(&mut whole, &changes());
        let expected = whole.end();
        let moments =
            (1..=whole.writes).flat_map(|n| [Moment::Before, Moment::After].map(|moment| Death::AtWrite(n, moment)));
        let around = [Around::Before, Around::After];
        let deaths: BTreeSet<u64> = whole.changing.iter().copied().collect();
        let deaths: Vec<Death> =
            moments.chain(deaths.iter().flat_map(|n| around.map(|around| Death::AtRequest(*n, around)))).collect();
        eprintln!("{way:?}: {} deaths", deaths.len());
        on_threads(&deaths, |death| {
            let mut ground = begun.copy();
            if !matches!(ground.live_with(*death, &changes()), Ended::Died) {
                return Err(format!("{way:?} {death:?}: it did not die"));
            }
            pass(&mut ground, &changes());
            let wrong = expected.differences(&ground.end());
            if wrong.is_empty() { Ok(()) } else { Err(format!("{way:?} {death:?}: {}", wrong.join("; "))) }
        });
        for nth in 1..=3 {
            let mut ground = begun.copy();
            let (method, path) = match way {
                Way::ToHubspot => ("POST", "/crm/**/companies/batch/update"),
                Way::ToPipedrive => ("PATCH", "/api/v2/organizations/*"),
            };
            let when = When { method: Some(method.into()), path: Some(path.into()), nth: Some(nth), ..When::default() };
            let rule = Rule { name: None, when, fault: Fault::LostAfter { status: None } };
            let mut plan = FaultPlan::default();
            plan.rules.push(rule);
            let orders = Orders { faults: [FaultPlan::default(), plan], ..changes() };
            pass(&mut ground, &orders);
            let wrong = expected.differences(&ground.end());
            assert!(wrong.is_empty(), "{way:?}, answer {nth} is lost: {}", wrong.join("; "));
        }
    }
}

/// What goes back is no different: the old system refuses one field, the others go back, and what the new system says
/// of the refused one stays.
#[test]
fn a_field_that_is_refused_on_its_way_back() {
    let mut ground = Ground::new(Scene::both_ways(Way::ToHubspot));
    ground.finish().unwrap();
    pass(&mut ground, &changes());
    let ids = carried(&ground);
    ground.change("old", |world| options(world, "Industry sector").retain(|option| option["label"] != "Energy"));
    let before = held(&ground);
    let key = format!("old:organizations:{}", ids[0]);
    let companies = ground.end().new["objects"]["companies"].as_array().unwrap().clone();
    let company = companies.iter().find(|company| company["properties"]["handover_source_key"] == key).unwrap();
    let change = |field: &str, value: &str| Disturbance {
        object: "companies".to_owned(),
        which: Which::Id(id(company)),
        action: DisturbAction::Change { field: field.to_owned(), value: json!(value) },
    };
    ground.disturb(1, &[change("industry_sector", "energy"), change("name", "Renamed Over There")]);
    pass(&mut ground, &changes());
    let told = |ground: &Ground<'_>| {
        let (state, new) = (ground.end().state, ground.end().new);
        let companies = new["objects"]["companies"].as_array().unwrap().clone();
        let company = companies.into_iter().find(|one| one["properties"]["handover_source_key"] == key).unwrap();
        let refused = state.keys().filter(|line| line.contains("refused") && line.contains(names("pipedrive").sector));
        (company["properties"]["industry_sector"].clone(), refused.count())
    };
    assert_eq!(told(&ground), (json!("energy"), 1), "held, and not overwritten");
    assert_eq!(held(&ground), before, "the hold stands at the way back");
    pass(&mut ground, &changes());
    assert_eq!(told(&ground), (json!("energy"), 1));
    let name = ground.world("old")["organizations"].as_array().unwrap().iter().find(|one| id(one) == ids[0]).cloned();
    assert_eq!(name.unwrap()["name"], "Renamed Over There");
}

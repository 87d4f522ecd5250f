//! Passes over what changed: what people did in the old system arrives in the new one, and nothing else does.

use handover_engine::{Selection, Told};
use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_sandbox::journal::Action;
use handover_store::Moment;
use serde_json::{Value as Json, json};

use crate::rig::{Around, Death, Ended, Ground, Orders, Scene, Way, disturbance, on_threads};

fn changes() -> Orders {
    Orders { selection: Some(Selection::Changes), verify: true, ..Orders::default() }
}

/// A pass over what changed; gives what it changed in the new system, one word for each record.
fn pass(ground: &mut Ground<'_>) -> Vec<String> {
    let before = ground.end().new_journal.len();
    match ground.live_with(Death::No, &changes()) {
        Ended::Finished(_) => {}
        ended => panic!("{ended:?}"),
    }
    assert_eq!(ground.differences, Vec::<String>::new());
    let journal = ground.end().new_journal;
    let mut done: Vec<String> = journal[before..]
        .iter()
        .flat_map(|entry| &entry.changes)
        .filter(|change| !matches!(change.action, Action::Linked | Action::Unlinked))
        .map(|change| format!("{:?} {}", change.action, change.object))
        .collect();
    done.sort();
    done
}

fn change(object: &str, nth: u64, field: &str, value: Json) -> Disturbance {
    disturbance(object, Which::Nth(nth), DisturbAction::Change { field: field.to_owned(), value })
}

#[test]
fn what_people_change_in_pipedrive_arrives_in_hubspot() {
    let mut ground = Ground::new(Scene::of(Way::ToHubspot));
    ground.finish().unwrap();
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "nothing changed");
    ground.disturb(
        0,
        &[
            change("organization", 0, "name", json!("Renamed GmbH")),
            change("person", 3, "name", json!("Somebody Else")),
            change("deal", 0, "value", json!(4711)),
            disturbance("person", Which::Nth(5), DisturbAction::Touch),
            disturbance("person", Which::default(), DisturbAction::Create { fields: json!({"name": "Newly Come"}) }),
        ],
    );
    let expected = ["Created contacts", "Updated companies", "Updated contacts", "Updated deals"];
    assert_eq!(pass(&mut ground), expected);
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "it stopped changing");
}

#[test]
fn what_people_change_in_hubspot_arrives_in_pipedrive() {
    let mut ground = Ground::new(Scene::of(Way::ToPipedrive));
    ground.finish().unwrap();
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "nothing changed");
    ground.disturb(
        0,
        &[
            change("companies", 0, "name", json!("Renamed GmbH")),
            change("contacts", 3, "lastname", json!("Else")),
            change("deals", 0, "amount", json!("4711")),
            disturbance("contacts", Which::Nth(5), DisturbAction::Touch),
            disturbance("contacts", Which::default(), DisturbAction::Create { fields: json!({"lastname": "Come"}) }),
        ],
    );
    assert_eq!(pass(&mut ground), ["Created person", "Updated deal", "Updated organization", "Updated person"]);
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "it stopped changing");
}

/// A field that cannot be carried is held; the rest of its record arrives, and the field too once it can.
#[test]
fn a_field_that_cannot_be_carried_holds_nothing_else() {
    let mut ground = Ground::new(Scene::of(Way::ToHubspot));
    ground.finish().unwrap();
    pass(&mut ground);
    let before = ground.end().held;
    let held = |deal: &&Json| before.contains(&("deals".to_owned(), deal["id"].to_string()));
    let deals = ground.scene.old["deals"].as_array().unwrap();
    let open = deals.iter().find(|deal| deal["status"] == "open" && !held(deal)).unwrap()["id"].to_string();
    let change = |field: &str, value: Json| {
        let action = DisturbAction::Change { field: field.to_owned(), value };
        disturbance("deal", Which::Id(open.clone()), action)
    };
    ground.disturb(0, &[change("stage_id", json!(11)), change("title", json!("Another title"))]);
    assert_eq!(pass(&mut ground), ["Updated deals"]);
    let held: Vec<String> = ground.end().held.difference(&before).map(|(object, _)| object.clone()).collect();
    assert_eq!(held, ["deals"]);
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "the title arrived, the stage waits");
}

/// What people take back is held no longer, though nothing is left to be carried.
#[test]
fn a_hold_goes_when_its_cause_is_gone() {
    let mut ground = Ground::new(Scene::of(Way::ToHubspot));
    ground.finish().unwrap();
    pass(&mut ground);
    let before = ground.end().held;
    let held = |deal: &&Json| before.contains(&("deals".to_owned(), deal["id"].to_string()));
    let deals = ground.scene.old["deals"].as_array().unwrap();
    let open = deals.iter().find(|deal| deal["status"] == "open" && !held(deal)).unwrap();
    let stage = |value: Json| {
        let action = DisturbAction::Change { field: "stage_id".to_owned(), value };
        disturbance("deal", Which::Id(open["id"].to_string()), action)
    };
    ground.disturb(0, &[stage(json!(11))]);
    let unverified = Orders { verify: false, ..changes() };
    assert!(matches!(ground.live_with(Death::No, &unverified), Ended::Finished(_)));
    assert_ne!(ground.end().held, before);
    ground.disturb(0, &[stage(open["stage_id"].clone())]);
    assert_eq!(pass(&mut ground), Vec::<String>::new());
    assert_eq!(ground.end().held, before);
}

#[test]
fn what_was_cleared_is_cleared_and_nothing_else() {
    let mut ground = Ground::new(Scene::of(Way::ToHubspot));
    ground.finish().unwrap();
    pass(&mut ground);
    let deals = ground.scene.old["deals"].as_array().unwrap().clone();
    let held = ground.end().held;
    let carried = |deal: &&Json| !held.contains(&("deals".to_owned(), deal["id"].to_string()));
    let closes = |deal: &&Json| deal["status"] == "open" && deal["expected_close_date"].is_string();
    let dated = deals.iter().filter(carried).find(closes).unwrap();
    let which = Which::Id(dated["id"].to_string());
    let action = DisturbAction::Change { field: "expected_close_date".to_owned(), value: Json::Null };
    let closes = |ground: &Ground<'_>| {
        let key = format!("old:deals:{}", dated["id"]);
        let new = ground.end().new;
        let deals = new["objects"]["deals"].as_array().unwrap().clone();
        let deal = deals.iter().find(|deal| deal["properties"]["handover_source_key"] == key).unwrap().clone();
        deal["properties"]["closedate"].is_string()
    };
    assert!(closes(&ground));
    ground.disturb(0, &[disturbance("deal", which, action)]);
    assert_eq!(pass(&mut ground), ["Updated deals"]);
    assert!(!closes(&ground));
}

/// People's work between the load and a pass over it.
fn worked(ground: &mut Ground<'_>) {
    ground.disturb(
        0,
        &[
            change("organization", 0, "name", json!("Renamed GmbH")),
            change("person", 3, "name", json!("Somebody Else")),
            change("deal", 0, "value", json!(4711)),
            disturbance("organization", Which::default(), DisturbAction::Create { fields: json!({"name": "New Ltd"}) }),
            disturbance("person", Which::default(), DisturbAction::Create { fields: json!({"name": "Newly Come"}) }),
        ],
    );
}

/// Dying anywhere in a pass over changes, the next pass goes on, and the end is that of one that nobody interrupted.
#[test]
fn dying_in_a_pass_over_changes() {
    let scene = Scene::of(Way::ToHubspot);
    let mut whole = Ground::new(scene);
    whole.finish().unwrap();
    worked(&mut whole);
    let begun = whole.copy();
    pass(&mut whole);
    whole.die_everywhere(&begun, &changes());
}

/// Somebody told that records changed: they are read by their ids and carried, and nothing else is. The next pass
/// over changes has nothing to do for them, and finds what nobody told of.
#[test]
fn what_was_told_is_carried_and_the_rest_found() {
    // The way; the object told of, its singular, its field, what it is in the target; another object and its own.
    let ways = [
        (Way::ToHubspot, ["persons", "person", "name", "contacts"], ["organization", "companies"]),
        (Way::ToPipedrive, ["contacts", "contacts", "lastname", "person"], ["companies", "organization"]),
    ];
    for (way, [object, singular, field, title], [other, other_title]) in ways {
        let mut ground = Ground::new(Scene::of(way));
        ground.finish().unwrap();
        assert_eq!(pass(&mut ground), Vec::<String>::new(), "nothing changed");
        let before = ground.end().old_journal.len();
        let renamed = [change(singular, 3, field, json!("Else")), change(other, 0, "name", json!("Renamed GmbH"))];
        ground.disturb(0, &renamed);
        let journal = ground.end().old_journal;
        let changed: Vec<String> =
            journal[before..].iter().flat_map(|entry| &entry.changes).map(|change| change.id.clone()).collect();
        assert_eq!(changed.len(), 2, "{changed:?}");
        // The first of them, twice; one that is not there; objects of which no flow reads.
        let ids = [changed[0].as_str(), "987654321"].map(Into::into);
        let told = Told::from([
            (("old".into(), object.into()), ids.into()),
            (("old".into(), "nothing".into()), ["1".into()].into()),
            (("new".into(), object.into()), ["1".into()].into()),
        ]);
        let orders = Orders { selection: Some(Selection::Told(told)), ..Orders::default() };
        let target = ground.end().new_journal.len();
        let source = ground.end().old_journal.len();
        for expected in [vec![title], vec![]] {
            let before = ground.end().new_journal.len();
            assert!(matches!(ground.live_with(Death::No, &orders), Ended::Finished(_)));
            let end = ground.end();
            let updated: Vec<&str> = end.new_journal[before..]
                .iter()
                .flat_map(|entry| &entry.changes)
                .filter(|change| change.action == Action::Updated)
                .map(|change| change.object.as_str())
                .collect();
            assert_eq!(updated, expected);
        }
        assert!(ground.end().new_journal.len() > target);
        let end = ground.end();
        let asked: Vec<&str> = end.old_journal[source..].iter().map(|entry| entry.path.as_str()).collect();
        let listed = asked.iter().filter(|path| path.contains("deals") || path.contains("organizations")).count();
        assert_eq!(listed, 0, "only what was told is read: {asked:?}");
        assert_eq!(pass(&mut ground), [format!("Updated {other_title}")], "the other one");
        assert_eq!(pass(&mut ground), Vec::<String>::new());
    }
}

/// Dying anywhere in a pass over what was told, the next one goes on, and the end is the same.
#[test]
fn dying_in_a_pass_over_what_was_told() {
    let scene = Scene::of(Way::ToHubspot);
    let mut whole = Ground::new(scene);
    whole.finish().unwrap();
    let before = whole.end().old_journal.len();
    worked(&mut whole);
    let mut told = Told::new();
    for change in whole.end().old_journal[before..].iter().flat_map(|entry| &entry.changes) {
        let object = format!("{}s", change.object).as_str().into();
        told.entry(("old".into(), object)).or_default().insert(change.id.as_str().into());
    }
    let orders = Orders { selection: Some(Selection::Told(told)), verify: true, ..Orders::default() };
    let begun = whole.copy();
    assert!(matches!(whole.live_with(Death::No, &orders), Ended::Finished(_)));
    assert_eq!(whole.differences, Vec::<String>::new());
    let (writes, expected) = (whole.writes, whole.end());
    let moments = (1..=writes).flat_map(|n| [Moment::Before, Moment::After].map(|moment| Death::AtWrite(n, moment)));
    let around = [Around::Before, Around::After];
    let deaths: Vec<Death> =
        moments.chain(whole.changing.iter().flat_map(|n| around.map(|around| Death::AtRequest(*n, around)))).collect();
    // Behind the reading it is the pass over changes, which dies at every moment: here each third will do.
    let deaths: Vec<Death> = deaths.into_iter().step_by(3).collect();
    eprintln!("{} deaths in {writes} durable writes", deaths.len());
    on_threads(&deaths, |death| {
        let mut ground = begun.copy();
        if !matches!(ground.live_with(*death, &orders), Ended::Died) {
            return Err(format!("{death:?}: it did not die"));
        }
        match ground.live_with(Death::No, &orders) {
            Ended::Finished(_) => {}
            ended => return Err(format!("{death:?}: {ended:?}")),
        }
        let mut wrong = expected.differences(&ground.end());
        wrong.extend(ground.differences);
        if wrong.is_empty() { Ok(()) } else { Err(format!("{death:?}: {}", wrong.join("; "))) }
    });
}

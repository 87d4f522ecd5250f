//! Pairs that are looked at again: what no list of changes tells is suspected, counted after the lag, and carried by the
//! pass like everything else.

use handover_engine::{Looked, Policies, Reconcile, Report, Selection};
use handover_store::Moment;
use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use crate::both_ways::{change, person_of, two_carried};
use crate::rig::{Death, Ended, Ground, Orders, Scene, Way};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

const TOLD: Reconcile = Reconcile {
    every: SignedDuration::from_hours(1),
    whole: SignedDuration::from_hours(1),
    lag: SignedDuration::from_mins(15),
    carry: false,
    now: false,
};

fn told(policies: &mut Policies) {
    policies.reconcile = Some(TOLD);
}

fn carried(policies: &mut Policies) {
    policies.reconcile = Some(Reconcile { carry: true, ..TOLD });
}

fn asked(policies: &mut Policies) {
    policies.reconcile = Some(Reconcile { carry: true, now: true, ..TOLD });
}

fn orders(policies: fn(&mut Policies)) -> Orders {
    Orders { selection: Some(Selection::Changes), policies: Some(policies), ..Orders::default() }
}

/// A pass after so many minutes; its report, and how many requests changed something.
fn pass(ground: &mut Ground<'_>, minutes: i32, policies: fn(&mut Policies)) -> (Report, usize) {
    ground.now += MINUTE * minutes;
    match ground.live_with(Death::No, &orders(policies)) {
        Ended::Finished(report) => (report, ground.changing.len()),
        ended => panic!("{ended:?}"),
    }
}

/// What looking again found of people: pairs, what is open by field, what was carried.
fn persons(report: &Report) -> (u64, Vec<(&str, u64)>, u64) {
    let Looked { pairs, open, sent, .. } = report.looked.iter().find(|one| one.flow.as_str() == "persons").unwrap();
    (*pairs, open.iter().map(|(field, number)| (field.as_str(), *number)).collect(), *sent)
}

/// Renames people of Pipedrive behind everybody's back: the time of their last change stays.
fn rename_unseen(ground: &mut Ground<'_>, ids: &[&String], name: &str) {
    ground.change("old", |world| {
        for person in world["persons"].as_array_mut().unwrap() {
            if ids.iter().any(|id| is(person, id)) {
                person["name"] = json!(format!("Ada {name}"));
                (person["first_name"], person["last_name"]) = (json!("Ada"), json!(name));
            }
        }
    });
}

fn begun(scene: &'static Scene) -> Ground<'static> {
    let mut ground = Ground::new(scene);
    ground.finish().unwrap();
    let (report, _) = pass(&mut ground, 10, told);
    assert_eq!(persons(&report).0, 0, "nothing is due yet");
    ground
}

fn record<'w>(records: &'w Json, id: &str) -> &'w Json {
    records.as_array().unwrap().iter().find(|record| is(record, id)).unwrap()
}

fn is(record: &Json, id: &str) -> bool {
    record["id"].as_str().map_or_else(|| record["id"].to_string(), str::to_owned) == id
}

/// What no list tells is suspected, counts after the lag, waits for a person or is carried. What people change and a
/// pass carries is no difference, nor is what the target's people make of a flow that goes one way.
#[test]
fn what_no_list_tells_is_suspected_counted_and_carried() {
    let mut ground = begun(Scene::of(Way::ToHubspot));
    let [one, other] = two_carried(&ground, "persons", "persons");
    let [contact, another] = [&one, &other].map(|id| person_of(&ground, id));
    rename_unseen(&mut ground, &[&one], "Unseen");
    ground.disturb(0, &[change("person", &other, "name", json!("Seen At-Once"))]);
    ground.disturb(1, &[change("contacts", &another, "jobtitle", json!("Their own"))]);
    let (report, _) = pass(&mut ground, 65, told);
    assert!(persons(&report).0 > 2);
    assert_eq!((persons(&report).1, persons(&report).2), (vec![], 0), "suspected");
    let (report, _) = pass(&mut ground, 10, told);
    assert_eq!(persons(&report), (0, vec![], 0), "too early to tell");
    let (report, writes) = pass(&mut ground, 10, told);
    let fields: u64 = persons(&report).1.iter().map(|(_, number)| number).sum();
    assert_eq!((persons(&report).0, persons(&report).2, writes), (1, 0, 0), "{:?}", report.looked);
    assert!((1..=3).contains(&fields), "one person's names: {:?}", report.looked);
    let (report, writes) = pass(&mut ground, 1, told);
    assert_eq!(
        (persons(&report).1.len(), writes),
        (fields as usize, 0),
        "it stays open in passes that look at nothing"
    );
    let (report, writes) = pass(&mut ground, 1, asked);
    assert_eq!(persons(&report).2, 1);
    assert!(writes > 0 && persons(&report).0 > 2, "all are looked at");
    let new = ground.world("new");
    assert_eq!(record(&new["objects"]["contacts"], &contact)["properties"]["lastname"], "Unseen");
    // A record that is gone and in no list of deleted ones goes the way of what vanished.
    ground.change("old", |world| {
        world["persons"].as_array_mut().unwrap().retain(|person| !is(person, &other));
    });
    let (report, _) = pass(&mut ground, 65, carried);
    assert_eq!((persons(&report).1, report.vanishings.noticed), (vec![], 0), "what was carried is over");
    let (report, _) = pass(&mut ground, 20, carried);
    assert_eq!((persons(&report).1, persons(&report).2, report.vanishings.noticed), (vec![("record", 1)], 1, 1));
    let (report, _) = pass(&mut ground, 65, carried);
    assert_eq!(persons(&report).1, vec![], "it is known to be gone");
    let new = ground.world("new");
    assert_eq!(record(&new["objects"]["contacts"], &another)["properties"]["jobtitle"], "Their own");
}

/// Both ways, what either list does not tell is carried in the same way, and dying on the way does no harm.
#[test]
fn what_differs_goes_either_way_whenever_it_dies() {
    let mut ground = begun(Scene::both_ways(Way::ToHubspot));
    let [one, other] = two_carried(&ground, "persons", "persons");
    let contact = person_of(&ground, &one);
    rename_unseen(&mut ground, &[&other], "Unseen");
    ground.change("new", |world| {
        let contacts = world["objects"]["contacts"].as_array_mut().unwrap();
        let contact = contacts.iter_mut().find(|record| record["id"] == *contact).unwrap();
        contact["properties"]["lastname"] = json!("Unseen-There");
    });
    pass(&mut ground, 65, carried);
    ground.now += MINUTE * 20;
    let begun = ground.copy();
    let (report, _) = pass(&mut ground, 0, carried);
    assert_eq!(persons(&report).2, 2, "{:?}", report.looked);
    let person = record(&ground.world("old")["persons"], &one)["name"].as_str().unwrap().to_owned();
    assert!(person.ends_with("Unseen-There"), "{person}");
    let deaths: Vec<Death> = (0..6).map(|nth| Death::AtWrite(ground.writes - 2 * nth, Moment::After)).collect();
    ground.die_at(&deaths, &begun, &orders(carried));
    let (report, writes) = pass(&mut ground, 65, carried);
    assert_eq!((persons(&report).1, writes), (vec![], 0), "it is over");
}

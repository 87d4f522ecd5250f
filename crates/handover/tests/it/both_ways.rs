//! Passes over what changed on both sides: edits on either side arrive on the other, edits of one field on both are
//! held, and once people stop the writes stop.

use handover_engine::{Selection, Told};
use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_sandbox::journal::{Action, Change, Entry};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use crate::rig::{Around, Death, Ended, Ground, Orders, Scene, Way, disturbance};

/// A pass; gives what it changed in the old and in the new system, one word for each record.
pub(crate) fn pass(ground: &mut Ground<'_>) -> (Vec<String>, Vec<String>) {
    pass_over(ground, Selection::Changes)
}

fn pass_over(ground: &mut Ground<'_>, selection: Selection) -> (Vec<String>, Vec<String>) {
    let before = ground.end();
    let orders = Orders { selection: Some(selection), verify: true, ..Orders::default() };
    match ground.live_with(Death::No, &orders) {
        Ended::Finished(_) => {}
        ended => panic!("{ended:?}"),
    }
    assert_eq!(ground.differences, Vec::<String>::new());
    let after = ground.end();
    (done(&after.old_journal[before.old_journal.len()..]), done(&after.new_journal[before.new_journal.len()..]))
}

fn done(entries: &[Entry]) -> Vec<String> {
    let mut done: Vec<String> = entries
        .iter()
        .flat_map(|entry| &entry.changes)
        .filter(|change| !matches!(change.action, Action::Linked | Action::Unlinked | Action::Purged))
        .map(|change| format!("{:?} {}", change.action, change.object))
        .collect();
    done.sort();
    done
}

pub(crate) fn change(object: &str, id: &str, field: &str, value: Json) -> Disturbance {
    disturbance(object, Which::Id(id.to_owned()), DisturbAction::Change { field: field.to_owned(), value })
}

fn create(object: &str, fields: Json) -> Disturbance {
    disturbance(object, Which::default(), DisturbAction::Create { fields })
}

pub(crate) fn nothing() -> (Vec<String>, Vec<String>) {
    (Vec::new(), Vec::new())
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The id of the record in HubSpot that came of a record of Pipedrive.
pub(crate) fn in_hubspot(ground: &Ground<'_>, object: &str, key: &str) -> String {
    let new = ground.end().new;
    let records = new["objects"][object].as_array().unwrap().clone();
    let found = records.iter().find(|record| record["properties"]["handover_source_key"] == key);
    found.unwrap()["id"].as_str().unwrap().to_owned()
}

/// Two records of the old system that are in the new one.
pub(crate) fn two_carried(ground: &Ground<'_>, list: &str, object: &str) -> [String; 2] {
    let held = ground.end().held;
    let records = ground.scene.old.get(list).or_else(|| ground.scene.old["objects"].get(list)).unwrap().clone();
    let id = |record: &Json| record["id"].as_str().map_or_else(|| record["id"].to_string(), str::to_owned);
    let carried =
        records.as_array().unwrap().iter().map(id).filter(|id| !held.contains(&(object.to_owned(), id.clone())));
    carried.take(2).collect::<Vec<_>>().try_into().unwrap()
}

pub(crate) fn person_of(ground: &Ground<'_>, id: &str) -> String {
    in_hubspot(ground, "contacts", &format!("old:persons:{id}"))
}

fn begun(way: Way) -> Ground<'static> {
    let mut ground = Ground::new(Scene::both_ways(way));
    ground.finish().unwrap();
    assert_eq!(pass(&mut ground), nothing(), "nothing changed");
    ground
}

#[test]
fn edits_on_either_side_arrive_on_the_other() {
    let mut ground = begun(Way::ToHubspot);
    let [one, other] = two_carried(&ground, "persons", "persons");
    let person = person_of(&ground, &one);
    ground.disturb(
        1,
        &[
            change("contacts", &person, "lastname", json!("Wed-Lately")),
            create("contacts", json!({"firstname": "Newly", "lastname": "Come", "email": "newly@come.example"})),
        ],
    );
    ground.disturb(0, &[change("person", &other, "name", json!("Renamed Person"))]);
    assert_eq!(pass(&mut ground), (words(&["Created person", "Updated person"]), words(&["Updated contacts"])));
    assert_eq!(pass(&mut ground), nothing(), "it stopped changing");
    assert_eq!(pass(&mut ground), nothing(), "for good");
    // What a way back created is a pair like any other.
    let newly = ground
        .end()
        .old_journal
        .iter()
        .flat_map(|entry| entry.changes.clone())
        .rfind(|change| change.object == "person" && change.action == Action::Created);
    ground.disturb(0, &[change("person", &newly.unwrap().id, "name", json!("Newly Gone"))]);
    assert_eq!(pass(&mut ground), (Vec::new(), words(&["Updated contacts"])));
    assert_eq!(pass(&mut ground), nothing());
}

/// Whoever goes on with a write that was interrupted finds what people wrote meanwhile, and does not write it over:
/// both have changed the field then.
#[test]
fn what_people_wrote_after_an_interrupted_write_stays() {
    for around in [Around::Before, Around::After] {
        let mut ground = begun(Way::ToHubspot);
        let [one, _] = two_carried(&ground, "organizations", "organizations");
        let company = in_hubspot(&ground, "companies", &format!("old:organizations:{one}"));
        ground.disturb(0, &[change("organization", &one, "name", json!("Renamed GmbH"))]);
        let mut whole = ground.copy();
        assert_eq!(pass(&mut whole), (Vec::new(), words(&["Updated companies"])));
        let orders = Orders { selection: Some(Selection::Changes), ..Orders::default() };
        let ended = ground.live_with(Death::AtRequest(whole.changing[0], around), &orders);
        assert!(matches!(ended, Ended::Died), "{ended:?}");
        ground.disturb(1, &[change("companies", &company, "name", json!("By Hand Ltd"))]);
        assert_eq!(pass(&mut ground), nothing(), "{around:?}: it is asked who is right");
        assert_eq!(pass(&mut ground), nothing(), "{around:?}");
        let new = ground.end().new;
        let records = new["objects"]["companies"].as_array().unwrap().clone();
        let record = records.iter().find(|record| record["id"] == *company).unwrap();
        assert_eq!(record["properties"]["name"], "By Hand Ltd", "{around:?}");
    }
}

/// What comes of a way back has no key to be found by. Whoever goes on with a creation that was interrupted finds the
/// record although people changed it meanwhile, by what they left; where that tells too little a person is asked, and it
/// is not made twice, on neither side.
#[test]
fn what_people_changed_after_an_interrupted_creation_is_not_made_twice() {
    let site = json!({"name": "Newly Come Ltd", "website": "https://newly-come.example"});
    for (renames, what_is_left, fields) in [
        (false, "the address", json!({"firstname": "Newly", "lastname": "Come", "email": "newly@come.example"})),
        (true, "too little", json!({"name": "Newly Come Ltd"})),
        (true, "one of two", site),
    ] {
        let mut ground = begun(Way::ToHubspot);
        let fields = (if renames { "companies" } else { "contacts" }, fields);
        ground.disturb(1, &[create(fields.0, fields.1)]);
        let mut whole = ground.copy();
        let object = if renames { "organization" } else { "person" };
        let created = words(&[&format!("Created {object}")]);
        assert_eq!(pass(&mut whole), (created, Vec::new()));
        let orders = Orders { selection: Some(Selection::Changes), ..Orders::default() };
        let ended = ground.live_with(Death::AtRequest(whole.changing[0], Around::After), &orders);
        assert!(matches!(ended, Ended::Died), "{ended:?}");
        let made = |ground: &Ground<'_>| -> Vec<String> {
            let changes = ground.end().old_journal.into_iter().flat_map(|entry| entry.changes);
            let made = changes.filter(|change| change.object == object && change.action == Action::Created);
            made.map(|change| change.id).collect()
        };
        let [one] = made(&ground).try_into().unwrap();
        ground.disturb(0, &[change(object, &one, "name", json!("Renamed By Hand"))]);
        let orders = Orders { selection: Some(Selection::Changes), ..Orders::default() };
        let ended = ground.live_with(Death::No, &orders);
        assert!(matches!(ended, Ended::Finished(_)), "{ended:?}");
        assert_eq!(made(&ground), std::slice::from_ref(&one), "{what_is_left}");
        let held = ground.end().held;
        let asked = held.iter().any(|(object, _)| object == "companies" || object == "contacts");
        assert_eq!(asked, renames, "{what_is_left}: {held:?}");
        let companies = |ground: &Ground<'_>| ground.end().new["objects"]["companies"].as_array().unwrap().len();
        let again = companies(&ground) - companies(&whole);
        let in_doubt = held.contains(&("organizations".to_owned(), one));
        assert_eq!(in_doubt, what_is_left == "one of two", "{what_is_left}: {held:?}");
        assert_eq!(again, usize::from(what_is_left == "too little"), "{what_is_left}");
    }
}

#[test]
fn edits_of_different_fields_of_one_record_both_survive() {
    let mut ground = begun(Way::ToHubspot);
    let [one, _] = two_carried(&ground, "organizations", "organizations");
    let company = in_hubspot(&ground, "companies", &format!("old:organizations:{one}"));
    ground.disturb(0, &[change("organization", &one, "name", json!("Renamed GmbH"))]);
    ground.disturb(1, &[change("companies", &company, "numberofemployees", json!("4711"))]);
    assert_eq!(pass(&mut ground), (words(&["Updated organization"]), words(&["Updated companies"])));
    assert_eq!(pass(&mut ground), nothing(), "it stopped changing");
}

/// Parts of one value, which are fields of their own on the other side, count as different fields too.
#[test]
fn edits_of_different_parts_of_one_name_both_survive() {
    let mut ground = begun(Way::ToHubspot);
    let [one, other] = two_carried(&ground, "persons", "persons");
    let [person, contact] = [person_of(&ground, &one), person_of(&ground, &other)];
    ground.disturb(0, &[one, other].map(|id| change("person", &id, "name", json!("Ada Byron"))));
    assert_eq!(pass(&mut ground), (Vec::new(), words(&["Updated contacts", "Updated contacts"])));
    // Both parts at once on either side, and one of them alone.
    let ids = two_carried(&ground, "persons", "persons");
    ground.disturb(0, &[change("person", &ids[0], "name", json!("Ada Lovelace"))]);
    ground.disturb(1, &[change("contacts", &person, "firstname", json!("Augusta"))]);
    ground.disturb(1, &[change("contacts", &contact, "lastname", json!("King"))]);
    let both = (words(&["Updated person", "Updated person"]), words(&["Updated contacts"]));
    assert_eq!(pass(&mut ground), both);
    let end = ground.end();
    let name = |id: &str| {
        let changes = end.old_journal.iter().flat_map(|entry| &entry.changes);
        let of = changes.filter(|change| change.object == "person" && change.id == id);
        of.filter_map(|change| change.fields.get("name")).next_back().unwrap().1.clone()
    };
    assert_eq!(ids.each_ref().map(|id| name(id)), [json!("Augusta Lovelace"), json!("Ada King")]);
    assert_eq!(pass(&mut ground), nothing(), "it stopped changing");
    // What our own write became is no edit: the next one on the other side meets no conflict.
    ground.disturb(1, &[change("contacts", &contact, "lastname", json!("Noel"))]);
    assert_eq!(pass(&mut ground), (words(&["Updated person"]), Vec::new()));
}

/// What was read of the target before this very pass wrote to it is no edit of somebody there.
#[test]
fn our_own_writes_are_not_taken_for_edits() {
    let mut ground = begun(Way::ToHubspot);
    let before = ground.end().held;
    let [one, _] = two_carried(&ground, "persons", "persons");
    let contact = person_of(&ground, &one);
    for (name, phone) in [("Ada Byron", "+49301234567"), ("Ada Lovelace", "+49301234568"), ("Ada King", "+49301234569")]
    {
        ground.disturb(0, &[change("person", &one, "name", json!(name))]);
        // Somebody works on the counterpart too, so that it is among what changed there.
        ground.disturb(1, &[change("contacts", &contact, "phone", json!(phone))]);
        assert_eq!(pass(&mut ground), (words(&["Updated person"]), words(&["Updated contacts"])), "{name}");
    }
    assert_eq!(ground.end().held, before);
    assert_eq!(pass(&mut ground), nothing(), "it stopped changing");
}

/// One field, edited on both sides: nothing is written, a person is asked, and the answer is carried out.
#[test]
fn edits_of_one_field_on_both_sides_are_held() {
    let mut ground = begun(Way::ToHubspot);
    let before = ground.end().held;
    let [one, _] = two_carried(&ground, "organizations", "organizations");
    let company = in_hubspot(&ground, "companies", &format!("old:organizations:{one}"));
    ground.disturb(0, &[change("organization", &one, "name", json!("Renamed GmbH"))]);
    ground.disturb(1, &[change("companies", &company, "name", json!("Otherwise Renamed"))]);
    assert_eq!(pass(&mut ground), nothing(), "nobody knows which is right");
    let held: Vec<_> = ground.end().held.difference(&before).cloned().collect();
    assert_eq!(held, [("organizations".to_owned(), one.clone())]);
    assert_eq!(pass(&mut ground), nothing(), "it waits");
    // Both agree by themselves: the hold goes.
    ground.disturb(0, &[change("organization", &one, "name", json!("Otherwise Renamed"))]);
    assert_eq!(pass(&mut ground), nothing());
    assert_eq!(ground.end().held, before);
}

/// What was in the new system before us and has no counterpart stays there alone, until a link that goes back leads to
/// it: then it goes along, and the link with it.
#[test]
fn a_link_that_goes_back_takes_along_whom_it_leads_to() {
    let mut ground = Ground::new(Scene::both_ways(Way::ToHubspot));
    let names = ["There Before Us", "There As Well"];
    ground.disturb(1, &names.map(|name| create("companies", json!({ "name": name }))));
    let emails = json!([{"value": "lone@example.com", "primary": true, "label": "work"}]);
    ground.disturb(0, &[create("person", json!({"name": "Lone Someone", "emails": emails}))]);
    ground.now += SignedDuration::from_hours(1);
    ground.finish().unwrap();
    let id = |ground: &Ground<'_>, object: &str, field: &str, value: &str| {
        let records = ground.end().new["objects"][object].as_array().unwrap().clone();
        let found = records.iter().find(|record| record["properties"][field] == value).unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    let [ours, theirs] = names.map(|name| id(&ground, "companies", "name", name));
    assert_eq!(pass(&mut ground), nothing(), "they stay where they are");
    let known = id(&ground, "contacts", "email", "lone@example.com");
    let new = json!({"firstname": "Newly", "lastname": "Come", "email": "newly@come.example"});
    ground.disturb(1, &[create("contacts", new)]);
    let new = id(&ground, "contacts", "email", "newly@come.example");
    let linked = |contact: &str, company: &str| {
        let to = DisturbAction::Link { object: "companies".to_owned(), to: company.to_owned() };
        disturbance("contacts", Which::Id(contact.to_owned()), to)
    };
    // A link alone touches no date of the record.
    let renamed = change("contacts", &known, "lastname", json!("Wed-Lately"));
    ground.disturb(1, &[renamed, linked(&known, &ours), linked(&new, &theirs)]);
    let before = ground.end().old_journal.len();
    let (mut old, new) = pass(&mut ground);
    old.dedup();
    assert_eq!((old, new), (words(&["Created organization", "Created person", "Updated person"]), Vec::new()));
    let journal = ground.end().old_journal;
    let changes: Vec<_> = journal[before..].iter().flat_map(|entry| entry.changes.clone()).collect();
    for name in names {
        let says = |field: &str, value: &Json| {
            let is = |change: &&Change| change.fields.get(field).is_some_and(|(_, now)| now == value);
            changes.iter().filter(is).map(|change| change.id.clone()).collect::<Vec<_>>()
        };
        let organization = says("name", &json!(name));
        assert_eq!(organization.len(), 1, "{name}");
        let id: u64 = organization[0].parse().unwrap();
        assert_eq!(says("org_id", &json!(id)).len(), 1, "{name}");
    }
    assert_eq!(pass(&mut ground), nothing(), "it stopped changing");
}

#[test]
fn the_way_back_leads_to_hubspot_too() {
    let mut ground = begun(Way::ToPipedrive);
    let journal = ground.end().new_journal;
    let made = |object: &str| {
        let changes = journal.iter().flat_map(|entry| &entry.changes);
        let created: Vec<String> = changes
            .filter(|change| change.object == object && change.action == Action::Created)
            .map(|change| change.id.clone())
            .collect();
        created
    };
    let deal = made("deal")[0].clone();
    ground.disturb(
        1,
        &[
            change("deal", &deal, "title", json!("Another title")),
            create(
                "person",
                json!({"name": "Newly Come", "emails": [{"value": "newly@come.example", "primary": true}]}),
            ),
        ],
    );
    assert_eq!(pass(&mut ground), (words(&["Created contacts", "Updated deals"]), Vec::new()));
    assert_eq!(pass(&mut ground), nothing(), "it stopped changing");
}

/// People's work on both sides between the load and a pass over it.
fn worked(ground: &mut Ground<'_>) {
    let [one, other] = two_carried(ground, "persons", "persons");
    let [company, _] = two_carried(ground, "organizations", "organizations");
    let person = person_of(ground, &one);
    let there = in_hubspot(ground, "companies", &format!("old:organizations:{company}"));
    ground.disturb(
        1,
        &[
            change("contacts", &person, "lastname", json!("Wed-Lately")),
            change("companies", &there, "numberofemployees", json!("4711")),
            create("companies", json!({"name": "New Ltd"})),
            create("contacts", json!({"firstname": "Newly", "lastname": "Come", "email": "newly@come.example"})),
        ],
    );
    ground.disturb(
        0,
        &[
            change("organization", &company, "name", json!("Renamed GmbH")),
            change("person", &other, "name", json!("Renamed Person")),
            create("person", json!({"name": "Just Here", "org_id": company.parse::<u64>().unwrap()})),
        ],
    );
}

/// Dying anywhere in a pass over what changed on both sides, the next pass goes on, and the end is that of one that
/// nobody interrupted.
#[test]
fn dying_in_a_pass_both_ways() {
    let scene = Scene::both_ways(Way::ToHubspot);
    let changes = || Orders { selection: Some(Selection::Changes), verify: true, ..Orders::default() };
    let mut whole = Ground::new(scene);
    whole.finish().unwrap();
    worked(&mut whole);
    let begun = whole.copy();
    whole.live_with(Death::No, &changes());
    whole.die_everywhere(&begun, &changes());
}

/// What either system tells goes the way of its flow, and what comes of it is recognised when it is told in turn.
#[test]
fn what_both_sides_tell_is_carried_once() {
    let mut ground = begun(Way::ToHubspot);
    let [one, other] = two_carried(&ground, "persons", "persons");
    let (contact_one, contact_other) = (person_of(&ground, &one), person_of(&ground, &other));
    ground.disturb(0, &[change("person", &one, "name", json!("Ada Forth"))]);
    ground.disturb(1, &[change("contacts", &contact_other, "lastname", json!("Back"))]);
    let told = |persons: &[&str], contacts: &[&str]| {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).into()).collect();
        let ends = [("old", "persons", ids(persons)), ("new", "contacts", ids(contacts))];
        Selection::Told(
            ends.map(|(system, object, ids)| ((system.into(), object.into()), ids)).into_iter().collect::<Told>(),
        )
    };
    let both = (words(&["Updated person"]), words(&["Updated contacts"]));
    assert_eq!(pass_over(&mut ground, told(&[&one], &[&contact_other])), both);
    assert_eq!(pass_over(&mut ground, told(&[&other], &[&contact_one])), nothing(), "our own writes");
    assert_eq!(pass(&mut ground), nothing(), "polling has nothing to add");
}

/// Pipedrive reads a value that is cleared as zero: that is no edit of anybody, and collides with none.
#[test]
fn a_number_that_is_cleared_and_reads_as_zero() {
    let mut ground = begun(Way::ToHubspot);
    let [id, _] = two_carried(&ground, "deals", "deals");
    let deal = in_hubspot(&ground, "deals", &format!("old:deals:{id}"));
    ground.disturb(1, &[change("deals", &deal, "amount", json!(""))]);
    assert_eq!(pass(&mut ground), (words(&["Updated deal"]), Vec::new()));
    assert_eq!(pass(&mut ground), nothing());
    ground.disturb(1, &[change("deals", &deal, "amount", json!("9566"))]);
    assert_eq!(pass(&mut ground), (words(&["Updated deal"]), Vec::new()));
    assert!(!ground.end().held.contains(&("deals".to_owned(), id)), "there is nothing to ask");
    assert_eq!(pass(&mut ground), nothing());
}

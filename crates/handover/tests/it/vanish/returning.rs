//! What people of the new system delete and bring back, in flows that go both ways.

use handover_model::{Deletes, Merges, Outcome, RecordId};
use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_sandbox::journal::Action;
use handover_store::RecordRow;
use serde_json::{Value as Json, json};

use super::{Play, both};
use crate::rig::{Scene, Way};

fn contact(play: &Play, id: &str) -> Json {
    let contacts = play.ground.end().new["objects"]["contacts"].clone();
    contacts.as_array().unwrap().iter().find(|contact| contact["id"] == id).unwrap().clone()
}

/// The rows of people whose counterpart this is.
fn paired_with(play: &Play, target: &RecordId) -> Vec<RecordRow> {
    let flow = "persons".into();
    play.read(async |store| store.rows_with_targets(&flow, std::slice::from_ref(target)).await.unwrap())
}

/// HubSpot does not take a restored record for a changed one: that the list of deleted records lacks it tells.
#[test]
fn a_counterpart_that_went_and_comes_again_is_made_anew_in_the_old_system() {
    let mut play = Play::on(Scene::both_ways(Way::ToHubspot), Deletes::Delete, Merges::Ask);
    let row = play.made("persons")[0].clone();
    let target = row.target.clone().unwrap();
    play.in_new("contacts", &target, DisturbAction::Delete);
    play.is_quiet();
    play.is_quiet();
    assert_eq!(play.row("persons", &row.record).outcome, Outcome::Excluded, "the deletion went back");
    play.in_new("contacts", &target, DisturbAction::Restore);
    // Under its old key another record would be found.
    assert_eq!(play.pass(), [play.line("Updated", &row)]);
    let paired = paired_with(&play, &target);
    let [anew] = paired.as_slice() else { panic!("{paired:?}") };
    assert_ne!(anew.record, row.record);
    assert_eq!(
        contact(&play, target.as_str())["properties"]["handover_source_key"],
        format!("old:persons:{}", anew.record)
    );
    play.is_quiet();
    // Who was there first comes back too, and takes nothing from anybody.
    play.in_old("person", &row.record, DisturbAction::Restore);
    play.pass();
    let paired = paired_with(&play, &target);
    assert_eq!(paired.iter().map(|row| &row.record).collect::<Vec<_>>(), [&anew.record]);
}

/// Its counterpart has another one by then.
#[test]
fn a_counterpart_that_comes_again_after_its_source_is_noticed() {
    let mut play = Play::on(Scene::both_ways(Way::ToHubspot), Deletes::Delete, Merges::Ask);
    let row = play.made("persons")[0].clone();
    let target = row.target.clone().unwrap();
    play.in_new("contacts", &target, DisturbAction::Delete);
    play.is_quiet();
    play.is_quiet();
    play.in_old("person", &row.record, DisturbAction::Restore);
    play.pass();
    let anew = play.row("persons", &row.record).target;
    assert!(anew.as_ref().is_some_and(|anew| *anew != target), "made anew: {anew:?}");
    play.in_new("contacts", &target, DisturbAction::Restore);
    play.pass();
    let paired = paired_with(&play, &target);
    assert!(!paired.is_empty() || !play.holds("persons.back", &target).is_empty(), "nobody noticed");
    assert_eq!(play.row("persons", &row.record).target, anew);
}

/// Of a pair both of which were deleted people bring both back, and edit the new system's before anybody looked: they
/// are the pair that they were, and what they wrote is not lost.
#[test]
fn a_pair_both_of_which_come_again_is_a_pair_again() {
    both(|way| {
        let mut play = Play::new(way, Deletes::Delete, Merges::Ask);
        let row = play.deleted(1)[0].clone();
        let target = row.target.clone().unwrap();
        play.is_quiet();
        assert_eq!(play.pass(), [play.line("Deleted", &row)]);
        play.is_quiet();
        play.in_new(play.names.new, &target, DisturbAction::Restore);
        let edit = DisturbAction::Change { field: play.names.text.to_owned(), value: json!("Brunner") };
        play.in_new(play.names.new, &target, edit);
        play.in_old(play.names.old, &row.record, DisturbAction::Restore);
        let done = play.pass();
        assert!(done.iter().all(|line| !line.starts_with("Created")), "{done:?}");
        let now = play.row(play.names.flow, &row.record);
        assert_eq!((now.target, now.identity), (Some(target), row.identity));
        // By the flow's rules the edit stands, or gave way and is kept.
        let flow = play.names.flow.into();
        let story = play.read(async |store| store.story(&flow, &row.record).await.unwrap());
        let stands = play.ground.end().new.to_string().contains("Brunner");
        assert!(stands || story.iter().any(|told| format!("{told:?}").contains("Brunner")), "{story:?}");
        play.orders.verify = true;
        play.is_quiet();
        assert_eq!(play.ground.differences, Vec::<String>::new());
    });
}

/// What people made in the new system has a row of its way back for ever, and no pair for ever.
#[test]
fn what_was_made_in_the_new_system_comes_again_too() {
    let mut play = Play::on(Scene::both_ways(Way::ToHubspot), Deletes::Delete, Merges::Ask);
    let fields = json!({"firstname": "Ada", "lastname": "Again", "email": "again@example.com"});
    let target = play.create(1, "contacts", fields);
    let first = paired_with(&play, &target)[0].record.clone();
    play.in_old("person", &first, DisturbAction::Delete);
    play.is_quiet();
    play.pass();
    assert!(paired_with(&play, &target).is_empty(), "the deletion was carried");
    play.in_new("contacts", &target, DisturbAction::Restore);
    play.pass();
    let paired = paired_with(&play, &target);
    let [anew] = paired.as_slice() else { panic!("{paired:?}") };
    assert_ne!(anew.record, first);
    play.is_quiet();
}

/// A question about a record that nobody has any more is no question.
#[test]
fn what_is_held_on_its_way_back_and_deleted_is_asked_about_no_more() {
    let mut play = Play::on(Scene::both_ways(Way::ToHubspot), Deletes::Ask, Merges::Ask);
    let fields = json!({"phone": "+49 30 1234567"});
    let id = play.create(1, "contacts", fields);
    assert_eq!(play.holds("persons.back", &id).len(), 1, "nobody has no name");
    play.in_new("contacts", &id, DisturbAction::Delete);
    play.is_quiet();
    assert_eq!(play.holds("persons.back", &id).len(), 0);
    play.is_quiet();
}

/// A link is a call of its own: it does not wait for a field that is refused.
#[test]
fn a_link_beside_a_field_that_is_refused() {
    let mut play = Play::new(Way::ToHubspot, Deletes::Ask, Merges::Ask);
    let row = play.made("persons")[0].clone();
    let company = play.made("organizations").pop().unwrap();
    let fields = json!({"email": "taken@example.com"});
    let action = DisturbAction::Create { fields };
    play.ground.disturb(1, &[Disturbance { object: "contacts".to_owned(), which: Which::default(), action }]);
    let emails = json!([{"value": "taken@example.com", "primary": true, "label": "work"}]);
    for (field, value) in [("emails", emails), ("org_id", json!(company.record.as_str().parse::<u64>().unwrap()))] {
        play.in_old("person", &row.record, DisturbAction::Change { field: field.to_owned(), value });
    }
    let before = play.ground.end().new_journal.len();
    play.is_quiet();
    assert_eq!(play.words(&row.record), ["refused"]);
    let journal = play.ground.end().new_journal;
    let linked = journal[before..].iter().flat_map(|entry| &entry.changes);
    let linked: Vec<&str> =
        linked.filter(|change| change.action == Action::Linked).map(|change| change.id.as_str()).collect();
    let [contact, company] = [row.target.unwrap(), company.target.unwrap()];
    let ends = [format!("contacts/{contact}/companies/{company}"), format!("companies/{company}/contacts/{contact}")];
    assert!(linked.iter().any(|pair| ends.iter().any(|ends| ends == pair)), "{linked:?}");
    play.is_quiet();
}

//! Records of the old system for which their flow's condition does not hold any more.

use handover_model::{Answer, Cause, Deletes, Leaves, Merges, Outcome, RecordId};
use handover_sandbox::faults::DisturbAction;
use handover_store::RecordRow;
use serde_json::{Value as Json, json};

use super::Play;
use crate::rig::{Scene, Way};

/// Whose last name this is has left.
const LEFT: &str = "Left";

/// A company of whose people only those move who are not called [`LEFT`]; with the first of them.
fn play(both_ways: &[&str]) -> (Play, RecordRow) {
    play_where(both_ways, &format!("string!(.last_name) != \"{LEFT}\""))
}

fn play_where(both_ways: &[&str], condition: &str) -> (Play, RecordRow) {
    let scene = Scene::edited(Way::ToHubspot, both_ways, &|folder| {
        let file = folder.join("mappings/persons.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, format!("where: '{condition}'\n{text}")).unwrap();
    });
    let play = Play::on(scene, Deletes::Delete, Merges::Ask);
    let row = play.made("persons")[0].clone();
    (play, row)
}

/// Somebody gives a person of the old system another name.
fn called(play: &mut Play, record: &RecordId, last_name: &str) {
    let value = json!(format!("Ada {last_name}"));
    play.in_old("person", record, DisturbAction::Change { field: "name".to_owned(), value });
}

/// What a contact says in the new system.
fn lastname(play: &Play, row: &RecordRow) -> String {
    let contacts = play.ground.end().new["objects"]["contacts"].clone();
    let is_it = |contact: &&Json| contact["id"] == row.target.as_ref().unwrap().as_str();
    contacts.as_array().unwrap().iter().find(is_it).unwrap()["properties"]["lastname"].as_str().unwrap().to_owned()
}

#[test]
fn a_person_is_asked_and_what_comes_again_goes_on() {
    let (mut play, row) = play(&["persons"]);
    let before = lastname(&play, &row);
    called(&mut play, &row.record, LEFT);
    play.is_quiet();
    assert_eq!(play.words(&row.record), ["left_scope"]);
    let now = play.row("persons", &row.record);
    assert_eq!((now.outcome, &now.target, &now.base), (row.outcome, &row.target, &row.base), "it stays a pair");
    // Neither way.
    let target = row.target.clone().unwrap();
    play.in_new("contacts", &target, DisturbAction::Change { field: "phone".into(), value: json!("+49 30 987654") });
    let changes = play.ground.end().old_journal.len();
    play.is_quiet();
    play.is_quiet();
    assert!(play.ground.end().old_journal[changes..].iter().all(|entry| entry.changes.is_empty()));
    assert_eq!((lastname(&play, &row), play.words(&row.record)), (before, vec!["left_scope"]));
    called(&mut play, &row.record, "Back");
    assert_eq!(play.pass(), [play.line("Updated", &row)]);
    assert_eq!((lastname(&play, &row).as_str(), play.words(&row.record)), ("Back", Vec::new()));
    let person = play.ground.world("old")["persons"].clone();
    let person = person
        .as_array()
        .unwrap()
        .iter()
        .find(|person| person["id"].as_u64() == row.record.as_str().parse().ok())
        .cloned();
    assert!(person.unwrap().to_string().contains("987654"), "what the new system changed meanwhile went back");
    play.is_quiet();
}

#[test]
fn its_counterpart_is_kept_or_deleted() {
    let (mut play, row) = play(&[]);
    called(&mut play, &row.record, LEFT);
    play.is_quiet();
    assert_eq!(play.answer(&row.record, Answer::Keep), Vec::<String>::new());
    assert_eq!(play.words(&row.record), Vec::<&str>::new());
    called(&mut play, &row.record, LEFT);
    play.is_quiet();
    assert_eq!(play.words(&row.record), Vec::<&str>::new(), "who answered is not asked again");

    let other = play.made("persons")[1].clone();
    called(&mut play, &other.record, LEFT);
    play.is_quiet();
    assert_eq!(play.answer(&other.record, Answer::Delete), [play.line("Deleted", &other)]);
    assert_eq!(play.row("persons", &other.record).outcome, Outcome::Excluded);
    play.is_quiet();
    called(&mut play, &other.record, "Back");
    let done = play.pass();
    assert!(done.len() == 1 && done[0].starts_with("Created"), "{done:?}");
    play.is_quiet();
}

/// Who came again before anybody looked keeps the counterpart that a person wanted to be deleted.
#[test]
fn nothing_is_deleted_of_what_came_again() {
    let (mut play, row) = play(&[]);
    called(&mut play, &row.record, LEFT);
    play.is_quiet();
    called(&mut play, &row.record, "Back");
    let done = play.answer(&row.record, Answer::Delete);
    assert!(!done.contains(&play.line("Deleted", &row)), "{done:?}");
    play.pass();
    assert_eq!((lastname(&play, &row).as_str(), play.words(&row.record)), ("Back", Vec::new()));
}

#[test]
fn a_flow_may_say_that_nobody_need_be_asked() {
    let (mut play, row) = play(&[]);
    play.orders.removals.leaves = Leaves::Ignore;
    called(&mut play, &row.record, LEFT);
    play.is_quiet();
    assert_eq!(play.words(&row.record), Vec::<&str>::new());
    assert_eq!(play.row("persons", &row.record).target, row.target);
    play.orders.removals.leaves = Leaves::Carry;
    let other = play.made("persons")[1].clone();
    called(&mut play, &other.record, LEFT);
    assert_eq!(play.pass(), [play.line("Updated", &other)]);
    assert_eq!(lastname(&play, &other), LEFT);
}

/// What the condition cannot tell stays a pair, too.
#[test]
fn a_condition_that_fails_takes_no_counterpart_away() {
    let fails = "if .last_name == \"Fails\" { format_date!(.last_name, \"%Y\") == \"\" } else { true }";
    let (mut play, row) = play_where(&[], fails);
    called(&mut play, &row.record, "Fails");
    play.is_quiet();
    let holds = play.holds("persons", &row.record);
    assert!(matches!(&holds[0].cause, Cause::Expression { field, .. } if *field == "where"), "{holds:?}");
    assert_eq!(play.row("persons", &row.record).target, row.target);
    called(&mut play, &row.record, "Mended");
    assert_eq!(play.pass(), [play.line("Updated", &row)]);
    assert_eq!(lastname(&play, &row), "Mended");
}

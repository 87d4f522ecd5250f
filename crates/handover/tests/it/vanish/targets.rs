//! Counterparts that people delete or merge in the new system.

use handover_model::{Answer, Cause, Deletes, Merges, Outcome};
use handover_sandbox::faults::DisturbAction;
use handover_sandbox::journal::Action;
use serde_json::json;

use super::{Play, both};
use crate::rig::{Scene, Way};

#[test]
fn a_counterpart_that_is_gone_is_held_at_once() {
    both(|way| {
        // Deletions in the new system are nobody's rule for the old one.
        let mut play = Play::new(way, Deletes::Delete, Merges::Carry);
        let rows = play.made(play.names.flow);
        let gone = |play: &mut Play, at: usize| {
            play.in_new(play.names.new, &rows[at].target.clone().unwrap(), DisturbAction::Delete);
        };
        for at in 0..3 {
            gone(&mut play, at);
        }
        play.is_quiet();
        for row in &rows[..3] {
            assert_eq!(play.words(&row.record), ["target_gone"]);
        }
        // It comes again by itself.
        play.in_new(play.names.new, &rows[0].target.clone().unwrap(), DisturbAction::Restore);
        assert_eq!(play.answer(&rows[0].record, Answer::Retry), Vec::<String>::new());
        assert_eq!(play.words(&rows[0].record), Vec::<&str>::new());
        // It is made anew, with its identity and with what pointed to it.
        let done = play.answer(&rows[1].record, Answer::Create);
        let row = play.row(play.names.flow, &rows[1].record);
        assert!(done.contains(&play.line("Created", &row)), "{done:?}");
        assert_eq!((row.outcome, row.identity), (Outcome::Created, rows[1].identity));
        // It is left out.
        assert_eq!(play.answer(&rows[2].record, Answer::Skip), Vec::<String>::new());
        assert_eq!(play.row(play.names.flow, &rows[2].record).outcome, Outcome::Skipped);
        play.is_quiet();
        play.is_quiet();
        for row in &rows[..3] {
            assert_eq!(play.words(&row.record), Vec::<&str>::new());
        }
    });
}

/// What the old system's people change while a counterpart is gone waits for it.
#[test]
fn what_changes_while_a_counterpart_is_gone_arrives_when_it_comes_back() {
    both(|way| {
        let mut play = Play::new(way, Deletes::Delete, Merges::Carry);
        let row = play.made(play.names.flow)[0].clone();
        let target = row.target.clone().unwrap();
        play.in_new(play.names.new, &target, DisturbAction::Delete);
        play.is_quiet();
        let field = if way == Way::ToHubspot { "name" } else { "lastname" };
        let change = DisturbAction::Change { field: field.to_owned(), value: json!("Wanda Wieder") };
        play.in_old(play.names.old, &row.record, change);
        play.is_quiet();
        assert_eq!(play.words(&row.record), ["target_gone"]);
        play.in_new(play.names.new, &target, DisturbAction::Restore);
        assert_eq!(play.pass(), [play.line("Updated", &row)]);
        assert_eq!(play.words(&row.record), Vec::<&str>::new());
        play.is_quiet();
    });
}

/// No platform links with what is gone: such a link waits, and keeps nothing else of its record back.
#[test]
fn a_link_to_a_counterpart_that_is_gone_waits_alone() {
    both(|way| {
        let mut play = Play::new(way, Deletes::Delete, Merges::Carry);
        let (flow, firm, name, fields) = match way {
            Way::ToHubspot => ("organizations", "companies", "name", json!({"name": "Newly Come"})),
            Way::ToPipedrive => ("companies", "organization", "lastname", json!({"lastname": "Come"})),
        };
        let record = play.create(0, play.names.old, fields);
        let person = play.row(play.names.flow, &record);
        let company = play.made(flow)[0].clone();
        play.in_new(firm, &company.target.clone().unwrap(), DisturbAction::Delete);
        play.is_quiet();
        let joins = match way {
            Way::ToHubspot => {
                let value = json!(company.record.as_str().parse::<u64>().unwrap());
                DisturbAction::Change { field: "org_id".to_owned(), value }
            }
            Way::ToPipedrive => DisturbAction::Link { object: "companies".to_owned(), to: company.record.to_string() },
        };
        play.in_old(play.names.old, &record, joins);
        let change = DisturbAction::Change { field: name.to_owned(), value: json!("Wanda Wieder") };
        play.in_old(play.names.old, &record, change);
        assert_eq!(play.pass(), [play.line("Updated", &person)]);
        assert_eq!(play.words(&record), Vec::<&str>::new(), "the record is not held");
        play.is_quiet();
        play.in_new(firm, &company.target.unwrap(), DisturbAction::Restore);
        play.pass();
        play.orders.verify = true;
        play.is_quiet();
        assert_eq!(play.ground.differences, Vec::<String>::new());
    });
}

/// The rows follow the survivor's id; of two source records the one whose counterpart survived keeps it.
#[test]
fn counterparts_that_became_one() {
    // Merges in the new system are nobody's rule for the old one.
    let mut play = Play::new(Way::ToHubspot, Deletes::Ask, Merges::Carry);
    let rows = play.made(play.names.flow);
    let [gone, left] = [rows[0].clone(), rows[1].clone()];
    let into = left.target.clone().unwrap().to_string();
    play.in_new(play.names.new, &gone.target.clone().unwrap(), DisturbAction::Merge { into });
    play.is_quiet();
    let (now, other) = (play.row(play.names.flow, &left.record), play.row(play.names.flow, &gone.record));
    assert_ne!(now.target, left.target, "the new system gave it a new id");
    assert_eq!((now.outcome, other.outcome), (Outcome::Created, Outcome::Merged));
    assert_eq!(other.target, now.target);
    let holds = play.holds(play.names.flow, &gone.record);
    let Cause::TargetMerged { other, .. } = &holds[0].cause else { panic!("{holds:?}") };
    assert_eq!(*other, left.record);
    // What is changed goes to the record that both are now.
    let name = DisturbAction::Change { field: "name".to_owned(), value: "Somebody Else".into() };
    play.in_old(play.names.old, &left.record, name);
    assert_eq!(play.pass(), [play.line("Updated", &now)]);
    assert_eq!(play.answer(&gone.record, Answer::Keep), Vec::<String>::new());
    assert_eq!(play.words(&gone.record), Vec::<&str>::new());
    play.is_quiet();
}

/// In a flow that goes both ways what happens in the new system goes back: by rule where the new system would tell
/// a merge, by a person where it would not.
#[test]
fn deletions_go_back_in_flows_that_go_both_ways() {
    both(|way| {
        let mut play = Play::on(Scene::both_ways(way), Deletes::Delete, Merges::Ask);
        let row = play.made(play.names.flow)[0].clone();
        let deleted = |play: &Play| {
            let journal = play.ground.end().old_journal;
            let mut changes = journal.iter().flat_map(|entry| &entry.changes);
            changes.any(|change| change.action == Action::Deleted && *change.id == *row.record.as_str())
        };
        play.in_new(play.names.new, &row.target.clone().unwrap(), DisturbAction::Delete);
        play.is_quiet();
        assert!(!deleted(&play), "it is only missed yet");
        play.is_quiet();
        if way == Way::ToPipedrive {
            assert_eq!(play.words(&row.record), ["target_gone"]);
            assert_eq!(play.answer(&row.record, Answer::Delete), Vec::<String>::new());
        }
        assert!(deleted(&play));
        assert_eq!(play.row(play.names.flow, &row.record).outcome, Outcome::Excluded);
        assert_eq!(play.words(&row.record), Vec::<&str>::new());
        play.is_quiet();
        play.is_quiet();
    });
}

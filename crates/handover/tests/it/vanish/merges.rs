//! Records that became one in the old system: by polling, that looks like a deletion.

use handover_model::{Answer, Cause, Deletes, Merges, Outcome, RecordId};
use handover_sandbox::faults::{DisturbAction, FaultPlan};
use handover_sandbox::journal::Action;
use handover_store::RecordRow;
use serde_json::json;

use super::{Play, both};
use crate::rig::{Orders, Scene, Way};

/// Two people of the old system that have deals become one; gives the one that is gone, and the one that is left.
fn merged(play: &mut Play) -> (RecordRow, RecordRow) {
    let rows = play.made(play.names.flow);
    let [gone, left] = [rows[0].clone(), rows[1].clone()];
    let into = left.record.to_string();
    play.in_old(play.names.old, &gone.record, DisturbAction::Merge { into });
    (gone, left)
}

/// The record that both are now in the old system, by its row: the one that has the survivor's counterpart.
fn survivor(play: &Play, left: &RecordRow) -> RecordRow {
    let flow = play.names.flow.into();
    let target = left.target.clone().unwrap();
    let rows = play.read(async |store| store.rows_with_targets(&flow, &[target]).await.unwrap());
    rows.into_iter().find(|row| row.outcome != Outcome::Merged).unwrap()
}

/// HubSpot tells where a merged record went. Pipedrive does not: its bin does not say that it was a merge.
fn tells(way: Way) -> bool {
    way == Way::ToPipedrive
}

#[test]
fn a_merge_is_asked_about_with_both_cards() {
    both(|way| {
        // Even where deletions are carried by rule.
        let mut play = Play::new(way, Deletes::Delete, Merges::Ask);
        let (gone, left) = merged(&mut play);
        let mut done = Vec::new();
        for _ in 0..3 {
            done.extend(play.pass());
        }
        let removed: Vec<&String> = done.iter().filter(|line| !line.starts_with("Updated")).collect();
        assert_eq!(removed, Vec::<&String>::new());
        let holds = play.holds(play.names.flow, &gone.record);
        let Some(Cause::SourceMerged { certain, candidates, .. }) = holds.first().map(|hold| &hold.cause) else {
            panic!("{holds:?}")
        };
        assert_eq!(*certain, tells(way));
        let cards: Vec<Option<&RecordId>> = candidates.iter().map(|card| Some(&card.target)).collect();
        assert_eq!(cards, [left.target.as_ref(), gone.target.as_ref()]);
        assert!(candidates.iter().all(|card| !card.shown.is_empty()));
        // The crosswalk follows where it is certain, and after the answer everywhere.
        let done = play.answer(&gone.record, Answer::Merge);
        assert!(done.iter().any(|line| line.starts_with("Merged")), "{done:?}");
        let row = play.row(play.names.flow, &gone.record);
        assert_eq!(row.outcome, Outcome::Merged);
        assert_eq!(play.words(&gone.record), Vec::<&str>::new());
        play.is_quiet();
        play.is_quiet();
    });
}

#[test]
fn a_merge_is_carried_by_rule() {
    let mut play = Play::new(Way::ToPipedrive, Deletes::Ask, Merges::Carry);
    let (gone, left) = merged(&mut play);
    let done = play.pass();
    let line = |action: &str, row: &RecordRow| play.line(action, row);
    assert!(done.contains(&line("Merged", &gone)), "{done:?}");
    assert!(!done.iter().any(|line| line.starts_with("Created") || line.starts_with("Deleted")), "{done:?}");
    let now = survivor(&play, &left);
    assert_ne!(now.record, left.record, "the old system gave it a new id");
    for row in [&gone, &left] {
        let row = play.row(play.names.flow, &row.record);
        assert_eq!((row.outcome, row.target), (Outcome::Merged, left.target.clone()));
    }
    play.orders.verify = true;
    play.is_quiet();
    assert_eq!(play.ground.differences, Vec::<String>::new());
}

/// What was told about the parts by people is not lost: `keep` leaves both counterparts.
#[test]
fn a_merge_may_be_left_alone() {
    let mut play = Play::new(Way::ToPipedrive, Deletes::Ask, Merges::Ask);
    let (gone, _) = merged(&mut play);
    play.pass();
    assert_eq!(play.words(&gone.record), ["source_merged"]);
    assert_eq!(play.answer(&gone.record, Answer::Keep), Vec::<String>::new());
    assert_eq!(play.words(&gone.record), Vec::<&str>::new());
    play.is_quiet();
    play.is_quiet();
}

/// What only looks like a merge can be deleted by a person.
#[test]
fn a_doubt_can_be_answered_with_a_deletion() {
    let mut play = Play::new(Way::ToHubspot, Deletes::Delete, Merges::Carry);
    let (gone, _) = merged(&mut play);
    for _ in 0..3 {
        play.pass();
    }
    assert_eq!(play.words(&gone.record), ["source_merged"]);
    assert_eq!(play.answer(&gone.record, Answer::Delete), [play.line("Deleted", &gone)]);
    play.is_quiet();
}

/// When the evidence cannot be sought nothing is decided.
#[test]
fn without_evidence_nothing_is_decided() {
    both(|way| {
        let mut play = Play::new(way, Deletes::Delete, Merges::Carry);
        let rows = play.deleted(1);
        play.is_quiet();
        let path = if way == Way::ToHubspot { "/api/v2/persons" } else { "/crm/v3/objects/contacts/batch/read" };
        let plan =
            json!({"seed": 1, "rules": [{"when": {"path": path}, "fault": {"kind": "unavailable", "status": 503}}]});
        play.orders.faults[0] = FaultPlan::from_json(&plan.to_string()).unwrap();
        let (ended, done) = play.pass_that_may_stop();
        assert!(ended.is_err() && done.is_empty(), "{ended:?} {done:?}");
        play.orders.faults = Orders::default().faults;
        assert_eq!(play.pass(), [play.line("Deleted", &rows[0])]);
    });
}

/// A merge whose answer is lost is looked up, and not sent again when it was carried out.
#[test]
fn answers_to_merges_that_are_lost() {
    for fault in [
        json!({"kind": "lost_before"}),
        json!({"kind": "lost_after"}),
        json!({"kind": "malformed"}),
        json!({"kind": "unavailable", "status": 500}),
    ] {
        let mut play = Play::new(Way::ToPipedrive, Deletes::Ask, Merges::Carry);
        let (gone, _) = merged(&mut play);
        let plan = json!({"seed": 1, "rules": [{"when": {"path": "/v1/persons/*/merge", "times": 1}, "fault": fault}]});
        play.orders.faults[1] = FaultPlan::from_json(&plan.to_string()).unwrap();
        let (_, mut done) = play.pass_that_may_stop();
        play.orders.faults = Orders::default().faults;
        for _ in 0..3 {
            done.extend(play.pass());
        }
        let merges: Vec<&String> = done.iter().filter(|line| line.starts_with("Merged")).collect();
        assert_eq!(merges, [&play.line("Merged", &gone)], "{fault}");
        assert_eq!(play.row(play.names.flow, &gone.record).outcome, Outcome::Merged);
    }
}

/// HubSpot gives the survivor a new id: nobody in the old system stands for it yet, but those whose pairs became it do.
#[test]
fn survivors_of_a_merge_in_the_new_system_are_not_made_again_in_the_old_one() {
    let mut play = Play::on(Scene::both_ways(Way::ToHubspot), Deletes::Ask, Merges::Ask);
    let made = ["one", "two"].map(|name| {
        let fields = json!({"firstname": "Ada", "lastname": name, "email": format!("{name}@merged.example.com")});
        play.create(1, "contacts", fields)
    });
    let [gone, left] = made;
    play.is_quiet();
    let created = |play: &mut Play| {
        let journal = play.ground.end().old_journal;
        journal.iter().flat_map(|entry| &entry.changes).filter(|change| change.action == Action::Created).count()
    };
    let before = created(&mut play);
    play.in_new("contacts", &gone, DisturbAction::Merge { into: left.to_string() });
    for _ in 0..3 {
        play.pass();
    }
    assert_eq!(created(&mut play), before, "both have their counterparts in the old system");
    let survivor = play.newest(1);
    assert_ne!(survivor, left);
    let flow = "persons".into();
    let rows = play.read(async |store| store.rows_with_targets(&flow, &[survivor]).await.unwrap());
    assert_eq!(rows.len(), 2, "{rows:?}");
    // Which of the two in the old system stays, a person says.
    assert!(rows.iter().any(|row| play.words(&row.record) == ["target_merged"]), "{rows:?}");
}

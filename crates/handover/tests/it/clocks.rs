//! Clocks that are not ours, and clocks that are set: passes over what changed lose nothing and read nothing for
//! ever.

use handover_engine::{Report, Selection};
use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_sandbox::journal::Action;
use jiff::SignedDuration;
use serde_json::json;

use crate::rig::{Around, Death, Ended, Ground, Orders, Scene, Way};

const HOUR: i64 = 3_600;

/// A pass over what changed: its report, what it changed in the new system, and how many requests it took.
fn pass(ground: &mut Ground<'_>) -> (Report, Vec<String>, u64) {
    let before = ground.end().new_journal.len();
    let orders = Orders { selection: Some(Selection::Changes), ..Orders::default() };
    let report = match ground.live_with(Death::No, &orders) {
        Ended::Finished(report) => report,
        ended => panic!("{ended:?}"),
    };
    let changes = ground.end().new_journal[before..].to_vec();
    let changes = changes.iter().flat_map(|entry| &entry.changes);
    let written = changes.filter(|change| !matches!(change.action, Action::Linked | Action::Unlinked));
    let mut done: Vec<String> = written.map(|change| format!("{:?} {}", change.action, change.object)).collect();
    done.sort();
    (report, done, ground.requests)
}

fn did(ground: &mut Ground<'_>) -> Vec<String> {
    pass(ground).1
}

fn codes(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// Somebody renames a company.
fn rename(ground: &mut Ground<'_>, nth: u64, name: &str) {
    let object = match ground.scene.way() {
        Way::ToHubspot => "organization",
        Way::ToPipedrive => "companies",
    };
    let action = DisturbAction::Change { field: "name".to_owned(), value: json!(name) };
    ground.disturb(0, &[Disturbance { object: object.to_owned(), which: Which::Nth(nth), action }]);
}

fn updated(way: Way) -> [&'static str; 1] {
    match way {
        Way::ToHubspot => ["Updated companies"],
        Way::ToPipedrive => ["Updated organization"],
    }
}

/// Passes until nothing is read again: how many requests the last one took.
fn settles(ground: &mut Ground<'_>) -> u64 {
    for _ in 0..4 {
        assert_eq!(did(ground), Vec::<String>::new());
        ground.now += SignedDuration::from_mins(30);
    }
    pass(ground).2
}

#[test]
fn a_source_whose_clock_is_an_hour_ahead_or_behind() {
    for way in [Way::ToHubspot, Way::ToPipedrive] {
        let calls = [0, HOUR, -HOUR, 90].map(|ahead| {
            let mut ground = Ground::new(Scene::of(way));
            ground.ahead = [ahead, -ahead];
            ground.finish().unwrap();
            assert_eq!(did(&mut ground), Vec::<String>::new(), "{way:?}, {ahead} s: nothing changed");
            for round in 0..3 {
                rename(&mut ground, round, &format!("Renamed {round} GmbH"));
                assert_eq!(did(&mut ground), updated(way), "{way:?}, {ahead} s, round {round}");
            }
            settles(&mut ground)
        });
        assert!(calls.iter().all(|last| *last == calls[0]), "{way:?}: quiet passes cost the same: {calls:?}");
    }
}

/// A lost answer is looked up by the target's own times.
#[test]
fn a_target_whose_clock_is_an_hour_behind_gets_nothing_twice() {
    for way in [Way::ToHubspot, Way::ToPipedrive] {
        for ahead in [-HOUR, HOUR] {
            let scene = Scene::of(way);
            let mut whole = Ground::new(scene);
            whole.ahead = [0, ahead];
            whole.finish().unwrap();
            let (expected, changing) = (whole.end(), whole.changing.clone());
            let some = changing.iter().step_by(changing.len() / 3).copied();
            for n in some {
                let mut ground = Ground::new(scene);
                ground.ahead = [0, ahead];
                assert!(matches!(ground.live(Death::AtRequest(n, Around::After)), Ended::Died), "{way:?} {n}");
                // Our clock is set back before the next process looks the write up.
                ground.now -= SignedDuration::from_mins(30);
                ground.ahead = [1_800, ahead + 1_800];
                ground.finish().unwrap();
                let wrong = expected.differences(&ground.end());
                assert!(wrong.is_empty(), "{way:?}, {ahead} s, request {n}: {}", wrong.join("; "));
            }
        }
    }
}

#[test]
fn clocks_that_are_set_between_two_passes() {
    for way in [Way::ToHubspot, Way::ToPipedrive] {
        let mut loaded = Ground::new(Scene::of(way));
        loaded.finish().unwrap();
        // Ours goes back or forth, and so the others are further ahead or behind; the old system's own.
        for (ours, theirs) in [(-HOUR, 0), (HOUR, 0), (0, -HOUR), (0, HOUR), (0, -26 * HOUR)] {
            let mut ground = loaded.copy();
            rename(&mut ground, 0, "Before Ltd");
            assert_eq!(did(&mut ground), updated(way));
            rename(&mut ground, 1, "Between Ltd");
            ground.now += SignedDuration::from_secs(ours);
            ground.ahead = [theirs - ours, -ours];
            rename(&mut ground, 2, "After Ltd");
            let (report, done, _) = pass(&mut ground);
            assert_eq!(done, [updated(way), updated(way)].concat(), "{way:?} {ours} {theirs}");
            assert!(codes(&report).contains(&"clock_was_set"), "{:?}", report.findings);
            rename(&mut ground, 3, "Later Ltd");
            let (report, done, _) = pass(&mut ground);
            assert_eq!(done, updated(way), "{way:?} {ours} {theirs}");
            assert!(!codes(&report).contains(&"clock_was_set"), "told once: {:?}", report.findings);
            let far = codes(&report).contains(&"clocks_far_apart");
            assert_eq!(far, theirs == -26 * HOUR, "{:?}", report.findings);
            ground.now += SignedDuration::from_hours(30);
            settles(&mut ground);
            rename(&mut ground, 4, "Last Ltd");
            assert_eq!(did(&mut ground), updated(way), "{way:?} {ours} {theirs}");
        }
    }
}

/// The state says that changes were read up to tomorrow; nobody knows how it came there.
#[test]
fn a_watermark_in_the_future() {
    let mut ground = Ground::new(Scene::of(Way::ToHubspot));
    ground.finish().unwrap();
    assert_eq!(did(&mut ground), Vec::<String>::new());
    // A pass under clocks that were a day ahead, all three of them.
    ground.now += SignedDuration::from_hours(24);
    rename(&mut ground, 0, "Tomorrow Ltd");
    assert_eq!(did(&mut ground), ["Updated companies"]);
    ground.now -= SignedDuration::from_hours(24);
    rename(&mut ground, 1, "Today Ltd");
    let (report, done, _) = pass(&mut ground);
    assert_eq!(done, ["Updated companies"]);
    let finding = report.findings.iter().find(|finding| finding.code == "watermark_in_the_future").unwrap();
    assert!(finding.message.contains("old.organizations"), "{}", finding.message);
    let (report, done, _) = pass(&mut ground);
    assert_eq!((codes(&report), done), (vec![], vec![]), "told once");
}

//! Dying anywhere in a pass that deletes and merges, the next passes go on, and the end is the same.

use handover_engine::Selection;
use handover_model::{Deletes, Merges};
use handover_sandbox::faults::DisturbAction;
use handover_store::Moment;

use super::{Play, names, open};
use crate::rig::{Around, Death, Ended, Way, on_threads};

/// Two people are deleted and missed, a third is merged, and one that was deleted earlier comes again.
fn prepared(way: Way) -> Play {
    let mut play = Play::new(way, Deletes::Delete, Merges::Carry);
    let rows = play.made(play.names.flow);
    let back = rows[4].record.clone();
    play.in_old(play.names.old, &back, DisturbAction::Delete);
    play.pass();
    play.pass();
    play.deleted(2);
    play.pass();
    play.in_old(play.names.old, &back, DisturbAction::Restore);
    let into = rows[3].record.to_string();
    play.in_old(play.names.old, &rows[2].record, DisturbAction::Merge { into });
    play
}

/// Every other moment, from the one of this number on.
fn check(way: Way, from: usize) {
    let begun = prepared(way);
    let copy = || Play { ground: begun.ground.copy(), names: names(way), orders: begun.orders.clone() };
    let mut whole = copy();
    whole.pass();
    let (writes, requests) = (whole.ground.writes, whole.ground.requests);
    let changing = whole.ground.changing.clone();
    whole.pass();
    whole.pass();
    let expected = whole.ground.end();
    let moments = (1..=writes).flat_map(|n| [Moment::Before, Moment::After].map(|moment| Death::AtWrite(n, moment)));
    let around = [Around::Before, Around::After];
    let deaths: Vec<Death> = moments
        .chain(changing.iter().flat_map(|n| around.map(|around| Death::AtRequest(*n, around))))
        .skip(from)
        .step_by(2)
        .collect();
    eprintln!("{way:?}: {} deaths in {writes} durable writes and {requests} requests", deaths.len());
    on_threads(&deaths, |death| {
        let mut play = copy();
        let ended = play.ground.live_with(*death, &play.orders);
        if !matches!(ended, Ended::Died) {
            return Err(format!("{death:?}: it did not die: {ended:?}"));
        }
        for _ in 0..3 {
            match play.ground.live_with(Death::No, &play.orders) {
                Ended::Finished(_) => {}
                ended => return Err(format!("{death:?}: {ended:?}")),
            }
        }
        let wrong = expected.differences(&play.ground.end());
        if wrong.is_empty() { Ok(()) } else { Err(format!("{death:?}: {}", wrong.join("; "))) }
    });
}

#[test]
fn dying_in_a_pass_that_deletes_in_hubspot() {
    check(Way::ToHubspot, 0);
}

#[test]
fn dying_elsewhere_in_a_pass_that_deletes_in_hubspot() {
    check(Way::ToHubspot, 1);
}

#[test]
fn dying_in_a_pass_that_deletes_and_merges_in_pipedrive() {
    check(Way::ToPipedrive, 0);
}

#[test]
fn dying_elsewhere_in_a_pass_that_deletes_and_merges_in_pipedrive() {
    check(Way::ToPipedrive, 1);
}

/// Nothing of it depends on which selection goes on: a run carries no deletion that nobody answered.
#[test]
fn a_run_deletes_nothing() {
    let mut play = prepared(Way::ToHubspot);
    play.orders.selection = Some(Selection::All);
    play.orders.policies = Some(open);
    let done = play.pass();
    assert!(!done.iter().any(|line| line.starts_with("Deleted")), "{done:?}");
}

//! The weeks between other platforms: a few seeds of each pair, and mistakes that are found there as well.

use handover_simulation::oracle::OLD;
use handover_simulation::{Counted, Deed, Pair, Planted, Scenario, first_wrong, play_all};

/// Nothing is wrong in these seeds, and people did what they can do there.
fn check([old, new]: [&str; 2], seeds: &[u64], scenario: Scenario) {
    let scenario = Scenario { days: 28, ..scenario }.between(old, new).unwrap_or_else(|why| panic!("{why}"));
    let mut counted = Counted::default();
    let mut wrong = Vec::new();
    for played in play_all(seeds, &scenario) {
        counted.add(&played.counted);
        wrong.extend(played.wrong.iter().map(|wrong| format!("seed {}: {wrong}", played.seed)));
    }
    assert!(wrong.is_empty(), "{old} to {new}, {} complaints:\n{}", wrong.len(), wrong.join("\n"));
    for deed in [Deed::Create, Deed::Edit, Deed::Clear, Deed::Associate, Deed::Delete] {
        let done = counted.deeds.get(&(OLD, deed)).copied().unwrap_or_default();
        assert!(done > 0, "{old} to {new}: nobody did {}", deed.word());
    }
    assert!(counted.written > 400, "{old} to {new}: {} changes were written", counted.written);
}

fn one_way(pair: [&str; 2]) {
    check(pair, &[1, 2, 3], Scenario::default());
}

fn both_ways(pair: [&str; 2]) {
    check(pair, &[1, 2], Scenario::default().both_ways());
}

/// What people do with the bins and merges of both sides comes together seldom: in these seeds it did.
fn both_ways_in(pair: [&str; 2], seeds: &[u64]) {
    check(pair, seeds, Scenario::default().both_ways());
}

macro_rules! pairs {
    ($($name:ident: $way:ident($old:literal, $new:literal);)*) => {
        $(#[test]
        fn $name() {
            $way([$old, $new]);
        })*
    };
}

pairs! {
    hubspot_to_pipedrive: one_way("hubspot", "pipedrive");
    hubspot_and_pipedrive: both_ways("hubspot", "pipedrive");
    salesforce_to_hubspot: one_way("salesforce", "hubspot");
    salesforce_and_hubspot: both_ways("salesforce", "hubspot");
    dynamics_to_salesforce: one_way("dynamics", "salesforce");
    salesforce_to_dynamics: one_way("salesforce", "dynamics");
    hubspot_to_zoho: one_way("hubspot", "zoho");
    pipedrive_to_salesforce: one_way("pipedrive", "salesforce");
    dynamics_to_hubspot: one_way("dynamics", "hubspot");
    pipedrive_to_zoho: one_way("pipedrive", "zoho");
    pipedrive_to_dynamics: one_way("pipedrive", "dynamics");
    zoho_to_pipedrive: one_way("zoho", "pipedrive");
}

/// What had been deleted for its counterpart comes out of a bin that says nothing.
#[test]
fn dynamics_and_hubspot() {
    both_ways_in(["dynamics", "hubspot"], &[1, 3, 32]);
}

/// What was merged before what it was merged into was; and a counterpart whose place was taken meanwhile.
#[test]
fn salesforce_and_dynamics() {
    both_ways_in(["salesforce", "dynamics"], &[10, 12]);
}

/// A restored record with a unique key that another one has by now.
#[test]
fn hubspot_and_zoho() {
    both_ways_in(["hubspot", "zoho"], &[5, 10]);
}

#[test]
fn pipedrive_and_salesforce() {
    both_ways_in(["pipedrive", "salesforce"], &[1, 8]);
}

/// A checker that saw nothing of a pair would find nothing wrong with it.
#[test]
fn mistakes_are_found_between_other_platforms_too() {
    for (planted, [old, new]) in [
        (Planted::ChangeDropped, ["hubspot", "pipedrive"]),
        (Planted::SilentOverwrite, ["salesforce", "hubspot"]),
        (Planted::LinkForgotten, ["dynamics", "salesforce"]),
        (Planted::WrongField, ["zoho", "pipedrive"]),
    ] {
        let scenario = Scenario { planted, days: 14, ..Scenario::default() }.never(OLD, Deed::Restore);
        let scenario = scenario.between(old, new).unwrap();
        assert!(first_wrong(&[1, 2, 3, 4], &scenario).is_some(), "{old} to {new}: {planted:?} was not found");
    }
}

#[test]
fn what_has_no_table_is_refused() {
    assert!(Pair::of("csv", "hubspot").is_err());
    assert!(Pair::of("pipedrive", "csv").is_err());
}

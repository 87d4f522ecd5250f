//! The weeks between other platforms: a few seeds of each pair, and one of each pair with a mistake that is found.

use std::collections::BTreeMap;

use handover_simulation::{Counted, Deed, Pair, Planted, Scenario, first_wrong, play_all};

/// Nothing is wrong in these seeds, and people did everything that they can do there.
fn check(scenario: &Scenario, [old, new]: [&str; 2]) {
    let scenario = Scenario { days: 28, ..scenario.clone() }.between(old, new).unwrap();
    let mut counted = Counted::default();
    let mut wrong = Vec::new();
    for played in play_all(&[1, 2, 3], &scenario) {
        counted.add(&played.counted);
        wrong.extend(played.wrong.iter().map(|wrong| format!("seed {}: {wrong}", played.seed)));
    }
    assert!(wrong.is_empty(), "{old} to {new}, {} complaints:\n{}", wrong.len(), wrong.join("\n"));
    let done: BTreeMap<Deed, u64> =
        counted.deeds.iter().filter(|((side, _), _)| *side == 0).map(|((_, deed), n)| (*deed, *n)).collect();
    for deed in [Deed::Create, Deed::Edit, Deed::Clear, Deed::Associate, Deed::Unlink, Deed::Delete] {
        assert!(done.contains_key(&deed), "{old} to {new}: nobody did {}", deed.word());
    }
    assert!(counted.written > 500, "{old} to {new}: {} changes were written", counted.written);
}

/// A checker of this pair that sees nothing would see nothing wrong.
fn finds(planted: Planted, [old, new]: [&str; 2]) {
    let scenario = Scenario { planted, days: 28, ..Scenario::default() }.between(old, new).unwrap();
    assert!(first_wrong(&[1, 2, 3, 4], &scenario).is_some(), "{old} to {new}: {planted:?} was not found");
}

#[test]
fn what_cannot_be_played_is_refused() {
    assert!(Pair::of("csv", "hubspot").is_err());
}

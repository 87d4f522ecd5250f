//! The checker checked: each mistake that is planted in the engine is found.

use handover_simulation::{Planted, Scenario, first_wrong};

/// Each mistake is found within so many seeds; the failure names those that were not.
const SEEDS: u64 = 200;

fn found(planted: Planted, invariants: &str) {
    // What we wrote comes back only where the new system's changes are carried.
    let comes_back = planted == Planted::EchoNotRecognised;
    let scenario = if comes_back { Scenario::default().both_ways() } else { Scenario::default() };
    let scenario = Scenario { planted, ..scenario };
    let seeds: Vec<u64> = (1..=SEEDS).collect();
    let found = first_wrong(&seeds, &scenario).unwrap_or_else(|| panic!("{planted:?} was not found in {SEEDS} seeds"));
    eprintln!("{planted:?} is found by seed {}: {}", found.seed, found.wrong[0]);
    let named = |wrong: &String| invariants.split('|').any(|invariant| wrong.starts_with(invariant));
    assert!(found.wrong.iter().any(named), "{planted:?}: {:?}", found.wrong);
}

macro_rules! planted {
    ($($name:ident: $planted:ident, $invariant:literal;)*) => {
        $(#[test]
        fn $name() {
            found(Planted::$planted, $invariant);
        })*

        #[test]
        fn all_of_them_are_here() {
            assert_eq!([$(Planted::$planted),*], Planted::ALL);
        }
    };
}

planted! {
    a_watermark_too_far: WatermarkTooFar, "no loss|convergence";
    a_change_dropped: ChangeDropped, "convergence";
    a_base_not_updated: BaseNotUpdated, "convergence";
    unchanged_fields_written: UnchangedWritten, "convergence";
    a_wrong_field: WrongField, "no invention";
    a_link_forgotten: LinkForgotten, "convergence";
    a_silent_overwrite: SilentOverwrite, "no loss";
    a_hold_without_a_reason: HoldWithoutReason, "holds";
    a_lost_answer_sent_again: LostAnswerResent, "no duplicate";
    intents_forgotten: IntentsForgotten, "outcomes";
    a_merge_ignored: MergeIgnored, "no loss";
    an_echo_not_recognised: EchoNotRecognised, "holds|convergence";
}

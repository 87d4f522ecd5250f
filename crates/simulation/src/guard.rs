//! Whoever reads that the guard stopped a pass, and lets through what it stopped, or waits.

use std::collections::BTreeMap;

use crate::dice::Dice;
use crate::process::Process;

/// What a person knows of the guard.
pub(crate) struct Guarded {
    dice: Dice,
    /// By flow: how much the last pass did not carry out.
    tripped: BTreeMap<String, u64>,
}

impl Guarded {
    pub(crate) fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed, "guard"), tripped: BTreeMap::new() }
    }

    /// Nobody lets anything through in the pass that comes: whoever would is another process, and two have the state.
    pub(crate) fn waits(&mut self) {
        self.tripped.clear();
    }

    /// What a person lets through in the pass that comes: a command of its own, so a process of its own.
    pub(crate) fn confirmed(&mut self, process: &mut Option<Process>) -> BTreeMap<String, u64> {
        if self.tripped.is_empty() || !self.dice.chance(300) {
            return BTreeMap::new();
        }
        *process = None;
        self.tripped.clone()
    }

    /// What a pass told.
    pub(crate) fn tells(
        &mut self,
        tripped: &BTreeMap<String, u64>,
        confirmed: &BTreeMap<String, u64>,
        process: &mut Option<Process>,
    ) {
        self.tripped.clone_from(tripped);
        if !confirmed.is_empty() {
            *process = None;
        }
    }
}

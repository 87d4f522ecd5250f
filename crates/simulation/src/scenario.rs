//! What a simulation plays: how long, which ways, what people do, what goes wrong.
//!
//! What the engine does not carry yet is there and switched off: a test switches it on when it does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use handover_engine::Planted;

use crate::mishaps::Mishap;
use crate::oracle::{NEW, OLD, Ways};
use crate::people::Deed;

/// What is played.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// How many days people work.
    pub days: i32,
    /// Which ways changes go.
    pub ways: Ways,
    /// What people do in each system.
    pub deeds: [BTreeSet<Deed>; 2],
    /// What goes wrong.
    pub mishaps: BTreeSet<Mishap>,
    /// The mistake that the engine makes.
    pub planted: Planted,
    /// Where journals and passes are written to; nowhere when nobody asks.
    pub dump: Option<PathBuf>,
}

impl Default for Scenario {
    /// Six weeks of everything that the engine does today.
    fn default() -> Self {
        use Deed::{Associate, Clear, Create, Delete, Edit, Import, Merge, Post, Restore, SameMinute, Touch, Unlink};
        let old = BTreeSet::from([
            Create, Edit, Clear, SameMinute, Associate, Unlink, Import, Post, Touch, Delete, Restore, Merge,
        ]);
        let new = BTreeSet::from([Create, Edit, Clear, SameMinute, Touch]);
        Self {
            days: 42,
            ways: Ways::One,
            deeds: [old, new],
            mishaps: Mishap::ALL.into_iter().collect(),
            planted: Planted::Nothing,
            dump: None,
        }
    }
}

impl Scenario {
    /// The same with changes that go both ways.
    #[must_use]
    pub fn both_ways(self) -> Self {
        Self { ways: Ways::Both, ..self }
    }

    /// The same with this also done on a side.
    #[must_use]
    pub fn with(mut self, side: usize, deed: Deed) -> Self {
        self.deeds[side].insert(deed);
        self
    }

    /// What is switched on and never happened.
    pub fn missing(&self, deeds: &BTreeMap<(usize, Deed), u64>, mishaps: &BTreeMap<Mishap, u64>) -> Vec<String> {
        let sides = [(OLD, "old"), (NEW, "new")];
        let undone = sides.into_iter().flat_map(|(side, name)| {
            let all = self.deeds[side].iter().filter(move |deed| deeds.get(&(side, **deed)).is_none_or(|n| *n == 0));
            all.map(move |deed| format!("{} in the {name} system", deed.word()))
        });
        let calm = self.mishaps.iter().filter(|mishap| mishaps.get(mishap).is_none_or(|n| *n == 0));
        undone.chain(calm.map(|mishap| mishap.word().to_owned())).collect()
    }

    /// Whether people of a side do such things.
    pub(crate) fn does(&self, side: usize, deed: Deed) -> bool {
        self.deeds[side].contains(&deed)
    }

    /// Whether it goes wrong in this way.
    pub(crate) fn has(&self, mishap: Mishap) -> bool {
        self.mishaps.contains(&mishap)
    }
}

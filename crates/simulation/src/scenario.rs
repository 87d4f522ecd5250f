//! What a simulation plays: how long, which ways, what people do, what goes wrong.
//!
//! What the engine does not carry yet is there and switched off: a test switches it on when it does.

use std::collections::BTreeSet;
use std::path::PathBuf;

use handover_engine::Planted;

use crate::accounts::Pair;
use crate::mishaps::Mishap;
use crate::oracle::{NEW, OLD, Ways, Word};
use crate::people::Deed;
use crate::weeks::Counted;

/// What is played.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// How many days people work.
    pub days: i32,
    /// The platforms of both systems.
    pub pair: Pair,
    /// Which ways changes go.
    pub ways: Ways,
    /// What people do in each system.
    pub deeds: [BTreeSet<Deed>; 2],
    /// What goes wrong.
    pub mishaps: BTreeSet<Mishap>,
    /// Whether people answer what is held.
    pub answers: bool,
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
            pair: Pair::default(),
            ways: Ways::One,
            deeds: [old, new],
            mishaps: Mishap::ALL.into_iter().collect(),
            answers: true,
            planted: Planted::Nothing,
            dump: None,
        }
    }
}

impl Scenario {
    /// The same between other platforms.
    ///
    /// # Errors
    /// When one of them cannot be played.
    pub fn between(self, old: &str, new: &str) -> Result<Self, String> {
        Ok(Self { pair: Pair::of(old, new)?, ..self })
    }

    /// The same with changes that go both ways, deletions and what people bring back among them.
    #[must_use]
    pub fn both_ways(self) -> Self {
        Self { ways: Ways::Both, ..self }.with(NEW, Deed::Delete).with(NEW, Deed::Restore)
    }

    /// The same with this also done on a side.
    #[must_use]
    pub fn with(mut self, side: usize, deed: Deed) -> Self {
        self.deeds[side].insert(deed);
        self
    }

    /// The same with this never done on a side.
    #[must_use]
    pub fn never(mut self, side: usize, deed: Deed) -> Self {
        self.deeds[side].remove(&deed);
        self
    }

    /// The same without this going wrong.
    #[must_use]
    pub fn without(mut self, mishap: Mishap) -> Self {
        self.mishaps.remove(&mishap);
        self
    }

    /// What is switched on and never happened.
    pub fn missing(&self, counted: &Counted) -> Vec<String> {
        let Counted { deeds, mishaps, answers, .. } = counted;
        let sides = [(OLD, "old"), (NEW, "new")];
        let undone = sides.into_iter().flat_map(|(side, name)| {
            let all = self.deeds[side].iter().filter(move |deed| self.pair.can(side, **deed));
            let all = all.filter(move |deed| deeds.get(&(side, **deed)).is_none_or(|n| *n == 0));
            all.map(move |deed| format!("{} in the {name} system", deed.word()))
        });
        let possible = self.mishaps.iter().filter(|mishap| self.happens(**mishap));
        let calm = possible.filter(|mishap| mishaps.get(mishap).is_none_or(|n| *n == 0));
        // Where changes go one way there is hardly ever somebody to choose among.
        let choices = |word: &str| word != "choose" || self.ways == Ways::Both;
        // Nobody corrects an address where only addresses are taken.
        let edits = |word: &str| word != "edit" || self.pair.0[OLD].any_mail;
        let may = |word: &&str| self.answers && choices(word) && edits(word);
        let words = Word::NAMES.into_iter().filter(may);
        let unsaid = words.filter(|word| answers.get(word).is_none_or(|n| *n == 0));
        let calm = calm.map(|mishap| mishap.word().to_owned());
        let untold = (self.has(Mishap::WebhookTwice) && self.happens(Mishap::WebhookTwice) && counted.told == 0)
            .then(|| "a pass over what was told".to_owned());
        undone.chain(calm).chain(untold).chain(unsaid.map(|word| format!("answer: {word}"))).collect()
    }

    /// Whether people of a side do such things.
    pub(crate) fn does(&self, side: usize, deed: Deed) -> bool {
        self.deeds[side].contains(&deed) && self.pair.can(side, deed)
    }

    /// Whether the platforms are such that it can go wrong in this way.
    fn happens(&self, mishap: Mishap) -> bool {
        let [old, new] = self.pair.0;
        match mishap {
            Mishap::WebhookLost | Mishap::WebhookTwice | Mishap::WebhookShuffled | Mishap::WebhookLate => {
                old.tells.is_some() || new.tells.is_some()
            }
            Mishap::DaySpent => old.has_day,
            Mishap::TokenRenewed => new.tokens.is_some(),
            _ => true,
        }
    }

    /// Whether it goes wrong in this way.
    pub(crate) fn has(&self, mishap: Mishap) -> bool {
        self.mishaps.contains(&mishap)
    }
}

//! Who takes part in which deal, readable from both ends.

use std::collections::{BTreeMap, BTreeSet};

use super::time::Seconds;

/// A person beside the main one of a deal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Participant {
    pub(super) id: u64,
    pub(super) added: Seconds,
    pub(super) by: u64,
}

/// Participants by deal and person; the main person of a deal is not among them.
#[derive(Debug, Default)]
pub(super) struct Participation {
    people: BTreeMap<u64, BTreeMap<u64, Participant>>,
    deals: BTreeMap<u64, BTreeSet<u64>>,
}

impl Participation {
    /// The people of a deal, by id.
    pub(super) fn of_deal(&self, deal: u64) -> impl Iterator<Item = (u64, Participant)> + '_ {
        self.people.get(&deal).into_iter().flatten().map(|(person, one)| (*person, *one))
    }

    /// The deals of a person, by id.
    pub(super) fn of_person(&self, person: u64) -> impl Iterator<Item = u64> + '_ {
        self.deals.get(&person).into_iter().flatten().copied()
    }

    pub(super) fn get(&self, deal: u64, person: u64) -> Option<Participant> {
        self.people.get(&deal)?.get(&person).copied()
    }

    pub(super) fn insert(&mut self, deal: u64, person: u64, one: Participant) {
        self.people.entry(deal).or_default().insert(person, one);
        self.deals.entry(person).or_default().insert(deal);
    }

    pub(super) fn remove(&mut self, deal: u64, person: u64) -> Option<Participant> {
        let one = self.people.get_mut(&deal)?.remove(&person);
        if let Some(deals) = self.deals.get_mut(&person) {
            deals.remove(&deal);
        }
        one
    }

    /// Takes a deal out with everybody in it.
    pub(super) fn remove_deal(&mut self, deal: u64) -> Vec<(u64, Participant)> {
        let people: Vec<_> = self.of_deal(deal).collect();
        for (person, _) in &people {
            self.remove(deal, *person);
        }
        self.people.remove(&deal);
        people
    }

    /// Everything, as deal, person and row.
    pub(super) fn all(&self) -> impl Iterator<Item = (u64, u64, Participant)> + '_ {
        self.people.iter().flat_map(|(deal, people)| people.iter().map(move |(person, one)| (*deal, *person, *one)))
    }
}

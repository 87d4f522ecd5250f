//! Who is there in both systems, read from their journals as they grow.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use handover_sandbox::Sandbox;
use handover_sandbox::journal::{Action, Change};

use crate::accounts::{Concept, ORGANIZATION, Pair};
use crate::deeds::lock;
use crate::dice::Dice;
use crate::oracle::OLD;

/// Everybody who is there.
#[derive(Default)]
pub(crate) struct Roster {
    read: [usize; 2],
    living: BTreeMap<(usize, String), Vec<String>>,
    binned: BTreeMap<(usize, String), Vec<String>>,
    /// What the old system's records are associated with: by object, id and the other object.
    pub(crate) linked: BTreeMap<(String, String, String), Vec<String>>,
    /// Addresses that people of the old system have, or had.
    pub(crate) addresses: Vec<String>,
    pub(crate) firms: Vec<String>,
}

impl Roster {
    /// Takes note of everything since.
    pub(crate) fn read_on(&mut self, sandboxes: &[Arc<Mutex<Sandbox>>; 2], pair: Pair) {
        for (side, sandbox) in sandboxes.iter().enumerate() {
            let sandbox = lock(sandbox);
            let entries = sandbox.journal().entries();
            let firm = pair.0[side].objects[ORGANIZATION];
            let name = firm.field(Concept::Name).map_or("", |field| field.journal);
            for change in entries[self.read[side]..].iter().flat_map(|entry| &entry.changes) {
                let place = (side, change.object.clone());
                match change.action {
                    Action::Created => {
                        self.living.entry(place).or_default().push(change.id.clone());
                        if let Some((_, name)) = change.fields.get(name).filter(|_| change.object == firm.journal) {
                            self.firms.extend(name.as_str().map(str::to_owned));
                        }
                    }
                    Action::Deleted | Action::Merged | Action::Purged => {
                        self.living.entry(place.clone()).or_default().retain(|id| *id != change.id);
                        let bin = self.binned.entry(place).or_default();
                        bin.retain(|id| *id != change.id);
                        if change.action == Action::Deleted {
                            bin.push(change.id.clone());
                        }
                    }
                    Action::Restored => {
                        self.binned.entry(place.clone()).or_default().retain(|id| *id != change.id);
                        self.living.entry(place).or_default().push(change.id.clone());
                    }
                    Action::Linked | Action::Unlinked if side == OLD => self.linked(change),
                    Action::Updated | Action::Linked | Action::Unlinked => {}
                }
            }
            self.read[side] = entries.len();
        }
    }

    /// An association came or went, whole: people take away all of it.
    fn linked(&mut self, change: &Change) {
        let parts: Vec<&str> = change.id.split('/').collect();
        let [from, id, to, other] = parts.as_slice() else { return };
        for ((near, id), (far, other)) in [((from, id), (to, other)), ((to, other), (from, id))] {
            let place = ((*near).to_owned(), (*id).to_owned(), (*far).to_owned());
            let all = self.linked.entry(place).or_default();
            all.retain(|one| one != other);
            if change.action == Action::Linked {
                all.push((*other).to_owned());
            }
        }
    }

    /// A living record; those that many work on come up more often, and the newest.
    pub(crate) fn pick(&self, side: usize, object: &str, dice: &mut Dice) -> Option<String> {
        let all = self.living.get(&(side, object.to_owned()))?;
        let hot = all.len().min(4);
        let at = match dice.below(10) {
            0..3 => dice.below(hot),
            3 => all.len().saturating_sub(1),
            _ => dice.below(all.len()),
        };
        all.get(at).cloned()
    }

    /// A record that can be brought back.
    pub(crate) fn out_of_bin(&self, side: usize, object: &str, dice: &mut Dice) -> Option<String> {
        dice.one_of(self.binned.get(&(side, object.to_owned()))?).cloned()
    }
}

//! Fields that flip: a value is written, another one takes its place, and it is written again.
//!
//! People change fields, and what they change is carried; but a workflow of one system against a workflow of the other,
//! or against the owner of the field, would go on for ever. So it is counted how often the value that gave way is
//! written again, and beyond a number the field is held, unless a history tells that a person changed it.
//!
//! Invariants:
//! - What is counted is durable before it is written: a pass that dies counts once too often, never too rarely.
//! - An answer holds for one time: a field that goes on flipping is asked about again.

use std::collections::BTreeMap;

use handover_connect::Author;
use handover_model::{FieldName, FlowName, RecordId, Value};
use handover_store::{Commit, Flip, Store};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::base::{self, MARK};
use crate::change::Pair;
use crate::pass::{Pass, locked};
use crate::setup::Ready;
use crate::three_way::{Verdict, Why};
use crate::verdict::{Known, Told};

/// A value that gave way longer ago flips no more.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Under which name the state keeps what was counted.
const NAME: &str = "reread";

/// Fields that said something else when they were read than what was written, and how often: by flow and field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reread(pub BTreeMap<FlowName, BTreeMap<FieldName, Times>>);

/// How often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// It was taken as the platform made it.
    pub adopted: u64,
    /// What had been written was written again.
    pub flips: u64,
}

/// A value that gives way to the other side's.
#[derive(Clone, Debug)]
pub(crate) struct GaveWay {
    pub(crate) field: FieldName,
    /// Whether the field is written to the target now, else it goes back.
    forth: bool,
    /// The value that was written and gave way.
    mark: [u8; MARK],
    /// How often it was written again, this time too.
    number: u64,
    /// Whether it is written again now.
    again: bool,
}

impl Reread {
    /// What a state knows.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn of(store: &Store) -> Result<Self, handover_store::Error> {
        let text = store.kept(NAME).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Every field of every flow.
    pub fn fields(&self) -> impl Iterator<Item = (&FlowName, &FieldName, Times)> {
        self.0.iter().flat_map(|(flow, fields)| fields.iter().map(move |(field, times)| (flow, field, *times)))
    }
}

impl GaveWay {
    /// What the verdict over a field means for the value that was written of it; nothing where none gives way.
    pub(crate) fn by(
        verdict: Verdict,
        (ready, pair, known): (&Ready, &Pair, &Known),
        name: &FieldName,
        now: &Value,
        (here, there): (bool, bool),
    ) -> Option<Self> {
        // Most fields stay as they are: nothing is worked out for those.
        let (forth, why, mark) = match verdict {
            Verdict::Forth(why) => (true, why, base::mark(ready.target_field(name).map(|field| &field.kind), now)),
            Verdict::Back(why) => (false, why, base::mark_of(pair.row.base.as_deref().unwrap_or_default(), name)?),
            Verdict::Nothing | Verdict::Agreed | Verdict::Joined | Verdict::Held => return None,
        };
        let known = known.flips.get(&(pair.staged.record.id.clone(), name.clone()));
        let known = known.filter(|flip| flip.mark == mark);
        // The owner's value is written over the other's, or the value that gave way comes again.
        let owns = |changed: bool, other: bool| why == Why::Owns && other && !changed;
        let again = if forth { owns(here, there) || known.is_some() } else { owns(there, here) };
        if forth && !again {
            return None;
        }
        let number = known.map_or(0, |flip| flip.number) + u64::from(again);
        Some(Self { field: name.clone(), forth, mark, number, again })
    }

    /// How often it flipped, where that is so often that a person is to look at it: none changed it, as far as the
    /// histories tell.
    pub(crate) fn too_often(&self, known: &Known, ours: &Option<Told>, theirs: &Option<Told>) -> Option<u32> {
        let told = if self.forth { theirs } else { ours };
        let person = told.as_ref().is_some_and(|told| matches!(told.by, Author::Person(_)));
        let many = self.again && self.number > known.most_flips && !person;
        many.then(|| u32::try_from(self.number).unwrap_or(u32::MAX))
    }
}

impl Pass {
    /// What is known of the flips of some pairs.
    pub(crate) async fn flips_of(&self, ready: &Ready, pairs: &[Pair], known: &mut Known) -> Result<(), Error> {
        let ids: Vec<RecordId> = pairs.iter().map(|pair| pair.staged.record.id.clone()).collect();
        known.flips = self.place.store.flips(&ready.flow.name, &ids).await?;
        let now = self.place.clock.now();
        known.flips.retain(|_, flip| now.duration_since(flip.at) <= FORGOTTEN);
        known.most_flips = self.setup.project.policies.flips;
        Ok(())
    }

    /// Takes note of values that give way, to be kept before anything is written.
    pub(crate) fn give_way(&self, ready: &Ready, record: &RecordId, gave_way: impl Iterator<Item = GaveWay>) {
        let at = self.place.clock.now();
        let (mut flips, mut flipped) = (locked(&self.gave_way), locked(&self.flipped));
        for GaveWay { field, mark, number, again, .. } in gave_way {
            if again {
                *flipped.entry((ready.flow.name.clone(), field.clone())).or_default() += 1;
            }
            let (flow, record) = (ready.flow.name.clone(), record.clone());
            flips.push(Flip { flow, record, field, mark: mark.to_vec(), number, at });
        }
    }

    /// Keeps what was noted so.
    pub(crate) async fn keep_flips(&self) -> Result<(), Error> {
        let flips = std::mem::take(&mut *locked(&self.gave_way));
        if flips.is_empty() {
            return Ok(());
        }
        let flips_before = self.place.clock.now().checked_sub(FORGOTTEN).ok();
        self.place.store.commit(Commit { flips, flips_before, ..self.commit() }).await?;
        Ok(())
    }

    /// Adds what this pass counted to what the state knows.
    pub(crate) async fn keep_reread(&self) -> Result<(), Error> {
        let (adopted, flipped) = (locked(&self.adopted).clone(), locked(&self.flipped).clone());
        if adopted.is_empty() && flipped.is_empty() {
            return Ok(());
        }
        let mut reread = Reread::of(&self.place.store).await?;
        for ((flow, field), number) in adopted {
            reread.0.entry(flow).or_default().entry(field).or_default().adopted += number;
        }
        for ((flow, field), number) in flipped {
            reread.0.entry(flow).or_default().entry(field).or_default().flips += number;
        }
        let kept = vec![(NAME.to_owned(), serde_json::to_string(&reread).unwrap_or_default())];
        self.place.store.commit(Commit { kept, ..self.commit() }).await?;
        Ok(())
    }
}

//! What became of a record.

use serde::{Deserialize, Serialize};

/// The one outcome of a record in a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Written to the target as a new record, and confirmed.
    Created,
    /// Written to a record that the target had, and confirmed.
    Updated,
    /// Paired with a target record that already says the same.
    Unchanged,
    /// Merged into another source record's target by a person's decision.
    Merged,
    /// Left out by a person's decision, with a reason.
    Skipped,
    /// Outside the scope that the project states, or deleted in the source and gone from the target with it.
    Excluded,
    /// Kept out of the target, with reasons, until somebody answers.
    Held,
    /// Read, and not finished yet.
    Pending,
}

impl Outcome {
    /// Every outcome, in the order in which tables show them.
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Updated,
        Self::Unchanged,
        Self::Merged,
        Self::Held,
        Self::Skipped,
        Self::Excluded,
        Self::Pending,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Merged => "merged",
            Self::Skipped => "skipped",
            Self::Excluded => "excluded",
            Self::Held => "held",
            Self::Pending => "pending",
        }
    }

    /// The outcome with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.word() == word)
    }

    /// Whether the record has a counterpart in the target.
    pub fn is_paired(self) -> bool {
        matches!(self, Self::Created | Self::Updated | Self::Unchanged | Self::Merged)
    }
}

/// How many records of an object have which outcome. `read` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records read from the source.
    pub read: u64,
    /// See [`Outcome::Created`].
    pub created: u64,
    /// See [`Outcome::Updated`].
    pub updated: u64,
    /// See [`Outcome::Unchanged`].
    pub unchanged: u64,
    /// See [`Outcome::Merged`].
    pub merged: u64,
    /// See [`Outcome::Held`].
    pub held: u64,
    /// See [`Outcome::Skipped`].
    pub skipped: u64,
    /// See [`Outcome::Excluded`].
    pub excluded: u64,
    /// See [`Outcome::Pending`].
    pub pending: u64,
}

impl Counts {
    /// Adds `number` records with `outcome`; `read` is not touched.
    pub fn add(&mut self, outcome: Outcome, number: u64) {
        *self.slot(outcome) += number;
    }

    /// The number of records with `outcome`.
    pub fn of(&self, outcome: Outcome) -> u64 {
        let mut copy = *self;
        *copy.slot(outcome)
    }

    /// Whether every record that was read has exactly one outcome.
    pub fn adds_up(&self) -> bool {
        Outcome::ALL.into_iter().map(|outcome| self.of(outcome)).sum::<u64>() == self.read
    }

    fn slot(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Created => &mut self.created,
            Outcome::Updated => &mut self.updated,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Merged => &mut self.merged,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Excluded => &mut self.excluded,
            Outcome::Held => &mut self.held,
            Outcome::Pending => &mut self.pending,
        }
    }
}

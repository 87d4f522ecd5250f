//! Where an operation goes on: the cursors of this dialect, JSON text to everybody else.

use handover_connect::Refusal;
use handover_model::Account;
use serde::{Deserialize, Serialize};

use super::definition::Definition;
use crate::marks::foreign;

/// A position within an operation.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// Within the rows of its queries.
    Rows(Rows),
    /// Records that were merged away: those that they became.
    Became(Became),
    /// An account that still lacks its currencies.
    Currencies(Account),
    /// A table that is being described.
    Describing(Box<Definition>),
    /// Rows of a batch that are sent again.
    Again(Again),
    /// Pairs of records, whose lists have further pages.
    Pairs(Pairs),
    /// A new field: what was done.
    Field(Making),
}

/// Within the rows of an operation's queries.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Rows {
    /// Which query.
    pub(super) nth: usize,
    /// The path of the next page.
    pub(super) next: Option<String>,
    /// Rows that were counted.
    #[serde(default)]
    pub(super) counted: u64,
}

/// Records that were merged into others.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Became {
    /// Those that they became.
    pub(super) ids: Vec<String>,
    /// What was given already.
    pub(super) given: Vec<String>,
    /// How often a record was followed: merged into one that was merged.
    pub(super) hops: u32,
}

/// Rows of a batch that are sent again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Again {
    /// For each write of the batch its record and whether it was made, once applied.
    pub(super) applied: Vec<Option<(String, Option<bool>)>>,
    /// How often rows were sent again.
    pub(super) times: u32,
}

/// Pairs that are being read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Pairs {
    /// What is known: record, what it is paired with.
    pub(super) known: Vec<(String, Vec<String>)>,
    /// Further pages: record, path.
    pub(super) more: Vec<(String, String)>,
}

/// How far a new field is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Making {
    /// The column is there: perhaps it was before.
    Made,
    /// So is its key; its index is being built.
    Indexing {
        /// How often it was looked at.
        times: u32,
    },
}

impl Rows {
    /// The rows of an operation that is here, or at its beginning.
    pub(super) fn of(place: Option<Place>) -> Result<Self, Refusal> {
        match place {
            None => Ok(Self::default()),
            Some(Place::Rows(rows)) => Ok(rows),
            Some(_) => Err(foreign()),
        }
    }
}

//! The project that the weeks are played with, twice: in the engine's words, and in the oracle's. Written by hand
//! both times, so that a misreading of the one is not in the other.

mod engine;
mod told;

use jiff::Timestamp;

use crate::accounts::{Concept, PERSON, Pair};
use crate::oracle::NEW;

pub(crate) use engine::{Wanted, project};
pub(crate) use told::rules;

/// The field of the new system that says which record of the old one it is.
pub(crate) const KEY: &str = "handover_source_key";

/// From when on a cohort is carried, and from when on it is the new system's: both at midnight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dates {
    pub(crate) begins: Timestamp,
    pub(crate) moves: Timestamp,
}

/// The accounts of both systems, and what the new one calls its fields for the key: one for each kind of record.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) pair: Pair,
    pub(crate) keys: [Option<String>; 4],
}

impl Places {
    /// The new system's field for addresses.
    pub(crate) fn mail(&self) -> &'static str {
        self.pair.0[NEW].objects[PERSON].field(Concept::Mail).map_or("", |field| field.api)
    }
}

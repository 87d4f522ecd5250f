//! Cohorts: parts of a company that move one after the other.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::{CohortName, Place};

/// Records that begin to be carried, and pass to the target, on dates of their own. Which records they are stands
/// with each flow, see [`crate::Flow::cohorts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cohort {
    /// Its name.
    pub name: CohortName,
    /// From when on its records are carried; at once when `None`.
    pub begins: Option<Day>,
    /// From when on what the source owned of its records is the target's; never when `None`.
    pub moves: Option<Day>,
    /// Where it is written.
    pub place: Place,
}

/// A day in the project's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// The day.
    pub date: Date,
    /// When it begins.
    pub at: Timestamp,
}

impl Cohort {
    /// Whether its records are carried at this time.
    pub fn has_begun(&self, now: Timestamp) -> bool {
        self.begins.is_none_or(|day| day.at <= now)
    }

    /// Whether its records are the target's at this time.
    pub fn has_moved(&self, now: Timestamp) -> bool {
        self.moves.is_some_and(|day| day.at <= now)
    }
}

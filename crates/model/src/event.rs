//! What a system tells of its own accord: that something happened to a record.

use jiff::Timestamp;

use crate::{ObjectName, RecordId};

/// One thing that happened to one record, as a webhook tells it: a hint to look, nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What is the same in every delivery of this event, and different in any other.
    pub id: String,
    /// The account that it happened in; empty where the platform does not tell.
    pub account: String,
    /// The object.
    pub object: ObjectName,
    /// The record.
    pub record: RecordId,
    /// What happened.
    pub what: Happened,
    /// When, by the platform's clock.
    pub at: Timestamp,
}

/// What happened to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It was made.
    Created,
    /// Fields or links of it changed.
    Changed,
    /// It was deleted.
    Deleted,
    /// It came back.
    Restored,
    /// It was merged into another record.
    MergedInto(RecordId),
}

impl Happened {
    /// Whether the record is not there any more, as far as this tells.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Deleted | Self::MergedInto(_))
    }
}

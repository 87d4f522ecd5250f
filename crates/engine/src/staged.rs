//! A record on its way to being judged, and why it is looked at.

use handover_model::Record;

use crate::cohorts::Standing;

/// A record with its staged place.
#[derive(Clone)]
pub(crate) struct Staged {
    pub(crate) record: Record,
    pub(crate) block: i64,
    /// What its cohort means for it.
    pub(crate) standing: Standing,
}

impl Staged {
    pub(crate) fn new(record: Record, block: i64) -> Self {
        Self { record, block, standing: Standing::default() }
    }
}

/// Why records are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// They were read since they were settled.
    New,
    /// Somebody answered, or what a field of them waited for is there.
    Again,
    /// They waited for their cohort, or their counterparts came again: either side may have changed meanwhile.
    Due,
}

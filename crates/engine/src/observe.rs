//! What a pass tells while it works. Names and numbers only, never values.

use handover_model::{FlowName, ObjectName, SystemName};

/// Watches a pass.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn on(&self, event: Event);
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An object's records are being read; `told` is the system's own total.
    Reading {
        /// The system.
        system: SystemName,
        /// The object.
        object: ObjectName,
        /// Records so far.
        records: u64,
        /// The system's own total.
        told: Option<u64>,
        /// Whether the end was reached.
        complete: bool,
    },
    /// A flow's records are being judged and written.
    Working {
        /// The flow.
        flow: FlowName,
        /// Records settled or held so far in this pass.
        done: u64,
        /// Records to look at.
        total: u64,
        /// Of those, held.
        held: u64,
    },
    /// Links are being written in the second step.
    Linking {
        /// Links written so far.
        done: u64,
    },
    /// Writes whose answers were lost are being looked up.
    LookingUp {
        /// The flow.
        flow: FlowName,
        /// How many.
        writes: u64,
    },
}

/// Watches nothing.
pub struct Unobserved;

impl Observer for Unobserved {
    fn on(&self, _: Event) {}
}

//! What jobs have in common that a platform does behind our back and that are asked for, whatever they read or write.

use handover_connect::{Fault, FaultKind};

/// Whether a fault is no matter of the job: the job is there, and is asked again.
pub(crate) fn passes(fault: &Fault) -> bool {
    match fault.kind {
        FaultKind::Auth | FaultKind::Unavailable | FaultKind::Malformed | FaultKind::Limited => true,
        FaultKind::NotFound | FaultKind::Denied | FaultKind::Conflict | FaultKind::Invalid | FaultKind::Unsupported => {
            false
        }
    }
}

/// How long is waited before the state is asked for again, in milliseconds: each time twice as long, up to a bound.
pub(crate) fn wait_ms(first: u64, most: u64, asked: u32) -> u64 {
    first.saturating_mul(1 << asked.min(10)).min(most)
}

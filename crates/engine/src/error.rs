//! Why a pass stops.

use handover_connect::Fault;
use handover_model::{Finding, FlowName, ObjectName, SystemName};

/// Why a pass stopped before its end. What was confirmed until then stands; nothing is half-written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rules do not fit the systems.
    #[error("the project does not fit the systems: {} finding(s)", .0.len())]
    Findings(Vec<Finding>),
    /// A flow names a system that the project does not have.
    #[error("the project has no system `{0}`")]
    UnknownSystem(SystemName),
    /// A system could not be read or written.
    #[error("{system} failed")]
    System {
        /// The system.
        system: SystemName,
        /// What it said.
        #[source]
        fault: Fault,
    },
    /// The day's allowance of calls is used up.
    #[error("the day's calls of {system} are used up")]
    DayIsSpent {
        /// The system.
        system: SystemName,
        /// What the budget said.
        #[source]
        fault: Fault,
    },
    /// The source's own total differs from what was read.
    #[error("{system}.{object}: {read} records were read, the system says it has {told}")]
    CountMismatch {
        /// The system.
        system: SystemName,
        /// The object.
        object: ObjectName,
        /// Records read.
        read: u64,
        /// The system's own total.
        told: u64,
    },
    /// Too many records could not be written.
    #[error(
        "{flow}: {held} records were held for reasons that `check` and `plan` had not announced ({of_last} of the last {window})"
    )]
    Threshold {
        /// The flow.
        flow: FlowName,
        /// Unannounced holds in this pass.
        held: u64,
        /// Of the last `window` records.
        of_last: u64,
        /// How many records the share is taken of.
        window: usize,
    },
    /// More deletions and merges were due than one pass may carry out.
    #[error("{}", tripped_sentence(.0))]
    Guard(Vec<crate::Tripped>),
    /// Writes of a flow were under way when an earlier process ended, and the project has the flow no more.
    #[error("writes of the flow `{flow}` were under way when an earlier run ended, and the project no longer has it")]
    FlowGone {
        /// The flow.
        flow: FlowName,
    },
    /// Somebody asked to stop.
    #[error("stopped on request")]
    Stopped,
    /// The state could not be read or written.
    #[error("the state failed")]
    Store(#[from] handover_store::Error),
    /// A file on the way could not be read or written.
    #[error("a file in {path}")]
    Disk {
        /// Where.
        path: std::path::PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A stored intent could not be read.
    #[error("a stored intent cannot be read")]
    Intent(#[source] postcard::Error),
}

fn tripped_sentence(tripped: &[crate::Tripped]) -> String {
    let one = |trip: &crate::Tripped| {
        let what = if trip.links { "links to be taken away" } else { "deletions and merges" };
        format!("{}: {} {what} are due, a pass may carry out {}", trip.flow, trip.due, trip.allowed)
    };
    tripped.iter().map(one).collect::<Vec<_>>().join("; ")
}

impl Error {
    pub(crate) fn system(system: &SystemName, fault: Fault) -> Self {
        if fault.is_daily_limit() {
            Self::DayIsSpent { system: system.clone(), fault }
        } else {
            Self::System { system: system.clone(), fault }
        }
    }
}

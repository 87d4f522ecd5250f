//! Where an operation goes on: the cursors of this dialect, JSON text to everybody else.

use handover_model::{Account, Automation, Schema};
use serde::{Deserialize, Serialize};

use super::attached::Attached;
use super::gather::Gathering;
use super::links::Labels;

/// A position within an operation.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// The page of a list that begins here.
    After(String),
    /// The part of a search beyond this record id.
    Beyond(u64),
    /// Records on their way to being whole.
    Gather(Gathering),
    /// A schema that still lacks its pipelines.
    Pipelines(Schema),
    /// A schema that still lacks the outcomes of calls.
    Dispositions(Schema),
    /// A schema of a portal's own object that still lacks what the portal says of it.
    Own(Schema),
    /// An account that still lacks its daily allowance.
    Usage(Account),
    /// Owners: the active ones first, then those that are not.
    Owners {
        /// Whether the inactive ones are being read.
        archived: bool,
        /// Where the page begins.
        after: Option<String>,
    },
    /// Workflows found so far.
    Flows {
        /// Where the page begins.
        after: String,
        /// What the pages before had.
        found: Vec<Automation>,
    },
    /// The group for a new property is known.
    Group(String),
    /// The object has no group for a new property yet.
    NoGroup,
    /// The new property's name is taken: is what is there what was wanted?
    Existing,
    /// Links to be written once the labels of their pairs are known.
    Labels(Labels),
    /// Files that are to be named by records, or not any more.
    Attached(Attached),
    /// So many inputs of links to be taken away were sent.
    Unlinked(usize),
    /// A file's signed address.
    Signed(String),
}

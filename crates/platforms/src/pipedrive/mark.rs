//! What a cursor holds: where an operation of several requests goes on.

use std::collections::VecDeque;

use handover_connect::Change;
use handover_model::RecordId;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::marks::Refused;

/// A list in the middle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ListMark {
    /// Archived deals have a list of their own, which comes second.
    pub(super) archived: bool,
    /// v2's cursor.
    pub(super) cursor: Option<String>,
    /// v1's offset.
    pub(super) start: u64,
    /// The last id that was given out from a list with offsets: records up to it are not given again.
    pub(super) last: Option<u64>,
    /// The last ids that were given out from such a list whose ids do not grow.
    pub(super) recent: Vec<String>,
    /// Whether the offset was taken back to find one of them.
    pub(super) is_back: bool,
}

/// A candidates' search in the middle: which of its lists, and where in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CandidatesMark {
    pub(super) source: usize,
    pub(super) cursor: Option<String>,
    pub(super) start: u64,
}

/// A field as the account's field list told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) custom: bool,
    /// Whether records bring it only when asked (`is_optional_response_field`).
    pub(super) on_request: bool,
    /// Ids and labels.
    pub(super) options: Vec<(String, String)>,
}

/// What describing asks for, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Asked {
    Fields,
    Pipelines,
    Stages,
    ActivityTypes,
    LeadLabels,
    Me,
}

/// A description in the middle.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct DescribeMark {
    /// How many of the object's questions are answered.
    pub(super) answered: usize,
    pub(super) cursor: Option<String>,
    pub(super) fields: Vec<Told>,
    /// Id and name.
    pub(super) pipelines: Vec<(String, String)>,
    /// Id, name, pipeline.
    pub(super) stages: Vec<(String, String, String)>,
    /// Types of activities or labels of leads: value and label.
    pub(super) choices: Vec<(String, String)>,
    /// Whether the token's user is an administrator.
    pub(super) admin: bool,
}

/// An account check in the middle.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AccountMark {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) time_zone: String,
    pub(super) lacks: Vec<String>,
    /// The token's user.
    #[serde(default)]
    pub(super) user: Option<String>,
}

/// A write in the middle.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WriteMark {
    /// The record as it was, read because the write names only some parts of a structured value.
    Before(Json),
    /// A file that was uploaded and gets its description now.
    Uploaded(RecordId),
}

/// An extra read in the middle: the ids so far, and v1's offset.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct EnrichMark {
    pub(super) start: u64,
    pub(super) ids: Vec<String>,
}

/// Links in the middle: the existing ones of a record are read first, page by page; then its own are added.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct LinkMark {
    /// The link that was looked at last.
    pub(super) at: usize,
    /// v1's offset in the links of its record.
    pub(super) start: u64,
    /// The ids on the pages so far.
    pub(super) found: Vec<String>,
    /// All ids that the record points to, once they were read.
    pub(super) known: Option<Vec<String>>,
    /// What became of the links before: nothing is told of those that are there.
    pub(super) outcomes: Vec<Option<Refused>>,
}

/// Links that are taken away, in the middle: the relations of a record are read, page by page; then those that
/// its links name are deleted one by one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct UnlinkMark {
    /// The link that was looked at last.
    pub(super) at: usize,
    /// Whether the relations of its record are being read.
    pub(super) reads: bool,
    /// v1's offset in them.
    pub(super) start: u64,
    /// Those that are known: the record pointed to, and the row's id.
    pub(super) found: Vec<(String, String)>,
    /// Rows that are still to be deleted for the link.
    pub(super) away: VecDeque<String>,
    /// A row that was said to be unknown; the relations are read again to see whether it is.
    pub(super) doubted: Option<String>,
    /// What became of the links before.
    pub(super) outcomes: Vec<Option<Refused>>,
}

/// A changelog in the middle: the newest change of each field so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct HistoryMark {
    pub(super) cursor: Option<String>,
    pub(super) changes: Vec<Change>,
}

/// A download that was sent elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DownloadMark {
    pub(super) location: String,
    pub(super) hops: u32,
}

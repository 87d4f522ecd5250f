//! What a cursor holds: where an operation of several requests goes on.

use std::collections::VecDeque;

use handover_model::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::marks::Refused;

/// A list in the middle.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ListMark {
    /// The last id, of contacts.
    pub(super) last: Option<u64>,
    /// The offset, of everything else.
    pub(super) start: u64,
    /// The last ids that were given out: the next page must begin with one of them, else rows before it were deleted.
    pub(super) recent: Vec<String>,
    /// Whether the offset was taken back to find one of them.
    pub(super) is_back: bool,
    /// A page whose rows are completed one by one. It lives within one operation and is never kept.
    pub(super) page: Option<Box<Completing>>,
}

/// A page of which some rows lack what lists do not bring.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Completing {
    pub(super) records: Vec<Record>,
    pub(super) waiting: VecDeque<Json>,
    /// The custom values of the first of them that are known by now.
    pub(super) values: Vec<Json>,
    /// Where the list goes on afterwards.
    pub(super) next: Option<Box<ListMark>>,
}

/// What describing asks for, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Fields,
    Pipelines,
    Stages,
    TaskTypes,
    Tags,
    Lists,
    Me,
}

/// A field as the account told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) kind: String,
    /// Values and labels.
    pub(super) options: Vec<(String, String)>,
}

/// A description in the middle.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct DescribeMark {
    /// How many of the object's questions are answered.
    pub(super) answered: usize,
    pub(super) start: u64,
    pub(super) fields: Vec<Told>,
    /// Id and title.
    pub(super) pipelines: Vec<(String, String)>,
    /// Id, title, pipeline.
    pub(super) stages: Vec<(String, String, String)>,
    pub(super) task_types: Vec<(String, String)>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) lists: Vec<(String, String)>,
}

/// An account check in the middle.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AccountMark {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) time_zone: String,
    pub(super) user: Option<String>,
}

/// A new field in the middle: what was made, and whether its options stand.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FieldMark {
    pub(super) id: String,
    pub(super) has_options: bool,
}

/// A contact's write behind its own request: its association with an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum JoinStep {
    /// The association that is there is looked for.
    Look,
    /// It is taken away, and then the new one is added with this job title.
    Remove { row: String, title: Option<String> },
    /// The new one is added.
    Add { title: Option<String> },
    /// Its job title is changed.
    Title { row: String },
}

/// A write in the middle.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WriteMark {
    pub(super) id: String,
    pub(super) step: JoinStep,
}

/// Links that are added or taken away, in the middle.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct LinkMark {
    /// What became of the links before.
    pub(super) outcomes: Vec<Option<Refused>>,
    /// The rows on the pages so far: the record pointed to, and what else is wanted of the row.
    pub(super) pages: Vec<(String, String)>,
    /// Whether all of them are read.
    pub(super) is_read: bool,
    /// Rows that are still to be deleted for the link.
    pub(super) away: VecDeque<String>,
}

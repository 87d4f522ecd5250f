//! Bulk jobs: reads into zipped CSV, writes from it (sheet: sections 4 and 5).
//!
//! A job waits in each of its states for as long as the settings say, and does its work when the time comes at
//! which it is in progress: what changes before is in it, what changes afterwards is not.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::instant::Seconds;
use super::world::Id;

/// A job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Job {
    /// `read`, `insert`, `update`, `upsert`, `merge`.
    pub(super) operation: String,
    pub(super) module: String,
    /// The query, or the resource.
    pub(super) body: Json,
    pub(super) by: Id,
    pub(super) at: Seconds,
    /// The work is done.
    pub(super) done: bool,
    /// Why it failed.
    pub(super) failed: Option<String>,
    /// The file, as CSV.
    pub(super) result: String,
    pub(super) added: u64,
    pub(super) updated: u64,
    pub(super) skipped: u64,
    pub(super) total: u64,
    /// More records fit the query than a page holds.
    pub(super) more: bool,
    pub(super) callback: Option<String>,
    /// When its result was fetched, the last minute of it.
    pub(super) fetched: Vec<Seconds>,
}

impl Job {
    /// A job of a merge that is as good as done.
    pub(super) fn merge(module: &str, by: Id, at: Seconds) -> Self {
        let (operation, module) = ("merge".to_owned(), module.to_owned());
        Self { operation, module, by, at, body: json!({}), done: true, ..Self::default() }
    }
}

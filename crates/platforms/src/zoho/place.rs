//! Where an operation goes on: the cursors of this dialect, JSON text to everybody else.

use handover_connect::Refusal;
use handover_model::{Account, RecordId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rows::Row;
use crate::marks::{Refused, foreign};

/// A position within an operation.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// Within the rows of its queries.
    Rows(Rows),
    /// Within the results of jobs that read a large list.
    Job(Job),
    /// Within pages of the records interface.
    Paged(Paged),
    /// Within the attachments of records.
    Through(Through),
    /// On a numbered page: of users, of deleted records, of related ones.
    Page(u32),
    /// An account whose currencies are asked for.
    Currencies(Account),
    /// An account whose user is asked for.
    Myself(Account),
    /// A module whose description is not whole yet.
    Described(Described),
    /// Rows of an upsert that other unique fields refuse: is the record that they name the row's own?
    Asked(Known),
    /// Rows of an upsert that are there already.
    Known(Known),
    /// Links that are there already, or are to be taken away.
    Links(Links),
    /// The new field was made, with this id.
    Made(String),
    /// The new field's name is taken: is what is there what was wanted?
    Existing,
    /// A merge that takes its time, with the id of its job.
    Merging(String),
}

/// Within the rows of an operation's queries.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Rows {
    /// Which query.
    pub(super) nth: usize,
    /// The last id of the pages before.
    pub(super) after: Option<String>,
    /// The last id of this page, while further fields of its records are read.
    pub(super) last: Option<String>,
    /// Which part of the fields: a request names at most fifty.
    pub(super) part: usize,
    /// What the parts before brought.
    pub(super) held: Vec<Row>,
    /// Records that are still to be read by their ids.
    pub(super) ids: Vec<u64>,
    /// Whether the query has more.
    pub(super) more: bool,
    /// How many whole pages it had so far.
    #[serde(skip_serializing_if = "is_none")]
    pub(super) pages: u32,
}

fn is_none(number: &u32) -> bool {
    *number == 0
}

/// A job that reads what was made within a time of a large list.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Job {
    /// What comes next.
    pub(super) next: Next,
    /// What was made before was read by the jobs before.
    pub(super) from: Option<Timestamp>,
    /// What was made from then on is left to the next job; the last one knows no end.
    pub(super) until: Option<Timestamp>,
    /// How often the end was put off.
    pub(super) hops: u32,
    /// Its id, once it was made.
    pub(super) id: String,
    /// How often its state was asked for.
    pub(super) asked: u32,
    /// How many jobs for the same time came before it that are gone.
    pub(super) lost: u32,
    /// How many rows its result has.
    pub(super) rows: u64,
    /// How many of them were read.
    pub(super) read: u64,
    /// The byte of the result at which the next one begins.
    pub(super) at: u64,
    /// The list as far as queries read it: where reading goes on without jobs.
    pub(super) first: Rows,
}

/// What comes next of a list that jobs read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Next {
    /// How many records are left?
    #[default]
    Count,
    /// When was the record made with which the next job's begin?
    Bound,
    /// The job is begun.
    Begin,
    /// Is it done?
    Ask,
    /// Its result.
    Result,
}

/// Within pages of the records interface, in the order of ids.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Paged {
    /// The page to be read; the first one without.
    pub(super) token: Option<String>,
    /// The page before it; the first one without.
    pub(super) before: Option<String>,
    /// The highest id that was given.
    pub(super) after: Option<u64>,
    /// The rows of the page at `token`, while the one before it is looked at again; and where the next page is.
    pub(super) held: Option<(Vec<Row>, Option<String>)>,
}

/// Within the attachments of records.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Through {
    /// Which of the modules that have attachments.
    pub(super) nth: usize,
    /// The last record of them whose id was read.
    pub(super) after: Option<String>,
    /// Records whose attachments are to be read.
    pub(super) ids: Vec<u64>,
    /// Whether the module has more records.
    pub(super) more: bool,
    /// Which page of the first record's attachments.
    pub(super) page: u32,
}

/// A module whose description is not whole yet: the answers so far, as they came.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Described {
    /// Its fields.
    pub(super) fields: serde_json::Value,
    /// Its layouts.
    pub(super) layouts: Option<serde_json::Value>,
    /// The pipelines of each layout.
    pub(super) pipelines: Vec<serde_json::Value>,
    /// All modules.
    pub(super) modules: Option<serde_json::Value>,
}

/// What an insertion told of the rows of an upsert, in their order.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Known {
    /// The record that has the row's key already: it is changed.
    pub(super) there: Vec<Option<String>>,
    /// The record that has another unique value of the row, perhaps this row's own.
    pub(super) other: Vec<Option<String>>,
    /// The record that was made.
    pub(super) made: Vec<Option<String>>,
    /// Why it was neither made nor is it there.
    pub(super) refused: Vec<Option<Refused>>,
}

/// Links on their way.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Links {
    /// Which link.
    pub(super) at: usize,
    /// The record whose links are known, and these.
    pub(super) known: Option<(RecordId, Vec<RecordId>)>,
    /// Which page of them is to be read.
    pub(super) page: u32,
    /// Why the link's contact was not taken away, while it is looked whether that was done already.
    pub(super) doubt: Option<Refused>,
    /// What was refused: link and why.
    pub(super) refused: Vec<(usize, Refused)>,
}

impl Rows {
    /// The rows of an operation that is here, or at its beginning.
    pub(super) fn of(place: Option<Place>) -> Result<Self, Refusal> {
        match place {
            None => Ok(Self::default()),
            Some(Place::Rows(rows)) => Ok(rows),
            Some(_) => Err(foreign()),
        }
    }
}

impl Paged {
    /// The pages of an operation that is here, or at its beginning.
    pub(super) fn of(place: Option<Place>) -> Result<Self, Refusal> {
        match place {
            None => Ok(Self::default()),
            Some(Place::Paged(paged)) => Ok(paged),
            Some(_) => Err(foreign()),
        }
    }
}

impl Through {
    /// The records of an operation that is here, or at its beginning.
    pub(super) fn of(place: Option<Place>) -> Result<Self, Refusal> {
        match place {
            None => Ok(Self { page: 1, ..Self::default() }),
            Some(Place::Through(through)) => Ok(through),
            Some(_) => Err(foreign()),
        }
    }
}

/// The numbered page of an operation that is there, or at its beginning.
pub(super) fn page_of(place: Option<Place>) -> Result<u32, Refusal> {
    match place {
        None => Ok(1),
        Some(Place::Page(page)) => Ok(page),
        Some(_) => Err(foreign()),
    }
}

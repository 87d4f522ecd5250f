//! Where an operation goes on: the cursors of this dialect, JSON text to everybody else.

use std::collections::BTreeMap;

use handover_connect::{Refusal, WriteOutcome};
use handover_model::Account;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::marks::{Refused, foreign};

/// A position within an operation.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// Within the rows of its queries.
    Rows(Rows),
    /// Within the result of a job that reads a large list.
    Job(Job),
    /// Records that were asked for by their ids and are not there: perhaps they were merged.
    Gone(Gone),
    /// The records that those became.
    Became(Gone),
    /// An account that still lacks its currencies.
    Currencies(Account),
    /// Rows of a batch that are sent again, since somebody held a record that they need.
    Again(Again),
    /// Within what is asked before a batch is written.
    Before(Before),
    /// Within the prices of products that were written.
    Prices(Prices),
    /// Within a job that writes a large batch.
    Ingest(Ingest),
    /// Links that are there already, or are to be taken away.
    Links(Links),
    /// The new field was made: can it be seen?
    Made,
    /// The new field's name is taken: is what is there what was wanted?
    Existing,
}

/// Within the rows of an operation's queries.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Rows {
    /// Which query.
    pub(super) nth: usize,
    /// The path of the next page, as long as the platform keeps it (sheet: Salesforce section 4: two days).
    pub(super) next: Option<String>,
    /// The last record that was read: where it goes on when the platform has forgotten the path.
    pub(super) last: Option<String>,
    /// Pairs of ids that the pages before had, for links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pairs: Vec<(String, String)>,
}

/// A job that reads what stands behind the first page of a list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Job {
    /// Its id, once it was made.
    pub(super) id: Option<String>,
    /// Whether its result can be read.
    pub(super) is_done: bool,
    /// Which page of the result comes next; none for the first.
    pub(super) locator: Option<String>,
    /// How often its state was asked for.
    pub(super) asked: u32,
    /// How many jobs came before it that are gone.
    pub(super) lost: u32,
    /// The first page of the list: where reading goes on without the job, or with another one.
    pub(super) first: Rows,
}

/// Records that are not there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Gone {
    /// Their ids.
    pub(super) ids: Vec<String>,
    /// How many of them were asked for.
    pub(super) asked: usize,
    /// The records that they became, as far as told.
    pub(super) became: Vec<String>,
    /// What was given already.
    pub(super) given: Vec<String>,
    /// How often a record was followed: merged into one that was merged.
    pub(super) hops: u32,
}

/// Rows of a batch that are sent again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Again {
    /// For each write of the batch what became of it, where that is certain: it is not sent again.
    pub(super) settled: Vec<Option<Outcome>>,
    /// How often rows were sent again.
    pub(super) times: u32,
    /// Rows of the price book by which lines are sold, by the lines' places in the batch.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) entries: BTreeMap<usize, String>,
}

/// What is asked before a batch is written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Before {
    /// Where reading goes on.
    pub(super) rows: Rows,
    /// The opportunities.
    pub(super) deals: Vec<Deal>,
    /// The rows of the standard price book.
    pub(super) known: Vec<Known>,
    /// The standard price book, once a row of it was seen.
    pub(super) book: Option<String>,
}

/// An opportunity that has lines, or shall have some.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Deal {
    /// Its id.
    pub(super) id: String,
    /// Its price book.
    pub(super) book: Option<String>,
    /// Its currency, blank where there is one.
    pub(super) currency: String,
    /// Whether it has lines.
    pub(super) has_lines: bool,
}

/// Prices on their way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Prices {
    /// What became of the products, by their places in the batch.
    pub(super) outcomes: Vec<Outcome>,
    /// Where reading the rows goes on.
    pub(super) rows: Rows,
    /// Whether they are all read.
    pub(super) read: bool,
    /// The rows of the standard price book that are there.
    pub(super) known: Vec<Known>,
    /// The standard price book.
    pub(super) book: Option<String>,
    /// How many of the changes are done.
    pub(super) done: usize,
    /// How often the rows were read anew.
    pub(super) again: u32,
}

/// A row of the standard price book.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Known {
    /// Its id.
    pub(super) id: String,
    /// Its product.
    pub(super) product: String,
    /// Its currency, blank where there is one.
    pub(super) currency: String,
    /// The price.
    pub(super) price: Option<Decimal>,
    /// Whether anything may be sold by it.
    pub(super) is_active: bool,
}

/// What became of a write, kept while its operation goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// The record, and whether it was made.
    Applied(String, Option<bool>),
    /// Why not.
    Refused(Refused),
    /// Why nobody knows.
    Unknown(Refused),
}

impl From<WriteOutcome> for Outcome {
    fn from(outcome: WriteOutcome) -> Self {
        match outcome {
            WriteOutcome::Applied { id, created } => Self::Applied(id.to_string(), created),
            WriteOutcome::Refused(fault) => Self::Refused((&fault).into()),
            WriteOutcome::Unknown(fault) => Self::Unknown((&fault).into()),
        }
    }
}

impl From<Outcome> for WriteOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Applied(id, created) => Self::Applied { id: id.into(), created },
            Outcome::Refused(refused) => Self::Refused(refused.fault()),
            Outcome::Unknown(refused) => Self::Unknown(refused.fault()),
        }
    }
}

/// A job that writes a large batch.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ingest {
    /// Its id.
    pub(super) id: String,
    /// What comes next of it.
    pub(super) next: Next,
    /// How often its state was asked for.
    pub(super) asked: u32,
    /// How many jobs came before it that took nothing.
    pub(super) lost: u32,
    /// Rows that were refused: their places in the batch, and why.
    pub(super) refused: Vec<(usize, Refused)>,
    /// Why it did not do all that it was to do.
    pub(super) why: Option<Refused>,
}

/// What comes next of a job that writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Next {
    /// It is to be begun anew, since the one before took nothing.
    Begin,
    /// The rows are sent.
    #[default]
    Upload,
    /// They are all there.
    Close,
    /// Is it done?
    Ask,
    /// It takes too long.
    Abort,
    /// What it refused.
    Failed,
    /// What it wrote.
    Successful,
}

/// Links on their way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Links {
    /// The rows that make links of these records: row, from, to.
    pub(super) known: Vec<(String, String, String)>,
    /// Where reading them goes on.
    pub(super) rows: Rows,
    /// Whether all are known.
    pub(super) read: bool,
    /// How many of the links, or of the rows to be deleted, are done.
    pub(super) done: usize,
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

//! What an organization or a test may choose: everything that the sheet leaves open, with the stricter
//! reading as the default.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// How a list of rows is refused in which one names a field that does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParseErrors {
    /// The whole request is refused with 400 (the stricter reading; sheet: section 5.2 is silent).
    #[default]
    Whole,
    /// Only the row is refused.
    Row,
}

/// The settings of an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether the daily budget is held. Default true.
    pub limits: bool,
    /// Requests in rolling 24 hours (sheet: section 6 \[doc\]: 15,000 in a Developer Edition). Default 15,000.
    pub daily_requests: u64,
    /// Whether a create may set `CreatedDate`, `CreatedById`, `LastModifiedDate`, `LastModifiedById` (sheet:
    /// section 5.6). Default false.
    pub audit_fields: bool,
    /// Whether records may belong to users who are not active (sheet: section 5.6). Default false.
    pub inactive_owners: bool,
    /// Every n-th write of a row fails with `UNABLE_TO_LOCK_ROW`. Default never.
    pub lock_every: Option<u64>,
    /// Records that someone else holds: writes of them and of their children fail. Default none.
    pub locked: BTreeSet<String>,
    /// Numbers and booleans may be written as JSON strings (sheet: silent). Default false.
    pub scalars_as_strings: bool,
    /// Unknown fields in lists of rows. Default `whole`.
    pub collection_parse_errors: ParseErrors,
    /// A session ends after so many seconds without use (sheet: section 1 \[unsure\]). Default 7,200.
    pub session_s: i64,
    /// A refresh gives a new refresh token, and the old one dies (sheet: section 1 \[doc\]). Default false.
    pub rotate_refresh_tokens: bool,
    /// A child subquery without rows is `null`, else an empty result (sheet: section 2 \[unsure\]). Default true.
    pub empty_children_as_null: bool,
    /// How long a bulk job takes at least, in seconds. Default 10.
    pub bulk_s: i64,
    /// How many rows a bulk job works through in a second. Default 1,000.
    pub bulk_rows_per_s: i64,
    /// Batches of bulk jobs that write, in rolling 24 hours: one for each 10,000 rows (sheet: section 6 \[doc\]). Default
    /// 15,000.
    pub daily_batches: u64,
    /// Rows of bulk results come in another order than they were sent (sheet: section 5.5 \[doc\]), and those of query
    /// jobs without an order in none. Default true.
    pub bulk_shuffle: bool,
    /// Days after which deleted records are gone for good (sheet: section 4 \[doc\]). Default 15.
    pub bin_days: i64,
    /// Pages of queries hold so many rows at most, although more were asked for. Default 2,000.
    pub page_rows: usize,
    /// New custom fields are hidden until field permissions are granted (sheet: section 3 \[unsure\]). Default
    /// true.
    pub new_fields_hidden: bool,
    /// Links of files need a filter in queries (sheet: section 4 \[code, doc\]). Default true.
    pub link_filter: bool,
    /// A lead as Who forbids What in an activity (sheet: section 9 \[unsure\]). Default true.
    pub lead_without_what: bool,
    /// Whether the edition has the API (sheet: section 9). Default true.
    pub api: bool,
    /// Requests above the daily budget that are still answered (sheet: section 6). Default 0.
    pub overrun: u64,
    /// Whether the person agrees who is asked whether an app may come in. Default true.
    pub consent: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: true,
            daily_requests: 15_000,
            audit_fields: false,
            inactive_owners: false,
            lock_every: None,
            locked: BTreeSet::new(),
            scalars_as_strings: false,
            collection_parse_errors: ParseErrors::Whole,
            session_s: 7_200,
            rotate_refresh_tokens: false,
            empty_children_as_null: true,
            bulk_s: 10,
            bulk_rows_per_s: 1_000,
            daily_batches: 15_000,
            bulk_shuffle: true,
            bin_days: 15,
            page_rows: 2_000,
            new_fields_hidden: true,
            link_filter: true,
            lead_without_what: true,
            api: true,
            overrun: 0,
            consent: true,
        }
    }
}

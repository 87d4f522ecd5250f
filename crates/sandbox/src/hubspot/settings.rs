//! What a portal or a test may choose: everything that the sheet leaves open, with the stricter reading
//! as the default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What happens when two inputs of one batch mean the same record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    /// The request is refused (sheet: section 5.3 \[unsure\]; the stricter reading).
    #[default]
    Error,
    /// The rows are applied in order; the last one stays.
    LastWins,
}

/// How a batch update or upsert reports rows that were refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowErrors {
    /// 207 when every input carries an `objectWriteTraceId`, else the whole request fails with the first
    /// error (sheet: section 5.3 \[doc/obs\]: both were seen).
    #[default]
    Traced,
    /// Always 207.
    Rows,
    /// Always the whole request.
    Whole,
}

/// What a write that would move the lifecycle stage backward does (sheet: section 9, trap 4 \[doc\]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backward {
    /// The stage stays as it is and the reply says success: only reading back shows it.
    #[default]
    Ignore,
    /// 400.
    Refuse,
}

/// A workflow of the portal: after a write of `on` on `object`, sets `set` to `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Plural name or type id.
    pub object: String,
    /// The property whose change starts it.
    pub on: String,
    /// The property that it writes.
    pub set: String,
    /// The value; `{value}` stands for the value that started it. Empty clears.
    pub to: String,
    /// How long after the write, in milliseconds.
    #[serde(default)]
    pub after_ms: i64,
}

/// The settings of a portal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long a write takes to reach search, in milliseconds (sheet: section 4 \[doc\]: moments; 60 s
    /// were seen). Default 0.
    pub search_lag_ms: i64,
    /// The longest body of a search, in characters (sheet: section 4 \[doc\]: 3,000; but published clients list all
    /// properties there \[code\]). Default 3,000.
    pub search_body_characters: usize,
    /// Merges keep `primaryObjectId` instead of making a new id (sheet: section 4 \[doc\]). Default false.
    pub preserve_primary_on_merge: bool,
    /// What a merge above 250 identities answers: 400 or 414 (sheet: section 7 \[doc\]). Default 400.
    pub merge_limit_status: u16,
    /// How many identities (addresses and merged ids) a contact may have. Default 250.
    pub merge_identities: usize,
    /// Two inputs for one record. Default `error`.
    pub duplicates_in_batch: Duplicates,
    /// Rows refused in update and upsert. Default `traced`.
    pub batch_row_errors: RowErrors,
    /// A batch refused as a whole leaves the rows before the bad one written (sheet: section 5.3 \[obs\]).
    /// Default false.
    pub partial_write_on_refusal: bool,
    /// Results of batches come in another order than the inputs. Default true.
    pub shuffle_results: bool,
    /// Property values may be JSON numbers, booleans and null, as well as strings (sheet: section 2.1 \[spec\]
    /// says strings). Default false.
    pub accept_json_scalars: bool,
    /// Whether `createdate` may be written, by plural name (sheet: section 5.5 \[unsure\]). Default: deals only.
    pub createdate_writable: BTreeMap<String, bool>,
    /// Requested properties without a value come back as null, else they are left out (sheet: section 2.1:
    /// both are documented). Default true.
    pub empty_as_null: bool,
    /// The first company of a contact, deal or ticket becomes its primary company (sheet: section 5.6
    /// \[unsure\]). Default true.
    pub first_company_is_primary: bool,
    /// Writing labels also drops "Primary" unless it is among them (sheet: section 5.6 \[doc\]: labels are
    /// replaced). Default true.
    pub label_write_drops_primary: bool,
    /// Contacts with an e-mail address get a company of that domain (sheet: section 9, trap 3). Default
    /// false.
    pub auto_associate_companies: bool,
    /// How long that takes, in milliseconds.
    pub auto_associate_after_ms: i64,
    /// `batch/update` accepts `idProperty: "email"` for contacts (sheet: section 5.2: it was refused).
    /// Default false.
    pub update_by_email: bool,
    /// More write requests than this to one kind within a second lock it for two seconds, 423 (sheet: section
    /// 7 \[doc\]). 0 switches it off. Default 0.
    pub lock_writes_per_second: usize,
    /// How many custom properties each kind may have (sheet: section 3 \[doc\]). Default 1,000.
    pub custom_property_limit: usize,
    /// Notes, calls and the like may have unique properties (sheet: section 5.2 \[unsure\]; section 3 \[doc\] names
    /// contacts, companies, deals, tickets and custom objects only). Default false.
    pub unique_on_activities: bool,
    /// How often each webhook array is delivered again, with `attemptNumber` counting up. Default 0.
    pub webhook_repeats: u32,
    /// Webhook arrays come in shuffled order. Default false.
    pub webhook_shuffle: bool,
    /// A lifecycle stage written backward. Default `ignore`.
    pub lifecycle_backward: Backward,
    /// A write that changes no value still moves the time of modification. Default true.
    pub touch_on_equal_write: bool,
    /// Workflows that answer to writes.
    pub rules: Vec<Rule>,
    /// The properties that a 2026-09 write must leave filled, by plural name (sheet: section 0b \[doc\]).
    pub required_properties: BTreeMap<String, Vec<String>>,
    /// Whether the person agrees who is asked whether an app may come in. Default true.
    pub consent: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            search_lag_ms: 0,
            search_body_characters: 3_000,
            preserve_primary_on_merge: false,
            merge_limit_status: 400,
            merge_identities: 250,
            duplicates_in_batch: Duplicates::Error,
            batch_row_errors: RowErrors::Traced,
            partial_write_on_refusal: false,
            shuffle_results: true,
            accept_json_scalars: false,
            createdate_writable: BTreeMap::new(),
            empty_as_null: true,
            first_company_is_primary: true,
            label_write_drops_primary: true,
            auto_associate_companies: false,
            auto_associate_after_ms: 2_000,
            update_by_email: false,
            lock_writes_per_second: 0,
            custom_property_limit: 1_000,
            unique_on_activities: false,
            webhook_repeats: 0,
            webhook_shuffle: false,
            lifecycle_backward: Backward::Ignore,
            touch_on_equal_write: true,
            rules: Vec::new(),
            required_properties: BTreeMap::new(),
            consent: true,
        }
    }
}

//! Switches: what the sheet leaves open, and what differs between environments.

use serde::{Deserialize, Serialize};

/// What becomes of a column in a body that cannot be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leniency {
    /// The request is refused.
    #[default]
    Refuse,
    /// The column is left out.
    Ignore,
}

/// The settings of an environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether service protection limits are held. Default true.
    pub limits: bool,
    /// Requests of a user in five minutes (sheet: section 6 \[doc\]). Default 6,000.
    pub requests: u64,
    /// Execution time of a user in five minutes, in milliseconds (sheet: section 6 \[doc\]). Default 1,200,000.
    pub execution_ms: u64,
    /// How long a request is said to take, in milliseconds. Default 20.
    pub request_ms: u64,
    /// How long one written row is said to take, in milliseconds. Default 10.
    pub row_ms: u64,
    /// The parallelism that `x-ms-dop-hint` recommends (sheet: section 5.4 \[doc\]). Default 4.
    pub dop_hint: u32,
    /// The code of errors that the OData layer finds: `0x80060888`, `0x0` or empty (sheet: section 7 \[unsure\]).
    /// Default `0x80060888`.
    pub odata_error_code: String,
    /// Whether a 429 has the form of other errors; else its body is empty (sheet: section 6 \[unsure\]). Default true.
    pub throttle_body: bool,
    /// The status for a user whom the environment does not know: 401 or 403 (sheet: section 1 \[unsure\]). Default 403.
    pub unknown_user_status: u16,
    /// How long an access token lives, in seconds (sheet: section 1). Default 3,600.
    pub token_s: i64,
    /// How long a device code waits for a person, in seconds (sheet: silent): the first poll before that is told to
    /// wait. Default 0.
    pub device_pending_s: i64,
    /// The status when a lookup points to nothing: 400 or 404 (sheet: section 9 \[doc\]). Default 404.
    pub missing_target_status: u16,
    /// Columns that cannot be written (sheet: section 9 is silent on which). Default refuse.
    pub read_only_columns: Leniency,
    /// A state other than the open one in a create (sheet: section 5.6 \[doc\]: denied or ignored). Default refuse.
    pub closed_at_create: Leniency,
    /// Whether the user may set `overriddencreatedon` (sheet: section 5.6 \[unsure\]). Default true.
    pub override_created_on: bool,
    /// Whether the user may bypass business logic (sheet: section 5.5 \[doc\]). Default false.
    pub bypass_business_logic: bool,
    /// Whether the user may act for others (sheet: section 1 \[doc\]). Default true.
    pub act_on_behalf: bool,
    /// Whether texts are compared without accents, by `eq` and in keys (sheet: section 9 \[unsure\]). Default true.
    pub accent_insensitive: bool,
    /// Whether rows without a value in a key's column escape it (sheet: section 3 \[unsure\]). Default true.
    pub null_keys_free: bool,
    /// Whether `versionnumber` may stand in `$filter` (sheet: section 4 \[unsure\]). Default true.
    pub filter_on_version: bool,
    /// Days after which a delta token is refused (sheet: section 4: 7 \[doc\], 30 or 90 elsewhere). Default 7.
    pub tracking_days: i64,
    /// Whether the user may read the rows of the whole organization, without which changes are not tracked for them (sheet:
    /// section 4 \[doc\]). Default true.
    pub reads_all: bool,
    /// The token of a first load is stamped at its last page, so that changes of rows already delivered are missed
    /// (sheet: section 4 \[issue\]); else at its first. Default true.
    pub delta_stamped_at_end: bool,
    /// Rows on a page at most (sheet: section 4 \[doc\]). Default 5,000.
    pub page_rows: usize,
    /// Pages are cut by number, so that rows shift when others come or go; else they continue after the last row
    /// (sheet: section 4). Default false.
    pub pages_by_number: bool,
    /// `documentbody` and `body` are in a row although nobody selected them (sheet: section 4: select them). Default
    /// false.
    pub unselected_files: bool,
    /// `UpsertMultiple` answers 200 with results instead of 204 (sheet: section 5.4 \[unsure\]). Default false.
    pub upsert_multiple_results: bool,
    /// How long the index of a new key takes, in seconds. Default 10.
    pub key_index_s: i64,
    /// Days that a deleted row can be brought back by an administrator (sheet: silent). Default 30.
    pub bin_days: i64,
    /// Whether opportunity lines need their product in the price list (sheet: section 9 \[unsure\]). Default true.
    pub price_list_checked: bool,
    /// Rows that one `CreateMultiple` and its like take at most (sheet: section 5.4). Default 1,000.
    pub multiple_rows: usize,
    /// Whether the person agrees who is asked whether an app may come in. Default true.
    pub consent: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: true,
            requests: 6_000,
            execution_ms: 1_200_000,
            request_ms: 20,
            row_ms: 10,
            dop_hint: 4,
            odata_error_code: "0x80060888".to_owned(),
            throttle_body: true,
            unknown_user_status: 403,
            token_s: 3_600,
            device_pending_s: 0,
            missing_target_status: 404,
            read_only_columns: Leniency::Refuse,
            closed_at_create: Leniency::Refuse,
            override_created_on: true,
            bypass_business_logic: false,
            act_on_behalf: true,
            accent_insensitive: true,
            null_keys_free: true,
            filter_on_version: true,
            tracking_days: 7,
            reads_all: true,
            delta_stamped_at_end: true,
            page_rows: 5_000,
            pages_by_number: false,
            unselected_files: false,
            upsert_multiple_results: false,
            key_index_s: 10,
            bin_days: 30,
            price_list_checked: true,
            multiple_rows: 1_000,
            consent: true,
        }
    }
}

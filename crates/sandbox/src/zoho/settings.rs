//! What an organization or a test may choose: everything that the sheet leaves open, with the stricter reading as
//! the default.

use serde::{Deserialize, Serialize};

/// What happens to keys of a record that cannot be written: fields that do not exist or are read only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unwritable {
    /// They are passed over in silence, so that a value is lost without a word (sheet: silent).
    #[default]
    Ignored,
    /// The record is refused.
    Refused,
}

/// What becomes of a value that a plain picklist does not have (sheet: section 5, formats \[doc, unsure\]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownPick {
    /// The record is refused.
    #[default]
    Refused,
    /// It is kept; the picklist stays as it is.
    Kept,
}

/// The reply to an id that is not there (sheet: section 7 \[unsure\]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotFound {
    /// 204 without a body.
    #[default]
    NoContent,
    /// 404 `INVALID_DATA`.
    InvalidData,
    /// 404 `INVALID_URL_PATTERN`.
    InvalidUrl,
}

/// What an upsert does when several records fit (sheet: section 5, upsert \[unsure\]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManyMatches {
    /// The one that was modified last is updated.
    #[default]
    Newest,
    /// `DUPLICATE_DATA`.
    Refused,
}

/// The settings of an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether credits, concurrency and the limits of tokens are held. Default true.
    pub limits: bool,
    /// Credits in rolling 24 hours; without, those of the edition and its users (sheet: section 6).
    pub credits: Option<u64>,
    /// How long a request is in flight, in milliseconds, for the limit of concurrency. Default 0: never two at once.
    pub request_ms: i64,
    /// How many access tokens of one refresh token live (sheet: section 1 \[doc\]: 30, an older page says 15).
    /// Default 15.
    pub live_tokens: usize,
    /// The status of refusals of the token endpoint (sheet: section 1 \[unsure\]). Default 200.
    pub token_error_status: u16,
    /// The only host that answers under `/crm`; any other is refused. Default none: every host.
    pub api_host: Option<String>,
    /// A wrong host is 400 `INVALID_HOST`, else 401 `INVALID_TOKEN` (sheet: section 1 \[unsure\]). Default true.
    pub invalid_host: bool,
    /// Seconds until the search finds a change (sheet: section 4 \[doc\]: seconds to minutes). Default 30.
    pub search_lag_s: i64,
    /// `equals` of a search finds texts that contain the text (sheet: section 4: it may). Default true.
    pub loose_equals: bool,
    /// Seconds until COQL finds a change (sheet: section 4 \[unsure\]). Default 0.
    pub coql_lag_s: i64,
    /// Keys that cannot be written. Default `ignored`.
    pub unwritable: Unwritable,
    /// Values that a plain picklist does not have. Default `refused`.
    pub unknown_picks: UnknownPick,
    /// A display value of a picklist is taken for its actual value (sheet: section 5 \[unsure\]). Default false.
    pub display_picks: bool,
    /// An id that is not there. Default `no_content`.
    pub not_found: NotFound,
    /// The status of a batch of which only a part was written (sheet: section 5 \[unsure\]). Default 207.
    pub mixed_status: u16,
    /// The status of a batch of which nothing was written (sheet: section 5 \[unsure\]). Default 400.
    pub failed_status: u16,
    /// The status of a list in which nothing changed since the time of the header (sheet: section 4 \[unsure\]: 304, or
    /// 204). Default 304.
    pub unchanged_status: u16,
    /// Several records fit an upsert. Default `newest`.
    pub many_matches: ManyMatches,
    /// Deals tell their pipeline as an object from v3 on (sheet: section 2 \[unsure\]). Default true.
    pub pipeline_objects: bool,
    /// Tags may come in the body of a record (sheet: trap 11 \[unsure\]). Default false: they are passed over.
    pub tags_in_body: bool,
    /// A converted lead is in the feed of deleted records (sheet: section 4 \[unsure\]). Default false.
    pub converted_in_feed: bool,
    /// A merged record is in the feed of deleted records (sheet: section 4 \[unsure\]). Default false.
    pub merged_in_feed: bool,
    /// Notes, attachments, tags and contact roles move the parent's `Modified_Time` (sheet: section 4 \[unsure\]).
    /// Default false.
    pub related_bumps: bool,
    /// Writes with `trigger: []` notify subscribers too (sheet: section 5 \[unsure\]). Default true.
    pub silent_writes_notify: bool,
    /// A record that comes back from the recycle bin has a new `Modified_Time` (sheet: silent). Default false.
    pub restore_bumps: bool,
    /// Activities and notes may have unique fields (sheet: section 5 \[unsure\]). Default false.
    pub unique_activities: bool,
    /// Activities go to the recycle bin with the record they hang on (sheet: silent). Default false.
    pub activities_go_along: bool,
    /// Seconds that a bulk job waits in each of its states. Default 10.
    pub bulk_s: i64,
    /// Bulk jobs say `INPROGRESS`, else `IN PROGRESS` (sheet: section 5, bulk write \[unsure\]). Default false.
    pub bulk_one_word: bool,
    /// Records in a page of a bulk read (sheet: section 4 \[doc\]). Default 200,000.
    pub bulk_page: usize,
    /// Rich texts and long texts in lists are cut at 500 characters (sheet: trap 13). Default true.
    pub cut_rich_text: bool,
    /// Whether the person agrees who is asked whether an app may come in. Default true.
    pub consent: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: true,
            credits: None,
            request_ms: 0,
            live_tokens: 15,
            token_error_status: 200,
            api_host: None,
            invalid_host: true,
            search_lag_s: 30,
            loose_equals: true,
            coql_lag_s: 0,
            unwritable: Unwritable::Ignored,
            unknown_picks: UnknownPick::Refused,
            display_picks: false,
            not_found: NotFound::NoContent,
            mixed_status: 207,
            failed_status: 400,
            unchanged_status: 304,
            many_matches: ManyMatches::Newest,
            pipeline_objects: true,
            tags_in_body: false,
            converted_in_feed: false,
            merged_in_feed: false,
            related_bumps: false,
            silent_writes_notify: true,
            restore_bumps: false,
            unique_activities: false,
            activities_go_along: false,
            bulk_s: 10,
            bulk_one_word: false,
            bulk_page: 200_000,
            cut_rich_text: true,
            consent: true,
        }
    }
}

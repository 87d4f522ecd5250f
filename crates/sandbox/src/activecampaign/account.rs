//! The account: its keys, and the settings that choose between readings of the sheet.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The account of a world file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Account {
    /// Its host, as the links of its records name it.
    pub(super) host: String,
    /// The zone in which all its times are told, an IANA name (sheet: ActiveCampaign section 4, time trap \[rec\]).
    pub(super) timezone: String,
    pub(super) api_keys: Vec<ApiKey>,
    /// Whether it is paid for; if not, everything is answered with 402 \[unsure\].
    pub(super) paid: bool,
}

/// A key. Keys are per user, never end and have no scopes (sheet: section 1 \[doc\]).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKey {
    pub(super) key: String,
    pub(super) user_id: u64,
    /// Collections that the user's group does not show: they answer 403.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) hidden: Vec<String>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            host: "sandbox.api-us1.com".to_owned(),
            timezone: "America/Chicago".to_owned(),
            api_keys: vec![ApiKey { key: "sandbox-key".to_owned(), user_id: 1, hidden: Vec::new() }],
            paid: true,
        }
    }
}

impl Account {
    /// The zone; UTC when the name is not known.
    pub(super) fn zone(&self) -> TimeZone {
        TimeZone::get(&self.timezone).unwrap_or(TimeZone::UTC)
    }
}

/// Settings of a world file. Where the sheet is unsure, the default is the stricter reading.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// The rate limit is enforced.
    pub(super) limits: bool,
    /// Requests in a second (sheet: section 6 \[doc\]).
    pub(super) per_second: usize,
    /// `include=` of lists sideloads values and associations; documented for activities only (section 4 \[unsure\]).
    pub(super) sideloads: bool,
    /// A missing or wrong key is a 401 instead of a 403 (section 1 \[code\]).
    pub(super) unauthorized_401: bool,
    /// Deleted contacts stay in lists with `deleted: "1"` (section 4 \[unsure\]).
    pub(super) lists_deleted: bool,
    /// `meta.total` of a list behind `id_greater` counts all contacts (not documented).
    pub(super) total_of_all: bool,
    /// A contact field of options takes any text (section 5 \[unsure\]).
    pub(super) any_option: bool,
    /// A bad custom value is left out and told by `customFieldSaveStatus` instead of refusing the record
    /// (section 5 \[rec\] for the key, \[unsure\] for when).
    pub(super) saves_without_bad_values: bool,
    /// `/fieldValues`, tags and lists touch the contact's `udate` (section 4 \[unsure\]).
    pub(super) joins_touch: bool,
    /// Addresses are stored in lower case (section 9 trap 1 \[unsure\]).
    pub(super) lowers_emails: bool,
    /// Notes are told with their markup escaped (section 2 \[unsure\]).
    pub(super) escapes_notes: bool,
    /// Searches and filters by time find a change only after so many seconds (section 4 \[unsure\]).
    pub(super) lag_s: i64,
    /// The longest title, name and one-line value, in characters (section 9 trap 22 \[unsure\]).
    pub(super) text_max: usize,
    /// Contacts that the plan allows; none: no ceiling (section 9 trap 15).
    pub(super) contacts_limit: Option<usize>,
    /// The status of a contact above the ceiling, 403 or 422 \[unsure\].
    pub(super) contacts_limit_status: u16,
    /// Deleting a contact deletes its deals (section 9 trap 19 \[unsure\]).
    pub(super) deals_die_with_contacts: bool,
    /// Instants of custom values are told as `YYYY-MM-DD HH:MM:SS` in UTC (section 4: without zone).
    pub(super) plain_instants: bool,
    /// Keys of a body that nobody knows are ignored instead of refused (not documented).
    pub(super) ignores_unknown_keys: bool,
    /// `localZoneid` of users is a number instead of a zone's name (not documented).
    pub(super) numbered_zones: bool,
    /// Webhook addresses may be plain HTTP on loopback, which a local receiver needs.
    pub(super) loopback_webhooks: bool,
    /// Custom objects are part of the plan (section 2 \[unsure\]).
    pub(super) custom_objects: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: true,
            per_second: 5,
            sideloads: false,
            unauthorized_401: false,
            lists_deleted: false,
            total_of_all: false,
            any_option: false,
            saves_without_bad_values: false,
            joins_touch: false,
            lowers_emails: true,
            escapes_notes: false,
            lag_s: 3,
            text_max: 255,
            contacts_limit: None,
            contacts_limit_status: 403,
            deals_die_with_contacts: false,
            plain_instants: false,
            ignores_unknown_keys: false,
            numbered_zones: false,
            loopback_webhooks: true,
            custom_objects: true,
        }
    }
}

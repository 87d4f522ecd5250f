//! The account: its plan, its tokens, and the settings that choose between readings of the sheet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::kind::Access;
use super::time::Seconds;

/// The plan, which decides budgets (sheet: Pipedrive section 6 \[doc\]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Plan {
    Lite,
    #[default]
    Growth,
    Premium,
    Ultimate,
}

impl Plan {
    /// Multiplier of the daily token budget.
    pub(super) const fn multiplier(self) -> u64 {
        match self {
            Self::Lite => 1,
            Self::Growth => 2,
            Self::Premium => 5,
            Self::Ultimate => 7,
        }
    }

    /// Requests in two seconds with an API token; an OAuth token has four times as many.
    pub(super) const fn burst(self) -> usize {
        match self {
            Self::Lite => 20,
            Self::Growth => 40,
            Self::Premium => 100,
            Self::Ultimate => 120,
        }
    }

    /// Whether visibility groups exist (sheet: section 5, `visible_to`).
    pub(super) const fn has_groups(self) -> bool {
        matches!(self, Self::Premium | Self::Ultimate)
    }
}

/// The account of a world file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Account {
    pub(super) company_id: u64,
    pub(super) company_name: String,
    pub(super) company_domain: String,
    pub(super) plan: Plan,
    pub(super) seats: u64,
    pub(super) default_currency: String,
    pub(super) timezone: String,
    /// Whether the company is open; a closed one is answered with 402.
    pub(super) open: bool,
    pub(super) api_tokens: Vec<ApiToken>,
    pub(super) oauth_clients: Vec<OauthClient>,
    /// Access tokens handed out.
    pub(super) access_tokens: BTreeMap<String, Grant>,
    /// Refresh tokens handed out, used ones included.
    pub(super) refresh_tokens: BTreeMap<String, Grant>,
    /// Authorization codes handed out.
    pub(super) codes: BTreeMap<String, Grant>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            company_id: 8_087_566,
            company_name: "Sandbox".to_owned(),
            company_domain: "sandbox".to_owned(),
            plan: Plan::default(),
            seats: 5,
            default_currency: "EUR".to_owned(),
            timezone: "Europe/Berlin".to_owned(),
            open: true,
            api_tokens: Vec::new(),
            oauth_clients: Vec::new(),
            access_tokens: BTreeMap::new(),
            refresh_tokens: BTreeMap::new(),
            codes: BTreeMap::new(),
        }
    }
}

/// A user's API token: no expiry, no scopes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ApiToken {
    pub(super) token: String,
    pub(super) user_id: u64,
}

/// An OAuth application.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OauthClient {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    #[serde(default)]
    pub(super) scopes: Vec<String>,
    /// A refresh token that works from the beginning, and dies unused 60 days after its first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
    /// For whom that refresh token acts; the first user without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) user_id: Option<u64>,
}

/// What a token or a code allows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) user_id: u64,
    pub(super) scopes: Vec<String>,
    /// None: the time runs from its first use.
    pub(super) expires: Option<Seconds>,
    #[serde(default)]
    pub(super) used: bool,
}

/// Settings of a world file. Where the sheet is unsure, the default is the stricter reading.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// Rate limits and daily budget are enforced.
    pub(super) limits: bool,
    /// Whether the person agrees who is asked whether an app may come in. Default true.
    pub(super) consent: bool,
    /// The daily budget in tokens, in place of the plan's.
    pub(super) daily_budget: Option<u64>,
    /// Requests in two seconds, in place of the plan's.
    pub(super) burst: Option<usize>,
    /// After so many 429 in a row, an API token gets the Cloudflare page for a minute; 0: never.
    /// The number is not documented (sheet: section 6 \[doc\] for the page itself).
    pub(super) abuse_after: u32,
    /// `job_title`, `notes`, `im`, `birthday` and `postal_address` exist (sheet: section 9 trap 4).
    pub(super) contact_sync: bool,
    /// The company has the Campaigns product: `marketing_status` exists.
    pub(super) campaigns: bool,
    /// The largest note, in bytes; the number is \[unsure\] (sheet: section 9 trap 8).
    pub(super) note_max_bytes: usize,
    /// Comments in note HTML survive; \[unsure\], default: they are dropped.
    pub(super) keep_html_comments: bool,
    /// `value` of a deal with products is silently derived instead of refused (trap 6).
    pub(super) ignore_value_with_products: bool,
    /// `GET` of a deleted record is a 404 instead of showing `is_deleted` \[unsure\].
    pub(super) hide_deleted: bool,
    /// Deleting again is a 410 instead of a 404 \[unsure\].
    pub(super) delete_again_gone: bool,
    /// `PATCH is_deleted: false` revives a deal \[spec lists the key; unsure it works\].
    pub(super) restore_deals: bool,
    /// Deactivated users may own new records \[unsure\].
    pub(super) inactive_owners: bool,
    /// `person_id` of an activity is ignored instead of refused (sheet: section 2.1 \[doc\]).
    pub(super) ignore_activity_person: bool,
    /// Unset custom fields appear as null instead of being absent \[unsure\].
    pub(super) show_unset_custom: bool,
    /// `?api_token=` is accepted \[unsure\].
    pub(super) query_token: bool,
    /// Search finds a change only after so many seconds; freshness is not documented.
    pub(super) search_lag_s: i64,
    /// Open deals allowed; none: no cap (sheet: section 9 trap 15).
    pub(super) open_deals_limit: Option<u64>,
    /// Custom fields allowed over all kinds; none: no cap.
    pub(super) custom_fields_limit: Option<u64>,
    /// Options allowed per field; the number is \[unsure\].
    pub(super) options_limit: Option<usize>,
    /// Labels allowed per deal; the number is \[unsure\].
    pub(super) deal_labels_limit: Option<usize>,
    /// Creations answer 200 instead of 201 where the sheet says "varies".
    pub(super) create_with_200: bool,
    /// Webhook addresses may be plain HTTP on loopback, which a local receiver needs.
    pub(super) loopback_webhooks: bool,
    /// Life of an access token in seconds.
    pub(super) access_token_s: i64,
    /// `visible_to` of records that do not say; none: the whole company as the plan numbers it.
    pub(super) default_visible_to: Option<u64>,
}

impl Settings {
    /// Whether the account has keys of this kind of access at all.
    pub(super) fn offers(&self, access: Access) -> bool {
        match access {
            Access::Sync => self.contact_sync,
            Access::Campaigns => self.campaigns,
            Access::Read | Access::Create | Access::Write => true,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: true,
            consent: true,
            daily_budget: None,
            burst: None,
            abuse_after: 20,
            contact_sync: false,
            campaigns: false,
            note_max_bytes: 100 * 1024,
            keep_html_comments: false,
            ignore_value_with_products: false,
            hide_deleted: false,
            delete_again_gone: false,
            restore_deals: false,
            inactive_owners: false,
            ignore_activity_person: false,
            show_unset_custom: false,
            query_token: false,
            search_lag_s: 10,
            open_deals_limit: None,
            custom_fields_limit: None,
            options_limit: None,
            deal_labels_limit: None,
            create_with_200: false,
            loopback_webhooks: true,
            access_token_s: 3_599,
            default_visible_to: None,
        }
    }
}

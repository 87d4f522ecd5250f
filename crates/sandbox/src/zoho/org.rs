//! The organization, its people, and where it lives.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::world::Id;

/// What the organization is (sheet: sections 1, 2 and 6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Org {
    pub(super) id: Id,
    /// Needed for bulk writes.
    pub(super) zgid: String,
    pub(super) company_name: String,
    /// `free`, `standard`, `professional`, `enterprise`, `ultimate`.
    pub(super) edition: String,
    /// `us`, `eu`, `in`, `au`, `cn`, `jp`, `sa`, `ca`, `uk`.
    pub(super) dc: String,
    pub(super) time_zone: String,
    /// The zone in which times are told. Not zero, so that they never come back as they were sent.
    pub(super) utc_offset_min: i32,
    pub(super) currency: String,
    pub(super) currency_symbol: String,
    /// Other currencies with their rates.
    pub(super) currencies: std::collections::BTreeMap<String, String>,
}

impl Default for Org {
    fn default() -> Self {
        Self {
            id: super::world::META + 101,
            zgid: "60012345678".to_owned(),
            company_name: "Sandbox".to_owned(),
            edition: "enterprise".to_owned(),
            dc: "us".to_owned(),
            time_zone: "Africa/Nairobi".to_owned(),
            utc_offset_min: 180,
            currency: "USD".to_owned(),
            currency_symbol: "$".to_owned(),
            currencies: std::collections::BTreeMap::new(),
        }
    }
}

impl Org {
    /// Whether amounts may be in another currency than the organization's own.
    pub(super) fn multi_currency(&self) -> bool {
        !self.currencies.is_empty()
    }

    /// Credits in 24 hours (sheet: section 6 \[doc\]).
    pub(super) fn credits(&self, users: u64) -> u64 {
        match self.edition.as_str() {
            "free" => 5_000,
            "standard" => (50_000 + 250 * users).min(100_000),
            "professional" => (50_000 + 500 * users).min(3_000_000),
            "enterprise" => (50_000 + 1_000 * users).min(5_000_000),
            _ => 50_000 + 2_000 * users,
        }
    }

    /// Requests in flight at once (sheet: section 6 \[doc\]).
    pub(super) fn concurrency(&self) -> usize {
        match self.edition.as_str() {
            "free" => 5,
            "standard" => 10,
            "professional" => 15,
            "enterprise" => 20,
            _ => 25,
        }
    }

    /// Custom fields of a module (sheet: section 3).
    pub(super) fn custom_fields(&self) -> usize {
        match self.edition.as_str() {
            "free" => 0,
            "standard" => 10,
            "professional" => 155,
            "enterprise" => 300,
            _ => 500,
        }
    }

    /// Whether the edition has the bulk API (sheet: trap 16).
    pub(super) fn bulk(&self) -> bool {
        self.edition != "free"
    }
}

/// Accounts servers by location (sheet: section 1, data centres).
pub(super) const ACCOUNTS: [(&str, &str); 9] = [
    ("us", "https://accounts.zoho.com"),
    ("eu", "https://accounts.zoho.eu"),
    ("in", "https://accounts.zoho.in"),
    ("au", "https://accounts.zoho.com.au"),
    ("cn", "https://accounts.zoho.com.cn"),
    ("jp", "https://accounts.zoho.jp"),
    ("sa", "https://accounts.zoho.sa"),
    ("ca", "https://accounts.zohocloud.ca"),
    ("uk", "https://accounts.zoho.uk"),
];

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct User {
    pub(super) id: Id,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    /// `active`, `inactive`, `deleted`.
    pub(super) status: String,
    pub(super) admin: bool,
}

impl Default for User {
    fn default() -> Self {
        Self {
            id: 0,
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            status: "active".to_owned(),
            admin: false,
        }
    }
}

impl User {
    pub(super) fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }

    pub(super) fn is_active(&self) -> bool {
        self.status == "active"
    }

    /// `{name, id}`, as `Created_By` tells a user.
    pub(super) fn mini(&self) -> Json {
        json!({"name": self.full_name(), "id": self.id.to_string(), "email": self.email})
    }
}

/// The two profiles that every organization has, with their ids.
pub(super) const PROFILES: [(&str, Id); 2] =
    [("Administrator", super::world::META + 201), ("Standard", super::world::META + 202)];

/// The two roles that every organization has, with their ids.
pub(super) const ROLES: [(&str, Id); 2] = [("CEO", super::world::META + 301), ("Manager", super::world::META + 302)];

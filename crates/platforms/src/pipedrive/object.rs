//! The objects, and where each lives: version, path, page size, price.
//!
//! Prices are the documented `x-token-cost` per request (sheet: Pipedrive section 2 \[spec\]).

use handover_connect::Charge;

use super::lines;

/// The limit on requests within two seconds.
pub(super) const BURST: &str = "burst";
/// The limit on search requests within two seconds.
pub(super) const SEARCH: &str = "search";
/// The day's allowance of tokens.
pub(super) const DAILY: &str = "daily";

/// One object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Object {
    Organizations,
    Persons,
    Products,
    Deals,
    DealProducts,
    Activities,
    Leads,
    Notes,
    Files,
    MailMessages,
}

/// What one request costs: a place in the burst and so many of the day's tokens.
pub(super) const fn cost(tokens: u32) -> [Charge; 2] {
    [Charge::of(BURST, 1), Charge::of(DAILY, tokens)]
}

impl Object {
    /// All of them, parents first.
    pub(super) const ALL: [Self; 10] = [
        Self::Organizations,
        Self::Persons,
        Self::Products,
        Self::Leads,
        Self::Deals,
        Self::DealProducts,
        Self::Activities,
        Self::Notes,
        Self::Files,
        Self::MailMessages,
    ];

    /// The object of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|object| object.name() == name)
    }

    /// Its name: the API's collection.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Organizations => "organizations",
            Self::Persons => "persons",
            Self::Products => "products",
            Self::Deals => "deals",
            Self::DealProducts => "deal_products",
            Self::Activities => "activities",
            Self::Leads => "leads",
            Self::Notes => "notes",
            Self::Files => "files",
            Self::MailMessages => "mail_messages",
        }
    }

    /// What Pipedrive's users call it.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Organizations => "Organizations",
            Self::Persons => "People",
            Self::Products => "Products",
            Self::Deals => "Deals",
            Self::DealProducts => "Products of deals",
            Self::Activities => "Activities",
            Self::Leads => "Leads",
            Self::Notes => "Notes",
            Self::Files => "Files",
            Self::MailMessages => "Synced e-mails",
        }
    }

    /// Whether v2 has it. Leads, notes, files and mail still live in v1 (sheet: section 0b \[spec\]).
    pub(super) const fn is_v2(self) -> bool {
        !matches!(self, Self::Leads | Self::Notes | Self::Files | Self::MailMessages)
    }

    /// The path of its collection.
    pub(super) fn path(self) -> String {
        if self == Self::MailMessages {
            // Where single messages are; a list of all of them does not exist.
            return "/v1/mailbox/mailMessages".to_owned();
        }
        if self == Self::DealProducts {
            return lines::PATH.to_owned();
        }
        let version = if self.is_v2() { "/api/v2" } else { "/v1" };
        format!("{version}/{}", self.name())
    }

    /// The path of one record.
    pub(super) fn record_path(self, id: &str) -> String {
        if self == Self::DealProducts {
            let (deal, line) = lines::split(id);
            return format!("{}/{}", lines::path_in(deal), segment(line));
        }
        format!("{}/{}", self.path(), segment(id))
    }

    /// Where its fields are told; notes, files and mail have a fixed set. Leads borrow the fields of deals
    /// (sheet: section 3 \[doc\]).
    pub(super) const fn fields_path(self) -> Option<&'static str> {
        match self {
            Self::Organizations => Some("/api/v2/organizationFields"),
            Self::Persons => Some("/api/v2/personFields"),
            Self::Products => Some("/api/v2/productFields"),
            Self::Deals | Self::Leads => Some("/api/v2/dealFields"),
            Self::Activities => Some("/api/v2/activityFields"),
            Self::DealProducts | Self::Notes | Self::Files | Self::MailMessages => None,
        }
    }

    /// Whether its records have custom fields that can be written. Those of activities are told by
    /// `activityFields` and stand in no write shape (sheet: section 2.1 \[spec\]).
    pub(super) const fn has_custom(self) -> bool {
        matches!(self, Self::Organizations | Self::Persons | Self::Products | Self::Deals | Self::Leads)
    }

    /// Whether a lookup by listing can compare a key field of the customer's.
    pub(super) const fn has_key(self) -> bool {
        matches!(self, Self::Organizations | Self::Persons | Self::Products | Self::Deals)
    }

    /// Whether its records can be merged and tell their changes (sheet: section 2.1 \[spec\]).
    pub(super) const fn has_changelog(self) -> bool {
        matches!(self, Self::Organizations | Self::Persons | Self::Deals)
    }

    /// Records on one page. Files stop at 100 (vendor's specification of `GET /v1/files`), everything else
    /// at 500; the price is per request, so pages are as large as they may be (sheet: section 4 \[spec\]).
    pub(super) const fn page(self) -> u32 {
        if matches!(self, Self::Files) { 100 } else { 500 }
    }

    /// Tokens for one page.
    pub(super) const fn list_cost(self) -> u32 {
        if self.is_v2() { 10 } else { 20 }
    }

    /// Tokens for one record by its id.
    pub(super) const fn get_cost(self) -> u32 {
        if self.is_v2() { 1 } else { 2 }
    }

    /// Tokens for one write.
    pub(super) const fn write_cost(self) -> u32 {
        if self.is_v2() { 5 } else { 10 }
    }

    /// Tokens for one deletion.
    pub(super) const fn delete_cost(self) -> u32 {
        if self.is_v2() { 3 } else { 6 }
    }
}

/// An id as a path segment.
pub(super) fn segment(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string().replace("%2D", "-")
}

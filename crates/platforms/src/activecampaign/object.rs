//! The objects, and where each lives.

use handover_connect::Charge;

/// The one limit: requests in a second (sheet: ActiveCampaign section 6 \[doc\]).
pub(super) const BURST: &str = "burst";

/// What every request costs.
pub(super) const CALL: [Charge; 1] = [Charge::of(BURST, 1)];

/// The largest page, everywhere (sheet: section 4).
pub(super) const PAGE: u32 = 100;

/// One object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Object {
    Accounts,
    Contacts,
    Deals,
    Tasks,
    Notes,
}

impl Object {
    /// All of them, parents first.
    pub(super) const ALL: [Self; 5] = [Self::Accounts, Self::Contacts, Self::Deals, Self::Tasks, Self::Notes];

    /// The object of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|object| object.name() == name)
    }

    /// Its name: the API's collection.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Contacts => "contacts",
            Self::Deals => "deals",
            Self::Tasks => "dealTasks",
            Self::Notes => "notes",
        }
    }

    /// The root of one record.
    pub(super) const fn one(self) -> &'static str {
        match self {
            Self::Accounts => "account",
            Self::Contacts => "contact",
            Self::Deals => "deal",
            Self::Tasks => "dealTask",
            Self::Notes => "note",
        }
    }

    /// What ActiveCampaign's users call it.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Accounts => "Accounts",
            Self::Contacts => "Contacts",
            Self::Deals => "Deals",
            Self::Tasks => "Tasks",
            Self::Notes => "Notes",
        }
    }

    /// The path of its collection.
    pub(super) fn path(self) -> String {
        format!("/api/3/{}", self.name())
    }

    /// The path of one record.
    pub(super) fn record_path(self, id: &str) -> String {
        format!("/api/3/{}/{}", self.name(), segment(id))
    }

    /// Where its custom fields are described: path and roots of many and of one.
    pub(super) const fn fields(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Contacts => Some(("fields", "field")),
            Self::Deals => Some(("dealCustomFieldMeta", "dealCustomFieldMetum")),
            Self::Accounts => Some(("accountCustomFieldMeta", "accountCustomFieldMetum")),
            Self::Tasks | Self::Notes => None,
        }
    }

    /// Where its custom values are: the collection, and the filter by record.
    pub(super) const fn values(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Deals => Some(("dealCustomFieldData", "filters[dealId]")),
            Self::Accounts => Some(("accountCustomFieldData", "filters[customerAccountId]")),
            Self::Contacts | Self::Tasks | Self::Notes => None,
        }
    }

    /// The keys of the times of change and creation.
    pub(super) const fn stamps(self) -> (&'static str, &'static str) {
        match self {
            Self::Accounts => ("updatedTimestamp", "createdTimestamp"),
            Self::Contacts | Self::Tasks => ("udate", "cdate"),
            Self::Deals | Self::Notes => ("mdate", "cdate"),
        }
    }

    /// Whether its list is filtered by the time of change (sheet: section 4: contacts and deals only).
    pub(super) const fn lists_since(self) -> bool {
        matches!(self, Self::Contacts | Self::Deals)
    }

    /// What notes and tasks that hang on it call it.
    pub(super) const fn reltype(self) -> &'static str {
        match self {
            Self::Accounts => "CustomerAccount",
            Self::Contacts => "Subscriber",
            Self::Deals => "Deal",
            Self::Tasks => "DealTask",
            Self::Notes => "",
        }
    }
}

/// An id as a path segment.
pub(super) fn segment(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}

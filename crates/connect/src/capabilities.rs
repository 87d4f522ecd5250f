//! What a platform can do, as one plain table per platform. The manual's matrix is generated from it,
//! and the planner computes calls and duration from it.

use handover_model::ObjectName;
use jiff::civil::Date;

use crate::WriteBatch;

/// What a platform can do and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The platform's name as the project file writes it.
    pub platform: &'static str,
    /// Its objects.
    pub objects: Vec<ObjectCapabilities>,
    /// What can be done with objects that customers make, whose names only the account tells; `None` where they are
    /// not carried.
    pub custom: Option<CustomObjects>,
    /// Its documented limits; the lowest documented tier where the account does not tell its own.
    pub limits: Vec<Limit>,
    /// The versions of its API that are used and to which the platform has given an end.
    pub ending: Vec<Ending>,
    /// Whether it lists workflows or the like through its API.
    pub automations: bool,
    /// Whether it can create custom fields through its API.
    pub create_fields: bool,
}

impl Capabilities {
    /// A platform that can do nothing: what one is made from.
    pub fn none(platform: &'static str) -> Self {
        Self {
            platform,
            objects: Vec::new(),
            custom: None,
            limits: Vec::new(),
            ending: Vec::new(),
            automations: false,
            create_fields: false,
        }
    }
}

/// The objects that customers make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomObjects {
    /// What tells their names from those of the platform's own objects.
    pub named: Named,
    /// What can be done with each of them; its name is that sign.
    pub can: ObjectCapabilities,
}

/// What tells the names of customers' objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// How they end.
    Ending(&'static str),
    /// What stands behind their first part, which differs between customers.
    Between(char),
    /// Nothing: any name may be one.
    Any,
}

impl Named {
    /// Whether a name is one.
    pub fn fits(self, name: &str) -> bool {
        match self {
            Self::Any => !name.is_empty(),
            Self::Ending(ending) => name.strip_suffix(ending).is_some_and(|rest| !rest.is_empty()),
            Self::Between(sign) => {
                name.split_once(sign).is_some_and(|(before, behind)| !before.is_empty() && !behind.is_empty())
            }
        }
    }
}

/// A version of an API that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// How its addresses begin.
    pub version: &'static str,
    /// The first day on which the platform does not support it any more.
    pub on: Date,
    /// Whether only access tokens are bought by it: of no account where a token is given.
    pub buys_tokens: bool,
}

/// What can be done with one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectCapabilities {
    /// The object.
    pub object: ObjectName,
    /// Records on one page of a list.
    pub list_page: u32,
    /// What one page is charged to.
    pub list_charges: Vec<Charge>,
    /// Records that one fetch by ids covers; 0 when it cannot.
    pub fetch_batch: u32,
    /// What one fetch is charged to.
    pub fetch_charges: Vec<Charge>,
    /// Records that one write covers; 0 when it cannot be written.
    pub write_batch: u32,
    /// What one write is charged to.
    pub write_charges: Vec<Charge>,
    /// Whether many records can be written at once in another way.
    pub bulk: Option<Bulk>,
    /// Whether writes can be upserts by a unique field.
    pub upsert: Upsert,
    /// How a write whose answer was lost is found.
    pub lookup: Lookup,
    /// How the system tells how many records there are.
    pub count: Count,
    /// How reference fields are written.
    pub links: Links,
    /// Whether records carry bytes.
    pub content: bool,
    /// Records that one delete covers; 0 when it cannot delete.
    pub delete_batch: u32,
    /// What one delete is charged to.
    pub delete_charges: Vec<Charge>,
    /// What merging two records is charged to; `None` when it cannot.
    pub merge_charges: Option<Vec<Charge>>,
    /// Whether people can merge its records in the platform's own application, whether or not its API can.
    pub people_merge: bool,
    /// Records that one reading of the history covers; 0 when there is none.
    pub history_batch: u32,
    /// What one reading of the history is charged to.
    pub history_charges: Vec<Charge>,
    /// Whether a fetch by the id of a record that was merged away brings the record that it became.
    pub fetch_follows_merges: bool,
    /// The field that names the records which were merged into this one, where there is one. What it says is a hint:
    /// a fetch by their ids tells.
    pub merge_marks: Option<&'static str>,
    /// Whether what is deleted can be brought back for a while, by people in the platform's own application.
    pub keeps_deleted: bool,
    /// Whether adding or taking away a link counts as a modification of the record that points, so that a list of
    /// what changed since brings it.
    pub links_touch: bool,
    /// Whether deleted records can be listed.
    pub lists_deleted: bool,
    /// Whether what was deleted, merged away or brought back is told since an earlier reading ([`Operation::Feed`]), where
    /// the account tells it of this object and to this user.
    ///
    /// [`Operation::Feed`]: crate::Operation::Feed
    pub feeds: bool,
    /// Whether what people do with merges and the bin may show in no list but that of all records: what was merged away
    /// is not among the deleted, what came back counts as unmodified, and so does what pointed to either.
    pub bin_is_quiet: bool,
    /// Whether `updated since` filters a list.
    pub lists_since: bool,
    /// The objects whose records it is read through, one call for each that has some; empty when it has a
    /// list of its own. Such an object is moved on request only: nothing but a plan or a pass reads it.
    pub through: &'static [&'static str],
    /// Fields that are written in requests behind that of their record: one whose creation was cut off may lack them.
    pub written_behind: &'static [&'static str],
}

/// Many records in one [`crate::WriteBatch`] of more than `write_batch`, which pays where very many wait.
///
/// Taken are updates and upserts without bytes, whose repetition does no harm: such a batch takes several calls and goes
/// on when nobody waits for it any more. What is refused of it as a whole, or what became of which is unknown, goes in
/// ordinary batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bulk {
    /// Records of such a batch at least: fewer take no more calls in ordinary ones.
    pub least: u32,
    /// Records at most.
    pub most: u32,
    /// Bytes at most, as [`crate::Write`]s' values count as text: one takes records until they are as many.
    pub bytes: u64,
    /// Calls that such a batch takes, as far as that is known beforehand; each is charged as a write is.
    pub calls: u32,
}

/// Whether an object can be written by upsert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upsert {
    /// It cannot.
    None,
    /// By any custom field that is unique: a create whose answer was lost can simply be sent again.
    ByUniqueField,
    /// By the key field too, through an id that is made of the key: so it leads to the record that was made under the key
    /// first, also where that one has another key by now.
    ByIdOfKey,
}

/// How a write whose answer was lost is found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// By the key field, consistently.
    ByKey {
        /// What was written without a key is looked for through an index that lags by up to this many milliseconds;
        /// 0 where a list shows it at once.
        keyless_lag_ms: u64,
    },
    /// Through the records that it points to, or by listing what was made since; then compared.
    ByListing,
    /// Only through an index that lags by up to this many milliseconds.
    ByIndex {
        /// The lag to wait out.
        lag_ms: u64,
    },
    /// Not at all: such a record is held.
    None,
}

impl Lookup {
    /// How many milliseconds after a batch was sent all that came of it is sure to be found.
    #[must_use]
    pub fn lag_ms(self, batch: &WriteBatch) -> u64 {
        match self {
            Self::ByKey { keyless_lag_ms } if !batch.is_keyed() => keyless_lag_ms,
            Self::ByIndex { lag_ms } => lag_ms,
            Self::ByKey { .. } | Self::ByListing | Self::None => 0,
        }
    }
}

/// How the system tells the number of an object's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Exactly, in one call.
    Told,
    /// It does not; a complete list is known by its end mark only.
    NotTold,
}

/// How reference fields are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// With the record, on creation and later.
    Inline,
    /// With the record on creation; on existing records in calls of their own.
    InlineOnCreate {
        /// Links that one call covers.
        per_call: u32,
    },
    /// In calls of their own.
    Separate {
        /// Links that one call covers.
        per_call: u32,
    },
}

/// An amount that a request takes from a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The limit's name.
    pub limit: &'static str,
    /// How much, in the limit's unit (calls, tokens).
    pub amount: u32,
}

/// A limit on calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name: `burst`, `daily`, `search`.
    pub name: &'static str,
    /// How much is allowed within the span.
    pub amount: u64,
    /// The span.
    pub span: Span,
}

/// The span of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// A rolling window of this many milliseconds.
    Rolling(u64),
    /// A day, ending at midnight in the account's time zone.
    Day,
}

impl Capabilities {
    /// What can be done with `object`; whether an account has an object of a customer's is not asked.
    pub fn object(&self, object: &str) -> Option<&ObjectCapabilities> {
        let custom = || self.custom.as_ref().filter(|custom| custom.named.fits(object)).map(|custom| &custom.can);
        self.objects.iter().find(|have| have.object == *object).or_else(custom)
    }
}

impl Charge {
    /// `amount` of `limit`.
    pub const fn of(limit: &'static str, amount: u32) -> Self {
        Self { limit, amount }
    }
}

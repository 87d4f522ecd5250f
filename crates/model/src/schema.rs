//! What a system says about itself: account, users, objects, fields.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{FieldName, ObjectName, UserId};

/// An object's fields as the system describes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The object.
    pub object: ObjectName,
    /// What the system's users call it.
    pub label: String,
    /// Its fields, relations included, in the system's order.
    pub fields: Vec<Field>,
    /// The field by which people tell its records from each other, where the system says which it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<FieldName>,
    /// Whether its records carry bytes (files).
    pub content: bool,
    /// What the dialect that described it needs to know again, in its own words; nobody else reads it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub own: BTreeMap<String, String>,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The API's name.
    pub name: FieldName,
    /// What users call it.
    pub label: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether a record cannot be created without it.
    pub required: bool,
    /// Whether it can be written.
    pub writable: Writable,
    /// Whether the system refuses a second record with the same value.
    pub unique: bool,
    /// Whether the customer made it (as opposed to the vendor).
    pub custom: bool,
    /// What reading it costs.
    pub read: ReadCost,
    /// Whether the system reads a number that was cleared, or never given, as zero.
    pub blank_is_zero: bool,
}

/// When a field can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Writable {
    /// On creation and later.
    Always,
    /// On creation only.
    OnCreate,
    /// Never: the system fills it.
    Never,
}

/// What reading a field costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadCost {
    /// It comes with the list of records.
    Listed,
    /// It is read in extra calls, `per_call` records each (`Operation::Enrich`).
    Extra {
        /// Records that one call covers.
        per_call: u32,
        /// Dear fields are read only when the project asks for them by name.
        opt_in: bool,
        /// A list that is asked for the field brings it for records whose listed number `field` is not
        /// greater than `than` (a deal whose only participant is its main person); the extra call is made
        /// for records without it.
        only_above: Option<Above>,
    },
}

/// A listed number that tells whether an extra call is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Above {
    /// The listed field.
    pub field: FieldName,
    /// The call is needed for greater numbers.
    pub than: u32,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Text of at most `max` characters.
    Text {
        /// The longest text that the system takes, in characters.
        max: Option<u32>,
        /// Whether the text is HTML.
        html: bool,
    },
    /// True or false.
    Bool,
    /// A number.
    Number,
    /// A day.
    Date,
    /// An instant.
    DateTime,
    /// A time of day.
    Time,
    /// One or several of a list.
    Choice {
        /// The list.
        options: Arc<[Choice]>,
        /// Whether a record may have several.
        many: bool,
    },
    /// A user of the system.
    User,
    /// One or several records of an object.
    Reference {
        /// The object that is pointed to.
        object: ObjectName,
        /// Whether a record may point to several.
        many: bool,
    },
    /// E-mail addresses: a text, or with `many` a list of maps `{value, label, primary}`.
    Email {
        /// Whether it is a list.
        many: bool,
    },
    /// Phone numbers: a text, or with `many` a list of maps `{value, label, primary}`.
    Phone {
        /// Whether it is a list.
        many: bool,
    },
    /// An ISO 4217 currency code.
    Currency,
    /// Something that is carried as it is and that only its own platform reads.
    Opaque,
}

/// One entry of a choice field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What the API takes.
    pub value: String,
    /// What users read. For stages `Pipeline: Stage`.
    pub label: String,
    /// The value of the choice field that this entry belongs to (a stage's pipeline).
    pub within: Option<String>,
}

/// A person to whom records are assigned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The id that records carry.
    pub id: UserId,
    /// The address by which users of two systems are paired.
    pub email: String,
    /// The name.
    pub name: String,
    /// Whether records can be assigned to this user.
    pub active: bool,
}

/// The account behind a system's credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What identifies it for ever: a state made with another account is refused.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Currencies that its records may use.
    pub currencies: Vec<String>,
    /// Its time zone, an IANA name.
    pub time_zone: String,
    /// What the credentials lack, in the platform's own words (missing scopes, no admin rights).
    pub lacks: Vec<String>,
    /// The daily allowance that the account reports, in calls or the platform's own unit.
    pub daily_limit: Option<u64>,
    /// The user who gets the records that name nobody, on platforms where every record is somebody's.
    pub fallback_user: Option<UserId>,
}

/// Something in the target that acts on its own when records are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Automation {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// The object it acts on, where the platform tells.
    pub object: Option<ObjectName>,
}

impl Schema {
    /// A field by its name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == *name)
    }
}

impl Kind {
    /// The word for it in messages.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Text { html: true, .. } => "HTML text",
            Self::Text { .. } => "text",
            Self::Bool => "yes/no",
            Self::Number => "number",
            Self::Date => "date",
            Self::DateTime => "date and time",
            Self::Time => "time",
            Self::Choice { many: false, .. } => "choice",
            Self::Choice { many: true, .. } => "multiple choice",
            Self::User => "user",
            Self::Reference { many: false, .. } => "link",
            Self::Reference { many: true, .. } => "links",
            Self::Email { .. } => "e-mail",
            Self::Phone { .. } => "phone",
            Self::Currency => "currency",
            Self::Opaque => "opaque",
        }
    }

    /// The object that a reference points to.
    pub fn referenced(&self) -> Option<&ObjectName> {
        match self {
            Self::Reference { object, .. } => Some(object),
            _ => None,
        }
    }
}

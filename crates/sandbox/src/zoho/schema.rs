//! Modules, fields, layouts and pipelines (sheet: section 3).

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::world::Id;

/// What a field holds; the words are the API's `data_type` (sheet: section 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    #[default]
    Text,
    Textarea,
    Email,
    Phone,
    Website,
    Picklist,
    #[serde(rename = "multiselectpicklist")]
    Multipick,
    Date,
    Datetime,
    Integer,
    Bigint,
    Currency,
    Double,
    Percent,
    Boolean,
    Lookup,
    Ownerlookup,
    Userlookup,
    Multiselectlookup,
    Subform,
    Autonumber,
    Formula,
    Fileupload,
    #[serde(rename = "Tag")]
    Tag,
    Layout,
    #[serde(rename = "participants")]
    Participants,
}

impl Kind {
    /// The word of the API; none for a word that is no kind.
    pub(super) fn of(word: &str) -> Option<Self> {
        serde_json::from_value(Json::String(word.to_owned())).ok()
    }

    /// `data_type`.
    pub(super) fn word(self) -> String {
        serde_json::to_value(self).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// `json_type` (sheet: section 3).
    pub(super) fn json_type(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Currency | Self::Double | Self::Percent => "double",
            Self::Boolean => "boolean",
            Self::Lookup | Self::Ownerlookup | Self::Userlookup | Self::Layout => "jsonobject",
            Self::Multipick
            | Self::Multiselectlookup
            | Self::Subform
            | Self::Fileupload
            | Self::Tag
            | Self::Participants => "jsonarray",
            _ => "string",
        }
    }

    /// Whether its value names one other record or user.
    pub(super) fn points(self) -> bool {
        matches!(self, Self::Lookup | Self::Ownerlookup | Self::Userlookup)
    }

    /// Whether its value is a user.
    pub(super) fn is_user(self) -> bool {
        matches!(self, Self::Ownerlookup | Self::Userlookup)
    }

    /// Whether it is read only with one record and not in lists (sheet: section 4).
    pub(super) fn single_only(self) -> bool {
        matches!(self, Self::Subform | Self::Multiselectlookup)
    }
}

/// A value of a picklist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Pick {
    pub(super) id: Id,
    pub(super) display: String,
    pub(super) actual: String,
    /// No longer offered.
    pub(super) unused: bool,
    /// Stages of deals: percent.
    pub(super) probability: Option<u32>,
    /// Stages of deals: `Open`, `Closed Won`, `Closed Lost`.
    pub(super) forecast: Option<String>,
}

/// A field of a module.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Field {
    pub(super) id: Id,
    pub(super) api_name: String,
    pub(super) label: String,
    pub(super) data_type: Kind,
    /// Characters, or digits.
    pub(super) length: usize,
    pub(super) decimals: usize,
    /// `system_mandatory`.
    pub(super) mandatory: bool,
    /// The API may not set it.
    pub(super) read_only: bool,
    pub(super) custom: bool,
    pub(super) unique: bool,
    pub(super) case_sensitive: bool,
    /// `org` or `user`: it is an external id.
    pub(super) external: Option<String>,
    /// The module that a lookup points to, or the module of a subform's rows.
    pub(super) module: Option<String>,
    pub(super) picks: Vec<Pick>,
    /// Only the values of the picklist are taken, whatever the settings say.
    pub(super) restricted: bool,
    /// `small`, `large`, `rich_text`.
    pub(super) textarea: Option<String>,
    pub(super) default: Option<Json>,
    /// A standard field that a world file or a call changed.
    pub(super) changed: bool,
}

impl Field {
    /// The value whose actual value is this text, or whose display value is it.
    pub(super) fn pick(&self, text: &str, by_display: bool) -> Option<&Pick> {
        let actual = self.picks.iter().find(|pick| pick.actual == text);
        actual.or_else(|| self.picks.iter().find(|pick| by_display && pick.display == text))
    }

    /// Whether records are found by its value.
    pub(super) fn indexed(&self) -> bool {
        self.unique || self.external.is_some() || self.data_type == Kind::Lookup || self.data_type == Kind::Email
    }
}

/// A pipeline of deals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Pipeline {
    pub(super) id: Id,
    pub(super) display: String,
    pub(super) actual: String,
    pub(super) default: bool,
    /// Actual values of its stages, in order.
    pub(super) stages: Vec<String>,
}

/// A layout of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Layout {
    pub(super) id: Id,
    pub(super) name: String,
    /// Fields that this layout requires beside those that the system requires.
    pub(super) required: Vec<String>,
    pub(super) pipelines: Vec<Pipeline>,
}

/// A list of related records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Related {
    pub(super) id: Id,
    pub(super) api_name: String,
    pub(super) label: String,
    /// The module whose records it lists.
    pub(super) module: String,
    /// The lookup that makes a record one of the list; none where both are linked.
    pub(super) lookup: Option<String>,
}

/// A module.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Module {
    pub(super) id: Id,
    pub(super) api_name: String,
    pub(super) singular: String,
    pub(super) plural: String,
    /// `default`, `custom`, `subform`, `linking`.
    pub(super) generated: String,
    /// The field whose value names a record.
    pub(super) display: String,
    /// The field that an upsert looks for without being told (sheet: section 5, upsert).
    pub(super) key: Option<String>,
    pub(super) fields: Vec<Field>,
    pub(super) layouts: Vec<Layout>,
    pub(super) related: Vec<Related>,
}

impl Module {
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.api_name == name)
    }

    pub(super) fn layout(&self, id: Id) -> Option<&Layout> {
        self.layouts.iter().find(|layout| layout.id == id)
    }

    /// Whether its records are found by this field's value.
    pub(super) fn indexes(&self, field: &Field) -> bool {
        field.indexed() || self.key.as_deref() == Some(field.api_name.as_str())
    }

    /// Whether records of it stand on their own.
    pub(super) fn is_record(&self) -> bool {
        matches!(self.generated.as_str(), "default" | "custom")
    }

    /// The word that scopes have for it (sheet: section 1).
    pub(super) fn scope(&self) -> String {
        match self.generated.as_str() {
            "custom" | "linking" => "custom".to_owned(),
            _ => self.api_name.replace('_', "").to_lowercase(),
        }
    }

    /// Whether people merge its records (sheet: section 2, merge).
    pub(super) fn mergeable(&self) -> bool {
        self.generated == "custom"
            || matches!(self.api_name.as_str(), "Leads" | "Contacts" | "Accounts" | "Deals" | "Vendors")
    }

    /// Whether it can be upserted (sheet: section 5, upsert).
    pub(super) fn upserts(&self) -> bool {
        self.is_record() && !matches!(self.api_name.as_str(), "Tasks" | "Events" | "Calls" | "Notes" | "Attachments")
    }

    /// Whether it is one of the activities, which hang on What and Who.
    pub(super) fn is_activity(&self) -> bool {
        matches!(self.api_name.as_str(), "Tasks" | "Events" | "Calls")
    }
}

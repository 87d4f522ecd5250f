//! What becomes of a record whose counterpart was deleted, merged into another record, or left its flow.

use serde::{Deserialize, Serialize};

use crate::{FieldName, Value};

/// One of a flow's two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Where records come from.
    Source,
    /// Where they go.
    Target,
}

/// A flow's rules for what was deleted and merged, and for what left it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removals {
    /// What becomes of the counterpart of a record that was deleted.
    pub deletes: Deletes,
    /// What becomes of the counterparts of records that became one.
    pub merges: Merges,
    /// What becomes of a pair whose source record the flow's condition does not hold for any more.
    #[serde(default)]
    pub leaves: Leaves,
}

/// What becomes of the counterpart of a record that was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deletes {
    /// A person decides.
    #[default]
    Ask,
    /// It stays as it is.
    Ignore,
    /// It is deleted where the platform keeps what is deleted for a while; else a person decides.
    Archive,
    /// It is deleted.
    Delete,
    /// It stays and gets a mark.
    Mark {
        /// The field that is written.
        field: FieldName,
        /// What is written into it.
        value: Value,
    },
}

/// What becomes of the counterparts of records that became one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merges {
    /// A person decides.
    #[default]
    Ask,
    /// They are merged as well; the counterpart of the surviving record survives.
    Carry,
}

/// What becomes of a pair whose source record the flow's condition does not hold for any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaves {
    /// A person decides; until then neither record is touched.
    #[default]
    Ask,
    /// It goes on as before: the condition says only which records begin.
    Carry,
    /// Both records stay as they are.
    Ignore,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Source, Self::Target];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
        }
    }

    /// The other one.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Source => Self::Target,
            Self::Target => Self::Source,
        }
    }
}

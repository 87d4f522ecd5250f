//! Tables, columns, keys and relationships: what metadata tells, and what every read and write is judged by.
//!
//! Logical names are lower case and exact; a lookup is read as `_name_value` and written by its navigation property.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A column's kind (sheet: section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    String,
    Memo,
    Integer,
    BigInt,
    Decimal,
    Double,
    Money,
    DateTime,
    Lookup,
    Customer,
    Owner,
    Picklist,
    MultiSelect,
    State,
    Status,
    Boolean,
    Guid,
    EntityName,
}

impl Kind {
    /// `AttributeType`.
    pub(super) fn attribute_type(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Memo => "Memo",
            Self::Integer => "Integer",
            Self::BigInt => "BigInt",
            Self::Decimal => "Decimal",
            Self::Double => "Double",
            Self::Money => "Money",
            Self::DateTime => "DateTime",
            Self::Lookup => "Lookup",
            Self::Customer => "Customer",
            Self::Owner => "Owner",
            Self::Picklist => "Picklist",
            Self::MultiSelect => "Virtual",
            Self::State => "State",
            Self::Status => "Status",
            Self::Boolean => "Boolean",
            Self::Guid => "Uniqueidentifier",
            Self::EntityName => "EntityName",
        }
    }

    /// The stem of the metadata type and of `AttributeTypeName`.
    pub(super) fn stem(self) -> &'static str {
        match self {
            Self::MultiSelect => "MultiSelectPicklist",
            other => other.attribute_type(),
        }
    }

    /// The metadata type: customers and owners are lookups there.
    pub(super) fn metadata(self) -> String {
        let stem = match self {
            Self::Customer | Self::Owner => "Lookup",
            Self::Guid => "UniqueIdentifier",
            other => other.stem(),
        };
        format!("{stem}AttributeMetadata")
    }

    pub(super) fn edm(self) -> &'static str {
        match self {
            Self::String | Self::Memo | Self::MultiSelect | Self::EntityName => "Edm.String",
            Self::Integer | Self::Picklist | Self::State | Self::Status => "Edm.Int32",
            Self::BigInt => "Edm.Int64",
            Self::Decimal | Self::Money => "Edm.Decimal",
            Self::Double => "Edm.Double",
            Self::DateTime => "Edm.DateTimeOffset",
            Self::Lookup | Self::Customer | Self::Owner | Self::Guid => "Edm.Guid",
            Self::Boolean => "Edm.Boolean",
        }
    }

    pub(super) fn is_lookup(self) -> bool {
        matches!(self, Self::Lookup | Self::Customer | Self::Owner)
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::String | Self::Memo | Self::EntityName)
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::BigInt | Self::Decimal | Self::Double | Self::Money)
    }
}

/// What happens to times of a column (sheet: section 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Behavior {
    #[default]
    UserLocal,
    DateOnly,
    TimeZoneIndependent,
}

/// How much a column is required.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Required {
    #[default]
    None,
    Recommended,
    Application,
    System,
}

impl Required {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Recommended => "Recommended",
            Self::Application => "ApplicationRequired",
            Self::System => "SystemRequired",
        }
    }
}

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Choice {
    pub(super) value: i64,
    pub(super) label: String,
    /// For a status: the state that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<i64>,
}

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) schema_name: String,
    pub(super) label: String,
    pub(super) kind: Kind,
    pub(super) max_length: usize,
    pub(super) precision: u8,
    /// 0: its own precision; 2: the currency's.
    pub(super) precision_source: u8,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) format: &'static str,
    pub(super) behavior: Behavior,
    pub(super) required: Required,
    pub(super) create: bool,
    pub(super) update: bool,
    pub(super) read: bool,
    pub(super) choices: Vec<Choice>,
    /// The choices are the organization's own set of this name.
    pub(super) global_choices: Option<String>,
    pub(super) targets: Vec<String>,
    pub(super) custom: bool,
    /// 0 simple, 1 calculated, 2 rollup.
    pub(super) source_type: u8,
    pub(super) default: Option<Json>,
    /// For a money column's amount in the base currency: the column.
    pub(super) base_of: Option<String>,
}

impl Attribute {
    pub(super) fn new(schema_name: &str, kind: Kind) -> Self {
        let (min, max) = match kind {
            Kind::Integer => (-2_147_483_648.0, 2_147_483_647.0),
            Kind::Decimal | Kind::Double => (-100_000_000_000.0, 100_000_000_000.0),
            _ => (-922_337_203_685_477.0, 922_337_203_685_477.0),
        };
        let format = match kind {
            Kind::String => "Text",
            Kind::Memo => "TextArea",
            Kind::DateTime => "DateAndTime",
            _ => "None",
        };
        Self {
            name: schema_name.to_lowercase(),
            schema_name: schema_name.to_owned(),
            label: humanised(schema_name),
            kind,
            max_length: if kind == Kind::Memo { 2_000 } else { 100 },
            precision: if kind == Kind::Decimal || kind == Kind::Double || kind == Kind::Money { 2 } else { 0 },
            precision_source: if kind == Kind::Money { 2 } else { 0 },
            min,
            max,
            format,
            behavior: Behavior::UserLocal,
            required: Required::None,
            create: true,
            update: true,
            read: true,
            choices: Vec::new(),
            global_choices: None,
            targets: Vec::new(),
            custom: false,
            source_type: 0,
            default: None,
            base_of: None,
        }
    }

    pub(super) fn read_only(mut self) -> Self {
        (self.create, self.update) = (false, false);
        self
    }

    /// The property under which the column is read.
    pub(super) fn property(&self) -> String {
        if self.kind.is_lookup() { format!("_{}_value", self.name) } else { self.name.clone() }
    }

    pub(super) fn edm(&self) -> &'static str {
        if self.kind == Kind::DateTime && self.behavior == Behavior::DateOnly { "Edm.Date" } else { self.kind.edm() }
    }

    pub(super) fn choice(&self, value: i64) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.value == value)
    }
}

/// `AccountNumber` as a label: `Account Number`.
fn humanised(schema_name: &str) -> String {
    let stem = schema_name.split_once('_').filter(|(prefix, _)| prefix.len() < 9).map_or(schema_name, |(_, rest)| rest);
    let mut label = String::new();
    let mut before = ' ';
    for letter in stem.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            label.push(' ');
        }
        label.push(if letter == '_' { ' ' } else { letter });
        before = letter;
    }
    label
}

/// An alternate key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    pub(super) schema_name: String,
    pub(super) columns: Vec<String>,
    /// When its index is built; it stands in no world file that people write.
    #[serde(default)]
    pub(super) active_at: i64,
    /// Its index could not be built: there are duplicates.
    #[serde(default)]
    pub(super) failed: bool,
}

impl Key {
    pub(super) fn name(&self) -> String {
        self.schema_name.to_lowercase()
    }

    pub(super) fn status(&self, at: i64) -> &'static str {
        match self.failed {
            true => "Failed",
            false if self.active_at <= at => "Active",
            false => "Pending",
        }
    }
}

/// Who owns rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ownership {
    User,
    Organization,
    None,
}

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Entity {
    pub(super) name: String,
    pub(super) schema_name: String,
    pub(super) set: String,
    pub(super) code: u32,
    pub(super) label: String,
    pub(super) plural: String,
    pub(super) primary_id: String,
    pub(super) primary_name: Option<String>,
    pub(super) ownership: Ownership,
    pub(super) activity: bool,
    pub(super) custom: bool,
    pub(super) tracked: bool,
    pub(super) mergeable: bool,
    /// Rows are made and changed by requests of their own.
    pub(super) writable: bool,
    /// A table of pairs, written by associating alone.
    pub(super) intersect: bool,
    /// Whether CreateMultiple and its like exist.
    pub(super) bulk: bool,
    pub(super) attributes: Vec<Attribute>,
    by_name: BTreeMap<String, usize>,
    pub(super) keys: Vec<Key>,
}

impl Entity {
    pub(super) fn new(schema_name: &str, set: &str, code: u32) -> Self {
        let name = schema_name.to_lowercase();
        Self {
            primary_id: format!("{name}id"),
            name,
            schema_name: schema_name.to_owned(),
            set: set.to_owned(),
            code,
            label: humanised(schema_name),
            plural: humanised(schema_name),
            primary_name: None,
            ownership: Ownership::Organization,
            activity: false,
            custom: false,
            tracked: false,
            mergeable: false,
            writable: true,
            intersect: false,
            bulk: true,
            attributes: Vec::new(),
            by_name: BTreeMap::new(),
            keys: Vec::new(),
        }
    }

    /// Adds a column, or replaces the one of its name.
    pub(super) fn push(&mut self, attribute: Attribute) {
        match self.by_name.get(&attribute.name) {
            Some(&at) => {
                if let Some(slot) = self.attributes.get_mut(at) {
                    *slot = attribute;
                }
            }
            None => {
                self.by_name.insert(attribute.name.clone(), self.attributes.len());
                self.attributes.push(attribute);
            }
        }
    }

    /// A column by its logical name.
    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.get(*self.by_name.get(name)?)
    }

    pub(super) fn attribute_mut(&mut self, name: &str) -> Option<&mut Attribute> {
        self.attributes.get_mut(*self.by_name.get(name)?)
    }

    /// A column by the property under which it is read.
    pub(super) fn property(&self, property: &str) -> Option<&Attribute> {
        match property.strip_prefix('_').and_then(|rest| rest.strip_suffix("_value")) {
            Some(name) => self.attribute(name).filter(|attribute| attribute.kind.is_lookup()),
            None => self.attribute(property).filter(|attribute| !attribute.kind.is_lookup() && attribute.read),
        }
    }

    /// Whether rows are found by the values of a column.
    pub(super) fn indexed(&self, attribute: &Attribute) -> bool {
        attribute.kind.is_lookup() || self.keys.iter().any(|key| key.columns.contains(&attribute.name))
    }

    pub(super) fn default_status(&self, state: i64) -> Option<i64> {
        let status = self.attribute("statuscode")?;
        status.choices.iter().find(|choice| choice.state == Some(state)).map(|choice| choice.value)
    }
}

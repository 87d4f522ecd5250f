//! Property definitions, their groups, and the schema of one kind.
//!
//! A property never changes its index, also when it is archived: records refer to it by index.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value as Json;

use super::instant::iso;

/// Index of a property within its kind.
pub(crate) type PropIx = u16;

/// The value type of a property (sheet: HubSpot section 3 \[doc D4\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueType {
    Bool,
    Enumeration,
    Date,
    DateTime,
    Text,
    Number,
    PhoneNumber,
    /// `object_coordinates`, `json`: internal, not creatable.
    Internal,
}

impl ValueType {
    /// The name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Enumeration => "enumeration",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Text => "string",
            Self::Number => "number",
            Self::PhoneNumber => "phone_number",
            Self::Internal => "json",
        }
    }

    /// From the name on the wire.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "bool" => Self::Bool,
            "enumeration" => Self::Enumeration,
            "date" => Self::Date,
            "datetime" => Self::DateTime,
            "string" => Self::Text,
            "number" => Self::Number,
            "phone_number" => Self::PhoneNumber,
            "json" | "object_coordinates" => Self::Internal,
            _ => return None,
        })
    }

    /// The field types that go with it (sheet: section 3 \[doc D4\]).
    pub(crate) fn field_types(self) -> &'static [&'static str] {
        match self {
            Self::Bool => &["booleancheckbox", "calculation_equation"],
            Self::Enumeration => &["booleancheckbox", "checkbox", "radio", "select", "calculation_equation"],
            Self::Date | Self::DateTime => &["date"],
            Self::Text => &["file", "text", "textarea", "calculation_equation", "html", "phonenumber"],
            Self::Number => &["number", "calculation_equation"],
            Self::PhoneNumber => &["phonenumber"],
            Self::Internal => &[],
        }
    }
}

/// One option of an enumeration.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Choice {
    /// Shown.
    pub(crate) label: String,
    /// Stored.
    pub(crate) value: String,
    /// Position; -1 puts it last.
    #[serde(default)]
    pub(crate) display_order: i64,
    /// Not offered in forms.
    #[serde(default)]
    pub(crate) hidden: bool,
    /// Free text.
    #[serde(default)]
    pub(crate) description: String,
}

/// One property definition.
#[derive(Clone, Debug)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) description: String,
    pub(crate) group: String,
    pub(crate) value_type: ValueType,
    pub(crate) field_type: String,
    pub(crate) options: Vec<Choice>,
    pub(crate) display_order: i64,
    pub(crate) unique: bool,
    pub(crate) hidden: bool,
    pub(crate) form_field: bool,
    pub(crate) calculated: bool,
    pub(crate) hubspot_defined: bool,
    pub(crate) external_options: bool,
    pub(crate) referenced: Option<String>,
    pub(crate) show_currency_symbol: bool,
    pub(crate) currency_property: Option<String>,
    pub(crate) sensitivity: String,
    pub(crate) read_only_value: bool,
    pub(crate) read_only_definition: bool,
    pub(crate) created_at: Option<i64>,
    pub(crate) updated_at: Option<i64>,
    pub(crate) archived_at: Option<i64>,
}

impl Property {
    /// A custom text property; the caller sets the rest.
    pub(crate) fn custom(name: &str, label: &str, group: &str, value_type: ValueType, field_type: &str) -> Self {
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            description: String::new(),
            group: group.to_owned(),
            value_type,
            field_type: field_type.to_owned(),
            options: Vec::new(),
            display_order: -1,
            unique: false,
            hidden: false,
            form_field: false,
            calculated: false,
            hubspot_defined: false,
            external_options: false,
            referenced: None,
            show_currency_symbol: false,
            currency_property: None,
            sensitivity: "non_sensitive".to_owned(),
            read_only_value: false,
            read_only_definition: false,
            created_at: None,
            updated_at: None,
            archived_at: None,
        }
    }

    /// Whether several options may be chosen at once.
    pub(crate) fn is_multiple(&self) -> bool {
        self.value_type == ValueType::Enumeration && self.field_type == "checkbox"
    }

    /// The definition as a world file has it.
    pub(crate) fn json(&self) -> Json {
        serde_json::to_value(self.shown(None, self.read_only_value)).unwrap_or_default()
    }

    /// The definition as the API returns it, with other options where they are made of something else.
    pub(crate) fn shown(&self, options: Option<Vec<Choice>>, read_only_value: bool) -> Shown<'_> {
        Shown {
            archived: self.archived_at.is_some(),
            archived_at: self.archived_at.map(iso),
            calculated: self.calculated,
            created_at: self.created_at.map(iso),
            currency_property_name: self.currency_property.as_deref(),
            data_sensitivity: &self.sensitivity,
            description: &self.description,
            display_order: self.display_order,
            external_options: self.external_options,
            field_type: &self.field_type,
            form_field: self.form_field,
            group_name: &self.group,
            has_unique_value: self.unique,
            hidden: self.hidden,
            hubspot_defined: self.hubspot_defined.then_some(true),
            label: &self.label,
            modification_metadata: Modification {
                archivable: !self.hubspot_defined,
                read_only_definition: self.read_only_definition,
                read_only_options: self.read_only_definition,
                read_only_value,
            },
            name: &self.name,
            options: options.map_or(Cow::Borrowed(&self.options), Cow::Owned),
            referenced_object_type: self.referenced.as_deref(),
            show_currency_symbol: self.show_currency_symbol.then_some(true),
            value_type: self.value_type.name(),
            updated_at: self.updated_at.map(iso),
        }
    }
}

/// A definition as the API returns it. Lists have hundreds of them: they are written without a tree in between.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown<'p> {
    archived: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived_at: Option<String>,
    calculated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency_property_name: Option<&'p str>,
    data_sensitivity: &'p str,
    description: &'p str,
    display_order: i64,
    external_options: bool,
    field_type: &'p str,
    form_field: bool,
    group_name: &'p str,
    has_unique_value: bool,
    hidden: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    hubspot_defined: Option<bool>,
    label: &'p str,
    modification_metadata: Modification,
    name: &'p str,
    options: Cow<'p, [Choice]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    referenced_object_type: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    show_currency_symbol: Option<bool>,
    #[serde(rename = "type")]
    value_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
}

/// What may be changed of a definition.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Modification {
    archivable: bool,
    read_only_definition: bool,
    read_only_options: bool,
    read_only_value: bool,
}

/// One property group.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) label: String,
    #[serde(default = "last")]
    pub(crate) display_order: i64,
    #[serde(default)]
    pub(crate) archived: bool,
}

fn last() -> i64 {
    -1
}

/// The properties and groups of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    properties: Vec<Property>,
    by_name: HashMap<String, PropIx>,
    /// Groups in display order.
    pub(crate) groups: Vec<Group>,
}

impl Schema {
    /// The index of a property, archived ones included.
    pub(crate) fn index(&self, name: &str) -> Option<PropIx> {
        self.by_name.get(name).copied()
    }

    /// The index of a property that is not archived.
    pub(crate) fn live_index(&self, name: &str) -> Option<PropIx> {
        self.index(name).filter(|&ix| self.get(ix).is_some_and(|p| p.archived_at.is_none()))
    }

    /// A property that is not archived.
    pub(crate) fn live(&self, name: &str) -> Option<&Property> {
        self.live_index(name).and_then(|ix| self.get(ix))
    }

    /// By index.
    pub(crate) fn get(&self, ix: PropIx) -> Option<&Property> {
        self.properties.get(usize::from(ix))
    }

    /// By index, to change it.
    pub(crate) fn get_mut(&mut self, ix: PropIx) -> Option<&mut Property> {
        self.properties.get_mut(usize::from(ix))
    }

    /// Adds or replaces by name; the index of an existing name stays.
    pub(crate) fn put(&mut self, property: Property) -> PropIx {
        if let Some(ix) = self.index(&property.name) {
            if let Some(slot) = self.get_mut(ix) {
                *slot = property;
            }
            return ix;
        }
        let ix = u16::try_from(self.properties.len()).unwrap_or(u16::MAX);
        self.by_name.insert(property.name.clone(), ix);
        self.properties.push(property);
        ix
    }

    /// Every property with its index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PropIx, &Property)> {
        self.properties.iter().enumerate().map(|(i, p)| (u16::try_from(i).unwrap_or(u16::MAX), p))
    }

    /// A group that is not archived.
    pub(crate) fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|g| g.name == name && !g.archived)
    }
}

//! Property definitions, their groups, and the schema of one kind.
//!
//! A property never changes its index, also when it is archived: records refer to it by index.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

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

    /// The definition as the API returns it.
    pub(crate) fn json(&self) -> Json {
        let mut out = Map::new();
        if let Some(at) = self.created_at {
            out.insert("createdAt".into(), iso(at).into());
        }
        if let Some(at) = self.updated_at {
            out.insert("updatedAt".into(), iso(at).into());
        }
        let fields = json!({
            "name": self.name, "label": self.label, "type": self.value_type.name(),
            "fieldType": self.field_type, "description": self.description, "groupName": self.group,
            "options": self.options, "displayOrder": self.display_order, "calculated": self.calculated,
            "externalOptions": self.external_options, "archived": self.archived_at.is_some(),
            "hasUniqueValue": self.unique, "hidden": self.hidden, "formField": self.form_field,
            "dataSensitivity": self.sensitivity,
            "modificationMetadata": {
                "archivable": !self.hubspot_defined, "readOnlyDefinition": self.read_only_definition,
                "readOnlyOptions": self.read_only_definition, "readOnlyValue": self.read_only_value},
        });
        if let Json::Object(fields) = fields {
            out.extend(fields);
        }
        if self.hubspot_defined {
            out.insert("hubspotDefined".into(), true.into());
        }
        if let Some(at) = self.archived_at {
            out.insert("archivedAt".into(), iso(at).into());
        }
        if let Some(referenced) = &self.referenced {
            out.insert("referencedObjectType".into(), referenced.clone().into());
        }
        if self.show_currency_symbol {
            out.insert("showCurrencySymbol".into(), true.into());
        }
        if let Some(currency) = &self.currency_property {
            out.insert("currencyPropertyName".into(), currency.clone().into());
        }
        Json::Object(out)
    }
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

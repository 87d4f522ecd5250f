//! The JSON shapes of a world file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{WorldError, wrong};
use crate::hubspot::access::{Issued, OauthApp, PrivateToken};
use crate::hubspot::call::id_text;
use crate::hubspot::instant;
use crate::hubspot::portal::{Account, Owner, Pipeline};
use crate::hubspot::property::{Choice, Group, Property, ValueType};
use crate::hubspot::record::Source;
use crate::hubspot::settings::Settings;
use crate::hubspot::webhooks::WebhookApp;
use crate::hubspot::world::{FollowUp, FollowUpAction, World};

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorldFile {
    pub(super) platform: String,
    #[serde(default)]
    pub(super) account: Account,
    #[serde(default)]
    pub(super) settings: Settings,
    pub(super) tokens: Option<Vec<PrivateToken>>,
    pub(super) oauth_apps: Option<Vec<OauthApp>>,
    #[serde(default)]
    pub(super) issued_tokens: BTreeMap<String, Issued>,
    pub(super) owners: Option<Vec<Owner>>,
    #[serde(default)]
    pub(super) pipelines: BTreeMap<String, Vec<Pipeline>>,
    #[serde(default)]
    pub(super) property_groups: BTreeMap<String, Vec<Group>>,
    #[serde(default)]
    pub(super) properties: BTreeMap<String, Vec<PropertyEntry>>,
    #[serde(default)]
    pub(super) custom_objects: Vec<CustomObject>,
    #[serde(default)]
    pub(super) objects: BTreeMap<String, Vec<ObjectEntry>>,
    #[serde(default)]
    pub(super) association_labels: Vec<LabelEntry>,
    #[serde(default)]
    pub(super) associations: Vec<AssociationEntry>,
    #[serde(default)]
    pub(super) files: Vec<FileEntry>,
    #[serde(default)]
    pub(super) workflows: Vec<Json>,
    #[serde(default)]
    pub(super) webhooks: Vec<WebhookApp>,
    #[serde(default)]
    pub(super) property_validations: BTreeMap<String, Vec<Json>>,
    #[serde(default)]
    pub(super) erased_emails: BTreeSet<String>,
    #[serde(default)]
    pub(super) merged: BTreeMap<String, BTreeMap<u64, u64>>,
    #[serde(default)]
    pub(super) follow_ups: Vec<FollowUpEntry>,
    /// Start of the day and requests of it.
    #[serde(default)]
    pub(super) day: Option<(i64, u64)>,
    #[serde(default)]
    pub(super) counters: BTreeMap<String, u64>,
}

/// A custom object.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CustomObject {
    pub(super) object_type_id: String,
    pub(super) name: String,
    pub(super) plural: String,
    #[serde(default)]
    pub(super) required_properties: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) plural_label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) primary_display_property: Option<String>,
}

/// A property definition, in the shape of the API; what is not known of it is ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PropertyEntry {
    pub(super) name: String,
    label: Option<String>,
    #[serde(rename = "type")]
    value_type: Option<String>,
    field_type: Option<String>,
    group_name: Option<String>,
    description: Option<String>,
    options: Option<Vec<Choice>>,
    display_order: Option<i64>,
    has_unique_value: Option<bool>,
    hidden: Option<bool>,
    form_field: Option<bool>,
    calculated: Option<bool>,
    external_options: Option<bool>,
    referenced_object_type: Option<String>,
    show_currency_symbol: Option<bool>,
    currency_property_name: Option<String>,
    data_sensitivity: Option<String>,
    #[serde(default)]
    modification_metadata: Map<String, Json>,
    created_at: Option<Json>,
    updated_at: Option<Json>,
    archived_at: Option<Json>,
    #[serde(default)]
    archived: bool,
}

impl PropertyEntry {
    /// The definition; `known` is the portal's own property of that name, of which only what is said
    /// here changes.
    pub(super) fn property(self, known: Option<Property>) -> Result<Property, WorldError> {
        let missing = |why| wrong(format!("property {}", self.name), why);
        let mut property = match known {
            Some(known) => known,
            None => {
                let value_type = self.value_type.as_deref().and_then(ValueType::parse);
                let value_type = value_type.ok_or_else(|| missing("has no known type"))?;
                let field_type = self.field_type.as_deref().ok_or_else(|| missing("has no fieldType"))?;
                let group = self.group_name.as_deref().ok_or_else(|| missing("has no groupName"))?;
                let label = self.label.clone().unwrap_or_else(|| self.name.clone());
                Property::custom(&self.name, &label, group, value_type, field_type)
            }
        };
        property.label = self.label.unwrap_or(property.label);
        property.description = self.description.unwrap_or(property.description);
        property.options = self.options.unwrap_or(property.options);
        property.display_order = self.display_order.unwrap_or(property.display_order);
        property.unique = self.has_unique_value.unwrap_or(property.unique);
        property.hidden = self.hidden.unwrap_or(property.hidden);
        property.form_field = self.form_field.unwrap_or(property.form_field);
        property.calculated = self.calculated.unwrap_or(property.calculated);
        property.external_options = self.external_options.unwrap_or(property.external_options);
        property.referenced = self.referenced_object_type.or(property.referenced);
        property.show_currency_symbol = self.show_currency_symbol.unwrap_or(property.show_currency_symbol);
        property.currency_property = self.currency_property_name.or(property.currency_property);
        property.sensitivity = self.data_sensitivity.unwrap_or(property.sensitivity);
        if let Some(read_only) = self.modification_metadata.get("readOnlyValue").and_then(Json::as_bool) {
            property.read_only_value = read_only;
        }
        property.created_at = self.created_at.as_ref().and_then(time).or(property.created_at);
        property.updated_at = self.updated_at.as_ref().and_then(time).or(property.updated_at);
        property.archived_at = self.archived_at.as_ref().and_then(time).or(self.archived.then_some(0));
        Ok(property)
    }
}

/// A time: epoch milliseconds or ISO 8601.
pub(super) fn time(value: &Json) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str().and_then(instant::parse))
}

/// A record.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ObjectEntry {
    id: Json,
    #[serde(default)]
    pub(super) properties: Map<String, Json>,
    pub(super) created_at: Option<Json>,
    pub(super) updated_at: Option<Json>,
    #[serde(default)]
    pub(super) archived: bool,
    pub(super) archived_at: Option<Json>,
    pub(super) origin: Option<Origin>,
    #[serde(default)]
    pub(super) history: Vec<PastEntry>,
}

impl ObjectEntry {
    pub(super) fn id(&self) -> Option<u64> {
        id_text(Some(&self.id))?.parse().ok().filter(|id| *id > 0)
    }
}

/// Who created a record.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Origin {
    pub(super) source_type: String,
    pub(super) source_id: String,
}

impl Origin {
    pub(super) fn source(&self) -> Source {
        Source::parse(&self.source_type, &self.source_id)
    }
}

/// A value that a property took.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PastEntry {
    pub(super) name: String,
    pub(super) value: Option<String>,
    pub(super) at: i64,
    pub(super) source_type: String,
    pub(super) source_id: String,
}

impl PastEntry {
    pub(super) fn source(&self) -> Source {
        Source::parse(&self.source_type, &self.source_id)
    }
}

/// A label in one direction; its inverse is an entry of its own.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LabelEntry {
    pub(super) from_type: String,
    pub(super) to_type: String,
    pub(super) type_id: u32,
    pub(super) inverse_type_id: Option<u32>,
    pub(super) label: Option<String>,
    pub(super) name: String,
}

/// An association, in the direction that says more.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AssociationEntry {
    pub(super) from_type: String,
    pub(super) from_id: Json,
    pub(super) to_type: String,
    pub(super) to_id: Json,
    #[serde(default)]
    pub(super) types: Vec<TypeEntry>,
}

/// A type of an association.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TypeEntry {
    pub(super) category: String,
    pub(super) type_id: u32,
}

/// A file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileEntry {
    pub(super) id: u64,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) extension: Option<String>,
    pub(super) content_base64: String,
    #[serde(default = "private")]
    pub(super) access: String,
    #[serde(default = "root")]
    pub(super) folder: String,
    #[serde(default)]
    pub(super) created_at: Option<i64>,
    #[serde(default)]
    pub(super) updated_at: Option<i64>,
}

fn private() -> String {
    "PRIVATE".to_owned()
}

fn root() -> String {
    "/".to_owned()
}

/// Something that HubSpot will do by itself.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FollowUpEntry {
    pub(super) due: i64,
    pub(super) object: String,
    pub(super) id: u64,
    /// Absent: a company is associated.
    pub(super) property: Option<String>,
    pub(super) value: Option<String>,
    pub(super) workflow: Option<u64>,
}

pub(super) fn follow_ups(world: &World, entries: &[FollowUpEntry]) -> Result<Vec<FollowUp>, WorldError> {
    entries
        .iter()
        .map(|entry| {
            let action = match &entry.property {
                Some(property) => FollowUpAction::Set {
                    property: property.clone(),
                    value: entry.value.clone().unwrap_or_default(),
                    workflow: entry.workflow.unwrap_or(0),
                },
                None => FollowUpAction::AssociateCompany,
            };
            Ok(FollowUp { due: entry.due, kind: super::find(world, &entry.object)?, id: entry.id, action })
        })
        .collect()
}

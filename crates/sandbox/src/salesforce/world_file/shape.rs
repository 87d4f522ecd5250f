//! The shape of a world file.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::salesforce::access::{App, Session};
use crate::salesforce::bulk::Jobs;
use crate::salesforce::instant::Seconds;
use crate::salesforce::org::Org;
use crate::salesforce::rules::{Duplicate, Validation};
use crate::salesforce::schema::{Field, Kind, Object, Pick};
use crate::salesforce::settings::Settings;

/// A world file.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub(super) struct WorldFile {
    pub(super) platform: Option<String>,
    pub(super) seed: Option<u64>,
    pub(super) org: Option<Org>,
    pub(super) settings: Settings,
    pub(super) apps: Vec<App>,
    pub(super) passwords: BTreeMap<String, String>,
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) objects: Vec<ObjectSpec>,
    pub(super) fields: BTreeMap<String, Vec<FieldSpec>>,
    pub(super) validation_rules: Vec<Validation>,
    pub(super) duplicate_rules: Vec<Duplicate>,
    pub(super) records: BTreeMap<String, Vec<Map<String, Json>>>,
    pub(super) complete: bool,
    pub(super) next: BTreeMap<String, u64>,
    pub(super) bin: BTreeMap<String, BinSpec>,
    pub(super) gone: BTreeMap<String, VecDeque<(Seconds, String)>>,
    pub(super) jobs: Jobs,
    pub(super) schema_changed: Seconds,
}

/// A record in the recycle bin.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BinSpec {
    pub(super) object: String,
    pub(super) at: Seconds,
    pub(super) root: String,
    #[serde(default)]
    pub(super) cleared: Vec<(String, String, String)>,
}

/// Objects and fields beside the standard ones.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Specs {
    pub(in super::super) objects: Vec<ObjectSpec>,
    pub(in super::super) fields: BTreeMap<String, Vec<FieldSpec>>,
}

/// A custom object.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in super::super) struct ObjectSpec {
    /// `Invoice__c`.
    pub(in super::super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plural: Option<String>,
    /// The first three characters of its ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prefix: Option<String>,
    /// `INV-{0000}`: its records are numbered instead of named.
    #[serde(skip_serializing_if = "Option::is_none")]
    number_format: Option<String>,
    /// Whether its records have an owner; the details of a master have none. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<bool>,
    pub(super) fields: Vec<FieldSpec>,
}

impl ObjectSpec {
    /// The object with its name and its owner.
    pub(super) fn object(&self, prefix: &str) -> Result<Object, String> {
        let stem = self.name.strip_suffix("__c").ok_or_else(|| format!("{} does not end in __c", self.name))?;
        let label = self.label.clone().unwrap_or_else(|| stem.replace('_', " "));
        let plural = self.plural.clone().unwrap_or_else(|| format!("{label}s"));
        let mut object = Object::new(&self.name, prefix, &label, &plural);
        let mut name = Field::new("Name", Kind::Text);
        name.length = 80;
        name.name_field = true;
        name.id_lookup = true;
        match &self.number_format {
            Some(format) => {
                object.number_format.clone_from(format);
                (name.auto_number, name.defaulted) = (true, true);
            }
            // A record without a name shows its id.
            None => (name.createable, name.updateable, name.nillable) = (true, true, true),
        }
        object.push(name);
        if self.owner != Some(false) {
            let mut owner = Field::new("OwnerId", Kind::Reference);
            (owner.createable, owner.updateable, owner.defaulted) = (true, true, true);
            owner.targets = ["Group", "User"]
                .map(|target| crate::salesforce::schema::Target {
                    object: target.to_owned(),
                    children: None,
                    on_delete: crate::salesforce::schema::OnDelete::Clear,
                })
                .to_vec();
            object.push(owner);
        }
        Ok(object)
    }
}

/// A field beside the standard ones, or what differs in a standard one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in super::super) struct FieldSpec {
    pub(in super::super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) label: Option<String>,
    /// As describe names it: `string`, `picklist`, `reference`, ...
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(in super::super) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) precision: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) scale: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) required: Option<bool>,
    pub(in super::super) unique: bool,
    pub(in super::super) external_id: bool,
    pub(in super::super) case_sensitive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) restricted: Option<bool>,
    pub(in super::super) hidden: bool,
    pub(in super::super) html: bool,
    pub(in super::super) auto_number: bool,
    pub(in super::super) master_detail: bool,
    pub(in super::super) values: Vec<ValueSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) controller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) default: Option<Json>,
    /// The objects that a lookup may point to.
    pub(in super::super) reference_to: Vec<String>,
    /// The name under which they see these records: `Invoices__r`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) children: Option<String>,
    /// A calculated field: a path, or a text in quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) formula: Option<String>,
}

/// A value of a picklist: its name alone, or all of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(in super::super) enum ValueSpec {
    Plain(String),
    Whole {
        value: String,
        #[serde(default)]
        label: Option<String>,
        #[serde(default)]
        inactive: bool,
        #[serde(default)]
        default: bool,
        #[serde(default)]
        valid_for: Option<Vec<usize>>,
    },
}

impl ValueSpec {
    pub(super) fn pick(&self) -> Pick {
        match self {
            Self::Plain(value) => Pick::of(value),
            Self::Whole { value, label, inactive, default, valid_for } => Pick {
                label: label.clone().unwrap_or_else(|| value.clone()),
                active: !inactive,
                default: *default,
                valid_for: valid_for.clone(),
                ..Pick::of(value)
            },
        }
    }
}

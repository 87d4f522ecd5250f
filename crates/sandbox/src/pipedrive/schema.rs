//! Field definitions: system fields from the key tables, custom fields from the account.
//!
//! Codes of custom fields are 40 hex digits drawn per account; option ids are drawn from one counter
//! per account (sheet: Pipedrive section 3 \[spec\]). A deleted field stays in the list as deleted: its
//! code is unknown to writes from then on, and its values are no longer shown.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::kind::{Access, Form, Kind};
use super::time::{self, Seconds};

/// The field types that may be created (sheet: section 3 \[spec\]).
pub(super) const CREATABLE: [&str; 16] = [
    "varchar",
    "varchar_auto",
    "text",
    "double",
    "monetary",
    "date",
    "daterange",
    "time",
    "timerange",
    "set",
    "enum",
    "user",
    "org",
    "people",
    "phone",
    "address",
];

/// Parts of an address beside its `value`.
pub(super) const ADDRESS_PARTS: [&str; 9] = [
    "country",
    "admin_area_level_1",
    "admin_area_level_2",
    "locality",
    "sublocality",
    "route",
    "street_number",
    "subpremise",
    "postal_code",
];

/// One choice of an enum or set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    pub(super) id: u64,
    pub(super) label: String,
    pub(super) color: Option<String>,
}

/// One field of a kind.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) id: u64,
    pub(super) code: Arc<str>,
    pub(super) name: String,
    pub(super) form: String,
    pub(super) description: String,
    pub(super) options: Vec<Choice>,
    pub(super) custom: bool,
    pub(super) deleted: bool,
    /// Records show it only when `include_fields` asks.
    pub(super) on_request: bool,
    pub(super) added: Seconds,
    /// `ui_visibility`, `important_fields`, `required_fields`, as sent.
    pub(super) extra: Map<String, Json>,
}

impl Field {
    /// Whether the type takes options.
    pub(super) fn takes_options(&self) -> bool {
        matches!(self.form.as_str(), "enum" | "set")
    }

    pub(super) fn has_option(&self, id: u64) -> bool {
        self.options.iter().any(|option| option.id == id)
    }

    pub(super) fn label_of(&self, id: u64) -> Option<&str> {
        self.options.iter().find(|option| option.id == id).map(|option| option.label.as_str())
    }

    /// The v2 shape. `include` names the optional parts asked for.
    pub(super) fn v2(&self, include: &[&str]) -> Json {
        let mut map = Map::new();
        map.insert("field_name".to_owned(), json!(self.name));
        map.insert("field_code".to_owned(), json!(&*self.code));
        map.insert("description".to_owned(), json!(self.description));
        map.insert("field_type".to_owned(), json!(self.form));
        let options: Vec<Json> = self
            .options
            .iter()
            .map(|option| json!({"id": option.id, "label": option.label, "color": option.color}))
            .collect();
        let options = if self.takes_options() { Json::Array(options) } else { Json::Null };
        map.insert("options".to_owned(), options);
        map.insert("subfields".to_owned(), subfields(&self.form));
        map.insert("is_custom_field".to_owned(), json!(self.custom));
        map.insert("is_optional_response_field".to_owned(), json!(self.on_request));
        for (name, unset) in [
            (
                "ui_visibility",
                json!({"add_visible_flag": false, "details_visible_flag": true, "show_in_pipelines": {"show_in_all": true, "pipeline_ids": []}}),
            ),
            ("important_fields", json!({"enabled": false, "stage_ids": []})),
            ("required_fields", json!({"enabled": false, "stage_ids": [], "statuses": {}})),
        ] {
            if include.contains(&name) {
                map.insert(name.to_owned(), self.extra.get(name).cloned().unwrap_or(unset));
            }
        }
        Json::Object(map)
    }

    /// The v1 shape (20 tokens a list).
    pub(super) fn v1(&self) -> Json {
        let options: Vec<Json> = self
            .options
            .iter()
            .map(|option| json!({"id": option.id, "label": option.label, "color": option.color}))
            .collect();
        json!({
            "id": self.id, "key": &*self.code, "name": self.name, "field_type": self.form,
            "edit_flag": self.custom, "mandatory_flag": false, "bulk_edit_allowed": true,
            "searchable_flag": self.is_searchable(), "active_flag": !self.deleted,
            "add_time": time::v1(self.added), "update_time": time::v1(self.added),
            "options": if self.takes_options() { Json::Array(options) } else { Json::Null },
        })
    }

    /// Whether search looks into this custom field (sheet: section 2.1 \[spec\]).
    pub(super) fn is_searchable(&self) -> bool {
        matches!(self.form.as_str(), "address" | "varchar" | "text" | "varchar_auto" | "double" | "monetary" | "phone")
    }
}

/// The fields of one kind.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<Field>);

impl Fields {
    /// The system fields of a kind.
    pub(super) fn system(kind: Kind) -> Self {
        let mut list = vec![system("id", "int"), system("add_time", "date"), system("update_time", "date")];
        list.extend(kind.keys().iter().map(|key| Field {
            on_request: key.access == Access::Campaigns,
            ..system(key.name, type_of(kind, key.name, key.form))
        }));
        Self(list)
    }

    /// Living fields, in order.
    pub(super) fn live(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().filter(|field| !field.deleted)
    }

    /// Living custom fields, in order.
    pub(super) fn custom(&self) -> impl Iterator<Item = &Field> {
        self.live().filter(|field| field.custom)
    }

    /// All custom fields, deleted ones included.
    pub(super) fn every_custom(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().filter(|field| field.custom)
    }

    /// The living field of this code.
    pub(super) fn get(&self, code: &str) -> Option<&Field> {
        self.live().find(|field| &*field.code == code)
    }

    pub(super) fn get_mut(&mut self, code: &str) -> Option<&mut Field> {
        self.0.iter_mut().find(|field| !field.deleted && &*field.code == code)
    }

    /// The living custom field of this code.
    pub(super) fn get_custom(&self, code: &str) -> Option<&Field> {
        self.get(code).filter(|field| field.custom)
    }

    pub(super) fn push(&mut self, field: Field) {
        self.0.push(field);
    }
}

fn system(name: &str, form: &str) -> Field {
    Field {
        id: 0,
        code: Arc::from(name),
        name: title_of(name),
        form: form.to_owned(),
        description: String::new(),
        options: Vec::new(),
        custom: false,
        deleted: false,
        on_request: false,
        added: 0,
        extra: Map::new(),
    }
}

/// `expected_close_date` is shown as `Expected close date`.
fn title_of(name: &str) -> String {
    let name = name.strip_suffix("_ids").or(name.strip_suffix("_id")).unwrap_or(name).replace('_', " ");
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn type_of(kind: Kind, name: &str, form: Form) -> &'static str {
    match form {
        Form::Number if kind == Kind::Deal && name == "value" => "monetary",
        Form::Text(255) | Form::Currency | Form::Contacts | Form::Lead => "varchar",
        Form::Text(_) | Form::Html => "text",
        Form::Int | Form::Absent => "int",
        Form::Number => "double",
        Form::Bool => "boolean",
        Form::Instant | Form::ArchiveInstant | Form::Date => "date",
        Form::Clock => "time",
        Form::User => "user",
        Form::Link(Kind::Person) => "people",
        Form::Link(Kind::Organization) => "org",
        Form::Link(_) => "deal",
        Form::Pipeline => "pipeline",
        Form::Stage => "stage",
        Form::Options => "set",
        Form::Option | Form::Choice(_) => "enum",
        Form::Visible => "visible_to",
        Form::Address => "address",
        Form::Participants | Form::Attendees => "participants",
        Form::ActivityType => "enum",
        Form::Prices => "json",
    }
}

fn subfields(form: &str) -> Json {
    let list = |parts: &[(&str, &str, &str)]| -> Json {
        parts
            .iter()
            .map(|(code, name, form)| json!({"field_code": code, "field_name": name, "field_type": form}))
            .collect()
    };
    match form {
        "monetary" => list(&[("currency", "Currency", "varchar")]),
        "daterange" => list(&[("until", "End date", "date")]),
        "time" => list(&[("timezone_name", "Timezone name", "varchar")]),
        "timerange" => list(&[("until", "End time", "time"), ("timezone_name", "Timezone name", "varchar")]),
        "address" => ADDRESS_PARTS
            .iter()
            .map(|part| json!({"field_code": part, "field_name": title_of(part), "field_type": "varchar"}))
            .collect(),
        _ => Json::Null,
    }
}

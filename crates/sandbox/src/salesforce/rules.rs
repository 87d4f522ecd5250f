//! Rules that the organization's administrators wrote: validation rules and duplicate rules.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::instant::Seconds;
use super::refusal::Fault;
use super::schema::Object;
use super::soql::{self, Scope, Test};
use super::view;
use super::world::{Record, World, is_deleted, text};

/// A rule that refuses records for which its condition holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Validation {
    pub(super) object: String,
    pub(super) name: String,
    /// When the record is wrong, as the condition of a query.
    pub(super) when: String,
    pub(super) message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) field: Option<String>,
    #[serde(skip)]
    pub(super) test: Option<Test>,
}

/// What a duplicate rule does with what it finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    /// The header of the request may save the record all the same (sheet: section 5.1).
    #[default]
    Alert,
    Block,
}

/// A rule that finds records with the same values.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Duplicate {
    pub(super) object: String,
    pub(super) name: String,
    /// Fields that must all have a value and be the same, without case.
    pub(super) fields: Vec<String>,
    #[serde(default)]
    pub(super) action: Action,
}

/// All rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) validation: Vec<Validation>,
    pub(super) duplicate: Vec<Duplicate>,
}

/// `Sforce-Duplicate-Rule-Header`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DuplicateHeader {
    pub(super) allow_save: bool,
    pub(super) include_details: bool,
}

impl DuplicateHeader {
    /// Reads `allowSave=true; includeRecordDetails=true`.
    pub(super) fn read(header: Option<&str>) -> Self {
        let on =
            |name: &str| {
                header.unwrap_or("").split([';', ',']).filter_map(|pair| pair.split_once('=')).any(|(key, value)| {
                    key.trim().eq_ignore_ascii_case(name) && value.trim().eq_ignore_ascii_case("true")
                })
            };
        Self { allow_save: on("allowSave"), include_details: on("includeRecordDetails") }
    }
}

impl Validation {
    /// Reads the condition.
    pub(super) fn prepare(&mut self, world: &World) -> Result<(), String> {
        let object = world.schema.object(&self.object).ok_or_else(|| format!("there is no object {}", self.object))?;
        let condition = soql::condition(&self.when).map_err(|fault| fault.message)?;
        let test = soql::test(&world.schema, &self.when, object, &condition).map_err(|fault| fault.message)?;
        self.test = Some(test);
        Ok(())
    }
}

/// Refuses what a validation rule refuses.
pub(super) fn validate(world: &World, object: &Object, record: &Record, now: Seconds) -> Result<(), Fault> {
    let scope = Scope { all: true, now, version: world.org.version };
    for rule in world.rules.validation.iter().filter(|rule| rule.object == object.name) {
        let wrong = rule.test.as_ref().is_some_and(|test| soql::holds(world, &object.name, record, test, scope));
        if wrong {
            let fields: Vec<&str> = rule.field.as_deref().into_iter().collect();
            return Err(Fault::row("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message.clone(), &fields));
        }
    }
    Ok(())
}

/// Refuses what a duplicate rule finds, unless the header lets it pass.
pub(super) fn duplicates(
    world: &World,
    object: &Object,
    id: &str,
    record: &Record,
    before: Option<&Record>,
    header: &DuplicateHeader,
) -> Result<(), Fault> {
    for rule in world.rules.duplicate.iter().filter(|rule| rule.object == object.name) {
        let changed =
            rule.fields.iter().any(|field| before.is_none_or(|before| before.get(field) != record.get(field)));
        let allowed = rule.action == Action::Alert && header.allow_save;
        if !changed || allowed || !rule.fields.iter().all(|field| record.contains_key(field)) {
            continue;
        }
        let found = same(world, object, id, record, rule);
        if found.is_empty() {
            continue;
        }
        let message = "You're creating a duplicate record. We recommend you use an existing record instead.";
        let mut fault = Fault::row("DUPLICATES_DETECTED", message, &[]);
        if header.include_details {
            fault.duplicates = Some(details(world, object, rule, &found, message));
        }
        return Err(fault);
    }
    Ok(())
}

fn same(world: &World, object: &Object, id: &str, record: &Record, rule: &Duplicate) -> Vec<String> {
    let key = |record: &Record| -> Vec<String> {
        rule.fields
            .iter()
            .map(|field| record.get(field).map_or(String::new(), Json::to_string).to_lowercase())
            .collect()
    };
    let wanted = key(record);
    let indexed = rule.fields.iter().filter_map(|field| object.any_field(field)).find(|field| field.indexed());
    let candidates: Vec<String> = match indexed.and_then(|field| Some((field, record.get(&field.name)?))) {
        Some((field, value)) => world.live_by_value(&object.name, field, value),
        None => world.rows(&object.name).filter(|(_, row)| !is_deleted(row)).map(|(id, _)| id.clone()).collect(),
    };
    let fits = |other: &String| other != id && world.get(&object.name, other).is_some_and(|row| key(row) == wanted);
    candidates.into_iter().filter(fits).collect()
}

/// What `includeRecordDetails` shows (sheet: section 7 \[unsure\]).
fn details(world: &World, object: &Object, rule: &Duplicate, found: &[String], message: &str) -> Json {
    let version = world.org.version;
    let records: Vec<Json> = found
        .iter()
        .filter_map(|id| world.get(&object.name, id))
        .map(|record| {
            json!({"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0,
                "record": {"attributes": view::attributes(&object.name, record, version), "Id": text(record, "Id")}})
        })
        .collect();
    json!({
        "allowSave": rule.action == Action::Alert, "duplicateRule": rule.name,
        "duplicateRuleEntityType": object.name, "errorMessage": message,
        "matchResults": [{"entityType": object.name, "errors": [], "matchEngine": "ExactMatchEngine",
            "matchRecords": records, "rule": rule.name, "size": found.len(), "success": true}],
    })
}

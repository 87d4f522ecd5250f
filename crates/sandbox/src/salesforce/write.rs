//! Writing one row: create, update, upsert.
//!
//! A refused row has changed nothing: each of these functions takes back what it did before it refuses.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::draft::{self, Draft, Purpose};
use super::instant::{Seconds, stamp};
use super::refusal::Fault;
use super::rules::{self, DuplicateHeader};
use super::schema::{Field, Object};
use super::world::{Record, World, is_deleted};
use super::{derive, id};
use crate::journal::Action;

/// Who writes, when, and under which headers.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    pub(super) user: String,
    pub(super) at: Seconds,
    pub(super) duplicates: DuplicateHeader,
    /// Whether what the platform itself writes (roll-ups, workflows) passes fields that are closed to users.
    pub(super) system: bool,
}

/// What an upsert did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Upserted {
    pub(super) id: String,
    pub(super) created: bool,
}

/// Creates a record; gives its id.
pub(super) fn create(world: &mut World, name: &str, body: &Map<String, Json>, by: &Writer) -> Result<String, Fault> {
    let object = writable(world, name)?;
    if !object.createable {
        return Err(closed(&object.name));
    }
    let draft = draft::read(world, object, body, Purpose::Create)?;
    insert(world, name, draft, by)
}

/// Creates a record from values that were judged already.
pub(super) fn insert(world: &mut World, name: &str, draft: Draft, by: &Writer) -> Result<String, Fault> {
    let mark = world.mark();
    let made = try_insert(world, name, draft, by);
    if made.is_err() {
        world.rollback(mark);
    }
    made
}

fn try_insert(world: &mut World, name: &str, draft: Draft, by: &Writer) -> Result<String, Fault> {
    let object = writable(world, name)?.clone();
    let mut record: Record =
        object.fields.iter().filter_map(|field| Some((field.name.clone(), field.default.clone()?))).collect();
    let given: Vec<String> = draft.keys().cloned().collect();
    for (field, value) in &draft {
        if value.is_null() {
            // A default fills what is absent; what is null stays empty, but checkboxes are never null.
            if record.get(field).is_some_and(|default| !default.is_boolean()) {
                record.remove(field);
            }
        } else {
            record.insert(field.clone(), value.clone());
        }
    }
    required(&object, &record)?;
    audit(&object, &mut record, by, &given)?;
    let id = world.mint(&object.prefix);
    record.insert("Id".to_owned(), json!(id));
    derive::before(world, &object, &mut record, None, &given, by)?;
    judge(world, &object, &id, &record, None, by)?;
    world.put(&object.name, &id, Some(record.clone()));
    world.log(Action::Created, &object.name, &id, None, Some(&record));
    derive::after(world, &object, &id, None, by)?;
    Ok(id)
}

/// Updates a record.
pub(super) fn update(
    world: &mut World,
    name: &str,
    id: &str,
    body: &Map<String, Json>,
    by: &Writer,
) -> Result<(), Fault> {
    let object = writable(world, name)?;
    present(world, object, id)?;
    if !object.updateable {
        return Err(closed(&object.name));
    }
    let draft = draft::read(world, object, body, Purpose::Update)?;
    change(world, name, id, draft, by)
}

/// Updates a record with values that were judged already.
pub(super) fn change(world: &mut World, name: &str, id: &str, draft: Draft, by: &Writer) -> Result<(), Fault> {
    let mark = world.mark();
    let made = try_change(world, name, id, draft, by);
    if made.is_err() {
        world.rollback(mark);
    }
    made
}

fn try_change(world: &mut World, name: &str, id: &str, draft: Draft, by: &Writer) -> Result<(), Fault> {
    let object = writable(world, name)?.clone();
    let before = world.live(&object.name, id).cloned().ok_or_else(Fault::deleted)?;
    let mut record = before.clone();
    let given: Vec<String> = draft.keys().cloned().collect();
    for (field, value) in draft {
        let checkbox = before.get(&field).is_some_and(Json::is_boolean);
        match value {
            Json::Null if checkbox => {}
            Json::Null => {
                record.remove(&field);
            }
            value => {
                record.insert(field, value);
            }
        }
    }
    required(&object, &record)?;
    if !by.system {
        record.insert("LastModifiedDate".to_owned(), json!(stamp(by.at)));
        record.insert("LastModifiedById".to_owned(), json!(by.user));
    }
    record.insert("SystemModstamp".to_owned(), json!(stamp(by.at)));
    derive::before(world, &object, &mut record, Some(&before), &given, by)?;
    judge(world, &object, id, &record, Some(&before), by)?;
    world.put(&object.name, id, Some(record.clone()));
    world.log(Action::Updated, &object.name, id, Some(&before), Some(&record));
    derive::after(world, &object, id, Some(&before), by)
}

/// Creates or updates the record that a key means (sheet: section 5.4).
pub(super) fn upsert(
    world: &mut World,
    name: &str,
    (key, value): (&str, &Json),
    body: &Map<String, Json>,
    by: &Writer,
) -> Result<Upserted, Fault> {
    let object = writable(world, name)?;
    let field = key_field(object, key)?.clone();
    if body.keys().any(|given| given.eq_ignore_ascii_case(&field.name)) {
        let message = format!("The {} field should not be specified in the sobject data.", field.name);
        return Err(Fault::new("INVALID_FIELD", message));
    }
    let found = draft::keyed(world, object, &field, value);
    match found.as_slice() {
        [id] => {
            update(world, name, id, body, by)?;
            Ok(Upserted { id: id.clone(), created: false })
        }
        [] if field.name == "Id" => Err(missing(world, object, value.as_str().unwrap_or(""))),
        [] => {
            let mut body = body.clone();
            let value = match value {
                Json::String(text) => super::values::from_text(&field, text),
                other => other.clone(),
            };
            body.insert(field.name.clone(), value);
            Ok(Upserted { id: create(world, name, &body, by)?, created: true })
        }
        _ => Err(Fault::row("DUPLICATE_EXTERNAL_ID", "Duplicate external id specified", &[&field.name])),
    }
}

/// The field of an upsert's key.
pub(super) fn key_field<'a>(object: &'a Object, key: &str) -> Result<&'a Field, Fault> {
    object.field(key).filter(|field| field.external_id || field.id_lookup).ok_or_else(|| {
        let message = format!("Provided external ID field does not exist or is not accessible: {key}");
        Fault::new("NOT_FOUND", message)
    })
}

/// Why an id means no living record of the object.
pub(super) fn missing(world: &World, object: &Object, id: &str) -> Fault {
    match id::parse(id) {
        None => Fault::row("MALFORMED_ID", format!("{} ID: id value of incorrect type: {id}", object.label), &["Id"]),
        Some(id) if !id.starts_with(&object.prefix) => {
            Fault::row("MALFORMED_ID", format!("{} ID: id value of incorrect type: {id}", object.label), &["Id"])
        }
        Some(id) if world.get(&object.name, &id).is_some_and(is_deleted) => Fault::deleted(),
        Some(_) => Fault::row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]),
    }
}

fn present(world: &World, object: &Object, id: &str) -> Result<(), Fault> {
    match world.live(&object.name, id) {
        Some(_) => Ok(()),
        None => Err(missing(world, object, id)),
    }
}

fn writable<'a>(world: &'a World, name: &str) -> Result<&'a Object, Fault> {
    world
        .schema
        .object(name)
        .ok_or_else(|| Fault::new("INVALID_TYPE", format!("sObject type '{name}' is not supported.")))
}

fn closed(object: &str) -> Fault {
    Fault::row("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", format!("entity type {object} does not support this call"), &[])
}

fn required(object: &Object, record: &Record) -> Result<(), Fault> {
    let missing: Vec<&str> = object
        .fields
        .iter()
        .filter(|field| field.required() && !record.contains_key(&field.name))
        .map(|field| field.name.as_str())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("Required fields are missing: [{}]", missing.join(", "));
    Err(Fault::row("REQUIRED_FIELD_MISSING", message, &missing))
}

/// Who made it and when; what the permission for audit fields let the sender set stays (sheet: section 5.6).
fn audit(object: &Object, record: &mut Record, by: &Writer, given: &[String]) -> Result<(), Fault> {
    let now = json!(stamp(by.at));
    let mut fill = |field: &str, value: &Json| {
        record.entry(field.to_owned()).or_insert_with(|| value.clone());
    };
    fill("CreatedDate", &now);
    fill("CreatedById", &json!(by.user));
    fill("LastModifiedById", &json!(by.user));
    fill("LastModifiedDate", &now);
    let owned = object.field("OwnerId").is_some_and(|field| field.createable || field.defaulted);
    if owned {
        fill("OwnerId", &json!(by.user));
    }
    record.insert("SystemModstamp".to_owned(), now.clone());
    record.insert("IsDeleted".to_owned(), json!(false));
    let stamps = ["CreatedDate", "LastModifiedDate"].map(|field| record.get(field).and_then(Json::as_str));
    let late = stamps.iter().flatten().any(|text| now.as_str().is_some_and(|now| *text > now));
    let backwards = given.iter().any(|field| field == "LastModifiedDate") && stamps[1] < stamps[0];
    if late || backwards {
        let message = "Last Modified Date must not be before Created Date, and neither may be in the future";
        return Err(Fault::row("FIELD_INTEGRITY_EXCEPTION", message, &["LastModifiedDate"]));
    }
    Ok(())
}

/// What looks at the whole record: unique values, locks, validation and duplicate rules.
fn judge(
    world: &mut World,
    object: &Object,
    id: &str,
    record: &Record,
    before: Option<&Record>,
    by: &Writer,
) -> Result<(), Fault> {
    for field in object.fields.iter().filter(|field| field.unique) {
        let Some(value) = record.get(&field.name) else { continue };
        if before.is_some_and(|before| before.get(&field.name) == Some(value)) {
            continue;
        }
        if let Some(other) = world.live_by_value(&object.name, field, value).iter().find(|other| *other != id) {
            let message = format!("duplicate value found: {} duplicates value on record with id: {other}", field.name);
            return Err(Fault::row("DUPLICATE_VALUE", message, &[&field.name]));
        }
    }
    if by.system {
        return Ok(());
    }
    lock(world, object, id, record)?;
    rules::validate(world, object, record, by.at)?;
    rules::duplicates(world, object, id, record, before, &by.duplicates)
}

/// Rows that someone else holds, and every n-th by a setting (sheet: section 5.8).
fn lock(world: &mut World, object: &Object, id: &str, record: &Record) -> Result<(), Fault> {
    let parents: BTreeMap<&str, &str> = object
        .fields
        .iter()
        .filter(|field| !field.targets.is_empty() && field.name != "OwnerId" && !field.name.ends_with("ById"))
        .filter_map(|field| Some((field.name.as_str(), record.get(&field.name)?.as_str()?)))
        .collect();
    let held = parents.values().copied().chain([id]).find(|id| world.settings.locked.contains(*id));
    let mut held = held.map(str::to_owned);
    if let Some(every) = world.settings.lock_every.filter(|every| *every > 0) {
        // The count stays when the row is taken back: else the same row would fail for ever.
        let count = world.next.entry("row locks".to_owned()).or_default();
        *count += 1;
        if count.is_multiple_of(every) {
            held = held.or_else(|| Some(parents.values().next().map_or(id, |id| *id).to_owned()));
        }
    }
    match held {
        Some(held) => Err(Fault::locked(&held)),
        None => Ok(()),
    }
}

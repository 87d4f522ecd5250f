//! Creating and changing rows: what every way of writing comes down to.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::derive;
use super::draft::Draft;
use super::instant::{self, Seconds};
use super::refusal::Fault;
use super::rules;
use super::schema::{Entity, Required};
use super::world::{Record, World, points, reference, text};
use super::{effects, guid};
use crate::journal::Action;

/// Who writes, and when.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    /// A systemuser's id.
    pub(super) user: String,
    /// Who acts for that user.
    pub(super) behalf: Option<String>,
    pub(super) at: Seconds,
    /// Duplicate rules are on.
    pub(super) duplicates: bool,
    /// The platform itself: it may do what requests may not.
    pub(super) system: bool,
}

impl Writer {
    /// The platform, at the same time and for the same user.
    pub(super) fn system(&self) -> Self {
        Self { system: true, duplicates: false, ..self.clone() }
    }
}

/// Creates a row with what is nested in it; gives its id.
pub(super) fn create(world: &mut World, draft: &Draft, by: &Writer) -> Result<String, Fault> {
    let entity = draft.entity.clone();
    if !entity.writable && !by.system {
        return Err(not_supported(&entity, "Create"));
    }
    let id = match &draft.id {
        Some(id) if world.get(&entity.name, id).is_some() => return Err(Fault::exists()),
        Some(id) => id.clone(),
        None => world.mint(&entity.name),
    };
    let mut row = Record::new();
    for (column, value) in &draft.values {
        if let Some(value) = value {
            row.insert(column.clone(), value.clone());
        }
    }
    for (relation, parent) in &draft.parents {
        let made = create(world, parent, by)?;
        row.insert(relation.attribute.clone(), reference(&parent.entity.name, &made));
    }
    row.insert(entity.primary_id.clone(), json!(id));
    rules::opening_state(world, &entity, &mut row, by)?;
    for attribute in &entity.attributes {
        if let Some(default) = attribute.default.as_ref().filter(|_| !row.contains_key(&attribute.name)) {
            row.insert(attribute.name.clone(), default.clone());
        }
    }
    audit(world, &entity, &mut row, by)?;
    derive::columns(world, &entity, None, &mut row, by.at);
    required(&entity, &row)?;
    rules::check(world, &entity, &id, None, &row, by)?;
    world.put(&entity.name, &id, Some(row.clone()));
    world.log(Action::Created, &entity.name, &id, None, Some(&row));
    for (relation, child) in &draft.children {
        let value = reference(&entity.name, &id);
        let child = child.clone().with(&relation.attribute, Some(value));
        let by = if child.entity.name == "activityparty" { by.system() } else { by.clone() };
        create(world, &child, &by)?;
    }
    for (pairs, first, other) in &draft.pairs {
        let (one, two) = if *first { (&id, other) } else { (other, &id) };
        super::links::pair(world, pairs, one, two, by)?;
    }
    effects::created(world, &entity, &id, by)?;
    Ok(id)
}

/// Changes a row.
pub(super) fn update(world: &mut World, id: &str, draft: &Draft, by: &Writer) -> Result<(), Fault> {
    let entity = owner_table(world, &draft.entity, id);
    if !entity.writable && !by.system {
        return Err(not_supported(&entity, "Update"));
    }
    let before = world.get(&entity.name, id).cloned().ok_or_else(|| Fault::no_row(&entity.name, id))?;
    if draft.id.as_ref().is_some_and(|said| said != id) {
        return Err(Fault::argument("The primary key of a record cannot be changed."));
    }
    let mut row = before.clone();
    for (column, value) in &draft.values {
        match value {
            Some(value) => row.insert(column.clone(), value.clone()),
            None => row.remove(column),
        };
    }
    rules::changed_state(&entity, &before, &mut row, draft, by)?;
    row.insert("modifiedon".to_owned(), json!(instant::stamp(by.at)));
    row.insert("modifiedby".to_owned(), reference("systemuser", &by.user));
    derive::columns(world, &entity, Some(&before), &mut row, by.at);
    required(&entity, &row)?;
    rules::check(world, &entity, id, Some(&before), &row, by)?;
    save(world, &entity, id, &before, row);
    if !draft.children.is_empty() {
        super::parties::replace(world, &entity, id, draft, by)?;
    }
    effects::updated(world, &entity, id, &before, by)
}

/// The table that holds a row: for activities shown as `activitypointer`, their own.
pub(super) fn owner_table(world: &World, entity: &Arc<Entity>, id: &str) -> Arc<Entity> {
    if entity.name != "activitypointer" {
        return entity.clone();
    }
    let holder = world.schema.activities().find(|activity| world.get(&activity.name, id).is_some());
    holder.unwrap_or(entity).clone()
}

/// Writes a row that exists, and notes what changed.
pub(super) fn save(world: &mut World, entity: &Entity, id: &str, before: &Record, row: Record) {
    world.put(&entity.name, id, Some(row.clone()));
    world.log(Action::Updated, &entity.name, id, Some(before), Some(&row));
}

/// Sets columns of a row as the platform does: no rule looks at it.
pub(super) fn patch(world: &mut World, table: &str, id: &str, values: &[(&str, Option<Json>)]) {
    let (Some(entity), Some(before)) = (world.entity(table), world.get(table, id).cloned()) else { return };
    let mut row = before.clone();
    for (column, value) in values {
        match value {
            Some(value) => row.insert((*column).to_owned(), value.clone()),
            None => row.remove(*column),
        };
    }
    if row != before {
        save(world, &entity, id, &before, row);
    }
}

/// Who made the row and when, and whose it is.
fn audit(world: &World, entity: &Entity, row: &mut Record, by: &Writer) -> Result<(), Fault> {
    if entity.attribute("createdon").is_none() {
        return Ok(());
    }
    let now = json!(instant::stamp(by.at));
    // The time that was given becomes the time of creation, and the column keeps the true one (sheet: section 5.6).
    let given = row.remove("overriddencreatedon");
    if given.is_some() && !world.settings.override_created_on && !by.system {
        return Err(Fault::forbidden("Principal user is missing prvOverrideCreatedOnCreatedBy privilege."));
    }
    if given.is_some() {
        row.insert("overriddencreatedon".to_owned(), now.clone());
    }
    row.insert("createdon".to_owned(), given.unwrap_or_else(|| now.clone()));
    row.insert("modifiedon".to_owned(), now);
    for column in ["createdby", "modifiedby"] {
        row.insert(column.to_owned(), reference("systemuser", &by.user));
    }
    if let Some(behalf) = &by.behalf {
        row.insert("createdonbehalfby".to_owned(), reference("systemuser", behalf));
    }
    if entity.attribute("ownerid").is_some() && !row.contains_key("ownerid") {
        row.insert("ownerid".to_owned(), reference("systemuser", &by.user));
    }
    Ok(())
}

/// What the database itself needs; what applications want is not enforced (sheet: section 3 \[doc\]).
fn required(entity: &Entity, row: &Record) -> Result<(), Fault> {
    for attribute in entity.attributes.iter().filter(|attribute| attribute.required == Required::System) {
        if !row.contains_key(&attribute.name) {
            let message = format!("Required field '{}' of entity '{}' is missing.", attribute.name, entity.name);
            return Err(Fault::argument(message));
        }
    }
    Ok(())
}

pub(super) fn not_supported(entity: &Entity, message: &str) -> Fault {
    Fault::new(
        405,
        "0x80040800",
        format!("The '{message}' method does not support entities of type '{}'.", entity.name),
    )
}

/// The user's business unit.
pub(super) fn business_unit(world: &World, table: &str, id: &str) -> Option<Json> {
    let row = world.get(table, id)?;
    points(row, "businessunitid").map(|(table, id)| reference(table, id))
}

/// The id of the row whose text in a column is this one.
pub(super) fn id_of(world: &World, table: &str, column: &str, wanted: &str) -> Option<String> {
    let found = world.rows(table).find(|(_, row)| text(row, column).eq_ignore_ascii_case(wanted));
    found.map(|(id, _)| id.clone()).filter(|id| guid::parse(id).is_some())
}

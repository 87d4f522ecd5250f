//! Deleting with what it takes along, and bringing back.

use std::collections::BTreeSet;

use super::refusal::Fault;
use super::relations::OnDelete;
use super::world::{World, points};
use super::write::{self, Writer};
use super::{effects, rules};
use crate::journal::Action;

/// Deletes a row with the rows that it takes along.
pub(super) fn delete(world: &mut World, table: &str, id: &str, by: &Writer) -> Result<(), Fault> {
    let entity = world.entity(table).ok_or_else(|| Fault::no_segment(table))?;
    let entity = write::owner_table(world, &entity, id);
    if world.get(&entity.name, id).is_none() {
        return Err(Fault::no_row(table, id));
    }
    if !entity.writable && !by.system || matches!(entity.name.as_str(), "systemuser") {
        return Err(write::not_supported(&entity, "Delete"));
    }
    if entity.name == "opportunityproduct" {
        let parent = world.get(&entity.name, id).and_then(|row| points(row, "opportunityid"));
        let state = parent.and_then(|(table, id)| world.get(table, id)?.get("statecode")?.as_i64());
        if state.is_some_and(|state| state != 0) {
            return Err(rules::read_only(&entity));
        }
    }
    let mut seen = BTreeSet::new();
    take(world, &entity.name, id, id, by, &mut seen)
}

fn take(
    world: &mut World,
    table: &str,
    id: &str,
    root: &str,
    by: &Writer,
    seen: &mut BTreeSet<(String, String)>,
) -> Result<(), Fault> {
    if !seen.insert((table.to_owned(), id.to_owned())) {
        return Ok(());
    }
    let Some(before) = world.get(table, id).cloned() else { return Ok(()) };
    let mut cleared = Vec::new();
    let relations: Vec<_> = world.schema.to(table).cloned().collect();
    for relation in relations {
        if relation.referencing == "activitypointer" {
            continue;
        }
        for child in world.pointing(&relation.referencing, &relation.attribute, table, id) {
            if seen.contains(&(relation.referencing.clone(), child.clone())) {
                continue;
            }
            match relation.on_delete {
                OnDelete::Restrict => {
                    let message =
                        "The object you tried to delete is associated with another object and cannot be deleted.";
                    return Err(Fault::new(405, "0x80040227", message));
                }
                OnDelete::Cascade => take(world, &relation.referencing, &child, root, by, seen)?,
                OnDelete::RemoveLink => {
                    write::patch(world, &relation.referencing, &child, &[(relation.attribute.as_str(), None)]);
                    cleared.push((relation.referencing.clone(), child, relation.attribute.clone()));
                }
            }
        }
    }
    let twin = points(&before, "relatedconnectionid").map(|(table, id)| (table.to_owned(), id.to_owned()));
    let opportunity = points(&before, "opportunityid").map(|(_, id)| id.to_owned());
    world.bury(table, id, by.at, root, cleared);
    world.log(Action::Deleted, table, id, Some(&before), None);
    if let Some((table, twin)) = twin.filter(|(_, twin)| world.get("connection", twin).is_some()) {
        take(world, &table, &twin, root, by, seen)?;
    }
    if let Some(opportunity) = opportunity.filter(|_| table == "opportunityproduct") {
        effects::total(world, &opportunity);
    }
    Ok(())
}

/// Brings a deleted row back with what it took along; not while a new row has the id of one of them (learn.microsoft.com,
/// "Restore deleted records with code": `DuplicateExceptionRestoreRecycleBin`).
pub(super) fn restore(world: &mut World, id: &str, by: &Writer) -> Result<(), Fault> {
    let limit = by.at - world.settings.bin_days * 86_400;
    let mut found: Vec<(String, String)> = Vec::new();
    for (table, list) in &world.gone {
        let fits = list.iter().filter(|gone| gone.root == id && gone.at >= limit);
        found.extend(fits.map(|gone| (table.clone(), gone.id.clone())));
    }
    // What was deleted twice comes back as it was the last time.
    let mut seen = BTreeSet::new();
    found.retain(|one| seen.insert(one.clone()));
    if !found.iter().any(|(_, one)| one == id) {
        return Err(Fault::no_row("deleted row", id));
    }
    if let Some((table, one)) = found.iter().find(|(table, one)| world.get(table, one).is_some()) {
        let why =
            format!("Please delete the existing conflicting record '{table}' with primary key value '{one}' first.");
        return Err(Fault::new(412, "0x80044a02", why));
    }
    for (table, one) in found {
        let Some(gone) = world.unbury(&table, &one) else { continue };
        world.put(&table, &one, Some(gone.row.clone()));
        world.log(Action::Restored, &table, &one, None, Some(&gone.row));
        for (child_table, child, column) in gone.cleared {
            let value = super::world::reference(&table, &one);
            let free = world.get(&child_table, &child).is_some_and(|row| !row.contains_key(&column));
            if free {
                write::patch(world, &child_table, &child, &[(column.as_str(), Some(value))]);
            }
        }
    }
    Ok(())
}

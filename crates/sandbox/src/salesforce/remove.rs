//! Deleting, bringing back and merging records (sheet: sections 5.9 and 9).

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::instant::stamp;
use super::refusal::Fault;
use super::schema::{Object, OnDelete};
use super::world::{Binned, World, text};
use super::write::{self, Writer};
use super::{derive, id};
use crate::journal::Action;

/// Deletes a record and what hangs on it.
pub(super) fn delete(world: &mut World, object: &str, id: &str, by: &Writer) -> Result<(), Fault> {
    let mark = world.mark();
    let done = try_delete(world, object, id, by);
    if done.is_err() {
        world.rollback(mark);
    }
    done
}

fn try_delete(world: &mut World, object: &str, id: &str, by: &Writer) -> Result<(), Fault> {
    let of = world.schema.object(object).ok_or_else(Fault::not_found)?;
    if world.live(object, id).is_none() {
        return Err(write::missing(world, of, id));
    }
    if !of.deletable && !by.system {
        let message = format!("entity type {object} does not support delete");
        return Err(Fault::row("INSUFFICIENT_ACCESS_OR_READONLY", message, &[]));
    }
    if world.settings.locked.contains(id) {
        return Err(Fault::locked(id));
    }
    bin(world, object, id, id, by)
}

/// Who points to the record: object, id, field, and what that means for a deletion.
fn pointers(world: &World, object: &str, id: &str) -> Vec<(String, String, String, OnDelete)> {
    let value = json!(id);
    let children = world.schema.children(object);
    children
        .flat_map(|child| {
            let ids = world.live_by_value(&child.object.name, child.field, &value);
            let (name, field, then) = (&child.object.name, &child.field.name, child.target.on_delete);
            ids.into_iter().map(move |one| (name.clone(), one, field.clone(), then))
        })
        .collect()
}

fn bin(world: &mut World, object: &str, id: &str, root: &str, by: &Writer) -> Result<(), Fault> {
    let Some(before) = world.live(object, id).cloned() else { return Ok(()) };
    let pointers = pointers(world, object, id);
    let holding: Vec<&String> =
        pointers.iter().filter(|(_, _, _, then)| *then == OnDelete::Restrict).map(|(name, _, _, _)| name).collect();
    if let Some(name) = holding.first() {
        let message = format!(
            "Your attempt to delete {} could not be completed because it is associated with the following {}s.: {}\n",
            text(&before, "Name"),
            name.to_lowercase(),
            holding.len()
        );
        return Err(Fault::row("DELETE_FAILED", message, &[]));
    }
    let mut after = before.clone();
    after.insert("IsDeleted".to_owned(), json!(true));
    for field in ["SystemModstamp", "LastModifiedDate"] {
        after.insert(field.to_owned(), json!(stamp(by.at)));
    }
    after.insert("LastModifiedById".to_owned(), json!(by.user));
    world.put(object, id, Some(after.clone()));
    world.log(Action::Deleted, object, id, Some(&before), Some(&after));
    world.note_gone(object, id, by.at);
    let mut cleared = Vec::new();
    for (name, one, field, then) in pointers {
        if then == OnDelete::Cascade {
            bin(world, &name, &one, root, by)?;
        } else if field != "MasterRecordId" && world.live(&name, &one).is_some() {
            point(world, &name, &one, &field, Json::Null, by);
            cleared.push((name, one, field));
        }
    }
    let binned = Binned { object: object.to_owned(), at: by.at, root: root.to_owned(), cleared };
    world.set_bin(id, Some(binned));
    derive::after_delete(world, object, &before, by)
}

/// Sets a lookup as the platform does it: the row's own dates stay, its `SystemModstamp` moves.
fn point(world: &mut World, object: &str, id: &str, field: &str, value: Json, by: &Writer) {
    let Some(before) = world.get(object, id).cloned() else { return };
    let mut after = before.clone();
    match value {
        Json::Null => after.remove(field),
        value => after.insert(field.to_owned(), value),
    };
    after.insert("SystemModstamp".to_owned(), json!(stamp(by.at)));
    world.put(object, id, Some(after.clone()));
    world.log(Action::Updated, object, id, Some(&before), Some(&after));
}

/// Brings a record back from the bin, with what went with it.
pub(super) fn undelete(world: &mut World, id: &str, by: &Writer) -> Result<(), Fault> {
    let unknown = || Fault::row("UNDELETE_FAILED", "Entity is not in the recycle bin", &[]);
    let own = world.bin.get(id).cloned().ok_or_else(unknown)?;
    let object = world.schema.object(&own.object).ok_or_else(unknown)?;
    let merged = world.get(&own.object, id).is_some_and(|record| record.contains_key("MasterRecordId"));
    if own.root != id || !object.undeletable || merged {
        return Err(unknown());
    }
    let together: Vec<(String, Binned)> = world
        .bin
        .iter()
        .filter(|(_, binned)| binned.root == id)
        .map(|(id, binned)| (id.clone(), binned.clone()))
        .collect();
    for (one, binned) in together {
        let Some(before) = world.get(&binned.object, &one).cloned() else { continue };
        let mut after = before.clone();
        after.insert("IsDeleted".to_owned(), json!(false));
        for field in ["SystemModstamp", "LastModifiedDate"] {
            after.insert(field.to_owned(), json!(stamp(by.at)));
        }
        world.put(&binned.object, &one, Some(after.clone()));
        world.log(Action::Restored, &binned.object, &one, Some(&before), Some(&after));
        world.set_bin(&one, None);
        for (object, child, field) in binned.cleared {
            let empty = world.live(&object, &child).is_some_and(|child| !child.contains_key(&field));
            if empty {
                point(world, &object, &child, &field, json!(one), by);
            }
        }
    }
    Ok(())
}

/// Merges up to two records into a master: what points to them points to it, and they go to the bin with its id
/// in `MasterRecordId`. Gives the ids of the records that were moved.
pub(super) fn merge(
    world: &mut World,
    master: &str,
    fields: BTreeMap<String, Json>,
    losers: &[String],
    by: &Writer,
) -> Result<Vec<String>, Fault> {
    let mark = world.mark();
    let done = try_merge(world, master, fields, losers, by);
    if done.is_err() {
        world.rollback(mark);
    }
    done
}

fn try_merge(
    world: &mut World,
    master: &str,
    fields: BTreeMap<String, Json>,
    losers: &[String],
    by: &Writer,
) -> Result<Vec<String>, Fault> {
    let unknown = || Fault::row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]);
    let object = mergeable(world, master)?.name.clone();
    if let Some(held) = losers.iter().map(String::as_str).chain([master]).find(|id| world.settings.locked.contains(*id))
    {
        return Err(Fault::locked(held));
    }
    if losers.is_empty() || losers.len() > 2 {
        return Err(Fault::row("INVALID_FIELD", "a merge takes one or two records", &[]));
    }
    let mut moved = Vec::new();
    for loser in losers {
        let of = mergeable(world, loser)?;
        if of.name != object || loser == master || world.live(&object, loser).is_none() {
            return Err(unknown());
        }
        for (name, one, field, _) in pointers(world, &object, loser) {
            if one == master {
                point(world, &name, &one, &field, Json::Null, by);
            } else if field != "MasterRecordId" {
                point(world, &name, &one, &field, json!(master), by);
                moved.push(one);
            }
        }
        let Some(before) = world.live(&object, loser).cloned() else { return Err(unknown()) };
        let mut after = before.clone();
        after.insert("IsDeleted".to_owned(), json!(true));
        after.insert("MasterRecordId".to_owned(), json!(master));
        for field in ["SystemModstamp", "LastModifiedDate"] {
            after.insert(field.to_owned(), json!(stamp(by.at)));
        }
        world.put(&object, loser, Some(after.clone()));
        world.log(Action::Merged, &object, loser, Some(&before), Some(&after));
        if let Some(change) = world.changes.last_mut() {
            change.fields.insert("merged_into".to_owned(), (Json::Null, json!(master)));
        }
        world.note_gone(&object, loser, by.at);
        let binned = Binned { object: object.clone(), at: by.at, root: loser.clone(), cleared: Vec::new() };
        world.set_bin(loser, Some(binned));
    }
    write::change(world, &object, master, fields, by)?;
    Ok(moved)
}

fn mergeable<'a>(world: &'a World, record: &str) -> Result<&'a Object, Fault> {
    let id = id::parse(record).ok_or_else(|| Fault::row("MALFORMED_ID", format!("malformed id {record}"), &["Id"]))?;
    let (object, _) =
        world.find(&id).ok_or_else(|| Fault::row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]))?;
    if !object.mergeable {
        return Err(Fault::row("INVALID_TYPE", format!("entity type {} cannot be merged", object.name), &[]));
    }
    if world.live(&object.name, &id).is_none() {
        return Err(Fault::deleted());
    }
    Ok(object)
}

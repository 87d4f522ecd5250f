//! Pairs of rows: associating and taking apart.

use serde_json::json;

use super::refusal::Fault;
use super::relations::Pairs;
use super::world::{Record, World, points, reference};
use super::write::Writer;
use crate::journal::{Action, Change};

/// The row of the intersect table that pairs two rows.
fn row_of(world: &World, pairs: &Pairs, one: &str, two: &str) -> Option<String> {
    let (table, column) = &pairs.one;
    let ids = world.pointing(&pairs.intersect, column, table, one);
    ids.into_iter().find(|id| {
        let row = world.get(&pairs.intersect, id);
        row.and_then(|row| points(row, &pairs.two.1)) == Some((pairs.two.0.as_str(), two))
    })
}

/// Pairs two rows; pairing them again is an error of the database.
pub(super) fn pair(world: &mut World, pairs: &Pairs, one: &str, two: &str, by: &Writer) -> Result<(), Fault> {
    for (table, id) in [(&pairs.one.0, one), (&pairs.two.0, two)] {
        if world.get(table, id).is_none() {
            return Err(Fault::no_row(table, id));
        }
    }
    if row_of(world, pairs, one, two).is_some() {
        return Err(Fault::new(412, "0x80040237", "Cannot insert duplicate key."));
    }
    let Some(entity) = world.entity(&pairs.intersect) else { return Err(Fault::no_segment(&pairs.intersect)) };
    let id = world.mint(&pairs.intersect);
    let mut row = Record::new();
    row.insert(entity.primary_id.clone(), json!(id));
    row.insert(pairs.one.1.clone(), reference(&pairs.one.0, one));
    row.insert(pairs.two.1.clone(), reference(&pairs.two.0, two));
    if entity.attribute("entitytype").is_some() {
        row.insert("entitytype".to_owned(), json!(pairs.two.0));
    }
    if entity.attribute("createdon").is_some() {
        for column in ["createdon", "modifiedon"] {
            row.insert(column.to_owned(), json!(super::instant::stamp(by.at)));
        }
    }
    world.put(&pairs.intersect, &id, Some(row));
    note(world, Action::Linked, pairs, one, two);
    Ok(())
}

/// Takes a pair apart.
pub(super) fn part(world: &mut World, pairs: &Pairs, one: &str, two: &str) -> Result<(), Fault> {
    let id = row_of(world, pairs, one, two).ok_or_else(|| Fault::no_row(&pairs.intersect, two))?;
    world.put(&pairs.intersect, &id, None);
    note(world, Action::Unlinked, pairs, one, two);
    Ok(())
}

fn note(world: &mut World, action: Action, pairs: &Pairs, one: &str, two: &str) {
    world.note(Change::new(&pairs.schema_name, format!("{one}/{two}"), action));
}

/// Ids of the rows that are paired with one.
pub(super) fn paired(world: &World, pairs: &Pairs, first: bool, id: &str) -> Vec<String> {
    let (from, to) = if first { (&pairs.one, &pairs.two) } else { (&pairs.two, &pairs.one) };
    let rows = world.pointing(&pairs.intersect, &from.1, &from.0, id);
    let other = |row: &String| {
        let (table, id) = points(world.get(&pairs.intersect, row)?, &to.1)?;
        (table == to.0).then(|| id.to_owned())
    };
    rows.iter().filter_map(other).collect()
}

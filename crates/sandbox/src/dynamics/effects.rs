//! What writing one row does to others.

use serde_json::{Value as Json, json};

use super::draft::Draft;
use super::parties;
use super::refusal::Fault;
use super::schema::Entity;
use super::world::{Record, World, flag, number, points, reference, text};
use super::write::{self, Writer};

/// After a row was created.
pub(super) fn created(world: &mut World, entity: &Entity, id: &str, by: &Writer) -> Result<(), Fault> {
    match entity.name.as_str() {
        "connection" => twin(world, id, by),
        "opportunityproduct" => {
            total_of_line(world, id);
            Ok(())
        }
        "uomschedule" => base_unit(world, id, by),
        "activitymimeattachment" => {
            count_attachments(world, id);
            Ok(())
        }
        _ if entity.activity => parties::sync(world, entity, id, by),
        _ => Ok(()),
    }
}

/// After a row was changed.
pub(super) fn updated(world: &mut World, entity: &Entity, id: &str, before: &Record, by: &Writer) -> Result<(), Fault> {
    match entity.name.as_str() {
        "connection" => mirror(world, id),
        "opportunityproduct" => total_of_line(world, id),
        "opportunity" => total(world, id),
        _ if entity.activity => {
            let after = world.get(&entity.name, id);
            let moved = |column: &str| after.and_then(|row| row.get(column)) != before.get(column);
            if moved("ownerid") || moved("regardingobjectid") {
                return parties::sync(world, entity, id, by);
            }
        }
        _ => {}
    }
    Ok(())
}

/// A connection has a twin that looks the other way (sheet: section 9).
fn twin(world: &mut World, id: &str, by: &Writer) -> Result<(), Fault> {
    let (Some(entity), Some(row)) = (world.entity("connection"), world.get("connection", id).cloned()) else {
        return Ok(());
    };
    if row.contains_key("relatedconnectionid") {
        return Ok(());
    }
    let mut draft = Draft::empty(entity).with("relatedconnectionid", Some(reference("connection", id)));
    draft = draft.with("ismaster", Some(json!(false)));
    for (column, value) in mirrored(&row) {
        draft = draft.with(&column, value);
    }
    let other = write::create(world, &draft, &by.system())?;
    let values = [("relatedconnectionid", Some(reference("connection", &other))), ("ismaster", Some(json!(true)))];
    write::patch(world, "connection", id, &values);
    Ok(())
}

/// What the twin has where.
fn mirrored(row: &Record) -> Vec<(String, Option<Json>)> {
    let pairs = [
        ("record1id", "record2id"),
        ("record2id", "record1id"),
        ("record1roleid", "record2roleid"),
        ("record2roleid", "record1roleid"),
    ];
    let mut list: Vec<(String, Option<Json>)> =
        pairs.iter().map(|(into, from)| ((*into).to_owned(), row.get(*from).cloned())).collect();
    for column in ["description", "effectivestart", "effectiveend", "ownerid"] {
        list.push((column.to_owned(), row.get(column).cloned()));
    }
    list
}

fn mirror(world: &mut World, id: &str) {
    let Some(row) = world.get("connection", id).cloned() else { return };
    if let Some((_, other)) = points(&row, "relatedconnectionid") {
        let values = mirrored(&row);
        let values: Vec<(&str, Option<Json>)> =
            values.iter().map(|(column, value)| (column.as_str(), value.clone())).collect();
        write::patch(world, "connection", other, &values);
    }
}

fn total_of_line(world: &mut World, line: &str) {
    let opportunity = world.get("opportunityproduct", line).and_then(|row| points(row, "opportunityid"));
    if let Some(opportunity) = opportunity.map(|(_, id)| id.to_owned()) {
        total(world, &opportunity);
    }
}

/// Sums of an opportunity's lines (sheet: section 9).
pub(super) fn total(world: &mut World, id: &str) {
    let Some(row) = world.get("opportunity", id).cloned() else { return };
    let lines = world.pointing("opportunityproduct", "opportunityid", "opportunity", id);
    let amount = |line: &String| world.get("opportunityproduct", line).and_then(|row| number(row, "extendedamount"));
    let sum: f64 = lines.iter().filter_map(amount).sum();
    let whole = sum - number(&row, "discountamount").unwrap_or(0.0) + number(&row, "freightamount").unwrap_or(0.0);
    let rate = number(&row, "exchangerate").unwrap_or(1.0);
    let mut values = vec![
        ("totallineitemamount", Some(json!(sum))),
        ("totallineitemamount_base", Some(json!(sum / rate))),
        ("totalamount", Some(json!(whole))),
        ("totalamount_base", Some(json!(whole / rate))),
    ];
    if flag(&row, "isrevenuesystemcalculated") {
        values.push(("estimatedvalue", Some(json!(whole))));
        values.push(("estimatedvalue_base", Some(json!(whole / rate))));
    }
    write::patch(world, "opportunity", id, &values);
}

/// A group of units comes with its base unit.
fn base_unit(world: &mut World, id: &str, by: &Writer) -> Result<(), Fault> {
    let (Some(entity), Some(row)) = (world.entity("uom"), world.get("uomschedule", id).cloned()) else { return Ok(()) };
    let name = match text(&row, "baseuomname") {
        "" => "Primary Unit",
        name => name,
    };
    let draft = Draft::empty(entity)
        .with("name", Some(json!(name)))
        .with("quantity", Some(json!(1.0)))
        .with("isschedulebaseuom", Some(json!(true)))
        .with("uomscheduleid", Some(reference("uomschedule", id)));
    write::create(world, &draft, &by.system()).map(drop)
}

fn count_attachments(world: &mut World, id: &str) {
    let parent = world.get("activitymimeattachment", id).and_then(|row| points(row, "objectid"));
    let Some((table, email)) = parent.map(|(table, id)| (table.to_owned(), id.to_owned())) else { return };
    let count = world.pointing("activitymimeattachment", "objectid", &table, &email).len();
    if table == "email" {
        write::patch(world, "email", &email, &[("attachmentcount", Some(json!(count)))]);
    }
}

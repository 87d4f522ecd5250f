//! What the platform does not allow: states, owners, keys, duplicates, what a line of an opportunity needs.

use serde_json::{Value as Json, json};

use super::derive;
use super::draft::Draft;
use super::refusal::Fault;
use super::schema::{Entity, Kind};
use super::settings::Leniency;
use super::world::{Record, World, flag, points};
use super::write::Writer;

fn code(row: &Record, column: &str) -> Option<i64> {
    row.get(column).and_then(Json::as_i64)
}

/// The state of a new row: open, whatever was said (sheet: section 5.6 \[doc\]).
pub(super) fn opening_state(world: &World, entity: &Entity, row: &mut Record, by: &Writer) -> Result<(), Fault> {
    let Some(first) = entity.attribute("statecode").and_then(|state| state.choices.first()) else { return Ok(()) };
    let open = first.value;
    let status = code(row, "statuscode");
    let state = code(row, "statecode").or(status.and_then(|status| state_of(entity, status))).unwrap_or(open);
    let state = if state != open && !by.system && entity.name != "appointment" {
        if world.settings.closed_at_create == Leniency::Refuse {
            return Err(invalid_state(entity, state, status.unwrap_or(-1)));
        }
        row.remove("statuscode");
        open
    } else {
        state
    };
    row.insert("statecode".to_owned(), json!(state));
    let status = code(row, "statuscode").or_else(|| entity.default_status(state));
    if status.and_then(|status| state_of(entity, status)) != Some(state) {
        return Err(invalid_state(entity, state, status.unwrap_or(-1)));
    }
    row.insert("statuscode".to_owned(), json!(status));
    Ok(())
}

fn state_of(entity: &Entity, status: i64) -> Option<i64> {
    entity.attribute("statuscode")?.choice(status)?.state
}

fn invalid_state(entity: &Entity, state: i64, status: i64) -> Fault {
    let message = format!("{status} is not a valid status code for state code {state} on {}.", entity.name);
    Fault::new(400, "0x80048408", message)
}

/// States after an update, and whether the row was open to one.
pub(super) fn changed_state(
    entity: &Entity,
    before: &Record,
    row: &mut Record,
    draft: &Draft,
    by: &Writer,
) -> Result<(), Fault> {
    let Some(state) = code(row, "statecode") else { return Ok(()) };
    let was = code(before, "statecode").unwrap_or(0);
    let said = |column: &str| draft.values.contains_key(column);
    if said("statecode") && !said("statuscode") && state != was {
        row.insert("statuscode".to_owned(), json!(entity.default_status(state)));
    }
    let status = code(row, "statuscode").unwrap_or(-1);
    if state_of(entity, status) != Some(state) {
        return Err(invalid_state(entity, state, status));
    }
    if by.system {
        return Ok(());
    }
    if state != was {
        closing(entity, state)?;
    }
    let rest = draft.values.keys().any(|column| column != "statecode" && column != "statuscode");
    if closed(entity, was) && closed(entity, state) && (rest || state == was) {
        return Err(read_only(entity));
    }
    Ok(())
}

/// Whether rows in that state take no changes (sheet: section 9).
pub(super) fn closed(entity: &Entity, state: i64) -> bool {
    match entity.name.as_str() {
        "opportunity" | "incident" => state != 0,
        _ => entity.activity && (state == 1 || state == 2),
    }
}

pub(super) fn read_only(entity: &Entity) -> Fault {
    let message = format!("This {} cannot be changed because it is closed. Reopen it first.", entity.name);
    Fault::new(400, "0x80048d0f", message)
}

/// States that have an action of their own.
fn closing(entity: &Entity, state: i64) -> Result<(), Fault> {
    let action = match (entity.name.as_str(), state) {
        ("incident", 1) => "CloseIncident",
        ("opportunity", 1) => "WinOpportunity",
        ("opportunity", 2) => "LoseOpportunity",
        _ => return Ok(()),
    };
    Err(Fault::argument(format!(
        "This message can not be used to set the state of {} to {state}. In order to do so, use the {action} message \
         instead.",
        entity.name
    )))
}

/// What a row must keep to beside its columns' own bounds.
pub(super) fn check(
    world: &World,
    entity: &Entity,
    id: &str,
    before: Option<&Record>,
    row: &Record,
    by: &Writer,
) -> Result<(), Fault> {
    let changed = |column: &str| before.and_then(|before| before.get(column)) != row.get(column);
    if changed("ownerid") {
        owner(world, row)?;
    }
    for key in entity.keys.iter().filter(|key| !key.failed) {
        if key.columns.iter().any(|column| changed(column)) {
            unique(world, entity, id, row, &key.columns, &key.schema_name)?;
        }
    }
    if by.duplicates {
        duplicates(world, entity, id, row)?;
    }
    match entity.name.as_str() {
        "opportunityproduct" => line(world, row, before.is_none()),
        "account" | "contact" if changed("parentaccountid") || changed("parentcustomerid") => {
            parents(world, entity, id, row)
        }
        _ => Ok(()),
    }?;
    attached(world, entity, before, row)
}

/// Owners are people who work here (sheet: section 5.6 \[ERR\]).
fn owner(world: &World, row: &Record) -> Result<(), Fault> {
    let Some((table, id)) = points(row, "ownerid") else { return Ok(()) };
    let owner = world.get(table, id).ok_or_else(|| Fault::no_row(table, id))?;
    if table == "team" {
        return Ok(());
    }
    if flag(owner, "isdisabled") {
        let message = format!("The specified user(Id = {id}) is disabled. Consider enabling this user.");
        return Err(Fault::new(403, "0x80040225", message));
    }
    if owner.get("islicensed") == Some(&Json::Bool(false)) && !owner.contains_key("applicationid") {
        let message = "The user has not been assigned any License.";
        return Err(Fault::new(403, "0x8004d24b", message));
    }
    Ok(())
}

/// No two rows have the same values in a key (sheet: section 5.2 \[ERR\]).
fn unique(world: &World, entity: &Entity, id: &str, row: &Record, columns: &[String], name: &str) -> Result<(), Fault> {
    let mut others: Option<Vec<String>> = None;
    for column in columns {
        let found = match row.get(column) {
            Some(value) => world.by_value(&entity.name, column, value),
            None if world.settings.null_keys_free => return Ok(()),
            None => world
                .rows(&entity.name)
                .filter(|(_, row)| !row.contains_key(column))
                .map(|(id, _)| id.clone())
                .collect(),
        };
        others = Some(match others {
            None => found,
            Some(before) => before.into_iter().filter(|id| found.contains(id)).collect(),
        });
    }
    if others.unwrap_or_default().iter().any(|other| other != id) {
        let message = format!(
            "Entity Key {name} violated. A record with the same value for {} already exists. A duplicate record cannot \
             be created. Select one or more unique values and try again.",
            columns.join(", ")
        );
        return Err(Fault::new(412, "0x80060892", message));
    }
    Ok(())
}

/// Rules of the organization, which only count when the request asks for them (sheet: section 5.5 \[doc\]).
fn duplicates(world: &World, entity: &Entity, id: &str, row: &Record) -> Result<(), Fault> {
    let same = |other: &Record, column: &String| match (row.get(column), other.get(column)) {
        (Some(Json::String(one)), Some(Json::String(two))) => one.eq_ignore_ascii_case(two),
        (Some(one), Some(two)) => one == two,
        _ => false,
    };
    for rule in world.specs.duplicate_rules.iter().filter(|rule| rule.table == entity.name) {
        let hit = world
            .rows(&entity.name)
            .any(|(other, found)| other != id && rule.columns.iter().all(|column| same(found, column)));
        if hit {
            return Err(Fault::new(
                412,
                "0x80040333",
                "A record was not created or updated because a duplicate of the current record already exists.",
            ));
        }
    }
    Ok(())
}

/// A line has a product with its unit, or its own description (sheet: section 9).
fn line(world: &World, row: &Record, new: bool) -> Result<(), Fault> {
    if flag(row, "isproductoverridden") {
        let described = row.contains_key("productdescription");
        return if described { Ok(()) } else { Err(Fault::argument("A write-in product needs productdescription.")) };
    }
    if !row.contains_key("productid") || !row.contains_key("uomid") {
        return Err(Fault::argument("The product and its unit are needed unless the line overrides them."));
    }
    if new && world.settings.price_list_checked && derive::list_price(world, row).is_none() {
        return Err(Fault::argument("The product is not in the price list of the opportunity."));
    }
    Ok(())
}

/// No row is its own ancestor.
fn parents(world: &World, entity: &Entity, id: &str, row: &Record) -> Result<(), Fault> {
    let column = if entity.name == "account" { "parentaccountid" } else { "parentcustomerid" };
    let mut next = points(row, column);
    for _ in 0..100 {
        match next {
            Some((table, parent)) if table == entity.name => {
                if parent == id {
                    return Err(Fault::new(
                        400,
                        "0x80040507",
                        "Creating this parental association would create a loop in the hierarchy.",
                    ));
                }
                next = world.get(table, parent).and_then(|row| points(row, column));
            }
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// Lines of a closed opportunity stay as they are.
fn attached(world: &World, entity: &Entity, before: Option<&Record>, row: &Record) -> Result<(), Fault> {
    if entity.name != "opportunityproduct" || before.is_some_and(|before| before == row) {
        return Ok(());
    }
    let parent =
        points(row, "opportunityid").and_then(|(table, id)| Some((world.entity(table)?, world.get(table, id)?)));
    match parent {
        Some((parent, row)) if closed(&parent, code(row, "statecode").unwrap_or(0)) => Err(read_only(&parent)),
        _ => Ok(()),
    }
}

/// Whether a column may stand in an alternate key (sheet: section 3 \[doc\]).
pub(super) fn may_be_key(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Decimal | Kind::Integer | Kind::String | Kind::DateTime | Kind::Lookup | Kind::Customer | Kind::Picklist
    )
}

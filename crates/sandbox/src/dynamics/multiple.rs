//! CreateMultiple, UpdateMultiple, UpsertMultiple (sheet: section 5.4): all rows or none.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::actions::context;
use super::address;
use super::call::Call;
use super::records;
use super::refusal::{Answer, Fault, no_content};
use super::schema::Entity;
use super::world::World;
use super::write;
use crate::Reply;

/// `POST /accounts/Microsoft.Dynamics.CRM.CreateMultiple`.
pub(super) fn answer(world: &mut World, call: &Call<'_>, entity: &Arc<Entity>, action: &str) -> Answer {
    if call.method() != "POST" {
        return Err(Fault::not_allowed(call.method()));
    }
    if !["CreateMultiple", "UpdateMultiple", "UpsertMultiple"].contains(&action) || !entity.bulk {
        return Err(Fault::no_segment(&format!("Microsoft.Dynamics.CRM.{action}")));
    }
    let body = call.map()?;
    let targets = body
        .get("Targets")
        .and_then(Json::as_array)
        .ok_or_else(|| Fault::payload(&entity.set, "The body has no 'Targets'."))?;
    if targets.is_empty() || targets.len() > world.settings.multiple_rows {
        let message = format!("Targets must hold 1 to {} records.", world.settings.multiple_rows);
        return Err(Fault::argument(message));
    }
    let mut rows: Vec<&Map<String, Json>> = Vec::new();
    for target in targets {
        let map = target.as_object().ok_or_else(|| Fault::payload(&entity.set, "A target is no record."))?;
        if !map.contains_key("@odata.type") {
            return Err(Fault::payload(&entity.set, "A target has no '@odata.type'."));
        }
        rows.push(map);
    }
    match action {
        "CreateMultiple" => create(world, call, entity, &rows),
        "UpdateMultiple" => update(world, call, entity, &rows),
        _ => upsert(world, call, entity, &rows),
    }
}

fn create(world: &mut World, call: &Call<'_>, entity: &Arc<Entity>, rows: &[&Map<String, Json>]) -> Answer {
    let mut ids = Vec::new();
    for row in rows {
        let draft = records::draft(world, call, entity, row, true)?;
        ids.push(write::create(world, &draft, &call.writer())?);
    }
    Ok(Reply::json(200, &json!({"@odata.context": context(call, "CreateMultiple"), "Ids": ids})))
}

fn update(world: &mut World, call: &Call<'_>, entity: &Arc<Entity>, rows: &[&Map<String, Json>]) -> Answer {
    for row in rows {
        let key = match (row.get(&entity.primary_id), row.get("@odata.id")) {
            (Some(id), _) => {
                let id = id.as_str().and_then(super::guid::parse);
                address::RowKey::Id(id.ok_or_else(|| Fault::payload(&entity.set, "The primary key is no Edm.Guid."))?)
            }
            (None, Some(address)) => named(world, call, entity, address)?,
            (None, None) => return Err(Fault::payload(&entity.set, "A target has no primary key.")),
        };
        let id = address::existing(world, entity, &key)?;
        let draft = records::draft(world, call, entity, row, false)?;
        write::update(world, &id, &draft, &call.writer())?;
    }
    Ok(no_content())
}

fn upsert(world: &mut World, call: &Call<'_>, entity: &Arc<Entity>, rows: &[&Map<String, Json>]) -> Answer {
    let mut results = Vec::new();
    for row in rows {
        let address = row.get("@odata.id").cloned();
        let by_id = row.get(&entity.primary_id).and_then(Json::as_str).and_then(super::guid::parse);
        let key = match (address, by_id) {
            (Some(address), _) => named(world, call, entity, &address)?,
            (None, Some(id)) => address::RowKey::Id(id),
            (None, None) => return Err(Fault::payload(&entity.set, "A target has no '@odata.id'.")),
        };
        let (id, created) = records::apply(world, call, entity, &key, row, false)?;
        let target =
            json!({"@odata.type": format!("#Microsoft.Dynamics.CRM.{}", entity.name), entity.primary_id.clone(): id});
        results.push(json!({"RecordCreated": created, "Target": target}));
    }
    if world.settings.upsert_multiple_results {
        return Ok(Reply::json(200, &json!({"@odata.context": context(call, "UpsertMultiple"), "Results": results})));
    }
    Ok(no_content())
}

/// The row that `@odata.id` names.
fn named(world: &World, call: &Call<'_>, entity: &Entity, address: &Json) -> Result<address::RowKey, Fault> {
    let wrong = || Fault::payload(&entity.set, "The '@odata.id' of a target does not name a record of the set.");
    let (found, key) = address::refer(world, &call.references, address.as_str().ok_or_else(wrong)?, call.at)?;
    if found.name == entity.name { Ok(key) } else { Err(wrong()) }
}

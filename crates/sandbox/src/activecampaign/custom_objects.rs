//! Custom objects: schemas, and records that are upserted by their external id (sheet: ActiveCampaign section 2).

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::refusal::{self, Answer, Refusal};
use super::world::World;
use crate::Reply;
use crate::journal::{Action, Change};

pub(super) fn answer(world: &mut World, call: &mut Call<'_>, method: &str, parts: &[&str]) -> Answer {
    if !world.settings.custom_objects {
        return Err(Refusal::forbidden("Custom objects are not part of the plan."));
    }
    match (method, parts) {
        ("GET", ["schemas"]) => Ok(listed("schemas", world.extras.schemas.values())),
        ("POST", ["schemas" | "schemas/public"]) | ("POST", ["schemas", "public"]) => create_schema(world, call),
        ("GET", ["schemas", id]) => schema(world, id).map(|schema| Reply::json(200, &json!({"schema": schema}))),
        ("DELETE", ["schemas", id]) => {
            schema(world, id)?;
            world.extras.schemas.remove(*id);
            world.extras.objects.retain(|(schema, _), _| schema != id);
            Ok(Reply::json(200, &json!({})))
        }
        ("GET", ["records", schema_id]) => {
            schema(world, schema_id)?;
            let of = world.extras.objects.iter().filter(|((schema, _), _)| schema == schema_id);
            Ok(listed("records", of.map(|(_, record)| record)))
        }
        ("POST", ["records", schema_id]) => upsert(world, call, schema_id),
        (_, ["records", schema_id, "external", external]) => {
            let by = |record: &Map<String, Json>| record.get("externalId").and_then(Json::as_str) == Some(*external);
            let mut of = world.extras.objects.iter().filter(|((schema, _), _)| schema == schema_id);
            let id = of.find(|(_, record)| by(record)).map(|((_, id), _)| id.clone());
            one(world, call, method, schema_id, &id.unwrap_or_default())
        }
        (_, ["records", schema_id, id]) => one(world, call, method, schema_id, id),
        _ => Err(Refusal(Box::new(refusal::unknown_path()))),
    }
}

fn schema<'w>(world: &'w World, id: &str) -> Result<&'w Map<String, Json>, Refusal> {
    world.extras.schemas.get(id).ok_or_else(|| Refusal::not_found("Schema", id))
}

fn listed<'r>(name: &str, rows: impl Iterator<Item = &'r Map<String, Json>>) -> Reply {
    let rows: Vec<&Map<String, Json>> = rows.collect();
    let count = rows.len();
    Reply::json(200, &json!({name: rows, "meta": {"total": count, "count": count, "limit": 100, "offset": 0}}))
}

fn create_schema(world: &mut World, call: &mut Call<'_>) -> Answer {
    let mut schema = call.under("schema")?;
    if schema.get("slug").and_then(Json::as_str).unwrap_or_default().is_empty() {
        return Err(Refusal::missing("schema", "slug"));
    }
    let id = world.draw_uuid("schema");
    schema.insert("id".to_owned(), json!(id));
    call.changes.push(Change::new("schema", &id, Action::Created));
    world.extras.schemas.insert(id, schema.clone());
    Ok(Reply::json(201, &json!({"schema": schema})))
}

/// `POST /customObjects/records/{schema}`: an upsert by `externalId`.
fn upsert(world: &mut World, call: &mut Call<'_>, schema_id: &str) -> Answer {
    schema(world, schema_id)?;
    let mut record = call.under("record")?;
    let external = record.get("externalId").and_then(Json::as_str).unwrap_or_default().to_owned();
    let of = world.extras.objects.iter().filter(|((schema, _), _)| schema == schema_id);
    let there = of
        .filter(|(_, record)| {
            !external.is_empty() && record.get("externalId").and_then(Json::as_str) == Some(&external)
        })
        .map(|((_, id), record)| (id.clone(), record.clone()))
        .next();
    let given = record.get("id").and_then(Json::as_str).map(str::to_owned);
    let now = json!(call.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let (id, created, action) = match there {
        Some((id, before)) => (id, before.get("createdTimestamp").cloned().unwrap_or_default(), Action::Updated),
        None => (given.unwrap_or_else(|| world.draw_uuid("record")), now.clone(), Action::Created),
    };
    for (name, value) in
        [("id", json!(id)), ("schemaId", json!(schema_id)), ("createdTimestamp", created), ("updatedTimestamp", now)]
    {
        record.insert(name.to_owned(), value);
    }
    call.changes.push(Change::new("record", &id, action));
    world.extras.objects.insert((schema_id.to_owned(), id), record.clone());
    Ok(Reply::json(if action == Action::Created { 201 } else { 200 }, &json!({"record": record})))
}

fn one(world: &mut World, call: &mut Call<'_>, method: &str, schema_id: &str, id: &str) -> Answer {
    let place = (schema_id.to_owned(), id.to_owned());
    let record = world.extras.objects.get(&place).cloned().ok_or_else(|| Refusal::not_found("Record", id))?;
    if method == "DELETE" {
        world.extras.objects.remove(&place);
        call.changes.push(Change::new("record", id, Action::Deleted));
        return Ok(Reply::json(200, &json!({})));
    }
    Ok(Reply::json(200, &json!({"record": record})))
}

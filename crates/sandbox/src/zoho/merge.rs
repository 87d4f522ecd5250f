//! Merging records: the children go away, what hung on them hangs on the master (sheet: section 2, merge).

use serde_json::{Value as Json, json};

use super::bulk::Job;
use super::call::Call;
use super::draft::Writer;
use super::refusal::{Answer, Refusal, success};
use super::schema::{Kind, Module};
use super::scopes::Does;
use super::values::id_of;
use super::world::{Binned, Id, Row, World};
use crate::Reply;
use crate::journal::Action;

/// Records that hang on a child until the merge takes its time.
const AT_ONCE: usize = 1_000;

/// `POST` and `GET /{M}/{master}/actions/merge`.
pub(super) fn answer(world: &mut World, call: &Call<'_>, module: &Module, master: &str) -> Answer {
    call.may_in(world, &module.api_name, Does::of(call.method()))?;
    let by = Writer::of(call);
    let Some(into) = by.record(world, module, master) else { return Err(Refusal::bad_id("id", "$.id")) };
    if call.method() == "GET" {
        let job = call.param("job_id").ok_or_else(|| Refusal::missing_param("job_id"))?;
        let known = job.parse().ok().and_then(|id: Id| world.jobs.get(&id)).filter(|job| job.operation == "merge");
        return match known.is_some() {
            true => Ok(Reply::json(200, &json!({"merge": [{"job_id": job, "status": "COMPLETED"}]}))),
            false => Err(Refusal::bad_param("job_id")),
        };
    }
    if !module.mergeable() {
        return Err(Refusal::new("INVALID_MODULE", "merge is not supported for the module"));
    }
    let (_, items) = call.items("merge", 1)?;
    let item = items.first().cloned().unwrap_or_default();
    let data = item.get("data").and_then(Json::as_array).filter(|data| !data.is_empty());
    let data = data.ok_or_else(|| Refusal::missing("data", "$.merge[0].data"))?;
    if data.len() > 2 {
        return Err(Refusal::limit("The limit of records in a merge is exceeded", json!({"limit": 3})));
    }
    let mut children = Vec::new();
    for (at, child) in data.iter().enumerate() {
        let id = id_of(child).filter(|id| *id != into && world.get(&module.api_name, *id).is_some());
        children.push(id.ok_or_else(|| Refusal::bad_id("id", &format!("$.merge[0].data[{at}].id")))?);
    }
    for id in children.iter().chain([&into]) {
        let is_closed = world.get(&module.api_name, *id).is_some_and(|row| closed(module, row));
        if is_closed {
            return Err(
                Refusal::new("NOT_ALLOWED", "closed deals cannot be merged").with(json!({"id": id.to_string()}))
            );
        }
    }
    take_fields(world, module, into, data);
    let moved = merge(world, module, into, &children, &by)?;
    if moved > AT_ONCE {
        let job = world.mint();
        world.jobs.insert(job, Job::merge(&module.api_name, call.user, call.at));
        let item = json!({"code": "SCHEDULED", "details": {"job_id": job.to_string()}, "message": "The merge has been scheduled", "status": "success"});
        return Ok(Reply::json(200, &json!({"merge": [item]})));
    }
    let done = success("The records have been merged successfully", json!({"id": into.to_string()}));
    Ok(Reply::json(200, &json!({"merge": [done]})))
}

fn closed(module: &Module, row: &Row) -> bool {
    let stage = module.field("Stage").and_then(|field| field.pick(row.text("Stage"), false));
    module.api_name == "Deals" && stage.is_some_and(|pick| pick.forecast.as_deref() != Some("Open"))
}

/// Fields that the master takes from children.
fn take_fields(world: &mut World, module: &Module, into: Id, data: &[Json]) {
    let Some(mut row) = world.get(&module.api_name, into).cloned() else { return };
    for child in data {
        let from = id_of(child).and_then(|id| world.get(&module.api_name, id));
        for name in child.get("_fields").and_then(Json::as_array).into_iter().flatten() {
            let field = name["api_name"].as_str().and_then(|name| module.field(name)).filter(|field| !field.read_only);
            if let (Some(field), Some(from)) = (field, from) {
                row.set(&field.api_name, from.values.get(&field.api_name).cloned());
            }
        }
    }
    world.put(&module.api_name, row, Action::Updated);
}

/// Merges records into another; how many related records moved.
pub(super) fn merge(
    world: &mut World,
    module: &Module,
    into: Id,
    children: &[Id],
    by: &Writer,
) -> Result<usize, Refusal> {
    let name = module.api_name.as_str();
    let mut master = world.get(name, into).cloned().ok_or_else(|| Refusal::bad_id("id", "$.id"))?;
    let mut moved = 0;
    for child in children {
        let Some(row) = world.get(name, *child).cloned() else { continue };
        for field in module.fields.iter().filter(|field| !field.read_only && !field.unique) {
            let value = row.values.get(&field.api_name);
            if let Some(value) = value.filter(|_| !master.values.contains_key(&field.api_name)) {
                master.set(&field.api_name, Some(value.clone()));
            }
        }
        moved += rehang(world, name, *child, into);
        let told = world.settings.merged_in_feed;
        let gone = world.take(name, *child, Action::Merged);
        if let Some(change) = world.changes.last_mut() {
            change.fields.insert("merged_into".to_owned(), (Json::Null, json!(into.to_string())));
        }
        if let Some(row) = gone {
            // It is gone for good.
            let (module, at) = (name.to_owned(), world.now);
            world.bin.insert(*child, Binned { module, row, at, by: by.user, root: *child, permanent: true, told });
        }
    }
    (master.modified, master.modified_by) = (world.now, by.user);
    world.put(name, master, Action::Updated);
    Ok(moved)
}

/// What hangs on one record hangs on another from now on.
fn rehang(world: &mut World, module: &str, from: Id, to: Id) -> usize {
    let mut moved = 0;
    for shape in world.modules.clone() {
        for field in shape.fields.iter().filter(|field| field.data_type == Kind::Lookup) {
            let target = field.module.as_deref();
            if target != Some(module) && target != Some("se_module") {
                continue;
            }
            for id in world.pointing(&shape.api_name, &field.api_name, from) {
                if let Some(mut row) = world.get(&shape.api_name, id).cloned() {
                    row.set(&field.api_name, Some(json!(to.to_string())));
                    world.put(&shape.api_name, row, Action::Updated);
                    moved += 1;
                }
            }
        }
    }
    let linked: Vec<(Id, Id)> = world.links.iter().filter(|(one, two)| *one == from || *two == from).copied().collect();
    for (one, two) in linked {
        let other = if one == from { two } else { one };
        super::related::join(world, from, other, false);
        super::related::join(world, to, other, true);
    }
    let roles: Vec<((Id, Id), Option<Id>)> = world
        .roles
        .iter()
        .filter(|((deal, contact), _)| *deal == from || *contact == from)
        .map(|(key, role)| (*key, *role))
        .collect();
    for ((deal, contact), role) in roles {
        super::related::set_role(world, deal, contact, None);
        let (deal, contact) = (if deal == from { to } else { deal }, if contact == from { to } else { contact });
        super::related::set_role(world, deal, contact, Some(role));
    }
    moved
}

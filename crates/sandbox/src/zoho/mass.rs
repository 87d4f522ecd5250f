//! Many records at once: another owner, another value, a copy (sheet: section 2).

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::draft::Writer;
use super::refusal::{Answer, Refusal, success};
use super::schema::{Kind, Module};
use super::scopes::Does;
use super::values::id_of;
use super::world::World;
use super::write;
use crate::Reply;
use crate::journal::Action;

/// Records in a call (sheet: section 2).
const MOST: usize = 500;

/// `POST /{M}/actions/change_owner`, and the same of one record.
pub(super) fn change_owner(world: &mut World, call: &Call<'_>, module: &Module, one: Option<&str>) -> Answer {
    call.may("ZohoCRM.change_owner", Does::Create)?;
    let body = call.body()?;
    let owner = body.get("owner").ok_or_else(|| Refusal::missing("owner", "$.owner"))?;
    let owner = id_of(owner).filter(|id| world.is_active_user(*id));
    let owner = owner.ok_or_else(|| {
        let refusal = Refusal::new("INVALID_DATA", "the owner id given is invalid");
        refusal.with(json!({"api_name": "owner", "json_path": "$.owner"}))
    })?;
    let item = Map::from_iter([("Owner".to_owned(), json!({"id": owner.to_string()}))]);
    change(world, call, module, one, (&body, &item, "owner is successfully updated"))
}

/// `POST /{M}/actions/mass_update`.
pub(super) fn update(world: &mut World, call: &Call<'_>, module: &Module) -> Answer {
    call.may(&format!("ZohoCRM.mass_update.{}", module.scope()), Does::Update)?;
    let (body, items) = call.items("data", 1)?;
    if body.contains_key("cvid") {
        return Err(Refusal::bad_param("cvid"));
    }
    let item = items.first().and_then(Json::as_object).cloned().unwrap_or_default();
    if item.is_empty() {
        return Err(Refusal::missing("data", "$.data[0]"));
    }
    let over_write = body.get("over_write") != Some(&json!(false));
    let mut item = item;
    if !over_write {
        let lists = module.fields.iter().filter(|field| field.data_type == Kind::Multipick);
        let append: Map<String, Json> = lists.map(|field| (field.api_name.clone(), json!(true))).collect();
        item.insert("$append_values".to_owned(), Json::Object(append));
    }
    change(world, call, module, None, (&body, &item, "record updated"))
}

fn change(
    world: &mut World,
    call: &Call<'_>,
    module: &Module,
    one: Option<&str>,
    (body, item, told): (&Map<String, Json>, &Map<String, Json>, &str),
) -> Answer {
    let in_body = body
        .get("ids")
        .and_then(Json::as_array)
        .map(|ids| ids.iter().map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned)).collect::<Vec<_>>());
    let ids = one.map(|one| vec![one.to_owned()]).or(in_body).filter(|ids| !ids.is_empty());
    let ids = ids.ok_or_else(|| Refusal::missing("ids", "$.ids"))?;
    if ids.len() > MOST {
        return Err(Refusal::limit(
            "The limit of ids in a call is exceeded",
            json!({"api_name": "ids", "limit": MOST}),
        ));
    }
    let by = Writer::of(call);
    let mut results = Vec::new();
    for text in ids.iter().take(call.apply_only.unwrap_or(ids.len())) {
        let id = by.record(world, module, text);
        let id = id
            .ok_or_else(|| Refusal::new("INVALID_DATA", "the id given seems to be invalid").with(json!({"id": text})));
        let done = id.and_then(|id| write::change(world, module, id, item, &by, ("$.data[0]", None)));
        results.push(done.map(|row| success(told, json!({"id": row.id.to_string()}))));
    }
    Ok(write::reply(world, &results, 200))
}

/// `POST /{M}/{id}/actions/clone`.
pub(super) fn clone(world: &mut World, call: &Call<'_>, module: &Module, text: &str) -> Answer {
    call.may_in(world, &module.api_name, Does::Create)?;
    let by = Writer::of(call);
    let row = by.record(world, module, text).and_then(|id| world.get(&module.api_name, id)).cloned();
    let mut row = row.ok_or_else(|| Refusal::bad_id("id", "$.id"))?;
    for field in module.fields.iter().filter(|field| field.unique || field.external.is_some()) {
        row.set(&field.api_name, None);
    }
    for value in row.values.values_mut().filter_map(Json::as_array_mut).flatten() {
        if let Some(item) = value.as_object_mut() {
            item.remove("id");
        }
    }
    (row.id, row.created, row.modified) = (0, call.at, call.at);
    (row.created_by, row.modified_by) = (call.user, call.user);
    row.set("$converted", None);
    let row = write::commit(world, module, row, Action::Created);
    let done = success("record added", write::stamps(world, call.version, &row));
    Ok(Reply::json(201, &json!({"data": [done]})))
}

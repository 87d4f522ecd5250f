//! Insert, update, upsert: up to 100 records, each with its own result (sheet: section 5).

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::draft::{self, Writer};
use super::refusal::{Answer, Refusal, success};
use super::schema::{Field, Kind, Module};
use super::scopes::Does;
use super::settings::ManyMatches;
use super::world::{Id, Row, World};
use super::{instant, values};
use crate::Reply;
use crate::journal::Action;

/// Records in a call (sheet: section 5).
pub(super) const MOST: usize = 100;

/// What `trigger` may name (sheet: section 5).
const TRIGGERS: [&str; 5] = ["workflow", "approval", "blueprint", "pathfinder", "orchestration"];

/// `POST /{M}`.
pub(super) fn insert(world: &mut World, call: &Call<'_>, module: &Module) -> Answer {
    call.may_in(world, &module.api_name, Does::Create)?;
    let (body, items) = call.items("data", MOST)?;
    begin(world, &body)?;
    let by = Writer::of(call);
    let results = each(call, &items, |item, path| {
        let row = draft::insert(world, module, item, &by, path)?;
        let row = commit(world, module, row, Action::Created);
        Ok(success("record added", stamps(world, call.version, &row)))
    });
    Ok(reply(world, &results, 201))
}

/// `PUT /{M}` and `PUT /{M}/{id}`.
pub(super) fn update(world: &mut World, call: &Call<'_>, module: &Module, one: Option<&str>) -> Answer {
    call.may_in(world, &module.api_name, Does::Update)?;
    let (body, items) = call.items("data", if one.is_some() { 1 } else { MOST })?;
    begin(world, &body)?;
    let by = Writer::of(call);
    let since = call.time_header("if-unmodified-since")?;
    let results = each(call, &items, |item, path| {
        let id = named(world, module, &by, item, one, path)?;
        let row = change(world, module, id, item, &by, (path, since))?;
        Ok(success("record updated", stamps(world, call.version, &row)))
    });
    Ok(reply(world, &results, 200))
}

/// The record that an item of an update means.
fn named(
    world: &World,
    module: &Module,
    by: &Writer,
    item: &Map<String, Json>,
    one: Option<&str>,
    path: &str,
) -> Result<Id, Refusal> {
    let path = format!("{path}.id");
    if let Some(text) = one {
        return by.record(world, module, text).ok_or_else(|| Refusal::bad_id("id", &path));
    }
    let external = by.external.iter().find_map(|name| name.strip_prefix(&format!("{}.", module.api_name)));
    let given = external.and_then(|key| item.get(key)).or_else(|| item.get("id"));
    let given = given.ok_or_else(|| Refusal::missing("id", &path))?;
    let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
    by.record(world, module, &text).ok_or_else(|| Refusal::bad_id("id", &path))
}

/// Changes a record.
pub(super) fn change(
    world: &mut World,
    module: &Module,
    id: Id,
    item: &Map<String, Json>,
    by: &Writer,
    (path, since): (&str, Option<i64>),
) -> Result<Row, Refusal> {
    let before =
        world.get(&module.api_name, id).cloned().ok_or_else(|| Refusal::bad_id("id", &format!("{path}.id")))?;
    if since.is_some_and(|since| before.modified > since) {
        return Err(Refusal::new("ALREADY_MODIFIED", "The record has been modified already")
            .with(json!({"id": id.to_string(), "json_path": path})));
    }
    let row = draft::update(world, module, &before, item, by, path)?;
    Ok(commit(world, module, row, Action::Updated))
}

/// `POST /{M}/upsert`.
pub(super) fn upsert(world: &mut World, call: &Call<'_>, module: &Module) -> Answer {
    call.may_in(world, &module.api_name, Does::Create)?;
    call.may_in(world, &module.api_name, Does::Update)?;
    if !module.upserts() {
        return Err(Refusal::new("NOT_SUPPORTED", "upsert is not supported for the module").with_status(400));
    }
    let (body, items) = call.items("data", MOST)?;
    begin(world, &body)?;
    let keys = keys(module, body.get("duplicate_check_fields"))?;
    let by = Writer::of(call);
    let since = call.time_header("if-unmodified-since")?;
    let results = each(call, &items, |item, path| {
        let Upserted { row, inserted, by_field } = put(world, module, &keys, item, &by, (path, since))?;
        let message = if inserted { "record added" } else { "record updated" };
        let mut done = success(message, stamps(world, call.version, &row));
        done.insert("action".to_owned(), json!(if inserted { "insert" } else { "update" }));
        done.insert("duplicate_field".to_owned(), json!(by_field));
        Ok(done)
    });
    Ok(reply(world, &results, 200))
}

/// What an upsert did.
pub(super) struct Upserted {
    pub(super) row: Row,
    pub(super) inserted: bool,
    /// The field by which the record was found.
    pub(super) by_field: Option<String>,
}

/// Updates the record that the keys find, or makes one.
pub(super) fn put(
    world: &mut World,
    module: &Module,
    keys: &[Field],
    item: &Map<String, Json>,
    by: &Writer,
    (path, since): (&str, Option<i64>),
) -> Result<Upserted, Refusal> {
    for key in keys {
        let Some(given) = item.get(&key.api_name).filter(|given| !given.is_null()) else { continue };
        let path_of_key = format!("{path}.{}", key.api_name);
        let value = values::take(world, by, &Row::default(), key, given, &path_of_key)?.unwrap_or_default();
        let mut found = world.by_value(&module.api_name, key, &value);
        if found.len() > 1 && world.settings.many_matches == ManyMatches::Refused {
            let first = found.first().copied().unwrap_or_default();
            return Err(draft::duplicate(world, module, &key.api_name, first, by.version, path));
        }
        found.sort_by_key(|id| world.get(&module.api_name, *id).map(|row| (row.modified, *id)));
        if let Some(id) = found.last() {
            let row = change(world, module, *id, item, by, (path, since))?;
            return Ok(Upserted { row, inserted: false, by_field: Some(key.api_name.clone()) });
        }
    }
    let row = draft::insert(world, module, item, by, path)?;
    let row = commit(world, module, row, Action::Created);
    Ok(Upserted { row, inserted: true, by_field: None })
}

/// The fields that an upsert looks at, in order: those that are named, or the system's own; then all other unique
/// ones (sheet: section 5, upsert).
pub(super) fn keys(module: &Module, named: Option<&Json>) -> Result<Vec<Field>, Refusal> {
    let wrong = || Refusal::invalid("duplicate_check_fields", "$.duplicate_check_fields", "jsonarray");
    let mut keys: Vec<Field> = Vec::new();
    match named {
        None | Some(Json::Null) => keys.extend(module.key.as_ref().and_then(|key| module.field(key)).cloned()),
        Some(list) => {
            for name in list.as_array().ok_or_else(wrong)? {
                let field = name.as_str().and_then(|name| module.field(name));
                let is_key = |field: &&Field| {
                    field.unique || field.external.is_some() || module.key.as_ref() == Some(&field.api_name)
                };
                keys.push(field.filter(is_key).ok_or_else(wrong)?.clone());
            }
        }
    }
    for field in module.fields.iter().filter(|field| field.unique || field.external.is_some()) {
        if !keys.iter().any(|key| key.api_name == field.api_name) {
            keys.push(field.clone());
        }
    }
    Ok(keys)
}

/// Checks what stands beside the records of a write.
fn begin(world: &mut World, body: &Map<String, Json>) -> Result<(), Refusal> {
    let Some(trigger) = body.get("trigger").filter(|trigger| !trigger.is_null()) else { return Ok(()) };
    let wrong = || Refusal::invalid("trigger", "$.trigger", "jsonarray");
    let list = trigger.as_array().ok_or_else(wrong)?;
    if !list.iter().all(|one| one.as_str().is_some_and(|one| TRIGGERS.contains(&one))) {
        return Err(wrong());
    }
    if list.is_empty() && !world.settings.silent_writes_notify {
        world.hushed = true;
    }
    Ok(())
}

type Done = Result<Map<String, Json>, Refusal>;

/// Deals with each item; a fault may end it early.
fn each(call: &Call<'_>, items: &[Json], mut work: impl FnMut(&Map<String, Json>, &str) -> Done) -> Vec<Done> {
    let most = call.apply_only.unwrap_or(items.len());
    let items = items.iter().enumerate().take(most);
    items
        .map(|(at, item)| {
            let path = format!("$.data[{at}]");
            match item.as_object() {
                Some(item) => work(item, &path),
                None => Err(Refusal::invalid("data", &path, "jsonobject")),
            }
        })
        .collect()
}

/// The results in the order of the request, under the status that they have together (sheet: section 5 \[unsure\]).
pub(super) fn reply(world: &World, results: &[Done], status: u16) -> Reply {
    let failed = results.iter().filter_map(|result| result.as_ref().err());
    let stale = failed.clone().all(|refusal| refusal.status == 412);
    let status = match failed.count() {
        0 => status,
        all if all == results.len() && stale => 412,
        all if all == results.len() => world.settings.failed_status,
        _ => world.settings.mixed_status,
    };
    let data: Vec<Json> = results
        .iter()
        .map(|result| match result {
            Ok(done) => Json::Object(done.clone()),
            Err(refusal) => refusal.item(),
        })
        .collect();
    Reply::json(status, &json!({"data": data}))
}

/// Who made and changed a record, and when.
pub(super) fn stamps(world: &World, version: u16, row: &Row) -> Json {
    let user = |id: Id| world.users.get(&id).map(|user| json!({"name": user.full_name(), "id": user.id.to_string()}));
    let time = |at| instant::told(at, world.org.utc_offset_min);
    let mut stamps = json!({
        "Modified_Time": time(row.modified), "Modified_By": user(row.modified_by),
        "Created_Time": time(row.created), "id": row.id.to_string(), "Created_By": user(row.created_by),
    });
    if version > 2 {
        stamps["$approval_state"] = json!("approved");
    }
    stamps
}

/// Writes a row that has been judged: with ids for what is new in it.
pub(super) fn commit(world: &mut World, module: &Module, mut row: Row, action: Action) -> Row {
    if row.id == 0 {
        row.id = world.mint();
        for field in &module.fields {
            if field.data_type == Kind::Autonumber || (field.read_only && field.api_name.ends_with("_Number")) {
                let number = world.draw(&format!("{} {}", module.api_name, field.api_name));
                row.set(&field.api_name, Some(json!(number.to_string())));
            }
        }
    }
    for field in &module.fields {
        if let Some(Json::Array(items)) = row.values.get_mut(&field.api_name) {
            for item in items.iter_mut().filter(|item| item.is_object() && item.get("id").is_none()) {
                item["id"] = json!(world.mint().to_string());
            }
        }
        if field.data_type == Kind::Tag {
            super::tags::know(world, &module.api_name, row.values.get("Tag"));
        }
    }
    let touches = matches!(module.api_name.as_str(), "Notes" | "Attachments")
        .then(|| (row.text("$se_module").to_owned(), row.target("Parent_Id")));
    let writer = row.modified_by;
    let (id, name) = (row.id, module.api_name.as_str());
    world.put(name, row, action);
    if let Some((parent, Some(of))) = touches {
        bump(world, &parent, of, writer);
    }
    world.get(name, id).cloned().unwrap_or_default()
}

/// A change of something related moves the record's time, if the organization is so (sheet: section 4 \[unsure\]).
pub(super) fn bump(world: &mut World, module: &str, id: Id, user: Id) {
    let row = world.get(module, id).filter(|_| world.settings.related_bumps).cloned();
    if let Some(mut row) = row {
        (row.modified, row.modified_by) = (world.now, user);
        world.put(module, row, Action::Updated);
    }
}

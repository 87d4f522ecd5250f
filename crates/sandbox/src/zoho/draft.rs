//! A record as a request brings it becomes a row, or is refused with the first thing that is wrong.

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::instant::Seconds;
use super::refusal::Refusal;
use super::schema::{Field, Kind, Module};
use super::settings::Unwritable;
use super::world::{Id, Row, World};
use super::{rules, values};

/// Rows of a subform in one record (sheet: trap 16).
const ROWS: usize = 100;

/// Participants of an event (sheet: section 5, activities).
const PARTICIPANTS: usize = 50;

/// Who writes, and how.
#[derive(Clone, Debug, Default)]
pub(super) struct Writer {
    pub(super) user: Id,
    pub(super) at: Seconds,
    pub(super) version: u16,
    /// The fields that `X-EXTERNAL` names: `Contacts.Source_Id`, `Contacts.Account_Name.Source_Id`.
    pub(super) external: Vec<String>,
}

impl Writer {
    pub(super) fn of(call: &Call<'_>) -> Self {
        let header = call.request.header("x-external").unwrap_or("");
        let external = header.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect();
        Self { user: call.user, at: call.at, version: call.version, external }
    }

    /// The record that an external id in a lookup means: `"Account_Name": {"Source_Id": "a-17"}`.
    pub(super) fn external(&self, world: &World, module: &str, field: &Field, given: &Json) -> Option<Id> {
        self.external.iter().find_map(|name| {
            let mut parts = name.split('.');
            let (_, lookup, key) = (parts.next()?, parts.next()?, parts.next()?);
            let key = world.module(module)?.field(key).filter(|key| key.external.is_some())?;
            let value = given.get(&key.api_name).filter(|_| lookup == field.api_name)?;
            world.by_value(module, key, value).first().copied()
        })
    }

    /// The record that a text in the path, in `ids` or in a body means.
    pub(super) fn record(&self, world: &World, module: &Module, text: &str) -> Option<Id> {
        let key =
            self.external.iter().find_map(|name| name.split_once('.').filter(|(head, _)| *head == module.api_name));
        let key = key.and_then(|(_, key)| module.field(key)).filter(|key| key.external.is_some());
        match key {
            Some(key) => world.by_value(&module.api_name, key, &json!(text)).first().copied(),
            None => text.parse().ok().filter(|id| world.get(&module.api_name, *id).is_some()),
        }
    }
}

/// A new record.
pub(super) fn insert(
    world: &World,
    module: &Module,
    item: &Map<String, Json>,
    by: &Writer,
    path: &str,
) -> Result<Row, Refusal> {
    let mut row = Row { created: by.at, modified: by.at, created_by: by.user, modified_by: by.user, ..Row::default() };
    fill(world, module, &mut row, item, by, path)?;
    rules::settle(world, module, None, &mut row, item, path)?;
    complete(module, &row, item, path)?;
    unique(world, module, &row, by, path)?;
    Ok(row)
}

/// A record that changes.
pub(super) fn update(
    world: &World,
    module: &Module,
    before: &Row,
    item: &Map<String, Json>,
    by: &Writer,
    path: &str,
) -> Result<Row, Refusal> {
    if before.is("$converted") {
        return Err(Refusal::new("ID_ALREADY_CONVERTED", "id already converted")
            .with(json!({"api_name": "id", "json_path": format!("{path}.id")})));
    }
    if before.is("Locked__s") {
        return Err(Refusal::new("RECORD_LOCKED", "The record is locked").with(json!({"id": before.id.to_string()})));
    }
    let mut row = Row { modified: by.at, modified_by: by.user, ..before.clone() };
    fill(world, module, &mut row, item, by, path)?;
    rules::settle(world, module, Some(before), &mut row, item, path)?;
    complete(module, &row, item, path)?;
    unique(world, module, &row, by, path)?;
    Ok(row)
}

fn fill(
    world: &World,
    module: &Module,
    row: &mut Row,
    item: &Map<String, Json>,
    by: &Writer,
    path: &str,
) -> Result<(), Refusal> {
    rules::parent(world, module, row, item, by.version, path)?;
    let strict = world.settings.unwritable == Unwritable::Refused;
    for (name, given) in item {
        let known = module.field(name);
        let path = format!("{path}.{name}");
        let Some(field) = known.filter(|field| !field.read_only) else {
            let is_system = name.starts_with('$') || matches!(name.as_str(), "id" | "se_module");
            if strict && !is_system {
                return Err(Refusal::invalid(name, &path, known.map_or("field", |_| "read_only")));
            }
            continue;
        };
        // Only titles and contents of notes can be changed (sheet: section 2, notes).
        let fixed = module.api_name == "Notes" && row.id != 0 && name == "Parent_Id";
        if fixed || (field.data_type == Kind::Tag && !world.settings.tags_in_body) {
            continue;
        }
        let mut value = values::take(world, by, row, field, given, &path)?;
        let appends = item.get("$append_values").is_some_and(|fields| fields[name.as_str()] == json!(true));
        if appends && field.data_type == Kind::Multipick {
            value = appended(row.values.get(name), value);
        }
        row.set(name, value);
    }
    Ok(())
}

/// A multi-select picklist with more values.
fn appended(old: Option<&Json>, new: Option<Json>) -> Option<Json> {
    let mut all: Vec<Json> = old.and_then(Json::as_array).cloned().unwrap_or_default();
    for value in new.as_ref().and_then(Json::as_array).into_iter().flatten() {
        if !all.contains(value) {
            all.push(value.clone());
        }
    }
    (!all.is_empty()).then_some(Json::Array(all))
}

/// What the system and the record's layout require (sheet: section 5, mandatory fields).
fn complete(module: &Module, row: &Row, item: &Map<String, Json>, path: &str) -> Result<(), Refusal> {
    let layout = row.target("Layout").and_then(|id| module.layout(id)).or(module.layouts.first());
    let by_layout = |name: &String| layout.is_some_and(|layout| layout.required.contains(name));
    for field in &module.fields {
        let wanted = field.mandatory || by_layout(&field.api_name);
        // An update is asked only for what it touches.
        let touched = row.id == 0 || item.contains_key(&field.api_name);
        if wanted && touched && !field.read_only && !row.values.contains_key(&field.api_name) {
            return Err(Refusal::missing(&field.api_name, &format!("{path}.{}", field.api_name)));
        }
    }
    Ok(())
}

/// No other record has the value of a unique field.
fn unique(world: &World, module: &Module, row: &Row, by: &Writer, path: &str) -> Result<(), Refusal> {
    for field in module.fields.iter().filter(|field| field.unique || field.external.is_some()) {
        let Some(value) = row.values.get(&field.api_name) else { continue };
        let others = world.by_value(&module.api_name, field, value);
        if let Some(other) = others.into_iter().find(|id| *id != row.id) {
            return Err(duplicate(world, module, &field.api_name, other, by.version, path));
        }
    }
    Ok(())
}

/// `DUPLICATE_DATA` with the record that is there already (sheet: section 7).
pub(super) fn duplicate(world: &World, module: &Module, field: &str, id: Id, version: u16, path: &str) -> Refusal {
    let mut details = json!({"api_name": field, "id": id.to_string(), "json_path": format!("{path}.{field}")});
    if version >= 5 {
        let owner = world.get(&module.api_name, id).and_then(|row| row.target("Owner"));
        let owner = owner.and_then(|owner| world.users.get(&owner)).map(super::org::User::mini);
        details["duplicate_record"] = json!({"id": id.to_string(), "Owner": owner,
            "module": {"api_name": module.api_name, "id": module.id.to_string()}});
    }
    Refusal::new("DUPLICATE_DATA", "duplicate data").with(details)
}

/// A field that holds a list of objects.
pub(super) fn list(
    world: &World,
    by: &Writer,
    row: &Row,
    field: &Field,
    given: &Json,
    path: &str,
) -> Result<Option<Json>, Refusal> {
    let wrong = || Refusal::invalid(&field.api_name, path, "jsonarray");
    let items = given.as_array().ok_or_else(wrong)?;
    let objects: Option<Vec<&Map<String, Json>>> = items.iter().map(Json::as_object).collect();
    let objects = objects.ok_or_else(wrong)?;
    let old = row.values.get(&field.api_name).and_then(Json::as_array).cloned().unwrap_or_default();
    let list = match field.data_type {
        Kind::Subform => subform(world, by, field, &old, &objects, path)?,
        Kind::Multiselectlookup => linked(world, by, row, field, old, &objects, path)?,
        Kind::Fileupload => files(world, field, old, &objects, path)?,
        Kind::Participants => participants(world, field, &objects, path)?,
        _ => {
            let names = objects.iter().map(|tag| tag.get("name").filter(|name| name.is_string()).cloned());
            names.collect::<Option<Vec<Json>>>().ok_or_else(wrong)?
        }
    };
    Ok((!list.is_empty()).then_some(Json::Array(list)))
}

fn same(one: &Json, id: &Json) -> bool {
    one["id"] == *id
}

/// The list is the new whole; rows with an id are kept (sheet: section 5).
fn subform(
    world: &World,
    by: &Writer,
    field: &Field,
    old: &[Json],
    items: &[&Map<String, Json>],
    path: &str,
) -> Result<Vec<Json>, Refusal> {
    if items.len() > ROWS {
        return Err(Refusal::limit("subform limit exceeded", json!({"limit": ROWS, "api_name": field.api_name})));
    }
    let shape = field.module.as_deref().and_then(|name| world.module(name));
    let shape = shape.ok_or_else(|| Refusal::invalid(&field.api_name, path, "jsonarray"))?;
    let mut rows = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let path = format!("{path}[{at}]");
        let known = match item.get("id") {
            Some(id) => Some(old.iter().find(|row| same(row, id)).ok_or_else(|| Refusal::bad_id("id", &path))?),
            None => None,
        };
        if item.contains_key("_delete") {
            continue;
        }
        let mut kept = Row::default();
        if let Some(known) = known.and_then(Json::as_object) {
            kept.values = known.clone().into_iter().collect();
        }
        fill(world, shape, &mut kept, item, by, &path)?;
        for must in shape.fields.iter().filter(|field| field.mandatory) {
            if !kept.values.contains_key(&must.api_name) {
                return Err(Refusal::missing(&must.api_name, &format!("{path}.{}", must.api_name)));
            }
        }
        rows.push(Json::Object(kept.values.into_iter().collect()));
    }
    Ok(rows)
}

/// Links are added; `_delete` takes one away (sheet: section 5).
fn linked(
    world: &World,
    by: &Writer,
    row: &Row,
    field: &Field,
    mut old: Vec<Json>,
    items: &[&Map<String, Json>],
    path: &str,
) -> Result<Vec<Json>, Refusal> {
    let point = Field { data_type: Kind::Lookup, ..field.clone() };
    for (at, item) in items.iter().enumerate() {
        let path = format!("{path}[{at}]");
        if let Some(id) = item.get("id").filter(|_| item.contains_key("_delete")) {
            old.retain(|link| !same(link, id));
            continue;
        }
        let target = item.get(&field.api_name).or_else(|| item.values().find(|value| value.is_object()));
        let target = target.ok_or_else(|| Refusal::invalid(&field.api_name, &path, "jsonobject"))?;
        let to = values::take(world, by, row, &point, target, &path)?.unwrap_or_default();
        if !old.iter().any(|link| link["to"] == to) {
            old.push(json!({"to": to}));
        }
    }
    Ok(old)
}

/// Files are added by the id that an upload gave; `_delete` takes one away (sheet: section 2, files).
fn files(
    world: &World,
    field: &Field,
    mut old: Vec<Json>,
    items: &[&Map<String, Json>],
    path: &str,
) -> Result<Vec<Json>, Refusal> {
    for (at, item) in items.iter().enumerate() {
        let path = format!("{path}[{at}]");
        if let Some(id) = item.get("id").filter(|_| item.contains_key("_delete")) {
            old.retain(|file| !same(file, id));
            continue;
        }
        let id = item.get("File_Id__s").and_then(Json::as_str).unwrap_or("");
        let file = world.files.get(id).ok_or_else(|| Refusal::bad_id(&field.api_name, &path))?;
        old.push(json!({"File_Id__s": id, "File_Name__s": file.name, "Size__s": file.bytes.len()}));
    }
    Ok(old)
}

fn participants(world: &World, field: &Field, items: &[&Map<String, Json>], path: &str) -> Result<Vec<Json>, Refusal> {
    if items.len() > PARTICIPANTS {
        return Err(Refusal::limit("participants limit exceeded", json!({"limit": PARTICIPANTS, "json_path": path})));
    }
    let mut list = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let path = format!("{path}[{at}].participant");
        let text = |name: &str| item.get(name).and_then(Json::as_str).unwrap_or("");
        let id = text("participant").parse().unwrap_or(0);
        let is_there = match text("type") {
            "contact" => world.get("Contacts", id).is_some(),
            "lead" => world.get("Leads", id).is_some(),
            "user" => world.users.contains_key(&id),
            "email" => text("participant").contains('@'),
            _ => return Err(Refusal::invalid(&field.api_name, &path, "participants")),
        };
        if !is_there {
            return Err(Refusal::bad_related(&field.api_name, &path));
        }
        list.push(json!({"type": text("type"), "participant": text("participant")}));
    }
    Ok(list)
}

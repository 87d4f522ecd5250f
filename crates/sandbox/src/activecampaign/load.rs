//! A world file becomes a world, and a world a world file.
//!
//! Rows have the keys that the API tells, ids and flags as numbers or texts, times in ISO 8601.

use serde_json::{Map, Value as Json, json};

use super::kind::{Form, Kind};
use super::time::{self, Seconds};
use super::values::whole;
use super::world::{Cell, Row, World};

/// Why a world file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// It is no world file of this platform.
    #[error("the world file is {0}")]
    Shape(String),
    /// The account or the settings are not as documented.
    #[error("failed reading `{part}` of the world file")]
    Part {
        /// Which part.
        part: &'static str,
        /// Why it failed.
        #[source]
        source: serde_json::Error,
    },
    /// A row is not as documented.
    #[error("row {row} of `{list}` in the world file: {why}")]
    Row {
        /// The list.
        list: &'static str,
        /// Its place, from 1.
        row: usize,
        /// What is wrong.
        why: String,
    },
}

/// When rows without times were made.
const BEGIN: Seconds = 1_577_836_800;

/// Fields that every account has (sheet: section 3).
const KNOWN: [&str; 6] = ["Description", "Address", "City", "Phone Number", "Industry", "Number of Employees"];

/// The world of a file.
pub(super) fn world(file: Json, seed: u64) -> Result<World, WorldError> {
    let Json::Object(mut file) = file else { return Err(WorldError::Shape("no JSON object".to_owned())) };
    match file.remove("platform") {
        None => {}
        Some(Json::String(name)) if name == "activecampaign" => {}
        Some(other) => return Err(WorldError::Shape(format!("one of another platform: {other}"))),
    }
    let seed = file.remove("seed").and_then(|seed| seed.as_u64()).unwrap_or(seed);
    let mut world = World::blank(seed);
    if let Some(account) = file.remove("account") {
        world.account =
            serde_json::from_value(account).map_err(|source| WorldError::Part { part: "account", source })?;
    }
    if let Some(settings) = file.remove("settings") {
        world.settings =
            serde_json::from_value(settings).map_err(|source| WorldError::Part { part: "settings", source })?;
    }
    defaults(&mut file);
    for kind in Kind::all() {
        rows(&mut world, kind, file.remove(kind.shape().path))?;
    }
    for (name, next) in file.remove("next_ids").as_ref().and_then(Json::as_object).into_iter().flatten() {
        if let (Some(kind), Some(next)) = (Kind::of(name), next.as_u64()) {
            world.raise_next(kind, next);
        }
    }
    for (name, next) in file.remove("next_values").as_ref().and_then(Json::as_object).into_iter().flatten() {
        if let (Some(kind), Some(next)) = (Kind::of(name), next.as_u64()) {
            world.next_cell.insert(kind, next);
        }
    }
    world.drawn = file.remove("drawn").and_then(|drawn| drawn.as_u64()).unwrap_or(0);
    extras(&mut world, &mut file);
    match file.keys().next() {
        Some(unknown) => Err(WorldError::Shape(format!("not understood: what is `{unknown}`?"))),
        None => Ok(world),
    }
}

/// What an account has from the beginning, where the file does not say.
fn defaults(file: &mut Map<String, Json>) {
    let mut or = |list: Kind, rows: Json| {
        file.entry(list.shape().path).or_insert(rows);
    };
    or(
        Kind::User,
        json!([{"id": 1, "username": "admin", "firstName": "Ada", "lastName": "Admin",
        "email": "ada@sandbox.example", "lang": "english", "localZoneid": "America/Chicago"}]),
    );
    or(Kind::Pipeline, json!([{"id": 1, "title": "Sales", "currency": "usd", "allgroups": 1, "allusers": 1}]));
    let stages = [(1, "To Contact"), (2, "In Contact"), (3, "Follow Up")];
    or(
        Kind::Stage,
        stages.iter().map(|(id, title)| json!({"id": id, "title": title, "group": 1, "order": id})).collect(),
    );
    let types = [(1, "Call"), (2, "Email"), (3, "Lunch"), (4, "Meeting")];
    or(Kind::TaskType, types.iter().map(|(id, title)| json!({"id": id, "title": title})).collect());
    let known = (1..).zip(KNOWN).map(|(id, label)| {
        let kind = if label == "Description" { "textarea" } else { "text" };
        json!({"id": id, "fieldLabel": label, "fieldType": kind, "knownFieldId": id, "isFormVisible": 1})
    });
    or(Kind::AccountField, known.collect());
}

fn rows(world: &mut World, kind: Kind, list: Option<Json>) -> Result<(), WorldError> {
    let name = kind.shape().path;
    let list = match list {
        None => return Ok(()),
        Some(Json::Array(list)) => list,
        Some(_) => return Err(WorldError::Shape(format!("not understood: `{name}` is no list"))),
    };
    for (at, item) in list.iter().enumerate() {
        let wrong = |why: String| WorldError::Row { list: name, row: at + 1, why };
        let item = item.as_object().ok_or_else(|| wrong("it is no object".to_owned()))?;
        let row = row(world, kind, item).map_err(wrong)?;
        world.put(kind, row);
    }
    Ok(())
}

fn row(world: &mut World, kind: Kind, item: &Map<String, Json>) -> Result<Row, String> {
    let zone = world.account.zone();
    let shape = kind.shape();
    let at = |value: &Json| value.as_str().and_then(|text| time::read(text, &zone));
    let id = item.get("id").and_then(whole).unwrap_or_else(|| world.next_id(kind));
    let mut row = Row::new(id, BEGIN);
    row.created = item.get(shape.stamps.0).and_then(at).unwrap_or(BEGIN);
    row.updated = item.get(shape.stamps.1).and_then(at).unwrap_or(row.created);
    for (name, value) in item {
        let is_deleted = name == "deleted" && (value == &json!(true) || whole(value) == Some(1));
        if is_deleted {
            row.deleted = Some(item.get("deleted_at").and_then(at).unwrap_or(row.updated));
        }
        match (name.as_str(), shape.key(name)) {
            ("id" | "deleted_at" | "links", _) => {}
            ("fieldValues" | "fields", _) if kind.fields().is_some() => {
                let list = value.as_array().ok_or("the custom values are no list")?;
                list.iter().try_for_each(|value| cell(world, kind, &mut row, value))?;
            }
            (_, Some(key)) => {
                let kept = match key.form {
                    Form::Id(_) | Form::Flag | Form::Whole => whole(value).map(|number| json!(number)),
                    Form::Instant => at(value).map(|at| json!(at)),
                    Form::List => value.is_array().then(|| value.clone()),
                    Form::Line | Form::Free | Form::Address | Form::Currency => {
                        value.as_str().filter(|text| !text.is_empty()).map(|text| json!(text))
                    }
                };
                row.set(key.name, kept);
            }
            (name, None) if name == shape.stamps.0 || name == shape.stamps.1 || name == "deleted" => {}
            (name, None) => return Err(format!("what is `{name}`?")),
        }
    }
    if kind == Kind::Task {
        let word = if row.text("ownerType") == "deal" { "Deal" } else { "Subscriber" };
        row.set("reltype", Some(json!(word)));
    }
    Ok(row)
}

fn cell(world: &mut World, kind: Kind, row: &mut Row, item: &Json) -> Result<(), String> {
    let zone = world.account.zone();
    let names = if kind == Kind::Contact { ("field", "value") } else { ("customFieldId", "fieldValue") };
    let field = item.get(names.0).and_then(whole).ok_or_else(|| format!("a custom value without `{}`", names.0))?;
    let value = item.get(names.1).cloned().unwrap_or_default();
    let at = |name: &str| item.get(name).and_then(Json::as_str).and_then(|text| time::read(text, &zone));
    let given = item.get("id").and_then(whole);
    let id = given.unwrap_or_else(|| world.next_cell(kind));
    let next = world.next_cell.entry(kind).or_insert(1);
    *next = (*next).max(id + 1);
    let currency = item.get("fieldCurrency").and_then(Json::as_str).map(str::to_owned);
    let (created, updated) = (at("cdate").unwrap_or(row.created), at("udate").unwrap_or(row.updated));
    row.cells.insert(field, Cell { id, value, currency, created, updated });
    Ok(())
}

fn extras(world: &mut World, file: &mut Map<String, Json>) {
    let mut list = |name: &str| match file.remove(name) {
        Some(Json::Array(list)) => list.into_iter().filter_map(|item| item.as_object().cloned()).collect(),
        _ => Vec::new(),
    };
    let text =
        |item: &Map<String, Json>, name: &str| item.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    for schema in list("schemas") {
        world.extras.schemas.insert(text(&schema, "id"), schema);
    }
    for record in list("records") {
        world.extras.objects.insert((text(&record, "schemaId"), text(&record, "id")), record);
    }
    for (batch, told) in file.remove("imports").as_ref().and_then(Json::as_object).into_iter().flatten() {
        world.extras.imports.insert(batch.clone(), told.clone());
    }
}

/// The world as a file that loading accepts.
pub(super) fn dump(world: &World) -> Json {
    let mut file = Map::new();
    let mut set = |name: &str, value: Json| drop(file.insert(name.to_owned(), value));
    set("platform", json!("activecampaign"));
    set("seed", json!(world.seed));
    set("account", json!(world.account));
    set("settings", json!(world.settings));
    set("drawn", json!(world.drawn));
    for kind in Kind::all() {
        set(kind.shape().path, world.all(kind).map(|row| dumped(world, kind, row)).collect());
    }
    let next = Kind::all().map(|kind| (kind.shape().path.to_owned(), json!(world.next_id(kind))));
    set("next_ids", Json::Object(next.collect()));
    let values = world.next_cell.iter().map(|(kind, next)| (kind.shape().path.to_owned(), json!(next)));
    set("next_values", Json::Object(values.collect()));
    set("schemas", world.extras.schemas.values().map(|schema| Json::Object(schema.clone())).collect());
    set("records", world.extras.objects.values().map(|record| Json::Object(record.clone())).collect());
    set("imports", json!(world.extras.imports));
    Json::Object(file)
}

fn dumped(world: &World, kind: Kind, row: &Row) -> Json {
    let zone = world.account.zone();
    let shape = kind.shape();
    let mut told = Map::new();
    told.insert("id".to_owned(), json!(row.id));
    for (name, value) in &row.values {
        let is_instant = shape.key(name).is_some_and(|key| key.form == Form::Instant);
        let value = match value.as_i64().filter(|_| is_instant) {
            Some(at) => json!(time::told(at, &zone)),
            None => value.clone(),
        };
        told.insert((*name).to_owned(), value);
    }
    told.insert(shape.stamps.0.to_owned(), json!(time::told(row.created, &zone)));
    told.insert(shape.stamps.1.to_owned(), json!(time::told(row.updated, &zone)));
    if let Some(at) = row.deleted {
        told.insert("deleted".to_owned(), json!(true));
        told.insert("deleted_at".to_owned(), json!(time::told(at, &zone)));
    }
    if kind.fields().is_some() {
        let (root, names) = match kind {
            Kind::Contact => ("fieldValues", ("field", "value")),
            _ => ("fields", ("customFieldId", "fieldValue")),
        };
        let cell = |(field, cell): (&u64, &Cell)| {
            let mut told = json!({names.0: field, names.1: cell.value, "id": cell.id,
                "cdate": time::told(cell.created, &zone), "udate": time::told(cell.updated, &zone)});
            if let (Some(currency), Some(map)) = (&cell.currency, told.as_object_mut()) {
                map.insert("fieldCurrency".to_owned(), json!(currency));
            }
            told
        };
        told.insert(root.to_owned(), row.cells.iter().map(cell).collect());
    }
    Json::Object(told)
}

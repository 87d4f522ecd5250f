//! Values of a record as they are shown: stored ones, calculated ones, compounds, addresses of files.

use serde_json::{Map, Value as Json, json};

use super::schema::{Field, Kind};
use super::world::{Record, World, text};

/// How many calculated fields may stand behind each other.
const FORMULA_DEPTH: usize = 5;

/// The value of a field; null where there is none.
pub(super) fn value(world: &World, object: &str, record: &Record, field: &Field, version: u16) -> Json {
    at_depth(world, object, record, field, version, 0)
}

fn at_depth(world: &World, object: &str, record: &Record, field: &Field, version: u16, depth: usize) -> Json {
    if let Some(formula) = &field.formula {
        return if depth < FORMULA_DEPTH { calculated(world, object, record, formula, depth) } else { Json::Null };
    }
    match field.kind {
        Kind::Address => address(record, &field.name),
        Kind::Base64 if record.contains_key(&field.name) => {
            json!(format!("/services/data/v{version}.0/sobjects/{object}/{}/{}", text(record, "Id"), field.name))
        }
        Kind::Boolean => record.get(&field.name).cloned().unwrap_or(Json::Bool(false)),
        _ => record.get(&field.name).cloned().unwrap_or(Json::Null),
    }
}

/// `"text"` or a path: what calculated fields of a sandbox can do. They move no stamp (sheet: section 4).
fn calculated(world: &World, object: &str, record: &Record, formula: &str, depth: usize) -> Json {
    if let Some(constant) = formula.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return json!(constant);
    }
    let Some(mut here) = world.schema.object(object) else { return Json::Null };
    let mut record = record;
    let mut parts = formula.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            let Some(field) = here.any_field(part) else { return Json::Null };
            return at_depth(world, &here.name, record, field, 0, depth + 1);
        }
        let parent =
            here.lookup(part).and_then(|lookup| record.get(&lookup.name)?.as_str()).and_then(|id| world.find(id));
        let Some((of, parent)) = parent else { return Json::Null };
        here = of;
        record = parent;
    }
    Json::Null
}

/// `{city, country, ...}`; null when no part has a value (sheet: section 2 \[fixture\]).
fn address(record: &Record, name: &str) -> Json {
    let stem = name.strip_suffix("Address").unwrap_or(name);
    let parts = ["city", "country", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state", "street"];
    let mut address = Map::new();
    for part in parts {
        let mut letters = part.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase()).unwrap_or_default();
        let field = format!("{stem}{first}{}", letters.as_str());
        address.insert(part.to_owned(), record.get(&field).cloned().unwrap_or(Json::Null));
    }
    if address.values().all(Json::is_null) { Json::Null } else { Json::Object(address) }
}

/// `{"type", "url"}`.
pub(super) fn attributes(object: &str, record: &Record, version: u16) -> Json {
    json!({"type": object, "url": format!("/services/data/v{version}.0/sobjects/{object}/{}", text(record, "Id"))})
}

/// A record with some of its fields, or with all that may be seen.
pub(super) fn record(world: &World, object: &str, record: &Record, fields: Option<&[Field]>, version: u16) -> Json {
    let mut out = Map::new();
    out.insert("attributes".to_owned(), attributes(object, record, version));
    let Some(schema) = world.schema.object(object) else { return Json::Object(out) };
    match fields {
        Some(fields) => {
            out.insert("Id".to_owned(), json!(text(record, "Id")));
            for field in fields {
                out.insert(field.name.clone(), value(world, object, record, field, version));
            }
        }
        None => {
            for field in schema.visible() {
                out.insert(field.name.clone(), value(world, object, record, field, version));
            }
        }
    }
    Json::Object(out)
}

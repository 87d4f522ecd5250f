//! Records as the API tells them (sheet: section 2, read skeleton).

use serde_json::{Map, Value as Json, json};

use super::instant;
use super::rules;
use super::schema::{Field, Kind, Module};
use super::world::{Id, Row, World};

/// Characters of long texts in lists (sheet: section 2, rich text).
const CUT: usize = 500;

/// A record with everything.
pub(super) fn full(world: &World, version: u16, module: &Module, row: &Row) -> Json {
    let mut told: Map<String, Json> = module
        .fields
        .iter()
        .filter(|field| field.data_type != Kind::Layout)
        .map(|field| (field.api_name.clone(), self::field(world, version, row, field)))
        .collect();
    for name in SYSTEM {
        told.insert((*name).to_owned(), system(world, module, row, name));
    }
    if module.is_activity() || version == 2 && row.values.contains_key("$se_module") {
        told.insert("$se_module".to_owned(), json!(row.values.get("$se_module")));
    }
    Json::Object(told)
}

/// A record with some of its fields, as lists tell it.
pub(super) fn some(world: &World, version: u16, module: &Module, row: &Row, names: &[String]) -> Json {
    let mut told = Map::new();
    for name in names {
        match module.field(name) {
            Some(one) if !one.data_type.single_only() && one.data_type != Kind::Layout => {
                let value = match self::field(world, version, row, one) {
                    Json::String(text) if is_cut(world, one, &text) => {
                        json!(text.chars().take(CUT).collect::<String>())
                    }
                    value => value,
                };
                told.insert(name.clone(), value);
            }
            None if SYSTEM.contains(&name.as_str()) => {
                told.insert(name.clone(), system(world, module, row, name));
            }
            None if name == "$se_module" => drop(told.insert(name.clone(), json!(row.values.get(name)))),
            _ => {}
        }
    }
    if names.iter().any(|name| name == "What_Id") {
        told.insert("$se_module".to_owned(), json!(row.values.get("$se_module")));
    }
    told.insert("id".to_owned(), json!(row.id.to_string()));
    Json::Object(told)
}

fn is_cut(world: &World, field: &Field, text: &str) -> bool {
    world.settings.cut_rich_text && field.textarea.as_deref() == Some("rich_text") && text.chars().count() > CUT
}

/// The keys that are of the system and not of the module.
const SYSTEM: &[&str] = &[
    "$currency_symbol",
    "$approved",
    "$editable",
    "$state",
    "$process_flow",
    "$locked_for_me",
    "$approval",
    "$approval_state",
    "$review_process",
    "$review",
    "$orchestration",
    "$in_merge",
    "$converted",
    "$layout_id",
];

fn system(world: &World, module: &Module, row: &Row, name: &str) -> Json {
    match name {
        "$currency_symbol" => json!(world.org.currency_symbol),
        "$approved" | "$editable" => json!(true),
        "$state" => json!("save"),
        "$approval_state" => json!("approved"),
        "$approval" => {
            json!({"delegate": false, "takeover": false, "approve": false, "reject": false, "resubmit": false})
        }
        "$review_process" => json!({"approve": false, "reject": false, "resubmit": false}),
        "$review" => Json::Null,
        "$converted" => json!(row.is("$converted")),
        "$layout_id" => {
            let layout = row.target("Layout").and_then(|id| module.layout(id)).or(module.layouts.first());
            layout.map_or(
                Json::Null,
                |layout| json!({"display_label": layout.name, "name": layout.name, "id": layout.id.to_string()}),
            )
        }
        _ => json!(false),
    }
}

/// One field of a record.
pub(super) fn field(world: &World, version: u16, row: &Row, field: &Field) -> Json {
    let value = world.value(row, field);
    match field.data_type {
        _ if value.is_null() => match field.data_type {
            Kind::Tag => json!([]),
            _ => Json::Null,
        },
        Kind::Datetime => json!(instant::retold(value.as_str().unwrap_or(""), world.org.utc_offset_min)),
        Kind::Ownerlookup | Kind::Userlookup => {
            let user = value.as_str().and_then(|id| id.parse().ok()).and_then(|id: Id| world.users.get(&id));
            user.map_or(Json::Null, super::org::User::mini)
        }
        Kind::Lookup => lookup(world, version, row, field, &value),
        Kind::Picklist if field.api_name == "Pipeline" && version > 2 && world.settings.pipeline_objects => {
            let module = world.module("Deals");
            let all = module.into_iter().flat_map(|module| module.layouts.iter());
            let found = all.flat_map(|layout| rules::pipeline(&layout.pipelines, value.as_str().unwrap_or(""))).next();
            found.map_or(value, |one| json!({"name": one.display, "id": one.id.to_string()}))
        }
        Kind::Tag => super::tags::told(world, row, &value),
        Kind::Subform => subform(world, version, field, &value),
        Kind::Multiselectlookup => {
            let point = Field { data_type: Kind::Lookup, ..field.clone() };
            let links = value.as_array().into_iter().flatten();
            links
                .map(|link| json!({"id": link["id"], field.api_name.as_str(): lookup(world, version, row, &point, &link["to"])}))
                .collect()
        }
        _ => value,
    }
}

/// `{name, id}`; of notes with the module (sheet: section 2, notes).
fn lookup(world: &World, version: u16, row: &Row, field: &Field, value: &Json) -> Json {
    let module = match field.module.as_deref() {
        Some("se_module") => row.text("$se_module"),
        Some(module) => module,
        None => "",
    };
    let target = value.as_str().and_then(|id| id.parse().ok()).and_then(|id| world.get(module, id));
    let Some(target) = target else { return Json::Null };
    let mut told = json!({"name": name(world, module, target), "id": target.id.to_string()});
    if field.api_name == "Parent_Id" && version > 2 {
        let id = world.module(module).map(|module| module.id.to_string());
        told["module"] = json!({"api_name": module, "id": id});
    }
    told
}

/// What a record is called.
pub(super) fn name(world: &World, module: &str, row: &Row) -> Json {
    let display = world.module(module).map(|module| module.display.as_str()).unwrap_or_default();
    row.values.get(display).cloned().unwrap_or_default()
}

fn subform(world: &World, version: u16, field: &Field, value: &Json) -> Json {
    let shape = field.module.as_deref().and_then(|name| world.module(name));
    let fields = shape.map(|shape| shape.fields.as_slice()).unwrap_or_default();
    let rows = value.as_array().into_iter().flatten().filter_map(Json::as_object);
    rows.map(|values| {
        let row = Row { values: values.clone().into_iter().collect(), ..Row::default() };
        let mut told: Map<String, Json> =
            fields.iter().map(|one| (one.api_name.clone(), self::field(world, version, &row, one))).collect();
        told.insert("id".to_owned(), json!(row.values.get("id")));
        Json::Object(told)
    })
    .collect()
}

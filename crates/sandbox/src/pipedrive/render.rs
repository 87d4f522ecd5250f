//! Records as the API shows them.

use serde_json::{Map, Value as Json, json};

use super::account::Settings;
use super::custom;
use super::kind::{Key, Kind};
use super::record::Record;
use super::time;
use super::world::World;

/// The v2 shape. `only` narrows the custom fields; `None` shows all.
pub(super) fn v2(world: &World, kind: Kind, record: &Record, only: Option<&[String]>) -> Map<String, Json> {
    let mut map = Map::new();
    map.insert("id".to_owned(), json!(record.id));
    for key in kind.keys() {
        if !world.settings.offers(key.access) {
            continue;
        }
        map.insert(key.name.to_owned(), value_of(world, record, key));
    }
    map.insert("add_time".to_owned(), json!(time::v2(record.added)));
    map.insert("update_time".to_owned(), json!(time::v2(record.changed())));
    if kind.has_custom() {
        map.insert("custom_fields".to_owned(), custom_fields(world, kind, record, only, &world.settings));
    }
    map
}

/// A system field as it reads: its value, what follows from others, or what unset means.
pub(super) fn value_of(world: &World, record: &Record, key: &Key) -> Json {
    let stored = record.get(key.name);
    match key.name {
        "is_deleted" => json!(record.deleted.is_some()),
        "local_won_date" | "local_lost_date" | "local_close_date" => {
            let source = key.name.trim_start_matches("local_").trim_end_matches("_date");
            let at = record.get(&format!("{source}_time")).as_str().and_then(time::read_any);
            at.map_or(Json::Null, |at| json!(time::local_date(at, &world.account.timezone)))
        }
        "archive_time" => stored.as_str().and_then(time::read_any).map_or(Json::Null, |at| json!(time::v2(at))),
        _ if stored.is_null() => key.unset.value(),
        _ => stored.clone(),
    }
}

fn custom_fields(world: &World, kind: Kind, record: &Record, only: Option<&[String]>, settings: &Settings) -> Json {
    let mut map = Map::new();
    for field in world.fields(kind).custom() {
        if only.is_some_and(|only| !only.iter().any(|code| **code == *field.code)) {
            continue;
        }
        let value = record.custom(&field.code);
        if !value.is_null() || settings.show_unset_custom {
            map.insert(field.code.to_string(), value.clone());
        }
    }
    Json::Object(map)
}

/// Replaces option ids by `{id, label}`, as `include_option_labels` asks.
pub(super) fn label_options(world: &World, kind: Kind, custom: &mut Map<String, Json>) {
    for field in world.fields(kind).custom().filter(|field| field.takes_options()) {
        let labelled = |id: &Json| {
            let label = id.as_u64().and_then(|id| field.label_of(id));
            json!({"id": id, "label": label})
        };
        if let Some(value) = custom.get_mut(&*field.code).filter(|value| !value.is_null()) {
            *value = match &*value {
                Json::Array(ids) => ids.iter().map(labelled).collect(),
                id => labelled(id),
            };
        }
    }
}

/// The shape of webhook data: v2 with typed custom fields and `visible_to` as text.
pub(super) fn webhook(world: &World, kind: Kind, record: &Record) -> Map<String, Json> {
    let mut map = match kind {
        Kind::Note => super::notes::shape(world, 0, record),
        Kind::File => super::files::shape(world, record),
        Kind::Lead => super::leads::shape(world, record),
        _ => v2(world, kind, record, None),
    };
    if kind.has_custom() && kind != Kind::Lead {
        let typed: Map<String, Json> = world
            .fields(kind)
            .custom()
            .map(|field| (field.code.to_string(), custom::typed(field, record.custom(&field.code))))
            .filter(|(_, value)| !value.is_null())
            .collect();
        map.insert("custom_fields".to_owned(), Json::Object(typed));
    }
    if let Some(level) = map.get("visible_to").and_then(Json::as_u64) {
        map.insert("visible_to".to_owned(), json!(level.to_string()));
    }
    map
}

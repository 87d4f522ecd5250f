//! World files out: what [`super::load`] reads, sparse, with the counters that keep ids unique.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::kind::Kind;
use super::record::Record;
use super::schema::Choice;
use super::time;
use super::world::{Content, Item, World};

/// The whole world.
pub(super) fn world(world: &World) -> Json {
    let mut file = Map::new();
    let items = |map: &std::collections::BTreeMap<u64, Item>| -> Json { map.values().cloned().collect() };
    file.insert("platform".to_owned(), json!("pipedrive"));
    file.insert("seed".to_owned(), json!(world.seed));
    file.insert("drawn".to_owned(), json!(world.drawn));
    file.insert("account".to_owned(), json!(world.account));
    file.insert("settings".to_owned(), json!(world.settings));
    file.insert("users".to_owned(), items(&world.users));
    file.insert("currencies".to_owned(), json!(world.currencies));
    file.insert("pipelines".to_owned(), items(&world.pipelines));
    file.insert("stages".to_owned(), items(&world.stages));
    file.insert("activity_types".to_owned(), items(&world.activity_types));
    file.insert("lead_labels".to_owned(), world.lead_labels.values().cloned().collect());
    fields(world, &mut file);
    for kind in Kind::ALL {
        let rows: Json = world.table(kind).all().map(|record| row(world, kind, record)).collect();
        file.insert(kind.plural().to_owned(), rows);
    }
    links(world, &mut file);
    file.insert("mail_messages".to_owned(), items(&world.mail));
    file.insert("webhooks".to_owned(), items(&world.webhooks));
    file.insert("filters".to_owned(), items(&world.filters));
    file.insert("call_logs".to_owned(), world.calls.values().cloned().collect());
    let changelog = world
        .changelog
        .iter()
        .map(|((kind, id), entries)| json!({"object": kind.name(), "id": id, "entries": entries}))
        .collect();
    file.insert("changelog".to_owned(), changelog);
    let merged =
        world.merged.iter().map(|((kind, id), into)| json!({"object": kind.name(), "id": id, "into": into})).collect();
    file.insert("merged".to_owned(), merged);
    let mut next: Map<String, Json> = world.next.iter().map(|(name, next)| (name.clone(), json!(next))).collect();
    next.extend(Kind::ALL.map(|kind| (kind.name().to_owned(), json!(world.table(kind).peek_next()))));
    file.insert("next_ids".to_owned(), Json::Object(next));
    Json::Object(file)
}

fn options(list: &[Choice]) -> Json {
    list.iter().map(|one| json!({"id": one.id, "label": one.label, "color": one.color})).collect()
}

fn fields(world: &World, file: &mut Map<String, Json>) {
    let mut labels = Map::new();
    for kind in Kind::V2 {
        let custom: Json = world
            .fields(kind)
            .every_custom()
            .map(|field| {
                let mut map = field.extra.clone();
                map.insert("id".to_owned(), json!(field.id));
                map.insert("field_name".to_owned(), json!(field.name));
                map.insert("field_code".to_owned(), json!(&*field.code));
                map.insert("field_type".to_owned(), json!(field.form));
                map.insert("description".to_owned(), json!(field.description));
                map.insert("options".to_owned(), options(&field.options));
                map.insert("is_deleted".to_owned(), json!(field.deleted));
                map.insert("add_time".to_owned(), json!(time::v2(field.added)));
                Json::Object(map)
            })
            .collect();
        file.insert(format!("{}_fields", kind.name()), custom);
        let system: Map<String, Json> = world
            .fields(kind)
            .live()
            .filter(|field| !field.custom && !field.options.is_empty())
            .map(|field| (field.code.to_string(), options(&field.options)))
            .collect();
        labels.insert(kind.name().to_owned(), Json::Object(system));
    }
    file.insert("labels".to_owned(), Json::Object(labels));
}

fn row(world: &World, kind: Kind, record: &Record) -> Json {
    let mut map = Map::new();
    if kind == Kind::Lead {
        map.insert("id".to_owned(), record.get("uuid").clone());
        map.insert("row_id".to_owned(), json!(record.id));
    } else {
        map.insert("id".to_owned(), json!(record.id));
    }
    map.insert("add_time".to_owned(), json!(time::v2(record.added)));
    map.insert("update_time".to_owned(), json!(record.updated.map(time::v2)));
    for key in kind.keys().iter().filter(|key| key.name != "uuid") {
        let value = record.get(key.name);
        if !value.is_null() {
            map.insert(key.name.to_owned(), value.clone());
        }
    }
    let custom: Map<String, Json> = record.customs().map(|(code, value)| (code.to_owned(), value.clone())).collect();
    if !custom.is_empty() {
        map.insert("custom_fields".to_owned(), Json::Object(custom));
    }
    if let Some(at) = record.deleted {
        map.insert("is_deleted".to_owned(), json!(true));
        map.insert("delete_time".to_owned(), json!(time::v2(at)));
    }
    if kind == Kind::File {
        match world.contents.get(&record.id) {
            Some(Content::Bytes(bytes)) => {
                map.insert("content_base64".to_owned(), json!(STANDARD.encode(bytes)));
            }
            Some(Content::Seed { seed, size }) => {
                map.insert("content_seed".to_owned(), json!(seed));
                map.insert("size".to_owned(), json!(size));
            }
            None => {
                map.insert("content_base64".to_owned(), Json::Null);
            }
        }
    }
    Json::Object(map)
}

fn links(world: &World, file: &mut Map<String, Json>) {
    let participants: Json = world
        .participants
        .all()
        .map(|(deal, person, one)| {
            json!({"id": one.id, "deal_id": deal, "person_id": person, "add_time": time::v2(one.added), "added_by_user_id": one.by})
        })
        .collect();
    file.insert("deal_participants".to_owned(), participants);
    file.insert("deal_products".to_owned(), world.deal_products.values().flatten().cloned().collect());
    file.insert("organization_relationships".to_owned(), world.relationships.values().cloned().collect());
}

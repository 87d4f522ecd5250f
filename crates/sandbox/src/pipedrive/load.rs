//! World files in.
//!
//! Records come in the shape that the API shows (v2 for deals, persons, organizations, activities and
//! products; v1 for notes, files and leads). What can be derived may be missing; what is unknown is
//! refused, so that a misspelt key of a world file is seen. [`super::dump`] writes what is read here.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::kind::{Form, Kind};
use super::participation::Participant;
use super::record::Record;
use super::schema::{Choice, Field};
use super::time::{self, Seconds};
use super::world::{Content, Item, World};

/// Why a world file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A part of it has the wrong shape.
    #[error("failed reading `{part}` of the world file: {why}")]
    Shape {
        /// Which part.
        part: String,
        /// What is wrong with it.
        why: String,
    },
    /// The account or the settings have the wrong shape.
    #[error("failed reading `{part}` of the world file")]
    Json {
        /// Which part.
        part: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

pub(super) fn wrong(part: impl Into<String>, why: impl Into<String>) -> WorldError {
    WorldError::Shape { part: part.into(), why: why.into() }
}

/// Keys that the API shows and that follow from others.
const DERIVED: [&str; 11] = [
    "is_deleted",
    "active_flag",
    "local_won_date",
    "local_lost_date",
    "local_close_date",
    "url",
    "deal",
    "person",
    "organization",
    "user",
    "picture",
];

/// When records came into being that do not say.
const EPOCH: Seconds = 1_577_836_800;

/// Reads a world file.
pub(super) fn world(json: Json, seed: u64) -> Result<World, WorldError> {
    let Json::Object(mut file) = json else { return Err(wrong("world", "it is no object")) };
    if let Some(platform) = file.remove("platform")
        && platform != json!("pipedrive")
    {
        return Err(wrong("platform", format!("it is {platform}, not \"pipedrive\"")));
    }
    let mut world = World::blank(file.remove("seed").and_then(|seed| seed.as_u64()).unwrap_or(seed));
    world.drawn = file.remove("drawn").and_then(|n| n.as_u64()).unwrap_or_default();
    if let Some(account) = file.remove("account") {
        world.account =
            serde_json::from_value(account).map_err(|source| WorldError::Json { part: "account", source })?;
    }
    if let Some(settings) = file.remove("settings") {
        world.settings =
            serde_json::from_value(settings).map_err(|source| WorldError::Json { part: "settings", source })?;
    }
    people(&mut world, &mut file)?;
    super::defaults::complete(&mut world, &mut file)?;
    fields(&mut world, &mut file)?;
    for kind in [
        Kind::Organization,
        Kind::Person,
        Kind::Product,
        Kind::Lead,
        Kind::Deal,
        Kind::Activity,
        Kind::Note,
        Kind::File,
    ] {
        for record in list(&mut file, kind.plural())? {
            put(&mut world, kind, record)?;
        }
    }
    links(&mut world, &mut file)?;
    rest(&mut world, &mut file)?;
    match file.keys().next() {
        Some(unknown) => Err(wrong(unknown.clone(), "no such part")),
        None => Ok(world),
    }
}

/// Takes a list of objects out of the file; an absent one is empty.
pub(super) fn list(file: &mut Map<String, Json>, part: &str) -> Result<Vec<Item>, WorldError> {
    let list = match file.remove(part) {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Array(list)) => list,
        Some(_) => return Err(wrong(part, "it is no list")),
    };
    list.into_iter()
        .map(|one| match one {
            Json::Object(map) => Ok(map),
            _ => Err(wrong(part, "an entry is no object")),
        })
        .collect()
}

fn people(world: &mut World, file: &mut Map<String, Json>) -> Result<(), WorldError> {
    for mut user in list(file, "users")? {
        let id = take_id(world, "user", &mut user);
        world.users.insert(id, user);
    }
    if let Some(Json::Array(codes)) = file.remove("currencies") {
        world.currencies = codes.iter().filter_map(|code| Some(code.as_str()?.to_owned())).collect();
    }
    Ok(())
}

/// The id of an item, given or next; put into the item.
pub(super) fn take_id(world: &mut World, object: &str, item: &mut Item) -> u64 {
    let id = match item.get("id").and_then(Json::as_u64) {
        Some(id) => {
            world.raise_next(object, id);
            id
        }
        None => world.next_id(object),
    };
    item.insert("id".to_owned(), json!(id));
    id
}

fn fields(world: &mut World, file: &mut Map<String, Json>) -> Result<(), WorldError> {
    let kinds = [Kind::Organization, Kind::Person, Kind::Deal, Kind::Activity, Kind::Product];
    for kind in kinds {
        let part = format!("{}_fields", kind.name());
        for item in list(file, &part)? {
            let field = field(world, item, &part)?;
            world.fields_mut(kind).push(field);
        }
    }
    // Options of system fields: {"deal": {"label_ids": [..]}, ..} or {"deal": [..]} for the labels.
    if let Some(Json::Object(labels)) = file.remove("labels") {
        for (name, given) in labels {
            let kind = Kind::of_name(&name).ok_or_else(|| wrong("labels", format!("no kind {name}")))?;
            let given = match given {
                Json::Object(map) => map,
                list => [("label_ids".to_owned(), list)].into_iter().collect(),
            };
            for (code, options) in given {
                let options = choices(world, &options);
                let field = world.fields_mut(kind).get_mut(&code);
                field.ok_or_else(|| wrong("labels", format!("{name} has no field {code}")))?.options = options;
            }
        }
    }
    Ok(())
}

fn field(world: &mut World, mut item: Item, part: &str) -> Result<Field, WorldError> {
    let id = match item.get("id").and_then(Json::as_u64) {
        Some(id) => {
            world.raise_next("field", id);
            id
        }
        None => world.next_id("field"),
    };
    let text = |item: &Item, key: &str| item.get(key).and_then(Json::as_str).map(str::to_owned);
    let name = text(&item, "field_name").ok_or_else(|| wrong(part, "a field has no field_name"))?;
    let form = text(&item, "field_type").unwrap_or_else(|| "varchar".to_owned());
    let code = match text(&item, "field_code") {
        Some(code) => code,
        None => world.draw_hex("field", 40),
    };
    let options = choices(world, &item.remove("options").unwrap_or_default());
    let extra = ["ui_visibility", "important_fields", "required_fields"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), item.remove(key)?)))
        .collect();
    Ok(Field {
        id,
        code: Arc::from(code),
        name,
        form,
        description: text(&item, "description").unwrap_or_default(),
        options,
        custom: true,
        deleted: item.get("is_deleted") == Some(&json!(true)),
        on_request: false,
        added: text(&item, "add_time").and_then(|at| time::read_any(&at)).unwrap_or(EPOCH),
        extra,
    })
}

fn choices(world: &mut World, options: &Json) -> Vec<Choice> {
    let mut list = Vec::new();
    for one in options.as_array().into_iter().flatten() {
        let id = match one.get("id").and_then(Json::as_u64) {
            Some(id) => {
                world.raise_next("option", id);
                id
            }
            None => world.next_id("option"),
        };
        let text = |key: &str| one.get(key).and_then(Json::as_str).map(str::to_owned);
        list.push(Choice { id, label: text("label").unwrap_or_default(), color: text("color") });
    }
    list
}

/// Reads one record and puts it into its table.
fn put(world: &mut World, kind: Kind, mut item: Item) -> Result<(), WorldError> {
    let part = kind.plural();
    let uuid = (kind == Kind::Lead).then(|| lead_uuid(world, &mut item));
    let id = item.remove("id").and_then(|id| id.as_u64()).unwrap_or_else(|| world.table_mut(kind).next_id());
    let at = |item: &mut Item, key: &str| item.remove(key).and_then(|at| time::read_any(at.as_str()?));
    let added = at(&mut item, "add_time").unwrap_or(EPOCH);
    let mut record = Record::new(id, added);
    record.updated = match item.get("update_time") {
        Some(Json::Null) => None,
        _ => Some(at(&mut item, "update_time").unwrap_or(added)),
    };
    item.remove("update_time");
    let gone = item.get("is_deleted") == Some(&json!(true))
        || matches!(item.get("active_flag"), Some(flag) if *flag == json!(false) || *flag == json!(0));
    let deleted = at(&mut item, "delete_time");
    record.deleted = gone.then(|| deleted.unwrap_or(record.changed()));
    if kind == Kind::File {
        content(world, id, &mut item, &mut record)?;
    }
    if let Some(uuid) = uuid {
        world.leads_by_uuid.insert(uuid.clone(), id);
        record.set("uuid", json!(uuid));
    }
    for (key, value) in item {
        set(world, kind, &mut record, &key, value).map_err(|why| wrong(format!("{part} {id} {key}"), why))?;
    }
    if record.get("owner_id").is_null() && kind.key("owner_id").is_some() {
        let first = world.users.keys().next().copied().unwrap_or(1);
        record.set("owner_id", json!(first));
    }
    super::derive::settle(world, kind, &mut record);
    world.table_mut(kind).put(record);
    Ok(())
}

fn lead_uuid(world: &mut World, item: &mut Item) -> String {
    let given = item.remove("id").and_then(|id| Some(id.as_str()?.to_owned()));
    if let Some(row) = item.remove("row_id") {
        item.insert("id".to_owned(), row);
    }
    given.unwrap_or_else(|| world.draw_uuid("lead"))
}

fn set(world: &World, kind: Kind, record: &mut Record, key: &str, value: Json) -> Result<(), String> {
    if key == "custom_fields" {
        let Json::Object(map) = value else { return Err("it is no object".to_owned()) };
        for (code, value) in map {
            let field = world.fields(kind).every_custom().find(|field| *field.code == *code);
            let code = &field.ok_or_else(|| format!("no field {code}"))?.code;
            record.set_custom(code, value);
        }
        return Ok(());
    }
    if DERIVED.contains(&key) {
        return Ok(());
    }
    let Some(known) = kind.key(key) else {
        let flat = kind == Kind::Lead;
        let field = world.fields(kind).every_custom().find(|field| flat && *field.code == *key);
        let code = &field.ok_or("no such key")?.code;
        record.set_custom(code, value);
        return Ok(());
    };
    let value = match (known.form, value) {
        // v1 writes flags as 0 and 1, and leads write visible_to as text.
        (Form::Bool, Json::Number(flag)) => json!(flag.as_u64() == Some(1)),
        (Form::Visible, Json::String(level)) => level.parse::<u64>().map_or(Json::Null, |level| json!(level)),
        (Form::Instant | Form::ArchiveInstant, Json::String(at)) => {
            json!(time::v2(time::read_any(&at).ok_or("not a time")?))
        }
        (_, value) => value,
    };
    let unset = known.unset.value();
    record.set(known.name, if value == unset { Json::Null } else { value });
    Ok(())
}

fn content(world: &mut World, id: u64, item: &mut Item, record: &mut Record) -> Result<(), WorldError> {
    use base64::Engine as _;
    let size = item.get("file_size").and_then(Json::as_u64);
    let text = item.remove("content_base64");
    if text == Some(Json::Null) {
        // The record stays, its bytes are gone.
        return Ok(());
    }
    let content = if let Some(text) = text {
        let bytes = base64::engine::general_purpose::STANDARD.decode(text.as_str().unwrap_or_default());
        Content::Bytes(bytes.map_err(|error| wrong(format!("files {id} content_base64"), error.to_string()))?)
    } else {
        let seed = item.remove("content_seed").and_then(|seed| seed.as_u64()).unwrap_or(id);
        let size = item.remove("size").and_then(|size| size.as_u64()).or(size).unwrap_or_default();
        Content::Seed { seed, size: usize::try_from(size).unwrap_or_default() }
    };
    let size = match &content {
        Content::Bytes(bytes) => bytes.len(),
        Content::Seed { size, .. } => *size,
    };
    item.remove("file_size");
    record.set("file_size", json!(size));
    world.contents.insert(id, content);
    Ok(())
}

fn links(world: &mut World, file: &mut Map<String, Json>) -> Result<(), WorldError> {
    for item in list(file, "deal_participants")? {
        let id_of = |key: &str| item.get(key).and_then(Json::as_u64);
        let (Some(deal), Some(person)) = (id_of("deal_id"), id_of("person_id")) else {
            return Err(wrong("deal_participants", "an entry lacks deal_id or person_id"));
        };
        let id = match id_of("id") {
            Some(id) => {
                world.raise_next("participant", id);
                id
            }
            None => world.next_id("participant"),
        };
        let added = item.get("add_time").and_then(|at| time::read_any(at.as_str()?)).unwrap_or(EPOCH);
        let participant = Participant { id, added, by: id_of("added_by_user_id").unwrap_or_default() };
        world.participants.insert(deal, person, participant);
    }
    for mut item in list(file, "deal_products")? {
        let id = take_id(world, "deal_product", &mut item);
        let deal = item.get("deal_id").and_then(Json::as_u64);
        let deal = deal.ok_or_else(|| wrong(format!("deal_products {id}"), "it lacks deal_id"))?;
        world.deal_products.entry(deal).or_default().push(item);
    }
    for mut item in list(file, "organization_relationships")? {
        let id = take_id(world, "relationship", &mut item);
        world.relationships.insert(id, item);
    }
    for mut item in list(file, "mail_messages")? {
        let id = take_id(world, "mail", &mut item);
        let deal = item.get("deal_id").and_then(Json::as_u64).map(|deal| (Kind::Deal, deal));
        let persons = super::mail::persons_of(&item).map(|person| (Kind::Person, person));
        for parent in deal.into_iter().chain(persons) {
            world.mail_of.entry(parent).or_default().insert(id);
        }
        world.mail.insert(id, item);
    }
    Ok(())
}

fn rest(world: &mut World, file: &mut Map<String, Json>) -> Result<(), WorldError> {
    for mut item in list(file, "webhooks")? {
        let id = take_id(world, "webhook", &mut item);
        world.webhooks.insert(id, item);
    }
    for mut item in list(file, "filters")? {
        let id = take_id(world, "filter", &mut item);
        world.filters.insert(id, item);
    }
    for item in list(file, "call_logs")? {
        let id = item.get("id").and_then(Json::as_str).unwrap_or_default().to_owned();
        world.calls.insert(id, item);
    }
    for item in list(file, "changelog")? {
        let kind = item.get("object").and_then(|name| Kind::of_name(name.as_str()?));
        let id = item.get("id").and_then(Json::as_u64);
        let entries = item.get("entries").and_then(Json::as_array).cloned();
        if let (Some(kind), Some(id), Some(entries)) = (kind, id, entries) {
            world.changelog.insert((kind, id), entries);
        }
    }
    for item in list(file, "merged")? {
        let kind = item.get("object").and_then(|name| Kind::of_name(name.as_str()?));
        let ends = item.get("id").and_then(Json::as_u64).zip(item.get("into").and_then(Json::as_u64));
        if let (Some(kind), Some((id, into))) = (kind, ends) {
            world.merged.insert((kind, id), into);
        }
    }
    if let Some(Json::Object(next)) = file.remove("next_ids") {
        for (object, next) in next {
            let next = next.as_u64().unwrap_or(1);
            match Kind::of_name(&object) {
                Some(kind) => world.table_mut(kind).raise_next(next),
                None => world.raise_next(&object, next.saturating_sub(1)),
            }
        }
    }
    Ok(())
}

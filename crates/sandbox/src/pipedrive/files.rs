//! Files, v1: multipart in, bytes out (sheet: Pipedrive sections 2 and 9 trap 19).

use serde_json::{Map, Value as Json, json};

use super::call::{Call, Commit, commit, sees};
use super::kind::{Access, Form, Kind};
use super::objects::{deleted_v1, remove};
use super::page::offsets_within;
use super::record::{Order, Record, Walk};
use super::refusal::{Answer, Refusal, offset_page, one};
use super::time;
use super::validate;
use super::world::{Content, World};
use crate::journal::Action;
use crate::{Reply, drawn, multipart};

/// Rows on a page of files at most (vendor's specification of `GET /v1/files`); whether more is refused
/// or cut is not said, and the other lists of v1 cut.
const PAGE: usize = 100;

/// The v1 shape.
pub(super) fn shape(world: &World, file: &Record) -> Map<String, Json> {
    let mut map = Map::new();
    map.insert("id".to_owned(), json!(file.id));
    map.insert("add_time".to_owned(), json!(time::v1(file.added)));
    map.insert("update_time".to_owned(), json!(file.updated.map(time::v1)));
    map.insert("active_flag".to_owned(), json!(file.deleted.is_none()));
    for key in Kind::File.keys() {
        let value = file.get(key.name).clone();
        map.insert(key.name.to_owned(), if value.is_null() { key.unset.value() } else { value });
    }
    let domain = &world.account.company_domain;
    map.insert("url".to_owned(), json!(format!("https://{domain}.pipedrive.com/v1/files/{}/download", file.id)));
    map
}

/// `GET /v1/files`.
pub(super) fn list(world: &mut World, call: &mut Call<'_>) -> Answer {
    let world = &*world;
    let (start, limit) = offsets_within(call, PAGE)?;
    let text = call.param("sort").unwrap_or("id");
    let (name, direction) = text.split_once(' ').unwrap_or((text, "ASC"));
    let order = match name {
        "id" => Order::Id,
        "update_time" => Order::Updated,
        _ => return Err(Refusal::bad("Parameter 'sort' is not supported")),
    };
    let descending = direction.eq_ignore_ascii_case("desc");
    let walk = Walk { order, descending, after: None, since: None, until: None };
    let mut found = world
        .table(Kind::File)
        .walk(walk)
        .filter(|file| file.deleted.is_none() && sees(world, &call.actor, Kind::File, file))
        .skip(start);
    let data: Vec<Json> = found.by_ref().take(limit).map(|file| Json::Object(shape(world, file))).collect();
    let more = found.next().is_some();
    Ok(offset_page(data, start, limit, more))
}

fn find<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Record, Refusal> {
    let file = world.table(Kind::File).live(call.id(0)?).ok_or_else(Refusal::not_found)?;
    if sees(world, &call.actor, Kind::File, file) { Ok(file) } else { Err(Refusal::not_found()) }
}

/// `GET /v1/files/{id}`.
pub(super) fn get(world: &mut World, call: &mut Call<'_>) -> Answer {
    Ok(one(200, Json::Object(shape(world, find(world, call)?))))
}

/// `GET /v1/files/{id}/download`.
pub(super) fn download(world: &mut World, call: &mut Call<'_>) -> Answer {
    let file = find(world, call)?;
    let body = match world.contents.get(&file.id) {
        Some(Content::Bytes(bytes)) => bytes.clone(),
        Some(Content::Seed { seed, size }) => generated(*seed, *size),
        None => return Err(Refusal::not_found()),
    };
    let name = file.text("name").replace(['"', '\r', '\n'], "_");
    let reply = Reply { status: 200, headers: Vec::new(), body };
    Ok(reply
        .with_header("content-type", "application/octet-stream")
        .with_header("content-disposition", format!("attachment; filename=\"{name}\"")))
}

/// Bytes that depend on nothing but the seed.
fn generated(seed: u64, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"file").update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}
/// `POST /v1/files`: multipart, `file` and one parent or none.
pub(super) fn upload(world: &mut World, call: &mut Call<'_>) -> Answer {
    let parts =
        multipart::parts(call.request).ok_or_else(|| Refusal::bad("Content-Type must be multipart/form-data"))?;
    let sent = parts.iter().find(|part| part.name == "file" && part.file_name.is_some());
    let sent = sent.ok_or_else(|| Refusal::bad("No file was uploaded"))?;
    let name = sent.file_name.clone().unwrap_or_default();
    let id = world.table(Kind::File).peek_next();
    let mut file = Record::new(id, call.at);
    for part in parts.iter().filter(|part| part.name != "file") {
        let key = Kind::File.key(&part.name).filter(|key| key.access == Access::Create);
        let Some(key) = key else { continue };
        let text = String::from_utf8_lossy(part.content);
        let value = match key.form {
            Form::Lead => json!(text),
            _ => text.parse::<u64>().map_or_else(|_| json!(text), |id| json!(id)),
        };
        let value = validate::value_of(world, Kind::File, key, &value)
            .map_err(|why| Refusal::bad(&format!("{}: {why}", key.name)))?;
        file.set(key.name, value);
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_lowercase();
    let form = if matches!(extension.as_str(), "jpg" | "jpeg" | "png" | "gif") { "img" } else { extension.as_str() };
    file.set("user_id", json!(call.actor.user));
    file.set("file_name", json!(format!("{}_{name}", drawn::hex(world.seed, "file name", id, 12))));
    file.set("file_type", json!(form));
    file.set("file_size", json!(sent.content.len()));
    file.set("remote_location", json!("s3"));
    file.set("name", json!(name));
    let bytes = sent.content.to_vec();
    commit(world, call, Commit { kind: Kind::File, before: None, after: file, action: Action::Created, merged: None });
    world.contents.insert(id, Content::Bytes(bytes));
    let file = world.table(Kind::File).get(id).ok_or_else(Refusal::not_found)?;
    Ok(one(if world.settings.create_with_200 { 200 } else { 201 }, Json::Object(shape(world, file))))
}

/// `PUT /v1/files/{id}`: name and description.
pub(super) fn update(world: &mut World, call: &mut Call<'_>) -> Answer {
    let before = find(world, call)?.clone();
    let body = call.v1_body()?;
    let mut file = before.clone();
    for key in ["name", "description"] {
        if let Some(text) = body.get(key).and_then(Json::as_str) {
            file.set(key, json!(text));
        }
    }
    file.updated = Some(call.at);
    let id = file.id;
    commit(
        world,
        call,
        Commit { kind: Kind::File, before: Some(before), after: file, action: Action::Updated, merged: None },
    );
    let file = world.table(Kind::File).get(id).ok_or_else(Refusal::not_found)?;
    Ok(one(200, Json::Object(shape(world, file))))
}

/// `DELETE /v1/files/{id}`.
pub(super) fn delete(world: &mut World, call: &mut Call<'_>) -> Answer {
    let id = call.id(0)?;
    remove(world, call, Kind::File, id)?;
    Ok(deleted_v1(&json!(id)))
}

//! One record: create, get, update, upsert, delete (sheet: sections 2 and 5).

use serde_json::{Map, Value as Json, json};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::call::Call;
use super::draft;
use super::instant;
use super::refusal::{Answer, Fault, no_content};
use super::schema::{Field, Kind, Object};
use super::world::{Record, World, is_deleted, text};
use super::{id, remove, view, write};
use crate::{Reply, multipart};

/// The object that a path names.
pub(super) fn object<'a>(world: &'a World, name: &str) -> Result<&'a Object, Fault> {
    world.schema.object(name).ok_or_else(Fault::not_found)
}

/// `POST /sobjects/Account`.
pub(super) fn create(world: &mut World, call: &Call<'_>, name: &str) -> Answer {
    let name = object(world, name)?.name.clone();
    let id = write::create(world, &name, &body(call)?, &call.writer())?;
    let reply = Reply::json(201, &json!({"id": id, "success": true, "errors": []}));
    Ok(reply.with_header("location", call.url(&format!("sobjects/{name}/{id}"))))
}

/// The fields of a record, and the bytes that came beside them (sheet: section 5.10 \[doc\]).
fn body(call: &Call<'_>) -> Result<Map<String, Json>, Fault> {
    if !call.request.header("content-type").is_some_and(|kind| kind.starts_with("multipart/form-data")) {
        return call.map();
    }
    let wrong = || Fault::new("INVALID_MULTIPART_REQUEST", "the parts of the request cannot be read");
    let parts = multipart::parts(call.request).ok_or_else(wrong)?;
    let (first, rest) = parts.split_first().ok_or_else(wrong)?;
    let mut fields: Map<String, Json> = serde_json::from_slice(first.content).map_err(|_| wrong())?;
    for part in rest {
        fields.insert(part.name.clone(), json!(STANDARD.encode(part.content)));
    }
    Ok(fields)
}

/// `/sobjects/Account/001...`.
pub(super) fn by_id(world: &mut World, call: &Call<'_>, name: &str, given: &str) -> Answer {
    let object = object(world, name)?;
    let Some(id) = id::parse(given) else {
        // What is no id is taken for the name of a key (sheet: section 12 [fixture]).
        let message = format!("Provided external ID field does not exist or is not accessible: {given}");
        return Err(Fault::new("NOT_FOUND", message));
    };
    one(world, call, &object.name.clone(), &id)
}

/// `/sobjects/Account/Src_Id__c/A-1`, `/sobjects/Attachment/00P.../Body`, `/sobjects/Contact/003.../Account`.
pub(super) fn by_key(world: &mut World, call: &Call<'_>, name: &str, key: &str, value: &str) -> Answer {
    let object = object(world, name)?;
    if let Some(id) = id::parse(key).filter(|id| id.starts_with(&object.prefix)) {
        return related(world, call, object, &id, value);
    }
    let field = write::key_field(object, key)?.clone();
    let name = object.name.clone();
    let value = json!(value);
    let found = draft::keyed(world, object, &field, &value);
    if found.len() > 1 {
        let urls: Vec<String> = found.iter().map(|id| call.url(&format!("sobjects/{name}/{id}"))).collect();
        return Ok(Reply::json(300, &urls));
    }
    match (call.method(), found.first()) {
        ("GET" | "HEAD" | "DELETE", Some(id)) => one(world, call, &name, id),
        ("GET" | "HEAD" | "DELETE", None) => Err(Fault::not_found()),
        ("PATCH", found) => {
            if call.flag("updateOnly") && found.is_none() {
                return Err(Fault::not_found());
            }
            let done = write::upsert(world, &name, (&field.name, &value), &call.map()?, &call.writer())?;
            // Before v46 an update had no body (sheet: section 2 [doc]).
            if !done.created && call.version < 46 {
                return Ok(no_content());
            }
            let mut body = json!({"id": done.id, "success": true, "errors": []});
            if call.version >= 46 {
                body["created"] = json!(done.created);
            }
            Ok(Reply::json(if done.created { 201 } else { 200 }, &body))
        }
        ("POST", None) if field.name == "Id" => create(world, call, &name),
        _ => Err(call.not_allowed("HEAD,GET,PATCH,DELETE")),
    }
}

fn one(world: &mut World, call: &Call<'_>, name: &str, id: &str) -> Answer {
    let object = object(world, name)?;
    let Some(record) = world.get(name, id) else {
        return Err(Fault::not_found());
    };
    if is_deleted(record) {
        return Err(Fault::deleted());
    }
    match call.method() {
        "GET" | "HEAD" => {
            if unmodified(call, record) {
                return Ok(Reply { status: 304, headers: Vec::new(), body: Vec::new() });
            }
            let fields = wanted(object, call.request.param("fields"))?;
            let body = view::record(world, name, record, fields.as_deref(), call.version);
            Ok(Reply::json(200, &body).with_header("last-modified", http_date(text(record, "LastModifiedDate"))))
        }
        "PATCH" => {
            precondition(call, record)?;
            write::update(world, name, id, &call.map()?, &call.writer())?;
            Ok(no_content())
        }
        "DELETE" => {
            precondition(call, record)?;
            remove::delete(world, name, id, &call.writer())?;
            Ok(no_content())
        }
        _ => Err(call.not_allowed("HEAD,GET,PATCH,DELETE")),
    }
}

fn wanted(object: &Object, fields: Option<&str>) -> Result<Option<Vec<Field>>, Fault> {
    let Some(list) = fields.filter(|list| !list.is_empty()) else { return Ok(None) };
    let field = |name: &str| object.field(name.trim()).cloned().ok_or_else(|| Fault::no_column(name, &object.name));
    list.split(',').map(field).collect::<Result<_, _>>().map(Some)
}

/// The bytes of a file, a parent, or children.
fn related(world: &World, call: &Call<'_>, object: &Object, id: &str, name: &str) -> Answer {
    let record = world.live(&object.name, id).ok_or_else(Fault::not_found)?;
    if call.method() != "GET" {
        return Err(call.not_allowed("HEAD,GET"));
    }
    if let Some(field) = object.field(name).filter(|field| field.kind == Kind::Base64) {
        let bytes = STANDARD.decode(text(record, &field.name)).unwrap_or_default();
        let headers = vec![("content-type".to_owned(), "application/octet-stream".to_owned())];
        return Ok(Reply { status: 200, headers, body: bytes });
    }
    if let Some(field) = object.lookup(name) {
        let parent = record.get(&field.name).and_then(Json::as_str).and_then(|id| world.find(id));
        let (of, parent) = parent.ok_or_else(Fault::not_found)?;
        return Ok(Reply::json(200, &view::record(world, &of.name, parent, None, call.version)));
    }
    let child = world.schema.children(&object.name).find(|child| child.target.children.as_deref() == Some(name));
    let child = child.ok_or_else(Fault::not_found)?;
    let records: Vec<Json> = world
        .live_by_value(&child.object.name, child.field, &json!(id))
        .iter()
        .filter_map(|id| world.get(&child.object.name, id))
        .take(world.settings.page_rows)
        .map(|record| view::record(world, &child.object.name, record, None, call.version))
        .collect();
    Ok(Reply::json(200, &json!({"totalSize": records.len(), "done": true, "records": records})))
}

fn stated(call: &Call<'_>, header: &str) -> Option<i64> {
    let date = call.request.header(header)?;
    jiff::fmt::rfc2822::parse(date).ok().map(|date| date.timestamp().as_second())
}

fn unmodified(call: &Call<'_>, record: &Record) -> bool {
    let changed = instant::read(text(record, "LastModifiedDate")).unwrap_or(0);
    stated(call, "if-modified-since").is_some_and(|since| changed <= since)
}

/// `If-Unmodified-Since`, to the second (sheet: section 5.1 \[doc\]).
fn precondition(call: &Call<'_>, record: &Record) -> Result<(), Fault> {
    let changed = instant::read(text(record, "LastModifiedDate")).unwrap_or(0);
    match stated(call, "if-unmodified-since") {
        Some(since) if changed > since => {
            let message = "The request included a precondition that was not met";
            Err(Fault::new("ENTITY_FAILED_IFUNMODIFIEDSINCE_ON_UPDATE", message).with_status(412))
        }
        _ => Ok(()),
    }
}

/// `Wed, 21 Oct 2015 07:28:00 GMT`.
pub(super) fn http_date(stamp: &str) -> String {
    let at = instant::read(stamp)
        .and_then(|at| jiff::Timestamp::from_second(at).ok())
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

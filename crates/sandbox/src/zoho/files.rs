//! Bytes: attachments of records, files for file fields (sheet: section 2, attachments and files).

use serde_json::{Value as Json, json};

use super::call::Call;
use super::draft::Writer;
use super::refusal::{Answer, Refusal, nothing, success};
use super::schema::Module;
use super::scopes::Does;
use super::world::{Id, Row, World};
use super::{remove, write};
use crate::Reply;
use crate::journal::Action;
use crate::multipart::{self, Part};

/// Bytes of a file (sheet: 20 MB).
const LARGEST: usize = 20 << 20;

/// Files in one upload.
const FILES: usize = 10;

/// A file that was uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// Keeps bytes; gives the id under which they are found.
pub(super) fn keep(world: &mut World, name: &str, bytes: Vec<u8>) -> String {
    let id = world.draw_token("file", 64);
    keep_as(world, &id, name, bytes);
    id
}

/// Keeps bytes under this id.
pub(super) fn keep_as(world: &mut World, id: &str, name: &str, bytes: Vec<u8>) {
    world.files.insert(id.to_owned(), Stored { name: name.to_owned(), bytes });
}

fn check(part: &Part<'_>) -> Result<(), Refusal> {
    match part.content.len() {
        0 => Err(Refusal::new("INVALID_DATA", "The file is empty").with(json!({"api_name": "file"}))),
        size if size > LARGEST => {
            Err(Refusal::new("FILE_SIZE_MORE_THAN_ALLOWED_SIZE", "Please check the size of the file that you upload"))
        }
        _ => Ok(()),
    }
}

/// `POST /files`.
pub(super) fn upload(world: &mut World, call: &Call<'_>) -> Answer {
    call.may("ZohoCRM.Files", Does::Create)?;
    let parts = multipart::parts(call.request).unwrap_or_default();
    let parts: Vec<Part<'_>> = parts.into_iter().filter(|part| part.name == "file").collect();
    if parts.is_empty() {
        return Err(Refusal::missing_param("file"));
    }
    if parts.len() > FILES {
        return Err(Refusal::limit("The limit of files in a call is exceeded", json!({"limit": FILES})));
    }
    parts.iter().try_for_each(check)?;
    let mut results = Vec::new();
    for part in parts {
        let name = part.file_name.clone().unwrap_or_default();
        let id = keep(world, &name, part.content.to_vec());
        let message = format!("{name} uploaded Succesfully");
        results.push(Json::Object(success(&message, json!({"name": name, "id": id}))));
    }
    Ok(Reply::json(200, &json!({"data": results})))
}

/// `GET /files?id=`.
pub(super) fn download(world: &World, call: &Call<'_>) -> Answer {
    call.may("ZohoCRM.Files", Does::Read)?;
    let id = call.param("id").ok_or_else(|| Refusal::missing_param("id"))?;
    match world.files.get(id) {
        Some(file) => Ok(bytes(file)),
        None => Ok(nothing()),
    }
}

/// The bytes of a file.
fn bytes(file: &Stored) -> Reply {
    let name = percent_encoding::utf8_percent_encode(&file.name, percent_encoding::NON_ALPHANUMERIC);
    Reply { status: 200, headers: Vec::new(), body: file.bytes.clone() }
        .with_header("content-type", "application/x-download;charset=UTF-8")
        .with_header("content-disposition", format!("attachment;filename*=UTF-8''{name}"))
}

/// `POST /{M}/{id}/Attachments`: a file, or a link.
pub(super) fn attach(world: &mut World, call: &Call<'_>, module: &Module, parent: Id) -> Answer {
    call.may_in(world, "Attachments", Does::Create)?;
    let link = call.param("attachmentUrl").map(str::to_owned);
    let mut row =
        Row { created: call.at, modified: call.at, created_by: call.user, modified_by: call.user, ..Row::default() };
    match link {
        Some(link) => {
            row.set("File_Name", Some(json!(call.param("title").unwrap_or(&link))));
            row.set("$link_url", Some(json!(link)));
            row.set("$type", Some(json!("Link URL")));
        }
        None => {
            let parts = multipart::parts(call.request).unwrap_or_default();
            let part = parts.into_iter().find(|part| part.name == "file");
            let part = part.ok_or_else(|| Refusal::missing_param("file"))?;
            check(&part)?;
            let name = part.file_name.clone().unwrap_or_default();
            row.set("File_Name", Some(json!(name)));
            row.set("Size", Some(json!(part.content.len().to_string())));
            row.set("$type", Some(json!("Attachment")));
            let id = keep(world, &name, part.content.to_vec());
            row.set("$file_id", Some(json!(id)));
        }
    }
    row.set("Owner", Some(json!(call.user.to_string())));
    row.set("$se_module", Some(json!(module.api_name)));
    row.set("Parent_Id", Some(json!(parent.to_string())));
    let Some(shape) = world.module("Attachments").cloned() else { return Err(Refusal::no_url()) };
    let row = write::commit(world, &shape, row, Action::Created);
    let done = success("attachment uploaded successfully", write::stamps(world, call.version, &row));
    Ok(Reply::json(200, &json!({"data": [done]})))
}

/// `GET` and `DELETE /{M}/{id}/Attachments/{aid}`.
pub(super) fn attachment(world: &mut World, call: &Call<'_>, parent: Id, text: &str) -> Answer {
    call.may_in(world, "Attachments", Does::of(call.method()))?;
    let shape = world.module("Attachments").cloned().unwrap_or_default();
    let id = Writer::default().record(world, &shape, text);
    let row = id.and_then(|id| world.get("Attachments", id)).filter(|row| row.target("Parent_Id") == Some(parent));
    let Some(row) = row.cloned() else {
        return Err(Refusal::bad_id("id", "$.id").with(json!({"resource_path_index": 3})));
    };
    match call.method() {
        "GET" => match world.files.get(row.text("$file_id")) {
            Some(file) => Ok(bytes(file)),
            None => Ok(nothing()),
        },
        "DELETE" => {
            remove::remove(world, "Attachments", row.id, call.user);
            let done = success("record deleted", json!({"id": row.id.to_string()}));
            Ok(Reply::json(200, &json!({"data": [done]})))
        }
        _ => Err(Refusal::method()),
    }
}

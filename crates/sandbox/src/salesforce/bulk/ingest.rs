//! Jobs that write.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use csv::QuoteStyle;

use super::{Job, Row, State, close, form, wrong_state};
use crate::Reply;
use crate::salesforce::call::Call;
use crate::salesforce::instant::Seconds;
use crate::salesforce::refusal::{Answer, Fault};
use crate::salesforce::rules::DuplicateHeader;
use crate::salesforce::schema::{Field, Object};
use crate::salesforce::world::World;
use crate::salesforce::write::{self, Writer};
use crate::salesforce::{id, remove, values};
use crate::{csv_text, multipart};

/// The largest upload in bytes, and the longest content of a job made in one request.
const UPLOAD: usize = 150_000_000;
const ONE_SHOT: usize = 100_000;
/// How many columns there may be, and how many characters in the header, in a cell, in a row (sheet: section 5.5; whether
/// long texts may be longer is \[unsure\]).
const COLUMNS: usize = 5_000;
const HEADER: usize = 32_000;
const CELL: usize = 32_000;
const ROW: usize = 400_000;
/// What the allowance of batches is counted over.
const DAY_S: Seconds = 86_400;

/// `POST /jobs/ingest`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let kind = call.request.header("content-type").unwrap_or("");
    let (body, content) = if kind.starts_with("multipart/form-data") {
        let parts =
            multipart::parts(call.request).ok_or_else(|| Fault::new("INVALIDJOB", "the parts cannot be read"))?;
        let part = |name: &str| parts.iter().find(|part| part.name == name).map(|part| part.content);
        let job = part("job").and_then(|job| serde_json::from_slice::<Map<String, Json>>(job).ok());
        let job = job.ok_or_else(|| Fault::new("INVALIDJOB", "the part `job` cannot be read"))?;
        let content = part("content").map(|content| String::from_utf8_lossy(content).into_owned());
        if content.as_ref().is_some_and(|content| content.chars().count() > ONE_SHOT) {
            return Err(Fault::new("INVALIDJOB", "the content is too long for a job in one request"));
        }
        (job, content)
    } else {
        (call.map()?, None)
    };
    let text = |key: &str| body.get(key).and_then(Json::as_str).unwrap_or("");
    let object = world.schema.object(text("object"));
    let object =
        object.ok_or_else(|| Fault::new("INVALIDENTITY", format!("Unable to find object: {}", text("object"))))?;
    let operation = text("operation");
    if operation == "hardDelete" {
        return Err(Fault::new("FEATURENOTENABLED", "hardDelete needs the permission Bulk API Hard Delete"));
    }
    if !["insert", "update", "upsert", "delete"].contains(&operation) {
        return Err(Fault::new("INVALIDOPERATION", format!("{operation} is no operation")));
    }
    let key = match (operation, text("externalIdFieldName")) {
        ("upsert", "") => return Err(Fault::new("INVALIDJOB", "upsert needs externalIdFieldName")),
        ("upsert", key) => {
            let field = object.field(key).filter(|field| field.external_id || field.id_lookup);
            let message = || format!("Field name {key} is not an External ID or indexed field for {}", object.name);
            Some(field.ok_or_else(|| Fault::new("INVALIDJOB", message()))?.name.clone())
        }
        _ => None,
    };
    let name = object.name.clone();
    let shape = form(&body)?;
    if world.settings.limits && world.jobs.batches_since(call.at - DAY_S) >= world.settings.daily_batches {
        return Err(Fault::new("EXCEEDEDQUOTA", "ApiBatchItems Limit exceeded."));
    }
    let mut job = Job::new(world, call, operation, &name, shape);
    job.key = key;
    if let Some(content) = content {
        close(world, &mut job, content, call.at);
    }
    let info = job.info(call.at, false);
    world.jobs.all.insert(job.id.clone(), job);
    Ok(Reply::json(200, &info))
}

/// `PUT .../batches`: exactly one upload (sheet: section 5.5 \[doc\]).
pub(super) fn upload(world: &mut World, call: &Call<'_>, mut job: Job) -> Answer {
    if job.state != State::Open || job.data.is_some() {
        return Err(wrong_state("Found multiple contents for job: only one upload is allowed"));
    }
    let kind = call.request.header("content-type").unwrap_or("");
    if !kind.to_ascii_lowercase().starts_with("text/csv") {
        return Err(Fault::new("UNSUPPORTED_MEDIA_TYPE", "the content must be text/csv"));
    }
    if call.request.body.len() > UPLOAD {
        return Err(Fault::new("INVALIDBATCH", "the upload is too large"));
    }
    let text = String::from_utf8(call.request.body.clone());
    job.data = Some(text.map_err(|_| Fault::new("INVALIDBATCH", "the upload is not UTF-8"))?);
    world.jobs.all.insert(job.id.clone(), job);
    Ok(Reply { status: 201, headers: Vec::new(), body: Vec::new() })
}

/// What was uploaded and never worked on.
pub(super) fn leave_unprocessed(job: &mut Job) {
    let rows = job.data.take().and_then(|data| csv_text::read(&data, job.delimiter)).unwrap_or_default();
    let mut rows = rows.into_iter();
    job.header = rows.next().unwrap_or_default();
    job.unprocessed = rows.collect();
}

/// Where a column's value goes.
enum Column {
    Field(Box<Field>),
    /// `Account.Src_Id__c`, `Lead:Who.Email`.
    Parent {
        relationship: String,
        kind: Option<String>,
        key: String,
    },
    Id,
}

/// Works through the rows. A header that names what is not there fails the job.
pub(super) fn work(world: &mut World, job: &mut Job, at: Seconds) {
    let data = job.data.clone().unwrap_or_default();
    let rows = csv_text::read(&data, job.delimiter);
    let wrong_end = job.crlf != data.contains("\r\n") && data.trim_end().contains('\n');
    let columns = rows.as_ref().and_then(|rows| rows.first()).map(|header| columns(world, job, header));
    let (rows, columns) = match (rows, columns) {
        (Some(rows), Some(Ok(columns))) if !wrong_end => (rows, columns),
        (_, Some(Err(message))) => return fail(job, message),
        (_, None) => return fail(job, "InvalidBatch : The upload has no header".to_owned()),
        _ => {
            let message = "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is ";
            return fail(job, format!("{message}{}", if job.crlf { "CRLF" } else { "LF" }));
        }
    };
    if let Some(message) = too_large(&rows) {
        return fail(job, message);
    }
    let mut rows = rows.into_iter();
    job.header = rows.next().unwrap_or_default();
    let by = Writer { user: job.user.clone(), at, duplicates: DuplicateHeader::default(), system: false };
    let mut results: Vec<Row> = rows
        .map(|cells| {
            let done = row(world, job, &columns, &cells, &by);
            let (id, created, error) = match done {
                Ok((id, created)) => (id, created, None),
                Err(mut fault) => {
                    if fault.code == "JSON_PARSER_ERROR" {
                        fault.code = "INVALID_TYPE_ON_FIELD_IN_RECORD".to_owned();
                    }
                    (String::new(), false, Some(fault.line()))
                }
            };
            Row { cells, id, created, error }
        })
        .collect();
    if world.settings.bulk_shuffle {
        let key = |row: &Row| *blake3::hash(format!("{}{:?}", job.id, row.cells).as_bytes()).as_bytes();
        results.sort_by_cached_key(key);
    }
    job.rows = results;
    job.data = None;
    job.state = State::JobComplete;
}

fn fail(job: &mut Job, message: String) {
    leave_unprocessed(job);
    job.state = State::Failed;
    job.message = Some(message);
}

/// Why the rows are refused, where they are longer than rows may be.
fn too_large(rows: &[Vec<String>]) -> Option<String> {
    let letters = |row: &[String]| row.iter().map(|cell| cell.chars().count()).sum::<usize>();
    let header = rows.first().map(Vec::as_slice).unwrap_or_default();
    if header.len() > COLUMNS || letters(header) + header.len() > HEADER {
        return Some("InvalidBatch : The header is too long".to_owned());
    }
    let is_long = |row: &Vec<String>| letters(row) > ROW || row.iter().any(|cell| cell.chars().count() > CELL);
    rows.iter().any(is_long).then(|| "InvalidBatch : A field or a record is too long".to_owned())
}

fn columns(world: &World, job: &Job, header: &[String]) -> Result<Vec<Column>, String> {
    let object = world.schema.object(&job.object).ok_or("InvalidEntity : the object is gone")?;
    let columns = header.iter().map(|name| column(object, name)).collect();
    let has = |wanted: &str| header.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    let told_by = match (job.operation.as_str(), job.key.as_deref()) {
        ("upsert", key) => key,
        ("update" | "delete", _) => Some("Id"),
        _ => None,
    };
    if let Some(lacks) = told_by.filter(|name| !has(name)) {
        return Err(format!("InvalidBatch : Field name not found : {lacks}"));
    }
    let mut seen = BTreeSet::new();
    match header.iter().find(|name| !seen.insert(name.to_ascii_lowercase())) {
        Some(twice) => Err(format!("InvalidBatch : Duplicate field name : {twice}")),
        None => columns,
    }
}

fn column(object: &Object, name: &str) -> Result<Column, String> {
    let unknown = || format!("InvalidBatch : Field name not found : {name}");
    if let Some((way, key)) = name.split_once('.') {
        let (kind, relationship) = match way.split_once(':') {
            Some((kind, relationship)) => (Some(kind.to_owned()), relationship),
            None => (None, way),
        };
        object.lookup(relationship).ok_or_else(unknown)?;
        return Ok(Column::Parent { relationship: relationship.to_owned(), kind, key: key.to_owned() });
    }
    match object.field(name) {
        Some(field) if field.name == "Id" => Ok(Column::Id),
        Some(field) => Ok(Column::Field(Box::new(field.clone()))),
        None => Err(unknown()),
    }
}

fn row(
    world: &mut World,
    job: &Job,
    columns: &[Column],
    cells: &[String],
    by: &Writer,
) -> Result<(String, bool), Fault> {
    if cells.len() != columns.len() {
        return Err(Fault::row("INVALID_BATCH", "the row has another number of cells than the header", &[]));
    }
    let mut given = String::new();
    let mut body: Map<String, Json> = Map::new();
    for (column, cell) in columns.iter().zip(cells) {
        // An empty cell says nothing; `#N/A` clears (sheet: section 5.5 [doc]).
        if cell.is_empty() {
            continue;
        }
        match column {
            Column::Id => given.clone_from(cell),
            Column::Field(field) => {
                let value = if cell == "#N/A" { Json::Null } else { values::from_text(field, cell) };
                body.insert(field.name.clone(), value);
            }
            Column::Parent { relationship, .. } if cell == "#N/A" => {
                body.insert(relationship.clone(), Json::Null);
            }
            Column::Parent { relationship, kind, key } => {
                let mut parent = Map::from_iter([(key.clone(), json!(cell))]);
                if let Some(kind) = kind {
                    parent.insert("attributes".to_owned(), json!({"type": kind}));
                }
                body.insert(relationship.clone(), Json::Object(parent));
            }
        }
    }
    let object = job.object.as_str();
    if job.operation == "insert" {
        return Ok((write::create(world, object, &body, by)?, true));
    }
    if let Some(key) = job.key.as_deref().filter(|key| *key != "Id") {
        let value = body.remove(key).filter(|value| !value.is_null());
        let value = value.ok_or_else(|| Fault::row("MISSING_ARGUMENT", format!("{key} not specified"), &[key]))?;
        let done = write::upsert(world, object, (key, &value), &body, by)?;
        return Ok((done.id, done.created));
    }
    if given.is_empty() && job.operation == "upsert" {
        return Ok((write::create(world, object, &body, by)?, true));
    }
    if given.is_empty() {
        return Err(Fault::row("MISSING_ARGUMENT", "Id not specified in an update call", &["Id"]));
    }
    let of = world.schema.object(object).ok_or_else(Fault::not_found)?;
    let id = id::parse(&given).ok_or_else(|| write::missing(world, of, &given))?;
    match job.operation.as_str() {
        "delete" => remove::delete(world, object, &id, by)?,
        _ => write::update(world, object, &id, &body, by)?,
    }
    Ok((id, false))
}

fn table(job: &Job, first: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Reply {
    let end = if job.crlf { "\r\n" } else { "\n" };
    let header = first.iter().copied().chain(job.header.iter().map(String::as_str));
    let mut text = csv_text::line(header, job.delimiter, QuoteStyle::Always);
    text.push_str(end);
    for row in rows {
        text.push_str(&csv_text::line(row, job.delimiter, QuoteStyle::Always));
        text.push_str(end);
    }
    Reply { status: 200, headers: vec![("content-type".to_owned(), "text/csv".to_owned())], body: text.into_bytes() }
}

pub(super) fn successful(job: &Job) -> Reply {
    let rows = job.rows.iter().filter(|row| row.error.is_none());
    table(
        job,
        &["sf__Id", "sf__Created"],
        rows.map(|row| {
            [row.id.clone(), row.created.to_string()].into_iter().chain(row.cells.iter().cloned()).collect()
        }),
    )
}

pub(super) fn failed(job: &Job) -> Reply {
    let rows = job.rows.iter().filter_map(|row| Some((row, row.error.clone()?)));
    table(
        job,
        &["sf__Id", "sf__Error"],
        rows.map(|(row, error)| [row.id.clone(), error].into_iter().chain(row.cells.iter().cloned()).collect()),
    )
}

pub(super) fn unprocessed(job: &Job) -> Reply {
    table(job, &[], job.unprocessed.iter().cloned())
}

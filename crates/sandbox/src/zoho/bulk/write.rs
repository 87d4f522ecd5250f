//! Bulk write (sheet: section 5).

use serde_json::{Map, Value as Json, json};

use super::{Job, callback, job, read, zip};
use crate::Reply;
use crate::journal::Action;
use crate::zoho::call::Call;
use crate::zoho::draft::{self, Writer};
use crate::zoho::refusal::{Answer, Refusal};
use crate::zoho::schema::{Field, Kind, Module};
use crate::zoho::scopes::Does;
use crate::zoho::world::{Id, World};
use crate::zoho::{files, instant, write};
use crate::{csv_text, multipart};

/// Bytes of the archive, rows and columns of its file (sheet: section 5).
const LARGEST: usize = 25 << 20;
const ROWS: usize = 25_000;
const COLUMNS: usize = 200;

/// `POST /upload`.
pub(super) fn upload(world: &mut World, call: &Call<'_>) -> Answer {
    call.may("ZohoFiles.files", Does::Create)?;
    let has_headers = call.request.header("feature") == Some("bulk-write")
        && call.request.header("x-crm-org") == Some(world.org.zgid.as_str());
    if !has_headers {
        let why = "check if headers [feature, X-CRM-ORG] are present and valid";
        return Ok(Reply::json(400, &json!({"status": "error", "x-error": why, "info": "Forbidden"})));
    }
    let parts = multipart::parts(call.request).unwrap_or_default();
    let part = parts.into_iter().find(|part| part.name == "file").ok_or_else(|| Refusal::missing_param("file"))?;
    if part.content.len() > LARGEST {
        return Err(Refusal::new("FILE_TOO_LARGE", "File size too large to process"));
    }
    if zip::unpack(part.content).is_none() {
        return Err(Refusal::new("INVALID_FILE_FORMAT", "invalid file format. only zip format is supported"));
    }
    // Unlike the ids of `POST /files`, a number: the vendor's own clients read it as one.
    let id = world.mint_meta().to_string();
    files::keep_as(world, &id, &part.file_name.unwrap_or_default(), part.content.to_vec());
    let details = json!({"file_id": id, "created_time": instant::told(call.at, world.org.utc_offset_min)});
    let body =
        json!({"status": "success", "code": "FILE_UPLOAD_SUCCESS", "message": "file uploaded.", "details": details});
    Ok(Reply::json(200, &body))
}

/// `POST /crm/bulk/v8/write`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.body()?;
    let operation = body.get("operation").and_then(Json::as_str).unwrap_or("");
    if !["insert", "update", "upsert"].contains(&operation) {
        return Err(Refusal::new("MISSING_REQUIRED_KEY", "required key operation is not found in request body."));
    }
    let resource = body.get("resource").and_then(Json::as_array).and_then(|list| list.first()).cloned();
    let mut resource = resource.ok_or_else(|| Refusal::missing("resource", "$.resource"))?;
    let at = |name: &str| format!("$.resource[0].{name}");
    let name = resource["module"]["api_name"].as_str().unwrap_or("").to_owned();
    let module = world.module(&name).filter(|module| module.is_record() && name != "Attachments");
    let module = module.ok_or_else(|| Refusal::new("MODULE_NOT_AVAILABLE", "the module is not available"))?;
    let file = resource["file_id"].as_str().unwrap_or("");
    if !world.files.contains_key(file) {
        return Err(Refusal::new("INVALID_FILE_ID", "improper file id"));
    }
    let find_by = resource["find_by"].as_str();
    let key = find_by.and_then(|key| module.field(key));
    let is_key =
        key.is_some_and(|key| key.unique || key.external.is_some() || key.api_name == "id" || module.indexes(key));
    if operation != "insert" && !is_key {
        return Err(Refusal::invalid("find_by", &at("find_by"), "field"));
    }
    let mappings = resource["field_mappings"].as_array().filter(|mappings| !mappings.is_empty());
    let mappings = mappings.ok_or_else(|| Refusal::missing("field_mappings", &at("field_mappings")))?;
    for (n, mapping) in mappings.iter().enumerate() {
        let name = mapping["api_name"].as_str().unwrap_or("");
        let details = json!({"api_name": name, "json_path": format!("{}[{n}]", at("field_mappings"))});
        if module.field(name).is_none() {
            return Err(Refusal::new("INVALID_FIELD", "invalid mapping. invalid api_name").with(details));
        }
        if !mapping["index"].is_u64() && mapping.get("default_value").is_none() {
            let message = "required key index for the field is not found in request body.";
            return Err(Refusal::new("COLUMN_INDEX_NOT_FOUND", message).with(details));
        }
    }
    let is_mapped = |field: &Field| mappings.iter().any(|mapping| mapping["api_name"] == json!(field.api_name));
    let missing = module.fields.iter().find(|field| field.mandatory && !is_mapped(field));
    if let Some(missing) = missing.filter(|_| operation != "update") {
        let message = "All mandatory fields are not mapped for the layout";
        return Err(Refusal::new("MANDATORY_FIELDS_NOT_MAPPED", message).with(json!({"api_name": missing.api_name})));
    }
    resource["ignore_empty"] = body.get("ignore_empty").cloned().unwrap_or(json!(false));
    let job = Job {
        operation: operation.to_owned(),
        module: name,
        body: resource,
        by: call.user,
        at: call.at,
        callback: callback(&body)?,
        ..Job::default()
    };
    let id = world.mint();
    let details = json!({"id": id.to_string(), "created_by": read::user(world, &job)});
    world.jobs.insert(id, job);
    Ok(Reply::json(201, &json!({"status": "success", "code": "SUCCESS", "message": "success", "details": details})))
}

/// `GET /crm/bulk/v8/write/{id}`.
pub(super) fn told(world: &World, call: &Call<'_>, text: &str) -> Answer {
    let (id, job) = job(world, "write", text)?;
    let is_over = job.is_over(world);
    let state = job.state(world);
    let count = |number: u64| if is_over { number } else { 0 };
    let file = json!({
        "status": state, "name": format!("{id}.csv"), "added_count": count(job.added), "skipped_count": count(job.skipped),
        "updated_count": count(job.updated), "total_count": count(job.total),
    });
    let resource = json!({"status": state, "message": job.failed, "type": "data", "file": file,
        "module": {"api_name": job.module}, "field_mappings": job.body["field_mappings"], "find_by": job.body["find_by"]});
    let result = (is_over && job.failed.is_none())
        .then(|| json!({"download_url": format!("{}/crm/bulk/v8/write/{id}/result", call.base(world))}));
    Ok(Reply::json(
        200,
        &json!({
            "status": state, "operation": job.operation, "resource": [resource], "result": result, "id": id.to_string(),
            "created_by": read::user(world, job), "character_encoding": "UTF-8",
            "created_time": instant::told(job.at, world.org.utc_offset_min),
        }),
    ))
}

/// Writes the rows of the file.
pub(super) fn work(world: &mut World, job: &mut Job) {
    let fail = |job: &mut Job, code: &str| job.failed = Some(code.to_owned());
    let archive = world.files.get(job.body["file_id"].as_str().unwrap_or("")).map(|file| file.bytes.clone());
    let text = archive.and_then(|archive| zip::unpack(&archive)).and_then(|(_, bytes)| String::from_utf8(bytes).ok());
    let rows = text.and_then(|text| csv_text::read(&text, ','));
    let Some(mut rows) = rows else { return fail(job, "INVALID_FILE_FORMAT") };
    rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
    let Some(module) = world.module(&job.module).cloned() else { return fail(job, "INVALID_MODULE") };
    let Some((head, rows)) = rows.split_first() else { return fail(job, "EMPTY_FILE") };
    if head.len() > COLUMNS {
        return fail(job, "HEADER_LIMIT_EXCEEDED");
    }
    if rows.len() > ROWS {
        return fail(job, "ROW_LIMIT_EXCEEDED");
    }
    let mappings: Vec<Json> = job.body["field_mappings"].as_array().cloned().unwrap_or_default();
    // The first three columns that are mapped stand in the result.
    let first: Vec<usize> = mappings.iter().filter_map(index).take(3).collect();
    let cell = |row: &[String], at: usize| row.get(at).cloned().unwrap_or_default();
    let mut line: Vec<String> = first.iter().map(|at| cell(head, *at)).collect();
    line.extend(["STATUS", "RECORD_ID", "ERRORS"].map(str::to_owned));
    let mut result = super::line(&line);
    for row in rows {
        let done = one(world, job, &module, &mappings, row);
        job.total += 1;
        let mut line: Vec<String> = first.iter().map(|at| cell(row, *at)).collect();
        line.extend(match done {
            Ok((id, true)) => {
                job.added += 1;
                ["ADDED".to_owned(), id.to_string(), String::new()]
            }
            Ok((id, false)) => {
                job.updated += 1;
                ["UPDATED".to_owned(), id.to_string(), String::new()]
            }
            Err(refusal) => {
                job.skipped += 1;
                let field = refusal.details["api_name"].as_str().unwrap_or("");
                ["SKIPPED".to_owned(), String::new(), format!("{}-{field}", refusal.code)]
            }
        });
        result.push_str(&super::line(&line));
    }
    job.result = result;
}

fn index(mapping: &Json) -> Option<usize> {
    mapping["index"].as_u64().and_then(|index| usize::try_from(index).ok())
}

/// Writes one row: the record, and whether it is new.
fn one(
    world: &mut World,
    job: &Job,
    module: &Module,
    mappings: &[Json],
    row: &[String],
) -> Result<(Id, bool), Refusal> {
    let by = Writer { user: job.by, at: world.now, version: 8, external: Vec::new() };
    let mut item = Map::new();
    for mapping in mappings {
        let Some(field) = mapping["api_name"].as_str().and_then(|name| module.field(name)) else { continue };
        let text = index(mapping).and_then(|at| row.get(at)).cloned().unwrap_or_default();
        let text =
            if text.is_empty() { mapping["default_value"]["value"].as_str().unwrap_or("").to_owned() } else { text };
        if text.is_empty() {
            if job.body["ignore_empty"] != json!(true) && job.operation != "insert" {
                item.insert(field.api_name.clone(), Json::Null);
            }
            continue;
        }
        item.insert(field.api_name.clone(), value(world, field, mapping, &text));
    }
    let insert = |world: &mut World| {
        let row = draft::insert(world, module, &item, &by, "$")?;
        Ok((write::commit(world, module, row, Action::Created).id, true))
    };
    let find_by = job.body["find_by"].as_str().and_then(|key| module.field(key));
    let Some(key) = find_by.filter(|_| job.operation != "insert").cloned() else { return insert(world) };
    let given = item.get(&key.api_name).cloned().unwrap_or_default();
    let found = match key.api_name.as_str() {
        "id" => given.as_str().and_then(|id| id.parse().ok()).filter(|id| world.get(&module.api_name, *id).is_some()),
        _ => world.by_value(&module.api_name, &key, &given).last().copied(),
    };
    match found {
        Some(id) => Ok((write::change(world, module, id, &item, &by, ("$", None))?.id, false)),
        None if job.operation == "upsert" => insert(world),
        None => Err(Refusal::bad_id(&key.api_name, "$")),
    }
}

/// A cell as the API would take it.
fn value(world: &World, field: &Field, mapping: &Json, text: &str) -> Json {
    let number = || text.parse::<f64>().map_or_else(|_| json!(text), |number| json!(number));
    match field.data_type {
        Kind::Integer => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
        Kind::Currency | Kind::Double | Kind::Percent => number(),
        Kind::Boolean => match text.to_lowercase().as_str() {
            "true" => json!(true),
            "false" => json!(false),
            _ => json!(text),
        },
        Kind::Multipick => text.split(';').map(|one| json!(one.trim())).collect(),
        Kind::Date => json!(day(text, mapping["format"].as_str().unwrap_or("MM/dd/yyyy"))),
        Kind::Lookup => {
            let module = field.module.as_deref().unwrap_or("");
            let key = mapping["find_by"].as_str().and_then(|key| world.module(module)?.field(key));
            let found = key.and_then(|key| world.by_value(module, key, &json!(text)).first().copied());
            json!({"id": found.map_or_else(|| text.to_owned(), |id| id.to_string())})
        }
        Kind::Ownerlookup | Kind::Userlookup => {
            let by_mail = world.users.values().find(|user| user.email.eq_ignore_ascii_case(text));
            json!({"id": by_mail.map_or_else(|| text.to_owned(), |user| user.id.to_string())})
        }
        _ => json!(text),
    }
}

/// A day in the mapping's format as the API writes it; as it is if it is of another.
fn day(text: &str, format: &str) -> String {
    let (mut year, mut month, mut day) = (String::new(), String::new(), String::new());
    let letters: Vec<char> = text.chars().collect();
    for (at, sign) in format.chars().enumerate() {
        let letter = letters.get(at).copied().unwrap_or(' ');
        match sign {
            'y' => year.push(letter),
            'M' => month.push(letter),
            'd' => day.push(letter),
            sign if sign == letter => {}
            _ => return text.to_owned(),
        }
    }
    if letters.len() == format.chars().count() { format!("{year}-{month}-{day}") } else { text.to_owned() }
}

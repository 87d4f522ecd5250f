//! Bulk read (sheet: section 4).

use serde_json::{Value as Json, json};

use super::{Job, callback, job, line};
use crate::Reply;
use crate::zoho::call::Call;
use crate::zoho::criteria::{self, Tree};
use crate::zoho::instant;
use crate::zoho::refusal::{Answer, Refusal};
use crate::zoho::schema::{Kind, Module};
use crate::zoho::scopes::Does;
use crate::zoho::world::{Row, World};

/// `POST /crm/bulk/v8/read`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.body()?;
    let query = body.get("query").filter(|query| query.is_object()).cloned();
    let mut query = query.ok_or_else(|| Refusal::missing("query", "$.query"))?;
    let name = query["module"]["api_name"].as_str().unwrap_or("").to_owned();
    let module =
        world.module(&name).filter(|module| module.is_record() && !matches!(name.as_str(), "Notes" | "Attachments"));
    let module = module.ok_or_else(|| match world.module(&name) {
        Some(_) => Refusal::new("MODULE_NOT_SUPPORTED", "the module is not supported").with(json!({"module": name})),
        None => Refusal::new("MODULE_NOT_AVAILABLE", "the module is not available").with(json!({"module": name})),
    })?;
    call.may_in(world, &name, Does::Read)?;
    if body.get("file_type").is_some_and(|kind| kind != "csv") {
        return Err(Refusal::invalid("file_type", "$.file_type", "csv"));
    }
    for field in query["fields"].as_array().into_iter().flatten() {
        let known = field.as_str().is_some_and(|field| criteria::target(world, module, &path(field)).is_some());
        if !known {
            return Err(Refusal::new("FIELD_NOT_AVAILABLE", "the field is not available").with(json!({"field": field})));
        }
    }
    if filter(world, module, &query).is_none() {
        return Err(Refusal::new("INVALID_CRITERIA", "the criteria cannot be read"));
    }
    match (query.get("page_token").and_then(Json::as_str), query.get("page")) {
        (Some(_), Some(_)) => {
            return Err(Refusal::new("AMBIGUITY_DURING_PROCESSING", "page and page_token cannot stand together"));
        }
        (Some(token), None) => {
            // A token names the page that comes next, and when it ends.
            let parts: Option<(i64, u64)> = token.split_once('-').and_then(|(until, page)| {
                Some((i64::from_str_radix(until, 16).ok()?, u64::from_str_radix(page, 16).ok()?))
            });
            match parts {
                Some((until, page)) if until > call.at => query["page"] = json!(page),
                Some(_) => return Err(Refusal::new("EXPIRED_VALUE", "The page_token has expired")),
                None => return Err(Refusal::invalid("page_token", "$.query.page_token", "text")),
            }
        }
        (None, Some(page)) if page.as_u64().is_none_or(|page| page == 0) => {
            return Err(Refusal::new("PAGE_RANGE_EXCEEDED", "the page is none"));
        }
        _ => {}
    }
    let job = Job {
        operation: "read".to_owned(),
        module: name,
        body: query,
        by: call.user,
        at: call.at,
        callback: callback(&body)?,
        ..Job::default()
    };
    let id = world.mint();
    let details = json!({"id": id.to_string(), "operation": "read", "state": "ADDED", "created_by": user(world, &job),
        "created_time": instant::told(job.at, world.org.utc_offset_min)});
    world.jobs.insert(id, job);
    let item = json!({"status": "success", "code": "ADDED_SUCCESSFULLY", "message": "Added successfully.", "details": details});
    Ok(Reply::json(201, &json!({"data": [item], "info": {}})))
}

pub(super) fn user(world: &World, job: &Job) -> Json {
    world.users.get(&job.by).map_or(Json::Null, |user| json!({"id": user.id.to_string(), "name": user.full_name()}))
}

fn path(field: &str) -> Vec<String> {
    field.split('.').map(str::to_owned).collect()
}

/// The criteria of a query; none if they cannot be read.
fn filter(world: &World, module: &Module, query: &Json) -> Option<Tree> {
    let mut tree = match query.get("criteria").filter(|criteria| !criteria.is_null()) {
        Some(criteria) => criteria::read(criteria)?,
        None => Tree::All(Vec::new()),
    };
    let is_empty = |test: &&criteria::Test| test.values.iter().any(|value| value == "${EMPTY}");
    if tree.tests().iter().any(is_empty) {
        return Some(tree);
    }
    tree.prepare(world, module).ok()?;
    Some(tree)
}

/// `GET /crm/bulk/v8/read/{id}`.
pub(super) fn told(world: &World, _call: &Call<'_>, text: &str) -> Answer {
    let (id, job) = job(world, "read", text)?;
    let mut told = json!({
        "id": id.to_string(), "operation": "read", "state": job.state(world), "query": job.body, "file_type": "csv",
        "created_by": user(world, job), "created_time": instant::told(job.at, world.org.utc_offset_min),
    });
    if job.is_over(world) && job.failed.is_none() {
        let page = page(job);
        let until = job.at + 2 * world.settings.bulk_s + 86_400;
        told["result"] = json!({
            "page": page, "per_page": world.settings.bulk_page, "count": job.total, "more_records": job.more,
            "download_url": format!("/crm/bulk/v8/read/{id}/result"),
            "next_page_token": job.more.then(|| format!("{until:x}-{:x}", page + 1)),
        });
    }
    Ok(Reply::json(200, &json!({"data": [told]})))
}

fn page(job: &Job) -> u64 {
    job.body.get("page").and_then(Json::as_u64).unwrap_or(1)
}

/// Reads what the query asks for.
pub(super) fn work(world: &World, job: &mut Job) {
    let Some(module) = world.module(&job.module) else {
        job.failed = Some("INVALID_MODULE".to_owned());
        return;
    };
    let filter = filter(world, module, &job.body).unwrap_or(Tree::All(Vec::new()));
    let named = job.body["fields"].as_array().filter(|fields| !fields.is_empty());
    let names: Vec<String> = match named {
        Some(fields) => fields.iter().filter_map(|field| field.as_str().map(str::to_owned)).collect(),
        None => module
            .fields
            .iter()
            .filter(|field| !field.data_type.single_only())
            .map(|field| field.api_name.clone())
            .collect(),
    };
    // The id comes first whether it is asked for or not.
    let names: Vec<String> = names.into_iter().filter(|name| name != "id").collect();
    let skip = usize::try_from(page(job) - 1).unwrap_or(0).saturating_mul(world.settings.bulk_page);
    let rows = world.rows(&job.module).filter(|row| !row.is("$converted") && filter.holds(world, module, row));
    let mut rows = rows.skip(skip);
    let mut head = vec!["Id".to_owned()];
    head.extend(names.iter().cloned());
    let mut text = line(&head);
    for row in rows.by_ref().take(world.settings.bulk_page) {
        let mut cells = vec![row.id.to_string()];
        cells.extend(names.iter().map(|name| cell(world, module, row, &path(name))));
        text.push_str(&line(&cells));
        job.total += 1;
    }
    job.more = rows.next().is_some();
    job.result = text;
}

fn cell(world: &World, module: &Module, row: &Row, path: &[String]) -> String {
    let value = criteria::value(world, module, row, path);
    let kind = criteria::target(world, module, path).flatten().map(|field| field.data_type);
    match value {
        Json::Null => String::new(),
        Json::String(text) if kind == Some(Kind::Datetime) => instant::retold(&text, world.org.utc_offset_min),
        Json::String(text) => text,
        Json::Array(values) => values.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(";"),
        value => value.to_string(),
    }
}

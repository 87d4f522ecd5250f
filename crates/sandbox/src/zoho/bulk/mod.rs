//! Bulk jobs: reads into zipped CSV, writes from it (sheet: sections 4 and 5).
//!
//! A job waits in each of its states for as long as the settings say, and does its work when the time comes at
//! which it is in progress: what changes before is in it, what changes afterwards is not.

mod read;
mod write;
mod zip;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::call::Call;
use super::instant::Seconds;
use super::limits;
use super::refusal::{Answer, Refusal};
use super::scopes::Does;
use super::world::{Id, World};
use crate::{Event, Reply, csv_text};

/// Fetches of a result in a minute (sheet: section 4).
const FETCHES: usize = 10;

/// A job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Job {
    /// `read`, `insert`, `update`, `upsert`, `merge`.
    pub(super) operation: String,
    pub(super) module: String,
    /// The query, or the resource.
    pub(super) body: Json,
    pub(super) by: Id,
    pub(super) at: Seconds,
    /// The work is done.
    pub(super) done: bool,
    /// Why it failed.
    pub(super) failed: Option<String>,
    /// The file, as CSV.
    pub(super) result: String,
    pub(super) added: u64,
    pub(super) updated: u64,
    pub(super) skipped: u64,
    pub(super) total: u64,
    /// More records fit the query than a page holds.
    pub(super) more: bool,
    /// Where it is told that the job has ended; none when that is done.
    pub(super) callback: Option<String>,
    /// When its result was fetched, the last minute of it.
    pub(super) fetched: Vec<Seconds>,
}

impl Job {
    /// A job of a merge that is as good as done.
    pub(super) fn merge(module: &str, by: Id, at: Seconds) -> Self {
        let (operation, module) = ("merge".to_owned(), module.to_owned());
        Self { operation, module, by, at, body: json!({}), done: true, ..Self::default() }
    }

    /// `ADDED`, `IN PROGRESS`, `COMPLETED`, and for what failed the word of its kind.
    fn state(&self, world: &World) -> &'static str {
        let wait = world.settings.bulk_s;
        let age = world.now - self.at;
        match (age >= 2 * wait, self.done && self.failed.is_some()) {
            (true, true) if self.operation == "read" => "FAILURE",
            (true, true) => "FAILED",
            (true, false) => "COMPLETED",
            _ if age < wait => "ADDED",
            _ if world.settings.bulk_one_word => "INPROGRESS",
            _ => "IN PROGRESS",
        }
    }

    fn is_over(&self, world: &World) -> bool {
        world.now - self.at >= 2 * world.settings.bulk_s
    }
}

/// `/crm/bulk/v8/...`.
pub(super) fn answer(world: &mut World, call: &Call<'_>, path: &[&str]) -> Answer {
    if !world.org.bulk() {
        return Err(Refusal::new("FEATURE_NOT_ENABLED", "the bulk API is not available in your edition"));
    }
    // To begin a job that reads is to read (the vendor's page on creating one).
    let does = if path == ["read"] { Does::Read } else { Does::of(call.method()) };
    call.may("ZohoCRM.bulk", does)?;
    match (call.method(), path) {
        ("POST", ["read"]) => read::create(world, call),
        ("GET", ["read", id]) => read::told(world, call, id),
        ("POST", ["write"]) => write::create(world, call),
        ("GET", ["write", id]) => write::told(world, call, id),
        ("GET", [kind @ ("read" | "write"), id, "result"]) => result(world, kind, id),
        _ => Err(Refusal::no_url()),
    }
}

/// `POST /upload`: the file of a bulk write.
pub(super) fn upload(world: &mut World, call: &Call<'_>) -> Answer {
    write::upload(world, call)
}

fn job<'a>(world: &'a World, kind: &str, text: &str) -> Result<(Id, &'a Job), Refusal> {
    let id: Id = text.parse().unwrap_or(0);
    let fits = |job: &&Job| job.operation != "merge" && (job.operation == "read") == (kind == "read");
    let job = world.jobs.get(&id).filter(fits);
    job.map(|job| (id, job))
        .ok_or_else(|| Refusal::new("RESOURCE_NOT_FOUND", "The requested resource doesn't exist").with_status(404))
}

/// The zipped file of a job that is over.
fn result(world: &mut World, kind: &str, text: &str) -> Answer {
    let (id, job) = job(world, kind, text)?;
    if !job.is_over(world) || job.failed.is_some() {
        return Err(Refusal::new("CANNOT_PERFORM_ACTION", "The job is not completed").with(json!({"id": text})));
    }
    let archive = zip::pack(&format!("{id}.csv"), job.result.as_bytes());
    let archive =
        archive.ok_or_else(|| Refusal::new("INTERNAL_ERROR", "the file cannot be packed").with_status(500))?;
    let (now, limits) = (world.now, world.settings.limits);
    if let Some(job) = world.jobs.get_mut(&id) {
        job.fetched.retain(|at| *at > now - 60);
        if limits && job.fetched.len() >= FETCHES {
            return Err(limits::too_many("You have exceeded the limit of downloads"));
        }
        job.fetched.push(now);
    }
    let reply = Reply { status: 200, headers: Vec::new(), body: archive };
    Ok(reply
        .with_header("content-type", "application/zip")
        .with_header("content-disposition", format!("attachment; filename={id}.zip")))
}

/// Does the work of jobs whose time has come; what subscribers of their ends are told.
pub(super) fn settle(world: &mut World) -> Vec<Event> {
    let due = |job: &Job| !job.done && world.now - job.at >= world.settings.bulk_s;
    let ids: Vec<Id> = world.jobs.iter().filter(|(_, job)| due(job)).map(|(id, _)| *id).collect();
    for id in ids {
        let Some(mut job) = world.jobs.remove(&id) else { continue };
        // It works at its own time, whenever that is noticed.
        let now = std::mem::replace(&mut world.now, job.at + world.settings.bulk_s);
        match job.operation.as_str() {
            "read" => read::work(world, &mut job),
            _ => write::work(world, &mut job),
        }
        world.now = now;
        job.done = true;
        world.jobs.insert(id, job);
    }
    let over: Vec<Id> =
        world.jobs.iter().filter(|(_, job)| job.callback.is_some() && job.is_over(world)).map(|(id, _)| *id).collect();
    let mut events = Vec::new();
    for id in over {
        let state = world.jobs.get(&id).map(|job| job.state(world)).unwrap_or_default();
        let Some(job) = world.jobs.get_mut(&id) else { continue };
        let body = json!({"job_id": id.to_string(), "operation": job.operation, "state": state, "module": job.module});
        if let Some(url) = job.callback.take() {
            events.push(Event { url, headers: vec![("content-type".into(), "application/json".into())], body });
        }
    }
    events
}

/// Where a job's end is told.
fn callback(body: &serde_json::Map<String, Json>) -> Result<Option<String>, Refusal> {
    let Some(given) = body.get("callback").filter(|given| !given.is_null()) else { return Ok(None) };
    let url = given.get("url").and_then(Json::as_str).filter(|url| url.starts_with("http"));
    let url = url.ok_or_else(|| Refusal::new("INVALID_CALLBACK_URL", "the url of the callback is none"))?;
    match given.get("method").and_then(Json::as_str) {
        Some("post") => Ok(Some(url.to_owned())),
        _ => Err(Refusal::new("INVALID_CALLBACK_METHOD", "the method of the callback is none")),
    }
}

/// A line of a file of the bulk API.
fn line(cells: &[String]) -> String {
    csv_text::line(cells, ',', csv::QuoteStyle::Necessary) + "\n"
}

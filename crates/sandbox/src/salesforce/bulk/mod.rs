//! Bulk API 2.0: jobs that write and jobs that query, with their states on the virtual clock (sheet: sections
//! 4 and 5.5 \[doc\]).
//!
//! A job is worked on at the second when it is due, whichever request comes next after it: so the same
//! requests give the same world, whether or not anyone asked for the state in between.

mod ingest;
mod query;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::Salesforce;
use super::call::Call;
use super::instant::{Seconds, stamp};
use super::refusal::{Answer, Fault, no_content};
use super::world::World;
use crate::Reply;

/// Rows that are worked on together: what the daily budget of batches counts.
const BATCH_ROWS: usize = 10_000;

/// Jobs are kept for seven days.
const KEPT_S: Seconds = 7 * 86_400;

/// Jobs may stay open for a day (sheet: section 6 \[doc\]).
const OPEN_S: Seconds = 86_400;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    Open,
    UploadComplete,
    InProgress,
    JobComplete,
    Failed,
    Aborted,
}

/// A row of a finished job.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    cells: Vec<String>,
    /// The record's id, where there is one.
    id: String,
    created: bool,
    /// `CODE:message:fields --`; none for a row that was written.
    error: Option<String>,
}

/// A job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Job {
    id: String,
    /// `insert`, `update`, `upsert`, `delete`; `query`, `queryAll`.
    operation: String,
    object: String,
    key: Option<String>,
    query: Option<String>,
    state: State,
    user: String,
    created: Seconds,
    stamped: Seconds,
    version: u16,
    delimiter: char,
    crlf: bool,
    /// What was uploaded and is not yet worked on.
    data: Option<String>,
    due: Option<Seconds>,
    header: Vec<String>,
    rows: Vec<Row>,
    /// Lines of a query's result.
    lines: Vec<String>,
    unprocessed: Vec<Vec<String>>,
    message: Option<String>,
}

/// All jobs by id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Jobs {
    all: BTreeMap<String, Job>,
}

const DELIMITERS: [(&str, char); 6] =
    [("COMMA", ','), ("BACKQUOTE", '`'), ("CARET", '^'), ("PIPE", '|'), ("SEMICOLON", ';'), ("TAB", '\t')];

/// Answers `/jobs/...`.
pub(super) fn answer(org: &mut Salesforce, call: &Call<'_>, path: &[&str]) -> Answer {
    let world = &mut org.world;
    match path {
        ["ingest"] if call.method() == "POST" => ingest::create(world, call),
        ["query"] if call.method() == "POST" => query::create(world, call),
        [kind @ ("ingest" | "query")] => Ok(list(world, call, *kind == "query")),
        [kind @ ("ingest" | "query"), id, rest @ ..] => {
            let job = world.jobs.all.get(*id).filter(|job| job.query.is_some() == (*kind == "query"));
            let job = job.ok_or_else(Fault::not_found)?;
            if call.method() == "GET" {
                return shown(call, job, rest);
            }
            let job = job.clone();
            one(world, call, job, rest)
        }
        _ => Err(Fault::not_found()),
    }
}

/// What a job shows of itself and of its results.
fn shown(call: &Call<'_>, job: &Job, rest: &[&str]) -> Answer {
    match rest {
        [] => Ok(Reply::json(200, &job.info(call.at, true))),
        ["results"] if job.query.is_some() => query::results(call, job),
        ["resultPages"] if job.query.is_some() => query::pages(call, job),
        ["successfulResults"] => Ok(ingest::successful(job)),
        ["failedResults"] => Ok(ingest::failed(job)),
        // Documented in lower case, and sent by some clients in that of the other two.
        [rows] if rows.eq_ignore_ascii_case("unprocessedRecords") => Ok(ingest::unprocessed(job)),
        _ => Err(Fault::not_found()),
    }
}

fn one(world: &mut World, call: &Call<'_>, job: Job, rest: &[&str]) -> Answer {
    match (call.method(), rest) {
        ("PATCH", []) => patch(world, call, job),
        ("DELETE", []) => {
            if matches!(job.state_at(call.at), State::InProgress | State::UploadComplete) {
                return Err(wrong_state("Deleting a job that is in progress is not allowed"));
            }
            world.jobs.all.remove(&job.id);
            Ok(no_content())
        }
        ("PUT", ["batches"]) if job.query.is_none() => ingest::upload(world, call, job),
        _ => Err(Fault::not_found()),
    }
}

fn patch(world: &mut World, call: &Call<'_>, mut job: Job) -> Answer {
    let body = call.map()?;
    let state = job.state_at(call.at);
    match body.get("state").and_then(Json::as_str) {
        Some("Aborted") => {
            if matches!(state, State::JobComplete | State::Failed | State::Aborted) {
                return Err(wrong_state("Aborting already Completed Job not allowed"));
            }
            job.state = State::Aborted;
            job.due = None;
            ingest::leave_unprocessed(&mut job);
        }
        Some("UploadComplete") if job.query.is_none() => {
            if state != State::Open {
                return Err(wrong_state("Closing already Completed Job not allowed"));
            }
            let data = job.data.clone().unwrap_or_default();
            close(world, &mut job, data, call.at);
        }
        _ => return Err(Fault::new("INVALIDJOBSTATE", "the state can be set to UploadComplete or Aborted")),
    }
    job.stamped = call.at;
    let info = job.info(call.at, false);
    world.jobs.all.insert(job.id.clone(), job);
    Ok(Reply::json(200, &info))
}

/// Ends the upload: the job is worked on when its time has come.
fn close(world: &World, job: &mut Job, data: String, at: Seconds) {
    let rows = i64::try_from(data.lines().count()).unwrap_or(0);
    job.data = Some(data);
    job.state = State::UploadComplete;
    job.due = Some(at + world.settings.bulk_s + rows / world.settings.bulk_rows_per_s.max(1));
}

fn wrong_state(message: &str) -> Fault {
    Fault::new("INVALIDJOBSTATE", message)
}

/// Works on every job whose time has come, and forgets the old ones.
pub(super) fn settle(world: &mut World, at: Seconds) {
    world.jobs.all.retain(|_, job| at - job.created < KEPT_S);
    for job in world.jobs.all.values_mut().filter(|job| job.state == State::Open && at - job.created >= OPEN_S) {
        job.state = State::Aborted;
        ingest::leave_unprocessed(job);
    }
    let mut due: Vec<(Seconds, String)> =
        world.jobs.all.values().filter_map(|job| Some((job.due.filter(|due| *due <= at)?, job.id.clone()))).collect();
    due.sort();
    for (due, id) in due {
        let Some(mut job) = world.jobs.all.get(&id).cloned() else { continue };
        job.due = None;
        job.stamped = due;
        if job.query.is_some() {
            query::work(world, &mut job, due)
        } else {
            ingest::work(world, &mut job, due)
        }
        world.jobs.all.insert(id, job);
    }
}

fn list(world: &World, call: &Call<'_>, queries: bool) -> Reply {
    let jobs = world.jobs.all.values().filter(|job| job.query.is_some() == queries);
    let records: Vec<Json> = jobs.take(1_000).map(|job| job.info(call.at, false)).collect();
    Reply::json(200, &json!({"done": true, "records": records, "nextRecordsUrl": null}))
}

/// The separator and the line end that a job asks for.
fn form(body: &serde_json::Map<String, Json>) -> Result<(char, bool), Fault> {
    let text = |key: &str, default: &'static str| body.get(key).and_then(Json::as_str).unwrap_or(default).to_owned();
    let invalid = |what: &str| Fault::new("INVALIDJOB", format!("{what} is not supported"));
    let named = text("columnDelimiter", "COMMA");
    let delimiter = DELIMITERS.iter().find(|(name, _)| *name == named).ok_or_else(|| invalid("columnDelimiter"))?.1;
    let crlf = match text("lineEnding", "LF").as_str() {
        "LF" => false,
        "CRLF" => true,
        _ => return Err(invalid("lineEnding")),
    };
    if text("contentType", "CSV") != "CSV" {
        return Err(invalid("contentType"));
    }
    Ok((delimiter, crlf))
}

impl Jobs {
    /// Batches of ingest jobs since then.
    pub(super) fn batches_since(&self, since: Seconds) -> u64 {
        let recent = self.all.values().filter(|job| job.query.is_none() && job.created >= since);
        let rows = |job: &Job| job.rows.len() + job.data.as_ref().map_or(0, |data| data.lines().count());
        recent.map(|job| u64::try_from(rows(job).div_ceil(BATCH_ROWS)).unwrap_or(0)).sum()
    }

    /// Query jobs since then.
    pub(super) fn queries_since(&self, since: Seconds) -> u64 {
        let recent = self.all.values().filter(|job| job.query.is_some() && job.created >= since);
        u64::try_from(recent.count()).unwrap_or(0)
    }
}

impl Job {
    fn new(world: &mut World, call: &Call<'_>, operation: &str, object: &str, (delimiter, crlf): (char, bool)) -> Self {
        Self {
            id: world.mint("750"),
            operation: operation.to_owned(),
            object: object.to_owned(),
            key: None,
            query: None,
            state: State::Open,
            user: call.user.clone(),
            created: call.at,
            stamped: call.at,
            version: call.version,
            delimiter,
            crlf,
            data: None,
            due: None,
            header: Vec::new(),
            rows: Vec::new(),
            lines: Vec::new(),
            unprocessed: Vec::new(),
            message: None,
        }
    }

    /// The state that a client sees: a second after the upload ended, the work has begun.
    fn state_at(&self, at: Seconds) -> State {
        match self.state {
            State::UploadComplete if self.due.is_some() && at > self.stamped => State::InProgress,
            state => state,
        }
    }

    /// The job as the API shows it; `whole`: with what only asking for one job tells.
    fn info(&self, at: Seconds, whole: bool) -> Json {
        let delimiter = DELIMITERS.iter().find(|(_, sign)| *sign == self.delimiter).map_or("COMMA", |(name, _)| name);
        let mut info = json!({
            "id": self.id, "operation": self.operation, "object": self.object, "createdById": self.user,
            "createdDate": stamp(self.created), "systemModstamp": stamp(self.stamped), "state": self.state_at(at),
            "concurrencyMode": "Parallel", "contentType": "CSV", "apiVersion": f64::from(self.version),
            "lineEnding": if self.crlf { "CRLF" } else { "LF" }, "columnDelimiter": delimiter,
        });
        if let Some(key) = &self.key {
            info["externalIdFieldName"] = json!(key);
        }
        let failed = self.rows.iter().filter(|row| row.error.is_some()).count();
        if self.query.is_none() {
            let url = format!("services/data/v{}.0/jobs/ingest/{}/batches", self.version, self.id);
            info["contentUrl"] = json!(url);
        }
        if whole {
            info["retries"] = json!(0);
            info["totalProcessingTime"] = json!((self.stamped - self.created) * 1_000);
            if self.query.is_some() {
                info["jobType"] = json!("V2Query");
                info["numberRecordsProcessed"] = json!(self.lines.len());
                info["isPkChunkingSupported"] = json!(true);
            } else {
                info["jobType"] = json!("V2Ingest");
                info["numberRecordsProcessed"] = json!(self.rows.len());
                info["numberRecordsFailed"] = json!(failed);
                info["apiActiveProcessingTime"] = json!(0);
                info["apexProcessingTime"] = json!(0);
            }
            if let Some(message) = &self.message {
                info["errorMessage"] = json!(message);
            }
        }
        info
    }
}

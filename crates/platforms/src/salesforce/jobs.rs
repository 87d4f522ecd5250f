//! Large lists, read by jobs of the Bulk API 2.0 (sheet: Salesforce section 4 \[doc\]).
//!
//! A page of a query has 2,000 rows at most, a page of a job's result as many as are asked for. A job costs a call to
//! begin and some to ask whether it is done, so it pays from some ten thousand rows on: the first page of a list tells
//! how many there are, and the job reads what stands behind it.
//!
//! - A job asks for no order: that would switch off what makes it fast, and the guide advises against it. So when a
//!   job is lost, what stands behind the first page is read again, and records come twice, which lists may do.
//! - A position knows its job as soon as there is one. A job is kept for seven days; one that is gone is begun anew, one
//!   that failed, was aborted or is refused gives way to the pages of queries.
//! - Cells are text, so only fields whose types are known are read by jobs: then every value is what a query says.
//! - A page whose rows are not as many as its header says is none.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord};
use handover_connect::{Fault, FaultKind, Method, Refusal, Reply, Request, Step};
use handover_model::{Kind, Value};
use serde_json::json;

use super::capabilities::CALL;
use super::encode::with_body;
use super::objects::DATA;
use super::place::{Job, Place};
use super::reading::{Cells, Reading};
use super::soql::Query;
use super::{bulk, faults, values};
use crate::marks::Mark;

/// When lists are read by jobs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jobs {
    /// How many rows stand behind the first page at least.
    pub(super) from: u64,
    /// Rows on a page of the result.
    pub(super) page: u32,
}

impl Default for Jobs {
    /// What 50,000 rows take: 25 pages of queries, against one call that begins the job, about seven that ask for its
    /// state (two minutes), and five pages of its result. Larger pages would save fewer calls than they take memory.
    fn default() -> Self {
        Self { from: 50_000, page: 10_000 }
    }
}

/// How long is waited before the state is asked for, in milliseconds; each time twice as long, up to the second one.
const WAIT_MS: (u64, u64) = (2_000, 60_000);
/// How often the state is asked for: about an hour. What takes longer is read by queries meanwhile.
const MOST_ASKED: u32 = 64;
/// How many jobs are begun for one list.
const MOST_LOST: u32 = 2;

/// The request that begins a job, asks for its state or reads a page of its result.
pub(super) fn request(query: &Query<'_>, job: &Job, when: Jobs) -> Result<Request, Refusal> {
    let path = format!("{DATA}/jobs/query");
    let Some(id) = &job.id else {
        let body = json!({
            "operation": if query.all { "queryAll" } else { "query" },
            "query": query.text(job.first.last.as_deref())?,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        });
        // One more job of which nobody reads the result does no harm.
        return Ok(with_body(Method::Post, path, body.to_string().into_bytes()).idempotent());
    };
    if !job.is_done {
        return Ok(Request::new(Method::Get, format!("{path}/{id}"), &CALL));
    }
    let request = bulk::rows(format!("{path}/{id}/results")).with_query("maxRecords", when.page.to_string());
    Ok(match &job.locator {
        Some(locator) => request.with_query("locator", locator),
        None => request,
    })
}

/// What the reply means for a job.
pub(super) fn read(reading: &Reading<'_>, job: Job, reply: &Reply) -> Result<Step, Fault> {
    if let Err(fault) = faults::check(reply, false) {
        return without(job, fault);
    }
    if job.is_done {
        return result(reading, job, reply);
    }
    let told = bulk::told(reply)?;
    if job.id.is_none() {
        // Nothing was read yet, but the position is to be kept: whoever goes on here finds the job.
        let next = Place::Job(Job { id: Some(told.id), ..job }).cursor();
        return Ok(Step::Page { records: Vec::new(), next: Some(next) });
    }
    match told.state.as_str() {
        "JobComplete" => Ok(Place::Job(Job { is_done: true, ..job }).then()),
        "Open" | "UploadComplete" | "InProgress" if job.asked < MOST_ASKED => {
            let (first, most) = WAIT_MS;
            let wait_ms = crate::jobs::wait_ms(first, most, job.asked);
            Ok(Place::Job(Job { asked: job.asked + 1, ..job }).after(wait_ms))
        }
        "Open" | "UploadComplete" | "InProgress" => {
            let why = "the job that reads the list is not done after an hour";
            without(job, Fault::new(FaultKind::Unsupported, "job_takes_long", why))
        }
        "Aborted" => {
            let why = "somebody aborted the job that reads the list";
            without(job, Fault::new(FaultKind::Unsupported, "job_aborted", why))
        }
        "Failed" => {
            let why = told.error_message.as_deref().map_or(String::new(), |why| format!(": {}", faults::short(why)));
            let message = format!("the job that reads the list failed{why}");
            without(job, Fault::new(FaultKind::Unsupported, "job_failed", message))
        }
        _ => Err(Fault::malformed("the job is in a state that is not known")),
    }
}

/// Going on without this job: with another one where it is gone, else by queries. What is no matter of the job fails.
fn without(job: Job, fault: Fault) -> Result<Step, Fault> {
    if bulk::passes(&fault) {
        return Err(fault);
    }
    if fault.kind == FaultKind::NotFound && job.id.is_some() && job.lost < MOST_LOST {
        let anew = Job { lost: job.lost + 1, first: job.first, ..Job::default() };
        return Ok(Place::Job(anew).instead_of(fault));
    }
    Ok(Place::Rows(job.first).instead_of(fault))
}

/// A page of the result. The last one's locator is the word `null`.
fn result(reading: &Reading<'_>, job: Job, reply: &Reply) -> Result<Step, Fault> {
    let header = |name: &str| reply.header(name).map(str::trim);
    if reply.status == 204 {
        // How the guide says that a result is not to be had.
        return without(job, Fault::new(FaultKind::NotFound, "no_result", "the job has no result any more"));
    }
    let locator = header("sforce-locator").ok_or_else(|| Fault::malformed("the page does not say what follows it"))?;
    let mut lines = ReaderBuilder::new().from_reader(reply.body.as_slice());
    let columns: HashMap<String, usize> =
        lines.headers().map_err(bulk::odd)?.iter().enumerate().map(|(at, name)| (name.to_owned(), at)).collect();
    let mut records = Vec::new();
    let mut cells = StringRecord::new();
    while lines.read_record(&mut cells).map_err(bulk::odd)? {
        records.push(reading.record(&Line { columns: &columns, cells: &cells })?);
    }
    let told = header("sforce-numberofrecords").map(str::parse::<usize>);
    if told.is_some_and(|told| told != Ok(records.len())) {
        return Err(Fault::malformed("the page has another number of rows than it says"));
    }
    let lacks = reading.columns().into_iter().find(|column| !columns.contains_key(*column));
    if let Some(column) = lacks.filter(|_| !records.is_empty()) {
        let why = format!("the job's result lacks the column `{column}`");
        return without(job, Fault::new(FaultKind::Unsupported, "column_missing", why));
    }
    if matches!(locator, "" | "null") {
        return Ok(Step::Page { records, next: None });
    }
    if job.locator.as_deref() == Some(locator) {
        return Err(Fault::malformed("the page says that it follows itself"));
    }
    let next = Place::Job(Job { locator: Some(locator.to_owned()), ..job }).cursor();
    Ok(Step::Page { records, next: Some(next) })
}

/// A line of a result.
struct Line<'l> {
    columns: &'l HashMap<String, usize>,
    cells: &'l StringRecord,
}

impl Cells for Line<'_> {
    fn value(&self, column: &str, kind: Option<&Kind>) -> Option<Value> {
        let cell = self.cells.get(*self.columns.get(column)?)?;
        Some(values::read_cell(kind, cell))
    }

    fn raw(&self, _: &str) -> Option<&str> {
        None
    }
}

//! Large lists, read by jobs: bulk read (sheet: Zoho section 4 \[doc, spec\]).
//!
//! A page of a query has 2,000 records at most and takes three credits; a job takes fifty to begin and brings up to 200,000.
//! So some pages are read first; then the number of records behind them is asked for, and where pages would take more
//! credits, jobs read the module.
//!
//! - Whether the pages of one job's result stand for places or for records is not said: were it places, a deletion would
//!   move records out of sight. So each job reads what was made within a time, which nothing changes, and that has room on
//!   one page; where it has not, queries read on.
//! - Jobs are not ordered, and whether they can ask for ids is not said: a module is read whole, and what the pages before
//!   gave is passed by.
//! - A position knows its job, and the byte of its result at which it goes on; the driver keeps the result meanwhile. A
//!   result is kept for about a day \[unsure\]: a job that is gone is begun anew, one that failed or is refused gives way to
//!   queries, behind the pages before. So does a result of which anything is not what it should be.
//! - Cells are text, so only fields whose types are known are read by jobs: then every value is what a query says.

use handover_connect::{Charge, Fault, FaultKind, Method, Refusal, Reply, Request, Step};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::capabilities::{CALL, DAILY};
use super::coql::{self, PAGE, QUERY, instant};
use super::json::{body, flag_at, items, text_at};
use super::objects::{CREATED, MODIFIED, is_id, is_name};
use super::place::{Job, Next, Place, Rows};
use super::reading::Reading;
use super::rows::{self, Page};
use super::{archive, faults, values};
use crate::jobs;
use crate::marks::{Mark, foreign};

/// When lists are read by jobs, and how much at once.
#[derive(Clone, Copy, Debug)]
pub struct Jobs {
    /// Pages of queries before it is asked how many records there are.
    pub pages: u32,
    /// What a job takes in all, in credits.
    pub credits: u64,
    /// How many records a query can pass by to find one.
    pub reach: u64,
    /// Cells of one job's result, at most: it is kept in memory, packed.
    pub cells: u64,
    /// Rows that become records at once.
    pub part: u64,
}

impl Default for Jobs {
    /// A job is fifty credits to begin (sheet: Zoho section 6 \[unsure\]), one or two to find its end, about six to ask for
    /// its state, and one for its result. Four million cells are 200,000 records of 20 fields; packed some 10 to 30 MB.
    fn default() -> Self {
        Self { pages: 5, credits: 60, reach: 99_999, cells: 4_000_000, part: 5_000 }
    }
}

/// What the beginning of a job takes of the credits (sheet: Zoho section 6 \[unsure\]).
const BEGIN: [Charge; 1] = [Charge::of(DAILY, 50)];
/// Where jobs are.
const JOBS: &str = "/crm/bulk/v8/read";
/// How long is waited before the state is asked for, in milliseconds; each time twice as long, up to the second one.
const WAIT_MS: (u64, u64) = (5_000, 60_000);
/// How often the state is asked for: about an hour. What takes longer is read by queries meanwhile.
const MOST_ASKED: u32 = 64;
/// How many jobs that are gone are begun anew.
const MOST_LOST: u32 = 2;

impl Jobs {
    /// How many records a query passes by to find the end of a job, and how often.
    fn hops(self, columns: usize) -> (u64, u32) {
        let rows = (self.cells / u64::try_from(columns).unwrap_or(u64::MAX).max(1)).max(1);
        let hops = if rows >= self.reach.saturating_mul(2) { 2 } else { 1 };
        (rows.min(self.reach), hops)
    }

    /// Whether jobs take less than queries for so many records behind the pages before.
    fn pay(self, reading: &Reading<'_>, columns: usize, behind: u64) -> bool {
        let page = u64::from(PAGE);
        let parts = u64::try_from(reading.parts().len()).unwrap_or(1);
        let queries = behind.div_ceil(page).saturating_mul(parts * u64::from(QUERY[0].amount));
        let (hop, hops) = self.hops(columns);
        let all = behind.saturating_add(page * u64::from(self.pages));
        all.div_ceil(hop * u64::from(hops)).saturating_mul(self.credits) < queries
    }
}

/// Where a list goes on behind a page: perhaps by jobs, where it had some pages already.
pub(super) fn perhaps(reading: &Reading<'_>, rows: Rows, when: Jobs) -> Place {
    if rows.more && rows.pages == when.pages && reading.columns_of_job().is_some() {
        return Place::Job(Job { first: rows, ..Job::default() });
    }
    Place::Rows(rows)
}

/// Where a list goes on that is here. By queries where what jobs need is not known any more.
pub(super) fn here(reading: &Reading<'_>, place: Option<Place>) -> Option<Place> {
    match place {
        Some(Place::Job(job)) if reading.columns_of_job().is_none() => Some(Place::Rows(job.first)),
        place => place,
    }
}

/// The next request.
pub(super) fn request(
    reading: &Reading<'_>,
    job: &Job,
    since: Option<Timestamp>,
    when: Jobs,
) -> Result<Request, Refusal> {
    let name = reading.object.name;
    let columns = reading.columns_of_job().ok_or_else(foreign)?;
    if let Some(odd) = columns.iter().find(|name| !is_name(name)) {
        return Err(Refusal::unsupported(format!("`{odd}` is no name that Zoho could have")));
    }
    let changed = since.map(|since| coql::since(MODIFIED, since));
    Ok(match job.next {
        Next::Count => {
            let conditions: Vec<String> = changed.into_iter().collect();
            coql::count(name, job.first.after.as_deref(), &conditions)
        }
        Next::Bound => {
            let made = job.until.or(job.from).map(|from| coql::since(CREATED, from));
            let conditions: Vec<String> = made.into_iter().chain(changed).collect();
            coql::time_behind(name, CREATED, &conditions, when.hops(columns.len()).0)
        }
        Next::Begin => {
            let of = |field: &str, comparator: &str, at: Option<Timestamp>| {
                at.map(|at| json!({ "field": { "api_name": field }, "comparator": comparator, "value": instant(at) }))
            };
            let conditions = [
                of(CREATED, "greater_equal", job.from),
                of(CREATED, "less_than", job.until),
                of(MODIFIED, "greater_equal", since),
            ];
            let conditions: Vec<Json> = conditions.into_iter().flatten().collect();
            let mut query = json!({ "module": { "api_name": name }, "fields": columns, "page": 1 });
            if !conditions.is_empty() {
                query["criteria"] = json!({ "group_operator": "and", "group": conditions });
            }
            // One more job of which nobody reads the result does no harm.
            let request = Request::new(Method::Post, JOBS, &BEGIN).idempotent();
            request.with_json(json!({ "query": query }).to_string().into_bytes())
        }
        Next::Ask => Request::new(Method::Get, format!("{JOBS}/{}", job.id), &CALL),
        Next::Result => Request::new(Method::Get, format!("{JOBS}/{}/result", job.id), &CALL),
    })
}

/// What a reply means.
pub(super) fn told(reading: &Reading<'_>, job: Job, reply: &Reply, when: Jobs) -> Result<Step, Fault> {
    if let Err(fault) = faults::check(reply) {
        return without(job, fault);
    }
    let Some(columns) = reading.columns_of_job() else { return Err(foreign().into()) };
    match job.next {
        Next::Count => match rows::count(reply) {
            Ok(behind) if when.pay(reading, columns.len(), behind) => {
                Ok(Place::Job(Job { next: Next::Bound, ..job }).then())
            }
            Ok(_) => Ok(Place::Rows(job.first).then()),
            Err(fault) => Ok(Place::Rows(job.first).instead_of(fault)),
        },
        Next::Bound => bounded(job, reply, when.hops(columns.len()).1),
        Next::Begin => begun(job, reply),
        Next::Ask => asked(job, &body(reply)?),
        Next::Result => result(reading, job, reply, when),
    }
}

/// When the records of the job after this one were made.
fn bounded(job: Job, reply: &Reply, hops: u32) -> Result<Step, Fault> {
    let page = Page::of(reply)?;
    let Some(row) = page.data.first() else {
        // The last job reads whatever is made until it begins.
        return Ok(Place::Job(Job { next: Next::Begin, until: None, ..job }).then());
    };
    let until = rows::text(row, CREATED).and_then(|text| values::read_instant(&text));
    let Some(until) = until else { return without(job, no("job_bound", "the answer tells no time")) };
    if job.until.or(job.from).is_some_and(|from| until <= from) {
        return without(job, no("job_large", "more records were made in one second than a job may have"));
    }
    let hops_done = job.hops + 1;
    let next = if hops_done < hops { Next::Bound } else { Next::Begin };
    Ok(Place::Job(Job { next, until: Some(until), hops: hops_done, ..job }).then())
}

/// The new job's id.
fn begun(job: Job, reply: &Reply) -> Result<Step, Fault> {
    let told = body(reply)?;
    let told = items(&told, "data").first().unwrap_or(&Json::Null);
    if text_at(told, "status") == Some("error") {
        let fault = faults::of_row(told);
        return without(job, fault.unwrap_or_else(|| no("job_state", "the job was neither begun nor refused")));
    }
    let id = told.get("details").and_then(|details| text_at(details, "id")).filter(|id| is_id(id));
    // It is not asked for again: each job takes credits.
    let Some(id) = id.map(str::to_owned) else { return without(job, no("job_state", "the job has no id")) };
    // Nothing was read yet, but the position is to be kept: whoever goes on here finds the job.
    let next = Place::Job(Job { next: Next::Ask, id, ..job }).cursor();
    Ok(Step::Page { records: Vec::new(), next: Some(next) })
}

/// What the job's state means.
fn asked(job: Job, told: &Json) -> Result<Step, Fault> {
    let told = items(told, "data").first().unwrap_or(&Json::Null);
    // Words are parted by a space, or not at all (sheet: Zoho section 5 [unsure]).
    let state = text_at(told, "state").unwrap_or_default().replace([' ', '_'], "");
    match state.as_str() {
        "COMPLETED" => {
            let result = told.get("result").unwrap_or(&Json::Null);
            let rows = result.get("count").and_then(Json::as_u64);
            let Some(rows) = rows else {
                return without(job, no("job_state", "the job does not say how many rows it has"));
            };
            if flag_at(result, "more_records") {
                return without(job, no("job_large", "the job has more records than its result"));
            }
            Ok(Place::Job(Job { next: Next::Result, rows, ..job }).then())
        }
        "ADDED" | "QUEUED" | "INPROGRESS" if job.asked < MOST_ASKED => {
            let (first, most) = WAIT_MS;
            let wait_ms = jobs::wait_ms(first, most, job.asked);
            Ok(Place::Job(Job { asked: job.asked + 1, ..job }).after(wait_ms))
        }
        "ADDED" | "QUEUED" | "INPROGRESS" => {
            without(job, no("job_takes_long", "the job that reads the list is not done after an hour"))
        }
        "FAILURE" | "FAILED" => without(job, no("job_failed", "the job that reads the list failed")),
        _ => without(job, no("job_state", "the job that reads the list is in a state that is not known")),
    }
}

/// Why there is no job, or none of use.
fn no(code: &str, why: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Unsupported, code, why)
}

/// Going on without this job: with another one where it is gone, else by queries. What is no matter of the job fails.
fn without(job: Job, mut fault: Fault) -> Result<Step, Fault> {
    if jobs::passes(&fault) {
        return Err(fault);
    }
    if fault.kind == FaultKind::NotFound && !job.id.is_empty() && job.lost < MOST_LOST {
        let (from, until, lost) = (job.from, job.until, job.lost + 1);
        let anew = Job { next: Next::Begin, from, until, lost, first: job.first, ..Job::default() };
        return Ok(Place::Job(anew).instead_of(fault));
    }
    if fault.code == "OAUTH_SCOPE_MISMATCH" {
        fault.message =
            "the grant lacks the scope ZohoCRM.bulk.READ, with which large lists take fewer credits".to_owned();
    }
    Ok(Place::Rows(job.first).instead_of(fault))
}

/// A part of the result; behind the last one the next job.
fn result(reading: &Reading<'_>, job: Job, reply: &Reply, when: Jobs) -> Result<Step, Fault> {
    let after = job.first.after.as_deref().and_then(|after| after.parse::<u64>().ok());
    let mut records = Vec::new();
    let part = archive::read(&reply.body, job.at, when.part, |line| {
        let given = line.cell("id").and_then(|id| id.parse::<u64>().ok()).is_some_and(|id| Some(id) <= after);
        if !given {
            records.extend(reading.record_of(line)?);
        }
        Ok(())
    });
    let part = match part {
        Ok(part) => part,
        Err(why) => return without(job, no("job_result", why)),
    };
    let read = job.read + part.rows;
    if let Some(at) = part.rest {
        return Ok(Step::Part { records, rest: Place::Job(Job { at, read, ..job }).cursor() });
    }
    if read != job.rows {
        return without(job, no("job_result", "the job's result has another number of rows than the job told"));
    }
    let next = job.until.map(|until| {
        let next = Job { next: Next::Bound, from: Some(until), first: job.first, ..Job::default() };
        Place::Job(next).cursor()
    });
    Ok(Step::Page { records, next })
}

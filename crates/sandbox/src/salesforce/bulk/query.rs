//! Jobs that query: the result is kept as it was when the job was worked on.

use serde_json::{Value as Json, json};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use csv::QuoteStyle;

use super::{Job, State, close, form, wrong_state};
use crate::salesforce::call::Call;
use crate::salesforce::instant::{self, Seconds};
use crate::salesforce::query;
use crate::salesforce::refusal::{Answer, Fault};
use crate::salesforce::schema::Kind;
use crate::salesforce::soql::{self, Output, Plan, Route, Scope};
use crate::salesforce::world::World;
use crate::{Reply, csv_text};

/// Rows of a page of results when the client does not say.
const PAGE: usize = 50_000;

/// `POST /jobs/query`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.map()?;
    let text = |key: &str| body.get(key).and_then(Json::as_str).unwrap_or("").to_owned();
    let operation = text("operation");
    if !["query", "queryAll"].contains(&operation.as_str()) {
        return Err(Fault::new("INVALIDOPERATION", format!("{operation} is no operation")));
    }
    let statement = text("query");
    let plan = query::plan(world, &statement)?;
    columns(&plan)?;
    let shape = form(&body)?;
    let mut job = Job::new(world, call, &operation, &plan.object, shape);
    job.query = Some(statement);
    close(world, &mut job, String::new(), call.at);
    let info = job.info(call.at, false);
    world.jobs.all.insert(job.id.clone(), job);
    Ok(Reply::json(200, &info))
}

/// The columns, or why the query is none for a bulk job (sheet: section 4 \[doc\]).
fn columns(plan: &Plan) -> Result<Vec<&Route>, Fault> {
    let refuse = |what: &str| Err(Fault::new("API_ERROR", format!("{what} not supported in bulk queries")));
    if plan.aggregates() || plan.count {
        return refuse("GROUP BY and aggregates are");
    }
    if plan.offset > 0 {
        return refuse("OFFSET is");
    }
    let mut routes = Vec::new();
    for output in &plan.outputs {
        match output {
            Output::Field(route) => {
                if route.field().is_some_and(|field| matches!(field.kind, Kind::Address | Kind::Base64)) {
                    return refuse("Compound and base64 fields are");
                }
                routes.push(route);
            }
            Output::TypeOf { .. } => return refuse("TYPEOF is"),
            _ => return refuse("Child subqueries are"),
        }
    }
    Ok(routes)
}

/// Reads the rows.
pub(super) fn work(world: &World, job: &mut Job, at: Seconds) {
    let statement = job.query.clone().unwrap_or_default();
    let plan = query::plan(world, &statement);
    let routes = plan.as_ref().map_err(Clone::clone).and_then(columns);
    let (Ok(plan), Ok(routes)) = (&plan, routes) else {
        job.state = State::Failed;
        job.message = plan.err().map(|fault| format!("{}: {}", fault.code, fault.message));
        return;
    };
    let scope = Scope { all: job.operation == "queryAll", now: at, version: job.version };
    job.header = routes.iter().map(|route| route.text()).collect();
    job.lines = soql::ids(world, plan, scope)
        .iter()
        .filter_map(|id| world.get(&plan.object, id))
        .map(|record| {
            let cells = routes.iter().map(|route| shown(&soql::cell(world, &plan.object, record, route, scope), route));
            csv_text::line(cells, job.delimiter, QuoteStyle::Always)
        })
        .collect();
    if world.settings.bulk_shuffle && plan.order.is_empty() {
        // Without an order there is none: parts of a large job end as they come.
        let key = |line: &String| *blake3::hash(format!("{}{line}", job.id).as_bytes()).as_bytes();
        job.lines.sort_by_cached_key(key);
    }
    job.state = State::JobComplete;
    job.data = None;
}

/// Null is empty, times end with `Z` (sheet: section 4 \[doc\]).
fn shown(value: &Json, route: &Route) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) if route.field().is_some_and(|field| field.kind == Kind::Datetime) => {
            instant::bulk_stamp(text)
        }
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `GET .../results?locator=&maxRecords=`.
pub(super) fn results(call: &Call<'_>, job: &Job) -> Answer {
    if call.version != job.version {
        let message = "The API version of the request must be the one of the job";
        return Err(Fault::new("API_ERROR", message).with_status(409));
    }
    if job.state != State::JobComplete {
        return Err(wrong_state("The job is not complete"));
    }
    let bad = || Fault::new("INVALID_QUERY_LOCATOR", "invalid locator");
    let from = match call.request.param("locator") {
        None | Some("") => 0,
        Some(locator) => read_locator(locator).filter(|from| *from < job.lines.len()).ok_or_else(bad)?,
    };
    let wanted = call.request.param("maxRecords").map(|wanted| wanted.parse::<usize>());
    let most = match wanted {
        None => PAGE,
        Some(Ok(most)) if most > 0 => most.min(PAGE),
        Some(_) => return Err(Fault::new("API_ERROR", "maxRecords must be a positive number")),
    };
    let end = if job.crlf { "\r\n" } else { "\n" };
    let mut text = csv_text::line(&job.header, job.delimiter, QuoteStyle::Always);
    text.push_str(end);
    let page: Vec<&String> = job.lines.iter().skip(from).take(most).collect();
    for line in &page {
        text.push_str(line);
        text.push_str(end);
    }
    let after = from + page.len();
    let locator = if after < job.lines.len() { locator(after) } else { "null".to_owned() };
    let reply = Reply {
        status: 200,
        headers: vec![("content-type".to_owned(), "text/csv".to_owned())],
        body: text.into_bytes(),
    };
    Ok(reply.with_header("sforce-locator", locator).with_header("sforce-numberofrecords", page.len().to_string()))
}

/// `GET .../resultPages`: up to five pages that may be read side by side.
pub(super) fn pages(call: &Call<'_>, job: &Job) -> Answer {
    if job.state != State::JobComplete {
        return Err(wrong_state("The job is not complete"));
    }
    let from = call.request.param("locator").and_then(read_locator).unwrap_or(0);
    let starts: Vec<usize> = (from..job.lines.len().max(from + 1)).step_by(PAGE).take(6).collect();
    let base = call.url(&format!("jobs/query/{}", job.id));
    let pages: Vec<Json> = starts
        .iter()
        .take(5)
        .map(|start| match start {
            0 => json!({"resultUrl": format!("{base}/results")}),
            start => json!({"resultUrl": format!("{base}/results?locator={}", locator(*start))}),
        })
        .collect();
    let more = starts.get(5).map(|start| format!("{base}/resultPages?locator={}", locator(*start)));
    Ok(Reply::json(200, &json!({"resultPages": pages, "nextRecordsUrl": more, "done": more.is_none()})))
}

fn locator(from: usize) -> String {
    STANDARD_NO_PAD.encode(from.to_string())
}

fn read_locator(locator: &str) -> Option<usize> {
    let bytes = STANDARD_NO_PAD.decode(locator.trim_end_matches('=')).ok()?;
    String::from_utf8(bytes).ok()?.parse().ok()
}

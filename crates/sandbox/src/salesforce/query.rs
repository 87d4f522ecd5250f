//! Queries, their pages and their locators (sheet: section 4).

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::call::Call;
use super::instant::Seconds;
use super::refusal::{Answer, Fault};
use super::soql::{self, Plan, Scope};
use super::world::World;
use super::{Salesforce, id};
use crate::Reply;

/// How long a locator lives (sheet: section 4).
const LOCATOR_S: Seconds = 2 * 86_400;

/// How many locators are kept; the oldest give way.
const LOCATORS: usize = 50;

/// The longest text of a query (sheet: section 4 \[unsure\]).
const LONGEST: usize = 100_000;

/// A result that was not given whole: its ids are a snapshot, its rows are read when a page is.
#[derive(Debug)]
struct Cursor {
    plan: Plan,
    scope: Scope,
    ids: Vec<String>,
    rows: usize,
    at: Seconds,
}

/// The open results by number.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    open: BTreeMap<u64, Cursor>,
    drawn: u64,
}

/// Reads and judges a query.
pub(super) fn plan(world: &World, text: &str) -> Result<Plan, Fault> {
    if text.len() > LONGEST {
        return Err(Fault::new("QUERY_TOO_COMPLICATED", "The query is too long"));
    }
    soql::check(&world.schema, text, &soql::query(text)?, world.settings.link_filter)
}

/// `GET /query?q=`, `GET /queryAll?q=`, `GET /query/01g...-2000`.
pub(super) fn answer(org: &mut Salesforce, call: &Call<'_>, locator: Option<&str>, all: bool) -> Answer {
    if call.method() != "GET" {
        return Err(call.not_allowed("HEAD,GET"));
    }
    if let Some(locator) = locator {
        return next(org, call, locator);
    }
    let Some(text) = call.request.param("q") else {
        return Err(Fault::new("MALFORMED_QUERY", "A query string has to be specified"));
    };
    let plan = plan(&org.world, text)?;
    let scope = call.scope(all);
    let ids = soql::ids(&org.world, &plan, scope);
    if plan.count {
        return Ok(Reply::json(200, &json!({"totalSize": ids.len(), "done": true, "records": []})));
    }
    if plan.aggregates() {
        let rows = soql::groups(&org.world, &plan, &ids, scope);
        return Ok(Reply::json(200, &json!({"totalSize": rows.len(), "done": true, "records": rows})));
    }
    let rows = page_rows(call.request.header("sforce-query-options"), org.world.settings.page_rows);
    let cursor = Cursor { plan, scope, ids, rows, at: call.at };
    let mut body = page(&org.world, &cursor, 0);
    if cursor.ids.len() > rows {
        let number = org.cursors.keep(cursor);
        body["nextRecordsUrl"] = json!(next_url(call, all, number, rows));
    }
    Ok(Reply::json(200, &body))
}

/// `batchSize=200..2000`, a hint.
fn page_rows(options: Option<&str>, most: usize) -> usize {
    let wanted = options
        .unwrap_or("")
        .split([',', ';'])
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("batchSize"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok());
    wanted.map_or(2_000, |wanted| wanted.clamp(200, 2_000)).min(most.max(1))
}

fn page(world: &World, cursor: &Cursor, from: usize) -> Json {
    let ids = cursor.ids.iter().skip(from).take(cursor.rows);
    let rows: Vec<Json> = ids
        .filter_map(|id| world.get(&cursor.plan.object, id))
        .map(|record| soql::row(world, &cursor.plan, record, cursor.scope))
        .collect();
    json!({"totalSize": cursor.ids.len(), "done": from + cursor.rows >= cursor.ids.len(), "records": rows})
}

fn next_url(call: &Call<'_>, all: bool, number: u64, from: usize) -> String {
    let resource = if all { "queryAll" } else { "query" };
    call.url(&format!("{resource}/{}-{from}", id::mint("01g", number)))
}

fn next(org: &mut Salesforce, call: &Call<'_>, locator: &str) -> Answer {
    let dead = || Fault::new("INVALID_QUERY_LOCATOR", "invalid query locator");
    let (name, from) = locator.rsplit_once('-').ok_or_else(dead)?;
    let from: usize = from.parse().map_err(|_| dead())?;
    let found = org.cursors.open.iter().find(|(number, _)| id::mint("01g", **number) == name);
    let (number, cursor) = found.ok_or_else(dead)?;
    if call.at - cursor.at > LOCATOR_S || from >= cursor.ids.len() {
        return Err(dead());
    }
    let mut body = page(&org.world, cursor, from);
    let after = from + cursor.rows;
    if after < cursor.ids.len() {
        body["nextRecordsUrl"] = json!(next_url(call, cursor.scope.all, *number, after));
    }
    Ok(Reply::json(200, &body))
}

impl Cursors {
    fn keep(&mut self, cursor: Cursor) -> u64 {
        self.drawn += 1;
        self.open.insert(self.drawn, cursor);
        while self.open.len() > LOCATORS {
            self.open.pop_first();
        }
        self.drawn
    }
}

//! Records by queries, and by their ids (sheet: Zoho section 4).
//!
//! A request names at most fifty fields. Of wider records the further fields are read for the same ids, and a record
//! that is not among them any more went away meanwhile.

use std::collections::HashMap;

use handover_connect::{Fault, Method, Operation, Refusal, Reply, Request, Step, WriteBatch, WriteMode};
use handover_model::{FieldName, RecordId};
use jiff::{SignedDuration, Timestamp};

use super::capabilities::{BY_IDS, CALL};
use super::jobs::Jobs;
use super::objects::{Family, MODIFIED, is_name};
use super::place::{Place, Rows};
use super::reading::Reading;
use super::rows::{self, Page, Row};
use super::{coql, jobs, links, values};
use crate::marks::{Mark, foreign};

/// How much older than its write a candidate may claim to be: the organization's clock is not ours.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(1);

/// What is read.
enum Source {
    /// By queries with these conditions, one after the other.
    Queries(Vec<Vec<String>>),
    /// By ids.
    Ids(Vec<u64>),
}

fn source(operation: &Operation) -> Result<Source, Refusal> {
    match operation {
        Operation::List(read) => {
            let since = read.since.map(|since| coql::since(MODIFIED, since));
            Ok(Source::Queries(vec![since.into_iter().collect()]))
        }
        Operation::Fetch { ids, .. } => by_ids(ids.iter()),
        Operation::Candidates { batch, since, .. } => candidates(batch, *since),
        _ => Err(Refusal::unsupported("it reads no rows")),
    }
}

/// What has not the form of an id is no record's.
fn by_ids<'i>(ids: impl ExactSizeIterator<Item = &'i RecordId>) -> Result<Source, Refusal> {
    if ids.len() > most() {
        return Err(Refusal::unsupported(format!("{BY_IDS} ids fit into a request, not {}", ids.len())));
    }
    let ids: Vec<u64> = ids.filter_map(|id| id.as_str().parse().ok()).collect();
    // A request is sent in any case: for nobody.
    Ok(Source::Ids(if ids.is_empty() { vec![0] } else { ids }))
}

fn most() -> usize {
    usize::try_from(BY_IDS).unwrap_or(usize::MAX)
}

/// Where the records of a batch whose answer was lost are looked for: by the key, else among all that were made since.
fn candidates(batch: &WriteBatch, since: Timestamp) -> Result<Source, Refusal> {
    let key = match &batch.mode {
        WriteMode::Update => {
            let ids: Vec<&RecordId> = batch.writes.iter().filter_map(|write| write.id.as_ref()).collect();
            return by_ids(ids.into_iter());
        }
        WriteMode::Create { key } => key.as_ref(),
        WriteMode::Upsert { key } => Some(key),
    };
    let by_key = match key {
        Some(key) => conditions(batch, key)?,
        None => None,
    };
    Ok(Source::Queries(by_key.unwrap_or_else(|| vec![vec![coql::since("Created_Time", made_since(since))]])))
}

/// From when on records are candidates.
pub(super) fn made_since(since: Timestamp) -> Timestamp {
    since.checked_sub(CLOCKS_APART).unwrap_or(since)
}

/// Conditions for the keys of a batch; `None` where a write has none, or one that cannot stand in a query.
fn conditions(batch: &WriteBatch, key: &FieldName) -> Result<Option<Vec<Vec<String>>>, Refusal> {
    if !is_name(key.as_str()) {
        return Err(Refusal::unsupported(format!("`{key}` is no name that Zoho could have")).with_field(key.clone()));
    }
    let keys = batch.writes.iter().map(|write| write.fields.get(key.as_str()).filter(|value| !value.is_blank()));
    let Some(keys) = keys.map(|key| key.map(values::plain)).collect::<Option<Vec<String>>>() else { return Ok(None) };
    let all = coql::ones_of(key.as_str(), &keys);
    Ok(all.map(|all| all.into_iter().map(|one| vec![one]).collect()))
}

/// The rows at the beginning of an operation, or where it is.
fn rows_at(operation: &Operation, place: Option<Place>) -> Result<Rows, Refusal> {
    match (place, source(operation)?) {
        (None, Source::Ids(ids)) => Ok(Rows { ids, ..Rows::default() }),
        (place, _) => Rows::of(place),
    }
}

/// The next request.
pub(super) fn request(operation: &Operation, reading: &Reading<'_>, place: Option<Place>) -> Result<Request, Refusal> {
    let rows = rows_at(operation, place)?;
    let parts = reading.parts();
    let columns = parts.get(rows.part).ok_or_else(foreign)?;
    if let Some(odd) = columns.iter().find(|name| !is_name(name.trim_start_matches('$'))) {
        return Err(Refusal::unsupported(format!("`{odd}` is no name that Zoho could have")));
    }
    if !rows.ids.is_empty() {
        let ids: Vec<String> = rows.ids.iter().take(most()).map(u64::to_string).collect();
        return Ok(Request::new(Method::Get, reading.object.path(), &CALL)
            .with_query("ids", ids.join(","))
            .with_query("fields", format!("id,{}", columns.join(","))));
    }
    let Source::Queries(queries) = source(operation)? else { return Err(foreign()) };
    let conditions = queries.get(rows.nth).ok_or_else(foreign)?;
    let columns: &[&str] = if reading.object.family == Family::Activity { &[] } else { columns };
    Ok(coql::rows(columns, reading.object.name, conditions, rows.after.as_deref(), rows.last.as_deref()))
}

/// What a reply brings.
pub(super) fn told(
    operation: &Operation,
    reading: &Reading<'_>,
    place: Option<Place>,
    reply: &Reply,
    jobs_when: Jobs,
) -> Result<Step, Fault> {
    let mut rows = rows_at(operation, place).map_err(Fault::from)?;
    let is_by_ids = !rows.ids.is_empty();
    let page = match Page::of(reply) {
        // None of the ids is there (sheet: Zoho section 7 [unsure]).
        Err(fault) if is_by_ids && links::is_gone(&fault) && !fault.message.contains("parameter") => Page::default(),
        page => page?,
    };
    let queries = match source(operation).map_err(Fault::from)? {
        Source::Queries(queries) => queries.len(),
        Source::Ids(_) => 0,
    };
    if !is_by_ids && rows.part == 0 {
        let ids = page.ids()?;
        rows.last = ids.last().map(u64::to_string);
        rows.more = page.info.more_records;
        if reading.object.family == Family::Activity && !ids.is_empty() {
            let after = rows.last.take();
            return Ok(Place::Rows(Rows { ids, after, ..rows }).then());
        }
    }
    let held = std::mem::take(&mut rows.held);
    let held = if rows.part == 0 { page.data } else { with_more(held, page.data)? };
    if rows.part + 1 < reading.parts().len() && !held.is_empty() {
        return Ok(Place::Rows(Rows { part: rows.part + 1, held, ..rows }).then());
    }
    let records = held.iter().map(|row| reading.record(row)).collect::<Result<Vec<_>, _>>()?;
    let next = next(rows, is_by_ids, queries).map(|rows| match operation {
        Operation::List(_) => jobs::perhaps(reading, rows, jobs_when),
        _ => Place::Rows(rows),
    });
    Ok(Step::Page { records, next: next.map(|next| next.cursor()) })
}

/// Where the next page begins.
fn next(mut rows: Rows, is_by_ids: bool, queries: usize) -> Option<Rows> {
    rows.part = 0;
    if is_by_ids {
        rows.ids.drain(..most().min(rows.ids.len()));
        if !rows.ids.is_empty() {
            return Some(rows);
        }
    } else {
        rows.after = rows.last.take().or(rows.after);
        rows.pages = rows.pages.saturating_add(1);
    }
    if rows.more {
        return Some(rows);
    }
    (rows.nth + 1 < queries).then(|| Rows { nth: rows.nth + 1, ..Rows::default() })
}

/// Rows with further fields.
fn with_more(held: Vec<Row>, more: Vec<Row>) -> Result<Vec<Row>, Fault> {
    let mut by_id: HashMap<u64, Row> = HashMap::with_capacity(more.len());
    for row in more {
        by_id.insert(rows::number(&row)?, row);
    }
    let mut all = Vec::with_capacity(held.len());
    for mut row in held {
        if let Some(more) = by_id.remove(&rows::number(&row)?) {
            // The older time of change stays: what changed meanwhile is read again.
            for (name, value) in more {
                row.entry(name).or_insert(value);
            }
            all.push(row);
        }
    }
    Ok(all)
}

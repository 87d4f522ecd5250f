//! The products of deals: the lines from which a deal's value follows.
//!
//! There is no list of all lines: `GET /api/v2/deals/products` tells those of up to 100 deals (vendor's
//! specification), and the lists of deals say in `products_count` which have some (sheet: Pipedrive section 2.1
//! \[code\]). So a list of lines walks the lists of deals and asks for a hundred deals at once.
//!
//! A line is addressed within its deal only, so its id here is `DEAL:LINE`. A merge of deals moves lines to another
//! deal; they are other records then.
//!
//! - What a cursor promises while lines come and go is not documented, so that only lines which fit on one page are
//!   believed: where those of several deals do not, fewer deals are asked at once.
//! - Whether a deal that was deleted on the way fails the call for all is not documented: then each is asked for itself.

use handover_connect::{Cursor, Fault, FaultKind, Method, Read, Refusal, Reply, Request, Step, Which, WriteBatch};
use handover_model::{FieldName, Record, RecordId, Value};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::decode::{next_cursor, rows};
use super::encode::{collection, earliest};
use super::faults;
use super::form::{id_text, instant};
use super::known::Known;
use super::object::{Object, cost, segment};
use super::reader::Reader;
use crate::marks::{self, Mark};

/// Where the lines of several deals are told.
pub(super) const PATH: &str = "/api/v2/deals/products";
/// The count by which lists tell whether a deal has lines.
pub(super) const COUNT: &str = "products_count";
/// Deals that one call covers.
const DEALS: usize = 100;

/// The deal and the line of an id.
pub(super) fn split(id: &str) -> (&str, &str) {
    // Without a deal there is no such line, which the API says itself.
    id.split_once(':').unwrap_or(("0", id))
}

/// The path of a deal's lines.
pub(super) fn path_in(deal: &str) -> String {
    format!("/api/v2/deals/{}/products", segment(deal))
}

/// The id of a line that a deal's answer told.
pub(super) fn id_in(deal: &str, line: &str) -> RecordId {
    format!("{deal}:{line}").into()
}

/// Deals whose lines are still to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Queue {
    deals: Vec<String>,
    /// The next page of the first of them, which has more lines than a page.
    cursor: Option<String>,
    /// How many are asked at once, when it is not as many as may be.
    most: Option<usize>,
}

/// A list of lines in the middle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Walk {
    /// Archived deals are in a list of their own, which comes second (sheet: section 4 \[spec\]).
    archived: bool,
    /// The page of deals that comes next.
    cursor: Option<String>,
    /// Whether there is none.
    ended: bool,
    queue: Queue,
}

impl Queue {
    fn of<'d>(deals: impl Iterator<Item = &'d str>) -> Self {
        let mut queue = Self::default();
        for deal in deals {
            if !queue.deals.iter().any(|have| have == deal) {
                queue.deals.push(deal.to_owned());
            }
        }
        queue
    }

    /// The deals of the next call.
    fn asked(&self) -> &[String] {
        let most = self.most.unwrap_or(DEALS).min(self.deals.len());
        self.deals.get(..most).unwrap_or_default()
    }

    fn request(&self) -> Option<Request> {
        let deals = self.asked();
        let request = Request::new(Method::Get, PATH, &cost(Object::DealProducts.list_cost()))
            .with_query("deal_ids", deals.join(","))
            .with_query("limit", Object::DealProducts.page().to_string());
        (!deals.is_empty()).then(|| match &self.cursor {
            Some(cursor) => request.with_query("cursor", cursor),
            None => request,
        })
    }

    /// Takes the answer: the lines that it tells, and what is left to ask.
    fn take(&mut self, reader: &Reader, reply: &Reply) -> Result<Vec<Record>, Fault> {
        let asked = self.asked().len();
        let body = match faults::check(reply) {
            Ok(body) => body,
            Err(fault) if fault.kind == FaultKind::NotFound && asked > 1 => {
                self.most = Some(1);
                return Ok(Vec::new());
            }
            Err(fault) if fault.kind == FaultKind::NotFound => {
                self.deals.drain(..asked);
                (self.cursor, self.most) = (None, None);
                return Ok(Vec::new());
            }
            Err(fault) => return Err(fault),
        };
        let next = next_cursor(&body);
        if next.is_some() && asked > 1 {
            self.most = Some(asked / 2);
            return Ok(Vec::new());
        }
        let records = rows(&body).iter().map(|row| record(reader, row)).collect::<Result<_, _>>()?;
        self.cursor = next;
        if self.cursor.is_none() {
            self.deals.drain(..asked);
        }
        Ok(records)
    }
}

/// A line as a record.
fn record(reader: &Reader, row: &Json) -> Result<Record, Fault> {
    let end = |name: &str| {
        row.get(name).and_then(id_text).ok_or_else(|| Fault::malformed(format!("a line without `{name}`")))
    };
    let id = id_in(&end("deal_id")?, &end("id")?);
    let mut row = row.clone();
    row["id"] = json!(id.as_str());
    reader.record(&row)
}

/// The request for a page of deals that may have lines, or for the lines of some.
pub(super) fn list(read: &Read, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    if read.which == Which::Deleted {
        return Err(Refusal::unsupported("Pipedrive does not list what was taken from deals"));
    }
    if read.since.is_some() {
        return Err(Refusal::unsupported("the products of deals have no filter by time: they are read whole"));
    }
    let walk = marks::of::<Walk>(cursor)?.unwrap_or_default();
    if let Some(request) = walk.queue.request() {
        return Ok(request);
    }
    let (path, tokens) = collection(Object::Deals, walk.archived);
    let request = Request::new(Method::Get, path, &cost(tokens))
        .with_query("limit", Object::Deals.page().to_string())
        .with_query("include_fields", COUNT)
        .with_query("sort_by", "id");
    Ok(match walk.cursor {
        Some(cursor) => request.with_query("cursor", cursor),
        None => request,
    })
}

/// What the answer to it means.
pub(super) fn listed(known: &Known, read: &Read, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let mut walk: Walk = marks::sent(cursor)?.unwrap_or_default();
    if walk.queue.deals.is_empty() {
        let body = faults::check(reply)?;
        // A deal that does not tell its count is asked.
        let has_lines = |row: &&Json| row.get(COUNT).and_then(Json::as_u64) != Some(0);
        walk.queue.deals =
            rows(&body).iter().filter(has_lines).filter_map(|row| row.get("id").and_then(id_text)).collect();
        walk.cursor = next_cursor(&body);
        walk.ended = walk.cursor.is_none();
        return Ok(match walk.settled() {
            Some(walk) => walk.then(),
            None => Step::Page { records: Vec::new(), next: None },
        });
    }
    let records = walk.queue.take(&Reader::new(known, Object::DealProducts, &read.fields)?, reply)?;
    Ok(Step::Page { records, next: walk.settled().map(|walk| walk.cursor()) })
}

impl Walk {
    /// The next thing to ask, if there is one.
    fn settled(self) -> Option<Self> {
        match self {
            walk if !walk.queue.deals.is_empty() || !walk.ended => Some(walk),
            Self { archived: false, .. } => Some(Self { archived: true, ..Self::default() }),
            Self { .. } => None,
        }
    }
}

/// The request for lines by their ids.
pub(super) fn fetch(ids: &[RecordId], cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    if ids.len() > DEALS {
        return Err(Refusal::unsupported("products of deals are read a hundred at a time"));
    }
    let queue = match marks::of::<Queue>(cursor)? {
        Some(queue) => queue,
        None => of_ids(ids),
    };
    queue.request().ok_or_else(|| Refusal::unsupported("there is nothing to read"))
}

fn of_ids(ids: &[RecordId]) -> Queue {
    Queue::of(ids.iter().map(|id| split(id.as_str()).0))
}

/// The lines of these ids that are there.
pub(super) fn fetched(
    known: &Known,
    wanted: &[FieldName],
    ids: &[RecordId],
    cursor: Option<&Cursor>,
    reply: &Reply,
) -> Result<Step, Fault> {
    let queue = marks::sent::<Queue>(cursor)?.unwrap_or_else(|| of_ids(ids));
    page(queue, &Reader::new(known, Object::DealProducts, wanted)?, reply, |record| ids.contains(&record.id))
}

fn page(mut queue: Queue, reader: &Reader, reply: &Reply, is_meant: impl Fn(&Record) -> bool) -> Result<Step, Fault> {
    let mut records = queue.take(reader, reply)?;
    records.retain(is_meant);
    let next = (!queue.deals.is_empty()).then(|| queue.cursor());
    Ok(Step::Page { records, next })
}

/// The deals in which the lines of a batch are looked for: the lists themselves, no index.
fn of_batch(batch: &WriteBatch) -> Queue {
    Queue::of(batch.writes.iter().filter_map(|write| match &write.id {
        Some(id) => Some(split(id.as_str()).0),
        None => write.fields.get("deal_id")?.ids().first().copied(),
    }))
}

/// The request for what may have come of writes whose answers were lost.
pub(super) fn candidates(batch: &WriteBatch, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    let queue = match marks::of::<Queue>(cursor)? {
        Some(queue) => queue,
        None => of_batch(batch),
    };
    queue.request().ok_or_else(|| Refusal::unsupported("there is nothing to look up"))
}

/// The lines of those deals: for updates the records themselves, for creations those made since.
pub(super) fn candidates_told(
    known: &Known,
    batch: &WriteBatch,
    wanted: &[FieldName],
    since: Timestamp,
    cursor: Option<&Cursor>,
    reply: &Reply,
) -> Result<Step, Fault> {
    let queue = marks::sent::<Queue>(cursor)?.unwrap_or_else(|| of_batch(batch));
    let reader = Reader::new(known, Object::DealProducts, &with_added(wanted))?;
    let is_meant = |record: &Record| {
        let is_named = batch.writes.iter().any(|write| write.id.as_ref() == Some(&record.id));
        let added = match record.fields.get("add_time") {
            Some(Value::DateTime(at)) => Some(*at),
            Some(Value::Text(text)) => instant(text),
            _ => None,
        };
        is_named
            || batch.writes.iter().any(|write| write.id.is_none()) && added.is_none_or(|added| added >= earliest(since))
    };
    page(queue, &reader, reply, is_meant)
}

/// The wanted fields, and when a line was made.
fn with_added(wanted: &[FieldName]) -> Vec<FieldName> {
    let mut fields = wanted.to_vec();
    if !fields.iter().any(|name| *name == "add_time") {
        fields.push(FieldName::from("add_time"));
    }
    fields
}

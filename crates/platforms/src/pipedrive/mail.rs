//! Synced e-mail, read through the deals and persons that have some.
//!
//! There is no list of all messages: each deal and each person tells its own (`GET /v1/deals/{id}/mailMessages`,
//! sheet: Pipedrive section 2.1 \[code\]). The lists of deals, archived deals and persons say in
//! `email_messages_count` where a call is worth making; its price is not documented, so v1's for a list, 20
//! tokens, is assumed \[unsure\]. Deals come first: only they tell which deal a message belongs to, the
//! persons stand among its parties. A message that hangs on several records comes with each of them, and the
//! first copy is the whole one; [`Connector::page`](handover_connect::Connector::page) leaves the others to
//! its caller.
//!
//! A list brings the beginning of the text only. The text itself is a field that is read message by message
//! (`GET /v1/mailbox/mailMessages/{id}?include_body=1`, 2 tokens \[doc\]; that the answer calls it `body` is
//! \[unsure\], and an answer without it is refused rather than taken for an empty message).
//!
//! Nothing is written: the API takes no e-mail (section 2.1 \[spec\]).

use handover_connect::{Cursor, Fault, FaultKind, Method, Read, Refusal, Reply, Request, Step, Which};
use handover_model::{FieldName, Fields, Record, RecordId, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::faults;
use super::form::id_text;
use super::known::Known;
use super::link::next_start;
use super::object::{Object, cost, segment};
use super::reader::Reader;
use crate::marks::{self, Mark};

/// The text of a message.
pub(super) const BODY: &str = "body";
/// Whether a message has a text.
pub(super) const HAS_BODY: &str = "has_body_flag";
/// The count by which lists tell whether a record has mail.
const COUNT: &str = "email_messages_count";
/// Whose mail is read, in this order.
pub(super) const PARENTS: &[&str] = &["deals", "persons"];

/// The lists to walk, in order. Archived deals are in no other list (sheet: section 4 \[spec\]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Walk {
    #[default]
    Deals,
    ArchivedDeals,
    Persons,
}

impl Walk {
    fn next(self) -> Option<Self> {
        match self {
            Self::Deals => Some(Self::ArchivedDeals),
            Self::ArchivedDeals => Some(Self::Persons),
            Self::Persons => None,
        }
    }

    fn object(self) -> Object {
        match self {
            Self::Deals | Self::ArchivedDeals => Object::Deals,
            Self::Persons => Object::Persons,
        }
    }
}

/// The list of messages in the middle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct MailMark {
    walk: Walk,
    /// The page of records that comes next.
    cursor: Option<String>,
    /// Whether there is such a page.
    ended: bool,
    /// Records of the page before whose mail is not read yet.
    queue: Vec<String>,
    /// Where the mail of the first of them goes on.
    start: u64,
    /// Messages of the first of them that were given out, when they take more than one page.
    given: Vec<String>,
}

impl MailMark {
    /// The place after the first record of the queue.
    fn without_first(mut self) -> Self {
        if !self.queue.is_empty() {
            self.queue.remove(0);
        }
        Self { start: 0, given: Vec::new(), ..self }
    }

    /// The next thing to ask, if there is one.
    fn settled(self) -> Option<Self> {
        if !self.queue.is_empty() || !self.ended {
            return Some(self);
        }
        Some(Self { walk: self.walk.next()?, ..Self::default() })
    }
}

/// The request for a page of records that may have mail, or for the mail of one of them.
pub(super) fn list(read: &Read, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    if read.which == Which::Deleted {
        return Err(Refusal::unsupported("Pipedrive does not list deleted e-mails"));
    }
    if read.since.is_some() {
        return Err(Refusal::unsupported("e-mails have no filter by time: they are read whole"));
    }
    let mark = marks::of::<MailMark>(cursor)?.unwrap_or_default();
    let object = mark.walk.object();
    let limit = Object::MailMessages.page().to_string();
    if let Some(id) = mark.queue.first() {
        let path = format!("/v1/{}/{}/mailMessages", object.name(), segment(id));
        return Ok(Request::new(Method::Get, path, &cost(Object::MailMessages.list_cost()))
            .with_query("start", mark.start.to_string())
            .with_query("limit", limit));
    }
    let (path, tokens) = super::encode::collection(object, mark.walk == Walk::ArchivedDeals);
    let request = Request::new(Method::Get, path, &cost(tokens))
        .with_query("limit", limit)
        .with_query("include_fields", COUNT)
        .with_query("sort_by", "id");
    Ok(match mark.cursor {
        Some(cursor) => request.with_query("cursor", cursor),
        None => request,
    })
}

/// What the answer to it means.
pub(super) fn listed(known: &Known, read: &Read, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let mark: MailMark = marks::sent(cursor)?.unwrap_or_default();
    if mark.queue.is_empty() {
        return Ok(on(with_mail(mark, &faults::check(reply)?)));
    }
    let body = match faults::check(reply) {
        Ok(body) => body,
        // The record was deleted since the list told it.
        Err(fault) if fault.kind == FaultKind::NotFound => return Ok(on(mark.without_first())),
        Err(fault) => return Err(fault),
    };
    messages(&Reader::new(known, Object::MailMessages, &read.fields)?, read, mark, &body)
}

fn on(mark: MailMark) -> Step {
    match mark.settled() {
        Some(mark) => mark.then(),
        None => Step::Page { records: Vec::new(), next: None },
    }
}

/// The place at which the mail of a page's records is read, of those that have some. A record that does not
/// tell its count is asked.
fn with_mail(mark: MailMark, body: &Json) -> MailMark {
    let has_mail = |row: &&Json| row.get(COUNT).and_then(Json::as_u64) != Some(0);
    let rows = body.get("data").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let queue = rows.iter().filter(has_mail).filter_map(|row| row.get("id").and_then(id_text)).collect();
    let cursor = body.pointer("/additional_data/next_cursor").and_then(Json::as_str).map(ToOwned::to_owned);
    MailMark { walk: mark.walk, ended: cursor.is_none(), cursor, queue, ..MailMark::default() }
}

/// A page of one record's messages. Every page begins with the last message of the one before; when that one
/// is missing, messages before it were deleted, and the record is read once more from its beginning.
fn messages(reader: &Reader, read: &Read, mut mark: MailMark, body: &Json) -> Result<Step, Fault> {
    let rows = body.get("data").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let deal = mark.queue.first().filter(|_| mark.walk != Walk::Persons).cloned();
    let mut records = Vec::with_capacity(rows.len());
    let mut ids = Vec::with_capacity(rows.len());
    for row in rows {
        let message = row.get("data").unwrap_or(row);
        let record = record(reader, &read.fields, message, Some(deal.as_deref()))?;
        ids.push(record.id.to_string());
        records.push(record);
    }
    let is_anchored = ids.first().is_some_and(|id| mark.given.contains(id));
    if mark.start > 0 && !is_anchored {
        return Ok(on(MailMark { start: 0, ..mark }));
    }
    records.retain(|record| !mark.given.iter().any(|given| record.id == *given.as_str()));
    let next = if next_start(body).is_some() && !ids.is_empty() {
        mark.start += (ids.len() as u64).saturating_sub(1).max(1);
        mark.given.extend(ids.into_iter().filter(|id| !records.iter().all(|record| record.id != *id.as_str())));
        Some(mark)
    } else {
        mark.without_first().settled()
    };
    Ok(Step::Page { records, next: next.map(|mark| mark.cursor()) })
}

/// A message. `deal` is the deal that it was read through, `None` inside when it was a person; without it
/// (a message read by its id) the deal is not known.
pub(super) fn record(
    reader: &Reader,
    wanted: &[FieldName],
    message: &Json,
    deal: Option<Option<&str>>,
) -> Result<Record, Fault> {
    let Json::Object(told) = message else { return Err(Fault::malformed("an e-mail that is no object")) };
    let mut row = told.clone();
    let flag = |name: &str| told.get(name).and_then(Json::as_u64).map(|flag| flag != 0);
    row.insert("is_deleted".to_owned(), json!(flag("deleted_flag") == Some(true)));
    row.insert("linked_person_id".to_owned(), persons(told));
    if let Some(deal) = deal {
        row.insert("deal_id".to_owned(), json!(deal));
    }
    let mut record = reader.record(&Json::Object(row))?;
    // What the list could tell by itself needs no call.
    if flag(HAS_BODY) == Some(false) && wanted.iter().any(|name| *name == BODY) {
        record.fields.set(FieldName::from(BODY), Value::Null);
    }
    Ok(record)
}

/// The persons among the parties, each once, in the order from, to, cc, bcc.
fn persons(message: &Map<String, Json>) -> Json {
    let mut ids: Vec<Json> = Vec::new();
    for list in ["from", "to", "cc", "bcc"] {
        let parties = message.get(list).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        for id in parties.iter().filter_map(|party| party.get("linked_person_id").and_then(id_text)) {
            if !ids.contains(&json!(id)) {
                ids.push(json!(id));
            }
        }
    }
    Json::Array(ids)
}

/// The request for the text of a message.
pub(super) fn enrich(field: &FieldName, ids: &[RecordId]) -> Result<Request, Refusal> {
    match ids {
        _ if *field != BODY => Err(Refusal::unsupported(format!("`{field}` of e-mails comes with the list"))),
        [id] => {
            let object = Object::MailMessages;
            Ok(Request::new(Method::Get, object.record_path(id.as_str()), &cost(object.get_cost()))
                .with_query("include_body", "1"))
        }
        _ => Err(Refusal::unsupported(format!("`{field}` is read for one e-mail at a time"))),
    }
}

/// The text of a message; one that was deleted meanwhile has none.
pub(super) fn enriched(ids: &[RecordId], reply: &Reply) -> Result<Step, Fault> {
    let body = match faults::check(reply) {
        Ok(body) => body,
        Err(fault) if fault.kind == FaultKind::NotFound => {
            return Ok(Step::Page { records: Vec::new(), next: None });
        }
        Err(fault) => return Err(fault),
    };
    let text = body.pointer("/data/body").ok_or_else(|| Fault::malformed("the answer has no text of the e-mail"))?;
    let mut fields = Fields::new();
    fields.set(FieldName::from(BODY), text.as_str().map_or(Value::Null, Value::from));
    let record = |id: &RecordId| Record { id: id.clone(), fields: fields.clone(), modified: None, gone: false };
    Ok(Step::Page { records: ids.iter().map(record).collect(), next: None })
}

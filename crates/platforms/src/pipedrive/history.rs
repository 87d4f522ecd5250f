//! Who changed fields last: the changelog of a record, the newest change first, page by page, until every
//! wanted field was seen or the log ends (sheet: Pipedrive section 2.1 \[spec\]).
//!
//! - Its keys are the API's: `address` for an address as a whole, `address_locality` for a part in v1's flat
//!   notation (section 3 \[doc\]). A change of the whole counts for every part, since a structured value is
//!   written whole.
//! - A field that was never changed since the record was made has no entry.

use handover_connect::{Author, Change, Cursor, Fault, FaultKind, Method, Refusal, Reply, Request, Step};
use handover_model::{FieldName, RecordId};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::faults;
use super::form::{id_text, instant};
use super::link::Relation;
use super::mark::HistoryMark;
use super::object::{Object, cost, segment};
use crate::marks::{self, Mark};

/// Tokens for one page: v1's price of a list (sheet: section 2.1 \[unsure\]).
pub(super) const PAGE_COST: u32 = 20;
/// Entries on one page: the most that any list gives, since the price is per request (section 4 \[spec\]).
const PAGE: u32 = 500;

/// The request for the next page of a record's changelog.
pub(super) fn request(
    object: Object,
    fields: &[FieldName],
    ids: &[RecordId],
    cursor: Option<&Cursor>,
) -> Result<Request, Refusal> {
    if !object.has_changelog() {
        return Err(Refusal::unsupported(format!("{} have no history", object.name())));
    }
    let [id] = ids else {
        return Err(Refusal::unsupported("histories are read for one record at a time"));
    };
    if logged(object, fields).next().is_none() {
        return Err(Refusal::unsupported("relations have no history"));
    }
    let mark = marks::of::<HistoryMark>(cursor)?.unwrap_or_default();
    let path = format!("/v1/{}/{}/changelog", object.name(), segment(id.as_str()));
    let request = Request::new(Method::Get, path, &cost(PAGE_COST)).with_query("limit", PAGE.to_string());
    Ok(match mark.cursor {
        Some(cursor) => request.with_query("cursor", cursor),
        None => request,
    })
}

/// The wanted fields that the log knows: relations with calls of their own are not the record's.
fn logged(object: Object, fields: &[FieldName]) -> impl Iterator<Item = &FieldName> {
    fields.iter().filter(move |field| Relation::of(object, field.as_str()).is_err())
}

/// What a page of the log tells: the changes, or where it goes on.
pub(super) fn told(
    object: Object,
    fields: &[FieldName],
    ids: &[RecordId],
    cursor: Option<&Cursor>,
    reply: &Reply,
) -> Result<Step, Fault> {
    let mut mark: HistoryMark = marks::sent(cursor)?.unwrap_or_default();
    let body = match faults::check(reply) {
        Ok(body) => body,
        // A record that is gone has no history any more.
        Err(fault) if fault.kind == FaultKind::NotFound => return Ok(Step::History(mark.changes)),
        Err(fault) => return Err(fault),
    };
    let Some(record) = ids.first() else { return Ok(Step::History(Vec::new())) };
    let entries = body.get("data").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    for entry in entries {
        let Some((key, at)) = key_and_time(entry) else { continue };
        for field in logged(object, fields) {
            let is_seen = mark.changes.iter().any(|change| change.field == *field);
            if !is_seen && is_change_of(object, key, field.as_str()) {
                let (record, field) = (record.clone(), field.clone());
                mark.changes.push(Change { record, field, at, by: author(entry) });
            }
        }
    }
    let is_complete = mark.changes.len() >= logged(object, fields).count();
    let next = body.pointer("/additional_data/next_cursor").and_then(Json::as_str).filter(|next| !next.is_empty());
    // The same cursor again would be a loop.
    match next.filter(|next| !is_complete && mark.cursor.as_deref() != Some(*next)) {
        Some(next) => {
            mark.cursor = Some(next.to_owned());
            Ok(mark.then())
        }
        None => Ok(Step::History(mark.changes)),
    }
}

fn key_and_time(entry: &Json) -> Option<(&str, Timestamp)> {
    let key = entry.get("field_key").and_then(Json::as_str)?;
    Some((key, instant(entry.get("time").and_then(Json::as_str)?)?))
}

/// Whether a change under a key of the log is one of the field.
fn is_change_of(object: Object, key: &str, field: &str) -> bool {
    let (base, part) = match field.split_once('.') {
        Some((base, part)) => (base, Some(part)),
        None => (field, None),
    };
    // v1 writes some fields otherwise: `label` for `label_ids`, `email` for `emails`.
    let also = object.system_field(base).map_or("", |system| system.also);
    if key == base || !also.is_empty() && key == also {
        return true;
    }
    let flat = match part {
        None => return false,
        Some("timezone_name") => "timezone_id",
        Some(part) => part,
    };
    key.strip_prefix(base).and_then(|rest| rest.strip_prefix('_')) == Some(flat)
}

/// Who made a change (sheet: sections 2.1 and 8: `change_source` is `app` or `api`). What an automation's
/// changes are called is not documented; its name would say it.
fn author(entry: &Json) -> Author {
    let user = entry.get("actor_user_id").and_then(id_text);
    match entry.get("change_source").and_then(Json::as_str).map(str::to_ascii_lowercase).as_deref() {
        Some("app") => Author::Person(user),
        Some("api") => Author::Program(user),
        Some(source) if source.contains("automation") || source.contains("workflow") => Author::Platform,
        _ => Author::Unknown,
    }
}

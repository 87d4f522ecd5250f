//! Deleting records into the bin, the feed of deleted ones, and merging two into one (sheet: Zoho sections 2, 4).
//!
//! A record that is gone already, was merged away or never was counts as deleted, so a delete may be sent twice.

use handover_connect::{Fault, FaultKind, Method, Read, Refusal, Reply, Request, Step, WriteOutcome, Written};
use handover_model::{Fields, Record, RecordId};
use serde_json::{Value as Json, json};

use super::capabilities::{CALL, PAGE};
use super::coql::instant;
use super::faults;
use super::json::{body, items, text_at};
use super::objects::{Family, Object, is_id};
use super::place::Place;
use super::rows::{Page, text};
use super::{files, values};
use crate::marks::{Mark, is_about_the_row};

/// How long is waited for a merge that takes its time, in milliseconds.
const MERGE_MS: u64 = 5_000;

/// The request that deletes records.
pub(super) fn delete(object: &Object<'_>, ids: &[RecordId]) -> Result<Request, Refusal> {
    match object.family {
        Family::Attachment => files::delete(ids),
        _ if !object.writes => Err(Refusal::unsupported(format!("records of {} are read only here", object.name))),
        Family::Plain | Family::Activity | Family::Note => {
            let ids: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
            Ok(Request::new(Method::Delete, object.path(), &CALL)
                .with_query("ids", ids.join(","))
                .with_query("wf_trigger", "false")
                .idempotent())
        }
    }
}

/// Whether a refusal says that there is nothing to delete.
fn is_absent(fault: &Fault) -> bool {
    let is_its_id = fault.field.as_ref().is_none_or(|field| *field == *"id");
    fault.code == "INVALID_DATA" && is_its_id || fault.kind == FaultKind::NotFound && fault.code != "INVALID_MODULE"
}

/// One outcome for each id.
pub(super) fn deleted(ids: &[RecordId], reply: &Reply) -> Result<Step, Fault> {
    let written = |id: &RecordId, outcome| Written { trace: id.clone(), outcome };
    let gone = |id: &RecordId| written(id, WriteOutcome::Applied { id: id.clone(), created: Some(false) });
    let told = if reply.status < 500 { body(reply)? } else { Json::Null };
    let rows = items(&told, "data");
    if rows.is_empty() {
        let fault = match faults::check(reply) {
            Err(fault) => fault,
            Ok(()) => return Err(Fault::malformed("the answer has no rows")),
        };
        return match ids {
            _ if !matches!(fault.kind, FaultKind::Invalid | FaultKind::Conflict | FaultKind::NotFound) => Err(fault),
            [id] if is_absent(&fault) => Ok(Step::Written(vec![gone(id)])),
            [id] => Ok(Step::Written(vec![written(id, WriteOutcome::Refused(fault))])),
            _ => Ok(Step::Written(ids.iter().map(|id| written(id, WriteOutcome::Unknown(fault.clone()))).collect())),
        };
    }
    if rows.len() != ids.len() {
        return Err(Fault::malformed("the answer has another number of rows than ids were sent"));
    }
    let outcome = |(id, row): (&RecordId, &Json)| {
        let told = row.pointer("/details/id").and_then(Json::as_str);
        if told.is_some_and(|told| files::own_id(id.as_str()) != told) {
            return written(id, WriteOutcome::Unknown(Fault::malformed("the answer is about another record")));
        }
        match faults::of_row(row) {
            None => gone(id),
            Some(fault) if is_absent(&fault) => gone(id),
            Some(fault) if matches!(fault.kind, FaultKind::Unavailable | FaultKind::Malformed) => {
                written(id, WriteOutcome::Unknown(fault))
            }
            Some(fault) => written(id, WriteOutcome::Refused(fault)),
        }
    };
    Ok(Step::Written(ids.iter().zip(rows).map(outcome).collect()))
}

/// One page of the feed of deleted records: those in the bin for 60 days, and for 120 those that left it.
pub(super) fn feed(object: &Object<'_>, read: &Read, page: u32) -> Request {
    let mut request = Request::new(Method::Get, format!("{}/deleted", object.path()), &CALL)
        .with_query("type", "all")
        .with_query("page", page.to_string())
        .with_query("per_page", PAGE.to_string());
    if let Some(since) = read.since {
        request.headers.push(("if-modified-since".to_owned(), instant(since)));
    }
    request
}

/// The deleted records of a page: nothing but that they are gone, and since when.
pub(super) fn feed_told(page: u32, reply: &Reply) -> Result<Step, Fault> {
    let told = Page::of(reply)?;
    let record = |row: &super::rows::Row| {
        let id = text(row, "id").ok_or_else(|| Fault::malformed("a deleted record has no id"))?;
        let modified = text(row, "deleted_time").and_then(|text| values::read_instant(&text));
        Ok(Record { id: id.into(), fields: Fields::new(), modified, gone: true })
    };
    let records = told.data.iter().map(record).collect::<Result<Vec<_>, Fault>>()?;
    let next = told.info.more_records.then(|| Place::Page(page.saturating_add(1)).cursor());
    Ok(Step::Page { records, next })
}

/// The request that merges a record into another, or asks how far it is.
pub(super) fn merge(
    object: &Object<'_>,
    survivor: &RecordId,
    other: &RecordId,
    place: Option<&Place>,
) -> Result<Request, Refusal> {
    if !object.merges {
        return Err(Refusal::unsupported(format!("records of {} cannot be merged", object.name)));
    }
    if !is_id(survivor.as_str()) || !is_id(other.as_str()) {
        return Err(Refusal::unsupported("what is no id cannot be merged"));
    }
    let path = format!("{}/{survivor}/actions/merge", object.path());
    if let Some(Place::Merging(job)) = place {
        return Ok(Request::new(Method::Get, path, &CALL).with_query("job_id", job.as_str()));
    }
    let body = json!({ "merge": [{ "data": [{ "id": other }] }] });
    Ok(Request::new(Method::Post, path, &CALL).with_json(body.to_string().into_bytes()))
}

/// What became of a merge. One that moves more than a thousand related records is a job.
pub(super) fn merged(survivor: &RecordId, place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    let done = |outcome| Ok(Step::Written(vec![Written { trace: survivor.clone(), outcome }]));
    let told = if reply.status < 500 { body(reply)? } else { Json::Null };
    let Some(row) = items(&told, "merge").first() else {
        return match faults::check(reply) {
            Err(fault) if is_about_the_row(&fault) || fault.code == "NOT_ALLOWED" => done(WriteOutcome::Refused(fault)),
            Err(fault) => Err(fault),
            Ok(()) => Err(Fault::malformed("the answer says nothing of the merge")),
        };
    };
    let applied = WriteOutcome::Applied { id: survivor.clone(), created: Some(false) };
    let waits = |job: &str| Ok(Place::Merging(job.to_owned()).after(MERGE_MS));
    if let Some(Place::Merging(job)) = &place {
        return match text_at(row, "status").unwrap_or_default() {
            "COMPLETED" => done(applied),
            "RUNNING" | "SCHEDULED" => waits(job),
            _ => done(WriteOutcome::Unknown(Fault::malformed("the merge ended, and not well"))),
        };
    }
    let job = row.pointer("/details/job_id").and_then(Json::as_str);
    match (text_at(row, "code"), job) {
        (Some("SCHEDULED"), Some(job)) => waits(job),
        _ => done(faults::of_row(row).map_or(applied, WriteOutcome::Refused)),
    }
}

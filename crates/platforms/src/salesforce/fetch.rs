//! Records by their ids, and what became of those that were merged away.
//!
//! A record that was merged into another is deleted and names that one (sheet: Salesforce section 4). So ids that
//! bring nothing are looked for among the deleted records, and the records that they became are read.

use handover_connect::{Fault, FaultKind, Refusal, Reply, Request, Step};
use handover_model::{Record, RecordId};
use serde_json::json;
use serde_json::value::RawValue;

use super::encode::{at_most, retrieval, with_body};
use super::ids::{are_one, is_id, short};
use super::objects::DATA;
use super::place::{Gone, Place, Rows};
use super::reading::Reading;
use super::rows::{self, Page, Row};
use super::soql::{IDS, Query, ids_of};
use super::{faults, prices};
use crate::marks::{Mark, foreign};

/// Merged records that were merged again; more than this is a loop.
const MOST_HOPS: u32 = 5;

/// The request for the records, for what became of those that are not there, or for these.
pub(super) fn request(reading: &Reading<'_>, ids: &[RecordId], place: Option<Place>) -> Result<Request, Refusal> {
    match place {
        None | Some(Place::Rows(_)) if reading.object.is_queried() => {
            at_most(ids.len(), u32::try_from(IDS).unwrap_or(0))?;
            let mut columns = reading.columns();
            columns.push("IsDeleted");
            columns.sort_unstable();
            columns.dedup();
            let conditions = ids_of("Id", ids.iter().map(RecordId::as_str)).into_iter().take(1);
            let conditions = conditions.chain(["IsDeleted = false".to_owned()]).collect();
            let within = reading.prices().map(prices::within);
            let all = reading.object.archives;
            Query { columns, within, conditions, all, ..Query::of(reading.object.name) }.request(&Rows::of(place)?)
        }
        None => {
            retrieval(ids.len())?;
            Ok(retrieve(reading, ids.iter().map(RecordId::as_str)))
        }
        Some(Place::Gone(gone)) => {
            let some = ids_of("Id", gone.ids.iter().skip(gone.asked).take(IDS).map(String::as_str));
            let merged = ["IsDeleted = true".to_owned(), "MasterRecordId != null".to_owned()];
            let conditions = some.into_iter().chain(merged).collect();
            let columns = vec!["MasterRecordId"];
            Query { columns, conditions, all: true, ..Query::of(reading.object.name) }.request(&Rows::default())
        }
        Some(Place::Became(gone)) => Ok(retrieve(reading, gone.became.iter().map(String::as_str))),
        Some(_) => Err(foreign()),
    }
}

/// One retrieval (sheet: Salesforce section 5.2). What has not the form of an id would spoil the others.
fn retrieve<'i>(reading: &Reading<'_>, ids: impl Iterator<Item = &'i str>) -> Request {
    let all: Vec<&str> = ids.collect();
    let good: Vec<&str> = all.iter().copied().filter(|id| is_id(id)).collect();
    let mut fields = reading.columns();
    fields.push("Id");
    let body = json!({ "ids": if good.is_empty() { all } else { good }, "fields": fields });
    let path = format!("{DATA}/composite/sobjects/{}", reading.object.name);
    with_body(handover_connect::Method::Post, path, body.to_string().into_bytes()).idempotent()
}

/// The records, and where the ones that are not there are looked for.
pub(super) fn fetched(
    reading: &Reading<'_>,
    ids: &[RecordId],
    place: Option<Place>,
    reply: &Reply,
) -> Result<Step, Fault> {
    match place {
        None | Some(Place::Rows(_)) if reading.object.is_queried() => {
            let page = Page::of(reply)?;
            let records = page.records.iter().map(|row| reading.record(row)).collect::<Result<Vec<_>, _>>()?;
            let last = records.last().map(|record| record.id.to_string());
            let next = page.next().map(|next| Place::Rows(Rows { next: Some(next), last, ..Rows::default() }).cursor());
            Ok(Step::Page { records, next })
        }
        Some(Place::Gone(gone)) => told(reading, gone, reply),
        Some(Place::Became(mut gone)) => {
            let records = read(reading, reply)?;
            gone.given.extend(records.iter().map(|record| record.id.to_string()));
            gone.ids = absent(gone.became.iter().map(String::as_str), &records);
            (gone.asked, gone.hops) = (0, gone.hops + 1);
            gone.became.clear();
            let next = (gone.hops <= MOST_HOPS && !gone.ids.is_empty()).then(|| Place::Gone(gone).cursor());
            Ok(Step::Page { records, next })
        }
        _ => {
            let records = read(reading, reply)?;
            let absent = absent(ids.iter().map(RecordId::as_str), &records);
            let next = (reading.object.merges && !absent.is_empty()).then(|| {
                let given = records.iter().map(|record| record.id.to_string()).collect();
                Place::Gone(Gone { ids: absent, given, ..Gone::default() }).cursor()
            });
            Ok(Step::Page { records, next })
        }
    }
}

/// The records of a retrieval: one place for each id, null where there is none.
fn read(reading: &Reading<'_>, reply: &Reply) -> Result<Vec<Record>, Fault> {
    if let Err(fault) = faults::check(reply, false) {
        // Ids of which none has the form of one: there are no such records.
        return if fault.code == "MALFORMED_ID" && fault.kind == FaultKind::Invalid {
            Ok(Vec::new())
        } else {
            Err(fault)
        };
    }
    let odd = |error| Fault::malformed(format!("the answer is no list of records: {error}"));
    let text = std::str::from_utf8(&reply.body).map_err(|_| Fault::malformed("the answer is no text"))?;
    let all: Vec<Option<&RawValue>> = serde_json::from_str(text).map_err(odd)?;
    let mut records: Vec<Record> = Vec::with_capacity(all.len());
    for raw in all.into_iter().flatten() {
        let row: Row<'_> = serde_json::from_str(raw.get()).map_err(odd)?;
        // Two forms of one id bring a record twice.
        let record = reading.record(&row)?;
        if !record.gone && records.last().is_none_or(|last| last.id != record.id) {
            records.push(record);
        }
    }
    Ok(records)
}

/// The ids that brought nothing.
fn absent<'i>(ids: impl Iterator<Item = &'i str>, records: &[Record]) -> Vec<String> {
    let have: std::collections::HashSet<&str> = records.iter().map(|record| short(record.id.as_str())).collect();
    ids.filter(|id| is_id(id) && !have.contains(short(id))).map(str::to_owned).collect()
}

/// What the deleted records say that they became.
fn told(reading: &Reading<'_>, mut gone: Gone, reply: &Reply) -> Result<Step, Fault> {
    let page = Page::of(reply)?;
    for row in &page.records {
        let Some(became) = rows::text(row, "MasterRecordId") else { continue };
        if !gone.given.iter().chain(&gone.became).any(|have| are_one(have, &became)) {
            gone.became.push(became);
        }
    }
    gone.asked += IDS;
    if gone.asked < gone.ids.len() {
        return Ok(Place::Gone(gone).then());
    }
    if gone.became.is_empty() || !reading.object.merges {
        return Ok(Step::Page { records: Vec::new(), next: None });
    }
    Ok(Place::Became(gone).then())
}

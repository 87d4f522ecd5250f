//! What has calls of its own: the further contacts of a deal, and what is dear to read of a contact.
//!
//! Further contacts are rows of `contactDeals` with ids of their own. The list of all has no documented filter, so
//! they are read where each deal's row says they are (`links.contactDeals`).

use handover_connect::{Cursor, Fault, FaultKind, Link, LinkBatch, LinkOutcome, Method, Refusal, Reply, Request, Step};
use handover_model::{FieldName, Fields, Record, RecordId, Value};
use serde_json::{Value as Json, json};

use super::decode::more;
use super::encode::{get, object_of, paged};
use super::faults;
use super::form::{id_text, word};
use super::mark::LinkMark;
use super::object::{CALL, Object, segment};
use super::reader::rows;
use super::system::{LISTS, SECONDARY, TAGS, UNSUBSCRIBED};
use super::write::concerns_the_record;
use crate::marks::{self, Mark, Refused};

/// Where a field is read: the list below one record, and the key of its rows.
fn below(object: Object, field: &str) -> Result<(&'static str, &'static str), Refusal> {
    match (object, field) {
        (Object::Deals, SECONDARY) => Ok(("contactDeals", "contact")),
        (Object::Contacts, TAGS) => Ok(("contactTags", "tag")),
        (Object::Contacts, LISTS | UNSUBSCRIBED) => Ok(("contactLists", "list")),
        _ => Err(Refusal::unsupported(format!("`{field}` of `{}` is read with the record", object.name()))),
    }
}

/// A page of what stands below a record.
fn page(object: Object, name: &str, id: &str, start: u64) -> Request {
    paged(get(&format!("{}/{name}", object.record_path(id))), start)
}

/// The request for an extra read.
pub(super) fn enrich(
    object: Object,
    field: &FieldName,
    ids: &[RecordId],
    cursor: Option<&Cursor>,
) -> Result<Request, Refusal> {
    let (name, _) = below(object, field.as_str())?;
    let mark: LinkMark = marks::of(cursor)?.unwrap_or_default();
    match ids {
        [id] => Ok(page(object, name, id.as_str(), mark.pages.len() as u64)),
        _ => Err(Refusal::unsupported(format!("`{field}` is read for one record at a time"))),
    }
}

/// What an extra read's answer means.
pub(super) fn enriched(
    object: Object,
    field: &FieldName,
    ids: &[RecordId],
    cursor: Option<&Cursor>,
    reply: &Reply,
) -> Result<Step, Fault> {
    let (name, key) = below(object, field.as_str()).map_err(|refusal| Fault::malformed(refusal.message))?;
    let Some(id) = ids.first() else { return Ok(Step::Page { records: Vec::new(), next: None }) };
    let mut mark: LinkMark = marks::sent(cursor)?.unwrap_or_default();
    let body = match faults::check(reply) {
        Ok(body) => body,
        // A record that is gone has none.
        Err(fault) if fault.kind == FaultKind::NotFound => json!({}),
        Err(fault) => return Err(fault),
    };
    let found = rows(&body, name);
    let goes_on = more(&body, found.len(), mark.pages.len() as u64);
    for row in found {
        let status = row.get("status").and_then(word).unwrap_or_default();
        mark.pages.push((row.get(key).and_then(id_text).unwrap_or_default(), status));
    }
    if goes_on {
        return Ok(mark.then());
    }
    // 1 is subscribed, 2 unsubscribed (sheet: ActiveCampaign section 2).
    let wanted = match field.as_str() {
        LISTS => Some("1"),
        UNSUBSCRIBED => Some("2"),
        _ => None,
    };
    let fits = |(id, status): &&(String, String)| !id.is_empty() && wanted.is_none_or(|wanted| status == wanted);
    let values = mark.pages.iter().filter(fits).map(|(id, _)| Value::from(id.as_str())).collect();
    let fields: Fields = [(field.clone(), Value::List(values))].into_iter().collect();
    Ok(Step::Page { records: vec![Record { id: id.clone(), fields, modified: None, gone: false }], next: None })
}

/// Refuses links of other fields.
fn check(batch: &LinkBatch) -> Result<(), Refusal> {
    let object = object_of(&batch.object)?;
    match (object, batch.field.as_str()) {
        (Object::Deals, SECONDARY) => Ok(()),
        (_, field) => Err(Refusal::unsupported(format!("`{field}` of `{}` is written with the record", object.name()))),
    }
}

/// The request that adds the next link. Adding one that is there is refused in words that are known.
pub(super) fn request(batch: &LinkBatch, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    check(batch)?;
    let mark: LinkMark = marks::of(cursor)?.unwrap_or_default();
    let link = batch.links.get(mark.outcomes.len()).ok_or_else(|| Refusal::unsupported("there is nothing to link"))?;
    let body = json!({"contactDeal": {"contact": link.to.as_str(), "deal": link.from.as_str()}});
    let request = Request::new(Method::Post, "/api/3/contactDeals", &CALL);
    Ok(request.with_json(body.to_string().into_bytes()).idempotent())
}

/// What the answer about a link means, and what comes next.
pub(super) fn linked(batch: &LinkBatch, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let mut mark: LinkMark = marks::sent(cursor)?.unwrap_or_default();
    match faults::check(reply) {
        Ok(_) => mark.outcomes.push(None),
        Err(fault) if is_there(&fault) => mark.outcomes.push(None),
        Err(fault) if concerns_the_record(&fault) => mark.outcomes.push(Some((&fault).into())),
        Err(fault) => return Err(fault),
    }
    Ok(next(batch, mark))
}

/// Whether the link exists (sheet: section 7: contactDeals `field_invalid`, "already associated").
fn is_there(fault: &Fault) -> bool {
    fault.kind == FaultKind::Invalid && fault.message.contains("already associated")
}

fn next(batch: &LinkBatch, mark: LinkMark) -> Step {
    if mark.outcomes.len() < batch.links.len() {
        return mark.then();
    }
    let outcome = |(link, refused): (&Link, Option<Refused>)| LinkOutcome {
        link: link.clone(),
        result: refused.map_or(Ok(()), |refused| Err(refused.fault())),
    };
    Step::Linked(batch.links.iter().zip(mark.outcomes).map(outcome).collect())
}

/// The request that looks for the rows of a deal's links, or the one that takes the next away.
pub(super) fn away(batch: &LinkBatch, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    check(batch)?;
    let mark: LinkMark = marks::of(cursor)?.unwrap_or_default();
    let link = batch.links.get(mark.outcomes.len());
    let link = link.ok_or_else(|| Refusal::unsupported("there is nothing to take away"))?;
    if let Some(row) = mark.away.front() {
        let path = format!("/api/3/contactDeals/{}", segment(row));
        return Ok(Request::new(Method::Delete, path, &CALL).idempotent());
    }
    Ok(page(Object::Deals, "contactDeals", link.from.as_str(), mark.pages.len() as u64))
}

/// What the answer means, and what comes next.
pub(super) fn unlinked(batch: &LinkBatch, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let mut mark: LinkMark = marks::sent(cursor)?.unwrap_or_default();
    let Some(link) = batch.links.get(mark.outcomes.len()) else { return Ok(Step::Linked(Vec::new())) };
    let answer = match faults::check(reply) {
        // A record that is gone has no links, and a link that is gone is taken away.
        Err(fault) if fault.kind == FaultKind::NotFound => Ok(json!({})),
        answer => answer,
    };
    match (answer, mark.is_read) {
        (Err(fault), _) if concerns_the_record(&fault) => {
            let outcomes = mark.outcomes.into_iter().chain([Some((&fault).into())]).collect();
            return Ok(next(batch, LinkMark { outcomes, ..LinkMark::default() }));
        }
        (Err(fault), _) => return Err(fault),
        (Ok(_), true) => drop(mark.away.pop_front()),
        (Ok(body), false) => {
            let rows_here = rows(&body, "contactDeals");
            let goes_on = more(&body, rows_here.len(), mark.pages.len() as u64);
            let pair = |row: &Json| Some((row.get("contact").and_then(id_text)?, row.get("id").and_then(id_text)?));
            mark.pages.extend(rows_here.iter().filter_map(pair));
            if goes_on {
                return Ok(mark.then());
            }
            let of = |(to, row): &(String, String)| (link.to == *to.as_str()).then(|| row.clone());
            mark.away = mark.pages.iter().filter_map(of).collect();
            mark.is_read = true;
        }
    }
    if mark.away.is_empty() {
        let outcomes = mark.outcomes.into_iter().chain([None]).collect();
        return Ok(next(batch, LinkMark { outcomes, ..LinkMark::default() }));
    }
    Ok(mark.then())
}

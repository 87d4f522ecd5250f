//! Deleting a record, and merging two into one: one call each.
//!
//! - Deletions are soft, for 30 days (sheet: Pipedrive section 4 \[doc\]). What a second one answers is not
//!   documented, 404 or 410 (section 5 \[unsure\]); either says that the record is gone, so a delete may be sent
//!   twice.
//! - In a merge the record of the *path* is merged into `merge_with_id`, whose data wins (section 2.1 \[spec\]). It
//!   cannot be undone and is sent once.

use handover_connect::{Fault, FaultKind, Method, Refusal, Reply, Request, Step, WriteOutcome, Written};
use handover_model::RecordId;
use serde_json::json;

use super::faults;
use super::form::id_text;
use super::object::{Object, cost, segment};
use super::write::concerns_the_record;

/// Tokens for one merge (sheet: section 2.1 \[spec\]).
pub(super) const MERGE_COST: u32 = 40;

/// The request that deletes a record.
pub(super) fn delete(object: Object, ids: &[RecordId]) -> Result<Request, Refusal> {
    match ids {
        _ if object == Object::MailMessages => Err(Refusal::unsupported("single e-mails cannot be deleted")),
        [id] => {
            let path = object.record_path(id.as_str());
            Ok(Request::new(Method::Delete, path, &cost(object.delete_cost())).idempotent())
        }
        _ => Err(Refusal::unsupported("Pipedrive deletes one record at a time")),
    }
}

/// What the answer to a deletion means.
pub(super) fn deleted(ids: &[RecordId], reply: &Reply) -> Result<Step, Fault> {
    let Some(id) = ids.first() else { return Ok(Step::Written(Vec::new())) };
    let gone = || WriteOutcome::Applied { id: id.clone(), created: Some(false) };
    let outcome = match faults::check(reply) {
        Ok(_) => gone(),
        Err(fault) if fault.kind == FaultKind::NotFound => gone(),
        Err(fault) if concerns_the_record(&fault) => WriteOutcome::Refused(fault),
        Err(fault) => return Err(fault),
    };
    Ok(Step::Written(vec![Written { trace: id.clone(), outcome }]))
}

/// The request that merges `other` into `survivor`.
pub(super) fn merge(object: Object, survivor: &RecordId, other: &RecordId) -> Result<Request, Refusal> {
    if !object.has_changelog() {
        return Err(Refusal::unsupported(format!("{} cannot be merged", object.name())));
    }
    let into: u64 = survivor
        .as_str()
        .parse()
        .map_err(|_| Refusal::unsupported("the id of the record to merge into is not a number"))?;
    // Merging is v1's, also of objects that v2 has (section 0b [spec]).
    let path = format!("/v1/{}/{}/merge", object.name(), segment(other.as_str()));
    let body = json!({ "merge_with_id": into }).to_string().into_bytes();
    Ok(Request::new(Method::Put, path, &cost(MERGE_COST)).with_json(body))
}

/// The id that the record has from now on: the survivor's own.
pub(super) fn merged(survivor: &RecordId, reply: &Reply) -> Result<Step, Fault> {
    let outcome = match faults::check(reply) {
        Ok(body) => {
            let id = body.pointer("/data/id").and_then(id_text);
            let id = id.ok_or_else(|| Fault::malformed("the answer to a merge has no record"))?;
            WriteOutcome::Applied { id: id.into(), created: Some(false) }
        }
        Err(fault) if concerns_the_record(&fault) => WriteOutcome::Refused(fault),
        Err(fault) => return Err(fault),
    };
    Ok(Step::Written(vec![Written { trace: survivor.clone(), outcome }]))
}

//! Deleting a record: one call each, for good; what is gone already counts as deleted. Nothing brings it back, and
//! nothing is merged through the API (sheet: ActiveCampaign section 2).

use handover_connect::{Fault, FaultKind, Method, Refusal, Reply, Request, Step, WriteOutcome, Written};
use handover_model::RecordId;

use super::faults;
use super::object::{CALL, Object};
use super::write::concerns_the_record;

/// The request that deletes a record.
pub(super) fn delete(object: Object, ids: &[RecordId]) -> Result<Request, Refusal> {
    match ids {
        [id] => Ok(Request::new(Method::Delete, object.record_path(id.as_str()), &CALL).idempotent()),
        _ => Err(Refusal::unsupported("ActiveCampaign deletes one record at a time")),
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

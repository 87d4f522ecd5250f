//! Deleting records, and merging two into one.
//!
//! A record that is gone already counts as deleted, so a delete may be sent twice; a merge never.

use handover_connect::{Fault, FaultKind, Method, Refusal, Reply, Request, Step, WriteOutcome, Written};
use handover_model::RecordId;
use serde_json::json;

use super::capabilities::CALL;
use super::faults;
use super::guid::is_guid;
use super::objects::{DATA, Object};
use super::query;

/// The request that deletes a record.
pub(super) fn delete(object: &Object<'_>, ids: &[RecordId]) -> Result<Request, Refusal> {
    let [id] = ids else { return Err(Refusal::unsupported("records are deleted one at a time")) };
    if !is_guid(id.as_str()) {
        return Err(Refusal::unsupported("what has not the form of an id is not deleted"));
    }
    let mut request = Request::new(Method::Delete, object.path(Some(id.as_str())), &CALL).idempotent();
    request.headers.extend(query::headers());
    Ok(request)
}

/// What became of it.
pub(super) fn deleted(ids: &[RecordId], reply: &Reply) -> Result<Step, Fault> {
    let outcome = |id: &RecordId| match done(reply) {
        Ok(()) => Ok(WriteOutcome::Applied { id: id.clone(), created: Some(false) }),
        Err(fault) if is_absent(&fault) => Ok(WriteOutcome::Applied { id: id.clone(), created: Some(false) }),
        Err(fault) if is_about_the_row(&fault) => Ok(WriteOutcome::Refused(fault)),
        Err(fault) => Err(fault),
    };
    let written = ids.iter().map(|id| Ok(Written { trace: id.clone(), outcome: outcome(id)? }));
    Ok(Step::Written(written.collect::<Result<_, Fault>>()?))
}

/// Passes 204 without a body, and nothing else that a broken answer could be taken for.
fn done(reply: &Reply) -> Result<(), Fault> {
    faults::check(reply)?;
    if reply.status == 204 && reply.body.is_empty() {
        return Ok(());
    }
    Err(Fault::malformed("the answer is not the one that is documented").with_status(reply.status))
}

/// Whether a refusal says that there is no such record; a missing table says so otherwise.
pub(super) fn is_absent(fault: &Fault) -> bool {
    fault.kind == FaultKind::NotFound && ["0x80040217", "0x80060891"].iter().any(|code| fault.code == *code)
}

/// Whether a refusal is about the one record that was asked for.
pub(super) fn is_about_the_row(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Invalid | FaultKind::Conflict | FaultKind::NotFound | FaultKind::Unsupported)
}

/// The request that merges a record into another, whose values stay (sheet: Dynamics section 5.7).
pub(super) fn merge(object: &Object<'_>, survivor: &RecordId, other: &RecordId) -> Result<Request, Refusal> {
    if !object.merges {
        return Err(Refusal::unsupported(format!("Dynamics merges no records of `{}`", object.name)));
    }
    let one =
        |id: &RecordId| json!({ "@odata.type": format!("Microsoft.Dynamics.CRM.{}", object.table), object.id: id });
    let body = json!({ "Target": one(survivor), "Subordinate": one(other), "PerformParentingChecks": false });
    let mut request =
        Request::new(Method::Post, format!("{DATA}/Merge"), &CALL).with_json(body.to_string().into_bytes());
    request.headers.extend(query::headers());
    Ok(request)
}

/// What became of it: the survivor keeps its id.
pub(super) fn merged(survivor: &RecordId, reply: &Reply) -> Result<Step, Fault> {
    let outcome = match done(reply) {
        Ok(()) => WriteOutcome::Applied { id: survivor.clone(), created: Some(false) },
        Err(fault) if is_about_the_row(&fault) => WriteOutcome::Refused(fault),
        Err(fault) => return Err(fault),
    };
    Ok(Step::Written(vec![Written { trace: survivor.clone(), outcome }]))
}

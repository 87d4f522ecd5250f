//! Deleting records, into the organization's bin.
//!
//! A record that is gone already, was merged away or never was counts as deleted, so a delete may be sent twice.

use handover_connect::{Fault, FaultKind, Method, Refusal, Reply, Request, Step, WriteOutcome, Written};
use handover_model::RecordId;
use serde_json::Value as Json;

use super::capabilities::CALL;
use super::faults;
use super::ids::are_one;
use super::objects::{DATA, Family, Object};
use crate::json::{body, text_at};

/// The request that deletes records.
pub(super) fn delete(object: &Object<'_>, ids: &[RecordId]) -> Result<Request, Refusal> {
    match object.family {
        Family::Plain | Family::Note => Ok(of_rows(&ids.iter().map(RecordId::as_str).collect::<Vec<_>>().join(","))),
        Family::File | Family::Attachment => {
            Err(Refusal::unsupported(format!("records of {} are not deleted: they are versions of files", object.name)))
        }
    }
}

/// The request that deletes rows of these ids, separated by commas.
pub(super) fn of_rows(ids: &str) -> Request {
    Request::new(Method::Delete, format!("{DATA}/composite/sobjects"), &CALL)
        .with_query("ids", ids)
        .with_query("allOrNone", "false")
        .idempotent()
}

/// Whether a refusal says that there is nothing to delete.
pub(super) fn is_absent(fault: &Fault) -> bool {
    matches!(&*fault.code, "ENTITY_IS_DELETED" | "NOT_FOUND" | "INVALID_CROSS_REFERENCE_KEY")
}

/// One outcome for each id.
pub(super) fn deleted(ids: &[RecordId], reply: &Reply) -> Result<Step, Fault> {
    let written = |id: &RecordId, outcome| Written { trace: id.clone(), outcome };
    let gone = |id: &RecordId| written(id, WriteOutcome::Applied { id: id.clone(), created: Some(false) });
    if let Err(fault) = faults::check(reply, false) {
        return match ids {
            _ if !matches!(fault.kind, FaultKind::Invalid | FaultKind::Conflict | FaultKind::NotFound) => Err(fault),
            [id] if is_absent(&fault) => Ok(Step::Written(vec![gone(id)])),
            [id] => Ok(Step::Written(vec![written(id, WriteOutcome::Refused(fault))])),
            _ => Ok(Step::Written(ids.iter().map(|id| written(id, WriteOutcome::Unknown(fault.clone()))).collect())),
        };
    }
    let body = body(reply)?;
    let rows = body.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.len() != ids.len() {
        return Err(Fault::malformed("the answer has another number of rows than ids were sent"));
    }
    let outcome = |(id, row): (&RecordId, &Json)| {
        if text_at(row, "id").is_some_and(|told| !are_one(told, id.as_str())) {
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

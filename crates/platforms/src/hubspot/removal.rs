//! Deleting records, and merging two into one.
//!
//! - Archiving what is archived or unknown already is a success (204), so a delete may be sent twice; a file
//!   that is gone answers 404, which is the same.
//! - A merge cannot be undone and is sent once (sheet: HubSpot section 9, trap 12 \[doc\]). By default the
//!   survivor gets a *new* id, to which both old ids lead from then on (section 4 \[doc\]).

use handover_connect::{Fault, FaultKind, Method, Refusal, Reply, Request, Step, WriteOutcome, Written};
use handover_model::RecordId;
use serde_json::{Value as Json, json};

use super::capabilities::CALL;
use super::faults;
use super::files::segment;
use super::json::{body, id_text, items};
use super::objects::{Family, Object, path};

/// The request that deletes records, into the portal's bin; files for good.
pub(super) fn delete(object: &Object<'_>, ids: &[RecordId]) -> Result<Request, Refusal> {
    match (object.family, ids) {
        (Family::Attachment, _) => Err(Refusal::unsupported("attachments are seen through their notes only")),
        (Family::File, [id]) => {
            let path = format!("{}/{}", path::FILES, segment(id.as_str()));
            Ok(Request::new(Method::Delete, path, &CALL).idempotent())
        }
        (Family::File, _) => Err(Refusal::unsupported("files are deleted one at a time")),
        (Family::Record | Family::Activity | Family::Item, _) => {
            let inputs: Vec<Json> = ids.iter().map(|id| json!({ "id": id })).collect();
            let body = json!({ "inputs": inputs }).to_string().into_bytes();
            let path = format!("{}/{}/batch/archive", path::OBJECTS, object.name);
            Ok(Request::new(Method::Post, path, &CALL).with_json(body).idempotent())
        }
    }
}

/// One outcome for each id.
pub(super) fn deleted(object: &Object<'_>, ids: &[RecordId], reply: &Reply) -> Result<Step, Fault> {
    if object.family == Family::File && matches!(reply.status, 404 | 410) {
        return Ok(Step::Written(ids.iter().map(gone).collect()));
    }
    if !(200..300).contains(&reply.status) {
        return refused(ids, &faults::of_reply(reply, false));
    }
    // Nothing comes back unless something was refused.
    if reply.body.is_empty() {
        return Ok(Step::Written(ids.iter().map(gone).collect()));
    }
    let body = body(reply)?;
    let errors: Vec<&Json> = items(&body, "errors").iter().filter(|error| !faults::is_absence(error)).collect();
    // An error that names no record may be about any.
    let nameless = errors.iter().find(|error| named(error).is_empty());
    let outcome = |id: &RecordId| {
        if let Some(error) = errors.iter().find(|error| named(error).iter().any(|named| *id == *named.as_str())) {
            return written(id, WriteOutcome::Refused(faults::of_row(error, reply)));
        }
        nameless.map_or_else(|| gone(id), |error| written(id, WriteOutcome::Unknown(faults::of_row(error, reply))))
    };
    Ok(Step::Written(ids.iter().map(outcome).collect()))
}

/// The records that an error row names.
fn named(error: &Json) -> Vec<String> {
    let all = error.pointer("/context/ids").and_then(Json::as_array).into_iter().flatten();
    all.filter_map(id_text).chain(faults::context_id(error)).collect()
}

/// A refusal of a request as a whole. Of a batch, part may have been carried out (sheet: HubSpot section 5.3
/// \[obs\]).
fn refused(traces: &[RecordId], fault: &Fault) -> Result<Step, Fault> {
    if !matches!(fault.kind, FaultKind::Invalid | FaultKind::Conflict | FaultKind::NotFound) {
        return Err(fault.clone());
    }
    let outcome = || match traces {
        [_] => WriteOutcome::Refused(fault.clone()),
        _ => WriteOutcome::Unknown(fault.clone()),
    };
    Ok(Step::Written(traces.iter().map(|trace| written(trace, outcome())).collect()))
}

fn gone(id: &RecordId) -> Written {
    written(id, WriteOutcome::Applied { id: id.clone(), created: Some(false) })
}

fn written(trace: &RecordId, outcome: WriteOutcome) -> Written {
    Written { trace: trace.clone(), outcome }
}

/// The request that merges `other` into `survivor`, whose values win.
pub(super) fn merge(object: &Object<'_>, survivor: &RecordId, other: &RecordId) -> Result<Request, Refusal> {
    if !object.merges() {
        return Err(Refusal::unsupported(format!("{} cannot be merged", object.name)));
    }
    let body = json!({ "primaryObjectId": survivor, "objectIdToMerge": other });
    let path = format!("{}/{}/merge", path::OBJECTS, object.name);
    Ok(Request::new(Method::Post, path, &CALL).with_json(body.to_string().into_bytes()))
}

/// The id that the record has from now on.
pub(super) fn merged(survivor: &RecordId, reply: &Reply) -> Result<Step, Fault> {
    if !(200..300).contains(&reply.status) {
        return refused(std::slice::from_ref(survivor), &faults::of_reply(reply, true));
    }
    let body = body(reply)?;
    let id = body.get("id").and_then(id_text).ok_or_else(|| Fault::malformed("the merged record has no id"))?;
    let outcome = WriteOutcome::Applied { id: id.into(), created: Some(false) };
    Ok(Step::Written(vec![written(survivor, outcome)]))
}

//! Who changed properties last.
//!
//! - The history comes with batch reads of at most 50 records (sheet: HubSpot section 4 \[code\]), every
//!   version with its time and its source (section 2.1 \[spec\]). The order of versions is not documented, so
//!   the newest time counts.
//! - A property that never changed has the version that it was made with; one that was never set has none.
//! - Links have no history.

use handover_connect::{Author, Change, Fault, Refusal, Reply, Request, Step};
use handover_model::{FieldName, RecordId};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::associations::is_link;
use super::capabilities::CALL;
use super::faults;
use super::gather::post;
use super::json::{body, id_text, results, text_at};
use super::objects::{Object, path};
use super::values::read_instant;

/// Records of one read with history (sheet: HubSpot section 4 \[code\]).
pub(super) const BATCH: u32 = 50;

fn properties(fields: &[FieldName]) -> impl Iterator<Item = &str> {
    fields.iter().map(FieldName::as_str).filter(|name| !is_link(name))
}

/// The request that reads the histories.
pub(super) fn request(object: &Object<'_>, fields: &[FieldName], ids: &[RecordId]) -> Result<Request, Refusal> {
    if !object.is_crm() {
        return Err(Refusal::unsupported(format!("{} have no history", object.name)));
    }
    let wanted: Vec<&str> = properties(fields).collect();
    if wanted.is_empty() {
        return Err(Refusal::unsupported("links have no history"));
    }
    let inputs: Vec<Json> = ids.iter().map(|id| json!({ "id": id })).collect();
    let body = json!({ "properties": ["hs_object_id"], "propertiesWithHistory": wanted, "inputs": inputs });
    Ok(post(format!("{}/{}/batch/read", path::OBJECTS, object.name), &CALL, &body))
}

/// The newest change of each property of each record. Records that are gone have none.
pub(super) fn told(fields: &[FieldName], reply: &Reply) -> Result<Step, Fault> {
    let body = body(reply)?;
    if let Some(fault) = faults::failed_read(&body, reply) {
        return Err(fault);
    }
    let mut changes = Vec::new();
    for result in results(&body)? {
        let id = result.get("id").and_then(id_text).ok_or_else(|| Fault::malformed("a record has no id"))?;
        let record = RecordId::from(id);
        let histories = result.get("propertiesWithHistory").unwrap_or(&Json::Null);
        for name in properties(fields) {
            let versions = histories.get(name).and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
            let newest = versions
                .iter()
                .filter_map(|version| Some((text_at(version, "timestamp").and_then(read_instant)?, version)))
                // Of equal times the first counts.
                .reduce(|newest: (Timestamp, &Json), next| if next.0 > newest.0 { next } else { newest });
            if let Some((at, version)) = newest {
                changes.push(Change { record: record.clone(), field: name.into(), at, by: author(version) });
            }
        }
    }
    Ok(Step::History(changes))
}

/// Who made a version (sheet: HubSpot section 2.1 \[spec\], section 8 \[doc\]: `userId:1`). Sources that the
/// sheet does not name are nobody's.
fn author(version: &Json) -> Author {
    let source = text_at(version, "sourceId").filter(|id| !id.is_empty());
    match text_at(version, "sourceType") {
        Some("CRM_UI") => {
            let named = source.and_then(|id| id.strip_prefix("userId:")).map(str::to_owned);
            Author::Person(named.or_else(|| version.get("updatedByUserId").and_then(id_text)))
        }
        Some("INTEGRATION" | "API") => Author::Program(source.map(str::to_owned)),
        Some("WORKFLOWS" | "AUTOMATION_PLATFORM") => Author::Platform,
        _ => Author::Unknown,
    }
}

//! Webhook deliveries: whether they are this environment's, and what they tell (sheet: Dynamics section 8 \[doc\]).
//!
//! - No body is signed. Whoever knows the key is believed: `WebhookKey` puts it into the address as `code`,
//!   `HttpHeader` into a header that the customer names.
//! - One message of one record for each delivery, or several records of `CreateMultiple` and `UpdateMultiple`. A
//!   delivery above 256 KB comes without its parameters; the record stands outside of them.
//! - Ids and the time only are read: records are fetched anew.

use handover_connect::{Delivery, Event, Fault, Happened};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::guid::is_guid;
use super::objects::{DOCUMENT, OBJECTS};
use crate::deliveries;

/// The table of notes, which holds files too.
const NOTES: &str = "annotation";
/// What stands for no record.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// What to register, so that an object's changes are told: an asynchronous step after the operation for each message.
/// Synchronous ones would make the platform's users wait for us.
pub(super) fn words(name: &str) -> Vec<String> {
    let known = OBJECTS.iter().find(|object| object.name == name);
    let table = known.map_or(name, |object| object.table);
    let merge = if known.is_some_and(|object| object.merges) { ", Merge" } else { "" };
    vec![format!("{table}: Create, Update, Delete{merge} (asynchronous, post-operation)")]
}

/// What a delivery tells.
pub(super) fn told(delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
    let in_header = || delivery.headers.iter().any(|(_, value)| deliveries::is_secret(delivery, value.as_bytes()));
    if !deliveries::has_key(delivery, "code") && !in_header() {
        let message = "the delivery knows the key neither in its address, as `code`, nor in a header";
        return Err(deliveries::refused(message));
    }
    let body = deliveries::json(delivery)?;
    let text = |name: &str| {
        let text = body.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| Fault::malformed(format!("the delivery has no `{name}`")))
    };
    let message = text("MessageName")?;
    let what = match message {
        "Create" | "CreateMultiple" => Happened::Created,
        // Which of two records a merge is about is not documented: either is looked at.
        "Update"
        | "UpdateMultiple"
        | "Assign"
        | "SetState"
        | "SetStateDynamicEntity"
        | "Merge"
        | "Associate"
        | "Disassociate" => Happened::Changed,
        "Delete" => Happened::Deleted,
        _ => return Ok(Vec::new()),
    };
    let at = body.get("OperationCreatedOn").and_then(Json::as_str).and_then(instant);
    let at = at.ok_or_else(|| Fault::malformed("the delivery has no time"))?;
    let (table, account) = (text("PrimaryEntityName")?, text("OrganizationId")?);
    let request =
        body.get("RequestId").or_else(|| body.get("CorrelationId")).and_then(Json::as_str).unwrap_or_default();
    let mut events = Vec::new();
    for id in ids(&body)? {
        for object in [Some(table), (table == NOTES).then_some(DOCUMENT)].into_iter().flatten() {
            events.push(Event {
                id: format!("{request}:{message}:{object}:{id}:{}", at.as_millisecond()),
                account: account.to_owned(),
                object: object.into(),
                record: id.as_str().into(),
                what: what.clone(),
                at,
            });
        }
    }
    Ok(events)
}

/// The records: the one that the message is about, or those of a message about several.
fn ids(body: &Json) -> Result<Vec<String>, Fault> {
    let id = |raw: &Json| {
        let id = raw.as_str().map(str::to_ascii_lowercase).filter(|id| is_guid(id));
        id.ok_or_else(|| Fault::malformed("the delivery names a record by no id"))
    };
    if let Some(raw) = body.get("PrimaryEntityId").filter(|raw| !raw.is_null() && *raw != NOBODY) {
        return Ok(vec![id(raw)?]);
    }
    let parameters = body.get("InputParameters").and_then(Json::as_array).into_iter().flatten();
    let targets = parameters.filter(|one| one.get("key").is_some_and(|key| key == "Targets"));
    let targets = targets.filter_map(|one| one.pointer("/value/Entities").and_then(Json::as_array)).flatten();
    targets.map(|target| id(target.get("Id").unwrap_or(&Json::Null))).collect()
}

/// `/Date(1509648372000)/`, with an offset or without: milliseconds since 1970.
fn instant(text: &str) -> Option<Timestamp> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let end = inner.rfind(['+', '-']).filter(|at| *at > 0).unwrap_or(inner.len());
    Timestamp::from_millisecond(inner.get(..end)?.parse().ok()?).ok()
}

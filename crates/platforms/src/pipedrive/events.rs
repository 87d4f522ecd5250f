//! Webhook deliveries: whether they are Pipedrive's, and what they tell (sheet: Pipedrive section 8).
//!
//! - Nothing is signed: HTTP Basic is all that says who sends (section 8 \[doc\]).
//! - One event for each delivery. Records of objects that this dialect does not know are passed over.
//! - A merge comes as the deletion of one record, which names the other, and a change of that one.
//! - Times and ids only are read: what the events say of values is typed otherwise than in the rest of the API.

use handover_connect::{Delivery, Event, Fault, Happened};
use handover_model::FieldName;
use jiff::Timestamp;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::form::id_text;
use super::object::Object;
use crate::deliveries;

/// What a delivery tells.
pub(super) fn told(delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
    if !deliveries::knows_password(delivery) {
        return Err(deliveries::refused("the delivery does not have the user and password of the webhook"));
    }
    let body = deliveries::json(delivery)?;
    let meta = body.get("meta").filter(|meta| meta.is_object());
    let meta = meta.ok_or_else(|| Fault::malformed("the delivery has no `meta`"))?;
    // v1 says `object` where v2 says `entity`.
    let event = if meta.get("entity").is_some() { second(meta) } else { first(meta, &body) };
    Ok(event?.into_iter().collect())
}

/// What to register, so that an object's changes are told.
pub(super) fn subscriptions(name: &str, _: &[FieldName]) -> Vec<String> {
    let word = match name {
        "activities" => "activity",
        name => name.strip_suffix('s').unwrap_or(name),
    };
    object(word).map(|_| format!("event_object={word} event_action=*")).into_iter().collect()
}

fn text<'m>(meta: &'m Json, name: &str) -> Result<&'m str, Fault> {
    let text = meta.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| Fault::malformed(format!("the delivery has no `{name}`")))
}

fn id(meta: &Json, name: &str) -> Result<String, Fault> {
    meta.get(name).and_then(id_text).ok_or_else(|| Fault::malformed(format!("the delivery has no `{name}`")))
}

/// The object of a singular, as events write it.
fn object(word: &str) -> Option<Object> {
    let plural = match word {
        "activity" => "activities".to_owned(),
        word => format!("{word}s"),
    };
    // Files and synced e-mail have no events (section 8 [spec]). Whether those of a deal's products name the deal is not
    // documented, and without it they name nothing.
    let has_events = |object: &Object| !matches!(object, Object::Files | Object::MailMessages | Object::DealProducts);
    Object::of(&plural).filter(has_events)
}

/// An event of webhooks v2.
fn second(meta: &Json) -> Result<Option<Event>, Fault> {
    let Some(object) = object(text(meta, "entity")?) else { return Ok(None) };
    let what = match (text(meta, "action")?, meta.get("merged_to_id").and_then(id_text)) {
        ("create", _) => Happened::Created,
        ("change", _) => Happened::Changed,
        ("delete", Some(into)) => Happened::MergedInto(into.into()),
        ("delete", None) => Happened::Deleted,
        _ => return Ok(None),
    };
    let at = text(meta, "timestamp")?.parse().map_err(|_| Fault::malformed("the delivery has no time"))?;
    Ok(Some(Event {
        id: text(meta, "id")?.to_owned(),
        account: id(meta, "company_id")?,
        object: object.name().into(),
        record: id(meta, "entity_id")?.into(),
        what,
        at,
    }))
}

/// An event of webhooks v1, which has no id: one is made of what it is about. It tells of a merge, but not of
/// which into which, so that is a change.
fn first(meta: &Json, body: &Json) -> Result<Option<Event>, Fault> {
    let Some(object) = object(text(meta, "object")?) else { return Ok(None) };
    let action = text(meta, "action")?;
    let what = match action {
        "added" => Happened::Created,
        "updated" | "merged" => Happened::Changed,
        "deleted" => Happened::Deleted,
        _ => return Ok(None),
    };
    let (record, account) = (id(meta, "id")?, id(meta, "company_id")?);
    let seconds = meta.get("timestamp").and_then(Json::as_i64);
    let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let at = at.ok_or_else(|| Fault::malformed("the delivery has no time"))?;
    // Times have whole seconds: what it was and became tells two changes within one apart.
    let mut hash = Sha256::new();
    for part in ["current", "previous"] {
        hash.update(body.get(part).map(Json::to_string).unwrap_or_default());
        hash.update([0]);
    }
    let mark: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let id = format!("{account}:{}:{record}:{action}:{}:{mark}", object.name(), at.as_second());
    Ok(Some(Event { id, account, object: object.name().into(), record: record.into(), what, at }))
}

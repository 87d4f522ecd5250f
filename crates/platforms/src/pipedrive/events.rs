//! Webhook deliveries: whether they are Pipedrive's, and what they tell (sheet: Pipedrive section 8).
//!
//! - Nothing is signed: HTTP Basic is all that says who sends (section 8 \[doc\]).
//! - One event for each delivery. Records of objects that this dialect does not know are passed over.
//! - A merge comes as the deletion of one record, which names the other, and a change of that one.
//! - Times and ids only are read: what the events say of values is typed otherwise than in the rest of the API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handover_connect::{Delivery, Event, Fault, FaultKind, Happened};
use handover_model::FieldName;
use jiff::Timestamp;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::form::id_text;
use super::object::Object;

/// What a delivery tells.
pub(super) fn told(delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
    check(delivery)?;
    let body: Json = serde_json::from_slice(delivery.body).map_err(|error| {
        Fault::malformed(format!("the delivery is not JSON: line {}, column {}", error.line(), error.column()))
    })?;
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

/// Whether the sender knows user and password.
fn check(delivery: &Delivery<'_>) -> Result<(), Fault> {
    let refused = |message: &str| Fault::new(FaultKind::Auth, "credentials", message);
    if delivery.secret.is_empty() || delivery.secret == ":" {
        return Err(refused("user and password of the webhook are not known"));
    }
    let header = delivery.headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.trim());
    let (scheme, told) = header.and_then(|header| header.split_once(' ')).unwrap_or_default();
    let told = STANDARD.decode(told.trim()).unwrap_or_default();
    let fits = bool::from(told.as_slice().ct_eq(delivery.secret.as_bytes()));
    if scheme.eq_ignore_ascii_case("basic") && fits {
        Ok(())
    } else {
        Err(refused("the delivery does not have the user and password of the webhook"))
    }
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

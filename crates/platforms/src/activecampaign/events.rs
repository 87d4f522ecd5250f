//! Webhook deliveries: whether they are ActiveCampaign's, and what they tell (sheet: ActiveCampaign section 8).
//!
//! - Nothing is signed. Whoever knows the secret is believed: as `user:password` of HTTP Basic, or as `key` in the
//!   address, which nobody can guess then.
//! - One event for each delivery, form-encoded with brackets. The account is not told, nor is any deletion or merge.
//! - Ids and the time only are read: amounts are in units here and not in cents.

use handover_connect::{Delivery, Event, Fault, Happened};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

use super::object::Object;
use crate::deliveries;

/// What each type tells: the object, the key of its id, and whether it was made. Of what is not here nothing is
/// needed. The keys of notes and tasks are not documented: without them nothing is told.
const TYPES: [(&str, Object, &str, bool); 17] = [
    ("subscribe", Object::Contacts, "contact[id]", false),
    ("unsubscribe", Object::Contacts, "contact[id]", false),
    ("update", Object::Contacts, "contact[id]", false),
    ("contact_tag_added", Object::Contacts, "contact[id]", false),
    ("contact_tag_removed", Object::Contacts, "contact[id]", false),
    ("list_add", Object::Contacts, "contact[id]", false),
    ("account_contact_add", Object::Contacts, "contact[id]", false),
    ("account_contact_update", Object::Contacts, "contact[id]", false),
    ("deal_add", Object::Deals, "deal[id]", true),
    ("deal_update", Object::Deals, "deal[id]", false),
    ("account_add", Object::Accounts, "account[id]", true),
    ("account_update", Object::Accounts, "account[id]", false),
    ("subscriber_note", Object::Notes, "note[id]", true),
    ("deal_note_add", Object::Notes, "note[id]", true),
    ("deal_task_add", Object::Tasks, "task[id]", true),
    ("contact_task_add", Object::Tasks, "task[id]", true),
    ("deal_task_complete", Object::Tasks, "task[id]", false),
];

/// Whose doing is told: everybody's. Our own writes are known when they come back, and those of other programs are news.
pub(super) const SOURCES: [&str; 4] = ["public", "admin", "api", "system"];

/// What a delivery tells.
pub(super) fn told(delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
    if !deliveries::knows_password(delivery) && !deliveries::has_key(delivery, "key") {
        let message = "the delivery knows neither user and password of the webhook nor the key in its address";
        return Err(deliveries::refused(message));
    }
    let pairs: Vec<_> = form_urlencoded::parse(delivery.body).collect();
    let of = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| &**value);
    let kind = of("type").ok_or_else(|| Fault::malformed("the delivery has no `type`"))?;
    let Some((_, object, key, is_new)) = TYPES.iter().find(|(name, ..)| *name == kind) else { return Ok(Vec::new()) };
    let Some(id) = of(key).filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())) else {
        return if matches!(object, Object::Notes | Object::Tasks) {
            Ok(Vec::new())
        } else {
            Err(Fault::malformed(format!("the delivery has no `{key}`")))
        };
    };
    let at: Option<Timestamp> = of("date_time").and_then(|at| at.parse().ok());
    let at = at.ok_or_else(|| Fault::malformed("the delivery has no time"))?;
    let mark: String = Sha256::digest(delivery.body).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok(vec![Event {
        id: format!("{}:{id}:{kind}:{}:{mark}", object.name(), at.as_second()),
        account: String::new(),
        object: object.name().into(),
        record: id.into(),
        what: if *is_new { Happened::Created } else { Happened::Changed },
        at,
    }])
}

/// What to register, so that an object's changes are told.
pub(super) fn subscriptions(name: &str) -> Vec<String> {
    let of = TYPES.iter().filter(|(_, object, ..)| object.name() == name);
    let events: Vec<&str> = of.map(|(event, ..)| *event).collect();
    if events.is_empty() {
        return Vec::new();
    }
    vec![format!("events={} sources={}", events.join(","), SOURCES.join(","))]
}

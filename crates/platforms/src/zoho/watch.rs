//! Notifications: the channels that tell what happens, and what they tell (sheet: Zoho section 8).
//!
//! - A channel lives for a week at most, and for an hour only when it asks for more: each is made for six days, so that
//!   a clock that differs does no harm. A new channel takes the place of one that ends.
//! - One channel for each module: a module that is refused keeps no other one from being told.
//! - Nothing is signed: the token that the channel was made with comes back in each delivery.
//! - A delivery names ids and no values; its address speaks of another version of the API and is not read.

use handover_connect::{
    Delivery, Event, Fault, FaultKind, Happened, Method, Refusal, Reply, Request, Step, Subscribe, Subscription,
    Wanted, without_query,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::capabilities::{CALL, PAGE};
use super::coql::instant;
use super::faults;
use super::json::{body, items, text_at};
use super::objects::{API, Family, object};
use super::place::Place;
use crate::deliveries;
use crate::marks::Mark as _;

/// How long a channel is made for (sheet: Zoho section 8).
const LIFE: SignedDuration = SignedDuration::from_hours(6 * 24);

/// Characters of a channel's token (sheet: Zoho section 8 \[spec\]).
const TOKEN: usize = 50;

/// What to subscribe to, so that an object's changes are told. Notes and attachments are not among the modules that can
/// be watched (public reference of the notification API, "Supported modules").
pub(super) fn words(name: &str) -> Vec<String> {
    match object(name).map(|object| object.family) {
        Ok(Family::Plain | Family::Activity) => vec![format!("{name}.all")],
        Ok(Family::Note | Family::Attachment) | Err(_) => Vec::new(),
    }
}

/// The request about channels.
pub(super) fn request(what: &Subscribe, page: u32) -> Result<Request, Refusal> {
    let path = format!("{API}/actions/watch");
    match what {
        Subscribe::List => Ok(Request::new(Method::Get, path, &CALL)
            .with_query("page", page.to_string())
            .with_query("per_page", PAGE.to_string())),
        Subscribe::Add(wanted) => Ok(Request::new(Method::Post, path, &CALL).with_json(channels(wanted)?)),
        Subscribe::Remove { id } => {
            Ok(Request::new(Method::Delete, path, &CALL).with_query("channel_ids", id.as_str()).idempotent())
        }
    }
}

/// A channel for each word.
fn channels(wanted: &Wanted) -> Result<Vec<u8>, Refusal> {
    let token = wanted.secret.expose_secret();
    if token.is_empty() || token.chars().count() > TOKEN {
        return Err(Refusal::secret(format!("Zoho takes a secret of 1 to {TOKEN} characters for its notifications")));
    }
    let until = wanted.now.checked_add(LIFE).unwrap_or(wanted.now);
    let channel = |word: &String| {
        json!({
            "channel_id": channel_id(wanted, word).to_string(), "events": [word], "channel_expiry": instant(until),
            "token": token, "notify_url": wanted.url, "notify_on_related_action": false,
            "return_affected_field_values": false,
        })
    };
    let watch: Vec<Json> = wanted.words.iter().map(channel).collect();
    Ok(json!({ "watch": watch }).to_string().into_bytes())
}

/// Ids of channels are ours to choose, any positive number of 64 bits (section 8); one that is there already is replaced.
/// So it says when the channel is made, which makes the next one another, and for what: nobody else's.
fn channel_id(wanted: &Wanted, word: &str) -> i64 {
    let mark = Sha256::new().chain_update(&wanted.url).chain_update([0]).chain_update(word).finalize();
    let mark = mark.iter().take(3).fold(0, |sum, byte| sum << 8 | i64::from(*byte));
    wanted.now.as_second() << 24 | mark
}

/// What the answer means.
pub(super) fn answered(what: &Subscribe, page: u32, reply: &Reply) -> Result<Step, Fault> {
    let none = Step::Subscriptions { subscriptions: Vec::new(), next: None };
    match (what, faults::check(reply)) {
        // Where there are no channels that is said in more than one way.
        (Subscribe::List | Subscribe::Remove { .. }, Err(fault)) if fault.kind == FaultKind::NotFound => Ok(none),
        (_, Err(fault)) => Err(fault),
        (Subscribe::List, Ok(())) => listed(page, &body(reply)?),
        (Subscribe::Add(_) | Subscribe::Remove { .. }, Ok(())) => {
            let body = body(reply)?;
            let faults = items(&body, "watch").iter().filter_map(faults::of_row);
            faults.filter(|fault| fault.kind != FaultKind::NotFound).map(Err).next().unwrap_or(Ok(none))
        }
    }
}

/// The channels of a page: each comes once for each of its modules.
fn listed(page: u32, body: &Json) -> Result<Step, Fault> {
    let subscription = |raw: &Json| {
        let id = raw
            .get("channel_id")
            .and_then(|id| id.as_str().map(str::to_owned).or_else(|| Some(id.as_i64()?.to_string())))?;
        let events = items(raw, "events").iter().filter_map(Json::as_str);
        Some(Subscription {
            id,
            url: without_query(text_at(raw, "notify_url")?).to_owned(),
            words: events.map(str::to_owned).collect(),
            until: text_at(raw, "channel_expiry").and_then(|until| until.parse().ok()),
            is_on: true,
        })
    };
    let subscriptions = items(body, "watch").iter().filter_map(subscription).collect();
    let more = body.pointer("/info/more_records").and_then(Json::as_bool).unwrap_or(false);
    Ok(Step::Subscriptions { subscriptions, next: more.then(|| Place::Page(page.saturating_add(1)).cursor()) })
}

/// What a delivery tells.
pub(super) fn told(delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
    let body = deliveries::json(delivery)?;
    if !deliveries::is_secret(delivery, text_at(&body, "token").unwrap_or_default().as_bytes()) {
        return Err(deliveries::refused("the delivery does not have the channel's token"));
    }
    let text =
        |name: &str| text_at(&body, name).ok_or_else(|| Fault::malformed(format!("the delivery has no `{name}`")));
    let (module, operation) = (text("module")?, text("operation")?);
    // Modules that are not carried, and operations that nobody documents, are passed over.
    if words(module).is_empty() {
        return Ok(Vec::new());
    }
    let what = match operation {
        "insert" => Happened::Created,
        "update" => Happened::Changed,
        "delete" => Happened::Deleted,
        _ => return Ok(Vec::new()),
    };
    let time = body.get("server_time").and_then(Json::as_i64).and_then(|at| Timestamp::from_millisecond(at).ok());
    let at = time.ok_or_else(|| Fault::malformed("the delivery has no time"))?;
    let event = |id: &Json| {
        let id = id.as_str().filter(|id| super::objects::is_id(id))?;
        Some(Event {
            id: format!("{module}:{id}:{operation}:{}", at.as_millisecond()),
            // It does not say of which organization it is.
            account: String::new(),
            object: module.into(),
            record: id.into(),
            what: what.clone(),
            at,
        })
    };
    let events: Option<Vec<Event>> = items(&body, "ids").iter().map(event).collect();
    events.ok_or_else(|| Fault::malformed("the delivery names a record by no id"))
}

//! Webhooks v2: subscriptions, events with typed custom fields, the ban for receivers that fail
//! (sheet: Pipedrive section 8 \[doc\]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::call::{Actor, Call, item_change, sees};
use super::kind::Kind;
use super::record::Record;
use super::refusal::{Answer, Refusal};
use super::render;
use super::time;
use super::upheaval;
use super::world::{Item, World, uuid_of};
use crate::journal::{Action, Change};
use crate::{Event, Reply, Retry, drawn};

const OBJECTS: [&str; 17] = [
    "*",
    "activity",
    "deal",
    "lead",
    "note",
    "organization",
    "person",
    "pipeline",
    "product",
    "stage",
    "user",
    "deal_product",
    "deal_installment",
    "project",
    "task",
    "board",
    "phase",
];

/// Waits before the second, third and fourth attempt, in milliseconds.
const RETRY_MS: [u64; 3] = [3_000, 30_000, 150_000];

/// First attempts that may fail before the webhook is banned, and for how many seconds.
const BAN_AFTER: u64 = 10;
const BAN_S: i64 = 30 * 60;

/// A webhook without a success for this long is deleted.
const DEAD_S: i64 = 3 * 24 * 3600;

/// Makes the events of a change of a record.
pub(super) fn announce(
    world: &mut World,
    call: &mut Call<'_>,
    kind: Kind,
    before: Option<&Record>,
    after: &Record,
    action: Action,
    merged: Option<u64>,
) {
    if kind == Kind::File || world.webhooks.is_empty() {
        return;
    }
    let (name, data) = match action {
        Action::Created => ("create", Some(after)),
        Action::Deleted | Action::Merged => ("delete", None),
        Action::Updated | Action::Restored | Action::Linked | Action::Unlinked => ("change", Some(after)),
        Action::Purged => return,
    };
    let current = data.map(|record| render::webhook(world, kind, record));
    let was = before.map(|record| render::webhook(world, kind, record));
    let previous = match (&current, was) {
        (Some(_), None) => Json::Null,
        (None, was) => was.map_or(Json::Null, Json::Object),
        (Some(current), Some(was)) => difference(current, &was),
    };
    let mut more = Map::new();
    if let Some(other) = merged {
        let key = if action == Action::Merged { "merged_to_id" } else { "merged_from_id" };
        more.insert(key.to_owned(), json!(other.to_string()));
    }
    let data = current.map_or(Json::Null, Json::Object);
    let id = match kind {
        Kind::Lead => after.text("uuid").to_owned(),
        _ => after.id.to_string(),
    };
    let seen = |world: &World, owner: u64| {
        let actor = Actor { user: owner, admin: world.is_admin(owner), ..Actor::default() };
        sees(world, &actor, kind, after)
    };
    send(world, call, Announcement { entity: kind.name(), action: name, id, data, previous, more }, seen);
}

/// Makes the events of a change of something that is not a record: a stage, a user, a deal's product.
pub(super) fn announce_item(
    world: &mut World,
    call: &mut Call<'_>,
    entity: &str,
    action: &str,
    id: u64,
    before: Option<&Item>,
    after: Option<&Item>,
) {
    if world.webhooks.is_empty() {
        return;
    }
    let data = after.map_or(Json::Null, |item| Json::Object(item.clone()));
    let previous = match (before, after) {
        (None, _) => Json::Null,
        (Some(was), None) => Json::Object(was.clone()),
        (Some(was), Some(is)) => difference(is, was),
    };
    let it = Announcement { entity, action, id: id.to_string(), data, previous, more: Map::new() };
    send(world, call, it, |_, _| true);
}

struct Announcement<'a> {
    entity: &'a str,
    action: &'a str,
    id: String,
    data: Json,
    previous: Json,
    more: Map<String, Json>,
}

/// The fields that changed, as they were.
fn difference(current: &Map<String, Json>, was: &Map<String, Json>) -> Json {
    let mut changed: Map<String, Json> = was
        .iter()
        .filter(|(key, value)| *key != "custom_fields" && current.get(*key) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let customs =
        |map: &Map<String, Json>| map.get("custom_fields").and_then(Json::as_object).cloned().unwrap_or_default();
    let (now, then) = (customs(current), customs(was));
    let custom: Map<String, Json> = now
        .keys()
        .chain(then.keys())
        .filter(|code| now.get(*code) != then.get(*code))
        .map(|code| (code.clone(), then.get(code).cloned().unwrap_or_default()))
        .collect();
    if !custom.is_empty() {
        changed.insert("custom_fields".to_owned(), Json::Object(custom));
    }
    Json::Object(changed)
}

fn send(world: &mut World, call: &mut Call<'_>, what: Announcement<'_>, seen: impl Fn(&World, u64) -> bool) {
    let fits = |hook: &Item, key: &str, value: &str| {
        hook.get(key).and_then(Json::as_str).is_some_and(|wanted| wanted == "*" || wanted == value)
    };
    let hooks: Vec<(u64, Item)> = world
        .webhooks
        .iter()
        .filter(|(_, hook)| fits(hook, "event_object", what.entity) && fits(hook, "event_action", what.action))
        .filter(|(_, hook)| banned_until(hook) <= call.at)
        .map(|(id, hook)| (*id, hook.clone()))
        .collect();
    for (id, hook) in hooks {
        let owner = hook.get("user_id").and_then(Json::as_u64).unwrap_or_default();
        if !seen(world, owner) {
            continue;
        }
        // Ids of events come from the time and the record, not from the counter of ids: subscribing
        // must not change which ids later records get.
        let number = call.events.len() as u64;
        let purpose = format!("event {id} {} {} {} {}", what.entity, what.id, what.action, call.now);
        let event_id = uuid_of(&drawn::hex(world.seed, &purpose, number, 32));
        let correlation = uuid_of(&drawn::hex(world.seed, &format!("correlation {}", call.now), 0, 32));
        let mut meta = json!({
            "action": what.action, "entity": what.entity, "entity_id": what.id, "id": event_id,
            "correlation_id": correlation, "company_id": world.account.company_id.to_string(),
            "user_id": call.actor.user.to_string(), "webhook_id": id.to_string(),
            "webhook_owner_id": owner.to_string(), "timestamp": time::millis(call.now), "type": "general",
            "version": "2.0", "change_source": upheaval::change_source(call),
            "is_bulk_edit": false, "attempt": 1,
            "host": format!("{}.pipedrive.com", world.account.company_domain),
            "permitted_user_ids": permitted(world, &seen),
        });
        if let Some(meta) = meta.as_object_mut() {
            meta.append(&mut what.more.clone());
        }
        call.events.push(Event {
            url: hook.get("subscription_url").and_then(Json::as_str).unwrap_or_default().to_owned(),
            headers: headers(&hook),
            body: json!({"meta": meta, "data": what.data, "previous": what.previous}),
        });
    }
}

fn permitted(world: &World, seen: &impl Fn(&World, u64) -> bool) -> Vec<String> {
    world.users.keys().filter(|user| seen(world, **user)).map(u64::to_string).collect()
}

fn headers(hook: &Item) -> Vec<(String, String)> {
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("user-agent".to_owned(), "Pipedrive Webhooks".to_owned()),
    ];
    let text = |key: &str| hook.get(key).and_then(Json::as_str).unwrap_or_default();
    if !text("http_auth_user").is_empty() {
        let pair = format!("{}:{}", text("http_auth_user"), text("http_auth_password"));
        headers.push(("authorization".to_owned(), format!("Basic {}", STANDARD.encode(pair))));
    }
    headers
}

fn banned_until(hook: &Item) -> i64 {
    hook.get("banned_until").and_then(Json::as_i64).unwrap_or_default()
}

/// Learns what became of a delivery, and says when to try again with the next attempt number.
pub(super) fn delivered(
    world: &mut World,
    event: &Event,
    attempt: u32,
    status: Option<u16>,
    now: Timestamp,
) -> Option<Retry> {
    let id: u64 = event.body.pointer("/meta/webhook_id")?.as_str()?.parse().ok()?;
    let hook = world.webhooks.get_mut(&id)?;
    let at = now.as_second();
    hook.insert("last_delivery_time".to_owned(), json!(time::v1(at)));
    hook.insert("last_http_status".to_owned(), json!(status));
    if status.is_some_and(|status| (200..300).contains(&status)) {
        hook.insert("failures".to_owned(), json!(0));
        hook.insert("last_success".to_owned(), json!(at));
        return None;
    }
    if attempt == 1 {
        let failures = hook.get("failures").and_then(Json::as_u64).unwrap_or_default() + 1;
        let ban = failures >= BAN_AFTER;
        hook.insert("failures".to_owned(), json!(if ban { 0 } else { failures }));
        if ban {
            hook.insert("banned_until".to_owned(), json!(at + BAN_S));
        }
    }
    let since = hook.get("last_success").and_then(Json::as_i64).unwrap_or(at);
    if at - since >= DEAD_S {
        world.webhooks.remove(&id);
        return None;
    }
    let after_ms = *RETRY_MS.get(usize::try_from(attempt).ok()?.checked_sub(1)?)?;
    let mut event = event.clone();
    if let Some(slot) = event.body.pointer_mut("/meta/attempt") {
        *slot = json!(attempt + 1);
    }
    Some(Retry { after_ms, event })
}

/// `GET /v1/webhooks`.
pub(super) fn list(world: &mut World, _call: &mut Call<'_>) -> Answer {
    let data: Vec<Json> = world.webhooks.values().map(shown).collect();
    Ok(Reply::json(200, &json!({"success": true, "status": "ok", "data": data})))
}

/// `POST /v1/webhooks`.
pub(super) fn create(world: &mut World, call: &mut Call<'_>) -> Answer {
    let body = call.v1_body()?;
    let text = |key: &str| body.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let mut errors = Map::new();
    if !address_fits(world, &text("subscription_url")) {
        errors.insert("subscription_url".to_owned(), json!(["invalid or non-reachable URL"]));
    }
    if !["create", "change", "delete", "*"].contains(&text("event_action").as_str()) {
        errors.insert("event_action".to_owned(), json!(["invalid event action"]));
    }
    if !OBJECTS.contains(&text("event_object").as_str()) {
        errors.insert("event_object".to_owned(), json!(["invalid event object"]));
    }
    if text("name").is_empty() {
        errors.insert("name".to_owned(), json!(["is required"]));
    }
    if !errors.is_empty() {
        let body = json!({"status": "error", "success": false, "errors": errors});
        return Err(Refusal(Box::new(Reply::json(400, &body))));
    }
    let owner = body.get("user_id").and_then(Json::as_u64).unwrap_or(call.actor.user);
    let own = world.webhooks.values().filter(|hook| hook.get("user_id") == Some(&json!(owner))).count();
    if own >= 40 {
        return Err(Refusal::status(422, "Webhook limit reached"));
    }
    let id = world.next_id("webhook");
    let hook = json!({
        "id": id, "company_id": world.account.company_id, "owner_id": call.actor.user, "user_id": owner,
        "event_action": text("event_action"), "event_object": text("event_object"),
        "subscription_url": text("subscription_url"), "name": text("name"), "version": "2.0",
        "is_active": 1, "add_time": time::v2(call.at), "remove_time": null, "type": "general",
        "http_auth_user": body.get("http_auth_user"), "http_auth_password": body.get("http_auth_password"),
        "remove_reason": null, "last_delivery_time": null, "last_http_status": null,
        "last_success": call.at, "failures": 0, "banned_until": 0,
    });
    let Json::Object(hook) = hook else { return Err(Refusal::bad("Bad request")) };
    call.changed(item_change("webhook", id, None, &hook));
    let data = shown(&hook);
    world.webhooks.insert(id, hook);
    Ok(Reply::json(201, &json!({"status": "ok", "success": true, "data": data})))
}

/// `DELETE /v1/webhooks/{id}`.
pub(super) fn delete(world: &mut World, call: &mut Call<'_>) -> Answer {
    let id = call.id(0)?;
    world.webhooks.remove(&id).ok_or_else(Refusal::not_found)?;
    call.changed(Change::new("webhook", id, Action::Deleted));
    Ok(Reply::json(200, &json!({"status": "ok", "success": true})))
}

/// The webhook without what only the sandbox keeps.
fn shown(hook: &Item) -> Json {
    let mut hook = hook.clone();
    for inner in ["last_success", "failures", "banned_until", "http_auth_password"] {
        hook.remove(inner);
    }
    Json::Object(hook)
}

/// Public HTTPS; loopback over plain HTTP when the settings allow it.
fn address_fits(world: &World, url: &str) -> bool {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|start| url.starts_with(start));
    (local && world.settings.loopback_webhooks) || (url.starts_with("https://") && url.len() > 8)
}

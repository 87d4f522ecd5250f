//! Webhook subscriptions, and the deliveries that follow from changes.
//!
//! Deliveries are JSON arrays of up to 100 events, signed v3 and v1 (sheet: HubSpot section 8
//! \[doc/code\]). Whether private apps also sign v3 is open; both headers are always there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::Hubspot;
use super::call::Call;
use super::instant::iso;
use super::kinds::{self, Kind, Kinds};
use super::links::Node;
use super::record::Source;
use super::refusal::{Answer, Refusal};
use crate::{Event, Reply, Retry};

/// Events in one delivery (sheet: section 8 \[doc\]).
const EVENTS_PER_DELIVERY: usize = 100;
/// Deliveries of one array, the first included (sheet: section 8 \[doc\]: up to 10 retries over 24 h).
const MAX_ATTEMPTS: u32 = 11;

/// One subscription of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Subscription {
    #[serde(default)]
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) app_id: u32,
    /// `contact.propertyChange`, ...
    pub(crate) event_type: String,
    #[serde(default)]
    pub(crate) property_name: Option<String>,
    /// For `object.*`: the kind.
    #[serde(default)]
    pub(crate) object_type_id: Option<String>,
    #[serde(default = "yes")]
    pub(crate) active: bool,
    #[serde(default)]
    pub(crate) created_at: i64,
    #[serde(default)]
    pub(crate) updated_at: i64,
}

/// Where an app wants its events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WebhookApp {
    pub(crate) app_id: u32,
    pub(crate) target_url: String,
    pub(crate) client_secret: String,
    pub(crate) subscriptions: Vec<Subscription>,
}

fn yes() -> bool {
    true
}

/// Something that happened and that someone may have subscribed to.
#[derive(Clone, Debug)]
pub(crate) struct Occurrence {
    kind: Kind,
    id: u64,
    /// `creation`, `propertyChange`, ...
    verb: &'static str,
    property: Option<String>,
    fields: Map<String, Json>,
    at: i64,
    source: Source,
}

impl Occurrence {
    fn new(kind: Kind, id: u64, verb: &'static str, fields: Json, at: i64, source: &Source) -> Self {
        let fields = if let Json::Object(fields) = fields { fields } else { Map::new() };
        Self { kind, id, verb, property: None, fields, at, source: source.clone() }
    }

    pub(crate) fn creation(kind: Kind, id: u64, at: i64, source: &Source) -> Self {
        Self::new(kind, id, "creation", json!({"changeFlag": "CREATED"}), at, source)
    }

    /// A record came back from the bin (sheet: HubSpot section 8, `*.restore` \[spec\]).
    pub(crate) fn restoration(kind: Kind, id: u64, at: i64, source: &Source) -> Self {
        Self::new(kind, id, "restore", json!({"changeFlag": "RESTORED"}), at, source)
    }

    pub(crate) fn deletion(kind: Kind, id: u64, at: i64, source: &Source) -> Self {
        Self::new(kind, id, "deletion", json!({"changeFlag": "DELETED"}), at, source)
    }

    pub(crate) fn erasure(kind: Kind, id: u64, at: i64, source: &Source) -> Self {
        Self::new(kind, id, "privacyDeletion", json!({"changeFlag": "DELETED"}), at, source)
    }

    pub(crate) fn property(kind: Kind, id: u64, name: String, value: String, at: i64, source: &Source) -> Self {
        let fields = json!({"propertyName": name, "propertyValue": value});
        Self { property: Some(name), ..Self::new(kind, id, "propertyChange", fields, at, source) }
    }

    pub(crate) fn merge(
        kind: Kind,
        primary: u64,
        merged: u64,
        new: u64,
        moved: usize,
        at: i64,
        source: &Source,
    ) -> Self {
        let fields = json!({"primaryObjectId": primary, "mergedObjectIds": [merged], "newObjectId": new,
            "numberOfPropertiesMoved": moved});
        Self::new(kind, new, "merge", fields, at, source)
    }

    pub(crate) fn association(from: Node, to: Node, name: String, removed: bool, at: i64, source: &Source) -> Self {
        let fields = json!({"associationType": name, "fromObjectId": from.id, "toObjectId": to.id,
            "associationRemoved": removed, "isPrimaryAssociation": false});
        Self::new(from.kind, from.id, "associationChange", fields, at, source)
    }

    fn wanted_by(&self, subscription: &Subscription, kinds: &Kinds) -> bool {
        let Some((object, verb)) = subscription.event_type.split_once('.') else { return false };
        let kind = match object {
            "object" => subscription.object_type_id.as_deref().and_then(|t| kinds.find(t)),
            named => kinds.find(named).filter(|kind| named_kind(*kind)),
        };
        let property = subscription.property_name.as_ref();
        subscription.active
            && kind == Some(self.kind)
            && verb == self.verb
            && (self.verb != "propertyChange" || property == self.property.as_ref())
    }

    fn json(&self, hub: &Hubspot, subscription: &Subscription, app: u32, event_id: u32) -> Json {
        let (source, source_id) = self.source.names();
        let mut out = self.fields.clone();
        if self.verb != "associationChange" {
            out.insert("objectId".into(), self.id.into());
        }
        if subscription.event_type.starts_with("object.") {
            out.insert("objectTypeId".into(), hub.world.kinds.type_id(self.kind).into());
        }
        for (name, value) in [
            ("changeSource", Json::from(source)),
            ("eventId", event_id.into()),
            ("subscriptionId", subscription.id.into()),
            ("portalId", hub.world.account.portal_id.into()),
            ("appId", app.into()),
            ("occurredAt", self.at.into()),
            ("subscriptionType", subscription.event_type.clone().into()),
            ("attemptNumber", 0.into()),
            ("sourceId", source_id.into()),
        ] {
            out.insert(name.into(), value);
        }
        Json::Object(out)
    }
}

/// The deliveries of what happened during a request, in the order or disorder of the settings.
pub(crate) fn deliveries(hub: &mut Hubspot, now: i64) -> Vec<Event> {
    let occurrences = std::mem::take(&mut hub.occurrences);
    if occurrences.is_empty() || hub.webhooks.is_empty() {
        return Vec::new();
    }
    let mut events = Vec::new();
    for app in &hub.webhooks {
        if app.target_url.is_empty() {
            continue;
        }
        let mut all = Vec::new();
        for (number, occurrence) in occurrences.iter().enumerate() {
            for subscription in app.subscriptions.iter().filter(|s| occurrence.wanted_by(s, &hub.world.kinds)) {
                let drawn = hub.draw("event", hub.requests ^ ((number as u64) << 32) ^ subscription.id);
                let event_id = u32::from_le_bytes([drawn[0], drawn[1], drawn[2], drawn[3]]);
                all.push(occurrence.json(hub, subscription, app.app_id, event_id));
            }
        }
        if hub.world.settings.webhook_shuffle {
            hub.shuffle(&mut all, "webhooks");
        }
        for chunk in all.chunks(EVENTS_PER_DELIVERY) {
            for attempt in 0..=hub.world.settings.webhook_repeats {
                events.push(delivery(app, numbered(chunk, attempt), now));
            }
        }
    }
    events
}

fn numbered(events: &[Json], attempt: u32) -> Json {
    let mut events = events.to_vec();
    for event in &mut events {
        if let Some(event) = event.as_object_mut() {
            event.insert("attemptNumber".into(), attempt.into());
        }
    }
    Json::Array(events)
}

fn delivery(app: &WebhookApp, body: Json, now: i64) -> Event {
    let text = body.to_string();
    let signed = format!("POST{}{text}{now}", signed_address(&app.target_url));
    // HMAC takes keys of any length: construction cannot fail.
    let v3 = Hmac::<Sha256>::new_from_slice(app.client_secret.as_bytes())
        .map(|mut mac| {
            mac.update(signed.as_bytes());
            STANDARD.encode(mac.finalize().into_bytes())
        })
        .unwrap_or_default();
    let v1 = hex(&Sha256::digest(format!("{}{text}", app.client_secret).as_bytes()));
    Event {
        url: app.target_url.clone(),
        headers: vec![
            ("content-type".into(), "application/json".into()),
            ("user-agent".into(), "HubSpot Connect 2.0 (http://dev.hubspot.com/)".into()),
            ("x-hubspot-signature".into(), v1),
            ("x-hubspot-signature-version".into(), "v1".into()),
            ("x-hubspot-signature-v3".into(), v3),
            ("x-hubspot-request-timestamp".into(), now.to_string()),
        ],
        body,
    }
}

/// The address under the third signature: twelve escapes stand decoded (sheet: section 8 \[doc\]).
fn signed_address(url: &str) -> String {
    let escapes = "%3A: %2F/ %3F? %40@ %21! %24$ %27' %28( %29) %2A* %2C, %3B;";
    escapes.split(' ').fold(url.to_owned(), |url, pair| {
        let (escape, plain) = pair.split_at(3);
        url.replace(escape, plain).replace(&escape.to_lowercase(), plain)
    })
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// When a failed delivery is tried again: after 30 s, doubling, up to ten times within a day.
pub(crate) fn retry(hub: &Hubspot, event: &Event, attempt: u32, status: Option<u16>, now: i64) -> Option<Retry> {
    if status.is_some_and(|s| s < 400) || attempt >= MAX_ATTEMPTS {
        return None;
    }
    let app = hub.webhooks.iter().find(|app| app.target_url == event.url)?;
    let after_ms = 30_000_u64 << attempt.saturating_sub(1).min(10);
    let at = now + i64::try_from(after_ms).unwrap_or_default();
    let body = numbered(event.body.as_array()?, attempt);
    Some(Retry { after_ms, event: delivery(app, body, at) })
}

/// `GET|POST /webhooks/v3/{appId}/subscriptions`, `GET|PATCH|DELETE .../{id}`,
/// `GET|PUT /webhooks/v3/{appId}/settings`.
pub(crate) fn route(hub: &mut Hubspot, call: &Call<'_>) -> Answer {
    let app_id: u32 = call.segment(2).parse().map_err(|_| Refusal::no_record())?;
    let at = match hub.webhooks.iter().position(|app| app.app_id == app_id) {
        Some(at) => at,
        None if call.request.method == "GET" => return Ok(Reply::json(200, &json!({"results": []}))),
        None => {
            hub.webhooks.push(WebhookApp { app_id, ..WebhookApp::default() });
            hub.webhooks.len() - 1
        }
    };
    let known = |property: &str, kind: Option<Kind>, hub: &Hubspot| {
        kind.is_none_or(|kind| hub.world.schema(kind).live(property).is_some())
    };
    let method = call.request.method.as_str();
    match (method, call.segment(3), call.path.len()) {
        (_, "settings", 4) => settings(hub, at, call),
        ("GET", "subscriptions", 4) => {
            let all: Vec<Json> = hub.webhooks.get(at).into_iter().flat_map(|a| &a.subscriptions).map(shown).collect();
            Ok(Reply::json(200, &json!({"results": all})))
        }
        ("POST", "subscriptions", 4) => {
            let mut wanted: Subscription = serde_json::from_value(Json::Object(call.object()?))
                .map_err(|error| Refusal::json(&error.to_string()))?;
            let kind = wanted.event_type.split('.').next().and_then(|name| hub.world.kinds.find(name));
            if wanted.event_type.ends_with("propertyChange")
                && !wanted.property_name.as_deref().is_some_and(|name| known(name, kind, hub))
            {
                return Err(Refusal::invalid("propertyName must be a property of the object"));
            }
            let used = hub.webhooks.iter().flat_map(|a| &a.subscriptions).map(|s| s.id).max().unwrap_or(0);
            wanted.id = used.max(24) + 1;
            wanted.app_id = app_id;
            (wanted.created_at, wanted.updated_at) = (call.now, call.now);
            let reply = Reply::json(201, &shown(&wanted));
            if let Some(app) = hub.webhooks.get_mut(at) {
                app.subscriptions.push(wanted);
            }
            Ok(reply)
        }
        (_, "subscriptions", 5) => one_subscription(hub, at, call),
        _ => Err(Refusal::not_found("resource not found")),
    }
}

fn one_subscription(hub: &mut Hubspot, at: usize, call: &Call<'_>) -> Answer {
    let id: u64 = call.segment(4).parse().map_err(|_| Refusal::no_record())?;
    let app = hub.webhooks.get_mut(at).ok_or_else(Refusal::no_record)?;
    let place = app.subscriptions.iter().position(|s| s.id == id).ok_or_else(Refusal::no_record)?;
    match call.request.method.as_str() {
        "DELETE" => {
            app.subscriptions.remove(place);
            Ok(super::no_content())
        }
        "PATCH" => {
            let active = call.object()?.get("active").and_then(Json::as_bool);
            let subscription = app.subscriptions.get_mut(place).ok_or_else(Refusal::no_record)?;
            subscription.active = active.unwrap_or(subscription.active);
            subscription.updated_at = call.now;
            Ok(Reply::json(200, &shown(subscription)))
        }
        "GET" => Ok(Reply::json(200, &app.subscriptions.get(place).map(shown).unwrap_or_default())),
        _ => Err(Refusal::new(405, "", "Method Not Allowed")),
    }
}

fn settings(hub: &mut Hubspot, at: usize, call: &Call<'_>) -> Answer {
    let app = hub.webhooks.get_mut(at).ok_or_else(Refusal::no_record)?;
    if call.request.method == "PUT" {
        let body = call.object()?;
        let url = body.get("targetUrl").and_then(Json::as_str).unwrap_or("");
        if !url.starts_with("http") {
            return Err(Refusal::invalid("targetUrl must be a URL"));
        }
        app.target_url = url.to_owned();
    }
    Ok(Reply::json(
        200,
        &json!({"targetUrl": app.target_url, "throttling": {"maxConcurrentRequests": 10},
            "createdAt": iso(0), "updatedAt": iso(call.now)}),
    ))
}

fn shown(subscription: &Subscription) -> Json {
    json!({"id": subscription.id.to_string(), "eventType": subscription.event_type,
        "propertyName": subscription.property_name, "objectTypeId": subscription.object_type_id,
        "active": subscription.active, "createdAt": iso(subscription.created_at),
        "updatedAt": iso(subscription.updated_at)})
}

/// Which kinds of object webhooks name in the singular (sheet: section 8 \[spec\]); others are `object.*`.
fn named_kind(kind: Kind) -> bool {
    matches!(
        kind,
        kinds::CONTACTS | kinds::COMPANIES | kinds::DEALS | kinds::TICKETS | kinds::PRODUCTS | kinds::LINE_ITEMS
    )
}

//! Notifications: channels, and what they are told (sheet: section 8).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::call::{Call, base};
use super::instant::{self, Seconds};
use super::refusal::{Answer, Refusal, nothing, success};
use super::scopes::Does;
use super::world::{Happened, Id, World};
use crate::journal::Action;
use crate::{Event, Reply, Request};

/// A channel lives so long when it does not say, or says more than it may.
const USUAL_S: Seconds = 3_600;

/// Characters of a token.
const TOKEN: usize = 50;

/// A channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Channel {
    /// `Deals.all`, `Contacts.edit`.
    pub(super) events: Vec<String>,
    pub(super) until: Seconds,
    pub(super) token: Option<String>,
    pub(super) url: String,
    pub(super) values: bool,
    pub(super) related: bool,
}

/// `/actions/watch`.
pub(super) fn answer(world: &mut World, call: &Call<'_>) -> Answer {
    call.may("ZohoCRM.notifications", Does::of(call.method()))?;
    let at = world.now;
    world.channels.retain(|_, channel| channel.until > at);
    match call.method() {
        "GET" => list(world, call),
        "POST" | "PUT" | "PATCH" => subscribe(world, call),
        "DELETE" => drop_all(world, call),
        _ => Err(Refusal::method()),
    }
}

fn list(world: &World, call: &Call<'_>) -> Answer {
    let (wanted, module) = (call.param("channel_id"), call.param("module"));
    let (per_page, page) = (call.number("per_page", 200, 200)?, call.number("page", usize::MAX, 1)?);
    let mut all = Vec::new();
    for (id, channel) in world.channels.iter().filter(|(id, _)| wanted.is_none_or(|wanted| wanted == *id)) {
        let mut of: std::collections::BTreeMap<&str, Vec<&String>> = std::collections::BTreeMap::new();
        for event in &channel.events {
            of.entry(event.split('.').next().unwrap_or("")).or_default().push(event);
        }
        for (name, events) in of.into_iter().filter(|(name, _)| module.is_none_or(|module| module == *name)) {
            let mut told = resource(world, call, name, id, channel);
            told["notify_url"] = json!(channel.url);
            told["token"] = json!(channel.token);
            told["events"] = json!(events);
            told["notify_on_related_action"] = json!(channel.related);
            told["return_affected_field_values"] = json!(channel.values);
            all.push(told);
        }
    }
    let start = (page - 1).saturating_mul(per_page);
    let here: Vec<&Json> = all.iter().skip(start).take(per_page).collect();
    if here.is_empty() {
        return Ok(nothing());
    }
    let more = all.len() > start + here.len();
    let info = json!({"per_page": per_page, "count": here.len(), "page": page, "more_records": more});
    Ok(Reply::json(200, &json!({"watch": here, "info": info})))
}

fn resource(world: &World, call: &Call<'_>, module: &str, id: &str, channel: &Channel) -> Json {
    json!({
        "channel_expiry": instant::told(channel.until, world.org.utc_offset_min),
        "resource_uri": format!("{}/crm/v{}/{module}", call.base(world), call.version),
        "resource_id": world.module(module).map(|module| module.id.to_string()),
        "resource_name": module, "channel_id": id,
    })
}

fn subscribe(world: &mut World, call: &Call<'_>) -> Answer {
    let (_, items) = call.items("watch", 100)?;
    let mut results = Vec::new();
    let mut failed = false;
    for (at, item) in items.iter().enumerate() {
        let item = item.as_object().cloned().unwrap_or_default();
        let path = format!("$.watch[{at}]");
        results.push(match channel(world, call, &item, &path) {
            Ok((id, channel)) => {
                let mut modules: Vec<&str> =
                    channel.events.iter().filter_map(|event| event.split('.').next()).collect();
                modules.dedup();
                let events: Vec<Json> = modules.iter().map(|name| resource(world, call, name, &id, &channel)).collect();
                world.channels.insert(id, channel);
                let message = match (call.method(), item.get("_delete_events") == Some(&json!(true))) {
                    ("PATCH", true) => "Successfully removed the subscribe details",
                    ("PATCH", false) => "Successfully updated the subscribe details",
                    _ => "Successfully subscribed for actions-watch of the given module",
                };
                Json::Object(success(message, json!({"events": events})))
            }
            Err(refusal) => {
                failed = true;
                refusal.item()
            }
        });
    }
    let status = match (failed, call.method()) {
        (true, _) => 202,
        (false, "POST") => 201,
        (false, _) => 200,
    };
    Ok(Reply::json(status, &json!({"watch": results})))
}

/// The channel that an item describes; a `PATCH` changes the one that is there.
fn channel(world: &World, call: &Call<'_>, item: &Map<String, Json>, path: &str) -> Result<(String, Channel), Refusal> {
    let wrong = |name: &str, expected: &str| Refusal::invalid(name, &format!("{path}.{name}"), expected);
    let id = item.get("channel_id").ok_or_else(|| Refusal::missing("channel_id", &format!("{path}.channel_id")))?;
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    if id.parse::<Id>().is_err() {
        return Err(wrong("channel_id", "bigint"));
    }
    let known = world.channels.get(&id).cloned();
    if call.method() != "POST" && known.is_none() {
        return Err(Refusal::new("NOT_SUBSCRIBED", "The channel is not subscribed").with(json!({"channel_id": id})));
    }
    let is_patch = call.method() == "PATCH";
    let mut channel =
        known.filter(|_| is_patch).unwrap_or(Channel { related: true, until: call.at + USUAL_S, ..Channel::default() });
    if let Some(events) = item.get("events") {
        let list = events.as_array().ok_or_else(|| wrong("events", "jsonarray"))?;
        let list: Option<Vec<String>> = list.iter().map(|event| event.as_str().map(str::to_owned)).collect();
        let list = list.filter(|list| !list.is_empty() && list.iter().all(|event| is_event(world, event)));
        let list = list.ok_or_else(|| wrong("events", "event"))?;
        match item.get("_delete_events") == Some(&json!(true)) {
            true => channel.events.retain(|event| !list.contains(event)),
            false => channel.events = list,
        }
    } else if !is_patch {
        return Err(Refusal::missing("events", &format!("{path}.events")));
    }
    match item.get("notify_url").map(Json::as_str) {
        Some(Some(url)) if url.starts_with("https://") || url.starts_with("http://") => channel.url = url.to_owned(),
        Some(_) => return Err(wrong("notify_url", "website")),
        None if is_patch => {}
        None => return Err(Refusal::missing("notify_url", &format!("{path}.notify_url"))),
    }
    if let Some(token) = item.get("token").and_then(Json::as_str) {
        if token.chars().count() > TOKEN {
            return Err(Refusal::too_long("token", &format!("{path}.token"), TOKEN));
        }
        channel.token = Some(token.to_owned());
    }
    if let Some(given) = item.get("channel_expiry") {
        let until = given.as_str().and_then(instant::read).ok_or_else(|| wrong("channel_expiry", "datetime"))?;
        // A week from v5 on, a day before.
        let most = call.at + if call.version >= 5 { 7 * 86_400 } else { 86_400 };
        channel.until = if until <= call.at || until > most { call.at + USUAL_S } else { until };
    }
    let flag = |name: &str, otherwise: bool| item.get(name).map_or(otherwise, |flag| flag == &json!(true));
    channel.values = flag("return_affected_field_values", channel.values);
    channel.related = flag("notify_on_related_action", channel.related);
    Ok((id, channel))
}

fn is_event(world: &World, event: &str) -> bool {
    let (module, word) = event.split_once('.').unwrap_or((event, ""));
    world.module(module).is_some() && ["all", "create", "edit", "delete"].contains(&word)
}

fn drop_all(world: &mut World, call: &Call<'_>) -> Answer {
    let ids = call.list("channel_ids").ok_or_else(|| Refusal::missing_param("channel_ids"))?;
    let results: Vec<Json> = ids
        .iter()
        .map(|id| match world.channels.remove(id) {
            Some(_) => {
                let message = "Successfully un-subscribed from actions-watch";
                Json::Object(success(message, json!({"channel_id": id})))
            }
            None => {
                let refusal = Refusal::new("NOT_SUBSCRIBED", "The channel is not subscribed");
                refusal.with(json!({"channel_id": id})).item()
            }
        })
        .collect();
    let status = if results.iter().any(|one| one["status"] == "error") { 202 } else { 200 };
    Ok(Reply::json(status, &json!({"watch": results})))
}

/// The deliveries that follow from what happened: one for each channel, module and operation.
pub(super) fn events(world: &World, request: &Request) -> Vec<Event> {
    let mut groups: Vec<(String, &'static str, Vec<&Happened>, bool)> = Vec::new();
    let mut add = |module: &str, word: &'static str, one, related: bool| match groups
        .iter_mut()
        .find(|group| group.0 == module && group.1 == word && group.3 == related)
    {
        Some(group) => group.2.push(one),
        None => groups.push((module.to_owned(), word, vec![one], related)),
    };
    for one in &world.happened {
        let word = match one.action {
            Action::Created | Action::Restored => "create",
            Action::Updated => "edit",
            Action::Deleted | Action::Merged => "delete",
            _ => continue,
        };
        add(&one.module, word, one, false);
        if let Some((parent, _)) = &one.parent {
            add(parent, "edit", one, true);
        }
    }
    let mut events = Vec::new();
    for (id, channel) in world.channels.iter().filter(|(_, channel)| channel.until > world.now) {
        for (module, word, all, related) in &groups {
            let wanted = [format!("{module}.all"), format!("{module}.{word}")];
            if channel.events.iter().any(|event| wanted.contains(event)) && (channel.related || !related) {
                events.push(delivery(world, request, id, channel, (module, word, all, *related)));
            }
        }
    }
    events
}

fn delivery(
    world: &World,
    request: &Request,
    id: &str,
    channel: &Channel,
    (module, word, all, related): (&str, &str, &[&Happened], bool),
) -> Event {
    let operation = match word {
        "create" => "insert",
        "edit" => "update",
        word => word,
    };
    let of = |one: &Happened| match (&one.parent, related) {
        (Some((_, parent)), true) => parent.to_string(),
        _ => one.id.to_string(),
    };
    let ids: Vec<String> = all.iter().map(|one| of(one)).collect();
    let affected: Vec<Json> = match channel.values && operation == "update" && !related {
        true => all.iter().map(|one| json!({one.id.to_string(): one.fields})).collect(),
        false => Vec::new(),
    };
    let body = json!({
        "server_time": world.now * 1_000, "query_params": {}, "module": module,
        // The callback speaks of v2 whatever the subscription did (sheet: section 8 [doc]).
        "resource_uri": format!("{}/crm/v2/{module}", base(request, world)), "ids": ids, "affected_fields": affected,
        "operation": operation, "channel_id": id, "token": channel.token,
    });
    Event { url: channel.url.clone(), headers: vec![("content-type".into(), "application/json".into())], body }
}

//! Call logs, v1: added and deleted, never changed (sheet: Pipedrive section 2.1).

use serde_json::{Value as Json, json};

use super::call::{Call, item_change};
use super::defaults::object;
use super::kind::Kind;
use super::page::offsets;
use super::refusal::{Answer, Refusal, offset_page, one};
use super::relations::number;
use super::time;
use super::world::World;
use crate::drawn;
use crate::journal::{Action, Change};

const OUTCOMES: [&str; 6] = ["connected", "no_answer", "left_message", "left_voicemail", "wrong_number", "busy"];

/// `GET /v1/callLogs`.
pub(super) fn list(world: &mut World, call: &mut Call<'_>) -> Answer {
    let (start, limit) = offsets(call)?;
    let mut rows: Vec<_> = world.calls.values().collect();
    rows.sort_by_key(|item| item.get("start_time").and_then(Json::as_str).unwrap_or_default().to_owned());
    let data: Vec<Json> = rows.iter().skip(start).take(limit).map(|item| Json::Object((*item).clone())).collect();
    Ok(offset_page(data, start, limit, rows.len() > start + limit))
}

/// `GET /v1/callLogs/{id}`.
pub(super) fn get(world: &mut World, call: &mut Call<'_>) -> Answer {
    let item = world.calls.get(call.part(0)).ok_or_else(Refusal::not_found)?;
    Ok(one(200, Json::Object(item.clone())))
}

/// `POST /v1/callLogs`.
pub(super) fn create(world: &mut World, call: &mut Call<'_>) -> Answer {
    let body = call.v1_body()?;
    let text = |key: &str| body.get(key).and_then(Json::as_str).unwrap_or_default();
    if text("to_phone_number").is_empty() {
        return Err(Refusal::bad("to_phone_number is required"));
    }
    if !OUTCOMES.contains(&text("outcome")) {
        return Err(Refusal::bad("outcome is not allowed"));
    }
    for key in ["start_time", "end_time"] {
        if time::read_v1(text(key)).or(time::read_v2(text(key))).is_none() {
            return Err(Refusal::bad(&format!("{key} must be in format YYYY-MM-DD HH:MM:SS")));
        }
    }
    let parents = [("person_id", Kind::Person), ("org_id", Kind::Organization), ("deal_id", Kind::Deal)];
    for (key, kind) in parents {
        if let Some(id) = number(body.get(key))
            && world.table(kind).live(id).is_none()
        {
            return Err(Refusal::bad(&format!("{} {id} does not exist", kind.name())));
        }
    }
    if body.contains_key("deal_id") && body.contains_key("lead_id") {
        return Err(Refusal::bad("A call log is linked to a deal or to a lead, not to both"));
    }
    let count = world.next_id("call");
    let id = drawn::hex(world.seed, "call", count, 32);
    let item = object(json!({
        "id": id, "activity_id": body.get("activity_id"), "person_id": number(body.get("person_id")),
        "org_id": number(body.get("org_id")), "deal_id": number(body.get("deal_id")), "lead_id": body.get("lead_id"),
        "subject": body.get("subject"), "duration": body.get("duration"), "outcome": text("outcome"),
        "from_phone_number": body.get("from_phone_number"), "to_phone_number": text("to_phone_number"),
        "has_recording": false, "start_time": text("start_time"), "end_time": text("end_time"),
        "user_id": number(body.get("user_id")).unwrap_or(call.actor.user), "company_id": world.account.company_id,
        "note": body.get("note"),
    }));
    call.changed(item_change("call_log", &id, None, &item));
    world.calls.insert(id, item.clone());
    Ok(one(200, Json::Object(item)))
}

/// `DELETE /v1/callLogs/{id}`.
pub(super) fn delete(world: &mut World, call: &mut Call<'_>) -> Answer {
    let id = call.part(0).to_owned();
    world.calls.remove(&id).ok_or_else(|| Refusal::status(410, "Call log is gone"))?;
    call.changed(Change::new("call_log", &id, Action::Deleted));
    Ok(one(200, json!({"id": id})))
}

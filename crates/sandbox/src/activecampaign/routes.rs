//! Where each request goes.

use serde_json::{Map, Value as Json, json};

use super::call::{Call, commit, delete};
use super::kind::Kind;
use super::refusal::{self, Answer, Refusal};
use super::render::{self, As};
use super::values;
use super::world::{Row, World};
use super::write::{self, find};
use super::{contacts, custom_objects, imports, list, webhooks};
use crate::Reply;
use crate::journal::Action;

/// Answers a request whose key was accepted; `parts` are the segments behind `/api/3`.
pub(super) fn answer(world: &mut World, call: &mut Call<'_>, parts: &[&str]) -> Answer {
    let method = match call.request.method.as_str() {
        // Recorded as working like PUT (sheet: section 2 [rec]).
        "PATCH" if parts != ["deals", "bulkUpdate"] && parts.get(1) != Some(&"bulkUpdate") => "PUT",
        other => other,
    };
    if let Some(answer) = special(world, call, method, parts) {
        return answer;
    }
    let Some(kind) = parts.first().and_then(|first| Kind::of(first)).filter(|kind| parts[0] == kind.shape().path)
    else {
        return Err(Refusal(Box::new(refusal::unknown_path())));
    };
    let does = |letter: char| kind.shape().does.contains(letter);
    match (method, parts) {
        ("GET", [_]) if does('l') => list::list(world, call, kind),
        ("POST", [_]) if does('c') => write::create(world, call, kind),
        ("GET", [_, id]) if kind == Kind::Contact => contacts::get(world, call, id),
        ("GET", [_, id]) if does('r') => write::find(world, kind, id).map(|row| one(world, call, kind, row)),
        ("PUT", [_, id]) if does('u') => write::update(world, call, kind, id),
        ("DELETE", [_, id]) if does('d') => write::remove(world, call, kind, id),
        ("GET", [_, id, below]) => contacts::below(world, call, kind, id, below),
        _ => Err(Refusal(Box::new(refusal::wrong_method()))),
    }
}

fn one(world: &World, call: &Call<'_>, kind: Kind, row: &Row) -> Reply {
    let mut body = Map::new();
    body.insert(kind.shape().one.to_owned(), render::row(world, call, kind, row, As::Told));
    Reply::json(200, &Json::Object(body))
}

/// The routes that are no collection's.
fn special(world: &mut World, call: &mut Call<'_>, method: &str, parts: &[&str]) -> Option<Answer> {
    Some(match (method, parts) {
        ("POST", ["contact", "sync"]) => contacts::sync(world, call),
        ("GET", ["fieldValues"]) => contacts::all_values(world, call),
        ("POST", ["fieldValues"]) | ("PUT", ["fieldValues", _]) => contacts::put_value(world, call),
        ("GET", ["dealCustomFieldData"]) => contacts::all_data(world, call, Kind::Deal),
        ("GET", ["accountCustomFieldData"]) => contacts::all_data(world, call, Kind::Account),
        ("POST", ["dealCustomFieldData"]) => contacts::put_data(world, call, Kind::Deal, false),
        ("POST", ["accountCustomFieldData"]) => contacts::put_data(world, call, Kind::Account, false),
        ("POST", ["dealCustomFieldData", "bulkCreate"]) | ("PATCH", ["dealCustomFieldData", "bulkUpdate"]) => {
            contacts::put_data(world, call, Kind::Deal, true)
        }
        ("POST", ["accountCustomFieldData", "bulkCreate"]) | ("PATCH", ["accountCustomFieldData", "bulkUpdate"]) => {
            contacts::put_data(world, call, Kind::Account, true)
        }
        ("POST", [parent @ ("accounts" | "deals"), id, "notes"]) => {
            contacts::note(world, call, Kind::of(parent)?, id, None)
        }
        ("PUT", [parent @ ("accounts" | "deals"), id, "notes", note]) => {
            contacts::note(world, call, Kind::of(parent)?, id, Some(note))
        }
        ("GET", ["users", "me"]) => me(world, call),
        ("GET", ["users", "email", email]) => user(world, call, "email", email),
        ("GET", ["users", "username", name]) => user(world, call, "username", name),
        ("POST", ["fieldOption", "bulk"]) => options(world, call),
        ("DELETE", ["accounts", "bulk_delete"]) => delete_accounts(world, call),
        ("PATCH", ["deals", "bulkUpdate"]) => owners(world, call),
        ("PUT", ["dealStages", stage, "deals"]) => move_deals(world, call, stage),
        ("GET", ["webhook", "events"]) => Ok(Reply::json(200, &json!({"webhookEvents": webhooks::EVENTS}))),
        (_, ["import", "bulk_import"] | ["import", "info"]) => imports::answer(world, call, method, parts),
        (_, ["customObjects", rest @ ..]) => custom_objects::answer(world, call, method, rest),
        _ => return None,
    })
}

fn me(world: &World, call: &Call<'_>) -> Answer {
    let user = world.get(Kind::User, call.user).ok_or_else(|| Refusal::not_found("User", "me"))?;
    Ok(one(world, call, Kind::User, user))
}

fn user(world: &World, call: &Call<'_>, key: &str, text: &str) -> Answer {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy().to_lowercase();
    let user = world.live(Kind::User).find(|user| user.text(key).to_lowercase() == decoded);
    let user = user.ok_or_else(|| Refusal::not_found("User", &decoded))?;
    Ok(one(world, call, Kind::User, user))
}

/// `POST /fieldOption/bulk`; its refusal is one plain string (sheet: section 7 \[spec\]).
fn options(world: &mut World, call: &mut Call<'_>) -> Answer {
    let body = call.body()?;
    let list = body.get("fieldOptions").and_then(Json::as_array).filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| Refusal::plain("fieldOptions is required"))?;
    let mut rows = Vec::new();
    for (n, item) in (0_u64..).zip(list) {
        let item = item.as_object().ok_or_else(|| Refusal::plain("fieldOptions is not a list of options"))?;
        let taken = write::take(world, call, Kind::FieldOption, None, item);
        let mut row = taken.map_err(|_| Refusal::plain("an option is not valid"))?.row;
        row.id += n;
        rows.push(row);
    }
    let ids: Vec<u64> = rows.iter().map(|row| row.id).collect();
    for row in rows {
        commit(world, call, Kind::FieldOption, None, row, Action::Created);
    }
    let told = ids.iter().filter_map(|id| world.get(Kind::FieldOption, *id));
    let told: Vec<Json> = told.map(|row| render::row(world, call, Kind::FieldOption, row, As::Told)).collect();
    Ok(Reply::json(201, &json!({"fieldOptions": told})))
}

fn delete_accounts(world: &mut World, call: &mut Call<'_>) -> Answer {
    let ids = call.repeated("ids");
    let most = call.interference.apply_only.unwrap_or(ids.len());
    for id in ids.into_iter().take(most) {
        delete(world, call, Kind::Account, id);
    }
    Ok(Reply::json(200, &json!({})))
}

/// `PATCH /deals/bulkUpdate`: owners only.
fn owners(world: &mut World, call: &mut Call<'_>) -> Answer {
    let body = call.body()?;
    let (mut success, mut nochange, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for item in body.get("deals").and_then(Json::as_array).into_iter().flatten() {
        let id = item.get("id").and_then(values::whole).unwrap_or_default();
        let owner = item.get("owner").and_then(values::whole).filter(|owner| world.get(Kind::User, *owner).is_some());
        match (world.get(Kind::Deal, id).cloned(), owner) {
            (Some(deal), Some(owner)) if deal.number("owner") == Some(owner) => nochange.push(id),
            (Some(before), Some(owner)) => {
                let mut after = before.clone();
                after.set("owner", Some(json!(owner)));
                after.updated = call.at;
                commit(world, call, Kind::Deal, Some(&before), after, Action::Updated);
                success.push(id);
            }
            _ => failed.push(id),
        }
    }
    Ok(Reply::json(200, &json!({"success": success, "nochange": nochange, "failed": failed})))
}

/// `PUT /dealStages/{id}/deals`: all deals of a stage into another of the same pipeline.
fn move_deals(world: &mut World, call: &mut Call<'_>, stage: &str) -> Answer {
    let from = find(world, Kind::Stage, stage)?.clone();
    let body = call.under("deal")?;
    let to = body.get("stage").and_then(values::whole).and_then(|id| world.get(Kind::Stage, id)).cloned();
    let to = to.ok_or_else(|| Refusal::related("stage"))?;
    if to.number("group") != from.number("group") {
        return Err(Refusal::key("stage", "field_invalid", "Target stage does not belong to same pipeline"));
    }
    let deals: Vec<Row> = world.pointing(Kind::Deal, "stage", from.id).cloned().collect();
    for before in deals {
        let mut after = before.clone();
        after.set("stage", Some(json!(to.id)));
        after.updated = call.at;
        commit(world, call, Kind::Deal, Some(&before), after, Action::Updated);
    }
    Ok(Reply::json(200, &json!({})))
}

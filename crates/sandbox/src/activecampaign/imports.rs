//! The bulk import of contacts (sheet: ActiveCampaign section 5 \[spec\]): an upsert by e-mail without automations and
//! webhooks, done at once here and told as completed.

use serde_json::{Map, Value as Json, json};

use super::call::{Call, commit};
use super::kind::Kind;
use super::refusal::{Answer, Refusal};
use super::values;
use super::world::{Row, World};
use super::write;
use crate::Reply;
use crate::journal::Action;

/// Contacts and bytes of one batch.
const MOST: usize = 250;
const MOST_BYTES: usize = 400_000;
/// Batches and single contacts in a minute.
const BATCHES: usize = 100;
const SINGLES: usize = 20;

pub(super) fn answer(world: &mut World, call: &mut Call<'_>, method: &str, parts: &[&str]) -> Answer {
    match (method, parts) {
        ("POST", ["import", "bulk_import"]) => import(world, call),
        ("GET", ["import", "bulk_import"]) => {
            let done: Vec<&String> = world.extras.imports.keys().collect();
            Ok(Reply::json(200, &json!({"outstanding": [], "recentlyCompleted": done})))
        }
        _ => {
            let batch = call.param("batchId").ok_or_else(|| Refusal::bad("'batchId' is a required field."))?;
            let told = world.extras.imports.get(batch).ok_or_else(|| Refusal::not_found("Import", batch))?;
            Ok(Reply::json(200, told))
        }
    }
}

fn import(world: &mut World, call: &mut Call<'_>) -> Answer {
    let body = call.body()?;
    let contacts = body.get("contacts").and_then(Json::as_array).cloned().unwrap_or_default();
    limit(world, call, contacts.len() == 1)?;
    let mut reasons = Vec::new();
    if contacts.is_empty() || contacts.len() > MOST || call.request.body.len() >= MOST_BYTES {
        reasons.push(json!({"failureReason": "1 to 250 contacts in less than 400,000 bytes are expected"}));
    }
    for (at, contact) in contacts.iter().enumerate() {
        let is_address = contact.get("email").and_then(Json::as_str).is_some_and(|email| email.contains('@'));
        if !is_address {
            reasons.push(json!({"contact": at, "failureReason": "A valid email address is required"}));
        }
    }
    if !reasons.is_empty() {
        let message = "JSON payload did not pass validation. No contacts were imported.";
        return Err(Refusal::import(message, &Json::Array(reasons)));
    }
    call.is_silent = true;
    let (mut success, mut failure) = (Vec::new(), Vec::new());
    let most = call.interference.apply_only.unwrap_or(contacts.len());
    for contact in contacts.iter().filter_map(Json::as_object).take(most) {
        match one(world, call, contact) {
            Ok(id) => success.push(id.to_string()),
            Err(_) => failure.push(contact.get("email").cloned().unwrap_or_default()),
        }
    }
    let batch = world.draw_uuid("import");
    let told = json!({"status": "completed", "success": success, "failure": failure});
    world.extras.imports.insert(batch.clone(), told);
    let queued = contacts.len();
    Ok(Reply::json(
        200,
        &json!({"Success": 1, "queued_contacts": queued, "batchId": batch, "message": "Contact import queued"}),
    ))
}

/// 100 batches and 20 single contacts in a minute; the refusal is a 400 that may be tried again.
fn limit(world: &mut World, call: &Call<'_>, is_single: bool) -> Result<(), Refusal> {
    let now = call.now.as_millisecond();
    world.extras.imported.retain(|(at, _)| at + 60_000 > now);
    let most = if is_single { SINGLES } else { BATCHES };
    let used = world.extras.imported.iter().filter(|(_, single)| *single == is_single).count();
    if world.settings.limits && used >= most {
        let why = format!("Up to {most} imports may be requested per minute");
        return Err(Refusal::import("Rate limit exceeded.", &json!([why])));
    }
    world.extras.imported.push((now, is_single));
    Ok(())
}

fn one(world: &mut World, call: &mut Call<'_>, contact: &Map<String, Json>) -> Result<u64, Refusal> {
    let text = |name: &str| contact.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
    let mut body = Map::new();
    for (name, key) in [("email", "email"), ("first_name", "firstName"), ("last_name", "lastName"), ("phone", "phone")]
    {
        if let Some(text) = text(name) {
            body.insert(key.to_owned(), json!(text));
        }
    }
    let fields = contact.get("fields").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let values: Json =
        fields.iter().map(|field| json!({"field": field.get("id"), "value": field.get("value")})).collect();
    body.insert("fieldValues".to_owned(), values);
    let email = text("email").unwrap_or_default();
    let before = world.with(Kind::Contact, "email", email).and_then(|id| world.get(Kind::Contact, id)).cloned();
    let taken = write::take(world, call, Kind::Contact, before.as_ref(), &body)?.row;
    let id = taken.id;
    let action = if before.is_some() { Action::Updated } else { Action::Created };
    commit(world, call, Kind::Contact, before.as_ref(), taken, action);
    for tag in contact.get("tags").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
        let tag = named(world, call, Kind::Tag, "tag", tag);
        join(world, call, Kind::ContactTag, "tag", (id, tag), None);
    }
    if let Some(name) = text("customer_acct_name") {
        let account = named(world, call, Kind::Account, "name", name);
        if world.pointing(Kind::AccountContact, "contact", id).next().is_none() {
            join(world, call, Kind::AccountContact, "account", (id, account), None);
        }
    }
    for (name, status) in [("subscribe", 1), ("unsubscribe", 2)] {
        for list in contact.get(name).and_then(Json::as_array).into_iter().flatten() {
            let list =
                list.get("listid").and_then(values::whole).filter(|list| world.get(Kind::MailingList, *list).is_some());
            if let Some(list) = list {
                join(world, call, Kind::ContactList, "list", (id, list), Some(status));
            }
        }
    }
    Ok(id)
}

/// The row of this name, made if there is none.
fn named(world: &mut World, call: &mut Call<'_>, kind: Kind, key: &'static str, name: &str) -> u64 {
    if let Some(id) = world.with(kind, key, name) {
        return id;
    }
    let mut row = Row::new(world.next_id(kind), call.at);
    row.set(key, Some(json!(name)));
    let id = row.id;
    commit(world, call, kind, None, row, Action::Created);
    id
}

/// A join of a contact with something, unless it is there. Who unsubscribed stays so.
fn join(world: &mut World, call: &mut Call<'_>, kind: Kind, key: &'static str, ids: (u64, u64), status: Option<u64>) {
    let there = world.pointing(kind, "contact", ids.0).find(|row| row.number(key) == Some(ids.1)).cloned();
    let mut row = there.clone().unwrap_or_else(|| Row::new(world.next_id(kind), call.at));
    let left = there.as_ref().is_some_and(|row| row.number("status") == Some(2));
    row.set("contact", Some(json!(ids.0)));
    row.set(key, Some(json!(ids.1)));
    if let Some(status) = status.filter(|status| !(left && *status == 1)) {
        row.set("status", Some(json!(status)));
    }
    if there.as_ref() != Some(&row) {
        let action = if there.is_some() { Action::Updated } else { Action::Created };
        commit(world, call, kind, there.as_ref(), row, action);
    }
}

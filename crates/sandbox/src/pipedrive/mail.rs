//! Synced e-mail: what can be read of it, per deal, per person and one by one, and the one thing that can
//! be done to it, deleting a thread (sheet: Pipedrive section 2.1 \[spec\]).
//!
//! A message hangs on the deal of its thread and on every person among its parties. A list shows neither
//! the deal nor the text: the text comes with `include_body=1` of a single message. The scope tells reading
//! from changing; nothing creates a message.

use serde_json::{Map, Value as Json, json};

use super::call::{Call, sees};
use super::kind::Kind;
use super::objects::kind_of;
use super::page::offsets;
use super::refusal::{Answer, Refusal, offset_page, one};
use super::world::{Item, World};
use crate::journal::{Action, Change};

/// Keys of the world file that no reply shows.
const HIDDEN: [&str; 3] = ["deal_id", "person_id", "body"];

/// Persons among the parties of a message, and the one that the world file names.
pub(super) fn persons_of(item: &Item) -> impl Iterator<Item = u64> + '_ {
    let parties = ["from", "to", "cc", "bcc"]
        .into_iter()
        .flat_map(|list| item.get(list).and_then(Json::as_array).into_iter().flatten())
        .filter_map(|party| party.get("linked_person_id").and_then(Json::as_u64));
    parties.chain(item.get("person_id").and_then(Json::as_u64))
}

/// `GET /v1/{deals,persons}/{id}/mailMessages`.
pub(super) fn list(world: &mut World, call: &mut Call<'_>) -> Answer {
    let kind = kind_of(call)?;
    let record = world.table(kind).live(call.id(0)?).ok_or_else(Refusal::not_found)?;
    if !sees(world, &call.actor, kind, record) {
        return Err(Refusal::not_found());
    }
    let (start, limit) = offsets(call)?;
    let ids = world.mail_of.get(&(kind, record.id));
    let mut mails = ids.into_iter().flatten().filter_map(|id| world.mail.get(id)).skip(start);
    let data: Vec<Json> = mails
        .by_ref()
        .take(limit)
        .map(|mail| json!({"object": "mailMessage", "timestamp": mail.get("message_time"), "data": shape(mail)}))
        .collect();
    let more = mails.next().is_some();
    Ok(offset_page(data, start, limit, more))
}

/// `GET /v1/mailbox/mailMessages/{id}?include_body=0|1`.
pub(super) fn get(world: &mut World, call: &mut Call<'_>) -> Answer {
    let with_body = match call.param("include_body") {
        None | Some("0") => false,
        Some("1") => true,
        Some(_) => return Err(Refusal::bad("Parameter 'include_body' must be 0 or 1")),
    };
    let mail = world.mail.get(&call.id(0)?).ok_or_else(Refusal::not_found)?;
    if !is_seen(world, call, mail) {
        return Err(Refusal::not_found());
    }
    let mut shown = shape(mail);
    if with_body {
        shown.insert("body".to_owned(), mail.get("body").cloned().unwrap_or(Json::Null));
    }
    Ok(one(200, Json::Object(shown)))
}

/// `DELETE /v1/mailbox/mailThreads/{id}`: its messages are shown nowhere from now on.
pub(super) fn delete_thread(world: &mut World, call: &mut Call<'_>) -> Answer {
    let thread = call.id(0)?;
    let of_thread = |item: &Item| item.get("mail_thread_id").and_then(Json::as_u64) == Some(thread);
    let gone: Vec<u64> = world.mail.iter().filter(|(_, item)| of_thread(item)).map(|(id, _)| *id).collect();
    if gone.is_empty() {
        return Err(Refusal::not_found());
    }
    for id in gone {
        world.mail.remove(&id);
        world.mail_of.values_mut().for_each(|ids| {
            ids.remove(&id);
        });
        call.changed(Change::new("mail_message", id, Action::Deleted));
    }
    Ok(one(200, json!({"id": thread, "deleted_flag": 1})))
}

/// A message is seen by its user and by whoever sees a record that it hangs on.
fn is_seen(world: &World, call: &Call<'_>, mail: &Item) -> bool {
    let own = mail.get("user_id").and_then(Json::as_u64) == Some(call.actor.user);
    let deal = mail.get("deal_id").and_then(Json::as_u64).map(|id| (Kind::Deal, id));
    let persons = persons_of(mail).map(|id| (Kind::Person, id));
    let mut hangs_on = deal.into_iter().chain(persons);
    own || call.actor.admin
        || hangs_on
            .any(|(kind, id)| world.table(kind).live(id).is_some_and(|record| sees(world, &call.actor, kind, record)))
}

fn shape(mail: &Item) -> Map<String, Json> {
    let has_body = mail.get("body").is_some_and(|body| !body.is_null());
    let mut shown = mail.clone();
    HIDDEN.iter().for_each(|key| drop(shown.remove(*key)));
    shown.insert("has_body_flag".to_owned(), json!(u8::from(has_body)));
    shown
}

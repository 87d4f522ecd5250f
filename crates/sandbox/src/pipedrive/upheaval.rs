//! What happens without a request: the purge of old deletions, and disturbances of a fault plan.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::call::{Call, Commit, commit};
use super::kind::{Form, Kind};
use super::merge::unite;
use super::record::Record;
use super::world::World;
use super::{derive, relations, time};
use crate::faults::{DisturbAction, Disturbance, Interference, Which};
use crate::journal::{Action, Change};
use crate::{Event, Request};

/// Deleted records are gone for good after 30 days (sheet: Pipedrive section 4 \[doc\]).
const KEPT_S: i64 = 30 * 86_400;

/// Takes out what was deleted too long ago.
pub(super) fn purge(world: &mut World, call: &mut Call<'_>) {
    let horizon = call.at - KEPT_S;
    for kind in Kind::ALL {
        for id in world.table(kind).deleted_before(horizon) {
            if let Some(record) = world.table_mut(kind).take(id) {
                world.leads_by_uuid.remove(record.text("uuid"));
                world.changelog.remove(&(kind, id));
                if kind == Kind::File {
                    world.contents.remove(&id);
                }
                if kind == Kind::Deal {
                    world.participants.remove_deal(id);
                    world.deal_products.remove(&id);
                }
                call.changed(Change::new(kind.name(), id, Action::Purged));
            }
        }
    }
}

/// How a change is named that comes from no request.
const BY_HAND: &str = "DISTURB";

/// Where a change comes from: the web application, in which people work, or the API.
pub(super) fn change_source(call: &Call<'_>) -> &'static str {
    if call.request.method == BY_HAND { "app" } else { "api" }
}

/// Changes a record as a user in the web application would, somebody who has no token: change source `app`.
pub(super) fn disturb(world: &mut World, disturbance: &Disturbance, now: Timestamp) -> (Vec<Change>, Vec<Event>) {
    let (request, interference) = (Request::new(BY_HAND, "/"), Interference::default());
    let mut call = Call::new(&request, now, &interference);
    let has_token = |user: &u64| world.account.api_tokens.iter().any(|token| token.user_id == *user);
    call.actor.user = world.users.keys().copied().find(|user| !has_token(user)).unwrap_or_default();
    if let Some(kind) = Kind::of_name(&disturbance.object).or(Kind::of_plural(&disturbance.object)) {
        act(world, &mut call, kind, disturbance);
    }
    (call.changes, call.events)
}

fn act(world: &mut World, call: &mut Call<'_>, kind: Kind, disturbance: &Disturbance) {
    if let DisturbAction::Create { fields } = &disturbance.action {
        return create(world, call, kind, fields);
    }
    if let (DisturbAction::Restore, Which::Id(id)) = (&disturbance.action, &disturbance.which) {
        return restore(world, call, kind, id);
    }
    let Some(before) = chosen(world, kind, &disturbance.which) else { return };
    let mut after = before.clone();
    let mut action = Action::Updated;
    match &disturbance.action {
        DisturbAction::Change { field, value } => set(world, kind, &mut after, field, value),
        DisturbAction::Delete => {
            after.deleted = Some(call.at);
            action = Action::Deleted;
        }
        DisturbAction::Merge { into } => {
            let fits = matches!(kind, Kind::Deal | Kind::Person | Kind::Organization);
            if let Some(into) = into.parse().ok().filter(|into| fits && *into != before.id) {
                unite(world, call, kind, before.id, into);
            }
            return;
        }
        DisturbAction::Link { object, to } => return relate(world, call, &before, object, to, true),
        DisturbAction::Unlink { object, to } => return relate(world, call, &before, object, to, false),
        DisturbAction::Touch | DisturbAction::Restore | DisturbAction::Create { .. } => {}
    }
    after.updated = Some(call.at);
    commit(world, call, Commit { kind, before: Some(before), after, action, merged: None });
}

/// Brings a record back from the bin.
fn restore(world: &mut World, call: &mut Call<'_>, kind: Kind, id: &str) {
    let before = id.parse().ok().and_then(|id| world.table(kind).get(id)).cloned();
    let Some(before) = before.filter(|record| record.deleted.is_some()) else { return };
    let mut after = before.clone();
    after.deleted = None;
    after.updated = Some(call.at);
    commit(world, call, Commit { kind, before: Some(before), after, action: Action::Restored, merged: None });
}

/// Puts a person into a deal beside the main one, or takes one out; the deal's update time stays.
fn relate(world: &mut World, call: &mut Call<'_>, deal: &Record, object: &str, to: &str, add: bool) {
    let is_person = Kind::of_name(object).or(Kind::of_plural(object)) == Some(Kind::Person);
    let Some(person) = to.parse().ok().filter(|id| is_person && world.table(Kind::Person).live(*id).is_some()) else {
        return;
    };
    if add {
        relations::take_part(world, call, deal.id, person);
    } else {
        relations::leave(world, call, deal.id, person);
    }
}

/// The living record that a disturbance hits.
fn chosen(world: &World, kind: Kind, which: &Which) -> Option<Record> {
    let table = world.table(kind);
    let record = match which {
        Which::Id(id) if kind == Kind::Lead => table.live(*world.leads_by_uuid.get(id)?),
        Which::Id(id) => table.live(id.parse().ok()?),
        Which::Nth(n) => table.all().filter(|record| record.deleted.is_none()).nth(usize::try_from(*n).ok()?),
    };
    record.cloned()
}

fn set(world: &World, kind: Kind, record: &mut Record, name: &str, value: &Json) {
    if let Some(field) = world.fields(kind).get_custom(name) {
        record.set_custom(&field.code, value.clone());
    } else if let Some(key) = kind.key(name) {
        let value = if *value == key.unset.value() { Json::Null } else { value.clone() };
        let value = match (key.form, value) {
            (Form::Instant | Form::ArchiveInstant, Json::String(at)) => {
                time::read_any(&at).map_or(Json::Null, |at| json!(time::v2(at)))
            }
            (_, value) => value,
        };
        record.set(key.name, value);
        if name == "participants" {
            record.set("person_id", Json::Null);
        }
        derive::settle(world, kind, record);
    }
}

fn create(world: &mut World, call: &mut Call<'_>, kind: Kind, fields: &Json) {
    let id = world.table(kind).peek_next();
    let mut record = Record::new(id, call.at);
    let owner = json!(world.users.keys().next().copied().unwrap_or(1));
    for key in ["owner_id", "user_id", "creator_user_id"] {
        if let Some(key) = kind.key(key) {
            record.set(key.name, owner.clone());
        }
    }
    if kind == Kind::Lead {
        let uuid = world.draw_uuid("lead");
        record.set("uuid", json!(uuid));
        world.leads_by_uuid.insert(uuid, id);
    }
    for (name, value) in fields.as_object().into_iter().flatten() {
        match value.as_object().filter(|_| name == "custom_fields") {
            Some(custom) => custom.iter().for_each(|(code, value)| set(world, kind, &mut record, code, value)),
            None => set(world, kind, &mut record, name, value),
        }
    }
    derive::settle(world, kind, &mut record);
    commit(world, call, Commit { kind, before: None, after: record, action: Action::Created, merged: None });
}

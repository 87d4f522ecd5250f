//! What happens without a request: the purge of old deletions, and disturbances of a fault plan.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::call::{Call, Commit, commit};
use super::kind::{Form, Kind};
use super::merge::unite;
use super::record::Record;
use super::world::World;
use super::{derive, time};
use crate::Request;
use crate::faults::{DisturbAction, Disturbance, Interference, Which};
use crate::journal::{Action, Change};

/// Deleted records are gone for good after 30 days (sheet: Pipedrive section 4 [doc]).
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
                    world.participants.remove(&id);
                    world.deal_products.remove(&id);
                }
                call.changed(Change::new(kind.name(), id, Action::Purged));
            }
        }
    }
}

/// Changes a record as a user in the web application would: actor 0, change source `app`.
pub(super) fn disturb(world: &mut World, disturbance: &Disturbance, now: Timestamp) -> Vec<Change> {
    let (request, interference) = (Request::new("DISTURB", "/"), Interference::default());
    let mut call = Call::new(&request, now, &interference);
    let kind = Kind::of_name(&disturbance.object).or(Kind::of_plural(&disturbance.object));
    let Some(kind) = kind else { return Vec::new() };
    if let DisturbAction::Create { fields } = &disturbance.action {
        create(world, &mut call, kind, fields);
        return call.changes;
    }
    let record = match &disturbance.which {
        Which::Id(id) if kind == Kind::Lead => {
            world.leads_by_uuid.get(id).and_then(|row| world.table(kind).live(*row)).cloned()
        }
        Which::Id(id) => id.parse().ok().and_then(|id| world.table(kind).live(id)).cloned(),
        Which::Nth(n) => {
            let mut living = world.table(kind).all().filter(|record| record.deleted.is_none());
            usize::try_from(*n).ok().and_then(|n| living.nth(n)).cloned()
        }
    };
    let Some(before) = record else { return Vec::new() };
    if let DisturbAction::Merge { into } = &disturbance.action {
        let fits = matches!(kind, Kind::Deal | Kind::Person | Kind::Organization);
        if let Some(into) = into.parse().ok().filter(|into| fits && *into != before.id) {
            unite(world, &mut call, kind, before.id, into);
        }
        return call.changes;
    }
    let mut after = before.clone();
    let mut action = Action::Updated;
    match &disturbance.action {
        DisturbAction::Change { field, value } => set(world, kind, &mut after, field, value),
        DisturbAction::Delete => {
            after.deleted = Some(call.at);
            action = Action::Deleted;
        }
        DisturbAction::Touch | DisturbAction::Merge { .. } | DisturbAction::Create { .. } => {}
    }
    after.updated = Some(call.at);
    commit(world, &mut call, Commit { kind, before: Some(before), after, action, merged: None });
    call.changes
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

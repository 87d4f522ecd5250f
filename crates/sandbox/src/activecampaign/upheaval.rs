//! Disturbances of a fault plan: what people do in the application.

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::call::{BY_HAND, Call, commit, delete};
use super::kind::Kind;
use super::values;
use super::world::{Row, World};
use super::{rules, write};
use crate::faults::{DisturbAction, Disturbance, Interference, Which};
use crate::journal::{Action, Change};
use crate::{Event, Request};

/// Changes a record as a user in the application would.
pub(super) fn disturb(world: &mut World, disturbance: &Disturbance, now: Timestamp) -> (Vec<Change>, Vec<Event>) {
    let (request, interference) = (Request::new(BY_HAND, "/"), Interference::default());
    let mut call = Call::new(world, &request, now, &interference);
    if let Some(kind) = Kind::of(&disturbance.object) {
        act(world, &mut call, kind, disturbance);
    }
    (call.changes, call.events)
}

fn act(world: &mut World, call: &mut Call<'_>, kind: Kind, disturbance: &Disturbance) {
    if let DisturbAction::Create { fields } = &disturbance.action {
        let body = fields.as_object().cloned().unwrap_or_default();
        if let Ok(taken) = write::take(world, call, kind, None, &body) {
            commit(world, call, kind, None, taken.row, Action::Created);
        }
        return;
    }
    if let (DisturbAction::Restore, Which::Id(id)) = (&disturbance.action, &disturbance.which) {
        let gone = id.parse().ok().and_then(|id| world.any(kind, id)).filter(|row| !row.is_live()).cloned();
        if let Some(before) = gone {
            let mut after = Row { deleted: None, updated: call.at, ..before.clone() };
            after.set("deleted", None);
            commit(world, call, kind, Some(&before), after, Action::Restored);
        }
        return;
    }
    let Some(before) = chosen(world, kind, &disturbance.which) else { return };
    let mut after = Row { updated: call.at, ..before.clone() };
    match &disturbance.action {
        DisturbAction::Delete => return delete(world, call, kind, before.id),
        DisturbAction::Change { field, value } => {
            let body = body_of(world, kind, field, value);
            let Ok(taken) = write::take(world, call, kind, Some(&before), &body) else { return };
            after = Row { updated: call.at, ..taken.row };
        }
        DisturbAction::Link { object, to } => return relate(world, call, kind, &before, (object, to), true),
        DisturbAction::Unlink { object, to } => return relate(world, call, kind, &before, (object, to), false),
        // Contacts can be merged by people only, and nothing tells of it: the other one is gone.
        DisturbAction::Merge { into } => {
            let fits = matches!(kind, Kind::Contact | Kind::Account) && into.parse() != Ok(before.id);
            if fits && let Some(into) = into.parse().ok().filter(|into| world.get(kind, *into).is_some()) {
                return merge(world, call, kind, &before, into);
            }
            return;
        }
        DisturbAction::Touch | DisturbAction::Restore | DisturbAction::Create { .. } => {}
    }
    commit(world, call, kind, Some(&before), after, Action::Updated);
}

/// A body that sets one key, or one custom value by the id of its field: `field_5`.
fn body_of(world: &World, kind: Kind, field: &str, value: &Json) -> Map<String, Json> {
    let mut body = Map::new();
    match field.strip_prefix("field_").and_then(|id| id.parse::<u64>().ok()) {
        Some(id) if kind == Kind::Contact => {
            body.insert("fieldValues".to_owned(), json!([{"field": id, "value": value}]));
        }
        Some(id) => {
            let is_money = kind
                .fields()
                .and_then(|fields| world.get(fields, id))
                .is_some_and(|row| row.text("fieldType") == "currency");
            let currency = if is_money { json!("usd") } else { Json::Null };
            body.insert(
                "fields".to_owned(),
                json!([{"customFieldId": id, "fieldValue": value, "fieldCurrency": currency}]),
            );
        }
        None => drop(body.insert(field.to_owned(), value.clone())),
    }
    body
}

/// The living row that a disturbance hits.
fn chosen(world: &World, kind: Kind, which: &Which) -> Option<Row> {
    match which {
        Which::Id(id) => world.get(kind, id.parse().ok()?).cloned(),
        Which::Nth(n) => world.live(kind).nth(usize::try_from(*n).ok()?).cloned(),
    }
}

/// A contact's account, or a deal's further contact.
fn relate(world: &mut World, call: &mut Call<'_>, kind: Kind, row: &Row, other: (&str, &str), add: bool) {
    let to = values::whole(&json!(other.1));
    let (join, own, key) = match (kind, Kind::of(other.0)) {
        (Kind::Contact, Some(Kind::Account)) => (Kind::AccountContact, "contact", "account"),
        (Kind::Deal, Some(Kind::Contact)) => (Kind::ContactDeal, "deal", "contact"),
        _ => return,
    };
    let there = world.pointing(join, own, row.id).find(|join| join.number(key) == to).map(|join| join.id);
    match (there, to) {
        (Some(id), _) if !add => delete(world, call, join, id),
        (None, Some(to)) if add => {
            let mut new = Row::new(world.next_id(join), call.at);
            new.set(own, Some(json!(row.id)));
            new.set(key, Some(json!(to)));
            if rules::settle(world, call, join, None, &mut new).is_ok() {
                commit(world, call, join, None, new, Action::Created);
            }
        }
        _ => {}
    }
}

/// What hung on the merged record hangs on the survivor, whose own values win.
fn merge(world: &mut World, call: &mut Call<'_>, kind: Kind, gone: &Row, into: u64) {
    let key = if kind == Kind::Contact { "contact" } else { "account" };
    let deals: Vec<Row> = world.pointing(Kind::Deal, key, gone.id).cloned().collect();
    for before in deals {
        let mut after = Row { updated: call.at, ..before.clone() };
        after.set(key, Some(json!(into)));
        commit(world, call, Kind::Deal, Some(&before), after, Action::Updated);
    }
    delete(world, call, kind, gone.id);
    if let Some(before) = world.get(kind, into).cloned() {
        let after = Row { updated: call.at, ..before.clone() };
        commit(world, call, kind, Some(&before), after, Action::Updated);
    }
}

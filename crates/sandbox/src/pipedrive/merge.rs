//! Merging: the record of the path is merged into `merge_with_id`, whose values win (sheet: Pipedrive
//! section 2.1 \[spec\]).

use serde_json::{Value as Json, json};

use super::call::{Call, Commit, commit, sees};
use super::kind::{Access, Kind};
use super::objects::kind_of;
use super::record::Record;
use super::refusal::{Answer, Refusal, one};
use super::relations::number;
use super::render;
use super::world::World;
use crate::journal::Action;

/// `PUT /v1/{deals,persons,organizations}/{id}/merge`.
pub(super) fn merge(world: &mut World, call: &mut Call<'_>) -> Answer {
    let kind = kind_of(call)?;
    let gone = call.id(0)?;
    let body = call.v1_body()?;
    let into =
        number(body.get("merge_with_id")).ok_or_else(|| Refusal::bad("Bad request: merge_with_id is required"))?;
    if gone == into {
        return Err(Refusal::bad("A record cannot be merged with itself"));
    }
    for id in [gone, into] {
        let record = world.table(kind).live(id).ok_or_else(Refusal::not_found)?;
        if !sees(world, &call.actor, kind, record) {
            return Err(Refusal::not_found());
        }
    }
    unite(world, call, kind, gone, into);
    let survivor = world.table(kind).get(into).ok_or_else(Refusal::not_found)?;
    let mut data = render::v2(world, kind, survivor, None);
    if kind == Kind::Person {
        data.insert("merge_what_id".to_owned(), json!(gone));
    }
    Ok(one(200, Json::Object(data)))
}

/// Merges two living records, moves what hung on the lost one, and remembers where it went.
pub(super) fn unite(world: &mut World, call: &mut Call<'_>, kind: Kind, gone: u64, into: u64) {
    let (Some(lost), Some(before)) = (world.table(kind).live(gone).cloned(), world.table(kind).live(into).cloned())
    else {
        return;
    };
    let mut after = before.clone();
    inherit(world, kind, &lost, &mut after);
    after.updated = Some(call.at);
    let mut away = lost.clone();
    away.deleted = Some(call.at);
    away.updated = Some(call.at);
    world.merged.insert((kind, gone), into);
    commit(world, call, Commit { kind, before: Some(lost), after: away, action: Action::Merged, merged: Some(into) });
    commit(world, call, Commit { kind, before: Some(before), after, action: Action::Updated, merged: Some(gone) });
    move_children(world, call, kind, gone, into);
    move_links(world, kind, gone, into);
}

/// What the survivor lacks it takes from the other; contact details add up.
fn inherit(world: &World, kind: Kind, lost: &Record, after: &mut Record) {
    for key in kind.keys().iter().filter(|key| key.access != Access::Read) {
        let theirs = lost.get(key.name);
        if matches!(key.name, "emails" | "phones" | "label_ids") {
            let mut list = after.get(key.name).as_array().cloned().unwrap_or_default();
            for one in theirs.as_array().into_iter().flatten() {
                let same = |known: &&Json| known.get("value").unwrap_or(known) == one.get("value").unwrap_or(one);
                if list.iter().find(same).is_none() {
                    let mut one = one.clone();
                    if let Some(primary) = one.get_mut("primary") {
                        *primary = json!(list.is_empty());
                    }
                    list.push(one);
                }
            }
            after.set(key.name, if list.is_empty() { Json::Null } else { Json::Array(list) });
        } else if after.get(key.name).is_null() {
            after.set(key.name, theirs.clone());
        }
    }
    for field in world.fields(kind).custom() {
        if after.custom(&field.code).is_null() {
            after.set_custom(&field.code, lost.custom(&field.code).clone());
        }
    }
}

fn move_children(world: &mut World, call: &mut Call<'_>, kind: Kind, gone: u64, into: u64) {
    let key = match kind {
        Kind::Deal => "deal_id",
        Kind::Person => "person_id",
        _ => "org_id",
    };
    for child in Kind::ALL {
        let key = if child == Kind::Lead && key == "org_id" { "organization_id" } else { key };
        let Some(key) = world.table(child).indexes(key) else { continue };
        let ids: Vec<u64> = world.table(child).children(key, gone).collect();
        for id in ids {
            let Some(before) = world.table(child).live(id).cloned() else { continue };
            let mut after = before.clone();
            if after.id_of(key) == Some(gone) {
                after.set(key, json!(into));
            }
            let people = after.get("participants").as_array().cloned();
            if let Some(mut people) = people.filter(|_| key == "person_id") {
                for one in &mut people {
                    if one.get("person_id") == Some(&json!(gone))
                        && let Some(map) = one.as_object_mut()
                    {
                        map.insert("person_id".to_owned(), json!(into));
                    }
                }
                after.set("participants", Json::Array(people));
            }
            after.updated = Some(call.at);
            let action = Action::Updated;
            commit(world, call, Commit { kind: child, before: Some(before), after, action, merged: None });
        }
    }
}

fn move_links(world: &mut World, kind: Kind, gone: u64, into: u64) {
    match kind {
        Kind::Deal => {
            for (person, one) in world.participants.remove_deal(gone) {
                if world.participants.get(into, person).is_none() {
                    world.participants.insert(into, person, one);
                }
            }
            let lines = world.deal_products.remove(&gone).unwrap_or_default();
            world.deal_products.entry(into).or_default().extend(lines);
        }
        Kind::Person => {
            let deals: Vec<u64> = world.participants.of_person(gone).collect();
            for deal in deals {
                if let Some(one) = world.participants.remove(deal, gone)
                    && world.participants.get(deal, into).is_none()
                {
                    world.participants.insert(deal, into, one);
                }
            }
        }
        _ => {
            for item in world.relationships.values_mut() {
                for key in ["rel_owner_org_id", "rel_linked_org_id"] {
                    if item.get(key) == Some(&json!(gone)) {
                        item.insert(key.to_owned(), json!(into));
                    }
                }
            }
        }
    }
    if let Some(mails) = world.mail_of.remove(&(kind, gone)) {
        world.mail_of.entry((kind, into)).or_default().extend(mails);
    }
}

//! Participants of deals and relationships between organizations: readable only record by record
//! (sheet: Pipedrive section 2.1 \[code\]).

use serde_json::{Value as Json, json};

use super::call::{Call, item_change, sees};
use super::defaults::object;
use super::kind::Kind;
use super::page::offsets;
use super::participation::Participant;
use super::refusal::{Answer, Refusal, offset_page, one};
use super::time;
use super::world::World;
use crate::journal::{Action, Change};

/// Everybody who takes part in a deal: the main person first, then the others by id.
pub(super) fn people_of(world: &World, deal: u64) -> Vec<u64> {
    let main = world.table(Kind::Deal).get(deal).and_then(|deal| deal.id_of("person_id"));
    let others = world.participants.of_deal(deal).map(|(person, _)| person);
    let mut people: Vec<u64> = main.into_iter().chain(others.filter(|person| Some(*person) != main)).collect();
    people.retain(|person| world.table(Kind::Person).live(*person).is_some());
    people
}

fn deal_of(world: &World, call: &Call<'_>) -> Result<u64, Refusal> {
    let deal = world.table(Kind::Deal).live(call.id(0)?).ok_or_else(Refusal::not_found)?;
    if sees(world, &call.actor, Kind::Deal, deal) { Ok(deal.id) } else { Err(Refusal::not_found()) }
}

fn shown(world: &World, deal: u64, person: u64) -> Json {
    let known = world.participants.get(deal, person);
    let record = world.table(Kind::Person).get(person);
    let name = record.map_or("", |record| record.text("name"));
    let emails = record.map(|record| record.get("emails").clone()).unwrap_or_default();
    let phones = record.map(|record| record.get("phones").clone()).unwrap_or_default();
    // The main person's row has no id of its own in the world; it is drawn from the deal's.
    let id = known.map_or(deal + 1_000_000_000, |one| one.id);
    json!({
        "id": id, "active_flag": true,
        "add_time": known.map(|one| time::v1(one.added)),
        "added_by_user_id": known.map(|one| json!({"id": one.by})),
        "person": {"id": person, "name": name, "active_flag": true},
        "person_id": {"value": person, "name": name, "active_flag": true, "email": emails, "phone": phones},
        "related_item_id": deal, "related_item_type": "deal", "related_item_data": {"deal_id": deal},
    })
}

/// `GET /v1/deals/{id}/participants`.
pub(super) fn participants(world: &mut World, call: &mut Call<'_>) -> Answer {
    let deal = deal_of(world, call)?;
    let (start, limit) = offsets(call)?;
    let people = people_of(world, deal);
    let data: Vec<Json> = people.iter().skip(start).take(limit).map(|person| shown(world, deal, *person)).collect();
    Ok(offset_page(data, start, limit, people.len() > start + limit))
}

/// `POST /v1/deals/{id}/participants`.
pub(super) fn add_participant(world: &mut World, call: &mut Call<'_>) -> Answer {
    let deal = deal_of(world, call)?;
    let body = call.v1_body()?;
    let person = number(body.get("person_id")).ok_or_else(|| Refusal::bad("Bad request: person_id is required"))?;
    if world.table(Kind::Person).live(person).is_none() {
        return Err(Refusal::bad(&format!("Person {person} does not exist")));
    }
    if people_of(world, deal).contains(&person) {
        return Err(Refusal::bad("Person is already a participant of this deal"));
    }
    take_part(world, call, deal, person);
    Ok(one(200, shown(world, deal, person)))
}

/// Puts a person into a deal beside the main one; nothing happens to one who is in it.
pub(super) fn take_part(world: &mut World, call: &mut Call<'_>, deal: u64, person: u64) {
    if people_of(world, deal).contains(&person) {
        return;
    }
    let id = world.next_id("participant");
    let participant = Participant { id, added: call.at, by: call.actor.user };
    world.participants.insert(deal, person, participant);
    let change = Change::new("deal_participant", format!("{deal}/{person}"), Action::Linked);
    call.changed(change.with("deal_id", Json::Null, json!(deal)).with("person_id", Json::Null, json!(person)));
}

/// Takes a person out of a deal; nothing happens to one who is not beside the main one.
pub(super) fn leave(world: &mut World, call: &mut Call<'_>, deal: u64, person: u64) {
    if world.participants.remove(deal, person).is_some() {
        call.changed(Change::new("deal_participant", format!("{deal}/{person}"), Action::Unlinked));
    }
}

/// `DELETE /v1/deals/{id}/participants/{participant}`.
pub(super) fn drop_participant(world: &mut World, call: &mut Call<'_>) -> Answer {
    let deal = deal_of(world, call)?;
    let id = call.id(1)?;
    let person = world.participants.of_deal(deal).find(|(_, one)| one.id == id).map(|(person, _)| person);
    let person = person.ok_or_else(Refusal::not_found)?;
    leave(world, call, deal, person);
    Ok(one(200, json!({"id": id})))
}

/// v1 takes numbers and their text alike.
pub(super) fn number(value: Option<&Json>) -> Option<u64> {
    match value? {
        Json::String(text) => text.parse().ok(),
        other => other.as_u64(),
    }
}

fn with_orgs(world: &World, item: &super::world::Item) -> Json {
    let mut item = item.clone();
    for key in ["rel_owner_org_id", "rel_linked_org_id"] {
        let id = item.get(key).and_then(Json::as_u64).unwrap_or_default();
        let name = world.table(Kind::Organization).get(id).map_or("", |org| org.text("name"));
        item.insert(key.to_owned(), json!({"value": id, "name": name, "active_flag": true}));
    }
    item.entry("active_flag").or_insert(json!(true));
    Json::Object(item)
}

/// `GET /v1/organizationRelationships?org_id=`.
pub(super) fn list(world: &mut World, call: &mut Call<'_>) -> Answer {
    let org = call.param("org_id").and_then(|id| id.parse::<u64>().ok());
    let org = org.ok_or_else(|| Refusal::bad("Bad request: org_id is required"))?;
    if world.table(Kind::Organization).live(org).is_none() {
        return Err(Refusal::not_found());
    }
    let (start, limit) = offsets(call)?;
    let touches = |key: &str, item: &super::world::Item| item.get(key).and_then(Json::as_u64) == Some(org);
    let mut found = world
        .relationships
        .values()
        .filter(|item| touches("rel_owner_org_id", item) || touches("rel_linked_org_id", item))
        .skip(start);
    let data: Vec<Json> = found.by_ref().take(limit).map(|item| with_orgs(world, item)).collect();
    let more = found.next().is_some();
    Ok(offset_page(data, start, limit, more))
}

/// `GET /v1/organizationRelationships/{id}`.
pub(super) fn get(world: &mut World, call: &mut Call<'_>) -> Answer {
    let item = world.relationships.get(&call.id(0)?).ok_or_else(Refusal::not_found)?;
    Ok(one(200, with_orgs(world, item)))
}

/// `POST /v1/organizationRelationships`.
pub(super) fn create(world: &mut World, call: &mut Call<'_>) -> Answer {
    let body = call.v1_body()?;
    let kind = body.get("type").and_then(Json::as_str).filter(|kind| matches!(*kind, "parent" | "related"));
    let kind = kind.ok_or_else(|| Refusal::bad("Bad request: type must be 'parent' or 'related'"))?.to_owned();
    let mut ends = Vec::new();
    for key in ["rel_owner_org_id", "rel_linked_org_id"] {
        let id = number(body.get(key)).ok_or_else(|| Refusal::bad(&format!("Bad request: {key} is required")))?;
        if world.table(Kind::Organization).live(id).is_none() {
            return Err(Refusal::bad(&format!("Organization {id} does not exist")));
        }
        ends.push(id);
    }
    if ends.first() == ends.last() {
        return Err(Refusal::bad("An organization cannot be related to itself"));
    }
    let id = world.next_id("relationship");
    let item = object(json!({
        "id": id, "type": kind, "rel_owner_org_id": ends.first(), "rel_linked_org_id": ends.last(),
        "add_time": time::v1(call.at), "update_time": null, "active_flag": true,
    }));
    let mut change = item_change("organization_relationship", id, None, &item);
    change.action = Action::Linked;
    call.changed(change);
    let data = with_orgs(world, &item);
    world.relationships.insert(id, item);
    Ok(one(201, data))
}

/// `DELETE /v1/organizationRelationships/{id}`.
pub(super) fn delete(world: &mut World, call: &mut Call<'_>) -> Answer {
    let id = call.id(0)?;
    world.relationships.remove(&id).ok_or_else(Refusal::not_found)?;
    call.changed(Change::new("organization_relationship", id, Action::Unlinked));
    Ok(one(200, json!({"id": id})))
}

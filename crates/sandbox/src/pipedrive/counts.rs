//! What `include_fields` adds: counts of what hangs on a record (sheet: Pipedrive section 2.1 \[code\]).

use serde_json::{Value as Json, json};

use super::kind::Kind;
use super::record::Record;
use super::world::World;

const DEAL: &[&str] = &[
    "participants_count",
    "products_count",
    "files_count",
    "notes_count",
    "email_messages_count",
    "activities_count",
    "done_activities_count",
    "undone_activities_count",
    "followers_count",
    "next_activity_id",
    "last_activity_id",
    "first_won_time",
];

const PERSON: &[&str] = &[
    "open_deals_count",
    "closed_deals_count",
    "won_deals_count",
    "lost_deals_count",
    "participant_open_deals_count",
    "participant_closed_deals_count",
    "email_messages_count",
    "files_count",
    "notes_count",
    "activities_count",
    "done_activities_count",
    "undone_activities_count",
    "followers_count",
    "next_activity_id",
    "last_activity_id",
];

const ORGANIZATION: &[&str] = &[
    "people_count",
    "open_deals_count",
    "closed_deals_count",
    "won_deals_count",
    "lost_deals_count",
    "related_open_deals_count",
    "related_closed_deals_count",
    "email_messages_count",
    "files_count",
    "notes_count",
    "activities_count",
    "done_activities_count",
    "undone_activities_count",
    "followers_count",
    "next_activity_id",
    "last_activity_id",
];

/// The names that `include_fields` accepts for a kind.
pub(super) fn known(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Deal => DEAL,
        Kind::Person => PERSON,
        Kind::Organization => ORGANIZATION,
        Kind::Activity => &["attendees"],
        _ => &[],
    }
}

/// The value of one of them.
pub(super) fn count(world: &World, kind: Kind, record: &Record, name: &str) -> Json {
    let id = record.id;
    let key = match kind {
        Kind::Deal => "deal_id",
        Kind::Person => "person_id",
        _ => "org_id",
    };
    let children = |of: Kind| world.table(of).live_children(key, id);
    let deals = |status: fn(&str) -> bool| children(Kind::Deal).filter(|deal| status(deal.text("status"))).count();
    let activities = |done: bool| children(Kind::Activity).filter(move |one| one.flag("done") == done);
    match name {
        "participants_count" => json!(super::relations::people_of(world, id).len()),
        "products_count" => json!(world.deal_products.get(&id).map_or(0, Vec::len)),
        "files_count" => json!(children(Kind::File).count()),
        "notes_count" => json!(children(Kind::Note).count()),
        "email_messages_count" => json!(world.mail_of.get(&(kind, id)).map_or(0, std::collections::BTreeSet::len)),
        "activities_count" => json!(children(Kind::Activity).count()),
        "done_activities_count" => json!(activities(true).count()),
        "undone_activities_count" => json!(activities(false).count()),
        "next_activity_id" => json!(activities(false).next().map(|one| one.id)),
        "last_activity_id" => json!(activities(true).last().map(|one| one.id)),
        "followers_count" => json!(1),
        "first_won_time" => record.get("won_time").clone(),
        "people_count" => json!(children(Kind::Person).count()),
        "open_deals_count" => json!(deals(|status| status == "open")),
        "closed_deals_count" => json!(deals(|status| status != "open")),
        "won_deals_count" => json!(deals(|status| status == "won")),
        "lost_deals_count" => json!(deals(|status| status == "lost")),
        "participant_open_deals_count" => json!(participant_deals(world, id, true)),
        "participant_closed_deals_count" => json!(participant_deals(world, id, false)),
        "related_open_deals_count" => json!(related_deals(world, id, true)),
        "related_closed_deals_count" => json!(related_deals(world, id, false)),
        _ => Json::Null,
    }
}

/// Deals in which the person takes part without being the main person.
fn participant_deals(world: &World, person: u64, open: bool) -> usize {
    let deals = world.participants.of_person(person);
    deals
        .filter_map(|deal| world.table(Kind::Deal).live(deal))
        .filter(|deal| deal.id_of("person_id") != Some(person) && (deal.text("status") == "open") == open)
        .count()
}

/// Deals of related organizations.
fn related_deals(world: &World, org: u64, open: bool) -> usize {
    let end = |item: &super::world::Item, key: &str| item.get(key).and_then(Json::as_u64);
    let others = world.relationships.values().filter_map(|item| {
        let (owner, linked) = (end(item, "rel_owner_org_id")?, end(item, "rel_linked_org_id")?);
        match org {
            _ if owner == org => Some(linked),
            _ if linked == org => Some(owner),
            _ => None,
        }
    });
    others
        .flat_map(|other| world.table(Kind::Deal).live_children("org_id", other))
        .filter(|deal| (deal.text("status") == "open") == open)
        .count()
}

//! Who takes part in an activity (sheet: section 5.8): rows that live and die with it.

use serde_json::{Value as Json, json};

use super::draft::Draft;
use super::refusal::Fault;
use super::schema::Entity;
use super::world::{World, reference};
use super::write::{self, Writer};
use crate::journal::Action;

/// What somebody is who is in the activity's own columns: regarding, owner.
const OWN: [(i64, &str); 2] = [(8, "regardingobjectid"), (9, "ownerid")];

/// Ids of an activity's parties, of one kind or of those that requests write.
fn of(world: &World, entity: &Entity, id: &str, own: bool) -> Vec<String> {
    let all = world.pointing("activityparty", "activityid", &entity.name, id);
    let mask = |party: &String| {
        let row = world.get("activityparty", party);
        row.and_then(|row| row.get("participationtypemask")).and_then(Json::as_i64).unwrap_or(0)
    };
    all.into_iter().filter(|party| OWN.iter().any(|(code, _)| *code == mask(party)) == own).collect()
}

/// Owner and regarding show as parties too.
pub(super) fn sync(world: &mut World, entity: &Entity, id: &str, by: &Writer) -> Result<(), Fault> {
    let Some(row) = world.get(&entity.name, id).cloned() else { return Ok(()) };
    let Some(party) = world.entity("activityparty") else { return Ok(()) };
    if !party.attribute("activityid").is_some_and(|column| column.targets.contains(&entity.name)) {
        return Ok(());
    }
    for old in of(world, entity, id, true) {
        discard(world, &old);
    }
    for (mask, column) in OWN {
        if let Some(who) = row.get(column) {
            let draft = Draft::empty(party.clone())
                .with("activityid", Some(reference(&entity.name, id)))
                .with("partyid", Some(who.clone()))
                .with("participationtypemask", Some(json!(mask)));
            write::create(world, &draft, &by.system())?;
        }
    }
    Ok(())
}

/// Puts the parties of a body in place of those that are there.
pub(super) fn replace(world: &mut World, entity: &Entity, id: &str, draft: &Draft, by: &Writer) -> Result<(), Fault> {
    for old in of(world, entity, id, false) {
        discard(world, &old);
    }
    for (relation, child) in &draft.children {
        let child = child.clone().with(&relation.attribute, Some(reference(&entity.name, id)));
        write::create(world, &child, &by.system())?;
    }
    Ok(())
}

fn discard(world: &mut World, party: &str) {
    let before = world.get("activityparty", party).cloned();
    world.put("activityparty", party, None);
    world.log(Action::Deleted, "activityparty", party, before.as_ref(), None);
}

//! Changes behind the client's back: what a user of the environment does meanwhile.

use serde_json::{Map, Value as Json};

use super::address::References;
use super::draft::{Desk, Draft};
use super::instant::Seconds;
use super::refusal::Fault;
use super::world::{World, reference};
use super::write::{self, Writer};
use super::{guid, merge, remove};
use crate::faults::{DisturbAction, Disturbance, Which};

/// Does what the disturbance says; what cannot be done leaves everything as it was.
pub(super) fn disturb(world: &mut World, disturbance: &Disturbance, at: Seconds) {
    let mark = world.mark();
    if attempt(world, disturbance, at).is_err() {
        world.rollback(mark);
    }
}

fn attempt(world: &mut World, disturbance: &Disturbance, at: Seconds) -> Result<(), Fault> {
    let missing = || Fault::no_segment(&disturbance.object);
    let entity = world
        .entity(&disturbance.object)
        .or_else(|| world.schema.set(&disturbance.object).cloned())
        .ok_or_else(missing)?;
    let user = world.first_user(false).unwrap_or_default();
    let by = Writer { user, behalf: None, at, duplicates: false, system: false };
    if let DisturbAction::Create { fields } = &disturbance.action {
        let map = fields.as_object().cloned().unwrap_or_default();
        let draft = Desk { world, references: &References::new(), at, create: true }.read(&entity, &map)?;
        return write::create(world, &draft, &by).map(drop);
    }
    let id = match &disturbance.which {
        Which::Id(id) => guid::parse(id),
        Which::Nth(n) => {
            let rows = world.scan(&entity);
            usize::try_from(*n).ok().and_then(|n| rows.get(n).map(|(id, _)| (*id).to_owned()))
        }
    };
    let id = id.ok_or_else(missing)?;
    match &disturbance.action {
        DisturbAction::Touch => write::update(world, &id, &Draft::empty(entity), &by),
        DisturbAction::Change { field, value } => {
            let map = Map::from_iter([(field.clone(), value.clone())]);
            let draft = Desk { world, references: &References::new(), at, create: false }.read(&entity, &map)?;
            write::update(world, &id, &draft, &by)
        }
        DisturbAction::Delete => remove::delete(world, &entity.name, &id, &by),
        DisturbAction::Restore => remove::restore(world, &id, &by),
        // The application merges what the API merges, and nothing else (sheet: section 5.7).
        DisturbAction::Merge { .. } if !entity.mergeable => Ok(()),
        DisturbAction::Merge { into } => {
            merge::merge(world, &entity.name, &guid::parse(into).unwrap_or_default(), &id, &by)
        }
        DisturbAction::Link { object, to } => point(world, &entity.name, &id, object, Some(to), &by),
        DisturbAction::Unlink { object, .. } => point(world, &entity.name, &id, object, None, &by),
        DisturbAction::Create { .. } => Ok(()),
    }
}

/// Sets the first lookup of the row that may point to the other table and can be written.
fn point(world: &mut World, table: &str, id: &str, other: &str, to: Option<&String>, by: &Writer) -> Result<(), Fault> {
    let other =
        world.entity(other).or_else(|| world.schema.set(other).cloned()).ok_or_else(|| Fault::no_segment(other))?;
    let entity = world.entity(table).ok_or_else(|| Fault::no_segment(table))?;
    let lookup =
        entity.attributes.iter().find(|one| one.update && one.kind.is_lookup() && one.targets.contains(&other.name));
    let lookup = lookup.ok_or_else(|| Fault::no_segment(&other.name))?;
    let value: Option<Json> = to.and_then(|to| guid::parse(to)).map(|to| reference(&other.name, &to));
    write::update(world, id, &Draft::empty(entity.clone()).with(&lookup.name, value), by)
}

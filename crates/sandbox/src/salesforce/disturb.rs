//! Changes behind the client's back: what a user of the organization does meanwhile.

use serde_json::{Map, Value as Json, json};

use super::instant::Seconds;
use super::remove;
use super::rules::DuplicateHeader;
use super::world::{World, is_deleted};
use super::write::{self, Writer};
use crate::faults::{DisturbAction, Disturbance, Which};

/// Does what the disturbance says; what cannot be done leaves everything as it was.
pub(super) fn disturb(world: &mut World, disturbance: &Disturbance, at: Seconds) {
    let Some(object) = world.schema.object(&disturbance.object).map(|object| object.name.clone()) else { return };
    let user = world.rows("User").map(|(id, _)| id.clone()).find(|id| world.is_active_user(id)).unwrap_or_default();
    let duplicates = DuplicateHeader { allow_save: true, include_details: false };
    let by = Writer { user, at, duplicates, system: false };
    if let DisturbAction::Create { fields } = &disturbance.action {
        let fields = fields.as_object().cloned().unwrap_or_default();
        drop(write::create(world, &object, &fields, &by));
        return;
    }
    let id = match &disturbance.which {
        Which::Id(id) => super::id::parse(id),
        Which::Nth(n) => {
            let mut living = world.rows(&object).filter(|(_, record)| !is_deleted(record));
            usize::try_from(*n).ok().and_then(|n| living.nth(n)).map(|(id, _)| id.clone())
        }
    };
    let Some(id) = id else { return };
    let one = |field: &str, value: &Json| Map::from_iter([(field.to_owned(), value.clone())]);
    // What fails is what the organization refuses to its users as well.
    drop(match &disturbance.action {
        DisturbAction::Touch => write::update(world, &object, &id, &Map::new(), &by),
        DisturbAction::Change { field, value } => write::update(world, &object, &id, &one(field, value), &by),
        DisturbAction::Delete => remove::delete(world, &object, &id, &by),
        DisturbAction::Restore => remove::undelete(world, &id, &by),
        DisturbAction::Merge { into } => {
            let into = super::id::parse(into).unwrap_or_default();
            remove::merge(world, &into, std::collections::BTreeMap::new(), &[id], &by).map(drop)
        }
        DisturbAction::Link { object: other, to } => point(world, &object, &id, other, &json!(to), &by),
        DisturbAction::Unlink { object: other, .. } => point(world, &object, &id, other, &Json::Null, &by),
        DisturbAction::Create { .. } => Ok(()),
    });
}

/// Sets the first lookup of the record that may point to the other object.
fn point(
    world: &mut World,
    object: &str,
    id: &str,
    other: &str,
    to: &Json,
    by: &Writer,
) -> Result<(), super::refusal::Fault> {
    let fields = world.schema.object(object).map(|object| object.fields.clone()).unwrap_or_default();
    let lookup =
        fields.iter().find(|field| field.updateable && field.targets.iter().any(|target| target.object == other));
    match lookup {
        Some(field) => write::update(world, object, id, &Map::from_iter([(field.name.clone(), to.clone())]), by),
        None => Ok(()),
    }
}

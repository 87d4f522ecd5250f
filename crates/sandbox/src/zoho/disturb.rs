//! Changes behind the client's back: what a user does in the application.

use serde_json::{Map, Value as Json, json};

use super::draft::{self, Writer};
use super::merge;
use super::schema::{Kind, Module};
use super::world::{Id, World};
use super::{related, remove, write};
use crate::faults::{DisturbAction, Disturbance, Which};
use crate::journal::Action;

/// Does what the disturbance says; what cannot be done leaves everything as it was.
pub(super) fn disturb(world: &mut World, disturbance: &Disturbance) {
    let Some(module) = world.module(&disturbance.object).filter(|module| module.is_record()).cloned() else { return };
    let user = world.users.values().find(|user| user.is_active()).map_or(0, |user| user.id);
    let by = Writer { user, at: world.now, version: 8, external: Vec::new() };
    if let DisturbAction::Create { fields } = &disturbance.action {
        let fields = fields.as_object().cloned().unwrap_or_default();
        if let Ok(row) = draft::insert(world, &module, &fields, &by, "$") {
            write::commit(world, &module, row, Action::Created);
        }
        return;
    }
    let id = match &disturbance.which {
        Which::Id(id) => id.parse().ok(),
        Which::Nth(n) => {
            let mut living = world.rows(&module.api_name).filter(|row| !row.is("$converted"));
            usize::try_from(*n).ok().and_then(|n| living.nth(n)).map(|row| row.id)
        }
    };
    let Some(id) = id else { return };
    if disturbance.action == DisturbAction::Restore {
        return remove::restore(world, id);
    }
    if world.get(&module.api_name, id).is_none() {
        return;
    }
    let change = |world: &mut World, item: &Map<String, Json>| {
        // What fails is what the organization refuses to its users as well.
        drop(write::change(world, &module, id, item, &by, ("$", None)));
    };
    match &disturbance.action {
        DisturbAction::Touch => change(world, &Map::new()),
        DisturbAction::Change { field, value } => {
            change(world, &Map::from_iter([(field.clone(), value.clone())]));
        }
        DisturbAction::Delete => remove::remove(world, &module.api_name, id, user),
        DisturbAction::Merge { into } => {
            if let Some(into) = into.parse().ok().filter(|into| *into != id && module.mergeable()) {
                drop(merge::merge(world, &module, into, &[id], &by));
            }
        }
        DisturbAction::Link { object, to } => point(world, &module, id, (object, to), true, &change),
        DisturbAction::Unlink { object, to } => point(world, &module, id, (object, to), false, &change),
        DisturbAction::Restore | DisturbAction::Create { .. } => {}
    }
}

/// Contacts of deals are roles; other records are linked by their first lookup, or on both sides.
fn point(
    world: &mut World,
    module: &Module,
    id: Id,
    (object, to): (&str, &str),
    add: bool,
    change: &impl Fn(&mut World, &Map<String, Json>),
) {
    let Some(other) = to.parse().ok().filter(|other| world.get(object, *other).is_some()) else { return };
    if (module.api_name.as_str(), object) == ("Deals", "Contacts") {
        return related::set_role(world, id, other, add.then_some(None));
    }
    let lookup = module
        .fields
        .iter()
        .find(|field| field.data_type == Kind::Lookup && !field.read_only && field.module.as_deref() == Some(object));
    match lookup {
        Some(field) => {
            let value = if add { json!({"id": to}) } else { Json::Null };
            change(world, &Map::from_iter([(field.api_name.clone(), value)]));
        }
        None if module.related.iter().any(|list| list.module == object && list.lookup.is_none()) => {
            related::join(world, id, other, add);
        }
        None => {}
    }
}

//! Writing a portal as a world file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::shape::{
    AssociationEntry, CustomObject, FileEntry, FollowUpEntry, LabelEntry, Origin, PastEntry, TypeEntry,
};
use crate::hubspot::instant::iso;
use crate::hubspot::kinds::{Kind, Kinds};
use crate::hubspot::record::Record;
use crate::hubspot::world::{FollowUpAction, World};
use crate::hubspot::{Hubspot, catalogue};

/// The world of a portal.
pub(in crate::hubspot) fn dump(hub: &Hubspot) -> Json {
    let world = &hub.world;
    let by_kind = |values: &dyn Fn(Kind) -> Option<Json>| -> Json {
        let all = world.kinds.iter().filter_map(|(kind, k)| Some((k.plural.clone(), values(kind)?)));
        Json::Object(all.collect::<Map<_, _>>())
    };
    let mut file = json!({
        "platform": "hubspot",
        "account": world.account,
        "settings": world.settings,
        "tokens": hub.access.private,
        "oauth_apps": hub.access.oauth,
        "issued_tokens": hub.access.issued,
        "owners": world.owners,
        "pipelines": by_kind(&|kind| world.pipelines.get(&kind).map(|p| json!(p))),
        "property_groups": by_kind(&|kind| groups(world, kind)),
        "properties": by_kind(&|kind| properties(world, kind)),
        "custom_objects": custom_objects(world),
        "objects": null,
        "association_labels": labels(world),
        "associations": associations(world),
        "files": files(world),
        "workflows": world.workflows,
        "webhooks": hub.webhooks,
        "property_validations": by_kind(&|kind| world.validations.get(&kind).map(|v| json!(v))),
        "erased_emails": world.erased,
        "merged": by_kind(&|kind| {
            let aliases = &world.table(kind).aliases;
            (!aliases.is_empty()).then(|| json!(aliases))
        }),
        "follow_ups": follow_ups(world),
        "day": hub.meters.day(),
        "counters": counters(hub),
    });
    // Moved, not copied.
    file["objects"] = by_kind(&|kind| objects(world, kind));
    file
}

fn groups(world: &World, kind: Kind) -> Option<Json> {
    let own: Vec<_> = {
        let default = catalogue::schema(kind);
        world.schema(kind).groups.iter().filter(|g| !default.groups.contains(g)).collect()
    };
    (!own.is_empty()).then(|| json!(own))
}

/// Custom properties, and HubSpot's own where their options were changed.
fn properties(world: &World, kind: Kind) -> Option<Json> {
    let default = catalogue::schema(kind);
    let own: Vec<Json> = world
        .schema(kind)
        .iter()
        .filter(|(_, p)| {
            let as_made = default.index(&p.name).and_then(|ix| default.get(ix));
            as_made.is_none_or(|d| {
                d.options != p.options || d.unique != p.unique || d.read_only_value != p.read_only_value
            })
        })
        .map(|(_, p)| p.json())
        .collect();
    (!own.is_empty()).then(|| own.into())
}

fn custom_objects(world: &World) -> Vec<CustomObject> {
    let custom = world.kinds.iter().filter(|(kind, _)| Kinds::is_custom(*kind));
    custom
        .map(|(_, k)| CustomObject {
            object_type_id: k.type_id.clone(),
            name: k.singular.clone(),
            plural: k.plural.clone(),
            required_properties: k.required.clone(),
            label: k.custom.label.clone(),
            plural_label: k.custom.plural_label.clone(),
            primary_display_property: k.custom.primary.clone(),
        })
        .collect()
}

fn objects(world: &World, kind: Kind) -> Option<Json> {
    let all: Vec<Json> = world.table(kind).from(0).map(|record| object(world, kind, record)).collect();
    (!all.is_empty()).then(|| all.into())
}

fn object(world: &World, kind: Kind, record: &Record) -> Json {
    let schema = world.schema(kind);
    let name = |ix| schema.get(ix).map(|p| p.name.clone()).unwrap_or_default();
    let properties: Map<String, Json> = record.values().map(|(ix, value)| (name(ix), value.into())).collect();
    let history: Vec<PastEntry> = record
        .history
        .iter()
        .map(|past| {
            let (source_type, source_id) = past.source.names();
            PastEntry {
                name: name(past.property),
                value: past.value.as_deref().map(str::to_owned),
                at: past.at,
                source_type: source_type.to_owned(),
                source_id,
            }
        })
        .collect();
    let (source_type, source_id) = record.origin.names();
    let mut out = json!({"id": record.id.to_string(), "properties": properties, "createdAt": iso(record.created_at),
        "updatedAt": iso(record.updated_at), "archived": record.archived_at.is_some(),
        "origin": Origin { source_type: source_type.to_owned(), source_id }});
    if let Some(out) = out.as_object_mut() {
        if let Some(at) = record.archived_at {
            out.insert("archivedAt".into(), iso(at).into());
        }
        if !history.is_empty() {
            out.insert("history".into(), json!(history));
        }
    }
    out
}

fn labels(world: &World) -> Vec<LabelEntry> {
    world
        .link_types
        .user_rows()
        .map(|row| LabelEntry {
            from_type: world.kinds.plural(row.from).to_owned(),
            to_type: world.kinds.plural(row.to).to_owned(),
            type_id: row.link.id,
            inverse_type_id: row.inverse.map(|link| link.id),
            label: row.label.clone(),
            name: row.name.clone(),
        })
        .collect()
}

fn associations(world: &World) -> Vec<AssociationEntry> {
    world
        .links
        .halves()
        .map(|(from, to, types)| AssociationEntry {
            from_type: world.kinds.plural(from.kind).to_owned(),
            from_id: from.id.to_string().into(),
            to_type: world.kinds.plural(to.kind).to_owned(),
            to_id: to.id.to_string().into(),
            types: types
                .iter()
                .map(|link| TypeEntry { category: link.category.name().to_owned(), type_id: link.id })
                .collect(),
        })
        .collect()
}

fn files(world: &World) -> Vec<FileEntry> {
    world
        .files
        .values()
        .map(|file| FileEntry {
            id: file.id,
            name: file.name.clone(),
            extension: Some(file.extension.clone()),
            content_base64: STANDARD.encode(&file.content),
            access: file.access.clone(),
            folder: file.folder.clone(),
            created_at: Some(file.created_at),
            updated_at: Some(file.updated_at),
        })
        .collect()
}

fn follow_ups(world: &World) -> Vec<FollowUpEntry> {
    let entry = |next: &crate::hubspot::world::FollowUp| {
        let (property, value, workflow) = match &next.action {
            FollowUpAction::Set { property, value, workflow } => {
                (Some(property.clone()), Some(value.clone()), Some(*workflow))
            }
            FollowUpAction::AssociateCompany => (None, None, None),
        };
        let object = world.kinds.plural(next.kind).to_owned();
        FollowUpEntry { due: next.due, object, id: next.id, property, value, workflow }
    };
    world.follow_ups.iter().map(entry).collect()
}

fn counters(hub: &Hubspot) -> Json {
    let mut out = Map::new();
    for (kind, k) in hub.world.kinds.iter() {
        out.insert(k.plural.clone(), hub.world.table(kind).next_id.into());
    }
    out.insert("files".into(), hub.world.next_file.into());
    out.insert("stages".into(), hub.world.next_stage.into());
    out.insert("labels".into(), hub.world.link_types.next_id.into());
    out.insert("requests".into(), hub.requests.into());
    Json::Object(out)
}

//! An organization as a world file that loads to the same organization.

use serde_json::{Map, Value as Json, json};

use crate::salesforce::world::World;

pub(in super::super) fn dump(world: &World) -> Json {
    let records: Map<String, Json> = world
        .schema
        .objects
        .keys()
        .filter_map(|object| {
            let rows: Vec<Json> = world.rows(object).map(|(_, record)| json!(record)).collect();
            (!rows.is_empty()).then(|| (object.clone(), Json::Array(rows)))
        })
        .collect();
    let bin: Map<String, Json> = world
        .bin
        .iter()
        .map(|(id, binned)| {
            let entry =
                json!({"object": binned.object, "at": binned.at, "root": binned.root, "cleared": binned.cleared});
            (id.clone(), entry)
        })
        .collect();
    json!({
        "platform": "salesforce", "seed": world.seed, "complete": true, "org": world.org, "settings": world.settings,
        "apps": world.access.apps, "passwords": world.access.passwords, "sessions": world.access.sessions,
        "objects": world.specs.objects, "fields": world.specs.fields,
        "validation_rules": world.rules.validation, "duplicate_rules": world.rules.duplicate,
        "records": records, "next": world.next, "bin": bin, "gone": world.gone, "jobs": world.jobs,
        "schema_changed": world.schema_changed(),
    })
}

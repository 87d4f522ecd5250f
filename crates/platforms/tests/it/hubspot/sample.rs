//! The sample company's portal, read whole.

use std::collections::{BTreeMap, BTreeSet};

use handover_connect::{Connector as _, Credentials};
use handover_model::{Fields, Kind, Record, Schema, Value};
use handover_sandbox::sample;
use secrecy::SecretString;
use serde_json::Value as Json;

use super::live::Portal;

const SEED: u64 = 11;

fn live(world: &Json, object: &str) -> BTreeMap<String, Json> {
    let records = world["objects"][object].as_array().into_iter().flatten();
    records
        .filter(|record| record["archived"] != true)
        .map(|record| (record["id"].as_str().unwrap().to_owned(), record["properties"].clone()))
        .collect()
}

/// The pairs of a kind of link, as the world file has them: each once, in one of its two directions. The
/// types are the field's own and that of the other direction.
fn pairs(world: &Json, from: &str, to: &str, types: Option<(u64, u64)>) -> BTreeSet<(String, String)> {
    let id = |id: &Json| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let mut pairs = BTreeSet::new();
    for link in world["associations"].as_array().into_iter().flatten() {
        let has = |wanted: Option<u64>| {
            wanted.is_none_or(|wanted| {
                link["types"].as_array().into_iter().flatten().any(|kind| kind["typeId"] == wanted)
            })
        };
        if link["fromType"] == from && link["toType"] == to && has(types.map(|types| types.0)) {
            pairs.insert((id(&link["fromId"]), id(&link["toId"])));
        }
        if link["fromType"] == to && link["toType"] == from && has(types.map(|types| types.1)) {
            pairs.insert((id(&link["toId"]), id(&link["fromId"])));
        }
    }
    pairs
}

fn pointing(records: &[Record], field: &str) -> BTreeSet<(String, String)> {
    let ids = |fields: &Fields| -> Vec<String> {
        fields.get(field).map(Value::ids).unwrap_or_default().into_iter().map(str::to_owned).collect()
    };
    records.iter().flat_map(|record| ids(&record.fields).into_iter().map(|id| (record.id.to_string(), id))).collect()
}

/// Every value that is stored was read, as what its field holds.
fn as_stored(schema: &Schema, record: &Record, stored: &Json) {
    for (name, value) in stored.as_object().unwrap() {
        let name = format!("{}.{name}", schema.object);
        let field = name.split_once('.').unwrap().1;
        let read = record.fields.get(field).unwrap_or_else(|| panic!("{name} was not read"));
        assert_eq!(read.is_blank(), value.as_str().is_none_or(|text| text.trim().is_empty()), "{name}");
        let kind = &schema.field(field).unwrap().kind;
        let typed = match kind {
            Kind::Number => matches!(read, Value::Number(_) | Value::Null),
            Kind::Date => matches!(read, Value::Date(_) | Value::Null),
            Kind::DateTime => matches!(read, Value::DateTime(_) | Value::Null),
            Kind::Bool => matches!(read, Value::Bool(_) | Value::Null),
            _ => true,
        };
        assert!(typed, "{name} did not read as {}", kind.word());
    }
}

#[tokio::test]
async fn the_sample_portal_is_read_whole() {
    let world = sample::hubspot_company_scaled(SEED, sample::Scale::small()).hubspot;
    let token = world["tokens"][0]["token"].as_str().unwrap().to_owned();
    let portal = Portal::over(world.clone(), Credentials::Token(SecretString::from(token)));
    // As dumped: what the portal made of its links on loading stands in it too.
    let dumped = portal.world();
    let mut files = 0;
    for object in ["companies", "contacts", "deals", "notes", "calls", "meetings", "tasks", "emails"] {
        let schema = portal.driver.describe(&object.into()).await.unwrap();
        let names: Vec<&str> = schema.fields.iter().map(|field| field.name.as_str()).collect();
        let records = portal.list(object, &names, None).await;
        let there = live(&dumped, object);
        assert_eq!(records.len(), there.len(), "{object}");
        assert_eq!(portal.driver.count(&object.into()).await.unwrap(), Some(there.len() as u64), "{object}");
        for record in &records {
            as_stored(&schema, record, &there[record.id.as_str()]);
            files += record
                .fields
                .get("hs_attachment_ids")
                .filter(|_| object == "notes")
                .map_or(0, |value| value.ids().len());
        }
        for field in names.iter().filter(|name| name.starts_with("associations.")) {
            let to = schema.field(field).unwrap().kind.referenced().unwrap().to_string();
            let types = match (object, *field) {
                ("contacts", "associations.primary_company") => Some((1, 2)),
                ("deals", "associations.primary_company") => Some((5, 6)),
                ("companies", "associations.parent_company") => Some((14, 13)),
                _ => None,
            };
            let found = if types.is_some() {
                let ids: Vec<_> = records.iter().map(|record| record.id.clone()).collect();
                pointing(&portal.driver.enrich(&object.into(), &(*field).into(), &ids).await.unwrap(), field)
            } else {
                pointing(&records, field)
            };
            assert_eq!(found, pairs(&dumped, object, &to, types), "{object}.{field}");
        }
    }
    portal.driver.describe(&"attachments".into()).await.unwrap();
    let attachments = portal.list("attachments", &["name", "size"], None).await;
    assert_eq!(attachments.len(), files);
    assert!(attachments.iter().all(|record| record.fields.get("name").is_some_and(|name| !name.is_blank())));
}

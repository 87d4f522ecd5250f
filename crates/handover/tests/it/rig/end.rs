//! Where a migration ended: the target without ids and times, and what the state says of every record.

use std::collections::{BTreeMap, BTreeSet};

use handover_model::Side;
use handover_sandbox::Sandbox;
use handover_sandbox::journal::Entry;
use handover_store::{HoldFilter, Location, Store};
use serde_json::Value as Json;

use super::{Scene, entries};

/// An end that can be compared with another.
pub(crate) struct End {
    /// Both systems' records and links, one line each.
    world: BTreeMap<String, usize>,
    /// Outcomes, holds and waiting links, one line each.
    pub(crate) state: BTreeMap<String, usize>,
    /// The target.
    pub(crate) new: Json,
    pub(crate) old_journal: Vec<Entry>,
    pub(crate) new_journal: Vec<Entry>,
    /// Source records that are held: object and id.
    pub(crate) held: BTreeSet<(String, String)>,
}

impl End {
    pub(crate) fn of(scene: &Scene, location: &Location, old: Sandbox, new: Sandbox) -> Self {
        let world = new.platform().world();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (state, held) = runtime.block_on(read_state(scene, location));
        Self {
            world: lines(&scene.new, &world)
                .into_iter()
                .chain(
                    lines(&scene.old, &old.platform().world()).into_iter().map(|(line, n)| (format!("old {line}"), n)),
                )
                .collect(),
            state,
            old_journal: entries(&old),
            new_journal: entries(&new),
            new: world,
            held,
        }
    }

    /// What one of both has oftener, shortly.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (ours, theirs) in [(&self.world, &other.world), (&self.state, &other.state)] {
            let oftener = |one: &BTreeMap<String, usize>, than: &BTreeMap<String, usize>| -> Vec<(String, usize)> {
                let count = |line: &String| than.get(line).copied().unwrap_or(0);
                let lines = one.iter().filter(|(line, number)| **number > count(line));
                lines.map(|(line, number)| (line.clone(), number - count(line))).collect()
            };
            let mut surplus = oftener(theirs, ours);
            for (line, number) in oftener(ours, theirs) {
                let alike = |other: &&(String, usize)| head(&other.0) == head(&line);
                match surplus.iter().find(alike).cloned() {
                    Some(found) => {
                        surplus.retain(|other| *other != found);
                        wrong.push(unlike(&line, &found.0));
                    }
                    None => wrong.push(format!("{number} missing of: {}", short(&line))),
                }
            }
            wrong.extend(surplus.iter().map(|(line, number)| format!("{number} too many of: {}", short(line))));
        }
        wrong
    }
}

fn head(line: &str) -> &str {
    line.split_once(": {").map_or(line, |(head, _)| head)
}

fn short(line: &str) -> String {
    line.chars().take(160).collect()
}

/// Where two lines begin to differ.
fn unlike(expected: &str, found: &str) -> String {
    let same = expected.chars().zip(found.chars()).take_while(|(one, other)| one == other).count();
    let part = |line: &str| line.chars().skip(same.saturating_sub(60)).take(110).collect::<String>();
    format!("{}: `{}` instead of `{}`", short(head(expected)), part(found), part(expected))
}

async fn read_state(scene: &Scene, location: &Location) -> (BTreeMap<String, usize>, BTreeSet<(String, String)>) {
    let store = Store::open_reading(location).await.unwrap();
    let mut lines = BTreeMap::new();
    let mut add = |line: String| *lines.entry(line).or_default() += 1;
    for flow in &scene.project.flows {
        for row in store.rows_page(&flow.name, None, None, 100_000).await.unwrap() {
            add(format!("{} {} {:?}, has a target: {}", flow.name, row.record, row.outcome, row.target.is_some()));
        }
        for side in Side::ALL {
            for gone in store.vanished(&flow.name, side, false).await.unwrap() {
                // Ids of the target differ from run to run.
                add(format!("{} {} vanished from the {}: {:?}", flow.name, gone.source, side.word(), gone.fate));
            }
        }
    }
    let mut held = BTreeSet::new();
    for row in store.holds_page(&HoldFilter::default(), None, 100_000).await.unwrap() {
        let hold = row.hold;
        add(format!("{} {} held: {}", hold.flow, hold.record, serde_json::to_string(&hold.cause).unwrap()));
        held.insert((hold.object.to_string(), hold.record.to_string()));
    }
    for link in store.pending_links(None, None, None, 100_000).await.unwrap() {
        add(format!(
            "{} {} waits to be linked by {} to {} {}",
            link.flow, link.record, link.field, link.parent_flow, link.parent
        ));
    }
    for intent in store.open_intents().await.unwrap() {
        add(format!("open intent {}", intent.id));
    }
    store.verify(|_, _| {}).await.unwrap();
    store.close().await.unwrap();
    (lines, held)
}

/// The lists of a world that hold records, by object.
pub(crate) fn lists(world: &Json) -> BTreeMap<String, Vec<Json>> {
    let list = |json: &Json| json.as_array().cloned().unwrap_or_default();
    // Salesforce's.
    if let Some(records) = world.get("records").and_then(Json::as_object) {
        return records.iter().map(|(name, records)| (name.clone(), list(records))).collect();
    }
    if let Some(objects) = world.get("objects").and_then(Json::as_object) {
        let mut all: BTreeMap<String, Vec<Json>> =
            objects.iter().map(|(name, records)| (name.clone(), list(records))).collect();
        all.insert("files".to_owned(), list(&world["files"]));
        return all;
    }
    [
        "organizations",
        "persons",
        "deals",
        "activities",
        "notes",
        "files",
        "organization_relationships",
        "deal_participants",
        "products",
        "deal_products",
    ]
    .into_iter()
    .map(|name| (name.to_owned(), list(&world[name])))
    .collect()
}

/// The id of a record in a world file.
pub(crate) fn id_of(record: &Json) -> String {
    let id = record.get("Id").unwrap_or(&record["id"]);
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

/// What a record is called where ids differ from run to run.
fn name(object: &str, record: &Json, before: bool) -> String {
    if before {
        return format!("{object} {}", id_of(record));
    }
    if let Some(key) = source_key(record) {
        return format!("{object} {key}");
    }
    let part = |field: &str| {
        record.get(field).map(|value| plain(value, field, &BTreeMap::new()).to_string()).unwrap_or_default()
    };
    let content = part("content_base64");
    let parts = ["name", "subject", "content", "type", "due_date", "due_time", "note"].map(part).join("|");
    format!("{object} new {parts} {content}")
}

/// A record's source key. In HubSpot other fields may hold keys of other records.
pub(crate) fn source_key(record: &Json) -> Option<&str> {
    if let Some(properties) = record.get("properties") {
        return properties.get("handover_source_key").and_then(Json::as_str);
    }
    if let Some(key) = record.get("handover_source_key__c") {
        return key.as_str();
    }
    let fields = record.get("custom_fields")?.as_object()?;
    fields.values().filter_map(Json::as_str).find(|text| text.starts_with("old:") && text.split(':').count() == 3)
}

fn lines(before: &Json, world: &Json) -> BTreeMap<String, usize> {
    let earlier: BTreeSet<(String, String)> = lists(before)
        .into_iter()
        .flat_map(|(object, records)| records.into_iter().map(move |record| (object.clone(), id_of(&record))))
        .collect();
    let all = lists(world);
    let mut names: BTreeMap<(String, String), String> = BTreeMap::new();
    for (object, records) in &all {
        for record in records {
            let at = (object.clone(), id_of(record));
            let name = name(object, record, earlier.contains(&at));
            names.insert(at, name);
        }
    }
    let mut lines = BTreeMap::new();
    for (object, records) in &all {
        for record in records {
            let name = names.get(&(object.clone(), id_of(record))).cloned().unwrap_or_default();
            *lines.entry(format!("{name}: {}", plain(record, "", &names))).or_default() += 1;
        }
    }
    for link in world["associations"].as_array().into_iter().flatten() {
        let end = |object: &str, id: &str| {
            let at = (
                link[object].as_str().unwrap_or_default().to_owned(),
                link[id].as_str().unwrap_or_default().to_owned(),
            );
            names.get(&at).cloned().unwrap_or_else(|| format!("{at:?}"))
        };
        // Which end is said to be the first is the sandbox's affair.
        let mut ends = [end("fromType", "fromId"), end("toType", "toId")];
        ends.sort();
        *lines.entry(format!("link {} - {}", ends[0], ends[1])).or_default() += 1;
    }
    lines
}

/// A value without ids and the times of the run.
fn plain(value: &Json, field: &str, names: &BTreeMap<(String, String), String>) -> Json {
    let named = |object: &str, id: &str| names.get(&(object.to_owned(), id.to_owned())).cloned();
    let points_to = match field {
        "org_id" | "rel_owner_org_id" | "rel_linked_org_id" => Some("organizations"),
        "person_id" => Some("persons"),
        "deal_id" => Some("deals"),
        "product_id" => Some("products"),
        "OpportunityId" => Some("Opportunity"),
        "Product2Id" => Some("Product2"),
        _ => None,
    };
    match value {
        Json::Object(parts) => Json::Object(
            parts
                .iter()
                // Pipedrive gives every file a system name of its own.
                .filter(|(name, _)| {
                    let own = ["id", "Id", "at", "update_time", "updatedAt", "updated_at", "file_name"];
                    // Salesforce's times, and rows whose ids differ from run to run.
                    let differs = ["SystemModstamp", "LastModifiedDate", "CreatedDate", "PricebookEntryId"];
                    !own.contains(&name.as_str()) && !differs.contains(&name.as_str())
                })
                .map(|(name, part)| (name.clone(), plain(part, name, names)))
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.iter().map(|item| plain(item, field, names)).collect()),
        Json::String(text) if field == "hs_attachment_ids" => {
            text.split(';').map(|id| named("files", id).unwrap_or_else(|| id.to_owned())).collect()
        }
        Json::String(text) if is_time(field) && text.starts_with("2026-11-") => Json::from("during the run"),
        // Of files with one name HubSpot numbers those that come later, and they may come in any order.
        Json::String(text) if field == "name" && text.ends_with("-1") => Json::from(text.trim_end_matches("-1")),
        Json::String(text) if field == "content_base64" => {
            Json::from(&blake3::hash(text.as_bytes()).to_hex().as_str()[..12])
        }
        _ if field == "created_at" => Json::from("some time"),
        id if points_to.is_some() => {
            let object = points_to.unwrap_or_default();
            let own = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
            named(object, &own).map_or_else(|| id.clone(), Json::from)
        }
        value => value.clone(),
    }
}

fn is_time(field: &str) -> bool {
    let others = ["createdAt", "archivedAt", "createdate", "hubspot_owner_assigneddate", "hs_task_completion_date"];
    field.ends_with("_time") || others.contains(&field)
}

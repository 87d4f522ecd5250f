//! An environment from a world file, and a world file from an environment.
//!
//! Rows stand under `records` by table, each with its columns that have a value: lookups as `table/id` or, where only
//! one table is possible, as the id; times as the API gives them.

mod specs;

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::access::{App, Org, Token};
use super::instant;
use super::schema::{Choice, Entity, Key, Kind};
use super::settings::Settings;
use super::world::{Gone, Record, World, reference, referred};
use super::{catalogue, derive, guid, rules, values, write};
use crate::dynamics::write::Writer;
pub use crate::world_error::WorldError;
use crate::world_error::wrong;
pub(super) use specs::{ColumnSpec, DuplicateRule, PairSpec, Specs, TableSpec, column, key, pairs, table};

/// A world file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WorldFile {
    #[serde(rename = "platform")]
    _platform: Option<String>,
    seed: Option<u64>,
    org: Option<Org>,
    settings: Settings,
    apps: Vec<App>,
    tokens: BTreeMap<String, Token>,
    tables: Vec<TableSpec>,
    columns: BTreeMap<String, Vec<ColumnSpec>>,
    keys: BTreeMap<String, Vec<Key>>,
    pairs: Vec<PairSpec>,
    choices: BTreeMap<String, Vec<Choice>>,
    duplicate_rules: Vec<DuplicateRule>,
    tracking: BTreeMap<String, bool>,
    records: BTreeMap<String, Vec<Map<String, Json>>>,
    complete: bool,
    next: BTreeMap<String, u64>,
    gone: BTreeMap<String, VecDeque<Gone>>,
}

/// When the rows of a file were made that do not say so: 2020-01-01.
const BEGINNING: i64 = 1_577_836_800;

/// The world of a file.
pub(super) fn load(json: Json, seed: u64) -> Result<World, WorldError> {
    let file: WorldFile = serde_json::from_value(json).map_err(WorldError::Shape)?;
    let mut world = World::blank(file.seed.unwrap_or(seed));
    world.org = file.org.clone().unwrap_or_default();
    world.settings = file.settings.clone();
    world.access.apps.clone_from(&file.apps);
    world.access.tokens.clone_from(&file.tokens);
    world.schema = catalogue::standard().map_err(wrong)?;
    schema(&mut world, &file)?;
    world.gone.clone_from(&file.gone);
    for (table, list) in &file.records {
        let entity = world.entity(table).ok_or_else(|| wrong(format!("there is no table {table}")))?;
        for row in list {
            let (id, row) = if file.complete { whole(&entity, row)? } else { read(&mut world, &entity, row)? };
            if world.get(table, &id).is_some() {
                return Err(wrong(format!("two rows of {table} have the same id")));
            }
            if file.complete {
                world.set(table, &id, Some(row));
            } else {
                world.put(table, &id, Some(row));
            }
        }
    }
    if file.complete {
        world.next.clone_from(&file.next);
    } else {
        defaults(&mut world);
        fill(&mut world)?;
    }
    admission(&mut world);
    drop(world.settle());
    Ok(world)
}

fn schema(world: &mut World, file: &WorldFile) -> Result<(), WorldError> {
    world.specs.choices.clone_from(&file.choices);
    for spec in &file.tables {
        table(world, spec).map_err(wrong)?;
        world.specs.tables.push(spec.clone());
    }
    for (name, list) in &file.columns {
        for spec in list {
            column(world, name, spec).map_err(wrong)?;
        }
    }
    world.specs.columns.clone_from(&file.columns);
    for (name, list) in &file.keys {
        for spec in list {
            key(world, name, spec).map_err(wrong)?;
        }
    }
    world.specs.keys.clone_from(&file.keys);
    for spec in &file.pairs {
        pairs(world, spec).map_err(wrong)?;
    }
    world.specs.pairs.clone_from(&file.pairs);
    for (name, tracked) in &file.tracking {
        let entity = world.schema.entity_mut(name).ok_or_else(|| wrong(format!("there is no table {name}")))?;
        entity.tracked = *tracked;
    }
    world.specs.tracking.clone_from(&file.tracking);
    for rule in &file.duplicate_rules {
        let entity = world.entity(&rule.table).ok_or_else(|| wrong(format!("there is no table {}", rule.table)))?;
        if rule.columns.is_empty() || rule.columns.iter().any(|column| entity.attribute(column).is_none()) {
            return Err(wrong(format!("duplicate rule of {}: a column is missing", rule.table)));
        }
    }
    world.specs.duplicate_rules.clone_from(&file.duplicate_rules);
    Ok(())
}

/// A row of a dump: as it was.
fn whole(entity: &Entity, row: &Map<String, Json>) -> Result<(String, Record), WorldError> {
    let id = row.get(&entity.primary_id).and_then(Json::as_str).and_then(guid::parse);
    let id = id.ok_or_else(|| wrong(format!("a row of {} has no id", entity.name)))?;
    Ok((id, row.iter().map(|(column, value)| (column.clone(), value.clone())).collect()))
}

/// A row of a file, checked column by column.
fn read(world: &mut World, entity: &Entity, row: &Map<String, Json>) -> Result<(String, Record), WorldError> {
    let mut record = Record::new();
    let mut id = None;
    for (name, value) in row {
        let bad = || wrong(format!("{}.{name} has no value of its kind", entity.name));
        if *name == entity.primary_id {
            id = Some(value.as_str().and_then(guid::parse).ok_or_else(bad)?);
            continue;
        }
        let attribute =
            entity.attribute(name).ok_or_else(|| wrong(format!("there is no column {}.{name}", entity.name)))?;
        let value = if attribute.kind.is_lookup() {
            let text = value.as_str().ok_or_else(bad)?;
            let (table, id) = text
                .split_once('/')
                .or(attribute.targets.first().map(|table| (table.as_str(), text)))
                .ok_or_else(bad)?;
            if !attribute.targets.iter().any(|target| target == table) {
                return Err(bad());
            }
            Some(reference(table, &guid::parse(id).ok_or_else(bad)?))
        } else {
            values::read(entity, attribute, value).map_err(|fault| wrong(fault.message))?
        };
        if let Some(value) = value {
            record.insert(name.clone(), value);
        }
    }
    let id = id.unwrap_or_else(|| world.mint(&entity.name));
    record.insert(entity.primary_id.clone(), json!(id));
    Ok((id, record))
}

fn row(pairs: &[(&str, Json)]) -> Record {
    pairs.iter().map(|(column, value)| ((*column).to_owned(), value.clone())).collect()
}

fn add(world: &mut World, table: &str, mut values: Record) -> String {
    let id = world.mint(table);
    values.insert(format!("{table}id"), json!(id));
    world.put(table, &id, Some(values));
    id
}

/// What every environment has.
fn defaults(world: &mut World) {
    if world.rows("businessunit").next().is_none() {
        let name = world.org.name.clone();
        add(world, "businessunit", row(&[("name", json!(name))]));
    }
    users(world);
    let code = world.org.currency.clone();
    if write::id_of(world, "transactioncurrency", "isocurrencycode", &code).is_none() {
        let symbol = match code.as_str() {
            "EUR" => "€",
            "GBP" => "£",
            _ => "$",
        };
        let values = row(&[
            ("currencyname", json!(code)),
            ("isocurrencycode", json!(code)),
            ("currencysymbol", json!(symbol)),
            ("currencyprecision", json!(2)),
            ("exchangerate", json!(1.0)),
        ]);
        add(world, "transactioncurrency", values);
    }
    if world.rows("organization").next().is_none() {
        let base = write::id_of(world, "transactioncurrency", "isocurrencycode", &code).unwrap_or_default();
        let id = world.org.id.clone();
        let values = row(&[
            ("organizationid", json!(id)),
            ("name", json!(world.org.name)),
            ("expirechangetrackingindays", json!(world.settings.tracking_days)),
            ("maxuploadfilesize", json!(5_242_880)),
            ("languagecode", json!(world.org.language)),
            ("basecurrencyid", reference("transactioncurrency", &base)),
        ]);
        world.put("organization", &id, Some(values));
    }
}

/// An administrator, and the user of the app.
fn users(world: &mut World) {
    let unit = world.rows("businessunit").next().map(|(id, _)| reference("businessunit", id)).unwrap_or_default();
    let user = |world: &mut World, first: &str, last: &str, name: &str| {
        let object = world.mint("azure object");
        row(&[
            ("firstname", json!(first)),
            ("lastname", json!(last)),
            ("internalemailaddress", json!(name)),
            ("domainname", json!(name)),
            ("azureactivedirectoryobjectid", json!(object)),
            ("businessunitid", unit.clone()),
        ])
    };
    if !world.rows("systemuser").any(|(_, row)| !row.contains_key("applicationid")) {
        let mut values = user(world, "Ada", "Admin", "ada@sandbox.example");
        values.insert("islicensed".to_owned(), json!(true));
        add(world, "systemuser", values);
    }
    if !world.rows("systemuser").any(|(_, row)| row.contains_key("applicationid")) {
        let client = world.mint("client");
        let client = world.access.apps.first().map(|app| app.client_id.clone()).unwrap_or(client);
        let mut values = user(world, "#", "Integration", "integration@sandbox.example");
        values.insert("applicationid".to_owned(), json!(client));
        values.insert("accessmode".to_owned(), json!(4));
        add(world, "systemuser", values);
    }
}

/// Fills in what follows from the rest, now that every row is there.
fn fill(world: &mut World) -> Result<(), WorldError> {
    let user = world.first_user(false).unwrap_or_default();
    let by = Writer { user, behalf: None, at: BEGINNING, duplicates: false, system: true };
    let tables: Vec<_> = world.schema.entities.values().cloned().collect();
    for entity in tables {
        let ids: Vec<String> = world.rows(&entity.name).map(|(id, _)| id.clone()).collect();
        for id in ids {
            let mut row = world.get(&entity.name, &id).cloned().unwrap_or_default();
            for attribute in entity.attributes.iter().filter(|one| one.kind.is_lookup()) {
                let target = row.get(&attribute.name).and_then(referred);
                if target.is_some_and(|(table, id)| world.get(table, id).is_none()) {
                    return Err(wrong(format!("{}.{} points to nothing", entity.name, attribute.name)));
                }
            }
            rules::opening_state(world, &entity, &mut row, &by).map_err(|fault| wrong(fault.message))?;
            for attribute in &entity.attributes {
                if let Some(default) = attribute.default.as_ref().filter(|_| !row.contains_key(&attribute.name)) {
                    row.insert(attribute.name.clone(), default.clone());
                }
            }
            stamps(&entity, &mut row, &by);
            derive::columns(world, &entity, None, &mut row, BEGINNING);
            world.put(&entity.name, &id, Some(row));
        }
    }
    Ok(())
}

fn stamps(entity: &Entity, row: &mut Record, by: &Writer) {
    for attribute in &entity.attributes {
        let value = match attribute.name.as_str() {
            "createdon" => json!(instant::stamp(BEGINNING)),
            "modifiedon" => row.get("createdon").cloned().unwrap_or_else(|| json!(instant::stamp(BEGINNING))),
            "createdby" | "modifiedby" => reference("systemuser", &by.user),
            "ownerid" if attribute.kind == Kind::Owner => reference("systemuser", &by.user),
            _ => continue,
        };
        row.entry(attribute.name.clone()).or_insert(value);
    }
}

/// A token and an app for whoever has none.
fn admission(world: &mut World) {
    let Some(user) = world.first_user(true) else { return };
    let client_id = world
        .get("systemuser", &user)
        .map(|row| super::world::text(row, "applicationid").to_owned())
        .unwrap_or_default();
    if world.access.tokens.is_empty() {
        let token = format!("eyJ0eXAiOiJKV1QifQ.{}.sandbox", world.draw_token("first token", 96));
        world.access.tokens.insert(token, Token { user: Some(user.clone()), until: None });
    }
    if world.access.apps.is_empty() {
        let client_secret = format!("s8Q~{}", world.draw_token("client secret", 36));
        let refresh = format!("0.AXoA{}", world.draw_token("refresh token", 80));
        let person = world.first_user(false).unwrap_or_default();
        world.access.apps.push(App {
            client_id,
            client_secret,
            secret_until: None,
            user: Some(user),
            refresh_tokens: [(refresh, person)].into(),
            codes: BTreeMap::new(),
        });
    }
}

/// An environment as a world file that loads to the same environment.
pub(super) fn dump(world: &World) -> Json {
    let records: Map<String, Json> = world
        .schema
        .entities
        .keys()
        .filter_map(|table| {
            let rows: Vec<Json> = world.rows(table).map(|(_, row)| json!(row)).collect();
            (!rows.is_empty()).then(|| (table.clone(), Json::Array(rows)))
        })
        .collect();
    json!({
        "platform": "dynamics", "seed": world.seed, "complete": true, "org": world.org, "settings": world.settings,
        "apps": world.access.apps, "tokens": world.access.tokens, "tables": world.specs.tables,
        "columns": world.specs.columns, "keys": world.specs.keys, "pairs": world.specs.pairs,
        "choices": world.specs.choices, "duplicate_rules": world.specs.duplicate_rules,
        "tracking": world.specs.tracking, "records": records, "next": world.next, "gone": world.gone,
    })
}

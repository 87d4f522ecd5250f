//! An organization from a world file, and a world file from an organization.
//!
//! The file is a JSON object; every key may be missing: `platform`, `seed`, `org`, `settings`, `access` (clients and
//! tokens), `users`, `modules` (custom ones), `fields` (by module: custom fields, or standard ones as they differ),
//! `layouts` (by module), `records` (by module, each with the fields that have a value, lookups as ids or as
//! `{"id": ".."}`), `links`, `roles`, `role_names`, `tags`, `files`, `channels`, and what a dump adds (`complete`:
//! nothing is to be derived; `bin`, `jobs`, `next`).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::access::{Access, Client, Refresh, Token};
use super::bulk::Job;
use super::files::Stored;
use super::instant::{self, Seconds};
use super::org::{Org, User};
use super::schema::{Field, Kind, Layout, Module};
use super::settings::Settings;
use super::tags::TagName;
use super::values::id_of;
use super::watch::Channel;
use super::world::{Binned, Id, META, RECORDS, RoleName, Row, World};
use super::{catalogue, custom, rules, scopes};
pub use crate::world_error::WorldError;
use crate::world_error::wrong;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WorldFile {
    platform: Option<String>,
    seed: Option<u64>,
    org: Org,
    settings: Settings,
    access: Access,
    users: Vec<User>,
    modules: Vec<Module>,
    fields: BTreeMap<String, Vec<Field>>,
    layouts: BTreeMap<String, Vec<Layout>>,
    records: BTreeMap<String, Vec<Map<String, Json>>>,
    links: Vec<(Id, Id)>,
    roles: Vec<(Id, Id, Option<Id>)>,
    role_names: Vec<RoleName>,
    tags: BTreeMap<String, Vec<TagName>>,
    files: BTreeMap<String, FileSpec>,
    channels: BTreeMap<String, Channel>,
    jobs: BTreeMap<Id, Job>,
    bin: Vec<BinSpec>,
    next: BTreeMap<String, u64>,
    complete: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FileSpec {
    name: String,
    /// In base 64.
    bytes: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct BinSpec {
    module: String,
    record: Map<String, Json>,
    at: Seconds,
    by: Id,
    root: Id,
    permanent: bool,
    told: bool,
}

/// When records without times were made: 2020-01-01.
const BEGIN: Seconds = 1_577_836_800;

/// The roles that contacts have in deals of a new organization.
const ROLE_NAMES: [&str; 7] = [
    "Developer/Evaluator",
    "Decision Maker",
    "Purchasing",
    "Executive Sponsor",
    "Engineering Lead",
    "Economic Decision Maker",
    "Product Management",
];

/// The world of a file.
pub(super) fn load(json: Json, seed: u64) -> Result<World, WorldError> {
    let file: WorldFile = serde_json::from_value(json).map_err(WorldError::Shape)?;
    if file.platform.as_deref().is_some_and(|platform| platform != "zoho") {
        return Err(wrong("it is one of another platform"));
    }
    let mut world = World::blank(file.seed.unwrap_or(seed));
    (world.org, world.settings) = (file.org, file.settings);
    (world.access, world.next, world.jobs) = (file.access, file.next, file.jobs);
    (world.tags, world.channels, world.role_names) = (file.tags, file.channels, file.role_names);
    world.links = file.links.into_iter().map(|(one, two)| (one.min(two), one.max(two))).collect();
    world.roles = file.roles.into_iter().map(|(deal, contact, role)| ((deal, contact), role)).collect();
    for (id, spec) in file.files {
        let bytes = STANDARD.decode(&spec.bytes).map_err(|_| wrong(format!("file {id} is not in base 64")))?;
        world.files.insert(id, Stored { name: spec.name, bytes });
    }
    people(&mut world, file.users);
    let next = world.next.clone();
    schema(&mut world, file.modules, file.fields, file.layouts)?;
    if file.complete {
        // Everything had its number already.
        world.next = next;
    }
    for (module, records) in file.records {
        for record in records {
            let mut row = row(&world, &module, record)?;
            if row.id == 0 {
                row.id = world.mint();
            }
            if world.find(row.id).is_some() {
                return Err(wrong(format!("two records have the id {}", row.id)));
            }
            if let Some(n) = row.id.checked_sub(RECORDS).filter(|_| !file.complete) {
                let next = world.next.entry("record".to_owned()).or_default();
                *next = (*next).max(n);
            }
            if !file.complete {
                derive(&world, &module, &mut row)?;
                super::tags::know(&mut world, &module, row.values.get("Tag"));
            }
            world.load(&module, row);
        }
    }
    for spec in file.bin {
        let row = row(&world, &spec.module, spec.record)?;
        let BinSpec { module, at, by, root, permanent, told, .. } = spec;
        world.bin.insert(row.id, Binned { module, row, at, by, root, permanent, told });
    }
    if !file.complete {
        lookups(&world)?;
        defaults(&mut world);
    }
    drop(world.settle());
    Ok(world)
}

fn people(world: &mut World, users: Vec<User>) {
    for (at, mut user) in users.into_iter().enumerate() {
        if user.id == 0 {
            user.id = META + 300_001 + Id::try_from(at).unwrap_or(0);
        }
        world.users.insert(user.id, user);
    }
    if world.users.is_empty() {
        let id = META + 300_001;
        let (first, last) = ("Ada".to_owned(), "Admin".to_owned());
        let email = "ada@example.com".to_owned();
        world.users.insert(id, User { id, first_name: first, last_name: last, email, admin: true, ..User::default() });
    }
}

fn schema(
    world: &mut World,
    modules: Vec<Module>,
    fields: BTreeMap<String, Vec<Field>>,
    layouts: BTreeMap<String, Vec<Layout>>,
) -> Result<(), WorldError> {
    world.modules = catalogue::standard().map_err(wrong)?;
    if world.org.multi_currency() {
        let codes: Vec<String> =
            std::iter::once(world.org.currency.clone()).chain(world.org.currencies.keys().cloned()).collect();
        for module in &mut world.modules {
            if module.fields.iter().any(|field| field.data_type == Kind::Currency) && module.is_record() {
                module.fields.extend(rules::currency_fields(&codes));
                catalogue::number(std::slice::from_mut(module));
            }
        }
    }
    for spec in modules {
        if spec.api_name.is_empty() || world.module(&spec.api_name).is_some() {
            return Err(wrong(format!("module `{}` is there already", spec.api_name)));
        }
        let mut module = custom::blank(world, &spec.api_name, &spec.singular, &spec.plural);
        if spec.id != 0 {
            let fields = if spec.fields.is_empty() { module.fields } else { spec.fields.clone() };
            module = Module { fields, ..spec };
        } else if matches!(spec.generated.as_str(), "subform" | "linking") {
            module.generated = spec.generated;
            module.fields.retain(|field| field.api_name == "Name");
            module.fields.iter_mut().for_each(|field| field.mandatory = false);
        }
        world.modules.push(module);
    }
    for (name, fields) in fields {
        for field in fields {
            apply(world, &name, field)?;
        }
    }
    for (name, mut layouts) in layouts {
        let module = world.module(&name).cloned().ok_or_else(|| wrong(format!("no module `{name}`")))?;
        let stages = module.field("Stage").map(|stage| stage.picks.iter().map(|pick| pick.actual.clone()).collect());
        let stages: Vec<String> = stages.unwrap_or_default();
        for pipeline in layouts.iter_mut().flat_map(|layout| &mut layout.pipelines) {
            if pipeline.stages.is_empty() {
                pipeline.stages.clone_from(&stages);
            }
            if pipeline.actual.is_empty() {
                pipeline.actual.clone_from(&pipeline.display);
            }
            if let Some(stage) = pipeline.stages.iter().find(|stage| !stages.contains(stage)) {
                return Err(wrong(format!("pipeline `{}` has no such stage: `{stage}`", pipeline.display)));
            }
        }
        let mut module = Module { layouts, ..module };
        custom::identify(world, &mut module);
        if let Some(known) = world.module_mut(&name) {
            *known = module;
        }
    }
    Ok(())
}

/// A custom field, or a standard one as it differs.
fn apply(world: &mut World, name: &str, mut field: Field) -> Result<(), WorldError> {
    let module = world.module(name).ok_or_else(|| wrong(format!("no module `{name}`")))?;
    let known = module.field(&field.api_name).cloned();
    if field.api_name.is_empty() {
        return Err(wrong(format!("a field of `{name}` has no `api_name`")));
    }
    if matches!(field.data_type, Kind::Lookup | Kind::Multiselectlookup | Kind::Subform) {
        let target = field.module.as_deref().unwrap_or("");
        if target != "se_module" && world.module(target).is_none() {
            return Err(wrong(format!("`{name}.{}` points to no module", field.api_name)));
        }
    }
    if field.label.is_empty() {
        field.label = field.api_name.replace('_', " ");
    }
    let length = field.length;
    catalogue::settle(&mut field, length);
    if let Some(known) = &known {
        field.id = known.id;
        field.custom = known.custom;
        field.changed = !known.custom;
    } else {
        field.custom = true;
        if field.id == 0 {
            field.id = world.mint_meta();
        }
    }
    for at in 0..field.picks.len() {
        let id = world.mint_meta();
        if let Some(pick) = field.picks.get_mut(at) {
            if pick.actual.is_empty() {
                pick.actual.clone_from(&pick.display);
            }
            if pick.display.is_empty() {
                pick.display.clone_from(&pick.actual);
            }
            if pick.id == 0 {
                pick.id = id;
            }
        }
    }
    let Some(module) = world.module_mut(name) else { return Ok(()) };
    match module.fields.iter_mut().find(|one| one.api_name == field.api_name) {
        Some(place) => *place = field,
        None => module.fields.push(field),
    }
    Ok(())
}

/// A record of the file.
fn row(world: &World, module: &str, record: Map<String, Json>) -> Result<Row, WorldError> {
    let shape = world.module(module).ok_or_else(|| wrong(format!("no module `{module}`")))?;
    let admin = world.users.keys().next().copied().unwrap_or_default();
    let mut row = Row { created: BEGIN, modified: BEGIN, created_by: admin, modified_by: admin, ..Row::default() };
    for (name, value) in record {
        let bad = || wrong(format!("`{module}.{name}` cannot be that"));
        let id = || value.as_str().and_then(|id| id.parse().ok()).or_else(|| value.as_u64()).or_else(|| id_of(&value));
        let time = || value.as_str().and_then(instant::read);
        match name.as_str() {
            "id" => row.id = id().ok_or_else(bad)?,
            "Created_Time" => row.created = time().ok_or_else(bad)?,
            "Modified_Time" => row.modified = time().ok_or_else(bad)?,
            "Created_By" => row.created_by = id().ok_or_else(bad)?,
            "Modified_By" => row.modified_by = id().ok_or_else(bad)?,
            _ if name.starts_with('$') => row.set(&name, Some(value)),
            _ => {
                let field = shape.field(&name).ok_or_else(|| wrong(format!("`{module}` has no field `{name}`")))?;
                let kept = match field.data_type {
                    kind if kind.points() || kind == Kind::Layout => json!(id().ok_or_else(bad)?.to_string()),
                    Kind::Datetime => json!(instant::kept(time().ok_or_else(bad)?)),
                    _ => value,
                };
                row.set(&name, Some(kept));
            }
        }
    }
    row.modified = row.modified.max(row.created);
    Ok(row)
}

/// What follows from the values of a record.
fn derive(world: &World, module: &str, row: &mut Row) -> Result<(), WorldError> {
    let Some(shape) = world.module(module) else { return Ok(()) };
    let given: Map<String, Json> = row.values.clone().into_iter().collect();
    rules::settle(world, shape, None, row, &given, module)
        .map_err(|refusal| wrong(format!("record {} of `{module}`: {}", row.id, refusal.message)))
}

/// Every lookup has a target.
fn lookups(world: &World) -> Result<(), WorldError> {
    for module in &world.modules {
        for field in module.fields.iter().filter(|field| field.data_type.points()) {
            for row in world.rows(&module.api_name) {
                let target = row.target(&field.api_name);
                if row.values.contains_key(&field.api_name) && !target.is_some_and(|id| world.is_live(row, field, id)) {
                    let place = format!("`{}.{}`", module.api_name, field.api_name);
                    return Err(wrong(format!("{place} of record {} points to nothing", row.id)));
                }
            }
        }
    }
    Ok(())
}

/// A client, a refresh token and an access token for whoever has none.
fn defaults(world: &mut World) {
    let user = world.users.values().find(|user| user.is_active()).map_or(0, |user| user.id);
    if world.access.clients.is_empty() {
        let client_id = format!("1000.{}", world.draw_token("client", 30).to_uppercase());
        let client_secret = world.draw_token("secret", 42);
        world.access.clients.push(Client { client_id, client_secret, redirect_uris: Vec::new() });
    }
    let client_id = world.access.clients.first().map(|client| client.client_id.clone()).unwrap_or_default();
    if world.access.refresh_tokens.is_empty() {
        let token = format!("1000.{}.{}", world.draw_token("refresh", 32), world.draw_token("refresh", 32));
        let scope = scopes::EVERYTHING.to_owned();
        let refresh = Refresh { client_id, user, scope, at: BEGIN, n: 0, used: Vec::new() };
        world.access.refresh_tokens.insert(token, refresh);
    }
    if world.access.tokens.is_empty() {
        let token = format!("1000.{}.{}", world.draw_token("access", 32), world.draw_token("access", 32));
        let scope = scopes::EVERYTHING.to_owned();
        world.access.tokens.insert(token, Token { user, scope, until: None, refresh: None, n: 0 });
    }
    if world.role_names.is_empty() {
        for name in ROLE_NAMES {
            let id = world.mint_meta();
            world.role_names.push(RoleName { id, name: name.to_owned() });
        }
    }
}

/// The world as a file that loading accepts.
pub(super) fn dump(world: &World) -> Json {
    let fields = |module: &Module| -> Vec<Field> {
        module.fields.iter().filter(|field| field.custom || field.changed).cloned().collect()
    };
    let modules: Vec<&Module> =
        world.modules.iter().filter(|module| matches!(module.generated.as_str(), "custom" | "linking")).collect();
    let records: BTreeMap<&String, Vec<Map<String, Json>>> =
        world.tables.iter().map(|(name, table)| (name, table.rows.values().map(record).collect())).collect();
    let bin: Vec<Json> = world
        .bin
        .values()
        .map(|one| {
            json!({"module": one.module, "record": record(&one.row), "at": one.at, "by": one.by, "root": one.root,
                "permanent": one.permanent, "told": one.told})
        })
        .collect();
    let files: Map<String, Json> = world
        .files
        .iter()
        .map(|(id, file)| (id.clone(), json!({"name": file.name, "bytes": STANDARD.encode(&file.bytes)})))
        .collect();
    let own = |module: &&Module| !modules.iter().any(|one| one.api_name == module.api_name);
    let changed: BTreeMap<&String, Vec<Field>> = world
        .modules
        .iter()
        .filter(own)
        .map(|module| (&module.api_name, fields(module)))
        .filter(|(_, fields)| !fields.is_empty())
        .collect();
    let layouts: BTreeMap<&String, &Vec<Layout>> =
        world.modules.iter().filter(own).map(|module| (&module.api_name, &module.layouts)).collect();
    let roles: Vec<(Id, Id, Option<Id>)> =
        world.roles.iter().map(|((deal, contact), role)| (*deal, *contact, *role)).collect();
    json!({
        "platform": "zoho", "seed": world.seed, "org": world.org, "settings": world.settings, "access": world.access,
        "users": world.users.values().collect::<Vec<_>>(), "modules": modules, "fields": changed, "layouts": layouts,
        "records": records, "links": world.links, "roles": roles, "role_names": world.role_names, "tags": world.tags,
        "files": files, "channels": world.channels, "jobs": world.jobs, "bin": bin, "next": world.next, "complete": true,
    })
}

fn record(row: &Row) -> Map<String, Json> {
    let mut record: Map<String, Json> = row.values.clone().into_iter().collect();
    record.insert("id".to_owned(), json!(row.id.to_string()));
    for (name, at) in [("Created_Time", row.created), ("Modified_Time", row.modified)] {
        record.insert(name.to_owned(), json!(instant::kept(at)));
    }
    for (name, user) in [("Created_By", row.created_by), ("Modified_By", row.modified_by)] {
        record.insert(name.to_owned(), json!(user.to_string()));
    }
    record
}

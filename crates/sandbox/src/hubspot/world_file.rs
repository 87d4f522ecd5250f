//! The world file: reading a portal from JSON.
//!
//! ```json
//! {"platform": "hubspot",
//!  "account": {"portalId": 1, "timeZone": "Europe/Berlin", "companyCurrency": "EUR",
//!              "additionalCurrencies": [], "tier": "professional", "uiDomain": "app-eu1.hubspot.com"},
//!  "settings": {}, "tokens": [{"token": "pat-1", "scopes": "all", "app": 1}],
//!  "oauth_apps": [{"client_id": "", "client_secret": "", "scopes": [], "refresh_token": ""}],
//!  "owners": [{"id": "1", "email": "", "firstName": "", "lastName": "", "userId": 1, "archived": false}],
//!  "pipelines": {"deals": [{"id": "", "label": "", "stages": [{"id": "", "label": "", "metadata": {}}]}]},
//!  "property_groups": {"contacts": [{"name": "", "label": ""}]},
//!  "properties": {"contacts": [{"name": "", "label": "", "type": "string", "fieldType": "text", "groupName": ""}]},
//!  "custom_objects": [{"objectTypeId": "2-1", "name": "car", "plural": "cars", "requiredProperties": []}],
//!  "objects": {"contacts": [{"id": "1", "properties": {}, "createdAt": "", "updatedAt": "", "archived": false}]},
//!  "association_labels": [{"fromType": "", "toType": "", "typeId": 1, "inverseTypeId": 2, "label": "", "name": ""}],
//!  "associations": [{"fromType": "contacts", "fromId": "1", "toType": "companies", "toId": "2",
//!                    "types": [{"category": "HUBSPOT_DEFINED", "typeId": 279}]}],
//!  "files": [{"id": 1, "name": "a.pdf", "content_base64": "", "access": "PRIVATE", "folder": "/"}],
//!  "workflows": [{"id": 1, "name": "", "type": "DRIP_DELAY", "enabled": true}],
//!  "webhooks": [{"appId": 1, "targetUrl": "", "clientSecret": "", "subscriptions": []}],
//!  "property_validations": {"contacts": []}}
//! ```
//!
//! Every key but `platform` may be absent. A dump has further keys (counters, merged ids, history,
//! issued tokens), so that loading it continues exactly where it was.

mod dump;
mod shape;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

pub(super) use dump::dump;
use shape::{AssociationEntry, FileEntry, LabelEntry, ObjectEntry, PropertyEntry, WorldFile};

use super::access::{OauthApp, PrivateToken, Scopes};
use super::instant;
use super::kinds::{Custom, Kind, ObjectKind};
use super::link_types::{Category, LinkType, TypeRow};
use super::links::{Node, Write};
use super::meters::Meters;
use super::portal::{Owner, StoredFile, default_pipelines};
use super::record::{Past, Record, Source, Table};
use super::world::World;
use super::{Hubspot, access, catalogue};

/// 2024-01-01, for records whose times a world does not say.
const LONG_AGO: i64 = 1_704_067_200_000;

/// Why a world cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// It is not a world file.
    #[error("failed reading the world")]
    Shape(#[source] serde_json::Error),
    /// It is a world of another platform.
    #[error("the world is for {0}, not for hubspot")]
    Platform(String),
    /// It names an object that does not exist.
    #[error("the world names the unknown object {0}")]
    Object(String),
    /// A record has a property that its object does not have.
    #[error("the {object} {id} has the unknown property {property}")]
    Property {
        /// Plural name.
        object: String,
        /// The record's id.
        id: String,
        /// The property.
        property: String,
    },
    /// Something about one entry is wrong.
    #[error("{entry}: {why}")]
    Entry {
        /// Which entry.
        entry: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

fn wrong(entry: impl Into<String>, why: &'static str) -> WorldError {
    WorldError::Entry { entry: entry.into(), why }
}

/// A new portal.
pub(super) fn fresh(seed: u64) -> Hubspot {
    let mut hub = Hubspot {
        seed,
        world: World::new(),
        access: access::Access::default(),
        meters: Meters::default(),
        webhooks: Vec::new(),
        requests: 0,
        changes: Vec::new(),
        occurrences: Vec::new(),
        told: Vec::new(),
        marks: None,
    };
    for (kind, pipeline) in default_pipelines() {
        if let Some(kind) = hub.world.kinds.find(kind) {
            hub.world.pipelines.insert(kind, vec![pipeline]);
        }
    }
    default_owner(&mut hub);
    default_access(&mut hub);
    hub
}

fn default_owner(hub: &mut Hubspot) {
    hub.world.owners = vec![Owner {
        id: "96879917".into(),
        email: "admin@example.com".into(),
        owner_type: "PERSON".into(),
        first_name: "Alex".into(),
        last_name: "Admin".into(),
        user_id: Some(46_879_917),
        archived: false,
        created_at: None,
        updated_at: None,
        teams: Vec::new(),
    }];
}

fn default_access(hub: &mut Hubspot) {
    let name = |purpose: &str| {
        let drawn = hub.draw(purpose, 0);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&drawn[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    };
    let private = PrivateToken {
        token: format!("pat-eu1-{}", name("private token")),
        scopes: Scopes::Word("all".into()),
        app: 1_000_001,
    };
    let oauth = OauthApp {
        client_id: name("client id"),
        client_secret: name("client secret"),
        scopes: Scopes::Word("all".into()),
        refresh_token: name("refresh token"),
        code: Some(name("code")),
        app: 1_000_002,
        revoked: false,
    };
    hub.access.private = vec![private];
    hub.access.oauth = vec![oauth];
}

/// A portal from a world file.
pub(super) fn load(world: Json, seed: u64) -> Result<Hubspot, WorldError> {
    let file: WorldFile = serde_json::from_value(world).map_err(WorldError::Shape)?;
    if file.platform != "hubspot" {
        return Err(WorldError::Platform(file.platform));
    }
    let mut hub = fresh(seed);
    hub.world.account = file.account;
    hub.world.settings = file.settings;
    if let Some(owners) = file.owners {
        hub.world.owners = owners;
    }
    match (file.tokens, file.oauth_apps) {
        (None, None) => {}
        (tokens, apps) => {
            hub.access.private = tokens.unwrap_or_default();
            hub.access.oauth = apps.unwrap_or_default();
        }
    }
    hub.access.issued = file.issued_tokens;
    hub.webhooks = file.webhooks;
    hub.world.workflows = file.workflows;
    hub.world.erased = file.erased_emails;
    for custom in file.custom_objects {
        add_kind(&mut hub.world, custom);
    }
    for (name, pipelines) in file.pipelines {
        let kind = find(&hub.world, &name)?;
        hub.world.pipelines.insert(kind, pipelines);
    }
    for (name, rules) in file.property_validations {
        let kind = find(&hub.world, &name)?;
        hub.world.validations.insert(kind, rules);
    }
    schemas(&mut hub.world, file.property_groups, file.properties)?;
    for label in file.association_labels {
        add_label(&mut hub.world, label)?;
    }
    for entry in file.files {
        add_file(&mut hub.world, entry)?;
    }
    for (name, entries) in file.objects {
        let kind = find(&hub.world, &name)?;
        for entry in entries {
            add_record(&mut hub.world, kind, entry)?;
        }
    }
    for association in file.associations {
        add_association(&mut hub.world, &association)?;
    }
    for (name, merged) in file.merged {
        let kind = find(&hub.world, &name)?;
        if let Some(table) = hub.world.tables.get_mut(usize::from(kind)) {
            table.aliases.extend(merged);
        }
    }
    hub.world.follow_ups = shape::follow_ups(&hub.world, &file.follow_ups)?;
    if let Some(day) = file.day {
        hub.meters.set_day(day);
    }
    counters(&mut hub, &file.counters);
    Ok(hub)
}

fn find(world: &World, name: &str) -> Result<Kind, WorldError> {
    world.kinds.find(name).ok_or_else(|| WorldError::Object(name.to_owned()))
}

fn add_kind(world: &mut World, custom: shape::CustomObject) {
    let qualified = format!("p{}_{}", world.account.portal_id, custom.name);
    let kind = world.kinds.add(ObjectKind {
        type_id: custom.object_type_id,
        singular: custom.name,
        plural: custom.plural,
        scope_word: "custom".into(),
        required: custom.required_properties,
        custom: Custom {
            qualified,
            label: custom.label,
            plural_label: custom.plural_label,
            primary: custom.primary_display_property,
        },
    });
    world.schemas.push(catalogue::schema(kind));
    world.tables.push(Table::of_kind(kind));
    world.add_keys();
    let all: Vec<Kind> = world.kinds.iter().map(|(other, _)| other).collect();
    for other in all {
        world.link_types.open_pair(&world.kinds, kind, other);
    }
}

fn schemas(
    world: &mut World,
    groups: std::collections::BTreeMap<String, Vec<super::property::Group>>,
    properties: std::collections::BTreeMap<String, Vec<PropertyEntry>>,
) -> Result<(), WorldError> {
    for (name, groups) in groups {
        let kind = find(world, &name)?;
        if let Some(schema) = world.schemas.get_mut(usize::from(kind)) {
            for group in groups {
                schema.groups.retain(|g| g.name != group.name);
                schema.groups.push(group);
            }
        }
    }
    for (name, entries) in properties {
        let kind = find(world, &name)?;
        for entry in entries {
            let Some(schema) = world.schemas.get_mut(usize::from(kind)) else { continue };
            let known = schema.index(&entry.name).and_then(|ix| schema.get(ix)).cloned();
            let property = entry.property(known)?;
            if schema.group(&property.group).is_none() {
                return Err(wrong(format!("property {}", property.name), "its group does not exist"));
            }
            schema.put(property);
        }
        world.refresh_keys(kind);
    }
    Ok(())
}

fn add_label(world: &mut World, label: LabelEntry) -> Result<(), WorldError> {
    let (from, to) = (find(world, &label.from_type)?, find(world, &label.to_type)?);
    let user = |id: u32| LinkType { category: Category::UserDefined, id };
    let known = world.link_types.row(from, to, user(label.type_id)).is_some();
    if !known {
        world.link_types.push(TypeRow {
            from,
            to,
            link: user(label.type_id),
            inverse: label.inverse_type_id.map(user),
            label: label.label,
            name: label.name,
            one_per_from: false,
        });
    }
    Ok(())
}

fn add_file(world: &mut World, entry: FileEntry) -> Result<(), WorldError> {
    let content =
        STANDARD.decode(&entry.content_base64).map_err(|_| wrong(format!("file {}", entry.id), "is not base64"))?;
    let (name, extension) = match (&entry.extension, entry.name.rsplit_once('.')) {
        (None, Some((stem, extension))) if !stem.is_empty() => (stem.to_owned(), extension.to_owned()),
        (extension, _) => (entry.name.clone(), extension.clone().unwrap_or_default()),
    };
    let at = entry.created_at.unwrap_or(LONG_AGO);
    world.next_file = world.next_file.max(entry.id.saturating_add(1));
    world.files.insert(
        entry.id,
        StoredFile {
            id: entry.id,
            name,
            extension,
            access: entry.access,
            folder: entry.folder,
            content,
            created_at: at,
            updated_at: entry.updated_at.unwrap_or(at),
            expires_at: None,
        },
    );
    Ok(())
}

fn add_record(world: &mut World, kind: Kind, entry: ObjectEntry) -> Result<(), WorldError> {
    let object = world.kinds.plural(kind).to_owned();
    let Some(id) = entry.id() else { return Err(wrong(object, "a record has no numeric id")) };
    let said = |name: &str| entry.properties.get(name).and_then(Json::as_str).and_then(instant::parse);
    let created = entry.created_at.as_ref().and_then(shape::time);
    let created = created.or_else(|| said("createdate")).or_else(|| said("hs_createdate")).unwrap_or(LONG_AGO);
    let updated = entry.updated_at.as_ref().and_then(shape::time);
    let updated = updated.or_else(|| said("hs_lastmodifieddate")).or_else(|| said("lastmodifieddate"));
    let mut record = Record::new(id, created, entry.origin.as_ref().map_or(Source::Import, shape::Origin::source));
    record.updated_at = updated.unwrap_or(created);
    let archived_at = entry.archived_at.as_ref().and_then(shape::time);
    record.archived_at = archived_at.or_else(|| entry.archived.then_some(record.updated_at));
    let schema = world.schema(kind);
    for (name, value) in &entry.properties {
        let derived =
            matches!(name.as_str(), "hs_object_id" | "hs_createdate" | "lastmodifieddate" | "hs_lastmodifieddate")
                || (name == "createdate" && entry.created_at.is_none());
        let Some(ix) = schema.index(name) else {
            return Err(WorldError::Property { object, id: id.to_string(), property: name.clone() });
        };
        let text = match value {
            Json::Null => continue,
            Json::String(text) if text.is_empty() => continue,
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        if !derived {
            record.put(ix, Some(text.into()));
        }
    }
    for past in &entry.history {
        if let Some(property) = schema.index(&past.name) {
            record.history.push(Past {
                property,
                value: past.value.as_deref().map(Into::into),
                at: past.at,
                source: past.source(),
            });
        }
    }
    let email = schema.index("email").filter(|_| kind == super::kinds::CONTACTS);
    let address = email.and_then(|ix| record.value(ix)).filter(|_| record.archived_at.is_none());
    if address.is_some_and(|address| world.table(kind).by_email(address).is_some()) {
        return Err(wrong(format!("contact {id}"), "another contact has its e-mail address"));
    }
    if world.put_loaded(kind, id, record) { Ok(()) } else { Err(wrong(format!("{object} {id}"), "stands there twice")) }
}

fn add_association(world: &mut World, entry: &AssociationEntry) -> Result<(), WorldError> {
    let (from, to) = (find(world, &entry.from_type)?, find(world, &entry.to_type)?);
    let name = || format!("association {} {} to {} {}", entry.from_type, entry.from_id, entry.to_type, entry.to_id);
    let node = |kind: Kind, id: &Json| {
        let id: u64 = super::call::id_text(Some(id))?.parse().ok()?;
        world.table(kind).get(id).map(|_| Node { kind, id })
    };
    let (Some(a), Some(b)) = (node(from, &entry.from_id), node(to, &entry.to_id)) else {
        return Err(wrong(name(), "one of its records does not exist"));
    };
    let mut types = Vec::new();
    for given in &entry.types {
        let link = Category::parse(&given.category).map(|category| LinkType { category, id: given.type_id });
        let link = link.filter(|&link| world.link_types.row(from, to, link).is_some());
        types.push(link.ok_or_else(|| wrong(name(), "a type does not fit its direction"))?);
    }
    if world.link_types.plain(from, to).is_none() || a == b {
        return Err(wrong(name(), "these cannot be associated"));
    }
    world.links.write(&world.link_types, a, b, &types, Write::Add);
    Ok(())
}

fn counters(hub: &mut Hubspot, counters: &std::collections::BTreeMap<String, u64>) {
    for (name, next) in counters {
        match name.as_str() {
            "files" => hub.world.next_file = *next,
            "stages" => hub.world.next_stage = *next,
            "labels" => hub.world.link_types.next_id = u32::try_from(*next).unwrap_or(u32::MAX),
            "requests" => hub.requests = *next,
            object => {
                let kind = hub.world.kinds.find(object);
                if let Some(table) = kind.and_then(|kind| hub.world.tables.get_mut(usize::from(kind))) {
                    table.next_id = table.next_id.max(*next);
                }
            }
        }
    }
}

//! Tables, columns, keys and pairs that an environment has beside the standard ones.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::dynamics::catalogue;
use crate::dynamics::relations::{OnDelete, Pairs, Relation};
use crate::dynamics::schema::{Attribute, Behavior, Choice, Entity, Key, Kind, Ownership, Required};
use crate::dynamics::world::World;

/// What is beside the standard schema.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Specs {
    pub(in super::super) tables: Vec<TableSpec>,
    pub(in super::super) columns: BTreeMap<String, Vec<ColumnSpec>>,
    pub(in super::super) keys: BTreeMap<String, Vec<Key>>,
    pub(in super::super) pairs: Vec<PairSpec>,
    /// The organization's own sets of choices.
    pub(in super::super) choices: BTreeMap<String, Vec<Choice>>,
    pub(in super::super) duplicate_rules: Vec<DuplicateRule>,
    /// Tables whose change tracking differs from the standard.
    pub(in super::super) tracking: BTreeMap<String, bool>,
}

/// Rows of a table are duplicates when these columns are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct DuplicateRule {
    pub(in super::super) table: String,
    pub(in super::super) columns: Vec<String>,
}

/// A custom table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in super::super) struct TableSpec {
    /// `new_Project`.
    pub(in super::super) schema_name: String,
    pub(in super::super) set: Option<String>,
    pub(in super::super) label: Option<String>,
    pub(in super::super) plural: Option<String>,
    /// The schema name of its primary name. Default `new_Name` with its own prefix.
    pub(in super::super) primary_name: Option<String>,
    /// Rows belong to the organization instead of to users.
    pub(in super::super) organization_owned: bool,
    pub(in super::super) tracked: bool,
    /// Notes and activities may be about its rows.
    pub(in super::super) notes: bool,
    pub(in super::super) activities: bool,
}

/// A custom column, or what differs in a standard one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ColumnSpec {
    pub(in super::super) schema_name: String,
    #[serde(default)]
    pub(in super::super) kind: Option<Kind>,
    #[serde(default)]
    pub(in super::super) label: Option<String>,
    #[serde(default)]
    pub(in super::super) max_length: Option<usize>,
    #[serde(default)]
    pub(in super::super) precision: Option<u8>,
    #[serde(default)]
    pub(in super::super) min: Option<f64>,
    #[serde(default)]
    pub(in super::super) max: Option<f64>,
    /// `None`, `Recommended`, `ApplicationRequired`, `SystemRequired`.
    #[serde(default)]
    pub(in super::super) required: Option<String>,
    /// `Email`, `Url`, `Phone`, `Text`, `DateOnly`, `DateAndTime`.
    #[serde(default)]
    pub(in super::super) format: Option<String>,
    /// `UserLocal`, `DateOnly`, `TimeZoneIndependent`.
    #[serde(default)]
    pub(in super::super) behavior: Option<String>,
    #[serde(default)]
    pub(in super::super) choices: Vec<Choice>,
    /// The organization's set that gives the choices.
    #[serde(default)]
    pub(in super::super) global_choices: Option<String>,
    #[serde(default)]
    pub(in super::super) targets: Vec<String>,
    /// Relationships of a lookup, one for each target.
    #[serde(default)]
    pub(in super::super) relationships: Vec<String>,
    /// Deleting the parent takes the row along.
    #[serde(default)]
    pub(in super::super) cascade: bool,
    /// Computed by the environment: never written.
    #[serde(default)]
    pub(in super::super) calculated: bool,
    #[serde(default)]
    pub(in super::super) default: Option<Json>,
}

/// A custom relationship of many to many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct PairSpec {
    pub(in super::super) schema_name: String,
    pub(in super::super) one: String,
    pub(in super::super) two: String,
}

/// Adds a table.
pub(in super::super) fn table(world: &mut World, spec: &TableSpec) -> Result<(), String> {
    let name = spec.schema_name.to_lowercase();
    let Some((prefix, _)) = name.split_once('_') else { return Err(format!("table {name} has no publisher's prefix")) };
    if world.schema.entity(&name).is_some() {
        return Err(format!("there is a table {name} already"));
    }
    let set = spec.set.clone().unwrap_or_else(|| plural(&name));
    let code = 10_000 + u32::try_from(world.specs.tables.len()).unwrap_or(0);
    let mut entity = Entity::new(&spec.schema_name, &set, code);
    entity.custom = true;
    entity.tracked = spec.tracked;
    entity.ownership = if spec.organization_owned { Ownership::Organization } else { Ownership::User };
    entity.label = spec.label.clone().unwrap_or(entity.label);
    entity.plural = spec.plural.clone().unwrap_or_else(|| plural(&entity.label));
    let mut id = Attribute::new(&format!("{}Id", spec.schema_name), Kind::Guid);
    (id.update, id.required) = (false, Required::System);
    entity.push(id);
    let mut primary =
        Attribute::new(&spec.primary_name.clone().unwrap_or_else(|| format!("{prefix}_Name")), Kind::String);
    primary.custom = true;
    entity.primary_name = Some(primary.name.clone());
    entity.push(primary);
    for (column, kind, choices) in [
        ("StateCode", Kind::State, [(0, "Active", None), (1, "Inactive", None)]),
        ("StatusCode", Kind::Status, [(1, "Active", Some(0)), (2, "Inactive", Some(1))]),
    ] {
        let mut attribute = Attribute::new(column, kind);
        let one = |(value, label, state): (i64, &str, Option<i64>)| Choice { value, label: label.to_owned(), state };
        attribute.choices = choices.into_iter().map(one).collect();
        entity.push(attribute);
    }
    let mut relations = Vec::new();
    catalogue::system_columns(&mut entity, &mut relations);
    world.schema.add(entity);
    for relation in relations {
        world.schema.relate(relation);
    }
    if spec.notes {
        about(world, "annotation", "objectid", &name, &format!("{name}_Annotations"), format!("objectid_{name}"));
    }
    if spec.activities {
        let activities: Vec<String> = world.schema.activities().map(|activity| activity.name.clone()).collect();
        for activity in activities {
            let nav = format!("regardingobjectid_{name}_{activity}");
            about(world, &activity, "regardingobjectid", &name, &format!("{name}_{activity}s"), nav);
        }
    }
    Ok(())
}

/// The set's name as the platform makes it (irregular as it is).
fn plural(name: &str) -> String {
    match name {
        name if name.ends_with('y') => format!("{}ies", name.trim_end_matches('y')),
        name if name.ends_with('s') || name.ends_with('x') || name.ends_with("ch") => format!("{name}es"),
        name => format!("{name}s"),
    }
}

/// Lets rows of a standard table be about those of another.
fn about(world: &mut World, table: &str, column: &str, target: &str, relationship: &str, nav: String) {
    let Some(attribute) = world.schema.entity_mut(table).and_then(|entity| entity.attribute_mut(column)) else {
        return;
    };
    attribute.targets.push(target.to_owned());
    world.schema.relate(Relation {
        schema_name: relationship.to_owned(),
        referencing: table.to_owned(),
        attribute: column.to_owned(),
        referenced: target.to_owned(),
        nav,
        on_delete: OnDelete::Cascade,
        custom: true,
    });
}

/// Adds a column to a table, or changes a standard one.
pub(in super::super) fn column(world: &mut World, table: &str, spec: &ColumnSpec) -> Result<(), String> {
    let entity = world.entity(table).ok_or_else(|| format!("there is no table {table}"))?;
    let name = spec.schema_name.to_lowercase();
    let before = entity.attribute(&name).cloned();
    let kind = spec.kind.or(before.as_ref().map(|before| before.kind)).unwrap_or(Kind::String);
    if before.is_none() && !name.contains('_') {
        return Err(format!("column {name} has no publisher's prefix"));
    }
    if let Some(target) = spec.targets.iter().find(|target| world.schema.entity(target).is_none()) {
        return Err(format!("column {name}: there is no table {target}"));
    }
    let fresh = before.is_none();
    let mut attribute = before.unwrap_or_else(|| Attribute { custom: true, ..Attribute::new(&spec.schema_name, kind) });
    attribute.label = spec.label.clone().unwrap_or(attribute.label);
    attribute.max_length = spec.max_length.unwrap_or(attribute.max_length);
    attribute.precision = spec.precision.unwrap_or(attribute.precision);
    attribute.min = spec.min.unwrap_or(attribute.min);
    attribute.max = spec.max.unwrap_or(attribute.max);
    attribute.default = spec.default.clone().or(attribute.default);
    attribute.required = match spec.required.as_deref() {
        None => attribute.required,
        Some("None") => Required::None,
        Some("Recommended") => Required::Recommended,
        Some("ApplicationRequired") => Required::Application,
        Some("SystemRequired") => Required::System,
        Some(_) => return Err(format!("column {name}: no such level is required")),
    };
    attribute.format = match spec.format.as_deref() {
        None => attribute.format,
        Some(format) => *["Text", "TextArea", "Email", "Url", "Phone", "DateOnly", "DateAndTime", "None"]
            .iter()
            .find(|known| **known == format)
            .ok_or_else(|| format!("column {name}: no such format"))?,
    };
    attribute.behavior = match spec.behavior.as_deref() {
        None => attribute.behavior,
        Some("UserLocal") => Behavior::UserLocal,
        Some("DateOnly") => Behavior::DateOnly,
        Some("TimeZoneIndependent") => Behavior::TimeZoneIndependent,
        Some(_) => return Err(format!("column {name}: no such behavior")),
    };
    if spec.calculated {
        attribute.source_type = 1;
        attribute = attribute.read_only();
    }
    choose(world, &mut attribute, spec)?;
    if fresh && kind.is_lookup() {
        for (at, target) in spec.targets.iter().enumerate() {
            relate(world, table, &mut attribute, spec, target, at);
        }
    }
    if kind == Kind::Money && fresh {
        money(world, table, &attribute);
    }
    if let Some(entity) = world.schema.entity_mut(table) {
        entity.push(attribute);
    }
    world.reindex(table);
    Ok(())
}

fn choose(world: &World, attribute: &mut Attribute, spec: &ColumnSpec) -> Result<(), String> {
    if !spec.choices.is_empty() {
        attribute.choices.clone_from(&spec.choices);
    }
    if let Some(name) = &spec.global_choices {
        let choices = world.specs.choices.get(name).ok_or_else(|| format!("there is no set of choices {name}"))?;
        attribute.choices.clone_from(choices);
        attribute.global_choices = Some(name.clone());
    }
    if attribute.kind == Kind::Boolean {
        attribute.default = attribute.default.take().or(Some(Json::Bool(false)));
        if attribute.choices.is_empty() {
            let one = |value: i64, label: &str| Choice { value, label: label.to_owned(), state: None };
            attribute.choices = vec![one(0, "No"), one(1, "Yes")];
        }
    }
    Ok(())
}

fn relate(world: &mut World, table: &str, attribute: &mut Attribute, spec: &ColumnSpec, target: &str, at: usize) {
    let plain = format!("{}_{target}_{table}", attribute.name);
    let single = spec.targets.len() == 1;
    attribute.targets.push(target.to_owned());
    world.schema.relate(Relation {
        schema_name: spec.relationships.get(at).cloned().unwrap_or(plain),
        referencing: table.to_owned(),
        attribute: attribute.name.clone(),
        referenced: target.to_owned(),
        // The schema's name, not the logical one (sheet: section 5.1 [code, doc]).
        nav: if single { attribute.schema_name.clone() } else { format!("{}_{target}", attribute.schema_name) },
        on_delete: if spec.cascade { OnDelete::Cascade } else { OnDelete::RemoveLink },
        custom: true,
    });
}

/// Amounts need a currency.
fn money(world: &mut World, table: &str, attribute: &Attribute) {
    let mut relations = Vec::new();
    if let Some(entity) = world.schema.entity_mut(table) {
        entity.push(catalogue::base(attribute));
        if entity.attribute("transactioncurrencyid").is_none() {
            catalogue::currency_columns(entity, &mut relations);
        }
    }
    for relation in relations {
        world.schema.relate(relation);
    }
}

/// Adds an alternate key.
pub(in super::super) fn key(world: &mut World, table: &str, key: &Key) -> Result<(), String> {
    let entity = world.schema.entity_mut(table).ok_or_else(|| format!("there is no table {table}"))?;
    for column in &key.columns {
        let fits = entity.attribute(column).is_some_and(|attribute| crate::dynamics::rules::may_be_key(attribute.kind));
        if !fits {
            return Err(format!("key {}: {column} cannot stand in a key", key.schema_name));
        }
    }
    entity.keys.push(key.clone());
    world.reindex(table);
    Ok(())
}

/// Adds a relationship of many to many.
pub(in super::super) fn pairs(world: &mut World, spec: &PairSpec) -> Result<(), String> {
    let name = spec.schema_name.to_lowercase();
    for table in [&spec.one, &spec.two] {
        if world.schema.entity(table).is_none() {
            return Err(format!("relationship {name}: there is no table {table}"));
        }
    }
    let mut entity = Entity::new(&spec.schema_name, &format!("{name}set"), 20_000);
    (entity.intersect, entity.writable, entity.bulk, entity.custom) = (true, false, false, true);
    entity.push(Attribute::new(&format!("{}Id", spec.schema_name), Kind::Guid));
    let second = if spec.one == spec.two { format!("{}idtwo", spec.two) } else { format!("{}id", spec.two) };
    let sides = [(spec.one.clone(), format!("{}id", spec.one)), (spec.two.clone(), second)];
    for (table, column) in &sides {
        let mut attribute = Attribute::new(column, Kind::Lookup).read_only();
        attribute.targets = vec![table.clone()];
        entity.push(attribute);
    }
    entity.push(Attribute::new("VersionNumber", Kind::BigInt).read_only());
    world.schema.add(entity);
    for (at, (table, column)) in sides.iter().enumerate() {
        world.schema.relate(Relation {
            schema_name: format!("{name}_{}", at + 1),
            referencing: name.clone(),
            attribute: column.clone(),
            referenced: table.clone(),
            nav: column.clone(),
            on_delete: OnDelete::Cascade,
            custom: true,
        });
    }
    let [one, two] = sides;
    world.schema.pair(Pairs { schema_name: spec.schema_name.clone(), intersect: name, one, two });
    Ok(())
}

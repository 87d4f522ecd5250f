//! New tables, columns, keys and relationships (sheet: section 3).

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::Reply;
use crate::dynamics::call::Call;
use crate::dynamics::guid;
use crate::dynamics::refusal::{Answer, Fault, no_content};
use crate::dynamics::schema::{Choice, Entity, Key, Kind};
use crate::dynamics::world::World;
use crate::dynamics::world_file::{self, ColumnSpec, PairSpec, TableSpec};

/// Keys of a table at most, and columns of a key (sheet: section 3 \[doc\]).
const KEYS: usize = 10;
const KEY_COLUMNS: usize = 16;

fn text<'a>(body: &'a Map<String, Json>, name: &str) -> &'a str {
    body.get(name).and_then(Json::as_str).unwrap_or("")
}

/// The text of a label.
fn label(value: Option<&Json>) -> Option<String> {
    value?["LocalizedLabels"].as_array()?.first()?["Label"].as_str().map(str::to_owned)
}

fn bad(why: impl Into<String>) -> Fault {
    Fault::new(400, "0x80044363", why)
}

/// Custom names begin with the publisher's prefix (sheet: section 3 \[doc\]).
fn prefixed(schema_name: &str) -> Result<(), Fault> {
    let prefix = schema_name.split_once('_').map_or("", |(prefix, _)| prefix);
    let letters = prefix.chars().all(|letter| letter.is_ascii_alphanumeric())
        && schema_name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if letters && (2..=8).contains(&prefix.len()) {
        return Ok(());
    }
    Err(bad(
        "The schema name must start with a valid customization prefix and contain only letters, digits and underscores.",
    ))
}

fn made(call: &Call<'_>, path: &str) -> Reply {
    no_content().with_header("odata-entityid", format!("{}{path}", call.base))
}

/// `POST /EntityDefinitions`.
pub(super) fn table(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.map()?;
    let schema_name = text(&body, "SchemaName").to_owned();
    prefixed(&schema_name)?;
    let columns = body.get("Attributes").and_then(Json::as_array).cloned().unwrap_or_default();
    let primary = columns.iter().find(|one| one["IsPrimaryName"] == true).cloned();
    let primary = primary.ok_or_else(|| bad("A table needs a primary name attribute."))?;
    let flag = |name: &str| body.get(name) == Some(&Json::Bool(true));
    let spec = TableSpec {
        schema_name: schema_name.clone(),
        set: body.get("EntitySetName").and_then(Json::as_str).map(str::to_owned),
        label: label(body.get("DisplayName")),
        plural: label(body.get("DisplayCollectionName")),
        primary_name: primary["SchemaName"].as_str().map(str::to_owned),
        organization_owned: text(&body, "OwnershipType") == "OrganizationOwned",
        tracked: flag("ChangeTrackingEnabled"),
        notes: flag("HasNotes"),
        activities: flag("HasActivities"),
    };
    // All is read before anything is made: what is refused has changed nothing.
    let mut specs = Vec::new();
    for one in &columns {
        let spec = column_spec(world, &one.as_object().cloned().unwrap_or_default())?;
        prefixed(&spec.schema_name)?;
        specs.push(spec);
    }
    let name = schema_name.to_lowercase();
    if world.entity(&name).is_some() {
        return Err(Fault::new(400, "0x80044362", format!("An entity with the specified name {name} already exists.")));
    }
    world_file::table(world, &spec).map_err(bad)?;
    world.specs.tables.push(spec);
    let entity = world.entity(&name).ok_or_else(|| Fault::no_segment(&name))?;
    for spec in specs {
        add(world, &entity.name, spec)?;
    }
    Ok(made(call, &format!("EntityDefinitions({})", guid::of_schema(&name))))
}

/// `PUT /EntityDefinitions(...)`: of all that, change tracking is what can be changed here.
pub(super) fn change(world: &mut World, call: &Call<'_>, entity: &Arc<Entity>) -> Answer {
    let body = call.map()?;
    let wanted = body.get("ChangeTrackingEnabled").and_then(Json::as_bool).unwrap_or(entity.tracked);
    if entity.tracked && !wanted {
        return Err(bad("Change tracking cannot be turned off for this table."));
    }
    if let Some(entity) = world.schema.entity_mut(&entity.name) {
        entity.tracked = wanted;
    }
    world.specs.tracking.insert(entity.name.clone(), wanted);
    Ok(no_content())
}

/// `POST /EntityDefinitions(...)/Attributes`.
pub(super) fn column(world: &mut World, call: &Call<'_>, entity: &Arc<Entity>) -> Answer {
    let body = call.map()?;
    let spec = column_spec(world, &body)?;
    prefixed(&spec.schema_name)?;
    let name = spec.schema_name.to_lowercase();
    if entity.attribute(&name).is_some() {
        let message = format!("Attribute {name} already exists for entity {}.", entity.name);
        return Err(Fault::new(400, "0x80044153", message));
    }
    if spec.kind.is_some_and(Kind::is_lookup) {
        return Err(bad("Lookup columns are created with their relationship."));
    }
    add(world, &entity.name, spec)?;
    let id = guid::of_schema(&format!("{}.{name}", entity.name));
    Ok(made(call, &format!("EntityDefinitions({})/Attributes({id})", guid::of_schema(&entity.name))))
}

fn add(world: &mut World, table: &str, spec: ColumnSpec) -> Result<(), Fault> {
    world_file::column(world, table, &spec).map_err(bad)?;
    world.specs.columns.entry(table.to_owned()).or_default().push(spec);
    Ok(())
}

/// What a definition says of a column.
fn column_spec(world: &World, body: &Map<String, Json>) -> Result<ColumnSpec, Fault> {
    let kind = text(body, "@odata.type").trim_start_matches('#').trim_start_matches("Microsoft.Dynamics.CRM.");
    let kind = match kind {
        "StringAttributeMetadata" => Kind::String,
        "MemoAttributeMetadata" => Kind::Memo,
        "IntegerAttributeMetadata" => Kind::Integer,
        "BigIntAttributeMetadata" => Kind::BigInt,
        "DecimalAttributeMetadata" => Kind::Decimal,
        "DoubleAttributeMetadata" => Kind::Double,
        "MoneyAttributeMetadata" => Kind::Money,
        "DateTimeAttributeMetadata" => Kind::DateTime,
        "BooleanAttributeMetadata" => Kind::Boolean,
        "PicklistAttributeMetadata" => Kind::Picklist,
        "MultiSelectPicklistAttributeMetadata" => Kind::MultiSelect,
        "LookupAttributeMetadata" => Kind::Lookup,
        _ => return Err(bad("The @odata.type of the attribute is missing or not supported.")),
    };
    let number = |name: &str| body.get(name).and_then(Json::as_f64);
    let size = |name: &str| body.get(name).and_then(Json::as_u64).and_then(|size| usize::try_from(size).ok());
    if kind == Kind::String && !(1..=4_000).contains(&size("MaxLength").unwrap_or(100)) {
        return Err(bad("MaxLength of a string attribute must be 1 to 4000."));
    }
    let value =
        |name: &str| body.get(name).and_then(|value| value.get("Value")).and_then(Json::as_str).map(str::to_owned);
    let format = value("FormatName").or_else(|| body.get("Format").and_then(Json::as_str).map(str::to_owned));
    let set = body.get("OptionSet").cloned().unwrap_or(Json::Null);
    let global =
        body.get("GlobalOptionSet@odata.bind").and_then(Json::as_str).map(|bind| global(world, bind)).transpose()?;
    let choices = match kind {
        Kind::Boolean => {
            let one = |name: &str, value: i64| {
                label(set[name].get("Label")).map(|label| Choice { value, label, state: None })
            };
            [one("FalseOption", 0), one("TrueOption", 1)].into_iter().flatten().collect()
        }
        Kind::Picklist | Kind::MultiSelect if global.is_none() => options(&set)?,
        _ => Vec::new(),
    };
    Ok(ColumnSpec {
        schema_name: text(body, "SchemaName").to_owned(),
        kind: Some(kind),
        label: label(body.get("DisplayName")),
        max_length: size("MaxLength"),
        precision: size("Precision").and_then(|digits| u8::try_from(digits).ok()),
        min: number("MinValue"),
        max: number("MaxValue"),
        required: value("RequiredLevel"),
        format,
        behavior: value("DateTimeBehavior"),
        choices,
        global_choices: global,
        targets: Vec::new(),
        relationships: Vec::new(),
        cascade: false,
        calculated: false,
        default: None,
    })
}

/// The set of choices that a bind names.
fn global(world: &World, bind: &str) -> Result<String, Fault> {
    let key = bind.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or("");
    let by_name = super::named(key, "Name").filter(|name| world.specs.choices.contains_key(name));
    let by_id =
        guid::parse(key).and_then(|id| world.specs.choices.keys().find(|name| guid::of_schema(name) == id).cloned());
    by_name.or(by_id).ok_or_else(|| Fault::new(404, "0x80048403", "Could not find optionset."))
}

/// Choices of a definition; without values they get the next ones of the publisher.
fn options(set: &Json) -> Result<Vec<Choice>, Fault> {
    let mut list = Vec::new();
    let mut next = 100_000_000;
    for option in set["Options"].as_array().into_iter().flatten() {
        let value = option["Value"].as_i64().unwrap_or(next);
        next = next.max(value) + 1;
        let label = label(option.get("Label")).ok_or_else(|| bad("An option has no label."))?;
        if list.iter().any(|choice: &Choice| choice.value == value) {
            return Err(Fault::new(400, "0x80048403", "The option values of an option set must be different."));
        }
        list.push(Choice { value, label, state: None });
    }
    Ok(list)
}

/// `POST /EntityDefinitions(...)/Keys`.
pub(super) fn key(world: &mut World, call: &Call<'_>, entity: &Arc<Entity>) -> Answer {
    let body = call.map()?;
    let schema_name = text(&body, "SchemaName").to_owned();
    prefixed(&schema_name)?;
    let columns: Vec<String> = body
        .get("KeyAttributes")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| one.as_str().map(str::to_owned))
        .collect();
    if columns.is_empty() || columns.len() > KEY_COLUMNS || entity.keys.len() >= KEYS {
        return Err(bad(format!("A table has at most {KEYS} keys, each of 1 to {KEY_COLUMNS} attributes.")));
    }
    if entity.keys.iter().any(|key| key.name() == schema_name.to_lowercase()) {
        return Err(Fault::new(400, "0x80060890", "An entity key with the selected name already exists."));
    }
    let failed = duplicates(world, entity, &columns);
    let key = Key { schema_name, columns, active_at: call.at + world.settings.key_index_s, failed };
    world_file::key(world, &entity.name, &key).map_err(bad)?;
    let id = guid::of_schema(&format!("{}.{}", entity.name, key.name()));
    world.specs.keys.entry(entity.name.clone()).or_default().push(key);
    Ok(made(call, &format!("EntityDefinitions({})/Keys({id})", guid::of_schema(&entity.name))))
}

/// Whether rows stand in the way of a key's index.
fn duplicates(world: &World, entity: &Entity, columns: &[String]) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    let folded = |value: &Json| {
        value.as_str().map_or_else(
            || value.to_string(),
            |text| crate::dynamics::fold::fold(text, world.settings.accent_insensitive),
        )
    };
    let mut rows = world
        .rows(&entity.name)
        .filter_map(|(_, row)| columns.iter().map(|column| row.get(column).map(folded)).collect::<Option<Vec<_>>>());
    rows.any(|values| !seen.insert(values))
}

/// `POST /RelationshipDefinitions`.
pub(super) fn relationship(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.map()?;
    let schema_name = text(&body, "SchemaName").to_owned();
    prefixed(&schema_name)?;
    let taken = world.schema.relations.iter().any(|one| one.schema_name.eq_ignore_ascii_case(&schema_name))
        || world.schema.pairs.iter().any(|one| one.schema_name.eq_ignore_ascii_case(&schema_name));
    if taken {
        return Err(bad("A relationship with the specified name already exists."));
    }
    match text(&body, "@odata.type").rsplit('.').next() {
        Some("ManyToManyRelationshipMetadata") => {
            let spec = PairSpec {
                schema_name: schema_name.clone(),
                one: text(&body, "Entity1LogicalName").to_owned(),
                two: text(&body, "Entity2LogicalName").to_owned(),
            };
            world_file::pairs(world, &spec).map_err(bad)?;
            world.specs.pairs.push(spec);
        }
        Some("OneToManyRelationshipMetadata") => {
            let lookup =
                body.get("Lookup").and_then(Json::as_object).ok_or_else(|| bad("The relationship has no Lookup."))?;
            let table = text(&body, "ReferencingEntity").to_owned();
            let mut spec = column_spec(world, lookup)?;
            prefixed(&spec.schema_name)?;
            spec.targets = vec![text(&body, "ReferencedEntity").to_owned()];
            spec.relationships = vec![schema_name.clone()];
            spec.cascade = body.get("CascadeConfiguration").is_some_and(|cascade| cascade["Delete"] == "Cascade");
            add(world, &table, spec)?;
        }
        _ => return Err(bad("The @odata.type of the relationship is missing or not supported.")),
    }
    let id = guid::of_schema(&format!("relationship {schema_name}"));
    Ok(made(call, &format!("RelationshipDefinitions({id})")))
}

/// `POST /CreateCustomerRelationships`.
pub(in super::super) fn customer(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.map()?;
    let lookup = body.get("Lookup").and_then(Json::as_object).ok_or_else(|| bad("The body has no Lookup."))?;
    let relations = body.get("OneToManyRelationships").and_then(Json::as_array).cloned().unwrap_or_default();
    let field = |one: &Json, name: &str| one[name].as_str().unwrap_or("").to_owned();
    let table = relations.first().map(|one| field(one, "ReferencingEntity")).unwrap_or_default();
    let plain = Map::from_iter(
        lookup
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .chain([("@odata.type".to_owned(), json!("Microsoft.Dynamics.CRM.LookupAttributeMetadata"))]),
    );
    let mut spec = column_spec(world, &plain)?;
    prefixed(&spec.schema_name)?;
    spec.kind = Some(Kind::Customer);
    spec.targets = relations.iter().map(|one| field(one, "ReferencedEntity")).collect();
    spec.relationships = relations.iter().map(|one| field(one, "SchemaName")).collect();
    if spec.targets.len() != 2 {
        return Err(bad("A customer lookup has two relationships."));
    }
    let attribute = guid::of_schema(&format!("{table}.{}", spec.schema_name.to_lowercase()));
    let ids: Vec<String> =
        spec.relationships.iter().map(|name| guid::of_schema(&format!("relationship {name}"))).collect();
    add(world, &table, spec)?;
    let context = crate::dynamics::actions::context(call, "CreateCustomerRelationships");
    Ok(Reply::json(200, &json!({"@odata.context": context, "AttributeId": attribute, "RelationshipIds": ids})))
}

/// `POST /GlobalOptionSetDefinitions`.
pub(super) fn choices(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.map()?;
    let name = text(&body, "Name").to_lowercase();
    prefixed(&name)?;
    if world.specs.choices.contains_key(&name) {
        return Err(Fault::new(400, "0x80048403", "An option set with the specified name already exists."));
    }
    let list = options(&Json::Object(body))?;
    world.specs.choices.insert(name.clone(), list);
    Ok(made(call, &format!("GlobalOptionSetDefinitions({})", guid::of_schema(&name))))
}

/// `POST /InsertOptionValue`.
pub(in super::super) fn insert_option(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.map()?;
    let label = label(body.get("Label")).ok_or_else(|| bad("The option has no label."))?;
    let (table, column, set) =
        (text(&body, "EntityLogicalName"), text(&body, "AttributeLogicalName"), text(&body, "OptionSetName"));
    let entity = world.entity(table);
    let known = match entity.as_ref().and_then(|entity| entity.attribute(column)) {
        Some(attribute) => attribute.choices.clone(),
        None => world.specs.choices.get(set).cloned().ok_or_else(|| bad("There is no such column or option set."))?,
    };
    let next = known.iter().map(|choice| choice.value + 1).max().unwrap_or(0).max(100_000_000);
    let value = body.get("Value").and_then(Json::as_i64).unwrap_or(next);
    if known.iter().any(|choice| choice.value == value) {
        return Err(bad("The option value is in use already."));
    }
    let mut choices = known;
    choices.push(Choice { value, label, state: None });
    match entity.as_ref().and_then(|entity| entity.attribute(column)) {
        Some(attribute) => {
            let empty = json!({"schema_name": attribute.schema_name});
            let mut spec: ColumnSpec =
                serde_json::from_value(empty).map_err(|_| bad("The column cannot be changed."))?;
            spec.choices = choices;
            add(world, table, spec)?;
        }
        None => {
            world.specs.choices.insert(set.to_owned(), choices.clone());
            world.schema.rechoose(set, &choices);
        }
    }
    let context = crate::dynamics::actions::context(call, "InsertOptionValue");
    Ok(Reply::json(200, &json!({"@odata.context": context, "NewOptionValue": value})))
}

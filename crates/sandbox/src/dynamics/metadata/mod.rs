//! Definitions of tables, columns, keys, relationships and choices (sheet: section 3).

mod define;
mod show;

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::address::{Segment, split};
use super::call::Call;
use super::guid;
use super::odata::{self, Row};
use super::refusal::{Answer, Fault};
use super::schema::Entity;
use super::world::World;
use crate::Reply;
pub(super) use define::{customer, insert_option};

const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";

/// Collections of a table's definition.
const PARTS: [&str; 5] =
    ["Attributes", "Keys", "ManyToOneRelationships", "OneToManyRelationships", "ManyToManyRelationships"];

/// What definitions are asked with.
struct Ask {
    select: Option<Vec<String>>,
    expand: Vec<(String, Option<Vec<String>>)>,
    filter: Option<odata::Expr>,
}

impl Ask {
    fn read(call: &Call<'_>) -> Result<Self, Fault> {
        let mut ask = Self { select: None, expand: Vec::new(), filter: None };
        for (name, text) in &call.request.query {
            match name.as_str() {
                "$select" => ask.select = Some(names(text)),
                "$filter" => ask.filter = Some(odata::parse(text)?),
                "$expand" => {
                    for part in split(text, ',').unwrap_or_default() {
                        let (name, inner) = part.trim().split_once('(').unwrap_or((part.trim(), ""));
                        let inner = inner.trim_end_matches(')');
                        let select = inner.split(';').find_map(|one| one.trim().strip_prefix("$select="));
                        ask.expand.push((name.to_owned(), select.map(names)));
                    }
                }
                "LabelLanguages" | "api-version" => {}
                other => return Err(Fault::odata(format!("The query parameter {other} is not supported"))),
            }
        }
        Ok(ask)
    }
}

fn names(text: &str) -> Vec<String> {
    text.split(',').map(|name| name.trim().to_owned()).collect()
}

/// `/EntityDefinitions...`, `/RelationshipDefinitions...`, `/GlobalOptionSetDefinitions...`.
pub(super) fn answer(world: &mut World, call: &Call<'_>, first: &Segment, rest: &[Segment]) -> Answer {
    match (call.method(), first.name.as_str(), &first.key, rest) {
        ("GET", "EntityDefinitions", None, []) => tables(world, call),
        ("GET", "EntityDefinitions", Some(key), []) => {
            let entity = table(world, key)?;
            let ask = Ask::read(call)?;
            let mut body = whole(world, &entity, &ask, call)?;
            body.insert(
                "@odata.context".to_owned(),
                json!(format!("{}$metadata#EntityDefinitions/$entity", call.base)),
            );
            Ok(Reply::json(200, &body))
        }
        ("GET", "EntityDefinitions", Some(key), [part, rest @ ..]) => {
            let entity = table(world, key)?;
            part_of(world, call, &entity, part, rest)
        }
        ("POST", "EntityDefinitions", None, []) => define::table(world, call),
        ("PUT", "EntityDefinitions", Some(key), []) => {
            let entity = table(world, key)?;
            define::change(world, call, &entity)
        }
        ("POST", "EntityDefinitions", Some(key), [Segment { name, key: None }]) => {
            let entity = table(world, key)?;
            match name.as_str() {
                "Attributes" => define::column(world, call, &entity),
                "Keys" => define::key(world, call, &entity),
                other => Err(Fault::no_segment(other)),
            }
        }
        ("POST", "RelationshipDefinitions", None, []) => define::relationship(world, call),
        ("GET", "RelationshipDefinitions", ..) => relationships(world, call, first, rest),
        ("GET", "GlobalOptionSetDefinitions", ..) => choices(world, call, first),
        ("POST", "GlobalOptionSetDefinitions", None, []) => define::choices(world, call),
        (method, ..) => Err(Fault::not_allowed(method)),
    }
}

/// The table of `LogicalName='account'` or of a definition's id.
fn table(world: &World, key: &str) -> Result<Arc<Entity>, Fault> {
    let name = named(key, "LogicalName");
    let found = match &name {
        Some(name) => world.entity(name),
        None => {
            let id = guid::parse(key);
            let mut all = world.schema.entities.values();
            id.and_then(|id| all.find(|entity| guid::of_schema(&entity.name) == id).cloned())
        }
    };
    found.ok_or_else(|| {
        Fault::new(404, "0x80060888", "The entity with the specified name or id was not found in the MetadataCache.")
    })
}

/// The value of `LogicalName='...'`.
fn named(key: &str, wanted: &str) -> Option<String> {
    let (name, value) = key.split_once('=')?;
    (name.trim() == wanted).then(|| value.trim().trim_matches('\'').to_owned())
}

/// Leaves what was selected; a name that there is not is refused.
fn selected(
    mut document: Map<String, Json>,
    select: Option<&Vec<String>>,
    kind: &str,
) -> Result<Map<String, Json>, Fault> {
    let Some(select) = select else { return Ok(document) };
    let mut out = Map::new();
    for key in ["@odata.type", "MetadataId"] {
        if let Some(value) = document.get(key) {
            out.insert(key.to_owned(), value.clone());
        }
    }
    for name in select {
        let value = document.remove(name).or_else(|| out.get(name).cloned());
        out.insert(name.clone(), value.ok_or_else(|| Fault::no_property(name, kind))?);
    }
    Ok(out)
}

fn tables(world: &World, call: &Call<'_>) -> Answer {
    let ask = Ask::read(call)?;
    let mut list = Vec::new();
    for entity in world.schema.entities.values() {
        let plain = Json::Object(show::table(entity));
        if ask.filter.as_ref().is_none_or(|filter| odata::holds(world, Row::Document(&plain), filter)) {
            list.push(Json::Object(whole(world, entity, &ask, call)?));
        }
    }
    let body = json!({"@odata.context": format!("{}$metadata#EntityDefinitions", call.base), "value": list});
    Ok(Reply::json(200, &body))
}

/// A table's definition with what was selected and expanded.
fn whole(world: &World, entity: &Arc<Entity>, ask: &Ask, call: &Call<'_>) -> Result<Map<String, Json>, Fault> {
    let mut document = selected(show::table(entity), ask.select.as_ref(), "EntityMetadata")?;
    for (name, select) in &ask.expand {
        let list = part(world, entity, name, call)?;
        let mut out = Vec::new();
        for one in list {
            // A name that some kinds of columns lack is left out of theirs.
            let one = match select {
                Some(names) => names
                    .iter()
                    .chain(["MetadataId".to_owned()].iter())
                    .filter_map(|name| Some((name.clone(), one.get(name)?.clone())))
                    .collect(),
                None => one,
            };
            out.push(Json::Object(one));
        }
        document.insert(name.clone(), Json::Array(out));
    }
    Ok(document)
}

/// One collection of a table's definition.
fn part(world: &World, entity: &Entity, name: &str, call: &Call<'_>) -> Result<Vec<Map<String, Json>>, Fault> {
    Ok(match name {
        "Attributes" => show::attributes(entity),
        "Keys" => entity.keys.iter().map(|key| show::key(entity, key, call.at)).collect(),
        "ManyToOneRelationships" => world
            .schema
            .relations
            .iter()
            .filter(|one| one.referencing == entity.name)
            .map(|one| show::relation(world, one))
            .collect(),
        "OneToManyRelationships" => world.schema.to(&entity.name).map(|one| show::relation(world, one)).collect(),
        "ManyToManyRelationships" => {
            let own =
                world.schema.pairs.iter().filter(|pairs| pairs.one.0 == entity.name || pairs.two.0 == entity.name);
            own.map(|pairs| show::pairs(pairs)).collect()
        }
        other => return Err(Fault::no_segment(other)),
    })
}

/// `/EntityDefinitions(LogicalName='account')/Attributes...`.
fn part_of(world: &World, call: &Call<'_>, entity: &Arc<Entity>, first: &Segment, rest: &[Segment]) -> Answer {
    if !PARTS.contains(&first.name.as_str()) {
        return Err(Fault::no_segment(&first.name));
    }
    let ask = Ask::read(call)?;
    let cast = rest.first().map(|segment| segment.name.as_str());
    let cast = match cast {
        None => None,
        Some(name) => Some(name.strip_prefix(NAMESPACE).ok_or_else(|| Fault::no_segment(name))?),
    };
    if first.name == "Attributes" {
        return attributes(world, call, entity, first.key.as_deref(), cast, &ask);
    }
    let list = part(world, entity, &first.name, call)?;
    if let Some(key) = &first.key {
        let wanted = named(key, "LogicalName").or(named(key, "SchemaName")).or(guid::parse(key)).unwrap_or_default();
        let fits = |one: &&Map<String, Json>| {
            ["LogicalName", "SchemaName", "MetadataId"].iter().any(|name| one.get(*name) == Some(&json!(wanted)))
        };
        let one = list.iter().find(fits).cloned().ok_or_else(|| Fault::no_segment(&first.name))?;
        return Ok(Reply::json(200, &selected(one, ask.select.as_ref(), &first.name)?));
    }
    let mut out = Vec::new();
    for one in list {
        let plain = Json::Object(one.clone());
        if ask.filter.as_ref().is_none_or(|filter| odata::holds(world, Row::Document(&plain), filter)) {
            out.push(Json::Object(selected(one, ask.select.as_ref(), &first.name)?));
        }
    }
    Ok(Reply::json(200, &json!({"@odata.context": format!("{}$metadata#{}", call.base, first.name), "value": out})))
}

fn attributes(
    world: &World,
    call: &Call<'_>,
    entity: &Entity,
    key: Option<&str>,
    cast: Option<&str>,
    ask: &Ask,
) -> Answer {
    // The abstract kinds cannot be cast to (sheet: section 3 [doc]).
    const KINDS: [&str; 17] = [
        "String",
        "Memo",
        "Integer",
        "BigInt",
        "Decimal",
        "Double",
        "Money",
        "DateTime",
        "Lookup",
        "Picklist",
        "State",
        "Status",
        "Boolean",
        "MultiSelectPicklist",
        "UniqueIdentifier",
        "EntityName",
        "File",
    ];
    let kind = match cast {
        None => None,
        Some(cast) => {
            let stem = cast.strip_suffix("AttributeMetadata").unwrap_or("");
            let known = KINDS.iter().find(|kind| kind.eq_ignore_ascii_case(stem));
            Some(known.ok_or_else(|| Fault::no_segment(&format!("{NAMESPACE}{cast}")))?)
        }
    };
    let fits = |one: &Map<String, Json>| {
        let own = one.get("@odata.type").and_then(Json::as_str).unwrap_or("");
        kind.is_none_or(|kind| own.eq_ignore_ascii_case(&format!("#{NAMESPACE}{kind}AttributeMetadata")))
    };
    let mut all = show::attributes(entity);
    all.retain(fits);
    let document = |one: Map<String, Json>| -> Result<Map<String, Json>, Fault> {
        let attribute = one.get("LogicalName").and_then(Json::as_str).and_then(|name| entity.attribute(name)).cloned();
        let mut out = selected(one, ask.select.as_ref(), "AttributeMetadata")?;
        for (name, _) in &ask.expand {
            if cast.is_none() || !matches!(name.as_str(), "OptionSet" | "GlobalOptionSet") {
                return Err(Fault::no_property(name, "AttributeMetadata"));
            }
            let own = attribute.as_ref().filter(|one| (name == "OptionSet") == one.global_choices.is_none());
            out.insert(name.clone(), own.map_or(Json::Null, |one| show::option_set(entity, one)));
        }
        Ok(out)
    };
    if let Some(key) = key {
        let wanted = named(key, "LogicalName").or(guid::parse(key)).unwrap_or_default();
        let is = |one: &Map<String, Json>| {
            ["LogicalName", "MetadataId"].iter().any(|name| one.get(*name) == Some(&json!(wanted)))
        };
        let missing = || Fault::new(404, "0x80060888", "Could not find an attribute with the specified name.");
        let found = all.into_iter().find(is).ok_or_else(missing)?;
        return Ok(Reply::json(200, &document(found)?));
    }
    let mut list = Vec::new();
    for one in all {
        let plain = Json::Object(one);
        if ask.filter.as_ref().is_none_or(|filter| odata::holds(world, Row::Document(&plain), filter))
            && let Json::Object(one) = plain
        {
            list.push(Json::Object(document(one)?));
        }
    }
    let context = format!("{}$metadata#EntityDefinitions('{}')/Attributes", call.base, entity.name);
    Ok(Reply::json(200, &json!({"@odata.context": context, "value": list})))
}

fn relationships(world: &World, call: &Call<'_>, first: &Segment, rest: &[Segment]) -> Answer {
    let ask = Ask::read(call)?;
    let cast = rest.first().map(|segment| segment.name.trim_start_matches(NAMESPACE).to_owned());
    let one_to_many = world.schema.relations.iter().map(|one| show::relation(world, one));
    let many = world.schema.pairs.iter().map(|pairs| show::pairs(pairs));
    let mut list: Vec<Map<String, Json>> = one_to_many.chain(many).collect();
    if let Some(cast) = cast {
        list.retain(|one| one.get("@odata.type").and_then(Json::as_str) == Some(&format!("#{NAMESPACE}{cast}")));
    }
    if let Some(key) = &first.key {
        let wanted = named(key, "SchemaName").or(guid::parse(key)).unwrap_or_default();
        let found = list
            .into_iter()
            .find(|one| ["SchemaName", "MetadataId"].iter().any(|name| one.get(*name) == Some(&json!(wanted))));
        return Ok(Reply::json(
            200,
            &selected(
                found.ok_or_else(|| Fault::no_segment(&first.name))?,
                ask.select.as_ref(),
                "RelationshipMetadata",
            )?,
        ));
    }
    list.retain(|one| {
        ask.filter.as_ref().is_none_or(|filter| odata::holds(world, Row::Document(&Json::Object(one.clone())), filter))
    });
    Ok(Reply::json(
        200,
        &json!({"@odata.context": format!("{}$metadata#RelationshipDefinitions", call.base), "value": list}),
    ))
}

fn choices(world: &World, call: &Call<'_>, first: &Segment) -> Answer {
    let one = |name: &String| world.specs.choices.get(name).map(|choices| show::global(name, choices));
    if let Some(key) = &first.key {
        let by_name = named(key, "Name");
        let by_id = guid::parse(key)
            .and_then(|id| world.specs.choices.keys().find(|name| guid::of_schema(name) == id).cloned());
        let set = by_name.or(by_id).and_then(|name| one(&name));
        return Ok(Reply::json(200, &set.ok_or_else(|| Fault::new(404, "0x80048403", "Could not find optionset."))?));
    }
    let list: Vec<Json> = world.specs.choices.keys().filter_map(one).collect();
    Ok(Reply::json(
        200,
        &json!({"@odata.context": format!("{}$metadata#GlobalOptionSetDefinitions", call.base), "value": list}),
    ))
}

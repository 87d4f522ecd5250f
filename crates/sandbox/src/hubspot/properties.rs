//! Property definitions over the API (sheet: HubSpot section 3 \[doc/spec/obs\]).

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::instant::iso;
use super::kinds::{self, Kind, Kinds};
use super::property::{Choice, Group, PropIx, Property, Shown, ValueType};
use super::refusal::{Answer, Refusal};
use super::{Hubspot, batch, no_content};
use crate::Reply;

/// Unique properties of a kind (sheet: section 3 \[doc\]).
const UNIQUE_LIMIT: usize = 10;

/// `/crm/v3/properties/{kind}...`
pub(crate) fn route(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    match (call.request.method.as_str(), call.segment(4), call.path.len()) {
        ("GET", _, 4) => list(hub, call, kind),
        ("POST", _, 4) => create_one(hub, call, kind),
        (_, "groups", _) => super::groups::route(hub, call, kind),
        ("POST", "batch", 6) => match call.segment(5) {
            "create" => batch_create(hub, call, kind),
            "read" => batch_read(hub, call, kind),
            "archive" => batch_archive(hub, call, kind),
            _ => Err(Refusal::no_record()),
        },
        ("GET", name, 5) => {
            let archived = call.flag("archived")?;
            let property = hub.world.schema(kind).index(name).and_then(|ix| hub.world.schema(kind).get(ix));
            let property = property.filter(|p| p.archived_at.is_some() == archived).ok_or_else(|| unknown(name))?;
            Ok(Reply::json(200, &hub.world.property_json(kind, property)))
        }
        ("PATCH", name, 5) => patch(hub, call, kind, name),
        ("DELETE", name, 5) => {
            archive(hub, call, kind, name)?;
            Ok(no_content())
        }
        _ => Err(Refusal::new(405, "", "Method Not Allowed")),
    }
}

fn unknown(name: &str) -> Refusal {
    Refusal::not_found(format!("Property named '{name}' does not exist.")).with("propertyName", name)
}

fn list(hub: &Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let archived = call.flag("archived")?;
    let sensitivity = call.param("dataSensitivity").unwrap_or("non_sensitive");
    let results: Vec<Shown<'_>> = hub
        .world
        .schema(kind)
        .iter()
        .filter(|(_, p)| p.archived_at.is_some() == archived && p.sensitivity == sensitivity)
        .map(|(_, p)| hub.world.property_shown(kind, p))
        .collect();
    Ok(Reply::json(200, &BTreeMap::from([("results", results)])))
}

fn create_one(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let ix = create(hub, kind, &call.object()?, call.now)?;
    let property = hub.world.schema(kind).get(ix).ok_or_else(Refusal::no_record)?;
    let location = format!("/crm/v3/properties/{}/{}", hub.world.kinds.plural(kind), property.name);
    Ok(Reply::json(201, &hub.world.property_json(kind, property)).with_header("location", location))
}

/// Creates a property; the name of an archived one restores that one (sheet: section 3 \[obs\]).
fn create(hub: &mut Hubspot, kind: Kind, body: &Map<String, Json>, now: i64) -> Result<PropIx, Refusal> {
    let mut property = parse(body, now)?;
    let schema = hub.world.schema(kind);
    if let Some(ix) = schema.index(&property.name) {
        let existing = schema.get(ix).ok_or_else(Refusal::no_record)?;
        if existing.archived_at.is_none() {
            return Err(name_exists(&property.name));
        }
        property = Property { archived_at: None, updated_at: Some(now), ..existing.clone() };
        if let Some(schema) = hub.world.schemas.get_mut(usize::from(kind)) {
            schema.put(property);
        }
        return Ok(ix);
    }
    if schema.group(&property.group).is_none() {
        return Err(Refusal::invalid(format!("Property group '{}' does not exist", property.group))
            .with("groupName", property.group));
    }
    check_room(hub, kind, &property)?;
    let name = property.name.clone();
    let Some(schema) = hub.world.schemas.get_mut(usize::from(kind)) else { return Err(Refusal::no_record()) };
    let ix = schema.put(property);
    hub.world.refresh_keys(kind);
    hub.changes.push(crate::journal::Change::new(
        "properties",
        format!("{}/{name}", hub.world.kinds.plural(kind)),
        crate::journal::Action::Created,
    ));
    Ok(ix)
}

fn name_exists(name: &str) -> Refusal {
    Refusal::new(409, "OBJECT_ALREADY_EXISTS", format!("A property named '{name}' already exists."))
        .sub("Properties.PROPERTY_WITH_NAME_EXISTS")
        .with("propertyName", name)
}

fn check_room(hub: &Hubspot, kind: Kind, property: &Property) -> Result<(), Refusal> {
    let schema = hub.world.schema(kind);
    let live = |p: &&Property| p.archived_at.is_none();
    let custom = schema.iter().map(|(_, p)| p).filter(live).filter(|p| !p.hubspot_defined).count();
    let limit = hub.world.settings.custom_property_limit;
    if custom >= limit {
        return Err(Refusal::invalid(format!("The limit of {limit} custom properties is reached"))
            .sub("Properties.PROPERTY_LIMIT_REACHED"));
    }
    let unique = schema.iter().map(|(_, p)| p).filter(live).filter(|p| p.unique).count();
    let allowed = matches!(kind, kinds::CONTACTS | kinds::COMPANIES | kinds::DEALS | kinds::TICKETS)
        || Kinds::is_custom(kind)
        || (Kinds::is_activity(kind) && hub.world.settings.unique_on_activities);
    if property.unique && !allowed {
        return Err(Refusal::invalid("Unique properties are not supported for this object type"));
    }
    if property.unique && unique >= UNIQUE_LIMIT {
        return Err(Refusal::invalid(format!("An object type may have at most {UNIQUE_LIMIT} unique properties"))
            .sub("Properties.UNIQUE_PROPERTY_LIMIT_REACHED"));
    }
    Ok(())
}

fn parse(body: &Map<String, Json>, now: i64) -> Result<Property, Refusal> {
    let text = |name: &str| body.get(name).and_then(Json::as_str).unwrap_or("");
    let missing: Vec<&str> =
        ["name", "label", "type", "fieldType", "groupName"].into_iter().filter(|name| text(name).is_empty()).collect();
    if !missing.is_empty() {
        return Err(Refusal::json(&format!("Some required fields were not set: [{}]", missing.join(", "))));
    }
    let name = text("name");
    let shape_ok = name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !shape_ok || name.starts_with("hs_") {
        return Err(Refusal::invalid(format!(
            "Property name '{name}' is invalid: it must begin with a letter, hold only lower-case letters, digits \
             and underscores, and not begin with hs_"
        ))
        .with("propertyName", name));
    }
    let (value_type, field_type) = (text("type"), text("fieldType"));
    let parsed = ValueType::parse(value_type).filter(|t| *t != ValueType::Internal);
    let Some(parsed) = parsed.filter(|t| t.field_types().contains(&field_type)) else {
        return Err(Refusal::invalid(format!("fieldType {field_type} is not valid for type {value_type}"))
            .with("propertyName", name));
    };
    let mut property = Property::custom(name, text("label"), text("groupName"), parsed, field_type);
    property.options = options(body.get("options"))?.unwrap_or_default();
    if parsed == ValueType::Enumeration && property.options.is_empty() && !flag(body, "externalOptions") {
        return Err(Refusal::invalid("Enumeration properties need options").with("propertyName", name));
    }
    if parsed == ValueType::Bool && property.options.is_empty() {
        property.options = [("Yes", "true"), ("No", "false")].map(|(l, v)| choice(l, v)).to_vec();
    }
    property.description = text("description").to_owned();
    property.display_order = body.get("displayOrder").and_then(Json::as_i64).unwrap_or(-1);
    property.unique = flag(body, "hasUniqueValue");
    property.hidden = flag(body, "hidden");
    property.form_field = flag(body, "formField");
    property.external_options = flag(body, "externalOptions");
    property.referenced = body.get("referencedObjectType").and_then(Json::as_str).map(str::to_owned);
    if !text("dataSensitivity").is_empty() {
        property.sensitivity = text("dataSensitivity").to_owned();
    }
    if field_type == "calculation_equation" {
        property.calculated = true;
        property.read_only_value = true;
    }
    (property.created_at, property.updated_at) = (Some(now), Some(now));
    Ok(property)
}

fn choice(label: &str, value: &str) -> Choice {
    Choice {
        label: label.to_owned(),
        value: value.to_owned(),
        display_order: -1,
        hidden: false,
        description: String::new(),
    }
}

fn flag(body: &Map<String, Json>, name: &str) -> bool {
    body.get(name).and_then(Json::as_bool).unwrap_or(false)
}

/// Options as sent; values and labels must be unique within them.
fn options(given: Option<&Json>) -> Result<Option<Vec<Choice>>, Refusal> {
    let Some(given) = given.filter(|g| !g.is_null()) else { return Ok(None) };
    let options: Vec<Choice> =
        serde_json::from_value(given.clone()).map_err(|error| Refusal::json(&format!("options: {error}")))?;
    for (at, option) in options.iter().enumerate() {
        let again = options.iter().skip(at + 1).any(|o| o.value == option.value || o.label == option.label);
        if again || option.value.is_empty() || option.label.is_empty() {
            return Err(Refusal::invalid(format!(
                "Property options must have unique, non-empty labels and values: {}",
                option.value
            )));
        }
    }
    Ok(Some(options))
}

/// `PATCH`: a list of options replaces the old one; name, uniqueness and sensitivity stay.
fn patch(hub: &mut Hubspot, call: &Call<'_>, kind: Kind, name: &str) -> Answer {
    let body = call.object()?;
    let ix = hub.world.schema(kind).live_index(name).ok_or_else(|| unknown(name))?;
    let current = hub.world.schema(kind).get(ix).ok_or_else(|| unknown(name))?;
    let mut next = current.clone();
    // HubSpot's own enumerations take further options; the rest of their definition is fixed.
    if current.read_only_definition && body.keys().any(|key| key != "options") {
        return Err(Refusal::invalid(format!("The definition of '{name}' is read only")).with("propertyName", name));
    }
    if let Some(options) = options(body.get("options"))? {
        if next.value_type != ValueType::Enumeration || hub.world.derived_options(kind, name).is_some() {
            return Err(
                Refusal::invalid(format!("The options of '{name}' cannot be changed")).with("propertyName", name)
            );
        }
        next.options = options;
    }
    let text = |field: &str| body.get(field).and_then(Json::as_str).map(str::to_owned);
    next.label = text("label").unwrap_or(next.label);
    next.description = text("description").unwrap_or(next.description);
    if let Some(group) = text("groupName") {
        if hub.world.schema(kind).group(&group).is_none() {
            return Err(Refusal::invalid(format!("Property group '{group}' does not exist")));
        }
        next.group = group;
    }
    if let (Some(value_type), Some(field_type)) = (
        ValueType::parse(&text("type").unwrap_or_else(|| next.value_type.name().to_owned())),
        text("fieldType").or_else(|| Some(next.field_type.clone())),
    ) {
        if !value_type.field_types().contains(&field_type.as_str()) {
            return Err(Refusal::invalid(format!(
                "fieldType {field_type} is not valid for type {}",
                value_type.name()
            )));
        }
        (next.value_type, next.field_type) = (value_type, field_type);
    }
    next.hidden = body.get("hidden").and_then(Json::as_bool).unwrap_or(next.hidden);
    next.form_field = body.get("formField").and_then(Json::as_bool).unwrap_or(next.form_field);
    next.display_order = body.get("displayOrder").and_then(Json::as_i64).unwrap_or(next.display_order);
    next.updated_at = Some(call.now);
    let shown = hub.world.property_json(kind, &next);
    if let Some(schema) = hub.world.schemas.get_mut(usize::from(kind)) {
        schema.put(next);
    }
    let id = format!("{}/{name}", hub.world.kinds.plural(kind));
    hub.changes.push(crate::journal::Change::new("properties", id, crate::journal::Action::Updated));
    Ok(Reply::json(200, &shown))
}

/// Archives a custom property that no live record has a value of (sheet: section 3 \[obs\]: in use means
/// in use by a workflow or form; here by the world's workflows).
fn archive(hub: &mut Hubspot, call: &Call<'_>, kind: Kind, name: &str) -> Result<(), Refusal> {
    let ix = hub.world.schema(kind).live_index(name).ok_or_else(|| unknown(name))?;
    let property = hub.world.schema(kind).get(ix).ok_or_else(|| unknown(name))?;
    if property.hubspot_defined {
        return Err(Refusal::invalid(format!("Property '{name}' is defined by HubSpot and cannot be archived")));
    }
    let rules = hub.world.settings.rules.iter();
    let in_use = rules
        .filter(|rule| hub.world.kinds.find(&rule.object) == Some(kind))
        .any(|rule| rule.on == name || rule.set == name);
    if in_use {
        return Err(Refusal::invalid(format!("Property '{name}' is in use and cannot be archived"))
            .sub("PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE")
            .with("propertyName", name));
    }
    if let Some(property) = hub.world.schemas.get_mut(usize::from(kind)).and_then(|s| s.get_mut(ix)) {
        property.archived_at = Some(call.now);
    }
    let id = format!("{}/{name}", hub.world.kinds.plural(kind));
    hub.changes.push(crate::journal::Change::new("properties", id, crate::journal::Action::Deleted));
    Ok(())
}

fn batch_create(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let body = call.object()?;
    let inputs = call.inputs(&body, batch::BATCH_LIMIT)?;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in call.applied(&inputs) {
        match create(hub, kind, input, call.now) {
            Ok(ix) => {
                let property = hub.world.schema(kind).get(ix);
                results.extend(property.map(|p| hub.world.property_json(kind, p)));
            }
            Err(refusal) => errors.push(refusal.row()),
        }
    }
    Ok(batch::reply(hub, call.now, 201, results, errors))
}

fn names(inputs: &[Map<String, Json>]) -> impl Iterator<Item = &str> {
    inputs.iter().map(|input| input.get("name").and_then(Json::as_str).unwrap_or(""))
}

fn batch_read(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let body = call.object()?;
    let inputs = call.inputs(&body, batch::BATCH_LIMIT)?;
    let archived = body.get("archived").and_then(Json::as_bool).unwrap_or(false);
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for name in names(&inputs) {
        let schema = hub.world.schema(kind);
        let found = schema.index(name).and_then(|ix| schema.get(ix));
        match found.filter(|p| p.archived_at.is_some() == archived) {
            Some(property) => results.push(hub.world.property_json(kind, property)),
            None => errors.push(unknown(name).row()),
        }
    }
    Ok(batch::reply(hub, call.now, 200, results, errors))
}

fn batch_archive(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let body = call.object()?;
    let inputs = call.inputs(&body, batch::BATCH_LIMIT)?;
    for name in names(call.applied(&inputs)) {
        archive(hub, call, kind, name)?;
    }
    Ok(no_content())
}

/// `GET /crm/v3/property-validations/{kind}[/{property}]`
pub(crate) fn validations(hub: &Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let rules: Vec<&Json> = hub.world.validations.get(&kind).into_iter().flatten().collect();
    let wanted = call.segment(4);
    if wanted.is_empty() {
        return Ok(Reply::json(200, &json!({"results": rules})));
    }
    let own: Vec<&Json> =
        rules.into_iter().filter(|r| r.get("propertyName").and_then(Json::as_str) == Some(wanted)).collect();
    Ok(Reply::json(200, &json!({"results": own})))
}

/// `GET /crm/v3/limits/{custom-properties|records|pipelines}`
pub(crate) fn limits(hub: &Hubspot, call: &Call<'_>) -> Answer {
    let world = &hub.world;
    let rows = |limit: usize, usage: &dyn Fn(Kind) -> usize| -> Vec<Json> {
        let kinds = world.kinds.iter().filter(|(kind, _)| !Kinds::is_activity(*kind));
        kinds
            .map(|(kind, k)| {
                let usage = usage(kind);
                json!({"objectTypeId": k.type_id, "singularLabel": k.singular, "pluralLabel": k.plural,
                    "limit": limit, "usage": usage, "percentage": usage * 100 / limit.max(1)})
            })
            .collect()
    };
    let custom =
        |kind: Kind| world.schema(kind).iter().filter(|(_, p)| !p.hubspot_defined && p.archived_at.is_none()).count();
    let (overall, per_kind): (usize, Vec<Json>) = match call.segment(3) {
        "custom-properties" => (10_000, rows(world.settings.custom_property_limit, &custom)),
        "records" => (15_000_000, rows(15_000_000, &|kind| world.table(kind).len())),
        "pipelines" => {
            let usage = |kind: Kind| world.pipelines.get(&kind).map_or(0, Vec::len);
            (world.account.tier.pipelines(), rows(world.account.tier.pipelines(), &usage))
        }
        _ => return Err(Refusal::no_record()),
    };
    let usage = |row: &Json| row.get("usage").and_then(Json::as_u64).unwrap_or(0);
    let total: u64 = per_kind.iter().map(usage).sum();
    Ok(Reply::json(
        200,
        &json!({"overallLimit": overall, "overallUsage": total,
            "overallPercentage": total * 100 / (overall as u64).max(1), "byObjectType": per_kind}),
    ))
}

/// A group as the API shows it.
pub(crate) fn group_json(group: &Group, now: i64) -> Json {
    let mut out = json!({"name": group.name, "label": group.label, "displayOrder": group.display_order,
        "archived": group.archived});
    if let (true, Some(out)) = (group.archived, out.as_object_mut()) {
        out.insert("archivedAt".into(), iso(now).into());
    }
    out
}

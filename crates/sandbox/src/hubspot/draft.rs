//! What a write would do, judged before anything is done: values checked together, requirements,
//! uniqueness.
//!
//! Deliberately without effects: a draft that is refused has changed nothing.

use serde_json::{Map, Value as Json};

use super::kinds::{self, Kind, Kinds};
use super::property::PropIx;
use super::record::Record;
use super::refusal::{BadValue, Refusal, bad_values};
use super::settings::Backward;
use super::values::{self, Stored};
use super::world::World;

/// Values to be stored.
pub(crate) type Values = Vec<(PropIx, Stored)>;

/// Judges `properties` as a write to `current` (none: a create).
pub(crate) fn draft(
    world: &World,
    kind: Kind,
    properties: &Map<String, Json>,
    current: Option<&Record>,
    enforce_rules: bool,
) -> Result<Values, Refusal> {
    let mut bad = Vec::new();
    let mut values = single_values(world, kind, properties, current, &mut bad)?;
    if current.is_none() {
        fill_defaults(world, kind, &mut values);
    }
    stage_in_pipeline(world, kind, &values, current, &mut bad);
    lifecycle(world, kind, &mut values, current, &mut bad);
    email_taken(world, kind, &values, current, &mut bad)?;
    unique_taken(world, kind, &values, current, &mut bad);
    if !bad.is_empty() {
        return Err(bad_values(&bad));
    }
    if current.is_none() {
        required_on_create(world, kind, &values)?;
    }
    if enforce_rules {
        portal_rules(world, kind, &values, current)?;
    }
    Ok(values)
}

fn single_values(
    world: &World,
    kind: Kind,
    properties: &Map<String, Json>,
    current: Option<&Record>,
    bad: &mut Vec<BadValue>,
) -> Result<Values, Refusal> {
    let schema = world.schema(kind);
    let mut values = Values::new();
    for (name, given) in properties {
        let text = values::text(world, name, given)?;
        let Some((ix, property)) = schema.live_index(name).and_then(|ix| schema.get(ix).map(|p| (ix, p))) else {
            bad.push(BadValue {
                name: name.clone(),
                code: "PROPERTY_DOESNT_EXIST",
                message: format!("Property \"{name}\" does not exist"),
            });
            continue;
        };
        if world.read_only(kind, property) {
            bad.push(BadValue {
                name: name.clone(),
                code: "READ_ONLY_VALUE",
                message: format!("\"{name}\" is a read only property; its value cannot be set."),
            });
            continue;
        }
        match values::check(world, kind, property, &text, current.and_then(|r| r.value(ix))) {
            Ok(value) => values.push((ix, value)),
            Err(problem) => bad.push(problem),
        }
    }
    Ok(values)
}

/// The value that the record will hold.
fn after<'a>(
    world: &World,
    kind: Kind,
    values: &'a Values,
    current: Option<&'a Record>,
    name: &str,
) -> Option<&'a str> {
    let ix = world.schema(kind).index(name)?;
    match values.iter().rev().find(|(at, _)| *at == ix) {
        Some((_, value)) => value.as_deref(),
        None => current.and_then(|record| record.value(ix)),
    }
}

fn fill_defaults(world: &World, kind: Kind, values: &mut Values) {
    let mut fill = |name: &str, value: Option<String>| {
        let Some(ix) = world.schema(kind).index(name) else { return };
        if let Some(value) = value
            && !values.iter().any(|(at, stored)| *at == ix && stored.is_some())
        {
            values.retain(|(at, _)| *at != ix);
            values.push((ix, Some(value.into())));
        }
    };
    if kind == kinds::DEALS {
        let default = world.pipelines.get(&kind).and_then(|p| p.first()).map(|p| p.id.clone());
        fill("pipeline", default);
        fill("deal_currency_code", Some(world.account.company_currency.clone()));
    }
    if kind == kinds::MEETINGS {
        let start = world.schema(kind).index("hs_meeting_start_time");
        let start = values.iter().find(|(ix, _)| Some(*ix) == start).and_then(|(_, v)| v.clone());
        if let (Some(ix), Some(start)) = (world.schema(kind).index("hs_timestamp"), start)
            && !values.iter().any(|(at, stored)| *at == ix && stored.is_some())
        {
            values.push((ix, Some(start)));
        }
    }
}

/// A stage must belong to the pipeline (sheet: HubSpot section 9, trap 6).
fn stage_in_pipeline(world: &World, kind: Kind, values: &Values, current: Option<&Record>, bad: &mut Vec<BadValue>) {
    let Some((pipeline_name, stage_name)) = World::stage_properties(kind) else { return };
    let Some(pipelines) = world.pipelines.get(&kind) else { return };
    let touched = [pipeline_name, stage_name]
        .iter()
        .any(|name| values.iter().any(|(ix, _)| Some(*ix) == world.schema(kind).index(name)));
    let (Some(pipeline), Some(stage)) =
        (after(world, kind, values, current, pipeline_name), after(world, kind, values, current, stage_name))
    else {
        return;
    };
    let Some(found) = pipelines.iter().find(|p| p.id == pipeline) else { return };
    if touched && !found.stages.iter().any(|s| s.id == stage) {
        bad.push(BadValue {
            name: stage_name.to_owned(),
            code: "INVALID_OPTION",
            message: format!("Stage {stage} is not a stage of pipeline {pipeline}"),
        });
    }
}

/// The stage moves forward only; clearing it first opens the way back (sheet: section 9, trap 4 \[doc\]).
fn lifecycle(world: &World, kind: Kind, values: &mut Values, current: Option<&Record>, bad: &mut Vec<BadValue>) {
    let schema = world.schema(kind);
    let (Some(ix), Some(current)) = (schema.index("lifecyclestage"), current) else { return };
    let Some(property) = schema.get(ix) else { return };
    let place = |value: &str| property.options.iter().position(|o| o.value == value);
    let before = current.value(ix).and_then(place);
    let next = values.iter().find(|(at, _)| *at == ix).and_then(|(_, v)| v.as_deref()).and_then(place);
    if let (Some(before), Some(next)) = (before, next)
        && next < before
    {
        if world.settings.lifecycle_backward == Backward::Refuse {
            bad.push(BadValue {
                name: "lifecyclestage".to_owned(),
                code: "INVALID_OPTION",
                message: "The lifecycle stage can only be moved forward; clear it first.".to_owned(),
            });
        }
        values.retain(|(at, _)| *at != ix);
    }
}

/// An address belongs to one contact (sheet: sections 7 and 9, trap 1 \[code/doc\]).
fn email_taken(
    world: &World,
    kind: Kind,
    values: &Values,
    current: Option<&Record>,
    bad: &mut Vec<BadValue>,
) -> Result<(), Refusal> {
    if kind != kinds::CONTACTS {
        return Ok(());
    }
    for name in ["email", "hs_additional_emails"] {
        let ix = world.schema(kind).index(name);
        let written = values.iter().find(|(at, _)| Some(*at) == ix).and_then(|(_, v)| v.as_deref());
        for address in written.unwrap_or("").split(';').filter(|address| !address.is_empty()) {
            match (current, world.table(kind).by_email(address)) {
                (None, Some(owner)) => {
                    return Err(Refusal::conflict(format!("Contact already exists. Existing ID: {owner}")));
                }
                (Some(record), Some(owner)) if record.id != owner => bad.push(BadValue {
                    name: name.to_owned(),
                    code: "CONFLICTING_UNIQUE_VALUE",
                    message: format!("Contact with email {address} already exists. Existing ID: {owner}"),
                }),
                _ => {}
            }
        }
    }
    Ok(())
}

fn unique_taken(world: &World, kind: Kind, values: &Values, current: Option<&Record>, bad: &mut Vec<BadValue>) {
    for (ix, value) in values {
        let (Some(property), Some(value)) = (world.schema(kind).get(*ix).filter(|p| p.unique), value.as_deref()) else {
            continue;
        };
        let owner = world.table(kind).by_unique(*ix, value);
        if let Some(owner) = owner.filter(|&id| current.is_none_or(|record| record.id != id)) {
            bad.push(BadValue {
                name: property.name.clone(),
                code: "CONFLICTING_UNIQUE_VALUE",
                message: format!(
                    "{value} is already the value of the unique property {} of record {owner}",
                    property.name
                ),
            });
        }
    }
}

/// What a create must bring (sheet: section 2.3 \[doc\]).
fn required_on_create(world: &World, kind: Kind, values: &Values) -> Result<(), Refusal> {
    let has = |name: &str| after(world, kind, values, None, name).is_some();
    let any_of: &[&str] = match kind {
        kinds::CONTACTS => &["email", "firstname", "lastname"],
        kinds::COMPANIES => &["name", "domain"],
        _ => &[],
    };
    if !any_of.is_empty() && !any_of.iter().any(|name| has(name)) {
        return Err(missing(kind, world, any_of, "At least one of these properties must be set"));
    }
    let all_of: &[&str] = match kind {
        kinds::DEALS => &["dealname", "dealstage", "pipeline"],
        kinds::TICKETS => &["subject", "hs_pipeline", "hs_pipeline_stage"],
        kinds::LEADS => &["hs_lead_name"],
        kinds::PRODUCTS => &["name"],
        kinds::EMAILS => &["hs_timestamp", "hs_email_direction"],
        kinds::COMMUNICATIONS => &["hs_timestamp", "hs_communication_channel_type"],
        kinds::QUOTES => &["hs_title", "hs_expiration_date"],
        _ if Kinds::is_activity(kind) => &["hs_timestamp"],
        _ => &[],
    };
    let own = world.kinds.required(kind).iter().map(String::as_str);
    let absent: Vec<&str> = all_of.iter().copied().chain(own).filter(|name| !has(name)).collect();
    if absent.is_empty() {
        return Ok(());
    }
    Err(missing(kind, world, &absent, "Error creating: some required properties were not set"))
}

fn missing(kind: Kind, world: &World, names: &[&str], sentence: &str) -> Refusal {
    let mut refusal =
        Refusal::invalid(format!("{sentence}: [{}]", names.join(", "))).with("objectType", world.kinds.singular(kind));
    for name in names {
        refusal = refusal.detail(serde_json::json!({
            "message": format!("Property \"{name}\" is required"),
            "code": "MISSING_REQUIRED_PROPERTY", "context": {"propertyName": [name]}}));
    }
    refusal
}

/// Rules that an administrator set, enforced from 2026-09 paths on (sheet: section 0b \[doc\]).
fn portal_rules(world: &World, kind: Kind, values: &Values, current: Option<&Record>) -> Result<(), Refusal> {
    let empty = Vec::new();
    let required = world.settings.required_properties.get(world.kinds.plural(kind)).unwrap_or(&empty);
    let absent: Vec<&str> = required
        .iter()
        .map(String::as_str)
        .filter(|name| after(world, kind, values, current, name).is_none())
        .collect();
    if !absent.is_empty() {
        return Err(missing(kind, world, &absent, "Required properties were not set"));
    }
    let mut bad = Vec::new();
    for rule in world.validations.get(&kind).into_iter().flatten() {
        let name = rule.get("propertyName").and_then(Json::as_str).unwrap_or("");
        let written = values.iter().any(|(ix, _)| Some(*ix) == world.schema(kind).index(name));
        let value = after(world, kind, values, current, name).filter(|_| written);
        if let Some(message) = value.and_then(|value| broken(rule, value)) {
            bad.push(BadValue { name: name.to_owned(), code: "VALIDATION_RULE_VIOLATED", message });
        }
    }
    if bad.is_empty() { Ok(()) } else { Err(bad_values(&bad)) }
}

/// Why a value breaks a rule; rule types that the sandbox cannot judge never break.
fn broken(rule: &Json, value: &str) -> Option<String> {
    let kind = rule.get("ruleType").and_then(Json::as_str)?;
    let argument = rule.pointer("/ruleArguments/0").and_then(Json::as_str).unwrap_or("");
    let limit = argument.parse::<f64>().ok();
    let length = value.chars().count();
    let ok = match (kind, limit) {
        ("MIN_LENGTH", Some(limit)) => length as f64 >= limit,
        ("MAX_LENGTH", Some(limit)) => length as f64 <= limit,
        ("MIN_NUMBER", Some(limit)) => value.parse::<f64>().is_ok_and(|n| n >= limit),
        ("MAX_NUMBER", Some(limit)) => value.parse::<f64>().is_ok_and(|n| n <= limit),
        ("EMAIL", _) => values::is_email(value),
        ("ALPHANUMERIC", _) => value.chars().all(char::is_alphanumeric),
        _ => true,
    };
    (!ok).then(|| format!("{value} breaks the rule {kind} {argument}"))
}

//! Conditions of FetchXML.

use std::cmp::Ordering;

use serde_json::{Value as Json, json};

use super::xml::Element;
use super::{bad, column, key, known};
use crate::dynamics::fold::fold;
use crate::dynamics::odata::compare;
use crate::dynamics::refusal::Fault;
use crate::dynamics::schema::{Entity, Kind};
use crate::dynamics::world::{Record, World};

/// Whether a row fits all filters of an element.
pub(super) fn holds(world: &World, entity: &Entity, row: &Record, element: &Element) -> Result<bool, Fault> {
    for filter in element.children.iter().filter(|child| child.name == "filter") {
        if !fits(world, entity, row, filter)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn fits(world: &World, entity: &Entity, row: &Record, filter: &Element) -> Result<bool, Fault> {
    known(filter, &["type"])?;
    let any = match filter.attribute("type") {
        None | Some("and") => false,
        Some("or") => true,
        Some(other) => return Err(bad(format!("The filter type '{other}' is not supported."))),
    };
    let mut results = Vec::new();
    for child in &filter.children {
        results.push(match child.name.as_str() {
            "filter" => fits(world, entity, row, child)?,
            "condition" => condition(world, entity, row, child)?,
            other => return Err(bad(format!("The element '{other}' is not supported in a filter."))),
        });
    }
    Ok(if any { results.is_empty() || results.contains(&true) } else { !results.contains(&false) })
}

fn condition(world: &World, entity: &Entity, row: &Record, element: &Element) -> Result<bool, Fault> {
    known(element, &["attribute", "operator", "value", "uitype", "uiname"])?;
    let name = element.attribute("attribute").ok_or_else(|| bad("A condition needs an attribute."))?;
    let attribute = column(entity, name)?;
    let found = key(row, name);
    let listed: Vec<&str> =
        element.children.iter().filter(|child| child.name == "value").map(|child| child.text.as_str()).collect();
    let read = |text: &str| -> Result<Json, Fault> {
        let wrong = || bad(format!("The value of the condition on '{name}' does not fit its type."));
        Ok(match attribute.kind {
            kind if kind.is_number() => json!(text.trim().parse::<f64>().map_err(|_| wrong())?),
            Kind::Picklist | Kind::State | Kind::Status => json!(text.trim().parse::<i64>().map_err(|_| wrong())?),
            Kind::Boolean => match text.trim() {
                "1" | "true" => json!(true),
                "0" | "false" => json!(false),
                _ => return Err(wrong()),
            },
            kind if kind.is_lookup() || kind == Kind::Guid => {
                json!(crate::dynamics::guid::parse(text.trim().trim_matches(['{', '}'])).ok_or_else(wrong)?)
            }
            _ => json!(text),
        })
    };
    let one = || {
        element
            .attribute("value")
            .or(listed.first().copied())
            .ok_or_else(|| bad("The condition needs a value."))
            .and_then(read)
    };
    let order = |value: &Json| found.as_ref().map(|found| compare(world, found, value));
    let accents = world.settings.accent_insensitive;
    let like = |pattern: &str| {
        found
            .as_ref()
            .and_then(Json::as_str)
            .is_some_and(|text| wildcard(&fold(pattern, accents), &fold(text, accents)))
    };
    let text = || element.attribute("value").ok_or_else(|| bad("The condition needs a value."));
    Ok(match element.attribute("operator").unwrap_or("") {
        "eq" => order(&one()?) == Some(Ordering::Equal),
        "ne" | "neq" => order(&one()?) != Some(Ordering::Equal),
        "gt" => order(&one()?) == Some(Ordering::Greater),
        "ge" => matches!(order(&one()?), Some(Ordering::Greater | Ordering::Equal)),
        "lt" => order(&one()?) == Some(Ordering::Less),
        "le" => matches!(order(&one()?), Some(Ordering::Less | Ordering::Equal)),
        "null" => found.is_none(),
        "not-null" => found.is_some(),
        "like" => like(text()?),
        "not-like" => !like(text()?),
        "begins-with" => like(&format!("{}%", text()?)),
        "ends-with" => like(&format!("%{}", text()?)),
        operator @ ("in" | "not-in") => {
            let values = listed.iter().map(|text| read(text)).collect::<Result<Vec<_>, _>>()?;
            if values.is_empty() {
                return Err(bad("The condition needs values."));
            }
            values.iter().any(|value| order(value) == Some(Ordering::Equal)) == (operator == "in")
        }
        other => return Err(bad(format!("The operator '{other}' is not supported."))),
    })
}

/// `%` stands for anything.
fn wildcard(pattern: &str, text: &str) -> bool {
    match pattern.split_once('%') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|tail| {
            tail.char_indices()
                .map(|(at, _)| at)
                .chain([tail.len()])
                .any(|at| tail.get(at..).is_some_and(|tail| wildcard(rest, tail)))
        }),
    }
}

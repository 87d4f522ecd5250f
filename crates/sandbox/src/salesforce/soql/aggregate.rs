//! Groups and what is counted in them (sheet: section 12 \[fixture\]).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::condition::value;
use super::plan::{Output, Plan, Route};
use super::run::{Scope, ascending};
use crate::salesforce::world::{Record, World};

/// The groups of these records, in the order of what they are grouped by.
pub(in super::super) fn groups(world: &World, plan: &Plan, ids: &[String], scope: Scope) -> Vec<Json> {
    let mut groups: BTreeMap<Vec<String>, Vec<&Record>> = BTreeMap::new();
    for record in ids.iter().filter_map(|id| world.get(&plan.object, id)) {
        let key = plan.group.iter().map(|route| value(world, &plan.object, record, route, scope).to_string()).collect();
        groups.entry(key).or_default().push(record);
    }
    if plan.group.is_empty() {
        groups.entry(Vec::new()).or_default();
    }
    let rows = groups.values().map(|records| {
        let mut row = Map::new();
        row.insert("attributes".to_owned(), json!({"type": "AggregateResult"}));
        for output in &plan.outputs {
            match output {
                Output::Field(route) => {
                    let first = records.first().map(|record| value(world, &plan.object, record, route, scope));
                    row.insert(route.name().to_owned(), first.unwrap_or(Json::Null));
                }
                Output::Aggregate { function, route, alias } => {
                    let values = values(world, plan, records, route.as_ref(), scope);
                    row.insert(alias.clone(), fold(function, &values));
                }
                Output::Children { .. } | Output::TypeOf { .. } => {}
            }
        }
        Json::Object(row)
    });
    rows.skip(plan.offset).take(plan.limit.unwrap_or(usize::MAX)).collect()
}

fn values(world: &World, plan: &Plan, records: &[&Record], route: Option<&Route>, scope: Scope) -> Vec<Json> {
    let Some(route) = route else { return Vec::new() };
    records
        .iter()
        .map(|record| value(world, &plan.object, record, route, scope))
        .filter(|value| !value.is_null())
        .collect()
}

fn fold(function: &str, values: &[Json]) -> Json {
    let numbers: Vec<f64> = values.iter().filter_map(Json::as_f64).collect();
    let sum: f64 = numbers.iter().sum();
    match function {
        "COUNT" => json!(values.len()),
        "COUNT_DISTINCT" => {
            json!(values.iter().map(|value| value.to_string().to_lowercase()).collect::<BTreeSet<_>>().len())
        }
        "MIN" => values.iter().min_by(|a, b| ascending(a, b, false)).cloned().unwrap_or(Json::Null),
        "MAX" => values.iter().max_by(|a, b| ascending(a, b, false)).cloned().unwrap_or(Json::Null),
        _ if numbers.is_empty() => Json::Null,
        "SUM" => json!(sum),
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^52")]
        _ => json!(sum / numbers.len() as f64),
    }
}

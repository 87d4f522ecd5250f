//! A record as a row of a result (sheet: section 2 \[fixture\]).

use serde_json::{Map, Value as Json, json};

use super::condition::value;
use super::plan::{Hop, Leaf, Output, Plan, Route};
use super::run::{Scope, among};
use crate::salesforce::view;
use crate::salesforce::world::{Record, World};

/// The row of a record.
pub(in super::super) fn row(world: &World, plan: &Plan, record: &Record, scope: Scope) -> Json {
    let mut row = Map::new();
    row.insert("attributes".to_owned(), view::attributes(&plan.object, record, scope.version));
    for output in &plan.outputs {
        match output {
            Output::Field(route) => place(world, &plan.object, record, route, &route.hops, scope, &mut row),
            Output::Children { name, field, plan: inner } => {
                let id = record.get("Id").cloned().unwrap_or(Json::Null);
                let ids = among(world, inner, scope, world.by_value(&inner.object, field, &id));
                row.insert(name.clone(), children(world, inner, &ids, scope));
            }
            Output::TypeOf { hop, cases, other } => {
                row.insert(hop.relationship.clone(), of_type(world, record, hop, cases, other, scope));
            }
            Output::Aggregate { .. } => {}
        }
    }
    Json::Object(row)
}

/// The value of an output as a bulk result shows it.
pub(in super::super) fn cell(world: &World, object: &str, record: &Record, route: &Route, scope: Scope) -> Json {
    value(world, object, record, route, scope)
}

fn children(world: &World, plan: &Plan, ids: &[String], scope: Scope) -> Json {
    if ids.is_empty() && world.settings.empty_children_as_null {
        return Json::Null;
    }
    let records: Vec<Json> =
        ids.iter().filter_map(|id| world.get(&plan.object, id)).map(|record| row(world, plan, record, scope)).collect();
    json!({"totalSize": records.len(), "done": true, "records": records})
}

/// Puts a value under its parents: `{"Account": {"Name": ...}}`; a missing parent is null.
fn place(
    world: &World,
    object: &str,
    record: &Record,
    route: &Route,
    hops: &[Hop],
    scope: Scope,
    into: &mut Map<String, Json>,
) {
    let Some((hop, rest)) = hops.split_first() else {
        let value = match &route.leaf {
            Leaf::Type => json!(object),
            Leaf::Field(field) => view::value(world, object, record, field, scope.version),
        };
        into.insert(route.name().to_owned(), value);
        return;
    };
    let parent = record.get(&hop.lookup).and_then(Json::as_str).and_then(|id| world.find(id));
    let Some((of, parent)) = parent else {
        into.insert(hop.relationship.clone(), Json::Null);
        return;
    };
    let entry = into
        .entry(hop.relationship.clone())
        .or_insert_with(|| json!({"attributes": view::attributes(&of.name, parent, scope.version)}));
    if let Some(inner) = entry.as_object_mut() {
        place(world, &of.name, parent, route, rest, scope, inner);
    }
}

fn of_type(
    world: &World,
    record: &Record,
    hop: &Hop,
    cases: &[(String, Vec<Route>)],
    other: &[Route],
    scope: Scope,
) -> Json {
    let parent = record.get(&hop.lookup).and_then(Json::as_str).and_then(|id| world.find(id));
    let Some((of, parent)) = parent else { return Json::Null };
    let mut row = Map::new();
    row.insert("attributes".to_owned(), view::attributes(&of.name, parent, scope.version));
    let routes = cases.iter().find(|(name, _)| *name == of.name).map_or(other, |(_, routes)| routes);
    for route in routes {
        place(world, &of.name, parent, route, &route.hops, scope, &mut row);
    }
    Json::Object(row)
}

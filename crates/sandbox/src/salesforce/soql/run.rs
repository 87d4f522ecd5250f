//! Which records a plan means, in which order.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::ast::{Literal, Operator};
use super::condition::{flatten, holds, value};
use super::plan::{Plan, Sort, Test};
use crate::salesforce::instant::{Seconds, stamp};
use crate::salesforce::world::{Record, World, is_deleted};

/// What a query sees.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Scope {
    /// Deleted and archived records too (`queryAll`).
    pub(in super::super) all: bool,
    pub(in super::super) now: Seconds,
    /// The version of the API, for addresses in rows.
    pub(in super::super) version: u16,
}

/// The ids of the records that fit, in order, cut to limit and offset.
pub(in super::super) fn ids(world: &World, plan: &Plan, scope: Scope) -> Vec<String> {
    let candidates = narrow(world, plan.test.as_ref(), plan, scope);
    select(world, plan, scope, candidates)
}

/// The same among the given records alone.
pub(super) fn among(world: &World, plan: &Plan, scope: Scope, ids: Vec<String>) -> Vec<String> {
    select(world, plan, scope, Candidates::Ids(ids.into_iter().collect()))
}

enum Candidates {
    /// All whose ids come after this one.
    After(String),
    Ids(BTreeSet<String>),
}

fn select(world: &World, plan: &Plan, scope: Scope, candidates: Candidates) -> Vec<String> {
    let test = plan.test.as_ref().map(|test| flatten(world, test, scope));
    let seen =
        |record: &Record| scope.all || !is_deleted(record) && record.get("IsArchived") != Some(&Json::Bool(true));
    let fits = |record: &Record| {
        seen(record) && test.as_ref().is_none_or(|test| holds(world, &plan.object, record, test, scope))
    };
    let by_id = match plan.order.as_slice() {
        [] => true,
        [only] => only.route.own().is_some_and(|field| field.name == "Id") && !only.descending,
        _ => false,
    };
    let enough =
        if by_id { plan.limit.map_or(usize::MAX, |limit| limit.saturating_add(plan.offset)) } else { usize::MAX };
    let mut found: Vec<(String, &Record)> = match candidates {
        Candidates::After(id) => world
            .rows_after(&plan.object, &id)
            .filter(|(_, record)| fits(record))
            .take(enough)
            .map(|(id, record)| (id.clone(), record))
            .collect(),
        Candidates::Ids(ids) => ids
            .into_iter()
            .filter_map(|id| world.get(&plan.object, &id).map(|record| (id, record)))
            .filter(|(_, record)| fits(record))
            .take(enough)
            .collect(),
    };
    if !by_id {
        let keys = |record: &Record| -> Vec<Json> {
            plan.order.iter().map(|sort| value(world, &plan.object, record, &sort.route, scope)).collect()
        };
        let mut keyed: Vec<(Vec<Json>, String)> = found.drain(..).map(|(id, record)| (keys(record), id)).collect();
        keyed.sort_by(|(a, a_id), (b, b_id)| by_keys(&plan.order, a, b).then_with(|| a_id.cmp(b_id)));
        return cut(keyed.into_iter().map(|(_, id)| id), plan);
    }
    cut(found.into_iter().map(|(id, _)| id), plan)
}

fn cut(ids: impl Iterator<Item = String>, plan: &Plan) -> Vec<String> {
    // Groups are cut after they are made.
    if plan.aggregates() {
        return ids.collect();
    }
    ids.skip(plan.offset).take(plan.limit.unwrap_or(usize::MAX)).collect()
}

fn by_keys(order: &[Sort], a: &[Json], b: &[Json]) -> Ordering {
    order
        .iter()
        .zip(a.iter().zip(b))
        .map(|(sort, (a, b))| by_value(sort, a, b))
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn by_value(sort: &Sort, a: &Json, b: &Json) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return if sort.nulls_last { Ordering::Greater } else { Ordering::Less },
        (false, true) => return if sort.nulls_last { Ordering::Less } else { Ordering::Greater },
        (false, false) => {}
    }
    let exact = sort.route.field().is_some_and(|field| field.kind.is_id());
    let ordering = ascending(a, b, exact);
    if sort.descending { ordering.reverse() } else { ordering }
}

/// Numbers by size, texts without case.
pub(super) fn ascending(a: &Json, b: &Json, exact: bool) -> Ordering {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
        (Json::String(a), Json::String(b)) if exact => a.cmp(b),
        (Json::String(a), Json::String(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
        (Json::Bool(a), Json::Bool(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

/// The records that can fit at all, by an id or an index in the condition.
fn narrow(world: &World, test: Option<&Test>, plan: &Plan, scope: Scope) -> Candidates {
    let parts = match test {
        Some(Test::All(parts)) => parts.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    parts
        .iter()
        .filter_map(|part| by_index(world, part, plan, scope))
        .min_by_key(|candidates| match candidates {
            Candidates::Ids(ids) => ids.len(),
            Candidates::After(_) => usize::MAX,
        })
        .unwrap_or_else(|| Candidates::After(String::new()))
}

fn by_index(world: &World, test: &Test, plan: &Plan, scope: Scope) -> Option<Candidates> {
    let flat = flatten(world, test, scope);
    let Test::Compare { route, operator, values } = &flat else { return None };
    let field = route.own()?;
    let texts = || {
        values.iter().map(|value| match value {
            Literal::Text(text) => Some(json!(text)),
            Literal::Number(number) => Some(json!(number)),
            _ => None,
        })
    };
    match (field.name.as_str(), operator, values.first()?) {
        ("Id", Operator::Equal | Operator::In, _) => {
            let ids = texts().map(|text| text.and_then(|text| text.as_str().map(str::to_owned)));
            Some(Candidates::Ids(ids.collect::<Option<_>>()?))
        }
        ("Id", Operator::Greater, Literal::Text(id)) => Some(Candidates::After(id.clone())),
        ("SystemModstamp", Operator::Greater | Operator::GreaterOrEqual, Literal::Datetime(at)) => {
            Some(Candidates::Ids(world.stamped_since(&plan.object, &stamp(*at)).into_iter().collect()))
        }
        (_, Operator::Equal | Operator::In, _) if field.indexed() => {
            let values = texts().collect::<Option<Vec<Json>>>()?;
            Some(Candidates::Ids(values.iter().flat_map(|value| world.by_value(&plan.object, field, value)).collect()))
        }
        _ => None,
    }
}

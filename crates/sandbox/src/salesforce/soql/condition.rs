//! Whether a record fits a condition. Texts are compared without case unless the field says so.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::ast::{Literal, Operator};
use super::period;
use super::plan::{Leaf, Output, Route, Test};
use super::run::{Scope, ids};
use crate::salesforce::instant::{self, Seconds};
use crate::salesforce::schema::{Field, Kind};
use crate::salesforce::view;
use crate::salesforce::world::{Record, World};

/// Whether a record of the object fits.
pub(in super::super) fn holds(world: &World, object: &str, record: &Record, test: &Test, scope: Scope) -> bool {
    match test {
        Test::All(parts) => parts.iter().all(|part| holds(world, object, record, part, scope)),
        Test::Any(parts) => parts.iter().any(|part| holds(world, object, record, part, scope)),
        Test::Not(inner) => !holds(world, object, record, inner, scope),
        Test::Compare { route, operator, values } => {
            let value = value(world, object, record, route, scope);
            compares(&value, route, *operator, values, scope.now)
        }
        // A semijoin becomes a list of ids before the rows are walked; here it is left for a rule's condition.
        Test::Semijoin { route, inside, plan } => {
            let value = value(world, object, record, route, scope);
            value.as_str().is_some_and(|id| selected(world, plan, scope).contains(id)) == *inside
        }
    }
}

/// Replaces semijoins by the ids that they select.
pub(super) fn flatten(world: &World, test: &Test, scope: Scope) -> Test {
    match test {
        Test::All(parts) => Test::All(parts.iter().map(|part| flatten(world, part, scope)).collect()),
        Test::Any(parts) => Test::Any(parts.iter().map(|part| flatten(world, part, scope)).collect()),
        Test::Not(inner) => Test::Not(Box::new(flatten(world, inner, scope))),
        Test::Semijoin { route, inside, plan } => {
            let values = selected(world, plan, scope).into_iter().map(Literal::Text).collect();
            let operator = if *inside { Operator::In } else { Operator::NotIn };
            Test::Compare { route: route.clone(), operator, values }
        }
        other => other.clone(),
    }
}

fn selected(world: &World, plan: &super::Plan, scope: Scope) -> BTreeSet<String> {
    let Some(Output::Field(route)) = plan.outputs.first() else { return BTreeSet::new() };
    ids(world, plan, scope)
        .iter()
        .filter_map(|id| world.get(&plan.object, id))
        .filter_map(|record| value(world, &plan.object, record, route, scope).as_str().map(str::to_owned))
        .collect()
}

/// The value at the end of a path; null where a parent is missing.
pub(super) fn value(world: &World, object: &str, record: &Record, route: &Route, scope: Scope) -> Json {
    let mut object = object;
    let mut record = record;
    for hop in &route.hops {
        let parent = record.get(&hop.lookup).and_then(Json::as_str).and_then(|id| world.find(id));
        let Some((of, parent)) = parent else { return Json::Null };
        object = &of.name;
        record = parent;
    }
    match &route.leaf {
        Leaf::Type => Json::String(object.to_owned()),
        Leaf::Field(field) => view::value(world, object, record, field, scope.version),
    }
}

fn compares(value: &Json, route: &Route, operator: Operator, values: &[Literal], now: Seconds) -> bool {
    let field = route.field();
    let first = values.first().unwrap_or(&Literal::Null);
    let equal = |literal: &Literal| is_equal(value, field, literal, now);
    match operator {
        Operator::Equal => equal(first),
        Operator::NotEqual => !equal(first),
        Operator::In => values.iter().any(equal),
        Operator::NotIn => !values.iter().any(equal),
        Operator::Like => match (value, first) {
            (Json::String(text), Literal::Text(pattern)) => like(&text.to_lowercase(), &pattern.to_lowercase()),
            _ => false,
        },
        Operator::Includes => includes(value, values),
        Operator::Excludes => !includes(value, values),
        Operator::Less => order(value, field, first, now, false).is_some_and(Ordering::is_lt),
        Operator::LessOrEqual => order(value, field, first, now, true).is_some_and(Ordering::is_le),
        Operator::Greater => order(value, field, first, now, true).is_some_and(Ordering::is_gt),
        Operator::GreaterOrEqual => order(value, field, first, now, false).is_some_and(Ordering::is_ge),
    }
}

fn is_equal(value: &Json, field: Option<&Field>, literal: &Literal, now: Seconds) -> bool {
    match (value, literal) {
        (Json::Null, Literal::Null) => true,
        // An empty text is the same as none (sheet: section 2).
        (Json::Null, Literal::Text(text)) => text.is_empty(),
        (Json::Bool(own), Literal::Bool(wanted)) => own == wanted,
        (Json::Number(own), Literal::Number(wanted)) => own.as_f64() == Some(*wanted),
        (Json::String(own), Literal::Text(wanted)) => {
            if field.is_some_and(|field| field.case_sensitive || field.kind.is_id()) {
                own == wanted
            } else {
                own.to_lowercase() == wanted.to_lowercase()
            }
        }
        (Json::String(own), Literal::Date(wanted)) => own == wanted,
        (Json::String(own), Literal::Datetime(wanted)) => instant::read(own) == Some(*wanted),
        (Json::String(_), Literal::Period(word, n)) => {
            let (from, to) = period::bounds(word, *n, now);
            moment(value, field).is_some_and(|own| (from..to).contains(&own))
        }
        _ => false,
    }
}

fn moment(value: &Json, field: Option<&Field>) -> Option<Seconds> {
    let text = value.as_str()?;
    match field.map(|field| field.kind) {
        Some(Kind::Date) => instant::read(&format!("{text}T00:00:00Z")),
        _ => instant::read(text),
    }
}

/// How the value stands to the literal; a period counts with its end for `<=` and `>`.
fn order(value: &Json, field: Option<&Field>, literal: &Literal, now: Seconds, end: bool) -> Option<Ordering> {
    match (value, literal) {
        (Json::Number(own), Literal::Number(wanted)) => own.as_f64()?.partial_cmp(wanted),
        (Json::String(own), Literal::Text(wanted)) if field.is_some_and(|field| field.kind.is_id()) => {
            Some(own.cmp(wanted))
        }
        (Json::String(own), Literal::Text(wanted)) => Some(own.to_lowercase().cmp(&wanted.to_lowercase())),
        (Json::String(own), Literal::Date(wanted)) => Some(own.cmp(wanted)),
        (Json::String(own), Literal::Datetime(wanted)) => Some(instant::read(own)?.cmp(wanted)),
        (Json::String(_), Literal::Period(word, n)) => {
            let (from, to) = period::bounds(word, *n, now);
            Some(moment(value, field)?.cmp(&if end { to - 1 } else { from }))
        }
        _ => None,
    }
}

/// `INCLUDES('a;b', 'c')`: both a and b, or c.
fn includes(value: &Json, values: &[Literal]) -> bool {
    let own: BTreeSet<String> = value.as_str().unwrap_or("").split(';').map(str::to_lowercase).collect();
    values.iter().any(|wanted| match wanted {
        Literal::Text(text) => text.split(';').all(|one| own.contains(&one.to_lowercase())),
        _ => value.is_null() && *wanted == Literal::Null,
    })
}

/// `%` stands for any text, `_` for one letter, both guarded by `\`.
fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut pieces: Vec<Option<char>> = Vec::new();
    let mut many: Vec<bool> = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        let (piece, any) = match letter {
            '%' => (None, true),
            '_' => (None, false),
            '\\' => (letters.next(), false),
            other => (Some(other), false),
        };
        pieces.push(piece);
        many.push(any);
    }
    // Which beginnings of the pattern end at this place of the text.
    let mut reached = vec![false; pieces.len() + 1];
    let spread = |reached: &mut Vec<bool>| {
        for at in 0..many.len() {
            if reached[at] && many[at] {
                reached[at + 1] = true;
            }
        }
    };
    reached[0] = true;
    spread(&mut reached);
    for letter in text {
        let mut next = vec![false; pieces.len() + 1];
        for at in 0..pieces.len() {
            if !reached[at] {
                continue;
            }
            if many[at] {
                next[at] = true;
            } else if pieces[at].is_none_or(|wanted| wanted == letter) {
                next[at + 1] = true;
            }
        }
        spread(&mut next);
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

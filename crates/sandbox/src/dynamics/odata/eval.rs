//! Conditions over rows, and over documents of metadata.

use std::cmp::Ordering;

use serde_json::{Value as Json, json};

use super::{Expr, Literal, Op, Term, TextOp};
use crate::dynamics::fold::fold;
use crate::dynamics::links;
use crate::dynamics::relations::Nav;
use crate::dynamics::schema::Entity;
use crate::dynamics::world::{Record, World, points, referred};

/// What a condition looks at.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Row<'a> {
    Record(&'a Entity, &'a Record),
    Document(&'a Json),
}

/// Variables of lambdas with the rows that they stand for.
type Variables<'a> = Vec<(&'a str, Row<'a>)>;

/// Whether a condition holds.
pub(in super::super) fn holds(world: &World, row: Row<'_>, expr: &Expr) -> bool {
    walk(world, row, expr, &mut Vec::new())
}

/// The value at the end of a path: lookups give the id.
pub(in super::super) fn value(world: &World, row: Row<'_>, path: &[String]) -> Json {
    match row {
        Row::Document(document) => {
            path.iter().try_fold(document, |here, name| here.get(name)).cloned().unwrap_or(Json::Null)
        }
        Row::Record(entity, record) => of_record(world, entity, record, path).unwrap_or(Json::Null),
    }
}

fn of_record(world: &World, entity: &Entity, record: &Record, path: &[String]) -> Option<Json> {
    let (first, rest) = path.split_first()?;
    if rest.is_empty() {
        let attribute = entity.property(first)?;
        let value = record.get(&attribute.name)?;
        return Some(match referred(value).filter(|_| attribute.kind.is_lookup()) {
            Some((_, id)) => json!(id),
            None => value.clone(),
        });
    }
    let Nav::Parent(relation) = world.schema.nav(&entity.name, first)? else { return None };
    let (table, id) = points(record, &relation.attribute)?;
    if table != relation.referenced && relation.nav != "ownerid" {
        return None;
    }
    of_record(world, world.schema.entity(table)?, world.get(table, id)?, rest)
}

fn walk<'a>(world: &'a World, row: Row<'a>, expr: &'a Expr, variables: &mut Variables<'a>) -> bool {
    match expr {
        Expr::And(left, right) => walk(world, row, left, variables) && walk(world, row, right, variables),
        Expr::Or(left, right) => walk(world, row, left, variables) || walk(world, row, right, variables),
        Expr::Not(inner) => !walk(world, row, inner, variables),
        Expr::Compare(left, op, right) => {
            let (left, right) = (term(world, row, left, variables), term(world, row, right, variables));
            decide(world, &left, *op, &right)
        }
        Expr::Text(op, path, text) => {
            let accents = world.settings.accent_insensitive;
            let found = at(world, row, path, variables);
            let (found, text) = (fold(found.as_str().unwrap_or(""), accents), fold(text, accents));
            !found.is_empty()
                && match op {
                    TextOp::Contains => found.contains(&text),
                    TextOp::StartsWith => found.starts_with(&text),
                    TextOp::EndsWith => found.ends_with(&text),
                }
        }
        Expr::In(path, values, negated) => {
            let accents = world.settings.accent_insensitive;
            let plain = |value: &Json| match value {
                Json::String(text) => fold(text, accents),
                other => other.to_string(),
            };
            let found = at(world, row, path, variables);
            !found.is_null() && values.iter().any(|value| fold(value, accents) == plain(&found)) != *negated
        }
        Expr::Lambda(path, any, variable, body) => {
            let rows = collection(world, row, path, variables);
            let mut fits = rows.into_iter().map(|one| match body {
                None => true,
                Some(body) => {
                    variables.push((variable, one));
                    let holds = walk(world, row, body, variables);
                    variables.pop();
                    holds
                }
            });
            if *any { fits.any(|fits| fits) } else { fits.all(|fits| fits) }
        }
    }
}

/// The row from which a path starts, and the rest of it.
fn start<'a, 'p>(row: Row<'a>, path: &'p [String], variables: &Variables<'a>) -> (Row<'a>, &'p [String]) {
    if let Some((first, rest)) = path.split_first()
        && !rest.is_empty()
        && let Some((_, row)) = variables.iter().rev().find(|(name, _)| name == first)
    {
        return (*row, rest);
    }
    (row, path)
}

fn at<'a>(world: &'a World, row: Row<'a>, path: &[String], variables: &Variables<'a>) -> Json {
    let (row, path) = start(row, path, variables);
    value(world, row, path)
}

fn term<'a>(world: &'a World, row: Row<'a>, term: &Term, variables: &Variables<'a>) -> Json {
    match term {
        Term::Path(path) => at(world, row, path, variables),
        Term::Value(literal) => match literal {
            Literal::Null => Json::Null,
            Literal::Bool(flag) => json!(flag),
            Literal::Number(number) => json!(number),
            Literal::Text(text) | Literal::Guid(text) | Literal::Day(text) | Literal::Time(text) => json!(text),
        },
    }
}

/// Rows of a collection.
fn collection<'a>(world: &'a World, row: Row<'a>, path: &[String], variables: &Variables<'a>) -> Vec<Row<'a>> {
    let (row, path) = start(row, path, variables);
    let Row::Record(mut entity, mut record) = row else { return Vec::new() };
    let Some((last, before)) = path.split_last() else { return Vec::new() };
    for name in before {
        let Some(Nav::Parent(relation)) = world.schema.nav(&entity.name, name) else { return Vec::new() };
        let found = points(record, &relation.attribute)
            .and_then(|(table, id)| Some((world.schema.entity(table)?, world.get(table, id)?)));
        let Some((table, parent)) = found else { return Vec::new() };
        (entity, record) = (table, parent);
    }
    let Some(id) = record.get(&entity.primary_id).and_then(Json::as_str) else { return Vec::new() };
    let Some(nav) = world.schema.nav(&entity.name, last) else { return Vec::new() };
    let ids = match nav {
        Nav::Parent(_) => Vec::new(),
        Nav::Children(relation) => world.pointing(&relation.referencing, &relation.attribute, &entity.name, id),
        Nav::Paired(pairs, first) => links::paired(world, pairs, *first, id),
    };
    let Some(target) = world.schema.entity(nav.target()) else { return Vec::new() };
    let rows = ids.iter().filter_map(|id| world.get(&target.name, id));
    rows.map(|record| Row::Record(target, record)).collect()
}

/// A comparison; what has no value equals nothing, and is unequal to every value.
fn decide(world: &World, left: &Json, op: Op, right: &Json) -> bool {
    match (left.is_null(), right.is_null()) {
        (true, true) => return op == Op::Eq,
        (true, false) | (false, true) => return op == Op::Ne,
        (false, false) => {}
    }
    let order = compare(world, left, right);
    match op {
        Op::Eq => order == Ordering::Equal,
        Op::Ne => order != Ordering::Equal,
        Op::Gt => order == Ordering::Greater,
        Op::Ge => order != Ordering::Less,
        Op::Lt => order == Ordering::Less,
        Op::Le => order != Ordering::Greater,
    }
}

/// The order of the database: nothing first, texts without case.
pub(in super::super) fn compare(world: &World, left: &Json, right: &Json) -> Ordering {
    match (left, right) {
        (Json::Null, Json::Null) => Ordering::Equal,
        (Json::Null, _) => Ordering::Less,
        (_, Json::Null) => Ordering::Greater,
        (Json::Number(one), Json::Number(two)) => {
            one.as_f64().unwrap_or(0.0).partial_cmp(&two.as_f64().unwrap_or(0.0)).unwrap_or(Ordering::Equal)
        }
        (Json::Bool(one), Json::Bool(two)) => one.cmp(two),
        _ => {
            let accents = world.settings.accent_insensitive;
            let plain = |value: &Json| fold(value.as_str().unwrap_or(""), accents);
            plain(left).cmp(&plain(right))
        }
    }
}

//! Conditions on records: what searches, queries and bulk reads share.

use std::cmp::Ordering;

use serde_json::{Value as Json, json};

use super::instant;
use super::schema::{Field, Kind, Module};
use super::world::{Id, Row, World};

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    NotIn,
    Contains,
    NotContains,
    StartsWith,
    EndsWith,
    Between,
    NotBetween,
    Null,
    NotNull,
}

impl Op {
    /// The words of searches and bulk reads (sheet: section 4).
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "equal" | "equals" => Self::Equal,
            "not_equal" => Self::NotEqual,
            "less_than" => Self::Less,
            "less_equal" => Self::LessEqual,
            "greater_than" => Self::Greater,
            "greater_equal" => Self::GreaterEqual,
            "in" => Self::In,
            "not_in" => Self::NotIn,
            "contains" => Self::Contains,
            "not_contains" => Self::NotContains,
            "starts_with" => Self::StartsWith,
            "ends_with" => Self::EndsWith,
            "between" => Self::Between,
            "not_between" => Self::NotBetween,
            _ => return None,
        })
    }
}

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Test {
    /// `Account_Name.Account_Name` in its parts.
    pub(super) path: Vec<String>,
    pub(super) op: Op,
    pub(super) values: Vec<Json>,
}

/// Conditions and how they are joined.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Is(Test),
}

impl Tree {
    /// Every condition.
    pub(super) fn tests(&self) -> Vec<&Test> {
        match self {
            Self::All(trees) | Self::Any(trees) => trees.iter().flat_map(Self::tests).collect(),
            Self::Is(test) => vec![test],
        }
    }

    /// Brings every value into the form in which values are kept; the path of a field that is not there, or whose
    /// value cannot be compared, comes back.
    pub(super) fn prepare(&mut self, world: &World, module: &Module) -> Result<(), String> {
        match self {
            Self::All(trees) | Self::Any(trees) => trees.iter_mut().try_for_each(|tree| tree.prepare(world, module)),
            Self::Is(test) => {
                let name = test.path.join(".");
                let Some(target) = target(world, module, &test.path) else { return Err(name) };
                let texts = matches!(test.op, Op::Contains | Op::NotContains | Op::StartsWith | Op::EndsWith);
                for value in &mut test.values {
                    if !texts {
                        *value = literal(target, value).ok_or_else(|| name.clone())?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Whether a record fulfils the conditions.
    pub(super) fn holds(&self, world: &World, module: &Module, row: &Row) -> bool {
        match self {
            Self::All(trees) => trees.iter().all(|tree| tree.holds(world, module, row)),
            Self::Any(trees) => trees.iter().any(|tree| tree.holds(world, module, row)),
            Self::Is(test) => is(test, &value(world, module, row, &test.path)),
        }
    }
}

/// What users tell of themselves behind a dot.
const OF_USERS: [&str; 5] = ["id", "email", "full_name", "first_name", "last_name"];

/// The field at the end of a path: none if there is no such path, `Some(None)` for what a user is.
pub(super) fn target<'a>(world: &'a World, module: &'a Module, path: &[String]) -> Option<Option<&'a Field>> {
    let (first, rest) = path.split_first()?;
    let field = module.field(first)?;
    match rest {
        [] => Some(Some(field)),
        [one] if field.data_type.is_user() => OF_USERS.contains(&one.as_str()).then_some(None),
        rest => {
            let next = field.module.as_deref().filter(|_| field.data_type == Kind::Lookup)?;
            target(world, world.module(next)?, rest)
        }
    }
}

/// A record's value at the end of a path, as it is kept.
pub(super) fn value(world: &World, module: &Module, row: &Row, path: &[String]) -> Json {
    let Some((first, rest)) = path.split_first() else { return Json::Null };
    let Some(field) = module.field(first) else { return Json::Null };
    let own = world.value(row, field);
    if rest.is_empty() {
        return own;
    }
    let Some(id) = own.as_str().and_then(|id| id.parse::<Id>().ok()) else { return Json::Null };
    if field.data_type.is_user() {
        let Some(user) = world.users.get(&id) else { return Json::Null };
        return match rest.first().map(String::as_str) {
            Some("email") => json!(user.email),
            Some("full_name") => json!(user.full_name()),
            Some("first_name") => json!(user.first_name),
            Some("last_name") => json!(user.last_name),
            _ => json!(id.to_string()),
        };
    }
    let next = field.module.as_deref().and_then(|name| world.module(name));
    match next.and_then(|next| world.get(&next.api_name, id).map(|row| (next, row))) {
        Some((next, row)) => value(world, next, row, rest),
        None => Json::Null,
    }
}

/// A value of a condition in the form in which the field's values are kept.
fn literal(field: Option<&Field>, given: &Json) -> Option<Json> {
    let text = || given.as_str().map(str::to_owned).unwrap_or_else(|| given.to_string());
    match field.map_or(Kind::Text, |field| field.data_type) {
        Kind::Datetime => instant::read(given.as_str()?).map(|at| json!(instant::kept(at))),
        Kind::Date => instant::read_day(given.as_str()?).map(|day| json!(day)),
        Kind::Integer | Kind::Currency | Kind::Double | Kind::Percent | Kind::Bigint => {
            text().parse::<f64>().is_ok().then(|| json!(text()))
        }
        Kind::Boolean => matches!(text().as_str(), "true" | "false").then(|| json!(text() == "true")),
        Kind::Lookup | Kind::Ownerlookup | Kind::Userlookup => text().parse::<Id>().is_ok().then(|| json!(text())),
        _ => Some(json!(text())),
    }
}

fn is(test: &Test, value: &Json) -> bool {
    let first = test.values.first();
    let text = || value.as_str().unwrap_or("").to_lowercase();
    let wanted = || first.and_then(Json::as_str).unwrap_or("").to_lowercase();
    let order = |other: Option<&Json>| other.and_then(|other| compare(value, other));
    let equal = |other: &Json| match value {
        Json::Array(values) => values.iter().any(|value| compare(value, other) == Some(Ordering::Equal)),
        value => compare(value, other) == Some(Ordering::Equal),
    };
    let within = || order(first).is_some_and(Ordering::is_ge) && order(test.values.get(1)).is_some_and(Ordering::is_le);
    match test.op {
        Op::Null => value.is_null(),
        Op::NotNull => !value.is_null(),
        // `${EMPTY}` is a value that is not there (sheet: section 4, bulk read).
        Op::Equal if first == Some(&json!("${EMPTY}")) => value.is_null(),
        Op::NotEqual if first == Some(&json!("${EMPTY}")) => !value.is_null(),
        Op::Equal => first.is_some_and(equal),
        Op::NotEqual => !first.is_some_and(equal),
        Op::In => test.values.iter().any(equal),
        Op::NotIn => !test.values.iter().any(equal),
        Op::Less => order(first) == Some(Ordering::Less),
        Op::LessEqual => order(first).is_some_and(Ordering::is_le),
        Op::Greater => order(first) == Some(Ordering::Greater),
        Op::GreaterEqual => order(first).is_some_and(Ordering::is_ge),
        Op::Contains => !value.is_null() && text().contains(&wanted()),
        Op::NotContains => !text().contains(&wanted()),
        Op::StartsWith => !value.is_null() && text().starts_with(&wanted()),
        Op::EndsWith => !value.is_null() && text().ends_with(&wanted()),
        Op::Between => within(),
        Op::NotBetween => !value.is_null() && !within(),
    }
}

/// The order of two values: numbers and ids by size, texts without case; none where one is not there.
pub(super) fn compare(one: &Json, other: &Json) -> Option<Ordering> {
    match (one, other) {
        (Json::Null, _) | (_, Json::Null) => None,
        (Json::Bool(one), Json::Bool(other)) => Some(one.cmp(other)),
        (Json::String(one), Json::String(other)) => match (size(one), size(other)) {
            (Some(one), Some(other)) => Some(one.cmp(&other)),
            _ => Some(one.to_lowercase().cmp(&other.to_lowercase())),
        },
        (one, other) => {
            let number = |value: &Json| value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
            number(one)?.partial_cmp(&number(other)?)
        }
    }
}

/// A text that is a number as it would be written: `007` is none.
fn size(text: &str) -> Option<Id> {
    text.parse::<Id>().ok().filter(|number| number.to_string() == text)
}

/// The criteria of bulk reads and mass updates: a group with its operator, or one condition.
pub(super) fn read(given: &Json) -> Option<Tree> {
    if let Some(group) = given.get("group").and_then(Json::as_array) {
        let trees = group.iter().map(read).collect::<Option<Vec<_>>>()?;
        return match given.get("group_operator").and_then(Json::as_str)?.to_lowercase().as_str() {
            "and" => Some(Tree::All(trees)),
            "or" => Some(Tree::Any(trees)),
            _ => None,
        };
    }
    let field = given.get("field").map_or(given.get("api_name"), |field| field.get("api_name"));
    let path = field.and_then(Json::as_str)?.split('.').map(str::to_owned).collect();
    let op = Op::of(given.get("comparator").and_then(Json::as_str)?)?;
    let values = match given.get("value")? {
        Json::Array(values) => values.clone(),
        value => vec![value.clone()],
    };
    Some(Tree::Is(Test { path, op, values }))
}

//! COQL: the query language (sheet: section 4).

mod lexer;
mod parse;
mod run;

use serde_json::{Value as Json, json};

use super::call::Call;
use super::criteria::Tree;
use super::refusal::{Answer, Refusal};
use super::scopes::Does;
use super::world::World;

/// What a column computes over rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Count,
    Sum,
    Min,
    Max,
    Avg,
}

/// A column of the select list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) path: Vec<String>,
    pub(super) function: Option<Function>,
    /// How the result calls it.
    pub(super) name: String,
}

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Query {
    pub(super) columns: Vec<Column>,
    pub(super) module: String,
    pub(super) filter: Tree,
    pub(super) group_by: Vec<Vec<String>>,
    /// Paths, and whether they descend.
    pub(super) order_by: Vec<(Vec<String>, bool)>,
    pub(super) limit: usize,
    pub(super) offset: usize,
}

/// What a query costs, by its limit (sheet: section 4).
pub(super) fn credits(body: &Json) -> u64 {
    let query = body.get("select_query").and_then(Json::as_str).and_then(|text| parse::parse(text).ok());
    match query.map_or(200, |query| query.limit) {
        0..=200 => 1,
        201..=1_000 => 2,
        _ => 3,
    }
}

/// `POST /coql`.
pub(super) fn answer(world: &World, call: &Call<'_>) -> Answer {
    call.may("ZohoCRM.coql", Does::Read)?;
    call.may("ZohoCRM.settings.fields", Does::Read)?;
    let body = call.body()?;
    let text = body.get("select_query").ok_or_else(|| Refusal::missing("select_query", "$.select_query"))?;
    let text = text.as_str().ok_or_else(|| Refusal::invalid("select_query", "$.select_query", "text"))?;
    let query = parse::parse(text)?;
    run::run(world, call, query)
}

/// A query that says nothing that the organization knows.
fn invalid(reason: &str, details: Json) -> Refusal {
    Refusal::new("INVALID_QUERY", reason).with(details)
}

/// A query that is more than one may be.
fn beyond(clause: &str, limit: usize) -> Refusal {
    Refusal::limit("limit exceeded", json!({"clause": clause, "limit": limit}))
}

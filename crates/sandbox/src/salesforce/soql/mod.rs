//! SOQL: the part of it that a client of a CRM needs, refused as Salesforce refuses (sheet: sections 4 and 7).
//!
//! Text becomes a query (`parse`), a query whose names exist becomes a plan (`check`), a plan gives ids
//! (`run`), an id gives a row (`render`) or a group (`aggregate`).
//!
//! Deliberately absent: HAVING, geolocation, currency conversion, data categories, FORMAT, periods beyond
//! days. They are refused.

mod aggregate;
pub(super) mod ast;
mod check;
mod condition;
mod lexer;
mod literal;
mod parse;
mod period;
mod plan;
mod render;
mod run;

use super::refusal::Fault;

pub(super) use aggregate::groups;
pub(super) use check::{check, test};
pub(super) use condition::holds;
pub(super) use parse::{condition, query};
pub(super) use plan::{Output, Plan, Route, Test};
pub(super) use render::{cell, row};
pub(super) use run::{Scope, ids};

/// A fault that points into the query.
fn spot(text: &str, at: usize, code: &str, message: &str) -> Fault {
    let before = text.get(..at).unwrap_or(text);
    let row = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    let line = text.lines().nth(row - 1).unwrap_or("");
    let caret = format!("{}^", " ".repeat(column - 1));
    Fault::new(code, format!("\n{line}\n{caret}\nERROR at Row:{row}:Column:{column}\n{message}"))
}

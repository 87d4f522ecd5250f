//! The values of a condition against the type of its field.

use super::ast::{Literal, Operator};
use super::plan::Route;
use super::spot;
use crate::salesforce::id;
use crate::salesforce::refusal::Fault;
use crate::salesforce::schema::Kind;

/// The values, ids in their long form, or the fault of the first that does not fit.
pub(super) fn judge(text: &str, route: &Route, operator: Operator, values: &[Literal]) -> Result<Vec<Literal>, Fault> {
    let kind = route.field().map_or(Kind::Text, |field| field.kind);
    let name = route.name();
    let refuse = |code: &str, message: String| spot(text, route.at, code, &message);
    let fits = match operator {
        Operator::Includes | Operator::Excludes => kind == Kind::Multipicklist,
        Operator::Like => kind.is_text() && !kind.is_id() && kind != Kind::Multipicklist,
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            !matches!(kind, Kind::Boolean | Kind::Multipicklist)
        }
        _ => true,
    };
    if !fits {
        return Err(refuse("INVALID_QUERY_FILTER_OPERATOR", "invalid operator".to_owned()));
    }
    values
        .iter()
        .map(|value| {
            if *value == Literal::Null {
                return Ok(Literal::Null);
            }
            let (good, wanted, quotes) = wanted(kind, value);
            if !good {
                let quotes = if quotes { "should be enclosed in quotes" } else { "should not be enclosed in quotes" };
                let message =
                    format!("value of filter criterion for field '{name}' must be of type {wanted} and {quotes}");
                return Err(refuse("INVALID_FIELD", message));
            }
            match value {
                Literal::Text(given) if kind.is_id() => match id::parse(given) {
                    Some(id) => Ok(Literal::Text(id)),
                    None => Err(refuse("INVALID_QUERY_FILTER_OPERATOR", format!("invalid ID field: {given}"))),
                },
                other => Ok(other.clone()),
            }
        })
        .collect()
}

/// Whether the value fits the type; the type's name, and whether its values stand in quotes.
fn wanted(kind: Kind, value: &Literal) -> (bool, &'static str, bool) {
    match kind {
        Kind::Boolean => (matches!(value, Literal::Bool(_)), "boolean", false),
        Kind::Int => (matches!(value, Literal::Number(_)), "int", false),
        Kind::Double => (matches!(value, Literal::Number(_)), "double", false),
        Kind::Currency => (matches!(value, Literal::Number(_)), "currency", false),
        Kind::Percent => (matches!(value, Literal::Number(_)), "percent", false),
        Kind::Date => (matches!(value, Literal::Date(_) | Literal::Period(..)), "date", false),
        Kind::Datetime => (matches!(value, Literal::Datetime(_) | Literal::Period(..)), "dateTime", false),
        Kind::Time => (matches!(value, Literal::Text(_)), "time", false),
        kind if kind.is_id() => (matches!(value, Literal::Text(_)), "ID", true),
        _ => (matches!(value, Literal::Text(_)), "string", true),
    }
}

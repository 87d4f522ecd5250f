//! Queries (sheet: Zoho section 4 \[doc\]): text of them, and the requests that send them.
//!
//! A query is ordered by id and goes on behind the last id that was read. So a list of any age resumes, deletions
//! shift nothing, and neither the life of page tokens nor the 100,000 records that they reach are of account.

use handover_connect::{Charge, Method, Request};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::capabilities::{CALL, DAILY};
use super::objects::API;

/// Rows of one query.
pub(super) const PAGE: u32 = 2_000;
/// Names after `select`, and in `fields`.
pub(super) const NAMES: usize = 50;
/// Values in one list of a condition.
pub(super) const IN: usize = 50;
/// What a query for a whole page takes of the credits.
pub(super) const QUERY: [Charge; 1] = [Charge::of(DAILY, 3)];

/// The request that sends a query for a page: the columns beside the id, behind a record and up to another.
pub(super) fn rows(
    columns: &[&str],
    module: &str,
    conditions: &[String],
    after: Option<&str>,
    last: Option<&str>,
) -> Request {
    let mut select = String::from("id");
    for column in columns.iter().filter(|column| **column != "id") {
        select.push_str(", ");
        select.push_str(column);
    }
    let mut all = vec![format!("id > '{}'", after.unwrap_or("0"))];
    all.extend(last.map(|last| format!("id <= '{last}'")));
    all.extend(conditions.iter().cloned());
    send(&format!("select {select} from {module} where {} order by id asc limit {PAGE}", joined(all)), &QUERY)
}

/// The request for the number of a module's records behind one.
pub(super) fn count(module: &str, after: Option<&str>, conditions: &[String]) -> Request {
    let mut all = vec![format!("id > '{}'", after.unwrap_or("0"))];
    all.extend(conditions.iter().cloned());
    send(&format!("select COUNT(id) from {module} where {}", joined(all)), &CALL)
}

/// The request for the time of the record that has so many before it in the order of that time.
pub(super) fn time_behind(module: &str, field: &str, conditions: &[String], before: u64) -> Request {
    let all = if conditions.is_empty() { vec!["id > '0'".to_owned()] } else { conditions.to_vec() };
    let of = joined(all);
    send(&format!("select {field} from {module} where {of} order by {field} asc limit {before}, 1"), &CALL)
}

fn send(query: &str, charges: &[Charge]) -> Request {
    Request::new(Method::Post, format!("{API}/coql"), charges)
        .with_json(json!({ "select_query": query }).to_string().into_bytes())
        .idempotent()
}

/// Conditions that must all hold; more than two stand in brackets pairwise.
fn joined(conditions: Vec<String>) -> String {
    let joined = conditions.into_iter().reduce(|all, one| format!("({all} and {one})"));
    joined.unwrap_or_default()
}

/// The conditions that a field has one of several values, each with as many as it may have; `None` when a value
/// cannot stand in a query for certain: it has both kinds of quotes, or what may escape them.
pub(super) fn ones_of(field: &str, values: &[String]) -> Option<Vec<String>> {
    let quoted: Option<Vec<String>> = values.iter().map(|value| quoted(value)).collect();
    Some(quoted?.chunks(IN).map(|some| format!("{field} in ({})", some.join(", "))).collect())
}

fn quoted(text: &str) -> Option<String> {
    if text.contains(['\\', '\n', '\r']) {
        return None;
    }
    match (text.contains('\''), text.contains('"')) {
        (false, _) => Some(format!("'{text}'")),
        (true, false) => Some(format!("\"{text}\"")),
        (true, true) => None,
    }
}

/// The condition that a time is not before another.
pub(super) fn since(field: &str, at: Timestamp) -> String {
    format!("{field} >= '{}'", instant(at))
}

/// An instant: whole seconds with an offset (sheet: Zoho section 5).
pub(super) fn instant(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

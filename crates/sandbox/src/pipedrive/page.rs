//! Paging: v2's opaque cursors, v1's start and limit (sheet: Pipedrive section 4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::call::Call;
use super::record::Order;
use super::refusal::Refusal;
use super::time;

/// Rows per page unless asked, and at most.
const USUAL: usize = 100;
const MOST: usize = 500;

/// `limit` of a request, within 1 to `most`.
pub(super) fn limit(call: &Call<'_>, most: usize) -> Result<usize, Refusal> {
    let Some(text) = call.param("limit") else { return Ok(USUAL.min(most)) };
    match text.parse::<usize>() {
        Ok(limit) if (1..=most).contains(&limit) => Ok(limit),
        Ok(_) => Err(Refusal::key("limit", format!("Number must be between 1 and {most}"))),
        Err(_) => Err(Refusal::key("limit", "Expected number, received string")),
    }
}

/// `limit` of a v2 list.
pub(super) fn v2_limit(call: &Call<'_>) -> Result<usize, Refusal> {
    limit(call, MOST)
}

/// A v2 cursor after a row: Base64 of `{"field","fieldValue","sortDirection","id"}`.
pub(super) fn cursor(order: Order, descending: bool, place: (i64, u64)) -> String {
    let (value, id) = place;
    let field_value = match order {
        Order::Id => json!(id),
        Order::Updated | Order::Added => json!(time::v2(value)),
    };
    let direction = if descending { "desc" } else { "asc" };
    let cursor = json!({"field": name(order), "fieldValue": field_value, "sortDirection": direction, "id": id});
    STANDARD.encode(cursor.to_string())
}

/// Reads a cursor, which must belong to the same order.
pub(super) fn read_cursor(text: &str, order: Order, descending: bool) -> Result<(i64, u64), Refusal> {
    let invalid = || Refusal::key("cursor", "Invalid cursor");
    let bytes = STANDARD.decode(text).map_err(|_| invalid())?;
    let cursor: Json = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    let direction = if descending { "desc" } else { "asc" };
    let fits =
        cursor.get("field") == Some(&json!(name(order))) && cursor.get("sortDirection") == Some(&json!(direction));
    let id = cursor.get("id").and_then(Json::as_u64);
    let value = match order {
        Order::Id => Some(0),
        Order::Updated | Order::Added => cursor.get("fieldValue").and_then(|value| time::read_v2(value.as_str()?)),
    };
    match (fits, value, id) {
        (true, Some(value), Some(id)) => Ok((value, id)),
        _ => Err(invalid()),
    }
}

fn name(order: Order) -> &'static str {
    match order {
        Order::Id => "id",
        Order::Updated => "update_time",
        Order::Added => "add_time",
    }
}

/// A cursor by position, for lists that have no ids to walk by.
pub(super) fn plain_cursor(at: usize) -> String {
    STANDARD.encode(json!({"at": at}).to_string())
}

/// Reads such a cursor; none begins at the beginning.
pub(super) fn read_plain_cursor(call: &Call<'_>) -> Result<usize, Refusal> {
    let Some(text) = call.param("cursor").filter(|text| !text.is_empty()) else { return Ok(0) };
    let place = STANDARD.decode(text).ok().and_then(|bytes| serde_json::from_slice::<Json>(&bytes).ok());
    let at = place.and_then(|place| place.get("at")?.as_u64()).and_then(|at| usize::try_from(at).ok());
    at.ok_or_else(|| Refusal::key("cursor", "Invalid cursor"))
}

/// `start` and `limit` of a v1 list.
pub(super) fn offsets(call: &Call<'_>) -> Result<(usize, usize), Refusal> {
    offsets_within(call, MOST)
}

/// The same where a page holds at most so many rows.
pub(super) fn offsets_within(call: &Call<'_>, most: usize) -> Result<(usize, usize), Refusal> {
    let number = |name: &str, unset: usize| match call.param(name) {
        None => Ok(unset),
        Some(text) => text.parse::<usize>().map_err(|_| Refusal::bad(&format!("Parameter '{name}' must be a number"))),
    };
    let (start, limit) = (number("start", 0)?, number("limit", USUAL)?);
    if limit == 0 {
        return Err(Refusal::bad("Parameter 'limit' must be a positive number"));
    }
    Ok((start, limit.min(most)))
}

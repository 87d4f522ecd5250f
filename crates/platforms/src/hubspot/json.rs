//! Reading JSON of which every part may be missing.

use handover_connect::Fault;
use serde_json::Value as Json;

pub(super) use crate::json::{body, flag_at, items, text_at};

/// The `results` of a body, without which it is not an answer.
pub(super) fn results(body: &Json) -> Result<&[Json], Fault> {
    body.get("results")
        .and_then(Json::as_array)
        .map(Vec::as_slice)
        .ok_or_else(|| Fault::malformed("the answer has no `results`"))
}

/// The text of a name; empty when there is none.
pub(super) fn text_or_empty(json: &Json, name: &str) -> String {
    text_at(json, name).unwrap_or_default().to_owned()
}

/// An id: a string nearly everywhere, a number in v4 associations (sheet: HubSpot section 9, trap 14
/// \[doc\]).
pub(super) fn id_text(json: &Json) -> Option<String> {
    match json {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Where the next page begins; absent on the last one (sheet: HubSpot section 2.1 \[spec\]).
pub(super) fn after(json: &Json) -> Option<String> {
    json.pointer("/paging/next/after").and_then(id_text)
}

//! Reading JSON of which every part may be missing.

use handover_connect::{Fault, Reply};
use serde_json::Value as Json;

/// A reply's body. Routes and edges answer with HTML at times (sheet: HubSpot section 7 \[code\]).
pub(super) fn body(reply: &Reply) -> Result<Json, Fault> {
    serde_json::from_slice(&reply.body)
        .map_err(|error| Fault::malformed(format!("the answer is not JSON: {error}")).with_status(reply.status))
}

/// The array of a name; empty when there is none.
pub(super) fn items<'a>(json: &'a Json, name: &str) -> &'a [Json] {
    json.get(name).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// The `results` of a body, without which it is not an answer.
pub(super) fn results(body: &Json) -> Result<&[Json], Fault> {
    body.get("results")
        .and_then(Json::as_array)
        .map(Vec::as_slice)
        .ok_or_else(|| Fault::malformed("the answer has no `results`"))
}

/// The text of a name.
pub(super) fn text_at<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Json::as_str)
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

/// The flag of a name; false when there is none.
pub(super) fn flag_at(json: &Json, name: &str) -> bool {
    json.get(name).and_then(Json::as_bool).unwrap_or(false)
}

/// Where the next page begins; absent on the last one (sheet: HubSpot section 2.1 \[spec\]).
pub(super) fn after(json: &Json) -> Option<String> {
    json.pointer("/paging/next/after").and_then(id_text)
}

//! Reading JSON of which every part may be missing.

use handover_connect::{Fault, Reply};
use serde_json::Value as Json;

pub(super) use crate::json::{flag_at, items};

/// A reply's body; null where there is none, as with every list that is empty (sheet: Zoho trap 14).
pub(super) fn body(reply: &Reply) -> Result<Json, Fault> {
    if reply.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Json::Null);
    }
    serde_json::from_slice(&reply.body)
        .map_err(|error| Fault::malformed(format!("the answer is not JSON: {error}")).with_status(reply.status))
}

/// The text of a name, if it is not empty.
pub(super) fn text_at<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Json::as_str).filter(|text| !text.is_empty())
}

/// Whether an object of a name has something in it.
pub(super) fn has_parts(json: &Json, name: &str) -> bool {
    json.get(name).and_then(Json::as_object).is_some_and(|parts| !parts.is_empty())
}

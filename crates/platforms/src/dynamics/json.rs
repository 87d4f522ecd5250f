//! Reading JSON of which every part may be missing.

use handover_connect::{Fault, Reply};
use serde_json::Value as Json;

/// A reply's body. Gateways answer with HTML at times (sheet: Dynamics section 7).
pub(super) fn body(reply: &Reply) -> Result<Json, Fault> {
    serde_json::from_slice(&reply.body)
        .map_err(|error| Fault::malformed(format!("the answer is not JSON: {error}")).with_status(reply.status))
}

/// The array of a name; empty when there is none.
pub(super) fn items<'a>(json: &'a Json, name: &str) -> &'a [Json] {
    json.get(name).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// The text of a name.
pub(super) fn text_at<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Json::as_str)
}

/// The flag of a name; false when there is none.
pub(super) fn flag_at(json: &Json, name: &str) -> bool {
    json.get(name).and_then(Json::as_bool).unwrap_or(false)
}

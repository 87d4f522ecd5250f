//! Reading JSON of which every part may be missing, and texts as JSON.

use handover_connect::{Fault, Reply};
use serde_json::Value as Json;

/// A reply's body. Gateways and overloaded instances answer with HTML at times (sheets: Dynamics section 7, HubSpot
/// section 7 \[code\], Salesforce section 6).
///
/// # Errors
/// When it is not JSON.
pub(crate) fn body(reply: &Reply) -> Result<Json, Fault> {
    serde_json::from_slice(&reply.body)
        .map_err(|error| Fault::malformed(format!("the answer is not JSON: {error}")).with_status(reply.status))
}

/// The array of a name; empty when there is none.
pub(crate) fn items<'a>(json: &'a Json, name: &str) -> &'a [Json] {
    json.get(name).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// The text of a name.
pub(crate) fn text_at<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Json::as_str)
}

/// The flag of a name; false when there is none.
pub(crate) fn flag_at(json: &Json, name: &str) -> bool {
    json.get(name).and_then(Json::as_bool).unwrap_or(false)
}

/// A JSON text.
pub(crate) fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

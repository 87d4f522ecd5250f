//! What webhooks of several platforms have in common: who sends, and what is sent.
//!
//! Secrets are compared in constant time, and an empty one is nobody's.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handover_connect::{Delivery, Fault, FaultKind, Refusal};
use serde_json::Value as Json;
use subtle::ConstantTimeEq as _;
use url::form_urlencoded;

/// A delivery's body.
///
/// # Errors
/// When it is not JSON; what stands in it is not repeated.
pub(crate) fn json(delivery: &Delivery<'_>) -> Result<Json, Fault> {
    serde_json::from_slice(delivery.body).map_err(|error| {
        Fault::malformed(format!("the delivery is not JSON: line {}, column {}", error.line(), error.column()))
    })
}

/// Whether this is what only the platform and we know.
pub(crate) fn is_secret(delivery: &Delivery<'_>, told: &[u8]) -> bool {
    // Neither user nor password is nothing either.
    !matches!(delivery.secret, "" | ":") && bool::from(told.ct_eq(delivery.secret.as_bytes()))
}

/// Whether a delivery tells the secret as user and password of HTTP Basic.
pub(crate) fn knows_password(delivery: &Delivery<'_>) -> bool {
    let header = delivery.headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.trim());
    let (scheme, told) = header.and_then(|header| header.split_once(' ')).unwrap_or_default();
    let told = STANDARD.decode(told.trim()).unwrap_or_default();
    scheme.eq_ignore_ascii_case("basic") && is_secret(delivery, &told)
}

/// Whether a delivery tells the secret under this name in its address.
pub(crate) fn has_key(delivery: &Delivery<'_>, name: &str) -> bool {
    let query = delivery.address.split_once('?').map_or("", |(_, query)| query);
    let mut keys = form_urlencoded::parse(query.as_bytes()).filter(|(have, _)| have == name);
    keys.any(|(_, key): (_, Cow<'_, str>)| is_secret(delivery, key.as_bytes()))
}

/// The fault of a delivery that nobody sent who knows the secret.
pub(crate) fn refused(message: &str) -> Fault {
    Fault::new(FaultKind::Auth, "credentials", message)
}

/// The path of a webhook whose id is a number.
pub(crate) fn path_of(webhooks: &str, id: &str) -> Result<String, Refusal> {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::unsupported("this is no id of a webhook"));
    }
    Ok(format!("{webhooks}/{id}"))
}

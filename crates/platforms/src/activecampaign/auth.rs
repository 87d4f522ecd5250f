//! Credentials on requests: the key of a user, which never ends and cannot be renewed (sheet: ActiveCampaign
//! section 1 \[doc\]). There is no OAuth.

use handover_connect::{Credentials, Request};
use secrecy::ExposeSecret as _;

/// Puts the credentials on a request.
pub(super) fn authorize(request: &mut Request, credentials: &Credentials) {
    if let Credentials::Token(key) = credentials {
        request.headers.retain(|(name, _)| name != "api-token");
        request.headers.push(("api-token".to_owned(), key.expose_secret().to_owned()));
    }
}

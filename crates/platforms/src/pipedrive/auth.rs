//! Credentials on requests, and buying an access token.
//!
//! A token goes into `x-api-token`, an OAuth access token into `Authorization: Bearer`; the token endpoint
//! takes the app's id and secret as Basic and a form (sheet: Pipedrive section 1 \[spec, doc\]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handover_connect::{Body, Credentials, Fault, FaultKind, Host, Method, Reply, Request, Step, Token};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;

use super::faults;

/// The request that exchanges the refresh token, which [`authorize`] adds.
pub(super) fn refresh() -> Request {
    let mut request = Request::new(Method::Post, "/oauth/token", &[]);
    request.host = Host::Oauth;
    request.body = Body::Form(vec![("grant_type".to_owned(), "refresh_token".to_owned())]);
    request
}

/// Puts the credentials on a request.
pub(super) fn authorize(request: &mut Request, credentials: &Credentials) {
    match credentials {
        // Whoever authorised the app is the one for whom it acts: there is no other way in.
        Credentials::None | Credentials::App { .. } | Credentials::Signed { .. } => {}
        Credentials::Token(token) => header(request, "x-api-token", token.expose_secret().to_owned()),
        Credentials::Oauth { client_id, client_secret, refresh_token, access } => {
            if request.host == Host::Oauth {
                let pair = STANDARD.encode(format!("{client_id}:{}", client_secret.expose_secret()));
                header(request, "authorization", format!("Basic {pair}"));
                if let Body::Form(form) = &mut request.body {
                    form.push(("refresh_token".to_owned(), refresh_token.expose_secret().to_owned()));
                }
            } else if let Some((access, _)) = access {
                header(request, "authorization", format!("Bearer {}", access.expose_secret()));
            }
        }
    }
}

/// Reads the token endpoint's answer.
pub(super) fn token(reply: &Reply) -> Result<Step, Fault> {
    let body = faults::check(reply).map_err(|mut fault| {
        // "Invalid grant", "Invalid client": the refresh token or the app is not accepted any more
        // (sheet: section 1 [doc]).
        if matches!(fault.kind, FaultKind::Invalid | FaultKind::Denied) {
            fault.kind = FaultKind::Auth;
        }
        fault
    })?;
    let text = |name: &str| body.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
    let access = text("access_token").ok_or_else(|| Fault::malformed("the token endpoint gave no access token"))?;
    Ok(Step::Token(Token {
        access: SecretString::from(access),
        expires_in: body.get("expires_in").and_then(Json::as_i64).unwrap_or(3_599),
        refresh: text("refresh_token").map(SecretString::from),
        api_base: text("api_domain").map(ToOwned::to_owned),
    }))
}

fn header(request: &mut Request, name: &str, value: String) {
    request.headers.retain(|(have, _)| have != name);
    request.headers.push((name.to_owned(), value));
}

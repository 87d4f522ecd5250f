//! Credentials on requests, and new access tokens.

use handover_connect::{Body, Credentials, Fault, FaultKind, Host, LimitTold, Method, Reply, Request, Step, Token};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;

use super::faults;
use super::json::{body, text_at};
use super::objects::path;

/// Puts the credentials on a request: into the form of the token endpoint, else as a bearer token, which
/// private apps and OAuth share (sheet: HubSpot section 1 \[doc\]).
pub(super) fn authorize(request: &mut Request, credentials: &Credentials) {
    if request.host == Host::Oauth {
        if let (Body::Form(form), Credentials::Oauth { client_id, client_secret, refresh_token, .. }) =
            (&mut request.body, credentials)
        {
            let mut put = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
            put("client_id", client_id);
            put("client_secret", client_secret.expose_secret());
            put("refresh_token", refresh_token.expose_secret());
        }
        return;
    }
    let Some(token) = credentials.access() else { return };
    request.headers.push(("authorization".to_owned(), format!("Bearer {}", token.expose_secret())));
}

/// The request for a new access token. Refresh tokens were not seen to change at use (sheet: HubSpot
/// section 1 \[unsure\]), so asking twice gives two access tokens and harms nothing.
pub(super) fn refresh() -> Request {
    let mut request = Request::new(Method::Post, path::TOKEN, &[]).idempotent();
    request.host = Host::Oauth;
    request.body = Body::Form(vec![("grant_type".to_owned(), "refresh_token".to_owned())]);
    request
}

/// The new token. A refusal of the token endpoint is about the credentials whatever its status: a dead
/// refresh token is a 400 (sheet: HubSpot section 1 \[obs\]).
pub(super) fn refreshed(reply: &Reply) -> Result<Step, Fault> {
    if !(200..300).contains(&reply.status) {
        let mut fault = faults::of_reply(reply, false);
        if matches!(fault.kind, FaultKind::Invalid | FaultKind::Denied | FaultKind::NotFound | FaultKind::Malformed) {
            fault.kind = FaultKind::Auth;
        }
        return Err(fault);
    }
    let body = body(reply)?;
    let access = text_at(&body, "access_token")
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Fault::malformed("the token endpoint gave no access token"))?;
    let expires_in = body
        .get("expires_in")
        .and_then(Json::as_i64)
        .ok_or_else(|| Fault::malformed("the token endpoint did not say how long the token lives"))?;
    Ok(Step::Token(Token {
        access: SecretString::from(access.to_owned()),
        expires_in,
        // Kept whatever comes back (section 1 [unsure]).
        refresh: text_at(&body, "refresh_token")
            .filter(|token| !token.is_empty())
            .map(|t| SecretString::from(t.to_owned())),
        api_base: None,
    }))
}

/// What the headers tell of the limits; searches and OAuth apps' daily ones tell nothing (sheet: HubSpot
/// section 6 \[doc\]).
pub(super) fn limits_told(reply: &Reply) -> Vec<LimitTold> {
    let number = |name: &str| reply.header(name).and_then(|text| text.trim().parse::<u64>().ok());
    let mut told = Vec::new();
    let daily = (number("x-hubspot-ratelimit-daily"), number("x-hubspot-ratelimit-daily-remaining"));
    if daily != (None, None) {
        told.push(("daily", daily.0, daily.1));
    }
    // Only over the window that the capabilities know.
    let ten_seconds = number("x-hubspot-ratelimit-interval-milliseconds").is_none_or(|span| span == 10_000);
    let burst = (number("x-hubspot-ratelimit-max"), number("x-hubspot-ratelimit-remaining"));
    if ten_seconds && burst != (None, None) {
        told.push(("burst", burst.0, burst.1));
    }
    told
}

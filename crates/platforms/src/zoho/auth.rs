//! Credentials on requests, new access tokens, and what replies tell of the limit (sheet: Zoho section 1).
//!
//! A token counts at its own data centre alone: where the API is, the token endpoint tells.

use handover_connect::{Body, Credentials, Fault, FaultKind, Host, LimitTold, Method, Reply, Request, Step, Token};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;

use super::capabilities::DAILY;
use super::faults;
use super::json::{body, text_at};
use super::objects::TOKEN;

/// How long an access token lives unless the answer says otherwise, in seconds.
const LIFE_S: i64 = 3_600;

/// Puts the credentials on a request: into the form of the token endpoint, else as Zoho's own kind of token.
pub(super) fn authorize(request: &mut Request, credentials: &Credentials) {
    if request.host != Host::Oauth {
        if let Some(token) = credentials.access() {
            let header = format!("Zoho-oauthtoken {}", token.expose_secret());
            request.headers.push(("authorization".to_owned(), header));
        }
        return;
    }
    let Body::Form(form) = &mut request.body else { return };
    if let Credentials::Oauth { client_id, client_secret, refresh_token, .. } = credentials {
        let pairs = [
            ("grant_type", "refresh_token"),
            ("client_id", client_id),
            ("client_secret", client_secret.expose_secret()),
            ("refresh_token", refresh_token.expose_secret()),
        ];
        form.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}

/// The request for a new access token. The refresh token stays the same, so it may be sent twice; each token that is
/// bought may end the oldest.
pub(super) fn refresh() -> Request {
    let mut request = Request::new(Method::Post, TOKEN, &[]).idempotent();
    request.host = Host::Oauth;
    request.body = Body::Form(Vec::new());
    request
}

/// The new token, and where the API is. A refusal may have status 200 (sheet: Zoho section 1 \[unsure\]).
pub(super) fn refreshed(reply: &Reply) -> Result<Step, Fault> {
    let told = body(reply);
    let is_refusal = told.as_ref().is_ok_and(|told| told.get("error").is_some());
    if is_refusal || !(200..300).contains(&reply.status) {
        let mut fault = faults::of_reply(reply);
        // A dead refresh token, a wrong secret: whatever it is called.
        if !matches!(fault.kind, FaultKind::Limited | FaultKind::Unavailable) {
            fault.kind = FaultKind::Auth;
        }
        return Err(fault);
    }
    let told = told?;
    let secret = |name: &str| text_at(&told, name).map(SecretString::from);
    Ok(Step::Token(Token {
        access: secret("access_token").ok_or_else(|| Fault::malformed("the token endpoint gave no access token"))?,
        expires_in: told.get("expires_in").and_then(Json::as_i64).filter(|life| *life > 0).unwrap_or(LIFE_S),
        refresh: secret("refresh_token"),
        api_base: text_at(&told, "api_domain").filter(|base| base.starts_with("http")).map(str::to_owned),
    }))
}

/// What a reply tells of the credits: how many remain, once half of them are used (sheet: Zoho section 6 \[doc\]).
pub(super) fn limits_told(reply: &Reply) -> Vec<LimitTold> {
    let left = reply.header("x-api-credits-remaining").and_then(|text| text.trim().parse().ok());
    left.map(|left| (DAILY, None, Some(left))).into_iter().collect()
}

//! Credentials on requests, new access tokens, and what replies tell of the limit.

use handover_connect::{Body, Credentials, Fault, FaultKind, Host, LimitTold, Method, Reply, Request, Step, Token};
use secrecy::{ExposeSecret as _, SecretString};

use super::capabilities::REQUESTS;
use super::faults;
use super::objects::TOKEN;
use crate::json::{body, text_at};

/// How long an access token lives when the endpoint does not say, in seconds (sheet: Dynamics section 1).
const LIFE_S: i64 = 3_599;

/// Puts the credentials on a request: into the form of the token endpoint, else as a bearer token. Tokens are sold for
/// one environment, whose address is the scope (section 1).
pub(super) fn authorize(request: &mut Request, credentials: &Credentials, environment: &str) {
    if request.host != Host::Oauth {
        if let Some(token) = credentials.access() {
            request.headers.push(("authorization".to_owned(), format!("Bearer {}", token.expose_secret())));
        }
        return;
    }
    let Body::Form(form) = &mut request.body else { return };
    let mut put = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
    match credentials {
        Credentials::App { client_id, client_secret, .. } => {
            put("grant_type", "client_credentials");
            put("client_id", client_id);
            put("client_secret", client_secret.expose_secret());
            put("scope", &format!("{environment}/.default"));
        }
        Credentials::Oauth { client_id, client_secret, refresh_token, .. } => {
            put("grant_type", "refresh_token");
            put("client_id", client_id);
            put("client_secret", client_secret.expose_secret());
            put("refresh_token", refresh_token.expose_secret());
            put("scope", &format!("{environment}/user_impersonation offline_access"));
        }
        // Entra ID wants assertions that name a certificate, which nobody has here.
        Credentials::Signed { .. } | Credentials::None | Credentials::Token(_) => {}
    }
}

/// The request for a new access token. Refresh tokens stay good when they are used (section 1), so it may be sent twice.
pub(super) fn refresh() -> Request {
    let mut request = Request::new(Method::Post, TOKEN, &[]).idempotent();
    request.host = Host::Oauth;
    request.headers.push(("accept".to_owned(), "application/json".to_owned()));
    // What buys a token depends on the credentials.
    request.body = Body::Form(Vec::new());
    request
}

/// The new token.
pub(super) fn refreshed(reply: &Reply) -> Result<Step, Fault> {
    if !(200..300).contains(&reply.status) {
        let mut fault = faults::of_token(reply);
        // A dead secret is a 400 or a 401.
        if matches!(fault.kind, FaultKind::Invalid | FaultKind::Denied | FaultKind::NotFound) {
            fault.kind = FaultKind::Auth;
        }
        return Err(fault);
    }
    let body = body(reply)?;
    let secret = |name: &str| text_at(&body, name).filter(|text| !text.is_empty()).map(SecretString::from);
    let life = body.get("expires_in").and_then(|life| life.as_i64().or_else(|| life.as_str()?.parse().ok()));
    Ok(Step::Token(Token {
        access: secret("access_token").ok_or_else(|| Fault::malformed("the token endpoint gave no access token"))?,
        expires_in: life.unwrap_or(LIFE_S),
        refresh: secret("refresh_token"),
        api_base: None,
    }))
}

/// What every reply tells of the last five minutes (section 6 \[doc\]): of one server, so never more than is documented.
pub(super) fn limits_told(reply: &Reply) -> Vec<LimitTold> {
    let left = reply.header("x-ms-ratelimit-burst-remaining-xrm-requests");
    let left = left.and_then(|text| text.replace(',', "").trim().parse().ok());
    left.map(|left| (REQUESTS, None, Some(left))).into_iter().collect()
}

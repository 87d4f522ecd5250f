//! Credentials on requests, new access tokens, and what replies tell of the limit.

use handover_connect::{Body, Credentials, Fault, FaultKind, Host, LimitTold, Method, Reply, Request, Step, Token};
use secrecy::{ExposeSecret as _, SecretString};

use super::capabilities::DAILY;
use super::objects::{SOAP, TOKEN};
use super::{faults, soap};
use crate::json::{body, text_at};

/// How long an access token is taken to live, in seconds. Nothing tells: it ends when it was not used for as long as
/// the organization wishes, two hours where nobody wished otherwise (sheet: Salesforce section 1 \[unsure\]). One that
/// ends sooner is refused, and renewed then.
const LIFE_S: i64 = 2 * 3_600;

/// What a signature is exchanged under (RFC 7523).
const SIGNED: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Puts the credentials on a request: into the form of the token endpoint or the envelope of SOAP, else as a bearer
/// token.
pub(super) fn authorize(request: &mut Request, credentials: &Credentials) {
    if request.host != Host::Oauth {
        if let Some(token) = credentials.access() {
            if request.path == SOAP {
                return soap::let_in(request, token.expose_secret());
            }
            request.headers.push(("authorization".to_owned(), format!("Bearer {}", token.expose_secret())));
        }
        return;
    }
    let Body::Form(form) = &mut request.body else { return };
    let mut put = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
    match credentials {
        Credentials::Oauth { client_id, client_secret, refresh_token, .. } => {
            put("grant_type", "refresh_token");
            put("client_id", client_id);
            put("client_secret", client_secret.expose_secret());
            put("refresh_token", refresh_token.expose_secret());
        }
        // Only at the organization's own address, as the user whom the app runs as (sheet: Salesforce section 1).
        Credentials::App { client_id, client_secret, .. } => {
            put("grant_type", "client_credentials");
            put("client_id", client_id);
            put("client_secret", client_secret.expose_secret());
        }
        Credentials::Signed { assertion: Some(assertion), .. } => {
            put("grant_type", SIGNED);
            put("assertion", assertion.expose_secret());
        }
        Credentials::Signed { assertion: None, .. } | Credentials::None | Credentials::Token(_) => {}
    }
}

/// The request for a new access token. Where the app has refresh tokens change at use (sheet: Salesforce section 1),
/// a second request with the old one is refused, so it is sent once.
pub(super) fn refresh() -> Request {
    let mut request = Request::new(Method::Post, TOKEN, &[]);
    request.host = Host::Oauth;
    request.headers.push(("accept".to_owned(), "application/json".to_owned()));
    // What buys a token depends on the credentials.
    request.body = Body::Form(Vec::new());
    request
}

/// The new token, and where the API is from now on: an organization may have moved (sheet: Salesforce section 1).
pub(super) fn refreshed(reply: &Reply) -> Result<Step, Fault> {
    if let Err(mut fault) = faults::check(reply, false) {
        // A dead refresh token is a 400.
        if matches!(fault.kind, FaultKind::Invalid | FaultKind::Denied | FaultKind::NotFound) {
            fault.kind = FaultKind::Auth;
        }
        return Err(fault);
    }
    let body = body(reply)?;
    let secret = |name: &str| text_at(&body, name).filter(|text| !text.is_empty()).map(SecretString::from);
    Ok(Step::Token(Token {
        access: secret("access_token").ok_or_else(|| Fault::malformed("the token endpoint gave no access token"))?,
        expires_in: LIFE_S,
        refresh: secret("refresh_token"),
        api_base: text_at(&body, "instance_url").filter(|base| base.starts_with("http")).map(str::to_owned),
    }))
}

/// What every reply tells of the day: `Sforce-Limit-Info: api-usage=10018/100000`, others behind it (sheet:
/// Salesforce section 6).
pub(super) fn limits_told(reply: &Reply) -> Vec<LimitTold> {
    usage(reply).map(|(used, total)| (DAILY, Some(total), Some(total.saturating_sub(used)))).into_iter().collect()
}

/// Calls used in 24 hours, and how many are allowed.
pub(super) fn usage(reply: &Reply) -> Option<(u64, u64)> {
    let parts = reply.header("sforce-limit-info")?.split([';', ',']);
    let (used, total) = parts.filter_map(|part| part.trim().strip_prefix("api-usage=")).find_map(|usage| {
        let (used, total) = usage.split_once('/')?;
        Some((used.trim().parse().ok()?, total.trim().parse().ok()?))
    })?;
    Some((used, total))
}

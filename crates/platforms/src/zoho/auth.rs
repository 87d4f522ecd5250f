//! Credentials on requests, new access tokens, and what replies tell of the limit (sheet: Zoho section 1).
//!
//! A token counts at its own data centre alone: where the API is, the token endpoint tells.

use handover_connect::{
    Address, Ask, Body, Credentials, Door, Fault, FaultKind, Host, LimitTold, Renewal, Reply, Request, Step, Token, Way,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;

use super::capabilities::DAILY;
use super::faults;
use super::json::{body, text_at};
use super::objects::TOKEN;
use crate::oauth;

/// How long an access token lives unless the answer says otherwise, in seconds.
const LIFE_S: i64 = 3_600;

/// How people let an app in (sheet: Zoho section 1): in a browser, or with a code that the console makes for a client of
/// one's own. The refresh token stays.
pub(super) const DOOR: Door = Door {
    ways: &[Way::Code],
    public: false,
    proof: false,
    renewal: Renewal::Stays,
    elsewhere: Some(
        "an app, its codes and its tokens count in one data centre: `--token-url https://accounts.zoho.eu` for Europe",
    ),
};

/// Where a person agrees. Without both of `access_type` and `prompt` there may be no refresh token (section 1 \[doc\]).
pub(super) fn ask(ask: &Ask<'_>) -> Address {
    Address {
        path: "/oauth/v2/auth",
        query: vec![
            ("response_type", "code".to_owned()),
            ("client_id", ask.client_id.to_owned()),
            ("scope", ask.scopes.join(",")),
            ("redirect_uri", ask.redirect_uri.to_owned()),
            ("access_type", "offline".to_owned()),
            ("prompt", "consent".to_owned()),
            ("state", ask.state.to_owned()),
        ],
    }
}

/// What objects need (section 1): queries read them, whatever they are, and so do the settings.
pub(super) fn scopes() -> Vec<String> {
    let scopes = ["modules.ALL", "settings.ALL", "users.READ", "org.READ", "coql.READ"];
    scopes.map(|scope| format!("ZohoCRM.{scope}")).to_vec()
}

/// Whether what was granted covers a scope: `ZohoCRM.users.ALL` is more than `ZohoCRM.users.READ`.
pub(super) fn covers(granted: &[String], scope: &str) -> bool {
    let area = scope.rsplit_once('.').map_or(scope, |(area, _)| area);
    let whole = format!("{area}.ALL");
    granted.iter().any(|have| have.eq_ignore_ascii_case(scope) || have.eq_ignore_ascii_case(&whole))
}

/// Puts the credentials on a request: into the form of the token endpoint, else as Zoho's own kind of token.
pub(super) fn authorize(request: &mut Request, credentials: &Credentials) {
    if request.host != Host::Oauth {
        if let Some(token) = credentials.access() {
            let header = format!("Zoho-oauthtoken {}", token.expose_secret());
            request.headers.push(("authorization".to_owned(), header));
        }
        return;
    }
    if let Body::Form(form) = &mut request.body {
        oauth::buy(form, credentials, true);
    }
}

/// The request for a new access token. The refresh token stays the same, so it may be sent twice; each token that is
/// bought may end the oldest.
pub(super) fn refresh() -> Request {
    oauth::form(TOKEN).idempotent()
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
        scopes: oauth::scopes(&told),
    }))
}

/// What a reply tells of the credits: how many remain, once half of them are used (sheet: Zoho section 6 \[doc\]).
pub(super) fn limits_told(reply: &Reply) -> Vec<LimitTold> {
    let left = reply.header("x-api-credits-remaining").and_then(|text| text.trim().parse().ok());
    left.map(|left| (DAILY, None, Some(left))).into_iter().collect()
}

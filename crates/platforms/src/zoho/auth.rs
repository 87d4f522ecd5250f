//! Credentials on requests, new access tokens, and what replies tell of the limit (sheet: Zoho section 1).
//!
//! A token counts at its own data centre alone: where the API is, the token endpoint tells.

use handover_connect::{Body, Credentials, Door, Fault, Host, LimitTold, Renewal, Reply, Request, Step, Token, Way};

use super::capabilities::DAILY;
use super::faults;
use super::json::body;
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
    // Without both of `access_type` and `prompt` there may be no refresh token (section 1 [doc]).
    page: Some(|ask| {
        let own = [("response_type", "code"), ("access_type", "offline"), ("prompt", "consent")];
        let [kind, access, prompt] = own.map(|(name, value)| (name, value.to_owned()));
        oauth::page("/oauth/v2/auth", ask, [kind, access, prompt, ("scope", ask.scopes.join(","))])
    }),
    covers,
    elsewhere: Some(
        "an app, its codes and its tokens count in one data centre: `--token-url https://accounts.zoho.eu` for Europe",
    ),
};

/// What objects need (section 1): queries read them, whatever they are, jobs the large ones, and so do the settings; and
/// what tells of their changes.
pub(super) fn scopes() -> Vec<String> {
    let scopes =
        ["modules.ALL", "settings.ALL", "users.READ", "org.READ", "coql.READ", "bulk.READ", "notifications.ALL"];
    scopes.map(|scope| format!("ZohoCRM.{scope}")).to_vec()
}

/// Whether what was granted covers a scope: `ZohoCRM.users.ALL` is more than `ZohoCRM.users.READ`.
fn covers(granted: &[String], scope: &str) -> bool {
    let area = scope.rsplit_once('.').map_or(scope, |(area, _)| area);
    let whole = format!("{area}.ALL");
    granted.iter().any(|have| have.eq_ignore_ascii_case(scope) || have.eq_ignore_ascii_case(&whole))
}

/// Puts the credentials on a request: into the form of the token endpoint, else as Zoho's own kind of token.
pub(super) fn authorize(request: &mut Request, credentials: &Credentials) {
    if request.host != Host::Oauth {
        return oauth::show(request, "Zoho-oauthtoken", credentials);
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
    let is_refusal = body(reply).is_ok_and(|told| told.get("error").is_some());
    if is_refusal || !(200..300).contains(&reply.status) {
        return Err(oauth::refused(faults::of_reply(reply)));
    }
    Ok(Step::Token(Token { api_base: oauth::api_base(reply, "api_domain"), ..oauth::token(reply, LIFE_S)? }))
}

/// What a reply tells of the credits: how many remain, once half of them are used (sheet: Zoho section 6 \[doc\]).
pub(super) fn limits_told(reply: &Reply) -> Vec<LimitTold> {
    let left = reply.header("x-api-credits-remaining").and_then(|text| text.trim().parse().ok());
    left.map(|left| (DAILY, None, Some(left))).into_iter().collect()
}

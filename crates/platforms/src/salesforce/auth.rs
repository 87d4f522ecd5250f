//! Credentials on requests, new access tokens, and what replies tell of the limit.

use handover_connect::{Body, Credentials, Door, Fault, Host, LimitTold, Renewal, Reply, Request, Step, Token, Way};
use secrecy::ExposeSecret as _;

use super::capabilities::DAILY;
use super::objects::{SOAP, TOKEN};
use super::{faults, soap};
use crate::oauth;

/// How long an access token is taken to live, in seconds. Nothing tells: it ends when it was not used for as long as
/// the organization wishes, two hours where nobody wished otherwise (sheet: Salesforce section 1 \[unsure\]). One that
/// ends sooner is refused, and renewed then.
const LIFE_S: i64 = 2 * 3_600;

/// How people let an app in (sheet: Salesforce section 1). Whether refresh tokens change is the app's own setting; which
/// organization it is decides where they agree.
pub(super) const DOOR: Door = Door {
    ways: &[Way::Code, Way::App, Way::Signed],
    public: true,
    proof: true,
    renewal: Renewal::MayChange,
    page: Some(|ask| {
        let scope = format!("{} {OFFLINE}", ask.scopes.join(" "));
        oauth::page("/services/oauth2/authorize", ask, [("response_type", "code".to_owned()), ("scope", scope)])
    }),
    covers,
    elsewhere: Some(
        "a sandbox has a login host of its own: `--token-url https://test.salesforce.com`, or the organization's own address",
    ),
};

/// What gives a refresh token beside the access token.
const OFFLINE: &str = "refresh_token";

/// What objects need: the API; their rights are those of the user (sheet: Salesforce section 1).
pub(super) fn scopes() -> Vec<String> {
    vec!["api".to_owned()]
}

/// Whether what was granted covers a scope: `full` is everything that the user may.
fn covers(granted: &[String], scope: &str) -> bool {
    granted.iter().any(|have| have == scope || have == "full")
}

/// Puts the credentials on a request: into the form of the token endpoint or the envelope of SOAP, else as a bearer
/// token. An app acts for itself only at the organization's own address, as the user whom it runs as (sheet: Salesforce
/// section 1).
pub(super) fn authorize(request: &mut Request, credentials: &Credentials) {
    if request.host != Host::Oauth {
        return match credentials.access() {
            Some(token) if request.path == SOAP => soap::let_in(request, token.expose_secret()),
            _ => oauth::show(request, "Bearer", credentials),
        };
    }
    if let Body::Form(form) = &mut request.body {
        oauth::buy(form, credentials, true);
    }
}

/// The request for a new access token. Where the app has refresh tokens change at use (sheet: Salesforce section 1),
/// a second request with the old one is refused, so it is sent once.
pub(super) fn refresh() -> Request {
    let mut request = oauth::form(TOKEN);
    request.headers.push(("accept".to_owned(), "application/json".to_owned()));
    request
}

/// The new token, and where the API is from now on: an organization may have moved (sheet: Salesforce section 1).
pub(super) fn refreshed(reply: &Reply) -> Result<Step, Fault> {
    faults::check(reply, false).map_err(oauth::refused)?;
    Ok(Step::Token(Token { api_base: oauth::api_base(reply, "instance_url"), ..oauth::token(reply, LIFE_S)? }))
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

//! Credentials on requests, new access tokens, and what replies tell of the limit.

use handover_connect::{
    Body, Credentials, DeviceCode, Door, Fault, Host, LimitTold, Renewal, Reply, Request, Step, Way, listed,
};
use secrecy::SecretString;

use super::capabilities::REQUESTS;
use super::faults;
use super::objects::TOKEN;
use crate::json::{body, text_at};
use crate::oauth;

/// How long an access token lives when the endpoint does not say, in seconds (sheet: Dynamics section 1).
const LIFE_S: i64 = 3_599;

/// How people let an app in (section 1). A new refresh token comes with every use; the old one stays good \[doc\].
pub(super) const DOOR: Door = Door {
    ways: &[Way::Code, Way::Device, Way::App],
    public: true,
    proof: true,
    renewal: Renewal::Adds,
    page: Some(|ask| {
        let scope = format!("{} {OFFLINE}", ask.scopes.join(" "));
        oauth::page("/oauth2/v2.0/authorize", ask, [("response_type", "code".to_owned()), ("scope", scope)])
    }),
    covers: listed,
    elsewhere: Some("an app counts in its own tenant: `--token-url https://login.microsoftonline.com/TENANT`"),
};

/// What gives a refresh token beside the access token.
const OFFLINE: &str = "offline_access";

/// What objects need: to act as the user; their rights are the user's (section 1).
pub(super) fn scopes(environment: &str) -> Vec<String> {
    vec![format!("{environment}/user_impersonation")]
}

/// Puts the credentials on a request: into the form of the token endpoint, else as a bearer token. Tokens are sold for
/// one environment, whose address is the scope (section 1).
pub(super) fn authorize(request: &mut Request, credentials: &Credentials, environment: &str) {
    if request.host != Host::Oauth {
        return oauth::show(request, "Bearer", credentials);
    }
    let (Body::Form(form), true) = (&mut request.body, request.path == TOKEN) else { return };
    let scope = match credentials {
        Credentials::App { .. } => format!("{environment}/.default"),
        Credentials::Oauth { .. } | Credentials::Agreed { .. } => wanted(environment),
        // Entra ID wants assertions that name a certificate, which nobody has here.
        Credentials::Signed { .. } | Credentials::None | Credentials::Token(_) => return,
    };
    oauth::buy(form, credentials, true);
    form.push(("scope".to_owned(), scope));
}

/// What a user's tokens are for.
fn wanted(environment: &str) -> String {
    format!("{} {OFFLINE}", scopes(environment).join(" "))
}

/// The request for a code with which a person agrees on another device.
pub(super) fn device(client_id: &str, environment: &str) -> Request {
    let mut request = oauth::form("/oauth2/v2.0/devicecode");
    let pairs = [("client_id", client_id), ("scope", &wanted(environment))];
    request.body = Body::Form(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec());
    request
}

/// The code.
pub(super) fn device_told(reply: &Reply) -> Result<Step, Fault> {
    if !(200..300).contains(&reply.status) {
        return Err(oauth::refused(faults::of_token(reply)));
    }
    let body = body(reply)?;
    let lacks = |what: &str| Fault::malformed(format!("the answer has no {what}"));
    let number = |name: &str, usual| body.get(name).and_then(|value| value.as_u64()).unwrap_or(usual);
    Ok(Step::Device(DeviceCode {
        code: text_at(&body, "device_code").map(SecretString::from).ok_or_else(|| lacks("device_code"))?,
        shown: text_at(&body, "user_code").ok_or_else(|| lacks("user_code"))?.to_owned(),
        address: text_at(&body, "verification_uri").ok_or_else(|| lacks("verification_uri"))?.to_owned(),
        expires_in: number("expires_in", 900),
        interval: number("interval", 5),
    }))
}

/// The request for a new access token. Refresh tokens stay good when they are used (section 1), so it may be sent twice.
pub(super) fn refresh() -> Request {
    let mut request = oauth::form(TOKEN).idempotent();
    request.headers.push(("accept".to_owned(), "application/json".to_owned()));
    request
}

/// The new token.
pub(super) fn refreshed(reply: &Reply) -> Result<Step, Fault> {
    if !(200..300).contains(&reply.status) {
        return Err(oauth::refused(faults::of_token(reply)));
    }
    oauth::token(reply, LIFE_S).map(Step::Token)
}

/// What every reply tells of the last five minutes (section 6 \[doc\]): of one server, so never more than is documented.
pub(super) fn limits_told(reply: &Reply) -> Vec<LimitTold> {
    let left = reply.header("x-ms-ratelimit-burst-remaining-xrm-requests");
    let left = left.and_then(|text| text.replace(',', "").trim().parse().ok());
    left.map(|left| (REQUESTS, None, Some(left))).into_iter().collect()
}

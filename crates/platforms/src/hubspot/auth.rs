//! Credentials on requests, and new access tokens.

use std::collections::BTreeSet;

use handover_connect::{
    Address, Ask, Body, Credentials, Door, Fault, FaultKind, Host, LimitTold, Renewal, Reply, Request, Step, Token, Way,
};
use handover_model::ObjectName;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;

use super::faults;
use super::json::{body, text_at};
use super::objects::{Family, path};
use crate::oauth;

/// How people let an app in (sheet: HubSpot section 1). That codes can be bound to whoever asked for them is said of the
/// token endpoint alone, so they are not \[unsure\].
pub(super) const DOOR: Door =
    Door { ways: &[Way::Token, Way::Code], public: false, proof: false, renewal: Renewal::MayChange, elsewhere: None };

/// Where a person agrees.
pub(super) fn ask(ask: &Ask<'_>) -> Address {
    Address {
        path: "/oauth/authorize",
        query: vec![
            ("client_id", ask.client_id.to_owned()),
            ("redirect_uri", ask.redirect_uri.to_owned()),
            ("scope", ask.scopes.join(" ")),
            ("state", ask.state.to_owned()),
        ],
    }
}

/// The scopes that these objects need: activities go by contacts (sheet: HubSpot section 1 \[doc\]). With those of
/// schemas fields are read, and made where something is written.
pub(super) fn scopes(objects: &[(ObjectName, bool)]) -> Vec<String> {
    let mut scopes = BTreeSet::from(["oauth".to_owned(), "crm.objects.owners.read".to_owned()]);
    for (name, writes) in objects {
        let word = match (name.as_str(), super::objects::object(name.as_str()).map(|object| object.family)) {
            (_, Ok(Family::File | Family::Attachment)) => {
                scopes.insert("files".to_owned());
                "contacts"
            }
            (_, Ok(Family::Activity)) => "contacts",
            (name, Ok(Family::Record)) => name,
            ("tickets", Err(_)) => {
                scopes.insert("tickets".to_owned());
                continue;
            }
            (_, Err(_)) => "custom",
        };
        if name.as_str() == "emails" {
            scopes.insert("sales-email-read".to_owned());
        }
        let rights: &[&str] = if *writes { &["read", "write"] } else { &["read"] };
        for right in rights {
            scopes.insert(format!("crm.objects.{word}.{right}"));
            scopes.insert(format!("crm.schemas.{word}.{right}"));
        }
    }
    scopes.into_iter().collect()
}

/// Puts the credentials on a request: into the form of the token endpoint, else as a bearer token, which
/// private apps and OAuth share (sheet: HubSpot section 1 \[doc\]).
pub(super) fn authorize(request: &mut Request, credentials: &Credentials) {
    if request.host == Host::Oauth {
        if let Body::Form(form) = &mut request.body {
            oauth::buy(form, credentials, true);
        }
        return;
    }
    let Some(token) = credentials.access() else { return };
    request.headers.push(("authorization".to_owned(), format!("Bearer {}", token.expose_secret())));
}

/// The request for a new access token. Refresh tokens were not seen to change at use (sheet: HubSpot
/// section 1 \[unsure\]), so asking twice gives two access tokens and harms nothing; a code works once.
pub(super) fn refresh() -> Request {
    oauth::form(path::TOKEN).idempotent()
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
        scopes: oauth::scopes(&body),
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

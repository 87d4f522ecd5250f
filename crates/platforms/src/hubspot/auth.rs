//! Credentials on requests, and new access tokens.

use std::collections::BTreeSet;

use handover_connect::{Body, Credentials, Door, Fault, Host, LimitTold, Renewal, Reply, Request, Step, Way, listed};
use handover_model::ObjectName;

use super::faults;
use super::objects::{Family, TICKETS, is_own, path};
use crate::oauth;

/// How people let an app in (sheet: HubSpot section 1). That codes can be bound to whoever asked for them is said of the
/// token endpoint alone, so they are not \[unsure\].
pub(super) const DOOR: Door = Door {
    ways: &[Way::Token, Way::Code],
    public: false,
    proof: false,
    renewal: Renewal::MayChange,
    page: Some(|ask| oauth::page("/oauth/authorize", ask, [("scope", ask.scopes.join(" "))])),
    covers: listed,
    elsewhere: None,
};

/// How long an access token lives when the endpoint does not say, in seconds (sheet: HubSpot section 1).
const LIFE_S: i64 = 1_800;

/// The scopes that these objects need: activities go by contacts (sheet: HubSpot section 1 \[doc\]). With those of
/// schemas fields are read, and made where something is written.
pub(super) fn scopes(objects: &[(ObjectName, bool)]) -> Vec<String> {
    let mut scopes = BTreeSet::from(["oauth".to_owned(), "crm.objects.owners.read".to_owned()]);
    for (name, writes) in objects {
        let word = match (name.as_str(), super::objects::object(name.as_str()).map(|object| object.family)) {
            // One word for reading and writing, and for their properties (sheet: HubSpot section 1 [doc]).
            (TICKETS, _) => {
                scopes.insert(TICKETS.to_owned());
                continue;
            }
            (_, Ok(Family::File | Family::Attachment)) => {
                scopes.insert("files".to_owned());
                "contacts"
            }
            (_, Ok(Family::Activity)) => "contacts",
            (name, Ok(Family::Record)) if is_own(name) => "custom",
            (name, Ok(Family::Record | Family::Item)) => name,
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
    oauth::show(request, "Bearer", credentials);
}

/// The request for a new access token. Refresh tokens were not seen to change at use (sheet: HubSpot
/// section 1 \[unsure\]), so asking twice gives two access tokens and harms nothing; a code works once.
pub(super) fn refresh() -> Request {
    oauth::form(path::TOKEN).idempotent()
}

/// The new token. A dead refresh token is a 400 (sheet: HubSpot section 1 \[obs\]); a new one is kept whatever comes
/// (section 1 \[unsure\]).
pub(super) fn refreshed(reply: &Reply) -> Result<Step, Fault> {
    if !(200..300).contains(&reply.status) {
        return Err(oauth::refused(faults::of_reply(reply, false)));
    }
    oauth::token(reply, LIFE_S).map(Step::Token)
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

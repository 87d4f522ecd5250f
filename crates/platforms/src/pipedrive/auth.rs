//! Credentials on requests, and buying an access token.
//!
//! A token goes into `x-api-token`, an OAuth access token into `Authorization: Bearer`; the token endpoint
//! takes the app's id and secret as Basic and a form (sheet: Pipedrive section 1 \[spec, doc\]).

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handover_connect::{Body, Credentials, Door, Fault, Host, Renewal, Reply, Request, Step, Token, Way};
use handover_model::ObjectName;
use secrecy::ExposeSecret as _;

use super::faults;
use super::object::Object;
use crate::oauth;

/// How people let an app in (sheet: Pipedrive section 1). A refresh token works once \[doc\].
pub(super) const DOOR: Door = Door {
    ways: &[Way::Token, Way::Code],
    public: false,
    proof: false,
    renewal: Renewal::Once,
    // What the app may do stands in its settings and is not asked for here [spec].
    page: Some(|ask| oauth::page("/oauth/authorize", ask, [])),
    covers,
    elsewhere: None,
};

/// How long an access token lives when the endpoint does not say, in seconds (section 1).
const LIFE_S: i64 = 3_599;

/// The scopes that these objects need; notes and files come with deals or contacts (sheet: Pipedrive section 1 \[spec\]).
/// Where something is written, records are searched for, and fields may have to be made.
pub(super) fn scopes(objects: &[(ObjectName, bool)]) -> Vec<String> {
    let mut scopes = BTreeSet::from(["base".to_owned(), "users:read".to_owned()]);
    for (name, writes) in objects {
        let (area, fields) = match Object::of(name.as_str()) {
            Some(Object::Organizations | Object::Persons) => ("contacts", Some("contact-fields:full")),
            Some(Object::Deals) => ("deals", Some("deal-fields:full")),
            Some(Object::DealProducts | Object::Notes | Object::Files) => ("deals", None),
            Some(Object::Products) => ("products", Some("product-fields:full")),
            Some(Object::Activities) => ("activities", None),
            Some(Object::Leads) => ("leads", None),
            Some(Object::MailMessages) => ("mail", None),
            None => continue,
        };
        scopes.insert(format!("{area}:{}", if *writes { "full" } else { "read" }));
        if *writes {
            scopes.insert("search:read".to_owned());
            scopes.extend(fields.map(str::to_owned));
        }
    }
    scopes.into_iter().collect()
}

/// Whether what was granted covers a scope: who may do everything may read, and administrators may see users and change
/// fields (sheet: Pipedrive section 1 \[spec\]).
fn covers(granted: &[String], scope: &str) -> bool {
    let has = |wanted: &str| granted.iter().any(|have| have == wanted);
    let by_administrators = scope == "users:read" || scope.ends_with("-fields:full");
    has(scope)
        || scope.strip_suffix(":read").is_some_and(|area| has(&format!("{area}:full")))
        || (by_administrators && has("admin"))
}

/// The request that buys a token, with what [`authorize`] adds.
pub(super) fn refresh() -> Request {
    oauth::form("/oauth/token")
}

/// Puts the credentials on a request.
pub(super) fn authorize(request: &mut Request, credentials: &Credentials) {
    if request.host != Host::Oauth {
        return match credentials {
            Credentials::Token(token) => oauth::header(request, "x-api-token", token.expose_secret().to_owned()),
            _ => oauth::show(request, "Bearer", credentials),
        };
    }
    // Whoever authorised the app is the one for whom it acts: there is no other way in.
    if !matches!(credentials, Credentials::Oauth { .. } | Credentials::Agreed { .. }) {
        return;
    }
    if let Some((client_id, client_secret)) = oauth::app(credentials) {
        let pair = STANDARD.encode(format!("{client_id}:{}", client_secret.unwrap_or_default()));
        oauth::header(request, "authorization", format!("Basic {pair}"));
    }
    if let Body::Form(form) = &mut request.body {
        oauth::buy(form, credentials, false);
    }
}

/// Reads the token endpoint's answer: "Invalid grant", "Invalid client" are refusals of the refresh token or the app
/// (sheet: section 1 \[doc\]).
pub(super) fn token(reply: &Reply) -> Result<Step, Fault> {
    faults::check(reply).map_err(oauth::refused)?;
    Ok(Step::Token(Token { api_base: oauth::api_base(reply, "api_domain"), ..oauth::token(reply, LIFE_S)? }))
}

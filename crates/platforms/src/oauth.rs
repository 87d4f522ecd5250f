//! What buys a token, as the standards name it: platforms differ in what goes beside it and in what they answer.

use handover_connect::{
    Address, Agreement, Ask, Body, Credentials, Fault, FaultKind, Host, Method, Reply, Request, Token,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;

use crate::json::{body, text_at};

/// Under what a signature is exchanged (RFC 7523).
const SIGNED: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Under what a device's code is exchanged (RFC 8628).
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Where a person agrees: what every platform is asked with there, and what is this one's `own`.
pub(crate) fn page<const N: usize>(path: &'static str, ask: &Ask<'_>, own: [(&'static str, String); N]) -> Address {
    let mut query = vec![
        ("client_id", ask.client_id.to_owned()),
        ("redirect_uri", ask.redirect_uri.to_owned()),
        ("state", ask.state.to_owned()),
    ];
    if let Some(challenge) = ask.challenge {
        query.extend([("code_challenge", challenge.to_owned()), ("code_challenge_method", "S256".to_owned())]);
    }
    query.extend(own);
    Address { path, query }
}

/// A form for the token endpoint, which [`buy`] fills.
pub(crate) fn form(path: &str) -> Request {
    let mut request = Request::new(Method::Post, path, &[]);
    request.host = Host::Oauth;
    request.body = Body::Form(Vec::new());
    request
}

/// Puts what buys a token into a form: the kind of grant, the app where `names_app`, what is exchanged. Nothing for
/// credentials that buy none.
pub(crate) fn buy(form: &mut Vec<(String, String)>, credentials: &Credentials, names_app: bool) {
    let (kind, what) = match credentials {
        Credentials::None | Credentials::Token(_) | Credentials::Signed { assertion: None, .. } => return,
        Credentials::Oauth { refresh_token, .. } => {
            ("refresh_token", vec![("refresh_token", refresh_token.expose_secret())])
        }
        Credentials::Agreed { agreement: Agreement::Code { code, redirect_uri, verifier }, .. } => {
            let mut what = vec![("code", code.expose_secret())];
            what.extend(redirect_uri.as_deref().map(|uri| ("redirect_uri", uri)));
            what.extend(verifier.as_ref().map(|verifier| ("code_verifier", verifier.expose_secret())));
            ("authorization_code", what)
        }
        Credentials::Agreed { agreement: Agreement::Device(code), .. } => {
            (DEVICE, vec![("device_code", code.expose_secret())])
        }
        Credentials::App { .. } => ("client_credentials", Vec::new()),
        Credentials::Signed { assertion: Some(assertion), .. } => {
            (SIGNED, vec![("assertion", assertion.expose_secret())])
        }
    };
    let mut put = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
    put("grant_type", kind);
    if let Some((id, secret)) = app(credentials).filter(|_| names_app) {
        put("client_id", id);
        if let Some(secret) = secret {
            put("client_secret", secret);
        }
    }
    for (name, value) in what {
        put(name, value);
    }
}

/// The app's id and secret, of those who are let in by them. Who signs names the app in what is signed.
pub(crate) fn app(credentials: &Credentials) -> Option<(&str, Option<&str>)> {
    match credentials {
        Credentials::None | Credentials::Token(_) | Credentials::Signed { .. } => None,
        Credentials::Oauth { client_id, client_secret, .. } | Credentials::Agreed { client_id, client_secret, .. } => {
            Some((client_id, client_secret.as_ref().map(|secret| secret.expose_secret())))
        }
        Credentials::App { client_id, client_secret, .. } => Some((client_id, Some(client_secret.expose_secret()))),
    }
}

/// Puts the access token on a request, as a token of this kind: mostly `Bearer`.
pub(crate) fn show(request: &mut Request, kind: &str, credentials: &Credentials) {
    if let Some(token) = credentials.access() {
        header(request, "authorization", format!("{kind} {}", token.expose_secret()));
    }
}

/// Puts a header on a request, instead of one that an earlier try put there.
pub(crate) fn header(request: &mut Request, name: &str, value: String) {
    request.headers.retain(|(have, _)| have != name);
    request.headers.push((name.to_owned(), value));
}

/// A refusal of the token endpoint: about the credentials whatever its status and its words, a dead refresh token is a
/// 400 for many (RFC 6749, section 5.2), unless it is about the moment.
pub(crate) fn refused(mut fault: Fault) -> Fault {
    if !matches!(fault.kind, FaultKind::Limited | FaultKind::Unavailable) {
        fault.kind = FaultKind::Auth;
    }
    fault
}

/// The token that the endpoint gave, of which nothing tells where the API is; `life` is how many seconds it lives where
/// the answer does not say.
pub(crate) fn token(reply: &Reply, life: i64) -> Result<Token, Fault> {
    let body = body(reply)?;
    let secret = |name: &str| text_at(&body, name).filter(|text| !text.is_empty()).map(SecretString::from);
    let told = body.get("expires_in").and_then(|life| life.as_i64().or_else(|| life.as_str()?.parse().ok()));
    Ok(Token {
        access: secret("access_token").ok_or_else(|| Fault::malformed("the token endpoint gave no access token"))?,
        expires_in: told.filter(|life| *life > 0).unwrap_or(life),
        refresh: secret("refresh_token"),
        api_base: None,
        scopes: scopes(&body),
    })
}

/// Where the API is from now on, where the token endpoint tells it under a name.
pub(crate) fn api_base(reply: &Reply, name: &str) -> Option<String> {
    let body = body(reply).ok()?;
    text_at(&body, name).filter(|base| base.starts_with("http")).map(str::to_owned)
}

/// What was granted, where the answer tells: `scope` is a text of names (RFC 6749, section 5.1), `scopes` a list
/// (sheet: HubSpot section 1 \[spec\]).
fn scopes(body: &Json) -> Option<Vec<String>> {
    if let Some(list) = body.get("scopes").and_then(Json::as_array) {
        return Some(list.iter().filter_map(Json::as_str).map(str::to_owned).collect());
    }
    let text = body.get("scope").and_then(Json::as_str)?;
    let names = text.split([' ', ',']).filter(|name| !name.is_empty());
    Some(names.map(str::to_owned).collect())
}

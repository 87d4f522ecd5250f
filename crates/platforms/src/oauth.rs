//! What buys a token, as the standards name it: platforms differ in what goes beside it and in what they answer.

use handover_connect::{Agreement, Body, Credentials, Host, Method, Request};
use secrecy::ExposeSecret as _;
use serde_json::Value as Json;

/// Under what a signature is exchanged (RFC 7523).
const SIGNED: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Under what a device's code is exchanged (RFC 8628).
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

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

/// What was granted, where the answer tells: `scope` is a text of names (RFC 6749, section 5.1), `scopes` a list
/// (sheet: HubSpot section 1 \[spec\]).
pub(crate) fn scopes(body: &Json) -> Option<Vec<String>> {
    if let Some(list) = body.get("scopes").and_then(Json::as_array) {
        return Some(list.iter().filter_map(Json::as_str).map(str::to_owned).collect());
    }
    let text = body.get("scope").and_then(Json::as_str)?;
    let names = text.split([' ', ',']).filter(|name| !name.is_empty());
    Some(names.map(str::to_owned).collect())
}

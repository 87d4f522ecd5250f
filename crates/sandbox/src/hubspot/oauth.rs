//! The OAuth endpoints, v1 and v3 (sheet: HubSpot section 1 \[spec/doc\]).

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Value as Json, json};

use super::access::{Issued, OauthApp, TOKEN_LIFE_MS};
use super::call::Call;
use super::refusal::{Answer, Refusal};
use super::webhooks::hex;
use super::{Hubspot, no_content};
use crate::Reply;

/// `/oauth/{v1|v3}/...`
pub(crate) fn route(hub: &mut Hubspot, call: &Call<'_>) -> Answer {
    let rest: Vec<&str> = call.path.iter().skip(2).map(String::as_str).collect();
    match (call.request.method.as_str(), rest.as_slice()) {
        ("POST", ["token"]) => token(hub, call),
        ("GET", ["access-tokens", token]) => introspect(hub, call.now, token).map(|body| Reply::json(200, &body)),
        ("GET", ["refresh-tokens", token]) => {
            let app =
                hub.access.oauth.iter().find(|a| a.refresh_token == *token && !a.revoked).ok_or_else(bad_refresh)?;
            Ok(Reply::json(
                200,
                &json!({"token": token, "client_id": app.client_id, "hub_id": hub.world.account.portal_id,
                "scopes": app.scopes.list(), "token_type": "refresh"}),
            ))
        }
        ("DELETE", ["refresh-tokens", token]) => revoke(hub, token),
        ("POST", ["token", "introspect"]) => {
            let form = form(call);
            client(hub, &form)?;
            let token = form.get("token").map_or("", String::as_str);
            let body = introspect(hub, call.now, token).unwrap_or_else(|_| json!({"active": false}));
            Ok(Reply::json(200, &body))
        }
        ("POST", ["token", "revoke"]) => {
            let form = form(call);
            client(hub, &form)?;
            let token = form.get("token").cloned().unwrap_or_default();
            // Issued access tokens stay valid (sheet: section 1 [spec]).
            revoke(hub, &token).map(|_| Reply::json(200, &json!({})))
        }
        _ => Err(Refusal::no_record()),
    }
}

/// `GET /oauth/authorize`: the person says at once whether they agree, and the browser goes back with a code or an error.
pub(crate) fn authorize(hub: &mut Hubspot, call: &Call<'_>) -> Answer {
    let param = |name: &str| call.request.param(name).unwrap_or("");
    let (client, back, state) = (param("client_id"), param("redirect_uri"), param("state"));
    if !hub.access.oauth.iter().any(|app| app.client_id == client) {
        return Err(oauth_error("BAD_CLIENT_ID", "missing or unknown client id"));
    }
    if back.is_empty() {
        return Err(oauth_error("BAD_REDIRECT_URI", "missing or invalid redirect uri"));
    }
    if param("scope").is_empty() {
        return Err(oauth_error("BAD_SCOPE", "missing scopes"));
    }
    if !hub.world.settings.consent {
        let denied = [("error", "access_denied"), ("error_description", "the user cancelled"), ("state", state)];
        return Ok(Reply::back_to(back, &denied));
    }
    let number = hub.access.issued.len() as u64;
    let code = hex(&hub.draw("code", number));
    if let Some(app) = hub.access.oauth.iter_mut().find(|app| app.client_id == client) {
        app.code = Some(code.clone());
    }
    Ok(Reply::back_to(back, &[("code", &code), ("state", state)]))
}

/// The form of the body.
fn form(call: &Call<'_>) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(&call.request.body).replace('+', " ");
    let decode = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(key, value)| (decode(key), decode(value))).collect()
}

fn oauth_error(status: &str, message: &str) -> Refusal {
    Refusal::new(400, "", message).field("status", status)
}

fn bad_refresh() -> Refusal {
    oauth_error("BAD_REFRESH_TOKEN", "missing or invalid refresh token")
}

fn client<'a>(hub: &'a Hubspot, form: &BTreeMap<String, String>) -> Result<&'a OauthApp, Refusal> {
    let get = |name: &str| form.get(name).map_or("", String::as_str);
    let app = hub.access.oauth.iter().find(|app| app.client_id == get("client_id"));
    let app = app.ok_or_else(|| oauth_error("BAD_CLIENT_ID", "missing or unknown client id"))?;
    if app.client_secret != get("client_secret") {
        return Err(oauth_error("BAD_CLIENT_SECRET", "missing or invalid client secret"));
    }
    Ok(app)
}

fn token(hub: &mut Hubspot, call: &Call<'_>) -> Answer {
    let content_type = call.request.header("content-type").unwrap_or("").to_ascii_lowercase();
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        return Err(Refusal::new(415, "", "Unsupported Media Type"));
    }
    let form = form(call);
    let get = |name: &str| form.get(name).map_or("", String::as_str);
    let app = client(hub, &form)?.clone();
    match get("grant_type") {
        "refresh_token" => {
            if app.revoked || app.refresh_token != get("refresh_token") {
                return Err(bad_refresh());
            }
        }
        "authorization_code" => {
            if get("redirect_uri").is_empty() {
                return Err(oauth_error("BAD_REDIRECT_URI", "missing or invalid redirect uri"));
            }
            if app.code.is_none() || app.code.as_deref() != Some(get("code")) {
                return Err(oauth_error("BAD_AUTH_CODE", "missing or unknown auth code"));
            }
            if let Some(app) = hub.access.oauth.iter_mut().find(|a| a.client_id == app.client_id) {
                app.code = None;
                app.revoked = false;
            }
        }
        other => return Err(oauth_error("BAD_GRANT_TYPE", &format!("unsupported grant type '{other}'"))),
    }
    let number = hub.access.issued.len() as u64;
    let token = format!("CSANDBOX{}", hex(&hub.draw("access token", number)));
    hub.access
        .issued
        .insert(token.clone(), Issued { client_id: app.client_id.clone(), expires_at: call.now + TOKEN_LIFE_MS });
    Ok(Reply::json(
        200,
        &json!({"access_token": token, "refresh_token": app.refresh_token, "expires_in": TOKEN_LIFE_MS / 1_000,
            "token_type": "bearer", "token_use": "access_token", "hub_id": hub.world.account.portal_id,
            "scopes": app.scopes.list()}),
    ))
}

fn introspect(hub: &Hubspot, now: i64, token: &str) -> Result<Json, Refusal> {
    let found = hub.access.issued.get(token).filter(|issued| issued.expires_at > now);
    let found = found.ok_or_else(|| oauth_error("BAD_ACCESS_TOKEN", "missing or invalid access token"))?;
    let app = hub.access.oauth.iter().find(|app| app.client_id == found.client_id);
    let app = app.ok_or_else(Refusal::no_record)?;
    let owner = hub.world.owners.first();
    Ok(json!({"active": true, "token": token, "user": owner.map(|o| o.email.clone()),
        "hub_domain": format!("{}.example", hub.world.account.portal_id), "scopes": app.scopes.list(),
        "hub_id": hub.world.account.portal_id, "app_id": app.app, "client_id": app.client_id,
        "expires_in": (found.expires_at - now) / 1_000, "user_id": owner.and_then(|o| o.user_id),
        "token_type": "access"}))
}

fn revoke(hub: &mut Hubspot, token: &str) -> Answer {
    let app = hub.access.oauth.iter_mut().find(|app| app.refresh_token == token && !app.revoked);
    app.ok_or_else(bad_refresh)?.revoked = true;
    Ok(no_content())
}

//! Tokens and who holds them (sheet: section 1).
//!
//! Signatures of assertions are not verified: what is checked is their form, issuer, subject, audience and time.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::access::{App, Code, Session};
use super::instant::Seconds;
use super::refusal::{Answer, Fault};
use super::world::{World, text};
use crate::{Reply, Request};

/// How long an authorization code lives, in seconds (sheet: silent).
const CODE_S: Seconds = 900;

/// How far ahead an assertion may end, in seconds (sheet: section 1 \[code\]).
const ASSERTION_S: i64 = 180;

/// An error of the token endpoint.
pub(super) fn error(code: &str, description: &str) -> Reply {
    Reply::json(400, &json!({"error": code, "error_description": description}))
}

type Refused = Box<Reply>;

fn refuse<T>(code: &str, description: &str) -> Result<T, Refused> {
    Err(Box::new(error(code, description)))
}

/// The user that a form's grant stands for.
struct Grant {
    user: String,
    /// A refresh token to hand out with it.
    refresh: Option<String>,
    refreshable: bool,
}

/// `POST /services/oauth2/token`.
pub(super) fn token(world: &mut World, request: &Request, at: Seconds) -> Reply {
    let kind = request.header("content-type").unwrap_or("");
    if !kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return error("unsupported_grant_type", "grant type not supported");
    }
    let form = Form::of(request);
    let granted = match form.get("grant_type") {
        "refresh_token" => refresh(world, &form),
        "authorization_code" => code(world, &form, at),
        "password" => password(world, &form),
        "client_credentials" => client_credentials(world, &form),
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => assertion(world, &form, request.header("host"), at),
        _ => refuse("unsupported_grant_type", "grant type not supported"),
    };
    match granted {
        Ok(grant) => hand_out(world, request, &grant, at),
        Err(reply) => *reply,
    }
}

/// `GET /services/oauth2/authorize`: the first user says at once whether they agree, and the browser goes back.
pub(super) fn authorize(world: &mut World, request: &Request, at: Seconds) -> Reply {
    let client = request.param("client_id").unwrap_or("").to_owned();
    let Some(back) = request.param("redirect_uri").map(str::to_owned) else {
        return error("invalid_request", "missing redirect_uri");
    };
    if request.param("response_type") != Some("code") {
        return error("unsupported_response_type", "response type not supported");
    }
    let state = request.param("state").unwrap_or("");
    if !world.settings.consent && world.access.apps.iter().any(|app| app.client_id == client) {
        let denied = [("error", "access_denied"), ("error_description", "end-user denied authorization")];
        return Reply::back_to(&back, &[denied.as_slice(), &[("state", state)]].concat());
    }
    let username = first_user(world);
    let code = format!("aPrx{}", world.draw_token("code", 48));
    let challenge = request.param("code_challenge").map(str::to_owned);
    let Some(app) = world.access.apps.iter_mut().find(|app| app.client_id == client) else {
        return error("invalid_client_id", "client identifier invalid");
    };
    app.codes.insert(code.clone(), Code { username, redirect_uri: back.clone(), challenge, until: at + CODE_S });
    Reply::back_to(&back, &[("code", &code), ("state", state)])
}

/// `POST /services/oauth2/revoke`: a refresh token takes its sessions along.
pub(super) fn revoke(world: &mut World, request: &Request) -> Reply {
    let form = Form::of(request);
    let token = form.get("token").to_owned();
    let owner = world.access.apps.iter_mut().find_map(|app| app.refresh_tokens.remove(&token));
    let session = world.access.sessions.remove(&token);
    if let Some(username) = &owner
        && let Some(user) = user_id(world, username)
    {
        world.access.sessions.retain(|_, session| session.used.is_none() || session.user != user);
    }
    if owner.is_none() && session.is_none() {
        return error("invalid_token", "invalid token");
    }
    Reply { status: 200, headers: Vec::new(), body: Vec::new() }
}

/// `GET /services/oauth2/userinfo`.
pub(super) fn userinfo(world: &World, user: &str, host: &str) -> Answer {
    let record = world.get("User", user).ok_or_else(Fault::not_found)?;
    Ok(Reply::json(
        200,
        &json!({
            "sub": identity(world, user, host), "user_id": user, "organization_id": world.org.id,
            "preferred_username": text(record, "Username"), "nickname": text(record, "Alias"),
            "name": text(record, "Name"), "given_name": text(record, "FirstName"), "family_name": text(record, "LastName"),
            "email": text(record, "Email"), "email_verified": true, "active": record.get("IsActive"),
            "user_type": "STANDARD", "language": world.org.locale, "locale": world.org.locale,
            "zoneinfo": world.org.time_zone,
            "urls": {"rest": format!("http://{host}/services/data/v{{version}}/"),
                "sobjects": format!("http://{host}/services/data/v{{version}}/sobjects/"),
                "query": format!("http://{host}/services/data/v{{version}}/query/")},
        }),
    ))
}

/// The address that names organization and user. It lies on the sandbox itself, not on the login host, so that a
/// client that follows it stays here.
fn identity(world: &World, user: &str, host: &str) -> String {
    format!("http://{host}/id/{}/{user}", world.org.id)
}

/// The form of the body, with the client of a Basic header.
struct Form {
    pairs: Vec<(String, String)>,
}

impl Form {
    fn of(request: &Request) -> Self {
        let mut pairs = crate::http::read_pairs(&String::from_utf8_lossy(&request.body));
        let basic = request.header("authorization").and_then(|header| header.strip_prefix("Basic "));
        let decoded =
            basic.and_then(|basic| STANDARD.decode(basic).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some((id, secret)) = decoded.as_deref().and_then(|pair| pair.split_once(':')) {
            pairs.push(("client_id".to_owned(), id.to_owned()));
            pairs.push(("client_secret".to_owned(), secret.to_owned()));
        }
        Self { pairs }
    }

    fn get(&self, name: &str) -> &str {
        self.pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }
}

/// The app, its secret right; `secret_needed` is false where the secret may be left out.
fn app<'a>(world: &'a World, form: &Form, secret_needed: bool) -> Result<&'a App, Refused> {
    let app = world.access.apps.iter().find(|app| app.client_id == form.get("client_id"));
    let Some(app) = app else { return refuse("invalid_client_id", "client identifier invalid") };
    let secret = form.get("client_secret");
    if (secret_needed || !secret.is_empty()) && app.client_secret != secret {
        return refuse("invalid_client", "invalid client credentials");
    }
    Ok(app)
}

fn refresh(world: &mut World, form: &Form) -> Result<Grant, Refused> {
    let app = app(world, form, false)?.clone();
    let token = form.get("refresh_token");
    let Some(username) = app.refresh_tokens.get(token) else {
        return refuse("invalid_grant", "expired access/refresh token");
    };
    let user = active_user(world, username)?;
    let mut renewed = None;
    if world.settings.rotate_refresh_tokens {
        let fresh = format!("5Aep{}", world.draw_token("refresh token", 60));
        if let Some(app) = world.access.apps.iter_mut().find(|one| one.client_id == app.client_id) {
            app.refresh_tokens.remove(token);
            app.refresh_tokens.insert(fresh.clone(), username.clone());
        }
        renewed = Some(fresh);
    }
    Ok(Grant { user, refresh: renewed, refreshable: true })
}

fn code(world: &mut World, form: &Form, at: Seconds) -> Result<Grant, Refused> {
    let app = app(world, form, form.get("code_verifier").is_empty())?.clone();
    let Some(code) = app.codes.get(form.get("code")).cloned() else {
        return refuse("invalid_grant", "expired authorization code");
    };
    if code.until < at {
        return refuse("invalid_grant", "expired authorization code");
    }
    if code.redirect_uri != form.get("redirect_uri") {
        return refuse("redirect_uri_mismatch", "redirect_uri must match configuration");
    }
    if let Some(challenge) = &code.challenge {
        let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(form.get("code_verifier").as_bytes()));
        if proof != *challenge {
            return refuse("invalid_grant", "invalid code verifier");
        }
    }
    let user = active_user(world, &code.username)?;
    let fresh = format!("5Aep{}", world.draw_token("refresh token", 60));
    if let Some(app) = world.access.apps.iter_mut().find(|one| one.client_id == app.client_id) {
        app.codes.remove(form.get("code"));
        app.refresh_tokens.insert(fresh.clone(), code.username);
    }
    Ok(Grant { user, refresh: Some(fresh), refreshable: true })
}

fn password(world: &World, form: &Form) -> Result<Grant, Refused> {
    app(world, form, true)?;
    let known = world.access.passwords.get(form.get("username"));
    if known.is_none_or(|known| known != form.get("password")) {
        return refuse("invalid_grant", "authentication failure - Invalid Password");
    }
    Ok(Grant { user: active_user(world, form.get("username"))?, refresh: None, refreshable: true })
}

fn client_credentials(world: &World, form: &Form) -> Result<Grant, Refused> {
    let app = app(world, form, true)?;
    let Some(username) = &app.run_as else {
        return refuse("invalid_grant", "no client credentials user enabled");
    };
    Ok(Grant { user: active_user(world, username)?, refresh: None, refreshable: true })
}

/// A signed assertion. The organization's own address counts as an audience too, as login hosts do (sheet: silent).
fn assertion(world: &World, form: &Form, own: Option<&str>, at: Seconds) -> Result<Grant, Refused> {
    let invalid = || error("invalid_grant", "invalid assertion");
    let part = |text: Option<&str>| -> Option<Json> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text?.trim_end_matches('=')).ok()?).ok()
    };
    let mut parts = form.get("assertion").split('.');
    let (head, claims, signature) = (part(parts.next()), part(parts.next()), parts.next());
    let (Some(head), Some(claims), Some(signature)) = (head, claims, signature) else {
        return Err(Box::new(invalid()));
    };
    if head["alg"] != "RS256" || signature.is_empty() || parts.next().is_some() {
        return Err(Box::new(invalid()));
    }
    let app = world.access.apps.iter().find(|app| claims["iss"] == json!(app.client_id));
    let Some(app) = app else { return refuse("invalid_client_id", "client identifier invalid") };
    let audience = claims["aud"].as_str().unwrap_or("");
    let is_own = own.is_some_and(|host| audience == format!("http://{host}"));
    if !is_own && !["https://login.salesforce.com", "https://test.salesforce.com"].contains(&audience) {
        return refuse("invalid_grant", "audience is invalid");
    }
    if !is_own && audience.contains("test") != world.org.sandbox {
        return refuse("invalid_grant", "user hasn't approved this consumer");
    }
    let ends = claims["exp"].as_i64().unwrap_or(0);
    if ends <= at || ends > at + ASSERTION_S + 5 {
        return refuse("invalid_grant", "assertion expired");
    }
    let username = claims["sub"].as_str().unwrap_or("");
    if !app.preauthorised.iter().any(|one| one == "*" || one == username) {
        return refuse("invalid_grant", "user hasn't approved this consumer");
    }
    Ok(Grant { user: active_user(world, username)?, refresh: None, refreshable: true })
}

fn first_user(world: &World) -> String {
    let mut users = world.rows("User").map(|(_, user)| user);
    users
        .find(|user| user.get("IsActive") == Some(&Json::Bool(true)))
        .map_or("", |user| text(user, "Username"))
        .to_owned()
}

/// The id of a user by name.
pub(super) fn user_id(world: &World, username: &str) -> Option<String> {
    let field = world.schema.object("User")?.any_field("Username")?;
    world.live_by_value("User", field, &json!(username)).into_iter().next()
}

fn active_user(world: &World, username: &str) -> Result<String, Refused> {
    match user_id(world, username) {
        Some(user) if world.is_active_user(&user) => Ok(user),
        Some(_) => refuse("inactive_user", "user is inactive"),
        None => refuse("invalid_grant", "authentication failure"),
    }
}

/// A session for a user; its token.
pub(super) fn begin_session(world: &mut World, user: &str, at: Seconds, refreshable: bool) -> String {
    let org = world.org.id.get(..15).unwrap_or("").to_owned();
    let token = format!("{org}!AQ{}", world.draw_token("session", 94));
    world.access.sessions.insert(token.clone(), Session { user: user.to_owned(), used: Some(at), refreshable });
    token
}

fn hand_out(world: &mut World, request: &Request, grant: &Grant, at: Seconds) -> Reply {
    let token = begin_session(world, &grant.user, at, grant.refreshable);
    // The organization's own address, so that a client that follows it stays here.
    let host = request.header("host").unwrap_or("localhost");
    let signature = STANDARD.encode(blake3::hash(token.as_bytes()).as_bytes());
    let mut body = json!({
        "access_token": token, "instance_url": format!("http://{host}"), "id": identity(world, &grant.user, host),
        "token_type": "Bearer", "issued_at": (at * 1_000).to_string(), "signature": signature, "scope": "refresh_token api",
    });
    if let Some(refresh) = &grant.refresh {
        body["refresh_token"] = json!(refresh);
    }
    Reply::json(200, &body)
}

//! Who asks: API tokens, OAuth tokens, and the token endpoints (sheet: Pipedrive section 1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::account::Grant;
use super::call::{Actor, Call};
use super::time::Seconds;
use super::world::World;
use crate::{Reply, Request};

/// An unused refresh token dies after 60 days.
const REFRESH_S: Seconds = 60 * 24 * 3_600;

/// A code is valid for five minutes.
const CODE_S: Seconds = 300;

/// Who sends the request; none when no token of it is valid.
pub(super) fn actor(world: &World, request: &Request, at: Seconds) -> Option<Actor> {
    let query = request.param("api_token").filter(|_| world.settings.query_token);
    if let Some(token) = request.header("x-api-token").or(query) {
        return by_api_token(world, token);
    }
    let token = bearer(request)?;
    let grant = world.account.access_tokens.get(token);
    let Some(grant) = grant else { return by_api_token(world, token) };
    let fresh = !grant.used && grant.expires.is_none_or(|expires| at < expires);
    (fresh && world.is_active(grant.user_id)).then(|| Actor {
        user: grant.user_id,
        admin: world.is_admin(grant.user_id),
        scopes: Some(grant.scopes.clone()),
        token: format!("oauth {} {}", grant.client_id, grant.user_id),
    })
}

/// Whether the request brings a token that OAuth handed out.
pub(super) fn is_oauth(world: &World, request: &Request) -> bool {
    bearer(request).is_some_and(|token| world.account.access_tokens.contains_key(token))
}

fn bearer(request: &Request) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ")
}

fn by_api_token(world: &World, token: &str) -> Option<Actor> {
    let known = world.account.api_tokens.iter().find(|known| known.token == token)?;
    world.is_active(known.user_id).then(|| Actor {
        user: known.user_id,
        admin: world.is_admin(known.user_id),
        scopes: None,
        token: format!("api {}", known.user_id),
    })
}

/// Whether the actor's scopes include one of these; an API token needs none.
pub(super) fn allows(actor: &Actor, wanted: &[&str]) -> bool {
    match &actor.scopes {
        None => true,
        Some(scopes) => wanted.is_empty() || scopes.iter().any(|scope| wanted.contains(&scope.as_str())),
    }
}

/// `GET /oauth/authorize`: the user says at once whether they agree, and the browser goes back with a code or an error.
pub(super) fn authorize(world: &mut World, call: &mut Call<'_>) -> Reply {
    let client = call.param("client_id").unwrap_or_default();
    let known = world.account.oauth_clients.iter().find(|known| known.client_id == client).cloned();
    let (Some(client), Some(back)) = (known, call.param("redirect_uri")) else {
        return refused("Invalid client: client is invalid");
    };
    let state = call.param("state").unwrap_or_default();
    if !world.settings.consent {
        return Reply::back_to(back, &[("error", "user_denied"), ("state", state)]);
    }
    let user_id = user_of(world, client.user_id);
    let code = world.draw_hex("code", 40);
    let grant = Grant {
        client_id: client.client_id,
        user_id,
        scopes: client.scopes,
        expires: Some(call.at + CODE_S),
        used: false,
    };
    world.account.codes.insert(code.clone(), grant);
    Reply::back_to(back, &[("code", &code), ("state", state)])
}

/// `POST /oauth/token`: a code or a refresh token for an access token.
pub(super) fn token(world: &mut World, call: &mut Call<'_>) -> Reply {
    let form = crate::http::read_pairs(&String::from_utf8_lossy(&call.request.body));
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let Some(client) = client(world, call.request) else {
        return refused("Invalid client: client is invalid");
    };
    let grant = match field("grant_type") {
        "" => return refused("Missing parameter: `grant_type`"),
        "authorization_code" => match take_code(world, field("code"), &client, call.at) {
            Ok(grant) => grant,
            Err(reply) => return *reply,
        },
        "refresh_token" => match take_refresh(world, field("refresh_token"), &client, call.at) {
            Some(grant) => grant,
            None => return refused("Invalid grant: refresh_token is invalid"),
        },
        _ => return refused("Unsupported grant type: `grant_type` is invalid"),
    };
    hand_out(world, call, &grant)
}

/// `POST /oauth/revoke`.
pub(super) fn revoke(world: &mut World, call: &mut Call<'_>) -> Reply {
    let form = crate::http::read_pairs(&String::from_utf8_lossy(&call.request.body));
    let Some(client) = client(world, call.request) else {
        return refused("Invalid client: client is invalid");
    };
    let token = form.iter().find(|(key, _)| key == "token").map_or("", |(_, value)| value.as_str());
    let user = world.account.refresh_tokens.remove(token).filter(|grant| grant.client_id == client);
    if let Some(grant) = user {
        // Revoking the refresh token ends the installation: its access tokens die with it.
        world.account.access_tokens.retain(|_, one| one.client_id != client || one.user_id != grant.user_id);
    }
    world.account.access_tokens.remove(token);
    Reply::json(200, &json!({"success": true}))
}

fn refused(message: &str) -> Reply {
    Reply::json(400, &json!({"success": false, "message": message, "error": message}))
}

/// The client of a Basic header whose secret is right.
fn client(world: &World, request: &Request) -> Option<String> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let mut clients = world.account.oauth_clients.iter();
    clients
        .find(|client| client.client_id == id && client.client_secret == secret)
        .map(|client| client.client_id.clone())
}

fn user_of(world: &World, wanted: Option<u64>) -> u64 {
    let admin = world.users.keys().copied().find(|id| world.is_admin(*id));
    wanted.or(admin).or(world.users.keys().next().copied()).unwrap_or(1)
}

fn take_code(world: &mut World, code: &str, client: &str, at: Seconds) -> Result<Grant, Box<Reply>> {
    let wrong = |why: &str| Err(Box::new(refused(&format!("Invalid grant: authorization_code {why}"))));
    match world.account.codes.get(code) {
        Some(grant) if grant.client_id != client => wrong("is invalid"),
        Some(grant) if grant.expires.is_some_and(|expires| at >= expires) => wrong("has expired"),
        Some(_) => world.account.codes.remove(code).map_or_else(|| wrong("is invalid"), Ok),
        None => wrong("is invalid"),
    }
}

/// A refresh token works once (sheet: section 1 \[doc\]: "also if already exchanged").
fn take_refresh(world: &mut World, token: &str, client: &str, at: Seconds) -> Option<Grant> {
    if let Some(grant) = world.account.refresh_tokens.get_mut(token) {
        if grant.used || grant.client_id != client || grant.expires.is_some_and(|expires| at >= expires) {
            return None;
        }
        grant.used = true;
        return Some(grant.clone());
    }
    let known = world.account.oauth_clients.iter().find(|one| one.client_id == client)?.clone();
    if known.refresh_token.as_deref() != Some(token) {
        return None;
    }
    let user_id = user_of(world, known.user_id);
    let grant = Grant { client_id: known.client_id, user_id, scopes: known.scopes, expires: None, used: true };
    world.account.refresh_tokens.insert(token.to_owned(), grant.clone());
    Some(grant)
}

fn hand_out(world: &mut World, call: &Call<'_>, grant: &Grant) -> Reply {
    let access = format!("v1u:{}", world.draw_hex("access", 320));
    let drawn = world.draw_hex("refresh", 40);
    let refresh = format!("{}:{}:{drawn}", world.account.company_id, grant.user_id);
    let life = world.settings.access_token_s;
    let of = |expires| Grant { expires: Some(expires), used: false, ..grant.clone() };
    world.account.access_tokens.insert(access.clone(), of(call.at + life));
    world.account.refresh_tokens.insert(refresh.clone(), of(call.at + REFRESH_S));
    // The account's own address, so that a client that follows api_domain stays here.
    let host = call.request.header("host").unwrap_or("localhost");
    let body: Json = json!({
        "access_token": access, "token_type": "Bearer", "expires_in": life, "refresh_token": refresh,
        "scope": grant.scopes.join(" "), "api_domain": format!("http://{host}"),
    });
    Reply::json(200, &body)
}

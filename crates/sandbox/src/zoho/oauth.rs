//! The accounts server: codes, refresh tokens, access tokens (sheet: section 1).

use serde_json::{Value as Json, json};

use super::access::{Client, Code, Refresh, TOKEN_S, Token};
use super::call::base;
use super::instant::Seconds;
use super::org::ACCOUNTS;
use super::world::{Id, World};
use crate::{Reply, Request};

/// How long a code lives, in seconds (sheet: 3 to 10 minutes).
const CODE_S: Seconds = 180;

/// Refresh tokens of a user for a client; one more ends the oldest (sheet: section 1).
const REFRESH_TOKENS: usize = 20;

/// Access tokens of one refresh token in ten minutes (sheet: section 1).
const TOKENS_IN_TEN_MINUTES: usize = 10;

/// Refresh tokens granted in a minute (sheet: section 1).
const GRANTS_IN_A_MINUTE: usize = 5;

/// Answers what goes to the accounts server.
pub(super) fn answer(world: &mut World, request: &Request, at: Seconds) -> Reply {
    match (request.method.as_str(), request.path.trim_end_matches('/')) {
        ("GET", "/oauth/serverinfo") => server_info(),
        ("GET", "/oauth/v2/auth") => authorize(world, request, at),
        ("POST", "/oauth/v2/token") => token(world, request, at),
        ("POST" | "GET", "/oauth/v2/token/revoke") => revoke(world, request),
        _ => Reply::html(404, "<html><body><h1>Not Found</h1></body></html>"),
    }
}

/// `GET /oauth/serverinfo`.
fn server_info() -> Reply {
    let locations: serde_json::Map<String, Json> =
        ACCOUNTS.iter().map(|(location, host)| ((*location).to_owned(), json!(host))).collect();
    Reply::json(200, &json!({"result": "success", "locations": locations}))
}

/// `GET /oauth/v2/auth`: the first active user says at once whether they agree, and the browser goes back.
fn authorize(world: &mut World, request: &Request, at: Seconds) -> Reply {
    let param = |name: &str| request.param(name).unwrap_or("").to_owned();
    let (client_id, redirect_uri) = (param("client_id"), param("redirect_uri"));
    let known = world.access.clients.iter().find(|client| client.client_id == client_id);
    let Some(client) = known else { return page("invalid_client") };
    if redirect_uri.is_empty() || !fits(client, &redirect_uri) {
        return page("invalid_redirect_uri");
    }
    if param("response_type") != "code" {
        return page("invalid_response_type");
    }
    if param("scope").is_empty() {
        return page("invalid_scope");
    }
    if !world.settings.consent {
        return Reply::back_to(&redirect_uri, &[("state", &param("state")), ("error", "access_denied")]);
    }
    let user = world.users.values().find(|user| user.is_active()).map_or(0, |user| user.id);
    let code = format!("1000.{}.{}", world.draw_token("code", 32), world.draw_token("code", 32));
    // A second grant without a new consent gives no refresh token (sheet: section 1).
    let again = world.access.refresh_tokens.values().any(|one| one.client_id == client_id && one.user == user);
    let offline = param("access_type") == "offline" && (!again || param("prompt") == "consent");
    let own = base(request, world);
    let query = [
        ("state", param("state")),
        ("code", code.clone()),
        ("location", world.org.dc.clone()),
        ("accounts-server", own),
    ];
    let back = Reply::back_to(&redirect_uri, &query.each_ref().map(|(name, value)| (*name, value.as_str())));
    let scope = param("scope");
    world.access.codes.insert(code, Code { client_id, user, scope, redirect_uri, until: at + CODE_S, offline });
    back
}

fn page(error: &str) -> Reply {
    Reply::html(200, &format!("<html><body><h1>{error}</h1></body></html>"))
}

fn fits(client: &Client, uri: &str) -> bool {
    client.redirect_uris.is_empty() || client.redirect_uris.iter().any(|known| known == uri)
}

type Refused = &'static str;

/// `POST /oauth/v2/token`, with its parameters in the body or in the query.
fn token(world: &mut World, request: &Request, at: Seconds) -> Reply {
    let mut pairs = request.query.clone();
    pairs.extend(crate::http::read_pairs(&String::from_utf8_lossy(&request.body)));
    let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let given = match get("grant_type") {
        "authorization_code" => exchange(world, &get, at),
        "refresh_token" => refresh(world, &get, at),
        _ => Err("general_error"),
    };
    match given {
        Ok(given) => hand_out(world, request, given, at),
        Err("throttled") => throttled(),
        Err(error) => Reply::json(world.settings.token_error_status, &json!({"error": error})),
    }
}

/// The throttle of the token endpoint (sheet: section 1 \[code\]).
fn throttled() -> Reply {
    let description = "You have made too many requests continuously. Please try again after some time.";
    Reply::json(400, &json!({"error_description": description, "error": "Access Denied", "status": "failure"}))
}

/// What a grant stands for.
struct Given {
    user: Id,
    scope: String,
    refresh: Option<String>,
    /// The refresh token is new and so is told.
    tell: bool,
}

fn client(world: &World, id: &str, secret: &str) -> Result<Client, Refused> {
    let client = world.access.clients.iter().find(|client| client.client_id == id).ok_or("invalid_client")?;
    match client.client_secret == secret {
        true => Ok(client.clone()),
        false => Err("invalid_client_secret"),
    }
}

fn exchange<'a>(world: &mut World, get: &impl Fn(&str) -> &'a str, at: Seconds) -> Result<Given, Refused> {
    let client = client(world, get("client_id"), get("client_secret"))?;
    let code = world.access.codes.get(get("code")).cloned().ok_or("invalid_code")?;
    if code.until <= at || code.client_id != client.client_id {
        return Err("invalid_code");
    }
    if code.redirect_uri != get("redirect_uri") {
        return Err("invalid_redirect_uri");
    }
    let granted = world.access.refresh_tokens.values().filter(|one| one.user == code.user && one.at > at - 60).count();
    if world.settings.limits && code.offline && granted >= GRANTS_IN_A_MINUTE {
        return Err("throttled");
    }
    world.access.codes.remove(get("code"));
    let refresh = code.offline.then(|| grant(world, &client.client_id, code.user, &code.scope, at));
    Ok(Given { user: code.user, scope: code.scope, refresh, tell: true })
}

/// A new refresh token; the oldest of too many ends, with its access tokens.
pub(super) fn grant(world: &mut World, client_id: &str, user: Id, scope: &str, at: Seconds) -> String {
    let token = format!("1000.{}.{}", world.draw_token("refresh", 32), world.draw_token("refresh", 32));
    let n = world.draw("refresh number");
    let (client_id, scope) = (client_id.to_owned(), scope.to_owned());
    let of_user = |one: &Refresh| one.client_id == client_id && one.user == user;
    let count = world.access.refresh_tokens.values().filter(|one| of_user(one)).count();
    if count >= REFRESH_TOKENS {
        let all = world.access.refresh_tokens.iter().filter(|(_, one)| of_user(one));
        let oldest = all.min_by_key(|(_, one)| one.n).map(|(token, _)| token.clone());
        oldest.into_iter().for_each(|token| end(world, &token));
    }
    let new = Refresh { client_id, user, scope, at, n, used: Vec::new() };
    world.access.refresh_tokens.insert(token.clone(), new);
    token
}

fn end(world: &mut World, refresh: &str) {
    world.access.refresh_tokens.remove(refresh);
    world.access.tokens.retain(|_, token| token.refresh.as_deref() != Some(refresh));
}

fn refresh<'a>(world: &mut World, get: &impl Fn(&str) -> &'a str, at: Seconds) -> Result<Given, Refused> {
    let client = client(world, get("client_id"), get("client_secret"))?;
    let limits = world.settings.limits;
    let name = get("refresh_token").to_owned();
    let known = world.access.refresh_tokens.get_mut(&name).filter(|one| one.client_id == client.client_id);
    let known = known.ok_or("invalid_code")?;
    known.used.retain(|used| *used > at - 600);
    if limits && known.used.len() >= TOKENS_IN_TEN_MINUTES {
        return Err("throttled");
    }
    known.used.push(at);
    Ok(Given { user: known.user, scope: known.scope.clone(), refresh: Some(name), tell: false })
}

fn hand_out(world: &mut World, request: &Request, given: Given, at: Seconds) -> Reply {
    let n = world.draw("token number");
    let token = format!("1000.{}.{}", world.draw_token("access", 32), world.draw_token("access", 32));
    // What has ended is forgotten, or the world would grow with every hour.
    world.access.tokens.retain(|_, token| token.until.is_none_or(|until| until > at));
    if let Some(refresh) = &given.refresh {
        let mut live: Vec<(u64, String)> = Vec::new();
        for (name, token) in &world.access.tokens {
            if token.refresh.as_ref() == Some(refresh) {
                live.push((token.n, name.clone()));
            }
        }
        live.sort_unstable();
        let over = (live.len() + 1).saturating_sub(world.settings.live_tokens.max(1));
        for (_, name) in live.iter().take(over) {
            world.access.tokens.remove(name);
        }
    }
    let mut body = json!({
        "access_token": token, "scope": given.scope.replace(',', " "), "api_domain": base(request, world),
        "token_type": "Bearer", "expires_in": TOKEN_S,
    });
    if let Some(refresh) = given.refresh.as_ref().filter(|_| given.tell) {
        body["refresh_token"] = json!(refresh);
    }
    let until = Some(at + TOKEN_S);
    world.access.tokens.insert(token, Token { user: given.user, scope: given.scope, until, refresh: given.refresh, n });
    Reply::json(200, &body)
}

/// `POST /oauth/v2/token/revoke?token=`.
fn revoke(world: &mut World, request: &Request) -> Reply {
    let pairs = crate::http::read_pairs(&String::from_utf8_lossy(&request.body));
    let in_body = pairs.iter().find(|(key, _)| key == "token").map(|(_, value)| value.as_str());
    let token = request.param("token").or(in_body).unwrap_or("").to_owned();
    if world.access.refresh_tokens.contains_key(&token) {
        end(world, &token);
    } else if world.access.tokens.remove(&token).is_none() {
        return Reply::json(world.settings.token_error_status, &json!({"error": "invalid_code"}));
    }
    Reply::json(200, &json!({"status": "success"}))
}

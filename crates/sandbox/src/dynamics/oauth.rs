//! Tokens of Entra ID (sheet: section 1). Signatures of assertions are not verified: what is checked is their form,
//! issuer, subject and time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::access::{App, Code, Token};
use super::guid;
use super::instant::{self, Seconds};
use super::world::World;
use crate::{Reply, Request};

/// How long a code waits for its exchange, in seconds.
const CODE_S: Seconds = 600;

/// How long a device code waits for a person, in seconds.
const DEVICE_S: Seconds = 900;

/// Where clients of Entra ID look first for its doors (OpenID Connect Discovery).
const DISCOVERY: &str = "v2.0/.well-known/openid-configuration";

/// The public host of Entra ID.
const LOGIN_HOST: &str = "login.microsoftonline.com";

type Refused = Box<Reply>;

/// A user's grant.
struct Grant {
    user: Option<String>,
    refresh: Option<String>,
    scope: String,
}

/// Answers what goes to the login host; none when the path is another.
pub(super) fn answer(world: &mut World, request: &Request, at: Seconds) -> Option<Reply> {
    let (tenant, rest) = request.path.trim_start_matches('/').split_once('/')?;
    let discovery = (rest == DISCOVERY).then_some("");
    let (method, door) = (request.method.as_str(), discovery.or(rest.strip_prefix("oauth2/v2.0/"))?);
    let known = [world.org.tenant.as_str(), world.org.domain.as_str(), "organizations", "common"];
    if !known.contains(&tenant) {
        return Some(error(
            world,
            at,
            400,
            "invalid_request",
            90_002,
            "Tenant not found. Check to make sure you have the correct tenant ID.",
        ));
    }
    Some(match (method, door) {
        ("GET", "") => discover(world, request),
        ("GET", "authorize") => authorize(world, request, at),
        ("POST", "devicecode") => device_code(world, request, at).unwrap_or_else(|reply| *reply),
        ("POST", "token") => token(world, request, tenant, at).unwrap_or_else(|reply| *reply),
        _ => return None,
    })
}

/// An error of the login host.
fn error(world: &World, at: Seconds, status: u16, code: &str, number: u64, text: &str) -> Reply {
    let trace = guid::mint(world.seed, "trace", u64::try_from(at).unwrap_or(0));
    let stamp = instant::stamp(at).replace('T', " ");
    let description = format!("AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {trace} Timestamp: {stamp}");
    let body = json!({
        "error": code, "error_description": description, "error_codes": [number], "timestamp": stamp, "trace_id": trace,
        "correlation_id": trace, "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
    });
    Reply::json(status, &body)
}

fn refuse<T>(world: &World, at: Seconds, code: &str, number: u64, text: &str) -> Result<T, Refused> {
    let status = if code == "invalid_client" { 401 } else { 400 };
    Err(Box::new(error(world, at, status, code, number, text)))
}

/// The doors of the tenant, at the address that the client used.
fn discover(world: &World, request: &Request) -> Reply {
    let host = request.header("host").unwrap_or("localhost");
    let scheme = if host == LOGIN_HOST { "https" } else { "http" };
    let tenant = &world.org.tenant;
    let doors = format!("{scheme}://{host}/{tenant}/oauth2/v2.0");
    let body = json!({
        "issuer": format!("https://{LOGIN_HOST}/{tenant}/v2.0"), "authorization_endpoint": format!("{doors}/authorize"),
        "token_endpoint": format!("{doors}/token"), "device_authorization_endpoint": format!("{doors}/devicecode"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_modes_supported": ["query"], "response_types_supported": ["code"],
        "cloud_instance_name": "microsoftonline.com",
    });
    Reply::json(200, &body)
}

fn get<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
}

fn token(world: &mut World, request: &Request, tenant: &str, at: Seconds) -> Result<Reply, Refused> {
    let form = crate::http::read_pairs(&String::from_utf8_lossy(&request.body));
    let kind = get(&form, "grant_type").to_owned();
    if !request
        .header("content-type")
        .unwrap_or("")
        .to_ascii_lowercase()
        .starts_with("application/x-www-form-urlencoded")
        || kind.is_empty()
    {
        return refuse(
            world,
            at,
            "invalid_request",
            900_144,
            "The request body must contain the following parameter: 'grant_type'.",
        );
    }
    let secret_needed = kind == "client_credentials";
    let app = app(world, &form, secret_needed, at)?;
    let grant = match kind.as_str() {
        "client_credentials" => {
            if tenant == "common" || tenant == "organizations" {
                return refuse(
                    world,
                    at,
                    "invalid_request",
                    53_003,
                    "Use a tenant-specific endpoint for client credentials.",
                );
            }
            let scope = get(&form, "scope");
            if !scope.ends_with("/.default") {
                let text = "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).";
                return refuse(world, at, "invalid_scope", 1_002_012, text);
            }
            resource(world, request, scope, at)?;
            Grant { user: app.user.clone(), refresh: None, scope: String::new() }
        }
        "authorization_code" => code(world, request, &app, &form, at)?,
        "refresh_token" => {
            let Some(user) = app.refresh_tokens.get(get(&form, "refresh_token")).cloned() else {
                return refuse(world, at, "invalid_grant", 700_082, "The refresh token has expired due to inactivity.");
            };
            resource(world, request, get(&form, "scope"), at)?;
            let refresh = Some(fresh(world, &app, &user));
            Grant { user: Some(user), refresh, scope: get(&form, "scope").to_owned() }
        }
        "urn:ietf:params:oauth:grant-type:device_code" => device(world, &app, &form, at)?,
        _ => {
            return refuse(world, at, "unsupported_grant_type", 70_003, "The app requested an unsupported grant type.");
        }
    };
    Ok(hand_out(world, grant, at))
}

/// The registered app; its secret or its assertion right where one is sent or needed.
fn app(world: &World, form: &[(String, String)], needed: bool, at: Seconds) -> Result<App, Refused> {
    let client = get(form, "client_id");
    let Some(app) = world.access.apps.iter().find(|app| app.client_id == client).cloned() else {
        let text = "Application was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant.";
        return refuse(world, at, "unauthorized_client", 700_016, text);
    };
    let (secret, assertion) = (get(form, "client_secret"), get(form, "client_assertion"));
    if !assertion.is_empty() {
        let jwt = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        if get(form, "client_assertion_type") != jwt || !signed_by(assertion, client, at) {
            return refuse(
                world,
                at,
                "invalid_client",
                700_027,
                "The certificate with identifier used to sign the client assertion is not registered on application.",
            );
        }
        return Ok(app);
    }
    if secret.is_empty() && !needed {
        return Ok(app);
    }
    if secret.is_empty() {
        let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        return refuse(world, at, "invalid_client", 7_000_218, text);
    }
    if secret != app.client_secret {
        let text = "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.";
        return refuse(world, at, "invalid_client", 7_000_215, text);
    }
    if app.secret_until.is_some_and(|until| until <= at) {
        return refuse(world, at, "invalid_client", 7_000_222, "The provided client secret keys for app are expired.");
    }
    Ok(app)
}

fn signed_by(assertion: &str, client: &str, at: Seconds) -> bool {
    let part = |text: &str| -> Option<Json> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok() };
    let mut parts = assertion.split('.');
    let (head, claims, signature) = (parts.next().and_then(part), parts.next().and_then(part), parts.next());
    let (Some(head), Some(claims)) = (head, claims) else { return false };
    let algorithms = ["RS256", "PS256"];
    algorithms.contains(&head["alg"].as_str().unwrap_or(""))
        && signature.is_some_and(|signature| !signature.is_empty())
        && claims["iss"] == client
        && claims["sub"] == client
        && claims["exp"].as_i64().is_some_and(|until| until > at)
}

/// The scope names this environment, by its own address or by the one that it is reached at.
fn resource(world: &World, request: &Request, scope: &str, at: Seconds) -> Result<(), Refused> {
    let here = request.header("host").map(|host| format!("http://{host}")).unwrap_or_default();
    let own = |resource: &str| {
        let resource = resource.strip_suffix('/').unwrap_or(resource);
        resource.eq_ignore_ascii_case(&world.org.url) || resource == here
    };
    let wanted = scope.split_whitespace().filter(|one| one.contains("://"));
    let mut wanted = wanted.filter_map(|one| one.strip_suffix("/.default").or(one.strip_suffix("/user_impersonation")));
    match wanted.next() {
        Some(resource) if own(resource) => Ok(()),
        Some(_) => {
            refuse(world, at, "invalid_resource", 500_011, "The resource principal was not found in the tenant.")
        }
        None => {
            refuse(world, at, "invalid_scope", 70_011, "The provided request must include a 'scope' input parameter.")
        }
    }
}

fn fresh(world: &mut World, app: &App, user: &str) -> String {
    let token = format!("0.AXoA{}", world.draw_token("refresh token", 80));
    if let Some(app) = world.access.apps.iter_mut().find(|one| one.client_id == app.client_id) {
        app.refresh_tokens.insert(token.clone(), user.to_owned());
    }
    token
}

/// `GET authorize`: the person says at once whether they agree, and the browser goes back.
fn authorize(world: &mut World, request: &Request, at: Seconds) -> Reply {
    let client = request.param("client_id").unwrap_or("").to_owned();
    let back = request.param("redirect_uri").unwrap_or("").to_owned();
    if request.param("response_type") != Some("code") || back.is_empty() {
        return error(
            world,
            at,
            400,
            "invalid_request",
            900_144,
            "The request must contain response_type and redirect_uri.",
        );
    }
    let state = request.param("state").unwrap_or("");
    if !world.settings.consent && world.access.apps.iter().any(|app| app.client_id == client) {
        let denied = [("error", "access_denied"), ("error_description", "the user canceled the authentication")];
        return Reply::back_to(&back, &[denied.as_slice(), &[("state", state)]].concat());
    }
    let code = format!("0.AXoA{}", world.draw_token("code", 64));
    let challenge = request.param("code_challenge").map(str::to_owned);
    let user = world.first_user(false).unwrap_or_default();
    let Some(app) = world.access.apps.iter_mut().find(|app| app.client_id == client) else {
        return error(world, at, 400, "unauthorized_client", 700_016, "Application was not found in the directory.");
    };
    app.codes
        .insert(code.clone(), Code { user, redirect_uri: Some(back.clone()), challenge, from: at, until: at + CODE_S });
    Reply::back_to(&back, &[("code", &code), ("state", state)])
}

fn code(
    world: &mut World,
    request: &Request,
    app: &App,
    form: &[(String, String)],
    at: Seconds,
) -> Result<Grant, Refused> {
    resource(world, request, get(form, "scope"), at)?;
    let code = app.codes.get(get(form, "code")).filter(|code| code.redirect_uri.is_some() && code.until > at).cloned();
    let Some(code) = code else {
        return refuse(
            world,
            at,
            "invalid_grant",
            70_008,
            "The provided authorization code or refresh token has expired due to inactivity.",
        );
    };
    if code.redirect_uri.as_deref() != Some(get(form, "redirect_uri")) {
        return refuse(
            world,
            at,
            "invalid_grant",
            500_112,
            "The reply address does not match the reply address provided when requesting the authorization code.",
        );
    }
    if let Some(challenge) = &code.challenge {
        let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(get(form, "code_verifier").as_bytes()));
        if proof != *challenge {
            return refuse(
                world,
                at,
                "invalid_grant",
                501_481,
                "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
            );
        }
    }
    if let Some(app) = world.access.apps.iter_mut().find(|one| one.client_id == app.client_id) {
        app.codes.remove(get(form, "code"));
    }
    let scope = get(form, "scope").to_owned();
    let offline = scope.split_whitespace().any(|one| one == "offline_access");
    let refresh = offline.then(|| fresh(world, app, &code.user));
    Ok(Grant { user: Some(code.user), refresh, scope })
}

/// `POST devicecode`.
fn device_code(world: &mut World, request: &Request, at: Seconds) -> Result<Reply, Refused> {
    let form = crate::http::read_pairs(&String::from_utf8_lossy(&request.body));
    let app = app(world, &form, false, at)?;
    resource(world, request, get(&form, "scope"), at)?;
    let device = format!("D{}", world.draw_token("device code", 60));
    let shown = world.draw_token("user code", 9).to_uppercase();
    let user = world.first_user(false).unwrap_or_default();
    if let Some(app) = world.access.apps.iter_mut().find(|one| one.client_id == app.client_id) {
        app.codes
            .insert(device.clone(), Code { user, redirect_uri: None, challenge: None, from: at, until: at + DEVICE_S });
    }
    Ok(Reply::json(
        200,
        &json!({
            "user_code": shown, "device_code": device, "verification_uri": "https://microsoft.com/devicelogin",
            "expires_in": DEVICE_S, "interval": 5,
            "message": "To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code.",
        }),
    ))
}

fn device(world: &mut World, app: &App, form: &[(String, String)], at: Seconds) -> Result<Grant, Refused> {
    let Some(code) = app.codes.get(get(form, "device_code")).filter(|code| code.redirect_uri.is_none()).cloned() else {
        return refuse(
            world,
            at,
            "invalid_grant",
            70_000,
            "The provided value for the 'device_code' parameter is not valid.",
        );
    };
    if code.until <= at {
        return refuse(
            world,
            at,
            "expired_token",
            70_020,
            "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
        );
    }
    if !world.settings.consent {
        return refuse(world, at, "authorization_declined", 70_018, "The end user denied the authorization request.");
    }
    if at < code.from + world.settings.device_pending_s {
        return refuse(
            world,
            at,
            "authorization_pending",
            70_016,
            "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
        );
    }
    if let Some(app) = world.access.apps.iter_mut().find(|one| one.client_id == app.client_id) {
        app.codes.remove(get(form, "device_code"));
    }
    let refresh = Some(fresh(world, app, &code.user));
    Ok(Grant { user: Some(code.user), refresh, scope: String::new() })
}

fn hand_out(world: &mut World, grant: Grant, at: Seconds) -> Reply {
    let token = format!(
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.{}.{}",
        world.draw_token("token", 96),
        world.draw_token("signature", 64)
    );
    let life = world.settings.token_s;
    world.access.tokens.retain(|_, token| token.until.is_none_or(|until| until > at));
    world.access.tokens.insert(token.clone(), Token { user: grant.user, until: Some(at + life) });
    let mut body =
        json!({"token_type": "Bearer", "expires_in": life - 1, "ext_expires_in": life - 1, "access_token": token});
    if let Some(refresh) = grant.refresh {
        body["refresh_token"] = json!(refresh);
    }
    if !grant.scope.is_empty() {
        body["scope"] = json!(grant.scope);
    }
    Reply::json(200, &body)
}

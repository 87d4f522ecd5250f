//! Salesforce: the REST API of an organization in memory, v31.0 to v66.0, with SOQL, composite requests, Bulk
//! API 2.0, OAuth, and what of SOAP has no other door (login, merge, undelete).
//!
//! Written from the sheet, sections 1 to 9. What the sheet leaves open is a setting ([`Settings`]) whose default
//! is the stricter reading. A request goes through one pipe: route, session, budget, handler.
//!
//! Invariants:
//! - A reply depends on the world, the request, the time and the seed alone. Ids and tokens are drawn from
//!   counters that stand in the world, so that replaying the writes gives the same world.
//! - A refused row has changed nothing. Every change of a record passes `world::World::put` and the journal.
//! - Deliberately absent: change events, sharing, profiles and their permissions (but hidden fields), person
//!   accounts, state and country picklists, layouts, search (SOSL), lead conversion, triggers and flows. Result
//!   locators live in memory alone: a restart ends them.
//!
//! Ids in the journal: records by their 18-character id under the object's API name.

mod access;
mod bulk;
mod call;
mod catalogue;
mod composite;
mod derive;
mod describe;
mod disturb;
mod draft;
mod feeds;
mod id;
mod instant;
mod limits;
mod oauth;
mod org;
mod query;
mod refusal;
mod remove;
mod routes;
mod rules;
mod schema;
mod settings;
mod soap;
mod sobjects;
mod soql;
mod tooling;
mod values;
mod view;
mod world;
mod world_file;
mod write;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Value as Json, json};

pub use settings::{ParseErrors, Settings};
pub use world_file::WorldError;

use call::Call;
use instant::Seconds;
use limits::Limits;
use query::Cursors;
use refusal::Fault;
use world::World;

use crate::faults::{Disturbance, Interference, Invented, LimitScope};
use crate::journal::Change;
use crate::{Outcome, Platform, Reply, Request};

/// The longest URI with its query (sheet: section 4).
const LONGEST_URI: usize = 16_384;

/// One organization behind its API.
#[derive(Debug)]
pub struct Salesforce {
    world: World,
    limits: Limits,
    cursors: Cursors,
    cost: u64,
}

impl Salesforce {
    /// The organization of a world file. `seed` is used when the file names none.
    ///
    /// The file is a JSON object; every key may be missing: `platform`, `seed`, `org`, `settings`, `apps`,
    /// `passwords`, `sessions`, `objects`, `fields`, `validation_rules`, `duplicate_rules`, `records`, and what a
    /// dump adds (`complete`, `next`, `bin`, `gone`, `jobs`, `schema_changed`).
    pub fn from_world(world: Json, seed: u64) -> Result<Self, WorldError> {
        Ok(Self::over(world_file::load(world, seed)?))
    }

    /// A new organization: one administrator, the usual stages and statuses, a standard price book.
    pub fn empty(seed: u64) -> Self {
        // An empty file has nothing that could be refused.
        Self::from_world(json!({}), seed).unwrap_or_else(|_| Self::over(World::blank(seed)))
    }

    fn over(world: World) -> Self {
        Self { world, limits: Limits::default(), cursors: Cursors::default(), cost: 0 }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.world.settings
    }

    /// The settings, to change them. `audit_fields` counts when a world is loaded.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.world.settings
    }

    fn answer(&mut self, request: &Request, at: Seconds, interference: &Interference) -> Reply {
        let query: usize = request.query.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
        if request.path.len() + query > LONGEST_URI {
            return Reply::html(414, "<html><body><h1>URI Too Long</h1></body></html>");
        }
        let path = request.path.trim_end_matches('/');
        match (request.method.as_str(), path) {
            ("GET", "/services/data") => return self.versions(),
            ("GET", "/services/oauth2/authorize") => return oauth::authorize(&mut self.world, request, at),
            ("POST", "/services/oauth2/token") => return oauth::token(&mut self.world, request, at),
            ("POST", "/services/oauth2/revoke") => return oauth::revoke(&mut self.world, request),
            ("POST", path) if path.starts_with("/services/Soap/u/") => {
                return self.soap(request, at);
            }
            _ => {}
        }
        self.authorised(request, at, interference).unwrap_or_else(|fault| fault.reply())
    }

    /// SOAP: whoever comes with a session takes from the same budget.
    fn soap(&mut self, request: &Request, at: Seconds) -> Reply {
        let call = match soap::read(&self.world, request) {
            Ok(call) => call,
            Err(reply) => return reply,
        };
        if call.is_login() {
            return soap::login(&mut self.world, request, &call, at);
        }
        let spent = soap::enter(&mut self.world, &call, at).and_then(|user| {
            self.cost = 1;
            self.limits.spend(&self.world, 1, at)?;
            Ok(user)
        });
        match spent {
            Ok(user) => soap::answer(&mut self.world, &call, user, at),
            Err(fault) => soap::refused(&fault),
        }
    }

    /// What needs a session.
    fn authorised(&mut self, request: &Request, at: Seconds, interference: &Interference) -> refusal::Answer {
        let expired = || Fault::new("INVALID_SESSION_ID", "Session expired or invalid");
        let header = request.header("authorization").unwrap_or("");
        let token = header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("OAuth "));
        // The identity service takes the token from the query too.
        let token = token.or(request.param("oauth_token").filter(|_| request.path.starts_with("/id/")));
        let token = token.ok_or_else(|| Fault::new("INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"))?;
        let idle = self.world.settings.session_s;
        let user = self.world.access.enter(token, at, idle).ok_or_else(expired)?;
        if !self.world.is_active_user(&user) {
            return Err(expired());
        }
        let own = format!("/id/{}/{user}", self.world.org.id);
        if request.path.starts_with("/services/oauth2/userinfo") || request.path == own {
            return oauth::userinfo(&self.world, &user, request.header("host").unwrap_or("localhost"));
        }
        if !self.world.settings.api {
            return Err(Fault::new("API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner"));
        }
        self.cost = 1;
        self.limits.spend(&self.world, 1, at)?;
        let answer = self.routed(request, user, at, interference);
        Ok(self.limits.stamp(answer.unwrap_or_else(|fault| fault.reply())))
    }

    fn routed(&mut self, request: &Request, user: String, at: Seconds, interference: &Interference) -> refusal::Answer {
        let (version, path) = address(&request.path).ok_or_else(Fault::not_found)?;
        if version > self.world.org.version {
            return Err(Fault::not_found());
        }
        if version < self.world.org.oldest_version {
            let message = format!("Requested API version is not supported: {version}.0");
            return Err(Fault::new("UNSUPPORTED_API_VERSION", message));
        }
        let call = Call { request, path, version, user, at, apply_only: interference.apply_only };
        routes::answer(self, &call)
    }

    /// `GET /services/data`, for which no token is needed (sheet: \[fixture\]).
    fn versions(&self) -> Reply {
        let org = &self.world.org;
        let list: Vec<Json> = (org.oldest_version..=org.version)
            .map(|version| {
                // Three releases a year; v66.0 is Spring '26 [doc].
                let season = ["Summer", "Winter", "Spring"][usize::from(version % 3 + 2) % 3];
                let year = (version + 13) / 3;
                let label = format!("{season} '{year}");
                json!({"label": label, "url": format!("/services/data/v{version}.0"), "version": format!("{version}.0")})
            })
            .collect();
        Reply::json(200, &list)
    }
}

/// The version and the decoded segments behind it.
fn address(path: &str) -> Option<(u16, Vec<String>)> {
    let rest = path.strip_prefix("/services/data/v")?;
    let (version, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let version = version.strip_suffix(".0")?.parse().ok()?;
    let segments = rest.split('/').filter(|segment| !segment.is_empty());
    Some((version, segments.map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned()).collect()))
}

impl Platform for Salesforce {
    fn name(&self) -> &'static str {
        "salesforce"
    }

    fn handle(&mut self, request: &Request, now: Timestamp, interference: &Interference) -> Outcome {
        let at = now.as_second();
        self.cost = 0;
        self.world.purge(at);
        bulk::settle(&mut self.world, at);
        let reply = self.answer(request, at, interference);
        Outcome { reply, changes: self.world.settle(), events: Vec::new() }
    }

    fn fault_reply(&self, fault: &Invented, _now: Timestamp) -> Reply {
        let html =
            |status: u16, title: &str| Reply::html(status, &format!("<html><body><h1>{title}</h1></body></html>"));
        let retry = |reply: Reply, after: Option<u64>| match after {
            Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
            None => reply,
        };
        match fault {
            Invented::Limited { scope, retry_after_s } => {
                let message = match scope {
                    LimitScope::Burst => "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
                    LimitScope::Daily | LimitScope::Search => "TotalRequests Limit exceeded.",
                };
                retry(self.limits.stamp(limits::exceeded(message).reply()), *retry_after_s)
            }
            // Gateways answer in HTML (sheet: section 6: never assume JSON).
            Invented::Failed { status: status @ 502..=504 } => html(*status, "Error"),
            Invented::Failed { status } => {
                Fault::new("UNKNOWN_EXCEPTION", "An unexpected error occurred.").with_status(*status).reply()
            }
            Invented::ExpiredToken => Fault::new("INVALID_SESSION_ID", "Session expired or invalid").reply(),
            Invented::Maintenance { status, retry_after_s } => {
                retry(html(status.unwrap_or(503), "Down for Maintenance"), *retry_after_s)
            }
        }
    }

    fn disturb(&mut self, disturbance: &Disturbance, now: Timestamp) -> Vec<Change> {
        bulk::settle(&mut self.world, now.as_second());
        disturb::disturb(&mut self.world, disturbance, now.as_second());
        self.world.settle()
    }

    fn credentials(&self) -> Json {
        let access = &self.world.access;
        let session = access.sessions.iter().find(|(_, session)| session.used.is_none());
        let app = access.apps.first();
        let login = access.passwords.first_key_value();
        json!({
            "token": session.map(|(token, _)| token),
            "user_id": session.map(|(_, session)| &session.user),
            "org_id": self.world.org.id,
            "client_id": app.map(|app| &app.client_id),
            "client_secret": app.map(|app| &app.client_secret),
            "refresh_token": app.and_then(|app| app.refresh_tokens.keys().next()),
            "username": login.map(|(name, _)| name),
            "password": login.map(|(_, password)| password),
        })
    }

    fn world(&self) -> Json {
        world_file::dump(&self.world)
    }

    fn set_limits(&mut self, real: bool) {
        self.world.settings.limits = real;
    }

    fn cost(&self) -> u64 {
        self.cost
    }

    fn refreshable(&self, request: &Request) -> bool {
        let token = request.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
        token.and_then(|token| self.world.access.sessions.get(token)).is_some_and(|session| session.refreshable)
    }

    fn changes_state(&self, request: &Request) -> bool {
        // Agreeing in the browser is a GET that draws a code.
        request.method != "GET" || request.path.ends_with("/authorize")
    }
}

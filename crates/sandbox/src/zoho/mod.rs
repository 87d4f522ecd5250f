//! Zoho CRM: the REST API of an organization in memory, v2 to v8, with its accounts server, COQL, search, bulk jobs
//! and notifications.
//!
//! Written from the sheet, sections 1 to 10. What the sheet leaves open is a setting ([`Settings`]) whose default
//! is the stricter reading. A request goes through one pipe: host, token, concurrency, credits, route, scope.
//!
//! Invariants:
//! - A reply depends on the world, the request, the time and the seed alone. Ids and tokens are drawn from
//!   counters that stand in the world, so that replaying the writes gives the same world.
//! - A refused record has changed nothing. Every change of a record passes `world::World::put` or `take`.
//! - Deliberately absent: workflows, approvals, blueprints, territories, sharing, custom views, photos, e-mails,
//!   map dependencies, formulas, roll-ups; one request at a time is in flight unless the settings say how long
//!   one takes.
//!
//! Ids in the journal: records by their id under the module's API name, links as `ID:ID` under `links` and
//! `Contact_Roles`.

mod access;
mod bulk;
mod call;
mod catalogue;
mod convert;
mod coql;
mod criteria;
mod custom;
mod disturb;
mod draft;
mod files;
mod instant;
mod limits;
mod list;
mod mass;
mod merge;
mod metadata;
mod oauth;
mod org;
mod people;
mod refusal;
mod related;
mod remove;
mod routes;
mod rules;
mod schema;
mod scopes;
mod search;
mod settings;
mod tags;
mod values;
mod view;
mod watch;
mod world;
mod world_file;
mod write;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Value as Json, json};

pub use settings::{ManyMatches, NotFound, Settings, UnknownPick, Unwritable};
pub use world_file::WorldError;

use call::Call;
use instant::Seconds;
use limits::Limits;
use refusal::{Answer, Refusal};
use world::World;

use crate::faults::{Disturbance, Interference, Invented, LimitScope};
use crate::journal::Change;
use crate::{Event, Outcome, Platform, Reply, Request};

/// The versions that answer (sheet: section 2).
const VERSIONS: std::ops::RangeInclusive<u16> = 2..=8;

/// One organization behind its API.
#[derive(Debug)]
pub struct Zoho {
    world: World,
    limits: Limits,
    cost: u64,
    /// Deliveries that disturbances brought about.
    told: Vec<Event>,
}

impl Zoho {
    /// The organization of a world file. `seed` is used when the file names none.
    ///
    /// The file is a JSON object; every key may be missing: `platform`, `seed`, `org`, `settings`, `access`,
    /// `users`, `modules`, `fields`, `layouts`, `records`, `links`, `roles`, `role_names`, `tags`, `files`,
    /// `channels`, and what a dump adds (`complete`, `bin`, `jobs`, `next`).
    ///
    /// # Errors
    /// When the file is not of this shape, or does not fit together.
    pub fn from_world(world: Json, seed: u64) -> Result<Self, WorldError> {
        Ok(Self::over(world_file::load(world, seed)?))
    }

    /// A new organization: one administrator, one pipeline, no records.
    pub fn empty(seed: u64) -> Self {
        // An empty file has nothing that could be refused.
        Self::from_world(json!({}), seed).unwrap_or_else(|_| Self::over(World::blank(seed)))
    }

    fn over(world: World) -> Self {
        Self { world, limits: Limits::default(), cost: 0, told: Vec::new() }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.world.settings
    }

    /// The settings, to change them.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.world.settings
    }

    fn answer(&mut self, request: &Request, now: Timestamp, interference: &Interference) -> Reply {
        if request.path.starts_with("/oauth/") {
            return oauth::answer(&mut self.world, request, now.as_second());
        }
        self.authorised(request, now, interference).unwrap_or_else(|refusal| refusal.reply())
    }

    /// What needs an access token.
    fn authorised(&mut self, request: &Request, now: Timestamp, interference: &Interference) -> Answer {
        let at = now.as_second();
        let (version, path) = address(&request.path).ok_or_else(Refusal::no_url)?;
        let invalid = || Refusal::new("INVALID_TOKEN", "invalid oauth token");
        if self.world.settings.api_host.as_deref().is_some_and(|host| request.header("host") != Some(host)) {
            return Err(match self.world.settings.invalid_host {
                true => Refusal::new("INVALID_HOST", "invalid host"),
                false => invalid(),
            });
        }
        let header = request.header("authorization").unwrap_or("");
        let token = header.strip_prefix("Zoho-oauthtoken ").filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| Refusal::new("AUTHENTICATION_FAILURE", "Authentication failed"))?;
        let token = self.world.access.enter(token, at).ok_or_else(invalid)?;
        let (user, scope) = (token.user, token.scope.clone());
        if !self.world.is_active_user(user) {
            return Err(Refusal::new("AUTHENTICATION_FAILURE", "Authentication failed"));
        }
        let call = Call { request, path, version, user, scope, at, apply_only: interference.apply_only };
        let (credits, heavy) = routes::cost(&call);
        self.limits.enter(&self.world, now.as_millisecond(), heavy)?;
        self.limits.spend(&self.world, credits, at)?;
        self.cost = credits;
        let answer = routes::answer(self, &call);
        Ok(self.limits.stamp(&self.world, answer.unwrap_or_else(|refusal| refusal.reply())))
    }

    /// Ends a request: the changes for the journal and the deliveries that follow.
    fn settle(&mut self, request: &Request) -> (Vec<Change>, Vec<Event>) {
        let hushed = std::mem::take(&mut self.world.hushed);
        let events = if hushed { Vec::new() } else { watch::events(&self.world, request) };
        (self.world.settle(), events)
    }
}

/// The version and the decoded segments behind it.
fn address(path: &str) -> Option<(u16, Vec<String>)> {
    let rest = path.strip_prefix("/crm/")?;
    let (bulk, rest) = match rest.strip_prefix("bulk/") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let (version, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let version = version.strip_prefix('v')?.split('.').next()?.parse().ok()?;
    let segments = rest.split('/').filter(|segment| !segment.is_empty());
    let segments = segments.map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned());
    let head = bulk.then(|| "bulk".to_owned());
    VERSIONS.contains(&version).then(|| (version, head.into_iter().chain(segments).collect()))
}

impl Platform for Zoho {
    fn name(&self) -> &'static str {
        "zoho"
    }

    fn handle(&mut self, request: &Request, now: Timestamp, interference: &Interference) -> Outcome {
        let at: Seconds = now.as_second();
        self.cost = 0;
        self.world.begin(at);
        let mut ended = bulk::settle(&mut self.world);
        let reply = self.answer(request, now, interference);
        let (changes, events) = self.settle(request);
        ended.extend(events);
        Outcome { reply, changes, events: ended }
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
                    LimitScope::Burst | LimitScope::Search => "The number of concurrent calls has exceeded the limit",
                    LimitScope::Daily => "You have exceeded the maximum number of API credits",
                };
                retry(limits::too_many(message).reply(), *retry_after_s)
            }
            Invented::Failed { status: status @ 502..=504 } => html(*status, "Error"),
            Invented::Failed { status } => {
                Refusal::new("INTERNAL_ERROR", "Internal Server Error").with_status(*status).reply()
            }
            Invented::ExpiredToken => Refusal::new("INVALID_TOKEN", "invalid oauth token").reply(),
            Invented::Maintenance { status, retry_after_s } => {
                retry(html(status.unwrap_or(503), "Service Unavailable"), *retry_after_s)
            }
        }
    }

    fn disturb(&mut self, disturbance: &Disturbance, now: Timestamp) -> Vec<Change> {
        self.world.begin(now.as_second());
        let ended = bulk::settle(&mut self.world);
        self.told.extend(ended);
        disturb::disturb(&mut self.world, disturbance);
        let (changes, events) = self.settle(&Request::new("DISTURB", "/"));
        self.told.extend(events);
        changes
    }

    fn credentials(&self) -> Json {
        let access = &self.world.access;
        let token = access.tokens.iter().find(|(_, token)| token.until.is_none());
        let client = access.clients.first();
        json!({
            "token": token.map(|(token, _)| token),
            "user_id": token.map(|(_, token)| token.user.to_string()),
            "org_id": self.world.org.id.to_string(),
            "zgid": self.world.org.zgid,
            "dc": self.world.org.dc,
            "client_id": client.map(|client| &client.client_id),
            "client_secret": client.map(|client| &client.client_secret),
            "refresh_token": access.refresh_tokens.keys().next(),
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
        let token = request.header("authorization").and_then(|header| header.strip_prefix("Zoho-oauthtoken "));
        token.and_then(|token| self.world.access.tokens.get(token)).is_some_and(|token| token.refresh.is_some())
    }

    fn changes_state(&self, request: &Request) -> bool {
        let reads = request.path.ends_with("/coql");
        // Agreeing in the browser is a GET that draws a code.
        (request.method != "GET" && !reads) || request.path.ends_with("/oauth/v2/auth")
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.told)
    }
}

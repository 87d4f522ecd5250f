//! HubSpot: the CRM API v3 and v4 and its date-versioned forms over a portal in memory.
//!
//! Written from the HubSpot sheet, sections 0b to 9 and its checklist in section 13. What the sheet
//! leaves open is a setting ([`Settings`]) whose default is the stricter reading.
//!
//! Invariants:
//! - A reply depends on the world, the request, the time and the seed alone. Ids and tokens are drawn
//!   from counters that stand in the world, so that replaying the writes gives the same world.
//! - A refused write has changed nothing, except where a setting asks for it.
//! - Every change of a record passes `world::World::put`; every change is in the journal.
//! - Deliberately absent: imports, lists, conversations, marketing, calculated values that need
//!   exchange rates or roll-ups, permissions of users.

mod access;
mod account;
mod associations;
mod batch;
mod call;
mod catalogue;
mod draft;
mod email;
mod files;
mod groups;
mod instant;
mod kinds;
mod labels;
mod later;
mod link_types;
mod links;
mod merge;
mod meters;
mod oauth;
mod objects;
mod pipelines;
mod portal;
mod properties;
mod property;
mod record;
mod refusal;
mod routes;
mod search;
mod settings;
mod values;
mod view;
mod webhooks;
mod world;
mod world_file;
mod write;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

pub use portal::Tier;
pub use settings::{Backward, Duplicates, RowErrors, Rule, Settings};
pub use world_file::WorldError;

use access::Access;
use call::Call;
use meters::Meters;
use refusal::{Answer, Refusal};
use webhooks::{Occurrence, WebhookApp};
use world::World;

use crate::faults::{Disturbance, Interference, Invented, LimitScope};
use crate::journal::Change;
use crate::{Event, Outcome, Platform, Reply, Request, Retry};

/// The longest URI that is accepted (sheet: HubSpot section 4 \[obs\]: 5,116 characters were; 414 exists).
const LONGEST_URI: usize = 8_192;

/// One portal with its API.
pub struct Hubspot {
    seed: u64,
    world: World,
    access: Access,
    meters: Meters,
    webhooks: Vec<WebhookApp>,
    /// Requests so far; only correlation ids and event ids depend on it.
    requests: u64,
    changes: Vec<Change>,
    occurrences: Vec<Occurrence>,
    /// Deliveries that follow from disturbances.
    told: Vec<Event>,
    /// Changes, occurrences and follow-ups when a transaction began.
    marks: Option<(usize, usize, usize)>,
}

impl Hubspot {
    /// A portal from a world file (`{"platform": "hubspot", ...}`).
    pub fn from_world(world: Json, seed: u64) -> Result<Self, WorldError> {
        world_file::load(world, seed)
    }

    /// A new portal: default pipelines and properties, one owner, company currency EUR, one private app
    /// with all scopes, one OAuth app.
    pub fn empty(seed: u64) -> Self {
        world_file::fresh(seed)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.world.settings
    }

    /// The settings, to change them.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.world.settings
    }

    /// Bytes that depend on nothing but the seed and the arguments.
    fn draw(&self, purpose: &str, number: u64) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes()).update(&number.to_le_bytes()).update(purpose.as_bytes());
        *hasher.finalize().as_bytes()
    }

    /// Brings a list into an order that depends on the seed and its content.
    fn shuffle(&self, list: &mut Vec<Json>, purpose: &str) {
        let mut keyed: Vec<([u8; 32], Json)> = std::mem::take(list)
            .into_iter()
            .enumerate()
            .map(|(at, item)| {
                let id = item.get("id").and_then(Json::as_str).unwrap_or("").to_owned();
                (self.draw(&format!("{purpose} {id}"), at as u64), item)
            })
            .collect();
        keyed.sort_by_key(|(key, _)| *key);
        *list = keyed.into_iter().map(|(_, item)| item).collect();
    }

    fn correlation_id(&self, now: i64) -> String {
        let bytes = self.draw(&format!("correlation {now}"), self.requests);
        let mut id = [0; 16];
        id.copy_from_slice(&bytes[..16]);
        uuid::Builder::from_random_bytes(id).into_uuid().to_string()
    }

    fn begin(&mut self) {
        self.marks = Some((self.changes.len(), self.occurrences.len(), self.world.follow_ups.len()));
        self.world.begin();
    }

    fn commit(&mut self) {
        self.marks = None;
        self.world.commit();
    }

    fn rollback(&mut self) {
        if let Some((changes, occurrences, follow_ups)) = self.marks.take() {
            self.changes.truncate(changes);
            self.occurrences.truncate(occurrences);
            self.world.follow_ups.truncate(follow_ups);
        }
        self.world.rollback();
    }

    /// Authentication, scopes, limits, then the route.
    fn answer(&mut self, request: &Request, now: i64, interference: &Interference) -> Answer {
        let query: usize = request.query.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
        if request.path.len() + query > LONGEST_URI {
            return Err(Refusal::new(414, "", "URI Too Long"));
        }
        let path = routes::canonical(&request.path);
        let mut call = Call {
            request,
            path: path.segments,
            enforce_rules: path.enforce_rules,
            now,
            apply_only: interference.apply_only,
            app: 0,
        };
        if routes::is_open(&call.path) {
            return routes::answer(self, &call);
        }
        let principal = self.access.principal(request, now)?;
        let search = routes::is_search(&call.path);
        call.app = principal.app;
        let admitted = self.meters.admit(&self.world.account, &principal, search, now);
        let answer = admitted.and_then(|()| self.admitted(&call, &principal));
        let reply = answer.unwrap_or_else(|refusal| self.refused(&refusal, now));
        Ok(if search { reply } else { self.meters.headers(&self.world.account, &principal, now, reply) })
    }

    fn admitted(&mut self, call: &Call<'_>, principal: &access::Principal) -> Answer {
        let method = call.request.method.as_str();
        access::check_scopes(principal, &routes::needs(&self.world, method, &call.path))?;
        if let Some(kind) = routes::written_kind(&self.world, method, &call.path) {
            let limit = self.world.settings.lock_writes_per_second;
            self.meters.admit_write(kind, limit, call.now)?;
        }
        routes::answer(self, call)
    }

    fn refused(&self, refusal: &Refusal, now: i64) -> Reply {
        Reply::json(refusal.status, &refusal.body(&self.correlation_id(now)))
    }
}

/// 204.
fn no_content() -> Reply {
    Reply { status: 204, headers: Vec::new(), body: Vec::new() }
}

impl Platform for Hubspot {
    fn name(&self) -> &'static str {
        "hubspot"
    }

    fn handle(&mut self, request: &Request, now: Timestamp, interference: &Interference) -> Outcome {
        let now = now.as_millisecond();
        self.requests += 1;
        later::settle(self, now);
        let answer = self.answer(request, now, interference);
        let reply = answer.unwrap_or_else(|refusal| self.refused(&refusal, now));
        let id = self.correlation_id(now);
        let reply = reply.with_header("x-hubspot-correlation-id", id.clone()).with_header("x-request-id", id);
        let events = webhooks::deliveries(self, now);
        Outcome { reply, changes: std::mem::take(&mut self.changes), events }
    }

    fn fault_reply(&self, fault: &Invented, now: Timestamp) -> Reply {
        let now = now.as_millisecond();
        let retry = |reply: Reply, after: &Option<u64>| match after {
            Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
            None => reply,
        };
        match fault {
            Invented::Limited { scope, retry_after_s } => {
                let refusal = match scope {
                    LimitScope::Burst => meters::burst(),
                    LimitScope::Daily => meters::daily(),
                    LimitScope::Search => meters::secondly(),
                };
                retry(self.refused(&refusal, now), retry_after_s)
            }
            // Gateways answer in HTML (sheet: section 7 [doc]: 502 to 504 come from the edge).
            Invented::Failed { status: status @ (502..=504 | 521..=526) } => {
                Reply::html(*status, "<html><body><h1>Error</h1></body></html>")
            }
            Invented::Failed { status } => self.refused(&Refusal::new(*status, "", "internal error"), now),
            Invented::ExpiredToken => self.refused(&access::expired(now, now - 75_000), now),
            Invented::Maintenance { status, retry_after_s } => match status.unwrap_or(423) {
                423 => retry(self.refused(&meters::locked(), now), retry_after_s),
                477 => {
                    let refusal = Refusal::new(477, "MIGRATION_IN_PROGRESS", "This account is being migrated.");
                    retry(self.refused(&refusal, now), &retry_after_s.or(Some(3_600)))
                }
                other => retry(self.refused(&Refusal::new(other, "", "service unavailable"), now), retry_after_s),
            },
        }
    }

    fn disturb(&mut self, disturbance: &Disturbance, now: Timestamp) -> Vec<Change> {
        let changes = later::disturb(self, disturbance, now.as_millisecond());
        let told = webhooks::deliveries(self, now.as_millisecond());
        self.told.extend(told);
        changes
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.told)
    }

    fn credentials(&self) -> Json {
        let mut out = serde_json::Map::new();
        if let Some(private) = self.access.private.first() {
            out.insert("token".into(), private.token.clone().into());
        }
        if let Some(app) = self.access.oauth.first() {
            out.insert(
                "oauth".into(),
                json!({"client_id": app.client_id, "client_secret": app.client_secret,
                    "refresh_token": app.refresh_token, "code": app.code}),
            );
        }
        out.insert("portal_id".into(), self.world.account.portal_id.into());
        Json::Object(out)
    }

    fn world(&self) -> Json {
        world_file::dump(self)
    }

    fn set_limits(&mut self, real: bool) {
        self.meters.real = real;
    }

    fn refreshable(&self, request: &Request) -> bool {
        self.access.is_issued(request)
    }

    fn changes_state(&self, request: &Request) -> bool {
        let reads = request.path.ends_with("/search") || request.path.ends_with("/batch/read");
        // Agreeing in the browser is a GET that draws a code.
        let agrees = request.path == "/oauth/authorize";
        agrees || (!matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS") && !reads)
    }

    fn delivered(&mut self, event: &Event, attempt: u32, status: Option<u16>, now: Timestamp) -> Option<Retry> {
        webhooks::retry(self, event, attempt, status, now.as_millisecond())
    }
}

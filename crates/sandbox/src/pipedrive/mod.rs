//! Pipedrive: API v2 under `/api/v2`, v1 under `/api/v1` and `/v1`, OAuth under `/oauth`.
//!
//! Written from the sheet, checklist in its section 13. A request goes through one pipe: route, token,
//! account, budget, scope, handler. Handlers answer or refuse; what they change goes through
//! `call::commit`, so that journal, changelog, indexes and webhooks cannot miss it.
//!
//! Ids in the journal: records by their id (leads by their row's number), participants as
//! `DEAL/PERSON`, fields by their code, options as `FIELD/OPTION`.
//!
//! Deliberately absent: projects, goals, boards, installments, discounts, follower lists, sending
//! and receiving e-mail, and everything that the v1 API lost on 2026-08-01.

mod account;
mod activity_types;
mod auth;
mod call;
mod calls;
mod counts;
mod custom;
mod deal_products;
mod defaults;
mod derive;
mod dump;
mod feeds;
mod field_routes;
mod files;
mod filters;
mod html;
mod kind;
mod leads;
mod limits;
mod load;
mod mail;
mod merge;
mod notes;
mod objects;
mod page;
mod participation;
mod pipelines;
mod record;
mod refusal;
mod relations;
mod render;
mod routes;
mod schema;
mod search;
mod time;
mod upheaval;
mod users;
mod validate;
mod webhooks;
mod world;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

pub use load::WorldError;

use crate::faults::{Disturbance, Interference, Invented};
use crate::journal::Change;
use crate::{Event, Outcome, Platform, Reply, Request, Retry};
use call::Call;
use limits::Limits;
use routes::Found;
use world::World;

/// One Pipedrive account behind its API.
#[derive(Debug)]
pub struct Pipedrive {
    world: World,
    limits: Limits,
    cost: u64,
    /// Webhook deliveries that disturbances brought about.
    told: Vec<Event>,
}

impl Pipedrive {
    /// The account of a world file. `seed` is used when the file names none.
    ///
    /// The file is a JSON object; every key may be missing:
    /// `platform`, `seed`, `account`, `settings`, `users`, `currencies`, `pipelines`, `stages`,
    /// `activity_types`, `lead_labels`, `{organization,person,deal,activity,product}_fields` (custom
    /// fields), `labels` (options of system fields by kind), `organizations`, `persons`, `deals`,
    /// `activities`, `products` (v2 shapes), `notes`, `files` (v1 shapes; files with `content_base64`,
    /// null for a file whose bytes are gone, or `content_seed` and `size`), `leads`, `deal_participants`, `deal_products`,
    /// `organization_relationships`, `mail_messages` (v1 shape with `body`, each with `deal_id`, `person_id` or parties with
    /// `linked_person_id`), `webhooks`,
    /// `filters`, `call_logs`, `changelog`, `merged`, `next_ids`, `drawn`.
    pub fn from_world(world: Json, seed: u64) -> Result<Self, WorldError> {
        Ok(Self { world: load::world(world, seed)?, limits: Limits::default(), cost: 0, told: Vec::new() })
    }

    /// A new account: one administrator, one pipeline, the usual stages and activity types.
    pub fn empty(seed: u64) -> Self {
        match Self::from_world(json!({}), seed) {
            Ok(empty) => empty,
            // An empty file has nothing that could be refused.
            Err(_) => Self { world: World::blank(seed), limits: Limits::default(), cost: 0, told: Vec::new() },
        }
    }

    fn answer(&mut self, call: &mut Call<'_>) -> Reply {
        let (route, path) = match routes::find(&call.request.method, &call.request.path) {
            Found::Route(route, path) => (route, path),
            Found::Reply(reply) => return reply,
            Found::Authorize => return auth::authorize(&mut self.world, call),
            Found::Token => return auth::token(&mut self.world, call),
            Found::Revoke => return auth::revoke(&mut self.world, call),
        };
        call.path = path;
        let Some(actor) = auth::actor(&self.world, call.request, call.at) else {
            return refusal::unauthorized();
        };
        call.actor = actor;
        if !self.world.account.open {
            return *refusal::Refusal::closed().0;
        }
        let budget = match self.limits.spend(&self.world, &call.actor, route.cost, route.search, call.now) {
            Ok(budget) => budget,
            Err(reply) => return *reply,
        };
        self.cost = route.cost;
        let reply = if auth::allows(&call.actor, route.scopes()) {
            (route.handler)(&mut self.world, call)
        } else {
            Err(refusal::Refusal::scope())
        };
        limits::stamp(reply.unwrap_or_else(|refusal| *refusal.0), budget)
    }
}

impl Platform for Pipedrive {
    fn name(&self) -> &'static str {
        "pipedrive"
    }

    fn handle(&mut self, request: &Request, now: Timestamp, interference: &Interference) -> Outcome {
        self.cost = 0;
        let mut call = Call::new(request, now, interference);
        upheaval::purge(&mut self.world, &mut call);
        let purged = call.changes.len();
        let reply = self.answer(&mut call);
        if reply.status >= 400 && call.changes.len() > purged {
            // A handler refuses before it changes anything, or answers.
            debug_assert!(call.interference.apply_only.is_some(), "a refusal that changed something");
        }
        Outcome { reply, changes: call.changes, events: call.events }
    }

    fn fault_reply(&self, fault: &Invented, now: Timestamp) -> Reply {
        match fault {
            Invented::Limited { scope, retry_after_s } => {
                limits::limited(*retry_after_s, self.limits.invented(&self.world, *scope, now))
            }
            Invented::Failed { status } => refusal::failed(*status),
            Invented::ExpiredToken => refusal::unauthorized(),
            Invented::Maintenance { status, retry_after_s } => {
                let reply = refusal::failed(status.unwrap_or(503));
                match retry_after_s {
                    Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
                    None => reply,
                }
            }
        }
    }

    fn disturb(&mut self, disturbance: &Disturbance, now: Timestamp) -> Vec<Change> {
        let (changes, events) = upheaval::disturb(&mut self.world, disturbance, now);
        self.told.extend(events);
        changes
    }

    fn credentials(&self) -> Json {
        let token = self.world.account.api_tokens.first();
        let client = self.world.account.oauth_clients.first();
        json!({
            "token": token.map(|token| &token.token),
            "user_id": token.map(|token| token.user_id),
            "company_domain": self.world.account.company_domain,
            "client_id": client.map(|client| &client.client_id),
            "client_secret": client.map(|client| &client.client_secret),
            "refresh_token": client.and_then(|client| client.refresh_token.as_ref()),
        })
    }

    fn world(&self) -> Json {
        dump::world(&self.world)
    }

    fn set_limits(&mut self, real: bool) {
        self.world.settings.limits = real;
    }

    fn cost(&self) -> u64 {
        self.cost
    }

    fn refreshable(&self, request: &Request) -> bool {
        auth::is_oauth(&self.world, request)
    }

    fn changes_state(&self, request: &Request) -> bool {
        // Agreeing in the browser is a GET that draws a code.
        request.method != "GET" || request.path == "/oauth/authorize"
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.told)
    }

    fn delivered(&mut self, event: &Event, attempt: u32, status: Option<u16>, now: Timestamp) -> Option<Retry> {
        webhooks::delivered(&mut self.world, event, attempt, status, now)
    }
}

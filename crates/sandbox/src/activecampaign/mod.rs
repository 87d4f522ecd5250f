//! ActiveCampaign: API v3 under `/api/3`.
//!
//! Written from the sheet. A request goes through one pipe: key, payment, limit, rights, route. Collections are
//! data ([`kind`]); one reader and one writer serve them all, and what is peculiar to one stands in [`rules`].
//! Handlers answer or refuse; what they change goes through `call::commit`, so that journal, indexes and webhooks
//! cannot miss it.
//!
//! Objects in the journal are named by the root of one record (`contact`, `dealTask`); custom values are `field_ID`.
//!
//! Deliberately absent: campaigns, automations, forms, segments, scores, tracking, e-commerce, SMS, groups, and
//! everything of v1.

mod account;
mod call;
mod contacts;
mod custom_objects;
mod imports;
mod kind;
mod limits;
mod list;
mod load;
mod refusal;
mod render;
mod routes;
mod rules;
mod time;
mod upheaval;
mod values;
mod webhooks;
mod world;
mod write;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

pub use load::WorldError;

use crate::faults::{Disturbance, Interference, Invented};
use crate::journal::Change;
use crate::{Event, Outcome, Platform, Reply, Request, Retry};
use call::Call;
use limits::Limits;
use refusal::Refusal;
use world::World;

/// One ActiveCampaign account behind its API.
#[derive(Debug)]
pub struct ActiveCampaign {
    world: World,
    limits: Limits,
    /// Webhook deliveries that disturbances brought about.
    told: Vec<Event>,
}

impl ActiveCampaign {
    /// The account of a world file. `seed` is used when the file names none.
    ///
    /// The file is a JSON object; every key may be missing: `platform`, `seed`, `account`, `settings`, a list for
    /// each collection under its path (`users`, `contacts`, `accounts`, `accountContacts`, `dealGroups`, `dealStages`,
    /// `deals`, `dealRoles`, `contactDeals`, `notes`, `dealTasktypes`, `dealTasks`, `fields`, `fieldOptions`,
    /// `fieldRels`, `dealCustomFieldMeta`, `accountCustomFieldMeta`, `lists`, `contactLists`, `tags`, `contactTags`,
    /// `webhooks`), custom values in `fieldValues` of contacts and in `fields` of deals and accounts, `schemas` and
    /// `records` of custom objects, `imports`, `next_ids`, `next_values`, `drawn`.
    ///
    /// # Errors
    /// When the file is not of this shape.
    pub fn from_world(world: Json, seed: u64) -> Result<Self, WorldError> {
        Ok(Self { world: load::world(world, seed)?, limits: Limits::default(), told: Vec::new() })
    }

    /// A new account: one user, one pipeline with three stages, the usual types of tasks.
    pub fn empty(seed: u64) -> Self {
        match Self::from_world(json!({}), seed) {
            Ok(empty) => empty,
            // An empty file has nothing that could be refused.
            Err(_) => Self { world: World::blank(seed), limits: Limits::default(), told: Vec::new() },
        }
    }

    fn answer(&mut self, call: &mut Call<'_>) -> Reply {
        let Some(path) = call.request.path.strip_prefix("/api/3/") else { return refusal::unknown_path() };
        let key = call.request.header("api-token").unwrap_or_default();
        let Some(key) = self.world.account.api_keys.iter().find(|known| known.key == key) else {
            return refusal::unauthorized(self.world.settings.unauthorized_401);
        };
        call.user = key.user_id;
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let is_hidden = key.hidden.iter().any(|hidden| parts.first() == Some(&hidden.as_str()));
        if !self.world.account.paid {
            return refusal::unpaid();
        }
        let left = match self.limits.spend(&self.world, call.now) {
            Ok(left) => left,
            Err(reply) => return *reply,
        };
        let answer = if is_hidden {
            Err(Refusal::forbidden("You do not have permission to access this resource."))
        } else {
            routes::answer(&mut self.world, call, &parts)
        };
        limits::stamp(answer.unwrap_or_else(|refusal| *refusal.0), self.world.settings.per_second, left)
    }
}

impl Platform for ActiveCampaign {
    fn name(&self) -> &'static str {
        "activecampaign"
    }

    fn handle(&mut self, request: &Request, now: Timestamp, interference: &Interference) -> Outcome {
        let mut call = Call::new(&self.world, request, now, interference);
        let reply = self.answer(&mut call);
        Outcome { reply, changes: call.changes, events: call.events }
    }

    fn fault_reply(&self, fault: &Invented, _now: Timestamp) -> Reply {
        match fault {
            Invented::Limited { retry_after_s, .. } => limits::limited(*retry_after_s, self.world.settings.per_second),
            Invented::Failed { status } => refusal::failed(*status),
            Invented::ExpiredToken => refusal::unauthorized(self.world.settings.unauthorized_401),
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
        let key = self.world.account.api_keys.first();
        json!({"token": key.map(|key| &key.key), "user_id": key.map(|key| key.user_id)})
    }

    fn world(&self) -> Json {
        load::dump(&self.world)
    }

    fn set_limits(&mut self, real: bool) {
        self.world.settings.limits = real;
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.told)
    }

    fn delivered(&mut self, event: &Event, _attempt: u32, status: Option<u16>, now: Timestamp) -> Option<Retry> {
        webhooks::delivered(&mut self.world, event, status, now)
    }
}

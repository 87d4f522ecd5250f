//! Budgets: tokens per day, requests in two seconds, searches in two seconds, and the wall that a
//! client meets who ignores them (sheet: Pipedrive section 6 \[doc\]).
//!
//! The day ends at midnight UTC; the sheet says "server time" without naming the zone.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::call::Actor;
use super::refusal;
use super::world::World;
use crate::Reply;
use crate::faults::LimitScope;

/// The rolling window of the burst limits.
const WINDOW_MS: i64 = 2_000;

/// Searches allowed in the window, on every plan.
const SEARCHES: usize = 10;

/// How long the Cloudflare page stands, in seconds; not documented.
const WALL_S: i64 = 60;

/// What has been used so far.
#[derive(Debug, Default)]
pub(super) struct Limits {
    day: i64,
    used: u64,
    recent: BTreeMap<String, VecDeque<i64>>,
    searches: BTreeMap<String, VecDeque<i64>>,
    ignored: BTreeMap<String, u32>,
    walled: BTreeMap<String, i64>,
}

/// What the headers of a reply say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    pub(super) limit: usize,
    pub(super) remaining: usize,
    pub(super) daily_limit: u64,
    pub(super) daily_remaining: u64,
}

impl Limits {
    /// Takes a request's cost from the budgets, or says why it cannot.
    pub(super) fn spend(
        &mut self,
        world: &World,
        actor: &Actor,
        cost: u64,
        search: bool,
        now: Timestamp,
    ) -> Result<Budget, Box<Reply>> {
        let at = now.as_millisecond();
        let day = day_of(now);
        if day != self.day {
            self.day = day;
            self.used = 0;
        }
        let budget = self.budget(world, actor, at);
        if world.settings.limits {
            if self.walled.get(&actor.token).is_some_and(|until| at < *until) {
                return Err(Box::new(refusal::cloudflare()));
            }
            let searches = self.searches.entry(actor.token.clone()).or_default();
            forget(searches, at);
            let too_many_searches = search && searches.len() >= SEARCHES;
            if budget.daily_remaining < cost || budget.remaining == 0 || too_many_searches {
                return Err(Box::new(self.refuse(world, actor, budget, at)));
            }
            if search {
                searches.push_back(at);
            }
            self.ignored.remove(&actor.token);
        }
        self.used += cost;
        self.recent.entry(actor.token.clone()).or_default().push_back(at);
        Ok(self.budget(world, actor, at))
    }

    fn refuse(&mut self, world: &World, actor: &Actor, budget: Budget, at: i64) -> Reply {
        let ignored = self.ignored.entry(actor.token.clone()).or_default();
        *ignored += 1;
        let patience = world.settings.abuse_after;
        if patience != 0 && *ignored > patience && actor.scopes.is_none() {
            self.walled.insert(actor.token.clone(), at + WALL_S * 1_000);
            self.ignored.remove(&actor.token);
            return refusal::cloudflare();
        }
        limited(None, budget)
    }

    /// The headers of a 429 that the fault plan invents: the account's true day, and nothing left of the
    /// limit that is said to be met.
    pub(super) fn invented(&self, world: &World, scope: LimitScope, now: Timestamp) -> Budget {
        let limit = world.settings.burst.unwrap_or(world.account.plan.burst());
        let daily_limit = daily_budget(world);
        let used = if day_of(now) == self.day { self.used } else { 0 };
        let daily = scope == LimitScope::Daily;
        Budget {
            limit,
            remaining: if daily { limit.saturating_sub(1) } else { 0 },
            daily_limit,
            daily_remaining: if daily { 0 } else { daily_limit.saturating_sub(used) },
        }
    }

    fn budget(&mut self, world: &World, actor: &Actor, at: i64) -> Budget {
        let plan = world.account.plan;
        let factor = if actor.scopes.is_some() { 4 } else { 1 };
        let limit = world.settings.burst.unwrap_or(plan.burst() * factor);
        let daily = daily_budget(world);
        let recent = self.recent.entry(actor.token.clone()).or_default();
        forget(recent, at);
        Budget {
            limit,
            remaining: limit.saturating_sub(recent.len()),
            daily_limit: daily,
            daily_remaining: daily.saturating_sub(self.used),
        }
    }
}

fn day_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(86_400)
}

/// Tokens of a day (sheet: section 6 \[doc\]).
fn daily_budget(world: &World) -> u64 {
    world.settings.daily_budget.unwrap_or(30_000 * world.account.plan.multiplier() * world.account.seats)
}

/// Drops what has left the window.
fn forget(times: &mut VecDeque<i64>, at: i64) {
    while times.front().is_some_and(|first| *first + WINDOW_MS <= at) {
        times.pop_front();
    }
}

/// The reply with the headers of the limits.
pub(super) fn stamp(reply: Reply, budget: Budget) -> Reply {
    reply
        .with_header("x-ratelimit-limit", budget.limit.to_string())
        .with_header("x-ratelimit-remaining", budget.remaining.to_string())
        .with_header("x-ratelimit-reset", "2")
        .with_header("x-daily-ratelimit-token-limit", budget.daily_limit.to_string())
        .with_header("x-daily-ratelimit-token-remaining", budget.daily_remaining.to_string())
}

/// 429. Burst and daily differ only in the headers (sheet: section 6).
///
/// `Retry-After` is not documented; only a fault plan adds it.
pub(super) fn limited(retry_after_s: Option<u64>, budget: Budget) -> Reply {
    let body = serde_json::json!({"success": false, "error": "Rate limit exceeded", "errorCode": 429});
    let reply = stamp(Reply::json(429, &body), budget);
    match retry_after_s {
        Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
        None => reply,
    }
}

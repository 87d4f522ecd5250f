//! Credits of 24 hours and requests in flight (sheet: section 6).

use std::collections::VecDeque;

use super::instant::Seconds;
use super::refusal::Refusal;
use super::world::World;
use crate::Reply;

const DAY: Seconds = 86_400;

/// Requests of heavy kinds that may be in flight at once, in every edition (sheet: section 6).
const HEAVY: usize = 10;

/// What has been used: credits by minute, and the ends of requests in flight in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Limits {
    minutes: VecDeque<(Seconds, u64)>,
    used: u64,
    flying: Vec<(i64, bool)>,
}

impl Limits {
    /// Lets a request in, or refuses it.
    pub(super) fn enter(&mut self, world: &World, now_ms: i64, heavy: bool) -> Result<(), Refusal> {
        if !world.settings.limits || world.settings.request_ms == 0 {
            return Ok(());
        }
        self.flying.retain(|(end, _)| *end > now_ms);
        let hard = self.flying.iter().filter(|(_, heavy)| *heavy).count();
        if self.flying.len() >= world.org.concurrency() || (heavy && hard >= HEAVY) {
            return Err(too_many("The number of concurrent calls has exceeded the limit"));
        }
        self.flying.push((now_ms + world.settings.request_ms, heavy));
        Ok(())
    }

    /// Takes credits, or refuses.
    pub(super) fn spend(&mut self, world: &World, credits: u64, at: Seconds) -> Result<(), Refusal> {
        while let Some((_, count)) = self.minutes.front().copied().filter(|(minute, _)| *minute + DAY <= at) {
            self.used = self.used.saturating_sub(count);
            self.minutes.pop_front();
        }
        if world.settings.limits && self.used + credits > most(world) {
            return Err(too_many("You have exceeded the maximum number of API credits"));
        }
        let minute = at - at.rem_euclid(60);
        match self.minutes.back_mut().filter(|(last, _)| *last == minute) {
            Some((_, count)) => *count += credits,
            None => self.minutes.push_back((minute, credits)),
        }
        self.used += credits;
        Ok(())
    }

    /// The reply with what is left, once half of it is used (sheet: section 6 \[doc\]).
    pub(super) fn stamp(&self, world: &World, reply: Reply) -> Reply {
        let most = most(world);
        match world.settings.limits && self.used * 2 >= most {
            true => reply.with_header("x-api-credits-remaining", most.saturating_sub(self.used).to_string()),
            false => reply,
        }
    }
}

fn most(world: &World) -> u64 {
    let users = world.users.values().filter(|user| user.is_active()).count();
    world.settings.credits.unwrap_or_else(|| world.org.credits(u64::try_from(users).unwrap_or(0)))
}

/// 429, for credits and for concurrency alike; the API names no time to wait (sheet: section 6).
pub(super) fn too_many(message: &str) -> Refusal {
    Refusal::new("TOO_MANY_REQUESTS", message)
}

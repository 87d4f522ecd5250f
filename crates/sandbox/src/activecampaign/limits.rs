//! The one limit: so many requests in a second for the whole account (sheet: ActiveCampaign section 6 \[doc\]).

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::json;

use super::world::World;
use crate::Reply;

const WINDOW_MS: i64 = 1_000;

/// What has been used so far.
#[derive(Debug, Default)]
pub(super) struct Limits {
    recent: VecDeque<i64>,
}

impl Limits {
    /// Takes a place, or says that there is none. Gives how many are left.
    pub(super) fn spend(&mut self, world: &World, now: Timestamp) -> Result<usize, Box<Reply>> {
        let at = now.as_millisecond();
        while self.recent.front().is_some_and(|first| *first + WINDOW_MS <= at) {
            self.recent.pop_front();
        }
        let most = world.settings.per_second;
        if world.settings.limits && self.recent.len() >= most {
            return Err(Box::new(limited(Some(1), most)));
        }
        self.recent.push_back(at);
        Ok(most.saturating_sub(self.recent.len()))
    }
}

/// The reply with the headers of the limit (section 6 \[spec\]).
pub(super) fn stamp(reply: Reply, most: usize, left: usize) -> Reply {
    reply.with_header("ratelimit-limit", most.to_string()).with_header("ratelimit-remaining", left.to_string())
}

/// 429. Its body is not promised.
pub(super) fn limited(retry_after_s: Option<u64>, most: usize) -> Reply {
    let reply = stamp(Reply::json(429, &json!({"message": "Too Many Requests"})), most, 0);
    match retry_after_s {
        Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
        None => reply,
    }
}

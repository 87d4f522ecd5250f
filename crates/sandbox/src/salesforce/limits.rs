//! The daily budget of requests: so many in rolling 24 hours (sheet: section 6).

use std::collections::VecDeque;

use serde_json::{Value as Json, json};

use super::instant::Seconds;
use super::refusal::Fault;
use super::world::World;
use crate::Reply;

const DAY: Seconds = 86_400;

/// What has been used, by minute.
#[derive(Debug, Default)]
pub(super) struct Limits {
    minutes: VecDeque<(Seconds, u64)>,
    used: u64,
    most: u64,
}

impl Limits {
    /// Takes requests from the budget, or refuses.
    pub(super) fn spend(&mut self, world: &World, requests: u64, at: Seconds) -> Result<(), Fault> {
        self.forget(at);
        self.most = world.settings.daily_requests;
        if world.settings.limits && self.used + requests > self.most + world.settings.overrun {
            return Err(exceeded("TotalRequests Limit exceeded."));
        }
        let minute = at - at.rem_euclid(60);
        match self.minutes.back_mut().filter(|(last, _)| *last == minute) {
            Some((_, count)) => *count += requests,
            None => self.minutes.push_back((minute, requests)),
        }
        self.used += requests;
        Ok(())
    }

    fn forget(&mut self, at: Seconds) {
        while let Some((_, count)) = self.minutes.front().copied().filter(|(minute, _)| *minute + DAY <= at) {
            self.used = self.used.saturating_sub(count);
            self.minutes.pop_front();
        }
    }

    /// The reply with what is used of the budget.
    pub(super) fn stamp(&self, reply: Reply) -> Reply {
        reply.with_header("sforce-limit-info", format!("api-usage={}/{}", self.used, self.most))
    }

    /// `GET /limits`.
    pub(super) fn list(&self, world: &World, at: Seconds) -> Json {
        let full = |max: u64| json!({"Max": max, "Remaining": max});
        let records: usize = world.schema.objects.keys().map(|object| world.rows(object).count()).sum();
        // A record takes 2 KB (sheet: section 9 [unsure]).
        let megabytes = u64::try_from(records * 2 / 1_024).unwrap_or(0);
        let most_batches = world.settings.daily_batches;
        let batches = world.jobs.batches_since(at - DAY);
        json!({
            "DailyApiRequests": {"Max": self.most, "Remaining": self.most.saturating_sub(self.used)},
            "DailyBulkApiBatches": {"Max": most_batches, "Remaining": most_batches.saturating_sub(batches)},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000_u64.saturating_sub(world.jobs.queries_since(at - DAY))},
            "DailyBulkV2QueryFileStorageMB": full(976_562),
            "DataStorageMB": {"Max": 1_024, "Remaining": 1_024_u64.saturating_sub(megabytes)},
            "FileStorageMB": full(1_024),
            "HourlyPublishedPlatformEvents": full(50_000),
            "DailyDeliveredPlatformEvents": full(10_000),
        })
    }
}

/// 403: there is no 429 in this API (sheet: section 6).
pub(super) fn exceeded(message: &str) -> Fault {
    Fault::new("REQUEST_LIMIT_EXCEEDED", message)
}

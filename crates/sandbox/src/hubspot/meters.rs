//! Limits: ten rolling seconds per app, a day per account, a second for search, and locks (sheet:
//! HubSpot sections 6 and 7 \[doc\]).

use std::collections::{BTreeMap, VecDeque};

use super::access::Principal;
use super::instant::account_day;
use super::kinds::Kind;
use super::portal::Account;
use super::refusal::Refusal;
use crate::Reply;

const WINDOW_MS: i64 = 10_000;
const SECOND_MS: i64 = 1_000;
/// Requests per ten seconds of an OAuth app (sheet: section 6 \[doc\]).
const OAUTH_BURST: usize = 110;
/// Searches per second and account (sheet: section 6 \[doc\]).
const SEARCHES_PER_SECOND: usize = 5;
/// How long a lock lasts (sheet: section 7 \[doc\]).
const LOCK_MS: i64 = 2_000;

/// What was asked when.
#[derive(Clone, Debug)]
pub(crate) struct Meters {
    /// Whether limits hold.
    pub(crate) real: bool,
    by_app: BTreeMap<u32, VecDeque<i64>>,
    searches: VecDeque<i64>,
    writes: BTreeMap<Kind, VecDeque<i64>>,
    locked_until: BTreeMap<Kind, i64>,
    day_start: i64,
    day_count: u64,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            real: true,
            by_app: BTreeMap::new(),
            searches: VecDeque::new(),
            writes: BTreeMap::new(),
            locked_until: BTreeMap::new(),
            day_start: i64::MIN,
            day_count: 0,
        }
    }
}

/// 429 with its policy.
pub(crate) fn limited(message: &str, policy: &str) -> Refusal {
    Refusal::new(429, "RATE_LIMITS", message).field("errorType", "RATE_LIMIT").field("policyName", policy)
}

/// 429 of the ten seconds.
pub(crate) fn burst() -> Refusal {
    limited("You have reached your ten_secondly_rolling limit.", "TEN_SECONDLY_ROLLING")
}

/// 429 of the day.
pub(crate) fn daily() -> Refusal {
    limited("You have reached your daily limit.", "DAILY")
}

/// 429 of search.
pub(crate) fn secondly() -> Refusal {
    limited("You have reached your secondly limit.", "SECONDLY")
}

/// 423 under heavy writing.
pub(crate) fn locked() -> Refusal {
    Refusal::new(423, "LOCKED", "This resource is locked; wait at least 2 seconds and try again.")
}

fn forget(times: &mut VecDeque<i64>, before: i64) {
    while times.front().is_some_and(|at| *at <= before) {
        times.pop_front();
    }
}

impl Meters {
    /// The day's start (epoch ms) and what was used of it, for the world file; none before any request.
    pub(crate) fn day(&self) -> Option<(i64, u64)> {
        (self.day_start != i64::MIN).then_some((self.day_start, self.day_count))
    }

    /// Goes on with a day of a world file.
    pub(crate) fn set_day(&mut self, (start, count): (i64, u64)) {
        (self.day_start, self.day_count) = (start, count);
    }

    /// The daily limit and what was used of it.
    pub(crate) fn daily(&self, account: &Account, now: i64) -> (u64, u64) {
        let limit = account.tier.limits().1 + account.limit_increases * 1_000_000;
        let today = account_day(now, &account.zone()).0 == self.day_start;
        (limit, if today { self.day_count } else { 0 })
    }

    fn burst_limit(account: &Account, principal: &Principal) -> usize {
        match (principal.oauth, account.limit_increases) {
            (true, _) => OAUTH_BURST,
            (false, 0) => account.tier.limits().0,
            (false, _) => 250,
        }
    }

    /// Counts a request, or refuses it. Refused requests are not counted.
    pub(crate) fn admit(
        &mut self,
        account: &Account,
        principal: &Principal,
        search: bool,
        now: i64,
    ) -> Result<(), Refusal> {
        let (day, _) = account_day(now, &account.zone());
        if day != self.day_start {
            (self.day_start, self.day_count) = (day, 0);
        }
        let (daily_limit, used) = self.daily(account, now);
        if self.real && !principal.oauth && used >= daily_limit {
            return Err(daily());
        }
        if search {
            forget(&mut self.searches, now - SECOND_MS);
            if self.real && self.searches.len() >= SEARCHES_PER_SECOND {
                return Err(secondly());
            }
            self.searches.push_back(now);
        } else {
            let times = self.by_app.entry(principal.app).or_default();
            forget(times, now - WINDOW_MS);
            if self.real && times.len() >= Self::burst_limit(account, principal) {
                return Err(burst());
            }
            times.push_back(now);
        }
        if !principal.oauth {
            self.day_count += 1;
        }
        Ok(())
    }

    /// Counts a write to a kind, or refuses it while the kind is locked. `limit` 0 never locks.
    pub(crate) fn admit_write(&mut self, kind: Kind, limit: usize, now: i64) -> Result<(), Refusal> {
        if limit == 0 || !self.real {
            return Ok(());
        }
        if self.locked_until.get(&kind).is_some_and(|until| *until > now) {
            return Err(locked());
        }
        let times = self.writes.entry(kind).or_default();
        forget(times, now - SECOND_MS);
        if times.len() >= limit {
            self.locked_until.insert(kind, now + LOCK_MS);
            return Err(locked());
        }
        times.push_back(now);
        Ok(())
    }

    /// The headers of a reply; search has none, OAuth apps see no day.
    pub(crate) fn headers(&self, account: &Account, principal: &Principal, now: i64, mut reply: Reply) -> Reply {
        let max = Self::burst_limit(account, principal);
        let used = self.by_app.get(&principal.app).map_or(0, VecDeque::len);
        if !principal.oauth {
            let (limit, used) = self.daily(account, now);
            reply = reply
                .with_header("x-hubspot-ratelimit-daily", limit.to_string())
                .with_header("x-hubspot-ratelimit-daily-remaining", limit.saturating_sub(used).to_string());
        }
        let secondly = max / 10;
        reply
            .with_header("x-hubspot-ratelimit-interval-milliseconds", WINDOW_MS.to_string())
            .with_header("x-hubspot-ratelimit-max", max.to_string())
            .with_header("x-hubspot-ratelimit-remaining", max.saturating_sub(used).to_string())
            .with_header("x-hubspot-ratelimit-secondly", secondly.to_string())
            .with_header("x-hubspot-ratelimit-secondly-remaining", secondly.saturating_sub(1).to_string())
    }
}

//! Whether all is well: the last pass over changes came to its end, and not too long ago.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::desk::Desk;
use crate::cli::standing::Good;

/// So old the last good pass may be, in passes that should have been.
const PASSES: i32 = 3;
/// However often there is a pass, this is never too old.
const AT_LEAST: SignedDuration = SignedDuration::from_mins(1);

/// How it is, and why.
pub(super) struct Health {
    good: Option<Good>,
    waiting: u64,
    /// How long the pass under way has made no progress.
    idle: Option<Duration>,
    why: Vec<String>,
    now: Timestamp,
    /// The name of this process, and who writes the state, where several workers take turns.
    workers: Option<(String, Json)>,
}

/// How it is now.
pub(super) async fn of(desk: &Desk) -> Health {
    let now = desk.clock.now();
    let (failed, flows, limit) = {
        let tally = desk.tally();
        (tally.failed.clone(), tally.flows.len(), tally.hangs)
    };
    let idle = desk.pulse.idle();
    let mut why: Vec<String> =
        failed.into_iter().map(|why| format!("the last pass over changes failed: {why}")).collect();
    why.extend(
        idle.filter(|idle| limit.is_some_and(|limit| *idle >= limit))
            .map(|idle| format!("the pass under way hangs: no answer and nothing written for {} s", idle.as_secs())),
    );
    let standing = match desk.standing().await {
        Ok(standing) => standing,
        Err(error) => {
            why.push(format!("the state cannot be read: {error}"));
            return Health { good: None, waiting: 0, idle, why, now, workers: None };
        }
    };
    let good = standing.oldest_good();
    let limit = desk.every.saturating_mul(PASSES).max(AT_LEAST);
    match &good {
        Some(good) if now.duration_since(good.ended) <= limit => {}
        Some(good) => why.push(format!(
            "the last good pass over changes ended {} s ago; there should be one every {} s",
            now.duration_since(good.ended).as_secs(),
            desk.every.as_secs()
        )),
        None if flows == 0 => why.push("the project was not read yet".to_owned()),
        None => why.push("a flow was never carried to its end".to_owned()),
    }
    let waiting = standing.webhooks.iter().map(|told| told.waiting).sum();
    let workers = desk.state.is_shared().then(|| (desk.state.worker().to_owned(), standing.lease_json()));
    Health { good, waiting, idle, why, now, workers }
}

impl Health {
    /// Whether all is well.
    pub(super) fn is_well(&self) -> bool {
        self.why.is_empty()
    }

    /// `{healthy, why, last_good_pass, lag_s, idle_s, webhooks_waiting}`, and with a state in PostgreSQL `worker` and `lease`.
    pub(super) fn json(&self) -> Json {
        let mut told = json!({
            "healthy": self.is_well(),
            "why": self.why,
            "last_good_pass": self.good.map(|good| {
                json!({"pass": good.pass, "began": good.began.to_string(), "ended": good.ended.to_string()})
            }),
            "lag_s": self.good.map(|good| good.lag_s(self.now)),
            "idle_s": self.idle.map(|idle| idle.as_secs()),
            "webhooks_waiting": self.waiting,
        });
        if let Some((worker, lease)) = &self.workers {
            (told["worker"], told["lease"]) = (json!(worker), lease.clone());
        }
        told
    }
}

//! Service protection (sheet: section 6): what a user may ask for in five minutes.

use std::collections::{BTreeMap, VecDeque};

use super::instant::Seconds;
use super::refusal::Fault;
use super::settings::Settings;
use super::view::grouped;
use crate::Reply;

/// The window, in seconds.
const WINDOW: Seconds = 300;

/// What one user asked for, second by second.
#[derive(Debug, Default)]
struct Window {
    /// When, requests, milliseconds.
    parts: VecDeque<(Seconds, u64, u64)>,
    requests: u64,
    ms: u64,
}

/// What all users asked for.
#[derive(Debug, Default)]
pub(super) struct Limits {
    users: BTreeMap<String, Window>,
}

/// The three limits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    Requests,
    Time,
    Concurrency,
}

impl Limit {
    /// The refusal (sheet: section 6 \[doc\]).
    pub(super) fn fault(self, settings: &Settings, retry_after_s: Option<i64>) -> Fault {
        let (code, message) = match self {
            Self::Requests => (
                "0x80072322",
                format!(
                    "Number of requests exceeded the limit of {} over time window of 300 seconds.",
                    settings.requests
                ),
            ),
            Self::Time => (
                "0x80072321",
                format!(
                    "Combined execution time of incoming requests exceeded limit of {} milliseconds over time window of 300 \
                     seconds. Decrease number of concurrent requests or reduce the duration of requests and try again later.",
                    grouped(&settings.execution_ms.to_string())
                ),
            ),
            Self::Concurrency => ("0x80072326", "Number of concurrent requests exceeded the limit of 52.".to_owned()),
        };
        let mut fault = Fault::new(429, code, message);
        fault.headers.extend(retry_after_s.map(|seconds| ("retry-after".to_owned(), seconds.to_string())));
        fault
    }
}

impl Window {
    fn forget(&mut self, at: Seconds) {
        while let Some((_, requests, ms)) = self.parts.front().copied().filter(|(when, ..)| when + WINDOW <= at) {
            self.requests = self.requests.saturating_sub(requests);
            self.ms = self.ms.saturating_sub(ms);
            self.parts.pop_front();
        }
    }

    fn add(&mut self, at: Seconds, requests: u64, ms: u64) {
        match self.parts.back_mut().filter(|(when, ..)| *when == at) {
            Some((_, count, time)) => (*count, *time) = (*count + requests, *time + ms),
            None => self.parts.push_back((at, requests, ms)),
        }
        self.requests += requests;
        self.ms += ms;
    }

    /// Seconds until something of it is forgotten.
    fn wait(&self, at: Seconds) -> i64 {
        self.parts.front().map_or(1, |(when, ..)| (when + WINDOW - at).max(1))
    }
}

impl Limits {
    /// Takes requests from what the user has, or refuses.
    pub(super) fn spend(&mut self, settings: &Settings, user: &str, requests: u64, at: Seconds) -> Result<(), Fault> {
        let window = self.users.entry(user.to_owned()).or_default();
        window.forget(at);
        if settings.limits {
            if window.requests + requests > settings.requests {
                return Err(Limit::Requests.fault(settings, Some(window.wait(at))));
            }
            if window.ms >= settings.execution_ms {
                return Err(Limit::Time.fault(settings, Some(window.wait(at))));
            }
        }
        window.add(at, requests, 0);
        Ok(())
    }

    /// Notes how long a request took.
    pub(super) fn took(&mut self, settings: &Settings, user: &str, requests: u64, rows: u64, at: Seconds) {
        let window = self.users.entry(user.to_owned()).or_default();
        window.add(at, 0, settings.request_ms * requests + settings.row_ms * rows);
    }

    /// The reply with what is left.
    pub(super) fn stamp(&self, settings: &Settings, user: &str, reply: Reply) -> Reply {
        let (requests, ms) = self.users.get(user).map_or((0, 0), |window| (window.requests, window.ms));
        let left = settings.execution_ms.saturating_sub(ms);
        let seconds = format!("{}.{}", grouped(&(left / 1_000).to_string()), left % 1_000 / 100);
        reply
            .with_header(
                "x-ms-ratelimit-burst-remaining-xrm-requests",
                settings.requests.saturating_sub(requests).to_string(),
            )
            .with_header("x-ms-ratelimit-time-remaining-xrm-requests", seconds)
            .with_header("x-ms-dop-hint", settings.dop_hint.to_string())
    }
}

//! What goes wrong, and when: a plan of faults that fires the same way on every run.
//!
//! A [`FaultPlan`] is a list of rules. A rule counts the requests that fit its route, and fires by
//! that count (`nth`, `every`, `from`..`to`) or by a seeded probability. Of the rules that fire on a
//! request, the first whose fault decides the answer wins; slowness and disturbances add up.
//!
//! Invariants:
//! - No state but counters and the expired tokens: the same plan and the same requests fire the same.
//! - A fault "before commit" never reaches the platform; one "after commit" always does.
//! - The platform, not this module, knows how a limit or an expired token looks on its wire.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::Request;

mod answer;
mod glob;

pub(crate) use answer::{disturb, handle};
pub use glob::path_matches;

/// A list of fault rules with its seed and its counters.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// Seed of the rules that fire by probability.
    #[serde(default)]
    pub seed: u64,
    /// By how many seconds the platform's clock is ahead of the one that it is served by; negative when it is
    /// behind. Its records' times and the `Date` of its replies come from that clock.
    #[serde(default)]
    pub clock_ahead_s: i64,
    /// The rules, judged in this order.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// How often each rule's route has matched.
    #[serde(skip)]
    matched: BTreeMap<usize, u64>,
    /// How often each rule has fired.
    #[serde(skip)]
    fired: BTreeMap<usize, u64>,
    /// Authorization headers that stay refused until the client brings another.
    #[serde(skip)]
    expired: BTreeSet<String>,
}

/// One rule: when it fires, and what happens then.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The name that the journal shows; `rule N` (from 1) without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it fires. Without any condition: on every request.
    #[serde(default)]
    pub when: When,
    /// What happens.
    pub fault: Fault,
}

/// Conditions, all of which must hold. Counts begin at 1 and count requests that fit the route.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The HTTP method, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// A path glob: `*` within a segment, `**` over segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only the n-th.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Every n-th.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// From the n-th on, it included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Up to the n-th, it included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// With this probability, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// At most so many times in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429 before commit.
    Limited {
        /// Which limit is said to be reached.
        #[serde(default)]
        scope: LimitScope,
        /// The `retry-after` header, in seconds; none without.
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
    /// A 5xx before commit: nothing is applied.
    Unavailable {
        /// 500, 502, 503 or 504.
        status: u16,
    },
    /// Nothing is applied and no answer comes.
    LostBefore,
    /// Everything is applied; the answer is lost.
    LostAfter {
        /// A 5xx instead of the answer; silence without.
        #[serde(default)]
        status: Option<u16>,
    },
    /// The first `apply_only` items of a batch are applied; then a 5xx or silence.
    HalfBatch {
        /// How many items are applied.
        apply_only: usize,
        /// A 5xx instead of the answer; silence without.
        #[serde(default)]
        status: Option<u16>,
    },
    /// Applied; the connection closes after so many bytes of the body.
    Cut {
        /// Bytes of the body that arrive.
        bytes: usize,
    },
    /// Applied; the body is broken JSON under a 200.
    Malformed,
    /// The token is refused: until the client brings another if it can be refreshed, else once.
    ExpiredToken {
        /// Overrides what the platform says about the token of the request.
        #[serde(default)]
        until_refresh: Option<bool>,
    },
    /// The answer is held back.
    Slow {
        /// For how long, in milliseconds.
        delay_ms: u64,
    },
    /// The world changes behind the client's back.
    Disturb {
        /// What changes.
        disturbance: Disturbance,
        /// Before the request is answered instead of after it.
        #[serde(default)]
        before: bool,
    },
    /// The account is locked or under maintenance.
    Maintenance {
        /// The platform's status for it; without, the one that the platform documents.
        #[serde(default)]
        status: Option<u16>,
        /// The `retry-after` header, in seconds; none without.
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
}

/// Which limit a 429 speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitScope {
    /// Requests within seconds.
    #[default]
    Burst,
    /// The daily budget.
    Daily,
    /// The search endpoints' own limit.
    Search,
}

/// A fault whose status, headers and body the platform gives (see [`Platform::fault_reply`](crate::Platform::fault_reply)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invented {
    /// 429.
    Limited {
        /// Which limit is said to be reached.
        scope: LimitScope,
        /// The `retry-after` header, in seconds; none without.
        retry_after_s: Option<u64>,
    },
    /// A 5xx: 500, 502, 503 or 504.
    Failed {
        /// The status.
        status: u16,
    },
    /// The token is no longer accepted (401).
    ExpiredToken,
    /// The account is locked, migrating or under maintenance (423, 477, 503).
    Maintenance {
        /// The status wanted; without, the one that the platform documents.
        status: Option<u16>,
        /// The `retry-after` header, in seconds; none without.
        retry_after_s: Option<u64>,
    },
}

/// What the plan wants done inside a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interference {
    /// Apply only the first so many items of a batch; the rest is as if it had not been sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply_only: Option<usize>,
}

/// A change of the world that no request asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disturbance {
    /// The object, as the platform names it in its journal (`person`, `contacts`).
    pub object: String,
    /// Which record. Ignored by [`DisturbAction::Create`].
    #[serde(default)]
    pub which: Which,
    /// What happens to it.
    pub action: DisturbAction,
}

/// Which record a disturbance hits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The record of this id.
    Id(String),
    /// The n-th living record in order of ids, from 0.
    Nth(u64),
}

impl Default for Which {
    fn default() -> Self {
        Self::Nth(0)
    }
}

/// What a disturbance does to its record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisturbAction {
    /// Only its update time moves.
    Touch,
    /// A field gets a value (in the platform's own shape), and the update time moves.
    Change {
        /// The field's name in the platform.
        field: String,
        /// Its new value.
        value: Json,
    },
    /// It is deleted as a user would delete it.
    Delete,
    /// It is merged into another record, which survives.
    Merge {
        /// The survivor's id.
        into: String,
    },
    /// It comes back from deletion, as a user brings it back. The record is named by its id.
    Restore,
    /// It is linked to another record.
    Link {
        /// The other record's object.
        object: String,
        /// Its id.
        to: String,
    },
    /// Its link to another record is taken away.
    Unlink {
        /// The other record's object.
        object: String,
        /// Its id.
        to: String,
    },
    /// A new record appears with these fields.
    Create {
        /// The fields, in the platform's own shape.
        fields: Json,
    },
}

/// Why a fault plan cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FaultPlanError {
    /// The file is not a fault plan.
    #[error("failed reading the fault plan")]
    Shape(#[source] serde_json::Error),
    /// A rule can never fire or names a status that it may not.
    #[error("rule {rule} of the fault plan: {why}")]
    Rule {
        /// The rule's place in the list, from 1.
        rule: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// What the plan decided about one request.
#[derive(Default)]
struct Decision {
    rule: Option<String>,
    fault: Option<Fault>,
    delay_ms: u64,
    before: Vec<Disturbance>,
    after: Vec<Disturbance>,
}

impl FaultPlan {
    /// A plan of these rules.
    pub fn new(seed: u64, rules: Vec<Rule>) -> Self {
        Self { seed, rules, ..Self::default() }
    }

    /// Reads a plan from JSON text and checks its rules.
    pub fn from_json(text: &str) -> Result<Self, FaultPlanError> {
        let plan: Self = serde_json::from_str(text).map_err(FaultPlanError::Shape)?;
        plan.check()?;
        Ok(plan)
    }

    /// Refuses rules that cannot mean anything.
    pub fn check(&self) -> Result<(), FaultPlanError> {
        for (index, rule) in self.rules.iter().enumerate() {
            let wrong = |why| Err(FaultPlanError::Rule { rule: index + 1, why });
            let status = match rule.fault {
                Fault::Unavailable { status } => Some(status),
                Fault::LostAfter { status } | Fault::HalfBatch { status, .. } => status,
                _ => None,
            };
            if status.is_some_and(|status| !(500..=599).contains(&status)) {
                return wrong("the status must be between 500 and 599");
            }
            if rule.when.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
                return wrong("the probability must be between 0 and 1");
            }
            if rule.when.nth == Some(0) || rule.when.every == Some(0) {
                return wrong("counting begins at 1");
            }
        }
        Ok(())
    }

    /// What the platform's clock shows when it is `now`.
    pub(crate) fn time(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(jiff::SignedDuration::from_secs(self.clock_ahead_s)).unwrap_or(now)
    }

    fn decide(&mut self, request: &Request, refreshable: bool) -> Decision {
        let mut decision = Decision::default();
        let token = credential(request);
        if token.is_some_and(|token| self.expired.contains(token)) {
            decision.rule = Some("expired token".to_owned());
            decision.fault = Some(Fault::ExpiredToken { until_refresh: Some(true) });
            return decision;
        }
        for index in 0..self.rules.len() {
            if !self.fires(index, request) {
                continue;
            }
            let rule = &self.rules[index];
            let name = rule.name.clone().unwrap_or_else(|| format!("rule {}", index + 1));
            match rule.fault.clone() {
                Fault::Slow { delay_ms } => decision.delay_ms += delay_ms,
                Fault::Disturb { disturbance, before: true } => decision.before.push(disturbance),
                Fault::Disturb { disturbance, before: false } => decision.after.push(disturbance),
                _ if decision.fault.is_some() => continue,
                fault => decision.fault = Some(fault),
            }
            *self.fired.entry(index).or_default() += 1;
            decision.rule.get_or_insert(name);
        }
        if let (Some(Fault::ExpiredToken { until_refresh }), Some(token)) = (&decision.fault, token)
            && until_refresh.unwrap_or(refreshable)
        {
            self.expired.insert(token.to_owned());
        }
        decision
    }

    /// Counts the request for the rule, and says whether the rule fires on it.
    fn fires(&mut self, index: usize, request: &Request) -> bool {
        let when = &self.rules[index].when;
        let method = when.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(&request.method));
        if !method || !when.path.as_deref().is_none_or(|glob| path_matches(glob, &request.path)) {
            return false;
        }
        let count = self.matched.entry(index).or_default();
        *count += 1;
        let count = *count;
        let fired = self.fired.get(&index).copied().unwrap_or_default();
        when.nth.is_none_or(|n| count == n)
            && when.every.is_none_or(|n| n != 0 && count.is_multiple_of(n))
            && when.from.is_none_or(|n| count >= n)
            && when.to.is_none_or(|n| count <= n)
            && when.times.is_none_or(|n| fired < n)
            && when.probability.is_none_or(|p| draw(self.seed, index, count) < p)
    }
}

/// The header that carries the client's credential, if one does.
fn credential(request: &Request) -> Option<&str> {
    request.header("authorization").filter(|value| !value.starts_with("Basic "))
}

/// A number in 0..1 that depends on nothing but its arguments.
fn draw(seed: u64, rule: usize, count: u64) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(&(rule as u64).to_le_bytes()).update(&count.to_le_bytes());
    let mut bytes = [0; 4];
    hasher.finalize_xof().fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

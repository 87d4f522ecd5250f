//! Where a migration stands, as its state tells: for `status`, health and metrics. No system is asked.

use std::collections::BTreeMap;

use handover_engine::{Reconciled, Reread};
use handover_model::{Counts, FlowName, ObjectName, SystemName};
use handover_store::{Error, Holder, Pass, Received, Store};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::queue::last_run;
use crate::cli::hanging::Hanging;

/// What the state tells.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// The pass that was begun last.
    pub(crate) last: Option<Pass>,
    /// The pass under way that makes no progress, if it is known that it does not.
    pub(crate) hanging: Option<Hanging>,
    /// Whether the last run came to its end.
    pub(crate) is_loaded: bool,
    /// By flow: its records, and its last good pass.
    pub(crate) flows: Vec<(FlowName, Counts, Option<Good>)>,
    /// Holds by object and cause.
    pub(crate) holds: Vec<(ObjectName, String, u64)>,
    /// Links that wait for held records.
    pub(crate) links_waiting: u64,
    /// What was left of a system's day, in its unit, and when that was known.
    pub(crate) calls_left: BTreeMap<SystemName, (u64, Timestamp)>,
    /// What is known of flows by looking at their pairs again.
    pub(crate) reconciled: Vec<(FlowName, Reconciled)>,
    /// Fields that said something else when they were read than what was written.
    pub(crate) reread: Reread,
    /// What webhooks told.
    pub(crate) webhooks: Vec<Received>,
    /// In PostgreSQL, who writes the state now.
    pub(crate) holder: Option<Holder>,
    /// In PostgreSQL, the workers that are connected, by name, and since when.
    pub(crate) workers: Vec<(String, Timestamp)>,
}

/// A pass that read what there was and came to its end: what changed before it began has been carried or is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Good {
    pub(crate) pass: i64,
    pub(crate) began: Timestamp,
    pub(crate) ended: Timestamp,
}

impl Good {
    /// How old what was read is, in seconds.
    pub(crate) fn lag_s(&self, now: Timestamp) -> i64 {
        now.duration_since(self.began).as_secs().max(0)
    }

    /// The last one of a flow.
    pub(crate) fn last(passes: &[Pass], flow: &FlowName) -> Option<Self> {
        passes.iter().rev().find_map(|pass| Self::of(pass, flow))
    }

    fn of(pass: &Pass, flow: &FlowName) -> Option<Self> {
        let reads = pass.kind.starts_with("run") || pass.kind == "sync";
        let covers = pass.note["flows"].as_array().is_some_and(|flows| flows.iter().any(|name| *name == flow.as_str()));
        let finished = pass.status.as_deref() == Some("finished");
        let ended = pass.ended.filter(|_| reads && covers && finished)?;
        Some(Self { pass: pass.id, began: pass.began, ended })
    }
}

impl Standing {
    /// Reads the state; `flows` are those of the project.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub(crate) async fn of(store: &Store, flows: &[FlowName]) -> Result<Self, Error> {
        let passes = store.passes().await?;
        let mut standing = Vec::with_capacity(flows.len());
        for flow in flows {
            let good = Good::last(&passes, flow);
            standing.push((flow.clone(), store.counts(flow).await?, good));
        }
        let mut reconciled = Vec::new();
        for flow in flows {
            reconciled.extend(Reconciled::of(store, flow).await?.map(|known| (flow.clone(), known)));
        }
        let mut calls_left = BTreeMap::new();
        for pass in &passes {
            for (system, left) in pass.note["left_today"].as_object().into_iter().flatten() {
                if let (Some(left), Some(ended)) = (left.as_u64(), pass.ended) {
                    calls_left.insert(SystemName::from(system.as_str()), (left, ended));
                }
            }
        }
        let is_loaded = last_run(&passes).is_some_and(|pass| pass.status.as_deref() == Some("finished"));
        Ok(Self {
            last: passes.into_iter().next_back(),
            hanging: Hanging::of(store).await?,
            is_loaded,
            flows: standing,
            holds: store.hold_counts().await?,
            links_waiting: store.count_pending_links().await?,
            calls_left,
            reconciled,
            reread: Reread::of(store).await?,
            webhooks: store.received().await?,
            holder: store.holder().await?,
            workers: store.workers().await?,
        })
    }

    /// The good pass that is the oldest of the flows' last ones; `None` when a flow has none.
    pub(crate) fn oldest_good(&self) -> Option<Good> {
        let all: Option<Vec<Good>> = self.flows.iter().map(|(_, _, good)| *good).collect();
        all?.into_iter().min_by_key(|good| good.began)
    }

    /// `{worker, since, until}`, null while nobody writes the state.
    pub(crate) fn lease_json(&self) -> Json {
        let told = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let lease = |by: &Holder| json!({"worker": by.worker, "since": told(by.since), "until": told(by.until)});
        json!(self.holder.as_ref().map(lease))
    }

    /// `[{worker, since, writes}]`.
    pub(crate) fn workers_json(&self) -> Json {
        let writes = |name: &String| self.holder.as_ref().is_some_and(|holder| holder.worker == *name);
        let told = |(name, since): &(String, Timestamp)| json!({"worker": name, "since": since.to_string(), "writes": writes(name)});
        self.workers.iter().map(told).collect()
    }

    /// By flow: `{pass, began, ended, lag_s}`, null for one that was never carried.
    pub(crate) fn good_json(&self, now: Timestamp) -> Json {
        let good = |good: &Good| {
            json!({
                "pass": good.pass,
                "began": good.began.to_string(),
                "ended": good.ended.to_string(),
                "lag_s": good.lag_s(now),
            })
        };
        self.flows.iter().map(|(flow, _, last)| (flow.to_string(), json!(last.as_ref().map(good)))).collect()
    }

    /// `[{object, cause, count}]`.
    pub(crate) fn holds_json(&self) -> Json {
        self.holds
            .iter()
            .map(|(object, cause, count)| json!({"object": object, "cause": cause, "count": count}))
            .collect()
    }

    /// By flow: `{looked, round, pairs, of, share, whole, left, suspected, counted, open, differences}`.
    pub(crate) fn reconciled_json(&self) -> Json {
        let told = |(flow, known): &(FlowName, Reconciled)| {
            let pairs = self.pairs(flow);
            let about = json!({
                "looked": known.looked.to_string(),
                "round": known.round.to_string(),
                "pairs": known.pairs,
                "of": pairs,
                "share": share(known.pairs, pairs),
                "whole": known.whole.map(|at| at.to_string()),
                "left": known.left,
                "suspected": known.suspected(),
                "counted": known.counted,
                "open": known.open(),
                "differences": known.differences.iter().filter(|one| one.counted.is_some()).collect::<Vec<_>>(),
            });
            (flow.to_string(), about)
        };
        self.reconciled.iter().map(told).collect()
    }

    /// The pairs of a flow that can be looked at again.
    pub(crate) fn pairs(&self, flow: &FlowName) -> u64 {
        let counts = self.flows.iter().find(|(name, ..)| name == flow).map(|(_, counts, _)| *counts);
        counts.map_or(0, |counts| counts.created + counts.updated + counts.unchanged)
    }

    /// By system: `{left, at}`.
    pub(crate) fn calls_json(&self) -> Json {
        self.calls_left
            .iter()
            .map(|(system, (left, at))| (system.to_string(), json!({"left": left, "at": at.to_string()})))
            .collect()
    }

    /// By system: `{events, last, waiting}`.
    pub(crate) fn webhooks_json(&self) -> Json {
        let told = |one: &Received| {
            let about = json!({"events": one.events, "last": one.last.to_string(), "waiting": one.waiting});
            (one.system.to_string(), about)
        };
        self.webhooks.iter().map(told).collect()
    }
}

/// The share of `of`, from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "both are far below 2^52")]
pub(crate) fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 1.0 } else { (part as f64 / of as f64).min(1.0) }
}

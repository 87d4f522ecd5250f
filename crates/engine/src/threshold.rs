//! The error threshold: too many records that are held for reasons of which nobody told before halt the pass.
//!
//! `check` tells of values and users without a counterpart, a plan of everything else that is known before the target
//! is asked.

use std::collections::{BTreeMap, VecDeque};

use handover_model::{Cause, FlowName, Hold};
use handover_store::{Commit, HoldGroup, Store};
use jiff::Timestamp;

use crate::Error;
use crate::setup::Policies;

/// How many records of a flow a plan said would be held, by the group of their causes.
pub type PlannedHolds = BTreeMap<FlowName, BTreeMap<String, u64>>;

/// The name under which the state keeps what the last plan told.
const PLANNED: &str = "planned holds";

/// Keeps which holds a plan told of, for the run that follows.
///
/// # Errors
/// When the state cannot be written.
pub async fn keep_planned_holds(store: &Store, groups: &[HoldGroup], now: Timestamp) -> Result<(), Error> {
    let mut planned = PlannedHolds::new();
    for group in groups {
        *planned.entry(group.flow.clone()).or_default().entry(group.group.clone()).or_default() += group.count;
    }
    let text = serde_json::to_string(&planned).unwrap_or_default();
    store.commit(Commit { at: now, kept: vec![(PLANNED.to_owned(), text)], ..Commit::default() }).await?;
    Ok(())
}

/// The holds that the last plan told of; none when there was none.
///
/// # Errors
/// When the state cannot be read.
pub async fn planned_holds(store: &Store) -> Result<PlannedHolds, Error> {
    let text = store.kept(PLANNED).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// Counts unannounced holds.
#[derive(Debug)]
pub(crate) struct Threshold {
    share: f64,
    window: usize,
    or: u64,
    /// What a plan told of and has not come yet.
    planned: PlannedHolds,
    last: VecDeque<bool>,
    in_window: u64,
    held: u64,
}

impl Threshold {
    pub(crate) fn new(policies: &Policies) -> Self {
        Self {
            share: policies.error_share,
            window: policies.error_of_last.max(1),
            or: policies.error_or,
            planned: policies.planned_holds.clone(),
            last: VecDeque::new(),
            in_window: 0,
            held: 0,
        }
    }

    /// Whether somebody was told of such a hold before: by `check`, or by the plan, which said how many there would be.
    pub(crate) fn was_told(&mut self, hold: &Hold) -> bool {
        hold.announced || self.was_planned(&hold.flow, &hold.cause)
    }

    /// Whether a plan told of such a hold, and of so many.
    pub(crate) fn was_planned(&mut self, flow: &FlowName, cause: &Cause) -> bool {
        let left = self.planned.get_mut(flow).and_then(|groups| groups.get_mut(&cause.group()));
        match left {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    /// Takes note of one record.
    pub(crate) fn note(&mut self, unannounced_hold: bool) {
        self.last.push_back(unannounced_hold);
        self.held += u64::from(unannounced_hold);
        self.in_window += u64::from(unannounced_hold);
        if self.last.len() > self.window && self.last.pop_front() == Some(true) {
            self.in_window -= 1;
        }
    }

    /// Unannounced holds so far.
    pub(crate) fn held(&self) -> u64 {
        self.held
    }

    /// Halts the pass when there are too many.
    pub(crate) fn check(&self, flow: &FlowName) -> Result<(), Error> {
        #[expect(clippy::cast_precision_loss, reason = "both are far below 2^52")]
        let share = self.in_window as f64 / self.window as f64;
        let full = self.last.len() >= self.window;
        if self.held >= self.or || (full && share > self.share) {
            return Err(Error::Threshold {
                flow: flow.clone(),
                held: self.held,
                of_last: self.in_window,
                window: self.last.len().min(self.window),
            });
        }
        Ok(())
    }
}

//! The error threshold: too many records that could not be written halt the pass.

use std::collections::VecDeque;

use handover_model::FlowName;

use crate::Error;
use crate::setup::Policies;

/// Counts unannounced holds.
#[derive(Debug)]
pub(crate) struct Threshold {
    share: f64,
    window: usize,
    or: u64,
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
            last: VecDeque::new(),
            in_window: 0,
            held: 0,
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

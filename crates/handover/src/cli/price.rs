//! What a plan costs: calls, the time that limits make of them, and the days for which they do not suffice.

use std::collections::BTreeMap;

use handover_connect::{Connector, Limit, Span, Spent};
use handover_engine::Planned;
use handover_model::{SystemName, Weight};
use serde_json::{Value as Json, json};

use super::Output;
use super::output::{count, duration, table};
use super::session::Session;
use crate::problem::Problem;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// What one system would be asked.
pub(super) struct Price {
    system: SystemName,
    reads: u64,
    writes: u64,
    /// Milliseconds that the limits set at least.
    least_ms: u64,
    /// The part of a day's allowance that it takes, in percent, where there is one.
    day_percent: Option<u64>,
}

impl Price {
    /// What a system was asked since it had spent `before`, and what it would be asked.
    pub(super) fn of(
        (name, system): (&SystemName, &dyn Connector),
        before: Option<&Spent>,
        planned: &Planned,
        reserve: f64,
    ) -> Self {
        let now = system.spent();
        let earlier = before.cloned().unwrap_or_default();
        let mut charges: BTreeMap<&'static str, u64> = planned.charges.clone();
        for (limit, amount) in &now.charges {
            *charges.entry(limit).or_default() += amount - earlier.charges.get(limit).copied().unwrap_or(0);
        }
        let mut price = Self {
            system: name.clone(),
            reads: now.calls - earlier.calls,
            writes: planned.calls.values().sum(),
            least_ms: 0,
            day_percent: None,
        };
        for limit in &system.capabilities().limits {
            if let Some(charged) = charges.get(limit.name) {
                price.charge(limit, *charged, reserve, now.allowed_today);
            }
        }
        price
    }

    fn charge(&mut self, limit: &Limit, charged: u64, reserve: f64, today: Option<u64>) {
        #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a limit fits like it")]
        let ours = ((limit.amount as f64 * (1.0 - reserve)) as u64).max(1);
        // What the account itself told of its day is known by then.
        let (ours, span_ms) = match limit.span {
            Span::Rolling(span_ms) => (ours, span_ms),
            Span::Day => {
                let ours = today.unwrap_or(ours).max(1);
                self.day_percent = Some(charged * 100 / ours);
                (ours, DAY_MS)
            }
        };
        // The first window's worth goes at once.
        self.least_ms = self.least_ms.max(charged.saturating_sub(1) / ours * span_ms);
    }

    pub(super) fn json(&self) -> (String, Json) {
        let price = json!({
            "reads": self.reads,
            "writes": self.writes,
            "least_seconds": self.least_ms / 1000,
            "percent_of_a_day": self.day_percent,
        });
        (self.system.to_string(), price)
    }
}

/// Tells the prices, and which day cannot be kept.
pub(super) fn say(prices: &[Price], session: &Session, output: &Output) {
    let rows: Vec<Vec<String>> = prices
        .iter()
        .map(|price| {
            vec![
                price.system.to_string(),
                count(price.reads),
                count(price.writes),
                duration(price.least_ms),
                price.day_percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent} %")),
            ]
        })
        .collect();
    output.say("\nCalls and time (at the limits that are known, less what is left to others):\n");
    output.say(&table(&["system", "reads", "writes", "at least", "of a day's calls"], &rows));
    let Some(end) = session.project.kill_date else { return };
    let left_ms = end.at.duration_since(session.clock.now()).as_millis();
    let Some(price) = prices.iter().max_by_key(|price| price.least_ms) else { return };
    // Of a day that is over `status` tells.
    if left_ms > 0 && i128::from(price.least_ms) > left_ms {
        let (name, takes) = (&price.system, duration(price.least_ms));
        let message = format!("`kill_date` is {}, and the limits of `{name}` make this run take {takes}", end.date);
        let problem = Problem::new("too_late", message).weighing(Weight::Warning).state("nothing was written").hint(
            "ask the vendor for more calls, leave less to others with `reserve`, move fewer records, or move the date",
        );
        output.warn(&[problem]);
    }
}

//! The rate budget: every request takes its place in each limit that it is charged to before it leaves.
//!
//! Invariant: within any span, what was taken never exceeds the limit that the account reports (else the
//! documented one) less the reserve for the company's other integrations.
//!
//! What the account reports as left corrects our own count in both directions. Downwards only for a
//! day's allowance (its day may have begun at another midnight than ours), only while no request of ours
//! is under way (a reply that was overtaken knows less than we do), and never below what requests without
//! an answer may have cost. Deliberately absent: a correction of rolling windows, which mend themselves.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::{Charge, Clock, Fault, FaultKind, Limit, Limited, Span};

/// What was spent, for plans, progress and reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Requests sent.
    pub calls: u64,
    /// Of those, answered.
    pub answered: u64,
    /// By limit, in its unit.
    pub charges: BTreeMap<&'static str, u64>,
    /// Times that the system said "too many".
    pub limited: u64,
    /// Time spent waiting for places and on request of the system, in milliseconds.
    pub waited_ms: u64,
    /// What remains of the day's allowance, our reserve taken off, where a limit per day is known.
    pub left_today: Option<u64>,
    /// The day's allowance, our reserve taken off.
    pub allowed_today: Option<u64>,
}

/// The budget of one account, shared by everything in this process that talks to it. Processes that take turns tell each
/// other what they took.
pub struct Budget {
    states: Mutex<States>,
    reserve: f64,
    zone: Mutex<TimeZone>,
}

struct States {
    limits: Vec<State>,
    /// Requests that have their places and no answer yet.
    under_way: u64,
}

/// A request that has its places in the limits and is under way. Dropped without an answer, it counts as
/// one that the system may or may not have charged.
pub struct Flight<'b> {
    budget: &'b Budget,
    charges: Vec<Charge>,
    waited_ms: u64,
    is_answered: bool,
}

struct State {
    limit: Limit,
    allowed: u64,
    window: VecDeque<(Timestamp, u64)>,
    in_window: u64,
    /// Of that: what requests without an answer took today. The system may not have counted it yet.
    unsure: u64,
    day_ends: Option<Timestamp>,
}

impl Budget {
    /// A budget over the documented limits, leaving the share `reserve` (0 to 0.9) of each to others.
    pub fn new(limits: &[Limit], reserve: f64) -> Self {
        let reserve = reserve.clamp(0.0, 0.9);
        let states = limits
            .iter()
            .map(|limit| State {
                limit: *limit,
                allowed: less_reserve(limit.amount, reserve),
                window: VecDeque::new(),
                in_window: 0,
                unsure: 0,
                day_ends: None,
            })
            .collect();
        Self { states: Mutex::new(States { limits: states, under_way: 0 }), reserve, zone: Mutex::new(TimeZone::UTC) }
    }

    /// The account's time zone, in which its day ends.
    pub fn set_zone(&self, zone: TimeZone) {
        *lock(&self.zone) = zone;
    }

    /// Takes the charges, waiting for places. The request is under way until its flight has landed.
    ///
    /// # Errors
    /// [`FaultKind::Limited`] when the day's allowance is used up.
    pub async fn take(&self, charges: &[Charge], clock: &dyn Clock) -> Result<Flight<'_>, Fault> {
        let mut waited_ms = 0;
        loop {
            let now = clock.now();
            let ready = self.try_take(charges, now)?;
            if ready <= now {
                return Ok(Flight { budget: self, charges: charges.to_vec(), waited_ms, is_answered: false });
            }
            waited_ms += u64::try_from(ready.duration_since(now).as_millis()).unwrap_or(0);
            clock.sleep_until(ready).await;
        }
    }

    /// Takes note of a limit as the system reports it, in a reply that has landed.
    pub fn told(&self, name: &str, total: Option<u64>, remaining: Option<u64>, now: Timestamp) {
        let zone = lock(&self.zone).clone();
        let mut states = lock(&self.states);
        let is_quiet = states.under_way == 0;
        let Some(state) = states.limits.iter_mut().find(|state| state.limit.name == name) else { return };
        if let Some(total) = total {
            state.limit.amount = total;
            state.allowed = less_reserve(total, self.reserve);
        }
        if let Some(remaining) = remaining {
            state.forget(now, &zone);
            let spent = state.limit.amount.saturating_sub(remaining);
            if spent > state.in_window {
                // Somebody else spends from the same allowance: count it as spent now.
                state.push(now, spent - state.in_window);
            } else if is_quiet && state.limit.span == Span::Day {
                state.in_window = state.in_window.min(spent.saturating_add(state.unsure));
            }
        }
    }

    /// What remains of the day's allowance, the reserve taken off.
    pub fn left_today(&self) -> Option<u64> {
        let states = lock(&self.states);
        let day = states.limits.iter().find(|state| state.limit.span == Span::Day)?;
        Some(day.allowed.saturating_sub(day.in_window))
    }

    /// The day's allowance, the reserve taken off.
    pub fn allowed_today(&self) -> Option<u64> {
        lock(&self.states).limits.iter().find(|state| state.limit.span == Span::Day).map(|day| day.allowed)
    }

    /// When the account's day began, where a limit per day is known.
    pub fn day_began(&self, now: Timestamp) -> Option<Timestamp> {
        lock(&self.states).limits.iter().find(|state| state.limit.span == Span::Day)?;
        let zone = lock(&self.zone).clone();
        let today = now.to_zoned(zone.clone()).date();
        Some(today.to_zoned(zone).ok()?.timestamp())
    }

    /// Counts what was spent from this account today in all, by this process and by others.
    pub fn spent_today(&self, amount: u64, now: Timestamp) {
        let zone = lock(&self.zone).clone();
        let mut states = lock(&self.states);
        if let Some(day) = states.limits.iter_mut().find(|state| state.limit.span == Span::Day) {
            day.forget(now, &zone);
            day.push(now, amount.saturating_sub(day.in_window));
        }
    }

    /// What stands in the windows of rolling limits.
    pub fn windows(&self, now: Timestamp) -> BTreeMap<String, u64> {
        let zone = lock(&self.zone).clone();
        let mut states = lock(&self.states);
        let rolling = states.limits.iter_mut().filter(|state| state.limit.span != Span::Day);
        let taken = rolling.map(|state| {
            state.forget(now, &zone);
            (state.limit.name.to_owned(), state.in_window)
        });
        taken.filter(|(_, taken)| *taken > 0).collect()
    }

    /// Counts what stood in those windows when another worker of the account ended, so long ago; `None` when nobody
    /// knows: then all that is allowed.
    pub fn others_left(&self, windows: Option<&BTreeMap<String, u64>>, ago: SignedDuration, now: Timestamp) {
        let at = now.checked_sub(ago).unwrap_or(now);
        let mut states = lock(&self.states);
        for state in states.limits.iter_mut().filter(|state| state.limit.span != Span::Day) {
            let taken = windows.map_or(state.allowed, |windows| windows.get(state.limit.name).copied().unwrap_or(0));
            if taken > 0 && now < state.frees(at) {
                let place = state.window.partition_point(|(taken, _)| *taken <= at);
                state.window.insert(place, (at, taken));
                state.in_window += taken;
            }
        }
    }

    /// The limits as they are known now.
    pub fn limits(&self) -> Vec<Limit> {
        lock(&self.states).limits.iter().map(|state| state.limit).collect()
    }

    /// When the charges fit; when that is now, they are taken.
    fn try_take(&self, charges: &[Charge], now: Timestamp) -> Result<Timestamp, Fault> {
        let zone = lock(&self.zone).clone();
        let mut states = lock(&self.states);
        let mut ready = now;
        for charge in charges {
            let Some(state) = states.limits.iter_mut().find(|state| state.limit.name == charge.limit) else { continue };
            state.forget(now, &zone);
            ready = ready.max(state.ready(u64::from(charge.amount), now)?);
        }
        if ready <= now {
            states.under_way += 1;
            for charge in charges {
                if let Some(state) = states.limits.iter_mut().find(|state| state.limit.name == charge.limit) {
                    state.push(now, u64::from(charge.amount));
                }
            }
        }
        Ok(ready)
    }
}

impl Flight<'_> {
    /// How long the request waited for its places, in milliseconds.
    pub fn waited_ms(&self) -> u64 {
        self.waited_ms
    }

    /// The answer is there, or the request certainly never left.
    pub fn landed(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut states = lock(&self.budget.states);
        states.under_way = states.under_way.saturating_sub(1);
        if self.is_answered {
            return;
        }
        for charge in &self.charges {
            let state = states.limits.iter_mut().find(|state| state.limit.name == charge.limit);
            if let Some(state) = state.filter(|state| state.limit.span == Span::Day) {
                state.unsure += u64::from(charge.amount);
            }
        }
    }
}

impl State {
    /// Drops what no longer counts.
    fn forget(&mut self, now: Timestamp, zone: &TimeZone) {
        match self.limit.span {
            Span::Rolling(_) => {
                // A clock that went backwards must not keep places taken for ever.
                while let Some((at, amount)) = self.window.front().copied() {
                    if now < self.frees(at) && at <= now {
                        break;
                    }
                    self.window.pop_front();
                    self.in_window = self.in_window.saturating_sub(amount);
                }
            }
            Span::Day => {
                if self.day_ends.is_none_or(|end| end <= now) {
                    self.window.clear();
                    self.in_window = 0;
                    self.unsure = 0;
                    self.day_ends = midnight_after(now, zone);
                }
            }
        }
    }

    /// When `amount` fits.
    fn ready(&self, amount: u64, now: Timestamp) -> Result<Timestamp, Fault> {
        // A request dearer than the whole allowance can still be sent when nothing else is.
        let fits = |in_window: u64| in_window == 0 || in_window + amount <= self.allowed;
        if self.limit.span == Span::Day {
            if self.in_window + amount <= self.allowed {
                return Ok(now);
            }
            return Err(self.day_is_spent());
        }
        let mut in_window = self.in_window;
        let mut ready = now;
        for (at, taken) in &self.window {
            if fits(in_window) {
                break;
            }
            in_window = in_window.saturating_sub(*taken);
            ready = self.frees(*at);
        }
        Ok(ready)
    }

    fn push(&mut self, now: Timestamp, amount: u64) {
        self.in_window += amount;
        if self.limit.span != Span::Day {
            match self.window.back_mut() {
                Some((at, taken)) if *at == now => *taken += amount,
                _ => self.window.push_back((now, amount)),
            }
        }
    }

    /// When a place taken at `at` is free again: a little after the span, since requests do not arrive
    /// at the distances at which they left.
    fn frees(&self, at: Timestamp) -> Timestamp {
        let Span::Rolling(span_ms) = self.limit.span else { return at };
        let margin = (span_ms / 50).clamp(20, 250);
        let span = SignedDuration::from_millis(i64::try_from(span_ms + margin).unwrap_or(i64::MAX));
        at.checked_add(span).unwrap_or(Timestamp::MAX)
    }

    fn day_is_spent(&self) -> Fault {
        let mut fault = Fault::new(
            FaultKind::Limited,
            "daily_limit",
            format!("the day's allowance for this account is used up ({} of {})", self.in_window, self.allowed),
        );
        fault.detail.limited =
            Some(Limited { limit: self.limit.name, daily: true, until: self.day_ends, wait_ms: None });
        fault
    }
}

fn less_reserve(amount: u64, reserve: f64) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "limits are far below 2^52 and the product is not negative"
    )]
    let kept = (amount as f64 * (1.0 - reserve)).floor() as u64;
    kept.max(1)
}

fn midnight_after(now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let tomorrow = now.to_zoned(zone.clone()).date().tomorrow().ok()?;
    Some(tomorrow.to_zoned(zone.clone()).ok()?.timestamp())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

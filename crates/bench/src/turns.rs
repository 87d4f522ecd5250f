//! A clock for several who wait at once: it jumps, but only to the earliest of those who wait, and only when
//! nobody has anything to do before.
//!
//! The sandbox's own virtual clock jumps at once, so that waits of two systems which overlap in truth would
//! add up on it.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use handover_connect::Clock;
use jiff::Timestamp;
use tokio::sync::Notify;

/// So long nobody may have asked for the time before it jumps: longer than a durable write takes.
const IDLE: Duration = Duration::from_millis(50);

/// The clock.
pub(crate) struct TurnClock {
    state: Mutex<State>,
    jumped: Notify,
}

struct State {
    now: Timestamp,
    waiting: BTreeSet<(Timestamp, u64)>,
    /// Grows with every question for the time.
    asked: u64,
}

/// A wait that is taken off also when it is given up.
struct Waiting<'c> {
    clock: &'c TurnClock,
    place: (Timestamp, u64),
}

impl TurnClock {
    /// A clock that begins at `start`.
    pub(crate) fn new(start: Timestamp) -> Self {
        let state = State { now: start, waiting: BTreeSet::new(), asked: 0 };
        Self { state: Mutex::new(state), jumped: Notify::new() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Jumps to `place` if it is the next and nobody asked since; whether its time has come.
    fn has_come(&self, place: (Timestamp, u64), asked: u64) -> bool {
        let mut state = self.lock();
        if state.now < place.0 && state.waiting.first() == Some(&place) && state.asked == asked {
            state.now = place.0;
            drop(state);
            self.jumped.notify_waiters();
            return true;
        }
        state.now >= place.0
    }
}

#[async_trait]
impl Clock for TurnClock {
    fn now(&self) -> Timestamp {
        let mut state = self.lock();
        state.asked += 1;
        state.now
    }

    async fn sleep_until(&self, instant: Timestamp) {
        let place = {
            let mut state = self.lock();
            state.asked += 1;
            if instant <= state.now {
                return;
            }
            let place = (instant, state.asked);
            state.waiting.insert(place);
            place
        };
        let _waiting = Waiting { clock: self, place };
        loop {
            let asked = self.lock().asked;
            // Whether it was a jump or the pause: the time tells.
            drop(tokio::time::timeout(IDLE, self.jumped.notified()).await);
            if self.has_come(place, asked) {
                return;
            }
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.clock.lock();
        state.waiting.remove(&self.place);
        state.asked += 1;
    }
}

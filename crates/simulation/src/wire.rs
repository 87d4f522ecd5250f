//! The wire of a process that may die around any request, while people go on working beside it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use handover_connect::{Clock, Lost, Reply, Transport, VirtualClock, WireRequest};
use handover_local::LocalTransport;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::deeds::{Society, lock};
use crate::dice::Dice;
use crate::mishaps::Death;
use crate::worker::Turn;

/// A system's own clock, ahead of the one that all share.
pub(crate) struct Ahead {
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) by: SignedDuration,
}

#[async_trait]
impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.clock.now() + self.by
    }

    async fn sleep_until(&self, instant: Timestamp) {
        self.clock.sleep_until(instant - self.by).await;
    }
}

/// What all systems of one process share.
#[derive(Default)]
pub(crate) struct Wire {
    /// Requests so far, and around which one it dies.
    requests: AtomicU64,
    last: AtomicU64,
    arrives: AtomicBool,
    dead: AtomicBool,
    /// Whether requests take no time.
    calm: AtomicBool,
    died: Notify,
}

impl Wire {
    /// Dies around a request from now on, or not.
    pub(crate) fn dies(&self, death: Death) {
        let (last, arrives) = match death {
            Death::AtRequest(nth, arrives) => (self.requests.load(Ordering::SeqCst) + nth, arrives),
            Death::No | Death::AtWrite(..) => (0, false),
        };
        self.last.store(last, Ordering::SeqCst);
        self.arrives.store(arrives, Ordering::SeqCst);
    }

    /// From now on requests take no time, or theirs.
    pub(crate) fn calm(&self, calm: bool) {
        self.calm.store(calm, Ordering::SeqCst);
    }

    /// Requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.died.notify_one();
    }

    pub(crate) async fn died(&self) {
        self.died.notified().await;
    }

    /// A dead process neither sends nor learns anything.
    async fn end(&self) -> ! {
        self.die();
        std::future::pending().await
    }
}

/// The way to one system.
pub(crate) struct Mortal {
    pub(crate) below: LocalTransport,
    pub(crate) wire: Arc<Wire>,
    pub(crate) turn: Arc<Turn>,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) society: Arc<Mutex<Society>>,
    /// How long requests take.
    pub(crate) pace: Arc<Mutex<Dice>>,
}

#[async_trait]
impl Transport for Mortal {
    async fn send(&self, request: WireRequest, timeout: Duration) -> Result<Reply, Lost> {
        if self.wire.dead.load(Ordering::SeqCst) {
            self.wire.end().await;
        }
        if !self.wire.calm.load(Ordering::SeqCst) {
            let arrives = self.clock.now() + SignedDuration::from_millis(lock(&self.pace).between(40, 900));
            self.clock.sleep_until(arrives).await;
            lock(&self.society).act_until(arrives);
        }
        let nth = self.wire.requests.fetch_add(1, Ordering::SeqCst) + 1;
        let last = nth == self.wire.last.load(Ordering::SeqCst);
        if last && !self.wire.arrives.load(Ordering::SeqCst) {
            self.wire.end().await;
        }
        let reply = self.below.send(request, timeout).await;
        self.turn.answer().await;
        if last {
            self.wire.end().await;
        }
        reply
    }
}

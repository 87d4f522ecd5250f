//! The wire of a process that may die around any request.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use handover_connect::{Lost, Method, Reply, Transport, WireRequest};
use tokio::sync::Notify;

use super::Death;

/// On which side of a request a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Around {
    /// Before it leaves.
    Before,
    /// After the system applied it, before the answer is seen.
    After,
}

/// What all systems of one process share.
pub(crate) struct Wire {
    death: Death,
    stop_at: Option<u64>,
    stop: Arc<AtomicBool>,
    counting: AtomicBool,
    requests: AtomicU64,
    /// The numbers of those requests that may change something.
    changing: Mutex<Vec<u64>>,
    dead: AtomicBool,
    died: Notify,
}

impl Wire {
    pub(crate) fn new(death: Death, stop_at: Option<u64>) -> Self {
        Self {
            death,
            stop_at,
            stop: Arc::default(),
            counting: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            changing: Mutex::default(),
            dead: AtomicBool::new(false),
            died: Notify::new(),
        }
    }

    /// Counts from now on.
    pub(crate) fn begin(&self) {
        self.counting.store(true, Ordering::SeqCst);
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn changing(&self) -> Vec<u64> {
        self.changing.lock().unwrap().clone()
    }

    /// What tells a pass to stop.
    pub(crate) fn stop(&self) -> Arc<AtomicBool> {
        self.stop.clone()
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

/// A transport on this wire.
pub(crate) struct Mortal<T> {
    pub(crate) below: T,
    pub(crate) wire: Arc<Wire>,
}

#[async_trait]
impl<T: Transport> Transport for Mortal<T> {
    async fn send(&self, request: WireRequest, timeout: Duration) -> Result<Reply, Lost> {
        let wire = &self.wire;
        if wire.dead.load(Ordering::SeqCst) {
            wire.end().await;
        }
        let counting = wire.counting.load(Ordering::SeqCst);
        let n = if counting { wire.requests.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
        let reads = request.method == Method::Get
            || ["/search", "/batch/read"].iter().any(|end| request.url.path().ends_with(end));
        if n > 0 && !reads {
            wire.changing.lock().unwrap().push(n);
        }
        if wire.stop_at.is_some_and(|at| at == n) {
            wire.stop.store(true, Ordering::SeqCst);
        }
        if n > 0 && wire.death == Death::AtRequest(n, Around::Before) {
            wire.end().await;
        }
        let reply = self.below.send(request, timeout).await;
        if n > 0 && wire.death == Death::AtRequest(n, Around::After) {
            wire.end().await;
        }
        reply
    }
}

//! The state while a server runs: open only while somebody needs it, so that others may write it in between: other
//! commands, and in PostgreSQL other workers.
//!
//! Invariants:
//! - Whoever uses it shares one writer; it is closed when the last of them is done.
//! - In PostgreSQL, whoever receives or reads disturbs no writer and waits for none.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use handover_store::{Error, Location, Store};
use tokio::sync::Mutex;

use crate::worker::Worker;

/// How long to wait before a state that another command writes is tried again.
const STEP: Duration = Duration::from_millis(100);

/// A state that is open while it is needed.
pub(super) struct State {
    location: Location,
    worker: Worker,
    /// How long its lease lasts.
    term: Duration,
    open: Mutex<Weak<Store>>,
    /// In PostgreSQL, what receives webhooks and reads; open once it was needed.
    beside: Mutex<Option<Arc<Store>>>,
    /// The fence of the last lease that this process had; nothing of it is left once `open` is gone.
    own: AtomicI64,
}

impl State {
    /// The state at a location, closed.
    pub(super) fn at(location: Location, worker: Worker, term: Duration) -> Self {
        Self { location, worker, term, open: Mutex::default(), beside: Mutex::default(), own: AtomicI64::new(0) }
    }

    /// The name of this process among the workers.
    pub(super) fn worker(&self) -> &str {
        &self.worker.name
    }

    /// Whether several workers may share it.
    pub(super) fn is_shared(&self) -> bool {
        self.location.is_shared()
    }

    /// The state to write, for as long as the caller keeps it.
    ///
    /// # Errors
    /// Those of [`Store::open_as`].
    pub(super) async fn open(&self) -> Result<Arc<Store>, Error> {
        let mut open = self.open.lock().await;
        if let Some(store) = open.upgrade() {
            return Ok(store);
        }
        let own = Some(self.own.load(Ordering::Relaxed)).filter(|fence| *fence > 0);
        let store = Arc::new(self.worker.open(&self.location, self.term, own).await?);
        self.own.store(store.lease().map_or(0, |lease| lease.fence()), Ordering::Relaxed);
        *open = Arc::downgrade(&store);
        Ok(store)
    }

    /// The caller is done: with the last one the state is closed, and the next worker need not wait.
    pub(super) async fn done(&self, store: Arc<Store>) {
        let Some(store) = Arc::into_inner(store) else { return };
        if let Err(error) = store.close().await {
            tracing::warn!(%error, "the state could not be closed in order");
        }
    }

    /// The state to receive webhooks. A file that another command writes is waited for.
    ///
    /// # Errors
    /// Those of [`Store::open_receiving`]; [`Error::Locked`] when the patience is over.
    pub(super) async fn receiving(&self, patience: Duration) -> Result<Arc<Store>, Error> {
        if self.is_shared() {
            return self.beside().await;
        }
        let mut left = patience;
        loop {
            match self.open().await {
                Err(Error::Locked { .. }) if !left.is_zero() => {
                    let step = left.min(STEP);
                    tokio::time::sleep(step).await;
                    left -= step;
                }
                opened => return opened,
            }
        }
    }

    /// The state to read: whoever writes it is not disturbed.
    ///
    /// # Errors
    /// Those of [`Store::open_reading`].
    pub(super) async fn read(&self) -> Result<Arc<Store>, Error> {
        if self.is_shared() {
            return self.beside().await;
        }
        let open = self.open.lock().await.upgrade();
        match open {
            Some(store) => Ok(store),
            None => Ok(Arc::new(Store::open_reading(&self.location).await?)),
        }
    }

    /// What stays open beside the writer; its connections are made anew when the database was away.
    async fn beside(&self) -> Result<Arc<Store>, Error> {
        let mut beside = self.beside.lock().await;
        if let Some(store) = &*beside {
            return Ok(store.clone());
        }
        let store = Arc::new(Store::open_receiving(&self.location, &self.worker.name).await?);
        Ok(beside.insert(store).clone())
    }
}

//! The state while a server runs: open only while somebody needs it, so that other commands may write it in between.
//!
//! Invariant: whoever uses it shares one writer; it is closed when the last of them is done.

use std::sync::{Arc, Weak};
use std::time::Duration;

use handover_store::{Error, Location, Store};
use tokio::sync::Mutex;

/// How long to wait before a state that another command writes is tried again.
const STEP: Duration = Duration::from_millis(100);

/// A state that is open while it is needed.
pub(super) struct State {
    location: Location,
    open: Mutex<Weak<Store>>,
}

impl State {
    /// The state at a location, closed.
    pub(super) fn at(location: Location) -> Self {
        Self { location, open: Mutex::default() }
    }

    /// The state to write, for as long as the caller keeps it. While another command writes it, it is waited for.
    ///
    /// # Errors
    /// Those of [`Store::open`]; [`Error::Locked`] when the patience is over.
    pub(super) async fn open(&self, patience: Duration) -> Result<Arc<Store>, Error> {
        let mut left = patience;
        loop {
            match self.try_open().await {
                Err(Error::Locked { .. }) if !left.is_zero() => {
                    let step = left.min(STEP);
                    tokio::time::sleep(step).await;
                    left -= step;
                }
                opened => return opened,
            }
        }
    }

    async fn try_open(&self) -> Result<Arc<Store>, Error> {
        let mut open = self.open.lock().await;
        if let Some(store) = open.upgrade() {
            return Ok(store);
        }
        let store = Arc::new(Store::open(&self.location).await?);
        *open = Arc::downgrade(&store);
        Ok(store)
    }

    /// The state to read: whoever writes it is not disturbed.
    ///
    /// # Errors
    /// Those of [`Store::open_reading`].
    pub(super) async fn read(&self) -> Result<Arc<Store>, Error> {
        let open = self.open.lock().await.upgrade();
        match open {
            Some(store) => Ok(store),
            None => Ok(Arc::new(Store::open_reading(&self.location).await?)),
        }
    }
}

//! Two workers on one state: one is paused in the middle of a pass, another takes over, and the first comes back.
//!
//! Where workers share a state in PostgreSQL its lease tells them apart (tested there with real processes). Here the
//! state is a file, and the same rules are played on it: whoever was succeeded gets no leave for a request, and none of
//! its steps is committed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use handover_connect::Leave;
use handover_engine::{Error, Pass, Report, Selection};
use handover_store::Store;
use tokio::sync::Notify;

use crate::mishaps::Death;
use crate::process::{Ended, Process};

/// The right of one worker to write, and where it is paused.
#[derive(Default)]
pub(crate) struct Turn {
    succeeded: AtomicBool,
    /// Requests that asked for leave, and at which of them it is paused; the same for answers.
    asked: AtomicU64,
    pauses_at: AtomicU64,
    answered: AtomicU64,
    pauses_behind: AtomicU64,
    paused: Notify,
    goes_on: Notify,
}

/// Where a worker is paused.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pause {
    /// Before its n-th request from now asks for leave, from 1.
    Before(u64),
    /// When its n-th request from now was answered, and before it learns so.
    Behind(u64),
}

impl Turn {
    fn pauses(&self, pause: Pause) {
        match pause {
            Pause::Before(nth) => self.pauses_at.store(self.asked.load(Ordering::SeqCst) + nth, Ordering::SeqCst),
            Pause::Behind(nth) => {
                self.pauses_behind.store(self.answered.load(Ordering::SeqCst) + nth, Ordering::SeqCst);
            }
        }
    }

    /// It is paused no more, wherever it was to be.
    fn never_pauses(&self) {
        self.pauses_at.store(0, Ordering::SeqCst);
        self.pauses_behind.store(0, Ordering::SeqCst);
    }

    /// An answer has come, and is not read yet.
    pub(crate) async fn answer(&self) {
        let nth = self.answered.fetch_add(1, Ordering::SeqCst) + 1;
        if nth == self.pauses_behind.load(Ordering::SeqCst) {
            self.pause().await;
        }
    }

    async fn pause(&self) {
        self.paused.notify_one();
        self.goes_on.notified().await;
    }
}

#[async_trait]
impl Leave for Turn {
    async fn until_answered(&self, _: Duration) -> Result<(), String> {
        let nth = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        if nth == self.pauses_at.load(Ordering::SeqCst) {
            self.pause().await;
        }
        match self.succeeded.load(Ordering::SeqCst) {
            true => Err("another worker has taken the state over".to_owned()),
            false => Ok(()),
        }
    }
}

/// The state is at rest when it was found so this often, a moment apart; and for how many moments that is waited.
const CALM: u32 = 10;
const PATIENCE: u32 = 300;
const MOMENT: Duration = Duration::from_millis(1);

/// A pass under way.
type Work = Pin<Box<dyn Future<Output = Result<Report, Error>>>>;

/// A worker that was paused in the middle of a pass.
pub(crate) struct Paused {
    // Before the process: it lives on its runtime.
    work: Work,
    process: Process,
}

impl Process {
    /// Begins a pass over changes that is paused on its way, between two durable steps. A pass that ends before is
    /// given as it ended.
    pub(crate) fn pause(self, pause: Pause) -> Result<Paused, Box<(Self, Ended)>> {
        let (setup, workplace, turn) = (self.setup.clone(), self.workplace.clone(), self.turn.clone());
        let mut work: Work = Box::pin(async move {
            let pass = Pass::begin(setup, &workplace, "sync", Arc::default()).await?;
            pass.run(&Selection::Changes).await
        });
        self.wire.dies(Death::No);
        turn.pauses(pause);
        let ended = self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = turn.paused.notified() => {}
                ended = &mut work => return Some(ended),
            }
            // What goes on beside that request goes on until it needs it: then the state is at rest.
            let mut calm = 0;
            for _ in 0..PATIENCE {
                tokio::select! {
                    biased;
                    ended = &mut work => return Some(ended),
                    () = tokio::time::sleep(MOMENT) => {}
                }
                calm = if self.store.is_idle() { calm + 1 } else { 0 };
                if calm == CALM {
                    return None;
                }
            }
            // It waits in the middle of a reading: another place is better.
            turn.goes_on.notify_one();
            Some(work.as_mut().await)
        });
        turn.never_pauses();
        match ended {
            None => Ok(Paused { work, process: self }),
            Some(ended) => Err(Box::new((self, Ended::of(ended)))),
        }
    }
}

impl Paused {
    /// The state, which another worker takes over.
    pub(crate) fn store(&self) -> Store {
        self.process.store.clone()
    }

    /// It comes back and finds itself succeeded. Gives what it should not have done.
    pub(crate) fn comes_back(mut self) -> Vec<String> {
        let Process { store, turn, wire, runtime, .. } = &self.process;
        turn.succeeded.store(true, Ordering::SeqCst);
        store.set_fuse(Arc::new(|_, _| true));
        let sent = wire.requests();
        turn.goes_on.notify_one();
        let ended = runtime.block_on(&mut self.work);
        store.set_fuse(Arc::new(|_, _| false));
        let mut wrong = Vec::new();
        if ended.is_ok() {
            wrong.push("workers: one that was succeeded finished its pass".to_owned());
        }
        if wire.requests() != sent {
            wrong.push(format!("workers: one that was succeeded sent {} requests", wire.requests() - sent));
        }
        wrong
    }
}

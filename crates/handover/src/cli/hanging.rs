//! Passes that hang: begun, and since then neither an answer of a system nor anything written to the state.
//!
//! Owns: what counts as progress, and since when there was none.
//! Invariants:
//! - Time is that of the machine's monotonic clock: what a sandbox's or a system's clock says is of no account.
//! - Watching holds up no pass and ends none: whoever is told decides.
//! - Requests that get no answer are no progress: their number is bounded, and a pass that goes on without any hangs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use handover_connect::Connector;
use handover_model::SystemName;
use handover_store::{Commit, Store};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::session::Session;
use crate::alerts::{self, conditions::hanging};

/// Where the pass under way stands, for whoever asks; shared by all that watch this process.
#[derive(Default)]
pub(crate) struct Pulse(Mutex<Option<Beat>>);

/// What was seen of a pass last.
struct Beat {
    /// Answers of systems and writes of the state, in all.
    seen: (u64, u64),
    /// When that number was seen first.
    since: Instant,
    systems: BTreeMap<SystemName, Arc<dyn Connector>>,
    store: Store,
}

impl Beat {
    fn now(&self) -> (u64, u64) {
        let answered = self.systems.values().map(|system| system.spent().answered).sum();
        (answered, self.store.durable_writes())
    }
}

impl Pulse {
    /// A pass begins.
    fn begins(&self, systems: BTreeMap<SystemName, Arc<dyn Connector>>, store: Store) {
        let mut beat = Beat { seen: (0, 0), since: Instant::now(), systems, store };
        beat.seen = beat.now();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(beat);
    }

    fn ends(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How long the pass under way has made no progress; none while there is no pass.
    pub(crate) fn idle(&self) -> Option<Duration> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let beat = slot.as_mut()?;
        let seen = beat.now();
        if seen != beat.seen {
            (beat.seen, beat.since) = (seen, Instant::now());
        }
        Some(beat.since.elapsed())
    }
}

/// A pass that hangs, as the state tells of it. Kept under [`NAME`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hanging {
    /// The pass.
    pub(crate) pass: i64,
    /// Since when it has made no progress.
    pub(crate) since: Timestamp,
}

/// Under which name the state keeps the pass that hangs.
const NAME: &str = "hanging";

impl Hanging {
    /// The pass that hangs, if the state tells of one that did not end since.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub(crate) async fn of(store: &Store) -> Result<Option<Self>, handover_store::Error> {
        let text = store.kept(NAME).await?;
        let Some(hanging) = text.and_then(|text| serde_json::from_str::<Self>(&text).ok()) else { return Ok(None) };
        let last = store.last_pass().await?;
        Ok(last.is_some_and(|last| last.id == hanging.pass && last.ended.is_none()).then_some(hanging))
    }
}

/// Watches a pass of a session from its beginning to its end.
pub(crate) async fn watched<T>(session: &Session, store: &Store, pass: impl Future<Output = T>) -> T {
    let mut watch = Watch::over(session, store);
    let done = pass.await;
    // Nobody has the state open any more once this is over.
    watch.task.abort();
    drop((&mut watch.task).await);
    done
}

/// Watches a pass until it is dropped.
struct Watch {
    pulse: Arc<Pulse>,
    task: JoinHandle<()>,
}

impl Watch {
    fn over(session: &Session, store: &Store) -> Self {
        session.pulse.begins(session.systems.clone(), store.clone());
        let limit = session.project.policies.hangs;
        let teller = Teller {
            project: session.project.name.clone(),
            alerts: session.project.alerts.clone(),
            clock: session.clock.clone(),
            store: store.clone(),
        };
        let pulse = session.pulse.clone();
        let task = tokio::spawn(async move { watch(&pulse, limit, &teller).await });
        Self { pulse: session.pulse.clone(), task }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
        self.pulse.ends();
    }
}

/// Whom to tell of a pass that hangs, and where that is kept.
struct Teller {
    project: String,
    alerts: Option<crate::config::Alerts>,
    clock: Arc<dyn handover_connect::Clock>,
    store: Store,
}

/// Looks at the pulse again and again; the first time it is too long ago, and each time the silence is over, tells.
async fn watch(pulse: &Pulse, limit: Duration, teller: &Teller) {
    let step = (limit / 8).clamp(Duration::from_millis(50), Duration::from_secs(30));
    let mut told: Option<Instant> = None;
    loop {
        tokio::time::sleep(step).await;
        let Some(idle) = pulse.idle() else { return };
        if idle < limit {
            if told.take().is_some() {
                teller.goes_on().await;
                // What was just written is no progress of the pass.
                pulse.idle();
            }
            continue;
        }
        let silence = teller.alerts.as_ref().and_then(|alerts| Duration::try_from(alerts.silence).ok());
        let due = told.is_none_or(|at| silence.is_some_and(|silence| at.elapsed() >= silence));
        if due {
            teller.hangs(idle).await;
            told = Some(Instant::now());
            pulse.unchanged(idle);
        }
    }
}

impl Pulse {
    /// What was written to the state meanwhile was not the pass's doing.
    fn unchanged(&self, idle: Duration) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(beat) = slot.as_mut() {
            beat.seen = beat.now();
            beat.since = Instant::now().checked_sub(idle).unwrap_or(beat.since);
        }
    }
}

/// How long the state may take while a pass hangs: it may be what hangs.
const PATIENCE: Duration = Duration::from_secs(10);

impl Teller {
    /// Keeps in the state that the pass hangs, and tells people.
    async fn hangs(&self, idle: Duration) {
        let now = self.clock.now();
        let since = now.checked_sub(SignedDuration::try_from(idle).unwrap_or_default()).unwrap_or(now);
        let last = tokio::time::timeout(PATIENCE, self.store.last_pass()).await;
        let pass = last.ok().and_then(Result::ok).flatten().filter(|pass| pass.ended.is_none());
        if let Some(pass) = &pass {
            let text = serde_json::to_string(&Hanging { pass: pass.id, since }).unwrap_or_default();
            self.keep(text).await;
        }
        tracing::warn!(idle_s = idle.as_secs(), "the pass under way makes no progress");
        let Some(alerts) = &self.alerts else { return };
        let told = alerts::tell_found(&self.project, alerts, &self.store, &hanging(idle), now).await;
        for why in told {
            tracing::warn!(why, "an alert could not be told");
        }
    }

    /// The pass goes on: people are told when it is over, as of everything.
    async fn goes_on(&self) {
        self.keep(String::new()).await;
    }

    async fn keep(&self, text: String) {
        let commit = Commit { at: self.clock.now(), kept: vec![(NAME.to_owned(), text)], ..Commit::default() };
        match tokio::time::timeout(PATIENCE, self.store.commit(commit)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "that a pass hangs could not be kept"),
            Err(_) => tracing::warn!("that a pass hangs could not be kept: the state does not answer"),
        }
    }
}

//! What the server and the passes of one process share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use handover_connect::{Clock, Connector};
use handover_model::{Counts, Day, FlowName, SystemName};
use handover_store::Error;
use jiff::SignedDuration;
use secrecy::SecretString;
use tokio::sync::Notify;

use super::state::State;
use crate::cli::hanging::{Hanging, Pulse};
use crate::cli::standing::Standing;
use crate::config::Project;

/// A system whose webhooks are taken.
pub(super) struct Hook {
    /// Reads deliveries.
    pub(super) system: Arc<dyn Connector>,
    /// What only the platform and we know.
    pub(super) secret: SecretString,
    /// The whole address that the platform calls, when the project says it.
    pub(super) url: Option<String>,
    /// The address that is to be registered at the platform.
    pub(super) registered: String,
    /// The account that the state is tied to.
    pub(super) account: Option<String>,
}

/// What the server and the passes share.
pub(super) struct Desk {
    pub(super) state: State,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) hooks: BTreeMap<SystemName, Hook>,
    /// Rung when something came into the inbox.
    pub(super) bell: Notify,
    /// How often there is a pass over changes.
    pub(super) every: SignedDuration,
    /// Whether metrics are served.
    pub(super) metrics: bool,
    pub(super) tally: Mutex<Tally>,
    /// How the pass under way gets on.
    pub(super) pulse: Arc<Pulse>,
    /// The last reading of the state, with the number and end of the last pass then.
    read: Mutex<Option<(Mark, Standing)>>,
}

/// What tells whether a pass began or ended since.
type Mark = (i64, bool);

/// What is counted since the process began.
#[derive(Default)]
pub(super) struct Tally {
    /// Passes by what began them and how they ended.
    pub(super) passes: BTreeMap<(&'static str, &'static str), u64>,
    /// What the passes did with records.
    pub(super) did: Counts,
    /// Calls by system, of sessions that are over.
    pub(super) calls: BTreeMap<SystemName, u64>,
    /// The systems that are open, for what they cost.
    pub(super) open: BTreeMap<SystemName, Arc<dyn Connector>>,
    /// Deliveries by system (none when it is not one of the project's) and what became of them.
    pub(super) deliveries: BTreeMap<(Option<SystemName>, &'static str), u64>,
    /// Why the last pass over changes did not come to its end.
    pub(super) failed: Option<String>,
    /// The flows of the project, as it was read last.
    pub(super) flows: Vec<FlowName>,
    /// When the old system is switched off, by the project as it was read last.
    pub(super) kill_date: Option<Day>,
    /// After how long without progress a pass hangs, by the project as it was read last.
    pub(super) hangs: Option<Duration>,
}

impl Tally {
    /// Takes note of a project that was read.
    pub(super) fn of(&mut self, project: &Project) {
        self.flows = project.flows.iter().map(|flow| flow.name.clone()).collect();
        self.kill_date = project.kill_date;
        self.hangs = Some(project.policies.hangs);
    }
}

impl Desk {
    pub(super) fn new(
        state: State,
        clock: Arc<dyn Clock>,
        hooks: BTreeMap<SystemName, Hook>,
        (every, metrics): (SignedDuration, bool),
    ) -> Self {
        let (bell, tally, read) = (Notify::new(), Mutex::default(), Mutex::default());
        let pulse = Arc::default();
        Self { state, clock, hooks, bell, every, metrics, tally, pulse, read }
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the migration stands. All records are counted when a pass began or ended since, and not for every
    /// question; the inbox and the workers are always as they are now.
    pub(super) async fn standing(&self) -> Result<Standing, Error> {
        let store = self.state.read().await?;
        let last = store.last_pass().await?;
        let mark = last.map_or((0, false), |pass| (pass.id, pass.ended.is_some()));
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let standing = match known {
            Some((then, standing)) if then == mark => {
                let (webhooks, holder) = (store.received().await?, store.holder().await?);
                let hanging = Hanging::of(&store).await?;
                Standing { webhooks, holder, hanging, workers: store.workers().await?, ..standing }
            }
            _ => {
                let flows = self.tally().flows.clone();
                Standing::of(&store, &flows).await?
            }
        };
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some((mark, standing.clone()));
        Ok(standing)
    }
}

impl Tally {
    /// Calls by system so far.
    pub(super) fn all_calls(&self) -> BTreeMap<SystemName, u64> {
        let mut calls = self.calls.clone();
        for (name, system) in &self.open {
            *calls.entry(name.clone()).or_default() += system.spent().calls;
        }
        calls
    }

    /// The systems that are used from now on; what the others cost stays counted.
    pub(super) fn reopened(&mut self, systems: &BTreeMap<SystemName, Arc<dyn Connector>>) {
        self.calls = self.all_calls();
        self.open.clone_from(systems);
    }
}

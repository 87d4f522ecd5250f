//! The passes of a server, one after the other: over changes on a schedule, over what was told when it comes.
//!
//! Invariants:
//! - What was told stays in the inbox until a pass that fetched it has come to its end.
//! - That a record is gone is not believed: such hints wait for a pass over changes, which looks for itself.
//! - The project is read anew and checked before each pass over changes; passes over what was told work from what
//!   was checked last.
//! - A pass that fails ends nothing: the next one goes on from there.
//! - While somebody else writes the state, this process stands by; what others have carried by its turn is not carried
//!   again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use handover_engine::{Report, Selection, Setup, Told};
use handover_model::{Counts, Outcome};
use handover_store::{Error, Hint, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::watch;

use super::desk::Desk;
use super::server::asked;
use super::subscriptions;
use crate::alerts::conditions;
use crate::cli::output::{count, plural};
use crate::cli::session::Session;
use crate::cli::standing::Good;
use crate::cli::{Output, failure, run, sync};
use crate::config;
use crate::problem::Problem;

/// How long to wait before a state that somebody else writes is tried again.
const STEP: Duration = Duration::from_millis(500);
/// How far ahead another machine's clock may be for its passes to count.
const AHEAD: SignedDuration = SignedDuration::from_mins(1);
/// How long a pass may take to its next safe place once somebody asked to stop.
const LAST: Duration = Duration::from_millis(2_500);
/// Hints that are read at once.
const HINTS: usize = 100_000;

/// What began a pass.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Because {
    /// It was due.
    Due,
    /// Webhooks told something.
    Told,
}

impl Because {
    fn word(self) -> &'static str {
        match self {
            Self::Due => "sync",
            Self::Told => "webhooks",
        }
    }
}

/// The passes of a server.
pub(super) struct Passes<'o> {
    pub(super) project: PathBuf,
    pub(super) output: &'o Output,
    pub(super) desk: Arc<Desk>,
    /// What is told within this time of the first is carried together.
    pub(super) gather: SignedDuration,
    pub(super) stop: (Arc<AtomicBool>, watch::Receiver<bool>),
    pub(super) session: Option<Session>,
    /// What was checked last.
    pub(super) checked: Option<Arc<Setup>>,
    /// When the next pass over changes is due, since another worker has carried them.
    pub(super) put_off: Option<Timestamp>,
    /// When was looked last at what the platforms tell.
    pub(super) looked: Option<Timestamp>,
}

impl Passes<'_> {
    /// Works until somebody asks to stop.
    pub(super) async fn run(mut self) {
        let mut stop = self.stop.1.clone();
        let desk = self.desk.clone();
        let mut due = desk.clock.now();
        loop {
            tokio::select! {
                biased;
                () = asked(&mut stop) => return,
                () = desk.clock.sleep_until(due) => {
                    self.one(Because::Due).await;
                    due = self.put_off.take().unwrap_or_else(|| later(desk.clock.now(), desk.every));
                    // Also what an earlier process received, and what a failed pass left.
                    self.one(Because::Told).await;
                }
                () = desk.bell.notified(), if self.checked.is_some() => {
                    let gathered = desk.clock.sleep_until(later(desk.clock.now(), self.gather));
                    tokio::select! {
                        () = asked(&mut stop) => return,
                        () = gathered => self.one(Because::Told).await,
                    }
                }
            }
        }
    }

    /// One pass, counted and told, once it is this worker's turn.
    async fn one(&mut self, because: Because) {
        let Some(store) = self.turn(because).await else { return };
        let mut stop = self.stop.1.clone();
        let overdue = async move {
            asked(&mut stop).await;
            tokio::time::sleep(LAST).await;
        };
        let done = tokio::select! {
            done = self.pass(&store, because) => done,
            // What is under way is found open by the next process, and looked up.
            () = overdue => Err(vec![Problem::new("stopped", "stopped on request")]),
        };
        let done = Session::unless_succeeded(&store, done).await;
        self.desk.state.done(store).await;
        match done {
            // Whatever failed here, another worker has carried it.
            Ok(None) if because == Because::Due => self.desk.tally().failed = None,
            Ok(None) => {}
            Ok(Some(done)) => self.tell(because, &done),
            Err(problems) => self.failed(because, &problems),
        }
    }

    /// Waits until nobody else writes the state; `None` when somebody asks to stop, or when it cannot be opened.
    async fn turn(&self, because: Because) -> Option<Arc<Store>> {
        let mut stop = self.stop.1.clone();
        let mut behind = None;
        while !self.stop.0.load(Ordering::Relaxed) {
            match self.desk.state.open().await {
                Ok(store) => return Some(store),
                Err(Error::Locked { by, .. }) => {
                    if behind.as_ref() != Some(&by.worker) {
                        let until = by.until.map(|until| until.to_string());
                        self.output.line(&json!({"kind": because.word(), "end": "standby", "behind": by.worker,
                            "since": by.since.map(|since| since.to_string()), "until": until}));
                        tracing::info!(%by, "standing by");
                        behind = Some(by.worker);
                    }
                    tokio::select! {
                        () = asked(&mut stop) => return None,
                        () = tokio::time::sleep(STEP) => {}
                    }
                }
                Err(error) => {
                    self.failed(because, &[failure::store(&error)]);
                    return None;
                }
            }
        }
        None
    }

    async fn pass(&mut self, store: &Store, because: Because) -> Result<Option<Carried>, Vec<Problem>> {
        match because {
            Because::Due => {
                self.put_off = self.carried_by_others(store).await?;
                if self.put_off.is_some() { Ok(None) } else { self.changes(store).await.map(Some) }
            }
            Because::Told => self.told(store).await,
        }
    }

    /// When the next pass over changes is due, if somebody else has carried them not long ago. The first pass of a
    /// process is its own: it checks what the later ones work from.
    async fn carried_by_others(&self, store: &Store) -> Result<Option<Timestamp>, Vec<Problem>> {
        let (Some(setup), true) = (&self.checked, self.desk.state.is_shared()) else { return Ok(None) };
        let passes = store.passes().await.map_err(|error| vec![failure::store(&error)])?;
        let now = self.desk.clock.now();
        let last = setup.flows.iter().map(|ready| Good::last(&passes, &ready.flow.name));
        let oldest = last.collect::<Option<Vec<Good>>>().and_then(|last| last.into_iter().map(|good| good.began).min());
        let due =
            oldest.filter(|began| now.duration_since(*began) >= -AHEAD).map(|began| later(began, self.desk.every));
        Ok(due.filter(|due| *due > now))
    }

    /// A pass over changes.
    async fn changes(&mut self, store: &Store) -> Result<Carried, Vec<Problem>> {
        let failed = |error: handover_store::Error| vec![failure::store(&error)];
        // What is said to be gone now, this pass looks for.
        let mut gone = store.inbox(HINTS).await.map_err(failed)?;
        gone.retain(|hint| hint.event.what.is_gone());
        let (output, stop) = (self.output, self.stop.0.clone());
        let session = reopened(&self.project, &mut self.session, &self.desk)?;
        session.turn.begins(store);
        let before = calls(session);
        // Until the check has passed again nothing is carried, also of what is told.
        let known = self.checked.take().filter(|setup| setup.project.snapshot == session.project.snapshot);
        let setup = Arc::new(run::prepared(session, store, output, true).await?);
        let now = self.desk.clock.now();
        if known.is_none() || self.looked.is_none_or(|looked| now.duration_since(looked) >= subscriptions::EVERY) {
            let lacking = subscriptions::keep(&setup, &self.desk.hooks, now, output).await;
            sync::alert_found(session, store, output, &conditions::untold(&lacking)).await;
            self.looked = Some(now);
        }
        self.checked = Some(setup.clone());
        let report = run::pass(session, store, output, setup, ("sync", &Selection::Changes), stop).await;
        let done = run::ended(session, store, report).await;
        let done = Session::unless_succeeded(store, done).await;
        sync::alert(session, store, output, &done).await;
        let (report, _) = done?;
        let carried = Carried { calls: calls(session) - before, hints: gone.len(), report };
        store.mark_done(&gone, self.desk.clock.now()).await.map_err(failed)?;
        Ok(carried)
    }

    /// A pass over what was told, if something waits. Objects of which no flow reads are done at once.
    async fn told(&mut self, store: &Store) -> Result<Option<Carried>, Vec<Problem>> {
        let failed = |error: handover_store::Error| vec![failure::store(&error)];
        let (Some(session), Some(setup)) = (&self.session, &self.checked) else { return Ok(None) };
        let mut hints = store.inbox(HINTS).await.map_err(failed)?;
        hints.retain(|hint| !hint.event.what.is_gone());
        if hints.is_empty() {
            return Ok(None);
        }
        session.turn.begins(store);
        session.reminded(store).await?;
        let told = wanted(setup, &hints);
        let mut carried = None;
        if !told.is_empty() {
            let before = calls(session);
            let (output, stop) = (self.output, self.stop.0.clone());
            let selection = ("webhooks", &Selection::Told(told));
            let report = run::pass(session, store, output, setup.clone(), selection, stop).await;
            let report = session.spent(store, report).await?;
            carried = Some(Carried { calls: calls(session) - before, hints: hints.len(), report });
        }
        store.mark_done(&hints, self.desk.clock.now()).await.map_err(failed)?;
        Ok(carried)
    }

    fn tell(&self, because: Because, done: &Carried) {
        let Carried { report, hints, calls } = done;
        let mut tally = self.desk.tally();
        *tally.passes.entry((because.word(), "finished")).or_default() += 1;
        add(&mut tally.did, &report.did);
        if because == Because::Due {
            tally.failed = None;
        }
        drop(tally);
        let did = |outcome| report.did.of(outcome);
        self.output.line(&json!({
            "pass": report.pass,
            "kind": because.word(),
            "did": {
                "created": did(Outcome::Created),
                "updated": did(Outcome::Updated),
                "merged": did(Outcome::Merged),
                "held": did(Outcome::Held),
            },
            "events": hints,
            "calls": calls,
            "links_waiting": report.links_waiting,
        }));
        let told = match because {
            Because::Due => String::new(),
            Because::Told => format!(", {} told", plural(*hints as u64, "change")),
        };
        self.output.say(&format!(
            "Pass {}, {}{told}: {} created, {} updated, {} held; {} calls.",
            report.pass,
            self.desk.clock.now().strftime("%Y-%m-%d %H:%M:%S UTC"),
            count(did(Outcome::Created)),
            count(did(Outcome::Updated)),
            count(did(Outcome::Held)),
            count(*calls),
        ));
    }

    fn failed(&self, because: Because, problems: &[Problem]) {
        let on_request = self.stop.0.load(Ordering::Relaxed);
        let end = if on_request { "stopped" } else { "failed" };
        let why: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        let mut tally = self.desk.tally();
        *tally.passes.entry((because.word(), end)).or_default() += 1;
        if because == Because::Due && !on_request {
            tally.failed = Some(why.join("; "));
        }
        drop(tally);
        self.output.line(&json!({"kind": because.word(), "end": end, "why": why}));
        if !on_request {
            self.output.warn(problems);
        }
    }
}

/// A pass that came to its end.
struct Carried {
    report: Report,
    hints: usize,
    calls: u64,
}

/// The session on the project as it is now: opened anew only when its files changed.
fn reopened<'s>(file: &Path, open: &'s mut Option<Session>, desk: &Desk) -> Result<&'s Session, Vec<Problem>> {
    let project = config::Project::load(file)?;
    let mut session = match open.take().filter(|session| session.project.snapshot == project.snapshot) {
        Some(session) => session,
        None => Session::of(project)?,
    };
    session.pulse = desk.pulse.clone();
    let mut tally = desk.tally();
    tally.of(&session.project);
    tally.reopened(&session.systems);
    drop(tally);
    Ok(open.insert(session))
}

/// What is to be fetched: records of objects whose changes flows carry.
fn wanted(setup: &Setup, hints: &[Hint]) -> Told {
    let watched = setup.watched();
    let mut told = Told::new();
    for hint in hints {
        let end = (hint.system.clone(), hint.event.object.clone());
        if watched.contains_key(&end) {
            told.entry(end).or_default().insert(hint.event.record.clone());
        }
    }
    told
}

fn calls(session: &Session) -> u64 {
    session.systems.values().map(|system| system.spent().calls).sum()
}

fn add(sum: &mut Counts, more: &Counts) {
    for outcome in Outcome::ALL {
        sum.add(outcome, more.of(outcome));
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(now)
}

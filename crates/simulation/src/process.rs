//! Our process: it opens the state, works pass by pass, and may die at any moment. Nothing of it survives but what
//! is in the state.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use handover_connect::{Delivery, VirtualClock};
use handover_engine::{Error, Pass, Planted, Report, Selection, Setup, Told, Unobserved, Workplace, remember_spending};
use handover_local::LocalTransport;
use handover_sandbox::Event;
use handover_store::{Hint, Location, Moment, Store};
use tokio::runtime::Runtime;

use crate::deeds::{Society, lock};
use crate::dice::Dice;
use crate::mishaps::Death;
use crate::oracle::{Answered, Ways};
use crate::project::{self, Dates, Wanted};
use crate::scene::{Broken, SECRET, SYSTEMS, Scene, connect};
use crate::wire::{Ahead, Mortal, Wire};
use crate::worker::Turn;

/// How a pass ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It came to its end.
    Finished(Box<Report>),
    /// It did everything but what the guard stopped: by flow how much that was.
    Guarded(BTreeMap<String, u64>),
    /// It stopped, and says why.
    Failed(Box<Error>),
    /// The process died.
    Died,
}

impl Ended {
    /// What became of a pass whose process lived on.
    pub(crate) fn of(result: Result<Report, Error>) -> Self {
        match result {
            Ok(report) => Self::Finished(Box::new(report)),
            Err(Error::Guard(trips)) => {
                Self::Guarded(trips.into_iter().map(|trip| (trip.flow.to_string(), trip.due)).collect())
            }
            Err(error) => Self::Failed(Box::new(error)),
        }
    }
}

/// What a process needs of the world that it is in.
pub(crate) struct Place<'p> {
    pub(crate) scene: &'static Scene,
    pub(crate) dir: &'p Path,
    pub(crate) clock: &'p Arc<VirtualClock>,
    pub(crate) society: &'p Arc<Mutex<Society>>,
    pub(crate) pace: &'p Arc<Mutex<Dice>>,
    pub(crate) ahead: [jiff::SignedDuration; 2],
    /// Whether the new system's tokens end and are renewed.
    pub(crate) oauth: bool,
    /// When the cohort begins and moves, if there is one.
    pub(crate) dates: Option<Dates>,
    pub(crate) ways: Ways,
    pub(crate) planted: Planted,
    /// By flow: how many deletions a person lets through.
    pub(crate) confirmed: &'p BTreeMap<String, u64>,
}

impl Place<'_> {
    fn wanted(&self) -> Wanted<'_> {
        let Self { scene, ways, planted, confirmed, dates, .. } = *self;
        Wanted { places: &scene.places, ways, planted, confirmed, dates }
    }

    /// Where the state lies.
    pub(crate) fn location(&self) -> Location {
        Location::Sqlite(self.dir.join("state.db"))
    }
}

/// A process that lives.
pub(crate) struct Process {
    // What the dead process left undone goes with its runtime; its state is closed before.
    pub(crate) store: Store,
    pub(crate) workplace: Workplace,
    pub(crate) setup: Arc<Setup>,
    pub(crate) wire: Arc<Wire>,
    /// Its right to write.
    pub(crate) turn: Arc<Turn>,
    pub(crate) runtime: Runtime,
}

impl Process {
    /// Starts; fails where the systems cannot be read just then. A state that another worker left is taken over.
    pub(crate) fn start(place: &Place<'_>, left: Option<Store>) -> Result<Result<Self, Box<Error>>, Broken> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (wire, turn) = (Arc::new(Wire::default()), Arc::new(Turn::default()));
        let began = handover_connect::Clock::now(place.clock.as_ref());
        let sandboxes = lock(place.society).sandboxes.clone();
        let systems = connect(place.scene.places.pair, &sandboxes, place.clock, Some((&turn, place.oauth)), |side| {
            let clock = Arc::new(Ahead { clock: place.clock.clone(), by: place.ahead[side] });
            let (society, shared) = (place.society.clone(), place.clock.clone());
            let told = move |events| {
                lock(&society).post.send(side, events, handover_connect::Clock::now(shared.as_ref()));
            };
            Arc::new(Mortal {
                below: LocalTransport::new(sandboxes[side].clone(), clock).telling(Arc::new(told)),
                wire: wire.clone(),
                turn: turn.clone(),
                clock: place.clock.clone(),
                society: place.society.clone(),
                pace: place.pace.clone(),
            })
        })?;
        let begun = runtime.block_on(async {
            let store = match left {
                Some(store) => store,
                None => Store::open(&place.location()).await?,
            };
            for system in systems.values() {
                // Its time zone says when its day ends.
                system.account().await.map_err(|fault| Error::System { system: "account".into(), fault })?;
            }
            remember_spending(&systems, &store, handover_connect::Clock::now(place.clock.as_ref())).await?;
            let mut project = project::project(systems, &place.wanted());
            project.policies.begun = Some(began);
            let setup = place.scene.setup(project).await?;
            Ok::<_, Error>((store, setup))
        });
        let (store, setup) = match begun {
            Ok(begun) => begun,
            Err(error) => return Ok(Err(Box::new(error))),
        };
        let workplace = Workplace {
            store: store.clone(),
            clock: place.clock.clone(),
            scratch: place.dir.join("scratch"),
            observer: Arc::new(Unobserved),
        };
        Ok(Ok(Self { store, workplace, setup: Arc::new(setup), wire, turn, runtime }))
    }

    /// Somebody looks at what is held, and says something to some of it. Gives what was said, and how the pass ended
    /// that carried it. `mail`: the new system's field for addresses.
    pub(crate) fn answers(&self, dice: &mut Dice, mail: &str) -> (Vec<Answered>, Option<Ended>) {
        let at = handover_connect::Clock::now(self.workplace.clock.as_ref());
        match self.runtime.block_on(crate::answers::give(&self.store, dice, at, mail)) {
            Ok(Some(given)) => (given.answered, Some(self.pass(&given.selection, Death::No))),
            Ok(None) => (Vec::new(), None),
            Err(error) => (Vec::new(), Some(Ended::Failed(Box::new(error)))),
        }
    }

    /// A webhook arrives: the HTTP status that it is answered with.
    pub(crate) fn receive(&self, side: usize, event: &Event) -> u16 {
        let Some((name, system)) = self.setup.project.systems.get_key_value(SYSTEMS[side]) else { return 404 };
        let at = handover_connect::Clock::now(self.workplace.clock.as_ref());
        let (address, headers, body) = (&event.url, &event.headers, event.body.to_string());
        let (body, secret) = (body.as_bytes(), SECRET);
        match system.events(&Delivery { method: "POST", address, headers, body, secret, at }) {
            Ok(events) => match self.runtime.block_on(self.store.receive(name, &events, at)) {
                Ok(_) => 200,
                Err(_) => 503,
            },
            Err(_) => 401,
        }
    }

    /// A pass over what was told, if something waits.
    pub(crate) fn told(&self, death: Death) -> Option<Ended> {
        let failed = |error: handover_store::Error| Ended::Failed(Box::new(error.into()));
        let mut hints = match self.runtime.block_on(self.store.inbox(10_000)) {
            Ok(hints) => hints,
            Err(error) => return Some(failed(error)),
        };
        hints.retain(|hint| !hint.event.what.is_gone());
        if hints.is_empty() {
            return None;
        }
        let watched = self.setup.watched();
        let mut told = Told::new();
        for hint in &hints {
            let end = (hint.system.clone(), hint.event.object.clone());
            if watched.contains_key(&end) {
                told.entry(end).or_default().insert(hint.event.record.clone());
            }
        }
        let ended = if told.is_empty() { None } else { Some(self.pass(&Selection::Told(told), death)) };
        if matches!(ended, None | Some(Ended::Finished(_)))
            && let Err(error) = self.done(&hints)
        {
            return Some(failed(error));
        }
        ended
    }

    fn done(&self, hints: &[Hint]) -> Result<(), handover_store::Error> {
        let at = handover_connect::Clock::now(self.workplace.clock.as_ref());
        self.runtime.block_on(self.store.mark_done(hints, at))
    }

    /// A pass over changes. What webhooks said to be gone before, it has looked for.
    pub(crate) fn changes(&self, death: Death) -> Ended {
        let mut gone = match self.runtime.block_on(self.store.inbox(10_000)) {
            Ok(hints) => hints,
            Err(error) => return Ended::Failed(Box::new(error.into())),
        };
        gone.retain(|hint| hint.event.what.is_gone());
        let ended = self.pass(&Selection::Changes, death);
        if matches!(ended, Ended::Finished(_))
            && let Err(error) = self.done(&gone)
        {
            return Ended::Failed(Box::new(error.into()));
        }
        ended
    }

    /// One pass.
    ///
    /// A pass over everything reads and writes beside each other, and who comes first is not for us to say: so that
    /// the seed replays exactly, its requests take no time.
    pub(crate) fn pass(&self, selection: &Selection, death: Death) -> Ended {
        let blown = Arc::new(AtomicBool::new(false));
        self.wire.calm(matches!(selection, Selection::All));
        self.wire.dies(death);
        let at = match death {
            Death::AtWrite(nth, moment) => Some((self.store.durable_writes() + nth, moment)),
            Death::No | Death::AtRequest(..) => None,
        };
        let (wire, once, dead) = (self.wire.clone(), blown.clone(), blown.clone());
        // Once dead nothing more is written.
        self.store.set_fuse(Arc::new(move |nth: u64, when: Moment| {
            if at == Some((nth, when)) {
                once.store(true, Ordering::SeqCst);
                wire.die();
                return true;
            }
            once.load(Ordering::SeqCst)
        }));
        let pass = async {
            let pass = Pass::begin(self.setup.clone(), &self.workplace, "sync", Arc::default()).await?;
            pass.run(selection).await
        };
        let ended = self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.wire.died() => Ended::Died,
                result = pass => Ended::of(result),
            }
        });
        self.store.set_fuse(Arc::new(move |_, _| blown.load(Ordering::SeqCst)));
        if dead.load(Ordering::SeqCst) { Ended::Died } else { ended }
    }
}

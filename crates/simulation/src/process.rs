//! Our process: it opens the state, works pass by pass, and may die at any moment. Nothing of it survives but what
//! is in the state.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use handover_connect::VirtualClock;
use handover_engine::{Error, Pass, Planted, Report, Selection, Setup, Unobserved, Workplace, remember_spending};
use handover_local::LocalTransport;
use handover_store::{Location, Moment, Store};
use tokio::runtime::Runtime;

use crate::deeds::{Society, lock};
use crate::dice::Dice;
use crate::mishaps::Death;
use crate::oracle::Ways;
use crate::project;
use crate::scene::{Broken, Scene, connect};
use crate::wire::{Ahead, Mortal, Wire};

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

/// What a process needs of the world that it is in.
pub(crate) struct Place<'p> {
    pub(crate) scene: &'static Scene,
    pub(crate) dir: &'p Path,
    pub(crate) clock: &'p Arc<VirtualClock>,
    pub(crate) society: &'p Arc<Mutex<Society>>,
    pub(crate) pace: &'p Arc<Mutex<Dice>>,
    pub(crate) ahead: [jiff::SignedDuration; 2],
    pub(crate) ways: Ways,
    pub(crate) planted: Planted,
    /// By flow: how many deletions a person lets through.
    pub(crate) confirmed: &'p BTreeMap<String, u64>,
}

impl Place<'_> {
    /// Where the state lies.
    pub(crate) fn location(&self) -> Location {
        Location::Sqlite(self.dir.join("state.db"))
    }
}

/// A process that lives.
pub(crate) struct Process {
    // What the dead process left undone goes with its runtime; its state is closed before.
    store: Store,
    workplace: Workplace,
    setup: Arc<Setup>,
    wire: Arc<Wire>,
    runtime: Runtime,
}

impl Process {
    /// Starts; fails where the systems cannot be read just then.
    pub(crate) fn start(place: &Place<'_>) -> Result<Result<Self, Box<Error>>, Broken> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let wire = Arc::new(Wire::default());
        let sandboxes = lock(place.society).sandboxes.clone();
        let systems = connect(&sandboxes, place.clock, |side| {
            let clock = Arc::new(Ahead { clock: place.clock.clone(), by: place.ahead[side] });
            Arc::new(Mortal {
                below: LocalTransport::new(sandboxes[side].clone(), clock),
                wire: wire.clone(),
                clock: place.clock.clone(),
                society: place.society.clone(),
                pace: place.pace.clone(),
            })
        })?;
        let begun = runtime.block_on(async {
            let store = Store::open(&place.location()).await?;
            for system in systems.values() {
                // Its time zone says when its day ends.
                system.account().await.map_err(|fault| Error::System { system: "account".into(), fault })?;
            }
            remember_spending(&systems, &store, handover_connect::Clock::now(place.clock.as_ref())).await?;
            let setup =
                place.scene.setup(project::project(systems, place.ways, place.planted, place.confirmed)).await?;
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
        Ok(Ok(Self { store, workplace, setup: Arc::new(setup), wire, runtime }))
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
        let (wire, once) = (self.wire.clone(), blown.clone());
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
                result = pass => match result {
                    Ok(report) => Ended::Finished(Box::new(report)),
                    Err(Error::Guard(trips)) => {
                        Ended::Guarded(trips.into_iter().map(|trip| (trip.flow.to_string(), trip.due)).collect())
                    }
                    Err(error) => Ended::Failed(Box::new(error)),
                },
            }
        });
        if blown.load(Ordering::SeqCst) { Ended::Died } else { ended }
    }
}

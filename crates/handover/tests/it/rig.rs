//! Migrations that die and go on: two sandboxes that live in folders, a state, and one process life after
//! the other. Nothing of a life survives it but what is on disk.

pub(crate) mod end;
pub(crate) mod judge;
pub(crate) mod scene;
pub(crate) mod two;
pub(crate) mod wire;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use handover::config;
use handover_connect::{Clock, VirtualClock};
use handover_engine::{Error, Pass, Policies, Project, Report, Selection, Unobserved, Workplace, transform::Tables};
use handover_model::{Flow, Removals};
use handover_sandbox::Sandbox;
use handover_sandbox::faults::{DisturbAction, Disturbance, FaultPlan, Which};
use handover_sandbox::journal::Entry;
use handover_store::{Claim, Location, Moment, Store};
use jiff::Timestamp;
use serde_json::Value as Json;

pub(crate) use end::{End, source_key};
pub(crate) use scene::{Scene, Way};
pub(crate) use two::Two;
pub(crate) use wire::{Around, Wire};

/// When a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// Never.
    No,
    /// At its n-th durable write, from 1.
    AtWrite(u64, Moment),
    /// Around its n-th request, from 1, counted from the beginning of the pass.
    AtRequest(u64, Around),
}

/// How a life ended.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them at a time")]
pub(crate) enum Ended {
    /// The pass came to its end.
    Finished(Report),
    /// The pass stopped with an error.
    Failed(Error),
    /// The process died.
    Died,
}

/// What a life is told beside its death.
#[derive(Clone, Default)]
pub(crate) struct Orders {
    /// Faults of the old and of the new system.
    pub(crate) faults: [FaultPlan; 2],
    /// Changes the policies.
    pub(crate) policies: Option<fn(&mut Policies)>,
    /// Somebody asks to stop at this request, from 1.
    pub(crate) stop_at: Option<u64>,
    /// What the pass works on; everything when it is not said.
    pub(crate) selection: Option<Selection>,
    /// What becomes of what was deleted or merged.
    pub(crate) removals: Removals,
    /// Both sides are compared after the pass.
    pub(crate) verify: bool,
    /// Changes the sandboxes before the pass begins.
    pub(crate) prepare: Option<fn(&mut [Sandbox; 2])>,
}

/// A place where lives follow each other.
pub(crate) struct Ground<'s> {
    pub(crate) scene: &'s Scene,
    dir: PathBuf,
    _folder: tempfile::TempDir,
    pub(crate) location: Location,
    pub(crate) now: Timestamp,
    /// Requests that were refused with 429, over all lives.
    pub(crate) limited: u64,
    /// What the target's day was charged in the last life.
    pub(crate) charged: u64,
    /// What the last life left: requests and durable writes.
    pub(crate) requests: u64,
    pub(crate) writes: u64,
    /// Which of the requests may have changed something.
    pub(crate) changing: Vec<u64>,
    /// What a comparison of both sides found in the last life.
    pub(crate) differences: Vec<String>,
    /// By how many seconds the clocks of the old and of the new system are ahead of ours.
    pub(crate) ahead: [i64; 2],
}

impl<'s> Ground<'s> {
    /// Both systems as the scene has them, and no state.
    pub(crate) fn new(scene: &'s Scene) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(folder.path().join("state.db"));
        Self::at(scene, folder, location)
    }

    /// The same with the state elsewhere.
    pub(crate) fn at(scene: &'s Scene, folder: tempfile::TempDir, location: Location) -> Self {
        let dir = folder.path().to_owned();
        for (name, world) in [("old", &scene.old), ("new", &scene.new)] {
            std::fs::create_dir_all(dir.join(name)).unwrap();
            std::fs::write(dir.join(name).join("world.json"), world.to_string()).unwrap();
        }
        Self {
            scene,
            dir,
            _folder: folder,
            location,
            now: scene.start,
            limited: 0,
            charged: 0,
            requests: 0,
            writes: 0,
            changing: Vec::new(),
            differences: Vec::new(),
            ahead: [0, 0],
        }
    }

    /// Another place that is as this one: what is the same for many deaths is lived once. For states in a file.
    pub(crate) fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&self.dir, folder.path());
        let location = Location::Sqlite(folder.path().join("state.db"));
        let (dir, changing, differences) = (folder.path().to_owned(), Vec::new(), Vec::new());
        Self { dir, _folder: folder, location, changing, differences, ..*self }
    }

    /// Changes the world of a system while no process lives. The journal of what happened in it before is gone then.
    pub(crate) fn change(&mut self, name: &str, change: impl FnOnce(&mut Json)) {
        self.sandboxes()[usize::from(name == "new")].snapshot().unwrap();
        let file = self.dir.join(name).join("world.json");
        let mut world = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        change(&mut world);
        std::fs::write(file, world.to_string()).unwrap();
    }

    /// People work in a system (0: the old one) for a while, and no process lives.
    pub(crate) fn disturb(&mut self, system: usize, disturbances: &[Disturbance]) {
        let mut sandboxes = self.sandboxes();
        for disturbance in disturbances {
            self.now += jiff::SignedDuration::from_secs(7);
            sandboxes[system].disturb(disturbance, self.now);
        }
        self.now += jiff::SignedDuration::from_mins(10);
    }

    /// One process from its start to its end.
    pub(crate) fn live(&mut self, death: Death) -> Ended {
        self.live_with(death, &Orders::default())
    }

    /// The same with more orders.
    pub(crate) fn live_with(&mut self, death: Death, orders: &Orders) -> Ended {
        // A runtime of its own: what the dead process left undone goes with it.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ended = runtime.block_on(self.pass(death, orders));
        drop(runtime);
        ended
    }

    async fn pass(&mut self, death: Death, orders: &Orders) -> Ended {
        let clock = Arc::new(VirtualClock::new(self.now));
        let wire = Arc::new(Wire::new(death, orders.stop_at));
        let [mut old, mut new] = self.sandboxes();
        let [mut old_faults, mut new_faults] = orders.faults.clone();
        [old_faults.clock_ahead_s, new_faults.clock_ahead_s] = self.ahead;
        if let Some(prepare) = orders.prepare {
            let mut both = [old, new];
            prepare(&mut both);
            [old, new] = both;
        }
        old.set_faults(old_faults);
        new.set_faults(new_faults);
        let sandboxes = [Arc::new(Mutex::new(old)), Arc::new(Mutex::new(new))];
        let ended = self.work(death, orders, &clock, &wire, &sandboxes).await;
        self.now = clock.now();
        self.requests = wire.requests();
        self.changing = wire.changing();
        self.charged = sandboxes[1].lock().unwrap().journal().cost();
        self.limited += sandboxes.iter().map(|sandbox| sandbox.lock().unwrap().journal().limited()).sum::<u64>();
        ended
    }

    async fn work(
        &mut self,
        death: Death,
        orders: &Orders,
        clock: &Arc<VirtualClock>,
        wire: &Arc<Wire>,
        sandboxes: &[Arc<Mutex<Sandbox>>; 2],
    ) -> Ended {
        let store = Store::open_as(&self.location, &short_lease()).await.unwrap();
        let systems = self.scene.connect(sandboxes, clock, wire);
        let mut policies = Policies { wave: 12, error_or: 10_000, error_share: 1.0, ..Policies::default() };
        if let Some(change) = orders.policies {
            change(&mut policies);
        }
        let project = Project {
            name: "rig".to_owned(),
            snapshot: self.scene.project.snapshot.clone(),
            systems,
            flows: flows(self.scene, &orders.removals),
            cohorts: self.scene.project.cohorts.clone(),
            tables: Arc::new(Tables(self.scene.project.tables.clone())),
            policies,
        };
        let setup = match self.scene.setup(project).await {
            Ok(setup) => Arc::new(setup),
            Err(error) => return Ended::Failed(error),
        };
        let place = Workplace {
            store: store.clone(),
            clock: clock.clone(),
            scratch: self.dir.join("scratch"),
            observer: Arc::new(Unobserved),
        };
        wire.begin();
        let blown = arm(&store, wire, death);
        let pass = async {
            let pass = Pass::begin(setup.clone(), &place, "run", wire.stop()).await?;
            let report = pass.run(orders.selection.as_ref().unwrap_or(&Selection::All)).await?;
            let verified = match orders.verify {
                true => Some(handover_engine::verify::verify(setup, &place).await?),
                false => None,
            };
            Ok((report, verified))
        };
        let ended = tokio::select! {
            biased;
            () = wire.died() => Ended::Died,
            result = pass => match result {
                Ok((report, verified)) => {
                    let found = verified.map(|verified| verified.differences).unwrap_or_default();
                    self.differences = found.iter().map(|difference| format!("{difference:?}")).collect();
                    Ended::Finished(report)
                }
                Err(error) => Ended::Failed(error),
            },
        };
        self.writes = store.durable_writes();
        match ended {
            Ended::Failed(error) if blown.load(Ordering::SeqCst) => {
                assert!(matches!(error, Error::Store(_)), "{error:?}");
                Ended::Died
            }
            ended => ended,
        }
    }

    /// Both sandboxes, opened from their folders.
    fn sandboxes(&self) -> [Sandbox; 2] {
        let open = |name: &str, platform: &'static str| {
            handover_sandbox::persist::open(
                &self.dir.join(name),
                || unreachable!("the folder is there"),
                |world| scene::world(platform, world),
            )
            .unwrap()
        };
        let [from, to] = self.scene.platforms;
        let mut both = [open("old", from), open("new", to)];
        for (sandbox, clock_ahead_s) in both.iter_mut().zip(self.ahead) {
            let mut plan = FaultPlan::default();
            plan.clock_ahead_s = clock_ahead_s;
            sandbox.set_faults(plan);
        }
        both
    }

    /// Dies at every durable write and around every changing request of a pass that began at `begun` and that this
    /// place has lived through; the next pass goes on each time, and has to end as this one did.
    pub(crate) fn die_everywhere(&self, begun: &Self, orders: &Orders) {
        let moments =
            (1..=self.writes).flat_map(|n| [Moment::Before, Moment::After].map(|moment| Death::AtWrite(n, moment)));
        let around = [Around::Before, Around::After];
        let requests = self.changing.iter().flat_map(|n| around.map(|around| Death::AtRequest(*n, around)));
        let deaths: Vec<Death> = moments.chain(requests).collect();
        self.die_at(&deaths, begun, orders);
    }

    /// The same for these deaths.
    pub(crate) fn die_at(&self, deaths: &[Death], begun: &Self, orders: &Orders) {
        let expected = self.end();
        // What led to the beginning is folded into the worlds, not lived through again at each death.
        begun.sandboxes().iter_mut().for_each(|sandbox| sandbox.snapshot().unwrap());
        eprintln!("{} deaths in {} durable writes and {} requests", deaths.len(), self.writes, self.requests);
        on_threads(deaths, |death| {
            let mut ground = begun.copy();
            let ended = ground.live_with(*death, orders);
            if !matches!(ended, Ended::Died) {
                return Err(format!("{death:?}: it did not die: {ended:?}"));
            }
            match ground.live_with(Death::No, orders) {
                Ended::Finished(_) => {}
                ended => return Err(format!("{death:?}: {ended:?}")),
            }
            let mut wrong = expected.differences(&ground.end());
            wrong.extend(ground.differences);
            if wrong.is_empty() { Ok(()) } else { Err(format!("{death:?}: {}", wrong.join("; "))) }
        });
    }

    /// Lives until a pass comes to its end; none may die.
    pub(crate) fn finish(&mut self) -> Result<Report, String> {
        match self.live(Death::No) {
            Ended::Finished(report) => Ok(report),
            ended => Err(format!("the pass did not come to its end: {ended:?}")),
        }
    }

    /// The world of a system as it is now.
    pub(crate) fn world(&self, name: &str) -> Json {
        self.sandboxes()[usize::from(name == "new")].platform().world()
    }

    /// What is in the world and in the state at the end, comparable between runs.
    pub(crate) fn end(&self) -> End {
        let [old, new] = self.sandboxes();
        End::of(self.scene, &self.location, old, new)
    }

    /// Judges both systems; gives what is wrong.
    pub(crate) fn judge(&self, end: &End) -> Vec<String> {
        let mut wrong = judge::judge(&judge::Case {
            way: self.scene.way(),
            old_before: &self.scene.old,
            old_journal: &end.old_journal,
            new_before: &self.scene.new,
            new_after: &end.new,
            new_journal: &end.new_journal,
            held: &end.held,
        });
        if self.limited > 0 {
            wrong.push(format!("{} requests were refused with 429", self.limited));
        }
        wrong
    }

    /// Demands the end of the uninterrupted run, and a judge without complaint.
    pub(crate) fn demand(&self, expected: &End) -> Result<(), String> {
        let end = self.end();
        let mut wrong = self.judge(&end);
        wrong.extend(expected.differences(&end));
        let shown = wrong.iter().take(4).map(|line| format!("\n    {line}")).collect::<String>();
        if wrong.is_empty() { Ok(()) } else { Err(format!("{} differences:{shown}", wrong.len())) }
    }
}

/// Lets the process die at the write that is meant: once dead nothing more is written. Tells whether it was reached.
pub(crate) fn arm(store: &Store, wire: &Arc<Wire>, death: Death) -> Arc<AtomicBool> {
    let blown = Arc::new(AtomicBool::new(false));
    if let Death::AtWrite(nth, moment) = death {
        let (wire, blown) = (wire.clone(), blown.clone());
        store.set_fuse(Arc::new(move |n, when| {
            if (n, when) == (nth, moment) {
                blown.store(true, Ordering::SeqCst);
                wire.die();
            }
            blown.load(Ordering::SeqCst)
        }));
    }
    blown
}

/// In PostgreSQL a process that dies gives nothing back: its lease has to end.
fn short_lease() -> Claim {
    Claim { term: std::time::Duration::from_millis(200), ..Claim::default() }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let at = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&at).unwrap();
            copy_folder(&entry.path(), &at);
        } else {
            std::fs::copy(entry.path(), at).unwrap();
        }
    }
}

/// The scene's flows with these rules for what was deleted and merged.
fn flows(scene: &Scene, removals: &Removals) -> Vec<Flow> {
    let mut flows = scene.project.flows.clone();
    flows.iter_mut().for_each(|flow| flow.removals = removals.clone());
    flows
}

/// What people do to a record.
pub(crate) fn disturbance(object: &str, which: Which, action: DisturbAction) -> Disturbance {
    Disturbance { object: object.to_owned(), which, action }
}

/// The project of a folder.
pub(crate) fn load(dir: &Path) -> config::Project {
    config::Project::load(&dir.join("handover.yaml"))
        .unwrap_or_else(|problems| panic!("{}", handover::problem::render(&problems, false)))
}

/// Runs `check` for every item on all processors; fails with what is wrong of all of them.
pub(crate) fn on_threads<T: Sync>(items: &[T], check: impl Fn(&T) -> Result<(), String> + Sync) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(found) = check(item) {
                        wrong.lock().unwrap().push(found);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} went wrong:\n{}", wrong.len(), items.len(), wrong.join("\n"));
}

/// A journal's entries, taken out of its sandbox.
pub(crate) fn entries(sandbox: &Sandbox) -> Vec<Entry> {
    sandbox.journal().entries().to_vec()
}

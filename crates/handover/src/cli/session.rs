//! An open project: its systems connected, its clock chosen, its state at hand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use handover_connect::{Clock, Connector, Credentials, Driver, HttpTransport, SystemClock, VirtualClock};
use handover_engine::{Drift, Observer, Policies, Project, Schemas, Setup, Workplace, transform::Tables};
use handover_files::CsvConnector;
use handover_local::LocalTransport;
use handover_model::{Field, ObjectName, SystemName};
use handover_sandbox::{Platform, Sandbox};
use handover_store::{Location, Store};
use jiff::Timestamp;
use secrecy::SecretString;

use super::{failure, reach};
use crate::cli::hanging::Pulse;
use crate::config::{self, System};
use crate::problem::Problem;
use crate::worker::{Turn, Worker};

/// A project with its systems open.
pub(crate) struct Session {
    pub(crate) project: config::Project,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) systems: BTreeMap<SystemName, Arc<dyn Connector>>,
    pub(crate) sandboxes: BTreeMap<SystemName, Arc<Mutex<Sandbox>>>,
    /// Folders of files among the systems.
    pub(crate) files: BTreeMap<SystemName, Arc<CsvConnector>>,
    /// This process among the workers of the state.
    pub(crate) worker: Worker,
    /// Its turn to write; every system asks for leave here.
    pub(crate) turn: Arc<Turn>,
    /// How the pass under way gets on.
    pub(crate) pulse: Arc<Pulse>,
    virtual_clock: Option<(Arc<VirtualClock>, PathBuf)>,
}

/// The file beside the sandboxes that keeps their time.
pub(crate) const CLOCK: &str = "clock";

/// The first moment on the clock of a project on sandboxes.
pub(crate) const SANDBOX_START: &str = "2026-11-02T08:00:00Z";

impl Session {
    /// Loads the project and opens its systems.
    pub(crate) fn open(path: &Path) -> Result<Self, Vec<Problem>> {
        let project = config::Project::load(path)?;
        Self::of(project)
    }

    /// Opens the systems of a project.
    pub(crate) fn of(project: config::Project) -> Result<Self, Vec<Problem>> {
        let mut session = Self {
            clock: Arc::new(SystemClock),
            worker: Worker::named(None),
            turn: Arc::default(),
            pulse: Arc::default(),
            virtual_clock: None,
            systems: BTreeMap::new(),
            sandboxes: BTreeMap::new(),
            files: BTreeMap::new(),
            project,
        };
        session.choose_clock();
        session.connect_all()?;
        Ok(session)
    }

    /// Takes the project as its files say it now; clock and sandboxes go on as they are.
    pub(crate) fn read_anew(&mut self, path: &Path) -> Result<(), Vec<Problem>> {
        self.project = config::Project::load(path)?;
        self.systems.clear();
        self.files.clear();
        self.connect_all()
    }

    fn connect_all(&mut self) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        for system in self.project.systems.clone() {
            match self.connect(&system) {
                Ok(connector) => drop(self.systems.insert(system.name.clone(), connector)),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Projects on sandboxes share a clock with them that jumps over waits; it goes on where it stopped.
    fn choose_clock(&mut self) {
        let folders: Vec<PathBuf> = self.project.systems.iter().filter_map(|system| system.sandbox.clone()).collect();
        let Some(first) = folders.first() else { return };
        let file = first.parent().unwrap_or(first).join(CLOCK);
        let saved = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse::<Timestamp>().ok());
        let logged = folders.iter().filter_map(|dir| last_request(dir)).max();
        let start = SANDBOX_START.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let now = saved.into_iter().chain(logged).max().unwrap_or(start);
        let clock = Arc::new(VirtualClock::new(now));
        self.clock = clock.clone();
        self.virtual_clock = Some((clock, file));
    }

    /// Writes down the sandboxes' time and state. Without it nothing is lost: the sandboxes' logs are replayed.
    pub(crate) fn close(&self) -> Result<(), Problem> {
        if let Some((clock, file)) = &self.virtual_clock {
            std::fs::write(file, clock.now().to_string()).map_err(|error| {
                Problem::ours("sandbox_clock", format!("the clock could not be kept in {}", file.display()))
                    .because(&error)
            })?;
        }
        for (name, sandbox) in &self.sandboxes {
            let mut sandbox = sandbox.lock().unwrap_or_else(PoisonError::into_inner);
            sandbox.snapshot().map_err(|error| {
                Problem::ours("sandbox_state", format!("the sandbox `{name}` could not be kept")).because(&error)
            })?;
        }
        Ok(())
    }

    fn connect(&mut self, system: &System) -> Result<Arc<dyn Connector>, Problem> {
        if let Some(settings) = &system.files {
            let settings = super::inferred::settings(&self.project, &system.name, settings);
            let files = failure::files(system, &settings)?;
            self.files.insert(system.name.clone(), files.clone());
            return Ok(files);
        }
        let platform = reach::platform(system, &self.project.sources)?;
        let mut settings = reach::settings(system, platform);
        let (transport, credentials): (Arc<dyn handover_connect::Transport>, Credentials) = match &system.sandbox {
            Some(dir) => {
                let sandbox = match self.sandboxes.get(&system.name) {
                    Some(open) => open.clone(),
                    None => Arc::new(Mutex::new(open_sandbox(system, dir)?)),
                };
                self.sandboxes.insert(system.name.clone(), sandbox.clone());
                let credentials = sandbox.lock().unwrap_or_else(PoisonError::into_inner).platform().credentials();
                let token = credentials["token"].as_str().unwrap_or_default().to_owned();
                settings.api_base = format!("http://{}.sandbox.test", system.name);
                settings.oauth_base.clone_from(&settings.api_base);
                (
                    Arc::new(LocalTransport::new(sandbox, self.clock.clone())),
                    Credentials::Token(SecretString::from(token)),
                )
            }
            None => {
                let http = HttpTransport::new()
                    .map_err(|error| Problem::ours("tls", "TLS could not be set up").because(&error))?;
                (Arc::new(http), system.credentials.resolve(&system.name)?)
            }
        };
        let (clock, keeper) = (self.clock.clone(), reach::keeper(system, platform, &self.project.vault, &credentials));
        let driver = Driver::new((platform.dialect)(), transport, clock, keeper, credentials, settings);
        Ok(Arc::new(driver.asking(self.turn.clone())))
    }

    /// Opens the state for a command that writes it; nobody else may then.
    pub(crate) async fn store(&self) -> Result<Store, Vec<Problem>> {
        let location = self.location()?;
        let opened = self.worker.open(&location, self.project.policies.lease, None).await;
        let store = opened.map_err(|error| vec![failure::store(&error)])?;
        self.turn.begins(&store);
        self.own(store).await
    }

    /// Opens the state for a command that only looks.
    pub(crate) async fn store_reading(&self) -> Result<Store, Vec<Problem>> {
        let location = self.location()?;
        let store = Store::open_reading(&location).await.map_err(|error| vec![failure::store(&error)])?;
        self.own(store).await
    }

    /// No command looks at the state of another project.
    async fn own(&self, store: Store) -> Result<Store, Vec<Problem>> {
        match store.belongs_to(&self.project.name).await {
            Ok(()) => Ok(store),
            Err(error) => Self::closed(store, Err(vec![failure::store(&error)])).await,
        }
    }

    /// Closes the state after a command's work, whatever became of it: then all of it stands in its one file,
    /// for whoever copies it, and the next worker need not wait.
    pub(crate) async fn closed<T>(store: Store, done: Result<T, Vec<Problem>>) -> Result<T, Vec<Problem>> {
        let done = Self::unless_succeeded(&store, done).await;
        let closed = store.close().await.map_err(|error| vec![failure::store(&error)]);
        let value = done?;
        closed.map(|()| value)
    }

    /// Whatever failed after another worker took the state over failed for that reason.
    pub(crate) async fn unless_succeeded<T>(store: &Store, done: Result<T, Vec<Problem>>) -> Result<T, Vec<Problem>> {
        if done.is_err()
            && let Some(by) = store.successor().await
        {
            let error = handover_store::Error::Succeeded { location: store.location().into(), by: by.into() };
            return Err(vec![failure::store(&error)]);
        }
        done
    }

    /// Where the state is.
    pub(crate) fn location(&self) -> Result<Location, Vec<Problem>> {
        Location::parse(&self.project.state, Path::new("")).map_err(|error| vec![failure::store(&error)])
    }

    /// Keeps what was spent of the systems' days, whatever became of the work.
    pub(crate) async fn spent<T>(&self, store: &Store, done: Result<T, Vec<Problem>>) -> Result<T, Vec<Problem>> {
        let kept = handover_engine::keep_spending(&self.systems, store, self.clock.now())
            .await
            .map_err(|error| failure::engine(&error, &self.project.sources));
        let value = done?;
        kept.map(|()| value)
    }

    /// Makes sure that the state belongs to these accounts; says what the credentials lack.
    pub(crate) async fn bind(&self, store: &Store) -> Result<Vec<Problem>, Vec<Problem>> {
        let mut accounts = Vec::new();
        let mut lacks = Vec::new();
        for (name, connector) in &self.systems {
            let account = connector.account().await.map_err(|fault| vec![failure::system(name, &fault)])?;
            lacks.extend(failure::lacks(name, &account));
            accounts.push((name.clone(), connector.capabilities().platform.to_owned(), account.id));
        }
        store.bind(&self.project.name, &accounts).await.map_err(|error| vec![failure::store(&error)])?;
        self.reminded(store).await?;
        Ok(lacks)
    }

    /// Tells the systems what was spent today, by whoever.
    pub(crate) async fn reminded(&self, store: &Store) -> Result<(), Vec<Problem>> {
        handover_engine::remember_spending(&self.systems, store, self.clock.now())
            .await
            .map_err(|error| failure::engine(&error, &self.project.sources))
    }

    /// The project as the engine takes it, over `systems`.
    pub(crate) fn engine_project(&self, systems: BTreeMap<SystemName, Arc<dyn Connector>>) -> Project {
        self.engine_project_of(&self.project, systems)
    }

    /// The same for a project that was read anew while the systems stay open.
    pub(crate) fn engine_project_of(
        &self,
        project: &config::Project,
        systems: BTreeMap<SystemName, Arc<dyn Connector>>,
    ) -> Project {
        let policies = &project.policies;
        Project {
            name: project.name.clone(),
            snapshot: project.snapshot.clone(),
            systems,
            flows: project.flows.clone(),
            cohorts: project.cohorts.clone(),
            tables: Arc::new(Tables(project.tables.clone())),
            policies: Policies {
                begun: Some(self.clock.now()),
                error_share: policies.error_share,
                error_of_last: usize::try_from(policies.error_of_last).unwrap_or(usize::MAX),
                error_or: policies.error_or,
                answer_wait: self
                    .project
                    .systems
                    .iter()
                    .map(|system| system.timeout)
                    .max()
                    .and_then(|longest| longest.try_into().ok())
                    .unwrap_or_default(),
                sweep: policies.sweep.try_into().unwrap_or(jiff::SignedDuration::MAX),
                reconcile: policies.reconcile,
                delete_count: policies.delete_count,
                delete_share: policies.delete_share,
                ..Policies::default()
            },
        }
    }

    /// Schemas read, rules compiled.
    pub(crate) async fn setup(&self, project: Project) -> Result<Setup, Vec<Problem>> {
        Setup::prepare(project).await.map_err(|error| failure::engine(&error, &self.project.sources))
    }

    /// The same with schemas that are known already.
    pub(crate) async fn setup_described(&self, project: Project, schemas: Schemas) -> Result<Setup, Vec<Problem>> {
        Setup::prepare_described(project, schemas).await.map_err(|error| failure::engine(&error, &self.project.sources))
    }

    /// The same under what changed of the schemas.
    pub(crate) async fn setup_drifted(&self, project: Project, drift: Drift) -> Result<Setup, Vec<Problem>> {
        Setup::prepare_drifted(project, drift).await.map_err(|error| failure::engine(&error, &self.project.sources))
    }

    /// Where a pass works.
    pub(crate) fn workplace(&self, store: Store, observer: Arc<dyn Observer>) -> Workplace {
        // Files of the company lie there for a while. Where it cannot be made, whoever needs it says so.
        drop(handover_store::private_folder(&self.project.root.join(".handover")));
        Workplace {
            store,
            clock: self.clock.clone(),
            scratch: self.project.root.join(".handover").join("scratch"),
            observer,
        }
    }

    /// Systems that flows write to.
    pub(crate) fn targets(&self) -> BTreeSet<SystemName> {
        let sources = self.project.flows.iter().filter(|flow| flow.both_ways).map(|flow| flow.source.system.clone());
        self.project.flows.iter().map(|flow| flow.target.system.clone()).chain(sources).collect()
    }

    /// Fields that the project wants and that are not created yet, by system and object.
    pub(crate) fn wanted_fields(&self) -> BTreeMap<SystemName, BTreeMap<ObjectName, Vec<Field>>> {
        let mut wanted: BTreeMap<SystemName, BTreeMap<ObjectName, Vec<Field>>> = BTreeMap::new();
        let is_written = |field: &config::WantedField| {
            let to =
                |flow: &handover_model::Flow| flow.target.system == field.system && flow.target.object == field.object;
            self.project.flows.iter().any(to)
        };
        let missing = |field: &&config::WantedField| field.created_as.is_none() && is_written(field);
        for field in self.project.create_fields.iter().filter(missing) {
            wanted
                .entry(field.system.clone())
                .or_default()
                .entry(field.object.clone())
                .or_default()
                .push(field.field.clone());
        }
        wanted
    }
}

/// When a sandbox answered the last request that changed it.
fn last_request(dir: &Path) -> Option<Timestamp> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = std::fs::File::open(dir.join("requests.log")).ok()?;
    let length = file.metadata().ok()?.len();
    let mut tail = 8 * 1024 * 1024_u64;
    tail = tail.min(length);
    file.seek(SeekFrom::End(-i64::try_from(tail).ok()?)).ok()?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let at = text.rfind("\"now\":\"")? + 7;
    text[at..].split('"').next()?.parse().ok()
}

fn open_sandbox(system: &System, dir: &Path) -> Result<Sandbox, Problem> {
    let failed = |error: &(dyn std::error::Error + 'static)| {
        Problem::new("sandbox", format!("the sandbox of `{}` in {} cannot be opened", system.name, dir.display()))
            .because(error)
            .hint("a demo makes such a folder; remove `sandbox:` to reach the real system")
    };
    let platform = system.platform.clone();
    let sandbox = handover_sandbox::persist::open(dir, || world(&platform, None), |json| world(&platform, Some(json)));
    sandbox.map_err(|error| failed(&error))
}

/// A platform's world: from a world file, or empty.
pub(crate) fn world(
    platform: &str,
    world: Option<serde_json::Value>,
) -> Result<Box<dyn Platform>, handover_sandbox::Refused> {
    const SEED: u64 = 1;
    handover_sandbox::world(platform, world, SEED)
}

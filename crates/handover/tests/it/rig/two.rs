//! Two accounts of one platform, a flow between them and a state: processes live one after the other.

use std::sync::{Arc, Mutex};

use handover_connect::{Clock as _, Connector, Credentials, Dialect, Driver, NoKeeper, Settings, VirtualClock};
use handover_engine::{
    Error, Pass, Policies, Project, Report, Selection, Setup, Unobserved, Workplace, transform::Tables,
};
use handover_local::LocalTransport;
use handover_model::Flow;
use handover_sandbox::Sandbox;
use handover_store::{Location, Store};
use jiff::Timestamp;
use secrecy::SecretString;

use super::wire::Mortal;
use super::{Death, Wire, arm, short_lease};

pub(crate) struct Two {
    dialect: fn() -> Box<dyn Dialect>,
    /// `old` and `new`; `tok` lets into both.
    pub(crate) systems: [Arc<Mutex<Sandbox>>; 2],
    flow: Flow,
    policies: Policies,
    folder: tempfile::TempDir,
    pub(crate) now: Timestamp,
    /// Requests of the last process, and its durable writes.
    pub(crate) requests: u64,
    pub(crate) writes: u64,
}

impl Two {
    pub(crate) fn of(
        dialect: fn() -> Box<dyn Dialect>,
        systems: [Arc<Mutex<Sandbox>>; 2],
        flow: Flow,
        policies: Policies,
    ) -> Self {
        let now = "2026-03-02T10:00:00Z".parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self { dialect, systems, flow, policies, folder, now, requests: 0, writes: 0 }
    }

    /// One process; `None` when it died.
    pub(crate) fn live(&mut self, death: Death, selection: &Selection) -> Option<Result<Report, Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(self.process(death, selection))
    }

    async fn process(&mut self, death: Death, selection: &Selection) -> Option<Result<Report, Error>> {
        let clock = Arc::new(VirtualClock::new(self.now));
        let wire = Arc::new(Wire::new(death, None));
        let location = Location::Sqlite(self.folder.path().join("state.db"));
        let store = Store::open_as(&location, &short_lease()).await.unwrap();
        let setup = Setup::prepare(self.project(self.connect(&clock, &wire))).await.unwrap();
        let scratch = self.folder.path().join("scratch");
        let place = Workplace { store: store.clone(), clock: clock.clone(), scratch, observer: Arc::new(Unobserved) };
        wire.begin();
        arm(&store, &wire, death);
        let pass = async { Pass::begin(setup, &place, "run", wire.stop()).await?.run(selection).await };
        let ended = tokio::select! {
            biased;
            () = wire.died() => None,
            result = pass => Some(result),
        };
        self.now = clock.now();
        self.requests = wire.requests();
        self.writes = store.durable_writes();
        ended
    }

    pub(crate) fn connect(&self, clock: &Arc<VirtualClock>, wire: &Arc<Wire>) -> [Arc<dyn Connector>; 2] {
        self.systems.clone().map(|sandbox| -> Arc<dyn Connector> {
            let below = LocalTransport::new(sandbox, clock.clone());
            let transport = Arc::new(Mortal { below, wire: wire.clone() });
            let credentials = Credentials::Token(SecretString::from("tok"));
            let settings = Settings { retries: 2, ..Settings::at("http://sandbox.test") };
            Arc::new(Driver::new((self.dialect)(), transport, clock.clone(), Arc::new(NoKeeper), credentials, settings))
        })
    }

    pub(crate) fn project(&self, systems: [Arc<dyn Connector>; 2]) -> Project {
        let [old, new] = systems;
        Project {
            name: "two".to_owned(),
            snapshot: "two".to_owned(),
            systems: [("old".into(), old), ("new".into(), new)].into(),
            flows: vec![self.flow.clone()],
            cohorts: Vec::new(),
            tables: Arc::new(Tables::default()),
            policies: self.policies.clone(),
        }
    }
}

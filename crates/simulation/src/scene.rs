//! Where every seed begins: two new accounts with the project's fields, and the rules compiled once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use handover_connect::{Clock, Connector, Credentials, Driver, NoKeeper, Settings, Transport, VirtualClock};
use handover_engine::{Drift, Error, People, Planted, Project, Ready, Setup};
use handover_local::LocalTransport;
use handover_model::{Field, Kind, ObjectName, ReadCost, SystemName, Writable};
use handover_sandbox::Sandbox;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value as Json;

use crate::accounts::{Mood, Pair};
use crate::deeds::lock;
use crate::oracle::{NEW, OLD, Ways};
use crate::project::{self, KEY, Places, Wanted};
use crate::worker::Turn;

/// The systems' names in the project.
pub(crate) const SYSTEMS: [&str; 2] = ["old", "new"];

/// What the systems and we know of their webhooks.
pub(crate) const SECRET: &str = "hooks:open-sesame";

/// Why a simulation cannot be played at all.
pub(crate) type Broken = Box<dyn std::error::Error + Send + Sync>;

/// What all seeds share.
pub(crate) struct Scene {
    pub(crate) places: Places,
    worlds: [Json; 2],
    flows: Vec<Arc<Ready>>,
    people: People,
}

/// A pair's name and the ways.
type Which = ([&'static str; 2], bool);

impl Scene {
    /// The scene, made once for each pair and each way.
    pub(crate) fn of(pair: Pair, ways: Ways) -> Result<&'static Self, Broken> {
        static SCENES: Mutex<BTreeMap<Which, &'static Scene>> = Mutex::new(BTreeMap::new());
        let mut scenes = lock(&SCENES);
        let which = (pair.names(), ways == Ways::Both);
        if let Some(scene) = scenes.get(&which) {
            return Ok(scene);
        }
        // There are as many as there are pairs, for as long as seeds are played.
        let scene: &'static Self = Box::leak(Box::new(Self::make(pair, ways)?));
        scenes.insert(which, scene);
        Ok(scene)
    }

    fn make(pair: Pair, ways: Ways) -> Result<Self, Broken> {
        let worlds = pair.0.map(|account| (account.world)());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let clock = Arc::new(VirtualClock::new(Timestamp::UNIX_EPOCH + SignedDuration::from_hours(480_000)));
            let sandboxes = open(pair, &worlds, 1)?.map(|sandbox| Arc::new(Mutex::new(sandbox)));
            let systems = connect(pair, &sandboxes, &clock, None, |side| {
                Arc::new(LocalTransport::new(sandboxes[side].clone(), clock.clone()))
            })?;
            let new = systems.get(SYSTEMS[NEW]).ok_or("the new system is missing")?;
            let mut keys = [const { None }; 4];
            for (object, key) in pair.0[NEW].objects.iter().zip(&mut keys) {
                let Some(unique) = object.key else { continue };
                let name = ObjectName::from(object.api);
                new.describe(&name).await?;
                *key = Some(new.create_field(&name, &key_field(unique)).await?.name.to_string());
            }
            let places = Places { pair, keys };
            let confirmed = BTreeMap::new();
            let planted = Planted::Nothing;
            let wanted = Wanted { places: &places, ways, planted, confirmed: &confirmed, dates: None };
            let setup = Setup::prepare(project::project(systems, &wanted)).await;
            let setup = setup.map_err(|error| format!("{error}: {error:?}"))?;
            let mut worlds = [OLD, NEW].map(|side| lock(&sandboxes[side]).platform().world());
            register(pair, &setup, &mut worlds);
            Ok(Self { places, worlds, flows: setup.flows, people: setup.people })
        })
    }

    /// Both systems as they are on the first day. `day`: what the old one grants for each day, where that is little.
    pub(crate) fn sandboxes(&self, seed: u64, lag: SignedDuration, day: Option<u64>) -> Result<[Sandbox; 2], Broken> {
        let mut worlds = self.worlds.clone();
        let lag_ms = i64::try_from(lag.as_millis()).unwrap_or(0);
        for (side, account) in self.places.pair.0.into_iter().enumerate() {
            (account.mood)(&mut worlds[side], &Mood { seed, lag_ms, day: day.filter(|_| side == OLD) });
        }
        open(self.places.pair, &worlds, seed)
    }

    /// What a process works from. The rules are compiled once; the systems describe themselves in each process.
    pub(crate) async fn setup(&self, project: Project) -> Result<Setup, Error> {
        for flow in &project.flows {
            for end in [&flow.source, &flow.target] {
                let described = project.system(&end.system)?.describe(&end.object).await;
                described.map_err(|fault| Error::System { system: end.system.clone(), fault })?;
            }
        }
        Ok(Setup { project, flows: self.flows.clone(), people: self.people.clone(), drift: Drift::default() })
    }
}

/// Systems that tell of changes tell what the flows carry.
fn register(pair: Pair, setup: &Setup, worlds: &mut [Json; 2]) {
    for (side, account) in pair.0.into_iter().enumerate() {
        let Some(tells) = account.tells else { continue };
        let mut wanted = Vec::new();
        for ((name, object), fields) in setup.watched() {
            let system = setup.project.systems.get(&name).filter(|_| name.as_str() == SYSTEMS[side]);
            let fields: Vec<_> = fields.into_iter().collect();
            wanted.extend(system.iter().flat_map(|system| system.subscriptions(&object, &fields)));
        }
        tells(&mut worlds[side], &format!("https://{}.hooks.test/", SYSTEMS[side]), &wanted);
    }
}

fn open(pair: Pair, worlds: &[Json; 2], seed: u64) -> Result<[Sandbox; 2], Broken> {
    let world = |side: usize| handover_sandbox::world(pair.0[side].platform, Some(worlds[side].clone()), seed);
    Ok([Sandbox::new(world(OLD)?), Sandbox::new(world(NEW)?)])
}

/// Both systems, each over its transport.
pub(crate) fn connect(
    pair: Pair,
    sandboxes: &[Arc<Mutex<Sandbox>>; 2],
    clock: &Arc<VirtualClock>,
    worker: Option<(&Arc<Turn>, bool)>,
    transport: impl Fn(usize) -> Arc<dyn Transport>,
) -> Result<BTreeMap<SystemName, Arc<dyn Connector>>, Broken> {
    let mut systems: BTreeMap<SystemName, Arc<dyn Connector>> = BTreeMap::new();
    for (side, (name, account)) in SYSTEMS.into_iter().zip(pair.0).enumerate() {
        let dialect = handover_platforms::dialect(account.platform).ok_or("the platform is missing")?;
        let credentials = lock(&sandboxes[side]).platform().credentials();
        let settings = Settings { reserve: 0.2, ..Settings::at(format!("http://{name}.sandbox.test")) };
        let clock: Arc<dyn Clock> = clock.clone();
        let text = |at: &str| credentials.pointer(at).and_then(Json::as_str).unwrap_or_default().to_owned();
        let credentials = match worker {
            Some((_, true)) if side == NEW && account.tokens.is_some() => Credentials::Oauth {
                client_id: text("/oauth/client_id"),
                client_secret: Some(SecretString::from(text("/oauth/client_secret"))),
                refresh_token: SecretString::from(text("/oauth/refresh_token")),
                access: None,
            },
            _ => Credentials::Token(SecretString::from(text("/token"))),
        };
        let driver = Driver::new(dialect, transport(side), clock, Arc::new(NoKeeper), credentials, settings);
        let driver = match worker {
            Some((turn, _)) => driver.asking(turn.clone()),
            None => driver,
        };
        systems.insert(name.into(), Arc::new(driver));
    }
    Ok(systems)
}

fn key_field(unique: bool) -> Field {
    Field {
        name: KEY.into(),
        label: "Source key".to_owned(),
        kind: Kind::Text { max: Some(255), html: false },
        required: false,
        writable: Writable::Always,
        unique,
        custom: true,
        read: ReadCost::Listed,
        blank_is_zero: false,
    }
}

//! Where every seed begins: two new accounts with the project's fields, and the rules compiled once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use handover_connect::{Clock, Connector, Credentials, Driver, NoKeeper, Settings, Transport, VirtualClock};
use handover_engine::{Drift, Error, People, Planted, Project, Ready, Setup};
use handover_local::LocalTransport;
use handover_model::{Field, Kind, ObjectName, ReadCost, SystemName, Writable};
use handover_sandbox::hubspot::Hubspot;
use handover_sandbox::pipedrive::Pipedrive;
use handover_sandbox::{Platform, Sandbox};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use crate::oracle::{NEW, OLD, Ways};
use crate::project::{self, KEY, KEYED};
use crate::worker::Turn;

/// The systems' names in the project, and their platforms.
pub(crate) const SYSTEMS: [(&str, &str); 2] = [("old", "pipedrive"), ("new", "hubspot")];

/// What the systems and we know of their webhooks.
pub(crate) const SECRET: &str = "hooks:open-sesame";

/// Why a simulation cannot be played at all.
pub(crate) type Broken = Box<dyn std::error::Error + Send + Sync>;

/// What all seeds share.
pub(crate) struct Scene {
    worlds: [Json; 2],
    flows: Vec<Arc<Ready>>,
    people: People,
}

impl Scene {
    /// The scene, made once for each way.
    pub(crate) fn of(ways: Ways) -> Result<&'static Self, Broken> {
        static SCENES: [OnceLock<Result<Scene, String>>; 2] = [OnceLock::new(), OnceLock::new()];
        let made = SCENES[ways as usize].get_or_init(|| Self::make(ways).map_err(|error| format!("{error}")));
        made.as_ref().map_err(|error| error.clone().into())
    }

    fn make(ways: Ways) -> Result<Self, Broken> {
        let worlds = [
            json!({"platform": "pipedrive", "account": {"plan": "ultimate", "seats": 40}}),
            json!({"platform": "hubspot", "account": {"portalId": 1, "tier": "enterprise"}}),
        ];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let clock = Arc::new(VirtualClock::new(Timestamp::UNIX_EPOCH + SignedDuration::from_hours(480_000)));
            let sandboxes = open(&worlds, 1)?.map(|sandbox| Arc::new(Mutex::new(sandbox)));
            let systems = connect(&sandboxes, &clock, None, |side| {
                Arc::new(LocalTransport::new(sandboxes[side].clone(), clock.clone()))
            })?;
            let new = systems.get(SYSTEMS[NEW].0).ok_or("the new system is missing")?;
            for (object, unique) in KEYED {
                let object = ObjectName::from(object);
                new.describe(&object).await?;
                new.create_field(&object, &key_field(unique)).await?;
            }
            let setup = Setup::prepare(project::project(systems, ways, Planted::Nothing, &BTreeMap::new(), None)).await;
            let setup = setup.map_err(|error| format!("{error}: {error:?}"))?;
            let mut worlds = [OLD, NEW].map(|side| crate::deeds::lock(&sandboxes[side]).platform().world());
            register(&setup, &mut worlds);
            Ok(Self { worlds, flows: setup.flows, people: setup.people })
        })
    }

    /// Both systems as they are on the first day. `day`: what the old one grants for each day, where that is little.
    pub(crate) fn sandboxes(&self, seed: u64, lag: SignedDuration, day: Option<u64>) -> Result<[Sandbox; 2], Broken> {
        let mut worlds = self.worlds.clone();
        if let Some(day) = day {
            worlds[OLD]["settings"]["daily_budget"] = json!(day);
        }
        worlds[NEW]["settings"]["search_lag_ms"] = json!(i64::try_from(lag.as_millis()).unwrap_or(0));
        worlds[NEW]["settings"]["partial_write_on_refusal"] = json!(seed % 2 == 1);
        open(&worlds, seed)
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

/// Both systems tell what the flows carry.
fn register(setup: &Setup, worlds: &mut [Json; 2]) {
    let (user, password) = SECRET.split_once(':').unwrap_or_default();
    let [old, new] = [OLD, NEW].map(|side| format!("https://{}.hooks.test/", SYSTEMS[side].0));
    worlds[OLD]["webhooks"] = json!([{"id": 1, "company_id": 1, "owner_id": 1, "user_id": 1, "event_action": "*",
        "event_object": "*", "subscription_url": old, "name": "handover", "version": "2.0", "is_active": 1,
        "http_auth_user": user, "http_auth_password": password, "failures": 0, "banned_until": 0}]);
    let mut wanted = Vec::new();
    for ((name, object), fields) in setup.watched() {
        let system = setup.project.systems.get(&name).filter(|_| name.as_str() == SYSTEMS[NEW].0);
        let fields: Vec<_> = fields.into_iter().collect();
        wanted.extend(system.iter().flat_map(|system| system.subscriptions(&object, &fields)));
    }
    let subscription = |(at, one): (usize, &String)| {
        let words: Vec<&str> = one.split(' ').collect();
        let after = |word| Some(*words.get(words.iter().position(|one| *one == word)? + 1)?);
        json!({"id": at + 1, "appId": 5, "eventType": words.first(), "propertyName": after("of"),
            "objectTypeId": after("objectTypeId")})
    };
    let all: Vec<Json> = wanted.iter().enumerate().map(subscription).collect();
    worlds[NEW]["webhooks"] = json!([{"appId": 5, "targetUrl": new, "clientSecret": SECRET, "subscriptions": all}]);
}

fn open(worlds: &[Json; 2], seed: u64) -> Result<[Sandbox; 2], Broken> {
    let old: Box<dyn Platform> = Box::new(Pipedrive::from_world(worlds[OLD].clone(), seed)?);
    let new: Box<dyn Platform> = Box::new(Hubspot::from_world(worlds[NEW].clone(), seed)?);
    Ok([Sandbox::new(old), Sandbox::new(new)])
}

/// Both systems, each over its transport.
pub(crate) fn connect(
    sandboxes: &[Arc<Mutex<Sandbox>>; 2],
    clock: &Arc<VirtualClock>,
    worker: Option<(&Arc<Turn>, bool)>,
    transport: impl Fn(usize) -> Arc<dyn Transport>,
) -> Result<BTreeMap<SystemName, Arc<dyn Connector>>, Broken> {
    let mut systems: BTreeMap<SystemName, Arc<dyn Connector>> = BTreeMap::new();
    for (side, (name, platform)) in SYSTEMS.into_iter().enumerate() {
        let dialect = handover_platforms::dialect(platform).ok_or("the platform is missing")?;
        let credentials = crate::deeds::lock(&sandboxes[side]).platform().credentials();
        let settings = Settings { reserve: 0.2, ..Settings::at(format!("http://{name}.sandbox.test")) };
        let clock: Arc<dyn Clock> = clock.clone();
        let text = |at: &str| credentials.pointer(at).and_then(Json::as_str).unwrap_or_default().to_owned();
        let credentials = match worker {
            Some((_, true)) if side == NEW => Credentials::Oauth {
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

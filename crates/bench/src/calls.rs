//! The sample company from one CRM to the other and verified there, on a clock that jumps: calls against the
//! least that would do, time against what the limits force.
//!
//! What is judged is the sandboxes' journal and their worlds, not what the client says of itself; the least is
//! made of the worlds alone (see [`crate::least`]). The time that the limits force is that of the slower side:
//! its least calls, in windows of what the account reports less the reserve.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handover::config;
use handover::init::{SystemView, propose};
use handover_connect::{Clock, Connector, Credentials, Driver, NoKeeper, Settings, Span};
use handover_engine::verify::{Verification, verify};
use handover_engine::{Pass, Policies, Project, Report, Selection, Setup, Unobserved, Workplace, transform::Tables};
use handover_local::LocalTransport;
use handover_model::SystemName;
use handover_sandbox::journal::{Action, Entry};
use handover_sandbox::{Platform, Sandbox, sample};
use handover_store::{Location, Store};
use secrecy::SecretString;
use serde_json::Value as Json;

use crate::least::{self, Role};
use crate::turns::TurnClock;
use crate::{Error, print};

/// The share that is left to others unless the project says otherwise.
const RESERVE: f64 = 0.2;

/// One of the two systems.
struct Side {
    platform: &'static str,
    sandbox: Arc<Mutex<Sandbox>>,
    driver: Arc<Driver>,
    /// Its world before.
    before: Json,
}

/// Both directions.
pub(crate) async fn run(small: bool) -> Result<(), Error> {
    for (from, to) in [("pipedrive", "hubspot"), ("hubspot", "pipedrive")] {
        direction(from, to, small).await?;
    }
    Ok(())
}

async fn direction(from: &'static str, to: &'static str, small: bool) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let clock = Arc::new(TurnClock::new("2026-11-02T08:00:00Z".parse()?));
    let (old, new) = worlds(from, small);
    let (project, new) = proposed(from, to, old.clone(), new, folder.path(), &clock).await?;
    let sides = [side("old", from, world(from, old)?, &clock)?, side("new", to, world(to, new)?, &clock)?];
    let begun = clock.now();
    let (report, found) = carried(&project, &sides, folder.path(), &clock).await?;
    let took = clock.now().duration_since(begun).as_secs_f64();
    let read: u64 = report.objects.iter().map(|object| object.counts.read).sum();
    let held: u64 = report.objects.iter().map(|object| object.counts.held).sum();
    let compared: u64 = found.flows.iter().map(|flow| flow.records).sum();
    print(&format!(
        "calls: {from} to {to}, {read} records read, {held} held, {compared} verified, {} differences",
        found.differences.len()
    ));
    let after: Vec<Json> = sides.iter().map(Side::world).collect();
    let files = files_carried(&sides[1], &after[1]);
    let (mut calls, mut fewest, mut forced) = (0, 0, 0.0_f64);
    for ((side, after), role) in sides.iter().zip(&after).zip([Role::Source, Role::Target]) {
        let least = least::Side {
            role,
            capabilities: side.driver.capabilities(),
            flows: &project.flows,
            worlds: (&side.before, after),
            updated: side.updated(),
            files,
        };
        let told = side.told(&least.parts());
        calls += told.calls;
        fewest += told.least;
        forced = forced.max(told.seconds);
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let ratio = calls as f64 / fewest.max(1) as f64;
    print(&format!("  calls      {ratio:.3} of the least ({calls} of {fewest})"));
    print(&format!(
        "  time       {:.3} of what the limits force ({took:.0} s of {forced:.0} s)",
        took / forced.max(1.0)
    ));
    Ok(())
}

/// How many files the target has now that it had not before.
fn files_carried(target: &Side, after: &Json) -> u64 {
    (least::live(after, "files").len() - least::live(&target.before, "files").len()) as u64
}

/// A side's calls, the least, and the seconds that the least takes under its limits.
struct Told {
    calls: u64,
    least: u64,
    seconds: f64,
}

impl Side {
    fn world(&self) -> Json {
        self.sandbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner).platform().world()
    }

    /// Records that were there before and were changed, by object as the project names it.
    fn updated(&self) -> BTreeMap<String, std::collections::BTreeSet<String>> {
        let sandbox = self.sandbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut updated: BTreeMap<String, std::collections::BTreeSet<String>> = BTreeMap::new();
        let changes = sandbox.journal().entries().iter().filter(|entry| entry.method != "DISTURB");
        for change in changes.flat_map(|entry| &entry.changes).filter(|change| change.action == Action::Updated) {
            let known = self.driver.objects().into_iter().map(|object| object.to_string());
            let Some(object) = known
                .into_iter()
                .find(|object| *object == change.object || object.trim_end_matches('s') == change.object)
            else {
                continue;
            };
            let before = least::live(&self.before, &object);
            if before.into_iter().any(|record| least::id(record) == change.id) {
                updated.entry(object).or_default().insert(change.id.clone());
            }
        }
        updated
    }

    /// Prints what was sent and what it takes at least.
    fn told(&self, least: &[(String, u64, bool)]) -> Told {
        let sandbox = self.sandbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut routes: BTreeMap<(String, String), u64> = BTreeMap::new();
        for entry in sandbox.journal().entries().iter().filter(|entry| is_call(entry)) {
            *routes.entry((entry.method.clone(), shape(&entry.path))).or_default() += 1;
        }
        let calls: u64 = routes.values().sum();
        let few: u64 = least.iter().map(|(_, calls, _)| calls).sum();
        let limited = sandbox.journal().limited();
        print(&format!("  {:<10} {calls:>6} calls, the least is {few}; answered with 429: {limited}", self.platform));
        for (what, calls, _) in least {
            print(&format!("    {calls:>6} needed: {what}"));
        }
        for ((method, path), calls) in &routes {
            print(&format!("    {calls:>6} sent:   {method} {path}"));
        }
        let charged: u64 = least.iter().filter(|(_, _, charged)| *charged).map(|(_, calls, _)| calls).sum();
        let seconds = self.forced(charged);
        print(&format!("    its limits alone take {seconds:.0} s"));
        Told { calls, least: few, seconds }
    }

    /// Seconds that so many calls need at least under the limit of short spans that the account reports, the
    /// reserve taken off: the first window is free. Days are left out: whoever runs into one waits for the next.
    fn forced(&self, calls: u64) -> f64 {
        let limits = self.driver.budget().limits();
        let Some(burst) = limits.iter().find(|limit| limit.name == "burst") else { return 0.0 };
        let Span::Rolling(span_ms) = burst.span else { return 0.0 };
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "far below 2^52 and not negative"
        )]
        let allowed = (burst.amount as f64 * (1.0 - RESERVE)).floor().max(1.0) as u64;
        let windows = calls.saturating_sub(1) / allowed;
        Duration::from_millis(windows * span_ms).as_secs_f64()
    }
}

fn is_call(entry: &Entry) -> bool {
    entry.method != "DISTURB"
}

fn worlds(from: &str, small: bool) -> (Json, Json) {
    if from == "pipedrive" {
        let company = if small { sample::small(1) } else { sample::company(1) };
        return (company.pipedrive, company.hubspot);
    }
    let scale = if small { sample::Scale::small() } else { sample::Scale::full() };
    let company = sample::hubspot_company_scaled(1, scale);
    (company.hubspot, company.pipedrive)
}

fn world(platform: &str, world: Json) -> Result<Box<dyn Platform>, Error> {
    Ok(match platform {
        "pipedrive" => Box::new(handover_sandbox::pipedrive::Pipedrive::from_world(world, 1)?),
        _ => Box::new(handover_sandbox::hubspot::Hubspot::from_world(world, 1)?),
    })
}

fn side(name: &str, platform: &'static str, world: Box<dyn Platform>, clock: &Arc<TurnClock>) -> Result<Side, Error> {
    let known = handover_platforms::platform(platform).ok_or("no such platform")?;
    let token = world.credentials()["token"].as_str().unwrap_or_default().to_owned();
    let before = world.world();
    let sandbox = Arc::new(Mutex::new(Sandbox::new(world)));
    let settings = Settings { reserve: RESERVE, ..Settings::at(format!("http://{name}.sandbox.test")) };
    let transport = Arc::new(LocalTransport::new(sandbox.clone(), clock.clone()));
    let credentials = Credentials::Token(SecretString::from(token));
    let driver = Driver::new((known.dialect)(), transport, clock.clone(), Arc::new(NoKeeper), credentials, settings);
    Ok(Side { platform, sandbox, driver: Arc::new(driver), before })
}

/// The project that `init` proposes, on worlds of its own, and the target's world with its new fields.
async fn proposed(
    from: &'static str,
    to: &'static str,
    old: Json,
    new: Json,
    dir: &Path,
    clock: &Arc<TurnClock>,
) -> Result<(config::Project, Json), Error> {
    let sides = [side("old", from, world(from, old)?, clock)?, side("new", to, world(to, new)?, clock)?];
    let proposal = propose(&view("old", &sides[0]).await?, &view("new", &sides[1]).await?);
    for (path, text) in &proposal.files {
        let file = dir.join(path);
        std::fs::create_dir_all(file.parent().unwrap_or(dir))?;
        std::fs::write(file, text)?;
    }
    let mut created = Vec::new();
    for (system, object, field) in &proposal.create_fields {
        let side = if *system == "old" { &sides[0] } else { &sides[1] };
        let made = side.driver.create_field(object, field).await?;
        created.push(config::Created {
            system: system.clone(),
            object: object.clone(),
            name: field.name.clone(),
            created_as: made.name,
        });
    }
    config::record_created(dir, &created).map_err(|_| "the created fields could not be noted")?;
    let project = config::Project::load(&dir.join("handover.yaml")).map_err(|problems| format!("{problems:?}"))?;
    let world = sides[1].sandbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner).platform().world();
    Ok((project, world))
}

async fn view(name: &str, side: &Side) -> Result<SystemView, Error> {
    let mut schemas = Vec::new();
    for object in side.driver.objects() {
        schemas.extend(side.driver.describe(&object).await.ok());
    }
    let (account, users) = (side.driver.account().await?, side.driver.users().await?);
    let custom = side.driver.custom_objects().await.ok();
    // The sample company sells without products.
    let counts = handover::init::optional(side.platform).map(|(object, _)| (object.into(), 0)).collect();
    Ok(SystemView { name: name.into(), platform: side.platform.to_owned(), account, schemas, custom, counts, users })
}

/// What `handover run` and `handover verify` do, in their order.
async fn carried(
    project: &config::Project,
    sides: &[Side; 2],
    dir: &Path,
    clock: &Arc<TurnClock>,
) -> Result<(Report, Verification), Error> {
    let systems: BTreeMap<SystemName, Arc<dyn Connector>> = ["old", "new"]
        .into_iter()
        .zip(sides)
        .map(|(name, side)| (name.into(), side.driver.clone() as Arc<dyn Connector>))
        .collect();
    for system in systems.values() {
        system.account().await?;
    }
    sides[1].driver.automations().await?;
    let project = Project {
        name: project.name.clone(),
        snapshot: project.snapshot.clone(),
        systems,
        flows: project.flows.clone(),
        cohorts: Vec::new(),
        tables: Arc::new(Tables(project.tables.clone())),
        policies: Policies { error_or: u64::MAX, error_share: 1.0, ..Policies::default() },
    };
    let setup = Setup::prepare(project).await?;
    let store = Store::open(&Location::Sqlite(dir.join("state.db"))).await?;
    let place = Workplace { store, clock: clock.clone(), scratch: dir.join("scratch"), observer: Arc::new(Unobserved) };
    let setup = Arc::new(setup);
    let pass = Pass::begin(setup.clone(), &place, "run", Arc::new(AtomicBool::new(false))).await?;
    let report = pass.run(&Selection::All).await?;
    Ok((report, verify(setup, &place).await?))
}

fn shape(path: &str) -> String {
    let plain = |segment: &str| {
        let digits = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
        let code = segment.len() >= 32 && segment.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if digits || code { "*".to_owned() } else { segment.to_owned() }
    };
    path.split('/').map(plain).collect::<Vec<_>>().join("/")
}

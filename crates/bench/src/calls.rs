//! The sample company from one CRM to the other on the clock that jumps: calls against the least that would
//! do, time against what the limits force.
//!
//! What is judged is the sandboxes' journal, not what the client says of itself. The least is, by route: of
//! reads each different request once; of batches as many as the records that they changed fill; of other
//! writes those that were sent.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handover::config;
use handover::init::{SystemView, propose};
use handover_connect::{Clock, Connector, Credentials, Driver, Limit, NoKeeper, Settings, Span, VirtualClock};
use handover_engine::{Pass, Policies, Project, Report, Selection, Setup, Unobserved, Workplace, transform::Tables};
use handover_local::LocalTransport;
use handover_model::SystemName;
use handover_sandbox::journal::Entry;
use handover_sandbox::{Platform, Sandbox, sample};
use handover_store::{Location, Store};
use secrecy::SecretString;
use serde_json::Value as Json;

use crate::{Error, print};

/// The share that is left to others unless the project says otherwise.
const RESERVE: f64 = 0.2;

/// One of the two systems.
struct Side {
    platform: &'static str,
    sandbox: Arc<Mutex<Sandbox>>,
    driver: Arc<Driver>,
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
    let clock = Arc::new(VirtualClock::new("2026-11-02T08:00:00Z".parse()?));
    let (old, new) = worlds(from, small);
    let (project, new) = proposed(from, to, old.clone(), new, folder.path(), &clock).await?;
    let sides = [side("old", from, world(from, old)?, &clock)?, side("new", to, world(to, new)?, &clock)?];
    let begun = clock.now();
    let report = carried(&project, &sides, folder.path(), &clock).await?;
    let read: u64 = report.objects.iter().map(|object| object.counts.read).sum();
    let held: u64 = report.objects.iter().map(|object| object.counts.held).sum();
    print(&format!("calls: {from} to {to}, {read} records read, {held} held"));
    let mut forced: f64 = 0.0;
    let (mut calls, mut least) = (0, 0);
    for side in &sides {
        let sandbox = side.sandbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let entries: Vec<&Entry> =
            sandbox.journal().entries().iter().filter(|entry| entry.at >= begun && entry.method != "DISTURB").collect();
        let routes = routes(&entries);
        let all: u64 = routes.values().map(|route| route.calls).sum();
        let few: u64 = routes.values().map(|route| route.least).sum();
        print(&format!(
            "  {:<10} {all:>6} calls, the least is {few}; answered with 429: {}",
            side.platform,
            sandbox.journal().limited()
        ));
        for ((method, path), route) in routes.iter().filter(|(_, route)| route.calls > route.least) {
            print(&format!("    {:>6} of {:>6} too many: {method} {path}", route.calls - route.least, route.calls));
        }
        let seconds = bound(side);
        print(&format!("    its limits alone take {seconds:.0} s"));
        forced = forced.max(seconds);
        calls += all;
        least += few;
    }
    let took = clock.now().duration_since(begun).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let ratio = calls as f64 / least.max(1) as f64;
    print(&format!("  calls      {ratio:.3} of the least ({calls} of {least})"));
    print(&format!(
        "  time       {:.3} of what the limits force ({took:.0} s of {forced:.0} s)",
        took / forced.max(1.0)
    ));
    Ok(())
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

fn side(
    name: &str,
    platform: &'static str,
    world: Box<dyn Platform>,
    clock: &Arc<VirtualClock>,
) -> Result<Side, Error> {
    let known = handover_platforms::platform(platform).ok_or("no such platform")?;
    let token = world.credentials()["token"].as_str().unwrap_or_default().to_owned();
    let sandbox = Arc::new(Mutex::new(Sandbox::new(world)));
    let base = format!("http://{name}.sandbox.test");
    let settings = Settings {
        api_base: base.clone(),
        oauth_base: base,
        timeout: Duration::from_secs(60),
        retries: 5,
        reserve: RESERVE,
        concurrency: 4,
    };
    let transport = Arc::new(LocalTransport::new(sandbox.clone(), clock.clone()));
    let credentials = Credentials::Token(SecretString::from(token));
    let driver = Driver::new((known.dialect)(), transport, clock.clone(), Arc::new(NoKeeper), credentials, settings);
    Ok(Side { platform, sandbox, driver: Arc::new(driver) })
}

/// The project that `init` proposes, on worlds of its own, and the target's world with its new fields.
async fn proposed(
    from: &'static str,
    to: &'static str,
    old: Json,
    new: Json,
    dir: &Path,
    clock: &Arc<VirtualClock>,
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
    Ok(SystemView { name: name.into(), platform: side.platform.to_owned(), account, schemas, users })
}

/// What `handover run` does, in its order.
async fn carried(
    project: &config::Project,
    sides: &[Side; 2],
    dir: &Path,
    clock: &Arc<VirtualClock>,
) -> Result<Report, Error> {
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
        tables: Arc::new(Tables(project.tables.clone())),
        policies: Policies { error_or: u64::MAX, error_share: 1.0, ..Policies::default() },
    };
    let setup = Setup::prepare(project).await?;
    let store = Store::open(&Location::Sqlite(dir.join("state.db"))).await?;
    let place = Workplace { store, clock: clock.clone(), scratch: dir.join("scratch"), observer: Arc::new(Unobserved) };
    let pass = Pass::begin(setup, &place, "run", Arc::new(AtomicBool::new(false))).await?;
    Ok(pass.run(&Selection::All).await?)
}

/// Calls of one route, and the least that would have done.
#[derive(Default)]
struct Route {
    calls: u64,
    least: u64,
}

fn routes(entries: &[&Entry]) -> BTreeMap<(String, String), Route> {
    let mut routes: BTreeMap<(String, String), Route> = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut batched: BTreeMap<(String, String), u64> = BTreeMap::new();
    for entry in entries {
        let key = (entry.method.clone(), shape(&entry.path));
        let route = routes.entry(key.clone()).or_default();
        route.calls += 1;
        if entry.changes.is_empty() {
            route.least += u64::from(seen.insert((&entry.method, &entry.path, &entry.query, &entry.body_hash)));
        } else if entry.path.contains("/batch/") {
            *batched.entry(key).or_default() += entry.changes.len() as u64;
        } else {
            route.least += 1;
        }
    }
    for (key, changes) in batched {
        let of_links = key.1.contains("/associations/");
        if let Some(route) = routes.get_mut(&key) {
            route.least += changes.div_ceil(if of_links { LINKS } else { RECORDS });
        }
    }
    routes
}

/// Records that a batch takes (sheet: HubSpot section 5.3 \[doc\]).
const RECORDS: u64 = 100;
/// Links that a batch takes (sheet: HubSpot section 5.1 \[doc\]).
const LINKS: u64 = 2_000;

fn shape(path: &str) -> String {
    let plain = |segment: &str| {
        let digits = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
        let code = segment.len() >= 32 && segment.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if digits || code { "*".to_owned() } else { segment.to_owned() }
    };
    path.split('/').map(plain).collect::<Vec<_>>().join("/")
}

/// Seconds that the calls of a side need under its limits, the reserve taken off. Days are left out: whoever
/// runs into one waits for the next.
fn bound(side: &Side) -> f64 {
    let spent = side.driver.spent();
    let seconds = |limit: Limit| {
        let Span::Rolling(span_ms) = limit.span else { return 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let (taken, amount, span_ms) =
            (spent.charges.get(limit.name).copied().unwrap_or(0) as f64, limit.amount as f64, span_ms as f64);
        taken / (amount * (1.0 - RESERVE)).floor().max(1.0) * span_ms / 1000.0
    };
    side.driver.budget().limits().into_iter().map(seconds).fold(0.0, f64::max)
}

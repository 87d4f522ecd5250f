//! One backfill from a server to a server, with the settings that are shipped.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use handover_connect::{Connector, Credentials, Driver, HttpTransport, NoKeeper, Settings, SystemClock};
use handover_engine::{Event, Observer, Pass, Policies, Project, Selection, Setup, Workplace, transform::Tables};
use handover_model::{End, Flow, From, Place, Rule, Step, SystemName, Table, TableRow};
use handover_store::{Location, Store};
use secrecy::SecretString;

use crate::Error;
use crate::stub::{CUSTOM, code, kind};

/// How long an answer may take: a sandbox works off a job of a million rows within one.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Prints a line when the first wave of writes is settled, and how long everything took at the end.
struct Watch(Instant, std::sync::Mutex<(Option<Duration>, Option<Duration>)>);

impl Observer for Watch {
    fn on(&self, event: Event) {
        let mut times = self.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match event {
            Event::Reading { complete: true, records, .. } if records > 0 => {
                times.0.get_or_insert(self.0.elapsed());
            }
            Event::Working { .. } => drop(times.1.get_or_insert(self.0.elapsed())),
            _ => {}
        }
    }
}

/// Moves everything; prints `SECONDS READING_SECONDS CREATED`.
pub(crate) async fn run(server: &str, dir: PathBuf) -> Result<(), Error> {
    crate::print(&moved(project(server)?, dir).await?);
    Ok(())
}

/// Carries out a project of one flow: `SECONDS READING_SECONDS FIRST_BLOCK_SECONDS CREATED`.
pub(crate) async fn moved(project: Project, dir: PathBuf) -> Result<String, Error> {
    let begun = Instant::now();
    let watch = Arc::new(Watch(begun, std::sync::Mutex::default()));
    let setup = Setup::prepare(project).await?;
    let store = Store::open(&Location::Sqlite(dir.join("state.db"))).await?;
    let place =
        Workplace { store, clock: Arc::new(SystemClock), scratch: dir.join("scratch"), observer: watch.clone() };
    let pass = Pass::begin(setup, &place, "backfill", Arc::new(AtomicBool::new(false))).await?;
    let report = pass.run(&Selection::All).await?;
    let counts = report.objects.first().map(|object| object.counts).ok_or("nothing was reported")?;
    if !counts.adds_up() || counts.created != counts.read {
        return Err(format!("not everything was created: {counts:?}").into());
    }
    let times = watch.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let seconds = |time: Option<Duration>| time.unwrap_or_default().as_secs_f64();
    let whole = begun.elapsed().as_secs_f64();
    Ok(format!("{whole} {} {} {}", seconds(times.0), seconds(times.1), counts.created))
}

/// Persons of the stub's source as contacts of its target.
pub(crate) fn project(server: &str) -> Result<Project, Error> {
    let systems: BTreeMap<_, Arc<dyn Connector>> =
        [("old".into(), connect(server, "pipedrive")?), ("new".into(), connect(server, "hubspot")?)].into();
    Ok(of_flow(systems, flow()))
}

/// A project of one flow.
pub(crate) fn of_flow(systems: BTreeMap<SystemName, Arc<dyn Connector>>, flow: Flow) -> Project {
    Project {
        name: "bench".to_owned(),
        snapshot: "bench".to_owned(),
        systems,
        flows: vec![flow],
        cohorts: Vec::new(),
        tables: Arc::new(tables()),
        policies: Policies::default(),
    }
}

/// A server that asks for the token `bench` and has no limits.
pub(crate) fn connect(server: &str, platform: &str) -> Result<Arc<dyn Connector>, Error> {
    let dialect = handover_platforms::dialect(platform).ok_or("no such platform")?;
    let settings = Settings { timeout: TIMEOUT, retries: 0, ..Settings::at(server) };
    let credentials = Credentials::Token(SecretString::from("bench"));
    let transport = Arc::new(HttpTransport::new()?);
    let driver = Driver::new(dialect, transport, Arc::new(SystemClock), Arc::new(NoKeeper), credentials, settings);
    // The server has no limits: the budget is told so, as headers of an account would.
    for limit in driver.budget().limits() {
        driver.budget().told(limit.name, Some(1_000_000_000_000), None, jiff::Timestamp::UNIX_EPOCH);
    }
    Ok(Arc::new(driver))
}

fn flow() -> Flow {
    let mut rules = vec![
        rule("fullname", "name", &[]),
        rule("firstname", "first_name", &["trim"]),
        rule("lastname", "last_name", &["trim"]),
        rule("email", "emails", &[]),
        rule("phone", "phones", &[]),
    ];
    for field in 0..CUSTOM {
        let mut rule = rule(&format!("field_{field}"), &code(field), &[]);
        if kind(field) == "enum" {
            rule.table = Some("options".to_owned());
        }
        rules.push(rule);
    }
    flow_of("persons", End::new("old", "persons"), End::new("new", "contacts"), rules)
}

/// A flow with a key into an empty target.
pub(crate) fn flow_of(name: &str, source: End, target: End, rules: Vec<Rule>) -> Flow {
    Flow { key: Some("handover_key".into()), ..Flow::new(name, source, target, rules) }
}

/// A field carried over, with these steps.
pub(crate) fn rule(target: &str, source: &str, steps: &[&str]) -> Rule {
    let step = |name: &&str| Step { name: (*name).to_owned(), arguments: BTreeMap::new(), place: Place::default() };
    Rule { steps: steps.iter().map(step).collect(), ..Rule::new(target, From::Fields(vec![source.into()])) }
}

fn tables() -> Tables {
    let row = |id: u32| (id.to_string(), TableRow { to: format!("o{id}"), place: Place::default() });
    let table = Table { name: "options".to_owned(), rows: (1..=4).map(row).collect(), place: Place::default() };
    Tables(BTreeMap::from([("options".to_owned(), table)]))
}

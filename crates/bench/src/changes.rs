//! Passes over changes behind a load of many records: one in which nothing changed, and one with a thousand changes.
//!
//! What our own processor time is, the kernel says of the process; the calls are those that the stub counts. The least
//! for the changes: the calls of a pass without any, which learn that there is nothing more, the further pages that the
//! changes fill, and for each hundred of them one call that reads what the target has and one that writes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use handover_connect::{Body, HttpTransport, Method, SystemClock, Transport as _, WireRequest};
use handover_engine::{Pass, Report, Selection, Setup, Unobserved, Workplace};
use handover_store::{Location, Store};

use crate::machine::{Process, machine, used};
use crate::stub::PAGE;
use crate::throughput::measured;
use crate::{Error, movement, print};

/// Records that are changed.
const CHANGES: u64 = 1_000;
/// Passes without changes, of which the mean is told: the kernel counts in hundredths of a second.
const QUIET: u32 = 20;
/// Records that the target reads and writes at one call.
const BATCH: u64 = 100;

/// Loads `records`, then measures both passes in a process of their own.
pub(crate) async fn run(records: u64, dir: Option<PathBuf>) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let dir = dir.unwrap_or_else(|| folder.path().to_owned());
    let dir = dir.to_string_lossy();
    print(&format!("changes: {CHANGES} among {records} records of 25 properties; {}", machine()));
    let (number, changes) = (records.to_string(), CHANGES.to_string());
    let mut stub = Process::start(&["stub", "--records", &number, "--changes", &changes])?;
    let server = format!("http://127.0.0.1:{}", stub.line().await?);
    Process::start(&["move", "--server", &server, "--dir", &dir])?.end().await?;
    let (told, ours, _) = measured(&["passes", "--server", &server, "--dir", &dir], &stub).await?;
    let figures: Vec<u64> = told.split(' ').filter_map(|part| part.parse().ok()).collect();
    let [quiet_calls, quiet_us, calls, cpu_ms, wall_ms] = figures[..] else { return Err("no figures came".into()) };
    let changes = CHANGES.min(records);
    let least = quiet_calls + changes.div_ceil(PAGE) - 1 + 2 * changes.div_ceil(BATCH);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let (ratio, quiet_ms) = (calls as f64 / least as f64, quiet_us as f64 / 1000.0);
    print(&format!("  nothing changed     {quiet_calls} calls, {quiet_ms:.1} ms of our own processor time"));
    print(&format!("  {changes} changes        {cpu_ms} ms of our own processor time, {wall_ms} ms in all"));
    print(&format!("    calls             {ratio:.3} of the least ({calls} of {least})"));
    print(&format!("    memory            {} MiB at most", ours.peak_mib));
    stub.kill().await
}

/// The passes themselves; prints `QUIET_CALLS QUIET_MICROSECONDS CALLS CPU_MILLISECONDS WALL_MILLISECONDS`.
pub(crate) async fn passes(server: &str, dir: PathBuf) -> Result<(), Error> {
    let setup = Arc::new(Setup::prepare(movement::project(server)?).await?);
    let store = Store::open(&Location::Sqlite(dir.join("state.db"))).await?;
    let scratch = dir.join("scratch");
    let place = Workplace { store, clock: Arc::new(SystemClock), scratch, observer: Arc::new(Unobserved) };
    let client = HttpTransport::new()?;
    // The first one closes what the load left open.
    pass(&setup, &place).await?;
    let (before, begun) = (told(&client, server, "calls").await?, cpu());
    for _ in 0..QUIET {
        pass(&setup, &place).await?;
    }
    let quiet = (cpu() - begun) / QUIET;
    let quiet_calls = (told(&client, server, "calls").await? - before) / u64::from(QUIET);
    told(&client, server, "edit").await?;
    let (before, begun, wall) = (told(&client, server, "calls").await?, cpu(), Instant::now());
    let report = pass(&setup, &place).await?;
    let (took, wall) = (cpu() - begun, wall.elapsed());
    let calls = told(&client, server, "calls").await? - before;
    if report.did.updated != CHANGES {
        return Err(format!("not every change was carried: {:?}", report.did).into());
    }
    let figures = [u128::from(quiet_calls), quiet.as_micros(), u128::from(calls), took.as_millis(), wall.as_millis()];
    print(&figures.map(|figure| figure.to_string()).join(" "));
    Ok(())
}

async fn pass(setup: &Arc<Setup>, place: &Workplace) -> Result<Report, Error> {
    Ok(Pass::begin(setup.clone(), place, "sync", Arc::default()).await?.run(&Selection::Changes).await?)
}

fn cpu() -> Duration {
    let used = used(std::process::id());
    used.user + used.system
}

/// What the stub says of itself; 0 where it says nothing.
async fn told(client: &HttpTransport, server: &str, what: &str) -> Result<u64, Error> {
    let url = format!("{server}/bench/{what}").parse()?;
    let request = WireRequest { method: Method::Get, url, headers: Vec::new(), body: Body::Empty, sink: None };
    let reply = client.send(request, Duration::from_secs(5)).await?;
    Ok(String::from_utf8(reply.body)?.parse().unwrap_or(0))
}

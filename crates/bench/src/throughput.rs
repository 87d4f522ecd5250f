//! Records a second, and what of it the wire alone would cost.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::machine::{Process, Used, machine, used};
use crate::{Error, print};

/// Moves `records` from a stub to a stub, then lets the bare client do the same.
pub(crate) async fn run(records: u64, dir: Option<PathBuf>) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let dir = dir.unwrap_or_else(|| folder.path().to_owned());
    print(&format!(
        "throughput: {records} records of 25 properties, 25 rules, pages of 500, upserts of 100; {}",
        machine()
    ));
    let number = records.to_string();
    let mut stub = Process::start(&["stub", "--records", &number])?;
    let server = format!("http://127.0.0.1:{}", stub.line().await?);
    let (told, ours, theirs) = measured(&["move", "--server", &server, "--dir", &dir.to_string_lossy()], &stub).await?;
    let seconds: Vec<f64> = told.split(' ').filter_map(|part| part.parse().ok()).collect();
    let [whole, read, first, ..] = seconds[..] else { return Err("no figures came".into()) };
    #[expect(clippy::cast_precision_loss, reason = "records are far below 2^52")]
    let rate = |seconds: f64| records as f64 / seconds;
    print(&format!(
        "  handover      {:>9.0} records/s   {whole:.2} s, reading complete at {read:.2} s, first block worked off at {first:.2} s",
        rate(whole)
    ));
    print(&format!("    processors  {}; the stub {}", shown(ours, records), shown(theirs, records)));
    print(&format!("    memory      {} MiB at most", ours.peak_mib));
    let size = std::fs::metadata(dir.join("state.db")).map_or(0, |file| file.len());
    print(&format!("    state       {} bytes for each record", size / records.max(1)));
    let (told, ours, theirs) = measured(&["bare", "--server", &server, "--records", &number], &stub).await?;
    let bare: Vec<f64> = told.split(' ').filter_map(|part| part.parse().ok()).collect();
    let [alone, ..] = bare[..] else { return Err("no figures came".into()) };
    print(&format!("  bare client   {:>9.0} records/s   {alone:.2} s", rate(alone)));
    print(&format!("    processors  {}; the stub {}", shown(ours, records), shown(theirs, records)));
    print(&format!("  ratio         {:.3} of the bare client's rate", alone / whole));
    stub.kill().await
}

/// Runs a process to its end: what it printed last, what it used, what the stub used meanwhile.
pub(crate) async fn measured(arguments: &[&str], stub: &Process) -> Result<(String, Used, Used), Error> {
    let before = used(stub.id());
    let process = Process::start(arguments)?;
    let id = process.id();
    let mut last = Used::default();
    let ended = process.end();
    tokio::pin!(ended);
    let begun = Instant::now();
    let told = loop {
        tokio::select! {
            told = &mut ended => break told?,
            () = tokio::time::sleep(Duration::from_millis(20)) => {
                let now = used(id);
                if now.peak_mib > 0 {
                    last = now;
                }
            }
        }
        if begun.elapsed() > Duration::from_secs(3600) {
            return Err("it took more than an hour".into());
        }
    };
    let after = used(stub.id());
    Ok((told, last, Used { user: after.user - before.user, system: after.system - before.system, ..after }))
}

/// Time on the processors, in all and for a record.
pub(crate) fn shown(used: Used, records: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let each = (used.user + used.system).as_micros() as f64 / records.max(1) as f64;
    format!("{:.2} s user, {:.2} s kernel ({each:.1} µs a record)", used.user.as_secs_f64(), used.system.as_secs_f64())
}

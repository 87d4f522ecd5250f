//! A migration that is killed, and how long its successor takes until it writes something new.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use handover_connect::{Body, HttpTransport, Method, Transport as _, WireRequest};

use crate::machine::{Process, machine};
use crate::{Error, print};

/// Kills a migration of `records` twice: while it reads, and while it writes.
pub(crate) async fn run(records: u64, dir: Option<PathBuf>) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let dir = dir.unwrap_or_else(|| folder.path().to_owned());
    let dir = dir.to_string_lossy();
    print(&format!("resume: {records} records; {}", machine()));
    let mut stub = Process::start(&["stub", "--records", &records.to_string()])?;
    let server = format!("http://127.0.0.1:{}", stub.line().await?);
    let client = HttpTransport::new()?;
    let start = || Process::start(&["move", "--server", &server, "--dir", &dir]);
    // Nine tenths are read when the first one dies.
    let first = start()?;
    reaches(&client, &server, "read", records * 9 / 10).await?;
    first.kill().await?;
    let begun = Instant::now();
    let before = told(&client, &server, "read").await?;
    let second = start()?;
    reaches(&client, &server, "read", before + 1).await?;
    print(&format!(
        "  killed while reading, {before} of them read: the next page is asked for after {:.2} s",
        begun.elapsed().as_secs_f64()
    ));
    // Half is written when the second one dies.
    reaches(&client, &server, "highest", records / 2).await?;
    second.kill().await?;
    let before = told(&client, &server, "highest").await?;
    let begun = Instant::now();
    let third = start()?;
    reaches(&client, &server, "highest", before + 1).await?;
    let seconds = begun.elapsed().as_secs_f64();
    print(&format!("  killed while writing, {before} of them sent: the first new write arrives after {seconds:.2} s"));
    third.kill().await?;
    stub.kill().await
}

async fn reaches(client: &HttpTransport, server: &str, what: &str, number: u64) -> Result<(), Error> {
    let begun = Instant::now();
    while told(client, server, what).await? < number {
        tokio::time::sleep(Duration::from_millis(2)).await;
        if begun.elapsed() > Duration::from_secs(3600) {
            return Err("it took more than an hour".into());
        }
    }
    Ok(())
}

async fn told(client: &HttpTransport, server: &str, what: &str) -> Result<u64, Error> {
    let url = format!("{server}/bench/{what}").parse()?;
    let request = WireRequest { method: Method::Get, url, headers: Vec::new(), body: Body::Empty, sink: None };
    let reply = client.send(request, Duration::from_secs(5)).await?;
    Ok(String::from_utf8(reply.body)?.parse()?)
}

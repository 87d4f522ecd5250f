//! The real binary, killed at random moments while both systems live on in processes of their own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

use handover_sandbox::journal::Entry;
use handover_store::{HoldFilter, Location, Store};
use serde_json::{Value as Json, json};

use crate::cli::{Play, binary};
use crate::rig::Way;
use crate::rig::judge::{Case, judge};

/// A system in a process of its own; it ends with the test.
pub(crate) struct Served {
    child: Child,
    address: String,
    pub(crate) token: String,
    before: Json,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Served {
    /// Serves one side of a play; the project reaches it over HTTP from now on.
    fn begin(play: &Play, side: &str) -> Self {
        Self::among(play, side, "real", "timeout: 1s")
    }

    /// The same with these limits, and one more key of the system in the project file.
    pub(crate) fn among(play: &Play, side: &str, limits: &str, key: &str) -> Self {
        let before = play.world(side);
        let platform = before["platform"].as_str().unwrap().to_owned();
        let world = play.dir().join("sandbox").join(side).join("world.json");
        let mut served = Self::with(&platform, &world, limits);
        served.before = before;
        let url = served.base_url();
        let system = format!("base_url: {url}\n    {key}\n    token: {{env: {}_TOKEN}}", side.to_uppercase());
        play.edit("handover.yaml", &format!("sandbox: sandbox/{side}"), &system);
        served
    }

    /// Serves a world file without limits.
    pub(crate) fn of(platform: &str, world: &Path) -> Self {
        Self::with(platform, world, "off")
    }

    fn with(platform: &str, world: &Path, limits: &str) -> Self {
        let mut child = binary()
            .args(["sandbox", platform, "--limits", limits, "--world"])
            .arg(world)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Json = serde_json::from_str(&line).unwrap();
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        let address = text("base_url").trim_start_matches("http://").to_owned();
        Self { child, address, token: text("token"), before: Json::Null }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the sandbox tells a judge.
    pub(crate) fn asks(&self, route: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = format!("GET /_sandbox/{route} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).unwrap();
        let at = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
        let head = String::from_utf8_lossy(&reply[..at]).to_lowercase();
        assert!(head.contains("content-length"), "{head}");
        String::from_utf8(reply.split_off(at)).unwrap()
    }

    fn requests(&self) -> u64 {
        let sums: Json = serde_json::from_str(&self.asks("sums")).unwrap();
        sums["requests"].as_u64().unwrap()
    }

    fn journal(&self) -> Vec<Entry> {
        self.asks("journal").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Runs `handover run` until the target saw so many more requests, and kills it; false when it ended before.
fn run_and_kill(play: &Play, old: &Served, new: &Served, more: u64) -> bool {
    let until = new.requests() + more;
    let mut child = play
        .command(&["run", "--quiet"])
        .env("OLD_TOKEN", &old.token)
        .env("NEW_TOKEN", &new.token)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(matches!(status.code(), Some(0 | 3)), "it ended by itself with {status}");
            return false;
        }
        if new.requests() >= until {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        std::thread::yield_now();
    }
}

fn held(play: &Play) -> std::collections::BTreeSet<(String, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let location = Location::Sqlite(play.dir().join(".handover").join("state.db"));
        let store = Store::open_reading(&location).await.unwrap();
        let rows = store.holds_page(&HoldFilter::default(), None, 100_000).await.unwrap();
        assert!(store.open_intents().await.unwrap().is_empty());
        store.verify(|_, _| {}).await.unwrap();
        rows.into_iter().map(|row| (row.hold.object.to_string(), row.hold.record.to_string())).collect()
    })
}

#[test]
fn the_binary_is_killed_again_and_again_and_goes_on() {
    let seed: u64 = std::env::var("HANDOVER_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    eprintln!("HANDOVER_TEST_SEED={seed}");
    let mut dice = blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof();
    let play = Play::back();
    play.disturb("new", |world| world["settings"]["contact_sync"] = json!(true));
    let (old, new) = (Served::begin(&play, "old"), Served::begin(&play, "new"));
    let mut kills = 0;
    loop {
        let mut bytes = [0; 2];
        dice.fill(&mut bytes);
        // Past what a run reads before it writes.
        if kills == 10 || !run_and_kill(&play, &old, &new, 40 + u64::from(u16::from_le_bytes(bytes)) % 40) {
            break;
        }
        kills += 1;
    }
    let run = |code| play.does_with(&["run"], &[("OLD_TOKEN", &old.token), ("NEW_TOKEN", &new.token)]).ends(code);
    run(3);
    eprintln!("{kills} kills, {} requests", new.requests());
    assert!(kills > 2, "it was killed {kills} times only");
    let after: Json = serde_json::from_str(&new.asks("world")).unwrap();
    let mut wrong = judge(&Case {
        way: Way::ToPipedrive,
        old_before: &old.before,
        old_journal: &old.journal(),
        new_before: &new.before,
        new_after: &after,
        new_journal: &new.journal(),
        held: &held(&play),
    });
    for served in [&old, &new] {
        let limited = served.journal().iter().filter(|entry| entry.status == Some(429)).count();
        if limited > 0 {
            wrong.push(format!("{limited} requests were refused with 429"));
        }
    }
    assert!(wrong.is_empty(), "HANDOVER_TEST_SEED={seed}:\n  {}", wrong.join("\n  "));
}

#[test]
fn a_spent_day_ends_the_binary_with_4() {
    let play = Play::back();
    let clock = |text: &str| std::fs::write(play.dir().join("sandbox").join("clock"), text).unwrap();
    play.disturb("new", |world| world["settings"]["daily_budget"] = json!(1_000));
    let told = play.does(&["run"]).ends(4);
    assert!(told.err.contains("nothing was sent twice"), "{}", told.err);
    play.does(&["run"]).ends(4);
    play.disturb("new", |world| world["settings"]["daily_budget"] = json!(null));
    clock("2026-11-03T08:00:00Z");
    play.does(&["run"]).ends(3);
}

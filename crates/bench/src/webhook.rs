//! From a change in one CRM to its confirmed write in the other, told by a webhook: the sample company's people get
//! other names, one after the other, while `handover serve` is at work.
//!
//! Every part is a process of its own: both sandboxes, without limits, and the server. The time runs from the
//! request that changes the record until the server says that its pass has come to its end, so that the sandbox's
//! own answer and the delivery are in it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::{Error, print};

/// Changes that are measured.
const CHANGES: usize = 60;
/// What the sandbox and the server know.
const SECRET: (&str, &str) = ("hooks", "open-sesame");

/// A process of this program, as the command line of `handover`; it ends with the measurement.
struct Process {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Process {
    fn of(mut command: Command) -> Result<Self, Error> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("no output")?);
        Ok(Self { child, lines })
    }

    /// The next line of JSON that it tells.
    fn next(&mut self) -> Result<Json, Error> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

/// Measures and prints.
pub(crate) fn run() -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let play = folder.path().join("play");
    did(handover(folder.path(), &["demo", "--small", "--until", "init", "--quiet", "--dir", "play"])?)?;
    let (_old, old) = served(&play, "old", "pipedrive")?;
    let (_new, new) = served(&play, "new", "hubspot")?;
    did(command(&play, &old, &new, &["run", "--quiet"])?)?;
    let mut serving = Process::of(command(&play, &old, &new, &["serve", "--json", "--listen", "127.0.0.1:0"])?)?;
    let register = loop {
        let line = serving.next()?;
        if !line["register"].is_null() {
            break line;
        }
    };
    while serving.next()?["kind"] != "sync" {}
    let hook = json!({"subscription_url": register["url"], "event_action": "*", "event_object": "person",
        "name": "handover", "http_auth_user": SECRET.0, "http_auth_password": SECRET.1});
    ask(&old, "POST", "/v1/webhooks", &hook)?;
    let people = carried(&new)?;
    let mut took: Vec<Duration> = Vec::with_capacity(CHANGES);
    for (number, person) in people.iter().cycle().take(CHANGES).enumerate() {
        let begun = Instant::now();
        ask(&old, "PATCH", &format!("/api/v2/persons/{person}"), &json!({"name": format!("Ada Told {number}")}))?;
        let pass = serving.next()?;
        took.push(begun.elapsed());
        if pass["did"]["updated"] != 1 {
            return Err(format!("a change was not carried: {pass}").into());
        }
    }
    took.sort_unstable();
    let at = |share: usize| took[(took.len() - 1) * share / 100].as_millis();
    print(&format!("webhook: {CHANGES} changes, from the change to the end of the pass that wrote it"));
    print(&format!("  median     {} ms (gathering of 100 ms included)", at(50)));
    print(&format!("  90%        {} ms", at(90)));
    print(&format!("  longest    {} ms", at(100)));
    Ok(())
}

/// A sandbox and where it is: base address and token.
fn served(play: &Path, side: &str, platform: &str) -> Result<(Process, Json), Error> {
    let world = format!("sandbox/{side}/world.json");
    let arguments = ["sandbox", platform, "--limits", "off", "--world", &world];
    let mut process = Process::of(handover(play, &arguments)?)?;
    let ready = process.next()?;
    let project = play.join("handover.yaml");
    let hooks = if side == "old" { "\n    webhooks: {secret: {env: HOOKS}}" } else { "" };
    let system = format!(
        "base_url: {}\n    token: {{env: {}_TOKEN}}{hooks}",
        ready["base_url"].as_str().unwrap_or_default(),
        side.to_uppercase()
    );
    let text = std::fs::read_to_string(&project)?.replacen(&format!("sandbox: sandbox/{side}"), &system, 1);
    std::fs::write(project, text)?;
    Ok((process, ready))
}

fn handover(within: &Path, arguments: &[&str]) -> Result<Command, Error> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).current_dir(within).stdin(Stdio::null());
    Ok(command)
}

fn command(play: &Path, old: &Json, new: &Json, arguments: &[&str]) -> Result<Command, Error> {
    let mut command = handover(play, arguments)?;
    command.env("HOOKS", format!("{}:{}", SECRET.0, SECRET.1));
    for (name, ready) in [("OLD_TOKEN", old), ("NEW_TOKEN", new)] {
        command.env(name, ready["token"].as_str().unwrap_or_default());
    }
    Ok(command)
}

/// Runs a command to its end; held records are no failure.
fn did(mut command: Command) -> Result<(), Error> {
    let output = command.stdout(Stdio::null()).output()?;
    match output.status.code() {
        Some(0 | 3) => Ok(()),
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

/// Persons of the old system that have a contact in the new one.
fn carried(new: &Json) -> Result<Vec<String>, Error> {
    let world = ask(new, "GET", "/_sandbox/world", &Json::Null)?;
    let contacts = world["objects"]["contacts"].as_array().ok_or("no contacts")?;
    let key =
        |contact: &Json| contact["properties"]["handover_source_key"].as_str()?.rsplit(':').next().map(str::to_owned);
    let people: Vec<String> = contacts.iter().filter_map(key).collect();
    if people.is_empty() { Err("nobody was carried".into()) } else { Ok(people) }
}

/// One request to a sandbox.
fn ask(system: &Json, method: &str, path: &str, body: &Json) -> Result<Json, Error> {
    let address = system["base_url"].as_str().unwrap_or_default().trim_start_matches("http://");
    let token = system["token"].as_str().unwrap_or_default();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = TcpStream::connect(address)?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nx-api-token: {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    let text = String::from_utf8_lossy(&reply);
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no answer")?;
    if head.split_whitespace().nth(1).is_none_or(|status| !status.starts_with('2')) {
        return Err(format!("{method} {path}: {}", head.lines().next().unwrap_or_default()).into());
    }
    Ok(serde_json::from_str(body)?)
}

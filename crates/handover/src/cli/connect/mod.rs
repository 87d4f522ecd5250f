//! `handover connect`: a person lets a system in, and Handover keeps what that gives.
//!
//! Invariants:
//! - Nothing is kept before the platform has shown that it is good, and for which account.
//! - Nothing is asked where nobody can answer: without a terminal, what was not given is said, and the command ends.
//! - No secret is taken from the arguments, which other users of the machine can see; a code may be: it works once.
//! - Deliberately absent: opening a browser by force, and writing into the project file.

mod asking;
mod browser;
mod code;
mod entry;
mod given;
mod proof;
mod refused;
mod ways;

use handover_connect::Way;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::output::plural;
use super::{Done, Global, Output};
use crate::kept::process;
use crate::problem::{Exit, Problem};
use asking::Source;
use entry::Entrance;

/// Options of `connect`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  export HANDOVER_PASSPHRASE=...                   under which everything is encrypted that is kept
  handover connect old                             asks for what is missing
  handover connect old --way token --token env:OLD_TOKEN
  handover connect new --way code --client-id abc --client-secret file:secret.txt
  handover connect new --way code --client-id abc --client-secret env:SECRET --no-browser
  handover connect new --code 'http://localhost:8971/callback?code=...&state=...'
  handover connect new --way device --client-id abc --url https://acme.crm4.dynamics.com
  handover connect old --platform pipedrive        before there is a project

A SOURCE of a secret is env:NAME, file:PATH, or - for one line of standard input.
What to create at each platform, with which scopes: docs/manual/connect.md")]
pub(crate) struct Options {
    /// The system, by its name in the project
    system: String,
    /// Its platform, when the project does not say it
    #[arg(long)]
    platform: Option<String>,
    /// How it lets in: what the platform has of these
    #[arg(long, value_parser = ["token", "code", "device", "app", "signed"])]
    way: Option<String>,
    /// The address of its API, when the project does not say it
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Where tokens are bought: a data centre, a tenant, a login host
    #[arg(long, value_name = "URL")]
    token_url: Option<String>,
    /// The token or key that was made by hand
    #[arg(long, value_name = "SOURCE")]
    token: Option<Source>,
    /// The app's id
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// The app's secret
    #[arg(long, value_name = "SOURCE")]
    client_secret: Option<Source>,
    /// The user for whom the app signs
    #[arg(long)]
    user: Option<String>,
    /// The key with which the app signs, in PEM
    #[arg(long, value_name = "SOURCE")]
    private_key: Option<Source>,
    /// The code that the platform gave, or the whole address to which it sent the browser
    #[arg(long, value_name = "CODE|ADDRESS")]
    code: Option<String>,
    /// The port of this machine to which the browser comes back; 0 for any
    #[arg(long, default_value_t = 8971)]
    port: u16,
    /// The address to which the browser is sent, when it is not this machine's
    #[arg(long, value_name = "URL")]
    redirect_uri: Option<String>,
    /// The browser is on another machine: what it brings back is pasted, or given with --code
    #[arg(long)]
    no_browser: bool,
    /// How many seconds a person may take
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    wait: u64,
    /// Without a project: ask for what reading needs, and nothing else
    #[arg(long)]
    read_only: bool,
    /// Keep it although scopes are missing
    #[arg(long)]
    accept_missing: bool,
}

/// What a way in gave.
struct Came {
    /// What is to be kept, by its key in the project file.
    secrets: Vec<(&'static str, String)>,
    /// What the project file says, by key.
    lines: Vec<(&'static str, String)>,
    /// Asks the system from now on.
    driver: handover_connect::Driver,
    /// What was granted, where the platform tells.
    granted: Option<Vec<String>>,
}

/// Runs the command.
pub(crate) async fn run(global: &Global, options: &Options, output: &Output) -> Done {
    let entrance = Entrance::find(global, options).map_err(|problem| vec![problem])?;
    entrance.ready().map_err(|problem| vec![problem])?;
    let way = entrance.way(output).map_err(|problem| vec![problem])?;
    let came = match way {
        Way::Token => entrance.by_token(),
        Way::Code => entrance.by_code(output).await,
        Way::Device => entrance.by_device(output).await,
        Way::App => entrance.by_app().await,
        Way::Signed => entrance.by_signature().await,
    };
    let Some(came) = came.map_err(|problem| vec![problem])? else { return Ok(Exit::Done) };
    let proof = proof::of(&entrance, way, &came, output).await?;
    let change = |entry: &mut crate::kept::Entry| {
        entry.asked = None;
        entry.entry = Some((entrance.system.platform.clone(), entrance.lines(way, &came)));
        entry.secrets.extend(came.secrets.iter().map(|(name, secret)| ((*name).to_owned(), secret.clone())));
    };
    let (vault, name) = (&entrance.vault, &entrance.system.name);
    if !came.secrets.is_empty() || vault.file(name).exists() {
        vault.change(name, &process, change).map_err(|failure| vec![failure.problem(name)])?;
    }
    tell(&entrance, way, &came, &proof, output);
    Ok(Exit::Done)
}

/// Tells who lets in, what was kept, and what the project file says from now on.
fn tell(entrance: &Entrance<'_>, way: Way, came: &Came, proof: &proof::Proven, output: &Output) {
    let (name, file) = (&entrance.system.name, entrance.vault.file(&entrance.system.name));
    let kept: Vec<&str> = came.secrets.iter().map(|(name, _)| *name).collect();
    let lines = entrance.lines(way, came);
    output.value(&json!({
        "system": name, "platform": entrance.system.platform, "way": way.word(),
        "account": {"id": proof.account.id, "name": proof.account.name}, "user": proof.user,
        "granted": came.granted, "missing": proof.missing, "kept": kept, "file": file, "lines": lines,
    }));
    let user = proof.user.as_ref().map(|user| format!(", as {user}")).unwrap_or_default();
    let account = match proof.account.name.contains(&proof.account.id) {
        true => proof.account.name.clone(),
        false => format!("{} (account {})", proof.account.name, proof.account.id),
    };
    output.say(&format!("`{name}` lets Handover in: {account}{user}."));
    if let Some(granted) = &came.granted {
        output.say(&format!("Granted: {}.", granted.join(", ")));
    }
    if kept.is_empty() {
        output.say("Nothing is kept: the project names where its secrets are.");
    } else {
        let what = plural(kept.len() as u64, "secret");
        output.say(&format!("{what} kept, encrypted: {} in {}.", kept.join(", "), file.display()));
    }
    output.say(&format!("\nIn handover.yaml, of the system `{name}`:\n\n{}", lines.join("\n")));
}

/// What every refusal before the end says of the world.
pub(super) fn nothing_kept(problem: Problem) -> Problem {
    problem.state("nothing was kept, and what was kept before is as it was")
}

/// A secret's text, for what is kept.
fn plain(secret: &secrecy::SecretString) -> String {
    secret.expose_secret().to_owned()
}

//! `handover serve`: keeps the new system in step and tells how it is, until somebody asks to stop.
//!
//! Passes over changes on a schedule, webhooks that shorten the wait, health and metrics. With the state in PostgreSQL
//! several such processes take turns: each receives, and whoever has the lease carries.

mod delivery;
mod desk;
mod health;
mod metrics;
mod passes;
mod server;
mod state;
mod subscriptions;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use handover_connect::SystemClock;
use handover_model::{Flow, SystemName};
use handover_store::{Error, Store};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

use super::session::Session;
use super::{Done, Global, Output, failure, run, sync};
use crate::config::{Project, System};
use crate::problem::{Exit, Problem};
use crate::worker::Worker;
use desk::{Desk, Hook};
use passes::Passes;
use state::State;

/// Between two passes over changes, where the project does not say otherwise.
const EVERY: SignedDuration = SignedDuration::from_mins(5);

/// Options of `serve`.
#[derive(clap::Args)]
#[command(
    after_help = "After `handover run` has come to its end, changes are carried as by `handover sync`. Systems with
`webhooks:` in handover.yaml may tell theirs at /hooks/SYSTEM: they are carried within a second.
/health says whether all is well. Ctrl-C or SIGTERM ends it within five seconds.

Examples:
  handover serve
  handover serve --metrics                             and Prometheus metrics at /metrics
  handover serve --listen 0.0.0.0:8470 --expose        behind a proxy with TLS on another machine"
)]
pub(crate) struct Options {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8470")]
    listen: SocketAddr,
    /// Let other machines reach it; there is no TLS, and /health and /metrics ask nobody for a password
    #[arg(long)]
    expose: bool,
    /// How long to wait between two passes over changes: `30s`, `5m`, `1h` [default: 5m, and 15m
    /// where every old system tells its changes]
    #[arg(long, value_name = "TIME", value_parser = sync::time)]
    every: Option<SignedDuration>,
    /// What webhooks tell within this time is carried together
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = short)]
    gather: SignedDuration,
    /// Serve Prometheus metrics at /metrics
    #[arg(long)]
    metrics: bool,
    /// The name of this process among the workers of a state in PostgreSQL [default: its machine and number]
    #[arg(long, value_name = "NAME")]
    worker: Option<String>,
}

fn short(text: &str) -> Result<SignedDuration, String> {
    match text.parse::<SignedDuration>() {
        Ok(time) if !time.is_negative() && time <= SignedDuration::from_mins(1) => Ok(time),
        _ => Err("a time up to a minute, such as `100ms` or `1s`".to_owned()),
    }
}

/// Runs the command.
pub(crate) async fn run(global: &Global, options: &Options, output: &Output) -> Done {
    guard_address(options)?;
    let mut session = Session::open(&global.project)?;
    session.worker = Worker::named(options.worker.as_deref());
    let accounts = loaded(&session).await?;
    let every = options.every.unwrap_or_else(|| every(&session.project));
    let state = State::at(session.location()?, session.worker.clone(), session.project.policies.lease);
    let listener = listen(options.listen).await?;
    let address = listener
        .local_addr()
        .map_err(|error| vec![Problem::ours("listen", "the address is not known").because(&error)])?;
    let hooks = hooks(&session, &accounts, address)?;
    tell(&hooks, output, (address, every, options.metrics));
    let desk = Arc::new(Desk::new(state, Arc::new(SystemClock), hooks, (every, options.metrics)));
    desk.tally().of(&session.project);
    let stop = run::stop_and_tell(output);
    let server = tokio::spawn(server::serve(desk.clone(), listener, stop.1.clone()));
    let project = global.project.clone();
    let (gather, session) = (options.gather, Some(session));
    Passes { project, output, desk, gather, stop, session, checked: None, put_off: None, looked: None }.run().await;
    drop(server.await);
    Ok(Exit::Done)
}

/// The accounts of a state whose first load has come to its end. Who writes it meanwhile is not disturbed.
async fn loaded(session: &Session) -> Result<BTreeMap<SystemName, String>, Vec<Problem>> {
    let store = match Store::open_reading(&session.location()?).await {
        Err(Error::Absent { .. }) => return Err(vec![sync::no_load("serve")]),
        opened => opened.map_err(|error| vec![failure::store(&error)])?,
    };
    let own = store.belongs_to(&session.project.name).await.map_err(|error| vec![failure::store(&error)]);
    let loaded = own.and(sync::guard_load(&store, "serve").await);
    let accounts = store.accounts().await.map_err(|error| vec![failure::store(&error)]);
    Session::closed(store, loaded.and(accounts)).await
}

/// Nobody but this machine is served unless somebody says so.
fn guard_address(options: &Options) -> Result<(), Vec<Problem>> {
    if options.listen.ip().is_loopback() || options.expose {
        return Ok(());
    }
    Err(vec![
        Problem::new("exposed", format!("other machines can reach {}", options.listen))
            .state("nothing is served")
            .hint("let a proxy with TLS on this machine pass requests on to 127.0.0.1, or say `--expose`"),
    ])
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Vec<Problem>> {
    TcpListener::bind(address).await.map_err(|error| {
        vec![
            Problem::new("listen", format!("{address} cannot be listened on"))
                .because(&error)
                .state("nothing is served")
                .hint("choose another with --listen"),
        ]
    })
}

/// The systems whose webhooks are taken, their secrets read.
fn hooks(
    session: &Session,
    accounts: &BTreeMap<SystemName, String>,
    address: SocketAddr,
) -> Result<BTreeMap<SystemName, Hook>, Vec<Problem>> {
    let mut hooks = BTreeMap::new();
    let mut problems = Vec::new();
    for system in &session.project.systems {
        let (Some(webhooks), Some(open)) = (&system.webhooks, session.systems.get(&system.name)) else { continue };
        match webhooks.secret.resolve(&system.name, &|name| std::env::var(name).ok()) {
            Ok(secret) => {
                let account = accounts.get(&system.name).cloned();
                let url = webhooks.url.clone();
                let registered = url.clone().unwrap_or_else(|| format!("http://{address}/hooks/{}", system.name));
                let hook = Hook { system: open.clone(), secret, url, registered, account };
                hooks.insert(system.name.clone(), hook);
            }
            Err(problem) => problems.push(problem.at(&webhooks.secret.place, 0, &session.project.sources)),
        }
    }
    if problems.is_empty() { Ok(hooks) } else { Err(problems) }
}

/// How often the systems whose changes flows carry are asked for them: as often as the one that is asked most often.
fn every(project: &Project) -> SignedDuration {
    let is_watched = |system: &&System| {
        let reads =
            |flow: &Flow| flow.source.system == system.name || (flow.both_ways && flow.target.system == system.name);
        project.flows.iter().any(reads)
    };
    let each = project.systems.iter().filter(is_watched).map(|system| match &system.webhooks {
        Some(webhooks) => SignedDuration::try_from(webhooks.poll).unwrap_or(EVERY),
        None => EVERY,
    });
    each.min().unwrap_or(EVERY)
}

/// Says that it serves.
fn tell(
    hooks: &BTreeMap<SystemName, Hook>,
    output: &Output,
    (address, every, metrics): (SocketAddr, SignedDuration, bool),
) {
    output.say(&format!("Serving on http://{address}; a pass over changes each {every:#}."));
    output.line(&json!({
        "serving": format!("http://{address}"),
        "every_s": every.as_secs(),
        "metrics": metrics,
        "webhooks": hooks.iter().map(|(name, hook)| (name.to_string(), json!(hook.registered))).collect::<Json>(),
    }));
}

//! `handover sandbox`: a strict local copy of a platform's API, for anyone.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use handover_connect::{Clock as _, SystemClock};
use handover_sandbox::faults::FaultPlan;
use handover_sandbox::{Sandbox, http, sample};

use super::session::world;
use super::{Done, Output};
use crate::problem::{Exit, Problem};

/// Options of `sandbox`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handover sandbox pipedrive --world sample
  handover sandbox hubspot --listen 127.0.0.1:8181 --limits off
  handover sandbox hubspot --faults faults.json

Prints one JSON line {\"platform\",\"base_url\",\"token\",...} when it is ready. Its journal of requests
and changes is at /_sandbox/journal.")]
pub(crate) struct Options {
    /// activecampaign, dynamics, hubspot, pipedrive, salesforce or zoho
    platform: String,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    listen: SocketAddr,
    /// sample, small, bare (its users and stages without a record), empty, or a world file
    #[arg(long, default_value = "empty", value_name = "NAME|FILE")]
    world: String,
    /// The seed of the sample world
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// real: the plan's rate limits and daily budget; off: none
    #[arg(long, value_parser = ["real", "off"], default_value = "real")]
    limits: String,
    /// A fault plan
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
}

/// Runs the command until it is interrupted.
pub(crate) async fn run(options: &Options, output: &Output) -> Done {
    let mut sandbox = Sandbox::new(load(options)?);
    sandbox.platform_mut().set_limits(options.limits == "real");
    if let Some(file) = &options.faults {
        sandbox.set_faults(faults(file)?);
    }
    let listener = tokio::net::TcpListener::bind(options.listen).await.map_err(|error| {
        vec![
            Problem::new("listen", format!("{} cannot be listened on", options.listen))
                .because(&error)
                .hint("choose another with --listen"),
        ]
    })?;
    let address = listener
        .local_addr()
        .map_err(|error| vec![Problem::ours("listen", "the address is not known").because(&error)])?;
    let mut ready = sandbox.platform().credentials();
    ready["platform"] = options.platform.clone().into();
    ready["base_url"] = format!("http://{address}").into();
    output.text(&ready.to_string());
    let clock: http::Clock = Arc::new(|| SystemClock.now());
    let stop = async {
        drop(tokio::signal::ctrl_c().await);
    };
    http::serve(Arc::new(Mutex::new(sandbox)), listener, http::Options::with_clock(clock), stop)
        .await
        .map_err(|error| vec![Problem::ours("listen", "the sandbox stopped listening").because(&error)])?;
    Ok(Exit::Done)
}

fn load(options: &Options) -> Result<Box<dyn handover_sandbox::Platform>, Vec<Problem>> {
    let none = || {
        let problem = Problem::new("world", format!("there is no sample world of `{}` yet", options.platform));
        vec![problem.hint("give `empty` or a world file")]
    };
    let company = |scale: sample::Scale| match options.platform.as_str() {
        // The portal to which the sample company moves, which knows some of its people already.
        "hubspot" => Ok(sample::company_scaled(options.seed, scale).hubspot),
        platform => sample::company_in(platform, options.seed, scale).ok_or_else(none),
    };
    let json = match options.world.as_str() {
        "empty" => None,
        "sample" => Some(company(sample::Scale::full())?),
        "small" => Some(company(sample::Scale::small())?),
        "bare" => Some(sample::bare(&options.platform, options.seed).ok_or_else(none)?),
        file => {
            let unreadable = |error: &(dyn std::error::Error + 'static)| {
                vec![
                    Problem::new("world", format!("the world file {file} cannot be read"))
                        .because(error)
                        .hint("or give one of: sample, small, bare, empty"),
                ]
            };
            let text = std::fs::read(file).map_err(|error| unreadable(&error))?;
            Some(serde_json::from_slice(&text).map_err(|error| unreadable(&error))?)
        }
    };
    world(&options.platform, json).map_err(|error| {
        vec![
            Problem::new("world", format!("the world of `{}` cannot be loaded", options.platform))
                .cause(error.to_string()),
        ]
    })
}

fn faults(file: &std::path::Path) -> Result<FaultPlan, Vec<Problem>> {
    let problem = |error: &(dyn std::error::Error + 'static)| {
        vec![Problem::new("faults", format!("the fault plan {} cannot be read", file.display())).because(error)]
    };
    let text = std::fs::read(file).map_err(|error| problem(&error))?;
    serde_json::from_slice(&text).map_err(|error| problem(&error))
}

//! Serves a sandbox without the binary: `serve PLATFORM [WORLD FILE]`, without rate limits.
//! Prints one JSON line when it is ready.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use handover_sandbox::activecampaign::ActiveCampaign;
use handover_sandbox::dynamics::Dynamics;
use handover_sandbox::hubspot::Hubspot;
use handover_sandbox::pipedrive::Pipedrive;
use handover_sandbox::salesforce::Salesforce;
use handover_sandbox::zoho::Zoho;
use handover_sandbox::{Platform, Sandbox, http};

const SEED: u64 = 1;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let name = words.first().cloned().unwrap_or_default();
    let world = match words.get(1) {
        Some(file) => Some(serde_json::from_slice(&std::fs::read(file)?)?),
        None => None,
    };
    let platform: Box<dyn Platform> = match (name.as_str(), world) {
        ("pipedrive", None) => Box::new(Pipedrive::empty(SEED)),
        ("pipedrive", Some(world)) => Box::new(Pipedrive::from_world(world, SEED).map_err(std::io::Error::other)?),
        ("hubspot", None) => Box::new(Hubspot::empty(SEED)),
        ("hubspot", Some(world)) => Box::new(Hubspot::from_world(world, SEED).map_err(std::io::Error::other)?),
        ("salesforce", None) => Box::new(Salesforce::empty(SEED)),
        ("salesforce", Some(world)) => Box::new(Salesforce::from_world(world, SEED).map_err(std::io::Error::other)?),
        ("dynamics", None) => Box::new(Dynamics::empty(SEED)),
        ("dynamics", Some(world)) => Box::new(Dynamics::from_world(world, SEED).map_err(std::io::Error::other)?),
        ("activecampaign", None) => Box::new(ActiveCampaign::empty(SEED)),
        ("activecampaign", Some(world)) => {
            Box::new(ActiveCampaign::from_world(world, SEED).map_err(std::io::Error::other)?)
        }
        ("zoho", None) => Box::new(Zoho::empty(SEED)),
        ("zoho", Some(world)) => Box::new(Zoho::from_world(world, SEED).map_err(std::io::Error::other)?),
        _ => {
            let usage = "usage: serve activecampaign|dynamics|hubspot|pipedrive|salesforce|zoho [WORLD FILE]";
            return Err(std::io::Error::other(usage));
        }
    };
    let mut sandbox = Sandbox::new(platform);
    sandbox.platform_mut().set_limits(false);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let mut ready = sandbox.platform().credentials();
    ready["platform"] = name.into();
    ready["base_url"] = format!("http://{}", listener.local_addr()?).into();
    writeln!(std::io::stdout().lock(), "{ready}")?;
    #[expect(clippy::disallowed_methods, reason = "a server for people runs on the machine's clock")]
    let clock: http::Clock = Arc::new(jiff::Timestamp::now);
    http::serve(Arc::new(Mutex::new(sandbox)), listener, http::Options::with_clock(clock), std::future::pending()).await
}

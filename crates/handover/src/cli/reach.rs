//! How a system is reached: its platform, its addresses, who keeps its tokens.

use std::sync::Arc;

use handover_connect::{Credentials, Keeper, NoKeeper, Settings};
use handover_platforms::Platform;

use crate::config::{CredentialSource, SecretFrom, Sources, System};
use crate::kept::{Original, Renewer, Vault};
use crate::problem::Problem;

/// How often a request that did no harm is sent again.
const RETRIES: u32 = 5;

/// The platform of a system that says where it is.
pub(crate) fn platform(system: &System, sources: &Sources) -> Result<&'static Platform, Problem> {
    let Some(platform) = handover_platforms::platform(&system.platform) else {
        let message = format!("`{}` is not a platform that Handover knows", system.platform);
        return Err(Problem::new("unknown_platform", message)
            .at(&system.place, 0, sources)
            .hint(format!("it knows {}", handover_platforms::PLATFORMS.map(|platform| platform.name).join(", "))));
    };
    if platform.api_base.is_empty() && system.base_url.is_none() && system.sandbox.is_none() {
        let message = format!("the system `{}` does not say where it is", system.name);
        return Err(Problem::new("no_address", message)
            .at(&system.place, 0, sources)
            .hint("add `base_url: https://...`, the address that the account itself shows for its API"));
    }
    Ok(platform)
}

/// Addresses and limits of a system.
pub(crate) fn settings(system: &System, platform: &Platform) -> Settings {
    let bare = |address: String| address.trim_end_matches('/').to_owned();
    Settings {
        api_base: bare(system.base_url.clone().unwrap_or_else(|| platform.api_base.to_owned())),
        oauth_base: bare(own_oauth(system, platform).unwrap_or_else(|| platform.oauth_base.to_owned())),
        timeout: system.timeout,
        retries: RETRIES,
        reserve: system.reserve,
        concurrency: system.concurrency,
    }
}

/// Where people are asked whether an app may come in.
pub(crate) fn page_base(system: &System, platform: &Platform) -> String {
    let usual = || platform.page_base.unwrap_or(platform.oauth_base).to_owned();
    own_oauth(system, platform).unwrap_or_else(usual).trim_end_matches('/').to_owned()
}

/// Where tokens are bought, unless that is the platform's own address for it.
fn own_oauth(system: &System, platform: &Platform) -> Option<String> {
    // Where each account has an address of its own, tokens may be sold at one for all.
    system.oauth_base.clone().or_else(|| system.base_url.clone().filter(|_| !platform.sells_elsewhere()))
}

/// Who keeps the refresh tokens of a system.
pub(crate) fn keeper(
    system: &System,
    platform: &Platform,
    vault: &Vault,
    credentials: &Credentials,
) -> Arc<dyn Keeper> {
    let (Credentials::Oauth { refresh_token, .. }, CredentialSource::Oauth { refresh_token: source, .. }) =
        (credentials, &system.credentials)
    else {
        return Arc::new(NoKeeper);
    };
    let original = match source.from {
        SecretFrom::Kept { .. } => Original::Kept,
        SecretFrom::Env(_) | SecretFrom::File(_) => Original::Elsewhere(refresh_token.clone()),
    };
    let renewal = (platform.dialect)().door().renewal;
    Arc::new(Renewer { vault: vault.clone(), system: system.name.clone(), original, renewal })
}

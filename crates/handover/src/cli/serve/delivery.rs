//! A delivery of a system's webhooks: believed or refused, kept, answered.
//!
//! Invariants:
//! - Who answers 200 has kept what was told, so that a power cut loses nothing.
//! - Nothing of a delivery but its event's ids enters the state, and nothing of it enters a log.

use std::time::Duration;

use handover_connect::{Delivery, Event, Fault, FaultKind};
use handover_model::SystemName;
use secrecy::ExposeSecret as _;

use super::desk::{Desk, Hook};

/// How long a state that another command writes is waited for. HubSpot gives up after five seconds, Pipedrive after
/// ten (sheets, section 8 \[doc\]); both deliver again.
const PATIENCE: Duration = Duration::from_secs(3);

/// A request to the address of a system's webhooks.
pub(super) struct Came {
    /// The system that the address names.
    pub(super) system: String,
    /// The path and query, as they came.
    pub(super) target: String,
    /// Headers, names in lower case.
    pub(super) headers: Vec<(String, String)>,
    /// The body.
    pub(super) body: Result<Vec<u8>, Broken>,
}

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// It is larger than any delivery.
    TooLarge,
    /// It came not to its end.
    Cut,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    /// Kept, or known already.
    Kept,
    /// The project has no such system, or takes none of its webhooks.
    UnknownSystem,
    /// Not from the platform, or too old.
    Forged,
    /// From the platform, about accounts that are not the project's.
    OtherAccount,
    /// Not what the platform sends.
    Malformed,
    /// Larger than any delivery.
    TooLarge,
    /// The state did not take it: it is to be delivered again.
    NotKept,
}

impl Became {
    /// The HTTP status of the answer.
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Kept => 200,
            Self::Malformed => 400,
            Self::Forged => 401,
            Self::OtherAccount => 403,
            Self::UnknownSystem => 404,
            Self::TooLarge => 413,
            Self::NotKept => 503,
        }
    }

    /// Its word in metrics, logs and answers.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Malformed => "malformed",
            Self::Forged => "forged",
            Self::OtherAccount => "other_account",
            Self::UnknownSystem => "unknown_system",
            Self::TooLarge => "too_large",
            Self::NotKept => "not_kept",
        }
    }
}

/// Takes a delivery; when this returns [`Became::Kept`], what it told survives a power cut.
pub(super) async fn take(desk: &Desk, came: &Came) -> Became {
    let known = desk.hooks.get_key_value(came.system.as_str());
    let (system, became) = match known {
        None => (None, Became::UnknownSystem),
        Some((system, hook)) => (Some(system), about(desk, system, hook, came).await),
    };
    // Names that only a stranger knows are not counted one by one.
    *desk.tally().deliveries.entry((system.cloned(), became.word())).or_default() += 1;
    let system = system.map_or("unknown", |system| system.as_str());
    match became {
        Became::Kept => tracing::info!(system, "a webhook was kept"),
        refused => tracing::warn!(system, became = refused.word(), "a webhook was not kept"),
    }
    became
}

async fn about(desk: &Desk, system: &SystemName, hook: &Hook, came: &Came) -> Became {
    let body = match &came.body {
        Ok(body) => body,
        Err(Broken::TooLarge) => return Became::TooLarge,
        Err(Broken::Cut) => return Became::Malformed,
    };
    let events = match read(desk, hook, came, body) {
        Ok(events) => events,
        Err(fault) => {
            tracing::debug!(%system, fault = %fault.message, "why");
            return if fault.kind == FaultKind::Auth { Became::Forged } else { Became::Malformed };
        }
    };
    let all = events.len();
    // Where the platform does not tell the account, who knows the secret is believed.
    let is_ours = |event: &Event| event.account.is_empty() || hook.account.as_ref() == Some(&event.account);
    let ours: Vec<Event> = events.into_iter().filter(is_ours).collect();
    if all > 0 && ours.is_empty() {
        return Became::OtherAccount;
    }
    match keep(desk, system, &ours).await {
        Ok(new) => {
            if new > 0 {
                desk.bell.notify_one();
            }
            Became::Kept
        }
        Err(error) => {
            tracing::error!(%system, %error, "the state does not take webhooks");
            Became::NotKept
        }
    }
}

async fn keep(desk: &Desk, system: &SystemName, events: &[Event]) -> Result<u64, handover_store::Error> {
    if events.is_empty() {
        return Ok(0);
    }
    let store = desk.state.receiving(PATIENCE).await?;
    store.receive(system, events, desk.clock.now()).await
}

fn read(desk: &Desk, hook: &Hook, came: &Came, body: &[u8]) -> Result<Vec<Event>, Fault> {
    let address = address(hook, came);
    hook.system.events(&Delivery {
        method: "POST",
        address: &address,
        headers: &came.headers,
        body,
        secret: hook.secret.expose_secret(),
        at: desk.clock.now(),
    })
}

/// The address as the platform called it. What the project says comes first; without it, what the request says:
/// where the address is signed, nobody but the platform can make it up.
fn address(hook: &Hook, came: &Came) -> String {
    let header = |name: &str| {
        let found = came.headers.iter().find(|(have, _)| have == name);
        found.map(|(_, value)| value.split(',').next().unwrap_or_default().trim())
    };
    let query = came.target.split_once('?').map_or("", |(_, query)| query);
    match &hook.url {
        Some(url) if query.is_empty() || url.contains('?') => url.clone(),
        Some(url) => format!("{url}?{query}"),
        None => {
            let scheme = header("x-forwarded-proto").unwrap_or("http");
            let host = header("x-forwarded-host").or_else(|| header("host")).unwrap_or_default();
            format!("{scheme}://{host}{}", came.target)
        }
    }
}

//! Who may ask: connected apps, passwords and sessions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::instant::Seconds;

/// A connected app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct App {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    /// The user as whom client credentials act; without one that flow is refused.
    pub(super) run_as: Option<String>,
    /// Users who need not agree (for signed assertions); `*` is everybody.
    pub(super) preauthorised: Vec<String>,
    /// Users by refresh token.
    pub(super) refresh_tokens: BTreeMap<String, String>,
    /// Authorization codes that were not exchanged yet.
    pub(super) codes: BTreeMap<String, Code>,
}

/// An authorization code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Code {
    pub(super) username: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<String>,
    pub(super) until: Seconds,
}

/// A session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Session {
    /// The user's id.
    pub(super) user: String,
    /// The last use that counts; none for a session that does not end.
    pub(super) used: Option<Seconds>,
    /// Whether the app can bring another without a person.
    pub(super) refreshable: bool,
}

/// Apps, passwords and sessions.
#[derive(Clone, Debug, Default)]
pub(super) struct Access {
    pub(super) apps: Vec<App>,
    /// Password with security token by username.
    pub(super) passwords: BTreeMap<String, String>,
    pub(super) sessions: BTreeMap<String, Session>,
}

impl Access {
    /// The user of a session that has not ended; using it keeps it alive.
    pub(super) fn enter(&mut self, token: &str, at: Seconds, idle_s: Seconds) -> Option<String> {
        let session = self.sessions.get_mut(token)?;
        if let Some(used) = &mut session.used {
            if at - *used > idle_s {
                return None;
            }
            *used = (*used).max(at);
        }
        Some(session.user.clone())
    }
}

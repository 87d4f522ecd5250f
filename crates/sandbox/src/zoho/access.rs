//! Who may ask: clients, refresh tokens, access tokens.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::instant::Seconds;
use super::world::Id;

/// How long an access token lives, in seconds (sheet: section 1).
pub(super) const TOKEN_S: Seconds = 3_600;

/// A registered client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Client {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    /// Where codes may be sent; empty: anywhere.
    pub(super) redirect_uris: Vec<String>,
}

/// A code that was not exchanged yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Code {
    pub(super) client_id: String,
    pub(super) user: Id,
    pub(super) scope: String,
    pub(super) redirect_uri: String,
    pub(super) until: Seconds,
    /// `access_type=offline`.
    pub(super) offline: bool,
}

/// A refresh token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Refresh {
    pub(super) client_id: String,
    pub(super) user: Id,
    pub(super) scope: String,
    /// When it was given, to know the oldest.
    pub(super) at: Seconds,
    pub(super) n: u64,
    /// When it gave access tokens, the last ten minutes of it.
    pub(super) used: Vec<Seconds>,
}

/// An access token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Token {
    pub(super) user: Id,
    pub(super) scope: String,
    /// None for a token that does not end.
    pub(super) until: Option<Seconds>,
    /// The refresh token that it came from.
    pub(super) refresh: Option<String>,
    /// Its number, to know the oldest.
    pub(super) n: u64,
}

/// Clients and tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Access {
    pub(super) clients: Vec<Client>,
    pub(super) codes: BTreeMap<String, Code>,
    pub(super) refresh_tokens: BTreeMap<String, Refresh>,
    pub(super) tokens: BTreeMap<String, Token>,
}

impl Access {
    /// The token, if it has not ended.
    pub(super) fn enter(&self, token: &str, at: Seconds) -> Option<&Token> {
        self.tokens.get(token).filter(|token| token.until.is_none_or(|until| at < until))
    }
}

//! Who may ask: the environment, registered apps and their tokens.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::guid;
use super::instant::Seconds;

/// The environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Org {
    pub(super) id: String,
    pub(super) name: String,
    /// The environment's own address: `https://ORG.crm.dynamics.com`.
    pub(super) url: String,
    pub(super) tenant: String,
    /// A domain of the tenant, which may stand for its id.
    pub(super) domain: String,
    /// The base currency.
    pub(super) currency: String,
    pub(super) language: i64,
    /// What the publisher's custom names begin with.
    pub(super) prefix: String,
}

impl Default for Org {
    fn default() -> Self {
        Self {
            id: guid::of_schema("organization"),
            name: "sandbox".to_owned(),
            url: "https://sandbox.crm.dynamics.com".to_owned(),
            tenant: guid::of_schema("tenant"),
            domain: "sandbox.onmicrosoft.com".to_owned(),
            currency: "USD".to_owned(),
            language: 1033,
            prefix: "new".to_owned(),
        }
    }
}

/// A registered app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct App {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    /// After that the secret is refused.
    pub(super) secret_until: Option<Seconds>,
    /// The application user; without one the environment does not know the app.
    pub(super) user: Option<String>,
    /// Users by refresh token.
    pub(super) refresh_tokens: BTreeMap<String, String>,
    /// Codes that were not exchanged yet.
    pub(super) codes: BTreeMap<String, Code>,
}

/// An authorization code or a device code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Code {
    pub(super) user: String,
    /// Of a device code: none.
    pub(super) redirect_uri: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) from: Seconds,
    pub(super) until: Seconds,
}

/// An access token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Token {
    /// The user; none for an app that the environment does not know.
    pub(super) user: Option<String>,
    /// When it ends; none for one that does not.
    pub(super) until: Option<Seconds>,
}

/// Apps and tokens.
#[derive(Clone, Debug, Default)]
pub(super) struct Access {
    pub(super) apps: Vec<App>,
    pub(super) tokens: BTreeMap<String, Token>,
}

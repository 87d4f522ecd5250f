//! Subscriptions: what a platform was told to tell us by webhooks.

use jiff::Timestamp;
use secrecy::SecretString;

use crate::{FaultKind, Refusal};

/// What is asked about subscriptions (see [`crate::Operation::Subscriptions`]).
#[derive(Clone, Debug)]
pub enum Subscribe {
    /// All that there are, also those of others where the platform shows them.
    List,
    /// More shall be told. Done again after a lost answer it may be told twice, which does no harm.
    Add(Wanted),
    /// One shall be told no longer.
    Remove {
        /// Its id.
        id: String,
    },
}

/// What is to be told from now on.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// In the platform's words, as [`crate::Dialect::subscriptions`] says them; at least one.
    pub words: Vec<String>,
    /// The address to which it is told, without anything secret.
    pub url: String,
    /// What deliveries are to know (see [`crate::Delivery::secret`]).
    pub secret: SecretString,
    /// Now, by our clock.
    pub now: Timestamp,
}

/// One subscription, as the platform has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// The address to which it tells, without the query: that may hold what only the platform and we know.
    pub url: String,
    /// What it tells, in the words of [`crate::Dialect::subscriptions`] where it tells all that one of them says.
    pub words: Vec<String>,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// Whether it tells anything: platforms switch off those whose deliveries nobody takes.
    pub is_on: bool,
}

impl Subscription {
    /// Whether it tells to this address, whatever the query of either.
    pub fn is_for(&self, url: &str) -> bool {
        without_query(&self.url) == without_query(url)
    }
}

/// An address without its query.
pub fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(path, _)| path)
}

impl Refusal {
    /// A secret of webhooks that the platform could not use.
    pub fn secret(message: impl Into<String>) -> Self {
        Self { kind: FaultKind::Invalid, field: None, message: message.into() }
    }

    /// A platform whose subscriptions cannot be made through its API; `instead` says where people make them.
    pub fn no_subscriptions(instead: &str) -> Self {
        Self::unsupported(format!("subscriptions to webhooks are not made through this platform's API: {instead}"))
    }
}

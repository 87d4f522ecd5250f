//! The one HTTP driver: it turns a dialect into a [`crate::Connector`].
//!
//! An operation is a chain of requests ([`steps`]); a request takes its place in the budget, gets its
//! credentials and is sent again where that does no harm ([`requests`]); tokens are bought in time
//! ([`tokens`]); the dates of replies tell how far the system's clock is ahead ([`offset`]); what the engine asks
//! for is made of operations ([`connector`]).

mod connector;
mod offset;
mod requests;
mod steps;
mod tokens;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handover_model::{ObjectName, Schema};

use crate::{Budget, Clock, Credentials, Cursor, Dialect, Fault, Keeper, Leave, Reply, Spent, Transport};

/// How a driver reaches its system.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The API's base address, without a slash at the end.
    pub api_base: String,
    /// The token endpoint's base address.
    pub oauth_base: String,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How often a request that did no harm is sent again.
    pub retries: u32,
    /// The share of every limit that is left to the company's other integrations, 0 to 0.9.
    pub reserve: f64,
    /// Requests under way at once where order does not matter.
    pub concurrency: usize,
}

impl Settings {
    /// A system that has everything at one address: an answer may take a minute, five more tries, nothing is left to
    /// others, four requests at once.
    pub fn at(base: impl Into<String>) -> Self {
        let base = base.into();
        Self {
            oauth_base: base.clone(),
            api_base: base,
            timeout: Duration::from_secs(60),
            retries: 5,
            reserve: 0.0,
            concurrency: 4,
        }
    }
}

/// A system behind HTTP.
pub struct Driver {
    dialect: Box<dyn Dialect>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    keeper: Arc<dyn Keeper>,
    leave: Option<Arc<dyn Leave>>,
    settings: Settings,
    budget: Budget,
    credentials: tokio::sync::Mutex<Credentials>,
    /// One buys a token at a time: where a refresh token works once, the others would come too late.
    buying: tokio::sync::Mutex<()>,
    /// How many tokens were bought.
    bought: AtomicU64,
    api_base: Mutex<String>,
    spent: Mutex<Spent>,
    offset: Mutex<offset::Offset>,
    schemas: Mutex<HashMap<ObjectName, Schema>>,
    /// A reply of which only a part was read, and where its rest begins: one, since each may be large.
    rest: Mutex<Option<(Cursor, Reply)>>,
    /// What of the day's charges somebody else keeps by now.
    kept: AtomicU64,
}

/// A failure, and whether the request may have been applied all the same.
struct Failure {
    fault: Fault,
    perhaps_applied: bool,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self { fault, perhaps_applied: false }
    }
}

impl Failure {
    /// The same failure behind an attempt that may have been applied.
    fn after(self, perhaps_applied: bool) -> Self {
        Self { perhaps_applied: self.perhaps_applied || perhaps_applied, ..self }
    }
}

impl Driver {
    /// A driver for `dialect`.
    pub fn new(
        dialect: Box<dyn Dialect>,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        keeper: Arc<dyn Keeper>,
        credentials: Credentials,
        settings: Settings,
    ) -> Self {
        dialect.based(&settings.api_base);
        let budget = Budget::new(&dialect.capabilities().limits, settings.reserve);
        Self {
            dialect,
            transport,
            clock,
            keeper,
            leave: None,
            budget,
            credentials: tokio::sync::Mutex::new(credentials),
            buying: tokio::sync::Mutex::default(),
            bought: AtomicU64::new(0),
            api_base: Mutex::new(settings.api_base.clone()),
            settings,
            spent: Mutex::new(Spent::default()),
            offset: Mutex::default(),
            schemas: Mutex::new(HashMap::new()),
            rest: Mutex::default(),
            kept: AtomicU64::new(0),
        }
    }

    /// The same, asking for leave before each request.
    #[must_use]
    pub fn asking(self, leave: Arc<dyn Leave>) -> Self {
        Self { leave: Some(leave), ..self }
    }

    /// The account's rate budget.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

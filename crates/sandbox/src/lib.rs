//! Local CRM APIs, as strict as the real ones: the world, its clock, its limits, its faults.
//!
//! A sandbox is a function: [`Sandbox::handle`] takes a request and the time and gives a reply and
//! the webhook deliveries that follow from it. [`http`] puts that function behind a socket; tests and
//! the demo call it directly. It is written from the platforms' documentation and knows nothing of
//! the client in this workspace, so that client and sandbox cannot share a misreading.
//!
//! Invariants:
//! - Same world, same seed, same requests at the same times: the same replies, byte for byte.
//! - Every request and every change of state stands in the journal, also those whose reply was lost.
//! - Deliberately absent: wall clock, sleeping, and any type of the client.

pub mod activecampaign;
mod csv_text;
mod drawn;
pub mod dynamics;
pub mod faults;
pub mod http;
pub mod hubspot;
pub mod journal;
mod multipart;
pub mod persist;
pub mod pipedrive;
mod registry;
pub mod salesforce;
pub mod sample;
mod world_error;
pub mod zoho;

pub use registry::{Refused, world};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde_json::Value as Json;

use crate::faults::{FaultPlan, Interference};
use crate::journal::{Change, Journal, Keep};
use crate::persist::{Log, PersistError};

/// What a query cannot hold as it is (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An HTTP request as the sandbox sees it. Header names are lower case.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Request {
    /// `GET`, `POST`, ...
    pub method: String,
    /// The path without the query, percent-encoded as sent, beginning with `/`.
    pub path: String,
    /// The query, decoded, in the order sent.
    pub query: Vec<(String, String)>,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as sent.
    pub body: Vec<u8>,
}

/// An HTTP reply. Header names are lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// How the shell delivers a reply: a fault may lose it or cut it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The whole reply.
    Whole(Reply),
    /// Status and headers promise the whole body; the connection closes after `bytes` of it.
    Cut {
        /// The reply that would have been sent.
        reply: Reply,
        /// How much of the body is sent.
        bytes: usize,
    },
    /// No reply ever comes: the client runs into its time-out.
    Silence,
}

/// A webhook delivery that follows from a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Where the subscriber wants it.
    pub url: String,
    /// Headers, signature included. Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body: JSON, or a text that is sent as it is (a form).
    pub body: Json,
}

/// What one request brought about.
#[derive(Clone, Debug)]
pub struct Handled {
    /// What the client gets.
    pub delivery: Delivery,
    /// How long the reply is held back, in milliseconds (a fault; 0 without).
    pub delay_ms: u64,
    /// Webhook deliveries that follow.
    pub events: Vec<Event>,
}

/// What a platform's world does with one request that no fault stopped.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The reply.
    pub reply: Reply,
    /// Every change of state, for the journal.
    pub changes: Vec<Change>,
    /// Webhook deliveries.
    pub events: Vec<Event>,
}

/// One platform's API over its world.
pub trait Platform: Send {
    /// The platform's name as the project file writes it: `pipedrive`, `hubspot`.
    fn name(&self) -> &'static str;

    /// Answers one request. `interference` is what the fault plan wants done *inside* the request
    /// (half a batch applied, say); platforms apply what fits the route and ignore the rest.
    fn handle(&mut self, request: &Request, now: Timestamp, interference: &Interference) -> Outcome;

    /// The platform's own body and headers for a fault that the shell invents (429, 5xx, expired token).
    fn fault_reply(&self, fault: &faults::Invented, now: Timestamp) -> Reply;

    /// Changes the world behind the client's back (a record edited or deleted between two pages).
    fn disturb(&mut self, disturbance: &faults::Disturbance, now: Timestamp) -> Vec<Change>;

    /// What a client needs to begin: `{"token": ..., ...}`; merged into the ready line of the shell.
    fn credentials(&self) -> Json;

    /// The whole world as a world file (the shape that loading accepts).
    fn world(&self) -> Json;

    /// Switches rate limits and daily budgets on or off.
    fn set_limits(&mut self, real: bool);

    /// What the last request cost in the platform's own units (API calls, tokens), for the journal.
    fn cost(&self) -> u64 {
        1
    }

    /// Whether the request's credential is one that a client can refresh (OAuth): an expired one
    /// then stays refused until the client brings another.
    fn refreshable(&self, _request: &Request) -> bool {
        false
    }

    /// Whether the request may change the world, and so must be in the log of a persistent sandbox.
    /// Reads that are sent as `POST` may be left out; anything that draws an id or a token may not.
    fn changes_state(&self, request: &Request) -> bool {
        !matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    /// Webhook deliveries that follow from disturbances since the last call.
    fn take_events(&mut self) -> Vec<Event> {
        Vec::new()
    }

    /// Learns what became of a webhook delivery (`status`: none when no answer came; `attempt` from 1)
    /// and says when to try what again.
    fn delivered(&mut self, _event: &Event, _attempt: u32, _status: Option<u16>, _now: Timestamp) -> Option<Retry> {
        None
    }
}

/// A webhook delivery to try again.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// After how long, in milliseconds.
    pub after_ms: u64,
    /// What to send then.
    pub event: Event,
}

/// A platform with its fault plan and its journal.
pub struct Sandbox {
    platform: Box<dyn Platform>,
    faults: FaultPlan,
    journal: Journal,
    log: Option<Log>,
}

impl Sandbox {
    /// A sandbox over `platform`, without faults, with an empty journal, kept in memory only (see
    /// [`persist::open`] for one that lives in a folder).
    pub fn new(platform: Box<dyn Platform>) -> Self {
        Self { platform, faults: FaultPlan::default(), journal: Journal::default(), log: None }
    }

    /// Replaces the fault plan; request counting starts anew.
    pub fn set_faults(&mut self, faults: FaultPlan) {
        self.faults = faults;
    }

    /// Replaces the journal by an empty one that keeps so much.
    pub fn set_journal(&mut self, keep: Keep) {
        self.journal = Journal::keeping(keep);
    }

    /// The platform, to read or to prepare its world.
    pub fn platform(&self) -> &dyn Platform {
        self.platform.as_ref()
    }

    /// The platform, to change its settings. A persistent sandbox needs a [`Self::snapshot`] afterwards.
    pub fn platform_mut(&mut self) -> &mut dyn Platform {
        self.platform.as_mut()
    }

    /// Every request and every change of state so far.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Answers one request at `now`, which the plan's clock may tell otherwise: the fault plan first, then the platform; all of it journalled.
    pub fn handle(&mut self, request: &Request, now: Timestamp) -> Handled {
        let Self { platform, faults, journal, log } = self;
        let now = faults.time(now);
        faults::handle(platform.as_mut(), faults, journal, log.as_mut(), request, now)
    }

    /// Changes the world behind the client's back; journalled and, if persistent, logged. Gives the
    /// webhook deliveries that follow.
    pub fn disturb(&mut self, disturbance: &faults::Disturbance, now: Timestamp) -> Vec<Event> {
        let Self { platform, faults, journal, log } = self;
        let now = faults.time(now);
        faults::disturb(platform.as_mut(), journal, log.as_mut(), disturbance, now)
    }

    /// Folds the log of a persistent sandbox into its world file; does nothing without a folder.
    pub fn snapshot(&mut self) -> Result<(), PersistError> {
        if let Some(log) = &self.log {
            let dir = log.dir().to_owned();
            self.log = Some(persist::begin(&dir, self.platform.as_ref())?);
        }
        Ok(())
    }

    /// Why the log of a persistent sandbox could not be written, if so: then answers are not durable.
    pub fn log_failure(&self) -> Option<&std::io::Error> {
        self.log.as_ref().and_then(Log::failure)
    }
}

impl Request {
    /// A request without query, headers and body.
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), query: vec![], headers: vec![], body: vec![] }
    }

    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first query parameter of this name.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The same request with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same request with one more query parameter.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// The same request with a JSON body and its content type.
    #[must_use]
    pub fn with_json(mut self, body: &Json) -> Self {
        self.body = body.to_string().into_bytes();
        self.with_header("content-type", "application/json")
    }
}

impl Reply {
    /// A JSON reply.
    pub fn json(status: u16, body: &impl serde::Serialize) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "application/json; charset=utf-8".into())],
            body: serde_json::to_vec(body).unwrap_or_default(),
        }
    }

    /// An HTML reply.
    pub fn html(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "text/html; charset=utf-8".into())],
            body: body.as_bytes().to_vec(),
        }
    }

    /// Sends a browser back to an app, with this query behind what its address has.
    pub(crate) fn back_to(address: &str, query: &[(&str, &str)]) -> Self {
        let encoded = |text: &str| percent_encoding::utf8_percent_encode(text, RESERVED).to_string();
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let joint = if address.contains('?') { '&' } else { '?' };
        let location = format!("{address}{joint}{}", query.join("&"));
        Self { status: 302, headers: Vec::new(), body: Vec::new() }.with_header("location", location)
    }

    /// The same reply with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` when it is none.
    pub fn body_json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Handled {
    /// The reply that arrived whole; none when a fault lost or cut it.
    pub fn reply(&self) -> Option<&Reply> {
        match &self.delivery {
            Delivery::Whole(reply) => Some(reply),
            Delivery::Cut { .. } | Delivery::Silence => None,
        }
    }
}

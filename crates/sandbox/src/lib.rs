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

pub mod faults;
pub mod http;
pub mod hubspot;
pub mod journal;
pub mod persist;
pub mod pipedrive;
pub mod sample;

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::faults::{FaultPlan, Interference};
use crate::journal::{Change, Journal};

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
    /// The JSON body.
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
}

/// A platform with its fault plan and its journal.
pub struct Sandbox {
    platform: Box<dyn Platform>,
    faults: FaultPlan,
    journal: Journal,
}

impl Sandbox {
    /// A sandbox over `platform`, without faults, with an empty journal.
    pub fn new(platform: Box<dyn Platform>) -> Self {
        Self { platform, faults: FaultPlan::default(), journal: Journal::default() }
    }

    /// Replaces the fault plan; request counting starts anew.
    pub fn set_faults(&mut self, faults: FaultPlan) {
        self.faults = faults;
    }

    /// The platform, to read or to prepare its world.
    pub fn platform(&self) -> &dyn Platform {
        self.platform.as_ref()
    }

    /// The platform, to change its settings.
    pub fn platform_mut(&mut self) -> &mut dyn Platform {
        self.platform.as_mut()
    }

    /// Every request and every change of state so far.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Answers one request at `now`: the fault plan first, then the platform; all of it journalled.
    pub fn handle(&mut self, request: &Request, now: Timestamp) -> Handled {
        faults::handle(self.platform.as_mut(), &mut self.faults, &mut self.journal, request, now)
    }
}

impl Reply {
    /// A JSON reply.
    pub fn json(status: u16, body: &Json) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "application/json; charset=utf-8".into())],
            body: body.to_string().into_bytes(),
        }
    }

    /// The same reply with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

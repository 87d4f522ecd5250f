//! What went wrong at a system, as a decision.

use std::fmt;

use handover_model::FieldName;
use jiff::Timestamp;

/// What can be done about a fault. The engine's policy is one exhaustive `match` over these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum FaultKind {
    /// Too many calls. See [`Detail::limited`].
    Limited,
    /// The system does not answer, or says that it cannot now.
    Unavailable,
    /// The credentials are not accepted.
    Auth,
    /// The credentials are accepted and do not suffice: a scope, a right, a plan's ceiling.
    Denied,
    /// The record, object or field does not exist.
    NotFound,
    /// It clashes with another record: a unique value that is taken.
    Conflict,
    /// The request or a value in it is not acceptable.
    Invalid,
    /// The platform cannot do this at all. Nothing was sent.
    Unsupported,
    /// The answer is not what the platform's documentation says.
    Malformed,
}

/// Which limit was met, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limited {
    /// The limit's name in the capabilities; empty when the platform did not say which.
    pub limit: &'static str,
    /// Whether it is the day's allowance: waiting seconds is no use.
    pub daily: bool,
    /// When the platform said that calls are welcome again.
    pub until: Option<Timestamp>,
    /// How long the platform asked to wait, in milliseconds.
    pub wait_ms: Option<u64>,
}

/// A system's refusal or failure. Values of records never stand in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What can be done about it.
    pub kind: FaultKind,
    /// The platform's own code (`PROPERTY_DOESNT_EXIST`), or the HTTP status as text.
    pub code: String,
    /// The platform's sentence, values taken out.
    pub message: String,
    /// The field that it names.
    pub field: Option<FieldName>,
    /// The HTTP status, 0 when there was no reply.
    pub status: u16,
    /// What only some faults have, kept aside so that a result with a fault stays small.
    pub detail: Box<Detail>,
}

/// What only some faults have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// The platform's id of the request, for its support.
    pub request_id: Option<String>,
    /// Details of a met limit, or how long the platform asks to wait.
    pub limited: Option<Limited>,
    /// Ids of records that the platform names as clashing.
    pub clashing: Vec<String>,
    /// Whether the platform is known to refuse so now and then without a reason: nothing was applied, and it is asked
    /// again a few times before it is believed.
    pub passing: bool,
}

impl Fault {
    /// A fault of `kind`.
    pub fn new(kind: FaultKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into(), field: None, status: 0, detail: Box::default() }
    }

    /// An answer that does not look as documented.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Malformed, "malformed", message)
    }

    /// Something that the platform cannot do.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Unsupported, "unsupported", message)
    }

    /// The same fault with the HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same fault, naming a field.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<FieldName>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Whether it is the day's allowance that is used up.
    pub fn is_daily_limit(&self) -> bool {
        self.detail.limited.as_ref().is_some_and(|limited| limited.daily)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if !self.code.is_empty() {
            write!(f, " ({})", self.code)?;
        }
        if let Some(id) = &self.detail.request_id {
            write!(f, " [request {id}]")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

//! A platform, as text in and text out.

use std::path::PathBuf;

use handover_model::{Account, Automation, Event, Field, FieldName, ObjectName, Record, Schema, User};
use jiff::Timestamp;

use crate::door::{DeviceCode, Door};
use crate::{
    Capabilities, Change, Charge, Credentials, Cursor, Fault, FaultKind, Fed, LinkOutcome, Operation, Subscription,
    Token, Written,
};

/// What one platform says and understands.
///
/// Invariant: pure. No socket, clock, randomness or sleep, so that every rule of a platform is
/// testable as text in, text out. State that describing needs again while writing (which custom field
/// has which type) is given in at construction or learnt through [`Dialect::learn`].
pub trait Dialect: Send + Sync {
    /// What the platform can do.
    fn capabilities(&self) -> &Capabilities;

    /// The objects that this dialect knows of itself; those that a customer made are told by [`Operation::Objects`].
    fn objects(&self) -> Vec<ObjectName>;

    /// The request for an operation, or for its continuation at `cursor`.
    fn encode(&self, operation: &Operation, cursor: Option<&Cursor>) -> Result<Request, Refusal>;

    /// What a reply means. Called for every status; a fault is decided here.
    fn decode(&self, operation: &Operation, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault>;

    /// Puts the credentials on a request.
    fn authorize(&self, request: &mut Request, credentials: &Credentials);

    /// What a reply's headers tell of the limits: the limit's name, how much it allows in all (if told),
    /// how much remains. Empty where they tell nothing.
    fn limits_told(&self, _reply: &Reply) -> Vec<LimitTold> {
        Vec::new()
    }

    /// What a delivery of the platform's webhooks tells, after its signature or credentials were checked. What it
    /// says of values is not read: records are fetched anew.
    ///
    /// # Errors
    /// A fault of kind [`FaultKind::Auth`] when it is not from the platform or too old, [`FaultKind::Malformed`]
    /// when it cannot be read, [`FaultKind::Unsupported`] when the platform sends none.
    fn events(&self, _delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
        Err(Fault::unsupported("no webhooks of this platform are received: what changed is found by reading"))
    }

    /// What to register at the platform so that it tells what happens to an object's records, in its own words;
    /// `fields` are those whose changes matter. Empty where it tells nothing.
    fn subscriptions(&self, _object: &ObjectName, _fields: &[FieldName]) -> Vec<String> {
        Vec::new()
    }

    /// Takes note of a schema: dialects whose values need the field types to be read or written keep it.
    fn learn(&self, _schema: &Schema) {}

    /// How people let an app in.
    fn door(&self) -> &'static Door {
        &Door::TOKEN
    }

    /// The scopes, in the platform's own names, without which these objects cannot be read, or written too where it is
    /// said. None where an app has no scopes of its own.
    fn scopes(&self, _objects: &[(ObjectName, bool)]) -> Vec<String> {
        Vec::new()
    }

    /// Takes note of where the API is, before anything is asked: some platforms sell tokens for an address.
    fn based(&self, _api_base: &str) {}
}

/// A request that claims to come from a platform.
#[derive(Clone, Copy)]
pub struct Delivery<'d> {
    /// The method, in capitals.
    pub method: &'d str,
    /// The address as the platform called it, with scheme, host, path and query.
    pub address: &'d str,
    /// Headers, names in lower case.
    pub headers: &'d [(String, String)],
    /// The body's bytes as they came.
    pub body: &'d [u8],
    /// What the sender must know: the app's client secret, or `user:password`.
    pub secret: &'d str,
    /// When it arrived.
    pub at: Timestamp,
}

/// One limit as a reply's headers tell it.
pub type LimitTold = (&'static str, Option<u64>, Option<u64>);

/// Why nothing was sent: what is asked for is beyond the platform, or a value is of no use to it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// [`FaultKind::Unsupported`] for what the platform cannot do, [`FaultKind::Invalid`] for a value.
    pub kind: FaultKind,
    /// The field whose value is refused, or which cannot be read or written.
    pub field: Option<FieldName>,
    /// In words, without the value.
    pub message: String,
}

impl Refusal {
    /// Something that the platform cannot do.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self { kind: FaultKind::Unsupported, field: None, message: message.into() }
    }

    /// A platform that does not tell what happened since an earlier reading ([`Operation::Feed`]).
    pub fn no_feed(object: &ObjectName) -> Self {
        Self::unsupported(format!("what happened to `{object}` since an earlier reading is not told"))
    }

    /// A value that the platform would not take.
    pub fn invalid(field: impl Into<FieldName>, message: impl Into<String>) -> Self {
        Self { kind: FaultKind::Invalid, field: Some(field.into()), message: message.into() }
    }

    /// The same refusal, naming a field.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<FieldName>) -> Self {
        self.field = Some(field.into());
        self
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let Refusal { kind, field, message } = refusal;
        let code = if kind == FaultKind::Invalid { "not_sent" } else { "unsupported" };
        Self { field, ..Self::new(kind, code, message) }
    }
}

/// The HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

/// Which of a platform's hosts a request goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// The API.
    Api,
    /// The token endpoint.
    Oauth,
    /// A whole address that the platform gave (a signed download address). Credentials are not sent
    /// there unless it is on the API's own origin.
    Given(String),
}

/// A request's body.
#[derive(Clone, Debug)]
pub enum Body {
    /// None.
    Empty,
    /// JSON text.
    Json(Vec<u8>),
    /// A form.
    Form(Vec<(String, String)>),
    /// A multipart form; a part may be a staged file.
    Multipart(Vec<Part>),
    /// Anything else, piece by piece; a piece may be a staged file.
    Pieces {
        /// The media type.
        kind: String,
        /// What follows on what.
        pieces: Vec<Piece>,
    },
}

/// One piece of a body.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Bytes as they are.
    Text(String),
    /// A staged file in Base64, streamed.
    Base64 {
        /// Where the bytes are.
        path: PathBuf,
        /// Their number.
        bytes: u64,
    },
}

/// Where a successful reply's body goes instead of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// The file.
    pub path: PathBuf,
    /// Whether the reply is Base64, and the file gets what it stands for.
    pub is_base64: bool,
}

impl Sink {
    /// A file that gets a reply's bytes as they are.
    pub fn of(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), is_base64: false }
    }
}

/// One part of a multipart form.
#[derive(Clone, Debug)]
pub enum Part {
    /// A plain field.
    Text {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A part that is JSON and says so.
    Json {
        /// Its name.
        name: String,
        /// Its text.
        value: String,
    },
    /// A staged file, streamed.
    File {
        /// The field's name.
        name: String,
        /// The file name that the platform shall know.
        file_name: String,
        /// Where the bytes are.
        path: PathBuf,
        /// Their number.
        bytes: u64,
    },
}

/// A request, free of base address and credentials.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The host.
    pub host: Host,
    /// The path, beginning with `/`.
    pub path: String,
    /// The query, not encoded.
    pub query: Vec<(String, String)>,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// Whether sending it twice does no harm.
    pub idempotent: bool,
    /// The limits that it counts against.
    pub charges: Vec<Charge>,
    /// Where a successful reply's body is streamed to, for downloads.
    pub sink: Option<Sink>,
    /// Whether the path holds a value of the customer's (a file's name), so that it enters no log.
    pub private_path: bool,
}

/// A reply.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; empty when it went to the request's sink.
    pub body: Vec<u8>,
    /// What went to the sink.
    pub sunk: Option<handover_model::Content>,
}

/// What a reply means for its operation.
#[derive(Clone, Debug)]
pub enum Step {
    /// Go on with the same operation at this cursor, after waiting this long.
    Then {
        /// Where to go on.
        cursor: Cursor,
        /// How long to wait first, in milliseconds (a job that is polled).
        wait_ms: u64,
        /// What failed and is gone about in another way now; told in the log.
        instead_of: Option<Fault>,
    },
    /// Records, and where to go on. Answers `List`, `Fetch`, `Enrich`, `Candidates`.
    Page {
        /// The records.
        records: Vec<Record>,
        /// Where the next page begins; `None` at the end.
        next: Option<Cursor>,
    },
    /// A page out of a reply that has more of them: the driver keeps the reply for the next one. Answers `List`.
    Part {
        /// The records.
        records: Vec<Record>,
        /// Where the rest of the reply begins. The request there brings the same reply again, for whoever has not kept it.
        rest: Cursor,
    },
    /// Answers `Feed`.
    Fed(Fed),
    /// Answers `Account`.
    Account(Account),
    /// Answers `Objects`.
    Objects(Vec<ObjectName>),
    /// Answers `Describe`.
    Schema(Schema),
    /// Answers `Users`.
    Users {
        /// The users.
        users: Vec<User>,
        /// Where the next page begins.
        next: Option<Cursor>,
    },
    /// Answers `Automations`.
    Automations(Vec<Automation>),
    /// Answers `Count`.
    Count(u64),
    /// Answers `Write`, `Delete` and `Merge`: one for each write, joined by `trace`, never by position.
    Written(Vec<Written>),
    /// Answers `Link` and `Unlink`.
    Linked(Vec<LinkOutcome>),
    /// Answers `History`: at most one change for each record and field.
    History(Vec<Change>),
    /// Answers `Download`: the bytes are in the sink.
    Downloaded,
    /// Answers `CreateField`.
    Field(Field),
    /// Answers `Subscriptions`.
    Subscriptions {
        /// Those of the page.
        subscriptions: Vec<Subscription>,
        /// Where the next page begins.
        next: Option<Cursor>,
    },
    /// Answers `Refresh`.
    Token(Token),
    /// Answers `Device`.
    Device(DeviceCode),
}

impl Request {
    /// A request to the API, idempotent when it is a GET, without a body.
    pub fn new(method: Method, path: impl Into<String>, charges: &[Charge]) -> Self {
        Self {
            method,
            host: Host::Api,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::Empty,
            idempotent: method == Method::Get,
            charges: charges.to_vec(),
            sink: None,
            private_path: false,
        }
    }

    /// The same request with one more query parameter.
    #[must_use]
    pub fn with_query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// The same request with a JSON body.
    #[must_use]
    pub fn with_json(mut self, body: Vec<u8>) -> Self {
        self.body = Body::Json(body);
        self
    }

    /// The same request, whose path holds a value of the customer's.
    #[must_use]
    pub fn with_private_path(mut self) -> Self {
        self.private_path = true;
        self
    }

    /// The same request, safe to send twice.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }
}

impl Reply {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }
}

//! The connector contract: what the engine asks of a system, and the one HTTP driver behind it.
//!
//! A platform is a [`Dialect`]: text in, text out, no socket, clock, sleep or randomness. The
//! [`Driver`] acts for all of them: credentials, rate budget, waiting, paging, counting of calls.
//! The engine sees only a [`Connector`].
//!
//! Invariants:
//! - A request that is not idempotent and whose answer was lost is never sent again from here: its
//!   records come back as [`WriteOutcome::Unknown`].
//! - No request leaves without a place in the budget of every limit that it is charged to.
//! - Tokens and bodies appear in no error and no log line.

mod assertion;
mod budget;
mod capabilities;
mod clock;
mod connector;
mod credentials;
mod dialect;
mod door;
mod driver;
mod fault;
mod operation;
mod pieces;
mod policy;
mod subscribe;
mod transport;

pub use budget::{Budget, Flight, Spent};
pub use capabilities::{
    Bulk, Capabilities, Charge, Count, CustomObjects, Ending, Limit, Links, Lookup, Named, ObjectCapabilities, Span,
    Upsert,
};
pub use clock::{Clock, SystemClock, VirtualClock};
pub use connector::{Connector, Fed, Page};
pub use credentials::{Agreement, Credentials, Exchange, Keeper, NoKeeper, Token};
pub use dialect::{Body, Delivery, Dialect, Host, LimitTold, Method, Part, Piece, Refusal, Reply, Request, Sink, Step};
pub use door::{Address, Ask, DeviceCode, Door, Proof, Renewal, Way, listed, same};
pub use driver::{Driver, Settings};
pub use fault::{Detail, Fault, FaultKind, Limited};
pub use handover_model::{Event, Happened};
pub use operation::{
    Author, Change, Cursor, Link, LinkBatch, LinkOutcome, Operation, Read, Which, Write, WriteBatch, WriteMode,
    WriteOutcome, Written,
};
pub use pieces::{Chunks, Decoder, joined};
pub use subscribe::{Subscribe, Subscription, Wanted, without_query};
pub use transport::{HttpTransport, Leave, Lost, Transport, WireReply, WireRequest};

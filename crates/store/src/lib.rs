//! Durable state: ledger, crosswalk, staged records, bases, intents, holds. SQLite beside the project,
//! or PostgreSQL.
//!
//! Invariants:
//! - A [`Commit`] is applied whole or not at all, and when `commit` returned it survives a power cut.
//! - There is one writer: whoever opened the store. Others may read (`Store::open_reading`). In PostgreSQL it has a
//!   lease, and whoever was succeeded commits nothing more.
//! - A ledger row never changes, except that values (not their digests) can be erased.
//! - A network call is never made while a transaction is open: nothing here knows the network.
//! - Deliberately absent: a clock (instants are told by the caller; only a lease measures how old it is), decisions,
//!   and every system's name.

mod answers;
mod apply;
mod card;
mod codec;
mod cohorts;
mod commit;
mod crosswalk;
mod database;
mod error;
mod flips;
mod fork;
mod hold_groups;
mod holds;
mod inbox;
mod kept;
mod lease;
mod ledger;
mod links;
mod location;
mod names;
mod open;
mod pass;
mod readers;
mod row;
mod rows;
mod schema;
mod staging;
mod store;
mod told;
mod vanished;
mod watermarks;

pub use cohorts::{CohortCount, CohortHolds, CohortRow};
pub use commit::{
    Block, Cared, Commit, Entry, Extraction, GivenAnswer, Identity, Intent, Item, MatchRow, Membership, PendingLink,
    RecordRow, Seq, Worked,
};
pub use error::Error;
pub use flips::Flip;
pub use hold_groups::HoldGroup;
pub use holds::{Child, HeldRow, HoldCursor, HoldFilter};
pub use inbox::{Hint, Received};
pub use lease::{Claim, Holder, Lease, Predecessor};
pub use ledger::{EntryRow, Head, Told, Verified};
pub use location::Location;
pub use open::{private_file, private_folder};
pub use pass::Pass;
pub use staging::DuplicateGroup;
pub use store::{Fuse, Moment, Store};
pub use told::{Telling, Values, Words};
pub use vanished::{Fate, Lookout, Vanished};
pub use watermarks::Watermark;

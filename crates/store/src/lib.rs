//! Durable state: ledger, crosswalk, staged records, bases, intents, holds. SQLite beside the project,
//! or PostgreSQL.

mod commit;

pub use commit::{
    Block, Commit, Entry, Extraction, GivenAnswer, Identity, Intent, Item, MatchRow, Membership, PendingLink,
    RecordRow, Seq,
};

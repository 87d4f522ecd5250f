//! The store through its public doors: every test on SQLite and on PostgreSQL.
//!
//! PostgreSQL is named by `HANDOVER_TEST_POSTGRES` (a URL of a database where schemas may be made). Where
//! there is none, `HANDOVER_TEST_NO_POSTGRES=1` says so; without either its tests fail, so that they
//! cannot vanish unnoticed.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]

mod scene;

mod cohorts;
mod crash;
mod crosswalk;
mod flips;
mod forks;
mod holds;
mod inbox;
mod intents;
mod lease;
mod ledger;
mod links;
mod opening;
mod passes;
mod random;
mod rows;
mod staging;
mod tamper;
mod vanished;

//! Tests through the library's public doors.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "figures and seeds of long tests")]

mod both_ways;
mod bulk;
mod cases;
mod changes;
mod cli;
mod clocks;
mod cohorts;
mod config;
mod connect;
mod crash;
mod crash_postgres;
mod crash_stops;
mod csv;
mod faults;
mod feeds;
mod flips;
mod hub;
mod init;
mod kill;
mod large_lists;
mod leads;
mod manual;
mod products;
mod products_salesforce;
mod reconcile;
mod refused_fields;
mod released;
mod rig;
mod serve;
mod unlinking;
mod vanish;

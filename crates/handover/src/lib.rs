//! Handover as a library: what the binary is made of, so that tests enter through the same doors.

mod alerts;
pub mod cli;
pub mod config;
pub mod init;
pub mod kept;
pub mod problem;
mod worker;

/// Records are many small texts: the system's allocator spends a fifth of all time on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

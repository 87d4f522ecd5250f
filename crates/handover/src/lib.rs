//! Handover as a library: what the binary is made of, so that tests enter through the same doors.

pub mod cli;
pub mod config;
pub mod init;
pub mod problem;

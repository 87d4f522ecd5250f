//! The driver and its budget, through their public doors.

#![expect(clippy::unwrap_used, reason = "a surprise is a failed test")]

mod budget;
mod parts;
mod tokens;
mod waiting;

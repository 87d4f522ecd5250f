//! The driver and its budget, through their public doors.

#![expect(clippy::unwrap_used, reason = "a surprise is a failed test")]

mod budget;
mod tokens;
mod waiting;

//! Tests through the library's public doors.

mod config;

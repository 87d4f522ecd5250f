//! The sandbox through its public doors.

mod sample;

//! The sandbox through its public doors.

mod sample;
mod sample_hubspot;
mod sample_portal;

//! The dialects, through their public doors.

mod conformance;
mod hubspot;
mod pipedrive;
mod pipedrive_sandbox;

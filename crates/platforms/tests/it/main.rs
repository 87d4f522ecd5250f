//! The dialects, through their public doors.

mod hubspot;
mod pipedrive;
mod pipedrive_sandbox;

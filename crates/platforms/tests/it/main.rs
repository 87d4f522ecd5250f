//! The dialects, through their public doors.

mod hubspot;
mod pipedrive;

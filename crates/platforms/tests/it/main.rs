//! The dialects, through their public doors.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod activecampaign;
mod conformance;
mod dynamics;
mod hubspot;
mod lists;
mod pipedrive;
mod pipedrive_sandbox;
mod salesforce;
mod zoho;

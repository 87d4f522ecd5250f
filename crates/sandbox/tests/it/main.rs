//! The sandbox through its public doors.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]

mod activecampaign;
mod core_faults;
mod core_http;
mod core_persist;
mod dynamics;
mod hubspot;
mod pipedrive;
mod pipedrive_limits;
mod pipedrive_mail;
mod pipedrive_paging;
mod pipedrive_records;
mod pipedrive_strict;
mod pipedrive_webhooks;
mod salesforce;
mod sample;
mod sample_api;
mod sample_hubspot;
mod sample_mail;
mod sample_portal;
mod zoho;

//! The platforms: the only part of the suite that knows them by name.

pub(super) mod activecampaign;
pub(super) mod dynamics;
pub(super) mod hubspot;
pub(super) mod pipedrive;
pub(super) mod salesforce;
pub(super) mod zoho;

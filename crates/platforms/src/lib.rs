//! One dialect per CRM platform: text in, text out.
//!
//! Every platform is a folder with the same files in it; no folder knows another. What a dialect needs from
//! outside (credentials, time, sockets) the driver brings.

pub mod activecampaign;
mod deliveries;
pub mod dynamics;
pub mod hubspot;
mod jobs;
mod json;
mod keys;
mod learnt;
mod marks;
mod oauth;
pub mod pipedrive;
pub mod salesforce;
mod values;
pub mod zoho;

use handover_connect::Dialect;

/// What the registry knows of a platform.
pub struct Platform {
    /// The name that project files use.
    pub name: &'static str,
    /// Where its API is, unless the project says otherwise; empty where the project must say it.
    pub api_base: &'static str,
    /// Where its tokens are bought, unless the project says otherwise.
    pub oauth_base: &'static str,
    /// Where people agree, unless that is where tokens are bought.
    pub page_base: Option<&'static str>,
    /// Makes its dialect.
    pub dialect: fn() -> Box<dyn Dialect>,
}

impl Platform {
    /// Whether tokens are sold at another address than the API's, which each account has for itself.
    pub fn sells_elsewhere(&self) -> bool {
        self.api_base.is_empty() && !self.oauth_base.is_empty()
    }
}

/// Every platform, one line each.
pub const PLATFORMS: [Platform; 6] = [
    Platform {
        name: "activecampaign",
        // Each account has an address of its own (sheet: ActiveCampaign section 1 [doc]).
        api_base: "",
        oauth_base: "",
        page_base: None,
        dialect: || Box::new(activecampaign::ActiveCampaign::new()),
    },
    Platform {
        name: "dynamics",
        // Each environment has an address of its own (sheet: Dynamics section 2). An app that acts for itself buys its
        // tokens at the address of its tenant, which the project says; users may at that of all tenants (section 1).
        api_base: "",
        oauth_base: "https://login.microsoftonline.com/organizations",
        page_base: None,
        dialect: || Box::new(dynamics::Dynamics::new()),
    },
    Platform {
        name: "hubspot",
        api_base: "https://api.hubapi.com",
        oauth_base: "https://api.hubapi.com",
        // sheet: HubSpot section 1 [spec, doc]
        page_base: Some("https://app.hubspot.com"),
        dialect: || Box::new(hubspot::HubSpot::new()),
    },
    Platform {
        name: "pipedrive",
        api_base: "https://api.pipedrive.com",
        oauth_base: "https://oauth.pipedrive.com",
        page_base: None,
        dialect: || Box::new(pipedrive::Pipedrive::new()),
    },
    Platform {
        name: "salesforce",
        // Every organization has an address of its own, which comes with its tokens.
        api_base: "https://login.salesforce.com",
        oauth_base: "https://login.salesforce.com",
        page_base: None,
        dialect: || Box::new(salesforce::Salesforce::new()),
    },
    Platform {
        name: "zoho",
        // That of the United States; other data centres tell theirs with the tokens, which are bought there.
        api_base: "https://www.zohoapis.com",
        oauth_base: "https://accounts.zoho.com",
        page_base: None,
        dialect: || Box::new(zoho::Zoho::new()),
    },
];

/// A platform by the name that project files use.
pub fn platform(name: &str) -> Option<&'static Platform> {
    PLATFORMS.iter().find(|platform| platform.name == name)
}

/// The dialect of a platform, by the name that project files use; `None` when there is none.
pub fn dialect(name: &str) -> Option<Box<dyn Dialect>> {
    platform(name).map(|platform| (platform.dialect)())
}

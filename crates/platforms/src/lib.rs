//! One dialect per CRM platform: text in, text out.
//!
//! Every platform is a folder with the same files in it; no folder knows another. What a dialect needs from
//! outside (credentials, time, sockets) the driver brings.

pub mod hubspot;
pub mod pipedrive;

use handover_connect::Dialect;

/// The dialect of a platform, by the name that project files use; `None` when there is none.
pub fn dialect(platform: &str) -> Option<Box<dyn Dialect>> {
    match platform {
        "hubspot" => Some(Box::new(hubspot::HubSpot::new())),
        "pipedrive" => Some(Box::new(pipedrive::Pipedrive::new())),
        _ => None,
    }
}

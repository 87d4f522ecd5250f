//! The platforms that there are, one line each.

use serde_json::Value as Json;

use crate::Platform;
use crate::activecampaign::ActiveCampaign;
use crate::dynamics::Dynamics;
use crate::hubspot::Hubspot;
use crate::pipedrive::Pipedrive;
use crate::salesforce::Salesforce;
use crate::zoho::Zoho;

/// Why there is no such world.
pub type Refused = Box<dyn std::error::Error + Send + Sync>;

/// A platform's world: from a world file, or empty.
///
/// # Errors
/// When there is no sandbox for the platform, or it refuses the world.
pub fn world(platform: &str, world: Option<Json>, seed: u64) -> Result<Box<dyn Platform>, Refused> {
    /// Reads a world, or begins one.
    macro_rules! of {
        ($platform:ident) => {
            match world {
                Some(world) => Box::new($platform::from_world(world, seed)?),
                None => Box::new($platform::empty(seed)),
            }
        };
    }
    Ok(match platform {
        "activecampaign" => of!(ActiveCampaign),
        "dynamics" => of!(Dynamics),
        "hubspot" => of!(Hubspot),
        "pipedrive" => of!(Pipedrive),
        "salesforce" => of!(Salesforce),
        "zoho" => of!(Zoho),
        _ => return Err(format!("there is no sandbox for `{platform}`").into()),
    })
}

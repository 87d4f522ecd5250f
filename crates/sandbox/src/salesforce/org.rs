//! The organization itself: its id, its name, where it lives.

use serde::{Deserialize, Serialize};

/// What the organization is (sheet: section 1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Org {
    /// The organization's id, 18 characters.
    pub(super) id: String,
    pub(super) name: String,
    /// `Developer Edition`, `Enterprise Edition`, ...
    #[serde(rename = "type")]
    pub(super) edition: String,
    pub(super) sandbox: bool,
    pub(super) instance: String,
    pub(super) time_zone: String,
    pub(super) locale: String,
    /// Whether records carry a currency.
    pub(super) multi_currency: bool,
    /// The newest version of the API, without `.0`.
    pub(super) version: u16,
    /// The oldest version that still answers (sheet: section 7 \[doc\]: 410 below).
    pub(super) oldest_version: u16,
}

impl Default for Org {
    fn default() -> Self {
        Self {
            id: super::id::mint("00D", 1),
            name: "Sandbox".to_owned(),
            edition: "Developer Edition".to_owned(),
            sandbox: true,
            instance: "CS420".to_owned(),
            time_zone: "America/Los_Angeles".to_owned(),
            locale: "en_US".to_owned(),
            multi_currency: false,
            version: 66,
            oldest_version: 31,
        }
    }
}

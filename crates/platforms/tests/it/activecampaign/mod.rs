//! ActiveCampaign's oddities, each through the sandbox that has it or as text.
#![expect(clippy::unwrap_used, reason = "a test that unwraps in vain has failed as it should")]

mod hooks;
mod live;

//! What the platforms are to tell, so that every change that a flow would carry is told: looked at when a server begins
//! and each few hours, since platforms end subscriptions by themselves.

use std::collections::BTreeMap;

use handover_connect::{Fault, FaultKind};
use handover_engine::Setup;
use handover_model::SystemName;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::desk::Hook;
use crate::cli::webhooks::{Standing, by_hand, wanted};
use crate::cli::{Output, failure};

/// How often is looked.
pub(super) const EVERY: SignedDuration = SignedDuration::from_hours(6);

/// Looks at each system whose webhooks are taken: renews what ends soon, and tells what nobody has registered. Gives
/// the systems that can be asked, with the number of kinds of changes that they do not tell.
pub(super) async fn keep(
    setup: &Setup,
    hooks: &BTreeMap<SystemName, Hook>,
    now: Timestamp,
    output: &Output,
) -> Vec<(SystemName, usize)> {
    let mut lacking = Vec::new();
    for (name, hook) in hooks {
        let wanted = wanted(setup, name, hook.system.as_ref());
        match kept(hook, wanted.clone(), now).await {
            Ok((untold, renewed)) => {
                output.line(&json!({"register": name, "url": hook.registered, "subscriptions": wanted,
                    "untold": untold, "renewed": renewed}));
                lacking.extend((!untold.is_empty()).then(|| (name.clone(), untold.len())));
                if untold.is_empty() {
                    output.say(&format!("Webhooks of `{name}` are registered at {}.", hook.registered));
                } else {
                    let lines: String = untold.iter().map(|one| format!("\n  {one}")).collect();
                    let how = format!("`handover webhooks register {name}` has them told");
                    output.say(&format!("Of `{name}` nobody tells {} of these; {how}:{lines}", hook.registered));
                }
            }
            Err(fault) if fault.kind == FaultKind::Unsupported => {
                output.line(&json!({"register": name, "url": hook.registered, "subscriptions": wanted}));
                output.say(&by_hand(name, &hook.registered, &wanted, &fault));
            }
            // Changes are asked for all the same.
            Err(fault) => {
                output.line(&json!({"register": name, "url": hook.registered, "subscriptions": wanted}));
                output.warn(&[failure::system(name, &fault).weighing(handover_model::Weight::Warning)]);
            }
        }
    }
    lacking
}

/// What is not told, and how much was made anew.
async fn kept(hook: &Hook, wanted: Vec<String>, now: Timestamp) -> Result<(Vec<String>, usize), Fault> {
    let url = hook.url.as_deref().ok_or_else(|| Fault::unsupported("the project file names no `url`"))?;
    let system = hook.system.as_ref();
    let standing = Standing::of(system, wanted, url, now).await?;
    let renewed = standing.renew(system, url, &hook.secret, false).await?;
    Ok((standing.untold(), renewed))
}

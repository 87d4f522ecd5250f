//! What to register at the platforms, so that they tell of every change that a flow would carry.

use std::collections::BTreeMap;

use handover_engine::Setup;
use handover_model::{FieldName, SystemName};
use serde_json::json;

use super::desk::Hook;
use crate::cli::Output;

/// Tells it for each system whose webhooks are taken, once the rules were checked.
pub(super) fn tell(setup: &Setup, hooks: &BTreeMap<SystemName, Hook>, output: &Output) {
    let watched = setup.watched();
    for (name, hook) in hooks {
        let mut wanted = Vec::new();
        for ((_, object), fields) in watched.iter().filter(|((system, _), _)| system == name) {
            let fields: Vec<FieldName> = fields.iter().cloned().collect();
            wanted.extend(hook.system.subscriptions(object, &fields));
        }
        output.say(&format!("Webhooks of `{name}` are taken at {}; registered there they should be:", hook.registered));
        for one in &wanted {
            output.say(&format!("  {one}"));
        }
        output.line(&json!({"register": name, "url": hook.registered, "subscriptions": wanted}));
    }
}

//! What a system's day has cost so far, kept in the state: whoever works on the same day goes on from it.
//!
//! Platforms that tell in each reply what is left need it for the first requests only; for the others it is
//! the only thing that keeps two runs on one day within the day's allowance. Workers that take turns hand each other
//! what stands in the windows of seconds, too.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover_connect::Connector;
use handover_model::SystemName;
use handover_store::{Commit, Store};
use jiff::{SignedDuration, Timestamp};

use crate::Error;
use crate::pass::Pass;

/// Systems by name.
type Systems = BTreeMap<SystemName, Arc<dyn Connector>>;

/// Under which name the windows of a worker that ended are kept.
const WINDOWS: &str = "windows";

/// What stands in the windows of rolling limits: by system and limit.
type Windows = BTreeMap<SystemName, BTreeMap<String, u64>>;

/// Tells systems what was spent today, and what another worker left in their windows. Call it once the accounts' time
/// zones are known, before the work, each time that the state was opened.
///
/// # Errors
/// When the state cannot be read.
pub async fn remember_spending(systems: &Systems, store: &Store, now: Timestamp) -> Result<(), Error> {
    for (name, system) in systems {
        let Some(began) = system.day_began(now) else { continue };
        let spent = store.spent_today(name, began).await?;
        system.spent_today(spent, now);
    }
    let Some(before) = store.lease().and_then(|lease| lease.predecessor().cloned()) else { return Ok(()) };
    let left: Option<Windows> = match before.gave_back {
        true => store.kept(WINDOWS).await?.and_then(|text| serde_json::from_str(&text).ok()),
        false => None,
    };
    let ago = SignedDuration::try_from(before.ago).unwrap_or(SignedDuration::MAX);
    for (name, system) in systems {
        let left = left.as_ref().map(|left| left.get(name).cloned().unwrap_or_default());
        system.others_left(left.as_ref(), ago, now);
    }
    Ok(())
}

/// Keeps what was spent since it was kept last, for whoever comes next. Passes do so with their commits; this is for what is spent
/// outside of them, and for an end before the next commit.
///
/// # Errors
/// When the state cannot be written.
pub async fn keep_spending(systems: &Systems, store: &Store, now: Timestamp) -> Result<(), Error> {
    let spent = newly_spent(systems);
    let mut kept = Vec::new();
    if store.lease().is_some() {
        let windows: Windows = systems.iter().map(|(name, system)| (name.clone(), system.windows(now))).collect();
        kept.extend(serde_json::to_string(&windows).ok().map(|text| (WINDOWS.to_owned(), text)));
    }
    if !spent.is_empty() || !kept.is_empty() {
        store.commit(Commit { at: now, spent, kept, ..Commit::default() }).await?;
    }
    Ok(())
}

impl Pass {
    /// What was spent since the last commit that kept it.
    pub(crate) fn newly_spent(&self) -> Vec<(SystemName, u64)> {
        if self.setup.project.policies.keep_spending { newly_spent(&self.setup.project.systems) } else { Vec::new() }
    }

    /// What remains of the systems' days, where that is known.
    pub(crate) fn left_today(&self) -> BTreeMap<&SystemName, u64> {
        let systems = self.setup.project.systems.iter();
        systems.filter_map(|(name, system)| Some((name, system.spent().left_today?))).collect()
    }
}

fn newly_spent(systems: &Systems) -> Vec<(SystemName, u64)> {
    systems.iter().map(|(name, system)| (name.clone(), system.newly_spent())).filter(|(_, spent)| *spent > 0).collect()
}

//! What a system's day has cost so far, kept in the state: a later process on the same day goes on from it.
//!
//! Platforms that tell in each reply what is left need it for the first requests only; for the others it is
//! the only thing that keeps two runs on one day within the day's allowance.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover_connect::Connector;
use handover_model::SystemName;
use handover_store::{Commit, Store};
use jiff::Timestamp;

use crate::Error;
use crate::pass::Pass;

/// Systems by name.
type Systems = BTreeMap<SystemName, Arc<dyn Connector>>;

/// Tells systems what earlier processes spent today. Call it once the accounts' time zones are known, before
/// the work.
///
/// # Errors
/// When the state cannot be read.
pub async fn remember_spending(systems: &Systems, store: &Store, now: Timestamp) -> Result<(), Error> {
    for (name, system) in systems {
        let Some(began) = system.day_began(now) else { continue };
        let spent = store.spent_today(name, began).await?;
        system.spent_earlier_today(spent, now);
    }
    Ok(())
}

/// Keeps what was spent since it was kept last. Passes do so with their commits; this is for what is spent
/// outside of them, and for an end before the next commit.
///
/// # Errors
/// When the state cannot be written.
pub async fn keep_spending(systems: &Systems, store: &Store, now: Timestamp) -> Result<(), Error> {
    let spent = newly_spent(systems);
    if !spent.is_empty() {
        store.commit(Commit { at: now, spent, ..Commit::default() }).await?;
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

//! The second step: links between records that are both in the target, and links that are to be taken away.
//!
//! Invariants:
//! - Links are taken away before others are made: a field that holds one link is free then.
//! - No more are taken away in one pass than the guard allows: a token that sees less than it did makes whole lists
//!   look empty.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handover_model::{Cause, FieldName, FlowName, Hold, Kind, RecordId, Value};
use handover_store::{Commit, Item, PendingLink};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Error;
use crate::linking::pointed_to;
use crate::pass::Pass;
use crate::setup::Ready;
use crate::vanish::Tripped;

/// Links read from the state at once.
const PAGE: usize = 20_000;

/// A link with its ends in the target.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tied {
    pub(crate) waits: PendingLink,
    pub(crate) from: RecordId,
    pub(crate) to: RecordId,
}

/// Links by the flow and the field that they belong to.
type Groups = BTreeMap<(FlowName, String), Vec<Tied>>;

impl Pass {
    /// Takes away the links that are to go, and writes every link whose both ends are in the target. Gives the flows
    /// of which so many are to go that a person has to say so.
    pub(crate) async fn link_all(&self) -> Result<Vec<Tripped>, Error> {
        let tripped = self.unlink_all().await?;
        let mut done = 0;
        loop {
            self.go_on()?;
            let page = self.place.store.ready_links(PAGE).await?;
            let page = page.into_iter().map(|(waits, from, to)| Tied { waits, from, to });
            let groups = self.grouped(page).await?;
            if groups.is_empty() {
                return Ok(tripped);
            }
            for ((flow, field), mut links) in groups {
                let Some(ready) = self.setup.flow(&flow).cloned() else { continue };
                self.hold_circles(&ready, &field, &mut links).await?;
                // What a record points to is looked at once for all its links that go out together.
                links.sort_by(|one, other| one.from.cmp(&other.from));
                done += self.link_chunks(&ready, &field, &links, done).await?;
            }
        }
    }

    /// Takes away the links that are to go.
    pub(crate) async fn unlink_all(&self) -> Result<Vec<Tripped>, Error> {
        let mut tripped: BTreeMap<FlowName, Tripped> = BTreeMap::new();
        let mut after = None;
        loop {
            self.go_on()?;
            let page = self.place.store.gone_links(after.as_ref(), PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(tripped.into_values().collect()) };
            after = Some(last.clone());
            // A record that lost its counterpart has no links there.
            let moot = page.iter().filter(|(_, from)| from.is_none()).map(|(link, _)| link.clone()).collect();
            let links = page.into_iter().filter_map(|(link, from)| {
                let to = link.parent.clone();
                Some(Tied { waits: link, from: from?, to })
            });
            self.no_longer_waiting(moot).await?;
            for ((flow, field), links) in self.grouped(links).await? {
                let Some(ready) = self.setup.flow(&flow).cloned() else { continue };
                match self.unlink_guard(&ready, links.len() as u64).await? {
                    Some(trip) => {
                        let due = trip.due;
                        tripped.entry(flow).and_modify(|trip| trip.due += due).or_insert(trip);
                    }
                    None => drop(self.link_chunks(&ready, &field, &links, 0).await?),
                }
            }
        }
    }

    /// Links by flow and field. Those of a stopped flow wait until it works again; those of a flow that the project no
    /// longer has nobody wants.
    async fn grouped(&self, links: impl Iterator<Item = Tied>) -> Result<Groups, Error> {
        let mut groups = Groups::new();
        let mut unwanted = Vec::new();
        for link in links.filter(|link| !self.setup.drift.stopped.contains_key(&link.waits.flow)) {
            match self.setup.flow(&link.waits.flow) {
                Some(_) => groups.entry((link.waits.flow.clone(), link.waits.field.clone())).or_default().push(link),
                None => unwanted.push(link.waits),
            }
        }
        self.no_longer_waiting(unwanted).await?;
        Ok(groups)
    }

    async fn no_longer_waiting(&self, links: Vec<PendingLink>) -> Result<(), Error> {
        if !links.is_empty() {
            self.place.store.commit(Commit { linked: links, ..self.commit() }).await?;
        }
        Ok(())
    }

    /// Whether so many links of a flow may be taken away in one pass: a share of its pairs, or a number if that is
    /// more.
    async fn unlink_guard(&self, ready: &Ready, due: u64) -> Result<Option<Tripped>, Error> {
        let policies = &self.setup.project.policies;
        let flow = ready.forth.as_ref().unwrap_or(&ready.flow.name);
        let confirmed = policies.confirmed_deletes.get(flow).copied().unwrap_or(0);
        if due <= policies.delete_count.max(confirmed) {
            return Ok(None);
        }
        let share = self.allowed_of(flow).await?;
        let allowed = policies.delete_count.max(share);
        Ok((due > allowed).then(|| Tripped { flow: flow.clone(), due, allowed, links: true }))
    }

    /// A chain of parents that comes back to its beginning is no hierarchy: platforms refuse it, or keep one
    /// half of it in silence. Its links are held; the records themselves are written.
    async fn hold_circles(&self, ready: &Arc<Ready>, field: &str, links: &mut Vec<Tied>) -> Result<(), Error> {
        let single =
            matches!(ready.target.field(field).map(|field| &field.kind), Some(Kind::Reference { many: false, .. }));
        if !single || pointed_to(ready, field) != ready.flow.target.object {
            return Ok(());
        }
        let circular = circular(links);
        if circular.is_empty() {
            return Ok(());
        }
        let mut commit = self.commit();
        let mut entry = self.entry("held", ready);
        for link in links.iter().filter(|link| circular.contains(&link.waits.record)) {
            let cause =
                Cause::Invalid { field: FieldName::from(field), rule: "the chain of parents is a circle".to_owned() };
            entry.items.push(Item { record: link.waits.record.clone(), values: json!({"causes": [cause]}).into() });
            commit.linked.push(link.waits.clone());
            commit.holds.push(self.link_hold(ready, link, cause));
        }
        commit.entries.push(entry);
        self.place.store.commit(commit).await?;
        links.retain(|link| !circular.contains(&link.waits.record));
        Ok(())
    }

    pub(crate) fn link_hold(&self, ready: &Ready, link: &Tied, cause: Cause) -> Hold {
        Hold {
            flow: ready.flow.name.clone(),
            object: ready.flow.source.object.clone(),
            record: link.waits.record.clone(),
            title: link.waits.record.to_string(),
            cause,
            value: Some(Value::from(link.waits.parent.as_str())),
            announced: false,
        }
    }
}

/// The records whose chain of parents comes back to them.
fn circular(links: &[Tied]) -> BTreeSet<RecordId> {
    let parents: BTreeMap<&RecordId, &RecordId> =
        links.iter().map(|link| (&link.waits.record, &link.waits.parent)).collect();
    let mut safe: BTreeSet<&RecordId> = BTreeSet::new();
    let mut circular = BTreeSet::new();
    for start in parents.keys() {
        let mut path: Vec<&RecordId> = Vec::new();
        let mut at = *start;
        while !safe.contains(at) && !circular.contains(at) {
            if let Some(begin) = path.iter().position(|seen| *seen == at) {
                circular.extend(path[begin..].iter().map(|record| (*record).clone()));
                break;
            }
            path.push(at);
            match parents.get(at) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        safe.extend(path.into_iter().filter(|record| !circular.contains(*record)));
    }
    circular
}

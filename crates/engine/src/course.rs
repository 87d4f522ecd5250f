//! The course of a whole pass: later objects are read from the source while earlier ones are written to the
//! target, so that neither system waits for the other's limits.
//!
//! Invariants:
//! - A flow begins when its source object is read to the end, and after the flows before it.
//! - When one half fails, the other ends at its next safe place: nothing is dropped while it is under way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::future::join;
use handover_model::{End, FlowName, RecordId, Side};
use handover_store::{Child, Fate};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::Error;
use crate::flow::ended;
use crate::pairing::Pairing;
use crate::pass::Pass;
use crate::setup::Ready;
use crate::told::Told;

impl Pass {
    /// Reads every source object and works through every flow.
    pub(crate) async fn read_and_carry(self: &Arc<Self>) -> Result<(), Error> {
        let mut sources = self.setup.sources();
        // What flows write first is read when they have written.
        sources.retain(|(system, object)| !self.setup.is_fed(&End { system: system.clone(), object: object.clone() }));
        let (told, read) = watch::channel(0);
        // A task of its own: reading and carrying each keep a processor busy.
        let mut tasks = JoinSet::new();
        let pass = self.clone();
        let wanted = sources.clone();
        tasks.spawn(async move {
            // Dropped at the end, also at a bad one: who waits for more learns that there is none.
            let told = told;
            for (at, (system, object)) in wanted.iter().enumerate() {
                let end = End { system: system.clone(), object: object.clone() };
                pass.extract(&pass.reading_of(&end), true).await?;
                told.send_replace(at + 1);
            }
            Ok(())
        });
        let reading =
            async { tasks.join_next().await.map_or(Ok(()), |read| read.unwrap_or_else(|error| Err(ended(error)))) };
        let carrying = async {
            let carried = self.carry_all(read, &sources).await;
            self.halted.fetch_or(carried.is_err(), Ordering::Relaxed);
            carried
        };
        let (read, carried) = join(reading, carrying).await;
        self.halted.store(false, Ordering::Relaxed);
        match (read, carried) {
            // What ended the other half is the reason.
            (Ok(()) | Err(Error::Stopped), carried @ Err(_)) => carried,
            (read, _) => read,
        }
    }

    /// Reads what changed since, or only what somebody told of, and works through what it brought. An object that
    /// was not read to its end yet is read like that first, unless somebody told.
    pub(crate) async fn read_and_carry_changes(self: &Arc<Self>, mut told: Option<Told>) -> Result<(), Error> {
        let mut looked: Vec<&End> = Vec::new();
        let mut wanted: BTreeMap<FlowName, BTreeSet<RecordId>> = BTreeMap::new();
        for ready in &self.setup.flows {
            let pairing = Pairing::of(&ready.flow, &ready.target);
            // What an earlier process staged goes first.
            let mut changed = self.staged_changes(ready, &pairing).await?;
            let reading = self.reading_of(&ready.flow.source);
            match &mut told {
                Some(told) => self.read_told(&reading, told).await?,
                None => {
                    self.extract(&reading, true).await?;
                    // A record that is staged twice must not be judged twice before its first write is settled.
                    changed.extend(self.staged_changes(ready, &pairing).await?);
                    self.read_newly(&reading).await?;
                    for end in [&ready.flow.source, &ready.flow.target] {
                        if !looked.contains(&end) {
                            self.look_for_vanished(end).await?;
                            looked.push(end);
                        }
                    }
                }
            }
            changed.extend(self.staged_changes(ready, &pairing).await?);
            if told.is_none() {
                changed.extend(self.carry_due(ready, &pairing).await?);
                changed.extend(self.carry_answered(ready, &pairing).await?);
            }
            self.carry_woken(ready, &pairing, changed, &mut wanted).await?;
            if let Some(back) = &ready.back {
                let pairing = Pairing::of(&back.ready.flow, &back.ready.target);
                let reading = self.reading_of(&ready.flow.target);
                match &mut told {
                    Some(told) => self.read_told(&reading, told).await?,
                    None => self.read_newly(&reading).await?,
                }
                let mut new = self.staged_returns(ready, back, &pairing).await?;
                let answered = self.answered_of(&back.ready.flow.name).await?;
                if told.is_none() && !answered.is_empty() {
                    new.extend(self.some_returns(ready, back, &answered).await?);
                }
                self.carry_woken(&back.ready, &pairing, new, &mut wanted).await?;
            }
        }
        Ok(())
    }

    /// What somebody answered and no pass worked through since: the one that the answer began may have ended early.
    async fn carry_answered(self: &Arc<Self>, ready: &Arc<Ready>, pairing: &Pairing) -> Result<Vec<RecordId>, Error> {
        let answered = self.answered_of(&ready.flow.name).await?;
        if answered.is_empty() {
            return Ok(Vec::new());
        }
        self.refresh_target(ready, pairing).await?;
        self.some_records(ready, pairing, &answered).await
    }

    /// Held records of a flow about which somebody said something since. What is gone waits for an answer to that.
    async fn answered_of(&self, flow: &FlowName) -> Result<BTreeSet<RecordId>, Error> {
        let mut answered = self.place.store.answered(flow).await?;
        let ids: Vec<RecordId> = answered.iter().cloned().collect();
        let gone = self.place.store.vanished_among(flow, Side::Source, &ids).await?;
        for gone in gone.iter().filter(|gone| matches!(gone.fate, Fate::Pending | Fate::Asked)) {
            answered.remove(&gone.record);
        }
        Ok(answered)
    }

    /// Works through children of this flow that waited for parents, and through those that `changed` wakes.
    async fn carry_woken(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        changed: Vec<RecordId>,
        wanted: &mut BTreeMap<FlowName, BTreeSet<RecordId>>,
    ) -> Result<(), Error> {
        self.wake_children(&ready.flow.name, &changed, wanted).await?;
        let mut ids = wanted.remove(&ready.flow.name).unwrap_or_default();
        ids.extend(self.waiting_in_vain(&ready.flow.name).await?);
        if !ids.is_empty() {
            let settled = self.some_records(ready, pairing, &ids).await?;
            self.wake_children(&ready.flow.name, &settled, wanted).await?;
        }
        Ok(())
    }

    /// Children whose parents are settled, and whom nobody woke: a pass that died between.
    async fn waiting_in_vain(&self, flow: &FlowName) -> Result<BTreeSet<RecordId>, Error> {
        let mut by_parents: BTreeMap<FlowName, Vec<Child>> = BTreeMap::new();
        for (parents, child) in self.place.store.waiting_in_vain(flow).await? {
            by_parents.entry(parents).or_default().push(child);
        }
        let mut woken = BTreeSet::new();
        for (parents, children) in by_parents {
            let ids: BTreeSet<RecordId> = children.iter().map(|child| child.parent.clone()).collect();
            // Those of missed ones wait until these are there again.
            let (_, missed) = self.known_parents(&parents, &ids.into_iter().collect::<Vec<_>>()).await?;
            woken
                .extend(children.into_iter().filter(|child| !missed.contains(&child.parent)).map(|child| child.record));
        }
        Ok(woken)
    }

    /// Reads what flows before this one wrote, before it works for the first time. Later it is a change like others.
    async fn read_fed(&self, ready: &Ready) -> Result<(), Error> {
        let reading = self.reading_of(&ready.flow.source);
        if self.place.store.worked(&ready.flow.name, &self.setup.project.snapshot).await? > 0 {
            return self.extract(&reading, false).await.map(drop);
        }
        self.read_newly(&reading).await
    }

    async fn carry_all(
        self: &Arc<Self>,
        mut read: watch::Receiver<usize>,
        sources: &[(handover_model::SystemName, handover_model::ObjectName)],
    ) -> Result<(), Error> {
        let mut wanted = BTreeMap::new();
        for ready in &self.setup.flows {
            let end = &ready.flow.source;
            if self.setup.is_fed(end) {
                self.read_fed(ready).await?;
            }
            let needed = sources.iter().take_while(|(system, object)| *system != end.system || *object != end.object);
            let needed = if self.setup.is_fed(end) { 0 } else { needed.count() + 1 };
            if read.wait_for(|read| *read >= needed).await.is_err() {
                // Reading failed, and says why.
                return Ok(());
            }
            let pairing = Pairing::of(&ready.flow, &ready.target);
            self.read_target(ready, &pairing).await?;
            self.whole_flow(ready, &pairing, true).await?;
            self.carry_due(ready, &pairing).await?;
            self.carry_answered(ready, &pairing).await?;
            self.carry_woken(ready, &pairing, Vec::new(), &mut wanted).await?;
        }
        Ok(())
    }
}

//! Links of a target record to records that nobody has read yet: made, or merged out of others, since their object was
//! read last. What leads to them is neither blank nor told: their merges are followed, and a link to one that is there
//! waits for the next reading.
//!
//! A link that goes back takes along whom it leads to: a record that stood in the target before us and that nobody
//! stands for is carried first, however long it was left alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _};
use handover_model::{End, FieldName, FlowName, Record, RecordId};

use crate::Error;
use crate::back::Back;
use crate::change::Pair;
use crate::pairing::Pairing;
use crate::pass::{Pass, locked};
use crate::returned::Returned;
use crate::setup::Ready;
use crate::transform::forth_of;
use crate::verdict::{Known, Verdicts, weigh};
use crate::write::UNSTAGED;

/// Of links that nobody stands for: the flow of the way back, and the target record.
type Unread = BTreeMap<FlowName, BTreeSet<RecordId>>;

impl Pass {
    /// What the way back makes of target records, once the merges are followed that their links tell of.
    pub(crate) async fn turn_known(
        &self,
        ready: &Ready,
        back: &Back,
        records: &[Record],
    ) -> Result<Vec<Returned>, Error> {
        let returned = self.turn_records(back, records).await?;
        let unread = by_flow(back, returned.iter().flat_map(|one| &one.unknown));
        if unread.is_empty() {
            return Ok(returned);
        }
        let waits = self.not_read_yet(&unread).await?;
        // Some are known by now.
        let mut returned = self.turn_records(back, records).await?;
        let mut children = Vec::new();
        for (one, record) in returned.iter_mut().zip(records) {
            let is_awaited = |(rule, id): &&(usize, RecordId)| {
                let link = back.ready.links.get(rule);
                link.and_then(|link| waits.get(&link.flow)).is_some_and(|waits| waits.contains(id))
            };
            one.awaited = one.unknown.iter().filter(is_awaited).map(|(rule, _)| *rule).collect();
            children.extend((!one.awaited.is_empty()).then(|| record.id.clone()));
        }
        let End { system, object } = &ready.flow.target;
        if let Some(state) = self.place.store.extraction(system, object).await?.filter(|_| !children.is_empty()) {
            self.stage_now(&self.reading_of(&ready.flow.target), state, &children).await?;
        }
        Ok(returned)
    }

    /// Those of these records that are there, and younger than the last reading of their object; merges that they tell of
    /// are followed.
    async fn not_read_yet(&self, unread: &Unread) -> Result<HashMap<FlowName, BTreeSet<RecordId>>, Error> {
        let mut waits = HashMap::new();
        for (flow, ids) in unread {
            let Some(parents) = forth_of(flow).and_then(|forth| self.setup.flow(&forth).cloned()) else { continue };
            // Where nothing goes back nobody will ever stand for them.
            if parents.back.is_none() {
                continue;
            }
            let end = &parents.flow.target;
            let ids: Vec<RecordId> = ids.iter().cloned().collect();
            let there = self.read_now(&self.reading_of(end), &ids).await?;
            self.follow_merged(end, &there).await?;
            let read = self.place.store.watermark(&end.system, &end.object).await?;
            let read = read.map(|read| read.at - self.setup.project.policies.overlap);
            let carrying = locked(&self.carrying).clone();
            let is_young = |record: &&Record| {
                let is_new = |read| record.modified.is_none_or(|at| at >= read);
                read.is_none_or(is_new) || carrying.contains(&(flow.clone(), record.id.clone()))
            };
            waits.insert(flow.clone(), there.iter().filter(is_young).map(|record| record.id.clone()).collect());
        }
        Ok(waits)
    }

    /// Carries those to whom links of these pairs lead that are about to go back; whether there were any.
    pub(crate) async fn carry_along(
        self: &Arc<Self>,
        (ready, back): (&Ready, &Back),
        pairs: &[Pair],
        known: &Known,
    ) -> Result<bool, Error> {
        let mut led = Vec::new();
        for pair in pairs {
            let (Some(there), Some(returned)) = (&pair.there, &pair.returned) else { continue };
            if returned.unknown.is_empty() {
                continue;
            }
            let Verdicts { back: names, .. } = weigh(ready, pair, there, known);
            let rules: BTreeSet<usize> = names.iter().flat_map(|name| back.rules_of(name)).copied().collect();
            let goes = |(rule, _): &&(usize, RecordId)| rules.contains(rule) && !returned.awaited.contains(rule);
            led.extend(returned.unknown.iter().filter(goes));
        }
        self.carry_led_to(by_flow(back, led.into_iter())).await
    }

    /// Carries those to whom links of new records of the target lead.
    pub(crate) async fn carry_along_of_new(self: &Arc<Self>, back: &Back, new: &[Record]) -> Result<(), Error> {
        if back.ready.links.is_empty() {
            return Ok(());
        }
        let returned = self.turn_records(back, new).await?;
        self.carry_led_to(by_flow(back, returned.iter().flat_map(|one| &one.unknown))).await.map(drop)
    }

    /// Records of the target that links lead to go the way of new ones; whether there were any. What is being carried
    /// leads to itself in a circle: whoever points to it waits.
    fn carry_led_to<'a>(self: &'a Arc<Self>, led: Unread) -> BoxFuture<'a, Result<bool, Error>> {
        let carrying = async move {
            let mut some = false;
            for (flow, mut ids) in led {
                let Some(parents) = forth_of(&flow).and_then(|forth| self.setup.flow(&forth).cloned()) else {
                    continue;
                };
                let Some(back) = &parents.back else { continue };
                ids.retain(|id| !locked(&self.carrying).contains(&(flow.clone(), id.clone())));
                let (end, all) = (&parents.flow.target, ids.iter().cloned().collect::<Vec<_>>());
                let mut there = self.read_now(&self.reading_of(end), &all).await?;
                self.follow_merged(end, &there).await?;
                let paired = self.place.store.sources_of_flow(&parents.flow.name, &all).await?;
                let (elsewhere, _) = self.brought_by_others(&parents, &all).await?;
                there.retain(|record| {
                    let id = &record.id;
                    !record.gone && ids.contains(id) && !paired.contains_key(id) && !elsewhere.contains(id)
                });
                if !there.is_empty() {
                    some = true;
                    let pairing = Pairing::of(&back.ready.flow, &back.ready.target);
                    self.carry_new((&parents, back), &pairing, there, UNSTAGED).await?;
                }
            }
            Ok(some)
        };
        carrying.boxed()
    }
}

/// Links that nobody stands for, by the flows of those to whom they lead.
fn by_flow<'u>(back: &Back, unknown: impl Iterator<Item = &'u (usize, RecordId)>) -> Unread {
    let mut unread = Unread::new();
    for (rule, id) in unknown {
        if let Some(link) = back.ready.links.get(rule) {
            unread.entry(link.flow.clone()).or_default().insert(id.clone());
        }
    }
    unread
}

/// The fields of a pair that wait, of those that would go back.
pub(crate) fn awaited(back: &Back, returned: &Returned, names: &mut Vec<FieldName>) -> Vec<FieldName> {
    let waits = |name: &FieldName| back.rules_of(name).iter().any(|rule| returned.awaited.contains(rule));
    let (waiting, rest) = std::mem::take(names).into_iter().partition(waits);
    *names = rest;
    waiting
}

//! Links of a target record to records that nobody has read yet: made, or merged out of others, since their object was
//! read last. What leads to them is neither blank nor told: their merges are followed, and a link to one that is there
//! waits for the next reading.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use handover_model::{End, FieldName, FlowName, Record, RecordId};

use crate::Error;
use crate::back::Back;
use crate::pass::Pass;
use crate::returned::Returned;
use crate::setup::Ready;
use crate::transform::forth_of;

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
        let mut unread = Unread::new();
        for (rule, id) in returned.iter().flat_map(|one| &one.unknown) {
            if let Some(link) = back.ready.links.get(rule) {
                unread.entry(link.flow.clone()).or_default().insert(id.clone());
            }
        }
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
            let is_young = |record: &&Record| read.is_none_or(|read| record.modified.is_none_or(|at| at >= read));
            waits.insert(flow.clone(), there.iter().filter(is_young).map(|record| record.id.clone()).collect());
        }
        Ok(waits)
    }
}

/// The fields of a pair that wait, of those that would go back.
pub(crate) fn awaited(back: &Back, returned: &Returned, names: &mut Vec<FieldName>) -> Vec<FieldName> {
    let waits = |name: &FieldName| back.rules_of(name).iter().any(|rule| returned.awaited.contains(rule));
    let (waiting, rest) = std::mem::take(names).into_iter().partition(waits);
    *names = rest;
    waiting
}

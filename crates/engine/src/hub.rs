//! Flows that meet in one object: a hub and its spokes, or a chain of systems.
//!
//! Invariants:
//! - What one flow makes is found by the flows that meet it there, in the same pass: a person whom two spokes bring is
//!   one record of the hub.
//! - A record that is known of as the same as another one, through other flows, is paired with it: it is not matched
//!   by its values, and not created.
//! - What one flow wrote is a change to the others: it is never taken for a platform's own doing.
//!
//! That records which flows pair in several ways have one identity is the store's invariant (`crosswalk.rs` there).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use handover_model::{End, FieldName, Fields, Flow, ObjectName, Record, RecordId, SystemName};
use handover_store::{MatchRow, RecordRow};

use crate::Error;
use crate::change::Pair;
use crate::holders::IDENTITY;
use crate::pairing::{Card, Keys, Paired, Pairing};
use crate::pass::Pass;
use crate::setup::{Ready, Setup};
use crate::write::UNSTAGED;

/// Fields of records that other flows wrote, by record.
pub(crate) type Foreign = HashMap<RecordId, HashSet<FieldName>>;

impl Setup {
    /// The other flows that have this object as an end.
    pub(crate) fn meeting<'s>(&'s self, ready: &'s Ready, end: &'s End) -> impl Iterator<Item = &'s Arc<Ready>> {
        let own = ready.forth.as_ref().unwrap_or(&ready.flow.name);
        self.flows
            .iter()
            .filter(move |other| other.flow.name != *own && (other.flow.source == *end || other.flow.target == *end))
    }

    /// Whether other flows may tell which record of this one's target a record of its source is.
    fn tells_pairs(&self, ready: &Ready) -> bool {
        let own = ready.forth.as_ref().unwrap_or(&ready.flow.name);
        let others: Vec<&Flow> = self.flows.iter().map(|other| &other.flow).filter(|flow| flow.name != *own).collect();
        is_way(&others, &ready.flow.source, &ready.flow.target)
    }

    /// Whether a flow's source is what flows before it write: it is read when they have written.
    pub(crate) fn is_fed(&self, end: &End) -> bool {
        self.flows.iter().take_while(|ready| ready.flow.source != *end).any(|ready| ready.flow.target == *end)
    }
}

/// Whether flows lead from one object to another, whichever way each of them goes.
fn is_way(flows: &[&Flow], from: &End, to: &End) -> bool {
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(end) = open.pop() {
        for flow in flows.iter().filter(|flow| flow.source == *end || flow.target == *end) {
            let next = if flow.source == *end { &flow.target } else { &flow.source };
            open.extend(seen.insert(next).then_some(next));
        }
    }
    seen.contains(to)
}

/// The objects of a system of which a flow looks at what another one wrote.
pub fn read_again(flows: &[Flow], system: &SystemName) -> BTreeSet<ObjectName> {
    let mut found = BTreeSet::new();
    for flow in flows.iter().filter(|flow| flow.target.system == *system) {
        let end = &flow.target;
        let others: Vec<&Flow> = flows.iter().filter(|other| other.name != flow.name).collect();
        let meets = |looks: fn(&Flow) -> bool| others.iter().any(|other| other.target == *end && looks(other));
        let is_source = others.iter().any(|other| other.source == *end);
        if is_source || meets(|other| !other.matching.is_empty()) || is_way(&others, &flow.source, end) {
            found.insert(end.object.clone());
        }
    }
    found
}

impl Pass {
    /// Under which keys other flows find what this one writes.
    pub(crate) fn keys_elsewhere(&self, ready: &Ready) -> Vec<Keys> {
        let end = &ready.flow.target;
        let mut keys = Vec::new();
        for other in self.setup.meeting(ready, end) {
            let Pairing { source, target, .. } = Pairing::of(&other.flow, &other.target);
            // The source's own key leads to nothing that came from elsewhere.
            let own = usize::from(other.flow.key.is_some());
            keys.extend((other.flow.target == *end).then_some(target).into_iter().flatten().skip(own));
            keys.extend((other.flow.source == *end).then_some(source).into_iter().flatten().skip(own));
        }
        keys
    }

    /// Records of this pass and their pairs as identities tell them; what is told so overrides what values tell.
    pub(crate) async fn pair_by_identity(
        &self,
        ready: &Ready,
        records: &[&Record],
        pairs: &mut [Paired],
    ) -> Result<(), Error> {
        let (source, target) = (&ready.flow.source, &ready.flow.target);
        if records.is_empty() || !self.setup.tells_pairs(ready) {
            return Ok(());
        }
        let ids: Vec<RecordId> = records.iter().map(|record| record.id.clone()).collect();
        let (from, to) = ((&source.system, &source.object), (&target.system, &target.object));
        let known = self.place.store.counterparts(from, to, &ids).await?;
        let there: Vec<RecordId> = known.values().cloned().collect();
        let cards = self.cards_now(ready, &there).await?;
        for (record, paired) in records.iter().zip(pairs) {
            // One that is gone is no counterpart any more.
            if let Some(card) = known.get(&record.id).and_then(|target| cards.get(target)) {
                let (target, by) = (card.id.clone(), IDENTITY.to_owned());
                *paired = Paired::With { target, block: UNSTAGED, by, card: Some(card.clone()) };
            }
        }
        Ok(())
    }

    /// Target records as they are now, with all that matching and merging look at.
    pub(crate) async fn cards_now(&self, ready: &Ready, ids: &[RecordId]) -> Result<HashMap<RecordId, Card>, Error> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let now = self.read_now(&self.reading_of(&ready.flow.target), ids).await?;
        Ok(now.into_iter().map(|record| (record.id.clone(), Card::new(record))).collect())
    }

    /// Of pairs that this flow wrote lately: which fields of the source's and of the target's records another flow
    /// wrote since.
    pub(crate) async fn written_elsewhere(&self, ready: &Ready, pairs: &[&Pair]) -> Result<(Foreign, Foreign), Error> {
        let sources: HashMap<&RecordId, &RecordRow> =
            pairs.iter().map(|pair| (&pair.staged.record.id, &pair.row)).collect();
        let targets: HashMap<&RecordId, &RecordRow> = pairs.iter().map(|pair| (&pair.target, &pair.row)).collect();
        Ok((
            self.foreign(ready, &ready.flow.source, &sources).await?,
            self.foreign(ready, &ready.flow.target, &targets).await?,
        ))
    }

    /// Of records of one end of a flow, with the rows that it has of them: which of their fields other flows wrote
    /// since this one wrote last.
    pub(crate) async fn foreign(
        &self,
        ready: &Ready,
        end: &End,
        ours: &HashMap<&RecordId, &RecordRow>,
    ) -> Result<Foreign, Error> {
        let mut found = Foreign::new();
        if ours.is_empty() {
            return Ok(found);
        }
        let ids: Vec<RecordId> = ours.keys().map(|id| (*id).clone()).collect();
        for other in self.setup.meeting(ready, end) {
            let mut written: Vec<(RecordId, RecordRow, &Ready)> = Vec::new();
            if other.flow.target == *end {
                let rows = self.place.store.rows_with_targets(&other.flow.name, &ids).await?;
                written.extend(rows.into_iter().filter_map(|row| Some((row.target.clone()?, row, &**other))));
            }
            if let Some(back) = other.back.as_ref().filter(|_| other.flow.source == *end) {
                let rows = self.place.store.rows(&other.flow.name, &ids).await?;
                written.extend(rows.into_iter().map(|(id, row)| (id, row, &*back.ready)));
            }
            for (id, row, writer) in written {
                let since = ours.get(&id).and_then(|own| own.written);
                if row.written.is_some() && row.written >= since {
                    found.entry(id).or_default().extend(writer.targets());
                }
            }
        }
        Ok(found)
    }
}

/// The rows under which other flows find a record that was written; what is staged of it later takes their place.
pub(crate) fn match_rows(end: &End, keys: &[Keys], id: &RecordId, fields: &Fields) -> Vec<MatchRow> {
    let record = Record { id: id.clone(), fields: fields.clone(), modified: None, gone: false };
    let row = |keys: &Keys, key: String| MatchRow {
        system: end.system.clone(),
        object: end.object.clone(),
        kind: keys.kind.clone(),
        key,
        record: id.clone(),
        block: UNSTAGED,
    };
    keys.iter().flat_map(|keys| keys.of(&record).into_iter().map(|key| row(keys, key))).collect()
}

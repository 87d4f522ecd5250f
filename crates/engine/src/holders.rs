//! Whose counterpart a target record is: of one source record at a time, and of the same one again when both were
//! gone and come back.

use std::collections::HashMap;

use handover_model::{End, MatchKind, Record, RecordId, Value};

use crate::Error;
use crate::pairing::{Card, Paired, Pairing, source_key};
use crate::pass::Pass;
use crate::setup::Ready;
use crate::write::UNSTAGED;

/// How a pair was found that was one before.
pub(crate) const IDENTITY: &str = "identity";

impl Pass {
    /// The source records that have these target records.
    pub(crate) async fn holders(
        &self,
        ready: &Ready,
        targets: &[RecordId],
    ) -> Result<HashMap<RecordId, RecordId>, Error> {
        Ok(match &ready.forth {
            None => self.place.store.sources_of_flow(&ready.flow.name, targets).await?,
            Some(forth) => self.place.store.targets_of_flow(forth, targets).await?,
        })
    }

    /// Claims a target record for a source record; gives the other source record that has it already, in the
    /// state or earlier in this pass. Two source records never end silently on one target record.
    pub(crate) async fn claim(
        &self,
        ready: &Ready,
        record: &RecordId,
        target: &RecordId,
    ) -> Result<Option<RecordId>, Error> {
        let flow = &ready.flow.name;
        let wanted = std::slice::from_ref(target);
        let settled = self.holders(ready, wanted).await?;
        if let Some(other) = settled.get(target).filter(|other| *other != record) {
            return Ok(Some(other.clone()));
        }
        let mut claims = self.claims.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let holder = claims.entry((flow.clone(), target.clone())).or_insert_with(|| record.clone());
        Ok((holder != record).then(|| holder.clone()))
    }

    /// Whether a target record that was found by a source record's key has another one's by now: a copy of it was read
    /// before that changed.
    pub(crate) async fn lost_key(
        &self,
        ready: &Ready,
        record: &RecordId,
        target: &RecordId,
        by: &str,
    ) -> Result<bool, Error> {
        // By a key of the project's own it may have been found too.
        let own = ready.flow.matching.iter().any(|key| key.kind == MatchKind::ExternalId);
        if ready.flow.key.is_none() || own || by != MatchKind::ExternalId.word() {
            return Ok(false);
        }
        let now = self.targets_now(ready, std::slice::from_ref(target)).await?;
        Ok(now.first().is_some_and(|now| now.id == *target && !has_key_of(ready, now, record)))
    }

    /// Records that come again after their pairs ended, and whose counterparts came again too: they are pairs as they
    /// were. What a person brought back and changed meanwhile is merged by the flow's rules and stands in the ledger,
    /// where the key in the target would lead a new record to it unseen.
    pub(crate) async fn pair_as_before(
        &self,
        ready: &Ready,
        pairing: &Pairing,
        ids: &[RecordId],
        (records, pairs): (&[&Record], &mut [Paired]),
    ) -> Result<(), Error> {
        let (source, target) = (&ready.flow.source, &ready.flow.target);
        let (from, to) = ((&source.system, &source.object), (&target.system, &target.object));
        let former = self.place.store.former_counterparts(from, to, ids).await?;
        if former.is_empty() {
            return Ok(());
        }
        let there: Vec<RecordId> = former.iter().map(|(_, there)| there.clone()).collect();
        let taken = self.holders(ready, &there).await?;
        let cards = self.cards_now(ready, &there).await?;
        for (record, paired) in records.iter().zip(pairs) {
            let own = former.iter().filter(|(here, there)| *here == record.id && !taken.contains_key(there));
            let own: Vec<&Card> = own.filter_map(|(_, there)| cards.get(there)).collect();
            // Whatever has its key already is what would be written to.
            let keyed = own.iter().copied().find(|card| has_key_of(ready, card, &record.id));
            let with = |card: &Card, by: &str| Paired::With {
                target: card.id.clone(),
                block: UNSTAGED,
                by: by.to_owned(),
                card: Some(card.clone()),
            };
            match (keyed, own.as_slice()) {
                (Some(card), _) => *paired = with(card, MatchKind::ExternalId.word()),
                (None, []) => {}
                (None, [card]) => *paired = with(card, IDENTITY),
                (None, several) => *paired = pairing.ambiguous(IDENTITY, several),
            }
        }
        Ok(())
    }
}

/// Whether a target record has the key that a flow gives to a source record.
pub(crate) fn has_key_of(ready: &Ready, card: &Record, record: &RecordId) -> bool {
    let End { system, object } = &ready.flow.source;
    let Some(has) = ready.flow.key.as_ref().and_then(|key| card.fields.get(key.as_str())) else { return false };
    *has == Value::from(source_key(system, object, record))
}

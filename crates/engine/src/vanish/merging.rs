//! Merging the counterparts of records that became one. No platform undoes it: it is sent once, and when its answer
//! was lost both records are asked for before anything else.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover_connect::{Fault, WriteOutcome};
use handover_model::{End, Outcome, Record, RecordId, Side};
use handover_store::{Commit, Fate, Intent, Item, RecordRow, Vanished};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Found;
use super::due::Case;
use crate::Error;
use crate::change::Again;
use crate::decide::{Look, Opened, Staged};
use crate::pairing::Pairing;
use crate::pass::Pass;
use crate::setup::Ready;
use crate::trail::Trail;
use crate::write::is_about_records;
use crate::writer::Writer;

/// How the ids of intents of merges begin.
pub(crate) const MERGE: &str = "merge:";

/// How the ids of intents of deletions and marks begin: they are sent again by whoever finds them still due.
pub(crate) const REMOVE: &str = "remove:";

/// A merge of counterparts, as its intent keeps it.
#[derive(Debug, Serialize, Deserialize)]
struct Merging {
    side: Side,
    /// The record that vanished, by its id on that side.
    record: RecordId,
    survivor: RecordId,
    other: RecordId,
}

impl Pass {
    /// Merges the counterpart of a record that became another one into that one's counterpart.
    pub(super) async fn merge_counterparts(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        case: &Case,
        cards: &BTreeMap<RecordId, Record>,
    ) -> Result<(), Error> {
        let (Some(into), Some(other)) = (&case.gone.into, case.counterpart().cloned()) else { return Ok(()) };
        let side = case.gone.side;
        if !case.gone.certain {
            // A person said so: the crosswalk follows first, and the question stands until it is carried out.
            let mut commit = self.commit();
            let here = ready.flow.end(side);
            self.became(here, into, std::slice::from_ref(&case.gone.record), &mut commit).await?;
            commit.released.retain(|(_, record)| *record != case.gone.source);
            self.place.store.commit(commit).await?;
        }
        let row = self.rows_on(ready, side, std::slice::from_ref(into)).await?;
        let row = row.into_iter().find(|row| side == Side::Source || row.outcome != Outcome::Merged);
        let survivor = row.and_then(|row| match side {
            Side::Source => row.target,
            Side::Target => Some(row.record),
        });
        let there = ready.flow.end(side.opposite());
        let claimed = self.place.store.sources_of_flow(&ready.flow.name, std::slice::from_ref(&other)).await?;
        let is_claimed = side == Side::Source && claimed.get(&other).is_some_and(|source| *source != case.gone.source);
        let Some(survivor) = survivor.filter(|survivor| *survivor != other && !is_claimed) else {
            // There is nothing to be merged, or it is another record's counterpart by now.
            let mut commit = self.commit();
            self.unask(&mut commit, ready, &case.gone.source).await?;
            commit.returned.push((case.gone.flow.clone(), side, case.gone.record.clone()));
            self.place.store.commit(commit).await?;
            return Ok(());
        };
        let merging = Merging { side, record: case.gone.record.clone(), survivor, other };
        let missed = std::slice::from_ref(&merging.survivor);
        let missed = self.place.store.vanished_among(&ready.flow.name, side.opposite(), missed).await?;
        if missed.iter().any(|gone| gone.fate <= Fate::Asked) {
            // What becomes of that one is still to be decided: until then this one stands among the questions.
            if case.gone.fate == Fate::Pending {
                let mut commit = self.commit();
                self.ask_about(&mut commit, ready, case, cards.get(&merging.other)).await?;
                self.place.store.commit(commit).await?;
            }
            return Ok(());
        }
        let intent = self.note_merge(ready, &merging, case, cards).await?;
        let system = self.setup.project.system(&there.system)?;
        match system.merge(&there.object, &merging.survivor, &merging.other).await {
            Ok(WriteOutcome::Applied { id, .. }) => self.merge_is_done(ready, &intent, merging, &id).await,
            Ok(WriteOutcome::Refused(fault)) => self.merge_refused(ready, &intent, case, cards, fault).await,
            Ok(WriteOutcome::Unknown(_)) => {
                self.wait_for_answers(&mut None).await;
                self.look_up_merge(ready, &intent, merging).await
            }
            Err(fault) if is_about_records(fault.kind) => self.merge_refused(ready, &intent, case, cards, fault).await,
            Err(fault) => {
                self.place.store.commit(Commit { settled: vec![intent], ..self.commit() }).await?;
                Err(Error::system(&there.system, fault))
            }
        }
    }

    /// An intent of this module that an earlier process left open.
    pub(crate) async fn settle_removal(self: &Arc<Self>, ready: &Arc<Ready>, intent: &Intent) -> Result<(), Error> {
        if intent.id.starts_with(MERGE) {
            let merging: Merging = postcard::from_bytes(&intent.payload).map_err(Error::Intent)?;
            return self.look_up_merge(ready, &intent.id, merging).await;
        }
        // What was not deleted or marked is still due, and may be sent again.
        self.place.store.commit(Commit { settled: vec![intent.id.clone()], ..self.commit() }).await?;
        Ok(())
    }

    async fn note_merge(
        &self,
        ready: &Ready,
        merging: &Merging,
        case: &Case,
        cards: &BTreeMap<RecordId, Record>,
    ) -> Result<String, Error> {
        let mut hasher = blake3::Hasher::new();
        for part in [ready.flow.name.as_str(), merging.survivor.as_str(), merging.other.as_str()] {
            hasher.update(part.as_bytes()).update(b"\0");
        }
        let id = format!("{MERGE}{}", &hasher.finalize().to_hex()[..32]);
        let mut entry = self.entry("removing", ready);
        entry.note = json!({"how": "merge"});
        let mut trail = Trail::new();
        trail.text(ready, "record", merging.other.as_str());
        trail.text(ready, "into", merging.survivor.as_str());
        if let Some(card) = cards.get(&merging.other) {
            trail.fields(ready, "before", card.fields.iter().filter(|(_, value)| !value.is_blank()));
        }
        entry.items.push(Item { record: case.gone.source.clone(), values: trail.end(ready) });
        let mut commit = self.commit();
        let payload = postcard::to_stdvec(merging).map_err(Error::Intent)?;
        let flow = ready.flow.name.clone();
        commit.intents.push(Intent { id: id.clone(), flow, payload, at: commit.at, entry: Some(0) });
        commit.entries.push(entry);
        self.place.store.commit(commit).await?;
        Ok(id)
    }

    /// Both are one record now, under this id.
    async fn merge_is_done(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        intent: &str,
        merging: Merging,
        id: &RecordId,
    ) -> Result<(), Error> {
        let Merging { side, record, survivor, other } = merging;
        let mut commit = self.commit();
        let gone = self.place.store.vanished_among(&ready.flow.name, side, std::slice::from_ref(&record)).await?;
        self.became(ready.flow.end(side.opposite()), id, &[survivor, other.clone()], &mut commit).await?;
        for Vanished { source, .. } in gone {
            let mut entry = self.entry("removed", ready);
            let values = json!({"how": "merge", "record": other.as_str(), "into": id.as_str()});
            entry.items.push(Item { record: source.clone(), values: values.into() });
            commit.entries.push(entry);
            self.unask(&mut commit, ready, &source).await?;
        }
        commit.returned.push((ready.flow.name.clone(), side, record));
        commit.spent = self.newly_spent();
        self.place.store.commit(commit).await?;
        // The intent stays open until the survivor says what its counterpart says.
        self.carry_whole(ready, side, id).await?;
        self.place.store.commit(Commit { settled: vec![intent.to_owned()], ..self.commit() }).await?;
        self.vanishings().merged += 1;
        Ok(())
    }

    /// Writes a survivor in the target as a whole: what the target's own merge put together is not what the source
    /// says.
    async fn carry_whole(self: &Arc<Self>, ready: &Arc<Ready>, side: Side, id: &RecordId) -> Result<(), Error> {
        let sources = self.place.store.sources_of_flow(&ready.flow.name, std::slice::from_ref(id)).await?;
        let Some(source) = sources.get(id).filter(|_| side == Side::Source) else { return Ok(()) };
        let row = self.place.store.rows(&ready.flow.name, std::slice::from_ref(source)).await?.remove(source);
        let now = self.read_now(&self.reading_of(&ready.flow.source), std::slice::from_ref(source)).await?;
        let record = now.into_iter().find(|record| record.id == *source);
        let (Some(row), Some(record)) = (row, record) else { return Ok(()) };
        // Nothing counts as settled.
        let row = RecordRow { base: Some(Vec::new()), mapped: Some(Vec::new()), ..row };
        let mapped = ready.program.apply(&record);
        let mut staged = [Staged::new(record, row.block)];
        let placed = self.place(ready, &mut staged, Look::Again).await?;
        let [staged] = staged;
        let again = Again { staged, row, mapped, answers: Vec::new(), there: None, due: false };
        let mut writer = Writer::of_records(self, ready)?;
        let pairing = Pairing::of(&ready.flow, &ready.target);
        let judged = self.judge_and_write(ready, &pairing, Opened::again(vec![again], placed), &mut writer).await;
        writer.end(judged).await
    }

    async fn merge_refused(
        &self,
        ready: &Arc<Ready>,
        intent: &str,
        case: &Case,
        cards: &BTreeMap<RecordId, Record>,
        fault: Fault,
    ) -> Result<(), Error> {
        let mut commit = self.commit();
        if let Some(card) = case.counterpart().and_then(|id| cards.get(id)) {
            self.refused(&mut commit, ready, case, card, fault).await?;
        }
        commit.settled.push(intent.to_owned());
        self.place.store.commit(commit).await?;
        Ok(())
    }

    /// Whether a merge whose answer was lost was carried out. If not, it is still due.
    async fn look_up_merge(self: &Arc<Self>, ready: &Arc<Ready>, intent: &str, merging: Merging) -> Result<(), Error> {
        let there = ready.flow.end(merging.side.opposite()).clone();
        match self.merged_to(&there, &merging).await? {
            Some(id) => self.merge_is_done(ready, intent, merging, &id).await,
            None => {
                self.place.store.commit(Commit { settled: vec![intent.to_owned()], ..self.commit() }).await?;
                Ok(())
            }
        }
    }

    /// The record that both are, if they are one.
    async fn merged_to(&self, there: &End, merging: &Merging) -> Result<Option<RecordId>, Error> {
        let both = [merging.other.clone(), merging.survivor.clone()];
        let found = self.sought(there, &both).await?;
        Ok(match (found.get(&merging.other), found.get(&merging.survivor)) {
            (Some(Found::Live), _) => None,
            (Some(Found::Became(id)), _) | (_, Some(Found::Became(id))) => Some(id.clone()),
            _ => Some(merging.survivor.clone()),
        })
    }
}

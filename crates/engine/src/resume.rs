//! Going on with writes that an earlier process left open.
//!
//! Invariants:
//! - Nothing else is written before every open write is settled, or known to be open still.
//! - Between a write and its resumption people went on working: what they changed since is not written over. An
//!   update whose record says something else by now is judged again; a creation that is found stands as it is.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use handover_connect::WriteMode;
use handover_model::{Fields, Record, RecordId, Value};
use handover_store::{Commit, Intent, Item};
use jiff::Timestamp;
use serde_json::json;

use crate::Error;
use crate::fingerprint::alike;
use crate::pairing::Pairing;
use crate::pass::Pass;
use crate::planted::Planted;
use crate::send::Sending;
use crate::setup::Ready;
use crate::trail::BEFORE;
use crate::vanish::{MERGE, REMOVE};
use crate::write::{Batch, Kind, Outgoing};

impl Pass {
    /// Intents that an earlier process left open: their writes are looked up before anything else is
    /// written.
    pub(crate) async fn settle_open_intents(self: &Arc<Self>) -> Result<(), Error> {
        let mut intents = self.place.store.open_intents().await?;
        if self.errs(Planted::IntentsForgotten) {
            intents.clear();
        }
        // The end of a merge writes the survivor: what an earlier attempt at that left open goes first.
        intents.sort_by_key(|intent| intent.id.starts_with(MERGE));
        let mut waited = None;
        for intent in intents {
            self.go_on()?;
            // Its writes stay open until the flow works again.
            if self.setup.drift.stopped.contains_key(&intent.flow) {
                continue;
            }
            let Some(ready) = self.setup.flow(&intent.flow).cloned() else {
                return Err(Error::FlowGone { flow: intent.flow });
            };
            if intent.id.starts_with(crate::linking::INTENT) {
                self.wait_for_answers(&mut waited).await;
                self.settle_link_intent(&ready, &intent).await?;
                continue;
            }
            if [MERGE, REMOVE].iter().any(|kind| intent.id.starts_with(kind)) {
                self.wait_for_answers(&mut waited).await;
                self.settle_removal(&ready, &intent).await?;
                continue;
            }
            let batch = Batch::of_intent(&self.place.store, &intent).await?;
            self.settle_batch(&ready, &intent, batch, &mut waited).await?;
        }
        Ok(())
    }

    async fn settle_batch(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        intent: &Intent,
        mut batch: Batch,
        waited: &mut Option<Timestamp>,
    ) -> Result<(), Error> {
        let system = self.setup.project.system(&ready.flow.target.system)?;
        let can = system.capabilities().object(ready.flow.target.object.as_str());
        if can.is_some_and(|can| batch.writes.len() > usize::try_from(can.write_batch).unwrap_or(usize::MAX)) {
            // A large batch is worked on although nobody waits for it: by then it is done, as a rule.
            self.wait_for_answers(waited).await;
        }
        let overtaken =
            if batch.kind == Kind::Update { self.overtaken(ready, intent, &batch).await? } else { BTreeSet::new() };
        if !overtaken.is_empty() {
            self.judge_overtaken(ready, &batch.id, &overtaken).await?;
            batch.writes.retain(|write| !overtaken.contains(&write.case.record));
        }
        if batch.writes.is_empty() {
            self.place.store.commit(Commit { settled: vec![batch.id], ..self.commit() }).await?;
            return Ok(());
        }
        let all: Vec<usize> = (0..batch.writes.len()).collect();
        let mode = self.request(ready, &batch, &all)?.mode;
        let mut sending = Sending::resumed(batch, intent.at);
        match mode {
            WriteMode::Update => sending.repeat(),
            // Sending it twice does no harm: the last requests are not waited for.
            WriteMode::Upsert { .. } => sending.lose(self.place.clock.now()),
            WriteMode::Create { .. } => sending.lose(self.wait_for_answers(waited).await),
        }
        self.finish(ready, &mut sending).await;
        self.commit_outcomes(ready, vec![sending.end()]).await
    }

    /// Records of open updates that say neither what they said before nor what was to be written.
    async fn overtaken(&self, ready: &Ready, intent: &Intent, batch: &Batch) -> Result<BTreeSet<RecordId>, Error> {
        let ids: Vec<RecordId> = batch.writes.iter().filter_map(|write| write.target.clone()).collect();
        let now = self.targets_now(ready, &ids).await?.into_iter();
        let now: HashMap<RecordId, Record> = now.map(|record| (record.id.clone(), record)).collect();
        let before = self.place.store.told_with_intent(&intent.id, BEFORE).await?;
        let is_overtaken = |write: &&Outgoing| {
            let there = write.target.as_ref().and_then(|id| now.get(id));
            there.is_some_and(|there| says_neither(ready, write, before.get(&write.case.record), there))
        };
        Ok(batch.writes.iter().filter(is_overtaken).map(|write| write.case.record.clone()).collect())
    }

    /// Judges records whose open updates are not repeated, and says so. The intent is there until that is done.
    async fn judge_overtaken(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        batch: &str,
        records: &BTreeSet<RecordId>,
    ) -> Result<(), Error> {
        let mut entry = self.entry("overtaken", ready);
        entry.note = json!({"batch": batch});
        entry.items = records.iter().map(|record| Item { record: record.clone(), values: json!({}).into() }).collect();
        self.place.store.commit(Commit { entries: vec![entry], ..self.commit() }).await?;
        let forth = ready.forth.as_ref().and_then(|forth| self.setup.flow(forth));
        match forth.and_then(|forth| Some((forth, forth.back.as_ref()?))) {
            Some((forth, back)) => self.some_returns(forth, back, records).await?,
            None => self.some_records(ready, &Pairing::of(&ready.flow, &ready.target), records).await?,
        };
        Ok(())
    }

    /// The last requests of the earlier process may still be under way: what is looked up before they arrive
    /// would seem absent. Waits once; what may be sent twice is not waited for.
    pub(crate) async fn wait_for_answers(&self, waited: &mut Option<Timestamp>) -> Timestamp {
        if let Some(by) = waited {
            return *by;
        }
        let now = self.place.clock.now();
        let until = now.checked_add(self.setup.project.policies.answer_wait).unwrap_or(now);
        self.place.clock.sleep_until(until).await;
        *waited.insert(self.place.clock.now())
    }
}

/// Whether a field that was to be written has neither its value of before, as far as that was told, nor the new one.
fn says_neither(ready: &Ready, write: &Outgoing, before: Option<&Fields>, there: &Record) -> bool {
    write.fields.iter().any(|(name, value)| {
        let kind = ready.target_field(name).map(|field| &field.kind);
        let have = there.fields.get(name.as_str()).unwrap_or(&Value::Null);
        let was = before.map(|before| before.get(name.as_str()).unwrap_or(&Value::Null));
        !alike(kind, value, have) && was.is_none_or(|was| !alike(kind, was, have))
    })
}

//! Write and confirm: waves of batches, intent first, one outcome for every record.
//!
//! Invariants:
//! - The intent of a write is durable before the request leaves; its outcome before the next wave.
//! - A write of unknown outcome is looked up before anything of it is sent again.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use handover_connect::{Fault, FaultKind, Upsert, WriteBatch, WriteMode};
use handover_model::{Cause, Content, End, Fields, Hold, Outcome, RecordId};
use handover_store::{Commit, Intent, Item, RecordRow, Store};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Error;
use crate::case::{Before, Case};
use crate::decide::{Decision, Judged};
use crate::hub::match_rows;
use crate::pass::Pass;
use crate::send::Sent;
use crate::setup::Ready;
use crate::shed::Shed;
use crate::trail::{Trail, WRITE};

/// A record on its way to the target.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outgoing {
    pub(crate) case: Case,
    /// The target id, for updates.
    pub(crate) target: Option<RecordId>,
    /// What is written. An intent has it from the ledger's entry, or beside it.
    #[serde(skip)]
    pub(crate) fields: Arc<Fields>,
    pub(crate) content: Option<Content>,
    /// Fields that the target refused while it was sent.
    #[serde(skip)]
    pub(crate) without: Vec<Shed>,
    /// What the ledger tells before the intent is durable.
    #[serde(skip)]
    trail: Trail,
}

/// A batch on its way, as its intent keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Batch {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) writes: Vec<Outgoing>,
}

/// What the writes of a batch do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// They make records.
    Create,
    /// They change records.
    Update,
    /// They make records for some that had counterparts before, where a key leads to what was made under it first: that
    /// may stand for another record by now.
    Anew,
}

/// What became of one write in the end.
pub(crate) enum Settled {
    Applied {
        id: RecordId,
        created: bool,
        /// Why it lacks a part of what was to be written.
        lacks: Option<Fault>,
    },
    Refused(Fault),
    /// Looked up, and still not known.
    Unknown,
    /// Certainly not sent: it stays pending.
    NotSent,
    /// Perhaps applied, and not looked up yet: its intent stays open.
    Open,
}

impl Outgoing {
    /// A record that was judged to be created or updated.
    pub(crate) fn of(one: Judged) -> Self {
        let case = Case::of(&one);
        let (target, fields) = match one.decision {
            Decision::Create(fields) => (None, fields),
            Decision::Update(target, fields) => (Some(target), fields),
            Decision::Hold(_) | Decision::Skip | Decision::Merge(_) | Decision::Unchanged(_) => (None, Arc::default()),
        };
        Self { case, target, fields, content: None, without: Vec::new(), trail: one.trail }
    }
}

impl Batch {
    /// What an intent keeps of it. What is written stands in the entry that the intent names, or here.
    fn payload(&self, with_fields: bool) -> Result<Vec<u8>, Error> {
        let fields: Option<Vec<&Fields>> =
            with_fields.then(|| self.writes.iter().map(|write| &*write.fields).collect());
        postcard::to_stdvec(&(self, fields)).map_err(Error::Intent)
    }

    /// The batch of an open intent.
    pub(crate) async fn of_intent(store: &Store, intent: &Intent) -> Result<Self, Error> {
        let (mut batch, fields): (Self, Option<Vec<Fields>>) =
            postcard::from_bytes(&intent.payload).map_err(Error::Intent)?;
        let mut told = match &fields {
            Some(_) => HashMap::new(),
            None => store.told_with_intent(&intent.id, WRITE).await?,
        };
        let mut fields = fields.into_iter().flatten();
        for write in &mut batch.writes {
            let found = fields.next().or_else(|| told.remove(&write.case.record));
            write.fields = Arc::new(found.ok_or_else(|| Error::Intent(postcard::Error::DeserializeUnexpectedEnd))?);
        }
        Ok(batch)
    }
}

/// An id that says which writes it is about, the same after a restart.
pub(crate) fn batch_id(ready: &Ready, writes: &[Outgoing]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(ready.flow.name.as_str().as_bytes());
    for write in writes {
        hasher.update(write.case.record.as_str().as_bytes());
        hasher.update(&write.case.digest);
        hasher.update(b"\0");
    }
    hasher.finalize().to_hex().as_str()[..32].to_owned()
}

impl Pass {
    /// Makes the intents of a wave durable; contents and identities are there then.
    pub(crate) async fn note_intents(&self, ready: &Ready, batches: &mut Vec<Batch>) -> Result<(), Error> {
        self.load_content(ready, batches).await?;
        batches.retain(|batch| !batch.writes.is_empty());
        if batches.is_empty() {
            return Ok(());
        }
        self.give_identities(batches).await?;
        self.commit_intents(ready, batches).await
    }

    async fn give_identities(&self, batches: &mut [Batch]) -> Result<(), Error> {
        let have = batches.iter().flat_map(|batch| batch.writes.iter().map(|write| write.case.identity));
        let mut fresh = self.identities_for(have.collect::<Vec<_>>().into_iter()).await?;
        for write in batches.iter_mut().flat_map(|batch| batch.writes.iter_mut()) {
            if write.case.identity.is_none() {
                write.case.identity = fresh.pop();
            }
        }
        Ok(())
    }

    async fn commit_intents(&self, ready: &Ready, batches: &mut [Batch]) -> Result<(), Error> {
        let mut commit = self.commit();
        for batch in batches {
            let mut entry = self.entry("decided", ready);
            entry.note =
                json!({"batch": batch.id, "mode": if batch.kind == Kind::Update { "update" } else { "create" }});
            entry.items = batch
                .writes
                .iter_mut()
                .map(|write| {
                    let values = std::mem::take(&mut write.trail).end(ready);
                    Item { record: write.case.record.clone(), values }
                })
                .collect();
            commit.intents.push(Intent {
                id: batch.id.clone(),
                flow: ready.flow.name.clone(),
                payload: batch.payload(false)?,
                // What it makes is looked for by the target's times.
                at: self.time_of(&ready.flow.target.system),
                entry: Some(commit.entries.len()),
            });
            commit.entries.push(entry);
        }
        self.place.store.commit(commit).await?;
        Ok(())
    }

    /// Commits what became of batches; the first reason to stop is given afterwards.
    pub(crate) async fn commit_outcomes(&self, ready: &Arc<Ready>, sent: Vec<Sent>) -> Result<(), Error> {
        let mut commit = self.commit();
        let mut stop = None;
        let keys = self.keys_elsewhere(ready);
        for Sent { batch, settled, since, stop: why } in sent {
            let mut confirmed = self.entry("confirmed", ready);
            let mut held = self.entry("held", ready);
            confirmed.note = json!({"batch": batch.id});
            let open = batch.writes.iter().zip(&settled).filter(|(_, settled)| matches!(settled, Settled::Open));
            self.commit_intent(ready, &mut commit, &batch, open.map(|(write, _)| write.clone()).collect(), since)?;
            for (write, outcome) in batch.writes.iter().zip(settled) {
                if let Settled::Applied { id, .. } = &outcome {
                    commit.keys.extend(match_rows(&ready.flow.target, &keys, id, &write.fields));
                }
                self.commit_outcome(ready, &mut commit, &mut confirmed, &mut held, write, outcome);
            }
            commit.entries.extend([confirmed, held].into_iter().filter(|entry| !entry.items.is_empty()));
            stop = stop.or(why);
            for content in batch.writes.iter().filter_map(|write| write.content.as_ref()) {
                // Confirmed or held: a later pass reads the bytes again.
                drop(tokio::fs::remove_file(&content.path).await);
            }
        }
        commit.spent = self.newly_spent();
        self.place.store.commit(commit).await?;
        match stop {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Settles a batch's intent; for writes that are still open another one takes its place.
    fn commit_intent(
        &self,
        ready: &Ready,
        commit: &mut Commit,
        batch: &Batch,
        open: Vec<Outgoing>,
        since: Timestamp,
    ) -> Result<(), Error> {
        if open.len() == batch.writes.len() {
            return Ok(());
        }
        commit.settled.push(batch.id.clone());
        if open.is_empty() {
            return Ok(());
        }
        let rest = Batch { id: batch_id(ready, &open), kind: batch.kind, writes: open };
        let payload = rest.payload(true)?;
        commit.intents.push(Intent { id: rest.id, flow: ready.flow.name.clone(), payload, at: since, entry: None });
        Ok(())
    }

    fn commit_outcome(
        &self,
        ready: &Arc<Ready>,
        commit: &mut Commit,
        confirmed: &mut handover_store::Entry,
        held: &mut handover_store::Entry,
        write: &Outgoing,
        outcome: Settled,
    ) {
        let case = &*write.settled();
        let partly = write.causes();
        if !partly.is_empty() {
            held.items.push(Item { record: case.record.clone(), values: json!({"causes": partly}).into() });
        }
        let partly = partly.into_iter().map(|cause| self.hold_of(ready, case, cause));
        let cause = match outcome {
            Settled::Applied { id, created, lacks } => {
                let became = if created { Outcome::Created } else { Outcome::Updated };
                self.did().add(became, 1);
                let mut values = Trail::new();
                values.text(ready, "target", id.as_str());
                values.text(ready, "outcome", became.word());
                confirmed.items.push(Item { record: case.record.clone(), values: values.end(ready) });
                commit.released.push((ready.flow.name.clone(), case.record.clone()));
                commit.released.extend(ready.held_back(&id));
                commit.entries.extend(self.told_forth(ready, case, &id, became));
                relink(commit, ready, &case.record, case.was_held || case.before.is_some());
                commit.links.extend(case.links.iter().cloned());
                if let (Some(key), Some(_)) = (&ready.flow.key, &case.before)
                    && write.fields.get(key.as_str()).is_some()
                {
                    // It had another record's key: under that one it is found no more.
                    let End { system, object } = ready.flow.target.clone();
                    commit.keyless.push((system, object, id.clone()));
                }
                let (rows, at) = (commit.rows.len(), commit.at);
                push_row(commit, ready, case, became, case.identity, Some(id));
                commit.rows.iter_mut().skip(rows).for_each(|row| row.written = Some(at));
                commit.holds.extend(case.holds.iter().cloned());
                commit.holds.extend(lacks.map(|fault| self.hold_of(ready, case, refused(&fault))));
                commit.holds.extend(partly);
                return;
            }
            Settled::NotSent | Settled::Open => {
                self.left_open.store(true, Ordering::Relaxed);
                return;
            }
            Settled::Refused(mut fault) => {
                // What names a field that was not sent concerns the record: nothing of it was written.
                fault.field = fault.field.filter(|field| write.fields.get(field.as_str()).is_some());
                refused(&fault)
            }
            Settled::Unknown => Cause::OutcomeUnknown,
        };
        held.items.push(Item { record: case.record.clone(), values: json!({"causes": [cause]}).into() });
        self.hold(ready, commit, case, cause);
        commit.holds.extend(partly);
    }

    /// Of what a way back wrote, the line in the story of the pair.
    fn told_forth(
        &self,
        ready: &Ready,
        case: &Case,
        record: &RecordId,
        became: Outcome,
    ) -> Option<handover_store::Entry> {
        let forth = ready.forth.clone()?;
        let values = json!({"target": case.record, "way_back": became.word()}).into();
        let item = Item { record: record.clone(), values };
        Some(handover_store::Entry {
            kind: "returned".to_owned(),
            flow: Some(forth),
            note: json!({}),
            items: vec![item],
        })
    }

    /// Puts a record that was on its way into the queue.
    pub(crate) fn hold(&self, ready: &Ready, commit: &mut Commit, case: &Case, cause: Cause) {
        if !case.was_held {
            self.did().add(Outcome::Held, 1);
        }
        commit.released.push((ready.flow.name.clone(), case.record.clone()));
        commit.holds.push(self.hold_of(ready, case, cause));
        commit.holds.extend(case.holds.iter().cloned());
        push_row(commit, ready, case, Outcome::Held, case.identity, None);
        // Of a pair whose way back was refused nothing is to be said but the hold: its row stands.
        if let (None, Some(row), Some(before)) = (&ready.forth, commit.rows.last_mut(), &case.before) {
            // It has its counterpart all the same; what was not carried stays different from the base.
            let Before { outcome, target, digest, base, mapped } = before.clone();
            (row.outcome, row.target, row.digest, row.base, row.mapped) = (outcome, Some(target), digest, base, mapped);
            // Links are calls of their own.
            relink(commit, ready, &case.record, true);
            commit.links.extend(case.links.iter().cloned());
        }
    }

    fn hold_of(&self, ready: &Ready, case: &Case, cause: Cause) -> Hold {
        Hold {
            flow: ready.flow.name.clone(),
            object: ready.flow.source.object.clone(),
            record: case.record.clone(),
            title: case.title.clone(),
            cause,
            value: None,
            announced: false,
        }
    }

    /// How records of the flow are created or updated.
    pub(crate) fn mode(&self, ready: &Ready, kind: Kind) -> Result<WriteMode, Error> {
        let system = self.setup.project.system(&ready.flow.target.system)?;
        let upsert = system
            .capabilities()
            .object(ready.flow.target.object.as_str())
            .is_some_and(|object| object.upsert != Upsert::None);
        let unique =
            |key: &handover_model::FieldName| ready.target.field(key.as_str()).is_some_and(|field| field.unique);
        Ok(match (kind, &ready.flow.key) {
            (Kind::Update, _) => WriteMode::Update,
            (Kind::Anew, _) => WriteMode::Create { key: None },
            (Kind::Create, Some(key)) if upsert && unique(key) => WriteMode::Upsert { key: key.clone() },
            (Kind::Create, key) => WriteMode::Create { key: key.clone() },
        })
    }

    /// The request that a batch is.
    pub(crate) fn request(&self, ready: &Ready, batch: &Batch, some: &[usize]) -> Result<WriteBatch, Error> {
        let mode = self.mode(ready, batch.kind)?;
        let writes = some
            .iter()
            .filter_map(|at| batch.writes.get(*at))
            .map(|write| handover_connect::Write {
                trace: write.case.record.clone(),
                id: write.target.clone(),
                fields: write.left(),
                content: write.content.clone(),
            })
            .collect();
        Ok(WriteBatch { object: ready.flow.target.object.clone(), mode, writes })
    }
}

/// The refusal of a write, as a cause.
pub(crate) fn refused(fault: &Fault) -> Cause {
    Cause::Refused { code: fault.code.clone(), field: fault.field.clone(), message: fault.message.clone() }
}

/// Whether a fault is about the records, so that other records can go on.
pub(crate) fn is_about_records(kind: FaultKind) -> bool {
    match kind {
        FaultKind::Conflict | FaultKind::Invalid | FaultKind::NotFound | FaultKind::Unsupported => true,
        FaultKind::Limited | FaultKind::Unavailable | FaultKind::Auth | FaultKind::Denied | FaultKind::Malformed => {
            false
        }
    }
}

/// The block of a record that is not staged.
pub(crate) const UNSTAGED: i64 = -1;

/// Of a record that was judged before the links that wait are told anew. Those of its way back are not: a judgement tells
/// what changed of them, not all.
pub(crate) fn relink(commit: &mut Commit, ready: &Ready, record: &RecordId, again: bool) {
    if again && ready.forth.is_none() {
        commit.relinked.push((ready.flow.name.clone(), record.clone()));
    }
}

/// The row of a record. A way back has rows only for records that are not paired: its pairs are rows of the flow that
/// it turns round.
pub(crate) fn push_row(
    commit: &mut Commit,
    ready: &Ready,
    case: &Case,
    outcome: Outcome,
    identity: Option<i64>,
    target: Option<RecordId>,
) {
    let paired = outcome.is_paired();
    let row = RecordRow {
        flow: ready.flow.name.clone(),
        record: case.record.clone(),
        outcome,
        identity,
        target,
        digest: paired.then_some(case.digest),
        base: paired.then(|| case.base.clone()),
        mapped: case.mapped_base.clone().filter(|_| paired),
        block: case.block,
        written: None,
        last_entry: None,
    };
    let Some(forth) = &ready.forth else {
        commit.rows.push(row);
        return;
    };
    if let Some(record) = row.target.clone().filter(|_| paired) {
        let outcome = case.before.as_ref().map_or(Outcome::Unchanged, |before| before.outcome);
        let block = if case.before.is_some() { case.block } else { UNSTAGED };
        let target = Some(case.record.clone());
        commit.rows.push(RecordRow { flow: forth.clone(), record, outcome, target, block, ..row.clone() });
    }
    if case.before.is_none() {
        commit.rows.push(RecordRow { target: None, digest: None, base: None, mapped: None, ..row });
    }
}

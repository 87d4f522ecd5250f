//! Sending one batch until every record of it has an outcome: halving what is refused as a whole,
//! looking up what was lost.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use handover_connect::{Fault, FaultKind, Lookup, WriteBatch, WriteMode, WriteOutcome};
use handover_model::{FieldName, Record, RecordId};
use jiff::{SignedDuration, Timestamp};

use crate::Error;
use crate::observe::Event;
use crate::pass::Pass;
use crate::pairing::source_key;
use crate::setup::Ready;
use crate::write::{Batch, Settled, is_about_records};

/// How often a write is tried when looking it up says that it was not applied.
const TRIES: u32 = 3;

/// A part of a batch that is to be sent.
struct Part {
    writes: Vec<usize>,
    tries: u32,
}

impl Pass<'_> {
    /// Sends a batch. The outcomes are in the order of its writes; the error, if any, is why the pass has
    /// to stop once they are committed.
    pub(crate) async fn send(&self, ready: &Arc<Ready>, batch: &Batch) -> Result<(Vec<Settled>, Option<Error>), Error> {
        let all = Part { writes: (0..batch.writes.len()).collect(), tries: 0 };
        self.send_parts(ready, batch, vec![all], self.place.clock.now()).await
    }

    async fn send_parts(
        &self,
        ready: &Arc<Ready>,
        batch: &Batch,
        mut parts: Vec<Part>,
        since: Timestamp,
    ) -> Result<(Vec<Settled>, Option<Error>), Error> {
        let mut settled: Vec<Option<Settled>> = batch.writes.iter().map(|_| None).collect();
        let mut stop = None;
        while let Some(part) = parts.pop() {
            if stop.is_some() {
                break;
            }
            let request = self.request(ready, batch, &part.writes)?;
            let system = self.setup.project.system(&ready.flow.target.system)?;
            match system.write(&request).await {
                Ok(written) => {
                    let mut outcomes: HashMap<RecordId, WriteOutcome> =
                        written.into_iter().map(|written| (written.trace, written.outcome)).collect();
                    let mut lost = Vec::new();
                    let mut why = None;
                    for at in &part.writes {
                        let write = &batch.writes[*at];
                        match outcomes.remove(&write.case.record) {
                            Some(WriteOutcome::Applied { id, created }) => {
                                let created = created.unwrap_or(write.target.is_none());
                                settled[*at] = Some(Settled::Applied { id, created });
                            }
                            Some(WriteOutcome::Refused(fault)) if is_about_records(fault.kind) || part.tries + 1 >= TRIES => {
                                settled[*at] = Some(Settled::Refused(fault));
                            }
                            Some(WriteOutcome::Refused(fault)) => {
                                why = why.or(Some(fault));
                                parts.push(Part { writes: vec![*at], tries: part.tries + 1 });
                            }
                            Some(WriteOutcome::Unknown(fault)) => {
                                why = Some(fault);
                                lost.push(*at);
                            }
                            None => lost.push(*at),
                        }
                    }
                    if !lost.is_empty() {
                        parts.extend(self.look_up(ready, batch, &lost, part.tries, why.as_ref(), since, &mut settled).await?);
                    }
                }
                Err(fault) if is_about_records(fault.kind) => match halves(&part) {
                    Some((one, other)) => parts.extend([other, one]),
                    None => {
                        for at in &part.writes {
                            settled[*at] = Some(Settled::Refused(fault.clone()));
                        }
                    }
                },
                Err(fault) => stop = Some(Error::system(&ready.flow.target.system, fault)),
            }
        }
        Ok((settled.into_iter().map(|one| one.unwrap_or(Settled::NotSent)).collect(), stop))
    }

    /// Looks lost writes up. What is found is applied, what is certainly not there is given back to be sent
    /// again, the rest stays unknown.
    #[expect(clippy::too_many_arguments, reason = "one lost batch's whole case, used once")]
    async fn look_up(
        &self,
        ready: &Arc<Ready>,
        batch: &Batch,
        lost: &[usize],
        tries: u32,
        why: Option<&Fault>,
        since: Timestamp,
        settled: &mut [Option<Settled>],
    ) -> Result<Vec<Part>, Error> {
        self.place.observer.on(Event::LookingUp { flow: ready.flow.name.clone(), writes: lost.len() as u64 });
        let request = self.request(ready, batch, lost)?;
        let again = |writes: Vec<usize>| Part { writes, tries: tries + 1 };
        let whole_batch_refused = why.is_some_and(|fault| matches!(fault.kind, FaultKind::Invalid | FaultKind::Conflict));
        let repeatable = matches!(request.mode, WriteMode::Update | WriteMode::Upsert { .. });
        let mut absent: Vec<usize> = lost.to_vec();
        if !repeatable {
            let found = self.find(ready, &request, since).await?;
            let Some(found) = found else {
                for at in lost {
                    settled[*at] = Some(Settled::Unknown);
                }
                return Ok(Vec::new());
            };
            absent.retain(|at| match found.get(&batch.writes[*at].case.record) {
                Some(id) => {
                    settled[*at] = Some(Settled::Applied { id: id.clone(), created: true });
                    false
                }
                None => true,
            });
        }
        if absent.is_empty() {
            return Ok(Vec::new());
        }
        if whole_batch_refused {
            let part = again(absent);
            return Ok(match halves(&part) {
                // Halving ends by itself: each half is smaller.
                Some((one, other)) => vec![Part { tries, ..other }, Part { tries, ..one }],
                None if part.tries < TRIES => vec![part],
                None => refuse(&part, why, settled),
            });
        }
        let part = again(absent);
        if part.tries < TRIES {
            return Ok(vec![part]);
        }
        // Looked up and not there, three times over: the system does not take it.
        Ok(refuse(&part, why, settled))
    }

    /// By source record: the target record that a lost write made. `None` when the platform cannot tell.
    async fn find(&self, ready: &Ready, request: &WriteBatch, since: Timestamp) -> Result<Option<HashMap<RecordId, RecordId>>, Error> {
        let end = &ready.flow.target;
        let system = self.setup.project.system(&end.system)?;
        let lookup = system.capabilities().object(end.object.as_str()).map_or(Lookup::None, |object| object.lookup);
        match lookup {
            Lookup::None => return Ok(None),
            Lookup::ByIndex { lag_ms } => {
                let lag = SignedDuration::from_millis(i64::try_from(lag_ms).unwrap_or(i64::MAX));
                let now = self.place.clock.now();
                self.place.clock.sleep_until(now.checked_add(lag).unwrap_or(now)).await;
            }
            Lookup::ByKey | Lookup::ByListing => {}
        }
        let fields: Arc<[FieldName]> = request
            .writes
            .iter()
            .flat_map(|write| write.fields.iter().map(|(name, _)| name.clone()))
            .chain(ready.flow.key.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let candidates = match system.candidates(request, &fields, since).await {
            Ok(candidates) => candidates,
            Err(fault) if fault.kind == FaultKind::Unsupported => return Ok(None),
            Err(fault) => return Err(Error::system(&end.system, fault)),
        };
        let ids: Vec<RecordId> = candidates.iter().map(|record| record.id.clone()).collect();
        let taken = self.place.store.identities(&end.system, &end.object, &ids).await?;
        let mut free: Vec<&Record> = candidates.iter().filter(|record| !record.gone && !taken.contains_key(&record.id)).collect();
        let mut found = HashMap::new();
        for write in request.writes.iter() {
            let key = source_key(&ready.flow.source.system, &ready.flow.source.object, &write.trace);
            let at = free.iter().position(|candidate| crate::fingerprint::is_of(ready, candidate, write, &key));
            if let Some(at) = at {
                found.insert(write.trace.clone(), free.swap_remove(at).id.clone());
            }
        }
        Ok(Some(found))
    }

    /// Intents that a crash left open: their writes are looked up before anything else is written.
    pub(crate) async fn settle_open_intents(&self) -> Result<(), Error> {
        for intent in self.place.store.open_intents().await? {
            let Some(ready) = self.setup.flow(&intent.flow).cloned() else { continue };
            if intent.id.starts_with(crate::links::INTENT) {
                self.settle_link_intent(&ready, &intent).await?;
                continue;
            }
            let batch: Batch = serde_json::from_slice(&intent.payload).map_err(Error::Intent)?;
            let margin = SignedDuration::from_secs(60);
            let since = intent.at.checked_sub(margin).unwrap_or(intent.at);
            let all: Vec<usize> = (0..batch.writes.len()).collect();
            let mut settled: Vec<Option<Settled>> = batch.writes.iter().map(|_| None).collect();
            // Bytes that were on their way may be gone: such a file is looked up and, if absent, left pending.
            let parts = self.look_up(&ready, &batch, &all, 0, None, since, &mut settled).await?;
            let has_content = batch.writes.iter().any(|write| write.content.is_some());
            let (resent, stop) = if parts.is_empty() || has_content {
                (Vec::new(), None)
            } else {
                self.send_parts(&ready, &batch, parts, since).await?
            };
            for (at, outcome) in resent.into_iter().enumerate() {
                if settled[at].is_none() {
                    settled[at] = Some(outcome);
                }
            }
            let settled = settled.into_iter().map(|one| one.unwrap_or(Settled::NotSent)).collect();
            self.commit_outcomes(&ready, vec![(batch, settled, stop)]).await?;
        }
        Ok(())
    }
}

fn halves(part: &Part) -> Option<(Part, Part)> {
    if part.writes.len() < 2 {
        return None;
    }
    let (one, other) = part.writes.split_at(part.writes.len() / 2);
    Some((Part { writes: one.to_vec(), tries: part.tries }, Part { writes: other.to_vec(), tries: part.tries }))
}

fn refuse(part: &Part, why: Option<&Fault>, settled: &mut [Option<Settled>]) -> Vec<Part> {
    let fault = why.cloned().unwrap_or_else(|| Fault::malformed("the system does not keep this record"));
    for at in &part.writes {
        settled[*at] = Some(Settled::Refused(fault.clone()));
    }
    Vec::new()
}

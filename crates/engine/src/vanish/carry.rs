//! Carrying out what is due of the records that vanished: questions, deletions, marks, and what people answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handover_connect::{Fault, Write, WriteBatch, WriteMode, WriteOutcome, Written};
use handover_model::{Cause, FieldName, Fields, FlowName, Outcome, ReadCost, Record, RecordId, Side, Writable};
use handover_store::{Commit, Fate, Intent, Item, Membership, RecordRow, Vanished};
use serde_json::json;

use super::asking::candidate;
use super::due::{Case, Question, What};
use super::merging::REMOVE;
use super::{Found, Tripped, unpair};
use crate::Error;
use crate::pairing::Pairing;
use crate::pass::Pass;
use crate::setup::Ready;
use crate::trail::Trail;
use crate::write::is_about_records;

/// Counterparts that are read together.
const TOGETHER: usize = 100;

impl Pass {
    /// Carries out what is due of all flows, children first; with `only` no more than what people answered to these
    /// records, which are taken off it. Gives the flows in which the guard let nothing through.
    pub(crate) async fn carry_vanished(
        self: &Arc<Self>,
        only_answered: bool,
        mut only: Option<&mut BTreeMap<FlowName, BTreeSet<RecordId>>>,
    ) -> Result<Vec<Tripped>, Error> {
        let mut tripped = Vec::new();
        for ready in self.setup.flows.iter().rev() {
            let flow = &ready.flow.name;
            let mut answers = self.answers_given(flow).await?;
            if let Some(only) = &only {
                answers.retain(|record, _| only.get(flow).is_some_and(|wanted| wanted.contains(record)));
            }
            if only_answered && answers.is_empty() {
                continue;
            }
            let mut cases = Vec::new();
            for side in Side::ALL {
                cases.extend(self.due(ready, side, &answers, only_answered).await?);
            }
            if let Some(trip) = self.guard(flow, &cases).await? {
                tripped.push(trip);
                let harmless =
                    |case: &Case| matches!(case.what, What::Keep | What::LeaveOut | What::Anew | What::Nothing);
                cases.retain(harmless);
            }
            if let Some(wanted) = only.as_mut().and_then(|only| only.get_mut(flow)) {
                // What is gone from the source is not judged again, whatever was answered.
                let missed = self.place.store.vanished(flow, Side::Source, false).await?;
                let missed = missed.iter().map(|gone| &gone.source).chain(cases.iter().map(|case| &case.gone.source));
                for record in missed {
                    wanted.remove(record);
                }
            }
            self.carry_cases(ready, cases).await?;
        }
        Ok(tripped)
    }

    async fn carry_cases(self: &Arc<Self>, ready: &Arc<Ready>, cases: Vec<Case>) -> Result<(), Error> {
        if cases.is_empty() {
            return Ok(());
        }
        let mut anew = BTreeSet::new();
        let mut ended = Vec::new();
        let mut acts: BTreeMap<Side, Vec<Case>> = BTreeMap::new();
        let mut commit = self.commit();
        for case in cases {
            match case.what {
                What::Nothing => {
                    ended.extend(case.row.target.is_none().then(|| case.gone.source.clone()));
                    self.nothing_left(&mut commit, ready, &case).await?;
                }
                What::Keep => self.kept(&mut commit, ready, &case).await?,
                What::LeaveOut => self.left_out(&mut commit, ready, &case).await?,
                What::Anew => {
                    anew.insert(case.gone.source.clone());
                    self.missed(&mut commit, ready, &case);
                }
                What::Ask(Question::TargetGone | Question::Deleted) if case.gone.side == Side::Target => {
                    let cause = Cause::TargetGone { target: case.gone.record.clone() };
                    self.ask(&mut commit, ready, &case, cause).await?;
                }
                What::Ask(_) | What::Delete | What::Mark(..) | What::Merge => {
                    acts.entry(case.gone.side).or_default().push(case);
                }
            }
        }
        commit.links.extend(self.links_to(ready, &anew).await?);
        self.place.store.commit(commit).await?;
        self.wait_no_longer(&ready.flow.name, &ended).await?;
        for (side, cases) in acts {
            self.act(ready, side, cases).await?;
        }
        if !anew.is_empty() {
            // The question is answered once the record was judged: then the next pass finds nothing left of it.
            let pairing = Pairing::of(&ready.flow, &ready.target);
            self.some_records(ready, &pairing, &anew).await?;
        }
        Ok(())
    }

    /// What needs the counterpart as it is now.
    async fn act(self: &Arc<Self>, ready: &Arc<Ready>, side: Side, cases: Vec<Case>) -> Result<(), Error> {
        let there = ready.flow.end(side.opposite());
        let (mut deletes, mut marks) = (Vec::new(), Vec::new());
        let mut rest = cases.into_iter().peekable();
        while rest.peek().is_some() {
            self.go_on()?;
            let chunk: Vec<Case> = rest.by_ref().take(TOGETHER).collect();
            let mut ids: Vec<RecordId> = chunk.iter().filter_map(|case| case.counterpart().cloned()).collect();
            let survivors = self.survivors(ready, side, &chunk).await?;
            ids.extend(survivors.values().cloned());
            let mut cards = self.cards(ready, side.opposite(), &ids).await?;
            let mut commit = self.commit();
            for case in chunk {
                let Some(id) = case.counterpart().cloned() else { continue };
                let survivor = case.survivor().and_then(|into| survivors.get(into));
                if !cards.contains_key(&id) {
                    let found = self.sought(there, std::slice::from_ref(&id)).await?;
                    match found.get(&id) {
                        // It became another record, perhaps the survivor itself: the pair follows first.
                        Some(Found::Became(now)) => {
                            self.became(there, now, &[id], &mut commit).await?;
                            if case.gone.certain {
                                self.nothing_left(&mut commit, ready, &case).await?;
                            }
                        }
                        Some(Found::Live) => {}
                        Some(Found::Gone) | None => self.nothing_left(&mut commit, ready, &case).await?,
                    }
                    continue;
                }
                match &case.what {
                    What::Ask(asked) => {
                        let card = |key: &str, id: &RecordId| candidate(ready, side, key, cards.get(id)?);
                        let own = card("counterpart", &id);
                        let cause = match (asked, survivor) {
                            (Question::Merged { into, certain }, survivor) => Cause::SourceMerged {
                                into: into.clone(),
                                certain: *certain,
                                candidates: survivor
                                    .and_then(|id| card("survivor", id))
                                    .into_iter()
                                    .chain(own)
                                    .collect(),
                            },
                            (Question::Deleted | Question::TargetGone, _) => {
                                Cause::SourceDeleted { candidates: own.into_iter().collect() }
                            }
                        };
                        self.ask(&mut commit, ready, &case, cause).await?;
                    }
                    What::Merge => self.merge_counterparts(ready, &case, &cards).await?,
                    What::Delete => deletes.extend(cards.remove(&id).map(|card| (case, card))),
                    What::Mark(..) => marks.extend(cards.remove(&id).map(|card| (case, card))),
                    What::Keep | What::LeaveOut | What::Anew | What::Nothing => {}
                }
            }
            self.place.store.commit(commit).await?;
        }
        self.delete_all(ready, side, deletes).await?;
        self.mark_all(ready, side, marks).await
    }

    /// By record that others became: its counterpart.
    pub(super) async fn survivors(
        &self,
        ready: &Ready,
        side: Side,
        cases: &[Case],
    ) -> Result<BTreeMap<RecordId, RecordId>, Error> {
        let into: Vec<RecordId> = cases.iter().filter_map(|case| case.survivor().cloned()).collect();
        let rows = self.rows_on(ready, side, &into).await?;
        let pair = |row: RecordRow| match side {
            Side::Source => Some((row.record, row.target?)),
            Side::Target if row.outcome == Outcome::Merged => None,
            Side::Target => Some((row.target?, row.record)),
        };
        Ok(rows.into_iter().filter_map(pair).collect())
    }

    /// Live records of a side with everything that can be written of them.
    pub(super) async fn cards(
        &self,
        ready: &Ready,
        side: Side,
        ids: &[RecordId],
    ) -> Result<BTreeMap<RecordId, Record>, Error> {
        let end = ready.flow.end(side);
        let schema = if side == Side::Source { &ready.source } else { &ready.target };
        let listed = schema.fields.iter().filter(|field| {
            field.writable != Writable::Never && field.read == ReadCost::Listed && !crate::vanish::is_link(&field.kind)
        });
        let mut fields: BTreeSet<FieldName> = listed.map(|field| field.name.clone()).collect();
        if side == Side::Target {
            fields.extend(ready.flow.rules.iter().map(|rule| rule.target.clone()));
        }
        let fields: Arc<[FieldName]> = fields.into_iter().collect();
        let system = self.setup.project.system(&end.system)?;
        let found = system.fetch(&end.object, &fields, ids).await.map_err(|fault| Error::system(&end.system, fault))?;
        let live = found.into_iter().filter(|record| !record.gone && ids.contains(&record.id));
        Ok(live.map(|record| (record.id.clone(), record)).collect())
    }

    /// There is no counterpart, or no pair any more.
    pub(super) async fn nothing_left(&self, commit: &mut Commit, ready: &Ready, case: &Case) -> Result<(), Error> {
        let Case { gone, row, .. } = case;
        let is_pair = match gone.side {
            Side::Source => row.outcome != Outcome::Merged,
            Side::Target => row.target.as_ref() == Some(&gone.record),
        };
        if gone.certain || !is_pair {
            commit.returned.push((gone.flow.clone(), gone.side, gone.record.clone()));
            return self.unask(commit, ready, &gone.source).await;
        }
        let holds = self.place.store.holds_of(&gone.flow, &gone.source).await?;
        if holds.iter().any(|hold| hold.cause == Cause::OutcomeUnknown) {
            // A counterpart may have been made: somebody looks first.
            return Ok(());
        }
        self.pair_ends(commit, ready, case, "nothing").await
    }

    /// Both records of a pair are gone, and the links that waited for one of them.
    async fn pair_ends(&self, commit: &mut Commit, ready: &Ready, case: &Case, how: &str) -> Result<(), Error> {
        let Case { gone, row, .. } = case;
        commit.linked.extend(self.place.store.links_waiting_for(&gone.flow, &gone.source).await?);
        let mut entry = self.entry("removed", ready);
        let values = json!({"how": how, "record": case.counterpart()});
        entry.items.push(Item { record: gone.source.clone(), values: values.into() });
        commit.entries.push(entry);
        commit.released.push((gone.flow.clone(), gone.source.clone()));
        commit.released.extend(case.way_back(ready));
        let members = [(Side::Source, Some(&row.record)), (Side::Target, row.target.as_ref())];
        for (side, record) in members.into_iter().filter_map(|(side, record)| Some((side, record?))) {
            let end = ready.flow.end(side);
            commit.keyless.push((end.system.clone(), end.object.clone(), record.clone()));
            commit.memberships.extend(row.identity.map(|identity| Membership {
                system: end.system.clone(),
                object: end.object.clone(),
                record: record.clone(),
                identity,
                role: String::new(),
                state: "deleted".to_owned(),
            }));
        }
        let counterpart = case.counterpart().cloned();
        commit.vanished.push(Vanished { fate: Fate::Deleted, counterpart, ..gone.clone() });
        unpair(commit, &gone.flow, row, Outcome::Excluded);
        match &row.target {
            Some(target) => self.parts_follow(ready, target, None, commit).await,
            None => Ok(()),
        }
    }

    async fn kept(&self, commit: &mut Commit, ready: &Ready, case: &Case) -> Result<(), Error> {
        let mut entry = self.entry("kept", ready);
        let values = json!({"record": case.counterpart()});
        entry.items.push(Item { record: case.gone.source.clone(), values: values.into() });
        commit.entries.push(entry);
        commit.vanished.push(Vanished { fate: Fate::Kept, ..case.gone.clone() });
        if case.gone.side == Side::Target {
            commit.released.extend(case.way_back(ready));
            // Nothing can be linked with what is gone; when it comes again its links are made anew.
            let (flow, source) = (&case.gone.flow, &case.gone.source);
            commit.linked.extend(self.place.store.links_waiting_for(flow, source).await?);
            commit.relinked.push((flow.clone(), source.clone()));
        }
        self.vanishings().kept += 1;
        self.unask(commit, ready, &case.gone.source).await
    }

    /// The counterpart is gone, and the record is left out from now on.
    async fn left_out(&self, commit: &mut Commit, ready: &Ready, case: &Case) -> Result<(), Error> {
        let mut entry = self.entry("skipped", ready);
        let values = json!({"gone": case.gone.record.as_str()});
        entry.items.push(Item { record: case.gone.source.clone(), values: values.into() });
        commit.entries.push(entry);
        commit.returned.push((case.gone.flow.clone(), case.gone.side, case.gone.record.clone()));
        unpair(commit, &case.gone.flow, &case.row, Outcome::Skipped);
        let end = &ready.flow.target;
        commit.keyless.push((end.system.clone(), end.object.clone(), case.gone.record.clone()));
        commit.released.push((case.gone.flow.clone(), case.gone.source.clone()));
        Ok(())
    }

    /// The counterpart is gone, and the record waits to be judged like a new one.
    fn missed(&self, commit: &mut Commit, ready: &Ready, case: &Case) {
        let end = &ready.flow.target;
        commit.keyless.push((end.system.clone(), end.object.clone(), case.gone.record.clone()));
        if case.row.target.as_ref() == Some(&case.gone.record) {
            unpair(commit, &case.gone.flow, &case.row, Outcome::Pending);
        }
    }

    /// Deletes counterparts, batch by batch: what they say is durable first.
    async fn delete_all(&self, ready: &Arc<Ready>, side: Side, cases: Vec<(Case, Record)>) -> Result<(), Error> {
        let there = ready.flow.end(side.opposite());
        let batch = self.can(there)?.map_or(1, |can| can.delete_batch.max(1));
        let mut rest = cases.into_iter().peekable();
        while rest.peek().is_some() {
            self.go_on()?;
            let chunk: Vec<(Case, Record)> = rest.by_ref().take(usize::try_from(batch).unwrap_or(1)).collect();
            let intent = self.note_removal(ready, "delete", &chunk).await?;
            let ids: Vec<RecordId> = chunk.iter().map(|(_, card)| card.id.clone()).collect();
            let system = self.setup.project.system(&there.system)?;
            let written =
                self.answered_for(ready, side, &ids, &intent, system.delete(&there.object, &ids).await).await?;
            let mut commit = self.commit();
            let mut unknown = false;
            for (case, card) in chunk {
                match outcome_of(&written, &card.id) {
                    WriteOutcome::Applied { .. } => {
                        self.pair_ends(&mut commit, ready, &case, "delete").await?;
                        self.vanishings().deleted += 1;
                    }
                    WriteOutcome::Refused(fault) => self.refused(&mut commit, ready, &case, &card, fault).await?,
                    WriteOutcome::Unknown(_) => unknown = true,
                }
            }
            // What is not known is looked up by the next pass, which finds the intent.
            commit.settled.extend((!unknown).then_some(intent));
            commit.spent = self.newly_spent();
            self.place.store.commit(commit).await?;
        }
        Ok(())
    }

    /// Marks counterparts.
    async fn mark_all(&self, ready: &Arc<Ready>, side: Side, cases: Vec<(Case, Record)>) -> Result<(), Error> {
        let there = ready.flow.end(side.opposite());
        let batch = self.can(there)?.map_or(1, |can| can.write_batch.max(1));
        let mut rest = cases.into_iter().peekable();
        while rest.peek().is_some() {
            self.go_on()?;
            let chunk: Vec<(Case, Record)> = rest.by_ref().take(usize::try_from(batch).unwrap_or(1)).collect();
            let intent = self.note_removal(ready, "mark", &chunk).await?;
            let writes = chunk.iter().map(|(case, card)| {
                let mark =
                    if let What::Mark(field, value) = &case.what { Some((field.clone(), value.clone())) } else { None };
                let fields: Fields = mark.into_iter().collect();
                Write { trace: card.id.clone(), id: Some(card.id.clone()), fields: fields.into(), content: None }
            });
            let request =
                WriteBatch { object: there.object.clone(), mode: WriteMode::Update, writes: writes.collect() };
            let ids: Vec<RecordId> = chunk.iter().map(|(_, card)| card.id.clone()).collect();
            let system = self.setup.project.system(&there.system)?;
            let written = self.answered_for(ready, side, &ids, &intent, system.write(&request).await).await?;
            let mut commit = self.commit();
            for (case, card) in chunk {
                match outcome_of(&written, &card.id) {
                    WriteOutcome::Applied { .. } => {
                        let mut entry = self.entry("removed", ready);
                        let values = json!({"how": "mark", "record": card.id.as_str()});
                        entry.items.push(Item { record: case.gone.source.clone(), values: values.into() });
                        commit.entries.push(entry);
                        commit.vanished.push(Vanished { fate: Fate::Marked, ..case.gone.clone() });
                        self.vanishings().marked += 1;
                        self.unask(&mut commit, ready, &case.gone.source).await?;
                    }
                    WriteOutcome::Refused(fault) => self.refused(&mut commit, ready, &case, &card, fault).await?,
                    // It is still pending, and a mark may be set twice.
                    WriteOutcome::Unknown(_) => {}
                }
            }
            commit.settled.push(intent);
            commit.spent = self.newly_spent();
            self.place.store.commit(commit).await?;
        }
        Ok(())
    }

    /// Makes durable what is about to be done, with what the counterparts say until then; gives the intent.
    pub(super) async fn note_removal(
        &self,
        ready: &Ready,
        how: &str,
        cases: &[(Case, Record)],
    ) -> Result<String, Error> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(ready.flow.name.as_str().as_bytes()).update(how.as_bytes());
        let mut entry = self.entry("removing", ready);
        entry.note = json!({"how": how});
        for (case, card) in cases {
            hasher.update(b"\0").update(card.id.as_str().as_bytes());
            let mut trail = Trail::new();
            trail.text(ready, "record", card.id.as_str());
            trail.fields(ready, "before", card.fields.iter().filter(|(_, value)| !value.is_blank()));
            entry.items.push(Item { record: case.gone.source.clone(), values: trail.end(ready) });
        }
        let id = format!("{REMOVE}{}", &hasher.finalize().to_hex()[..32]);
        let mut commit = self.commit();
        let flow = ready.flow.name.clone();
        commit.intents.push(Intent { id: id.clone(), flow, payload: Vec::new(), at: commit.at, entry: Some(0) });
        commit.entries.push(entry);
        self.place.store.commit(commit).await?;
        Ok(id)
    }

    /// What a request answered; when it was certainly not carried out for a reason that is not the records', the
    /// intent is settled and the pass ends.
    async fn answered_for(
        &self,
        ready: &Ready,
        side: Side,
        ids: &[RecordId],
        intent: &str,
        written: Result<Vec<Written>, Fault>,
    ) -> Result<Vec<Written>, Error> {
        match written {
            Ok(written) => Ok(written),
            Err(fault) if is_about_records(fault.kind) => {
                let refused =
                    |id: &RecordId| Written { trace: id.clone(), outcome: WriteOutcome::Refused(fault.clone()) };
                Ok(ids.iter().map(refused).collect())
            }
            Err(fault) => {
                let settled = vec![intent.to_owned()];
                self.place.store.commit(Commit { settled, ..self.commit() }).await?;
                Err(Error::system(&ready.flow.end(side.opposite()).system, fault))
            }
        }
    }
}

/// What became of one record of a batch.
fn outcome_of(written: &[Written], id: &RecordId) -> WriteOutcome {
    let found = written.iter().find(|written| written.trace == *id).map(|written| written.outcome.clone());
    found.unwrap_or_else(|| WriteOutcome::Unknown(Fault::malformed("the answer does not mention this record")))
}

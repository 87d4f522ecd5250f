//! Judging: what is to become of each record of a block. Reads the state, writes nothing.

use std::collections::HashSet;
use std::sync::Arc;

use handover_model::{Answer, Cause, FieldName, Fields, Hold, Outcome, Record, RecordId, Value};
use handover_store::{GivenAnswer, PendingLink, RecordRow};

use crate::Error;
use crate::base::{OpenLink, leaving_open};
use crate::change::Again;
use crate::cohorts::Placed;
use crate::merge::{merge, written_over};
use crate::pairing::{Card, Paired, Pairing};
use crate::pass::Pass;
use crate::planted::Planted;
use crate::resolve::{Parents, Resolved, misplaced, split_links};
use crate::setup::Ready;
pub(crate) use crate::staged::{Look, Staged};
use crate::title::title;
use crate::trail::{BEFORE, SOURCE, Trail};
use crate::transform::Mapped;

/// What is to become of a record.
pub(crate) struct Judged {
    pub(crate) record: RecordId,
    pub(crate) title: String,
    pub(crate) block: i64,
    /// The record's identity, when it has one already.
    pub(crate) identity: Option<i64>,
    /// Whether it was held already.
    pub(crate) was_held: bool,
    pub(crate) decision: Decision,
    /// What the ledger tells of it.
    pub(crate) trail: Trail,
    /// The mapped values, for the ledger.
    pub(crate) mapped: Arc<Fields>,
    /// Digest of the mapped values.
    pub(crate) digest: [u8; 16],
    /// What the target says of the mapped fields once this is written.
    pub(crate) base: Vec<u8>,
    /// What the rules made of the source, where the target says something else.
    pub(crate) mapped_base: Option<Vec<u8>>,
    /// Holds on single fields of a record that was carried before.
    pub(crate) holds: Vec<Hold>,
    /// What was settled of a record that was carried before.
    pub(crate) before: Option<RecordRow>,
    /// Links for the second step.
    pub(crate) links: Vec<PendingLink>,
    /// Of a record with which a way back pairs: all that it says once this is written.
    pub(crate) after: Option<Fields>,
}

/// The decision.
pub(crate) enum Decision {
    /// Kept out, for these causes.
    Hold(Vec<Hold>),
    /// Left out by a person's answer.
    Skip,
    /// Merged by a person's answer into another record's target.
    Merge(RecordId),
    /// Paired, and nothing to write.
    Unchanged(RecordId),
    /// A new record.
    Create(Arc<Fields>),
    /// An existing record gets these fields.
    Update(RecordId, Arc<Fields>),
}

/// A record that is to be decided about: its row so far, its mapped values, and the answers given to it.
type Open = (Staged, Option<RecordRow>, Vec<Mapped>, Vec<GivenAnswer>);

/// Records that are to be decided about, with all that does not hang on what became of others.
pub(crate) struct Opened {
    open: Vec<Open>,
    /// Those that were carried before.
    again: Vec<Again>,
    /// Those that are kept out whatever became of others.
    held: Vec<Judged>,
    /// In which cohorts they are, where that is news.
    pub(crate) placed: Placed,
}

impl Opened {
    /// Pairs that are to be judged again.
    pub(crate) fn again(again: Vec<Again>, placed: Placed) -> Self {
        Self { open: Vec::new(), again, held: Vec::new(), placed }
    }
}

impl Pass {
    /// Of these records those that are in the flow's scope and not settled yet, mapped; when they are looked at again
    /// also those that are settled but for a field that is held. What waits for its cohort is not among them.
    pub(crate) async fn open(&self, ready: &Arc<Ready>, mut staged: Vec<Staged>, look: Look) -> Result<Opened, Error> {
        let flow = &ready.flow.name;
        let ids: Vec<RecordId> = staged.iter().map(|staged| staged.record.id.clone()).collect();
        let mut rows = self.place.store.rows(flow, &ids).await?;
        let mut answers = self.place.store.answers(flow, &ids).await?;
        let unknown = self.unknown_outcomes(flow, rows.values()).await?;
        let placed = self.place(ready, &mut staged, look).await?;
        let waiting = if look == Look::Again { self.place.store.held_among(flow, &ids).await? } else { HashSet::new() };
        let parted = self.parted(ready, rows.values()).await?;
        let mut open = Vec::new();
        let mut again = Vec::new();
        let mut held = Vec::new();
        for staged in staged {
            let row = rows.remove(&staged.record.id);
            let settled = row.as_ref().filter(|row| !matches!(row.outcome, Outcome::Held | Outcome::Pending));
            // What was settled is judged again when it was read again since, when somebody answered, or when what a
            // field of it waited for is there.
            let calls =
                look == Look::Due || answers.contains_key(&staged.record.id) || waiting.contains(&staged.record.id);
            if settled.is_some_and(|row| staged.block <= row.block && !calls) {
                continue;
            }
            // What was deleted is judged again when it was read again, whatever somebody answered.
            if row.as_ref().is_some_and(|row| row.outcome == Outcome::Excluded && staged.block <= row.block) {
                continue;
            }
            if staged.standing.waits {
                continue;
            }
            if unknown.contains(&staged.record.id) {
                let causes = vec![(Cause::OutcomeUnknown, None)];
                held.push(self.held(ready, &staged, row.as_ref(), causes, Trail::new()));
                continue;
            }
            let answers = answers.remove(&staged.record.id).unwrap_or_default();
            let (row, pair) = match row {
                Some(row) if row.outcome.is_paired() && !parted.contains(&row.record) => (None, Some(row)),
                row => (row, None),
            };
            // Whether it is in the flow's scope still is judged with everything else of the pair.
            if let Some(row) = pair {
                let mapped = ready.program.apply(&staged.record);
                again.push(Again { staged, row, mapped, answers, there: None, due: look == Look::Due });
                continue;
            }
            let in_scope = match &staged.standing.untold {
                Some(message) if !row.as_ref().is_some_and(|row| row.outcome.is_paired()) => Err(message.clone()),
                _ => ready.program.in_scope(&staged.record),
            };
            match in_scope {
                Ok(true) => {
                    let mapped = ready.program.apply(&staged.record);
                    open.push((staged, row, mapped, answers));
                }
                Ok(false) => {}
                Err(message) => {
                    let cause = Cause::Expression { field: FieldName::from("where"), message };
                    held.push(self.held(ready, &staged, row.as_ref(), vec![(cause, None)], Trail::new()));
                }
            }
        }
        Ok(Opened { open, again, held, placed })
    }

    /// Judges records.
    pub(crate) async fn judge(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        opened: Opened,
    ) -> Result<Vec<Judged>, Error> {
        let Opened { open, again, held: mut judged, .. } = opened;
        let left_alone = |row: &RecordRow| row.outcome == Outcome::Excluded;
        let revived = open.iter().filter(|(_, row, ..)| row.as_ref().is_some_and(left_alone));
        self.keep_links_to(ready, &revived.map(|(staged, ..)| staged.record.id.clone()).collect()).await?;
        let mapped = open.iter().map(|(_, _, mapped, _)| mapped).chain(again.iter().map(|again| &again.mapped));
        let parents = self.parents(ready, mapped.map(Vec::as_slice)).await?;
        let undecided: Vec<&Record> = open.iter().map(|(staged, ..)| &staged.record).collect();
        let news: Vec<Record> = match &ready.forth {
            Some(_) => undecided.iter().map(|record| (*record).clone()).collect(),
            None => Vec::new(),
        };
        let keyed = pairing.keyed(&self.place.store, &undecided).await?;
        let cards = self.cards_now(ready, &keyed.unstaged()).await?;
        let mut pairs = pairing.pair(&self.place.store, &undecided, &keyed, &cards).await?;
        self.pair_by_identity(ready, &undecided, &mut pairs).await?;
        // What was never settled was no pair before; the way back of a flow has no rows of its own.
        let known = open.iter().filter(|(_, row, ..)| row.is_some() || ready.forth.is_some());
        let known: Vec<RecordId> = known.map(|(staged, ..)| staged.record.id.clone()).collect();
        self.pair_as_before(ready, pairing, &known, (&undecided, &mut pairs)).await?;
        self.hold_doubtful(ready, &undecided, &mut pairs).await?;
        for ((staged, row, mapped, answers), paired) in open.into_iter().zip(pairs) {
            judged.push(self.decide(ready, staged, row, mapped, &answers, paired, &parents).await?);
        }
        judged.extend(self.judge_again(ready, again, &parents).await?);
        if ready.forth.is_some() {
            self.settle_new_pairs(ready, &mut judged, &news).await?;
        }
        Ok(judged)
    }

    #[expect(clippy::too_many_arguments, reason = "one record's whole case, used once")]
    async fn decide(
        &self,
        ready: &Arc<Ready>,
        staged: Staged,
        row: Option<RecordRow>,
        mapped: Vec<Mapped>,
        answers: &[GivenAnswer],
        paired: Paired,
        parents: &Parents,
    ) -> Result<Judged, Error> {
        if answers.iter().any(|given| matches!(given.answer, Answer::Skip)) {
            return Ok(self.judged(ready, &staged, row.as_ref(), Decision::Skip, Trail::new(), Carried::default()));
        }
        let mut resolved = self.resolve(ready, &staged.record, mapped, answers, parents.at_first());
        ready.hold_frozen_values(&mut resolved);
        let paired = self.answered(ready, answers, paired, &mut resolved).await?;
        let (target, by) = match paired {
            Paired::Held(cause) => {
                resolved.causes.push((cause, None));
                (None, None)
            }
            Paired::New => (None, None),
            Paired::With { target, block, by, card } => {
                let other = self.claim(ready, &staged.record.id, &target).await?;
                if other.is_some() && self.lost_key(ready, &staged.record.id, &target, &by).await? {
                    (None, None)
                } else {
                    let cause = |other| (Cause::DuplicateSource { key: by.clone(), others: vec![other] }, None);
                    resolved.causes.extend(other.map(cause));
                    (Some((target, block, card)), Some(by))
                }
            }
        };
        if let Some(Answer::MergeInto { record }) =
            answers.iter().rev().map(|given| &given.answer).find(|answer| matches!(answer, Answer::MergeInto { .. }))
        {
            let other = self.place.store.targets_of_flow(&ready.flow.name, std::slice::from_ref(record)).await?;
            if let Some(target) = other.get(record) {
                let mut trail = Trail::new();
                trail.text(ready, "merged_into", record.as_str());
                let decision = Decision::Merge(target.clone());
                return Ok(self.judged(ready, &staged, row.as_ref(), decision, trail, Carried::of(resolved.fields)));
            }
        }
        if target.is_none() {
            self.missing(ready, &mut resolved);
        }
        misplaced(ready, &mut resolved);
        if self.errs(Planted::HoldWithoutReason) && staged.record.id.as_str().ends_with('7') {
            resolved
                .causes
                .extend(ready.flow.rules.first().map(|rule| (Cause::Missing { field: rule.target.clone() }, None)));
        }
        let mut trail = Trail::new();
        trail.fields(ready, SOURCE, staged.record.fields.iter());
        match &by {
            Some(by) => trail.text(ready, "match", by),
            None => trail.tell(ready, "match", &by),
        }
        if !resolved.dropped.is_empty() {
            trail.tell(ready, "links_left_out", &resolved.dropped);
        }
        if !resolved.causes.is_empty() {
            trail.fields(ready, "mapped", resolved.fields.iter());
            return Ok(self.held(ready, &staged, row.as_ref(), resolved.causes, trail));
        }
        self.settle(ready, staged, row, target, resolved, trail).await
    }

    /// Create, update, or nothing to do.
    async fn settle(
        &self,
        ready: &Arc<Ready>,
        staged: Staged,
        row: Option<RecordRow>,
        target: Option<(RecordId, i64, Option<Card>)>,
        resolved: Resolved,
        mut trail: Trail,
    ) -> Result<Judged, Error> {
        let Some((target, block, card)) = target else {
            let mapped = Arc::new(resolved.fields);
            let (fields, separate, open) = split_links(ready, &staged.record.id, &mapped, &resolved.found, None);
            tell_write(ready, &mut trail, &staged, &mapped, &fields);
            let carried = Carried { fields: mapped, links: [resolved.links, separate].concat() };
            let mut judged = self.judged(ready, &staged, row.as_ref(), Decision::Create(fields), trail, carried);
            judged.leave_open(ready, &open);
            return Ok(judged);
        };
        let there = match card {
            Some(card) => Some(*card),
            None => self.target_record(ready, &target, block).await?,
        };
        let Some(there) = there else {
            let causes = vec![(Cause::TargetGone { target }, None)];
            return Ok(self.held(ready, &staged, row.as_ref(), causes, trail));
        };
        // Who was merged into another record answers as that one, which may have a counterpart.
        if there.id != target
            && let Some(other) = self.claim(ready, &staged.record.id, &there.id).await?
        {
            let causes =
                vec![(Cause::DuplicateSource { key: "merged counterpart".to_owned(), others: vec![other] }, None)];
            return Ok(self.held(ready, &staged, row.as_ref(), causes, trail));
        }
        let target = there.id.clone();
        let merged = merge(ready, &staged, &resolved.fields, &there);
        trail.fields(ready, BEFORE, merged.before.iter());
        let wanted = Arc::new(merged.write);
        let (fields, separate, open) =
            split_links(ready, &staged.record.id, &wanted, &resolved.found, Some(&there.fields));
        let mapped = Arc::new(resolved.fields);
        let decision = if fields.is_empty() {
            Decision::Unchanged(target)
        } else {
            tell_write(ready, &mut trail, &staged, &mapped, &fields);
            Decision::Update(target, fields)
        };
        let carried = Carried { fields: mapped, links: [resolved.links, separate].concat() };
        let mut judged = self.judged(ready, &staged, row.as_ref(), decision, trail, carried);
        let mapped = std::mem::take(&mut judged.base);
        let after = written_over(there.fields, &wanted);
        judged.settles(mapped, crate::base::encode(ready, &after));
        judged.leave_open(ready, &open);
        judged.after = ready.forth.is_some().then_some(after);
        Ok(judged)
    }

    /// The target record as it was staged; fetched when it was not (a person chose it), or when people may have
    /// changed it since: once changes are read, the copy that was found by a key may be an old one.
    async fn target_record(&self, ready: &Ready, target: &RecordId, block: i64) -> Result<Option<Record>, Error> {
        let end = &ready.flow.target;
        // What a way back changes is looked at as it is now.
        let fresh = self.place.store.watermark(&end.system, &end.object).await?.is_none();
        if block >= 0 && fresh && ready.forth.is_none() {
            let records = self.place.store.block(&end.system, &end.object, block).await?;
            if let Some(record) = records.iter().find(|record| record.id == *target) {
                return Ok(Some(record.clone()));
            }
        }
        Ok(self.targets_now(ready, std::slice::from_ref(target)).await?.into_iter().next())
    }

    /// Target records as they are now, with everything that is mapped, in as few calls as there can be; those that are
    /// gone are not among them.
    pub(crate) async fn targets_now(&self, ready: &Ready, ids: &[RecordId]) -> Result<Vec<Record>, Error> {
        let end = &ready.flow.target;
        let fields: Arc<[FieldName]> = ready.targets().chain(ready.flow.key.clone()).collect();
        if ready.back.is_some() || ready.forth.is_some() {
            return self.read_now(&self.reading_of(end), ids).await;
        }
        let system = self.setup.project.system(&end.system)?;
        let now = system.fetch(&end.object, &fields, ids).await.map_err(|fault| Error::system(&end.system, fault))?;
        Ok(now.into_iter().filter(|record| !record.gone).collect())
    }

    /// People's answers to the question of who the counterpart is.
    async fn answered(
        &self,
        ready: &Ready,
        answers: &[GivenAnswer],
        paired: Paired,
        resolved: &mut Resolved,
    ) -> Result<Paired, Error> {
        for given in answers.iter().rev() {
            match &given.answer {
                Answer::Choose { target } => {
                    return Ok(Paired::With {
                        target: target.clone(),
                        block: -1,
                        by: format!("{}'s choice", given.reviewer),
                        card: None,
                    });
                }
                // Whatever has its key already is what would be written to.
                Answer::Create if ready.flow.key.is_some() && paired.is_by_key() => return Ok(paired),
                Answer::Create => return Ok(Paired::New),
                Answer::Edit { field, value, .. } => {
                    if ready.target.field(field.as_str()).is_none() {
                        let rule = "the edited field does not exist".to_owned();
                        resolved.causes.push((Cause::Invalid { field: field.clone(), rule }, Some(value.clone())));
                    }
                }
                Answer::Translate { .. }
                | Answer::Assign { .. }
                | Answer::MergeInto { .. }
                | Answer::Take { .. }
                | Answer::Delete
                | Answer::Merge
                | Answer::Keep
                | Answer::Skip
                | Answer::Accept
                | Answer::Retry
                | Answer::Close => {}
            }
        }
        Ok(paired)
    }

    fn held(
        &self,
        ready: &Ready,
        staged: &Staged,
        row: Option<&RecordRow>,
        causes: Vec<(Cause, Option<Value>)>,
        trail: Trail,
    ) -> Judged {
        let holds = holds(ready, &staged.record, causes);
        self.judged(ready, staged, row, Decision::Hold(holds), trail, Carried::default())
    }

    pub(crate) fn judged(
        &self,
        ready: &Ready,
        staged: &Staged,
        row: Option<&RecordRow>,
        decision: Decision,
        trail: Trail,
        mapped: Carried,
    ) -> Judged {
        let base = crate::base::encode(ready, &mapped.fields);
        Judged {
            record: staged.record.id.clone(),
            title: title(&staged.record),
            block: staged.block,
            identity: row.and_then(|row| row.identity),
            was_held: row.is_some_and(|row| row.outcome == Outcome::Held),
            decision,
            trail,
            digest: crate::base::digest(&base, &ready.deferred),
            base,
            mapped_base: None,
            holds: Vec::new(),
            before: None,
            mapped: mapped.fields,
            links: mapped.links,
            after: None,
        }
    }
}

impl Judged {
    /// Leaves links open whose calls are still to be made.
    pub(crate) fn leave_open(&mut self, ready: &Ready, open: &[OpenLink]) {
        if open.is_empty() {
            return;
        }
        let target = leaving_open(ready, std::mem::take(&mut self.base), open);
        let mapped = self.mapped_base.take().map(|mapped| leaving_open(ready, mapped, open));
        self.settles(mapped.unwrap_or_else(|| target.clone()), target);
    }

    /// Takes both bases: what the rules made of the source, and what the target says then.
    pub(crate) fn settles(&mut self, mapped: Vec<u8>, target: Vec<u8>) {
        self.mapped_base = (mapped != target).then_some(mapped);
        self.base = target;
    }
}

/// A hold for each cause.
pub(crate) fn holds(ready: &Ready, record: &Record, causes: Vec<(Cause, Option<Value>)>) -> Vec<Hold> {
    let title = title(record);
    let hold = |(cause, value): (Cause, Option<Value>)| Hold {
        flow: ready.flow.name.clone(),
        object: ready.flow.source.object.clone(),
        record: record.id.clone(),
        title: title.clone(),
        announced: is_announced(&cause),
        cause,
        value,
    };
    causes.into_iter().map(hold).collect()
}

/// What the rules make of a record.
#[derive(Default)]
pub(crate) struct Carried {
    pub(crate) fields: Arc<Fields>,
    pub(crate) links: Vec<PendingLink>,
}

impl Carried {
    /// Fields, and no links that wait.
    fn of(fields: Fields) -> Self {
        Self { fields: Arc::new(fields), links: Vec::new() }
    }
}

/// Tells what is written. What was mapped and is written stands once: the fields that were mapped and are not
/// written so are told beside them.
fn tell_write(ready: &Ready, trail: &mut Trail, staged: &Staged, mapped: &Arc<Fields>, fields: &Arc<Fields>) {
    if !Arc::ptr_eq(mapped, fields) {
        let other = mapped.iter().filter(|(name, value)| fields.get(name.as_str()) != Some(value));
        trail.fields(ready, "mapped", other);
    }
    trail.write(ready, fields, &staged.record.fields);
}

/// Whether a cause was announced by `check`: values and users in use are counted before a run.
fn is_announced(cause: &Cause) -> bool {
    matches!(cause, Cause::Untranslated { .. } | Cause::UnknownUser { .. } | Cause::ParentHeld { .. })
}

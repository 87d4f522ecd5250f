//! What is due of the records that vanished from a side of a flow, and whether the guard lets it through.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handover_model::{Answer, Cause, Deletes, FieldName, FlowName, Merges, Outcome, RecordId, Side, Value};
use handover_store::{Fate, HoldFilter, RecordRow, Vanished};

use super::follow::carries;
use super::look::on;
use super::{Found, Tripped, is_ours};
use crate::Error;
use crate::cohorts::Standing;
use crate::pass::Pass;
use crate::planted::Planted;
use crate::setup::Ready;

/// What is to be done about a record that vanished.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// A person is asked.
    Ask(Question),
    /// The counterpart is deleted.
    Delete,
    /// The counterpart is marked.
    Mark(FieldName, Value),
    /// The counterparts of both records become one.
    Merge,
    /// The counterpart stays as it is.
    Keep,
    /// The counterpart that is gone is created anew.
    Anew,
    /// The counterpart that is gone is not missed.
    LeaveOut,
    /// There is no counterpart.
    Nothing,
}

/// What a person is asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Question {
    Deleted,
    Merged { into: RecordId, certain: bool },
    TargetGone,
}

/// A record that vanished, the row of its pair, and what is due.
pub(super) struct Case {
    pub(super) gone: Vanished,
    pub(super) row: RecordRow,
    pub(super) what: What,
}

impl Case {
    /// Under which flow and record the holds of its pair's way back stand: they end with the counterpart.
    pub(super) fn way_back(&self, ready: &Ready) -> Option<(FlowName, RecordId)> {
        ready.held_back(self.row.target.as_ref()?)
    }

    /// The record of the same side that it became, or seems to have become.
    pub(super) fn survivor(&self) -> Option<&RecordId> {
        match &self.what {
            What::Ask(Question::Merged { into, .. }) => Some(into),
            _ => self.gone.into.as_ref(),
        }
    }

    /// Its counterpart on the other side.
    pub(super) fn counterpart(&self) -> Option<&RecordId> {
        match (&self.gone.counterpart, self.gone.side) {
            (Some(counterpart), _) => Some(counterpart),
            (None, Side::Source) => self.row.target.as_ref(),
            (None, Side::Target) => Some(&self.row.record),
        }
    }
}

/// Answers to questions of this module, by source record.
pub(crate) type Answers = BTreeMap<RecordId, Answer>;

impl Pass {
    /// What people answered to questions about records that vanished, since they were asked.
    pub(super) async fn answers_given(&self, flow: &FlowName) -> Result<Answers, Error> {
        let mut asked: BTreeSet<RecordId> = BTreeSet::new();
        for word in ["source_deleted", "source_merged", "target_gone", "target_merged", "left_scope"] {
            asked.extend(self.answered_about(flow, word).await?);
        }
        let ids: Vec<RecordId> = asked.into_iter().collect();
        let given = self.place.store.answers(flow, &ids).await?;
        Ok(given.into_iter().filter_map(|(record, mut all)| Some((record, all.pop()?.answer))).collect())
    }

    /// Records about which somebody answered to a question of this kind.
    pub(crate) async fn answered_about(&self, flow: &FlowName, word: &str) -> Result<BTreeSet<RecordId>, Error> {
        let filter = HoldFilter { flow: Some(flow.clone()), cause: Some(word.to_owned()), ..HoldFilter::default() };
        let (mut answered, mut after) = (BTreeSet::new(), None);
        loop {
            let page = self.place.store.holds_page(&filter, after.as_ref(), 1000).await?;
            let Some(last) = page.last() else { return Ok(answered) };
            after = Some(last.cursor.clone());
            answered.extend(page.into_iter().filter(|row| row.answered).map(|row| row.hold.record));
        }
    }

    /// What is due on a side of a flow. With `only_answered` nothing that nobody answered.
    pub(super) async fn due(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        side: Side,
        answers: &Answers,
        only_answered: bool,
    ) -> Result<Vec<Case>, Error> {
        let mut cases = Vec::new();
        let mut open = self.place.store.vanished(&ready.flow.name, side, true).await?;
        if only_answered {
            open.retain(|gone| answers.contains_key(&gone.source));
        }
        if side == Side::Source {
            open.extend(self.to_be_left(ready, answers, &open).await?);
        }
        let open = self.still_gone(ready, side, open, answers).await?;
        let ids: Vec<RecordId> = open.iter().map(|gone| gone.source.clone()).collect();
        let rows = self.place.store.rows(&ready.flow.name, &ids).await?;
        let likely = self.taken_over(ready, side, &open).await?;
        let standings = self.standings(ready, &ids).await?;
        for gone in open {
            let Some(row) = rows.get(&gone.source).cloned() else { continue };
            let likely = likely.get(&gone.record).and_then(|others| others.first());
            let Some(what) = self.decided(ready, &gone, &row, answers.get(&gone.source), likely)? else { continue };
            let apart = standings.get(&gone.source).is_some_and(|standing| is_apart(standing, side));
            // Whoever asked once does not ask again.
            let is_asked = gone.fate == Fate::Asked && !answers.contains_key(&gone.source);
            if is_asked && (apart || self.was_refused(ready, &gone).await?) {
                continue;
            }
            let what = if apart && !answers.contains_key(&gone.source) { asked_instead(&gone, what) } else { what };
            cases.push(Case { gone, row, what });
        }
        Ok(cases)
    }

    /// Whether the platform would not do what was due about a record, and a person was told: what it refused once is not
    /// sent again with each pass.
    async fn was_refused(&self, ready: &Ready, gone: &Vanished) -> Result<bool, Error> {
        let holds = self.place.store.holds_of(&ready.flow.name, &gone.source).await?;
        let is_told = |about: fn(&Cause) -> bool| holds.iter().any(|hold| about(&hold.cause));
        Ok(is_told(is_ours) && is_told(|cause| matches!(cause, Cause::Refused { .. })))
    }

    /// Those that are still gone when they are asked for again. The others leave the list, or a merge is followed.
    async fn still_gone(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        side: Side,
        open: Vec<Vanished>,
        answers: &Answers,
    ) -> Result<Vec<Vanished>, Error> {
        let end = ready.flow.end(side);
        let is_asked_for =
            |gone: &Vanished| !gone.certain && (gone.pass < self.id || answers.contains_key(&gone.source));
        let ids: Vec<RecordId> =
            open.iter().filter(|gone| is_asked_for(gone)).map(|gone| gone.record.clone()).collect();
        let found = self.sought(end, &ids).await?;
        let mut still = Vec::new();
        let mut back = Vec::new();
        let mut merged: BTreeMap<RecordId, Vec<RecordId>> = BTreeMap::new();
        for gone in open {
            match found.get(&gone.record) {
                None | Some(Found::Gone) => still.push(gone),
                Some(Found::Live) => back.push(gone),
                Some(Found::Became(now)) => merged.entry(now.clone()).or_default().push(gone.record),
            }
        }
        match side {
            Side::Source => self.seen_again(ready, side, &back).await?,
            Side::Target => self.counterparts_again(ready, &back).await?,
        }
        if !merged.is_empty() {
            let mut commit = self.commit();
            for (into, olds) in merged {
                self.became(end, &into, &olds, &mut commit).await?;
            }
            self.place.store.commit(commit).await?;
        }
        Ok(still)
    }

    /// Which records seem to have taken the place of those that vanished, where the platform would not tell.
    async fn taken_over(
        &self,
        ready: &Arc<Ready>,
        side: Side,
        open: &[Vanished],
    ) -> Result<BTreeMap<RecordId, BTreeSet<RecordId>>, Error> {
        if side == Side::Target || self.tells_merges(ready, side)? || self.errs(Planted::MergeIgnored) {
            return Ok(BTreeMap::new());
        }
        let due = open.iter().filter(|gone| !gone.certain && gone.fate == Fate::Pending && gone.pass < self.id);
        self.likely(ready, &due.map(|gone| gone.record.clone()).collect()).await
    }

    /// Whether a record of this side that is gone without a word was certainly not merged.
    fn tells_merges(&self, ready: &Ready, side: Side) -> Result<bool, Error> {
        let can = self.can(ready.flow.end(side))?;
        Ok(can.is_none_or(|can| !can.people_merge || can.fetch_follows_merges))
    }

    /// What is to be done; `None` when it is not time yet, or a person was asked already.
    fn decided(
        &self,
        ready: &Ready,
        gone: &Vanished,
        row: &RecordRow,
        answer: Option<&Answer>,
        likely: Option<&RecordId>,
    ) -> Result<Option<What>, Error> {
        if let Some(what) = answer.and_then(|answer| answered(ready, gone, answer)) {
            return Ok(Some(what));
        }
        let what = if gone.certain {
            of_a_merge(ready, gone)
        } else if carries(ready, gone.side) && gone.pass >= self.id {
            return Ok(None);
        } else if on(row, gone.side) != Some(&gone.record) || row.target.is_none() {
            What::Nothing
        } else if carries(ready, gone.side) {
            self.of_a_deletion(ready, gone, likely)?
        } else {
            What::Ask(Question::TargetGone)
        };
        let is_asked = gone.fate == Fate::Asked;
        Ok(Some(what).filter(|what| !(is_asked && matches!(what, What::Ask(_)))))
    }

    fn of_a_deletion(&self, ready: &Ready, gone: &Vanished, likely: Option<&RecordId>) -> Result<What, Error> {
        // Traces are looked for in what the source staged: on the other side a doubt stays a question.
        if gone.side == Side::Target && !self.tells_merges(ready, gone.side)? {
            return Ok(What::Ask(Question::TargetGone));
        }
        let keeps =
            || Ok::<_, Error>(self.can(ready.flow.end(gone.side.opposite()))?.is_some_and(|can| can.keeps_deleted));
        Ok(match (&ready.flow.removals.deletes, likely) {
            (Deletes::Ignore, _) => What::Keep,
            (_, Some(into)) => What::Ask(Question::Merged { into: into.clone(), certain: false }),
            // Asked with a doubt: it stays with the person.
            _ if gone.fate == Fate::Asked && gone.into.is_some() => What::Ask(Question::Deleted),
            (Deletes::Ask, None) => What::Ask(Question::Deleted),
            (Deletes::Archive, None) if !keeps()? => What::Ask(Question::Deleted),
            (Deletes::Archive | Deletes::Delete, None) => What::Delete,
            // The mark is a field of the target.
            (Deletes::Mark { .. }, None) if gone.side == Side::Target => What::Ask(Question::TargetGone),
            (Deletes::Mark { field, value }, None) => What::Mark(field.clone(), value.clone()),
        })
    }

    /// How many of a flow's pairs the project's share is, one at least.
    pub(crate) async fn allowed_of(&self, flow: &FlowName) -> Result<u64, Error> {
        let counts = self.place.store.counts(flow).await?;
        let paired = [Outcome::Created, Outcome::Updated, Outcome::Unchanged];
        let pairs: u64 = paired.into_iter().map(|outcome| counts.of(outcome)).sum();
        Ok(allowed_share(pairs, self.setup.project.policies.delete_share))
    }

    /// Whether so much may be carried out in one pass: no more than a number, and of what is carried out no more than
    /// a share of the flow's pairs, one at least.
    pub(super) async fn guard(&self, flow: &FlowName, cases: &[Case]) -> Result<Option<Tripped>, Error> {
        let policies = &self.setup.project.policies;
        let number = |is: fn(&What) -> bool| cases.iter().filter(|case| is(&case.what)).count() as u64;
        let asked = number(|what| matches!(what, What::Ask(_)));
        let acts = number(|what| matches!(what, What::Delete | What::Mark(..) | What::Merge));
        if asked + acts == 0 {
            return Ok(None);
        }
        let share = self.allowed_of(flow).await?;
        let confirmed = policies.confirmed_deletes.get(flow).copied().unwrap_or(0);
        let due = asked + acts;
        let bound = if acts > 0 { policies.delete_count.min(share) } else { policies.delete_count };
        let trips = (acts > policies.delete_count.min(share) || due > policies.delete_count) && due > confirmed;
        Ok(trips.then(|| Tripped { flow: flow.clone(), due, allowed: bound, links: false }))
    }
}

/// Whether what one side does to a record is not carried by rule: its cohort has not begun, or the record is the other
/// side's by now.
fn is_apart(standing: &Standing, side: Side) -> bool {
    standing.waits || standing.moved && side == Side::Source
}

/// The question in place of what a rule would do.
fn asked_instead(gone: &Vanished, what: What) -> What {
    match (what, &gone.into) {
        (What::Delete | What::Mark(..), _) => What::Ask(Question::Deleted),
        (What::Merge, Some(into)) => What::Ask(Question::Merged { into: into.clone(), certain: gone.certain }),
        (what, _) => what,
    }
}

/// What becomes of the counterparts of records that became one.
fn of_a_merge(ready: &Ready, gone: &Vanished) -> What {
    match (&gone.into, ready.flow.removals.merges) {
        // It was told already, and stays as it is.
        (Some(_), _) if !carries(ready, gone.side) => What::Ask(Question::TargetGone),
        (Some(_), Merges::Carry) => What::Merge,
        (Some(into), Merges::Ask) => What::Ask(Question::Merged { into: into.clone(), certain: true }),
        (None, _) => What::Nothing,
    }
}

/// A share of so many, one at least.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "far below 2^52"
)]
fn allowed_share(pairs: u64, share: f64) -> u64 {
    ((pairs as f64 * share).floor() as u64).max(1)
}

/// What a person's answer means; `None` for answers that leave it as it is.
fn answered(ready: &Ready, gone: &Vanished, answer: &Answer) -> Option<What> {
    match (answer, gone.side) {
        (Answer::Keep, _) => Some(What::Keep),
        (Answer::Delete, side) if carries(ready, side) => Some(What::Delete),
        (Answer::Merge, side) if carries(ready, side) && gone.into.is_some() => Some(What::Merge),
        (Answer::Create, Side::Target) if !gone.certain => Some(What::Anew),
        (Answer::Skip, Side::Target) => Some(What::LeaveOut),
        (Answer::Skip, Side::Source) => Some(What::Keep),
        _ => None,
    }
}

//! Pairs whose source record the flow's condition does not hold for any more: a lead that was converted, a deal that
//! another team took over.
//!
//! Invariants:
//! - Nothing of them is carried either way, unless the flow says that its condition counts at the beginning alone; and
//!   a person is told, unless the flow says that nobody need be.
//! - They stay pairs: when the condition holds again they go on from where they were.

use std::collections::BTreeSet;
use std::sync::Arc;

use handover_model::{Answer, Cause, FieldName, Hold, Leaves, RecordId, Side};
use handover_store::Vanished;

use crate::Error;
use crate::change::Again;
use crate::decide::{Carried, Decision, Judged, holds};
use crate::pass::Pass;
use crate::setup::Ready;
use crate::trail::Trail;
use crate::vanish::Answers;
use crate::verdict::known_of;

impl Pass {
    /// The judgement of a pair that is left as it is because its flow's condition does not hold for it, or cannot be
    /// told; none of one that goes on.
    pub(crate) fn set_aside(&self, ready: &Ready, again: &Again, target: &RecordId, was_held: bool) -> Option<Judged> {
        let Again { staged, row, answers, .. } = again;
        let leaves = ready.flow.removals.leaves;
        let is_answered = || answers.iter().any(|given| given.answer == Answer::Keep);
        let cause = match ready.program.in_scope(&staged.record) {
            Ok(true) => return None,
            Ok(false) if leaves == Leaves::Carry => return None,
            Ok(false) if leaves == Leaves::Ignore || is_answered() => None,
            Ok(false) => Some(Cause::LeftScope),
            Err(message) => Some(Cause::Expression { field: FieldName::from("where"), message }),
        };
        let mut trail = Trail::new();
        trail.text(ready, "scope", "left");
        let decision = Decision::Unchanged(target.clone());
        let mut judged = self.judged(ready, staged, Some(row), decision, trail, Carried::default());
        let is_question = cause == Some(Cause::LeftScope);
        let asked = holds(ready, &staged.record, cause.map(|cause| (cause, None)).into_iter().collect());
        // What people do to the source's records is no fault of the rules.
        judged.holds =
            asked.into_iter().map(|hold| Hold { announced: hold.announced || is_question, ..hold }).collect();
        judged.digest = row.digest.unwrap_or(judged.digest);
        judged.settles(known_of(row).to_vec(), row.base.clone().unwrap_or_default());
        judged.before = Some(row.clone());
        judged.was_held = was_held;
        Some(judged)
    }

    /// Records whose counterparts people want to be deleted since they left the flow, and that are outside of it now
    /// as well.
    pub(crate) async fn to_be_left(
        &self,
        ready: &Arc<Ready>,
        answers: &Answers,
        missed: &[Vanished],
    ) -> Result<Vec<Vanished>, Error> {
        let flow = &ready.flow.name;
        if !answers.values().any(|answer| *answer == Answer::Delete) {
            return Ok(Vec::new());
        }
        let missed: BTreeSet<&RecordId> = missed.iter().map(|gone| &gone.source).collect();
        let mut asked: Vec<RecordId> = self.answered_about(flow, Cause::LeftScope.word()).await?.into_iter().collect();
        asked.retain(|record| answers.get(record) == Some(&Answer::Delete) && !missed.contains(record));
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.read_now(&self.reading_of(&ready.flow.source), &asked).await?;
        let left = now.into_iter().filter(|record| ready.program.in_scope(record) == Ok(false));
        let left = left.map(|record| Vanished {
            // That it is there is known.
            certain: true,
            ..self.vanished_now(flow, Side::Source, &record.id, &record.id)
        });
        Ok(left.collect())
    }
}

//! Records that were carried before and came again: what the rules make of them is merged three ways, field by
//! field, against what was settled.
//!
//! Invariants:
//! - What was not changed is not written, whatever the target says of it.
//! - A field that cannot be carried is held; the other fields of its record are carried all the same, and the
//!   field's base stays, so that it counts as changed until it is carried.
//! - A value that the target's people wrote and that is overwritten stands in the ledger.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use handover_model::{Cause, FieldName, Fields, Kind, Outcome, Record, RecordId, Value};
use handover_store::{GivenAnswer, RecordRow};

use crate::Error;
use crate::base;
use crate::decide::{Carried, Decision, Judged, Staged, holds, written_over};
use crate::merge::same;
use crate::pass::Pass;
use crate::planted::{self, Planted};
use crate::resolve::{Parents, Resolved, misplaced, outer, split_links};
use crate::setup::Ready;
use crate::three_way::{Owner, Side, Verdict, judge};
use crate::trail::{SOURCE, Trail};
use crate::transform::Mapped;

/// A record that was carried before.
pub(crate) struct Again {
    pub(crate) staged: Staged,
    pub(crate) row: RecordRow,
    pub(crate) mapped: Vec<Mapped>,
    pub(crate) answers: Vec<GivenAnswer>,
}

/// One of them with what its rules make of it now.
struct Changed {
    again: Again,
    target: RecordId,
    resolved: Resolved,
    /// What is different now; null where the source was cleared.
    fields: BTreeMap<FieldName, Value>,
}

impl Pass {
    /// Judges records that were carried before. Those of which nothing changed and nothing is held are not among the
    /// results.
    pub(crate) async fn judge_again(
        &self,
        ready: &Arc<Ready>,
        again: Vec<Again>,
        parents: &Parents,
    ) -> Result<Vec<Judged>, Error> {
        let mut changed = Vec::new();
        let ids: Vec<RecordId> = again.iter().map(|again| again.staged.record.id.clone()).collect();
        // A hold whose cause is gone goes too, also where nothing is left to be carried.
        let held = self.place.store.held_among(&ready.flow.name, &ids).await?;
        for mut again in again {
            // Who was merged into another record's counterpart does not speak for it.
            let Some(target) = again.row.target.clone().filter(|_| again.row.outcome != Outcome::Merged) else {
                continue;
            };
            let mapped = std::mem::take(&mut again.mapped);
            let mut resolved = self.resolve(ready, &again.staged.record, mapped, &again.answers, parents);
            misplaced(ready, &mut resolved);
            let mut fields = differing(ready, &again.row, &resolved);
            if self.errs(Planted::UnchangedWritten) && !fields.is_empty() {
                fields.extend(resolved.fields.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
            if !fields.is_empty() || !resolved.causes.is_empty() || held.contains(&again.staged.record.id) {
                changed.push(Changed { again, target, resolved, fields });
            }
        }
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<RecordId> = changed.iter().map(|one| one.target.clone()).collect();
        let there = self.targets_now(ready, &ids).await?.into_iter().filter(|record| !record.gone);
        let there: HashMap<RecordId, Record> = there.map(|record| (record.id.clone(), record)).collect();
        Ok(changed.into_iter().map(|one| self.judge_changed(ready, one, &there)).collect())
    }

    fn judge_changed(&self, ready: &Arc<Ready>, one: Changed, there: &HashMap<RecordId, Record>) -> Judged {
        let Changed { again, target, mut resolved, fields } = one;
        let mut trail = Trail::new();
        trail.fields(ready, SOURCE, again.staged.record.fields.iter());
        let Some(there) = there.get(&target) else {
            resolved.causes.push((Cause::TargetGone { target: target.clone() }, None));
            return self.with_holds(ready, again, Decision::Unchanged(target), trail, resolved, None);
        };
        let (mut write, mut before) = (Fields::new(), Fields::new());
        for (name, value) in fields {
            let have = there.fields.get(name.as_str()).unwrap_or(&Value::Null);
            let kind = ready.target_field(&name).map(|field| &field.kind);
            let was = again.row.base.as_deref().and_then(|marks| base::settled(marks, &name));
            let theirs = was.is_some_and(|was| was != base::mark(kind, have));
            let source = Side { value: &value, changed: true, at: again.staged.record.modified };
            let target = Side { value: have, changed: theirs, at: there.modified };
            match judge(source, target, same(kind, &value, have), Owner::Source, None) {
                Verdict::Forth(_) if value.is_blank() && ready.required.contains(&name) => {
                    resolved.causes.push((Cause::Missing { field: name }, None));
                }
                Verdict::Forth(_) => {
                    before.set(name.clone(), have.clone());
                    write.set(name, value);
                }
                // The target says the same already.
                Verdict::Agreed | Verdict::Nothing | Verdict::Back(_) | Verdict::Joined | Verdict::Held => {}
            }
        }
        if !self.errs(Planted::SilentOverwrite) {
            trail.fields(ready, "before", before.iter());
        }
        if self.errs(Planted::WrongField) {
            planted::misplace(ready, &mut write);
        }
        let wanted = Arc::new(write);
        let (fields, links) = split_links(ready, &again.staged.record.id, &wanted, &resolved.found, true);
        resolved.links.extend(links.into_iter().filter(|_| !self.errs(Planted::LinkForgotten)));
        let decision = if fields.is_empty() {
            Decision::Unchanged(target)
        } else {
            trail.write(ready, &fields, &again.staged.record.fields);
            Decision::Update(target, fields)
        };
        let after = base::encode(ready, &written_over(there.fields.clone(), &wanted));
        self.with_holds(ready, again, decision, trail, resolved, Some(after))
    }

    /// The judgement with a hold for each field that cannot be carried; `after` is the target's base then, if it was
    /// found.
    fn with_holds(
        &self,
        ready: &Arc<Ready>,
        again: Again,
        decision: Decision,
        trail: Trail,
        resolved: Resolved,
        after: Option<Vec<u8>>,
    ) -> Judged {
        let mut held: Vec<FieldName> = resolved.causes.iter().filter_map(|(cause, _)| cause.field().cloned()).collect();
        held.extend(held.clone().iter().filter_map(|name| outer(ready, name).cloned()));
        let carried = Carried { fields: Arc::new(resolved.fields), links: resolved.links };
        let mut judged = self.judged(ready, &again.staged, Some(&again.row), decision, trail, carried);
        judged.holds = holds(ready, &again.staged.record, resolved.causes);
        let known = again.row.mapped.as_deref().or(again.row.base.as_deref()).unwrap_or_default();
        let mut mapped = base::keeping(&judged.base, known, &held);
        if self.errs(Planted::BaseNotUpdated) {
            mapped = known.to_vec();
        }
        judged.settles(mapped, after.or_else(|| again.row.base.clone()).unwrap_or_default());
        judged.before = Some(again.row);
        judged
    }
}

/// What the rules make of a record that is not what was settled; null where they made something then and nothing
/// now.
fn differing(ready: &Ready, row: &RecordRow, resolved: &Resolved) -> BTreeMap<FieldName, Value> {
    let known = row.mapped.as_deref().or(row.base.as_deref()).unwrap_or_default();
    let mut held: BTreeSet<&FieldName> = resolved.causes.iter().filter_map(|(cause, _)| cause.field()).collect();
    // A pipeline does not change without its stage.
    held.extend(held.clone().into_iter().filter_map(|name| outer(ready, name)));
    let waiting: BTreeSet<&str> = resolved.links.iter().map(|link| link.field.as_str()).collect();
    let mut fields = BTreeMap::new();
    for rule in &ready.flow.rules {
        let name = &rule.target;
        let kind = ready.target_field(name).map(|field| &field.kind);
        let is_link = matches!(kind, Some(Kind::Reference { .. }));
        if held.contains(name) || (is_link && waiting.contains(name.as_str())) {
            continue;
        }
        let was = base::settled(known, name);
        match resolved.fields.get(name.as_str()) {
            Some(value) if was != Some(base::mark(kind, value)) => {
                fields.insert(name.clone(), value.clone());
            }
            Some(_) => {}
            None if was.is_some_and(|was| was != base::mark(kind, &Value::Null)) => {
                fields.insert(name.clone(), Value::Null);
            }
            None => {}
        }
    }
    fields
}

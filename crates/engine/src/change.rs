//! Pairs that came again: records that were carried before, of which either side may have changed. Each field is
//! merged three ways against what was settled (see `three_way.rs`), and carried to the one side or to the other.
//!
//! Invariants:
//! - What was not changed is not written, whatever the other side says of it.
//! - A field that cannot be carried is held; the other fields of its record are carried all the same, and the
//!   field's bases stay, so that it counts as changed until it is carried.
//! - A value that people wrote and that is overwritten stands in the ledger.
//! - What goes back is written and settled before anything of the same pair goes forth: one write at a time changes
//!   a pair's bases.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use handover_model::{Cause, FieldName, Fields, Hold, Outcome, Record, RecordId, Side, Value};
use handover_store::{Fate, GivenAnswer, RecordRow, Vanished};

use crate::Error;
use crate::base::{self, OpenLink};
use crate::decide::{Carried, Decision, Judged, Staged, holds};
use crate::link_sets::{Missing, links_to_missing};
use crate::merge::{CLOCK_TOLERANCE, written_over};
use crate::new_pairs::owes;
use crate::pass::Pass;
use crate::planted::{self, Planted};
use crate::resolve::{Parents, Resolved, misplaced, outer, split_links};
use crate::returned::Returned;
use crate::setup::Ready;
use crate::trail::{BEFORE, SOURCE, Trail};
use crate::transform::Mapped;
use crate::verdict::{Known, Verdicts, blanked, known_of, source_changed, target_changed, weigh};
use crate::watermark::later;

/// A record that was carried before.
pub(crate) struct Again {
    pub(crate) staged: Staged,
    pub(crate) row: RecordRow,
    pub(crate) mapped: Vec<Mapped>,
    pub(crate) answers: Vec<GivenAnswer>,
    /// Its counterpart as it is now, where that was read already.
    pub(crate) there: Option<Record>,
    /// Whether it waited for its cohort: either side may have changed meanwhile.
    pub(crate) due: bool,
}

/// One of them with its counterpart, and what the rules make of either now.
pub(crate) struct Pair {
    pub(crate) staged: Staged,
    pub(crate) row: RecordRow,
    pub(crate) answers: Vec<GivenAnswer>,
    pub(crate) target: RecordId,
    pub(crate) resolved: Resolved,
    pub(crate) there: Option<Record>,
    /// What the way back makes of the counterpart, where it changed.
    pub(crate) returned: Option<Returned>,
    /// Target fields that were to go back and did not: they stay as they are.
    pub(crate) stuck: Vec<FieldName>,
    /// What its links lead to and is missing.
    pub(crate) missing: Arc<Missing>,
    /// Links of it that went back in calls which are still to be made.
    pub(crate) open: Vec<OpenLink>,
    /// What the way back holds.
    pub(crate) holds: Vec<Hold>,
    /// Whether a field of it was held already.
    pub(crate) was_held: bool,
}

/// Records of pairs that are missed, by the side that misses them.
struct Missed {
    sources: HashSet<RecordId>,
    targets: HashSet<RecordId>,
}

impl Pass {
    /// Judges pairs. Those of which nothing changed and nothing is held are not among the results; what goes back is
    /// written here.
    pub(crate) async fn judge_again(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        again: Vec<Again>,
        parents: &Parents,
    ) -> Result<Vec<Judged>, Error> {
        let (mut pairs, mut aside) = (Vec::new(), Vec::new());
        // A hold whose cause is gone goes too, also where nothing is left to be carried.
        let held = self.held_pairs(ready, &again).await?;
        let ids: Vec<RecordId> = again.iter().map(|again| again.staged.record.id.clone()).collect();
        let missed = self.missed_pairs(ready, &again).await?;
        // What waits to be linked is told anew by what the record says now.
        let linking = self.place.store.linking_among(&ready.flow.name, &ids).await?;
        for mut again in again {
            // Who was merged into another record's counterpart does not speak for it.
            let Some(target) = again.row.target.clone().filter(|_| again.row.outcome != Outcome::Merged) else {
                continue;
            };
            // Of what is gone from the source a copy tells nothing: its questions stay as they are.
            if again.staged.standing.waits || missed.sources.contains(&again.staged.record.id) {
                continue;
            }
            let was_held = held.contains(&again.staged.record.id);
            if let Some(judged) = self.set_aside(ready, &again, &target, was_held) {
                aside.push(judged);
                continue;
            }
            let is_lost = missed.targets.contains(&target);
            if is_lost {
                again.there = None;
            }
            let mapped = std::mem::take(&mut again.mapped);
            let mut resolved = self.resolve(ready, &again.staged.record, mapped, &again.answers, parents.again());
            misplaced(ready, &mut resolved);
            ready.forget_untold(&mut resolved);
            // A link that waits for its parent is all that may have changed.
            let waits = !resolved.causes.is_empty() || !resolved.links.is_empty();
            let owed = ready.back.is_some() && owes(ready, &again.row);
            let here = waits || owed || source_changed(ready, &again.row, &resolved);
            let there = again.there.as_ref().is_some_and(|there| target_changed(ready, &again.row, there));
            if here {
                self.cleared.note(&ready.flow.name, blanked(ready, &again.row, &resolved).iter());
            }
            let links = linking.contains(&again.staged.record.id);
            if here || there || was_held || links || is_lost || again.due {
                let Again { staged, row, answers, there, .. } = again;
                let (stuck, open, holds) = (Vec::new(), Vec::new(), Vec::new());
                pairs.push(Pair {
                    staged,
                    row,
                    answers,
                    target,
                    resolved,
                    there,
                    returned: None,
                    stuck,
                    missing: Arc::default(),
                    open,
                    holds,
                    was_held,
                });
            }
        }
        if pairs.is_empty() {
            return Ok(aside);
        }
        let is_copy = |pair: &&Pair| ready.back.is_some() && pair.there.is_none();
        let copies = pairs.iter().filter(is_copy).map(|pair| pair.staged.record.id.clone()).collect();
        self.read_counterparts(ready, &mut pairs, &missed.targets).await?;
        self.read_sources(ready, &mut pairs, &copies).await?;
        let missing = Arc::new(self.missing_ends(ready, &pairs).await?);
        pairs.iter_mut().for_each(|pair| pair.missing = missing.clone());
        let known = match &ready.back {
            Some(back) => self.carry_back(ready, back, &mut pairs).await?,
            None => Known::default(),
        };
        aside.extend(pairs.into_iter().map(|pair| self.judge_pair(ready, pair, &known)));
        self.keep_flips().await?;
        Ok(aside)
    }

    /// Which of these pairs something is held of, by their source records.
    async fn held_pairs(&self, ready: &Ready, again: &[Again]) -> Result<HashSet<RecordId>, Error> {
        let ids: Vec<RecordId> = again.iter().map(|again| again.staged.record.id.clone()).collect();
        let mut held = self.place.store.held_among(&ready.flow.name, &ids).await?;
        if let Some(back) = &ready.back {
            let targets: Vec<RecordId> = again.iter().filter_map(|again| again.row.target.clone()).collect();
            let there = self.place.store.held_among(&back.ready.flow.name, &targets).await?;
            let theirs = again.iter().filter(|again| again.row.target.as_ref().is_some_and(|id| there.contains(id)));
            held.extend(theirs.map(|again| again.staged.record.id.clone()));
        }
        Ok(held)
    }

    /// Which of these pairs' records are missed on either side. Whoever is there again is off that list before it is
    /// judged; a counterpart that came back comes off it with the links that it had (see `vanish::follow`).
    async fn missed_pairs(&self, ready: &Ready, again: &[Again]) -> Result<Missed, Error> {
        let (flow, store) = (&ready.flow.name, &self.place.store);
        let sources: Vec<RecordId> = again.iter().map(|again| again.staged.record.id.clone()).collect();
        let targets: Vec<RecordId> = again.iter().filter_map(|again| again.row.target.clone()).collect();
        let is_open = |gone: &Vanished| matches!(gone.fate, Fate::Pending | Fate::Asked);
        let sources = store.vanished_among(flow, Side::Source, &sources).await?;
        let targets = store.vanished_among(flow, Side::Target, &targets).await?;
        Ok(Missed {
            sources: sources.into_iter().filter(is_open).map(|gone| gone.record).collect(),
            targets: targets.into_iter().filter(is_open).map(|gone| gone.record).collect(),
        })
    }

    /// Reads the counterparts of pairs of which they are not known yet, but for those that are missed.
    async fn read_counterparts(
        &self,
        ready: &Ready,
        pairs: &mut [Pair],
        missed: &HashSet<RecordId>,
    ) -> Result<(), Error> {
        let is_wanted = |pair: &&Pair| pair.there.is_none() && !missed.contains(&pair.target);
        let ids: Vec<RecordId> = pairs.iter().filter(is_wanted).map(|pair| pair.target.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let there = self.targets_now(ready, &ids).await?.into_iter();
        let mut there: HashMap<RecordId, Record> = there.map(|record| (record.id.clone(), record)).collect();
        for pair in pairs.iter_mut().filter(|pair| pair.there.is_none()) {
            pair.there = there.remove(&pair.target);
        }
        Ok(())
    }

    /// Sources of pairs as they are now; those that are not there are missed, and what people changed of their
    /// counterparts waits for them.
    pub(crate) async fn sources_now(
        &self,
        ready: &Ready,
        ids: &[RecordId],
    ) -> Result<HashMap<RecordId, Record>, Error> {
        let now = self.read_now(&self.reading_of(&ready.flow.source), ids).await?;
        let wanted: HashSet<&RecordId> = ids.iter().collect();
        // An id that was merged away brings the record that it became.
        let now = now.into_iter().filter(|record| wanted.contains(&record.id));
        let now: HashMap<RecordId, Record> = now.map(|record| (record.id.clone(), record)).collect();
        let lost: Vec<RecordId> = ids.iter().filter(|id| !now.contains_key(*id)).cloned().collect();
        if !lost.is_empty() {
            self.miss(ready, &lost).await?;
        }
        Ok(now)
    }

    /// Of pairs of which the counterpart changed too, `copies` of the source may be older than edits that what goes
    /// back would overwrite, and copies that are older than our last write may be older than what went back: they are
    /// judged from the source as it is now.
    async fn read_sources(
        &self,
        ready: &Arc<Ready>,
        pairs: &mut Vec<Pair>,
        copies: &HashSet<RecordId>,
    ) -> Result<(), Error> {
        let ahead = self.ahead(&ready.flow.source.system);
        // A copy that was read before something went back says what the source said until then.
        let is_older = |pair: &Pair| {
            let written = pair.row.written.map(|written| later(later(written, ahead), CLOCK_TOLERANCE));
            written.is_some_and(|written| pair.staged.record.modified.is_none_or(|modified| modified <= written))
        };
        let changed = |pair: &&Pair| {
            let there = pair.there.as_ref();
            copies.contains(&pair.staged.record.id)
                && (is_older(pair) || there.is_some_and(|there| target_changed(ready, &pair.row, there)))
        };
        let ids: Vec<RecordId> = pairs.iter().filter(changed).map(|pair| pair.staged.record.id.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let now: Vec<Record> = self.sources_now(ready, &ids).await?.into_values().collect();
        let mapped: Vec<Vec<Mapped>> = now.iter().map(|record| ready.program.apply(record)).collect();
        let parents = self.parents(ready, mapped.iter().map(Vec::as_slice)).await?;
        let mut now: HashMap<RecordId, _> =
            now.into_iter().zip(mapped).map(|(record, mapped)| (record.id.clone(), (record, mapped))).collect();
        pairs.retain(|pair| !ids.contains(&pair.staged.record.id) || now.contains_key(&pair.staged.record.id));
        for pair in pairs {
            let Some((record, mapped)) = now.remove(&pair.staged.record.id) else { continue };
            let mut resolved = self.resolve(ready, &record, mapped, &pair.answers, parents.again());
            misplaced(ready, &mut resolved);
            ready.forget_untold(&mut resolved);
            (pair.staged.record, pair.resolved) = (record, resolved);
        }
        Ok(())
    }

    /// What goes forth of a pair, and what is settled and held of it.
    fn judge_pair(&self, ready: &Arc<Ready>, mut pair: Pair, known: &Known) -> Judged {
        let mut trail = Trail::new();
        trail.fields(ready, SOURCE, pair.staged.record.fields.iter());
        let Some(there) = pair.there.take() else {
            pair.resolved.causes.push((Cause::TargetGone { target: pair.target.clone() }, None));
            let target = pair.target.clone();
            // Nothing is settled: what changes meanwhile is carried when it comes back, its links among it.
            pair.resolved.links.clear();
            let open = ready.flow.rules.iter().map(|rule| rule.target.clone()).collect();
            return self.with_holds(ready, pair, Decision::Unchanged(target), trail, (open, None));
        };
        let Verdicts { forth, back, held, adopted, gave_way, mut late } = weigh(ready, &pair, &there, known);
        // Of what goes back it was counted when it went.
        late.retain(|name| !back.contains(name));
        if !late.is_empty() {
            self.leave_late(ready, &late);
            trail.tell(ready, "left_to_the_target", &late);
        }
        let forth =
            if self.errs(Planted::UnchangedWritten) { planted::unchanged_too(forth, &pair.resolved) } else { forth };
        let (mut write, mut before) = (Fields::new(), Fields::new());
        for (name, value) in forth {
            if value.is_blank() && ready.required.contains(&name) {
                pair.resolved.causes.push((Cause::Missing { field: name }, None));
                continue;
            }
            before.set(name.clone(), there.fields.get(name.as_str()).cloned().unwrap_or(Value::Null));
            write.set(name, value);
        }
        self.adopt(ready, adopted);
        let goes = gave_way.into_iter().filter(|one| write.get(one.field.as_str()).is_some());
        self.give_way(ready, &pair.staged.record.id, goes);
        // What did not go back in its turn stays as it is.
        let mut open: Vec<FieldName> = back.into_iter().chain(std::mem::take(&mut pair.stuck)).collect();
        pair.resolved.causes.extend(held);
        // Of a field that is held neither side is settled: what the target's people do to it meanwhile counts.
        open.extend(pair.resolved.causes.iter().filter_map(|(cause, _)| cause.field().cloned()));
        // Nor of one link that waits: until it is made the target has the one before.
        let waiting = pair.resolved.links.iter().map(|link| FieldName::from(link.field.as_str()));
        open.extend(waiting.filter(|field| base::holds_one(ready, field)));
        if !self.errs(Planted::SilentOverwrite) {
            trail.fields(ready, BEFORE, before.iter());
        }
        if self.errs(Planted::WrongField) {
            planted::misplace(ready, &mut write);
        }
        let wanted = Arc::new(write);
        let (fields, links, mut unlinked) =
            split_links(ready, &pair.staged.record.id, &wanted, &pair.resolved.found, Some(&there.fields));
        pair.resolved.links.extend(links.into_iter().filter(|_| !self.errs(Planted::LinkForgotten)));
        unlinked.append(&mut pair.open);
        unlinked.extend(links_to_missing(ready, &pair, &there));
        let target = pair.target.clone();
        let decision = if fields.is_empty() {
            Decision::Unchanged(target)
        } else {
            trail.write(ready, &fields, &pair.staged.record.fields);
            Decision::Update(target, fields)
        };
        open.extend(ready.without.frozen.keys().cloned());
        let after = base::encode(ready, &written_over(there.fields, &wanted));
        let after = base::keeping(&after, pair.row.base.as_deref().unwrap_or_default(), &open);
        let after =
            if self.errs(Planted::EchoNotRecognised) { pair.row.base.clone().unwrap_or_default() } else { after };
        let mut judged = self.with_holds(ready, pair, decision, trail, (open, Some(after)));
        judged.leave_open(ready, &unlinked);
        judged
    }

    /// The judgement with a hold for each field that cannot be carried; `after` is the target's base then, if it was
    /// found, `open` are fields of which nothing is settled.
    fn with_holds(
        &self,
        ready: &Arc<Ready>,
        pair: Pair,
        decision: Decision,
        trail: Trail,
        (open, after): (Vec<FieldName>, Option<Vec<u8>>),
    ) -> Judged {
        let Pair { staged, row, resolved, holds: mut held_back, was_held, .. } = pair;
        let mut held: Vec<FieldName> = resolved.causes.iter().filter_map(|(cause, _)| cause.field().cloned()).collect();
        held.extend(held.clone().iter().filter_map(|name| outer(ready, name).cloned()));
        held.extend(open);
        held.extend(ready.without.frozen.keys().cloned());
        let carried = Carried { fields: Arc::new(resolved.fields), links: resolved.links };
        let mut judged = self.judged(ready, &staged, Some(&row), decision, trail, carried);
        judged.holds = holds(ready, &staged.record, resolved.causes);
        judged.holds.append(&mut held_back);
        let known = known_of(&row);
        let mut mapped = base::keeping(&judged.base, known, &held);
        if self.errs(Planted::BaseNotUpdated) {
            mapped = known.to_vec();
        }
        judged.settles(mapped, after.or_else(|| row.base.clone()).unwrap_or_default());
        judged.before = Some(row);
        judged.was_held = was_held;
        judged
    }
}

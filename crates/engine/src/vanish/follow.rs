//! The crosswalk follows merges: the record that survives has the pair from now on, and those that became part of it
//! are merged into it, with everything that pointed to them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handover_model::{Cause, End, FieldName, FlowName, Hold, Merges, Outcome, Record, RecordId, Side};
use handover_store::{Commit, Fate, Item, Membership, PendingLink, RecordRow, Vanished};
use serde_json::json;

use super::Found;
use super::look::merged_into;
use crate::Error;
use crate::base;
use crate::holders::has_key_of;
use crate::pairing::Pairing;
use crate::pass::Pass;
use crate::setup::Ready;
use crate::staged::Look;

/// Rows of several flows, by flow and record.
type Rows = BTreeMap<(FlowName, RecordId), RecordRow>;

/// Those of pairs, as they are written.
fn paired(rows: Rows) -> impl Iterator<Item = RecordRow> {
    let pairs = rows.into_values().filter(|row| row.target.is_some() && row.outcome.is_paired());
    pairs.map(|row| RecordRow { last_entry: None, ..row })
}

impl Pass {
    /// Before staged blocks of a flow's source are judged: what they say was merged is followed, and what vanished
    /// and is among them again leaves the list.
    pub(crate) async fn follow_staged(&self, ready: &Arc<Ready>, blocks: std::ops::Range<i64>) -> Result<(), Error> {
        let end = &ready.flow.source;
        let marks = self.merge_marks(end)?;
        let flow = &ready.flow.name;
        let mut olds = Vec::new();
        let mut back = Vec::new();
        for number in blocks {
            let records = self.place.store.block_once(&end.system, &end.object, number).await?;
            if let Some(marks) = &marks {
                olds.extend(records.iter().flat_map(|record| merged_into(record, marks)));
            }
            let ids: Vec<RecordId> = records.into_iter().map(|record| record.id).collect();
            back.extend(self.place.store.vanished_among(flow, Side::Source, &ids).await?);
            back.extend(self.place.store.gone_with(flow, &ids).await?);
        }
        if !back.is_empty() {
            // It may have been read before it vanished.
            let ids: BTreeSet<RecordId> = back.iter().map(|gone| gone.on_source().clone()).collect();
            let found = self.sought(end, &ids.into_iter().collect::<Vec<_>>()).await?;
            back.retain(|gone| found.get(gone.on_source()) == Some(&Found::Live));
            self.seen_again(ready, Side::Source, &back).await?;
        }
        if olds.is_empty() { Ok(()) } else { self.notice_missing(end, &self.places(end), &olds).await }
    }

    /// Before records of a flow's target go back: what they say was merged into them is followed. A survivor under a
    /// new id would be taken for a new record.
    pub(crate) async fn follow_merged(&self, end: &End, records: &[Record]) -> Result<(), Error> {
        let Some(marks) = self.merge_marks(end)? else { return Ok(()) };
        let olds: Vec<RecordId> = records.iter().flat_map(|record| merged_into(record, &marks)).collect();
        if olds.is_empty() { Ok(()) } else { self.notice_missing(end, &self.places(end), &olds).await }
    }

    /// Records that vanished and are there again: they leave the list by themselves. What pointed to a counterpart
    /// that was deleted is linked again once there is another one. Of a pair both of which were gone, the one that is
    /// not there on this side may come again later: it is no pair's then.
    pub(super) async fn seen_again(&self, ready: &Arc<Ready>, side: Side, back: &[Vanished]) -> Result<(), Error> {
        if back.is_empty() {
            return Ok(());
        }
        self.stage_counterparts(ready, back).await?;
        let mut commit = self.commit();
        let mut entry = self.entry("returned", ready);
        let mut anew = BTreeSet::new();
        for gone in back {
            if gone.source.as_str().is_empty() {
                anew.extend(Some(&gone.record).filter(|_| gone.side == Side::Source).cloned());
                commit.returned.push((ready.flow.name.clone(), gone.side, gone.record.clone()));
                continue;
            }
            if gone.fate == Fate::Deleted {
                anew.insert(gone.source.clone());
            }
            let values = json!({"side": gone.side.word(), "record": gone.record.as_str()});
            entry.items.push(Item { record: gone.source.clone(), values: values.into() });
            let alone = Vanished { source: "".into(), counterpart: None, ..gone.clone() };
            if gone.side == side {
                commit.returned.push((ready.flow.name.clone(), side, gone.record.clone()));
                let other = gone.counterpart.clone().filter(|_| gone.fate == Fate::Deleted);
                commit.vanished.extend(other.map(|record| Vanished { side: side.opposite(), record, ..alone }));
            } else {
                commit.vanished.push(alone);
            }
            self.unask(&mut commit, ready, &gone.source).await?;
            self.vanishings().returned += 1;
        }
        if !entry.items.is_empty() {
            commit.entries.push(entry);
        }
        commit.links = self.links_to(ready, &anew).await?;
        let (from, to) = (&ready.flow.source, &ready.flow.target);
        let anew: Vec<RecordId> = anew.into_iter().collect();
        let (from, to) = ((&from.system, &from.object), (&to.system, &to.object));
        let former = self.place.store.former_counterparts(from, to, &anew).await?;
        let mut rows = Rows::new();
        self.unsettle_links(&commit.links, &former, &mut rows).await?;
        commit.rows = paired(rows).collect();
        self.place.store.commit(commit).await?;
        let is_here = |gone: &&Vanished| gone.side == side || side == Side::Source;
        let id = |gone: &Vanished| if gone.side == side { gone.record.clone() } else { gone.source.clone() };
        self.stage_pointing_again(ready, side, &back.iter().filter(is_here).map(id).collect()).await
    }

    /// Takes links to counterparts that went, by source record, out of what is settled of the records that point to
    /// them: among `rows`, where some of them may be already.
    async fn unsettle_links(
        &self,
        links: &[PendingLink],
        gone: &[(RecordId, RecordId)],
        rows: &mut Rows,
    ) -> Result<(), Error> {
        let mut children: BTreeMap<&FlowName, Vec<RecordId>> = BTreeMap::new();
        for link in links.iter().filter(|link| gone.iter().any(|(source, _)| *source == link.parent)) {
            children.entry(&link.flow).or_default().push(link.record.clone());
        }
        for (flow, ids) in children {
            for (id, row) in self.place.store.rows(flow, &ids).await? {
                // Some of them came back themselves.
                rows.entry((flow.clone(), id)).or_insert(row);
            }
        }
        for link in links {
            let Some(child) = self.setup.flow(&link.flow) else { continue };
            let Some(row) = rows.get_mut(&(link.flow.clone(), link.record.clone())) else { continue };
            let field = FieldName::from(link.field.as_str());
            let one = base::holds_one(child, &field);
            for (_, target) in gone.iter().filter(|(source, _)| *source == link.parent) {
                let without = |base: Vec<u8>| base::with_link(&base, &field, target.as_str(), false, one);
                (row.base, row.mapped) = (row.base.take().map(without), row.mapped.take().map(without));
            }
        }
        Ok(())
    }

    /// What people changed of the counterparts of records that were missed waits for those to come back.
    async fn stage_counterparts(&self, ready: &Arc<Ready>, back: &[Vanished]) -> Result<(), Error> {
        let end = &ready.flow.target;
        let state = self.place.store.extraction(&end.system, &end.object).await?;
        let Some(state) = state.filter(|_| ready.back.is_some()) else { return Ok(()) };
        let missed = back.iter().filter(|gone| gone.side == Side::Source && gone.fate != Fate::Deleted);
        let ids: Vec<RecordId> = missed.map(|gone| gone.source.clone()).collect();
        let rows = self.place.store.rows(&ready.flow.name, &ids).await?;
        let paired = rows.into_values().filter(|row| row.outcome.is_paired());
        let targets: Vec<RecordId> = paired.filter_map(|row| row.target).collect();
        self.stage_now(&self.reading_of(end), state, &targets).await
    }

    /// Counterparts that vanished and are there again. A platform may have taken their links with it, which nobody
    /// took away: none of them counts as settled, so that those of the source are made again, and what the source
    /// changed meanwhile is carried. The question about them goes with that.
    ///
    /// They stay on the list until all that is done: whoever comes after a pass that died finds them there.
    pub(super) async fn counterparts_again(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        back: &[Vanished],
    ) -> Result<(), Error> {
        let flow = &ready.flow.name;
        let targets: BTreeMap<RecordId, RecordId> =
            back.iter().map(|gone| (gone.source.clone(), gone.record.clone())).collect();
        let sources: BTreeSet<RecordId> = targets.keys().cloned().collect();
        if sources.is_empty() {
            return Ok(());
        }
        let mut commit = self.commit();
        // Nobody misses them any more.
        commit.vanished = back.iter().map(|gone| Vanished { fate: Fate::Kept, ..gone.clone() }).collect();
        let links: Vec<FieldName> =
            ready.links.keys().filter_map(|rule| Some(ready.flow.rules.get(*rule)?.target.clone())).collect();
        let ids: Vec<RecordId> = sources.iter().cloned().collect();
        let mut rows = Rows::new();
        for row in self.place.store.rows(flow, &ids).await?.into_values() {
            let without = |base: Vec<u8>| base::keeping(&base, &[], &links);
            let row = RecordRow { base: row.base.map(without), mapped: row.mapped.map(without), ..row };
            rows.insert((flow.clone(), row.record.clone()), row);
        }
        commit.links = self.links_to(ready, &sources).await?;
        let gone: Vec<(RecordId, RecordId)> = targets.clone().into_iter().collect();
        self.unsettle_links(&commit.links, &gone, &mut rows).await?;
        commit.rows = paired(rows).collect();
        self.place.store.commit(commit).await?;
        self.stage_pointing_again(ready, Side::Target, &targets.values().cloned().collect()).await?;
        let pairing = Pairing::of(&ready.flow, &ready.target);
        // Where nobody was asked about them nothing else calls for it.
        self.looked_at(ready, &pairing, &sources, Look::Due).await?;
        self.back_again(ready, back).await
    }

    /// Counterparts that are there again leave the list.
    async fn back_again(&self, ready: &Ready, back: &[Vanished]) -> Result<(), Error> {
        let flow = &ready.flow.name;
        let mut commit = self.commit();
        let mut entry = self.entry("returned", ready);
        for gone in back {
            let values = json!({"side": gone.side.word(), "record": gone.record.as_str()});
            entry.items.push(Item { record: gone.source.clone(), values: values.into() });
            commit.returned.push((flow.clone(), gone.side, gone.record.clone()));
            self.vanishings().returned += 1;
            // Where the source is gone too nothing was judged: what is asked about that one stays.
            let holds = self.place.store.holds_of(flow, &gone.source).await?;
            let is_over = |cause: &Cause| matches!(cause, Cause::TargetGone { target } if *target == gone.record);
            if holds.iter().any(|hold| is_over(&hold.cause)) {
                commit.released.push((flow.clone(), gone.source.clone()));
                commit.holds.extend(holds.into_iter().filter(|hold| !is_over(&hold.cause)));
            }
        }
        commit.entries.push(entry);
        self.place.store.commit(commit).await?;
        Ok(())
    }

    /// Children that waited for parents which are gone, and never had a counterpart, are judged without them.
    pub(super) async fn wait_no_longer(self: &Arc<Self>, flow: &FlowName, ended: &[RecordId]) -> Result<(), Error> {
        let mut woken = BTreeMap::new();
        self.wake_children(flow, ended, &mut woken).await?;
        for (flow, ids) in woken {
            let Some(child) = self.setup.flow(&flow).cloned() else { continue };
            let pairing = Pairing::of(&child.flow, &child.target);
            self.some_records(&child, &pairing, &ids).await?;
        }
        Ok(())
    }

    /// Records of an object became one: `olds`, in the order in which they are to be preferred, are `into` now.
    pub(super) async fn became(
        &self,
        end: &End,
        into: &RecordId,
        olds: &[RecordId],
        commit: &mut Commit,
    ) -> Result<(), Error> {
        for (ready, side) in self.places(end) {
            // What became one of them before, and is still to be decided, is part of the survivor too.
            let parts = self.place.store.vanished_into(&ready.flow.name, side, olds).await?.into_iter();
            let parts = parts.filter(|gone| !olds.contains(&gone.record));
            commit.vanished.extend(parts.map(|gone| Vanished { into: Some(into.clone()), ..gone }));
            match side {
                Side::Source => self.source_became(&ready, into, olds, commit).await?,
                Side::Target => self.target_became(&ready, into, olds, commit).await?,
            }
        }
        Ok(())
    }

    async fn source_became(
        &self,
        ready: &Arc<Ready>,
        into: &RecordId,
        olds: &[RecordId],
        commit: &mut Commit,
    ) -> Result<(), Error> {
        let flow = &ready.flow.name;
        let ids: Vec<RecordId> = olds.iter().chain([into]).cloned().collect();
        let mut rows = self.place.store.rows(flow, &ids).await?;
        let have = rows.remove(into);
        let is_live = |row: &RecordRow| !matches!(row.outcome, Outcome::Merged | Outcome::Excluded);
        let known: Vec<RecordRow> = olds.iter().filter_map(|old| rows.remove(old)).filter(is_live).collect();
        if known.is_empty() {
            return Ok(());
        }
        let own = have.as_ref().filter(|row| row.target.is_some()).cloned();
        let heir = |row: &RecordRow| RecordRow {
            record: into.clone(),
            block: have.as_ref().map_or(row.block, |have| have.block),
            last_entry: None,
            ..row.clone()
        };
        let paired = |row: &&RecordRow| row.target.is_some() && row.outcome.is_paired();
        let survivor = own.clone().or_else(|| known.iter().find(paired).map(heir));
        if let Some(row) = survivor.as_ref().filter(|_| own.is_none()) {
            commit.rows.push(row.clone());
        }
        let target = survivor.as_ref().and_then(|row| row.target.clone());
        let identity = survivor.as_ref().and_then(|row| row.identity);
        for row in known {
            let counterpart = row.target.clone().filter(|own| row.outcome.is_paired() && Some(own) != target.as_ref());
            let values = json!({"side": "source", "record": row.record.as_str(), "into": into.as_str(), "counterpart": counterpart});
            let mut entry = self.entry("followed", ready);
            entry.items.push(Item { record: row.record.clone(), values: values.into() });
            commit.entries.push(entry);
            self.merged_away(ready, Side::Source, &row.record, identity, commit);
            commit.returned.push((flow.clone(), Side::Source, row.record.clone()));
            commit.released.push((flow.clone(), row.record.clone()));
            if counterpart.is_some() {
                commit.vanished.push(Vanished {
                    into: Some(into.clone()),
                    certain: true,
                    counterpart,
                    ..self.vanished_now(flow, Side::Source, &row.record, &row.record)
                });
            }
            if let Some(counterpart) = row.target.clone() {
                self.parts_follow(ready, &counterpart, target.as_ref(), commit).await?;
            }
            commit.rows.push(merged_row(row, target.clone()));
            self.vanishings().followed += 1;
        }
        Ok(())
    }

    /// What was merged into a record before goes with it, when that one's counterpart is another one from now on, or
    /// none: nothing of it may claim what nobody stands for any more.
    pub(super) async fn parts_follow(
        &self,
        ready: &Ready,
        counterpart: &RecordId,
        now: Option<&RecordId>,
        commit: &mut Commit,
    ) -> Result<(), Error> {
        if now == Some(counterpart) {
            return Ok(());
        }
        let rows = self.place.store.rows_with_targets(&ready.flow.name, std::slice::from_ref(counterpart)).await?;
        let parts = rows.into_iter().filter(|row| row.outcome == Outcome::Merged);
        commit.rows.extend(parts.map(|row| merged_row(row, now.cloned())));
        Ok(())
    }

    async fn target_became(
        &self,
        ready: &Arc<Ready>,
        into: &RecordId,
        olds: &[RecordId],
        commit: &mut Commit,
    ) -> Result<(), Error> {
        let flow = &ready.flow.name;
        let ids: Vec<RecordId> = [into].into_iter().chain(olds).cloned().collect();
        let rows = self.place.store.rows_with_targets(flow, &ids).await?;
        let place = |row: &RecordRow| ids.iter().position(|id| row.target.as_ref() == Some(id));
        let live = |row: &&RecordRow| row.outcome.is_paired() && row.outcome != Outcome::Merged;
        let mut pairs: Vec<&RecordRow> = rows.iter().filter(live).collect();
        pairs.sort_by_key(|row| place(row));
        let (keeper, has_key) = self.keeper(ready, into, &pairs).await?;
        let identity = rows.iter().find(|row| Some(&row.record) == keeper.as_ref()).and_then(|row| row.identity);
        let mut seen = BTreeMap::new();
        for row in rows {
            let Some(old) = row.target.clone() else { continue };
            let is_second = live(&&row) && Some(&row.record) != keeper.as_ref();
            if old == *into && !is_second {
                continue;
            }
            let values = json!({"side": "target", "record": old.as_str(), "into": into.as_str()});
            let mut entry = self.entry("followed", ready);
            entry.items.push(Item { record: row.record.clone(), values: values.into() });
            commit.entries.push(entry);
            if old != *into && seen.insert(old.clone(), ()).is_none() {
                self.merged_away(ready, Side::Target, &old, identity, commit);
                commit.returned.push((flow.clone(), Side::Target, old.clone()));
                commit.released.extend(ready.held_back(&old));
            }
            self.vanishings().followed += 1;
            if !is_second {
                let anew: Vec<FieldName> = ready.flow.key.iter().filter(|_| !has_key).cloned().collect();
                let without = |base: Vec<u8>| base::keeping(&base, &[], &anew);
                let (base, mapped) = (row.base.clone().map(without), row.mapped.clone().map(without));
                commit.rows.push(RecordRow { target: Some(into.clone()), base, mapped, last_entry: None, ..row });
                continue;
            }
            // What its fields waited for is nobody's question any more.
            commit.released.push((flow.clone(), row.record.clone()));
            if let Some(other) = &keeper {
                self.two_became_one(ready, &row, (&old, into), other, commit);
            }
            commit.rows.push(merged_row(row, Some(into.clone())));
        }
        Ok(())
    }

    /// Of pairs whose target records became one, in the order in which they are to be preferred, the source record of the
    /// one that goes on; and whether the survivor has its key, not that of another one. A survivor under an id of its own
    /// stands for whom it says most of: whatever it says is carried to that one.
    async fn keeper(
        &self,
        ready: &Ready,
        into: &RecordId,
        pairs: &[&RecordRow],
    ) -> Result<(Option<RecordId>, bool), Error> {
        let Some(first) = pairs.first() else { return Ok((None, true)) };
        let survivor = match pairs.len() > 1 && first.target.as_ref() != Some(into) {
            true => self.targets_now(ready, std::slice::from_ref(into)).await?.pop(),
            false => None,
        };
        let Some(survivor) = survivor else { return Ok((Some(first.record.clone()), true)) };
        let likeness = |row: &RecordRow| {
            let base = row.base.as_deref().unwrap_or_default();
            (base::agreeing(ready, base, &survivor.fields), has_key_of(ready, &survivor, &row.record))
        };
        // Of those that are alike the last one is found.
        let likest = pairs.iter().rev().max_by_key(|row| likeness(row)).unwrap_or(first);
        Ok((Some(likest.record.clone()), likeness(likest).1))
    }

    /// Two source records whose counterparts became one: the one whose counterpart did not survive is told of.
    fn two_became_one(
        &self,
        ready: &Ready,
        row: &RecordRow,
        (old, into): (&RecordId, &RecordId),
        other: &RecordId,
        commit: &mut Commit,
    ) {
        let is_carried = carries(ready, Side::Target) && ready.flow.removals.merges == Merges::Carry;
        let fate = if is_carried { Fate::Pending } else { Fate::Asked };
        commit.vanished.push(Vanished {
            fate,
            into: Some(into.clone()),
            certain: true,
            counterpart: Some(row.record.clone()),
            ..self.vanished_now(&ready.flow.name, Side::Target, old, &row.record)
        });
        if !is_carried {
            let cause = Cause::TargetMerged { other: other.clone(), target: into.clone() };
            commit.holds.push(question(ready, &row.record, row.record.to_string(), cause));
            self.vanishings().asked += 1;
        }
    }

    /// A record that is part of another one: a member of that one's identity, and found under no key.
    fn merged_away(&self, ready: &Ready, side: Side, record: &RecordId, identity: Option<i64>, commit: &mut Commit) {
        let end = ready.flow.end(side);
        commit.keyless.push((end.system.clone(), end.object.clone(), record.clone()));
        commit.memberships.extend(identity.map(|identity| Membership {
            system: end.system.clone(),
            object: end.object.clone(),
            record: record.clone(),
            identity,
            role: String::new(),
            state: "merged".to_owned(),
        }));
    }
}

/// Whether what happens on a side is carried to the other one.
pub(super) fn carries(ready: &Ready, side: Side) -> bool {
    side == Side::Source || ready.flow.both_ways
}

/// A question about a record, which does not count towards the error threshold.
pub(super) fn question(ready: &Ready, source: &RecordId, title: String, cause: Cause) -> Hold {
    Hold {
        flow: ready.flow.name.clone(),
        object: ready.flow.source.object.clone(),
        record: source.clone(),
        title,
        cause,
        value: None,
        announced: true,
    }
}

/// The row of a record that is part of another one, whose counterpart is `target`; of one that has none nothing is
/// left.
fn merged_row(row: RecordRow, target: Option<RecordId>) -> RecordRow {
    let outcome = if target.is_some() { Outcome::Merged } else { Outcome::Excluded };
    RecordRow { outcome, target, identity: None, digest: None, base: None, mapped: None, last_entry: None, ..row }
}

//! Reconciliation: pairs are looked at again, some of them each hour and all of them within days, whatever the lists of
//! changes said of them.
//!
//! Invariants:
//! - A pair differs when a pass that looked at it now would carry or ask something: the judgement is the pass's own
//!   (`look.rs`), and what it leaves to the target's people is no difference.
//! - A difference is suspected first. It counts when it is still there at the end of a pass that began after the lag:
//!   that pass has read all changes and carried what it found.
//! - What is carried of it is staged as it is now and goes the way of every change: rules, holds, bases, guards.
//! - Looking takes no more than a small share of what is left of a system's day.
//! - No values: the state and the ledger name records and fields.

mod look;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handover_connect::{ObjectCapabilities, Span};
use handover_model::{Counts, End, FieldName, FlowName, ReadCost, RecordId, Schema};
use handover_store::{Commit, Item, Store};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Error;
use crate::back_course::AT_ONCE;
use crate::extract::Reading;
use crate::pairing::Pairing;
use crate::pass::Pass;
use crate::setup::Ready;
use look::Found;

/// How pairs are looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconcile {
    /// How often some of them are.
    pub every: SignedDuration,
    /// Within which time all of them are, as far as the spare calls reach.
    pub whole: SignedDuration,
    /// How long after a difference was suspected a pass has to begin for it to count when that pass is over.
    pub lag: SignedDuration,
    /// Whether what differs is carried; else it is only told.
    pub carry: bool,
    /// Whether a person asked for it: all pairs are looked at in this pass, at whatever cost.
    pub now: bool,
}

/// What is known of a flow's pairs by looking at them again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciled {
    /// When some of them were looked at last.
    pub looked: Timestamp,
    /// When the round under way began: its pairs were looked at since.
    pub round: Timestamp,
    /// Pairs that were looked at in this round.
    pub pairs: u64,
    /// Values in this round that the target's people changed and that stay as they are, by the rules.
    pub left: u64,
    /// Behind which record the round goes on.
    after: Option<RecordId>,
    /// When the last round began that came to its end: all pairs were looked at since.
    pub whole: Option<Timestamp>,
    /// Differences that counted, over all time.
    pub counted: u64,
    /// What differs, or is suspected to.
    pub differences: Vec<Different>,
}

/// Something that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Different {
    /// The source's record.
    pub record: RecordId,
    /// The target's field; none when one of both records is missing.
    pub field: Option<FieldName>,
    /// Since when it is suspected.
    pub since: Timestamp,
    /// Since when it counts.
    pub counted: Option<Timestamp>,
    /// When it was handed to a pass.
    pub sent: Option<Timestamp>,
}

/// What a pass found by looking at pairs again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// The flow.
    pub flow: FlowName,
    /// Pairs that were looked at.
    pub pairs: u64,
    /// Differences that count since this pass.
    pub counted: u64,
    /// Differences that counted and are gone.
    pub over: u64,
    /// Records that were handed to the pass.
    pub sent: u64,
    /// Differences that count now, by field; `record` where one of both records is missing.
    pub open: BTreeMap<String, u64>,
}

/// So many differences of a flow are kept: while there are as many, nothing new is looked at.
const MOST: usize = 1_000;

/// One look takes at most this part of what is left of a system's day.
const SHARE: u64 = 20;

/// Under which name a flow's state is kept.
fn kept_as(flow: &FlowName) -> String {
    format!("reconciled {flow}")
}

impl Reconciled {
    /// What a state knows of a flow; none while nothing was looked at again.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn of(store: &Store, flow: &FlowName) -> Result<Option<Self>, handover_store::Error> {
        let text = store.kept(&kept_as(flow)).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    fn begun(now: Timestamp) -> Self {
        Self {
            looked: now,
            round: now,
            pairs: 0,
            left: 0,
            after: None,
            whole: None,
            counted: 0,
            differences: Vec::new(),
        }
    }

    /// What counts now, by field; `record` where one of both records is missing.
    pub fn open(&self) -> BTreeMap<String, u64> {
        let mut open = BTreeMap::new();
        for one in self.differences.iter().filter(|one| one.counted.is_some()) {
            *open.entry(one.field.as_ref().map_or("record", FieldName::as_str).to_owned()).or_default() += 1;
        }
        open
    }

    /// What is suspected and does not count yet.
    pub fn suspected(&self) -> u64 {
        self.differences.iter().filter(|one| one.counted.is_none()).count() as u64
    }

    fn records(&self) -> Vec<RecordId> {
        let records: BTreeSet<&RecordId> = self.differences.iter().map(|one| &one.record).collect();
        records.into_iter().cloned().collect()
    }
}

/// What a look changed of a flow's state, for the ledger: by source record the fields.
#[derive(Default)]
struct News {
    counted: BTreeMap<RecordId, Vec<String>>,
    over: BTreeMap<RecordId, Vec<String>>,
}

impl Pass {
    /// Looks at pairs again, those whose turn it is, and carries what differs where the project says so. The end of a
    /// pass over changes.
    pub(crate) async fn reconcile(self: &Arc<Self>) -> Result<Vec<Looked>, Error> {
        let mut all = Vec::new();
        let Some(policy) = self.setup.project.policies.reconcile else { return Ok(all) };
        for ready in &self.setup.flows {
            let Some((source, target)) = self.both_can(ready)? else { continue };
            let flow = &ready.flow.name;
            let known = Reconciled::of(&self.place.store, flow).await?;
            let is_new = known.is_none();
            let mut state = known.unwrap_or_else(|| Reconciled::begun(self.began));
            let now = self.place.clock.now();
            let since = now.duration_since(state.looked);
            let due = policy.now || since >= policy.every;
            let ripe = state.differences.iter().any(|one| one.counted.is_none() && self.is_ripe(policy, one.since));
            let mut looked =
                Looked { flow: flow.clone(), pairs: 0, counted: 0, over: 0, sent: 0, open: BTreeMap::new() };
            if due || ripe {
                let mut news = News::default();
                let again = state.records();
                looked.pairs += self.look_at((ready, policy), &mut state, &again, &mut news).await?;
                if due {
                    let wanted = self.slice(ready, (&source, &target), policy, since).await?;
                    looked.pairs += self.look_on((ready, policy), &mut state, wanted, &mut news).await?;
                    state.looked = now;
                }
                looked.counted = news.counted.values().map(|fields| fields.len() as u64).sum();
                looked.over = news.over.values().map(|fields| fields.len() as u64).sum();
                state.counted += looked.counted;
                looked.sent = self.settle_look(ready, policy, &mut state, news).await?;
            } else if is_new {
                self.keep_look(ready, &state, News::default()).await?;
            }
            looked.open = state.open();
            all.push(looked);
        }
        Ok(all)
    }

    /// Whether this pass began so long after something was suspected that it has carried what was on its way.
    fn is_ripe(&self, policy: Reconcile, since: Timestamp) -> bool {
        self.began.duration_since(since) > policy.lag
    }

    /// What both objects of a flow can do, if both can be read by their ids.
    fn both_can(&self, ready: &Ready) -> Result<Option<(ObjectCapabilities, ObjectCapabilities)>, Error> {
        let can = |end: &End| {
            let system = self.setup.project.system(&end.system)?;
            let can = system.capabilities().object(end.object.as_str());
            Ok::<_, Error>(can.filter(|can| can.fetch_batch > 0 && can.through.is_empty()).cloned())
        };
        Ok(can(&ready.flow.source)?.zip(can(&ready.flow.target)?))
    }

    /// How many pairs are looked at now: their share of the time, in whole calls, as far as the spare calls reach.
    async fn slice(
        &self,
        ready: &Ready,
        (source, target): (&ObjectCapabilities, &ObjectCapabilities),
        policy: Reconcile,
        since: SignedDuration,
    ) -> Result<usize, Error> {
        let Counts { created, updated, unchanged, .. } = self.place.store.counts(&ready.flow.name).await?;
        let pairs = created + updated + unchanged;
        if policy.now {
            return Ok(usize::MAX);
        }
        let whole = u64::try_from(policy.whole.as_secs()).unwrap_or(0).max(1);
        let since = u64::try_from(since.as_secs()).unwrap_or(0).min(whole);
        let due = pairs.saturating_mul(since).div_ceil(whole);
        let full = u64::from(source.fetch_batch.min(target.fetch_batch)).min(pairs);
        let spare = [(&ready.flow.source, &ready.source, source), (&ready.flow.target, &ready.target, target)]
            .into_iter()
            .map(|(end, schema, can)| self.spare(&self.reading_of(end), schema, can))
            .collect::<Result<Vec<u64>, Error>>()?;
        let slice = due.max(full).min(spare.into_iter().min().unwrap_or(0));
        Ok(usize::try_from(slice).unwrap_or(usize::MAX))
    }

    /// How many records of an object may be read by their ids, by what is left of its system's day.
    fn spare(&self, reading: &Reading, schema: &Schema, can: &ObjectCapabilities) -> Result<u64, Error> {
        let system = self.setup.project.system(&reading.system)?;
        let Some(left) = system.spent().left_today else { return Ok(u64::MAX) };
        let is_daily = |limit: &str| {
            system.capabilities().limits.iter().any(|known| known.name == limit && known.span == Span::Day)
        };
        let charges = can.fetch_charges.iter().filter(|charge| is_daily(charge.limit));
        let charge: u64 = charges.map(|charge| u64::from(charge.amount)).sum();
        // What lists do not bring costs calls of its own.
        let more = reading.names().filter_map(|name| match schema.field(name.as_str()).map(|field| &field.read) {
            Some(ReadCost::Extra { per_call, .. }) => Some(*per_call),
            Some(ReadCost::Listed) | None => None,
        });
        const RECORDS: u64 = 100;
        let calls: u64 =
            more.chain([can.fetch_batch]).map(|per_call| RECORDS.div_ceil(u64::from(per_call.max(1)))).sum();
        Ok((left / SHARE).saturating_mul(RECORDS).checked_div(charge.saturating_mul(calls)).unwrap_or(u64::MAX))
    }

    /// Goes on with the round over a flow's pairs; gives how many were looked at. On request from the first one on.
    async fn look_on(
        &self,
        (ready, policy): (&Arc<Ready>, Reconcile),
        state: &mut Reconciled,
        wanted: usize,
        news: &mut News,
    ) -> Result<u64, Error> {
        if policy.now {
            state.begin_round(self.place.clock.now());
        }
        let (mut left, mut looked, mut ended) = (wanted, 0, false);
        while left > 0 && state.differences.len() < MOST {
            self.go_on()?;
            let at_once = left.min(AT_ONCE);
            let rows = self.place.store.rows_page(&ready.flow.name, None, state.after.as_ref(), at_once).await?;
            let ids: Vec<RecordId> =
                rows.iter().filter(|row| row.outcome.is_paired()).map(|row| row.record.clone()).collect();
            let pairs = self.look_at((ready, policy), state, &ids, news).await?;
            state.pairs += pairs;
            looked += pairs;
            left -= ids.len().min(left);
            state.after = rows.last().map(|row| row.record.clone());
            if rows.len() < at_once {
                state.whole = Some(state.round);
                state.begin_round(self.place.clock.now());
                if ended || policy.now {
                    break;
                }
                ended = true;
            }
        }
        Ok(looked)
    }

    /// Looks at these pairs and notes what differs of them; gives how many could be judged.
    async fn look_at(
        &self,
        (ready, policy): (&Arc<Ready>, Reconcile),
        state: &mut Reconciled,
        ids: &[RecordId],
        news: &mut News,
    ) -> Result<u64, Error> {
        let mut pairs = 0;
        for ids in ids.chunks(AT_ONCE) {
            let Found { mut different, looked, left } = self.differing(ready, ids).await?;
            let now = self.place.clock.now();
            (pairs, state.left) = (pairs + looked, state.left + left);
            let these: BTreeSet<&RecordId> = ids.iter().collect();
            for mut one in std::mem::take(&mut state.differences) {
                let is_there = different.get_mut(&one.record).is_some_and(|fields| fields.remove(&one.field));
                let name = one.field.as_ref().map_or("record", FieldName::as_str).to_owned();
                if these.contains(&one.record) && !is_there {
                    if one.counted.is_some() {
                        news.over.entry(one.record).or_default().push(name);
                    }
                    continue;
                }
                if is_there && one.counted.is_none() && self.is_ripe(policy, one.since) {
                    one.counted = Some(now);
                    news.counted.entry(one.record.clone()).or_default().push(name);
                }
                state.differences.push(one);
            }
            for (record, fields) in different {
                let new = fields.into_iter().map(|field| {
                    let record = record.clone();
                    Different { record, field, since: now, counted: None, sent: None }
                });
                state.differences.extend(new);
            }
        }
        Ok(pairs)
    }

    /// Keeps what a look found, and carries what counts where the project says so; gives how many records that are.
    async fn settle_look(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        policy: Reconcile,
        state: &mut Reconciled,
        news: News,
    ) -> Result<u64, Error> {
        // What was carried once and differs again is for people.
        let wanted = |one: &&mut Different| one.counted.is_some() && (policy.now || one.sent.is_none());
        let (mut changed, mut missing) = (BTreeSet::new(), BTreeSet::new());
        for one in state.differences.iter_mut().filter(wanted).filter(|_| policy.carry) {
            one.sent = Some(self.place.clock.now());
            let records = if one.field.is_some() { &mut changed } else { &mut missing };
            records.insert(one.record.clone());
        }
        // Staged before it is noted that it was: nothing that counts is forgotten.
        let changed: Vec<RecordId> = changed.into_iter().collect();
        self.stage_different(ready, &changed).await?;
        self.keep_look(ready, state, news).await?;
        if !missing.is_empty() {
            self.miss(ready, &missing.iter().cloned().collect::<Vec<_>>()).await?;
        }
        if !changed.is_empty() {
            self.staged_changes(ready, &Pairing::of(&ready.flow, &ready.target)).await?;
            if let Some(back) = &ready.back {
                self.staged_returns(ready, back, &Pairing::of(&back.ready.flow, &back.ready.target)).await?;
            }
        }
        Ok((changed.len() + missing.len()) as u64)
    }

    /// Stages both records of pairs as they are now, each side that is read for its changes.
    async fn stage_different(&self, ready: &Ready, sources: &[RecordId]) -> Result<(), Error> {
        if sources.is_empty() {
            return Ok(());
        }
        let rows = self.place.store.rows(&ready.flow.name, sources).await?;
        let targets: Vec<RecordId> =
            rows.into_values().filter(|_| ready.back.is_some()).filter_map(|row| row.target).collect();
        for (end, ids) in [(&ready.flow.source, sources), (&ready.flow.target, targets.as_slice())] {
            let read = self.place.store.extraction(&end.system, &end.object).await?;
            if let Some(read) = read.filter(|read| read.complete && !ids.is_empty()) {
                self.stage_now(&self.reading_of(end), read, ids).await?;
            }
        }
        Ok(())
    }

    async fn keep_look(&self, ready: &Ready, state: &Reconciled, news: News) -> Result<(), Error> {
        let mut commit = Commit { spent: self.newly_spent(), ..self.commit() };
        let text = serde_json::to_string(state).unwrap_or_default();
        commit.kept.push((kept_as(&ready.flow.name), text));
        for (kind, records) in [("differs", news.counted), ("agrees", news.over)] {
            let mut entry = self.entry(kind, ready);
            let item = |(record, fields)| Item { record, values: json!({ "fields": fields }).into() };
            entry.items.extend(records.into_iter().map(item));
            commit.entries.extend(Some(entry).filter(|entry| !entry.items.is_empty()));
        }
        self.place.store.commit(commit).await?;
        Ok(())
    }
}

impl Reconciled {
    fn begin_round(&mut self, now: Timestamp) {
        (self.round, self.pairs, self.left, self.after) = (now, 0, 0, None);
    }
}

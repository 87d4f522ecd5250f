//! A pass: reading, judging, writing, linking. Backfill and release of holds are the same pass over
//! different records.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use handover_model::{Counts, End, FieldName, Finding, Flow, FlowName, ObjectName, Outcome, RecordId, SystemName};
use handover_store::{Commit, Entry, Flip};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::Error;
use crate::cleared::{Cleared, Clearing};
use crate::pairing::Pairing;
use crate::reconcile::Looked;
use crate::setup::{Ready, Setup, Workplace};
use crate::threshold::Threshold;
use crate::told::Told;
use crate::transform::back_of;
use crate::vanish::Vanishings;

/// A pass at work.
pub struct Pass {
    pub(crate) setup: Arc<Setup>,
    pub(crate) place: Workplace,
    pub(crate) id: i64,
    /// When it began, by our clock.
    pub(crate) began: Timestamp,
    pub(crate) threshold: Mutex<Threshold>,
    /// Target records that source records were matched with in this pass: by flow and target, the source.
    pub(crate) claims: Mutex<HashMap<(FlowName, RecordId), RecordId>>,
    /// What became of the records that this pass itself decided about.
    pub(crate) did: Mutex<Counts>,
    /// New records of targets that are being carried just now, by their ways back.
    pub(crate) carrying: Mutex<HashSet<(FlowName, RecordId)>>,
    /// Of objects of which this pass read the changes: the first block with what they are now.
    pub(crate) fresh: Mutex<HashMap<End, i64>>,
    /// When it began, or the day that a plan looks ahead to: by this time cohorts are judged.
    pub(crate) dated: Timestamp,
    /// Whether records can be in cohorts: the project has some, or had them and records still wait.
    pub(crate) has_cohorts: bool,
    /// Edits in the source of what had passed to the target, that were not carried: by flow and target field.
    pub(crate) late: Mutex<BTreeMap<(FlowName, FieldName), u64>>,
    /// How often a platform had put a field into another form than we wrote: by flow and target field.
    pub(crate) adopted: Mutex<BTreeMap<(FlowName, FieldName), u64>>,
    /// What it did about links with calls of their own.
    pub(crate) links: Mutex<LinksDone>,
    /// How often what had been written was written again: by flow and target field.
    pub(crate) flipped: Mutex<BTreeMap<(FlowName, FieldName), u64>>,
    /// Values that give way, and are not kept yet.
    pub(crate) gave_way: Mutex<Vec<Flip>>,
    /// What it did about records that vanished.
    pub(crate) vanishings: Mutex<Vanishings>,
    /// Whether a write of this pass was left without an outcome.
    pub(crate) left_open: AtomicBool,
    /// Identities that were reserved and not given yet.
    pub(crate) spare: tokio::sync::Mutex<std::ops::Range<i64>>,
    /// Held while links are settled in the rows of their pairs.
    pub(crate) linking: tokio::sync::Mutex<()>,
    /// Fields that the source blanked.
    pub(crate) cleared: Clearing,
    /// What was noticed on the way.
    noticed: Mutex<Vec<Finding>>,
    stop: Arc<AtomicBool>,
    /// Whether one half of the pass failed, so that the other shall end too.
    pub(crate) halted: AtomicBool,
}

/// Links that were made and taken away, confirmed, with calls of their own. Those that a record's own write carries
/// count with the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LinksDone {
    /// Made.
    pub made: u64,
    /// Taken away.
    pub taken_away: u64,
}

/// How a pass ended.
#[derive(Clone, Debug)]
pub struct Report {
    /// The pass.
    pub pass: i64,
    /// By source system and object: what became of its records. Not counted after a pass over what was told.
    pub objects: Vec<ObjectReport>,
    /// What this pass itself did: records that it decided about, by what became of them.
    pub did: Counts,
    /// Links that it made and took away with calls of their own, in either system.
    pub links: LinksDone,
    /// Fields that a platform or its workflows had put into another form than this system wrote, and how often: by
    /// flow and target field.
    pub adopted: BTreeMap<(FlowName, FieldName), u64>,
    /// Fields of which a value that had given way was written again, and how often: by flow and target field.
    pub flipped: BTreeMap<(FlowName, FieldName), u64>,
    /// Edits in the source of what had passed to the target with its cohort, that were not carried, by rule: by flow
    /// and target field. The ledger tells each.
    pub late: BTreeMap<(FlowName, FieldName), u64>,
    /// What was done about records that vanished.
    pub vanishings: Vanishings,
    /// Links that wait for held parents.
    pub links_waiting: u64,
    /// What the pass noticed on its way: clocks that are apart, fields that are gone. Its records are held or
    /// carried all the same.
    pub findings: Vec<Finding>,
    /// Flows that could not work: their records wait.
    pub stopped: Vec<FlowName>,
    /// Fields that the source blanked since they were carried.
    pub cleared: Vec<Cleared>,
    /// What was found by looking at pairs again, by flow; only after a pass over changes.
    pub looked: Vec<Looked>,
}

impl Report {
    /// What a pass left, without what it itself did.
    fn of(pass: i64, objects: Vec<ObjectReport>, links_waiting: u64) -> Self {
        Self {
            pass,
            objects,
            did: Counts::default(),
            links: LinksDone::default(),
            vanishings: Vanishings::default(),
            adopted: BTreeMap::new(),
            flipped: BTreeMap::new(),
            late: BTreeMap::new(),
            links_waiting,
            findings: Vec::new(),
            stopped: Vec::new(),
            cleared: Vec::new(),
            looked: Vec::new(),
        }
    }
}

/// What became of an object's records.
#[derive(Clone, Debug)]
pub struct ObjectReport {
    /// The source system.
    pub system: SystemName,
    /// The source object.
    pub object: ObjectName,
    /// The counts; they add up to `read`.
    pub counts: Counts,
    /// The source's own total, if it tells one.
    pub told: Option<u64>,
}

/// The ledger's word for the beginning of a pass.
const BEGUN: &str = "pass_begun";

/// Which records a pass works on.
#[derive(Clone, Debug)]
pub enum Selection {
    /// All that are read.
    All,
    /// What changed since the last pass that read.
    Changes,
    /// These, since a system told that they changed. What else changed is left to a pass over changes.
    Told(Told),
    /// These, and the children that wait for them.
    Only(BTreeMap<FlowName, BTreeSet<RecordId>>),
}

impl Selection {
    /// Whether every record that was read is judged when the pass is over: then what no flow claims is out of scope.
    fn is_whole(&self) -> bool {
        matches!(self, Self::All | Self::Changes)
    }
}

/// The flows with their ends, and the names of their ways back.
fn ends_of(setup: &Setup) -> Vec<(FlowName, End, End, FlowName)> {
    let of = |ready: &Arc<Ready>| {
        let Flow { name, source, target, .. } = &ready.flow;
        (name.clone(), source.clone(), target.clone(), back_of(name))
    };
    setup.flows.iter().map(of).collect()
}

impl Pass {
    /// Begins a pass; `stop` set to true ends it at the next safe place.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn begin(
        setup: impl Into<Arc<Setup>>,
        place: &Workplace,
        kind: &str,
        stop: Arc<AtomicBool>,
    ) -> Result<Arc<Self>, Error> {
        let setup = setup.into();
        let backs = setup.flows.iter().filter_map(|ready| ready.back.as_ref()).map(|back| &back.ready);
        let rules: serde_json::Map<_, _> = setup
            .flows
            .iter()
            .chain(backs)
            .map(|ready| (ready.flow.name.to_string(), json!(ready.flow.rules)))
            .collect();
        place.store.bind_flows(&ends_of(&setup)).await?;
        let mut note = json!({
            "project": setup.project.name,
            "snapshot": setup.project.snapshot,
            "kind": kind,
            "rules": rules,
            "stopped": setup.drift.stopped,
            "changed": setup.drift.findings,
        });
        let flows: Vec<&FlowName> = setup.flows.iter().map(|ready| &ready.flow.name).collect();
        let facts = json!({"flows": flows});
        let began = place.clock.now();
        let dated = setup.project.policies.as_of.unwrap_or(began);
        let is_first = place.store.first_pass().await?.is_none();
        let since = setup.project.policies.begun.filter(|_| is_first).map_or(began, |begun| begun.min(began));
        let id = place.store.begin_pass(since, &setup.project.snapshot, kind, facts).await?;
        let mut has_cohorts = !setup.project.cohorts.is_empty();
        for ready in &setup.flows {
            has_cohorts |= !place.store.cohort_waiting(&ready.flow.name, None, 1).await?.is_empty();
        }
        let threshold = Mutex::new(Threshold::new(&setup.project.policies));
        let noticed = setup.drift.findings.iter().chain(setup.drift.stopped.values().flatten()).cloned().collect();
        let pass = Self {
            setup,
            place: place.clone(),
            id,
            began,
            threshold,
            claims: Mutex::default(),
            did: Mutex::default(),
            carrying: Mutex::default(),
            fresh: Mutex::default(),
            dated,
            has_cohorts,
            late: Mutex::default(),
            adopted: Mutex::default(),
            links: Mutex::default(),
            flipped: Mutex::default(),
            gave_way: Mutex::default(),
            vanishings: Mutex::default(),
            left_open: AtomicBool::new(false),
            spare: tokio::sync::Mutex::new(0..0),
            linking: tokio::sync::Mutex::default(),
            cleared: Clearing::default(),
            noticed: Mutex::new(noticed),
            stop,
            halted: AtomicBool::new(false),
        };
        if pass.has_cohorts {
            note["cohorts"] = pass.told_cohorts();
        }
        pass.note_pass(BEGUN, note).await?;
        pass.begin_cohorts().await?;
        Ok(Arc::new(pass))
    }

    /// A ledger row about the pass itself.
    async fn note_pass(&self, kind: &str, note: serde_json::Value) -> Result<(), Error> {
        let entry = Entry { kind: kind.to_owned(), flow: None, note, items: Vec::new() };
        let spent = self.newly_spent();
        // What is told of the schemas is known as told once it stands in the ledger.
        let kept = if kind == BEGUN { self.setup.drift.kept.clone() } else { Vec::new() };
        self.place.store.commit(Commit { entries: vec![entry], spent, kept, ..self.commit() }).await?;
        Ok(())
    }

    /// A pass that only looks: for verification. It is not in the state.
    pub(crate) fn looking(setup: &Arc<Setup>, place: &Workplace) -> Self {
        let threshold = Mutex::new(Threshold::new(&setup.project.policies));
        let dated = setup.project.policies.as_of.unwrap_or_else(|| place.clock.now());
        Self {
            setup: setup.clone(),
            place: place.clone(),
            id: 0,
            began: place.clock.now(),
            threshold,
            claims: Mutex::default(),
            did: Mutex::default(),
            carrying: Mutex::default(),
            fresh: Mutex::default(),
            dated,
            // Whatever waits in the state is no difference.
            has_cohorts: true,
            late: Mutex::default(),
            adopted: Mutex::default(),
            links: Mutex::default(),
            flipped: Mutex::default(),
            gave_way: Mutex::default(),
            vanishings: Mutex::default(),
            left_open: AtomicBool::new(false),
            spare: tokio::sync::Mutex::new(0..0),
            linking: tokio::sync::Mutex::default(),
            cleared: Clearing::default(),
            noticed: Mutex::default(),
            stop: Arc::default(),
            halted: AtomicBool::new(false),
        }
    }

    /// Works through the selection.
    ///
    /// # Errors
    /// Any [`Error`]; what was confirmed until then stands, and the next pass goes on from there.
    pub async fn run(self: &Arc<Self>, selection: &Selection) -> Result<Report, Error> {
        let result = self.work(selection).await;
        let findings = std::mem::take(&mut *self.noticed());
        let note = json!({
            "whole": selection.is_whole(),
            "left_today": self.left_today(),
            "findings": findings,
            "did": *self.did(),
            "links": *locked(&self.links),
            "duplicates": self.duplicates(selection).await,
        });
        let status = match &result {
            Ok(_) => "finished".to_owned(),
            Err(error) => format!("stopped: {error}"),
        };
        let report = match result {
            Ok(report) => report,
            Err(error) => {
                // The reason of the stop is what the caller needs to know, also when the state cannot take it.
                drop(self.place.store.finish_pass(self.id, self.place.clock.now(), &status, note).await);
                return Err(error);
            }
        };
        self.note_pass("pass_finished", json!({"links_waiting": report.links_waiting, "findings": findings})).await?;
        self.place.store.finish_pass(self.id, self.place.clock.now(), &status, note).await?;
        let stopped = self.setup.drift.stopped.keys().cloned().collect();
        Ok(Report { findings, stopped, cleared: self.cleared.told(), ..report })
    }

    /// Records that are held since others are like them; not counted after a pass over what was told.
    async fn duplicates(&self, selection: &Selection) -> Option<u64> {
        if matches!(selection, Selection::Told(_)) {
            return None;
        }
        let held = self.place.store.hold_counts().await.ok()?;
        let alike = ["duplicate_source", "ambiguous", "contradiction"];
        Some(held.iter().filter(|(_, cause, _)| alike.contains(&cause.as_str())).map(|(.., number)| number).sum())
    }

    async fn work(self: &Arc<Self>, selection: &Selection) -> Result<Report, Error> {
        self.settle_open_intents().await?;
        // What an earlier pass was to take away is gone before anything is compared.
        self.unlink_all().await?;
        let mut tripped = match selection {
            Selection::All => {
                self.read_and_carry().await?;
                self.carry_vanished(true, None).await?
            }
            Selection::Changes => {
                self.compare_clocks().await?;
                self.read_and_carry_changes(None).await?;
                self.carry_vanished(false, None).await?
            }
            // What vanished is left to the passes that look for it.
            Selection::Told(told) => {
                self.read_and_carry_changes(Some(told.clone())).await?;
                Vec::new()
            }
            Selection::Only(records) => {
                let mut wanted = records.clone();
                let tripped = self.carry_vanished(true, Some(&mut wanted)).await?;
                for ready in &self.setup.flows {
                    let pairing = Pairing::of(&ready.flow, &ready.target);
                    self.read_target(ready, &pairing).await?;
                    if let Some(ids) = wanted.remove(&ready.flow.name) {
                        let settled = self.some_records(ready, &pairing, &ids).await?;
                        self.wake_children(&ready.flow.name, &settled, &mut wanted).await?;
                    }
                    if let Some(back) = &ready.back
                        && let Some(ids) = wanted.remove(&back.ready.flow.name)
                    {
                        let settled = self.some_returns(ready, back, &ids).await?;
                        self.wake_children(&back.ready.flow.name, &settled, &mut wanted).await?;
                    }
                }
                tripped
            }
        };
        tripped.extend(self.link_all().await?);
        let looked = if matches!(selection, Selection::Changes) { self.reconcile().await? } else { Vec::new() };
        if looked.iter().any(|looked| looked.sent > 0) {
            tripped.extend(self.link_all().await?);
        }
        if !tripped.is_empty() {
            return Err(Error::Guard(tripped));
        }
        let report = match selection {
            // Counting all records would take longer than carrying a few.
            Selection::Told(_) => {
                let links_waiting = self.place.store.count_pending_links().await?;
                Report::of(self.id, Vec::new(), links_waiting)
            }
            _ => report(&self.setup, &self.place, self.id, selection.is_whole()).await?,
        };
        self.keep_reread().await?;
        let adopted = std::mem::take(&mut *locked(&self.adopted));
        let flipped = std::mem::take(&mut *locked(&self.flipped));
        let late = std::mem::take(&mut *locked(&self.late));
        let (did, links, vanishings) = (*self.did(), *locked(&self.links), *self.vanishings());
        Ok(Report { did, links, vanishings, adopted, flipped, late, looked, ..report })
    }

    pub(crate) fn did(&self) -> std::sync::MutexGuard<'_, Counts> {
        locked(&self.did)
    }

    /// Counts fields that are taken as a platform made them.
    pub(crate) fn adopt(&self, ready: &Ready, fields: Vec<FieldName>) {
        let mut adopted = locked(&self.adopted);
        for field in fields {
            *adopted.entry((ready.flow.name.clone(), field)).or_default() += 1;
        }
    }

    /// Counts edits that were not carried since the fields had passed to the target.
    pub(crate) fn leave_late(&self, ready: &Ready, fields: &[FieldName]) {
        let mut late = locked(&self.late);
        for field in fields {
            *late.entry((ready.flow.name.clone(), field.clone())).or_default() += 1;
        }
    }

    /// Takes note of something that people should know when the pass is over.
    pub(crate) fn notice(&self, finding: Finding) {
        self.noticed().push(finding);
    }

    fn noticed(&self) -> std::sync::MutexGuard<'_, Vec<Finding>> {
        locked(&self.noticed)
    }

    pub(crate) fn commit(&self) -> Commit {
        Commit { at: self.place.clock.now(), pass: self.id, ..Commit::default() }
    }

    pub(crate) fn entry(&self, kind: &str, ready: &Ready) -> Entry {
        Entry { kind: kind.to_owned(), flow: Some(ready.flow.name.clone()), note: json!({}), items: Vec::new() }
    }

    pub(crate) fn threshold(&self) -> std::sync::MutexGuard<'_, Threshold> {
        locked(&self.threshold)
    }

    /// Ends the pass here when somebody asked for it.
    pub(crate) fn go_on(&self) -> Result<(), Error> {
        let ends = self.stop.load(Ordering::Relaxed) || self.halted.load(Ordering::Relaxed);
        if ends { Err(Error::Stopped) } else { Ok(()) }
    }
}

/// What became of every record so far, per source object. `whole`: every record that was read was judged
/// just now.
///
/// # Errors
/// When the state cannot be read.
pub(crate) async fn report(setup: &Setup, place: &Workplace, pass: i64, whole: bool) -> Result<Report, Error> {
    // Passes that release single records judge only those.
    let judged = whole || place.store.any_pass("finished", ("whole", &json!(true))).await?;
    let mut objects = Vec::new();
    for (system, object) in setup.sources() {
        let flows: Vec<FlowName> = setup
            .flows
            .iter()
            .filter(|ready| ready.flow.source.system == system && ready.flow.source.object == object)
            .map(|ready| ready.flow.name.clone())
            .collect();
        let mut counts = place.store.object_counts(&flows).await?;
        let extraction = place.store.extraction(&system, &object).await?;
        let known: u64 = Outcome::ALL.into_iter().map(|outcome| counts.of(outcome)).sum();
        let read = extraction.as_ref().map_or(known, |state| u64::try_from(state.records).unwrap_or(0));
        // What a way back made may be gone before it was read.
        let returns = setup.flows.iter().any(|ready| ready.back.is_some() && flows.contains(&ready.flow.name));
        counts.read = if returns { read.max(known) } else { read };
        let complete = extraction.as_ref().is_some_and(|state| state.complete);
        let rest = counts.read.saturating_sub(known);
        // After a whole pass, what no flow claims is out of scope; before, it is not finished.
        let outcome = if complete && judged { Outcome::Excluded } else { Outcome::Pending };
        counts.add(outcome, rest);
        let told = extraction.and_then(|state| state.told).and_then(|told| u64::try_from(told).ok());
        objects.push(ObjectReport { system, object, counts, told });
    }
    let links_waiting = place.store.count_pending_links().await?;
    Ok(Report::of(pass, objects, links_waiting))
}

/// What a lock guards, also after a panic elsewhere.
pub(crate) fn locked<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

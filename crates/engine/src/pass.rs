//! A pass: reading, judging, writing, linking. Backfill and release of holds are the same pass over
//! different records.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use handover_model::{Counts, FieldName, FlowName, ObjectName, Outcome, RecordId, SystemName};
use handover_store::{Commit, Entry, Extraction, Worked};
use serde_json::json;

use crate::Error;
use crate::decide::{Decision, Judged, Staged};
use crate::extract::Reading;
use crate::observe::Event;
use crate::pairing::Pairing;
use crate::setup::{Ready, Setup, Workplace};
use crate::threshold::Threshold;
use crate::write::Outgoing;

/// A pass at work.
pub struct Pass<'s> {
    pub(crate) setup: &'s Setup,
    pub(crate) place: &'s Workplace,
    pub(crate) id: i64,
    pub(crate) threshold: Mutex<Threshold>,
    /// Target records that source records were matched with in this pass: by flow and target, the source.
    pub(crate) claims: Mutex<HashMap<(FlowName, RecordId), RecordId>>,
    /// Whether a write of this pass was left without an outcome.
    pub(crate) left_open: AtomicBool,
    /// Identities that were reserved and not given yet.
    spare: Mutex<std::ops::Range<i64>>,
    stop: Arc<AtomicBool>,
}

/// Identities that are reserved at once.
const RESERVED: i64 = 2_000;

/// After how many more blocks it is noted how far a flow came: a successor judges so many again, which takes
/// less than the notes of each would.
const STRIDE: i64 = 10;

/// How a pass ended.
#[derive(Clone, Debug)]
pub struct Report {
    /// The pass.
    pub pass: i64,
    /// By source system and object: what became of its records.
    pub objects: Vec<ObjectReport>,
    /// Links that wait for held parents.
    pub links_waiting: u64,
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

/// Which records a pass works on.
#[derive(Clone, Debug)]
pub enum Selection {
    /// All that are read.
    All,
    /// These, and the children that wait for them.
    Only(BTreeMap<FlowName, BTreeSet<RecordId>>),
}

impl<'s> Pass<'s> {
    /// Begins a pass; `stop` set to true ends it at the next safe place.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn begin(
        setup: &'s Setup,
        place: &'s Workplace,
        kind: &str,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        let rules: serde_json::Map<_, _> =
            setup.flows.iter().map(|ready| (ready.flow.name.to_string(), json!(ready.flow.rules))).collect();
        let ends: Vec<_> = setup
            .flows
            .iter()
            .map(|ready| (ready.flow.name.clone(), ready.flow.source.clone(), ready.flow.target.clone()))
            .collect();
        place.store.bind_flows(&ends).await?;
        let note = json!({
            "project": setup.project.name,
            "snapshot": setup.project.snapshot,
            "kind": kind,
            "rules": rules,
        });
        let id = place.store.begin_pass(place.clock.now(), &setup.project.snapshot, kind, json!({})).await?;
        let threshold = Mutex::new(Threshold::new(&setup.project.policies));
        let pass = Self {
            setup,
            place,
            id,
            threshold,
            claims: Mutex::default(),
            left_open: AtomicBool::new(false),
            spare: Mutex::new(0..0),
            stop,
        };
        pass.note_pass("pass_begun", note).await?;
        Ok(pass)
    }

    /// A ledger row about the pass itself.
    async fn note_pass(&self, kind: &str, note: serde_json::Value) -> Result<(), Error> {
        let entry = Entry { kind: kind.to_owned(), flow: None, note, items: Vec::new() };
        self.place.store.commit(Commit { entries: vec![entry], ..self.commit() }).await?;
        Ok(())
    }

    /// A pass that only looks: for verification. It is not in the state.
    pub(crate) fn looking(setup: &'s Setup, place: &'s Workplace) -> Self {
        let threshold = Mutex::new(Threshold::new(&setup.project.policies));
        Self {
            setup,
            place,
            id: 0,
            threshold,
            claims: Mutex::default(),
            left_open: AtomicBool::new(false),
            spare: Mutex::new(0..0),
            stop: Arc::default(),
        }
    }

    /// Works through the selection.
    ///
    /// # Errors
    /// Any [`Error`]; what was confirmed until then stands, and the next pass goes on from there.
    pub async fn run(&self, selection: &Selection) -> Result<Report, Error> {
        let result = self.work(selection).await;
        let whole = json!({"whole": matches!(selection, Selection::All)});
        let status = match &result {
            Ok(_) => "finished".to_owned(),
            Err(error) => format!("stopped: {error}"),
        };
        let report = match result {
            Ok(report) => report,
            Err(error) => {
                // The reason of the stop is what the caller needs to know, also when the state cannot take it.
                drop(self.place.store.finish_pass(self.id, self.place.clock.now(), &status, json!({})).await);
                return Err(error);
            }
        };
        self.note_pass("pass_finished", json!({"links_waiting": report.links_waiting})).await?;
        self.place.store.finish_pass(self.id, self.place.clock.now(), &status, whole).await?;
        Ok(report)
    }

    async fn work(&self, selection: &Selection) -> Result<Report, Error> {
        self.settle_open_intents().await?;
        if matches!(selection, Selection::All) {
            for (system, object) in self.setup.sources() {
                let reading = self.source_reading(&system, &object);
                self.extract(&reading, true).await?;
            }
        }
        let mut wanted = match selection {
            Selection::All => None,
            Selection::Only(records) => Some(records.clone()),
        };
        for ready in &self.setup.flows {
            let pairing = Pairing::of(&ready.flow, &ready.target);
            self.read_target(ready, &pairing).await?;
            match &mut wanted {
                None => self.whole_flow(ready, &pairing).await?,
                Some(records) => {
                    if let Some(ids) = records.remove(&ready.flow.name) {
                        let settled = self.some_records(ready, &pairing, &ids).await?;
                        self.wake_children(&ready.flow.name, &settled, records).await?;
                    }
                }
            }
        }
        self.link_all().await?;
        report(self.setup, self.place, self.id, matches!(selection, Selection::All)).await
    }

    /// Every staged record of the flow's source object.
    async fn whole_flow(&self, ready: &Arc<Ready>, pairing: &Pairing) -> Result<(), Error> {
        let source = &ready.flow.source;
        let Some(extraction) = self.place.store.extraction(&source.system, &source.object).await? else {
            return Ok(());
        };
        let mut writer = crate::write::Writer::new(ready.clone());
        let worked =
            self.place.store.worked(&ready.flow.name, &self.setup.project.snapshot).await?.min(extraction.blocks);
        self.unsettled(ready, pairing, worked, &mut writer).await?;
        // Blocks are pages of one size but for the last.
        let mut done = u64::try_from(extraction.records * worked / extraction.blocks.max(1)).unwrap_or(0);
        let mut noted = worked;
        for number in worked..extraction.blocks {
            self.go_on()?;
            let records = self.place.store.block_once(&source.system, &source.object, number).await?;
            done += records.len() as u64;
            let staged = records.into_iter().map(|record| Staged { record, block: number }).collect();
            self.judge_and_write(ready, pairing, staged, &mut writer).await?;
            self.tell_working(ready, done, &extraction);
            noted = self.note_worked(ready, noted, writer.oldest().unwrap_or(number + 1), STRIDE).await?;
        }
        self.flush(&mut writer).await?;
        self.note_worked(ready, noted, extraction.blocks, 1).await?;
        Ok(())
    }

    /// Of blocks that were worked through, the records that are not settled: they are judged again.
    async fn unsettled(
        &self,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        worked: i64,
        writer: &mut crate::write::Writer,
    ) -> Result<(), Error> {
        if worked == 0 {
            return Ok(());
        }
        for outcome in [Outcome::Held, Outcome::Pending] {
            let mut after = None;
            loop {
                self.go_on()?;
                let rows = self.place.store.rows_page(&ready.flow.name, Some(outcome), after.as_ref(), 500).await?;
                let Some(last) = rows.last() else { break };
                after = Some(last.record.clone());
                let ids: Vec<RecordId> =
                    rows.into_iter().filter(|row| row.block < worked).map(|row| row.record).collect();
                self.some_again(ready, pairing, &ids, writer).await?;
            }
        }
        Ok(())
    }

    /// Notes that the flow has worked through all blocks before `oldest`, so that a successor need not look
    /// at them again. It may lag behind, never run ahead: it is written after the outcomes that it stands
    /// on, and not at all once a write was left without one.
    async fn note_worked(&self, ready: &Ready, worked: i64, oldest: i64, stride: i64) -> Result<i64, Error> {
        if oldest < worked + stride || self.left_open.load(Ordering::Relaxed) {
            return Ok(worked);
        }
        let row =
            Worked { flow: ready.flow.name.clone(), snapshot: self.setup.project.snapshot.clone(), blocks: oldest };
        self.place.store.commit(Commit { worked: vec![row], ..self.commit() }).await?;
        Ok(oldest)
    }

    /// Some records, by their ids; gives those that have a counterpart now or are left out.
    async fn some_records(
        &self,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        ids: &BTreeSet<RecordId>,
    ) -> Result<Vec<RecordId>, Error> {
        let ids: Vec<RecordId> = ids.iter().cloned().collect();
        let mut writer = crate::write::Writer::new(ready.clone());
        self.some_again(ready, pairing, &ids, &mut writer).await?;
        self.flush(&mut writer).await?;
        let mut settled = Vec::new();
        for chunk in ids.chunks(500) {
            let rows = self.place.store.rows(&ready.flow.name, chunk).await?;
            settled.extend(
                rows.into_values()
                    .filter(|row| !matches!(row.outcome, Outcome::Held | Outcome::Pending))
                    .map(|row| row.record),
            );
        }
        Ok(settled)
    }

    /// Judges some records again and hands them to the writer.
    async fn some_again(
        &self,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        ids: &[RecordId],
        writer: &mut crate::write::Writer,
    ) -> Result<(), Error> {
        let source = &ready.flow.source;
        for chunk in ids.chunks(500) {
            let rows = self.place.store.rows(&ready.flow.name, chunk).await?;
            let mut blocks: BTreeMap<i64, HashSet<RecordId>> = BTreeMap::new();
            for row in rows.values() {
                blocks.entry(row.block).or_default().insert(row.record.clone());
            }
            let mut staged = Vec::new();
            for (number, wanted) in blocks {
                let records = self.place.store.block(&source.system, &source.object, number).await?;
                staged.extend(
                    records
                        .iter()
                        .filter(|record| wanted.contains(&record.id))
                        .map(|record| Staged { record: record.clone(), block: number }),
                );
            }
            self.judge_and_write(ready, pairing, staged, writer).await?;
        }
        Ok(())
    }

    /// Children that were held only because these parents were.
    async fn wake_children(
        &self,
        flow: &FlowName,
        parents: &[RecordId],
        wanted: &mut BTreeMap<FlowName, BTreeSet<RecordId>>,
    ) -> Result<(), Error> {
        for chunk in parents.chunks(500) {
            for child in self.place.store.children(flow, chunk).await? {
                wanted.entry(child.flow).or_default().insert(child.record);
            }
        }
        Ok(())
    }

    /// Judges records, commits what needs no write, hands the rest to the writer.
    async fn judge_and_write(
        &self,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        staged: Vec<Staged>,
        writer: &mut crate::write::Writer,
    ) -> Result<(), Error> {
        let judged = self.judge(ready, pairing, staged).await?;
        let mut settled = Vec::new();
        for one in judged {
            match one.decision {
                Decision::Create(_) | Decision::Update(..) => writer.push(Outgoing::of(one)),
                Decision::Hold(_) | Decision::Skip | Decision::Merge(_) | Decision::Unchanged(_) => settled.push(one),
            }
        }
        self.commit_settled(ready, settled).await?;
        while writer.has_wave(&self.setup.project.policies) {
            self.send_wave(writer).await?;
        }
        Ok(())
    }

    async fn flush(&self, writer: &mut crate::write::Writer) -> Result<(), Error> {
        while !writer.is_empty() {
            self.send_wave(writer).await?;
        }
        Ok(())
    }

    /// Commits decisions that need no write.
    async fn commit_settled(&self, ready: &Arc<Ready>, settled: Vec<Judged>) -> Result<(), Error> {
        if settled.is_empty() {
            return Ok(());
        }
        let mut identities = self.identities_for(settled.iter().map(|one| one.identity)).await?;
        let mut commit = self.commit();
        let mut entries: HashMap<&'static str, Entry> = HashMap::new();
        for mut one in settled {
            let (kind, outcome, target) = match &one.decision {
                Decision::Hold(_) => ("held", Outcome::Held, None),
                Decision::Skip => ("skipped", Outcome::Skipped, None),
                Decision::Merge(target) => ("merged", Outcome::Merged, Some(target.clone())),
                Decision::Unchanged(target) => ("unchanged", Outcome::Unchanged, Some(target.clone())),
                Decision::Create(_) | Decision::Update(..) => continue,
            };
            let mut values = std::mem::take(&mut one.trail);
            let identity = one.identity.or_else(|| identities.pop());
            commit.released.push((ready.flow.name.clone(), one.record.clone()));
            if let Decision::Hold(holds) = &one.decision {
                values.tell("causes", &holds.iter().map(|hold| &hold.cause).collect::<Vec<_>>());
                let unannounced = holds.iter().any(|hold| !hold.announced);
                self.threshold().note(unannounced && !one.was_held);
                commit.holds.extend(holds.iter().cloned());
            } else {
                self.threshold().note(false);
            }
            if let Some(target) = &target {
                values.tell("target", &target.as_str());
                values.all("mapped", &one.mapped);
            }
            commit.links.extend(one.links.iter().cloned());
            entries
                .entry(kind)
                .or_insert_with(|| self.entry(kind, ready))
                .items
                .push(handover_store::Item { record: one.record.clone(), values: values.end() });
            self.push_row(&mut commit, ready, &one, outcome, identity, target);
        }
        commit.entries.extend(entries.into_values());
        self.place.store.commit(commit).await?;
        self.threshold().check(&ready.flow.name)
    }

    /// The row of a record, and its memberships when it has a counterpart.
    pub(crate) fn push_row(
        &self,
        commit: &mut Commit,
        ready: &Ready,
        one: &Judged,
        outcome: Outcome,
        identity: Option<i64>,
        target: Option<RecordId>,
    ) {
        crate::write::push_row(commit, ready, &crate::write::Case::of(one), outcome, identity, target);
    }

    /// As many new identities as there are records without one.
    pub(crate) async fn identities_for(&self, have: impl Iterator<Item = Option<i64>>) -> Result<Vec<i64>, Error> {
        let number = i64::try_from(have.filter(Option::is_none).count()).unwrap_or(i64::MAX);
        if number == 0 {
            return Ok(Vec::new());
        }
        let spare = self.spare().clone();
        let first = if spare.end - spare.start >= number {
            spare.start
        } else {
            // A reservation is a durable step: it is made for several waves at once.
            let taken = number.max(RESERVED);
            let first = self.place.store.reserve_identities(usize::try_from(taken).unwrap_or(usize::MAX)).await?;
            *self.spare() = first..first.saturating_add(taken);
            first
        };
        let last = first.saturating_add(number);
        self.spare().start = last;
        Ok((first..last).rev().collect())
    }

    pub(crate) fn commit(&self) -> Commit {
        Commit { at: self.place.clock.now(), pass: self.id, ..Commit::default() }
    }

    pub(crate) fn entry(&self, kind: &str, ready: &Ready) -> Entry {
        Entry { kind: kind.to_owned(), flow: Some(ready.flow.name.clone()), note: json!({}), items: Vec::new() }
    }

    fn spare(&self) -> std::sync::MutexGuard<'_, std::ops::Range<i64>> {
        self.spare.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn threshold(&self) -> std::sync::MutexGuard<'_, Threshold> {
        self.threshold.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Ends the pass here when somebody asked for it.
    pub(crate) fn go_on(&self) -> Result<(), Error> {
        if self.stop.load(Ordering::Relaxed) { Err(Error::Stopped) } else { Ok(()) }
    }

    pub(crate) fn source_reading(&self, system: &SystemName, object: &ObjectName) -> Reading {
        let mut fields: HashSet<FieldName> = HashSet::new();
        let mut keys = Vec::new();
        let mut schema = None;
        for ready in self
            .setup
            .flows
            .iter()
            .filter(|ready| ready.flow.source.system == *system && ready.flow.source.object == *object)
        {
            let pairing = Pairing::of(&ready.flow, &ready.target);
            fields.extend(ready.program.source_fields());
            fields.extend(pairing.source_fields());
            fields.extend(titles(&ready.source));
            keys.extend(pairing.source);
            schema = Some(&ready.source);
        }
        let empty =
            handover_model::Schema { object: object.clone(), label: String::new(), fields: Vec::new(), content: false };
        Reading::new(schema.unwrap_or(&empty), system.clone(), fields, keys)
    }

    /// Reads the target's records where there is something to be found among them.
    async fn read_target(&self, ready: &Arc<Ready>, pairing: &Pairing) -> Result<(), Error> {
        if pairing.target.is_empty() {
            return Ok(());
        }
        let end = &ready.flow.target;
        let mut fields: HashSet<FieldName> = HashSet::new();
        let mut keys = Vec::new();
        // Flows that share a target object read it once, for all of them.
        for other in self.setup.flows.iter().filter(|other| other.flow.target == *end) {
            let pairing = Pairing::of(&other.flow, &other.target);
            fields.extend(pairing.target_fields());
            fields.extend(other.flow.rules.iter().map(|rule| rule.target.clone()));
            keys.extend(pairing.target);
        }
        let reading = Reading::new(&ready.target, end.system.clone(), fields, keys);
        self.extract(&reading, false).await?;
        Ok(())
    }

    fn tell_working(&self, ready: &Ready, done: u64, extraction: &Extraction) {
        self.place.observer.on(Event::Working {
            flow: ready.flow.name.clone(),
            done,
            total: u64::try_from(extraction.records).unwrap_or(0),
            held: self.threshold().held(),
        });
    }
}

/// What became of every record so far, per source object. `whole`: every record that was read was judged
/// just now.
///
/// # Errors
/// When the state cannot be read.
pub(crate) async fn report(setup: &Setup, place: &Workplace, pass: i64, whole: bool) -> Result<Report, Error> {
    // Passes that release single records judge only those.
    let finished =
        |pass: &handover_store::Pass| pass.status.as_deref() == Some("finished") && pass.note["whole"] == true;
    let judged = whole || place.store.passes().await?.iter().any(finished);
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
        counts.read = extraction.as_ref().map_or(known, |state| u64::try_from(state.records).unwrap_or(0));
        let complete = extraction.as_ref().is_some_and(|state| state.complete);
        let rest = counts.read.saturating_sub(known);
        // After a whole pass, what no flow claims is out of scope; before, it is not finished.
        let outcome = if complete && judged { Outcome::Excluded } else { Outcome::Pending };
        counts.add(outcome, rest);
        let told = extraction.and_then(|state| state.told).and_then(|told| u64::try_from(told).ok());
        objects.push(ObjectReport { system, object, counts, told });
    }
    Ok(Report { pass, objects, links_waiting: place.store.count_pending_links().await? })
}

/// Fields by which people know a record, where the object has them.
fn titles(schema: &handover_model::Schema) -> impl Iterator<Item = FieldName> + '_ {
    ["name", "title", "subject", "dealname", "firstname", "lastname", "file_name"]
        .into_iter()
        .filter(|name| schema.field(name).is_some())
        .map(FieldName::from)
}

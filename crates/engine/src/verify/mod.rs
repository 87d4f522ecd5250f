//! Verify: both systems are read anew and compared, record by record, field by field, link by link, byte by
//! byte; and as wholes, in ways that do not depend on our rules.
//!
//! The target's listing is kept in a store of its own for the time of the verification, so that memory
//! stays flat and no record is asked for twice.

mod links;
mod totals;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use handover_connect::{Connector, Read, Which};
use handover_model::{
    Counts, FieldName, Fields, FlowName, Kind, ObjectName, Outcome, Record, RecordId, SystemName, Value,
};
use handover_store::{Block, Commit, Location, MatchRow, RecordRow, Store};
use serde::Serialize;

pub use totals::{Total, Totals};

use crate::Error;
use crate::extract::Reading;
use crate::merge::same;
use crate::observe::Event;
use crate::pass::{Pass, report};
use crate::setup::{Ready, Setup, Workplace};
use crate::transform::State;
use links::Linked;

/// What verification found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verification {
    /// By flow: what was compared.
    pub flows: Vec<FlowVerified>,
    /// By source object: what became of its records.
    pub objects: Vec<ObjectVerified>,
    /// Everything that differs.
    pub differences: Vec<Difference>,
    /// Both sides as wholes.
    pub totals: Vec<Total>,
}

/// What became of an object's records, read anew.
#[derive(Clone, Debug, Serialize)]
pub struct ObjectVerified {
    /// The source system.
    pub system: SystemName,
    /// The source object.
    pub object: ObjectName,
    /// Records that the source has now.
    pub in_source: u64,
    /// What the state says became of them.
    pub counts: Counts,
}

/// What was compared in a flow.
#[derive(Clone, Debug, Serialize)]
pub struct FlowVerified {
    /// The flow.
    pub flow: FlowName,
    /// Pairs of records compared.
    pub records: u64,
    /// Field values compared.
    pub fields: u64,
    /// Links compared, those that should be there and those that are.
    pub links: u64,
    /// Files whose bytes were compared.
    pub files: u64,
    /// Records changed in the source since they were carried over; their fields are not compared.
    pub changed_since: u64,
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `value`, `missing_record`, `missing_link`, `extra_link`, `file`, `unknown_record`, `duplicate`,
    /// `not_carried`, `total`.
    pub kind: String,
    /// The flow.
    pub flow: FlowName,
    /// The source record.
    pub source: Option<RecordId>,
    /// The target record.
    pub target: Option<RecordId>,
    /// The target field.
    pub field: Option<FieldName>,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub actual: String,
}

/// Reads both systems anew and compares everything.
///
/// # Errors
/// When a system or the state cannot be read; the verification has no result then.
pub async fn verify(setup: impl Into<Arc<Setup>>, place: &Workplace) -> Result<Verification, Error> {
    let setup = setup.into();
    let pass = Pass::looking(&setup, place);
    let scratch = place.scratch.join("verify");
    let disk = |source| Error::Disk { path: scratch.clone(), source };
    tokio::fs::create_dir_all(&scratch).await.map_err(disk)?;
    let file = scratch.join(format!("{}.db", blake3::hash(place.clock.now().to_string().as_bytes()).to_hex()));
    let beside = Store::open(&Location::Sqlite(file.clone())).await?;
    let verified = Verifier { pass: &pass, setup: &setup, place, beside, found: Verification::default() }.run().await;
    drop(tokio::fs::remove_dir_all(&scratch).await);
    verified
}

struct Verifier<'v> {
    pass: &'v Pass,
    setup: &'v Setup,
    place: &'v Workplace,
    beside: Store,
    found: Verification,
}

impl Verifier<'_> {
    async fn run(mut self) -> Result<Verification, Error> {
        let mut targets_read: HashSet<(SystemName, ObjectName)> = HashSet::new();
        for ready in &self.setup.flows {
            let end = (ready.flow.target.system.clone(), ready.flow.target.object.clone());
            if targets_read.insert(end) {
                self.read_target(ready).await?;
            }
        }
        for (system, object) in self.setup.sources() {
            self.compare_object(&system, &object).await?;
        }
        for state in report(self.setup, self.place, 0, false).await?.objects {
            if let Some(object) = self
                .found
                .objects
                .iter_mut()
                .find(|object| object.system == state.system && object.object == state.object)
            {
                object.counts = state.counts;
            }
        }
        Ok(self.found)
    }

    /// Lists a target object into the store beside, looking for records that claim to be ours and are not.
    async fn read_target(&mut self, ready: &Arc<Ready>) -> Result<(), Error> {
        let end = &ready.flow.target;
        let mut fields: HashSet<FieldName> = HashSet::new();
        let sharing: Vec<Arc<Ready>> =
            self.setup.flows.iter().filter(|other| other.flow.target == *end).cloned().collect();
        for other in &sharing {
            fields.extend(other.flow.rules.iter().map(|rule| rule.target.clone()));
            fields.extend(other.flow.key.clone());
        }
        let reading = Reading::new(&ready.target, end.system.clone(), fields, Vec::new());
        let system = self.setup.project.system(&end.system)?.clone();
        let mut number = 0;
        let mut pages = Pages::new(&end.object, &reading.fields);
        while let Some(mut records) =
            pages.next(system.as_ref()).await.map_err(|fault| Error::system(&end.system, fault))?
        {
            reading.enrich(system.as_ref(), &mut records).await.map_err(|fault| Error::system(&end.system, fault))?;
            for other in &sharing {
                self.unknown_records(other, &records).await?;
            }
            let keys = records
                .iter()
                .map(|record| MatchRow {
                    system: end.system.clone(),
                    object: end.object.clone(),
                    kind: "id".to_owned(),
                    key: record.id.to_string(),
                    record: record.id.clone(),
                    block: number,
                })
                .collect();
            let block = Block { system: end.system.clone(), object: end.object.clone(), number, records };
            let commit = Commit { at: self.place.clock.now(), blocks: vec![block], keys, ..Commit::default() };
            self.beside.commit(commit).await?;
            number += 1;
            self.place.observer.on(Event::Reading {
                system: end.system.clone(),
                object: end.object.clone(),
                records: pages.records,
                told: None,
                complete: pages.done,
            });
        }
        Ok(())
    }

    /// Target records that carry a source key of ours which the crosswalk gives to another record or to none.
    async fn unknown_records(&mut self, ready: &Ready, records: &[Record]) -> Result<(), Error> {
        let Some(key) = &ready.flow.key else { return Ok(()) };
        let source = &ready.flow.source;
        let prefix = format!("{}:{}:", source.system, source.object);
        let ours: Vec<(RecordId, &Record)> = records
            .iter()
            .filter_map(|record| {
                let text = record.fields.get(key.as_str())?.as_text()?;
                Some((RecordId::from(text.strip_prefix(&prefix)?), record))
            })
            .collect();
        let ids: Vec<RecordId> = ours.iter().map(|(source, _)| source.clone()).collect();
        let mut known: HashMap<RecordId, Vec<RecordId>> = HashMap::new();
        for other in self
            .setup
            .flows
            .iter()
            .filter(|other| other.flow.source == *source && other.flow.target == ready.flow.target)
        {
            for (source, target) in self.place.store.targets_of_flow(&other.flow.name, &ids).await? {
                known.entry(source).or_default().push(target);
            }
        }
        for (source, record) in ours {
            let targets = known.get(&source);
            if targets.is_some_and(|targets| targets.contains(&record.id)) {
                continue;
            }
            let kind = if targets.is_some() { "duplicate" } else { "unknown_record" };
            let difference = Difference {
                kind: kind.to_owned(),
                flow: ready.flow.name.clone(),
                source: Some(source),
                target: Some(record.id.clone()),
                field: None,
                expected: targets
                    .and_then(|targets| targets.first())
                    .map_or_else(|| "no record".to_owned(), ToString::to_string),
                actual: record.id.to_string(),
            };
            if !self.found.differences.contains(&difference) {
                self.found.differences.push(difference);
            }
        }
        Ok(())
    }

    /// Lists a source object and compares each of its records in every flow that has it.
    async fn compare_object(&mut self, system: &SystemName, object: &ObjectName) -> Result<(), Error> {
        let flows: Vec<Arc<Ready>> = self
            .setup
            .flows
            .iter()
            .filter(|ready| ready.flow.source.system == *system && ready.flow.source.object == *object)
            .cloned()
            .collect();
        let reading = self.pass.source_reading(system, object);
        let connector = self.setup.project.system(system)?.clone();
        let mut in_source = 0;
        let mut seen = HashSet::new();
        let mut works: BTreeMap<FlowName, (FlowVerified, Totals)> = flows
            .iter()
            .map(|ready| (ready.flow.name.clone(), (FlowVerified::of(&ready.flow.name), Totals::of(ready))))
            .collect();
        let mut pages = Pages::new(object, &reading.fields);
        while let Some(mut records) =
            pages.next(connector.as_ref()).await.map_err(|fault| Error::system(system, fault))?
        {
            records.retain(|record| seen.insert(record.id.clone()));
            reading.enrich(connector.as_ref(), &mut records).await.map_err(|fault| Error::system(system, fault))?;
            in_source += records.len() as u64;
            for ready in &flows {
                if let Some((verified, totals)) = works.get_mut(&ready.flow.name) {
                    self.compare_records(ready, &records, verified, totals).await?;
                }
            }
        }
        for (flow, (verified, totals)) in works {
            self.found.flows.push(verified);
            for total in totals.finish() {
                if !total.agrees {
                    self.found.differences.push(total.difference(&flow));
                }
                self.found.totals.push(total);
            }
        }
        self.found.objects.push(ObjectVerified {
            system: system.clone(),
            object: object.clone(),
            in_source,
            counts: Counts::default(),
        });
        Ok(())
    }

    async fn compare_records(
        &mut self,
        ready: &Arc<Ready>,
        records: &[Record],
        verified: &mut FlowVerified,
        totals: &mut Totals,
    ) -> Result<(), Error> {
        let ids: Vec<RecordId> = records.iter().map(|record| record.id.clone()).collect();
        let rows = self.place.store.rows(&ready.flow.name, &ids).await?;
        let there = self.targets(ready, &rows).await?;
        let mut paired = Vec::new();
        for record in records {
            let in_scope = ready.program.in_scope(record).unwrap_or(true);
            match rows.get(&record.id) {
                Some(row) if row.outcome.is_paired() => paired.push((record, row)),
                Some(_) => {}
                None if in_scope => {
                    self.differ("not_carried", ready, Some(&record.id), None, None, "an outcome", "none")
                }
                None => {}
            }
        }
        let expected = self.pass.expected(ready, paired.iter().map(|(record, _)| *record).collect()).await?;
        for ((record, row), (fields, digest)) in paired.into_iter().zip(expected) {
            let Some(target) = row.target.as_ref().and_then(|target| there.get(target)) else {
                self.differ("missing_record", ready, Some(&record.id), row.target.as_ref(), None, "a record", "none");
                continue;
            };
            verified.records += 1;
            if row.outcome == Outcome::Merged {
                continue;
            }
            if row.digest.is_some_and(|settled| settled != digest) {
                verified.changed_since += 1;
                continue;
            }
            if row.outcome == Outcome::Created {
                totals.add(record, target);
            }
            self.compare_fields(ready, record, row, target, &fields, verified).await?;
            self.compare_bytes(ready, record, target, verified).await?;
        }
        Ok(())
    }

    /// The target records of a page's rows, from the listing.
    async fn targets(
        &self,
        ready: &Ready,
        rows: &HashMap<RecordId, RecordRow>,
    ) -> Result<HashMap<RecordId, Record>, Error> {
        let end = &ready.flow.target;
        let wanted: Vec<(String, String)> =
            rows.values().filter_map(|row| Some(("id".to_owned(), row.target.as_ref()?.to_string()))).collect();
        let mut found = HashMap::new();
        for row in self.beside.matches(&end.system, &end.object, &wanted).await? {
            let block = self.beside.block(&end.system, &end.object, row.block).await?;
            if let Some(record) = block.iter().find(|record| record.id == row.record) {
                found.insert(row.record, record.clone());
            }
        }
        Ok(found)
    }

    /// Whether the queue says that this field of the record could not be carried: a hold, no difference.
    async fn is_held(&self, ready: &Ready, record: &RecordId, name: &FieldName) -> Result<bool, Error> {
        let holds = self.place.store.holds_of(&ready.flow.name, record).await?;
        Ok(holds.iter().any(|hold| hold.cause.field() == Some(name)))
    }

    async fn compare_fields(
        &mut self,
        ready: &Ready,
        record: &Record,
        row: &RecordRow,
        target: &Record,
        expected: &Fields,
        verified: &mut FlowVerified,
    ) -> Result<(), Error> {
        for (name, value) in expected.iter() {
            let have = target.fields.get(name.as_str()).unwrap_or(&Value::Null);
            let kind = ready.target.field(name.as_str()).map(|field| &field.kind);
            if matches!(kind, Some(Kind::Reference { .. })) {
                if value.ids() != have.ids() && !self.is_held(ready, &record.id, name).await? {
                    self.compare_links(&Linked { ready, record, row, target, expected }, name, (value, have), verified);
                } else {
                    verified.links += value.ids().len() as u64;
                }
                continue;
            }
            verified.fields += 1;
            if same(kind, value, have) {
                continue;
            }
            // On a record that both had, the survivorship rule may have kept the target's value: what was
            // settled then is what must be there now.
            let settled = row.base.as_deref().and_then(|base| crate::base::settled(base, name));
            if settled.is_some_and(|settled| settled == crate::base::mark(kind, have)) {
                continue;
            }
            if self.is_held(ready, &record.id, name).await? {
                continue;
            }
            self.differ(
                "value",
                ready,
                Some(&record.id),
                Some(&target.id),
                Some(name),
                &value.display(),
                &have.display(),
            );
        }
        self.links_from_nowhere(&Linked { ready, record, row, target, expected }, verified);
        Ok(())
    }

    async fn compare_bytes(
        &mut self,
        ready: &Ready,
        record: &Record,
        target: &Record,
        verified: &mut FlowVerified,
    ) -> Result<(), Error> {
        if !(ready.source.content && ready.target.content) {
            return Ok(());
        }
        verified.files += 1;
        let mut hashes = Vec::new();
        for (end, id) in [(&ready.flow.source, &record.id), (&ready.flow.target, &target.id)] {
            let path = self.place.scratch.join("verify").join(format!("bytes-{}", hashes.len()));
            let system = self.setup.project.system(&end.system)?;
            hashes.push(match system.download(&end.object, id, &path).await {
                Ok(content) => content.blake3,
                Err(fault) if fault.kind == handover_connect::FaultKind::NotFound => "the bytes are gone".to_owned(),
                Err(fault) => return Err(Error::system(&end.system, fault)),
            });
        }
        if let [one, other] = hashes.as_slice()
            && one != other
        {
            self.differ("file", ready, Some(&record.id), Some(&target.id), None, one, other);
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a difference")]
    fn differ(
        &mut self,
        kind: &str,
        ready: &Ready,
        source: Option<&RecordId>,
        target: Option<&RecordId>,
        field: Option<&FieldName>,
        expected: &str,
        actual: &str,
    ) {
        self.found.differences.push(Difference {
            kind: kind.to_owned(),
            flow: ready.flow.name.clone(),
            source: source.cloned(),
            target: target.cloned(),
            field: field.cloned(),
            expected: expected.to_owned(),
            actual: actual.to_owned(),
        });
    }
}

impl FlowVerified {
    fn of(flow: &FlowName) -> Self {
        Self { flow: flow.clone(), records: 0, fields: 0, links: 0, files: 0, changed_since: 0 }
    }
}

impl Pass {
    /// What the target should say of records now, with the digest that tells whether the source changed.
    async fn expected(&self, ready: &Arc<Ready>, records: Vec<&Record>) -> Result<Vec<(Fields, [u8; 16])>, Error> {
        let mapped: Vec<_> = records.iter().map(|record| ready.program.apply(record)).collect();
        let parents = self.parents(ready, mapped.iter().map(Vec::as_slice)).await?;
        let ids: Vec<RecordId> = records.iter().map(|record| record.id.clone()).collect();
        let mut answers = self.place.store.answers(&ready.flow.name, &ids).await?;
        let mut all = Vec::new();
        for (record, mapped) in records.into_iter().zip(mapped) {
            let answers = answers.remove(&record.id).unwrap_or_default();
            let links: Vec<(usize, FieldName, Vec<String>)> = mapped
                .iter()
                .filter_map(|value| match &value.state {
                    State::Links(ids) => Some((value.rule, value.target.clone(), ids.clone())),
                    State::Absent | State::Value(_) | State::User(_) | State::Problem(..) => None,
                })
                .collect();
            let mut fields = self.resolve(ready, record, mapped, &answers, &parents).fields;
            let digest = crate::base::digest(&crate::base::encode(ready, &fields));
            // Links of the second step belong to what should be there as well.
            for (rule, field, ids) in links {
                let targets = parents.targets(ready, rule, &ids);
                if !targets.is_empty() {
                    fields.set(field, Value::List(targets.into_iter().map(Value::from).collect()));
                }
            }
            all.push((fields, digest));
        }
        Ok(all)
    }
}

/// The pages of a listing.
struct Pages {
    read: Read,
    cursor: Option<handover_connect::Cursor>,
    done: bool,
    records: u64,
}

impl Pages {
    fn new(object: &ObjectName, fields: &Arc<[FieldName]>) -> Self {
        let read = Read { object: object.clone(), fields: fields.clone(), which: Which::Live, since: None };
        Self { read, cursor: None, done: false, records: 0 }
    }

    async fn next(&mut self, system: &dyn Connector) -> Result<Option<Vec<Record>>, handover_connect::Fault> {
        if self.done {
            return Ok(None);
        }
        let page = system.page(&self.read, self.cursor.as_ref()).await?;
        self.cursor = page.next;
        self.done = self.cursor.is_none();
        self.records += page.records.len() as u64;
        Ok(Some(page.records.into_iter().filter(|record| !record.gone).collect()))
    }
}

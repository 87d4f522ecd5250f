//! Verify: both systems are read anew and compared, record by record, field by field, link by link, byte by
//! byte; and as wholes, in ways that do not depend on our rules.
//!
//! Both listings are kept in a store of their own for the time of the verification, so that memory stays flat,
//! no record is asked for twice, and neither system waits for the other's limits.

mod links;
mod listing;
mod totals;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::future::try_join;
use handover_connect::FaultKind;
use handover_model::{
    Counts, End, FieldName, Fields, FlowName, Kind, Leaves, ObjectName, Outcome, Owner, Record, RecordId, SystemName,
    Value,
};
use handover_store::{Location, RecordRow, Store};
use serde::Serialize;

pub use totals::{Total, Totals};

use crate::Error;
use crate::fingerprint::is_numbered;
use crate::merge::same;
use crate::pass::{Pass, report};
use crate::setup::{Ready, Setup, Workplace};
use crate::transform::State;
use links::Linked;
use listing::Listing;

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
    /// Records changed in the source since they were carried over, and that differ for that reason: not counted
    /// among the values compared.
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
        let listing = Listing { pass: self.pass, setup: self.setup, place: self.place, beside: &self.beside };
        let (differences, blocks) = listing.list_all().await?;
        self.found.differences = differences;
        for ((system, object), blocks) in self.setup.sources().into_iter().zip(blocks) {
            self.compare_object(&system, &object, blocks).await?;
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

    /// Compares each record of a source object in every flow that has it.
    async fn compare_object(&mut self, system: &SystemName, object: &ObjectName, blocks: i64) -> Result<(), Error> {
        let flows: Vec<Arc<Ready>> = self
            .setup
            .flows
            .iter()
            .filter(|ready| ready.flow.source.system == *system && ready.flow.source.object == *object)
            .cloned()
            .collect();
        let mut in_source = 0;
        let mut works: BTreeMap<FlowName, (FlowVerified, Totals)> = flows
            .iter()
            .map(|ready| (ready.flow.name.clone(), (FlowVerified::of(&ready.flow.name), Totals::of(ready))))
            .collect();
        for number in 0..blocks {
            let records = self.beside.block_once(&listing::as_source(system), object, number).await?;
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
        let standings = self.pass.standings(ready, &ids).await?;
        let waits = |id: &RecordId| standings.get(id).is_some_and(|standing| standing.waits);
        let mut paired = Vec::new();
        for record in records {
            let in_scope = ready.program.in_scope(record).unwrap_or(true);
            match rows.get(&record.id) {
                // What waits for its cohort stays as it is on both sides.
                _ if waits(&record.id) => {}
                // So does what left the flow.
                Some(_) if !in_scope && ready.flow.removals.leaves != Leaves::Carry => {}
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
            let moved = standings.get(&record.id).is_some_and(|standing| standing.moved);
            let is_changed = row.digest.is_some_and(|settled| settled != digest);
            let (known, counted) = (self.found.differences.len(), verified.clone());
            self.compare_fields(ready, (record, moved, is_changed), row, target, &fields, verified).await?;
            self.compare_bytes(ready, record, target, verified).await?;
            if is_changed && self.found.differences.len() > known {
                // What the source says since then is not carried yet. Where nothing differs, both changed alike: a
                // parent of theirs was merged on both sides.
                self.found.differences.truncate(known);
                *verified = FlowVerified { changed_since: counted.changed_since + 1, ..counted };
                continue;
            }
            if row.outcome == Outcome::Created && !moved {
                totals.add(record, target);
            }
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

    /// Whether another flow wrote a field since this one did: what it says is that one's to prove.
    async fn is_anothers(
        &self,
        ready: &Ready,
        row: &RecordRow,
        target: &Record,
        name: &FieldName,
    ) -> Result<bool, Error> {
        let ours = HashMap::from([(&target.id, row)]);
        let written = self.pass.foreign(ready, &ready.flow.target, &ours).await?;
        Ok(written.get(&target.id).is_some_and(|fields| fields.contains(name)))
    }

    async fn compare_fields(
        &mut self,
        ready: &Ready,
        (record, moved, is_changed): (&Record, bool, bool),
        row: &RecordRow,
        target: &Record,
        expected: &Fields,
        verified: &mut FlowVerified,
    ) -> Result<(), Error> {
        for (name, value) in expected.iter().filter(|(name, _)| !moved || !is_passed(ready, name)) {
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
            // The bytes tell files apart; of several with one name platforms number those that come later.
            if same(kind, value, have) || (ready.target.content && is_numbered(value, have)) {
                continue;
            }
            // On a record that both had, the survivorship rule may have kept the target's value: what was
            // settled then is what must be there now.
            if !is_changed
                && crate::base::differs(row.base.as_deref().unwrap_or_default(), name, kind, have) == Some(false)
            {
                continue;
            }
            if self.is_held(ready, &record.id, name).await? || self.is_anothers(ready, row, target, name).await? {
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
        let hash = async |end: &End, id: &RecordId, name: &str| {
            let path = self.place.scratch.join("verify").join(name);
            match self.setup.project.system(&end.system)?.download(&end.object, id, &path).await {
                Ok(content) => Ok(content.blake3),
                Err(fault) if fault.kind == FaultKind::NotFound => Ok("the bytes are gone".to_owned()),
                Err(fault) => Err(Error::system(&end.system, fault)),
            }
        };
        let (one, other) = try_join(
            hash(&ready.flow.source, &record.id, "bytes-source"),
            hash(&ready.flow.target, &target.id, "bytes-target"),
        )
        .await?;
        if one != other {
            self.differ("file", ready, Some(&record.id), Some(&target.id), None, &one, &other);
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
            let mut fields = self.resolve(ready, record, mapped, &answers, parents.at_first()).fields;
            let digest = crate::base::digest(&crate::base::encode(ready, &fields), &ready.deferred);
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

/// Whether a field passes to the target with its record's cohort and nothing carries it back: what people make of it
/// there is no difference then.
fn is_passed(ready: &Ready, name: &FieldName) -> bool {
    ready.shared.iter().any(|field| field.name == *name && !field.goes_back && field.then == Owner::Target)
}

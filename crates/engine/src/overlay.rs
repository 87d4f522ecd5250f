//! The target as a plan sees it: reads go through, writes stay here.
//!
//! `plan` is the engine itself over this overlay, so that the plan cannot disagree with the run. What a
//! schema promises to refuse (a unique value taken twice, a link to nowhere) is refused here too.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use handover_connect::{
    Capabilities, Change, Connector, Cursor, Delivery, Event, Fault, FaultKind, Fed, LinkBatch, LinkOutcome,
    ObjectCapabilities, Page, Read, Spent, Which, Write, WriteBatch, WriteMode, WriteOutcome, Written,
};
use handover_model::{
    Account, Automation, Content, Field, FieldName, Fields, ObjectName, Record, RecordId, Schema, User, Value,
};
use jiff::{SignedDuration, Timestamp};

/// What a plan would have sent.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// Write and link calls by object.
    pub calls: BTreeMap<ObjectName, u64>,
    /// What they would be charged, by limit.
    pub charges: BTreeMap<&'static str, u64>,
    /// Links that would be added.
    pub links: u64,
}

/// How the ids of records begin that are only planned.
const PLANNED: &str = "planned:";

/// A system whose writes stay in memory.
pub struct Overlay {
    below: Arc<dyn Connector>,
    planned: Mutex<Planned>,
    unique: Mutex<HashMap<(ObjectName, FieldName), HashSet<Value>>>,
    schemas: Mutex<HashMap<ObjectName, Schema>>,
    /// Fields that are to be created: they stand in the schema already, and are not read.
    wanted: BTreeMap<ObjectName, Vec<Field>>,
    /// Objects of which what is written is read again: several flows have them as an end.
    shared: BTreeSet<ObjectName>,
    /// What was written of those.
    written: Mutex<BTreeMap<(ObjectName, RecordId), Fields>>,
}

impl Overlay {
    /// An overlay over `below`, as if the fields `wanted` were created. What is written of the objects `shared` shows
    /// in what is read of them afterwards.
    pub fn new(
        below: Arc<dyn Connector>,
        wanted: BTreeMap<ObjectName, Vec<Field>>,
        shared: BTreeSet<ObjectName>,
    ) -> Self {
        Self {
            below,
            planned: Mutex::default(),
            unique: Mutex::default(),
            schemas: Mutex::default(),
            wanted,
            shared,
            written: Mutex::default(),
        }
    }

    /// The id that a new record gets.
    fn planned_id(&self, object: &ObjectName, trace: &RecordId) -> RecordId {
        let written = lock(&self.written);
        // Records of several sources may have the same id.
        let ids = (0..).map(|n: u32| RecordId::new(format!("{PLANNED}{}{trace}", "+".repeat(n as usize))));
        let mut free = ids.filter(|id| !written.contains_key(&(object.clone(), id.clone())));
        free.next().unwrap_or_else(|| trace.clone())
    }

    /// Keeps what is written of an object that other flows read.
    fn keep(&self, object: &ObjectName, id: &RecordId, fields: &Fields) {
        if self.shared.contains(object) {
            let mut written = lock(&self.written);
            let known = written.entry((object.clone(), id.clone())).or_default();
            fields.iter().for_each(|(name, value)| known.set(name.clone(), value.clone()));
        }
    }

    /// A record that was planned, with these of its fields.
    fn made(&self, object: &ObjectName, id: &RecordId, fields: &[FieldName]) -> Option<Record> {
        let written = lock(&self.written);
        let known = written.get(&(object.clone(), id.clone())).filter(|_| id.as_str().starts_with(PLANNED))?;
        let mut shown = Fields::new();
        for name in fields {
            shown.set(name.clone(), known.get(name.as_str()).cloned().unwrap_or(Value::Null));
        }
        Some(Record { id: id.clone(), fields: shown, modified: None, gone: false })
    }

    /// Shows what was written to records that exist below.
    fn show_written(&self, object: &ObjectName, records: &mut [Record], fields: &[FieldName]) {
        let written = lock(&self.written);
        for record in records {
            let Some(known) = written.get(&(object.clone(), record.id.clone())) else { continue };
            let asked = known.iter().filter(|(name, _)| fields.contains(name));
            asked.for_each(|(name, value)| record.fields.set(name.clone(), value.clone()));
        }
    }

    /// All records of an object that were planned.
    fn all_made(&self, object: &ObjectName, fields: &[FieldName]) -> Vec<Record> {
        let ids: Vec<RecordId> =
            lock(&self.written).keys().filter(|(of, _)| of == object).map(|(_, id)| id.clone()).collect();
        ids.iter().filter_map(|id| self.made(object, id, fields)).collect()
    }

    /// The fields that exist below.
    fn real(&self, object: &ObjectName, fields: &Arc<[FieldName]>) -> Arc<[FieldName]> {
        match self.wanted.get(object) {
            Some(wanted) => {
                fields.iter().filter(|field| !wanted.iter().any(|wanted| wanted.name == **field)).cloned().collect()
            }
            None => fields.clone(),
        }
    }

    /// What would have been sent so far.
    pub fn planned(&self) -> Planned {
        lock(&self.planned).clone()
    }

    /// Counts a call, or the several ones of a large batch.
    fn count(&self, object: &ObjectName, calls: u32, links: u64) {
        let calls = u64::from(calls);
        let mut planned = lock(&self.planned);
        *planned.calls.entry(object.clone()).or_default() += calls;
        planned.links += links;
        if let Some(object) = self.below.capabilities().object(object.as_str()) {
            for charge in &object.write_charges {
                *planned.charges.entry(charge.limit).or_default() += u64::from(charge.amount).saturating_mul(calls);
            }
        }
    }

    /// The calls that a batch takes.
    fn calls_of(&self, batch: &WriteBatch) -> u32 {
        let can = self.below.capabilities().object(batch.object.as_str());
        let is_large = |can: &&ObjectCapabilities| batch.writes.len() as u64 > u64::from(can.write_batch);
        can.filter(is_large).and_then(|can| can.bulk).map_or(1, |bulk| bulk.calls)
    }

    /// What the target would refuse of a batch without being asked, in the order of the writes. Not judged is what holds
    /// ids or a key that are only planned: the target's own look otherwise.
    fn refused(&self, batch: &WriteBatch) -> Vec<Option<Fault>> {
        let none = || vec![None; batch.writes.len()];
        let wanted = self.wanted.get(&batch.object);
        let is_wanted = |name: &FieldName| wanted.is_some_and(|wanted| wanted.iter().any(|field| field.name == *name));
        let key = match &batch.mode {
            WriteMode::Upsert { key } | WriteMode::Create { key: Some(key) } => Some(key),
            WriteMode::Create { key: None } | WriteMode::Update => None,
        };
        if key.is_some_and(is_wanted) {
            return none();
        }
        let takes_content =
            self.below.capabilities().object(batch.object.as_str()).is_some_and(|object| object.content);
        let judged = batch.writes.iter().enumerate().filter(|(_, write)| !is_planned(write)).map(|(at, write)| {
            let mut write = write.clone();
            if write.fields.iter().any(|(name, _)| is_wanted(name)) {
                let real = write.fields.iter().filter(|(name, _)| !is_wanted(name));
                write.fields = Arc::new(real.map(|(name, value)| (name.clone(), value.clone())).collect());
            }
            // The bytes are read when the run moves them.
            write.content = write.content.or_else(|| takes_content.then(unread));
            (at, write)
        });
        let (places, writes): (Vec<usize>, Vec<Write>) = judged.unzip();
        let of = |writes: &[Write]| WriteBatch { writes: writes.into(), ..batch.clone() };
        let mut refused = none();
        if writes.is_empty() || self.below.refuses(&of(&writes)).is_none() {
            return refused;
        }
        for (at, write) in places.into_iter().zip(&writes) {
            refused[at] = self.below.refuses(&of(std::slice::from_ref(write)));
        }
        refused
    }

    /// The first unique value of a new record that an earlier new record took.
    fn taken(&self, batch: &WriteBatch, write: &Write) -> Option<FieldName> {
        let schemas = lock(&self.schemas);
        let schema = schemas.get(&batch.object)?;
        let mut unique = lock(&self.unique);
        for (name, value) in write.fields.iter() {
            if value.is_blank() || !schema.field(name.as_str()).is_some_and(|field| field.unique) {
                continue;
            }
            let value = match value {
                Value::Text(text) => Value::Text(text.to_lowercase()),
                other => other.clone(),
            };
            if !unique.entry((batch.object.clone(), name.clone())).or_default().insert(value) {
                return Some(name.clone());
            }
        }
        None
    }
}

/// Whether a write holds an id that only the plan knows.
fn is_planned(write: &Write) -> bool {
    let is_planned = |id: &str| id.starts_with(PLANNED);
    write.id.as_ref().is_some_and(|id| is_planned(id.as_str()))
        || write.fields.iter().any(|(_, value)| value.ids().into_iter().any(is_planned))
}

/// The bytes of a file that were not read.
fn unread() -> Content {
    Content { path: PathBuf::new(), bytes: 1, blake3: String::new() }
}

#[async_trait]
impl Connector for Overlay {
    fn capabilities(&self) -> &Capabilities {
        self.below.capabilities()
    }

    fn objects(&self) -> Vec<ObjectName> {
        self.below.objects()
    }

    async fn custom_objects(&self) -> Result<Vec<ObjectName>, Fault> {
        self.below.custom_objects().await
    }

    async fn account(&self) -> Result<Account, Fault> {
        self.below.account().await
    }

    async fn describe(&self, object: &ObjectName) -> Result<Schema, Fault> {
        let mut schema = self.below.describe(object).await?;
        for field in self.wanted.get(object).into_iter().flatten() {
            if schema.field(field.name.as_str()).is_none() {
                schema.fields.push(field.clone());
            }
        }
        lock(&self.schemas).insert(object.clone(), schema.clone());
        Ok(schema)
    }

    async fn users(&self) -> Result<Vec<User>, Fault> {
        self.below.users().await
    }

    async fn automations(&self) -> Result<Option<Vec<Automation>>, Fault> {
        self.below.automations().await
    }

    async fn count(&self, object: &ObjectName) -> Result<Option<u64>, Fault> {
        self.below.count(object).await
    }

    async fn page(&self, read: &Read, cursor: Option<&Cursor>) -> Result<Page, Fault> {
        let real = Read { fields: self.real(&read.object, &read.fields), ..read.clone() };
        let mut page = self.below.page(&real, cursor).await?;
        self.show_written(&read.object, &mut page.records, &read.fields);
        if page.next.is_none() && read.which == Which::Live {
            page.records.extend(self.all_made(&read.object, &read.fields));
        }
        Ok(page)
    }

    async fn feed(&self, object: &ObjectName, token: Option<&Cursor>, cursor: Option<&Cursor>) -> Result<Fed, Fault> {
        self.below.feed(object, token, cursor).await
    }

    async fn fetch(
        &self,
        object: &ObjectName,
        fields: &Arc<[FieldName]>,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, Fault> {
        let (mut records, mut real) = (Vec::new(), Vec::new());
        for id in ids {
            match self.made(object, id, fields) {
                Some(made) => records.push(made),
                None => real.push(id.clone()),
            }
        }
        if !real.is_empty() {
            let mut found = self.below.fetch(object, &self.real(object, fields), &real).await?;
            self.show_written(object, &mut found, fields);
            records.append(&mut found);
        }
        Ok(records)
    }

    async fn enrich(&self, object: &ObjectName, field: &FieldName, ids: &[RecordId]) -> Result<Vec<Record>, Fault> {
        self.below.enrich(object, field, ids).await
    }

    async fn candidates(&self, _: &WriteBatch, _: &Arc<[FieldName]>, _: Timestamp) -> Result<Vec<Record>, Fault> {
        Ok(Vec::new())
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Vec<Written>, Fault> {
        self.count(&batch.object, self.calls_of(batch), 0);
        let update = batch.mode == WriteMode::Update;
        Ok(batch
            .writes
            .iter()
            .zip(self.refused(batch))
            .map(|(write, refused)| {
                let outcome = match (refused, update, self.taken(batch, write)) {
                    (Some(fault), ..) => WriteOutcome::Refused(fault),
                    (None, false, Some(field)) => WriteOutcome::Refused(
                        Fault::new(FaultKind::Conflict, "not_unique", "another record has this value")
                            .with_field(field),
                    ),
                    _ => {
                        let id = write.id.clone().unwrap_or_else(|| self.planned_id(&batch.object, &write.trace));
                        self.keep(&batch.object, &id, &write.fields);
                        WriteOutcome::Applied { id, created: Some(!update) }
                    }
                };
                Written { trace: write.trace.clone(), outcome }
            })
            .collect())
    }

    async fn link(&self, batch: &LinkBatch) -> Result<Vec<LinkOutcome>, Fault> {
        self.count(&batch.object, 1, batch.links.len() as u64);
        Ok(batch.links.iter().map(|link| LinkOutcome { link: link.clone(), result: Ok(()) }).collect())
    }

    async fn unlink(&self, batch: &LinkBatch) -> Result<Vec<LinkOutcome>, Fault> {
        self.count(&batch.object, 1, batch.links.len() as u64);
        Ok(batch.links.iter().map(|link| LinkOutcome { link: link.clone(), result: Ok(()) }).collect())
    }

    async fn delete(&self, _: &ObjectName, ids: &[RecordId]) -> Result<Vec<Written>, Fault> {
        let applied = |id: &RecordId| Written {
            trace: id.clone(),
            outcome: WriteOutcome::Applied { id: id.clone(), created: Some(false) },
        };
        Ok(ids.iter().map(applied).collect())
    }

    async fn merge(&self, _: &ObjectName, survivor: &RecordId, _: &RecordId) -> Result<WriteOutcome, Fault> {
        Ok(WriteOutcome::Applied { id: survivor.clone(), created: Some(false) })
    }

    async fn history(
        &self,
        object: &ObjectName,
        fields: &Arc<[FieldName]>,
        ids: &[RecordId],
    ) -> Result<Vec<Change>, Fault> {
        self.below.history(object, &self.real(object, fields), ids).await
    }

    async fn download(&self, object: &ObjectName, id: &RecordId, to: &Path) -> Result<Content, Fault> {
        self.below.download(object, id, to).await
    }

    async fn create_field(&self, _: &ObjectName, field: &Field) -> Result<Field, Fault> {
        Ok(field.clone())
    }

    fn events(&self, delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
        self.below.events(delivery)
    }

    fn spent(&self) -> Spent {
        self.below.spent()
    }

    fn clock_ahead(&self) -> Option<SignedDuration> {
        self.below.clock_ahead()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

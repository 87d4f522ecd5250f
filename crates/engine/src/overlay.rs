//! The target as a plan sees it: reads go through, writes stay here.
//!
//! `plan` is the engine itself over this overlay, so that the plan cannot disagree with the run. What a
//! schema promises to refuse (a unique value taken twice, a link to nowhere) is refused here too.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use handover_connect::{
    Capabilities, Change, Connector, Cursor, Delivery, Event, Fault, FaultKind, LinkBatch, LinkOutcome, Page, Read,
    Spent, WriteBatch, WriteMode, WriteOutcome, Written,
};
use handover_model::{
    Account, Automation, Content, Field, FieldName, ObjectName, Record, RecordId, Schema, User, Value,
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

/// A system whose writes stay in memory.
pub struct Overlay {
    below: Arc<dyn Connector>,
    planned: Mutex<Planned>,
    unique: Mutex<HashMap<(ObjectName, FieldName), HashSet<Value>>>,
    schemas: Mutex<HashMap<ObjectName, Schema>>,
    /// Fields that are to be created: they stand in the schema already, and are not read.
    wanted: BTreeMap<ObjectName, Vec<Field>>,
}

impl Overlay {
    /// An overlay over `below`, as if the fields `wanted` were created.
    pub fn new(below: Arc<dyn Connector>, wanted: BTreeMap<ObjectName, Vec<Field>>) -> Self {
        Self { below, planned: Mutex::default(), unique: Mutex::default(), schemas: Mutex::default(), wanted }
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

    fn count(&self, object: &ObjectName, links: u64) {
        let mut planned = lock(&self.planned);
        *planned.calls.entry(object.clone()).or_default() += 1;
        planned.links += links;
        if let Some(object) = self.below.capabilities().object(object.as_str()) {
            for charge in &object.write_charges {
                *planned.charges.entry(charge.limit).or_default() += u64::from(charge.amount);
            }
        }
    }

    /// The first unique value of a new record that an earlier new record took.
    fn taken(&self, batch: &WriteBatch, write: &handover_connect::Write) -> Option<FieldName> {
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

#[async_trait]
impl Connector for Overlay {
    fn capabilities(&self) -> &Capabilities {
        self.below.capabilities()
    }

    fn objects(&self) -> Vec<ObjectName> {
        self.below.objects()
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
        let read = Read { fields: self.real(&read.object, &read.fields), ..read.clone() };
        self.below.page(&read, cursor).await
    }

    async fn fetch(
        &self,
        object: &ObjectName,
        fields: &Arc<[FieldName]>,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, Fault> {
        self.below.fetch(object, &self.real(object, fields), ids).await
    }

    async fn enrich(&self, object: &ObjectName, field: &FieldName, ids: &[RecordId]) -> Result<Vec<Record>, Fault> {
        self.below.enrich(object, field, ids).await
    }

    async fn candidates(&self, _: &WriteBatch, _: &Arc<[FieldName]>, _: Timestamp) -> Result<Vec<Record>, Fault> {
        Ok(Vec::new())
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Vec<Written>, Fault> {
        self.count(&batch.object, 0);
        let update = batch.mode == WriteMode::Update;
        Ok(batch
            .writes
            .iter()
            .map(|write| {
                let outcome = match (update, self.taken(batch, write)) {
                    (false, Some(field)) => WriteOutcome::Refused(
                        Fault::new(FaultKind::Conflict, "not_unique", "another record has this value")
                            .with_field(field),
                    ),
                    _ => WriteOutcome::Applied {
                        id: write.id.clone().unwrap_or_else(|| RecordId::new(format!("planned:{}", write.trace))),
                        created: Some(!update),
                    },
                };
                Written { trace: write.trace.clone(), outcome }
            })
            .collect())
    }

    async fn link(&self, batch: &LinkBatch) -> Result<Vec<LinkOutcome>, Fault> {
        self.count(&batch.object, batch.links.len() as u64);
        Ok(batch.links.iter().map(|link| LinkOutcome { link: link.clone(), result: Ok(()) }).collect())
    }

    async fn unlink(&self, batch: &LinkBatch) -> Result<Vec<LinkOutcome>, Fault> {
        self.count(&batch.object, batch.links.len() as u64);
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

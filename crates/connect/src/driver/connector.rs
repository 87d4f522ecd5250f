//! What the engine asks for, made of operations.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _};
use handover_model::{
    Account, Automation, Content, Field, FieldName, ObjectName, ReadCost, Record, RecordId, Schema, User,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::steps::unexpected;
use super::{Driver, lock};
use crate::dialect::Step;
use crate::{
    Capabilities, Change, Connector, Cursor, Delivery, Event, Fault, FaultKind, Fed, LinkBatch, LinkOutcome, Operation,
    Page, Read, Span, Spent, Subscribe, Subscription, Wanted, WriteBatch, WriteOutcome, Written,
};

#[async_trait]
impl Connector for Driver {
    fn capabilities(&self) -> &Capabilities {
        self.dialect.capabilities()
    }

    fn objects(&self) -> Vec<ObjectName> {
        self.dialect.objects()
    }

    async fn custom_objects(&self) -> Result<Vec<ObjectName>, Fault> {
        match self.one(Operation::Objects).await {
            Ok(Step::Objects(objects)) => Ok(objects),
            // The platform knows no such thing.
            Err(fault) if fault.kind == FaultKind::Unsupported => Ok(Vec::new()),
            Ok(step) => Err(unexpected(&step)),
            Err(fault) => Err(fault),
        }
    }

    async fn account(&self) -> Result<Account, Fault> {
        match self.one(Operation::Account).await? {
            Step::Account(account) => {
                if let Ok(zone) = jiff::tz::TimeZone::get(&account.time_zone) {
                    self.budget.set_zone(zone);
                }
                if let Some(limit) = account.daily_limit {
                    self.budget.told("daily", Some(limit), None, self.clock.now());
                }
                Ok(account)
            }
            step => Err(unexpected(&step)),
        }
    }

    async fn describe(&self, object: &ObjectName) -> Result<Schema, Fault> {
        match self.one(Operation::Describe(object.clone())).await? {
            Step::Schema(schema) => {
                self.dialect.learn(&schema);
                lock(&self.schemas).insert(object.clone(), schema.clone());
                Ok(schema)
            }
            step => Err(unexpected(&step)),
        }
    }

    async fn users(&self) -> Result<Vec<User>, Fault> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            match self.run(&Operation::Users, cursor.as_ref()).await.map_err(|failure| failure.fault)? {
                Step::Users { users, next } => {
                    all.extend(users);
                    match next {
                        Some(next) => cursor = Some(next),
                        None => return Ok(all),
                    }
                }
                step => return Err(unexpected(&step)),
            }
        }
    }

    async fn automations(&self) -> Result<Option<Vec<Automation>>, Fault> {
        if !self.capabilities().automations {
            return Ok(None);
        }
        match self.one(Operation::Automations).await {
            Ok(Step::Automations(automations)) => Ok(Some(automations)),
            Ok(step) => Err(unexpected(&step)),
            Err(fault) if matches!(fault.kind, FaultKind::Denied | FaultKind::Unsupported) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    async fn count(&self, object: &ObjectName) -> Result<Option<u64>, Fault> {
        let told = self.capabilities().object(object.as_str()).is_some_and(|object| object.count == crate::Count::Told);
        if !told {
            return Ok(None);
        }
        match self.one(Operation::Count(object.clone())).await? {
            Step::Count(count) => Ok(Some(count)),
            step => Err(unexpected(&step)),
        }
    }

    async fn page(&self, read: &Read, cursor: Option<&Cursor>) -> Result<Page, Fault> {
        match self.run(&Operation::List(read.clone()), cursor).await.map_err(|failure| failure.fault)? {
            Step::Page { records, next } => Ok(Page { records, next }),
            step => Err(unexpected(&step)),
        }
    }

    async fn feed(&self, object: &ObjectName, token: Option<&Cursor>, cursor: Option<&Cursor>) -> Result<Fed, Fault> {
        let operation = Operation::Feed { object: object.clone(), token: token.cloned() };
        match self.run(&operation, cursor).await.map_err(|failure| failure.fault)? {
            Step::Fed(fed) => Ok(fed),
            step => Err(unexpected(&step)),
        }
    }

    async fn fetch(
        &self,
        object: &ObjectName,
        fields: &Arc<[FieldName]>,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, Fault> {
        let size = self.capabilities().object(object.as_str()).map_or(0, |object| object.fetch_batch);
        if size == 0 {
            return Err(Fault::unsupported(format!("`{object}` cannot be read by ids")));
        }
        self.chunked(ids, size, |ids| Operation::Fetch { object: object.clone(), fields: fields.clone(), ids }).await
    }

    async fn enrich(&self, object: &ObjectName, field: &FieldName, ids: &[RecordId]) -> Result<Vec<Record>, Fault> {
        let cost = lock(&self.schemas)
            .get(object)
            .and_then(|schema| schema.field(field.as_str()))
            .map(|field| field.read.clone());
        let Some(ReadCost::Extra { per_call, .. }) = cost else {
            return Err(Fault::unsupported(format!("`{field}` of `{object}` is not read in calls of its own")));
        };
        self.chunked(ids, per_call, |ids| Operation::Enrich { object: object.clone(), field: field.clone(), ids }).await
    }

    async fn candidates(
        &self,
        batch: &WriteBatch,
        fields: &Arc<[FieldName]>,
        since: Timestamp,
    ) -> Result<Vec<Record>, Fault> {
        self.pages(&Operation::Candidates { batch: batch.clone(), fields: fields.clone(), since }).await
    }

    fn refuses(&self, batch: &WriteBatch) -> Option<Fault> {
        self.dialect.encode(&Operation::Write(batch.clone()), None).err().map(Fault::from)
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Vec<Written>, Fault> {
        let traces: Vec<RecordId> = batch.writes.iter().map(|write| write.trace.clone()).collect();
        self.written(Operation::Write(batch.clone()), &traces).await
    }

    async fn link(&self, batch: &LinkBatch) -> Result<Vec<LinkOutcome>, Fault> {
        match self.run(&Operation::Link(batch.clone()), None).await {
            Ok(Step::Linked(outcomes)) => Ok(outcomes),
            Ok(step) => Err(unexpected(&step)),
            Err(failure) => Err(failure.fault),
        }
    }

    async fn unlink(&self, batch: &LinkBatch) -> Result<Vec<LinkOutcome>, Fault> {
        match self.one(Operation::Unlink(batch.clone())).await? {
            Step::Linked(outcomes) => Ok(outcomes),
            step => Err(unexpected(&step)),
        }
    }

    async fn delete(&self, object: &ObjectName, ids: &[RecordId]) -> Result<Vec<Written>, Fault> {
        self.written(Operation::Delete { object: object.clone(), ids: ids.to_vec() }, ids).await
    }

    async fn merge(&self, object: &ObjectName, survivor: &RecordId, other: &RecordId) -> Result<WriteOutcome, Fault> {
        let operation = Operation::Merge { object: object.clone(), survivor: survivor.clone(), other: other.clone() };
        let mut written = self.written(operation, std::slice::from_ref(survivor)).await?;
        written.pop().map(|written| written.outcome).ok_or_else(|| Fault::malformed("the merge has no result"))
    }

    async fn history(
        &self,
        object: &ObjectName,
        fields: &Arc<[FieldName]>,
        ids: &[RecordId],
    ) -> Result<Vec<Change>, Fault> {
        let size = self.capabilities().object(object.as_str()).map_or(0, |object| object.history_batch);
        if size == 0 {
            return Err(Fault::unsupported(format!("`{object}` has no history of its fields")));
        }
        let chunks = ids.chunks(usize::try_from(size).unwrap_or(usize::MAX));
        let operations: Vec<_> = chunks
            .map(|ids| Operation::History { object: object.clone(), fields: fields.clone(), ids: ids.to_vec() })
            .collect();
        let found: Vec<Vec<Change>> = futures::stream::iter(operations)
            .map(|operation| async move {
                match self.one(operation).await? {
                    Step::History(changes) => Ok(changes),
                    step => Err(unexpected(&step)),
                }
            })
            .buffered(self.settings.concurrency.max(1))
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn download(&self, object: &ObjectName, id: &RecordId, to: &Path) -> Result<Content, Fault> {
        let operation = Operation::Download { object: object.clone(), id: id.clone(), to: to.to_owned() };
        match self.run_to_sink(&operation, None).await.map_err(|failure| failure.fault)? {
            (Step::Downloaded, Some(content)) => Ok(content),
            (step, _) => Err(unexpected(&step)),
        }
    }

    async fn create_field(&self, object: &ObjectName, field: &Field) -> Result<Field, Fault> {
        match self.one(Operation::CreateField { object: object.clone(), field: field.clone() }).await? {
            Step::Field(field) => Ok(field),
            step => Err(unexpected(&step)),
        }
    }

    fn events(&self, delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
        self.dialect.events(delivery)
    }

    fn subscriptions(&self, object: &ObjectName, fields: &[FieldName]) -> Vec<String> {
        self.dialect.subscriptions(object, fields)
    }

    async fn subscribed(&self) -> Result<Vec<Subscription>, Fault> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let operation = Operation::Subscriptions(Subscribe::List);
            match self.run(&operation, cursor.as_ref()).await.map_err(|failure| failure.fault)? {
                Step::Subscriptions { subscriptions, next } => {
                    all.extend(subscriptions);
                    match next {
                        Some(next) => cursor = Some(next),
                        None => return Ok(all),
                    }
                }
                step => return Err(unexpected(&step)),
            }
        }
    }

    async fn subscribe(&self, words: &[String], url: &str, secret: &SecretString) -> Result<(), Fault> {
        let (words, url, secret) = (words.to_vec(), url.to_owned(), secret.clone());
        self.subscribing(Subscribe::Add(Wanted { words, url, secret, now: self.clock.now() })).await
    }

    async fn unsubscribe(&self, id: &str) -> Result<(), Fault> {
        match self.subscribing(Subscribe::Remove { id: id.to_owned() }).await {
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(()),
            done => done,
        }
    }

    fn spent(&self) -> Spent {
        let mut spent = lock(&self.spent).clone();
        spent.left_today = self.budget.left_today();
        spent.allowed_today = self.budget.allowed_today();
        spent
    }

    fn day_began(&self, now: Timestamp) -> Option<Timestamp> {
        self.budget.day_began(now)
    }

    fn spent_today(&self, amount: u64, now: Timestamp) {
        let not_kept = self.spent_of_days().saturating_sub(self.kept.load(Ordering::Relaxed));
        self.budget.spent_today(amount.saturating_add(not_kept), now);
    }

    fn clock_ahead(&self) -> Option<SignedDuration> {
        lock(&self.offset).ahead()
    }

    fn newly_spent(&self) -> u64 {
        let all = self.spent_of_days();
        all.saturating_sub(self.kept.swap(all, Ordering::Relaxed))
    }

    fn windows(&self, now: Timestamp) -> BTreeMap<String, u64> {
        self.budget.windows(now)
    }

    fn others_left(&self, windows: Option<&BTreeMap<String, u64>>, ago: SignedDuration, now: Timestamp) {
        self.budget.others_left(windows, ago, now);
    }
}

impl Driver {
    /// What this process took from days' allowances since it began.
    fn spent_of_days(&self) -> u64 {
        let day = self.capabilities().limits.iter().find(|limit| limit.span == Span::Day);
        let spent = lock(&self.spent);
        day.and_then(|day| spent.charges.get(day.name)).copied().unwrap_or(0)
    }

    /// Adds or removes subscriptions.
    async fn subscribing(&self, what: Subscribe) -> Result<(), Fault> {
        match self.one(Operation::Subscriptions(what)).await? {
            Step::Subscriptions { .. } => Ok(()),
            step => Err(unexpected(&step)),
        }
    }

    /// Runs an operation that changes records: one result for each trace.
    async fn written(&self, operation: Operation, traces: &[RecordId]) -> Result<Vec<Written>, Fault> {
        match self.run(&operation, None).await {
            Ok(Step::Written(written)) => Ok(complete(traces, written)),
            Ok(step) => Ok(all_unknown(traces, &unexpected(&step))),
            Err(failure) if failure.perhaps_applied => Ok(all_unknown(traces, &failure.fault)),
            Err(failure) => Err(failure.fault),
        }
    }
}

/// One result for each trace: what the dialect did not account for is unknown, never lost.
fn complete(traces: &[RecordId], written: Vec<Written>) -> Vec<Written> {
    let mut by_trace: HashMap<RecordId, WriteOutcome> =
        written.into_iter().map(|written| (written.trace, written.outcome)).collect();
    let missing = || WriteOutcome::Unknown(Fault::malformed("the answer does not mention this record"));
    traces
        .iter()
        .map(|trace| Written { trace: trace.clone(), outcome: by_trace.remove(trace).unwrap_or_else(missing) })
        .collect()
}

fn all_unknown(traces: &[RecordId], fault: &Fault) -> Vec<Written> {
    let unknown = |trace: &RecordId| Written { trace: trace.clone(), outcome: WriteOutcome::Unknown(fault.clone()) };
    traces.iter().map(unknown).collect()
}

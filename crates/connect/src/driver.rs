//! The one HTTP driver: it turns a dialect into a [`Connector`].

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _};
use handover_model::{
    Account, Automation, Content, Field, FieldName, ObjectName, ReadCost, Record, RecordId, Schema, User,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;

use crate::dialect::{Dialect, Host, Request, Step};
use crate::policy::{self, Next};
use crate::{
    Budget, Capabilities, Clock, Connector, Credentials, Cursor, Fault, FaultKind, Keeper, LinkBatch, LinkOutcome,
    Lost, Operation, Page, Read, Reply, Spent, Transport, WireRequest, WriteBatch, WriteOutcome, Written,
};

/// How a driver reaches its system.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The API's base address, without a slash at the end.
    pub api_base: String,
    /// The token endpoint's base address.
    pub oauth_base: String,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How often a request that did no harm is sent again.
    pub retries: u32,
    /// The share of every limit that is left to the company's other integrations, 0 to 0.9.
    pub reserve: f64,
    /// Requests under way at once where order does not matter.
    pub concurrency: usize,
}

/// A system behind HTTP.
pub struct Driver {
    dialect: Box<dyn Dialect>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    keeper: Arc<dyn Keeper>,
    settings: Settings,
    budget: Budget,
    credentials: tokio::sync::Mutex<Credentials>,
    api_base: Mutex<String>,
    spent: Mutex<Spent>,
    schemas: Mutex<HashMap<ObjectName, Schema>>,
}

/// A failure, and whether the request may have been applied all the same.
struct Failure {
    fault: Fault,
    perhaps_applied: bool,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self { fault, perhaps_applied: false }
    }
}

impl Failure {
    /// The same failure behind an attempt that may have been applied.
    fn after(self, perhaps_applied: bool) -> Self {
        Self { perhaps_applied: self.perhaps_applied || perhaps_applied, ..self }
    }
}

impl Driver {
    /// A driver for `dialect`.
    pub fn new(
        dialect: Box<dyn Dialect>,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        keeper: Arc<dyn Keeper>,
        credentials: Credentials,
        settings: Settings,
    ) -> Self {
        let budget = Budget::new(&dialect.capabilities().limits, settings.reserve);
        Self {
            dialect,
            transport,
            clock,
            keeper,
            budget,
            credentials: tokio::sync::Mutex::new(credentials),
            api_base: Mutex::new(settings.api_base.clone()),
            settings,
            spent: Mutex::new(Spent::default()),
            schemas: Mutex::new(HashMap::new()),
        }
    }

    /// The account's rate budget.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Runs an operation through all its continuations.
    async fn run(&self, operation: &Operation, cursor: Option<&Cursor>) -> Result<Step, Failure> {
        let mut cursor = cursor.cloned();
        let mut steps = 0_u32;
        loop {
            match self.step(operation, cursor.as_ref()).await {
                Ok(Step::Then { cursor: next, wait_ms }) => {
                    // What was sent so far of a write may have been applied.
                    let sent = matches!(operation, Operation::Write(_));
                    self.wait_for(wait_ms).await.map_err(|fault| Failure { fault, perhaps_applied: sent })?;
                    cursor = Some(next);
                }
                Ok(step) => return Ok(step),
                Err(mut failure) => {
                    // A write in several requests may stand half done once the first went through.
                    failure.perhaps_applied |= steps > 0 && matches!(operation, Operation::Write(_));
                    return Err(failure);
                }
            }
            steps += 1;
        }
    }

    /// One request of an operation, sent again where that does no harm.
    async fn step(&self, operation: &Operation, cursor: Option<&Cursor>) -> Result<Step, Failure> {
        let request = self.dialect.encode(operation, cursor).map_err(|refusal| Fault::unsupported(refusal.0))?;
        let mut attempt = 0;
        let mut refreshed = false;
        let mut perhaps_applied = false;
        loop {
            // What happened to an earlier attempt stays unknown, whatever prevents the next one.
            if !matches!(operation, Operation::Refresh) {
                self.renew(false).await.map_err(|failure| failure.after(perhaps_applied))?;
            }
            let (fault, applied) = match self.send(&request).await.map_err(|failure| failure.after(perhaps_applied))? {
                Ok(reply) => match self.dialect.decode(operation, cursor, &reply) {
                    Ok(step) => return Ok(step),
                    Err(fault) => {
                        let applied = self.may_have_been_applied(&request, &fault);
                        (fault, applied)
                    }
                },
                Err(Lost::NotSent(why)) => (Fault::new(FaultKind::Unavailable, "not_sent", why), false),
                Err(Lost::NoAnswer(why)) => {
                    (Fault::new(FaultKind::Unavailable, "no_answer", why), request.method != crate::Method::Get)
                }
            };
            perhaps_applied |= applied;
            let first_auth = fault.kind == FaultKind::Auth && !refreshed && self.is_oauth().await;
            if first_auth && !matches!(operation, Operation::Refresh) {
                refreshed = true;
                self.renew(true).await.map_err(|failure| failure.after(perhaps_applied))?;
                continue;
            }
            match self.after(&request, fault, perhaps_applied, attempt) {
                Next::Again { wait_ms } => {
                    self.wait(wait_ms).await;
                    attempt += 1;
                }
                Next::GiveUp(fault) => return Err(Failure { fault, perhaps_applied }),
            }
        }
    }

    /// Whether a failed request is sent again, and when.
    fn after(&self, request: &Request, fault: Fault, perhaps_applied: bool, attempt: u32) -> Next {
        if fault.kind == FaultKind::Limited {
            lock(&self.spent).limited += 1;
        }
        let harmless = request.idempotent || !perhaps_applied;
        policy::after(fault, harmless, attempt, self.settings.retries, self.clock.now())
    }

    /// A 5xx and an unreadable answer tell nothing about whether the request was carried out.
    fn may_have_been_applied(&self, request: &Request, fault: &Fault) -> bool {
        request.method != crate::Method::Get && matches!(fault.kind, FaultKind::Unavailable | FaultKind::Malformed)
    }

    /// Sends one request: budget, credentials, address. The outer error is a spent day or a wrong address.
    async fn send(&self, request: &Request) -> Result<Result<Reply, Lost>, Failure> {
        let mut request = request.clone();
        let url = self.address(&request)?;
        let flight = self.budget.take(&request.charges, self.clock.as_ref()).await?;
        let own = match &request.host {
            Host::Given(_) => url.as_str().starts_with(lock(&self.api_base).as_str()),
            Host::Api | Host::Oauth => true,
        };
        if own {
            self.dialect.authorize(&mut request, &*self.credentials.lock().await);
        }
        {
            let mut spent = lock(&self.spent);
            spent.calls += 1;
            spent.waited_ms += flight.waited_ms();
            for charge in &request.charges {
                *spent.charges.entry(charge.limit).or_default() += u64::from(charge.amount);
            }
        }
        let path = if request.private_path { "(not shown)" } else { &request.path };
        tracing::debug!(platform = self.dialect.capabilities().platform, method = ?request.method, path, "request");
        let wire = WireRequest {
            method: request.method,
            url,
            headers: request.headers,
            body: request.body,
            sink: request.sink,
        };
        let answer = self.transport.send(wire, self.settings.timeout).await;
        if !matches!(answer, Err(Lost::NoAnswer(_))) {
            flight.landed();
        }
        if let Ok(reply) = &answer {
            let now = self.clock.now();
            for (name, total, remaining) in self.dialect.limits_told(reply) {
                self.budget.told(name, total, remaining, now);
            }
        }
        Ok(answer)
    }

    fn address(&self, request: &Request) -> Result<url::Url, Fault> {
        let base = match &request.host {
            Host::Api => format!("{}{}", lock(&self.api_base), request.path),
            Host::Oauth => format!("{}{}", self.settings.oauth_base, request.path),
            Host::Given(address) => address.clone(),
        };
        let mut url = url::Url::parse(&base).map_err(|error| {
            Fault::new(FaultKind::Invalid, "address", format!("the system's base address: {error}"))
        })?;
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(url)
    }

    async fn is_oauth(&self) -> bool {
        matches!(&*self.credentials.lock().await, Credentials::Oauth { .. })
    }

    /// Buys an access token when there is none, when it ends within a minute, or when told to.
    async fn renew(&self, force: bool) -> Result<(), Failure> {
        let needed = match &*self.credentials.lock().await {
            Credentials::Oauth { access: None, .. } => true,
            Credentials::Oauth { access: Some((_, ends)), .. } => {
                force || *ends <= self.clock.now().checked_add(SignedDuration::from_secs(60)).unwrap_or(Timestamp::MAX)
            }
            Credentials::None | Credentials::Token(_) => false,
        };
        if !needed {
            return Ok(());
        }
        let Step::Token(token) = Box::pin(self.step(&Operation::Refresh, None)).await? else {
            return Err(Fault::malformed("the token endpoint's answer").into());
        };
        let mut credentials = self.credentials.lock().await;
        if let Credentials::Oauth { refresh_token, access, .. } = &mut *credentials {
            if let Some(new) = token.refresh {
                if new.expose_secret() != refresh_token.expose_secret() {
                    self.keeper.keep(&new).await.map_err(|why| {
                        Fault::new(
                            FaultKind::Auth,
                            "token_not_kept",
                            format!("the new refresh token could not be kept: {why}"),
                        )
                    })?;
                }
                *refresh_token = new;
            }
            let ends =
                self.clock.now().checked_add(SignedDuration::from_secs(token.expires_in)).unwrap_or(Timestamp::MAX);
            *access = Some((token.access, ends));
        }
        if let Some(base) = token.api_base {
            *lock(&self.api_base) = base.trim_end_matches('/').to_owned();
        }
        Ok(())
    }

    /// Waits as a platform asks between two steps of an operation.
    async fn wait_for(&self, wait_ms: u64) -> Result<(), Fault> {
        let not_ready = Fault::new(FaultKind::Unavailable, "later", "the system is not ready");
        policy::bearable(wait_ms, self.clock.now(), not_ready)?;
        self.wait(wait_ms).await;
        Ok(())
    }

    async fn wait(&self, wait_ms: u64) {
        if wait_ms == 0 {
            return;
        }
        lock(&self.spent).waited_ms += wait_ms;
        self.clock.sleep_until(policy::later(self.clock.now(), wait_ms)).await;
    }

    /// Runs an operation and gathers all its pages. For operations whose results are bounded.
    async fn pages(&self, operation: &Operation) -> Result<Vec<Record>, Fault> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            match self.run(operation, cursor.as_ref()).await.map_err(|failure| failure.fault)? {
                Step::Page { records, next } => {
                    all.extend(records);
                    match next {
                        Some(next) => cursor = Some(next),
                        None => return Ok(all),
                    }
                }
                step => return Err(unexpected(&step)),
            }
        }
    }

    /// The same operation over chunks of ids, several under way at once, results in order.
    async fn chunked(
        &self,
        ids: &[RecordId],
        size: u32,
        operation: impl Fn(Vec<RecordId>) -> Operation,
    ) -> Result<Vec<Record>, Fault> {
        let size = usize::try_from(size.max(1)).unwrap_or(1);
        let chunks: Vec<_> = ids.chunks(size).map(|chunk| operation(chunk.to_vec())).collect();
        let pages: Vec<Vec<Record>> = futures::stream::iter(chunks)
            .map(|operation| async move { self.pages(&operation).await })
            .buffered(self.settings.concurrency.max(1))
            .try_collect()
            .await?;
        Ok(pages.into_iter().flatten().collect())
    }

    async fn one(&self, operation: Operation) -> Result<Step, Fault> {
        self.run(&operation, None).await.map_err(|failure| failure.fault)
    }
}

#[async_trait]
impl Connector for Driver {
    fn capabilities(&self) -> &Capabilities {
        self.dialect.capabilities()
    }

    fn objects(&self) -> Vec<ObjectName> {
        self.dialect.objects()
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

    async fn write(&self, batch: &WriteBatch) -> Result<Vec<Written>, Fault> {
        match self.run(&Operation::Write(batch.clone()), None).await {
            Ok(Step::Written(written)) => Ok(complete(batch, written)),
            Ok(step) => Ok(all_unknown(batch, &unexpected(&step))),
            Err(failure) if failure.perhaps_applied => Ok(all_unknown(batch, &failure.fault)),
            Err(failure) => Err(failure.fault),
        }
    }

    async fn link(&self, batch: &LinkBatch) -> Result<Vec<LinkOutcome>, Fault> {
        match self.run(&Operation::Link(batch.clone()), None).await {
            Ok(Step::Linked(outcomes)) => Ok(outcomes),
            Ok(step) => Err(unexpected(&step)),
            Err(failure) => Err(failure.fault),
        }
    }

    async fn download(&self, object: &ObjectName, id: &RecordId, to: &Path) -> Result<Content, Fault> {
        let operation = Operation::Download { object: object.clone(), id: id.clone(), to: to.to_owned() };
        let mut cursor: Option<Cursor> = None;
        // The bytes are in the sink of the last request, so the steps are taken one by one.
        loop {
            match self.download_step(&operation, cursor.as_ref()).await? {
                (Step::Then { cursor: next, wait_ms }, _) => {
                    self.wait(wait_ms).await;
                    cursor = Some(next);
                }
                (Step::Downloaded, Some(content)) => return Ok(content),
                (step, _) => return Err(unexpected(&step)),
            }
        }
    }

    async fn create_field(&self, object: &ObjectName, field: &Field) -> Result<Field, Fault> {
        match self.one(Operation::CreateField { object: object.clone(), field: field.clone() }).await? {
            Step::Field(field) => Ok(field),
            step => Err(unexpected(&step)),
        }
    }

    fn spent(&self) -> Spent {
        let mut spent = lock(&self.spent).clone();
        spent.left_today = self.budget.left_today();
        spent
    }
}

impl Driver {
    async fn download_step(
        &self,
        operation: &Operation,
        cursor: Option<&Cursor>,
    ) -> Result<(Step, Option<Content>), Fault> {
        let request = self.dialect.encode(operation, cursor).map_err(|refusal| Fault::unsupported(refusal.0))?;
        let mut attempt = 0;
        loop {
            self.renew(false).await.map_err(|failure| failure.fault)?;
            let fault = match self.send(&request).await.map_err(|failure| failure.fault)? {
                Ok(reply) => match self.dialect.decode(operation, cursor, &reply) {
                    Ok(step) => return Ok((step, reply.sunk)),
                    Err(fault) => fault,
                },
                Err(lost) => Fault::new(FaultKind::Unavailable, "no_answer", lost.to_string()),
            };
            match self.after(&request, fault, false, attempt) {
                Next::Again { wait_ms } => {
                    self.wait(wait_ms).await;
                    attempt += 1;
                }
                Next::GiveUp(fault) => return Err(fault),
            }
        }
    }
}

/// One result for each write: what the dialect did not account for is unknown, never lost.
fn complete(batch: &WriteBatch, written: Vec<Written>) -> Vec<Written> {
    let mut by_trace: HashMap<RecordId, WriteOutcome> =
        written.into_iter().map(|written| (written.trace, written.outcome)).collect();
    let missing = || WriteOutcome::Unknown(Fault::malformed("the answer does not mention this record"));
    batch
        .writes
        .iter()
        .map(|write| Written {
            trace: write.trace.clone(),
            outcome: by_trace.remove(&write.trace).unwrap_or_else(missing),
        })
        .collect()
}

fn all_unknown(batch: &WriteBatch, fault: &Fault) -> Vec<Written> {
    batch
        .writes
        .iter()
        .map(|write| Written { trace: write.trace.clone(), outcome: WriteOutcome::Unknown(fault.clone()) })
        .collect()
}

fn unexpected(step: &Step) -> Fault {
    let name = match step {
        Step::Then { .. } => "a continuation",
        Step::Page { .. } => "a page",
        Step::Account(_) => "an account",
        Step::Schema(_) => "a schema",
        Step::Users { .. } => "users",
        Step::Automations(_) => "automations",
        Step::Count(_) => "a count",
        Step::Written(_) => "write results",
        Step::Linked(_) => "link results",
        Step::Downloaded => "a download without bytes",
        Step::Field(_) => "a field",
        Step::Token(_) => "a token",
    };
    Fault::malformed(format!("the dialect answered with {name}"))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

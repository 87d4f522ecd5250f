//! One sandbox, one clock, one driver; and what was heard of faults and in the log on the way.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use handover_connect::{
    Clock as _, Connector as _, Credentials, Dialect, Driver, Exchange, Fault, FaultKind, Host, Keeper,
    ObjectCapabilities, Read, Reply, Request, Settings, Transport as _, VirtualClock, Which, WireRequest, Write,
    WriteBatch, WriteMode, WriteOutcome, Written,
};
use handover_local::LocalTransport;
use handover_model::{Content, FieldName, Fields, ReadCost, Record, RecordId, Schema};
use handover_sandbox::Sandbox;
use handover_sandbox::faults::{DisturbAction, Disturbance, FaultPlan, Which as Place};
use handover_sandbox::journal::Entry;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value as Json, json};

use super::subject::{Object, Scene, Subject};

const BASE: &str = "http://sandbox.test";
/// How long an answer may take, on the virtual clock.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

thread_local! {
    static HEARD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Takes note of a fault, for the judgement at the end of the case.
pub(super) fn hear(fault: &Fault) {
    HEARD.with_borrow_mut(|heard| heard.push(format!("{fault} {fault:?}")));
}

/// Everything that faults said since the last call.
pub(super) fn heard() -> Vec<String> {
    HEARD.with_borrow_mut(std::mem::take)
}

/// A keeper that remembers what it kept, and how many requests had been sent by then.
#[derive(Clone, Default)]
pub(super) struct Kept {
    pub(super) tokens: Arc<Mutex<Vec<(String, u64)>>>,
    pub(super) fails: Arc<std::sync::atomic::AtomicBool>,
    sandbox: Arc<Mutex<Option<Arc<Mutex<Sandbox>>>>>,
}

#[async_trait]
impl Keeper for Kept {
    async fn begin(&self) -> Result<Box<dyn Exchange>, String> {
        Ok(Box::new(self.clone()))
    }
}

impl Exchange for Kept {
    fn newest(&self) -> Option<SecretString> {
        None
    }

    fn keep(&mut self, refresh_token: &SecretString) -> Result<(), String> {
        if self.fails.load(std::sync::atomic::Ordering::Relaxed) {
            return Err("the disk is full".to_owned());
        }
        let sandbox = self.sandbox.lock().unwrap().clone().unwrap();
        let sent = sandbox.lock().unwrap().journal().len();
        self.tokens.lock().unwrap().push((refresh_token.expose_secret().to_owned(), sent));
        Ok(())
    }
}

/// How a stage is set up.
pub(super) struct Setting {
    pub(super) oauth: bool,
    pub(super) reserve: f64,
    pub(super) concurrency: usize,
}

impl Default for Setting {
    fn default() -> Self {
        Self { oauth: false, reserve: 0.0, concurrency: 2 }
    }
}

/// A platform's sandbox with a driver before it.
pub(super) struct Stage {
    pub(super) subject: &'static dyn Subject,
    pub(super) sandbox: Arc<Mutex<Sandbox>>,
    pub(super) clock: Arc<VirtualClock>,
    pub(super) driver: Driver,
    pub(super) dialect: Box<dyn Dialect>,
    pub(super) kept: Arc<Kept>,
    pub(super) folder: tempfile::TempDir,
    transport: Arc<LocalTransport>,
}

impl Stage {
    /// A stage over a scene.
    pub(super) fn of(subject: &'static dyn Subject, scene: Scene) -> Self {
        Self::over(subject, subject.world(scene), &Setting::default())
    }

    /// A stage over a world file.
    pub(super) fn over(subject: &'static dyn Subject, world: Json, setting: &Setting) -> Self {
        let sandbox = Arc::new(Mutex::new(Sandbox::new(subject.sandbox(world))));
        let clock = Arc::new(VirtualClock::new("2026-03-02T08:00:00Z".parse().unwrap()));
        let transport = Arc::new(LocalTransport::new(sandbox.clone(), clock.clone()));
        let kept = Arc::new(Kept::default());
        *kept.sandbox.lock().unwrap() = Some(sandbox.clone());
        let credentials = subject.credentials(setting.oauth);
        let driver = Self::driver(subject, &transport, &clock, &kept, credentials, setting);
        let folder = tempfile::tempdir().unwrap();
        Self { subject, sandbox, clock, driver, dialect: subject.dialect(), kept, folder, transport }
    }

    fn driver(
        subject: &dyn Subject,
        transport: &Arc<LocalTransport>,
        clock: &Arc<VirtualClock>,
        kept: &Arc<Kept>,
        credentials: Credentials,
        setting: &Setting,
    ) -> Driver {
        let settings = Settings {
            oauth_base: format!("{BASE}{}", subject.tenant()),
            timeout: TIMEOUT,
            retries: 3,
            reserve: setting.reserve,
            concurrency: setting.concurrency,
            ..Settings::at(BASE)
        };
        Driver::new(subject.dialect(), transport.clone(), clock.clone(), kept.clone(), credentials, settings)
    }

    /// Another driver before the same sandbox, as after a crash.
    pub(super) fn another(&self) -> Driver {
        let credentials = self.subject.credentials(false);
        Self::driver(self.subject, &self.transport, &self.clock, &self.kept, credentials, &Setting::default())
    }

    /// Replaces the fault plan.
    pub(super) fn plan(&self, rules: Json) {
        let plan: FaultPlan = serde_json::from_value(json!({"seed": 5, "rules": rules})).unwrap();
        plan.check().unwrap();
        self.sandbox.lock().unwrap().set_faults(plan);
    }

    /// The journal's entries of requests, from the `from`th on.
    pub(super) fn requests(&self, from: usize) -> Vec<Entry> {
        let sandbox = self.sandbox.lock().unwrap();
        sandbox.journal().entries().iter().filter(|entry| entry.method != "DISTURB").skip(from).cloned().collect()
    }

    /// How many requests were sent so far.
    pub(super) fn sent(&self) -> usize {
        self.requests(0).len()
    }

    /// What the driver can do with the object.
    pub(super) fn can(&self, object: &Object) -> &ObjectCapabilities {
        self.driver.capabilities().object(object.name).unwrap()
    }

    /// Describes an object, so that it can be read and written.
    pub(super) async fn schema(&self, object: &Object) -> Schema {
        let schema = self.driver.describe(&object.name.into()).await.unwrap();
        self.dialect.learn(&schema);
        schema
    }

    /// One page.
    pub(super) async fn page(
        &self,
        read: &Read,
        cursor: Option<&handover_connect::Cursor>,
    ) -> Result<handover_connect::Page, Fault> {
        self.driver.page(read, cursor).await.inspect_err(hear)
    }

    /// A whole list. The cursor goes through text on the way, as the store keeps it.
    pub(super) async fn list(&self, read: &Read) -> Result<Vec<Record>, Fault> {
        let (mut all, mut cursor) = (Vec::new(), None);
        for _ in 0..10_000 {
            let page = self.page(read, cursor.as_ref()).await?;
            all.extend(page.records);
            match page.next {
                Some(next) => cursor = serde_json::from_str(&serde_json::to_string(&next).unwrap()).unwrap(),
                None => return Ok(all),
            }
        }
        panic!("the list does not end");
    }

    /// What happened since a token, or all there is, to its end; the token goes through text, as the store keeps it.
    pub(super) async fn fed(
        &self,
        object: &Object,
        token: Option<&handover_connect::Cursor>,
    ) -> Result<handover_connect::Fed, Fault> {
        let through = |token: &handover_connect::Cursor| {
            serde_json::from_str::<handover_connect::Cursor>(&serde_json::to_string(token).unwrap()).unwrap()
        };
        let token = token.map(through);
        let mut all = handover_connect::Fed { records: Vec::new(), next: None, token: None };
        for _ in 0..10_000 {
            let page = self.driver.feed(&object.name.into(), token.as_ref(), all.next.as_ref()).await;
            let page = page.inspect_err(hear)?;
            all.records.extend(page.records);
            all = handover_connect::Fed { next: page.next, token: page.token, ..all };
            if all.next.is_none() {
                return Ok(all);
            }
        }
        panic!("the feed does not end");
    }

    /// Records by their ids.
    pub(super) async fn fetch(
        &self,
        object: &Object,
        fields: &Arc<[FieldName]>,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, Fault> {
        self.driver.fetch(&object.name.into(), fields, ids).await.inspect_err(hear)
    }

    /// Writes a batch, and checks that each write has one outcome.
    pub(super) async fn write(&self, batch: &WriteBatch) -> Result<Vec<Written>, Fault> {
        let written = self.driver.write(batch).await.inspect_err(hear)?;
        let traces = |traces: &mut Vec<String>| traces.sort();
        let mut asked: Vec<String> = batch.writes.iter().map(|write| write.trace.to_string()).collect();
        let mut told: Vec<String> = written.iter().map(|written| written.trace.to_string()).collect();
        traces(&mut asked);
        traces(&mut told);
        assert_eq!(asked, told, "one outcome for each write");
        for written in &written {
            if let WriteOutcome::Refused(fault) | WriteOutcome::Unknown(fault) = &written.outcome {
                hear(fault);
            }
        }
        Ok(written)
    }

    /// A batch of writes, traced `t0`, `t1`, ..., with bytes where the object carries some.
    pub(super) fn batch(&self, object: &Object, mode: WriteMode, rows: Vec<(Option<RecordId>, Fields)>) -> WriteBatch {
        let creates = !matches!(mode, WriteMode::Update);
        let content = (self.can(object).content && creates).then(|| self.content(b"nine bytes"));
        let write = |(at, (id, fields)): (usize, (Option<RecordId>, Fields))| Write {
            trace: format!("t{at}").into(),
            id,
            fields: fields.into(),
            content: content.clone(),
        };
        WriteBatch { object: object.name.into(), mode, writes: rows.into_iter().enumerate().map(write).collect() }
    }

    /// Creates records in as many batches as it takes; each must be applied.
    pub(super) async fn make(&self, object: &Object, rows: &[Fields]) -> Vec<RecordId> {
        let size = usize::try_from(self.can(object).write_batch).unwrap();
        let mut ids = Vec::new();
        for chunk in rows.chunks(size) {
            let rows = chunk.iter().map(|fields| (None, fields.clone())).collect();
            let written = self.write(&self.batch(object, create(object), rows)).await.unwrap();
            for (at, fields) in chunk.iter().enumerate() {
                match outcome(&written, at) {
                    WriteOutcome::Applied { id, .. } => ids.push(id.clone()),
                    other => panic!("{} {fields:?}: {other:?}", object.name),
                }
            }
        }
        ids
    }

    /// A staged file of these bytes.
    pub(super) fn content(&self, bytes: &[u8]) -> Content {
        let blake3 = blake3::hash(bytes).to_hex().to_string();
        let path = self.folder.path().join(&blake3);
        std::fs::write(&path, bytes).unwrap();
        Content { path, bytes: bytes.len() as u64, blake3 }
    }

    /// Something that happens to a record behind our back.
    pub(super) async fn upset(&self, object: &Object, id: &str, action: DisturbAction) {
        if let Some(request) = self.subject.request(object, id, &action) {
            let reply = self.raw(request).await;
            assert!(reply.status < 300, "{}", reply.status);
            return;
        }
        let disturbance = Disturbance { object: object.journal.to_owned(), which: Place::Id(id.to_owned()), action };
        self.sandbox.lock().unwrap().disturb(&disturbance, self.clock.now());
    }

    /// Sends a request as it is, past the driver.
    pub(super) async fn raw(&self, mut request: Request) -> Reply {
        // It stands in no budget, so it has the shortest window for itself.
        self.later(2);
        let reply = self.past_the_driver(&mut request).await;
        self.later(2);
        reply
    }

    async fn past_the_driver(&self, request: &mut Request) -> Reply {
        self.dialect.authorize(request, &self.subject.credentials(false));
        let address = match &request.host {
            Host::Given(address) => address.clone(),
            Host::Api | Host::Oauth => format!("{BASE}{}", request.path),
        };
        let mut url = url::Url::parse(&address).unwrap();
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let wire = WireRequest {
            method: request.method,
            url,
            headers: request.headers.clone(),
            body: request.body.clone(),
            sink: request.sink.clone(),
        };
        self.transport.send(wire, TIMEOUT).await.unwrap()
    }

    /// Lets the clock jump.
    pub(super) fn later(&self, seconds: i64) {
        self.clock.set(self.clock.now().checked_add(SignedDuration::from_secs(seconds)).unwrap());
    }

    /// Seconds since a time.
    pub(super) fn seconds_since(&self, start: Timestamp) -> f64 {
        self.clock.now().duration_since(start).as_secs_f64()
    }
}

/// No 429 is ever of our own making.
impl Drop for Stage {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let ours = self.requests(0).into_iter().filter(|entry| entry.status == Some(429) && entry.rule.is_none());
            assert_eq!(ours.count(), 0, "requests above the limits");
        }
    }
}

/// Creation with the object's key field.
pub(super) fn create(object: &Object) -> WriteMode {
    WriteMode::Create { key: (!object.key.is_empty()).then(|| object.key.into()) }
}

/// The outcome of the write traced `t{at}`.
pub(super) fn outcome(written: &[Written], at: usize) -> &WriteOutcome {
    let trace = format!("t{at}");
    &written.iter().find(|written| written.trace == *trace).unwrap().outcome
}

/// The fields of these names.
pub(super) fn names(names: &[&str]) -> Arc<[FieldName]> {
    names.iter().map(|name| FieldName::from(*name)).collect()
}

/// The fields that lists bring.
pub(super) fn listed(schema: &Schema) -> Arc<[FieldName]> {
    let listed = schema.fields.iter().filter(|field| matches!(field.read, ReadCost::Listed));
    listed.map(|field| field.name.clone()).collect()
}

/// A read of live records.
pub(super) fn live(object: &Object, fields: &Arc<[FieldName]>) -> Read {
    Read { object: object.name.into(), fields: fields.clone(), which: Which::Live, since: None }
}

/// The mirrored case: the operation is refused as unsupported, and nothing was sent.
pub(super) async fn refused<T>(stage: &Stage, act: impl Future<Output = Result<T, Fault>>) -> String {
    let before = stage.sent();
    let Err(fault) = act.await else { panic!("not refused") };
    hear(&fault);
    assert_eq!(fault.kind, FaultKind::Unsupported, "{fault}");
    assert_eq!(stage.sent(), before, "something was sent");
    fault.message
}

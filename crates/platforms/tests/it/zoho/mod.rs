//! What is peculiar to Zoho CRM: as text in and text out, and through the driver and the sandbox that has it.

mod archives;
mod files;
mod jobs;
mod linking;
mod reading;
mod refusals;
mod text;
mod writing;

use std::sync::{Arc, Mutex};

use handover_connect::{
    Clock as _, Connector as _, Credentials, Driver, Fault, FaultKind, NoKeeper, Read, Settings, VirtualClock, Which,
    Write, WriteBatch, WriteMode, WriteOutcome,
};
use handover_local::LocalTransport;
use handover_model::{FieldName, Fields, Record, RecordId, Schema, Value};
use handover_platforms::zoho::Zoho;
use handover_sandbox::Sandbox;
use handover_sandbox::faults::{DisturbAction, Disturbance, Which as Place};
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

const USER: u64 = 100_000_000_000_000_001;

struct Stage {
    sandbox: Arc<Mutex<Sandbox>>,
    clock: Arc<VirtualClock>,
    transport: Arc<LocalTransport>,
    driver: Driver,
}

impl Stage {
    /// An organization of a world file; users and a token without an end are added.
    fn of(world: Json) -> Self {
        Self::with(world, Credentials::Token(SecretString::from("token")), "http://sandbox.test")
    }

    fn with(world: Json, credentials: Credentials, api_base: &str) -> Self {
        Self::by(world, credentials, api_base, Zoho::new())
    }

    fn by(mut world: Json, credentials: Credentials, api_base: &str, dialect: Zoho) -> Self {
        world["users"] =
            json!([{"id": USER, "first_name": "Ada", "last_name": "A", "email": "a@x.example", "admin": true}]);
        let scope = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.ALL,ZohoCRM.org.READ,ZohoCRM.coql.READ,ZohoCRM.bulk.READ,ZohoCRM.notifications.ALL";
        let scope = world["scope"].as_str().unwrap_or(scope).to_owned();
        world.as_object_mut().unwrap().remove("scope");
        world["access"] = json!({
            "clients": [{"client_id": "app", "client_secret": "secret"}],
            "refresh_tokens": {"refresh": {"client_id": "app", "user": USER, "scope": scope}},
            "tokens": {"token": {"user": USER, "scope": scope}},
        });
        let org = handover_sandbox::zoho::Zoho::from_world(world, 1).unwrap();
        let sandbox = Arc::new(Mutex::new(Sandbox::new(Box::new(org))));
        let clock = Arc::new(VirtualClock::new("2026-03-02T10:00:00Z".parse().unwrap()));
        let transport = Arc::new(LocalTransport::new(sandbox.clone(), clock.clone()));
        let driver = driver(dialect, &transport, &clock, credentials, api_base);
        Self { sandbox, clock, transport, driver }
    }

    fn sent(&self) -> usize {
        self.sandbox.lock().unwrap().journal().entries().iter().filter(|entry| entry.method != "DISTURB").count()
    }

    fn later(&self, hours: i64) {
        self.clock.set(self.clock.now().checked_add(SignedDuration::from_hours(hours)).unwrap());
    }

    fn upset(&self, object: &str, id: u64, action: DisturbAction) {
        let disturbance = Disturbance { object: object.to_owned(), which: Place::Id(id.to_string()), action };
        self.sandbox.lock().unwrap().disturb(&disturbance, self.clock.now());
    }

    async fn schema(&self, object: &str) -> Schema {
        self.driver.describe(&object.into()).await.unwrap()
    }

    async fn list(&self, object: &str, fields: &[&str]) -> Vec<Record> {
        let read = Read { object: object.into(), fields: names(fields), which: Which::Live, since: None };
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.driver.page(&read, cursor.as_ref()).await.unwrap();
            all.extend(page.records);
            match page.next {
                Some(next) => cursor = Some(next),
                None => return all,
            }
        }
    }

    async fn fetch(&self, object: &str, fields: &[&str], ids: &[&str]) -> Vec<Record> {
        let ids: Vec<RecordId> = ids.iter().map(|id| RecordId::from(*id)).collect();
        self.driver.fetch(&object.into(), &names(fields), &ids).await.unwrap()
    }

    async fn enrich(&self, object: &str, field: &str, id: &str) -> Option<Value> {
        let records = self.driver.enrich(&object.into(), &field.into(), &[id.into()]).await.unwrap();
        records.first().and_then(|record| record.fields.get(field).cloned())
    }

    async fn write(&self, object: &str, mode: WriteMode, rows: &[Row<'_>]) -> Vec<WriteOutcome> {
        let batch = batch(object, mode, rows);
        let written = self.driver.write(&batch).await.unwrap();
        written.into_iter().map(|written| written.outcome).collect()
    }

    async fn create(&self, object: &str, fields: &[(&str, Value)]) -> RecordId {
        match self.write(object, WriteMode::Create { key: None }, &[("", fields)]).await.remove(0) {
            WriteOutcome::Applied { id, created: Some(true) } => id,
            outcome => panic!("{object}: {outcome:?}"),
        }
    }
}

fn driver(
    dialect: Zoho,
    transport: &Arc<LocalTransport>,
    clock: &Arc<VirtualClock>,
    credentials: Credentials,
    api_base: &str,
) -> Driver {
    let settings =
        Settings { api_base: api_base.to_owned(), retries: 3, concurrency: 2, ..Settings::at("http://sandbox.test") };
    Driver::new(Box::new(dialect), transport.clone(), clock.clone(), Arc::new(NoKeeper), credentials, settings)
}

fn names(names: &[&str]) -> Arc<[FieldName]> {
    names.iter().map(|name| FieldName::from(*name)).collect()
}

/// An id, empty for new records, and fields.
type Row<'r> = (&'r str, &'r [(&'r str, Value)]);

fn batch(object: &str, mode: WriteMode, rows: &[Row<'_>]) -> WriteBatch {
    let write = |(at, (id, fields)): (usize, &Row<'_>)| Write {
        trace: format!("t{at}").into(),
        id: (!id.is_empty()).then(|| RecordId::from(*id)),
        fields: Arc::new(
            fields.iter().map(|(name, value)| (FieldName::from(*name), value.clone())).collect::<Fields>(),
        ),
        content: None,
    };
    WriteBatch { object: object.into(), mode, writes: rows.iter().enumerate().map(write).collect() }
}

fn refusal(outcome: &WriteOutcome) -> (FaultKind, &str, Option<&str>) {
    let fault: &Fault = match outcome {
        WriteOutcome::Refused(fault) => fault,
        outcome => panic!("{outcome:?}"),
    };
    (fault.kind, &fault.code, fault.field.as_ref().map(FieldName::as_str))
}

fn shown(record: &Record, field: &str) -> String {
    record.fields.get(field).map(Value::display).unwrap_or_default()
}

//! What is peculiar to Dynamics: through the driver and the sandbox that has it, and as text in and out.

mod access;
mod closing;
mod describing;
mod feeding;
mod hooks;
mod reading;
mod refusals;
mod writing;

use std::sync::{Arc, Mutex};

use handover_connect::{
    Connector as _, Credentials, Driver, Fault, FaultKind, NoKeeper, Read, Settings, VirtualClock, Which, Write,
    WriteBatch, WriteMode, WriteOutcome, Written,
};
use handover_local::LocalTransport;
use handover_model::{FieldName, Fields, Record, RecordId, Value};
use handover_sandbox::Sandbox;
use handover_sandbox::faults::{DisturbAction, Disturbance, FaultPlan, Which as Place};
use secrecy::SecretString;
use serde_json::{Value as Json, json};

const USER: &str = "00000008-0000-4000-8000-000000000001";
const TEAM: &str = "00000009-0000-4000-8000-000000000001";
const UNIT: &str = "0000000a-0000-4000-8000-000000000001";

fn id(n: u64) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

struct Stage {
    sandbox: Arc<Mutex<Sandbox>>,
    clock: Arc<VirtualClock>,
    driver: Driver,
}

impl Stage {
    /// An environment with these parts of a world file beside a user, a team and two currencies.
    async fn of(more: Json, objects: &[&str]) -> Self {
        let currency = |n: u64, code: &str| {
            json!({"transactioncurrencyid": id(n), "currencyname": code, "isocurrencycode": code, "currencysymbol": code,
                "currencyprecision": 2, "exchangerate": 1.0})
        };
        let mut world = json!({
            "org": {"currency": "EUR"},
            "tokens": {"tok": {"user": USER}},
            "columns": {"account": [{"schema_name": "new_SourceKey", "kind": "string", "max_length": 80}]},
            "keys": {"account": [{"schema_name": "new_SourceKey_Key", "columns": ["new_sourcekey"]}]},
            "records": {
                "businessunit": [{"businessunitid": UNIT, "name": "All"}],
                "systemuser": [{"systemuserid": USER, "firstname": "Ana", "lastname": "A", "domainname": "a@x.example",
                    "internalemailaddress": "a@x.example", "businessunitid": UNIT, "islicensed": true}],
                "team": [{"teamid": TEAM, "name": "Support", "businessunitid": UNIT, "administratorid": USER}],
                "transactioncurrency": [currency(901, "EUR"), currency(902, "USD")],
            },
        });
        for (part, values) in more.as_object().unwrap() {
            match values {
                Json::Object(values) => values.iter().for_each(|(name, value)| world[part][name] = value.clone()),
                other => world[part] = other.clone(),
            }
        }
        let environment = handover_sandbox::dynamics::Dynamics::from_world(world, 7).unwrap();
        let sandbox = Arc::new(Mutex::new(Sandbox::new(Box::new(environment))));
        let clock = Arc::new(VirtualClock::new("2026-03-02T10:00:00Z".parse().unwrap()));
        let settings = Settings {
            oauth_base: "http://sandbox.test/organizations".to_owned(),
            retries: 3,
            concurrency: 2,
            ..Settings::at("http://sandbox.test")
        };
        let transport = Arc::new(LocalTransport::new(sandbox.clone(), clock.clone()));
        let dialect = handover_platforms::dialect("dynamics").unwrap();
        let token = Credentials::Token(SecretString::from("tok"));
        let driver = Driver::new(dialect, transport, clock.clone(), Arc::new(NoKeeper), token, settings);
        let stage = Self { sandbox, clock, driver };
        for object in objects {
            stage.driver.describe(&(*object).into()).await.unwrap();
        }
        stage
    }

    fn sent(&self) -> usize {
        self.sandbox.lock().unwrap().journal().entries().len()
    }

    fn plan(&self, rules: Json) {
        let plan: FaultPlan = serde_json::from_value(json!({"seed": 5, "rules": rules})).unwrap();
        plan.check().unwrap();
        self.sandbox.lock().unwrap().set_faults(plan);
    }

    fn upset(&self, object: &str, id: &str, action: DisturbAction) {
        use handover_connect::Clock as _;
        let disturbance = Disturbance { object: object.to_owned(), which: Place::Id(id.to_owned()), action };
        self.sandbox.lock().unwrap().disturb(&disturbance, self.clock.now());
    }

    async fn list(&self, object: &str, fields: &[&str]) -> Result<Vec<Record>, Fault> {
        let read = Read { object: object.into(), fields: names(fields), which: Which::Live, since: None };
        Ok(self.driver.page(&read, None).await?.records)
    }

    async fn fetch(&self, object: &str, fields: &[&str], id: &str) -> Record {
        let found = self.driver.fetch(&object.into(), &names(fields), &[id.into()]).await.unwrap();
        found.into_iter().next().unwrap()
    }

    async fn create(&self, object: &str, rows: &[&[(&str, Value)]]) -> Vec<Written> {
        let rows: Vec<Row<'_>> = rows.iter().map(|row| ("", *row)).collect();
        self.driver.write(&batch(object, WriteMode::Create { key: None }, &rows)).await.unwrap()
    }

    async fn update(&self, object: &str, id: &str, fields: &[(&str, Value)]) -> WriteOutcome {
        let mut written = self.driver.write(&batch(object, WriteMode::Update, &[(id, fields)])).await.unwrap();
        written.remove(0).outcome
    }
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

fn applied(outcome: &WriteOutcome) -> String {
    match outcome {
        WriteOutcome::Applied { id, .. } => id.to_string(),
        other => panic!("{other:?}"),
    }
}

fn refused(outcome: &WriteOutcome) -> &Fault {
    match outcome {
        WriteOutcome::Refused(fault) => fault,
        other => panic!("{other:?}"),
    }
}

fn value<'r>(record: &'r Record, field: &str) -> &'r Value {
    record.fields.get(field).unwrap()
}

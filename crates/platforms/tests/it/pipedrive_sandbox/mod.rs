//! Pipedrive's dialect behind the real driver, against the sandbox account, on a clock that jumps.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use handover_connect::{
    Clock as _, Connector as _, Credentials, Driver, FaultKind, Link, LinkBatch, NoKeeper, Read, Settings,
    VirtualClock, Which, Write, WriteBatch, WriteMode, WriteOutcome,
};
use handover_local::LocalTransport;
use handover_model::{Content, FieldName, Fields, Kind, Record, RecordId, Schema, Value};
use handover_platforms::pipedrive::Pipedrive;
use handover_sandbox::Sandbox;
use handover_sandbox::faults::FaultPlan;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

mod hooks;
mod lines;
mod mail;
mod reading;
mod unlinking;
mod writing;

const SEED: u64 = 11;
const TYPES: [&str; 14] = [
    "varchar",
    "text",
    "double",
    "phone",
    "date",
    "enum",
    "set",
    "user",
    "org",
    "people",
    "monetary",
    "daterange",
    "time",
    "timerange",
];

struct Stage {
    sandbox: Arc<Mutex<Sandbox>>,
    clock: Arc<VirtualClock>,
    driver: Driver,
}

/// An account with one custom field of each type on deals, and some records.
fn world() -> Json {
    let options = json!([{"id": 901, "label": "Low"}, {"id": 902, "label": "High"}]);
    let fields: Vec<Json> = TYPES
        .iter()
        .chain(&["address"])
        .map(|kind| json!({"field_name": format!("My {kind}"), "field_type": kind, "options": options}))
        .collect();
    let notes: Vec<Json> =
        (1..=1_200).map(|id| json!({"id": id, "content": format!("<p>{id}</p>"), "deal_id": 1})).collect();
    json!({
        "account": {"plan": "growth", "seats": 5, "api_tokens": [{"token": "api", "user_id": 1}],
            "oauth_clients": [{"client_id": "app", "client_secret": "s", "refresh_token": "first", "user_id": 1,
                "scopes": ["base", "deals:full", "contacts:full", "activities:full", "products:full", "leads:full",
                    "users:read", "admin", "deal-fields:full", "contact-fields:full"]}]},
        "users": [{"id": 1, "name": "Ana", "email": "ana@x.test", "active_flag": true, "is_deleted": false,
            "timezone_name": "Europe/Berlin", "default_currency": "EUR",
            "access": [{"app": "sales", "admin": true}]}],
        "organizations": [{"id": 1, "name": "Parent"}, {"id": 2, "name": "Daughter"}],
        "persons": [{"id": 1, "name": "Ada Main"}, {"id": 2, "name": "Bo Second"}, {"id": 3, "name": "Cy Third"}],
        "deals": [{"id": 1, "title": "Open", "person_id": 1, "org_id": 1}, {"id": 2, "title": "Alone", "person_id": 2},
            {"id": 3, "title": "Stored", "is_archived": true, "archive_time": "2022-01-01T00:00:00Z"},
            {"id": 4, "title": "Gone", "is_deleted": true, "delete_time": "2023-12-30T00:00:00Z"}],
        "deal_participants": [{"deal_id": 1, "person_id": 2}],
        "notes": notes,
        "deal_fields": fields,
    })
}

fn stage_with(credentials: Credentials) -> Stage {
    stage_of(world(), credentials)
}

fn stage_of(world: Json, credentials: Credentials) -> Stage {
    let platform = handover_sandbox::pipedrive::Pipedrive::from_world(world, SEED).unwrap();
    let sandbox = Arc::new(Mutex::new(Sandbox::new(Box::new(platform))));
    let clock = Arc::new(VirtualClock::new("2024-01-10T12:00:00Z".parse().unwrap()));
    let settings = Settings { retries: 3, concurrency: 2, ..Settings::at("http://sandbox.test") };
    let transport = Arc::new(LocalTransport::new(sandbox.clone(), clock.clone()));
    let dialect = Box::new(Pipedrive::new());
    let driver = Driver::new(dialect, transport, clock.clone(), Arc::new(NoKeeper), credentials, settings);
    Stage { sandbox, clock, driver }
}

fn stage() -> Stage {
    stage_with(Credentials::Token(SecretString::from("api")))
}

impl Stage {
    fn faults(&self, rules: Json) {
        let plan: FaultPlan = serde_json::from_value(json!({"rules": rules})).unwrap();
        self.sandbox.lock().unwrap().set_faults(plan);
    }

    async fn schema(&self, object: &str) -> Schema {
        self.driver.describe(&object.into()).await.unwrap()
    }

    async fn all(&self, object: &str, fields: &Arc<[FieldName]>, which: Which) -> Vec<Record> {
        let read = Read { object: object.into(), fields: fields.clone(), which, since: None };
        let mut records = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.driver.page(&read, cursor.as_ref()).await.unwrap();
            records.extend(page.records);
            match page.next {
                Some(next) => cursor = Some(next),
                None => return records,
            }
        }
    }

    async fn write(&self, batch: &WriteBatch) -> WriteOutcome {
        self.driver.write(batch).await.unwrap().remove(0).outcome
    }

    async fn made(&self, object: &str, fields: &[(&str, Value)]) -> RecordId {
        match self.write(&create(object, fields)).await {
            WriteOutcome::Applied { id, .. } => id,
            other => panic!("{object}: {other:?}"),
        }
    }

    async fn one(&self, object: &str, id: &RecordId, fields: &[&str]) -> Record {
        let mut found = self.driver.fetch(&object.into(), &names(fields), std::slice::from_ref(id)).await.unwrap();
        assert_eq!(found.len(), 1, "{object} {id}");
        found.remove(0)
    }
}

fn names(names: &[&str]) -> Arc<[FieldName]> {
    names.iter().map(|name| FieldName::from(*name)).collect()
}

fn every(schema: &Schema) -> Arc<[FieldName]> {
    schema.fields.iter().map(|field| field.name.clone()).collect()
}

fn batch(object: &str, mode: WriteMode, id: Option<RecordId>, fields: &[(&str, Value)]) -> WriteBatch {
    let fields: Fields = fields.iter().map(|(name, value)| (FieldName::from(*name), value.clone())).collect();
    let write = Write { trace: "t".into(), id, fields: fields.into(), content: None };
    WriteBatch { object: object.into(), mode, writes: vec![write].into() }
}

fn create(object: &str, fields: &[(&str, Value)]) -> WriteBatch {
    batch(object, WriteMode::Create { key: None }, None, fields)
}

fn at(text: &str) -> Value {
    Value::DateTime(text.parse().unwrap())
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

/// A value that a custom field of this kind takes in the account of [`world`].
fn sample(name: &str, kind: &Kind) -> Value {
    match kind {
        Kind::Text { .. } if name.ends_with("timezone_name") => "Europe/London".into(),
        Kind::Text { .. } | Kind::Phone { .. } => format!("text of {}", &name[name.len() - 4..]).into(),
        Kind::Number => number("1234.5"),
        Kind::Date => Value::Date("2024-02-29".parse().unwrap()),
        Kind::Time => Value::Time("09:30:00".parse().unwrap()),
        Kind::Choice { options, many: true } => {
            Value::List(options.iter().map(|option| option.value.as_str().into()).collect())
        }
        Kind::Choice { options, many: false } => options.last().unwrap().value.as_str().into(),
        Kind::User | Kind::Reference { .. } => "1".into(),
        Kind::Currency => "USD".into(),
        other => panic!("no sample for {other:?}"),
    }
}

//! There and back: the sample company moves to another platform, and from there into a new account of the first one,
//! both times with what `init` proposes. Then the two accounts are compared, field by field: what does not come back
//! as it went is listed in the manual (docs/manual/there-and-back.md). `cargo xtask pairs` writes its table anew.
//!
//! Nothing of the comparison is the engine's: records are read through the connectors, and joined by what the states
//! of both moves say.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use handover_connect::{Connector, Credentials, Driver, NoKeeper, Read, Settings, VirtualClock, Which};
use handover_local::LocalTransport;
use handover_model::{Field, FieldName, FlowName, Kind, ObjectName, ReadCost, Record, RecordId, Schema, Value};
use handover_sandbox::persist;
use handover_store::{Location, Store};
use jiff::Timestamp;
use secrecy::SecretString;

use super::binary;
use crate::rig::load;

/// Whether a field is dear to read, and nobody asks for it here.
fn is_dear(field: &Field) -> bool {
    matches!(field.read, ReadCost::Extra { opt_in: true, .. })
}

/// One account of a move: its connector, and what its objects are made of.
struct Account {
    connector: Arc<dyn Connector>,
    users: BTreeMap<String, String>,
}

impl Account {
    async fn open(platform: &str, dir: &Path) -> Self {
        let load = |json| handover_sandbox::world(platform, Some(json), 1);
        let sandbox = persist::open(dir, || handover_sandbox::world(platform, None, 1), load).unwrap();
        // Reads cost nothing of what a day grants.
        let clock = Arc::new(VirtualClock::new("2027-06-01T00:00:00Z".parse::<Timestamp>().unwrap()));
        let sandbox = Arc::new(Mutex::new(sandbox));
        let token = sandbox.lock().unwrap().platform().credentials()["token"].as_str().unwrap().to_owned();
        let connector: Arc<dyn Connector> = Arc::new(Driver::new(
            (handover_platforms::platform(platform).unwrap().dialect)(),
            Arc::new(LocalTransport::new(sandbox, clock.clone())),
            clock,
            Arc::new(NoKeeper),
            Credentials::Token(SecretString::from(token)),
            Settings::at("http://account.sandbox.test"),
        ));
        connector.account().await.unwrap();
        let users = connector.users().await.unwrap();
        Self { connector, users: users.into_iter().map(|user| (user.id.to_string(), user.email)).collect() }
    }

    async fn records(&self, schema: &Schema) -> BTreeMap<RecordId, Record> {
        let wanted = schema.fields.iter().filter(|field| !is_dear(field));
        let (listed, extra): (Vec<&Field>, Vec<&Field>) = wanted.partition(|field| field.read == ReadCost::Listed);
        let fields: Arc<[FieldName]> = listed.iter().map(|field| field.name.clone()).collect();
        let read = Read { object: schema.object.clone(), fields, which: Which::Live, since: None };
        let mut records: BTreeMap<RecordId, Record> = BTreeMap::new();
        let mut cursor = None;
        loop {
            let page = self.connector.page(&read, cursor.as_ref()).await.unwrap();
            for record in page.records {
                records.entry(record.id.clone()).or_insert(record);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let ids: Vec<RecordId> = records.keys().cloned().collect();
        for field in extra {
            for more in self.connector.enrich(&schema.object, &field.name, &ids).await.unwrap() {
                if let Some(record) = records.get_mut(&more.id) {
                    more.fields.iter().for_each(|(name, value)| record.fields.set(name.clone(), value.clone()));
                }
            }
        }
        records
    }
}

/// By object of the first account and of the last: where its records are after both moves.
type Ways = BTreeMap<(ObjectName, ObjectName), BTreeMap<RecordId, RecordId>>;

/// What the state of a move says: by flow what became of each record.
async fn told(dir: &Path, flow: &FlowName) -> BTreeMap<RecordId, RecordId> {
    let store = Store::open_reading(&Location::Sqlite(dir.join(".handover/state.db"))).await.unwrap();
    let rows = store.rows_page(flow, None, None, 100_000).await.unwrap();
    store.close().await.unwrap();
    rows.into_iter().filter_map(|row| Some((row.record, row.target?))).collect()
}

/// Both moves in one.
async fn ways(there: &Path, back: &Path) -> Ways {
    let mut ways = Ways::new();
    let (forth, home) = (load(there), load(back));
    for out in &forth.flows {
        let went = told(there, &out.name).await;
        for home in home.flows.iter().filter(|home| home.source.object == out.target.object) {
            let came = told(back, &home.name).await;
            let way = ways.entry((out.source.object.clone(), home.target.object.clone())).or_default();
            way.extend(went.iter().filter_map(|(from, over)| Some((from.clone(), came.get(over)?.clone()))));
        }
    }
    ways
}

/// A value in words that both accounts share: users by their addresses, options by their labels, records by where
/// they are now.
fn shared(value: &Value, kind: &Kind, account: &Account, moved: &dyn Fn(&ObjectName, &str) -> String) -> Value {
    match (value, kind) {
        (Value::List(all), _) => Value::List(all.iter().map(|one| shared(one, kind, account, moved)).collect()),
        (Value::Text(id), Kind::User) => Value::text(account.users.get(id).unwrap_or(id).as_str()),
        (Value::Text(id), Kind::Reference { object, .. }) => Value::text(moved(object, id)),
        (Value::Text(id), Kind::Choice { options, .. }) => {
            let option = options.iter().find(|option| option.value == *id);
            Value::text(option.map_or(id.as_str(), |option| option.label.as_str()))
        }
        _ => value.clone(),
    }
}

/// What a value says, whatever type the field has that says it.
fn words(value: &Value) -> Vec<String> {
    match value {
        value if value.is_blank() => Vec::new(),
        Value::List(all) => all.iter().flat_map(words).collect(),
        Value::Map(map) => map.get("value").map(words).unwrap_or_default(),
        Value::Text(text) => vec![text.replace("\r\n", "\n").trim().to_owned()],
        Value::Bool(is) => vec![if *is { "Yes" } else { "No" }.to_owned()],
        Value::Number(number) => vec![number.normalize().to_string()],
        Value::DateTime(at) => vec![at.to_string()],
        Value::Date(day) => vec![day.to_string()],
        Value::Time(time) => vec![time.to_string()],
        Value::Null => Vec::new(),
    }
}

/// How a move there and back went: records, those that came back, fields that came back as they went, and the others
/// with how many of how many records.
#[derive(Default)]
struct Outcome {
    records: usize,
    back: usize,
    whole: usize,
    other: Vec<String>,
}

/// Compares the first account with the last.
async fn compare(platform: &str, there: &Path, back: &Path) -> Outcome {
    let first = Account::open(platform, &there.join("sandbox/old")).await;
    let last = Account::open(platform, &back.join("sandbox/new")).await;
    let ways = ways(there, back).await;
    let project = load(there);
    let mut outcome = Outcome::default();
    let objects: std::collections::BTreeSet<&ObjectName> =
        project.flows.iter().map(|flow| &flow.source.object).collect();
    for object in objects {
        let flows: Vec<_> = project.flows.iter().filter(|flow| flow.source.object == *object).collect();
        let (was, is) =
            (first.connector.describe(object).await.unwrap(), last.connector.describe(object).await.unwrap());
        let (before, after) = (first.records(&was).await, last.records(&is).await);
        let none = BTreeMap::new();
        let way = ways.get(&(object.clone(), object.clone())).unwrap_or(&none);
        outcome.records += before.len();
        let pairs: Vec<(&Record, &Record)> =
            before.values().filter_map(|record| Some((record, after.get(way.get(&record.id)?)?))).collect();
        outcome.back += pairs.len();
        let stays = |_: &ObjectName, id: &str| id.to_owned();
        let moves = |object: &ObjectName, id: &str| {
            let way = ways.get(&(object.clone(), object.clone()));
            way.and_then(|way| way.get(id)).map_or_else(|| format!("not moved: {id}"), ToString::to_string)
        };
        for field in &was.fields {
            let is_left = flows.iter().all(|flow| flow.excluded.contains_key(&field.name));
            if is_left || is_dear(field) {
                continue;
            }
            // A platform that numbers the customer's own fields gives their names to others in another account.
            let called = is.fields.iter().find(|other| field.custom && other.label == field.label);
            let same = called.or_else(|| is.fields.iter().find(|other| other.name == field.name));
            let (mut filled, mut differ) = (0, 0);
            for (before, after) in &pairs {
                let value = before.fields.get(field.name.as_str()).unwrap_or(&Value::Null);
                let value = shared(value, &field.kind, &first, &moves);
                let now = same
                    .and_then(|same| Some(shared(after.fields.get(same.name.as_str())?, &same.kind, &last, &stays)));
                let now = now.unwrap_or(Value::Null);
                let (value, now) = (words(&value), words(&now));
                if value.is_empty() && now.is_empty() {
                    continue;
                }
                filled += 1;
                differ += usize::from(value != now);
                if std::env::var_os("SHOW").is_some() && value != now {
                    eprintln!("{object} {} `{}`: {value:?} came back as {now:?}", before.id, field.label);
                }
            }
            match (filled, differ) {
                (0, _) => {}
                (_, 0) => outcome.whole += 1,
                _ => {
                    let name = if field.custom { format!("“{}”", field.label) } else { field.name.to_string() };
                    outcome.other.push(format!("{object}: {name} {differ}/{filled}"));
                }
            }
        }
    }
    outcome
}

/// Moves the company back from where a demo brought it; gives the row of the table.
pub(super) fn row(from: &str, over: &str, there: &Path, back: &Path) -> String {
    let mut command = binary();
    command.args(["demo", "--small", "--json", "--quiet", "--to", from, "--after"]).arg(there);
    let made = command.arg("--dir").arg(back).output().unwrap();
    assert!(made.status.success(), "{from} over {over}: {}", String::from_utf8_lossy(&made.stderr));
    let told: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(told["verify"]["differences"], 0, "{from} over {over}: {}", told["verify"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Outcome { records, back, whole, other } = runtime.block_on(compare(from, there, back));
    let fields = whole + other.len();
    format!("| {from} | {over} | {records} | {back} | {whole} of {fields} | {} |", other.join(", "))
}

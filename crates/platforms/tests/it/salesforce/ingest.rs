//! Large batches by jobs: they write what collections write, and whatever goes wrong is told of each record.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover_connect::{Connector as _, Driver, Fault, FaultKind, Write, WriteBatch, WriteMode, WriteOutcome, Written};
use handover_model::{FieldName, Fields, RecordId, Value};
use handover_platforms::salesforce::Salesforce;
use handover_sandbox::faults::FaultPlan;
use serde_json::{Value as Json, json};

use super::live::{ADMIN, Live, id, live};
use crate::lists::rest;

pub(super) const KEY: &str = "Src_Key__c";
/// Contacts that are there before; every third of those is written.
const THERE: usize = 60;
const READ: [&str; 13] = [
    "FirstName",
    "LastName",
    "Email",
    "Description",
    "Title",
    "Department",
    "AccountId",
    "My_Date__c",
    "My_Instant__c",
    "My_Flag__c",
    "My_Amount__c",
    "My_Choices__c",
    KEY,
];

fn contact(n: usize) -> Json {
    json!({
        "Id": id("003", n), "LastName": format!("Before {n}"), "Title": "stays", "Department": "goes",
        "My_Flag__c": true, KEY: format!("k {n}"),
        "CreatedDate": "2026-01-01T10:00:00.000+0000", "LastModifiedDate": "2026-01-02T10:00:00.000+0000",
        "SystemModstamp": "2026-01-02T10:00:00.000+0000",
    })
}

fn world(settings: Json) -> Json {
    let custom = |name: &str, kind: &str| json!({"name": name, "type": kind});
    json!({
        "settings": settings,
        "fields": {"Contact": [
            {"name": KEY, "type": "string", "length": 120, "unique": true, "external_id": true},
            custom("My_Date__c", "date"), custom("My_Instant__c", "datetime"), custom("My_Flag__c", "boolean"),
            {"name": "My_Amount__c", "type": "currency", "precision": 18, "scale": 2},
            {"name": "My_Choices__c", "type": "multipicklist", "values": ["Low", "Mid", "High"], "restricted": true},
        ]},
        "records": {
            "Account": [{"Id": id("001", 1), "Name": "A"}],
            "Contact": (1..=THERE).map(contact).collect::<Vec<_>>(),
        },
    })
}

pub(super) fn fields(pairs: &[(&str, Value)]) -> Fields {
    pairs.iter().map(|(name, value)| (FieldName::from(*name), value.clone())).collect()
}

/// A contact's values: what CSV could break, what is empty, what is not there.
fn values(n: usize) -> Fields {
    let text = ["one\ntwo", "a, \"b\"", "  blanks  ", "null", "true", "\u{1f980};", "=1+1", "", "'", "a\r\nb"][n % 10];
    let mut pairs = vec![
        ("LastName", Value::text(format!("L\u{fc}denscheidt {n}"))),
        ("Email", Value::text(format!("p{n}@x.example"))),
        ("Description", Value::text(text)),
        (KEY, Value::text(format!("k {n}"))),
    ];
    if n.is_multiple_of(2) {
        pairs.extend([
            ("Department", Value::Null),
            ("My_Date__c", Value::Date("2026-02-28".parse().unwrap())),
            ("My_Instant__c", Value::DateTime("2026-03-29T01:30:00.5Z".parse().unwrap())),
            ("My_Amount__c", Value::Number("1200.50".parse().unwrap())),
        ]);
    }
    if n.is_multiple_of(3) {
        pairs.extend([
            ("AccountId", Value::text(id("001", 1))),
            ("My_Flag__c", Value::Bool(n.is_multiple_of(2))),
            ("My_Choices__c", Value::List(vec!["High".into(), "Low".into()])),
            ("FirstName", Value::Null),
        ]);
    }
    fields(&pairs)
}

pub(super) fn upserts(all: impl IntoIterator<Item = Fields>) -> WriteBatch {
    let write = |(at, fields): (usize, Fields)| Write {
        trace: format!("t{at}").into(),
        id: None,
        fields: Arc::new(fields),
        content: None,
    };
    let writes = all.into_iter().enumerate().map(write).collect();
    WriteBatch { object: "Contact".into(), mode: WriteMode::Upsert { key: KEY.into() }, writes }
}

/// The usual batch: some are there, most are not.
fn usual() -> WriteBatch {
    upserts((3..=THERE).step_by(3).chain(1_001..=1_400).map(values))
}

async fn org(settings: Json) -> Live {
    Live::of(world(settings), Salesforce::new).await
}

/// What is there, by key, without ids and times.
async fn there(org: &Live) -> BTreeMap<String, Vec<(FieldName, Value)>> {
    let driver = org.let_in_by(ADMIN).await;
    let records = rest(&driver, &live("Contact", &READ), None).await;
    let of = |fields: &Fields| fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let count = records.len();
    let all: BTreeMap<_, _> =
        records.iter().map(|record| (record.fields.get(KEY).unwrap().display(), of(&record.fields))).collect();
    assert_eq!(all.len(), count, "one record for each key");
    all
}

fn some(batch: &WriteBatch, writes: &[Write]) -> WriteBatch {
    WriteBatch { writes: writes.into(), ..batch.clone() }
}

/// The same by collections.
async fn by_collections(driver: &Driver, batch: &WriteBatch) -> Vec<Written> {
    let mut all = Vec::new();
    for writes in batch.writes.chunks(200) {
        all.extend(driver.write(&some(batch, writes)).await.unwrap());
    }
    all
}

/// Outcomes by trace, as words without ids.
pub(super) fn words(written: &[Written]) -> BTreeMap<String, String> {
    let word = |outcome: &WriteOutcome| match outcome {
        WriteOutcome::Applied { created, .. } => format!("applied {created:?}"),
        WriteOutcome::Refused(fault) => {
            format!("refused {:?} {} {:?} {}", fault.kind, fault.code, fault.field, fault.message)
        }
        WriteOutcome::Unknown(fault) => format!("unknown {}", fault.code),
    };
    written.iter().map(|written| (written.trace.to_string(), word(&written.outcome))).collect()
}

fn number(written: &[Written], which: fn(&WriteOutcome) -> bool) -> usize {
    written.iter().filter(|written| which(&written.outcome)).count()
}

fn is_applied(outcome: &WriteOutcome) -> bool {
    matches!(outcome, WriteOutcome::Applied { .. })
}

fn is_unknown(outcome: &WriteOutcome) -> bool {
    matches!(outcome, WriteOutcome::Unknown(_))
}

/// The requests since then, without the job's id.
fn steps(org: &Live, from: usize) -> Vec<String> {
    let step = |path: String| {
        let parts = path.split('/').map(|part| if part.starts_with("750") { "*" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    org.paths(from).into_iter().map(step).collect()
}

const ALL_STEPS: [&str; 8] = [
    "POST jobs/ingest",
    "PUT jobs/ingest/*/batches",
    "PATCH jobs/ingest/*",
    "GET jobs/ingest/*",
    "GET jobs/ingest/*",
    "GET jobs/ingest/*",
    "GET jobs/ingest/*",
    "GET jobs/ingest/*/successfulResults",
];

#[tokio::test]
async fn a_job_writes_what_collections_write() {
    let (one, other) = (org(json!({})).await, org(json!({})).await);
    let before = there(&one).await;
    let from = one.sent();
    let by_job = one.driver.write(&usual()).await.unwrap();
    let by_collections = by_collections(&other.driver, &usual()).await;
    assert_eq!(words(&by_job), words(&by_collections));
    assert_eq!(number(&by_job, is_applied), usual().writes.len());
    // Ten seconds and the rows are waited for: 2, 6, 14.
    assert_eq!(steps(&one, from)[..6], ALL_STEPS[..6]);
    let after = there(&one).await;
    assert_eq!(after, there(&other).await);
    assert_eq!(after.len(), THERE + 400);
    assert_ne!(after["k 3"], before["k 3"]);
    assert_eq!(after["k 4"], before["k 4"]);
}

#[tokio::test]
async fn updates_go_by_ids_and_say_only_what_they_say() {
    let writes = |short: bool| -> Vec<Write> {
        let of = |n: usize| {
            let record = id("003", n);
            let record = if short && n.is_multiple_of(2) { record[..15].to_owned() } else { record };
            let pairs = match n % 3 {
                0 => vec![("Title", Value::text(format!("new {n}"))), ("Department", Value::Null)],
                1 => vec![("Department", Value::text("other"))],
                _ => vec![("My_Flag__c", Value::Bool(false)), ("Description", Value::text("x\r\ny"))],
            };
            Write {
                trace: format!("t{n}").into(),
                id: Some(RecordId::from(record)),
                fields: Arc::new(fields(&pairs)),
                content: None,
            }
        };
        (1..=300).map(of).collect()
    };
    let mut big = world(json!({}));
    big["records"]["Contact"] = (1..=400).map(contact).collect();
    let batch = |short| WriteBatch { object: "Contact".into(), mode: WriteMode::Update, writes: writes(short).into() };
    let one = Live::of(big.clone(), Salesforce::new).await;
    let other = Live::of(big, Salesforce::new).await;
    let by_job = one.driver.write(&batch(true)).await.unwrap();
    assert_eq!(words(&by_job), words(&by_collections(&other.driver, &batch(false)).await));
    assert_eq!(number(&by_job, is_applied), 300);
    assert_eq!(there(&one).await, there(&other).await);
    assert_eq!(there(&one).await.len(), 400);
}

#[tokio::test]
async fn bad_rows_are_refused_alone_as_collections_refuse_them() {
    let spoilt = || {
        upserts((1_001..=3_000).map(|n| {
            let mut one = values(n);
            match n {
                1_100 => one.set("LastName".into(), Value::Null),
                1_200 => one.set("Email".into(), Value::text("no address: at all")),
                1_300 => one.set("My_Choices__c".into(), Value::List(vec!["None: --".into()])),
                1_400 => one.set("AccountId".into(), Value::text(id("001", 77))),
                1_500 => one.set("FirstName".into(), Value::text("x".repeat(100))),
                _ => {}
            }
            one
        }))
    };
    let (one, other) = (org(json!({})).await, org(json!({})).await);
    let from = one.sent();
    let by_job = one.driver.write(&spoilt()).await.unwrap();
    assert!(steps(&one, from).contains(&"GET jobs/ingest/*/failedResults".to_owned()));
    let by_collections = by_collections(&other.driver, &spoilt()).await;
    assert_eq!(words(&by_job), words(&by_collections));
    assert_eq!(number(&by_job, is_applied), 1_995);
    assert_eq!(there(&one).await, there(&other).await);
    let told: Vec<String> = words(&by_job).into_values().filter(|word| word.starts_with("refused")).collect();
    assert!(told.len() == 5 && told.iter().all(|word| !word.contains("no address") && !word.contains("None: --")));
}

#[tokio::test]
async fn rows_that_met_a_lock_and_what_is_not_told_are_unknown() {
    let org = org(json!({"lock_every": 50})).await;
    let written = org.driver.write(&usual()).await.unwrap();
    assert_eq!(number(&written, is_unknown), 8);
    assert_eq!(number(&written, is_applied), usual().writes.len() - 8);
    let again = org.driver.write(&usual()).await.unwrap();
    assert_eq!(number(&again, is_applied), usual().writes.len() - 8, "others this time");
    assert_eq!(there(&org).await.len(), THERE + 400);
}

#[tokio::test]
async fn a_job_that_takes_too_long_is_aborted_and_never_done() {
    let org = org(json!({"bulk_s": 100_000})).await;
    let from = org.sent();
    let written = org.driver.write(&usual()).await.unwrap();
    assert!(words(&written).values().all(|word| word == "unknown job_takes_long"));
    let steps = steps(&org, from);
    assert_eq!(steps.iter().filter(|step| *step == "GET jobs/ingest/*").count(), 13);
    assert_eq!(steps.iter().filter(|step| *step == "PATCH jobs/ingest/*").count(), 2);
    org.wait(200_000).await;
    assert_eq!(there(&org).await.len(), THERE, "what was aborted is not done later");
}

#[tokio::test]
async fn a_job_that_fails_says_so_and_writes_nothing() {
    // The column is gone by the time that the job is worked on: the dialect cannot know.
    let org = org(json!({})).await;
    let batch = upserts((1_001..=1_300).map(|n| {
        let mut one = values(n);
        one.set("Gone__c".into(), Value::text("x"));
        one
    }));
    let written = org.driver.write(&batch).await.unwrap();
    assert!(words(&written).values().all(|word| word == "unknown job_failed"), "{:?}", words(&written));
    assert_eq!(there(&org).await.len(), THERE);
}

#[tokio::test]
async fn a_job_that_is_not_taken_is_refused_as_a_whole() {
    let org = org(json!({"daily_batches": 0})).await;
    let fault = org.driver.write(&usual()).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Unsupported, "EXCEEDEDQUOTA"), "{fault}");
    assert_eq!(there(&org).await.len(), THERE);
}

fn plan(rules: Json) -> FaultPlan {
    let plan: FaultPlan = serde_json::from_value(json!({"seed": 5, "rules": rules})).unwrap();
    plan.check().unwrap();
    plan
}

#[tokio::test]
async fn answers_that_are_lost_at_any_step_lose_nothing() {
    let faults = [
        json!({"kind": "lost_before"}),
        json!({"kind": "lost_after"}),
        json!({"kind": "lost_after", "status": 502}),
        json!({"kind": "unavailable", "status": 503}),
        json!({"kind": "malformed"}),
        json!({"kind": "cut", "bytes": 300}),
    ];
    let steps = [
        ("POST", "/services/data/v66.0/jobs/ingest"),
        ("PUT", "/services/data/v66.0/jobs/ingest/*/batches"),
        ("PATCH", "/services/data/v66.0/jobs/ingest/*"),
        ("GET", "/services/data/v66.0/jobs/ingest/*"),
        ("GET", "/services/data/v66.0/jobs/ingest/*/failedResults"),
        ("GET", "/services/data/v66.0/jobs/ingest/*/successfulResults"),
    ];
    let batch = || {
        let mut writes: Vec<Fields> = usual().writes.iter().map(|write| (*write.fields).clone()).collect();
        writes[100].set("LastName".into(), Value::Null);
        upserts(writes)
    };
    let quiet = org(json!({})).await;
    let expected = words(&quiet.driver.write(&batch()).await.unwrap());
    let records = there(&quiet).await;
    for (method, path) in steps {
        for fault in &faults {
            let org = org(json!({})).await;
            let rules = json!([{"when": {"method": method, "path": path, "to": 2}, "fault": fault}]);
            org.sandbox.lock().unwrap().set_faults(plan(rules));
            let written = org.driver.write(&batch()).await.unwrap();
            // A result that was cut behind a line is one with fewer rows: those are unknown.
            let (words, spoilt) = (words(&written), fault["kind"] == "malformed" && path.ends_with("Results"));
            assert!(
                words.iter().all(|(trace, word)| expected[trace] == *word || spoilt && word.starts_with("unknown")),
                "{method} {path} {fault}: {words:?}"
            );
            assert_eq!(there(&org).await, records, "{method} {path} {fault}");
        }
    }
}

#[tokio::test]
async fn whoever_begins_again_after_a_crash_ends_with_the_same_records() {
    let quiet = org(json!({})).await;
    quiet.driver.write(&usual()).await.unwrap();
    let records = there(&quiet).await;
    for step in 1..=7 {
        let org = org(json!({})).await;
        // Nothing is answered from this request on: as if the process were gone.
        let rules =
            json!([{"when": {"path": "/services/data/v66.0/jobs/**", "from": step}, "fault": {"kind": "lost_before"}}]);
        org.sandbox.lock().unwrap().set_faults(plan(rules));
        let written = org.driver.write(&usual()).await;
        assert!(written.is_err() || written.is_ok_and(|written| number(&written, is_unknown) == usual().writes.len()));
        org.sandbox.lock().unwrap().set_faults(FaultPlan::default());
        let driver = org.another().await;
        let again = driver.write(&usual()).await.unwrap();
        assert_eq!(number(&again, is_applied), usual().writes.len(), "step {step}");
        org.wait(600).await;
        assert_eq!(there(&org).await, records, "step {step}");
    }
}

#[tokio::test]
async fn a_session_that_ends_in_the_middle_is_bought_anew_or_told() {
    for (method, step) in [("PUT", "*/batches"), ("PATCH", "*"), ("GET", "*"), ("GET", "*/successfulResults")] {
        let path = format!("/services/data/v66.0/jobs/ingest/{step}");
        let rules =
            |to: u64, fault: Json| json!([{"when": {"method": method, "path": &path, "to": to}, "fault": fault}]);
        let org = Live::by_app(world(json!({})), Salesforce::new).await;
        org.sandbox.lock().unwrap().set_faults(plan(rules(1, json!({"kind": "expired_token"}))));
        let written = org.driver.write(&usual()).await.unwrap();
        assert_eq!(number(&written, is_applied), usual().writes.len(), "{method} {step}");
        // A token that nobody can renew: nobody knows what became of the rows.
        let org = self::org(json!({})).await;
        org.sandbox.lock().unwrap().set_faults(plan(rules(9, json!({"kind": "expired_token", "until_refresh": true}))));
        let written = org.driver.write(&usual()).await.unwrap();
        assert_eq!(number(&written, is_unknown), usual().writes.len(), "{method} {step}");
    }
}

#[tokio::test]
async fn what_a_cell_cannot_say_goes_by_no_job() {
    let org = org(json!({})).await;
    let from = org.sent();
    let refused = |fault: &Fault, kind, field: Option<&str>| {
        assert_eq!((fault.kind, fault.field.as_ref().map(FieldName::as_str)), (kind, field), "{fault}");
    };
    for text in ["#N/A".to_owned(), " #n/a ".to_owned(), "x".repeat(32_001)] {
        let mut writes: Vec<Fields> = (1_001..=1_300).map(values).collect();
        writes[7].set("Description".into(), Value::text(text));
        let batch = upserts(writes);
        let fault = org.driver.write(&batch).await.unwrap_err();
        refused(&fault, FaultKind::Invalid, Some("Description"));
        assert!(org.driver.refuses(&batch).is_some());
        assert!(org.driver.refuses(&some(&batch, &batch.writes[..200])).is_none(), "collections take it");
    }
    // Two rows of one record; new records without a key; objects that assignment rules are about.
    let twice = upserts((1_001..=1_300).map(values).chain([values(1_001)]));
    refused(&org.driver.write(&twice).await.unwrap_err(), FaultKind::Unsupported, None);
    let create = WriteBatch { mode: WriteMode::Create { key: Some(KEY.into()) }, ..usual() };
    refused(&org.driver.write(&create).await.unwrap_err(), FaultKind::Unsupported, None);
    for object in ["Account", "Case", "Lead", "ContentNote", "ContentVersion"] {
        let other = WriteBatch { object: object.into(), ..usual() };
        refused(&org.driver.write(&other).await.unwrap_err(), FaultKind::Unsupported, None);
    }
    assert_eq!(org.sent(), from, "nothing was sent");
}

//! Large batches by jobs: they write what collections write, and whatever goes wrong is told of each record.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover_connect::{
    Connector as _, Cursor, Dialect as _, Driver, Fault, FaultKind, Operation, Reply, Step, Write, WriteBatch,
    WriteMode, WriteOutcome, Written,
};
use handover_model::{FieldName, Fields, RecordId, Value};
use handover_platforms::salesforce::Salesforce;
use handover_sandbox::faults::FaultPlan;
use serde_json::{Value as Json, json};

use super::live::{ADMIN, Live, id, live};
use super::{encoded_by, reply, text};

const KEY: &str = "Src_Key__c";
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

fn fields(pairs: &[(&str, Value)]) -> Fields {
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

fn upserts(all: impl IntoIterator<Item = Fields>) -> WriteBatch {
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
    let records = org.rest(&driver, &live("Contact", &READ), None).await;
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
fn words(written: &[Written]) -> BTreeMap<String, String> {
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

// What the sandbox does not do, in the shapes of the guide.

const JOB: &str = "7505fEXAMPLE4C2AAM";

fn large() -> Operation {
    Operation::Write(upserts((1..=300).map(|n| fields(&[("LastName", "L".into()), (KEY, format!("k {n}").into())]))))
}

fn after(cursor: Option<&Cursor>, reply: &Reply) -> (Cursor, u64, Option<Fault>) {
    match Salesforce::new().decode(&large(), cursor, reply).unwrap() {
        Step::Then { cursor, wait_ms, instead_of } => (cursor, wait_ms, instead_of),
        step => panic!("it ends: {step:?}"),
    }
}

fn sent(cursor: Option<&Cursor>) -> String {
    encoded_by(&Salesforce::new(), &large(), cursor)
}

fn told(state: &str, processed: u64, failed: u64) -> Reply {
    reply(
        200,
        &json!({"id": JOB, "state": state, "object": "Contact", "numberRecordsProcessed": processed,
            "numberRecordsFailed": failed, "errorMessage": "InvalidBatch : Field name not found : Secret"}),
    )
}

fn refusal(status: u16, code: &str) -> Reply {
    reply(status, &json!([{"message": "why", "errorCode": code}]))
}

/// A job whose state is asked for.
fn closed() -> Cursor {
    let (upload, ..) = after(None, &told("Open", 0, 0));
    let (close, ..) = after(Some(&upload), &text(201, ""));
    after(Some(&close), &told("UploadComplete", 0, 0)).0
}

fn ended(cursor: &Cursor, reply: &Reply) -> Vec<Written> {
    match Salesforce::new().decode(&large(), Some(cursor), reply).unwrap() {
        Step::Written(written) => written,
        step => panic!("it goes on: {step:?}"),
    }
}

#[test]
fn what_a_job_is_told_and_asked() {
    assert_eq!(
        sent(None),
        "POST /jobs/ingest {\"columnDelimiter\":\"COMMA\",\"contentType\":\"CSV\",\"externalIdFieldName\":\"Src_Key__c\",\
         \"lineEnding\":\"LF\",\"object\":\"Contact\",\"operation\":\"upsert\"}"
    );
    let (upload, ..) = after(None, &told("Open", 0, 0));
    assert_eq!(sent(Some(&upload)), format!("PUT /jobs/ingest/{JOB}/batches text/csv; charset=UTF-8"));
    let (close, ..) = after(Some(&upload), &text(201, ""));
    assert_eq!(sent(Some(&close)), format!("PATCH /jobs/ingest/{JOB} {{\"state\":\"UploadComplete\"}}"));
    let (ask, wait, _) = after(Some(&close), &told("UploadComplete", 0, 0));
    assert_eq!((sent(Some(&ask)), wait), (format!("GET /jobs/ingest/{JOB}"), 2_000));
    let (ask, wait, _) = after(Some(&ask), &told("InProgress", 0, 0));
    assert_eq!((sent(Some(&ask)), wait), (format!("GET /jobs/ingest/{JOB}"), 4_000));
    let (read, wait, _) = after(Some(&ask), &told("JobComplete", 300, 1));
    assert_eq!((sent(Some(&read)), wait), (format!("GET /jobs/ingest/{JOB}/failedResults"), 0));
    let (read, ..) = after(Some(&ask), &told("JobComplete", 300, 0));
    assert_eq!(sent(Some(&read)), format!("GET /jobs/ingest/{JOB}/successfulResults"));
    // The position is one of this batch alone.
    let small = super::create("Contact", &[&[("LastName", "L".into())]]);
    assert!(encoded_by(&Salesforce::new(), &small, Some(&upload)).starts_with("refused"));
}

#[test]
fn results_are_joined_by_the_key_alone() {
    let failed = after(Some(&closed()), &told("Aborted", 9, 3)).0;
    let lines = [
        "\"\",\"FIELD_CUSTOM_VALIDATION_EXCEPTION:Never: a -- b:My_Flag__c,Title --\",\"L\",\"k 9\"",
        "\"\",\"UNABLE_TO_LOCK_ROW:unable to obtain exclusive access: 001xx:--\",\"L\",\"k 4\"",
        "\"\",\"REQUIRED_FIELD_MISSING:Required fields are missing: [Email]:Email --;OTHER:x:Title --\",\"L\",\"k 2\"",
        "\"\",\"SOMETHING_NEW\",\"L\",\"k 5\"",
        "\"\",\"DUPLICATE_VALUE:x:--\",\"L\",\"k 6\"",
        "\"\",\"DUPLICATE_VALUE:x:--\",\"L\",\"another's\"",
    ];
    let body = format!("\"sf__Id\",\"sf__Error\",\"LastName\",\"Src_Key__c\"\n{}\n", lines.join("\n"));
    let (successful, ..) = after(Some(&failed), &text(200, &body));
    assert_eq!(sent(Some(&successful)), format!("GET /jobs/ingest/{JOB}/successfulResults"));
    let (one, two) = (id("003", 1), id("003", 2));
    let lines = [
        format!("L,k 3,{one},true"),
        format!("L,k 1,{},false", id("003", 3)),
        // Told twice, one record for two rows, none at all.
        format!("L,k 6,{},true", id("003", 6)),
        format!("L,k 7,{two},true"),
        format!("L,k 8,{two},true"),
        "L,k 10,,true".to_owned(),
        format!("L,k 999,{},true", id("003", 9)),
    ];
    let body = format!("LastName,Src_Key__c,sf__Id,sf__Created\n{}\n", lines.join("\n"));
    let written = ended(&successful, &text(200, &body));
    assert_eq!(written.len(), 300);
    let words = words(&written);
    let word = |n: usize| words[&format!("t{}", n - 1)].as_str();
    assert_eq!((word(1), word(3)), ("applied Some(false)", "applied Some(true)"));
    assert!(matches!(&written[2].outcome, WriteOutcome::Applied { id, .. } if id.as_str() == one));
    assert_eq!(word(2), "refused Invalid REQUIRED_FIELD_MISSING Some(\"Email\") Required fields are missing: [Email]");
    assert_eq!(word(9), "refused Invalid FIELD_CUSTOM_VALIDATION_EXCEPTION Some(\"My_Flag__c\") Never: a -- b");
    assert_eq!(word(4), "unknown UNABLE_TO_LOCK_ROW");
    assert!(word(5).starts_with("refused Invalid SOMETHING_NEW None"), "{}", word(5));
    for n in [6, 7, 8, 10, 11, 300] {
        assert_eq!(word(n), "unknown job_aborted", "{n}");
    }
}

#[test]
fn what_is_no_result_is_read_again() {
    let failed = after(Some(&closed()), &told("JobComplete", 300, 1)).0;
    let (successful, ..) = after(Some(&failed), &text(200, ""));
    for (cursor, body) in [
        (&failed, "sf__Id,sf__Error,LastName\n"),
        (&failed, "sf__Id,sf__Error,Src_Key__c\n,X:y:--\n"),
        (&successful, "sf__Id,Src_Key__c\n"),
        (&successful, "{\"a\": "),
    ] {
        let fault = Salesforce::new().decode(&large(), Some(cursor), &text(200, body)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Malformed, "{fault}");
    }
    // An empty one tells nothing, so nobody knows.
    assert!(words(&ended(&successful, &text(200, "\n"))).values().all(|word| word.starts_with("unknown")));
}

#[test]
fn steps_that_are_refused() {
    let (upload, ..) = after(None, &told("Open", 0, 0));
    let (close, ..) = after(Some(&upload), &text(201, ""));
    let ask = closed();
    // What cannot be uploaded is begun anew, twice; then it is left to collections.
    let mut place = upload.clone();
    for _ in 0..2 {
        let (anew, wait, why) = after(Some(&place), &refusal(400, "INVALIDJOBSTATE"));
        assert!(sent(Some(&anew)).starts_with("POST /jobs/ingest") && wait == 0 && why.is_some());
        place = after(Some(&anew), &told("Open", 0, 0)).0;
    }
    let given_up = |cursor: Option<&Cursor>, reply: &Reply| {
        let fault = Salesforce::new().decode(&large(), cursor, reply).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unsupported, "{fault}");
        fault
    };
    given_up(Some(&place), &refusal(400, "INVALIDJOBSTATE"));
    // Closed already, perhaps: its state tells; one that is open still is closed again, twice.
    let (asked, wait, _) = after(Some(&close), &refusal(400, "INVALIDJOBSTATE"));
    assert_eq!((sent(Some(&asked)), wait), (format!("GET /jobs/ingest/{JOB}"), 2_000));
    let (again, ..) = after(Some(&asked), &told("Open", 0, 0));
    assert!(sent(Some(&again)).contains("UploadComplete"));
    let (again, ..) = after(Some(&after(Some(&again), &text(200, "")).0), &told("Open", 0, 0));
    given_up(Some(&after(Some(&again), &text(200, "")).0), &told("Open", 0, 0));
    given_up(Some(&close), &refusal(404, "NOT_FOUND"));
    given_up(Some(&ask), &refusal(404, "NOT_FOUND"));
    // What failed before anything was done needs no results; what the platform says of it may have values.
    let written = ended(&ask, &told("Failed", 0, 0));
    assert!(written.iter().all(|written| matches!(&written.outcome, WriteOutcome::Unknown(fault)
        if fault.code == "job_failed" && fault.message.ends_with(": InvalidBatch"))));
    for (status, code) in
        [(400, "INVALIDENTITY"), (400, "FEATURENOTENABLED"), (400, "EXCEEDEDQUOTA"), (403, "API_ERROR")]
    {
        given_up(None, &refusal(status, code));
    }
    // What is no matter of the job is no reason to leave it.
    for (status, code, kind) in [
        (401, "INVALID_SESSION_ID", FaultKind::Auth),
        (403, "REQUEST_LIMIT_EXCEEDED", FaultKind::Limited),
        (503, "SERVER_UNAVAILABLE", FaultKind::Unavailable),
    ] {
        for cursor in [None, Some(&upload), Some(&close), Some(&ask)] {
            let fault = Salesforce::new().decode(&large(), cursor, &refusal(status, code)).unwrap_err();
            assert_eq!(fault.kind, kind);
        }
    }
    let fault = Salesforce::new().decode(&large(), Some(&ask), &told("Sleeping", 0, 0)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Malformed);
}

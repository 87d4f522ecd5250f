//! Large lists by jobs: what is asked for, what comes, and what happens when a job does not.

use handover_connect::{Body, Cursor, Dialect as _, FaultKind, Method, Operation, Read, Reply, Request, Which};
use handover_model::{Record, Value};
use handover_platforms::salesforce::Salesforce;
use handover_sandbox::faults::FaultPlan;
use serde_json::{Value as Json, json};

use super::live::{Live, id, live};
use super::{ONE, TWO, decoded, described, encoded_by, field, page_of, reply, text};
use crate::lists::{once, page, rest};

/// Accounts of the world.
const ACCOUNTS: usize = 300;
const FIELDS: [&str; 14] = [
    "Name",
    "Description",
    "AnnualRevenue",
    "ParentId",
    "OwnerId",
    "IsDeleted",
    "CreatedDate",
    "My_Date__c",
    "My_Instant__c",
    "My_Time__c",
    "My_Flag__c",
    "My_Choice__c",
    "My_Choices__c",
    "Src_Key__c",
];

/// Values that CSV could break: separators, quotes, ends of lines, what looks like nothing.
fn account(n: usize) -> Json {
    let mut account = json!({
        "Id": id("001", n), "Name": format!("A, \"{n}\" \u{1f980}"),
        "CreatedDate": "2026-01-01T10:00:00.000+0000", "LastModifiedDate": "2026-01-02T10:00:00.000+0000",
        "SystemModstamp": "2026-01-02T10:00:00.000+0000", "My_Flag__c": n.is_multiple_of(2),
    });
    if n.is_multiple_of(3) {
        account["Description"] = json!(["one\ntwo", "a\r\nb", "#N/A", "null", "true", "12,5", "'\"'"][n % 7]);
        account["AnnualRevenue"] = json!(n as f64 * 1000.5);
        account["ParentId"] = json!(id("001", 1));
        account["My_Date__c"] = json!("2026-02-28");
        account["My_Instant__c"] = json!("2026-03-29T01:30:00.000+0000");
        account["My_Time__c"] = json!("13:05:00.000Z");
        account["My_Choice__c"] = json!("Low");
        account["My_Choices__c"] = json!("Low;High");
        account["Src_Key__c"] = json!(format!("key {n}"));
    }
    account
}

fn world(settings: Json) -> Json {
    let custom = |name: &str, kind: &str| json!({"name": name, "type": kind});
    let choices =
        |name: &str, kind: &str| json!({"name": name, "type": kind, "values": ["Low", "High"], "restricted": true});
    json!({
        "settings": settings,
        "fields": {"Account": [
            {"name": "Src_Key__c", "type": "string", "length": 120, "unique": true, "external_id": true},
            custom("My_Date__c", "date"), custom("My_Instant__c", "datetime"), custom("My_Time__c", "time"),
            custom("My_Flag__c", "boolean"), choices("My_Choice__c", "picklist"), choices("My_Choices__c", "multipicklist"),
        ]},
        "records": {"Account": (1..=ACCOUNTS).map(account).collect::<Vec<_>>()},
    })
}

fn small_pages() -> Json {
    json!({"page_rows": 50})
}

fn by_jobs() -> Salesforce {
    Salesforce::new().with_jobs(100, 100)
}

async fn org() -> Live {
    Live::of(world(small_pages()), by_jobs).await
}

/// The whole list by queries.
async fn by_queries() -> Vec<Record> {
    let live_org = Live::of(world(small_pages()), Salesforce::new).await;
    let all = rest(&live_org.driver, &live("Account", &FIELDS), None).await;
    assert!(live_org.paths(0).iter().all(|path| !path.contains("jobs")));
    all
}

#[tokio::test]
async fn a_job_brings_what_queries_bring() {
    let expected = by_queries().await;
    assert_eq!(expected.len(), ACCOUNTS);
    let org = org().await;
    let before = org.sent();
    let read = live("Account", &FIELDS);
    let all = rest(&org.driver, &read, None).await;
    assert_eq!(all.len(), ACCOUNTS, "each record once");
    assert_eq!(once(all), expected);
    // One page of a query, the beginning, the state (after 0, 2 and 6 seconds, then 14), three pages.
    let paths = org.paths(before);
    let job = paths[2].strip_prefix("GET ").unwrap();
    let asked = format!("GET {job}");
    let result = format!("GET {job}/results");
    let expected: Vec<&str> =
        vec!["GET query", "POST jobs/query", &asked, &asked, &asked, &asked, &result, &result, &result];
    assert_eq!(paths, expected);
}

#[tokio::test]
async fn deleted_and_changed_records_are_read_by_jobs_too() {
    let mut world = world(small_pages());
    for account in world["records"]["Account"].as_array_mut().unwrap().iter_mut().skip(100) {
        account["IsDeleted"] = json!(true);
    }
    let read =
        |which| Read { which, since: Some("2026-01-02T10:00:00Z".parse().unwrap()), ..live("Account", &["Name"]) };
    for (which, number) in [(Which::Live, 100), (Which::Deleted, 200)] {
        let mut found = Vec::new();
        for dialect in [Salesforce::new as fn() -> Salesforce, || Salesforce::new().with_jobs(10, 100)] {
            let org = Live::of(world.clone(), dialect).await;
            let records = once(rest(&org.driver, &read(which), None).await);
            assert!(records.len() == number && records.iter().all(|record| record.gone == (which == Which::Deleted)));
            found.push((records, org.paths(0).iter().any(|path| path == "POST jobs/query")));
        }
        assert_eq!(found[0].0, found[1].0);
        assert_eq!((found[0].1, found[1].1), (false, true));
    }
}

#[tokio::test]
async fn whoever_goes_on_finds_the_job() {
    let org = org().await;
    let read = live("Account", &FIELDS);
    let (mut cursor, mut all) = (None, Vec::new());
    // Every page is read by another process.
    loop {
        let driver = org.another().await;
        let (records, next) = page(&driver, &read, cursor.as_ref()).await.unwrap();
        all.extend(records);
        match next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(all.len(), ACCOUNTS);
    assert_eq!(once(all), by_queries().await);
    assert_eq!(org.paths(0).iter().filter(|path| *path == "POST jobs/query").count(), 1, "one job");
}

/// What happens to a job between two pages of its result.
enum Happens {
    Deleted,
    Expired,
}

async fn happen(org: &Live, what: &Happens) {
    let job = org.paths(0).into_iter().rfind(|path| path.starts_with("GET jobs/query/")).unwrap();
    let job = job.trim_start_matches("GET ").trim_end_matches("/results").to_owned();
    let path = format!("/services/data/v66.0/{job}");
    match what {
        Happens::Deleted => assert_eq!(org.raw(Request::new(Method::Delete, path, &[])).await.status, 204),
        Happens::Expired => org.wait(8 * 86_400).await,
    }
}

#[tokio::test]
async fn a_job_that_is_gone_is_begun_anew() {
    for what in [Happens::Deleted, Happens::Expired] {
        let org = Live::of(world(json!({"page_rows": 50, "session_s": 1_000_000_000})), by_jobs).await;
        let read = live("Account", &FIELDS);
        let (mut all, next) = page(&org.driver, &read, None).await.unwrap();
        let (none, next) = page(&org.driver, &read, next.as_ref()).await.unwrap();
        assert!(none.is_empty(), "the job was begun");
        let (some, next) = page(&org.driver, &read, next.as_ref()).await.unwrap();
        assert_eq!(some.len(), 100);
        all.extend(some);
        happen(&org, &what).await;
        all.extend(rest(&org.driver, &read, next).await);
        assert_eq!(all.len(), ACCOUNTS + 100, "what stands behind the first page comes again");
        assert_eq!(once(all), by_queries().await);
        assert_eq!(org.paths(0).iter().filter(|path| *path == "POST jobs/query").count(), 2);
    }
}

#[tokio::test]
async fn a_job_that_an_administrator_aborts_gives_way_to_queries() {
    let org = Live::of(world(json!({"page_rows": 50, "bulk_s": 600})), by_jobs).await;
    let read = live("Account", &FIELDS);
    let (mut all, next) = page(&org.driver, &read, None).await.unwrap();
    let (_, next) = page(&org.driver, &read, next.as_ref()).await.unwrap();
    let list = org.raw(Request::new(Method::Get, "/services/data/v66.0/jobs/query", &[])).await;
    let list: Json = serde_json::from_slice(&list.body).unwrap();
    let path = format!("/services/data/v66.0/jobs/query/{}", list["records"][0]["id"].as_str().unwrap());
    let abort = Request::new(Method::Patch, path, &[]).with_json(br#"{"state":"Aborted"}"#.to_vec());
    assert_eq!(org.raw(abort).await.status, 200);
    let before = org.sent();
    all.extend(rest(&org.driver, &read, next).await);
    assert_eq!(all.len(), ACCOUNTS);
    assert_eq!(once(all), by_queries().await);
    let paths = org.paths(before);
    assert_eq!(paths.iter().filter(|path| path.starts_with("GET query/")).count(), 5, "{paths:?}");
}

#[tokio::test]
async fn who_is_let_in_again_goes_on_with_the_job() {
    let org = Live::by_app(world(json!({"page_rows": 50, "session_s": 600})), by_jobs).await;
    let read = live("Account", &FIELDS);
    let (mut all, next) = page(&org.driver, &read, None).await.unwrap();
    let (_, next) = page(&org.driver, &read, next.as_ref()).await.unwrap();
    let (some, next) = page(&org.driver, &read, next.as_ref()).await.unwrap();
    all.extend(some);
    // A session that ended for want of use is bought anew in the middle; an app that was shut out is told.
    org.wait(3_000).await;
    let (some, next) = page(&org.driver, &read, next.as_ref()).await.unwrap();
    all.extend(some);
    let mut revoke = Request::new(Method::Post, "/services/oauth2/revoke", &[]);
    revoke.body = Body::Form(vec![("token".to_owned(), "first".to_owned())]);
    assert_eq!(org.raw(revoke).await.status, 200);
    let fault = page(&org.driver, &read, next.as_ref()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Auth, "{fault}");
    // Let in by another way, the same position goes on.
    let driver = org.let_in_by("tok").await;
    all.extend(rest(&driver, &read, next).await);
    assert_eq!(all.len(), ACCOUNTS);
    assert_eq!(once(all), by_queries().await);
    assert_eq!(org.paths(0).iter().filter(|path| *path == "POST jobs/query").count(), 1);
}

#[tokio::test]
async fn a_job_that_takes_too_long_gives_way_to_queries() {
    let org = Live::of(world(json!({"page_rows": 50, "bulk_s": 100_000})), by_jobs).await;
    let before = org.sent();
    let all = rest(&org.driver, &live("Account", &FIELDS), None).await;
    assert_eq!(once(all), by_queries().await);
    let asked = org.paths(before).iter().filter(|path| path.starts_with("GET jobs/query/")).count();
    assert_eq!(asked, 65, "about an hour");
}

#[tokio::test]
async fn a_page_that_is_cut_or_spoilt_is_read_again() {
    for fault in [
        json!({"kind": "malformed"}),
        json!({"kind": "cut", "bytes": 200}),
        json!({"kind": "unavailable", "status": 503}),
        json!({"kind": "lost_after"}),
    ] {
        let org = org().await;
        let rules = json!([{"when": {"path": "/services/data/v66.0/jobs/query*", "to": 3}, "fault": fault}]);
        let plan: FaultPlan = serde_json::from_value(json!({"seed": 5, "rules": rules})).unwrap();
        plan.check().unwrap();
        org.sandbox.lock().unwrap().set_faults(plan);
        let all = rest(&org.driver, &live("Account", &FIELDS), None).await;
        assert_eq!(all.len(), ACCOUNTS, "{fault}");
        assert_eq!(once(all), by_queries().await, "{fault}");
    }
}

// What the sandbox does not do, in the shapes of the guide.

const JOB: &str = "750R0000000zlh9IAA";

fn typed() -> Salesforce {
    let dialect = Salesforce::new().with_jobs(2, 1_000);
    let kinds = [("Name", "string"), ("Amount__c", "currency"), ("Met__c", "datetime"), ("SystemModstamp", "datetime")];
    let fields: Vec<Json> = kinds.iter().map(|(name, kind)| field(name, kind, &json!({}))).collect();
    described(&dialect, "Account", &json!({"fields": fields, "label": "Account"}));
    dialect
}

fn list() -> Operation {
    super::list("Account", &["Name", "Amount__c", "Met__c"])
}

fn first_page(total: u64) -> Reply {
    let row = json!({"Id": ONE, "Name": "N", "SystemModstamp": "2026-02-01T10:00:00.000+0000"});
    let next = "/services/data/v66.0/query/01gD0000002HU6KIAW-2000";
    reply(200, &json!({"totalSize": total, "done": false, "nextRecordsUrl": next, "records": [row]}))
}

fn next_of(dialect: &Salesforce, cursor: Option<&Cursor>, reply: &Reply) -> Cursor {
    match dialect.decode(&list(), cursor, reply).unwrap() {
        handover_connect::Step::Page { next: Some(next), .. } => next,
        handover_connect::Step::Then { cursor, .. } => cursor,
        step => panic!("it ends: {step:?}"),
    }
}

fn state(state: &str) -> Reply {
    reply(
        200,
        &json!({"id": JOB, "state": state, "object": "Account", "apiVersion": 66.0, "errorMessage": "TooManyLockFailure"}),
    )
}

fn csv(locator: &str, rows: usize, body: &str) -> Reply {
    let mut page = text(200, body);
    page.headers = vec![
        ("sforce-locator".to_owned(), locator.to_owned()),
        ("sforce-numberofrecords".to_owned(), rows.to_string()),
    ];
    page
}

/// A job whose result can be read.
fn done(dialect: &Salesforce) -> Cursor {
    let place = next_of(dialect, None, &first_page(3));
    let place = next_of(dialect, Some(&place), &state("UploadComplete"));
    next_of(dialect, Some(&place), &state("JobComplete"))
}

#[test]
fn what_a_job_is_asked() {
    let dialect = typed();
    // Two rows behind the first page are worth it here, one is not; neither is one whose types nobody knows.
    assert_eq!(
        encoded_by(&dialect, &list(), Some(&next_of(&dialect, None, &first_page(2)))),
        "GET /query/01gD0000002HU6KIAW-2000"
    );
    let unknown = super::list("Account", &["Name", "Other__c"]);
    let (_, next) = page_of(dialect.decode(&unknown, None, &first_page(9)).unwrap());
    assert_eq!(encoded_by(&dialect, &unknown, next.as_ref()), "GET /query/01gD0000002HU6KIAW-2000");
    let begin = next_of(&dialect, None, &first_page(3));
    assert_eq!(
        encoded_by(&dialect, &list(), Some(&begin)),
        format!(
            "POST /jobs/query {{\"columnDelimiter\":\"COMMA\",\"contentType\":\"CSV\",\"lineEnding\":\"LF\",\
             \"operation\":\"query\",\"query\":\"SELECT Id, Amount__c, Met__c, Name, SystemModstamp FROM Account \
             WHERE Id > '{ONE}'\"}}"
        )
    );
    assert!(dialect.encode(&list(), Some(&begin)).unwrap().idempotent);
    let begun = next_of(&dialect, Some(&begin), &state("UploadComplete"));
    assert_eq!(encoded_by(&dialect, &list(), Some(&begun)), format!("GET /jobs/query/{JOB}"));
    let done = next_of(&dialect, Some(&begun), &state("JobComplete"));
    assert_eq!(encoded_by(&dialect, &list(), Some(&done)), format!("GET /jobs/query/{JOB}/results?maxRecords=1000"));
    let header = "\"Id\",\"Amount__c\",\"Met__c\",\"Name\",\"SystemModstamp\"\n";
    let page = format!(
        "{header}\"{TWO}\",\"1200.50\",\"2016-02-29T02:04:05.000Z\",\"a \"\"b\"\"\",\"2026-02-01T10:00:00.000Z\"\n"
    );
    let (records, next) = page_of(dialect.decode(&list(), Some(&done), &csv("MTAw", 1, &page)).unwrap());
    assert_eq!(records[0].fields.get("Amount__c"), Some(&Value::Number("1200.5".parse().unwrap())));
    assert_eq!(records[0].modified, Some("2026-02-01T10:00:00Z".parse().unwrap()));
    assert_eq!(
        encoded_by(&dialect, &list(), next.as_ref()),
        format!("GET /jobs/query/{JOB}/results?maxRecords=1000&locator=MTAw")
    );
    let (records, end) = page_of(dialect.decode(&list(), next.as_ref(), &csv("null", 0, header)).unwrap());
    assert!(records.is_empty() && end.is_none());
    // A page that follows itself would never end.
    let fault = dialect.decode(&list(), next.as_ref(), &csv("MTAw", 1, &page)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Malformed);
    // A position of a job belongs to lists alone.
    let count = Operation::Fetch { object: "Account".into(), fields: super::names(&["Name"]), ids: vec![ONE.into()] };
    assert!(dialect.encode(&count, Some(&done)).is_err());
}

#[test]
fn cells_of_another_notation_stay_text() {
    let dialect = typed();
    let done = done(&dialect);
    let header = "Id,Amount__c,Met__c,Name,SystemModstamp";
    // As a spreadsheet of somebody's locale would have them; nothing is guessed.
    let page = format!("{header}\n{TWO},\"1.200,50\",29.02.2016 03:04,,2026-02-01T10:00:00.000Z\n");
    let (records, _) = page_of(dialect.decode(&list(), Some(&done), &csv("null", 1, &page)).unwrap());
    let of = |name: &str| records[0].fields.get(name).cloned();
    assert_eq!(of("Amount__c"), Some(Value::from("1.200,50")));
    assert_eq!(of("Met__c"), Some(Value::from("29.02.2016 03:04")));
    assert_eq!(of("Name"), Some(Value::Null), "nothing is null");
}

#[test]
fn what_is_no_page_is_refused() {
    let dialect = typed();
    let done = done(&dialect);
    let header = "Id,Amount__c,Met__c,Name,SystemModstamp";
    let line = format!("{TWO},1,,N,2026-02-01T10:00:00.000Z");
    let odd = [
        csv("null", 2, &format!("{header}\n{line}\n")),
        csv("null", 1, &format!("{header}\n{TWO},1\n")),
        csv("null", 1, &format!("{header}\n,1,,N,2026-02-01T10:00:00.000Z\n")),
        csv("null", 2, &format!("{header}\n{line}\n{TWO},1,,\"N")),
        text(200, &format!("{header}\n{line}\n")),
    ];
    for page in odd {
        let fault = dialect.decode(&list(), Some(&done), &page).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Malformed, "{fault}");
        assert!(!fault.to_string().contains(TWO), "{fault}");
    }
}

/// Where it goes on: the request, and why.
fn instead(dialect: &Salesforce, cursor: &Cursor, reply: &Reply) -> (String, String) {
    match dialect.decode(&list(), Some(cursor), reply).unwrap() {
        handover_connect::Step::Then { cursor, wait_ms: 0, instead_of: Some(fault) } => {
            (encoded_by(dialect, &list(), Some(&cursor)), fault.to_string())
        }
        step => panic!("it goes on as if nothing were: {step:?}"),
    }
}

fn refusal(status: u16, code: &str) -> Reply {
    reply(status, &json!([{"message": "why", "errorCode": code}]))
}

#[test]
fn a_job_that_is_refused_fails_or_lacks_a_column_gives_way_to_queries() {
    let dialect = typed();
    let begin = next_of(&dialect, None, &first_page(3));
    let begun = next_of(&dialect, Some(&begin), &state("UploadComplete"));
    let done = next_of(&dialect, Some(&begun), &state("JobComplete"));
    let queries = "GET /query/01gD0000002HU6KIAW-2000";
    let cases = [
        (&begin, refusal(400, "INVALIDENTITY"), "INVALIDENTITY"),
        // A field that was deleted meanwhile: the query says so in its own words.
        (&begin, refusal(400, "INVALID_FIELD"), "why"),
        (&begin, refusal(400, "API_ERROR"), "API_ERROR"),
        (&begin, refusal(400, "FEATURENOTENABLED"), "FEATURENOTENABLED"),
        (&begin, refusal(403, "INSUFFICIENT_ACCESS"), "why"),
        (&begin, refusal(400, "EXCEEDEDQUOTA"), "why"),
        (&begun, state("Failed"), "failed: TooManyLockFailure"),
        (&begun, state("Aborted"), "somebody aborted the job"),
        (&done, refusal(409, "API_ERROR"), "API_ERROR"),
        (&done, csv("null", 1, &format!("Id,Name\n{TWO},N\n")), "lacks the column `Amount__c`"),
    ];
    for (place, reply, why) in cases {
        let (request, told) = instead(&dialect, place, &reply);
        assert_eq!(request, queries, "{why}");
        assert!(told.contains(why), "{told}");
    }
    // A job that is gone is begun anew, twice; then queries go on.
    let mut place = begun;
    for _ in 0..2 {
        let (request, _) = instead(&dialect, &place, &refusal(404, "NOT_FOUND"));
        assert!(request.starts_with("POST /jobs/query"), "{request}");
        let anew = match dialect.decode(&list(), Some(&place), &refusal(404, "NOT_FOUND")).unwrap() {
            handover_connect::Step::Then { cursor, .. } => cursor,
            step => panic!("{step:?}"),
        };
        place = next_of(&dialect, Some(&anew), &state("UploadComplete"));
    }
    assert_eq!(instead(&dialect, &place, &refusal(404, "NOT_FOUND")).0, queries);
    // A result that is not to be had.
    assert!(instead(&dialect, &done, &text(204, "")).0.starts_with("POST /jobs/query"));
    // What is no matter of the job is no reason to leave it.
    for (status, code, kind) in [
        (401, "INVALID_SESSION_ID", FaultKind::Auth),
        (403, "REQUEST_LIMIT_EXCEEDED", FaultKind::Limited),
        (503, "SERVER_UNAVAILABLE", FaultKind::Unavailable),
        (200, "not a job", FaultKind::Malformed),
    ] {
        let fault = decoded_by(&dialect, &place, &refusal(status, code)).unwrap_err();
        assert_eq!(fault.kind, kind, "{code}");
    }
    assert_eq!(decoded_by(&dialect, &place, &state("Sleeping")).unwrap_err().kind, FaultKind::Malformed);
    assert!(decoded(&list(), Some(&Cursor("{\"job\":{}}".to_owned())), &text(200, "")).is_err());
}

fn decoded_by(
    dialect: &Salesforce,
    cursor: &Cursor,
    reply: &Reply,
) -> Result<handover_connect::Step, handover_connect::Fault> {
    dialect.decode(&list(), Some(cursor), reply)
}

//! Jobs as text: what the sandbox does not do, in the shapes of the vendor's pages.

use std::io::{Cursor as Bytes, Write as _};

use handover_connect::{Body, Cursor, Dialect as _, FaultKind, Operation, Read, Reply, Step, Which};
use handover_model::{Choice, Field, FieldName, Kind, ReadCost, Record, Schema, Value, Writable};
use handover_platforms::zoho::{Jobs, Zoho};
use serde_json::{Value as Json, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::names;

const JOB: &str = "554023000000568002";
const FIELDS: [&str; 6] = ["Last_Name", "Amount", "Met", "Flag", "Account_Name", "Colours"];
const HEAD: &str = "Id,Modified_Time,Account_Name,Amount,Colours,Flag,Last_Name,Met\n";

fn field(name: &str, kind: Kind) -> Field {
    Field {
        name: name.into(),
        label: name.to_owned(),
        kind,
        required: false,
        unique: false,
        writable: Writable::Always,
        read: ReadCost::Listed,
        custom: false,
        blank_is_zero: false,
    }
}

fn choices(labels: &[(&str, &str)]) -> Kind {
    let one =
        |(value, label): &(&str, &str)| Choice { value: (*value).to_owned(), label: (*label).to_owned(), within: None };
    Kind::Choice { options: labels.iter().map(one).collect(), many: true }
}

fn schema(object: &str, fields: Vec<Field>) -> Schema {
    Schema {
        object: object.into(),
        label: object.to_owned(),
        name: None,
        fields,
        content: false,
        own: std::collections::BTreeMap::new(),
    }
}

fn kinds() -> Vec<Field> {
    vec![
        field("Last_Name", Kind::Text { max: None, html: false }),
        field("Amount", Kind::Number),
        field("Met", Kind::DateTime),
        field("Flag", Kind::Bool),
        field("Account_Name", Kind::Reference { object: "Accounts".into(), many: false }),
        field("Colours", choices(&[("Red", "Red"), ("g", "Green"), ("Blue", "Blue")])),
    ]
}

/// Jobs from the first page on, whose results are read two rows at a time.
fn dialect() -> Zoho {
    let jobs = Jobs { pages: 1, credits: 0, reach: 1_000, cells: 1_000, part: 2 };
    let dialect = Zoho::new().with_jobs(jobs);
    dialect.learn(&schema("Contacts", kinds()));
    dialect
}

fn list(object: &str, fields: &[&str]) -> Operation {
    Operation::List(Read { object: object.into(), fields: names(fields), which: Which::Live, since: None })
}

fn contacts() -> Operation {
    list("Contacts", &FIELDS)
}

fn asked(dialect: &Zoho, cursor: Option<&Cursor>) -> String {
    let request = dialect.encode(&contacts(), cursor).unwrap();
    let body = match &request.body {
        Body::Json(bytes) => format!(" {}", String::from_utf8_lossy(bytes)),
        _ => String::new(),
    };
    format!("{:?} {}{body}", request.method, request.path)
}

fn reply(status: u16, body: &Json) -> Reply {
    Reply { status, headers: Vec::new(), body: body.to_string().into_bytes(), sunk: None }
}

fn zipped(files: &[(&str, &str)]) -> Reply {
    let mut archive = ZipWriter::new(Bytes::new(Vec::new()));
    for (name, text) in files {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    Reply { status: 200, headers: Vec::new(), body: archive.finish().unwrap().into_inner(), sunk: None }
}

fn next(dialect: &Zoho, cursor: Option<&Cursor>, reply: &Reply) -> Cursor {
    match dialect.decode(&contacts(), cursor, reply).unwrap() {
        Step::Page { next: Some(next), .. } | Step::Part { rest: next, .. } => next,
        Step::Then { cursor, instead_of: None, .. } => cursor,
        step => panic!("{step:?}"),
    }
}

/// What comes instead of a job, and why.
fn instead(dialect: &Zoho, cursor: &Cursor, reply: &Reply) -> (String, String) {
    match dialect.decode(&contacts(), Some(cursor), reply).unwrap() {
        Step::Then { cursor, wait_ms: 0, instead_of: Some(fault) } => {
            (asked(dialect, Some(&cursor)), format!("{}: {}", fault.code, fault.message))
        }
        step => panic!("{step:?}"),
    }
}

fn first_page() -> Reply {
    reply(200, &json!({"data": [{"id": "7"}], "info": {"more_records": true}}))
}

fn state(word: &str, rows: u64, more: bool) -> Reply {
    let result = json!({"page": 1, "per_page": 200_000, "count": rows, "more_records": more,
        "download_url": format!("/crm/bulk/v8/read/{JOB}/result")});
    reply(200, &json!({"data": [{"id": JOB, "operation": "read", "state": word, "result": result}]}))
}

fn begun() -> Reply {
    reply(
        201,
        &json!({"data": [{"status": "success", "code": "ADDED_SUCCESSFULLY", "message": "Added successfully.",
        "details": {"id": JOB, "operation": "read", "state": "ADDED"}}], "info": {}}),
    )
}

fn no_body() -> Reply {
    Reply { status: 204, headers: Vec::new(), body: Vec::new(), sunk: None }
}

/// A job that was begun.
fn waiting(dialect: &Zoho) -> Cursor {
    let count = next(dialect, None, &first_page());
    let bound = next(dialect, Some(&count), &reply(200, &json!({"data": [{"COUNT(id)": 9_000}]})));
    let begin = next(dialect, Some(&bound), &no_body());
    next(dialect, Some(&begin), &begun())
}

/// A job whose result can be read.
fn done(dialect: &Zoho, rows: u64) -> Cursor {
    next(dialect, Some(&waiting(dialect)), &state("COMPLETED", rows, false))
}

fn line(id: u64, rest: &str) -> String {
    format!("{id},2026-02-01T10:00:00+01:00,{rest}\n")
}

const BY_QUERIES: &str = "where id > '7' order by id asc limit 2000";

#[test]
fn what_a_job_is_asked() {
    let dialect = dialect();
    let count = next(&dialect, None, &first_page());
    assert_eq!(
        asked(&dialect, Some(&count)),
        "Post /crm/v8/coql {\"select_query\":\"select COUNT(id) from Contacts where id > '7'\"}"
    );
    let bound = next(&dialect, Some(&count), &reply(200, &json!({"data": [{"COUNT(id)": 9_000}]})));
    assert_eq!(
        asked(&dialect, Some(&bound)),
        "Post /crm/v8/coql {\"select_query\":\"select Created_Time from Contacts where id > '0' order by Created_Time asc limit 142, 1\"}"
    );
    let made = reply(200, &json!({"data": [{"id": "9", "Created_Time": "2026-01-05T00:30:00+01:00"}]}));
    let begin = next(&dialect, Some(&bound), &made);
    assert_eq!(
        asked(&dialect, Some(&begin)),
        "Post /crm/bulk/v8/read {\"query\":{\"criteria\":{\"group\":[{\"comparator\":\"less_than\",\"field\":{\"api_name\":\
         \"Created_Time\"},\"value\":\"2026-01-04T23:30:00+00:00\"}],\"group_operator\":\"and\"},\"fields\":[\"Modified_Time\",\
         \"Account_Name\",\"Amount\",\"Colours\",\"Flag\",\"Last_Name\",\"Met\"],\"module\":{\"api_name\":\"Contacts\"},\"page\":1}}"
    );
    assert_eq!(dialect.encode(&contacts(), Some(&begin)).unwrap().charges[0].amount, 50);
    let job = next(&dialect, Some(&begin), &begun());
    assert_eq!(asked(&dialect, Some(&job)), format!("Get /crm/bulk/v8/read/{JOB}"));
    // However the words are parted.
    for word in ["ADDED", "QUEUED", "IN PROGRESS", "INPROGRESS", "IN_PROGRESS"] {
        let step = dialect.decode(&contacts(), Some(&job), &state(word, 0, false)).unwrap();
        assert!(matches!(step, Step::Then { wait_ms: 5_000, instead_of: None, .. }), "{word}");
    }
    let result = next(&dialect, Some(&job), &state("COMPLETED", 1, false));
    assert_eq!(asked(&dialect, Some(&result)), format!("Get /crm/bulk/v8/read/{JOB}/result"));
    let one = zipped(&[("1.csv", &format!("{HEAD}{}", line(8, ",,,,,")))]);
    // The next job begins where this one ended.
    let bound = next(&dialect, Some(&result), &one);
    assert!(asked(&dialect, Some(&bound)).contains("where Created_Time >= '2026-01-04T23:30:00+00:00' order by"));
    // A process that knows the types no more reads by queries.
    assert!(asked(&Zoho::new(), Some(&bound)).contains(BY_QUERIES));
}

fn parts(dialect: &Zoho, rows: u64, reply: &Reply) -> Result<(Vec<Record>, usize), (String, String)> {
    let (mut cursor, mut all, mut parts) = (done(dialect, rows), Vec::new(), 0);
    loop {
        match dialect.decode(&contacts(), Some(&cursor), reply).unwrap() {
            Step::Part { records, rest } => {
                all.extend(records);
                (cursor, parts) = (rest, parts + 1);
            }
            Step::Page { records, next: None } => {
                all.extend(records);
                return Ok((all, parts + 1));
            }
            Step::Then { .. } => return Err(instead(dialect, &cursor, reply)),
            step => panic!("{step:?}"),
        }
    }
}

#[test]
fn cells_say_what_queries_say() {
    let dialect = dialect();
    let rows = [
        line(8, "554023,1200.50,Red;Green,true,\"a \"\"b\"\",\nc\",2016-02-29T02:04:05+00:00"),
        line(9, ",,,,,"),
        // Separated by commas; written otherwise; what is offered no more.
        line(11, ",-0.5,\"Blue,g\",False, x ,"),
        line(12, ",,Grey,TRUE,,"),
        // It was given by the page before.
        line(7, ",,,,,"),
    ];
    let text = format!("{HEAD}{}", rows.concat());
    let (records, parts) = parts(&dialect, 5, &zipped(&[("1.csv", &text)])).unwrap();
    assert_eq!((records.len(), parts), (4, 3));
    let values =
        |at: usize| -> Vec<Value> { FIELDS.iter().map(|name| records[at].fields.get(name).unwrap().clone()).collect() };
    let list = |parts: &[&str]| Value::List(parts.iter().map(|part| Value::from(*part)).collect());
    let met = Value::DateTime("2016-02-29T02:04:05Z".parse().unwrap());
    let number = |text: &str| Value::Number(text.parse().unwrap());
    assert_eq!(
        values(0),
        ["a \"b\",\nc".into(), number("1200.5"), met, Value::Bool(true), "554023".into(), list(&["Red", "g"])]
    );
    assert!(values(1).iter().all(|value| *value == Value::Null));
    assert_eq!(values(2)[..4], [" x ".into(), number("-0.5"), Value::Null, Value::Bool(false)]);
    assert_eq!(values(2)[5], list(&["Blue", "g"]));
    assert_eq!(values(3)[5], list(&["Grey"]));
    assert_eq!(records[0].modified, Some("2026-02-01T09:00:00Z".parse().unwrap()));
    // The id's column may be called `id`; ends of lines may be others, and a mark may stand before the text.
    let other = format!("\u{feff}{}", text.replacen("Id,", "id,", 1)).replace(",\n", ",\r\n");
    assert_eq!(parts_of(&dialect, &other), 4);
}

fn parts_of(dialect: &Zoho, text: &str) -> usize {
    parts(dialect, 5, &zipped(&[("1.csv", text)])).unwrap().0.len()
}

#[test]
fn a_result_that_is_not_what_it_should_be_gives_way_to_queries() {
    let dialect = dialect();
    let text = |row: &str| format!("{HEAD}{}", line(8, row));
    let large = text(&format!(",,,,{},", "x".repeat(25 << 20)));
    for (reply, why) in [
        (zipped(&[("1.csv", &text(",1,200.50,,,,"))]), "number of cells"),
        (zipped(&[("1.csv", &text(",\"1,200.50\",,,,"))]), "a cell of `Amount`"),
        (zipped(&[("1.csv", &text(",,,perhaps,,"))]), "a cell of `Flag`"),
        (zipped(&[("1.csv", &text("Acme,,,,,"))]), "a cell of `Account_Name`"),
        (zipped(&[("1.csv", &text(",,,,,29.02.2016 02:04"))]), "a cell of `Met`"),
        // One of two is not offered: where it ends nobody can say.
        (zipped(&[("1.csv", &text(",,Red;Grey,,,"))]), "a cell of `Colours`"),
        (zipped(&[("1.csv", &text(",,,,,").replace("Met", "When"))]), "lacks the column `Met`"),
        (zipped(&[("1.csv", &text(",,,,,").replace("Met", "Flag"))]), "have one name"),
        (zipped(&[("1.csv", &text(",,,,,").replace("8,2026", "x,2026"))]), "no id"),
        (zipped(&[("1.csv", &text(",,,,,").replace("T10", "?10"))]), "`Modified_Time`"),
        (zipped(&[("1.csv", HEAD)]), "another number of rows"),
        (zipped(&[("1.csv", &large)]), "larger than a record"),
        (zipped(&[("1.csv", HEAD), ("2.csv", HEAD)]), "no archive of one file"),
        (zipped(&[]), "no archive of one file"),
        (reply(200, &json!({"data": []})), "no archive"),
    ] {
        let (then, said) = parts(&dialect, 1, &reply).unwrap_err();
        assert!(said.contains(why) && then.contains(BY_QUERIES), "{why}: {said} {then}");
    }
    // Bytes that changed on the way.
    let whole = zipped(&[("1.csv", &format!("{HEAD}{}", (10..50).map(|id| line(id, ",1,,,a,")).collect::<String>()))]);
    for at in (0..whole.body.len()).step_by(3) {
        let mut broken = whole.clone();
        broken.body[at] ^= 0x10;
        match parts(&dialect, 40, &broken) {
            // What neither the sums nor the names of an archive cover.
            Ok((records, _)) => assert_eq!(records.len(), 40),
            Err((then, _)) => assert!(then.contains(BY_QUERIES)),
        }
    }
}

#[test]
fn what_becomes_of_a_job_that_is_gone_or_fails() {
    let dialect = dialect();
    let gone = reply(
        404,
        &json!({"code": "RESOURCE_NOT_FOUND", "details": {}, "message": "The requested resource doesn't exist", "status": "error"}),
    );
    let mut job = waiting(&dialect);
    for lost in 0..3 {
        let (then, why) = instead(&dialect, &job, &gone);
        assert!(why.starts_with("RESOURCE_NOT_FOUND"), "{why}");
        if lost == 2 {
            assert!(then.contains(BY_QUERIES), "{then}");
            break;
        }
        assert!(then.starts_with("Post /crm/bulk/v8/read "), "{then}");
        let Step::Then { cursor, .. } = dialect.decode(&contacts(), Some(&job), &gone).unwrap() else { unreachable!() };
        job = next(&dialect, Some(&cursor), &begun());
    }
    let job = waiting(&dialect);
    for (reply, why) in [
        (state("FAILURE", 0, false), "job_failed"),
        (state("DREAMING", 0, false), "job_state"),
        (reply(200, &json!({"data": [{"id": JOB, "state": "COMPLETED", "result": {}}]})), "job_state"),
        (state("COMPLETED", 200_000, true), "job_large"),
        (reply(403, &json!({"code": "NO_PERMISSION", "message": "no", "status": "error"})), "NO_PERMISSION"),
    ] {
        let (then, said) = instead(&dialect, &job, &reply);
        assert!(said.starts_with(why) && then.contains(BY_QUERIES), "{said} {then}");
    }
    // What is no matter of the job is told, and the job asked again later.
    for (status, kind) in [(401, FaultKind::Auth), (503, FaultKind::Unavailable), (429, FaultKind::Limited)] {
        let fault = dialect.decode(&contacts(), Some(&job), &reply(status, &json!({}))).unwrap_err();
        assert_eq!(fault.kind, kind);
    }
    // Answers of which nothing can be made: no more credits are spent on them.
    let count = next(&dialect, None, &first_page());
    let (then, _) = instead(&dialect, &count, &reply(200, &json!({"data": [{"n": "many"}]})));
    assert!(then.contains(BY_QUERIES));
    let bound = next(&dialect, Some(&count), &reply(200, &json!({"data": [{"n": 9_000}]})));
    let (_, said) = instead(&dialect, &bound, &reply(200, &json!({"data": [{"id": "9", "Created_Time": "early"}]})));
    assert!(said.starts_with("job_bound"), "{said}");
    let begin = next(&dialect, Some(&bound), &no_body());
    let (_, said) = instead(&dialect, &begin, &reply(201, &json!({"data": [{"status": "success", "details": {}}]})));
    assert!(said.starts_with("job_state"), "{said}");
    let no = json!({"data": [{"code": "OAUTH_SCOPE_MISMATCH", "status": "error", "message": "invalid oauth scope", "details": {}}]});
    for status in [200, 202, 401] {
        let (then, said) = instead(&dialect, &begin, &reply(status, &no));
        assert!(said.contains("ZohoCRM.bulk.READ") && then.contains(BY_QUERIES), "{said}");
    }
}

#[test]
fn only_what_text_can_say_is_read_by_jobs() {
    let goes_by_jobs = |object: &str, fields: &[&str], more: Vec<Field>| {
        let dialect = dialect();
        dialect.learn(&schema(object, kinds().into_iter().chain(more).collect()));
        match dialect.decode(&list(object, fields), None, &first_page()).unwrap() {
            Step::Page { next: Some(next), .. } | Step::Then { cursor: next, .. } => next.0.contains("\"job\""),
            step => panic!("{step:?}"),
        }
    };
    let none = Vec::new;
    assert!(goes_by_jobs("Contacts", &["Last_Name", "id"], none()));
    assert!(goes_by_jobs("Ships", &FIELDS, none()));
    for (fields, more) in [
        (["Last_Name", "Unknown"], none()),
        (["Last_Name", "Odd"], vec![field("Odd", Kind::Opaque)]),
        (["Last_Name", "Tones"], vec![field("Tones", choices(&[("A, minor", "A, minor"), ("B", "B")]))]),
        (["Last_Name", "Tones"], vec![field("Tones", choices(&[("a", "A; minor"), ("B", "B")]))]),
    ] {
        assert!(!goes_by_jobs("Contacts", &fields, more), "{fields:?}");
    }
    // What is read record by record stays so; the list of the others goes by jobs.
    let alone =
        Field { read: ReadCost::Extra { per_call: 1, opt_in: true, only_above: None }, ..field("Tag", Kind::Opaque) };
    assert!(goes_by_jobs("Contacts", &["Last_Name", "Tag"], vec![alone]));
    assert!(!goes_by_jobs("Tasks", &["Last_Name"], none()), "a cell does not say what `What_Id` points to");
    // Whether jobs bring converted leads is not said, so the field that says it must be there.
    assert!(!goes_by_jobs("Leads", &["Last_Name"], none()));
    assert!(goes_by_jobs("Leads", &["Last_Name"], vec![field("Converted__s", Kind::Bool)]));
}

#[test]
fn converted_leads_are_passed_by() {
    let dialect = dialect();
    dialect.learn(&schema("Leads", kinds().into_iter().chain([field("Converted__s", Kind::Bool)]).collect()));
    let leads = list("Leads", &["Last_Name"]);
    let step = |cursor: Option<&Cursor>, reply: &Reply| match dialect.decode(&leads, cursor, reply).unwrap() {
        Step::Page { records, next } => (records, next),
        Step::Then { cursor, instead_of: None, .. } => (Vec::new(), Some(cursor)),
        step => panic!("{step:?}"),
    };
    let mut cursor = None;
    for reply in
        [first_page(), reply(200, &json!({"data": [{"n": 9_000}]})), no_body(), begun(), state("COMPLETED", 2, false)]
    {
        cursor = step(cursor.as_ref(), &reply).1;
    }
    let text =
        "Id,Modified_Time,Last_Name,Converted__s\n8,2026-02-01T10:00:00Z,a,true\n9,2026-02-01T10:00:00Z,b,false\n";
    let reply = zipped(&[("1.csv", text)]);
    let Step::Part { records, .. } = dialect.decode(&leads, cursor.as_ref(), &reply).unwrap() else {
        panic!("no part")
    };
    assert_eq!(records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["9"]);
    assert_eq!(records[0].fields.iter().map(|(name, _)| FieldName::as_str(name)).collect::<Vec<_>>(), ["Last_Name"]);
}

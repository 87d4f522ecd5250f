//! Requests as text, and replies that the sandbox does not give.

use std::sync::Arc;

use handover_connect::{
    Body, Credentials, Cursor, Dialect as _, Fault, FaultKind, Host, Method, Operation, Read, Reply, Request, Step,
    Which, WriteMode, WriteOutcome,
};
use handover_model::{FieldName, Value};
use handover_platforms::zoho::Zoho;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value as Json, json};

use super::{batch, names};

fn line(request: &Request) -> String {
    let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let body = match &request.body {
        Body::Json(bytes) => format!(" {}", String::from_utf8_lossy(bytes)),
        _ => String::new(),
    };
    format!("{:?} {}{query}{body}", request.method, request.path)
}

fn encoded(operation: &Operation, cursor: Option<&Cursor>) -> String {
    Zoho::new().encode(operation, cursor).map_or_else(|refusal| format!("refused: {refusal}"), |request| line(&request))
}

fn reply(status: u16, body: &Json) -> Reply {
    Reply { status, headers: Vec::new(), body: body.to_string().into_bytes(), sunk: None }
}

fn decoded(operation: &Operation, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    Zoho::new().decode(operation, cursor, reply)
}

fn list(object: &str, fields: &[&str], since: Option<&str>) -> Operation {
    let since = since.map(|since| since.parse().unwrap());
    Operation::List(Read { object: object.into(), fields: names(fields), which: Which::Live, since })
}

#[test]
fn lists_are_queries_behind_the_last_id() {
    let query = |text: &str| format!("Post /crm/v8/coql {{\"select_query\":\"{text}\"}}");
    assert_eq!(
        encoded(&list("Contacts", &["Email", "id"], None), None),
        query("select id, Modified_Time, Email from Contacts where id > '0' order by id asc limit 2000")
    );
    let read = list("Deals", &[], Some("2026-02-03T04:05:06.7Z"));
    assert_eq!(
        encoded(&read, None),
        query(
            "select id, Modified_Time from Deals where (id > '0' and Modified_Time >= '2026-02-03T04:05:06+00:00') \
             order by id asc limit 2000"
        )
    );
    let page = json!({"data": [{"id": "5"}, {"id": "7"}], "info": {"more_records": true}});
    let Step::Page { records, next: Some(next) } = decoded(&read, None, &reply(200, &page)).unwrap() else {
        panic!("no page")
    };
    assert_eq!(records.len(), 2);
    assert!(encoded(&read, Some(&next)).contains("where (id > '7' and Modified_Time >= "));
    assert!(encoded(&list("Contacts", &["x from Users"], None), None).starts_with("refused: "));
    assert!(encoded(&list("Activities", &[], None), None).starts_with("refused: "));
    let none = Reply { status: 204, headers: Vec::new(), body: Vec::new(), sunk: None };
    assert!(matches!(decoded(&read, None, &none).unwrap(), Step::Page { next: None, .. }));
}

#[test]
fn keys_stand_in_queries_whatever_their_quotes() {
    let lost = |keys: &[&str]| {
        let rows: Vec<Vec<(&str, Value)>> = keys.iter().map(|key| vec![("Key", Value::from(*key))]).collect();
        let rows: Vec<(&str, &[(&str, Value)])> = rows.iter().map(|row| ("", row.as_slice())).collect();
        let batch = batch("Contacts", WriteMode::Create { key: Some("Key".into()) }, &rows);
        let fields: Arc<[FieldName]> = names(&["Key"]);
        Operation::Candidates { batch, fields, since: "2026-02-03T04:05:06Z".parse().unwrap() }
    };
    assert!(encoded(&lost(&["a:1", "o'brien"]), None).contains(r#"Key in ('a:1', \"o'brien\")"#));
    // One that could be misread is looked for among all that was made since.
    for odd in ["a'b\"c", "a\\b"] {
        assert!(encoded(&lost(&[odd]), None).contains("Created_Time >= '2026-02-03T03:05:06+00:00'"), "{odd}");
    }
    let many: Vec<String> = (0..60).map(|n| format!("k{n}")).collect();
    let many = lost(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let Step::Page { next: Some(next), .. } =
        decoded(&many, None, &reply(200, &json!({"data": [{"id": "1"}]}))).unwrap()
    else {
        panic!("fifty values are all that a list takes")
    };
    assert!(encoded(&many, Some(&next)).contains("Key in ('k50', "));
}

#[test]
fn writes_run_no_workflows_and_mail_nobody() {
    let create = |object: &str, fields: &[(&str, Value)]| {
        encoded(&Operation::Write(batch(object, WriteMode::Create { key: None }, &[("", fields)])), None)
    };
    assert_eq!(
        create("Tasks", &[("Subject", "s".into()), ("What_Id.Deals", "7".into()), ("Due_Date", Value::Null)]),
        r#"Post /crm/v8/Tasks {"data":[{"$se_module":"Deals","Send_Notification_Email":false,"Subject":"s","What_Id":{"id":"7"}}],"trigger":[]}"#
    );
    assert_eq!(
        create("Notes", &[("Note_Title", "t".into()), ("Parent_Id.Leads", "8".into())]),
        r#"Post /crm/v8/Notes {"data":[{"Note_Title":"t","Parent_Id":{"module":{"api_name":"Leads"},"id":"8"}}],"trigger":[]}"#
    );
    let upsert = WriteMode::Upsert { key: "Key".into() };
    let row: &[(&str, Value)] = &[("Key", "k".into())];
    assert_eq!(
        encoded(&Operation::Write(batch("Accounts", upsert, &[("", row)])), None),
        r#"Post /crm/v8/Accounts/upsert {"data":[{"Key":"k"}],"duplicate_check_fields":["Key"],"trigger":[]}"#
    );
    let two: &[(&str, Value)] = &[("What_Id.Deals", "7".into()), ("What_Id.Leads", "8".into())];
    assert!(create("Tasks", two).contains("points to one record only"));
    // Ten rows cost a credit.
    let rows: Vec<(&str, &[(&str, Value)])> = vec![("", row); 100];
    let operation = Operation::Write(batch("Contacts", WriteMode::Create { key: None }, &rows));
    assert_eq!(Zoho::new().encode(&operation, None).unwrap().charges[0].amount, 10);
}

#[test]
fn answers_that_do_not_fit_leave_every_row_unknown() {
    let row: &[(&str, Value)] = &[("Last_Name", "x".into())];
    let operation = Operation::Write(batch("Contacts", WriteMode::Update, &[("1", row), ("2", row)]));
    let done = |id: &str| json!({"code": "SUCCESS", "details": {"id": id}, "status": "success"});
    for rows in [json!([done("1")]), json!([done("2"), done("1")]), json!([done("1"), {"status": "success"}])] {
        let Step::Written(written) = decoded(&operation, None, &reply(200, &json!({"data": rows}))).unwrap() else {
            panic!("no outcomes")
        };
        assert!(written.iter().all(|one| matches!(one.outcome, WriteOutcome::Unknown(_))), "{written:?}");
    }
}

#[test]
fn a_large_merge_is_a_job() {
    let merge = Operation::Merge { object: "Accounts".into(), survivor: "1".into(), other: "2".into() };
    assert_eq!(encoded(&merge, None), r#"Post /crm/v8/Accounts/1/actions/merge {"merge":[{"data":[{"id":"2"}]}]}"#);
    let told = json!({"merge": [{"code": "SCHEDULED", "details": {"job_id": "77"}, "status": "success"}]});
    let Step::Then { cursor, wait_ms: 5_000, .. } = decoded(&merge, None, &reply(200, &told)).unwrap() else {
        panic!("not waited for")
    };
    assert_eq!(encoded(&merge, Some(&cursor)), "Get /crm/v8/Accounts/1/actions/merge?job_id=77");
    let state =
        |state: &str| decoded(&merge, Some(&cursor), &reply(200, &json!({"merge": [{"status": state}]}))).unwrap();
    assert!(matches!(state("RUNNING"), Step::Then { .. }));
    let outcome = |step: Step| match step {
        Step::Written(mut written) => written.remove(0).outcome,
        step => panic!("{step:?}"),
    };
    assert!(matches!(outcome(state("COMPLETED")), WriteOutcome::Applied { .. }));
    assert!(matches!(outcome(state("FAILURE")), WriteOutcome::Unknown(_)));
    let closed = json!({"code": "NOT_ALLOWED", "details": {}, "message": "closed deals cannot be merged"});
    let refused = outcome(decoded(&merge, None, &reply(400, &closed)).unwrap());
    assert!(matches!(refused, WriteOutcome::Refused(fault) if fault.kind == FaultKind::Denied));
}

#[test]
fn tokens_are_bought_and_sent_in_zohos_way() {
    let dialect = Zoho::new();
    let credentials = Credentials::Oauth {
        client_id: "app".to_owned(),
        client_secret: Some(SecretString::from("s")),
        refresh_token: SecretString::from("r"),
        access: Some((SecretString::from("T"), "2026-02-01T10:00:00Z".parse().unwrap())),
    };
    let mut refresh = dialect.encode(&Operation::Refresh, None).unwrap();
    assert!(refresh.host == Host::Oauth && refresh.method == Method::Post && refresh.path == "/oauth/v2/token");
    dialect.authorize(&mut refresh, &credentials);
    let Body::Form(form) = &refresh.body else { panic!("no form") };
    assert_eq!(
        form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"),
        "grant_type=refresh_token&client_id=app&client_secret=s&refresh_token=r"
    );
    let mut request = dialect.encode(&Operation::Users, None).unwrap();
    dialect.authorize(&mut request, &credentials);
    assert!(request.headers.contains(&("authorization".to_owned(), "Zoho-oauthtoken T".to_owned())));
    let told = json!({"access_token": "1000.a", "api_domain": "https://www.zohoapis.eu", "expires_in": 3_600,
        "token_type": "Bearer"});
    let Step::Token(token) = decoded(&Operation::Refresh, None, &reply(200, &told)).unwrap() else {
        panic!("no token")
    };
    assert_eq!(token.api_base.as_deref(), Some("https://www.zohoapis.eu"));
    assert!(token.access.expose_secret() == "1000.a" && token.refresh.is_none() && token.expires_in == 3_600);
}

#[test]
fn deleted_records_come_from_their_feed() {
    let read = Read { object: "Contacts".into(), fields: Arc::new([]), which: Which::Deleted, since: None };
    let operation = Operation::List(read);
    assert_eq!(encoded(&operation, None), "Get /crm/v8/Contacts/deleted?type=all&page=1&per_page=200");
    let told = json!({"data": [{"id": "5", "display_name": null, "type": "permanent",
        "deleted_time": "2026-05-14T12:53:58+03:00"}], "info": {"more_records": true}});
    let Step::Page { records, next: Some(next) } = decoded(&operation, None, &reply(200, &told)).unwrap() else {
        panic!("no page")
    };
    assert!(records[0].gone && records[0].modified == Some("2026-05-14T09:53:58Z".parse().unwrap()));
    assert_eq!(encoded(&operation, Some(&next)), "Get /crm/v8/Contacts/deleted?type=all&page=2&per_page=200");
}

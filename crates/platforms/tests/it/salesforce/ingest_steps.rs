//! The steps of a job that writes, in the shapes of the guide: what the sandbox does not do.

use handover_connect::{Cursor, Dialect as _, Fault, FaultKind, Operation, Reply, Step, WriteOutcome, Written};
use handover_platforms::salesforce::Salesforce;
use serde_json::json;

use super::ingest::{KEY, fields, upserts, words};
use super::live::id;
use super::{encoded_by, reply, text};

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

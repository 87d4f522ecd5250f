//! Salesforce's dialect, text in and text out: bodies in the shapes of the platform's documentation.

mod access;
mod describing;
mod ingest;
mod ingest_steps;
mod jobs;
mod linking;
mod live;
mod merging;
mod products;
mod reading;
mod refusals;
mod writing;

use std::sync::Arc;

use handover_connect::{
    Body, Cursor, Dialect, Fault, Operation, Part, Read, Reply, Request, Step, Which, Write, WriteBatch, WriteMode,
    WriteOutcome, Written,
};
use handover_model::{FieldName, Fields, Record, RecordId, Schema, Value};
use handover_platforms::salesforce::Salesforce;
use serde_json::{Value as Json, json};

/// Accounts and a contact, ids with their three letters behind them.
const ONE: &str = "001D000000IqhSLIAZ";
const TWO: &str = "001D000000IqhSMIAZ";
const CONTACT: &str = "003D000000IqhSLIAZ";
const DEAL: &str = "006D000000IqhSLIAZ";

/// A request as one line: method, path, query, body.
fn line(request: &Request) -> String {
    let method = format!("{:?}", request.method).to_uppercase();
    let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let body = match &request.body {
        Body::Empty => String::new(),
        Body::Json(bytes) => format!(" {}", String::from_utf8_lossy(bytes)),
        Body::Pieces { kind, .. } => format!(" {kind}"),
        Body::Form(pairs) => format!(" form {pairs:?}"),
        Body::Multipart(parts) => {
            let parts: Vec<String> = parts
                .iter()
                .map(|part| match part {
                    Part::Text { name, value } => format!("{name}={value}"),
                    Part::Json { name, value } => format!("{name}:{value}"),
                    Part::File { name, file_name, bytes, .. } => format!("{name}=<{file_name}, {bytes} bytes>"),
                })
                .collect();
            format!(" multipart {}", parts.join(" "))
        }
    };
    format!("{method} {}{query}{body}", request.path.trim_start_matches("/services/data/v66.0"))
}

fn reply(status: u16, body: &Json) -> Reply {
    text(status, &body.to_string())
}

fn text(status: u16, body: &str) -> Reply {
    Reply {
        status,
        headers: vec![("content-type".to_owned(), "application/json;charset=UTF-8".to_owned())],
        body: body.as_bytes().to_vec(),
        sunk: None,
    }
}

/// A page of rows.
fn rows(rows: Json) -> Reply {
    let total = rows.as_array().unwrap().len();
    reply(200, &json!({"totalSize": total, "done": true, "records": rows}))
}

fn names(names: &[&str]) -> Arc<[FieldName]> {
    names.iter().map(|name| FieldName::from(*name)).collect()
}

fn list(object: &str, fields: &[&str]) -> Operation {
    Operation::List(Read { object: object.into(), fields: names(fields), which: Which::Live, since: None })
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

fn create(object: &str, rows: &[&[(&str, Value)]]) -> Operation {
    let rows: Vec<Row<'_>> = rows.iter().map(|row| ("", *row)).collect();
    Operation::Write(batch(object, WriteMode::Create { key: None }, &rows))
}

fn update(object: &str, rows: &[Row<'_>]) -> Operation {
    Operation::Write(batch(object, WriteMode::Update, rows))
}

fn encoded(operation: &Operation, cursor: Option<&Cursor>) -> String {
    encoded_by(&Salesforce::new(), operation, cursor)
}

fn encoded_by(dialect: &Salesforce, operation: &Operation, cursor: Option<&Cursor>) -> String {
    match dialect.encode(operation, cursor) {
        Ok(request) => line(&request),
        Err(refusal) => format!("refused: {refusal}"),
    }
}

fn decoded(operation: &Operation, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    Salesforce::new().decode(operation, cursor, reply)
}

fn page_of(step: Step) -> (Vec<Record>, Option<Cursor>) {
    match step {
        Step::Page { records, next } => (records, next),
        step => panic!("no page: {step:?}"),
    }
}

fn then(operation: &Operation, cursor: Option<&Cursor>, reply: &Reply) -> (Cursor, u64) {
    match decoded(operation, cursor, reply).unwrap() {
        Step::Then { cursor, wait_ms, .. } => (cursor, wait_ms),
        step => panic!("no continuation: {step:?}"),
    }
}

fn written(step: Step) -> Vec<Written> {
    match step {
        Step::Written(written) => written,
        step => panic!("no outcomes: {step:?}"),
    }
}

/// Outcomes as words: the trace, and the id, the kind of the fault or `?` and the kind where nobody knows.
fn outcomes(written: &[Written]) -> Vec<String> {
    let word = |written: &Written| match &written.outcome {
        WriteOutcome::Applied { id, created } => format!("{} {id} {created:?}", written.trace),
        WriteOutcome::Refused(fault) => format!("{} {:?} {}", written.trace, fault.kind, fault.code),
        WriteOutcome::Unknown(fault) => format!("{} ? {:?}", written.trace, fault.kind),
    };
    written.iter().map(word).collect()
}

fn described(dialect: &Salesforce, object: &str, description: &Json) -> Schema {
    match dialect.decode(&Operation::Describe(object.into()), None, &reply(200, description)).unwrap() {
        Step::Schema(schema) => {
            dialect.learn(&schema);
            schema
        }
        step => panic!("no schema: {step:?}"),
    }
}

/// A field of a description, with what tests do not say filled in.
fn field(name: &str, kind: &str, more: &Json) -> Json {
    let mut field = json!({"name": name, "label": name, "type": kind, "length": 0, "createable": true,
        "updateable": true, "nillable": true, "defaultedOnCreate": false, "unique": false, "custom": false,
        "referenceTo": [], "picklistValues": []});
    for (name, value) in more.as_object().unwrap() {
        field[name] = value.clone();
    }
    field
}

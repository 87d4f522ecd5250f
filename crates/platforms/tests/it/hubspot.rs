//! The HubSpot dialect, text in and text out, and through the driver against the sandbox.
#![expect(clippy::unwrap_used, reason = "a test that unwraps in vain has failed as it should")]

mod describing;
mod hooks;
mod live;
mod losing;
mod own;
mod plain;
mod reading;
mod refusals;
mod removing;
mod sample;
mod writing;

use std::sync::Arc;

use handover_connect::{
    Body, Cursor, Dialect, Fault, Operation, Read, Reply, Request, Step, Which, Write, WriteBatch, WriteMode,
};
use handover_model::{FieldName, Fields, Record, RecordId, Schema, Value};
use handover_platforms::hubspot::HubSpot;
use serde_json::{Value as Json, json};

/// A reply with a JSON body.
fn reply(status: u16, body: &Json) -> Reply {
    Reply { status, headers: Vec::new(), body: body.to_string().into_bytes(), sunk: None }
}

/// The JSON body of a request.
fn json_of(request: &Request) -> Json {
    match &request.body {
        Body::Json(bytes) => serde_json::from_slice(bytes).unwrap(),
        other => panic!("no JSON body: {other:?}"),
    }
}

/// A query parameter of a request.
fn query<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.query.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
}

fn names(fields: &[&str]) -> Arc<[FieldName]> {
    fields.iter().map(|name| FieldName::from(*name)).collect()
}

fn ids(ids: &[&str]) -> Vec<RecordId> {
    ids.iter().map(|id| RecordId::from(*id)).collect()
}

fn fields(pairs: &[(&str, Value)]) -> Fields {
    pairs.iter().map(|(name, value)| (FieldName::from(*name), value.clone())).collect()
}

fn list(object: &str, wanted: &[&str]) -> Operation {
    Operation::List(Read { object: object.into(), fields: names(wanted), which: Which::Live, since: None })
}

/// Trace, id, fields.
type Row<'a> = (&'a str, Option<&'a str>, &'a [(&'a str, Value)]);

fn batch(object: &str, mode: WriteMode, writes: &[Row<'_>]) -> WriteBatch {
    let writes = writes
        .iter()
        .map(|(trace, id, pairs)| Write {
            trace: (*trace).into(),
            id: id.map(Into::into),
            fields: fields(pairs).into(),
            content: None,
        })
        .collect();
    WriteBatch { object: object.into(), mode, writes }
}

/// Answers every request of an operation in turn; gives the requests and what came in the end.
fn play(dialect: &HubSpot, operation: &Operation, replies: &[Reply]) -> (Vec<Request>, Result<Step, Fault>) {
    let mut cursor: Option<Cursor> = None;
    let mut requests = Vec::new();
    for reply in replies {
        requests.push(dialect.encode(operation, cursor.as_ref()).unwrap());
        match dialect.decode(operation, cursor.as_ref(), reply) {
            Ok(Step::Then { cursor: next, wait_ms: 0, .. }) => cursor = Some(next),
            end => {
                assert_eq!(requests.len(), replies.len(), "the operation ended early");
                return (requests, end);
            }
        }
    }
    panic!("the operation wants {} requests at least", replies.len() + 1);
}

fn page(step: Result<Step, Fault>) -> (Vec<Record>, Option<Cursor>) {
    match step.unwrap() {
        Step::Page { records, next } => (records, next),
        other => panic!("no page: {other:?}"),
    }
}

fn schema(step: Result<Step, Fault>) -> Schema {
    match step.unwrap() {
        Step::Schema(schema) => schema,
        other => panic!("no schema: {other:?}"),
    }
}

/// A property definition as HubSpot sends it.
fn property(name: &str, kind: &str, field_type: &str, more: &Json) -> Json {
    let mut property = json!({
        "name": name, "label": name, "type": kind, "fieldType": field_type, "groupName": "g", "options": [],
        "hasUniqueValue": false, "hidden": false, "archived": false, "hubspotDefined": true,
        "modificationMetadata": { "archivable": true, "readOnlyDefinition": false, "readOnlyValue": false },
    });
    for (name, value) in more.as_object().unwrap() {
        property[name] = value.clone();
    }
    property
}

/// A dialect that has learnt an object from definitions.
fn taught(object: &str, properties: &[Json]) -> HubSpot {
    let dialect = HubSpot::new();
    let mut replies = vec![reply(200, &json!({ "results": properties }))];
    if object == "deals" {
        replies.push(reply(200, &json!({ "results": [] })));
    }
    let (_, step) = play(&dialect, &Operation::Describe(object.into()), &replies);
    dialect.learn(&schema(step));
    dialect
}

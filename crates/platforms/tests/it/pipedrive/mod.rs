//! Pipedrive's dialect, text in and text out: bodies in the shapes of the platform's documentation.

mod fault;
mod past;
mod plain;
mod read;
mod schema;
mod write;

use std::sync::Arc;

use handover_connect::{
    Body, Cursor, Dialect, Fault, Operation, Part, Read, Reply, Request, Step, Which, Write, WriteBatch, WriteMode,
};
use handover_model::{FieldName, Fields, Record, RecordId, Schema, Value};
use handover_platforms::pipedrive::Pipedrive;
use serde_json::{Value as Json, json};

/// A custom field's code, as the account draws them.
fn code(letter: char) -> String {
    std::iter::repeat_n(letter, 40).collect()
}

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
                    Part::Text { name, value } | Part::Json { name, value } => format!("{name}={value}"),
                    Part::File { name, file_name, bytes, .. } => format!("{name}=<{file_name}, {bytes} bytes>"),
                })
                .collect();
            format!(" multipart {}", parts.join(" "))
        }
    };
    format!("{method} {}{query}{body}", request.path)
}

fn reply(status: u16, body: &Json) -> Reply {
    Reply {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
        sunk: None,
    }
}

fn ok(data: Json) -> Reply {
    reply(200, &json!({"success": true, "data": data}))
}

fn names(names: &[&str]) -> Arc<[FieldName]> {
    names.iter().map(|name| FieldName::from(*name)).collect()
}

fn list(object: &str, fields: &[&str]) -> Operation {
    Operation::List(Read { object: object.into(), fields: names(fields), which: Which::Live, since: None })
}

fn batch(object: &str, mode: WriteMode, id: Option<&str>, fields: &[(&str, Value)]) -> WriteBatch {
    let fields: Fields = fields.iter().map(|(name, value)| (FieldName::from(*name), value.clone())).collect();
    let write = Write { trace: "t".into(), id: id.map(RecordId::from), fields: fields.into(), content: None };
    WriteBatch { object: object.into(), mode, writes: vec![write].into() }
}

fn create(object: &str, fields: &[(&str, Value)]) -> Operation {
    Operation::Write(batch(object, WriteMode::Create { key: None }, None, fields))
}

fn update(object: &str, id: &str, fields: &[(&str, Value)]) -> Operation {
    Operation::Write(batch(object, WriteMode::Update, Some(id), fields))
}

fn encoded(dialect: &Pipedrive, operation: &Operation, cursor: Option<&Cursor>) -> String {
    match dialect.encode(operation, cursor) {
        Ok(request) => line(&request),
        Err(refusal) => format!("refused: {refusal}"),
    }
}

/// The body of a write's request.
fn body(dialect: &Pipedrive, operation: &Operation, cursor: Option<&Cursor>) -> Json {
    match dialect.encode(operation, cursor).unwrap().body {
        Body::Json(bytes) => serde_json::from_slice(&bytes).unwrap(),
        other => panic!("no JSON body: {other:?}"),
    }
}

fn page(
    dialect: &Pipedrive,
    operation: &Operation,
    cursor: Option<&Cursor>,
    reply: &Reply,
) -> (Vec<Record>, Option<Cursor>) {
    match dialect.decode(operation, cursor, reply).unwrap() {
        Step::Page { records, next } => (records, next),
        step => panic!("no page: {step:?}"),
    }
}

fn then(dialect: &Pipedrive, operation: &Operation, cursor: Option<&Cursor>, reply: &Reply) -> Cursor {
    match dialect.decode(operation, cursor, reply).unwrap() {
        Step::Then { cursor, .. } => cursor,
        step => panic!("no continuation: {step:?}"),
    }
}

fn fault(dialect: &Pipedrive, operation: &Operation, reply: &Reply) -> Fault {
    dialect.decode(operation, None, reply).unwrap_err()
}

fn shown(record: &Record, name: &str) -> String {
    match record.fields.get(name) {
        None => "absent".to_owned(),
        Some(Value::Null) => "null".to_owned(),
        Some(value) => value.display(),
    }
}

/// The fields of the deals of one account: one custom field of each type.
fn deal_fields() -> Json {
    let field = |letter: char, name: &str, kind: &str, options: Json| {
        json!({"field_name": name, "field_code": code(letter), "field_type": kind, "options": options,
            "subfields": null, "is_custom_field": true, "is_optional_response_field": false})
    };
    json!([
        {"field_name": "Deal title", "field_code": "title", "field_type": "varchar", "options": null, "is_custom_field": false},
        {"field_name": "Label", "field_code": "label_ids", "field_type": "set", "is_custom_field": false,
         "options": [{"id": 41, "label": "Hot"}, {"id": 42, "label": "Cold"}]},
        field('a', "Ext key", "varchar", Json::Null),
        field('b', "Contract value", "monetary", Json::Null),
        field('c', "Priority", "enum", json!([{"id": 1, "label": "Low"}, {"id": 2, "label": "High"}])),
        field('d', "Regions", "set", json!([{"id": 7, "label": "North"}, {"id": 8, "label": "South"}])),
        field('e', "Score", "double", Json::Null),
        field('f', "Term", "daterange", Json::Null),
        field('0', "Call at", "time", Json::Null),
        field('1', "Site", "address", Json::Null),
        field('2', "Engineer", "user", Json::Null),
        field('3', "Reseller", "org", Json::Null),
        field('4', "Signed", "date", Json::Null),
    ])
}

fn deal_schema(dialect: &Pipedrive) -> Schema {
    let operation = Operation::Describe("deals".into());
    let fields = reply(200, &json!({"success": true, "data": deal_fields(), "additional_data": {"next_cursor": null}}));
    let pipelines = then(dialect, &operation, None, &fields);
    assert_eq!(encoded(dialect, &operation, Some(&pipelines)), "GET /api/v2/pipelines?limit=500");
    let stages =
        then(dialect, &operation, Some(&pipelines), &ok(json!([{"id": 1, "name": "Sales", "is_deleted": false}])));
    assert_eq!(encoded(dialect, &operation, Some(&stages)), "GET /api/v2/stages?limit=500");
    let stage = json!([{"id": 5, "name": "Won over", "pipeline_id": 1}, {"id": 6, "name": "Old", "pipeline_id": 1, "is_deleted": true}]);
    match dialect.decode(&operation, Some(&stages), &ok(stage)).unwrap() {
        Step::Schema(schema) => schema,
        step => panic!("no schema: {step:?}"),
    }
}

/// A dialect that has learnt the deals' fields.
fn learned() -> Pipedrive {
    let dialect = Pipedrive::new();
    let schema = deal_schema(&dialect);
    dialect.learn(&schema);
    dialect
}

#[test]
fn the_registry_knows_pipedrive() {
    let dialect = handover_platforms::dialect("pipedrive").unwrap();
    assert_eq!(dialect.capabilities().platform, "pipedrive");
    let told: Vec<_> = dialect.capabilities().objects.iter().map(|object| object.object.clone()).collect();
    assert_eq!(told, dialect.objects());
    assert!(handover_platforms::dialect("none").is_none());
}

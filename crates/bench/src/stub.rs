//! A plain HTTP server with the answers made beforehand: what remains of its cost is the sockets'.
//!
//! The source is shaped like Pipedrive (`/api/v2/persons`, pages of 500), the target like HubSpot (upserts of
//! 100). It runs in a process of its own, so that its time is not counted as the client's.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::edits::Edits;

/// Records on a page of the source.
pub(crate) const PAGE: u64 = 500;
/// Custom fields of a person, beside name, first and last name, addresses and numbers.
pub(crate) const CUSTOM: usize = 20;

/// Everything that is answered, but for ids that differ from call to call.
struct Answers {
    records: u64,
    /// For each record of a page: what stands between its number and the number of the next one.
    rows: Vec<String>,
    /// The highest number of a record that was written.
    highest: AtomicU64,
    /// The highest number of a record that was read.
    read: AtomicU64,
    /// Requests so far, but for those of the measurement itself.
    calls: AtomicU64,
    /// Records that are edited later.
    edits: Edits,
}

/// Serves until the process is killed; prints its port first. So many of the records can be edited later.
pub(crate) async fn serve(records: u64, changes: u64) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    crate::print(&format!("{}", listener.local_addr()?.port()));
    let answers = Arc::new(Answers {
        records,
        rows: (0..PAGE).map(row).collect(),
        highest: AtomicU64::new(0),
        read: AtomicU64::new(0),
        calls: AtomicU64::new(0),
        edits: Edits::new(records, changes),
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(connection(stream, answers.clone()));
    }
}

async fn connection(mut stream: TcpStream, answers: Arc<Answers>) -> std::io::Result<()> {
    let mut buffer: Vec<u8> = Vec::with_capacity(256 * 1024);
    let mut body = String::new();
    loop {
        let Some((head, length)) = read_head(&mut stream, &mut buffer).await? else { return Ok(()) };
        while buffer.len() < head + length {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        body.clear();
        let line = String::from_utf8_lossy(&buffer[..head]);
        let target = line.split_whitespace().nth(1).unwrap_or("/").to_owned();
        let is_get = line.starts_with("GET");
        drop(line);
        answer(&answers, is_get, &target, &buffer[head..head + length], &mut body);
        buffer.drain(..head + length);
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
    }
}

/// The length of the head, with the blank line, and of the body.
async fn read_head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<(usize, usize)>> {
    loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..at]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            return Ok(Some((at + 4, length.unwrap_or(0))));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

fn answer(answers: &Answers, is_get: bool, target: &str, sent: &[u8], body: &mut String) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if !path.starts_with("/bench/") {
        answers.calls.fetch_add(1, Ordering::Relaxed);
    }
    match path {
        "/api/v2/persons" => match param(query, "updated_since") {
            Some(since) => changed(answers, since, param(query, "cursor"), body),
            None => persons(answers, param(query, "cursor"), body),
        },
        "/api/v2/personFields" => body.push_str(&person_fields()),
        "/v1/users" => {
            body.push_str(r#"{"success":true,"data":[{"id":1,"email":"a@example.com","name":"A","active_flag":true}]}"#)
        }
        "/crm/v3/properties/contacts" => body.push_str(&properties()),
        "/crm/v3/owners" => body.push_str(r#"{"results":[]}"#),
        "/crm/v3/objects/contacts" if is_get => body.push_str(r#"{"results":[]}"#),
        "/crm/v3/objects/contacts/search" => body.push_str(r#"{"total":0,"results":[]}"#),
        "/crm/v3/objects/contacts/batch/upsert" => {
            answers.edits.keep(sent);
            upserted(answers, sent, body);
        }
        "/crm/v3/objects/contacts/batch/read" => answers.edits.read(sent, body),
        "/crm/v3/objects/contacts/batch/update" => answers.edits.update(sent, body),
        "/bench/edit" => answers.edits.edit(),
        "/bench/calls" => body.push_str(&answers.calls.load(Ordering::Relaxed).to_string()),
        "/bench/read" => body.push_str(&answers.read.load(Ordering::Relaxed).to_string()),
        "/bench/highest" => body.push_str(&answers.highest.load(Ordering::Relaxed).to_string()),
        _ => body.push_str("{}"),
    }
}

/// What a parameter of a query says.
fn param<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// One page: the row's text is made beforehand, its number is not.
fn persons(answers: &Answers, cursor: Option<&str>, body: &mut String) {
    let from: u64 = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let to = (from + PAGE).min(answers.records);
    answers.read.fetch_max(to, Ordering::Relaxed);
    page(from..to, |number| number, |number| person(answers, number, None), answers.records, body);
}

/// One page of those that were edited, if that was not before `since`.
fn changed(answers: &Answers, since: &str, cursor: Option<&str>, body: &mut String) {
    let edited = answers.edits.since(since);
    let all = if edited.is_some() { answers.edits.number() } else { 0 };
    let from: u64 = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let nth = |at| answers.edits.nth(at) - 1;
    page(from..(from + PAGE).min(all), nth, |number| person(answers, number, edited.as_deref()), all, body);
}

fn page(
    rows: std::ops::Range<u64>,
    number: impl Fn(u64) -> u64,
    person: impl Fn(u64) -> String,
    all: u64,
    body: &mut String,
) {
    body.push_str(r#"{"success":true,"data":["#);
    let (from, to) = (rows.start, rows.end);
    for at in rows {
        body.push_str(if at == from { "" } else { "," });
        body.push_str(&person(number(at)));
    }
    body.push_str(r#"],"additional_data":{"next_cursor":"#);
    let _ = if to < all { write!(body, "\"{to}\"}}}}") } else { write!(body, "null}}}}") };
}

/// A person as it is listed, by its number from 0; under another name when it was edited.
fn person(answers: &Answers, number: u64, edited: Option<&str>) -> String {
    let row = &answers.rows[usize::try_from(number % PAGE).unwrap_or(0)];
    let head = format!(
        r#"{{"id":{},"name":"Person {number}","emails":[{{"value":"person{number}@example.com","primary":true,"label":"work"}}],"#,
        number + 1
    );
    match edited {
        Some(at) => head + &crate::edits::edited(row, at),
        None => head + row,
    }
}

/// A person after its number: what a company's CRM has in such fields, some of it blank.
fn row(number: u64) -> String {
    let mut row = format!(
        r#""first_name":"First{number}","last_name":"Müller-Lüdenscheidt {number}","phones":[{{"value":"+49 30 901820{number:03}","primary":true,"label":"work"}}],"owner_id":1,"add_time":"2024-03-05T10:11:12Z","update_time":"2025-11-05T10:{:02}:12Z","visible_to":3,"is_deleted":false,"custom_fields":{{"#,
        number % 60
    );
    for field in 0..CUSTOM {
        let value = match field % 5 {
            0 => format!("\"Some text of a usual length, {number}\""),
            1 => format!("{}.{:02}", number * 37, number % 100),
            2 => format!("\"2025-{:02}-{:02}\"", number % 12 + 1, number % 28 + 1),
            3 => format!("{}", number % 4 + 1),
            _ if number.is_multiple_of(4) => "null".to_owned(),
            _ => format!("\"Short {number}\""),
        };
        let comma = if field == 0 { "" } else { "," };
        let _ = write!(row, r#"{comma}"{}":{value}"#, code(field));
    }
    row.push_str("}}");
    row
}

/// A custom field's code, forty digits as the platform draws them.
pub(crate) fn code(field: usize) -> String {
    format!("{:040x}", (field as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

/// The type of a custom field.
pub(crate) fn kind(field: usize) -> &'static str {
    ["varchar", "double", "date", "enum", "varchar"][field % 5]
}

fn person_fields() -> String {
    let mut fields = Vec::new();
    for field in 0..CUSTOM {
        let options = (1..=4).map(|id| format!(r#"{{"id":{id},"label":"Option {id}"}}"#)).collect::<Vec<_>>().join(",");
        let options = if kind(field) == "enum" { format!("[{options}]") } else { "null".to_owned() };
        fields.push(format!(
            r#"{{"field_code":"{}","field_name":"Field {field}","field_type":"{}","is_custom_field":true,"options":{options}}}"#,
            code(field),
            kind(field)
        ));
    }
    format!(r#"{{"success":true,"data":[{}],"additional_data":{{"next_cursor":null}}}}"#, fields.join(","))
}

fn properties() -> String {
    let mut all = Vec::new();
    let mut property = |name: &str, kind: &str, field_type: &str, unique: bool, options: &str| {
        all.push(format!(
            r#"{{"name":"{name}","label":"{name}","type":"{kind}","fieldType":"{field_type}","hasUniqueValue":{unique},"hubspotDefined":false,"options":{options},"modificationMetadata":{{"readOnlyValue":false}}}}"#
        ));
    };
    property("handover_key", "string", "text", true, "[]");
    property("fullname", "string", "text", false, "[]");
    property("firstname", "string", "text", false, "[]");
    property("lastname", "string", "text", false, "[]");
    property("email", "string", "text", false, "[]");
    property("phone", "string", "phonenumber", false, "[]");
    let options =
        (1..=4).map(|id| format!(r#"{{"value":"o{id}","label":"Option {id}"}}"#)).collect::<Vec<_>>().join(",");
    for field in 0..CUSTOM {
        let (kind, field_type, options) = match kind(field) {
            "double" => ("number", "number", "[]".to_owned()),
            "date" => ("date", "date", "[]".to_owned()),
            "enum" => ("enumeration", "select", format!("[{options}]")),
            _ => ("string", "text", "[]".to_owned()),
        };
        property(&format!("field_{field}"), kind, field_type, false, &options);
    }
    format!(r#"{{"results":[{}]}}"#, all.join(","))
}

/// One result for each trace, the id made of it.
fn upserted(answers: &Answers, sent: &[u8], body: &mut String) {
    const TRACE: &[u8] = br#""objectWriteTraceId":""#;
    body.push_str(r#"{"status":"COMPLETE","results":["#);
    let mut at = 0;
    let mut comma = "";
    while let Some(found) = find(&sent[at..], TRACE) {
        let begin = at + found + TRACE.len();
        let length = sent[begin..].iter().position(|byte| *byte == b'"').unwrap_or(0);
        let trace = String::from_utf8_lossy(&sent[begin..begin + length]);
        let _ = write!(
            body,
            r#"{comma}{{"id":"9{trace}","objectWriteTraceId":"{trace}","new":true,"createdAt":"2026-11-02T08:00:00Z","updatedAt":"2026-11-02T08:00:00Z","archived":false,"properties":{{"handover_key":"old:persons:{trace}"}}}}"#
        );
        answers.highest.fetch_max(trace.parse().unwrap_or(0), Ordering::Relaxed);
        comma = ",";
        at = begin + length;
    }
    body.push_str("]}");
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = wanted.first()?;
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| byte == first)?;
        if bytes[at..].starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
}

//! Attachments: files and links that hang on a record, read through it (sheet: Zoho section 2 \[spec\]).
//!
//! An attachment is reached through its record alone, so its id here has three parts: the module, the record and the
//! attachment's own, with dots between them.

use std::path::Path;

use handover_connect::{
    Body, Fault, FaultKind, Method, Operation, Part, Refusal, Reply, Request, Sink, Step, WriteBatch, WriteMode,
    WriteOutcome, Written,
};
use handover_model::{Record, RecordId, Value};
use serde_json::Value as Json;

use super::capabilities::{CALL, PAGE};
use super::json::{body, items};
use super::objects::{API, MODIFIED, PARENTS, is_id};
use super::place::{Place, Through};
use super::reading::{Reading, part_of};
use super::rows::{Page, Row, text};
use super::{coql, faults, links};
use crate::marks::{Mark, foreign, is_about_the_row};

/// The most bytes of a file (sheet: Zoho section 2).
const LARGEST: u64 = 20 << 20;
/// How many records stand in a position at most, while their attachments are read.
const PARENTS_AT_ONCE: usize = 200;

/// The parts of an attachment's id: module, record, its own.
fn parts_of(id: &RecordId) -> Result<(&str, &str, &str), Refusal> {
    let mut parts = id.as_str().split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(module), Some(record), Some(own), None) if PARENTS.contains(&module) && is_id(record) && is_id(own) => {
            Ok((module, record, own))
        }
        _ => Err(Refusal::unsupported(format!("`{id}` is no id of an attachment: those are `Module.record.id`"))),
    }
}

/// The platform's own id, of any record.
pub(super) fn own_id(id: &str) -> &str {
    id.rsplit('.').next().unwrap_or(id)
}

fn id_of(module: &str, record: &str, own: &str) -> RecordId {
    format!("{module}.{record}.{own}").into()
}

/// The request for an attachment's bytes.
pub(super) fn download(id: &RecordId, to: &Path) -> Result<Request, Refusal> {
    let mut request = of_one(Method::Get, id)?;
    request.sink = Some(Sink::of(to));
    Ok(request)
}

fn of_one(method: Method, id: &RecordId) -> Result<Request, Refusal> {
    let (module, record, own) = parts_of(id)?;
    Ok(Request::new(method, format!("{API}/{module}/{record}/Attachments/{own}"), &CALL))
}

/// The bytes are in the sink. A link has none, and of what is gone nothing comes (204).
pub(super) fn downloaded(reply: &Reply) -> Result<Step, Fault> {
    match faults::check(reply) {
        Ok(()) if reply.status == 204 => {
            Err(Fault::new(FaultKind::NotFound, "no_bytes", "the attachment has no bytes: it is gone, or a link"))
        }
        Ok(()) => Ok(Step::Downloaded),
        Err(fault) if links::is_gone(&fault) || fault.field.as_ref().is_some_and(|field| *field == *"id") => {
            Err(Fault { kind: FaultKind::NotFound, ..fault })
        }
        Err(fault) => Err(fault),
    }
}

/// The request that deletes one.
pub(super) fn delete(ids: &[RecordId]) -> Result<Request, Refusal> {
    match ids {
        [id] => Ok(of_one(Method::Delete, id)?.idempotent()),
        _ => Err(Refusal::unsupported("attachments are deleted one at a time")),
    }
}

/// The record that a new attachment hangs on.
fn parent(batch: &WriteBatch) -> Result<(&str, String), Refusal> {
    let [write] = &*batch.writes else { return Err(Refusal::unsupported("attachments are made one at a time")) };
    let pointers = write.fields.iter().filter(|(_, value)| !value.is_blank());
    let mut pointers = pointers.filter_map(|(name, value)| match part_of(name.as_str()) {
        ("Parent_Id", Some(module)) if PARENTS.contains(&module) => Some((module, value.display())),
        _ => None,
    });
    let needed =
        || Refusal::invalid("Parent_Id", "an attachment needs the record that it hangs on, `Parent_Id.MODULE`");
    let found = pointers.next().ok_or_else(needed)?;
    match pointers.next() {
        Some(_) => Err(Refusal::invalid("Parent_Id", "`Parent_Id` points to one record only")),
        None if is_id(&found.1) => Ok(found),
        None => Err(Refusal::invalid(format!("Parent_Id.{}", found.0), "it is no id of a record")),
    }
}

/// The upload of one file, its bytes streamed. A second upload makes a second attachment.
pub(super) fn upload(batch: &WriteBatch) -> Result<Request, Refusal> {
    let (WriteMode::Create { .. }, [write]) = (&batch.mode, &*batch.writes) else {
        return Err(Refusal::unsupported("attachments are made one at a time and not changed"));
    };
    let content =
        write.content.as_ref().ok_or_else(|| Refusal::unsupported("a file cannot be written without its bytes"))?;
    if content.bytes > LARGEST {
        return Err(Refusal::invalid("File_Name", "Zoho takes attachments of at most 20 MB"));
    }
    let known = |name: &str| matches!(part_of(name).0, "File_Name" | "Parent_Id");
    if let Some((name, _)) = write.fields.iter().find(|(name, value)| !known(name.as_str()) && !value.is_blank()) {
        let why = format!("`{name}` of Attachments: it cannot be written");
        return Err(Refusal::unsupported(why).with_field(name.clone()));
    }
    let name = write.fields.get("File_Name").map(|name| name.display()).filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| Refusal::invalid("File_Name", "a file needs its name, `File_Name`"))?;
    let (module, record) = parent(batch)?;
    let mut request = Request::new(Method::Post, format!("{API}/{module}/{record}/Attachments"), &CALL);
    let (path, bytes) = (content.path.clone(), content.bytes);
    request.body = Body::Multipart(vec![Part::File { name: "file".to_owned(), file_name: name, path, bytes }]);
    Ok(request)
}

/// What became of the upload.
pub(super) fn uploaded(batch: &WriteBatch, reply: &Reply) -> Result<Step, Fault> {
    let (module, record) = parent(batch).map_err(Fault::from)?;
    let written = |outcome: WriteOutcome| {
        let one = |write: &handover_connect::Write| Written { trace: write.trace.clone(), outcome: outcome.clone() };
        Ok(Step::Written(batch.writes.iter().map(one).collect()))
    };
    let told = if reply.status < 500 { body(reply)? } else { Json::Null };
    let Some(row) = items(&told, "data").first() else {
        return match faults::check(reply) {
            Err(fault) if is_about_the_row(&fault) => written(WriteOutcome::Refused(fault)),
            Err(fault) => Err(fault),
            Ok(()) => Err(Fault::malformed("the answer does not say which attachment was made")),
        };
    };
    if let Some(fault) = faults::of_row(row) {
        return written(WriteOutcome::Refused(fault));
    }
    match row.pointer("/details/id").and_then(Json::as_str).filter(|id| is_id(id)) {
        Some(own) => written(WriteOutcome::Applied { id: id_of(module, &record, own), created: Some(true) }),
        None => Err(Fault::malformed("the answer does not say which attachment was made")),
    }
}

/// One page of a record's attachments.
fn list(module: &str, record: &str, reading: &Reading<'_>, page: u32) -> Request {
    let mut fields = vec!["id"];
    fields.extend(reading.parts().into_iter().next().unwrap_or_else(|| vec![MODIFIED]));
    Request::new(Method::Get, format!("{API}/{module}/{record}/Attachments"), &CALL)
        .with_query("fields", fields.join(","))
        .with_query("page", page.to_string())
        .with_query("per_page", PAGE.to_string())
}

/// The rows of a page, and whether there are more.
fn rows_of(reply: &Reply) -> Result<(Vec<Row>, bool), Fault> {
    match Page::of(reply) {
        Ok(page) => Ok((page.data, page.info.more_records)),
        // The record went away meanwhile.
        Err(fault) if links::is_gone(&fault) => Ok((Vec::new(), false)),
        Err(fault) => Err(fault),
    }
}

/// An attachment; what it hangs on is where it was read.
fn record(module: &str, parent: &str, reading: &Reading<'_>, row: &Row) -> Result<Record, Fault> {
    let own = text(row, "id").ok_or_else(|| Fault::malformed("an attachment has no id"))?;
    let mut record = reading.record_as(id_of(module, parent, &own), row)?;
    for name in reading.fields {
        let value = match part_of(name.as_str()) {
            ("Parent_Id", Some(to)) if to != module => Value::Null,
            ("Parent_Id", _) => parent.into(),
            _ => continue,
        };
        record.fields.set(name.clone(), value);
    }
    Ok(record)
}

/// The next request of a list: for records of a module, or for the attachments of one.
pub(super) fn through(reading: &Reading<'_>, state: &Through) -> Result<Request, Refusal> {
    let module = PARENTS.get(state.nth).copied().ok_or_else(foreign)?;
    Ok(match state.ids.first() {
        Some(parent) => list(module, &parent.to_string(), reading, state.page),
        None => coql::rows(&[], module, &[], state.after.as_deref(), None),
    })
}

/// What a page of it brings.
pub(super) fn through_told(reading: &Reading<'_>, mut state: Through, reply: &Reply) -> Result<Step, Fault> {
    let module = PARENTS.get(state.nth).copied().ok_or_else(|| Fault::from(foreign()))?;
    let mut records = Vec::new();
    match state.ids.first().copied() {
        Some(parent) => {
            let (rows, more) = rows_of(reply)?;
            let parent = parent.to_string();
            for row in &rows {
                records.push(record(module, &parent, reading, row)?);
            }
            if more {
                state.page = state.page.saturating_add(1);
            } else {
                state.ids.remove(0);
                state.page = 1;
            }
        }
        None => {
            let page = match Page::of(reply) {
                Ok(page) => page,
                // The organization's edition does not have the module.
                Err(fault) if fault.code == "INVALID_MODULE" => Page::default(),
                Err(fault) => return Err(fault),
            };
            let mut ids = page.ids()?;
            state.more = page.info.more_records || ids.len() > PARENTS_AT_ONCE;
            ids.truncate(PARENTS_AT_ONCE);
            state.after = ids.last().map(u64::to_string);
            state.ids = ids;
        }
    }
    if state.ids.is_empty() && !state.more {
        state = Through { nth: state.nth.saturating_add(1), page: 1, ..Through::default() };
    }
    let next = (state.nth < PARENTS.len()).then(|| Place::Through(state).cursor());
    Ok(Step::Page { records, next })
}

/// The attachments of one record that are looked for: one by its id, or those that an upload made.
pub(super) fn of_record(operation: &Operation) -> Result<(&str, String, Option<&str>), Refusal> {
    match operation {
        Operation::Fetch { ids, .. } => match &**ids {
            [id] => parts_of(id).map(|(module, record, own)| (module, record.to_owned(), Some(own))),
            _ => Err(Refusal::unsupported("attachments are read by their ids one at a time")),
        },
        Operation::Candidates { batch, .. } => parent(batch).map(|(module, record)| (module, record, None)),
        _ => Err(Refusal::unsupported("it reads no attachments")),
    }
}

/// The request for a page of them.
pub(super) fn some(operation: &Operation, reading: &Reading<'_>, page: u32) -> Result<Request, Refusal> {
    let (module, parent, _) = of_record(operation)?;
    Ok(list(module, &parent, reading, page))
}

/// Those on the page.
pub(super) fn some_told(operation: &Operation, reading: &Reading<'_>, page: u32, reply: &Reply) -> Result<Step, Fault> {
    let (module, parent, own) = of_record(operation).map_err(Fault::from)?;
    let (rows, more) = rows_of(reply)?;
    let is_meant = |row: &&Row| own.is_none_or(|own| text(row, "id").as_deref() == Some(own));
    let records = rows.iter().filter(is_meant).map(|row| record(module, &parent, reading, row));
    let records = records.collect::<Result<Vec<_>, Fault>>()?;
    let next = more.then(|| Place::Page(page.saturating_add(1)).cursor());
    Ok(Step::Page { records, next })
}

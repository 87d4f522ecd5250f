//! Batches of writes, and what became of each row.
//!
//! - Every row carries `objectWriteTraceId`: without it one bad row fails the whole create (sheet: HubSpot
//!   section 5.3 \[doc\]).
//! - Results have no order and may be fewer than the inputs: rows are joined by trace, else by key, else
//!   by id, never by place. What nothing accounts for is unknown.
//! - A batch that is refused as a whole may have landed in part (section 5.3 \[obs\]): a create of several
//!   rows is then unknown. Updates and upserts may simply be sent again, in halves.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use handover_connect::{
    Charge, Fault, FaultKind, Method, Refusal, Reply, Request, Step, Write, WriteBatch, WriteMode, WriteOutcome,
    Written,
};
use handover_model::{FieldName, RecordId, Value};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value as Json, json};

use super::json::{body, id_text, items};
use super::objects::{Family, Object, path};
use super::{associations, faults, values};

/// The request of a batch.
pub(super) fn request(object: &Object<'_>, batch: &WriteBatch, charges: &[Charge]) -> Result<Request, Refusal> {
    let action = match &batch.mode {
        WriteMode::Create { .. } => "create",
        WriteMode::Update => "update",
        WriteMode::Upsert { .. } => "upsert",
    };
    if matches!(batch.mode, WriteMode::Upsert { .. }) && object.family != Family::Record {
        return Err(Refusal::unsupported(format!("{} cannot be written by upsert", object.name)));
    }
    let body = body_of(object, batch)?;
    let request = Request::new(Method::Post, format!("{}/{}/batch/{action}", path::OBJECTS, object.name), charges)
        .with_json(body);
    Ok(match batch.mode {
        WriteMode::Create { .. } => request,
        // The last write wins, and a key is made once (sheet: HubSpot sections 5.2, 5.4 [doc]).
        WriteMode::Update | WriteMode::Upsert { .. } => request.idempotent(),
    })
}

/// A batch as it is sent. Written from the values at once: a tree of it would cost more than all the rest of a
/// record's way.
fn body_of(object: &Object<'_>, batch: &WriteBatch) -> Result<Vec<u8>, Refusal> {
    // What two inputs with one id do to each other is not documented (section 5.3 [unsure]).
    let mut seen = HashSet::with_capacity(batch.writes.len());
    let fields: usize = batch.writes.iter().map(|write| write.fields.len()).sum();
    let mut body = Vec::with_capacity(batch.writes.len() * 160 + fields * 48);
    body.extend_from_slice(br#"{"inputs":["#);
    for (at, write) in batch.writes.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        let (id, key) = aimed_at(&batch.mode, write)?;
        input(&mut body, object, &batch.mode, write, id.as_deref().zip(Some(key)))?;
        if id.is_some_and(|id| !seen.insert(id)) {
            return Err(Refusal::unsupported("a batch may have one write only for each record"));
        }
    }
    body.extend_from_slice(b"]}");
    Ok(body)
}

/// The id that a write is for, and the property that it is the value of where it is no record's id.
fn aimed_at<'w>(mode: &'w WriteMode, write: &'w Write) -> Result<(Option<Cow<'w, str>>, Option<&'w str>), Refusal> {
    Ok(match mode {
        WriteMode::Create { .. } => (None, None),
        WriteMode::Update => {
            let id = write.id.as_ref().ok_or_else(|| Refusal::unsupported("an update needs the record's id"))?;
            (Some(Cow::Borrowed(id.as_str())), None)
        }
        WriteMode::Upsert { key } => {
            let id = key_text(write, key)
                .ok_or_else(|| Refusal::invalid(key.clone(), format!("an upsert needs `{key}`")))?;
            (Some(id), Some(key.as_str()))
        }
    })
}

/// One row of a batch.
fn input(
    body: &mut Vec<u8>,
    object: &Object<'_>,
    mode: &WriteMode,
    write: &Write,
    id: Option<(&str, Option<&str>)>,
) -> Result<(), Refusal> {
    let is_new = matches!(mode, WriteMode::Create { .. });
    let mut links = Vec::new();
    body.extend_from_slice(br#"{"objectWriteTraceId":"#);
    text(body, write.trace.as_str());
    body.extend_from_slice(br#","properties":{"#);
    let mut comma: &[u8] = b"";
    for (name, value) in write.fields.iter() {
        if associations::is_link(name.as_str()) {
            links.extend(linked(object, is_new, name, value)?);
            continue;
        }
        // There is nothing to clear in a record that is not there yet.
        if is_new && *value == Value::Null {
            continue;
        }
        body.extend_from_slice(comma);
        text(body, name.as_str());
        body.push(b':');
        text(body, &values::written(value));
        comma = b",";
    }
    body.push(b'}');
    if let Some(link) = associations::of(object.name).find(|link| is_new && link.is_fixed() && links.is_empty()) {
        return Err(Refusal::invalid(link.field, format!("a new record of {} needs `{}`", object.name, link.field)));
    }
    if let Some((id, key)) = id {
        body.extend_from_slice(br#","id":"#);
        text(body, id);
        if let Some(key) = key {
            body.extend_from_slice(br#","idProperty":"#);
            text(body, key);
        }
    }
    if !links.is_empty() {
        body.extend_from_slice(br#","associations":"#);
        body.extend_from_slice(Json::Array(links).to_string().as_bytes());
    }
    body.push(b'}');
    Ok(())
}

/// The links of a new record.
fn linked(object: &Object<'_>, is_new: bool, name: &FieldName, value: &Value) -> Result<Vec<Json>, Refusal> {
    let link = associations::named(object.name, name.as_str()).ok_or_else(|| {
        Refusal::unsupported(format!("`{}` has no link field `{name}`", object.name)).with_field(name.clone())
    })?;
    // An empty one too: that a link was taken away must not be believed.
    if !is_new {
        let why = format!("`{name}` of existing records is written in calls of its own");
        return Err(Refusal::unsupported(why).with_field(name.clone()));
    }
    Ok(value.ids().into_iter().map(|id| json!({ "to": { "id": id }, "types": [link.spec()] })).collect())
}

/// A JSON text.
fn text(body: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if has_odd(bytes) {
        body.extend_from_slice(Json::from(text).to_string().as_bytes());
        return;
    }
    body.reserve(bytes.len() + 2);
    body.push(b'"');
    body.extend_from_slice(bytes);
    body.push(b'"');
}

/// Whether there is a byte that JSON wants escaped: a control character, a quote, a backslash.
fn has_odd(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // Eight bytes at a time: the high bit of a byte is set where it is below the limit, or was zero.
    let any = |eight: &[u8; 8]| {
        let word = u64::from_ne_bytes(*eight);
        let is = |byte: u8| {
            let zero = word ^ (ONES * u64::from(byte));
            zero.wrapping_sub(ONES) & !zero
        };
        let control = word.wrapping_sub(ONES * u64::from(b' ')) & !word;
        (control | is(b'"') | is(b'\\')) & HIGH != 0
    };
    match bytes.last_chunk() {
        Some(last) => any(last) || bytes.as_chunks().0.iter().any(any),
        None => bytes.iter().any(|byte| *byte < b' ' || matches!(byte, b'"' | b'\\')),
    }
}

/// The value of a write's key field.
pub(super) fn key_of(write: &Write, key: &FieldName) -> Option<String> {
    key_text(write, key).map(Cow::into_owned)
}

fn key_text<'w>(write: &'w Write, key: &FieldName) -> Option<Cow<'w, str>> {
    write.fields.get(key.as_str()).filter(|value| !value.is_blank()).map(values::written)
}

/// One outcome for each write.
pub(super) fn written(batch: &WriteBatch, reply: &Reply) -> Result<Step, Fault> {
    if !(200..300).contains(&reply.status) {
        return refused(batch, faults::of_reply(reply, true));
    }
    if let Some(written) = told_by_trace(batch, &reply.body) {
        return Ok(Step::Written(written));
    }
    let body = body(reply)?;
    let mut rows = Rows::new(batch);
    for error in items(&body, "errors") {
        rows.fail(error, reply);
    }
    for result in items(&body, "results") {
        rows.apply(result);
    }
    Ok(Step::Written(rows.finish()))
}

/// A reply without errors.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    results: Vec<Told<'a>>,
    #[serde(default)]
    errors: Vec<IgnoredAny>,
}

/// A row of it, as far as an outcome needs it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    id: &'a str,
    object_write_trace_id: &'a str,
    new: Option<bool>,
}

/// The outcomes of a reply in which every row was applied and names its trace, read without a tree of it;
/// `None` for every other.
fn told_by_trace(batch: &WriteBatch, body: &[u8]) -> Option<Vec<Written>> {
    let answer: Answer<'_> = serde_json::from_str(std::str::from_utf8(body).ok()?).ok()?;
    if !answer.errors.is_empty() || answer.results.len() != batch.writes.len() {
        return None;
    }
    let mut places: Option<HashMap<&str, usize>> = None;
    let mut outcomes: Vec<Option<WriteOutcome>> = Vec::new();
    outcomes.resize_with(batch.writes.len(), || None);
    for (at, told) in answer.results.into_iter().enumerate() {
        let trace = told.object_write_trace_id;
        // Results have no order, but often that of the rows.
        let at = if batch.writes.get(at).is_some_and(|write| write.trace == trace) {
            at
        } else {
            let all = || batch.writes.iter().enumerate().map(|(at, write)| (write.trace.as_str(), at)).collect();
            *places.get_or_insert_with(all).get(trace)?
        };
        let created = created(batch, told.new);
        let outcome = WriteOutcome::Applied { id: Some(told.id).filter(|id| !id.is_empty())?.into(), created };
        if outcomes.get_mut(at)?.replace(outcome).is_some() {
            return None;
        }
    }
    let written = |(write, outcome): (&Write, Option<WriteOutcome>)| {
        Some(Written { trace: write.trace.clone(), outcome: outcome? })
    };
    batch.writes.iter().zip(outcomes).map(written).collect()
}

/// Whether a row that was applied made a record, where the system says so.
fn created(batch: &WriteBatch, told: Option<bool>) -> Option<bool> {
    match batch.mode {
        WriteMode::Create { .. } => Some(true),
        WriteMode::Update => Some(false),
        WriteMode::Upsert { .. } => told,
    }
}

/// A refusal of the batch as a whole.
fn refused(batch: &WriteBatch, fault: Fault) -> Result<Step, Fault> {
    let by_a_row = matches!(fault.kind, FaultKind::Invalid | FaultKind::Conflict) && matches!(fault.status, 400 | 409);
    let outcome = match (&batch.mode, &*batch.writes) {
        (_, [_]) if by_a_row => WriteOutcome::Refused(fault),
        (WriteMode::Create { .. }, _) if by_a_row => WriteOutcome::Unknown(fault),
        _ => return Err(fault),
    };
    let written = |write: &Write| Written { trace: write.trace.clone(), outcome: outcome.clone() };
    Ok(Step::Written(batch.writes.iter().map(written).collect()))
}

/// The rows of a batch, and the ways to find the one that a reply speaks of.
struct Rows<'a> {
    batch: &'a WriteBatch,
    outcomes: HashMap<RecordId, WriteOutcome>,
    by_id: HashMap<&'a str, &'a RecordId>,
    by_key: HashMap<String, &'a RecordId>,
    /// An error of some row that nothing tells.
    nameless: Option<Fault>,
}

impl<'a> Rows<'a> {
    fn new(batch: &'a WriteBatch) -> Self {
        let by_id = batch.writes.iter().filter_map(|write| Some((write.id.as_ref()?.as_str(), &write.trace))).collect();
        let keys = || batch.writes.iter().filter_map(|write| Some((fold(&key_of(write, key(batch)?)?), &write.trace)));
        let mut count: HashMap<String, usize> = HashMap::new();
        keys().for_each(|(key, _)| *count.entry(key).or_default() += 1);
        let by_key = keys().filter(|(key, _)| count.get(key) == Some(&1)).collect();
        Self { batch, outcomes: HashMap::new(), by_id, by_key, nameless: None }
    }

    /// The row of a trace that is one of ours.
    fn traced(&self, trace: Option<String>) -> Option<RecordId> {
        let trace = trace?;
        self.batch.writes.iter().find(|write| write.trace == *trace).map(|write| write.trace.clone())
    }

    fn fail(&mut self, error: &Json, reply: &Reply) {
        let mut fault = faults::of_row(error, reply);
        let trace = self.traced(error.pointer("/context/objectWriteTraceId/0").and_then(id_text)).or_else(|| {
            let id = faults::context_id(error)?;
            let row = self.by_id.get(id.as_str()).copied().or_else(|| self.by_key.get(&fold(&id)).copied())?;
            Some(row.clone())
        });
        // One of one needs no name.
        let only = match &*self.batch.writes {
            [write] => Some(write.trace.clone()),
            _ => None,
        };
        let Some(trace) = trace.or(only) else {
            self.nameless.get_or_insert(fault);
            return;
        };
        let outcome = match fault.kind {
            FaultKind::Unavailable | FaultKind::Malformed => WriteOutcome::Unknown(fault),
            FaultKind::Limited
            | FaultKind::Auth
            | FaultKind::Denied
            | FaultKind::NotFound
            | FaultKind::Conflict
            | FaultKind::Invalid
            | FaultKind::Unsupported => {
                fault.status = 0;
                WriteOutcome::Refused(fault)
            }
        };
        self.outcomes.insert(trace, outcome);
    }

    fn apply(&mut self, result: &Json) {
        let Some(id) = result.get("id").and_then(id_text) else { return };
        let trace = self
            .traced(result.get("objectWriteTraceId").and_then(id_text))
            .or_else(|| {
                let key = key(self.batch)?;
                let value = result.get("properties")?.get(key.as_str()).and_then(id_text)?;
                self.by_key.get(&fold(&value)).map(|trace| (*trace).clone())
            })
            .or_else(|| self.by_id.get(id.as_str()).map(|trace| (*trace).clone()));
        let Some(trace) = trace else { return };
        let created = created(self.batch, result.get("new").and_then(Json::as_bool));
        self.outcomes.insert(trace, WriteOutcome::Applied { id: id.into(), created });
    }

    fn finish(mut self) -> Vec<Written> {
        let unknown =
            self.nameless.take().unwrap_or_else(|| Fault::malformed("the answer does not mention this record"));
        self.batch
            .writes
            .iter()
            .map(|write| Written {
                trace: write.trace.clone(),
                outcome: self.outcomes.remove(&write.trace).unwrap_or_else(|| WriteOutcome::Unknown(unknown.clone())),
            })
            .collect()
    }
}

fn key(batch: &WriteBatch) -> Option<&FieldName> {
    match &batch.mode {
        WriteMode::Create { key } => key.as_ref(),
        WriteMode::Upsert { key } => Some(key),
        WriteMode::Update => None,
    }
}

/// Unique values are compared without case: addresses come back in lower case.
fn fold(key: &str) -> String {
    key.to_lowercase()
}

/// The outcome of an upload.
pub(super) fn uploaded(batch: &WriteBatch, reply: &Reply) -> Result<Step, Fault> {
    if !(200..300).contains(&reply.status) {
        return refused(batch, faults::of_reply(reply, true));
    }
    let body = body(reply)?;
    let id = body.get("id").and_then(id_text).ok_or_else(|| Fault::malformed("the new file has no id"))?;
    let outcome = WriteOutcome::Applied { id: RecordId::from(id), created: Some(true) };
    let written = |write: &Write| Written { trace: write.trace.clone(), outcome: outcome.clone() };
    Ok(Step::Written(batch.writes.iter().map(written).collect()))
}

/// The ids that a write points to through a link field.
pub(super) fn parents(write: &Write, field: &str) -> Vec<String> {
    write.fields.get(field).map(Value::ids).unwrap_or_default().into_iter().map(str::to_owned).collect()
}

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
use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use super::json::{body, id_text, items};
use super::objects::{Family, Object, path};
use super::{associations, faults, values};

/// The request of a batch.
pub(super) fn request(object: &Object, batch: &WriteBatch, charges: &[Charge]) -> Result<Request, Refusal> {
    let action = match &batch.mode {
        WriteMode::Create { .. } => "create",
        WriteMode::Update => "update",
        WriteMode::Upsert { .. } => "upsert",
    };
    if matches!(batch.mode, WriteMode::Upsert { .. }) && object.family != Family::Record {
        return Err(Refusal::unsupported(format!("{} cannot be written by upsert", object.name)));
    }
    let inputs =
        batch.writes.iter().map(|write| Input::of(object, &batch.mode, write)).collect::<Result<Vec<_>, _>>()?;
    // What two inputs with one id do to each other is not documented (section 5.3 [unsure]).
    let mut seen = HashSet::new();
    if inputs.iter().filter_map(|input| input.id.as_deref()).any(|id| !seen.insert(id)) {
        return Err(Refusal::unsupported("a batch may have one write only for each record"));
    }
    let body = serde_json::to_vec(&Inputs { inputs })
        .map_err(|error| Refusal::unsupported(format!("the batch is not JSON: {error}")))?;
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
#[derive(Serialize)]
struct Inputs<'w> {
    inputs: Vec<Input<'w>>,
}

/// One row of a batch.
#[derive(Serialize)]
struct Input<'w> {
    #[serde(rename = "objectWriteTraceId")]
    trace: &'w str,
    properties: Properties<'w>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Cow<'w, str>>,
    #[serde(rename = "idProperty", skip_serializing_if = "Option::is_none")]
    key: Option<&'w str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    associations: Vec<Json>,
}

/// The properties of a row: all fields of a write that are no links.
struct Properties<'w> {
    write: &'w Write,
    is_new: bool,
}

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // There is nothing to clear in a record that is not there yet.
        let told = |value: &Value| !(self.is_new && *value == Value::Null);
        to.collect_map(
            self.write
                .fields
                .iter()
                .filter(|(name, value)| told(value) && !associations::is_link(name.as_str()))
                .map(|(name, value)| (name.as_str(), values::written(value))),
        )
    }
}

impl<'w> Input<'w> {
    fn of(object: &Object, mode: &'w WriteMode, write: &'w Write) -> Result<Self, Refusal> {
        let is_new = matches!(mode, WriteMode::Create { .. });
        let mut links = Vec::new();
        for (name, value) in write.fields.iter().filter(|(name, _)| associations::is_link(name.as_str())) {
            let link = associations::named(object.name, name.as_str()).ok_or_else(|| {
                Refusal::unsupported(format!("`{}` has no link field `{name}`", object.name)).with_field(name.clone())
            })?;
            // An empty one too: that a link was taken away must not be believed.
            if !is_new {
                let why = format!("`{name}` of existing records is written in calls of its own");
                return Err(Refusal::unsupported(why).with_field(name.clone()));
            }
            links.extend(value.ids().into_iter().map(|id| json!({ "to": { "id": id }, "types": [link.spec()] })));
        }
        let (id, key) = match mode {
            WriteMode::Create { .. } => (None, None),
            WriteMode::Update => {
                let id = write.id.as_ref().ok_or_else(|| Refusal::unsupported("an update needs the record's id"))?;
                (Some(Cow::Borrowed(id.as_str())), None)
            }
            WriteMode::Upsert { key } => {
                let id = key_of(write, key)
                    .ok_or_else(|| Refusal::invalid(key.clone(), format!("an upsert needs `{key}`")))?;
                (Some(Cow::Owned(id)), Some(key.as_str()))
            }
        };
        Ok(Self { trace: write.trace.as_str(), properties: Properties { write, is_new }, id, key, associations: links })
    }
}

/// The value of a write's key field.
pub(super) fn key_of(write: &Write, key: &FieldName) -> Option<String> {
    write.fields.get(key.as_str()).filter(|value| !value.is_blank()).map(values::write)
}

/// One outcome for each write.
pub(super) fn written(batch: &WriteBatch, reply: &Reply) -> Result<Step, Fault> {
    if !(200..300).contains(&reply.status) {
        return refused(batch, faults::of_reply(reply, true));
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
        let created = match self.batch.mode {
            WriteMode::Create { .. } => Some(true),
            WriteMode::Update => Some(false),
            WriteMode::Upsert { .. } => result.get("new").and_then(Json::as_bool),
        };
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

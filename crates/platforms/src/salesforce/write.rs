//! Collections of rows, and what became of each.
//!
//! - Rows are independent of each other (`allOrNone` is false), and the answer has one row for each in the same order
//!   (sheet: Salesforce section 5.2 \[doc\]). There is no other join for new records. So the number must be the same,
//!   an id that was sent must come back at its place, and no record may come twice: else every row is unknown.
//! - A row that needs a record which somebody else holds is sent again after a while, a few times; only those rows.
//! - Assignment rules would replace owners: they are switched off (sheet: Salesforce section 5.1). Duplicate rules stay
//!   as they are, and what they refuse is refused.

use std::collections::{BTreeMap, HashSet};

use handover_connect::{
    Fault, FaultKind, Method, Refusal, Reply, Request, Step, Write, WriteBatch, WriteMode, WriteOutcome, Written,
};
use handover_model::{FieldName, Schema, Value};
use serde_json::Value as Json;

use super::capabilities::COLLECTION;
use super::encode::with_body;
use super::ids::{are_one, is_id, short};
use super::links::Junction;
use super::objects::{DATA, Object, is_name};
use super::place::{Again, Before, Ingest, Outcome, Place};
use super::reading::part_of;
use super::{before, faults, ingest, notes, prices, values};
use crate::json::{quoted, text_at};
use crate::marks::{Mark, foreign, is_about_the_row};
use crate::values::fits;

/// How often rows are sent again that met a lock.
pub(super) const MOST_TIMES: u32 = 4;
/// How long is waited before, in milliseconds; each time twice as long. A lock is waited for ten seconds by the
/// platform itself (sheet: Salesforce section 5.8).
pub(super) const LOCKED_MS: u64 = 1_000;

fn again(batch: &WriteBatch, place: Option<Place>) -> Result<Again, Refusal> {
    match place {
        None => Ok(Again { settled: vec![None; batch.writes.len()], ..Again::default() }),
        Some(Place::Again(again)) if again.settled.len() == batch.writes.len() => Ok(again),
        Some(_) => Err(foreign()),
    }
}

/// The writes that are sent, with their places in the batch.
fn sent<'b>(batch: &'b WriteBatch, again: &Again) -> Vec<(usize, &'b Write)> {
    let writes = batch.writes.iter().enumerate().zip(&again.settled);
    writes.filter(|(_, settled)| settled.is_none()).map(|(sent, _)| sent).collect()
}

/// The headers of every write.
pub(super) fn headers() -> impl Iterator<Item = (String, String)> {
    [
        ("sforce-auto-assign", "FALSE"),
        ("sforce-call-options", "client=handover"),
        ("sforce-duplicate-rule-header", "allowSave=false; includeRecordDetails=true"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// The request of a batch.
pub(super) fn request(
    object: &Object<'_>,
    batch: &WriteBatch,
    place: Option<Place>,
    learnt: Option<&Schema>,
) -> Result<Request, Refusal> {
    if batch.writes.len() > usize::try_from(COLLECTION).unwrap_or(usize::MAX) {
        return ingest::request(object, batch, place, learnt);
    }
    let before = match place {
        Some(Place::Prices(state)) => return prices::request(batch, &state, learnt),
        Some(Place::Before(ref state)) => before::request(batch, state, learnt)?,
        None if before::is_needed(batch) => before::request(batch, &Before::default(), learnt)?,
        _ => None,
    };
    let again = if before.is_some() { again(batch, None)? } else { again(batch, place)? };
    // What cannot be sent is refused before anything is asked for its sake.
    let body = body_of(object, batch, &again, learnt)?;
    if let Some(before) = before {
        return Ok(before);
    }
    let path = format!("{DATA}/composite/sobjects");
    let mut request = match &batch.mode {
        WriteMode::Create { .. } => with_body(Method::Post, path, body),
        // The last write wins, and a key is made once (sheet: Salesforce section 5.4).
        WriteMode::Update => with_body(Method::Patch, path, body).idempotent(),
        WriteMode::Upsert { key } => {
            has_key(object, key)?;
            with_body(Method::Patch, format!("{path}/{}/{key}", object.name), body).idempotent()
        }
    };
    request.headers.extend(headers());
    Ok(request)
}

fn body_of(
    object: &Object<'_>,
    batch: &WriteBatch,
    again: &Again,
    learnt: Option<&Schema>,
) -> Result<Vec<u8>, Refusal> {
    let (mode, writes) = (&batch.mode, sent(batch, again));
    let mut seen = HashSet::with_capacity(writes.len());
    let mut rows = Vec::with_capacity(writes.len());
    for (at, write) in writes {
        let mut row = format!("{{\"attributes\":{{\"type\":{}}}", quoted(object.name));
        let aim = aim_of(mode, write)?;
        if let (WriteMode::Update, Some(id)) = (mode, &aim) {
            row.push_str(",\"id\":");
            row.push_str(&quoted(id));
        }
        if aim.is_some_and(|aim| !seen.insert(record_of(mode, aim))) {
            return Err(twice());
        }
        let mut columns = columns_of(object, write, matches!(mode, WriteMode::Create { .. }), learnt)?;
        before::sold_by(&mut columns, again.entries.get(&at));
        let fields = members_of(columns);
        if !fields.is_empty() {
            row.push(',');
            row.push_str(&fields);
        }
        row.push('}');
        rows.push(row);
    }
    Ok(format!("{{\"allOrNone\":false,\"records\":[{}]}}", rows.join(",")).into_bytes())
}

/// Whether an object's records are told by such a field.
pub(super) fn has_key(object: &Object<'_>, key: &FieldName) -> Result<(), Refusal> {
    let has = object.has_key && is_name(key.as_str());
    has.then_some(()).ok_or_else(|| Refusal::unsupported(format!("{} cannot be written by upsert", object.name)))
}

/// What a write of a batch aims at: the record's id, or its key; `None` of a new record.
///
/// # Errors
/// When it is not said.
pub(super) fn aim_of(mode: &WriteMode, write: &Write) -> Result<Option<String>, Refusal> {
    match mode {
        WriteMode::Create { .. } => Ok(None),
        WriteMode::Update => {
            let id = write.id.as_ref().ok_or_else(|| Refusal::unsupported("an update needs the record's id"))?;
            Ok(Some(id.to_string()))
        }
        // Whether keys that differ in case alone are one is the field's own affair (sheet: Salesforce section 3):
        // where they are, the answer names one record for two rows.
        WriteMode::Upsert { key } => key_of(write, key).map(Some),
    }
}

/// The same for all ways to say it: ids have a shorter form.
pub(super) fn record_of(mode: &WriteMode, aim: String) -> String {
    if *mode == WriteMode::Update { short(&aim).to_owned() } else { aim }
}

/// Two writes of one record in a batch: which one wins is not said.
pub(super) fn twice() -> Refusal {
    Refusal::unsupported("a batch may have one write only for each record")
}

fn key_of(write: &Write, key: &FieldName) -> Result<String, Refusal> {
    let value = write.fields.get(key.as_str()).filter(|value| !value.is_blank());
    value.map(values::plain).ok_or_else(|| Refusal::invalid(key.clone(), format!("an upsert needs `{key}`")))
}

/// A write's fields as JSON members, without the braces.
pub(super) fn fields_of(
    object: &Object<'_>,
    write: &Write,
    is_new: bool,
    learnt: Option<&Schema>,
) -> Result<String, Refusal> {
    Ok(members_of(columns_of(object, write, is_new, learnt)?))
}

fn members_of(columns: BTreeMap<&str, String>) -> String {
    let members: Vec<String> = columns.into_iter().map(|(name, json)| format!("{}:{json}", quoted(name))).collect();
    members.join(",")
}

/// A write's values by the columns that they go into, in JSON. A value of another type than its field's would have the
/// whole collection refused, without a word about which one it is: so it is not sent.
pub(super) fn columns_of<'w>(
    object: &Object<'_>,
    write: &'w Write,
    is_new: bool,
    learnt: Option<&Schema>,
) -> Result<BTreeMap<&'w str, String>, Refusal> {
    let mut members: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in write.fields.iter() {
        if Junction::is_field(object.name, name.as_str()) {
            // An empty one too: that a link was taken away must not be believed.
            if is_new && value.is_blank() {
                continue;
            }
            let why = format!("`{name}` is written in calls of its own");
            return Err(Refusal::unsupported(why).with_field(name.clone()));
        }
        if prices::is_field(object.name, name.as_str()) {
            // They are rows of another object, which are written behind this one.
            prices::wanted(&write.fields)?;
            continue;
        }
        let (column, part) = part_of(name.as_str());
        if !is_name(column) {
            let why = format!("`{name}` is no name that Salesforce could have");
            return Err(Refusal::unsupported(why).with_field(name.clone()));
        }
        // There is nothing to clear in a record that is not there yet, and what it begins with stays.
        if is_new && *value == Value::Null {
            continue;
        }
        let json = if notes::is_body(object.name, column) {
            quoted(&notes::written(value))
        } else {
            values::write(value).map_err(|why| Refusal::invalid(name.clone(), why))?
        };
        let kind = learnt.and_then(|schema| schema.field(name.as_str())).map(|field| &field.kind);
        if let Some(kind) = kind.filter(|kind| !fits(kind, value)) {
            return Err(Refusal::invalid(name.clone(), format!("`{name}` holds a {}", kind.word())));
        }
        let is_null = json == "null";
        match members.get(column) {
            Some(have) if part.is_some() && have != "null" && !is_null => {
                let why = format!("`{column}` points to one record only");
                return Err(Refusal::invalid(name.clone(), why));
            }
            // One of its parts leads somewhere: that the others lead nowhere clears nothing.
            Some(have) if is_null && have != "null" => {}
            _ => drop(members.insert(column, json)),
        }
    }
    Ok(members)
}

/// What became of each write of a batch.
pub(super) fn all_of(batch: &WriteBatch, outcomes: impl Iterator<Item = Outcome>) -> Vec<Written> {
    let written = batch.writes.iter().zip(outcomes);
    written.map(|(write, outcome)| Written { trace: write.trace.clone(), outcome: outcome.into() }).collect()
}

/// One outcome for each write, or the rows that are sent again.
pub(super) fn written(
    batch: &WriteBatch,
    place: Option<Place>,
    learnt: Option<&Schema>,
    reply: &Reply,
) -> Result<Step, Fault> {
    match place {
        Some(Place::Ingest(job)) => return ingest::read(batch, job, reply),
        Some(Place::Prices(state)) => return prices::written(batch, state, learnt, reply),
        Some(Place::Before(state)) => return before::told(batch, state, learnt, reply),
        _ => {}
    }
    if batch.writes.len() > usize::try_from(COLLECTION).unwrap_or(usize::MAX) {
        return ingest::begun(reply, Ingest::default());
    }
    if place.is_none() && before::is_needed(batch) && before::request(batch, &Before::default(), learnt)?.is_some() {
        return before::told(batch, Before::default(), learnt, reply);
    }
    let mut again = again(batch, place).map_err(Fault::from)?;
    let writes: Vec<&Write> = sent(batch, &again).into_iter().map(|(_, write)| write).collect();
    if let Err(fault) = faults::check(reply, true) {
        return match &*batch.writes {
            [write] if is_about_the_row(&fault) => {
                let outcome = WriteOutcome::Refused(fault);
                Ok(Step::Written(vec![Written { trace: write.trace.clone(), outcome }]))
            }
            // What cannot be read is refused before anything is done (section 5.2 [doc]): the engine halves it.
            _ => Err(fault),
        };
    }
    let rows: Vec<Json> = serde_json::from_slice(&reply.body)
        .map_err(|error| Fault::malformed(format!("the answer is no list of rows: {error}")))?;
    let outcomes = match joined(&batch.mode, &writes, &rows) {
        Ok(outcomes) => outcomes,
        Err(odd) => vec![WriteOutcome::Unknown(Fault::malformed(odd)); writes.len()],
    };
    let is_locked = |outcome: &WriteOutcome| matches!(outcome, WriteOutcome::Unknown(fault) if fault.kind == FaultKind::Unavailable);
    let locked = outcomes.iter().any(is_locked);
    let mut told = outcomes.into_iter();
    let mut all = Vec::with_capacity(batch.writes.len());
    for (write, settled) in batch.writes.iter().zip(&mut again.settled) {
        let outcome = match settled {
            Some(settled) => settled.clone().into(),
            None => told.next().unwrap_or_else(|| WriteOutcome::Unknown(Fault::malformed("the row was not sent"))),
        };
        if matches!(outcome, WriteOutcome::Applied { .. }) {
            *settled = Some(outcome.clone().into());
        }
        all.push(Written { trace: write.trace.clone(), outcome });
    }
    if locked && again.times < MOST_TIMES {
        again.times += 1;
        let wait_ms = LOCKED_MS << again.times;
        return Ok(Place::Again(again).after(wait_ms));
    }
    Ok(prices::behind(batch, all))
}

/// A fault that names a column which is several fields here names the one that was written.
pub(super) fn own_field(write: &Write, mut fault: Fault) -> Fault {
    if let Some(column) = &fault.field {
        let parts = write.fields.iter().filter(|(name, value)| {
            let (own, part) = part_of(name.as_str());
            part.is_some() && *column == *own && !value.is_blank()
        });
        if let Some((name, _)) = parts.last() {
            fault.field = Some(name.clone());
        }
    }
    fault
}

/// The outcomes of the rows that were sent, in their order.
///
/// # Errors
/// In words, why the answer cannot be joined to the rows.
fn joined(mode: &WriteMode, writes: &[&Write], rows: &[Json]) -> Result<Vec<WriteOutcome>, &'static str> {
    if rows.len() != writes.len() {
        return Err("the answer has another number of rows than were sent");
    }
    let mut seen = HashSet::with_capacity(rows.len());
    let mut outcomes = Vec::with_capacity(rows.len());
    for (write, row) in writes.iter().zip(rows) {
        let told = text_at(row, "id");
        if let (WriteMode::Update, Some(id), Some(told)) = (mode, &write.id, told)
            && !are_one(id.as_str(), told)
        {
            return Err("the answer names other records than were sent");
        }
        outcomes.push(match (faults::of_row(row), told) {
            // A lock means that it was not carried out; what else cannot be done now may have been.
            (Some(fault), _) => match own_field(write, fault) {
                fault if matches!(fault.kind, FaultKind::Unavailable | FaultKind::Malformed) => {
                    WriteOutcome::Unknown(fault)
                }
                fault => WriteOutcome::Refused(fault),
            },
            (None, Some(id)) if is_id(id) => {
                if !seen.insert(short(id).to_owned()) {
                    return Err("the answer names one record for two rows");
                }
                let created = match mode {
                    WriteMode::Create { .. } => Some(true),
                    WriteMode::Update => Some(false),
                    WriteMode::Upsert { .. } => row.get("created").and_then(Json::as_bool),
                };
                WriteOutcome::Applied { id: id.into(), created }
            }
            (None, _) => match (mode, &write.id) {
                // An update may say no more than that it was done.
                (WriteMode::Update, Some(id)) => WriteOutcome::Applied { id: id.clone(), created: Some(false) },
                _ => return Err("the answer does not say which record was made"),
            },
        });
    }
    Ok(outcomes)
}

//! Batches of records, and what became of each (sheet: Zoho section 5).
//!
//! - Rows are independent of each other, and the answer has one for each in the same order \[doc, rec\]. There is no
//!   other join for new records. So the number must be the same, an id that was sent must come back at its place, and
//!   no record may come twice: else every row is unknown. The status says nothing for certain.
//! - Workflows, approvals and blueprints do not run for what is written here (`trigger` is empty), and nobody is mailed
//!   about tasks and events.
//! - An upsert looks for the key first and for *every other unique field* after it \[doc\]: where a module has another
//!   one that the row fills, the row could change a record of somebody else's, so such a batch is inserted, and only
//!   rows that the key itself refuses are updates.

use std::collections::{BTreeMap, HashMap, HashSet};

use handover_connect::{
    Fault, FaultKind, Method, Refusal, Reply, Request, Step, Write, WriteBatch, WriteMode, WriteOutcome, Written,
};
use handover_model::{FieldName, RecordId, Schema, Value, Writable};
use serde_json::Value as Json;

use super::capabilities::{BATCH, CALL, of_rows};
use super::json::{body, items, text_at};
use super::objects::{Family, Object, SE_MODULE, is_id, is_name};
use super::place::{Known, Place};
use super::reading::part_of;
use super::rows::{Page, text};
use super::values::pointer;
use super::{faults, links, values};
use crate::json::quoted;
use crate::marks::{Mark, Refused, foreign, is_about_the_row};
use crate::values::fits;

/// How the rows of a request are written.
#[derive(Clone, Copy)]
enum How<'b> {
    /// As new records; those of an upsert too, where it could change records of others.
    Insert,
    /// To the records with these ids.
    Update,
    /// By their key.
    Upsert(&'b FieldName),
}

/// How the request at a place writes.
fn how<'b>(batch: &'b WriteBatch, known: Option<&Known>, learnt: Option<&Schema>) -> How<'b> {
    match &batch.mode {
        _ if known.is_some() => How::Update,
        WriteMode::Create { .. } => How::Insert,
        WriteMode::Update => How::Update,
        WriteMode::Upsert { key } if fills_other(batch, key, learnt) => How::Insert,
        WriteMode::Upsert { key } => How::Upsert(key),
    }
}

/// Whether rows fill a unique field beside the key.
fn fills_other(batch: &WriteBatch, key: &FieldName, learnt: Option<&Schema>) -> bool {
    let is_other = |name: &FieldName| {
        *name != *key && learnt.and_then(|schema| schema.field(name.as_str())).is_some_and(|field| field.unique)
    };
    let mut filled = batch.writes.iter().flat_map(|write| write.fields.iter().filter(|(_, value)| !value.is_blank()));
    filled.any(|(name, _)| is_other(name))
}

fn known(batch: &WriteBatch, place: Option<Place>) -> Result<Option<Known>, Refusal> {
    match place {
        None => Ok(None),
        Some(Place::Known(known) | Place::Asked(known)) if known.there.len() == batch.writes.len() => Ok(Some(known)),
        Some(_) => Err(foreign()),
    }
}

/// The writes of a request, with the ids of the records that they change.
fn sent<'b>(batch: &'b WriteBatch, known: Option<&'b Known>) -> Vec<(&'b Write, Option<&'b str>)> {
    let Some(known) = known else {
        return batch.writes.iter().map(|write| (write, write.id.as_ref().map(RecordId::as_str))).collect();
    };
    let rows = batch.writes.iter().zip(&known.there);
    rows.filter_map(|(write, there)| Some((write, Some(there.as_deref()?)))).collect()
}

/// The request of a batch.
pub(super) fn request(
    object: &Object<'_>,
    batch: &WriteBatch,
    place: Option<Place>,
    learnt: Option<&Schema>,
) -> Result<Request, Refusal> {
    if !object.writes {
        return Err(Refusal::unsupported(format!(
            "Zoho's {} are read only here: they need rows of products along with them",
            object.name
        )));
    }
    if let WriteMode::Upsert { key } = &batch.mode
        && (!object.upserts() || !is_name(key.as_str()))
    {
        return Err(Refusal::unsupported(format!("{} cannot be written by upsert", object.name)));
    }
    at_most(batch.writes.len())?;
    let is_asked = matches!(place, Some(Place::Asked(_)));
    let known = known(batch, place)?;
    if let (true, Some(known), WriteMode::Upsert { key }) = (is_asked, &known, &batch.mode) {
        let ids: Vec<&str> = known.other.iter().flatten().map(String::as_str).collect();
        return Ok(Request::new(Method::Get, object.path(), &CALL)
            .with_query("ids", ids.join(","))
            .with_query("fields", format!("id,{key}")));
    }
    let how = how(batch, known.as_ref(), learnt);
    let rows = rows_of(object, batch, &sent(batch, known.as_ref()), how, learnt)?;
    let (method, path, along) = match how {
        How::Insert => (Method::Post, object.path(), String::new()),
        How::Update => (Method::Put, object.path(), String::new()),
        How::Upsert(key) => {
            let along = format!(",\"duplicate_check_fields\":[{}]", quoted(key.as_str()));
            (Method::Post, format!("{}/upsert", object.path()), along)
        }
    };
    let body = format!("{{\"data\":[{}]{along},\"trigger\":[]}}", rows.join(","));
    let request = Request::new(method, path, &of_rows(rows.len())).with_json(body.into_bytes());
    // The last write wins, and a key is made once.
    Ok(if matches!(batch.mode, WriteMode::Create { .. }) { request } else { request.idempotent() })
}

fn rows_of(
    object: &Object<'_>,
    batch: &WriteBatch,
    sent: &[(&Write, Option<&str>)],
    how: How<'_>,
    learnt: Option<&Schema>,
) -> Result<Vec<String>, Refusal> {
    let is_new = matches!(how, How::Insert);
    let mut seen = HashSet::with_capacity(sent.len());
    let mut rows = Vec::with_capacity(sent.len());
    for (write, id) in sent {
        let creates = batch.mode != WriteMode::Update;
        let mut members = members_of(object, write, (is_new, creates), learnt)?;
        let aim = match &batch.mode {
            WriteMode::Create { .. } => None,
            WriteMode::Update => id.map(str::to_owned),
            WriteMode::Upsert { key } => Some(key_of(write, key)?),
        };
        if matches!(how, How::Update) {
            let id = id.ok_or_else(|| Refusal::unsupported("an update needs the record's id"))?;
            members.insert("id", quoted(id));
        }
        if aim.is_some_and(|aim| !seen.insert(aim)) {
            return Err(Refusal::unsupported("a batch may have one write only for each record"));
        }
        if is_new && matches!(object.name, "Tasks" | "Events") {
            members.entry("Send_Notification_Email").or_insert_with(|| "false".to_owned());
        }
        let members: Vec<String> = members.into_iter().map(|(name, json)| format!("{}:{json}", quoted(name))).collect();
        rows.push(format!("{{{}}}", members.join(",")));
    }
    Ok(rows)
}

/// Refuses more rows than one call covers.
pub(super) fn at_most(number: usize) -> Result<(), Refusal> {
    let most = usize::try_from(BATCH).unwrap_or(usize::MAX);
    if number > most {
        return Err(Refusal::unsupported(format!("{most} records fit into a request, not {number}")));
    }
    Ok(())
}

fn key_of(write: &Write, key: &FieldName) -> Result<String, Refusal> {
    let value = write.fields.get(key.as_str()).filter(|value| !value.is_blank());
    value.map(values::plain).ok_or_else(|| Refusal::invalid(key.clone(), format!("an upsert needs `{key}`")))
}

/// A write's fields as JSON members. Zoho passes by what it does not know or cannot write, without a word: so that is
/// refused here. So is a value of another type than its field's, which would have the whole batch refused.
fn members_of<'w>(
    object: &Object<'_>,
    write: &'w Write,
    (is_new, creates): (bool, bool),
    learnt: Option<&Schema>,
) -> Result<BTreeMap<&'w str, String>, Refusal> {
    let mut members: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in write.fields.iter() {
        // There is nothing to clear in a record that is not there yet, and what it begins with stays.
        if is_new && value.is_blank() {
            continue;
        }
        if links::is_field(object, name.as_str()) {
            let why = format!("`{name}` is written in calls of its own");
            return Err(Refusal::unsupported(why).with_field(name.clone()));
        }
        let field = learnt.and_then(|schema| schema.field(name.as_str()));
        refuse_unwritable(object, name, learnt, creates)?;
        if let Some(field) = field.filter(|field| !fits(&field.kind, value)) {
            return Err(Refusal::invalid(name.clone(), format!("`{name}` holds a {}", field.kind.word())));
        }
        match part_of(name.as_str()) {
            (column, Some(to)) => point(&mut members, object, (name, column, to), value)?,
            ("Layout", None) => {
                members.insert("Layout", pointer(&value.display()));
            }
            (column, None) => {
                let json = values::write(field.map(|field| &field.kind), value)
                    .map_err(|why| Refusal::invalid(name.clone(), why))?;
                members.insert(column, json);
            }
        }
    }
    Ok(members)
}

fn refuse_unwritable(
    object: &Object<'_>,
    name: &FieldName,
    learnt: Option<&Schema>,
    creates: bool,
) -> Result<(), Refusal> {
    let why = match learnt.map(|schema| schema.field(name.as_str()).map(|field| field.writable)) {
        Some(None) => "there is no such field",
        Some(Some(Writable::Never)) => "it cannot be written",
        Some(Some(Writable::OnCreate)) if !creates => "it is written with new records only",
        None if !is_name(part_of(name.as_str()).0) => "it is no name that Zoho could have",
        Some(Some(_)) | None => return Ok(()),
    };
    Err(Refusal::unsupported(format!("`{name}` of {}: {why}", object.name)).with_field(name.clone()))
}

/// A pointer to a record of one of several modules. That the others lead nowhere clears nothing.
fn point<'w>(
    members: &mut BTreeMap<&'w str, String>,
    object: &Object<'_>,
    (name, column, to): (&FieldName, &'w str, &str),
    value: &Value,
) -> Result<(), Refusal> {
    let has_one = members.get(column).is_some_and(|have| have != "null");
    if value.is_blank() {
        if !has_one {
            members.insert(column, "null".to_owned());
        }
        return Ok(());
    }
    if has_one {
        return Err(Refusal::invalid(name.clone(), format!("`{column}` points to one record only")));
    }
    let id = quoted(&value.display());
    if object.family == Family::Activity {
        members.insert(column, format!("{{\"id\":{id}}}"));
        members.insert(SE_MODULE, quoted(to));
    } else {
        members.insert(column, format!("{{\"module\":{{\"api_name\":{}}},\"id\":{id}}}", quoted(to)));
    }
    Ok(())
}

/// One outcome for each write, or what is still to be changed.
pub(super) fn written(
    batch: &WriteBatch,
    place: Option<Place>,
    learnt: Option<&Schema>,
    reply: &Reply,
) -> Result<Step, Fault> {
    let is_asked = matches!(place, Some(Place::Asked(_)));
    let mut known = known(batch, place).map_err(Fault::from)?;
    if let (true, Some(known), WriteMode::Upsert { key }) = (is_asked, &mut known, &batch.mode) {
        return asked(batch, key, std::mem::take(known), reply);
    }
    let sent = sent(batch, known.as_ref());
    let told = if reply.status < 500 { body(reply)? } else { Json::Null };
    let rows = items(&told, "data");
    let outcomes = if rows.is_empty() {
        match faults::check(reply) {
            Ok(()) => return Err(Fault::malformed("the answer has no rows")),
            Err(fault) if sent.len() == 1 && is_about_the_row(&fault) => vec![WriteOutcome::Refused(fault)],
            // What is no list of rows is refused before anything is done: the engine halves it.
            Err(fault) => return Err(fault),
        }
    } else {
        joined(how(batch, known.as_ref(), learnt), &sent, rows)
            .unwrap_or_else(|odd| vec![WriteOutcome::Unknown(Fault::malformed(odd)); sent.len()])
    };
    match (&batch.mode, known) {
        (WriteMode::Upsert { key }, None) if fills_other(batch, key, learnt) => Ok(inserted(batch, key, outcomes)),
        (_, Some(known)) => Ok(all(batch, changed(known, outcomes))),
        _ => Ok(all(batch, outcomes)),
    }
}

fn all(batch: &WriteBatch, outcomes: Vec<WriteOutcome>) -> Step {
    let writes = batch.writes.iter().zip(outcomes);
    Step::Written(writes.map(|(write, outcome)| Written { trace: write.trace.clone(), outcome }).collect())
}

/// After the insertion of an upsert's rows: those that the key itself refuses are changes of the record that has it.
/// Which unique field is named when several are taken is not said: so it is asked whether the record is the row's own.
fn inserted(batch: &WriteBatch, key: &FieldName, outcomes: Vec<WriteOutcome>) -> Step {
    let mut known = Known::default();
    for outcome in &outcomes {
        let holder = match outcome {
            WriteOutcome::Refused(fault) if fault.code == "DUPLICATE_DATA" => {
                fault.detail.clashing.first().filter(|id| is_id(id)).map(|id| (fault.field.as_ref() == Some(key), id))
            }
            _ => None,
        };
        known.there.push(holder.filter(|(by_key, _)| *by_key).map(|(_, id)| id.clone()));
        known.other.push(holder.filter(|(by_key, _)| !by_key).map(|(_, id)| id.clone()));
        let (made, refused) = match outcome {
            WriteOutcome::Applied { id, .. } => (Some(id.to_string()), None),
            WriteOutcome::Refused(fault) | WriteOutcome::Unknown(fault) => (None, Some(fault.into())),
        };
        known.made.push(made);
        known.refused.push(refused);
    }
    if known.other.iter().any(Option::is_some) {
        return Place::Asked(known).then();
    }
    if known.there.iter().any(Option::is_some) {
        return Place::Known(known).then();
    }
    all(batch, outcomes)
}

/// The records that other unique fields named: those with the row's own key are changed like those that the key named.
fn asked(batch: &WriteBatch, key: &FieldName, mut known: Known, reply: &Reply) -> Result<Step, Fault> {
    let page = Page::of(reply)?;
    let keys: HashMap<String, String> =
        page.data.iter().filter_map(|row| Some((text(row, "id")?, text(row, key.as_str())?))).collect();
    let rows = batch.writes.iter().zip(&mut known.there).zip(&known.other);
    for ((write, there), other) in rows {
        let is_own = |id: &&String| key_of(write, key).is_ok_and(|own| keys.get(*id) == Some(&own));
        if let Some(id) = other.as_ref().filter(is_own) {
            *there = Some(id.clone());
        }
    }
    if known.there.iter().any(Option::is_some) {
        return Ok(Place::Known(known).then());
    }
    Ok(all(batch, changed(known, Vec::new())))
}

/// After the changes: both together.
fn changed(known: Known, outcomes: Vec<WriteOutcome>) -> Vec<WriteOutcome> {
    let mut outcomes = outcomes.into_iter();
    let Known { there, made, refused, .. } = known;
    let first = there.into_iter().zip(made).zip(refused);
    first
        .map(|((there, made), refused)| match (there, made, refused.map(Refused::fault)) {
            (Some(_), ..) => {
                outcomes.next().unwrap_or_else(|| WriteOutcome::Unknown(Fault::malformed("the row was not sent")))
            }
            (None, Some(id), _) => WriteOutcome::Applied { id: id.into(), created: Some(true) },
            (None, None, Some(fault)) if is_open(&fault) => WriteOutcome::Unknown(fault),
            (None, None, Some(fault)) => WriteOutcome::Refused(fault),
            (None, None, None) => WriteOutcome::Unknown(Fault::malformed("nothing was told of the row")),
        })
        .collect()
}

/// Whether a fault leaves open what became of its row.
fn is_open(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Unavailable | FaultKind::Malformed)
}

/// A fault that names a column which is several fields here names the one that was written.
fn own_field(write: &Write, mut fault: Fault) -> Fault {
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

/// The outcomes of the rows, in their order.
///
/// # Errors
/// In words, why the answer cannot be joined to the rows.
fn joined(how: How<'_>, sent: &[(&Write, Option<&str>)], rows: &[Json]) -> Result<Vec<WriteOutcome>, &'static str> {
    if rows.len() != sent.len() {
        return Err("the answer has another number of rows than were sent");
    }
    let mut seen = HashSet::with_capacity(rows.len());
    let mut outcomes = Vec::with_capacity(rows.len());
    for ((write, sent), row) in sent.iter().zip(rows) {
        let told = row.pointer("/details/id").and_then(Json::as_str);
        outcomes.push(match (faults::of_row(row), told) {
            (Some(fault), _) => match own_field(write, fault) {
                // What cannot be done now may have been.
                fault if is_open(&fault) => WriteOutcome::Unknown(fault),
                fault => WriteOutcome::Refused(fault),
            },
            (None, Some(id)) if is_id(id) => {
                if matches!(how, How::Update) && *sent != Some(id) {
                    return Err("the answer names other records than were sent");
                }
                if !seen.insert(id.to_owned()) {
                    return Err("the answer names one record for two rows");
                }
                WriteOutcome::Applied { id: id.into(), created: created(how, row) }
            }
            (None, _) => return Err("the answer does not say which record was written"),
        });
    }
    Ok(outcomes)
}

fn created(how: How<'_>, row: &Json) -> Option<bool> {
    match how {
        How::Insert => Some(true),
        How::Update => Some(false),
        How::Upsert(_) => match text_at(row, "action") {
            Some("insert") => Some(true),
            Some("update") => Some(false),
            _ => None,
        },
    }
}

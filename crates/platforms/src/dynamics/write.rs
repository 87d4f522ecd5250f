//! Batches of rows, and what became of each.
//!
//! - Each write is a part of a batch by itself, so that one bad row is refused alone (sheet: Dynamics section 5.3). The
//!   bulk actions take all rows or none and do not say which one is bad (section 5.4): they are not used.
//! - A new record whose key is known gets an id that is made of it: sent twice, it is there once (section 5.9).
//! - An update says that the record must exist: without that it would bring deleted ones back (section 9).
//! - Records are made open and closed behind that, in one change set; opportunities and cases have actions for it
//!   (section 5.6).
//! - Duplicate rules stay switched off, which is the API's own way, and nothing is bypassed (section 5.5).

use std::collections::{BTreeMap, HashSet};

use handover_connect::{
    Fault, FaultKind, Refusal, Reply, Request, Step, Write, WriteBatch, WriteMode, WriteOutcome, Written,
};
use handover_model::{Field, FieldName, Kind, Schema, Value, Writable};

use super::batch::{self, Inner, MADE};
use super::capabilities::BATCH;
use super::closing;
use super::encode::at_most;
use super::guid::{in_address, is_guid, of_key};
use super::objects::{CREATED, Keeps, OVERRIDDEN, Object, is_name};
use super::place::{Again, Place};
use super::query::escaped;
use super::reading::TEAM;
use super::{faults, values};
use crate::json::quoted;
use crate::marks::{Mark, foreign};
use crate::values::fits;

/// How often rows are sent again that met a limit within their batch.
const MOST_TIMES: u32 = 4;
/// How long is waited before when nothing is said, in milliseconds.
const CROWDED_MS: u64 = 10_000;

fn again(batch: &WriteBatch, place: Option<Place>) -> Result<Again, Refusal> {
    match place {
        None => Ok(Again { applied: vec![None; batch.writes.len()], times: 0 }),
        Some(Place::Again(again)) if again.applied.len() == batch.writes.len() => Ok(again),
        Some(_) => Err(foreign()),
    }
}

/// The writes that are sent.
fn sent<'b>(batch: &'b WriteBatch, again: &Again) -> Vec<&'b Write> {
    let open = batch.writes.iter().zip(&again.applied).filter(|(_, applied)| applied.is_none());
    open.map(|(write, _)| write).collect()
}

/// The request of a batch.
pub(super) fn request(
    object: &Object<'_>,
    batch: &WriteBatch,
    place: Option<Place>,
    learnt: Option<&Schema>,
) -> Result<Request, Refusal> {
    let again = again(batch, place)?;
    let writes = sent(batch, &again);
    at_most(writes.len(), BATCH)?;
    let mut seen = HashSet::with_capacity(writes.len());
    let mut parts = Vec::with_capacity(writes.len());
    for write in writes {
        let (aim, part) = part(object, &batch.mode, write, learnt)?;
        if aim.is_some_and(|aim| !seen.insert(aim)) {
            return Err(Refusal::unsupported("a batch may have one write only for each record"));
        }
        parts.push(part);
    }
    let mut request = batch::request(&parts);
    // The last write wins; what was closed once cannot be closed again.
    let closes = parts.iter().flatten().any(|inner| inner.closes);
    request.idempotent = !matches!(batch.mode, WriteMode::Create { .. }) && !closes;
    Ok(request)
}

/// The requests of one write, and which record it is about.
fn part(
    object: &Object<'_>,
    mode: &WriteMode,
    write: &Write,
    learnt: Option<&Schema>,
) -> Result<(Option<String>, Vec<Inner>), Refusal> {
    let draft = Draft::of(object, write, matches!(mode, WriteMode::Create { .. } | WriteMode::Upsert { .. }), learnt)?;
    let inner = |method, path: String, headers, body| Inner { method, path, headers, body, closes: false };
    let (aim, first, is_new) = match mode {
        WriteMode::Create { key } => {
            let key = key.as_ref().filter(|_| object.has_key).and_then(|key| write.fields.get(key.as_str()));
            let id = key.filter(|key| !key.is_blank()).map(|key| of_key(object.table, key));
            let own = id.as_ref().map(|id| format!("{}:{}", quoted(object.id), quoted(id)));
            (id, inner("POST", object.path(None), Vec::new(), draft.body(own, object, true)), true)
        }
        WriteMode::Update => {
            let id = write.id.as_ref().ok_or_else(|| Refusal::unsupported("an update needs the record's id"))?;
            let path = object.path(Some(id.as_str()));
            (
                Some(id.to_string()),
                inner("PATCH", path, vec![("If-Match", "*")], draft.body(None, object, false)),
                false,
            )
        }
        WriteMode::Upsert { key } => {
            if !object.has_key || !is_name(key.as_str()) {
                return Err(Refusal::unsupported(format!("{} cannot be written by upsert", object.name)));
            }
            let value = write.fields.get(key.as_str()).filter(|value| !value.is_blank());
            let value = value.ok_or_else(|| Refusal::invalid(key.clone(), format!("an upsert needs `{key}`")))?;
            let id = of_key(object.table, value);
            let path = format!("{}?$select={}", object.path(Some(&id)), object.id);
            // Only then the answer says whether the record was made (section 2).
            let headers = vec![("Prefer", "return=representation")];
            (Some(id), inner("PATCH", path, headers, draft.body(None, object, true)), true)
        }
    };
    if draft.opens(object) {
        return Ok((aim, vec![first]));
    }
    let target = match &aim {
        Some(id) => object.path(Some(id)),
        None => MADE.to_owned(),
    };
    let last = closing::request(object, &target, &draft, write);
    if !is_new && draft.members.is_empty() {
        return Ok((aim, vec![last]));
    }
    Ok((aim, vec![first, last]))
}

/// A write's fields as they are sent.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Members of JSON by their names.
    members: BTreeMap<String, String>,
    /// Of parts of a lookup: their column by their member.
    columns: BTreeMap<String, String>,
    /// The state, and the status within it, as JSON.
    pub(super) state: Option<String>,
    /// See `state`.
    pub(super) status: Option<String>,
}

impl Draft {
    fn of(object: &Object<'_>, write: &Write, is_new: bool, learnt: Option<&Schema>) -> Result<Self, Refusal> {
        let mut draft = Self::default();
        for (name, value) in write.fields.iter() {
            let field = learnt.and_then(|schema| schema.field(name.as_str())).ok_or_else(|| {
                Refusal::unsupported(format!("`{name}` is no field of {}", object.name)).with_field(name.clone())
            })?;
            if Keeps::Pair.get(learnt, name.as_str()).is_some() {
                // An empty one too: that a link was taken away must not be believed.
                if is_new && value.is_blank() {
                    continue;
                }
                let why = format!("`{name}` is written in calls of its own");
                return Err(Refusal::unsupported(why).with_field(name.clone()));
            }
            let is_open = field.writable == Writable::Always || is_new && field.writable == Writable::OnCreate;
            if !is_open {
                let why = format!("`{name}` cannot be written{}", if is_new { "" } else { " later" });
                return Err(Refusal::unsupported(why).with_field(name.clone()));
            }
            // There is nothing to clear in a record that is not there yet, and what it begins with stays.
            if is_new && *value == Value::Null {
                continue;
            }
            if !fits(&field.kind, value) {
                return Err(Refusal::invalid(name.clone(), format!("`{name}` holds a {}", field.kind.word())));
            }
            draft.set(name, field, value, learnt)?;
        }
        draft.complete(learnt);
        Ok(draft)
    }

    fn set(&mut self, name: &FieldName, field: &Field, value: &Value, learnt: Option<&Schema>) -> Result<(), Refusal> {
        let nav = Keeps::Nav.get(learnt, name.as_str());
        let invalid = |why| Refusal::invalid(name.clone(), why);
        let (member, json) = match nav {
            Some(nav) => (format!("{nav}@odata.bind"), reference(name, field, value, learnt)?),
            None => {
                let column = if *name == CREATED { OVERRIDDEN } else { name.as_str() };
                (column.to_owned(), values::write(&field.kind, value).map_err(invalid)?)
            }
        };
        match name.as_str() {
            "statecode" => self.state = Some(json),
            "statuscode" => self.status = Some(json),
            _ => self.part(name, member, json)?,
        }
        Ok(())
    }

    /// A member; of the parts of one lookup only one leads somewhere.
    fn part(&mut self, name: &FieldName, member: String, json: String) -> Result<(), Refusal> {
        let Some((column, _)) = name.as_str().split_once('.') else {
            self.members.insert(member, json);
            return Ok(());
        };
        let column = column.to_owned();
        let of_column = |have: &str| self.columns.get(have) == Some(&column);
        let other =
            self.members.iter().find(|(have, _)| of_column(have)).map(|(have, json)| (have.clone(), json.clone()));
        match other {
            Some((_, have)) if have != "null" && json != "null" => {
                return Err(Refusal::invalid(name.clone(), format!("`{column}` points to one record only")));
            }
            // One of its parts leads somewhere: that the others lead nowhere clears nothing.
            Some((_, have)) if have != "null" => return Ok(()),
            Some((have, _)) => drop(self.members.remove(&have)),
            None => {}
        }
        self.columns.insert(member.clone(), column);
        self.members.insert(member, json);
        Ok(())
    }

    /// A status says in which state it is: both are written together (section 5.6).
    fn complete(&mut self, learnt: Option<&Schema>) {
        if self.state.is_some() {
            return;
        }
        let Some(status) = self.status.as_deref() else { return };
        let kind = learnt.and_then(|schema| schema.field("statuscode")).map(|field| &field.kind);
        if let Some(Kind::Choice { options, .. }) = kind {
            self.state = options.iter().find(|option| option.value == status).and_then(|option| option.within.clone());
        }
    }

    /// Whether the record is open behind it as before, so that one request does it all.
    fn opens(&self, object: &Object<'_>) -> bool {
        match (&self.state, &self.status) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(state), _) => *state == object.open_state().to_string(),
        }
    }

    /// The body, with the state where the record is not closed by it. A new one is open by itself, and some tables take
    /// no state with it (section 5.6): its status says as much.
    fn body(&self, own: Option<String>, object: &Object<'_>, is_new: bool) -> String {
        let state =
            [("statecode", &self.state), ("statuscode", &self.status)].into_iter().filter(|_| self.opens(object));
        let state = state
            .filter(|(name, _)| !is_new || *name != "statecode")
            .filter_map(|(name, json)| Some(format!("{}:{}", quoted(name), json.as_ref()?)));
        let members = self.members.iter().map(|(name, json)| format!("{}:{json}", quoted(name)));
        let all: Vec<String> = own.into_iter().chain(members).chain(state).collect();
        format!("{{{}}}", all.join(","))
    }
}

/// The address of the record that a lookup leads to, as JSON.
fn reference(name: &FieldName, field: &Field, value: &Value, learnt: Option<&Schema>) -> Result<String, Refusal> {
    if value.is_blank() {
        return Ok("null".to_owned());
    }
    let text = value.display();
    let (set, id) = match &field.kind {
        Kind::User => match text.strip_prefix(TEAM) {
            Some(team) => ("teams", team),
            None => ("systemusers", text.as_str()),
        },
        Kind::Currency => {
            let known = Keeps::Currency.get(learnt, &text);
            let id = known.or_else(|| is_guid(&text).then_some(text.as_str()));
            let unknown = || Refusal::invalid(name.clone(), format!("`{name}`: the environment has no such currency"));
            ("transactioncurrencies", id.ok_or_else(unknown)?)
        }
        _ => (Keeps::To.get(learnt, name.as_str()).unwrap_or_default(), text.as_str()),
    };
    Ok(quoted(&format!("/{set}({})", escaped(id))))
}

/// One outcome for each write, or the rows that are sent again.
pub(super) fn written(
    batch: &WriteBatch,
    place: Option<Place>,
    reply: &Reply,
    learnt: Option<&Schema>,
) -> Result<Step, Fault> {
    let mut again = again(batch, place).map_err(Fault::from)?;
    let writes = sent(batch, &again);
    let mut told = writes
        .iter()
        .zip(batch::answers(reply, writes.len())?)
        .map(|(write, answer)| outcome(&batch.mode, write, &answer, learnt))
        .collect::<Vec<_>>()
        .into_iter();
    let mut wait_ms = None;
    let mut all = Vec::with_capacity(batch.writes.len());
    for (write, applied) in batch.writes.iter().zip(&mut again.applied) {
        let outcome = match applied {
            Some((id, created)) => WriteOutcome::Applied { id: id.as_str().into(), created: *created },
            None => told.next().unwrap_or_else(|| WriteOutcome::Unknown(Fault::malformed("the row was not sent"))),
        };
        match &outcome {
            WriteOutcome::Applied { id, created } => *applied = Some((id.to_string(), *created)),
            // A limit refuses before anything is done.
            WriteOutcome::Refused(fault) if fault.kind == FaultKind::Limited => {
                let asked = fault.detail.limited.as_ref().and_then(|limited| limited.wait_ms);
                wait_ms = wait_ms.max(Some(asked.unwrap_or(CROWDED_MS)));
            }
            WriteOutcome::Refused(_) | WriteOutcome::Unknown(_) => {}
        }
        all.push(Written { trace: write.trace.clone(), outcome });
    }
    // Refused rows would be sent with them, and refused again.
    if let Some(wait_ms) = wait_ms.filter(|_| again.times < MOST_TIMES) {
        again.times += 1;
        return Ok(Place::Again(again).after(wait_ms));
    }
    Ok(Step::Written(all))
}

fn outcome(mode: &WriteMode, write: &Write, answer: &Reply, learnt: Option<&Schema>) -> WriteOutcome {
    if let Err(fault) = faults::check(answer) {
        return match fault.kind {
            FaultKind::Unavailable | FaultKind::Malformed => WriteOutcome::Unknown(fault),
            _ => WriteOutcome::Refused(blamed(mode, write, fault, answer, learnt)),
        };
    }
    let made = answer.header("odata-entityid").and_then(in_address);
    let created = match (mode, answer.status) {
        (WriteMode::Create { .. }, _) => Some(true),
        (WriteMode::Update, _) => Some(false),
        (WriteMode::Upsert { .. }, 201) => Some(true),
        (WriteMode::Upsert { .. }, 200) => Some(false),
        (WriteMode::Upsert { .. }, _) => None,
    };
    match (made, &write.id) {
        (_, Some(id)) if *mode == WriteMode::Update => WriteOutcome::Applied { id: id.clone(), created },
        (Some(id), _) => WriteOutcome::Applied { id: id.into(), created },
        (None, _) => WriteOutcome::Unknown(Fault::malformed("the answer does not say which record was made")),
    }
}

/// A refusal, naming the field that was written.
pub(super) fn blamed(
    mode: &WriteMode,
    write: &Write,
    mut fault: Fault,
    answer: &Reply,
    learnt: Option<&Schema>,
) -> Fault {
    if let Some(told) = &fault.field {
        let own = write.fields.iter().map(|(name, _)| name).find(|name| is_it(name, told.as_str(), learnt));
        if let Some(own) = own {
            fault.field = Some(own.clone());
        }
        return fault;
    }
    let leads_to = |id: &str| {
        let fits = |value: &Value| value.ids().iter().any(|one| one.trim_start_matches(TEAM).eq_ignore_ascii_case(id));
        write.fields.iter().find(|(_, value)| fits(value)).map(|(name, _)| name.clone())
    };
    let field = if faults::is_about_owner(&fault) {
        write.fields.get("ownerid").map(|_| FieldName::from("ownerid"))
    } else if let Some(id) = faults::absent_id(answer) {
        leads_to(&id).filter(|_| write.id.as_ref().is_none_or(|own| *own != *id.as_str()))
    } else if fault.kind == FaultKind::Invalid && fault.code != "0x80040203" {
        // Where a lookup should lead is no id at all: nothing is said of which one.
        let is_odd = |(name, value): &(&FieldName, &Value)| {
            let is_lookup = Keeps::Nav.get(learnt, name.as_str()).is_some();
            is_lookup && value.ids().iter().any(|id| !is_guid(id.trim_start_matches(TEAM)) && id.len() > 3)
        };
        write.fields.iter().find(is_odd).map(|(name, _)| name.clone())
    } else {
        None
    };
    if let Some(field) = field {
        fault.kind = FaultKind::Invalid;
        fault.message = format!("`{field}`: {}", fault.message);
        fault.field = Some(field);
    }
    if fault.kind == FaultKind::Conflict
        && let WriteMode::Create { key: Some(key) } = mode
        && let Some(key) = write.fields.get(key.as_str())
        && fault.code == "0x80040237"
    {
        // The id that was made of the key is there already.
        fault.detail.clashing = learnt.map(|schema| of_key(table_of(schema), key)).into_iter().collect();
    }
    fault
}

fn table_of(schema: &Schema) -> &str {
    schema.object.as_str().split('.').next().unwrap_or_default()
}

/// Whether a field is the one that the platform names: by its column or by its navigation property.
fn is_it(name: &FieldName, told: &str, learnt: Option<&Schema>) -> bool {
    let column = name.as_str().split('.').next().unwrap_or_default();
    *name == *told
        || column == told
        || Keeps::Nav.get(learnt, name.as_str()) == Some(told)
        || *name == CREATED && told == OVERRIDDEN
}

/// The body of a new record by itself.
pub(super) fn new_body(object: &Object<'_>, write: &Write, learnt: Option<&Schema>) -> Result<String, Refusal> {
    Ok(Draft::of(object, write, true, learnt)?.body(None, object, true))
}

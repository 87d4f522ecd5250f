//! Writing a record: one call each, and for a contact's account one to three more.
//!
//! Invariants:
//! - A create is never idempotent; an update is. Contacts are created and not upserted: `contact/sync` would put two
//!   people with one address into one record without a word (sheet: ActiveCampaign section 9 trap 1).
//! - A contact has one account at most, and the association has its job title: another account takes the first one
//!   away before it is added (section 2 \[spec\]).
//! - A note hangs on one record, a task on a contact or a deal.

use handover_connect::{
    Cursor, Fault, FaultKind, Method, Refusal, Reply, Request, Step, Write, WriteBatch, WriteMode, WriteOutcome,
    Written,
};
use handover_model::{FieldName, Fields, RecordId, Value, Writable};
use serde_json::{Map, Value as Json, json};

use super::encode::{get, object_of, only};
use super::faults;
use super::form::id_text;
use super::known::{CUSTOM, Known, Spot};
use super::mark::{JoinStep, WriteMark};
use super::object::{CALL, Object, segment};
use super::reader::rows;
use super::system::{ACCOUNT, JOB_TITLE, Place};
use crate::marks::{self, Mark};

/// Whether a fault is about this record only, so that the record is refused and the next may go on.
pub(super) fn concerns_the_record(fault: &Fault) -> bool {
    match fault.kind {
        // An account that is not paid for (section 7): no record can be written.
        FaultKind::Denied if fault.status == 402 => false,
        FaultKind::Invalid | FaultKind::NotFound | FaultKind::Conflict | FaultKind::Denied | FaultKind::Unsupported => {
            true
        }
        FaultKind::Limited | FaultKind::Unavailable | FaultKind::Auth | FaultKind::Malformed => false,
    }
}

/// What a note or a task is to hang on: the object and the id; none where the write does not say.
pub(super) fn parent(object: Object, fields: &Fields) -> Result<Option<(Object, String)>, Refusal> {
    let mut found = None;
    for system in object.system() {
        let (Place::Parent(to), Some(value)) = (system.place, fields.get(system.name)) else { continue };
        let Some(id) = value.ids().first().map(|id| (*id).to_owned()) else { continue };
        if found.replace((to, id)).is_some() {
            let what = format!("one of {} hangs on one record only", object.name());
            return Err(Refusal::invalid(system.name, what));
        }
    }
    Ok(found)
}

/// The request that writes a batch's one record, or the next one of several.
pub(super) fn request(known: &Known, batch: &WriteBatch, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    let object = object_of(&batch.object)?;
    let write = only(batch)?;
    if let Some(mark) = marks::of::<WriteMark>(cursor)? {
        return joining(write, &mark);
    }
    let is_new = match &batch.mode {
        WriteMode::Upsert { .. } => {
            return Err(Refusal::unsupported("ActiveCampaign's upsert is by e-mail only, and merges in silence"));
        }
        WriteMode::Create { .. } => true,
        WriteMode::Update => false,
    };
    if is_new && matches!(object, Object::Notes | Object::Tasks) && parent(object, &write.fields)?.is_none() {
        // It would be answered with 400 and no word (sheet: section 2).
        let what = if object == Object::Tasks { "a contact or a deal" } else { "a contact, a deal or an account" };
        return Err(Refusal::unsupported(format!("one of {} hangs on {what}, and none is known", object.name())));
    }
    if is_new && !says(write, ACCOUNT) && says(write, JOB_TITLE) {
        return Err(Refusal::invalid(JOB_TITLE, HOMELESS));
    }
    let body = body(known, object, write, is_new)?;
    if is_new {
        return Ok(Request::new(Method::Post, object.path(), &CALL).with_json(bytes(object, body)));
    }
    let id = write.id.as_ref().ok_or_else(|| Refusal::unsupported("an update needs the record's id"))?;
    if body.is_empty() && joins(write) {
        // Nothing but the account: the association is looked for at once.
        return Ok(look(id.as_str()));
    }
    let request = Request::new(Method::Put, object.record_path(id.as_str()), &CALL);
    Ok(request.with_json(bytes(object, body)).idempotent())
}

fn bytes(object: Object, body: Map<String, Json>) -> Vec<u8> {
    serde_json::to_vec(&json!({ object.one(): body })).unwrap_or_default()
}

/// Why a job title is refused that would be nowhere.
const HOMELESS: &str = "a job title stands with the contact's account, and there is none";

/// Whether a write has a value for a field.
fn says(write: &Write, field: &str) -> bool {
    write.fields.get(field).is_some_and(|value| !value.is_blank())
}

/// Whether a write says something of a contact's account.
fn joins(write: &Write) -> bool {
    write.fields.get(ACCOUNT).is_some() || write.fields.get(JOB_TITLE).is_some()
}

/// The body of a create or an update.
fn body(known: &Known, object: Object, write: &Write, is_new: bool) -> Result<Map<String, Json>, Refusal> {
    let mut body = Map::new();
    let mut values: Vec<Json> = Vec::new();
    for (name, value) in write.fields.iter() {
        let spot = known.spot(object, name.as_str())?;
        // There is nothing to clear in a record that does not exist yet.
        let is_idle = is_new && *value == Value::Null;
        let wrong =
            |expected| Refusal::invalid(name.clone(), format!("`{name}` of `{}` takes {expected}", object.name()));
        match spot {
            Spot::System(system) => {
                if system.writable == Writable::Never {
                    return Err(Refusal::unsupported(format!("`{name}` cannot be written")).with_field(name.clone()));
                }
                if system.place == Place::Extra {
                    let what = format!("`{name}` is written by adding links");
                    return Err(Refusal::unsupported(what).with_field(name.clone()));
                }
                let json = system.form.write(value).map_err(wrong)?;
                if let (Place::Key(key), false) = (system.place, is_idle) {
                    body.insert(key.to_owned(), json);
                }
            }
            Spot::Value { field, form, is_currency, is_money } => {
                let json = form.write(value).map_err(wrong)?;
                // The currency goes with its amount.
                if is_idle || is_currency {
                    continue;
                }
                values.push(custom(object, write, &field, json, is_money));
            }
        }
    }
    money_of_currencies(known, object, write, &values)?;
    if !values.is_empty() {
        let root = if object == Object::Contacts { "fieldValues" } else { "fields" };
        body.insert(root.to_owned(), Json::Array(values));
    }
    if object == Object::Deals {
        place_of_deal(known, write, &mut body);
    }
    hang(object, write, is_new, &mut body)?;
    Ok(body)
}

fn custom(object: Object, write: &Write, field: &str, json: Json, is_money: bool) -> Json {
    if object == Object::Contacts {
        return json!({"field": field, "value": json});
    }
    let id: Json = field.parse::<u64>().map_or_else(|_| json!(field), |id| json!(id));
    let mut value = json!({"customFieldId": id, "fieldValue": json});
    if let (true, Some(map)) = (is_money, value.as_object_mut()) {
        let name = format!("{CUSTOM}{field}.{}", super::known::CURRENCY);
        if let Some(code) = write.fields.get(&name).and_then(Value::as_text) {
            map.insert("fieldCurrency".to_owned(), json!(code.to_uppercase()));
        }
    }
    value
}

/// A currency without its amount has no way of being written.
fn money_of_currencies(known: &Known, object: Object, write: &Write, values: &[Json]) -> Result<(), Refusal> {
    for (name, _) in write.fields.iter().filter(|(_, value)| **value != Value::Null) {
        let Spot::Value { field, is_currency: true, .. } = known.spot(object, name.as_str())? else { continue };
        let id = field.parse::<u64>().ok();
        let has_amount = values.iter().any(|one| one.get("customFieldId").and_then(Json::as_u64) == id);
        if !has_amount {
            let what = format!("`{name}` is written together with its amount");
            return Err(Refusal::invalid(name.clone(), what));
        }
    }
    Ok(())
}

/// A stage is told with its pipeline, in which it must be (section 9 trap 6).
fn place_of_deal(known: &Known, write: &Write, body: &mut Map<String, Json>) {
    let stage = write.fields.get("stage").and_then(Value::as_text);
    if let Some(group) = stage.and_then(|stage| known.pipeline_of(stage)).filter(|_| !body.contains_key("group")) {
        body.insert("group".to_owned(), json!(group));
    }
}

/// What a note or a task hangs on.
fn hang(object: Object, write: &Write, is_new: bool, body: &mut Map<String, Json>) -> Result<(), Refusal> {
    let is_parent = |name: &FieldName| {
        object.system_field(name.as_str()).is_some_and(|system| matches!(system.place, Place::Parent(_)))
    };
    let is_named = write.fields.iter().any(|(name, _)| is_parent(name));
    if !matches!(object, Object::Notes | Object::Tasks) || !(is_named || is_new) {
        return Ok(());
    }
    let parent = parent(object, &write.fields)?;
    // Without one the API refuses: nothing is guessed.
    let (word, id) = parent.map_or((Object::Contacts, Json::Null), |(to, id)| (to, json!(id)));
    let id = if id.is_null() { json!("") } else { id };
    let (key, word) = match object {
        Object::Notes => ("reltype", word.reltype()),
        _ => ("ownerType", word.one()),
    };
    body.insert(key.to_owned(), json!(word));
    body.insert("relid".to_owned(), id);
    Ok(())
}

fn look(contact: &str) -> Request {
    get("/api/3/accountContacts").with_query("filters[contact]", contact)
}

/// The next request about a contact's account.
fn joining(write: &Write, mark: &WriteMark) -> Result<Request, Refusal> {
    let account = write.fields.get(ACCOUNT).and_then(Value::as_text).unwrap_or_default();
    let given = write.fields.get(JOB_TITLE).map(|title| title.as_text().unwrap_or_default().to_owned());
    let path = |row: &str| format!("/api/3/accountContacts/{}", segment(row));
    let json = |body: Json| json!({ "accountContact": body }).to_string().into_bytes();
    Ok(match &mark.step {
        JoinStep::Look => look(&mark.id),
        JoinStep::Remove { row, .. } => Request::new(Method::Delete, path(row), &CALL).idempotent(),
        JoinStep::Add { title } => {
            let title = given.or_else(|| title.clone()).unwrap_or_default();
            let body = json!({"contact": mark.id, "account": account, "jobTitle": title});
            Request::new(Method::Post, "/api/3/accountContacts", &CALL).with_json(json(body))
        }
        JoinStep::Title { row } => {
            let body = json!({"jobTitle": given.unwrap_or_default()});
            Request::new(Method::Put, path(row), &CALL).with_json(json(body)).idempotent()
        }
    })
}

/// What the answer to a write means.
pub(super) fn written(
    known: &Known,
    batch: &WriteBatch,
    cursor: Option<&Cursor>,
    reply: &Reply,
) -> Result<Step, Fault> {
    let object = object_of(&batch.object).map_err(|refusal| Fault::malformed(refusal.message))?;
    let Some(write) = batch.writes.first() else { return Ok(Step::Written(Vec::new())) };
    let outcome = |outcome| Ok(Step::Written(vec![Written { trace: write.trace.clone(), outcome }]));
    let is_new = matches!(batch.mode, WriteMode::Create { .. });
    let mark: Option<WriteMark> = marks::sent(cursor)?;
    // The contact itself stands already: what it lacks is written when it was found.
    let stands = is_new && mark.is_some();
    let refused = |fault: Fault| {
        let fault = in_our_names(known, object, write, reply, faults::without_values(fault, &write.values()));
        match concerns_the_record(&fault) {
            true if stands => outcome(WriteOutcome::Unknown(fault)),
            true => outcome(WriteOutcome::Refused(fault)),
            false => Err(fault),
        }
    };
    let body = match faults::check(reply) {
        Ok(body) => body,
        // It is gone already.
        Err(fault) if fault.kind == FaultKind::NotFound && is_removal(mark.as_ref()) => json!({}),
        Err(fault) => return refused(fault),
    };
    let only_joins = mark.is_none() && body.get("accountContacts").is_some() && object == Object::Contacts && !is_new;
    let id = match (&mark, &write.id) {
        (Some(mark), _) => mark.id.clone(),
        (None, Some(id)) if only_joins => id.to_string(),
        _ => {
            let id = body.get(object.one()).and_then(|row| row.get("id")).and_then(id_text);
            id.ok_or_else(|| Fault::malformed("the record written has no id"))?
        }
    };
    if let Some(fault) = not_saved(object, &body) {
        return outcome(if is_new { WriteOutcome::Unknown(fault) } else { WriteOutcome::Refused(fault) });
    }
    let step = match mark.map(|mark| mark.step) {
        None if only_joins => after_look(write, &body),
        None if is_new => Ok(says(write, ACCOUNT).then_some(JoinStep::Add { title: None })),
        None if joins(write) => Ok(Some(JoinStep::Look)),
        Some(JoinStep::Look) => after_look(write, &body),
        Some(JoinStep::Remove { title, .. }) => Ok(says(write, ACCOUNT).then_some(JoinStep::Add { title })),
        None | Some(JoinStep::Add { .. } | JoinStep::Title { .. }) => Ok(None),
    };
    let step = match step {
        Ok(step) => step,
        Err(fault) => return refused(fault),
    };
    match step {
        Some(step) => Ok(WriteMark { id, step }.then()),
        None => outcome(WriteOutcome::Applied { id: RecordId::from(id), created: Some(is_new) }),
    }
}

fn is_removal(mark: Option<&WriteMark>) -> bool {
    matches!(mark, Some(WriteMark { step: JoinStep::Remove { .. }, .. }))
}

/// What is to be done of a contact's account, by the association that is there.
fn after_look(write: &Write, body: &Json) -> Result<Option<JoinStep>, Fault> {
    let there = rows(body, "accountContacts").first();
    let account = write.fields.get(ACCOUNT);
    let wants_none = account.is_some_and(Value::is_blank);
    let Some(there) = there else {
        if !says(write, ACCOUNT) && says(write, JOB_TITLE) {
            return Err(Fault::from(Refusal::invalid(JOB_TITLE, HOMELESS)));
        }
        return Ok(account.filter(|account| !account.is_blank()).map(|_| JoinStep::Add { title: None }));
    };
    let row = there.get("id").and_then(id_text).ok_or_else(|| Fault::malformed("an association without an id"))?;
    let title = there.get("jobTitle").and_then(Json::as_str).map(str::to_owned);
    let same = account.is_none_or(|account| there.get("account").and_then(id_text).as_deref() == account.as_text());
    Ok(match () {
        () if wants_none || !same => Some(JoinStep::Remove { row, title }),
        () if write.fields.get(JOB_TITLE).is_some() => Some(JoinStep::Title { row }),
        () => None,
    })
}

/// The record stands, but a custom value does not (section 5 \[rec\]).
fn not_saved(object: Object, body: &Json) -> Option<Fault> {
    let status = body.get(object.one())?.pointer("/customFieldSaveStatus/status")?.as_str()?;
    let what = "the record stands, but a custom value of it was not saved";
    (status != "success").then(|| Fault::new(FaultKind::Invalid, "customFieldSaveStatus", what))
}

/// The fault with the field as the schema names it.
fn in_our_names(known: &Known, object: Object, write: &Write, reply: &Reply, mut fault: Fault) -> Fault {
    let is_parent = |name: &FieldName| {
        object.system_field(name.as_str()).is_some_and(|system| matches!(system.place, Place::Parent(_)))
    };
    fault.field = match fault.field.take() {
        Some(key) => {
            let key = key.as_str();
            let base = key.split('/').next_back().unwrap_or(key);
            let fits = |name: &FieldName| match base {
                _ if key.starts_with("fieldValues/") => *name == *format!("{CUSTOM}{base}"),
                "relid" | "reltype" | "ownerType" => is_parent(name),
                "account" | "contact" if object == Object::Contacts => *name == ACCOUNT,
                "jobTitle" => *name == JOB_TITLE,
                base => *name == *base,
            };
            let ours = write.fields.iter().map(|(name, _)| name).find(|name| fits(name));
            Some(ours.cloned().unwrap_or_else(|| FieldName::from(base)))
        }
        None => faults::refused_value(reply).and_then(|refused| refused_field(known, object, write, &refused)),
    };
    fault
}

/// The custom value that a refusal quotes without naming its field: the only one written that stands so.
fn refused_field(known: &Known, object: Object, write: &Write, refused: &(String, String)) -> Option<FieldName> {
    let shown = |name: &FieldName, value: &Value| {
        let Ok(Spot::Value { form, .. }) = known.spot(object, name.as_str()) else { return false };
        let json = form.write(value).unwrap_or_default();
        json.as_str().map_or_else(|| json.to_string(), str::to_owned) == refused.0
    };
    let mut fits = write.fields.iter().filter(|(name, value)| shown(name, value));
    let first = fits.next()?.0.clone();
    fits.next().is_none().then_some(first)
}

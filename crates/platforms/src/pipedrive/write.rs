//! Writing a record: one call each, strict JSON types, structured values whole.
//!
//! Invariants:
//! - A structured value (an address, money, a range, the participants of an activity) is replaced as a
//!   whole by Pipedrive, and parts left out become null (sheet: Pipedrive section 3 \[doc\]). An update that
//!   names only some parts therefore reads the record first and sends the others along.
//! - The value of a deal that has products is never written: it is their sum (section 9 trap 6).
//! - A create is never idempotent; an update is (sheet: section 5).

use std::collections::BTreeMap;

use handover_connect::{
    Body, Cursor, Fault, FaultKind, Method, Part, Refusal, Reply, Request, Step, Write, WriteBatch, WriteMode,
    WriteOutcome, Written,
};
use handover_model::{FieldName, RecordId, Value, Writable};
use serde_json::{Map, Value as Json, json};

use super::decode::odd;
use super::encode::object_of;
use super::faults;
use super::flat;
use super::form::{Form, id_text, participants_json};
use super::known::{Known, Spot};
use super::lines;
use super::mark::WriteMark;
use super::object::{Object, cost};
use crate::marks::{self, Mark};

/// What a deal is worth.
const VALUE: &str = "value";
/// The deal of a line.
const DEAL: &str = "deal_id";

/// Whether a fault is about this record only, so that the record is refused and the next may go on.
pub(super) fn concerns_the_record(fault: &Fault) -> bool {
    match fault.kind {
        // The company's account is closed (sheet: Pipedrive section 7 [doc]): no record can be written.
        FaultKind::Denied if fault.status == 402 => false,
        FaultKind::Invalid | FaultKind::NotFound | FaultKind::Conflict | FaultKind::Denied | FaultKind::Unsupported => {
            true
        }
        FaultKind::Limited | FaultKind::Unavailable | FaultKind::Auth | FaultKind::Malformed => false,
    }
}

/// The request that writes a batch's one record, or the next one of several.
pub(super) fn request(known: &Known, batch: &WriteBatch, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    let object = object_of(&batch.object)?;
    let write = match batch.writes.as_ref() {
        [write] => write,
        _ => return Err(Refusal::unsupported("Pipedrive writes one record at a time")),
    };
    if object == Object::MailMessages {
        return Err(Refusal::unsupported("Pipedrive takes no e-mail through its API"));
    }
    let mark = marks::of::<WriteMark>(cursor)?;
    if let Some(WriteMark::Uploaded(id)) = &mark {
        return file_properties(write, id);
    }
    match (&batch.mode, object) {
        (WriteMode::Upsert { .. }, _) => Err(Refusal::unsupported("Pipedrive has no upsert")),
        (WriteMode::Create { .. }, Object::Files) => upload(known, write),
        (WriteMode::Update, Object::Files) => file_properties(write, id_of(write)?),
        (WriteMode::Create { .. }, _) => {
            let mut body = body(known, object, write, true, None)?;
            let path = match object {
                // The path says which deal it is.
                Object::DealProducts => {
                    body.remove(DEAL);
                    lines::path_in(deal_of(write)?)
                }
                _ => object.path(),
            };
            Ok(Request::new(Method::Post, path, &cost(object.write_cost())).with_json(bytes(&body)))
        }
        (WriteMode::Update, _) => update(known, object, write, mark),
    }
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
    let mark: Option<WriteMark> = marks::sent(cursor)?;
    let body = match faults::check(reply) {
        Ok(body) => body,
        Err(fault) => {
            let fault = in_our_names(faults::without_values(fault, &write.values()), write);
            // The file itself stands already, so its description's refusal leaves the outcome open.
            let uploaded = matches!(mark, Some(WriteMark::Uploaded(_)));
            return if !uploaded && concerns_the_record(&fault) {
                outcome(WriteOutcome::Refused(fault))
            } else if uploaded && concerns_the_record(&fault) {
                outcome(WriteOutcome::Unknown(fault))
            } else {
                Err(fault)
            };
        }
    };
    let data = body.get("data").filter(|data| data.is_object());
    let data = data.ok_or_else(|| Fault::malformed("the answer to a write has no record"))?;
    let creates = matches!(batch.mode, WriteMode::Create { .. });
    if !creates && mark.is_none() && needs_before(known, object, write).unwrap_or(false) {
        if object == Object::Deals && is_derived(write, data) {
            let why = "the value of a deal with products is the sum of its products";
            return outcome(WriteOutcome::Refused(Fault::new(FaultKind::Invalid, "products", why).with_field(VALUE)));
        }
        let before = json!({"custom_fields": data.get("custom_fields"), "address": data.get("address"),
            "postal_address": data.get("postal_address"), "location": data.get("location"),
            "participants": data.get("participants"), "value": data.get("value")});
        return Ok(WriteMark::Before(before).then());
    }
    let id = data.get("id").and_then(id_text).ok_or_else(|| Fault::malformed("the record written has no id"))?;
    let id = match object {
        Object::DealProducts => lines::id_in(deal_of(write).map_err(odd)?, &id),
        _ => RecordId::from(id),
    };
    let unfinished = has_text(write, "description") || has_unfit_name(write);
    if creates && object == Object::Files && mark.is_none() && unfinished {
        return Ok(WriteMark::Uploaded(id).then());
    }
    outcome(WriteOutcome::Applied { id, created: Some(creates) })
}

fn update(known: &Known, object: Object, write: &Write, mark: Option<WriteMark>) -> Result<Request, Refusal> {
    let path = object.record_path(id_of(write)?.as_str());
    let before = match mark {
        Some(WriteMark::Before(before)) => Some(before),
        _ => None,
    };
    if before.is_none() && needs_before(known, object, write)? {
        let request = Request::new(Method::Get, path, &cost(object.get_cost()));
        return Ok(match object {
            Object::Deals => request.with_query("include_fields", lines::COUNT),
            _ => request,
        });
    }
    let body = body(known, object, write, false, before.as_ref())?;
    // Notes of v1 are updated with PUT, all others with PATCH (sheet: section 2 [spec]).
    let method = if object == Object::Notes { Method::Put } else { Method::Patch };
    Ok(Request::new(method, path, &cost(object.write_cost())).with_json(bytes(&body)).idempotent())
}

/// The deal in which a line stands, or shall.
fn deal_of(write: &Write) -> Result<&str, Refusal> {
    let deal = match &write.id {
        Some(id) => Some(lines::split(id.as_str()).0),
        None => write.fields.get(DEAL).and_then(|deal| deal.ids().first().copied()),
    };
    deal.ok_or_else(|| Refusal::invalid(DEAL, "a product of a deal needs its deal"))
}

fn id_of(write: &Write) -> Result<&RecordId, Refusal> {
    write.id.as_ref().ok_or_else(|| Refusal::unsupported("an update needs the record's id"))
}

fn bytes(body: &Map<String, Json>) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

/// The fault with the field as the schema names it: Pipedrive names a structured value as a whole.
fn in_our_names(mut fault: Fault, write: &Write) -> Fault {
    if let Some(named) = fault.field.take() {
        let base = named.as_str().strip_prefix("custom_fields.").unwrap_or(named.as_str());
        let is_it = |name: &str| {
            name == base
                || name.strip_prefix(base).is_some_and(|part| part.starts_with('.'))
                || (base == "participants" && name == "person_id")
        };
        let ours = write.fields.iter().map(|(name, _)| name).find(|name| is_it(name.as_str()));
        fault.field = Some(ours.cloned().unwrap_or_else(|| FieldName::from(base)));
    }
    fault
}

/// The parts of one structured value.
#[derive(Default)]
struct Whole {
    parts: BTreeMap<String, Json>,
    custom: bool,
}

/// Whether the write names a structured value only in part.
fn needs_before(known: &Known, object: Object, write: &Write) -> Result<bool, Refusal> {
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, _) in write.fields.iter() {
        let spot = known.spot(object, name.as_str())?;
        if spot.part.is_some() {
            *named.entry(spot.base).or_default() += 1;
        }
    }
    let partial = named.iter().any(|(base, count)| *count < known.parts(object, base).len());
    let main_person = object == Object::Activities
        && write.fields.get("person_id").is_some()
        && write.fields.get("participants").is_none();
    Ok(partial || main_person || object == Object::Deals && write.fields.get(VALUE).is_some())
}

/// Whether a write names the value of a deal that follows from its products. Sending it was seen to reset other
/// fields, or to be refused (sheet: section 9 trap 6 \[obs\]), so it is never sent.
fn is_derived(write: &Write, deal: &Json) -> bool {
    write.fields.get(VALUE).is_some() && deal.get(lines::COUNT).and_then(Json::as_u64).is_some_and(|count| count > 0)
}

/// The body of a create or an update.
fn body(
    known: &Known,
    object: Object,
    write: &Write,
    creates: bool,
    before: Option<&Json>,
) -> Result<Map<String, Json>, Refusal> {
    let mut body = Map::new();
    let mut custom = Map::new();
    let mut wholes: BTreeMap<&str, Whole> = BTreeMap::new();
    for (name, value) in write.fields.iter() {
        let spot = known.spot(object, name.as_str())?;
        check_writable(name.as_str(), &spot, creates)?;
        // There is nothing to clear in a record that does not exist yet.
        if creates && *value == Value::Null {
            continue;
        }
        if object == Object::Activities && matches!(spot.base, "person_id" | "participants") {
            continue;
        }
        let wrong =
            |expected| Refusal::invalid(name.clone(), format!("`{name}` of `{}` takes {expected}", object.name()));
        let json = spot.form.write(value).map_err(wrong)?;
        match spot.part {
            Some(part) => {
                let whole = wholes.entry(spot.base).or_default();
                whole.custom = spot.is_custom();
                whole.parts.insert(part.to_owned(), json);
            }
            // A set is cleared by null, an empty list is refused (sheet: section 3 [doc]).
            None if spot.is_custom() && json.as_array().is_some_and(Vec::is_empty) => {
                custom.insert(spot.base.to_owned(), Json::Null);
            }
            None if spot.is_custom() => drop(custom.insert(spot.base.to_owned(), json)),
            None => drop(body.insert(spot.base.to_owned(), json)),
        }
    }
    for (base, whole) in wholes {
        let all = known.parts(object, base);
        let old = before
            .and_then(|before| if whole.custom { before.get("custom_fields")?.get(base) } else { before.get(base) });
        let is_custom = whole.custom;
        let json = assembled(whole, &all, old);
        if is_custom {
            custom.insert(base.to_owned(), json)
        } else {
            body.insert(base.to_owned(), json)
        };
    }
    if object == Object::Activities {
        people(write, before, &mut body)?;
    }
    if object == Object::Leads {
        // Leads carry the deals' custom fields flat, at the top (sheet: section 2.1).
        flat::into_body(&custom, &mut body);
    } else if !custom.is_empty() {
        body.insert("custom_fields".to_owned(), Json::Object(custom));
    }
    Ok(body)
}

fn check_writable(name: &str, spot: &Spot<'_>, creates: bool) -> Result<(), Refusal> {
    if spot.is_extra() {
        return Err(Refusal::unsupported(format!("`{name}` is written by adding links")).with_field(name));
    }
    match spot.system.map_or(Writable::Always, |system| system.writable) {
        Writable::Always => Ok(()),
        Writable::OnCreate if creates => Ok(()),
        Writable::OnCreate => {
            Err(Refusal::unsupported(format!("`{name}` can be written on creation only")).with_field(name))
        }
        Writable::Never => Err(Refusal::unsupported(format!("`{name}` cannot be written")).with_field(name)),
    }
}

/// A structured value, whole: what is written, over what was there.
fn assembled(whole: Whole, all: &[String], old: Option<&Json>) -> Json {
    let mut parts = Map::new();
    for part in all {
        let json = whole.parts.get(part).or_else(|| old?.get(part)).cloned().unwrap_or(Json::Null);
        parts.insert(part.clone(), json);
    }
    let is_null = |name: &str| parts.get(name).is_none_or(Json::is_null);
    if parts.values().all(Json::is_null) {
        return Json::Null;
    }
    if parts.contains_key("locality") {
        if is_null("value") {
            let spelled = spelled_out(&parts);
            parts.insert("value".to_owned(), spelled);
        }
        return Json::Object(parts);
    }
    // A currency or a time zone alone is no value; a range keeps its end, and the server judges it.
    let amount = if parts.contains_key("amount") { "amount" } else { "value" };
    if is_null(amount) && is_null("until") {
        return Json::Null;
    }
    parts.retain(|name, json| !json.is_null() || name == amount || name == "until");
    Json::Object(parts)
}

/// An address as one line, for one that comes in parts only: the line is what Pipedrive shows, and the
/// documented shape never lacks it (sheet: section 2.1).
fn spelled_out(parts: &Map<String, Json>) -> Json {
    let text = |name: &str| parts.get(name).and_then(Json::as_str).map(str::trim).filter(|text| !text.is_empty());
    let pair =
        |first: &str, second: &str| [text(first), text(second)].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let line = [
        pair("route", "street_number"),
        text("subpremise").unwrap_or_default().to_owned(),
        text("sublocality").unwrap_or_default().to_owned(),
        pair("postal_code", "locality"),
        text("admin_area_level_1").unwrap_or_default().to_owned(),
        text("country").unwrap_or_default().to_owned(),
    ];
    let line: Vec<String> = line.into_iter().filter(|piece| !piece.is_empty()).collect();
    if line.is_empty() { Json::Null } else { json!(line.join(", ")) }
}

/// The people of an activity: the main person first, then the other participants, those that were there
/// included when the write does not name them.
fn people(write: &Write, before: Option<&Json>, body: &mut Map<String, Json>) -> Result<(), Refusal> {
    let main = write.fields.get("person_id");
    let named = write.fields.get("participants");
    if main.is_none() && named.is_none() {
        return Ok(());
    }
    let was = before.and_then(|before| before.get("participants")).map(|json| Form::Participants.read(json));
    let mut others: Vec<String> = match (named, &was) {
        (Some(named), _) => named.ids().into_iter().map(ToOwned::to_owned).collect(),
        (None, Some(was)) => {
            let mut was: Vec<String> = was.ids().into_iter().map(ToOwned::to_owned).collect();
            // The old main person leaves the first place, and the record when it is cleared.
            if main.is_some_and(Value::is_blank) && !was.is_empty() {
                was.remove(0);
            }
            was
        }
        (None, None) => Vec::new(),
    };
    if let Some(main) = main.and_then(|main| main.ids().first().map(|id| (*id).to_owned())) {
        others.retain(|other| *other != main);
        others.insert(0, main);
    }
    let ids: Vec<&str> = others.iter().map(String::as_str).collect();
    let json = participants_json(&ids).map_err(|expected| {
        Refusal::invalid("participants", format!("`participants` of `activities` takes {expected}"))
    })?;
    body.insert("participants".to_owned(), json);
    Ok(())
}

/// A file with exactly the parents that it shall have (sheet: section 2.1 \[spec\]).
fn upload(known: &Known, write: &Write) -> Result<Request, Refusal> {
    let content = write.content.as_ref().ok_or_else(|| Refusal::unsupported("a file needs its bytes"))?;
    let given = write.fields.get("name").and_then(Value::as_text).filter(|name| !name.trim().is_empty());
    let staged = || content.path.file_name().map(|name| name.to_string_lossy().into_owned());
    let file_name = given.map(ToOwned::to_owned).or_else(staged).unwrap_or_else(|| "file".to_owned());
    let mut parts = Vec::new();
    for (name, value) in write.fields.iter() {
        if matches!(name.as_str(), "name" | "description") {
            continue;
        }
        let spot = known.spot(Object::Files, name.as_str())?;
        check_writable(name.as_str(), &spot, true)?;
        if let Some(id) = value.ids().first() {
            parts.push(Part::Text { name: name.to_string(), value: (*id).to_owned() });
        }
    }
    parts.push(Part::File { name: "file".to_owned(), file_name, path: content.path.clone(), bytes: content.bytes });
    let mut request = Request::new(Method::Post, Object::Files.path(), &cost(Object::Files.write_cost()));
    request.body = Body::Multipart(parts);
    Ok(request)
}

/// Name and description of a file, as a form (vendor's specification of `PUT /v1/files/{id}`).
fn file_properties(write: &Write, id: &RecordId) -> Result<Request, Refusal> {
    let mut properties = Vec::new();
    for (name, value) in write.fields.iter() {
        match name.as_str() {
            "name" | "description" => properties.push((name.to_string(), value.display())),
            // Parents are given with the upload.
            _ if write.id.is_none() => {}
            _ => {
                return Err(Refusal::unsupported(format!("`{name}` of `files` can be written on creation only"))
                    .with_field(name.clone()));
            }
        }
    }
    let path = Object::Files.record_path(id.as_str());
    let mut request = Request::new(Method::Put, path, &cost(Object::Files.write_cost())).idempotent();
    request.body = Body::Form(properties);
    Ok(request)
}

/// Whether a file's name cannot stand in the header of its part as it is: it is put right afterwards.
fn has_unfit_name(write: &Write) -> bool {
    let name = write.fields.get("name").and_then(Value::as_text).unwrap_or_default();
    name.contains(|c: char| matches!(c, '"' | '\\') || c.is_control())
}

fn has_text(write: &Write, name: &str) -> bool {
    write.fields.get(name).is_some_and(|value| !value.is_blank())
}

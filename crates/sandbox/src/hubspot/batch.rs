//! Many records at a time: read, create, update, upsert, archive; at most 100 inputs each (sheet:
//! HubSpot sections 5.1 to 5.3).
//!
//! Results come in another order than the inputs (unless the settings say otherwise), so that nobody
//! matches them by position.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::call::{Call, id_text};
use super::instant::iso;
use super::kinds::{self, Kind};
use super::objects::{UniqueKey, draft_create, find, properties, unique_index, written};
use super::refusal::{Answer, Refusal};
use super::settings::{Duplicates, RowErrors};
use super::view::{Selection, record_json, written_json};
use super::{Hubspot, draft, no_content, write};
use crate::Reply;

/// Inputs of an object batch (sheet: section 5.1 \[doc\]).
pub(crate) const BATCH_LIMIT: usize = 100;

type Input = Map<String, Json>;
type Row = Result<Map<String, Json>, Refusal>;

/// The reply of a batch; 207 when there are errors.
pub(crate) fn reply(hub: &Hubspot, now: i64, ok: u16, mut results: Vec<Json>, errors: Vec<Json>) -> Reply {
    if hub.world.settings.shuffle_results {
        hub.shuffle(&mut results, "results");
    }
    let at = iso(now);
    let mut body = json!({"status": "COMPLETE", "requestedAt": at, "startedAt": at, "completedAt": at});
    // Moved, not copied.
    body["results"] = Json::Array(results);
    let status = if errors.is_empty() { ok } else { 207 };
    if let (false, Some(body)) = (errors.is_empty(), body.as_object_mut()) {
        body.insert("numErrors".into(), errors.len().into());
        body.insert("errors".into(), errors.into());
    }
    Reply::json(status, &body)
}

/// `POST .../batch/read`
pub(crate) fn read(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let body = call.object()?;
    let wanted = Selection::of_body(&body)?;
    let limit = if wanted.history.is_empty() { BATCH_LIMIT } else { 50 };
    let inputs = call.inputs(&body, limit)?;
    let id_property = body.get("idProperty").and_then(Json::as_str);
    let archived = call.flag("archived")?;
    let (mut results, mut missing, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for input in &inputs {
        let id = id_text(input.get("id")).ok_or_else(|| Refusal::json("Some required fields were not set: [id]"))?;
        match find(&hub.world, kind, &id, id_property, archived)? {
            Some(record) if seen.insert(record.id) => {
                results.push(Json::Object(record_json(&hub.world, kind, record, &wanted)));
            }
            Some(_) => {}
            None => missing.push(id),
        }
    }
    Ok(reply(hub, call.now, 200, results, not_found_row(hub, kind, &missing)))
}

/// One row for all ids that were not found, as HubSpot groups them.
fn not_found_row(hub: &Hubspot, kind: Kind, missing: &[String]) -> Vec<Json> {
    if missing.is_empty() {
        return Vec::new();
    }
    let mut refusal = Refusal::not_found(format!(
        "Could not get some {} objects, they may be deleted or not exist. Check that ids are valid.",
        world_label(hub, kind)
    ));
    refusal.context.insert("ids".into(), json!(missing));
    vec![refusal.row()]
}

fn world_label(hub: &Hubspot, kind: Kind) -> String {
    hub.world.kinds.singular(kind).to_uppercase()
}

fn trace(input: &Input) -> Option<&str> {
    input.get("objectWriteTraceId").and_then(Json::as_str)
}

/// Whether every input carries a trace id; a trace id used twice is refused.
fn all_traced(inputs: &[Input]) -> Result<bool, Refusal> {
    let traces: BTreeSet<&str> = inputs.iter().filter_map(trace).collect();
    if inputs.iter().filter(|input| trace(input).is_some()).count() != traces.len() {
        return Err(Refusal::invalid("objectWriteTraceId must be unique for each input"));
    }
    Ok(!inputs.is_empty() && traces.len() == inputs.len())
}

/// Runs the rows. By `report`, refused rows become errors of a 207, or the first of them fails the
/// request and undoes the others (by setting, rows before it stay).
fn run(
    hub: &mut Hubspot,
    call: &Call<'_>,
    inputs: &[Input],
    (ok, by_row): (u16, bool),
    mut act: impl FnMut(&mut Hubspot, &Input) -> Row,
) -> Answer {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    hub.begin();
    for input in call.applied(inputs) {
        match act(hub, input) {
            Ok(mut shown) => {
                if let Some(trace) = trace(input) {
                    shown.insert("objectWriteTraceId".into(), trace.into());
                }
                results.push(Json::Object(shown));
            }
            // A record that is not there never fails the others.
            Err(refusal) if by_row || refusal.status == 404 => {
                let refusal = match trace(input) {
                    Some(trace) => refusal.with("objectWriteTraceId", trace),
                    None => refusal,
                };
                errors.push(refusal.row());
            }
            Err(refusal) => {
                if hub.world.settings.partial_write_on_refusal {
                    hub.commit();
                } else {
                    hub.rollback();
                }
                return Err(refusal);
            }
        }
    }
    hub.commit();
    Ok(reply(hub, call.now, ok, results, errors))
}

/// `POST .../batch/create`
pub(crate) fn create(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let body = call.object()?;
    let inputs = call.inputs(&body, BATCH_LIMIT)?;
    let by_row = all_traced(&inputs)?;
    run(hub, call, &inputs, (201, by_row), |hub, input| {
        let new = draft_create(&hub.world, kind, input, call.enforce_rules)?;
        let id = write::insert(hub, kind, &new.values, &new.links, call.now, &call.source());
        let record = hub.world.table(kind).get(id).ok_or_else(Refusal::no_record)?;
        Ok(written_json(&hub.world, kind, record, &written(&new.values)))
    })
}

fn by_row(hub: &Hubspot, inputs: &[Input]) -> Result<bool, Refusal> {
    let traced = all_traced(inputs)?;
    Ok(match hub.world.settings.batch_row_errors {
        RowErrors::Traced => traced,
        RowErrors::Rows => true,
        RowErrors::Whole => false,
    })
}

/// Refuses inputs that name one record twice, unless the settings let the last one win.
fn no_duplicates(hub: &Hubspot, inputs: &[Input]) -> Result<(), Refusal> {
    if hub.world.settings.duplicates_in_batch == Duplicates::LastWins {
        return Ok(());
    }
    let mut seen = BTreeSet::new();
    for input in inputs {
        let id = id_text(input.get("id")).unwrap_or_default();
        let property = input.get("idProperty").and_then(Json::as_str).unwrap_or("").to_owned();
        if !seen.insert((property, id.to_lowercase())) {
            return Err(Refusal::invalid(format!("Duplicate IDs found in batch input: [{id}]. IDs must be unique"))
                .with("ids", id));
        }
    }
    Ok(())
}

/// `POST .../batch/update`
pub(crate) fn update(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let body = call.object()?;
    let inputs = call.inputs(&body, BATCH_LIMIT)?;
    no_duplicates(hub, &inputs)?;
    for input in &inputs {
        let name = input.get("idProperty").and_then(Json::as_str).unwrap_or("hs_object_id");
        let by_email = kind == kinds::CONTACTS && name == "email" && !hub.world.settings.update_by_email;
        if by_email || (name != "hs_object_id" && unique_index(&hub.world, kind, name).is_none()) {
            return Err(non_unique(hub, kind, name));
        }
    }
    let rows = by_row(hub, &inputs)?;
    run(hub, call, &inputs, (200, rows), |hub, input| {
        let id = id_text(input.get("id")).ok_or_else(|| Refusal::json("Some required fields were not set: [id]"))?;
        let id_property = input.get("idProperty").and_then(Json::as_str);
        let properties = properties(input)?;
        let Some(record) = find(&hub.world, kind, &id, id_property, false)? else {
            let mut refusal = Refusal::not_found(format!(
                "Could not update {} object with id {id}, it may be deleted or not exist.",
                world_label(hub, kind)
            ));
            refusal.context.insert("ids".into(), json!([id]));
            return Err(refusal);
        };
        let id = record.id;
        let values = draft::draft(&hub.world, kind, properties, Some(record), call.enforce_rules)?;
        write::update(hub, kind, id, &values, call.now, &call.source());
        let record = hub.world.table(kind).get(id).ok_or_else(Refusal::no_record)?;
        Ok(written_json(&hub.world, kind, record, &written(&values)))
    })
}

/// The sentence that clients match (sheet: section 5.2 \[obs\]).
fn non_unique(hub: &Hubspot, kind: Kind, name: &str) -> Refusal {
    Refusal::invalid(format!(
        "Unable to perform update/upsert by non-unique {} property {name}",
        hub.world.kinds.type_id(kind)
    ))
}

/// `POST .../batch/upsert`
pub(crate) fn upsert(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let body = call.object()?;
    let inputs = call.inputs(&body, BATCH_LIMIT)?;
    no_duplicates(hub, &inputs)?;
    for input in &inputs {
        let Some(name) = input.get("idProperty").and_then(Json::as_str) else { continue };
        if unique_index(&hub.world, kind, name).is_none() {
            return Err(non_unique(hub, kind, name));
        }
    }
    let rows = by_row(hub, &inputs)?;
    run(hub, call, &inputs, (200, rows), |hub, input| upsert_one(hub, call, kind, input))
}

fn upsert_one(hub: &mut Hubspot, call: &Call<'_>, kind: Kind, input: &Input) -> Row {
    let id = id_text(input.get("id")).ok_or_else(|| Refusal::json("Some required fields were not set: [id]"))?;
    let mut given = properties(input)?.clone();
    let Some(name) = input.get("idProperty").and_then(Json::as_str) else {
        // Without a key the id is a record's, and nothing can be created.
        return upsert_found(hub, call, kind, &id, None, &given)?.ok_or_else(Refusal::no_record);
    };
    if let Some(shown) = upsert_found(hub, call, kind, &id, Some(name), &given)? {
        return Ok(shown);
    }
    if !given.contains_key(name) {
        given.insert(name.to_owned(), id.clone().into());
    } else if id_text(given.get(name)).is_none_or(|value| !value.eq_ignore_ascii_case(&id)) {
        return Err(Refusal::invalid(format!("The value of {name} in properties differs from the id {id}")));
    }
    let values = draft::draft(&hub.world, kind, &given, None, call.enforce_rules)?;
    let id = write::insert(hub, kind, &values, &[], call.now, &call.source());
    let record = hub.world.table(kind).get(id).ok_or_else(Refusal::no_record)?;
    let mut shown = written_json(&hub.world, kind, record, &written(&values));
    shown.insert("new".into(), true.into());
    Ok(shown)
}

fn upsert_found(
    hub: &mut Hubspot,
    call: &Call<'_>,
    kind: Kind,
    id: &str,
    name: Option<&str>,
    given: &Input,
) -> Result<Option<Input>, Refusal> {
    let key = name.and_then(|name| unique_index(&hub.world, kind, name));
    let table = hub.world.table(kind);
    let found = match key {
        Some(UniqueKey::Email) => table.by_email(id).and_then(|id| table.live(id)),
        Some(UniqueKey::Property(ix)) => table.by_unique(ix, id).and_then(|id| table.live(id)),
        None => id.parse().ok().and_then(|id| table.live(id)),
    };
    let Some(record) = found else { return Ok(None) };
    let id = record.id;
    let values = draft::draft(&hub.world, kind, given, Some(record), call.enforce_rules)?;
    write::update(hub, kind, id, &values, call.now, &call.source());
    let record = hub.world.table(kind).get(id).ok_or_else(Refusal::no_record)?;
    let mut shown = written_json(&hub.world, kind, record, &written(&values));
    shown.insert("new".into(), false.into());
    Ok(Some(shown))
}

/// `POST .../batch/archive`: 204, also for ids that are gone.
pub(crate) fn archive(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let body = call.object()?;
    let inputs = call.inputs(&body, BATCH_LIMIT)?;
    for input in call.applied(&inputs) {
        let id = id_text(input.get("id")).ok_or_else(|| Refusal::json("Some required fields were not set: [id]"))?;
        if let Ok(id) = id.parse() {
            let id = hub.world.table(kind).resolve(id);
            write::archive(hub, kind, id, call.now, &call.source());
        }
    }
    Ok(no_content())
}

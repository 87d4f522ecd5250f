//! Links that are pairs of records: relationships of many to many, which are neither read nor written with the record
//! (sheet: Dynamics sections 2, 9). Lookups are written with their record. Who takes part in an activity is read in the
//! same way, and not written: parties are replaced all at once, those that no field shows among them (section 5.8).
//!
//! Pairing what is paired already is refused by the database, and taking apart what is not paired finds nothing: both
//! are success, so both may be sent twice.

use handover_connect::{Fault, FaultKind, LinkBatch, LinkOutcome, Refusal, Reply, Request, Step};
use handover_model::{FieldName, Fields, Record, RecordId, Schema, Value};
use serde_json::Value as Json;

use super::batch::{self, Inner};
use super::capabilities::LINKS;
use super::encode::at_most;
use super::guid::is_guid;
use super::objects::{DATA, Keeps, Object};
use super::place::{Pairs, Place};
use super::query::{self, escaped, ids_of};
use super::reading::{Apart, Reading};
use super::{faults, removal};
use crate::json::{items, text_at};
use crate::marks::{Mark, foreign};

/// Whether links are added or taken away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Added.
    Add,
    /// Taken away.
    TakeAway,
}

/// The request for the records with which some are paired.
pub(super) fn read(reading: &Reading<'_>, ids: &[RecordId], place: Option<&Place>) -> Result<Request, Refusal> {
    let no_pair = || {
        let field = reading.fields.first().map(FieldName::as_str).unwrap_or_default();
        Refusal::unsupported(format!("`{field}` of {} is not read in calls of its own", reading.object.name))
    };
    let apart = reading.apart().ok_or_else(no_pair)?;
    at_most(ids.len(), LINKS)?;
    let mut request = match place {
        Some(Place::Pairs(pairs)) => {
            let (_, next) = pairs.more.first().ok_or_else(foreign)?;
            query::follow(next)
        }
        Some(_) => return Err(foreign()),
        None => {
            let filter = ids_of(reading.object.id, ids.iter().map(RecordId::as_str)).pop();
            let filter = filter.unwrap_or_else(|| format!("{} eq null", reading.object.id));
            let expand = format!("{}($select={})", apart.nav, apart.select);
            let query = [("$select", reading.object.id), ("$expand", expand.as_str()), ("$filter", &filter)];
            query::get(&reading.object.path(None), &query)
        }
    };
    request.headers.push(("prefer".to_owned(), Apart::prefer()));
    Ok(request)
}

/// The records with their links, once all pages of them are read.
pub(super) fn told(
    reading: &Reading<'_>,
    field: &FieldName,
    ids: &[RecordId],
    place: Option<Place>,
    reply: &Reply,
) -> Result<Step, Fault> {
    faults::check(reply)?;
    let body = crate::json::body(reply)?;
    let apart = reading.apart().ok_or_else(|| Fault::malformed("an answer that was not asked for"))?;
    let targets = |rows: &[Json]| -> Vec<String> { rows.iter().filter_map(|row| apart.target(row)).collect() };
    let mut pairs = match place {
        Some(Place::Pairs(mut pairs)) => {
            let (id, _) = if pairs.more.is_empty() { Default::default() } else { pairs.more.remove(0) };
            let more = targets(items(&body, "value"));
            if let Some((_, known)) = pairs.known.iter_mut().find(|(known, _)| *known == id) {
                known.extend(more);
            }
            further(&mut pairs, &id, text_at(&body, "@odata.nextLink"))?;
            pairs
        }
        _ => {
            let mut pairs = Pairs::default();
            for row in items(&body, "value") {
                let id = text_at(row, reading.object.id).unwrap_or_default().to_owned();
                further(&mut pairs, &id, text_at(row, &format!("{}@odata.nextLink", apart.nav)))?;
                pairs.known.push((id, targets(items(row, apart.nav))));
            }
            pairs
        }
    };
    if !pairs.more.is_empty() {
        return Ok(Place::Pairs(pairs).then());
    }
    let record = |id: &RecordId| {
        let known = pairs.known.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(id.as_str()));
        let all = known.map(|(_, all)| std::mem::take(all)).unwrap_or_default();
        let mut fields = Fields::new();
        fields.set(field.clone(), Value::List(all.into_iter().map(Value::from).collect()));
        Record { id: id.clone(), fields, modified: None, gone: false }
    };
    Ok(Step::Page { records: ids.iter().map(record).collect(), next: None })
}

fn further(pairs: &mut Pairs, id: &str, next: Option<&str>) -> Result<(), Fault> {
    let Some(next) = next else { return Ok(()) };
    let odd = || Fault::malformed("the link to further pairs is none of the API's");
    pairs.more.push((id.to_owned(), query::linked(next).ok_or_else(odd)?));
    Ok(())
}

/// The request that adds links, or takes them away.
pub(super) fn request(
    object: &Object<'_>,
    batch: &LinkBatch,
    way: Way,
    learnt: Option<&Schema>,
    environment: &str,
) -> Result<Request, Refusal> {
    let kept = Keeps::Pair.get(learnt, batch.field.as_str()).ok_or_else(|| {
        Refusal::unsupported(format!("`{}` of `{}` is written with the record", batch.field, batch.object))
    })?;
    at_most(batch.links.len(), LINKS)?;
    let mut parts = kept.split(' ');
    let (nav, set) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let inner = |link: &handover_connect::Link| {
        let (from, to) = (object.path(Some(link.from.as_str())), escaped(link.to.as_str()));
        let (method, path, body) = match way {
            Way::Add => {
                // An address within a body is a whole one (section 2).
                let body = serde_json::json!({ "@odata.id": format!("{environment}{DATA}/{set}({to})") });
                ("POST", format!("{from}/{nav}/$ref"), body.to_string())
            }
            Way::TakeAway => ("DELETE", format!("{from}/{nav}({to})/$ref"), String::new()),
        };
        vec![Inner { method, path, headers: Vec::new(), body, closes: false }]
    };
    if let Some(odd) = batch.links.iter().find(|link| !is_guid(link.from.as_str()) || !is_guid(link.to.as_str())) {
        let which = if is_guid(odd.from.as_str()) { "to" } else { "from" };
        return Err(Refusal::unsupported(format!("a link leads {which} what has not the form of an id")));
    }
    Ok(batch::request(&batch.links.iter().map(inner).collect::<Vec<_>>()).idempotent())
}

/// One outcome for each link.
pub(super) fn linked(batch: &LinkBatch, way: Way, reply: &Reply) -> Result<Step, Fault> {
    let answers = batch::answers(reply, batch.links.len())?;
    let outcome = |(link, answer): (&handover_connect::Link, &Reply)| {
        let result = match faults::check(answer) {
            Err(fault) if way == Way::Add && fault.kind == FaultKind::Conflict => Ok(()),
            Err(fault) if way == Way::TakeAway && removal::is_absent(&fault) => Ok(()),
            result => result,
        };
        LinkOutcome { link: link.clone(), result }
    };
    Ok(Step::Linked(batch.links.iter().zip(&answers).map(outcome).collect()))
}

//! Adding links between records that exist, and taking them away.
//!
//! - Writing types to a pair replaces the labels that it has, "Primary" among them (sheet: HubSpot section
//!   5.6 \[doc\]). So plain links are added through the default endpoint, which leaves labels alone, and a
//!   typed link (the primary company, the parent) is written together with the types that are there.
//! - Adding a link that exists is success, so sending it twice does no harm (section 5.4 [unsure but
//!   consistent with the label documents]).
//! - A plain field shows every link whatever its labels, so taking one away takes the whole pair; of a typed
//!   field only its own type is taken, and the pair stays linked under the others (section 5.6 \[doc\]).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use handover_connect::{Fault, Link, LinkBatch, LinkOutcome, Refusal, Reply, Request, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::associations::{ARCHIVE_BATCH, Association, READ_BATCH, named};
use super::attached::{self, Way};
use super::capabilities::CALL;
use super::faults;
use super::gather::{Input, post};
use super::json::{after, body, id_text, items, results, text_or_empty};
use super::objects::path;
use super::place::Place;
use crate::marks::Mark;

/// The types that pairs have before a typed link is written.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Labels {
    /// What is still to be read, one request each.
    todo: Vec<Vec<Input>>,
    /// The pairs of the batch that were found.
    pairs: Vec<Pair>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Pair {
    from: String,
    to: String,
    types: Vec<Json>,
}

fn association(batch: &LinkBatch) -> Result<Association<'_>, Refusal> {
    named(batch.object.as_str(), batch.field.as_str())
        .filter(|association| association.to == batch.to_object.as_str() && !association.is_fixed())
        .ok_or_else(|| Refusal::unsupported(format!("`{}` of `{}` is not a link field", batch.field, batch.object)))
}

fn labels(batch: &LinkBatch, place: Option<Place>) -> Labels {
    if let Some(Place::Labels(labels)) = place {
        return labels;
    }
    let from: BTreeSet<&str> = batch.links.iter().map(|link| link.from.as_str()).collect();
    let inputs: Vec<Input> = from.into_iter().map(|id| Input { id: id.to_owned(), after: None }).collect();
    Labels { todo: inputs.chunks(READ_BATCH as usize).map(<[Input]>::to_vec).collect(), pairs: Vec::new() }
}

/// The request that adds the links, or reads the labels that must stay.
pub(super) fn request(batch: &LinkBatch, place: Option<Place>) -> Result<Request, Refusal> {
    if attached::is_meant(batch) {
        return attached::request(batch, place, Way::Add);
    }
    let association = association(batch)?;
    let base = format!("{}/{}/{}/batch", path::ASSOCIATIONS, batch.object, batch.to_object);
    let pair = |from: &str, to: &str| json!({ "from": { "id": from }, "to": { "id": to } });
    if association.all {
        let inputs: Vec<Json> = batch.links.iter().map(|link| pair(link.from.as_str(), link.to.as_str())).collect();
        return Ok(post(format!("{base}/associate/default"), &CALL, &json!({ "inputs": inputs })));
    }
    let labels = labels(batch, place);
    if let Some(inputs) = labels.todo.first() {
        return Ok(post(format!("{base}/read"), &CALL, &json!({ "inputs": inputs })));
    }
    let inputs: Vec<Json> = batch
        .links
        .iter()
        .map(|link| {
            let mut types = vec![association.spec()];
            let had = labels.pairs.iter().filter(|pair| link.from == *pair.from && link.to == *pair.to);
            types.extend(had.flat_map(|pair| &pair.types).filter(|kind| **kind != association.spec()).cloned());
            let mut input = pair(link.from.as_str(), link.to.as_str());
            input["types"] = Json::Array(types);
            input
        })
        .collect();
    Ok(post(format!("{base}/create"), &CALL, &json!({ "inputs": inputs })))
}

/// One outcome for each link, or the next request.
pub(super) fn linked(batch: &LinkBatch, place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    if attached::is_meant(batch) {
        return attached::linked(batch, place, Way::Add, reply);
    }
    let association = association(batch).map_err(Fault::from)?;
    let body = body(reply)?;
    let mut labels = labels(batch, place);
    if association.all || labels.todo.is_empty() {
        return Ok(Step::Linked(outcomes(batch, &body, reply)));
    }
    if let Some(fault) = faults::failed_read(&body, reply) {
        return Err(fault);
    }
    labels.todo.remove(0);
    let wanted: HashSet<(&str, &str)> = batch.links.iter().map(|link| (link.from.as_str(), link.to.as_str())).collect();
    let mut more = Vec::new();
    for result in results(&body)? {
        let Some(from) = result.pointer("/from/id").and_then(id_text) else { continue };
        for to in items(result, "to") {
            let Some(id) = to.get("toObjectId").and_then(id_text) else { continue };
            if wanted.contains(&(from.as_str(), id.as_str())) {
                let types = items(to, "associationTypes").iter().map(as_spec).collect();
                labels.pairs.push(Pair { from: from.clone(), to: id, types });
            }
        }
        more.extend(after(result).map(|after| Input { id: from, after: Some(after) }));
    }
    if !more.is_empty() {
        labels.todo.insert(0, more);
    }
    Ok(Place::Labels(labels).then())
}

/// A type as reads show it, in the form that writes want (sheet: HubSpot section 4, 5.6 \[spec\]).
fn as_spec(kind: &Json) -> Json {
    json!({ "associationCategory": text_or_empty(kind, "category"), "associationTypeId": kind.get("typeId") })
}

/// Joined by the two ids: results have no order.
fn outcomes(batch: &LinkBatch, body: &Json, reply: &Reply) -> Vec<LinkOutcome> {
    let made: HashSet<(String, String)> = items(body, "results").iter().filter_map(ends).collect();
    let errors: Vec<Refused> = items(body, "errors").iter().map(|error| Refused::read(error, reply)).collect();
    let outcome = |from: &str, to: &str| {
        if made.contains(&(from.to_owned(), to.to_owned())) {
            return Ok(());
        }
        let named = errors.iter().find(|error| error.names(from, to));
        match named.or_else(|| errors.iter().find(|error| error.from.is_none() && error.to.is_none())) {
            Some(error) => Err(error.fault.clone()),
            None => Err(Fault::malformed("the answer does not mention this link")),
        }
    };
    batch
        .links
        .iter()
        .map(|link| LinkOutcome { link: link.clone(), result: outcome(link.from.as_str(), link.to.as_str()) })
        .collect()
}

/// An error row with the ids that its context names: one of them, or both.
struct Refused {
    from: Option<String>,
    to: Option<String>,
    fault: Fault,
}

impl Refused {
    fn read(error: &Json, reply: &Reply) -> Self {
        let end = |at: &str| error.pointer(at).and_then(id_text);
        Self {
            from: end("/context/fromObjectId/0"),
            to: end("/context/toObjectId/0"),
            fault: faults::of_row(error, reply),
        }
    }

    fn names(&self, from: &str, to: &str) -> bool {
        match (&self.from, &self.to) {
            (Some(a), Some(b)) => a == from && b == to,
            (Some(a), None) => a == from,
            (None, Some(b)) => b == to,
            (None, None) => false,
        }
    }
}

/// The two ids of a result; the labelled and the default endpoint write them differently (sheet: HubSpot
/// section 5.6 \[spec\]).
fn ends(result: &Json) -> Option<(String, String)> {
    let end = |flat: &str, nested: &str| {
        result.get(flat).and_then(id_text).or_else(|| result.pointer(nested).and_then(id_text))
    };
    Some((end("fromObjectId", "/from/id")?, end("toObjectId", "/to/id")?))
}

/// The inputs that take links away, in the order in which they are sent.
fn unlinking(batch: &LinkBatch, association: &Association<'_>) -> Vec<Json> {
    if !association.all {
        let typed = |link: &Link| json!({ "from": { "id": link.from }, "to": { "id": link.to }, "types": [association.spec()] });
        return batch.links.iter().map(typed).collect();
    }
    let mut by_from: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for link in batch.links.iter() {
        by_from.entry(link.from.as_str()).or_default().insert(link.to.as_str());
    }
    let mut inputs = Vec::new();
    for (from, to) in by_from {
        let to: Vec<Json> = to.into_iter().map(|id| json!({ "id": id })).collect();
        // How many targets one input may name is not documented; no more than inputs are sure.
        inputs.extend(to.chunks(ARCHIVE_BATCH).map(|to| json!({ "from": { "id": from }, "to": to })));
    }
    inputs
}

fn unlinked_so_far(place: Option<&Place>) -> usize {
    if let Some(Place::Unlinked(done)) = place { *done } else { 0 }
}

/// The request that takes the next links away.
pub(super) fn unlink(batch: &LinkBatch, place: Option<Place>) -> Result<Request, Refusal> {
    if attached::is_meant(batch) {
        return attached::request(batch, place, Way::TakeAway);
    }
    let association = association(batch)?;
    let all = unlinking(batch, &association);
    let inputs: Vec<&Json> = all.iter().skip(unlinked_so_far(place.as_ref())).take(ARCHIVE_BATCH).collect();
    if inputs.is_empty() {
        return Err(Refusal::unsupported("there is nothing to take away"));
    }
    let base = format!("{}/{}/{}/batch", path::ASSOCIATIONS, batch.object, batch.to_object);
    let action = if association.all { "archive" } else { "labels/archive" };
    Ok(post(format!("{base}/{action}"), &CALL, &json!({ "inputs": inputs })))
}

/// One outcome for each link, or the next request. What is not there is taken away (204 for those too).
pub(super) fn unlinked(batch: &LinkBatch, place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    if attached::is_meant(batch) {
        return attached::linked(batch, place, Way::TakeAway, reply);
    }
    let association = association(batch).map_err(Fault::from)?;
    // The answer has no body; a mixed one names what was refused.
    if !reply.body.is_empty()
        && let Some(fault) = faults::failed_read(&body(reply)?, reply)
    {
        return Err(fault);
    }
    let done = unlinked_so_far(place.as_ref()) + ARCHIVE_BATCH;
    if done < unlinking(batch, &association).len() {
        return Ok(Place::Unlinked(done).then());
    }
    let outcome = |link: &Link| LinkOutcome { link: link.clone(), result: Ok(()) };
    Ok(Step::Linked(batch.links.iter().map(outcome).collect()))
}

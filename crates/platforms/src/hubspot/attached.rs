//! Files named by activities that exist.
//!
//! `hs_attachment_ids` is a property, no association (sheet: HubSpot section 2.7 \[doc\]): adding a file means
//! reading what the property names and writing it with one id more, taking one away writing it with one less.
//! What else is there stays; a record that names what it shall already costs no write.

use std::collections::{BTreeMap, BTreeSet};

use handover_connect::{Fault, FaultKind, LinkBatch, LinkOutcome, Refusal, Reply, Request, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::capabilities::CALL;
use super::faults;
use super::gather::{READ, post};
use super::json::{body, id_text, items, results};
use super::objects::path;
use super::place::Place;
use super::reading::ATTACHED;
use super::values::parts;
use crate::marks::Mark;

/// Whether files are added to records or taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Add,
    TakeAway,
}

/// How far it came: records are read and written in batches of 100.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Attached {
    /// Batches that are done.
    done: usize,
    /// What the records of the batch under way name; none while it is to be read.
    had: Option<BTreeMap<String, Vec<String>>>,
    /// Records that name what they shall.
    named: BTreeSet<String>,
    /// Why others do not: code and message.
    refused: BTreeMap<String, (String, String)>,
}

/// Whether links of a batch are such files.
pub(super) fn is_meant(batch: &LinkBatch) -> bool {
    batch.field == ATTACHED && batch.to_object == "files"
}

fn started(place: Option<Place>) -> Attached {
    if let Some(Place::Attached(attached)) = place { attached } else { Attached::default() }
}

/// The records that point, in batches.
fn records(batch: &LinkBatch) -> Vec<Vec<&str>> {
    let from: BTreeSet<&str> = batch.links.iter().map(|link| link.from.as_str()).collect();
    let from: Vec<&str> = from.into_iter().collect();
    from.chunks(READ).map(<[&str]>::to_vec).collect()
}

impl Attached {
    /// Of the batch under way: the records that are to name more or fewer, with all that they shall name.
    fn changed(&self, batch: &LinkBatch, way: Way) -> BTreeMap<String, String> {
        let mut changed = BTreeMap::new();
        for (from, had) in self.had.iter().flatten() {
            let mut all = had.clone();
            for link in batch.links.iter().filter(|link| link.from == *from.as_str()) {
                match way {
                    Way::Add if all.iter().any(|id| link.to == *id.as_str()) => {}
                    Way::Add => all.push(link.to.to_string()),
                    Way::TakeAway => all.retain(|id| link.to != *id.as_str()),
                }
            }
            if all.len() != had.len() {
                // Naming none is the empty string, which clears (sheet: HubSpot section 2.2 [spec]).
                changed.insert(from.clone(), all.join(";"));
            }
        }
        changed
    }

    fn take_read(&mut self, batch: &LinkBatch, way: Way, body: &Json) -> Result<(), Fault> {
        let mut had = BTreeMap::new();
        for result in results(body)? {
            let Some(id) = result.get("id").and_then(id_text) else { continue };
            let text = result.pointer(&format!("/properties/{ATTACHED}")).and_then(Json::as_str).unwrap_or_default();
            had.insert(id, parts(text).map(str::to_owned).collect());
        }
        self.had = Some(had);
        let changed = self.changed(batch, way);
        let whole = self.had.iter().flatten().map(|(from, _)| from).filter(|from| !changed.contains_key(*from));
        self.named.extend(whole.cloned());
        Ok(())
    }

    fn take_written(&mut self, body: &Json, reply: &Reply) {
        self.named.extend(items(body, "results").iter().filter_map(|result| id_text(result.get("id")?)));
        for error in items(body, "errors") {
            let fault = faults::of_row(error, reply);
            let traced = error.pointer("/context/objectWriteTraceId/0").and_then(id_text);
            if let Some(id) = traced.or_else(|| faults::context_id(error)) {
                self.refused.insert(id, (fault.code, fault.message));
            }
        }
    }

    fn outcome(&self, from: &str, way: Way) -> Result<(), Fault> {
        if self.named.contains(from) {
            return Ok(());
        }
        Err(match self.refused.get(from) {
            Some((code, message)) => Fault::new(FaultKind::Invalid, code, message),
            // A record that is gone names nothing.
            None if way == Way::TakeAway => return Ok(()),
            None => Fault::new(FaultKind::NotFound, "OBJECT_NOT_FOUND", "the record that is to name the file is gone"),
        })
    }
}

/// The request that reads what records name, or writes it with more or less.
pub(super) fn request(batch: &LinkBatch, place: Option<Place>, way: Way) -> Result<Request, Refusal> {
    let attached = started(place);
    let base = format!("{}/{}/batch", path::OBJECTS, batch.object);
    if attached.had.is_some() {
        let inputs: Vec<Json> = attached
            .changed(batch, way)
            .into_iter()
            .map(|(id, all)| json!({ "objectWriteTraceId": id, "id": id, "properties": { ATTACHED: all } }))
            .collect();
        return Ok(post(format!("{base}/update"), &CALL, &json!({ "inputs": inputs })));
    }
    let records = records(batch);
    let ids = records.get(attached.done).ok_or_else(|| Refusal::unsupported("there is nothing to link"))?;
    let inputs: Vec<Json> = ids.iter().map(|id| json!({ "id": id })).collect();
    let body = json!({ "properties": [ATTACHED], "propertiesWithHistory": [], "inputs": inputs });
    Ok(post(format!("{base}/read"), &CALL, &body))
}

/// One outcome for each link, or the next request.
pub(super) fn linked(batch: &LinkBatch, place: Option<Place>, way: Way, reply: &Reply) -> Result<Step, Fault> {
    let mut attached = started(place);
    if !(200..300).contains(&reply.status) {
        return Err(faults::of_reply(reply, attached.had.is_some()));
    }
    let body = body(reply)?;
    if attached.had.is_some() {
        attached.take_written(&body, reply);
        attached.had = None;
        attached.done += 1;
    } else {
        if let Some(fault) = faults::failed_read(&body, reply) {
            return Err(fault);
        }
        attached.take_read(batch, way, &body)?;
        if attached.changed(batch, way).is_empty() {
            attached.had = None;
            attached.done += 1;
        }
    }
    if attached.done < records(batch).len() {
        return Ok(Place::Attached(attached).then());
    }
    let outcome = |link: &handover_connect::Link| LinkOutcome {
        link: link.clone(),
        result: attached.outcome(link.from.as_str(), way),
    };
    Ok(Step::Linked(batch.links.iter().map(outcome).collect()))
}

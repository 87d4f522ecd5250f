//! Relations that are read and written in calls of their own: the parents of organizations and the
//! participants of deals.
//!
//! In a relation of the type `parent`, `rel_owner_org_id` is the parent and `rel_linked_org_id` the daughter
//! (vendor's specification of `POST /v1/organizationRelationships`). Reading costs 20 tokens per
//! organization and 10 per page of a deal's participants, adding 10, taking away 6 (`x-token-cost` there).
//!
//! Neither call is known to refuse a second, equal link, so the existing ones of a record are read first, once
//! for all its links that stand together.

use handover_connect::{Cursor, Fault, Link, LinkBatch, LinkOutcome, Method, Refusal, Reply, Request, Step};
use handover_model::{FieldName, Fields, Record, RecordId, Value};
use serde_json::{Value as Json, json};

use super::encode::object_of;
use super::faults;
use super::form::id_text;
use super::mark::{EnrichMark, LinkMark};
use super::object::{Object, cost, segment};
use crate::marks::{self, Mark, Refused};

/// A relation that has calls of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Parent,
    Participants,
}

impl Relation {
    /// The relation of a field.
    ///
    /// # Errors
    /// When the field is written with the record.
    pub(super) fn of(object: Object, field: &str) -> Result<Self, Refusal> {
        match (object, field) {
            (Object::Organizations, "parent") => Ok(Self::Parent),
            (Object::Deals, "participants") => Ok(Self::Participants),
            _ => Err(Refusal::unsupported(format!("`{field}` of `{}` is written with the record", object.name()))),
        }
    }

    /// The request for a page of a record's relations.
    pub(super) fn read(self, id: &str, start: u64) -> Request {
        match self {
            Self::Parent => {
                let request =
                    Request::new(Method::Get, "/v1/organizationRelationships", &cost(20)).with_query("org_id", id);
                // Paging is in its answer but not among its documented parameters.
                if start > 0 { request.with_query("start", start.to_string()) } else { request }
            }
            Self::Participants => {
                Request::new(Method::Get, format!("/v1/deals/{}/participants", segment(id)), &cost(10))
                    .with_query("start", start.to_string())
                    .with_query("limit", "500")
            }
        }
    }

    fn add(self, from: &str, to: &str) -> Result<Request, Refusal> {
        let number = |id: &str| {
            id.parse::<u64>().map_err(|_| Refusal::unsupported("the id of a record to link is not a number"))
        };
        let (path, body) = match self {
            Self::Parent => (
                "/v1/organizationRelationships".to_owned(),
                json!({"type": "parent", "rel_owner_org_id": number(to)?, "rel_linked_org_id": number(from)?}),
            ),
            Self::Participants => {
                (format!("/v1/deals/{}/participants", segment(from)), json!({"person_id": number(to)?}))
            }
        };
        Ok(Request::new(Method::Post, path, &cost(10)).with_json(body.to_string().into_bytes()))
    }

    /// The request that takes away the relation of a row.
    pub(super) fn remove(self, from: &str, row: &str) -> Request {
        let path = match self {
            Self::Parent => format!("/v1/organizationRelationships/{}", segment(row)),
            Self::Participants => format!("/v1/deals/{}/participants/{}", segment(from), segment(row)),
        };
        Request::new(Method::Delete, path, &cost(6)).idempotent()
    }

    /// The records on one page that `from` points to, each with the id of its row.
    pub(super) fn rows(self, body: &Json, from: &str) -> Result<Vec<(String, String)>, Fault> {
        let rows = super::decode::rows(body);
        let of = |row: &Json, to| {
            let id = row.get("id").and_then(id_text).ok_or_else(|| Fault::malformed("a relation without an id"))?;
            Ok((to, id))
        };
        rows.iter().filter_map(|row| Some(of(row, self.to(row, from)?))).collect()
    }

    /// The ids on one page that `from` points to, and where the next page begins.
    fn page(self, body: &Json, from: &str) -> (Vec<String>, Option<u64>) {
        let rows = body.get("data").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let ids = rows.iter().filter_map(|row| self.to(row, from)).collect();
        (ids, next_start(body))
    }

    fn to(self, row: &Json, from: &str) -> Option<String> {
        match self {
            Self::Parent => {
                let is_daughter = row.get("type").and_then(Json::as_str) == Some("parent")
                    && row.get("rel_linked_org_id").and_then(id_text).as_deref() == Some(from);
                is_daughter.then(|| row.get("rel_owner_org_id").and_then(id_text)).flatten()
            }
            Self::Participants => {
                let inactive = row.get("active_flag").and_then(Json::as_bool) == Some(false);
                if inactive { None } else { row.get("person_id").and_then(id_text) }
            }
        }
    }
}

/// v1's next offset, when there is more (sheet: Pipedrive section 4 \[doc\]).
pub(super) fn next_start(body: &Json) -> Option<u64> {
    let more = body.get("additional_data")?;
    // The specification has the three numbers of some lists without the object around them.
    let pagination = more.get("pagination").unwrap_or(more);
    if pagination.get("more_items_in_collection").and_then(Json::as_bool) != Some(true) {
        return None;
    }
    pagination.get("next_start").and_then(Json::as_u64).or_else(|| {
        let start = pagination.get("start").and_then(Json::as_u64)?;
        Some(start + pagination.get("limit").and_then(Json::as_u64)?)
    })
}

/// The request for an extra read.
pub(super) fn enrich(
    object: Object,
    field: &FieldName,
    ids: &[RecordId],
    cursor: Option<&Cursor>,
) -> Result<Request, Refusal> {
    let relation = Relation::of(object, field.as_str())?;
    let mark = marks::of::<EnrichMark>(cursor)?.unwrap_or_default();
    match ids {
        [id] => Ok(relation.read(id.as_str(), mark.start)),
        _ => Err(Refusal::unsupported(format!("`{field}` is read for one record at a time"))),
    }
}

/// What an extra read's answer means.
pub(super) fn enriched(
    object: Object,
    field: &FieldName,
    ids: &[RecordId],
    cursor: Option<&Cursor>,
    reply: &Reply,
) -> Result<Step, Fault> {
    let relation = Relation::of(object, field.as_str()).map_err(|refusal| Fault::malformed(refusal.message))?;
    let Some(id) = ids.first() else { return Ok(Step::Page { records: Vec::new(), next: None }) };
    let body = faults::check(reply)?;
    let mut mark: EnrichMark = marks::sent(cursor)?.unwrap_or_default();
    let (found, next) = relation.page(&body, id.as_str());
    mark.ids.extend(found);
    if let Some(next) = next.filter(|next| *next > mark.start) {
        mark.start = next;
        return Ok(mark.then());
    }
    let value = match relation {
        // An organization can have several; the first is given, in the order of the answer.
        Relation::Parent => mark.ids.into_iter().next().map_or(Value::Null, Value::Text),
        Relation::Participants => Value::List(mark.ids.into_iter().map(Value::Text).collect()),
    };
    let mut fields = Fields::new();
    fields.set(field.clone(), value);
    let record = Record { id: id.clone(), fields, modified: None, gone: false };
    Ok(Step::Page { records: vec![record], next: None })
}

/// The request that looks for the links of a record, or the one that adds a link.
pub(super) fn request(batch: &LinkBatch, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    let relation = Relation::of(object_of(&batch.object)?, batch.field.as_str())?;
    let mark = marks::of::<LinkMark>(cursor)?.unwrap_or_default();
    let link = batch.links.get(mark.outcomes.len()).ok_or_else(|| Refusal::unsupported("there is nothing to link"))?;
    match &mark.known {
        Some(_) => relation.add(link.from.as_str(), link.to.as_str()),
        None => Ok(relation.read(link.from.as_str(), mark.start)),
    }
}

/// What the answer about a link means, and what comes next.
pub(super) fn linked(batch: &LinkBatch, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let object = object_of(&batch.object).map_err(|refusal| Fault::malformed(refusal.message))?;
    let relation = Relation::of(object, batch.field.as_str()).map_err(|refusal| Fault::malformed(refusal.message))?;
    let mut mark: LinkMark = marks::sent(cursor)?.unwrap_or_default();
    let Some(link) = batch.links.get(mark.outcomes.len()) else { return Ok(Step::Linked(Vec::new())) };
    match (faults::check(reply), &mut mark.known) {
        (Err(fault), _) if super::write::concerns_the_record(&fault) => mark.outcomes.push(Some((&fault).into())),
        (Err(fault), _) => return Err(fault),
        (Ok(_), Some(known)) => {
            known.push(link.to.to_string());
            mark.outcomes.push(None);
        }
        (Ok(body), None) => {
            let (found, next) = relation.page(&body, link.from.as_str());
            mark.found.extend(found);
            match next.filter(|next| *next > mark.start) {
                Some(next) => mark.start = next,
                None => mark.known = Some(std::mem::take(&mut mark.found)),
            }
        }
    }
    if mark.advance(&batch.links) {
        return Ok(mark.then());
    }
    Ok(told(&batch.links, mark.outcomes))
}

/// What became of each link.
pub(super) fn told(links: &[Link], outcomes: Vec<Option<Refused>>) -> Step {
    let outcome = |(link, refused): (&Link, Option<Refused>)| LinkOutcome {
        link: link.clone(),
        result: refused.map_or(Ok(()), |refused| Err(refused.fault())),
    };
    Step::Linked(links.iter().zip(outcomes).map(outcome).collect())
}

impl LinkMark {
    /// Goes to the next link that is to be added or whose record is to be looked at; false when none is left.
    fn advance(&mut self, links: &[Link]) -> bool {
        let mut before = self.at;
        while let Some(link) = links.get(self.outcomes.len()) {
            if links.get(before).is_some_and(|before| before.from != link.from) {
                (self.known, self.start) = (None, 0);
                self.found.clear();
            }
            before = self.outcomes.len();
            self.at = before;
            match &self.known {
                Some(known) if known.iter().any(|id| link.to == *id.as_str()) => self.outcomes.push(None),
                Some(_) | None => return true,
            }
        }
        false
    }
}

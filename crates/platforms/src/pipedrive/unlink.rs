//! Taking away relations that have calls of their own: the parents of organizations and the participants of
//! deals.
//!
//! Each is deleted by an id of its own, which the list of a record's relations tells, so that is read first, once
//! for all links of a record that stand together. Nothing refuses a second, equal relation for certain, so all
//! that lead to the same record are taken away.
//!
//! The main person of a deal stands among its participants and is a field of the deal; what deleting it there
//! answers is not documented. So a relation that is said to be unknown is looked for once more: if it still
//! stands there, the link is refused.

use std::collections::VecDeque;

use handover_connect::{Cursor, Fault, FaultKind, Link, LinkBatch, Refusal, Reply, Request, Step};
use serde_json::Value as Json;

use super::encode::object_of;
use super::faults;
use super::link::{Relation, next_start, told};
use super::mark::UnlinkMark;
use super::write::concerns_the_record;
use crate::marks::{self, Mark};

/// The request that looks for the relations of a record, or the one that takes the next away.
pub(super) fn request(batch: &LinkBatch, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    let relation = Relation::of(object_of(&batch.object)?, batch.field.as_str())?;
    let mark = marks::of::<UnlinkMark>(cursor)?.unwrap_or_default();
    let link = batch.links.get(mark.outcomes.len());
    let link = link.ok_or_else(|| Refusal::unsupported("there is nothing to take away"))?;
    match mark.away.front().filter(|_| !mark.reads) {
        Some(id) => Ok(relation.remove(link.from.as_str(), id)),
        None => Ok(relation.read(link.from.as_str(), mark.start)),
    }
}

/// What the answer means, and what comes next.
pub(super) fn unlinked(batch: &LinkBatch, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let object = object_of(&batch.object).map_err(|refusal| Fault::malformed(refusal.message))?;
    let relation = Relation::of(object, batch.field.as_str()).map_err(|refusal| Fault::malformed(refusal.message))?;
    let mut mark: UnlinkMark = marks::sent(cursor)?.unwrap_or_else(UnlinkMark::first);
    let Some(link) = batch.links.get(mark.outcomes.len()) else { return Ok(Step::Linked(Vec::new())) };
    let answer = faults::check(reply);
    if mark.reads {
        mark.read(relation, link, answer)?;
    } else {
        mark.removed(answer)?;
    }
    if mark.advance(&batch.links) {
        return Ok(mark.then());
    }
    Ok(told(&batch.links, mark.outcomes))
}

impl UnlinkMark {
    /// Before anything was read.
    fn first() -> Self {
        Self { reads: true, ..Self::default() }
    }

    /// A page of the record's relations.
    fn read(&mut self, relation: Relation, link: &Link, answer: Result<Json, Fault>) -> Result<(), Fault> {
        let body = match answer {
            Ok(body) => body,
            // A record that is gone has no relations.
            Err(fault) if fault.kind == FaultKind::NotFound => {
                self.found.clear();
                (self.reads, self.doubted) = (false, None);
                return Ok(());
            }
            Err(fault) if concerns_the_record(&fault) => {
                self.outcomes.push(Some((&fault).into()));
                self.forget();
                self.doubted = None;
                return Ok(());
            }
            Err(fault) => return Err(fault),
        };
        self.found.extend(relation.rows(&body, link.from.as_str())?);
        if let Some(next) = next_start(&body).filter(|next| *next > self.start) {
            self.start = next;
            return Ok(());
        }
        self.reads = false;
        if let Some(id) = self.doubted.take()
            && self.found.iter().any(|(_, row)| *row == id)
        {
            let why = "the relation cannot be deleted: the main person of a deal is a field of it";
            self.outcomes.push(Some((&Fault::new(FaultKind::Invalid, "404", why)).into()));
        }
        Ok(())
    }

    /// The answer to a deletion.
    fn removed(&mut self, answer: Result<Json, Fault>) -> Result<(), Fault> {
        let Some(id) = self.away.pop_front() else { return Ok(()) };
        match answer {
            Ok(_) => self.found.retain(|(_, row)| *row != id),
            // Gone already, or never one that can be deleted: the list tells.
            Err(fault) if fault.kind == FaultKind::NotFound => {
                self.forget();
                self.doubted = Some(id);
            }
            Err(fault) if concerns_the_record(&fault) => {
                self.away.clear();
                self.outcomes.push(Some((&fault).into()));
            }
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    /// Nothing is known of the record's relations any more.
    fn forget(&mut self) {
        (self.reads, self.start) = (true, 0);
        self.found.clear();
        self.away.clear();
    }

    /// Goes to the next link that needs a request; false when none is left.
    fn advance(&mut self, links: &[Link]) -> bool {
        let mut before = self.at;
        while let Some(link) = links.get(self.outcomes.len()) {
            if links.get(before).is_some_and(|before| before.from != link.from) {
                self.forget();
            }
            before = self.outcomes.len();
            self.at = before;
            if self.reads || !self.away.is_empty() {
                return true;
            }
            let ids = self.found.iter().filter(|(to, _)| link.to == *to.as_str()).map(|(_, row)| row.clone());
            self.away = ids.collect::<VecDeque<String>>();
            if !self.away.is_empty() {
                return true;
            }
            self.outcomes.push(None);
        }
        false
    }
}

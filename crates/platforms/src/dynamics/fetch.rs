//! Records by their ids, and what became of those that were merged away.
//!
//! A record that was merged into another stays, inactive, and names that one (sheet: Dynamics section 5.7): it is read
//! in its place.

use handover_connect::{Fault, Refusal, Reply, Request, Step};
use handover_model::RecordId;

use super::encode::at_most;
use super::place::{Became, Place};
use super::query::ids_of;
use super::reading::Reading;
use super::rows::{Page, text};
use crate::marks::{Mark, foreign};

/// Merged records that were merged again; more than this is a loop.
const MOST_HOPS: u32 = 5;

/// The request for the records, or for those that they became.
pub(super) fn request(reading: &Reading<'_>, ids: &[RecordId], place: Option<&Place>) -> Result<Request, Refusal> {
    at_most(ids.len(), super::capabilities::FETCHED)?;
    let mut conditions: Vec<String> = reading.object.condition().into_iter().collect();
    conditions.extend(match place {
        None => ids_of(reading.object.id, ids.iter().map(RecordId::as_str)),
        Some(Place::Became(became)) => ids_of(reading.object.id, became.ids.iter().map(String::as_str)),
        Some(_) => return Err(foreign()),
    });
    if conditions.len() <= usize::from(reading.object.only.is_some()) {
        // Ids of which none has the form of one: no record has them.
        conditions.push(format!("{} eq null", reading.object.id));
    }
    reading.request(&conditions)
}

/// The records, and whether some of them were merged away.
pub(super) fn fetched(reading: &Reading<'_>, place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    let mut became = match place {
        None => Became::default(),
        Some(Place::Became(became)) => became,
        Some(_) => return Err(foreign().into()),
    };
    became.ids.clear();
    let page = Page::of(reply)?;
    let mut records = Vec::with_capacity(page.value.len());
    for row in &page.value {
        match text(row, "_masterid_value").filter(|_| reading.object.merges) {
            Some(master) => became.ids.push(master),
            // Whoever it became is gone.
            None if row.get("merged").is_some_and(|raw| raw.get() == "true") => {}
            None => records.push(reading.record(row)?),
        }
    }
    records.retain(|record| !became.given.iter().any(|given| *given == record.id.as_str()));
    became.given.extend(records.iter().map(|record| record.id.to_string()));
    let given = &became.given;
    became.ids.retain(|id| !given.contains(id));
    became.hops += 1;
    let goes_on = !became.ids.is_empty() && became.hops <= MOST_HOPS;
    Ok(Step::Page { records, next: goes_on.then(|| Place::Became(became).cursor()) })
}

//! What replies mean, one for each operation and place.

use handover_connect::{Fault, Operation, Reply, Step};
use handover_model::Schema;

use super::encode::conditions;
use super::objects::object;
use super::place::{Place, Rows};
use super::reading::Reading;
use super::rows::Page;
use super::{account, auth, faults, feed, fetch, fields, files, links, removal, schema, write};
use crate::marks::Mark;

/// Rows that are told in one number (sheet: Dynamics section 4).
const COUNTED: u64 = 5_000;

/// The meaning of a reply.
pub(super) fn step(
    operation: &Operation,
    place: Option<Place>,
    reply: &Reply,
    learnt: Option<&Schema>,
) -> Result<Step, Fault> {
    match operation {
        Operation::Account => account::told(place, reply),
        Operation::Objects => schema::objects_told(reply),
        Operation::Describe(name) => schema::described(name.as_str(), place, reply),
        Operation::Users => account::users_told(Rows::of(place).map_err(Fault::from)?, reply),
        Operation::Count(_) => counted(Rows::of(place).map_err(Fault::from)?, reply),
        Operation::Enrich { field, ids, .. } => {
            let reading = Reading::of(operation, learnt).map_err(Fault::from)?;
            links::told(&reading, field, ids, place, reply)
        }
        Operation::List(_) | Operation::Candidates { .. } => {
            let reading = Reading::of(operation, learnt).map_err(Fault::from)?;
            listed(operation, &reading, Rows::of(place).map_err(Fault::from)?, reply)
        }
        Operation::Feed { token, .. } => {
            let reading = Reading::of(operation, learnt).map_err(Fault::from)?;
            feed::told(&reading, token.as_ref(), reply)
        }
        Operation::Fetch { .. } => {
            let reading = Reading::of(operation, learnt).map_err(Fault::from)?;
            fetch::fetched(&reading, place, reply)
        }
        Operation::Write(batch) => {
            let object = object(batch.object.as_str(), learnt).map_err(Fault::from)?;
            if object.is_document() {
                return files::uploaded(batch, reply, learnt);
            }
            write::written(batch, place, reply, learnt)
        }
        Operation::Link(batch) => links::linked(batch, links::Way::Add, reply),
        Operation::Unlink(batch) => links::linked(batch, links::Way::TakeAway, reply),
        Operation::Delete { ids, .. } => removal::deleted(ids, reply),
        Operation::Merge { survivor, .. } => removal::merged(survivor, reply),
        Operation::Download { .. } => faults::check(reply).map(|()| Step::Downloaded),
        Operation::CreateField { object: name, field } => {
            let object = object(name.as_str(), learnt).map_err(Fault::from)?;
            fields::created(&object, field, place, reply)
        }
        Operation::Refresh => auth::refreshed(reply),
        Operation::Device { .. } => auth::device_told(reply),
        Operation::Automations | Operation::History { .. } | Operation::Subscriptions(_) => {
            Err(Fault::malformed("an answer that was not asked for"))
        }
    }
}

/// A number that is told, or one more page of what is counted.
fn counted(mut rows: Rows, reply: &Reply) -> Result<Step, Fault> {
    let page = Page::of(reply)?;
    if rows.nth == 0 {
        let told = page.count.ok_or_else(|| Fault::malformed("the answer tells no number"))?;
        if told < COUNTED {
            return Ok(Step::Count(told));
        }
        // All of it is read from the beginning, in whole pages.
        return Ok(Place::Rows(Rows { nth: 1, next: None, counted: 0 }).then());
    }
    rows.counted += page.value.len() as u64;
    rows.next = page.next()?;
    if rows.next.is_none() {
        return Ok(Step::Count(rows.counted));
    }
    Ok(Place::Rows(rows).then())
}

/// One page of rows, and where the next one is.
fn listed(operation: &Operation, reading: &Reading<'_>, mut rows: Rows, reply: &Reply) -> Result<Step, Fault> {
    let page = Page::of(reply)?;
    let mut records = Vec::with_capacity(page.value.len());
    for row in &page.value {
        records.push(reading.record(row)?);
    }
    rows.next = page.next()?;
    if rows.next.is_none() {
        rows.nth += 1;
    }
    let goes_on = rows.next.is_some() || rows.nth < conditions(operation, reading).map_err(Fault::from)?.len();
    Ok(Step::Page { records, next: goes_on.then(|| Place::Rows(rows).cursor()) })
}

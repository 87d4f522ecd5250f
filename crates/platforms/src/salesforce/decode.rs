//! What replies mean, one for each operation and place.

use std::sync::Arc;

use handover_connect::{Fault, Operation, Reply, Step};
use handover_model::Schema;

use super::encode::queries;
use super::jobs::Jobs;
use super::objects::{Family, object};
use super::place::{Job, Place, Rows};
use super::reading::Reading;
use super::rows::Page;
use super::{account, auth, faults, fetch, fields, files, jobs, links, notes, removal, schema, soap, write};
use crate::marks::Mark;

/// The meaning of a reply.
pub(super) fn step(
    operation: &Operation,
    place: Option<Place>,
    reply: &Reply,
    learnt: Option<Arc<Schema>>,
    jobs_when: Jobs,
) -> Result<Step, Fault> {
    match operation {
        Operation::Account => account::told(place, reply),
        Operation::Objects => schema::objects_told(reply),
        Operation::Describe(name) => {
            let object = object(name.as_str()).map_err(Fault::from)?;
            schema::described(&object, reply)
        }
        Operation::Users => account::users_told(Rows::of(place).map_err(Fault::from)?, reply),
        Operation::Count(_) => {
            let page = Page::of(reply)?;
            Ok(Step::Count(page.total_size.ok_or_else(|| Fault::malformed("the answer tells no number"))?))
        }
        Operation::Enrich { field, ids, .. } => {
            let reading = Reading::of(operation, learnt).map_err(Fault::from)?;
            match reading.junction() {
                Some(junction) => {
                    let rows = Rows::of(place).map_err(Fault::from)?;
                    if let Some(step) = forgotten(&rows, reply) {
                        return Ok(step);
                    }
                    links::enriched(junction, field, ids, rows, reply)
                }
                None => notes::read(field, ids, reply),
            }
        }
        Operation::List(_) | Operation::Candidates { .. } => {
            let reading = Reading::of(operation, learnt).map_err(Fault::from)?;
            match place {
                Some(Place::Job(job)) => jobs::read(&reading, job, reply),
                place => {
                    let is_first = place.is_none() && matches!(operation, Operation::List(_));
                    let rows = Rows::of(place).map_err(Fault::from)?;
                    listed(operation, &reading, rows, is_first.then_some(jobs_when), reply)
                }
            }
        }
        Operation::Fetch { ids, .. } => {
            let reading = Reading::of(operation, learnt).map_err(Fault::from)?;
            fetch::fetched(&reading, ids, place, reply)
        }
        Operation::Write(batch) => {
            let object = object(batch.object.as_str()).map_err(Fault::from)?;
            match object.family {
                Family::File => files::uploaded(batch, reply),
                Family::Plain | Family::Note | Family::Attachment => {
                    write::written(batch, place, learnt.as_deref(), reply)
                }
            }
        }
        Operation::Link(batch) => links::linked(batch, place, links::Way::Add, reply),
        Operation::Unlink(batch) => links::linked(batch, place, links::Way::TakeAway, reply),
        Operation::Delete { ids, .. } => removal::deleted(ids, reply),
        Operation::Download { .. } => faults::check(reply, false).map(|()| Step::Downloaded),
        Operation::CreateField { object: name, field } => {
            let object = object(name.as_str()).map_err(Fault::from)?;
            fields::created(&object, field, place, reply)
        }
        Operation::Refresh => auth::refreshed(reply),
        Operation::Device { .. } => Err(Fault::unsupported("Salesforce lets no app in from another device")),
        Operation::Merge { survivor, other, .. } => soap::merged(survivor, other, place, reply),
        Operation::Automations | Operation::Feed { .. } | Operation::History { .. } | Operation::Subscriptions(_) => {
            Err(Fault::malformed("an answer that was not asked for"))
        }
    }
}

/// Where reading goes on when the platform has forgotten the path of the next page: behind the last record.
fn forgotten(rows: &Rows, reply: &Reply) -> Option<Step> {
    rows.next.as_ref()?;
    let fault = faults::check(reply, false).err()?;
    // A locator that was never one, or of another user, is not found (sheet: Salesforce section 4).
    let is_forgotten = fault.code == "INVALID_QUERY_LOCATOR" || fault.status == 404;
    is_forgotten.then(|| Place::Rows(Rows { next: None, ..rows.clone() }).then())
}

/// One page of rows, and where the next one is; behind the first page of a list, where so many rows stand there that a
/// job pays, a job.
fn listed(
    operation: &Operation,
    reading: &Reading<'_>,
    mut rows: Rows,
    jobs_when: Option<Jobs>,
    reply: &Reply,
) -> Result<Step, Fault> {
    if let Some(step) = forgotten(&rows, reply) {
        return Ok(step);
    }
    let page = Page::of(reply)?;
    let mut records = Vec::with_capacity(page.records.len());
    for row in &page.records {
        records.push(reading.record(row)?);
    }
    let queries = queries(operation, reading).map_err(Fault::from)?.len();
    let left = page.total_size.unwrap_or(0).saturating_sub(page.records.len() as u64);
    if !links::go_on(&mut rows, &page, queries) {
        return Ok(Step::Page { records, next: None });
    }
    let is_job = jobs_when.is_some_and(|jobs| left >= jobs.from) && reading.is_typed();
    let place = if is_job { Place::Job(Job { first: rows, ..Job::default() }) } else { Place::Rows(rows) };
    Ok(Step::Page { records, next: Some(place.cursor()) })
}

//! Requests, one for each operation and place.

use std::sync::Arc;

use handover_connect::{Method, Operation, Refusal, Request, Which, WriteMode};
use handover_model::{RecordId, Schema};

use super::capabilities::CALL;
use super::jobs::Jobs;
use super::objects::{Family, Object, is_id, object};
use super::place::{Paged, Place, Through, page_of};
use super::reading::Reading;
use super::{account, auth, coql, fields, files, jobs, links, paged, queried, removal, schema, watch, write};

/// The request for an operation at a place.
pub(super) fn request(
    operation: &Operation,
    place: Option<Place>,
    learnt: Option<Arc<Schema>>,
    jobs_when: Jobs,
) -> Result<Request, Refusal> {
    match operation {
        Operation::Account => Ok(account::account(place.as_ref())),
        Operation::Objects => Ok(schema::modules()),
        Operation::Describe(name) => Ok(schema::describe(&object(name.as_str())?, place.as_ref())),
        Operation::Users => Ok(account::users(page_of(place)?)),
        Operation::Automations => Err(Refusal::unsupported("Zoho's automations are not read")),
        Operation::Count(name) => {
            let object = object(name.as_str())?;
            match object.family {
                Family::Plain | Family::Activity => Ok(coql::count(object.name, None, &[])),
                Family::Note | Family::Attachment => {
                    Err(Refusal::unsupported(format!("how many {} there are is not told", object.name)))
                }
            }
        }
        Operation::List(_) | Operation::Fetch { .. } | Operation::Candidates { .. } => {
            read(operation, &Reading::of(operation, learnt)?, place, jobs_when)
        }
        Operation::Enrich { ids, .. } => enrich(&Reading::of(operation, learnt)?, ids, place),
        Operation::Write(batch) => {
            let object = object(batch.object.as_str())?;
            match object.family {
                Family::Attachment => files::upload(batch),
                _ => write::request(&object, batch, place, learnt.as_deref()),
            }
        }
        Operation::Link(batch) => links::request(batch, place, links::Way::Add),
        Operation::Unlink(batch) => links::request(batch, place, links::Way::TakeAway),
        Operation::Delete { object: name, ids } => removal::delete(&object(name.as_str())?, ids),
        Operation::Merge { object: name, survivor, other } => {
            removal::merge(&object(name.as_str())?, survivor, other, place.as_ref())
        }
        Operation::Feed { object, .. } => Err(Refusal::no_feed(object)),
        Operation::History { object, .. } => {
            Err(Refusal::unsupported(format!("the history of `{object}` is not read")))
        }
        Operation::Download { object: name, id, to } => match object(name.as_str())?.family {
            Family::Attachment => files::download(id, to),
            _ => Err(Refusal::unsupported(format!("records of {name} have no bytes"))),
        },
        Operation::CreateField { object: name, field } => {
            fields::create(&object(name.as_str())?, field, place.as_ref())
        }
        Operation::Subscriptions(what) => watch::request(what, page_of(place)?),
        Operation::Refresh => Ok(auth::refresh()),
        Operation::Device { .. } => Err(Refusal::unsupported("Zoho lets no app in from another device")),
    }
}

fn read(
    operation: &Operation,
    reading: &Reading<'_>,
    place: Option<Place>,
    jobs_when: Jobs,
) -> Result<Request, Refusal> {
    let since = match operation {
        Operation::List(read) if read.which == Which::Deleted => {
            return match reading.object.family {
                Family::Attachment => Err(Refusal::unsupported("deleted attachments are not listed")),
                _ => Ok(removal::feed(&reading.object, read, page_of(place)?)),
            };
        }
        Operation::List(read) => read.since,
        Operation::Candidates { since, .. } => Some(queried::made_since(*since)),
        _ => None,
    };
    match reading.object.family {
        Family::Note if is_paged(operation) => paged::request(reading, &Paged::of(place)?, since),
        Family::Attachment => match operation {
            Operation::List(_) if since.is_some() => {
                Err(Refusal::unsupported("attachments are not listed by the time of their change"))
            }
            Operation::List(_) => files::through(reading, &Through::of(place)?),
            _ => files::some(operation, reading, page_of(place)?),
        },
        Family::Plain | Family::Activity | Family::Note => match (operation, jobs::here(reading, place)) {
            (Operation::List(read), Some(Place::Job(job))) => jobs::request(reading, &job, read.since, jobs_when),
            (_, place) => queried::request(operation, reading, place),
        },
    }
}

/// Whether an operation on notes goes through pages, and not by ids.
pub(super) fn is_paged(operation: &Operation) -> bool {
    match operation {
        Operation::List(_) => true,
        Operation::Candidates { batch, .. } => batch.mode != WriteMode::Update,
        _ => false,
    }
}

/// The request for what lists do not bring, of one record.
fn enrich(reading: &Reading<'_>, ids: &[RecordId], place: Option<Place>) -> Result<Request, Refusal> {
    let [id] = ids else { return Err(Refusal::unsupported("further fields are read record by record")) };
    if !is_id(id.as_str()) {
        return Err(Refusal::unsupported(format!("`{id}` is no id of {}", reading.object.name)));
    }
    if asks_links(&reading.object, reading) {
        return Ok(links::contacts(id, links::state(place)?.page.max(1)));
    }
    Ok(Request::new(Method::Get, format!("{}/{id}", reading.object.path()), &CALL))
}

/// Whether an extra read asks for links.
pub(super) fn asks_links(object: &Object<'_>, reading: &Reading<'_>) -> bool {
    reading.fields.first().is_some_and(|field| links::is_field(object, field.as_str()))
}

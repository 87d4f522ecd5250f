//! What replies mean, one for each operation and place.

use std::collections::HashMap;
use std::sync::Arc;

use handover_connect::{Fault, Operation, Read, Reply, Step, Which};
use handover_model::Schema;
use serde_json::Value as Json;

use super::encode::{gathering, is_long_search, listed_links, searched_since, then_links};
use super::gather::{Gathering, Input, READ, Task, ascending};
use super::json::{after, body, results, text_at};
use super::objects::{Family, object};
use super::place::Place;
use super::reading::{Reading, archived_at};
use super::{account, auth, faults, files, history, links, removal, rows, schema, write};
use crate::marks::Mark;

/// The meaning of a reply.
pub(super) fn step(
    operation: &Operation,
    place: Option<Place>,
    reply: &Reply,
    learnt: Option<Arc<Schema>>,
) -> Result<Step, Fault> {
    let unsupported = |refusal: handover_connect::Refusal| Fault::from(refusal);
    // Those that make something of a refusal themselves.
    match operation {
        Operation::Account if matches!(place, Some(Place::Usage(_))) => return account::account_told(place, reply),
        Operation::Automations => return account::flows_told(place, reply),
        Operation::CreateField { object, field } => return schema::field_created(object.as_str(), field, place, reply),
        Operation::Refresh => return auth::refreshed(reply),
        Operation::Write(batch) => {
            let object = object(batch.object.as_str()).map_err(unsupported)?;
            return if object.is_crm() { write::written(batch, reply) } else { write::uploaded(batch, reply) };
        }
        Operation::Delete { object: name, ids } => {
            return removal::deleted(&object(name.as_str()).map_err(unsupported)?, ids, reply);
        }
        Operation::Merge { survivor, .. } => return removal::merged(survivor, reply),
        Operation::Fetch { .. } | Operation::Enrich { .. } | Operation::Candidates { .. } => {
            let reading = Reading::of(operation, learnt).map_err(unsupported)?;
            if reading.object.family == Family::File && matches!(operation, Operation::Fetch { .. }) {
                return one_file(&reading, reply);
            }
            return gathering(operation, place, &reading).map_err(unsupported)?.take(&reading, reply);
        }
        Operation::List(read) => {
            let reading = Reading::of(operation, learnt).map_err(unsupported)?;
            if let Some(Place::Gather(gathering)) = place {
                return gathering.take(&reading, reply);
            }
            accept(reply)?;
            if let Some(step) = plain_list(&reading, read, place.as_ref(), reply) {
                return Ok(step);
            }
            return listed(&reading, read, place.as_ref(), &body(reply)?);
        }
        _ => {}
    }
    // An object without call outcomes still has its other fields.
    if let (Operation::Describe(_), Some(Place::Dispositions(schema)), 403 | 404) = (operation, &place, reply.status) {
        return Ok(Step::Schema(schema.clone()));
    }
    accept(reply)?;
    match operation {
        Operation::Account => account::account_told(place, reply),
        Operation::Objects => schema::objects_told(reply),
        Operation::Describe(name) => schema::described(object(name.as_str()).map_err(unsupported)?, place, reply),
        Operation::Users => account::owners_told(place.as_ref(), reply),
        Operation::Count(_) => {
            let total = body(reply)?.get("total").and_then(Json::as_u64);
            Ok(Step::Count(total.ok_or_else(|| Fault::malformed("the search told no total"))?))
        }
        Operation::Link(batch) => links::linked(batch, place, reply),
        Operation::Unlink(batch) => links::unlinked(batch, place, reply),
        Operation::Feed { .. } => Err(Fault::malformed("an answer that was not asked for")),
        Operation::History { fields, .. } => history::told(fields, reply),
        Operation::Download { .. } => match place {
            Some(Place::Signed(_)) => Ok(Step::Downloaded),
            _ => {
                let body = body(reply)?;
                let address =
                    text_at(&body, "url").ok_or_else(|| Fault::malformed("the file has no signed address"))?;
                Ok(Place::Signed(address.to_owned()).then())
            }
        },
        _ => Err(Fault::malformed("an answer that was not asked for")),
    }
}

/// Refusals become faults.
fn accept(reply: &Reply) -> Result<(), Fault> {
    if (200..300).contains(&reply.status) { Ok(()) } else { Err(faults::of_reply(reply, false)) }
}

fn one_file(reading: &Reading<'_>, reply: &Reply) -> Result<Step, Fault> {
    if reply.status == 404 {
        return Ok(Step::Page { records: Vec::new(), next: None });
    }
    accept(reply)?;
    Ok(Step::Page { records: vec![files::record(reading, &body(reply)?)?], next: None })
}

/// One page of live records listed with the properties that are wanted, read without a tree of it; `None` for
/// every other answer.
fn plain_list(reading: &Reading<'_>, read: &Read, place: Option<&Place>, reply: &Reply) -> Option<Step> {
    let is_plain = matches!(reading.object.family, Family::Record | Family::Activity | Family::Item)
        && read.which == Which::Live
        && read.since.is_none()
        && matches!(place, None | Some(Place::After(_)))
        && !reading.is_wide();
    let page = if is_plain { rows::page(reading, &reply.body)? } else { return None };
    let mut gathering =
        Gathering { next: page.after.map(|after| Place::After(after).cursor()), ..Gathering::default() };
    let has_links = !listed_links(reading, read).is_empty();
    let mut unfinished: HashMap<&str, Vec<Input>> = HashMap::new();
    for (mut record, links) in page.rows {
        if has_links {
            for to in reading.fill_listed(&mut record, &links) {
                unfinished.entry(to).or_default().push(Input { id: record.id.to_string(), after: None });
            }
        }
        gathering.records.push(record);
    }
    for (to, inputs) in unfinished {
        gathering.tasks.push_back(Task::Links { to: to.to_owned(), inputs });
    }
    Some(gathering.go_on(reading))
}

/// One page of a list or of a search.
fn listed(reading: &Reading<'_>, read: &Read, place: Option<&Place>, body: &Json) -> Result<Step, Fault> {
    let found = results(body)?;
    if reading.object.family == Family::File {
        let records = found.iter().map(|file| files::record(reading, file)).collect::<Result<_, _>>()?;
        return Ok(Step::Page { records, next: after(body).map(|after| Place::After(after).cursor()) });
    }
    let since = searched_since(read);
    let wide = since.map_or_else(|| reading.is_wide(), |since| is_long_search(reading, since));
    let mut gathering = Gathering::default();
    let more = after(body);
    gathering.next = if since.is_some() {
        let from = if let Some(Place::Beyond(id)) = place { *id } else { 0 };
        let (_, last) = ascending(found, from)?;
        // The next page begins beyond the last id and is the first of its own query.
        more.map(|_| Place::Beyond(last).cursor())
    } else {
        more.map(|after| Place::After(after).cursor())
    };
    let mut unfinished: HashMap<&str, Vec<Input>> = HashMap::new();
    let mut ids = Vec::new();
    for raw in found {
        // There is no filter for the time of deletion (sheet: HubSpot section 4 [spec]).
        if read.which == Which::Deleted && read.since.zip(archived_at(raw)).is_some_and(|(since, at)| at < since) {
            continue;
        }
        let mut record = reading.record(raw)?;
        if wide {
            ids.push(record.id.to_string());
            continue;
        }
        if since.is_none() && !listed_links(reading, read).is_empty() {
            for to in reading.fill_listed(&mut record, raw) {
                unfinished.entry(to).or_default().push(Input { id: record.id.to_string(), after: None });
            }
        }
        gathering.records.push(record);
    }
    let archived = read.which == Which::Deleted;
    for ids in ids.chunks(READ) {
        gathering.tasks.push_back(Task::Read { ids: ids.to_vec(), key: None, archived });
    }
    for (to, inputs) in unfinished {
        gathering.tasks.push_back(Task::Links { to: to.to_owned(), inputs });
    }
    if (wide || since.is_some()) && !archived {
        then_links(&mut gathering, reading);
    } else if reading.object.family == Family::Attachment {
        gathering.tasks.push_back(Task::Expand);
    }
    Ok(gathering.go_on(reading))
}

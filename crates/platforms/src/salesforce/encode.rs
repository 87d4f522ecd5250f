//! Requests, one for each operation and place.

use std::sync::Arc;

use handover_connect::{Method, Operation, Read, Refusal, Request, Which, WriteBatch, WriteMode};
use handover_model::{FieldName, RecordId, Schema, Value};
use jiff::{SignedDuration, Timestamp};

use super::capabilities::{COLLECTION, RETRIEVED};
use super::jobs::Jobs;
use super::objects::{Family, MODIFIED, object};
use super::place::{Place, Rows};
use super::reading::Reading;
use super::soql::{IDS, Query, ids_of, instant, ones_of, quoted, send};
use super::{account, auth, fetch, fields, files, jobs, links, notes, prices, removal, schema, soap, values, write};

/// How much older than its write a candidate may claim to be: the organization's clock is not ours.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(1);

/// The request for an operation at a place.
pub(super) fn request(
    operation: &Operation,
    place: Option<Place>,
    learnt: Option<Arc<Schema>>,
    jobs_when: Jobs,
) -> Result<Request, Refusal> {
    match operation {
        Operation::Account => Ok(account::account(place.as_ref())),
        Operation::Objects => Ok(schema::objects()),
        Operation::Describe(name) => Ok(schema::describe(&object(name.as_str())?)),
        Operation::Users => account::users(&Rows::of(place)?),
        Operation::Automations => Err(Refusal::unsupported("Salesforce's automations are not read")),
        Operation::Count(name) => count(name.as_str(), learnt.as_deref()),
        Operation::List(_) | Operation::Candidates { .. } | Operation::Enrich { .. } => {
            let reading = Reading::of(operation, learnt)?;
            if let (Operation::Enrich { field, ids, .. }, true) = (operation, reading.junction().is_none()) {
                return notes::body(&reading, field, ids);
            }
            if let (Operation::List(read), Family::File) = (operation, reading.object.family)
                && read.which == Which::Deleted
            {
                return Err(Refusal::unsupported("deleted files are not listed: their documents are"));
            }
            let mut queries = queries(operation, &reading)?;
            if let (Some(Place::Job(job)), Operation::List(_), [query]) = (&place, operation, &*queries) {
                return jobs::request(query, job, jobs_when);
            }
            let rows = Rows::of(place)?;
            if rows.nth >= queries.len() {
                return Err(Refusal::unsupported("there is nothing to look for"));
            }
            queries.swap_remove(rows.nth).request(&rows)
        }
        Operation::Fetch { ids, .. } => fetch::request(&Reading::of(operation, learnt)?, ids, place),
        Operation::Write(batch) => {
            let object = object(batch.object.as_str())?;
            match object.family {
                Family::Plain | Family::Note => write::request(&object, batch, place, learnt.as_deref()),
                Family::File => files::upload(batch, learnt.as_deref()),
                Family::Attachment => Err(Refusal::unsupported(
                    "attachments are read only: new ones are written as files (ContentVersion)",
                )),
            }
        }
        Operation::Link(batch) => links::request(batch, place, links::Way::Add),
        Operation::Unlink(batch) => links::request(batch, place, links::Way::TakeAway),
        Operation::Delete { object: name, ids } => removal::delete(&object(name.as_str())?, ids),
        Operation::Merge { object: name, survivor, other } => soap::merge(&object(name.as_str())?, survivor, other),
        Operation::Feed { object, .. } => Err(Refusal::no_feed(object)),
        Operation::History { object, .. } => {
            Err(Refusal::unsupported(format!("the history of `{object}` is not read")))
        }
        Operation::Download { object: name, id, to } => files::download(&object(name.as_str())?, id, to),
        Operation::CreateField { object: name, field } => {
            fields::create(&object(name.as_str())?, field, place.as_ref())
        }
        Operation::Subscriptions(_) => Err(Refusal::no_subscriptions("no webhooks of Salesforce are received")),
        Operation::Refresh => Ok(auth::refresh()),
        Operation::Device { .. } => Err(Refusal::unsupported("Salesforce lets no app in from another device")),
    }
}

fn count(name: &str, learnt: Option<&Schema>) -> Result<Request, Refusal> {
    let object = object(name)?;
    let persons = learnt.is_some_and(|schema| schema.field("IsPersonAccount").is_some());
    let live = object.live(persons);
    let condition = if live.is_empty() { String::new() } else { format!(" WHERE {}", live.join(" AND ")) };
    Ok(send(&format!("SELECT COUNT() FROM {}{condition}", object.name), object.archives))
}

/// The queries of an operation that reads rows, always the same ones for the same operation.
pub(super) fn queries<'q>(operation: &'q Operation, reading: &'q Reading<'_>) -> Result<Vec<Query<'q>>, Refusal> {
    match operation {
        Operation::List(read) => Ok(lists(reading, read)),
        Operation::Candidates { batch, since, .. } => candidates(reading, batch, *since),
        Operation::Enrich { ids, field, .. } => links(reading, field, ids),
        _ => Err(Refusal::unsupported("it reads no rows")),
    }
}

/// The list; behind it, where it is one of changes, what changed in rows of others.
fn lists<'q>(reading: &'q Reading<'_>, read: &Read) -> Vec<Query<'q>> {
    let first = list(reading, read);
    let since = read.since.filter(|_| reading.prices().is_some() && read.which == Which::Live);
    let behind =
        since.map(|since| Query { conditions: prices::changed_since(&instant(since)).to_vec(), ..first.clone() });
    std::iter::once(first).chain(behind).collect()
}

fn list<'q>(reading: &'q Reading<'_>, read: &Read) -> Query<'q> {
    let mut columns = reading.columns();
    let mut conditions: Vec<String> = match read.which {
        Which::Live => reading.object.live(reading.has_person_accounts()).into_iter().map(str::to_owned).collect(),
        Which::Deleted => {
            columns.push("IsDeleted");
            reading.object.only.map(str::to_owned).into_iter().chain(["IsDeleted = true".to_owned()]).collect()
        }
    };
    columns.sort_unstable();
    columns.dedup();
    conditions.extend(read.since.map(|since| format!("{MODIFIED} >= {}", instant(since))));
    let all = reading.object.archives || read.which == Which::Deleted;
    Query { columns, within: reading.prices().map(prices::within), conditions, all, ..Query::of(reading.object.name) }
}

/// Where the records of a batch whose answer was lost are looked for. By the key, else among all that changed since:
/// the date of creation may have been set to another.
fn candidates<'q>(reading: &'q Reading<'_>, batch: &WriteBatch, since: Timestamp) -> Result<Vec<Query<'q>>, Refusal> {
    let query = |condition: String| Query {
        columns: reading.columns(),
        within: reading.prices().map(prices::within),
        conditions: vec![condition],
        ..Query::of(reading.object.name)
    };
    let key = match &batch.mode {
        WriteMode::Update => {
            let ids = batch.writes.iter().filter_map(|write| Some(write.id.as_ref()?.as_str()));
            return Ok(ids_of("Id", ids).into_iter().map(query).collect());
        }
        WriteMode::Create { key } => key.as_ref(),
        WriteMode::Upsert { key } => Some(key),
    };
    let made = || {
        let since = since.checked_sub(CLOCKS_APART).unwrap_or(since);
        vec![query(format!("{MODIFIED} >= {}", instant(since)))]
    };
    // A write without its key can only be among all.
    let Some(key) = key.filter(|_| batch.is_keyed()) else { return Ok(made()) };
    named(key)?;
    let keys = batch.writes.iter().filter_map(|write| write.fields.get(key.as_str()));
    let mut keys: Vec<String> = keys.map(literal).collect();
    keys.sort_unstable();
    keys.dedup();
    Ok(ones_of(key.as_str(), &keys).into_iter().map(query).collect())
}

/// A key's value in a query.
fn literal(key: &Value) -> String {
    if matches!(key, Value::Number(_)) { values::plain(key) } else { quoted(&values::plain(key)) }
}

fn named(field: &FieldName) -> Result<(), Refusal> {
    let is_name = super::objects::is_name(field.as_str());
    is_name.then_some(()).ok_or_else(|| {
        Refusal::unsupported(format!("`{field}` is no name that Salesforce could have")).with_field(field.clone())
    })
}

/// The rows that make a record's links.
fn links<'q>(reading: &'q Reading<'_>, field: &FieldName, ids: &[RecordId]) -> Result<Vec<Query<'q>>, Refusal> {
    let junction = reading.junction().ok_or_else(|| {
        Refusal::unsupported(format!("`{field}` of {} is not read in calls of its own", reading.object.name))
    })?;
    if ids.len() > IDS {
        return Err(Refusal::unsupported(format!("links of more than {IDS} records are not read at once")));
    }
    Ok(links::queries(junction, ids.iter().map(RecordId::as_str)))
}

/// A collection of so many rows at most.
pub(super) fn at_most(number: usize, most: u32) -> Result<(), Refusal> {
    let fits = number <= usize::try_from(most).unwrap_or(usize::MAX);
    fits.then_some(()).ok_or_else(|| Refusal::unsupported(format!("{most} records fit into a request, not {number}")))
}

/// The most of a collection and of a retrieval, checked.
pub(super) fn collection(number: usize) -> Result<(), Refusal> {
    at_most(number, COLLECTION)
}

/// The same of a retrieval.
pub(super) fn retrieval(number: usize) -> Result<(), Refusal> {
    at_most(number, RETRIEVED)
}

/// A request with a JSON body.
pub(super) fn with_body(method: Method, path: String, body: Vec<u8>) -> Request {
    Request::new(method, path, &super::capabilities::CALL).with_json(body)
}

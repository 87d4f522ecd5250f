//! Requests, one for each operation and place.

use handover_connect::{Operation, Read, Refusal, Request, Which, WriteBatch, WriteMode};
use handover_model::{Schema, Value};
use jiff::{SignedDuration, Timestamp};

use super::objects::{MODIFIED, object};
use super::place::{Place, Rows};
use super::query::{self, ids_of, instant, ones_of, quoted};
use super::reading::Reading;
use super::{account, auth, feed, fetch, fields, files, links, removal, schema, values, write};
use crate::marks::foreign;

/// How much older than its write a candidate may claim to be: the environment's clock is not ours.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(1);

/// The request for an operation at a place.
pub(super) fn request(
    operation: &Operation,
    place: Option<Place>,
    learnt: Option<&Schema>,
    environment: &str,
) -> Result<Request, Refusal> {
    match operation {
        Operation::Account => Ok(account::account(place.as_ref())),
        Operation::Objects => Ok(schema::objects()),
        Operation::Describe(name) => schema::describe(name.as_str(), place),
        Operation::Users => account::users(&Rows::of(place)?),
        Operation::Automations => Err(Refusal::unsupported("Dynamics' processes are not read")),
        Operation::Count(name) => count(name.as_str(), &Rows::of(place)?, learnt),
        Operation::List(Read { which: Which::Deleted, object, .. }) => Err(Refusal::unsupported(format!(
            "deleted records of {object} are told only to whoever keeps a token from an earlier reading"
        ))),
        Operation::Feed { token, .. } => feed::request(&Reading::of(operation, learnt)?, token.as_ref(), place),
        Operation::List(_) | Operation::Candidates { .. } => {
            let reading = Reading::of(operation, learnt)?;
            let rows = Rows::of(place)?;
            if let Some(next) = &rows.next {
                return Ok(reading.paged(query::follow(next)));
            }
            let conditions = conditions(operation, &reading)?;
            let nothing = || Refusal::unsupported("there is nothing to look for");
            reading.request(conditions.get(rows.nth).ok_or_else(nothing)?)
        }
        Operation::Enrich { ids, .. } => links::read(&Reading::of(operation, learnt)?, ids, place.as_ref()),
        Operation::Fetch { ids, .. } => fetch::request(&Reading::of(operation, learnt)?, ids, place.as_ref()),
        Operation::Write(batch) => {
            let object = object(batch.object.as_str(), learnt)?;
            if object.is_document() {
                return files::upload(&object, batch, learnt);
            }
            write::request(&object, batch, place, learnt)
        }
        Operation::Link(batch) => {
            let object = object(batch.object.as_str(), learnt)?;
            links::request(&object, batch, links::Way::Add, learnt, environment)
        }
        Operation::Unlink(batch) => {
            let object = object(batch.object.as_str(), learnt)?;
            links::request(&object, batch, links::Way::TakeAway, learnt, environment)
        }
        Operation::Delete { object: name, ids } => removal::delete(&object(name.as_str(), learnt)?, ids),
        Operation::Merge { object: name, survivor, other } => {
            removal::merge(&object(name.as_str(), learnt)?, survivor, other)
        }
        Operation::History { object, .. } => {
            Err(Refusal::unsupported(format!("the history of `{object}` is not read")))
        }
        Operation::Download { object: name, id, to } => files::download(&object(name.as_str(), learnt)?, id, to),
        Operation::CreateField { object: name, field } => {
            fields::create(&object(name.as_str(), learnt)?, field, place.as_ref())
        }
        Operation::Subscriptions(_) => {
            Err(Refusal::no_subscriptions("webhooks and their steps are made with the Plug-in Registration Tool"))
        }
        Operation::Refresh => Ok(auth::refresh()),
        Operation::Device { client_id } => Ok(auth::device(client_id, environment)),
    }
}

/// The number of an object's records. It is told up to 5,000 (sheet: Dynamics section 4); beyond that the ids are
/// counted, page by page. The total that the platform keeps is up to a day old.
fn count(name: &str, rows: &Rows, learnt: Option<&Schema>) -> Result<Request, Refusal> {
    let object = object(name, learnt)?;
    let mut request = match &rows.next {
        Some(next) => query::follow(next),
        None => {
            let (filter, order) = (object.live().join(" and "), format!("{} asc", object.id));
            let query = [("$select", object.id), ("$filter", &filter), ("$orderby", &order), ("$count", "true")];
            query::get(&object.path(None), &query)
        }
    };
    // The first page is small where the number is told with it.
    let size = if rows.nth == 0 { 1 } else { super::capabilities::PAGE };
    request.headers.push(("prefer".to_owned(), format!("odata.maxpagesize={size}")));
    Ok(request)
}

/// The conditions of each query of an operation that reads rows, always the same ones for the same operation.
pub(super) fn conditions(operation: &Operation, reading: &Reading<'_>) -> Result<Vec<Vec<String>>, Refusal> {
    match operation {
        Operation::List(read) => {
            let since = read.since.map(|since| format!("{MODIFIED} ge {}", instant(since)));
            Ok(vec![reading.object.live().into_iter().chain(since).collect()])
        }
        Operation::Candidates { batch, since, .. } => candidates(reading, batch, *since),
        _ => Err(foreign()),
    }
}

/// Where the records of a batch whose answer was lost are looked for. By the key, else among all that changed since:
/// the date of creation may have been set to another.
fn candidates(reading: &Reading<'_>, batch: &WriteBatch, since: Timestamp) -> Result<Vec<Vec<String>>, Refusal> {
    let only = reading.object.condition();
    let each = |conditions: Vec<String>| -> Vec<Vec<String>> {
        conditions.into_iter().map(|one| only.clone().into_iter().chain([one]).collect()).collect()
    };
    let key = match &batch.mode {
        WriteMode::Update => {
            let ids = batch.writes.iter().filter_map(|write| Some(write.id.as_ref()?.as_str()));
            return Ok(each(ids_of(reading.object.id, ids)));
        }
        WriteMode::Create { key } => key.as_ref(),
        WriteMode::Upsert { key } => Some(key),
    };
    let made = || {
        let since = since.checked_sub(CLOCKS_APART).unwrap_or(since);
        each(vec![format!("{MODIFIED} ge {}", instant(since))])
    };
    // A write without its key can only be among all.
    let Some(key) = key.filter(|_| batch.is_keyed()) else { return Ok(made()) };
    if !super::objects::is_name(key.as_str()) {
        let why = format!("`{key}` is no name that Dynamics could have");
        return Err(Refusal::unsupported(why).with_field(key.clone()));
    }
    let literal = |value: &Value| quoted(&values::plain(value));
    let keys = batch.writes.iter().filter_map(|write| write.fields.get(key.as_str()));
    let mut keys: Vec<String> = keys.map(literal).collect();
    keys.sort_unstable();
    keys.dedup();
    Ok(each(ones_of(key.as_str(), &keys)))
}

/// So many of something at most.
pub(super) fn at_most(number: usize, most: u32) -> Result<(), Refusal> {
    let fits = number <= usize::try_from(most).unwrap_or(usize::MAX);
    fits.then_some(()).ok_or_else(|| Refusal::unsupported(format!("{most} records fit into a request, not {number}")))
}

//! Requests for reading: account, users, lists, records by ids, candidates.

use handover_connect::{Cursor, Method, Operation, Read, Refusal, Request, Which, Write, WriteBatch, WriteMode};
use handover_model::{FieldName, ObjectName, RecordId};
use jiff::{SignedDuration, Timestamp};

use super::form::iso;
use super::known::Known;
use super::mark::{AccountMark, Completing, ListMark};
use super::object::{CALL, Object, PAGE};
use super::reader::Reader;
use super::{hooks, link, removal, schema, write};
use crate::marks;

/// The request for an operation.
pub(super) fn request(known: &Known, operation: &Operation, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    match operation {
        Operation::Account => Ok(match marks::of::<AccountMark>(cursor)? {
            None => get("/api/3/users/me"),
            Some(_) => paged(get("/api/3/dealGroups"), 0),
        }),
        Operation::Objects => Ok(paged(get("/api/3/customObjects/schemas"), 0)),
        Operation::Describe(object) => schema::request(object_of(object)?, cursor),
        Operation::Users => Ok(paged(get("/api/3/users"), marks::of::<ListMark>(cursor)?.unwrap_or_default().start)),
        Operation::Automations => {
            Err(Refusal::unsupported("what acts when records are written is not told by ActiveCampaign's API"))
        }
        Operation::Count(object) => {
            let object = object_of(object)?;
            if object == Object::Tasks {
                return Err(Refusal::unsupported("ActiveCampaign does not tell for certain how many tasks there are"));
            }
            Ok(get(&object.path()).with_query("limit", "1"))
        }
        Operation::List(read) => list(known, read, cursor),
        Operation::Fetch { object, fields, ids } => fetch(known, object_of(object)?, fields, ids, cursor),
        Operation::Enrich { object, field, ids } => link::enrich(object_of(object)?, field, ids, cursor),
        Operation::Candidates { batch, fields, since } => candidates(known, batch, fields, *since, cursor),
        Operation::Write(batch) => write::request(known, batch, cursor),
        Operation::Link(batch) => link::request(batch, cursor),
        Operation::Unlink(batch) => link::away(batch, cursor),
        Operation::Delete { object, ids } => removal::delete(object_of(object)?, ids),
        Operation::Merge { object, .. } => {
            Err(Refusal::unsupported(format!("ActiveCampaign's API merges no {object}")))
        }
        Operation::Feed { object, .. } => Err(Refusal::no_feed(object)),
        Operation::History { object, .. } => {
            Err(Refusal::unsupported(format!("ActiveCampaign keeps no history of the fields of {object}")))
        }
        Operation::Download { object, .. } => Err(Refusal::unsupported(format!("{object} carry no bytes"))),
        Operation::CreateField { object, field } => schema::create(object_of(object)?, field, cursor),
        Operation::Subscriptions(what) => {
            hooks::request(what, marks::of::<ListMark>(cursor)?.unwrap_or_default().start)
        }
        Operation::Refresh | Operation::Device { .. } => {
            Err(Refusal::unsupported("ActiveCampaign has keys that never end, and no OAuth"))
        }
    }
}

/// The object of an operation.
pub(super) fn object_of(name: &ObjectName) -> Result<Object, Refusal> {
    Object::of(name.as_str()).ok_or_else(|| Refusal::unsupported(format!("ActiveCampaign has no object `{name}`")))
}

/// A request that reads.
pub(super) fn get(path: &str) -> Request {
    Request::new(Method::Get, path, &CALL)
}

/// With a page's place.
pub(super) fn paged(request: Request, start: u64) -> Request {
    request.with_query("limit", PAGE.to_string()).with_query("offset", start.to_string())
}

fn with_include(request: Request, reader: &Reader) -> Request {
    match reader.include() {
        Some(include) => request.with_query("include", include),
        None => request,
    }
}

/// The reader of what is wanted; what it does not know was asked for in vain.
fn reader(known: &Known, object: Object, wanted: &[FieldName]) -> Result<Reader, Refusal> {
    for name in wanted.iter().filter(|name| **name != "id") {
        known.spot(object, name.as_str())?;
    }
    Reader::new(known, object, wanted).map_err(|fault| Refusal::unsupported(fault.message))
}

fn list(known: &Known, read: &Read, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    let object = object_of(&read.object)?;
    if read.which == Which::Deleted {
        return Err(Refusal::unsupported(format!("ActiveCampaign does not list deleted {}", object.name())));
    }
    if read.since.is_some() && !object.lists_since() {
        let what = format!("{} have no filter by the time of change: they are listed whole", object.name());
        return Err(Refusal::unsupported(what));
    }
    let reader = reader(known, object, &read.fields)?;
    let mark: ListMark = marks::of(cursor)?.unwrap_or_default();
    if let Some(page) = &mark.page {
        return completing(object, page);
    }
    let mut request = get(&object.path());
    request = match object {
        // Stable whatever is deleted meanwhile (sheet: ActiveCampaign section 4, recommended by the vendor).
        Object::Contacts => request
            .with_query("orders[id]", "ASC")
            .with_query("id_greater", mark.last.unwrap_or(0).to_string())
            .with_query("limit", PAGE.to_string()),
        // Not by the time of change, which moves while the list is read (section 4).
        Object::Deals => paged(request.with_query("orders[cdate]", "ASC"), mark.start),
        Object::Accounts | Object::Tasks | Object::Notes => paged(request.with_query("orders[id]", "ASC"), mark.start),
    };
    if let Some(since) = read.since {
        request = request.with_query("filters[updated_after]", iso(since));
    }
    Ok(with_include(request, &reader))
}

/// The call that completes the first row that waits.
fn completing(object: Object, page: &Completing) -> Result<Request, Refusal> {
    let id = page.waiting.front().and_then(|row| row.get("id")).and_then(super::form::word);
    let id = id.ok_or_else(|| Refusal::unsupported("nothing waits"))?;
    Ok(match object.values() {
        Some((collection, filter)) => {
            paged(get(&format!("/api/3/{collection}")), page.values.len() as u64).with_query(filter, id)
        }
        None => get(&object.record_path(&id)),
    })
}

fn fetch(
    known: &Known,
    object: Object,
    fields: &[FieldName],
    ids: &[RecordId],
    cursor: Option<&Cursor>,
) -> Result<Request, Refusal> {
    let reader = reader(known, object, fields)?;
    if let Some(page) = marks::of::<ListMark>(cursor)?.and_then(|mark| mark.page) {
        return completing(object, &page);
    }
    if object != Object::Contacts {
        return match ids {
            [id] => Ok(get(&object.record_path(id.as_str()))),
            _ => Err(Refusal::unsupported(format!("{} are read one at a time by their ids", object.name()))),
        };
    }
    if ids.len() > PAGE as usize {
        return Err(Refusal::unsupported("one call reads 100 contacts by their ids"));
    }
    let request = get(&object.path()).with_query("limit", PAGE.to_string());
    let request = ids.iter().fold(request, |request, id| request.with_query("ids[]", id.as_str()));
    Ok(with_include(request, &reader))
}

/// A minute before the write: clocks differ.
fn earliest(since: Timestamp) -> Timestamp {
    since.checked_sub(SignedDuration::from_secs(60)).unwrap_or(Timestamp::MIN)
}

/// The one write of a batch.
pub(super) fn only(batch: &WriteBatch) -> Result<&Write, Refusal> {
    match batch.writes.as_ref() {
        [write] => Ok(write),
        _ => Err(Refusal::unsupported("ActiveCampaign writes one record at a time")),
    }
}

/// Looks where a lost write would show (sheet: section 5, unknown outcome). All of these are lists, which may lag
/// behind (section 4 \[unsure\]).
fn candidates(
    known: &Known,
    batch: &WriteBatch,
    fields: &[FieldName],
    since: Timestamp,
    cursor: Option<&Cursor>,
) -> Result<Request, Refusal> {
    let object = object_of(&batch.object)?;
    let write = only(batch)?;
    let reader = reader(known, object, fields)?;
    let mark: ListMark = marks::of(cursor)?.unwrap_or_default();
    if let Some(page) = &mark.page {
        return completing(object, page);
    }
    if batch.mode == WriteMode::Update {
        let id = write.id.as_ref().ok_or_else(|| Refusal::unsupported("an update needs the record's id"))?;
        return Ok(get(&object.record_path(id.as_str())));
    }
    let text =
        |name: &str| write.fields.get(name).and_then(|value| value.as_text()).unwrap_or_default().trim().to_owned();
    let parent = super::write::parent(object, &write.fields)?;
    let request = match object {
        Object::Contacts => get(&object.path()).with_query("email", text("email")),
        Object::Accounts => get(&object.path()).with_query("search", text("name")),
        Object::Deals => get(&object.path())
            .with_query("orders[cdate]", "ASC")
            .with_query("filters[created_after]", iso(earliest(since))),
        Object::Notes => match parent {
            Some((to, id)) => get(&format!("{}/notes", to.record_path(&id))),
            None => return Err(Refusal::unsupported("a note that hangs on nothing cannot have been made")),
        },
        Object::Tasks => match parent {
            Some((to, id)) => {
                get(&object.path()).with_query("filters[reltype]", to.reltype()).with_query("filters[relid]", id)
            }
            None => return Err(Refusal::unsupported("a task that hangs on nothing cannot have been made")),
        },
    };
    Ok(with_include(paged(request, mark.start), &reader))
}

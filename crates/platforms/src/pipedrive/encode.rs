//! Requests for reading: account, users, lists, records by ids, candidates, downloads.

use handover_connect::{Cursor, Host, Method, Operation, Read, Refusal, Request, Sink, Which, WriteBatch, WriteMode};
use handover_model::{FieldName, ObjectName, RecordId};
use jiff::{SignedDuration, Timestamp};

use super::form::rfc3339;
use super::known::Known;
use super::mark::{AccountMark, CandidatesMark, DownloadMark, ListMark};
use super::object::{Object, cost};
use super::system::Brought;
use super::{auth, history, hooks, lines, link, mail, removal, schema, unlink, write};
use crate::marks;

/// `custom_fields` takes so many keys (sheet: Pipedrive section 4 \[spec\]).
const MOST_CUSTOM: usize = 15;
/// A file moves from the API to a store; more hops than this are a loop.
const MOST_HOPS: u32 = 5;

/// The request for an operation.
pub(super) fn request(known: &Known, operation: &Operation, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    match operation {
        Operation::Account => Ok(match marks::of::<AccountMark>(cursor)? {
            None => Request::new(Method::Get, "/v1/users/me", &cost(2)),
            Some(_) => Request::new(Method::Get, "/v1/currencies", &cost(20)),
        }),
        Operation::Objects => Err(Refusal::unsupported("Pipedrive has no objects of a customer's own")),
        Operation::Describe(object) => schema::request(object_of(object)?, cursor),
        // All users in one answer, inactive ones too (sheet: section 2 [spec]).
        Operation::Users => Ok(Request::new(Method::Get, "/v1/users", &cost(20))),
        Operation::Automations => Err(Refusal::unsupported("Pipedrive does not list automations through its API")),
        Operation::Count(object) => {
            Err(Refusal::unsupported(format!("Pipedrive does not tell how many {object} there are")))
        }
        Operation::List(read) => list(known, read, cursor),
        Operation::Fetch { object, fields, ids } => fetch(known, object_of(object)?, fields, ids, cursor),
        Operation::Enrich { object, field, ids } if *object == Object::MailMessages.name() => mail::enrich(field, ids),
        Operation::Enrich { object, field, ids } => link::enrich(object_of(object)?, field, ids, cursor),
        Operation::Candidates { batch, fields, since } => candidates(known, batch, fields, *since, cursor),
        Operation::Write(batch) => write::request(known, batch, cursor),
        Operation::Link(batch) => link::request(batch, cursor),
        Operation::Unlink(batch) => unlink::request(batch, cursor),
        Operation::Delete { object, ids } => removal::delete(object_of(object)?, ids),
        Operation::Merge { object, survivor, other } => removal::merge(object_of(object)?, survivor, other),
        Operation::Feed { object, .. } => Err(Refusal::no_feed(object)),
        Operation::History { object, fields, ids } => history::request(object_of(object)?, fields, ids, cursor),
        Operation::Download { object, id, to } => download(object_of(object)?, id, cursor).map(|mut request| {
            request.sink = Some(Sink::of(to));
            request
        }),
        Operation::CreateField { object, field } => schema::create(object_of(object)?, field),
        Operation::Subscriptions(what) => hooks::request(what, marks::of(cursor)?.unwrap_or_default()),
        Operation::Refresh => Ok(auth::refresh()),
        Operation::Device { .. } => Err(Refusal::unsupported("Pipedrive lets no app in from another device")),
    }
}

/// The object of an operation.
pub(super) fn object_of(name: &ObjectName) -> Result<Object, Refusal> {
    Object::of(name.as_str()).ok_or_else(|| Refusal::unsupported(format!("Pipedrive has no object `{name}`")))
}

/// The fields that are read with a record: those wanted that lists bring, and what tells whether the
/// others are worth a call.
pub(super) fn listed(known: &Known, object: Object, wanted: &[FieldName]) -> Result<Vec<FieldName>, Refusal> {
    let mut fields = Vec::new();
    for name in wanted {
        // The id is no field of its own here; it comes with every record.
        if name == "id" {
            continue;
        }
        if known.spot(object, name.as_str())?.is_extra() {
            if object == Object::Deals {
                fields.push(FieldName::from("participants_count"));
            }
        } else {
            fields.push(name.clone());
        }
    }
    fields.sort();
    fields.dedup();
    Ok(fields)
}

fn list(known: &Known, read: &Read, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    let object = object_of(&read.object)?;
    if object == Object::MailMessages {
        return mail::list(read, cursor);
    }
    if object == Object::DealProducts {
        return lines::list(read, cursor);
    }
    let mark = marks::of::<ListMark>(cursor)?.unwrap_or_default();
    if read.which == Which::Deleted && object != Object::Deals {
        return Err(Refusal::unsupported(format!("Pipedrive does not list deleted {}", object.name())));
    }
    if read.since.is_some() && object == Object::Files {
        return Err(Refusal::unsupported("files have no filter by time: they are listed whole"));
    }
    let fields = listed(known, object, &read.fields)?;
    if !object.is_v2() {
        return Ok(offset_list(object, &mark, read.since));
    }
    let mut request = v2_list(known, object, &fields, mark.archived)?.with_query("sort_by", "id");
    if read.which == Which::Deleted {
        // Deletions of the last 30 days (sheet: section 4 [spec]).
        request = request.with_query("status", "deleted");
    }
    if let Some(since) = read.since {
        request = request.with_query("updated_since", rfc3339(since));
    }
    Ok(with_cursor(request, mark.cursor.as_deref()))
}

/// A page of v2, with the fields that must be asked for.
fn v2_list(known: &Known, object: Object, fields: &[FieldName], archived: bool) -> Result<Request, Refusal> {
    let (path, tokens) = collection(object, archived);
    let mut request = Request::new(Method::Get, path, &cost(tokens)).with_query("limit", object.page().to_string());
    let mut asked = Vec::new();
    let mut custom: Vec<&str> = Vec::new();
    for name in fields {
        let spot = known.spot(object, name.as_str())?;
        match spot.system {
            Some(field) if field.brought == Brought::Asked => asked.push(field.name),
            Some(_) => {}
            None => custom.push(spot.base),
        }
    }
    custom.dedup();
    // Too many keys: without the parameter all custom fields come (sheet: section 4 [spec]).
    if !custom.is_empty() && custom.len() <= MOST_CUSTOM {
        request = request.with_query("custom_fields", custom.join(","));
    }
    if !asked.is_empty() {
        request = request.with_query("include_fields", asked.join(","));
    }
    Ok(request)
}

/// Archived deals and leads are in no other list (sheet: section 4 \[spec\]).
pub(super) fn collection(object: Object, archived: bool) -> (String, u32) {
    let tokens = object.list_cost();
    if archived { (format!("{}/archived", object.path()), tokens * 2) } else { (object.path(), tokens) }
}

fn with_cursor(request: Request, cursor: Option<&str>) -> Request {
    match cursor {
        Some(cursor) => request.with_query("cursor", cursor),
        None => request,
    }
}

/// A page of v1. Sorted by id, and beginning with the last record of the page before: when that one is
/// missing, records before it were deleted and the offset is taken back, so that none is skipped.
fn offset_list(object: Object, mark: &ListMark, since: Option<Timestamp>) -> Request {
    let (path, tokens) = collection(object, mark.archived);
    let mut request = Request::new(Method::Get, path, &cost(tokens))
        .with_query("start", mark.start.to_string())
        .with_query("limit", object.page().to_string());
    request = match object {
        // Leads have no ids that grow; they come in the order of their creation (vendor's specification).
        Object::Leads => request,
        Object::Files => request.with_query("sort", "id"),
        _ => request.with_query("sort", "id ASC"),
    };
    match since {
        // Files and archived leads have no such filter (sheet: section 4 [spec]); the decoder drops the others.
        Some(since) if takes_since(object, mark.archived) => request.with_query("updated_since", rfc3339(since)),
        _ => request,
    }
}

fn takes_since(object: Object, archived: bool) -> bool {
    object != Object::Files && !(object == Object::Leads && archived)
}

fn fetch(
    known: &Known,
    object: Object,
    wanted: &[FieldName],
    ids: &[RecordId],
    cursor: Option<&Cursor>,
) -> Result<Request, Refusal> {
    if object == Object::DealProducts {
        return lines::fetch(ids, cursor);
    }
    let mark = marks::of::<ListMark>(cursor)?.unwrap_or_default();
    let fields = listed(known, object, wanted)?;
    if object.is_v2() {
        let joined = ids.iter().map(RecordId::as_str).collect::<Vec<_>>().join(",");
        let request = v2_list(known, object, &fields, mark.archived)?;
        return Ok(with_cursor(request.with_query("ids", joined), mark.cursor.as_deref()));
    }
    match ids {
        [id] => Ok(Request::new(Method::Get, object.record_path(id.as_str()), &cost(object.get_cost()))),
        _ => Err(Refusal::unsupported(format!("{} are read one by one", object.name()))),
    }
}

/// Where records made since a lost answer may be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The records themselves, for updates.
    Ids {
        /// Which ones.
        ids: Vec<RecordId>,
        /// Whether they are looked for among the archived deals.
        archived: bool,
    },
    /// A list, newest first.
    Newest {
        /// Whether it is the list of archived deals.
        archived: bool,
    },
    /// The notes of one parent: field and id.
    NotesOf(&'static str, String),
}

/// The lists to look through, in order (sheet: section 5 \[spec\]: primary lists, never the search index).
pub(super) fn sources(object: Object, batch: &WriteBatch) -> Vec<Source> {
    if batch.mode == WriteMode::Update {
        let ids: Vec<RecordId> = batch.writes.iter().filter_map(|write| write.id.clone()).collect();
        return match object {
            // A deal may have been archived by the very write.
            Object::Deals => {
                let of = |archived| Source::Ids { ids: ids.clone(), archived };
                vec![of(false), of(true)]
            }
            _ if object.is_v2() => vec![Source::Ids { ids, archived: false }],
            _ => ids.into_iter().map(|id| Source::Ids { ids: vec![id], archived: false }).collect(),
        };
    }
    if object == Object::Notes {
        let mut parents: Vec<Source> = Vec::new();
        for write in batch.writes.iter() {
            let parent = ["deal_id", "person_id", "org_id", "lead_id"]
                .into_iter()
                .find_map(|name| Some(Source::NotesOf(name, write.fields.get(name)?.ids().first()?.to_string())));
            let source = parent.unwrap_or(Source::Newest { archived: false });
            if !parents.contains(&source) {
                parents.push(source);
            }
        }
        return parents;
    }
    let archived = |flag: &handover_model::Value| *flag == handover_model::Value::Bool(true);
    let any_archived = matches!(object, Object::Deals | Object::Leads)
        && batch.writes.iter().any(|write| write.fields.get("is_archived").is_some_and(archived));
    let mut lists = vec![Source::Newest { archived: false }];
    if any_archived {
        lists.push(Source::Newest { archived: true });
    }
    lists
}

/// A minute before the write: clocks differ, and the update time has whole seconds (sheet: section 5).
pub(super) fn earliest(since: Timestamp) -> Timestamp {
    since.checked_sub(SignedDuration::from_secs(60)).unwrap_or(Timestamp::MIN)
}

fn candidates(
    known: &Known,
    batch: &WriteBatch,
    wanted: &[FieldName],
    since: Timestamp,
    cursor: Option<&Cursor>,
) -> Result<Request, Refusal> {
    let object = object_of(&batch.object)?;
    if object == Object::MailMessages {
        return Err(Refusal::unsupported("Pipedrive takes no e-mail, so none can have come of a write"));
    }
    if object == Object::DealProducts {
        return lines::candidates(batch, cursor);
    }
    let mark = marks::of::<CandidatesMark>(cursor)?.unwrap_or_default();
    let source = sources(object, batch).into_iter().nth(mark.source);
    let source = source.ok_or_else(|| Refusal::unsupported("there is nothing to look up"))?;
    let fields = listed(known, object, wanted)?;
    let since = rfc3339(earliest(since));
    let offset = |request: Request| {
        request.with_query("start", mark.start.to_string()).with_query("limit", object.page().to_string())
    };
    Ok(match source {
        Source::Ids { ids, archived } if object.is_v2() => {
            let joined = ids.iter().map(RecordId::as_str).collect::<Vec<_>>().join(",");
            with_cursor(v2_list(known, object, &fields, archived)?.with_query("ids", joined), mark.cursor.as_deref())
        }
        Source::Ids { ids, .. } => {
            let id = ids.first().ok_or_else(|| Refusal::unsupported("an update needs an id"))?;
            Request::new(Method::Get, object.record_path(id.as_str()), &cost(object.get_cost()))
        }
        Source::Newest { archived } if object.is_v2() => {
            let request = v2_list(known, object, &fields, archived)?
                .with_query("updated_since", since)
                .with_query("sort_by", "add_time")
                .with_query("sort_direction", "desc");
            with_cursor(request, mark.cursor.as_deref())
        }
        Source::Newest { archived } => {
            let (path, tokens) = collection(object, archived);
            let mut request = offset(Request::new(Method::Get, path, &cost(tokens)));
            request = request.with_query("sort", if object == Object::Files { "id DESC" } else { "add_time DESC" });
            if takes_since(object, archived) { request.with_query("updated_since", since) } else { request }
        }
        Source::NotesOf(field, id) => offset(Request::new(Method::Get, "/v1/notes", &cost(20))).with_query(field, id),
    })
}

fn download(object: Object, id: &RecordId, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    if object != Object::Files {
        return Err(Refusal::unsupported(format!("{} carry no bytes", object.name())));
    }
    let Some(mark) = marks::of::<DownloadMark>(cursor)? else {
        return Ok(Request::new(Method::Get, format!("{}/download", object.record_path(id.as_str())), &cost(20)));
    };
    if mark.hops > MOST_HOPS {
        return Err(Refusal::unsupported("the download is sent from place to place without end"));
    }
    if mark.location.starts_with('/') && !mark.location.starts_with("//") {
        return Ok(Request::new(Method::Get, mark.location, &cost(20)));
    }
    // The signed address of a store; the driver sends the token there only on the API's own origin.
    let mut request = Request::new(Method::Get, "", &[]);
    request.host = Host::Given(mark.location);
    Ok(request)
}

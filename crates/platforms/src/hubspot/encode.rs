//! Requests, one for each operation and place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handover_connect::{
    Charge, Host, Method, Operation, Read, Refusal, Request, Sink, Which, Write, WriteBatch, WriteMode,
};
use handover_model::{FieldName, Record, RecordId, Schema};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::associations::{self, READ_BATCH};
use super::capabilities::CALL;
use super::gather::{GROUPS, Gathering, Input, READ, Task, keyset, search};
use super::objects::{Family, Object, object, path};
use super::place::Place;
use super::reading::Reading;
use super::{account, auth, files, history, links, removal, schema, write};
use crate::marks::foreign;

/// The longest body of a search, in characters (sheet: HubSpot section 4 \[doc\]).
const LONGEST_SEARCH: usize = 3_000;
/// How much older than its write a candidate may claim to be: the portal's clock is not ours.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(1);

/// The request for an operation at a place.
pub(super) fn request(
    operation: &Operation,
    place: Option<Place>,
    learnt: Option<Arc<Schema>>,
) -> Result<Request, Refusal> {
    match operation {
        Operation::Account => Ok(account::account(place.as_ref())),
        Operation::Objects => Ok(Request::new(Method::Get, path::SCHEMAS, &CALL)),
        Operation::Describe(name) => Ok(schema::describe(object(name.as_str())?, place.as_ref())),
        Operation::Users => Ok(account::owners(place.as_ref())),
        Operation::Automations => Ok(account::flows(place.as_ref())),
        Operation::Count(name) => count(&object(name.as_str())?),
        Operation::List(read) => {
            let reading = Reading::of(operation, learnt)?;
            match place {
                Some(Place::Gather(mut gathering)) => next(&mut gathering, &reading),
                place => list(&reading, read, place.as_ref()),
            }
        }
        Operation::Fetch { ids, .. } => {
            let reading = Reading::of(operation, learnt)?;
            match (reading.object.family, &**ids) {
                (Family::File, [id]) => {
                    Ok(Request::new(Method::Get, format!("{}/{}", path::FILES, files::segment(id.as_str())), &CALL))
                }
                (Family::File, _) => Err(Refusal::unsupported("files are read one at a time")),
                _ => next(&mut gathering(operation, place, &reading)?, &reading),
            }
        }
        Operation::Enrich { .. } | Operation::Candidates { .. } => {
            let reading = Reading::of(operation, learnt)?;
            next(&mut gathering(operation, place, &reading)?, &reading)
        }
        Operation::Write(batch) => {
            let object = object(batch.object.as_str())?;
            match object.family {
                Family::Record | Family::Activity | Family::Item => write::request(&object, batch, &CALL),
                Family::File => files::upload(batch, &CALL),
                Family::Attachment => {
                    Err(Refusal::unsupported("attachments are read only: write the file and the note"))
                }
            }
        }
        Operation::Link(batch) => links::request(batch, place),
        Operation::Unlink(batch) => links::unlink(batch, place),
        Operation::Delete { object: name, ids } => removal::delete(&object(name.as_str())?, ids),
        Operation::Merge { object: name, survivor, other } => removal::merge(&object(name.as_str())?, survivor, other),
        Operation::Feed { object, .. } => Err(Refusal::no_feed(object)),
        Operation::History { object: name, fields, ids } => history::request(&object(name.as_str())?, fields, ids),
        Operation::Download { object: name, id, to } => download(object(name.as_str())?, id, to, place),
        Operation::CreateField { object, field } => schema::create_field(object.as_str(), field, place.as_ref()),
        Operation::Subscriptions(_) => Err(Refusal::no_subscriptions("its app's settings have them")),
        Operation::Refresh => Ok(auth::refresh()),
        Operation::Device { .. } => Err(Refusal::unsupported("HubSpot lets no app in from another device")),
    }
}

/// The request for a number of records.
fn count(object: &Object<'_>) -> Result<Request, Refusal> {
    if !object.is_crm() {
        return Err(Refusal::unsupported(format!("HubSpot does not tell how many {} there are", object.name)));
    }
    Ok(search(object.name, &json!({ "filterGroups": [], "properties": ["hs_object_id"], "limit": 1 })))
}

fn next(gathering: &mut Gathering, reading: &Reading<'_>) -> Result<Request, Refusal> {
    gathering.request(reading).ok_or_else(|| Refusal::unsupported("there is nothing to look for"))
}

/// One page of a list: the plain list, or the search when only changed records are wanted.
fn list(reading: &Reading<'_>, read: &Read, place: Option<&Place>) -> Result<Request, Refusal> {
    let after = match place {
        Some(Place::After(after)) => Some(after.as_str()),
        _ => None,
    };
    if reading.object.family == Family::File {
        return match (read.since, read.which) {
            (None, Which::Live) => Ok(files::list(after)),
            _ => Err(Refusal::unsupported("files are listed whole and live only")),
        };
    }
    if reading.object.family == Family::Attachment && read.which == Which::Deleted {
        return Err(Refusal::unsupported("deleted attachments are not listed"));
    }
    if let Some(since) = searched_since(read) {
        let beyond = if let Some(Place::Beyond(id)) = place { *id } else { 0 };
        return Ok(search(reading.object.source().name, &since_body(reading, since, beyond)));
    }
    let mut request = Request::new(Method::Get, format!("{}/{}", path::OBJECTS, reading.object.source().name), &CALL)
        .with_query("limit", "100");
    if let Some(after) = after {
        request = request.with_query("after", after);
    }
    if read.which == Which::Deleted {
        request = request.with_query("archived", "true");
    }
    let properties = reading.properties();
    let properties = if reading.is_wide() || properties.is_empty() { vec!["hs_object_id"] } else { properties };
    request = request.with_query("properties", properties.join(","));
    let linked = listed_links(reading, read);
    Ok(if linked.is_empty() { request } else { request.with_query("associations", linked.join(",")) })
}

/// Since when records are searched; deleted ones are never found by search (sheet: HubSpot section 4 \[doc\]).
pub(super) fn searched_since(read: &Read) -> Option<Timestamp> {
    read.since.filter(|_| read.which == Which::Live)
}

/// The objects whose links come with the list.
pub(super) fn listed_links<'a>(reading: &Reading<'a>, read: &Read) -> Vec<&'a str> {
    if read.which == Which::Deleted || reading.is_wide() {
        return Vec::new();
    }
    let mut objects: Vec<&str> = reading.links().filter(|link| link.listed).map(|link| link.to).collect();
    objects.sort_unstable();
    objects.dedup();
    objects
}

fn since_body(reading: &Reading<'_>, since: Timestamp, beyond: u64) -> Json {
    let body = |properties: &[&str]| {
        let mut body = keyset(reading.object.modified, since.as_millisecond(), beyond, properties);
        if reading.object.family == Family::Attachment
            && let Some(filters) = body.pointer_mut("/filterGroups/0/filters").and_then(Json::as_array_mut)
        {
            filters.push(json!({ "propertyName": super::reading::ATTACHED, "operator": "HAS_PROPERTY" }));
        }
        body
    };
    if is_long_search(reading, since) { body(&["hs_object_id"]) } else { body(&reading.properties()) }
}

/// Whether the properties do not fit into a search, so that the records found are read afterwards.
pub(super) fn is_long_search(reading: &Reading<'_>, since: Timestamp) -> bool {
    let body = keyset(reading.object.modified, since.as_millisecond(), u64::MAX, &reading.properties());
    // The rest is the filter for notes with files.
    body.to_string().len() > LONGEST_SEARCH - 100
}

fn download(object: Object<'_>, id: &RecordId, to: &std::path::Path, place: Option<Place>) -> Result<Request, Refusal> {
    let file = match object.family {
        Family::File => Some(id.as_str()),
        Family::Attachment => files::of_attachment(id.as_str()),
        Family::Record | Family::Activity | Family::Item => None,
    };
    let Some(file) = file else {
        return Err(Refusal::unsupported(format!("`{id}` of {} has no bytes", object.name)));
    };
    let Some(Place::Signed(address)) = place else { return Ok(files::signed(file)) };
    let mut request = Request::new(Method::Get, "/", &[] as &[Charge]);
    request.host = Host::Given(address);
    request.sink = Some(Sink::of(to));
    Ok(request)
}

/// The gathering that an operation is at, or begins with.
pub(super) fn gathering(
    operation: &Operation,
    place: Option<Place>,
    reading: &Reading<'_>,
) -> Result<Gathering, Refusal> {
    match (place, operation) {
        (Some(Place::Gather(gathering)), _) => Ok(gathering),
        (Some(_), _) => Err(foreign()),
        (None, Operation::Fetch { ids, .. }) => Ok(fetch(reading, ids)),
        (None, Operation::Enrich { ids, field, .. }) => enrich(reading, ids, field),
        (None, Operation::Candidates { batch, since, .. }) => candidates(reading, batch, *since),
        (None, _) => Err(Refusal::unsupported("it reads no records")),
    }
}

fn fetch(reading: &Reading<'_>, ids: &[RecordId]) -> Gathering {
    let mut gathering = Gathering::default();
    if reading.object.family == Family::Attachment {
        let notes: BTreeSet<String> =
            ids.iter().filter_map(|id| files::note_of(id.as_str())).map(str::to_owned).collect();
        read_all(&mut gathering, notes.into_iter().collect(), None);
        gathering.only = Some(ids.to_vec());
    } else {
        read_all(&mut gathering, ids.iter().map(ToString::to_string).collect(), None);
    }
    then_links(&mut gathering, reading);
    gathering
}

fn enrich(reading: &Reading<'_>, ids: &[RecordId], field: &FieldName) -> Result<Gathering, Refusal> {
    let link = associations::named(reading.object.name, field.as_str()).ok_or_else(|| {
        Refusal::unsupported(format!("`{field}` of {} is not read in calls of its own", reading.object.name))
    })?;
    let bare =
        |id: &RecordId| Record { id: id.clone(), fields: handover_model::Fields::new(), modified: None, gone: false };
    Ok(Gathering {
        records: ids.iter().map(bare).collect(),
        tasks: [Task::LinkAll { to: link.to.to_owned() }].into(),
        only_linked: true,
        ..Gathering::default()
    })
}

/// Where the records of a batch whose answer was lost are looked for.
fn candidates(reading: &Reading<'_>, batch: &WriteBatch, since: Timestamp) -> Result<Gathering, Refusal> {
    let mut gathering = Gathering::default();
    let key = match &batch.mode {
        WriteMode::Update => {
            let ids = batch.writes.iter().filter_map(|write| Some(write.id.as_ref()?.to_string())).collect();
            read_all(&mut gathering, ids, None);
            then_links(&mut gathering, reading);
            return Ok(gathering);
        }
        WriteMode::Create { key } => key.as_ref(),
        WriteMode::Upsert { key } => Some(key),
    };
    let keys = |writes: &mut dyn Iterator<Item = &Write>| -> Vec<String> {
        let Some(key) = key else { return Vec::new() };
        writes.filter_map(|write| write::key_of(write, key)).collect::<BTreeSet<_>>().into_iter().collect()
    };
    match (reading.object.family, key) {
        // By the unique property: consistent (sheet: HubSpot section 5.4 [doc]).
        (Family::Record, Some(key)) if batch.is_keyed() => {
            let keys = keys(&mut batch.writes.iter());
            read_all(&mut gathering, keys, Some(key.as_str()));
        }
        (Family::Record, _) => changed_since(&mut gathering, &reading.object, since),
        (Family::Activity | Family::Item, _) => {
            gathering.made_after = since.checked_sub(CLOCKS_APART).ok();
            let orphans = children(&mut gathering, &reading.object, batch);
            let keyless = orphans.iter().any(|write| key.is_none_or(|key| write::key_of(write, key).is_none()));
            if keyless {
                changed_since(&mut gathering, &reading.object, since);
            } else if let Some(key) = key {
                for values in keys(&mut orphans.into_iter()).chunks(GROUPS) {
                    gathering.tasks.push_back(Task::Keyed { key: key.to_string(), values: values.to_vec() });
                }
            }
            gathering.tasks.push_back(Task::ReadFound);
        }
        (Family::File, _) => {
            for write in batch.writes.iter() {
                let (folder, name) = files::target(write)?;
                gathering.tasks.push_back(Task::Stat { path: format!("{folder}/{name}") });
                gathering.tasks.push_back(Task::Named { name: files::stem(name).to_owned() });
            }
            return Ok(gathering);
        }
        (Family::Attachment, _) => return Err(Refusal::unsupported("attachments are not written")),
    }
    then_links(&mut gathering, reading);
    Ok(gathering)
}

/// Asks one parent of each write for what hangs on it; deals first, since they have the fewest activities.
/// Gives the writes without a parent.
fn children<'a>(gathering: &mut Gathering, object: &Object<'_>, batch: &'a WriteBatch) -> Vec<&'a Write> {
    let mut by_parent: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut orphans = Vec::new();
    for write in batch.writes.iter() {
        let parent = ["deals", "contacts", "companies"].into_iter().find_map(|parent| {
            let link = associations::of(object.name).find(|link| link.to == parent)?;
            Some((parent, write::parents(write, link.field).into_iter().next()?))
        });
        match parent {
            Some((parent, id)) => drop(by_parent.entry(parent).or_default().insert(id)),
            None => orphans.push(write),
        }
    }
    for (parent, ids) in by_parent {
        let inputs: Vec<Input> = ids.into_iter().map(|id| Input { id, after: None }).collect();
        for inputs in inputs.chunks(READ_BATCH as usize) {
            gathering.tasks.push_back(Task::Children { parent: parent.to_owned(), inputs: inputs.to_vec() });
        }
    }
    orphans
}

fn read_all(gathering: &mut Gathering, ids: Vec<String>, key: Option<&str>) {
    for ids in ids.chunks(READ) {
        let task = Task::Read { ids: ids.to_vec(), key: key.map(str::to_owned), archived: false };
        gathering.tasks.push_back(task);
    }
}

/// What was written since, made or changed: the date of creation may have been set to another (sheet: HubSpot section 5.5
/// \[unsure\]), and portals' own objects have none under that name.
fn changed_since(gathering: &mut Gathering, object: &Object<'_>, since: Timestamp) {
    let since = since.checked_sub(CLOCKS_APART).unwrap_or(since);
    gathering.tasks.push_back(Task::Changed {
        property: object.modified.to_owned(),
        since_ms: since.as_millisecond(),
        beyond: 0,
    });
    gathering.tasks.push_back(Task::ReadFound);
}

/// Then the links that are wanted, then the files of notes.
pub(super) fn then_links(gathering: &mut Gathering, reading: &Reading<'_>) {
    for to in reading.linked_objects() {
        gathering.tasks.push_back(Task::LinkAll { to: to.to_owned() });
    }
    if reading.object.family == Family::Attachment {
        gathering.tasks.push_back(Task::Expand);
    }
}

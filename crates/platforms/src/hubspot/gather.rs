//! Records that take several requests to be whole: a queue of tasks, carried in the cursor.
//!
//! - Properties come in batch reads of 100, links in v4 batch reads of 1,000, files one by one.
//! - A batch read answers a merged id with the surviving record under *its* id (sheet: HubSpot section 4
//!   \[doc\]); it is passed on so, and each record once.
//! - What is merely not there is left out; any other error in a mixed answer fails the read, since a
//!   record that was not read must not look like one that is gone.

use std::collections::{HashMap, HashSet, VecDeque};

use handover_connect::{Charge, Cursor, Fault, Method, Reply, Request, Step};
use handover_model::{FieldName, Fields, Record, RecordId, Value};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::associations::READ_BATCH;
use super::capabilities::{CALL, SEARCH};
use super::json::{after, body, id_text, items, results, text_at};
use super::objects::path;
use super::place::Place;
use super::reading::{ATTACHED, Reading, created};
use super::{faults, files, values};
use crate::marks::Mark;

/// Records on their way, and what is still to be done for them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Gathering {
    /// The records so far.
    pub(super) records: Vec<Record>,
    /// What is to be done, in order.
    pub(super) tasks: VecDeque<Task>,
    /// Ids that were found and whose records are to be read.
    pub(super) found: Vec<String>,
    /// Where the list goes on behind these records.
    pub(super) next: Option<Cursor>,
    /// Only records made after this time.
    pub(super) made_after: Option<Timestamp>,
    /// Only these attachments.
    pub(super) only: Option<Vec<RecordId>>,
    /// Only records that have a link.
    pub(super) only_linked: bool,
}

/// One task; those without a request of their own unfold into others.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Task {
    /// Read records by ids, or by the values of a unique property.
    Read { ids: Vec<String>, key: Option<String>, archived: bool },
    /// Unfolds: read the records found.
    ReadFound,
    /// Unfolds: read the links of all records to an object.
    LinkAll { to: String },
    /// Read links to an object.
    Links { to: String, inputs: Vec<Input> },
    /// Find the records that hang on parents.
    Children { parent: String, inputs: Vec<Input> },
    /// Find records by the values of a property, through the search index.
    Keyed { key: String, values: Vec<String> },
    /// Find records written since, through the search index.
    Changed { property: String, since_ms: i64, beyond: u64 },
    /// Unfolds: notes become attachments.
    Expand,
    /// Read a file's name and size.
    File { id: String },
    /// Look a file up by its path.
    Stat { path: String },
    /// Look files up by a part of their name: one whose name was taken got a number behind it.
    Named { name: String },
}

/// One input of a v4 batch read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Input {
    /// The record.
    pub(super) id: String,
    /// Where its page of links begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<String>,
}

/// Records in one batch read (sheet: HubSpot section 5.1 \[doc\]).
pub(super) const READ: usize = 100;
/// Filter groups in one search (sheet: HubSpot section 2.2 \[doc\]; the specification's 6 is not relied on).
pub(super) const GROUPS: usize = 5;
/// Records on one page of a search (sheet: HubSpot section 4 \[doc\]).
pub(super) const SEARCH_PAGE: usize = 200;

impl Gathering {
    /// Unfolds tasks until the first is one with a request. True when there is one.
    fn settle(&mut self, reading: &Reading<'_>) -> bool {
        loop {
            match self.tasks.front() {
                None => return false,
                Some(Task::ReadFound) => {
                    self.tasks.pop_front();
                    let mut seen = HashSet::new();
                    let found: Vec<String> =
                        std::mem::take(&mut self.found).into_iter().filter(|id| seen.insert(id.clone())).collect();
                    for ids in found.chunks(READ).rev() {
                        self.tasks.push_front(Task::Read { ids: ids.to_vec(), key: None, archived: false });
                    }
                }
                Some(Task::LinkAll { to }) => {
                    let to = to.clone();
                    self.tasks.pop_front();
                    for link in reading.links().filter(|link| link.to == to) {
                        self.records.iter_mut().for_each(|record| link.add(record, Vec::new()));
                    }
                    let inputs: Vec<Input> =
                        self.records.iter().map(|record| Input { id: record.id.to_string(), after: None }).collect();
                    for inputs in inputs.chunks(READ_BATCH as usize).rev() {
                        self.tasks.push_front(Task::Links { to: to.clone(), inputs: inputs.to_vec() });
                    }
                }
                Some(Task::Expand) => {
                    self.tasks.pop_front();
                    self.expand(reading);
                }
                Some(_) => return true,
            }
        }
    }

    /// The request of the first task; `None` when nothing is to be done.
    pub(super) fn request(&mut self, reading: &Reading<'_>) -> Option<Request> {
        self.settle(reading);
        let source = reading.object.source().name;
        let links = |from: &str, to: &str, inputs: &[Input]| {
            post(format!("{}/{from}/{to}/batch/read", path::ASSOCIATIONS), &CALL, &json!({ "inputs": inputs }))
        };
        Some(match self.tasks.front()? {
            Task::Read { ids, key, archived } => {
                let inputs: Vec<Json> = ids.iter().map(|id| json!({ "id": id })).collect();
                let mut body =
                    json!({ "properties": reading.properties(), "propertiesWithHistory": [], "inputs": inputs });
                if let Some(key) = key {
                    body["idProperty"] = json!(key);
                }
                let request = post(format!("{}/{source}/batch/read", path::OBJECTS), &CALL, &body);
                if *archived { request.with_query("archived", "true") } else { request }
            }
            Task::Links { to, inputs } => links(source, to, inputs),
            Task::Children { parent, inputs } => links(parent, source, inputs),
            Task::Keyed { key, values } => {
                // Equality and not IN, which is said to want lower-case values (sheet: section 2.2 [unsure]).
                let groups: Vec<Json> = values
                    .iter()
                    .map(|value| json!({ "filters": [{ "propertyName": key, "operator": "EQ", "value": value }] }))
                    .collect();
                search(source, &json!({ "filterGroups": groups, "properties": [key], "limit": SEARCH_PAGE }))
            }
            Task::Changed { property, since_ms, beyond } => search(source, &keyset(property, *since_ms, *beyond, &[])),
            Task::File { id } => Request::new(Method::Get, format!("{}/{}", path::FILES, files::segment(id)), &CALL),
            Task::Stat { path: at } => {
                Request::new(Method::Get, format!("{}/stat/{}", path::FILES, files::path_segments(at)), &CALL)
                    .with_private_path()
            }
            Task::Named { name } => files::list(None).with_query("name", name),
            Task::ReadFound | Task::LinkAll { .. } | Task::Expand => return None,
        })
    }

    /// Applies the reply to the first task and goes on.
    pub(super) fn take(mut self, reading: &Reading<'_>, reply: &Reply) -> Result<Step, Fault> {
        self.settle(reading);
        let task = self.tasks.pop_front().ok_or_else(|| Fault::malformed("an answer that was not asked for"))?;
        let missing = reply.status == 404 && matches!(task, Task::File { .. } | Task::Stat { .. });
        if !missing {
            if !(200..300).contains(&reply.status) {
                return Err(faults::of_reply(reply, false));
            }
            let body = body(reply)?;
            if let Some(fault) = faults::failed_read(&body, reply) {
                return Err(fault);
            }
            self.apply(task, reading, &body)?;
        } else if let Task::File { id } = &task {
            // The note still names a file that was deleted.
            self.name_file(reading, id, &Json::Null);
        }
        Ok(self.go_on(reading))
    }

    /// The next task, or the page when all are done.
    pub(super) fn go_on(mut self, reading: &Reading<'_>) -> Step {
        if self.settle(reading) {
            return Place::Gather(self).then();
        }
        if self.only_linked {
            self.records.retain(|record| record.fields.iter().any(|(_, value)| !value.is_blank()));
        }
        Step::Page { records: self.records, next: self.next }
    }

    fn apply(&mut self, task: Task, reading: &Reading<'_>, body: &Json) -> Result<(), Fault> {
        match task {
            Task::Read { .. } => {
                let mut have: HashSet<RecordId> = self.records.iter().map(|record| record.id.clone()).collect();
                for raw in results(body)? {
                    if self.made_after.zip(created(raw)).is_some_and(|(after, made)| made < after) {
                        continue;
                    }
                    let record = reading.record(raw)?;
                    if have.insert(record.id.clone()) {
                        self.records.push(record);
                    }
                }
            }
            Task::Links { to, .. } => {
                let at: HashMap<RecordId, usize> =
                    self.records.iter().enumerate().map(|(at, record)| (record.id.clone(), at)).collect();
                let mut more = Vec::new();
                for result in results(body)? {
                    let Some(id) = result.pointer("/from/id").and_then(id_text) else { continue };
                    let record = at.get(id.as_str()).and_then(|at| self.records.get_mut(*at));
                    if let Some(record) = record {
                        for link in reading.links().filter(|link| link.to == to) {
                            link.fill(record, items(result, "to"));
                        }
                    }
                    more.extend(after(result).map(|after| Input { id, after: Some(after) }));
                }
                if !more.is_empty() {
                    self.tasks.push_front(Task::Links { to, inputs: more });
                }
            }
            Task::Children { parent, .. } => {
                let mut more = Vec::new();
                for result in results(body)? {
                    self.found.extend(items(result, "to").iter().filter_map(|to| id_text(to.get("toObjectId")?)));
                    let id = result.pointer("/from/id").and_then(id_text);
                    more.extend(id.zip(after(result)).map(|(id, after)| Input { id, after: Some(after) }));
                }
                if !more.is_empty() {
                    self.tasks.push_front(Task::Children { parent, inputs: more });
                }
            }
            Task::Keyed { .. } => {
                self.found.extend(results(body)?.iter().filter_map(|raw| id_text(raw.get("id")?)));
            }
            Task::Changed { property, since_ms, beyond } => {
                let (ids, last) = ascending(results(body)?, beyond)?;
                self.found.extend(ids);
                if after(body).is_some() {
                    self.tasks.push_front(Task::Changed { property, since_ms, beyond: last });
                }
            }
            Task::File { id } => self.name_file(reading, &id, body),
            Task::Stat { .. } => self.add_files(reading, body.get("file").map_or(&[], std::slice::from_ref))?,
            Task::Named { .. } => self.add_files(reading, results(body)?)?,
            Task::ReadFound | Task::LinkAll { .. } | Task::Expand => {}
        }
        Ok(())
    }

    /// Turns notes into attachments: one for each file of a note.
    fn expand(&mut self, reading: &Reading<'_>) {
        let mut files = Vec::new();
        for note in std::mem::take(&mut self.records) {
            let attached: Vec<String> = match note.fields.get(ATTACHED) {
                Some(Value::Text(text)) => values::parts(text).map(str::to_owned).collect(),
                Some(value) => value.ids().into_iter().map(str::to_owned).collect(),
                None => Vec::new(),
            };
            let mut seen = HashSet::new();
            for file in attached.into_iter().filter(|file| seen.insert(file.clone())) {
                let id = RecordId::from(format!("{}:{file}", note.id));
                if self.only.as_ref().is_some_and(|only| !only.contains(&id)) {
                    continue;
                }
                let mut fields: Fields =
                    note.fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
                fields.remove(ATTACHED);
                self.records.push(Record { id, fields, modified: note.modified, gone: note.gone });
                files.push(file);
            }
        }
        if reading.wants("name") || reading.wants("size") {
            let mut seen = HashSet::new();
            self.tasks.extend(files.into_iter().filter(|id| seen.insert(id.clone())).map(|id| Task::File { id }));
        }
    }

    /// Adds files, each once.
    fn add_files(&mut self, reading: &Reading<'_>, files: &[Json]) -> Result<(), Fault> {
        for file in files {
            let record = files::record(reading, file)?;
            if self.records.iter().all(|have| have.id != record.id) {
                self.records.push(record);
            }
        }
        Ok(())
    }

    /// Puts a file's name and size into the attachments that show it.
    fn name_file(&mut self, reading: &Reading<'_>, file: &str, body: &Json) {
        for record in &mut self.records {
            if files::of_attachment(record.id.as_str()) != Some(file) {
                continue;
            }
            for field in ["name", "size"].into_iter().filter(|field| reading.wants(field)) {
                record.fields.set(FieldName::from(field), files::value(body, field));
            }
        }
    }
}

/// A search for what was changed (or made) at `since` or later, beyond a record id.
///
/// The keyset over record ids never leaves the first page of its query, so neither the 10,000 results
/// that a query may page through nor many records with one time stamp lose anything (sheet: HubSpot
/// section 4 \[doc, obs\]).
pub(super) fn keyset(property: &str, since_ms: i64, beyond: u64, properties: &[&str]) -> Json {
    json!({
        "filterGroups": [{ "filters": [
            { "propertyName": property, "operator": "GTE", "value": since_ms.to_string() },
            { "propertyName": "hs_object_id", "operator": "GT", "value": beyond.to_string() },
        ] }],
        "sorts": [{ "propertyName": "hs_object_id", "direction": "ASCENDING" }],
        "properties": properties,
        "limit": SEARCH_PAGE,
    })
}

/// The ids of a keyset page and the last of them. Ids that do not ascend would make the next page skip
/// records, so they fail the read.
pub(super) fn ascending(found: &[Json], beyond: u64) -> Result<(Vec<String>, u64), Fault> {
    let mut last = beyond;
    let mut ids = Vec::with_capacity(found.len());
    for raw in found {
        let id = text_at(raw, "id").ok_or_else(|| Fault::malformed("a record has no id"))?;
        let number: u64 = id.parse().map_err(|_| Fault::malformed("a record's id is not a number"))?;
        if number <= last {
            return Err(Fault::malformed("the search did not sort by record id"));
        }
        last = number;
        ids.push(id.to_owned());
    }
    Ok((ids, last))
}

/// A search request. Searching changes nothing.
pub(super) fn search(object: &str, body: &Json) -> Request {
    post(format!("{}/{object}/search", path::OBJECTS), &SEARCH, body)
}

/// A POST that only reads.
pub(super) fn post(path: String, charges: &[Charge], body: &Json) -> Request {
    Request::new(Method::Post, path, charges).with_json(body.to_string().into_bytes()).idempotent()
}

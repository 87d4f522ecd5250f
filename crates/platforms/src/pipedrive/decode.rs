//! What replies mean: records, users, the account, pages and where they go on.

use handover_connect::{Cursor, Fault, FaultKind, Operation, Read, Refusal, Reply, Step, Which, WriteBatch};
use handover_model::{Account, FieldName, Fields, Record, RecordId, User, Value};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::encode::{self, Source, listed, object_of};
use super::faults;
use super::flat;
use super::form::{Form, id_text, instant};
use super::known::Known;
use super::link::{self, next_start};
use super::mark::{self, AccountMark, CandidatesMark, DownloadMark, ListMark};
use super::object::Object;
use super::{auth, mail, schema, write};

/// The people of a deal, the main person among them.
const PARTICIPANTS: &str = "participants";

/// How many ids a list with offsets remembers: so many records may vanish at its place.
const ANCHORS: usize = 20;

/// What a reply means for its operation.
pub(super) fn step(
    known: &Known,
    operation: &Operation,
    cursor: Option<&Cursor>,
    reply: &Reply,
) -> Result<Step, Fault> {
    match operation {
        Operation::Account => account(cursor, reply),
        Operation::Describe(object) => schema::described(object_of(object).map_err(odd)?, cursor, reply),
        Operation::Users => users(reply),
        Operation::List(read) => list(known, read, cursor, reply),
        Operation::Fetch { object, fields, ids } => {
            fetch(known, object_of(object).map_err(odd)?, fields, ids, cursor, reply)
        }
        Operation::Enrich { object, ids, .. } if *object == Object::MailMessages.name() => mail::enriched(ids, reply),
        Operation::Enrich { object, field, ids } => {
            link::enriched(object_of(object).map_err(odd)?, field, ids, cursor, reply)
        }
        Operation::Candidates { batch, fields, since } => candidates(known, batch, fields, *since, cursor, reply),
        Operation::Write(batch) => write::written(known, batch, cursor, reply),
        Operation::Link(batch) => link::linked(batch, cursor, reply),
        Operation::Download { .. } => download(cursor, reply),
        Operation::CreateField { .. } => schema::created(reply),
        Operation::Refresh => auth::token(reply),
        Operation::Automations | Operation::Count(_) => Err(Fault::unsupported("Pipedrive does not tell this")),
    }
}

/// A request that could not have been made: the reply cannot be one to it.
fn odd(refusal: Refusal) -> Fault {
    Fault::malformed(refusal.message)
}

fn account(cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let body = faults::check(reply)?;
    if let Some(mark) = mark::sent::<AccountMark>(cursor)? {
        let active = |row: &&Json| row.get("active_flag").and_then(Json::as_bool) != Some(false);
        let currencies = rows(&body).iter().filter(active);
        return Ok(Step::Account(Account {
            id: mark.id,
            name: mark.name,
            currencies: currencies.filter_map(|row| text(row, "code")).collect(),
            time_zone: mark.time_zone,
            lacks: mark.lacks,
            // The plan's allowance is told by headers only (sheet: Pipedrive section 6).
            daily_limit: None,
        }));
    }
    let me = body.get("data").ok_or_else(|| Fault::malformed("the answer about the token's user is empty"))?;
    let id = me.get("company_id").and_then(id_text).ok_or_else(|| Fault::malformed("the company has no id"))?;
    let mut lacks = Vec::new();
    if !schema::is_admin(me) {
        lacks.push("administrator rights: a token of another user sees fewer records, in silence".to_owned());
    }
    let name = text(me, "company_name").or_else(|| text(me, "company_domain")).unwrap_or_default();
    let time_zone = text(me, "timezone_name").unwrap_or_else(|| "UTC".to_owned());
    Ok(Step::Then { cursor: mark::cursor(&AccountMark { id, name, time_zone, lacks }), wait_ms: 0 })
}

fn users(reply: &Reply) -> Result<Step, Fault> {
    let body = faults::check(reply)?;
    let flag = |row: &Json, name: &str| row.get(name).and_then(Json::as_bool);
    let user = |row: &Json| {
        Some(User {
            id: row.get("id").and_then(id_text)?.into(),
            email: text(row, "email").unwrap_or_default(),
            name: text(row, "name").unwrap_or_default(),
            active: flag(row, "active_flag").unwrap_or(true) && flag(row, "is_deleted") != Some(true),
        })
    };
    Ok(Step::Users { users: rows(&body).iter().filter_map(user).collect(), next: None })
}

fn list(known: &Known, read: &Read, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let object = object_of(&read.object).map_err(odd)?;
    if object == Object::MailMessages {
        return mail::listed(known, read, cursor, reply);
    }
    let body = faults::check(reply)?;
    let mark: ListMark = mark::sent(cursor)?.unwrap_or_default();
    let deleted = read.which == Which::Deleted;
    let reader = Reader::new(known, object, &read.fields)?;
    if object == Object::Leads {
        return leads(&reader, read.since, mark, &body);
    }
    if !object.is_v2() {
        return offset_page(&reader, read.since, mark, &body);
    }
    // Whether the first list tells deleted deals that were archived too is not documented, and the second
    // one may tell all deleted ones: it adds only those that say of themselves that they are archived.
    let is_archived = |row: &&Json| row.get("is_archived").and_then(Json::as_bool) == Some(true);
    let rows = rows(&body).iter().filter(|row| !(deleted && mark.archived) || is_archived(row));
    let mut records = rows.map(|row| reader.record(row)).collect::<Result<Vec<_>, _>>()?;
    if deleted {
        records.iter_mut().for_each(|record| record.gone = true);
    }
    let next = match next_cursor(&body) {
        Some(cursor) => Some(ListMark { cursor: Some(cursor), ..mark }),
        // Archived deals are in a list of their own; they are live all the same (sheet: section 4 [spec]).
        None if object == Object::Deals && !mark.archived => Some(ListMark { archived: true, ..ListMark::default() }),
        None => None,
    };
    Ok(Step::Page { records, next: next.map(|mark| mark::cursor(&mark)) })
}

/// A page of a list with offsets, sorted by id. The offset of a page counts on nothing before it being
/// deleted meanwhile, so every page begins with the last record of the one before; when that is missing,
/// the offset goes back until a known record shows.
fn offset_page(reader: &Reader, since: Option<Timestamp>, mark: ListMark, body: &Json) -> Result<Step, Fault> {
    let rows = rows(body);
    let mut ids = Vec::with_capacity(rows.len());
    for row in rows {
        ids.push(row.get("id").and_then(Json::as_u64).ok_or_else(|| Fault::malformed("a record without an id"))?);
    }
    if ids.windows(2).any(|pair| matches!(pair, [first, second] if first >= second)) {
        return Err(Fault::malformed("the list is not sorted by id as asked"));
    }
    let is_anchored = match (ids.first(), mark.last) {
        (Some(first), Some(last)) => *first <= last,
        (None, Some(_)) => false,
        (_, None) => true,
    };
    if !is_anchored && mark.start > 0 {
        let start = mark.start.saturating_sub(u64::from(reader.object.page()) / 2);
        return Ok(Step::Then { cursor: mark::cursor(&ListMark { start, ..mark }), wait_ms: 0 });
    }
    let fresh: Vec<&Json> =
        rows.iter().zip(&ids).filter(|(_, id)| mark.last.is_none_or(|last| **id > last)).map(|(row, _)| row).collect();
    let records = reader.since(fresh, since)?;
    let last = ids.last().copied().or(mark.last).max(mark.last);
    // The last record again, as the anchor of the next page.
    let start = mark.start + (rows.len() as u64).saturating_sub(1);
    let next = next_start(body).map(|_| ListMark { start, last, ..mark });
    Ok(Step::Page { records, next: next.map(|mark| mark::cursor(&mark)) })
}

/// A page of leads: in the order of creation, the archived ones in a list of their own. Ids do not grow
/// here, so the page is anchored by the last ids given out: it must begin with one of them, else records
/// before it were deleted, and the offset goes back until one shows.
fn leads(reader: &Reader, since: Option<Timestamp>, mark: ListMark, body: &Json) -> Result<Step, Fault> {
    let rows = rows(body);
    let ids: Vec<String> = rows.iter().filter_map(|row| row.get("id").and_then(id_text)).collect();
    if ids.len() != rows.len() {
        return Err(Fault::malformed("a record without an id"));
    }
    let is_known = |at: usize| ids.get(at).is_some_and(|id| mark.recent.contains(id));
    let anchor = (0..ids.len()).find(|at| is_known(*at));
    let begin = match anchor {
        _ if mark.recent.is_empty() => 0,
        Some(at) if at == 0 || mark.is_back => (at..ids.len()).find(|at| !is_known(*at)).unwrap_or(ids.len()),
        _ if mark.start > 0 => {
            let start = mark.start.saturating_sub(u64::from(reader.object.page()) / 2);
            return Ok(Step::Then { cursor: mark::cursor(&ListMark { start, is_back: true, ..mark }), wait_ms: 0 });
        }
        _ => return Err(Fault::malformed("none of the leads read last is in the list any more")),
    };
    let records = reader.since(rows.iter().skip(begin).collect(), since)?;
    let next = match next_start(body) {
        Some(_) => {
            let start = mark.start + (rows.len() as u64).saturating_sub(1);
            let mut recent = mark.recent;
            recent.extend(ids.into_iter().skip(begin));
            recent.drain(..recent.len().saturating_sub(ANCHORS));
            Some(ListMark { start, recent, is_back: false, ..mark })
        }
        None if !mark.archived => Some(ListMark { archived: true, ..ListMark::default() }),
        None => None,
    };
    Ok(Step::Page { records, next: next.map(|mark| mark::cursor(&mark)) })
}

fn fetch(
    known: &Known,
    object: Object,
    wanted: &[FieldName],
    ids: &[RecordId],
    cursor: Option<&Cursor>,
    reply: &Reply,
) -> Result<Step, Fault> {
    let reader = Reader::new(known, object, wanted)?;
    if !object.is_v2() {
        return Ok(Step::Page { records: reader.one(reply)?, next: None });
    }
    let body = faults::check(reply)?;
    let mark: ListMark = mark::sent(cursor)?.unwrap_or_default();
    let records = reader.records(rows(&body))?;
    let complete = object != Object::Deals || mark.archived || records.len() >= ids.len();
    let next = match next_cursor(&body) {
        Some(cursor) => Some(ListMark { cursor: Some(cursor), ..mark }),
        None if !complete => Some(ListMark { archived: true, ..ListMark::default() }),
        None => None,
    };
    Ok(Step::Page { records, next: next.map(|mark| mark::cursor(&mark)) })
}

fn candidates(
    known: &Known,
    batch: &WriteBatch,
    wanted: &[FieldName],
    since: Timestamp,
    cursor: Option<&Cursor>,
    reply: &Reply,
) -> Result<Step, Fault> {
    let object = object_of(&batch.object).map_err(odd)?;
    let reader = Reader::new(known, object, wanted)?;
    let mark: CandidatesMark = mark::sent(cursor)?.unwrap_or_default();
    let sources = encode::sources(object, batch);
    let source = sources.get(mark.source).ok_or_else(|| Fault::malformed("there is nothing to look up"))?;
    let next_source = || {
        let source = mark.source + 1;
        (source < sources.len()).then(|| CandidatesMark { source, ..CandidatesMark::default() })
    };
    if matches!(source, Source::Ids { .. }) && !object.is_v2() {
        let records = reader.one(reply)?;
        return Ok(Step::Page { records, next: next_source().map(|mark| mark::cursor(&mark)) });
    }
    let body = faults::check(reply)?;
    let rows = rows(&body);
    let records = reader.records(rows)?;
    // Newest first: a page that reaches back before the write is the last one.
    let added = rows.last().and_then(|row| row.get("add_time")).and_then(Json::as_str).and_then(instant);
    let newest = matches!(source, Source::Newest { .. }) && object == Object::Files;
    let is_past = newest && added.is_some_and(|added| added < encode::earliest(since));
    let next = match (next_cursor(&body), next_start(&body)) {
        (Some(cursor), _) => Some(CandidatesMark { cursor: Some(cursor), ..mark }),
        (None, Some(start)) if !is_past && start > mark.start => Some(CandidatesMark { start, ..mark }),
        _ => next_source(),
    };
    Ok(Step::Page { records, next: next.map(|mark| mark::cursor(&mark)) })
}

fn download(cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let hops = mark::sent::<DownloadMark>(cursor)?.map_or(0, |mark| mark.hops);
    match reply.status {
        200..=299 if reply.sunk.is_some() => Ok(Step::Downloaded),
        200..=299 => Err(Fault::malformed("the download brought no bytes")),
        301 | 302 | 303 | 307 | 308 => {
            let location = reply.header("location").filter(|location| !location.is_empty());
            let location =
                location.ok_or_else(|| Fault::malformed("the download is elsewhere, without saying where"))?;
            let mark = DownloadMark { location: location.to_owned(), hops: hops + 1 };
            Ok(Step::Then { cursor: mark::cursor(&mark), wait_ms: 0 })
        }
        // The store's own answers are no JSON: an address that ended is asked for anew by the caller.
        403 if hops > 0 => {
            Err(Fault::new(FaultKind::Unavailable, "403", "the download's address is not valid any more")
                .with_status(reply.status))
        }
        _ => Err(faults::check(reply).err().unwrap_or_else(|| Fault::malformed("the download's answer is not known"))),
    }
}

/// Reads records of one object, with the fields wanted and no others.
pub(super) struct Reader {
    object: Object,
    columns: Vec<Column>,
    /// Whether the participants of deals are wanted, which a list tells for some deals only.
    participants: bool,
}

impl Reader {
    pub(super) fn new(known: &Known, object: Object, wanted: &[FieldName]) -> Result<Self, Fault> {
        let column = |name| Column::of(known, object, name);
        let columns = listed(known, object, wanted).and_then(|names| names.into_iter().map(column).collect());
        let participants = object == Object::Deals && wanted.iter().any(|name| *name == PARTICIPANTS);
        Ok(Self { object, columns: columns.map_err(odd)?, participants })
    }

    fn records(&self, rows: &[Json]) -> Result<Vec<Record>, Fault> {
        rows.iter().map(|row| self.record(row)).collect()
    }

    /// Those modified at or after a time, where the list itself has no such filter.
    fn since(&self, rows: Vec<&Json>, since: Option<Timestamp>) -> Result<Vec<Record>, Fault> {
        let mut records = rows.into_iter().map(|row| self.record(row)).collect::<Result<Vec<_>, _>>()?;
        if let Some(since) = since {
            let since = since.as_second();
            records.retain(|record| record.modified.is_none_or(|modified| modified.as_second() >= since));
        }
        Ok(records)
    }

    /// One record asked for by its id; one that does not exist is no record and no fault.
    fn one(&self, reply: &Reply) -> Result<Vec<Record>, Fault> {
        match faults::check(reply) {
            Ok(body) => {
                let data = body.get("data").ok_or_else(|| Fault::malformed("the answer has no record"))?;
                if self.object == Object::MailMessages {
                    let names: Vec<FieldName> = self.columns.iter().map(|column| column.name.clone()).collect();
                    return Ok(vec![mail::record(self, &names, data, None)?]);
                }
                Ok(vec![self.record(data)?])
            }
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(Vec::new()),
            Err(fault) => Err(fault),
        }
    }

    pub(super) fn record(&self, row: &Json) -> Result<Record, Fault> {
        let id = row.get("id").and_then(id_text).ok_or_else(|| Fault::malformed("a record without an id"))?;
        let mut fields = Fields::with_capacity(self.columns.len());
        for column in &self.columns {
            if let Some(value) = self.value(row, column) {
                fields.set(column.name.clone(), value);
            }
        }
        if let Some(only) = self.participants.then(|| only_participant(row)).flatten() {
            fields.set(FieldName::from(PARTICIPANTS), only);
        }
        let time = |name: &str| row.get(name).and_then(Json::as_str).and_then(instant);
        let flag = |name: &str| row.get(name).and_then(Json::as_bool);
        Ok(Record {
            id: id.into(),
            fields,
            // Records that were never touched again may have no update time (sheet: section 4 [obs]).
            modified: time("update_time").or_else(|| time("add_time")),
            gone: flag("is_deleted") == Some(true) || flag("active_flag") == Some(false),
        })
    }

    fn value(&self, row: &Json, column: &Column) -> Option<Value> {
        let part = column.part.as_deref();
        if column.is_custom && self.object == Object::Leads {
            return Some(column.form.read(&flat::read(row, &column.base, part, column.form)));
        }
        let whole = if column.is_custom {
            // Whether unset custom fields are null or left out is not established (sheet: section 4
            // [unsure]); both are read and empty.
            row.get("custom_fields")?.get(&column.base).unwrap_or(&Json::Null)
        } else {
            row.get(&column.base)?
        };
        let json = match part {
            None => whole,
            Some(part) => match whole {
                Json::Object(parts) => parts.get(part).unwrap_or(&Json::Null),
                Json::Null => &Json::Null,
                // An address as one line, as v1 and search have it.
                line if part == "value" => line,
                _ => &Json::Null,
            },
        };
        Some(blank_to_null(column.form, column.form.read(json)))
    }
}

/// Where a field stands in the rows of a page, found once for all of them.
struct Column {
    name: FieldName,
    base: String,
    part: Option<String>,
    form: Form,
    is_custom: bool,
}

impl Column {
    fn of(known: &Known, object: Object, name: FieldName) -> Result<Self, Refusal> {
        let spot = known.spot(object, name.as_str())?;
        let (base, part) = (spot.base.to_owned(), spot.part.map(str::to_owned));
        let (form, is_custom) = (spot.form, spot.is_custom());
        Ok(Self { name, base, part, form, is_custom })
    }
}

/// The participants of a deal as far as a list tells them: nobody, or the main person alone. With more,
/// or with one who is not the main person, a call of its own tells (sheet: section 2.1 \[code\]).
fn only_participant(row: &Json) -> Option<Value> {
    let main = row.get("person_id").and_then(id_text);
    match (row.get("participants_count").and_then(Json::as_u64)?, main) {
        (0, _) => Some(Value::List(Vec::new())),
        (1, Some(id)) => Some(Value::List(vec![Value::Text(id)])),
        _ => None,
    }
}

/// A list without entries in a custom field is an empty field; texts stay as they are.
fn blank_to_null(form: Form, value: Value) -> Value {
    match (&value, form) {
        (Value::List(items), Form::Ids) if items.is_empty() => Value::Null,
        _ => value,
    }
}

fn rows(body: &Json) -> &[Json] {
    body.get("data").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn next_cursor(body: &Json) -> Option<String> {
    body.pointer("/additional_data/next_cursor").and_then(Json::as_str).map(ToOwned::to_owned)
}

fn text(row: &Json, name: &str) -> Option<String> {
    row.get(name).and_then(Json::as_str).map(ToOwned::to_owned)
}

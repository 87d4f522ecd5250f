//! What replies mean: records, users, the account, pages and where they go on.

use handover_connect::{Cursor, Fault, FaultKind, Operation, Read, Refusal, Reply, Step, Which, WriteBatch};
use handover_model::{Account, FieldName, Record, RecordId, User};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::encode::{self, Source, object_of};
use super::faults;
use super::form::{id_text, instant};
use super::known::Known;
use super::link::{self, next_start};
use super::mark::{AccountMark, CandidatesMark, DownloadMark, ListMark};
use super::object::Object;
use super::reader::Reader;
use super::{auth, history, hooks, lines, mail, removal, schema, unlink, write};
use crate::marks::{self, Mark};

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
        Operation::Unlink(batch) => unlink::unlinked(batch, cursor, reply),
        Operation::Delete { ids, .. } => removal::deleted(ids, reply),
        Operation::Merge { survivor, .. } => removal::merged(survivor, reply),
        Operation::Feed { .. } => Err(Fault::malformed("an answer that was not asked for")),
        Operation::History { object, fields, ids } => {
            history::told(object_of(object).map_err(odd)?, fields, ids, cursor, reply)
        }
        Operation::Download { .. } => download(cursor, reply),
        Operation::CreateField { .. } => schema::created(reply),
        Operation::Subscriptions(what) => hooks::answered(what, marks::sent(cursor)?.unwrap_or_default(), reply),
        Operation::Refresh => auth::token(reply),
        Operation::Device { .. } => Err(Fault::unsupported("Pipedrive lets no app in from another device")),
        Operation::Objects | Operation::Automations | Operation::Count(_) => {
            Err(Fault::unsupported("Pipedrive does not tell this"))
        }
    }
}

/// A request that could not have been made: the reply cannot be one to it.
pub(super) fn odd(refusal: Refusal) -> Fault {
    Fault::malformed(refusal.message)
}

fn account(cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let body = faults::check(reply)?;
    if let Some(mark) = marks::sent::<AccountMark>(cursor)? {
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
            // Records without an owner go to the token's user (sheet: Pipedrive section 5 \[spec\]).
            fallback_user: mark.user.map(Into::into),
        }));
    }
    let me = body.get("data").ok_or_else(|| Fault::malformed("the answer about the token's user is empty"))?;
    let id = me.get("company_id").and_then(id_text).ok_or_else(|| Fault::malformed("the company has no id"))?;
    let mut lacks = Vec::new();
    if !schema::is_admin(me) {
        lacks.push("administrator rights: a token of another user sees fewer records, in silence".to_owned());
    }
    let name = text(me, "company_name").or_else(|| text(me, "company_domain")).unwrap_or_default();
    let user = me.get("id").and_then(id_text);
    let time_zone = text(me, "timezone_name").unwrap_or_else(|| "UTC".to_owned());
    Ok(AccountMark { id, name, time_zone, lacks, user }.then())
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
    if object == Object::DealProducts {
        return lines::listed(known, read, cursor, reply);
    }
    let reader = Reader::new(known, object, &read.fields)?;
    if !object.is_v2() {
        let body = faults::check(reply)?;
        let mark: ListMark = marks::sent(cursor)?.unwrap_or_default();
        return match object {
            Object::Leads => leads(&reader, read.since, mark, &body),
            _ => offset_page(&reader, read.since, mark, &body),
        };
    }
    let page = reader.page(reply)?;
    let mark: ListMark = marks::sent(cursor)?.unwrap_or_default();
    let deleted = read.which == Which::Deleted;
    // Whether the first list tells deleted deals that were archived too is not documented, and the second
    // one may tell all deleted ones: it adds only those that say of themselves that they are archived.
    let rows = page.rows.into_iter().filter(|row| !(deleted && mark.archived) || row.is_archived);
    let mut records: Vec<Record> = rows.map(|row| row.record).collect();
    if deleted {
        records.iter_mut().for_each(|record| record.gone = true);
    }
    let next = match page.next {
        Some(cursor) => Some(ListMark { cursor: Some(cursor), ..mark }),
        // Archived deals are in a list of their own; they are live all the same (sheet: section 4 [spec]).
        None if object == Object::Deals && !mark.archived => Some(ListMark { archived: true, ..ListMark::default() }),
        None => None,
    };
    Ok(Step::Page { records, next: next.map(|mark| mark.cursor()) })
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
        return Ok(ListMark { start, ..mark }.then());
    }
    let fresh: Vec<&Json> =
        rows.iter().zip(&ids).filter(|(_, id)| mark.last.is_none_or(|last| **id > last)).map(|(row, _)| row).collect();
    let records = reader.since(fresh, since)?;
    let last = ids.last().copied().or(mark.last).max(mark.last);
    // The last record again, as the anchor of the next page.
    let start = mark.start + (rows.len() as u64).saturating_sub(1);
    let next = next_start(body).map(|_| ListMark { start, last, ..mark });
    Ok(Step::Page { records, next: next.map(|mark| mark.cursor()) })
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
            return Ok(ListMark { start, is_back: true, ..mark }.then());
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
    Ok(Step::Page { records, next: next.map(|mark| mark.cursor()) })
}

fn fetch(
    known: &Known,
    object: Object,
    wanted: &[FieldName],
    ids: &[RecordId],
    cursor: Option<&Cursor>,
    reply: &Reply,
) -> Result<Step, Fault> {
    if object == Object::DealProducts {
        return lines::fetched(known, wanted, ids, cursor, reply);
    }
    let reader = Reader::new(known, object, wanted)?;
    if !object.is_v2() {
        return Ok(Step::Page { records: reader.one(reply)?, next: None });
    }
    let page = reader.page(reply)?;
    let mark: ListMark = marks::sent(cursor)?.unwrap_or_default();
    let records: Vec<Record> = page.rows.into_iter().map(|row| row.record).collect();
    let complete = object != Object::Deals || mark.archived || records.len() >= ids.len();
    let next = match page.next {
        Some(cursor) => Some(ListMark { cursor: Some(cursor), ..mark }),
        None if !complete => Some(ListMark { archived: true, ..ListMark::default() }),
        None => None,
    };
    Ok(Step::Page { records, next: next.map(|mark| mark.cursor()) })
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
    if object == Object::DealProducts {
        return lines::candidates_told(known, batch, wanted, since, cursor, reply);
    }
    let reader = Reader::new(known, object, wanted)?;
    let mark: CandidatesMark = marks::sent(cursor)?.unwrap_or_default();
    let sources = encode::sources(object, batch);
    let source = sources.get(mark.source).ok_or_else(|| Fault::malformed("there is nothing to look up"))?;
    let next_source = || {
        let source = mark.source + 1;
        (source < sources.len()).then(|| CandidatesMark { source, ..CandidatesMark::default() })
    };
    if matches!(source, Source::Ids { .. }) && !object.is_v2() {
        let records = reader.one(reply)?;
        return Ok(Step::Page { records, next: next_source().map(|mark| mark.cursor()) });
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
    Ok(Step::Page { records, next: next.map(|mark| mark.cursor()) })
}

fn download(cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let hops = marks::sent::<DownloadMark>(cursor)?.map_or(0, |mark| mark.hops);
    match reply.status {
        200..=299 if reply.sunk.is_some() => Ok(Step::Downloaded),
        200..=299 => Err(Fault::malformed("the download brought no bytes")),
        301 | 302 | 303 | 307 | 308 => {
            let location = reply.header("location").filter(|location| !location.is_empty());
            let location =
                location.ok_or_else(|| Fault::malformed("the download is elsewhere, without saying where"))?;
            let mark = DownloadMark { location: location.to_owned(), hops: hops + 1 };
            Ok(mark.then())
        }
        // The store's own answers are no JSON: an address that ended is asked for anew by the caller.
        403 if hops > 0 => {
            Err(Fault::new(FaultKind::Unavailable, "403", "the download's address is not valid any more")
                .with_status(reply.status))
        }
        _ => Err(faults::check(reply).err().unwrap_or_else(|| Fault::malformed("the download's answer is not known"))),
    }
}

pub(super) fn rows(body: &Json) -> &[Json] {
    body.get("data").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn next_cursor(body: &Json) -> Option<String> {
    body.pointer("/additional_data/next_cursor").and_then(Json::as_str).map(ToOwned::to_owned)
}

fn text(row: &Json, name: &str) -> Option<String> {
    row.get(name).and_then(Json::as_str).map(ToOwned::to_owned)
}

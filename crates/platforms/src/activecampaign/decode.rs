//! What replies mean: records, users, the account, pages and where they go on.

use handover_connect::{Cursor, Fault, FaultKind, Operation, Refusal, Reply, Step, WriteMode};
use handover_model::{Account, FieldName, User};
use serde_json::Value as Json;

use super::encode::object_of;
use super::faults;
use super::form::{count, id_text, word};
use super::known::Known;
use super::mark::{AccountMark, Completing, ListMark};
use super::object::{Object, PAGE};
use super::reader::{Reader, rows};
use super::{hooks, link, removal, schema, write};
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
        Operation::Objects => schema::objects_told(reply),
        Operation::Describe(object) => schema::described(object_of(object).map_err(odd)?, cursor, reply),
        Operation::Users => users(cursor, reply),
        Operation::Count(_) => {
            let total = faults::check(reply)?.pointer("/meta/total").and_then(count);
            total.map(Step::Count).ok_or_else(|| Fault::malformed("the list does not tell its total"))
        }
        Operation::List(read) => list(known, object_of(&read.object).map_err(odd)?, &read.fields, cursor, reply),
        Operation::Fetch { object, fields, .. } => {
            let object = object_of(object).map_err(odd)?;
            let answers = if object == Object::Contacts { Answers::Page } else { Answers::One };
            records(known, object, fields, answers, cursor, reply)
        }
        Operation::Enrich { object, field, ids } => {
            link::enriched(object_of(object).map_err(odd)?, field, ids, cursor, reply)
        }
        Operation::Candidates { batch, fields, .. } => {
            let answers = if batch.mode == WriteMode::Update { Answers::One } else { Answers::Pages };
            records(known, object_of(&batch.object).map_err(odd)?, fields, answers, cursor, reply)
        }
        Operation::Write(batch) => write::written(known, batch, cursor, reply),
        Operation::Link(batch) => link::linked(batch, cursor, reply),
        Operation::Unlink(batch) => link::unlinked(batch, cursor, reply),
        Operation::Delete { ids, .. } => removal::deleted(ids, reply),
        Operation::CreateField { object, field } => {
            schema::created(object_of(object).map_err(odd)?, field, cursor, reply)
        }
        Operation::Subscriptions(what) => {
            hooks::answered(what, marks::sent::<ListMark>(cursor)?.unwrap_or_default().start, reply)
        }
        Operation::Automations
        | Operation::Merge { .. }
        | Operation::Feed { .. }
        | Operation::History { .. }
        | Operation::Download { .. }
        | Operation::Refresh
        | Operation::Device { .. } => Err(Fault::unsupported("ActiveCampaign does not do this")),
    }
}

/// A request that could not have been made: the reply cannot be one to it.
pub(super) fn odd(refusal: Refusal) -> Fault {
    Fault::malformed(refusal.message)
}

fn text(row: &Json, name: &str) -> Option<String> {
    row.get(name).and_then(Json::as_str).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// The account is known by its host, which the links of its records name; where there are none, by the key's user.
fn account(cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let Some(mark) = marks::sent::<AccountMark>(cursor)? else {
        let body = faults::check(reply)?;
        let me = body.get("user").ok_or_else(|| Fault::malformed("the answer about the key's user is empty"))?;
        let host = me.get("links").and_then(Json::as_object).and_then(|links| links.values().find_map(host_of));
        let email = text(me, "email").unwrap_or_default();
        let id = host.or_else(|| (!email.is_empty()).then(|| format!("the account of {email}")));
        let id = id.ok_or_else(|| Fault::malformed("the key's user has neither links nor an address"))?;
        let name = id.split('.').next().unwrap_or_default().to_owned();
        // A zone's name where it is one; it may be a number, which says nothing (sheet: section 2).
        let zone = text(me, "localZoneid").filter(|zone| jiff::tz::TimeZone::get(zone).is_ok());
        let time_zone = zone.unwrap_or_else(|| "UTC".to_owned());
        let user = me.get("id").and_then(id_text);
        return Ok(AccountMark { id, name, time_zone, user }.then());
    };
    let mut lacks = Vec::new();
    let mut currencies: Vec<String> = Vec::new();
    match faults::check(reply) {
        // An account may use any currency; those of its pipelines are what it does use.
        Ok(body) => currencies.extend(rows(&body, "dealGroups").iter().filter_map(|row| text(row, "currency"))),
        Err(fault) if fault.kind == FaultKind::Denied => {
            lacks.push("deals: the plan has none, or the key's user may not see them".to_owned());
        }
        Err(fault) => return Err(fault),
    }
    for currency in &mut currencies {
        *currency = currency.to_uppercase();
    }
    currencies.sort();
    currencies.dedup();
    Ok(Step::Account(Account {
        id: mark.id,
        name: mark.name,
        currencies,
        time_zone: mark.time_zone,
        lacks,
        daily_limit: None,
        // Deals are always somebody's (section 9 trap 6).
        fallback_user: mark.user.map(Into::into),
    }))
}

/// The host of an absolute address.
fn host_of(link: &Json) -> Option<String> {
    let rest = link.as_str()?.split_once("://")?.1;
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    (!host.is_empty()).then(|| host.to_lowercase())
}

fn users(cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let body = faults::check(reply)?;
    let mark: ListMark = marks::sent(cursor)?.unwrap_or_default();
    let rows = rows(&body, "users");
    let user = |row: &Json| {
        let name = [text(row, "firstName"), text(row, "lastName")];
        let name = name.into_iter().flatten().collect::<Vec<_>>().join(" ");
        Some(User {
            id: row.get("id").and_then(id_text)?.into(),
            email: text(row, "email").unwrap_or_default(),
            name: if name.is_empty() { text(row, "username").unwrap_or_default() } else { name },
            // Those who are gone are not listed.
            active: true,
        })
    };
    let start = mark.start + rows.len() as u64;
    let next = more(&body, rows.len(), mark.start).then(|| ListMark { start, ..ListMark::default() }.cursor());
    Ok(Step::Users { users: rows.iter().filter_map(user).collect(), next })
}

/// Whether a list with offsets goes on behind this page: its total says so, or, without one, the page is full.
pub(super) fn more(body: &Json, shown: usize, start: u64) -> bool {
    let shown = shown as u64;
    match body.pointer("/meta/total").and_then(count) {
        Some(total) => shown > 0 && start + shown < total,
        None => shown >= u64::from(PAGE),
    }
}

fn list(
    known: &Known,
    object: Object,
    fields: &[FieldName],
    cursor: Option<&Cursor>,
    reply: &Reply,
) -> Result<Step, Fault> {
    let reader = Reader::new(known, object, fields)?;
    let mut mark: ListMark = marks::sent(cursor)?.unwrap_or_default();
    if let Some(page) = mark.page.take() {
        return reader.completed(*page, reply);
    }
    let body = faults::check(reply)?;
    let rows = rows_of(&body, object)?;
    if object == Object::Contacts { by_id(&reader, &mark, &body, rows) } else { by_offset(&reader, mark, &body, rows) }
}

fn rows_of(body: &Json, object: Object) -> Result<&[Json], Fault> {
    let rows = body.get(object.name()).and_then(Json::as_array).map(Vec::as_slice);
    rows.ok_or_else(|| Fault::malformed(format!("the answer has no `{}`", object.name())))
}

/// A page of contacts behind an id. The total may be that of all contacts or of those behind the id: when it is not
/// above the page, this is the last one either way.
fn by_id(reader: &Reader, mark: &ListMark, body: &Json, rows: &[Json]) -> Result<Step, Fault> {
    let mut last = mark.last;
    for row in rows {
        let id = row.get("id").and_then(count).ok_or_else(|| Fault::malformed("a record without an id"))?;
        if last.is_some_and(|last| id <= last) {
            return Err(Fault::malformed("the list is not sorted by id as asked"));
        }
        last = Some(id);
    }
    let total = body.pointer("/meta/total").and_then(count);
    let is_full = rows.len() >= PAGE as usize;
    let goes_on = is_full && total.is_none_or(|total| total > rows.len() as u64);
    let next = goes_on.then(|| ListMark { last, ..ListMark::default() });
    reader.page(body, &rows.iter().collect::<Vec<_>>(), next)
}

/// A page of a list with offsets, in an order that does not change. The offset of a page counts on nothing before it
/// being deleted meanwhile, so every page begins with the last record of the one before; when that is missing, the
/// offset goes back until a known record shows.
fn by_offset(reader: &Reader, mark: ListMark, body: &Json, rows: &[Json]) -> Result<Step, Fault> {
    let ids: Vec<String> = rows.iter().filter_map(|row| row.get("id").and_then(word)).collect();
    if ids.len() != rows.len() {
        return Err(Fault::malformed("a record without an id"));
    }
    let is_known = |at: usize| ids.get(at).is_some_and(|id| mark.recent.contains(id));
    let begin = match (0..ids.len()).find(|at| is_known(*at)) {
        _ if mark.recent.is_empty() => 0,
        Some(at) if at == 0 || mark.is_back => (at..ids.len()).find(|at| !is_known(*at)).unwrap_or(ids.len()),
        _ if mark.start > 0 => {
            let start = mark.start.saturating_sub(u64::from(PAGE) / 2);
            return Ok(ListMark { start, is_back: true, ..mark }.then());
        }
        _ => return Err(Fault::malformed("none of the records read last is in the list any more")),
    };
    let fresh: Vec<&Json> = rows.iter().skip(begin).collect();
    let goes_on = (mark.is_back || !fresh.is_empty()) && more(body, rows.len(), mark.start);
    let next = goes_on.then(|| {
        let start = mark.start + (rows.len() as u64).saturating_sub(1);
        let mut recent = mark.recent.clone();
        recent.extend(ids.iter().skip(begin).cloned());
        recent.drain(..recent.len().saturating_sub(ANCHORS));
        ListMark { start, recent, ..ListMark::default() }
    });
    reader.page(body, &fresh, next)
}

/// What answers a request for certain records.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    One,
    Page,
    Pages,
}

/// Records by their ids, or candidates.
fn records(
    known: &Known,
    object: Object,
    fields: &[FieldName],
    answers: Answers,
    cursor: Option<&Cursor>,
    reply: &Reply,
) -> Result<Step, Fault> {
    let reader = Reader::new(known, object, fields)?;
    let mut mark: ListMark = marks::sent(cursor)?.unwrap_or_default();
    if let Some(page) = mark.page.take() {
        return reader.completed(*page, reply);
    }
    let body = match faults::check(reply) {
        Ok(body) => body,
        // A record, or what it hangs on, that does not exist.
        Err(fault) if fault.kind == FaultKind::NotFound => return Ok(Step::Page { records: Vec::new(), next: None }),
        Err(fault) => return Err(fault),
    };
    if answers == Answers::One {
        let row = body.get(object.one()).filter(|row| row.is_object());
        let row = row.ok_or_else(|| Fault::malformed("the answer has no record"))?;
        if object == Object::Contacts {
            // One contact comes with all that hangs on it.
            let page = Completing { waiting: [row.clone()].into(), ..Completing::default() };
            return reader.completed(page, reply);
        }
        return reader.page(&body, &[row], None);
    }
    let rows = rows_of(&body, object)?;
    let start = mark.start + rows.len() as u64;
    let goes_on = answers == Answers::Pages && more(&body, rows.len(), mark.start);
    let next = goes_on.then(|| ListMark { start, ..ListMark::default() });
    reader.page(&body, &rows.iter().collect::<Vec<_>>(), next)
}

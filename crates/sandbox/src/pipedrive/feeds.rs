//! Changelogs and recents: what can only be read (sheet: Pipedrive sections 2.1 and 4).

use serde_json::{Value as Json, json};

use super::call::{Call, sees};
use super::kind::Kind;
use super::objects::kind_of;
use super::page::{limit, offsets, plain_cursor, read_plain_cursor};
use super::record::{Order, Record, Walk};
use super::refusal::{Answer, Refusal, offset_page, page};
use super::render;
use super::time;
use super::world::World;
use crate::Reply;

/// How far back `/recents` goes: one month (since 2024-12-01 \[doc\]).
const MONTH_S: i64 = 31 * 86_400;

fn record_of<'w>(world: &'w World, call: &Call<'_>) -> Result<(Kind, &'w Record), Refusal> {
    let kind = kind_of(call)?;
    let record = world.table(kind).get(call.id(0)?).ok_or_else(Refusal::not_found)?;
    if sees(world, &call.actor, kind, record) { Ok((kind, record)) } else { Err(Refusal::not_found()) }
}

/// `GET /v1/{deals,persons,organizations}/{id}/changelog`: the newest first, with a cursor.
pub(super) fn changelog(world: &mut World, call: &mut Call<'_>) -> Answer {
    let (kind, record) = record_of(world, call)?;
    let (limit, at) = (limit(call, 500)?, read_plain_cursor(call)?);
    let entries = world.changelog.get(&(kind, record.id)).map_or(&[][..], Vec::as_slice);
    let data: Vec<Json> = entries.iter().rev().skip(at).take(limit).cloned().collect();
    Ok(page(data, (entries.len() > at + limit).then(|| plain_cursor(at + limit))))
}

/// `GET /v1/recents?since_timestamp=`.
///
/// Deletions are seen here; records that were never updated are not (sheet: section 4 \[obs\]).
pub(super) fn recents(world: &mut World, call: &mut Call<'_>) -> Answer {
    let world = &*world;
    let since = call.param("since_timestamp").and_then(time::read_any);
    let since = since.ok_or_else(|| Refusal::bad("since_timestamp is required in format YYYY-MM-DD HH:MM:SS"))?;
    if since < call.at - MONTH_S {
        return Err(Refusal::bad("since_timestamp can be at most one month in the past"));
    }
    let (start, limit) = offsets(call)?;
    let wanted: Option<Vec<&str>> = call.param("items").map(|items| items.split(',').collect());
    let kinds = Kind::ALL
        .into_iter()
        .filter(|kind| *kind != Kind::Lead && wanted.as_ref().is_none_or(|wanted| wanted.contains(&kind.name())));
    let walk = Walk { order: Order::Updated, descending: false, after: None, since: Some(since), until: None };
    let mut found: Vec<(i64, Kind, &Record)> = kinds
        .flat_map(|kind| world.table(kind).walk(walk).map(move |record| (kind, record)))
        .filter(|(kind, record)| record.updated.is_some() && sees(world, &call.actor, *kind, record))
        .map(|(kind, record)| (record.changed(), kind, record))
        .collect();
    found.sort_by_key(|(at, kind, record)| (*at, *kind, record.id));
    let rows: Vec<_> = found.iter().skip(start).take(limit).collect();
    let data: Vec<Json> = rows
        .iter()
        .map(|(_, kind, record)| json!({"item": kind.name(), "id": record.id, "data": recent(world, *kind, record)}))
        .collect();
    let last = rows.last().map_or(since, |(at, _, _)| *at);
    let more = found.len() > start + limit;
    let mut reply = offset_page(data, start, limit, more);
    let mut body = reply.body_json();
    if let Some(extra) = body.get_mut("additional_data").and_then(Json::as_object_mut) {
        extra.insert("since_timestamp".to_owned(), json!(time::v1(since)));
        extra.insert("last_timestamp_on_page".to_owned(), json!(time::v1(last)));
    }
    reply = Reply::json(200, &body);
    Ok(reply)
}

/// The v1 shape of a record, as far as it differs: v1 times and `active_flag`.
fn recent(world: &World, kind: Kind, record: &Record) -> Json {
    let mut map = match kind {
        Kind::Note => super::notes::shape(world, 0, record),
        Kind::File => super::files::shape(world, record),
        _ => render::v2(world, kind, record, None),
    };
    map.insert("add_time".to_owned(), json!(time::v1(record.added)));
    map.insert("update_time".to_owned(), json!(record.updated.map(time::v1)));
    map.insert("active_flag".to_owned(), json!(record.deleted.is_none()));
    map.insert("delete_time".to_owned(), json!(record.deleted.map(time::v1)));
    Json::Object(map)
}

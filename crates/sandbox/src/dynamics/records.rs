//! Single rows over HTTP (sheet: sections 2 and 5): create, read, update, upsert, delete, one property, one link.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::address::{self, RowKey, Segment};
use super::call::Call;
use super::draft::{Desk, Draft};
use super::links;
use super::odata::Options;
use super::query::{self, Source};
use super::refusal::{Answer, Fault, no_content};
use super::relations::Nav;
use super::schema::Entity;
use super::view::{self, Lens};
use super::world::{World, reference};
use super::{remove, write};
use crate::Reply;

/// A row's draft from a body.
pub(super) fn draft(
    world: &World,
    call: &Call<'_>,
    entity: &Arc<Entity>,
    body: &Map<String, Json>,
    create: bool,
) -> Result<Draft, Fault> {
    Desk { world, references: &call.references, at: call.at, create }.read(entity, body)
}

/// The row as it is now, with what the query asks for.
fn shown(world: &World, call: &Call<'_>, entity: &Entity, id: &str, status: u16) -> Answer {
    let options = Options::read(world, entity, &call.request.query)?;
    let other = ["$filter", "$orderby", "$top", "$count"];
    if let Some((name, _)) = options.sent.iter().find(|(name, _)| other.contains(&name.as_str())) {
        return Err(Fault::odata(format!("The query parameter {name} is not supported for a single record.")));
    }
    let row = world.get(&entity.name, id).ok_or_else(|| Fault::no_row(&entity.name, id))?;
    let lens = Lens { world, prefer: &call.prefer, base: &call.base };
    let select = options.select.as_ref().map(|names| format!("({})", names.join(","))).unwrap_or_default();
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), json!(format!("{}$metadata#{}{select}/$entity", call.base, entity.set)));
    body.extend(lens.row(entity, row, &options));
    Ok(call.stamped(Reply::json(status, &body).with_header("etag", view::etag(row))))
}

/// What a write answers: nothing, or the row.
fn written(world: &World, call: &Call<'_>, entity: &Entity, id: &str, created: bool) -> Answer {
    let reply = match call.prefer.representation {
        true => shown(world, call, entity, id, if created { 201 } else { 200 })?,
        false => no_content(),
    };
    let url = call.url(&entity.set, id);
    let reply = if created { reply.with_header("location", url.clone()) } else { reply };
    Ok(reply.with_header("odata-entityid", url))
}

/// `POST /accounts`.
pub(super) fn create(world: &mut World, call: &Call<'_>, entity: &Arc<Entity>) -> Answer {
    let draft = draft(world, call, entity, &call.map()?, true)?;
    let id = write::create(world, &draft, &call.writer())?;
    written(world, call, entity, &id, true)
}

/// `/accounts(key)`.
pub(super) fn one(world: &mut World, call: &Call<'_>, entity: &Arc<Entity>, key: &str) -> Answer {
    let key = address::key(world, entity, key, call.at)?;
    match call.method() {
        "GET" => {
            let id = address::existing(world, entity, &key)?;
            let current = world.get(&entity.name, &id).map(view::etag);
            if call.request.header("if-none-match").is_some_and(|tag| Some(tag) == current.as_deref()) {
                return Ok(Reply { status: 304, ..no_content() });
            }
            shown(world, call, entity, &id, 200)
        }
        "PATCH" => upsert(world, call, entity, &key),
        "DELETE" => {
            let id = address::existing(world, entity, &key)?;
            matches(world, call, entity, Some(&id))?;
            remove::delete(world, &entity.name, &id, &call.writer())?;
            Ok(no_content())
        }
        method => Err(Fault::not_allowed(method)),
    }
}

/// Holds the request to its conditions (sheet: section 2 \[doc\]).
fn matches(world: &World, call: &Call<'_>, entity: &Entity, id: Option<&str>) -> Result<(), Fault> {
    if call.request.header("if-none-match") == Some("*") && id.is_some() {
        return Err(Fault::exists());
    }
    let Some(wanted) = call.request.header("if-match").filter(|wanted| *wanted != "*") else { return Ok(()) };
    let row = id.and_then(|id| world.get(&entity.name, id));
    match row {
        Some(row) if view::etag(row) != wanted => {
            let message = "The version of the existing record doesn't match the RowVersion property provided.";
            Err(Fault::new(412, "0x80060882", message))
        }
        _ => Ok(()),
    }
}

fn upsert(world: &mut World, call: &Call<'_>, entity: &Arc<Entity>, key: &RowKey) -> Answer {
    let body = call.map()?;
    let found = address::find(world, entity, key);
    matches(world, call, entity, found.as_deref())?;
    let (id, created) = apply(world, call, entity, key, &body, call.request.header("if-match").is_some())?;
    written(world, call, entity, &id, created)
}

/// Updates the row of a key, or creates it unless it must be there; its id, and whether it was created.
pub(super) fn apply(
    world: &mut World,
    call: &Call<'_>,
    entity: &Arc<Entity>,
    key: &RowKey,
    body: &Map<String, Json>,
    existing: bool,
) -> Result<(String, bool), Fault> {
    let by = call.writer();
    let found = address::find(world, entity, key);
    if let Some(id) = found {
        let entity = write::owner_table(world, entity, &id);
        let draft = draft(world, call, &entity, body, false)?;
        write::update(world, &id, &draft, &by)?;
        return Ok((id, false));
    }
    if existing {
        address::existing(world, entity, key)?;
    }
    let mut draft = draft(world, call, entity, body, true)?;
    match key {
        RowKey::Id(id) => draft.id = Some(id.clone()),
        RowKey::Values(values) => {
            for (column, value) in values {
                draft.values.insert(column.clone(), Some(value.clone()));
            }
        }
    }
    write::create(world, &draft, &by).map(|id| (id, true))
}

/// `/accounts(key)/name`, `/accounts(key)/primarycontactid`, `/accounts(key)/contact_customer_accounts`.
pub(super) fn property(
    world: &mut World,
    call: &Call<'_>,
    entity: &Arc<Entity>,
    key: &str,
    rest: &[Segment],
) -> Answer {
    let key = address::key(world, entity, key, call.at)?;
    let id = address::existing(world, entity, &key)?;
    let (Some(first), tail) = (rest.first(), rest.get(1).map(|segment| segment.name.as_str())) else {
        return Err(Fault::no_segment(""));
    };
    if let Some(nav) = world.schema.nav(&entity.name, &first.name).cloned() {
        return match tail {
            Some("$ref") => linked(world, call, entity, &id, &nav, first.key.as_deref()),
            Some("$count") => {
                let target = world.entity(nav.target()).ok_or_else(|| Fault::no_segment(&first.name))?;
                let ids = view::related(world, entity, &id, &nav);
                query::count(world, call, &target, &Source::Ids(ids))
            }
            None => followed(world, call, entity, &id, &nav, &first.name),
            Some(other) => Err(Fault::no_segment(other)),
        };
    }
    let attribute = entity.property(&first.name).ok_or_else(|| Fault::no_segment(&first.name))?;
    let value = world.get(&entity.name, &id).and_then(|row| row.get(&attribute.name)).cloned();
    match (call.method(), tail) {
        ("GET", None) => {
            let Some(value) = value else { return Ok(no_content()) };
            let context = format!("{}$metadata#{}({id})/{}", call.base, entity.set, first.name);
            Ok(Reply::json(200, &json!({"@odata.context": context, "value": value})))
        }
        ("GET", Some("$value")) => {
            let text = value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            let text = text.ok_or_else(|| Fault::no_segment(&first.name))?;
            Ok(Reply {
                status: 200,
                headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
                body: text.into_bytes(),
            })
        }
        ("PUT", None) => {
            let body = call.map()?;
            let value =
                body.get("value").cloned().ok_or_else(|| Fault::payload(&entity.set, "The body has no value."))?;
            set(world, call, entity, &id, &first.name, value)
        }
        ("DELETE", None) => set(world, call, entity, &id, &first.name, Json::Null),
        (method, _) => Err(Fault::not_allowed(method)),
    }
}

fn set(world: &mut World, call: &Call<'_>, entity: &Arc<Entity>, id: &str, property: &str, value: Json) -> Answer {
    let draft = draft(world, call, entity, &Map::from_iter([(property.to_owned(), value)]), false)?;
    write::update(world, id, &draft, &call.writer())?;
    Ok(no_content())
}

/// The row or the rows at the other end.
fn followed(world: &mut World, call: &Call<'_>, entity: &Arc<Entity>, id: &str, nav: &Nav, name: &str) -> Answer {
    let target = world.entity(nav.target()).ok_or_else(|| Fault::no_segment(name))?;
    match (nav, call.method()) {
        (Nav::Parent(relation), "GET") => {
            let row = world.get(&entity.name, id);
            let found = row.and_then(|row| super::world::points(row, &relation.attribute));
            match found.and_then(|(table, id)| Some((world.entity(table)?, id.to_owned()))) {
                Some((target, id)) => shown(world, call, &target, &id, 200),
                None => Ok(no_content()),
            }
        }
        (_, "GET") => {
            let ids = view::related(world, entity, id, nav);
            query::list(world, call, &target, &Source::Ids(ids), &format!("{}({id})/{name}", entity.set))
        }
        (Nav::Children(relation), "POST") => {
            let draft = draft(world, call, &target, &call.map()?, true)?;
            let draft = draft.with(&relation.attribute, Some(reference(&entity.name, id)));
            let made = write::create(world, &draft, &call.writer())?;
            written(world, call, &target, &made, true)
        }
        // All parties of an activity at once (sheet: section 5.8).
        (Nav::Children(_), "PUT") if target.name == "activityparty" => {
            let list = call.map()?.get("value").cloned().unwrap_or(Json::Null);
            let draft = draft(world, call, entity, &Map::from_iter([(name.to_owned(), list)]), false)?;
            super::parties::replace(world, entity, id, &draft, &call.writer())?;
            Ok(no_content())
        }
        (_, method) => Err(Fault::not_allowed(method)),
    }
}

/// `/accounts(key)/nav/$ref` and `/accounts(key)/nav(key)/$ref`.
fn linked(
    world: &mut World,
    call: &Call<'_>,
    entity: &Arc<Entity>,
    id: &str,
    nav: &Nav,
    other: Option<&str>,
) -> Answer {
    let target = world.entity(nav.target()).ok_or_else(|| Fault::no_segment("$ref"))?;
    let by = call.writer();
    let named = |world: &World| -> Result<Option<(Arc<Entity>, String)>, Fault> {
        let address = match (call.method(), other) {
            ("DELETE", Some(key)) => format!("{}({key})", target.set),
            ("DELETE", None) => match call.request.param("$id").or(call.request.param("@odata.id")) {
                Some(address) => address.to_owned(),
                None => return Ok(None),
            },
            _ => {
                let body = call.map()?;
                let address = body.get("@odata.id").and_then(Json::as_str).map(str::to_owned);
                address.ok_or_else(|| Fault::payload(&entity.set, "The body has no @odata.id."))?
            }
        };
        let (found, key) = address::refer(world, &call.references, &address, call.at)?;
        let row = address::existing(world, &found, &key)?;
        Ok(Some((found, row)))
    };
    let found = named(world)?;
    if let Nav::Parent(relation) = nav
        && !entity.attribute(&relation.attribute).is_some_and(|attribute| attribute.update)
    {
        return Err(Fault::argument("The navigation property cannot be set: it is read-only."));
    }
    match (nav, call.method(), found) {
        (Nav::Parent(relation), "PUT", Some((found, row))) => {
            if found.name != relation.referenced && relation.nav != "ownerid" {
                return Err(Fault::argument("The record does not fit the navigation property."));
            }
            let draft = Draft::empty(entity.clone()).with(&relation.attribute, Some(reference(&found.name, &row)));
            write::update(world, id, &draft, &by)?;
        }
        (Nav::Parent(relation), "DELETE", _) => {
            write::update(world, id, &Draft::empty(entity.clone()).with(&relation.attribute, None), &by)?;
        }
        (Nav::Children(relation), "POST", Some((_, row))) => {
            let draft = Draft::empty(target).with(&relation.attribute, Some(reference(&entity.name, id)));
            write::update(world, &row, &draft, &by)?;
        }
        (Nav::Children(relation), "DELETE", Some((_, row))) => {
            let holder = world.get(&target.name, &row).and_then(|row| super::world::points(row, &relation.attribute));
            if holder != Some((entity.name.as_str(), id)) {
                return Err(Fault::no_row(&target.name, &row));
            }
            write::update(world, &row, &Draft::empty(target).with(&relation.attribute, None), &by)?;
        }
        (Nav::Paired(pairs, first), method @ ("POST" | "DELETE"), Some((_, row))) => {
            let (one, two) = if *first { (id, row.as_str()) } else { (row.as_str(), id) };
            match method {
                "POST" => links::pair(world, pairs, one, two, &by)?,
                _ => links::part(world, pairs, one, two)?,
            }
        }
        (_, method, _) => return Err(Fault::not_allowed(method)),
    }
    Ok(no_content())
}

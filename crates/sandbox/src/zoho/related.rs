//! Lists of related records, links between records, contact roles of deals (sheet: section 2).

use serde_json::{Value as Json, json};

use super::call::Call;
use super::draft::{self, Writer};
use super::refusal::{Answer, Refusal, nothing, success, unchanged};
use super::schema::{Module, Related};
use super::scopes::Does;
use super::values::id_of;
use super::world::{Id, Row, World};
use super::{files, list, remove, view, write};
use crate::Reply;
use crate::journal::{Action, Change};

/// `/{M}/{id}/{list}` and `/{M}/{id}/{list}/{rid}`.
pub(super) fn answer(world: &mut World, call: &Call<'_>, module: &Module, path: (&str, &str, Option<&str>)) -> Answer {
    let (text, name, other) = path;
    call.may_in(world, &module.api_name, Does::Read)?;
    let Some(parent) = Writer::of(call).record(world, module, text) else { return list::missing(world) };
    let Some(related) = module.related.iter().find(|one| one.api_name == name).cloned() else {
        return Err(Refusal::new("INVALID_DATA", "The relation name given seems to be invalid")
            .with(json!({"resource_path_index": 2})));
    };
    match (call.method(), name, other) {
        ("POST", "Attachments", None) => files::attach(world, call, module, parent),
        (_, "Attachments", Some(one)) => files::attachment(world, call, parent, one),
        ("POST", "Notes", None) => note(world, call, module, parent),
        ("GET", _, None) => read(world, call, module, &related, parent),
        (_, "Contact_Roles", _) => role(world, call, parent, other),
        ("PUT" | "DELETE", "Notes" | "Tasks" | "Events" | "Calls", Some(one)) if call.method() == "DELETE" => {
            child(world, call, &related, parent, one)
        }
        ("PUT", _, _) if related.lookup.is_none() => link(world, call, &related, parent, other),
        ("DELETE", _, _) if related.lookup.is_none() => unlink(world, call, &related, parent, other),
        _ => Err(Refusal::new("NOT_SUPPORTED", "The relation is not supported").with_status(400)),
    }
}

/// The records of a list.
fn members(world: &World, module: &Module, related: &Related, parent: Id) -> Vec<Id> {
    match &related.lookup {
        Some(lookup) => {
            let mut ids = world.pointing(&related.module, lookup, parent);
            if lookup == "Parent_Id" || lookup == "What_Id" {
                let of = |id: &Id| {
                    world.get(&related.module, *id).is_some_and(|row| row.text("$se_module") == module.api_name)
                };
                ids.retain(of);
            }
            ids
        }
        None if related.api_name == "Contact_Roles" => contacts(world, parent).into_iter().map(|(id, _)| id).collect(),
        None => {
            let other = |(one, two): &(Id, Id)| match (*one == parent, *two == parent) {
                (true, _) => Some(*two),
                (_, true) => Some(*one),
                _ => None,
            };
            let linked = world.links.iter().filter_map(other);
            linked.filter(|id| world.get(&related.module, *id).is_some()).collect()
        }
    }
}

/// The contacts of a deal with their roles; the main one stands among them (sheet: section 2).
pub(super) fn contacts(world: &World, deal: Id) -> Vec<(Id, Option<Id>)> {
    let mut all: Vec<(Id, Option<Id>)> =
        world.roles.range((deal, Id::MIN)..=(deal, Id::MAX)).map(|((_, contact), role)| (*contact, *role)).collect();
    let main = world.get("Deals", deal).and_then(|deal| deal.target("Contact_Name"));
    if let Some(main) = main.filter(|main| !all.iter().any(|(contact, _)| contact == main)) {
        all.push((main, None));
    }
    all.retain(|(contact, _)| world.get("Contacts", *contact).is_some());
    all
}

fn read(world: &World, call: &Call<'_>, module: &Module, related: &Related, parent: Id) -> Answer {
    call.may_in(world, &related.module, Does::Read)?;
    let shape = world.module(&related.module).ok_or_else(|| Refusal::no_module(2))?;
    let names = list::names(call, shape)?;
    let (per_page, page) = (call.number("per_page", 200, 200)?, call.number("page", usize::MAX, 1)?);
    let since = call.time_header("if-modified-since")?;
    let ids = members(world, module, related, parent);
    let mut rows: Vec<&Row> = ids.iter().filter_map(|id| world.get(&related.module, *id)).collect();
    rows.retain(|row| since.is_none_or(|since| row.modified >= since));
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
    let start = (page - 1).saturating_mul(per_page);
    let mut data = Vec::new();
    for row in rows.iter().skip(start).take(per_page) {
        let mut told = view::some(world, call.version, shape, row, &names);
        if related.api_name == "Contact_Roles" {
            let role = world.roles.get(&(parent, row.id)).copied().flatten();
            let role = world.role_names.iter().find(|one| Some(one.id) == role);
            told["Contact_Role"] = json!(role.map(|role| json!({"name": role.name, "id": role.id.to_string()})));
        }
        if related.module == "Attachments" {
            for key in ["$type", "$link_url", "$file_id", "$se_module"] {
                told[key] = json!(row.values.get(key));
            }
        }
        data.push(told);
    }
    if data.is_empty() {
        return Ok(if since.is_some() && rows.is_empty() { unchanged(world) } else { nothing() });
    }
    let more = rows.len() > start + data.len();
    let info = json!({"per_page": per_page, "count": data.len(), "page": page, "more_records": more});
    Ok(Reply::json(200, &json!({"data": data, "info": info})))
}

/// `POST /{M}/{id}/Notes`.
fn note(world: &mut World, call: &Call<'_>, module: &Module, parent: Id) -> Answer {
    call.may_in(world, "Notes", Does::Create)?;
    let (_, items) = call.items("data", write::MOST)?;
    let shape = world.module("Notes").cloned().unwrap_or_default();
    let by = Writer::of(call);
    let mut results = Vec::new();
    for (at, item) in items.iter().enumerate().take(call.apply_only.unwrap_or(items.len())) {
        let path = format!("$.data[{at}]");
        let mut item = item.as_object().cloned().unwrap_or_default();
        let of = json!({"module": {"api_name": module.api_name}, "id": parent.to_string()});
        item.insert("Parent_Id".to_owned(), of);
        item.insert("$se_module".to_owned(), json!(module.api_name));
        results.push(draft::insert(world, &shape, &item, &by, &path).map(|row| {
            let row = write::commit(world, &shape, row, Action::Created);
            success("record added", write::stamps(world, call.version, &row))
        }));
    }
    Ok(write::reply(world, &results, 201))
}

/// `DELETE /{M}/{id}/Notes/{nid}`.
fn child(world: &mut World, call: &Call<'_>, related: &Related, parent: Id, text: &str) -> Answer {
    call.may_in(world, &related.module, Does::Delete)?;
    let lookup = related.lookup.clone().unwrap_or_default();
    let id: Id = text.parse().unwrap_or(0);
    if world.get(&related.module, id).and_then(|row| row.target(&lookup)) != Some(parent) {
        return Err(Refusal::bad_id("id", "$.id"));
    }
    remove::remove(world, &related.module, id, call.user);
    Ok(Reply::json(200, &json!({"data": [success("record deleted", json!({"id": text}))]})))
}

fn pair(one: Id, other: Id) -> (Id, Id) {
    (one.min(other), one.max(other))
}

/// `PUT /{M}/{id}/{list}` and `/{rid}`: both are linked.
fn link(world: &mut World, call: &Call<'_>, related: &Related, parent: Id, other: Option<&str>) -> Answer {
    call.may_in(world, &related.module, Does::Update)?;
    let (_, items) = call.items("data", write::MOST)?;
    let mut results = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let id = other.and_then(|text| text.parse().ok()).or_else(|| id_of(item));
        let id = id.filter(|id| world.get(&related.module, *id).is_some());
        results.push(match id {
            None => Err(Refusal::bad_id("id", &format!("$.data[{at}].id"))),
            Some(id) => {
                join(world, parent, id, true);
                Ok(success("relation added", json!({"id": id.to_string()})))
            }
        });
    }
    Ok(write::reply(world, &results, 200))
}

/// `DELETE /{M}/{id}/{list}/{rid}` and `?ids=`.
fn unlink(world: &mut World, call: &Call<'_>, related: &Related, parent: Id, other: Option<&str>) -> Answer {
    call.may_in(world, &related.module, Does::Delete)?;
    let ids = other.map(|id| vec![id.to_owned()]).or_else(|| call.list("ids"));
    let ids = ids.ok_or_else(|| Refusal::missing_param("ids"))?;
    let mut results = Vec::new();
    for text in ids {
        let id: Id = text.parse().unwrap_or(0);
        results.push(match world.links.contains(&pair(parent, id)) {
            true => {
                join(world, parent, id, false);
                Ok(success("relation removed", json!({"id": text})))
            }
            false => Err(Refusal::bad_id("id", "$.ids")),
        });
    }
    Ok(write::reply(world, &results, 200))
}

/// Links two records, or takes their link away.
pub(super) fn join(world: &mut World, one: Id, other: Id, add: bool) {
    let pair = pair(one, other);
    let changed = if add { world.links.insert(pair) } else { world.links.remove(&pair) };
    if changed {
        let action = if add { Action::Linked } else { Action::Unlinked };
        world.changes.push(Change::new("links", format!("{}:{}", pair.0, pair.1), action));
    }
}

/// `PUT` and `DELETE /Deals/{id}/Contact_Roles/{contact}`.
fn role(world: &mut World, call: &Call<'_>, deal: Id, contact: Option<&str>) -> Answer {
    let text = contact.ok_or_else(Refusal::method)?;
    call.may_in(world, "Deals", Does::of(call.method()))?;
    let contact: Id = text.parse().unwrap_or(0);
    if world.get("Contacts", contact).is_none() {
        return Err(Refusal::bad_id("id", "$.id"));
    }
    let done = match call.method() {
        "PUT" => {
            let (_, items) = call.items("data", 1)?;
            let given = items.first().and_then(|item| item.get("Contact_Role")).cloned().unwrap_or_default();
            let name = given.get("name").and_then(Json::as_str);
            let known =
                world.role_names.iter().find(|one| Some(one.id) == id_of(&given) || Some(one.name.as_str()) == name);
            let role = match known.map(|one| one.id) {
                Some(role) => Some(role),
                None if given.is_null() => None,
                None => return Err(Refusal::bad_related("Contact_Role", "$.data[0].Contact_Role")),
            };
            set_role(world, deal, contact, Some(role));
            "contact role updated"
        }
        "DELETE" => {
            if world.roles.remove(&(deal, contact)).is_none() {
                return Err(Refusal::bad_id("id", "$.id"));
            }
            set_role(world, deal, contact, None);
            "contact role removed"
        }
        _ => return Err(Refusal::method()),
    };
    write::bump(world, "Deals", deal, call.user);
    Ok(Reply::json(200, &json!({"data": [success(done, json!({"id": text}))]})))
}

/// Gives a contact a place in a deal, or takes it away.
pub(super) fn set_role(world: &mut World, deal: Id, contact: Id, role: Option<Option<Id>>) {
    let action = match role {
        Some(role) => {
            world.roles.insert((deal, contact), role);
            Action::Linked
        }
        None => {
            world.roles.remove(&(deal, contact));
            Action::Unlinked
        }
    };
    let role = role.flatten().map(|id| json!(id.to_string())).unwrap_or_default();
    let change = Change::new("Contact_Roles", format!("{deal}:{contact}"), action);
    world.changes.push(change.with("role", Json::Null, role));
}

/// `/Contacts/roles`.
pub(super) fn role_names(world: &mut World, call: &Call<'_>, one: Option<&str>) -> Answer {
    call.may_in(world, "Contacts", Does::of(call.method()))?;
    let id: Option<Id> = one.and_then(|text| text.parse().ok());
    match call.method() {
        "GET" => {
            let all = world.role_names.iter().enumerate().filter(|(_, role)| one.is_none() || Some(role.id) == id);
            let told: Vec<Json> = all
                .map(|(at, role)| json!({"id": role.id.to_string(), "name": role.name, "sequence_number": at + 1}))
                .collect();
            match told.is_empty() {
                true => Ok(nothing()),
                false => Ok(Reply::json(200, &json!({"contact_roles": told}))),
            }
        }
        "POST" => {
            let (_, items) = call.items("contact_roles", write::MOST)?;
            let mut results = Vec::new();
            for (at, item) in items.iter().enumerate() {
                let name = item.get("name").and_then(Json::as_str).unwrap_or("");
                let path = format!("$.contact_roles[{at}].name");
                results.push(if name.is_empty() || name.chars().count() > 50 {
                    Refusal::too_long("name", &path, 50).item()
                } else if let Some(known) = world.role_names.iter().find(|known| known.name == name) {
                    Refusal::new("DUPLICATE_DATA", "duplicate data").with(json!({"id": known.id.to_string()})).item()
                } else {
                    let id = world.mint_meta();
                    world.role_names.push(super::world::RoleName { id, name: name.to_owned() });
                    Json::Object(success("contact role added", json!({"id": id.to_string()})))
                });
            }
            Ok(Reply::json(201, &json!({"contact_roles": results})))
        }
        "DELETE" => {
            let before = world.role_names.len();
            world.role_names.retain(|role| Some(role.id) != id);
            match world.role_names.len() < before {
                true => Ok(Reply::json(
                    200,
                    &json!({"contact_roles": [success("contact role deleted", json!({"id": one}))]}),
                )),
                false => Err(Refusal::bad_id("id", "$.id")),
            }
        }
        _ => Err(Refusal::method()),
    }
}

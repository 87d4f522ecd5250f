//! Associations v4: one pair, many pairs, and their labels (sheet: HubSpot sections 4 and 5.6 \[doc/spec\]).

use serde_json::{Map, Value as Json, json};

use super::call::{Call, id_text, live_node, node_at};
use super::kinds::Kind;
use super::link_types::LinkType;
use super::links::{Node, Write};
use super::objects::{specs, wrong_type};
use super::refusal::{Answer, Refusal};
use super::view::unknown_kind;
use super::world::World;
use super::{Hubspot, batch, no_content, write};
use crate::Reply;

/// Inputs of batch create, batch read, batch archive; pairs on a page (sheet: section 5.1 \[doc\]).
const CREATE_LIMIT: usize = 2_000;
const READ_LIMIT: usize = 1_000;
const ARCHIVE_LIMIT: usize = 100;
const PAGE: usize = 500;

fn kind_at(world: &World, call: &Call<'_>, at: usize) -> Result<Kind, Refusal> {
    world.kinds.find(call.segment(at)).ok_or_else(|| unknown_kind(call.segment(at)))
}

fn from_missing(world: &World, kind: Kind, id: &str) -> Refusal {
    Refusal::not_found(format!("{} {id} does not exist", world.kinds.singular(kind)))
        .sub("crm.associations.FROM_OBJECT_NOT_FOUND")
        .with("fromObjectId", id)
}

fn to_missing(world: &World, kind: Kind, id: &str) -> Refusal {
    Refusal::not_found(format!("{} {id} does not exist", world.kinds.singular(kind)))
        .sub("crm.associations.TO_OBJECT_NOT_FOUND")
        .with("toObjectId", id)
}

/// `/crm/v4/objects/{kind}/{id}/associations/...`
pub(crate) fn single(hub: &mut Hubspot, call: &Call<'_>) -> Answer {
    let from_kind = kind_at(&hub.world, call, 3)?;
    let from = live_node(&hub.world, from_kind, call.segment(4))
        .ok_or_else(|| from_missing(&hub.world, from_kind, call.segment(4)))?;
    match (call.request.method.as_str(), call.path.len(), call.segment(6)) {
        ("GET", 7, _) => page(hub, call, from),
        ("PUT", 9, "default") => {
            let to = target(hub, call, 7)?;
            let pair = plain(&hub.world, from, to)?;
            write::link(hub, from, to, &[pair], Write::Add, call.now, &call.source());
            let results = default_rows(hub, from, to);
            Ok(batch::reply(hub, call.now, 200, results, Vec::new()))
        }
        ("PUT", 8, _) => {
            let to = target(hub, call, 6)?;
            let types = specs(Some(&call.json()?))?;
            check_types(&hub.world, from, to, &types)?;
            let how = replace(hub);
            write::link(hub, from, to, &types, how, call.now, &call.source());
            Ok(Reply::json(201, &pair_json(hub, from, to)))
        }
        ("DELETE", 8, _) => {
            let to = target(hub, call, 6)?;
            write::unlink(hub, from, to, None, call.now, &call.source());
            Ok(no_content())
        }
        _ => Err(Refusal::no_record()),
    }
}

fn replace(hub: &Hubspot) -> Write {
    Write::Replace { drop_primary: hub.world.settings.label_write_drops_primary }
}

fn target(hub: &Hubspot, call: &Call<'_>, at: usize) -> Result<Node, Refusal> {
    let kind = kind_at(&hub.world, call, at)?;
    let id = call.segment(at + 1);
    live_node(&hub.world, kind, id).ok_or_else(|| to_missing(&hub.world, kind, id))
}

/// The plain type of a pair; refused when the kinds cannot be associated or the records are one.
fn plain(world: &World, from: Node, to: Node) -> Result<LinkType, Refusal> {
    let row = world.link_types.plain(from.kind, to.kind).filter(|_| from != to);
    row.map(|row| row.link).ok_or_else(|| wrong_type(world, from.kind, Some(to.kind), None))
}

fn check_types(world: &World, from: Node, to: Node, types: &[LinkType]) -> Result<(), Refusal> {
    plain(world, from, to)?;
    match types.iter().find(|&&link| world.link_types.row(from.kind, to.kind, link).is_none()) {
        Some(&link) => Err(wrong_type(world, from.kind, Some(to.kind), Some(link))),
        None => Ok(()),
    }
}

fn types_json(world: &World, from: Kind, to: Kind, types: &[LinkType]) -> Vec<Json> {
    let one = |&link: &LinkType| {
        let label = world.link_types.row(from, to, link).and_then(|row| row.label.clone());
        json!({"category": link.category.name(), "typeId": link.id, "label": label})
    };
    types.iter().map(one).collect()
}

/// What a labelled write returns (sheet: section 5.6 \[spec\]).
fn pair_json(hub: &Hubspot, from: Node, to: Node) -> Json {
    let world = &hub.world;
    let types = world.links.types(from, to).unwrap_or(&[]);
    let labels: Vec<String> = types
        .iter()
        .filter_map(|&link| world.link_types.row(from.kind, to.kind, link))
        .filter_map(|row| row.label.clone())
        .collect();
    json!({"fromObjectTypeId": world.kinds.type_id(from.kind), "fromObjectId": from.id,
        "toObjectTypeId": world.kinds.type_id(to.kind), "toObjectId": to.id, "labels": labels})
}

/// Both directions of a default association.
fn default_rows(hub: &Hubspot, from: Node, to: Node) -> Vec<Json> {
    [(from, to), (to, from)]
        .into_iter()
        .filter_map(|(a, b)| {
            let row = hub.world.link_types.plain(a.kind, b.kind)?;
            Some(json!({"from": {"id": a.id.to_string()}, "to": {"id": b.id.to_string()},
                "associationSpec": {"associationCategory": row.link.category.name(),
                    "associationTypeId": row.link.id}}))
        })
        .collect()
}

fn page(hub: &Hubspot, call: &Call<'_>, from: Node) -> Answer {
    let world = &hub.world;
    let kind = kind_at(world, call, 6)?;
    let limit = call.limit(PAGE, PAGE)?;
    let (results, next) = listed(world, from, kind, call.after()?.unwrap_or(0), limit);
    let mut body: Json = [("results", Json::Array(results))].into_iter().collect();
    if let (Some(after), Some(body)) = (next, body.as_object_mut()) {
        let link = format!("https://api.hubapi.com{}?limit={limit}&after={after}", call.request.path);
        body.insert("paging".into(), json!({"next": {"after": after.to_string(), "link": link}}));
    }
    Ok(Reply::json(200, &body))
}

fn listed(world: &World, from: Node, kind: Kind, after: u64, limit: usize) -> (Vec<Json>, Option<u64>) {
    let mut results = Vec::new();
    for (to, types) in world.links.of(from, kind, after) {
        if results.len() == limit {
            return (results, Some(to.id));
        }
        let types = types_json(world, from.kind, kind, types);
        results.push(json!({"toObjectId": to.id, "associationTypes": types}));
    }
    (results, None)
}

/// `/crm/v4/associations/{from}/{to}/...`
pub(crate) fn many(hub: &mut Hubspot, call: &Call<'_>) -> Answer {
    let (from, to) = (kind_at(&hub.world, call, 3)?, kind_at(&hub.world, call, 4)?);
    let rest: Vec<&str> = call.path.iter().skip(5).map(String::as_str).collect();
    match (call.request.method.as_str(), rest.as_slice()) {
        ("POST", ["batch", "read"]) => read(hub, call, from, to),
        ("POST", ["batch", "create"]) => create(hub, call, from, to, true),
        ("POST", ["batch", "associate", "default"]) => create(hub, call, from, to, false),
        ("POST", ["batch", "archive"]) => archive(hub, call, from, to),
        ("POST", ["batch", "labels", "archive"]) => archive_labels(hub, call, from, to),
        (_, ["labels", ..]) => super::labels::route(hub, call, from, to),
        _ => Err(Refusal::no_record()),
    }
}

fn read(hub: &mut Hubspot, call: &Call<'_>, from: Kind, to: Kind) -> Answer {
    let inputs = call.inputs(&call.object()?, READ_LIMIT)?;
    let world = &hub.world;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in &inputs {
        let id = id_text(input.get("id")).ok_or_else(|| Refusal::json("Some required fields were not set: [id]"))?;
        let after = id_text(input.get("after")).and_then(|after| after.parse().ok()).unwrap_or(0);
        let node = live_node(world, from, &id);
        let (found, next) = node.map_or((Vec::new(), None), |node| listed(world, node, to, after, PAGE));
        if found.is_empty() {
            errors.push(no_associations(world, from, to, &id).row());
            continue;
        }
        let mut row = json!({"from": {"id": id}, "to": found});
        if let (Some(after), Some(row)) = (next, row.as_object_mut()) {
            row.insert("paging".into(), json!({"next": {"after": after.to_string()}}));
        }
        results.push(row);
    }
    Ok(batch::reply(hub, call.now, 200, results, errors))
}

/// The normal answer for records without links (sheet: section 4 \[doc/obs\]).
fn no_associations(world: &World, from: Kind, to: Kind, id: &str) -> Refusal {
    let (from, to) = (world.kinds.singular(from), world.kinds.singular(to));
    Refusal::not_found(format!("No {to} is associated with {from} {id}."))
        .sub("crm.associations.NO_ASSOCIATIONS_FOUND")
        .with("fromObjectId", id)
        .with("fromObjectType", from)
        .with("toObjectType", to)
}

fn create(hub: &mut Hubspot, call: &Call<'_>, from_kind: Kind, to_kind: Kind, labelled: bool) -> Answer {
    let inputs = call.inputs(&call.object()?, CREATE_LIMIT)?;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in call.applied(&inputs) {
        match create_one(hub, call, from_kind, to_kind, input, labelled) {
            Ok(rows) => results.extend(rows),
            // A body that does not parse fails the request; what does not exist fails its row.
            Err(refusal) if refusal.sub_category.is_none() => return Err(refusal),
            Err(refusal) => errors.push(refusal.row()),
        }
    }
    Ok(batch::reply(hub, call.now, if labelled { 201 } else { 200 }, results, errors))
}

fn create_one(
    hub: &mut Hubspot,
    call: &Call<'_>,
    from_kind: Kind,
    to_kind: Kind,
    input: &Map<String, Json>,
    labelled: bool,
) -> Result<Vec<Json>, Refusal> {
    let id = |name: &str| id_text(input.get(name).and_then(|v| v.get("id"))).unwrap_or_default();
    let from = node_at(&hub.world, input, "from", from_kind)?;
    let from = from.ok_or_else(|| from_missing(&hub.world, from_kind, &id("from")))?;
    let to = node_at(&hub.world, input, "to", to_kind)?;
    let to = to.ok_or_else(|| to_missing(&hub.world, to_kind, &id("to")))?;
    if !labelled {
        let pair = plain(&hub.world, from, to)?;
        write::link(hub, from, to, &[pair], Write::Add, call.now, &call.source());
        return Ok(default_rows(hub, from, to));
    }
    let types = specs(input.get("types"))?;
    check_types(&hub.world, from, to, &types)?;
    let how = replace(hub);
    write::link(hub, from, to, &types, how, call.now, &call.source());
    Ok(vec![pair_json(hub, from, to)])
}

fn archive(hub: &mut Hubspot, call: &Call<'_>, from_kind: Kind, to_kind: Kind) -> Answer {
    let inputs = call.inputs(&call.object()?, ARCHIVE_LIMIT)?;
    for input in call.applied(&inputs) {
        let Some(from) = node_at(&hub.world, input, "from", from_kind)? else { continue };
        let Some(Json::Array(targets)) = input.get("to") else {
            return Err(Refusal::json("Some required fields were not set: [to]"));
        };
        for target in targets {
            let to = id_text(target.get("id")).and_then(|id| live_node(&hub.world, to_kind, &id));
            if let Some(to) = to {
                write::unlink(hub, from, to, None, call.now, &call.source());
            }
        }
    }
    Ok(no_content())
}

/// Takes labels; taking the plain type takes the whole pair (sheet: section 5.6 \[doc\]).
fn archive_labels(hub: &mut Hubspot, call: &Call<'_>, from_kind: Kind, to_kind: Kind) -> Answer {
    let inputs = call.inputs(&call.object()?, ARCHIVE_LIMIT)?;
    for input in call.applied(&inputs) {
        let types = specs(input.get("types"))?;
        let from = node_at(&hub.world, input, "from", from_kind)?;
        let to = node_at(&hub.world, input, "to", to_kind)?;
        if let (Some(from), Some(to)) = (from, to) {
            check_types(&hub.world, from, to, &types)?;
            write::unlink(hub, from, to, Some(&types), call.now, &call.source());
        }
    }
    Ok(no_content())
}

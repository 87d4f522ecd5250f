//! One record at a time: list, get, create, update, archive, GDPR delete.

use serde_json::{Map, Value as Json, json};

use super::call::{Call, id_text};
use super::draft::{self, Values};
use super::kinds::{self, Kind};
use super::link_types::{Category, LinkType};
use super::links::Node;
use super::property::PropIx;
use super::record::Record;
use super::refusal::{Answer, Refusal};
use super::view::{Selection, record_json, written_json};
use super::webhooks::Occurrence;
use super::world::World;
use super::{Hubspot, no_content, write};
use crate::Reply;
use crate::journal::{Action, Change};

/// Records on a page of a list (sheet: HubSpot section 4 \[doc\]).
const LIST_LIMIT: usize = 100;
/// The same when history is asked for (sheet: section 4 \[code\]).
const LIST_LIMIT_WITH_HISTORY: usize = 50;

/// `GET /crm/v3/objects/{kind}`
pub(crate) fn list(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let wanted = Selection::of_query(&hub.world, call)?;
    let max = if wanted.history.is_empty() { LIST_LIMIT } else { LIST_LIMIT_WITH_HISTORY };
    let limit = call.limit(10, max)?;
    let archived = call.flag("archived")?;
    let from = call.after()?.unwrap_or(0);
    let mut results = Vec::new();
    let mut next = None;
    for record in hub.world.table(kind).from(from).filter(|r| r.archived_at.is_some() == archived) {
        if results.len() == limit {
            next = Some(record.id);
            break;
        }
        results.push(Json::Object(record_json(&hub.world, kind, record, &wanted)));
    }
    let mut body: Json = [("results", Json::Array(results))].into_iter().collect();
    if let (Some(after), Some(body)) = (next, body.as_object_mut()) {
        let link = format!(
            "https://api.hubapi.com{}?limit={limit}&after={after}{}",
            call.request.path,
            if archived { "&archived=true" } else { "" }
        );
        body.insert("paging".into(), json!({"next": {"after": after.to_string(), "link": link}}));
    }
    Ok(Reply::json(200, &body))
}

/// Finds a record by id, or by a unique property.
pub(crate) fn find<'a>(
    world: &'a World,
    kind: Kind,
    id: &str,
    id_property: Option<&str>,
    archived: bool,
) -> Result<Option<&'a Record>, Refusal> {
    let table = world.table(kind);
    let Some(name) = id_property.filter(|name| *name != "hs_object_id") else {
        let found = id.parse().ok().and_then(|id| table.get(table.resolve(id)));
        return Ok(found.filter(|r| r.archived_at.is_some() == archived));
    };
    let id = match unique_index(world, kind, name) {
        Some(UniqueKey::Email) => table.by_email(id),
        Some(UniqueKey::Property(ix)) => table.by_unique(ix, id),
        None => {
            return Err(Refusal::invalid(format!(
                "Unable to perform read by non-unique {} property {name}",
                world.kinds.type_id(kind)
            )));
        }
    };
    Ok(id.and_then(|id| table.live(id)).filter(|_| !archived))
}

/// What an `idProperty` may be.
pub(crate) enum UniqueKey {
    /// Contacts: `email`.
    Email,
    /// A property with unique values.
    Property(PropIx),
}

/// The key that a property is, if it is one (sheet: section 5.2 \[doc\]).
pub(crate) fn unique_index(world: &World, kind: Kind, name: &str) -> Option<UniqueKey> {
    if kind == kinds::CONTACTS && name == "email" {
        return Some(UniqueKey::Email);
    }
    let schema = world.schema(kind);
    let ix = schema.live_index(name)?;
    schema.get(ix).filter(|p| p.unique).map(|_| UniqueKey::Property(ix))
}

/// `GET /crm/v3/objects/{kind}/{id}`
pub(crate) fn get(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let wanted = Selection::of_query(&hub.world, call)?;
    let archived = call.flag("archived")?;
    let record = find(&hub.world, kind, call.segment(4), call.param("idProperty"), archived)?;
    let record = record.ok_or_else(Refusal::no_record)?;
    Ok(Reply::json(200, &Json::Object(record_json(&hub.world, kind, record, &wanted))))
}

/// `properties` of a body, which must be an object.
pub(crate) fn properties(body: &Map<String, Json>) -> Result<&Map<String, Json>, Refusal> {
    match body.get("properties") {
        Some(Json::Object(properties)) => Ok(properties),
        Some(other) => {
            Err(Refusal::json(&format!("Cannot deserialize properties from {}", super::values::shape(other))))
        }
        None => Err(Refusal::json("Some required fields were not set: [properties]")),
    }
}

/// Associations to be made with a new record.
pub(crate) type NewLinks = Vec<(Node, Vec<LinkType>)>;

/// A judged create.
pub(crate) struct NewRecord {
    pub(crate) values: Values,
    pub(crate) links: NewLinks,
}

/// Judges the body of a create.
pub(crate) fn draft_create(
    world: &World,
    kind: Kind,
    body: &Map<String, Json>,
    enforce_rules: bool,
) -> Result<NewRecord, Refusal> {
    let values = draft::draft(world, kind, properties(body)?, None, enforce_rules)?;
    let links = inline_links(world, kind, body)?;
    if kind == kinds::LEADS && !links.iter().any(|(node, _)| node.kind == kinds::CONTACTS) {
        return Err(Refusal::invalid("A lead must be associated with an existing contact"));
    }
    Ok(NewRecord { values, links })
}

fn inline_links(world: &World, kind: Kind, body: &Map<String, Json>) -> Result<NewLinks, Refusal> {
    let mut links = NewLinks::new();
    let associations = match body.get("associations") {
        None | Some(Json::Null) => return Ok(links),
        Some(Json::Array(all)) => all,
        Some(other) => {
            return Err(Refusal::json(&format!(
                "Cannot deserialize associations from {}",
                super::values::shape(other)
            )));
        }
    };
    for association in associations {
        let Some(id) = id_text(association.pointer("/to/id")) else {
            return Err(Refusal::json("Some required fields were not set: [to]"));
        };
        let types = specs(association.get("types"))?;
        let Some(row) = types.first().and_then(|&link| world.link_types.row_from(kind, link)) else {
            return Err(wrong_type(world, kind, None, types.first().copied()));
        };
        for &link in &types {
            if world.link_types.row(kind, row.to, link).is_none() {
                return Err(wrong_type(world, kind, Some(row.to), Some(link)));
            }
        }
        let Some(node) = super::call::live_node(world, row.to, &id) else {
            return Err(Refusal::invalid(format!(
                "Cannot associate with {} {id}: it does not exist",
                world.kinds.singular(row.to)
            ))
            .sub("crm.associations.TO_OBJECT_NOT_FOUND")
            .with("toObjectId", id));
        };
        links.push((node, types));
    }
    Ok(links)
}

/// `[{associationCategory, associationTypeId}]`, at least one.
pub(crate) fn specs(types: Option<&Json>) -> Result<Vec<LinkType>, Refusal> {
    let Some(Json::Array(types)) = types else {
        return Err(Refusal::json("Some required fields were not set: [types]"));
    };
    let mut links = Vec::new();
    for spec in types {
        let category = spec.get("associationCategory").and_then(Json::as_str).and_then(Category::parse);
        let id = id_text(spec.get("associationTypeId")).and_then(|id| id.parse().ok());
        match (category, id) {
            (Some(category), Some(id)) => links.push(LinkType { category, id }),
            _ => {
                return Err(Refusal::json(
                    "Some required fields were not set: [associationCategory, associationTypeId]",
                ));
            }
        }
    }
    if links.is_empty() {
        return Err(Refusal::invalid("At least one association type must be given"));
    }
    Ok(links)
}

/// A type that does not lead from here to there (sheet: section 5.6: direction matters).
pub(crate) fn wrong_type(world: &World, from: Kind, to: Option<Kind>, link: Option<LinkType>) -> Refusal {
    let id = link.map_or(0, |link| link.id);
    let to = to.map_or("any object", |to| world.kinds.singular(to));
    Refusal::invalid(format!("Association type {id} is not valid from {} to {to}", world.kinds.singular(from)))
        .sub("crm.associations.INVALID_ASSOCIATION_TYPE")
        .with("type", id.to_string())
}

/// The properties that a write named.
pub(crate) fn written(values: &Values) -> Vec<PropIx> {
    values.iter().map(|(ix, _)| *ix).collect()
}

/// `POST /crm/v3/objects/{kind}`
pub(crate) fn create(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let body = call.object()?;
    let new = draft_create(&hub.world, kind, &body, call.enforce_rules)?;
    let id = write::insert(hub, kind, &new.values, &new.links, call.now, &call.source());
    let record = hub.world.table(kind).get(id).ok_or_else(Refusal::no_record)?;
    let mut shown = written_json(&hub.world, kind, record, &written(&new.values));
    if let Some(trace) = body.get("objectWriteTraceId") {
        shown.insert("objectWriteTraceId".into(), trace.clone());
    }
    Ok(Reply::json(201, &Json::Object(shown)))
}

/// `PATCH /crm/v3/objects/{kind}/{id}`
pub(crate) fn update(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let body = call.object()?;
    let record = find(&hub.world, kind, call.segment(4), call.param("idProperty"), false)?;
    let record = record.ok_or_else(Refusal::no_record)?;
    let id = record.id;
    let values = draft::draft(&hub.world, kind, properties(&body)?, Some(record), call.enforce_rules)?;
    write::update(hub, kind, id, &values, call.now, &call.source());
    let record = hub.world.table(kind).get(id).ok_or_else(Refusal::no_record)?;
    let shown = written_json(&hub.world, kind, record, &written(&values));
    Ok(Reply::json(200, &Json::Object(shown)))
}

/// `DELETE /crm/v3/objects/{kind}/{id}`: 204, also when it is archived already or never was.
pub(crate) fn archive(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let id = call.segment(4).parse().map_err(|_| Refusal::no_record())?;
    let id = hub.world.table(kind).resolve(id);
    write::archive(hub, kind, id, call.now, &call.source());
    Ok(no_content())
}

/// `POST /crm/v3/objects/{kind}/gdpr-delete`: the record is gone for good, its address is remembered.
pub(crate) fn gdpr_delete(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let body = call.object()?;
    let Some(id) = id_text(body.get("objectId")) else {
        return Err(Refusal::json("Some required fields were not set: [objectId]"));
    };
    let id_property = body.get("idProperty").and_then(Json::as_str);
    let live = find(&hub.world, kind, &id, id_property, false)?.map(|r| r.id);
    let found = match live {
        Some(id) => Some(id),
        None if id_property.is_none() => find(&hub.world, kind, &id, None, true)?.map(|r| r.id),
        None => None,
    };
    let id = found.ok_or_else(Refusal::no_record)?;
    write::drop_links(hub, Node { kind, id });
    let record = hub.world.put(kind, id, None, call.now);
    let email = hub.world.schema(kind).index("email").filter(|_| kind == kinds::CONTACTS);
    if let Some(address) = record.as_ref().zip(email).and_then(|(r, ix)| r.value(ix)) {
        hub.world.erased.insert(address.to_owned());
    }
    hub.changes.push(Change::new(hub.world.kinds.plural(kind), id, Action::Purged));
    hub.occurrences.push(Occurrence::erasure(kind, id, call.now, &call.source()));
    Ok(no_content())
}

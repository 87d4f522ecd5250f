//! Functions and actions (sheet: sections 1, 4, 5.6 and 5.7).

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::address::{self, split};
use super::call::Call;
use super::draft::Draft;
use super::refusal::{Answer, Fault, no_content};
use super::schema::Entity;
use super::world::{World, points, reference};
use super::{Dynamics, links, merge, metadata, sales, write};
use crate::Reply;

/// `GET /api/data/v9.2/`: the sets.
pub(super) fn service(org: &Dynamics, call: &Call<'_>) -> Answer {
    let sets: Vec<Json> = org
        .world
        .schema
        .entities
        .values()
        .map(|entity| json!({"name": entity.set, "kind": "EntitySet", "url": entity.set}))
        .collect();
    Ok(Reply::json(200, &json!({"@odata.context": format!("{}$metadata", call.base), "value": sets})))
}

/// What is bound to no row; `arguments` stands in parentheses behind it.
pub(super) fn unbound(org: &mut Dynamics, call: &Call<'_>, name: &str, arguments: Option<&str>) -> Answer {
    let world = &mut org.world;
    match (call.method(), name) {
        ("GET", "WhoAmI") => who(world, call),
        ("GET", "RetrieveTotalRecordCount") => counts(world, call, arguments),
        ("GET", "RetrieveCurrentOrganization") => {
            let detail =
                json!({"OrganizationId": world.org.id, "FriendlyName": world.org.name, "UrlName": world.org.name});
            Ok(Reply::json(200, &json!({"@odata.context": context(call, name), "Detail": detail})))
        }
        ("POST", "WinOpportunity" | "LoseOpportunity") => {
            sales::close_opportunity(world, call, name == "WinOpportunity")
        }
        ("POST", "CloseIncident") => sales::close_incident(world, call),
        ("POST", "Merge") => merge::answer(world, call),
        ("POST", "PublishXml" | "PublishAllXml") => Ok(no_content()),
        ("POST", "InsertOptionValue") => metadata::insert_option(world, call),
        ("POST", "CreateCustomerRelationships") => metadata::customer(world, call),
        ("POST", "AddListMembersList") => add_members(world, call),
        (
            _,
            "WhoAmI" | "RetrieveTotalRecordCount" | "Merge" | "WinOpportunity" | "LoseOpportunity" | "CloseIncident",
        ) => Err(Fault::not_allowed(call.method())),
        _ => Err(Fault::no_segment(name)),
    }
}

/// What is bound to a row.
pub(super) fn bound(world: &mut World, call: &Call<'_>, entity: &Arc<Entity>, key: &str, action: &str) -> Answer {
    let key = address::key(world, entity, key, call.at)?;
    let id = address::existing(world, entity, &key)?;
    match (call.method(), entity.name.as_str(), action) {
        ("POST", "lead", "QualifyLead") => sales::qualify(world, call, &id),
        ("POST", "product", "PublishProductHierarchy") => {
            let draft = Draft::empty(entity.clone()).with("statecode", Some(json!(0)));
            write::update(world, &id, &draft, &call.writer())?;
            Ok(no_content())
        }
        ("POST", "email", "SendEmail") => {
            let draft =
                Draft::empty(entity.clone()).with("statecode", Some(json!(1))).with("statuscode", Some(json!(6)));
            write::update(world, &id, &draft, &call.writer())?;
            Ok(Reply::json(200, &json!({"@odata.context": context(call, "SendEmail"), "Subject": ""})))
        }
        ("GET", ..) | ("POST", ..) => Err(Fault::no_segment(action)),
        (method, ..) => Err(Fault::not_allowed(method)),
    }
}

pub(super) fn context(call: &Call<'_>, name: &str) -> String {
    format!("{}$metadata#Microsoft.Dynamics.CRM.{name}Response", call.base)
}

fn who(world: &World, call: &Call<'_>) -> Answer {
    let unit = world.get("systemuser", &call.user).and_then(|row| points(row, "businessunitid"));
    Ok(Reply::json(
        200,
        &json!({"@odata.context": context(call, "WhoAmI"), "BusinessUnitId": unit.map(|(_, id)| id), "UserId": call.user,
            "OrganizationId": world.org.id}),
    ))
}

/// `RetrieveTotalRecordCount(EntityNames=['account'])`, also with `@p`.
fn counts(world: &World, call: &Call<'_>, arguments: Option<&str>) -> Answer {
    let bad = || Fault::odata("The parameter EntityNames is missing or no list of names.");
    let value = arguments.and_then(|text| text.trim().strip_prefix("EntityNames=")).ok_or_else(bad)?;
    let value = if value.starts_with('@') { call.request.param(value).ok_or_else(bad)? } else { value };
    let names = value.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or_else(bad)?;
    let mut keys = Vec::new();
    let mut values = Vec::new();
    for name in split(names, ',').ok_or_else(bad)? {
        let name = name.trim().trim_matches(['\'', '"']).to_owned();
        let entity = world
            .entity(&name)
            .ok_or_else(|| Fault::argument("The entity with a name in EntityNames was not found."))?;
        values.push(world.scan(&entity).len());
        keys.push(name);
    }
    let collection = json!({"Count": keys.len(), "IsReadOnly": false, "Keys": keys, "Values": values});
    Ok(Reply::json(
        200,
        &json!({"@odata.context": context(call, "RetrieveTotalRecordCount"), "EntityRecordCountCollection": collection}),
    ))
}

/// `{"List": {...}, "Members": [...]}`.
fn add_members(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.map()?;
    let list = id_of(body.get("List"), "listid")?;
    let members = body.get("Members").and_then(Json::as_array).cloned().unwrap_or_default();
    let by = call.writer();
    for member in &members {
        let kind = member["@odata.type"].as_str().unwrap_or("").rsplit('.').next().unwrap_or("").to_owned();
        let id = id_of(Some(member), &format!("{kind}id"))?;
        let pairs = world.schema.pairs.iter().find(|pairs| pairs.intersect == "listmember" && pairs.two.0 == kind);
        let pairs = pairs.cloned().ok_or_else(|| Fault::argument("The members do not fit the list."))?;
        links::pair(world, &pairs, &list, &id, &by)?;
    }
    Ok(no_content())
}

/// A row's id in the body of an action.
pub(super) fn id_of(value: Option<&Json>, column: &str) -> Result<String, Fault> {
    let id = value.and_then(|value| value.get(column)).and_then(Json::as_str).and_then(super::guid::parse);
    id.ok_or_else(|| Fault::argument(format!("The body does not name '{column}'.")))
}

/// Creates the row that an action brings along.
pub(super) fn nested(world: &mut World, call: &Call<'_>, table: &str, body: Option<&Json>) -> Result<String, Fault> {
    let entity = world.entity(table).ok_or_else(|| Fault::no_segment(table))?;
    let empty = Map::new();
    let map = body.and_then(Json::as_object).unwrap_or(&empty);
    let draft = super::records::draft(world, call, &entity, map, true)?;
    write::create(world, &draft.with("ownerid", Some(reference("systemuser", &call.user))), &call.writer())
}

//! Property groups (sheet: HubSpot section 3 \[obs\]).

use serde_json::{Value as Json, json};

use super::call::Call;
use super::kinds::Kind;
use super::properties::group_json;
use super::property::Group;
use super::refusal::{Answer, Refusal};
use super::{Hubspot, no_content};
use crate::Reply;

/// `/crm/v3/properties/{kind}/groups[/{name}]`
pub(crate) fn route(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let Some(schema) = hub.world.schemas.get_mut(usize::from(kind)) else { return Err(Refusal::no_record()) };
    let name = call.segment(5);
    match (call.request.method.as_str(), call.path.len()) {
        ("GET", 5) => {
            let archived = call.flag("archived")?;
            let all: Vec<Json> =
                schema.groups.iter().filter(|g| g.archived == archived).map(|g| group_json(g, call.now)).collect();
            Ok(Reply::json(200, &json!({"results": all})))
        }
        ("POST", 5) => {
            let group: Group = serde_json::from_value(Json::Object(call.object()?))
                .map_err(|error| Refusal::json(&error.to_string()))?;
            if schema.group(&group.name).is_some() {
                return Err(Refusal::new(
                    409,
                    "OBJECT_ALREADY_EXISTS",
                    format!("A property group named '{}' already exists.", group.name),
                )
                .sub("Properties.PROPERTY_GROUP_WITH_NAME_EXISTS"));
            }
            let group = Group { archived: false, ..group };
            schema.groups.retain(|g| g.name != group.name);
            let shown = group_json(&group, call.now);
            schema.groups.push(group);
            Ok(Reply::json(201, &shown))
        }
        ("GET", 6) => {
            let group = schema.group(name).ok_or_else(Refusal::no_record)?;
            Ok(Reply::json(200, &group_json(group, call.now)))
        }
        ("PATCH", 6) => {
            let body = call.object()?;
            let group =
                schema.groups.iter_mut().find(|g| g.name == name && !g.archived).ok_or_else(Refusal::no_record)?;
            if let Some(label) = body.get("label").and_then(Json::as_str) {
                label.clone_into(&mut group.label);
            }
            if let Some(order) = body.get("displayOrder").and_then(Json::as_i64) {
                group.display_order = order;
            }
            Ok(Reply::json(200, &group_json(group, call.now)))
        }
        ("DELETE", 6) => {
            if schema.group(name).is_none() {
                return Err(Refusal::no_record());
            }
            if schema.iter().any(|(_, p)| p.group == name && p.archived_at.is_none()) {
                // The real reply nests its error as JSON text in the message (sheet: section 3 [obs]).
                let nested = json!({"status": "error", "message": "The group has active properties",
                    "errors": [{"message": "The group has active properties",
                        "code": "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES"}]});
                return Err(Refusal::invalid(nested.to_string()).sub("PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES"));
            }
            if let Some(group) = schema.groups.iter_mut().find(|g| g.name == name) {
                group.archived = true;
            }
            Ok(no_content())
        }
        _ => Err(Refusal::new(405, "", "Method Not Allowed")),
    }
}

//! Association labels: `GET|POST|PUT /crm/v4/associations/{from}/{to}/labels`, `DELETE .../{typeId}`
//! (sheet: HubSpot section 5.6 \[spec/doc\]).

use serde_json::{Value as Json, json};

use super::call::{Call, id_text};
use super::kinds::Kind;
use super::link_types::{Category, LinkType, TypeRow};
use super::refusal::{Answer, Refusal};
use super::{Hubspot, no_content};
use crate::Reply;

/// Answers the labels of one direction.
pub(crate) fn route(hub: &mut Hubspot, call: &Call<'_>, from: Kind, to: Kind) -> Answer {
    match (call.request.method.as_str(), call.path.len()) {
        ("GET", 6) => {
            let all: Vec<Json> = hub.world.link_types.between(from, to).map(shown).collect();
            Ok(Reply::json(200, &json!({"results": all})))
        }
        ("POST", 6) => create(hub, call, from, to),
        ("PUT", 6) => rename(hub, call, from, to),
        ("DELETE", 7) => {
            let id: u32 = call.segment(6).parse().map_err(|_| Refusal::no_record())?;
            let link = LinkType { category: Category::UserDefined, id };
            let used = hub.world.links.halves().any(|(_, _, types)| types.contains(&link));
            if hub.world.link_types.row(from, to, link).is_none() {
                return Err(Refusal::no_record());
            }
            if used {
                return Err(Refusal::invalid("The label is in use and cannot be deleted"));
            }
            hub.world.link_types.remove_label(from, to, link);
            Ok(no_content())
        }
        _ => Err(Refusal::new(405, "", "Method Not Allowed")),
    }
}

fn shown(row: &TypeRow) -> Json {
    json!({"category": row.link.category.name(), "typeId": row.link.id, "label": row.label})
}

/// Two rows for paired labels, one for a label that reads the same both ways.
fn create(hub: &mut Hubspot, call: &Call<'_>, from: Kind, to: Kind) -> Answer {
    let body = call.object()?;
    let text = |name: &str| body.get(name).and_then(Json::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
    let (Some(label), Some(name)) = (text("label"), text("name")) else {
        return Err(Refusal::json("Some required fields were not set: [label, name]"));
    };
    if hub.world.link_types.plain(from, to).is_none() {
        return Err(super::objects::wrong_type(&hub.world, from, Some(to), None));
    }
    let taken = |row: &TypeRow| row.name == name || row.label.as_ref() == Some(&label);
    if hub.world.link_types.between(from, to).any(taken) {
        return Err(Refusal::new(
            409,
            "OBJECT_ALREADY_EXISTS",
            format!("A label '{label}' or name '{name}' already exists"),
        ));
    }
    let id = hub.world.link_types.next_id;
    let user = |id: u32| LinkType { category: Category::UserDefined, id };
    let inverse_label = text("inverseLabel");
    // Same kind and no inverse label: one type serves both directions.
    let inverse = if inverse_label.is_none() && from == to { id } else { id + 1 };
    let row = TypeRow {
        from,
        to,
        link: user(id),
        inverse: Some(user(inverse)),
        label: Some(label.clone()),
        name: name.clone(),
        one_per_from: false,
    };
    let mut results = vec![shown(&row)];
    hub.world.link_types.push(row.clone());
    if inverse != id {
        let back = TypeRow {
            from: to,
            to: from,
            link: user(inverse),
            inverse: Some(user(id)),
            label: Some(inverse_label.unwrap_or(label)),
            name: format!("{name}_inverse"),
            one_per_from: false,
        };
        results.push(shown(&back));
        hub.world.link_types.push(back);
    }
    Ok(Reply::json(200, &json!({"results": results})))
}

fn rename(hub: &mut Hubspot, call: &Call<'_>, from: Kind, to: Kind) -> Answer {
    let body = call.object()?;
    let id: u32 = id_text(body.get("associationTypeId"))
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Refusal::json("Some required fields were not set: [associationTypeId]"))?;
    let label = body.get("label").and_then(Json::as_str).unwrap_or("").to_owned();
    if label.is_empty() {
        return Err(Refusal::json("Some required fields were not set: [label]"));
    }
    let mut rows = hub.world.link_types.user_rows_mut();
    let row = rows.find(|r| (r.from, r.to, r.link.id) == (from, to, id)).ok_or_else(Refusal::no_record)?;
    row.label = Some(label);
    Ok(no_content())
}

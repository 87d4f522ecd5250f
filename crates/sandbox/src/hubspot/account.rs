//! What is read about the portal: account, usage, owners, workflows, schemas of custom objects.

use serde_json::{Value as Json, json};

use super::Hubspot;
use super::call::Call;
use super::instant::{account_day, iso};
use super::kinds::Kinds;
use super::refusal::{Answer, Refusal};
use crate::Reply;

/// `/account-info/v3/...`
pub(crate) fn info(hub: &Hubspot, call: &Call<'_>) -> Answer {
    let rest: Vec<&str> = call.path.iter().skip(2).map(String::as_str).collect();
    match rest.as_slice() {
        ["details"] => Ok(Reply::json(200, &details(hub, call.now))),
        ["api-usage", "daily", "private-apps"] | ["api-usage", "daily"] => {
            let (limit, used) = hub.meters.daily(&hub.world.account, call.now);
            let (_, resets) = account_day(call.now, &hub.world.account.zone());
            Ok(Reply::json(
                200,
                &json!({"results": [{"name": "private-apps-api-calls-daily", "usageLimit": limit,
                    "currentUsage": used, "collectedAt": iso(call.now), "fetchStatus": "SUCCESS",
                    "resetsAt": iso(resets)}]}),
            ))
        }
        _ => Err(Refusal::no_record()),
    }
}

fn details(hub: &Hubspot, now: i64) -> Json {
    let account = &hub.world.account;
    let offset =
        jiff::Timestamp::from_millisecond(now).map(|at| account.zone().to_offset(at).seconds()).unwrap_or_default();
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.unsigned_abs() / 60;
    json!({"portalId": account.portal_id, "accountType": account.account_type, "timeZone": account.time_zone,
        "companyCurrency": account.company_currency, "additionalCurrencies": account.additional_currencies,
        "utcOffset": format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60),
        "utcOffsetMilliseconds": i64::from(offset) * 1_000, "uiDomain": account.ui_domain,
        "dataHostingLocation": account.data_hosting_location})
}

/// `GET /crm/v3/owners[/{id}]` (sheet: HubSpot section 2.5 \[spec\]).
pub(crate) fn owners(hub: &Hubspot, call: &Call<'_>) -> Answer {
    let archived = call.flag("archived")?;
    let own = |id: &str| {
        let by_user = call.param("idProperty") == Some("userId");
        hub.world.owners.iter().find(|o| {
            let key = if by_user { o.user_id.map(|id| id.to_string()) } else { Some(o.id.clone()) };
            key.as_deref() == Some(id) && o.archived == archived
        })
    };
    if call.path.len() == 4 {
        return own(call.segment(3)).map(|o| Reply::json(200, &o.json())).ok_or_else(Refusal::no_record);
    }
    let limit = call.limit(100, 500)?;
    let from = call.after()?.unwrap_or(0);
    let number = |id: &str| id.parse::<u64>().unwrap_or(0);
    let email = call.param("email").map(str::to_lowercase);
    let mut found: Vec<_> = hub
        .world
        .owners
        .iter()
        .filter(|o| o.archived == archived && number(&o.id) >= from)
        .filter(|o| email.as_ref().is_none_or(|email| o.email.to_lowercase() == *email))
        .collect();
    found.sort_by_key(|o| number(&o.id));
    let results: Vec<Json> = found.iter().take(limit).map(|o| o.json()).collect();
    let mut body = json!({"results": results});
    if let (Some(next), Some(body)) = (found.get(limit), body.as_object_mut()) {
        let link = format!("https://api.hubapi.com/crm/v3/owners?limit={limit}&after={}", next.id);
        body.insert("paging".into(), json!({"next": {"after": next.id, "link": link}}));
    }
    Ok(Reply::json(200, &body))
}

/// `GET /automation/v3/workflows[/{id}]` and `GET /automation/v4/flows[/{id}]`, from the world.
///
/// The shapes follow the public reference of both APIs: v3 `{"workflows": [{id, name, type, enabled,
/// insertedAt, updatedAt, ...}]}` with numeric ids and epoch milliseconds; v4 `{"results": [{id, name,
/// flowType, isEnabled, objectTypeId, revisionId, createdAt, updatedAt}], "paging"}`.
pub(crate) fn automation(hub: &mut Hubspot, call: &Call<'_>) -> Answer {
    let v4 = call.segment(1) == "v4";
    let id = call.segment(3).to_owned();
    if call.request.method == "PUT" && v4 && !id.is_empty() {
        return switch(hub, call, &id);
    }
    if call.request.method != "GET" {
        return Err(Refusal::new(405, "", "Method Not Allowed"));
    }
    let show = |flow: &Json| if v4 { flow_v4(flow) } else { flow_v3(flow, hub.world.account.portal_id) };
    if !id.is_empty() {
        let found = hub.world.workflows.iter().find(|flow| flow_id(flow) == id);
        return found.map(|flow| Reply::json(200, &show(flow))).ok_or_else(Refusal::no_record);
    }
    if !v4 {
        let contact_based = hub.world.workflows.iter().filter(|flow| object_type(flow) == "0-1");
        let all: Vec<Json> = contact_based.map(show).collect();
        return Ok(Reply::json(200, &json!({"workflows": all})));
    }
    let limit = call.limit(100, 500)?;
    let skip = usize::try_from(call.after()?.unwrap_or(0)).unwrap_or(usize::MAX);
    let all: Vec<Json> = hub.world.workflows.iter().skip(skip).take(limit).map(show).collect();
    let next = skip.saturating_add(all.len());
    let mut body = json!({"results": all});
    if let (true, Some(body)) = (next < hub.world.workflows.len(), body.as_object_mut()) {
        body.insert("paging".into(), json!({"next": {"after": next.to_string()}}));
    }
    Ok(Reply::json(200, &body))
}

fn flow_id(flow: &Json) -> String {
    super::call::id_text(flow.get("id")).unwrap_or_default()
}

fn enabled(flow: &Json) -> bool {
    let on = flow.get("enabled").or_else(|| flow.get("isEnabled"));
    on.and_then(Json::as_bool).unwrap_or(false)
}

fn object_type(flow: &Json) -> &str {
    let by_name = match flow.get("type").and_then(Json::as_str) {
        Some("DEAL_FLOW") => "0-3",
        Some("COMPANY_FLOW") => "0-2",
        Some("TICKET_FLOW") => "0-5",
        _ => "0-1",
    };
    flow.get("objectTypeId").and_then(Json::as_str).unwrap_or(by_name)
}

/// The trigger type of v3; a world may say the v4 kind instead.
fn trigger(flow: &Json) -> &str {
    let said = flow.get("type").and_then(Json::as_str);
    said.filter(|t| matches!(*t, "STATIC_ANCHOR" | "PROPERTY_ANCHOR")).unwrap_or("DRIP_DELAY")
}

fn flow_v3(flow: &Json, portal: u64) -> Json {
    let at = |name: &str| flow.get(name).and_then(Json::as_i64).unwrap_or(0);
    json!({"id": flow_id(flow).parse::<u64>().unwrap_or(0), "name": flow.get("name"),
        "type": trigger(flow), "enabled": enabled(flow),
        "insertedAt": at("insertedAt"), "updatedAt": at("updatedAt"), "portalId": portal,
        "personaTagIds": [], "contactListIds": {"enrolled": 0, "active": 0, "completed": 0, "succeeded": 0}})
}

fn flow_v4(flow: &Json) -> Json {
    let at = |name: &str| iso(flow.get(name).and_then(Json::as_i64).unwrap_or(0));
    let kind = if object_type(flow) == "0-1" { "CONTACT_FLOW" } else { "PLATFORM_FLOW" };
    json!({"id": flow_id(flow), "name": flow.get("name"), "type": kind, "flowType": "WORKFLOW",
        "isEnabled": enabled(flow), "objectTypeId": object_type(flow),
        "revisionId": super::call::id_text(flow.get("revisionId")).unwrap_or_else(|| "1".to_owned()),
        "createdAt": at("insertedAt"), "updatedAt": at("updatedAt")})
}

/// `PUT /automation/v4/flows/{id}`: only `isEnabled` changes here; `revisionId` must be the present one.
fn switch(hub: &mut Hubspot, call: &Call<'_>, id: &str) -> Answer {
    let body = call.object()?;
    let now = call.now;
    let flow = hub.world.workflows.iter_mut().find(|flow| flow_id(flow) == id).ok_or_else(Refusal::no_record)?;
    let present = super::call::id_text(flow.get("revisionId")).unwrap_or_else(|| "1".to_owned());
    if super::call::id_text(body.get("revisionId")).as_deref() != Some(present.as_str()) {
        return Err(Refusal::invalid(format!("revisionId must be the present revision {present}")));
    }
    let Some(on) = body.get("isEnabled").and_then(Json::as_bool) else {
        return Err(Refusal::json("Some required fields were not set: [isEnabled]"));
    };
    if let Some(flow) = flow.as_object_mut() {
        flow.remove("isEnabled");
        flow.insert("enabled".into(), on.into());
        let next = present.parse::<u64>().unwrap_or(1) + 1;
        flow.insert("revisionId".into(), next.to_string().into());
        flow.insert("updatedAt".into(), now.into());
    }
    let shown = flow_v4(flow);
    hub.changes.push(crate::journal::Change::new("workflows", id, crate::journal::Action::Updated));
    Ok(Reply::json(200, &shown))
}

/// `GET /crm-object-schemas/v3/schemas[/{kind}]`: custom objects only (sheet: section 2.8 \[spec\]).
pub(crate) fn schemas(hub: &Hubspot, call: &Call<'_>) -> Answer {
    if call.request.method != "GET" {
        return Err(Refusal::new(405, "", "Method Not Allowed"));
    }
    let world = &hub.world;
    let one = |kind| {
        let properties: Vec<Json> = world
            .schema(kind)
            .iter()
            .filter(|(_, p)| p.archived_at.is_none())
            .map(|(_, p)| world.property_json(kind, p))
            .collect();
        let name = world.kinds.singular(kind);
        let custom = world.kinds.custom(kind).cloned().unwrap_or_default();
        let label = custom.label.unwrap_or_else(|| name.to_owned());
        let plural = custom.plural_label.unwrap_or_else(|| world.kinds.plural(kind).to_owned());
        // The plain type to every kind that it may be associated with.
        let associations: Vec<Json> = world
            .kinds
            .iter()
            .filter_map(|(other, _)| Some((other, world.link_types.plain(kind, other)?)))
            .map(|(other, row)| {
                json!({"id": row.link.id.to_string(), "name": row.name,
                    "fromObjectTypeId": world.kinds.type_id(kind), "toObjectTypeId": world.kinds.type_id(other)})
            })
            .collect();
        json!({"id": world.kinds.type_id(kind).rsplit('-').next(), "objectTypeId": world.kinds.type_id(kind),
            "name": name, "labels": {"singular": label, "plural": plural},
            "fullyQualifiedName": custom.qualified, "primaryDisplayProperty": custom.primary,
            "requiredProperties": world.kinds.required(kind), "searchableProperties": [],
            "secondaryDisplayProperties": [], "properties": properties, "associations": associations, "archived": false})
    };
    if call.path.len() == 4 {
        let kind = world.kinds.find(call.segment(3)).ok_or_else(Refusal::no_record)?;
        return Ok(Reply::json(200, &one(kind)));
    }
    let all: Vec<Json> = world.kinds.iter().map(|(kind, _)| kind).filter(|k| Kinds::is_custom(*k)).map(one).collect();
    Ok(Reply::json(200, &json!({"results": all})))
}

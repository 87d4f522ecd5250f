//! Account, owners, workflows.

use handover_connect::{Fault, FaultKind, Method, Reply, Request, Step};
use handover_model::{Account, Automation, User};
use serde_json::Value as Json;

use super::capabilities::CALL;
use super::faults;
use super::json::{after, body, flag_at, id_text, items, results, text_at, text_or_empty};
use super::objects::{OBJECTS, path};
use super::place::Place;
use crate::marks::Mark;

/// The request for the account, then for its daily allowance.
pub(super) fn account(place: Option<&Place>) -> Request {
    let what = match place {
        Some(Place::Usage(_)) => "api-usage/daily/private-apps",
        _ => "details",
    };
    Request::new(Method::Get, format!("{}/{what}", path::ACCOUNT), &CALL)
}

/// The account (sheet: HubSpot section 3 \[spec\]). What the token lacks is told by no reply here, only by
/// the refusal of a call that needs it.
pub(super) fn account_told(place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    if let Some(Place::Usage(mut account)) = place {
        // Usage is told to private apps; for others the day is not known (sheet: HubSpot section 6 [doc]).
        if (200..300).contains(&reply.status) {
            let body = body(reply)?;
            let told = items(&body, "results").iter().filter_map(|usage| usage.get("usageLimit")?.as_u64());
            account.daily_limit = told.filter(|limit| *limit > 0).min();
        } else if matches!(reply.status, 401 | 408 | 423 | 429 | 477 | 500..) {
            return Err(faults::of_reply(reply, false));
        }
        return Ok(Step::Account(account));
    }
    let body = body(reply)?;
    let id = body.get("portalId").and_then(id_text).ok_or_else(|| Fault::malformed("the account has no `portalId`"))?;
    let mut currencies: Vec<String> = text_at(&body, "companyCurrency").map(str::to_owned).into_iter().collect();
    for currency in items(&body, "additionalCurrencies").iter().filter_map(Json::as_str) {
        if !currencies.iter().any(|have| have == currency) {
            currencies.push(currency.to_owned());
        }
    }
    let name = match text_at(&body, "accountType") {
        Some("STANDARD") | None => format!("HubSpot account {id}"),
        Some(kind) => format!("HubSpot account {id} ({kind})"),
    };
    let account = Account {
        id,
        name,
        currencies,
        time_zone: text_or_empty(&body, "timeZone"),
        lacks: Vec::new(),
        daily_limit: None,
        fallback_user: None,
    };
    Ok(Place::Usage(account).then())
}

/// One page of owners; inactive ones come only when asked for (sheet: HubSpot section 2.5 \[spec\]).
pub(super) fn owners(place: Option<&Place>) -> Request {
    let request = Request::new(Method::Get, path::OWNERS, &CALL).with_query("limit", "100");
    match place {
        Some(Place::Owners { archived, after }) => {
            let request = request.with_query("archived", archived.to_string());
            match after {
                Some(after) => request.with_query("after", after),
                None => request,
            }
        }
        _ => request.with_query("archived", "false"),
    }
}

/// Owners as users. Records carry the owner's `id`, not its `userId` (sheet: HubSpot section 2.5 \[doc, obs\]).
pub(super) fn owners_told(place: Option<&Place>, reply: &Reply) -> Result<Step, Fault> {
    let archived = matches!(place, Some(Place::Owners { archived: true, .. }));
    let body = body(reply)?;
    let users = results(&body)?
        .iter()
        .filter_map(|owner| {
            let names = [text_at(owner, "firstName"), text_at(owner, "lastName")];
            let name = names.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
            Some(User {
                id: owner.get("id").and_then(id_text)?.into(),
                email: text_or_empty(owner, "email"),
                name,
                active: !archived && !flag_at(owner, "archived"),
            })
        })
        .collect();
    let next = match (after(&body), archived) {
        (Some(after), _) => Some(Place::Owners { archived, after: Some(after) }),
        (None, false) => Some(Place::Owners { archived: true, after: None }),
        (None, true) => None,
    };
    Ok(Step::Users { users, next: next.map(|place| place.cursor()) })
}

/// One page of workflows.
pub(super) fn flows(place: Option<&Place>) -> Request {
    let request = Request::new(Method::Get, path::FLOWS, &CALL).with_query("limit", "100");
    match place {
        Some(Place::Flows { after, .. }) => request.with_query("after", after),
        _ => request,
    }
}

/// Workflows. The API is in beta and wants a scope of its own; without it, it does not tell.
pub(super) fn flows_told(place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    if !(200..300).contains(&reply.status) {
        let mut fault = faults::of_reply(reply, false);
        if fault.kind == FaultKind::NotFound {
            fault.kind = FaultKind::Denied;
        }
        return Err(fault);
    }
    let mut found = match place {
        Some(Place::Flows { found, .. }) => found,
        _ => Vec::new(),
    };
    let body = body(reply)?;
    found.extend(results(&body)?.iter().filter_map(|flow| {
        let type_id = text_at(flow, "objectTypeId").unwrap_or_default();
        Some(Automation {
            id: flow.get("id").and_then(id_text)?,
            name: text_or_empty(flow, "name"),
            enabled: flag_at(flow, "isEnabled"),
            object: OBJECTS
                .iter()
                .find(|object| !object.type_id.is_empty() && object.type_id == type_id)
                .map(|object| object.name.into()),
        })
    }));
    Ok(match after(&body) {
        Some(after) => Place::Flows { after, found }.then(),
        None => Step::Automations(found),
    })
}

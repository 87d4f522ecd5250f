//! The organization and its users.

use handover_connect::{Fault, FaultKind, Method, Reply, Request, Step};
use handover_model::{Account, User};
use serde_json::Value as Json;

use super::capabilities::{CALL, PAGE};
use super::faults;
use super::json::{body, flag_at, items, text_at};
use super::objects::API;
use super::place::Place;
use crate::marks::Mark;

/// The request for the organization, then for its currencies, then for the user whose token it is.
pub(super) fn account(place: Option<&Place>) -> Request {
    match place {
        Some(Place::Currencies(_)) => Request::new(Method::Get, format!("{API}/org/currencies"), &CALL),
        Some(Place::Myself(_)) => {
            Request::new(Method::Get, format!("{API}/users"), &CALL).with_query("type", "CurrentUser")
        }
        _ => Request::new(Method::Get, format!("{API}/org"), &CALL),
    }
}

/// The organization (sheet: Zoho section 2). Who makes a record without an owner owns it.
pub(super) fn told(place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    match place {
        Some(Place::Currencies(mut account)) => {
            match faults::check(reply).and_then(|()| body(reply)) {
                Ok(body) => {
                    let active = items(&body, "currencies")
                        .iter()
                        .filter(|one| one.get("is_active").and_then(Json::as_bool).unwrap_or(true));
                    let codes: Vec<String> =
                        active.filter_map(|one| text_at(one, "iso_code")).map(str::to_owned).collect();
                    if !codes.is_empty() {
                        account.currencies = codes;
                    }
                }
                // There is one currency only, or its list is not shown to this user: the organization's own is known.
                Err(fault) if matches!(fault.kind, FaultKind::Denied | FaultKind::Invalid | FaultKind::NotFound) => {}
                Err(fault) => return Err(fault),
            }
            Ok(Place::Myself(account).then())
        }
        Some(Place::Myself(mut account)) => {
            faults::check(reply)?;
            let user = items(&body(reply)?, "users").first().and_then(|user| text_at(user, "id")).map(Into::into);
            account.fallback_user = user;
            Ok(Step::Account(account))
        }
        _ => {
            faults::check(reply)?;
            let body = body(reply)?;
            let org = items(&body, "org").first().ok_or_else(|| Fault::malformed("the organization is not told"))?;
            let id = text_at(org, "zgid").or_else(|| text_at(org, "id"));
            let id = id.ok_or_else(|| Fault::malformed("the organization has no id"))?.to_owned();
            Ok(Place::Currencies(Account {
                name: text_at(org, "company_name").unwrap_or("Zoho CRM").to_owned(),
                currencies: text_at(org, "iso_code").into_iter().map(str::to_owned).collect(),
                time_zone: text_at(org, "time_zone").unwrap_or_default().to_owned(),
                lacks: Vec::new(),
                daily_limit: credits(org),
                fallback_user: None,
                id,
            })
            .then())
        }
    }
}

/// Credits in 24 hours by edition and number of users (sheet: Zoho section 6 \[doc\]); `None` where the edition is not
/// told.
fn credits(org: &Json) -> Option<u64> {
    let license = org.get("license_details")?;
    let is_paid = flag_at(license, "paid");
    let edition = text_at(license, if is_paid { "paid_type" } else { "trial_type" });
    let users = license.get("users_license_purchased").and_then(Json::as_u64).unwrap_or(0);
    let of = |each: u64, most: u64| users.saturating_mul(each).saturating_add(50_000).min(most);
    match edition.map(str::to_ascii_lowercase).as_deref() {
        Some("standard") => Some(of(250, 100_000)),
        Some("professional") => Some(of(500, 3_000_000)),
        Some("enterprise" | "zohoone") => Some(of(1_000, 5_000_000)),
        Some("ultimate" | "crmplus") => Some(of(2_000, u64::MAX)),
        _ => None,
    }
}

/// One page of users, inactive ones too.
pub(super) fn users(page: u32) -> Request {
    Request::new(Method::Get, format!("{API}/users"), &CALL)
        .with_query("type", "AllUsers")
        .with_query("page", page.to_string())
        .with_query("per_page", PAGE.to_string())
}

/// The users of a page.
pub(super) fn users_told(page: u32, reply: &Reply) -> Result<Step, Fault> {
    faults::check(reply)?;
    let body = body(reply)?;
    let user = |raw: &Json| {
        let id = text_at(raw, "id")?;
        Some(User {
            email: text_at(raw, "email").unwrap_or_default().to_owned(),
            name: text_at(raw, "full_name").unwrap_or(id).to_owned(),
            active: text_at(raw, "status") == Some("active"),
            id: id.into(),
        })
    };
    let users = items(&body, "users").iter().filter_map(user).collect();
    let more = body.pointer("/info/more_records").and_then(Json::as_bool).unwrap_or(false);
    Ok(Step::Users { users, next: more.then(|| Place::Page(page.saturating_add(1)).cursor()) })
}

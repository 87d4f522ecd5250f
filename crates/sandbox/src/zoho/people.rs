//! Users, roles, profiles, the organization, currencies (sheet: section 2).

use serde_json::{Value as Json, json};

use super::call::Call;
use super::org::{PROFILES, ROLES, User};
use super::refusal::{Answer, Refusal, nothing};
use super::scopes::Does;
use super::world::{Id, META, World};
use crate::Reply;

/// `GET /users` and `/users/{id}`.
pub(super) fn users(world: &World, call: &Call<'_>, one: Option<&str>) -> Answer {
    call.may("ZohoCRM.users", Does::Read)?;
    if call.method() != "GET" {
        return Err(Refusal::method());
    }
    if let Some(text) = one {
        let user = text.parse().ok().and_then(|id: Id| world.users.get(&id));
        let user = user.ok_or_else(|| Refusal::bad_id("id", "$.id"))?;
        return Ok(Reply::json(200, &json!({"users": [told(world, user)]})));
    }
    let fits = |user: &&User| match call.param("type").unwrap_or("AllUsers") {
        "AllUsers" => user.status != "deleted",
        "ActiveUsers" => user.is_active(),
        "DeactiveUsers" => user.status == "inactive",
        "DeletedUsers" => user.status == "deleted",
        "CurrentUser" => user.id == call.user,
        "AdminUsers" => user.admin,
        "ActiveConfirmedUsers" => user.is_active(),
        "ActiveConfirmedAdmins" => user.is_active() && user.admin,
        _ => false,
    };
    let all: Vec<&User> = world.users.values().filter(fits).collect();
    let (per_page, page) = (call.number("per_page", 200, 200)?, call.number("page", usize::MAX, 1)?);
    let start = (page - 1).saturating_mul(per_page);
    let here: Vec<Json> = all.iter().skip(start).take(per_page).map(|user| told(world, user)).collect();
    if here.is_empty() {
        return Ok(nothing());
    }
    let more = all.len() > start + here.len();
    let info = json!({"per_page": per_page, "count": here.len(), "page": page, "more_records": more});
    Ok(Reply::json(200, &json!({"users": here, "info": info})))
}

fn told(world: &World, user: &User) -> Json {
    let (role, profile) = if user.admin { (ROLES[0], PROFILES[0]) } else { (ROLES[1], PROFILES[1]) };
    let mini = |(name, id): (&str, Id)| json!({"name": name, "id": id.to_string()});
    json!({
        "id": user.id.to_string(), "first_name": user.first_name, "last_name": user.last_name,
        "full_name": user.full_name(), "name": user.full_name(), "email": user.email, "status": user.status,
        "role": mini(role), "profile": mini(profile), "time_zone": world.org.time_zone,
        "offset": i64::from(world.org.utc_offset_min) * 60_000, "zuid": (user.id - META.min(user.id)).to_string(),
        "confirm": user.is_active(), "language": "en_US", "locale": "en_US", "country_locale": "en_US",
        "territories": [], "Reporting_To": null, "personal_account": false, "type__s": "Regular User",
        "date_format": "MM/dd/yyyy", "time_format": "HH:mm", "Isonline": false,
    })
}

/// `GET /settings/roles` and `/settings/profiles`.
pub(super) fn sets(call: &Call<'_>, list: &str, all: &[(&str, Id)], one: Option<&str>) -> Answer {
    call.may(&format!("ZohoCRM.settings.{list}"), Does::of(call.method()))?;
    if call.method() != "GET" {
        return Err(Refusal::method());
    }
    let here = all.iter().filter(|(_, id)| one.is_none_or(|one| one == id.to_string()));
    let told: Vec<Json> = here
        .map(|(name, id)| json!({"name": name, "display_label": name, "id": id.to_string(), "custom": false}))
        .collect();
    match told.is_empty() {
        true => Err(Refusal::bad_id("id", "$.id")),
        false => Ok(Reply::json(200, &json!({list: told}))),
    }
}

/// `GET /org`.
pub(super) fn org(world: &World, call: &Call<'_>) -> Answer {
    call.may("ZohoCRM.org", Does::Read)?;
    let org = &world.org;
    let first = world.users.values().next().map(|user| user.email.clone());
    Ok(Reply::json(
        200,
        &json!({"org": [{
            "id": org.id.to_string(), "zgid": org.zgid, "company_name": org.company_name, "type": "Production",
            "currency": org.currency, "iso_code": org.currency, "currency_symbol": org.currency_symbol,
            "time_zone": org.time_zone, "mc_status": org.multi_currency(), "primary_email": first,
            "country_code": "US", "currency_locale": "en_US", "oauth_presence": true, "max_per_page": 100,
            "license_details": {"paid": org.edition != "free", "paid_type": org.edition, "trial_type": null,
                "users_license_purchased": world.users.len()},
        }]}),
    ))
}

/// `GET /org/currencies`.
pub(super) fn currencies(world: &World, call: &Call<'_>) -> Answer {
    call.may("ZohoCRM.settings.currencies", Does::Read)?;
    if !world.org.multi_currency() {
        return Err(Refusal::new("FEATURE_NOT_ENABLED", "multi currency is not enabled"));
    }
    let home = (&world.org.currency, &"1".to_owned());
    let all = std::iter::once(home).chain(&world.org.currencies).enumerate();
    let told: Vec<Json> = all
        .map(|(at, (code, rate))| {
            json!({"iso_code": code, "name": code, "symbol": code, "exchange_rate": rate, "is_base": at == 0,
                "is_active": true, "id": (META + 401 + at as Id).to_string()})
        })
        .collect();
    Ok(Reply::json(200, &json!({"currencies": told})))
}

//! Users and currencies (sheet: Pipedrive section 2).

use serde_json::{Value as Json, json};

use super::call::{Call, item_change};
use super::defaults::object;
use super::refusal::{Answer, Refusal, one};
use super::time;
use super::webhooks;
use super::world::{Item, World};
use crate::Reply;

fn shown(call: &Call<'_>, user: &Item) -> Item {
    let mut user = user.clone();
    let you = user.get("id") == Some(&json!(call.actor.user));
    user.insert("is_you".to_owned(), json!(you));
    user
}

/// `GET /v1/users`: all of them, without paging.
pub(super) fn list(world: &mut World, call: &mut Call<'_>) -> Answer {
    Ok(one(200, world.users.values().map(|user| Json::Object(shown(call, user))).collect()))
}

/// `GET /v1/users/me`: with the company.
pub(super) fn me(world: &mut World, call: &mut Call<'_>) -> Answer {
    let mut user = shown(call, world.users.get(&call.actor.user).ok_or_else(Refusal::not_found)?);
    user.insert("company_id".to_owned(), json!(world.account.company_id));
    user.insert("company_name".to_owned(), json!(world.account.company_name));
    user.insert("company_domain".to_owned(), json!(world.account.company_domain));
    user.insert("company_country".to_owned(), json!("DE"));
    user.insert("company_industry".to_owned(), Json::Null);
    Ok(one(200, Json::Object(user)))
}

/// `GET /v1/users/find?term=&search_by_email=`.
pub(super) fn find(world: &mut World, call: &mut Call<'_>) -> Answer {
    let term = call.param("term").unwrap_or_default().to_lowercase();
    if term.is_empty() {
        return Err(Refusal::bad("Bad request: term is required"));
    }
    let key = if call.bool_param("search_by_email")?.unwrap_or_default() { "email" } else { "name" };
    let fits =
        |user: &&Item| user.get(key).and_then(Json::as_str).is_some_and(|text| text.to_lowercase().contains(&term));
    Ok(one(200, world.users.values().filter(fits).map(|user| Json::Object(shown(call, user))).collect()))
}

/// `GET /v1/users/{id}`.
pub(super) fn get(world: &mut World, call: &mut Call<'_>) -> Answer {
    let user = world.users.get(&call.id(0)?).ok_or_else(Refusal::not_found)?;
    Ok(one(200, Json::Object(shown(call, user))))
}

/// `POST /v1/users`.
pub(super) fn create(world: &mut World, call: &mut Call<'_>) -> Answer {
    if !call.actor.admin {
        return Err(Refusal::forbidden("User has no permission to add users"));
    }
    let body = call.v1_body()?;
    let email = body.get("email").and_then(Json::as_str).filter(|email| email.contains('@'));
    let email = email.ok_or_else(|| Refusal::bad("Bad request: email is required"))?;
    if world.users.values().any(|user| user.get("email") == Some(&json!(email))) {
        return Err(Refusal::bad("User with this email already exists"));
    }
    let id = world.next_id("user");
    let name = body.get("name").and_then(Json::as_str).unwrap_or(email);
    let user = object(json!({
        "id": id, "name": name, "email": email, "active_flag": true, "is_deleted": false, "activated": false,
        "timezone_name": world.account.timezone, "timezone_offset": "+00:00",
        "default_currency": world.account.default_currency, "locale": "en_US", "role_id": 1,
        "access": body.get("access").cloned().unwrap_or(json!([{"app": "sales", "admin": false}])),
        "created": time::v1(call.at), "modified": time::v1(call.at), "last_login": null,
    }));
    call.changed(item_change("user", id, None, &user));
    webhooks::announce_item(world, call, "user", "create", id, None, Some(&user));
    let data = Json::Object(shown(call, &user));
    world.users.insert(id, user);
    Ok(one(200, data))
}

/// `PUT /v1/users/{id}`: only `active_flag` may change.
pub(super) fn update(world: &mut World, call: &mut Call<'_>) -> Answer {
    if !call.actor.admin {
        return Err(Refusal::forbidden("User has no permission to edit users"));
    }
    let id = call.id(0)?;
    let body = call.v1_body()?;
    let active = match body.get("active_flag") {
        Some(Json::Bool(active)) => *active,
        Some(Json::Number(flag)) => flag.as_u64() == Some(1),
        _ => return Err(Refusal::bad("Bad request: active_flag is required")),
    };
    let before = world.users.get(&id).ok_or_else(Refusal::not_found)?.clone();
    let mut user = before.clone();
    user.insert("active_flag".to_owned(), json!(active));
    user.insert("modified".to_owned(), json!(time::v1(call.at)));
    call.changed(item_change("user", id, Some(&before), &user));
    webhooks::announce_item(world, call, "user", "change", id, Some(&before), Some(&user));
    let data = Json::Object(shown(call, &user));
    world.users.insert(id, user);
    Ok(one(200, data))
}

/// `GET /v1/currencies`.
pub(super) fn currencies(world: &mut World, call: &mut Call<'_>) -> Answer {
    let term = call.param("term").unwrap_or_default().to_uppercase();
    let data: Json = world
        .currencies
        .iter()
        .enumerate()
        .filter(|(_, code)| code.contains(&term))
        .map(|(at, code)| {
            json!({"id": at + 1, "code": code, "name": code, "decimal_points": 2, "symbol": code, "active_flag": true, "is_custom_flag": false})
        })
        .collect();
    Ok(Reply::json(200, &json!({"success": true, "data": data})))
}

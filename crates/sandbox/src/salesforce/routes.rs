//! Which resource a path means.

use serde_json::json;

use super::Salesforce;
use super::call::Call;
use super::refusal::{Answer, Fault};
use super::{bulk, composite, describe, feeds, query, sobjects, tooling};
use crate::Reply;

/// Answers a request of `/services/data/v66.0/...`.
pub(super) fn answer(org: &mut Salesforce, call: &Call<'_>) -> Answer {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        [] => resources(call),
        ["sobjects", "FieldPermissions"] if call.method() == "POST" => tooling::grant(org, call),
        ["sobjects", rest @ ..] => objects(org, call, rest),
        ["query" | "queryAll", rest @ ..] => {
            let all = path.first() == Some(&"queryAll");
            query::answer(org, call, rest.first().copied(), all)
        }
        ["composite", rest @ ..] => composite::answer(org, call, rest),
        ["jobs", rest @ ..] => bulk::answer(org, call, rest),
        ["limits"] => Ok(Reply::json(200, &org.limits.list(&org.world, call.at))),
        ["limits", "recordCount"] => describe::counts(&org.world, call),
        ["tooling", rest @ ..] => tooling::answer(org, call, rest),
        _ => Err(Fault::not_found()),
    }
}

fn objects(org: &mut Salesforce, call: &Call<'_>, path: &[&str]) -> Answer {
    let world = &mut org.world;
    match path {
        [] => describe::list(world, call),
        [object] => match call.method() {
            "GET" => describe::basic(world, call, object),
            "POST" => sobjects::create(world, call, object),
            _ => Err(call.not_allowed("HEAD,GET,POST")),
        },
        [object, "describe"] => describe::object(world, call, object),
        [object, "updated"] => feeds::updated(world, call, object),
        [object, "deleted"] => feeds::deleted(world, call, object),
        [object, id] => sobjects::by_id(world, call, object, id),
        [object, key, value] => sobjects::by_key(world, call, object, key, value),
        _ => Err(Fault::not_found()),
    }
}

fn resources(call: &Call<'_>) -> Answer {
    let names = ["sobjects", "query", "queryAll", "composite", "jobs", "limits", "tooling"];
    let list: serde_json::Map<_, _> = names.iter().map(|name| ((*name).to_owned(), json!(call.url(name)))).collect();
    Ok(Reply::json(200, &list))
}

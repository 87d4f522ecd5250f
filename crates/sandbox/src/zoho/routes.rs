//! Which resource a path means, and what it costs.

use serde_json::Value as Json;

use super::Zoho;
use super::call::Call;
use super::org::{PROFILES, ROLES};
use super::refusal::{Answer, Refusal};
use super::schema::Module;
use super::world::World;
use super::{
    bulk, convert, coql, custom, files, list, mass, merge, metadata, people, related, remove, search, tags, watch,
    write,
};

/// Answers a request of `/crm/v8/...`.
pub(super) fn answer(org: &mut Zoho, call: &Call<'_>) -> Answer {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    let world = &mut org.world;
    match (call.method(), path.as_slice()) {
        (_, ["settings", rest @ ..]) => settings(world, call, rest),
        (_, ["users"]) => people::users(world, call, None),
        (_, ["users", one]) => people::users(world, call, Some(one)),
        ("GET", ["org"]) => people::org(world, call),
        ("GET", ["org", "currencies"]) => people::currencies(world, call),
        (_, ["actions", "watch"]) => watch::answer(world, call),
        ("POST", ["coql"]) => coql::answer(world, call),
        (_, ["bulk", rest @ ..]) => bulk::answer(world, call, rest),
        ("POST", ["upload"]) => bulk::upload(world, call),
        ("POST", ["files"]) => files::upload(world, call),
        ("GET", ["files"]) => files::download(world, call),
        (_, ["Contacts", "roles"]) => related::role_names(world, call, None),
        (_, ["Contacts", "roles", one]) => related::role_names(world, call, Some(one)),
        (_, [name, rest @ ..]) => {
            let module = world.module(name).filter(|module| module.is_record()).cloned();
            let module = module.ok_or_else(|| Refusal::no_module(0))?;
            records(world, call, &module, rest)
        }
        _ => Err(Refusal::no_url()),
    }
}

fn records(world: &mut World, call: &Call<'_>, module: &Module, path: &[&str]) -> Answer {
    match (call.method(), path) {
        ("GET", []) => list::list(world, call, module),
        ("POST", []) => write::insert(world, call, module),
        ("PUT", []) => write::update(world, call, module, None),
        ("DELETE", []) => remove::delete(world, call, module, None),
        ("POST", ["upsert"]) => write::upsert(world, call, module),
        ("GET", ["deleted"]) => remove::feed(world, call, module),
        ("GET", ["search"]) => search::answer(world, call, module),
        ("POST", ["actions", "change_owner"]) => mass::change_owner(world, call, module, None),
        ("POST", ["actions", "mass_update"]) => mass::update(world, call, module),
        ("GET", ["actions", "count"]) => list::count(world, call, module),
        ("POST", ["actions", "add_tags"]) => tags::change(world, call, module, None, true),
        ("POST", ["actions", "remove_tags"]) => tags::change(world, call, module, None, false),
        ("GET", [one]) => list::one(world, call, module, one),
        ("PUT", [one]) => write::update(world, call, module, Some(one)),
        ("DELETE", [one]) => remove::delete(world, call, module, Some(one)),
        ("GET", [one, "actions", "fetch_full_data"]) => list::whole_texts(world, call, module, one),
        ("POST", [one, "actions", "add_tags"]) => tags::change(world, call, module, Some(one), true),
        ("POST", [one, "actions", "remove_tags"]) => tags::change(world, call, module, Some(one), false),
        ("POST", [one, "actions", "change_owner"]) => mass::change_owner(world, call, module, Some(one)),
        ("POST", [one, "actions", "clone"]) => mass::clone(world, call, module, one),
        ("POST", [one, "actions", "convert"]) => convert::answer(world, call, module, one),
        ("GET" | "POST", [one, "actions", "merge"]) => merge::answer(world, call, module, one),
        (_, [_, "actions", ..]) | (_, ["actions", ..]) => Err(Refusal::no_url()),
        (_, [one, list]) => related::answer(world, call, module, (one, list, None)),
        (_, [one, list, other]) => related::answer(world, call, module, (one, list, Some(other))),
        (_, [] | [_]) => Err(Refusal::method()),
        _ => Err(Refusal::no_url()),
    }
}

fn settings(world: &mut World, call: &Call<'_>, path: &[&str]) -> Answer {
    match (call.method(), path) {
        ("GET", ["modules"]) => metadata::modules(world, call, None),
        ("GET", ["modules", one]) => metadata::modules(world, call, Some(one)),
        ("POST", ["modules"]) => custom::create_module(world, call),
        ("GET", ["fields"]) => metadata::fields(world, call, None),
        ("GET", ["fields", one]) => metadata::fields(world, call, Some(one)),
        ("POST", ["fields"]) => custom::create(world, call),
        ("PATCH" | "DELETE", ["fields", one]) => custom::change(world, call, one),
        ("GET", ["layouts"]) => metadata::layouts(world, call, None),
        ("GET", ["layouts", one]) => metadata::layouts(world, call, Some(one)),
        ("GET", ["layouts", _, "map_dependency"]) => metadata::others(world, call, "map_dependency"),
        ("GET", ["pipeline"]) => metadata::pipelines(world, call, None),
        ("GET", ["pipeline", one]) => metadata::pipelines(world, call, Some(one)),
        ("GET", ["related_lists"]) => metadata::related_lists(world, call),
        ("GET", ["currencies"]) => people::currencies(world, call),
        ("GET", [what @ ("global_picklists" | "custom_views" | "duplicate_check_preference")]) => {
            metadata::others(world, call, what)
        }
        ("GET" | "POST", ["tags"]) => tags::settings(world, call),
        (_, ["roles"]) => people::sets(call, "roles", &ROLES, None),
        (_, ["roles", one]) => people::sets(call, "roles", &ROLES, Some(one)),
        (_, ["profiles"]) => people::sets(call, "profiles", &PROFILES, None),
        (_, ["profiles", one]) => people::sets(call, "profiles", &PROFILES, Some(one)),
        _ => Err(Refusal::no_url()),
    }
}

/// What a request costs in credits, and whether it is one of the heavy ones (sheet: section 6).
pub(super) fn cost(call: &Call<'_>) -> (u64, bool) {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    let body: Json = serde_json::from_slice(&call.request.body).unwrap_or_default();
    let records = body.get("data").and_then(Json::as_array).map_or(0, Vec::len);
    let tens = u64::try_from(records.div_ceil(10)).unwrap_or(0).max(1);
    match (call.method(), path.as_slice()) {
        ("POST", ["settings", "modules"]) => (500, false),
        ("POST", ["coql"]) => (coql::credits(&body), true),
        ("POST", ["bulk", "read"]) => (50, false),
        ("POST", ["bulk", "write"]) => (500, false),
        ("GET", [_, "search"]) => (3, true),
        ("POST", [_, _, "actions", "convert"]) => (5, true),
        ("POST" | "PUT", [name] | [name, "upsert"]) if *name != "files" => (tens, records > 10),
        ("GET", [_]) => (1, call.param("sort_by").is_some() || call.param("cvid").is_some()),
        _ => (1, false),
    }
}

//! Which resource a path means.

use super::address::Segment;
use super::call::Call;
use super::query::{self, Source};
use super::refusal::{Answer, Fault};
use super::{Dynamics, actions, batch, csdl, fetch, metadata, multiple, records};

const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";

/// Answers a request of `/api/data/v9.2/...`.
pub(super) fn answer(org: &mut Dynamics, call: &Call<'_>) -> Answer {
    let path = call.path.clone();
    let Some((first, rest)) = path.split_first() else { return actions::service(org, call) };
    call.check_privileges(&org.world.settings)?;
    match (first.name.as_str(), rest) {
        ("$batch", []) => batch::answer(org, call),
        ("$metadata", []) => csdl::answer(&org.world),
        ("EntityDefinitions" | "RelationshipDefinitions" | "GlobalOptionSetDefinitions", _) => {
            metadata::answer(&mut org.world, call, first, rest)
        }
        (name, []) if first.key.is_none() && org.world.schema.set(name).is_none() => {
            actions::unbound(org, call, name, None)
        }
        (name, []) if org.world.schema.set(name).is_none() => actions::unbound(org, call, name, first.key.as_deref()),
        _ => rows(org, call, first, rest),
    }
}

fn rows(org: &mut Dynamics, call: &Call<'_>, first: &Segment, rest: &[Segment]) -> Answer {
    let world = &mut org.world;
    let entity = world.schema.set(&first.name).cloned().ok_or_else(|| Fault::no_segment(&first.name))?;
    match (&first.key, rest) {
        (None, []) => match call.method() {
            "GET" if call.request.param("fetchXml").is_some() => fetch::answer(world, call, &entity),
            "GET" => query::list(world, call, &entity, &Source::Table, &entity.set),
            "POST" => records::create(world, call, &entity),
            method => Err(Fault::not_allowed(method)),
        },
        (None, [Segment { name, key: None }]) if name == "$count" && call.method() == "GET" => {
            query::count(world, call, &entity, &Source::Table)
        }
        (None, [Segment { name, .. }]) => match name.strip_prefix(NAMESPACE) {
            Some(action) => multiple::answer(world, call, &entity, action),
            None => Err(Fault::no_segment(name)),
        },
        (Some(key), []) => records::one(world, call, &entity, key),
        (Some(key), [Segment { name, .. }]) if name.starts_with(NAMESPACE) => {
            let action = name.trim_start_matches(NAMESPACE).to_owned();
            actions::bound(world, call, &entity, key, &action)
        }
        (Some(key), rest) => records::property(world, call, &entity, key, rest),
        (None, rest) => Err(Fault::no_segment(rest.first().map_or("", |segment| segment.name.as_str()))),
    }
}

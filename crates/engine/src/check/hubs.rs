//! Flows that meet: circles of systems, and fields that several systems write.

use std::collections::BTreeSet;

use handover_model::{End, Finding, Flow, Rule, Schema, Weight};

pub(crate) fn check(flows: &[(Flow, Schema, Schema)]) -> Vec<Finding> {
    let flows: Vec<&Flow> = flows.iter().map(|(flow, ..)| flow).collect();
    let mut findings: Vec<Finding> = circle(&flows).into_iter().collect();
    for (at, flow) in flows.iter().enumerate() {
        for other in flows[at + 1..].iter().filter(|other| meet(flow, other)) {
            findings.extend(one_key(flow, other));
            findings.extend(one_field(flow, other));
        }
    }
    findings
}

/// Whether two flows bring records of different systems together in one object.
fn meet(flow: &Flow, other: &Flow) -> bool {
    let matched = !flow.matching.is_empty() || !other.matching.is_empty();
    flow.target == other.target && flow.source.system != other.source.system && matched
}

/// Flows by which what one system says comes round to it again: it would never be told who said it first. Flows
/// between the same two objects are no circle, unless they go against each other.
fn circle(flows: &[&Flow]) -> Option<Finding> {
    let way = flows.iter().enumerate().find_map(|(at, flow)| {
        let mut way = vec![at];
        comes_round(flows, &flow.source, &flow.target, &mut way).then_some(way)
    })?;
    let last = flows[*way.last()?];
    let mut ends = vec![flows[way[0]].source.clone()];
    for at in &way {
        let next = if ends.last() == Some(&flows[*at].source) { &flows[*at].target } else { &flows[*at].source };
        ends.push(next.clone());
    }
    let ends: Vec<String> = ends.iter().map(|end| format!("{}.{}", end.system, end.object)).collect();
    let names: Vec<String> = way.iter().map(|at| format!("`{}`", flows[*at].name)).collect();
    let message = format!("the flows {} go round in a circle: {}", names.join(", "), ends.join(" -> "));
    Some(Finding::new(Weight::Error, "circle_of_flows", message).at(&last.place).hint(
        "let one system be the hub: a flow between it and each of the others, `direction: both_ways` where people work",
    ))
}

/// Whether flows that are not in `way` yet lead from `at` to `start`; they are in it then.
fn comes_round(flows: &[&Flow], start: &End, at: &End, way: &mut Vec<usize>) -> bool {
    for (next, flow) in flows.iter().enumerate() {
        if way.contains(&next) {
            continue;
        }
        let ends = [(&flow.source, &flow.target), (&flow.target, &flow.source)];
        let ways = if flow.both_ways { 2 } else { 1 };
        for (_, to) in ends.into_iter().take(ways).filter(|(from, _)| *from == at) {
            let twins = way.iter().any(|at| joins_the_same(flows[*at], flow));
            if twins || visited(flows, way).contains(to) && to != start {
                continue;
            }
            way.push(next);
            if to == start || comes_round(flows, start, to, way) {
                return true;
            }
            way.pop();
        }
    }
    false
}

/// Whether two flows pair the same objects in the same direction, or divide the records between them.
fn joins_the_same(flow: &Flow, other: &Flow) -> bool {
    let against = flow.source == other.target && flow.target == other.source;
    flow.source == other.source && flow.target == other.target
        || against && (flow.scope.is_some() || other.scope.is_some())
}

fn visited<'f>(flows: &[&'f Flow], way: &[usize]) -> BTreeSet<&'f End> {
    way.iter().flat_map(|at| [&flows[*at].source, &flows[*at].target]).collect()
}

/// One field cannot hold the keys of two systems: each would overwrite the other's.
fn one_key(flow: &Flow, other: &Flow) -> Option<Finding> {
    let key = flow.key.as_ref().filter(|key| other.key.as_ref() == Some(key))?;
    let message = format!(
        "`{key}` of {}.{} is to hold the source keys of `{}` and of `{}`",
        flow.target.system, flow.target.object, flow.name, other.name
    );
    let finding = Finding::new(Weight::Error, "one_key_of_two_systems", message).at(&other.place);
    Some(finding.hint("give each of them a key field of its own"))
}

/// Fields that two systems write, and nobody says whose they are.
fn one_field(flow: &Flow, other: &Flow) -> Option<Finding> {
    let unowned = |flow: &Flow, rule: &Rule| flow.owners(Some(rule)).0.is_none();
    // What a record is found by is the same in both.
    let is_key = |name| [flow, other].iter().any(|one| one.matching.iter().any(|key| key.target.contains(name)));
    let fields: Vec<(&Rule, &Rule)> = flow
        .rules
        .iter()
        .filter(|rule| unowned(flow, rule) && !is_key(&rule.target))
        .filter_map(|rule| Some((rule, other.rules.iter().find(|theirs| theirs.target == rule.target)?)))
        .filter(|(_, theirs)| unowned(other, theirs))
        .collect();
    let (_, first) = fields.first()?;
    let names: Vec<String> = fields.iter().map(|(rule, _)| format!("`{}`", rule.target)).collect();
    let message = format!(
        "`{}` and `{}` both write {} of {}.{}, and nobody owns {}",
        flow.name,
        other.name,
        names.join(", "),
        flow.target.system,
        flow.target.object,
        if names.len() == 1 { "it" } else { "them" },
    );
    let finding = Finding::new(Weight::Warning, "field_of_two_systems", message).at(&first.place);
    Some(finding.hint(
        "whoever changes it last wins; say `owner:` where a flow goes both ways, or leave the field out of one of them",
    ))
}

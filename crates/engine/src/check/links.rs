//! Links need a flow that pairs the records that they point to.

use handover_model::{FieldName, Finding, Flow, From, Kind, ObjectName, Rule, Schema, Weight};

use crate::transform::spelling::did_you_mean;
use crate::transform::{ID, listed};

pub(crate) fn check(flows: &[(Flow, Schema, Schema)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (flow, source, target) in flows {
        for rule in &flow.rules {
            let Some(to) = target.field(rule.target.as_str()).and_then(|field| field.kind.referenced()) else {
                continue;
            };
            if matches!(rule.from, From::Constant(_)) || rule.table.is_some() {
                continue;
            }
            match &rule.flow {
                Some(_) => findings.extend(named(flows, flow, rule, to)),
                None => findings.extend(found(flows, flow, source, rule, to)),
            }
        }
    }
    findings
}

/// The rule names the flow.
fn named(flows: &[(Flow, Schema, Schema)], flow: &Flow, rule: &Rule, to: &ObjectName) -> Option<Finding> {
    let name = rule.flow.as_ref()?;
    let names = || flows.iter().map(|(other, ..)| other.name.as_str());
    let Some((other, ..)) = flows.iter().find(|(other, ..)| other.name == *name) else {
        let hint = did_you_mean(name.as_str(), names()).unwrap_or_else(|| format!("the flows are {}", listed(names())));
        return Some(lacking(rule, format!("there is no flow `{name}`")).hint(hint));
    };
    let same = other.target.system == flow.target.system && other.target.object == *to;
    (!same).then(|| {
        let writes = format!("{}.{}", other.target.system, other.target.object);
        let wanted = format!("{}.{to}", flow.target.system);
        lacking(rule, format!("flow `{name}` writes `{writes}`, `{}` points to `{wanted}`", rule.target))
    })
}

/// The flow follows from the objects.
fn found(flows: &[(Flow, Schema, Schema)], flow: &Flow, source: &Schema, rule: &Rule, to: &ObjectName) -> Vec<Finding> {
    let From::Fields(names) = &rule.from else {
        let message = format!("what the expression for `{}` points to cannot be known", rule.target);
        return vec![lacking(rule, message).hint("name the flow that pairs the records: `flow: NAME`")];
    };
    let mut findings = Vec::new();
    for from in names.iter().filter_map(|name| pointed_to(flow, source, name)) {
        let pairing: Vec<&str> = flows
            .iter()
            .map(|(other, ..)| other)
            .filter(|other| {
                other.source.system == flow.source.system
                    && other.source.object == from
                    && other.target.system == flow.target.system
                    && other.target.object == *to
            })
            .map(|other| other.name.as_str())
            .collect();
        if pairing.is_empty() {
            let message = format!("no flow pairs `{}.{from}` with `{}.{to}`", flow.source.system, flow.target.system);
            let hint = format!("add one, or leave `{}` out and exclude its source field", rule.target);
            findings.push(lacking(rule, message).hint(hint));
        } else if pairing.len() > 1 {
            let message = format!("several flows pair `{from}` with `{to}`: {}", listed(pairing.iter().copied()));
            let finding = Finding::new(Weight::Error, "link_with_several_flows", message).at_rule(rule);
            findings.push(finding.hint("name the one that is meant: `flow: NAME`"));
        }
    }
    findings
}

fn pointed_to(flow: &Flow, source: &Schema, name: &FieldName) -> Option<ObjectName> {
    if *name == *ID {
        return Some(flow.source.object.clone());
    }
    match &source.field(name.as_str())?.kind {
        Kind::Reference { object, .. } => Some(object.clone()),
        _ => None,
    }
}

fn lacking(rule: &Rule, message: String) -> Finding {
    Finding::new(Weight::Error, "link_without_flow", message).at_rule(rule)
}

//! Static findings about one project: what is proved before `run` may start.
//!
//! Every source field is mapped or excluded with a reason, every required target field has a source, every
//! rule fits both schemas, every link has a flow that pairs its objects. Invariants: pure, and the same input
//! gives the same findings in the same order. Deliberately absent: anything that needs records
//! (values in use are announced by the engine itself, over what it reads).

mod coverage;
mod hubs;
mod links;
mod targets;
mod translations;

use std::collections::BTreeSet;

use handover_model::{FieldName, Finding, Flow, Schema};

use crate::transform::{Tables, build};

pub(crate) use links::check as check_links;
pub(crate) use targets::fields_alike;

/// A flow with its schemas and what compiling it told.
struct Subject<'a> {
    flow: &'a Flow,
    source: &'a Schema,
    target: &'a Schema,
    tables: &'a Tables,
    /// Source fields that rules read.
    rules_read: BTreeSet<FieldName>,
    /// Source fields that the scope and the match keys read.
    also_read: BTreeSet<FieldName>,
}

/// Everything that can be said about one flow without reading records: errors first, then warnings, then
/// notes, each in the order of the files.
pub fn check_flow(flow: &Flow, source: &Schema, target: &Schema, tables: &Tables) -> Vec<Finding> {
    let built = build(flow, source, target, tables);
    let also_read = flow.matching.iter().flat_map(|key| key.source.iter().cloned()).chain(built.scope_reads).collect();
    let subject = Subject { flow, source, target, tables, rules_read: built.reads, also_read };
    let mut findings = built.findings;
    findings.extend(targets::check(&subject));
    findings.extend(translations::check(&subject));
    findings.extend(coverage::check(&subject));
    in_order(findings)
}

/// Everything that can be said about a project's flows: each by itself, and their links among each other.
pub fn check_flows(flows: &[(Flow, Schema, Schema)], tables: &Tables) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        flows.iter().flat_map(|(flow, source, target)| check_flow(flow, source, target, tables)).collect();
    findings.extend(links::check(flows));
    findings.extend(hubs::check(flows));
    in_order(findings)
}

/// Each finding once, the weightiest first.
fn in_order(mut findings: Vec<Finding>) -> Vec<Finding> {
    let place = |finding: &Finding| finding.place.clone().map(|place| (place.file, place.line, place.column));
    findings.sort_by(|a, b| a.weight.cmp(&b.weight).then_with(|| place(a).cmp(&place(b))));
    let mut once: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        if !once.contains(&finding) {
            once.push(finding);
        }
    }
    once
}

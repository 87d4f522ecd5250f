//! In which order flows work: parents first. What cannot come first is linked in a second step.

use std::collections::BTreeMap;

use handover_connect::Links;
use handover_model::{FieldName, Finding, Flow, From, Kind, ObjectName, ReadCost, Schema, SystemName, Weight};

use crate::setup::{LinkRule, Project};

/// The order of the flows, and which flow each link rule goes through.
pub(crate) struct Ordered {
    /// Indexes into the project's flows, parents first.
    pub(crate) sequence: Vec<usize>,
    /// Rules that point to objects that no flow pairs.
    pub(crate) findings: Vec<Finding>,
    parents: ParentFlows,
    /// Links whose parent's flow does not come before.
    deferred: Vec<(usize, usize)>,
    names: Vec<handover_model::FlowName>,
}

/// Links with calls of their own that are handed over together where the platform takes them one by one: what
/// a record points to already is then looked at once for all its links.
const TOGETHER: u32 = 20;

type SchemaOf<'a> = dyn Fn(&SystemName, &ObjectName) -> Option<Schema> + 'a;

/// By flow and rule: the flow pointed to.
type ParentFlows = BTreeMap<(usize, usize), usize>;

impl Ordered {
    pub(crate) fn of(flows: &[Flow], schema_of: &SchemaOf<'_>) -> Self {
        let (parents, findings) = Self::parents(flows, schema_of);
        let (sequence, deferred) = sort(flows, &parents);
        Self { sequence, findings, parents, deferred, names: flows.iter().map(|flow| flow.name.clone()).collect() }
    }

    /// Flows that work in a sequence which others gave: what comes later there is linked in the second step.
    pub(crate) fn within(flows: &[Flow], schema_of: &SchemaOf<'_>, sequence: &[usize]) -> Self {
        let (parents, findings) = Self::parents(flows, schema_of);
        let place = |flow: usize| sequence.iter().position(|at| *at == flow);
        let deferred = parents.iter().filter(|((at, _), parent)| place(**parent) >= place(*at)).map(|(rule, _)| *rule);
        let deferred = deferred.collect();
        let names = flows.iter().map(|flow| flow.name.clone()).collect();
        Self { sequence: sequence.to_vec(), findings, parents, deferred, names }
    }

    fn parents(flows: &[Flow], schema_of: &SchemaOf<'_>) -> (ParentFlows, Vec<Finding>) {
        let mut parents = BTreeMap::new();
        let mut findings = Vec::new();
        for (at, flow) in flows.iter().enumerate() {
            let source = schema_of(&flow.source.system, &flow.source.object);
            let target = schema_of(&flow.target.system, &flow.target.object);
            let (Some(source), Some(target)) = (source, target) else { continue };
            for (rule_at, rule) in flow.rules.iter().enumerate() {
                let Some(to) = target.field(rule.target.as_str()).and_then(|field| field.kind.referenced()) else {
                    continue;
                };
                // Constants and tables give the target's own ids: no crosswalk is needed.
                if matches!(rule.from, From::Constant(_)) || rule.table.is_some() {
                    continue;
                }
                match parent_of(flows, flow, rule, &source, to) {
                    Some(parent) => drop(parents.insert((at, rule_at), parent)),
                    None => findings.push(
                        Finding::new(
                            Weight::Error,
                            "link_without_flow",
                            format!(
                                "no flow pairs what `{}` points to with `{}.{to}`",
                                rule.target, flow.target.system
                            ),
                        )
                        .at(&rule.place)
                        .hint("add a flow for these objects, or exclude the field with a reason"),
                    ),
                }
            }
        }
        (parents, findings)
    }

    /// How the rules of `flow`, the one at `at`, make links.
    pub(crate) fn links(
        &self,
        at: usize,
        flow: &Flow,
        project: &Project,
        target: &Schema,
    ) -> BTreeMap<usize, LinkRule> {
        let links = project
            .systems
            .get(&flow.target.system)
            .and_then(|system| system.capabilities().object(flow.target.object.as_str()).map(|object| object.links));
        let mut rules = BTreeMap::new();
        for ((_, rule), parent) in self.parents.range((at, 0)..=(at, usize::MAX)) {
            let own_calls = target.field(flow.rules[*rule].target.as_str()).is_some_and(|field| {
                // A link that is read in calls of its own is written in calls of its own too, except
                // where the platform reads labels apart but writes all links the same way.
                matches!(field.read, ReadCost::Extra { .. })
            });
            let (separate, separate_on_update) = match links {
                Some(Links::Separate { per_call }) => (Some(per_call), Some(per_call)),
                Some(Links::InlineOnCreate { per_call }) => (None, Some(per_call)),
                Some(Links::Inline) if own_calls => (Some(TOGETHER), Some(TOGETHER)),
                Some(Links::Inline) | None => (None, None),
            };
            rules.insert(
                *rule,
                LinkRule {
                    flow: self.names[*parent].clone(),
                    deferred: self.deferred.contains(&(at, *rule)),
                    separate,
                    separate_on_update,
                },
            );
        }
        rules
    }
}

/// The flow that pairs what a rule's source field points to with what its target field points to.
fn parent_of(
    flows: &[Flow],
    flow: &Flow,
    rule: &handover_model::Rule,
    source: &Schema,
    to: &ObjectName,
) -> Option<usize> {
    if let Some(name) = &rule.flow {
        return flows.iter().position(|other| other.name == *name);
    }
    let from: Vec<ObjectName> = match &rule.from {
        From::Fields(fields) => fields.iter().filter_map(|field| pointed_to(source, field, flow)).collect(),
        From::Expression(_) | From::Constant(_) => Vec::new(),
    };
    flows.iter().position(|other| {
        other.source.system == flow.source.system
            && other.target.system == flow.target.system
            && other.target.object == *to
            && from.contains(&other.source.object)
    })
}

fn pointed_to(source: &Schema, field: &FieldName, flow: &Flow) -> Option<ObjectName> {
    if *field == "id" {
        return Some(flow.source.object.clone());
    }
    match &source.field(field.as_str())?.kind {
        Kind::Reference { object, .. } => Some(object.clone()),
        _ => None,
    }
}

/// Depth first: a flow comes after all flows that it points to; an edge that closes a cycle is deferred.
fn sort(flows: &[Flow], parents: &ParentFlows) -> (Vec<usize>, Vec<(usize, usize)>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    fn visit(
        at: usize,
        flows: &[Flow],
        parents: &ParentFlows,
        marks: &mut [Mark],
        sequence: &mut Vec<usize>,
        deferred: &mut Vec<(usize, usize)>,
    ) {
        marks[at] = Mark::Open;
        // Flows that write what this one reads come first, where nothing speaks against it.
        for (feeder, flow) in flows.iter().enumerate() {
            if flow.target == flows[at].source && marks[feeder] == Mark::New {
                visit(feeder, flows, parents, marks, sequence, deferred);
            }
        }
        for ((_, rule), parent) in parents.range((at, 0)..=(at, usize::MAX)) {
            match marks[*parent] {
                Mark::New if flows[at].rules[*rule].later => {}
                Mark::New => visit(*parent, flows, parents, marks, sequence, deferred),
                Mark::Open => deferred.push((at, *rule)),
                Mark::Done => {}
            }
        }
        marks[at] = Mark::Done;
        sequence.push(at);
    }
    let mut marks = vec![Mark::New; flows.len()];
    let mut sequence = Vec::new();
    let mut deferred = Vec::new();
    for at in 0..flows.len() {
        if marks[at] == Mark::New {
            visit(at, flows, parents, &mut marks, &mut sequence, &mut deferred);
        }
    }
    (sequence, deferred)
}

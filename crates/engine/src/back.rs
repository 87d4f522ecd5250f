//! The way back of a flow that goes both ways: its rules turned round, compiled, and which of them a field of the
//! target concerns.
//!
//! Invariants:
//! - Pairs of records stand in one place, the rows of the flow; its way back has rows only for records of the
//!   target that are not paired yet.
//! - What cannot be turned round goes one way, with the reason: changes of it stay where they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover_model::{FieldName, Flow, ObjectName, Owner, Schema, SystemName, Weight};

use crate::Error;
use crate::order::Ordered;
use crate::setup::{Project, Ready};
use crate::transform::{OneWay, Part, Program, Reversed, build, reversed};

/// The way back of a flow.
pub struct Back {
    /// The flow turned round, ready to work.
    pub ready: Arc<Ready>,
    /// Target fields of which changes do not go back.
    pub one_way: Vec<OneWay>,
    /// For each rule of the way back: the part of the source field's list that it makes.
    pub(crate) parts: Vec<Vec<Part>>,
    /// By target field: the rules of the way back that read it.
    rules: BTreeMap<FieldName, Vec<usize>>,
}

impl Back {
    /// The other target fields from which the rules are fed that a field of the target concerns.
    pub(crate) fn beside<'b>(&'b self, field: &'b FieldName) -> impl Iterator<Item = &'b FieldName> {
        let rules = self.rules_of(field);
        let others = self.rules.iter().filter(move |(name, _)| *name != field);
        others.filter(|(_, of)| of.iter().any(|rule| rules.contains(rule))).map(|(name, _)| name)
    }

    /// The rules of the way back that a field of the target concerns; none where changes of it stay where they are.
    pub(crate) fn rules_of(&self, field: &FieldName) -> &[usize] {
        self.rules.get(field).map_or(&[], Vec::as_slice)
    }
}

/// A flow turned round, before its links are known.
struct Turned {
    at: usize,
    reversed: Reversed,
}

/// Turns those flows round that go both ways, and gives them their ways back.
///
/// # Errors
/// [`Error::Findings`] when a rule under `back` does not fit the schemas.
pub(crate) fn turn_round(
    project: &Project,
    sequence: &[usize],
    schema_of: &dyn Fn(&SystemName, &ObjectName) -> Option<Schema>,
    flows: &mut [(usize, Ready)],
) -> Result<(), Error> {
    if !project.flows.iter().any(|flow| flow.both_ways) {
        return Ok(());
    }
    // Links of the way back go through the other flows' pairs, whichever way those go themselves.
    let mut turned = Vec::new();
    for (at, flow) in project.flows.iter().enumerate() {
        let Some((_, ready)) = flows.iter().find(|(of, _)| *of == at) else { continue };
        let mut reversed = reversed(flow, &ready.source, &project.tables);
        leave_what_does_not_fit(flow, ready, &mut reversed)?;
        turned.push(Turned { at, reversed });
    }
    let mut backs: Vec<Flow> = turned.iter().map(|one| one.reversed.flow.clone()).collect();
    let order = Ordered::within(&backs, schema_of, sequence);
    for finding in &order.findings {
        for (one, back) in turned.iter_mut().zip(&mut backs) {
            let lost = |rule: &handover_model::Rule| Some(&rule.place) == finding.place.as_ref();
            while let Some(rule) = back.rules.iter().position(lost) {
                one.reversed.leave(rule, finding.message.clone());
                *back = one.reversed.flow.clone();
            }
        }
    }
    let order = Ordered::within(&backs, schema_of, sequence);
    for one in turned {
        let Some((_, ready)) = flows.iter_mut().find(|(of, _)| *of == one.at) else { continue };
        if ready.flow.both_ways {
            let links = order.links(one.at, &one.reversed.flow, project, &ready.source);
            let back = way_back(ready, one.reversed, links)?;
            ready.take_back(back);
        }
    }
    Ok(())
}

/// Rules that were turned round and do not fit the source go one way; those that the flow brings must fit.
fn leave_what_does_not_fit(flow: &Flow, ready: &Ready, reversed: &mut Reversed) -> Result<(), Error> {
    let mut wrong = Vec::new();
    for at in (0..reversed.flow.rules.len()).rev() {
        let alone = Flow { rules: vec![reversed.flow.rules[at].clone()], scope: None, ..reversed.flow.clone() };
        let built = build(&alone, &ready.target, &ready.source, &reversed.tables);
        let errors = built.findings.into_iter().filter(|finding| finding.weight == Weight::Error);
        if reversed.forward[at].is_none() {
            wrong.extend(errors);
        } else if let Some(error) = errors.into_iter().next() {
            reversed.leave(at, error.message);
        }
    }
    // Somebody who says that the target owns a field expects its changes to go back.
    for rule in flow.rules.iter().filter(|_| flow.both_ways) {
        let stays = reversed.one_way.iter().find(|one| one.target == rule.target);
        if let Some(stays) = stays.filter(|_| rule.ownership.owner == Some(Owner::Target)) {
            let message = format!("the target owns `{}`, and its changes cannot go back: {}", rule.target, stays.why);
            wrong.push(
                handover_model::Finding::new(Weight::Error, "one_way", message)
                    .at_rule(rule)
                    .hint("write the source field's own rule under `back`"),
            );
        }
    }
    if wrong.is_empty() || !flow.both_ways { Ok(()) } else { Err(Error::Findings(wrong)) }
}

fn way_back(ready: &Ready, reversed: Reversed, links: BTreeMap<usize, crate::setup::LinkRule>) -> Result<Back, Error> {
    let Reversed { flow, parts, tables, one_way, .. } = reversed;
    let mut rules: BTreeMap<FieldName, Vec<usize>> = BTreeMap::new();
    for (at, rule) in flow.rules.iter().enumerate() {
        let alone = Flow { rules: vec![rule.clone()], ..flow.clone() };
        for field in build(&alone, &ready.target, &ready.source, &tables).reads {
            rules.entry(field).or_default().push(at);
        }
    }
    let program = Program::compile(&flow, &ready.target, &ready.source, &tables).map_err(Error::Findings)?;
    let (source, target) = (ready.target.clone(), ready.source.clone());
    let mut back = Ready::new(flow, source, target, program, links);
    back.forth = Some(ready.flow.name.clone());
    Ok(Back { ready: Arc::new(back), one_way, parts, rules })
}

//! Who owns a field is said once: two words for one field that contradict each other are both named.

use std::collections::BTreeMap;

use handover_model::{End, FieldName, Flow, From, Owner, Place, Rule};

use super::reader::Reading;
use crate::problem::Problem;

/// A field of an object of a system.
type Field<'f> = (&'f End, &'f FieldName);

/// Who has the last word about the values of two fields, and where that is said: a system, `None` for both sides.
#[derive(Clone, Copy)]
struct Said<'f> {
    owner: Option<&'f End>,
    place: &'f Place,
    /// Whether only some of the records are meant.
    some: bool,
}

/// Looks for fields that are given to both sides.
pub(super) fn check<'f>(reading: &mut Reading, flows: impl Iterator<Item = &'f Flow> + Clone) {
    let mut by_pair: BTreeMap<[Field<'f>; 2], Said<'f>> = BTreeMap::new();
    for flow in flows {
        let mut by_source: BTreeMap<&FieldName, (Owner, &Rule)> = BTreeMap::new();
        for (rule, source) in flow.rules.iter().filter_map(|rule| Some((rule, only(rule)?))) {
            if let Some(owner) = flow.owners(Some(rule)).0.filter(|owner| *owner != Owner::Both) {
                let (had, other) = by_source.entry(source).or_insert((owner, rule));
                if *had != owner {
                    let (one, two) = (had.word(), owner.word());
                    let message = format!(
                        "`{source}` is given to both sides: to the {one} for `{}`, to the {two} for `{}`",
                        other.target, rule.target
                    );
                    contradict(reading, message, &other.place, &rule.place);
                    continue;
                }
            }
            let said = Said { owner: owner_of(flow, rule), place: &rule.place, some: flow.scope.is_some() };
            let mut pair = [(&flow.source, source), (&flow.target, &rule.target)];
            pair.sort();
            let known = by_pair.entry(pair).or_insert(said);
            // Two parts of the records may go different ways.
            if let (Some(had), Some(now)) = (known.owner, said.owner)
                && had != now
                && !(known.some && said.some)
            {
                let message = format!(
                    "`{}` is given to both sides: to `{}` in one place, to `{}` in another",
                    rule.target, had.system, now.system
                );
                contradict(reading, message, known.place, said.place);
            }
        }
    }
}

/// The source field that a rule carries as it is, if it reads but one.
fn only(rule: &Rule) -> Option<&FieldName> {
    match &rule.from {
        From::Fields(names) => names.first().filter(|name| names.len() == 1 && **name != *"id"),
        From::Expression(_) | From::Constant(_) => None,
    }
}

/// The end that owns what a rule carries; `None` where both sides may change it.
fn owner_of<'f>(flow: &'f Flow, rule: &Rule) -> Option<&'f End> {
    match flow.owners(Some(rule)).0 {
        _ if !flow.both_ways => Some(&flow.source),
        Some(Owner::Source) => Some(&flow.source),
        Some(Owner::Target) => Some(&flow.target),
        Some(Owner::Both) | None => None,
    }
}

fn contradict(reading: &mut Reading, message: String, one: &Place, two: &Place) {
    let problem = Problem::new("two_owners", message)
        .at(two, 0, &reading.sources)
        .note(format!("the other word stands at {one}"))
        .hint("say once whose the field is: take one of the two rules out, or let both sides change it");
    reading.problems.push(problem);
}

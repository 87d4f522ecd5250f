//! Objects that customers made: which one of the new account is which one of the old.
//!
//! A guess, by what they are called: the name of the API without what the platform puts around it, else the label, in
//! the singular or the plural. One that could be several is none.

use std::collections::BTreeSet;

use handover_model::{Field, Finding, Kind, ObjectName, Schema, Weight, Writable};

use super::SystemView;
use super::carrier::{slug, unique};
use super::compose::{self, Sides};
use super::lexicon::{self, Concept, Made};
use super::options::folded;
use super::template::{How, Line, Pair};

/// What people should know of such a flow.
const ABOUT: &str = "Paired by what they are called: look whether both are the same thing. What the target has of them\n\
                     already is not looked for by its name; `match` can say by which field.";

/// An object of each account that a customer made, taken for the same.
#[derive(Clone, Copy)]
struct Twins<'s> {
    source: &'s Schema,
    target: &'s Schema,
}

/// Whether a customer made an object of an account.
pub(super) fn is_made(view: &SystemView, object: &ObjectName) -> bool {
    view.custom.as_ref().is_some_and(|custom| custom.contains(object))
}

/// Objects that a customer made and that have no counterpart in the other account.
pub fn unpaired(from: &SystemView, to: &SystemView) -> Vec<ObjectName> {
    let twins = twins(from, to);
    let all = from.custom.iter().flatten();
    all.filter(|name| twins.iter().all(|twins| twins.source.object != **name)).cloned().collect()
}

/// Adds the flows of objects that customers made to those of the others. Each goes behind what it leads to and before
/// what leads to it, which then need not be changed once more: a closed deal would refuse that.
pub(super) fn add_pairs<'s>(pairs: &mut Vec<Pair<'s>>, from: &'s SystemView, to: &'s SystemView) {
    let (Some(source), Some(target)) = (made(from), made(to)) else { return };
    for twins in ordered(twins(from, to)) {
        let flow = unique(&slug(&twins.source.label), |name| pairs.iter().any(|pair| pair.flow == name));
        let sides = Sides { from: (from, &source.thing, twins.source), to: (to, &target.thing, twins.target) };
        let Some(mut pair) = compose::pair_of(&sides, Concept::Made, flow.into()) else { continue };
        pair.lines.splice(0..0, name(&twins));
        pair.about = if pair.about.is_empty() { ABOUT.to_owned() } else { format!("{ABOUT}\n{}", pair.about) };
        let behind = pairs.iter().rposition(|other| leads(twins.source, other.source, false)).map_or(0, |at| at + 1);
        let needs = |other: &Pair<'_>| {
            let leads_here = |schema| leads(schema, twins.source.object.as_str(), false);
            !other.target_concept.stands_alone() || from.schema(other.source).is_some_and(leads_here)
        };
        let before = pairs.iter().skip(behind).position(needs).map_or(pairs.len(), |at| behind + at);
        pairs.insert(before, pair);
    }
}

/// What was taken for the same.
pub(super) fn told(pairs: &[Pair<'_>], from: &SystemView, to: &SystemView) -> Option<Finding> {
    let made = pairs.iter().filter(|pair| pair.target_concept == Concept::Made);
    let all: Vec<String> = made.map(|pair| format!("{} as {}", pair.source, pair.target)).collect();
    let message = format!("objects made in {} are moved to those of {} that are called so: {}", from.name, to.name, {
        all.join(", ")
    });
    let finding = Finding::new(Weight::Note, "custom_objects_paired", message);
    (!all.is_empty()).then(|| finding.hint("look whether they are the same things; delete a flow that is not meant"))
}

fn made(view: &SystemView) -> Option<&'static Made> {
    lexicon::of(&view.platform)?.made
}

/// The name without what the platform puts around it.
pub(super) fn bare<'n>(view: &SystemView, name: &'n str) -> &'n str {
    made(view).map_or(name, |made| (made.bare)(name))
}

/// The objects of an account that a customer made and that could be described.
fn described(view: &SystemView) -> Vec<&Schema> {
    view.schemas.iter().filter(|schema| is_made(view, &schema.object)).collect()
}

/// Whether an object of each account are called alike.
type Alike<'a> = &'a dyn Fn(&Schema, &Schema) -> bool;

/// What is called alike: by the name of both, by the label of both, by the name of the one and the label of the other.
fn twins<'s>(from: &'s SystemView, to: &'s SystemView) -> Vec<Twins<'s>> {
    if made(from).is_none() || made(to).is_none() {
        return Vec::new();
    }
    let (mut sources, mut targets) = (described(from), described(to));
    let name = |view, schema: &Schema| forms(bare(view, schema.object.as_str()));
    let label = |schema: &Schema| forms(&schema.label);
    let ways: [Alike<'_>; 3] = [
        &|one, other| !name(from, one).is_disjoint(&name(to, other)),
        &|one, other| !label(one).is_disjoint(&label(other)),
        &|one, other| !name(from, one).is_disjoint(&label(other)) || !label(one).is_disjoint(&name(to, other)),
    ];
    let mut found: Vec<Twins<'s>> = Vec::new();
    for is_alike in ways {
        let only = |one: &Schema| -> Option<&'s Schema> {
            let mut alike = targets.iter().filter(|other| is_alike(one, other));
            let other = alike.next().filter(|_| alike.next().is_none())?;
            (sources.iter().filter(|one| is_alike(one, other)).count() == 1).then_some(*other)
        };
        let new: Vec<Twins<'s>> =
            sources.iter().filter_map(|source| Some(Twins { source, target: only(source)? })).collect();
        sources.retain(|source| new.iter().all(|twins| twins.source.object != source.object));
        targets.retain(|target| new.iter().all(|twins| twins.target.object != target.object));
        found.extend(new);
    }
    found
}

/// What a name may be in the singular, as it is or as a plural.
fn forms(name: &str) -> BTreeSet<String> {
    let name = folded(name);
    let ends = [("s", ""), ("es", ""), ("ies", "y")];
    let other = ends.iter().filter_map(|(plural, singular)| Some(name.strip_suffix(plural)?.to_owned() + singular));
    let mut forms: BTreeSet<String> = other.collect();
    forms.insert(name);
    forms.retain(|form| !form.is_empty());
    forms
}

/// Parents first; of those that lead to each other in a circle one that the others must be given goes first.
fn ordered(mut left: Vec<Twins<'_>>) -> Vec<Twins<'_>> {
    left.sort_by(|one, other| one.source.object.cmp(&other.source.object));
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let waits = |one: &Twins<'_>, must: bool| {
            let others = left.iter().filter(|other| other.source.object != one.source.object);
            others.clone().any(|other| {
                leads(one.target, other.target.object.as_str(), true)
                    || !must && leads(one.source, other.source.object.as_str(), false)
            })
        };
        let free = |must: bool| left.iter().position(|one| !waits(one, must));
        let next = free(false).or_else(|| free(true)).unwrap_or_default();
        ordered.push(left.remove(next));
    }
    ordered
}

/// Whether a field of an object leads to another one; with `must` one without which there is no record.
fn leads(one: &Schema, other: &str, must: bool) -> bool {
    let is_link = |field: &&Field| matches!(&field.kind, Kind::Reference { object, .. } if *object == *other);
    one.fields.iter().filter(is_link).any(|field| !must || field.required)
}

/// The name of a record; its id where it has none and must have one.
fn name<'s>(twins: &Twins<'s>) -> Option<Line<'s>> {
    let of = |schema: &'s Schema| schema.name.as_ref().and_then(|name| schema.field(name.as_str()));
    let is_text = |field: &&Field| matches!(field.kind, Kind::Text { .. });
    let target = of(twins.target).filter(is_text).filter(|field| field.writable != Writable::Never)?;
    let source = of(twins.source).filter(is_text);
    let mut from: Vec<&'s str> = source.iter().map(|field| field.name.as_str()).collect();
    if target.required && source.is_none_or(|field| !field.required && field.writable != Writable::Never) {
        from.push("id");
    }
    (!from.is_empty()).then(|| Line { target: target.name.to_string(), from, how: How::Plain })
}

//! Links: what the source's reference fields say stands as an association in the new system.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::answers::{self, Word};
use super::cohorts;
use super::fields::is_held;
use super::replay::{By, Edit, Fate, Life};
use super::rules::{FieldRule, FlowRule, Form, NEW, OLD, Owner, Stands, ids};
use super::{Judged, Pair};

/// An association in the new system: object and id of both ends, and its type.
type Association = (String, String, String, String, u64);

/// Judges the links of every pair.
pub(super) fn check(judged: &Judged<'_>, wrong: &mut Vec<String>) {
    let there = associations(judged.case.worlds[NEW]);
    for pair in judged.pairs.iter().filter(|pair| pair.source.fate == Fate::Living) {
        for field in &pair.flow.fields {
            if let Form::Link { flow, stands } = &field.form
                && !is_held(judged, pair, field)
                && !cohorts::links_add_up(judged, pair, field)
            {
                linked(judged, pair, field, (flow, stands[NEW]), &there, wrong);
            }
        }
    }
}

fn linked(
    judged: &Judged<'_>,
    pair: &Pair<'_>,
    field: &FieldRule,
    (flow, stands): (&str, Stands),
    there: &BTreeSet<Association>,
    wrong: &mut Vec<String>,
) {
    let Some(target) = pair.targets.iter().copied().find(|target| target.fate == Fate::Living) else { return };
    let Some(to) = judged.case.rules.flows.iter().find(|other| other.name == flow) else { return };
    let own = (pair.flow.objects[NEW], target.id.as_str());
    let parents = ids(pair.source.field(field.names[OLD]));
    let [parent] = parents.as_slice() else {
        // Of several one is carried where the new system holds one: which one is not told here.
        if parents.is_empty() {
            let found = points_to(target, field, (own, to), stands, there);
            stray(judged, (pair, target), field, (own, to), &found, wrong);
        }
        return;
    };
    let is_gone = |life: &Life| life.id == *parent && life.fate != Fate::Living;
    // A link to what is gone may have been made before, or not.
    if judged.sides[OLD].of(to.objects[OLD]).any(is_gone) {
        return;
    }
    let Some(expected) = judged.counterpart(flow, parent) else { return };
    if is_left_to_the_target(judged, pair, field) {
        return;
    }
    if !points_to(target, field, (own, to), stands, there).contains(&expected.id) {
        wrong.push(format!(
            "convergence: {} {} ({} {}), {}: not linked with {} {}",
            pair.flow.objects[OLD], pair.source.id, own.0, own.1, field.names[NEW], to.objects[NEW], expected.id
        ));
    }
}

/// Whether a person said, since the old system's people changed the field, that the new system's value stays.
fn is_left_to_the_target(judged: &Judged<'_>, pair: &Pair<'_>, field: &FieldRule) -> bool {
    let edited = pair.source.edits_of(field.names[OLD]).filter(|edit| edit.by == By::People).last();
    let said = answers::said(judged, pair, field, NEW);
    said.last().is_some_and(|said| {
        matches!(said.word, Word::Take { side: NEW, .. }) && edited.is_none_or(|edit| edit.at <= said.at)
    })
}

/// What a record of the new system points to by a field. Each association stands there once, from one of its ends.
fn points_to(
    target: &Life,
    field: &FieldRule,
    (own, to): ((&str, &str), &FlowRule),
    stands: Stands,
    there: &BTreeSet<Association>,
) -> Vec<String> {
    let Stands::Association(kind) = stands else { return ids(target.field(field.names[NEW])) };
    let [forth, back] = kind.map_or([None, None], |kind| kind.map(Some));
    let ends = there.iter().filter_map(|(from, id, object, other, of)| {
        let ends = [(from.as_str(), id.as_str()), (object.as_str(), other.as_str())];
        let stands = |near: usize, kind: Option<u64>| {
            ends[near] == own && ends[1 - near].0 == to.objects[NEW] && kind.is_none_or(|kind| kind == *of)
        };
        match (stands(0, forth), stands(1, back)) {
            (true, _) => Some(other),
            (false, true) => Some(id),
            (false, false) => None,
        }
    });
    ends.cloned().collect()
}

/// A record that points to nothing is linked with nothing, where a field holds one link only. Of several those that the
/// new system's people made are not told from others here.
fn stray(
    judged: &Judged<'_>,
    (pair, target): (&Pair<'_>, &Life),
    field: &FieldRule,
    (own, to): ((&str, &str), &FlowRule),
    found: &[String],
    wrong: &mut Vec<String>,
) {
    if matches!(field.form, Form::Link { stands: [_, Stands::Association(None)], .. }) {
        return;
    }
    // What the source never said anything of is the target's own.
    let Some(unlinked) = pair.source.edits_of(field.names[OLD]).last() else { return };
    if is_its_own(target, field, unlinked.at) {
        return;
    }
    if judged.case.passes.iter().filter(|pass| pass.whole && pass.began > unlinked.at + judged.case.lag).count() < 2 {
        return;
    }
    // What people brought back has the links again that it had, and where nothing is carried back they stay. What is
    // gone nobody is linked with, whatever a record says.
    let stays = |linked: &str| {
        let mut lives = judged.sides[NEW].of(to.objects[NEW]);
        lives.rfind(|life| life.id == linked).is_some_and(|life| {
            let again = field.owner == Owner::OldOnceChanged && is_back_since(life, unlinked.at);
            again || life.fate != Fate::Living
        })
    };
    for linked in found.iter().filter(|linked| !stays(linked) && !is_orphaned(judged, to, linked, unlinked.at)) {
        wrong.push(format!(
            "convergence: {} {} ({} {}), {}: still linked with {} {linked}",
            pair.flow.objects[OLD], pair.source.id, own.0, own.1, field.names[NEW], to.objects[NEW]
        ));
    }
}

/// Whether what a record of the new system points to is its own affair since then: people brought the record back,
/// which begins anew with what is there, or pointed it there where nothing is carried back.
fn is_its_own(target: &Life, field: &FieldRule, since: Timestamp) -> bool {
    let pointed = |edit: &Edit| edit.at > since && edit.by == By::People;
    is_back_since(target, since)
        || field.owner == Owner::OldOnceChanged && target.edits_of(field.names[NEW]).last().is_some_and(pointed)
}

/// Whether people brought a record back after this.
fn is_back_since(life: &Life, since: Timestamp) -> bool {
    life.fates.iter().any(|(at, by, fate)| *at > since && *by == By::People && *fate == Fate::Living)
}

/// Whether a record of the new system stands for one that was gone when a link to it was: platforms take such links
/// away by themselves, so nobody did, and the link goes when that deletion is carried, or stays.
fn is_orphaned(judged: &Judged<'_>, flow: &FlowRule, id: &str, unlinked: Timestamp) -> bool {
    let read = judged.case.passes.iter().filter(|pass| pass.whole && pass.began > unlinked).nth(1);
    let read = read.map_or(unlinked, |pass| pass.ended);
    let mut pairs = judged.pairs.iter().filter(|pair| pair.flow.name == flow.name);
    pairs.any(|pair| pair.source.was_dead(unlinked, read) && pair.targets.iter().any(|target| target.id == id))
}

/// Whether the old system's field, which holds one, would have to hold several: what a record of the new system is linked
/// with, and beside that the counterpart of whom the old one points to.
pub(super) fn are_too_many(judged: &Judged<'_>, flow: &FlowRule, field: &FieldRule, life: &Life) -> bool {
    let Form::Link { flow: to, .. } = &field.form else { return false };
    let Some(object) = judged.case.rules.flows.iter().find(|flow| flow.name == *to).map(|to| to.objects[NEW]) else {
        return false;
    };
    let mut all = linked_with(judged, (flow.objects[NEW], &life.id), object);
    let is_own = |pair: &&Pair<'_>| pair.flow.name == flow.name && pair.targets.iter().any(|own| own.id == life.id);
    for pair in judged.pairs.iter().filter(is_own) {
        let parents = ids(pair.source.field(field.names[OLD]));
        all.extend(parents.iter().filter_map(|parent| Some(judged.counterpart(to, parent)?.id.clone())));
    }
    all.len() > 1
}

/// The records of an object that one is linked with.
fn linked_with(judged: &Judged<'_>, own: (&str, &str), object: &str) -> BTreeSet<String> {
    let all = associations(judged.case.worlds[NEW]);
    let ends = all.iter().filter_map(|(from, id, to, other, _)| {
        let (from, to) = ((from.as_str(), id.as_str()), (to.as_str(), other.as_str()));
        let [near, far] = if from == own { [from, to] } else { [to, from] };
        (near == own && far.0 == object).then_some(far.1.to_owned())
    });
    ends.collect()
}

fn associations(world: &Json) -> BTreeSet<Association> {
    let mut all = BTreeSet::new();
    for one in world["associations"].as_array().into_iter().flatten() {
        let text = |key: &str| one[key].as_str().map_or_else(|| one[key].to_string(), str::to_owned);
        for kind in one["types"].as_array().into_iter().flatten() {
            let of = kind["typeId"].as_u64().unwrap_or_default();
            all.insert((text("fromType"), text("fromId"), text("toType"), text("toId"), of));
        }
    }
    all
}

//! Every hold needs its reason in the world.

use super::cohorts;
use super::links;
use super::replay::{By, Fate, Life};
use super::rules::{FieldRule, FlowRule, Form, NEW, OLD, Plain, ids};
use super::{Held, Judged, Pair, vanished};

/// Judges every hold.
pub(super) fn check(judged: &Judged<'_>, wrong: &mut Vec<String>) {
    for hold in &judged.case.claims.held {
        if let Some(flow) = judged.case.rules.flows.iter().find(|flow| flow.back == hold.flow) {
            back(judged, flow, hold, wrong);
            continue;
        }
        let pair = judged.pairs.iter().find(|pair| pair.flow.name == hold.flow && pair.source.id == hold.record);
        let Some(pair) = pair else {
            wrong.push(format!("holds: {} {} is held and was never there", hold.flow, hold.record));
            continue;
        };
        if !justified(judged, pair, hold) {
            let field = hold.field.as_deref().unwrap_or("the record");
            let other = hold.other.as_deref().map(|other| format!(" (about {other})")).unwrap_or_default();
            wrong.push(format!("holds: {} {}: {} of {field}{other} has no reason", hold.flow, hold.record, hold.cause));
        }
    }
}

/// Judges a hold of a way back: it is about a record of the new system, and about a field of the old one.
fn back(judged: &Judged<'_>, flow: &FlowRule, hold: &Held, wrong: &mut Vec<String>) {
    let Some(life) = judged.sides[NEW].of(flow.objects[NEW]).find(|life| life.id == hold.record) else {
        wrong.push(format!("holds: {} {} is held and was never there", hold.flow, hold.record));
        return;
    };
    if !justified_back(judged, flow, life, hold) {
        let field = hold.field.as_deref().unwrap_or("the record");
        wrong.push(format!("holds: {} {}: {} of {field} has no reason", hold.flow, hold.record, hold.cause));
    }
}

fn justified_back(judged: &Judged<'_>, flow: &FlowRule, life: &Life, hold: &Held) -> bool {
    let field = flow.fields.iter().find(|field| hold.field.as_deref() == Some(field.names[OLD]));
    let alike = |side: usize| {
        let Some(finder) = flow.finder() else { return 0 };
        let own = ever(life, finder, NEW);
        let others = judged.sides[side].of(flow.objects[side]).filter(|other| side == OLD || other.id != life.id);
        others
            .filter(|other| ever(other, finder, side).iter().any(|value| own.iter().any(|mine| same(mine, value))))
            .count()
    };
    match hold.cause.as_str() {
        // Another record of the new system has the same key, or had it, or is the counterpart of one that had it.
        "duplicate_source" => alike(NEW) + alike(OLD) > 0,
        "ambiguous" => alike(OLD) > 1,
        // We made a record of the old system that may be its counterpart, and nobody knows for whom.
        "outcome_unknown" => judged.sides[OLD]
            .of(flow.objects[OLD])
            .any(|made| made.made_by == By::Client && are_akin(flow, [made, life])),
        // Whoever has the value already keeps it.
        "contradiction" | "refused" => alike(OLD) > 0,
        "invalid" | "untranslated" => field.is_some_and(|field| match &field.form {
            // The old system's field takes one, and the record is linked with several.
            Form::Link { .. } => links::are_too_many(judged, flow, field, life),
            _ => matches!(field.plain(NEW, life.field(field.names[NEW])), Plain::Impossible(_)),
        }),
        "missing" => field.is_some_and(|field| field.plain(NEW, life.field(field.names[NEW])) == Plain::Blank),
        "parent_held" => hold.other.as_deref().is_some_and(|parent| {
            judged.case.rules.flows.iter().any(|flow| judged.held.contains_key(&(flow.back, parent)))
        }),
        "target_gone" => {
            is_gone(judged, flow, OLD, hold)
                || judged.pairs.iter().any(|pair| {
                    pair.flow.name == flow.name
                        && pair.source.fate != Fate::Living
                        && pair.targets.iter().any(|target| target.id == life.id)
                })
        }
        "source_gone" => life.fate != Fate::Living,
        _ => false,
    }
}

fn justified(judged: &Judged<'_>, pair: &Pair<'_>, hold: &Held) -> bool {
    let field = pair.flow.fields.iter().find(|field| hold.field.as_deref() == Some(field.names[NEW]));
    let said = |field: &FieldRule, is_it: fn(&Plain) -> bool| {
        // What is gone is held as it was read last.
        let gone = pair.source.fate != Fate::Living;
        let read = pair.source.edits_of(field.names[OLD]).filter(|_| gone);
        let read = read.flat_map(|edit| [&edit.before, &edit.after]);
        let mut values = read.chain([pair.source.field(field.names[OLD])]).map(|value| field.plain(OLD, value));
        values.any(|value| is_it(&value))
    };
    let impossible = |field| said(field, |value| matches!(value, Plain::Impossible(_)));
    match hold.cause.as_str() {
        "untranslated" | "invalid" => field.is_some_and(impossible),
        "missing" => field.is_some_and(|field| said(field, |value| *value == Plain::Blank)),
        "duplicate_source" => pair.flow.finder().is_some_and(|finder| rivals(judged, pair, finder)),
        "ambiguous" if is_in_doubt(judged, pair) => true,
        "ambiguous" | "contradiction" => pair.flow.finder().is_some_and(|finder| candidates(judged, pair, finder) > 1),
        "parent_held" => parent_held(judged, pair, hold),
        // Both were changed by people, and differ.
        "conflict" => field.is_some_and(|field| conflicting(pair, field) || cohorts::came_late(judged, pair, field)),
        "target_gone" => {
            is_gone(judged, pair.flow, NEW, hold) || pair.targets.iter().any(|target| target.fate != Fate::Living)
        }
        "source_deleted" => vanished::is_asked_about(judged, pair),
        "source_merged" => vanished::is_asked_about(judged, pair) && vanished::has_traces(judged, pair),
        "target_merged" => pair.targets.iter().any(|target| matches!(target.fate, Fate::Merged(_))),
        "source_gone" => pair.source.fate != Fate::Living,
        // Whoever has the value already keeps it.
        "refused" => {
            pair.flow.finder().is_some_and(|finder| candidates(judged, pair, finder) > 0)
                || points_to_lost(judged, pair)
        }
        _ => false,
    }
}

/// Whether a record of the old and one of the new system ever said the same.
fn are_akin(flow: &FlowRule, [old, new]: [&Life; 2]) -> bool {
    flow.fields.iter().any(|field| {
        let own = ever(new, field, NEW);
        ever(old, field, OLD).iter().any(|value| own.iter().any(|mine| same(mine, value)))
    })
}

/// Whether it may be what we made for a record of the new system of which nobody knows what became.
fn is_in_doubt(judged: &Judged<'_>, pair: &Pair<'_>) -> bool {
    let unknown = |life: &Life| {
        let is_it =
            |hold: &&Held| hold.cause == "outcome_unknown" && hold.flow == pair.flow.back && hold.record == life.id;
        judged.case.claims.held.iter().any(|hold| is_it(&hold))
    };
    let mut lives = judged.sides[NEW].of(pair.flow.objects[NEW]);
    lives.any(|life| unknown(life) && are_akin(pair.flow, [pair.source, life]))
}

/// Whether the record that a hold is about is gone: somebody may have chosen it, too late.
fn is_gone(judged: &Judged<'_>, flow: &FlowRule, side: usize, hold: &Held) -> bool {
    let Some(other) = hold.other.as_deref() else { return false };
    judged.sides[side].of(flow.objects[side]).any(|life| life.id == other && life.fate != Fate::Living)
}

/// Whether people changed a field on both sides, and not to the same value.
fn conflicting(pair: &Pair<'_>, field: &FieldRule) -> bool {
    pair.targets.iter().any(|target| {
        let lives = [pair.source, target];
        let changed = |side: usize| lives[side].edits_of(field.names[side]).any(|edit| edit.by == By::People);
        let says = [OLD, NEW].map(|side| field.plain(side, lives[side].field(field.names[side])));
        changed(OLD) && changed(NEW) && says[OLD] != says[NEW]
    })
}

/// Every value that a field ever had.
fn ever(life: &Life, field: &FieldRule, side: usize) -> Vec<Plain> {
    let mut all: Vec<Plain> = life.edits_of(field.names[side]).map(|edit| field.plain(side, &edit.after)).collect();
    all.retain(|value| matches!(value, Plain::Text(_)));
    all
}

/// Whether a source record is held that a target record may be the counterpart of.
pub(super) fn is_in_question(judged: &Judged<'_>, flow: &FlowRule, life: &Life) -> bool {
    let Some(finder) = flow.finder() else { return false };
    let own = ever(life, finder, NEW);
    let held = judged.pairs.iter().filter(|pair| {
        pair.flow.name == flow.name && pair.targets.is_empty() && !judged.holds_of(pair.flow, pair.source).is_empty()
    });
    held.flat_map(|pair| ever(pair.source, finder, OLD)).any(|value| own.iter().any(|mine| same(mine, &value)))
}

/// Text keys are compared without regard to case.
fn same(one: &Plain, other: &Plain) -> bool {
    match (one, other) {
        (Plain::Text(one), Plain::Text(other)) => one.to_lowercase() == other.to_lowercase(),
        _ => false,
    }
}

/// Whether another source record ever had the same key, or was merged into this one, which has its keys since.
fn rivals(judged: &Judged<'_>, pair: &Pair<'_>, finder: &FieldRule) -> bool {
    let own = ever(pair.source, finder, OLD);
    let others =
        judged.pairs.iter().filter(|other| other.flow.name == pair.flow.name && other.source.id != pair.source.id);
    let (parts, others): (Vec<_>, Vec<_>) =
        others.partition(|other| matches!(&other.source.fate, Fate::Merged(into) if *into == pair.source.id));
    let mut theirs = others.into_iter().flat_map(|other| ever(other.source, finder, OLD));
    !parts.is_empty() || theirs.any(|value| own.iter().any(|mine| same(mine, &value)))
}

/// How many other target records ever had the source's key.
fn candidates(judged: &Judged<'_>, pair: &Pair<'_>, finder: &FieldRule) -> usize {
    let own = ever(pair.source, finder, OLD);
    let known: Vec<&str> = pair.targets.iter().map(|target| target.id.as_str()).collect();
    let others = judged.sides[NEW].of(pair.flow.objects[NEW]).filter(|life| !known.contains(&life.id.as_str()));
    others.filter(|life| ever(life, finder, NEW).iter().any(|value| own.iter().any(|mine| same(mine, value)))).count()
}

/// Whether it ever pointed to a record whose counterpart was gone then: no platform links with what is gone.
fn points_to_lost(judged: &Judged<'_>, pair: &Pair<'_>) -> bool {
    let links = pair.flow.fields.iter().filter_map(|field| match &field.form {
        Form::Link { flow, .. } => Some((*flow, field)),
        _ => None,
    });
    links.into_iter().any(|(flow, field)| {
        pair.source.edits_of(field.names[OLD]).any(|edit| {
            let to = ids(&edit.after);
            let mut parents =
                judged.pairs.iter().filter(|other| other.flow.name == flow && to.contains(&other.source.id));
            parents.any(|parent| parent.targets.iter().any(|target| !target.fates.is_empty()))
        })
    })
}

/// Whether what it points to is held, or not there yet.
fn parent_held(judged: &Judged<'_>, pair: &Pair<'_>, hold: &Held) -> bool {
    let Some(parent) = hold.other.as_deref() else { return false };
    // What is gone is not judged again before it comes back.
    if pair.source.fate != Fate::Living {
        return true;
    }
    let links = pair.flow.fields.iter().filter_map(|field| match &field.form {
        Form::Link { flow, .. } => Some((*flow, field)),
        _ => None,
    });
    links.into_iter().any(|(flow, field)| {
        let pointed = pair
            .source
            .edits_of(field.names[OLD])
            .any(|edit| edit.by == By::People && ids(&edit.after).iter().any(|to| to == parent));
        pointed && judged.held.contains_key(&(flow, parent))
    })
}

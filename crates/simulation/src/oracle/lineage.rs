//! What a counterpart was before people merged it into a record under an id of its own: the pair goes on, and what the
//! survivor says of others is people's edit.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::replay::{By, Edit, Fate, Life};
use super::rules::NEW;
use super::{Judged, Pair};

/// A counterpart with what it was before, and since when it was one.
pub(super) struct Lineage {
    pub(super) life: Life,
    pub(super) since: Timestamp,
}

/// Of a target record the one that stood for the source before it, as one life with what followed.
pub(super) fn of(judged: &Judged<'_>, pair: &Pair<'_>, target: &Life) -> Lineage {
    let tied = |life: &Life| {
        let ties = judged.ties.get(&(pair.flow.name, life.id.as_str()))?;
        ties.iter().find(|tie| tie.source == pair.source.id).map(|tie| tie.at)
    };
    let parts = judged.sides[NEW].of(pair.flow.objects[NEW]);
    let part = parts
        .filter(|part| matches!(&part.fate, Fate::Merged(into) if *into == target.id) && part.fated == target.born)
        .find_map(|part| {
            let before = of(judged, pair, part);
            (tied(part).is_some() || before.life.born < part.born).then_some((part.fated, before))
        });
    let Some((at, Lineage { mut life, since })) = part else {
        let since = judged.tied_at(pair.flow, target).unwrap_or(target.born);
        return Lineage { life: target.clone(), since };
    };
    let names: BTreeSet<&String> = target.edits.iter().chain(&life.edits).map(|edit| &edit.field).collect();
    let said = |life: &Life, field: &str| -> Json {
        life.edits_of(field).take_while(|edit| edit.at <= at).last().map(|edit| edit.after.clone()).unwrap_or_default()
    };
    let changes: Vec<Edit> = names
        .into_iter()
        .map(|field| (field, said(&life, field), said(target, field)))
        .filter(|(_, before, after)| before != after)
        .map(|(field, before, after)| Edit { at, by: By::People, field: field.clone(), before, after })
        .collect();
    life.edits.retain(|edit| edit.at <= at);
    life.edits.extend(changes);
    life.edits.extend(target.edits.iter().filter(|edit| edit.at > at).cloned());
    let fates = life.fates.iter().filter(|(fated, ..)| *fated < at).chain(&target.fates).cloned().collect();
    let (born, made_by) = (life.born, life.made_by);
    Lineage { life: Life { born, made_by, edits: life.edits, fates, ..target.clone() }, since }
}

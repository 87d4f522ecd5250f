//! Cohorts: nothing of a record is carried before its day, and what has moved is the new system's.

use jiff::Timestamp;

use super::replay::{By, Life};
use super::rules::{FieldRule, NEW, OLD, Owner};
use super::{Judged, Pair, Span};

/// Judges what has a date.
pub(super) fn check(judged: &Judged<'_>, wrong: &mut Vec<String>) {
    for pair in &judged.pairs {
        let Some(cohort) = pair.flow.cohort_of(pair.source) else { continue };
        for target in pair.targets.iter().filter(|target| target.made_by == By::Client) {
            if target.born < cohort.begins {
                let (object, id) = (pair.flow.objects[OLD], &pair.source.id);
                wrong.push(format!("ownership: {object} {id} was carried before its cohort began"));
            }
        }
    }
}

/// From when on the old system's edits of a field are not carried by themselves: where it goes one way, once its pair
/// has moved. Where it goes both ways it is both systems' before and after.
pub(super) fn moved(judged: &Judged<'_>, pair: &Pair<'_>, field: &FieldRule) -> Option<Timestamp> {
    let one_way = field.owner == Owner::OldOnceChanged;
    pair.flow.cohort_of(pair.source).filter(|_| one_way && !judged.case.passes.is_empty()).map(|cohort| cohort.moves)
}

/// Whether what the old system takes away is not carried by rule: the pair had not begun, or is the new system's.
pub(super) fn is_apart(judged: &Judged<'_>, pair: &Pair<'_>) -> bool {
    pair.flow.cohort_of(pair.source).is_some_and(|cohort| {
        let noticed = judged.case.passes.iter().filter(|pass| pass.began >= pair.source.fated);
        noticed.into_iter().any(|pass| pass.began < cohort.begins || pass.began >= cohort.moves)
    })
}

/// Whether a pass found the pair moved. The dates are judged by when a pass began.
pub(super) fn has_moved(moved: Option<Timestamp>, pass: &Span) -> bool {
    moved.is_some_and(|moved| moved <= pass.began)
}

/// Whether the old system changed what a link field says once the pair had moved: then links add up, and what the
/// field says is no longer what stands in the new system.
pub(super) fn links_add_up(judged: &Judged<'_>, pair: &Pair<'_>, field: &FieldRule) -> bool {
    let Some(moved) = moved(judged, pair, field) else { return false };
    // An edit that the last pass before has not seen is one of afterwards.
    let seen =
        judged.case.passes.iter().filter(|pass| pass.whole && pass.began < moved).map(|pass| pass.began).next_back();
    let seen = seen.map_or(moved, |seen| seen - judged.case.lag);
    pair.source.edits_of(field.names[OLD]).any(|edit| edit.by == By::People && edit.at >= seen)
}

/// Whether the old system's field was changed once the pair had moved, and the new one says something else.
pub(super) fn came_late(judged: &Judged<'_>, pair: &Pair<'_>, field: &FieldRule) -> bool {
    moved(judged, pair, field).is_some()
        && pair.targets.iter().any(|target| {
            let [old, new] = [(OLD, pair.source), (NEW, target)]
                .map(|(side, life): (usize, &Life)| field.plain(side, life.field(field.names[side])));
            old != new
        })
}

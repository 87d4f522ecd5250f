//! What a field may say in the end, told from everybody's edits and from when passes ran.
//!
//! Where an edit and a pass fall together nobody can say which came first: then every order counts as right. So
//! a field has a set of states that it may be in, and the truth must be among them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::answers::{self, Said, Word};
use super::cohorts::{self, has_moved};
use super::lineage::{self, Lineage};
use super::replay::{By, Edit, Fate, Life};
use super::rules::{Conflict, FieldRule, Form, NEW, OLD, Owner, Plain};
use super::{Judged, Pair, SIDES, Span};

/// What both sides say of a field, and what was settled of each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    says: [Plain; 2],
    settled: [Plain; 2],
}

impl State {
    /// Whether both sides were changed, and to different values; once the pair has moved, whether the old one was.
    fn conflicts(&self, moved: bool) -> bool {
        let changed = |side: usize| self.says[side] != self.settled[side];
        self.says[OLD] != self.says[NEW] && changed(OLD) && (moved || changed(NEW))
    }
}

/// Something that happened to a field.
struct Happening<'l> {
    side: usize,
    edit: &'l Edit,
}

/// Judges every field of every pair.
pub(super) fn check(judged: &Judged<'_>, wrong: &mut Vec<String>) {
    for pair in &judged.pairs {
        let Some(target) = pair.targets.iter().copied().find(|target| target.fate == Fate::Living) else { continue };
        let line = lineage::of(judged, pair, target);
        for field in pair.flow.fields.iter().filter(|field| !matches!(field.form, Form::Link { .. })) {
            if !is_held(judged, pair, field) && pair.source.fate == Fate::Living {
                converged(judged, pair, (target, &line), field, wrong);
            }
            written(judged, pair, target, field, wrong);
        }
    }
}

/// Whether the state says that the field is kept back.
pub(super) fn is_held(judged: &Judged<'_>, pair: &Pair<'_>, field: &FieldRule) -> bool {
    let forth = judged.holds_of(pair.flow, pair.source);
    let back = pair.targets.iter().flat_map(|target| judged.holds_back_of(pair.flow, target));
    forth.iter().any(|hold| hold.field.as_deref().is_none_or(|name| name == field.names[NEW]))
        || back.into_iter().any(|hold| hold.field.as_deref().is_none_or(|name| name == field.names[OLD]))
}

/// What the field says must be something that it may say.
fn converged(
    judged: &Judged<'_>,
    pair: &Pair<'_>,
    (target, line): (&Life, &Lineage),
    field: &FieldRule,
    wrong: &mut Vec<String>,
) {
    let lives = [pair.source, target];
    let says = [OLD, NEW].map(|side| field.plain(side, lives[side].field(field.names[side])));
    // Who clears the first of several numbers in the new system leaves the second one in the old.
    let left = |edit: &Edit| edit.by == By::Client && is_one_of(field, OLD, &edit.before, &says[OLD]);
    let shows = |edit: &&Edit| field.plain(OLD, &edit.before) != field.plain(OLD, &edit.after);
    if says[NEW] == Plain::Blank && pair.source.edits_of(field.names[OLD]).filter(shows).last().is_some_and(left) {
        return;
    }
    let target = &line.life;
    // Who gave what was made of it was a pair with that from the start.
    let begin = if came_back(pair, target) { pair.source.born } else { line.since };
    let mut may = outcomes(judged, pair, target, field, begin);
    // What another counterpart became is judged as the one before, or as one that was just found; and so is a pair
    // both of which were gone.
    for again in merges_into(judged, pair, target).into_iter().chain(found_again(judged, lives)) {
        may.extend(outcomes(judged, pair, target, field, again));
    }
    // What both changed is settled or held.
    let moved = judged.case.passes.last().is_some_and(|last| has_moved(cohorts::moved(judged, pair, field), last));
    let asks = moved || matches!(field.owner, Owner::Both(Conflict::Ask));
    let settles = |state: &&State| !(asks && state.conflicts(moved));
    if !may.iter().filter(settles).any(|state| state.says == says) {
        let may: BTreeSet<_> = may.iter().map(|state| shown(&state.says)).collect();
        wrong.push(format!(
            "convergence: {} {} ({} {}), {}: {}, and it may be {}",
            pair.flow.objects[OLD],
            pair.source.id,
            pair.flow.objects[NEW],
            target.id,
            field.names[NEW],
            shown(&says),
            may.into_iter().collect::<Vec<_>>().join(" or ")
        ));
    }
}

fn shown(says: &[Plain; 2]) -> String {
    let one = |plain: &Plain| match plain {
        Plain::Blank => "blank".to_owned(),
        Plain::Text(text) => format!("`{text}`"),
        Plain::Impossible(text) => format!("the impossible `{text}`"),
    };
    format!("{} here and {} there", one(&says[OLD]), one(&says[NEW]))
}

/// When we made other records become a target.
fn merges_into(judged: &Judged<'_>, pair: &Pair<'_>, target: &Life) -> BTreeSet<Timestamp> {
    let fates = judged.sides[NEW].of(pair.flow.objects[NEW]).flat_map(|life| &life.fates);
    let is_it = |fate: &Fate| matches!(fate, Fate::Merged(into) if *into == target.id);
    fates.filter(|(_, by, fate)| *by == By::Client && is_it(fate)).map(|(at, ..)| *at).collect()
}

/// When two may have been found to be a pair after one of them came back, both of which had been gone: that ends a pair.
fn found_again(judged: &Judged<'_>, lives: [&Life; 2]) -> BTreeSet<Timestamp> {
    let back = |life: &Life, other: &Life| -> Vec<Timestamp> {
        let times = life.fates.iter().filter(|(at, _, fate)| *fate == Fate::Living && other.was_dead(other.born, *at));
        times.map(|(at, ..)| *at).collect()
    };
    let [old, new] = lives;
    let times = [back(old, new), back(new, old)].into_iter().flatten();
    let passes = |at: Timestamp| judged.case.passes.iter().filter(move |pass| pass.ended > at).take(3);
    times.flat_map(|at| passes(at).map(|pass| pass.ended).chain([at])).collect()
}

/// Whether the source was made from the target.
fn came_back(pair: &Pair<'_>, target: &Life) -> bool {
    pair.source.made_by == By::Client && (target.made_by == By::People || target.born < pair.source.born)
}

/// The value of a field before a moment.
fn value_before(life: &Life, field: &FieldRule, side: usize, at: Timestamp) -> Plain {
    let last = life.edits_of(field.names[side]).take_while(|edit| edit.at < at).last();
    last.map_or(Plain::Blank, |edit| field.plain(side, &edit.after))
}

/// Every state that the field may be in.
fn outcomes(
    judged: &Judged<'_>,
    pair: &Pair<'_>,
    target: &Life,
    field: &FieldRule,
    begin: Timestamp,
) -> BTreeSet<State> {
    let lives = [pair.source, target];
    // Who was there first gives; of two that were there the source does.
    let giver = if came_back(pair, target) { NEW } else { OLD };
    let mut happened: Vec<Happening<'_>> = Vec::new();
    for (side, life) in lives.into_iter().enumerate() {
        let edits = life.edits_of(field.names[side]).filter(|edit| edit.by == By::People && edit.at >= begin);
        happened.extend(edits.map(|edit| Happening { side, edit }));
    }
    happened.sort_by_key(|one| one.edit.at);
    let mut states = beginnings(judged, pair, lives, field, (giver, begin));
    let said = answers::said(judged, pair, field, NEW);
    let moves = cohorts::moved(judged, pair, field);
    let first = judged.case.passes.partition_point(|pass| pass.ended < begin);
    let mut next = happened.iter().peekable();
    let mut unsettled = true;
    for pass in &judged.case.passes[first.min(judged.case.passes.len())..] {
        while let Some(one) = next.next_if(|one| one.edit.at < pass.began) {
            edit(&mut states, field, one);
            unsettled = true;
        }
        let said = &said[..said.partition_point(|said| said.at <= pass.ended)];
        let says = (said, has_moved(moves, pass));
        let answered = said.last().is_some_and(|said| said.at >= pass.began);
        let late = answered
            || happened.iter().any(|one| near(one.edit, pass, judged) || begin >= pass.began)
            // Of what is gone nothing is carried until it comes back.
            || lives.iter().any(|life| life.was_dead(pass.began - judged.case.lag, pass.ended));
        if !late && pass.whole && unsettled {
            states = states.into_iter().flat_map(|state| carry(state, field, says)).collect();
            unsettled = false;
        } else if unsettled || late {
            perhaps(&mut states, field, says);
            while let Some(one) = next.next_if(|one| one.edit.at <= pass.ended) {
                let before = states.clone();
                edit(&mut states, field, one);
                // A request whose answer was lost may come a second time, over an edit made meanwhile.
                if rewritten(lives[one.side], field.names[one.side], one.edit, pass) {
                    states.extend(before);
                }
                perhaps(&mut states, field, says);
            }
            unsettled = true;
        }
    }
    for one in next {
        edit(&mut states, field, one);
    }
    states
}

/// What the field may have been when they became a pair, of which one side gives.
fn beginnings(
    judged: &Judged<'_>,
    pair: &Pair<'_>,
    lives: [&Life; 2],
    field: &FieldRule,
    (giver, begin): (usize, Timestamp),
) -> BTreeSet<State> {
    // The pass that paired them may have read the source a moment earlier, or an older copy of it.
    let pass = judged.case.passes.iter().rfind(|pass| pass.began <= begin);
    let read_from = pass.map_or(begin, |pass| pass.began - judged.case.lag);
    let mut given: BTreeSet<Plain> = lives[giver]
        .edits_of(field.names[giver])
        .filter(|edit| edit.at >= read_from && edit.at < begin)
        .flat_map(|edit| [field.plain(giver, &edit.before), field.plain(giver, &edit.after)])
        .collect();
    let now = value_before(lives[giver], field, giver, begin);
    given.insert(now.clone());
    let there = value_before(lives[1 - giver], field, 1 - giver, begin);
    let mended = answers::given(judged, pair.flow, &[pair.source], field, NEW);
    let mut states: BTreeSet<State> = BTreeSet::new();
    for read in given {
        // A blank gives nothing; what cannot be carried is not carried.
        let carried = if matches!(read, Plain::Text(_)) { read.clone() } else { there.clone() };
        let read = if matches!(read, Plain::Impossible(_)) { Plain::Blank } else { read };
        let pair = |given: &Plain, taken: &Plain| {
            if giver == OLD { [given.clone(), taken.clone()] } else { [taken.clone(), given.clone()] }
        };
        // Who was found the other way round fills the gap with what is there.
        if read == Plain::Blank && now == Plain::Blank && matches!(field.owner, Owner::Both(_)) {
            states.insert(State { says: pair(&there, &there), settled: pair(&there, &there) });
        }
        states.insert(State { says: pair(&now, &carried), settled: pair(&read, &carried) });
        // What could not be carried was mended by an answer before the pair was made.
        if giver == OLD && carried == there {
            for value in mended.iter().cloned() {
                let says = [now.clone(), value];
                states.insert(State { settled: says.clone(), says });
            }
        }
    }
    states
}

/// Whether we wrote over an edit in the pass within which it was made.
fn rewritten(life: &Life, name: &str, edit: &Edit, pass: &Span) -> bool {
    let ours = life.edits_of(name).filter(|ours| ours.by == By::Client && ours.at >= edit.at && ours.at <= pass.ended);
    ours.into_iter().any(|ours| ours.before == edit.after)
}

/// Whether a pass may or may not have seen an edit.
fn near(edit: &Edit, pass: &Span, judged: &Judged<'_>) -> bool {
    edit.at >= pass.began - judged.case.lag && edit.at <= pass.ended
}

fn edit(states: &mut BTreeSet<State>, field: &FieldRule, one: &Happening<'_>) {
    let value = field.plain(one.side, &one.edit.after);
    *states = std::mem::take(states)
        .into_iter()
        .map(|mut state| {
            state.says[one.side] = value.clone();
            state
        })
        .collect();
}

/// The states after a pass that may have seen them, and those before.
fn perhaps(states: &mut BTreeSet<State>, field: &FieldRule, says: (&[Said<'_>], bool)) {
    let carried: Vec<State> = states.iter().cloned().flat_map(|state| carry(state, field, says)).collect();
    states.extend(carried);
}

/// What a pass makes of a state. Several results where the rules leave it to the moment.
fn carry(state: State, field: &FieldRule, (said, moved): (&[Said<'_>], bool)) -> Vec<State> {
    let mut after = ruled(&state, field, moved);
    for said in said {
        match said.word {
            // It was said of other values than these, perhaps: then it is asked again.
            // Nothing carries back what the new system says.
            Word::Take { side: NEW, .. } if moved && state.conflicts(true) => {
                after.push(State { settled: state.says.clone(), says: state.says.clone() });
            }
            Word::Take { side, .. } if state.conflicts(moved) => {
                let says = [OLD, NEW].map(|_| state.says[*side].clone());
                after.push(State { settled: says.clone(), says });
            }
            Word::Edit { value, .. } if matches!(state.says[OLD], Plain::Impossible(_)) => {
                let value = field.plain(NEW, &value.as_str().into());
                let says = [state.says[OLD].clone(), value];
                after.push(State { settled: says.clone(), says });
            }
            Word::Take { .. } | Word::Edit { .. } | Word::Choose { .. } | Word::Create => {}
        }
    }
    after
}

/// The same by the rules alone.
fn ruled(state: &State, field: &FieldRule, moved: bool) -> Vec<State> {
    let state = state.clone();
    let changed = [OLD, NEW].map(|side| state.says[side] != state.settled[side]);
    let to = |side: usize| {
        let value = state.says[1 - side].clone();
        let mut after = state.clone();
        match value {
            // Held, or refused: it stays as it is until it can be carried.
            Plain::Impossible(_) => {}
            Plain::Blank if field.needed[side] => {}
            value => {
                after.says[side] = value;
                after.settled = after.says.clone();
            }
        }
        after
    };
    let owner = field.owner;
    if owner != Owner::OldOnceChanged && state.says[OLD] == state.says[NEW] {
        let settled = state.says.clone();
        return vec![State { settled, ..state }];
    }
    if moved && state.says[OLD] != state.says[NEW] {
        return vec![state];
    }
    match (owner, changed) {
        (_, [false, false]) => vec![state],
        // Nobody looks while the source stays as it was.
        (Owner::OldOnceChanged, [false, true]) => vec![state],
        (Owner::OldOnceChanged | Owner::Old, _)
        | (Owner::Both(_), [true, false])
        | (Owner::Both(Conflict::Old), [true, true]) => vec![to(NEW)],
        (Owner::New, _) | (Owner::Both(_), [false, true]) => vec![to(OLD)],
        (Owner::Both(Conflict::Ask), [true, true]) => vec![state],
        // Which of them is the later one is not told here.
        (Owner::Both(Conflict::Newest), [true, true]) => vec![to(NEW), to(OLD), state],
    }
}

/// Each value that we wrote is one that somebody gave, and what it replaced stands in the ledger.
fn written(judged: &Judged<'_>, pair: &Pair<'_>, target: &Life, field: &FieldRule, wrong: &mut Vec<String>) {
    let lives = [pair.source, target];
    for side in [OLD, NEW] {
        let name = field.names[side];
        let whose = || format!("{} {}, {name}", pair.flow.objects[side], lives[side].id);
        // Every counterpart that it ever had gave something.
        let others: Vec<&Life> =
            if side == OLD { pair.ever().collect() } else { judged.sources_with_merged(pair.flow, target) };
        // So did whoever answered for what it stood for before.
        let sources = if side == OLD { vec![pair.source] } else { others.clone() };
        let given: BTreeSet<Plain> = others
            .iter()
            .flat_map(|other| other.edits_of(field.names[1 - side]))
            .flat_map(|edit| [field.plain(1 - side, &edit.before), field.plain(1 - side, &edit.after)])
            .chain(answers::given(judged, pair.flow, &sources, field, side))
            // Where nobody ever said anything nothing is said.
            .chain(
                others
                    .iter()
                    .all(|other| other.edits_of(field.names[1 - side]).next().is_none())
                    .then_some(Plain::Blank),
            )
            .collect();
        let mut last: Option<&Edit> = None;
        for edit in lives[side].edits_of(name) {
            let earlier = last.replace(edit);
            if edit.by == By::People {
                continue;
            }
            let value = field.plain(side, &edit.after);
            if !may_write(field, side) {
                wrong.push(format!("ownership: {}: written in {}", whose(), SIDES[side]));
            }
            if value != Plain::Blank && !given.contains(&value) && !is_one_of(field, side, &edit.before, &value) {
                wrong.push(format!("no invention: {}: nobody gave what was written at {}", whose(), edit.at));
            }
            if value == Plain::Blank && !given.contains(&Plain::Blank) {
                wrong.push(format!("no invention: {}: blanked at {} though nobody had cleared it", whose(), edit.at));
            }
            let lost = earlier.filter(|earlier| earlier.by == By::People && earlier.after == edit.before);
            // What the other side had too and then changed is the other side's change.
            let other = field.names[1 - side];
            let shared = |lost: &Edit| {
                let there = others.iter().flat_map(|life| life.edits_of(other));
                there
                    .filter(|there| there.at <= edit.at)
                    .any(|there| field.plain(1 - side, &there.after) == field.plain(side, &lost.after))
            };
            if let Some(lost) = lost.filter(|lost| !excused(judged, lost, edit) && !shared(lost))
                && value != field.plain(side, &lost.after)
                && field.plain(side, &lost.after) != Plain::Blank
                && !told(judged, pair, target, field, side, &lost.after)
            {
                wrong.push(format!(
                    "no loss: {}: the edit of {} was overwritten at {} and the ledger does not say so",
                    whose(),
                    lost.at,
                    edit.at
                ));
            }
        }
    }
}

/// Whether a value is one of a list: who loses the first address of several has the second one then.
fn is_one_of(field: &FieldRule, side: usize, list: &Json, value: &Plain) -> bool {
    let items = list.as_array().into_iter().flatten();
    items.map(|item| field.plain(side, item.get("value").unwrap_or(item))).any(|item| item == *value)
}

fn may_write(field: &FieldRule, side: usize) -> bool {
    match field.owner {
        Owner::OldOnceChanged | Owner::Old => side == NEW,
        Owner::New => side == OLD,
        Owner::Both(_) => true,
    }
}

/// Whether an edit was made while the pass was at work that overwrote it: no platform lets a write depend on what
/// it replaces.
fn excused(judged: &Judged<'_>, lost: &Edit, by: &Edit) -> bool {
    let pass = judged.case.passes.iter().find(|pass| pass.began <= by.at && by.at <= pass.ended);
    pass.is_some_and(|pass| lost.at >= pass.began - judged.case.lag)
}

/// Whether the ledger tells what was overwritten, in the story of the pair or of its way back.
fn told(judged: &Judged<'_>, pair: &Pair<'_>, target: &Life, field: &FieldRule, side: usize, value: &Json) -> bool {
    let value = field.plain(side, value);
    // The stories of all counterparts that it ever had.
    let sources = judged.sources_with_merged(pair.flow, target);
    let is_its = |flow: &str, record: &str| {
        (side == NEW && flow == pair.flow.name && sources.iter().any(|source| source.id == record))
            || (side == OLD && flow == pair.flow.back && pair.ever().any(|target| target.id == record))
    };
    judged.case.claims.told.iter().filter(|told| is_its(&told.flow, &told.record)).any(|told| {
        let whole = field.part_of.filter(|_| side == OLD);
        let part = |whole: &str| match &value {
            Plain::Text(value) => whole.contains(value.as_str()),
            Plain::Blank | Plain::Impossible(_) => false,
        };
        (told.field == field.names[side] && field.plain(side, &told.before) == value)
            || (whole == Some(told.field.as_str()) && told.before.as_str().is_some_and(part))
    })
}

//! Records that are gone: their counterparts went too, or wait for a person or the guard; and nothing else went.

use std::collections::{BTreeMap, BTreeSet};

use handover_sandbox::journal::Action;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::replay::{By, Fate, Life};
use super::rules::{Deletes, FieldRule, FlowRule, Form, NEW, OLD, Plain, id_of, ids};
use super::{Judged, Pair, Span, Story, cohorts, ties};

/// Judges what became of the counterparts of what is gone, and that everything that we took away had to go.
pub(super) fn check(judged: &Judged<'_>, wrong: &mut Vec<String>) {
    for pair in &judged.pairs {
        left(judged, pair, wrong);
    }
    for flow in &judged.case.rules.flows {
        for side in [OLD, NEW] {
            taken(judged, flow, side, wrong);
        }
    }
    guarded(judged, wrong);
}

/// Whether so much time went by since then that everything was noticed and carried.
fn is_old(judged: &Judged<'_>, since: Timestamp) -> bool {
    let noticed = since + judged.case.lag + judged.case.rules.sweep;
    judged.case.passes.iter().filter(|pass| pass.whole && pass.began > noticed).count() >= 3
}

/// Whether the guard stopped a flow in the end.
pub(super) fn is_stopped(judged: &Judged<'_>, flow: &FlowRule) -> bool {
    let last = judged.case.passes.iter().rfind(|pass| pass.whole);
    last.is_some_and(|pass| pass.tripped.contains_key(flow.name))
}

/// What is left of a pair whose source is gone.
fn left(judged: &Judged<'_>, pair: &Pair<'_>, wrong: &mut Vec<String>) {
    let Pair { flow, source, targets, .. } = pair;
    if source.fate == Fate::Living || !is_old(judged, source.fated) || is_stopped(judged, flow) {
        return;
    }
    let asked = judged.holds_of(flow, source).iter().any(|hold| hold.cause.starts_with("source_"));
    for target in targets.iter().filter(|target| target.fate == Fate::Living && !asked) {
        // Both were gone, and people brought this one back: it is nobody's counterpart any more.
        let ended = |story: &&Story| story.how == "nothing" && target.was_dead(story.at, story.at);
        if told(judged, flow, &source.id, "removed").any(|story| ended(&story)) {
            continue;
        }
        // It came back after that, and waits to be carried to where nothing stands for it.
        let again = target.fates.last().is_some_and(|(_, by, fate)| *by == By::People && *fate == Fate::Living);
        if again && judged.held.contains_key(&(flow.back, target.id.as_str())) {
            continue;
        }
        let fine = match flow.deletes {
            Deletes::Ask | Deletes::Delete => false,
            Deletes::Ignore => told(judged, flow, &source.id, "kept").next().is_some(),
            Deletes::Mark(field, value) => target.field(field) == value,
        };
        if !fine {
            wrong.push(format!(
                "no orphan: {} {} is gone, and nothing became of {} {}",
                flow.objects[OLD], source.id, target.object, target.id
            ));
        }
    }
}

/// Whether a record is left without its counterparts, which are gone, by the flow's rule.
pub(super) fn is_left(judged: &Judged<'_>, flow: &FlowRule, source: &Life, targets: &[&Life]) -> bool {
    let by_rule = matches!(flow.deletes, Deletes::Ignore | Deletes::Mark(..));
    by_rule && !targets.is_empty() && told(judged, flow, &source.id, "kept").next().is_some()
}

/// What the ledger tells of a record.
fn told<'c>(judged: &Judged<'c>, flow: &FlowRule, record: &str, kind: &'static str) -> impl Iterator<Item = &'c Story> {
    let (flow, record) = (flow.name, record.to_owned());
    let stories = judged.case.claims.stories.iter();
    stories.filter(move |story| story.flow == flow && story.record == record && story.kind == kind)
}

/// Judges everything that we deleted of an object.
fn taken(judged: &Judged<'_>, flow: &FlowRule, side: usize, wrong: &mut Vec<String>) {
    for life in judged.sides[side].of(flow.objects[side]) {
        for (at, _, _) in life.fates.iter().filter(|(_, by, fate)| *by == By::Client && *fate == Fate::Deleted) {
            if let Some(why) = unjust(judged, flow, side, life, *at) {
                wrong.push(format!("no loss: {} {} was deleted at {at}: {why}", life.object, life.id));
            }
        }
    }
}

/// Why a record was not to be deleted.
fn unjust(judged: &Judged<'_>, flow: &FlowRule, side: usize, life: &Life, at: Timestamp) -> Option<String> {
    let counterparts = counterparts(judged, flow, side, life);
    let Some(pass) = judged.case.passes.iter().find(|pass| pass.began <= at && at <= pass.ended) else {
        return Some("no pass was under way".to_owned());
    };
    if flow.deletes != Deletes::Delete {
        return Some("the rule is another one".to_owned());
    }
    if counterparts.is_empty() {
        return Some("it stands for nothing".to_owned());
    }
    // Of several counterparts one that was gone for good is enough.
    let whys: Vec<Option<String>> =
        counterparts.iter().map(|other| alive(judged, flow, side, other, (pass, at))).collect();
    if let Some(why) = whys.iter().flatten().next().filter(|_| whys.iter().all(Option::is_some)) {
        return Some(why.clone());
    }
    let sources: Vec<&str> = if side == NEW {
        counterparts.iter().map(|source| source.id.as_str()).collect()
    } else {
        vec![life.id.as_str()]
    };
    let is_told = |kind| {
        let mut all = sources.iter().flat_map(|source| told(judged, flow, source, kind));
        all.any(|story| story.how == "delete" && story.other == life.id && story.at <= pass.ended)
    };
    if !is_told("removing") {
        return Some("the ledger does not tell that it was to be".to_owned());
    }
    None
}

/// Why what happened to a counterpart was no reason to delete anything.
fn alive(
    judged: &Judged<'_>,
    flow: &FlowRule,
    side: usize,
    other: &Life,
    (pass, at): (&Span, Timestamp),
) -> Option<String> {
    // Who came back while the pass was at work may have come back too late.
    if !other.was_dead(pass.began - judged.case.lag, at) {
        return Some("its counterpart was there".to_owned());
    }
    let (died, _, fate) = other.fates.iter().rfind(|(when, _, fate)| *when <= at && *fate != Fate::Living)?;
    let noticed = |earlier: &&Span| earlier.began < pass.began && earlier.ended >= *died;
    if !judged.case.passes.iter().any(|earlier| noticed(&earlier)) {
        return Some("no earlier pass had missed its counterpart".to_owned());
    }
    // Of two that became one and are both gone it does not matter which was which.
    let is_there = |into: &str| {
        let mut lives = judged.sides[OLD].of(flow.objects[OLD]);
        lives.any(|life| life.id == into && !life.was_dead(pass.began - judged.case.lag, at))
    };
    match (fate, 1 - side) {
        (Fate::Merged(into), OLD) if is_there(into) && leaves_traces(judged, flow, other, Some((into, at))) => {
            Some(format!("its counterpart had become {into}"))
        }
        _ => None,
    }
}

/// The records of the other side that a record stood for, or that stood for it.
fn counterparts<'c>(judged: &Judged<'c>, flow: &FlowRule, side: usize, life: &Life) -> Vec<&'c Life> {
    let pairs = judged.pairs.iter().filter(|pair| pair.flow.name == flow.name);
    // Whom people brought back may be another one's counterpart by now.
    let was = |source: &Life| {
        told(judged, flow, &source.id, "removing").any(|story| story.other == life.id)
            || told(judged, flow, &source.id, "removed").any(|story| story.other == life.id)
    };
    match side {
        NEW => pairs
            .filter(|pair| pair.ever().any(|target| target.id == life.id) || was(pair.source))
            .map(|pair| pair.source)
            .collect(),
        // Who became another one left it its counterpart.
        _ => pairs
            .filter(|pair| {
                let became = ties::became(&judged.sides[OLD], flow, &pair.source.id, &life.id);
                pair.source.id == life.id || became.is_some()
            })
            .flat_map(Pair::ever)
            .collect(),
    }
}

/// Whether a person may be asked about a pair's source, which is gone.
pub(super) fn is_asked_about(judged: &Judged<'_>, pair: &Pair<'_>) -> bool {
    if pair.source.fate == Fate::Living {
        return false;
    }
    let refused = judged.holds_of(pair.flow, pair.source).iter().any(|hold| hold.cause == "refused");
    let by_rule = pair.flow.deletes != Deletes::Ask && !cohorts::is_apart(judged, pair);
    !by_rule || refused || has_traces(judged, pair)
}

/// Whether a pair's source, which is gone, became another record, or seems to have.
pub(super) fn has_traces(judged: &Judged<'_>, pair: &Pair<'_>) -> bool {
    matches!(pair.source.fate, Fate::Merged(_)) || leaves_traces(judged, pair.flow, pair.source, None)
}

/// Whether another record has what belonged to one of the old system that is gone: its key, or what pointed to it.
/// With `into` only what is certainly seen by then counts: what stood there before the last pass before it went, and
/// of what was pointed elsewhere what is still there.
fn leaves_traces(judged: &Judged<'_>, flow: &FlowRule, gone: &Life, into: Option<(&str, Timestamp)>) -> bool {
    let (into, by) = (into.map(|(into, _)| into), into.map(|(_, by)| by));
    let is_it = |id: &str| id != gone.id && into.is_none_or(|into| into == id);
    let seen = judged.case.passes.iter().rfind(|pass| pass.whole && pass.ended < gone.fated);
    let seen = into.and(seen).map_or(gone.fated, |pass| pass.began - judged.case.lag);
    if let Some(finder) = flow.finder() {
        let edits = gone.edits_of(finder.names[OLD]);
        let own: BTreeSet<String> = match into {
            None => edits.flat_map(|edit| keys(finder, &edit.after)).collect(),
            Some(_) => edits
                .take_while(|edit| edit.at < seen)
                .last()
                .iter()
                .flat_map(|edit| keys(finder, &edit.after))
                .collect(),
        };
        let has = |other: &Life| match into {
            None => other
                .edits_of(finder.names[OLD])
                .any(|edit| keys(finder, &edit.after).iter().any(|key| own.contains(key))),
            Some(_) => keys(finder, other.field(finder.names[OLD])).iter().any(|key| own.contains(key)),
        };
        if judged.sides[OLD].of(flow.objects[OLD]).any(|other| is_it(&other.id) && has(other)) {
            return true;
        }
    }
    judged.case.rules.flows.iter().any(|child| {
        let is_link = |form: &Form| matches!(form, Form::Link { flow: to, .. } if *to == flow.name);
        let mut links = child.fields.iter().filter(|field| is_link(&field.form)).map(|field| field.names[OLD]);
        links.any(|name| {
            judged.sides[OLD].of(child.objects[OLD]).any(|life| {
                let edits: Vec<_> = life.edits_of(name).collect();
                let from = edits.iter().position(|edit| ids(&edit.after).contains(&gone.id) && edit.at <= seen);
                from.is_some_and(|from| {
                    let is_read = |at: Timestamp| by.is_none_or(|by| !life.was_dead(at, by));
                    let mut to = edits[from..].iter().filter(|edit| is_read(edit.at));
                    to.any(|edit| ids(&edit.after).iter().any(|id| is_it(id)))
                })
            })
        })
    })
}

/// The keys that a value is: each address of a list that is one.
fn keys(finder: &FieldRule, value: &Json) -> Vec<String> {
    let one = |value: &Json| match finder.plain(OLD, value) {
        Plain::Text(text) => Some(text.to_lowercase()),
        Plain::Blank | Plain::Impossible(_) => None,
    };
    match value {
        Json::Array(items) => items.iter().filter_map(|item| one(item.get("value").unwrap_or(item))).collect(),
        other => one(other).into_iter().collect(),
    }
}

/// No pass takes more away than the guard lets through.
fn guarded(judged: &Judged<'_>, wrong: &mut Vec<String>) {
    let rules = judged.case.rules;
    for pass in judged.case.passes {
        for flow in &rules.flows {
            let done: u64 = [OLD, NEW].into_iter().map(|side| taken_in(judged, flow, side, pass)).sum();
            if done == 0 {
                continue;
            }
            let pairs = judged.pairs.iter().filter(|pair| pair.flow.name == flow.name);
            let pairs = pairs.filter(|pair| pair.targets.iter().any(|target| target.was_alive(pass.began, pass.ended)));
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a few hundred pairs"
            )]
            let share = ((pairs.count() as f64 * rules.guard.share).floor() as u64).max(1);
            let allowed = rules.guard.count.min(share);
            let confirmed = pass.confirmed.get(flow.name).copied().unwrap_or(0);
            if done > allowed.max(confirmed) {
                wrong.push(format!(
                    "guard: {} deletions and merges of {} at {}, and {allowed} are allowed, {confirmed} confirmed",
                    done, flow.name, pass.began
                ));
            }
        }
    }
}

/// How many records of a flow's side we deleted, marked or merged in a pass.
fn taken_in(judged: &Judged<'_>, flow: &FlowRule, side: usize, pass: &Span) -> u64 {
    let ahead = judged.case.ahead[side];
    // The next pass may begin in the moment in which one ends.
    let is_during = |at: Timestamp| pass.began < at && at <= pass.ended;
    let during =
        judged.case.journals[side].iter().filter(|entry| entry.method != "DISTURB" && is_during(entry.at - ahead));
    let mut merged: BTreeMap<String, u64> = BTreeMap::new();
    // A deletion whose answer was lost is sent again.
    let is_ours =
        |(at, by, fate): &(Timestamp, By, Fate)| *by == By::Client && *fate == Fate::Deleted && is_during(*at);
    let deleted = judged.sides[side].of(flow.objects[side]).filter(|life| life.fates.iter().any(is_ours));
    let mut sum = deleted.count() as u64;
    for change in during.flat_map(|entry| &entry.changes).filter(|change| change.object == flow.objects[side]) {
        match change.action {
            // A platform that gives the survivor a new id tells of both.
            Action::Merged => {
                let into = change.fields.get("merged_into").map(|(_, into)| id_of(into)).unwrap_or_default();
                merged.insert(into, 1);
            }
            Action::Updated => {
                if let Deletes::Mark(field, value) = flow.deletes {
                    let marks = change.fields.get(field).is_some_and(|(was, is)| was != is && is == value);
                    sum += u64::from(marks && side == NEW);
                }
            }
            Action::Created
            | Action::Deleted
            | Action::Purged
            | Action::Restored
            | Action::Linked
            | Action::Unlinked => {}
        }
    }
    sum + merged.into_values().sum::<u64>()
}

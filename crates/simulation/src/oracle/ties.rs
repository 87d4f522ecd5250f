//! Which source record a target record stood for, and from when on: told by the key that stands on it, and by what the
//! ledger tells of records that went back.
//!
//! People bring back what was deleted on both sides: then a record stands for another one than its key says, until the
//! key is written anew.

use jiff::Timestamp;

use super::replay::{By, Fate, Life, Side};
use super::rules::{FlowRule, NEW, OLD};
use super::{Case, Paired, Story};

/// A source record that a target record stood for.
#[derive(Clone, Debug)]
pub(super) struct Tie {
    /// From when on.
    pub(super) at: Timestamp,
    /// The source record.
    pub(super) source: String,
}

/// What a target record stood for, in order; each once for as long as it did.
pub(super) fn of(case: &Case<'_>, sides: &[Side; 2], flow: &FlowRule, life: &Life) -> Vec<Tie> {
    let olds = &sides[OLD];
    let keys = life.edits_of(flow.key.as_deref().unwrap_or_default()).filter_map(|edit| {
        let source = edit.after.as_str()?.strip_prefix(flow.key_head.as_str())?;
        Some(Tie { at: edit.at, source: source.to_owned() })
    });
    // What is told from before its birth is told of another record, whose id was given again.
    let is_its = |story: &&Story| story.flow == flow.name && story.other == life.id && story.at >= life.born;
    let stories = case.claims.stories.iter().filter(is_its);
    let brought = stories.clone().filter(|story| story.kind == "brought");
    let mut ties: Vec<Tie> =
        keys.chain(brought.map(|story| Tie { at: story.at, source: story.record.clone() })).collect();
    ties.sort_by_key(|tie| tie.at);
    let paired = case.claims.pairs.iter().find(|pair| is_of(pair, flow, life)).map(|pair| pair.source.clone());
    // Of what is gone the ledger tells what it stood for.
    let told = || stories.clone().next().map(|story| story.record.clone());
    // What has no key was made for the first that it stood for.
    if flow.key.is_none() && life.made_by == By::Client && !ties.is_empty() {
        ties.insert(0, Tie { at: life.born, source: ties[0].source.clone() });
    }
    match (&paired, ties.last()) {
        (_, None) => {
            ties.extend(paired.or_else(told).map(|source| Tie { at: life.born, source }));
        }
        // Who was brought back may have been found for another one, whose key is still to be written; and who became
        // another one leaves it its counterpart, under the old key.
        (Some(source), Some(last)) if *source != last.source => {
            let again = life.fates.iter().rfind(|(at, by, fate)| *at > last.at && *by == By::People && is_back(fate));
            let again = again.map(|(at, _, _)| *at).or_else(|| became(olds, flow, &last.source, source));
            // Of those that became one, whose key stands on it says little of what else does.
            let again = again.or_else(|| merged_at(case, sides, flow, life, source));
            ties.extend(again.map(|at| Tie { at, source: source.clone() }));
        }
        _ => {}
    }
    // Who became another one left it its counterpart at once, whatever is told of that one later; and what was merged into
    // it stood for whom it stood for.
    for at in 1..ties.len() {
        let source = &ties[at].source;
        let since = became(olds, flow, &ties[at - 1].source, source);
        let since = since.into_iter().chain(merged_at(case, sides, flow, life, source));
        ties[at].at = since.fold(ties[at].at, Timestamp::min);
    }
    // The earlier one stays.
    ties.dedup_by(|next, before| next.source == before.source);
    ties
}

/// When what stood for a source record was merged into a target record.
fn merged_at(case: &Case<'_>, sides: &[Side; 2], flow: &FlowRule, life: &Life, source: &str) -> Option<Timestamp> {
    parts(&sides[NEW], flow, life).find(|part| stood_for(case, sides, flow, part, source)).map(|part| part.fated)
}

/// The target records that were merged into one.
fn parts<'s>(news: &'s Side, flow: &FlowRule, life: &Life) -> impl Iterator<Item = &'s Life> {
    news.of(flow.objects[NEW]).filter(|part| matches!(&part.fate, Fate::Merged(into) if *into == life.id))
}

/// Whether a target record that was merged away, or a part of it, stood for a source record.
fn stood_for(case: &Case<'_>, sides: &[Side; 2], flow: &FlowRule, life: &Life, source: &str) -> bool {
    of(case, sides, flow, life).iter().any(|tie| tie.source == source)
        || parts(&sides[NEW], flow, life).any(|part| stood_for(case, sides, flow, part, source))
}

/// When a source record became another one, perhaps over others.
pub(super) fn became(olds: &Side, flow: &FlowRule, source: &str, heir: &str) -> Option<Timestamp> {
    heirs(olds, flow, source).find(|tie| tie.source == heir).map(|tie| tie.at)
}

/// The records that a source record became, one after the other.
fn heirs(olds: &Side, flow: &FlowRule, source: &str) -> impl Iterator<Item = Tie> {
    let next = move |id: &str| {
        let life = olds.of(flow.objects[OLD]).find(|life| life.id == id)?;
        let Fate::Merged(into) = &life.fate else { return None };
        Some(Tie { at: life.fated, source: into.clone() })
    };
    std::iter::successors(next(source), move |tie| next(&tie.source)).take(10)
}

fn is_of(pair: &Paired, flow: &FlowRule, life: &Life) -> bool {
    pair.flow == flow.name && pair.target == life.id
}

fn is_back(fate: &Fate) -> bool {
    *fate == Fate::Living
}

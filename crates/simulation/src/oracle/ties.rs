//! Which source record a target record stood for, and from when on: told by the key that stands on it, and by what the
//! ledger tells of records that went back.
//!
//! People bring back what was deleted on both sides: then a record stands for another one than its key says, until the
//! key is written anew.

use jiff::Timestamp;

use super::replay::{By, Fate, Life};
use super::rules::FlowRule;
use super::{Case, Paired};

/// A source record that a target record stood for.
#[derive(Clone, Debug)]
pub(super) struct Tie {
    /// From when on.
    pub(super) at: Timestamp,
    /// The source record.
    pub(super) source: String,
}

/// What a target record stood for, in order; each once for as long as it did.
pub(super) fn of(case: &Case<'_>, flow: &FlowRule, life: &Life) -> Vec<Tie> {
    let keys = life.edits_of(flow.key.as_deref().unwrap_or_default()).filter_map(|edit| {
        let source = edit.after.as_str()?.strip_prefix(flow.key_head.as_str())?;
        Some(Tie { at: edit.at, source: source.to_owned() })
    });
    let stories = case.claims.stories.iter().filter(|story| story.flow == flow.name && story.other == life.id);
    let brought = stories.clone().filter(|story| story.kind == "brought");
    let mut ties: Vec<Tie> =
        keys.chain(brought.map(|story| Tie { at: story.at, source: story.record.clone() })).collect();
    ties.sort_by_key(|tie| tie.at);
    let paired = case.claims.pairs.iter().find(|pair| is_of(pair, flow, life)).map(|pair| pair.source.clone());
    // Of what is gone the ledger tells what it stood for.
    let told = || stories.clone().next().map(|story| story.record.clone());
    match (&paired, ties.last()) {
        (_, None) => {
            ties.extend(paired.or_else(told).map(|source| Tie { at: life.born, source }));
        }
        // Who was brought back may have been found for another one, whose key is still to be written.
        (Some(source), Some(last)) if *source != last.source => {
            let again = life.fates.iter().rfind(|(at, by, fate)| *at > last.at && *by == By::People && is_back(fate));
            ties.extend(again.map(|(at, _, _)| Tie { at: *at, source: source.clone() }));
        }
        _ => {}
    }
    ties.dedup_by(|next, before| next.source == before.source);
    ties
}

fn is_of(pair: &Paired, flow: &FlowRule, life: &Life) -> bool {
    pair.flow == flow.name && pair.target == life.id
}

fn is_back(fate: &Fate) -> bool {
    *fate == Fate::Living
}

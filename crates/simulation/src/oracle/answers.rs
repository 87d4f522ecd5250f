//! What people answered: carried out, or still open for a reason.

use jiff::Timestamp;

use super::replay::{Fate, Life};
use super::rules::{FieldRule, FlowRule, Plain};
use super::{Judged, Pair};

/// An answer that a person gave to something that was held.
#[derive(Clone, Debug)]
pub struct Answered {
    /// When.
    pub at: Timestamp,
    /// The flow.
    pub flow: String,
    /// The record.
    pub record: String,
    /// The word of the cause that was answered.
    pub cause: String,
    /// What was said.
    pub word: Word,
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Of a field that both changed, this side's value.
    Take {
        /// The field's name in the new system.
        field: String,
        /// Whose value.
        side: usize,
        /// What tells the conflict from a later one.
        mark: String,
    },
    /// The counterpart is this record.
    Choose {
        /// Its id.
        other: String,
    },
    /// It has none: a new one is made.
    Create,
    /// The field gets this value instead.
    Edit {
        /// The field's name in the system that is written to.
        field: String,
        /// The value.
        value: String,
    },
}

impl Word {
    /// Its name.
    pub fn name(&self) -> &'static str {
        Self::NAMES[match self {
            Self::Take { .. } => 0,
            Self::Choose { .. } => 1,
            Self::Create => 2,
            Self::Edit { .. } => 3,
        }]
    }

    /// All names.
    pub const NAMES: [&'static str; 4] = ["take", "choose", "create", "edit"];
}

/// What was said of one field of a pair.
pub(super) struct Said<'a> {
    pub(super) at: Timestamp,
    pub(super) word: &'a Word,
}

/// What was said of a field of a pair, in order.
pub(super) fn said<'a>(judged: &Judged<'a>, pair: &Pair<'_>, field: &FieldRule, side: usize) -> Vec<Said<'a>> {
    let of = |one: &&'a Answered| one.flow == pair.flow.name && one.record == pair.source.id;
    let about = |word: &Word| match word {
        Word::Take { field: name, .. } | Word::Edit { field: name, .. } => name == field.names[side],
        Word::Choose { .. } | Word::Create => false,
    };
    let all = judged.case.answered.iter().filter(of).filter(|one| about(&one.word));
    all.map(|one| Said { at: one.at, word: &one.word }).collect()
}

/// Values that people gave a field by their answers to any of these records.
pub(super) fn given(
    judged: &Judged<'_>,
    flow: &FlowRule,
    sources: &[&Life],
    field: &FieldRule,
    side: usize,
) -> Vec<Plain> {
    let of = |one: &&Answered| one.flow == flow.name && sources.iter().any(|source| source.id == one.record);
    let value = |one: &Answered| match &one.word {
        Word::Edit { field: name, value, .. } if name == field.names[side] => {
            Some(field.plain(side, &value.as_str().into()))
        }
        _ => None,
    };
    judged.case.answered.iter().filter(of).filter_map(value).collect()
}

/// No hold stays open over an answer that settles it.
pub(super) fn check(judged: &Judged<'_>, wrong: &mut Vec<String>) {
    for hold in &judged.case.claims.held {
        let mut answers = judged.case.answered.iter().filter(|one| one.flow == hold.flow && one.record == hold.record);
        // Of what is gone from the old system nothing is carried before somebody says what becomes of it.
        let mut sources = judged.pairs.iter().filter(|pair| pair.flow.name == hold.flow);
        if sources.any(|pair| pair.source.id == hold.record && pair.source.fate != Fate::Living) {
            continue;
        }
        let settles = |one: &&Answered| match &one.word {
            Word::Take { mark, .. } => hold.mark.as_ref() == Some(mark),
            // A chosen record may be another one's counterpart: then it is asked who of both it is.
            Word::Choose { .. } => matches!(hold.cause.as_str(), "ambiguous" | "contradiction"),
            Word::Create => matches!(hold.cause.as_str(), "ambiguous" | "contradiction" | "duplicate_source"),
            Word::Edit { field, .. } => hold.cause == "invalid" && hold.field.as_ref() == Some(field),
        };
        if let Some(one) = answers.rfind(settles) {
            wrong.push(format!(
                "answers: {} {}: {} is still held, though {:?} was answered at {}",
                hold.flow, hold.record, hold.cause, one.word, one.at
            ));
        }
    }
}

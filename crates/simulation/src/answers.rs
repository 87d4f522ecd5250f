//! Somebody looks at what is held, every few days, and answers some of it.
//!
//! What is said goes through the door that people have: the answers are written down with their ledger rows, then
//! these records and what waits for them are carried. Some answers are mistakes, as people make them.

use std::collections::{BTreeMap, BTreeSet};

use handover_engine::{Error, Selection};
use handover_model::{Answer, Cause, FlowName, Hold, RecordId, Value, Wins};
use handover_store::{Commit, Entry, GivenAnswer, HoldFilter, Item, Store};
use jiff::Timestamp;
use serde_json::json;

use crate::dice::Dice;
use crate::oracle::{Answered, NEW, OLD, Word};

/// Holds that somebody looks at in one go.
const AT_ONCE: usize = 12;

/// What was answered, and which records are to be carried for it.
pub(crate) struct Given {
    pub(crate) answered: Vec<Answered>,
    pub(crate) selection: Selection,
}

/// Answers some of what is open; `None` when there is nothing to say. `mail`: the new system's field for addresses.
pub(crate) async fn give(store: &Store, dice: &mut Dice, at: Timestamp, mail: &str) -> Result<Option<Given>, Error> {
    let mut rows = store.holds_page(&HoldFilter::default(), None, 1_000).await?;
    let mut wanted: BTreeMap<FlowName, BTreeSet<RecordId>> = BTreeMap::new();
    let mut entries: BTreeMap<FlowName, Entry> = BTreeMap::new();
    let mut answered = Vec::new();
    let mut commit = Commit { at, ..Commit::default() };
    while answered.len() < AT_ONCE && !rows.is_empty() {
        let hold = rows.swap_remove(dice.below(rows.len())).hold;
        let Some((answer, word)) = fitting(&hold, dice, mail) else { continue };
        let (flow, record) = (hold.flow.clone(), hold.record.clone());
        answered.push(Answered {
            at,
            flow: flow.to_string(),
            record: record.to_string(),
            cause: hold.cause.word().to_owned(),
            word,
        });
        wanted.entry(flow.clone()).or_default().insert(record.clone());
        let entry = entries.entry(flow.clone()).or_insert_with(|| Entry {
            kind: "answered".to_owned(),
            flow: Some(flow.clone()),
            note: json!({"reviewer": "ana"}),
            items: Vec::new(),
        });
        let values = json!({"answer": answer, "cause": hold.cause, "reviewer": "ana", "comment": ""});
        entry.items.push(Item { record: record.clone(), values: values.into() });
        let (reviewer, comment) = ("ana".to_owned(), String::new());
        commit.answers.push(GivenAnswer { flow, record, answer, reviewer, comment });
    }
    if answered.is_empty() {
        return Ok(None);
    }
    commit.entries = entries.into_values().collect();
    store.commit(commit).await?;
    Ok(Some(Given { answered, selection: Selection::Only(wanted) }))
}

/// What somebody says to a hold, in the engine's words and in the oracle's; `None` where they have nothing to say.
fn fitting(hold: &Hold, dice: &mut Dice, mail: &str) -> Option<(Answer, Word)> {
    match &hold.cause {
        Cause::Conflict { field, mark, .. } => {
            let (wins, side) = if dice.chance(500) { (Wins::Source, OLD) } else { (Wins::Target, NEW) };
            let word = Word::Take { field: field.to_string(), side, mark: mark.clone() };
            Some((Answer::Take { field: field.clone(), wins, mark: mark.clone() }, word))
        }
        Cause::Ambiguous { candidates, .. } | Cause::Contradiction { candidates } => {
            let one = dice.one_of(candidates).filter(|_| dice.chance(700));
            Some(match one {
                Some(one) => {
                    let word = Word::Choose { other: one.target.to_string() };
                    (Answer::Choose { target: one.target.clone() }, word)
                }
                None => (Answer::Create, Word::Create),
            })
        }
        Cause::DuplicateSource { .. } => Some((Answer::Create, Word::Create)),
        // The address that was meant, as somebody found out by telephone.
        Cause::Invalid { field, .. } if field.as_str() == mail => {
            let value = format!("corrected{}@mend.example.com", dice.between(1, 999_999));
            let word = Word::Edit { field: field.to_string(), value: value.clone() };
            Some((
                Answer::Edit { field: field.clone(), value: Value::text(value), of: hold.value.clone().map(Box::new) },
                word,
            ))
        }
        _ => None,
    }
}

//! What is asked of people about records that vanished: the question, with the cards of those concerned.

use handover_connect::Fault;
use handover_model::{Candidate, Cause, FieldName, Record, Side, Value};
use handover_store::{Commit, Fate, Item, Vanished};
use serde_json::json;

use super::due::Case;
use super::follow::question;
use crate::Error;
use crate::pass::Pass;
use crate::setup::Ready;
use crate::title::title;

/// Fields of a record that are shown to the person who decides.
const SHOWN: usize = 8;

impl Pass {
    /// Puts a question to a person.
    pub(super) async fn ask(&self, commit: &mut Commit, ready: &Ready, case: &Case, cause: Cause) -> Result<(), Error> {
        let source = &ready.flow.source;
        let block = self.place.store.block(&source.system, &source.object, case.row.block).await?;
        let named = block.iter().find(|record| record.id == case.gone.source).map(title);
        let mut entry = self.entry("held", ready);
        let values = json!({"causes": [cause]});
        entry.items.push(Item { record: case.gone.source.clone(), values: values.into() });
        commit.entries.push(entry);
        let title = named.unwrap_or_else(|| case.gone.source.to_string());
        commit.released.extend(case.way_back(ready).filter(|_| case.gone.side == Side::Target));
        commit.holds.push(question(ready, &case.gone.source, title, cause));
        let into = case.survivor().cloned();
        commit.vanished.push(Vanished { fate: Fate::Asked, into, ..case.gone.clone() });
        self.vanishings().asked += 1;
        Ok(())
    }

    /// Asks what is to become of a case that its rule did not settle.
    pub(super) async fn ask_about(
        &self,
        commit: &mut Commit,
        ready: &Ready,
        case: &Case,
        card: Option<&Record>,
    ) -> Result<(), Error> {
        let side = case.gone.side;
        let candidates = card.and_then(|card| candidate(ready, side, "counterpart", card)).into_iter().collect();
        let cause = match (&case.gone.into, side) {
            (Some(into), Side::Source) => {
                Cause::SourceMerged { into: into.clone(), certain: case.gone.certain, candidates }
            }
            (None, Side::Source) => Cause::SourceDeleted { candidates },
            (into, Side::Target) => {
                let survivors = self.survivors(ready, side, std::slice::from_ref(case)).await?;
                let other = into.as_ref().and_then(|into| Some((into.clone(), survivors.get(into)?.clone())));
                match other {
                    Some((target, other)) => Cause::TargetMerged { other, target },
                    None => Cause::TargetGone { target: case.gone.record.clone() },
                }
            }
        };
        self.ask(commit, ready, case, cause).await
    }

    /// The platform would not do it: a person is told why, and asked.
    pub(super) async fn refused(
        &self,
        commit: &mut Commit,
        ready: &Ready,
        case: &Case,
        card: &Record,
        fault: Fault,
    ) -> Result<(), Error> {
        self.ask_about(commit, ready, case, Some(card)).await?;
        let why = Cause::Refused { code: fault.code, field: fault.field, message: fault.message };
        commit.holds.push(question(ready, &case.gone.source, case.gone.source.to_string(), why));
        Ok(())
    }
}

/// A counterpart as a person sees it: the fields that the flow fills, in the order of its rules.
pub(crate) fn candidate(ready: &Ready, side: Side, key: &str, card: &Record) -> Option<Candidate> {
    let names: Vec<&FieldName> = match side {
        Side::Source => ready.flow.rules.iter().map(|rule| &rule.target).collect(),
        Side::Target => ready.source.fields.iter().map(|field| &field.name).collect(),
    };
    let schema = if side == Side::Source { &ready.target } else { &ready.source };
    let is_plain = |name: &FieldName| schema.field(name.as_str()).is_some_and(|field| !super::is_link(&field.kind));
    let shown = names.into_iter().filter(|name| is_plain(name)).filter_map(|name| {
        let value: &Value = card.fields.get(name.as_str()).filter(|value| !value.is_blank())?;
        Some((name.clone(), value.clone()))
    });
    Some(Candidate { key: key.to_owned(), target: card.id.clone(), shown: shown.take(SHOWN).collect() })
}

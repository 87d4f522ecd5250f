//! Fields that hold several links: each link is merged three ways by itself, so that links that people make and take
//! away on both sides all count.
//!
//! A side has taken a link away when its base has it, and has made it when its base lacks it. So what one side has
//! beside the other since both were settled contradicts nothing and stays.
//!
//! Invariant: a link whose other end is missing was taken away by nobody: it goes when that record's deletion is
//! carried, and stays when that is not.

use std::collections::{BTreeMap, BTreeSet};

use handover_model::{FieldName, FlowName, Kind, Owner, Record, RecordId, Side, Value};
use handover_store::{Fate, RecordRow, Vanished};

use crate::Error;
use crate::base::{self, OpenLink};
use crate::change::Pair;
use crate::pass::Pass;
use crate::setup::{Ready, Shared};
use crate::verdict::known_of;

/// By field: the records that links lead to and that are missing on either side, as the target's ids.
pub(crate) type Missing = BTreeMap<FieldName, BTreeSet<String>>;

impl Pass {
    /// Of the links that one side of these pairs has alone, those that lead to a record which is missing.
    pub(crate) async fn missing_ends(&self, ready: &Ready, pairs: &[Pair]) -> Result<Missing, Error> {
        let mut wanted: BTreeMap<&FlowName, BTreeMap<&FieldName, BTreeSet<RecordId>>> = BTreeMap::new();
        for (rule, link) in &ready.links {
            let Some(field) = ready.flow.rules.get(*rule).map(|rule| &rule.target) else { continue };
            if !matches!(ready.target_field(field).map(|field| &field.kind), Some(Kind::Reference { .. })) {
                continue;
            }
            let ids = wanted.entry(&link.flow).or_default().entry(field).or_default();
            for pair in pairs {
                let Some(there) = &pair.there else { continue };
                let [now, have] = [&pair.resolved.fields, &there.fields]
                    .map(|fields| fields.get(field.as_str()).map(Value::ids).unwrap_or_default());
                let alone =
                    now.iter().filter(|id| !have.contains(id)).chain(have.iter().filter(|id| !now.contains(id)));
                ids.extend(alone.map(|id| RecordId::from(*id)));
            }
        }
        let mut missing = Missing::new();
        for (flow, fields) in wanted {
            let all: Vec<RecordId> = fields.values().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
            if all.is_empty() {
                continue;
            }
            let store = &self.place.store;
            let sources = store.sources_of_flow(flow, &all).await?;
            let theirs: Vec<RecordId> = sources.values().cloned().collect();
            // Of a pair that ended it may have come again, and be another one's.
            let missed = |gone: Vec<Vanished>| -> BTreeSet<RecordId> {
                gone.into_iter().filter(|gone| gone.fate != Fate::Deleted).map(|gone| gone.record).collect()
            };
            let gone = missed(store.vanished_among(flow, Side::Source, &theirs).await?);
            let lost = missed(store.vanished_among(flow, Side::Target, &all).await?);
            for (field, ids) in fields {
                let is = |id: &&RecordId| lost.contains(*id) || sources.get(*id).is_some_and(|id| gone.contains(id));
                missing.entry(field.clone()).or_default().extend(ids.iter().filter(is).map(ToString::to_string));
            }
        }
        Ok(missing)
    }
}

/// Links of a pair's source that lead to a record which is missing, and that the target lacks: nothing of them is
/// settled until that one is there again.
pub(crate) fn links_to_missing(ready: &Ready, pair: &Pair, there: &Record) -> Vec<OpenLink> {
    let is_several = |name: &FieldName| {
        ready.target_field(name).is_some_and(|field| matches!(field.kind, Kind::Reference { many: true, .. }))
    };
    let of = |(field, missing): (&FieldName, &BTreeSet<String>)| {
        let [now, have] = [&pair.resolved.fields, &there.fields]
            .map(|fields| fields.get(field.as_str()).map(Value::ids).unwrap_or_default());
        let missed = now.into_iter().filter(|id| missing.contains(*id) && !have.contains(id));
        missed.map(|id| OpenLink { field: field.clone(), id: id.to_owned(), gone: false }).collect::<Vec<_>>()
    };
    pair.missing.iter().filter(|(field, _)| is_several(field)).flat_map(of).collect()
}

/// What becomes of a field's links, all in the target's ids.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    target: Vec<String>,
    source: Vec<String>,
    /// What is settled of the source and of the target once the source has its links.
    settled: (Vec<String>, Vec<String>),
}

/// What becomes of one link that one side has and the other lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Both sides stay as they are.
    Stays,
    /// The side that lacks it gets it.
    Made,
    /// The side that has it loses it.
    TakenAway,
}

impl Links {
    /// Judges the links of a pair: `now` are those of the source, `have` those of the target.
    pub(crate) fn judge(
        (field, owner): (&Shared, Owner),
        row: &RecordRow,
        now: &Value,
        have: &Value,
        missing: &Missing,
    ) -> Self {
        let (known, base) = (known_of(row), row.base.as_deref().unwrap_or_default());
        let was_here = |id: &str| base::has_link(known, &field.name, id);
        let was_there = |id: &str| base::has_link(base, &field.name, id);
        let (here, there) = (now.ids(), have.ids());
        let mut links = Self::default();
        // The source's come first, in its order: a rule may take the first of them.
        let mut seen = BTreeSet::new();
        for id in here.iter().chain(&there).filter(|id| seen.insert(**id)) {
            let (is_here, is_there) = (here.contains(id), there.contains(id));
            let (mut source, mut target) = (is_here, is_there);
            let (mut known, mut base) = (was_here(id), was_there(id));
            let is_missing = missing.get(&field.name).is_some_and(|missing| missing.contains(*id));
            match (is_here, is_there) {
                _ if is_missing => {}
                (true, false) => match lacks_there(field, owner, known, base) {
                    Verdict::Stays => {}
                    Verdict::Made => target = true,
                    Verdict::TakenAway => (source, known, base) = (false, false, false),
                },
                (false, true) => match lacks_here(field, owner, known, base) {
                    Verdict::Stays => {}
                    Verdict::Made => (source, known, base) = (true, true, true),
                    Verdict::TakenAway => target = false,
                },
                _ => {}
            }
            let of = [(source, &mut links.source), (target, &mut links.target)];
            let settled = [(known, &mut links.settled.0), (base, &mut links.settled.1)];
            for (_, list) in of.into_iter().chain(settled).filter(|(is, _)| *is) {
                list.push((*id).to_owned());
            }
        }
        links
    }

    /// The target's links afterwards.
    pub(crate) fn forth(&self) -> Value {
        list(&self.target)
    }

    /// The source's links afterwards.
    pub(crate) fn back(&self) -> Value {
        list(&self.source)
    }

    /// Whether the target does not have them yet.
    pub(crate) fn goes_forth(&self, have: &Value) -> bool {
        differ(&self.target, have)
    }

    /// Whether the source does not have them yet.
    pub(crate) fn goes_back(&self, now: &Value) -> bool {
        differ(&self.source, now)
    }

    /// What is settled of the source and of the target once the source has its links, before the target has.
    pub(crate) fn settled(&self) -> (Value, Value) {
        (list(&self.settled.0), list(&self.settled.1))
    }
}

/// A link that the source has alone.
fn lacks_there(field: &Shared, owner: Owner, known: bool, base: bool) -> Verdict {
    match (base, owner) {
        // Taken away in the target: that goes back, is undone, or is its own affair.
        (true, Owner::Both | Owner::Target) if field.goes_back => Verdict::TakenAway,
        (true, Owner::Source) if field.concerns => Verdict::Made,
        (true, _) => Verdict::Stays,
        (false, _) if known => Verdict::Stays,
        (false, Owner::Target) if field.goes_back => Verdict::TakenAway,
        (false, _) => Verdict::Made,
    }
}

/// A link that the target has alone.
fn lacks_here(field: &Shared, owner: Owner, known: bool, base: bool) -> Verdict {
    match (known, owner) {
        (true, Owner::Target) if field.goes_back => Verdict::Made,
        // It had passed to the target with its record's cohort.
        (true, Owner::Target) => Verdict::Stays,
        (true, _) => Verdict::TakenAway,
        (false, _) if base => Verdict::Stays,
        (false, Owner::Both | Owner::Target) if field.goes_back => Verdict::Made,
        (false, Owner::Source) if field.concerns => Verdict::TakenAway,
        (false, _) => Verdict::Stays,
    }
}

fn list(ids: &[String]) -> Value {
    Value::List(ids.iter().map(|id| Value::from(id.as_str())).collect())
}

fn differ(ids: &[String], value: &Value) -> bool {
    ids.iter().map(String::as_str).collect::<BTreeSet<_>>() != value.ids().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use handover_model::Owner;

    use super::{Verdict, lacks_here, lacks_there};
    use crate::setup::Shared;

    fn field(owner: Owner, both_ways: bool) -> Shared {
        let then = owner.passed();
        Shared { name: "contacts".into(), rule: Some(0), goes_back: both_ways, concerns: both_ways, owner, then }
    }

    /// By what the source's base and the target's base had.
    #[test]
    fn links_are_made_and_taken_away_by_who_changed_them() {
        use Owner::{Both, Source, Target};
        use Verdict::{Made, Stays, TakenAway};
        let rows = [
            // owner, both ways, source had it, target had it: the source has it alone, the target has it alone.
            (Both, true, false, false, Made, Made),
            (Both, true, true, true, TakenAway, TakenAway),
            (Both, true, true, false, Stays, TakenAway),
            (Both, true, false, true, TakenAway, Stays),
            (Source, true, false, false, Made, TakenAway),
            (Source, true, true, true, Made, TakenAway),
            (Target, true, false, false, TakenAway, Made),
            (Target, true, true, true, TakenAway, Made),
            (Source, false, false, false, Made, Stays),
            (Source, false, true, true, Stays, TakenAway),
            (Source, false, true, false, Stays, TakenAway),
            (Source, false, false, true, Stays, Stays),
            // One way, and its cohort has moved.
            (Target, false, false, false, Made, Stays),
            (Target, false, true, true, Stays, Stays),
        ];
        for (owner, both_ways, known, base, source_alone, target_alone) in rows {
            let field = field(owner, both_ways);
            assert_eq!(lacks_there(&field, owner, known, base), source_alone, "{owner:?} {both_ways} {known} {base}");
            assert_eq!(lacks_here(&field, owner, known, base), target_alone, "{owner:?} {both_ways} {known} {base}");
        }
    }
}

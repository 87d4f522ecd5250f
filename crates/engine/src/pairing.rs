//! Match: which target record a source record already is.
//!
//! Rules work in sequence. Candidates count only if an earlier rule does not say otherwise of all of them: two records with different e-mail addresses are not one person because they share a
//! switchboard number. Several candidates, or keys that point to different records, go to the queue.
//!
//! Invariant: no two source records end silently on one target record: a key that several source records
//! have decides nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use handover_model::{
    Candidate, Cause, FieldName, Flow, MatchKey, MatchKind, ObjectName, Record, RecordId, Schema, SystemName, Value,
};
use handover_store::{MatchRow, Store};

use crate::Error;
use crate::transform::{forth_of, normalize};
use crate::write::UNSTAGED;

/// The comparable keys of a record under one rule.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// The kind under which they are stored: rule and flow.
    pub(crate) kind: String,
    rule: MatchKind,
    fields: Vec<FieldName>,
    region: Option<String>,
}

impl Keys {
    /// `at` is the rule's place; a flow and its way back find each other's records under the same kinds.
    fn of_rule(flow: &Flow, at: Option<usize>, rule: &MatchKey, fields: &[FieldName]) -> Self {
        let name = forth_of(&flow.name).unwrap_or_else(|| flow.name.clone());
        let at = at.map_or_else(|| "key".to_owned(), |at| at.to_string());
        Self {
            kind: format!("{}#{name}#{at}", rule.kind.word()),
            rule: rule.kind,
            fields: fields.to_vec(),
            region: rule.region.clone(),
        }
    }

    /// The keys of a record; none when the fields are blank or cannot be made comparable.
    pub(crate) fn of(&self, record: &Record) -> Vec<String> {
        let mut keys = BTreeSet::new();
        for field in &self.fields {
            if *field == "id" {
                keys.insert(record.id.as_str().to_owned());
            } else if let Some(value) = record.fields.get(field.as_str()) {
                keys.extend(normalize::keys(self.rule, value, self.region.as_deref()));
            }
        }
        keys.into_iter().collect()
    }
}

/// A flow's match rules, for both sides. The first is the source key itself, where the flow has one.
#[derive(Clone, Debug)]
pub(crate) struct Pairing {
    system: SystemName,
    object: ObjectName,
    source_system: SystemName,
    source_object: ObjectName,
    pub(crate) source: Vec<Keys>,
    pub(crate) target: Vec<Keys>,
    words: Vec<String>,
    /// Whether the target takes a key once only: then it may not stand on two source records either.
    unique: Vec<bool>,
    /// Fields shown to the person who decides between candidates.
    shown: Vec<FieldName>,
}

/// What a target record says.
pub(crate) type Card = Box<Record>;

/// What the keys of some records lead to.
#[derive(Default)]
pub(crate) struct Keyed {
    /// By record and rule: its keys.
    own: Vec<Vec<Vec<String>>>,
    /// Target records that have them.
    found: ByKey,
    /// Source records that have them.
    rivals: ByKey,
}

impl Keyed {
    /// Target records that are known by their keys alone: other flows wrote them, and nobody has read them since.
    pub(crate) fn unstaged(&self) -> Vec<RecordId> {
        let rows = self.found.values().flatten().filter(|row| row.block == UNSTAGED);
        rows.map(|row| row.record.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// What matching found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Paired {
    /// Nobody: the record is new to the target.
    New,
    /// This target record, by the rule with this word; with what it says now, where that was read.
    With { target: RecordId, block: i64, by: String, card: Option<Card> },
    /// Not to be decided here.
    Held(Cause),
}

impl Paired {
    /// Whether a counterpart was found by the record's key in other systems.
    pub(crate) fn is_by_key(&self) -> bool {
        matches!(self, Self::With { by, .. } if by == MatchKind::ExternalId.word())
    }
}

impl Pairing {
    pub(crate) fn of(flow: &Flow, target: &Schema) -> Self {
        let mut rules: Vec<MatchKey> = Vec::new();
        if let Some(key) = &flow.key {
            rules.push(MatchKey {
                kind: MatchKind::ExternalId,
                source: vec![FieldName::from(SOURCE_KEY)],
                target: vec![key.clone()],
                region: None,
                place: flow.place.clone(),
            });
        }
        rules.extend(flow.matching.iter().cloned());
        let keys = |side: fn(&MatchKey) -> &Vec<FieldName>| -> Vec<Keys> {
            let place = |at: usize| at.checked_sub(rules.len() - flow.matching.len());
            rules.iter().enumerate().map(|(at, rule)| Keys::of_rule(flow, place(at), rule, side(rule))).collect()
        };
        let shown = rules.iter().flat_map(|rule| rule.target.iter().cloned()).collect::<BTreeSet<_>>();
        Self {
            system: flow.target.system.clone(),
            object: flow.target.object.clone(),
            source_system: flow.source.system.clone(),
            source_object: flow.source.object.clone(),
            source: keys(|rule| &rule.source),
            target: keys(|rule| &rule.target),
            words: rules.iter().map(|rule| rule.kind.word().to_owned()).collect(),
            unique: rules
                .iter()
                .map(|rule| {
                    rule.target.iter().any(|name| target.field(name.as_str()).is_some_and(|field| field.unique))
                })
                .collect(),
            shown: shown.into_iter().collect(),
        }
    }

    /// Target fields that matching reads.
    pub(crate) fn target_fields(&self) -> impl Iterator<Item = FieldName> + '_ {
        self.target.iter().flat_map(|keys| keys.fields.iter().cloned())
    }

    /// Source fields that matching reads.
    pub(crate) fn source_fields(&self) -> impl Iterator<Item = FieldName> + '_ {
        self.source
            .iter()
            .flat_map(|keys| keys.fields.iter().cloned())
            .filter(|field| *field != "id" && *field != SOURCE_KEY)
    }

    /// Looks for what the keys of these records lead to.
    pub(crate) async fn keyed(&self, store: &Store, records: &[&Record]) -> Result<Keyed, Error> {
        if self.source.is_empty() {
            return Ok(Keyed::default());
        }
        let own: Vec<Vec<Vec<String>>> = records
            .iter()
            .map(|record| self.source.iter().map(|keys| self.source_keys(keys, record)).collect())
            .collect();
        let wanted: BTreeSet<(String, String)> = own
            .iter()
            .flat_map(|rules| {
                rules
                    .iter()
                    .zip(&self.source)
                    .flat_map(|(keys, rule)| keys.iter().map(|key| (rule.kind.clone(), key.clone())))
            })
            .collect();
        let wanted: Vec<(String, String)> = wanted.into_iter().collect();
        let found = by_key(store.matches(&self.system, &self.object, &wanted).await?);
        let rivals = by_key(store.matches(&self.source_system, &self.source_object, &wanted).await?);
        Ok(Keyed { own, found, rivals })
    }

    /// Pairs the records of a block, in order; `cards` are the target records that nobody has staged.
    pub(crate) async fn pair(
        &self,
        store: &Store,
        records: &[&Record],
        keyed: &Keyed,
        cards: &HashMap<RecordId, Card>,
    ) -> Result<Vec<Paired>, Error> {
        if self.source.is_empty() {
            return Ok(vec![Paired::New; records.len()]);
        }
        let there = There { store, cards };
        let mut paired = Vec::with_capacity(records.len());
        for (record, keys) in records.iter().zip(&keyed.own) {
            paired.push(self.decide(&there, record, keys, keyed).await?);
        }
        Ok(paired)
    }

    fn source_keys(&self, keys: &Keys, record: &Record) -> Vec<String> {
        if keys.fields.first().is_some_and(|field| *field == SOURCE_KEY) {
            return vec![source_key(&self.source_system, &self.source_object, &record.id)];
        }
        keys.of(record)
    }

    async fn decide(
        &self,
        there: &There<'_>,
        record: &Record,
        own: &[Vec<String>],
        keyed: &Keyed,
    ) -> Result<Paired, Error> {
        let mut hits: Vec<(usize, BTreeMap<RecordId, i64>)> = Vec::new();
        for (at, keys) in own.iter().enumerate() {
            let mut candidates: BTreeMap<RecordId, i64> = BTreeMap::new();
            for key in keys {
                let rows = keyed.found.get(&(self.source[at].kind.clone(), key.clone()));
                if (rows.is_some() || self.unique[at])
                    && let Some(cause) = self.rivals(record, at, key, &keyed.rivals)
                {
                    return Ok(Paired::Held(cause));
                }
                let Some(rows) = rows else { continue };
                candidates.extend(rows.iter().map(|row| (row.record.clone(), row.block)));
            }
            if !candidates.is_empty() {
                hits.push((at, candidates));
            }
        }
        let mut standing: Vec<(usize, BTreeMap<RecordId, i64>)> = Vec::new();
        for (at, candidates) in hits {
            let mut plausible = false;
            for (target, block) in &candidates {
                plausible |= standing.iter().any(|(_, earlier)| earlier.contains_key(target))
                    || !self.denied(there, at, own, target, *block).await?;
            }
            // One that stands beside a plausible one is shown to the person who decides.
            if plausible {
                standing.push((at, candidates));
            }
        }
        self.judge(there, standing).await
    }

    /// One candidate that all rules with candidates agree on, or a hold.
    async fn judge(&self, there: &There<'_>, standing: Vec<(usize, BTreeMap<RecordId, i64>)>) -> Result<Paired, Error> {
        let Some((first, candidates)) = standing.first() else { return Ok(Paired::New) };
        let disagreeing =
            standing.iter().skip(1).find(|(_, others)| others.keys().all(|other| !candidates.contains_key(other)));
        if let Some((at, others)) = disagreeing {
            let mut all = self.show(there, *first, candidates).await?;
            all.extend(self.show(there, *at, others).await?);
            return Ok(Paired::Held(Cause::Contradiction { candidates: all }));
        }
        match candidates.iter().next() {
            Some((target, block)) if candidates.len() == 1 => {
                let card = there.cards.get(target).filter(|_| *block == UNSTAGED).cloned();
                Ok(Paired::With { target: target.clone(), block: *block, by: self.words[*first].clone(), card })
            }
            _ => Ok(Paired::Held(Cause::Ambiguous {
                key: self.words[*first].clone(),
                candidates: self.show(there, *first, candidates).await?,
            })),
        }
    }

    /// Several records of the target that one of the source may be: a person chooses.
    pub(crate) fn ambiguous(&self, key: &str, cards: &[&Card]) -> Paired {
        let candidate =
            |card: &&Card| Candidate { key: key.to_owned(), target: card.id.clone(), shown: self.shown_of(card) };
        let candidates = cards.iter().map(candidate).collect();
        Paired::Held(Cause::Ambiguous { key: key.to_owned(), candidates })
    }

    /// What a person sees of a target record.
    fn shown_of(&self, record: &Record) -> Vec<(FieldName, Value)> {
        let shown = self.shown.iter();
        shown.filter_map(|field| Some((field.clone(), record.fields.get(field.as_str())?.clone()))).collect()
    }

    /// Whether an earlier rule has keys on both sides and they have nothing in common.
    async fn denied(
        &self,
        there: &There<'_>,
        at: usize,
        own: &[Vec<String>],
        target: &RecordId,
        block: i64,
    ) -> Result<bool, Error> {
        let earlier: Vec<usize> = (0..at).filter(|rule| !own[*rule].is_empty()).collect();
        if earlier.is_empty() {
            return Ok(false);
        }
        let denies = |candidate: &Record| {
            earlier.iter().any(|rule| {
                let theirs = self.target[*rule].of(candidate);
                !theirs.is_empty() && !theirs.iter().any(|key| own[*rule].contains(key))
            })
        };
        Ok(self.candidate(there, target, block, denies).await?.unwrap_or(false))
    }

    /// Other source records with the same key: the key decides nothing then.
    fn rivals(&self, record: &Record, at: usize, key: &str, rivals: &ByKey) -> Option<Cause> {
        let rows = rivals.get(&(self.source[at].kind.clone(), key.to_owned()))?;
        let others: BTreeSet<RecordId> =
            rows.iter().map(|row| row.record.clone()).filter(|other| *other != record.id).collect();
        (!others.is_empty())
            .then(|| Cause::DuplicateSource { key: self.words[at].clone(), others: others.into_iter().collect() })
    }

    /// Looks at a candidate; nothing where it is nowhere to be seen.
    async fn candidate<T>(
        &self,
        there: &There<'_>,
        target: &RecordId,
        block: i64,
        look: impl FnOnce(&Record) -> T,
    ) -> Result<Option<T>, Error> {
        if block == UNSTAGED {
            return Ok(there.cards.get(target).map(|card| look(card)));
        }
        let block = there.store.block(&self.system, &self.object, block).await?;
        Ok(block.iter().find(|record| record.id == *target).map(look))
    }

    async fn show(
        &self,
        there: &There<'_>,
        at: usize,
        candidates: &BTreeMap<RecordId, i64>,
    ) -> Result<Vec<Candidate>, Error> {
        let mut all = Vec::new();
        for (target, block) in candidates {
            let values = |record: &Record| self.shown_of(record);
            let shown = self.candidate(there, target, *block, values).await?.unwrap_or_default();
            all.push(Candidate { key: self.words[at].clone(), target: target.clone(), shown });
        }
        Ok(all)
    }
}

/// Where the target's records are looked at.
struct There<'a> {
    store: &'a Store,
    cards: &'a HashMap<RecordId, Card>,
}

type ByKey = HashMap<(String, String), Vec<MatchRow>>;

fn by_key(rows: Vec<MatchRow>) -> ByKey {
    let mut map: ByKey = HashMap::new();
    for row in rows {
        map.entry((row.kind.clone(), row.key.clone())).or_default().push(row);
    }
    map
}

/// The pseudo-field for a record's key in other systems.
pub(crate) const SOURCE_KEY: &str = "\u{0}source_key";

/// A record's key in other systems: `old:persons:42`.
pub(crate) fn source_key(system: &SystemName, object: &ObjectName, record: &RecordId) -> String {
    format!("{system}:{object}:{record}")
}

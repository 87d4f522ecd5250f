//! Schemas that change while both systems are in use: what a pass makes of a field, an option or a requirement that
//! is not what it was when the rules were proved against it.
//!
//! Invariants:
//! - What concerns single fields freezes those fields: they keep what was settled of them, never become blank, and
//!   records in which they changed are held; the pass carries everything else.
//! - What makes a flow impossible stops that flow; the others go on.
//! - What was wrong before the schemas changed is the project's own mistake, and stops the pass as ever.
//! - Each change is told once, and stands in the ledger.

use std::collections::{BTreeMap, BTreeSet};

use handover_model::{
    Cause, FieldName, Finding, Flow, FlowName, From, Kind, ObjectName, Rule, Schema, SystemName, Value, Weight,
};
use handover_store::Store;

use crate::Error;
use crate::check::{check_flow, check_links};
use crate::resolve::Resolved;
use crate::setup::{Ready, Schemas};
use crate::transform::{Tables, build};

/// An object of a system.
type Key = (SystemName, ObjectName);

/// The schemas that the rules were proved against, and what was told of their changes.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    schemas: Schemas,
    told: BTreeSet<String>,
}

/// Why a field is not carried for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frozen {
    /// The source does not tell it any more.
    Untold,
    /// The target does not take it any more, for this reason.
    Untaken(String),
}

impl Frozen {
    /// Why a record is held of which the field changed, with its value.
    pub(crate) fn cause(&self, field: &FieldName, value: Value) -> Option<(Cause, Option<Value>)> {
        match self {
            Self::Untold => None,
            Self::Untaken(why) => Some((Cause::Invalid { field: field.clone(), rule: why.clone() }, Some(value))),
        }
    }
}

/// What a flow does without for now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Without {
    /// By target field.
    pub(crate) frozen: BTreeMap<FieldName, Frozen>,
    /// Source fields that do not exist.
    pub(crate) unread: BTreeSet<FieldName>,
    /// Target fields that do not exist.
    pub(crate) gone: BTreeSet<FieldName>,
}

/// What the changes of the schemas mean for a pass.
#[derive(Clone, Debug, Default)]
pub struct Drift {
    /// Flows that cannot work, each with the reasons.
    pub stopped: BTreeMap<FlowName, Vec<Finding>>,
    /// What is new since the last pass.
    pub findings: Vec<Finding>,
    pub(crate) without: BTreeMap<FlowName, Without>,
    /// Flows with which something is wrong that was right before.
    troubled: BTreeSet<FlowName>,
    /// What the state keeps from now on, by name.
    pub(crate) kept: Vec<(String, String)>,
    /// The schemas as the rules are compiled against them: with the frozen fields as they were.
    schemas: Schemas,
}

const TOLD: &str = "schemas told";

fn name_of((system, object): &Key) -> String {
    format!("schema of {system}.{object}")
}

impl Remembered {
    /// Schemas that rules were proved against, and nothing told.
    pub fn with(schemas: Schemas) -> Self {
        Self { schemas, told: BTreeSet::new() }
    }

    /// What the state remembers of the flows' objects. What cannot be read is as if it were not there.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn of(store: &Store, flows: &[(Flow, Schema, Schema)]) -> Result<Self, Error> {
        let mut known = Self::default();
        for key in flows.iter().flat_map(|(flow, ..)| keys(flow)) {
            let text = store.kept(&name_of(&key)).await?;
            if let Some(schema) = text.and_then(|text| serde_json::from_str(&text).ok()) {
                known.schemas.insert(key, schema);
            }
        }
        let told = store.kept(TOLD).await?;
        known.told = told.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Ok(known)
    }
}

impl Without {
    /// The same for the way back, of which these are the rules.
    pub(crate) fn turned(&self, back: &Flow) -> Self {
        let (unread, gone) = (self.gone.clone(), self.unread.clone());
        let mut frozen = BTreeMap::new();
        for rule in &back.rules {
            let reads = |name: &FieldName| match &rule.from {
                From::Fields(names) => names.contains(name),
                From::Expression(text) => text.contains(name.as_str()),
                From::Constant(_) => false,
            };
            if gone.contains(&rule.target) {
                let why = format!("`{}` has no field `{}`", back.target.object, rule.target);
                frozen.insert(rule.target.clone(), Frozen::Untaken(why));
            } else if unread.iter().any(reads) {
                frozen.insert(rule.target.clone(), Frozen::Untold);
            }
        }
        Self { frozen, unread, gone }
    }
}

impl Drift {
    /// Compares the flows' schemas with those that are remembered.
    ///
    /// # Errors
    /// The findings that are the project's own.
    pub fn of(flows: &[(Flow, Schema, Schema)], tables: &Tables, known: &Remembered) -> Result<Self, Vec<Finding>> {
        let before: Vec<(Flow, Schema, Schema)> = flows.iter().map(|flow| known.flow(flow)).collect();
        let links: [Vec<Finding>; 2] = [check_links(flows), check_links(&before)];
        let mut drift = Self::default();
        let mut own = Vec::new();
        let mut told = Vec::new();
        for (now, was) in flows.iter().zip(&before) {
            let flow = &now.0;
            let here = |findings: &[Finding]| -> Vec<Finding> {
                findings.iter().filter(|finding| rule_of(flow, finding).is_some()).cloned().collect()
            };
            let found = errors([check_flow(flow, &now.1, &now.2, tables), here(&links[0])].concat());
            let earlier = errors([check_flow(flow, &was.1, &was.2, tables), here(&links[1])].concat());
            for finding in found {
                if earlier.contains(&finding) {
                    own.push(finding);
                } else {
                    drift.take(now, was, finding, tables, &mut told);
                }
            }
            told.extend(renamed(now, was));
        }
        if !own.is_empty() {
            return Err(own);
        }
        drift.remember(flows, known, told);
        Ok(drift)
    }

    /// The same for a project of which everything fits: only remembers.
    pub fn none(flows: &[(Flow, Schema, Schema)], known: &Remembered) -> Self {
        let mut drift = Self::default();
        drift.remember(flows, known, Vec::new());
        drift
    }

    /// The schemas as the rules are compiled against them.
    pub fn schemas(&self) -> Schemas {
        self.schemas.clone()
    }

    /// What one finding means that was not there before.
    fn take(
        &mut self,
        now: &(Flow, Schema, Schema),
        was: &(Flow, Schema, Schema),
        finding: Finding,
        tables: &Tables,
        told: &mut Vec<Finding>,
    ) {
        let flow = &now.0;
        self.troubled.insert(flow.name.clone());
        let hint = match finding.code.as_str() {
            "missing_required" => "new records are held until a rule writes it; known ones go on",
            "unmapped_field" => "it is not carried until a rule takes it; `exclude` says why not",
            "table_target_unknown" => "records with this value are held; correct the row, or put the option back",
            _ => match rule_of(flow, &finding) {
                Some(rule) => self.freeze(now, was, rule, &finding, tables),
                None => {
                    self.stopped.entry(flow.name.clone()).or_default().push(finding);
                    return;
                }
            },
        };
        told.push(Finding { weight: Weight::Warning, ..finding }.hint(hint));
    }

    /// Freezes the field that a rule writes.
    fn freeze(
        &mut self,
        (flow, source, target): &(Flow, Schema, Schema),
        (_, source_was, target_was): &(Flow, Schema, Schema),
        rule: &Rule,
        finding: &Finding,
        tables: &Tables,
    ) -> &'static str {
        let alone = Flow { rules: vec![rule.clone()], scope: None, cohorts: Vec::new(), ..flow.clone() };
        let fails = |source, target| !errors(build(&alone, source, target, tables).findings).is_empty();
        let without = self.without.entry(flow.name.clone()).or_default();
        if let From::Fields(names) = &rule.from {
            let missing = |name: &&FieldName| source.field(name.as_str()).is_none();
            let known = |name: &&FieldName| source_was.field(name.as_str()).is_some();
            without.unread.extend(names.iter().filter(missing).filter(known).cloned());
        }
        if target.field(rule.target.as_str()).is_none() {
            without.gone.insert(rule.target.clone());
        }
        let (frozen, hint) = if fails(source, target_was) {
            without.unread.extend(vanished(source, source_was));
            (Frozen::Untold, "what was carried of it stays; its other fields go on")
        } else {
            (Frozen::Untaken(finding.message.clone()), "records in which it changes are held; their other fields go on")
        };
        without.frozen.insert(rule.target.clone(), frozen);
        hint
    }

    /// The schemas to compile against, and what the state keeps from now on: an object's schema as it is, unless a flow
    /// has trouble with it. Then it stays as it was, so that the trouble is still known for what it is.
    fn remember(&mut self, flows: &[(Flow, Schema, Schema)], known: &Remembered, told: Vec<Finding>) {
        let mut troubled: BTreeSet<Key> = BTreeSet::new();
        for (flow, source, target) in flows {
            let [from, to] = keys(flow);
            if self.troubled.contains(&flow.name) {
                troubled.extend([from.clone(), to.clone()]);
            }
            let without = self.without.get(&flow.name).cloned().unwrap_or_default();
            let mut read = without.unread.clone();
            for rule in flow.rules.iter().filter(|rule| without.frozen.get(&rule.target) == Some(&Frozen::Untold)) {
                if let From::Fields(names) = &rule.from {
                    read.extend(names.iter().cloned());
                }
            }
            self.patch(from, source, &read, known);
            self.patch(to, target, &without.frozen.keys().cloned().collect(), known);
        }
        for (flow, source, target) in flows {
            for (key, schema) in keys(flow).into_iter().zip([source, target]) {
                if !troubled.contains(&key) && known.schemas.get(&key) != Some(schema) {
                    self.kept.extend(serde_json::to_string(schema).ok().map(|text| (name_of(&key), text)));
                }
            }
        }
        let told_now: BTreeSet<String> = told.iter().map(mark).collect();
        self.findings = told.into_iter().filter(|finding| !known.told.contains(&mark(finding))).collect();
        if told_now != known.told {
            self.kept.extend(serde_json::to_string(&told_now).ok().map(|text| (TOLD.to_owned(), text)));
        }
        self.kept.sort();
        self.kept.dedup();
    }

    /// Puts frozen fields back as they were.
    fn patch(&mut self, key: Key, now: &Schema, frozen: &BTreeSet<FieldName>, known: &Remembered) {
        let schema = self.schemas.entry(key.clone()).or_insert_with(|| now.clone());
        let Some(was) = known.schemas.get(&key) else { return };
        for field in frozen.iter().filter_map(|name| was.field(name.as_str())) {
            let mut field = field.clone();
            let gone = now.field(field.name.as_str()).is_none();
            field.required &= !gone;
            match schema.fields.iter_mut().find(|have| have.name == field.name) {
                Some(have) => *have = field,
                None => schema.fields.push(field),
            }
        }
    }
}

impl Remembered {
    /// The flow with the schemas that are remembered; as they are where nothing is.
    fn flow(&self, (flow, source, target): &(Flow, Schema, Schema)) -> (Flow, Schema, Schema) {
        let [from, to] = keys(flow);
        let known = |key: &Key, now: &Schema| self.schemas.get(key).unwrap_or(now).clone();
        (flow.clone(), known(&from, source), known(&to, target))
    }
}

impl Ready {
    /// The target fields that rules write and that are there.
    pub(crate) fn targets(&self) -> impl Iterator<Item = FieldName> + '_ {
        let targets = self.flow.rules.iter().map(|rule| &rule.target);
        targets.filter(|name| !self.without.gone.contains(*name)).cloned()
    }

    /// What a rule says that lacks its source field is no reason to hold anything.
    pub(crate) fn forget_untold(&self, resolved: &mut Resolved) {
        let untold = |field: &FieldName| self.without.frozen.get(field) == Some(&Frozen::Untold);
        resolved.causes.retain(|(cause, _)| !cause.field().is_some_and(untold));
    }

    /// Fields that the source does not tell any more.
    pub(crate) fn untold(&self) -> impl Iterator<Item = &FieldName> {
        self.without.frozen.iter().filter(|(_, frozen)| **frozen == Frozen::Untold).map(|(name, _)| name)
    }

    /// Moves frozen fields of a record that is not carried yet to the causes for which it is held.
    pub(crate) fn hold_frozen_values(&self, resolved: &mut Resolved) {
        self.forget_untold(resolved);
        for (name, frozen) in &self.without.frozen {
            let value = resolved.fields.remove(name.as_str());
            let value = value.filter(|value| !value.is_blank());
            resolved.causes.extend(value.and_then(|value| frozen.cause(name, value)));
        }
    }
}

fn keys(flow: &Flow) -> [Key; 2] {
    [&flow.source, &flow.target].map(|end| (end.system.clone(), end.object.clone()))
}

fn errors(findings: Vec<Finding>) -> Vec<Finding> {
    findings.into_iter().filter(|finding| finding.weight == Weight::Error).collect()
}

fn mark(finding: &Finding) -> String {
    format!("{}: {}", finding.code, finding.message)
}

/// Fields that are not there any more.
fn vanished(now: &Schema, was: &Schema) -> Vec<FieldName> {
    let gone = was.fields.iter().filter(|field| now.field(field.name.as_str()).is_none());
    gone.map(|field| field.name.clone()).collect()
}

fn rule_of<'f>(flow: &'f Flow, finding: &Finding) -> Option<&'f Rule> {
    let place = finding.place.as_ref()?;
    flow.rules.iter().find(|rule| rule.place == *place)
}

/// Options of fields that rules use, which have another label than they had.
fn renamed(
    (flow, source, target): &(Flow, Schema, Schema),
    (_, source_was, target_was): &(Flow, Schema, Schema),
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut compare = |system: &SystemName, now: &Schema, was: &Schema, name: &FieldName, rule: &Rule| {
        let options = |schema: &Schema| match schema.field(name.as_str()).map(|field| field.kind.clone()) {
            Some(Kind::Choice { options, .. }) => options,
            _ => Vec::new().into(),
        };
        let now = options(now);
        for old in options(was).iter() {
            let message = match now.iter().find(|new| new.value == old.value) {
                Some(new) if new.label == old.label => continue,
                Some(new) => format!("`{system}` calls `{}` of `{name}` `{}` now", old.label, new.label),
                None => format!("`{system}` has no `{}` in `{name}` any more", old.label),
            };
            findings.push(
                Finding::new(Weight::Warning, "option_changed", message)
                    .at_rule(rule)
                    .hint("records whose value cannot be carried any more are held; look at the rule and its table"),
            );
        }
    };
    for rule in &flow.rules {
        compare(&flow.target.system, target, target_was, &rule.target, rule);
        if let From::Fields(names) = &rule.from {
            names.iter().for_each(|name| compare(&flow.source.system, source, source_was, name, rule));
        }
    }
    findings
}

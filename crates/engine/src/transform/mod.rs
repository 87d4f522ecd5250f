//! Mapping rules, compiled once and applied to each record.
//!
//! Owns: sources of a value (fields, expression, constant), named steps, translation tables, conversion to
//! the target field's kind, validation. Invariants: applying is pure and total (no clock, no randomness, no
//! panic whatever the value); a blank in the source never becomes a value, so nothing is cleared by absence;
//! no message holds a value. Deliberately absent: users and links are named here and resolved by the pass.

mod compile;
mod convert;
mod countries;
mod deciding;
mod expression;
mod functions;
pub mod normalize;
mod registry;
mod reverse;
mod rule;
pub(crate) mod spelling;
mod steps;
mod validate;

use std::collections::{BTreeMap, BTreeSet};

use handover_model::{
    Cause, CohortName, FieldName, Fields, Finding, Flow, Record, RecordId, Schema, Table, Value, Weight, Wins,
};

pub use registry::{Back, Failure, Function, Parameter, Part, Place, Type, registry};
pub use reverse::{OneWay, Reversed, back_of, forth_of, put, reversed};

pub(crate) use compile::{build, listed, with_article};
pub(crate) use expression::ID;
pub(crate) use registry::BY_LABEL;
pub(crate) use rule::Compiled;
pub(crate) use steps::width;

use expression::Expression;

/// The project's translation tables by name.
#[derive(Clone, Debug, Default)]
pub struct Tables(pub BTreeMap<String, Table>);

/// One flow's rules, compiled.
#[derive(Debug)]
pub struct Program {
    rules: Vec<Compiled>,
    /// For each rule the place of its target among all targets, in order of their names.
    places: Vec<usize>,
    scope: Option<Expression>,
    cohorts: Vec<(CohortName, Expression)>,
    conflicts: BTreeMap<usize, Expression>,
    reads: Vec<FieldName>,
}

/// What one rule makes of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The rule, by its place in the flow.
    pub rule: usize,
    /// The target field.
    pub target: FieldName,
    /// What became of it.
    pub state: State,
}

/// What a rule makes of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Absent in the source (not read, or blank without a default): nothing is written, nothing is cleared.
    Absent,
    /// A value in the target field's kind, found valid. For user and link fields the target's own ids (or a
    /// target user's e-mail) as the project wrote them: constants, defaults and translation tables.
    Value(Value),
    /// The id of a source user, to be resolved.
    User(String),
    /// The ids of source records, each once, in order, to be resolved through the crosswalk.
    Links(Vec<String>),
    /// It cannot be carried: the cause, and the source value in question.
    Problem(Cause, Option<Value>),
}

impl Program {
    /// Compiles and type-checks a flow's rules against both schemas. On error all findings, those of lesser
    /// weight among them.
    pub fn compile(flow: &Flow, source: &Schema, target: &Schema, tables: &Tables) -> Result<Self, Vec<Finding>> {
        let built = build(flow, source, target, tables);
        if built.findings.iter().any(|finding| finding.weight == Weight::Error) {
            return Err(built.findings);
        }
        let mut reads: BTreeSet<FieldName> = built.reads;
        reads.extend(built.scope_reads);
        for key in &flow.matching {
            reads.extend(key.source.iter().filter(|name| source.field(name.as_str()).is_some()).cloned());
        }
        reads.remove(ID);
        let reads: Vec<FieldName> = reads.into_iter().collect();
        let mut rules: Vec<Compiled> = built.rules.into_iter().map(|(_, rule)| rule).collect();
        rules.iter_mut().for_each(|rule| rule.place_among(&reads));
        let targets: BTreeSet<&FieldName> = rules.iter().map(|rule| &rule.shape.field).collect();
        let place = |rule: &Compiled| targets.iter().take_while(|target| ***target < rule.shape.field).count();
        let places = rules.iter().map(place).collect();
        let (cohorts, conflicts) = (built.cohorts, built.conflicts);
        Ok(Self { rules, places, scope: built.scope, cohorts, conflicts, reads })
    }

    /// Whether a record belongs to the flow; the error is a sentence without values.
    pub fn in_scope(&self, record: &Record) -> Result<bool, String> {
        match &self.scope {
            None => Ok(true),
            Some(scope) => Ok(scope.run(record)? == Value::Bool(true)),
        }
    }

    /// Whether the project says which of the flow's records are in which cohort.
    pub(crate) fn has_cohorts(&self) -> bool {
        !self.cohorts.is_empty()
    }

    /// The cohort that a record is in: the first whose filter holds; the error is a sentence without values.
    pub fn cohort(&self, record: &Record) -> Result<Option<&CohortName>, String> {
        for (name, filter) in &self.cohorts {
            if filter.run(record)? == Value::Bool(true) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// The side that wins where both changed a rule's field, if the project's expression says; `None` to ask a person.
    pub(crate) fn winner(&self, rule: usize, record: &RecordId, source: &Value, target: &Value) -> Option<Wins> {
        let mut fields = Fields::new();
        fields.set(deciding::SOURCE.into(), source.clone());
        fields.set(deciding::TARGET.into(), target.clone());
        let record = Record { id: record.clone(), fields, modified: None, gone: false };
        match self.conflicts.get(&rule)?.run(&record).ok()?.as_text()? {
            deciding::SOURCE => Some(Wins::Source),
            deciding::TARGET => Some(Wins::Target),
            _ => None,
        }
    }

    /// The source records that a rule links a record to.
    pub(crate) fn links_of(&self, rule: usize, record: &Record) -> Vec<String> {
        match self.rules.get(rule).map(|rule| rule.apply(record)) {
            Some(State::Links(ids)) => ids,
            _ => Vec::new(),
        }
    }

    /// The source fields that rules, scope and matching read, sorted, without `id`.
    pub fn source_fields(&self) -> Vec<FieldName> {
        self.reads.clone()
    }

    /// The place of a rule's target among all targets, in order of their names.
    pub(crate) fn place(&self, rule: usize) -> Option<usize> {
        self.places.get(rule).copied()
    }

    /// Applies all rules: one entry for each rule, in the flow's order.
    pub fn apply(&self, record: &Record) -> Vec<Mapped> {
        let mapped = self.rules.iter().enumerate().map(|(rule, compiled)| Mapped {
            rule,
            target: compiled.shape.field.clone(),
            state: compiled.apply(record),
        });
        mapped.collect()
    }
}

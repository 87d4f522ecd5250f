//! Both sides as wholes: fill rates, sums by currency, date ranges, distributions. Computed from the two
//! listings alone, so that a wrong rule cannot hide in its own mirror image.

use std::collections::BTreeMap;

use handover_model::{FieldName, FlowName, From, Kind, Record, Rule, Schema, Value};
use rust_decimal::Decimal;
use serde::Serialize;

use super::Difference;
use crate::setup::Ready;
use crate::transform::Function;

/// One comparison of the two sides as wholes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Total {
    /// The flow.
    pub flow: FlowName,
    /// The target field.
    pub field: FieldName,
    /// What was compared: `filled`, `sum EUR`, `first day`, `last day`, `by month`, `groups kept together`.
    pub what: String,
    /// On the source side.
    pub source: String,
    /// On the target side.
    pub target: String,
    /// Whether both agree.
    pub agrees: bool,
}

impl Total {
    /// The total as a difference.
    pub(crate) fn difference(&self, flow: &FlowName) -> Difference {
        Difference {
            kind: "total".to_owned(),
            flow: flow.clone(),
            source: None,
            target: None,
            field: Some(self.field.clone()),
            expected: format!("{}: {}", self.what, self.source),
            actual: format!("{}: {}", self.what, self.target),
        }
    }
}

/// Totals of one flow, gathered pair by pair.
pub struct Totals {
    flow: FlowName,
    fields: Vec<Watched>,
}

/// A pair of fields that should agree as wholes.
struct Watched {
    source: FieldName,
    target: FieldName,
    kind: Watch,
    /// The fields that hold the amounts' currencies, where both sides have one.
    currency: Option<(FieldName, FieldName)>,
    sides: [Side; 2],
    /// For choices: how many records go from which source value to which target value.
    pairs: BTreeMap<(String, String), u64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Watch {
    Number,
    Day,
    Choice,
    Other,
}

#[derive(Default)]
struct Side {
    filled: u64,
    sums: BTreeMap<String, Decimal>,
    months: BTreeMap<String, u64>,
    first: Option<String>,
    last: Option<String>,
}

/// Whether a step of the rule may make nothing of something.
fn may_blank(rule: &Rule) -> bool {
    rule.steps.iter().any(|step| Function::named(&step.name).is_some_and(|function| function.blank))
}

impl Totals {
    /// The totals that make sense for a flow.
    pub(crate) fn of(ready: &Ready) -> Self {
        let fields = ready
            .flow
            .rules
            .iter()
            .filter(|rule| rule.default.is_none() && rule.recalculated.is_none() && !may_blank(rule))
            .filter_map(|rule| {
                let source = single_source(&rule.from, &ready.source)?;
                let kinds = (&source.kind, &ready.target.field(rule.target.as_str())?.kind);
                let kind = match kinds {
                    (Kind::Number, Kind::Number) => Watch::Number,
                    (Kind::Date | Kind::DateTime, Kind::Date | Kind::DateTime) => Watch::Day,
                    (Kind::Choice { many: false, .. }, Kind::Choice { many: false, .. }) => Watch::Choice,
                    (Kind::Reference { .. }, _) | (_, Kind::Reference { .. }) => return None,
                    // One filled list can become an empty text (a second e-mail address).
                    (Kind::Email { many: true } | Kind::Phone { many: true }, _) => return None,
                    _ => Watch::Other,
                };
                // A value joined from or split into others need not be filled where its source is.
                let plain = matches!(&rule.from, From::Fields(_)) && rule.steps.is_empty();
                (plain || kind != Watch::Other).then(|| Watched {
                    currency: if kind == Watch::Number { currency(ready, &source.name) } else { None },
                    source: source.name.clone(),
                    target: rule.target.clone(),
                    kind,
                    sides: [Side::default(), Side::default()],
                    pairs: BTreeMap::new(),
                })
            })
            .collect();
        Self { flow: ready.flow.name.clone(), fields }
    }

    /// Adds a pair.
    pub(crate) fn add(&mut self, source: &Record, target: &Record) {
        for watched in &mut self.fields {
            let (one, other) =
                watched.currency.as_ref().map(|(one, other)| (Some(one), Some(other))).unwrap_or_default();
            let currencies = [code(source, one), code(target, other)];
            if watched.kind == Watch::Choice {
                let pair = (code(source, Some(&watched.source)), code(target, Some(&watched.target)));
                *watched.pairs.entry(pair).or_default() += 1;
            }
            for (at, (record, field)) in [(source, &watched.source), (target, &watched.target)].into_iter().enumerate()
            {
                if let Some(value) = record.fields.get(field.as_str()).filter(|value| !value.is_blank()) {
                    watched.sides[at].add(watched.kind, value, &currencies[at]);
                }
            }
        }
    }

    /// The comparisons.
    pub(crate) fn finish(self) -> Vec<Total> {
        let mut totals = Vec::new();
        for watched in self.fields {
            let [source, target] = &watched.sides;
            let mut compare = |what: String, one: String, other: String| {
                totals.push(Total {
                    flow: self.flow.clone(),
                    field: watched.target.clone(),
                    agrees: one == other,
                    what,
                    source: one,
                    target: other,
                });
            };
            compare("filled".to_owned(), source.filled.to_string(), target.filled.to_string());
            match watched.kind {
                Watch::Number => {
                    for currency in
                        source.sums.keys().chain(target.sums.keys()).collect::<std::collections::BTreeSet<_>>()
                    {
                        let sum =
                            |side: &Side| side.sums.get(currency).copied().unwrap_or_default().normalize().to_string();
                        compare(format!("sum {currency}").trim_end().to_owned(), sum(source), sum(target));
                    }
                }
                Watch::Day => {
                    let text = |day: &Option<String>| day.clone().unwrap_or_default();
                    compare("first day".to_owned(), text(&source.first), text(&target.first));
                    compare("last day".to_owned(), text(&source.last), text(&target.last));
                    compare("by month".to_owned(), listed(&source.months), listed(&target.months));
                }
                Watch::Choice => {
                    // Values are named differently on both sides and several may become one; but records of
                    // one source value belong together in the target too.
                    let (together, split) = groups(&watched.pairs);
                    compare("groups kept together".to_owned(), together.to_string(), (together - split).to_string());
                }
                Watch::Other => {}
            }
        }
        totals
    }
}

impl Side {
    fn add(&mut self, kind: Watch, value: &Value, currency: &str) {
        self.filled += 1;
        match (kind, value) {
            (Watch::Number, Value::Number(number)) => *self.sums.entry(currency.to_owned()).or_default() += *number,
            (Watch::Day, Value::Date(_) | Value::DateTime(_)) => {
                let day: String = value.display().chars().take(10).collect();
                *self.months.entry(day.chars().take(7).collect()).or_default() += 1;
                if self.first.as_ref().is_none_or(|first| *first > day) {
                    self.first = Some(day.clone());
                }
                if self.last.as_ref().is_none_or(|last| *last < day) {
                    self.last = Some(day);
                }
            }
            _ => {}
        }
    }
}

/// The one source field that a rule reads.
fn single_source<'s>(from: &From, schema: &'s Schema) -> Option<&'s handover_model::Field> {
    match from {
        From::Fields(fields) => match fields.as_slice() {
            [one] => schema.field(one.as_str()),
            _ => None,
        },
        From::Expression(text) => {
            let mut read = schema.fields.iter().filter(|field| reads(text, field.name.as_str()));
            let one = read.next()?;
            read.next().is_none().then_some(one)
        }
        From::Constant(_) => None,
    }
}

/// Whether an expression reads `.name`.
fn reads(text: &str, name: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    text.match_indices(name).any(|(at, _)| {
        let before = &text[..at];
        let after = &text[at + name.len()..];
        (before.ends_with('.') && ends(after)) || (before.ends_with(".\"") && after.starts_with('"'))
    })
}

/// The currency fields beside an amount: `X.currency` for `X.value`, else the record's own, each where a
/// rule carries it over.
fn currency(ready: &Ready, amount: &FieldName) -> Option<(FieldName, FieldName)> {
    let beside = amount.as_str().strip_suffix(".value").map(|stem| format!("{stem}.currency"));
    let is_currency = |name: &str| ready.source.field(name).is_some_and(|field| field.kind == Kind::Currency);
    let source = match beside {
        Some(beside) if is_currency(&beside) => FieldName::from(beside),
        Some(_) => return None,
        None => ready
            .source
            .fields
            .iter()
            .find(|field| field.kind == Kind::Currency && !field.name.as_str().contains('.'))?
            .name
            .clone(),
    };
    let carried = |rule: &&handover_model::Rule| matches!(&rule.from, From::Fields(fields) if fields.as_slice() == [source.clone()]);
    let target = ready.flow.rules.iter().find(carried)?.target.clone();
    Some((source, target))
}

fn code(record: &Record, field: Option<&FieldName>) -> String {
    field.and_then(|field| record.fields.get(field.as_str())).map(Value::display).unwrap_or_default()
}

fn listed(counts: &BTreeMap<String, u64>) -> String {
    counts.iter().map(|(name, number)| format!("{name}: {number}")).collect::<Vec<_>>().join(", ")
}

/// How many source values there are, and how many of them stand under several target values.
fn groups(pairs: &BTreeMap<(String, String), u64>) -> (usize, usize) {
    let mut targets: BTreeMap<&str, usize> = BTreeMap::new();
    for (source, _) in pairs.keys() {
        *targets.entry(source).or_default() += 1;
    }
    (targets.len(), targets.values().filter(|number| **number > 1).count())
}

//! A flow's rules against both schemas: what can be said before any record is read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use handover_model::{CohortName, Field, FieldName, Finding, Flow, From, Kind, Rule, Schema, Table, Value, Weight};
use vrl::prelude::Kind as VrlKind;

use super::convert::Shape;
use super::expression::{Expression, Fault, ID};
use super::rule::{Compiled, Ids, Input, Markup, Source, Translation, labels_of};
use super::spelling::did_you_mean;
use super::steps::{Stage, prepare};
use super::{State, Tables};

/// What compiling a flow gives.
#[derive(Debug, Default)]
pub(crate) struct Built {
    /// The rules that compile, with their places in the flow.
    pub(crate) rules: Vec<(usize, Compiled)>,
    pub(crate) scope: Option<Expression>,
    /// The filters of the cohorts.
    pub(crate) cohorts: Vec<(CohortName, Expression)>,
    /// By rule: the expression that decides about what both sides changed.
    pub(crate) conflicts: BTreeMap<usize, Expression>,
    /// Source fields that rules read.
    pub(crate) reads: BTreeSet<FieldName>,
    /// Source fields that the scope and the cohorts' filters read.
    pub(crate) scope_reads: BTreeSet<FieldName>,
    pub(crate) findings: Vec<Finding>,
}

/// Compiles what can be compiled and says what cannot.
pub(crate) fn build(flow: &Flow, source: &Schema, target: &Schema, tables: &Tables) -> Built {
    let mut built = Built::default();
    let both = Both { source, target, tables };
    built.scope = flow.scope.as_ref().and_then(|scope| built.filter(scope, "`where`", source));
    for (name, scope) in &flow.cohorts {
        let what = format!("the filter of the cohort `{name}`");
        let filter = built.filter(scope, &what, source);
        built.cohorts.extend(filter.map(|filter| (name.clone(), filter)));
    }
    built.conflicts(flow, target);
    for (at, rule) in flow.rules.iter().enumerate() {
        match both.rule(rule, &mut built.reads) {
            Ok(compiled) => built.rules.push((at, compiled)),
            Err(findings) => built.findings.extend(findings),
        }
    }
    built
}

/// Both schemas and the tables.
struct Both<'a> {
    source: &'a Schema,
    target: &'a Schema,
    tables: &'a Tables,
}

impl Both<'_> {
    fn rule(&self, rule: &Rule, reads: &mut BTreeSet<FieldName>) -> Result<Compiled, Vec<Finding>> {
        let mut findings = Vec::new();
        let shape = match self.target.field(rule.target.as_str()) {
            Some(field) => Some(Shape::of(field)),
            None => {
                findings.push(self.unknown_target(rule));
                None
            }
        };
        let mut stages = Vec::new();
        for step in &rule.steps {
            match prepare(step) {
                Ok(stage) => stages.push(stage),
                Err(problems) => findings.extend(problems),
            }
        }
        let table = self.table(rule).unwrap_or_else(|finding| {
            findings.push(*finding);
            None
        });
        let source = match (&rule.from, &shape) {
            (From::Fields(names), shape) => self.fields(rule, names, shape.as_ref(), &stages, reads),
            (From::Expression(text), shape) => self.expression(rule, text, shape.as_ref(), reads),
            (From::Constant(value), Some(shape)) => {
                literal(rule, value, shape, "the value").map(Source::Constant).map_err(|finding| vec![*finding])
            }
            (From::Constant(_), None) => Ok(Source::Constant(State::Absent)),
        };
        let source = source.unwrap_or_else(|problems| {
            findings.extend(problems);
            Source::Constant(State::Absent)
        });
        let default = match (&rule.default, &shape) {
            (Some(default), Some(shape)) => literal(rule, &default.0, shape, "the default").unwrap_or_else(|finding| {
                findings.push(*finding);
                State::Absent
            }),
            _ => State::Absent,
        };
        match shape {
            Some(shape) if findings.is_empty() => {
                let labels = self.labels_given(&source, &shape);
                let table = table.map(|table| Translation::of(table, &shape, labels));
                let ids = ids(rule, table.is_some());
                Ok(Compiled { shape, source, stages, table, default, ids })
            }
            _ => Err(findings),
        }
    }

    /// The labels of the options that an expression reads; of two for one value that of the target field's own sort.
    fn labels_given(&self, source: &Source, shape: &Shape) -> HashMap<String, String> {
        let Source::Expression(expression) = source else { return HashMap::new() };
        // A rule for stages may read the pipeline too: options of the target field's own sort go first.
        let mut labels: HashMap<String, String> = HashMap::new();
        let fields = expression.fields().filter_map(|name| self.source.field(name.as_str()));
        let mut fields: Vec<_> = fields.filter(|field| matches!(field.kind, Kind::Choice { .. })).collect();
        fields.sort_by_key(|field| std::cmp::Reverse(nested(&field.kind) == nested(&shape.kind)));
        for field in fields {
            for (value, label) in labels_of(&field.kind) {
                labels.entry(value).or_insert(label);
            }
        }
        labels
    }

    fn unknown_target(&self, rule: &Rule) -> Finding {
        let names = self.target.fields.iter().map(|field| field.name.as_str());
        let message = format!("`{}` has no field `{}`", self.target.object, rule.target);
        let mut finding = Finding::new(Weight::Error, "unknown_field", message).at_rule(rule);
        finding.hint = did_you_mean(rule.target.as_str(), names)
            .or_else(|| Some(format!("`handover init` lists the fields of `{}`", self.target.object)));
        finding
    }

    fn table(&self, rule: &Rule) -> Result<Option<&Table>, Box<Finding>> {
        let Some(name) = rule.table.as_ref().filter(|_| !self.pairs_users(rule)) else { return Ok(None) };
        let found = self.tables.0.get(name.as_str());
        found.map(Some).ok_or_else(|| {
            let message = format!("there is no translation table `{name}`");
            let hint = did_you_mean(name, self.tables.0.keys().map(String::as_str));
            let hint =
                hint.unwrap_or_else(|| format!("create translations/{name}.csv with the header `from,to,comment`"));
            Finding::new(Weight::Error, "missing_table", message).at_rule(rule).about(name).hint(hint).into()
        })
    }

    fn fields(
        &self,
        rule: &Rule,
        names: &[FieldName],
        shape: Option<&Shape>,
        stages: &[Stage],
        reads: &mut BTreeSet<FieldName>,
    ) -> Result<Source, Vec<Finding>> {
        let mut inputs = Vec::new();
        let mut findings = Vec::new();
        for name in names {
            let field = self.source.field(name.as_str());
            if field.is_none() && *name != *ID {
                findings.push(self.unknown_source(rule, name));
                continue;
            }
            if *name != *ID {
                reads.insert(name.clone());
            }
            if let Some(shape) = shape {
                let plain = rule.table.is_none() && !stages.iter().any(|stage| matches!(stage, Stage::ByLabel));
                findings.extend(self.misfit(rule, name, field, shape, stages));
                inputs.push(input(name, field, shape, stages, plain));
            }
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        let united = shape.is_some_and(|shape| matches!(shape.kind, Kind::Reference { .. }));
        Ok(Source::Fields { inputs, united })
    }

    fn unknown_source(&self, rule: &Rule, name: &FieldName) -> Finding {
        let names = self.source.fields.iter().map(|field| field.name.as_str());
        let message = format!("`{}` has no field `{name}`", self.source.object);
        let mut finding = Finding::new(Weight::Error, "unknown_field", message).at_rule(rule).about(name.as_str());
        let parts = self.source.fields.iter().map(|field| field.name.as_str());
        let part =
            parts.filter(|have| have.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'))).min();
        finding.hint = match part {
            Some(part) => Some(format!("it comes in parts, such as `{part}`")),
            None => did_you_mean(name.as_str(), names),
        };
        finding
    }

    fn misfit(
        &self,
        rule: &Rule,
        name: &FieldName,
        field: Option<&Field>,
        shape: &Shape,
        stages: &[Stage],
    ) -> Option<Finding> {
        if rule.table.is_some() {
            return None;
        }
        let kind = after(field.map(|field| &field.kind), stages)?;
        if fits(&kind, &shape.kind) || (rule.flow.is_some() && is_link(&shape.kind)) {
            return None;
        }
        let message = format!(
            "`{}` takes {}, `{name}` gives {}",
            shape.field,
            with_article(shape.kind.word()),
            with_article(kind.word())
        );
        let finding = Finding::new(Weight::Error, "wrong_type", message).at_rule(rule).about(name.as_str());
        Some(match (&shape.kind, is_link(&kind)) {
            (Kind::User, _) => {
                finding.hint("a user field takes a user field, a value, or a translation to users' e-mails")
            }
            (Kind::Reference { .. }, _) => finding.hint("name the flow that pairs the records: `flow: NAME`"),
            (_, true) => finding.hint("an expression can look into it"),
            _ => finding.hint("a step or an expression can convert it"),
        })
    }

    fn expression(
        &self,
        rule: &Rule,
        text: &str,
        shape: Option<&Shape>,
        reads: &mut BTreeSet<FieldName>,
    ) -> Result<Source, Vec<Finding>> {
        let compiled = Expression::compile(text, self.source).map_err(|faults| {
            // What it meant to read counts as read: one mistake, one finding.
            reads.extend(Expression::named(text, self.source));
            faults.into_iter().map(|fault| rule_fault(fault, text, rule)).collect::<Vec<_>>()
        })?;
        reads.extend(compiled.fields().cloned());
        if let Some(shape) = shape.filter(|_| rule.steps.is_empty() && rule.table.is_none())
            && !can_give(compiled.gives(), &accepted(&shape.kind))
        {
            let message = format!(
                "`{}` takes {}, the expression gives {}",
                shape.field,
                with_article(shape.kind.word()),
                wording(compiled.gives())
            );
            return Err(vec![Finding::new(Weight::Error, "wrong_type", message).at_rule(rule)]);
        }
        Ok(Source::Expression(Box::new(compiled)))
    }

    /// Pairs of users are told by the table `users`, which the pass reads: it is no translation here.
    fn pairs_users(&self, rule: &Rule) -> bool {
        let kind = self.target.field(rule.target.as_str()).map(|field| &field.kind);
        rule.table.as_deref() == Some("users") && kind == Some(&Kind::User)
    }
}

/// A fault of an expression at its place: where the rule is written, with the part of the expression that is
/// meant quoted in the message (and its line, when the expression has several).
pub(super) fn fault_at(fault: Fault, text: &str, place: &handover_model::Place) -> Finding {
    let part = text.get(fault.at.clone()).unwrap_or_default().trim();
    let quoted = part.is_empty() || fault.message.contains(part.trim_start_matches('.'));
    let mut message = if quoted { fault.message } else { format!("{}, in `{part}`", fault.message) };
    if text.trim_end().contains('\n') {
        let line = text.get(..fault.at.start).unwrap_or_default().matches('\n').count() + 1;
        message.push_str(&format!(" (line {line} of the expression)"));
    }
    let mut finding = Finding::new(Weight::Error, fault.code, message).at(place);
    finding.hint = fault.hint;
    finding
}

/// The same within a rule: the caret marks the part where it stands on the rule's own line.
fn rule_fault(fault: Fault, text: &str, rule: &Rule) -> Finding {
    let part = text.get(fault.at.clone()).unwrap_or_default().trim().to_owned();
    let finding = fault_at(fault, text, &rule.place).at_rule(rule);
    if part.is_empty() || part.contains('\n') { finding } else { finding.about(part) }
}

fn ids(rule: &Rule, translated: bool) -> Ids {
    match rule.from {
        From::Constant(_) => Ids::Target,
        From::Fields(_) | From::Expression(_) if translated => Ids::Target,
        From::Fields(_) | From::Expression(_) => Ids::Source,
    }
}

/// Whether a choice's options belong to another choice's (stages to pipelines).
fn nested(kind: &Kind) -> bool {
    matches!(kind, Kind::Choice { options, .. } if options.iter().any(|option| option.within.is_some()))
}

fn input(name: &FieldName, field: Option<&Field>, shape: &Shape, stages: &[Stage], plain: bool) -> Input {
    let labels = field.map_or_else(HashMap::new, |field| labels_of(&field.kind));
    let shows_labels = plain && !labels.is_empty() && matches!(shape.kind, Kind::Text { .. });
    Input { field: name.clone(), place: 0, labels, shows_labels, markup: markup(field, &shape.kind, stages) }
}

/// A text that is HTML on one side only is converted, whatever the steps already did.
fn markup(field: Option<&Field>, target: &Kind, stages: &[Stage]) -> Markup {
    let Kind::Text { html: wanted, .. } = target else { return Markup::Same };
    let Some(field) = field.filter(|field| field.kind != Kind::Opaque) else { return Markup::Same };
    let starts = matches!(field.kind, Kind::Text { html: true, .. });
    let html = stages.iter().fold(starts, |html, stage| match stage {
        Stage::Call(step) if step.name() == "html" => true,
        Stage::Call(step) if step.name() == "text" => false,
        _ => html,
    });
    match (html, *wanted) {
        (false, true) => Markup::Escape,
        (true, false) => Markup::Strip,
        _ => Markup::Same,
    }
}

/// A value that the project wrote, in the target's kind.
fn literal(rule: &Rule, value: &Value, shape: &Shape, what: &str) -> Result<State, Box<Finding>> {
    if value.is_blank() {
        return Ok(State::Absent);
    }
    let text = value.as_text().filter(|text| !shape.has_option(text));
    let option = text.and_then(|text| shape.option_by_label(text)).map(Value::from);
    let value = option.as_ref().unwrap_or(value);
    shape.convert(std::borrow::Cow::Borrowed(value)).map(State::Value).map_err(|broken| {
        let message = format!("{what} of `{}` does not fit: {broken}", rule.target);
        let mut finding = Finding::new(Weight::Error, "wrong_type", message).at_rule(rule);
        if let Kind::Choice { options, .. } = &shape.kind {
            finding.hint =
                did_you_mean(&value.display(), options.iter().map(|option| option.value.as_str())).or_else(|| {
                    Some(format!("the options are {}", listed(options.iter().map(|option| option.value.as_str()))))
                });
        }
        Box::new(finding)
    })
}

/// A few names for a message.
pub(crate) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown: Vec<String> = names.iter().take(8).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(8);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// The kind that a field's value has after the steps; `None` where that cannot be known.
fn after(kind: Option<&Kind>, stages: &[Stage]) -> Option<Kind> {
    match stages.last() {
        None => kind.cloned(),
        Some(Stage::ByLabel) => None,
        Some(Stage::Call(step)) => step.gives(kind),
    }
}

fn is_link(kind: &Kind) -> bool {
    matches!(kind, Kind::Reference { .. })
}

/// Whether values of one kind can become values of another at all.
fn fits(from: &Kind, to: &Kind) -> bool {
    use Kind as K;
    match (from, to) {
        (_, K::Text { .. } | K::Opaque) | (K::Opaque, _) => true,
        (K::Reference { .. }, _) => is_link(to),
        (K::User, _) => *to == K::User,
        (K::Text { .. }, _) => !is_link(to),
        (_, K::Bool) => matches!(from, K::Bool | K::Number | K::Choice { .. }),
        (_, K::Number) => matches!(from, K::Bool | K::Number | K::Choice { .. } | K::Phone { .. }),
        (_, K::Date | K::DateTime) => matches!(from, K::Date | K::DateTime),
        (_, K::Time) => matches!(from, K::Time | K::DateTime),
        (_, K::Choice { .. }) => matches!(from, K::Choice { .. } | K::Bool | K::Number | K::Currency),
        (_, K::User) => matches!(from, K::Email { .. }),
        (_, K::Reference { .. }) => false,
        (_, K::Email { .. }) => matches!(from, K::Email { .. }),
        (_, K::Phone { .. }) => matches!(from, K::Phone { .. } | K::Number),
        (_, K::Currency) => matches!(from, K::Currency | K::Choice { .. }),
    }
}

/// What an expression for a field may give.
fn accepted(kind: &Kind) -> VrlKind {
    use vrl::prelude::Collection;
    let text = VrlKind::bytes().or_null();
    let list = || Collection::any();
    match kind {
        Kind::Text { .. } => text.or_integer().or_float().or_boolean().or_timestamp().or_array(list()),
        Kind::Bool => VrlKind::boolean().or_null(),
        Kind::Number => VrlKind::integer().or_float().or_null(),
        Kind::Date | Kind::DateTime => text.or_timestamp(),
        Kind::Choice { many: false, .. } => text.or_integer().or_boolean(),
        Kind::User | Kind::Reference { many: false, .. } => text.or_integer(),
        Kind::Choice { many: true, .. } | Kind::Reference { many: true, .. } => text.or_integer().or_array(list()),
        Kind::Email { many: true } | Kind::Phone { many: true } => text.or_array(list()),
        Kind::Time | Kind::Email { .. } | Kind::Phone { .. } | Kind::Currency => text,
        Kind::Opaque => VrlKind::any(),
    }
}

/// Whether an expression can give what is allowed. The compiler's types are often wider than the truth (a
/// product is a number or a repeated text to it), so that only what can never fit is refused here; the rest
/// is checked for each record.
pub(super) fn can_give(gives: &VrlKind, allowed: &VrlKind) -> bool {
    let mut gives = gives.clone().upgrade_undefined();
    let mut allowed = allowed.clone();
    if gives.is_any() || gives.is_null() || gives.is_never() {
        return true;
    }
    gives.remove_null();
    allowed.remove_null();
    allowed.intersects(&gives)
}

/// A type of the language in words.
pub(crate) fn wording(kind: &VrlKind) -> String {
    let mut words = Vec::new();
    let mut add = |is: bool, word: &'static str| {
        if is {
            words.push(word);
        }
    };
    add(kind.contains_bytes(), "text");
    add(kind.contains_integer() || kind.contains_float(), "a number");
    add(kind.contains_boolean(), "yes/no");
    add(kind.contains_timestamp(), "a date and time");
    add(kind.contains_array(), "a list");
    add(kind.contains_object(), "a structured value");
    add(kind.contains_null() || kind.contains_undefined(), "a blank");
    if words.is_empty() { "nothing".to_owned() } else { words.join(" or ") }
}

/// A kind's word with its article.
pub(crate) fn with_article(word: &str) -> String {
    match word {
        "text" | "HTML text" | "yes/no" | "links" => word.to_owned(),
        _ if word.starts_with(['a', 'e', 'i', 'o']) => format!("an {word}"),
        _ => format!("a {word}"),
    }
}

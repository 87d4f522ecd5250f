//! Values in use, with their counts: which records will be held, and how many.

use std::collections::BTreeMap;

use handover_model::{
    Cause, FieldName, Fields, Finding, Flow, From, Kind, Record, RecordId, Rule, Schema, Value, Weight,
};

use crate::People;
use crate::transform::{Compiled, Ids, State, Tables, build};

/// How many records of a flow's source have which value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Records by source field and value, for choice fields.
    pub choices: BTreeMap<(FieldName, String), u64>,
    /// Records by source user id.
    pub users: BTreeMap<String, u64>,
}

/// Values in use that cannot be carried, with the number of records that will be held for them: options
/// that the rules do not bring into the target, and source users without a counterpart. The rules
/// themselves are asked, so that the announcement cannot disagree with the run. Rules with errors are left
/// to [`super::check_flow`].
pub fn usage(
    flow: &Flow,
    source: &Schema,
    target: &Schema,
    tables: &Tables,
    people: &People,
    usage: &Usage,
) -> Vec<Finding> {
    let built = build(flow, source, target, tables);
    let rules = || built.rules.iter().filter_map(|(at, compiled)| flow.rules.get(*at).map(|rule| (rule, compiled)));
    let mut findings = Vec::new();
    for ((field, value), records) in usage.choices.iter().filter(|(_, records)| **records > 0) {
        let kind = source.field(field.as_str()).map(|field| &field.kind);
        let record = alone(field, value, matches!(kind, Some(Kind::Choice { many: true, .. })));
        for (rule, compiled) in rules().filter(|(rule, _)| reads(rule, field)) {
            if let State::Problem(cause, _) = compiled.apply(&record) {
                findings.push(announced(rule, &cause, label(kind, value), *records));
            }
        }
    }
    let assigns = |compiled: &Compiled| compiled.shape.kind == Kind::User && compiled.ids == Ids::Source;
    if let Some((rule, _)) = rules().find(|(_, compiled)| assigns(compiled)) {
        let (from, to) = (&flow.source.system, &flow.target.system);
        let lost =
            usage.users.iter().filter(|(user, records)| **records > 0 && people.counterpart(from, user, to).is_none());
        findings.extend(lost.map(|(user, records)| {
            let message = format!(
                "{}: the user {} has no counterpart in `{to}`; they will be held",
                count(*records),
                people.label(from, user)
            );
            with_count(rule, message, *records)
                .hint("add a row to translations/users.csv: this user's e-mail, the other's e-mail")
        }));
    }
    findings
}

/// A record that has this value and no other.
fn alone(field: &FieldName, value: &str, many: bool) -> Record {
    let value = Value::from(value);
    let value = if many { Value::List(vec![value]) } else { value };
    let mut fields = Fields::new();
    fields.set(field.clone(), value);
    Record { id: RecordId::from(""), fields, modified: None, gone: false }
}

fn reads(rule: &Rule, field: &FieldName) -> bool {
    matches!(&rule.from, From::Fields(names) if names.contains(field))
}

fn label<'a>(kind: Option<&'a Kind>, value: &'a str) -> &'a str {
    match kind {
        Some(Kind::Choice { options, .. }) => {
            options.iter().find(|option| option.value == value).map_or(value, |option| option.label.as_str())
        }
        _ => value,
    }
}

fn announced(rule: &Rule, cause: &Cause, label: &str, records: u64) -> Finding {
    let count = count(records);
    let (message, hint) = match cause {
        Cause::Untranslated { table, value, .. } => (
            format!("{count}: `{label}` has no row in translations/{table}.csv; they will be held"),
            format!("add the row `{value},TARGET` to translations/{table}.csv"),
        ),
        Cause::Invalid { rule: broken, .. } => (
            format!("{count}: `{label}` does not fit `{}` ({broken}); they will be held", rule.target),
            "translate the values: `translate: NAME` with a file translations/NAME.csv".to_owned(),
        ),
        other => (format!("{count}: `{label}`: {}; they will be held", other.sentence()), "change the rule".to_owned()),
    };
    with_count(rule, message, records).hint(hint)
}

fn with_count(rule: &Rule, message: String, records: u64) -> Finding {
    let mut finding = Finding::new(Weight::Warning, "values_in_use", message).at_rule(rule);
    finding.records = Some(records);
    finding
}

fn count(records: u64) -> String {
    if records == 1 { "1 record".to_owned() } else { format!("{records} records") }
}

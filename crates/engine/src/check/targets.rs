//! The target's side: what is written can be written, and what is required is.

use std::collections::BTreeMap;

use handover_model::{
    Deletes, Field, FieldName, Finding, Flow, From, Kind, MatchKey, Place, Rule, Schema, Value, Weight, Writable,
};
use rust_decimal::prelude::ToPrimitive;

use super::Subject;
use crate::transform::spelling::did_you_mean;
use crate::transform::{ID, width, with_article};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: BTreeMap<&FieldName, &Place> = BTreeMap::new();
    for rule in &subject.flow.rules {
        if let Some(first) = seen.insert(&rule.target, &rule.place) {
            findings.push(twice(&rule.target, &rule.place, &format!("first in line {}", first.line)));
        }
        if let Some(field) = subject.target.field(rule.target.as_str()) {
            findings.extend(not_writable(field, &rule.place));
            findings.extend(too_narrow(subject, rule, field));
            findings.extend(user_without_kind(subject, rule, field));
        }
    }
    if let Some(key) = &subject.flow.key {
        findings.extend(key_field(subject, key, seen.get(key).copied()));
    }
    if let Deletes::Mark { field, .. } = &subject.flow.removals.deletes {
        findings.extend(mark_field(subject, field));
    }
    findings.extend(required(subject));
    findings.extend(fields_alike(subject.flow));
    for key in &subject.flow.matching {
        findings.extend(match_fields(key, &key.source, subject.source));
        findings.extend(match_fields(key, &key.target, subject.target));
    }
    findings
}

/// What is known of a record's fields hangs on short marks of their names.
pub(crate) fn fields_alike(flow: &Flow) -> Option<Finding> {
    let names = flow.rules.iter().map(|rule| &rule.target).chain(&flow.key);
    let (one, other) = crate::base::alike(names)?;
    let rule = flow.rules.iter().find(|rule| rule.target == *other);
    let message = format!("`{one}` and `{other}` of `{}` cannot be told apart in the state", flow.target.object);
    let finding = Finding::new(Weight::Error, "fields_alike", message);
    let finding = match rule {
        Some(rule) => finding.at_rule(rule),
        None => finding.at(&flow.place),
    };
    Some(finding.hint("their names have one mark, by chance: write to another field instead of one of them"))
}

fn twice(name: &FieldName, place: &Place, hint: &str) -> Finding {
    let mut finding =
        Finding::new(Weight::Error, "mapped_twice", format!("`{name}` is written twice")).at(place).hint(hint);
    finding.width = width(name.as_str());
    finding
}

/// The field that marks the counterparts of deleted records.
fn mark_field(subject: &Subject<'_>, name: &FieldName) -> Option<Finding> {
    let place = &subject.flow.place;
    match subject.target.field(name.as_str()) {
        Some(field) => not_writable(field, place),
        None => {
            let message = format!("`deletes` marks with `{name}`, and {} have no such field", subject.target.object);
            let names = subject.target.fields.iter().map(|field| field.name.as_str());
            let mut finding = Finding::new(Weight::Error, "unknown_field", message).at(place);
            finding.hint = did_you_mean(name.as_str(), names);
            Some(finding)
        }
    }
}

fn not_writable(field: &Field, place: &Place) -> Option<Finding> {
    if field.writable != Writable::Never {
        return None;
    }
    let message = format!("`{}` cannot be written: the system fills it", field.name);
    let mut finding = Finding::new(Weight::Error, "not_writable", message).at(place);
    finding.width = width(field.name.as_str());
    Some(finding.hint("write to a field of your own, and exclude this one"))
}

/// Values that may be too long or too many. They are held when they come, never cut.
fn too_narrow(subject: &Subject<'_>, rule: &Rule, field: &Field) -> Vec<Finding> {
    let From::Fields(names) = &rule.from else { return Vec::new() };
    let mut findings = Vec::new();
    for from in names.iter().filter_map(|name| subject.source.field(name.as_str())) {
        let message = match (&from.kind, &field.kind) {
            (Kind::Text { max: Some(long), .. }, Kind::Text { max: Some(short), .. })
                if long > short && rule.table.is_none() && truncated_to(rule).is_none_or(|max| max > *short) =>
            {
                format!(
                    "`{}` takes {short} characters, `{}` may have {long}: longer values are held",
                    field.name, from.name
                )
            }
            (from_kind, kind) if is_many(from_kind) && takes_one(kind) && !chooses(rule) => {
                format!(
                    "`{}` takes one value, `{}` may have several: records with several are held",
                    field.name, from.name
                )
            }
            _ => continue,
        };
        let hint = match field.kind {
            Kind::Text { .. } => "a step `truncate: {max: N}` cuts, an expression can put the rest elsewhere",
            _ => "a step `first` chooses, or write to a field that takes several",
        };
        findings.push(Finding::new(Weight::Warning, "too_narrow", message).at_rule(rule).hint(hint));
    }
    findings
}

fn truncated_to(rule: &Rule) -> Option<u32> {
    rule.steps.iter().filter(|step| step.name == "truncate").find_map(|step| match step.arguments.get("max") {
        Some(Value::Number(max)) => max.to_u32(),
        _ => None,
    })
}

fn is_many(kind: &Kind) -> bool {
    matches!(kind, Kind::Choice { many: true, .. } | Kind::Reference { many: true, .. })
}

fn takes_one(kind: &Kind) -> bool {
    matches!(kind, Kind::Choice { many: false, .. } | Kind::Reference { many: false, .. })
}

fn chooses(rule: &Rule) -> bool {
    rule.steps.iter().any(|step| matches!(step.name.as_str(), "first" | "last" | "primary" | "join"))
}

fn user_without_kind(subject: &Subject<'_>, rule: &Rule, field: &Field) -> Vec<Finding> {
    let From::Fields(names) = &rule.from else { return Vec::new() };
    if field.kind != Kind::User || rule.table.is_some() {
        return Vec::new();
    }
    let from = names.iter().filter_map(|name| subject.source.field(name.as_str()));
    let plain = from.filter(|from| matches!(from.kind, Kind::Text { .. } | Kind::Email { .. } | Kind::Opaque));
    plain
        .map(|from| {
            let message =
                format!("`{}` takes a user, `{}` is {}", field.name, from.name, with_article(from.kind.word()));
            Finding::new(Weight::Warning, "user_without_kind", message)
                .at_rule(rule)
                .about(from.name.as_str())
                .hint("it works if it holds the source's user ids or e-mails; every other record is held")
        })
        .collect()
}

/// The field that holds the source key finds a record again after an answer was lost.
fn key_field(subject: &Subject<'_>, key: &FieldName, mapped: Option<&Place>) -> Vec<Finding> {
    let place = &subject.flow.place;
    let Some(field) = subject.target.field(key.as_str()) else {
        let names = subject.target.fields.iter().map(|field| field.name.as_str());
        let message = format!("`{}` has no field `{key}` for the source key", subject.target.object);
        let hint = did_you_mean(key.as_str(), names)
            .unwrap_or_else(|| format!("create a text field `{key}` with unique values in the target"));
        return vec![Finding::new(Weight::Error, "unknown_field", message).at(place).hint(hint)];
    };
    let mut findings: Vec<Finding> =
        not_writable(field, place).into_iter().map(|finding| Finding { width: 0, ..finding }).collect();
    if !matches!(field.kind, Kind::Text { .. }) {
        let message = format!("`{key}` is {}, the source key needs a text field", with_article(field.kind.word()));
        findings.push(Finding::new(Weight::Error, "wrong_type", message).at(place));
    } else if !field.unique {
        let message = format!(
            "`{key}` is not unique in `{}`: the target does not refuse a second record with the same key",
            subject.target.object
        );
        let hint = "give the field unique values if the platform can: then no lost answer makes a duplicate";
        findings.push(Finding::new(Weight::Warning, "key_not_unique", message).at(place).hint(hint));
    }
    if let Some(mapped) = mapped {
        findings.push(twice(key, mapped, "it holds the source key: leave the rule out"));
    }
    findings
}

fn required(subject: &Subject<'_>) -> Vec<Finding> {
    let flow = subject.flow;
    let fields = subject.target.fields.iter().filter(|field| field.required && field.writable != Writable::Never);
    let missing = fields.filter(|field| {
        flow.key.as_ref() != Some(&field.name) && !flow.rules.iter().any(|rule| rule.target == field.name)
    });
    missing
        .map(|field| {
            let message = format!("`{}` needs `{}`, and no rule writes it", subject.target.object, field.name);
            Finding::new(Weight::Error, "missing_required", message)
                .at(&flow.place)
                .hint(format!("`{0}: SOURCE_FIELD`, or the same value for all: `{0}: {{value: ...}}`", field.name))
        })
        .collect()
}

fn match_fields(key: &MatchKey, names: &[FieldName], schema: &Schema) -> Vec<Finding> {
    let unknown = names.iter().filter(|name| **name != *ID && schema.field(name.as_str()).is_none());
    unknown
        .map(|name| {
            let known = schema.fields.iter().map(|field| field.name.as_str());
            let message = format!("`{}` has no field `{name}` to match by", schema.object);
            let mut finding =
                Finding::new(Weight::Error, "match_field_unknown", message).at(&key.place).about(name.as_str());
            finding.hint = did_you_mean(name.as_str(), known);
            finding
        })
        .collect()
}

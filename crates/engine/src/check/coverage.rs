//! The source's side: every field is mapped or excluded with a reason.

use handover_model::{Field, Finding, ReadCost, Weight};

use super::Subject;
use crate::transform::spelling::did_you_mean;
use crate::transform::{ID, width};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for field in subject.source.fields.iter().filter(|field| field.name != *ID) {
        let read = subject.rules_read.contains(&field.name) || subject.also_read.contains(&field.name);
        if !read && !is_excluded(subject, field) {
            findings.push(unmapped(subject, field));
        }
        if read {
            findings.extend(dear(subject, field));
        }
    }
    findings.extend(exclusions(subject));
    findings
}

/// Excluded itself, or as a part of an excluded field.
fn is_excluded(subject: &Subject<'_>, field: &Field) -> bool {
    let name = field.name.as_str();
    let heads = name.match_indices('.').filter_map(|(at, _)| name.get(..at));
    heads.chain([name]).any(|name| subject.flow.excluded.contains_key(name))
}

fn unmapped(subject: &Subject<'_>, field: &Field) -> Finding {
    let message = if field.label.is_empty() || field.label == field.name.as_str() {
        format!("`{}` is neither mapped nor excluded", field.name)
    } else {
        format!("`{}` ({}) is neither mapped nor excluded", field.name, field.label)
    };
    Finding::new(Weight::Error, "unmapped_field", message)
        .at(&subject.flow.place)
        .hint(format!("map it, or say why not: `exclude: {{{}: \"the reason\"}}`", key(field.name.as_str())))
}

/// A name as a YAML key.
fn key(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.'));
    if plain { name.to_owned() } else { format!("\"{name}\"") }
}

/// Some fields cost calls of their own.
fn dear(subject: &Subject<'_>, field: &Field) -> Option<Finding> {
    let ReadCost::Extra { per_call, opt_in: true, .. } = field.read else { return None };
    let message = match per_call {
        0 | 1 => format!("reading `{}` costs one extra call for each record", field.name),
        many => format!("reading `{}` costs one extra call for every {many} records", field.name),
    };
    let rules = subject.flow.rules.iter();
    let rule = rules
        .clone()
        .find(|rule| matches!(&rule.from, handover_model::From::Fields(names) if names.contains(&field.name)));
    let finding = Finding::new(Weight::Note, "opt_in_field_used", message);
    Some(match rule {
        Some(rule) => finding.at_rule(rule).about(field.name.as_str()),
        None => finding.at(&subject.flow.place),
    })
}

fn exclusions(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, (reason, place)) in &subject.flow.excluded {
        let mut add = |weight, code, message: String, hint: Option<String>| {
            let mut finding = Finding::new(weight, code, message).at(place);
            finding.width = width(name.as_str());
            finding.hint = hint;
            findings.push(finding);
        };
        if reason.trim().is_empty() {
            let hint = "a person who was not there will read it: say why the field is left out".to_owned();
            add(Weight::Error, "exclude_without_reason", format!("`{name}` is excluded without a reason"), Some(hint));
        }
        if subject.rules_read.contains(name) {
            let hint = Some("take it out of `exclude`, or out of the rule".to_owned());
            add(Weight::Error, "excluded_and_mapped", format!("`{name}` is excluded, and a rule reads it"), hint);
        }
        let part =
            |field: &Field| field.name.as_str().strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'));
        if *name != *ID && subject.source.field(name.as_str()).is_none() && !subject.source.fields.iter().any(part) {
            let names = subject.source.fields.iter().map(|field| field.name.as_str());
            let message = format!("`{}` has no field `{name}` to exclude", subject.source.object);
            add(Weight::Warning, "unknown_field", message, did_you_mean(name.as_str(), names));
        }
    }
    findings
}

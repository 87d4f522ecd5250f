//! Translation tables against both sides' options.

use handover_model::{Choice, Field, Finding, From, Kind, Rule, Table, Weight};

use super::Subject;
use crate::transform::normalize::folded;
use crate::transform::spelling::did_you_mean;
use crate::transform::{BY_LABEL, listed};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in &subject.flow.rules {
        let Some(target) = subject.target.field(rule.target.as_str()) else { continue };
        match rule.table.as_ref().map(|name| subject.tables.0.get(name)) {
            Some(Some(table)) => {
                findings.extend(targets(table, target));
                findings.extend(sources(subject, rule, table));
            }
            Some(None) => {}
            None => findings.extend(untranslatable(subject, rule, target)),
        }
    }
    findings
}

fn options(kind: &Kind) -> Option<&[Choice]> {
    match kind {
        Kind::Choice { options, .. } => Some(options),
        _ => None,
    }
}

/// Rows whose target value the field does not have.
fn targets(table: &Table, field: &Field) -> Vec<Finding> {
    let Some(options) = options(&field.kind) else { return Vec::new() };
    let rows = table.rows.iter().filter(|(_, row)| {
        let to = row.to.trim();
        let named = options.iter().filter(|option| folded(&option.label) == folded(to)).count();
        !to.is_empty() && named != 1 && !options.iter().any(|option| option.value == to)
    });
    rows.map(|(from, row)| {
        let known = options.iter().flat_map(|option| [option.value.as_str(), option.label.as_str()]);
        let message = format!("`{from}` is translated to `{}`, which is no option of `{}`", row.to, field.name);
        let hint = did_you_mean(&row.to, known).unwrap_or_else(|| {
            format!("the options are {}", listed(options.iter().map(|option| option.value.as_str())))
        });
        Finding::new(Weight::Error, "table_target_unknown", message).at(&row.place).hint(hint)
    })
    .collect()
}

/// Rows for source values that the field does not have (any more). Records may hold them still: platforms keep what
/// was taken off a list, so such a row is doubtful and no mistake.
fn sources(subject: &Subject<'_>, rule: &Rule, table: &Table) -> Vec<Finding> {
    let From::Fields(names) = &rule.from else { return Vec::new() };
    if !rule.steps.is_empty() {
        return Vec::new();
    }
    let kinds: Option<Vec<&[Choice]>> =
        names.iter().map(|name| subject.source.field(name.as_str()).and_then(|field| options(&field.kind))).collect();
    let Some(kinds) = kinds else { return Vec::new() };
    let known = || kinds.iter().copied().flatten();
    let rows = table.rows.iter().filter(|(from, _)| !known().any(|option| option.value == **from));
    rows.map(|(from, row)| {
        let names = listed(names.iter().map(handover_model::FieldName::as_str));
        let message = format!("`{from}` is no option of {names}: only records that kept it from before use the row");
        let mut finding = Finding::new(Weight::Warning, "table_source_unknown", message).at(&row.place);
        finding.hint = known()
            .find(|option| folded(&option.label) == folded(from))
            .map(|option| format!("the option called `{}` has the value `{}`", option.label, option.value))
            .or_else(|| did_you_mean(from, known().map(|option| option.value.as_str())));
        finding
    })
    .collect()
}

/// A choice field into another one without a translation.
fn untranslatable(subject: &Subject<'_>, rule: &Rule, target: &Field) -> Vec<Finding> {
    let (From::Fields(names), Some(to)) = (&rule.from, options(&target.kind)) else { return Vec::new() };
    let by_label = rule.steps.iter().any(|step| step.name == BY_LABEL);
    if rule.steps.iter().any(|step| step.name != BY_LABEL) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for field in names.iter().filter_map(|name| subject.source.field(name.as_str())) {
        let Some(from) = options(&field.kind) else { continue };
        let has = |option: &Choice| {
            if by_label {
                to.iter().filter(|other| folded(&other.label) == folded(&option.label)).count() == 1
            } else {
                to.iter().any(|other| other.value == option.value)
            }
        };
        let lacking: Vec<&str> =
            from.iter().filter(|option| !has(option)).map(|option| option.label.as_str()).collect();
        if !lacking.is_empty() {
            let message = format!(
                "{} of {} options of `{}` are no options of `{}`: records that have them are held ({})",
                lacking.len(),
                from.len(),
                field.name,
                target.name,
                listed(lacking.iter().copied()),
            );
            let hint = "translate them: `translate: NAME` with a file translations/NAME.csv, or `steps: [by_label]`";
            findings.push(
                Finding::new(Weight::Warning, "missing_table", message)
                    .at_rule(rule)
                    .about(field.name.as_str())
                    .hint(hint),
            );
        }
    }
    findings
}

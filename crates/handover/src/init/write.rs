//! The proposed files, as text with comments.

use super::region;
use handover_model::{Kind, SystemName};

use super::flow::{ExcludedText, RuleText, Sides};
use super::lexicon::title;
use super::options::Row;
use super::template::Pair;
use super::{SystemView, Wanted};
use crate::config::kind_word;

/// A text as YAML: bare where that is safe, else in single quotes.
pub(super) fn scalar(text: &str) -> String {
    let starts = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '/');
    let safe = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | ' ' | '(' | ')' | ';' | '\'');
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if starts && text.chars().all(safe) && !text.ends_with(' ') && !words.contains(&text.to_lowercase().as_str()) {
        return text.to_owned();
    }
    if text.chars().any(char::is_control) {
        let escaped: String = text
            .chars()
            .flat_map(|c| match c {
                '"' | '\\' => vec!['\\', c],
                '\n' => vec!['\\', 'n'],
                c if c.is_control() => vec![' '],
                c => vec![c],
            })
            .collect();
        return format!("\"{escaped}\"");
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// One name or a list of names.
pub(super) fn names(names: &[&str]) -> String {
    match names {
        [one] => scalar(one),
        several => format!("[{}]", several.iter().map(|name| scalar(name)).collect::<Vec<_>>().join(", ")),
    }
}

/// A rule in its long form.
pub(super) fn rule(from: &str, keys: &str) -> String {
    format!("{{{from}, {keys}}}")
}

/// A rule with an expression, as a block when it has several lines.
pub(super) fn expression(expr: &str, keys: &str) -> String {
    if !expr.contains('\n') && keys.is_empty() {
        return format!("{{expr: '{}'}}", expr.replace('\'', "''"));
    }
    let mut text = "\n    expr: |".to_owned();
    for line in expr.lines() {
        text.push_str("\n      ");
        text.push_str(line.trim());
    }
    if !keys.is_empty() {
        text.push_str("\n    ");
        text.push_str(keys);
    }
    text
}

/// A field as an expression names it, each part in quotes where it is no plain word.
pub(super) fn path(field: &str) -> String {
    let part = |part: &str| {
        let plain = part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if plain { format!(".{part}") } else { format!(".\"{part}\"") }
    };
    field.split('.').map(part).collect()
}

/// A comment of one line.
fn comment(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.trim().is_empty() { String::new() } else { format!("  # {}", text.trim()) }
}

/// `handover.yaml`.
pub(super) fn project(from: &SystemView, to: &SystemView, flows: &[&str], off: &[(&str, &str)]) -> String {
    let system = |view: &SystemView| {
        let variable: String = view
            .name
            .as_str()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
            .collect();
        format!(
            "  {name}:{account}\n    platform: {platform}\n    token: {{env: {variable}_TOKEN}}\n    reserve: 20%{reserve}\n",
            name = view.name,
            account = comment(&format!("{} ({})", view.account.name, view.account.id)),
            platform = view.platform,
            reserve = comment("of every limit, left to the company's other integrations"),
        )
    };
    let mut waiting = String::new();
    if !off.is_empty() {
        waiting = format!("off:{}\n", comment("written down and not run; a name moved to `flows` switches it on"));
        off.iter().for_each(|(flow, cost)| waiting.push_str(&format!("  - {flow}{}\n", comment(cost))));
    }
    format!(
        "# {} to {}: proposed by `handover init`. Everything here is meant to be read and changed;\n\
         # `handover check` says what is missing, `handover plan` what would happen.\n\
         project: {}-to-{}\n\
         state: .handover/state.db{}\n\
         systems:\n{}{}\
         flows:{}\n{}{waiting}\
         policies:\n  errors: {{share: 5%, of_last: 500, or: 50}}{}\n  acknowledged_automations: []{}\n\
         # Parts of the company may move one after the other (docs/manual/cohorts.md):\n\
         # time_zone: Europe/Berlin\n\
         # cohorts:\n\
         #   - name: north\n\
         #     where: {{{}: '.name == \"North\"'}}  # by flow; what hangs on these records follows them\n\
         #     begins: 2027-01-04  # its records are carried from this day on\n\
         #     moves: 2027-02-01  # from this day on they are the new system's\n\
         # kill_date: 2027-03-31  # the old system is switched off: `handover status` counts the days\n",
        title(&from.platform),
        title(&to.platform),
        from.name,
        to.name,
        comment("or postgres://user:${DB_PASSWORD}@host/name"),
        system(from),
        system(to),
        comment("each is mappings/NAME.yaml; parents go first whatever the order here"),
        flows.iter().map(|flow| format!("  - {flow}\n")).collect::<String>(),
        comment("a run stops when more than that failed unannounced"),
        comment("the target's workflows that may act on what is written, by name"),
        flows.first().unwrap_or(&"deals"),
    )
}

/// `mappings/FLOW.yaml`.
pub(super) fn flow(
    sides: &Sides<'_>,
    pair: &Pair<'_>,
    key: Option<&str>,
    rules: &[RuleText],
    back: &[RuleText],
    excluded: &[ExcludedText],
) -> String {
    let (from, to) = (&sides.from.name, &sides.to.name);
    let mut text = format!("# {} of {from} to {} of {to}.\n", sides.source.label, sides.target.label);
    for line in pair.about.lines() {
        text.push_str(&format!("# {}\n", line.trim()));
    }
    text.push_str(
        "# Left: the target's field. Right: where its value comes from. `handover check` proves the whole.\n",
    );
    text.push_str(&format!("source: {{system: {from}, object: {}}}\n", pair.source));
    text.push_str(&format!("target: {{system: {to}, object: {}}}\n", pair.target));
    if !pair.scope.is_empty() {
        text.push_str(&format!("where: '{}'\n", pair.scope));
    }
    if let Some(key) = key {
        text.push_str(&format!("key: {}{}\n", scalar(key), comment("holds the source key: system:object:id")));
    }
    let both_ways = format!("or `both_ways`: what people change in {to} after the load goes back into {from}");
    text.push_str(&format!("direction: one_way{}\n", comment(&both_ways)));
    text.push_str(&format!("keep: fill_empty{}\n", comment("a value that the target has already stays")));
    let mut matching: Vec<String> = region::external_ids(sides)
        .map(|field| {
            format!("  - {{external_id: id, target: {}}}{}\n", scalar(field), comment("an earlier integration's"))
        })
        .collect();
    matching.extend(pair.matching.iter().map(|key| {
        let region = if key.kind == "phone" { region::of_zone(&sides.from.account.time_zone) } else { None };
        let region = region.map(|region| format!(", region: {region}")).unwrap_or_default();
        format!("  - {{{}: {}, target: {}{region}}}\n", key.kind, names(&key.source), names(&key.targets))
    }));
    if !matching.is_empty() {
        text.push_str(&format!("match:{}\n", comment("how a record is found that the target has already")));
        matching.iter().for_each(|line| text.push_str(line));
    }
    text.push_str(if rules.is_empty() { "fields: {}\n" } else { "fields:\n" });
    push_rules(&mut text, rules);
    if !back.is_empty() {
        text.push_str(&format!("back:{}\n", comment("for `both_ways`: what cannot simply be turned round")));
        push_rules(&mut text, back);
    }
    if !excluded.is_empty() {
        text.push_str("exclude:\n");
        for field in excluded {
            let line = format!("  {}: {}{}\n", scalar(&field.field), scalar(&field.reason), comment(&field.remark));
            text.push_str(&line);
        }
    }
    text
}

fn push_rules(text: &mut String, rules: &[RuleText]) {
    for rule in rules {
        let left = scalar(&rule.target);
        match rule.right.strip_prefix('\n') {
            Some(block) => text.push_str(&format!("  {left}:{}\n{block}\n", comment(&rule.remark))),
            None => text.push_str(&format!("  {left}: {}{}\n", rule.right, comment(&rule.remark))),
        }
    }
}

/// `fields.yaml`.
pub(super) fn fields(system: &SystemName, wanted: &[Wanted]) -> String {
    let mut text =
        "# Fields that the mappings need and the target lacks. `handover plan --create-fields` creates them;\n\
                    # delete what you do not want here and in the mapping.\n"
            .to_owned();
    if wanted.is_empty() {
        text.push_str("[]\n");
    }
    for Wanted { object, field, from } in wanted {
        let Some(kind) = kind_word(&field.kind) else { continue };
        text.push_str(&format!(
            "- system: {system}\n  object: {object}\n  name: {}\n  label: {}\n  kind: {kind}\n",
            scalar(field.name.as_str()),
            scalar(&field.label),
        ));
        if let Kind::Text { max: Some(max), .. } = &field.kind {
            text.push_str(&format!("  max: {max}\n"));
        }
        if let Kind::Reference { object, .. } = &field.kind {
            text.push_str(&format!("  to: {}\n", scalar(object.as_str())));
        }
        if field.unique {
            text.push_str("  unique: true\n");
        }
        text.push_str(&format!("  from: {}\n", scalar(from)));
        if let Kind::Choice { options, .. } = &field.kind {
            text.push_str("  options:\n");
            for option in options.iter() {
                text.push_str(&format!(
                    "    - {{value: {}, label: {}}}\n",
                    flow_scalar(&option.value),
                    flow_scalar(&option.label)
                ));
            }
        }
    }
    text
}

/// A text inside of braces.
fn flow_scalar(text: &str) -> String {
    scalar(text)
}

/// `translations/NAME.csv`.
pub(super) fn table(rows: &[Row]) -> String {
    let mut text = "from,to,comment\n".to_owned();
    for row in rows {
        let cells = [&row.from, &row.to, &row.comment].map(|cell| crate::config::csv_cell(cell, b',').into_owned());
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

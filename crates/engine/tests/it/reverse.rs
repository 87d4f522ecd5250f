//! Rules turned round, and parts put back into lists.

use handover_engine::transform::{Part, Program, Tables, put, reversed};
use handover_model::{From, Kind, Rule, Value, Writable};

use crate::project::*;

fn source_schema() -> handover_model::Schema {
    let mut fields = vec![
        field("name", text()),
        field("emails", Kind::Email { many: true }),
        field("phones", Kind::Phone { many: true }),
        field("note", Kind::Text { max: None, html: true }),
        field("stage", text()),
        field("made", Kind::DateTime),
    ];
    fields[5].writable = Writable::Never;
    schema("persons", fields)
}

/// The rule's way back, in words: `source <- target | steps | parts | table`, or why there is none.
fn back(rule: Rule, own: Vec<Rule>) -> String {
    let mut flow = flow(vec![rule]);
    flow.back = own;
    let reversed = reversed(&flow, &source_schema(), &table("stages", &[("1", "a"), ("2", "b"), ("3", "b")]));
    let mut lines: Vec<String> = reversed
        .flow
        .rules
        .iter()
        .zip(&reversed.parts)
        .map(|(rule, parts)| {
            let from = match &rule.from {
                From::Fields(names) => names.iter().map(ToString::to_string).collect::<Vec<_>>().join("+"),
                From::Expression(text) => format!("({text})"),
                From::Constant(value) => value.display(),
            };
            let steps: Vec<&str> = rule.steps.iter().map(|step| step.name.as_str()).collect();
            let mut line = format!("{} <- {from}", rule.target);
            if !steps.is_empty() {
                line.push_str(&format!(" | {}", steps.join(" ")));
            }
            if !parts.is_empty() {
                line.push_str(&format!(" | {parts:?}"));
            }
            if let Some(name) = &rule.table {
                let rows: Vec<String> = reversed.tables.0.get(name).map_or_else(Vec::new, |table| {
                    table.rows.iter().map(|(from, row)| format!("{from}={}", row.to)).collect()
                });
                line.push_str(&format!(" | {name}: {}", rows.join(" ")));
            }
            line
        })
        .collect();
    lines.extend(reversed.one_way.iter().map(|one_way| format!("{}: {}", one_way.target, one_way.why)));
    lines.join("\n")
}

#[test]
fn rules_are_turned_round_or_say_why_not() {
    let rows: Vec<(Rule, &str)> = vec![
        (from("t", "name"), "name <- t"),
        (stepping(from("t", "name"), &[("trim", &[]), ("title", &[])]), "name <- t"),
        (stepping(from("t", "name"), &[("prefix", &[("text", "PD-".into())])]), "name <- t | without_prefix"),
        (
            stepping(from("t", "name"), &[("prefix", &[("text", "a".into())]), ("suffix", &[("text", "b".into())])]),
            "name <- t | without_suffix without_prefix",
        ),
        (stepping(from("t", "emails"), &[("primary", &[])]), "emails <- t | [Primary]"),
        (stepping(from("t", "phones"), &[("others", &[]), ("first", &[])]), "phones <- t | [Others, First]"),
        (stepping(from("t", "phones"), &[("phone", &[]), ("primary", &[])]), "phones <- t | [Primary]"),
        (stepping(from("t", "name"), &[("primary", &[])]), "t: `name` holds no list"),
        (stepping(from("t", "note"), &[("text", &[])]), "note <- t | html"),
        (stepping(from("t", "name"), &[("length", &[])]), "t: the step `length` cannot be turned round"),
        (
            stepping(from("t", "emails"), &[("prefix", &[("text", "a".into())]), ("primary", &[])]),
            "t: what stands before the step `primary` cannot be turned round",
        ),
        (translating(from("t", "stage"), "stages"), "stage <- t | stages.back: a=1"),
        (from("t", "made"), "t: `made` cannot be written in the source"),
        (from("t", "id"), "t: it is the record's id"),
        (constant("t", "x"), "t: it is the same for every record"),
        (
            expression("t", ".name"),
            "t: an expression cannot be turned round: write the source field's own rule under `back`",
        ),
    ];
    for (rule, expected) in rows {
        assert_eq!(back(rule, Vec::new()), expected);
    }
}

#[test]
fn rules_of_their_own_come_first() {
    let own = || from("name", "t");
    assert_eq!(back(from("t", "name"), vec![own()]), "name <- t");
    assert_eq!(back(expression("t", ".name"), vec![own()]), "name <- t");
    assert_eq!(back(from("u", "name"), vec![expression("name", ".t")]), "name <- (.t)");
    let table = translating(from("stage", "t"), "stages");
    assert_eq!(back(expression("t", ".stage"), vec![table]), "stage <- t | stages.back: a=1");
}

#[test]
fn the_flow_has_its_ends_exchanged() {
    let mut flow = flow(vec![from("t", "name")]);
    flow.key = Some("key".into());
    let reversed = reversed(&flow, &source_schema(), &Tables::default());
    assert_eq!(reversed.flow.name, "persons.back");
    assert_eq!((&reversed.flow.source, &reversed.flow.target), (&flow.target, &flow.source));
    assert_eq!(reversed.flow.key, None);
    assert_eq!(reversed.forward, [Some(0)]);
    let target = schema("contacts", vec![field("t", text())]);
    assert!(Program::compile(&reversed.flow, &target, &source_schema(), &reversed.tables).is_ok());
}

/// What the list's entries are after a part was put back: the primary one with a star.
fn after(parts: &[Part], old: &[&str], new: Value) -> String {
    let Value::List(items) = put(parts, &entries(old), new) else { return "no list".to_owned() };
    let shown = items.iter().map(|item| match item {
        Value::Map(parts) => {
            let star = if parts.get("primary") == Some(&Value::Bool(true)) { "*" } else { "" };
            let label = if parts.contains_key("label") { "" } else { " (new)" };
            format!("{star}{}{label}", item.display())
        }
        other => format!("? {}", other.display()),
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[test]
fn parts_go_back_into_their_place() {
    use Part::{First, Last, Others, Primary, Rest};
    let rows: Vec<(&[Part], &[&str], Value, &str)> = vec![
        (&[Primary], &["a", "*b", "c"], "x".into(), "a, *x, c"),
        (&[Primary], &["a", "b"], "x".into(), "*x, b"),
        (&[Primary], &[], "x".into(), "*x (new)"),
        (&[Primary], &["a", "*b"], Value::Null, "a"),
        (&[Others], &["a", "*b", "c"], list(&["c", "d"]), "*b, c, d"),
        (&[Others], &["*b"], list(&["d"]), "*b, d (new)"),
        (&[Others], &["a", "*b"], Value::Null, "*b"),
        (&[Others, First], &["*a", "b", "c"], "x".into(), "*a, x, c"),
        (&[Others, First], &["*a"], "x".into(), "*a, x (new)"),
        (&[Others, First], &["*a", "b", "c"], Value::Null, "*a, c"),
        (&[First], &["a", "b"], "x".into(), "x, b"),
        (&[Last], &["a", "b"], "x".into(), "a, x"),
        (&[Last], &[], "x".into(), "x (new)"),
        (&[Rest], &["a", "b", "c"], list(&["c"]), "a, c"),
    ];
    for (parts, old, new, expected) in rows {
        assert_eq!(after(parts, old, new.clone()), expected, "{parts:?} {old:?} <- {}", new.display());
    }
}

//! Small schemas, flows and records for tests of rules.
#![expect(clippy::unwrap_used, reason = "literals of the tests themselves")]

use std::collections::BTreeMap;

use handover_engine::transform::{Mapped, Program, State, Tables};
use handover_model::{
    Cause, Choice, Default, End, Field, FieldName, Fields, Finding, Flow, From, Kind, Place, ReadCost, Record,
    RecordId, Rule, Schema, Step, Table, TableRow, Value, Weight, Writable,
};

pub(crate) fn place(line: u32) -> Place {
    Place { file: "mappings/persons.yaml".into(), line, column: 3 }
}

pub(crate) fn field(name: &str, kind: Kind) -> Field {
    Field {
        name: FieldName::from(name),
        label: name.to_owned(),
        kind,
        required: false,
        writable: Writable::Always,
        unique: false,
        custom: false,
        read: ReadCost::Listed,
        blank_is_zero: false,
    }
}

pub(crate) fn text() -> Kind {
    Kind::Text { max: None, html: false }
}

pub(crate) fn text_of(max: u32) -> Kind {
    Kind::Text { max: Some(max), html: false }
}

pub(crate) fn html() -> Kind {
    Kind::Text { max: None, html: true }
}

/// Options as `value=label`.
pub(crate) fn choice(options: &[&str], many: bool) -> Kind {
    let options = options.iter().map(|option| {
        let (value, label) = option.split_once('=').unwrap_or((option, option));
        Choice { value: value.to_owned(), label: label.to_owned(), within: None }
    });
    Kind::Choice { options: options.collect(), many }
}

pub(crate) fn link(object: &str, many: bool) -> Kind {
    Kind::Reference { object: object.into(), many }
}

pub(crate) fn schema(object: &str, fields: Vec<Field>) -> Schema {
    Schema {
        object: object.into(),
        label: object.to_owned(),
        fields,
        name: None,
        content: false,
        own: std::collections::BTreeMap::new(),
    }
}

pub(crate) fn from(target: &str, source: &str) -> Rule {
    rule(target, From::Fields(source.split_whitespace().map(FieldName::from).collect()))
}

pub(crate) fn expression(target: &str, text: &str) -> Rule {
    rule(target, From::Expression(text.to_owned()))
}

pub(crate) fn constant(target: &str, value: impl Into<Value>) -> Rule {
    rule(target, From::Constant(value.into()))
}

fn rule(target: &str, from: From) -> Rule {
    Rule { place: place(10), ..Rule::new(target, from) }
}

pub(crate) fn defaulting(mut rule: Rule, value: impl Into<Value>) -> Rule {
    rule.default = Some(Default(value.into()));
    rule
}

pub(crate) fn translating(mut rule: Rule, table: &str) -> Rule {
    rule.table = Some(table.to_owned());
    rule
}

/// Steps with their arguments, as the mapping gives them: `("phone", &[("region", "DE".into())])`.
pub(crate) fn stepping(mut rule: Rule, steps: &[(&str, &[(&str, Value)])]) -> Rule {
    rule.steps = steps
        .iter()
        .map(|(name, arguments)| Step {
            name: (*name).to_owned(),
            arguments: arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            place: place(11),
        })
        .collect();
    rule
}

pub(crate) fn flow(rules: Vec<Rule>) -> Flow {
    Flow {
        place: Place { file: "mappings/persons.yaml".into(), line: 0, column: 0 },
        ..Flow::new("persons", End::new("old", "persons"), End::new("new", "contacts"), rules)
    }
}

pub(crate) fn table(name: &str, rows: &[(&str, &str)]) -> Tables {
    let place = |line| Place { file: format!("translations/{name}.csv").into(), line, column: 1 };
    let rows = rows
        .iter()
        .zip(2..)
        .map(|((from, to), line)| ((*from).to_owned(), TableRow { to: (*to).to_owned(), place: place(line) }));
    let table = Table { name: name.to_owned(), rows: rows.collect(), place: place(0) };
    Tables(BTreeMap::from([(name.to_owned(), table)]))
}

pub(crate) fn record(fields: &[(&str, Value)]) -> Record {
    let fields: Fields = fields.iter().map(|(name, value)| (FieldName::from(*name), value.clone())).collect();
    Record { id: RecordId::from("77"), fields, modified: None, gone: false }
}

/// An e-mail or phone list; the entry with a star is the primary one.
pub(crate) fn entries(values: &[&str]) -> Value {
    let entry = |value: &&str| {
        Value::Map(BTreeMap::from([
            ("value".to_owned(), Value::from(value.trim_start_matches('*'))),
            ("label".to_owned(), Value::from("work")),
            ("primary".to_owned(), Value::from(value.starts_with('*'))),
        ]))
    };
    Value::List(values.iter().map(entry).collect())
}

pub(crate) fn list(values: &[&str]) -> Value {
    Value::List(values.iter().map(|value| Value::from(*value)).collect())
}

pub(crate) fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

/// One rule on one record: what becomes of it, in a form that tests can read.
pub(crate) fn applied(rule: Rule, source: Vec<Field>, to: Kind, tables: &Tables, record: &Record) -> String {
    let target = schema("contacts", vec![field(rule.target.as_str(), to)]);
    match Program::compile(&flow(vec![rule]), &schema("persons", source), &target, tables) {
        Ok(program) => {
            let mapped: Vec<Mapped> = program.apply(record);
            assert_eq!(mapped.len(), 1, "one entry for each rule");
            mapped.first().map(|mapped| shown(&mapped.state)).unwrap_or_default()
        }
        Err(findings) => told(&findings),
    }
}

/// A state in words. Values are shown: these are the tests' own.
pub(crate) fn shown(state: &State) -> String {
    match state {
        State::Absent => "absent".to_owned(),
        State::Value(value) => value_shown(value),
        State::User(user) => format!("user {user}"),
        State::Links(ids) => format!("links {}", ids.join(" ")),
        State::Problem(cause, value) => {
            let value = value.as_ref().map(Value::display).unwrap_or_default();
            let about = match cause {
                Cause::Untranslated { value, label, table, .. } => format!(" [{table}: {value} = {label}]"),
                _ => String::new(),
            };
            format!("{}: {}{about} <{value}>", cause.word(), cause.sentence())
        }
    }
}

pub(crate) fn value_shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => format!("bool {flag}"),
        Value::Number(number) => format!("number {}", number.normalize()),
        Value::Text(text) => format!("text {text}"),
        Value::Date(day) => format!("date {day}"),
        Value::DateTime(instant) => format!("datetime {instant}"),
        Value::Time(time) => format!("time {time}"),
        Value::List(items) => format!("[{}]", items.iter().map(value_shown).collect::<Vec<_>>().join(", ")),
        Value::Map(parts) => {
            format!("{{{}}}", parts.iter().map(|(k, v)| format!("{k}: {}", v.display())).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Findings as a terminal would tell them.
pub(crate) fn told(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|finding| {
        let weight = match finding.weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
            Weight::Note => "note",
        };
        let place = finding.place.as_ref().map(|place| format!("{place}+{}", finding.width)).unwrap_or_default();
        let hint = finding.hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
        format!("{weight}[{}] {place}: {}{hint}", finding.code, finding.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}

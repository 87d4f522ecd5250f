//! Lists: e-mail and phone lists, joining, choosing one of several values.

use std::collections::BTreeMap;

use handover_model::Value;

use super::super::registry::{BY_LABEL, Back, Function, Part, Place, Type};
use super::{USUAL, items, optional, required, text_or, value};

const LIST: super::Parameter = value(Type::Any, "The list; a single value is a list of one.");
const SEPARATOR: super::Parameter = optional("separator", Type::Text, "What stands between the entries.");

pub(super) static ALL: &[Function] = &[
    Function {
        name: "primary",
        doc: "The primary entry of an e-mail or phone list, else the first that is not blank.",
        parameters: &[LIST],
        blank: true,
        each: false,
        example: r#"primary([{"value": "a@x.example"}, {"value": "b@x.example", "primary": true}])"#,
        result: "b@x.example",
        run: |arguments| Ok(primary_of(items(arguments.first())).cloned().unwrap_or(Value::Null)),
        back: Back::Part(Part::Primary),
        ..USUAL
    },
    Function {
        name: "others",
        doc: "All entries of an e-mail or phone list but the primary one: joined if a separator is given, else a list.",
        parameters: &[LIST, SEPARATOR],
        gives: Type::Any,
        blank: true,
        place: Place::Steps,
        each: false,
        example: r#"others(["a@x.example", "b@x.example", "c@x.example"], ";")"#,
        result: "b@x.example;c@x.example",
        run: |arguments| {
            let all = items(arguments.first());
            let primary = primary_of(all);
            let rest: Vec<Value> =
                all.iter().map(entry).filter(|item| !item.is_blank() && Some(*item) != primary).cloned().collect();
            Ok(match arguments.get(1) {
                None | Some(Value::Null) => Value::List(rest),
                Some(_) => joined(&rest, &text_or(arguments, 1, "")),
            })
        },
        back: Back::Part(Part::Others),
        ..USUAL
    },
    Function {
        name: "join",
        doc: "Writes the entries of a list one after the other; blank ones are left out.",
        parameters: &[LIST, SEPARATOR],
        blank: true,
        each: false,
        example: r#"join(["red", "blue"], "; ")"#,
        result: "red; blue",
        run: |arguments| Ok(joined(items(arguments.first()), &text_or(arguments, 1, ", "))),
        ..USUAL
    },
    Function {
        name: "concat",
        doc: "Puts several values together to a text; blank ones are left out, with their separator.",
        parameters: &[value(Type::List, "The values."), SEPARATOR],
        blank: true,
        place: Place::Expressions,
        each: false,
        example: r#"concat(["Ada", null, "Lovelace"], " ")"#,
        result: "Ada Lovelace",
        run: |arguments| Ok(joined(items(arguments.first()), &text_or(arguments, 1, ""))),
        ..USUAL
    },
    Function {
        name: "first",
        doc: "The first entry of a list.",
        parameters: &[LIST],
        gives: Type::Any,
        blank: true,
        each: false,
        example: r#"first(["red", "blue"])"#,
        result: "red",
        run: |arguments| Ok(items(arguments.first()).first().cloned().unwrap_or(Value::Null)),
        back: Back::Part(Part::First),
        ..USUAL
    },
    Function {
        name: "last",
        doc: "The last entry of a list.",
        parameters: &[LIST],
        gives: Type::Any,
        blank: true,
        each: false,
        example: r#"last(["red", "blue"])"#,
        result: "blue",
        run: |arguments| Ok(items(arguments.first()).last().cloned().unwrap_or(Value::Null)),
        back: Back::Part(Part::Last),
        ..USUAL
    },
    Function {
        name: "rest",
        doc: "All entries of a list but the first.",
        parameters: &[LIST],
        gives: Type::List,
        blank: true,
        each: false,
        example: r#"rest(["red", "blue", "green"])"#,
        result: "blue, green",
        run: |arguments| Ok(Value::List(items(arguments.first()).get(1..).unwrap_or_default().to_vec())),
        back: Back::Part(Part::Rest),
        ..USUAL
    },
    Function {
        name: "coalesce",
        doc: "The first of several values that is not blank.",
        parameters: &[value(Type::List, "The values, in order.")],
        gives: Type::Any,
        blank: true,
        place: Place::Expressions,
        each: false,
        example: r#"coalesce([null, "", "Ada"])"#,
        result: "Ada",
        run: |arguments| {
            Ok(items(arguments.first()).iter().find(|item| !item.is_blank()).cloned().unwrap_or(Value::Null))
        },
        ..USUAL
    },
    Function {
        name: "of_each",
        doc: "Of each entry of a map the parts with these names, in the same map; entries that have none of them are left \
              out.",
        parameters: &[
            value(Type::Any, "A map of maps: prices by currency."),
            required("parts", Type::List, "The names of the parts."),
        ],
        gives: Type::Any,
        place: Place::Expressions,
        each: false,
        example: r#"of_each({"EUR": {"cost": 4, "price": 10}, "USD": {"cost": 5}}, ["price"])"#,
        result: "EUR: price: 10",
        run: |arguments| Ok(of_each(arguments)),
        ..USUAL
    },
    Function {
        name: "default",
        doc: "Another value where the value is blank.",
        parameters: &[value(Type::Any, "The value."), required("to", Type::Any, "What stands in for a blank.")],
        gives: Type::Any,
        each: false,
        sees_blank: true,
        example: r#"default("", "unknown")"#,
        result: "unknown",
        run: |arguments| {
            let blank = arguments.first().is_none_or(Value::is_blank);
            Ok(arguments.get(usize::from(blank)).cloned().unwrap_or(Value::Null))
        },
        back: Back::Same,
        ..USUAL
    },
    Function {
        name: "blank_if",
        doc: "Nothing where the value is this one: what a system says that has a word for nothing.",
        parameters: &[value(Type::Any, "The value."), required("is", Type::Any, "What stands for nothing.")],
        gives: Type::Any,
        blank: true,
        example: r#"default(blank_if("n/a", "n/a"), "unknown")"#,
        result: "unknown",
        run: |arguments| match arguments {
            [value, nothing] if value.display() == nothing.display() => Ok(Value::Null),
            [value, ..] => Ok(value.clone()),
            [] => Ok(Value::Null),
        },
        back: Back::Same,
        ..USUAL
    },
    Function {
        name: BY_LABEL,
        doc: "Takes the target's option with the same label as the source's, without regard to case and blanks.",
        parameters: &[value(Type::Any, "The source's option.")],
        place: Place::Steps,
        example: "{from: label, steps: [by_label]}",
        back: Back::Step(BY_LABEL),
        ..USUAL
    },
];

/// The entry that is marked as primary, else the first that is not blank; of maps their `value`.
pub(crate) fn primary_of(items: &[Value]) -> Option<&Value> {
    let marked = items.iter().find(|item| match item {
        Value::Map(parts) => parts.get("primary") == Some(&Value::Bool(true)) && !entry(item).is_blank(),
        _ => false,
    });
    marked.map(entry).or_else(|| items.iter().map(entry).find(|item| !item.is_blank()))
}

/// What an entry is about: the `value` of a map, the entry itself otherwise.
fn entry(item: &Value) -> &Value {
    match item {
        Value::Map(parts) => parts.get("value").unwrap_or(item),
        _ => item,
    }
}

fn of_each(arguments: &[Value]) -> Value {
    let Some(Value::Map(entries)) = arguments.first() else { return Value::Null };
    let names: Vec<String> = items(arguments.get(1)).iter().map(Value::display).collect();
    let parts_of = |entry: &Value| match entry {
        Value::Map(parts) => {
            let some: BTreeMap<String, Value> = parts
                .iter()
                .filter(|(name, part)| names.contains(name) && !part.is_blank())
                .map(|(name, part)| (name.clone(), part.clone()))
                .collect();
            (!some.is_empty()).then_some(Value::Map(some))
        }
        _ => None,
    };
    let kept: BTreeMap<String, Value> =
        entries.iter().filter_map(|(name, entry)| Some((name.clone(), parts_of(entry)?))).collect();
    if kept.is_empty() { Value::Null } else { Value::Map(kept) }
}

fn joined(items: &[Value], separator: &str) -> Value {
    let parts: Vec<String> = items.iter().filter(|item| !item.is_blank()).map(Value::display).collect();
    if parts.is_empty() { Value::Null } else { parts.join(separator).into() }
}

//! E-mail as records: the participants of a message in one text.

use handover_model::Value;
use serde_json::{Value as Json, json};

use super::super::registry::{Function, Place, Type};
use super::contact::{email_form, split_name};
use super::{USUAL, items, optional, value};

pub(super) static ALL: &[Function] = &[Function {
    name: "email_headers",
    doc: "The participants of an e-mail in one text, for CRMs that take them so: JSON with `from`, `to`, `cc` and \
          `bcc`, each with `email`, `firstName` and `lastName`. Entries are addresses, or maps with the address as \
          `value` and the name as `label`.",
    parameters: &[
        value(Type::Any, "Who sent it."),
        optional("to", Type::Any, "Who got it."),
        optional("cc", Type::Any, "Who got a copy."),
        optional("bcc", Type::Any, "Who got a blind copy."),
    ],
    blank: true,
    place: Place::Expressions,
    each: false,
    sees_blank: true,
    example: r#"email_headers("ada@x.example", ["bo@y.example"])"#,
    result: r#"{"bcc":[],"cc":[],"from":{"email":"ada@x.example"},"to":[{"email":"bo@y.example"}]}"#,
    run: |arguments| Ok(headers(arguments)),
    ..USUAL
}];

fn headers(arguments: &[Value]) -> Value {
    let list = |at: usize| -> Vec<Json> { items(arguments.get(at)).iter().filter_map(party).collect() };
    let (from, to, cc, bcc) = (list(0), list(1), list(2), list(3));
    if from.is_empty() && to.is_empty() && cc.is_empty() && bcc.is_empty() {
        return Value::Null;
    }
    json!({"from": from.into_iter().next(), "to": to, "cc": cc, "bcc": bcc}).to_string().into()
}

/// One participant; `None` without an address.
fn party(entry: &Value) -> Option<Json> {
    let part = |name: &str| match entry {
        Value::Map(parts) => parts.get(name).map(Value::display).unwrap_or_default(),
        other if name == "value" => other.display(),
        _ => String::new(),
    };
    let address = email_form(&part("value"));
    if address.is_empty() {
        return None;
    }
    let mut party = json!({ "email": address });
    let (first, last) = split_name(&part("label"));
    for (key, name) in [("firstName", first), ("lastName", last)] {
        if !name.is_empty() {
            party[key] = json!(name);
        }
    }
    Some(party)
}

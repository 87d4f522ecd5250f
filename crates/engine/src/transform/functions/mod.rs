//! The steps and functions themselves, by what they work on.

mod clean;
mod contact;
mod lists;
mod mail;
mod markup;
mod number;
mod phone;
mod text;
mod time;

use handover_model::Value;

use super::registry::{Back, Function, Parameter, Place, Type};

pub(crate) use contact::{email_form, host};
pub(crate) use lists::primary_of;
pub(crate) use markup::{html_to_text, text_to_html};
pub(crate) use number::{flag_of, number_of};
pub(crate) use phone::{PhoneForm, phone_form, region_of};
pub(crate) use time::{date_of, instant_of, time_of};

/// Every function.
pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    text::ALL
        .iter()
        .chain(lists::ALL)
        .chain(contact::ALL)
        .chain(clean::ALL)
        .chain(mail::ALL)
        .chain(phone::ALL)
        .chain(markup::ALL)
        .chain(number::ALL)
        .chain(time::ALL)
}

/// What most functions are: usable everywhere, going over each entry of a list, unable to fail.
const USUAL: Function = Function {
    name: "",
    doc: "",
    parameters: &[],
    gives: Type::Text,
    blank: false,
    fallible: false,
    place: Place::Everywhere,
    each: true,
    sees_blank: false,
    back: Back::Lost,
    example: "",
    result: "",
    run: |_| Ok(Value::Null),
};

/// The value itself.
const fn value(takes: Type, doc: &'static str) -> Parameter {
    Parameter { name: "value", takes, required: true, words: &[], doc }
}

const fn required(name: &'static str, takes: Type, doc: &'static str) -> Parameter {
    Parameter { name, takes, required: true, words: &[], doc }
}

const fn optional(name: &'static str, takes: Type, doc: &'static str) -> Parameter {
    Parameter { name, takes, required: false, words: &[], doc }
}

const fn word(name: &'static str, words: &'static [&'static str], doc: &'static str) -> Parameter {
    Parameter { name, takes: Type::Text, required: false, words, doc }
}

/// An argument; null when it is not given.
fn value_at(arguments: &[Value], at: usize) -> &Value {
    arguments.get(at).unwrap_or(&Value::Null)
}

/// An argument as text; empty when it is not given.
fn text_at(arguments: &[Value], at: usize) -> String {
    match arguments.get(at) {
        Some(Value::Text(text)) => text.clone(),
        Some(value) => value.display(),
        None => String::new(),
    }
}

/// An argument as text, or `otherwise` when it is not given. Blanks count: a separator may be one.
fn text_or(arguments: &[Value], at: usize, otherwise: &str) -> String {
    match arguments.get(at) {
        None | Some(Value::Null) => otherwise.to_owned(),
        Some(Value::Text(text)) => text.clone(),
        Some(value) => value.display(),
    }
}

/// A whole number of at least 0.
fn count_at(arguments: &[Value], at: usize) -> Option<usize> {
    use rust_decimal::prelude::ToPrimitive;
    match arguments.get(at)? {
        Value::Number(number) => number.to_usize(),
        _ => None,
    }
}

/// The entries of a list; anything else is a list of one.
fn items(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::List(items)) => items,
        Some(value) if !value.is_blank() => std::slice::from_ref(value),
        _ => &[],
    }
}

//! A value into the kind of its target field.
//!
//! Decisions that are not obvious: a day becomes the instant of its midnight in UTC and an instant the day
//! that it is in UTC; a number in text is read in plain notation only (`1234.5`; the step `number` reads
//! others); of an e-mail or phone list a text field takes the primary entry; yes/no becomes `true` and
//! `false` in text. Nothing is cut, rounded or dropped here: what does not fit is refused with its rule.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use handover_model::{Field, FieldName, Kind, Value};

use super::functions::{date_of, flag_of, instant_of, number_of, primary_of, time_of};
use super::normalize::folded;
use super::validate::{Broken, validate};

/// What a target field takes, made ready for many values.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) field: FieldName,
    pub(crate) kind: Kind,
    options: HashMap<String, ()>,
    labels: HashMap<String, Option<String>>,
}

impl Shape {
    pub(crate) fn of(field: &Field) -> Self {
        let mut options = HashMap::new();
        let mut labels: HashMap<String, Option<String>> = HashMap::new();
        if let Kind::Choice { options: all, .. } = &field.kind {
            for option in all.iter() {
                options.insert(option.value.clone(), ());
                // Two options with one label: the label alone decides nothing.
                labels
                    .entry(folded(&option.label))
                    .and_modify(|have| *have = None)
                    .or_insert_with(|| Some(option.value.clone()));
            }
        }
        Self { field: field.name.clone(), kind: field.kind.clone(), options, labels }
    }

    /// Whether a choice field has this option.
    pub(crate) fn has_option(&self, value: &str) -> bool {
        self.options.contains_key(value)
    }

    /// The option that has this label, if exactly one has it.
    pub(crate) fn option_by_label(&self, label: &str) -> Option<&str> {
        self.labels.get(&folded(label))?.as_deref()
    }

    /// A value that is not blank, in the field's kind and found valid. Null when nothing of it is left.
    pub(crate) fn convert(&self, value: Cow<'_, Value>) -> Result<Value, Broken> {
        let value = self.form(value)?;
        validate(&self.kind, &value)?;
        Ok(value)
    }

    fn form(&self, value: Cow<'_, Value>) -> Result<Value, Broken> {
        match &self.kind {
            Kind::Text { .. } => Ok(text(value)),
            Kind::Bool => one(&value, flag_of).map(Value::Bool).ok_or("not a yes/no value".into()),
            Kind::Number => one(&value, number_of).map(Value::Number).ok_or("not a number".into()),
            Kind::Date => one(&value, date_of).map(Value::Date).ok_or("not a day".into()),
            Kind::DateTime => one(&value, instant_of).map(Value::DateTime).ok_or("not a date and time".into()),
            Kind::Time => one(&value, time_of).map(Value::Time).ok_or("not a time of day".into()),
            Kind::Choice { many: false, .. } => match value {
                Cow::Owned(Value::Text(text)) if self.has_option(&text) => Ok(Value::Text(text)),
                value => self.option(single(&value)?),
            },
            Kind::Choice { many: true, .. } => self.several_options(&value),
            Kind::User => Ok(word(single(&value)?)),
            Kind::Reference { many, .. } => references(&value, *many),
            Kind::Email { many: false } | Kind::Phone { many: false } => Ok(trimmed(text(value))),
            Kind::Email { many: true } | Kind::Phone { many: true } => Ok(entries(&value)),
            Kind::Currency => currency(&value),
            Kind::Opaque => Ok(value.into_owned()),
        }
    }

    fn option(&self, value: &Value) -> Result<Value, Broken> {
        let word = word(value);
        match &word {
            Value::Text(text) if self.has_option(text) => Ok(word),
            _ => Err("the value is not among the field's options".into()),
        }
    }

    fn several_options(&self, value: &Value) -> Result<Value, Broken> {
        let mut out: Vec<Value> = Vec::new();
        for item in items(value).iter().filter(|item| !item.is_blank()) {
            let option = self.option(item)?;
            if !out.contains(&option) {
                out.push(option);
            }
        }
        Ok(Value::List(out))
    }
}

/// The one value of a field that takes one.
fn single(value: &Value) -> Result<&Value, Broken> {
    let mut left = items(value).iter().filter(|item| !item.is_blank());
    match (left.next(), left.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Ok(&Value::Null),
        (Some(_), Some(_)) => Err("several values where the field takes one (the step `first` chooses)".into()),
    }
}

fn items(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        other => std::slice::from_ref(other),
    }
}

/// Reads a value, or the single entry of a list.
fn one<T>(value: &Value, read: fn(&Value) -> Option<T>) -> Option<T> {
    match value {
        Value::List(_) => single(value).ok().and_then(read),
        Value::Map(parts) => parts.get("value").and_then(read),
        other => read(other),
    }
}

fn text(value: Cow<'_, Value>) -> Value {
    match value.as_ref() {
        Value::Text(_) => value.into_owned(),
        Value::List(items) if items.iter().any(|item| matches!(item, Value::Map(_))) => {
            primary_of(items).map_or(Value::Null, |primary| text(Cow::Borrowed(primary)))
        }
        other => other.display().into(),
    }
}

fn trimmed(value: Value) -> Value {
    match value {
        Value::Text(text) if text.trim().len() != text.len() => text.trim().into(),
        other => other,
    }
}

/// An option, user or record id as text.
fn word(value: &Value) -> Value {
    match value {
        Value::Text(_) => value.clone(),
        Value::Map(parts) => parts.get("value").or_else(|| parts.get("id")).map_or(Value::Null, word),
        Value::List(_) | Value::Null => Value::Null,
        other => other.display().into(),
    }
}

fn references(value: &Value, many: bool) -> Result<Value, Broken> {
    if !many {
        return Ok(word(single(value)?));
    }
    let mut out: Vec<Value> = Vec::new();
    for id in items(value).iter().map(word).filter(|id| !id.is_blank()) {
        if !out.contains(&id) {
            out.push(id);
        }
    }
    Ok(Value::List(out))
}

/// An e-mail or phone list: maps of `value`, `label`, `primary`, exactly one of them primary.
fn entries(value: &Value) -> Value {
    let mut out: Vec<BTreeMap<String, Value>> = Vec::new();
    for item in items(value).iter().filter(|item| !item.is_blank()) {
        let parts = match item {
            Value::Map(parts) => parts.clone(),
            other => BTreeMap::from([("value".to_owned(), trimmed(other.display().into()))]),
        };
        if parts.get("value").is_some_and(|value| !value.is_blank()) {
            out.push(parts);
        }
    }
    let is_primary = |parts: &BTreeMap<String, Value>| parts.get("primary") == Some(&Value::Bool(true));
    let primary = out.iter().position(is_primary).unwrap_or(0);
    for (at, parts) in out.iter_mut().enumerate() {
        parts.insert("primary".to_owned(), Value::Bool(at == primary));
    }
    Value::List(out.into_iter().map(Value::Map).collect())
}

fn currency(value: &Value) -> Result<Value, Broken> {
    let code = single(value)?.display().trim().to_uppercase();
    if code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase()) {
        Ok(code.into())
    } else {
        Err("not a currency code of three letters".into())
    }
}

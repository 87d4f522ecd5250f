//! Merge: what of the mapped values is written to a record that the target already has.
//!
//! Invariant (never blank): an absent or blank source value clears nothing.

use handover_model::{FieldName, Fields, Keep, Kind, Owner, Record, Value};
use jiff::{SignedDuration, Timestamp};

use crate::decide::Staged;
use crate::setup::{Ready, Shared};
use crate::three_way::extent;

/// Two clocks that differ by less are not compared.
pub(crate) const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// What a merge wants written, and what it found there before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Merged {
    pub(crate) write: Fields,
    pub(crate) before: Fields,
}

/// Merges mapped values into a target record by the flow's survivorship rules.
pub(crate) fn merge(ready: &Ready, staged: &Staged, mapped: &Fields, target: &Record) -> Merged {
    let mut merged = Merged::default();
    for (name, value) in mapped.iter() {
        let have = target.fields.get(name.as_str()).unwrap_or(&Value::Null);
        let Some(write) = survivor(ready, name, staged, value, target, have) else { continue };
        let kind = ready.target_field(name).map(|field| &field.kind);
        if !same(kind, &write, have) {
            merged.before.set(name.clone(), have.clone());
            merged.write.set(name.clone(), write);
        }
    }
    merged
}

fn survivor(
    ready: &Ready,
    name: &FieldName,
    staged: &Staged,
    value: &Value,
    target: &Record,
    have: &Value,
) -> Option<Value> {
    if value.is_blank() {
        return None;
    }
    if have.is_blank() || ready.flow.key.as_ref() == Some(name) {
        return Some(value.clone());
    }
    let rule = ready.flow.rules.iter().find(|rule| rule.target == *name);
    let keep = rule.and_then(|rule| rule.keep.as_ref()).unwrap_or(&ready.flow.keep);
    let many = ready.target_field(name).is_some_and(|field| matches!(field.kind, Kind::Reference { many: true, .. }));
    if many {
        return Some(union(have, value));
    }
    // What has passed to the target with its cohort is filled where it is empty.
    let passed = |field: &Shared| field.name == *name && field.then == Owner::Target;
    if staged.standing.moved && ready.shared.iter().any(passed) {
        return None;
    }
    let source = &staged.record;
    match keep {
        Keep::Source => Some(value.clone()),
        Keep::Target | Keep::FillEmpty => None,
        Keep::Newest => match (source.modified, target.modified) {
            (Some(ours), Some(theirs)) if ours.duration_since(theirs) > CLOCK_TOLERANCE => Some(value.clone()),
            _ => None,
        },
        Keep::MostComplete => (extent(value) > extent(have)).then(|| value.clone()),
        Keep::Concatenate(between) => Some(concatenate(have, value, between)),
    }
}

/// Links add up: those of the target stay.
pub(crate) fn union(have: &Value, value: &Value) -> Value {
    let mut ids: Vec<&str> = have.ids();
    for id in value.ids() {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Value::List(ids.into_iter().map(Value::from).collect())
}

fn concatenate(have: &Value, value: &Value, between: &str) -> Value {
    match (have, value) {
        (Value::Text(have), Value::Text(value)) if have.contains(value.as_str()) => Value::Text(have.clone()),
        (Value::Text(have), Value::Text(value)) if value.contains(have.as_str()) => Value::Text(value.clone()),
        (Value::Text(have), Value::Text(value)) => Value::Text(format!("{have}{between}{value}")),
        _ => have.clone(),
    }
}

/// What a record says once these fields are written to it.
pub(crate) fn written_over(mut there: Fields, written: &Fields) -> Fields {
    for (name, value) in written.iter() {
        there.set(name.clone(), value.clone());
    }
    there
}

/// Equal but for what platforms change by themselves.
pub(crate) fn same(kind: Option<&Kind>, one: &Value, other: &Value) -> bool {
    one == other || settled_form(kind, one) == settled_form(kind, other)
}

/// What a phone number says, however it is parted; of a text that says nothing the text.
fn dialled(text: &str) -> String {
    let said: String = text.chars().filter(|sign| sign.is_alphanumeric() || *sign == '+').collect();
    if said.is_empty() { text.trim().to_owned() } else { said }
}

/// A value without what platforms change by themselves: surrounding blanks, the order of several, the case
/// of e-mail addresses, what stands between the digits of phone numbers (sheet: Zoho section 5 \[doc\]), one value or a list of one, parts of seconds (HubSpot has thousandths, Pipedrive whole
/// seconds: sheets, HubSpot section 2.1 \[doc\], Pipedrive section 4 \[spec\]).
pub(crate) fn settled_form(kind: Option<&Kind>, value: &Value) -> Value {
    match value {
        value if value.is_blank() => Value::Null,
        Value::Text(text) if matches!(kind, Some(Kind::Email { .. })) => Value::Text(text.trim().to_lowercase()),
        Value::Text(text) if matches!(kind, Some(Kind::Phone { .. })) => Value::Text(dialled(text)),
        Value::Text(text) => Value::Text(text.trim().to_owned()),
        Value::List(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| settled_form(kind, item)).collect();
            items.sort();
            if items.len() == 1 { items.swap_remove(0) } else { Value::List(items) }
        }
        // Labels and order of addresses and numbers are not kept by every platform.
        Value::Map(parts) if matches!(kind, Some(Kind::Email { .. } | Kind::Phone { .. })) => {
            parts.get("value").map_or(Value::Null, |value| settled_form(kind, value))
        }
        Value::DateTime(instant) => Value::DateTime(Timestamp::from_second(instant.as_second()).unwrap_or(*instant)),
        value => value.clone(),
    }
}

//! Values there and back, cleared, and refused.

use std::collections::BTreeMap;

use handover_connect::{Connector as _, FaultKind, Links, WriteMode, WriteOutcome};
use handover_model::{Field, FieldName, Fields, Kind, ReadCost, Schema, Value, Writable};

use crate::conformance::Verdict;
use crate::conformance::stage::{Stage, create, hear, outcome, refused};
use crate::conformance::subject::{MARK, Object, Scene, Subject};
use crate::conformance::values::{Dice, same, value};

/// Values tried for each field.
const TRIES: usize = 4;

/// Fields that can be written for themselves, those of one structured value together.
fn groups<'a>(object: &Object, schema: &'a Schema, writable: &[Writable]) -> BTreeMap<&'a str, Vec<&'a Field>> {
    for (name, _) in object.apart {
        assert!(schema.field(name).is_some(), "`{name}` is described");
    }
    let mut groups: BTreeMap<&str, Vec<&Field>> = BTreeMap::new();
    for field in &schema.fields {
        let name = field.name.as_str();
        let is_apart = object.apart.iter().any(|(apart, _)| *apart == name);
        let is_listed = matches!(field.read, ReadCost::Listed);
        if writable.contains(&field.writable) && is_listed && !is_apart && field.kind != Kind::Opaque {
            let group = if name.starts_with("associations.") { name } else { name.split('.').next().unwrap() };
            groups.entry(group).or_default().push(field);
        }
    }
    groups
}

async fn refuses_writes(stage: &Stage, object: &Object) -> Option<Verdict> {
    if stage.can(object).write_batch > 0 {
        return None;
    }
    let batch = stage.batch(object, create(object), vec![(None, stage.subject.mint(object, 1))]);
    Some(Verdict::Refused(refused(stage, stage.driver.write(&batch)).await))
}

pub(crate) async fn fields_round_trip(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 2));
    let schema = stage.schema(object).await;
    if let Some(verdict) = refuses_writes(&stage, object).await {
        return verdict;
    }
    let mut dice = Dice::new();
    let mut rows = Vec::new();
    let mut wanted: Vec<Vec<(FieldName, Value)>> = Vec::new();
    let mut without = Vec::new();
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    for (group, fields) in groups(object, &schema, &[Writable::Always, Writable::OnCreate]) {
        for _ in 0..TRIES {
            let values: Option<Vec<_>> = fields
                .iter()
                .map(|field| Some((field.name.clone(), value(subject, object, field, &mut dice)?)))
                .collect();
            let Some(values) = values else {
                without.push(group);
                break;
            };
            let mut row = subject.mint(object, 100 + rows.len() as u64);
            for (name, value) in subject.along(object, group) {
                row.set(name.into(), value);
            }
            for (name, value) in &values {
                row.set(name.clone(), value.clone());
            }
            rows.push(row);
            wanted.push(values);
        }
        for field in fields {
            *kinds.entry(field.kind.word()).or_default() += 1;
        }
    }
    let ids = stage.make(object, &rows).await;
    for (id, values) in ids.iter().zip(&wanted) {
        let names = values.iter().map(|(name, _)| name.clone()).collect();
        let back = stage.fetch(object, &names, std::slice::from_ref(id)).await.unwrap().remove(0);
        for (name, value) in values {
            let read = back.fields.get(name.as_str()).unwrap_or_else(|| panic!("`{name}` is read"));
            assert!(same(value, read), "`{name}`: {} came back as {}", value.display(), read.display());
        }
    }
    without.extend(object.apart.iter().map(|(name, _)| *name));
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let without = if without.is_empty() { String::new() } else { format!("; without {}", without.join(", ")) };
    Verdict::Ran(format!("{}{without}", kinds.join(", ")))
}

pub(crate) async fn null_clears_and_absent_leaves(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 2));
    let schema = stage.schema(object).await;
    if let Some(verdict) = refuses_writes(&stage, object).await {
        return verdict;
    }
    let mut dice = Dice::new();
    let groups = groups(object, &schema, &[Writable::Always]);
    if groups.is_empty() || !updates(&stage, object).await {
        return Verdict::Refused("records are not changed after they were made".to_owned());
    }
    let mut kept = Vec::new();
    let mut filled = Vec::new();
    // Links that are no part of the record are neither written nor cleared with it.
    let apart = |field: &Field| {
        let separate = !matches!(stage.can(object).links, Links::Inline);
        separate && field.name.as_str().starts_with("associations.")
    };
    for (at, (group, fields)) in groups.iter().enumerate() {
        let mut row = subject.mint(object, 500 + at as u64);
        let along = subject.along(object, group);
        let values: Option<Vec<_>> =
            fields.iter().map(|field| Some((field.name.clone(), value(subject, object, field, &mut dice)?))).collect();
        let Some(values) = values else { continue };
        for (name, value) in along.into_iter().map(|(name, value)| (name.into(), value)).chain(values) {
            row.set(name, value);
        }
        let id = stage.make(object, &[row.clone()]).await.remove(0);
        for field in fields.iter().filter(|field| !field.required && !apart(field)) {
            let names = row.iter().map(|(name, _)| name.clone()).collect();
            let before = stage.fetch(object, &names, std::slice::from_ref(&id)).await.unwrap().remove(0);
            let clear: Fields = [(field.name.clone(), Value::Null)].into_iter().collect();
            let batch = stage.batch(object, WriteMode::Update, vec![(Some(id.clone()), clear)]);
            let is_applied = match stage.write(&batch).await {
                Ok(written) => match outcome(&written, 0) {
                    WriteOutcome::Applied { .. } => true,
                    WriteOutcome::Refused(fault) => {
                        assert_eq!(fault.kind, FaultKind::Invalid, "`{}`: {fault}", field.name);
                        false
                    }
                    WriteOutcome::Unknown(fault) => panic!("`{}`: {fault}", field.name),
                },
                Err(fault) => panic!("`{}`: {fault}", field.name),
            };
            let after = stage.fetch(object, &names, std::slice::from_ref(&id)).await.unwrap().remove(0);
            let own = after.fields.get(field.name.as_str()).unwrap();
            match (is_applied, own.is_blank()) {
                (true, true) => {}
                (true, false) => filled.push(field.name.as_str()),
                (false, _) => kept.push(field.name.as_str()),
            }
            for (name, value) in before.fields.iter() {
                let is_own = name.as_str().split('.').next() == field.name.as_str().split('.').next();
                let is_same = is_own || after.fields.get(name.as_str()) == Some(value);
                assert!(is_same, "clearing `{}` changed `{name}`", field.name);
            }
        }
    }
    let mut note = Vec::new();
    for (word, names) in [("never empty", kept), ("filled again by the system", filled)] {
        if !names.is_empty() {
            note.push(format!("{word}: {}", names.join(", ")));
        }
    }
    Verdict::Ran(note.join("; "))
}

/// Whether records can be updated at all.
async fn updates(stage: &Stage, object: &Object) -> bool {
    let id = stage.subject.id(object.name, 1);
    let fields: Fields = [(FieldName::from(object.text), Value::from(format!("{MARK} changed")))].into_iter().collect();
    let batch = stage.batch(object, WriteMode::Update, vec![(Some(id), fields)]);
    let before = stage.sent();
    match stage.write(&batch).await {
        Ok(written) => {
            assert!(matches!(outcome(&written, 0), WriteOutcome::Applied { .. }), "{written:?}");
            true
        }
        Err(fault) => {
            assert_eq!((fault.kind, stage.sent()), (FaultKind::Unsupported, before), "{fault}");
            false
        }
    }
}

/// One record with a field that cannot be accepted: refused by the system as invalid, or by us before
/// anything is sent; the field is named, the value is not.
async fn is_refused(stage: &Stage, object: &Object, name: &FieldName, value: Value) -> String {
    let mut fields = stage.subject.mint(object, 1);
    fields.set(name.clone(), value);
    let before = stage.sent();
    let batch = stage.batch(object, create(object), vec![(None, fields)]);
    let (fault, by) = match stage.driver.write(&batch).await {
        Ok(written) => match outcome(&written, 0) {
            WriteOutcome::Refused(fault) => (fault.clone(), "by the system"),
            other => panic!("`{name}`: {other:?}"),
        },
        Err(fault) => (fault, "before sending"),
    };
    hear(&fault);
    let base = name.as_str().split('.').next().unwrap();
    if by == "by the system" {
        assert_eq!(fault.kind, FaultKind::Invalid, "`{name}`: {fault}");
        assert_eq!(fault.field.as_ref(), Some(name), "{fault}");
    } else {
        assert!(matches!(fault.kind, FaultKind::Invalid | FaultKind::Unsupported), "`{name}`: {fault}");
        assert_eq!(stage.sent(), before, "`{name}`");
        assert!(fault.field.as_ref() == Some(name) || fault.message.contains(base), "`{name}`: {fault}");
    }
    assert!(stage.requests(before).iter().all(|entry| entry.changes.is_empty()), "`{name}`: nothing was made");
    by.to_owned()
}

pub(crate) async fn an_unknown_field_is_refused(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 1));
    stage.schema(object).await;
    if let Some(verdict) = refuses_writes(&stage, object).await {
        return verdict;
    }
    let by = is_refused(&stage, object, &"no_such_field".into(), format!("{MARK} x").into()).await;
    Verdict::Ran(by)
}

pub(crate) async fn a_wrong_type_is_refused(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 1));
    let schema = stage.schema(object).await;
    if let Some(verdict) = refuses_writes(&stage, object).await {
        return verdict;
    }
    let mut by = BTreeMap::new();
    for field in schema.fields.iter().filter(|field| field.writable == Writable::Always) {
        let is_typed =
            matches!(field.kind, Kind::Bool | Kind::Number | Kind::Date | Kind::DateTime | Kind::Time | Kind::User);
        if is_typed {
            let told = is_refused(&stage, object, &field.name, format!("{MARK} no {}", field.kind.word()).into()).await;
            *by.entry(told).or_insert(0) += 1;
        }
    }
    let note: Vec<String> = by.iter().map(|(by, count)| format!("{count} {by}")).collect();
    if note.is_empty() {
        Verdict::Ran("none of its fields has a type".to_owned())
    } else {
        Verdict::Ran(note.join(", "))
    }
}

pub(crate) async fn an_unknown_option_is_refused(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 1));
    let schema = stage.schema(object).await;
    if let Some(verdict) = refuses_writes(&stage, object).await {
        return verdict;
    }
    let mut open = Vec::new();
    let mut refused = 0;
    for field in schema.fields.iter().filter(|field| field.writable == Writable::Always) {
        let Kind::Choice { options, many } = &field.kind else { continue };
        if options.is_empty() || object.open.iter().any(|(name, _)| field.name == *name) {
            open.push(field.name.as_str());
            continue;
        }
        // Of the options' own form, so that it is the option and not the type that is refused.
        let numeric = options.iter().all(|option| option.value.parse::<u64>().is_ok());
        let unknown = Value::from(if numeric { "987654".to_owned() } else { format!("{MARK}_none") });
        let unknown = if *many { Value::List(vec![unknown]) } else { unknown };
        is_refused(&stage, object, &field.name, unknown).await;
        refused += 1;
    }
    let open = if open.is_empty() { String::new() } else { format!("; open: {}", open.join(", ")) };
    Verdict::Ran(format!("{refused} of them{open}"))
}

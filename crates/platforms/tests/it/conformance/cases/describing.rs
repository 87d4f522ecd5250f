//! Schemas, users, new fields.

use std::collections::BTreeSet;

use handover_connect::{Connector as _, FaultKind, Upsert, WriteOutcome};
use handover_model::{Field, Kind, ReadCost, Writable};

use crate::conformance::Verdict;
use crate::conformance::stage::{Stage, create, hear, listed, live, outcome, refused};
use crate::conformance::subject::{MARK, Object, Scene, Subject};
use crate::conformance::values::fits;

pub(crate) async fn describe_is_total_and_stable(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 3));
    let schema = stage.schema(object).await;
    assert_eq!(schema, stage.schema(object).await, "the same twice");
    assert_eq!(schema, Stage::of(subject, Scene::of(object, 3)).schema(object).await, "the same elsewhere");
    assert_eq!(schema.object, object.name);
    assert_eq!(schema.content, stage.can(object).content, "the table tells of bytes");
    let names: BTreeSet<_> = schema.fields.iter().map(|field| &field.name).collect();
    assert_eq!(names.len(), schema.fields.len(), "each field once");
    assert!(!schema.label.is_empty() && schema.fields.iter().all(|field| !field.label.is_empty()));
    for field in &schema.fields {
        if let Kind::Choice { options, .. } = &field.kind {
            let values: BTreeSet<_> = options.iter().map(|option| &option.value).collect();
            assert_eq!(values.len(), options.len(), "each option of `{}` once", field.name);
            assert!(options.iter().all(|option| !option.label.is_empty() && !option.value.is_empty()));
        }
        if let Some(to) = field.kind.referenced() {
            let is_known = stage.driver.capabilities().object(to.as_str()).is_some();
            assert!(is_known, "`{}` points to an object that is known", field.name);
        }
        if let ReadCost::Extra { only_above: Some(above), .. } = &field.read {
            assert!(names.contains(&above.field), "`{}` is a field", above.field);
        }
    }
    for name in [object.text, object.key].into_iter().filter(|name| !name.is_empty()) {
        let field = schema.field(name).unwrap_or_else(|| panic!("`{name}` is described"));
        assert_eq!(field.custom, name == object.key, "`{name}`");
    }
    let has_key = schema.field(object.key).is_some_and(|key| key.unique);
    if stage.can(object).upsert != Upsert::None {
        assert!(has_key, "a unique key is told");
    }
    let records = stage.list(&live(object, &listed(&schema))).await.unwrap();
    assert_eq!(records.len(), 3);
    for record in &records {
        assert!(!record.gone && record.modified.is_some());
        for (name, value) in record.fields.iter() {
            let field = schema.field(name.as_str()).unwrap_or_else(|| panic!("`{name}` is described"));
            assert!(fits(&field.kind, value), "`{name}`: {value:?} is no {}", field.kind.word());
        }
    }
    let required: Vec<&str> =
        schema.fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
    Verdict::Ran(if required.is_empty() { String::new() } else { format!("required: {}", required.join(", ")) })
}

pub(crate) async fn required_fields_are_required(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 1));
    let schema = stage.schema(object).await;
    if stage.can(object).write_batch == 0 {
        assert!(schema.fields.iter().all(|field| field.writable == Writable::Never && !field.required));
        let batch = stage.batch(object, create(object), vec![(None, subject.mint(object, 1))]);
        return Verdict::Refused(refused(&stage, stage.driver.write(&batch)).await);
    }
    let mut note = Vec::new();
    for (at, field) in schema.fields.iter().filter(|field| field.required).enumerate() {
        let mut fields = subject.mint(object, 10 + at as u64);
        assert!(fields.remove(field.name.as_str()).is_some(), "a new record has the required `{}`", field.name);
        let before = stage.requests(0).len();
        match stage.write(&stage.batch(object, create(object), vec![(None, fields)])).await {
            Ok(written) => match outcome(&written, 0) {
                WriteOutcome::Refused(fault) => assert_eq!(fault.kind, FaultKind::Invalid, "{fault}"),
                other => panic!("`{}`: {other:?}", field.name),
            },
            // Refused before it is sent, naming what is missing.
            Err(fault) => {
                assert!(matches!(fault.kind, FaultKind::Invalid | FaultKind::Unsupported), "{fault}");
                assert_eq!(fault.field.as_ref(), Some(&field.name), "{fault}");
            }
        }
        assert!(stage.requests(before).iter().all(|entry| entry.changes.is_empty()));
        note.push(field.name.as_str());
    }
    // What the schema does not call required can be left out.
    let fields = subject.mint(object, 1);
    stage.make(object, &[fields]).await;
    Verdict::Ran(note.join(", "))
}

pub(crate) async fn unique_fields_are_unique(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 1));
    let schema = stage.schema(object).await;
    let mut note = Vec::new();
    let writable = |field: &&Field| field.unique && field.writable == Writable::Always;
    for (at, field) in schema.fields.iter().filter(writable).enumerate() {
        let twice = |n: u64| {
            let mut fields = subject.mint(object, 10 * (at as u64 + 1) + n);
            let value = match &field.kind {
                Kind::Email { many: true } => return None,
                Kind::Email { .. } => "one.zq@x.example".to_owned(),
                _ => format!("{MARK} one {at}"),
            };
            fields.set(field.name.clone(), value.into());
            Some(fields)
        };
        let (Some(first), Some(second)) = (twice(1), twice(2)) else { continue };
        let id = stage.make(object, &[first]).await.remove(0);
        let written = stage.write(&stage.batch(object, create(object), vec![(None, second)])).await.unwrap();
        match outcome(&written, 0) {
            WriteOutcome::Refused(fault) => {
                assert_eq!(fault.kind, FaultKind::Conflict, "`{}`: {fault}", field.name);
                let named = fault.detail.clashing.iter().any(|clashing| id == *clashing.as_str());
                note.push(format!("{}{}", field.name, if named { "" } else { " (the other is not named)" }));
            }
            other => panic!("`{}`: {other:?}", field.name),
        }
    }
    if note.is_empty() { Verdict::Ran("none is".to_owned()) } else { Verdict::Ran(note.join(", ")) }
}

pub(crate) async fn new_fields_are_made(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 1));
    stage.schema(object).await;
    let wish = Field {
        name: "handover_key".into(),
        label: "Handover key".to_owned(),
        kind: Kind::Text { max: Some(255), html: false },
        required: false,
        writable: Writable::Always,
        unique: false,
        custom: true,
        read: ReadCost::Listed,
        blank_is_zero: false,
    };
    let before = stage.sent();
    let made = match stage.driver.create_field(&object.name.into(), &wish).await {
        Ok(made) => made,
        Err(fault) => {
            hear(&fault);
            assert_eq!((fault.kind, stage.sent()), (FaultKind::Unsupported, before), "{fault}");
            return Verdict::Refused(fault.message);
        }
    };
    assert!(made.custom && matches!(made.kind, Kind::Text { html: false, .. }));
    let schema = stage.schema(object).await;
    assert_eq!(schema.field(made.name.as_str()).map(|field| &field.label), Some(&wish.label));
    let mut fields = subject.mint(object, 1);
    fields.set(made.name.clone(), MARK.into());
    let id = stage.make(object, &[fields]).await;
    let back = stage.fetch(object, &[made.name.clone()].into(), &id).await.unwrap();
    assert!(back[0].fields.get(made.name.as_str()) == Some(&MARK.into()));
    Verdict::ran()
}

pub(crate) async fn users_active_and_inactive(subject: &'static dyn Subject) -> Verdict {
    let stage = Stage::of(subject, Scene { object: "", live: 0, gone: 0 });
    let users = stage.driver.users().await.unwrap();
    let of = |active: bool| {
        let mut ids: Vec<&str> =
            users.iter().filter(|user| user.active == active).map(|user| user.id.as_str()).collect();
        ids.sort_unstable();
        ids
    };
    let (active, inactive) = subject.users();
    assert_eq!((of(true).as_slice(), of(false).as_slice()), (active, inactive));
    assert!(users.iter().all(|user| user.email.contains('@') && !user.name.is_empty()));
    let account = stage.driver.account().await.unwrap();
    assert!(!account.id.is_empty() && !account.currencies.is_empty());
    assert_eq!(account.time_zone, subject.time_zone());
    assert_eq!(account.lacks, Vec::<String>::new());
    assert_eq!(account, stage.driver.account().await.unwrap());
    if stage.driver.capabilities().automations {
        assert!(stage.driver.automations().await.unwrap().is_some());
        return Verdict::Ran("automations told".to_owned());
    }
    let before = stage.sent();
    assert!(stage.driver.automations().await.unwrap().is_none());
    assert_eq!(stage.sent(), before);
    Verdict::Ran("automations not told".to_owned())
}

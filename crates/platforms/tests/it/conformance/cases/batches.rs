//! Batches of which something is refused.

use handover_connect::{Connector as _, Fault, FaultKind, Upsert, WriteMode, WriteOutcome, Written};
use handover_model::{Field, FieldName, Fields, Kind, RecordId, Schema, Value, Writable};
use handover_sandbox::journal::Action;

use crate::conformance::Verdict;
use crate::conformance::cases::listing::text;
use crate::conformance::stage::{Setting, Stage, create, live, outcome, refused};
use crate::conformance::subject::{MARK, Object, Scene, Subject};

/// A field and a value that the system refuses, with its type right.
pub(super) fn bad(subject: &dyn Subject, object: &Object, schema: &Schema) -> Option<(FieldName, Value)> {
    let open = |field: &Field| object.open.iter().any(|(name, _)| field.name == *name);
    let writable =
        |field: &&Field| field.writable == Writable::Always && !field.name.as_str().contains('.') && !open(field);
    let kinds: [fn(&Kind) -> bool; 3] = [
        |kind| matches!(kind, Kind::Choice { options, many: false } if !options.is_empty()),
        |kind| matches!(kind, Kind::User),
        |kind| matches!(kind, Kind::Reference { .. }),
    ];
    let field = kinds.iter().find_map(|fits| schema.fields.iter().filter(writable).find(|field| fits(&field.kind)))?;
    let value = match &field.kind {
        Kind::Choice { options, .. } if options.iter().any(|option| option.value.parse::<u64>().is_err()) => {
            Value::from(format!("{MARK}_none"))
        }
        Kind::Reference { object, many: false } => Value::from(subject.id(object.as_str(), 987_654).as_str()),
        Kind::Reference { object, many: true } => {
            Value::List(vec![subject.id(object.as_str(), 987_654).as_str().into()])
        }
        _ => "987654".into(),
    };
    Some((field.name.clone(), value))
}

/// Records in the sandbox that carry the text of row `n`, as a list shows them.
pub(super) async fn with_text(stage: &Stage, object: &Object, fields: &Fields) -> Vec<RecordId> {
    let wanted = fields.get(object.text).unwrap();
    let all = stage.list(&live(object, &text(object))).await.unwrap();
    all.into_iter().filter(|record| record.fields.get(object.text) == Some(wanted)).map(|record| record.id).collect()
}

/// The outcomes say what is so: applied writes are there, refused ones are not.
pub(super) async fn agrees(stage: &Stage, object: &Object, rows: &[Fields], written: &Result<Vec<Written>, Fault>) {
    for (at, row) in rows.iter().enumerate() {
        let there = with_text(stage, object, row).await;
        match written.as_ref().map(|written| outcome(written, at)) {
            Ok(WriteOutcome::Applied { id, .. }) => assert_eq!(there, std::slice::from_ref(id), "row {at}"),
            Ok(WriteOutcome::Refused(_)) | Err(_) => assert!(there.is_empty(), "row {at} was applied"),
            Ok(WriteOutcome::Unknown(_)) => {}
        }
    }
}

pub(crate) async fn one_bad_row_is_refused_alone(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 10));
    let schema = stage.schema(object).await;
    let size = stage.can(object).write_batch;
    if size == 0 {
        let batch = stage.batch(object, create(object), vec![(None, subject.mint(object, 1))]);
        return Verdict::Refused(refused(&stage, stage.driver.write(&batch)).await);
    }
    if size == 1 {
        let rows = vec![(None, subject.mint(object, 1)), (None, subject.mint(object, 2))];
        let batch = stage.batch(object, create(object), rows);
        return Verdict::Refused(refused(&stage, stage.driver.write(&batch)).await);
    }
    let Some((field, value)) = bad(subject, object, &schema) else {
        return Verdict::Ran("none of its fields can be wrong".to_owned());
    };
    let mut rows: Vec<Fields> = (0..7).map(|n| subject.mint(object, n)).collect();
    rows[3].set(field.clone(), value.clone());
    let batch = stage.batch(object, create(object), rows.iter().map(|row| (None, row.clone())).collect());
    let written = stage.write(&batch).await;
    agrees(&stage, object, &rows, &written).await;
    check_only(&written.unwrap(), 7, 3, &field);
    // The same for changes of records that exist.
    let ids: Vec<RecordId> = (1..=5).map(|n| subject.id(object.name, n)).collect();
    let changes: Vec<Fields> = (0..5)
        .map(|n| {
            let mut fields = Fields::new();
            fields.set(object.text.into(), format!("{MARK} changed {n}").into());
            if n == 1 {
                fields.set(field.clone(), value.clone());
            }
            fields
        })
        .collect();
    let updates = ids.iter().cloned().map(Some).zip(changes.clone()).collect();
    let written = stage.write(&stage.batch(object, WriteMode::Update, updates)).await;
    agrees(&stage, object, &changes, &written).await;
    check_only(&written.unwrap(), 5, 1, &field);
    Verdict::Ran(format!("by `{field}`"))
}

fn check_only(written: &[Written], count: usize, bad: usize, field: &FieldName) {
    for at in 0..count {
        match outcome(written, at) {
            WriteOutcome::Applied { .. } => assert_ne!(at, bad),
            WriteOutcome::Refused(fault) => {
                assert_eq!(at, bad, "{fault}");
                assert_eq!((fault.kind, fault.field.as_ref()), (FaultKind::Invalid, Some(field)), "{fault}");
            }
            WriteOutcome::Unknown(fault) => panic!("row {at}: {fault}"),
        }
    }
}

pub(crate) async fn a_batch_refused_as_a_whole(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let mut world = subject.world(Scene::of(object, 10));
    let has_batches = subject.refuse_whole(&mut world);
    let stage = Stage::over(subject, world, &Setting::default());
    let schema = stage.schema(object).await;
    let size = stage.can(object).write_batch;
    if size == 0 {
        let batch = stage.batch(object, create(object), vec![(None, subject.mint(object, 1))]);
        return Verdict::Refused(refused(&stage, stage.driver.write(&batch)).await);
    }
    let Some((field, value)) = bad(subject, object, &schema) else {
        return Verdict::Ran("none of its fields can be wrong".to_owned());
    };
    // Alone, the bad row is refused for itself.
    let mut row = subject.mint(object, 1);
    row.set(field.clone(), value.clone());
    let written = stage.write(&stage.batch(object, create(object), vec![(None, row.clone())])).await;
    agrees(&stage, object, &[row], &written).await;
    check_only(&written.unwrap(), 1, 0, &field);
    if size == 1 || !has_batches {
        return Verdict::Ran("a batch is one record".to_owned());
    }
    // Among others the whole batch is refused, after part of it may have been applied.
    let changes: Vec<Fields> = (0..5)
        .map(|n| {
            let mut fields = Fields::new();
            fields.set(object.text.into(), format!("{MARK} changed {n}").into());
            if n == 3 {
                fields.set(field.clone(), value.clone());
            }
            fields
        })
        .collect();
    let updates = (1..=5).map(|n| Some(subject.id(object.name, n))).zip(changes.clone()).collect();
    let before = stage.sent();
    let result = stage.write(&stage.batch(object, WriteMode::Update, updates)).await;
    let fault = result.expect_err("the whole batch is refused");
    assert_eq!(fault.kind, FaultKind::Invalid, "{fault}");
    assert_eq!(stage.sent() - before, 1, "halving it is the engine's");
    // Sent again in halves down to the row, only the bad one is left.
    for (at, change) in changes.iter().enumerate() {
        let id = subject.id(object.name, at as u64 + 1);
        let batch = stage.batch(object, WriteMode::Update, vec![(Some(id), change.clone())]);
        let written = stage.write(&batch).await.unwrap();
        assert_eq!(matches!(outcome(&written, 0), WriteOutcome::Applied { .. }), at != 3, "row {at}");
    }
    Verdict::ran()
}

pub(crate) async fn upserts_or_their_refusal(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 2));
    let schema = stage.schema(object).await;
    let links: Vec<&FieldName> = schema
        .fields
        .iter()
        .filter(|field| matches!(field.kind, Kind::Reference { .. }))
        .map(|field| &field.name)
        .collect();
    let mint =
        |n: u64| -> Fields { subject.mint(object, n).into_iter().filter(|(name, _)| !links.contains(&name)).collect() };
    let rows: Vec<Fields> = (0..3).map(mint).collect();
    let key = FieldName::from(if object.key.is_empty() { object.text } else { object.key });
    let upsert = || WriteMode::Upsert { key: key.clone() };
    if stage.can(object).upsert == Upsert::None {
        let batch = stage.batch(object, upsert(), vec![(None, rows[0].clone())]);
        return Verdict::Refused(refused(&stage, stage.driver.write(&batch)).await);
    }
    let batch = |rows: &[Fields]| stage.batch(object, upsert(), rows.iter().map(|row| (None, row.clone())).collect());
    let first = stage.write(&batch(&rows[..2])).await.unwrap();
    let again = stage.write(&batch(&rows)).await.unwrap();
    for at in 0..3 {
        let WriteOutcome::Applied { id, created } = outcome(&again, at) else { panic!("row {at}: {again:?}") };
        assert_eq!(*created, Some(at == 2));
        if at < 2 {
            let WriteOutcome::Applied { id: made, created: Some(true) } = outcome(&first, at) else {
                panic!("row {at}: {first:?}")
            };
            assert_eq!(made, id);
        }
    }
    // The answer is lost: sent again without harm.
    stage.plan(serde_json::json!([{"when": {"method": "POST", "nth": 1}, "fault": {"kind": "lost_after"}}]));
    let more: Vec<Fields> = (5..9).map(mint).collect();
    let written = stage.write(&batch(&more)).await;
    agrees(&stage, object, &more, &written).await;
    assert!((0..4).all(|at| matches!(outcome(written.as_ref().unwrap(), at), WriteOutcome::Applied { .. })));
    let made = stage.sandbox.lock().unwrap().journal().count(object.journal, Action::Created);
    assert_eq!(made, 7);
    Verdict::ran()
}

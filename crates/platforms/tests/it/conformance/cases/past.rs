//! Who changed what last.

use std::sync::Arc;

use handover_connect::{Author, Change, Connector as _, Fault, FaultKind, Operation, WriteMode, WriteOutcome};
use handover_connect::{Clock as _, Cursor};
use handover_model::{FieldName, Fields, RecordId};
use handover_sandbox::faults::DisturbAction;
use serde_json::json;

use crate::conformance::Verdict;
use crate::conformance::stage::{Stage, hear, names, outcome, refused};
use crate::conformance::subject::{MARK, Object, Scene, Subject};

async fn history(
    stage: &Stage,
    object: &Object,
    fields: &Arc<[FieldName]>,
    ids: &[RecordId],
) -> Result<Vec<Change>, Fault> {
    stage.driver.history(&object.name.into(), fields, ids).await.inspect_err(hear)
}

/// Writes the text of a record, as this program does.
async fn write(stage: &Stage, object: &Object, id: &RecordId, text: &str) {
    let fields: Fields = [(FieldName::from(object.text), format!("{MARK} {text}").into())].into_iter().collect();
    let batch = stage.batch(object, WriteMode::Update, vec![(Some(id.clone()), fields)]);
    let written = stage.write(&batch).await.unwrap();
    assert!(matches!(outcome(&written, 0), WriteOutcome::Applied { .. }), "{written:?}");
}

/// Writes it as a person does.
async fn edit(stage: &Stage, object: &Object, id: &RecordId, text: &str) {
    let value = json!(format!("{MARK} {text}"));
    stage.upset(object, id.as_str(), DisturbAction::Change { field: object.text.to_owned(), value }).await;
}

fn of<'a>(changes: &'a [Change], id: &RecordId, field: &str) -> Option<&'a Change> {
    let mut fits = changes.iter().filter(|change| change.record == *id && change.field == *field);
    let change = fits.next();
    assert!(fits.next().is_none(), "one change for each record and field");
    change
}

pub(crate) async fn history_names_the_last_change(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 130));
    stage.schema(object).await;
    let batch = stage.can(object).history_batch as usize;
    let id = |n: u64| subject.id(object.name, n);
    if batch == 0 {
        let why = refused(&stage, history(&stage, object, &names(&[object.text]), &[id(1)])).await;
        let fields = names(&[object.text]);
        let operation = Operation::History { object: object.name.into(), fields, ids: vec![id(1)] };
        let refusal = stage.dialect.encode(&operation, None::<&Cursor>).unwrap_err();
        assert_eq!(refusal.kind, FaultKind::Unsupported, "{refusal}");
        return Verdict::Refused(why);
    }
    let fields = names(&[object.text, object.key]);
    stage.later(60);
    write(&stage, object, &id(1), "by a program").await;
    edit(&stage, object, &id(2), "by a person").await;
    stage.later(60);
    let first = stage.clock.now();
    edit(&stage, object, &id(1), "later by a person").await;
    write(&stage, object, &id(2), "later by a program").await;
    stage.later(60);
    let changes = history(&stage, object, &fields, &[id(1), id(2), id(3), id(901)]).await.unwrap();
    assert!(changes.iter().all(|change| change.record != id(901)), "nothing is told of nobody");
    for (n, is_person) in [(1, true), (2, false)] {
        let change = of(&changes, &id(n), object.text).unwrap();
        let apart = change.at.duration_since(first).as_secs_f64().abs();
        assert!(apart < 2.0, "{change:?} at {first}");
        match &change.by {
            Author::Person(_) => assert!(is_person, "{change:?}"),
            Author::Program(_) => assert!(!is_person, "{change:?}"),
            by => panic!("{by:?}"),
        }
        assert!(of(&changes, &id(n), object.key).is_none(), "a field that was never set has no change");
    }
    let untouched = match of(&changes, &id(3), object.text) {
        Some(change) => {
            assert!(change.at < first && change.by == Author::Unknown, "{change:?}");
            "untouched fields have their making"
        }
        None => "untouched fields have none",
    };
    // Many records, in as few calls as it takes.
    let many: Vec<RecordId> = (1..=130).map(id).collect();
    let before = stage.sent();
    let changes = history(&stage, object, &fields, &many).await.unwrap();
    assert_eq!(stage.sent() - before, many.len().div_ceil(batch));
    assert!(of(&changes, &id(1), object.text).is_some() && of(&changes, &id(2), object.text).is_some());
    let operation = Operation::History { object: object.name.into(), fields: fields.clone(), ids: vec![id(1)] };
    let request = stage.dialect.encode(&operation, None).unwrap();
    assert!(request.idempotent && request.charges == stage.can(object).history_charges);
    // A lost answer is asked for again.
    stage.plan(json!([{"when": {"to": 2}, "fault": {"kind": "lost_after"}}]));
    assert_eq!(history(&stage, object, &fields, &[id(1)]).await.unwrap().len(), 1);
    Verdict::Ran(format!("{batch} a call, {untouched}"))
}

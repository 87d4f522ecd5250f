//! Deleting records, and merging two into one.

use std::sync::Arc;

use handover_connect::{Connector as _, Fault, FaultKind, Operation, WriteOutcome, Written};
use handover_model::{FieldName, RecordId};
use serde_json::json;

use crate::conformance::Verdict;
use crate::conformance::cases::failing::has_day;
use crate::conformance::cases::listing::text;
use crate::conformance::stage::{Stage, hear, live, refused};
use crate::conformance::subject::{Object, Scene, Subject, live_text};

async fn delete(stage: &Stage, object: &Object, ids: &[RecordId]) -> Result<Vec<Written>, Fault> {
    let written = stage.driver.delete(&object.name.into(), ids).await.inspect_err(hear)?;
    let traces: Vec<&RecordId> = written.iter().map(|written| &written.trace).collect();
    assert_eq!(traces, ids.iter().collect::<Vec<_>>(), "one outcome for each id");
    heard(written.iter().map(|written| &written.outcome));
    Ok(written)
}

async fn merge(stage: &Stage, object: &Object, survivor: &RecordId, other: &RecordId) -> Result<WriteOutcome, Fault> {
    let outcome = stage.driver.merge(&object.name.into(), survivor, other).await.inspect_err(hear)?;
    heard([&outcome].into_iter());
    Ok(outcome)
}

fn heard<'a>(outcomes: impl Iterator<Item = &'a WriteOutcome>) {
    for outcome in outcomes {
        if let WriteOutcome::Refused(fault) | WriteOutcome::Unknown(fault) = outcome {
            hear(fault);
        }
    }
}

fn are_gone(written: &[Written], ids: &[RecordId]) -> bool {
    let is_gone = |(written, id): (&Written, &RecordId)| matches!(&written.outcome, WriteOutcome::Applied { id: told, .. } if told == id);
    written.len() == ids.len() && written.iter().zip(ids).all(is_gone)
}

/// The live records, by a list.
async fn there(stage: &Stage, object: &Object) -> Vec<RecordId> {
    let mut ids: Vec<RecordId> =
        stage.list(&live(object, &text(object))).await.unwrap().into_iter().map(|record| record.id).collect();
    ids.sort_by_key(|id| (id.as_str().len(), id.clone()));
    ids
}

fn numbered(subject: &dyn Subject, object: &Object, numbers: impl Iterator<Item = u64>) -> Vec<RecordId> {
    numbers.map(|n| subject.id(object.name, n)).collect()
}

pub(crate) async fn deleted_is_deleted_and_again_is_success(
    subject: &'static dyn Subject,
    object: &'static Object,
) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 8));
    stage.schema(object).await;
    let batch = stage.can(object).delete_batch;
    if batch == 0 {
        return Verdict::Refused(refused(&stage, delete(&stage, object, &numbered(subject, object, 1..=1))).await);
    }
    let ids = numbered(subject, object, 2..=4);
    for _ in 0..2 {
        let before = stage.sent();
        for chunk in ids.chunks(batch as usize) {
            assert!(are_gone(&delete(&stage, object, chunk).await.unwrap(), chunk));
        }
        assert_eq!(stage.sent() - before, ids.len().div_ceil(batch as usize), "one call for each batch");
        assert_eq!(there(&stage, object).await, numbered(subject, object, [1, 5, 6, 7, 8].into_iter()));
        let read = stage.fetch(object, &text(object), &ids).await.unwrap();
        assert!(read.iter().all(|record| record.gone), "{read:?}");
    }
    // One that never was is gone as well.
    let nobody = numbered(subject, object, 901..=901);
    assert!(are_gone(&delete(&stage, object, &nobody).await.unwrap(), &nobody));
    // More than one call covers is not half done in silence.
    let more = numbered(subject, object, 5..=5 + u64::from(batch));
    if batch == 1 {
        refused(&stage, delete(&stage, object, &more)).await;
    } else {
        let written = delete(&stage, object, &more).await.unwrap();
        assert!(written.iter().all(|written| matches!(written.outcome, WriteOutcome::Unknown(_))), "{written:?}");
    }
    assert_eq!(there(&stage, object).await.len(), 5);
    let operation = Operation::Delete { object: object.name.into(), ids: vec![subject.id(object.name, 1)] };
    assert_eq!(stage.dialect.encode(&operation, None).unwrap().charges, stage.can(object).delete_charges);
    Verdict::Ran(format!("{batch} a call"))
}

pub(crate) async fn a_lost_delete_is_sent_again(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 20));
    stage.schema(object).await;
    let batch = stage.can(object).delete_batch;
    if batch == 0 {
        return Verdict::Refused(refused(&stage, delete(&stage, object, &numbered(subject, object, 1..=1))).await);
    }
    let faults = [
        json!({"kind": "limited", "retry_after_s": 3}),
        json!({"kind": "unavailable", "status": 503}),
        json!({"kind": "lost_before"}),
        json!({"kind": "lost_after"}),
        json!({"kind": "lost_after", "status": 502}),
        json!({"kind": "malformed"}),
        json!({"kind": "half_batch", "apply_only": 0}),
        json!({"kind": "slow", "delay_ms": 31_000}),
    ];
    for (n, fault) in (1..).zip(&faults) {
        stage.plan(json!([{"when": {"nth": 1}, "fault": fault}]));
        let (ids, before) = (numbered(subject, object, n..=n), stage.sent());
        assert!(are_gone(&delete(&stage, object, &ids).await.unwrap(), &ids), "{fault}");
        assert_eq!(stage.sent() - before, 2, "{fault}");
    }
    // What does not pass leaves it open.
    for fault in [json!({"kind": "lost_after"}), json!({"kind": "unavailable", "status": 500})] {
        stage.plan(json!([{"fault": fault}]));
        let (ids, before) = (numbered(subject, object, 20..=20), stage.sent());
        let written = delete(&stage, object, &ids).await.unwrap();
        assert!(matches!(written[0].outcome, WriteOutcome::Unknown(_)), "{fault}: {written:?}");
        assert_eq!(stage.sent() - before, 4, "{fault}");
    }
    stage.plan(json!([]));
    assert_eq!(there(&stage, object).await, numbered(subject, object, 9..=19), "exactly those");
    Verdict::ran()
}

/// The mirrored case of merging: the driver and the dialect refuse it, and nothing is sent.
async fn merges_nothing(stage: &Stage, object: &Object) -> Verdict {
    let ids = numbered(stage.subject, object, 1..=2);
    let why = refused(stage, merge(stage, object, &ids[0], &ids[1])).await;
    Verdict::Refused(why)
}

pub(crate) async fn a_merge_leaves_the_survivor(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 6));
    stage.schema(object).await;
    let can = stage.can(object);
    if can.merge_charges.is_none() {
        return merges_nothing(&stage, object).await;
    }
    let ids = numbered(subject, object, 1..=4);
    let before = stage.sent();
    // The one with the higher id survives here and the one with the lower below: the order does not decide.
    let outcome = merge(&stage, object, &ids[2], &ids[1]).await.unwrap();
    assert_eq!(stage.sent() - before, 1);
    let WriteOutcome::Applied { id: survivor, created: Some(false) } = outcome else { panic!("{outcome:?}") };
    let record = stage.fetch(object, &text(object), std::slice::from_ref(&survivor)).await.unwrap().remove(0);
    assert!(record.id == survivor && !record.gone);
    assert_eq!(record.fields.get(object.text).unwrap().display(), live_text(3), "the survivor's values win");
    let all = there(&stage, object).await;
    assert!(all.len() == 5 && all.contains(&survivor) && !all.contains(&ids[1]), "{all:?}");
    let away = stage.fetch(object, &text(object), std::slice::from_ref(&ids[1])).await.unwrap();
    if can.fetch_follows_merges {
        assert_eq!(away.iter().map(|record| &record.id).collect::<Vec<_>>(), [&survivor], "the old id leads there");
    } else {
        assert!(away.iter().all(|record| record.gone), "{away:?}");
    }
    if let Some(marks) = can.merge_marks {
        let marks = Arc::from([FieldName::from(marks)]);
        let read = stage.driver.fetch(&object.name.into(), &marks, std::slice::from_ref(&survivor)).await.unwrap();
        let told = read[0].fields.get(marks[0].as_str()).map(|told| told.display()).unwrap_or_default();
        assert!(told.contains(ids[1].as_str()), "it says what was merged into it: {told}");
    }
    let second = merge(&stage, object, &ids[0], &ids[3]).await.unwrap();
    let WriteOutcome::Applied { id: second, .. } = second else { panic!("{second:?}") };
    let record = stage.fetch(object, &text(object), &[second]).await.unwrap().remove(0);
    assert_eq!(record.fields.get(object.text).unwrap().display(), live_text(1));
    // With nobody and with itself nothing is merged.
    let (five, nobody) = (subject.id(object.name, 5), subject.id(object.name, 901));
    for other in [&nobody, &five] {
        let outcome = merge(&stage, object, &five, other).await.unwrap();
        let WriteOutcome::Refused(fault) = outcome else { panic!("{outcome:?}") };
        assert!(matches!(fault.kind, FaultKind::NotFound | FaultKind::Invalid), "{fault:?}");
    }
    assert_eq!(there(&stage, object).await.len(), 4);
    let kept = if survivor == ids[2] { "its own id" } else { "a new id" };
    Verdict::Ran(kept.to_owned())
}

pub(crate) async fn a_lost_merge_is_unknown(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 30));
    stage.schema(object).await;
    if stage.can(object).merge_charges.is_none() {
        return merges_nothing(&stage, object).await;
    }
    let faults = [
        (json!({"kind": "lost_before"}), false),
        (json!({"kind": "lost_after"}), true),
        (json!({"kind": "lost_after", "status": 502}), true),
        (json!({"kind": "unavailable", "status": 503}), false),
        (json!({"kind": "malformed"}), true),
        (json!({"kind": "cut", "bytes": 20}), true),
        (json!({"kind": "slow", "delay_ms": 31_000}), true),
    ];
    let mut left = 30;
    for (n, (fault, applied)) in (1..).step_by(2).zip(&faults) {
        stage.plan(json!([{"when": {"nth": 1}, "fault": fault}]));
        let (ids, before) = (numbered(subject, object, n..=n + 1), stage.sent());
        let outcome = merge(&stage, object, &ids[0], &ids[1]).await.unwrap();
        assert!(matches!(outcome, WriteOutcome::Unknown(_)), "{fault}: {outcome:?}");
        assert_eq!(stage.sent() - before, 1, "it is never sent again from below: {fault}");
        left -= usize::from(*applied);
        assert_eq!(there(&stage, object).await.len(), left, "{fault}");
        // Whether it was applied shows in the other record.
        let read = stage.fetch(object, &text(object), &ids[1..]).await.unwrap();
        let is_own = read.iter().any(|record| record.id == ids[1] && !record.gone);
        assert_eq!(is_own, !applied, "{fault}");
    }
    // Too many calls: nothing was applied, so it is sent again.
    stage.plan(json!([{"when": {"to": 2}, "fault": {"kind": "limited", "retry_after_s": 3}}]));
    let (ids, before) = (numbered(subject, object, 29..=30), stage.sent());
    let outcome = merge(&stage, object, &ids[0], &ids[1]).await.unwrap();
    assert!(matches!(outcome, WriteOutcome::Applied { .. }), "{outcome:?}");
    assert_eq!(stage.sent() - before, 3);
    // A day that is spent: certainly nothing was merged.
    stage.plan(json!([{"fault": {"kind": "limited", "scope": "daily"}}]));
    let fault = merge(&stage, object, &ids[0], &subject.id(object.name, 28)).await.unwrap_err();
    assert_eq!((fault.kind, fault.is_daily_limit()), (FaultKind::Limited, has_day(&stage)), "{fault:?}");
    let request = stage.dialect.encode(&merge_of(object, &ids), None).unwrap();
    assert!(!request.idempotent && Some(&request.charges) == stage.can(object).merge_charges.as_ref());
    Verdict::ran()
}

fn merge_of(object: &Object, ids: &[RecordId]) -> Operation {
    Operation::Merge { object: object.name.into(), survivor: ids[0].clone(), other: ids[1].clone() }
}

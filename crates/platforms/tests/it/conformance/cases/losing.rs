//! Answers that were lost: what was applied is found, and only what is absent is sent again.

use std::sync::Arc;

use handover_connect::{Connector as _, Lookup, WriteBatch, WriteMode, WriteOutcome};
use handover_model::{FieldName, Fields, RecordId};
use handover_sandbox::journal::Action;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use handover_connect::Clock as _;

use crate::conformance::Verdict;
use crate::conformance::cases::listing::text;
use crate::conformance::stage::{Stage, create, hear, outcome, refused};
use crate::conformance::subject::{MARK, Object, Scene, Subject};

/// New records that carry no key.
const KEYLESS: WriteMode = WriteMode::Create { key: None };

/// Writes rows whose answer is lost, and settles them as the engine does. Gives how many were found and
/// how many were sent again.
async fn settle(stage: &Stage, object: &Object, mode: &WriteMode, rows: &[Fields], fault: &Json) -> (usize, usize) {
    let created = || stage.sandbox.lock().unwrap().journal().count(object.journal, Action::Created);
    let before = created();
    stage.plan(json!([{"when": {"method": "POST", "nth": 1}, "fault": fault}]));
    let since = stage.clock.now();
    let sent = stage.sent();
    let batch = stage.batch(object, mode.clone(), rows.iter().map(|row| (None, row.clone())).collect());
    let written = stage.write(&batch).await.unwrap();
    assert_eq!(stage.sent() - sent, 1, "a creation whose answer was lost is never sent again from below");
    for at in 0..rows.len() {
        assert!(matches!(outcome(&written, at), WriteOutcome::Unknown(_)), "row {at}: {written:?}");
    }
    let applied = usize::try_from(created() - before).unwrap();
    stage.plan(json!([]));
    let found = look_up(stage, object, &batch, rows, since).await;
    assert_eq!(found.iter().flatten().count(), applied, "found is exactly what was applied");
    let absent: Vec<Fields> =
        rows.iter().zip(&found).filter(|(_, id)| id.is_none()).map(|(row, _)| row.clone()).collect();
    stage.make(object, &absent).await;
    (applied, absent.len())
}

/// For each row the record that it made, if any.
async fn look_up(
    stage: &Stage,
    object: &Object,
    batch: &WriteBatch,
    rows: &[Fields],
    since: Timestamp,
) -> Vec<Option<RecordId>> {
    let lag_ms = stage.can(object).lookup.lag_ms(batch);
    if lag_ms > 0 {
        stage.later(i64::try_from(lag_ms / 1_000 + 1).unwrap());
    }
    let by = if object.key.is_empty() || !batch.is_keyed() { object.text } else { object.key };
    let fields: Arc<[FieldName]> = [by.into()].into();
    let found = stage.driver.candidates(batch, &fields, since).await.inspect_err(hear).unwrap();
    rows.iter()
        .map(|row| {
            let fits: Vec<_> = found.iter().filter(|record| record.fields.get(by) == row.get(by)).collect();
            let distinct: std::collections::BTreeSet<_> = fits.iter().map(|record| record.id.clone()).collect();
            assert!(distinct.len() < 2, "two records are one row's");
            distinct.into_iter().next()
        })
        .collect()
}

/// One record for each row in the end.
async fn assert_once(stage: &Stage, object: &Object, rows: &[Fields]) {
    let all = stage.list(&crate::conformance::stage::live(object, &text(object))).await.unwrap();
    for row in rows {
        let count = all.iter().filter(|record| record.fields.get(object.text) == row.get(object.text)).count();
        assert_eq!(count, 1, "each row is there once");
    }
}

async fn lose(
    subject: &'static dyn Subject,
    object: &'static Object,
    mode: &WriteMode,
    faults: &[Json],
    expected: impl Fn(usize) -> usize,
) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 3));
    stage.schema(object).await;
    let size = stage.can(object).write_batch as usize;
    if size == 0 {
        let batch = stage.batch(object, mode.clone(), vec![(None, subject.mint(object, 1))]);
        return Verdict::Refused(refused(&stage, stage.driver.write(&batch)).await);
    }
    if stage.can(object).lookup == Lookup::None {
        return Verdict::Refused("a lost creation cannot be looked up".to_owned());
    }
    let count = size.min(6);
    let mut all = Vec::new();
    for (at, fault) in faults.iter().enumerate() {
        let mut rows: Vec<Fields> = (0..count).map(|n| subject.mint(object, (at * 100 + n) as u64)).collect();
        if *mode == KEYLESS {
            rows.iter_mut().for_each(|row| drop(row.remove(object.key)));
        }
        let (found, again) = settle(&stage, object, mode, &rows, fault).await;
        // The sandbox's files are in no journal of creations everywhere; then the list below judges.
        assert_eq!((found, again), (expected(count), count - expected(count)), "{fault}");
        all.extend(rows);
    }
    assert_once(&stage, object, &all).await;
    Verdict::Ran(format!("{count} in a batch"))
}

pub(crate) async fn an_answer_lost_before_commit(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let faults = [json!({"kind": "lost_before"}), json!({"kind": "unavailable", "status": 503})];
    lose(subject, object, &create(object), &faults, |_| 0).await
}

pub(crate) async fn an_answer_lost_after_commit(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let faults = [
        json!({"kind": "lost_after"}),
        json!({"kind": "lost_after", "status": 502}),
        json!({"kind": "cut", "bytes": 20}),
        json!({"kind": "malformed"}),
    ];
    lose(subject, object, &create(object), &faults, |count| count).await
}

/// As on the way back, where no key is written.
pub(crate) async fn an_answer_without_keys_lost(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    if object.key.is_empty() {
        return Verdict::Refused("it has no key".to_owned());
    }
    lose(subject, object, &KEYLESS, &[json!({"kind": "lost_after"})], |count| count).await
}

pub(crate) async fn half_a_batch_applied(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    if subject.dialect().capabilities().object(object.name).unwrap().write_batch == 1 {
        return Verdict::Refused("a batch is one record".to_owned());
    }
    let faults =
        [json!({"kind": "half_batch", "apply_only": 2}), json!({"kind": "half_batch", "apply_only": 2, "status": 504})];
    lose(subject, object, &create(object), &faults, |_| 2).await
}

pub(crate) async fn a_lost_update_is_sent_again(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 3));
    stage.schema(object).await;
    let change = |text: &str| -> Fields {
        [(FieldName::from(object.text), format!("{MARK} {text}").into())].into_iter().collect()
    };
    let update = |text: &str| {
        let id = subject.id(object.name, 2);
        stage.batch(object, WriteMode::Update, vec![(Some(id), change(text))])
    };
    let before = stage.sent();
    if let Err(fault) = stage.driver.write(&update("probe")).await {
        assert_eq!(stage.sent(), before, "{fault}");
        return Verdict::Refused(fault.message);
    }
    for (at, fault) in [json!({"kind": "lost_before"}), json!({"kind": "lost_after"})].iter().enumerate() {
        stage.plan(json!([{"when": {"nth": 1}, "fault": fault}]));
        let text = format!("again {at}");
        let written = stage.write(&update(&text)).await.unwrap();
        assert!(matches!(outcome(&written, 0), WriteOutcome::Applied { .. }), "{written:?}");
        let id = subject.id(object.name, 2);
        let fields: Arc<[FieldName]> = [object.text.into()].into();
        let back = stage.fetch(object, &fields, &[id]).await.unwrap().remove(0);
        assert!(back.fields.get(object.text) == change(&text).get(object.text));
    }
    Verdict::ran()
}

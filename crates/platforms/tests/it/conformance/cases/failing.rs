//! Limits, failures, broken and slow answers.

use handover_connect::{Clock as _, Connector as _, FaultKind, Span, WriteOutcome};
use serde_json::{Value as Json, json};

use crate::conformance::Verdict;
use crate::conformance::cases::listing::{assert_each_once, text};
use crate::conformance::stage::{Stage, TIMEOUT, create, live, outcome};
use crate::conformance::subject::{Object, Scene, Subject};

/// Records in the scene, on one page.
const COUNT: u64 = 20;

async fn ready(subject: &'static dyn Subject, object: &'static Object) -> Stage {
    let stage = Stage::of(subject, Scene::of(object, COUNT));
    stage.schema(object).await;
    stage
}

async fn reads_all(stage: &Stage, object: &Object) {
    let records = stage.list(&live(object, &text(object))).await.unwrap();
    assert_each_once(stage.subject, object, &records, COUNT);
}

pub(crate) async fn limits_are_waited_out(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = ready(subject, object).await;
    let twice = |fault: Json| json!([{"when": {"to": 2}, "fault": fault}]);
    let start = stage.clock.now();
    stage.plan(twice(json!({"kind": "limited", "retry_after_s": 17})));
    reads_all(&stage, object).await;
    assert!(stage.seconds_since(start) >= 34.0, "waits as long as it is told");
    assert!(stage.seconds_since(start) < 60.0, "and not much longer");
    let start = stage.clock.now();
    stage.plan(twice(json!({"kind": "limited"})));
    reads_all(&stage, object).await;
    assert!(stage.seconds_since(start) >= 2.0, "waits as documented where it is not told");
    assert!(stage.seconds_since(start) < 60.0);
    assert_eq!(stage.driver.spent().limited, 4);
    if stage.can(object).write_batch == 0 {
        return Verdict::Ran("reads".to_owned());
    }
    // Nothing was applied, so a creation is sent again too.
    stage.plan(twice(json!({"kind": "limited"})));
    let before = stage.sent();
    let batch = stage.batch(object, create(object), vec![(None, subject.mint(object, 1))]);
    let written = stage.write(&batch).await.unwrap();
    assert!(matches!(outcome(&written, 0), WriteOutcome::Applied { .. }), "{written:?}");
    assert_eq!(stage.sent() - before, 3);
    Verdict::Ran("reads and writes".to_owned())
}

/// Whether the platform has a limit per day.
pub(super) fn has_day(stage: &Stage) -> bool {
    stage.driver.capabilities().limits.iter().any(|limit| limit.span == Span::Day)
}

pub(crate) async fn a_spent_day_stops(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = ready(subject, object).await;
    if !has_day(&stage) {
        // The mirrored case: whatever a refusal says, no day is counted and none is waited for.
        stage.plan(json!([{"when": {"nth": 1}, "fault": {"kind": "limited", "scope": "daily"}}]));
        reads_all(&stage, object).await;
        assert_eq!(stage.driver.spent().allowed_today, None);
        return Verdict::Refused("there is no limit per day".to_owned());
    }
    stage.plan(json!([{"fault": {"kind": "limited", "scope": "daily"}}]));
    let (start, before) = (stage.clock.now(), stage.sent());
    let fault = stage.page(&live(object, &text(object)), None).await.unwrap_err();
    assert!(fault.kind == FaultKind::Limited && fault.is_daily_limit(), "{fault:?}");
    assert_eq!((stage.sent() - before, stage.clock.now()), (1, start), "no second try, no waiting");
    if stage.can(object).write_batch > 0 {
        let batch = stage.batch(object, create(object), vec![(None, subject.mint(object, 1))]);
        let fault = stage.write(&batch).await.expect_err("certainly nothing was applied");
        assert!(fault.is_daily_limit(), "{fault:?}");
        // The reply told that nothing is left; then it is not even asked.
        assert!(stage.sent() - before <= 2);
    }
    Verdict::ran()
}

pub(crate) async fn failures_of_reads_pass(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = ready(subject, object).await;
    let faults = [
        json!({"kind": "unavailable", "status": 500}),
        json!({"kind": "unavailable", "status": 502}),
        json!({"kind": "unavailable", "status": 503}),
        json!({"kind": "unavailable", "status": 504}),
        json!({"kind": "lost_before"}),
        json!({"kind": "lost_after"}),
        json!({"kind": "cut", "bytes": 30}),
        json!({"kind": "malformed"}),
        json!({"kind": "maintenance"}),
    ];
    for fault in &faults {
        stage.plan(json!([{"when": {"to": 2}, "fault": fault}]));
        reads_all(&stage, object).await;
    }
    // What does not pass is told for what it is, after a few tries.
    let lasting = [
        (json!({"kind": "unavailable", "status": 500}), FaultKind::Unavailable),
        (json!({"kind": "unavailable", "status": 502}), FaultKind::Unavailable),
        (json!({"kind": "cut", "bytes": 30}), FaultKind::Unavailable),
        (json!({"kind": "malformed"}), FaultKind::Malformed),
    ];
    for (fault, kind) in lasting {
        stage.plan(json!([{"fault": fault}]));
        let before = stage.sent();
        let told = stage.page(&live(object, &text(object)), None).await.unwrap_err();
        assert_eq!((told.kind, stage.sent() - before), (kind, 4), "{told:?}");
    }
    Verdict::ran()
}

pub(crate) async fn failures_of_writes_are_unknown(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = ready(subject, object).await;
    if stage.can(object).write_batch == 0 {
        let batch = stage.batch(object, create(object), vec![(None, subject.mint(object, 1))]);
        let why = crate::conformance::stage::refused(&stage, stage.driver.write(&batch)).await;
        return Verdict::Refused(why);
    }
    let faults = [
        json!({"kind": "unavailable", "status": 500}),
        json!({"kind": "unavailable", "status": 502}),
        json!({"kind": "unavailable", "status": 503}),
        json!({"kind": "unavailable", "status": 504}),
        json!({"kind": "malformed"}),
        json!({"kind": "cut", "bytes": 5}),
        json!({"kind": "slow", "delay_ms": 31_000}),
    ];
    for (at, fault) in faults.iter().enumerate() {
        stage.plan(json!([{"when": {"nth": 1}, "fault": fault}]));
        let before = stage.sent();
        let batch = stage.batch(object, create(object), vec![(None, subject.mint(object, 10 + at as u64))]);
        let written = stage.write(&batch).await.unwrap();
        assert!(matches!(outcome(&written, 0), WriteOutcome::Unknown(_)), "{fault}: {written:?}");
        assert_eq!(stage.sent() - before, 1, "{fault}");
    }
    Verdict::ran()
}

pub(crate) async fn slow_answers(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = ready(subject, object).await;
    let start = stage.clock.now();
    stage.plan(json!([{"when": {"nth": 1}, "fault": {"kind": "slow", "delay_ms": 25_000}}]));
    let before = stage.sent();
    reads_all(&stage, object).await;
    assert!(stage.seconds_since(start) >= 25.0);
    let calls = stage.sent() - before;
    // Beyond the time-out it is asked again.
    stage.plan(json!([{"when": {"nth": 1}, "fault": {"kind": "slow", "delay_ms": 45_000}}]));
    let (start, before) = (stage.clock.now(), stage.sent());
    reads_all(&stage, object).await;
    assert!(stage.seconds_since(start) >= TIMEOUT.as_secs_f64());
    assert_eq!(stage.sent() - before, calls + 1);
    Verdict::ran()
}

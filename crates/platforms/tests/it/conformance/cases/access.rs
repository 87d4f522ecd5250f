//! Tokens, rights, secrets.

use std::sync::atomic::Ordering;

use handover_connect::{Clock as _, Connector as _, FaultKind, WriteOutcome};
use serde_json::json;

use crate::conformance::Verdict;
use crate::conformance::cases::batches::bad;
use crate::conformance::cases::failing::has_day;
use crate::conformance::cases::listing::{assert_each_once, text};
use crate::conformance::stage::{Setting, Stage, create, hear, live, outcome, refused};
use crate::conformance::subject::{Object, Scene, Subject};

fn oauth() -> Setting {
    Setting { oauth: true, ..Setting::default() }
}

/// How often a token was bought.
fn bought(stage: &Stage) -> usize {
    stage.requests(0).iter().filter(|entry| entry.path.ends_with("/token")).count()
}

pub(crate) async fn tokens_end_in_the_middle_of_a_list(
    subject: &'static dyn Subject,
    object: &'static Object,
) -> Verdict {
    if !subject.has_oauth() {
        return no_tokens_are_bought(subject, object).await;
    }
    let page = u64::from(subject.dialect().capabilities().object(object.name).unwrap().list_page);
    let count = 2 * page + 10;
    let stage = Stage::over(subject, subject.world(Scene::of(object, count)), &oauth());
    stage.schema(object).await;
    assert_eq!(bought(&stage), 1, "one token serves all");
    let read = live(object, &text(object));
    let first = stage.page(&read, None).await.unwrap();
    // Refused before its time, then at its time.
    stage.plan(json!([{"when": {"nth": 1}, "fault": {"kind": "expired_token"}}]));
    let second = stage.page(&read, first.next.as_ref()).await.unwrap();
    assert_eq!(bought(&stage), 2, "one refresh");
    stage.later(10 * 3_600);
    let mut all: Vec<_> = first.records.into_iter().chain(second.records).collect();
    let mut next = second.next;
    while let Some(cursor) = next {
        let page = stage.page(&read, Some(&cursor)).await.unwrap();
        all.extend(page.records);
        next = page.next;
    }
    assert_each_once(subject, object, &all, count);
    assert_eq!(bought(&stage), 3);
    let refused = stage.requests(0).iter().filter(|entry| entry.status == Some(401)).count();
    assert_eq!(refused, 1, "a token that ends by the clock is renewed before it is used");
    Verdict::ran()
}

/// The mirrored case: credentials that would have to be renewed are refused, and nothing is sent.
async fn no_tokens_are_bought(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::over(subject, subject.world(Scene::of(object, 3)), &oauth());
    let read = live(object, &text(object));
    Verdict::Refused(refused(&stage, stage.page(&read, None)).await)
}

pub(crate) async fn refresh_tokens_are_kept_before_use(subject: &'static dyn Subject) -> Verdict {
    let object = &subject.objects()[0];
    if !subject.has_oauth() {
        return no_tokens_are_bought(subject, object).await;
    }
    let stage = Stage::over(subject, subject.world(Scene::of(object, 3)), &oauth());
    stage.schema(object).await;
    stage.later(10 * 3_600);
    let read = live(object, &text(object));
    stage.page(&read, None).await.unwrap();
    let kept = stage.kept.tokens.lock().unwrap().clone();
    if !subject.renews_refresh_tokens() {
        assert_eq!(kept.len(), 0);
        return Verdict::Refused("refresh tokens stay the same, and nothing is kept".to_owned());
    }
    assert_eq!(kept.len(), 2);
    assert_ne!(kept[0].0, kept[1].0);
    for (_, sent) in &kept {
        let last = stage.requests(0)[usize::try_from(*sent).unwrap() - 1].clone();
        assert!(last.path.ends_with("/token"), "kept before anything else is sent");
    }
    // A token that cannot be kept is not used.
    stage.kept.fails.store(true, Ordering::Relaxed);
    stage.later(10 * 3_600);
    let before = stage.sent();
    let fault = stage.page(&read, None).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Auth, "{fault}");
    assert_eq!(stage.sent() - before, 1);
    Verdict::ran()
}

pub(crate) async fn missing_rights_are_denied(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let mut world = subject.world(Scene::of(object, 3));
    let (word, oauth) = subject.without_rights(&mut world, object);
    let stage = Stage::over(subject, world, &Setting { oauth, ..Setting::default() });
    let before = stage.clock.now();
    let fault = match stage.page(&live(object, &text(object)), None).await.unwrap_err() {
        // What must be described before it can be read is denied there.
        fault if fault.kind == FaultKind::Unsupported => stage.driver.describe(&object.name.into()).await.unwrap_err(),
        fault => fault,
    };
    assert_eq!(fault.kind, FaultKind::Denied, "{fault:?}");
    assert!(fault.message.contains(word), "`{word}` is not named: {fault}");
    assert_eq!(stage.clock.now(), before, "waiting would be no use");
    let calls = stage.requests(0).iter().filter(|entry| !entry.path.ends_with("/token")).count();
    assert_eq!(calls, 1, "nor is another try");
    Verdict::Ran(
        fault.message.split(' ').find(|part| part.contains(word)).unwrap_or(word).trim_end_matches(',').to_owned(),
    )
}

/// Faults of every kind, while the log is read: the judgement is made over every case; this one sees to it
/// that there is something to judge.
pub(crate) async fn nothing_leaks(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let setting = Setting { oauth: subject.has_oauth(), ..Setting::default() };
    let stage = Stage::over(subject, subject.world(Scene::of(object, 3)), &setting);
    let schema = stage.schema(object).await;
    let read = live(object, &text(object));
    let mut heard = 0;
    let faults = [
        json!({"kind": "malformed"}),
        json!({"kind": "cut", "bytes": 40}),
        json!({"kind": "lost_after"}),
        json!({"kind": "unavailable", "status": 500}),
        json!({"kind": "expired_token", "until_refresh": false}),
    ];
    for fault in &faults {
        stage.plan(json!([{"fault": fault}]));
        heard += usize::from(stage.page(&read, None).await.is_err());
        if stage.can(object).write_batch > 0 {
            let batch = stage.batch(object, create(object), vec![(None, subject.mint(object, 1))]);
            match stage.write(&batch).await {
                Ok(written) => assert!(!matches!(outcome(&written, 0), WriteOutcome::Applied { .. })),
                Err(_) => heard += 1,
            }
        }
    }
    assert!(heard >= 5);
    stage.plan(json!([]));
    if let Some((field, value)) = bad(subject, object, &schema).filter(|_| stage.can(object).write_batch > 0) {
        let mut row = subject.mint(object, 2);
        row.set(field, value);
        let written = stage.write(&stage.batch(object, create(object), vec![(None, row)])).await.unwrap();
        assert!(matches!(outcome(&written, 0), WriteOutcome::Refused(_)));
    }
    stage.plan(json!([{"fault": {"kind": "limited", "scope": "daily"}}]));
    assert_eq!(stage.page(&read, None).await.unwrap_err().is_daily_limit(), has_day(&stage));
    // On another day, a token endpoint that fails.
    stage.later(48 * 3_600);
    for fault in [json!({"kind": "malformed"}), json!({"kind": "unavailable", "status": 500})] {
        stage.plan(json!([{"fault": fault}]));
        let fault = stage.driver.users().await.unwrap_err();
        hear(&fault);
    }
    Verdict::ran()
}

//! Calls, limits, and the table of capabilities against what the system takes.

use std::sync::Arc;

use handover_connect::{
    Body, Clock as _, Connector as _, Limit, Operation, Reply, Request, Span, Step, WriteMode, WriteOutcome,
};
use handover_model::{FieldName, Fields, ReadCost, RecordId};

use crate::conformance::Verdict;
use crate::conformance::cases::listing::{assert_each_once, text};
use crate::conformance::stage::{Setting, Stage, create, hear, live, outcome};
use crate::conformance::subject::{MARK, Object, Scene, Subject};

pub(crate) async fn calls_are_the_least_possible(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 0));
    let can = stage.can(object).clone();
    let page = u64::from(can.list_page);
    let mut note = Vec::new();
    for count in [1, page, page + 1, 3 * page] {
        let stage = Stage::of(subject, Scene::of(object, count));
        stage.schema(object).await;
        let before = stage.sent();
        let records = stage.list(&live(object, &text(object))).await.unwrap();
        assert_each_once(subject, object, &records, count);
        let own = page - object.overlap;
        let pages = count.saturating_sub(object.overlap).div_ceil(own).max(1);
        let least = pages + (pages - 1) * object.again + object.lists - 1;
        assert_eq!((stage.sent() - before) as u64, least, "{count} records in pages of {page}");
    }
    note.push(format!("{page} on a page"));
    if can.fetch_batch > 0 {
        let size = u64::from(can.fetch_batch);
        let count = 2 * size + 1;
        let stage = Stage::of(subject, Scene::of(object, count));
        stage.schema(object).await;
        let ids: Vec<RecordId> = (1..=count).map(|n| subject.id(object.name, n)).collect();
        let before = stage.sent();
        let records = stage.fetch(object, &text(object), &ids).await.unwrap();
        assert_each_once(subject, object, &records, count);
        assert_eq!(stage.sent() - before, 3, "{count} records by {size} ids");
        note.push(format!("{size} by ids"));
    }
    if can.write_batch > 0 {
        let count = usize::try_from(can.write_batch).unwrap();
        let rows: Vec<Fields> = (0..count).map(|n| subject.mint(object, n as u64)).collect();
        stage.schema(object).await;
        let before = stage.sent();
        stage.make(object, &rows).await;
        assert_eq!(stage.sent() - before, 1, "a batch of {count} is one call");
        note.push(format!("{count} written"));
    }
    Verdict::Ran(note.join(", "))
}

/// Pages that are read to fill several windows of every limit.
const PAGES: u32 = 450;

/// What a reply without a driver means.
async fn sent(stage: &Stage, operation: &Operation, request: Request) -> (Reply, Option<Step>) {
    let reply = stage.raw(request).await;
    let step = stage.dialect.decode(operation, None, &reply).inspect_err(hear).ok();
    (reply, step)
}

pub(crate) async fn the_table_agrees_with_the_system(
    subject: &'static dyn Subject,
    object: &'static Object,
) -> Verdict {
    let can = subject.dialect().capabilities().object(object.name).unwrap().clone();
    let most = u64::from(can.list_page.max(can.fetch_batch).max(can.write_batch)) + 5;
    let stage = Stage::of(subject, Scene::of(object, most));
    let schema = stage.schema(object).await;
    let mut note = vec![page_is_the_largest(&stage, object, can.list_page).await];
    let ids = |count: u32| (1..=u64::from(count)).map(|n| subject.id(object.name, n)).collect::<Vec<_>>();
    if can.fetch_batch > 0 {
        let fields: Arc<[FieldName]> = text(object);
        let fetch = |count| Operation::Fetch { object: object.name.into(), fields: fields.clone(), ids: ids(count) };
        let (reply, step) =
            sent(&stage, &fetch(can.fetch_batch), stage.dialect.encode(&fetch(can.fetch_batch), None).unwrap()).await;
        assert!(reply.status == 200 && step.is_some(), "{}", reply.status);
        note.push(match stage.dialect.encode(&fetch(can.fetch_batch + 1), None) {
            Err(_) => "one id more is refused before sending",
            Ok(request) => match sent(&stage, &fetch(can.fetch_batch + 1), request).await {
                (reply, _) if (400..500).contains(&reply.status) => "one id more is refused by the system",
                (_, Some(Step::Then { .. } | Step::Page { next: Some(_), .. })) => "one id more is another call",
                (reply, step) => panic!("one id more was taken: {} {step:?}", reply.status),
            },
        });
    }
    for field in &schema.fields {
        if let ReadCost::Extra { per_call, .. } = field.read {
            let before = stage.sent();
            let count = per_call.min(20) * 2 + 1;
            stage.driver.enrich(&object.name.into(), &field.name, &ids(count.min(100))).await.unwrap();
            let least = u64::from(count.min(100)).div_ceil(u64::from(per_call));
            assert_eq!((stage.sent() - before) as u64, least, "`{}`", field.name);
        }
    }
    if can.write_batch > 0 {
        note.push(write_is_the_largest(&stage, object, can.write_batch).await);
    }
    Verdict::Ran(note.join(", "))
}

/// A page larger than the table's is refused or cut, and never brought.
async fn page_is_the_largest(stage: &Stage, object: &Object, page: u32) -> &'static str {
    let list = Operation::List(live(object, &text(object)));
    let mut request = stage.dialect.encode(&list, None).unwrap();
    if !one_more_in_a_query(&mut request, page) {
        // It says how many among its parameters, or in a header.
        let limit = request.query.iter_mut().find(|(name, _)| name == "limit" || name == "per_page");
        let says = |(_, value): &&mut (String, String)| value.ends_with(&format!("={page}"));
        let limit = limit.or_else(|| request.headers.iter_mut().find(says)).map(|(_, value)| value);
        let limit = limit.expect("a list says how many");
        assert!(limit.ends_with(&page.to_string()));
        *limit = limit.replace(&page.to_string(), &(page + 1).to_string());
    }
    match sent(stage, &list, request).await {
        (reply, _) if (400..500).contains(&reply.status) => "a larger page is refused",
        (_, Some(Step::Page { records, .. })) => {
            assert!(records.len() as u64 <= u64::from(page), "{} on a page", records.len());
            "a larger page is cut"
        }
        (reply, step) => panic!("{} {step:?}", reply.status),
    }
}

/// The same in the words of a query, which may be for several pages at once.
fn one_more_in_a_query(request: &mut Request, page: u32) -> bool {
    let Body::Json(body) = &mut request.body else { return false };
    let text = String::from_utf8(body.clone()).unwrap();
    let (head, limit) = text.rsplit_once("limit ").expect("a query says how many");
    let number: u32 = limit.trim_end_matches(['"', '}']).parse().unwrap();
    assert_eq!(number % page, 0);
    *body = format!("{head}limit {}\"}}", number + 1).into_bytes();
    true
}

async fn write_is_the_largest(stage: &Stage, object: &Object, most: u32) -> &'static str {
    let rows = |from: u64, count: u32| -> Vec<(Option<RecordId>, Fields)> {
        (0..u64::from(count)).map(|n| (None, stage.subject.mint(object, from + n))).collect()
    };
    let written = stage.write(&stage.batch(object, create(object), rows(0, most))).await.unwrap();
    assert!((0..most as usize).all(|at| matches!(outcome(&written, at), WriteOutcome::Applied { .. })));
    let batch = stage.batch(object, create(object), rows(1_000, most + 1));
    let before = stage.sent();
    match stage.write(&batch).await {
        Err(_) if stage.sent() == before => "one row more is refused before sending",
        Err(fault) => {
            assert!((400..500).contains(&fault.status), "{fault:?}");
            "one row more is refused by the system"
        }
        Ok(written) => {
            // Of a creation that is refused as a whole it is not certain that nothing stands.
            let unknown = (0..=most as usize).all(|at| matches!(outcome(&written, at), WriteOutcome::Unknown(_)));
            assert!(unknown, "one row more was taken");
            assert!(stage.requests(before).iter().all(|entry| entry.status.is_some_and(|s| (400..500).contains(&s))));
            "one row more is refused by the system"
        }
    }
}

/// The time that so many operations take at the least, in seconds, by the limits as the account told them.
fn bound(limits: &[Limit], charges: &[handover_connect::Charge], operations: u64, reserve: f64) -> f64 {
    let mut longest: f64 = 0.0;
    for limit in limits {
        let Span::Rolling(span_ms) = limit.span else { continue };
        let Some(charge) = charges.iter().find(|charge| charge.limit == limit.name) else { continue };
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "limits and numbers of calls are small"
        )]
        let in_span = ((limit.amount as f64) * (1.0 - reserve)).floor() as u64 / u64::from(charge.amount);
        let spans = operations.div_ceil(in_span.max(1)) - 1;
        #[expect(clippy::cast_precision_loss, reason = "a few hours in milliseconds")]
        let seconds = (spans * span_ms) as f64 / 1_000.0;
        longest = longest.max(seconds);
    }
    longest
}

/// Reads, searches and writes, one by one: never above a limit, and not much below. Several at once: never
/// above. (On a clock that jumps, a request that waits for its turn makes all others late, so the time is
/// judged one by one only.)
async fn within_limits(subject: &'static dyn Subject, reserve: f64) -> Verdict {
    let mut note = Vec::new();
    // Not more at once than the smallest limit has places: those that have one would come late, with others.
    let dialect = subject.dialect();
    let smallest = dialect.capabilities().limits.iter().map(|limit| limit.amount).min().unwrap_or(u64::MAX);
    let concurrency = usize::try_from(smallest.min(7)).unwrap();
    for object in subject.objects() {
        let world = subject.world(Scene::of(object, 3));
        let stage = Stage::over(subject, world, &Setting { reserve, concurrency, ..Setting::default() });
        stage.schema(object).await;
        // The account's own limits are known from now on; the windows are empty again.
        stage.later(60);
        let (start, before) = (stage.clock.now(), stage.sent());
        let read = live(object, &text(object));
        for _ in 0..PAGES {
            stage.page(&read, None).await.unwrap();
        }
        let calls = (stage.sent() - before) as u64;
        let least = bound(&stage.driver.budget().limits(), &stage.can(object).list_charges, calls, reserve);
        let took = stage.seconds_since(start);
        let is_good = took <= least * 1.1 + 0.001;
        assert!(is_good, "{}: {calls} calls took {took} s, {least} s would do", object.name);
        // As many calls as fill a window, where one does not cover thousands of records.
        let count = (150 * u64::from(stage.can(object).fetch_batch)).min(15_000);
        let ids: Vec<RecordId> = (0..count).map(|n| subject.id(object.name, 1 + n % 3)).collect();
        stage.fetch(object, &text(object), &ids).await.unwrap();
        search_and_write(&stage, object).await;
        assert_eq!(stage.driver.spent().limited, 0, "{}", object.name);
        note.push(format!("{} {calls}", object.name));
    }
    Verdict::Ran(note.join(", "))
}

async fn search_and_write(stage: &Stage, object: &Object) {
    let can = stage.can(object);
    if can.lists_since {
        let at = stage.clock.now();
        let read = handover_connect::Read { since: Some(at), ..live(object, &text(object)) };
        for _ in 0..25 {
            stage.list(&read).await.unwrap();
        }
    }
    if can.write_batch > 0 {
        let id = stage.subject.id(object.name, 1);
        let fields: Fields = [(FieldName::from(object.text), format!("{MARK} r").into())].into_iter().collect();
        for _ in 0..60 {
            let rows = vec![(Some(id.clone()), fields.clone())];
            if stage.driver.write(&stage.batch(object, WriteMode::Update, rows)).await.is_err() {
                break;
            }
        }
    }
}

pub(crate) async fn no_limit_is_met_with_no_reserve(subject: &'static dyn Subject) -> Verdict {
    within_limits(subject, 0.0).await
}

pub(crate) async fn no_limit_is_met_with_a_reserve(subject: &'static dyn Subject) -> Verdict {
    within_limits(subject, 0.2).await
}

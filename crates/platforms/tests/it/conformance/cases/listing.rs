//! Lists, watermarks, numbers, records by their ids.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover_connect::{Connector as _, Count, FaultKind, Read, Which};
use handover_model::{FieldName, Record};
use handover_sandbox::faults::DisturbAction;
use jiff::{SignedDuration, Timestamp};

use crate::conformance::Verdict;
use crate::conformance::stage::{Stage, hear, live, names, refused};
use crate::conformance::subject::{MODIFIED, Object, Scene, Subject, live_text};

/// More than any platform lets a query page through.
const MANY: u64 = 10_050;

/// The one field that tells records apart; none where the object has none of its own.
pub(super) fn text(object: &Object) -> Arc<[FieldName]> {
    if object.text.is_empty() { names(&[]) } else { names(&[object.text]) }
}

/// How often each record was seen, by its number.
pub(super) fn seen(subject: &dyn Subject, object: &Object, records: &[Record], live: u64) -> BTreeMap<u64, u64> {
    let numbers: BTreeMap<String, u64> = (1..=live).map(|n| (subject.id(object.name, n).to_string(), n)).collect();
    let mut seen = BTreeMap::new();
    for record in records {
        if let Some(n) = numbers.get(record.id.as_str()) {
            *seen.entry(*n).or_default() += 1;
        }
    }
    seen
}

/// The records 1 to `live`, each once, and no others.
pub(super) fn assert_each_once(subject: &dyn Subject, object: &Object, records: &[Record], live: u64) {
    let seen = seen(subject, object, records, live);
    let missing = (1..=live).find(|n| seen.get(n) != Some(&1));
    assert_eq!(missing, None, "{} of {live} records, {} distinct", records.len(), seen.len());
    assert_eq!(records.len() as u64, live);
}

pub(crate) async fn each_record_once_while_rows_change(
    subject: &'static dyn Subject,
    object: &'static Object,
) -> Verdict {
    let page = u64::from(subject.dialect().capabilities().object(object.name).unwrap().list_page);
    let count = 2 * page + 50;
    let stage = Stage::of(subject, Scene::of(object, count));
    stage.schema(object).await;
    let id = |n: u64| if object.journal == "notes" { n.to_string().into() } else { subject.id(object.name, n) };
    // Deleted before and behind the place where the list is, touched on both sides, and made.
    let gone = [2, 3, page - 1, page, page + 30];
    let read = live(object, &text(object));
    let first = stage.page(&read, None).await.unwrap();
    for n in gone {
        stage.upset(object, id(n).as_str(), DisturbAction::Delete).await;
    }
    if object.disturbed {
        for n in [5, page + 5] {
            stage.upset(object, id(n).as_str(), DisturbAction::Touch).await;
        }
        let fields = subject.raw(object);
        stage.upset(object, "", DisturbAction::Create { fields }).await;
    }
    let mut all = first.records;
    let mut cursor = first.next;
    let mut pages = 1;
    while let Some(next) = cursor {
        let page = stage.page(&read, Some(&next)).await.unwrap();
        all.extend(page.records);
        cursor = page.next;
        pages += 1;
        assert!(pages < 20, "the list does not end");
        if pages == 2 {
            stage.upset(object, id(7).as_str(), DisturbAction::Delete).await;
        }
    }
    let seen = seen(subject, object, &all, count);
    assert_eq!(seen.iter().find(|(_, times)| **times > 1), None, "a record came twice");
    let missing: Vec<u64> = (1..=count).filter(|n| !gone.contains(n) && *n != 7 && !seen.contains_key(n)).collect();
    assert_eq!(missing, Vec::<u64>::new(), "records lost");
    Verdict::ran()
}

pub(crate) async fn a_list_resumes_in_another_process(
    subject: &'static dyn Subject,
    object: &'static Object,
) -> Verdict {
    let page = u64::from(subject.dialect().capabilities().object(object.name).unwrap().list_page);
    let count = 2 * page + 5;
    let stage = Stage::of(subject, Scene::of(object, count));
    stage.schema(object).await;
    let read = live(object, &text(object));
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        // Every page by a driver of its own, which knows nothing but the cursor.
        let driver = stage.another();
        driver.describe(&object.name.into()).await.unwrap();
        // Nor what the others have left of the limits.
        stage.later(2);
        let page = driver.page(&read, cursor.as_ref()).await.unwrap();
        all.extend(page.records);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
        stage.later(2);
    }
    assert_each_once(subject, object, &all, count);
    Verdict::ran()
}

pub(crate) async fn equal_watermarks_lose_nothing(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, if subject_lists_since(subject, object) { MANY } else { 120 }));
    stage.schema(object).await;
    let at: Timestamp = MODIFIED.parse().unwrap();
    let since = |since: Timestamp| Read { since: Some(since), ..live(object, &text(object)) };
    if !stage.can(object).lists_since {
        return Verdict::Refused(refused(&stage, stage.driver.page(&since(at), None)).await);
    }
    let records = stage.list(&since(at)).await.unwrap();
    assert_each_once(subject, object, &records, MANY);
    assert!(records.iter().all(|record| record.modified == Some(at)));
    let later = at.checked_add(SignedDuration::from_secs(1)).unwrap();
    assert_eq!(stage.list(&since(later)).await.unwrap().len(), 0, "nothing is newer");
    Verdict::ran()
}

fn subject_lists_since(subject: &dyn Subject, object: &Object) -> bool {
    subject.dialect().capabilities().object(object.name).unwrap().lists_since
}

pub(crate) async fn numbers_are_told_or_not(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene { gone: 3, ..Scene::of(object, 150) });
    stage.schema(object).await;
    let before = stage.sent();
    let count = stage.driver.count(&object.name.into()).await.unwrap();
    if stage.can(object).count == Count::Told {
        assert_eq!(count, Some(150));
        return Verdict::ran();
    }
    assert_eq!((count, stage.sent()), (None, before));
    Verdict::Refused("not told, and nothing was asked".to_owned())
}

pub(crate) async fn deleted_records_are_listed_or_not(
    subject: &'static dyn Subject,
    object: &'static Object,
) -> Verdict {
    let scene = Scene { gone: if object.disturbed { 130 } else { 0 }, ..Scene::of(object, 20) };
    let stage = Stage::of(subject, scene);
    stage.schema(object).await;
    let read = Read { which: Which::Deleted, ..live(object, &text(object)) };
    let live = stage.list(&live(object, &text(object))).await.unwrap();
    assert_each_once(subject, object, &live, 20);
    if !stage.can(object).lists_deleted {
        return Verdict::Refused(refused(&stage, stage.driver.page(&read, None)).await);
    }
    let gone = stage.list(&read).await.unwrap();
    assert!(gone.iter().all(|record| record.gone));
    let seen = seen(subject, object, &gone, 150);
    assert_eq!((gone.len(), seen.len(), seen.keys().min()), (130, 130, Some(&21)));
    Verdict::ran()
}

pub(crate) async fn what_happened_since_is_told_or_not(
    subject: &'static dyn Subject,
    object: &'static Object,
) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 20));
    stage.schema(object).await;
    if !stage.can(object).feeds {
        return Verdict::Refused(refused(&stage, stage.driver.feed(&object.name.into(), None, None)).await);
    }
    let before = stage.sent();
    let first = match stage.fed(object, None).await {
        Err(fault) if fault.kind == FaultKind::Unsupported => {
            assert_eq!(stage.sent(), before);
            return Verdict::Refused(fault.message);
        }
        first => first.unwrap(),
    };
    assert_each_once(subject, object, &first.records, 20);
    let token = first.token.unwrap();
    assert!(stage.fed(object, Some(&token)).await.unwrap().records.is_empty(), "nothing happened");
    let id = |n: u64| subject.id(object.name, n);
    stage.upset(object, id(2).as_str(), DisturbAction::Delete).await;
    stage.upset(object, id(5).as_str(), DisturbAction::Touch).await;
    if object.disturbed {
        stage.upset(object, id(3).as_str(), DisturbAction::Delete).await;
        stage.upset(object, id(3).as_str(), DisturbAction::Restore).await;
    }
    let merges = stage.can(object).merge_charges.is_some();
    if merges {
        stage.upset(object, id(6).as_str(), DisturbAction::Merge { into: id(7).to_string() }).await;
    }
    // The one reading after the other from the same token: it is not used up.
    for _ in 0..2 {
        let told = stage.fed(object, Some(&token)).await.unwrap();
        let of = |gone: bool| {
            let all = told.records.iter().filter(|record| record.gone == gone).cloned().collect::<Vec<_>>();
            seen(subject, object, &all, 20).into_keys().collect::<Vec<_>>()
        };
        assert_eq!(of(true), if merges { vec![2, 6] } else { vec![2] });
        assert!(of(false).contains(&5) && !object.disturbed || of(false).contains(&3), "{:?}", of(false));
        assert!(stage.fed(object, told.token.as_ref()).await.unwrap().records.is_empty());
    }
    Verdict::ran()
}

pub(crate) async fn unknown_deleted_and_merged_ids(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 6));
    stage.schema(object).await;
    let behind = |n: u64| if object.journal == "notes" { n.to_string().into() } else { subject.id(object.name, n) };
    stage.upset(object, behind(2).as_str(), DisturbAction::Delete).await;
    let merges = object.disturbed;
    if merges {
        let into = behind(4).to_string();
        stage.upset(object, behind(3).as_str(), DisturbAction::Merge { into }).await;
    }
    let fields = text(object);
    let ids: Vec<_> = [1, 2, 3, 4, 5, 900].map(|n| subject.id(object.name, n)).into();
    let found = stage.fetch(object, &fields, &ids).await.unwrap();
    let live: Vec<&Record> = found.iter().filter(|record| !record.gone).collect();
    let has = |n: u64| live.iter().any(|record| record.id == subject.id(object.name, n));
    assert!(has(1) && has(5), "the live ones come");
    assert!(!has(2) && !has(900), "neither the deleted nor the unknown one comes");
    let mut distinct: Vec<&str> = found.iter().map(|record| record.id.as_str()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), found.len(), "each once");
    if !object.text.is_empty() {
        let first = live.iter().find(|record| record.id == subject.id(object.name, 1)).unwrap();
        let told = first.fields.get(object.text).unwrap().display();
        assert!(told.starts_with(&live_text(1)), "the record is the one that was asked for");
    }
    let new = live.iter().any(|record| (1..=6).all(|n| record.id != subject.id(object.name, n)));
    let deleted =
        if found.iter().any(|record| record.gone) { "deleted ones come as gone" } else { "deleted ones do not come" };
    // A lone unknown id is an empty answer and no fault.
    let none = stage.fetch(object, &fields, &[subject.id(object.name, 901)]).await.inspect_err(hear).unwrap();
    assert!(none.is_empty());
    let merged = match (has(3), has(4), new) {
        (true, true, _) => "nothing merges",
        (false, true, _) => "the merged one is its survivor",
        (_, _, true) => "both merged ones are a third",
        _ => "merged ones do not come",
    };
    Verdict::Ran(format!("{deleted}; {}", if merges { merged } else { "nothing merges" }))
}

use std::collections::BTreeMap;

use handover_model::{Fields, Record, RecordId, Value};
use handover_store::{Block, Extraction, MatchRow, Store};
use jiff::civil::{date, time};
use jiff::{SignedDuration, Timestamp};

use crate::scene::{Scene, commit, on_both};

on_both!(
    records_come_back_as_they_were,
    a_block_staged_again_replaces_the_old_one,
    marks_tell_which_records_were_staged,
    extractions_are_kept_by_object,
    keys_find_their_records,
    very_long_keys_are_told_apart,
    duplicates_come_in_pages,
);

fn every_value() -> Vec<Value> {
    let decimals = ["0", "-0.00", "1.0", "1.00", "-79228162514264337593543950335", "0.0000000000000000000000000001"];
    let mut values: Vec<Value> = decimals.iter().map(|text| Value::Number(text.parse().unwrap())).collect();
    values.extend([
        Value::Null,
        Value::Bool(true),
        Value::Bool(false),
        Value::text(""),
        Value::text("naïve\0\u{10ffff}\r\n"),
        Value::Date(date(-9999, 1, 1)),
        Value::Date(date(9999, 12, 31)),
        Value::Date(date(2024, 2, 29)),
        Value::DateTime(Timestamp::MIN),
        Value::DateTime(Timestamp::MAX),
        Value::DateTime(Timestamp::from_nanosecond(-1).unwrap()),
        Value::Time(time(23, 59, 59, 999_999_999)),
        Value::Time(time(0, 0, 0, 0)),
        Value::List(Vec::new()),
        Value::Map(BTreeMap::new()),
    ]);
    let nested = Value::List(values.clone());
    values.push(Value::Map(BTreeMap::from([("value".to_owned(), nested), (String::new(), Value::Null)])));
    values
}

fn record(id: &str, fields: &[(&str, Value)]) -> Record {
    Record {
        id: id.into(),
        fields: fields.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(),
        modified: None,
        gone: false,
    }
}

fn block(object: &str, number: i64, records: Vec<Record>) -> Block {
    Block { system: "old".into(), object: object.into(), number, records }
}

fn key(object: &str, kind: &str, key: &str, record: &str) -> MatchRow {
    MatchRow {
        system: "old".into(),
        object: object.into(),
        kind: kind.to_owned(),
        key: key.to_owned(),
        record: record.into(),
        block: 3,
    }
}

async fn records_come_back_as_they_were(scene: Scene) {
    let names: Vec<String> = (0..every_value().len()).map(|at| format!("field {at}")).collect();
    let fields: Fields = names.iter().map(|name| name.as_str().into()).zip(every_value()).collect();
    let records = vec![
        Record { id: "1".into(), fields, modified: Some(Timestamp::MIN), gone: true },
        Record { id: RecordId::from("ümlaut/ü"), fields: Fields::new(), modified: None, gone: false },
        record("3", &[("field 0", Value::text("other"))]),
    ];
    let store = scene.open().await;
    store.commit(commit(0, |commit| commit.blocks.push(block("persons", 0, records.clone())))).await.unwrap();
    for _ in 0..2 {
        // The second time from the cache.
        let back = store.block(&"old".into(), &"persons".into(), 0).await.unwrap();
        assert_eq!(*back, records);
        // Equal numbers may differ in their trailing zeros, which are data too.
        let scales = |records: &[Record]| {
            let texts = records.iter().flat_map(|record| record.fields.iter());
            texts
                .filter_map(|(_, value)| match value {
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(scales(&back), scales(&records));
    }
    drop(store);
    let store = scene.open().await;
    assert_eq!(*store.block(&"old".into(), &"persons".into(), 0).await.unwrap(), records);
    assert!(store.block(&"old".into(), &"persons".into(), 1).await.unwrap().is_empty());
    assert!(store.block(&"old".into(), &"never heard of".into(), 0).await.unwrap().is_empty());
}

async fn a_block_staged_again_replaces_the_old_one(scene: Scene) {
    let store = scene.open().await;
    for text in ["first", "second"] {
        let records = vec![record("1", &[("name", Value::text(text))])];
        store.commit(commit(0, |commit| commit.blocks.push(block("persons", 0, records.clone())))).await.unwrap();
        for _ in 0..2 {
            assert_eq!(store.block_once(&"old".into(), &"persons".into(), 0).await.unwrap(), records);
        }
        assert_eq!(*store.block(&"old".into(), &"persons".into(), 0).await.unwrap(), records);
    }
}

fn extraction(object: &str, records: i64) -> Extraction {
    Extraction {
        system: "old".into(),
        object: object.into(),
        pass: 1,
        cursor: Some("next".to_owned()),
        blocks: 2,
        records,
        complete: false,
        told: Some(900),
        began: Timestamp::from_nanosecond(1_700_000_000_123_456_789).unwrap(),
        ahead: SignedDuration::from_secs(-7_200),
    }
}

async fn extractions_are_kept_by_object(scene: Scene) {
    let store = scene.open().await;
    let done = Extraction { cursor: None, complete: true, told: None, ..extraction("deals", 7) };
    let both = vec![extraction("persons", 500), extraction("deals", 5)];
    store.commit(commit(0, |commit| commit.extractions = both)).await.unwrap();
    store.commit(commit(1, |commit| commit.extractions = vec![done.clone()])).await.unwrap();
    assert_eq!(store.extraction(&"old".into(), &"deals".into()).await.unwrap(), Some(done.clone()));
    assert_eq!(store.extraction(&"new".into(), &"deals".into()).await.unwrap(), None);
    assert_eq!(store.extractions().await.unwrap(), [done, extraction("persons", 500)]);
}

async fn keys_find_their_records(scene: Scene) {
    let store = scene.open().await;
    let keys = vec![
        key("persons", "email#0", "a@b.c", "1"),
        key("persons", "email#0", "a@b.c", "2"),
        key("persons", "phone#1", "a@b.c", "3"),
        key("deals", "email#0", "a@b.c", "4"),
        // The same key twice in one commit is one row.
        key("persons", "email#0", "a@b.c", "1"),
    ];
    store.commit(commit(0, |commit| commit.keys = keys.clone())).await.unwrap();
    let pair = |kind: &str, key: &str| (kind.to_owned(), key.to_owned());
    let found = |wanted: Vec<(String, String)>| {
        let store = store.clone();
        async move {
            let mut found = store.matches(&"old".into(), &"persons".into(), &wanted).await.unwrap();
            found.sort_by(|a, b| a.record.cmp(&b.record));
            found
        }
    };
    assert_eq!(found(vec![pair("email#0", "a@b.c"), pair("email#0", "x")]).await, keys[..2]);
    assert_eq!(found(vec![pair("email#0", "a@b.c"), pair("phone#1", "a@b.c")]).await, keys[..3]);
    assert_eq!(found(vec![pair("domain#0", "a@b.c")]).await, []);
    assert_eq!(found(Vec::new()).await, []);
    // More keys than one statement carries.
    let many = (0..2000).map(|at| pair("email#0", &format!("{at}"))).chain([pair("email#0", "a@b.c")]).collect();
    assert_eq!(found(many).await, keys[..2]);
}

async fn very_long_keys_are_told_apart(scene: Scene) {
    let store = scene.open().await;
    let long = |end: &str| format!("{}{end}", "x".repeat(20_000));
    let keys = vec![key("persons", "text#0", &long("1"), "1"), key("persons", "text#0", &long("2"), "2")];
    store.commit(commit(0, |commit| commit.keys = keys.clone())).await.unwrap();
    let wanted = [("text#0".to_owned(), long("2"))];
    assert_eq!(store.matches(&"old".into(), &"persons".into(), &wanted).await.unwrap(), keys[1..]);
    // A key with a NUL, which PostgreSQL's texts cannot have, is found again all the same.
    let odd = key("persons", "text#0", "a\0b", "3");
    store.commit(commit(0, |commit| commit.keys = vec![odd.clone()])).await.unwrap();
    let wanted = [("text#0".to_owned(), "a\0b".to_owned())];
    let found = store.matches(&"old".into(), &"persons".into(), &wanted).await.unwrap();
    assert_eq!(found.iter().map(|row| row.record.as_str()).collect::<Vec<_>>(), ["3"]);
}

async fn duplicates_come_in_pages(scene: Scene) {
    let store = scene.open().await;
    let mut keys = Vec::new();
    for at in 0..30 {
        keys.push(key("persons", "email#0", &format!("{at:02}@x"), &format!("a{at}")));
        if at % 10 == 0 {
            keys.push(key("persons", "email#0", &format!("{at:02}@x"), &format!("b{at}")));
        }
    }
    store.commit(commit(0, |commit| commit.keys = keys)).await.unwrap();
    let mut groups = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.duplicates(&"old".into(), &"persons".into(), "email#0", after.as_deref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = Some(last.key.clone());
        groups.extend(page);
    }
    let shown: Vec<_> = groups.iter().map(|group| (group.key.as_str(), group.records.len())).collect();
    assert_eq!(shown, [("00@x", 2), ("10@x", 2), ("20@x", 2)]);
    assert_eq!(groups[1].records, [("a10".into(), 3), ("b10".into(), 3)]);
}

async fn marks_tell_which_records_were_staged(scene: Scene) {
    let store = scene.open().await;
    let marks = |object: &'static str| {
        let store = store.clone();
        async move { store.staged_marks(&"old".into(), &object.into()).await.unwrap() }
    };
    let of = |ids: &[&str]| ids.iter().map(|id| Store::mark_of(&(*id).into())).collect();
    let blocks = vec![
        block("persons", 0, vec![record("1", &[]), record("2", &[])]),
        block("persons", 1, vec![record("3", &[])]),
        block("deals", 0, vec![record("4", &[])]),
    ];
    assert!(marks("persons").await.is_empty());
    store.commit(commit(0, |commit| commit.blocks = blocks.clone())).await.unwrap();
    assert_eq!(marks("persons").await, of(&["1", "2", "3"]));
    let again = vec![block("persons", 1, vec![record("5", &[])])];
    store.commit(commit(1, |commit| commit.blocks = again.clone())).await.unwrap();
    assert_eq!(marks("persons").await, of(&["1", "2", "5"]));
    assert_eq!(store.block_once(&"old".into(), &"persons".into(), 1).await.unwrap(), [record("5", &[])]);
    // The same in every version: states outlive programs.
    assert_eq!(Store::mark_of(&"42".into()), MARK_OF_42);
}

/// The first eight bytes of BLAKE3 of `42`, the lowest first.
const MARK_OF_42: u64 = 3_628_871_982_636_078_042;

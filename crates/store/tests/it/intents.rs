use std::collections::HashMap;

use handover_model::{End, Fields, RecordId, Value};
use handover_store::{Commit, Entry, Intent, Item, Store, Telling, Words};
use serde_json::json;

use crate::scene::{Scene, at, commit, entry, on_both, paired};

on_both!(an_open_intent_knows_what_it_writes_and_where_stories_end, intents_that_end_without_a_word_leave_stories);

fn write(record: &str) -> Fields {
    [("name".into(), Value::text(format!("name of {record}"))), ("n".into(), Value::Number("1.50".parse().unwrap()))]
        .into_iter()
        .collect()
}

/// A batch that is decided and about to be sent.
fn decided(words: &mut Words, intent: &str, second: i64, records: &[&str]) -> Commit {
    let item = |record: &&str| {
        let mut telling = Telling::default();
        telling.fields(words, "source", write(record).iter());
        telling.repeating(words, "write", write(record).iter(), &write(record));
        Item { record: RecordId::from(*record), values: telling.end(words) }
    };
    let items = records.iter().map(item).collect();
    commit(second, |commit| {
        // The entry before shows that it is not just the first that is meant.
        commit.entries = vec![entry("sent", "contacts", &[]), Entry { items, ..entry("decided", "contacts", &[]) }];
        let (id, flow) = (intent.to_owned(), "contacts".into());
        commit.intents = vec![Intent { id, flow, payload: vec![1], at: at(second), entry: Some(1) }];
    })
}

async fn story(store: &Store, record: &str) -> Vec<(i64, String, bool)> {
    let story = store.story(&"contacts".into(), &record.into()).await.unwrap();
    story.into_iter().map(|told| (told.seq, told.kind, told.values.is_some())).collect()
}

fn told(seq: i64, kind: &str, values: bool) -> (i64, String, bool) {
    (seq, kind.to_owned(), values)
}

async fn open(scene: &Scene) -> Store {
    let store = scene.open().await;
    let end = |system: &str, object: &str| End { system: system.into(), object: object.into() };
    let flow = ("contacts".into(), end("old", "persons"), end("new", "contacts"), "contacts.back".into());
    store.bind_flows(&[flow]).await.unwrap();
    store
}

async fn an_open_intent_knows_what_it_writes_and_where_stories_end(scene: Scene) {
    let store = open(&scene).await;
    let mut words = Words::default();
    store.commit(decided(&mut words, "a", 0, &["1", "2", "3"])).await.unwrap();
    let written: HashMap<RecordId, Fields> =
        ["1", "2", "3"].into_iter().map(|record| (record.into(), write(record))).collect();
    assert_eq!(store.told_with_intent("a", "write").await.unwrap(), written);
    assert_eq!(store.told_with_intent("a", "before").await.unwrap()["1"], Fields::new());
    assert!(store.told_with_intent("b", "write").await.unwrap().is_empty());
    assert_eq!(story(&store, "2").await, [told(2, "decided", true)]);
    let values = store.story(&"contacts".into(), &"2".into()).await.unwrap().pop().unwrap().values;
    let shown = json!({"name": "name of 2", "n": "1.5"});
    assert_eq!(values, Some(json!({"source": shown, "write": shown})));

    // Erased while its write is open: the ledger has lost the values, the intent needs them.
    assert_eq!(store.erase(&"contacts".into(), &"3".into(), at(1), "Eve", "asked").await.unwrap(), 1);
    assert_eq!(store.told_with_intent("a", "write").await.unwrap(), written);
    assert_eq!(story(&store, "3").await, [told(2, "decided", false), told(3, "erased", true)]);

    // Another process settles it.
    store.close().await.unwrap();
    let store = scene.open().await;
    let settled = commit(2, |commit| {
        commit.entries = vec![entry("confirmed", "contacts", &[("1", json!(1)), ("2", json!(2)), ("3", json!(3))])];
        commit.rows = ["1", "2", "3"].map(|record| paired("contacts", record, &format!("t{record}"), 1)).into();
        commit.settled = vec!["a".to_owned()];
    });
    store.commit(settled).await.unwrap();
    assert!(store.open_intents().await.unwrap().is_empty());
    assert_eq!(story(&store, "1").await, [told(2, "decided", true), told(5, "confirmed", true)]);
    let erased = [told(2, "decided", false), told(3, "erased", true), told(5, "confirmed", true)];
    assert_eq!(story(&store, "3").await, erased);
    store.verify(|_, _| ()).await.unwrap();
}

async fn intents_that_end_without_a_word_leave_stories(scene: Scene) {
    let store = open(&scene).await;
    let mut words = Words::default();
    store.commit(decided(&mut words, "a", 0, &["1", "2"])).await.unwrap();
    // Not sent, though something else is told of one of them meanwhile.
    store
        .commit(commit(1, |commit| commit.entries = vec![entry("noted", "contacts", &[("2", json!(0))])]))
        .await
        .unwrap();
    store.commit(commit(2, |commit| commit.settled = vec!["a".to_owned()])).await.unwrap();
    assert_eq!(story(&store, "1").await, [told(2, "decided", true)]);
    assert_eq!(story(&store, "2").await, [told(2, "decided", true), told(3, "noted", true)]);
    // The same batch once more, then another in its place.
    store.commit(decided(&mut words, "a", 3, &["1", "2"])).await.unwrap();
    store.commit(decided(&mut words, "a", 4, &["2"])).await.unwrap();
    assert_eq!(story(&store, "1").await, [told(2, "decided", true), told(5, "decided", true)]);
    let twice = [told(2, "decided", true), told(3, "noted", true), told(5, "decided", true), told(7, "decided", true)];
    assert_eq!(story(&store, "2").await, twice);
    // A row that is written without a word leaves the story as it is.
    let row = commit(5, |commit| {
        commit.rows = vec![paired("contacts", "2", "t2", 1)];
        commit.settled = vec!["a".to_owned()];
    });
    store.commit(row).await.unwrap();
    assert_eq!(story(&store, "2").await, twice);
    store.verify(|_, _| ()).await.unwrap();
}

use handover_model::{Answer, Cause, End, Fields, Outcome, Record, Value};
use handover_store::{Block, Entry, Error, GivenAnswer, MatchRow, Store, Told};
use serde_json::{Value as Json, json};

use crate::scene::{Scene, at, commit, entry, hold, ids, member, on_both, paired, row};

on_both!(
    a_story_is_told_oldest_first,
    a_story_goes_on_when_its_record_gets_a_row,
    the_ledger_verifies,
    writers_are_tied_together,
    rows_come_for_export,
    stories_are_found_by_source_and_target,
    erased_values_are_gone_everywhere_and_the_ledger_verifies,
    erasing_needs_to_know_the_objects,
);

fn shown(story: &[Told]) -> Vec<(i64, &str, Option<Json>)> {
    story.iter().map(|told| (told.seq, told.kind.as_str(), told.values.clone())).collect()
}

async fn a_story_is_told_oldest_first(scene: Scene) {
    let store = scene.open().await;
    let others: Vec<(String, Json)> = (0..300).map(|at| (format!("x{at}"), json!(at))).collect();
    let others: Vec<(&str, Json)> = others.iter().map(|(record, values)| (record.as_str(), values.clone())).collect();
    let first = commit(0, |commit| {
        let mut batch = entry("decided", "contacts", &others);
        batch.items.extend(entry("", "contacts", &[("1", json!({"b": 1.5, "a": "ä\0"}))]).items);
        commit.entries = vec![batch, entry("sent", "contacts", &[("1", json!(2)), ("2", json!(3)), ("1", json!(4))])];
        commit.rows = vec![row("contacts", "1", Outcome::Pending)];
    });
    assert_eq!(store.commit(first).await.unwrap(), [1, 2]);
    let second = commit(5, |commit| {
        commit.entries = vec![
            entry("sent", "deals", &[("1", json!("another flow"))]),
            entry("confirmed", "contacts", &[("1", json!(5))]),
        ];
    });
    assert_eq!(store.commit(second).await.unwrap(), [3, 4]);
    let story = store.story(&"contacts".into(), &"1".into()).await.unwrap();
    assert_eq!(
        shown(&story),
        [
            (1, "decided", Some(json!({"a": "ä\0", "b": 1.5}))),
            (2, "sent", Some(json!(2))),
            (2, "sent", Some(json!(4))),
            (4, "confirmed", Some(json!(5))),
        ]
    );
    assert_eq!(story[3].at, at(5));
    assert_eq!(story[3].note, json!({ "kind": "confirmed" }));
    assert_eq!((story[3].pass, story[3].flow.as_ref().unwrap().as_str()), (1, "contacts"));
    assert_eq!(store.story(&"contacts".into(), &"nobody".into()).await.unwrap(), []);
    assert_eq!(store.story(&"never heard of".into(), &"1".into()).await.unwrap(), []);
}

async fn a_story_goes_on_when_its_record_gets_a_row(scene: Scene) {
    let store = scene.open().await;
    let tell = |kind: &'static str| commit(0, |commit| commit.entries = vec![entry(kind, "a", &[("1", json!(0))])]);
    store.commit(tell("one")).await.unwrap();
    store.commit(tell("two")).await.unwrap();
    let with_row = commit(1, |commit| commit.rows = vec![row("a", "1", Outcome::Pending)]);
    store.commit(with_row).await.unwrap();
    store.commit(tell("three")).await.unwrap();
    store.commit(tell("four")).await.unwrap();
    let story = store.story(&"a".into(), &"1".into()).await.unwrap();
    assert_eq!(story.iter().map(|told| told.kind.as_str()).collect::<Vec<_>>(), ["one", "two", "three", "four"]);
}

async fn the_ledger_verifies(scene: Scene) {
    let store = scene.open().await;
    let nothing = store.verify(|_, _| ()).await.unwrap();
    assert_eq!((nothing.entries, nothing.items, nothing.heads.len()), (0, 0, 0));
    let many = (0..70).map(|second| {
        commit(second, |commit| {
            let records: Vec<String> = (0..second).map(|at| format!("{at}")).collect();
            let items: Vec<_> = records.iter().map(|record| (record.as_str(), json!({ "n": second }))).collect();
            let outside = Entry { kind: "note".to_owned(), flow: None, note: json!({"x": "\0"}), items: Vec::new() };
            commit.entries = vec![entry("decided", "contacts", &items), outside];
        })
    });
    store.commit_many(many.collect()).await.unwrap();
    let mut told = Vec::new();
    let verified = store.verify(|done, total| told.push((done, total))).await.unwrap();
    assert_eq!((verified.entries, verified.items, verified.erased), (140, 69 * 35, 0));
    assert_eq!(told, [(140, 140)]);
    assert_eq!((verified.heads[0].seq, verified.heads[0].hash.len()), (140, 64));
    let reader = Store::open_reading(&scene.location).await.unwrap();
    assert_eq!(reader.verify(|_, _| ()).await.unwrap(), verified);
}

async fn writers_are_tied_together(scene: Scene) {
    let tell = |second| commit(second, |commit| commit.entries = vec![entry("decided", "a", &[("1", json!(0))])]);
    let mut numbers = Vec::new();
    for second in 0..3 {
        let store = scene.open().await;
        numbers.extend(store.commit(tell(second)).await.unwrap());
        numbers.extend(store.commit(tell(second)).await.unwrap());
    }
    // Between them stand the checkpoints of the second and the third writer.
    assert_eq!(numbers, [1, 2, 4, 5, 7, 8]);
    let store = scene.open().await;
    let verified = store.verify(|_, _| ()).await.unwrap();
    assert_eq!(verified.heads.len(), 1);
    assert_eq!((verified.heads[0].writer, verified.heads[0].seq), (3, 8));
    let rows = store.entries(0, 100).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.writer).collect::<Vec<_>>(), [1, 1, 2, 2, 2, 3, 3, 3]);
    assert_eq!(rows[5].kind, "checkpoint");
    assert_eq!(rows[5].note["heads"][0], json!({ "writer": 2, "seq": 5, "hash": rows[4].hash }));
    assert_eq!(store.story(&"a".into(), &"1".into()).await.unwrap().len(), 6);
}

async fn rows_come_for_export(scene: Scene) {
    let store = scene.open().await;
    let many = (0..25).map(|at| commit(at, |commit| commit.entries = vec![entry("k", "a", &[("1", json!(at))])]));
    store.commit_many(many.collect()).await.unwrap();
    let (mut seen, mut after) = (Vec::new(), 0);
    loop {
        let page = store.entries(after, 10).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.seq;
        seen.extend(page.into_iter().map(|row| row.items));
    }
    let expected: Vec<_> = (0..25).map(|at| vec![("1".into(), Some(json!(at)))]).collect();
    assert_eq!(seen, expected);
}

fn end(system: &str, object: &str) -> End {
    End { system: system.into(), object: object.into() }
}

/// Two flows from the same object to two others, two records, told of in one ledger row each time.
async fn two_people(store: &Store) {
    let flows = [
        ("contacts".into(), end("old", "persons"), end("new", "contacts"), "contacts.back".into()),
        ("leads".into(), end("old", "persons"), end("new", "leads"), "leads.back".into()),
    ];
    store.bind_flows(&flows).await.unwrap();
    let secret = |who: &str| json!({ "name": format!("secret of {who}") });
    let record = |id: &str| Record {
        id: id.into(),
        fields: [("name".into(), Value::text(format!("secret of {id}")))].into_iter().collect(),
        modified: None,
        gone: false,
    };
    let staged = |system: &str, object: &str, ids: [&str; 2]| Block {
        system: system.into(),
        object: object.into(),
        number: 4,
        records: ids.iter().map(|id| record(id)).collect(),
    };
    let filled = commit(0, |commit| {
        commit.blocks = vec![staged("old", "persons", ["1", "2"]), staged("new", "contacts", ["t1", "t2"])];
        commit.entries = vec![
            entry("decided", "contacts", &[("1", secret("1")), ("2", secret("2"))]),
            entry("decided", "leads", &[("1", secret("1"))]),
            entry("sent", "contacts", &[("2", secret("2")), ("1", secret("1"))]),
        ];
        commit.rows = vec![paired("contacts", "1", "t1", 1), paired("contacts", "2", "t2", 2)];
        commit.rows.push(row("leads", "1", Outcome::Held));
        for (id, target, identity) in [("1", "t1", 1), ("2", "t2", 2)] {
            commit.memberships.push(member("old", "persons", id, identity));
            commit.memberships.push(member("new", "contacts", target, identity));
            commit.keys.push(MatchRow {
                system: "old".into(),
                object: "persons".into(),
                kind: "email#0".to_owned(),
                key: format!("secret of {id}"),
                record: id.into(),
                block: 4,
            });
        }
        let candidate = |target: &str| handover_model::Candidate {
            key: "email".to_owned(),
            target: target.into(),
            shown: vec![("name".into(), Value::text(format!("secret of {target}")))],
        };
        let cause = Cause::Contradiction { candidates: vec![candidate("t1"), candidate("t2")] };
        commit.holds.push(hold("leads", "persons", "1", Cause::Missing { field: "name".into() }));
        commit.holds.push(hold("leads", "persons", "3", cause));
        let edit = Answer::Edit { field: "name".into(), value: Value::text("secret of 1"), of: None };
        for answer in [edit, Answer::Accept] {
            let (flow, record) = ("leads".into(), "1".into());
            let (reviewer, comment) = ("Eve".to_owned(), "secret of 1".to_owned());
            commit.answers.push(GivenAnswer { flow, record, answer, reviewer, comment });
        }
    });
    store.commit(filled).await.unwrap();
}

async fn stories_are_found_by_source_and_target(scene: Scene) {
    let store = scene.open().await;
    two_people(&store).await;
    let of = |system: &'static str, object: &'static str, record: &'static str| {
        let store = store.clone();
        async move {
            let told = store.stories(&system.into(), &object.into(), &record.into()).await.unwrap();
            told.iter().map(|told| told.seq).collect::<Vec<_>>()
        }
    };
    assert_eq!(of("old", "persons", "1").await, [1, 2, 3]);
    assert_eq!(of("new", "contacts", "t1").await, [1, 3]);
    assert_eq!(of("old", "persons", "2").await, [1, 3]);
    assert!(of("new", "leads", "t1").await.is_empty());
    assert!(of("new", "persons", "1").await.is_empty());
}

async fn erased_values_are_gone_everywhere_and_the_ledger_verifies(scene: Scene) {
    let store = scene.open().await;
    two_people(&store).await;
    let secret = |story: &[Told]| story.iter().filter(|told| told.values.is_some()).count();
    assert_eq!(store.block(&"old".into(), &"persons".into(), 4).await.unwrap()[0].fields.len(), 1);
    assert_eq!(store.erase(&"contacts".into(), &"1".into(), at(9), "Eve", "asked").await.unwrap(), 3);

    let verified = store.verify(|_, _| ()).await.unwrap();
    assert_eq!((verified.entries, verified.items, verified.erased), (5, 7, 3));
    let story = store.story(&"contacts".into(), &"1".into()).await.unwrap();
    assert_eq!(story.iter().map(|told| told.kind.as_str()).collect::<Vec<_>>(), ["decided", "sent", "erased"]);
    assert_eq!(secret(&story[..2]), 0);
    assert_eq!(story[2].note, json!({ "who": "Eve", "why": "asked" }));
    let other = store.story(&"contacts".into(), &"2".into()).await.unwrap();
    assert_eq!(secret(&other), 2);

    for (system, object) in [("old", "persons"), ("new", "contacts")] {
        let block = store.block(&system.into(), &object.into(), 4).await.unwrap();
        assert_eq!(block[0].fields, Fields::new());
        assert_eq!(block[1].fields.len(), 1, "another person's values stay");
    }
    let keys = [("email#0".to_owned(), "secret of 1".to_owned()), ("email#0".to_owned(), "secret of 2".to_owned())];
    assert_eq!(store.matches(&"old".into(), &"persons".into(), &keys).await.unwrap().len(), 1);
    let rows = store.rows(&"contacts".into(), &ids(&["1", "2"])).await.unwrap();
    assert_eq!((&rows["1"].base, &rows["1"].digest), (&None, &None));
    assert!(rows["2"].base.is_some());
    let held = store.holds_of(&"leads".into(), &"1".into()).await.unwrap();
    assert_eq!((held[0].title.as_str(), &held[0].value), ("", &None));
    let held = store.holds_of(&"leads".into(), &"3".into()).await.unwrap();
    let Cause::Contradiction { candidates } = &held[0].cause else { panic!("{held:?}") };
    assert_eq!(candidates.iter().map(|candidate| candidate.shown.len()).collect::<Vec<_>>(), [0, 1]);
    let answers = store.answers(&"leads".into(), &ids(&["1"])).await.unwrap();
    let answers: Vec<_> = answers["1"].iter().map(|given| (&given.answer, given.comment.as_str())).collect();
    assert_eq!(answers, [(&Answer::Accept, "")]);

    // Once more finds nothing, and is told of all the same.
    assert_eq!(store.erase(&"leads".into(), &"1".into(), at(10), "Eve", "again").await.unwrap(), 2);
    store.verify(|_, _| ()).await.unwrap();
    if scene.is_sqlite() {
        let path = scene.path().to_owned();
        store.close().await.unwrap();
        let bytes = std::fs::read(path).unwrap();
        let found = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        // Keys stand in the file as they are: they show what the search finds.
        assert!(found("secret of 2"));
        assert!(!found("secret of 1"));
    }
}

async fn erasing_needs_to_know_the_objects(scene: Scene) {
    let store = scene.open().await;
    let told = commit(0, |commit| commit.entries = vec![entry("decided", "contacts", &[("1", json!("secret"))])]);
    store.commit(told).await.unwrap();
    let error = store.erase(&"contacts".into(), &"1".into(), at(1), "Eve", "asked").await.unwrap_err();
    assert!(matches!(error, Error::UnknownFlow { .. }), "{error}");
    let flow = ("contacts".into(), end("old", "persons"), end("new", "contacts"), "contacts.back".into());
    store.bind_flows(&[flow]).await.unwrap();
    assert_eq!(store.erase(&"contacts".into(), &"1".into(), at(1), "Eve", "asked").await.unwrap(), 1);
    assert_eq!(store.verify(|_, _| ()).await.unwrap().erased, 1);
}

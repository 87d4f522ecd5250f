use handover_model::{Counts, End, Outcome, RecordId};
use handover_store::Worked;

use crate::scene::{Scene, commit, entry, ids, on_both, paired, row};

on_both!(
    rows_replace_what_was_there,
    the_last_ledger_row_is_kept_by_the_store,
    pages_cover_everything_once,
    counts_add_up,
    what_was_counted_is_counted_again_when_rows_change,
    a_record_in_two_flows_counts_once_with_its_worst,
    the_same_record_twice_in_a_commit_is_one_row,
    how_far_a_flow_came_counts_for_the_files_that_it_was_noted_under,
);

async fn rows_replace_what_was_there(scene: Scene) {
    let store = scene.open().await;
    let first = paired("contacts", "1", "t1", 7);
    let second = row("contacts", "1", Outcome::Held);
    store.commit(commit(0, |commit| commit.rows = vec![first.clone()])).await.unwrap();
    assert_eq!(store.rows(&"contacts".into(), &ids(&["1", "2"])).await.unwrap(), [("1".into(), first)].into());
    store.commit(commit(1, |commit| commit.rows = vec![second.clone()])).await.unwrap();
    assert_eq!(store.rows(&"contacts".into(), &ids(&["1"])).await.unwrap(), [("1".into(), second)].into());
    assert!(store.rows(&"deals".into(), &ids(&["1"])).await.unwrap().is_empty());
    assert!(store.rows(&"contacts".into(), &[]).await.unwrap().is_empty());
}

async fn the_last_ledger_row_is_kept_by_the_store(scene: Scene) {
    let store = scene.open().await;
    let last = || async {
        let rows = store.rows(&"contacts".into(), &ids(&["1"])).await.unwrap();
        rows.get(&RecordId::from("1")).unwrap().last_entry
    };
    let told = entry("decided", "contacts", &[("1", 1.into())]);
    let both = commit(0, |commit| {
        commit.entries = vec![told.clone(), told.clone()];
        commit.rows = vec![row("contacts", "1", Outcome::Pending)];
    });
    assert_eq!(store.commit(both).await.unwrap(), [1, 2]);
    assert_eq!(last().await, Some(2));
    // What the caller says is not asked: the store knows.
    let stale = handover_store::RecordRow { last_entry: None, ..row("contacts", "1", Outcome::Held) };
    store.commit(commit(1, |commit| commit.rows = vec![stale])).await.unwrap();
    assert_eq!(last().await, Some(2));
    // An entry without the row moves it too.
    store.commit(commit(2, |commit| commit.entries = vec![told])).await.unwrap();
    assert_eq!(last().await, Some(3));
}

async fn pages_cover_everything_once(scene: Scene) {
    let store = scene.open().await;
    let outcomes = [Outcome::Created, Outcome::Held, Outcome::Pending];
    let all: Vec<_> = (0..1000).map(|at| row("contacts", &format!("{at}"), outcomes[at % 3])).collect();
    store.commit(commit(0, |commit| commit.rows = all.clone())).await.unwrap();
    for wanted in [None, Some(Outcome::Held), Some(Outcome::Skipped)] {
        let mut seen = Vec::new();
        let mut after: Option<RecordId> = None;
        loop {
            let page = store.rows_page(&"contacts".into(), wanted, after.as_ref(), 70).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.record.clone());
            seen.extend(page.into_iter().map(|row| row.record));
        }
        let mut expected: Vec<_> = all.iter().filter(|row| wanted.is_none_or(|wanted| row.outcome == wanted)).collect();
        expected.sort_by(|a, b| a.record.cmp(&b.record));
        assert_eq!(seen, expected.iter().map(|row| row.record.clone()).collect::<Vec<_>>());
    }
}

async fn what_was_counted_is_counted_again_when_rows_change(scene: Scene) {
    let store = scene.open().await;
    let reader = handover_store::Store::open_reading(&scene.location).await.unwrap();
    let flows = ["contacts".into(), "deals".into()];
    let mut held = 0;
    for number in 0..4 {
        held += 1;
        let rows = vec![row("contacts", &format!("{number}"), Outcome::Held), row("deals", "x", Outcome::Created)];
        store.commit(commit(number, |commit| commit.rows = rows)).await.unwrap();
        // The second time it is known.
        for _ in 0..2 {
            for store in [&store, &reader] {
                assert_eq!(store.counts(&"contacts".into()).await.unwrap().held, held);
                assert_eq!(store.object_counts(&flows).await.unwrap().read, held + 1);
            }
        }
    }
    // A step that was written although its caller was told that it failed counts.
    store.set_fuse(std::sync::Arc::new(|_, moment| moment == handover_store::Moment::After));
    let more = commit(9, |commit| commit.rows = vec![row("contacts", "more", Outcome::Held)]);
    store.commit(more).await.unwrap_err();
    assert_eq!(store.counts(&"contacts".into()).await.unwrap().held, held + 1);
}

async fn counts_add_up(scene: Scene) {
    let store = scene.open().await;
    assert_eq!(store.counts(&"contacts".into()).await.unwrap(), Counts::default());
    let rows = Outcome::ALL
        .iter()
        .enumerate()
        .flat_map(|(at, outcome)| (0..=at).map(move |number| row("contacts", &format!("{at}-{number}"), *outcome)));
    store.commit(commit(0, |commit| commit.rows = rows.collect())).await.unwrap();
    let counts = store.counts(&"contacts".into()).await.unwrap();
    for (at, outcome) in Outcome::ALL.into_iter().enumerate() {
        assert_eq!(counts.of(outcome), at as u64 + 1, "{}", outcome.word());
    }
    assert!(counts.adds_up());
    assert_eq!(counts.read, 36);
    assert_eq!(store.object_counts(&["contacts".into()]).await.unwrap(), counts);
}

async fn a_record_in_two_flows_counts_once_with_its_worst(scene: Scene) {
    let store = scene.open().await;
    let order = ["pending", "held", "created", "updated", "merged", "unchanged", "skipped", "excluded"];
    let order = order.map(|word| Outcome::from_word(word).unwrap());
    let mut rows = Vec::new();
    for (i, a) in order.iter().enumerate() {
        for (j, b) in order.iter().enumerate() {
            rows.push(row("a", &format!("{i}{j}"), *a));
            rows.push(row("b", &format!("{i}{j}"), *b));
        }
    }
    rows.push(row("b", "only in b", Outcome::Excluded));
    rows.push(row("c", "not asked for", Outcome::Pending));
    store.commit(commit(0, |commit| commit.rows = rows)).await.unwrap();
    let counts = store.object_counts(&["a".into(), "b".into(), "never heard of".into()]).await.unwrap();
    let shown = order.map(|outcome| counts.of(outcome));
    assert_eq!(shown, [15, 13, 11, 9, 7, 5, 3, 2]);
    assert_eq!(counts.read, 65);
    assert_eq!(store.object_counts(&[]).await.unwrap(), Counts::default());
}

async fn the_same_record_twice_in_a_commit_is_one_row(scene: Scene) {
    let store = scene.open().await;
    let mut rows: Vec<_> = (0..300).map(|at| row("contacts", &format!("{at}"), Outcome::Pending)).collect();
    rows.push(row("contacts", "5", Outcome::Created));
    let many = vec![
        commit(0, |commit| commit.rows = rows),
        commit(1, |commit| commit.rows = vec![row("contacts", "6", Outcome::Held)]),
    ];
    store.commit_many(many).await.unwrap();
    let counts = store.counts(&"contacts".into()).await.unwrap();
    assert_eq!((counts.read, counts.pending, counts.created, counts.held), (300, 298, 1, 1));
}

async fn how_far_a_flow_came_counts_for_the_files_that_it_was_noted_under(scene: Scene) {
    let store = scene.open().await;
    let noted =
        |flow: &str, snapshot: &str, blocks| Worked { flow: flow.into(), snapshot: snapshot.to_owned(), blocks };
    let worked = |flow: &'static str, snapshot: &'static str| {
        let store = store.clone();
        async move { store.worked(&flow.into(), snapshot).await.unwrap() }
    };
    assert_eq!(worked("contacts", "a").await, 0);
    let end = |object: &str| End { system: "old".into(), object: object.into() };
    let flows = ["contacts", "deals"].map(|flow| (flow.into(), end(flow), end("any"), format!("{flow}.back").into()));
    store.bind_flows(&flows).await.unwrap();
    let both = vec![noted("contacts", "a", 10), noted("deals", "a", 3)];
    store.commit(commit(0, |commit| commit.worked = both.clone())).await.unwrap();
    assert_eq!((worked("contacts", "a").await, worked("contacts", "b").await), (10, 0));
    store.commit(commit(1, |commit| commit.worked = vec![noted("contacts", "b", 4)])).await.unwrap();
    assert_eq!((worked("contacts", "a").await, worked("contacts", "b").await), (0, 4));
}

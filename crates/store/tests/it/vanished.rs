use handover_model::Side;
use handover_store::{Fate, Lookout, MatchRow, Vanished};

use crate::scene::{Scene, at, commit, on_both};

on_both!(what_vanished_stays_until_it_returns, how_far_was_looked_is_kept_by_list, keyless_records_are_not_found);

fn gone(side: Side, record: &str, fate: Fate) -> Vanished {
    Vanished {
        flow: "contacts".into(),
        side,
        record: record.into(),
        source: format!("source of {record}").as_str().into(),
        fate,
        pass: 3,
        since: at(1),
        into: (record == "2").then(|| "1".into()),
        certain: record == "2",
        counterpart: (record == "2").then(|| "t2".into()),
    }
}

async fn what_vanished_stays_until_it_returns(scene: Scene) {
    let store = scene.open().await;
    let flow = "contacts".into();
    let rows = [gone(Side::Source, "1", Fate::Pending), gone(Side::Source, "2", Fate::Asked)];
    let other = gone(Side::Target, "1", Fate::Kept);
    let all = rows.iter().chain([&other]).cloned().collect();
    store.commit(commit(1, |commit| commit.vanished = all)).await.unwrap();
    assert_eq!(store.vanished(&flow, Side::Source, true).await.unwrap(), rows);
    assert_eq!(store.vanished(&flow, Side::Target, true).await.unwrap(), []);
    assert_eq!(store.vanished(&flow, Side::Target, false).await.unwrap(), [other]);
    let among = store.vanished_among(&flow, Side::Source, &["2".into(), "7".into()]).await.unwrap();
    assert_eq!(among, rows[1..]);
    // What replaces it in the same step stays.
    let deleted = gone(Side::Source, "1", Fate::Deleted);
    let changed = commit(2, |commit| {
        commit.returned = rows.iter().map(|row| (row.flow.clone(), row.side, row.record.clone())).collect();
        commit.vanished = vec![deleted.clone()];
    });
    store.commit(changed).await.unwrap();
    assert_eq!(store.vanished(&flow, Side::Source, true).await.unwrap(), []);
    assert_eq!(store.vanished(&flow, Side::Source, false).await.unwrap(), [deleted]);
}

async fn how_far_was_looked_is_kept_by_list(scene: Scene) {
    let store = scene.open().await;
    let row = |list: &str, pages| Lookout {
        system: "old".into(),
        object: "persons".into(),
        list: list.to_owned(),
        at: at(1),
        reached: at(2),
        closed: true,
        looked: at(3),
        pages,
    };
    store.commit(commit(1, |commit| commit.lookouts = vec![row("deleted", 1), row("whole", 2)])).await.unwrap();
    store.commit(commit(2, |commit| commit.lookouts = vec![row("whole", 7)])).await.unwrap();
    for (list, pages) in [("deleted", Some(1)), ("whole", Some(7)), ("merged", None)] {
        let found = store.lookout(&"old".into(), &"persons".into(), list).await.unwrap();
        assert_eq!(found, pages.map(|pages| row(list, pages)));
    }
}

async fn keyless_records_are_not_found(scene: Scene) {
    let store = scene.open().await;
    let key = |record: &str| MatchRow {
        system: "old".into(),
        object: "persons".into(),
        kind: "email#1".to_owned(),
        key: "ana@example.com".to_owned(),
        record: record.into(),
        block: 0,
    };
    store.commit(commit(1, |commit| commit.keys = vec![key("1"), key("2")])).await.unwrap();
    let forget = commit(2, |commit| commit.keyless = vec![("old".into(), "persons".into(), "1".into())]);
    store.commit(forget).await.unwrap();
    let wanted = [("email#1".to_owned(), "ana@example.com".to_owned())];
    assert_eq!(store.matches(&"old".into(), &"persons".into(), &wanted).await.unwrap(), [key("2")]);
}

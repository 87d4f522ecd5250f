use handover_model::{Outcome, Side};
use handover_store::{Fate, PendingLink, Vanished};

use crate::scene::{Scene, at, commit, on_both, paired, row};

on_both!(
    links_become_ready_when_both_ends_are_there,
    links_wait_while_an_end_is_missed,
    pending_links_come_in_pages,
    links_to_be_taken_away_know_from_whom
);

fn link(flow: &str, record: &str, field: &str, parent: &str) -> PendingLink {
    PendingLink {
        flow: flow.into(),
        record: record.into(),
        field: field.to_owned(),
        parent_flow: "companies".into(),
        parent: parent.into(),
        gone: false,
    }
}

async fn links_become_ready_when_both_ends_are_there(scene: Scene) {
    let store = scene.open().await;
    let links = vec![link("contacts", "1", "company", "c1"), link("contacts", "2", "company", "c2")];
    let first = commit(0, |commit| {
        commit.links = links.iter().chain(&links).cloned().collect();
        commit.rows = vec![paired("contacts", "1", "t1", 1), row("companies", "c1", Outcome::Held)];
    });
    store.commit(first).await.unwrap();
    assert_eq!(store.count_pending_links().await.unwrap(), 2);
    assert_eq!(store.ready_links(10).await.unwrap(), []);
    let (contacts, companies) = ("contacts".into(), "companies".into());
    assert_eq!(store.links_waiting_for(&companies, &"c1".into()).await.unwrap(), links[..1]);
    assert_eq!(store.links_waiting_for(&companies, &"c2".into()).await.unwrap(), links[1..]);
    assert_eq!(store.links_waiting_for(&companies, &"1".into()).await.unwrap(), []);
    // Its own links do not wait for it.
    assert_eq!(store.links_waiting_for(&contacts, &"1".into()).await.unwrap(), []);
    store.commit(commit(1, |commit| commit.rows = vec![paired("companies", "c1", "tc1", 2)])).await.unwrap();
    let ready = store.ready_links(10).await.unwrap();
    assert_eq!(ready, [(links[0].clone(), "t1".into(), "tc1".into())]);
    assert_eq!(store.ready_links_after(Some(&links[0]), 10).await.unwrap(), []);
    store.commit(commit(2, |commit| commit.linked = vec![links[0].clone()])).await.unwrap();
    assert_eq!(store.ready_links(10).await.unwrap(), []);
    assert_eq!(store.pending_links(None, None, None, 10).await.unwrap(), links[1..]);
}

async fn links_wait_while_an_end_is_missed(scene: Scene) {
    let store = scene.open().await;
    let one = link("contacts", "1", "company", "c1");
    let first = commit(0, |commit| {
        commit.links = vec![one.clone()];
        commit.rows = vec![paired("contacts", "1", "t1", 1), paired("companies", "c1", "tc1", 2)];
    });
    store.commit(first).await.unwrap();
    let ready = [(one, "t1".into(), "tc1".into())];
    let ends = [("contacts", "t1", "1"), ("companies", "tc1", "c1")];
    let missed = |side| ends.into_iter().map(move |(flow, target, source)| (flow, target, source, side));
    // Of what is gone from the source the counterpart is there, and can be linked.
    for (flow, target, source, side) in missed(Side::Target).chain(missed(Side::Source)) {
        let record = if side == Side::Target { target } else { source };
        for fate in [Fate::Pending, Fate::Asked, Fate::Kept] {
            let gone = Vanished {
                flow: flow.into(),
                side,
                record: record.into(),
                source: source.into(),
                fate,
                pass: 1,
                since: at(1),
                into: None,
                certain: false,
                counterpart: None,
            };
            store.commit(commit(1, |commit| commit.vanished = vec![gone])).await.unwrap();
            let expected = if side == Side::Target { &[] } else { &ready[..] };
            assert_eq!(store.ready_links(10).await.unwrap(), expected, "{flow} {fate:?}");
        }
        store.commit(commit(2, |commit| commit.returned = vec![(flow.into(), side, record.into())])).await.unwrap();
        assert_eq!(store.ready_links(10).await.unwrap(), ready, "{flow}");
    }
}

async fn pending_links_come_in_pages(scene: Scene) {
    let store = scene.open().await;
    let mut links: Vec<_> = (0..50)
        .flat_map(|at| [link("contacts", &format!("{at:02}"), "a", "x"), link("deals", &format!("{at:02}"), "b", "y")])
        .collect();
    store.commit(commit(0, |commit| commit.links = links.clone())).await.unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.pending_links(None, None, after.as_ref(), 7).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        seen.extend(page);
    }
    seen.sort();
    links.sort();
    assert_eq!(seen, links);
    let some = store.pending_links(Some(&"deals".into()), Some(&"b".into()), None, 100).await.unwrap();
    assert_eq!(some.len(), 50);
    assert_eq!(store.pending_links(Some(&"deals".into()), Some(&"a".into()), None, 100).await.unwrap(), []);
    store.commit(commit(1, |commit| commit.linked = links)).await.unwrap();
    assert_eq!(store.count_pending_links().await.unwrap(), 0);
}

async fn links_to_be_taken_away_know_from_whom(scene: Scene) {
    let store = scene.open().await;
    let gone = |flow: &str, record: &str| PendingLink {
        gone: true,
        parent_flow: flow.into(),
        ..link(flow, record, "company", "7")
    };
    let links = [gone("contacts", "1"), gone("contacts", "2"), link("contacts", "1", "company", "7")];
    let first = commit(0, |commit| {
        commit.links = links.to_vec();
        commit.rows =
            vec![paired("contacts", "1", "t1", 1), paired("companies", "7", "t7", 2), paired("contacts", "7", "t8", 3)];
    });
    store.commit(first).await.unwrap();
    assert_eq!(store.count_pending_links().await.unwrap(), 3);
    assert_eq!(store.ready_links(10).await.unwrap(), [(links[2].clone(), "t1".into(), "t7".into())]);
    let found = store.gone_links(None, 10).await.unwrap();
    assert_eq!(found, [(links[0].clone(), Some("t1".into())), (links[1].clone(), None)]);
    assert_eq!(store.gone_links(Some(&links[0]), 10).await.unwrap(), found[1..]);
    // A record of the source with the number of a record of the target is another one.
    assert_eq!(store.links_waiting_for(&"contacts".into(), &"7".into()).await.unwrap(), []);
    store.commit(commit(1, |commit| commit.linked = links[..1].to_vec())).await.unwrap();
    assert_eq!(store.gone_links(None, 10).await.unwrap(), found[1..]);
}
